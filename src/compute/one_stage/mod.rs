//! One-stage models of the participants, or the counts, of several sites.
//!
//! | what | where |
//! |---|---|
//! | logistic, an intercept for every site, tests of treatment by site | [`SiteLogistic`] |
//! | logistic, random intercept, random effect, or both | [`MixedLogistic`] |
//! | logistic, one group, random intercept | [`RandomInterceptLogistic`] |
//! | logistic, conditional on the events of a site, common or random effect | [`ConditionalLogistic`] |
//! | linear, an intercept for every site, test of treatment by site | [`SiteLinear`] |
//! | linear mixed model, REML or ML, random intercept and slope, predictions | [`LinearMixed`] |
//!
//! Logistic models take [`SiteCounts`]: without covariates, events and participants by site and arm are all
//! that the participants tell. Linear models take a [`ModelMatrix`](crate::regression::ModelMatrix). Every
//! search for a maximum has exact derivatives and tells how it ended; a variance of zero is a result.
//!
//! ```
//! use armwise::one_stage::{
//!     ConditionalLogistic, MixedLogistic, SiteArm, SiteCounts, SiteLogistic,
//! };
//!
//! let mut counts = SiteCounts::new(["A", "B", "C"], ["control", "guidance"])?;
//! for (site, arm, events, n) in [
//!     (0, 0, 10, 100),
//!     (0, 1, 15, 100),
//!     (1, 0, 8, 90),
//!     (1, 1, 7, 95),
//!     (2, 0, 20, 180),
//!     (2, 1, 44, 170),
//! ] {
//!     counts.add(SiteArm { site, arm, events, n })?;
//! }
//! let common = SiteLogistic::new().fit(&counts)?;
//! let random = MixedLogistic::new().fit(&counts)?;
//! let conditional = ConditionalLogistic::new().fit(&counts)?;
//! assert!((common.effects[0].estimate - 0.5).abs() < 0.2);
//! assert!((random.effect.estimate - conditional.effect.estimate).abs() < 0.1);
//! # Ok::<(), armwise::Error>(())
//! ```

// Array views are passed by value, as slices are. Positions in small fixed arrays are clearer than chains of
// iterators.
#![allow(clippy::needless_pass_by_value, clippy::needless_range_loop)]

mod blocks;
mod components;
mod conditional;
mod counts;
mod fitted;
pub(crate) mod jet;
mod linear;
mod linear_mixed;
mod logistic;
mod marginal;
mod mixed;
pub(crate) mod newton;
pub(crate) mod quadrature;
mod random_intercept;
mod search;
pub(crate) mod term;

pub use super::counts::ArmTotal;
pub use components::Likelihood;
pub use conditional::{ConditionalDistribution, ConditionalLogistic, ConditionalLogisticFit};
pub use counts::{SiteArm, SiteCounts};
pub use fitted::SiteIntercept;
pub use linear::{SiteLinear, SiteLinearFit};
pub use linear_mixed::{LinearMixed, LinearMixedFit, RandomTerms};
pub use logistic::{InteractionTest, SiteLogistic, SiteLogisticFit, TreatmentTest};
pub use mixed::{MixedLogistic, MixedLogisticFit, RandomPart, TreatmentCoding};
pub use random_intercept::{RandomInterceptLogistic, RandomInterceptLogisticFit};
