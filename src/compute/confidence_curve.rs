//! The curves that answer what the evidence says of an effect, and the numbers that they can have.

use super::bayes::{EffectOf, Posterior};
use super::categorical::SimultaneousFamily;
use super::meta_analysis::HenmiCopasReference;
use super::proportion::{CountInterval, StratifiedProportions, TwoProportions};
use super::rank::Separated;
use super::rate::{RateContrastInterval, TwoRates};
use super::resampling::{BootstrapCurve, PValueSteps};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A confidence curve: the one-sided p-value of every hypothetical effect under the method that was chosen.
///
/// Interval, p-value, probability, margin test and detectable effect of a result are read off one curve, so
/// that they cannot contradict each
/// other (Birnbaum 1961, Journal of the American Statistical Association 56:246; Schweder & Hjort 2016,
/// Confidence, Likelihood, Probability).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ConfidenceCurve {
    /// The value in standard errors: normal, or Student's t where there are degrees of freedom.
    Wald,
    /// A method for the counts of two arms: score, exact, mid-p, Newcombe, Agresti-Caffo, ...
    Counts {
        /// The method.
        method: CountInterval,
        /// The counts of the treatment and of the reference.
        counts: TwoProportions,
    },
    /// A method for the counts of two arms in several strata, of the Mantel-Haenszel effect: score or
    /// Newcombe.
    Strata {
        /// The method.
        method: CountInterval,
        /// The counts of the treatment and of the reference in each stratum.
        strata: Arc<StratifiedProportions>,
    },
    /// The exact rank sum test of a net benefit of 1 or -1, where arms do not overlap.
    Separated(Separated),
    /// A method for the events of two arms in their exposures: score, exact, mid-p.
    Rates {
        /// The method.
        method: RateContrastInterval,
        /// The rates of the treatment and of the reference.
        rates: TwoRates,
    },
    /// Wald on the logit of the place within a range, `g(x) = ln((x - lower) / (upper - x))`: limits stay
    /// within the range.
    Logit {
        /// The smallest effect there is.
        lower: f64,
        /// The largest effect there is.
        upper: f64,
        /// The standard error of `g`.
        se: f64,
    },
    /// The larger p-value, and so the wider interval, of the value in its own standard errors with the normal
    /// distribution and in others
    /// with Student's t: Wald's and Hartung-Knapp's of a pool.
    LargerOf {
        /// The other standard error.
        se: f64,
        /// The degrees of freedom beside it.
        df: f64,
    },
    /// The values that Anderson and Rubin's test does not reject, from the effects of assignment on outcome
    /// and take-up with their covariance.
    AndersonRubin {
        /// The effect of assignment on the outcome.
        outcome: f64,
        /// The effect of assignment on take-up.
        take_up: f64,
        /// The variance of the first.
        outcome_variance: f64,
        /// Their covariance.
        covariance: f64,
        /// The variance of the second.
        take_up_variance: f64,
    },
    /// Another curve whose level holds for a family of effects together.
    Simultaneous {
        /// The family.
        family: Arc<SimultaneousFamily>,
        /// The curve of the effect alone.
        alone: Box<ConfidenceCurve>,
    },
    /// A posterior distribution: the probability of an effect of the bound or less, and intervals with equal
    /// tails.
    Posterior {
        /// The effect that it is of.
        of: EffectOf,
        /// The priors with the estimates of all trials.
        posterior: Arc<Posterior>,
    },
    /// The distribution of a bootstrap.
    Bootstrap(Arc<BootstrapCurve>),
    /// The p-values of a wild cluster bootstrap, which jump where a draw becomes as extreme as the sample.
    Steps(Arc<PValueSteps>),
    /// Henmi and Copas's for a common effect that holds under random effects.
    HenmiCopas(HenmiCopasReference),
    /// A method known at its level and at no effect only, such as a profile of a likelihood.
    AtOneLevel {
        /// The two-sided p-value of no effect.
        p_value: f64,
    },
}

impl ConfidenceCurve {
    pub(super) fn check(&self, value: f64, own_se: f64) -> Result<()> {
        let positive = |x: f64| x >= 0.0 && x.is_finite();
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (1e-3 + a.abs());
        let fits = match self {
            Self::Wald | Self::Posterior { .. } => true,
            Self::HenmiCopas(reference) => return reference.check(),
            Self::Steps(steps) => return steps.check(),
            Self::Bootstrap(curve) => {
                curve.check()?;
                near(curve.estimate(), value) && near(curve.se(), own_se)
            }
            Self::Counts { .. } | Self::Rates { .. } => {
                let own = match self {
                    Self::Counts { method, counts } => counts.effect(*method),
                    Self::Rates { method, rates } => rates.effect(*method),
                    _ => None,
                };
                own.is_none_or(|own| near(own.0, value) && near(own.1, own_se))
            }
            Self::Logit { lower, upper, se } => {
                positive(*se) && lower.is_finite() && upper.is_finite() && *lower < value && value < *upper
            }
            Self::Strata { method, strata } => {
                strata.effects(*method).iter().any(|own| near(own.0, value) && near(own.1, own_se))
            }
            Self::Separated(separated) => separated.is_valid() && value == separated.value() && own_se == 0.0,
            Self::LargerOf { se, df } => positive(*se) && *df > 0.0 && df.is_finite(),
            Self::AndersonRubin { outcome, take_up, outcome_variance, covariance, take_up_variance } => {
                positive(*outcome_variance)
                    && positive(*take_up_variance)
                    && outcome.is_finite()
                    && covariance.is_finite()
                    && take_up.is_finite()
                    && *take_up != 0.0
            }
            Self::Simultaneous { family, alone } => {
                family.check()?;
                return alone.check(value, own_se);
            }
            Self::AtOneLevel { p_value } => (0.0..=1.0).contains(p_value),
        };
        if fits {
            return Ok(());
        }
        Err(Error::invalid(format!("a confidence curve around {value} cannot have these numbers: {self:?}")))
    }
}
