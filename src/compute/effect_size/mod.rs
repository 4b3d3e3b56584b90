//! Effect sizes from published numbers: counts, rates, means, correlations, and estimates with an interval or
//! a p-value.
//!
//! Every function turns the numbers of one study into an [`EffectSize`], a value on the scale on which
//! studies are pooled, with its sampling variance. Ratios come as natural logarithms. Effects are treatment
//! minus control.
//!
//! | published | function | effects |
//! |---|---|---|
//! | events and participants of two groups | [`count_effects`], [`count_effect`] | [`CountEffect`] |
//! | events and participants of one group | [`proportion_effect`] | [`ProportionEffect`] |
//! | events and person-time of two groups | [`rate_effects`], [`rate_effect`] | [`RateEffect`] |
//! | events and person-time of one group | [`single_rate_effect`] | [`SingleRateEffect`] |
//! | means and standard deviations of two groups | [`mean_effect`] | [`MeanEffect`] |
//! | means before and after in one group | [`change_effect`] | [`ChangeEffect`] |
//! | a correlation | [`correlation_effect`] | [`CorrelationEffect`] |
//! | an estimate with its interval or p-value | [`EffectSize::from_interval`], [`EffectSize::from_ratio_interval`], [`EffectSize::from_p_value`], [`EffectSize::from_se`] | |
//! | rounded percentages of known numbers | [`RoundedPercentage`], [`RoundedComparison`] | [`CountEffect`] |
//!
//! [`Contrasts`] compares several arms with one control, and gives the covariance that the control brings.
//!
//! ```
//! use armwise::effect_size::{CellCorrection, CountEffect, Counts, TwoByTwo, count_effect};
//!
//! // Aronson (1948), of the BCG trials in Colditz et al. (1994, JAMA 271:698)
//! let table = TwoByTwo {
//!     treatment: Counts { events: 4.0, n: 123.0 },
//!     control: Counts { events: 11.0, n: 139.0 },
//! };
//! let effect =
//!     count_effect(&table, CountEffect::LogRiskRatio, CellCorrection::HALF_WHERE_ZERO)?;
//! assert!((effect.value + 0.8893).abs() < 5e-5 && (effect.variance - 0.3256).abs() < 5e-5);
//! # Ok::<(), armwise::Error>(())
//! ```

mod contrasts;
mod count;
mod mean;
mod published;
mod rate;
mod rounded;
mod single;

pub use super::counts::{AddTo, CellCorrection, Counts, DoubleZeros, PersonTime, RatePair, TwoByTwo};
pub use contrasts::Contrasts;
pub use count::{CountEffect, count_effect, count_effects};
pub use mean::{
    ChangeEffect, ChangeStandardizer, MeanAndSd, MeanEffect, PairedSummary, change_effect, mean_effect,
};
pub use rate::{RateEffect, SingleRateEffect, rate_effect, rate_effects, single_rate_effect};
pub use rounded::{EffectRange, RoundedComparison, RoundedPercentage};
pub(crate) use single::freeman_tukey;
pub use single::{
    CorrelationEffect, ProportionEffect, correlation_effect, freeman_tukey_inverse, proportion_effect,
};

use super::interval::Interval;
use super::reference_distribution::ReferenceDistribution;
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// An effect with its sampling variance; both are finite.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EffectSize {
    /// The effect, on the scale on which it is pooled.
    pub value: f64,
    /// Its sampling variance, 0 or more.
    pub variance: f64,
}

impl EffectSize {
    /// The standard error, the square root of the variance.
    pub fn se(&self) -> f64 {
        self.variance.sqrt()
    }

    /// The normal interval `value -/+ z se`, not truncated to the range of the effect; `level` between 0 and
    /// 1, as 0.95.
    ///
    /// # Errors
    /// `invalid_input` for a level outside (0, 1).
    ///
    /// ```
    /// use armwise::effect_size::EffectSize;
    ///
    /// let interval = EffectSize { value: 0.30, variance: 0.01 }.interval(0.95)?;
    /// assert!((interval.lower() - 0.104).abs() < 5e-5 && (interval.upper() - 0.496).abs() < 5e-5);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn interval(&self, level: f64) -> Result<Interval> {
        Ok(Interval::around(self.value, ReferenceDistribution::Normal.critical(level)? * self.se()))
    }

    /// A value and a variance, refused unless both are finite.
    fn finite(value: f64, variance: f64, otherwise: &str) -> Result<Self> {
        if value.is_finite() && variance.is_finite() && variance >= 0.0 {
            Ok(Self { value, variance })
        } else {
            Err(not_estimable(otherwise))
        }
    }
}

/// The reason why a dropped study has no effect.
const DROPPED: &str = "the study has no events, or events only, in both groups and was to be dropped; \
                       keep it with DoubleZeros::Keep, or pool it by Mantel-Haenszel";

fn not_estimable(why: impl Into<String>) -> Error {
    ErrorKind::NotEstimable(why.into()).into()
}
