//! Pooling: the number of trials k and of treatments is in the names.

mod data;

use armwise::meta_analysis::{RandomEffects as Kernel, Tau2};
use armwise::pool::{MantelHaenszel, MetaRegression, Peto, Subgroups};
use armwise::prelude::*;
use data::{HOURS, Numbers, WORKS, people, trials};
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
    timed(bencher, || model.pool(&effects));
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
    timed(bencher, || CommonEffect::new().pool(&effects));
}

const JOINT: [(usize, usize); 6] = [(6, 3), (60, 3), (600, 3), (60, 2), (60, 6), (60, 12)];

#[divan::bench(args = JOINT)]
fn joint_model_k_treatments(bencher: Bencher, (k, treatments): (usize, usize)) {
    let effects = trials(k, treatments).estimate(&DifferenceInProportions::new()).expect("effects");
    timed(bencher, || JointModel::random().pool(&effects));
}

#[divan::bench(args = JOINT)]
fn component_model_k_treatments(bencher: Bencher, (k, treatments): (usize, usize)) {
    let effects = trials(k, treatments).estimate(&DifferenceInProportions::new()).expect("effects");
    timed(bencher, || ComponentModel::random().pool(&effects));
}

#[divan::bench(args = JOINT)]
fn effects_of_all_trials_k_treatments(bencher: Bencher, (k, treatments): (usize, usize)) {
    let trials = trials(k, treatments);
    timed(bencher, || trials.estimate(&DifferenceInProportions::new()));
}

/// Methods whose work for each trial is more than a few sums.
const FEW: [usize; 3] = [6, 24, 96];

/// Times what has an answer: an error is fast.
fn timed<M>(bencher: Bencher, run: impl Fn() -> armwise::Result<M>) {
    run().unwrap_or_else(|error| panic!("{error}"));
    bencher.bench_local(|| black_box(run().is_ok()));
}

fn each_of<M>(
    bencher: Bencher,
    k: usize,
    pool: impl Fn(&TreatmentEffects<RiskDifference>) -> armwise::Result<M>,
) {
    let effects = univariate(k);
    timed(bencher, || pool(&effects));
}

#[divan::bench(args = K)]
fn participant_weighted_k(bencher: Bencher, k: usize) {
    each_of(bencher, k, |effects| ParticipantWeighted::new().pool(effects));
}

#[divan::bench(args = K)]
fn mantel_haenszel_k(bencher: Bencher, k: usize) {
    let trials = trials(k, 1);
    timed(bencher, || MantelHaenszel::new(RiskDifference).pool(&trials, "arm 1"));
}

#[divan::bench(args = K)]
fn peto_k(bencher: Bencher, k: usize) {
    let trials = trials(k, 1);
    timed(bencher, || Peto::new().pool(&trials, "arm 1"));
}

#[divan::bench(args = K)]
fn meta_regression_k(bencher: Bencher, k: usize) {
    let values: Vec<(String, f64)> =
        (0..k).map(|trial| (format!("city {trial}"), (trial % 11) as f64)).collect();
    let model = MetaRegression::new().number("unemployment", values);
    each_of(bencher, k, |effects| model.fit(effects));
}

#[divan::bench(args = K)]
fn subgroups_k(bencher: Bencher, k: usize) {
    let sizes: Vec<(String, &str)> =
        (0..k).map(|trial| (format!("city {trial}"), ["small", "large"][trial % 2])).collect();
    let model = Subgroups::by("size", sizes);
    each_of(bencher, k, |effects| model.pool(effects));
}

#[divan::bench(args = FEW)]
fn bayesian_random_effects_k(bencher: Bencher, k: usize) {
    each_of(bencher, k, |effects| BayesianRandomEffects::new().pool(effects));
}

#[divan::bench(args = FEW)]
fn side_by_side_k(bencher: Bencher, k: usize) {
    each_of(bencher, k, |effects| SideBySide::new().pool(effects));
}

#[divan::bench(args = FEW)]
fn leave_one_out_and_influence_k(bencher: Bencher, k: usize) {
    each_of(bencher, k, |effects| {
        let sensitivity = RandomEffects::new().sensitivity(effects)?;
        Ok((sensitivity.leave_one_out()?, sensitivity.influence()?))
    });
}

#[divan::bench(args = JOINT)]
fn network_k_treatments(bencher: Bencher, (k, treatments): (usize, usize)) {
    let effects = trials(k, treatments).estimate(&DifferenceInProportions::new()).expect("effects");
    timed(bencher, || NetworkMetaAnalysis::random().pool(&effects));
}

/// Trials, and people in each.
const PEOPLE: [(usize, usize); 5] = [(6, 150), (6, 1_500), (6, 15_000), (24, 150), (96, 150)];

#[divan::bench(args = PEOPLE)]
fn one_stage_logistic_common_k_n(bencher: Bencher, (k, n): (usize, usize)) {
    let comparisons = people(k, n).on(&WORKS).expect("comparisons");
    timed(bencher, || OneStageLogistic::common().pool(&comparisons));
}

#[divan::bench(args = PEOPLE)]
fn one_stage_logistic_random_k_n(bencher: Bencher, (k, n): (usize, usize)) {
    let comparisons = people(k, n).on(&WORKS).expect("comparisons");
    let model = OneStageLogistic::random().treatment("arm 1");
    timed(bencher, || model.pool(&comparisons));
}

#[divan::bench(args = PEOPLE)]
fn one_stage_linear_random_k_n(bencher: Bencher, (k, n): (usize, usize)) {
    let comparisons = people(k, n).on(&HOURS).expect("comparisons");
    let model = OneStageLinear::random().treatment("arm 1");
    timed(bencher, || model.pool(&comparisons));
}
