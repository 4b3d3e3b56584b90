//! Regression without words of trials: a [`ModelMatrix`] and a response give a [`Fit`].
//!
//! The matrix borrows its columns; every pass over the data works on blocks of rows, so that memory beyond
//! the data is one number per row.
//!
//! | what | where |
//! |---|---|
//! | design matrix: numbers, 0/1 columns, categories, products | [`ModelMatrix`] |
//! | linear, logistic, Poisson, quasi-, gamma regression | [`Glm`] |
//! | coefficients, deviance, dispersion | [`Fit`] |
//! | model-based and robust covariance HC0-HC3 | [`VarianceType`] |
//! | cluster-robust covariance CR0-CR2, Satterthwaite, Hotelling | [`Clustered`] |
//! | profile-likelihood intervals | [`Fit::profile_interval`] |
//! | Firth's penalised logistic regression | [`Firth`] |
//! | negative binomial regression | [`NegativeBinomial`] |
//! | average marginal effects of a covariate | [`AverageEffect`] |
//! | amounts with many zeros: participation and amount | [`TwoPart`] |
//! | tables, linear combinations, Wald tests, AIC, BIC of any fit | [`Fitted`] |
//! | likelihood ratio, score, F tests of several coefficients | [`Reduced`] |

// Array views are passed by value, as slices are; McCullagh and MacKinnon are no code.
#![allow(clippy::needless_pass_by_value, clippy::doc_markdown)]

mod average_effect;
mod checked;
mod cluster;
pub(crate) mod cluster_shares;
mod family;
mod firth;
mod fit;
pub(crate) mod glm;
mod information;
mod irls;
pub(crate) mod kernel;
pub(crate) mod likelihood;
mod matrix;
mod negative_binomial;
pub(crate) mod observations;
pub(crate) mod profile;
mod replicates;
mod sandwich;
mod separation;
mod shortcut;
mod standardized;
mod test;
mod two_part;

pub(crate) use checked::Checked;
pub(crate) use cluster_shares::{ClusterDf, ClusterShares};
pub(crate) use family::Curve;
pub(crate) use information::add_cross_product;
pub(crate) use kernel::ColumnMoments;
pub(crate) use kernel::lane::{Logistic as LogisticLanes, exp as exp_lanes};
pub(crate) use kernel::stacked::{Shape, StackedRule, StackedTally, stacked};
pub(crate) use kernel::{SEGMENT, design, design_buffer};
pub(crate) use matrix::{BLOCK, Override};
pub(crate) use negative_binomial::ThetaInfluence;
pub(crate) use observations::Observations;
pub(crate) use separation::{DesignRows, Side, separating_directions};

pub use crate::compute::coefficient::Coefficient;
pub use crate::compute::fitted::Fitted;
pub use crate::compute::hypothesis::{ChiSquaredTest, FTest, WaldTest};
pub use average_effect::AverageEffect;
pub use checked::Aliasing;
#[doc(alias("cluster-robust", "cr2", "bell-mccaffrey"))]
pub use cluster::ClusterVariance;
pub use cluster::Clustered;
pub use family::{Family, Link};
#[doc(alias("penalized likelihood", "logistf"))]
pub use firth::{Firth, FirthFit, FirthVariance};
pub use fit::Fit;
pub use glm::Glm;
pub use irls::Convergence;
#[doc(alias("dummy", "factor", "encoding"))]
pub use matrix::Category;
pub use matrix::Indicator;
#[doc(alias("design matrix", "dummy coding", "encoding"))]
pub use matrix::ModelMatrix;
#[doc(alias("nb2", "overdispersion", "glm.nb"))]
pub use negative_binomial::{NegativeBinomial, NegativeBinomialFit, Overdispersion};
pub use observations::{Grouped, Response, Weights};
pub use profile::ProfileInterval;
#[doc(alias("g-computation", "delta method", "influence function", "regression standardization"))]
#[doc(alias("bootstrap", "resampling of cases"))]
pub use replicates::StandardizedReplicates;
#[doc(alias("robust", "sandwich", "hc3", "heteroskedasticity"))]
#[doc(alias("hc0", "hc1", "hc2", "heteroscedasticity", "huber-white"))]
pub use sandwich::VarianceType;
pub use standardized::{MarginalVariance, Standardized};
pub use test::Reduced;
#[doc(alias("hurdle", "two-part model"))]
pub use two_part::{Amount, Amounts, StandardizedAmounts, TwoPart, TwoPartFit};

// For the kernels that standardise over the rows of a fit.
#[allow(unused_imports)]
pub(crate) use {observations::Unit, sandwich::WeightedBlock};
