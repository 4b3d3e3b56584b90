use super::Tails;
use crate::compute::tails::IncompleteGamma;
use crate::error::{Error, Result};

/// The Poisson distribution: counts of independent events.
///
/// # Formula
///
/// P(X = x) = `m^x exp(-m) / x!` with mean `m`; P(X > x) = `P(x + 1, m)`, the regularised incomplete gamma
/// function.
///
/// ```
/// use armwise::distribution::Poisson;
///
/// let poisson = Poisson::new(3.0)?;
/// assert!((poisson.cdf(0) - (-3.0_f64).exp()).abs() < 1e-16);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Loader (2000), Fast and accurate computation of binomial probabilities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Poisson {
    mean: f64,
}

impl Poisson {
    /// With this mean; a mean of 0 puts all probability on 0.
    ///
    /// # Errors
    ///
    /// `InvalidInput` unless the mean is from 0 to 1e15.
    pub fn new(mean: f64) -> Result<Self> {
        if (0.0..=1e15).contains(&mean) {
            Ok(Self { mean })
        } else {
            Err(Error::invalid(format!("the mean is {mean}; give a number from 0 to 1e15")))
        }
    }

    /// For a mean that is known to be finite and not negative.
    pub(super) fn unchecked(mean: f64) -> Self {
        Self { mean }
    }

    /// The mean.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    tail_methods!(u64);

    /// P(X = x).
    pub fn pmf(&self, x: u64) -> f64 {
        self.ln_pmf(x).exp()
    }

    /// The natural logarithm of P(X = x); minus infinity where it is zero.
    pub fn ln_pmf(&self, x: u64) -> f64 {
        if x == 0 {
            -self.mean
        } else if self.mean == 0.0 {
            f64::NEG_INFINITY
        } else {
            let k = x as f64;
            // m^x exp(-m) / Gamma(x) = P(X = x) x.
            IncompleteGamma::new(k).ln_density(self.mean) - k.ln()
        }
    }

    fn tails(self, x: u64) -> Tails {
        IncompleteGamma::new(x as f64 + 1.0).tails(self.mean).mirrored()
    }
}
