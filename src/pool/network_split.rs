//! Node splitting: what trials with both arms say of a comparison, and what the others say.

use super::network::{arms_of, df, network_data};
use super::pooled::check_pooled;
use crate::compute::curve::Inference;
use crate::compute::meta_analysis::{CoefficientTest, MultivariateModel, NetworkPool};
use crate::design::Label;
use crate::effect::{Estimates, Scale};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Direct against indirect evidence of one comparison. The two rest on different trials, so they are
/// independent. All three effects have the reference distribution of the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeSplit {
    /// The arm.
    pub arm: Label,
    /// The arm it is compared with.
    pub other: Label,
    /// From the trials that had both arms.
    pub direct: Inference,
    /// From the trials that did not have both.
    pub indirect: Inference,
    /// Direct minus indirect.
    pub difference: Inference,
}

impl NodeSplit {
    fn new(arm: &Label, other: &Label, direct: Inference, indirect: Inference) -> Result<Self> {
        let (value, se) = (direct.value() - indirect.value(), direct.se().hypot(indirect.se()));
        let difference = Inference::wald(value, se, direct.df(), direct.level())?;
        Ok(Self { arm: arm.clone(), other: other.clone(), direct, indirect, difference })
    }

    /// Refuses effects that are not of the network, and a difference that is not theirs.
    pub(super) fn check(&self, df: Option<f64>, level: f64) -> Result<()> {
        let of_network =
            |one: &Inference| Ok::<_, Error>(*one == Inference::wald(one.value(), one.se(), df, level)?);
        let own = Self::new(&self.arm, &self.other, self.direct.clone(), self.indirect.clone())?;
        if !(of_network(&self.direct)? && of_network(&self.indirect)? && own == *self) {
            return Err(Error::invalid(
                "the difference is not that of direct and indirect evidence, or they have another level or distribution than the network",
            )
            .in_arm(&self.arm));
        }
        check_pooled(&self.direct).and_then(|()| check_pooled(&self.indirect))
    }
}

/// Every comparison that some trials make directly, and that the other trials connect.
pub(super) fn splits<S: Scale>(
    arms: &[Label],
    trials: &[&Estimates<S>],
    network: &NetworkPool,
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
            let Some(indirect) = evidence(&others, arm, other, network)? else { continue };
            let Some(direct) = evidence(&both, arm, other, network)? else { continue };
            splits.push(NodeSplit::new(arm, other, direct, indirect)?);
        }
    }
    Ok(splits)
}

/// The comparison of two arms from these trials at the `tau2` of the network; `None` where they do not
/// connect the arms.
fn evidence<S: Scale>(
    trials: &[&Estimates<S>],
    arm: &Label,
    other: &Label,
    network: &NetworkPool,
) -> Result<Option<Inference>> {
    let arms = connected(trials, other);
    let Some(place) = arms.iter().position(|own| own == arm) else { return Ok(None) };
    let trials: Vec<&Estimates<S>> =
        trials.iter().copied().filter(|trial| arms.contains(trial.reference())).collect();
    let model = MultivariateModel::common_effect().test(CoefficientTest::Normal);
    let pool = network_data(&arms, &trials, network.model.tau2)?.pool(other, &model)?;
    let (value, se) = (pool.differences[[place, 0]], pool.se[[place, 0]]);
    Inference::wald(value, se, df(network), network.model.level).map(Some)
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
