//! Sums over a wide unimodal distribution on the integers, by integrals of its smooth weights: their cost does
//! not grow with the number of people.
//!
//! With `f(k)` the weight and `r(k) = ln f(k + 1) - ln f(k)`, the Euler-Maclaurin formula about the midpoints of
//! the integers gives `sum_{k >= x} f(k) = int_{x - 1/2} f + f'(x - 1/2) / 24`, with an error of `sd^-4`
//! relative to the sum; `ln f` itself is the like sum of `r`, which is nearly linear over half a standard
//! deviation.

use super::discrete::{Minlike, NEGLIGIBLE, TIE, Tails, Unimodal};
use crate::compute::gauss_legendre::rule;
use crate::compute::roots::root;

/// Standard deviations from which on sums are integrals. Walks take up to 38 of them either way.
const WIDE: f64 = 3000.0;

/// The width of a panel in standard deviations.
const PANEL: f64 = 0.5;

/// Logarithms of weights below this are those of zero.
const LEAST: f64 = -745.0;

/// The direction of a sum: from the mode upwards, or from below the mode downwards.
#[derive(Clone, Copy, Debug)]
struct Outward(f64);

impl Outward {
    const BOTH: [Self; 2] = [Self(1.0), Self(-1.0)];
}

impl<R: Fn(f64) -> f64> Unimodal<R> {
    /// Whether integrals take the place of sums. Then either end is more than a thousand standard deviations
    /// from the mode, since no cell is smaller than the variance.
    pub(super) fn is_wide(&self) -> bool {
        self.sd >= WIDE
    }

    fn ln_ratio(&self, k: f64) -> f64 {
        (self.ratio)(k).ln()
    }

    /// `ln f(b) - ln f(a)`: the sum of `ln_ratio` from `a` to `b - 1`, whose distance is a panel at most.
    fn rise(&self, a: f64, b: f64) -> f64 {
        let (low, high) = (a - 0.5, b - 0.5);
        let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
        let slope = |u: f64| self.ln_ratio(u + 0.5) - self.ln_ratio(u - 0.5);
        // Gauss-Legendre with three points.
        let outer = 0.6_f64.sqrt() * half;
        let sum = 5.0 * (self.ln_ratio(middle - outer) + self.ln_ratio(middle + outer))
            + 8.0 * self.ln_ratio(middle);
        half * sum / 9.0 - (slope(high) - slope(low)) / 24.0
    }

    /// The logarithm of the weight, relative to that of the mode; minus infinity where it is zero.
    fn ln_weight(&self, k: f64) -> f64 {
        if k < self.low || k > self.high {
            return f64::NEG_INFINITY;
        }
        let width = PANEL * self.sd * (k - self.mode).signum();
        let (mut from, mut sum) = (self.mode, 0.0);
        while (k - from).abs() > width.abs() {
            sum += self.rise(from, from + width);
            from += width;
            if sum < LEAST {
                return f64::NEG_INFINITY;
            }
        }
        sum + self.rise(from, k)
    }

    /// The integrals of the weight times powers of the distance from the mode, from `start` outwards.
    fn integrals<const N: usize>(&self, start: f64, outward: Outward) -> [f64; N] {
        let mut sums = [0.0; N];
        let (mut from, mut ln_weight) = (start, self.ln_weight(start));
        while ln_weight > LEAST {
            let width = outward.0 * PANEL * self.sd;
            let mut panel = [0.0; N];
            for (point, weight) in rule() {
                let k = from + 0.5 * width * (1.0 + point);
                let mut term = 0.5 * width.abs() * weight * (ln_weight + self.rise(from, k)).exp();
                for sum in &mut panel {
                    *sum += term;
                    term *= k - self.mode;
                }
            }
            ln_weight += self.rise(from, from + width);
            from += width;
            sums.iter_mut().zip(panel).for_each(|(sum, part)| *sum += part);
            let done = sums.iter().zip(panel).all(|(sum, part)| part.abs() <= NEGLIGIBLE * sum.abs());
            if done && (from - self.mode) * outward.0 > self.sd {
                break;
            }
        }
        sums
    }

    /// The sums of the weight times powers of the distance from the mode.
    pub(super) fn wide_moments<const N: usize>(&self) -> [f64; N] {
        let [mut up, down] = Outward::BOTH.map(|outward| self.integrals::<N>(self.mode - 0.5, outward));
        up.iter_mut().zip(down).for_each(|(sum, part)| *sum += part);
        up
    }

    /// The sum of the weights from `k` outwards.
    fn tail(&self, k: f64, outward: Outward) -> f64 {
        let start = k - 0.5 * outward.0;
        let [integral] = self.integrals(start, outward);
        let slope = self.ln_ratio(start - 0.5) * self.ln_weight(start).exp();
        (integral + outward.0 * slope / 24.0).max(0.0)
    }

    pub(super) fn wide_tails(&self, x: f64) -> Tails {
        let [total, moment] = self.wide_moments();
        let at = self.ln_weight(x).exp();
        let upper = x >= self.mode;
        let outward = if upper { Outward(1.0) } else { Outward(-1.0) };
        let beyond = self.tail(x + outward.0, outward);
        let rest = (total - at - beyond).max(0.0);
        let (below, above) = if upper { (rest, beyond) } else { (beyond, rest) };
        let mean_minus_x = moment / total + (self.mode - x);
        Tails { below: below / total, at: at / total, above: above / total, mean_minus_x }
    }

    /// The first value, outwards from the mode, whose weight has at most this logarithm.
    fn cut(&self, outward: Outward, ln_weight: f64) -> f64 {
        let mut from = if outward.0 > 0.0 { self.mode } else { self.mode - 1.0 };
        let mut here = self.ln_weight(from);
        if here <= ln_weight {
            return from;
        }
        let width = outward.0 * PANEL * self.sd;
        loop {
            let next = here + self.rise(from, from + width);
            if next <= ln_weight {
                let k = root(|k| here + self.rise(from, k) - ln_weight, from, from + width);
                return if outward.0 > 0.0 { k.ceil() } else { k.floor() };
            }
            (from, here) = (from + width, next);
        }
    }

    pub(super) fn wide_minlike(&self, x: f64) -> Minlike {
        let observed = self.ln_weight(x);
        if observed < LEAST {
            return Minlike { no_more_likely: 0.0, ties: 0.0, at: 0.0 };
        }
        let [total] = self.wide_moments();
        let (mut small, mut ties) = (0.0, 0.0);
        for outward in Outward::BOTH {
            let own = (outward.0 > 0.0) == (x >= self.mode);
            let [mut first, mut after] =
                [TIE.ln_1p(), (-TIE).ln_1p()].map(|share| self.cut(outward, observed + share));
            // Rounding never leaves out the observed value.
            if own && outward.0 * (x - first) < 0.0 {
                first = x;
            }
            if own && outward.0 * (after - x) < 1.0 {
                after = x + outward.0;
            }
            small += self.tail(first, outward);
            ties += (after - first).abs();
        }
        let at = observed.exp() / total;
        Minlike { no_more_likely: (small / total).min(1.0), ties: ties * at, at }
    }
}
