//! What an answer to bad input has to be.

use crate::support::estimators;
use crate::support::labelled;
use armwise::Error;
use armwise::prelude::*;
use serde_json::Value;
use std::cell::RefCell;

/// Fields that are `None` where they do not apply.
const OPTIONAL: &[&str] = &[
    "column",
    "prediction_quantile",
    "mean",
    "sd",
    "se",
    "prediction_rule",
    "probability_of_benefit",
    "common_tau2",
    "common_tau2_interval",
    "additivity",
    "prespecified",
    "moderator_test",
    "tau2_without_moderators",
    "r2",
    "permutation",
    "p_value_none_missing",
    "correlation",
    "between_covariance",
    "df",
    "events",
    "horizon",
    "unit",
    "denominator_df",
    "hartung_knapp",
    "moment_weights",
    "given_weights",
    "hartung_knapp_factor",
    "tau2_estimator",
    "se_tau2",
    "tau2_interval",
    "i2_interval",
    "h2_interval",
    "typical_variance",
    "prediction",
    "p_value",
    "residual_variance",
    "interaction",
    "search",
    "heterogeneity_p_value",
];

/// No number of a result is NaN, in JSON, in `Debug` or in words.
pub(crate) fn sound<T: serde::Serialize + std::fmt::Debug + std::fmt::Display>(name: &str, result: &T) {
    walk(name, "", &serde_json::to_value(result).unwrap());
    for text in [format!("{result:?}"), result.to_string()] {
        ensure(!text.contains("NaN"), || format!("{name}: {text}"));
    }
}

fn walk(name: &str, key: &str, value: &Value) {
    match value {
        Value::Null => ensure(OPTIONAL.contains(&key), || format!("{name}: {key} is no number")),
        Value::Array(values) => values.iter().for_each(|value| walk(name, key, value)),
        Value::Object(fields) => {
            possible(name, fields);
            fields.iter().for_each(|(key, value)| walk(name, key, value));
        }
        Value::String(text) => ensure(text != "NaN", || format!("{name}: {key} is NaN")),
        _ => {}
    }
}

/// Probabilities and shares lie from 0 to 1, variances are not negative, intervals hold their value.
fn possible(name: &str, fields: &serde_json::Map<String, Value>) {
    let number = |key: &str| fields.get(key).and_then(Value::as_f64);
    for key in ["p_value", "i2", "weight", "p_score", "probability_of_benefit"] {
        let share = number(key);
        ensure(share.is_none_or(|x| (-1e-12..=1.0 + 1e-12).contains(&x)), || {
            format!("{name}: {key} {share:?}")
        });
    }
    for key in ["se", "tau2", "tau", "se_tau2", "residual_variance"] {
        ensure(number(key).is_none_or(|x| x >= 0.0), || format!("{name}: {key} is negative"));
    }
    let value = ["estimate", "value", "median"].into_iter().find_map(number);
    let limits =
        fields.get("interval").map(|interval| (interval["lower"].as_f64(), interval["upper"].as_f64()));
    if let (Some(value), Some((lower, upper))) = (value, limits) {
        let holds = lower.is_none_or(|lower| lower <= value) && upper.is_none_or(|upper| value <= upper);
        ensure(holds, || format!("{name}: {value} is not in {lower:?} to {upper:?}"));
    }
}

thread_local! {
    static FAULTS: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Runs all checks of a test, then reports all of their faults at once.
pub(crate) fn all_of(checks: impl FnOnce()) {
    FAULTS.set(Some(Vec::new()));
    checks();
    let faults = FAULTS.take().unwrap_or_default();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

pub(crate) fn ensure(holds: bool, fault: impl FnOnce() -> String) {
    if holds {
        return;
    }
    let fault = fault();
    let collected = FAULTS.with_borrow_mut(|faults| faults.as_mut().map(|faults| faults.push(fault.clone())));
    assert!(collected.is_some(), "{fault}");
}

/// A sentence that holds these words and says what to do next.
pub(crate) fn says(name: &str, error: &Error, words: &[&str]) {
    let sentence = error.to_string();
    println!("{name}\n    {sentence}");
    for word in words {
        ensure(sentence.contains(word), || format!("{name}: \"{word}\" is missing in: {sentence}"));
    }
    let advice = [";", "mend the file", "did you mean", " are: ", " for: "];
    ensure(advice.iter().any(|mark| sentence.contains(mark)), || {
        format!("{name}: no next step in: {sentence}")
    });
    assert_eq!(sentence, format!("{error:?}"), "{name}");
    ensure(!sentence.contains("NaN") || name.contains("NaN"), || format!("{name}: {sentence}"));
}

/// Every estimator answers, or says why not, naming trial and measure. Returns how many answered.
pub(crate) fn everything(name: &str, trial: &Trial) -> usize {
    let mut answered = 0;
    let mut sentences = std::collections::BTreeMap::<String, String>::new();
    for listed in estimators::all() {
        let name = format!("{name}: {}", listed.name);
        match (listed.estimate)(trial, 0.95) {
            Ok(estimates) => {
                answered += 1;
                sound(&name, &estimates);
                for estimate in estimates.iter() {
                    sound(&name, &estimate);
                    let p = [
                        estimate.p_value(),
                        estimate.p_above(0.0).unwrap(),
                        estimate.p_below(0.0).unwrap(),
                        estimate.probability_above(0.0).unwrap(),
                    ];
                    ensure(p.iter().all(|p| (0.0..=1.0).contains(p)), || format!("{name}: p-values {p:?}"));
                    let minimal = estimate.minimal_detectable_effect(0.05, 0.8).unwrap();
                    ensure(!minimal.is_nan(), || format!("{name}: no minimal detectable effect"));
                    if estimate.se() == 0.0 {
                        ensure(!estimate.notices().is_empty(), || {
                            format!("{name}: a zero standard error without a notice")
                        });
                    }
                }
                let labels: Vec<Label> = estimates.treatments().cloned().collect();
                if let [one, two, ..] = labels.as_slice() {
                    match estimates.between(one, two) {
                        Ok(between) => sound(&name, &between),
                        Err(error) => says(&name, &error, &[trial.name(), estimates.measure().name.as_str()]),
                    }
                }
            }
            Err(error) => {
                let measure = listed.measure;
                sentences.entry(error.to_string()).or_insert(name.clone());
                if let Some(first) = sentences.get(&error.to_string())
                    && *first == name
                {
                    says(&name, &error, &[trial.name(), measure]);
                }
            }
        }
    }
    answered
}

/// A trial of a CSV with the columns arm, works, score, age and district, to which contracts are added.
pub(crate) fn read(csv: &str) -> armwise::Result<Trial> {
    let table = armwise::data::CsvReader::new().category("arm").category("district").text(csv)?;
    let works: Vec<Option<f64>> = table.column("works")?.reals()?.collect();
    let contracts = works.iter().enumerate().map(|(row, works)| match works {
        Some(0.0) => Some("none"),
        Some(_) => Some(["temporary", "permanent", "permanent"][row / 2 % 3]),
        None => None,
    });
    let table = table.with_categories("contract", contracts)?;
    labelled(table, "control").strata(["district"]).build()
}
