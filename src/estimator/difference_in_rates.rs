use super::rates::{RateScale, Rates};
use crate::compute::rate::{RateContrastInterval, RateDifferenceInterval};
use crate::effect::RateDifference;

/// The difference of two rates, events per unit of exposure, without covariates.
///
/// Use it on counts; where the measure names no exposure, the rate is the mean count. With covariates:
/// [`PoissonRegression`](crate::estimator::PoissonRegression).
///
/// # Formula
/// `x_a` events in the exposure `T_a` of an arm: `x_1 / T_1 - x_0 / T_0`. The variance of each rate is that
/// of [`RateVariance`](crate::estimator::RateVariance); two treatments share the reference, and the variance
/// of its rate is their covariance.
///
/// # Assumptions
/// People were randomised one by one and are independent. The Poisson variance also assumes that events of
/// one person come independently.
///
/// # Interval
/// Normal, with the robust variance by default. By [`DifferenceInRates::interval`]: the score interval, which
/// takes events as independent of each other and has a width where no arm has an event.
///
/// # Errors
/// An arm of one person (robust variance). An arm without events gets a notice: its variance is then
/// estimated as zero. Arms that do not vary at all have no standard error; the score interval answers there.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str("\
///     arm,applications,months\nc,2,1\nc,1,2\nc,3,3\nt,4,2\nt,6,2\nt,2,2\n")?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let applications = Measure::count("applications").exposure("months");
/// let effect = trial.on(&applications)?.estimate(&DifferenceInRates::new())?.treatment("t")?;
/// assert_eq!(effect.value(), 1.0); // 12 in 6 months against 6 in 6 months
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Rothman KJ, Greenland S, Lash TL (2008), Modern Epidemiology, chapter 14. Horn SD, Horn RA, Duncan DB
/// (1975), Journal of the American Statistical Association 70:380 (robust variance).
pub type DifferenceInRates = Rates<RateDifference>;

impl RateScale for RateDifference {
    type Interval = RateDifferenceInterval;

    const NAME: &'static str = "difference in rates";

    fn of_rates(interval: RateDifferenceInterval) -> RateContrastInterval {
        RateContrastInterval::Difference(interval)
    }
}
