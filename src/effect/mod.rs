//! Sizes of effects with their joint covariance, and all that needs only estimates.

mod arm_means;
mod category_effects;
mod category_probabilities;
mod contrast;
mod effects;
mod estimate;
mod estimates;
mod margin;
mod method;
mod scale;
mod subgroup_effects;
mod win;

pub use arm_means::ArmMeans;
pub(crate) use category_effects::single_level;
pub use category_effects::{CategoryEffects, CategoryEstimates};
pub use category_probabilities::CategoryProbabilities;
pub(crate) use contrast::{Context, Contrast, check_level};
pub(crate) use effects::one_network;
pub use effects::{Effects, TreatmentEffects};
pub use estimate::Estimate;
pub(crate) use estimate::minimal_detectable_effect;
pub use estimates::Estimates;
pub use margin::{Equivalence, EquivalenceConclusion, MarginTest, NonInferiority, NonInferiorityConclusion};
pub use method::{Estimand, IntervalMethod, Method, TestMethod, VarianceMethod};
pub use scale::{
    AnyScale, ContrastScale, LogHazardRatio, LogOddsRatio, LogRateRatio, LogRatioOfMeans, LogRiskRatio,
    LogWinOdds, MeanDifference, NetBenefit, RateDifference, RiskDifference, Scale, ScaleForm,
    StandardizedMeanDifference,
};
pub use subgroup_effects::{SubgroupDifference, SubgroupEffects};
