//! One answer to the question what the evidence says of an effect: its confidence curve.

use super::bayes::{EffectOf, Posterior};
use super::categorical::SimultaneousFamily;
pub use super::confidence_curve::ConfidenceCurve;
use super::interval::Interval;
use super::proportion::OneSided;
use super::reference_distribution::{ReferenceDistribution, check_level};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What is known of one effect: its value, standard error and [`ConfidenceCurve`], and the interval at its level.
///
/// ```
/// use armwise::prelude::*;
///
/// let outflow = Measure::binary("outflow").higher_is_better();
/// let counts = Comparison::from_counts(
///     "Utrecht",
///     &outflow,
///     [("control", 6, 176), ("guidance", 17, 172)],
/// )?;
/// let effect = counts.estimate(&DifferenceInProportions::new())?.treatment("guidance")?;
/// let lower = effect.interval().lower();
/// assert!((effect.p_above(lower)? - 0.025).abs() < 1e-9);
/// assert!((effect.probability_above(lower)? - 0.975).abs() < 1e-9);
/// assert!(effect.interval_at(0.99)?.lower() < lower);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct Inference {
    value: f64,
    se: f64,
    df: Option<f64>,
    level: f64,
    interval: Interval,
    curve: ConfidenceCurve,
}

/// The p-value is written for readers; it follows from the rest.
#[derive(Serialize, Deserialize)]
struct Wire {
    value: f64,
    se: f64,
    df: Option<f64>,
    level: f64,
    interval: Interval,
    p_value: f64,
    curve: ConfidenceCurve,
}

impl From<Inference> for Wire {
    fn from(inference: Inference) -> Self {
        let p_value = inference.p_value();
        let Inference { value, se, df, level, interval, curve } = inference;
        Self { value, se, df, level, interval, p_value, curve }
    }
}

impl TryFrom<Wire> for Inference {
    type Error = Error;

    fn try_from(wire: Wire) -> Result<Self> {
        let Wire { value, se, df, level, interval, p_value, curve } = wire;
        let mut read = Self { value, se, df, level, interval, curve };
        read.check()?;
        let computed = read.interval_at(level)?;
        let size = value.abs().max(se);
        let near = |a: f64, b: f64| a == b || (a - b).abs() <= 1e-8 * size.max(a.abs());
        let same = near(computed.lower(), interval.lower()) && near(computed.upper(), interval.upper());
        if !same || (read.p_value() - p_value).abs() > 1e-8 {
            return Err(Error::invalid(format!(
                "the interval {} to {} and the p-value {p_value} do not follow from the value {value}, its standard error {se} and its curve; \
                 they were changed after they were computed",
                interval.lower(),
                interval.upper()
            )));
        }
        read.interval = interval;
        Ok(read)
    }
}

impl Inference {
    /// The value plus and minus a quantile of standard errors: Student's t with these degrees of freedom, else normal.
    ///
    /// # Errors
    /// A value or standard error that is not finite, a negative standard error, degrees of freedom that are not above zero, or a level that is
    /// not between 0 and 1.
    pub fn wald(value: f64, se: f64, df: Option<f64>, level: f64) -> Result<Self> {
        Self::new(value, se, df, level, ConfidenceCurve::Wald)
    }

    /// By any curve.
    ///
    /// # Errors
    /// As [`Inference::wald`]; numbers of the curve that it cannot have; a curve known at one level only.
    pub fn new(value: f64, se: f64, df: Option<f64>, level: f64, curve: ConfidenceCurve) -> Result<Self> {
        let mut made = Self { value, se, df, level, interval: Interval::around(0.0, 0.0), curve };
        made.check()?;
        made.interval = made.interval_at(level)?;
        Ok(made)
    }

    /// By a method that is known at one level only.
    ///
    /// # Errors
    /// As [`Inference::wald`]; a p-value that is not between 0 and 1.
    pub fn at_one_level(value: f64, se: f64, level: f64, interval: Interval, p_value: f64) -> Result<Self> {
        let made =
            Self { value, se, df: None, level, interval, curve: ConfidenceCurve::AtOneLevel { p_value } };
        made.check()?;
        Ok(made)
    }

    /// The larger of Wald, normal with `se`, and Hartung-Knapp, Student's t with another standard error. Where the latter's standard error is
    /// not the smaller one its p-value is the larger of every effect, and its curve alone is kept.
    pub(crate) fn larger_of(value: f64, se: f64, other: (f64, f64), level: f64) -> Result<Self> {
        if other.0 >= se {
            return Self::wald(value, other.0, Some(other.1), level);
        }
        Self::new(value, se, None, level, ConfidenceCurve::LargerOf { se: other.0, df: other.1 })
    }

    /// This effect less an independent one: Wald, with Student's t by Welch and Satterthwaite where both have degrees of freedom, and with
    /// those of the other where one has.
    pub(crate) fn minus(&self, other: &Self) -> Result<Self> {
        let variance = self.variance() + other.variance();
        let df = match (self.df, other.df) {
            (Some(a), Some(b)) if variance > 0.0 => {
                let (p, q) = (self.variance() / variance, other.variance() / variance);
                Some(1.0 / (p * p / a + q * q / b))
            }
            (a, b) => a.or(b),
        };
        Self::wald(self.value - other.value, variance.sqrt(), df, self.level)
    }

    /// By a posterior distribution: its median, and its standard deviation; where that does not exist, half of the interval that holds as much
    /// of it as one standard deviation to either side holds of a normal distribution.
    pub(crate) fn posterior(posterior: &Arc<Posterior>, of: EffectOf, level: f64) -> Result<Self> {
        check_level(level)?;
        let distribution = posterior.effect(of)?;
        let spread = || distribution.interval(libm::erf(std::f64::consts::FRAC_1_SQRT_2));
        let se = distribution.sd().map_or_else(|| Ok(0.5 * spread()?.width()), Ok::<f64, Error>)?;
        let curve = ConfidenceCurve::Posterior { of, posterior: Arc::clone(posterior) };
        let interval = distribution.interval(level)?;
        Ok(Self { value: distribution.median(), se, df: None, level, interval, curve })
    }

    fn check(&self) -> Result<()> {
        check_level(self.level)?;
        let numbers = self.value.is_finite() && self.se >= 0.0 && self.se.is_finite();
        if !numbers || self.df.is_some_and(|df| !(df > 0.0 && df.is_finite())) {
            return Err(Error::invalid(format!(
                "an effect needs a finite value, a standard error of zero or more and degrees of freedom above zero; \
                 got value {}, standard error {}, degrees of freedom {:?}",
                self.value, self.se, self.df
            )));
        }
        if let ConfidenceCurve::Posterior { of, posterior } = &self.curve {
            let own = Self::posterior(posterior, *of, self.level)?;
            let apart = (self.value - own.value).abs().max((self.se - own.se).abs());
            if apart > 1e-8 * (own.se + own.value.abs()) {
                return Err(Error::invalid(format!(
                    "the value {} and standard error {} are not those of the posterior distribution, {} and {}",
                    self.value, self.se, own.value, own.se
                )));
            }
        }
        self.curve.check(self.value, self.se)
    }

    /// The value on its scale.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// The standard error on the scale.
    pub fn se(&self) -> f64 {
        self.se
    }

    /// The sampling variance on the scale.
    pub fn variance(&self) -> f64 {
        self.se * self.se
    }

    /// The degrees of freedom of Student's t; `None` where the normal distribution or counts are used.
    pub fn df(&self) -> Option<f64> {
        self.df
    }

    /// The confidence level of the interval.
    pub fn level(&self) -> f64 {
        self.level
    }

    /// The confidence interval at the level of the result.
    pub fn interval(&self) -> Interval {
        self.interval
    }

    /// The curve.
    pub fn curve(&self) -> &ConfidenceCurve {
        &self.curve
    }

    /// Whether the interval is one point but for rounding, which says that the effect is known for certain.
    pub(crate) fn is_point(&self) -> bool {
        // A smaller share of the value is rounding.
        self.interval.width() <= 1e-13 * self.value.abs()
    }

    /// The same curve, its level holding for a family of effects together.
    pub(crate) fn together(self, family: &Arc<SimultaneousFamily>, level: f64) -> Result<Self> {
        let curve = ConfidenceCurve::Simultaneous { family: Arc::clone(family), alone: Box::new(self.curve) };
        Self::new(self.value, self.se, self.df, level, curve)
    }

    /// The two-sided confidence interval at any level.
    ///
    /// # Errors
    /// A level that is not between 0 and 1, or another one than that of the result where the method is known at one level only.
    pub fn interval_at(&self, level: f64) -> Result<Interval> {
        check_level(level)?;
        self.limits(&self.curve, level)
    }

    fn limits(&self, curve: &ConfidenceCurve, level: f64) -> Result<Interval> {
        let reference = ReferenceDistribution::of(self.df)?;
        Ok(match curve {
            ConfidenceCurve::Wald => around(self.value, reference.critical(level)? * self.se)?,
            ConfidenceCurve::Counts { method, counts } => counts.limits(*method, level)?,
            ConfidenceCurve::Strata { method, strata } => strata.limits(*method, level)?,
            ConfidenceCurve::Separated(separated) => separated.limits(level)?,
            ConfidenceCurve::Rates { method, rates } => rates.limits(*method, level)?,
            ConfidenceCurve::Logit { lower, upper, se } => {
                let (centre, half) = (logit(self.value, *lower, *upper), reference.critical(level)? * se);
                // (1 + tanh(x / 2)) / 2 is the inverse of the logit.
                let back = |x: f64| lower + 0.5 * (upper - lower) * (1.0 + libm::tanh(0.5 * x));
                around(centre, half)?.map(back)
            }
            ConfidenceCurve::LargerOf { se, df } => {
                let normal = ReferenceDistribution::Normal.critical(level)? * self.se;
                let other = ReferenceDistribution::of(Some(*df))?.critical(level)? * se;
                around(self.value, normal.max(other))?
            }
            ConfidenceCurve::AndersonRubin {
                outcome,
                take_up,
                outcome_variance,
                covariance,
                take_up_variance,
            } => {
                let t2 = reference.critical(level)?.powi(2);
                // The effects c with (y - c d)^2 <= t^2 Var(Y - c D): a c^2 - 2 b c + e <= 0.
                let a = take_up * take_up - t2 * take_up_variance;
                let b = outcome * take_up - t2 * covariance;
                not_rejected(a, b, outcome * outcome - t2 * outcome_variance)?
            }
            ConfidenceCurve::Simultaneous { family, alone } => {
                self.limits(alone, family.single_level(level)?)?
            }
            ConfidenceCurve::Posterior { of, posterior } => posterior.effect(*of)?.interval(level)?,
            ConfidenceCurve::Bootstrap(curve) => curve.interval(level)?,
            ConfidenceCurve::Steps(steps) => steps.interval(level)?,
            ConfidenceCurve::HenmiCopas(reference) => {
                around(self.value, reference.upper_quantile(0.5 * (1.0 - level)) * self.se)?
            }
            ConfidenceCurve::AtOneLevel { .. } => {
                if level != self.level {
                    return Err(known_at(self.level, "another level"));
                }
                self.interval
            }
        })
    }

    /// The two-sided p-value of no effect, `min(1, 2 min(p_above(0), p_below(0)))`: below `1 - level` exactly where the interval at that level
    /// excludes zero.
    pub fn p_value(&self) -> f64 {
        self.one_sided(&self.curve, 0.0).map_or(1.0, |p| (2.0 * p.above.min(p.below)).min(1.0))
    }

    /// The p-value of the hypothesis that the effect is `bound` or less: small where the evidence lies above the bound.
    ///
    /// # Errors
    /// A bound that is not a number; any other bound than zero where the method is known at one level only.
    pub fn p_above(&self, bound: f64) -> Result<f64> {
        Ok(self.both(bound)?.above)
    }

    /// The p-value of the hypothesis that the effect is `bound` or more: small where the evidence lies below the bound.
    ///
    /// # Errors
    /// As [`Inference::p_above`].
    pub fn p_below(&self, bound: f64) -> Result<f64> {
        Ok(self.both(bound)?.below)
    }

    /// The probability that the true effect is above `bound` by the confidence distribution of the curve, `1 - p_above(bound)`.
    ///
    /// # Errors
    /// As [`Inference::p_above`].
    pub fn probability_above(&self, bound: f64) -> Result<f64> {
        Ok(1.0 - self.p_above(bound)?)
    }

    fn both(&self, bound: f64) -> Result<OneSided> {
        if bound.is_nan() {
            return Err(Error::invalid(
                "the bound is not a number; give an effect on the scale of the estimate",
            ));
        }
        self.one_sided(&self.curve, bound)
    }

    fn one_sided(&self, curve: &ConfidenceCurve, bound: f64) -> Result<OneSided> {
        let reference = ReferenceDistribution::of(self.df)?;
        let by = |reference: ReferenceDistribution, distance: f64, se: f64| {
            let x = deviate(distance, se);
            OneSided { above: reference.sf(x), below: reference.sf(-x) }
        };
        Ok(match curve {
            ConfidenceCurve::Wald => by(reference, self.value - bound, self.se),
            ConfidenceCurve::Counts { method, counts } => counts.one_sided(*method, bound)?,
            ConfidenceCurve::Strata { method, strata } => strata.one_sided(*method, bound)?,
            ConfidenceCurve::Separated(separated) => separated.one_sided(bound),
            ConfidenceCurve::Rates { method, rates } => rates.one_sided(*method, bound)?,
            ConfidenceCurve::Logit { lower, upper, se } => {
                let place = |x: f64| logit(x.clamp(*lower, *upper), *lower, *upper);
                by(reference, place(self.value) - place(bound), *se)
            }
            ConfidenceCurve::LargerOf { se, df } => {
                let distance = self.value - bound;
                let wald = by(ReferenceDistribution::Normal, distance, self.se);
                let other = by(ReferenceDistribution::of(Some(*df))?, distance, *se);
                let larger = wald.above.min(wald.below).max(other.above.min(other.below));
                sided(larger, distance >= 0.0)
            }
            ConfidenceCurve::AndersonRubin {
                outcome,
                take_up,
                outcome_variance,
                covariance,
                take_up_variance,
            } => {
                if bound.is_infinite() {
                    return Ok(by(reference, -bound, 1.0));
                }
                let variance = outcome_variance - 2.0 * bound * covariance + bound * bound * take_up_variance;
                by(reference, take_up.signum() * (outcome - bound * take_up), variance.max(0.0).sqrt())
            }
            ConfidenceCurve::Simultaneous { family, alone } => {
                let OneSided { above, below } = self.one_sided(alone, bound)?;
                let smaller = 0.5 * family.adjusted((2.0 * above.min(below)).min(1.0))?;
                sided(smaller, above <= below)
            }
            ConfidenceCurve::Posterior { of, posterior } => {
                let distribution = posterior.effect(*of)?;
                OneSided { above: distribution.cdf(bound), below: distribution.sf(bound) }
            }
            ConfidenceCurve::Bootstrap(curve) => curve.one_sided(bound),
            ConfidenceCurve::Steps(steps) => sided(0.5 * steps.p_value(bound), self.value >= bound),
            ConfidenceCurve::HenmiCopas(reference) => {
                let distance = deviate(self.value - bound, self.se);
                sided(reference.sf(distance.abs()), distance >= 0.0)
            }
            ConfidenceCurve::AtOneLevel { p_value } => {
                let tail = 0.5 * (1.0 - self.level);
                if bound == self.interval.lower() {
                    sided(tail, true)
                } else if bound == self.interval.upper() {
                    sided(tail, false)
                } else if bound == 0.0 {
                    sided(0.5 * p_value, self.value >= 0.0)
                } else {
                    return Err(known_at(self.level, "an effect other than zero"));
                }
            }
        })
    }

    /// The statistic of no effect: value over standard error, and for other curves the deviate of the reference distribution that has the
    /// one-sided p-value.
    pub fn statistic(&self) -> f64 {
        let Ok(reference) = ReferenceDistribution::of(self.df) else { return 0.0 };
        if self.curve == ConfidenceCurve::Wald {
            return deviate(self.value, self.se);
        }
        self.one_sided(&self.curve, 0.0).map_or(0.0, |p| {
            let size = reference.upper_quantile(p.above.min(p.below).min(0.5));
            if p.above <= p.below { size } else { -size }
        })
    }

    /// The effect that this design detects with the given power in a two-sided test at `alpha`, in units of the scale.
    ///
    /// # Formula
    /// `(c + z(power)) se`, with `c` the quantile of the interval at level `1 - alpha` (Bloom 1995, Evaluation Review 19:547). Student's t has
    /// the noncentrality instead at which the statistic exceeds `c` with that power; of the larger of two curves it is the larger effect.
    /// Score, exact and profile methods take the standard error of the estimate and the normal distribution.
    ///
    /// # Errors
    /// `alpha` or `power` is not between 0 and 1; a posterior distribution, which has no power.
    #[doc(alias("power", "mde"))]
    pub fn minimal_detectable_effect(&self, alpha: f64, power: f64) -> Result<f64> {
        let inside = |p: f64| p > 0.0 && p < 1.0;
        if !(inside(alpha) && inside(power)) {
            return Err(Error::invalid(format!(
                "alpha is {alpha} and the power {power}; give both between 0 and 1, such as 0.05 and 0.8"
            )));
        }
        let level = match &self.curve {
            ConfidenceCurve::Simultaneous { family, .. } => family.single_level(1.0 - alpha)?,
            _ => 1.0 - alpha,
        };
        let by = |reference: ReferenceDistribution, se: f64| -> Result<f64> {
            Ok(reference.detectable(reference.critical(level)?, power)? * se)
        };
        let own = by(ReferenceDistribution::of(self.df)?, self.se)?;
        match &self.curve {
            ConfidenceCurve::LargerOf { se, df } => {
                Ok(own.max(by(ReferenceDistribution::of(Some(*df))?, *se)?))
            }
            ConfidenceCurve::HenmiCopas(reference) => {
                let critical = reference.upper_quantile(0.5 * alpha);
                Ok(ReferenceDistribution::Normal.detectable(critical, power)? * self.se)
            }
            ConfidenceCurve::Posterior { .. } => {
                let why = "a posterior distribution has no power; ask for the probability that the effect is above a bound";
                Err(ErrorKind::NotEstimable(why.to_owned()).into())
            }
            _ => Ok(own),
        }
    }
}

/// One-sided p-values that add up to one, the smaller one given, by the side of the bound on which the evidence lies.
fn sided(smaller: f64, evidence_above: bool) -> OneSided {
    if evidence_above {
        OneSided { above: smaller, below: 1.0 - smaller }
    } else {
        OneSided { above: 1.0 - smaller, below: smaller }
    }
}

/// A distance in standard errors; 0 where both are zero.
fn deviate(distance: f64, se: f64) -> f64 {
    if distance == 0.0 || distance.is_nan() { 0.0 } else { distance / se }
}

fn logit(x: f64, lower: f64, upper: f64) -> f64 {
    libm::log((x - lower) / (upper - x))
}

fn around(centre: f64, half: f64) -> Result<Interval> {
    Interval::new(centre - half, centre + half)
}

fn known_at(level: f64, what: &str) -> Error {
    let why = format!(
        "this method is known at a level of {level} and for no effect only, not for {what}; estimate again with that level, or by a method \
         with a whole curve (a Wald or score interval)"
    );
    ErrorKind::NotEstimable(why).into()
}

/// The smallest interval that holds every `c` with `a c^2 - 2 b c + e <= 0`, which holds for some `c`.
///
/// # Errors
/// A coefficient that is not a number.
pub fn not_rejected(a: f64, b: f64, e: f64) -> Result<Interval> {
    if a > 0.0 {
        // The root of larger size first, the other from their product: no digits cancel.
        let root = (b * b - a * e).max(0.0).sqrt();
        let larger = b + root.copysign(b);
        let (one, other) = if larger == 0.0 { (root / a, -root / a) } else { (larger / a, e / larger) };
        return Ok(Interval::between(one, other));
    }
    if a == 0.0 && b != 0.0 {
        let limit = 0.5 * e / b;
        return if b > 0.0 {
            Interval::new(limit, f64::INFINITY)
        } else {
            Interval::new(f64::NEG_INFINITY, limit)
        };
    }
    Interval::new(f64::NEG_INFINITY, f64::INFINITY)
}
