//! Bootstraps, wild cluster bootstraps and predictions: sizes are in the name.

// Made-up counts are small and positive.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

mod data;

use armwise::meta_analysis::{PredictionRule, RandomEffects};
use armwise::ndarray::{Array1, Array2};
use armwise::regression::{Category, Family, Glm, ModelMatrix};
use armwise::resampling::{EventResamples, Resamples, WildBootstrap};
use data::Numbers;
use divan::Bencher;

fn main() {
    data::run();
}

const PEOPLE: [usize; 3] = [350, 3_500, 35_000];
const REPLICATES: usize = 1_000;

#[divan::bench(args = PEOPLE)]
fn replicates_of_a_mean(bencher: Bencher, n: usize) {
    let mut numbers = Numbers(7);
    let y: Vec<f64> = (0..n).map(|_| numbers.next()).collect();
    let people = Resamples::of(n).unwrap();
    bencher.bench_local(|| {
        let mean = |counts: &[u32]| y.iter().zip(counts).map(|(y, count)| y * f64::from(*count)).sum::<f64>();
        people.drawn(REPLICATES, 1, mean).unwrap()
    });
}

#[divan::bench(args = PEOPLE)]
fn replicates_of_events(bencher: Bencher, n: usize) {
    let n = n as u64;
    bencher.bench_local(|| {
        let groups = EventResamples::new(&[(n / 5, n), (n / 4, n)]).unwrap();
        groups.drawn(REPLICATES, 1, |x| x[0] as f64 - x[1] as f64).unwrap()
    });
}

#[divan::bench(args = PEOPLE)]
fn replicates_of_a_standardised_logistic_effect(bencher: Bencher, n: usize) {
    let mut numbers = Numbers(7);
    let arm: Vec<u32> = (0..n).map(|row| (row % 4) as u32).collect();
    let covariates: Vec<Array1<f64>> =
        (0..4).map(|_| (0..n).map(|_| numbers.next() - 0.5).collect()).collect();
    let y: Array1<f64> = (0..n)
        .map(|row| {
            f64::from(u8::from(numbers.next() < 0.3 + 0.05 * f64::from(arm[row]) + 0.1 * covariates[0][row]))
        })
        .collect();
    let arms = Category::new(&arm, ["0", "1", "2", "3"]);
    let mut matrix = ModelMatrix::new(n).intercept().unwrap().category("arm", arms).unwrap();
    for (j, column) in covariates.iter().enumerate() {
        matrix = matrix.numeric(format!("x{j}"), column.view()).unwrap();
    }
    let fit = Glm::new(Family::Binomial).fit(&matrix, &y).unwrap();
    let people = Resamples::of(n).unwrap();
    bencher.bench_local(|| {
        let model = fit.replicates("arm").unwrap();
        people.drawn(REPLICATES, 1, |counts| model.means(counts)).unwrap()
    });
}

/// All `2^G` draws, with limits for every level.
#[divan::bench(args = [6, 10, 14])]
fn wild_bootstrap_of_clusters(bencher: Bencher, clusters: usize) {
    let mut numbers = Numbers(7);
    let n = 30 * clusters;
    let codes: Vec<u32> = (0..n).map(|row| (row / 30) as u32).collect();
    let x = Array2::from_shape_fn((n, 3), |(row, column)| match column {
        0 => 1.0,
        1 => f64::from(codes[row] % 2),
        _ => ((row * 7) % 11) as f64,
    });
    let y: Vec<f64> = (0..n).map(|_| numbers.next()).collect();
    bencher.bench_local(|| WildBootstrap::new(1).test(x.view(), &y, &codes, 1).unwrap());
}

#[divan::bench(args = [6, 18, 100])]
fn prediction_of_studies(bencher: Bencher, k: usize) {
    let mut numbers = Numbers(7);
    let yi: Vec<f64> = (0..k).map(|_| numbers.next()).collect();
    let vi: Vec<f64> = (0..k).map(|_| 0.02 + 0.1 * numbers.next()).collect();
    let model = RandomEffects::new().prediction_rule(PredictionRule::ConfidenceDistribution);
    bencher.bench_local(|| model.pool(&yi, &vi).unwrap().prediction);
}
