//! How much each study moves the pooled effect: influence measures and Baujat coordinates.

use super::options::{PoolingWeights, Test};
use super::refit::Refit;
use super::summary::{PoolSummary, PooledEffect};
use super::univariate::{CommonEffect, RandomEffects};
use crate::compute::distribution::ChiSquared;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// The influence of one study. With mu, se and tau² of the pool of all k studies, and mu₋, se₋ and tau²₋ of
/// the pool without it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StudyInfluence {
    /// Its weight in the pool, from 0 to 1; also its hat value.
    pub weight: f64,
    /// (y - mu)/sqrt((1 - weight)(v + tau²)).
    pub standardized_residual: f64,
    /// The deleted residual (y - mu₋)/sqrt(f₋ (v + tau²₋) + se₋²), with f₋ the factor by which the test
    /// multiplied the variance of the pool without the study: 1 but for Hartung-Knapp.
    pub deleted_residual: f64,
    /// (mu - mu₋)/sqrt(f₋ weight (v + tau²₋)).
    pub dffits: f64,
    /// Cook's distance (mu - mu₋)²/se².
    pub cook_distance: f64,
    /// se₋²/se²: below 1 where the pool is more precise without the study.
    pub covariance_ratio: f64,
    /// (mu - mu₋)/sqrt(f₋/sum 1/(v + tau²₋)), the sum over all studies.
    pub dfbetas: f64,
    /// tau² without the study.
    pub tau2_deleted: f64,
    /// Cochran's Q without the study.
    pub q_deleted: f64,
    /// Whether |DFFITS| > 3/sqrt(k - 1), Cook's distance exceeds the median of chi-squared with one degree of
    /// freedom, the weight exceeds 3/k, or |DFBETAS| > 1.
    pub influential: bool,
}

/// The coordinates of a study in the plot of Baujat et al. 2002 (Stat. Med. 21), with the common-effect pool.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BaujatPoint {
    /// (y - mu)²/v: what the study contributes to Q.
    pub heterogeneity: f64,
    /// (mu₋ - mu)²/se₋²: how far the study moves the effect.
    pub influence: f64,
}

/// The standard error by the test, which the wider of both would change from one pool to the next: there it
/// is the model's.
fn standard_error(pool: &PoolSummary) -> f64 {
    if pool.test == Test::WiderOfBoth { pool.wald.se } else { pool.se }
}

fn of_each(
    pool: &PooledEffect,
    deleted: &[PoolSummary],
    yi: &[f64],
    vi: &[f64],
) -> Result<Vec<StudyInfluence>> {
    let k = yi.len() as f64;
    let median = ChiSquared::new(1.0)?.quantile(0.5);
    let of = |(i, without): (usize, &PoolSummary)| {
        let (weight, v) = (pool.weights[i], vi[i]);
        // 1 - weight, summed so that nothing cancels where one study dominates.
        let others: f64 = pool.weights[..i].iter().chain(&pool.weights[i + 1..]).sum();
        let (se, se_without) = (standard_error(pool), standard_error(without));
        let factor = (se_without / without.wald.se).powi(2);
        let shift = pool.estimate - without.estimate;
        let precision: f64 = vi.iter().map(|v| 1.0 / (v + without.tau2)).sum();
        let cook_distance = shift * shift / (se * se);
        let dffits = shift / (factor * weight * (v + without.tau2)).sqrt();
        let dfbetas = shift * (precision / factor).sqrt();
        StudyInfluence {
            weight,
            standardized_residual: (yi[i] - pool.estimate) / (others * (v + pool.tau2)).sqrt(),
            deleted_residual: (yi[i] - without.estimate)
                / (factor * (v + without.tau2) + se_without * se_without).sqrt(),
            dffits,
            cook_distance,
            covariance_ratio: (se_without / se).powi(2),
            dfbetas,
            tau2_deleted: without.tau2,
            q_deleted: without.q.statistic,
            influential: dffits.abs() > 3.0 / (k - 1.0).sqrt()
                || cook_distance > median
                || weight > 3.0 / k
                || dfbetas.abs() > 1.0,
        }
    };
    Ok(deleted.iter().enumerate().map(of).collect())
}

fn influence<M: Refit>(model: &M, yi: &[f64], vi: &[f64]) -> Result<Vec<StudyInfluence>> {
    if model.clone().settings().weights != PoolingWeights::InverseVariance {
        return Err(Error::invalid(
            "influence measures belong to inverse-variance weights; pool with these, or leave studies out one by one",
        ));
    }
    let deleted = model.leave_one_out_pools(yi, vi)?;
    of_each(&model.prepared(yi.len())?.pool(yi, vi)?, &deleted, yi, vi)
}

macro_rules! influences {
    ($model:ty, $example:literal) => {
        impl $model {
            /// The influence of each study on the pool, by leaving it out (Viechtbauer & Cheung 2010, Res.
            /// Synth. Methods 1). Standard errors are those of the test; with [`Test::WiderOfBoth`] those of
            /// the model. With two or three studies every one of them is influential, and the thresholds mean
            /// nothing.
            ///
            /// ```
            #[doc = $example]
            /// let (yi, vi) = ([0.1, 0.2, 0.1, 1.6], [0.01, 0.02, 0.01, 0.02]);
            /// assert!(model.influence(&yi, &vi)?[3].influential);
            /// # Ok::<(), armwise::Error>(())
            /// ```
            ///
            /// # Errors
            /// As `leave_one_out`; [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) for weights of one's own.
            pub fn influence(&self, yi: &[f64], vi: &[f64]) -> Result<Vec<StudyInfluence>> {
                influence(self, yi, vi)
            }
        }
    };
}

influences!(CommonEffect, "let model = armwise::meta_analysis::CommonEffect::new();");
influences!(RandomEffects, "let model = armwise::meta_analysis::RandomEffects::new();");

/// What each study contributes to Q, and how far it moves the common effect (Baujat et al. 2002, Stat. Med.
/// 21).
///
/// ```
/// use armwise::meta_analysis::{CommonEffect, baujat};
///
/// let (yi, vi) = ([0.1, 0.2, 0.6], [0.01, 0.02, 0.01]);
/// let q: f64 = baujat(&yi, &vi)?.iter().map(|point| point.heterogeneity).sum();
/// assert!((q - CommonEffect::new().pool(&yi, &vi)?.q.statistic).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # Errors
/// As [`CommonEffect::leave_one_out`].
pub fn baujat(yi: &[f64], vi: &[f64]) -> Result<Vec<BaujatPoint>> {
    let model = CommonEffect::new();
    let deleted = model.leave_one_out(yi, vi)?;
    let pool = model.pool(yi, vi)?;
    let point = |(i, without): (usize, &PoolSummary)| BaujatPoint {
        heterogeneity: (yi[i] - pool.estimate).powi(2) / vi[i],
        influence: ((without.estimate - pool.estimate) / without.se).powi(2),
    };
    Ok(deleted.iter().enumerate().map(point).collect())
}
