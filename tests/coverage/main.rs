//! Coverage, type I error and width of the default intervals, by simulation. Ignored by default, as it takes
//! minutes:
//!
//! ```text
//! cargo test --release --test coverage -- --ignored --nocapture
//! ```
//!
//! It prints the tables that `README.md` in this folder holds, and asserts the bands within which the
//! defaults stay. Every replicate has its own stream of random numbers, keyed by study, setting and
//! replicate, so the numbers depend on the seed alone, never on the number of threads. `COVERAGE_REPLICATES`
//! sets another number of replicates than 4,000 (slow studies take a part of it); the bands are asserted from
//! there on.

mod amounts;
mod binary;
mod clusters;
mod comparisons;
mod draw;
mod missing;
mod pools;
mod predictions;
mod rates;
mod replays;
mod study;
mod table;
mod times;

use study::{Results, Study, run};

fn replicates() -> usize {
    std::env::var("COVERAGE_REPLICATES").ok().and_then(|text| text.parse().ok()).unwrap_or(4000)
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn print(study: &Study) -> Results {
    let results = run(study, replicates(), threads());
    println!("{}", table::markdown(study, &results));
    results
}

#[test]
#[ignore = "minutes; the command is in the head of the file"]
fn coverage_of_the_defaults() {
    println!("{}\n", table::LEGEND);
    let studies = [
        binary::unadjusted(),
        binary::adjusted(),
        binary::compliers(),
        amounts::scores(),
        amounts::with_zeros(),
        rates::counts(),
        times::exits(),
        times::hazards(),
        pools::one_treatment(),
        pools::several_treatments(),
        binary::penalised(),
        clusters::of_several_arms(),
        clusters::blocks_of_unequal_spread(),
        clusters::pairs_beside_larger_blocks(),
        predictions::of_one_treatment(),
        predictions::of_all_arms(),
        missing::scores(),
    ];
    // `COVERAGE_STUDY=10` runs one of them.
    let only: Option<u64> = std::env::var("COVERAGE_STUDY").ok().and_then(|text| text.parse().ok());
    let studies: Vec<Study> =
        studies.into_iter().filter(|study| only.is_none_or(|number| study.number == number)).collect();
    let results: Vec<Results> = studies.iter().map(print).collect();
    if replicates() >= 4000 {
        for (study, results) in studies.iter().zip(&results) {
            study.check_bands(results);
        }
    }
}

/// With equal spreads the hypothesis of no effect on anyone is true, and both statistics keep their level; with
/// unequal ones the studentised statistic comes near it as clusters grow.
#[test]
#[ignore = "a minute; the command is in the head of the file"]
fn replays_of_equal_means() {
    let replicates = replicates();
    let (words, rates) = replays::table(replicates);
    println!("{words}");
    let noise = 400.0 * (0.05 * 0.95 / replicates as f64).sqrt();
    assert!(rates.iter().all(|row| row[0] <= 5.0 + noise), "{rates:?}");
    let largest = &rates[rates.len() - 1];
    assert!(largest.iter().all(|rate| (5.0 - noise - 1.0..5.0 + noise + 1.0).contains(rate)), "{rates:?}");
}

#[test]
fn streams_do_not_depend_on_threads() {
    for study in [binary::unadjusted(), rates::counts(), pools::one_treatment()] {
        let one = run(&study, 60, 1);
        assert_eq!(one, run(&study, 60, 3), "{}", study.title);
        assert_ne!(one, run(&study, 72, 3), "{}", study.title);
    }
}
