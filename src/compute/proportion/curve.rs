//! The confidence curve of an effect of two proportions: every interval method read the other way round.

use super::discrete::Hypergeometric;
use super::{Critical, DifferenceInterval, OddsRatioInterval, RatioInterval, TwoProportions};
use crate::compute::distribution::Normal;
use crate::compute::interval::Interval;
use crate::compute::roots::root;
use crate::error::Result;

/// An interval method for an effect of two proportions: on the scale of the difference, or of the logarithm
/// of a ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CountInterval {
    /// Of a difference in proportions.
    Difference(DifferenceInterval),
    /// Of the logarithm of a ratio of proportions.
    Ratio(RatioInterval),
    /// Of the logarithm of an odds ratio.
    OddsRatio(OddsRatioInterval),
}

/// Both one-sided p-values of one hypothetical effect.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct OneSided {
    /// Of the hypothesis that the effect is the bound or less.
    pub(crate) above: f64,
    /// Of the hypothesis that the effect is the bound or more.
    pub(crate) below: f64,
}

impl OneSided {
    /// Those of a signed deviate, positive where the evidence lies above the bound.
    pub(crate) fn of_deviate(z: f64) -> Self {
        Self { above: Normal.sf(z), below: Normal.sf(-z) }
    }
}

impl TwoProportions {
    /// The limits at a level, on the scale of the method.
    pub(crate) fn limits(&self, method: CountInterval, level: f64) -> Result<Interval> {
        self.limits_at(method, Critical::new(level)?)
    }

    /// The crude effect and its standard error on the scale of the method; `None` where it is infinite or
    /// undefined.
    pub(crate) fn effect(&self, method: CountInterval) -> Option<(f64, f64)> {
        match method {
            CountInterval::Difference(_) => Some((self.difference().estimate, self.difference().se)),
            CountInterval::Ratio(_) => {
                self.ratio().ok().and_then(|ratio| ratio.log_estimate.zip(ratio.se_log))
            }
            CountInterval::OddsRatio(_) => {
                self.odds_ratio().ok().and_then(|odds| odds.log_estimate.zip(odds.se_log))
            }
        }
    }

    fn limits_at(&self, method: CountInterval, critical: Critical) -> Result<Interval> {
        Ok(match method {
            CountInterval::Difference(method) => self.difference_between(method, critical),
            CountInterval::Ratio(method) => self.ratio_between(method, critical)?.map(libm::log),
            CountInterval::OddsRatio(method) => self.odds_ratio_between(method, critical)?.map(libm::log),
        })
    }

    /// The one-sided p-values of an effect `bound`.
    ///
    /// The limits of a method are functions of the normal deviate `z` of its level, so the p-value of a bound
    /// is that of the `z` at which a limit reaches the bound. Exact methods sum the tails of the conditional
    /// distribution instead.
    pub(crate) fn one_sided(&self, method: CountInterval, bound: f64) -> Result<OneSided> {
        let weight = match method {
            CountInterval::OddsRatio(OddsRatioInterval::ExactConditional) => 1.0,
            CountInterval::OddsRatio(OddsRatioInterval::MidP) => 0.5,
            _ => {
                return Ok(OneSided::of_deviate(deviate(
                    |critical| self.limits_at(method, critical),
                    bound,
                )?));
            }
        };
        let tails = Hypergeometric::new(self.cells()).tails(bound.clamp(-600.0, 600.0).exp());
        Ok(OneSided {
            above: (tails.above + weight * tails.at).min(1.0),
            below: (tails.below + weight * tails.at).min(1.0),
        })
    }
}

/// The `z` at which a limit reaches `bound`: positive for the lower limit, negative for the upper one, 0
/// where the bound lies between the limits at every level (a correction for continuity), infinite where no
/// level reaches it.
pub(super) fn deviate(limits: impl Fn(Critical) -> Result<Interval>, bound: f64) -> Result<f64> {
    let limits = |z: f64| limits(Critical { z, tail: Normal.sf(z) });
    let innermost = limits(NEAREST)?;
    let (sign, outermost) = if bound < innermost.lower() {
        (1.0, limits(FARTHEST)?.lower() - bound)
    } else if bound > innermost.upper() {
        (-1.0, bound - limits(FARTHEST)?.upper())
    } else {
        return Ok(0.0);
    };
    if outermost >= 0.0 {
        return Ok(sign * f64::INFINITY);
    }
    // A finite distance keeps the sign where a limit is infinite.
    let distance = |z: f64| {
        let limits = limits(z).unwrap_or(innermost);
        let limit = if sign > 0.0 { limits.lower() - bound } else { bound - limits.upper() };
        limit.clamp(-f64::MAX, f64::MAX)
    };
    Ok(sign * root(distance, NEAREST, FARTHEST))
}

/// The deviates between which limits are looked for: at the first both limits coincide but for a correction
/// for continuity, the second has a p-value of 1e-300.
const NEAREST: f64 = 1e-9;
const FARTHEST: f64 = 37.0;
