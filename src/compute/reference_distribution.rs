//! Student's t where an effect has degrees of freedom, else the standard normal: chosen here and nowhere
//! else.

use super::distribution::{NoncentralT, Normal, StudentT};
use super::roots::root;
use crate::error::{Error, Result};

/// The distribution against which a statistic (value over standard error) is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ReferenceDistribution {
    /// Standard normal.
    Normal,
    /// Student's t.
    StudentT(StudentT),
}

impl ReferenceDistribution {
    /// Student's t with these degrees of freedom; the standard normal for `None`.
    ///
    /// # Errors
    /// Degrees of freedom that are not above zero.
    pub(crate) fn of(df: Option<f64>) -> Result<Self> {
        // Above the domain of t it is normal to the last digit.
        let within = |df: f64| if df > 1e16 { f64::INFINITY } else { df };
        df.map_or(Ok(Self::Normal), |df| StudentT::new(within(df)).map(Self::StudentT))
    }

    /// `P(X > x)`.
    pub(crate) fn sf(self, x: f64) -> f64 {
        match self {
            Self::Normal => Normal.sf(x),
            Self::StudentT(t) => t.sf(x),
        }
    }

    /// `P(X <= x)`.
    pub(crate) fn cdf(self, x: f64) -> f64 {
        self.sf(-x)
    }

    /// `P(|X| > |x|)`.
    pub(crate) fn two_sided(self, x: f64) -> f64 {
        (2.0 * self.sf(x.abs())).min(1.0)
    }

    /// The value that is exceeded with probability `tail`.
    pub(crate) fn upper_quantile(self, tail: f64) -> f64 {
        match self {
            Self::Normal => Normal.upper_quantile(tail),
            Self::StudentT(t) => t.upper_quantile(tail),
        }
    }

    /// The quantile of a two-sided interval of this level.
    ///
    /// # Errors
    /// A level that is not between 0 and 1.
    pub(crate) fn critical(self, level: f64) -> Result<f64> {
        Ok(self.upper_quantile(upper_tail(level)?))
    }

    /// The true effect, in standard errors, whose statistic exceeds `critical` with this power:
    /// `critical + z(power)` for the normal distribution, the noncentrality of Student's t otherwise.
    ///
    /// # Errors
    /// A power that is not between 0 and 1.
    pub(crate) fn detectable(self, critical: f64, power: f64) -> Result<f64> {
        let normal = critical + Normal.quantile(power);
        let Self::StudentT(t) = self else { return Ok(normal) };
        let excess = |shift: f64| NoncentralT::new(t.df(), shift).map(|t| t.sf(critical) - power);
        let (mut low, mut high) = (0.0, normal.max(1.0));
        while excess(high)? < 0.0 {
            low = high;
            high *= 2.0;
            if high > 1e6 {
                return Err(Error::invalid(format!(
                    "with {} degrees of freedom no effect is detected with a power of {power}; give a lower one",
                    t.df()
                )));
            }
        }
        if excess(low)? > 0.0 {
            // A power below the type I error: the null effect already has it.
            return Ok(low);
        }
        Ok(root(|shift| excess(shift).unwrap_or(f64::NAN), low, high))
    }
}

/// Refuses a level that is not strictly between 0 and 1.
pub(crate) fn check_level(level: f64) -> Result<()> {
    upper_tail(level).map(drop)
}

/// The probability beyond either limit of an interval of this level, `(1 - level) / 2`.
///
/// # Errors
/// A level that is not strictly between 0 and 1.
pub(crate) fn upper_tail(level: f64) -> Result<f64> {
    let tail = 0.5 * (1.0 - level);
    if level > 0.0 && tail > 0.0 && tail < 0.5 {
        return Ok(tail);
    }
    Err(Error::invalid(format!("the confidence level is {level}; give one between 0 and 1, such as 0.95")))
}
