//! Tail probabilities of unimodal discrete distributions, by walking outwards from the mode, or by integrals where
//! that is far.

use super::odds_ratio::{Edge, with_halves};
use super::score::Cells;
use crate::compute::counts::ArmTotal;
use crate::compute::distribution::special::ln_beta;
use crate::compute::roots::root;

/// Terms below this share of the sum they belong to end a walk.
pub(super) const NEGLIGIBLE: f64 = 1e-18;

/// Relative tolerance for equally likely outcomes, as in R's `fisher.test` and `binom.test`.
pub(super) const TIE: f64 = 1e-7;

/// A unimodal distribution on the integers from `low` to `high`, given by the ratios of neighbouring
/// probabilities.
pub(super) struct Unimodal<R: Fn(f64) -> f64> {
    pub(super) low: f64,
    pub(super) high: f64,
    /// The mode, or near it.
    pub(super) mode: f64,
    /// The standard deviation, or near it.
    pub(super) sd: f64,
    /// `P(k + 1) / P(k)`.
    pub(super) ratio: R,
}

/// Probabilities below, at and above the observed value `x`, and the mean minus `x`.
#[derive(Clone, Copy, Debug)]
pub struct Tails {
    /// Of fewer.
    pub below: f64,
    /// Of as many.
    pub at: f64,
    /// Of more.
    pub above: f64,
    pub(super) mean_minus_x: f64,
}

/// Two-sided probabilities by the order of likelihood.
#[derive(Clone, Copy, Debug)]
pub(super) struct Minlike {
    /// Values no more likely than the observed one, ties counted (relative tolerance 1e-7).
    pub(super) no_more_likely: f64,
    /// Those as likely as the observed one.
    pub(super) ties: f64,
    /// The observed one.
    pub(super) at: f64,
}

impl<R: Fn(f64) -> f64> Unimodal<R> {
    /// Visits every value with its probability relative to the mode's, outwards on either side, until `visit`
    /// is done.
    pub(super) fn walk(&self, mut visit: impl FnMut(f64, f64) -> bool) {
        // Subnormal weights shrink no more where the ratio is near one.
        let (mut k, mut weight) = (self.mode, 1.0);
        while visit(k, weight) && k < self.high && weight > f64::MIN_POSITIVE {
            weight *= (self.ratio)(k);
            k += 1.0;
        }
        (k, weight) = (self.mode, 1.0);
        while k > self.low && weight > f64::MIN_POSITIVE {
            k -= 1.0;
            weight /= (self.ratio)(k);
            if !visit(k, weight) {
                break;
            }
        }
    }

    pub(super) fn tails(&self, x: f64) -> Tails {
        if self.is_wide() {
            return self.wide_tails(x);
        }
        let (mut below, mut at, mut above, mut moment) = (0.0, 0.0, 0.0, 0.0);
        self.walk(|k, weight| {
            moment += weight * (k - x);
            let sum = if k < x {
                &mut below
            } else if k > x {
                &mut above
            } else {
                &mut at
            };
            *sum += weight;
            // Go on until the tail beyond x is complete to full relative accuracy.
            let beyond = (k > self.mode && k > x) || (k < self.mode && k < x);
            !(beyond && weight <= NEGLIGIBLE * *sum)
        });
        let total = below + at + above;
        Tails { below: below / total, at: at / total, above: above / total, mean_minus_x: moment / total }
    }

    /// The sums of the weight times powers of the distance from the mode.
    fn moments(&self) -> [f64; 5] {
        let mut sums = [0.0; 5];
        self.walk(|k, weight| {
            let mut term = weight;
            sums[0] += term;
            for sum in &mut sums[1..] {
                term *= k - self.mode;
                *sum += term;
            }
            term.abs() + weight > NEGLIGIBLE * NEGLIGIBLE.sqrt() * sums[0]
        });
        sums
    }

    pub(super) fn minlike(&self, x: f64) -> Minlike {
        if self.is_wide() {
            return self.wide_minlike(x);
        }
        let mut observed = 0.0;
        self.walk(|k, weight| {
            if k == x {
                observed = weight;
            }
            if k >= self.mode { k < x } else { k > x }
        });
        let (mut total, mut small, mut ties) = (0.0, 0.0, 0.0);
        self.walk(|_, weight| {
            total += weight;
            if weight <= observed * (1.0 + TIE) {
                small += weight;
                if weight >= observed * (1.0 - TIE) {
                    ties += weight;
                }
                weight > NEGLIGIBLE * small
            } else {
                true
            }
        });
        Minlike { no_more_likely: (small / total).min(1.0), ties: ties / total, at: observed / total }
    }
}

/// The distribution of the events in the treatment group given all margins of a table.
#[derive(Clone, Copy, Debug)]
pub struct Hypergeometric {
    cells: Cells,
}

impl Hypergeometric {
    pub(super) fn new(cells: Cells) -> Self {
        Self { cells }
    }

    /// Of a table with these events and people in either arm.
    pub fn of_arms(treated: ArmTotal, control: ArmTotal) -> Self {
        let (x1, x0) = (treated.events as f64, control.events as f64);
        Self::new(Cells { x1, y1: treated.n as f64 - x1, x0, y0: control.n as f64 - x0 })
    }

    /// As an exponential family in the log odds ratio `u`: `ln sum C(n1, k) C(n0, m - k) exp(k u)` and the
    /// four cumulants of `k`, its derivatives.
    pub(crate) fn cumulants(&self, log_odds_ratio: f64) -> [f64; 5] {
        let c = self.cells;
        let table = self.at(log_odds_ratio.clamp(-LARGEST, LARGEST).exp());
        let [total, moments @ ..] = if table.is_wide() { table.wide_moments() } else { table.moments() };
        let [mean, m2, m3, m4] = moments.map(|moment: f64| moment / total);
        let variance = m2 - mean * mean;
        let third = m3 - 3.0 * mean * m2 + 2.0 * mean.powi(3);
        let fourth = m4 - 4.0 * mean * m3 + 6.0 * mean * mean * m2 - 3.0 * mean.powi(4);
        let ln_choose = |n: f64, k: f64| -n.ln_1p() - ln_beta(n - k + 1.0, k + 1.0);
        let constant = ln_choose(c.n1(), table.mode) + ln_choose(c.n0(), c.x1 + c.x0 - table.mode);
        let value = constant + table.mode * log_odds_ratio + f64::ln(total);
        [value, table.mode + mean, variance, third, fourth - 3.0 * variance * variance]
    }

    pub(super) fn edge(&self) -> Edge {
        let c = self.cells;
        match (c.x1 == 0.0 || c.y0 == 0.0, c.y1 == 0.0 || c.x0 == 0.0) {
            (true, true) => Edge::Both,
            (true, false) => Edge::Lowest,
            (false, true) => Edge::Highest,
            (false, false) => Edge::None,
        }
    }

    /// A finite log odds ratio near the observed one.
    pub(super) fn woolf_start(&self) -> f64 {
        let c = with_halves(self.cells);
        ((c.x1 / c.y1) * (c.y0 / c.x0)).ln()
    }

    /// The distribution at an odds ratio.
    pub(super) fn at(&self, odds_ratio: f64) -> Unimodal<impl Fn(f64) -> f64 + use<>> {
        let c = self.cells;
        let (n1, n0, m) = (c.n1(), c.n0(), c.x1 + c.x0);
        let low = (m - n0).max(0.0);
        let high = n1.min(m);
        // The mode is the floor of a root of a quadratic (Liao & Rosen 2001, American Statistician
        // 55:366-369).
        let a = odds_ratio - 1.0;
        let b = (n1 + m + 2.0) * odds_ratio + n0 - m;
        let last = odds_ratio * (n1 + 1.0) * (m + 1.0);
        let q = 0.5 * (b + (b * b - 4.0 * a * last).max(0.0).sqrt().copysign(b));
        let mode = if b >= 0.0 { last / q } else { q / a };
        let mode = mode.floor().clamp(low, high);
        let mode = if mode.is_nan() { low } else { mode };
        let cells = [mode, n1 - mode, m - mode, n0 - m + mode];
        Unimodal {
            low,
            high,
            mode,
            sd: cells.map(|cell| 1.0 / cell).iter().sum::<f64>().sqrt().recip(),
            ratio: move |k: f64| odds_ratio * ((n1 - k) / (k + 1.0)) * ((m - k) / (n0 - m + k + 1.0)),
        }
    }

    /// The probabilities below, at and above the observed events at an odds ratio.
    pub fn tails(&self, odds_ratio: f64) -> Tails {
        self.at(odds_ratio).tails(self.cells.x1)
    }

    pub(super) fn minlike(&self) -> Minlike {
        self.at(1.0).minlike(self.cells.x1)
    }

    /// The log odds ratio at which `f`, which increases with it, is zero.
    pub(super) fn solve(&self, start: f64, f: impl Fn(Tails) -> f64) -> f64 {
        let value = |u: f64| f(self.tails(u.exp()));
        let (mut low, mut high) = (start, start);
        let mut step = 0.1;
        if value(start) < 0.0 {
            while value(high) < 0.0 && high < LARGEST {
                low = high;
                high += step;
                step *= 2.0;
            }
        } else {
            while value(low) >= 0.0 && low > -LARGEST {
                high = low;
                low -= step;
                step *= 2.0;
            }
        }
        root(value, low, high)
    }
}

/// Logarithms of odds ratios beyond this are not searched: their exponentials leave the range of numbers.
const LARGEST: f64 = 600.0;
