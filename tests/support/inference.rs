//! Results that repeat an analysis, and those of a trial without an estimate, listed once.

use super::data::WORKS;
use super::pools::Visit;
use armwise::design::BaselineTable;
use armwise::inference::{Bootstrap, Jackknife, MultipleMarginalModels, RandomizationTest, StepDownTest};
use armwise::multiplicity::Alternative;
use armwise::prelude::*;

/// Of a trial of [`super::data::trial`].
pub(crate) fn replays(trial: &Trial, seed: u64, visit: &mut impl Visit) {
    let (Ok(works), Ok(score)) = (trial.on(&WORKS), trial.on(&Measure::continuous("score"))) else { return };
    let (welch, proportions) = (DifferenceInMeans::new(), DifferenceInProportions::new());
    let test = RandomizationTest::new().draws(49).enumerate_up_to(1).seed(seed);
    visit.see("randomisation test of a score", test.on(&score));
    visit.see("randomisation test of events", test.on(&works));
    let family = StepDownTest::new("primary").draws(49).enumerate_up_to(1).seed(seed);
    visit.see(
        "steps down",
        family.with(&score).and_then(|family| family.with_estimator(&works, &proportions)?.run()),
    );
    visit.see(
        "marginal models",
        MultipleMarginalModels::new("primary")
            .with(&score, &welch)
            .and_then(|family| family.with(&works, &proportions)?.fit(Alternative::TwoSided, 0.95)),
    );
    visit.see("bootstrap", score.estimate(&Bootstrap::of(&welch).replicates(49).seed(seed)));
    visit.see("jackknife", works.estimate(&Jackknife::of(&proportions)));
    visit.see("baseline", BaselineTable::of(trial, ["age", "contract"]));
}
