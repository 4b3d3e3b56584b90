//! Times to an event: n, p and the number of distinct times are in the names.

mod data;

use armwise::ndarray::Array2;
use armwise::regression::{Fitted, ModelMatrix};
use armwise::survival::{
    AalenJohansen, Cox, CoxVariance, FineGray, KaplanMeier, LogRank, LogRankWeight, PseudoValue,
    SurvivalData, SurvivalQuantity, Ties, pseudo_values,
};
use data::Numbers;
use divan::{Bencher, black_box};
use std::fmt;

fn main() {
    data::run();
}

/// Rows, covariates, and distinct times (0: none are the same).
#[derive(Debug, Clone, Copy)]
struct Size {
    n: usize,
    p: usize,
    times: u32,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n={} p={} times={}", self.n, self.p, self.times)
    }
}

const SIZES: [Size; 6] = [
    Size { n: 3_500, p: 8, times: 24 },
    Size { n: 35_000, p: 8, times: 24 },
    Size { n: 350_000, p: 8, times: 24 },
    Size { n: 350_000, p: 8, times: 500 },
    Size { n: 350_000, p: 8, times: 0 },
    Size { n: 35_000, p: 16, times: 24 },
];

struct People {
    time: Vec<f64>,
    cause: Vec<u32>,
    arm: Vec<u32>,
    x: Array2<f64>,
}

impl People {
    fn new(Size { n, p, times }: Size) -> Self {
        let mut numbers = Numbers(33);
        // Columns that lie in memory one after the other.
        let mut x = Array2::zeros((p, n)).reversed_axes();
        x.iter_mut().for_each(|x| *x = numbers.next() - 0.5);
        let mut made = Self { time: Vec::new(), cause: Vec::new(), arm: Vec::new(), x };
        for i in 0..n {
            let score: f64 = made.x.row(i).iter().map(|x| 0.3 * x).sum();
            let event = -numbers.next().ln() * (-score).exp();
            let censored = 2.0 * numbers.next();
            let time = event.min(censored);
            let cause = if censored < event { 0 } else { 1 + u32::from(numbers.next() < 0.3) };
            made.time.push(if times == 0 { time } else { (time * f64::from(times) / 2.0).ceil() });
            made.cause.push(cause);
            made.arm.push(u32::try_from(i % 4).expect("one of four arms"));
        }
        made
    }

    fn data(&self) -> SurvivalData<'_> {
        SurvivalData::new(&self.time, &self.cause).expect("times")
    }

    fn matrix(&self) -> ModelMatrix<'_> {
        ModelMatrix::from_columns((0..self.x.ncols()).map(|j| format!("x{j}")), self.x.view())
            .expect("columns")
    }
}

#[divan::bench(args = SIZES)]
fn kaplan_meier(bencher: Bencher, size: Size) {
    let people = People::new(size);
    bencher.bench_local(|| black_box(KaplanMeier::new(&people.data())));
}

#[divan::bench(args = SIZES)]
fn log_rank_of_four_arms(bencher: Bencher, size: Size) {
    let people = People::new(size);
    bencher.bench_local(|| black_box(LogRank::new(&people.data(), &people.arm, LogRankWeight::LogRank)));
}

#[divan::bench(args = SIZES)]
fn aalen_johansen(bencher: Bencher, size: Size) {
    let people = People::new(size);
    let wanted = [SurvivalQuantity::CumulativeIncidence { cause: 1, at: 0.5 }];
    bencher.bench_local(|| {
        let data = people.data();
        black_box(AalenJohansen::new(&data).and_then(|curves| curves.estimate(&wanted)))
    });
}

fn cox(bencher: Bencher, size: Size, ties: Ties, variance: CoxVariance) {
    let people = People::new(size);
    let matrix = people.matrix();
    bencher.bench_local(|| {
        let data = people.data();
        let fit = Cox::new().ties(ties).fit(&data, &matrix).expect("a fit");
        black_box(fit.covariance(variance))
    });
}

#[divan::bench(args = SIZES)]
fn cox_efron(bencher: Bencher, size: Size) {
    cox(bencher, size, Ties::Efron, CoxVariance::Model);
}

#[divan::bench(args = SIZES)]
fn cox_breslow_robust(bencher: Bencher, size: Size) {
    cox(bencher, size, Ties::Breslow, CoxVariance::Robust);
}

#[divan::bench(args = SIZES)]
fn fine_gray(bencher: Bencher, size: Size) {
    let people = People::new(size);
    let matrix = people.matrix();
    bencher.bench_local(|| {
        let data = people.data();
        black_box(FineGray::new(1).fit(&data, &matrix).map(|fit| fit.estimates()))
    });
}

#[divan::bench(args = SIZES)]
fn jackknife_pseudo_values(bencher: Bencher, size: Size) {
    let people = People::new(size);
    let wanted = SurvivalQuantity::CumulativeIncidence { cause: 1, at: 0.5 };
    bencher.bench_local(|| black_box(pseudo_values(&people.data(), wanted, PseudoValue::Jackknife)));
}
