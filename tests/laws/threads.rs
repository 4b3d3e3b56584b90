//! Results have the same bits whatever the number of threads, and whether sets are pooled alone or by the
//! thousand.

// Made-up counts are small and positive.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use armwise::Interval;
use armwise::categorical::{ContingencyTable, MonteCarlo};
use armwise::meta_analysis::{CommonEffect, PoolEstimate, PoolSummary, RandomEffects, Tau2, Test};
use armwise::ndarray::{Array1, ArrayView1, array};
use armwise::proportion::{CountColumns, DifferenceInterval};
use armwise::randomization::{Assignments, Replay, ReplayOptions, Statistic, replay_each};
use armwise::regression::{Category, Family, Glm, MarginalVariance, ModelMatrix, VarianceType, Weights};
use rayon::ThreadPoolBuilder;

/// The result of `work` is the same with one, two, three and seven threads.
pub(crate) fn same_for_any_number_of_threads<T: PartialEq + Send>(work: impl Fn() -> T + Sync) {
    let with = |threads| ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(&work);
    let one = with(1);
    for threads in [2, 3, 7] {
        assert!(one == with(threads), "{threads} threads");
    }
}

/// The bits of what `work` yields are the same with one, two, three and seven threads.
fn assert_same_bits(work: impl Fn() -> Vec<f64> + Sync) {
    same_for_any_number_of_threads(|| {
        let numbers = work();
        assert!(!numbers.is_empty());
        bits(&numbers)
    });
}

fn bits<'a>(values: impl IntoIterator<Item = &'a f64>) -> Vec<u64> {
    values.into_iter().map(|value| value.to_bits()).collect()
}

/// Numbers in (0, 1) without pattern.
fn uniform(i: usize, stream: usize) -> f64 {
    let wave = ((i as f64) * 12.9898 + (stream as f64) * 78.233).sin() * 43758.5453;
    (wave - wave.floor()).clamp(1e-9, 1.0 - 1e-9)
}

#[test]
fn regression_and_standardisation() {
    let n = 150_001;
    let arm: Vec<u32> = (0..n).map(|i| u32::try_from(i % 3).unwrap()).collect();
    let covariates: Vec<Array1<f64>> =
        (0..4).map(|j| (0..n).map(|i| uniform(i, j) - 0.5).collect()).collect();
    let outcome: Array1<f64> = (0..n)
        .map(|i| {
            let eta = -0.5 + 0.2 * f64::from(arm[i]) + covariates.iter().map(|x| 0.4 * x[i]).sum::<f64>();
            f64::from(u8::from(uniform(i, 9) < 1.0 / (1.0 + (-eta).exp())))
        })
        .collect();
    assert_same_bits(|| {
        let arms = Category::new(&arm, ["control", "letter", "visit"]);
        let mut matrix = ModelMatrix::new(n).intercept().unwrap().category("arm", arms).unwrap();
        for (j, column) in covariates.iter().enumerate() {
            matrix = matrix.numeric(format!("x{j}"), ArrayView1::from(column)).unwrap();
        }
        let fit = Glm::new(Family::Binomial).fit(&matrix, &outcome).unwrap();
        let standardized = fit.standardize("arm").unwrap();
        let mut numbers = fit.coefficients().to_vec();
        numbers.extend(fit.covariance(VarianceType::Hc1).unwrap());
        numbers.extend(standardized.means().iter());
        numbers.extend(standardized.covariance(MarginalVariance::Delta(VarianceType::Hc1)).unwrap());
        numbers
    });
}

/// Every family that is summed in vectors, with and without weights, and leverages.
#[test]
fn linear_and_poisson_regression() {
    let n = 50_021;
    let arm: Vec<u32> = (0..n).map(|i| u32::try_from(i % 3).unwrap()).collect();
    let x: Array1<f64> = (0..n).map(|i| uniform(i, 1) - 0.5).collect();
    let exposure: Array1<f64> = (0..n).map(|i| (0.5 + uniform(i, 2)).ln()).collect();
    let prior: Array1<f64> = (0..n).map(|i| if i % 11 == 3 { 0.0 } else { 0.2 + uniform(i, 3) }).collect();
    let frequency: Vec<u64> = (0..n).map(|i| (4.0 * uniform(i, 4)) as u64).collect();
    let amount: Array1<f64> = (0..n).map(|i| 20.0 + x[i] + uniform(i, 5)).collect();
    let count: Array1<f64> = (0..n).map(|i| (3.0 * uniform(i, 6)).floor()).collect();
    let outcome: Array1<f64> = (0..n).map(|i| f64::from(u8::from(uniform(i, 7) < 0.4))).collect();
    let kinds = [Weights::None, Weights::Precision(prior.view()), Weights::Frequency(&frequency)];
    for (family, y) in [(Family::Gaussian, &amount), (Family::Poisson, &count), (Family::Binomial, &outcome)]
    {
        for weights in kinds {
            assert_same_bits(|| {
                let arms = Category::new(&arm, ["control", "letter", "visit"]);
                let matrix = ModelMatrix::new(n).intercept().unwrap().category("arm", arms).unwrap();
                let matrix = matrix.numeric("x", x.view()).unwrap();
                let mut model = Glm::new(family).weights(weights);
                if family == Family::Poisson {
                    model = model.offset(exposure.view());
                }
                let fit = model.fit(&matrix, y).unwrap();
                let mut numbers = fit.coefficients().to_vec();
                numbers.push(fit.deviance());
                for variance in [VarianceType::Hc0, VarianceType::Hc2, VarianceType::Hc3] {
                    numbers.extend(fit.covariance(variance).unwrap());
                }
                let standardized = fit.standardize("arm").unwrap();
                numbers.extend(standardized.means().iter());
                numbers.extend(standardized.covariance(MarginalVariance::Superpopulation).unwrap());
                if matches!(weights, Weights::None) && family != Family::Poisson {
                    numbers.extend(standardized.covariance(MarginalVariance::Ye2023).unwrap());
                }
                numbers
            });
        }
    }
}

#[test]
fn tables_in_bulk() {
    let n = 100_000;
    let trials = |stream| (0..n).map(move |i| 5 + (200.0 * uniform(i, stream)) as u64).collect::<Vec<u64>>();
    let (n1, n0) = (trials(0), trials(1));
    let events = |n: &[u64], stream| -> Vec<u64> {
        n.iter().enumerate().map(|(i, n)| (*n as f64 * uniform(i, stream)) as u64).collect()
    };
    let (x1, x0) = (events(&n1, 2), events(&n0, 3));
    let tables =
        CountColumns { treatment_events: &x1, treatment_n: &n1, control_events: &x0, control_n: &n0 };
    for method in [DifferenceInterval::Newcombe, DifferenceInterval::MiettinenNurminen] {
        assert_same_bits(|| {
            let mut intervals = vec![Interval::default(); n];
            tables.difference_intervals(method, 0.95, &mut intervals).unwrap();
            intervals.iter().flat_map(|i| [i.lower(), i.upper()]).collect()
        });
    }
}

/// Sets of `k` studies: alike, or with variances that differ by many orders of magnitude, or with equal
/// estimates.
fn sets(count: usize, k: usize) -> (Vec<f64>, Vec<f64>) {
    let (mut yi, mut vi) = (Vec::new(), Vec::new());
    for set in 0..count {
        let (width, tau) = ([0.5, 1.0, 3.0, 9.0][set % 4], [0.0, 0.01, 0.3, 2.0][set / 4 % 4]);
        let equal = set % 23 == 7;
        for i in set * k..(set + 1) * k {
            let v = 0.01 * (width * (uniform(i, 1) + uniform(i, 2) - 1.0)).exp();
            let noise = 3.0 * (uniform(i, 3) + uniform(i, 4) - 1.0);
            yi.push(if equal { 0.1 } else { 0.2 + noise * (v + tau * tau).sqrt() });
            vi.push(v);
        }
    }
    (yi, vi)
}

fn numbers_of(pooled: &PoolEstimate) -> Vec<f64> {
    let tau2 = pooled.tau2_interval.unwrap_or_default();
    vec![
        pooled.estimate,
        pooled.se,
        pooled.interval.lower(),
        pooled.interval.upper(),
        pooled.tau2,
        tau2.lower(),
        tau2.upper(),
    ]
}

#[test]
fn pools_in_bulk() {
    let (yi, vi) = sets(6_000, 9);
    for method in [RandomEffects::new(), RandomEffects::new().tau2(Tau2::DerSimonianLaird)] {
        let pool = method.for_studies(9).unwrap();
        assert_same_bits(|| pool.map_estimates(&yi, &vi, numbers_of).unwrap().concat());
        assert_same_bits(|| {
            let kept =
                |pooled: &PoolSummary| [pooled.estimate, pooled.p_value, pooled.log_likelihood, pooled.i2];
            pool.map_summaries(&yi, &vi, kept).unwrap().concat()
        });
    }
}

/// Pools alone and in bulk agree to the last bit, for sets of any size.
#[test]
fn pools_alone_and_in_bulk() {
    for k in [1, 2, 3, 6, 7, 18, 31, 32, 33, 40, 100] {
        let (yi, vi) = sets(203, k);
        let test = if k > 1 { Test::WiderOfBoth } else { Test::Normal };
        for tau2 in [Tau2::Reml, Tau2::Ml, Tau2::PauleMandel] {
            let method = RandomEffects::new().test(test).tau2(tau2);
            let pool = method.for_studies(k).unwrap();
            let (estimates, summaries) = (
                pool.map_estimates(&yi, &vi, |pooled| *pooled).unwrap(),
                pool.map_summaries(&yi, &vi, |pooled| *pooled).unwrap(),
            );
            for (set, (yi, vi)) in yi.chunks_exact(k).zip(vi.chunks_exact(k)).enumerate() {
                assert_eq!(estimates[set], pool.estimate(yi, vi).unwrap(), "set {set} of {k} studies");
                assert_eq!(summaries[set], pool.summary(yi, vi).unwrap(), "set {set} of {k} studies");
            }
        }
        let method = CommonEffect::new();
        let pool = method.for_studies(k).unwrap();
        let summaries = pool.map_summaries(&yi, &vi, |pooled| *pooled).unwrap();
        for (set, (yi, vi)) in yi.chunks_exact(k).zip(vi.chunks_exact(k)).enumerate() {
            assert_eq!(summaries[set], pool.summary(yi, vi).unwrap(), "set {set} of {k} studies");
        }
    }
}

/// The same numbers from sums that run over the studies in another order: a set of few studies, and the same
/// set with studies of no weight, of which there are so many that it is solved another way.
#[test]
fn small_and_large_sets_agree() {
    let (yi, vi) = sets(203, 20);
    let pool = RandomEffects::new();
    for (yi, vi) in yi.chunks_exact(20).zip(vi.chunks_exact(20)) {
        for tau2 in [Tau2::Reml, Tau2::Ml] {
            let doubled = (yi.repeat(2), vi.repeat(2));
            let method = pool.clone().tau2(tau2);
            let mut turned = (yi.to_vec(), vi.to_vec());
            turned.0.reverse();
            turned.1.reverse();
            let doubly_turned = (turned.0.repeat(2), turned.1.repeat(2));
            for (a, b) in [
                ((yi, vi), (&turned.0[..], &turned.1[..])),
                ((&doubled.0, &doubled.1), (&doubly_turned.0, &doubly_turned.1)),
            ] {
                let (a, b) = (method.pool(a.0, a.1).unwrap(), method.pool(b.0, b.1).unwrap());
                let scale = vi.iter().fold(f64::INFINITY, |least, v| least.min(*v));
                assert!((a.tau2 - b.tau2).abs() <= 1e-12 * (a.tau2 + scale), "{} {}", a.tau2, b.tau2);
                assert!((a.estimate - b.estimate).abs() <= 1e-12 * a.se, "{} {}", a.estimate, b.estimate);
            }
        }
    }
}

#[test]
fn the_set_that_fails_is_named() {
    let (yi, mut vi) = sets(700, 6);
    vi[6 * 613 + 2] = -1.0;
    let method = RandomEffects::new();
    let error = method.for_studies(6).unwrap().map_estimates(&yi, &vi, |pooled| pooled.estimate).unwrap_err();
    assert!(error.to_string().starts_with("row 614:"), "{error}");
    let (yi, vi) = sets(700, 6);
    let method = RandomEffects::new().test(Test::HartungKnapp);
    // The estimates of set 7 are all equal.
    let error = method.for_studies(6).unwrap().map_estimates(&yi, &vi, |pooled| pooled.estimate).unwrap_err();
    assert!(error.to_string().starts_with("row 8:"), "{error}");
}

#[test]
fn logistic_regression_and_its_variances() {
    const ROWS: usize = 40_000;
    let uniform = |i: usize| (i.wrapping_mul(2_654_435_761) >> 7) % 10_007;
    let x: Array1<f64> = (0..ROWS).map(|i| uniform(i) as f64 / 1e4 - 0.5).collect();
    let y: Array1<f64> = (0..ROWS).map(|i| f64::from(u8::from(uniform(3 * i + 1) % 7 == 0))).collect();
    let arms: Vec<u32> = (0..ROWS).map(|i| u32::try_from(uniform(i + 5) % 3).unwrap()).collect();
    same_for_any_number_of_threads(|| {
        let arm = Category::new(&arms, ["a", "b", "c"].map(String::from));
        let matrix = ModelMatrix::new(ROWS).intercept().unwrap().category("arm", arm).unwrap();
        let matrix = matrix.numeric("x", x.view()).unwrap();
        let fit = Glm::new(Family::Binomial).fit(&matrix, &y).unwrap();
        let mut all = bits(fit.coefficients());
        for variance in [VarianceType::Model, VarianceType::Hc0, VarianceType::Hc1] {
            all.extend(bits(&fit.covariance(variance).unwrap()));
        }
        let means = fit.standardize("arm").unwrap();
        all.extend(bits(means.means()));
        for variance in [MarginalVariance::Superpopulation, MarginalVariance::Ye2023] {
            all.extend(bits(&means.covariance(variance).unwrap()));
        }
        all
    });
}

#[test]
fn tables_and_pools_in_bulk() {
    const TABLES: usize = 10_000;
    let n: Vec<u64> = vec![150; TABLES];
    let [x1, x0] = [7, 11].map(|step| (0..TABLES as u64).map(|i| i * step % 150).collect::<Vec<u64>>());
    same_for_any_number_of_threads(|| {
        let columns =
            CountColumns { treatment_events: &x1, treatment_n: &n, control_events: &x0, control_n: &n };
        let mut out = vec![Interval::new(0.0, 0.0).unwrap(); TABLES];
        columns.difference_intervals(DifferenceInterval::MiettinenNurminen, 0.95, &mut out).unwrap();
        out
    });
    let yi: Vec<f64> = (0..6 * 1000).map(|i| (f64::from(i * i) * 0.37).sin()).collect();
    let vi: Vec<f64> = (0..6 * 1000).map(|i| 0.05 + 0.04 * (f64::from(i) * 0.7).cos()).collect();
    same_for_any_number_of_threads(|| {
        let model = RandomEffects::new();
        model.for_studies(6).unwrap().map_summaries(&yi, &vi, |summary| *summary).unwrap()
    });
}

#[test]
fn simulations() {
    let table = ContingencyTable::new(array![[4, 1, 7], [9, 3, 2], [5, 8, 6]].view()).unwrap();
    same_for_any_number_of_threads(|| MonteCarlo::new(11).replicates(20_000).p_value(&table).unwrap());
}

#[test]
fn replays_of_a_design() {
    let n = 3_000;
    let group: Vec<u32> = (0..n).map(|i| u32::try_from(i % 4).unwrap()).collect();
    let block: Vec<u32> = (0..n).map(|i| u32::try_from(i % 5).unwrap()).collect();
    let [score, event] = [0, 1].map(|stream| (0..n).map(|i| uniform(i, stream)).collect::<Vec<f64>>());
    let event: Vec<f64> = event.iter().map(|u| f64::from(u8::from(*u < 0.3))).collect();
    let assignments = Assignments::new(&group).unwrap().within(&block).unwrap();
    let values = |draws: u64| {
        let null = Replay::new(&assignments, Statistic::BlockedStudentizedDifference)
            .outcome(&score)
            .outcome(&event)
            .treatments(&[1, 2, 3])
            .draws(draws)
            .seed(5)
            .run()
            .unwrap();
        (0..6).map(|hypothesis| null.statistics(hypothesis).collect::<Vec<f64>>()).collect::<Vec<_>>()
    };
    assert_same_bits(|| values(700).concat());
    // A draw depends on its number, and not on how many there are.
    for (few, many) in values(333).iter().zip(values(700)) {
        assert_eq!(bits(few), bits(&many[..333]));
    }
    // A statistic of one's own sees the same assignments.
    let sums = |groups: &[u32]| {
        let treated = groups.iter().zip(&score).filter(|(group, _)| **group == 2);
        Ok(Some(vec![treated.map(|(_, y)| y).sum::<f64>()]))
    };
    let options = ReplayOptions::default().draws(400).seed(5);
    assert_same_bits(|| replay_each(&assignments, options, vec![0.0], sums).unwrap().statistics(0).collect());
}
