//! Numerical kernels: slices and array views in, small named structs out; no word of trials.

pub mod bayes;
pub mod categorical;
pub(crate) mod coefficient;
pub(crate) mod counts;
pub(crate) mod curve;
pub mod distribution;
pub mod effect_size;
pub(crate) mod fitted;
pub(crate) mod hypothesis;
pub(crate) mod interval;
pub(crate) mod linalg;
pub(crate) mod matrix_rows;
pub mod mean;
pub mod meta_analysis;
pub mod one_stage;
pub mod proportion;
pub mod rank;
pub mod rate;
pub(crate) mod reference_distribution;
pub mod regression;
pub(crate) mod roots;
pub mod survival;
pub(crate) mod tails;
pub(crate) mod threads;
pub mod weighting;
pub(crate) mod words;
