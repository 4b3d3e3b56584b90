use super::{Tails, in_domain, quantile_at_ends};
use crate::compute::tails::{IncompleteBeta, Side, ln_beta};
use crate::error::Result;

/// The beta distribution.
///
/// # Formula
///
/// Density `x^(a - 1) (1 - x)^(b - 1) / B(a, b)` for 0 < x < 1, where `B` is the beta function; the cdf is
/// the regularised incomplete beta function `I_x(a, b)`, the sf `I_(1-x)(b, a)`.
///
/// ```
/// use armwise::distribution::Beta;
///
/// // Jeffreys interval of 12 events among 40 participants: its lower limit.
/// let posterior = Beta::new(12.5, 28.5)?;
/// let low = posterior.quantile(0.025);
/// assert!((posterior.cdf(low) - 0.025).abs() < 1e-15);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Loader (2000), Fast and accurate computation of binomial probabilities. Didonato & Morris (1992),
/// Algorithm 708, ACM Transactions on Mathematical Software 18, 360-373. Temme (1987), On the computation of
/// the incomplete gamma functions for large values of the parameters (its expansion, in a form for both
/// functions).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beta {
    a: f64,
    b: f64,
}

impl Beta {
    /// With the powers `a - 1` of x and `b - 1` of 1 - x: mean `a / (a + b)`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` unless both are from 1e-4 to 1e16.
    pub fn new(a: f64, b: f64) -> Result<Self> {
        Ok(Self { a: in_domain("the first shape", a)?, b: in_domain("the second shape", b)? })
    }

    /// The shape that belongs to x.
    pub fn a(&self) -> f64 {
        self.a
    }

    /// The shape that belongs to 1 - x.
    pub fn b(&self) -> f64 {
        self.b
    }

    continuous_methods!();

    /// The natural logarithm of the density.
    pub fn ln_pdf(&self, x: f64) -> f64 {
        if !(0.0..=1.0).contains(&x) {
            return if x.is_nan() { x } else { f64::NEG_INFINITY };
        }
        if x == 0.0 || x == 1.0 {
            let (shape, other) = if x == 0.0 { (self.a, self.b) } else { (self.b, self.a) };
            return match shape {
                shape if shape < 1.0 => f64::INFINITY,
                shape if shape > 1.0 => f64::NEG_INFINITY,
                _ => other.ln(),
            };
        }
        let (a, b) = (self.a, self.b);
        if a + b < 10.0 {
            return (a - 1.0) * x.ln() + (b - 1.0) * (-x).ln_1p() - ln_beta(a, b);
        }
        let kernel = IncompleteBeta::new(a, b);
        kernel.ln_density(kernel.point(x)) - x.ln() - (-x).ln_1p()
    }

    pub(super) fn tails(self, x: f64) -> Tails {
        if x.is_nan() {
            return Tails::NAN;
        }
        if x <= 0.0 {
            return Tails::BELOW_SUPPORT;
        }
        if x >= 1.0 {
            return Tails::ABOVE_SUPPORT;
        }
        let kernel = IncompleteBeta::new(self.a, self.b);
        kernel.tails(kernel.point(x))
    }

    fn quantile_on(self, side: Side, p: f64) -> f64 {
        quantile_at_ends(side, p, 0.0, 1.0).unwrap_or_else(|| {
            let odds = self.a / self.b * IncompleteBeta::new(self.a, self.b).ratio_quantile(side, p);
            if odds < 1.0 { odds / (1.0 + odds) } else { 1.0 / (1.0 + 1.0 / odds) }
        })
    }
}
