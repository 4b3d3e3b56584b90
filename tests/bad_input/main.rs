//! Bad input: every estimator and every pool gives a result with a notice, or an error that says where and what to do next.
//! Nothing panics, and no number of a result is NaN.

mod check;
mod estimating;
mod one_stage;
mod pooling;
mod tables;

#[path = "../properties/categories.rs"]
#[allow(dead_code)]
mod categories;
#[path = "../properties/data.rs"]
#[allow(dead_code)]
mod data;
#[path = "../properties/estimators.rs"]
#[allow(dead_code)]
mod estimators;
#[path = "../properties/pools.rs"]
mod pools;
