//! The limits of score intervals of two proportions, all three measures by one idea.
//!
//! The score interval of an effect holds the values whose score test does not reject: `z(effect)^2 <= k`,
//! where the variance in `z` is taken at the maximum likelihood estimate under that effect (Miettinen &
//! Nurminen 1985; Mee 1984; Koopman 1984; Cornfield 1956). The usual way searches over the effect and solves
//! for the constrained estimate (a cubic, for the difference) inside. Taking the Lagrange multiplier of the
//! constraint as the unknown instead makes the constrained estimate *and* the effect explicit, and the
//! equation `z^2 = k` is convex and increasing in it, so that Newton's method from the right of the root
//! descends to it without fail.
//!
//! Each function gives the lower limit; the upper one follows by swapping the arms.

pub(super) use crate::compute::counts::Cells;
use crate::compute::roots::root;

/// The root of the convex, increasing `f(t) = k` on `(0, bound]`, where `f(bound) >= k`; `f` gives value and
/// slope.
///
/// From the left of the root one Newton step lands on its right (or is cut at `bound`), from where the steps
/// descend.
fn convex_root(k: f64, start: f64, bound: f64, f: impl Fn(f64) -> (f64, f64)) -> f64 {
    let mut t = start.min(bound);
    let mut right = false;
    for _ in 0..100 {
        let (value, slope) = f(t);
        if value < k {
            if right {
                return t; // past the root by rounding
            }
        } else {
            right = true;
        }
        let next = if slope > 0.0 { (t - (value - k) / slope).min(bound) } else { bound };
        if (next - t).abs() <= 1e-10 * t || (right && next >= t) {
            return next;
        }
        t = next;
    }
    t
}

/// The lower limit of the difference `p1 - p0`.
///
/// With the multiplier `m` of the constraint `p1 - p0 = delta`, the constrained estimates solve
/// `x1 - n1 p1 = m p1 q1` and `x0 - n0 p0 = -m p0 q0`: two quadratics. Hence `d - delta = m V` with
/// `V = p1 q1/n1 + p0 q0/n0`, `z^2 = m^2 V`, and at the limit `delta = d - k/m`.
pub(super) fn difference_lower(c: Cells, k: f64) -> f64 {
    let (n1, n0) = (c.n1(), c.n0());
    if c.x1 == 0.0 && c.y0 == 0.0 {
        return -1.0;
    }
    let d = c.difference();
    // K(m) >= m (1 + d) - x1 - y0, with equality far out.
    let bound = (k + c.x1 + c.y0) / (1.0 + d);
    let wald = c.x1 * c.y1 / n1.powi(3) + c.x0 * c.y0 / n0.powi(3);
    let start = if wald > 0.0 { (k / wald).sqrt() } else { bound };
    let m = convex_root(k, start, bound, |m| {
        // The multiplier moves arm 1 towards non-events and arm 0 towards events.
        let (one, zero) = (Moved::new(n1, c.y1, m), Moved::new(n0, c.x0, m));
        (m * m * (one.variance() + zero.variance()), m * (one.slope() + zero.slope()))
    });
    (d - k / m).max(-1.0)
}

/// The root `p` of `n p - y = m p (1 - p)` for `m >= 0`: a proportion `y / n` moved upwards by a multiplier.
struct Moved {
    n: f64,
    /// The root of the discriminant.
    s: f64,
    p: f64,
    q: f64,
}

impl Moved {
    fn new(n: f64, y: f64, m: f64) -> Self {
        let s = ((n - m) * (n - m) + 4.0 * m * y).sqrt();
        let p = if n > m { 2.0 * y / (n - m + s) } else { (s + m - n) / (2.0 * m) };
        Self { n, s, p, q: 2.0 * (n - y) / (n + m + s) }
    }

    fn variance(&self) -> f64 {
        self.p * self.q / self.n
    }

    /// The derivative of `m^2 variance`, divided by `m`.
    fn slope(&self) -> f64 {
        let pq = self.p * self.q;
        if pq > 0.0 { pq / self.n + pq / self.s } else { 0.0 }
    }
}

/// Maximum likelihood estimates of two proportions with a given difference, and the variance of the
/// difference at them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Constrained {
    pub(super) p1: f64,
    pub(super) p0: f64,
    pub(super) variance: f64,
}

/// The estimates under `p1 - p0 = delta`, `-1 < delta < 1`: those of the multiplier that gives this
/// difference. Unlike the closed form of the cubic, whose roots run together near 0 and 1, this keeps its
/// digits for rare events.
pub(super) fn constrained_by_difference(c: Cells, delta: f64) -> Constrained {
    let gap = c.difference() - delta;
    if gap < 0.0 {
        let Constrained { p1, p0, variance } = constrained_by_difference(c.swapped(), -delta);
        return Constrained { p1: p0, p0: p1, variance };
    }
    let at = |m: f64| (Moved::new(c.n1(), c.y1, m), Moved::new(c.n0(), c.x0, m));
    let excess = |m: f64| {
        let (one, zero) = at(m);
        m * (one.variance() + zero.variance()) - gap
    };
    let m = if gap > 0.0 { root(excess, 0.0, (c.x1 + c.y0) / (1.0 + delta)) } else { 0.0 };
    let (one, zero) = at(m);
    Constrained { p1: one.q, p0: zero.p, variance: one.variance() + zero.variance() }
}

/// The lower limit of the ratio `p1 / p0`.
///
/// With `t = m p1`, `m` the multiplier of the constraint `p1 - ratio p0 = 0`, the constrained estimates are
/// `p1 = (x1 - t)/(n1 - t)` and `p0 = (x0 + t)/(n0 + t)`, and
/// `z^2 = t^2 (q1/(n1 (x1 - t)) + q0/(n0 (x0 + t)))` with `q1 = y1/n1`, `q0 = y0/n0` as observed.
pub(super) fn ratio_lower(c: Cells, k: f64) -> f64 {
    let (n1, n0) = (c.n1(), c.n0());
    if c.x1 == 0.0 {
        return 0.0;
    }
    let (q1, q0) = (c.y1 / n1, c.y0 / n0);
    // Without non-events in arm 1 its estimate stays at 1 until t reaches n1; from there on t stays and p1
    // moves.
    let at_edge = q0 / (c.x0 + n1);
    if q1 == 0.0 && n1 * n1 * at_edge <= k {
        let p1 = 1.0 / (1.0 + (k / (n1 * n1) - at_edge) * n1);
        return p1 * c.total() / (c.x0 + n1);
    }
    let bound = pole_bound(c.x1, k / q1).min(far_bound(c.x0, k / q0));
    let wald = q1 / c.x1 + q0 / c.x0;
    let start = if c.x0 > 0.0 { (k / wald).sqrt() } else { bound };
    let t = convex_root(k, start, bound, |t| {
        let (u, v) = (c.x1 - t, c.x0 + t);
        // x1 = n1: the first term is zero for every t up to n1, also at the pole.
        let (first, first_slope) = if q1 > 0.0 { (q1 / u, q1 / (u * u)) } else { (0.0, 0.0) };
        let sum = first + q0 / v;
        (t * t * sum, t * (2.0 * sum + t * (first_slope - q0 / (v * v))))
    });
    let p1 = if q1 > 0.0 { (c.x1 - t) / (n1 - t) } else { 1.0 };
    p1 * (n0 + t) / (c.x0 + t)
}

/// The lower limit of the odds ratio: with `t` the shift of the cells towards the null, `z^2` is `t^2` times
/// the sum of the reciprocal shifted cells (Cornfield 1956).
pub(super) fn odds_ratio_lower(c: Cells, k: f64) -> f64 {
    if c.x1 == 0.0 || c.y0 == 0.0 {
        return 0.0;
    }
    let bound = pole_bound(c.x1, k).min(pole_bound(c.y0, k)).min(far_bound(c.y1, k)).min(far_bound(c.x0, k));
    let wald = 1.0 / c.x1 + 1.0 / c.y1 + 1.0 / c.x0 + 1.0 / c.y0;
    let start = if wald.is_finite() { (k / wald).sqrt() } else { bound };
    let t = convex_root(k, start, bound, |t| {
        let (i1, j1) = (1.0 / (c.x1 - t), 1.0 / (c.y1 + t));
        let (i0, j0) = (1.0 / (c.x0 + t), 1.0 / (c.y0 - t));
        let sum = i1 + j1 + i0 + j0;
        (t * t * sum, t * (2.0 * sum + t * (i1 * i1 - j1 * j1 - i0 * i0 + j0 * j0)))
    });
    ((c.x1 - t) / (c.y1 + t)) * ((c.y0 - t) / (c.x0 + t))
}

/// The root of `t^2 / (a - t) = k`, at which every sum with further positive terms is at least `k`.
fn pole_bound(a: f64, k: f64) -> f64 {
    2.0 * a / (1.0 + (1.0 + 4.0 * a / k).sqrt())
}

/// The root of `t^2 / (b + t) = k`; infinite for an infinite `k`.
fn far_bound(b: f64, k: f64) -> f64 {
    0.5 * (k + (k * (k + 4.0 * b)).sqrt())
}
