use super::randomization_result::{
    JointResult, RandomizationDistribution, RandomizationResult, RandomizedTreatment, TestedStatistic,
};
use super::replayed::Replayed;
use crate::compute::randomization::{
    Assignments, Exactness, JointStatistic, NullDistribution, RandomizationInterval, Replay, ReplayOptions,
    Replays, Statistic, replay_each,
};
use crate::design::{AllocationKind, Binary, Comparison, Continuous, Count, Notice, Ordinal, OutcomeKind};
use crate::effect::Inference;
use crate::error::{Error, ErrorKind, Result};
use crate::estimator::Estimator;
use serde::{Deserialize, Serialize};

/// What happens to the other arms while one treatment is compared with the reference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OtherArms {
    /// Their people keep their arm: the hypothesis is that this treatment does nothing to the people of the two
    /// arms. The default.
    #[default]
    Held,
    /// Everybody is drawn anew: the hypothesis is that no arm does anything to anyone.
    Redrawn,
}

/// The studentised difference that belongs to the declared allocation, or a [`Statistic`] that is named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OfDesign(Option<Statistic>);

/// The value of an estimator over its standard error, estimated again in every replay.
#[derive(Debug, Clone, Copy)]
pub struct OfEstimator<'a, E>(pub(crate) &'a E);

/// A randomisation test: the declared allocation is replayed, and the statistic of the arms that came out is set
/// against those that could have come out.
///
/// Take it where arms are small or few clusters were randomised, and beside a primary analysis whose p-value
/// leans on a large sample. [`RandomizationTest::new`] takes the studentised difference that belongs to the
/// allocation; [`RandomizationTest::of`] any estimator, adjusted ones too.
///
/// # Formula
/// Where no outcome depends on the arm, every assignment that the allocation could have given would have shown
/// the same outcomes. With the statistic `T*` of each, and `T` of the observed one,
///
/// ```text
/// p = #(|T*| >= |T|) / N                 over all N assignments, or
/// p = (1 + #(|T*| >= |T|)) / (1 + B)     over B that are drawn
/// ```
///
/// one-sided without absolute values. All assignments are listed where there are at most 100,000 (an option),
/// and counted by their tables where the outcome is an event; else 9,999 are drawn, and the Monte Carlo standard
/// error of p stands in the result. Everybody who was randomised is replayed, people without an outcome too.
///
/// # Assumptions
/// The allocation is that of the trial ([`Trial::allocation`](crate::Trial::allocation)). The p-value is exact
/// for the hypothesis that nobody is affected, whatever the outcomes and however few people. For the weaker
/// hypothesis that means are equal, studentised statistics are valid in large samples and others are not, as
/// [`Statistic`] says.
///
/// # Interval
/// Of a continuous outcome with an unpaired statistic of [`Statistic`]: the effects, the same for everybody,
/// that the test does not reject. Estimators have their own.
///
/// # Errors
/// No draws or too many; people who lie in a cluster of two arms; outcomes without numbers (times, categories
/// without order) where no estimator is named; other arms to be drawn that the comparison leaves out; and those
/// of the estimator.
///
/// # Examples
/// ```
/// use armwise::inference::RandomizationTest;
/// use armwise::prelude::*;
///
/// let text = "arm,score\nc,1\nc,2\nc,2.5\nc,3\nt,4\nt,4.5\nt,5\nt,7\n";
/// let table = Table::from_csv_str(text)?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let score = trial.on(&Measure::continuous("score"))?;
///
/// let test = RandomizationTest::new().on(&score)?;
/// // The observed assignment and its mirror image are the most extreme of 70.
/// assert!((test.treatments[0].p_values.two_sided - 2.0 / 70.0).abs() < 1e-12);
///
/// let adjusted = DifferenceInMeans::new();
/// let test = RandomizationTest::of(&adjusted).seed(7).on(&score)?;
/// assert!(test.treatments[0].replays.exact());
/// println!("{test}");
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Fisher (1935), The Design of Experiments. Imbens & Rubin (2015), Causal Inference, chapter 5. Young (2019),
/// Quarterly Journal of Economics 134:557. Wu & Ding (2021), JASA 116:1898.
#[derive(Debug, Clone, Copy)]
pub struct RandomizationTest<S = OfDesign> {
    statistic: S,
    options: ReplayOptions,
    other_arms: OtherArms,
    joint: Option<JointStatistic>,
    level: f64,
}

impl Default for RandomizationTest {
    fn default() -> Self {
        Self::new()
    }
}

impl RandomizationTest {
    /// The studentised difference that belongs to the allocation: Welch's; within blocks, of pairs, or of means
    /// of clusters.
    pub fn new() -> Self {
        Self::with(OfDesign(None))
    }

    /// Another statistic.
    #[must_use]
    pub fn statistic(mut self, statistic: Statistic) -> Self {
        self.statistic = OfDesign(Some(statistic));
        self
    }
}

impl<'a, E> RandomizationTest<OfEstimator<'a, E>> {
    /// The value of an estimator over its standard error, estimated again in every replay.
    pub fn of(estimator: &'a E) -> Self {
        Self::with(OfEstimator(estimator))
    }
}

impl<S> RandomizationTest<S> {
    fn with(statistic: S) -> Self {
        Self {
            statistic,
            options: ReplayOptions::default(),
            other_arms: OtherArms::default(),
            joint: None,
            level: 0.95,
        }
    }

    setters! {
        /// The other arms while one treatment is compared with the reference; default: held.
        other_arms: OtherArms;
        /// One test of all treatments together, for which everybody is drawn anew; default: none.
        joint: JointStatistic as Some;
        /// The level of intervals; default: 0.95.
        level: f64;
        /// All options of the replay.
        options: ReplayOptions;
        /// The number of draws where nothing exact is possible; default: 9,999.
        options.draws: u64;
        /// The seed of the draws; default: 0.
        options.seed: u64;
        /// All assignments are listed up to this number of them; default: 100,000.
        options.enumerate_up_to: u64;
        /// When the distribution is exact; default: where possible.
        options.exactness: Exactness;
    }

    /// The test of every treatment against the reference.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn on<K: OutcomeKind>(&self, comparison: &Comparison<K>) -> Result<RandomizationResult>
    where
        S: TestStatistic<K>,
    {
        self.run(comparison).map_err(|error| comparison.locate(error))
    }

    fn run<K: OutcomeKind>(&self, comparison: &Comparison<K>) -> Result<RandomizationResult>
    where
        S: TestStatistic<K>,
    {
        let treatments = comparison.arms().len() - 1;
        self.options.check(treatments)?;
        let design = Replayed::of(comparison)?;
        let statistic = self.statistic.prepare(comparison, &design)?;
        let all = design.assigned.assignments()?;
        let redrawn = self.other_arms == OtherArms::Redrawn;
        if redrawn || self.joint.is_some() {
            design.check_whole()?;
        }
        let places: Vec<usize> = (0..treatments).collect();
        let everybody = if redrawn || self.joint.is_some() {
            Some(self.statistic.replay(comparison, &design, &statistic, &all, self.options, &places)?)
        } else {
            None
        };
        let mut notices = design.notices(&all);
        let mut tested = Vec::with_capacity(treatments);
        for place in 0..treatments {
            let arms = [design.code(place + 1), design.code(0)];
            let held = all.clone().among(&arms);
            let own;
            let (assignments, null, at) = match &everybody {
                Some(everybody) if redrawn => (&all, everybody, place),
                _ => {
                    own = self.statistic.replay(
                        comparison,
                        &design,
                        &statistic,
                        &held,
                        self.options,
                        &[place],
                    )?;
                    (&held, &own, 0)
                }
            };
            let interval = if redrawn {
                None
            } else {
                self.statistic.interval(
                    comparison,
                    &design,
                    &statistic,
                    &held,
                    self.options,
                    place,
                    self.level,
                )?
            };
            let label = comparison.treatments()[place].label.clone();
            let treatment = RandomizedTreatment::new(label, null, at, assignments.count(), interval);
            notices.extend(treatment.notices(self.options, self.level));
            tested.push(treatment);
        }
        notices.dedup();
        let joint = self.joint.zip(everybody).map(|(kind, everybody)| {
            let (value, p_value) = everybody.joint(kind);
            JointResult {
                statistic: kind,
                value,
                p_value,
                monte_carlo_error: everybody.monte_carlo_error(p_value),
                replays: everybody.replays(),
            }
        });
        let result = RandomizationResult {
            trial: comparison.trial().clone(),
            measure: comparison.measure().clone(),
            reference: comparison.reference().label.clone(),
            statistic: statistic.tested,
            allocation: design.assigned.allocation.clone(),
            other_arms: self.other_arms,
            treatments: tested,
            joint,
            level: self.level,
            notices: comparison.notices().iter().cloned().chain(notices).collect(),
        };
        result.check()?;
        Ok(result)
    }
}

/// A statistic that was settled for a comparison.
#[derive(Debug)]
pub struct Prepared {
    pub(crate) tested: TestedStatistic,
    /// The observed values of an estimator.
    observed: Vec<f64>,
}

/// Statistics of a randomisation test: of the design, or of an estimator.
pub trait TestStatistic<K: OutcomeKind>: Sync {
    /// The statistic that fits these arms.
    #[doc(hidden)]
    fn prepare(&self, comparison: &Comparison<K>, design: &Replayed) -> Result<Prepared>;

    /// The statistics of these treatments, counted from 0, in every assignment.
    #[doc(hidden)]
    fn replay(
        &self,
        comparison: &Comparison<K>,
        design: &Replayed,
        prepared: &Prepared,
        assignments: &Assignments,
        options: ReplayOptions,
        treatments: &[usize],
    ) -> Result<NullDistribution>;

    /// The interval of a constant effect, where there is one.
    #[doc(hidden)]
    #[allow(clippy::too_many_arguments)]
    fn interval(
        &self,
        _: &Comparison<K>,
        _: &Replayed,
        _: &Prepared,
        _: &Assignments,
        _: ReplayOptions,
        _: usize,
        _: f64,
    ) -> Result<Option<RandomizationInterval>> {
        Ok(None)
    }
}

impl OfDesign {
    pub(super) fn of(statistic: Statistic) -> Self {
        Self(Some(statistic))
    }

    /// The studentised difference that belongs to the allocation.
    fn default_of(design: &Replayed, treatments: usize) -> Statistic {
        let kind = design.assigned.allocation.kind;
        let each = |least| {
            (1..=treatments).all(|place| design.blocks_have([design.code(place), design.code(0)], least))
        };
        match kind {
            AllocationKind::Clustered | AllocationKind::BlockedClustered => {
                Statistic::StudentizedClusterMeans
            }
            AllocationKind::Paired if treatments == 1 && each(1) => Statistic::PairedT,
            AllocationKind::Blocked | AllocationKind::Stratified if each(2) => {
                Statistic::BlockedStudentizedDifference
            }
            _ => Statistic::StudentizedDifference,
        }
    }

    fn replay_of<'r>(
        statistic: Statistic,
        design: &Replayed,
        assignments: &'r Assignments,
        options: ReplayOptions,
        treatments: &[usize],
    ) -> Replay<'r> {
        let codes: Vec<u32> = treatments.iter().map(|place| design.code(place + 1)).collect();
        Replay::new(assignments, statistic)
            .outcome(&design.outcome)
            .treatments(&codes)
            .control(design.code(0))
            .options(options)
    }
}

macro_rules! of_design {
    ($($kind:ty: $ranks_alone:literal),*) => {$(
        impl TestStatistic<$kind> for OfDesign {
            fn prepare(&self, comparison: &Comparison<$kind>, design: &Replayed) -> Result<Prepared> {
                let treatments = comparison.arms().len() - 1;
                let chosen = self.0.unwrap_or_else(|| Self::default_of(design, treatments));
                let ranks = matches!(
                    chosen,
                    Statistic::RankSum | Statistic::VanElteren | Statistic::SignedRank
                );
                if $ranks_alone && !ranks {
                    return Err(Error::invalid(
                        "ordered categories have ranks and no mean; name Statistic::RankSum or an estimator",
                    ));
                }
                if comparison.people().is_ok_and(|people| people.second.is_some()) {
                    return Err(Error::invalid(
                        "counts with an exposure are compared by their rates; name an estimator, RandomizationTest::of(..)",
                    ));
                }
                Ok(Prepared { tested: TestedStatistic::Design(chosen), observed: Vec::new() })
            }

            fn replay(
                &self,
                _: &Comparison<$kind>,
                design: &Replayed,
                prepared: &Prepared,
                assignments: &Assignments,
                options: ReplayOptions,
                treatments: &[usize],
            ) -> Result<NullDistribution> {
                let TestedStatistic::Design(statistic) = prepared.tested else {
                    return Err(Error::invalid("the statistic is of an estimator; name the estimator"));
                };
                Self::replay_of(statistic, design, assignments, options, treatments)
                    .run()
                    .map_err(|error| design.named(error))
            }

            fn interval(
                &self,
                comparison: &Comparison<$kind>,
                design: &Replayed,
                prepared: &Prepared,
                assignments: &Assignments,
                options: ReplayOptions,
                treatment: usize,
                level: f64,
            ) -> Result<Option<RandomizationInterval>> {
                let TestedStatistic::Design(statistic) = prepared.tested else { return Ok(None) };
                let unpaired = matches!(
                    statistic,
                    Statistic::StudentizedDifference
                        | Statistic::BlockedStudentizedDifference
                        | Statistic::StudentizedClusterMeans
                );
                let _ = comparison;
                if <$kind as OutcomeKind>::NAME != Continuous::NAME || !(unpaired || statistic.is_linear()) {
                    return Ok(None);
                }
                let replay = Self::replay_of(statistic, design, assignments, options, &[treatment]);
                match replay.interval(level) {
                    Ok(interval) => Ok(Some(interval)),
                    // Outcomes without spread have a test and no interval; so has a test that was stopped.
                    Err(error)
                        if matches!(error.kind(), ErrorKind::NotEstimable(_) | ErrorKind::Stopped(_)) =>
                    {
                        Ok(None)
                    }
                    Err(error) => Err(error),
                }
            }
        }
    )*};
}
of_design!(Binary: false, Continuous: false, Count: false, Ordinal: true);

/// `linear regression, adjusted for age`.
pub(crate) fn method_words(method: &crate::effect::Method) -> String {
    if method.adjusted_for.is_empty() {
        return method.estimator.clone();
    }
    let names: Vec<&str> = method.adjusted_for.iter().map(String::as_str).collect();
    format!("{}, adjusted for {}", method.estimator, names.join(", "))
}

/// The value over its standard error: 0/0 is 0, and x/0 infinite.
pub(crate) fn studentized(effect: &Inference) -> f64 {
    let (value, se) = (effect.value(), effect.se());
    if se > 0.0 {
        value / se
    } else if value == 0.0 {
        0.0
    } else {
        value.signum() * f64::INFINITY
    }
}

impl<K: OutcomeKind, E: Estimator<K> + Sync> TestStatistic<K> for OfEstimator<'_, E> {
    fn prepare(&self, comparison: &Comparison<K>, _: &Replayed) -> Result<Prepared> {
        let effects = comparison.estimate(self.0)?;
        Ok(Prepared {
            tested: TestedStatistic::Estimator(method_words(effects.method())),
            observed: effects.contrasts.iter().map(|contrast| studentized(&contrast.inference)).collect(),
        })
    }

    fn replay(
        &self,
        comparison: &Comparison<K>,
        _: &Replayed,
        prepared: &Prepared,
        assignments: &Assignments,
        options: ReplayOptions,
        treatments: &[usize],
    ) -> Result<NullDistribution> {
        comparison.people()?;
        let observed = treatments.iter().map(|&place| prepared.observed[place]).collect();
        replay_each(assignments, options, observed, |arm| {
            let effects = comparison.reassigned(arm).and_then(|replay| replay.estimate(self.0));
            match effects {
                Ok(effects) => Ok(Some(
                    treatments
                        .iter()
                        .map(|&place| studentized(&effects.contrasts[place].inference))
                        .collect(),
                )),
                Err(error) if matches!(error.kind(), ErrorKind::Stopped(_)) => Err(error),
                Err(_) => Ok(None),
            }
        })
    }
}

impl RandomizedTreatment {
    fn new(
        treatment: crate::design::Label,
        null: &NullDistribution,
        at: usize,
        assignments: Option<u64>,
        interval: Option<RandomizationInterval>,
    ) -> Self {
        let p_values = null.p_values(at);
        Self {
            treatment,
            statistic: null.observed()[at],
            p_values,
            monte_carlo_error: null.monte_carlo_error(p_values.two_sided),
            smallest_p_value: null.smallest_p_value(at),
            undefined: null.undefined(at) as u64,
            replays: null.replays(),
            assignments,
            interval,
            distribution: RandomizationDistribution::of(null, at),
        }
    }

    fn notices(&self, options: ReplayOptions, level: f64) -> Vec<Notice> {
        let treatment = || self.treatment.clone();
        let mut notices = Vec::new();
        match self.replays {
            Replays::Enumerated { assignments } if assignments < options.draws => {
                notices.push(Notice::FewerAssignments { assignments, draws: options.draws });
            }
            Replays::Drawn { draws, of, .. } if draws < of => {
                notices.push(Notice::PartialDraws { draws, of });
            }
            _ => {}
        }
        if self.undefined > 0 {
            notices.push(Notice::UndefinedReplays { treatment: treatment(), replays: self.undefined });
        }
        if self.smallest_p_value > 1.0 - level + 1e-12 {
            let p_value = self.smallest_p_value;
            notices.push(Notice::SmallestPValue { treatment: treatment(), p_value });
        }
        let unbounded = |interval: &RandomizationInterval| {
            let interval = interval.interval;
            interval.lower().is_infinite() || interval.upper().is_infinite()
        };
        if self.interval.as_ref().is_some_and(unbounded) {
            notices.push(Notice::UnboundedInterval { treatment: treatment() });
        }
        notices
    }
}
