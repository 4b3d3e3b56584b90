//! Numeric kernels against sums by hand, second routes and published tables, and the helpers that place
//! figures and choose words.

mod category_vectors;
mod curve;
mod distribution;
mod imputation;
mod interval;
mod limits;
mod linalg;
mod longitudinal;
mod meta_analysis;
mod multiplicity;
mod one_stage;
mod power;
mod progress;
mod proportion;
mod rate;
mod regression;
mod roots;
mod simultaneous;
mod stratified;
mod survival_cox;
mod survival_curves;
mod survival_data;
mod survival_models;
mod threads;
mod words;
