//! Pooling of estimates given as plain numbers.
//!
//! Each model is a value whose `new()` holds the documented defaults. The result keeps the conventions
//! ([`Tau2`], [`Test`], [`PredictionDf`], [`PoolingWeights`]).
//!
//! | question | where |
//! |---|---|
//! | one effect of independent studies | [`RandomEffects`], [`CommonEffect`]; in bulk [`PreparedPool`] |
//! | one effect from counts or rates, rare events too | [`MantelHaenszel`], [`peto`] |
//! | effects explained by properties of the studies | [`MetaRegression`] with [`Moderators`], [`PermutationTest`] |
//! | subgroups of studies | [`SubgroupAnalysis`] |
//! | several effects of each study, joint covariances | [`MultivariateModel`] with [`MultivariateData`] |
//! | a network of treatments | [`NetworkData`], [`NetworkPool`], [`chance_p_score`] |
//! | estimates that depend on each other in unknown ways | [`cluster_robust`], [`cluster_robust_test`] |
//! | the pool without one study, or one more at a time | `leave_one_out`, `cumulative` and `influence` of both pools; [`baujat`] |
//! | asymmetry of the funnel plot | [`EggerTest`], [`rank_correlation`], `trim_and_fill` of both pools, [`henmi_copas`] |
//!
//! ```
//! use armwise::meta_analysis::RandomEffects;
//!
//! let pooled = RandomEffects::new().pool(&[0.04, 0.01, 0.06], &[0.0006, 0.0012, 0.0013])?;
//! // The effects differ by less than their errors: tau2 is zero, the weights are 1 / variance.
//! assert!(pooled.tau2 == 0.0 && (pooled.estimate - 0.037059).abs() < 1e-6);
//! # Ok::<(), armwise::Error>(())
//! ```

mod block;
pub(crate) mod dense;
mod estimable;
mod funnel;
mod henmi_copas;
mod influence;
pub(crate) mod lanes;
mod mantel_haenszel;
mod meta_regression;
mod meta_regression_fit;
mod moderator;
mod multivariate;
mod multivariate_pool;
mod network;
mod options;
pub(crate) mod permutation;
mod peto;
mod prediction;
mod prepared;
mod quantiles;
mod refit;
mod regression;
mod regression_tau2;
mod robust;
mod single_set;
mod solver;
mod structured;
mod subgroup;
mod summary;
mod tau2;
mod tau2_methods;
mod trim_and_fill;
mod univariate;
mod vector;

#[doc(no_inline)]
pub use super::{
    coefficient::Coefficient,
    counts::{AddTo, CellCorrection, Counts, PersonTime, RatePair, TwoByTwo},
    fitted::Fitted,
    hypothesis::{ChiSquaredTest, FTest, WaldTest},
};
pub use funnel::{
    EggerTest, FunnelRegression, KendallDistribution, RankCorrelation, StudySize, rank_correlation,
};
pub use henmi_copas::{HenmiCopas, HenmiCopasReference, henmi_copas};
pub use influence::{BaujatPoint, StudyInfluence, baujat};
pub use mantel_haenszel::{AssociationTests, CountMeasure, MantelHaenszel, RateMeasure, TablePool};
#[doc(alias("i2", "i-squared", "q test"))]
pub use meta_regression::{Heterogeneity, MetaRegression};
pub use meta_regression_fit::{MetaRegressionFit, Prediction, TermTest};
pub use moderator::{Intercept, Moderators};
pub use multivariate::{BetweenStructure, CoefficientTest, MultivariateData, MultivariateModel};
pub use multivariate_pool::MultivariatePool;
pub use network::{Estimated, NetworkData, NetworkPool, chance_p_score};
pub(crate) use options::MOST_COEFFICIENTS;
pub use options::{Alternative, PoolingWeights, PredictionDf, Tau2, Test};
pub use permutation::{PermutationTest, Permutations, PermutedCoefficient};
pub use peto::peto;
#[doc(alias("hksj", "hartung-knapp", "reml", "dersimonian-laird"))]
#[doc(alias("nagashima", "pimeta", "predictive distribution"))]
pub use prediction::{PREDICTION_FROM, PredictionRule};
pub use prepared::PreparedPool;
pub(crate) use prepared::check_data;
pub use robust::{ClusterCorrection, RobustPool, cluster_robust, cluster_robust_test};
pub use subgroup::{Subgroup, SubgroupAnalysis, SubgroupTau2};
#[doc(alias("i2", "prediction interval"))]
pub use summary::{Inference, OneSidedBounds, PoolEstimate, PoolSummary, PooledEffect};
pub use trim_and_fill::{FunnelSide, MissingStudies, TrimAndFill};
pub use univariate::{CommonEffect, ProfileLikelihood, RandomEffects};
