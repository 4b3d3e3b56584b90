//! Regressions on arms and covariates: one struct, whose model is a type.

use super::adjustment::{self, Adjustment, Prepared, Terms, adjustment_setters};
use super::options::{Named, Of, field, is_usual};
use super::{AdjustedFit, CoefficientVariance, Estimator, Marginal};
use crate::compute::regression::{ClusterVariance, Family, VarianceType};
use crate::design::{Binary, Comparison, Continuous, OutcomeKind};
use crate::effect::{ContrastScale, Estimand, Estimates, MeanDifference, RiskDifference, Scale};
use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// A regression of an outcome on arms and covariates, by the model `M`.
///
/// Its names are [`LogisticRegression`](crate::estimator::LogisticRegression),
/// [`LinearRegression`](crate::estimator::LinearRegression),
/// [`PoissonRegression`](crate::estimator::PoissonRegression) and
/// [`NegativeBinomialRegression`](crate::estimator::NegativeBinomialRegression), which document formula,
/// assumptions, interval and errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, bound = "M: RegressionModel")]
pub struct Regression<M> {
    #[serde(flatten, deserialize_with = "adjustment::taken_by::<M, _>")]
    pub(super) adjustment: Adjustment,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "field::variance")]
    pub(super) variance: Option<CoefficientVariance>,
    #[serde(skip_serializing_if = "is_usual")]
    pub(super) level: f64,
    #[serde(flatten)]
    model: Of<M>,
}

/// A model of [`Regression`].
pub trait RegressionModel: Named + Debug + Clone + PartialEq + 'static {
    /// The name in words.
    const NAME: &'static str;
    /// The name with products of all covariates and arms.
    const INTERACTED: &'static str = Self::NAME;
    /// The distribution of the outcome.
    const FAMILY: Family;
    /// The default variance: of people who are independent, and of people in declared clusters.
    const VARIANCE: (VarianceType, ClusterVariance);
    /// The coefficient of an arm is the marginal effect, too.
    const COLLAPSIBLE: bool = false;

    /// Fits the model to prepared columns.
    ///
    /// # Errors
    /// Those of the model.
    fn fit<'p, K: OutcomeKind>(prepared: &'p Prepared<'_, K>) -> Result<AdjustedFit<'p, K>> {
        prepared.fit()
    }
}

/// A model that predicts everybody's outcome in every arm, for marginal effects.
pub trait StandardizedModel: RegressionModel {}

/// A model whose means are right for randomised arms even if it is not: with a canonical link.
pub trait CanonicalModel: StandardizedModel {}

/// A model of an outcome of kind `K`.
#[diagnostic::on_unimplemented(
    message = "`Regression<{Self}>` does not estimate effects on an outcome of kind `{K}`",
    label = "this estimator does not fit the outcome",
    note = "the table in the crate's documentation says which estimators fit which kind of outcome"
)]
pub trait ModelOf<K: OutcomeKind>: RegressionModel {
    /// The scale of an arm's coefficient.
    type Scale: Scale + Default;
}

/// A kind of outcome that has means: an event, or a number on a scale.
#[diagnostic::on_unimplemented(
    message = "an outcome of kind `{Self}` has no means that this estimator compares",
    note = "the table in the crate's documentation says which estimators fit which kind of outcome"
)]
pub trait MeanOutcome: OutcomeKind {
    /// The scale of a difference of means.
    type Difference: Scale + Default;
    /// The family of its canonical regression.
    const FAMILY: Family;
}

impl MeanOutcome for Binary {
    type Difference = RiskDifference;
    const FAMILY: Family = Family::Binomial;
}

impl MeanOutcome for Continuous {
    type Difference = MeanDifference;
    const FAMILY: Family = Family::Gaussian;
}

impl<M: RegressionModel> Default for Regression<M> {
    fn default() -> Self {
        Self { adjustment: Adjustment::default(), variance: None, level: 0.95, model: Of::default() }
    }
}

impl<M: RegressionModel> Regression<M> {
    /// Without covariates; the default variance of the model; level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    adjustment_setters!(conditional);

    /// The variance of the coefficients, a [`VarianceType`] or a [`ClusterVariance`]; default: that of the
    /// model, HC0 where that is model-based and weights are those of probability, and its cluster-robust one
    /// with Student's t where clusters were declared.
    #[must_use]
    pub fn variance(mut self, variance: impl Into<CoefficientVariance>) -> Self {
        self.variance = Some(variance.into());
        self
    }

    pub(super) fn columns<'c, K: OutcomeKind>(
        &self,
        comparison: &'c Comparison<K>,
    ) -> Result<Prepared<'c, K>> {
        let name = match self.adjustment.terms {
            Terms::Additive => M::NAME,
            Terms::Interacted => M::INTERACTED,
        };
        self.adjustment.prepare(comparison, M::FAMILY, name, self.level)
    }

    /// The effects that are coefficients of a fit, by this variance or the default one.
    pub(super) fn conditional<K: OutcomeKind>(
        &self,
        fit: &AdjustedFit<K>,
        variance: Option<CoefficientVariance>,
    ) -> Result<Estimates<M::Scale>>
    where
        M: ModelOf<K>,
    {
        let (independent, clustered) = M::VARIANCE;
        let independent = match independent {
            VarianceType::Model if fit.prepared.has_probability_weights() => VarianceType::Hc0,
            independent => independent,
        };
        let variance = CoefficientVariance::or_default(variance, fit.comparison(), independent, clustered);
        let estimand = if M::COLLAPSIBLE { Estimand::Marginal } else { self.adjustment.estimand() };
        fit.arm_effects(M::Scale::default(), estimand, variance)
    }
}

impl<M: StandardizedModel> Regression<M> {
    /// Covariates whose effect may differ between arms: their products with every arm enter the model,
    /// besides their main effects. Effects are then those of [`marginal`](Self::marginal). Default: none.
    #[must_use]
    pub fn interact_arm_with<T: AsRef<str>>(mut self, covariates: impl IntoIterator<Item = T>) -> Self {
        self.adjustment.interactions = covariates.into_iter().map(|name| name.as_ref().to_owned()).collect();
        self
    }

    /// The estimator of marginal effects on a scale, standardised over everybody analysed: proportions,
    /// means, or rates per unit of exposure. Its default variance counts the sampling of covariates, and the
    /// stratified randomisation where strata were declared; see [`Marginal::variance`].
    #[doc(alias("gcomputation", "standardisation"))]
    pub fn marginal<S: ContrastScale>(&self, scale: S) -> Marginal<Self, S> {
        Marginal::new(self.clone(), scale)
    }
}

impl<M: CanonicalModel> Regression<M> {
    /// The columns of the model, to be fitted once and used often.
    ///
    /// # Errors
    /// Unknown or unsuitable covariates.
    pub fn prepare<'c, K: OutcomeKind>(&self, comparison: &'c Comparison<K>) -> Result<Prepared<'c, K>>
    where
        M: ModelOf<K>,
    {
        self.columns(comparison)
    }
}

impl<K: OutcomeKind, M: ModelOf<K>> Estimator<K> for Regression<M> {
    type Scale = M::Scale;

    fn estimate(&self, comparison: &Comparison<K>) -> Result<Estimates<M::Scale>> {
        self.conditional(&M::fit(&self.columns(comparison)?)?, self.variance)
    }
}
