//! The posterior of two proportions.

use crate::compute::distribution::Beta;
use crate::compute::interval::Interval;
use crate::compute::proportion::{Proportion, TwoProportions};
use crate::compute::reference_distribution::check_level;
use crate::compute::roots::root;
use crate::error::{Error, Result, counted, number};
use serde::{Deserialize, Serialize};

/// A Beta prior of a proportion: as if `a` events and `b` others had been seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BetaPrior {
    /// Events.
    pub a: f64,
    /// Others.
    pub b: f64,
}

impl Default for BetaPrior {
    /// The uniform prior, 1 and 1.
    fn default() -> Self {
        Self { a: 1.0, b: 1.0 }
    }
}

/// The posterior of the proportions of two arms with independent Beta priors, and of their difference.
///
/// # Formula
///
/// The proportion of an arm with `x` events of `n` is Beta(a + x, b + n - x). Of the difference
///
/// ```text
/// P(p1 - p0 > d) = integral of f1(p) F0(p - d) dp
/// ```
///
/// with the density `f1` of the treatment and the distribution function `F0` of the control arm, by double
/// exponential quadrature over the logit of p. Its interval is equal-tailed.
///
/// # Errors
/// Of [`BetaBinomial::new`]: a prior whose numbers are not from 1e-4 to 1e12.
///
/// # Examples
/// Two arms without anybody: both proportions are uniform.
/// ```
/// use armwise::bayes::{BetaBinomial, BetaPrior};
///
/// let none = BetaBinomial::new([0, 0], [0, 0], BetaPrior::default())?;
/// assert!((none.probability_above(0.0) - 0.5).abs() < 1e-12);
/// let trial = BetaBinomial::new([212, 930], [155, 925], BetaPrior::default())?;
/// assert!(trial.probability_above(0.0) > 0.999 && trial.interval(0.95)?.lower() > 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Altham (1969), Journal of the Royal Statistical Society B 31:261. Takahasi & Mori (1974), Publications of the Research
/// Institute for Mathematical Sciences 9:721 (the quadrature).
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct BetaBinomial {
    /// The posterior of the proportion of the treatment.
    pub treatment: Beta,
    /// That of the control arm.
    pub control: Beta,
}

/// Nodes of the double exponential rule on either side of the middle of a part, and the step between them.
const NODES: i32 = 56;
const STEP: f64 = 1.0 / 16.0;

/// What is beyond these quantiles changes no digit.
const TAIL: f64 = 1e-18;

impl BetaBinomial {
    /// From events and people of both arms, with the same prior.
    ///
    /// # Errors
    /// See [`BetaBinomial`], and for more events than people.
    pub fn new(treatment: [u64; 2], control: [u64; 2], prior: BetaPrior) -> Result<Self> {
        let BetaPrior { a, b } = prior;
        if let Some(bad) = [a, b].into_iter().find(|x| !(1e-4..=1e12).contains(x)) {
            return Err(Error::invalid(format!(
                "a number of the prior is {}; give numbers from 1e-4 to 1e12",
                number(bad)
            )));
        }
        let posterior = |[events, n]: [u64; 2]| {
            let others = n.checked_sub(events).filter(|_| n <= 1 << 52).ok_or_else(|| {
                Error::invalid(format!(
                    "{} of {}; give at most as many events as people, and at most 2^52 people",
                    counted(events, "event"),
                    counted(n, "person")
                ))
            })?;
            Beta::new(a + events as f64, b + others as f64)
        };
        Ok(Self { treatment: posterior(treatment)?, control: posterior(control)? })
    }

    /// From two proportions, with the uniform prior.
    ///
    /// # Errors
    /// As [`BetaBinomial::new`].
    pub fn of(proportions: &TwoProportions) -> Result<Self> {
        let counts = |one: Proportion| [one.events(), one.n()];
        Self::new(counts(proportions.treatment), counts(proportions.control), BetaPrior::default())
    }

    /// The mean of the difference.
    pub fn mean(&self) -> f64 {
        mean(self.treatment) - mean(self.control)
    }

    /// The standard deviation of the difference.
    pub fn sd(&self) -> f64 {
        let variance = |of: Beta| {
            let sum = of.a() + of.b();
            of.a() / sum * (of.b() / sum) / (sum + 1.0)
        };
        (variance(self.treatment) + variance(self.control)).sqrt()
    }

    /// The probability that the difference is above a value.
    pub fn probability_above(&self, difference: f64) -> f64 {
        if difference <= -1.0 {
            return 1.0;
        }
        if difference >= 1.0 || difference.is_nan() {
            return 0.0;
        }
        // Above d where p1 > p0 + d: the rest of the mass of p1 above 1 + d counts whole.
        let (low, high) = (difference.max(0.0), (1.0 + difference).min(1.0));
        let beyond = if high < 1.0 { self.treatment.sf(high) } else { 0.0 };
        let within = self.integral(low, high, |p| self.control.cdf(p - difference));
        (within + beyond).clamp(0.0, 1.0)
    }

    /// The equal-tailed interval of the difference.
    ///
    /// # Errors
    /// A level that is not between 0 and 1.
    pub fn interval(&self, level: f64) -> Result<Interval> {
        check_level(level)?;
        let tail = 0.5 * (1.0 - level);
        let quantile = |above: f64| root(|d| above - self.probability_above(d), -1.0, 1.0);
        let (lower, upper) = (quantile(1.0 - tail), quantile(tail));
        Interval::new(lower.min(upper), upper)
    }

    /// The integral of the density of the treatment times `weight` from `low` to `high`, over the logit.
    fn integral(&self, low: f64, high: f64, weight: impl Fn(f64) -> f64) -> f64 {
        let logit = |p: f64| p.ln() - (-p).ln_1p();
        let (first, last) = (self.treatment.quantile(TAIL), self.treatment.upper_quantile(TAIL));
        let least = logit(first.max(low).max(f64::MIN_POSITIVE));
        // From above, so that a proportion next to 1 keeps its digits.
        let most = logit(last.min(high).min(1.0 - f64::EPSILON / 2.0));
        if least >= most {
            return 0.0;
        }
        // Two parts about the mode, so that the double exponential rule is dense there and at the borders, where the
        // distribution function may rise like a root.
        let centre = logit(mean(self.treatment)).clamp(least, most);
        let part = |from: f64, to: f64| -> f64 {
            let half = 0.5 * (to - from);
            let at = |k: i32| -> f64 {
                let s = f64::from(k) * STEP;
                let inner = std::f64::consts::FRAC_PI_2 * s.sinh();
                let share = std::f64::consts::FRAC_PI_2 * s.cosh() / inner.cosh().powi(2);
                // From the nearer border, so that the distance to it keeps its digits.
                let beside = half * (-inner.abs()).exp() / inner.cosh();
                let t = if k < 0 { from + beside } else { to - beside };
                let p = 1.0 / (1.0 + (-t).exp());
                let jacobian = p * (1.0 / (1.0 + t.exp()));
                share * self.treatment.ln_pdf(p).exp() * jacobian * weight(p)
            };
            (-NODES..=NODES).map(at).sum::<f64>() * STEP * half
        };
        part(least, centre) + part(centre, most)
    }
}

fn mean(of: Beta) -> f64 {
    of.a() / (of.a() + of.b())
}
