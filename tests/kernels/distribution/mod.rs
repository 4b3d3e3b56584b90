//! Distributions.

mod binomial;
mod continuous;
mod noncentral;
mod poisson;
mod studentized_range;
