//! Inference that repeats an analysis: on assignments that could have been drawn, and on resamples of people, clusters
//! or trials.
//!
//! | question | type |
//! |---|---|
//! | a p-value that rests on the randomisation alone | [`RandomizationTest`], [`RandomizationResult`], with [`OtherArms`] and [`TestedStatistic`] |
//! | the same of a pool, every city replayed | [`PooledRandomizationTest`](crate::pool::PooledRandomizationTest) of a [`PooledStatistic`] |
//! | several outcomes, arms and cities adjusted from one replay (Romano-Wolf, Westfall-Young) | [`StepDownTest`], [`StepDownResult`] |
//! | intervals of several outcomes and arms that hold together | [`MultipleMarginalModels`], [`MarginalModels`] |
//! | an interval without a formula: percentile, basic, normal, BCa, studentised | [`Bootstrap`] |
//! | the same of a pool, by trial or from its model | [`Bootstrap::pool`], [`ResampledPool`] |
//! | a standard error without a formula | [`Jackknife`] |
//! | few clusters | [`WildClusterBootstrap`] |
//!
//! Bootstrap and jackknife are estimators made of an estimator, so that their effects report, pool and join families
//! like any others. The numbers are those of [`randomization`](crate::randomization) and
//! [`resampling`](crate::resampling).

mod bootstrap;
mod bootstrap_pool;
mod bootstrap_sample;
mod jackknife;
mod marginal_models;
mod randomization;
mod randomization_result;
mod replayed;
mod resample;
mod step_down;
mod wild_cluster;

#[doc(alias("boot", "resampling", "bca", "percentile interval", "studentized bootstrap"))]
pub use bootstrap::Bootstrap;
#[doc(alias("delete-one", "leave-one-out", "cv3"))]
pub use jackknife::Jackknife;
#[doc(alias("mmm", "max-t", "simultaneous", "multcomp", "influence function"))]
pub use marginal_models::{MarginalEffect, MarginalModels, MultipleMarginalModels};
pub(crate) use randomization::studentized;
#[doc(alias("permutation test", "randomization inference", "ri2", "fisher", "sharp null"))]
pub use randomization::{OfDesign, OfEstimator, OtherArms, RandomizationTest, TestStatistic};
pub use randomization_result::{
    JointResult, PooledStatistic, RandomizationDistribution, RandomizationResult, RandomizedTreatment,
    TestedStatistic,
};
pub use replayed::Replayed;
pub use resample::{Draw, Redraw, Redrawable, Resample, ResampledEffect, ResampledPool, ResampledPoolRecord};
#[doc(alias("romano-wolf", "westfall-young", "rwolf", "wildrwolf", "max-t"))]
pub use step_down::{StepDownHypothesis, StepDownResult, StepDownTest};
#[doc(alias("boottest", "fwildclusterboot", "few clusters", "wcr"))]
pub use wild_cluster::WildClusterBootstrap;
