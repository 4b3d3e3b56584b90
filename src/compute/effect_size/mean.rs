use super::{EffectSize, not_estimable};
use crate::compute::mean::{MeansVariance, StandardizedVariance, TwoMeans, hedges_correction};
use crate::error::{Error, ErrorKind, Result, counted};
use serde::{Deserialize, Serialize};

/// Effects of two groups with means `m` and standard deviations `s`: 1 the treatment, 0 the control group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MeanEffect {
    /// `m1 - m0`, variance the sum of `s^2 / n`.
    MeanDifference,
    /// `m1 - m0`, variance `s^2 (1/n1 + 1/n0)` with the pooled standard deviation `s`.
    MeanDifferencePooled,
    /// In pooled standard deviations: Hedges' g, or Cohen's d with
    /// [`StandardizedVariance::CohenLargeSample`].
    StandardizedMeanDifference(StandardizedVariance),
    /// In standard deviations of the control group, with Hedges' correction at `n0 - 1` degrees of freedom:
    /// Glass' delta, variance `1/n1 + 1/n0 + D^2 / (2 n0)`.
    GlassDelta,
    /// `g = J (m1 - m0) / s` with `s^2 = (s1^2 + s0^2) / 2` and Hedges' correction J at `n1 + n0 - 2` degrees
    /// of freedom; variance
    /// `J^2 (g^2 (s1^4/(n1 - 1) + s0^4/(n0 - 1)) / (8 s^4) + (s1^2/(n1 - 1) + s0^2/(n0 - 1)) / s^2)` (Bonett
    /// 2009, Journal of Educational and Behavioral Statistics 34:98). For standard deviations that differ.
    StandardizedMeanDifferenceUnequal,
    /// `ln(m1 / m0)`, variance the sum of `s^2 / (n m^2)` (Hedges, Gurevitch & Curtis 1999, Ecology 80:1150).
    LogRatioOfMeans,
    /// `ln(s1 / s0)` with correction, variance the sum of `1 / (2 (n - 1))` (Nakagawa et al. 2015, Methods in
    /// Ecology and Evolution 6:143).
    LogVariabilityRatio,
    /// The same for the coefficients of variation `s / m`, variance the sum of
    /// `1 / (2 (n - 1)) + s^2 / (n m^2)`.
    LogCoefficientOfVariationRatio,
}

/// The effect of two means.
///
/// # Errors
/// `not_estimable` where the logarithm does not exist (means of different sign, a standard deviation of 0),
/// and for Glass' delta with two controls; `zero_variance` where there is nothing to standardise by.
///
/// # Examples
/// ```
/// use armwise::effect_size::{MeanEffect, mean_effect};
/// use armwise::mean::{Sample, StandardizedVariance, TwoMeans};
///
/// let two = TwoMeans::new(
///     Sample { n: 5, mean: 10.2, sd: 2.1 },
///     Sample { n: 6, mean: 8.9, sd: 1.9 },
/// )?;
/// let g = mean_effect(
///     &two,
///     MeanEffect::StandardizedMeanDifference(StandardizedVariance::Unbiased),
/// )?;
/// assert!((g.value - 0.59659).abs() < 5e-6 && (g.variance - 0.39112).abs() < 5e-6);
/// # Ok::<(), armwise::Error>(())
/// ```
pub fn mean_effect(two: &TwoMeans, effect: MeanEffect) -> Result<EffectSize> {
    let difference = |variance| {
        let difference = two.difference(variance);
        (difference.estimate, difference.se * difference.se)
    };
    let (treatment, control) = (two.treatment(), two.control());
    let (value, variance) = match effect {
        MeanEffect::MeanDifference => difference(MeansVariance::Normal),
        MeanEffect::MeanDifferencePooled => difference(MeansVariance::Pooled),
        MeanEffect::StandardizedMeanDifference(variance) => {
            let standardized = two.standardized();
            let value = match variance {
                StandardizedVariance::CohenLargeSample => standardized.cohen_d,
                _ => standardized.hedges_g,
            };
            (value, standardized.variance(variance))
        }
        MeanEffect::GlassDelta => {
            let delta = two.glass_delta()?;
            (delta.corrected.unwrap_or(f64::NAN), delta.variance.unwrap_or(f64::NAN))
        }
        MeanEffect::StandardizedMeanDifferenceUnequal => {
            let (df1, df0) = (treatment.n as f64 - 1.0, control.n as f64 - 1.0);
            let (v1, v0) = (treatment.sd * treatment.sd, control.sd * control.sd);
            let square = 0.5 * (v1 + v0);
            let correction = hedges_correction(df1 + df0)?;
            let g = correction * (treatment.mean - control.mean) / square.sqrt();
            let (share1, share0) = (v1 / square, v0 / square);
            let variance =
                g * g * (share1 * share1 / df1 + share0 * share0 / df0) / 8.0 + (share1 / df1 + share0 / df0);
            (g, correction * correction * variance)
        }
        MeanEffect::LogRatioOfMeans => {
            let ratio = two.log_ratio()?;
            (ratio.estimate, ratio.variance)
        }
        MeanEffect::LogVariabilityRatio => {
            let ratio = two.log_variability_ratio();
            (ratio.estimate, ratio.variance)
        }
        MeanEffect::LogCoefficientOfVariationRatio => {
            let (means, sds) = (two.log_ratio()?, two.log_variability_ratio());
            (sds.estimate - means.estimate, sds.variance + means.variance)
        }
    };
    EffectSize::finite(
        value,
        variance,
        "the effect is not finite for these standard deviations and sizes; take the difference of means",
    )
}

/// A mean with its standard deviation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MeanAndSd {
    /// The mean.
    pub mean: f64,
    /// The standard deviation, with divisor n - 1.
    pub sd: f64,
}

/// Two measurements of the same participants, in published numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairedSummary {
    /// The later measurement.
    pub later: MeanAndSd,
    /// The earlier measurement (baseline).
    pub earlier: MeanAndSd,
    /// The correlation of both.
    pub correlation: f64,
    /// Participants with both.
    pub n: u64,
}

/// The standard deviation by which a change is divided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChangeStandardizer {
    /// That of the earlier measurement, which treatment did not touch (Becker 1988). The default.
    #[default]
    Earlier,
    /// That of the later measurement.
    Later,
}

/// Effects of a change `D` from the earlier to the later mean, `r` the correlation, `J` Hedges' correction at
/// `n - 1` degrees of freedom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChangeEffect {
    /// `D`, variance `s^2 / n` with `s^2 = s1^2 + s0^2 - 2 r s1 s0` that of the changes.
    MeanChange,
    /// `y = J D / s`, in standard deviations of the changes; variance `1/n + y^2 / 2n` (Gibbons, Hedeker &
    /// Davis 1993, Journal of Educational Statistics 18:271).
    StandardizedByChange,
    /// `y = J D / s` in standard deviations of one measurement; variance `2 (1 - r) / n + y^2 / 2n` (Becker
    /// 1988, British Journal of Mathematical and Statistical Psychology 41:257).
    StandardizedByRaw(ChangeStandardizer),
}

/// The effect of a change within the same participants, later minus earlier.
///
/// # Errors
/// `invalid_input` for numbers that are not finite, negative standard deviations and correlations outside -1
/// to 1; `insufficient_observations` for fewer than two participants (three where standardised);
/// `zero_variance` where there is nothing to standardise by.
///
/// # Examples
/// ```
/// use armwise::effect_size::{ChangeEffect, MeanAndSd, PairedSummary, change_effect};
///
/// let summary = PairedSummary {
///     later: MeanAndSd { mean: 24.1, sd: 6.1 },
///     earlier: MeanAndSd { mean: 21.0, sd: 5.8 },
///     correlation: 0.5,
///     n: 25,
/// };
/// let change = change_effect(&summary, ChangeEffect::MeanChange)?;
/// assert!((change.value - 3.1).abs() < 1e-12 && (change.variance - 1.4188).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
pub fn change_effect(summary: &PairedSummary, effect: ChangeEffect) -> Result<EffectSize> {
    let PairedSummary { later, earlier, correlation: r, n } = *summary;
    let valid = |m: MeanAndSd| m.mean.is_finite() && m.sd >= 0.0 && m.sd.is_finite();
    if !(valid(later) && valid(earlier) && (-1.0..=1.0).contains(&r)) {
        return Err(Error::invalid(
            "means and standard deviations must be finite, standard deviations 0 or more, and the correlation within -1 to 1",
        ));
    }
    let least = if effect == ChangeEffect::MeanChange { 2 } else { 3 };
    if n < least {
        return Err(ErrorKind::InsufficientObservations(format!(
            "the effect needs {participants}, and the study has {n}; leave it out",
            participants = counted(least, "participant")
        ))
        .into());
    }
    let size = n as f64;
    let change = later.mean - earlier.mean;
    // The square first: s1^2 + s0^2 - 2 r s1 s0 cancels where both agree.
    let difference = later.sd - earlier.sd;
    let square = difference * difference + 2.0 * (1.0 - r) * later.sd * earlier.sd;
    let standardized = |sd: f64, unit: f64| -> Result<EffectSize> {
        if sd == 0.0 {
            let why =
                "the standard deviation to divide by is 0; take the mean change, or another standardiser";
            return Err(ErrorKind::ZeroVariance(why.into()).into());
        }
        let value = hedges_correction(size - 1.0)? * change / sd;
        Ok(EffectSize { value, variance: unit / size + value * value / (2.0 * size) })
    };
    let result = match effect {
        ChangeEffect::MeanChange => Ok(EffectSize { value: change, variance: square / size }),
        ChangeEffect::StandardizedByChange => standardized(square.sqrt(), 1.0),
        ChangeEffect::StandardizedByRaw(ChangeStandardizer::Earlier) => {
            standardized(earlier.sd, 2.0 * (1.0 - r))
        }
        ChangeEffect::StandardizedByRaw(ChangeStandardizer::Later) => standardized(later.sd, 2.0 * (1.0 - r)),
    }?;
    if result.value.is_finite() && result.variance.is_finite() {
        return Ok(result);
    }
    Err(not_estimable("the effect is beyond the range of numbers; check the units"))
}
