use super::in_category::in_category;
use super::{CategoryEstimator, MultinomialRegression, ProportionalOddsRegression};
use crate::compute::categorical::Simultaneous;
use crate::compute::regression::MarginalVariance;
use crate::design::{Categorical, Comparison, Ordinal};
use crate::effect::{CategoryEffects, CategoryProbabilities, ContrastScale};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Marginal effects of a regression on every category: the model predicts everybody's probabilities in every arm, and a scale contrasts
/// their means.
///
/// Made by `marginal(scale)` of [`MultinomialRegression`] and [`ProportionalOddsRegression`]. The primary adjusted effect on an outcome of several
/// categories.
///
/// # Formula
/// `pi_ak = sum(P(Y_i = k | arm a, X_i)) / n` over everybody analysed; the effect contrasts `pi_ak` with `pi_0k` on the scale, its covariance
/// over treatments and categories by the delta method from that of all `pi_ak`.
///
/// # Assumptions
/// People were randomised one by one. With multinomial regression the effect is right even if the model is not; with proportional odds the
/// model has to hold.
///
/// # Interval
/// Normal. The variance counts the sampling of covariates by influence functions ([`MarginalVariance::Superpopulation`]); by the delta method
/// alone, covariates held fixed, with [`CategoryMarginal::variance`]. Each interval has the level by itself, or all together by
/// [`CategoryMarginal::simultaneous`].
///
/// # Errors
/// Those of the regression; a variance that is not defined for several categories; a log ratio of a probability of zero.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let csv = "arm,age,contract\nc,20,none\nc,40,none\nc,30,temporary\nc,45,permanent\nc,33,temporary\nt,25,none\nt,35,temporary\n\
///            t,50,permanent\nt,22,permanent\nt,31,none\n";
/// let trial = Trial::builder("Utrecht", Table::from_csv_str(csv)?).arm_labels("arm").control("c").build()?;
/// let model = ProportionalOddsRegression::new().adjust_for(["age"]).marginal(RiskDifference);
/// let effects = trial.on(&Contract::ordinal("contract"))?.estimate_categories(&model)?;
/// assert!(effects.category("permanent")?.treatment("t")?.value() > 0.0);
/// assert!(effects.category("none")?.treatment("t")?.value() < 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Agresti A (2013), Categorical Data Analysis, 3rd edition, chapter 8. Tsiatis AA (2006), Semiparametric Theory and Missing Data, chapter 3 (influence
/// functions).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryMarginal<M, S> {
    pub(super) model: M,
    pub(super) scale: S,
    #[serde(default = "usual_variance")]
    pub(super) variance: MarginalVariance,
    #[serde(default)]
    pub(super) simultaneous: Simultaneous,
}

fn usual_variance() -> MarginalVariance {
    MarginalVariance::Superpopulation
}

impl<M, S> CategoryMarginal<M, S> {
    pub(super) fn new(model: M, scale: S) -> Self {
        Self { model, scale, variance: usual_variance(), simultaneous: Simultaneous::Individual }
    }

    in_category!();

    /// The variance; default: [`MarginalVariance::Superpopulation`].
    #[must_use]
    pub fn variance(mut self, variance: MarginalVariance) -> Self {
        self.variance = variance;
        self
    }

    /// Whether the intervals of all treatments and categories hold together; default: each by itself.
    #[must_use]
    pub fn simultaneous(mut self, by: Simultaneous) -> Self {
        self.simultaneous = by;
        self
    }
}

impl<S> CategoryMarginal<MultinomialRegression, S> {
    /// The standardised probability of every category in every arm.
    ///
    /// # Errors
    /// See [`CategoryMarginal`].
    pub fn probabilities<K: Categorical>(&self, comparison: &Comparison<K>) -> Result<CategoryProbabilities> {
        let probabilities = self.model.probabilities(comparison, self.variance);
        Ok(probabilities.map_err(|error| comparison.locate(error))?.simultaneous(self.simultaneous))
    }
}

impl<S> CategoryMarginal<ProportionalOddsRegression, S> {
    /// The standardised probability of every category in every arm.
    ///
    /// # Errors
    /// See [`CategoryMarginal`].
    pub fn probabilities(&self, comparison: &Comparison<Ordinal>) -> Result<CategoryProbabilities> {
        let probabilities = self.model.probabilities(comparison, self.variance);
        Ok(probabilities.map_err(|error| comparison.locate(error))?.simultaneous(self.simultaneous))
    }
}

impl<K: Categorical, S: ContrastScale> CategoryEstimator<K> for CategoryMarginal<MultinomialRegression, S> {
    type Scale = S;

    fn estimate_categories(&self, comparison: &Comparison<K>) -> Result<CategoryEffects<S>> {
        self.probabilities(comparison)?.contrast(self.scale.clone())
    }
}

impl<S: ContrastScale> CategoryEstimator<Ordinal> for CategoryMarginal<ProportionalOddsRegression, S> {
    type Scale = S;

    fn estimate_categories(&self, comparison: &Comparison<Ordinal>) -> Result<CategoryEffects<S>> {
        self.probabilities(comparison)?.contrast(self.scale.clone())
    }
}
