//! Running a plan.

use super::any_pool::AnyPool;
use super::outcome::{PlannedAnalysis, PlannedOutcome, PlannedSubgroups};
use super::plan::AnalysisPlan;
use super::results::{Failure, InSubgroup, PlanAnswer, PlanInteraction, PlanPool, PlanResults};
use crate::compute::progress::Task;
use crate::compute::threads::in_parts;
use crate::design::{Arm, Comparison, Label, Measure, OutcomeKind, OutcomeValues, Trial, Trials, each_kind};
use crate::effect::{AnyScale, Effects, Estimates, SubgroupEffects};
use crate::error::{Error, ErrorKind, Result};
use crate::estimator::{AnyEstimator, Estimated, estimate_all, instead};
use std::borrow::Cow;

/// What one outcome gives in one trial, analysis by analysis.
struct Cell {
    results: Vec<Analysed>,
    fits: usize,
}

/// What one analysis gives: one answer, or one for each subgroup with their test.
#[derive(Default)]
struct Analysed {
    parts: Vec<(Option<Label>, Result<Estimates<AnyScale>>)>,
    interaction: Option<Result<SubgroupEffects<AnyScale>>>,
}

impl Cell {
    fn failed(analyses: &[PlannedAnalysis], error: &Error) -> Self {
        Self { results: analyses.iter().map(|_| Analysed::failed(error)).collect(), fits: 0 }
    }
}

impl Analysed {
    fn failed(error: &Error) -> Self {
        Self { parts: vec![(None, Err(error.clone()))], interaction: None }
    }
}

impl AnalysisPlan {
    /// Every analysis of every outcome in one trial.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidPlan`](crate::ErrorKind::InvalidPlan) with everything that does not fit the trial.
    /// An analysis that has no answer is no error: its [`Failure`] is in the results.
    pub fn run<A: Arm>(&self, trial: &Trial<A>) -> Result<PlanResults> {
        self.run_on(&[trial])
    }

    /// Every analysis of every outcome in all trials, and the pools over them.
    ///
    /// # Errors
    /// As for [`AnalysisPlan::run`].
    pub fn run_all<A: Arm>(&self, trials: &Trials<A>) -> Result<PlanResults> {
        self.run_on(&trials.iter().collect::<Vec<_>>())
    }

    fn run_on<A: Arm>(&self, trials: &[&Trial<A>]) -> Result<PlanResults> {
        self.check(trials.iter().copied())?;
        let tasks = self.outcomes.len() * trials.len();
        let progress = Task::start("outcomes of trials", tasks as u64);
        let cells = in_parts(tasks, 1, true, |task| {
            let (outcome, trial) = (task.start / trials.len(), task.start % trials.len());
            let outcome = &self.outcomes[outcome];
            // What is finished stays; the rest fails in its place.
            let cell = match progress.check() {
                Ok(()) => self.cell(outcome, trials[trial]),
                Err(step) => Cell::failed(&outcome.analyses, &step.into()),
            };
            let _ = progress.advance(u64::from(!progress.stopped()));
            cell
        });
        let fits = cells.iter().map(|cell| cell.fits).sum();
        let mut cells = cells.into_iter();
        let (mut answers, mut pools, mut interactions) = (Vec::new(), Vec::new(), Vec::new());
        let (shared, alone) = self.arms(trials);
        for outcome in &self.outcomes {
            let mut by_trial: Vec<_> =
                cells.by_ref().take(trials.len()).map(|cell| cell.results.into_iter()).collect();
            for analysis in &outcome.analyses {
                let results = by_trial
                    .iter_mut()
                    .zip(trials)
                    .filter_map(|(results, trial)| Some((trial.name().clone(), results.next()?)));
                let first = answers.len();
                let (name, label) = (outcome.measure.name(), analysis.label());
                for (trial, Analysed { parts, interaction }) in results {
                    interactions.extend(interaction.map(|result| PlanInteraction {
                        outcome: name.to_owned(),
                        analysis: label.clone(),
                        trial: trial.clone(),
                        result: result.map_err(|error| Failure::from(&error)),
                    }));
                    answers.extend(parts.into_iter().map(|(level, result)| PlanAnswer {
                        outcome: name.to_owned(),
                        outcome_role: outcome.role,
                        analysis: label.clone(),
                        analysis_role: analysis.role,
                        trial: trial.clone(),
                        population: analysis.population.as_ref().map(|one| one.name().to_owned()),
                        subgroup:
                            analysis.subgroups.as_ref().zip(level).map(|(subgroups, level)| InSubgroup {
                                column: subgroups.column.clone(),
                                level,
                            }),
                        result: result.map_err(|error| Failure::from(&error)),
                    }));
                }
                if trials.len() > 1 {
                    let level = analysis.level.unwrap_or(self.level);
                    for answers in by_level(&answers[first..]) {
                        self.pool_answers(&answers, &shared, level, &mut pools);
                    }
                }
            }
        }
        let separate = trials.len() > 1 && self.pools.iter().any(AnyPool::is_of_one_treatment);
        let unpooled = if separate { alone } else { Vec::new() };
        let families = self.adjusted(trials, &answers, &pools);
        Ok(PlanResults {
            plan: self.clone(),
            families,
            answers,
            pools,
            interactions,
            unpooled,
            comparisons: tasks,
            fits,
        })
    }

    /// The treatments that several trials have, and those that one has.
    pub(super) fn arms<A: Arm>(&self, trials: &[&Trial<A>]) -> (Vec<Label>, Vec<Label>) {
        let mut arms: Vec<(&Label, usize)> = Vec::new();
        let planned = |arm: &&Label| self.treatments.is_empty() || self.treatments.contains(arm);
        for arm in trials.iter().flat_map(|trial| trial.arm_labels().skip(1)).filter(planned) {
            match arms.iter_mut().find(|(label, _)| *label == arm) {
                Some((_, trials)) => *trials += 1,
                None => arms.push((arm, 1)),
            }
        }
        let (shared, alone): (Vec<_>, Vec<_>) = arms.into_iter().partition(|(_, trials)| *trials > 1);
        let labels = |arms: Vec<(&Label, usize)>| arms.into_iter().map(|(label, _)| label.clone()).collect();
        (labels(shared), labels(alone))
    }

    /// One outcome in one trial: read once, then estimated by all of its analyses.
    fn cell<A: Arm>(&self, outcome: &PlannedOutcome, trial: &Trial<A>) -> Cell {
        each_kind!(&outcome.measure, measure => self.estimate(trial, measure, &outcome.analyses))
    }

    fn estimate<A: Arm, K: OutcomeKind>(
        &self,
        trial: &Trial<A>,
        measure: &Measure<K>,
        analyses: &[PlannedAnalysis],
    ) -> Cell
    where
        Measure<K>: OutcomeValues,
    {
        let comparison = if self.treatments.is_empty() {
            trial.on(measure)
        } else {
            trial.on_arms(&self.treatments, measure)
        };
        let comparison = match comparison {
            Ok(comparison) => comparison,
            Err(error) => {
                return Cell::failed(analyses, &error);
            }
        };
        let mut results: Vec<Option<Analysed>> = analyses.iter().map(|_| None).collect();
        let mut fits = 0;
        for (first, analysis) in analyses.iter().enumerate() {
            if results[first].is_some() {
                continue;
            }
            // Analyses of the same people share fits.
            let alike = |i: &usize| analyses[*i].is_of_the_same(analysis);
            let members: Vec<usize> = (first..analyses.len()).filter(alike).collect();
            let asked: Vec<&PlannedAnalysis> = members.iter().map(|&i| &analyses[i]).collect();
            let (answers, more) = self.of_people(&comparison, analysis, &asked);
            fits += more;
            for (i, answer) in members.into_iter().zip(answers) {
                results[i] = Some(answer);
            }
        }
        Cell { results: results.into_iter().flatten().collect(), fits }
    }

    /// The analyses of the population and the subgroups of one of them.
    fn of_people<K: OutcomeKind>(
        &self,
        comparison: &Comparison<K>,
        of: &PlannedAnalysis,
        asked: &[&PlannedAnalysis],
    ) -> (Vec<Analysed>, usize) {
        let failed = |error: &Error| (asked.iter().map(|_| Analysed::failed(error)).collect(), 0);
        let people = match of.population.as_ref().map(|population| comparison.of_population(population)) {
            None => Cow::Borrowed(comparison),
            Some(Ok(people)) => Cow::Owned(people),
            Some(Err(error)) => return failed(&error),
        };
        let Some(PlannedSubgroups { column, levels }) = &of.subgroups else {
            let (results, fits) = self.answers(&people, asked);
            let alone = |result| Analysed { parts: vec![(None, result)], interaction: None };
            return (results.into_iter().map(alone).collect(), fits);
        };
        let subgroups = match people.subgroups(column, levels) {
            Ok(subgroups) => subgroups,
            Err(error) => return failed(&error),
        };
        let mut all: Vec<Analysed> = asked.iter().map(|_| Analysed::default()).collect();
        let mut fits = 0;
        for (level, part) in subgroups.levels().iter().zip(subgroups.comparisons()) {
            let (results, more) = self.answers(part, asked);
            fits += more;
            for (one, result) in all.iter_mut().zip(results) {
                one.parts.push((Some(level.clone()), result));
            }
        }
        for one in &mut all {
            let effects: Result<Vec<_>> = one.parts.iter().map(|(_, result)| result.clone()).collect();
            let (levels, notices) = (subgroups.levels().to_vec(), subgroups.notices().to_vec());
            one.interaction = Some(
                effects.and_then(|effects| SubgroupEffects::new(column.clone(), levels, effects, notices)),
            );
        }
        (all, fits)
    }

    /// The answers of these analyses, with their fallbacks where the outcomes leave them without one.
    fn answers<K: OutcomeKind>(
        &self,
        comparison: &Comparison<K>,
        asked: &[&PlannedAnalysis],
    ) -> (Vec<Result<Estimates<AnyScale>>>, usize) {
        let estimators: Vec<AnyEstimator> = asked.iter().map(|one| one.at_level(self.level)).collect();
        let Estimated { mut results, mut fits } = estimate_all(comparison, &estimators);
        for (result, analysis) in results.iter_mut().zip(asked) {
            if let (Err(error), Some(fallback)) = (&*result, analysis.fallback_at_level(self.level))
                && error.kind().depends_on_outcome()
            {
                let other = estimate_all(comparison, std::slice::from_ref(&fallback));
                fits += other.fits;
                if let Some(answer) = other.results.into_iter().next() {
                    *result = answer.map(|estimates| instead(&estimates, error));
                }
            }
        }
        (results, fits)
    }

    /// The pools of one analysis.
    fn pool_answers(&self, answers: &[&PlanAnswer], shared: &[Label], level: f64, pools: &mut Vec<PlanPool>) {
        let Some(first) = answers.first() else { return };
        let estimates = answers.iter().filter_map(|answer| answer.result.as_ref().ok()).cloned();
        let failed = answers.iter().filter(|answer| answer.result.is_err());
        let failed: Vec<Label> = failed.map(|answer| answer.trial.clone()).collect();
        let effects = Effects::new(estimates);
        let lost = answers.iter().filter(|one| one.result.as_ref().is_err_and(Failure::depends_on_outcome));
        let lost: Vec<&str> = lost.map(|answer| answer.trial.as_str()).collect();
        let effects = effects.and_then(|effects| {
            if lost.is_empty() {
                return Ok(effects);
            }
            Err(ErrorKind::NotEstimable(format!(
                "the outcomes leave the analysis without an answer in {}, and a pool of the others would select trials by their outcomes; \
                 name an estimator for such trials with fallback(..), or pool the effects of the others by hand",
                lost.join(", ")
            ))
            .into())
        });
        for pool in &self.pools {
            let found = match &effects {
                Ok(effects) => pool.pool(effects, shared, level),
                Err(error) => vec![(None, Err(error.clone()))],
            };
            pools.extend(found.into_iter().map(|(treatment, result)| PlanPool {
                outcome: first.outcome.clone(),
                outcome_role: first.outcome_role,
                analysis: first.analysis.clone(),
                analysis_role: first.analysis_role,
                population: first.population.clone(),
                subgroup: answers.iter().find_map(|answer| answer.subgroup.clone()),
                pool: pool.name().to_owned(),
                treatment,
                failed: failed.clone(),
                result: result.map_err(|error: Error| Failure::from(&error.in_measure(&first.outcome))),
            }));
        }
    }
}

/// The answers of one analysis, those of each subgroup by themselves; a trial that could not be divided
/// belongs to all of them.
fn by_level(answers: &[PlanAnswer]) -> Vec<Vec<&PlanAnswer>> {
    let mut levels: Vec<&InSubgroup> = Vec::new();
    for level in answers.iter().filter_map(|answer| answer.subgroup.as_ref()) {
        if !levels.contains(&level) {
            levels.push(level);
        }
    }
    if levels.is_empty() {
        return vec![answers.iter().collect()];
    }
    let of = |level: &InSubgroup| {
        answers.iter().filter(|answer| answer.subgroup.as_ref().is_none_or(|own| own == level)).collect()
    };
    levels.into_iter().map(of).collect()
}
