//! A posterior in a few numbers, and under several priors.

use super::mixture::Summary;
use super::posterior::Posterior;
use super::prior::NormalNormal;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// A posterior in a few numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PosteriorSummary {
    /// The priors.
    pub priors: NormalNormal,
    /// The mean effect.
    pub mu: Summary,
    /// The heterogeneity.
    pub tau: Summary,
    /// The effect in a new study.
    pub predictive: Summary,
    /// The logarithm of the marginal likelihood; `None` with an improper prior of tau.
    pub log_evidence: Option<f64>,
}

impl Posterior {
    /// Mean effect, heterogeneity and effect in a new study in a few numbers; `level` between 0 and 1, as
    /// 0.95.
    ///
    /// # Errors
    /// `invalid_input` for a level outside (0, 1).
    pub fn summary(&self, level: f64) -> Result<PosteriorSummary> {
        Ok(PosteriorSummary {
            priors: self.priors(),
            mu: self.mu().summary(level)?,
            tau: self.tau().summary(level)?,
            predictive: self.predictive().summary(level)?,
            log_evidence: self.log_evidence(),
        })
    }
}

/// The same estimates under several priors, in their order.
///
/// # Errors
/// As [`NormalNormal::posterior`]; `invalid_input` for a level outside (0, 1).
///
/// ```
/// use armwise::bayes::{NormalNormal, TauPrior, prior_sensitivity};
///
/// let priors =
///     [0.25, 0.5, 1.0].map(|scale| NormalNormal::new(TauPrior::HalfNormal { scale }));
/// let (yi, vi) = ([0.12, 0.47, 0.30], [0.011, 0.024, 0.015]);
/// let rows = prior_sensitivity(&priors, &yi, &vi, 0.95)?;
/// assert!(rows[0].tau.median < rows[2].tau.median);
/// # Ok::<(), armwise::Error>(())
/// ```
pub fn prior_sensitivity(
    models: &[NormalNormal],
    yi: &[f64],
    vi: &[f64],
    level: f64,
) -> Result<Vec<PosteriorSummary>> {
    models.iter().map(|model| model.posterior(yi, vi)?.summary(level)).collect()
}
