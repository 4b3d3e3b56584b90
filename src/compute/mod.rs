//! Numerical kernels: slices and array views in, small named structs out; no word of trials.

pub mod bayes;
pub mod categorical;
pub mod distribution;
pub mod effect_size;
pub(crate) mod interval;
pub(crate) mod linalg;
pub mod mean;
pub mod meta_analysis;
pub mod proportion;
pub mod rank;
pub mod regression;
pub(crate) mod roots;
pub(crate) mod tails;
pub(crate) mod threads;
pub mod weighting;
