//! From the estimates of several trials to one answer.

mod asymmetry;
mod bayesian;
mod component_model;
mod counts;
mod joint;
mod joint_model;
mod meta_regression;
mod network;
mod network_split;
mod one_stage;
mod one_stage_comparison;
mod one_stage_linear;
mod one_stage_logistic;
mod participant_weighted;
mod pooled;
mod sensitivity;
mod side_by_side;
mod subgroups;
mod trial_values;
mod univariate;

pub(crate) use asymmetry::few as few_for_asymmetry;
pub use crate::compute::bayes::EffectOf;
pub use asymmetry::{
    Asymmetry, AsymmetryRecord, HenmiCopasPooled, HenmiCopasRecord, TrimmedAndFilled, TrimmedAndFilledRecord,
};
pub use bayesian::{
    BayesianPooled, BayesianRandomEffects, BayesianRecord, PriorOrigin, PriorSensitivity,
    PriorSensitivityRecord, Priors, ShrunkenTrial,
};
pub use component_model::ComponentModel;
pub use counts::{CountMethod, EmptyCells, MantelHaenszel, Peto, PooledCounts, TableScale, TrialCounts};
pub use joint::{JointlyPooled, JointlyPooledRecord, PooledCoefficient};
pub use joint_model::JointModel;
pub use meta_regression::{MetaRegression, ModeratorValue, PooledRegression, RegressedTrial};
pub use network::{NetworkArm, NetworkComparison, NetworkMetaAnalysis, NetworkPooled, NetworkTrial, Ranked};
pub use network_split::NodeSplit;
pub use one_stage::{
    InteractionStatistic, OneStageEffects, OneStageInteraction, OneStagePooled, OneStageRecord, OneStageSummary,
};
pub use one_stage_comparison::{OneStageComparison, OneStageRow};
pub use one_stage_linear::OneStageLinear;
pub use one_stage_logistic::OneStageLogistic;
pub use participant_weighted::ParticipantWeighted;
pub use pooled::{Average, PoolModel, Pooled, PooledRecord, PooledTrial};
pub use sensitivity::{
    CumulativeOrder, Influence, InfluenceRecord, Refit, Refits, RefitsRecord, Repetition, Sensitivity,
    TrialInfluence,
};
pub use side_by_side::{Approach, ApproachRow, LeftOut, PooledSideBySide, SideBySide, SideBySideRecord};
pub use subgroups::{PooledSubgroup, PooledSubgroups, Subgroups};
use univariate::Numbers;
pub use univariate::{CommonEffect, RandomEffects};
