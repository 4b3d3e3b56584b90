//! The JSON of every result, changed anywhere: refused with a sentence, or read as something that can be said,
//! written and read again.

use crate::support::data::comparisons;
use crate::support::pools::{Visit, all, all_joint, analyses, counts};
use crate::support::{Numbers, estimators};
use armwise::prelude::*;
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Changes one place of a document.
pub(crate) fn change(document: &mut Value, numbers: &mut Numbers, words: &[&str]) {
    let mut places = Vec::new();
    collect(document, String::new(), &mut places);
    if places.is_empty() {
        return;
    }
    let place = &places[numbers.below(places.len())];
    let other = document.pointer(&places[numbers.below(places.len())]).cloned().unwrap_or(Value::Null);
    let Some(value) = document.pointer_mut(place) else { return };
    let drawn = match numbers.below(7) {
        0 => json!([null, 0, -1, 1, 0.5, 1e308, -1e-308, 1e-300, 9.0e15, u64::MAX, true, "", [], {}])
            [numbers.below(14)]
        .clone(),
        1 => other,
        2 if !words.is_empty() => json!(words[numbers.below(words.len())]),
        _ => match value {
            Value::Number(number) => {
                let x = number.as_f64().unwrap_or(0.0);
                let factor = [-1.0, 0.0, 2.0, 0.5, 1.0 + 1e-6, 1e3, 1e-3, 1e150][numbers.below(8)];
                if number.is_u64() && numbers.chance(0.7) {
                    json!((x * factor).abs() as u64)
                } else {
                    json!(x * factor)
                }
            }
            Value::String(text) => {
                json!(format!("{text}{}", ["", " ", "x", "\u{0}", "\u{202e}", "é"][numbers.below(6)]))
            }
            Value::Bool(flag) => json!(!*flag),
            Value::Array(values) => {
                let mut values = values.clone();
                if numbers.chance(0.5) {
                    values.pop();
                } else if let Some(first) = values.first().cloned() {
                    values.push(first);
                }
                Value::Array(values)
            }
            Value::Object(fields) => {
                let mut fields = fields.clone();
                if let Some(key) = fields.keys().nth(numbers.below(fields.len().max(1))).cloned() {
                    fields.remove(&key);
                }
                Value::Object(fields)
            }
            Value::Null => json!(numbers.next()),
        },
    };
    *value = drawn;
}

fn collect(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Array(values) => {
            for (i, value) in values.iter().enumerate().take(40) {
                collect(value, format!("{at}/{i}"), places);
            }
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                collect(value, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), places);
            }
        }
        _ => {}
    }
    if !at.is_empty() {
        places.push(at);
    }
}

/// Changes what it sees.
struct Changed<'n> {
    numbers: &'n mut Numbers,
    seen: u64,
}

impl Changed<'_> {
    fn attack<T>(&mut self, name: &str, result: &T)
    where
        T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug + std::fmt::Display,
    {
        let valid = serde_json::to_value(result).expect("a result has a JSON form");
        for _ in 0..3 {
            let mut document = valid.clone();
            change(&mut document, self.numbers, &[]);
            if self.numbers.chance(0.2) {
                change(&mut document, self.numbers, &[]);
            }
            self.seen += 1;
            let read =
                catch_unwind(AssertUnwindSafe(|| match serde_json::from_value::<T>(document.clone()) {
                    Ok(back) => {
                        let text = back.to_string();
                        assert!(!text.contains("NaN"), "{text}");
                        let again = serde_json::to_string(&back).expect("what was read can be written");
                        let again: T =
                            serde_json::from_str(&again).unwrap_or_else(|error| panic!("{error}: {again}"));
                        assert_eq!(again, back);
                    }
                    Err(error) => assert!(!error.to_string().is_empty()),
                }));
            assert!(read.is_ok(), "{name}: {document}\nfrom {valid}");
        }
    }
}

impl Visit for Changed<'_> {
    fn see<T>(&mut self, name: &str, result: armwise::Result<T>)
    where
        T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug + std::fmt::Display,
    {
        if let Ok(result) = result {
            self.attack(name, &result);
        }
    }
}

pub(crate) fn attack(numbers: &mut Numbers) -> u64 {
    let k = 2 + numbers.below(4);
    let arm = |numbers: &mut Numbers| {
        let n = 20 + numbers.below(200) as u64;
        (1 + numbers.below(n as usize - 1) as u64, n)
    };
    let trials: Vec<_> = (0..k).map(|_| [arm(numbers), arm(numbers), arm(numbers)]).collect();
    let comparisons = comparisons(&trials);
    let people = numbers.chance(0.3);
    let mut changed = Changed { numbers, seen: 0 };
    if people {
        estimates(&mut changed);
        return changed.seen;
    }
    counts(&comparisons, "guidance", &mut changed);
    if let Ok(effects) = comparisons.estimate(&RatioOfProportions::new()) {
        analyses(&effects, "guidance", &mut changed);
        if let Ok(guidance) = effects.treatment("guidance") {
            for pool in all() {
                changed.see(&format!("{pool:?}"), pool.pool(&guidance));
            }
        }
        for pool in all_joint() {
            changed.see(&format!("{pool:?}"), pool.pool(&effects));
        }
    }
    changed.seen
}

/// The estimates of every estimator on people made up.
fn estimates(changed: &mut Changed<'_>) {
    use proptest::strategy::{Strategy, ValueTree};
    use proptest::test_runner::{Config, RngSeed, TestRunner};
    let seed = (changed.numbers.next() * 1e15) as u64;
    let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(seed), ..Config::default() });
    let people = crate::support::data::people().new_tree(&mut runner).expect("people can be drawn").current();
    let trial = crate::support::data::trial(&people, "control");
    crate::support::inference::replays(&trial, seed, changed);
    for listed in estimators::all() {
        if let Some(estimates) = listed.of(&trial, 0.95) {
            changed.attack(&listed.name, &estimates);
        }
    }
}
