use super::{EffectSize, not_estimable};
use crate::compute::counts::{CellCorrection, Counts};
use crate::error::{Error, ErrorKind, Result, counted};
use serde::{Deserialize, Serialize};

/// Transformed proportions of one group: `x` events of `n`, `p = x/n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProportionEffect {
    /// `p`, variance `p (1 - p) / n`.
    Proportion,
    /// `ln p`, variance `1/x - 1/n`.
    LogProportion,
    /// `ln(p / (1 - p))`, variance `1/x + 1/(n - x)`.
    Logit,
    /// `asin sqrt p`, variance `1 / 4n`.
    Arcsine,
    /// `(asin sqrt(x / (n + 1)) + asin sqrt((x + 1) / (n + 1))) / 2`, variance `1 / (4 n + 2)` (Freeman &
    /// Tukey 1950, Annals of Mathematical Statistics 21:607).
    FreemanTukey,
}

/// The transformed proportion of one group; the rule for zeros applies where nobody or everybody has the
/// event.
///
/// # Errors
/// `invalid_input` for events outside 0 to n; `not_estimable` for the logarithm of 0.
///
/// # Examples
/// ```
/// use armwise::effect_size::{CellCorrection, Counts, ProportionEffect, proportion_effect};
///
/// let group = Counts { events: 3.0, n: 20.0 };
/// let logit = proportion_effect(group, ProportionEffect::Logit, CellCorrection::NONE)?;
/// assert!((logit.value - (3.0_f64 / 17.0).ln()).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
pub fn proportion_effect(
    group: Counts,
    effect: ProportionEffect,
    correction: CellCorrection,
) -> Result<EffectSize> {
    let Counts { events, n } = group;
    group.check()?;
    let add = correction.amount_for(events == 0.0 || events == n);
    let (x, y) = (events + add, n - events + add);
    let n = x + y;
    let (value, variance) = match effect {
        ProportionEffect::Proportion => (x / n, (x / n) * (y / n) / n),
        ProportionEffect::LogProportion => ((x / n).ln(), 1.0 / x - 1.0 / n),
        ProportionEffect::Logit => ((x / y).ln(), 1.0 / x + 1.0 / y),
        ProportionEffect::Arcsine => ((x / n).sqrt().asin(), 0.25 / n),
        ProportionEffect::FreemanTukey => (freeman_tukey(x, n), 1.0 / (4.0 * n + 2.0)),
    };
    EffectSize::finite(
        value,
        variance,
        "without events (or with events only) the logarithm is not finite; add 1/2 there (CellCorrection::HALF_WHERE_ZERO), \
         or take the proportion or its arcsine",
    )
}

/// The double arcsine of `x` events of `n`.
pub(crate) fn freeman_tukey(x: f64, n: f64) -> f64 {
    0.5 * ((x / (n + 1.0)).sqrt().asin() + ((x + 1.0) / (n + 1.0)).sqrt().min(1.0).asin())
}

/// The proportion of which `value` is the Freeman-Tukey double arcsine in a group of `n`: 0 below the value
/// that no event has, 1 above that of events only.
///
/// # Formula
/// `(1 - sign(cos 2v) sqrt(1 - (sin 2v + (sin 2v - 1/sin 2v) / n)^2)) / 2` for the value `v`.
///
/// # Errors
/// `invalid_input` unless `n` is positive and the value is a number.
///
/// # Examples
/// ```
/// use armwise::effect_size::{
///     CellCorrection, ProportionEffect, freeman_tukey_inverse, proportion_effect,
/// };
/// use armwise::meta_analysis::Counts;
///
/// let group = Counts { events: 7.0, n: 30.0 };
/// let effect =
///     proportion_effect(group, ProportionEffect::FreemanTukey, CellCorrection::NONE)?;
/// assert!((freeman_tukey_inverse(effect.value, 30.0)? - 7.0 / 30.0).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Miller 1978, American Statistician 32:138.
pub fn freeman_tukey_inverse(value: f64, n: f64) -> Result<f64> {
    if !(n > 0.0 && n.is_finite() && value.is_finite()) {
        return Err(Error::invalid(format!(
            "the double arcsine {value} of {participants}; the value must be a number and n positive",
            participants = counted(n, "participant")
        )));
    }
    if value <= freeman_tukey(0.0, n) {
        return Ok(0.0);
    }
    if value >= freeman_tukey(n, n) {
        return Ok(1.0);
    }
    let (sine, cosine) = (2.0 * value).sin_cos();
    let inner = sine + (sine - 1.0 / sine) / n;
    let root = (1.0 - inner * inner).max(0.0).sqrt();
    Ok(0.5 * (1.0 - if cosine < 0.0 { -root } else { root }))
}

/// Transformations of a correlation `r` of `n` pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CorrelationEffect {
    /// `r`, variance `(1 - r^2)^2 / (n - 1)`.
    Correlation,
    /// `atanh r`, variance `1 / (n - 3)` (Fisher 1921, Metron 1:3).
    FisherZ,
}

/// The effect size of the correlation `r` of `n` pairs.
///
/// # Errors
/// `invalid_input` unless `-1 <= r <= 1`; `insufficient_observations` for fewer than two pairs (four for
/// [`CorrelationEffect::FisherZ`]); `not_estimable` for Fisher's z of -1 or 1.
///
/// # Examples
/// ```
/// use armwise::effect_size::{CorrelationEffect, correlation_effect};
///
/// let effect = correlation_effect(0.187, 109, CorrelationEffect::FisherZ)?;
/// assert!(
///     (effect.value - 0.1892).abs() < 5e-5 && (effect.variance - 1.0 / 106.0).abs() < 1e-15
/// );
/// # Ok::<(), armwise::Error>(())
/// ```
pub fn correlation_effect(r: f64, n: u64, effect: CorrelationEffect) -> Result<EffectSize> {
    if !(-1.0..=1.0).contains(&r) {
        return Err(Error::invalid(format!("a correlation lies from -1 to 1, but {r} was given")));
    }
    let least = if effect == CorrelationEffect::FisherZ { 4 } else { 2 };
    if n < least {
        return Err(ErrorKind::InsufficientObservations(format!(
            "the variance of a correlation needs {pairs}, and the study has {n}; leave it out",
            pairs = counted(least, "pair")
        ))
        .into());
    }
    let n = n as f64;
    match effect {
        CorrelationEffect::Correlation => {
            Ok(EffectSize { value: r, variance: (1.0 - r * r).powi(2) / (n - 1.0) })
        }
        CorrelationEffect::FisherZ if r.abs() == 1.0 => {
            Err(not_estimable("Fisher's z of a perfect correlation is infinite; check the data"))
        }
        CorrelationEffect::FisherZ => Ok(EffectSize { value: r.atanh(), variance: 1.0 / (n - 3.0) }),
    }
}
