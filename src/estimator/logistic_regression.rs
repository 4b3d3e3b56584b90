use super::options::Named;
use super::regression::{CanonicalModel, ModelOf, Regression, RegressionModel, StandardizedModel};
use crate::compute::regression::{ClusterVariance, Family, VarianceType};
use crate::design::Binary;
use crate::effect::LogOddsRatio;

/// Logistic regression of a binary outcome on arms and covariates.
///
/// By itself it estimates conditional log odds ratios. For differences and ratios of risks:
/// [`LogisticRegression::marginal`].
///
/// # Formula
/// `logit P(Y = 1) = b_0 + sum(b_a [arm = a]) + x'c` by maximum likelihood (Newton's method until the step is
/// negligible); the effect of arm `a` is `b_a`. Without covariates it equals the log odds ratio of the
/// counts.
///
/// # Assumptions
/// The logit is linear in the covariates; people are independent. Conditional odds ratios also assume that
/// effects are the same for everybody on this scale.
///
/// # Interval
/// Normal, with the model-based standard error by default; HC0 with probability weights; with declared
/// clusters CR2 of Pearson residuals and Student's t on Satterthwaite's degrees of freedom of each effect.
/// Others by [`LogisticRegression::variance`].
///
/// # Errors
/// Complete and quasi-complete separation, with the coefficients that have no finite estimate (decided
/// exactly, not by the size of coefficients); aliased columns by name; fewer people than coefficients.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str(
///     "\
///     arm,age,works\nc,20,0\nc,40,1\nc,30,0\nc,45,0\nt,25,1\nt,35,0\nt,50,1\n\
///     t,22,1\n",
/// )?;
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
/// McCullagh P, Nelder JA (1989), Generalized Linear Models, 2nd edition. Albert A, Anderson JA (1984),
/// Biometrika 71:1. Konis K (2007), Linear programming algorithms for detecting separated data in binary
/// logistic regression models, Oxford.
pub type LogisticRegression = Regression<LogisticModel>;

/// The model of [`LogisticRegression`].
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticModel;

impl Named for LogisticModel {
    const OPTIONS: &'static [&'static str] =
        &["adjust_for", "reference_levels", "interact_arm_with", "weights", "offset", "variance", "level"];
}

impl RegressionModel for LogisticModel {
    const NAME: &'static str = "logistic regression";
    const FAMILY: Family = Family::Binomial;
    const VARIANCE: (VarianceType, ClusterVariance) = (VarianceType::Model, ClusterVariance::Cr2Pearson);
}

impl StandardizedModel for LogisticModel {}

impl CanonicalModel for LogisticModel {}

impl ModelOf<Binary> for LogisticModel {
    type Scale = LogOddsRatio;
}
