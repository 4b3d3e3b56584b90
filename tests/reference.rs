//! Runs every case of every JSON file in a directory of reference values.
//!
//! The directory is `tests/reference`, or what the variable `ARMWISE_REFERENCE` names; the project's own cases
//! in `tests/data/golden` are run beside it. Every expected key is
//! compared within the case's tolerance; a topic, option, input or key that the runner does not know fails.
//! What is not covered yet stands in `topics/pending.rs` and is counted as pending; there is no other way to
//! skip.

// Modules of one test program; codes in JSON are small whole numbers.
#![allow(unreachable_pub, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
// Tables of keys with the functions that answer them.
#![allow(clippy::type_complexity, clippy::unnecessary_wraps)]

mod topics;

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use topics::case::{Case, Tally};

#[test]
fn reference_cases() {
    let directory = std::env::var_os("ARMWISE_REFERENCE")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference"), PathBuf::from);
    // Cases that the project computed itself stand apart from those that it was given.
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden");
    let mut files: Vec<PathBuf> = [&directory, &own]
        .into_iter()
        .flat_map(|folder| {
            std::fs::read_dir(folder).unwrap_or_else(|why| panic!("cannot read {}: {why}", folder.display()))
        })
        .map(|entry| entry.expect("a directory entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no JSON file in {}", directory.display());

    let documents: Vec<(String, serde_json::Value)> = files
        .iter()
        .map(|file| {
            let text = std::fs::read_to_string(file).expect("a readable file");
            let root: serde_json::Value = serde_json::from_str(&text).expect("a JSON file");
            let topic = root["topic"].as_str().expect("a topic").to_owned();
            assert!(!cases(&root).is_empty(), "{topic} holds no case");
            (topic, root)
        })
        .collect();
    let all: Vec<(usize, &serde_json::Value)> = documents
        .iter()
        .enumerate()
        .flat_map(|(place, (_, root))| cases(root).iter().map(move |case| (place, case)))
        .collect();

    // Threads take the next case; each topic's counts are put together afterwards.
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done: Vec<(usize, Tally)> = Vec::new();
        while let Some((place, case)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push((*place, tally(&documents[*place].0, case, &directory)));
        }
        done
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let done: Vec<(usize, Tally)> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        all.into_iter().flat_map(|thread| thread.join().expect("a thread ends")).collect()
    });
    let mut tallies: Vec<Tally> = documents.iter().map(|_| Tally::default()).collect();
    for (place, own) in done {
        tallies[place].add(own);
    }

    let mut failures = Vec::new();
    let mut compared = 0;
    // Past the test harness, which keeps what a test prints to itself.
    let mut out = std::io::stdout().lock();
    for ((topic, _), tally) in documents.iter().zip(tallies) {
        writeln!(out, "{topic}: {tally}").expect("standard output");
        for disputed in &tally.disputed {
            writeln!(out, "DISPUTED {topic}: {disputed}").expect("standard output");
        }
        compared += tally.values;
        failures.extend(tally.failures.into_iter().map(|failure| format!("{topic}: {failure}")));
    }
    failures.sort();
    for failure in failures.iter().take(60) {
        writeln!(out, "FAILED {failure}").expect("standard output");
    }
    drop(out);
    assert!(compared > 0, "no value was compared");
    assert!(failures.is_empty(), "{} reference values disagree, the first: {}", failures.len(), failures[0]);
}

fn cases(root: &serde_json::Value) -> &[serde_json::Value] {
    root["cases"].as_array().expect("a list of cases")
}

fn tally(topic: &str, case: &serde_json::Value, directory: &Path) -> Tally {
    let mut tally = Tally::default();
    // A word that the runner does not know panics: that case fails, and the others are still compared.
    let run = AssertUnwindSafe(|| topics::run(&Case::new(topic, case, directory), &mut tally));
    if let Err(panic) = catch_unwind(run) {
        let why =
            panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        tally.failures.push(why.unwrap_or("a panic without words").to_owned());
    }
    tally
}
