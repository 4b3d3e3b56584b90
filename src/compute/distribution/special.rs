//! Gamma, beta and error functions.

use crate::compute::tails;
use std::f64::consts::PI;

/// The natural logarithm of the absolute value of the gamma function; infinite at 0, -1, -2, ...
///
/// ```
/// use armwise::distribution::special::ln_gamma;
///
/// assert!((ln_gamma(5.0) - 24_f64.ln()).abs() < 1e-14);
/// ```
pub fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// The derivative of [`ln_gamma`]; minus infinity at 0, -1, -2, ...
///
/// ```
/// use armwise::distribution::special::digamma;
///
/// assert!((digamma(1.0) + 0.577_215_664_901_532_9).abs() < 1e-14);
/// ```
pub fn digamma(x: f64) -> f64 {
    statrs::function::gamma::digamma(x)
}

/// The derivative of [`digamma`]; infinite at 0, -1, -2, ...
///
/// By the recurrence `f(x) = f(x + 1) + 1 / x^2`, the asymptotic series in 1 / x, and reflection for negative
/// x (Abramowitz & Stegun 1964, 6.4.6, 6.4.7, 6.4.12).
///
/// ```
/// use armwise::distribution::special::trigamma;
///
/// assert!((trigamma(1.0) - std::f64::consts::PI.powi(2) / 6.0).abs() < 1e-15);
/// ```
pub fn trigamma(x: f64) -> f64 {
    if x == f64::NEG_INFINITY || (x <= 0.0 && x == x.floor()) {
        return f64::INFINITY;
    }
    if x < 0.0 {
        let sine = (PI * (x - x.round())).sin();
        return (PI / sine).powi(2) - trigamma(1.0 - x);
    }
    let (mut x, mut sum) = (x, 0.0);
    while x < 12.0 {
        sum += 1.0 / (x * x);
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    // Bernoulli numbers B2, B4, ...
    let bernoulli = [1.0 / 6.0, -1.0 / 30.0, 1.0 / 42.0, -1.0 / 30.0, 5.0 / 66.0, -691.0 / 2730.0, 7.0 / 6.0];
    let series = bernoulli.iter().rev().fold(0.0, |series, term| series * square + term) * square;
    sum + (1.0 + 0.5 / x + series) / x
}

/// The error function, `2 / sqrt(pi)` times the integral of `exp(-t^2)` from 0 to x.
///
/// ```
/// use armwise::distribution::special::{erf, erfc};
///
/// assert!((erf(0.5) + erfc(0.5) - 1.0).abs() < 1e-15);
/// ```
pub fn erf(x: f64) -> f64 {
    libm::erf(x)
}

/// The complement of the error function, `1 - erf(x)`, accurate also where it is tiny.
///
/// ```
/// use armwise::distribution::special::erfc;
///
/// assert!((erfc(10.0) / 2.088_487_583_762_545e-45 - 1.0).abs() < 1e-13);
/// ```
pub fn erfc(x: f64) -> f64 {
    libm::erfc(x)
}

/// The natural logarithm of the beta function `Gamma(a) Gamma(b) / Gamma(a + b)` for positive a and b; NaN
/// for others.
///
/// By the errors of Stirling's formula, which do not cancel for large arguments (Loader 2000).
///
/// ```
/// use armwise::distribution::special::ln_beta;
///
/// assert!((ln_beta(2.0, 3.0) - (1.0_f64 / 12.0).ln()).abs() < 1e-14);
/// ```
pub fn ln_beta(a: f64, b: f64) -> f64 {
    if a > 0.0 && b > 0.0 { tails::ln_beta(a, b) } else { f64::NAN }
}

/// The natural logarithm of the number of ways to choose `k` among `n`; minus infinity for `k > n`.
///
/// ```
/// use armwise::distribution::special::ln_choose;
///
/// assert!((ln_choose(5, 2) - 10_f64.ln()).abs() < 1e-14);
/// ```
pub fn ln_choose(n: u64, k: u64) -> f64 {
    if k > n {
        return f64::NEG_INFINITY;
    }
    if k == 0 || k == n {
        return 0.0;
    }
    let n = n as f64;
    let k = k as f64;
    -n.ln_1p() - tails::ln_beta(n - k + 1.0, k + 1.0)
}
