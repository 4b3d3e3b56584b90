use super::randomization::{OfDesign, OfEstimator, Prepared, TestStatistic};
use super::randomization_result::TestedStatistic;
use super::replayed::Replayed;
use crate::compute::interval::extended;
use crate::compute::multiplicity::Alternative;
use crate::compute::randomization::{
    Assignments, Exactness, NullDistribution, ReplayOptions, Replays, Statistic, seed_of,
};
use crate::design::{Comparison, Label, MeasureInfo, Notice, OutcomeKind};
use crate::error::{Error, ErrorKind, Result, Step};
use crate::estimator::Estimator;
use serde::{Deserialize, Serialize};

/// Step-down tests of many hypotheses from one replay of the allocation: outcomes x arms of a trial, or the same
/// question to several cities.
///
/// Take it for the outcomes and arms of a trial that answer one question. All of them are asked of the same
/// assignments, so the p-values use how outcomes hang together, whatever their kinds and estimators, and adjust
/// for no more than that.
///
/// # Formula
/// [`StepDown`](crate::multiplicity::StepDown) of the statistics that
/// [`RandomizationTest`](super::RandomizationTest) has, everybody being drawn anew. Cities are drawn
/// independently of each other.
///
/// # Assumptions
/// As for the randomisation test. The familywise error rate is kept where some hypotheses are false, too, if the
/// statistics of the true ones have the same joint distribution whatever the others are (subset pivotality).
///
/// # Interval
/// None.
///
/// # Errors
/// No hypotheses; comparisons of one trial that leave arms out; those of the statistics; a stop
/// (`stopped`): p-values of some hypotheses alone adjust nothing.
///
/// # Examples
/// ```
/// use armwise::inference::StepDownTest;
/// use armwise::prelude::*;
///
/// let text = "arm,score,works\nc,1,0\nc,2,0\nc,2.5,1\nc,3,0\nt,4,1\nt,4.5,1\nt,5,0\nt,7,1\n";
/// let table = Table::from_csv_str(text)?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let score = trial.on(&Measure::continuous("score"))?;
/// let works = trial.on(&Measure::binary("works"))?;
///
/// let test = StepDownTest::new("primary").with(&score)?.with(&works)?.run()?;
/// let first = &test.hypotheses[0];
/// assert_eq!((first.measure.name.as_str(), test.hypotheses.len()), ("score", 2));
/// assert!(first.p_value <= first.adjusted && first.adjusted < 0.1);
/// println!("{test}");
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Westfall & Young (1993), Resampling-Based Multiple Testing. Romano & Wolf (2005), Econometrica 73:1237.
/// Young (2019), Quarterly Journal of Economics 134:557.
pub struct StepDownTest<'a> {
    name: String,
    entries: Vec<Entry<'a>>,
    options: ReplayOptions,
    alternative: Alternative,
}

/// The statistics of a comparison in every assignment.
type ReplayOf<'a> = Box<dyn Fn(&Assignments, ReplayOptions) -> Result<NullDistribution> + Sync + 'a>;

/// The hypotheses of one comparison.
struct Entry<'a> {
    trial: Label,
    measure: MeasureInfo,
    reference: Label,
    treatments: Vec<Label>,
    tested: TestedStatistic,
    design: Replayed,
    assignments: Assignments,
    notices: Vec<Notice>,
    replay: ReplayOf<'a>,
}

impl std::fmt::Debug for StepDownTest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hypotheses: usize = self.entries.iter().map(|entry| entry.treatments.len()).sum();
        let mut debug = f.debug_struct("StepDownTest");
        debug.field("name", &self.name).field("hypotheses", &hypotheses).finish_non_exhaustive()
    }
}

impl<'a> StepDownTest<'a> {
    /// A family without hypotheses.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            entries: Vec::new(),
            options: ReplayOptions::default(),
            alternative: Alternative::TwoSided,
        }
    }

    setters! {
        /// The alternative; default: two-sided.
        alternative: Alternative;
        /// All options of the replay.
        options: ReplayOptions;
        /// The number of draws where assignments are not listed; default: 9,999.
        options.draws: u64;
        /// The seed of the draws; default: 0.
        options.seed: u64;
        /// All assignments are listed up to this number of them; default: 100,000.
        options.enumerate_up_to: u64;
    }

    /// Adds every treatment of a comparison, with the studentised difference that belongs to its allocation.
    ///
    /// # Errors
    /// As [`StepDownTest`].
    pub fn with<K: OutcomeKind>(self, comparison: &'a Comparison<K>) -> Result<Self>
    where
        OfDesign: TestStatistic<K>,
    {
        self.entry(comparison, OfDesign::default())
    }

    /// Adds every treatment of a comparison, with this statistic.
    ///
    /// # Errors
    /// As [`StepDownTest`].
    pub fn with_statistic<K: OutcomeKind>(
        self,
        comparison: &'a Comparison<K>,
        statistic: Statistic,
    ) -> Result<Self>
    where
        OfDesign: TestStatistic<K>,
    {
        self.entry(comparison, OfDesign::of(statistic))
    }

    /// Adds every treatment of a comparison, with the value of an estimator over its standard error.
    ///
    /// # Errors
    /// As [`StepDownTest`], and those of the estimator.
    pub fn with_estimator<K: OutcomeKind, E: Estimator<K> + Sync>(
        self,
        comparison: &'a Comparison<K>,
        estimator: &'a E,
    ) -> Result<Self> {
        self.entry(comparison, OfEstimator(estimator))
    }

    fn entry<K: OutcomeKind, S: TestStatistic<K> + 'a>(
        mut self,
        comparison: &'a Comparison<K>,
        statistic: S,
    ) -> Result<Self> {
        let entry = || -> Result<Entry<'a>> {
            let design = Replayed::of(comparison)?;
            design.check_whole()?;
            let prepared: Prepared = statistic.prepare(comparison, &design)?;
            let assignments = design.assigned.assignments()?;
            let notices = comparison.notices().iter().cloned().chain(design.notices(&assignments)).collect();
            let places: Vec<usize> = (0..comparison.treatments().len()).collect();
            let own = Replayed::of(comparison)?;
            Ok(Entry {
                trial: comparison.trial().clone(),
                measure: comparison.measure().clone(),
                reference: comparison.reference().label.clone(),
                treatments: comparison.treatments().iter().map(|arm| arm.label.clone()).collect(),
                tested: prepared.tested.clone(),
                design,
                assignments,
                notices,
                replay: Box::new(move |assignments, options| {
                    let null = statistic.replay(comparison, &own, &prepared, assignments, options, &places);
                    null.map_err(|error| comparison.locate(error))
                }),
            })
        };
        let entry = entry().map_err(|error| comparison.locate(error))?;
        if let Some(other) = self.entries.iter().find(|other| other.trial == entry.trial)
            && (other.design.assigned.arm != entry.design.assigned.arm
                || other.design.assigned.allocation != entry.design.assigned.allocation)
        {
            let why =
                "two trials of this name have other people or another allocation; give each its own name";
            return Err(Error::invalid(why).in_trial(&entry.trial));
        }
        self.entries.push(entry);
        Ok(self)
    }

    /// The p-values, raw and adjusted.
    ///
    /// # Errors
    /// As [`StepDownTest`].
    pub fn run(&self) -> Result<StepDownResult> {
        let m: usize = self.entries.iter().map(|entry| entry.treatments.len()).sum();
        if m == 0 {
            return Err(Error::invalid(format!(
                "the family \"{}\" holds no hypothesis; add a comparison",
                self.name
            )));
        }
        self.options.check(m)?;
        let mut trials: Vec<&Label> = Vec::new();
        for entry in &self.entries {
            if !trials.contains(&&entry.trial) {
                trials.push(&entry.trial);
            }
        }
        // Cities are drawn independently of each other: their assignments are not listed together.
        let exactness = if trials.len() > 1 { Exactness::Never } else { Exactness::AssignmentsOnly };
        let mut parts = Vec::with_capacity(self.entries.len());
        for entry in &self.entries {
            let place = trials.iter().position(|trial| **trial == entry.trial).unwrap_or(0);
            let options = self.options.exactness(exactness).seed(seed_of(self.options.seed, place));
            let null = (entry.replay)(&entry.assignments, options)?;
            if let Replays::Drawn { draws, of, .. } = null.replays()
                && draws < of
            {
                let step = Step { units: "draws", done: draws, total: Some(of), depth: 0 };
                return Err(ErrorKind::Stopped(step).into());
            }
            parts.push(null.seeded(self.options.seed));
        }
        let Some(null) = NullDistribution::beside(&parts) else {
            return Err(Error::invalid(
                "the replays of the comparisons differ; give comparisons of one trial",
            ));
        };
        let test = null.step_down(self.alternative)?;
        let about =
            self.entries.iter().flat_map(|entry| entry.treatments.iter().map(move |arm| (entry, arm)));
        let hypotheses = about.enumerate().map(|(at, (entry, treatment))| StepDownHypothesis {
            trial: entry.trial.clone(),
            measure: entry.measure.clone(),
            treatment: treatment.clone(),
            reference: entry.reference.clone(),
            tested: entry.tested.clone(),
            statistic: null.observed()[at],
            undefined: null.undefined(at) as u64,
            p_value: test.unadjusted[at],
            single_step: test.max_t_single_step[at],
            adjusted: test.max_t_step_down[at],
            min_p_single_step: test.min_p_single_step[at],
            min_p_adjusted: test.min_p_step_down[at],
        });
        let mut notices = Vec::new();
        for notice in self.entries.iter().flat_map(|entry| &entry.notices) {
            if !notices.contains(notice) {
                notices.push(notice.clone());
            }
        }
        if let Replays::Enumerated { assignments } = null.replays()
            && assignments < self.options.draws
        {
            notices.push(Notice::FewerAssignments { assignments, draws: self.options.draws });
        }
        let result = StepDownResult {
            name: self.name.clone(),
            alternative: self.alternative,
            replays: null.replays(),
            hypotheses: hypotheses.collect(),
            notices,
        };
        result.check()?;
        Ok(result)
    }
}

/// The result of a [`StepDownTest`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct StepDownResult {
    /// The name of the family.
    pub name: String,
    /// The alternative.
    pub alternative: Alternative,
    /// How assignments were replayed.
    pub replays: Replays,
    /// The hypotheses, in the order in which their comparisons were added.
    pub hypotheses: Vec<StepDownHypothesis>,
    /// Everything that has to be said beside the numbers.
    pub notices: Vec<Notice>,
}
checked!(StepDownResult);

/// One hypothesis of a [`StepDownResult`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StepDownHypothesis {
    /// The trial.
    pub trial: Label,
    /// The measure.
    pub measure: MeasureInfo,
    /// The treatment.
    pub treatment: Label,
    /// The arm that it is compared with.
    pub reference: Label,
    /// The statistic that was replayed.
    pub tested: TestedStatistic,
    /// Its observed value.
    #[serde(with = "extended")]
    pub statistic: f64,
    /// The number of replays for which it is not defined; they count as extreme.
    pub undefined: u64,
    /// The p-value of this hypothesis alone.
    pub p_value: f64,
    /// Adjusted in one step, against the largest statistic of all.
    pub single_step: f64,
    /// Adjusted in steps down, against the largest statistic of those that are left (Romano & Wolf).
    pub adjusted: f64,
    /// Adjusted in one step, against the smallest p-value of all.
    pub min_p_single_step: f64,
    /// Adjusted in steps down, against the smallest p-value of those that are left (Westfall & Young).
    pub min_p_adjusted: f64,
}

impl StepDownResult {
    /// Refuses what no test gives.
    pub(crate) fn check(&self) -> Result<()> {
        let sound = |own: &StepDownHypothesis| {
            let p = [own.p_value, own.single_step, own.adjusted, own.min_p_single_step, own.min_p_adjusted];
            !own.statistic.is_nan()
                && p.iter().all(|p| (0.0..=1.0).contains(p))
                && own.adjusted >= own.p_value - 1e-9
        };
        if !self.hypotheses.is_empty() && self.hypotheses.iter().all(sound) {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "the family \"{}\" has p-values outside 0 to 1, or below the raw ones; read the result anew",
            self.name
        )))
    }
}
