//! Pooling: the number of trials k and of treatments is in the names.

mod data;

use armwise::meta_analysis::{RandomEffects as Kernel, Tau2};
use armwise::prelude::*;
use data::{Numbers, trials};
use divan::{Bencher, black_box};

fn main() {
    data::run();
}

const K: [usize; 4] = [6, 60, 600, 6_000];

#[divan::bench(args = K)]
fn reml_and_all_intervals_of_slices_k(bencher: Bencher, k: usize) {
    let mut numbers = Numbers(3);
    let vi: Vec<f64> = (0..k).map(|_| 0.0005 + 0.002 * numbers.next()).collect();
    let yi: Vec<f64> = (0..k).map(|_| 0.02 + 0.15 * (numbers.next() - 0.5)).collect();
    let model = Kernel::new();
    bencher.bench_local(|| black_box(model.pool(&yi, &vi)));
}

fn univariate(k: usize) -> TreatmentEffects<RiskDifference> {
    let effects = trials(k, 1).estimate(&DifferenceInProportions::new()).expect("effects");
    effects.treatment("arm 1").expect("a treatment")
}

fn random(bencher: Bencher, k: usize, tau2: Tau2) {
    let effects = univariate(k);
    let model = RandomEffects::new().tau2(tau2);
    bencher.bench_local(|| black_box(model.pool(&effects).is_ok()));
}

#[divan::bench(args = K)]
fn random_effects_reml_k(bencher: Bencher, k: usize) {
    random(bencher, k, Tau2::Reml);
}

#[divan::bench(args = K)]
fn random_effects_paule_mandel_k(bencher: Bencher, k: usize) {
    random(bencher, k, Tau2::PauleMandel);
}

#[divan::bench(args = K)]
fn random_effects_der_simonian_laird_k(bencher: Bencher, k: usize) {
    random(bencher, k, Tau2::DerSimonianLaird);
}

#[divan::bench(args = K)]
fn common_effect_k(bencher: Bencher, k: usize) {
    let effects = univariate(k);
    bencher.bench_local(|| black_box(CommonEffect::new().pool(&effects).is_ok()));
}

const JOINT: [(usize, usize); 6] = [(6, 3), (60, 3), (600, 3), (60, 2), (60, 6), (60, 12)];

#[divan::bench(args = JOINT)]
fn joint_model_k_treatments(bencher: Bencher, (k, treatments): (usize, usize)) {
    let effects = trials(k, treatments).estimate(&DifferenceInProportions::new()).expect("effects");
    bencher.bench_local(|| black_box(JointModel::random().pool(&effects).is_ok()));
}

#[divan::bench(args = JOINT)]
fn component_model_k_treatments(bencher: Bencher, (k, treatments): (usize, usize)) {
    let effects = trials(k, treatments).estimate(&DifferenceInProportions::new()).expect("effects");
    bencher.bench_local(|| black_box(ComponentModel::random().pool(&effects).is_ok()));
}

#[divan::bench(args = JOINT)]
fn effects_of_all_trials_k_treatments(bencher: Bencher, (k, treatments): (usize, usize)) {
    let trials = trials(k, treatments);
    bencher.bench_local(|| black_box(trials.estimate(&DifferenceInProportions::new()).is_ok()));
}
