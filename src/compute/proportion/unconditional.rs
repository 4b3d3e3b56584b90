//! Unconditional exact tests: Boschloo and Barnard.
//!
//! Only the group sizes are fixed; the p-value is the largest probability, over the common proportion `p`, of
//! the tables at least as extreme as the observed one. Given the total number of events the tables follow the
//! hypergeometric distribution, whatever `p` is, so that this probability is
//! `sum_s h(s) Binomial(s; n1 + n0, p)` with `h(s)` the hypergeometric probability of the extreme tables with
//! `s` events: a curve smoothed by the binomial distribution, whose bends are no narrower than about one
//! standard deviation of it.

// Values of the distributions are counts held as f64; the tables are limited to 25 million.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use super::discrete::Hypergeometric;
use super::hypothesis::DifferenceVariance;
use super::score::Cells;
use super::single::binomial;
use super::{Proportion, TwoProportions};
use crate::compute::hypothesis::{PValues, SignedTest};
use crate::compute::roots::root;
use crate::error::{Error, Result};

/// Tables whose statistic differs by no more than this, relatively, are equally extreme.
const TIE: f64 = 1e-9;

/// Unconditional tests enumerate all `(n1 + 1)(n0 + 1)` tables; beyond this many they are refused.
const MOST_TABLES: u64 = 25_000_000;

/// Two-sided p-values of Boschloo's test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BoschlooTwoSided {
    /// Twice the smaller one-sided p-value, at most 1 (as scipy).
    Doubled,
    /// Tables are ordered by Fisher's two-sided p-value (as the R package Exact).
    FisherOrdering,
}

/// Probabilities of the extreme tables given the total number of events, for the three alternatives.
struct Extreme {
    less: Vec<f64>,
    greater: Vec<f64>,
    two_sided: Vec<f64>,
}

impl TwoProportions {
    /// Boschloo's (1970) exact test: tables are ordered by Fisher's p-value for the alternative, and the
    /// p-value is the largest probability of the tables with a Fisher p-value no larger than observed. Never
    /// less powerful than Fisher's.
    ///
    /// # Errors
    /// `invalid_input` where there are more than 25 million possible tables, `(n1 + 1)(n0 + 1)`.
    ///
    /// # Examples
    /// ```
    /// use armwise::proportion::{BoschlooTwoSided, Proportion, TwoProportions};
    ///
    /// let two = TwoProportions::new(Proportion::new(6, 7)?, Proportion::new(2, 7)?);
    /// let test = two.boschloo_test(BoschlooTwoSided::Doubled)?;
    /// assert!(test.greater < two.fisher_test().greater);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn boschloo_test(&self, two_sided: BoschlooTwoSided) -> Result<PValues> {
        self.check_size()?;
        let mut row = Row::default();
        row.fill(self.cells(), self.treatment.events + self.control.events);
        row.cumulate();
        let (less, greater, both) = row.at(self.treatment.events as f64);
        let extreme = self.extreme(Row::cumulate, |row, _, k| {
            let p = row.at(k);
            [p.0 <= less * (1.0 + TIE), p.1 <= greater * (1.0 + TIE), p.2 <= both * (1.0 + TIE)]
        });
        let (less, greater) = (supremum(&extreme.less), supremum(&extreme.greater));
        let two_sided = match two_sided {
            BoschlooTwoSided::Doubled => (2.0 * less.min(greater)).min(1.0),
            BoschlooTwoSided::FisherOrdering => supremum(&extreme.two_sided),
        };
        Ok(PValues { less, greater, two_sided })
    }

    /// Barnard's (1945) exact test: tables are ordered by the z statistic with the given variance; tables
    /// without any information (0/0) have the statistic 0, and statistics within 1e-9 (relative) are tied.
    ///
    /// # Errors
    /// `invalid_input` where there are more than 25 million possible tables, `(n1 + 1)(n0 + 1)`.
    pub fn barnard_test(&self, variance: DifferenceVariance) -> Result<SignedTest> {
        self.check_size()?;
        let statistic = self.z_statistic(variance).unwrap_or(0.0);
        let slack = if statistic.is_finite() { TIE * statistic.abs() } else { 0.0 };
        let (n1, n0) = (self.treatment.n, self.control.n);
        let extreme = self.extreme(
            |_| (),
            |_, s, k| {
                let events = k as u64;
                let table = Self::new(Proportion { events, n: n1 }, Proportion { events: s - events, n: n0 });
                let z = table.z_statistic(variance).unwrap_or(0.0);
                [z <= statistic + slack, z >= statistic - slack, z.abs() >= statistic.abs() - slack]
            },
        );
        let p_values = PValues {
            less: supremum(&extreme.less),
            greater: supremum(&extreme.greater),
            two_sided: supremum(&extreme.two_sided),
        };
        Ok(SignedTest { statistic, p_values })
    }

    fn check_size(&self) -> Result<()> {
        match (self.treatment.n + 1).checked_mul(self.control.n + 1) {
            Some(tables) if tables <= MOST_TABLES => Ok(()),
            _ => Err(Error::invalid(format!(
                "an unconditional exact test of groups of {} and {} would enumerate more than {MOST_TABLES} tables; \
                 use the mid-p or the N-1 chi-square test",
                self.treatment.n, self.control.n
            ))),
        }
    }

    /// For every total `s`, the probability of the tables that `is_extreme` finds extreme, given their row
    /// (made ready by `prepare`), `s`, and the events in the treatment group.
    fn extreme(
        &self,
        prepare: impl Fn(&mut Row),
        is_extreme: impl Fn(&Row, u64, f64) -> [bool; 3],
    ) -> Extreme {
        let total = self.treatment.n + self.control.n;
        let mut extreme = Extreme { less: Vec::new(), greater: Vec::new(), two_sided: Vec::new() };
        let mut row = Row::default();
        for s in 0..=total {
            row.fill(self.cells(), s);
            prepare(&mut row);
            let mut sums = [0.0; 3];
            for (i, probability) in row.probability.iter().enumerate() {
                let hits = is_extreme(&row, s, row.low + i as f64);
                for (sum, hit) in sums.iter_mut().zip(hits) {
                    *sum += if hit { *probability } else { 0.0 };
                }
            }
            extreme.less.push(sums[0]);
            extreme.greater.push(sums[1]);
            extreme.two_sided.push(sums[2]);
        }
        extreme
    }
}

/// The tables with one total number of events: hypergeometric probabilities and Fisher's p-values.
#[derive(Default)]
struct Row {
    low: f64,
    probability: Vec<f64>,
    less: Vec<f64>,
    greater: Vec<f64>,
    two_sided: Vec<f64>,
    /// The tables from the least to the most likely.
    order: Vec<usize>,
}

impl Row {
    /// Computes the row with `s` events for the group sizes of `c`.
    fn fill(&mut self, c: Cells, s: u64) {
        let s = s as f64;
        let (n1, n0) = (c.n1(), c.n0());
        // Any table with these margins describes the row.
        let x1 = n1.min(s);
        let x0 = s - x1;
        let distribution = Hypergeometric::new(Cells { x1, y1: n1 - x1, x0, y0: n0 - x0 }).at(1.0);
        self.low = distribution.low;
        let size = (distribution.high - distribution.low) as usize + 1;
        self.probability.clear();
        self.probability.resize(size, 0.0);
        let mut total = 0.0;
        distribution.walk(|k, weight| {
            self.probability[(k - distribution.low) as usize] = weight;
            total += weight;
            true
        });
        for probability in &mut self.probability {
            *probability /= total;
        }
    }

    /// Fisher's p-values of the row.
    fn cumulate(&mut self) {
        let p = &self.probability;
        cumulate(p, &mut self.less, 0..p.len());
        cumulate(p, &mut self.greater, (0..p.len()).rev());
        // The probabilities have one peak, so that the next smallest is always at one of the ends.
        self.order.clear();
        let (mut low, mut high) = (0, p.len());
        while low < high {
            if p[low] <= p[high - 1] {
                self.order.push(low);
                low += 1;
            } else {
                high -= 1;
                self.order.push(high);
            }
        }
        self.two_sided.clear();
        self.two_sided.resize(p.len(), 0.0);
        let (mut sum, mut next) = (0.0, 0);
        for &i in &self.order {
            while next < p.len() && p[self.order[next]] <= p[i] * (1.0 + 1e-7) {
                sum += p[self.order[next]];
                next += 1;
            }
            self.two_sided[i] = sum;
        }
    }

    /// Fisher's p-values, less, greater and two-sided, of the table with `k` events in the treatment group.
    fn at(&self, k: f64) -> (f64, f64, f64) {
        let i = (k - self.low) as usize;
        (self.less[i], self.greater[i], self.two_sided[i])
    }
}

fn cumulate(from: &[f64], to: &mut Vec<f64>, order: impl Iterator<Item = usize>) {
    to.clear();
    to.resize(from.len(), 0.0);
    let mut sum = 0.0;
    for i in order {
        sum += from[i];
        to[i] = sum;
    }
}

/// The largest `sum_s h(s) Binomial(s; N, p)` over `p`.
///
/// On the arcsine scale the binomial standard deviation is `1/(2 sqrt(N))` everywhere; the grid takes 16
/// points to each, and the derivative is solved next to every grid point that could be the maximum.
fn supremum(h: &[f64]) -> f64 {
    let n = (h.len() - 1) as f64;
    let steps = (16.0 * std::f64::consts::PI * n.sqrt()).ceil();
    let angle = |i: f64| i / steps * std::f64::consts::FRAC_PI_2;
    let grid: Vec<f64> = (0..=steps as usize).map(|i| mixture(h, angle(i as f64)).value).collect();
    let best = grid.iter().copied().fold(h[0].max(h[h.len() - 1]), f64::max);
    let mut largest = best;
    for i in 1..grid.len() - 1 {
        if grid[i] >= 0.99 * best && grid[i] >= grid[i - 1] && grid[i] >= grid[i + 1] {
            let at = root(|a| mixture(h, a).slope, angle(i as f64 - 1.0), angle(i as f64 + 1.0));
            largest = largest.max(mixture(h, at).value);
        }
    }
    largest.min(1.0)
}

/// The mixture and a multiple of its derivative, at `p = sin^2(angle)`.
struct Mixture {
    value: f64,
    slope: f64,
}

fn mixture(h: &[f64], angle: f64) -> Mixture {
    let n = (h.len() - 1) as f64;
    let p = angle.sin().powi(2);
    if p <= 0.0 || p >= 1.0 {
        return Mixture { value: if p <= 0.0 { h[0] } else { h[h.len() - 1] }, slope: 0.0 };
    }
    let (mut total, mut value, mut slope) = (0.0, 0.0, 0.0);
    binomial(n, p).walk(|s, weight| {
        let term = weight * h[s as usize];
        total += weight;
        value += term;
        slope += term * (s - n * p);
        weight > 1e-22
    });
    Mixture { value: value / total, slope: slope / total }
}
