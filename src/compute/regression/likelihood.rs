//! Log-likelihoods with all their constants.

use super::family::{Curve, Variance};
use super::observations::{Grouped, Response, Unit};

/// The log-likelihood of one unit of a row.
pub(crate) fn log_likelihood(unit: Unit, curve: Curve, response: &Response, dispersion: f64) -> f64 {
    let Unit { row, eta, y, weight, .. } = unit;
    match curve.variance {
        Variance::Constant => {
            let squares = weight * (y - curve.mean(eta)).powi(2) / dispersion;
            0.5 * (weight.ln() - (2.0 * std::f64::consts::PI * dispersion).ln() - squares)
        }
        Variance::Binomial => {
            let ways = match response {
                Response::Grouped(Grouped { successes, trials }) => {
                    let (s, m) = (successes[row], trials[row]);
                    weight / m * (ln_factorial(m) - ln_factorial(s) - ln_factorial(m - s))
                }
                _ => 0.0,
            };
            let saturated = if y > 0.0 && y < 1.0 { y * y.ln() + (1.0 - y) * (-y).ln_1p() } else { 0.0 };
            ways + weight * (saturated - 0.5 * curve.deviance(eta, y))
        }
        Variance::Poisson => {
            let saturated = if y > 0.0 { y * y.ln() - y } else { 0.0 };
            weight * (saturated - ln_factorial(y) - 0.5 * curve.deviance(eta, y))
        }
        Variance::Gamma => {
            let (shape, mu) = (1.0 / dispersion, curve.mean(eta));
            weight * (shape * (shape * y / mu).ln() - shape * y / mu - y.ln() - libm::lgamma(shape))
        }
        Variance::NegativeBinomial { theta } => {
            let mu = curve.mean(eta);
            let all = theta * (mu / theta).ln_1p();
            let successes =
                if y > 0.0 { y * mu.ln() + ln_rising(theta, y) - y * (theta + mu).ln() } else { 0.0 };
            weight * (successes - all - ln_factorial(y))
        }
    }
}

fn ln_factorial(x: f64) -> f64 {
    libm::lgamma(x + 1.0)
}

/// Beyond this the asymptotic series of the gamma functions are exact to rounding.
const ASYMPTOTIC: f64 = 64.0;

/// `ln Gamma(theta + y) - ln Gamma(theta)` for a whole `y`, without the cancellation of the two.
pub fn ln_rising(theta: f64, y: f64) -> f64 {
    over_steps(theta, y, f64::ln, |x| (x - 0.5) * x.ln() - x + 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3)))
}

/// `psi(theta + y) - psi(theta)` for a whole `y`.
pub fn digamma_rise(theta: f64, y: f64) -> f64 {
    over_steps(theta, y, f64::recip, |x| x.ln() - 0.5 / x - 1.0 / (12.0 * x * x) + 1.0 / (120.0 * x.powi(4)))
}

/// `psi'(theta + y) - psi'(theta)` for a whole `y`.
pub fn trigamma_rise(theta: f64, y: f64) -> f64 {
    over_steps(
        theta,
        y,
        |x| -1.0 / (x * x),
        |x| 1.0 / x + 0.5 / (x * x) + 1.0 / (6.0 * x.powi(3)) - 1.0 / (30.0 * x.powi(5)),
    )
}

/// `sum step(theta + k)` over `k < y`: the first terms one by one, the rest by the antidifference.
fn over_steps(theta: f64, y: f64, step: impl Fn(f64) -> f64, antidifference: impl Fn(f64) -> f64) -> f64 {
    let mut sum = 0.0;
    let mut k = 0.0;
    while k < y.min(1000.0) || (k < y && theta + k < ASYMPTOTIC) {
        sum += step(theta + k);
        k += 1.0;
    }
    if k < y { sum + (antidifference(theta + y) - antidifference(theta + k)) } else { sum }
}
