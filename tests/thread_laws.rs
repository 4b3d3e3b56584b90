//! Results have the same bits whatever the number of threads.

use armwise::categorical::{ContingencyTable, MonteCarlo};
use armwise::meta_analysis::RandomEffects;
use armwise::ndarray::{Array1, array};
use armwise::proportion::{CountColumns, DifferenceInterval};
use armwise::regression::{Category, Family, Glm, MarginalVariance, ModelMatrix, VarianceType};
use rayon::ThreadPoolBuilder;

fn same_for_any_number_of_threads<T: PartialEq + Send>(what: &str, work: impl Fn() -> T + Sync) {
    let with = |threads| ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(&work);
    let one = with(1);
    for threads in [2, 3, 7] {
        assert!(one == with(threads), "{what} with {threads} threads");
    }
}

fn bits<'a>(values: impl IntoIterator<Item = &'a f64>) -> Vec<u64> {
    values.into_iter().map(|value| value.to_bits()).collect()
}

#[test]
fn regression_and_standardisation() {
    const ROWS: usize = 40_000;
    let uniform = |i: usize| (i.wrapping_mul(2_654_435_761) >> 7) % 10_007;
    let x: Array1<f64> = (0..ROWS).map(|i| uniform(i) as f64 / 1e4 - 0.5).collect();
    let y: Array1<f64> = (0..ROWS).map(|i| f64::from(u8::from(uniform(3 * i + 1) % 7 == 0))).collect();
    let arms: Vec<u32> = (0..ROWS).map(|i| u32::try_from(uniform(i + 5) % 3).unwrap()).collect();
    same_for_any_number_of_threads("logistic regression", || {
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
    same_for_any_number_of_threads("intervals of tables", || {
        let columns =
            CountColumns { treatment_events: &x1, treatment_n: &n, control_events: &x0, control_n: &n };
        let mut out = vec![armwise::Interval::new(0.0, 0.0).unwrap(); TABLES];
        columns.difference_intervals(DifferenceInterval::MiettinenNurminen, 0.95, &mut out).unwrap();
        out
    });
    let yi: Vec<f64> = (0..6 * 1000).map(|i| (f64::from(i * i) * 0.37).sin()).collect();
    let vi: Vec<f64> = (0..6 * 1000).map(|i| 0.05 + 0.04 * (f64::from(i) * 0.7).cos()).collect();
    same_for_any_number_of_threads("pools", || {
        let model = RandomEffects::new();
        model.for_studies(6).unwrap().map_summaries(&yi, &vi, |summary| *summary).unwrap()
    });
}

#[test]
fn simulations() {
    let table = ContingencyTable::new(array![[4, 1, 7], [9, 3, 2], [5, 8, 6]].view()).unwrap();
    same_for_any_number_of_threads("Monte Carlo test", || {
        MonteCarlo::new(11).replicates(20_000).p_value(&table).unwrap()
    });
}
