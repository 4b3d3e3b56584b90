//! Every error says what is right for its estimator, its outcome and its cause. Each is provoked through the
//! public API, and its sentence is read: the words that it must have, and those that it must not have.

mod estimating;
mod hazards;
mod plurals;
mod pooling;
mod reading;
mod strata;
mod waves;

use armwise::prelude::*;
use armwise::{Error, ErrorKind};
use std::collections::BTreeSet;

/// A cause, how it is provoked, the words that the sentence must have, and the words that it must not have.
type Case = (&'static str, fn() -> armwise::Result<()>, &'static [&'static str], &'static [&'static str]);

fn all() -> impl Iterator<Item = &'static Case> {
    let trials = estimating::CASES.iter().chain(strata::CASES).chain(hazards::CASES).chain(waves::CASES);
    trials.chain(reading::CASES).chain(pooling::CASES)
}

/// A trial in Utrecht whose control is "c".
fn trial(csv: &str) -> armwise::Result<Trial> {
    Trial::builder("Utrecht", Table::from_csv_str(csv)?).arm_labels("arm").control("c").build()
}

/// Rows of CSV, each so many times.
fn rows(header: &str, rows: &[(&str, usize)]) -> String {
    let lines = rows.iter().map(|(row, times)| format!("{row}\n").repeat(*times));
    format!("{header}\n{}", lines.collect::<String>())
}

/// The names of the variants of an enum in its source.
fn variants(source: &str, name: &str) -> BTreeSet<String> {
    let body = source.split(&format!("pub enum {name} {{")).nth(1).unwrap().split("\n}\n").next().unwrap();
    let lines = body.lines().filter_map(|line| line.strip_prefix("    "));
    let names = lines.filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()));
    names.map(|line| line.split([' ', '(', ',']).next().unwrap().to_owned()).collect()
}

fn first_word(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}").split([' ', '(']).next().unwrap().to_owned()
}

#[test]
fn every_sentence_has_the_advice_of_its_cause() {
    let mut wrong = Vec::new();
    for (cause, provoke, says, never) in all() {
        let Err(error) = provoke() else {
            wrong.push(format!("{cause}: no error"));
            continue;
        };
        let text = error.to_string();
        println!("{cause}: {text}");
        for words in *says {
            if !text.contains(words) {
                wrong.push(format!("{cause}: without \"{words}\": {text}"));
            }
        }
        for words in *never {
            if text.contains(words) {
                wrong.push(format!("{cause}: \"{words}\" in: {text}"));
            }
        }
        for words in ["NaN", "untagged", "  ", "None", "Some("] {
            // The cells of a file stand below each other.
            if text.contains(words)
                && !matches!(error.kind(), ErrorKind::BadCells { .. } | ErrorKind::InvalidPlan { .. })
            {
                wrong.push(format!("{cause}: \"{words}\" in: {text}"));
            }
        }
        // What is wrong; what to do.
        let advises = text.contains(';')
            || text.contains("mend the file")
            || text.contains("did you mean")
            || text.contains(" are: ");
        if !advises && !matches!(error.kind(), ErrorKind::InvalidPlan { .. }) {
            wrong.push(format!("{cause}: says not what to do: {text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The list is whole: every kind of error is provoked, and every cause that a kind tells apart.
#[test]
fn every_kind_of_error_is_provoked() {
    let errors: Vec<Error> = all().filter_map(|(_, provoke, ..)| provoke().err()).collect();
    let kinds: BTreeSet<String> = errors.iter().map(|error| first_word(error.kind())).collect();
    let source = include_str!("../../../src/error.rs");
    assert_eq!(kinds, variants(source, "ErrorKind"));
    let collinear = errors.iter().filter_map(|error| match error.kind() {
        ErrorKind::Collinear { what, .. } => Some(first_word(what)),
        _ => None,
    });
    assert_eq!(collinear.collect::<BTreeSet<_>>(), variants(source, "Collinearity"));
    let source = include_str!("../../../src/error/separated.rs");
    let (mut models, mut by) = (BTreeSet::new(), BTreeSet::new());
    for error in &errors {
        if let ErrorKind::Separation { model, by: columns, .. } = error.kind() {
            models.insert(first_word(model));
            by.insert(first_word(columns));
        }
    }
    assert_eq!(models, variants(source, "SeparatedModel"));
    assert_eq!(by, variants(source, "SeparatedBy"));
}
