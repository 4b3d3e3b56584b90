use super::{ChiSquared, FisherF, Poisson, Tails, in_domain, in_domain_or_infinite};
use crate::compute::tails::{
    IncompleteBeta, IncompleteGamma, LN_SQRT_2PI, Side, ln_normal_tail, normal_tails,
};
use crate::error::{Error, Result};

/// The noncentral t distribution: `(Z + d) / sqrt(V / v)`, `Z` standard normal and `V` chi-square with `v`
/// degrees of freedom, `d` the noncentrality.
///
/// # Formula
///
/// P(T <= t) is the integral of `Phi(t s - d)` over the distribution of `s = sqrt(V / v)`, and P(T > t) that
/// of `Phi(d - t s)`; both integrands are positive, so each tail is accurate in relative terms. The integral
/// over `ln s` is taken by the trapezoidal rule, which converges exponentially. Where `d` is large beside
/// `sqrt(v)` and `Phi` is a step, the integral is over Z instead, of `P(s > (z + d) / t)` or its complement.
///
/// ```
/// use armwise::distribution::{NoncentralT, StudentT};
///
/// // Power of a two-sample t test: 64 in each arm, a standardised difference of 0.5, 5 %.
/// let critical = StudentT::new(126.0)?.upper_quantile(0.025);
/// let power = NoncentralT::new(126.0, 0.5 * 32_f64.sqrt())?.sf(critical);
/// assert!((power - 0.8015).abs() < 1e-4);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoncentralT {
    df: f64,
    noncentrality: f64,
}

impl NoncentralT {
    /// With `df` degrees of freedom (infinite for a shifted normal distribution) and the noncentrality.
    ///
    /// # Errors
    ///
    /// `InvalidInput` unless `df` is from 0.1 to 1e16 or infinite, and the noncentrality within -1e4 to 1e4: the
    /// integral is not made for less regular cases.
    pub fn new(df: f64, noncentrality: f64) -> Result<Self> {
        if !(-1e4..=1e4).contains(&noncentrality) {
            return Err(Error::invalid(format!(
                "the noncentrality is {noncentrality}; give a number within -10000 to 10000"
            )));
        }
        Ok(Self { df: mixture_df(df)?, noncentrality })
    }

    tail_methods!(f64);

    fn tails(self, t: f64) -> Tails {
        let d = self.noncentrality;
        if t.is_nan() {
            return Tails::NAN;
        }
        if t.is_infinite() {
            return if t < 0.0 { Tails::BELOW_SUPPORT } else { Tails::ABOVE_SUPPORT };
        }
        if self.df == f64::INFINITY || t == 0.0 {
            return normal_tails(t - d);
        }
        if d < 0.0 {
            return Self { noncentrality: -d, ..self }.tails(-t).mirrored();
        }
        let side = if t < d { Side::Lower } else { Side::Upper };
        let sign = if side == Side::Lower { 1.0 } else { -1.0 };
        let ln = if d * d <= 64.0 * (2.0 * self.df + 1.0) {
            chi_mixture(self.df, mixture_step(self.df, d * d), 0.0, |s| ln_normal_cdf(sign * (t * s - d)))
        } else if t * d <= STEEP {
            // Here `d` is beyond reach, or nearly so: `f` bends as the square of t s does.
            let t_d = t.max(0.0) * d;
            let s = (t_d + t_d.hypot(2.0 * self.df)) / (2.0 * self.df);
            let curvature = 2.0 * self.df * (1.0 + s * s) + t_d * (1.0 + s);
            chi_mixture(self.df, mixture_step(self.df, curvature), 0.0, |s| ln_normal_cdf(sign * (t * s - d)))
        } else {
            self.normal_mixture(t, side)
        };
        Tails::new(side, ln)
    }

    /// The logarithm of a tail where `Phi(t s - d)` is a step beside the density of s: the mean of
    /// `P(s > (z + d) / t)`, or of its complement, over the normal variable z.
    fn normal_mixture(self, t: f64, side: Side) -> f64 {
        let (d, a) = (self.noncentrality, 0.5 * self.df);
        let chi = IncompleteGamma::new(a);
        let of_scale = if side == Side::Lower { Side::Upper } else { Side::Lower };
        let step = 0.5 / (1.0 + 2.0 * self.df / (t * t)).sqrt();
        let value = |i: i64| {
            let z = step * i as f64;
            let s = (z + d) / t;
            if s <= 0.0 { f64::NEG_INFINITY } else { chi.tails(a * s * s).ln_on(of_scale) - 0.5 * z * z }
        };
        sum_around(0, 8, value) + step.ln() - LN_SQRT_2PI
    }
}

/// Above this product of t and the noncentrality, nothing of the lower tail lies at `s = 0`.
const STEEP: f64 = 100.0;

pub(super) fn ln_normal_cdf(x: f64) -> f64 {
    if x < 0.0 { ln_normal_tail(-x) } else { normal_tails(x).ln_on(Side::Lower) }
}

/// Degrees of freedom for which [`chi_mixture`] reaches all of the distribution.
pub(super) fn mixture_df(df: f64) -> Result<f64> {
    if (0.1..=1e16).contains(&df) || df == f64::INFINITY {
        Ok(df)
    } else {
        Err(Error::invalid(format!(
            "the degrees of freedom are {df}; give a number from 0.1 to 1e16, or infinity"
        )))
    }
}

/// The step of [`chi_mixture`] in `ln s`. The trapezoidal rule errs by `exp(-2 pi^2 / (step^2 c))`, where `c`
/// bounds how fast the integrand bends (`2 df` for the density, and `curvature` for the rest), but not by less
/// than `exp(-pi^2 / (2 step))`, because off the real line the density grows.
pub(crate) fn mixture_step(df: f64, curvature: f64) -> f64 {
    0.65 / (2.0 * df + curvature + 34.0).sqrt()
}

/// The logarithm of the mean of `exp(f(s))` over `s = sqrt(V / df)`, `V` chi-square with `df` degrees of
/// freedom, by the trapezoidal rule at `ln s = origin + i step` for whole i.
///
/// `f <= 0` is monotone and its exponential log-concave, so that the product has one peak.
pub(crate) fn chi_mixture(df: f64, step: f64, origin: f64, mut f: impl FnMut(f64) -> f64) -> f64 {
    const STRIDE: i64 = 8;
    let gamma = IncompleteGamma::new(0.5 * df);
    let place = |i: i64| origin + step * i as f64;
    // The density of u = ln s is twice that of ln(V / 2).
    let ln_density = |u: f64| {
        // Below the range of exp its logarithm is a line.
        let (near, beyond) = (u.max(-300.0), u.min(-300.0) + 300.0);
        let density = gamma.ln_density_beside(2.0 * near) + df * beyond + std::f64::consts::LN_2;
        if density.is_finite() { density } else { f64::NEG_INFINITY }
    };
    // Up to `level`, f has its value at zero.
    let (at_zero, mut level) = (f(0.0), f64::NEG_INFINITY);
    let mut value = |i: i64| {
        let u = place(i);
        let density = ln_density(u);
        if u <= level || density == f64::NEG_INFINITY {
            return density + at_zero;
        }
        let own = f(u.exp());
        if (own - at_zero).abs() <= 1e-17 {
            level = u;
        }
        density + own
    };
    #[allow(clippy::cast_possible_truncation)]
    let mut start = (-origin / step).round() as i64;
    let mut reach = STRIDE;
    // Where nothing counts, neither does what lies below the range of exp; a reach of twice as far may step over it.
    while value(start) == f64::NEG_INFINITY {
        let sides = [start + reach, start - reach];
        if sides.iter().all(|i| ln_density(place(*i)) < -2000.0) {
            return f64::NEG_INFINITY;
        }
        start = sides.into_iter().find(|i| value(*i) > f64::NEG_INFINITY).unwrap_or(start);
        reach *= 2;
    }
    sum_around(start, STRIDE, value) + step.ln()
}

/// The logarithm of the sum of `exp(value(i))` over whole i: the terms rise to one peak, which is looked for from
/// `start` in steps of `stride`, and fall.
pub(super) fn sum_around(start: i64, stride: i64, mut value: impl FnMut(i64) -> f64) -> f64 {
    let mode = climb(start, stride, &mut value);
    let (mut peak, mut sum) = (value(mode), 1.0);
    // Its digits are further apart than the terms that count.
    if peak < -1e16 {
        return peak;
    }
    for direction in [1, -1] {
        let mut previous = peak;
        for distance in 1.. {
            let there = value(mode + direction * distance);
            if there > peak {
                sum = sum * (peak - there).exp() + 1.0;
                peak = there;
            } else {
                sum += (there - peak).exp();
            }
            let counts = there >= peak - 42.0 || there > previous;
            if !counts || there == f64::NEG_INFINITY {
                break;
            }
            previous = there;
        }
    }
    peak + sum.ln()
}

/// The place, to within `stride`, after which the values no longer rise.
fn climb(start: i64, stride: i64, value: &mut impl FnMut(i64) -> f64) -> i64 {
    let (mut mode, mut peak, mut reach) = (start, value(start), stride);
    loop {
        let mut better = |i: i64| Some((i, value(i))).filter(|(_, there)| *there > peak);
        match better(mode + reach).or_else(|| better(mode - reach)) {
            Some(there) => {
                (mode, peak) = there;
                reach *= 2;
            }
            None if reach > stride => reach /= 2,
            None => return mode,
        }
    }
}

/// The noncentral chi-square distribution: the sum of squares of normal variables of variance 1 whose squared
/// means sum to the noncentrality.
///
/// # Formula
///
/// With `v` degrees of freedom and noncentrality `l`, both tails are Poisson mixtures, with mean `l / 2`, of
/// the tails of chi-square distributions with `v + 2 j` degrees of freedom.
///
/// ```
/// use armwise::distribution::{ChiSquared, NoncentralChiSquared};
///
/// // Power of a chi-square test with 3 degrees of freedom at noncentrality 10.9.
/// let critical = ChiSquared::new(3.0)?.upper_quantile(0.05);
/// let power = NoncentralChiSquared::new(3.0, 10.9)?.sf(critical);
/// assert!((power - 0.8).abs() < 1e-3);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoncentralChiSquared {
    df: f64,
    noncentrality: f64,
}

impl NoncentralChiSquared {
    /// With `df` degrees of freedom and the noncentrality (0 for the chi-square distribution).
    ///
    /// # Errors
    ///
    /// `InvalidInput` unless `df` is from 1e-4 to 1e16, and the noncentrality from 0 to 1e4.
    pub fn new(df: f64, noncentrality: f64) -> Result<Self> {
        Ok(Self {
            df: in_domain("the number of degrees of freedom", df)?,
            noncentrality: sum_of_squares(noncentrality)?,
        })
    }

    tail_methods!(f64);

    fn tails(self, x: f64) -> Tails {
        if !(x > 0.0 && x < f64::INFINITY) {
            return ChiSquared { df: self.df }.tails(x);
        }
        let side = if x < self.df + self.noncentrality { Side::Lower } else { Side::Upper };
        let a = 0.5 * self.df;
        poisson_mixture(side, self.noncentrality, |j| IncompleteGamma::new(a + j).tails(0.5 * x))
    }
}

/// The noncentral F distribution: a noncentral chi-square variable over an independent chi-square variable,
/// each divided by its degrees of freedom.
///
/// # Formula
///
/// With `v` and `w` degrees of freedom and noncentrality `l`, the cdf is the Poisson mixture, with mean
/// `l / 2`, of the incomplete beta functions `I_x(v / 2 + j, w / 2)` at `x = v f / (v f + w)`, the sf that of
/// their complements.
///
/// ```
/// use armwise::distribution::{FisherF, NoncentralF};
///
/// let critical = FisherF::new(3.0, 196.0)?.upper_quantile(0.05);
/// let power = NoncentralF::new(3.0, 196.0, 11.0)?.sf(critical);
/// assert!(power > 0.75 && power < 0.85);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoncentralF {
    df1: f64,
    df2: f64,
    noncentrality: f64,
}

impl NoncentralF {
    /// With `df1` degrees of freedom of the numerator, `df2` of the denominator (may be infinite), and the
    /// noncentrality (0 for Fisher's F distribution).
    ///
    /// # Errors
    ///
    /// `InvalidInput` unless the degrees of freedom are from 1e-4 to 1e16 (`df2` may be infinite), and the
    /// noncentrality is from 0 to 1e4.
    pub fn new(df1: f64, df2: f64, noncentrality: f64) -> Result<Self> {
        Ok(Self {
            df1: in_domain("the numerator's degrees of freedom", df1)?,
            df2: in_domain_or_infinite("the denominator's degrees of freedom", df2)?,
            noncentrality: sum_of_squares(noncentrality)?,
        })
    }

    tail_methods!(f64);

    fn tails(self, x: f64) -> Tails {
        if !(x > 0.0 && x < f64::INFINITY) {
            return FisherF { df1: self.df1, df2: self.df2 }.tails(x);
        }
        if self.df2 == f64::INFINITY {
            return NoncentralChiSquared { df: self.df1, noncentrality: self.noncentrality }
                .tails(self.df1 * x);
        }
        let side = if x < 1.0 + self.noncentrality / self.df1 { Side::Lower } else { Side::Upper };
        let (a, b) = (0.5 * self.df1, 0.5 * self.df2);
        poisson_mixture(side, self.noncentrality, |j| {
            let kernel = IncompleteBeta::new(a + j, b);
            kernel.tails(kernel.point_of_ratio(a / (a + j) * x))
        })
    }
}

/// A noncentrality that is a sum of squares.
fn sum_of_squares(noncentrality: f64) -> Result<f64> {
    if (0.0..=1e4).contains(&noncentrality) {
        Ok(noncentrality)
    } else {
        Err(Error::invalid(format!("the noncentrality is {noncentrality}; give a number from 0 to 1e4")))
    }
}

/// The tail on `side` of the mixture of `tails(j)`, j a Poisson variable with mean `noncentrality / 2`.
///
/// The terms rise to one peak and fall. Where the peak is wide, every `stride`-th term is enough: the sum over
/// all is `stride` times theirs, but for `exp(-2 pi^2 w)`, `w` the square of the width in strides.
fn poisson_mixture(side: Side, noncentrality: f64, tails: impl Fn(f64) -> Tails) -> Tails {
    // Beyond it the logarithm is below -1e16, and its terms are not told apart.
    const MOST: u64 = 1 << 50;
    let mean = 0.5 * noncentrality;
    let poisson = Poisson::unchecked(mean);
    let mut term = |j: i64| match u64::try_from(j) {
        Ok(j) if j <= MOST => poisson.ln_pmf(j) + tails(j as f64).ln_on(side),
        _ => f64::NEG_INFINITY,
    };
    #[allow(clippy::cast_possible_truncation)]
    let start = mean.floor() as i64;
    let mode = climb(start, 1, &mut term);
    // The square of the width of the peak is at least half of its place.
    #[allow(clippy::cast_possible_truncation)]
    let stride = (0.4 * (0.5 * mode as f64).sqrt()).max(1.0) as i64;
    let sum = sum_around(0, 1, |i| term(mode + stride * i));
    Tails::new(side, sum + (stride as f64).ln())
}
