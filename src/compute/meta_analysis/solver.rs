//! tau² and its interval from sums over the studies: the same text for one set of studies and for a vector of
//! sets.

// Calls that were not expanded would pass vectors through memory, and lose the instruction set.
#![allow(clippy::inline_always)]

use super::tau2::{ChiSquaredQuantiles, Likelihood, Sums};
use super::vector::{MOST_LANES, Mask, Vector};
use pulp::Simd;

/// Sets of studies, one in each lane.
pub(super) trait Lanes<S: Simd> {
    fn spread(&self, simd: S) -> Spread<Vector<S>>;

    fn sums(&mut self, tau2: Vector<S>) -> Sums<Vector<S>>;

    /// The tau² of the highest likelihood of one lane, whatever it takes.
    fn patient_maximum(&self, lane: usize, likelihood: Likelihood) -> f64;

    /// The tau² at which Q of one lane is `target`, whatever it takes.
    fn patient_root(&self, lane: usize, target: f64) -> f64;
}

/// Spread and extremes of the data; they bound every estimate.
#[derive(Clone, Copy)]
pub(crate) struct Spread<V = f64> {
    /// sum (y - ybar)².
    pub(crate) ss: V,
    pub(crate) v_min: V,
    pub(crate) v_max: V,
    pub(crate) v_mean: V,
    /// sum v (y - ybar)² / sum (y - ybar)².
    pub(crate) v_typical: V,
}

/// What is asked of each set.
#[derive(Clone, Copy)]
pub(super) struct Question {
    pub(super) k: usize,
    /// Which likelihood tau² maximises; without one it is 0.
    pub(super) likelihood: Option<Likelihood>,
    /// The quantiles of the Q-profile interval; without them it is [0, 0].
    pub(super) chi2: Option<ChiSquaredQuantiles>,
}

/// What pools are built from.
#[derive(Clone, Copy, Default)]
pub(super) struct Solved<V = f64> {
    /// sum (y - ybar)².
    pub(super) ss: V,
    /// At tau² = 0: sum w e² and tr(P).
    pub(super) zero_q: V,
    pub(super) zero_trace_p: V,
    pub(super) tau2: V,
    /// At that tau²: the weighted mean, sum w, sum w e², and twice the expected information about tau².
    pub(super) mean: V,
    pub(super) s1: V,
    pub(super) q: V,
    pub(super) information: V,
    /// The Q-profile interval.
    pub(super) lower: V,
    pub(super) upper: V,
}

#[inline(always)]
pub(super) fn solve<S: Simd>(simd: S, studies: &mut impl Lanes<S>, question: Question) -> Solved<Vector<S>> {
    let none = Vector::splat(simd, 0.0);
    let spread = studies.spread(simd);
    let zero = studies.sums(none);
    let (mut tau2, mut at) = (none, zero);
    if let Some(likelihood) = question.likelihood {
        let free = if likelihood == Likelihood::Restricted { question.k - 1 } else { question.k };
        (tau2, at) = maximum(studies, &spread, &zero, likelihood, free as f64);
    }
    let (mut lower, mut upper) = (none, none);
    if let Some(chi2) = question.chi2 {
        upper = q_root(studies, &spread, &zero, chi2.lower);
        lower = q_root(studies, &spread, &zero, chi2.upper);
    }
    Solved {
        ss: spread.ss,
        zero_q: zero.q,
        zero_trace_p: zero.trace_p,
        tau2,
        mean: at.mean,
        s1: at.s1,
        q: at.q,
        information: if question.likelihood == Some(Likelihood::Full) { at.s2 } else { at.trace_pp },
        lower,
        upper,
    }
}

/// The tau² >= 0 at which Q(tau²) = `target`; 0 where Q(0) is not above it.
///
/// Q = sum z²/(l + tau²) with l > 0, so that it lies above ss/(tau² + `v_typical`) (Jensen), above its own
/// reciprocal tangent, and below ss/(tau² + `v_min`). From the highest lower bound Halley's method on 1/Q
/// (which is nearly a straight line) converges to the third order: in units of tau² + `v_min`, a step of s
/// leaves an error below s³.
#[inline(always)]
fn q_root<S: Simd>(
    studies: &mut impl Lanes<S>,
    spread: &Spread<Vector<S>>,
    zero: &Sums<Vector<S>>,
    target: f64,
) -> Vector<S> {
    const STEPS: usize = 20;
    const LAST_STEP: f64 = 4e-6;
    let none = spread.ss.all(0.0);
    let goal = spread.ss.all(target);
    let ratio = spread.ss / target;
    let tangent = (zero.q - goal) * zero.q / (zero.r2 * target);
    let mut low = (ratio - spread.v_typical).max(tangent).max(none);
    let mut high = (ratio - spread.v_min).max(low);
    let mut active = zero.q.above(goal) & spread.ss.above(none);
    let mut x = low.where_or(active, none);
    for _ in 0..STEPS {
        if !active.any() {
            return x;
        }
        let at = studies.sums(x);
        let above = at.q.above(goal);
        low = x.where_or(above, low);
        high = high.where_or(above, x);
        let inverse = x.all(1.0) / (at.q * at.r2);
        let newton = (at.q - goal) * at.q * at.q * inverse / target;
        let bend = (at.r2 * at.r2 - at.curve * at.q) * inverse;
        let step = newton / newton.mul_add(bend, x.all(1.0)).max(x.all(0.5));
        x = (x + step).max(low).min(high).where_or(active, x);
        active = active & !step.abs().at_most((x + spread.v_min) * LAST_STEP);
    }
    by_lane(active, x, |lane| studies.patient_root(lane, target))
}

/// Replaces the lanes where `mask` holds.
#[inline(always)]
fn by_lane<S: Simd>(mask: Mask<S>, x: Vector<S>, f: impl Fn(usize) -> f64) -> Vector<S> {
    let (mut numbers, marked) = (x.to_array(), mask.indicator().to_array());
    for lane in 0..S::F64_LANES.min(MOST_LANES) {
        if marked[lane] != 0.0 {
            numbers[lane] = f(lane);
        }
    }
    Vector::from_array(x.simd, &numbers)
}

/// The part of the score that the data do not move, and minus its derivative.
#[inline(always)]
fn fall_of<V: Copy>(at: &Sums<V>, likelihood: Likelihood) -> (V, V) {
    match likelihood {
        Likelihood::Restricted => (at.trace_p, at.trace_pp),
        Likelihood::Full => (at.s1, at.s2),
    }
}

/// The tau² >= 0 of the highest (restricted) likelihood, and the sums there.
///
/// Twice the score is rise - fall, with rise = y'PPy and fall = tr(P) (sum w for the full likelihood). It is
/// negative beyond the point T that solves T² = s (T + `v_max`), s = ss/free. Newton's method on fall/rise,
/// which is a straight line where the variances are equal, goes to a point where the score changes from
/// positive to negative, inside a bracket.
///
/// That it changes there only is proved as follows. For a = -(log fall)' and c = -(log rise)'/2 both 1/a -
/// tau² and 1/c - tau² rise with tau² (Cauchy-Schwarz); call them A and C. C ends at `v_typical`. So
/// log(rise/fall) falls wherever tau² + 2 A(tau²) > C(tau²), and from one value of A and one of C follows a
/// bound on its change between two points. Where none of three bounds suffices (they do in 96 of 100 sets
/// with variances that differ sixfold), the search is left to the patient method.
#[inline(always)]
fn maximum<S: Simd>(
    studies: &mut impl Lanes<S>,
    spread: &Spread<Vector<S>>,
    zero: &Sums<Vector<S>>,
    likelihood: Likelihood,
    free: f64,
) -> (Vector<S>, Sums<Vector<S>>) {
    const STEPS: usize = 30;
    const LAST_STEP: f64 = 3e-9;
    let none = spread.ss.all(0.0);
    let &Spread { ss, v_min, v_max, v_mean, v_typical } = spread;
    let (fall0, bend0) = fall_of(zero, likelihood);
    let score0 = zero.r2 - fall0;
    let spread_out = ss.above(none);
    let rising = score0.above(none) & spread_out;

    let s = ss / free;
    let top = (s + (s * (s + v_max * 4.0)).sqrt()) * 0.5;
    // Where the score of equal variances `v_mean` and `v_typical` changes; and Newton's method from 0.
    let root = s * (s * 0.25 + (v_mean - v_typical));
    let far = (s * 0.5 + root.max(none).sqrt()).where_or(root.above(none), none) - v_typical;
    let slope0 = zero.curve * 2.0 * fall0 - bend0 * zero.r2;
    let near = (zero.r2 * score0 / slope0).where_or(slope0.above(none), none);
    let mut x = far.max(near).max(none).min(top).where_or(rising, none);
    let (mut low, mut high) = (none, top);
    let mut active = rising;
    for _ in 0..STEPS {
        if !active.any() {
            break;
        }
        let at = studies.sums(x);
        let (fall, bend) = fall_of(&at, likelihood);
        let score = at.r2 - fall;
        let slope = at.curve * 2.0 * fall - bend * at.r2;
        let step = at.r2 * score / slope;
        let positive = score.above(none);
        low = x.where_or(positive, low);
        high = high.where_or(positive, x);
        let falls = slope.above(none);
        let small = falls & step.abs().at_most((x + v_min) * LAST_STEP);
        let next = x + step;
        let inside = falls & next.at_least(low) & next.at_most(high);
        let middle = (low + high) * 0.5;
        let next = next.max(low).min(high).where_or(inside | small, middle);
        x = next.where_or(active, x);
        active = active & !small;
    }
    let at = studies.sums(x);

    let (fall, bend) = fall_of(&at, likelihood);
    let (a0, a, c) = (fall0 / bend0, fall / bend - x, at.r2 / at.curve - x);
    let falls_all_along = (a0 * 2.0).at_least(v_typical);
    let negative_all_along =
        (zero.r2 * v_typical * v_typical).at_most(a0 * 4.0 * (v_typical - a0) * fall0) & !rising;
    let falls_beyond = (x + a * 2.0).at_least(v_typical);
    let positive_before = (x + a0 * 2.0).above(c) & ((x + c) * (x + c) * a0).above((x + a0) * c * c) & rising;
    let proved = falls_all_along | negative_all_along | (falls_beyond & positive_before) | !spread_out;
    let open = active | !proved;
    if open.any() {
        let x = by_lane(open, x, |lane| studies.patient_maximum(lane, likelihood));
        return (x, studies.sums(x));
    }
    (x, at)
}
