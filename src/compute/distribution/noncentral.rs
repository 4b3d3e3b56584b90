use super::{ChiSquared, FisherF, Poisson, Tails, in_domain, in_domain_or_infinite};
use crate::compute::tails::{IncompleteBeta, IncompleteGamma, Side, ln_normal_tail, normal_tails};
use crate::error::{Error, Result};

/// The noncentral t distribution: `(Z + d) / sqrt(V / v)`, `Z` standard normal and `V` chi-square with `v`
/// degrees of freedom, `d` the noncentrality.
///
/// # Formula
///
/// P(T <= t) is the integral of `Phi(t s - d)` over the distribution of `s = sqrt(V / v)`, and P(T > t) that
/// of `Phi(d - t s)`; both integrands are positive, so each tail is accurate in relative terms. The integral
/// over `ln s` is taken by the trapezoidal rule, which converges exponentially.
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
    /// `InvalidInput` unless `df` is at least 0.1 and the noncentrality within -1e4 to 1e4: the integral is
    /// not made for less regular cases.
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
        let side = if t < d { Side::Lower } else { Side::Upper };
        let sign = if side == Side::Lower { 1.0 } else { -1.0 };
        let ln = chi_mixture(self.df, d * d, |s| ln_normal_cdf(sign * (t * s - d)));
        Tails::new(side, ln)
    }
}

fn ln_normal_cdf(x: f64) -> f64 {
    if x < 0.0 { ln_normal_tail(-x) } else { normal_tails(x).ln_on(Side::Lower) }
}

/// Degrees of freedom for which [`chi_mixture`] reaches all of the distribution.
pub(super) fn mixture_df(df: f64) -> Result<f64> {
    if df >= 0.1 {
        Ok(df)
    } else {
        Err(Error::invalid(format!("the degrees of freedom are {df}; give a number from 0.1, or infinity")))
    }
}

/// The logarithm of the mean of `exp(f(s))` over `s = sqrt(V / df)`, `V` chi-square with `df` degrees of
/// freedom.
///
/// `f <= 0`; `curvature` bounds how fast f bends over `ln s` where the product is large.
pub(crate) fn chi_mixture(df: f64, curvature: f64, f: impl Fn(f64) -> f64) -> f64 {
    let a = 0.5 * df;
    let gamma = IncompleteGamma::new(a);
    // The density of u = ln s is twice that of ln(V / 2).
    let ln_density = |u: f64| gamma.ln_density(a * (2.0 * u).exp()) + std::f64::consts::LN_2;
    let ln_value = |u: f64| ln_density(u) + f(u.exp());
    let step = 0.25 / (2.0 * df + curvature + 1.0).sqrt();

    // Outwards from the mode of the density: the largest value bounds what can still count.
    let mut peak = ln_value(0.0);
    let mut sum = 1.0;
    for direction in [step, -step] {
        let mut u = 0.0;
        // Far fewer steps suffice unless the logarithm of the tail is below -1e6.
        for _ in 0..1_000_000 {
            u += direction;
            let density = ln_density(u);
            // Where nothing has counted yet, neither does what lies below the range of exp.
            let floor = if peak == f64::NEG_INFINITY { -800.0 } else { peak - 42.0 };
            if density < floor || !density.is_finite() {
                break;
            }
            let value = density + f(u.exp());
            if value == f64::NEG_INFINITY {
                continue;
            }
            if value > peak {
                sum = sum * (peak - value).exp() + 1.0;
                peak = value;
            } else {
                sum += (value - peak).exp();
            }
        }
    }
    peak + (sum * step).ln()
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
/// The terms rise to one peak and fall: summed from the mode of the Poisson distribution in both directions.
fn poisson_mixture(side: Side, noncentrality: f64, tails: impl Fn(f64) -> Tails) -> Tails {
    let mean = 0.5 * noncentrality;
    let poisson = Poisson::unchecked(mean);
    let ln_term = |j: u64| poisson.ln_pmf(j) + tails(j as f64).ln_on(side);
    // f64 to u64 saturates.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let mode = mean.floor() as u64;
    let start = ln_term(mode);
    let mut peak = start;
    let mut sum = 1.0;
    let mut add = |value: f64, previous: f64| {
        if value > peak {
            sum = sum * (peak - value).exp() + 1.0;
            peak = value;
        } else if value > f64::NEG_INFINITY {
            sum += (value - peak).exp();
        }
        value > previous || value > peak - 42.0
    };
    let mut previous = start;
    for j in mode + 1.. {
        let value = ln_term(j);
        if !add(value, previous) {
            break;
        }
        previous = value;
    }
    previous = start;
    for j in (0..mode).rev() {
        let value = ln_term(j);
        if !add(value, previous) {
            break;
        }
        previous = value;
    }
    Tails::new(side, peak + sum.ln())
}
