//! Replays of designs at several sizes: draws, the list of all assignments, tables of counts, steps down.

use armwise::multiplicity::Alternative;
use armwise::randomization::{Assignments, Exactness, Replay, Statistic};
use divan::Bencher;

fn main() {
    divan::main();
}

/// Four arms within six blocks, with scores and an event.
fn design(n: u32) -> (Assignments, Vec<f64>, Vec<f64>) {
    let group: Vec<u32> = (0..n).map(|i| i % 4).collect();
    let block: Vec<u32> = (0..n).map(|i| i / 4 % 6).collect();
    let wave = |i: u32| (f64::from(i) * 12.9898).sin() * 437.585;
    let score: Vec<f64> = (0..n).map(|i| wave(i) - wave(i).floor()).collect();
    let event = score.iter().map(|u| f64::from(u8::from(*u < 0.3))).collect();
    (Assignments::new(&group).unwrap().within(&block).unwrap(), score, event)
}

#[divan::bench(args = [200, 3_500, 50_000])]
fn thousand_draws_within_blocks(bencher: Bencher, n: u32) {
    let (assignments, score, _) = design(n);
    let replay = Replay::new(&assignments, Statistic::BlockedStudentizedDifference)
        .outcome(&score)
        .treatments(&[1, 2, 3])
        .draws(1_000);
    bencher.bench(|| replay.run().unwrap().p_values(0));
}

#[divan::bench(args = [200, 3_500, 50_000])]
fn thousand_draws_of_an_event(bencher: Bencher, n: u32) {
    let (assignments, _, event) = design(n);
    let replay = Replay::new(&assignments, Statistic::BlockedDifferenceInMeans)
        .outcome(&event)
        .treatments(&[1, 2, 3])
        .exactness(Exactness::FewAssignments)
        .draws(1_000);
    bencher.bench(|| replay.run().unwrap().p_values(0));
}

#[divan::bench(args = [10, 14, 18])]
fn all_assignments(bencher: Bencher, n: u32) {
    let group: Vec<u32> = (0..n).map(|i| i % 2).collect();
    let score: Vec<f64> = (0..n).map(|i| f64::from(i * 7 % 11)).collect();
    let assignments = Assignments::new(&group).unwrap();
    let replay = Replay::new(&assignments, Statistic::StudentizedDifference).outcome(&score);
    bencher.bench(|| replay.run().unwrap().p_values(0));
}

#[divan::bench(args = [100, 10_000, 1_000_000])]
fn events_by_tables(bencher: Bencher, n: u32) {
    let group: Vec<u32> = (0..n).map(|i| i % 2).collect();
    let event: Vec<f64> = (0..n).map(|i| f64::from(u8::from(i % 7 == 0))).collect();
    let assignments = Assignments::new(&group).unwrap();
    let replay = Replay::new(&assignments, Statistic::StudentizedDifference).outcome(&event);
    bencher.bench(|| replay.run().unwrap().p_values(0));
}

#[divan::bench(args = [1_000, 10_000])]
fn steps_down_over_24_hypotheses(bencher: Bencher, draws: u64) {
    let (assignments, score, _) = design(3_500);
    let mut replay = Replay::new(&assignments, Statistic::BlockedStudentizedDifference)
        .treatments(&[1, 2, 3])
        .draws(draws);
    for outcome in 1..=8 {
        let event: Vec<f64> =
            score.iter().map(|u| f64::from(u8::from(*u < 0.1 * f64::from(outcome)))).collect();
        replay = replay.outcome(&event);
    }
    bencher.bench(|| replay.run().unwrap().romano_wolf(Alternative::TwoSided).unwrap());
}
