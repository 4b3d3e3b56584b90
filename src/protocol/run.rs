//! Running a plan.

use super::any_pool::AnyPool;
use super::outcome::PlannedOutcome;
use super::plan::AnalysisPlan;
use super::results::{Failure, PlanAnswer, PlanPool, PlanResults};
use crate::compute::threads::in_parts;
use crate::design::{Arm, Label, Measure, OutcomeKind, OutcomeValues, Trial, Trials, each_kind};
use crate::effect::{AnyScale, Effects, Estimates};
use crate::error::{Error, ErrorKind, Result};
use crate::estimator::{AnyEstimator, Estimated, estimate_all, instead};

/// What one outcome gives in one trial, analysis by analysis.
struct Cell {
    results: Vec<Result<Estimates<AnyScale>>>,
    fits: usize,
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
        let cells = in_parts(tasks, 1, true, |task| {
            let (outcome, trial) = (task.start / trials.len(), task.start % trials.len());
            self.cell(&self.outcomes[outcome], trials[trial])
        });
        let fits = cells.iter().map(|cell| cell.fits).sum();
        let mut cells = cells.into_iter();
        let (mut answers, mut pools) = (Vec::new(), Vec::new());
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
                answers.extend(results.map(|(trial, result)| PlanAnswer {
                    outcome: outcome.measure.name().to_owned(),
                    outcome_role: outcome.role,
                    analysis: analysis.label(),
                    analysis_role: analysis.role,
                    trial,
                    result: result.map_err(|error| Failure::from(&error)),
                }));
                if trials.len() > 1 {
                    let level = analysis.level.unwrap_or(self.level);
                    self.pool_answers(&answers[first..], &shared, level, &mut pools);
                }
            }
        }
        let separate = trials.len() > 1 && self.pools.iter().any(AnyPool::is_of_one_treatment);
        let unpooled = if separate { alone } else { Vec::new() };
        Ok(PlanResults { plan: self.clone(), answers, pools, unpooled, comparisons: tasks, fits })
    }

    /// The treatments that several trials have, and those that one has.
    fn arms<A: Arm>(&self, trials: &[&Trial<A>]) -> (Vec<Label>, Vec<Label>) {
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
        let estimators: Vec<AnyEstimator> =
            outcome.analyses.iter().map(|analysis| analysis.at_level(self.level)).collect();
        let fallbacks: Vec<Option<AnyEstimator>> =
            outcome.analyses.iter().map(|analysis| analysis.fallback_at_level(self.level)).collect();
        each_kind!(&outcome.measure, measure => self.estimate(trial, measure, &estimators, &fallbacks))
    }

    fn estimate<A: Arm, K: OutcomeKind>(
        &self,
        trial: &Trial<A>,
        measure: &Measure<K>,
        estimators: &[AnyEstimator],
        fallbacks: &[Option<AnyEstimator>],
    ) -> Cell
    where
        Measure<K>: OutcomeValues,
    {
        let comparison = if self.treatments.is_empty() {
            trial.on(measure)
        } else {
            trial.on_arms(&self.treatments, measure)
        };
        match comparison {
            Ok(comparison) => {
                let Estimated { mut results, mut fits } = estimate_all(&comparison, estimators);
                for (result, fallback) in results.iter_mut().zip(fallbacks) {
                    if let (Err(error), Some(fallback)) = (&*result, fallback)
                        && error.kind().depends_on_outcome()
                    {
                        let other = estimate_all(&comparison, std::slice::from_ref(fallback));
                        fits += other.fits;
                        if let Some(answer) = other.results.into_iter().next() {
                            *result = answer.map(|estimates| instead(&estimates, error));
                        }
                    }
                }
                Cell { results, fits }
            }
            Err(error) => Cell { results: estimators.iter().map(|_| Err(error.clone())).collect(), fits: 0 },
        }
    }

    /// The pools of one analysis.
    fn pool_answers(&self, answers: &[PlanAnswer], shared: &[Label], level: f64, pools: &mut Vec<PlanPool>) {
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
                pool: pool.name().to_owned(),
                treatment,
                failed: failed.clone(),
                result: result.map_err(|error: Error| Failure::from(&error.in_measure(&first.outcome))),
            }));
        }
    }
}
