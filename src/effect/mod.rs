//! Sizes of effects with their joint covariance, their scales, and all that needs only estimates.
//!
//! # Results
//!
//! | type | what it is |
//! |---|---|
//! | [`Estimates`] | every treatment of one trial against its reference, with the joint covariance |
//! | [`Estimate`] | one of them: value, interval, p-value, conclusions about margins |
//! | [`Effects`] | several trials |
//! | [`TreatmentEffects`] | one treatment in several trials, and the trials that did not have it |
//! | [`SubgroupEffects`] | effects within the levels of a column, their differences and the test of interaction |
//! | [`CategoryEffects`], [`CategoryEstimates`] | every treatment on every category of an outcome; on one category |
//! | [`EffectsOverTime`] | every treatment in every month of a register, with the joint covariance of all |
//! | [`WaveEffects`] | every treatment in every wave of a survey, with the joint covariance of all |
//! | [`ArmMeans`], [`CategoryProbabilities`] | one value for every arm, and the covariance of all of them |
//! | [`Inference`] | all that is said of one effect: value, interval at any level, p-values, probabilities, read off one [`ConfidenceCurve`] |
//! | [`WaldTest`] | the test that several effects are zero |
//! | [`Interval`] | lower and upper limit |
//! | [`HypothesisFamily`], [`Hypothesis`] | effects of any results whose p-values are adjusted together |
//! | [`AdjustedFamily`], [`AdjustedHypothesis`] | raw and adjusted p-values side by side, with their [`FamilyProcedure`] and [`Gate`] |
//!
//! Results are names for [`On`], which adds the scale as a type to a record of public fields:
//! [`EstimateRecord`], [`EstimatesRecord`], [`SubgroupEffectsRecord`], [`CategoryEffectsRecord`], .... Each
//! carries its identity, [`About`], and is [`Checked`] when it is read.
//!
//! # Scales
//!
//! Differences are treatment minus reference; ratios are logarithms, and `ratio()` exponentiates.
//!
//! | scale | contrast of the treatment `t` with the reference `r` |
//! |---|---|
//! | [`RiskDifference`] | `t - r` of proportions |
//! | [`LogRiskRatio`] | `ln(t / r)` of proportions |
//! | [`LogOddsRatio`] | `ln(t / (1 - t)) - ln(r / (1 - r))` of proportions |
//! | [`MeanDifference`] | `t - r` of means |
//! | [`StandardizedMeanDifference`] | `t - r` of means, in standard deviations |
//! | [`LogRatioOfMeans`] | `ln(t / r)` of means |
//! | [`RateDifference`] | `t - r` of rates |
//! | [`LogRateRatio`] | `ln(t / r)` of rates |
//! | [`LogHazardRatio`] | `ln(t / r)` of hazards |
//! | [`LogSubdistributionHazardRatio`] | `ln(t / r)` of subdistribution hazards |
//! | [`NetBenefit`] | `P(T > R) - P(T < R)` of two people drawn at random |
//! | [`LogWinOdds`] | `ln(w / (1 - w))`, `w = P(T > R) + P(T = R) / 2` |
//! | [`AnyScale`] | any of them, known only at run time |
//!
//! [`Scale`] is the trait of all, [`ContrastScale`] that of contrasts of two arm means.
//!
//! # Conclusions about margins
//!
//! | type | from |
//! |---|---|
//! | [`NonInferiority`], [`NonInferiorityConclusion`] | [`non_inferiority`](EstimateRecord::non_inferiority) |
//! | [`Equivalence`], [`EquivalenceConclusion`] | [`equivalence`](EstimateRecord::equivalence) |
//!
//! # Many hypotheses
//!
//! A [`HypothesisFamily`] collects what implements [`Hypotheses`]; the procedures are those of
//! [`multiplicity`](crate::multiplicity). [`EstimatesRecord::simultaneous`] takes the
//! covariance of all arms.
//!
//! # Conventions that a result keeps
//!
//! [`Method`] names the [`IntervalMethod`], the [`VarianceMethod`] and the [`Estimand`].

mod about;
mod adjusted_family;
mod arm_means;
mod category_effects;
mod category_probabilities;
mod contrast;
mod effects;
mod effects_over_time;
mod estimate;
mod estimates;
mod hypothesis_family;
mod margin;
mod method;
mod on;
mod resampled;
mod scale;
mod subgroup_effects;
mod wave_effects;
mod win;

pub use about::About;
pub(crate) use about::impossible_limits;
pub use adjusted_family::{AdjustedFamily, AdjustedHypothesis, FamilyProcedure, Gate};
#[doc(alias("estimated marginal means", "adjusted means", "emmeans"))]
#[doc(alias("lsmeans", "least squares means"))]
pub use arm_means::ArmMeans;
pub use category_effects::{CategoryEffects, CategoryEffectsRecord, CategoryEstimates};
pub use category_probabilities::CategoryProbabilities;
pub use contrast::Contrast;
pub use effects::{Effects, TreatmentEffects};
pub(crate) use effects::{informative, nothing_told, one_network, treatments};
#[doc(alias("event study", "monthly effects", "simultaneous bands"))]
pub use effects_over_time::EffectsOverTime;
#[doc(alias("confidence interval", "p-value"))]
pub use estimate::Estimate;
pub use estimate::EstimateRecord;
#[doc(alias("contrasts", "shared control group", "joint covariance"))]
pub use estimates::{Estimates, EstimatesRecord};
#[doc(alias("multiple outcomes", "multiplicity adjustment", "familywise", "gatekeeping procedure"))]
pub use hypothesis_family::HypothesisFamily;
pub use hypothesis_family::{Hypotheses, Hypothesis, Unanswered};
#[doc(alias("tost", "two one-sided tests"))]
pub use margin::Equivalence;
#[doc(alias("noninferiority", "margin"))]
pub use margin::NonInferiority;
pub use margin::{EquivalenceConclusion, NonInferiorityConclusion};
#[doc(alias("estimand", "ich e9"))]
pub use method::{Estimand, IntervalMethod, Method, VarianceMethod};
pub use on::{Checked, On};
pub use resampled::{ResampledUnit, ResampledWithin, Resampling};
#[doc(alias("hazard ratio"))]
pub use scale::LogHazardRatio;
#[doc(alias("odds ratio"))]
pub use scale::LogOddsRatio;
#[doc(alias("rate ratio", "incidence rate ratio"))]
pub use scale::LogRateRatio;
#[doc(alias("risk ratio", "relative risk"))]
pub use scale::LogRiskRatio;
#[doc(alias("subhazard ratio", "fine-gray"))]
pub use scale::LogSubdistributionHazardRatio;
#[doc(alias("win odds", "win ratio"))]
pub use scale::LogWinOdds;
#[doc(alias("cliffs delta", "somers d", "probability of superiority"))]
pub use scale::NetBenefit;
#[doc(alias("absolute risk reduction", "difference in proportions"))]
pub use scale::RiskDifference;
#[doc(alias("smd", "cohens d", "hedges g"))]
pub use scale::StandardizedMeanDifference;
pub use scale::{AnyScale, ContrastScale, LogRatioOfMeans, MeanDifference, RateDifference, Scale, ScaleForm};
#[doc(alias("interaction", "effect modification", "heterogeneous treatment effects"))]
#[doc(alias("forest plot by subgroup"))]
pub use subgroup_effects::SubgroupEffects;
pub use subgroup_effects::{SubgroupDifference, SubgroupEffectsRecord};

#[doc(alias("mmrm", "effects over waves", "lsmeans by visit"))]
pub use wave_effects::WaveEffects;
pub use wave_effects::{CombinedWaves, WaveEffectsRecord};

#[doc(alias("p-value function", "confidence distribution"))]
pub use crate::compute::curve::{ConfidenceCurve, Inference};
#[doc(no_inline)]
pub use crate::compute::hypothesis::WaldTest;
pub use crate::compute::interval::Interval;
