//! Pools: from the estimates of several trials to one answer.
//!
//! A pool of one treatment takes the [`TreatmentEffects`] of that treatment; a joint pool takes the
//! [`Effects`] of all.
//!
//! ```
//! use armwise::prelude::*;
//!
//! let outflow = Measure::binary("outflow").higher_is_better();
//! let cities = Comparisons::new([
//!     Comparison::from_counts("A", &outflow, [("control", 10, 100), ("guidance", 15, 100)])?,
//!     Comparison::from_counts("B", &outflow, [("control", 20, 187), ("guidance", 27, 185)])?,
//!     Comparison::from_counts("C", &outflow, [("control", 6, 176), ("guidance", 7, 172)])?,
//! ])?;
//! let effects = cities.estimate(&DifferenceInProportions::new())?;
//! let pooled = RandomEffects::new().pool(&effects.treatment("guidance")?)?;
//! assert!((pooled.value() - 0.025).abs() < 0.01 && pooled.p_value() > 0.05);
//! println!("{pooled}");
//! # Ok::<(), armwise::Error>(())
//! ```
//!
//! # One treatment
//!
//! | pool | what it is |
//! |---|---|
//! | [`RandomEffects`] | REML (default) and twelve other estimators of tau2; the wider of Wald and Hartung-Knapp (default), each alone, truncated; Q-profile; prediction interval |
//! | [`CommonEffect`] | inverse variance |
//! | [`ParticipantWeighted`] | the average over the participants of these trials, by size or by given weights |
//! | [`MantelHaenszel`], [`Peto`] | from counts, for rare events; nothing is added to empty cells |
//! | [`BayesianRandomEffects`] | normal-normal with priors of the mean and of tau, by quadrature: shrinkage estimates, predictive distribution, probability of benefit and of no harm, sensitivity to the prior |
//! | [`SideBySide`] | few trials in every customary way: the pools above, the prediction interval and leave-one-out in one table, the pre-specified one marked |
//!
//! # All treatments
//!
//! | pool | what it is |
//! |---|---|
//! | [`JointModel`] | generalised least squares on the joint covariance of each trial, one tau2, correlation 1/2 |
//! | [`ComponentModel`] | the same, an arm being the sum of its components |
//! | [`NetworkMetaAnalysis`] | consistency model of all arms: league table, P-scores, decomposition of Q, node splitting, the component model against the full network |
//!
//! # Single arms
//!
//! | pool | what it is |
//! |---|---|
//! | [`ArmPool`] | the proportion, mean or rate of each arm by itself: a logistic model with a random intercept, or logits, logarithms, arcsines, double arcsines and plain values by random effects |
//!
//! # Differences between trials
//!
//! | pool | what it is |
//! |---|---|
//! | [`MetaRegression`], [`Subgroups`] | properties of the trials: F and Q tests, R2, permutation test, predictions |
//! | [`Sensitivity`], from [`Pooled::sensitivity`](Pooled) | leave one out, cumulative, influence, Egger's test, rank correlation, trim and fill, Henmi-Copas, Baujat; below the number of trials that a measure needs, the result says so |
//!
//! # Randomisation tests
//!
//! | test | what it is |
//! |---|---|
//! | [`PooledRandomizationTest`] | the allocation of every trial replayed, effects estimated and pooled again |
//!
//! # Participants of all trials in one model
//!
//! | pool | what it is |
//! |---|---|
//! | [`OneStageLogistic`], [`OneStageLinear`] | an intercept for every trial; common or random treatment effects (Laplace and adaptive quadrature, REML); test of treatment by trial |
//! | [`OneStageCox`] | a baseline hazard for every trial, or stratum of it; common effects; test of treatment by trial |
//! | [`OneStageComparison`] | one stage beside two stages, one row each |
//!
//! Every pool has a form without trials in [`meta_analysis`](crate::meta_analysis),
//! [`one_stage`](crate::one_stage) or [`bayes`](crate::bayes), which take slices.
//!
//! [`Effects`]: crate::effect::Effects
//! [`TreatmentEffects`]: crate::effect::TreatmentEffects

mod arm_numbers;
mod arm_pool;
mod asymmetry;
mod bayesian;
mod component_model;
mod consistent;
mod counts;
mod hypotheses;
mod joint;
mod joint_model;
mod meta_regression;
mod network;
mod network_split;
mod one_stage;
mod one_stage_comparison;
mod one_stage_cox;
mod one_stage_linear;
mod one_stage_logistic;
mod participant_weighted;
mod pooled;
mod pooled_arms;
mod randomization;
mod resample;
mod sensitivity;
mod side_by_side;
mod subgroups;
mod trial_values;
mod univariate;

pub use crate::compute::bayes::EffectOf;
pub use arm_numbers::{ArmNumbers, ArmOutcome, ArmTransformation};
pub use arm_pool::ArmModel;
#[doc(alias(
    "meta-analysis of proportions",
    "single-arm meta-analysis",
    "metaprop",
    "prevalence",
    "freeman-tukey",
    "glmm"
))]
pub use arm_pool::ArmPool;
pub(crate) use asymmetry::few as few_for_asymmetry;
pub use asymmetry::{
    Asymmetry, AsymmetryRecord, HenmiCopasPooled, HenmiCopasRecord, TrimmedAndFilled, TrimmedAndFilledRecord,
};
#[doc(alias("posterior", "prior", "bayesian meta-analysis"))]
pub use bayesian::BayesianRandomEffects;
#[doc(alias("shrinkage", "blup", "empirical bayes"))]
pub use bayesian::ShrunkenTrial;
pub(crate) use bayesian::share_with_event;
pub use bayesian::{
    BayesianPooled, BayesianRecord, PriorOrigin, PriorSensitivity, PriorSensitivityRecord, Priors,
};
#[doc(alias("component network meta-analysis", "cnma", "additive"))]
pub use component_model::ComponentModel;
#[doc(alias("rare events"))]
#[doc(alias("cmh"))]
pub use counts::MantelHaenszel;
#[doc(alias("rare events", "one-step odds ratio"))]
#[doc(alias("peto odds ratio"))]
pub use counts::Peto;
pub use counts::{CountMethod, EmptyCells, PooledCounts, PooledCountsRecord, TableScale, TrialCounts};
pub use joint::{ComponentArm, JointlyPooled, JointlyPooledRecord, PooledCoefficient};
#[doc(alias("multivariate meta-analysis", "shared control"))]
pub use joint_model::JointModel;
#[doc(alias("moderators"))]
#[doc(alias("metareg", "bubble plot"))]
pub use meta_regression::MetaRegression;
pub use meta_regression::{
    ModeratorValue, PooledRegression, PredictedEffect, RegressedTrial, RegressionCoefficient,
    RegressionRecord,
};
#[doc(alias("nma", "league table", "p-score", "mixed treatment comparison"))]
#[doc(alias("network meta-analysis", "ranking", "sucra"))]
pub use network::NetworkMetaAnalysis;
pub use network::{NetworkArm, NetworkComparison, NetworkPooled, NetworkRecord, NetworkTrial, Ranked};
#[doc(alias("inconsistency", "indirect evidence"))]
pub use network_split::NodeSplit;
pub use one_stage::{
    InteractionStatistic, OneStageEffects, OneStageInteraction, OneStagePooled, OneStageRecord,
    OneStageSummary,
};
pub use one_stage_comparison::{OneStageComparison, OneStageRow};
#[doc(alias("individual participant data", "ipd", "mixed model", "lmm"))]
pub use one_stage_cox::OneStageCox;
pub use one_stage_linear::OneStageLinear;
#[doc(alias("individual participant data", "ipd", "mixed model", "glmm"))]
pub use one_stage_logistic::OneStageLogistic;
pub use participant_weighted::ParticipantWeighted;
#[doc(alias("heterogeneity", "cochran q", "i-squared"))]
pub use pooled::{Average, PoolModel, Pooled, PooledRecord, PooledTrial};
pub use pooled_arms::{ArmTrial, PooledArm, PooledArms, PooledArmsRecord};
#[doc(alias("leave one out", "egger", "trim and fill", "baujat", "publication bias", "henmi-copas"))]
#[doc(alias("randomization inference of a meta-analysis", "permutation test"))]
pub use randomization::{PooledRandomizationResult, PooledRandomizationTest};
pub use sensitivity::Sensitivity;
pub use sensitivity::{
    CumulativeOrder, Influence, InfluenceRecord, Refit, Refits, RefitsRecord, Repetition, TrialInfluence,
};
#[doc(alias("few trials", "comparison of methods"))]
pub use side_by_side::SideBySide;
pub use side_by_side::{Approach, ApproachRow, LeftOut, PooledSideBySide, SideBySideRecord};
#[doc(alias("interaction", "subgroup analysis"))]
pub use subgroups::Subgroups;
pub use subgroups::{PooledSubgroup, PooledSubgroups, PooledSubgroupsRecord};
#[doc(alias("fixed effect", "fixed-effect meta-analysis", "inverse variance"))]
#[doc(alias("fixed effects", "common effect"))]
pub use univariate::CommonEffect;
use univariate::Numbers;
#[doc(alias("meta-analysis", "hartung-knapp", "reml", "prediction interval"))]
#[doc(alias(
    "hksj",
    "hartung",
    "knapp",
    "random effects",
    "dersimonian-laird",
    "tau2",
    "paule-mandel",
    "i2",
    "i-squared"
))]
pub use univariate::RandomEffects;
