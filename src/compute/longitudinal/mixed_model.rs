use super::mixed_model_fit::MixedModelFit;
use super::patterns::Patterns;
use super::search::maximise;
use super::structure::{CovarianceStructure, Shape};
use super::wave_means::WaveMeans;
use crate::compute::linalg::held_jointly;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// The likelihood that is maximised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LikelihoodCriterion {
    /// Restricted maximum likelihood (REML), of the residuals: variances count the coefficients that were
    /// fitted.
    #[default]
    Restricted,
    /// Maximum likelihood (ML), for the comparison of models of means; its variances are too small in small
    /// samples.
    Full,
}

impl std::fmt::Display for LikelihoodCriterion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Restricted => "REML",
            Self::Full => "ML",
        })
    }
}

/// The mixed model for repeated measures: means by group and wave, and one covariance of a unit's waves.
///
/// # Formula
/// `y_i ~ N(X_i beta, V_i)`, `V_i` the rows and columns of `Sigma` at the waves that unit `i` has. The
/// restricted log-likelihood is `-1/2 {(n - p) ln 2 pi + sum ln|V_i| + ln|X'V^-1 X| + r'V^-1 r}`; the full
/// one has `n` for `n - p` and no third term. Newton's method with exact second derivatives ends where a step
/// is below 1e-12 standard errors. The covariance of the coefficients is `(X'V^-1 X)^-1`, also by maximum
/// likelihood.
///
/// # Assumptions
/// Units are independent, with one covariance for all groups. Missing outcomes are missing at random: given
/// what was observed of the unit, its group and its covariates.
///
/// # References
/// Laird NM, Ware JH (1982), Biometrics 38:963. Mallinckrodt CH et al. (2008), Drug Information Journal
/// 42:303.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MixedModel {
    structure: CovarianceStructure,
    criterion: LikelihoodCriterion,
}

impl MixedModel {
    /// With this covariance over waves; by REML.
    pub fn new(structure: CovarianceStructure) -> Self {
        Self { structure, criterion: LikelihoodCriterion::Restricted }
    }

    setters! {
        /// The likelihood that is maximised; default: [`LikelihoodCriterion::Restricted`].
        criterion: LikelihoodCriterion;
    }

    /// The fit.
    ///
    /// # Errors
    /// `rank_deficient` where a group has no outcome in a wave, or a covariate follows from others;
    /// `zero_variance` without residuals; `insufficient_observations` where no unit has the waves of a
    /// parameter; `not_estimable` for a singular covariance; `not_converged`.
    pub fn fit(&self, means: &WaveMeans) -> Result<MixedModelFit> {
        let shape = Shape::new(self.structure, means.waves().numbers());
        held_jointly(shape.parameters().len(), 300, "parameters of the covariance of waves")?;
        held_jointly(means.n_coefficients(), 1000, "coefficients of groups and waves")?;
        let patterns = Patterns::new(means)?;
        let peak = maximise(&patterns, &shape, self.criterion)?;
        Ok(MixedModelFit::new(means, (self.structure, self.criterion), &shape, patterns, peak))
    }
}
