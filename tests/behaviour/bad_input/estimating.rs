//! Data that can be read but hardly be estimated from.

use super::check::{all_of, everything, read, says, sound};
use crate::support::data::{SCORE, WORKS};
use crate::support::estimators;
use crate::support::labelled;
use armwise::prelude::*;
use std::fmt::Write;

const HEADER: &str = "arm,works,score,age,district\n";

/// Two arms of `n` people; each cell from the arm and the number of the person.
fn people(n: u32, cells: impl Fn(bool, u32) -> String) -> String {
    let mut csv = HEADER.to_owned();
    for treated in [false, true] {
        for i in 0..n {
            let arm = if treated { "guidance" } else { "control" };
            writeln!(csv, "{arm},{}", cells(treated, i)).unwrap();
        }
    }
    csv
}

/// A usual value for a person: half of them work, scores, ages and districts vary.
fn usual(i: u32) -> (u32, f64, u32, u32) {
    (i % 2, f64::from(i * 7 % 11), 20 + i * 13 % 40, i / 2 % 2)
}

#[test]
fn degenerate_data_have_an_answer_or_a_sentence() {
    let with = |works: &dyn Fn(bool, u32) -> u32,
                score: &dyn Fn(bool, u32) -> f64,
                age: &dyn Fn(bool, u32) -> f64| {
        people(16, |treated, i| {
            format!("{},{:e},{:e},{}", works(treated, i), score(treated, i), age(treated, i), usual(i).3)
        })
    };
    let works = |_: bool, i: u32| usual(i).0;
    let score = |_: bool, i: u32| usual(i).1;
    let age = |_: bool, i: u32| f64::from(usual(i).2);
    let cases: Vec<(&str, String)> = vec![
        ("as usual", with(&works, &score, &age)),
        ("one person per arm", people(1, |_, i| format!("{},{},{},0", i % 2, i, 30 + i))),
        ("two people per arm", people(2, |_, i| format!("{},{},{},0", i % 2, i, 30 + i))),
        ("no events", with(&|_, _| 0, &|_, _| 0.0, &age)),
        ("all events", with(&|_, _| 1, &|_, _| 1.0, &age)),
        (
            "no events among the controls",
            with(
                &|treated, i| u32::from(treated) * (i % 2),
                &|treated, i| if treated { f64::from(i) } else { 2.0 },
                &age,
            ),
        ),
        (
            "no events among the treated",
            with(
                &|treated, i| u32::from(!treated) * (i % 2),
                &|treated, i| if treated { 2.0 } else { f64::from(i) },
                &age,
            ),
        ),
        (
            "the arm is the outcome",
            with(&|treated, _| u32::from(treated), &|treated, _| f64::from(u8::from(treated)), &age),
        ),
        ("a constant outcome of 0.1", with(&|_, i| i % 2, &|_, _| 0.1, &age)),
        (
            "an outcome that the covariate explains entirely",
            with(&works, &|_, i| 0.1 + 0.3 * f64::from(usual(i).2), &age),
        ),
        ("a constant covariate", with(&works, &score, &|_, _| 40.0)),
        ("a covariate that is the arm", with(&works, &score, &|treated, _| f64::from(u8::from(treated)))),
        ("a covariate that is the outcome", with(&works, &|_, i| f64::from(i % 2), &|_, i| f64::from(i % 2))),
        ("a covariate that separates", with(&|_, i| u32::from(i > 8), &score, &|_, i| f64::from(i))),
        ("scores of 1e308", with(&works, &|_, i| if i % 2 == 0 { 1e308 } else { -1e308 }, &age)),
        ("scores around 1e308", with(&works, &|_, i| 1e308 - f64::from(i) * 1e293, &age)),
        ("scores of 1e160", with(&works, &|_, i| f64::from(i) * 1e160, &age)),
        ("scores of 1e-308", with(&works, &|_, i| f64::from(i) * 1e-308, &age)),
        ("scores of 1e-160", with(&works, &|_, i| f64::from(i) * 1e-160, &age)),
        ("ages of 1e308", with(&works, &score, &|_, i| if i % 3 == 0 { 1e308 } else { 1.7e308 })),
        ("ages of 1e-308", with(&works, &score, &|_, i| f64::from(i * 7 % 11) * 1e-308)),
        (
            "an age that is far off",
            with(&works, &score, &|_, i| if i == 3 { 1e15 } else { f64::from(usual(i).2) }),
        ),
        ("a large mean and a small spread", with(&works, &|_, i| 1e15 + f64::from(i % 3), &age)),
        (
            "missing ages",
            people(16, |_, i| {
                format!(
                    "{},{},{},{}",
                    i % 2,
                    i * 7 % 11,
                    if i % 5 == 0 { String::new() } else { (20 + i * 13 % 40).to_string() },
                    usual(i).3
                )
            }),
        ),
        (
            "a stratum without the treatment",
            people(16, |treated, i| {
                format!(
                    "{},{},{},{}",
                    i % 2,
                    i * 7 % 11,
                    20 + i * 13 % 40,
                    if treated { 0 } else { usual(i).3 }
                )
            }),
        ),
        (
            "a stratum for each person",
            people(16, |treated, i| {
                format!("{},{},{},{}", i % 2, i * 7 % 11, 20 + i * 13 % 40, i + 100 * u32::from(treated))
            }),
        ),
    ];
    all_of(|| {
        for (name, csv) in cases {
            let trial = read(&csv).unwrap_or_else(|error| panic!("{name}: {error}"));
            let answered = everything(name, &trial);
            println!("{name}: {answered} of {} estimators answer", estimators::all().len());
        }
    });
}

#[test]
fn levels_that_are_none() {
    let trial =
        read(&people(16, |_, i| format!("{},{},{},{}", i % 2, i * 7 % 11, 20 + i * 13 % 40, usual(i).3)))
            .unwrap();
    for listed in estimators::all() {
        for level in [0.0, 1.0, -0.5, 2.0, 95.0, f64::NAN, f64::INFINITY] {
            let name = format!("level NaN or {level}, {}", listed.name);
            match (listed.estimate)(&trial, level) {
                Ok(_) => panic!("{name}: there is an answer"),
                Err(error) => says(&name, &error, &["level", "0.95", "Utrecht"]),
            }
        }
        // The ends of what is a level.
        for level in [1e-12, 1.0 - 1e-12] {
            let estimates = (listed.estimate)(&trial, level)
                .unwrap_or_else(|e| panic!("{} at {level}: {e}", listed.name));
            sound(&listed.name, &estimates);
        }
    }
}

#[test]
fn more_covariates_than_people() {
    let names: Vec<String> = (0..12).map(|j| format!("x{j}")).collect();
    let mut csv = format!("arm,works,score,{}\n", names.join(","));
    for i in 0..10_u32 {
        let cells: Vec<String> =
            (0..12_u32).map(|j| (i * (2 * j + 3) % 17 + i * i * j % 5).to_string()).collect();
        writeln!(
            csv,
            "{},{},{},{}",
            ["control", "guidance"][(i % 2) as usize],
            i / 2 % 2,
            i,
            cells.join(",")
        )
        .unwrap();
    }
    let table = Table::from_csv_str(&csv).unwrap();
    let trial = labelled(table, "control").build().unwrap();
    let (works, score) = (trial.on(&WORKS).unwrap(), trial.on(&SCORE).unwrap());
    let (logistic, linear) =
        (LogisticRegression::new().adjust_for(&names), LinearRegression::new().adjust_for(&names));
    let errors = [
        works.estimate(&logistic).unwrap_err(),
        works.estimate(&logistic.marginal(RiskDifference)).unwrap_err(),
        works.estimate(&linear).unwrap_err(),
        score.estimate(&linear).unwrap_err(),
        score.estimate(&linear.marginal(MeanDifference)).unwrap_err(),
    ];
    for error in errors {
        says("more covariates than people", &error, &["Utrecht"]);
    }
}

#[test]
fn an_empty_stratum_cell_is_a_notice_until_a_variance_needs_it() {
    let trial = read(&people(16, |treated, i| {
        format!("{},{},{},{}", i % 2, i * 7 % 11, 20 + i * 13 % 40, if treated { 0 } else { usual(i).3 })
    }))
    .unwrap();
    let empty = |notice: &Notice| matches!(notice, Notice::EmptyStratumCell { .. });
    assert!(trial.notices().iter().any(empty));
    let comparison = trial.on(&WORKS).unwrap();
    let crude = comparison.estimate(&DifferenceInProportions::new()).unwrap();
    assert!(crude.notices().iter().any(empty));
    let model = LogisticRegression::new().adjust_for(["age"]).marginal(RiskDifference);
    let error = comparison.estimate(&model).unwrap_err();
    says("stratified variance", &error, &["Utrecht", "works", "stratum", "guidance"]);
    comparison.estimate(&model.variance(MarginalVariance::Ye2023)).unwrap();
}

#[test]
fn separated_covariates_are_named() {
    let csv = people(16, |_, i| format!("{},{},{},{}", u32::from(i > 8), i * 7 % 11, i, usual(i).3));
    let comparison = read(&csv).unwrap().on(&WORKS).unwrap();
    let error = comparison.estimate(&LogisticRegression::new().adjust_for(["age"])).unwrap_err();
    says("separation", &error, &["Utrecht", "works", "complete separation", "age (to +infinity)"]);
    assert_eq!(error.kind().name(), "separation");
}

#[test]
fn unicode_labels() {
    let csv = "stad,arm,works\n's-Hertogenbosch Ünïcødé 市,controle 🙂,1\n's-Hertogenbosch Ünïcødé 市,controle 🙂,0\n\
               's-Hertogenbosch Ünïcødé 市,begeleiding ἀρχή,1\n's-Hertogenbosch Ünïcødé 市,begeleiding ἀρχή,0\n";
    let table = Table::from_csv_str(csv).unwrap();
    let trials = Trials::builder(table, "stad").arm_labels("arm").control("controle 🙂").build().unwrap();
    let effects = trials.on(&WORKS).unwrap().estimate(&DifferenceInProportions::new()).unwrap();
    let estimate = effects.treatment("begeleiding ἀρχή").unwrap();
    let pooled = RandomEffects::new().pool(&estimate).unwrap();
    sound("unicode", &pooled);
    assert!(pooled.to_string().contains("begeleiding ἀρχή"));
    let error = effects.treatment("begeleiding αρχή").unwrap_err();
    says("unicode", &error, &["did you mean \"begeleiding ἀρχή\""]);
}

#[test]
fn a_million_rows() {
    let n = 1_000_000_u32;
    let works = (0..n).map(|i| (i.wrapping_mul(2_654_435_761) >> 16).is_multiple_of(8));
    let age = (0..n).map(|i| f64::from(i.wrapping_mul(40_503) >> 8 & 63));
    let table = Table::new()
        .with_categories("arm", (0..n).map(|i| ["control", "guidance", "exemption"][(i % 3) as usize]))
        .and_then(|table| table.with_flags("works", works))
        .and_then(|table| table.with_reals("age", age))
        .unwrap();
    let trial = labelled(table, "control").build().unwrap();
    let comparison = trial.on(&WORKS).unwrap();
    let crude = comparison.estimate(&DifferenceInProportions::new()).unwrap();
    let adjusted =
        comparison.estimate(&LogisticRegression::new().adjust_for(["age"]).marginal(RiskDifference)).unwrap();
    for (crude, adjusted) in crude.iter().zip(adjusted.iter()) {
        assert!((crude.value() - adjusted.value()).abs() < 1e-3 && adjusted.se() > 0.0);
    }
}
