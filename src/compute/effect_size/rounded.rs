use super::{CountEffect, EffectSize, count_effect};
use crate::compute::counts::{CellCorrection, Counts, TwoByTwo};
use crate::compute::interval::Interval;
use crate::compute::proportion::{DifferenceInterval, Proportion, TwoProportions};
use crate::error::{Error, Result, counted};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// A published percentage of a known number of participants, rounded to some decimals.
///
/// ```
/// use armwise::effect_size::RoundedPercentage;
///
/// // 24 % of 178 is 42.72 participants: 42 (23.6 %) or 43 (24.2 %)
/// let rounded = RoundedPercentage { percent: 24.0, decimals: 0, n: 178 };
/// assert_eq!(rounded.counts()?, 42..=43);
/// // One decimal more tells which.
/// assert_eq!(RoundedPercentage { percent: 24.2, decimals: 1, n: 178 }.counts()?, 43..=43);
/// // No count of 178 is 24.4 %.
/// assert!(RoundedPercentage { percent: 24.4, decimals: 1, n: 178 }.counts().is_err());
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RoundedPercentage {
    /// The percentage as printed, 0 to 100.
    pub percent: f64,
    /// How many decimals are printed, 0 to 9.
    pub decimals: u32,
    /// The number of participants, up to 2^52.
    pub n: u64,
}

impl RoundedPercentage {
    /// The counts `x` for which `100 x / n` rounds to the percentage; halves may have been rounded either
    /// way.
    ///
    /// # Errors
    /// `invalid_input` where no count does, for a percentage with more decimals than said or outside 0 to
    /// 100, and for no participants.
    pub fn counts(&self) -> Result<RangeInclusive<u64>> {
        let Self { percent, decimals, n } = *self;
        if !((0.0..=100.0).contains(&percent) && decimals <= 9 && (1..=1 << 52).contains(&n)) {
            return Err(Error::invalid(format!(
                "{percent} % with {decimals} of {participants}; the percentage must lie from 0 to 100, with 0 to 9 \
                 decimals, of at least one participant",
                decimals = counted(decimals, "decimal"),
                participants = counted(n, "participant")
            )));
        }
        let scale = 10_f64.powi(decimals.cast_signed());
        let printed = (percent * scale).round();
        if (percent * scale - printed).abs() > 1e-6 {
            return Err(Error::invalid(format!(
                "{percent} % has more than {decimals}; say how many are printed",
                decimals = counted(decimals, "decimal")
            )));
        }
        // In whole numbers: |100 x / n - percent| <= half a unit of the last decimal.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // at most 100 * 10^9, and positive
        let (printed, scale) = (printed as u128, scale as u128);
        let n_wide = u128::from(n);
        let least = ((2 * printed).saturating_sub(1) * n_wide).div_ceil(200 * scale);
        let most = ((2 * printed + 1) * n_wide / (200 * scale)).min(n_wide);
        match (u64::try_from(least), u64::try_from(most)) {
            (Ok(least), Ok(most)) if least <= most => Ok(least..=most),
            _ => Err(Error::invalid(format!(
                "no number of {participants} is {percent} % when rounded to {decimals}; check n, perhaps the \
                 percentage is of those with an outcome only",
                participants = counted(n, "participant"),
                decimals = counted(decimals, "decimal")
            ))),
        }
    }
}

/// Rounded percentages of a treatment and a control group.
///
/// ```
/// use armwise::effect_size::{
///     CellCorrection, CountEffect, RoundedComparison, RoundedPercentage,
/// };
///
/// // Utrecht published 24 % against 15 %; 178 participants in each arm are assumed.
/// let utrecht = RoundedComparison {
///     treatment: RoundedPercentage { percent: 24.0, decimals: 0, n: 178 },
///     control: RoundedPercentage { percent: 15.0, decimals: 0, n: 178 },
/// };
/// let range =
///     utrecht.effect_range(CountEffect::RiskDifference, CellCorrection::NONE, 0.95)?;
/// // 42 or 43 against 26 or 27: 8.4 to 9.6 points; the interval always excludes 0.
/// assert_eq!(range.tables, 4);
/// assert!((range.value.lower() - 15.0 / 178.0).abs() < 1e-12);
/// assert!((range.value.upper() - 17.0 / 178.0).abs() < 1e-12);
/// assert!((range.lower_limit.lower() - 0.0026).abs() < 5e-5);
/// assert!((range.upper_limit.upper() - 0.1770).abs() < 5e-5);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RoundedComparison {
    /// The treatment group.
    pub treatment: RoundedPercentage,
    /// The control group.
    pub control: RoundedPercentage,
}

/// What an effect and its confidence interval can be, over all counts that rounded percentages allow.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EffectRange {
    /// How many pairs of counts the percentages allow.
    pub tables: u64,
    /// The smallest and the largest effect.
    pub value: Interval,
    /// The smallest and the largest lower limit of the confidence interval.
    pub lower_limit: Interval,
    /// The smallest and the largest upper limit.
    pub upper_limit: Interval,
}

impl EffectRange {
    /// From the smallest lower to the largest upper limit: holds the confidence interval whatever the counts.
    pub fn outer(&self) -> Interval {
        Interval::between(self.lower_limit.lower(), self.upper_limit.upper())
    }
}

/// Counts that are looked at from each end of a long range. Effects and normal limits are monotone in a count
/// unless nearly nobody or nearly everybody has the event (about `z^2 / 4` participants).
const ENDS: u64 = 64;

impl RoundedComparison {
    /// The range of an effect and of its normal interval over the counts that the percentages allow.
    /// `correction` applies to each possible table by itself.
    ///
    /// Of more than 128 possible counts in a group, the 64 least and the 64 largest are looked at: the
    /// extremes are there.
    ///
    /// # Errors
    /// As [`RoundedPercentage::counts`] and [`count_effect`]; `invalid_input` for a level outside (0, 1).
    pub fn effect_range(
        &self,
        effect: CountEffect,
        correction: CellCorrection,
        level: f64,
    ) -> Result<EffectRange> {
        self.range(|treatment, control| {
            let counts = |group: Proportion| Counts { events: group.events() as f64, n: group.n() as f64 };
            let table = TwoByTwo { treatment: counts(treatment), control: counts(control) };
            let effect: EffectSize = count_effect(&table, effect, correction)?;
            Ok((effect.value, effect.interval(level)?))
        })
    }

    /// The same for the difference of the proportions with any of its intervals, as Newcombe's.
    ///
    /// # Errors
    /// As [`RoundedPercentage::counts`]; `invalid_input` for a level outside (0, 1).
    ///
    /// ```
    /// use armwise::effect_size::{RoundedComparison, RoundedPercentage};
    /// use armwise::proportion::DifferenceInterval;
    ///
    /// let utrecht = RoundedComparison {
    ///     treatment: RoundedPercentage { percent: 24.0, decimals: 0, n: 178 },
    ///     control: RoundedPercentage { percent: 15.0, decimals: 0, n: 178 },
    /// };
    /// let range = utrecht.difference_range(DifferenceInterval::Newcombe, 0.95)?;
    /// assert!(range.outer().lower() < 0.002 && range.outer().upper() < 0.178);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn difference_range(&self, interval: DifferenceInterval, level: f64) -> Result<EffectRange> {
        self.range(|treatment, control| {
            let two = TwoProportions::new(treatment, control);
            Ok((two.difference().estimate, two.difference_interval(interval, level)?))
        })
    }

    fn range(
        &self,
        effect: impl Fn(Proportion, Proportion) -> Result<(f64, Interval)>,
    ) -> Result<EffectRange> {
        let (treatment, control) = (self.treatment.counts()?, self.control.counts()?);
        let many = |counts: &RangeInclusive<u64>| counts.end() - counts.start() + 1;
        let empty = [f64::INFINITY, f64::NEG_INFINITY];
        let (mut value, mut lower, mut upper) = (empty, empty, empty);
        for x1 in ends(&treatment) {
            for x0 in ends(&control) {
                let (at, interval) =
                    effect(Proportion::new(x1, self.treatment.n)?, Proportion::new(x0, self.control.n)?)?;
                widen(&mut value, at);
                widen(&mut lower, interval.lower());
                widen(&mut upper, interval.upper());
            }
        }
        let interval = |[least, most]: [f64; 2]| Interval::between(least, most);
        Ok(EffectRange {
            tables: many(&treatment).saturating_mul(many(&control)),
            value: interval(value),
            lower_limit: interval(lower),
            upper_limit: interval(upper),
        })
    }
}

fn ends(counts: &RangeInclusive<u64>) -> impl Iterator<Item = u64> + use<> {
    let (least, most) = (*counts.start(), *counts.end());
    let middle = if most - least < 2 * ENDS { most } else { least + ENDS - 1 };
    let resumed = if middle == most { None } else { Some(most - ENDS + 1..=most) };
    (least..=middle).chain(resumed.into_iter().flatten())
}

fn widen(range: &mut [f64; 2], x: f64) {
    *range = [range[0].min(x), range[1].max(x)];
}
