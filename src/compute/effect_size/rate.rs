use super::zero_cells::DROPPED;
use super::{EffectSize, ZeroCells, not_estimable};
use crate::compute::meta_analysis::{ArmRate, RatePair, check_rates};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Effects of two groups with events in person-time: `x` events in the time `t`, 1 the treatment and 0 the control group.
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
    /// `(sqrt(x / t) + sqrt((x + 1) / t)) / 2`, variance `1 / 4t` (Freeman & Tukey 1950, Annals of Mathematical
    /// Statistics 21:607).
    FreemanTukeyRate,
}

const NO_EVENTS: &str = "without events the logarithm of a rate is not finite; add 1/2 where there are none \
                         (ZeroCells::HALF_WHERE_ZERO), or take differences";

/// The effect of one study in person-time.
///
/// # Errors
/// As [`count_effect`](super::count_effect).
///
/// # Examples
/// ```
/// use armwise::effect_size::{RateEffect, ZeroCells, rate_effect};
/// use armwise::meta_analysis::{ArmRate, RatePair};
///
/// let pair = RatePair {
///     treatment: ArmRate { events: 9.0, time: 413.0 },
///     control: ArmRate { events: 19.0, time: 398.0 },
/// };
/// let effect = rate_effect(&pair, RateEffect::LogRateRatio, ZeroCells::NONE)?;
/// assert!((effect.value - ((9.0 / 413.0) / (19.0 / 398.0_f64)).ln()).abs() < 1e-12);
/// assert!((effect.variance - (1.0 / 9.0 + 1.0 / 19.0)).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
pub fn rate_effect(pair: &RatePair, effect: RateEffect, zero_cells: ZeroCells) -> Result<EffectSize> {
    check_rates(std::slice::from_ref(pair))?;
    of_pair(pair, effect, zero_cells, has_zero(pair))
}

/// The effects of several studies in person-time, in their order; those without one are errors of their own.
///
/// # Errors
/// `invalid_input` for negative events and for times that are not positive. Inner errors: as [`rate_effect`].
pub fn rate_effects(
    pairs: &[RatePair],
    effect: RateEffect,
    zero_cells: ZeroCells,
) -> Result<Vec<Result<EffectSize>>> {
    check_rates(pairs)?;
    let any = pairs.iter().any(|pair| has_zero(pair) && !zero_cells.drops(says_nothing(pair)));
    Ok(pairs.iter().map(|pair| of_pair(pair, effect, zero_cells, any)).collect())
}

fn has_zero(pair: &RatePair) -> bool {
    pair.treatment.events == 0.0 || pair.control.events == 0.0
}

fn says_nothing(pair: &RatePair) -> bool {
    pair.treatment.events == 0.0 && pair.control.events == 0.0
}

fn of_pair(pair: &RatePair, effect: RateEffect, zero_cells: ZeroCells, any: bool) -> Result<EffectSize> {
    if zero_cells.drops(says_nothing(pair)) {
        return Err(not_estimable(DROPPED));
    }
    let add = zero_cells.amount_for(has_zero(pair), any);
    let single = match effect {
        RateEffect::LogRateRatio => SingleRateEffect::LogRate,
        RateEffect::RateDifference => SingleRateEffect::Rate,
        RateEffect::SquareRootDifference => SingleRateEffect::SquareRootRate,
    };
    let (value1, variance1) = formula(pair.treatment, add, single);
    let (value0, variance0) = formula(pair.control, add, single);
    EffectSize::finite(value1 - value0, variance1 + variance0, NO_EVENTS)
}

/// The transformed rate of one group; the rule for zeros applies where it has no event.
///
/// # Errors
/// `invalid_input` for negative events and for a time that is not positive; `not_estimable` for the logarithm of 0.
///
/// # Examples
/// ```
/// use armwise::effect_size::{SingleRateEffect, ZeroCells, single_rate_effect};
/// use armwise::meta_analysis::ArmRate;
///
/// let group = ArmRate { events: 4.0, time: 80.0 };
/// let rate = single_rate_effect(group, SingleRateEffect::Rate, ZeroCells::NONE)?;
/// assert!((rate.value - 0.05).abs() < 1e-15 && (rate.variance - 0.000_625).abs() < 1e-15);
/// # Ok::<(), armwise::Error>(())
/// ```
pub fn single_rate_effect(
    group: ArmRate,
    effect: SingleRateEffect,
    zero_cells: ZeroCells,
) -> Result<EffectSize> {
    let ArmRate { events, time } = group;
    if !(time > 0.0 && time.is_finite() && events >= 0.0 && events.is_finite()) {
        return Err(Error::invalid(format!(
            "{events} events in {time} person-time; events must be 0 or more, and time above 0"
        )));
    }
    let zero = events == 0.0;
    let (value, variance) = formula(group, zero_cells.amount_for(zero, zero), effect);
    EffectSize::finite(value, variance, NO_EVENTS)
}

fn formula(group: ArmRate, add: f64, effect: SingleRateEffect) -> (f64, f64) {
    let (x, t) = (group.events + add, group.time);
    match effect {
        SingleRateEffect::Rate => (x / t, x / t / t),
        SingleRateEffect::LogRate => ((x / t).ln(), 1.0 / x),
        SingleRateEffect::SquareRootRate => ((x / t).sqrt(), 0.25 / t),
        SingleRateEffect::FreemanTukeyRate => (0.5 * ((x / t).sqrt() + ((x + 1.0) / t).sqrt()), 0.25 / t),
    }
}
