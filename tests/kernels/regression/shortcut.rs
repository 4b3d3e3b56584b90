use super::Observed;
use armwise::internal::rows;
use armwise::regression::{Family, Glm, ModelMatrix};

/// What comes out is what a pass over all rows gives at the coefficients, also where the sample is no fair
/// one.
#[test]
fn shortcuts_leave_the_estimate_alone() {
    for (n, sorted, size) in [
        (1_000_usize, false, 1.0),
        (40_000, false, 1.0),
        (40_000, true, 2.0),
        (140_000, false, 0.1),
        (140_000, false, 3.0),
        (140_000, true, 1.0),
    ] {
        let mut x: Vec<f64> = (0..n).map(|i| (i as f64 * 0.7).sin()).collect();
        if sorted {
            x.sort_by(f64::total_cmp);
        }
        let chance = |i: usize| (i as f64 * 0.618_033_988_749_894_9).fract();
        let y: Vec<f64> = (0..n)
            .map(|i| f64::from(u8::from(chance(i) < 1.0 / (1.0 + (0.4 - size * x[i]).exp()))))
            .collect();
        let square: Vec<f64> = x.iter().map(|x| x * x).collect();
        let matrix = ModelMatrix::new(n)
            .intercept()
            .and_then(|m| m.numeric("x", (&x[..]).into()))
            .and_then(|m| m.numeric("square", (&square[..]).into()))
            .expect("a matrix");
        let fit = Glm::new(Family::Binomial).fit(&matrix, &y[..]).expect("a fit");
        let exact = Observed::plain(rows(&matrix, None), &y).sums(Family::Binomial, fit.coefficients());
        let decrement = exact.score.dot(&fit.bread().dot(&exact.score));
        assert!(decrement < 1e-20 * n as f64, "{n} {sorted} {size}: {decrement}");
        for (a, b) in fit.information().iter().zip(&exact.information) {
            assert!((a - b).abs() < 1e-9 * b.abs(), "{n} {sorted} {size}: {a} {b}");
        }
        assert!((fit.deviance() - exact.deviance).abs() < 1e-12 * exact.deviance);
    }
}
