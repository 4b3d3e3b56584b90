//! Sizes of effects with their joint covariance, and all that needs only estimates.

mod arm_means;
mod contrast;
mod effects;
mod estimate;
mod estimates;
mod method;
mod scale;

pub use arm_means::ArmMeans;
pub(crate) use contrast::{Context, Contrast, check_level};
pub use effects::{Effects, TreatmentEffects};
pub use estimate::Estimate;
pub(crate) use estimate::minimal_detectable_effect;
pub use estimates::Estimates;
pub use method::{Estimand, IntervalMethod, Method, TestMethod, VarianceMethod};
pub use scale::{
    AnyScale, ContrastScale, LogHazardRatio, LogOddsRatio, LogRateRatio, LogRatioOfMeans, LogRiskRatio,
    MeanDifference, RateDifference, RiskDifference, Scale, ScaleForm, StandardizedMeanDifference,
};
