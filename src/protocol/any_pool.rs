//! Pooling methods as data.

use super::results::PoolResult;
use crate::compute::meta_analysis::{CoefficientTest, Tau2};
use crate::compute::reference_distribution::check_level;
use crate::design::Label;
use crate::effect::{AnyScale, Effects};
use crate::error::{Error, ErrorKind, Result};
use crate::pool::{CommonEffect, ComponentModel, JointModel, ParticipantWeighted, RandomEffects};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How effects behave across trials.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AcrossTrials {
    /// They vary. The default.
    #[default]
    Random,
    /// They are common to all trials.
    Common,
}

/// A method of pooling known only at run time, for plans and files.
///
/// As data it is its word under `pool` beside its options; a level that is not given is that of the plan.
///
/// ```
/// use armwise::protocol::AnyPool;
/// use armwise::meta_analysis::Tau2;
/// use armwise::prelude::*;
///
/// let text = r#"{"pool": "random_effects", "tau2": "paule_mandel"}"#;
/// let pool: AnyPool = serde_json::from_str(text).unwrap();
/// assert_eq!(pool, RandomEffects::new().tau2(Tau2::PauleMandel).into());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "pool", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum AnyPool {
    /// Every treatment by itself, with one effect common to all trials.
    CommonEffect(CommonEffect),
    /// Every treatment by itself, with effects that vary between trials.
    RandomEffects(RandomEffects),
    /// Every treatment by itself, averaged over the participants of the trials.
    ParticipantWeighted(ParticipantWeighted),
    /// All treatments together, by [`JointModel`].
    JointModel {
        /// Whether effects vary between trials.
        #[serde(default)]
        effects: AcrossTrials,
        /// The estimator of tau2 of effects that vary; default REML.
        #[serde(default)]
        tau2: Tau2,
        /// The reference distribution; default t with trials - 1 degrees of freedom.
        #[serde(default)]
        test: CoefficientTest,
        /// The confidence level; default: that of the plan.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        level: Option<f64>,
    },
    /// All components together, by [`ComponentModel`].
    ComponentModel {
        /// Whether effects vary between trials.
        #[serde(default)]
        effects: AcrossTrials,
        /// The estimator of tau2 of effects that vary; default REML.
        #[serde(default)]
        tau2: Tau2,
        /// The reference distribution; default t with trials - 1 degrees of freedom.
        #[serde(default)]
        test: CoefficientTest,
        /// The confidence level; default: that of the plan.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        level: Option<f64>,
        /// The components of arms, where they differ from those of the trials' design.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        components: BTreeMap<String, Vec<Label>>,
    },
}

from! {
    CommonEffect => AnyPool: |pool| Self::CommonEffect(pool);
    RandomEffects => AnyPool: |pool| Self::RandomEffects(pool);
    ParticipantWeighted => AnyPool: |pool| Self::ParticipantWeighted(pool);
}

impl AnyPool {
    /// [`JointModel::random`].
    pub fn joint_model() -> Self {
        let (effects, tau2, test) = Default::default();
        Self::JointModel { effects, tau2, test, level: None }
    }

    /// [`ComponentModel::random`].
    pub fn component_model() -> Self {
        let (effects, tau2, test) = Default::default();
        Self::ComponentModel { effects, tau2, test, level: None, components: BTreeMap::new() }
    }

    /// A stable word, such as `"random_effects"`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CommonEffect(_) => "common_effect",
            Self::RandomEffects(_) => "random_effects",
            Self::ParticipantWeighted(_) => "participant_weighted",
            Self::JointModel { .. } => "joint_model",
            Self::ComponentModel { .. } => "component_model",
        }
    }

    /// What is wrong with it whatever the data.
    pub(super) fn check(&self) -> Result<()> {
        match self {
            Self::JointModel { level: Some(level), .. } | Self::ComponentModel { level: Some(level), .. } => {
                check_level(*level)
            }
            Self::RandomEffects(pool) => check_level(pool.own_level()),
            Self::CommonEffect(pool) => check_level(pool.own_level()),
            Self::ParticipantWeighted(pool) => check_level(pool.own_level()),
            _ => Ok(()),
        }
    }

    /// Whether it pools one treatment at a time.
    pub(super) fn is_of_one_treatment(&self) -> bool {
        matches!(self, Self::CommonEffect(_) | Self::RandomEffects(_) | Self::ParticipantWeighted(_))
    }

    /// The pools of some effects, each with the treatment if it is of one: those of these treatments.
    pub(super) fn pool(
        &self,
        effects: &Effects<AnyScale>,
        treatments: &[Label],
        level: f64,
    ) -> Vec<(Option<Label>, Result<PoolResult>)> {
        match self {
            Self::CommonEffect(_) | Self::RandomEffects(_) | Self::ParticipantWeighted(_) => {
                let one = |treatment: &Label| {
                    (Some(treatment.clone()), self.pool_treatment(effects, treatment, level))
                };
                treatments.iter().map(one).collect()
            }
            Self::JointModel { effects: across, tau2, test, level: own } => {
                let mut model = match across {
                    AcrossTrials::Random => JointModel::random().tau2(*tau2),
                    AcrossTrials::Common => JointModel::common(),
                };
                model = model.test(*test).level(own.unwrap_or(level));
                vec![(None, model.pool(effects).map(|joint| PoolResult::Jointly(Box::new(joint))))]
            }
            Self::ComponentModel { effects: across, tau2, test, level: own, components } => {
                let mut model = match across {
                    AcrossTrials::Random => ComponentModel::random().tau2(*tau2),
                    AcrossTrials::Common => ComponentModel::common(),
                };
                model = model.test(*test).level(own.unwrap_or(level));
                for (arm, components) in components {
                    model = model.arm(arm, components);
                }
                vec![(None, model.pool(effects).map(|joint| PoolResult::Jointly(Box::new(joint))))]
            }
        }
    }

    fn pool_treatment(
        &self,
        effects: &Effects<AnyScale>,
        treatment: &Label,
        level: f64,
    ) -> Result<PoolResult> {
        let effects = effects.treatment(treatment)?;
        let mut trials = effects.iter();
        if let (Some(only), None) = (trials.next(), trials.next()) {
            let why = format!(
                "only {} has an estimate of it, and one trial cannot be pooled; read its own row",
                only.trial()
            );
            let error = Error::from(ErrorKind::InsufficientStudies(why)).in_arm(treatment);
            return Err(error.in_measure(&only.measure().name));
        }
        let pooled = match self {
            Self::CommonEffect(pool) => pool.clone().or_level(level).pool(&effects),
            Self::RandomEffects(pool) => pool.clone().or_level(level).pool(&effects),
            Self::ParticipantWeighted(pool) => pool.clone().or_level(level).pool(&effects),
            Self::JointModel { .. } | Self::ComponentModel { .. } => {
                Err(Error::invalid("this model pools all treatments together"))
            }
        };
        pooled.map(|pooled| PoolResult::OfTreatment(Box::new(pooled)))
    }
}
