//! Distributions.

mod binomial;
mod continuous;
mod domain;
mod noncentral;
mod poisson;
mod studentized_range;
