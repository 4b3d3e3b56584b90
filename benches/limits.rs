//! Sizes that nobody has: arms, trials, strata, levels of a covariate, clusters, categories, each twice as many as before.
//! A time that grows faster than its size is a step that should not be there; a covariance of all arms grows with
//! its square.

#![allow(clippy::cast_possible_truncation, missing_docs)]

use armwise::categorical::ContingencyTable;
use armwise::estimator::DifferenceInCategories;
use armwise::ndarray::Array2;
use armwise::prelude::*;
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

#[divan::bench(args = [2_500, 5_000, 10_000], sample_count = 3)]
fn arms(bencher: Bencher, arms: usize) {
    let counts: Vec<(String, u64, u64)> =
        (0..arms).map(|i| (format!("arm {i}"), 3 + i as u64 % 7, 20)).collect();
    bencher.bench(|| {
        let counts = counts.iter().map(|(arm, events, n)| (arm.as_str(), *events, *n));
        let comparison = Comparison::from_counts("Utrecht", &Measure::binary("works"), counts);
        // Refused where a covariance of all arms would be too large.
        black_box(comparison.and_then(|one| one.estimate(&DifferenceInProportions::new())).is_ok())
    });
}

#[divan::bench(args = [2_500, 5_000, 10_000], sample_count = 3)]
fn trials(bencher: Bencher, trials: usize) {
    let works = Measure::binary("works");
    let city = |i: usize| {
        let arms = [("c", 10 + i as u64 % 7, 100), ("t", 12 + i as u64 % 11, 100)];
        Comparison::from_counts(format!("city {i}"), &works, arms)
    };
    bencher.bench(|| {
        let cities = Comparisons::new((0..trials).map(city).collect::<Result<Vec<_>, _>>()?)?;
        let effects = cities.estimate(&DifferenceInProportions::new())?;
        RandomEffects::new().pool(&effects.treatment("t")?).map(drop)
    });
}

/// People of two arms, four to a label.
fn people(labels: usize) -> Table {
    let rows = 4 * labels;
    Table::new()
        .with_categories("arm", (0..rows).map(|i| ["c", "t"][i / 2 % 2]))
        .and_then(|table| table.with_flags("works", (0..rows).map(|i| i * 7 % 11 % 3 == 0)))
        .and_then(|table| table.with_reals("score", (0..rows).map(|i| (i * 7 % 101) as f64)))
        .and_then(|table| table.with_categories("stratum", (0..rows).map(|i| format!("s{}", i / 4))))
        .and_then(|table| {
            table.with_categories("cluster", (0..rows).map(|i| format!("g{}", i / 4 * 2 + i / 2 % 2)))
        })
        .expect("columns of one length")
}

#[divan::bench(args = [25_000, 50_000, 100_000], sample_count = 3)]
fn strata(bencher: Bencher, strata: usize) {
    let table = people(strata);
    bencher.bench(|| {
        let trial = Trial::builder("Utrecht", table.clone()).arm_labels("arm").control("c");
        let trial = trial.strata(["stratum"]).build()?;
        trial.on(&Measure::binary("works"))?.estimate(&DifferenceInProportions::new()).map(drop)
    });
}

#[divan::bench(args = [25_000, 50_000, 100_000], sample_count = 3)]
fn levels_of_a_covariate(bencher: Bencher, levels: usize) {
    let trial =
        Trial::builder("Utrecht", people(levels)).arm_labels("arm").control("c").build().expect("a trial");
    let works = trial.on(&Measure::binary("works")).expect("an outcome");
    // Refused at once.
    bencher.bench(|| black_box(works.estimate(&LogisticRegression::new().adjust_for(["stratum"])).is_err()));
}

#[divan::bench(args = [25_000, 50_000, 100_000], sample_count = 3)]
fn clusters(bencher: Bencher, clusters: usize) {
    let table = people(clusters / 2);
    bencher.bench(|| {
        let trial = Trial::builder("Utrecht", table.clone()).arm_labels("arm").control("c");
        let trial = trial.clusters("cluster").build()?;
        trial.on(&Measure::continuous("score"))?.estimate(&LinearRegression::new()).map(drop)
    });
}

#[divan::bench(args = [25_000, 50_000, 100_000], sample_count = 3)]
fn categories(bencher: Bencher, categories: usize) {
    let levels: Vec<&'static str> = (0..categories).map(|k| &*format!("s{k}").leak()).collect();
    let (measure, table) = (Measure::nominal("stratum", levels.leak()), people(categories));
    let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build().expect("a trial");
    // The joint covariance of so many is refused, after the labels are read.
    bencher.bench(|| {
        black_box(
            trial
                .on(&measure)
                .and_then(|one| one.estimate_categories(&DifferenceInCategories::new()))
                .is_err(),
        )
    });
}

#[divan::bench(args = [25_000, 50_000, 100_000], sample_count = 3)]
fn categories_tested(bencher: Bencher, categories: usize) {
    let counts = Array2::from_shape_fn((2, categories), |(arm, k)| 1 + (k * 7 + arm * 3) as u64 % 11);
    bencher.bench(|| ContingencyTable::new(counts.view()).and_then(|table| table.pearson_test()));
}
