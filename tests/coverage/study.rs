//! A simulation study: settings, methods, and what every method did in every replicate.

use super::draw::Stream;
use armwise::prelude::*;
use armwise::{Interval, Result};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Whether the treatment does anything: type I errors are counted where it does not, coverage and width where
/// it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Truth {
    NoEffect,
    Effect,
}

/// What one method said in one replicate, and what is true.
pub(crate) struct Answer {
    pub(crate) truth: f64,
    pub(crate) found: Option<Found>,
}

pub(crate) struct Found {
    pub(crate) interval: Interval,
    /// `None` for intervals without a test.
    pub(crate) p_value: Option<f64>,
}

impl Answer {
    /// The effect of the treatment "t"; an error is no interval.
    pub(crate) fn of<S: Scale>(truth: f64, estimates: Result<Estimates<S>>) -> Self {
        let estimate = estimates.and_then(|estimates| estimates.treatment("t")).ok();
        let found = estimate.map(|one| Found { interval: one.interval(), p_value: Some(one.p_value()) });
        Self { truth, found }
    }
}

type Replicate = dyn Fn(usize, usize, Truth, &mut Stream) -> Vec<Answer> + Sync;

/// Coverage, in per cent, that a method keeps in the cells that `of` selects.
pub(crate) struct Band {
    pub(crate) method: &'static str,
    /// By size and setting.
    pub(crate) of: fn(usize, usize) -> bool,
    pub(crate) coverage: [f64; 2],
}

impl Band {
    pub(crate) fn new(method: &'static str, of: fn(usize, usize) -> bool, coverage: [f64; 2]) -> Self {
        Self { method, of, coverage }
    }
}

pub(crate) struct Study {
    /// Keys the random numbers.
    pub(crate) number: u64,
    pub(crate) title: &'static str,
    pub(crate) about: &'static str,
    /// The rows of each method, such as people per arm.
    pub(crate) sizes: Vec<String>,
    /// The columns.
    pub(crate) settings: Vec<String>,
    pub(crate) methods: Vec<&'static str>,
    /// Slow methods get the replicates divided by this.
    pub(crate) divisor: usize,
    /// Answers of all methods, in their order, at a size and a setting.
    pub(crate) replicate: Box<Replicate>,
    pub(crate) bands: Vec<Band>,
}

/// What a method did over all replicates of a size and setting.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Cell {
    pub(crate) replicates: usize,
    pub(crate) intervals: usize,
    pub(crate) covered: usize,
    pub(crate) tests: usize,
    pub(crate) rejected: usize,
    pub(crate) widths: Vec<f64>,
}

impl Cell {
    fn add(&mut self, answer: &Answer) {
        self.replicates += 1;
        let Some(found) = &answer.found else { return };
        self.intervals += 1;
        self.covered += usize::from(found.interval.contains(answer.truth));
        self.widths.push(found.interval.upper() - found.interval.lower());
        if let Some(p_value) = found.p_value {
            self.tests += 1;
            self.rejected += usize::from(p_value < 0.05);
        }
    }

    fn join(&mut self, other: Self) {
        self.replicates += other.replicates;
        self.intervals += other.intervals;
        self.covered += other.covered;
        self.tests += other.tests;
        self.rejected += other.rejected;
        self.widths.extend(other.widths);
    }

    /// Per cent of the intervals that hold the truth.
    pub(crate) fn coverage(&self) -> f64 {
        100.0 * self.covered as f64 / self.intervals as f64
    }

    /// Two Monte Carlo standard errors of a coverage of 95%, in per cent.
    pub(crate) fn noise(&self) -> f64 {
        200.0 * (0.95 * 0.05 / self.intervals as f64).sqrt()
    }

    pub(crate) fn median_width(&self) -> f64 {
        let mut widths = self.widths.clone();
        widths.sort_by(f64::total_cmp);
        widths.get(widths.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

/// By size, setting and truth: a cell for every method.
pub(crate) type Results = BTreeMap<(usize, usize, Truth), Vec<Cell>>;

/// Replicates that a thread takes at once.
const BLOCK: usize = 100;

/// Runs all replicates, on so many threads.
pub(crate) fn run(study: &Study, replicates: usize, threads: usize) -> Results {
    let cells: Vec<(usize, usize, Truth)> = (0..study.sizes.len())
        .flat_map(|size| (0..study.settings.len()).map(move |setting| (size, setting)))
        .flat_map(|(size, setting)| [Truth::NoEffect, Truth::Effect].map(|truth| (size, setting, truth)))
        .collect();
    let replicates = replicates / study.divisor;
    let blocks = replicates.div_ceil(BLOCK);
    let (next, done) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let task = next.fetch_add(1, Ordering::Relaxed);
                    let Some(&(size, setting, truth)) = cells.get(task / blocks) else { break };
                    let key = (study.number << 16) | (task / blocks) as u64;
                    let mut tallies = vec![Cell::default(); study.methods.len()];
                    let first = task % blocks * BLOCK;
                    for replicate in first..(first + BLOCK).min(replicates) {
                        let mut stream = Stream::new(key, replicate as u64);
                        let answers = (study.replicate)(size, setting, truth, &mut stream);
                        assert_eq!(answers.len(), tallies.len());
                        tallies.iter_mut().zip(&answers).for_each(|(tally, answer)| tally.add(answer));
                    }
                    done.lock().unwrap().insert(task, tallies);
                }
            });
        }
    });
    let mut results = Results::new();
    for (task, tallies) in done.into_inner().unwrap() {
        let cell =
            results.entry(cells[task / blocks]).or_insert_with(|| vec![Cell::default(); tallies.len()]);
        cell.iter_mut().zip(tallies).for_each(|(all, part)| all.join(part));
    }
    results
}

impl Study {
    /// Coverage lies within the bands, and type I errors do not exceed what they allow by more than a point.
    pub(crate) fn check_bands(&self, results: &Results) {
        for Band { method, of, coverage: [low, high] } in &self.bands {
            let index = self.methods.iter().position(|name| name == method).expect(method);
            let mut checked = 0;
            for ((size, setting, truth), cells) in results {
                let cell = &cells[index];
                if !of(*size, *setting) || cell.intervals == 0 {
                    continue;
                }
                checked += 1;
                let place =
                    format!("{}: {method}, {}, {}", self.title, self.sizes[*size], self.settings[*setting]);
                if *truth == Truth::Effect {
                    let coverage = cell.coverage();
                    assert!(
                        (*low..=*high).contains(&coverage),
                        "{place}: coverage {coverage:.2}, not {low} to {high}"
                    );
                } else if cell.tests > 0 {
                    let type_1 = 100.0 * cell.rejected as f64 / cell.tests as f64;
                    assert!(
                        type_1 <= 101.0 - low,
                        "{place}: type I error {type_1:.2}, with coverage from {low}"
                    );
                }
            }
            assert!(checked > 0, "{}: {method}: nothing was checked", self.title);
        }
    }
}
