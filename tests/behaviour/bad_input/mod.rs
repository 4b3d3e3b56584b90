//! Bad input: every estimator and every pool gives a result with a notice, or an error that says where and
//! what to do next. Nothing panics, and no number of a result is NaN.

mod check;
mod estimating;
mod one_stage;
mod pooling;
mod tables;
mod times;
