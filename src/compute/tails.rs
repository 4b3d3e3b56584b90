//! Incomplete gamma and beta functions with both tails to full relative accuracy, and their inverses.
//!
//! A probability is kept as the logarithm of the tail that was computed directly ([`Tails`]); the other
//! tail is its complement, taken by `expm1`. The density factor in front of every series and continued
//! fraction has the form of Loader (2000): deviance and error of Stirling's formula, which do not cancel.
//! Around the centre of distributions with large parameters the uniform expansion of Temme (1979) is used,
//! for both functions in one normal form ([`Expansion`]).

use super::uniform_expansion::Expansion;
use std::f64::consts::{LN_2, PI, SQRT_2};

/// Logarithm of the square root of 2 pi.
pub(crate) const LN_SQRT_2PI: f64 = 0.918_938_533_204_672_8;

/// The two tail probabilities at one point: the logarithm of one of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tails {
    ln: f64,
    side: Side,
}

/// A side of a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// At most x.
    Lower,
    /// Above x.
    Upper,
}

impl Tails {
    pub(crate) fn new(side: Side, ln: f64) -> Self {
        // Rounding may lift a certainty above 1; `min` would hide a NaN.
        Self { ln: if ln > 0.0 { 0.0 } else { ln }, side }
    }

    /// All of the distribution lies above x.
    pub(crate) const BELOW_SUPPORT: Self = Self { ln: f64::NEG_INFINITY, side: Side::Lower };
    /// All of the distribution lies at or below x.
    pub(crate) const ABOVE_SUPPORT: Self = Self { ln: f64::NEG_INFINITY, side: Side::Upper };
    /// Not a number in, not a number out.
    pub(crate) const NAN: Self = Self { ln: f64::NAN, side: Side::Lower };

    pub(crate) fn on(self, side: Side) -> f64 {
        if self.side == side { self.ln.exp() } else { -self.ln.exp_m1() }
    }

    pub(crate) fn ln_on(self, side: Side) -> f64 {
        if self.side == side { self.ln } else { ln_complement(self.ln) }
    }

    pub(crate) fn mirrored(self) -> Self {
        let side = if self.side == Side::Lower { Side::Upper } else { Side::Lower };
        Self { ln: self.ln, side }
    }
}

/// `ln(1 - exp(ln))` for `ln <= 0`.
pub(crate) fn ln_complement(ln: f64) -> f64 {
    if ln > -LN_2 { (-ln.exp_m1()).ln() } else { (-ln.exp()).ln_1p() }
}

/// `ln Gamma(x) - [(x - 1/2) ln x - x + ln sqrt(2 pi)]`: the error of Stirling's formula (Loader 2000).
pub(crate) fn stirling_error(x: f64) -> f64 {
    const TERMS: [f64; 8] = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1260.0,
        -1.0 / 1680.0,
        1.0 / 1188.0,
        -691.0 / 360_360.0,
        1.0 / 156.0,
        -3617.0 / 122_400.0,
    ];
    if x < 10.0 {
        return libm::lgamma(x + 1.0) - (x + 0.5) * x.ln() + x - LN_SQRT_2PI;
    }
    let square = 1.0 / (x * x);
    TERMS.iter().rev().fold(0.0, |sum, term| sum * square + term) / x
}

/// `x - ln(1 + x)`, without cancellation near zero.
pub(crate) fn excess_over_log(x: f64) -> f64 {
    if x.abs() >= 0.3 {
        return x - x.ln_1p();
    }
    // ln(1 + x) = 2 atanh(v), v = x / (2 + x).
    let v = x / (2.0 + x);
    let square = v * v;
    let (mut power, mut sum, mut odd) = (v * square, 0.0, 3.0);
    loop {
        let next = sum + power / odd;
        if next == sum {
            return x * v - 2.0 * sum;
        }
        sum = next;
        power *= square;
        odd += 2.0;
    }
}

/// `k ln(k / m) + m - k` for `k > 0`, the deviance of a count `k` from its mean `m` (Loader 2000);
/// `difference = m - k` is given because the caller often knows it more exactly.
fn deviance(k: f64, m: f64, difference: f64) -> f64 {
    if difference.abs() < 0.3 * k {
        k * excess_over_log(difference / k)
    } else {
        difference - k * (m / k).ln()
    }
}

/// `exp(x^2) erfc(x)` for `x >= 0`.
pub(crate) fn scaled_erfc(x: f64) -> f64 {
    if x < 7.0 {
        return (x * x).exp() * libm::erfc(x);
    }
    // Abramowitz & Stegun 7.1.23; at x >= 7 the terms fall below rounding before they grow.
    let square = 0.5 / (x * x);
    let (mut sum, mut term, mut odd) = (1.0, 1.0, 1.0);
    loop {
        term *= -odd * square;
        if term.abs() < 1e-17 {
            return sum / (x * PI.sqrt());
        }
        sum += term;
        odd += 2.0;
    }
}

/// Both tails of the standard normal distribution.
pub(crate) fn normal_tails(x: f64) -> Tails {
    if x.is_nan() {
        return Tails::NAN;
    }
    let side = if x > 0.0 { Side::Upper } else { Side::Lower };
    Tails::new(side, ln_normal_tail(x.abs()))
}

/// `ln P(Z > x)` for `x >= 0`.
pub(crate) fn ln_normal_tail(x: f64) -> f64 {
    if x < 10.0 {
        (0.5 * libm::erfc(x / SQRT_2)).ln()
    } else if x < 1e160 {
        -0.5 * x * x + (0.5 * scaled_erfc(x / SQRT_2)).ln()
    } else {
        f64::NEG_INFINITY
    }
}

/// The `x` with `P(Z <= x) = p`; infinite at 0 and 1, NaN outside.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    if p == 0.5 {
        0.0
    } else if (0.0..=1.0).contains(&p) {
        -SQRT_2 * statrs::function::erf::erfc_inv(2.0 * p)
    } else {
        f64::NAN
    }
}

/// `ln B(a, b)` for positive `a`, `b`, by the errors of Stirling's formula where the sum is large.
pub(crate) fn ln_beta(a: f64, b: f64) -> f64 {
    if a + b < 10.0 {
        return libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    }
    let (a, b) = if a < b { (a, b) } else { (b, a) };
    let ratio = a / b;
    let errors = stirling_error(a) + stirling_error(b) - stirling_error(a + b);
    LN_SQRT_2PI + errors - 0.5 * (a / (1.0 + ratio)).ln() + a * (ratio / (1.0 + ratio)).ln()
        - b * ratio.ln_1p()
}

/// A logit beyond which only first terms of series are used.
pub(crate) const FAR: f64 = 300.0;

/// A point of a search for a quantile on a logarithmic scale `u`.
struct Point {
    tails: Tails,
    /// Logarithm of the density with respect to `u`.
    ln_density: f64,
    /// Derivative of `ln_density`.
    slope: f64,
}

/// The `u` where the tail on `side` is `exp(ln_p)`: Halley's iteration on the logarithm of the tail within
/// a bracket that shrinks at every step, and bisection where it would leave the bracket or take long.
fn solve(side: Side, ln_p: f64, start: f64, point: impl Fn(f64) -> Point) -> f64 {
    // exp(u) covers the range of f64.
    let (mut low, mut high) = (-746.0, 746.0);
    let mut u = if start.is_finite() { start.clamp(-745.0, 709.0) } else { 0.0 };
    for step in 0..120 {
        let at = point(u);
        let ln_tail = at.tails.ln_on(side);
        let miss = ln_tail - ln_p;
        if miss == 0.0 {
            return u;
        }
        if (miss < 0.0) == (side == Side::Lower) {
            low = u;
        } else {
            high = u;
        }
        let density = (at.ln_density - ln_tail).exp();
        let derivative = if side == Side::Lower { density } else { -density };
        let newton = -miss / derivative;
        let next = u + newton / (1.0 + 0.5 * newton * (at.slope - derivative)).clamp(0.3, 3.0);
        // The error after Halley's step is of the third power of the miss.
        // Inclusive: the step may be below rounding.
        if (low..=high).contains(&next) && miss.abs() < 1e-4 {
            return next;
        }
        u = if next > low && next < high && step < 40 { next } else { 0.5 * (low + high) };
        if high - low <= 2.0 * f64::EPSILON * u.abs().max(0.01) {
            return u;
        }
    }
    u
}

/// From this parameter on the logarithm of a quantile is too coarse for its last digits.
const WIDE: f64 = 1e3;

/// One step of Newton's method from `x`, of a size relative to it.
fn polished(side: Side, ln_p: f64, x: f64, point: impl Fn(f64) -> Point) -> f64 {
    let at = point(x);
    let ln_tail = at.tails.ln_on(side);
    let step = (ln_p - ln_tail) * (ln_tail - at.ln_density).exp();
    let step = if side == Side::Lower { step } else { -step };
    if step.abs() < 1e-6 { x + x * step } else { x }
}

/// The regularised incomplete gamma functions `P(a, x)` (lower) and `Q(a, x)` (upper) for one `a > 0`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IncompleteGamma {
    a: f64,
    /// `-ln Gamma(a)` for `a < 1`, else the constant of Loader's form.
    ln_constant: f64,
}

impl IncompleteGamma {
    pub(crate) fn new(a: f64) -> Self {
        let ln_constant = if a < 1.0 {
            a.ln() - libm::lgamma(a + 1.0)
        } else {
            0.5 * a.ln() - LN_SQRT_2PI - stirling_error(a)
        };
        Self { a, ln_constant }
    }

    /// `ln[x^a exp(-x) / Gamma(a)]`, the logarithm of the density of `ln x`.
    pub(crate) fn ln_density(&self, x: f64) -> f64 {
        if x == f64::INFINITY {
            f64::NEG_INFINITY
        } else if self.a < 1.0 {
            self.a * x.ln() - x + self.ln_constant
        } else {
            self.ln_constant - deviance(self.a, x, x - self.a)
        }
    }

    /// The density of `ln x` at `x = a exp(v)`, with all digits of a small v.
    pub(crate) fn ln_density_beside(&self, v: f64) -> f64 {
        let x = self.a * v.exp();
        if self.a < 1.0 || x.is_infinite() {
            self.ln_density(x)
        } else {
            self.ln_constant - deviance(self.a, x, self.a * v.exp_m1())
        }
    }

    pub(crate) fn tails(&self, x: f64) -> Tails {
        let a = self.a;
        if x.is_nan() {
            return Tails::NAN;
        }
        if x <= 0.0 {
            return Tails::BELOW_SUPPORT;
        }
        if x == f64::INFINITY {
            return Tails::ABOVE_SUPPORT;
        }
        if a >= Expansion::LEAST_N {
            let exponent = deviance(a, x, x - a);
            if exponent <= 0.5 * a {
                let z = (2.0 * exponent / a).sqrt().copysign(x - a);
                return Expansion::GAMMA.tails(a, z, exponent);
            }
        }
        let front = self.ln_density(x);
        if x < a + 1.0 {
            Tails::new(Side::Lower, front - a.ln() + lower_gamma_series(a, x).ln_1p())
        } else {
            Tails::new(Side::Upper, front - upper_gamma_fraction(a, x).ln())
        }
    }

    /// The `x` with probability `p` on `side`, `0 < p < 1`.
    pub(crate) fn quantile(&self, side: Side, p: f64) -> f64 {
        let (side, p) = smaller(side, p);
        let ln_p = p.ln();
        let start = self.start(side, p, ln_p);
        let point =
            |x: f64| Point { tails: self.tails(x), ln_density: self.ln_density(x), slope: self.a - x };
        let x = solve(side, ln_p, start, |u| point(u.exp())).exp();
        if self.a > WIDE { polished(side, ln_p, x, point) } else { x }
    }

    /// Wilson & Hilferty (1931); where that fails, the first term of the series at zero.
    fn start(&self, side: Side, p: f64, ln_p: f64) -> f64 {
        let a = self.a;
        let z = normal_quantile(p);
        let z = if side == Side::Lower { z } else { -z };
        let root = 1.0 - 1.0 / (9.0 * a) + z / (3.0 * a.sqrt());
        if root > 0.3 || (side == Side::Upper && root > 0.0) {
            a.ln() + 3.0 * root.ln()
        } else {
            let ln_p = if side == Side::Lower { ln_p } else { (-p).ln_1p() };
            (ln_p + libm::lgamma(a + 1.0)) / a
        }
    }
}

/// The sum `x / (a + 1) + x^2 / ((a + 1)(a + 2)) + ...` (Abramowitz & Stegun 6.5.29).
fn lower_gamma_series(a: f64, x: f64) -> f64 {
    let (mut sum, mut term, mut k) = (0.0, 1.0, a);
    loop {
        k += 1.0;
        term *= x / k;
        sum += term;
        if term < 1e-17 * sum.max(1.0) {
            return sum;
        }
    }
}

/// Legendre's continued fraction `x + 1 - a - (1 - a) / (x + 3 - a - ...)` (Abramowitz & Stegun 6.5.31),
/// evaluated by the method of Lentz (1976).
fn upper_gamma_fraction(a: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - a;
    let mut value = Lentz::new(b);
    for k in 1..2000 {
        let k = f64::from(k);
        b += 2.0;
        if value.converged(k * (a - k), b) {
            break;
        }
    }
    value.value
}

/// A continued fraction `b0 + a1 / (b1 + a2 / (b2 + ...))` by the modified method of Lentz (1976).
struct Lentz {
    value: f64,
    c: f64,
    d: f64,
}

impl Lentz {
    fn new(b: f64) -> Self {
        Self { value: b, c: b, d: 0.0 }
    }

    /// Adds a level and tells whether it changed nothing.
    fn converged(&mut self, a: f64, b: f64) -> bool {
        let nonzero = |x: f64| if x.abs() < 1e-290 { 1e-290 } else { x };
        self.d = 1.0 / nonzero(b + a * self.d);
        self.c = nonzero(b + a / self.c);
        let factor = self.c * self.d;
        self.value *= factor;
        (factor - 1.0).abs() < 1e-15
    }
}

/// A point on the support of a beta distribution that knows its distance from both ends and from the mean.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UnitPoint {
    pub(crate) x: f64,
    /// `1 - x`.
    pub(crate) y: f64,
    /// `(a + b) x - a`.
    pub(crate) excess: f64,
}

/// The regularised incomplete beta functions `I_x(a, b)` (lower) and `I_(1-x)(b, a)` (upper) for one pair of
/// parameters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IncompleteBeta {
    a: f64,
    b: f64,
    ln_constant: f64,
    /// `a b / (a + b)`.
    n: f64,
}

impl IncompleteBeta {
    pub(crate) fn new(a: f64, b: f64) -> Self {
        let sum = a + b;
        let n = if a < b { a / (1.0 + a / b) } else { b / (1.0 + b / a) };
        let ln_constant =
            0.5 * n.ln() - LN_SQRT_2PI + stirling_error(sum) - stirling_error(a) - stirling_error(b);
        Self { a, b, ln_constant, n }
    }

    fn expansion(&self) -> Option<Expansion> {
        let sum = self.a + self.b;
        (self.n >= Expansion::LEAST_N).then(|| Expansion::new((self.b - self.a) / sum, -self.n / sum))
    }

    /// `ln[x^a y^b / B(a, b)]`, the logarithm of the density of `ln(x / y)`.
    pub(crate) fn ln_density(&self, at: UnitPoint) -> f64 {
        self.ln_constant - self.deviance(at)
    }

    fn deviance(&self, at: UnitPoint) -> f64 {
        let n = self.a + self.b;
        deviance(self.a, n * at.x, at.excess) + deviance(self.b, n * at.y, -at.excess)
    }

    /// The point `x` with `1 - x` by subtraction.
    pub(crate) fn point(&self, x: f64) -> UnitPoint {
        let y = 1.0 - x;
        let n = self.a + self.b;
        let excess = if x < 0.5 { n * x - self.a } else { self.b - n * y };
        UnitPoint { x, y, excess }
    }

    /// The point `x = a f / (a f + b)`, `0 < f < infinity`.
    pub(crate) fn point_of_ratio(&self, f: f64) -> UnitPoint {
        let (a, b) = (self.a, self.b);
        let (x, y) = if a * f < b {
            let r = a * f / b;
            (r / (1.0 + r), 1.0 / (1.0 + r))
        } else {
            let r = b / a / f;
            (1.0 / (1.0 + r), r / (1.0 + r))
        };
        let excess = if f < 1.0 { a * y * (f - 1.0) } else { b * x * (1.0 - 1.0 / f) };
        UnitPoint { x, y, excess }
    }

    pub(crate) fn tails(&self, at: UnitPoint) -> Tails {
        self.tails_by(at, || self.expansion())
    }

    /// The tails, with the expansion where it is needed (its coefficients take longer than its sum).
    fn tails_by(&self, at: UnitPoint, expansion: impl FnOnce() -> Option<Expansion>) -> Tails {
        let (a, b) = (self.a, self.b);
        let exponent = self.deviance(at);
        if exponent <= 0.5 * self.n
            && let Some(expansion) = expansion()
        {
            let z = (2.0 * exponent / self.n).sqrt().copysign(at.excess);
            return expansion.tails(self.n, z, exponent);
        }
        let front = self.ln_constant - exponent;
        if at.x <= (a + 1.0) / (a + b + 2.0) {
            Tails::new(Side::Lower, front - beta_fraction(a, b, at.x, at.y, -at.excess).ln())
        } else {
            Tails::new(Side::Upper, front - beta_fraction(b, a, at.y, at.x, at.excess).ln())
        }
    }

    /// The ratio `f` at the point `x = a f / (a f + b)` with probability `p` on `side`, `0 < p < 1`.
    pub(crate) fn ratio_quantile(&self, side: Side, p: f64) -> f64 {
        let f = (self.logit_quantile(side, p, None) - (self.a / self.b).ln()).exp();
        if self.n < WIDE || !f.is_normal() {
            return f;
        }
        let (side, p) = smaller(side, p);
        polished(side, p.ln(), f, |f| {
            let at = self.point_of_ratio(f);
            Point { tails: self.tails(at), ln_density: self.ln_density(at), slope: -at.excess }
        })
    }

    /// `ln(x / (1 - x))` at the point with probability `p` on `side`, `0 < p < 1`; `start` is a guess.
    pub(crate) fn logit_quantile(&self, side: Side, p: f64, start: Option<f64>) -> f64 {
        let (side, p) = smaller(side, p);
        let ln_p = p.ln();
        let start = start.unwrap_or_else(|| self.start(side, p, ln_p));
        if start.abs() > FAR {
            // That far out the first term of the series is exact, and the logit may exceed the range of exp.
            let far = self.power_start(side, ln_p);
            if far.abs() > FAR {
                return far;
            }
        }
        let ln_ratio = (self.a / self.b).ln();
        let expansion = self.expansion();
        solve(side, ln_p, start, |u| {
            let mut at = self.point_of_ratio((u - ln_ratio).exp());
            if !at.excess.is_finite() {
                at = self.point(if u < 0.0 { 0.0 } else { 1.0 });
            }
            Point {
                tails: self.tails_by(at, || expansion),
                ln_density: self.ln_density(at),
                slope: -at.excess,
            }
        })
    }

    /// Abramowitz & Stegun 26.5.22 where both parameters exceed 1, else the first term of the series at the
    /// end of the support on that side.
    fn start(&self, side: Side, p: f64, ln_p: f64) -> f64 {
        let (a, b) = (self.a, self.b);
        let z = normal_quantile(p);
        if a > 1.0 && b > 1.0 {
            let z = if side == Side::Lower { -z } else { z };
            let lambda = (z * z - 3.0) / 6.0;
            let (ra, rb) = (1.0 / (2.0 * a - 1.0), 1.0 / (2.0 * b - 1.0));
            let h = 2.0 / (ra + rb);
            if h + lambda > 0.0 {
                let w = z * (h + lambda).sqrt() / h - (rb - ra) * (lambda + 5.0 / 6.0 - 2.0 / (3.0 * h));
                return (a / b).ln() - 2.0 * w;
            }
        }
        self.power_start(side, ln_p)
    }

    /// From `I_x(a, b) ~ x^a / (a B(a, b))` at zero, and its mirror image at one.
    pub(crate) fn power_start(&self, side: Side, ln_p: f64) -> f64 {
        let (own, other, sign) =
            if side == Side::Lower { (self.a, self.b, 1.0) } else { (self.b, self.a, -1.0) };
        let ln_beta = ln_beta(own, other);
        let ln_x = ((ln_p + own.ln() + ln_beta) / own).min(-0.1);
        sign * (ln_x - ln_complement(ln_x))
    }
}

/// The continued fraction of Didonato & Morris (1992, equation 9): `I_x(a, b) = x^a y^b / (B(a, b) value)`;
/// `lambda = a - (a + b) x`.
fn beta_fraction(a: f64, b: f64, x: f64, y: f64, lambda: f64) -> f64 {
    let mut value = Lentz::new(a * (lambda + 1.0) / (a + 1.0));
    for k in 1..2000 {
        let k = f64::from(k);
        let middle = a + 2.0 * k - 1.0;
        let ratio = k * (b - k) * x / middle;
        let alpha = (a + k - 1.0) / middle * (a + b + k - 1.0) * x * ratio;
        let beta = k + ratio + (a + k) / (middle + 2.0) * (lambda + 1.0 + k * (1.0 + y));
        if value.converged(alpha, beta) {
            break;
        }
    }
    value.value
}

/// The same quantile by the tail that is at most one half.
fn smaller(side: Side, p: f64) -> (Side, f64) {
    if p <= 0.5 { (side, p) } else { (if side == Side::Lower { Side::Upper } else { Side::Lower }, 1.0 - p) }
}
