//! Data of the benchmarks: made from a fixed seed, outside the timed part.

// Each benchmark uses a part of this.
#![allow(dead_code)]
// Made-up counts are small and positive.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use armwise::ndarray::{Array1, ArrayView1};
use armwise::prelude::*;
use armwise::regression::{Category, ModelMatrix};
use divan::AllocProfiler;
use std::fmt;
use std::time::Duration;

/// Counts what is allocated while a benchmark runs: "max alloc" is the peak memory beyond the data.
#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// Runs the benchmarks of a file, each for about half a second.
pub(crate) fn run() {
    divan::Divan::default().max_time(Duration::from_millis(500)).config_with_args().main();
}

/// A sequence of numbers in (0, 1) that looks random (Weyl's sequence of an irrational number, scrambled).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn odds(&mut self, eta: f64) -> bool {
        self.next() < 1.0 / (1.0 + (-eta).exp())
    }
}

/// Rows, design columns (intercept and arms included) and arms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) n: usize,
    pub(crate) p: usize,
    pub(crate) arms: usize,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n={} p={} arms={}", self.n, self.p, self.arms)
    }
}

/// What the passes over rows are timed at: each of n, p and arms grows while the others stay.
pub(crate) const SIZES: [Size; 7] = [
    Size { n: 3_500, p: 8, arms: 4 },
    Size { n: 35_000, p: 8, arms: 4 },
    Size { n: 350_000, p: 8, arms: 4 },
    Size { n: 35_000, p: 16, arms: 4 },
    Size { n: 35_000, p: 32, arms: 4 },
    Size { n: 35_000, p: 16, arms: 2 },
    Size { n: 35_000, p: 16, arms: 8 },
];

/// People for the numeric layers.
pub(crate) struct People {
    pub(crate) arm: Vec<u32>,
    labels: Vec<String>,
    covariates: Vec<Array1<f64>>,
    pub(crate) works: Array1<f64>,
    pub(crate) spells: Array1<f64>,
    pub(crate) hours: Array1<f64>,
    /// Of four ordered categories.
    pub(crate) contract: Vec<u32>,
    /// 50 clusters.
    pub(crate) cluster: Vec<u32>,
}

impl People {
    pub(crate) fn new(Size { n, p, arms }: Size) -> Self {
        let mut numbers = Numbers(20);
        let arm: Vec<u32> = (0..n).map(|i| (i % arms) as u32).collect();
        let covariates: Vec<Array1<f64>> =
            (0..p - arms).map(|_| (0..n).map(|_| numbers.next() - 0.5).collect()).collect();
        let score: Vec<f64> = (0..n)
            .map(|i| 0.2 * f64::from(arm[i] % 4) + covariates.iter().map(|x| 0.3 * x[i]).sum::<f64>())
            .collect();
        Self {
            works: score.iter().map(|s| f64::from(numbers.odds(s - 1.5))).collect(),
            spells: score.iter().map(|s| (-(numbers.next().ln()) * (0.5 * s).exp()).floor()).collect(),
            hours: score.iter().map(|s| 20.0 + 4.0 * (s + numbers.next())).collect(),
            contract: score
                .iter()
                .map(|s| {
                    let place = s + 3.0 * numbers.next();
                    [0.8, 1.8, 2.6].into_iter().filter(|threshold| place > *threshold).count() as u32
                })
                .collect(),
            cluster: (0..n).map(|i| (i % 50) as u32).collect(),
            labels: (0..arms).map(|arm| format!("arm {arm}")).collect(),
            arm,
            covariates,
        }
    }

    pub(crate) fn matrix(&self) -> ModelMatrix<'_> {
        self.columns(ModelMatrix::new(self.arm.len()).intercept().expect("a column"))
    }

    /// Arms and covariates.
    pub(crate) fn columns<'m>(&'m self, matrix: ModelMatrix<'m>) -> ModelMatrix<'m> {
        let mut matrix = matrix.category("arm", Category::new(&self.arm, &self.labels)).expect("arms");
        for (j, column) in self.covariates.iter().enumerate() {
            matrix = matrix.numeric(format!("x{j}"), ArrayView1::from(column)).expect("a covariate");
        }
        matrix
    }
}

pub(crate) const WORKS: Measure<Binary> = Measure::binary("works").higher_is_better();
pub(crate) const HOURS: Measure<Continuous> = Measure::continuous("hours").higher_is_better();
pub(crate) const WAGE: Measure<Continuous> = Measure::continuous("wage").higher_is_better();
pub(crate) const SPELLS: Measure<Count> = Measure::count("spells").exposure("years").higher_is_better();
pub(crate) const YEARS: Measure<TimeToEvent> = Measure::time_to_event("years", "works").higher_is_better();
pub(crate) const CONTRACT: Measure<Ordinal> =
    Measure::ordinal("contract", &["none", "temporary", "permanent"]).higher_is_better();
/// The covariates of [`trial`].
pub(crate) const COVARIATES: [&str; 3] = ["age", "female", "education"];

/// A trial of so many people and arms.
pub(crate) fn trial(n: usize, arms: usize) -> Trial {
    let mut numbers = Numbers(5);
    let arm: Vec<usize> = (0..n).map(|i| i % arms).collect();
    let labels: Vec<String> = (0..arms).map(|arm| format!("arm {arm}")).collect();
    let age: Vec<f64> = (0..n).map(|_| 20.0 + 45.0 * numbers.next()).collect();
    let female: Vec<bool> = (0..n).map(|_| numbers.next() < 0.5).collect();
    let education: Vec<&str> =
        (0..n).map(|_| ["low", "middle", "high"][(3.0 * numbers.next()) as usize]).collect();
    let score: Vec<f64> = (0..n)
        .map(|i| 0.2 * (arm[i] % 4) as f64 - 0.02 * (age[i] - 40.0) + 0.3 * f64::from(u8::from(female[i])))
        .collect();
    let works: Vec<bool> = score.iter().map(|s| numbers.odds(s - 1.0)).collect();
    let hours: Vec<f64> = score.iter().map(|s| 20.0 + 4.0 * (s + numbers.next())).collect();
    let wage: Vec<f64> = score
        .iter()
        .map(|s| if numbers.odds(s - 0.5) { 1000.0 * (0.3 * s + 0.5 * numbers.next()).exp() } else { 0.0 })
        .collect();
    let years: Vec<f64> = (0..n).map(|_| 0.5 + numbers.next()).collect();
    let spells: Vec<f64> =
        score.iter().map(|s| (-(numbers.next().ln()) * (0.5 * s + 0.3).exp()).floor()).collect();
    let contract: Vec<&str> = score
        .iter()
        .map(|s| match s + 3.0 * numbers.next() {
            place if place > 2.4 => "permanent",
            place if place > 1.2 => "temporary",
            _ => "none",
        })
        .collect();
    let coached: Vec<bool> = arm.iter().map(|arm| *arm > 0 && numbers.next() < 0.7).collect();
    let table = Table::new()
        .with_categories("arm", arm.iter().map(|arm| labels[*arm].as_str()))
        .and_then(|table| table.with_reals("age", age))
        .and_then(|table| table.with_flags("female", female))
        .and_then(|table| table.with_categories("education", education))
        .and_then(|table| table.with_flags("works", works))
        .and_then(|table| table.with_reals("hours", hours))
        .and_then(|table| table.with_reals("wage", wage))
        .and_then(|table| table.with_reals("years", years))
        .and_then(|table| table.with_counts("spells", spells))
        .and_then(|table| table.with_categories("contract", contract))
        .and_then(|table| table.with_flags("coached", coached))
        .expect("a table");
    let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("arm 0").take_up("coached");
    trial.strata(["education"]).build().expect("a trial")
}

/// Trials of two or more treatments each, as counts; some arms combine two others.
pub(crate) fn trials(k: usize, treatments: usize) -> Comparisons<Binary> {
    let mut numbers = Numbers(11);
    let labels: Vec<String> = (0..=treatments).map(|arm| format!("arm {arm}")).collect();
    Comparisons::new((0..k).map(|trial| {
        let arms: Vec<(&str, u64, u64)> = labels
            .iter()
            .map(|label| {
                let n = 100 + (200.0 * numbers.next()) as u64;
                (label.as_str(), 1 + (n as f64 * (0.1 + 0.2 * numbers.next())) as u64, n)
            })
            .collect();
        Comparison::from_counts(format!("city {trial}"), &WORKS, arms).expect("counts")
    }))
    .expect("trials")
}

/// The same trials with people: `n` in each, three arms.
pub(crate) fn people(k: usize, n: usize) -> Trials {
    let mut numbers = Numbers(13);
    let city: Vec<String> = (0..k * n).map(|i| format!("city {}", i / n)).collect();
    let arm: Vec<usize> = (0..k * n).map(|i| i % 3).collect();
    let score: Vec<f64> = (0..k * n).map(|i| 0.2 * arm[i] as f64 + 0.1 * ((i / n) % 7) as f64).collect();
    let works: Vec<bool> = score.iter().map(|s| numbers.odds(s - 1.0)).collect();
    let hours: Vec<f64> = score.iter().map(|s| 20.0 + 4.0 * (s + numbers.next())).collect();
    let table = Table::new()
        .with_categories("city", city.iter().map(String::as_str))
        .and_then(|table| {
            table.with_categories("arm", arm.iter().map(|arm| ["arm 0", "arm 1", "arm 2"][*arm]))
        })
        .and_then(|table| table.with_flags("works", works))
        .and_then(|table| table.with_reals("hours", hours))
        .expect("a table");
    Trials::builder(table, "city").arm_labels("arm").control("arm 0").build().expect("trials")
}
