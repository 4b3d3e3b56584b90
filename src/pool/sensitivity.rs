//! Sensitivity of a pooled effect to its trials: left out, added one by one, the influence of each.

use super::asymmetry::{
    Asymmetry, AsymmetryRecord, HenmiCopasPooled, HenmiCopasRecord, TrimmedAndFilled, TrimmedAndFilledRecord,
    few,
};
use super::participant_weighted::participants;
use super::pooled::{PoolModel, ask, check_again};
use super::{Numbers, Pooled, PooledRecord, joint};
use crate::compute::curve::{ConfidenceCurve, Inference};
use crate::compute::meta_analysis::{
    self as kernel, BaujatPoint, EggerTest, FunnelSide, MissingStudies, PoolSummary, StudyInfluence, baujat,
    rank_correlation,
};
use crate::compute::words::words;
use crate::design::{Label, Notice};
use crate::effect::{About, AnyScale, Checked, IntervalMethod, Method, On, Scale};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::ops::Deref;
use std::sync::Arc;

/// Below this many trials the thresholds of influence measures are crossed by every trial.
const ENOUGH_FOR_INFLUENCE: usize = 4;

/// Sensitivity analyses of a pool, one method each.
///
/// Made by [`RandomEffects::sensitivity`](crate::pool::RandomEffects::sensitivity) and
/// [`CommonEffect::sensitivity`](crate::pool::CommonEffect::sensitivity); every answer repeats the analysis
/// with the same conventions.
///
/// ```
/// use armwise::pool::CumulativeOrder;
/// use armwise::prelude::*;
///
/// let outflow = Measure::binary("outflow").higher_is_better();
/// let city = |name, control, guidance| {
///     Comparison::from_counts(
///         name,
///         &outflow,
///         [("control", control, 100), ("guidance", guidance, 100)],
///     )
/// };
/// let cities = Comparisons::new([
///     city("A", 10, 15)?,
///     city("B", 8, 7)?,
///     city("C", 12, 19)?,
///     city("D", 9, 30)?,
/// ])?;
/// let guidance = cities.estimate(&DifferenceInProportions::new())?.treatment("guidance")?;
///
/// let sensitivity = RandomEffects::new().sensitivity(&guidance)?;
/// let without = sensitivity.leave_one_out()?;
/// assert!(without.trial("D")?.value() < sensitivity.pooled().value());
/// let last = sensitivity.cumulative(&CumulativeOrder::Precision)?;
/// assert!((last.rows[3].value() - sensitivity.pooled().value()).abs() < 1e-9);
/// assert!(sensitivity.influence()?.trial("D")?.measures.influential);
/// println!("{without}");
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Sensitivity<S: Scale> {
    pooled: Pooled<S>,
    numbers: Numbers,
}

/// The order in which trials are added to a cumulative pool.
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

/// The way in which a pool was repeated.
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
    /// The pooled effect of the others, or of the trials up to this one.
    pub inference: Inference,
    /// All numbers of that pool. One trial alone has its own standard error and the normal test.
    pub summary: PoolSummary,
}

impl Deref for Refit {
    type Target = Inference;

    fn deref(&self) -> &Inference {
        &self.inference
    }
}

/// A pool repeated without each trial, or with one trial more at a time; from [`Sensitivity::leave_one_out`]
/// and [`Sensitivity::cumulative`].
///
/// [`RefitsRecord`] has the fields and further methods.
pub type Refits<S = AnyScale> = On<S, RefitsRecord>;

/// The data of [`Refits`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RefitsRecord {
    /// The pool of all trials.
    pub pooled: Pooled,
    /// Without each trial, or up to each trial.
    pub repetition: Repetition,
    /// One pool per trial: without it, or up to it.
    pub rows: Vec<Refit>,
}

impl Checked for RefitsRecord {
    fn about(&self) -> &About {
        self.pooled.about()
    }

    fn check(&self) -> Result<()> {
        let sensitivity = self.pooled.sensitivity()?;
        check_again(
            self,
            &*match &self.repetition {
                Repetition::LeaveOneOut => sensitivity.leave_one_out()?,
                Repetition::Cumulative(order) => sensitivity.cumulative(order)?,
            },
        )
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
    /// Its place in Baujat's plot: its contribution to Q, and how far it moves the common effect.
    pub baujat: BaujatPoint,
}

/// The influence of every trial; from [`Sensitivity::influence`].
///
/// [`InfluenceRecord`] has the fields and further methods.
pub type Influence<S = AnyScale> = On<S, InfluenceRecord>;

/// The data of an [`Influence`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InfluenceRecord {
    /// The identity of the pool, with the notices of this analysis.
    pub about: Arc<About>,
    /// The pool of all trials.
    pub pooled: Pooled,
    /// One row per trial.
    pub rows: Vec<TrialInfluence>,
}

impl Checked for InfluenceRecord {
    fn about(&self) -> &About {
        &self.about
    }

    fn check(&self) -> Result<()> {
        check_again(self, &*self.pooled.sensitivity()?.influence()?)
    }
}

/// Refuses rows that are not those of the pool's trials, each once.
pub(super) fn each_once<'a>(pooled: &PooledRecord, rows: impl Iterator<Item = &'a Label>) -> Result<()> {
    let sorted = |names: &mut dyn Iterator<Item = &'a Label>| {
        let mut names: Vec<String> = names.map(ToString::to_string).collect();
        names.sort_unstable();
        names
    };
    let mut trials: Vec<String> = pooled.about.trials.iter().map(ToString::to_string).collect();
    trials.sort_unstable();
    if sorted(&mut { rows }) == trials {
        return Ok(());
    }
    Err(Error::invalid("the rows are not those of the pooled trials; give each trial one row"))
}

pub(super) fn unknown_trial<'a>(name: &str, known: impl IntoIterator<Item = &'a Label>) -> Error {
    let known = known.into_iter().map(ToString::to_string).collect();
    ErrorKind::UnknownTrial { name: name.to_owned(), known }.into()
}

impl<S: Scale> Sensitivity<S> {
    pub(super) fn new(pooled: Pooled<S>) -> Result<Self> {
        let numbers = Numbers::of(pooled.trials.iter().map(|trial| &trial.estimate))?;
        Ok(Self { pooled, numbers })
    }

    /// The pool of all trials.
    pub fn pooled(&self) -> &Pooled<S> {
        &self.pooled
    }

    fn located<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| self.pooled.about.locate(error.in_arm(&self.pooled.treatment)))
    }

    fn names(&self) -> &[Label] {
        &self.pooled.about().trials
    }

    /// The identity of an analysis beside the pool: that of the pool with what it tells of its trials, and
    /// notices of the analysis.
    fn about(&self, own: Vec<Notice>) -> Arc<About> {
        let notices = self.told_of_trials().chain(own).collect();
        Arc::new(About { notices, ..self.pooled.about().clone() })
    }

    /// What the pool tells of its trials, and not of itself.
    fn told_of_trials(&self) -> impl Iterator<Item = Notice> + '_ {
        self.pooled.notices().iter().filter(|notice| notice.is_of_trials()).cloned()
    }

    fn refits<'a>(
        &self,
        repetition: Repetition,
        rows: impl Iterator<Item = (&'a Label, PoolSummary)>,
    ) -> Result<Refits<S>> {
        let rows = rows.map(|(trial, summary)| {
            Ok(Refit { trial: trial.clone(), inference: summary.inference()?, summary })
        });
        let rows = self.located(rows.collect())?;
        Ok(On::of(RefitsRecord { pooled: self.pooled.to_any(), repetition, rows }))
    }

    /// The pool without each trial in turn.
    ///
    /// # Errors
    /// Fewer than two trials.
    pub fn leave_one_out(&self) -> Result<Refits<S>> {
        let Numbers { yi, vi } = &self.numbers;
        let pools = self.located(ask!(&self.pooled.model, model => model.leave_one_out(yi, vi)))?;
        self.refits(Repetition::LeaveOneOut, self.names().iter().zip(pools))
    }

    /// The pool of the first trial, of the first two, and so on to all.
    ///
    /// # Errors
    /// An order by name that does not name each trial once; participants that are not known.
    pub fn cumulative(&self, order: &CumulativeOrder) -> Result<Refits<S>> {
        let positions = self.located(self.positions(order))?;
        let Numbers { yi, vi } = &self.numbers;
        let pools = self.located(ask!(&self.pooled.model, model => model.cumulative(yi, vi, &positions)))?;
        let rows = positions.iter().map(|&i| &self.names()[i]).zip(pools);
        self.refits(Repetition::Cumulative(order.clone()), rows)
    }

    fn positions(&self, order: &CumulativeOrder) -> Result<Vec<usize>> {
        let mut positions: Vec<usize> = (0..self.names().len()).collect();
        match order {
            CumulativeOrder::AsGiven => {}
            CumulativeOrder::Precision => {
                positions.sort_by(|&a, &b| self.numbers.vi[a].total_cmp(&self.numbers.vi[b]));
            }
            CumulativeOrder::Participants => {
                let n = self.pooled.trials.iter().map(|trial| participants(&trial.estimate));
                let n = n.collect::<Result<Vec<f64>>>()?;
                positions.sort_by(|&a, &b| n[b].total_cmp(&n[a]));
            }
            CumulativeOrder::Named(names) => {
                let place = |name: &Label| {
                    let found = self.names().iter().position(|trial| trial == name);
                    found.ok_or_else(|| unknown_trial(name, self.names()))
                };
                positions = names.iter().map(place).collect::<Result<Vec<usize>>>()?;
                if names.len() > self.names().len() {
                    return Err(Error::invalid("the order names a trial twice; name each trial once"));
                }
                if let Some(missing) = self.names().iter().find(|trial| !names.contains(trial)) {
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
        let measures = self.located(ask!(&self.pooled.model, model => model.influence(yi, vi)))?;
        let points = self.located(baujat(yi, vi))?;
        let rows = self.names().iter().zip(measures).zip(points);
        let rows =
            rows.map(|((trial, measures), baujat)| TrialInfluence { trial: trial.clone(), measures, baujat });
        let trials = self.names().len();
        let few = (trials < ENOUGH_FOR_INFLUENCE).then(|| Notice::TooFewTrials {
            analysis: "calling a trial influential".to_owned(),
            trials,
            needed: ENOUGH_FOR_INFLUENCE,
            source: "with fewer every trial passes the thresholds of Viechtbauer & Cheung 2010".to_owned(),
        });
        let about = self.about(few.into_iter().collect());
        Ok(On::of(InfluenceRecord { about, pooled: self.pooled.to_any(), rows: rows.collect() }))
    }

    /// Tests of whether small trials show other effects than large ones: Egger's regression test and the rank
    /// correlation test.
    ///
    /// With fewer than ten trials the result says that both mean little (Sterne et al. 2011, BMJ 343:d4002).
    ///
    /// # Errors
    /// Fewer than three trials; standard errors or values that are all the same.
    pub fn asymmetry(&self) -> Result<Asymmetry<S>> {
        let (Numbers { yi, vi }, level) = (&self.numbers, self.pooled.level());
        let egger = self.located(EggerTest::new().level(level).test(yi, vi))?;
        Ok(On::of(AsymmetryRecord {
            about: self.about(few("a test of funnel plot asymmetry", yi.len())),
            pooled: self.pooled.to_any(),
            limit: self.located(joint::inference_of(&egger.intercept, level))?,
            egger,
            rank: self.located(rank_correlation(yi, vi))?,
        }))
    }

    /// The pool with the trials that a symmetric funnel would have in addition: a sensitivity analysis, not a
    /// corrected effect.
    ///
    /// With fewer than ten trials the result says that it means little (Sterne et al. 2011, BMJ 343:d4002).
    ///
    /// # Errors
    /// Fewer than three trials; weights other than inverse variances; standard errors that are all the same
    /// unless the side is named.
    pub fn trim_and_fill(&self, estimator: MissingStudies, side: FunnelSide) -> Result<TrimmedAndFilled<S>> {
        let Numbers { yi, vi } = &self.numbers;
        let filled = ask!(&self.pooled.model, model => model.trim_and_fill(yi, vi, estimator, side));
        let filled = self.located(filled)?;
        Ok(On::of(TrimmedAndFilledRecord {
            about: self.about(few("trim and fill", yi.len())),
            pooled: self.pooled.to_any(),
            estimator,
            inference: self.located(filled.pool.summary.inference())?,
            filled,
        }))
    }

    /// The common effect with an interval that holds under random effects (Henmi & Copas 2010): its weights
    /// are less exposed to small trials that were published for their results.
    ///
    /// # Errors
    /// Fewer than two trials.
    pub fn henmi_copas(&self) -> Result<HenmiCopasPooled<S>> {
        let (Numbers { yi, vi }, level) = (&self.numbers, self.pooled.level());
        let found = self.located(kernel::henmi_copas(yi, vi, level))?;
        let method = Method::new("common effect by Henmi and Copas")
            .adjusted_for(&self.pooled.method().adjusted_for)
            .interval(IntervalMethod::HenmiCopas);
        let curve = ConfidenceCurve::HenmiCopas(found.reference);
        let inference = self.located(Inference::new(found.estimate, found.se, None, level, curve))?;
        let notices = self.told_of_trials().collect();
        let about = Arc::new(About { method, notices, ..self.pooled.about().clone() });
        Ok(On::of(HenmiCopasRecord { about, pooled: self.pooled.to_any(), inference, tau2: found.tau2 }))
    }
}

impl RefitsRecord {
    /// The pool without this trial, or up to this trial.
    ///
    /// # Errors
    /// There is no such trial.
    pub fn trial(&self, name: impl AsRef<str>) -> Result<&Refit> {
        let name = name.as_ref();
        let found = self.rows.iter().find(|row| row.trial == name);
        found.ok_or_else(|| unknown_trial(name, self.rows.iter().map(|row| &row.trial)))
    }
}

impl InfluenceRecord {
    /// The influence of one trial.
    ///
    /// # Errors
    /// There is no such trial.
    pub fn trial(&self, name: impl AsRef<str>) -> Result<&TrialInfluence> {
        let name = name.as_ref();
        let found = self.rows.iter().find(|row| row.trial == name);
        found.ok_or_else(|| unknown_trial(name, &self.about.trials))
    }
}
