use super::Tails;
use crate::compute::tails::{LN_SQRT_2PI, Side, normal_quantile, normal_tails};

/// The standard normal distribution.
///
/// # Formula
///
/// Density `exp(-x^2 / 2) / sqrt(2 pi)`; sf `erfc(x / sqrt(2)) / 2`, beyond x = 10 by the asymptotic series
/// of erfc.
///
/// ```
/// use armwise::distribution::Normal;
///
/// assert!((Normal.sf(1.959963984540054) - 0.025).abs() < 1e-16);
/// assert!((Normal.ln_sf(100.0) + 5005.5242086942).abs() < 1e-10);
/// ```
///
/// # References
///
/// Abramowitz & Stegun (1964), Handbook of Mathematical Functions, 7.1.23.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Normal;

// The methods take `self` as those of all distributions do.
#[allow(clippy::unused_self)]
impl Normal {
    continuous_methods!();

    /// The natural logarithm of the density.
    pub fn ln_pdf(&self, x: f64) -> f64 {
        -0.5 * x * x - LN_SQRT_2PI
    }

    pub(super) fn tails(self, x: f64) -> Tails {
        normal_tails(x)
    }

    fn quantile_on(self, side: Side, p: f64) -> f64 {
        let x = normal_quantile(p);
        if side == Side::Lower { x } else { 0.0 - x }
    }
}
