//! Repeated measures: people, waves and arms are in the names; a fifth of the outcomes are missing.

mod data;

use armwise::longitudinal::{
    CovarianceStructure, DfMethod, EquationsVariance, EstimatingEquations, MixedModel, WaveMeans, Waves,
    WorkingCorrelation,
};
use armwise::regression::Family;
use data::Numbers;
use divan::{Bencher, black_box};
use std::fmt;

fn main() {
    data::run();
}

#[derive(Debug, Clone, Copy)]
struct Size {
    people: usize,
    waves: u32,
    arms: u32,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "people={} waves={} arms={}", self.people, self.waves, self.arms)
    }
}

const SIZES: [Size; 6] = [
    Size { people: 700, waves: 4, arms: 4 },
    Size { people: 7_000, waves: 4, arms: 4 },
    Size { people: 70_000, waves: 4, arms: 4 },
    Size { people: 700, waves: 8, arms: 4 },
    Size { people: 700, waves: 4, arms: 8 },
    Size { people: 100, waves: 3, arms: 2 },
];

#[derive(Default)]
struct People {
    outcome: Vec<f64>,
    unit: Vec<u32>,
    wave: Vec<u32>,
    group: Vec<u32>,
    baseline: Vec<f64>,
}

impl People {
    fn new(size: Size) -> Self {
        let mut numbers = Numbers(11);
        let mut made = Self::default();
        for unit in 0..u32::try_from(size.people).unwrap() {
            let (own, before) = (numbers.next(), numbers.next());
            for wave in 0..size.waves {
                let noise = numbers.next() + numbers.next();
                if wave == 0 || numbers.next() < 0.8 {
                    let arm = unit % size.arms;
                    made.outcome.push(own + 0.5 * before + noise + 0.1 * f64::from(arm * wave));
                    made.unit.push(unit);
                    made.wave.push(wave);
                    made.group.push(arm);
                    made.baseline.push(before);
                }
            }
        }
        made
    }

    fn waves(&self) -> Waves<'_> {
        Waves::new(&self.outcome, &self.unit, &self.wave).unwrap()
    }

    fn means<'a>(&self, waves: &'a Waves<'a>, size: Size) -> WaveMeans<'a> {
        let means = WaveMeans::new(waves, size.arms as usize, &self.group).unwrap();
        means.covariate_by_wave("baseline", &self.baseline).unwrap()
    }
}

/// From rows to the effect of an arm in the last wave, with Kenward and Roger's interval.
#[divan::bench(args = SIZES)]
fn mixed_model_unstructured(bencher: Bencher, size: Size) {
    let people = People::new(size);
    bencher.bench_local(|| {
        let waves = people.waves();
        let means = people.means(&waves, size);
        let fit = MixedModel::new(CovarianceStructure::Unstructured).fit(&means).unwrap();
        let last = fit.effect(1, size.waves - 1).unwrap().to_vec();
        black_box(fit.coefficient(&last, DfMethod::KenwardRoger, 0.95).unwrap())
    });
}

/// The same with seven parameters, and Satterthwaite's interval.
#[divan::bench(args = SIZES)]
fn mixed_model_heterogeneous_toeplitz(bencher: Bencher, size: Size) {
    let people = People::new(size);
    bencher.bench_local(|| {
        let waves = people.waves();
        let means = people.means(&waves, size);
        let fit = MixedModel::new(CovarianceStructure::HeterogeneousToeplitz).fit(&means).unwrap();
        let last = fit.effect(1, size.waves - 1).unwrap().to_vec();
        black_box(fit.coefficient(&last, DfMethod::Satterthwaite, 0.95).unwrap())
    });
}

#[divan::bench(args = SIZES)]
fn estimating_equations_exchangeable(bencher: Bencher, size: Size) {
    let people = People::new(size);
    let equations = EstimatingEquations::new(Family::Gaussian, WorkingCorrelation::Exchangeable);
    bencher.bench_local(|| {
        let waves = people.waves();
        let fit = equations.fit_means(&people.means(&waves, size)).unwrap();
        black_box(fit.covariance(EquationsVariance::ManclDeRouen).unwrap())
    });
}
