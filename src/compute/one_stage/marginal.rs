//! The likelihood of a site with its random effects integrated out, by adaptive Gauss-Hermite quadrature,
//! with exact derivatives.

use super::jet::Jet;
use super::quadrature::Node;
use super::term::{Row, Term};

/// `ln integral exp(sum(x eta - A(eta) + constant)) phi(u) du`, with `eta = offset + fixed'b + random'(sd u)`
/// and `u` standard normal.
///
/// With the mode `m` of the integrand and `L L'` minus the Hessian of its logarithm there,
/// `u = m + sqrt(2) L^-T z` and the rule for `exp(-z'z)` applies (Liu & Pierce 1994, Biometrika 81; Pinheiro
/// & Bates 1995, Journal of Computational and Graphical Statistics 4). One point is Laplace's approximation.
/// The mode is a function of the parameters: Newton's method on truncated Taylor series gives its
/// derivatives, each step doubling their order.
pub(super) fn log_marginal<const N: usize, const R: usize>(
    terms: &[Term],
    fixed: &[Jet<N>; 2],
    sd: &[Jet<N>; R],
    rule: &[Node],
) -> Jet<N> {
    let rows: Vec<Row<N, R>> = terms.iter().map(|term| Row::new(term, fixed, sd)).collect();
    let mut u = mode(&rows).map(Jet::constant);
    let mut top = Summit::at(&rows, &u);
    for _ in 0..2 {
        let step = top.newton_step();
        for (u, step) in u.iter_mut().zip(step) {
            *u += step;
        }
        top = Summit::at(&rows, &u);
    }
    let root = top.curvature_root();
    let mut ln_root = Jet::constant(0.0);
    for (r, row) in root.iter().enumerate() {
        ln_root += row[r].ln();
    }
    let constant: f64 = terms.iter().map(|term| term.constant).sum();
    if rule.len() == 1 {
        return top.value - ln_root + Jet::constant(constant);
    }
    let mut heights = Vec::with_capacity(rule.len().pow(u32::try_from(R).unwrap_or(1)));
    for index in 0..rule.len().pow(u32::try_from(R).unwrap_or(1)) {
        let mut rest = index;
        let (mut z, mut ln_weight) = ([0.0; R], 0.0);
        for z in &mut z {
            let node = &rule[rest % rule.len()];
            rest /= rule.len();
            *z = std::f64::consts::SQRT_2 * node.z;
            ln_weight += node.ln_weight;
        }
        let mut at = back_substitute(&root, &z);
        for (at, u) in at.iter_mut().zip(&u) {
            *at += *u;
        }
        heights.push(height(&rows, &at) + Jet::constant(ln_weight));
    }
    let largest = heights.iter().fold(f64::NEG_INFINITY, |m, jet| m.max(jet.value));
    let mut sum = Jet::constant(0.0);
    for height in &heights {
        sum += (*height - Jet::constant(largest)).exp();
    }
    let scale = largest + constant - 0.5 * R as f64 * std::f64::consts::PI.ln();
    sum.ln() - ln_root + Jet::constant(scale)
}

/// The logarithm of the integrand, without constants.
fn height<const N: usize, const R: usize>(rows: &[Row<N, R>], u: &[Jet<N>; R]) -> Jet<N> {
    let mut sum = Jet::constant(0.0);
    for u in u {
        sum += (*u * *u).scale(-0.5);
    }
    for row in rows {
        let eta = row.predictor(u);
        let log_partition = eta.compose(row.term.family.at(eta.value).curve(0));
        sum += eta.scale(row.term.successes) - log_partition;
    }
    sum
}

/// `L'^-1 z` of a lower triangular `L`.
fn back_substitute<const N: usize, const R: usize>(lower: &[[Jet<N>; R]; R], z: &[f64; R]) -> [Jet<N>; R] {
    let mut x = z.map(Jet::constant);
    for i in (0..R).rev() {
        for k in i + 1..R {
            x[i] = x[i] - lower[k][i] * x[k];
        }
        x[i] = x[i] * lower[i][i].reciprocal();
    }
    x
}

/// The logarithm of the integrand with its derivatives in `u`.
struct Summit<const N: usize, const R: usize> {
    value: Jet<N>,
    gradient: [Jet<N>; R],
    /// Minus the Hessian.
    curvature: [[Jet<N>; R]; R],
}

impl<const N: usize, const R: usize> Summit<N, R> {
    fn at(rows: &[Row<N, R>], u: &[Jet<N>; R]) -> Self {
        let zero = Jet::constant(0.0);
        let mut summit = Self { value: zero, gradient: [zero; R], curvature: [[zero; R]; R] };
        for (r, u) in u.iter().enumerate() {
            summit.value += (*u * *u).scale(-0.5);
            summit.gradient[r] = -*u;
            summit.curvature[r][r] = Jet::constant(1.0);
        }
        for row in rows {
            let eta = row.predictor(u);
            let derivatives = row.term.family.at(eta.value);
            summit.value += eta.scale(row.term.successes) - eta.compose(derivatives.curve(0));
            let residual = Jet::constant(row.term.successes) - eta.compose(derivatives.curve(1));
            let weight = eta.compose(derivatives.curve(2));
            for (r, l) in row.loading.iter().enumerate() {
                summit.gradient[r] += *l * residual;
                for (s, m) in row.loading.iter().enumerate() {
                    summit.curvature[r][s] += *l * *m * weight;
                }
            }
        }
        summit
    }

    fn curvature_root(&self) -> [[Jet<N>; R]; R] {
        let mut lower = [[Jet::constant(0.0); R]; R];
        for i in 0..R {
            for j in 0..=i {
                let mut rest = self.curvature[i][j];
                for k in 0..j {
                    rest = rest - lower[i][k] * lower[j][k];
                }
                lower[i][j] = if i == j { rest.sqrt() } else { rest * lower[j][j].reciprocal() };
            }
        }
        lower
    }

    fn newton_step(&self) -> [Jet<N>; R] {
        let lower = self.curvature_root();
        let mut x = self.gradient;
        for i in 0..R {
            for k in 0..i {
                x[i] = x[i] - lower[i][k] * x[k];
            }
            x[i] = x[i] * lower[i][i].reciprocal();
        }
        for i in (0..R).rev() {
            for k in i + 1..R {
                x[i] = x[i] - lower[k][i] * x[k];
            }
            x[i] = x[i] * lower[i][i].reciprocal();
        }
        x
    }
}

/// The mode of the integrand. Its logarithm is concave with curvature of at least 1, so halved Newton steps
/// end there.
fn mode<const N: usize, const R: usize>(rows: &[Row<N, R>]) -> [f64; R] {
    let value = |u: &[f64; R]| {
        let prior: f64 = u.iter().map(|u| -0.5 * u * u).sum();
        rows.iter().fold(prior, |sum, row| {
            let eta = row.plain_predictor(u);
            sum + row.term.successes * eta - row.term.family.at(eta).value(0)
        })
    };
    let mut u = [0.0; R];
    let mut here = value(&u);
    for _ in 0..200 {
        let (mut gradient, mut curvature) = (u.map(|u| -u), [[0.0; R]; R]);
        for (r, row) in curvature.iter_mut().enumerate() {
            row[r] = 1.0;
        }
        for row in rows {
            let derivatives = row.term.family.at(row.plain_predictor(&u));
            let residual = row.term.successes - derivatives.value(1);
            for r in 0..R {
                gradient[r] += row.loading[r].value * residual;
                for s in 0..R {
                    curvature[r][s] += row.loading[r].value * row.loading[s].value * derivatives.value(2);
                }
            }
        }
        let Some(lower) = super::newton::cholesky(&curvature) else { return u };
        let step = super::newton::solve(&lower, &gradient);
        let promised: f64 = step.iter().zip(&gradient).map(|(s, g)| s * g).sum();
        // The steps in Taylor series make two more of these.
        if promised.is_nan() || promised < 1e-12 {
            return u;
        }
        let mut share = 1.0;
        loop {
            let mut next = u;
            next.iter_mut().zip(step).for_each(|(u, s)| *u += share * s);
            let there = value(&next);
            if there >= here + 0.1 * share * promised - 1e-14 * here.abs() || share < 1e-10 {
                (u, here) = (next, there);
                break;
            }
            share *= 0.5;
        }
    }
    u
}
