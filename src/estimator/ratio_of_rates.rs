use super::rates::{RateScale, Rates};
use crate::compute::rate::{RateContrastInterval, RateRatioInterval};
use crate::effect::LogRateRatio;

/// The ratio of two rates, events per unit of exposure, on the scale of its logarithm, without covariates.
///
/// Use it on counts; where the measure names no exposure, it is the ratio of mean counts. With covariates:
/// [`PoissonRegression`](crate::estimator::PoissonRegression).
///
/// # Formula
/// `x_a` events in the exposure `T_a` of an arm: `ln(x_1 / T_1) - ln(x_0 / T_0)`. With the Poisson variance
/// that is `1 / x_1 + 1 / x_0`, else the variance of each rate
/// ([`RateVariance`](crate::estimator::RateVariance)) over its square; two treatments share the reference,
/// whose part is their covariance.
///
/// # Assumptions
/// People were randomised one by one and are independent. The Poisson variance also assumes that events of
/// one person come independently.
///
/// # Interval
/// Normal on the logarithm, with the robust variance by default; `ratio_interval()` exponentiates. By
/// [`RatioOfRates::interval`]: exact, mid-p and score intervals, which take events as independent of each other.
///
/// # Errors
/// An arm without events (with an interval that was asked for the error says its limits); an arm of one
/// person (robust variance); arms that do not vary.
///
/// # Examples
/// ```
/// use armwise::estimator::RateVariance;
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str(
///     "\
///     arm,applications,months\nc,2,1\nc,1,2\nc,3,3\nt,4,2\nt,6,2\nt,2,2\n",
/// )?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let applications = Measure::count("applications").exposure("months");
/// let poisson = RatioOfRates::new().variance(RateVariance::Poisson);
/// let effect = trial.on(&applications)?.estimate(&poisson)?.treatment("t")?;
/// assert!((effect.ratio().unwrap() - 2.0).abs() < 1e-12);
/// assert!((effect.se() - (1.0_f64 / 12.0 + 1.0 / 6.0).sqrt()).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Rothman KJ, Greenland S, Lash TL (2008), Modern Epidemiology, chapter 14. Horn SD, Horn RA, Duncan DB
/// (1975), Journal of the American Statistical Association 70:380 (robust variance).
pub type RatioOfRates = Rates<LogRateRatio>;

impl RateScale for LogRateRatio {
    type Interval = RateRatioInterval;

    const NAME: &'static str = "ratio of rates";

    fn of_rates(interval: RateRatioInterval) -> RateContrastInterval {
        RateContrastInterval::Ratio(interval)
    }
}
