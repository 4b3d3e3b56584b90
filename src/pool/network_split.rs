//! Node splitting: what trials with both arms say of a comparison, and what the others say.

use super::network::{arms_of, network_data};
use crate::compute::distribution::Normal;
use crate::compute::interval::Interval;
use crate::compute::meta_analysis::{CoefficientTest, Estimated, MultivariateModel};
use crate::design::Label;
use crate::effect::{Estimates, Scale};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Direct against indirect evidence of one comparison. The two rest on different trials, so they are independent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeSplit {
    /// The arm.
    pub arm: Label,
    /// The arm it is compared with.
    pub other: Label,
    /// From the trials that had both arms.
    pub direct: Estimated,
    /// From the trials that did not have both.
    pub indirect: Estimated,
    /// Direct minus indirect.
    pub difference: Estimated,
    /// The normal interval of the difference.
    pub interval: Interval,
    /// Two-sided, standard normal.
    pub p_value: f64,
}

/// Every comparison that some trials make directly, and that the other trials connect.
pub(super) fn splits<S: Scale>(
    arms: &[Label],
    trials: &[&Estimates<S>],
    tau2: f64,
    level: f64,
) -> Result<Vec<NodeSplit>> {
    let mut splits = Vec::new();
    for (j, other) in arms.iter().enumerate() {
        for arm in &arms[j + 1..] {
            let has = |trial: &Estimates<S>, arm: &Label| arms_of(trial).any(|own| own == arm);
            let (both, others): (Vec<&Estimates<S>>, Vec<&Estimates<S>>) =
                trials.iter().copied().partition(|trial| has(trial, arm) && has(trial, other));
            if both.is_empty() {
                continue;
            }
            let Some(indirect) = evidence(&others, arm, other, tau2)? else { continue };
            let Some(direct) = evidence(&both, arm, other, tau2)? else { continue };
            let difference =
                Estimated { estimate: direct.estimate - indirect.estimate, se: direct.se.hypot(indirect.se) };
            let half = Normal.upper_quantile(0.5 * (1.0 - level)) * difference.se;
            splits.push(NodeSplit {
                arm: arm.clone(),
                other: other.clone(),
                direct,
                indirect,
                difference,
                interval: Interval::around(difference.estimate, half),
                p_value: 2.0 * Normal.sf((difference.estimate / difference.se).abs()),
            });
        }
    }
    Ok(splits)
}

/// The comparison of two arms from these trials at a given `tau2`; `None` where they do not connect the arms.
fn evidence<S: Scale>(
    trials: &[&Estimates<S>],
    arm: &Label,
    other: &Label,
    tau2: f64,
) -> Result<Option<Estimated>> {
    let arms = connected(trials, other);
    let Some(place) = arms.iter().position(|own| own == arm) else { return Ok(None) };
    let trials: Vec<&Estimates<S>> =
        trials.iter().copied().filter(|trial| arms.contains(trial.reference())).collect();
    let model = MultivariateModel::common_effect().test(CoefficientTest::Normal);
    let pool = network_data(&arms, &trials, tau2)?.pool(other, &model)?;
    Ok(Some(Estimated { estimate: pool.differences[[place, 0]], se: pool.se[[place, 0]] }))
}

/// The arms that chains of trials connect with one arm, which stands first.
pub(super) fn connected<S: Scale>(trials: &[&Estimates<S>], from: &Label) -> Vec<Label> {
    let mut arms = vec![from.clone()];
    loop {
        let reached = arms.len();
        for trial in trials {
            if arms_of(trial).any(|own| arms.contains(own)) {
                let new: Vec<Label> = arms_of(trial).filter(|own| !arms.contains(own)).cloned().collect();
                arms.extend(new);
            }
        }
        if arms.len() == reached {
            break;
        }
    }
    arms
}
