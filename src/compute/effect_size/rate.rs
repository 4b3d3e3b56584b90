use super::{DROPPED, EffectSize, not_estimable};
use crate::compute::counts::{CellCorrection, PersonTime, RatePair, check_rates};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Effects of two groups with events in person-time: `x` events in the time `t`, 1 the treatment and 0 the
/// control group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RateEffect {
    /// `ln((x1 / t1) / (x0 / t0))`, variance `1/x1 + 1/x0`.
    LogRateRatio,
    /// `x1 / t1 - x0 / t0`, variance the sum of `x / t^2`.
    RateDifference,
    /// `sqrt(x1 / t1) - sqrt(x0 / t0)`, variance the sum of `1 / 4t`.
    SquareRootDifference,
}

/// Transformed rates of one group: `x` events in the time `t`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SingleRateEffect {
    /// `x / t`, variance `x / t^2`.
    Rate,
    /// `ln(x / t)`, variance `1 / x`.
    LogRate,
    /// `sqrt(x / t)`, variance `1 / 4t`.
    SquareRootRate,
    /// `(sqrt(x / t) + sqrt((x + 1) / t)) / 2`, variance `1 / 4t` (Freeman & Tukey 1950, Annals of
    /// Mathematical Statistics 21:607).
    FreemanTukeyRate,
}

const NO_EVENTS: &str = "without events the logarithm of a rate is not finite; add 1/2 where there are none \
                         (CellCorrection::HALF_WHERE_ZERO), or take differences";

/// The effect of one study in person-time.
///
/// # Errors
/// As [`count_effect`](super::count_effect).
///
/// # Examples
/// ```
/// use armwise::effect_size::{CellCorrection, PersonTime, RateEffect, RatePair, rate_effect};
///
/// let pair = RatePair {
///     treatment: PersonTime { events: 9.0, time: 413.0 },
///     control: PersonTime { events: 19.0, time: 398.0 },
/// };
/// let effect = rate_effect(&pair, RateEffect::LogRateRatio, CellCorrection::NONE)?;
/// assert!((effect.value - ((9.0 / 413.0) / (19.0 / 398.0_f64)).ln()).abs() < 1e-12);
/// assert!((effect.variance - (1.0 / 9.0 + 1.0 / 19.0)).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
pub fn rate_effect(pair: &RatePair, effect: RateEffect, correction: CellCorrection) -> Result<EffectSize> {
    rate_effects(std::slice::from_ref(pair), effect, correction)?.swap_remove(0)
}

/// The effects of several studies in person-time, in their order; those without one are errors of their own.
///
/// # Errors
/// `invalid_input` for negative events and for times that are not positive. Inner errors: as [`rate_effect`].
pub fn rate_effects(
    pairs: &[RatePair],
    effect: RateEffect,
    correction: CellCorrection,
) -> Result<Vec<Result<EffectSize>>> {
    check_rates(pairs)?;
    let pairs = correction.apply(pairs.iter().copied());
    Ok(pairs.map(|pair| of_pair(pair.ok_or_else(|| not_estimable(DROPPED))?, effect)).collect())
}

fn of_pair(pair: RatePair, effect: RateEffect) -> Result<EffectSize> {
    let single = match effect {
        RateEffect::LogRateRatio => SingleRateEffect::LogRate,
        RateEffect::RateDifference => SingleRateEffect::Rate,
        RateEffect::SquareRootDifference => SingleRateEffect::SquareRootRate,
    };
    let (value1, variance1) = formula(pair.treatment, single);
    let (value0, variance0) = formula(pair.control, single);
    EffectSize::finite(value1 - value0, variance1 + variance0, NO_EVENTS)
}

/// The transformed rate of one group; the rule for zeros applies where it has no event.
///
/// # Errors
/// `invalid_input` for negative events and for a time that is not positive; `not_estimable` for the logarithm
/// of 0.
///
/// # Examples
/// ```
/// use armwise::effect_size::{
///     CellCorrection, PersonTime, SingleRateEffect, single_rate_effect,
/// };
///
/// let group = PersonTime { events: 4.0, time: 80.0 };
/// let rate = single_rate_effect(group, SingleRateEffect::Rate, CellCorrection::NONE)?;
/// assert!((rate.value - 0.05).abs() < 1e-15 && (rate.variance - 0.000_625).abs() < 1e-15);
/// # Ok::<(), armwise::Error>(())
/// ```
pub fn single_rate_effect(
    group: PersonTime,
    effect: SingleRateEffect,
    correction: CellCorrection,
) -> Result<EffectSize> {
    group.check()?;
    let events = group.events + correction.amount_for(group.events == 0.0);
    let (value, variance) = formula(PersonTime { events, ..group }, effect);
    EffectSize::finite(value, variance, NO_EVENTS)
}

fn formula(PersonTime { events: x, time: t }: PersonTime, effect: SingleRateEffect) -> (f64, f64) {
    match effect {
        SingleRateEffect::Rate => (x / t, x / t / t),
        SingleRateEffect::LogRate => ((x / t).ln(), 1.0 / x),
        SingleRateEffect::SquareRootRate => ((x / t).sqrt(), 0.25 / t),
        SingleRateEffect::FreemanTukeyRate => (0.5 * ((x / t).sqrt() + ((x + 1.0) / t).sqrt()), 0.25 / t),
    }
}
