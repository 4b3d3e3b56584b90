//! One reference case: what goes in, what is expected, and the comparison.

use super::disputed::is_disputed;
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

/// Option keys that are prose for the reader (reference/README.md).
const PROSE: &[&str] = &[
    "note",
    "definitions",
    "variance",
    "variance_formula",
    "formula",
    "layout",
    "parameterisation",
    "degrees_of_freedom",
    "cr1_stata",
    "hypotheses",
    "continuity",
    "breslow_day",
    "mid_p",
    "zeros",
    "add_rule",
    "p_score",
    "sign",
    "heterogeneity",
    "contrast_baseline",
    "side_rule",
    "working_model",
    "se",
    "standard_error",
    "log_lik",
    "log_evidence",
    "x",
    "y",
    "coefficient_order",
    "stratum_covariate",
    "ci",
    "what",
    "smd",
    "trimming",
    "quantile",
    "analysis_model",
];

/// A case of a topic. Reading an option or an input marks it as understood.
pub(crate) struct Case<'a> {
    pub topic: &'a str,
    pub name: &'a str,
    /// What the case is about, in words: the name of the method where inputs do not tell.
    pub what: &'a str,
    pub directory: PathBuf,
    pub expected: &'a Map<String, Value>,
    input: &'a Map<String, Value>,
    options: &'a Map<String, Value>,
    rel_tol: f64,
    abs_tol: f64,
    seen: RefCell<BTreeSet<String>>,
}

/// What one topic computed: an object with the keys of `expected`, or the error of the crate.
pub(crate) type Answer = Result<Value, armwise::Error>;

/// Counts over the cases of a topic.
#[derive(Default)]
pub(crate) struct Tally {
    pub cases: usize,
    pub values: usize,
    pub pending: usize,
    pub failures: Vec<String>,
    /// Failures whose expected value is wrong (`disputed.rs`).
    pub disputed: Vec<String>,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.values += other.values;
        self.pending += other.pending;
        self.failures.extend(other.failures);
        self.disputed.extend(other.disputed);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} cases, {} values compared, {} failed, {} pending",
            self.cases,
            self.values,
            self.failures.len(),
            self.pending
        )?;
        if !self.disputed.is_empty() {
            write!(f, ", {} disputed", self.disputed.len())?;
        }
        Ok(())
    }
}

impl<'a> Case<'a> {
    pub(crate) fn new(topic: &'a str, case: &'a Value, directory: &Path) -> Self {
        let object =
            |key: &str| case[key].as_object().unwrap_or_else(|| panic!("{key} is no object in {case}"));
        Self {
            topic,
            name: case["name"].as_str().expect("a name"),
            what: case["what"].as_str().unwrap_or(""),
            directory: directory.to_owned(),
            expected: object("expected"),
            input: object("input"),
            options: object("options"),
            rel_tol: case["rel_tol"].as_f64().expect("rel_tol"),
            abs_tol: case["abs_tol"].as_f64().expect("abs_tol"),
            seen: RefCell::default(),
        }
    }

    /// An option, or `Value::Null` where it is absent.
    pub(crate) fn option(&self, key: &str) -> &'a Value {
        self.seen.borrow_mut().insert(format!("option {key}"));
        self.options.get(key).unwrap_or(&Value::Null)
    }

    /// An input, or `Value::Null` where it is absent.
    pub(crate) fn input(&self, key: &str) -> &'a Value {
        self.seen.borrow_mut().insert(format!("input {key}"));
        self.input.get(key).unwrap_or(&Value::Null)
    }

    pub(crate) fn has_input(&self, key: &str) -> bool {
        self.input.contains_key(key)
    }

    pub(crate) fn has_option(&self, key: &str) -> bool {
        self.options.contains_key(key)
    }

    /// The word of an option. Panics where there is none: the runner then does not know the case.
    pub(crate) fn word(&self, key: &str) -> &'a str {
        self.option(key).as_str().unwrap_or_else(|| panic!("{}: option {key} is no word", self.name))
    }

    /// The number in an input.
    pub(crate) fn number(&self, key: &str) -> f64 {
        number(self.input(key)).unwrap_or_else(|| panic!("{}: input {key} is no number", self.name))
    }

    /// The numbers in an input; `null` becomes NaN.
    pub(crate) fn numbers(&self, key: &str) -> Vec<f64> {
        numbers(self.input(key)).unwrap_or_else(|| panic!("{}: input {key} is no list of numbers", self.name))
    }

    /// The confidence level, 0.95 unless the case says otherwise.
    pub(crate) fn level(&self) -> f64 {
        self.option("conf_level").as_f64().unwrap_or(0.95)
    }

    /// The path of the case's CSV file.
    pub(crate) fn csv(&self) -> PathBuf {
        self.directory.join(self.input("csv").as_str().expect("a path"))
    }

    /// Options of the case, for the list of pending values.
    pub(crate) fn options(&self) -> &'a Map<String, Value> {
        self.options
    }

    /// Compares an answer with the expected values; `pending` tells which keys are not covered yet.
    pub(crate) fn compare(&self, answer: Answer, pending: impl Fn(&str) -> bool, tally: &mut Tally) {
        tally.cases += 1;
        if let Some(word) = self.expected.get("error") {
            let word = word.as_str().expect("a word");
            tally.values += 1;
            match answer {
                Ok(_) => {
                    tally.failures.push(format!("{}: expected the error {word}, got a result", self.name));
                }
                Err(error) => {
                    let note = self.options.get("note").and_then(Value::as_str).unwrap_or("");
                    let name = error.kind().name();
                    let other = note.contains(&format!("'{name}'")) || note.contains("any refusal is meant");
                    if name != word && !other {
                        tally
                            .failures
                            .push(format!("{}: expected the error {word}, got {name} ({error})", self.name));
                    }
                }
            }
            return;
        }
        let unknown: Vec<String> = {
            let seen = self.seen.borrow();
            let options = self.options.keys().filter(|key| !PROSE.contains(&key.as_str()));
            let options = options.map(|key| format!("option {key}"));
            let inputs = self.input.keys().map(|key| format!("input {key}"));
            options.chain(inputs).filter(|key| !seen.contains(key)).collect()
        };
        if !unknown.is_empty() {
            tally.failures.push(format!("{}: not understood: {}", self.name, unknown.join(", ")));
        }
        match answer {
            Ok(got) => {
                for (key, want) in self.expected {
                    if pending(key) {
                        tally.pending += 1;
                    } else {
                        self.compare_value(key, got.get(key), want, tally);
                    }
                }
            }
            // A refusal agrees where nothing but undefined values were expected.
            Err(error) => tally.failures.push(format!("{}: refused: {error}", self.name)),
        }
    }

    fn compare_value(&self, key: &str, got: Option<&Value>, want: &Value, tally: &mut Tally) {
        match (want, got) {
            (Value::Object(want), Some(got)) if got.is_object() => {
                for (inner, want) in want {
                    self.compare_value(&format!("{key}.{inner}"), got.get(inner), want, tally);
                }
            }
            (Value::Array(want), Some(Value::Array(got))) => {
                if want.len() != got.len() {
                    tally.values += 1;
                    tally.failures.push(format!(
                        "{}: {key}: {} values, want {}",
                        self.name,
                        got.len(),
                        want.len()
                    ));
                    return;
                }
                for (i, (want, got)) in want.iter().zip(got).enumerate() {
                    self.compare_value(&format!("{key}[{i}]"), Some(got), want, tally);
                }
            }
            _ => {
                tally.values += 1;
                if !self.agrees(got.unwrap_or(&Value::Null), want) {
                    let words = got.map_or_else(|| "nothing".to_owned(), ToString::to_string);
                    let failure = format!("{}: {key}: got {words}, want {want}", self.name);
                    if is_disputed(self, key, got.and_then(number)) {
                        tally.disputed.push(failure);
                    } else {
                        tally.failures.push(failure);
                    }
                }
            }
        }
    }

    fn agrees(&self, got: &Value, want: &Value) -> bool {
        match (number(want), number(got)) {
            (Some(want), Some(got)) if want.is_infinite() || got.is_infinite() => want == got,
            (Some(want), Some(got)) => (got - want).abs() <= self.abs_tol + self.rel_tol * want.abs(),
            (None, None) => want == got,
            _ => false,
        }
    }
}

/// A number, or one of the words "Inf" and "-Inf".
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value.as_str() {
        Some("Inf") => Some(f64::INFINITY),
        Some("-Inf") => Some(f64::NEG_INFINITY),
        _ => value.as_f64(),
    }
}

/// A list of numbers; `null` becomes NaN.
pub(crate) fn numbers(value: &Value) -> Option<Vec<f64>> {
    value.as_array()?.iter().map(|item| if item.is_null() { Some(f64::NAN) } else { number(item) }).collect()
}

/// A list of lists of numbers.
pub(crate) fn matrix(value: &Value) -> Option<Vec<Vec<f64>>> {
    value.as_array()?.iter().map(numbers).collect()
}

/// A number as a JSON value: infinities become words, NaN stays NaN in words so that it never agrees.
pub(crate) fn json(x: f64) -> Value {
    if x.is_nan() {
        Value::from("NaN")
    } else if x.is_infinite() {
        Value::from(if x > 0.0 { "Inf" } else { "-Inf" })
    } else {
        Value::from(x)
    }
}

/// Numbers as a JSON list.
pub(crate) fn list(values: impl IntoIterator<Item = f64>) -> Value {
    Value::Array(values.into_iter().map(json).collect())
}
