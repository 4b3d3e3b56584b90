//! Time and memory at three sizes, each twice the one before: a step that is quadratic in what should be
//! linear shows as a growth of 4, and memory is compared with that of the input.

use armwise::design::TrialBuilder;
use armwise::prelude::*;
use peak_alloc::PeakAlloc;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

#[global_allocator]
pub(crate) static PEAK: PeakAlloc = PeakAlloc;

/// What may be allocated beside 16 times the input.
const SLACK: usize = 64 << 20;

/// A workload: prepared at a size, it tells the bytes of its input and is run once.
type Prepared = (usize, Box<dyn FnOnce() -> Result<(), armwise::Error>>);

/// A workload with its smallest size, and whether its time may grow with more than it: its answer holds a
/// covariance of all arms or categories.
type Workload = (&'static str, usize, bool, fn(usize) -> Prepared);

const WORKLOADS: [Workload; 9] = [
    ("rows of a file of 20 columns", 50_000, false, file),
    ("arms, proportions", 1_000, true, arms),
    ("trials, pooled", 2_500, false, trials),
    ("trials, joint model", 2_500, false, joint),
    ("levels of a covariate", 25_000, false, levels),
    ("strata", 25_000, false, strata),
    ("categories of an outcome", 500, true, categories),
    ("clusters, means", 25_000, false, clusters),
    ("clusters, logistic regression", 25_000, false, logistic_clusters),
];

/// Prints a table; false where something grew too fast or asked for too much.
pub(crate) fn measure(factor: f64) -> bool {
    println!(
        "{:<32} {:>9} {:>10} {:>8} {:>12} {:>8}",
        "what", "size", "time", "growth", "peak, MB", "x input"
    );
    let mut sound = true;
    for (name, smallest, square, prepare) in WORKLOADS {
        let mut before: Option<Duration> = None;
        for double in 0..3 {
            let size = ((smallest as f64 * factor) as usize) << double;
            let (input, run) = prepare(size);
            let base = PEAK.current_usage();
            PEAK.reset_peak_usage();
            let start = Instant::now();
            let answer = run();
            let time = start.elapsed();
            let peak = PEAK.peak_usage().saturating_sub(base);
            let growth = before.map_or(0.0, |before| time.as_secs_f64() / before.as_secs_f64());
            before = Some(time);
            let share = peak as f64 / input as f64;
            println!(
                "{name:<32} {size:>9} {time:>10.1?} {growth:>8.1} {:>12.1} {share:>8.1}",
                peak as f64 / 1e6
            );
            if let Err(error) = answer {
                let text = error.to_string();
                println!("  {}", text.chars().take(110).collect::<String>());
            }
            // Of the last size only, and where there is time to measure.
            let slow =
                double == 2 && time > Duration::from_millis(200) && growth > if square { 10.0 } else { 3.2 };
            let large = !square && peak > 16 * input + SLACK;
            if slow || large {
                println!("  ^ {}", if slow { "grows too fast" } else { "too much memory" });
                sound = false;
            }
        }
    }
    sound
}

fn file(rows: usize) -> Prepared {
    let mut text = "arm,works,stratum,age".to_owned();
    for column in 4..20 {
        let _ = write!(text, ",x{column}");
    }
    for row in 0..rows {
        let _ = write!(
            text,
            "\n{},{},s{},{}",
            ["c", "t", "u"][row % 3],
            row * 7 % 11 % 2,
            row % 5,
            18 + row % 50
        );
        for column in 4..20 {
            let _ = write!(text, ",{}.{}", row * column % 97, column);
        }
    }
    (
        text.len(),
        Box::new(move || {
            let table = Table::from_csv_str(&text)?;
            let trial = Trial::builder("Utrecht", table)
                .arm_labels("arm")
                .control("c")
                .strata(["stratum"])
                .build()?;
            let comparison = trial.on(&Measure::binary("works"))?;
            comparison.estimate(&DifferenceInProportions::new())?;
            comparison.estimate(
                &LogisticRegression::new().adjust_for(["age", "x4", "x5"]).marginal(RiskDifference),
            )?;
            Ok(())
        }),
    )
}

fn arms(arms: usize) -> Prepared {
    let counts: Vec<(String, u64, u64)> =
        (0..arms).map(|i| (format!("arm {i}"), 3 + i as u64 % 7, 20)).collect();
    (
        arms * 40,
        Box::new(move || {
            let counts = counts.iter().map(|(arm, events, n)| (arm.as_str(), *events, *n));
            let works = Measure::binary("works");
            Comparison::from_counts("Utrecht", &works, counts)?.estimate(&DifferenceInProportions::new())?;
            Ok(())
        }),
    )
}

fn effects(trials: usize) -> armwise::Result<Effects<RiskDifference>> {
    let works = Measure::binary("works");
    let trials = (0..trials).map(|i| {
        let arms =
            [("c", 10 + i as u64 % 7, 100), ("t", 12 + i as u64 % 11, 100), ("u", 9 + i as u64 % 5, 90)];
        Comparison::from_counts(format!("city {i}"), &works, arms)
    });
    Comparisons::new(trials.collect::<armwise::Result<Vec<_>>>()?)?.estimate(&DifferenceInProportions::new())
}

fn trials(trials: usize) -> Prepared {
    (
        trials * 300,
        Box::new(move || {
            let effects = effects(trials)?;
            RandomEffects::new().pool(&effects.treatment("t")?)?;
            counted(trials)
        }),
    )
}

/// The same trials by their counts.
fn counted(trials: usize) -> Result<(), armwise::Error> {
    let works = Measure::binary("works");
    let trials = (0..trials).map(|i| {
        Comparison::from_counts(format!("city {i}"), &works, [("c", 10 + i as u64 % 7, 100), ("t", 12, 100)])
    });
    let comparisons = Comparisons::new(trials.collect::<armwise::Result<Vec<_>>>()?)?;
    MantelHaenszel::new(RiskDifference).pool(&comparisons, "t").map(drop)
}

fn joint(trials: usize) -> Prepared {
    (trials * 300, Box::new(move || JointModel::random().pool(&effects(trials)?).map(drop)))
}

/// People of two arms with a column of labels.
fn people(rows: usize, label: impl Fn(usize) -> String) -> armwise::Result<Table> {
    Table::new()
        .with_categories("arm", (0..rows).map(|i| ["c", "t"][i / 2 % 2]))?
        .with_flags("works", (0..rows).map(|i| i * 7 % 11 % 3 == 0))?
        .with_reals("score", (0..rows).map(|i| (i * 7 % 101) as f64))?
        .with_categories("label", (0..rows).map(label))
}

fn trial(table: Table) -> TrialBuilder {
    Trial::builder("Utrecht", table).arm_labels("arm").control("c")
}

fn levels(levels: usize) -> Prepared {
    let table = people(4 * levels, |i| format!("l{}", i / 4));
    (
        levels * 4 * 30,
        Box::new(move || {
            let works = Measure::binary("works");
            let model = LogisticRegression::new().adjust_for(["label"]);
            trial(table?).build()?.on(&works)?.estimate(&model).map(drop)
        }),
    )
}

fn strata(strata: usize) -> Prepared {
    let table = people(4 * strata, |i| format!("s{}", i / 4));
    (
        strata * 4 * 30,
        Box::new(move || {
            let trial = trial(table?).strata(["label"]).build()?;
            trial.on(&Measure::binary("works"))?.estimate(&DifferenceInProportions::new())?;
            trial.on(&Measure::continuous("score"))?.estimate(&DifferenceInMeans::new()).map(drop)
        }),
    )
}

fn categories(categories: usize) -> Prepared {
    let rows = 8 * categories;
    let table = people(rows, |i| format!("k{}", i / 4 % categories));
    let levels: Vec<&'static str> = (0..categories).map(|k| &*format!("k{k}").leak()).collect();
    (
        rows * 30,
        Box::new(move || {
            let measure = Measure::nominal("label", levels.leak());
            trial(table?).build()?.on(&measure)?.estimate_categories(&DifferenceInCategories::new()).map(drop)
        }),
    )
}

fn clusters(clusters: usize) -> Prepared {
    let table = people(4 * clusters, |i| format!("g{}", i / 4 * 2 + i / 2 % 2));
    (
        clusters * 4 * 30,
        Box::new(move || {
            let trial = trial(table?).clusters("label").build()?;
            trial.on(&Measure::continuous("score"))?.estimate(&LinearRegression::new()).map(drop)
        }),
    )
}

fn logistic_clusters(clusters: usize) -> Prepared {
    let table = people(4 * clusters, |i| format!("g{}", i / 4 * 2 + i / 2 % 2));
    (
        clusters * 4 * 30,
        Box::new(move || {
            let trial = trial(table?).clusters("label").build()?;
            let model = LogisticRegression::new().adjust_for(["score"]);
            trial.on(&Measure::binary("works"))?.estimate(&model).map(drop)
        }),
    )
}
