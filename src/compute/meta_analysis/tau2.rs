//! Estimators of the variance between studies, all bracketed: none can fail to converge.

use super::lanes::{OtherStudies, OtherSums, WORTHWHILE};
use super::solver::Spread;
use super::tau2_methods::{Moments, Studies};
use crate::compute::distribution::ChiSquared;
use crate::compute::interval::Interval;
use crate::compute::reference_distribution::upper_tail;
use crate::compute::threads::instruction_set;
use crate::error::Result;
use std::ops::{Add, Div, Mul, Sub};

/// Sums over the studies at one tau², with w = 1/(v + tau²) and e = y - mean.
#[derive(Clone, Copy)]
pub(crate) struct Sums<V = f64> {
    /// sum w and sum w².
    pub(crate) s1: V,
    pub(super) s2: V,
    /// tr(P) and tr(PP), P = W - ww'/sum w.
    pub(crate) trace_p: V,
    pub(super) trace_pp: V,
    /// sum w y / sum w.
    pub(crate) mean: V,
    /// sum w e², and y'PPy = sum w² e², y'PPPy.
    pub(crate) q: V,
    pub(super) r2: V,
    pub(super) curve: V,
}

impl<V> Sums<V>
where
    V: Copy + Add<Output = V> + Sub<Output = V> + Mul<Output = V> + Mul<f64, Output = V> + Div<Output = V>,
{
    /// From the estimate and the weight of the study with the smallest variance, and the sums over the
    /// others. It has the largest weight at every tau². It is kept apart, so that nothing cancels where it
    /// dominates: estimates are taken relative to its own, and traces are sums of positive terms. `one` is 1.
    // Not expanded, it would lose the instruction set of the vectors.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    pub(super) fn of(one: V, origin: V, largest: V, others: &OtherSums<V>) -> Self {
        let &OtherSums { t1, t2, t3, shift, q, r1, r2, r3 } = others;
        let s1 = largest + t1;
        let we = largest * shift;
        let (q, r1, r2, r3) = (q + we * shift, r1 - largest * we, r2 + we * we, r3 + largest * we * we);
        let inverse = one / s1;
        let (share, ratio) = (largest * inverse, t2 * inverse);
        Self {
            s1,
            s2: largest * largest + t2,
            trace_p: share * t1 * 2.0 + (t1 * t1 - t2) * inverse,
            trace_pp: share * share * (t1 * t1 + t2 * 2.0) + t2 - t3 * inverse * 2.0 + ratio * ratio,
            mean: origin + shift,
            q,
            r2,
            curve: r3 - r1 * inverse * r1,
        }
    }
}

#[inline]
pub(crate) fn sums(yi: &[f64], vi: &[f64], extent: &Extent, tau2: f64) -> Sums {
    let m = extent.most_precise;
    let others = OtherStudies { yi, vi, tau2, but: m };
    let others = if yi.len() < WORTHWHILE { others.plain() } else { instruction_set().dispatch(others) };
    Sums::of(1.0, yi[m], 1.0 / (vi[m] + tau2), &others)
}

impl Sums {
    /// The parts of [`Sums::score`], each of which falls with tau²: the score is `rise - fall`, its
    /// derivative `bend - 2 curve`.
    fn monotone(&self, likelihood: Likelihood) -> Monotone {
        let (fall, bend) = match likelihood {
            Likelihood::Restricted => (self.trace_p, self.trace_pp),
            Likelihood::Full => (self.s1, self.s2),
        };
        Monotone { rise: self.r2, fall, curve: self.curve, bend }
    }

    /// Twice the score of the (restricted) likelihood, and its derivative.
    fn score(&self, likelihood: Likelihood) -> (f64, f64) {
        let curvature = -2.0 * self.curve;
        match likelihood {
            Likelihood::Restricted => (self.r2 - self.trace_p, curvature + self.trace_pp),
            Likelihood::Full => (self.r2 - self.s1, curvature + self.s2),
        }
    }
}

/// Which likelihood is maximised.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Likelihood {
    Restricted,
    Full,
}

/// Estimates that differ from their mean by so much of the largest only are the same number, but for
/// rounding.
pub(super) const EQUAL_WITHIN: f64 = 4.0 * f64::EPSILON;

/// The spread of the data, and its most precise study.
pub(crate) struct Extent {
    pub(crate) spread: Spread,
    pub(super) most_precise: usize,
}

pub(crate) fn extent(yi: &[f64], vi: &[f64]) -> Extent {
    let k = yi.len() as f64;
    let mean = yi.iter().sum::<f64>() / k;
    let largest = yi.iter().fold(0.0_f64, |most, y| most.max(y.abs()));
    let (mut ss, mut vs, mut widest) = (0.0, 0.0, 0.0_f64);
    for (y, v) in yi.iter().zip(vi) {
        let square = (y - mean) * (y - mean);
        ss += square;
        vs += v * square;
        widest = widest.max((y - mean).abs());
    }
    if widest <= EQUAL_WITHIN * largest {
        // The same number k times: the mean may still differ from it by rounding.
        ss = 0.0;
    }
    let (mut v_min, mut v_max, mut most_precise) = (f64::INFINITY, 0.0_f64, 0);
    for (i, v) in vi.iter().enumerate() {
        if *v < v_min {
            (v_min, most_precise) = (*v, i);
        }
        v_max = v_max.max(*v);
    }
    let v_mean = vi.iter().sum::<f64>() / k;
    let v_typical = (vs / ss).max(v_min).min(v_max);
    Extent { spread: Spread { ss, v_min, v_max, v_mean, v_typical }, most_precise }
}

/// Log-likelihoods at a tau², with all constants.
#[derive(Clone, Copy)]
pub(crate) struct LogLikelihoods {
    pub(crate) full: f64,
    pub(crate) restricted: f64,
}

/// `q` is the weighted sum of squares around the estimate in use, `s1` the sum of the weights 1/(v + tau²).
pub(crate) fn log_likelihoods(vi: &[f64], tau2: f64, s1: f64, q: f64) -> LogLikelihoods {
    let k = vi.len() as f64;
    let log_det = log_of_product(vi.iter().map(|v| v + tau2));
    let ln_2pi = (2.0 * std::f64::consts::PI).ln();
    LogLikelihoods {
        full: -0.5 * (k * ln_2pi + log_det + q),
        restricted: -0.5 * ((k - 1.0) * ln_2pi + log_det + s1.ln() + q - k.ln()),
    }
}

/// The sum of the logarithms of positive factors, with a logarithm for every few of them only.
fn log_of_product(factors: impl Iterator<Item = f64>) -> f64 {
    const RANGE: std::ops::Range<f64> = 1e-100..1e100;
    let (mut sum, mut product) = (0.0, 1.0);
    for factor in factors {
        product *= factor;
        if !RANGE.contains(&product) {
            sum += product.ln();
            product = 1.0;
        }
    }
    sum + product.ln()
}

pub(crate) fn log_likelihood(
    yi: &[f64],
    vi: &[f64],
    extent: &Extent,
    tau2: f64,
    likelihood: Likelihood,
) -> f64 {
    let at = sums(yi, vi, extent, tau2);
    let both = log_likelihoods(vi, tau2, at.s1, at.q);
    match likelihood {
        Likelihood::Restricted => both.restricted,
        Likelihood::Full => both.full,
    }
}

/// The tau² >= 0 of the highest (restricted) likelihood.
///
/// The score is negative beyond the point T that solves T² = s (T + `v_max`), where s is the sum of squares
/// divided by k - 1 (by k for the full likelihood): its first term is at most s (k - 1)/T², its trace at
/// least (k - 1)/(T + `v_max`). Below T the score is scanned in steps of a quarter in log(tau² + `v_min`),
/// fine enough for weights that differ by any factor; every maximum found is polished by Newton's method
/// inside its bracket, and the highest one is returned.
pub(crate) fn maximum_likelihood(yi: &[f64], vi: &[f64], extent: &Extent, likelihood: Likelihood) -> f64 {
    let k = yi.len() as f64;
    if extent.spread.ss == 0.0 {
        return 0.0;
    }
    let s = extent.spread.ss / if likelihood == Likelihood::Restricted { k - 1.0 } else { k };
    let top = 0.5 * (s + (s * s + 4.0 * s * extent.spread.v_max).sqrt());
    if let Some(only) =
        only_maximum(|tau2| sums(yi, vi, extent, tau2).monotone(likelihood), top, extent.spread.v_min)
    {
        return only;
    }
    highest_maximum(
        |tau2| sums(yi, vi, extent, tau2).score(likelihood),
        |tau2| log_likelihood(yi, vi, extent, tau2, likelihood),
        top,
        extent.spread.v_min,
    )
}

/// With P as in [`Sums`]: y'PPy, tr(P), y'PPPy and tr(PP); for the full likelihood sum w and sum w² instead
/// of the traces. As P is positive semi-definite and falls with tau², so does each of them.
#[derive(Clone, Copy)]
struct Monotone {
    rise: f64,
    fall: f64,
    curve: f64,
    bend: f64,
}

/// The maximum on [0, top] where it is proved to be the only one: between two points the score lies between
/// `rise(b) - fall(a)` and `rise(a) - fall(b)`, and falls where `bend(a) < 2 curve(b)`. Intervals about which
/// neither says enough are split; `None` where two hold a maximum, or many splits did not tell.
fn only_maximum(at: impl Fn(f64) -> Monotone, top: f64, v_min: f64) -> Option<f64> {
    const SPLITS: usize = 12;
    let score = |at: Monotone| at.rise - at.fall;
    let (first, last) = (at(0.0), at(top));
    let mut found = (score(first) <= 0.0).then_some(0.0);
    let mut pending = [(0.0, first, top, last); SPLITS + 1];
    let (mut count, mut splits) = (1, 0);
    while count > 0 {
        count -= 1;
        let (a, left, b, right) = pending[count];
        if left.rise <= right.fall || right.rise > left.fall {
            continue;
        }
        if left.bend < 2.0 * right.curve {
            if score(left) > 0.0 && score(right) <= 0.0 {
                let polished = falling_root(
                    |x| {
                        let at = at(x);
                        (score(at), at.bend - 2.0 * at.curve)
                    },
                    a,
                    b,
                    v_min,
                );
                if found.replace(polished).is_some() {
                    return None;
                }
            }
            continue;
        }
        if splits == SPLITS {
            return None;
        }
        splits += 1;
        let middle = ((a + v_min) * (b + v_min)).sqrt() - v_min;
        if !(middle > a && middle < b) {
            return None;
        }
        let between = at(middle);
        pending[count] = (middle, between, b, right);
        pending[count + 1] = (a, left, middle, between);
        count += 2;
    }
    match found {
        None if score(last) > 0.0 => Some(top),
        Some(_) if score(last) > 0.0 => None,
        found => found,
    }
}

/// The maximum of a likelihood on [0, top], from its score (with derivative) and its height.
pub(crate) fn highest_maximum(
    score: impl Fn(f64) -> (f64, f64),
    height: impl Fn(f64) -> f64,
    top: f64,
    v_min: f64,
) -> f64 {
    let range = (top / v_min).ln_1p();
    let steps = (range / 0.25).ceil().clamp(4.0, 2000.0);
    let growth = (range / steps).exp_m1();
    let mut best: Option<(f64, Option<f64>)> = None;
    // Heights are only computed where there is more than one maximum.
    let mut consider = |candidate: f64| {
        best = Some(match best {
            None => (candidate, None),
            Some((holder, held)) => {
                let (held, new) = (held.unwrap_or_else(|| height(holder)), height(candidate));
                if new > held { (candidate, Some(new)) } else { (holder, Some(held)) }
            }
        });
    };
    let (mut left, mut f_left) = (0.0, score(0.0).0);
    if f_left <= 0.0 {
        consider(0.0);
    }
    let mut step = 0.0;
    while step < steps {
        step += 1.0;
        let right = if step < steps { (left + (left + v_min) * growth).min(top) } else { top };
        let f_right = score(right).0;
        if f_left > 0.0 && f_right <= 0.0 {
            consider(falling_root(&score, left, right, v_min));
        }
        (left, f_left) = (right, f_right);
    }
    if f_left > 0.0 {
        consider(top);
    }
    best.map_or(0.0, |(tau2, _)| tau2)
}

/// The root of a function that is positive at `low` and not at `high`, given with its derivative: Newton
/// inside the bracket, bisection where a step leaves it.
fn falling_root(f: impl Fn(f64) -> (f64, f64), mut low: f64, mut high: f64, scale: f64) -> f64 {
    let mut x = 0.5 * (low + high);
    for _ in 0..200 {
        let (value, slope) = f(x);
        if value > 0.0 {
            low = x;
        } else {
            high = x;
        }
        let mut next = x - value / slope;
        if !(next > low && next < high) {
            next = 0.5 * (low + high);
        }
        if (next - x).abs() <= 2.0 * f64::EPSILON * (x + scale) || high - low <= 2.0 * f64::EPSILON * high {
            return next;
        }
        x = next;
    }
    x
}

/// The tau² >= 0 at which Q(tau²) = `target`; 0 where Q(0) is not above it.
///
/// Q falls with tau², and 1/Q is concave (a minimum over contrasts of linear functions), so Newton's method
/// on 1/Q from below the root rises to it and cannot pass it. It lies between ss/target - `v_typical`
/// (Jensen's inequality) and ss/target - `v_min`.
pub(crate) fn q_root(yi: &[f64], vi: &[f64], extent: &Extent, target: f64) -> f64 {
    if extent.spread.ss == 0.0 {
        return 0.0;
    }
    let at = |tau2: f64| {
        let at = sums(yi, vi, extent, tau2);
        (at.q, at.r2)
    };
    let ratio = extent.spread.ss / target;
    let Spread { v_min, v_typical, .. } = extent.spread;
    rising_to(at, target, Interval::between(ratio - v_typical, ratio - v_min), v_min)
}

/// `q_root` for a function that gives Q and minus its derivative.
///
/// In units of tau² + `v_min`, the error after a step of s is below s².
pub(crate) fn rising_to(at: impl Fn(f64) -> (f64, f64), target: f64, bracket: Interval, v_min: f64) -> f64 {
    const LAST_STEP: f64 = 5e-9;
    let mut tau2 = bracket.lower().max(0.0);
    for _ in 0..200 {
        let (q, slope) = at(tau2);
        let step = (q - target) * q / (target * slope);
        if step.is_nan() || step <= f64::EPSILON * (tau2 + v_min) {
            break;
        }
        if tau2 + step >= bracket.upper() {
            return bracket.upper().max(0.0);
        }
        tau2 += step;
        if step <= LAST_STEP * (tau2 + v_min) {
            break;
        }
    }
    tau2
}

/// The Q-profile interval of tau² (Viechtbauer 2007, Stat. Med. 26): the tau² at which Q(tau²) is the upper
/// and the lower quantile of chi-squared with k - 1 degrees of freedom. Both limits are 0 where Q(0) lies
/// below the lower quantile.
pub(crate) fn q_profile(yi: &[f64], vi: &[f64], extent: &Extent, chi2: ChiSquaredQuantiles) -> Interval {
    let upper = q_root(yi, vi, extent, chi2.lower);
    let lower = if upper == 0.0 { 0.0 } else { q_root(yi, vi, extent, chi2.upper) };
    Interval::between(lower, upper)
}

/// The quantiles of chi-squared with k - 1 degrees of freedom that enclose the confidence level, and its
/// median.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChiSquaredQuantiles {
    pub(crate) lower: f64,
    pub(crate) median: f64,
    pub(crate) upper: f64,
}

impl ChiSquaredQuantiles {
    /// For these degrees of freedom, above zero, and a level.
    pub(crate) fn new(df: f64, level: f64) -> Result<Self> {
        let (distribution, tail) = (ChiSquared::new(df)?, upper_tail(level)?);
        Ok(Self {
            lower: distribution.quantile(tail),
            median: distribution.quantile(0.5),
            upper: distribution.upper_quantile(tail),
        })
    }
}

/// An estimate of tau² with its standard error, where it has one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tau2Estimate {
    pub(crate) tau2: f64,
    pub(crate) se: Option<f64>,
}

/// Two or more studies with one mean, and their sums at tau² = 0.
pub(super) struct OneMean<'s> {
    pub(super) yi: &'s [f64],
    pub(super) vi: &'s [f64],
    pub(super) extent: &'s Extent,
    pub(super) zero: &'s Sums,
}

impl Studies for OneMean<'_> {
    fn count(&self) -> (f64, f64) {
        let k = self.yi.len() as f64;
        (k, k - 1.0)
    }

    fn variance(&self, i: usize) -> f64 {
        self.vi[i]
    }

    fn at(&self, tau2: f64) -> Result<Moments> {
        let at = if tau2 == 0.0 { *self.zero } else { sums(self.yi, self.vi, self.extent, tau2) };
        Ok(Moments { q: at.q, s1: at.s1, trace_p: at.trace_p, restricted: at.trace_pp, full: at.s2 })
    }

    fn most_likely(&self, likelihood: Likelihood) -> Result<f64> {
        Ok(maximum_likelihood(self.yi, self.vi, self.extent, likelihood))
    }

    fn q_root(&self, target: f64) -> Result<f64> {
        Ok(q_root(self.yi, self.vi, self.extent, target))
    }

    fn scatter(&self) -> Result<(f64, bool)> {
        Ok((self.extent.spread.ss, true))
    }

    fn moment(&self, a: impl Fn(usize) -> f64 + Copy) -> Result<Tau2Estimate> {
        let Self { yi, vi, .. } = *self;
        let form = QuadraticForm::new(yi.len(), a);
        let k = 0..yi.len();
        let origin = yi[form.largest];
        let shift = k.clone().map(|i| a(i) * (yi[i] - origin)).sum::<f64>() / form.total;
        let q: f64 = k.clone().map(|i| a(i) * (yi[i] - origin - shift) * (yi[i] - origin - shift)).sum();
        let expected: f64 = k.clone().map(|i| form.diagonal(i) * vi[i]).sum();
        let trace: f64 = k.map(|i| form.diagonal(i)).sum();
        let tau2 = ((q - expected) / trace).max(0.0);
        Ok(Tau2Estimate { tau2, se: Some(form.sd(vi, tau2) / trace) })
    }

    /// The variance of the effects less the mean of their variances.
    fn unweighted(&self) -> Result<Tau2Estimate> {
        let free = self.count().1;
        let tau2 = (self.extent.spread.ss / free - self.extent.spread.v_mean).max(0.0);
        Ok(Tau2Estimate { tau2, se: Some(self.sd(|_| 1.0, tau2)? / free) })
    }

    fn sd(&self, a: impl Fn(usize) -> f64 + Copy, tau2: f64) -> Result<f64> {
        Ok(QuadraticForm::new(self.vi.len(), a).sd(self.vi, tau2))
    }
}

/// The matrix A = diag(a) - aa'/sum a of the form sum a (y - `mean_a`)².
struct QuadraticForm<F> {
    a: F,
    total: f64,
    /// The largest weight, and the sum of the others.
    largest: usize,
    others: f64,
}

impl<F: Fn(usize) -> f64> QuadraticForm<F> {
    fn new(k: usize, a: F) -> Self {
        let largest = (1..k).fold(0, |best, i| if a(i) > a(best) { i } else { best });
        let others: f64 = (0..k).filter(|i| *i != largest).map(&a).sum();
        let total = others + a(largest);
        Self { a, total, largest, others }
    }

    fn diagonal(&self, i: usize) -> f64 {
        let rest = if i == self.largest { self.others } else { self.total - (self.a)(i) };
        (self.a)(i) * rest / self.total
    }

    /// sqrt(2 tr(ASAS)) with S = diag(v + tau²): the standard deviation of the form where the y are normal.
    fn sd(&self, vi: &[f64], tau2: f64) -> f64 {
        let off = |i: usize| (self.a)(i) * (self.a)(i) * (vi[i] + tau2);
        let (mut diagonal, mut b1, mut b2) = (0.0, 0.0, 0.0);
        for (i, v) in vi.iter().enumerate() {
            let d = self.diagonal(i) * (v + tau2);
            diagonal += d * d;
            if i != self.largest {
                b1 += off(i);
                b2 += off(i) * off(i);
            }
        }
        let pairs = (2.0 * off(self.largest) * b1 + b1 * b1 - b2) / (self.total * self.total);
        (2.0 * (diagonal + pairs)).sqrt()
    }
}
