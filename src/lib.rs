#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub use ndarray;

#[macro_use]
mod compute;
pub mod data;
pub mod design;
pub mod effect;
pub mod error;
pub mod estimator;
pub mod inference;
#[doc(hidden)]
pub mod internal;
pub mod missing;
pub mod pool;
pub mod prelude;
pub mod prospective;
pub mod protocol;
pub mod report;

// The links of README.md are looked up here.
#[cfg(doc)]
#[allow(unused_imports)]
use {data::*, design::*, effect::*, estimator::*, pool::*, protocol::*, report::*};

pub use compute::{
    balance, bayes, categorical, distribution, effect_size, imputation, longitudinal, mean, meta_analysis,
    multiplicity, multistate, one_stage, power, progress, proportion, randomization, rank, rate, regression,
    resampling, sequential, summary_index, survival, weighting,
};
// The few names that nearly every program writes; their modules and the prelude have the others.
#[doc(no_inline)]
pub use data::Table;
#[doc(no_inline)]
pub use design::{Comparison, Measure, Trial, Trials};
#[doc(no_inline)]
pub use effect::{Estimate, Estimates, Interval, Scale};
#[doc(no_inline)]
pub use error::{Collinearity, Error, ErrorKind, Result};
#[doc(no_inline)]
pub use estimator::Estimator;
#[doc(no_inline)]
pub use pool::Pooled;

/// The documents beside the code.
#[cfg(doc)]
pub mod _documentation {
    #[doc = include_str!("../DESIGN.md")]
    pub mod design {}

    #[doc = include_str!("../CHANGELOG.md")]
    pub mod changelog {}
}
