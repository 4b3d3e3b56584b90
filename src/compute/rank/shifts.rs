//! Order statistics of all differences or averages of pairs, without holding the pairs.

use super::lower_quantile;
use crate::compute::interval::Interval;
use crate::compute::reference_distribution::upper_tail;
use crate::error::Result;

/// The values of pairs of sorted numbers.
pub(super) enum Pairs {
    /// `x - y`.
    Differences(Vec<f64>, Vec<f64>),
    /// `(x + y) / 2` of two of the same numbers, each also with itself.
    Averages(Vec<f64>),
}

impl Pairs {
    pub(super) fn differences(x: &[f64], y: &[f64]) -> Self {
        Self::Differences(sorted(x), sorted(y))
    }

    pub(super) fn averages(x: &[f64]) -> Self {
        Self::Averages(sorted(x))
    }

    fn count(&self) -> u64 {
        match self {
            Self::Differences(x, y) => x.len() as u64 * y.len() as u64,
            Self::Averages(x) => x.len() as u64 * (x.len() as u64 + 1) / 2,
        }
    }

    /// The pairs whose value is at most `bound`: each pointer moves one way only.
    fn at_most(&self, bound: f64) -> u64 {
        match self {
            Self::Differences(x, y) => {
                let mut above = 0;
                let of = |x: &f64| {
                    while above < y.len() && x - y[above] > bound {
                        above += 1;
                    }
                    (y.len() - above) as u64
                };
                x.iter().map(of).sum()
            }
            Self::Averages(x) => {
                let mut end = x.len();
                let of = |(i, one): (usize, &f64)| {
                    while end > i && 0.5 * one + 0.5 * x[end - 1] > bound {
                        end -= 1;
                    }
                    end.saturating_sub(i) as u64
                };
                x.iter().enumerate().map(of).sum()
            }
        }
    }

    fn range(&self) -> [f64; 2] {
        match self {
            Self::Differences(x, y) => [x[0] - y[y.len() - 1], x[x.len() - 1] - y[0]],
            Self::Averages(x) => [x[0], x[x.len() - 1]],
        }
    }

    /// The `k`-th smallest value, from 1: halving the floating-point numbers between the smallest and the
    /// largest value takes at most 64 counts.
    fn smallest(&self, k: u64) -> f64 {
        let [mut low, mut high] = self.range().map(place);
        while low < high {
            let middle = (low & high) + ((low ^ high) >> 1);
            if self.at_most(number(middle)) >= k {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        // Not minus zero.
        number(low) + 0.0
    }

    pub(super) fn median(&self) -> f64 {
        let n = self.count();
        let upper = self.smallest(n / 2 + 1);
        if n % 2 == 1 { upper } else { 0.5 * self.smallest(n / 2) + 0.5 * upper }
    }

    /// The interval between the `quantile`-th smallest and the `quantile`-th largest value.
    pub(super) fn interval(&self, distribution: &[f64], level: f64) -> Result<Interval> {
        let quantile = lower_quantile(distribution, upper_tail(level)?) as u64;
        let quantile = quantile.min(self.count());
        let upper = self.smallest(self.count() - quantile + 1);
        Interval::new(self.smallest(quantile).min(upper), upper)
    }
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// The place of a number in the order of all numbers.
fn place(x: f64) -> i64 {
    let bits = x.to_bits().cast_signed();
    if bits < 0 { bits ^ i64::MAX } else { bits }
}

fn number(place: i64) -> f64 {
    let bits = if place < 0 { place ^ i64::MAX } else { place };
    f64::from_bits(bits.cast_unsigned())
}
