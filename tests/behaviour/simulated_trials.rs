//! Trials rehearsed by simulation: they agree with the formulas, whatever the threads, and stop when they are
//! told.

use armwise::power::{GroupSizes, ProportionFormula, TestLevel, TwoMeansPower, TwoProportionsPower};
use armwise::prelude::*;
use armwise::progress::Progress;
use armwise::prospective::{
    Answer, ListMethod, Simulated, SimulatedOutcome, SimulatedPopulation, Simulation,
};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

const WORKS: Measure<Binary> = Measure::binary("outcome");
const SCORE: Measure<Continuous> = Measure::continuous("outcome");

fn binary(proportions: &[f64], people: u32) -> SimulatedPopulation {
    SimulatedPopulation::new(SimulatedOutcome::Binary { proportions: proportions.to_vec() }, people).unwrap()
}

fn differences(trials: &Trials) -> armwise::Result<Vec<Answer>> {
    let comparison = trials.trial("city 1")?.on(&WORKS)?;
    Ok(comparison.estimate(&DifferenceInProportions::new())?.iter().map(|one| Answer::of(&one)).collect())
}

fn means(trials: &Trials) -> armwise::Result<Vec<Answer>> {
    let comparison = trials.trial("city 1")?.on(&SCORE)?;
    Ok(comparison.estimate(&DifferenceInMeans::new())?.iter().map(|one| Answer::of(&one)).collect())
}

fn near(found: &Simulated, treatment: usize, power: f64, slack: f64) {
    let got = found.treatments[treatment].power.unwrap();
    assert!((got.value - power).abs() < 4.0 * got.error + slack, "{found}\nwant {power}");
}

/// Within four Monte Carlo errors of the formula; the last number is what the formula itself may err by.
#[test]
fn power_by_simulation_and_by_formula() {
    let test = TestLevel::two_sided(0.05).unwrap();
    for (p1, p0, n) in [(0.35, 0.20, 100), (0.30, 0.20, 250), (0.10, 0.05, 300)] {
        let found = Simulation::new(binary(&[p0, p1], 2 * n), 3).replicates(1_500).run(&differences).unwrap();
        let formula = TwoProportionsPower::new(p1, p0, ProportionFormula::Unpooled).unwrap();
        let power = formula.power(GroupSizes::equal(f64::from(n)).unwrap(), test).unwrap();
        near(&found, 0, power, 0.02);
        let one = &found.treatments[0];
        let bias = one.bias.unwrap();
        assert!(bias.value.abs() < 4.0 * bias.error, "{found}");
        let coverage = one.coverage.unwrap();
        assert!((coverage.value - 0.95).abs() < 4.0 * coverage.error + 0.01, "{found}");
        assert!(one.type_s.unwrap().value < 0.01 && one.type_m.unwrap().value > 1.0, "{found}");
    }
    for (d, n) in [(0.5, 30), (0.8, 12)] {
        let outcome = SimulatedOutcome::Score { means: vec![50.0, 50.0 + 10.0 * d], sd: 10.0 };
        let people = SimulatedPopulation::new(outcome, 2 * n).unwrap();
        let found = Simulation::new(people, 9).replicates(1_500).run(&means).unwrap();
        let power = TwoMeansPower::new(d).unwrap().power(GroupSizes::equal(f64::from(n)).unwrap(), test);
        near(&found, 0, power.unwrap(), 0.005);
    }
}

/// Without an effect the level is held, one by one and, with Bonferroni's level, together.
#[test]
fn type_one_error_and_familywise_error() {
    let people = binary(&[0.3, 0.3, 0.3], 450);
    let found = Simulation::new(people, 4).replicates(1_500).alpha(0.025).run(&differences).unwrap();
    near(&found, 0, 0.025, 0.005);
    near(&found, 1, 0.025, 0.005);
    let any = found.any_significant.unwrap();
    assert!(any.value < 0.05 + 4.0 * any.error && any.value > 0.03, "{found}");
    assert!(found.treatments[0].type_s.is_none() && found.treatments[0].type_m.is_none());
    assert!(found.to_string().contains("type I error"));
}

/// Strata, take-up, dropout, a covariate and every method of assignment: the estimate stays unbiased for the
/// offer.
#[test]
fn the_effect_of_the_offer_is_unbiased() {
    let methods = [
        ListMethod::Complete,
        ListMethod::PermutedBlocks { sizes: vec![2, 4] },
        ListMethod::BiasedCoin { probability: 0.7 },
        ListMethod::Minimisation { probability: 0.8, weights: vec![1.0] },
        ListMethod::Rerandomised { bound: 1.0, most: 1_000 },
    ];
    for method in methods {
        let people = binary(&[0.2, 0.5], 200)
            .strata([("young", 0.4, 0.1), ("old", 0.6, -0.05)])
            .unwrap()
            .covariate(0.6)
            .unwrap()
            .dropout(vec![0.1, 0.2])
            .unwrap()
            .take_up(vec![0.1, 0.8])
            .unwrap()
            .method(method.clone())
            .unwrap();
        assert!((people.truth()[0] - 0.7 * 0.3).abs() < 1e-12);
        let found = Simulation::new(people, 6).replicates(500).run(&differences).unwrap();
        let bias = found.treatments[0].bias.unwrap();
        assert!(bias.value.abs() < 4.5 * bias.error, "{method:?} {found}");
    }
}

/// Cities that differ, pooled as the real ones will be.
#[test]
fn pooled_cities() {
    let outcome = SimulatedOutcome::Score { means: vec![50.0, 53.0], sd: 10.0 };
    let people = SimulatedPopulation::new(outcome, 80).unwrap().cities(5, 4.0, 1.0).unwrap();
    let pooled = |trials: &Trials| {
        let effects = trials.on(&SCORE)?.estimate(&DifferenceInMeans::new())?;
        let own = effects.treatment("treatment 1")?;
        Ok(vec![Answer::of_pooled(&RandomEffects::new().pool(&own)?)])
    };
    let found = Simulation::new(people, 12).replicates(300).run(&pooled).unwrap();
    let one = &found.treatments[0];
    assert!(one.bias.unwrap().value.abs() < 4.0 * one.bias.unwrap().error, "{found}");
    assert!(one.coverage.unwrap().value > 0.9, "{found}");
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Simulated>(&text).unwrap(), found);
    assert!(serde_json::from_str::<Simulated>(&text.replace("\"done\":300", "\"done\":301")).is_err());
}

#[cfg(feature = "rayon")]
#[test]
fn the_same_bits_on_any_number_of_threads() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            Simulation::new(binary(&[0.2, 0.3, 0.25], 90), 5).replicates(60).run(&differences).unwrap()
        })
    };
    assert_eq!(run(1), run(3));
}

/// Scenarios of one size share their people: the covariates, and the arms.
#[test]
fn scenarios_share_their_people() {
    let columns = |people: &SimulatedPopulation| {
        let trials = people.trials(3, 8).unwrap();
        let table = trials.iter().next().unwrap().table().clone();
        let x: Vec<f64> = table.column("x").unwrap().reals().unwrap().flatten().collect();
        x
    };
    assert_eq!(columns(&binary(&[0.2, 0.3], 50)), columns(&binary(&[0.1, 0.4], 50)));
    assert_ne!(columns(&binary(&[0.2, 0.3], 50)), columns(&binary(&[0.2, 0.3], 51)));
}

#[test]
fn a_simulation_stops_and_keeps_what_is_done() {
    let seen = AtomicU64::new(0);
    let bar = Progress::new(move |step| {
        assert_eq!(step.units, "replicates");
        seen.store(step.done, Ordering::Relaxed);
        if step.done > 20 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let simulation = Simulation::new(binary(&[0.2, 0.3], 400), 5).replicates(100_000);
    let part = bar.watch(|| simulation.run(&differences)).unwrap();
    assert!(part.is_partial() && part.done > 20 && part.treatments[0].power.is_some(), "{part}");
    let error = bar.watch(|| simulation.run(&differences)).unwrap_err();
    assert_eq!(error.kind().name(), "stopped");
}

#[test]
fn failures_are_counted_and_refusals_say_what_would_work() {
    let rare = |trials: &Trials| {
        let comparison = trials.trial("city 1")?.on(&WORKS)?;
        Ok(comparison.estimate(&LogisticRegression::new())?.iter().map(|one| Answer::of(&one)).collect())
    };
    let found = Simulation::new(binary(&[0.03, 0.05], 40), 5).replicates(60).run(&rare).unwrap();
    assert!(found.failures.values().sum::<u32>() > 5, "{found}");
    let said = |error: armwise::Error, words: &str| {
        let text = error.to_string();
        assert!(text.contains(words) && text.contains(';'), "{text}");
    };
    let none = |_: &Trials| Ok(Vec::new());
    said(
        Simulation::new(binary(&[0.2, 0.3], 20), 1).run(&none).unwrap_err(),
        "an answer for each treated arm",
    );
    said(Simulation::new(binary(&[0.2, 0.3], 20), 1).replicates(0).run(&none).unwrap_err(), "at least one");
    let outcome = SimulatedOutcome::Binary { proportions: vec![0.2, 1.3] };
    said(SimulatedPopulation::new(outcome, 20).unwrap_err(), "shares from 0 to 1");
    said(binary(&[0.2, 0.3], 20).dropout(vec![0.1]).unwrap_err(), "one of each for every arm");
    said(binary(&[0.2, 0.3], 20).strata([("a", 0.5, 0.0)]).unwrap_err(), "sum to 1");
    let blocks = ListMethod::PermutedBlocks { sizes: vec![3] };
    said(binary(&[0.2, 0.3], 20).method(blocks).unwrap_err(), "does not hold the ratio");
}
