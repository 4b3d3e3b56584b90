use crate::compute::distribution::Normal;
use crate::compute::power::TestLevel;
use crate::error::{Error, Result, number};
use serde::{Deserialize, Serialize};

/// A statistic on the way, as a B-value: the chance that a test without further looks claims an effect at the
/// end.
///
/// # Formula
///
/// `B = z sqrt(t)` at the information fraction `t`. With the drift `theta` and the critical value `c` of the
/// end, the chance is `Phi((B + theta (1 - t) - c) / sqrt(1 - t))`; averaged over what the data so far say of
/// the drift (a flat prior) it is `Phi((z / sqrt(t) - c) sqrt(t / (1 - t)))`. The futility index is 1 minus
/// the chance by the trend.
///
/// # Examples
/// ```
/// use armwise::power::TestLevel;
/// use armwise::sequential::BValue;
///
/// let halfway = BValue::new(1.2, 0.5)?;
/// let test = TestLevel::one_sided(0.025)?;
/// assert!((halfway.conditional_power(2.8015852, test) - 0.6588081).abs() < 1e-6);
/// assert!((halfway.by_trend(test) - 0.3550180).abs() < 1e-6);
/// assert!((halfway.predictive_power(test) - 0.3963109).abs() < 1e-6);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Lan & Wittes (1988), Biometrics 44:579. Spiegelhalter, Freedman & Blackburn (1986), Controlled Clinical
/// Trials 7:8 (predictive power).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct BValue {
    z: f64,
    information: f64,
}

checked!(BValue);

impl BValue {
    /// The statistic at an information fraction.
    ///
    /// # Errors
    /// `invalid_input` for a fraction that is not above 0 and below 1, and a statistic that is not a finite
    /// number.
    pub fn new(z: f64, information: f64) -> Result<Self> {
        let value = Self { z, information };
        value.check().map(|()| value)
    }

    fn check(&self) -> Result<()> {
        if !(self.information > 0.0 && self.information < 1.0) {
            return Err(Error::invalid(format!(
                "the information fraction is {}; give the share of the information so far, above 0 and below 1",
                number(self.information)
            )));
        }
        if self.z.is_finite() {
            return Ok(());
        }
        Err(Error::invalid("the statistic is not a finite number; give z so far"))
    }

    /// The information fraction `t`.
    pub fn information(&self) -> f64 {
        self.information
    }

    /// `z sqrt(t)`.
    pub fn b(&self) -> f64 {
        self.z * self.information.sqrt()
    }

    /// The drift that the data so far point to, `z / sqrt(t)`.
    pub fn trend(&self) -> f64 {
        self.z / self.information.sqrt()
    }

    /// The chance of a claim at the end with this drift, in the tail of a positive effect.
    pub fn conditional_power(&self, drift: f64, test: TestLevel) -> f64 {
        let left = 1.0 - self.information;
        Normal.cdf((self.b() + drift * left - test.critical()) / left.sqrt())
    }

    /// The chance if the effect is as seen so far.
    pub fn by_trend(&self, test: TestLevel) -> f64 {
        self.conditional_power(self.trend(), test)
    }

    /// The chance averaged over what the data so far say of the drift, with a flat prior.
    pub fn predictive_power(&self, test: TestLevel) -> f64 {
        let left = 1.0 - self.information;
        Normal.cdf((self.trend() - test.critical()) * (self.information / left).sqrt())
    }

    /// The chance averaged over a normal prior of the drift and the data so far.
    ///
    /// # Errors
    /// `invalid_input` for a standard deviation that is not a positive number.
    pub fn predictive_power_with(&self, prior_mean: f64, prior_sd: f64, test: TestLevel) -> Result<f64> {
        if !(prior_sd > 0.0 && prior_sd.is_finite() && prior_mean.is_finite()) {
            return Err(Error::invalid(format!(
                "the prior of the drift has mean {} and standard deviation {}; give finite numbers, the second above 0",
                number(prior_mean),
                number(prior_sd)
            )));
        }
        let (t, left, precision) = (self.information, 1.0 - self.information, 1.0 / (prior_sd * prior_sd));
        let mean = (precision * prior_mean + self.b()) / (precision + t);
        let variance = left + left * left / (precision + t);
        Ok(Normal.cdf((self.b() + mean * left - test.critical()) / variance.sqrt()))
    }

    /// One minus the chance by the trend (Lan & Wittes): above 0.8 or 0.9 stopping is advised.
    pub fn futility_index(&self, test: TestLevel) -> f64 {
        let left = 1.0 - self.information;
        Normal.sf((self.b() + self.trend() * left - test.critical()) / left.sqrt())
    }
}
