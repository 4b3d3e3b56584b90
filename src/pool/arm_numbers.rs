//! The numbers of one arm in one trial, and the scales on which they are pooled.

use super::EmptyCells;
use crate::compute::counts::Counts;
use crate::compute::effect_size::{
    ProportionEffect, freeman_tukey, freeman_tukey_inverse, proportion_effect,
};
use crate::compute::interval::Interval;
use crate::compute::mean::Sample;
use crate::compute::proportion::{Proportion, SingleInterval};
use crate::compute::reference_distribution::ReferenceDistribution;
use crate::compute::words::words;
use crate::compute::{rate::Rate, rate::RateInterval};
use crate::design::{ArmCounts, Binary, Comparison, Continuous, Count, OutcomeKind};
use crate::error::{Error, ErrorKind, Result};
use crate::estimator::RateVariance;
use serde::{Deserialize, Serialize};

/// The scale `g` on which the values of an arm are pooled: `x` events of `n` people, `p = x / n`; a mean `m`
/// of `n` people with standard deviation `s`; a rate `r` with variance `v`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ArmTransformation {
    /// `p`, variance `p (1 - p) / n`; `m`, variance `s^2 / n`; `r`, variance `v`. Intervals of proportions
    /// end at 0 and 1, those of rates at 0.
    Plain,
    /// `ln p`, variance `1/x - 1/n`, whose intervals end at 1; `ln m`, variance `s^2 / (n m^2)`; `ln r`,
    /// variance `v / r^2`.
    Log,
    /// `ln(p / (1 - p))`, variance `1/x + 1/(n - x)`; proportions only. The default.
    #[default]
    Logit,
    /// `asin sqrt p`, variance `1 / 4n`; proportions only.
    Arcsine,
    /// The double arcsine of Freeman and Tukey (1950, Annals of Mathematical Statistics 21:607), variance `1
    /// / (4n + 2)`; proportions only. It is carried back at the harmonic mean of the sizes (Miller 1978,
    /// American Statistician 32:138), which may mislead where sizes differ much (Schwarzer et al. 2019): a
    /// notice says so.
    FreemanTukey,
}

words! {
    ArmTransformation {
        Plain => "as they are",
        Log => "logarithms",
        Logit => "logits",
        Arcsine => "arcsines",
        FreemanTukey => "double arcsines of Freeman and Tukey",
    }
}

impl ArmTransformation {
    /// A value on the scale of the transformation; beyond its range the limit of it, which may be infinite.
    /// `n` is the size at which double arcsines are taken.
    pub(super) fn of(self, value: f64, n: Option<f64>) -> f64 {
        let share = value.clamp(0.0, 1.0);
        match (self, n) {
            (Self::Plain, _) => value,
            (Self::Log, _) => value.max(0.0).ln(),
            (Self::Logit, _) => share.ln() - (-share).ln_1p(),
            (Self::FreemanTukey, Some(n)) => freeman_tukey(share * n, n),
            (Self::Arcsine | Self::FreemanTukey, _) => share.sqrt().asin(),
        }
    }

    /// The value of which this is the transformation.
    pub(super) fn back(self, value: f64, n: Option<f64>) -> f64 {
        match self {
            Self::Plain => value,
            Self::Log => value.exp(),
            Self::Logit if value < 0.0 => value.exp() / (1.0 + value.exp()),
            Self::Logit => 1.0 / (1.0 + (-value).exp()),
            Self::Arcsine => value.clamp(0.0, std::f64::consts::FRAC_PI_2).sin().powi(2),
            Self::FreemanTukey => {
                n.and_then(|n| freeman_tukey_inverse(value, n).ok()).unwrap_or_else(|| value.sin().powi(2))
            }
        }
    }
}

/// The numbers of one arm in one trial.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ArmNumbers {
    /// Events of the people analysed.
    Proportion {
        /// People with the event.
        events: u64,
        /// People analysed.
        n: u64,
    },
    /// A mean with its standard deviation.
    Mean(Sample),
    /// Events in an exposure.
    Rate {
        /// Events.
        events: u64,
        /// The exposure of all people together.
        exposure: f64,
        /// The variance of the rate.
        variance: f64,
    },
}

/// A kind of outcome whose arms are pooled one by one: [`Binary`], [`Continuous`] or [`Count`].
pub trait ArmOutcome: OutcomeKind {
    /// The numbers of all arms.
    #[doc(hidden)]
    fn numbers(comparison: &Comparison<Self>, variance: RateVariance) -> Result<Vec<ArmNumbers>>;
}

impl ArmOutcome for Binary {
    fn numbers(comparison: &Comparison<Self>, _: RateVariance) -> Result<Vec<ArmNumbers>> {
        let arms = comparison.arms().iter().map(|arm| {
            let ArmCounts { events, analysed: n, .. } = arm.counts;
            let events =
                events.ok_or_else(|| Error::invalid("the outcome is no event").in_arm(&arm.label))?;
            Ok(ArmNumbers::Proportion { events, n })
        });
        arms.collect()
    }
}

impl ArmOutcome for Continuous {
    fn numbers(comparison: &Comparison<Self>, _: RateVariance) -> Result<Vec<ArmNumbers>> {
        let (people, arms) = (comparison.people()?, comparison.arms());
        let samples = Sample::by_group(&people.outcome, &people.arm, arms.len()).into_iter().zip(arms);
        samples
            .map(|(sample, arm)| sample.map(ArmNumbers::Mean).map_err(|error| error.in_arm(&arm.label)))
            .collect()
    }
}

impl ArmOutcome for Count {
    // Counts are whole numbers that an f64 holds.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn numbers(comparison: &Comparison<Self>, variance: RateVariance) -> Result<Vec<ArmNumbers>> {
        let people = comparison.people()?;
        let time = |row: usize| people.second.as_ref().map_or(1.0, |exposures| exposures[row]);
        let arms = comparison.arms().iter().zip(0_u32..);
        let numbers = arms.map(|(arm, code)| {
            let rows = || (0..people.arm.len()).filter(|&row| people.arm[row] == code);
            let events: f64 = rows().map(|row| people.outcome[row]).sum();
            let exposure: f64 = rows().map(time).sum();
            let located = |error: Error| error.in_arm(&arm.label);
            let rate = Rate::new(events as u64, exposure).map_err(located)?;
            let squares = |row: usize| {
                let residual = (people.outcome[row] - rate.estimate() * time(row)) / exposure;
                residual * residual / (1.0 - time(row) / exposure)
            };
            let variance = match variance {
                RateVariance::Poisson => rate.estimate() / exposure,
                RateVariance::Robust if rows().nth(1).is_none() => {
                    let why =
                        "one person does not show how counts vary between people; use RateVariance::Poisson"
                            .to_owned();
                    return Err(located(ErrorKind::InsufficientObservations(why).into()));
                }
                RateVariance::Robust => rows().map(squares).sum(),
            };
            Ok(ArmNumbers::Rate { events: rate.events(), exposure, variance })
        });
        numbers.collect()
    }
}

/// A value with its variance.
pub(super) type Value = (f64, f64);

impl ArmNumbers {
    pub(crate) const PROPORTION: &'static str = "proportion";
    pub(crate) const MEAN: &'static str = "mean";
    pub(crate) const RATE: &'static str = "rate";

    /// What they are a value of.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Proportion { .. } => Self::PROPORTION,
            Self::Mean(_) => Self::MEAN,
            Self::Rate { .. } => Self::RATE,
        }
    }

    /// The proportion, the mean, or the rate.
    pub fn value(&self) -> f64 {
        match *self {
            Self::Proportion { n: 0, .. } => 0.0,
            Self::Proportion { events, n } => events as f64 / n as f64,
            Self::Mean(sample) => sample.mean,
            Self::Rate { events, exposure, .. } => events as f64 / exposure,
        }
    }

    /// Whether it is one of counts of events.
    pub(super) fn has_cells(&self) -> bool {
        !matches!(self, Self::Mean(_))
    }

    pub(super) fn has_empty_cell(&self) -> bool {
        match *self {
            Self::Proportion { events, n } => events == 0 || events == n,
            Self::Rate { events, .. } => events == 0,
            Self::Mean(_) => false,
        }
    }

    /// The interval of the trial alone: Wilson's of a proportion, Student's t of a mean, the exact one of a
    /// rate.
    ///
    /// # Errors
    /// A level that is not between 0 and 1.
    pub fn interval(&self, level: f64) -> Result<Interval> {
        match *self {
            Self::Proportion { events, n } => {
                Proportion::new(events, n)?.interval(SingleInterval::Wilson, level)
            }
            Self::Mean(sample) => {
                let t = ReferenceDistribution::of(Some(sample.n as f64 - 1.0))?;
                Ok(Interval::around(sample.mean, t.critical(level)? * sample.se()))
            }
            Self::Rate { events, exposure, .. } => {
                Rate::new(events, exposure)?.interval(RateInterval::Exact, level)
            }
        }
    }

    /// The transformed value with its variance.
    pub(super) fn transformed(&self, to: ArmTransformation, rule: EmptyCells) -> Result<Value> {
        let (value, variance) = match (*self, to) {
            (Self::Proportion { events, n }, _) => {
                let effect = match to {
                    ArmTransformation::Plain => ProportionEffect::Proportion,
                    ArmTransformation::Log => ProportionEffect::LogProportion,
                    ArmTransformation::Logit => ProportionEffect::Logit,
                    ArmTransformation::Arcsine => ProportionEffect::Arcsine,
                    ArmTransformation::FreemanTukey => ProportionEffect::FreemanTukey,
                };
                let group = Counts { events: events as f64, n: n as f64 };
                let effect =
                    proportion_effect(group, effect, rule.correction()?).map_err(without_logarithm)?;
                (effect.value, effect.variance)
            }
            (Self::Mean(sample), ArmTransformation::Plain) => (sample.mean, sample.se().powi(2)),
            (Self::Mean(sample), ArmTransformation::Log) => {
                (logarithm(sample.mean, "mean")?, (sample.se() / sample.mean).powi(2))
            }
            (
                Self::Rate { events, exposure, variance },
                ArmTransformation::Plain | ArmTransformation::Log,
            ) => {
                let add = rule.correction()?.amount_for(events == 0);
                let rate = (events as f64 + add) / exposure;
                // With halves the variance is that of Poisson counts: no person has half an event.
                let variance = if add > 0.0 { rate / exposure } else { variance };
                match to {
                    ArmTransformation::Plain => (rate, variance),
                    _ => (logarithm(rate, "rate")?, variance / (rate * rate)),
                }
            }
            (of, to) => {
                return Err(Error::invalid(format!(
                    "{to} are of proportions, but the outcome has a {} in each arm; take ArmTransformation::Plain or ::Log",
                    of.name()
                )));
            }
        };
        if variance > 0.0 && variance.is_finite() && value.is_finite() {
            return Ok((value, variance));
        }
        let why = match self {
            Self::Mean(_) => {
                "the outcome does not vary in this arm, so that its trial cannot be weighted; check the column"
            }
            _ => {
                "the events of this arm have no variance, so that its trial cannot be weighted; take the logistic model (ArmPool::logistic) \
                 or arcsines, or name a rule with empty_cells(..)"
            }
        };
        Err(ErrorKind::ZeroVariance(why.to_owned()).into())
    }

    /// Refuses numbers that are not those of the people counted.
    pub(super) fn check(&self, counts: &ArmCounts) -> Result<()> {
        counts.check()?;
        let positive = |x: f64| x >= 0.0 && x.is_finite();
        let fits = match *self {
            Self::Proportion { events, n } => counts.events == Some(events) && counts.analysed == n,
            Self::Mean(sample) => {
                sample.n == counts.analysed && sample.mean.is_finite() && positive(sample.sd)
            }
            Self::Rate { exposure, variance, .. } => {
                positive(variance) && positive(exposure) && exposure > 0.0
            }
        };
        if fits {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "the {} of this arm is not one of the people counted; both must be one",
            self.name()
        )))
    }
}

fn logarithm(value: f64, what: &str) -> Result<f64> {
    if value > 0.0 {
        return Ok(value.ln());
    }
    let why = format!(
        "the {what} is {value}, which has no logarithm; take ArmTransformation::Plain, or for rates a rule with empty_cells(..)"
    );
    Err(ErrorKind::NotEstimable(why).into())
}

/// In the words of this layer, where nobody, or everybody, of an arm has the event.
fn without_logarithm(error: Error) -> Error {
    match error.kind() {
        ErrorKind::NotEstimable(_) => {
            let why = "nobody, or everybody, in this arm has the event, so that the logarithm is not finite; take the logistic model \
                       (ArmPool::logistic) or arcsines, or name a rule with empty_cells(..)";
            Error::not_estimable(why)
        }
        _ => error,
    }
}
