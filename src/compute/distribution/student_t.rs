use super::{Tails, in_domain_or_infinite, quantile_at_ends};
use crate::compute::tails::{
    FAR, IncompleteBeta, LN_SQRT_2PI, Side, excess_over_log, ln_beta, normal_quantile, normal_tails,
    stirling_error,
};
use crate::error::Result;
use std::f64::consts::{LN_2, PI};

/// Student's t distribution.
///
/// # Formula
///
/// With `v` degrees of freedom, the density is `(1 + x^2 / v)^(-(v + 1) / 2) / (sqrt(v) B(v / 2, 1 / 2))`,
/// and for x > 0 the sf is `I_w(v / 2, 1 / 2) / 2` with `w = v / (v + x^2)`, where `I` is the regularised
/// incomplete beta function and `B` the beta function. Infinite `v` is the standard normal distribution.
///
/// ```
/// use armwise::distribution::StudentT;
///
/// let t = StudentT::new(10.0)?;
/// assert!((t.upper_quantile(0.025) - 2.228138851986274).abs() < 1e-14);
/// assert!((t.cdf(-2.228138851986274) - 0.025).abs() < 1e-15);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Loader (2000), Fast and accurate computation of binomial probabilities. Didonato & Morris (1992),
/// Algorithm 708, ACM Transactions on Mathematical Software 18, 360-373.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StudentT {
    pub(super) df: f64,
}

impl StudentT {
    /// With `df` degrees of freedom, not necessarily whole; infinite for the standard normal distribution.
    ///
    /// # Errors
    ///
    /// `InvalidInput` unless `df` is from 1e-4 to 1e16, or infinite.
    pub fn new(df: f64) -> Result<Self> {
        Ok(Self { df: in_domain_or_infinite("the number of degrees of freedom", df)? })
    }

    /// The degrees of freedom.
    pub fn df(&self) -> f64 {
        self.df
    }

    continuous_methods!();

    /// The natural logarithm of the density.
    pub fn ln_pdf(&self, x: f64) -> f64 {
        if self.df == f64::INFINITY {
            return super::Normal.ln_pdf(x);
        }
        let a = 0.5 * self.df;
        let square = x * x / self.df;
        let ln_base = if square < 1e200 { square.ln_1p() } else { 2.0 * x.abs().ln() - self.df.ln() };
        let constant =
            stirling_error(a + 0.5) - stirling_error(a) - a * excess_over_log(0.5 / a) - LN_SQRT_2PI;
        constant - (a + 0.5) * ln_base
    }

    pub(super) fn tails(self, x: f64) -> Tails {
        if self.df == f64::INFINITY {
            return normal_tails(x);
        }
        if x.is_nan() {
            return Tails::NAN;
        }
        let ln = self.ln_tail(x.abs());
        Tails::new(if x < 0.0 { Side::Lower } else { Side::Upper }, ln)
    }

    /// `ln P(T > x)` for `x >= 0`.
    fn ln_tail(self, x: f64) -> f64 {
        let (v, a) = (self.df, 0.5 * self.df);
        if x == 0.0 {
            return -LN_2;
        }
        if x == f64::INFINITY {
            return f64::NEG_INFINITY;
        }
        if x > 1e70 * v.sqrt().max(1.0) {
            // The first term of the series at infinity: the next is smaller by v / x^2.
            return a * (v.ln() - 2.0 * x.ln()) - a.ln() - ln_beta(a, 0.5) - LN_2;
        }
        let kernel = IncompleteBeta::new(0.5, a);
        let f = x * x;
        if f < f64::MIN_POSITIVE {
            return -LN_2;
        }
        kernel.tails(kernel.point_of_ratio(f)).ln_on(Side::Upper) - LN_2
    }

    fn quantile_on(self, side: Side, p: f64) -> f64 {
        if let Some(end) = quantile_at_ends(side, p, f64::NEG_INFINITY, f64::INFINITY) {
            return end;
        }
        let upper = if p <= 0.5 { p } else { 1.0 - p };
        let x = if upper == 0.5 { 0.0 } else { self.upper(upper) };
        if (p <= 0.5) == (side == Side::Upper) { x } else { 0.0 - x }
    }

    /// The x > 0 with `P(T > x) = p`, `0 < p < 1/2`.
    fn upper(self, p: f64) -> f64 {
        let v = self.df;
        if v == f64::INFINITY {
            return -normal_quantile(p);
        }
        if v == 1.0 {
            return 1.0 / (PI * p).tan();
        }
        if v == 2.0 {
            return (1.0 - 2.0 * p) / (2.0 * p * (1.0 - p)).sqrt();
        }
        let kernel = IncompleteBeta::new(0.5, 0.5 * v);
        let far = kernel.power_start(Side::Upper, (2.0 * p).ln());
        if far > FAR {
            // The first term of the series at infinity, which the range of exp does not hold as a logit.
            return (0.5 * (v.ln() + far)).exp();
        }
        let (side, both) = if p <= 0.25 { (Side::Upper, 2.0 * p) } else { (Side::Lower, 1.0 - 2.0 * p) };
        let start = self.cornish_fisher(p).unwrap_or_else(|| kernel.power_start(side, both.ln()));
        let logit = kernel.logit_quantile(side, both, Some(start));
        (0.5 * (v.ln() + logit)).exp()
    }

    /// `ln(x^2 / df)` by the expansion of Abramowitz & Stegun 26.7.5 in 1 / df, where it is good.
    fn cornish_fisher(self, p: f64) -> Option<f64> {
        let z = -normal_quantile(p);
        let (s, v) = (z * z, self.df);
        if s + 1.0 > 1.5 * v {
            return None;
        }
        let g1 = (s + 1.0) / 4.0;
        let g2 = ((5.0 * s + 16.0) * s + 3.0) / 96.0;
        let g3 = (((3.0 * s + 19.0) * s + 17.0) * s - 15.0) / 384.0;
        let factor = 1.0 + (g1 + (g2 + g3 / v) / v) / v;
        Some(2.0 * (z * factor).ln() - v.ln())
    }
}
