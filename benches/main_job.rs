//! Times of the numeric layers at several sizes; the size is in the name. Data are made outside the timed part, from a fixed seed.

// Made-up counts are small and positive.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use armwise::Interval;
use armwise::meta_analysis::RandomEffects;
use armwise::ndarray::{Array1, ArrayView1};
use armwise::proportion::{CountColumns, DifferenceInterval};
use armwise::regression::{Category, Family, Glm, MarginalVariance, ModelMatrix, VarianceType};
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

/// A sequence of numbers in (0, 1) that looks random (Weyl's sequence of an irrational number, scrambled).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

struct Trial {
    arm: Vec<u32>,
    covariates: Vec<Array1<f64>>,
    outcome: Array1<f64>,
}

impl Trial {
    fn new(n: usize, p: usize) -> Self {
        let mut numbers = Numbers(20);
        let arm: Vec<u32> = (0..n).map(|i| (i % 4) as u32).collect();
        let covariates: Vec<Array1<f64>> =
            (0..p).map(|_| (0..n).map(|_| numbers.next() - 0.5).collect()).collect();
        let outcome = (0..n)
            .map(|i| {
                let eta = -1.5 + 0.2 * f64::from(arm[i]) + covariates.iter().map(|x| 0.3 * x[i]).sum::<f64>();
                f64::from(numbers.next() < 1.0 / (1.0 + (-eta).exp()))
            })
            .collect();
        Self { arm, covariates, outcome }
    }

    fn matrix(&self) -> armwise::Result<ModelMatrix<'_>> {
        let arms = Category::new(&self.arm, ["control", "exemption", "guidance", "earnings"]);
        let mut matrix = ModelMatrix::new(self.arm.len()).intercept()?.category("arm", arms)?;
        for (j, column) in self.covariates.iter().enumerate() {
            matrix = matrix.numeric(format!("x{j}"), ArrayView1::from(column))?;
        }
        Ok(matrix)
    }
}

#[divan::bench(args = [(3_500, 4), (100_000, 6), (300_000, 16)])]
fn logistic_fit_n_p(bencher: Bencher, (n, p): (usize, usize)) {
    let trial = Trial::new(n, p);
    let matrix = trial.matrix().expect("a valid matrix");
    bencher.bench_local(|| {
        black_box(Glm::new(Family::Binomial).fit(&matrix, &trial.outcome).map(|fit| fit.deviance()))
    });
}

#[divan::bench(args = [(3_500, 4), (100_000, 6), (300_000, 16)])]
fn hc1_covariance_n_p(bencher: Bencher, (n, p): (usize, usize)) {
    let trial = Trial::new(n, p);
    let fit = Glm::new(Family::Binomial)
        .fit(&trial.matrix().expect("a valid matrix"), &trial.outcome)
        .expect("a fit");
    bencher.bench_local(|| black_box(fit.covariance(VarianceType::Hc1)));
}

#[divan::bench(args = [(3_500, 4), (100_000, 6), (300_000, 16)])]
fn standardised_ye_n_p(bencher: Bencher, (n, p): (usize, usize)) {
    let trial = Trial::new(n, p);
    let fit = Glm::new(Family::Binomial)
        .fit(&trial.matrix().expect("a valid matrix"), &trial.outcome)
        .expect("a fit");
    bencher.bench_local(|| {
        let standardized = fit.standardize("arm").expect("arms");
        black_box(standardized.covariance(MarginalVariance::Ye2023))
    });
}

fn intervals(bencher: Bencher, tables: usize, method: DifferenceInterval) {
    let mut numbers = Numbers(7);
    let n: Vec<u64> = (0..tables).map(|_| 50 + (numbers.next() * 150.0) as u64).collect();
    let mut events = || -> Vec<u64> { n.iter().map(|&n| (numbers.next() * 0.3 * n as f64) as u64).collect() };
    let (treated, untreated) = (events(), events());
    let columns = CountColumns {
        treatment_events: &treated,
        treatment_n: &n,
        control_events: &untreated,
        control_n: &n,
    };
    let mut out = vec![Interval::default(); tables];
    bencher.bench_local(|| columns.difference_intervals(method, 0.95, &mut out));
}

#[divan::bench(args = [1_000, 10_000, 100_000])]
fn newcombe_tables(bencher: Bencher, tables: usize) {
    intervals(bencher, tables, DifferenceInterval::Newcombe);
}

#[divan::bench(args = [1_000, 10_000, 100_000])]
fn miettinen_nurminen_tables(bencher: Bencher, tables: usize) {
    intervals(bencher, tables, DifferenceInterval::MiettinenNurminen);
}

#[divan::bench(args = [6, 100, 10_000])]
fn reml_both_tests_k(bencher: Bencher, k: usize) {
    let mut numbers = Numbers(3);
    let vi: Vec<f64> = (0..k).map(|_| 0.0005 + 0.002 * numbers.next()).collect();
    let yi: Vec<f64> = (0..k).map(|_| 0.02 + 0.15 * (numbers.next() - 0.5)).collect();
    let model = RandomEffects::new();
    bencher.bench_local(|| black_box(model.pool(&yi, &vi)));
}
