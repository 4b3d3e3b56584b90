//! The real roots of polynomials of low degree.

/// The real roots in rising order, of a polynomial whose coefficients start with the constant: between two
/// extremes, which are roots of the derivative, lies at most one.
pub(super) fn real_roots(coefficients: &[f64]) -> Vec<f64> {
    let size = coefficients.iter().fold(0.0_f64, |most, c| most.max(c.abs()));
    let mut degree = coefficients.len() - 1;
    while degree > 0 && coefficients[degree].abs() <= 1e-14 * size {
        degree -= 1;
    }
    let c = &coefficients[..=degree];
    if degree == 0 {
        return Vec::new();
    }
    if degree == 1 {
        return vec![-c[0] / c[1]];
    }
    let derivative: Vec<f64> = (1..=degree).map(|power| power as f64 * c[power]).collect();
    let value = |x: f64| c.iter().rev().fold(0.0, |sum, c| sum * x + c);
    // Cauchy's bound.
    let bound = 1.0 + c[..degree].iter().fold(0.0_f64, |most, own| most.max((own / c[degree]).abs()));
    let mut places = vec![-bound];
    places.extend(real_roots(&derivative).into_iter().filter(|x| x.abs() < bound));
    places.push(bound);
    let mut roots: Vec<f64> = Vec::new();
    for pair in places.windows(2) {
        let (mut low, mut high) = (pair[0], pair[1]);
        let rising = value(high) > value(low);
        let (first, last) = if rising { (value(low), value(high)) } else { (-value(low), -value(high)) };
        if first > 0.0 || last < 0.0 {
            continue;
        }
        for _ in 0..200 {
            let middle = f64::midpoint(low, high);
            if middle <= low || middle >= high {
                break;
            }
            if (value(middle) > 0.0) == rising { high = middle } else { low = middle }
        }
        roots.push(f64::midpoint(low, high));
    }
    roots
}
