//! Runs every case of every JSON file in a directory of reference values.
//!
//! The directory is `tests/reference`, or what the variable `ARMWISE_REFERENCE` names. Every expected key is
//! compared within the case's tolerance; a topic, option, input or key that the runner does not know fails.
//! What is not covered yet stands in `topics/pending.rs` and is counted as pending; there is no other way to
//! skip.

// Modules of one test program; codes in JSON are small whole numbers.
#![allow(unreachable_pub, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
// Tables of keys with the functions that answer them.
#![allow(clippy::type_complexity, clippy::unnecessary_wraps)]

mod topics;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use topics::case::{Case, Tally};

#[test]
fn reference_cases() {
    let directory = std::env::var_os("ARMWISE_REFERENCE")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference"), PathBuf::from);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&directory)
        .unwrap_or_else(|why| panic!("cannot read {}: {why}", directory.display()))
        .map(|entry| entry.expect("a directory entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no JSON file in {}", directory.display());

    let mut failures = Vec::new();
    let mut compared = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a readable file");
        let root: serde_json::Value = serde_json::from_str(&text).expect("a JSON file");
        let topic = root["topic"].as_str().expect("a topic").to_owned();
        let cases = root["cases"].as_array().expect("a list of cases");
        assert!(!cases.is_empty(), "{topic} holds no case");
        let mut tally = Tally::default();
        for case in cases {
            // A word that the runner does not know panics: that case fails, and the others are still
            // compared.
            let run = AssertUnwindSafe(|| topics::run(&Case::new(&topic, case, &directory), &mut tally));
            if let Err(panic) = catch_unwind(run) {
                let why = panic
                    .downcast_ref::<String>()
                    .map(String::as_str)
                    .or(panic.downcast_ref::<&str>().copied());
                tally.failures.push(why.unwrap_or("a panic without words").to_owned());
            }
        }
        println!("{topic}: {tally}");
        for disputed in &tally.disputed {
            println!("DISPUTED {topic}: {disputed}");
        }
        compared += tally.values;
        failures.extend(tally.failures.into_iter().map(|failure| format!("{topic}: {failure}")));
    }
    for failure in failures.iter().take(60) {
        println!("FAILED {failure}");
    }
    assert!(compared > 0, "no value was compared");
    assert!(failures.is_empty(), "{} reference values disagree, the first: {}", failures.len(), failures[0]);
}
