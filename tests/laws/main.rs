//! Laws that hold whatever the data: of the numeric layer, of the typed layers above it, and of their JSON.
//!
//! Estimators and pools are listed once, in `tests/support/estimators.rs` and `tests/support/pools.rs`; the
//! laws of the typed layers loop over these lists. Cases that once failed are kept in
//! `tests/proptest-regressions/` and run first.

// The numeric layer.
mod bayes;
mod categorical;
mod effect_size;
mod mean;
mod meta_analysis;
mod meta_regression;
mod missing;
mod missing_trials;
mod multiplicity;
mod multivariate;
mod one_stage;
mod power;
mod proportion;
mod randomization;
mod registers;
mod regression;
mod threads;

// The typed layers.
mod analyses;
mod category_effects;
mod curves;
mod curves_of_networks;
mod curves_of_pools;
mod estimators;
mod hazards;
mod json;
mod json_refused;
mod pools;
mod repeated;
mod resampling;
mod search_words;
mod times;
mod tiny_trials;

// Other test programs use the rest.
#[path = "../support/mod.rs"]
#[allow(dead_code)]
mod support;
