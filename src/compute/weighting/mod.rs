//! Means of levels by inverse-probability weighting, with and without a regression of the outcome, and with
//! the variance that counts that probabilities and regressions were estimated.
//!
//! | what | where |
//! |---|---|
//! | weights from the probability of the level that a row has | [`InverseProbability::of_level`], [`InverseProbability::of_shares`] |
//! | weights from the probability that a row has an outcome | [`InverseProbability::of_response`] |
//! | weighted means (Hajek, Horvitz-Thompson) | [`InverseProbability::means`] |
//! | augmented (doubly robust) means | [`InverseProbability::augmented_means`] |
//! | weighted least squares | [`InverseProbability::regression`] |

mod augmented;
mod regression;
mod weights;

#[doc(alias("aipw", "doubly robust"))]
pub use augmented::OutcomeModel;
#[doc(alias("weighted least squares", "inverse probability of observation"))]
pub use regression::WeightedRegression;
#[doc(alias("ipw", "propensity score", "horvitz-thompson", "hajek", "m-estimation"))]
pub use weights::{InverseProbability, Normalization, NuisanceVariance, WeightedMeans};
