//! Functions of all lanes of a vector at once.

use pulp::Simd;

/// `exp(x)` for `x` in [-708, 709], to about one unit in the last place: the argument is reduced by multiples
/// of `ln 2` in two parts (Cody & Waite 1980), the rest is at most `ln 2 / 2` and takes a Taylor polynomial
/// of degree 13.
#[inline(always)]
pub fn exp<S: Simd>(simd: S, x: S::f64s) -> S::f64s {
    /// Adding it leaves the nearest whole number in the low bits of the sum.
    const WHOLE: f64 = 6_755_399_441_055_744.0;
    const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const COEFFICIENTS: [f64; 13] = [
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ];
    let whole = simd.splat_f64s(WHOLE);
    let shifted = simd.mul_add_e_f64s(x, simd.splat_f64s(std::f64::consts::LOG2_E), whole);
    let n = simd.sub_f64s(shifted, whole);
    let rest = simd.mul_add_e_f64s(n, simd.splat_f64s(-LN_2_HIGH), x);
    let rest = simd.mul_add_e_f64s(n, simd.splat_f64s(-LN_2_LOW), rest);
    let mut value = simd.splat_f64s(1.0 / 6_227_020_800.0);
    for coefficient in COEFFICIENTS {
        value = simd.mul_add_e_f64s(value, rest, simd.splat_f64s(coefficient));
    }
    // The product with 2^52 moves n into the exponent.
    let exponent = simd.mul_u64s(simd.transmute_u64s_f64s(shifted), simd.splat_u64s(1 << 52));
    simd.transmute_f64s_u64s(simd.add_u64s(simd.transmute_u64s_f64s(value), exponent))
}

/// `(artanh(s) - s) / s^3 = 1/3 + s^2/5 + s^4/7 + ...` for `|s|` at most 0.173, to rounding; `square` is
/// `s^2`.
#[inline(always)]
fn artanh_rest<S: Simd>(simd: S, square: S::f64s) -> S::f64s {
    const COEFFICIENTS: [f64; 11] = [
        1.0 / 23.0,
        1.0 / 21.0,
        1.0 / 19.0,
        1.0 / 17.0,
        1.0 / 15.0,
        1.0 / 13.0,
        1.0 / 11.0,
        1.0 / 9.0,
        1.0 / 7.0,
        1.0 / 5.0,
        1.0 / 3.0,
    ];
    let mut value = simd.splat_f64s(1.0 / 25.0);
    for coefficient in COEFFICIENTS {
        value = simd.mul_add_e_f64s(value, square, simd.splat_f64s(coefficient));
    }
    value
}

/// `ln(1 + x)` for `x` in [0, 1]: `2 artanh(d / (2 + d))` of `d = x`, or of `d = (x - 1) / 2` and `ln 2`.
#[inline(always)]
pub(super) fn ln_1p<S: Simd>(simd: S, x: S::f64s) -> S::f64s {
    let half = simd.splat_f64s(0.5);
    let upper = simd.greater_than_f64s(x, simd.splat_f64s(std::f64::consts::SQRT_2 - 1.0));
    let d = simd.select_f64s(upper, simd.mul_add_e_f64s(x, half, simd.splat_f64s(-0.5)), x);
    let added = simd.select_f64s(upper, simd.splat_f64s(std::f64::consts::LN_2), simd.splat_f64s(0.0));
    let s = simd.div_f64s(d, simd.add_f64s(d, simd.splat_f64s(2.0)));
    let square = simd.mul_f64s(s, s);
    let s = simd.add_f64s(s, s);
    let rest = simd.mul_f64s(simd.mul_f64s(s, square), artanh_rest(simd, square));
    simd.add_f64s(added, simd.add_f64s(s, rest))
}

/// `(1 + d) ln(1 + d) - d` with `d` at least -1 and `ln(1 + d)` known: near 0, where that would cancel,
/// `d s + 2 (1 + d) (artanh(s) - s)` with `s = d / (2 + d)`.
#[inline(always)]
pub(super) fn deviation<S: Simd>(simd: S, d: S::f64s, ln_ratio: S::f64s) -> S::f64s {
    let ratio = simd.add_f64s(d, simd.splat_f64s(1.0));
    let s = simd.div_f64s(d, simd.add_f64s(d, simd.splat_f64s(2.0)));
    let square = simd.mul_f64s(s, s);
    let cube = simd.mul_f64s(simd.mul_f64s(s, square), artanh_rest(simd, square));
    let near = simd.mul_add_e_f64s(d, s, simd.mul_f64s(simd.add_f64s(ratio, ratio), cube));
    let far = simd.sub_f64s(simd.mul_f64s(ratio, ln_ratio), d);
    let inside = simd.and_m64s(
        simd.greater_than_f64s(d, simd.splat_f64s(-0.29)),
        simd.less_than_f64s(d, simd.splat_f64s(0.41)),
    );
    simd.select_f64s(inside, near, far)
}

/// What the logistic curve is at a linear predictor, without cancellation at either end.
pub(crate) struct Logistic<S: Simd> {
    /// The mean.
    pub(crate) mu: S::f64s,
    /// `1 - mu`
    pub(crate) rest: S::f64s,
    /// `sqrt(mu (1 - mu))`
    pub(crate) root: S::f64s,
    /// `1 / root`
    pub(crate) inverse_root: S::f64s,
    /// `exp(-|eta|)`
    pub(super) small: S::f64s,
    /// `1 + exp(-|eta|)`
    pub(crate) q: S::f64s,
    /// What rounding took from `q`, over `q`.
    pub(crate) lost: S::f64s,
    /// `1 / mu`, for predictors within 700.
    pub(crate) inverse_mu: S::f64s,
    /// `1 / (1 - mu)`, for predictors within 700.
    pub(crate) inverse_rest: S::f64s,
}

impl<S: Simd> Logistic<S> {
    /// With `h = exp(-|eta| / 2)`, `e = h^2` and `q = 1 + e` one division gives everything: `1 / q`,
    /// `root = h / q` and its inverse `q / h`. Beyond 708 the predictor counts as 708.
    #[inline(always)]
    pub(crate) fn new(simd: S, eta: S::f64s) -> Self {
        let one = simd.splat_f64s(1.0);
        let size = simd.min_f64s(simd.abs_f64s(eta), simd.splat_f64s(708.0));
        let h = exp(simd, simd.mul_f64s(size, simd.splat_f64s(-0.5)));
        let e = simd.mul_f64s(h, h);
        let q = simd.add_f64s(one, e);
        let inverse = simd.div_f64s(one, simd.mul_f64s(h, q));
        let near = simd.mul_f64s(h, inverse);
        let far = simd.mul_f64s(e, near);
        let inverse_h = simd.mul_f64s(inverse, q);
        let inverse_far = simd.mul_f64s(q, simd.mul_f64s(inverse_h, inverse_h));
        let positive = simd.greater_than_or_equal_f64s(eta, simd.splat_f64s(0.0));
        Self {
            mu: simd.select_f64s(positive, near, far),
            rest: simd.select_f64s(positive, far, near),
            root: simd.mul_f64s(h, near),
            inverse_root: simd.mul_f64s(simd.mul_f64s(q, q), inverse),
            small: e,
            q,
            lost: simd.mul_f64s(simd.sub_f64s(e, simd.sub_f64s(q, one)), near),
            inverse_mu: simd.select_f64s(positive, q, inverse_far),
            inverse_rest: simd.select_f64s(positive, inverse_far, q),
        }
    }

    /// `y - mu`; for an outcome of 0 or 1 exactly `rest` or `-mu`.
    #[inline(always)]
    pub(crate) fn residual(&self, simd: S, y: S::f64s) -> S::f64s {
        let one_or_zero = simd.sub_f64s(y, simd.splat_f64s(1.0));
        simd.mul_add_e_f64s(y, self.rest, simd.mul_f64s(one_or_zero, self.mu))
    }
}
