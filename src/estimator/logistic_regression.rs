use super::adjustment::{self, Adjustment, Prepared, adjustment_setters};
use super::any::is_usual;
use super::any_regression::SharedFit;
use super::{AdjustedFit, CoefficientVariance, Estimator, Marginal};
use crate::compute::regression::{ClusterVariance, Family, VarianceType};
use crate::design::{Binary, Comparison};
use crate::effect::{ContrastScale, Estimates, LogOddsRatio};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Logistic regression of a binary outcome on arms and covariates.
///
/// By itself it estimates conditional log odds ratios. For differences and ratios of risks: [`LogisticRegression::marginal`].
///
/// # Formula
/// `logit P(Y = 1) = b_0 + sum(b_a [arm = a]) + x'c` by maximum likelihood (Newton's method until the step is negligible); the effect of arm `a` is `b_a`.
/// Without covariates it equals the log odds ratio of the counts.
///
/// # Assumptions
/// The logit is linear in the covariates; people are independent. Conditional odds ratios also assume that effects are the same for
/// everybody on this scale.
///
/// # Interval
/// Normal, with the model-based standard error by default; with declared clusters Student's t on clusters - 1 and CR1. Others by
/// [`LogisticRegression::variance`].
///
/// # Errors
/// Complete and quasi-complete separation, with the coefficients that have no finite estimate (decided exactly, not by the size of
/// coefficients); aliased columns by name; fewer people than coefficients.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str("arm,age,works\nc,20,0\nc,40,1\nc,30,0\nc,45,0\nt,25,1\nt,35,0\nt,50,1\nt,22,1\n")?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let model = LogisticRegression::new().adjust_for(["age"]);
/// let comparison = trial.on(&Measure::binary("works"))?;
/// let odds = comparison.estimate(&model)?.treatment("t")?;
/// let risk = comparison.estimate(&model.marginal(RiskDifference))?.treatment("t")?;
/// assert!(odds.estimand() == Estimand::Conditional && risk.estimand() == Estimand::Marginal);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// `McCullagh` P, Nelder JA (1989), Generalized Linear Models, 2nd edition. Albert A, Anderson JA (1984), Biometrika 71:1. Konis K (2007), Linear
/// programming algorithms for detecting separated data in binary logistic regression models, Oxford.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogisticRegression {
    #[serde(flatten, deserialize_with = "adjustment::interacting")]
    pub(super) adjustment: Adjustment,
    #[serde(skip_serializing_if = "Option::is_none")]
    variance: Option<CoefficientVariance>,
    #[serde(skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

impl Default for LogisticRegression {
    fn default() -> Self {
        Self { adjustment: Adjustment::default(), variance: None, level: 0.95 }
    }
}

impl LogisticRegression {
    /// Without covariates; model-based standard errors; level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    adjustment_setters!();

    /// The variance of the conditional log odds ratios, a [`VarianceType`] or a [`ClusterVariance`]; default: model-based, and CR1 with
    /// Student's t on clusters - 1 where clusters were declared.
    #[must_use]
    pub fn variance(mut self, variance: impl Into<CoefficientVariance>) -> Self {
        self.variance = Some(variance.into());
        self
    }

    /// The estimator of marginal effects on a scale, standardised over everybody analysed; its default variance counts the sampling of
    /// covariates, and the stratified randomisation where strata were declared.
    #[doc(alias("gcomputation", "standardisation"))]
    pub fn marginal<S: ContrastScale>(&self, scale: S) -> Marginal<Self, S> {
        Marginal::new(self.clone(), scale)
    }

    /// The columns of the model, to be fitted once and used often.
    ///
    /// # Errors
    /// Unknown or unsuitable covariates.
    pub fn prepare<'c>(&self, comparison: &'c Comparison<Binary>) -> Result<Prepared<'c, Binary>> {
        self.adjustment.prepare(comparison, Family::Binomial, "logistic regression", self.level)
    }
}

impl Estimator<Binary> for LogisticRegression {
    type Scale = LogOddsRatio;

    fn estimate(&self, comparison: &Comparison<Binary>) -> Result<Estimates<LogOddsRatio>> {
        self.conditional(&self.prepare(comparison)?.fit()?)
    }
}

impl SharedFit<Binary> for LogisticRegression {
    fn prepared<'c>(&self, comparison: &'c Comparison<Binary>) -> Result<Prepared<'c, Binary>> {
        self.prepare(comparison)
    }

    fn conditional(&self, fit: &AdjustedFit<Binary>) -> Result<Estimates<LogOddsRatio>> {
        let (independent, clustered) = (VarianceType::Model, ClusterVariance::Cr1);
        let variance =
            CoefficientVariance::or_default(self.variance, fit.comparison(), independent, clustered);
        fit.arm_effects(LogOddsRatio, self.adjustment.estimand(), variance)
    }
}
