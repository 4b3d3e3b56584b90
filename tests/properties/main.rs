//! Laws that the typed layers obey whatever the data: estimators, scales, pools, and their JSON.
//!
//! Estimators and pools are listed once, in `estimators.rs` and `pools.rs`; every law loops over the list.

mod analysis_laws;
mod categories;
mod category_laws;
mod data;
mod estimator_laws;
mod estimators;
mod pool_laws;
mod pools;
mod serde_laws;
mod tiny_trials;
