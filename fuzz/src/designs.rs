//! Trials that are planned: declarations changed anywhere, and every question asked of what is left.

use crate::files::says;
use crate::results::change;
use crate::support::Numbers;
use armwise::power::{GroupSizes, TestLevel};
use armwise::prospective::{
    AllocationList, Design, ListPlan, PlannedPool, PlannedTrial, PooledDesign, SimulatedPopulation,
};
use armwise::sequential::{BValue, Exits, GroupSequential, Rule, Stopped};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt::{Debug, Display};

const WORDS: &[&str] = &[
    "pooled",
    "unpooled",
    "arcsine",
    "continuity_corrected",
    "fisher_exact",
    "log_risk_ratio",
    "log_odds_ratio",
    "schoenfeld",
    "freedman",
    "unadjusted",
    "bonferroni",
    "sidak",
    "dunnett",
    "equal",
    "optimal_shared_control",
    "difference",
    "one",
    "both",
    "nearer",
    "complete",
    "average",
    "these_cities",
];

/// An answer has a text without NaN, and a JSON form from which the same is read.
fn answer<T>(answer: armwise::Result<T>) -> u64
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    match answer {
        Ok(answer) => {
            let text = serde_json::to_string(&answer).expect("an answer has a JSON form");
            let again: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
            assert_eq!(again, answer);
        }
        Err(error) => says(&error),
    }
    1
}

fn finite(answer: armwise::Result<f64>) -> u64 {
    match answer {
        Ok(x) => assert!(x.is_finite(), "{x}"),
        Err(error) => says(&error),
    }
    1
}

/// Reads a document that was changed once or twice, or is as it was.
fn changed<T: DeserializeOwned>(valid: &Value, numbers: &mut Numbers) -> Option<T> {
    let mut document = valid.clone();
    for _ in 0..numbers.below(3) {
        change(&mut document, numbers, WORDS);
    }
    match serde_json::from_value(document) {
        Ok(value) => Some(value),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            None
        }
    }
}

fn said<T: Display>(value: &T) {
    let text = value.to_string();
    assert!(!text.contains("NaN"), "{text}");
    crate::labels::plain(&text);
}

/// What is expected of an outcome, by kind.
fn outcome(numbers: &mut Numbers) -> Value {
    let (p, q) = (numbers.next(), numbers.next());
    let wide = |numbers: &mut Numbers| (8.0 * numbers.next() - 4.0).exp();
    match numbers.below(7) {
        0 => {
            let formula = WORDS[numbers.below(7)];
            json!({ "proportions": { "treated": p, "control": q, "formula": formula } })
        }
        1 => json!({ "means": { "difference": p - q, "sd": wide(numbers) } }),
        2 => json!({ "rates": {
            "treated": wide(numbers), "control": wide(numbers), "time": wide(numbers),
            "dispersion": if numbers.chance(0.5) { 0.0 } else { p } } }),
        3 => {
            let shares = [p * q, p * (1.0 - q), 1.0 - p];
            json!({ "ordered": { "control": shares, "log_odds_ratio": 2.0 * q - 1.0 } })
        }
        4 => {
            let ties = if numbers.chance(0.5) { json!([]) } else { json!([p * q, 1.0 - p]) };
            json!({ "wins": { "probability": q, "ties": ties } })
        }
        5 => json!({ "time_to_event": {
            "hazard_ratio": wide(numbers), "control_events": p,
            "formula": (["schoenfeld", "freedman"][numbers.below(2)]) } }),
        _ => {
            let amounts = |numbers: &mut Numbers| json!({ "share": numbers.next(), "mean": wide(numbers), "sd": wide(numbers) });
            json!({ "amounts": { "treated": amounts(numbers), "control": amounts(numbers) } })
        }
    }
}

fn rule(numbers: &mut Numbers) -> Value {
    match numbers.below(6) {
        0 => json!("o_brien_fleming"),
        1 => json!("pocock"),
        2 => json!({ "wang_tsiatis": { "delta": numbers.next() - 0.5 } }),
        3 => json!({ "haybittle_peto": { "early": 1.0 + 4.0 * numbers.next() } }),
        4 => json!({ "spending": { "power": { "rho": 5.0 * numbers.next() } } }),
        _ => json!({ "spending": { "hwang_shih_de_cani": { "gamma": 10.0 * numbers.next() - 5.0 } } }),
    }
}

/// A design with looks, from words and numbers drawn.
fn looks(numbers: &mut Numbers) -> Option<GroupSequential> {
    let mut at: Vec<f64> = (0..numbers.below(6)).map(|_| numbers.next()).collect();
    at.sort_by(f64::total_cmp);
    at.push(1.0);
    let rule: Rule = serde_json::from_value(rule(numbers)).unwrap_or(Rule::Pocock);
    let alpha = [0.025, 0.05, 0.001, 0.2][numbers.below(4)];
    let test = if numbers.chance(0.5) { TestLevel::one_sided(alpha) } else { TestLevel::two_sided(alpha) };
    match GroupSequential::new(&at, rule, test.expect("a level")) {
        Ok(design) => Some(design),
        Err(error) => {
            says(&error);
            None
        }
    }
}

fn sequential(numbers: &mut Numbers) -> u64 {
    let Some(design) = looks(numbers) else { return 1 };
    let document = serde_json::to_value(&design).expect("a design has a JSON form");
    let Some(design) = changed::<GroupSequential>(&document, numbers) else { return 1 };
    let drift = 12.0 * numbers.next() - 6.0;
    let power = 0.5 + 0.49 * numbers.next();
    let look = 1 + numbers.below(design.looks().len() + 1);
    let z = 8.0 * numbers.next() - 4.0;
    answer::<Exits>(design.exits(drift))
        + finite(design.power(drift))
        + finite(design.type_one_error())
        + finite(design.drift(power))
        + finite(design.inflation(power))
        + finite(design.conditional_power(look, z, drift))
        + answer(design.repeated_interval(look, z))
        + answer::<Stopped>(design.stopped(look, z, 0.95))
        + match BValue::new(z, numbers.next()) {
            Ok(value) => {
                let test = design.test();
                let all = [
                    value.by_trend(test),
                    value.predictive_power(test),
                    value.futility_index(test),
                    value.conditional_power(drift, test),
                ];
                assert!(all.iter().all(|p| (0.0..=1.0).contains(p)), "{all:?}");
                finite(value.predictive_power_with(drift, numbers.next(), test))
            }
            Err(error) => {
                says(&error);
                1
            }
        }
}

fn planned(numbers: &mut Numbers) -> u64 {
    let Ok(expected) = serde_json::from_value(outcome(numbers)) else { return 1 };
    let trial = match PlannedTrial::new(expected) {
        Ok(trial) => trial,
        Err(error) => {
            says(&error);
            return 1;
        }
    };
    let trial = match looks(numbers) {
        Some(looks) if numbers.chance(0.2) => trial.clone().looks(looks).unwrap_or(trial),
        _ => trial,
    };
    let document = serde_json::to_value(&trial).expect("a trial has a JSON form");
    let Some(trial) = changed::<PlannedTrial>(&document, numbers) else { return 1 };
    let power = 0.5 + 0.49 * numbers.next();
    let size = |numbers: &mut Numbers| (14.0 * numbers.next()).exp();
    let sizes = GroupSizes::new(size(numbers).ceil(), size(numbers).ceil()).expect("sizes are positive");
    let mut seen = finite(trial.half_width(sizes, 0.95))
        + match trial.assumptions() {
            Ok(words) => words.len() as u64,
            Err(error) => {
                says(&error);
                1
            }
        };
    if let Ok(people) = sizes.whole(armwise::power::Rounding::EachGroupUp) {
        for design in [trial.power(people), trial.detectable(people, power)] {
            if let Ok(design) = &design {
                said(design);
            }
            seen += answer::<Design>(design);
        }
    }
    if let Ok(design) = &trial.people_for(power) {
        said(design);
    }
    seen + answer::<Design>(trial.people_for(power)) + pooled(trial, power, numbers)
}

fn pooled(city: PlannedTrial, power: f64, numbers: &mut Numbers) -> u64 {
    let pool = PlannedPool::new(city, 2 + numbers.below(20) as u32)
        .and_then(|pool| if numbers.chance(0.5) { pool.tau(numbers.next()) } else { Ok(pool) });
    let pool = match pool {
        Ok(pool) => pool,
        Err(error) => {
            says(&error);
            return 1;
        }
    };
    let control = 1 + numbers.below(5_000) as u64;
    answer::<PooledDesign>(pool.power(control))
        + answer::<PooledDesign>(pool.people_for(power))
        + answer::<PooledDesign>(pool.cities_for(power, control))
        + answer::<PooledDesign>(pool.detectable(control, power))
}

/// A list that is drawn verifies, also as text, and a row that is changed does not.
fn lists(numbers: &mut Numbers) -> u64 {
    let arms = [("control", 1 + numbers.below(3) as u32), ("guidance", 1), ("exemption", 2)];
    let plan = ListPlan::new(arms.into_iter().take(2 + numbers.below(2)), numbers.below(1_000) as u64)
        .and_then(|plan| plan.strata([("north", numbers.below(40) as u32), ("=1+1", 3)]));
    let document = serde_json::to_value(plan.expect("a plan")).expect("a plan has a JSON form");
    let mut document = document;
    document["method"] = match numbers.below(4) {
        0 => json!("complete"),
        1 => json!({ "permuted_blocks": { "sizes": [4, 8, 12] } }),
        2 => json!({ "biased_coin": { "probability": numbers.next() } }),
        _ => json!({ "rerandomised": { "bound": 10.0 * numbers.next(), "most": 50 } }),
    };
    let Some(plan) = changed::<ListPlan>(&document, numbers) else { return 1 };
    let list = match plan.draw() {
        Ok(list) => list,
        Err(error) => {
            says(&error);
            return 1;
        }
    };
    let text = list.to_csv();
    crate::labels::plain(&text);
    let again = AllocationList::from_csv(&text, &plan).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(again, list);
    let at = numbers.below(text.len());
    if text.is_char_boundary(at) && text.is_char_boundary(at + 1) && text.as_bytes()[at] != b'7' {
        let other = format!("{}7{}", &text[..at], &text[at + 1..]);
        match AllocationList::from_csv(&other, &plan) {
            Ok(read) => assert_eq!(read, list, "{other}"),
            Err(error) => says(&error),
        }
    }
    2
}

/// People who are made up can be drawn, or a sentence says why not.
fn populations(numbers: &mut Numbers) -> u64 {
    let document = json!({ "binary": { "proportions": [numbers.next(), numbers.next()] } });
    let Ok(outcome) = serde_json::from_value(document) else { return 1 };
    let Ok(population) = SimulatedPopulation::new(outcome, 1 + numbers.below(60) as u32) else { return 1 };
    let document = serde_json::to_value(&population).expect("a population has a JSON form");
    let Some(population) = changed::<SimulatedPopulation>(&document, numbers) else { return 1 };
    assert!(population.truth().iter().all(|x| !x.is_nan()));
    match population.trials(numbers.below(100) as u64, 0) {
        Ok(trials) => trials.iter().count() as u64,
        Err(error) => {
            says(&error);
            1
        }
    }
}

pub(crate) fn attack(numbers: &mut Numbers) -> u64 {
    match numbers.below(8) {
        0 | 1 => sequential(numbers),
        2 => lists(numbers),
        3 => populations(numbers),
        _ => planned(numbers),
    }
}
