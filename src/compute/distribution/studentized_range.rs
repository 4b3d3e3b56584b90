use super::noncentral::{chi_mixture, ln_normal_cdf, mixture_df, mixture_step, sum_around};
use super::{FisherF, StudentT, Tails, quantile_at_ends};
use crate::compute::roots::root;
use crate::compute::tails::{LN_SQRT_2PI, Side};
use crate::error::{Error, Result, counted};
use std::collections::HashMap;
use std::f64::consts::SQRT_2;

/// The studentised range distribution: the range of k independent standard normal variables over the square
/// root of an independent mean square with `v` degrees of freedom (Tukey's honest significant difference).
///
/// # Formula
///
/// The range of k normal variables is at most w with probability `k` times the integral of
/// `phi(z) [Phi(z) - Phi(z - w)]^(k - 1)` over z; the cdf at q is the mean of that at `w = q s` over the
/// distribution of `s = sqrt(V / v)`, `V` chi-square with `v` degrees of freedom. Both integrals are taken by
/// the trapezoidal rule, which converges exponentially here; the sf has its own positive integrand.
///
/// ```
/// use armwise::distribution::StudentizedRange;
///
/// let range = StudentizedRange::new(3, 12.0)?;
/// assert!((range.quantile(0.95) - 3.7729).abs() < 1e-4);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Copenhaver & Holland (1988), Computation of the distribution of the maximum studentized range statistic,
/// Journal of Statistical Computation and Simulation 30, 1-15 (the integrals, not their quadrature).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StudentizedRange {
    n_means: u64,
    df: f64,
}

impl StudentizedRange {
    /// With the number of means compared and the degrees of freedom of the mean square (may be infinite).
    ///
    /// # Errors
    ///
    /// `InvalidInput` for fewer than two means, for more than 100, or unless `df` is from 0.1 to 1e16 or
    /// infinite.
    pub fn new(n_means: u64, df: f64) -> Result<Self> {
        if !(2..=100).contains(&n_means) {
            return Err(Error::invalid(format!(
                "a range of {means}; give 2 to 100 means",
                means = counted(n_means, "mean")
            )));
        }
        Ok(Self { n_means, df: mixture_df(df)? })
    }

    tail_methods!(f64);

    /// The q with P(Q <= q) = p, for 0 <= p <= 1; NaN for any other p.
    pub fn quantile(&self, p: f64) -> f64 {
        self.quantile_on(Side::Lower, p)
    }

    /// The q with P(Q > q) = p, for 0 <= p <= 1; NaN for any other p.
    pub fn upper_quantile(&self, p: f64) -> f64 {
        self.quantile_on(Side::Upper, p)
    }

    fn tails(self, q: f64) -> Tails {
        if q.is_nan() {
            return Tails::NAN;
        }
        if q <= 0.0 {
            return Tails::BELOW_SUPPORT;
        }
        if q == f64::INFINITY {
            return Tails::ABOVE_SUPPORT;
        }
        let side = if ln_range(self.n_means, Side::Lower, q) < -0.7 { Side::Lower } else { Side::Upper };
        Tails::new(side, self.ln_tail(side, q.ln(), &mut HashMap::new()))
    }

    /// The logarithm of a tail. The integral over s takes its values at the same widths whatever q is, so that
    /// many q share what is `known` of the range of normal variables.
    fn ln_tail(self, side: Side, ln_q: f64, known: &mut HashMap<i64, f64>) -> f64 {
        if self.df == f64::INFINITY {
            return ln_range(self.n_means, side, ln_q.exp());
        }
        let step = mixture_step(self.df, 4.0 + 2.0 * self.n_means as f64);
        if self.df > 1e6 {
            // Steps from far away would lose the digits of s.
            return chi_mixture(self.df, step, 0.0, |s| ln_range(self.n_means, side, ln_q.exp() * s));
        }
        chi_mixture(self.df, step, -ln_q, |s| {
            #[allow(clippy::cast_possible_truncation, reason = "zero has the smallest of all keys")]
            let key = ((ln_q + s.ln()) / step).round() as i64;
            *known.entry(key).or_insert_with(|| ln_range(self.n_means, side, (step * key as f64).exp()))
        })
    }

    fn quantile_on(self, side: Side, p: f64) -> f64 {
        if let Some(end) = quantile_at_ends(side, p, 0.0, f64::INFINITY) {
            return end;
        }
        let (upper, lower) = if side == Side::Upper { (p, 1.0 - p) } else { (1.0 - p, p) };
        let t = StudentT { df: self.df };
        if self.n_means == 2 && lower < 1e-9 {
            // The square of so small a quantile may be no number; the density of t is that at 0 all the way.
            return SQRT_2 * lower / (2.0 * t.pdf(0.0));
        }
        if self.n_means == 2 {
            return SQRT_2 * FisherF { df1: 1.0, df2: self.df }.quantile_on(side, p).sqrt();
        }
        // The range exceeds q only if one of the k (k - 1) / 2 differences does.
        let k = self.n_means as f64;
        let most = SQRT_2 * t.upper_quantile(upper / (k * (k - 1.0)));
        let (side, p) = if upper <= 0.5 { (Side::Upper, upper) } else { (Side::Lower, lower) };
        // Powers of q become lines.
        let mut known = HashMap::new();
        let mut miss = |ln_q: f64| self.ln_tail(side, ln_q, &mut known) - p.ln();
        let above = most.ln().min(709.75);
        if above > 709.0 && (miss(above) > 0.0) == (side == Side::Upper) {
            return f64::INFINITY;
        }
        let (mut below, mut step) = (above - 0.25, 0.25);
        while (miss(below) > 0.0) == (side == Side::Lower) && step < 1e3 {
            step *= 2.0;
            below -= step;
        }
        root(miss, below, above).exp()
    }
}

/// The logarithm of a tail of the range of k standard normal variables, by the trapezoidal rule.
fn ln_range(k: u64, side: Side, w: f64) -> f64 {
    // Near equal values of k variables the integrand narrows as 1 / sqrt(k).
    let step = 0.7 / (k as f64).sqrt();
    let others = k as f64 - 1.0;
    let value = |i: i64| {
        let z = step * i as f64;
        let ln_below = ln_normal_cdf(z);
        let ln_density = -0.5 * z * z - LN_SQRT_2PI + others * ln_below;
        if w < NARROW {
            // The probability between z - w and z, by its value in the middle and its second derivative there.
            let middle = z - 0.5 * w;
            let between = (w * w / 24.0 * (middle * middle - 1.0)).ln_1p() - 0.5 * middle * middle;
            let ln_inside = others * (w.ln() - LN_SQRT_2PI + between - ln_below);
            return ln_density + if side == Side::Lower { ln_inside } else { (-ln_inside.exp()).ln_1p() };
        }
        let ln_ratio = ln_normal_cdf(z - w) - ln_below;
        let ln_inside = others * (-ln_ratio.exp()).ln_1p();
        ln_density
            + match side {
                Side::Lower => ln_inside,
                // The logarithm of `1 - (1 - ratio)^others`.
                Side::Upper if ln_ratio < -40.0 => others.ln() + ln_ratio,
                Side::Upper => (-ln_inside.exp_m1()).ln(),
            }
    };
    // The upper tail has its mass around equal and opposite extremes.
    let centre = if side == Side::Lower { 0.0 } else { 0.5 * w.min(1e9) };
    #[allow(clippy::cast_possible_truncation)]
    let start = (centre / step) as i64;
    sum_around(start, 4, value) + step.ln() + (k as f64).ln()
}

/// Widths below this take the expansion about the middle; beside it a difference loses fewer digits.
const NARROW: f64 = 3e-4;
