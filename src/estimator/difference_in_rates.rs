use super::Estimator;
use super::any::is_usual;
use super::rates::{RateVariance, rate_contrasts};
use crate::design::{Comparison, Count};
use crate::effect::{Estimates, RateDifference};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// The difference of two rates, events per unit of exposure, without covariates.
///
/// Use it on counts; where the measure names no exposure, the rate is the mean count. With covariates:
/// [`PoissonRegression`](crate::estimator::PoissonRegression).
///
/// # Formula
/// `x_a` events in the exposure `T_a` of an arm: `x_1 / T_1 - x_0 / T_0`. The variance of each rate is that of [`RateVariance`]; two treatments share
/// the reference, and the variance of its rate is their covariance.
///
/// # Assumptions
/// People were randomised one by one and are independent. The Poisson variance also assumes that events of one person come independently.
///
/// # Interval
/// Normal, with the robust variance by default.
///
/// # Errors
/// An arm of one person (robust variance). An arm without events gets a notice: its variance is then estimated as zero.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str("arm,applications,months\nc,2,1\nc,1,2\nc,3,3\nt,4,2\nt,6,2\nt,2,2\n")?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let applications = Measure::count("applications").exposure("months");
/// let effect = trial.on(&applications)?.estimate(&DifferenceInRates::new())?.treatment("t")?;
/// assert_eq!(effect.value(), 1.0); // 12 in 6 months against 6 in 6 months
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Rothman KJ, Greenland S, Lash TL (2008), Modern Epidemiology, chapter 14. Horn SD, Horn RA, Duncan DB (1975), Journal of the American
/// Statistical Association 70:380 (robust variance).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DifferenceInRates {
    variance: RateVariance,
    #[serde(skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

impl Default for DifferenceInRates {
    fn default() -> Self {
        Self { variance: RateVariance::Robust, level: 0.95 }
    }
}

impl DifferenceInRates {
    /// Robust variance, level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    /// The variance of each rate; default: robust.
    #[must_use]
    pub fn variance(mut self, variance: RateVariance) -> Self {
        self.variance = variance;
        self
    }

    /// The confidence level, between 0 and 1; default 0.95.
    #[must_use]
    pub fn level(mut self, level: f64) -> Self {
        self.level = level;
        self
    }
}

impl Estimator<Count> for DifferenceInRates {
    type Scale = RateDifference;

    fn estimate(&self, comparison: &Comparison<Count>) -> Result<Estimates<RateDifference>> {
        rate_contrasts(comparison, RateDifference, self.variance, "difference in rates", self.level)
    }
}
