use super::EffectSize;
use crate::compute::interval::Interval;
use crate::compute::reference_distribution::ReferenceDistribution;
use crate::error::{Error, Result};

impl EffectSize {
    /// From an estimate and its standard error.
    ///
    /// # Errors
    /// `invalid_input` unless both are finite and the standard error is 0 or more.
    pub fn from_se(value: f64, se: f64) -> Result<Self> {
        let variance = se * se;
        if value.is_finite() && variance.is_finite() && se >= 0.0 {
            return Ok(Self { value, variance });
        }
        Err(Error::invalid(format!(
            "the estimate {value} with standard error {se}; both must be finite and the second not negative"
        )))
    }

    /// From an estimate and its symmetric confidence interval: `se = width / (2 c)`, `c` the critical value
    /// of the level in Student's t with `df` degrees of freedom, in the standard normal distribution for
    /// `None`.
    ///
    /// Ratios go through [`EffectSize::from_ratio_interval`], as their intervals are symmetric after the
    /// logarithm.
    ///
    /// # Errors
    /// `invalid_input` where the estimate is outside the interval or farther than a quarter of the width from
    /// its middle (it is then another scale, or a misprint), for an interval without width, for infinite
    /// limits, and for a level outside (0, 1).
    ///
    /// ```
    /// use armwise::Interval;
    /// use armwise::effect_size::EffectSize;
    ///
    /// let effect = EffectSize::from_interval(2.0, Interval::new(0.04, 3.96)?, 0.95, None)?;
    /// assert!((effect.se() - 1.0).abs() < 2e-5);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn from_interval(value: f64, interval: Interval, level: f64, df: Option<f64>) -> Result<Self> {
        let (lower, upper) = (interval.lower(), interval.upper());
        refuse_without_width(interval)?;
        let found = centred(value, interval, level, df)?;
        found.ok_or_else(|| {
            Error::invalid(format!(
                "the estimate {value} is not in the middle of its interval from {lower} to {upper}; check the numbers, and take the \
                 interval of a ratio by from_ratio_interval"
            ))
        })
    }

    /// From a ratio and its confidence interval: the natural logarithm, and its variance from that of the
    /// limits.
    ///
    /// # Errors
    /// As [`EffectSize::from_interval`], for the logarithms; `invalid_input` unless all three are positive.
    ///
    /// ```
    /// use armwise::Interval;
    /// use armwise::effect_size::EffectSize;
    ///
    /// let effect = EffectSize::from_ratio_interval(0.80, Interval::new(0.64, 1.00)?, 0.95, None)?;
    /// assert!((effect.value + 0.2231).abs() < 5e-5 && (effect.se() - 0.1139).abs() < 1e-4);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn from_ratio_interval(ratio: f64, interval: Interval, level: f64, df: Option<f64>) -> Result<Self> {
        if !(ratio > 0.0 && interval.lower() > 0.0) {
            return Err(Error::invalid(format!(
                "a ratio and its limits are positive, but {ratio} with the lower limit {} was given; take differences by \
                 from_interval",
                interval.lower()
            )));
        }
        refuse_without_width(interval)?;
        let limits = Interval::between(interval.lower().ln(), interval.upper().ln());
        let found = centred(ratio.ln(), limits, level, df)?;
        found.ok_or_else(|| {
            Error::invalid(format!(
                "the ratio {ratio} is not in the middle of its interval from {} to {} on the logarithmic scale; check the numbers",
                interval.lower(),
                interval.upper()
            ))
        })
    }

    /// From an estimate and its two-sided p-value against 0: `se = |value| / c`, `c` the critical value of
    /// `p`, `df` as in [`EffectSize::from_interval`].
    ///
    /// A rounded p-value gives a rounded standard error; `p < 0.001` gives only a bound.
    ///
    /// # Errors
    /// `invalid_input` unless `0 < p < 1` and the estimate is finite and not 0.
    ///
    /// ```
    /// use armwise::effect_size::EffectSize;
    ///
    /// let effect = EffectSize::from_p_value(1.96, 0.05, None)?;
    /// assert!((effect.se() - 1.0).abs() < 2e-5);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn from_p_value(value: f64, p_value: f64, df: Option<f64>) -> Result<Self> {
        if !(p_value > 0.0 && p_value < 1.0 && value != 0.0) {
            return Err(Error::invalid(format!(
                "the estimate {value} with p-value {p_value} has no standard error; the p-value must lie between 0 and 1, and \
                 the estimate must not be 0"
            )));
        }
        Self::from_se(value, value.abs() / ReferenceDistribution::of(df)?.upper_quantile(0.5 * p_value))
    }
}

/// The effect in the middle of its interval; `None` where it is not there.
fn centred(value: f64, interval: Interval, level: f64, df: Option<f64>) -> Result<Option<EffectSize>> {
    let quantile = ReferenceDistribution::of(df)?.critical(level)?;
    let width = interval.upper() - interval.lower();
    let middle = interval.lower() + 0.5 * width;
    if !(width.is_finite() && (value - middle).abs() <= 0.25 * width) {
        return Ok(None);
    }
    EffectSize::from_se(value, 0.5 * width / quantile).map(Some)
}

/// An interval of one point is rounded, and its variance of zero could not be pooled.
fn refuse_without_width(interval: Interval) -> Result<()> {
    if interval.lower() < interval.upper() {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the interval from {0} to {0} has no width, perhaps because its limits are rounded; take more decimals, the p-value (from_p_value) or the standard \
         error (from_se)",
        interval.lower()
    )))
}
