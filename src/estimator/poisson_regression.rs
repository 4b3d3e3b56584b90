use super::adjustment::{self, Adjustment, Prepared, adjustment_setters};
use super::any::is_usual;
use super::any_regression::SharedFit;
use super::{AdjustedFit, CoefficientVariance, Estimator, Marginal};
use crate::compute::regression::{ClusterVariance, Family, VarianceType};
use crate::design::{Comparison, Count};
use crate::effect::{ContrastScale, Estimates, LogRateRatio};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Poisson regression of a count on arms and covariates, with the exposure of the measure as an offset.
///
/// By itself it estimates conditional log rate ratios. For differences and ratios of standardised rates: [`PoissonRegression::marginal`].
///
/// # Formula
/// `ln E(Y) = ln(t) + b_0 + sum(b_a [arm = a]) + x'c` with the exposure `t`, by maximum likelihood; the effect of arm `a` is `b_a`. Without covariates
/// it equals the log ratio of the rates.
///
/// # Assumptions
/// People were randomised one by one and are independent. With a robust variance counts need not be Poisson; only their mean is
/// modelled.
///
/// # Interval
/// Normal, with HC0 by default, as counts mostly vary more than Poisson counts; with declared clusters Student's t on clusters - 1 and CR1.
/// Others by [`PoissonRegression::variance`].
///
/// # Errors
/// Separation, such as an arm without events; aliased columns by name; fewer people than coefficients.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str("arm,age,applications\nc,20,2\nc,40,1\nc,30,3\nc,35,0\nt,25,4\nt,35,2\nt,50,6\nt,28,3\n")?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let model = PoissonRegression::new().adjust_for(["age"]);
/// let comparison = trial.on(&Measure::count("applications"))?;
/// let ratio = comparison.estimate(&model)?.treatment("t")?;
/// let difference = comparison.estimate(&model.marginal(RateDifference))?.treatment("t")?;
/// assert!(ratio.ratio().unwrap() > 1.0 && difference.value() > 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Gail MH, Wieand S, Piantadosi S (1984), Biometrika 71:431. Gourieroux C, Monfort A, Trognon A (1984), Econometrica 52:701. Cameron AC, Trivedi
/// PK (2013), Regression Analysis of Count Data, 2nd edition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PoissonRegression {
    #[serde(flatten, deserialize_with = "adjustment::interacting")]
    pub(super) adjustment: Adjustment,
    #[serde(skip_serializing_if = "Option::is_none")]
    variance: Option<CoefficientVariance>,
    #[serde(skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

impl Default for PoissonRegression {
    fn default() -> Self {
        Self { adjustment: Adjustment::default(), variance: None, level: 0.95 }
    }
}

impl PoissonRegression {
    /// Without covariates; HC0 standard errors; level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    adjustment_setters!();

    /// The variance of the conditional log rate ratios, a [`VarianceType`] or a [`ClusterVariance`]; default: HC0, and CR1 with
    /// Student's t on clusters - 1 where clusters were declared.
    #[must_use]
    pub fn variance(mut self, variance: impl Into<CoefficientVariance>) -> Self {
        self.variance = Some(variance.into());
        self
    }

    /// The estimator of marginal effects on a scale: rates standardised over everybody analysed, per unit of exposure. The default variance
    /// is that of Ye et al. (2023), and the superpopulation one where the measure has an exposure.
    #[doc(alias("gcomputation", "standardisation"))]
    pub fn marginal<S: ContrastScale>(&self, scale: S) -> Marginal<Self, S> {
        Marginal::new(self.clone(), scale)
    }

    /// The columns of the model, to be fitted once and used often.
    ///
    /// # Errors
    /// Unknown or unsuitable covariates.
    pub fn prepare<'c>(&self, comparison: &'c Comparison<Count>) -> Result<Prepared<'c, Count>> {
        self.adjustment.prepare(comparison, Family::Poisson, "Poisson regression", self.level)
    }
}

impl Estimator<Count> for PoissonRegression {
    type Scale = LogRateRatio;

    fn estimate(&self, comparison: &Comparison<Count>) -> Result<Estimates<LogRateRatio>> {
        self.conditional(&self.prepare(comparison)?.fit()?)
    }
}

impl SharedFit<Count> for PoissonRegression {
    fn prepared<'c>(&self, comparison: &'c Comparison<Count>) -> Result<Prepared<'c, Count>> {
        self.prepare(comparison)
    }

    fn conditional(&self, fit: &AdjustedFit<Count>) -> Result<Estimates<LogRateRatio>> {
        let (independent, clustered) = (VarianceType::Hc0, ClusterVariance::Cr1);
        let variance =
            CoefficientVariance::or_default(self.variance, fit.comparison(), independent, clustered);
        fit.arm_effects(LogRateRatio, self.adjustment.estimand(), variance)
    }
}
