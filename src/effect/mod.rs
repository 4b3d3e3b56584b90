//! Sizes of effects with their joint covariance, and all that needs only estimates.

mod about;
mod arm_means;
mod category_effects;
mod category_probabilities;
mod contrast;
mod effects;
mod estimate;
mod estimates;
mod margin;
mod method;
mod on;
mod scale;
mod subgroup_effects;
mod win;

pub use about::About;
pub use arm_means::ArmMeans;
pub(crate) use arm_means::no_contrast;
pub use category_effects::{CategoryEffects, CategoryEffectsRecord, CategoryEstimates};
pub use category_probabilities::CategoryProbabilities;
pub use contrast::Contrast;
pub(crate) use effects::one_network;
pub use effects::{Effects, TreatmentEffects};
pub use estimate::{Estimate, EstimateRecord};
pub use estimates::{Estimates, EstimatesRecord};
pub use margin::{Equivalence, EquivalenceConclusion, NonInferiority, NonInferiorityConclusion};
pub use method::{Estimand, IntervalMethod, Method, VarianceMethod};
pub use on::{Checked, On};
pub use scale::{
    AnyScale, ContrastScale, LogHazardRatio, LogOddsRatio, LogRateRatio, LogRatioOfMeans, LogRiskRatio,
    LogWinOdds, MeanDifference, NetBenefit, RateDifference, RiskDifference, Scale, ScaleForm,
    StandardizedMeanDifference,
};
pub use subgroup_effects::{SubgroupDifference, SubgroupEffects, SubgroupEffectsRecord};
