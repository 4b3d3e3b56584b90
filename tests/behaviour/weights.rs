//! Weights of observations in weighting, augmented weighting and two-part models. The numbers come from R:
//! stacked estimating equations, their derivatives by differences.

use crate::support::labelled;
use armwise::estimator::{AnyEstimator, WeightColumn};
use armwise::prelude::*;
use armwise::regression::Amount;
use std::fmt::Write;

/// Arm, age, exposure, weight, count, event, amount, frequency.
type Person = (u8, f64, f64, f64, f64, u8, f64, usize);

pub(crate) const PEOPLE: [Person; 16] = [
    (0, 20.0, 1.0, 1.0, 2.0, 0, 0.0, 2),
    (0, 35.0, 0.5, 2.0, 1.0, 1, 3.1, 1),
    (0, 41.0, 2.0, 1.5, 9.0, 0, 0.0, 3),
    (0, 28.0, 1.0, 3.0, 0.0, 1, 1.2, 1),
    (0, 52.0, 1.5, 1.0, 5.0, 0, 2.4, 2),
    (0, 47.0, 0.8, 2.5, 12.0, 1, 0.0, 1),
    (0, 33.0, 1.2, 1.0, 0.0, 0, 4.0, 4),
    (0, 61.0, 1.0, 2.0, 7.0, 1, 6.3, 1),
    (1, 25.0, 1.0, 1.2, 4.0, 0, 0.0, 2),
    (1, 38.0, 0.7, 2.0, 0.0, 1, 5.5, 1),
    (1, 44.0, 2.0, 1.0, 21.0, 1, 2.2, 3),
    (1, 30.0, 1.1, 3.5, 3.0, 0, 0.0, 1),
    (1, 57.0, 1.6, 1.0, 15.0, 1, 7.9, 2),
    (1, 49.0, 0.9, 2.0, 2.0, 1, 3.3, 1),
    (1, 36.0, 1.3, 1.4, 1.0, 1, 0.0, 2),
    (1, 22.0, 1.0, 2.2, 8.0, 0, 1.7, 1),
];

/// The people, each as often as their frequency says if `expanded`, their weights in a unit.
fn trial(unit: f64, expanded: bool) -> Trial {
    let mut csv = "arm,age,w,n,z,y,amount,seen\n".to_owned();
    for (row, (arm, age, _, w, y, z, amount, n)) in PEOPLE.iter().enumerate() {
        let seen = if row % 5 == 3 { String::new() } else { z.to_string() };
        for _ in 0..if expanded { *n } else { 1 } {
            writeln!(csv, "{arm},{age},{},{n},{z},{y},{amount},{seen}", unit * w).unwrap();
        }
    }
    let table = CsvReader::new().category("arm").real("y").real("amount").text(&csv).unwrap();
    labelled(table, "0").build().unwrap()
}

const EVENT: Measure<Binary> = Measure::binary("z");
const SCORE: Measure<Continuous> = Measure::continuous("y");
const AMOUNT: Measure<Continuous> = Measure::continuous("amount");

fn near(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance * expected.abs(), "{found} is not {expected}");
}

fn is<S: Scale>(effects: armwise::Result<Estimates<S>>, value: f64, se: f64) {
    let effect = effects.unwrap().treatment("1").unwrap();
    near(effect.value(), value, 1e-8);
    near(effect.se(), se, 1e-6);
}

#[test]
fn probability_weights_by_stacked_equations() {
    for unit in [1.0, 1000.0] {
        let trial = trial(unit, false);
        let weighting = InverseProbabilityWeighting::new(RiskDifference).adjust_for(["age"]).weights("w");
        is(trial.on(&EVENT).unwrap().estimate(&weighting), -0.072_434_090_238_9, 0.224_329_167_836);
        let robust = DoublyRobust::new(MeanDifference).adjust_for(["age"]).weights("w");
        is(trial.on(&SCORE).unwrap().estimate(&robust), 1.421_625_283_18, 2.367_962_247_75);
        // The parts are independent, as their likelihoods factor: no products of their scores.
        let parts = TwoPartRegression::new().adjust_for(["age"]).weights("w");
        is(trial.on(&AMOUNT).unwrap().estimate(&parts), 0.431_654_988_659, 0.970_562_685_468);
        let smearing = parts.clone().amount(Amount::LogSmearing);
        is(trial.on(&AMOUNT).unwrap().estimate(&smearing), 0.433_460_712_301, 0.965_469_208_908);
    }
}

/// Every estimator with weights, on the outcome that it takes, as data.
fn weighted(weights: &WeightColumn) -> Vec<(&'static str, AnyEstimator)> {
    let w = || weights.clone();
    let robust = DoublyRobust::new(MeanDifference).adjust_for(["age"]).weights(w());
    let parts = TwoPartRegression::new().adjust_for(["age"]).weights(w());
    vec![
        ("z", InverseProbabilityWeighting::new(RiskDifference).adjust_for(["age"]).weights(w()).into()),
        ("seen", InverseProbabilityWeighting::new(RiskDifference).of_observation().weights(w()).into()),
        ("y", InverseProbabilityWeighting::new(MeanDifference).weights(w()).into()),
        ("y", robust.clone().variance(armwise::weighting::NuisanceVariance::Known).into()),
        ("y", robust.into()),
        ("amount", parts.clone().into()),
        ("amount", parts.clone().amount(Amount::LogSmearing).into()),
        ("amount", parts.amount(Amount::LogNormal).into()),
    ]
}

fn estimate(
    trial: &Trial,
    outcome: &'static str,
    estimator: &AnyEstimator,
) -> armwise::Result<Estimates<AnyScale>> {
    match outcome {
        "z" | "seen" => trial.on(&Measure::binary(outcome))?.estimate(estimator),
        _ => trial.on(&Measure::continuous(outcome))?.estimate(estimator),
    }
}

#[test]
fn frequencies_are_copies() {
    let (counted, copied) = (trial(1.0, false), trial(1.0, true));
    let ones = WeightColumn::Frequency("n".to_owned());
    for (outcome, estimator) in weighted(&ones) {
        // The same without weights, of the copies.
        let mut json = serde_json::to_value(&estimator).unwrap();
        json.as_object_mut().unwrap().remove("weights");
        let plain: AnyEstimator = serde_json::from_value(json).unwrap();
        let one =
            estimate(&counted, outcome, &estimator).unwrap_or_else(|error| panic!("{estimator}: {error}"));
        let two = estimate(&copied, outcome, &plain).unwrap();
        let (one, two) = (one.treatment("1").unwrap(), two.treatment("1").unwrap());
        near(one.value(), two.value(), 1e-9);
        near(one.se(), two.se(), 1e-9);
        assert_eq!(one.treatment_counts(), two.treatment_counts(), "{estimator}");
        assert_eq!(one.notices(), two.notices(), "{estimator}");
    }
}

#[test]
fn probability_weights_have_no_unit_and_precision_no_meaning() {
    let trials = [trial(1.0, false), trial(1e-3, false), trial(1e4, false)];
    for (outcome, estimator) in weighted(&"w".into()) {
        let text = serde_json::to_string(&estimator).unwrap();
        assert_eq!(serde_json::from_str::<AnyEstimator>(&text).unwrap(), estimator, "{text}");
        let effects: Vec<_> = trials.iter().map(|trial| estimate(trial, outcome, &estimator)).collect();
        if text.contains("log_normal") {
            let error = effects[0].as_ref().unwrap_err().to_string();
            assert!(error.contains("LogSmearing"), "{error}");
            continue;
        }
        let of = |place: usize| effects[place].as_ref().unwrap().treatment("1").unwrap();
        for place in [1, 2] {
            near(of(place).value(), of(0).value(), 1e-9);
            near(of(place).se(), of(0).se(), 1e-9);
        }
    }
    for (outcome, estimator) in weighted(&WeightColumn::Precision("w".to_owned())) {
        let error = estimate(&trials[0], outcome, &estimator).unwrap_err();
        assert_eq!(error.kind().name(), "invalid_input");
        let text = error.to_string();
        assert!(text.contains("column \"w\"") && text.contains("probability"), "{text}");
    }
}

#[test]
fn weights_that_are_none_are_refused_with_their_row() {
    let mut table = trial(1.0, false).table().clone();
    let mut weights: Vec<f64> = PEOPLE.iter().map(|person| person.3).collect();
    weights[6] = -2.0;
    table = table.with_reals("v", weights).unwrap();
    let trial = labelled(table, "0").build().unwrap();
    for (outcome, estimator) in weighted(&"v".into()) {
        let text = estimate(&trial, outcome, &estimator).unwrap_err().to_string();
        assert!(text.contains("column \"v\"") && text.contains("a weight of -2"), "{text}");
    }
    let text = estimate(&trial, "z", &weighted(&"nowhere".into())[0].1).unwrap_err().to_string();
    assert!(text.contains("nowhere"), "{text}");
}
