//! What a pooled effect hangs on: trials left out, trials added one by one, the influence of each.

use super::asymmetry::{self, Asymmetry, HenmiCopasPooled, TrimmedAndFilled};
use super::participant_weighted::participants;
use super::univariate::locate;
use super::{Numbers, Pooled};
use crate::compute::meta_analysis::{
    self as kernel, BaujatPoint, FunnelSide, MissingStudies, PoolSummary, StudyInfluence, baujat,
};
use crate::compute::words::words;
use crate::design::{Label, Notice};
use crate::effect::{AnyScale, Scale, TreatmentEffects};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// Below this many trials the thresholds of influence measures are crossed by every trial.
const ENOUGH_FOR_INFLUENCE: usize = 4;

/// What a pooled effect hangs on: the questions that can be put to a pool, one method each.
///
/// Made by [`RandomEffects::sensitivity`](crate::RandomEffects::sensitivity) and
/// [`CommonEffect::sensitivity`](crate::CommonEffect::sensitivity); every answer repeats the analysis with the same conventions.
///
/// ```
/// use armwise::prelude::*;
/// use armwise::CumulativeOrder;
///
/// let outflow = Measure::binary("outflow").higher_is_better();
/// let city = |name, control, guidance| {
///     Comparison::from_counts(name, &outflow, [("control", control, 100), ("guidance", guidance, 100)])
/// };
/// let cities = Comparisons::new([city("A", 10, 15)?, city("B", 8, 7)?, city("C", 12, 19)?, city("D", 9, 30)?])?;
/// let guidance = cities.estimate(&DifferenceInProportions::new())?.treatment("guidance")?;
///
/// let sensitivity = RandomEffects::new().sensitivity(&guidance)?;
/// let without = sensitivity.leave_one_out()?;
/// assert!(without.trial("D")?.summary.estimate < sensitivity.pooled().value());
/// let last = sensitivity.cumulative(&CumulativeOrder::Precision)?;
/// assert!((last.rows()[3].summary.estimate - sensitivity.pooled().value()).abs() < 1e-9);
/// assert!(sensitivity.influence()?.trial("D")?.measures.influential);
/// println!("{without}");
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Sensitivity<S: Scale> {
    pooled: Pooled<S>,
    effects: TreatmentEffects<S>,
    numbers: Numbers,
    model: Model,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Model {
    Common(kernel::CommonEffect),
    Random(kernel::RandomEffects),
}

/// In which order trials are added to a cumulative pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CumulativeOrder {
    /// As the trials stand in the effects.
    AsGiven,
    /// The smallest standard error first.
    Precision,
    /// The most participants first.
    Participants,
    /// By name, each trial once: by date, for instance.
    Named(Vec<Label>),
}

words! {
    CumulativeOrder {
        AsGiven => "trials added in their order",
        Precision => "trials added from the most precise on",
        Participants => "trials added from the largest on",
        Named(_) => "trials added in the order that was named",
    }
}

/// How a pool was repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Repetition {
    /// Each trial left out in turn.
    LeaveOneOut,
    /// Trials added one by one in this order.
    Cumulative(CumulativeOrder),
}

/// A pool without a trial, or up to a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Refit {
    /// The trial that is left out, or was added last.
    pub trial: Label,
    /// The pool of the others, or of the trials up to this one. One trial alone has its own standard error and the normal test.
    pub summary: PoolSummary,
}

/// A pool repeated without each trial, or with one trial more at a time; from [`Sensitivity::leave_one_out`] and
/// [`Sensitivity::cumulative`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RefitsWire<S>", bound = "S: Scale")]
pub struct Refits<S: Scale> {
    pooled: Pooled<S>,
    repetition: Repetition,
    rows: Vec<Refit>,
}

#[derive(Deserialize)]
#[serde(bound = "S: Scale")]
struct RefitsWire<S: Scale> {
    pooled: Pooled<S>,
    repetition: Repetition,
    rows: Vec<Refit>,
}

impl<S: Scale> TryFrom<RefitsWire<S>> for Refits<S> {
    type Error = Error;

    fn try_from(wire: RefitsWire<S>) -> Result<Self> {
        let RefitsWire { pooled, repetition, rows } = wire;
        each_once(&pooled, rows.iter().map(|row| &row.trial))?;
        Ok(Self { pooled, repetition, rows })
    }
}

/// The influence of one trial on a pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrialInfluence {
    /// The trial.
    pub trial: Label,
    /// Residuals, DFFITS, Cook's distance and their kin, from leaving the trial out.
    #[serde(flatten)]
    pub measures: StudyInfluence,
    /// Its place in Baujat's plot: what it contributes to Q, and how far it moves the common effect.
    pub baujat: BaujatPoint,
}

/// The influence of every trial; from [`Sensitivity::influence`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "InfluenceWire<S>", bound = "S: Scale")]
pub struct Influence<S: Scale> {
    pooled: Pooled<S>,
    rows: Vec<TrialInfluence>,
    notices: Vec<Notice>,
}

#[derive(Deserialize)]
#[serde(bound = "S: Scale")]
struct InfluenceWire<S: Scale> {
    pooled: Pooled<S>,
    rows: Vec<TrialInfluence>,
    notices: Vec<Notice>,
}

impl<S: Scale> TryFrom<InfluenceWire<S>> for Influence<S> {
    type Error = Error;

    fn try_from(wire: InfluenceWire<S>) -> Result<Self> {
        let InfluenceWire { pooled, rows, notices } = wire;
        each_once(&pooled, rows.iter().map(|row| &row.trial))?;
        Ok(Self { pooled, rows, notices })
    }
}

/// Refuses rows that are not those of the pool's trials, each once.
pub(super) fn each_once<'a, S: Scale>(
    pooled: &Pooled<S>,
    rows: impl Iterator<Item = &'a Label>,
) -> Result<()> {
    let sorted = |mut names: Vec<&'a str>| {
        names.sort_unstable();
        names.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let rows = sorted(rows.map(Label::as_str).collect());
    let mut trials: Vec<String> =
        pooled.trials.iter().map(|trial| trial.estimate.trial().to_string()).collect();
    trials.sort_unstable();
    if rows == trials {
        return Ok(());
    }
    Err(Error::invalid("the rows are not those of the pooled trials; give each trial one row"))
}

pub(super) fn unknown_trial<'a>(name: &str, known: impl Iterator<Item = &'a Label>) -> Error {
    ErrorKind::UnknownTrial { name: name.to_owned(), known: known.map(ToString::to_string).collect() }.into()
}

impl<S: Scale> Sensitivity<S> {
    pub(super) fn common(
        pooled: Pooled<S>,
        model: kernel::CommonEffect,
        effects: &TreatmentEffects<S>,
    ) -> Result<Self> {
        let (numbers, effects) = (Numbers::of(effects)?, effects.clone());
        Ok(Self { pooled, effects, numbers, model: Model::Common(model) })
    }

    pub(super) fn random(
        pooled: Pooled<S>,
        model: kernel::RandomEffects,
        effects: &TreatmentEffects<S>,
    ) -> Result<Self> {
        let (numbers, effects) = (Numbers::of(effects)?, effects.clone());
        Ok(Self { pooled, effects, numbers, model: Model::Random(model) })
    }

    /// The pool of all trials.
    pub fn pooled(&self) -> &Pooled<S> {
        &self.pooled
    }

    fn located<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| locate(&self.effects, error))
    }

    fn names(&self) -> impl Iterator<Item = &Label> {
        self.effects.iter().map(|estimate| estimate.trial())
    }

    /// The pool without each trial in turn.
    ///
    /// # Errors
    /// Fewer than two trials.
    pub fn leave_one_out(&self) -> Result<Refits<S>> {
        let Numbers { yi, vi } = &self.numbers;
        let pools = self.located(match &self.model {
            Model::Common(model) => model.leave_one_out(yi, vi),
            Model::Random(model) => model.leave_one_out(yi, vi),
        })?;
        let rows = self.names().zip(pools).map(|(trial, summary)| Refit { trial: trial.clone(), summary });
        Ok(Refits { pooled: self.pooled.clone(), repetition: Repetition::LeaveOneOut, rows: rows.collect() })
    }

    /// The pool of the first trial, of the first two, and so on to all.
    ///
    /// # Errors
    /// An order by name that does not name each trial once; participants that are not known.
    pub fn cumulative(&self, order: &CumulativeOrder) -> Result<Refits<S>> {
        let positions = self.located(self.positions(order))?;
        let Numbers { yi, vi } = &self.numbers;
        let pools = self.located(match &self.model {
            Model::Common(model) => model.cumulative(yi, vi, &positions),
            Model::Random(model) => model.cumulative(yi, vi, &positions),
        })?;
        let names: Vec<&Label> = self.names().collect();
        let rows = positions.iter().zip(pools);
        let rows = rows.map(|(&i, summary)| Refit { trial: names[i].clone(), summary }).collect();
        let repetition = Repetition::Cumulative(order.clone());
        Ok(Refits { pooled: self.pooled.clone(), repetition, rows })
    }

    fn positions(&self, order: &CumulativeOrder) -> Result<Vec<usize>> {
        let mut positions: Vec<usize> = (0..self.effects.len()).collect();
        match order {
            CumulativeOrder::AsGiven => {}
            CumulativeOrder::Precision => {
                positions.sort_by(|&a, &b| self.numbers.vi[a].total_cmp(&self.numbers.vi[b]));
            }
            CumulativeOrder::Participants => {
                let n = self.effects.iter().map(participants).collect::<Result<Vec<f64>>>()?;
                positions.sort_by(|&a, &b| n[b].total_cmp(&n[a]));
            }
            CumulativeOrder::Named(names) => {
                let place = |name: &Label| {
                    self.names()
                        .position(|trial| trial == name)
                        .ok_or_else(|| unknown_trial(name, self.names()))
                };
                positions = names.iter().map(place).collect::<Result<Vec<usize>>>()?;
                if names.len() > self.effects.len() {
                    return Err(Error::invalid("the order names a trial twice; name each trial once"));
                }
                if let Some(missing) = self.names().find(|trial| !names.contains(trial)) {
                    let why = "this trial is missing in the order; name each trial once";
                    return Err(Error::invalid(why).in_trial(missing));
                }
            }
        }
        Ok(positions)
    }

    /// The influence of each trial: residuals, DFFITS, Cook's distance, and its place in Baujat's plot.
    ///
    /// With fewer than four trials the result says that the thresholds mean nothing.
    ///
    /// # Errors
    /// Fewer than two trials; weights other than inverse variances.
    pub fn influence(&self) -> Result<Influence<S>> {
        let Numbers { yi, vi } = &self.numbers;
        let measures = self.located(match &self.model {
            Model::Common(model) => model.influence(yi, vi),
            Model::Random(model) => model.influence(yi, vi),
        })?;
        let points = self.located(baujat(yi, vi))?;
        let rows = self.names().zip(measures).zip(points);
        let rows =
            rows.map(|((trial, measures), baujat)| TrialInfluence { trial: trial.clone(), measures, baujat });
        let trials = self.effects.len();
        let few = (trials < ENOUGH_FOR_INFLUENCE).then(|| Notice::TooFewTrials {
            analysis: "calling a trial influential".to_owned(),
            trials,
            needed: ENOUGH_FOR_INFLUENCE,
            source: "with fewer every trial passes the thresholds of Viechtbauer & Cheung 2010".to_owned(),
        });
        Ok(Influence {
            pooled: self.pooled.clone(),
            rows: rows.collect(),
            notices: few.into_iter().collect(),
        })
    }

    /// Whether small trials show other effects than large ones: Egger's regression test and the rank correlation test.
    ///
    /// With fewer than ten trials the result says that both mean little (Sterne et al. 2011, BMJ 343:d4002).
    ///
    /// # Errors
    /// Fewer than three trials; standard errors or values that are all the same.
    pub fn asymmetry(&self) -> Result<Asymmetry<S>> {
        self.located(asymmetry::asymmetry(&self.pooled, &self.effects, &self.numbers))
    }

    /// The pool with the trials that a symmetric funnel would have in addition: a sensitivity analysis, not a corrected effect.
    ///
    /// With fewer than ten trials the result says that it means little (Sterne et al. 2011, BMJ 343:d4002).
    ///
    /// # Errors
    /// Fewer than three trials; weights other than inverse variances; standard errors that are all the same unless the side is named.
    pub fn trim_and_fill(&self, estimator: MissingStudies, side: FunnelSide) -> Result<TrimmedAndFilled<S>> {
        let Numbers { yi, vi } = &self.numbers;
        let filled = self.located(match &self.model {
            Model::Common(model) => model.trim_and_fill(yi, vi, estimator, side),
            Model::Random(model) => model.trim_and_fill(yi, vi, estimator, side),
        })?;
        Ok(asymmetry::trimmed(&self.pooled, estimator, filled))
    }

    /// The common effect with an interval that holds under random effects (Henmi & Copas 2010): its weights are less exposed to small
    /// trials that were published for their results.
    ///
    /// # Errors
    /// Fewer than two trials.
    pub fn henmi_copas(&self) -> Result<HenmiCopasPooled<S>> {
        self.located(asymmetry::henmi_copas(&self.pooled, &self.numbers))
    }
}

impl<S: Scale> Refits<S> {
    /// The pool of all trials.
    pub fn pooled(&self) -> &Pooled<S> {
        &self.pooled
    }

    /// Without each trial, or up to each trial.
    pub fn repetition(&self) -> &Repetition {
        &self.repetition
    }

    /// One pool per trial: without it, or up to it.
    pub fn rows(&self) -> &[Refit] {
        &self.rows
    }

    /// The pool without this trial, or up to this trial.
    ///
    /// # Errors
    /// There is no such trial.
    pub fn trial(&self, name: impl AsRef<str>) -> Result<&Refit> {
        let name = name.as_ref();
        let found = self.rows.iter().find(|row| row.trial == name);
        found.ok_or_else(|| unknown_trial(name, self.rows.iter().map(|row| &row.trial)))
    }

    /// The same with its scale known only at run time.
    pub fn to_any(&self) -> Refits<AnyScale> {
        Refits { pooled: self.pooled.to_any(), repetition: self.repetition.clone(), rows: self.rows.clone() }
    }
}

impl<S: Scale> Influence<S> {
    /// The pool of all trials.
    pub fn pooled(&self) -> &Pooled<S> {
        &self.pooled
    }

    /// One row per trial.
    pub fn rows(&self) -> &[TrialInfluence] {
        &self.rows
    }

    /// The influence of one trial.
    ///
    /// # Errors
    /// There is no such trial.
    pub fn trial(&self, name: impl AsRef<str>) -> Result<&TrialInfluence> {
        let name = name.as_ref();
        let found = self.rows.iter().find(|row| row.trial == name);
        found.ok_or_else(|| unknown_trial(name, self.rows.iter().map(|row| &row.trial)))
    }

    /// What a reader has to be told.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The same with its scale known only at run time.
    pub fn to_any(&self) -> Influence<AnyScale> {
        Influence { pooled: self.pooled.to_any(), rows: self.rows.clone(), notices: self.notices.clone() }
    }
}
