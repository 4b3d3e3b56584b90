//! A plan as the analysis of simulated trials.

use super::{AnalysisPlan, PoolResult};
use crate::design::Trials;
use crate::error::{Error, ErrorKind, Result};
use crate::prospective::{Analysis, Answer};

/// The first outcome of the plan by its first analysis: pooled where the plan pools it and there are several
/// trials, by the first pool that answers for a treatment; else the effects of the trial.
///
/// # Examples
/// ```
/// use armwise::prospective::{Simulation, SimulatedOutcome, SimulatedPopulation};
/// use armwise::protocol::AnalysisPlan;
///
/// let plan = AnalysisPlan::from_json(
///     r#"{"title": "Work", "outcomes": [{"measure": {"kind": "binary", "column": "outcome"},
///         "analyses": [{"estimator": "difference_in_proportions"}]}]}"#,
/// )?;
/// let outcome = SimulatedOutcome::Binary { proportions: vec![0.2, 0.4] };
/// let people = SimulatedPopulation::new(outcome, 160)?;
/// let rehearsed = Simulation::new(people, 7).replicates(50).run(&plan)?;
/// assert_eq!(rehearsed.done, 50);
/// assert!(rehearsed.treatments[0].bias.unwrap().value.abs() < 0.04);
/// # Ok::<(), armwise::Error>(())
/// ```
impl Analysis for AnalysisPlan {
    fn analyse(&self, trials: &Trials) -> Result<Vec<Answer>> {
        let results = self.run_all(trials)?;
        let failed = |kind: &str, message: &str| {
            // The kind of a failure in a plan is a word.
            let why = format!("the plan has no answer ({kind}): {message}");
            Error::from(ErrorKind::NotEstimable(why))
        };
        let Some(first) = results.answers().first() else {
            return Err(Error::invalid("the plan has no analysis; give an outcome with one"));
        };
        let (outcome, analysis) = (first.outcome.clone(), first.analysis.clone());
        let of = |own: &str, by: &str| own == outcome && by == analysis;
        let pools: Vec<_> = results.pools().iter().filter(|pool| of(&pool.outcome, &pool.analysis)).collect();
        if trials.len() > 1 && !pools.is_empty() {
            let method = &pools[0].pool;
            let mut answers = Vec::new();
            for pool in pools.iter().filter(|pool| pool.pool == *method) {
                match &pool.result {
                    Ok(PoolResult::OfTreatment(pooled)) => answers.push(Answer::of_pooled(pooled)),
                    Ok(PoolResult::Jointly(pooled)) => answers.extend(Answer::of_joint(pooled)),
                    Err(failure) => return Err(failed(&failure.kind, &failure.message)),
                }
            }
            return Ok(answers);
        }
        match &first.result {
            Ok(estimates) => Ok(estimates.iter().map(|one| Answer::of(&one)).collect()),
            Err(failure) => Err(failed(&failure.kind, &failure.message)),
        }
    }
}
