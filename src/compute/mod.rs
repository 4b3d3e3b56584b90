//! Numerical kernels: slices and array views in, small named structs out; no word of trials.

pub mod bayes;
pub mod categorical;
pub mod distribution;
pub mod effect_size;
pub(crate) mod interval;
pub(crate) mod linalg;
pub(crate) mod matrix_rows;
pub mod mean;
pub mod meta_analysis;
pub mod one_stage;
pub mod proportion;
pub mod rank;
#[allow(dead_code)] // its callers follow
pub(crate) mod reference_distribution;
pub mod regression;
pub(crate) mod roots;
pub(crate) mod tails;
pub(crate) mod threads;
pub mod weighting;
pub(crate) mod words;
