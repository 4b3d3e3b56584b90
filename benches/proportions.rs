//! Intervals of many tables of counts: the number of tables is in the name.

// Made-up counts are small and positive.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

mod data;

use armwise::Interval;
use armwise::proportion::{CountColumns, DifferenceInterval};
use data::Numbers;
use divan::Bencher;

fn main() {
    data::run();
}

const TABLES: [usize; 3] = [1_000, 10_000, 100_000];

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

#[divan::bench(args = TABLES)]
fn newcombe_tables(bencher: Bencher, tables: usize) {
    intervals(bencher, tables, DifferenceInterval::Newcombe);
}

#[divan::bench(args = TABLES)]
fn miettinen_nurminen_tables(bencher: Bencher, tables: usize) {
    intervals(bencher, tables, DifferenceInterval::MiettinenNurminen);
}

#[divan::bench(args = TABLES)]
fn wald_tables(bencher: Bencher, tables: usize) {
    intervals(bencher, tables, DifferenceInterval::Wald);
}
