//! Inference that repeats an analysis: on resamples of its people, clusters or trials.
//!
//! | question | type |
//! |---|---|
//! | an interval without a formula: percentile, basic, normal, BCa, studentised | [`Bootstrap`] |
//! | the same of a pool, by trial or from its model | [`Bootstrap::pool`], [`ResampledPool`] |
//! | a standard error without a formula | [`Jackknife`] |
//! | few clusters | [`WildClusterBootstrap`] |
//!
//! Each is an estimator made of an estimator, so that its effects report, pool and join families like any
//! others. The numbers are those of [`resampling`](crate::resampling).

mod bootstrap;
mod bootstrap_pool;
mod bootstrap_sample;
mod jackknife;
mod resample;
mod wild_cluster;

#[doc(alias("boot", "resampling", "bca", "percentile interval", "studentized bootstrap"))]
pub use bootstrap::Bootstrap;
#[doc(alias("delete-one", "leave-one-out", "cv3"))]
pub use jackknife::Jackknife;
pub use resample::{Draw, Redraw, Redrawable, Resample, ResampledEffect, ResampledPool, ResampledPoolRecord};
#[doc(alias("boottest", "fwildclusterboot", "few clusters", "wcr"))]
pub use wild_cluster::WildClusterBootstrap;
