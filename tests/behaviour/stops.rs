//! A hook that stops work at its first report, and one that only listens, for everything that can take long.

use crate::support::data::comparisons;
use crate::support::labelled;
use armwise::ErrorKind;
use armwise::bayes::{NormalNormal, TauPrior};
use armwise::estimator::{FirthLogisticRegression, MultinomialRegression};
use armwise::meta_analysis::{MetaRegression, Moderators, Permutations};
use armwise::multiplicity::{Alternative, MultivariateT};
use armwise::ndarray::array;
use armwise::prelude::*;
use armwise::progress::{Progress, Step};
use armwise::protocol::{AnalysisPlan, PlannedOutcome};
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

fn text(rows: usize) -> String {
    let mut text = "arm,works,age,grade,hours,site,ended,state\n".to_owned();
    for row in 0..rows {
        let _ = writeln!(
            text,
            "{},{},{},{},{},g{},{},{}",
            ["control", "guidance"][row % 2],
            usize::from(row * 7 % 11 < 4 + row % 2),
            20 + row * 13 % 40,
            ["low", "middle", "high"][row * 5 % 7 % 3],
            row * 17 % 23,
            row % 10,
            1 + row * 3 % 12,
            ["exit", "censored"][row % 3 % 2]
        );
    }
    text
}

/// What is done, and its answer in words.
type Work = Box<dyn Fn() -> armwise::Result<String>>;

fn words<T: std::fmt::Debug>(result: armwise::Result<T>) -> armwise::Result<String> {
    result.map(|answer| format!("{answer:?}"))
}

fn all() -> Vec<(&'static str, Work)> {
    let table = Table::from_csv_str(&text(240)).unwrap();
    let utrecht = labelled(table.clone(), "control").build().unwrap();
    let clustered = labelled(table, "control").clusters("site").build().unwrap();
    let works = utrecht.on(&Measure::binary("works")).unwrap();
    let grade = utrecht.on(&Measure::nominal("grade", &["low", "middle", "high"])).unwrap();
    let hours = clustered.on(&Measure::continuous("hours")).unwrap();
    let counts: Vec<_> = (0..6_u64).map(|i| [(10 + i, 100), (15 + 2 * i, 90), (12, 80 + i)]).collect();
    let cities = Arc::new(comparisons(&counts));
    let effects = Arc::new(cities.estimate(&DifferenceInProportions::new()).unwrap());
    let (works, hours) = (Arc::new(works), Arc::new(hours));
    let firth = Arc::clone(&works);
    let (mixed, bayes) = (Arc::clone(&cities), Arc::clone(&effects));
    vec![
        ("a file", Box::new(|| words(Table::from_csv_str(&text(20))))),
        (
            "logistic regression",
            Box::new(move || words(works.estimate(&LogisticRegression::new().adjust_for(["age"])))),
        ),
        (
            "Firth's penalty",
            Box::new(move || words(firth.estimate(&FirthLogisticRegression::new().adjust_for(["age"])))),
        ),
        ("clusters", Box::new(move || words(hours.estimate(&LinearRegression::new())))),
        (
            "categories",
            Box::new(move || {
                words(grade.estimate_categories(&MultinomialRegression::new().adjust_for(["age"])))
            }),
        ),
        ("one stage", Box::new(move || words(OneStageLogistic::random().treatment("guidance").pool(&mixed)))),
        ("Bayes", Box::new(move || words(BayesianRandomEffects::new().pool(&bayes.treatment("guidance")?)))),
        (
            "a posterior",
            Box::new(|| {
                words(
                    NormalNormal::new(TauPrior::HalfNormal { scale: 0.5 })
                        .posterior(&[0.1, 0.4], &[0.02, 0.01]),
                )
            }),
        ),
        (
            "permutations",
            Box::new(|| {
                let dose = Moderators::new().number("dose", &[0.0, 1.0, 2.0, 3.0, 5.0]);
                let (yi, vi) = ([0.1, 0.3, 0.5, 0.7, 0.2], [0.01; 5]);
                words(MetaRegression::new().permutation_test(
                    &yi,
                    &vi,
                    &dose,
                    Permutations { most: 50, seed: 1 },
                ))
            }),
        ),
        (
            "a maximum",
            Box::new(|| {
                let correlation = array![
                    [1.0, 0.8, 0.1, 0.3],
                    [0.8, 1.0, 0.4, 0.2],
                    [0.1, 0.4, 1.0, 0.6],
                    [0.3, 0.2, 0.6, 1.0]
                ];
                words(
                    MultivariateT::new(correlation.view(), None)?.tail_of_maximum(2.1, Alternative::TwoSided),
                )
            }),
        ),
    ]
}

#[test]
fn a_stop_is_an_error_and_a_listener_changes_nothing() {
    for (name, work) in all() {
        let answer = work().unwrap_or_else(|error| panic!("{name}: {error}"));
        let told = Arc::new(Mutex::new(Vec::<Step>::new()));
        let keeper = Arc::clone(&told);
        let listener = Progress::new(move |step| {
            keeper.lock().unwrap().push(step);
            ControlFlow::Continue(())
        });
        assert_eq!(listener.watch(&work).unwrap(), answer, "{name}");
        let told = told.lock().unwrap();
        assert!(!told.is_empty(), "{name} reports nothing");
        for step in told.iter() {
            assert!(step.total.is_none_or(|total| step.done <= total), "{name}: {step}");
        }
        let impatient = Progress::new(|_| ControlFlow::Break(()));
        let error = impatient.watch(&work).err().unwrap_or_else(|| panic!("{name} goes on"));
        assert!(matches!(error.kind(), ErrorKind::Stopped(_)), "{name}: {error}");
        assert_eq!(work().unwrap(), answer, "{name}, again");
    }
}

#[test]
fn a_plan_keeps_what_is_finished() {
    let people = people_of_a_city();
    let plan = AnalysisPlan::new("Two outcomes")
        .outcome(PlannedOutcome::new(Measure::binary("works")).analysis(DifferenceInProportions::new()))
        .outcome(PlannedOutcome::new(Measure::continuous("hours")).analysis(DifferenceInMeans::new()));
    let whole = plan.run(&people).unwrap();
    assert!(!whole.is_partial() && whole.failures().count() == 0);
    let impatient = Progress::new(|_| ControlFlow::Break(()));
    let part = impatient.watch(|| plan.run(&people)).unwrap();
    assert!(part.is_partial() && part.to_string().contains("stopped after 0 of 2"), "{part}");
    assert_eq!(part.answers().len(), whole.answers().len());
}

fn people_of_a_city() -> Trial {
    labelled(Table::from_csv_str(&text(100)).unwrap(), "control").build().unwrap()
}
