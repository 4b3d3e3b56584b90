//! Times and options that the estimators of times cannot answer, or hardly.

use super::check::{all_of, ensure, says, sound};
use crate::support::labelled;
use armwise::effect::LogRatioOfMeans;
use armwise::estimator::{LogRankTest, WeightColumn};
use armwise::prelude::*;
use std::fmt::Write;

const LEFT: Measure<TimeToEvent> = Measure::time_to_event("month", "left").unit("months");
const EXIT: Measure<TimeToEvent> =
    Measure::time_to_event("month", "reason").of("work").competing(&["other"]).censored(&["none"]);

/// Two arms of `n` people with a month, whether they left, and why.
fn people(n: u32, month: impl Fn(bool, u32) -> f64, left: impl Fn(bool, u32) -> u32) -> Trial {
    let mut csv = "arm,month,left,reason,age,weight,district,zero\n".to_owned();
    for treated in [false, true] {
        for i in 0..n {
            let arm = if treated { "guidance" } else { "control" };
            let left = left(treated, i);
            let reason = ["none", "work", "other"][if left == 0 { 0 } else { 1 + (i % 2) as usize }];
            let (month, age) = (month(treated, i), 20 + i * 13 % 40);
            writeln!(
                csv,
                "{arm},{month:e},{left},{reason},{age},{},{},0",
                0.5 + f64::from(i % 3),
                u32::from(treated)
            )
            .unwrap();
        }
    }
    labelled(Table::from_csv_str(&csv).unwrap(), "control").build().unwrap()
}

fn usual() -> Trial {
    people(16, |_, i| f64::from(i * 7 % 13 + 1), |_, i| u32::from(!i.is_multiple_of(3)))
}

#[test]
fn degenerate_times_have_an_answer_or_a_sentence() {
    let month = |_: bool, i: u32| f64::from(i * 7 % 13 + 1);
    let left = |_: bool, i: u32| u32::from(!i.is_multiple_of(3));
    let cases: Vec<(&str, Trial)> = vec![
        ("as usual", usual()),
        ("one person", people(1, month, left)),
        ("two people", people(2, month, left)),
        ("nobody left", people(16, month, |_, _| 0)),
        ("all left", people(16, month, |_, _| 1)),
        ("all left at once", people(16, |_, _| 3.0, |_, _| 1)),
        ("all left at 0", people(16, |_, _| 0.0, |_, _| 1)),
        ("all were lost at once", people(16, |_, _| 3.0, |_, _| 0)),
        ("nobody left in one arm", people(16, month, |treated, i| u32::from(treated) * (i % 2))),
        (
            "all left in one arm at once",
            people(16, |treated, i| if treated { 2.0 } else { month(treated, i) }, left),
        ),
        ("all were lost before the others left", people(16, |_, i| f64::from(i), |_, i| u32::from(i > 7))),
        ("the last one left", people(16, |_, i| f64::from(i), |_, i| u32::from(i == 15))),
        ("times of 1e308", people(16, |_, i| f64::from(i + 1) * 1e307, left)),
        ("times of 1e-308", people(16, |_, i| f64::from(i + 1) * 1e-308, left)),
        ("a time that is far off", people(16, |_, i| if i == 4 { 1e15 } else { f64::from(i) }, left)),
        ("times that hardly differ", people(16, |_, i| 4.0 + f64::from(i) * 1e-12, left)),
    ];
    all_of(|| {
        for (name, trial) in &cases {
            let mut answered = 0;
            for covariates in [&[][..], &["age"], &["district"], &["zero"]] {
                for horizon in [1e-300, 5.0, 12.0, 1e300] {
                    answered += one(name, trial, covariates, horizon);
                }
            }
            for measure in [&LEFT, &EXIT] {
                let Ok(comparison) = trial.on(measure) else { continue };
                for test in
                    [LogRankTest::new(), LogRankTest::new().of_any_cause(), LogRankTest::new().of_incidence()]
                {
                    match comparison.test_times(&test) {
                        Ok(found) => {
                            let sound = (0.0..=1.0).contains(&found.p_value) && found.statistic >= 0.0;
                            ensure(sound, || format!("{name}: {found:?}"));
                        }
                        Err(error) => says(name, &error, &["Utrecht", "month"]),
                    }
                }
            }
            println!("{name}: {answered} answers");
        }
    });
}

/// Every scale at a horizon: how many answer.
fn one(name: &str, trial: &Trial, covariates: &[&str], horizon: f64) -> usize {
    let name = format!("{name} at {horizon:e}, adjusted for {covariates:?}");
    let risk = |scale: AnyScale| RiskAtHorizon::new(scale, horizon).adjust_for(covariates);
    let mean = |scale: AnyScale| RestrictedMeanTime::new(scale, horizon).adjust_for(covariates);
    let (difference, means) = (AnyScale::MeanDifference, LogRatioOfMeans.to_any());
    let mut answers = Vec::new();
    for measure in [&LEFT, &EXIT] {
        let comparison = match trial.on(measure) {
            Ok(comparison) => comparison,
            Err(error) => {
                says(&name, &error, &["Utrecht", "month"]);
                continue;
            }
        };
        for scale in [AnyScale::RiskDifference, AnyScale::LogRiskRatio, AnyScale::LogOddsRatio] {
            answers.push(comparison.estimate(&risk(scale.clone())));
            answers.push(comparison.estimate(&risk(scale).weights("weight")));
        }
        answers.push(comparison.estimate(&mean(difference.clone())));
        answers.push(comparison.estimate(&mean(means.clone()).interacted()));
        let cause = if comparison.times().unwrap().causes.len() == 1 { "event" } else { "other" };
        answers.push(comparison.estimate(&mean(difference.clone()).lost_to(cause)));
    }
    let mut found = 0;
    for answer in answers {
        match answer {
            Ok(estimates) => {
                sound(&name, &estimates);
                found += 1;
            }
            Err(error) => says(&name, &error, &["Utrecht", "month"]),
        }
    }
    found
}

#[test]
fn options_that_are_none() {
    let trial = usual();
    let comparison = trial.on(&LEFT).unwrap();
    all_of(|| {
        for horizon in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let name = format!("a horizon of NaN or {horizon}");
            let error = comparison.estimate(&RiskAtHorizon::new(RiskDifference, horizon)).unwrap_err();
            says(&name, &error, &["Utrecht", "month", "the horizon is", "a finite time above 0"]);
            let error = comparison.estimate(&RestrictedMeanTime::new(MeanDifference, horizon)).unwrap_err();
            says(&name, &error, &["Utrecht", "month", "the horizon is"]);
        }
        let risk = RiskAtHorizon::new(RiskDifference, 12.0);
        for level in [0.0, 1.0, -0.5, 95.0, f64::NAN] {
            let name = format!("a level of NaN or {level}");
            for risk in [risk.clone(), risk.clone().adjust_for(["age"])] {
                let error = comparison.estimate(&risk.level(level)).unwrap_err();
                says(&name, &error, &["Utrecht", "level", "0.95"]);
            }
        }
        let cases: Vec<(&str, RiskAtHorizon<RiskDifference>, &[&str])> = vec![
            ("weights of 0", risk.clone().weights("zero"), &["column \"zero\"", "a weight of 0"]),
            ("weights that are not there", risk.clone().weights("wieght"), &["did you mean \"weight\""]),
            (
                "frequencies that are no numbers of people",
                risk.clone().weights(WeightColumn::Frequency("weight".to_owned())),
                &["column \"weight\"", "a frequency of 0.5"],
            ),
            ("a covariate that is not there", risk.clone().adjust_for(["agge"]), &["did you mean \"age\""]),
            ("a covariate named twice", risk.clone().adjust_for(["age", "age"]), &["named twice"]),
            ("a covariate that is the arm", risk.clone().adjust_for(["district"]), &["district"]),
            ("a constant covariate", risk.clone().adjust_for(["zero"]), &["zero"]),
            (
                "a reference level of no covariate",
                risk.clone().reference_level("district", "1"),
                &["column \"district\"", "adjust_for(..)"],
            ),
            (
                "weights of precision",
                risk.weights(WeightColumn::Precision("weight".to_owned())),
                &["column \"weight\""],
            ),
        ];
        for (name, estimator, words) in cases {
            match comparison.estimate(&estimator) {
                Ok(_) => ensure(false, || format!("{name}: there is an answer")),
                Err(error) => {
                    says(name, &error, words);
                    says(name, &error, &["Utrecht", "month"]);
                }
            }
        }
    });
}
