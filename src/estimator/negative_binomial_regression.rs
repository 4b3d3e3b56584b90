use super::AdjustedFit;
use super::adjustment::{self, Adjustment, Prepared, adjustment_setters};
use super::any::is_usual;
use super::{CoefficientVariance, Estimator};
use crate::compute::regression::{ClusterVariance, Family, NegativeBinomial, VarianceType};
use crate::design::{Comparison, Count, Notice};
use crate::effect::{Estimates, LogRateRatio};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Negative binomial regression of a count on arms and covariates, with the exposure of the measure as an offset.
///
/// Use it on counts that vary more than Poisson counts, where the negative binomial variance is believed; otherwise
/// [`PoissonRegression`](crate::estimator::PoissonRegression) with its robust variance assumes less.
///
/// # Formula
/// `ln E(Y) = ln(t) + b_0 + sum(b_a [arm = a]) + x'c`, `Var(Y) = mu + mu^2 / theta`; coefficients and `theta` by maximum likelihood together. The effect
/// of arm `a` is `b_a`, a conditional log rate ratio.
///
/// # Assumptions
/// People were randomised one by one and are independent; the variance grows as the formula says.
///
/// # Interval
/// Normal, with the model-based standard error at the estimated `theta` by default (coefficients and `theta` are asymptotically independent);
/// HC0 to HC3 by [`NegativeBinomialRegression::variance`].
///
/// # Errors
/// Those of [`PoissonRegression`](crate::estimator::PoissonRegression). Counts that vary no more than Poisson counts give the Poisson regression with a notice.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str("arm,applications\nc,0\nc,1\nc,9\nc,2\nt,0\nt,14\nt,3\nt,19\n")?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let comparison = trial.on(&Measure::count("applications"))?;
/// let effect = comparison.estimate(&NegativeBinomialRegression::new())?.treatment("t")?;
/// assert!((effect.ratio().unwrap() - 3.0).abs() < 1e-9);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Lawless JF (1987), Canadian Journal of Statistics 15:209. Cameron AC, Trivedi PK (2013), Regression Analysis of Count Data, 2nd edition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NegativeBinomialRegression {
    #[serde(flatten, deserialize_with = "adjustment::conditional")]
    pub(super) adjustment: Adjustment,
    #[serde(skip_serializing_if = "Option::is_none")]
    variance: Option<CoefficientVariance>,
    #[serde(skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

impl Default for NegativeBinomialRegression {
    fn default() -> Self {
        Self { adjustment: Adjustment::default(), variance: None, level: 0.95 }
    }
}

impl NegativeBinomialRegression {
    /// Without covariates; model-based standard errors; level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    adjustment_setters!(conditional);

    /// The variance of the conditional log rate ratios, a [`VarianceType`] or a [`ClusterVariance`]; default: model-based, and CR1 with
    /// Student's t on clusters - 1 where clusters were declared.
    #[must_use]
    pub fn variance(mut self, variance: impl Into<CoefficientVariance>) -> Self {
        self.variance = Some(variance.into());
        self
    }

    fn fit<'p>(prepared: &'p Prepared<'_, Count>) -> Result<AdjustedFit<'p, Count>> {
        prepared.fit_with(|columns| {
            let mut model = NegativeBinomial::new().weights(columns.weights);
            if let Some(offset) = columns.offset {
                model = model.offset(offset);
            }
            let fit = model.fit(&columns.matrix, columns.outcome)?;
            let notices = fit.overdispersion().is_none().then_some(Notice::NoOverdispersion);
            Ok((fit.at_theta().clone(), notices.into_iter().collect()))
        })
    }
}

impl Estimator<Count> for NegativeBinomialRegression {
    type Scale = LogRateRatio;

    fn estimate(&self, comparison: &Comparison<Count>) -> Result<Estimates<LogRateRatio>> {
        let estimator = "negative binomial regression";
        let prepared = self.adjustment.prepare(comparison, Family::Poisson, estimator, self.level)?;
        let (independent, clustered) = (VarianceType::Model, ClusterVariance::Cr1);
        let variance = CoefficientVariance::or_default(self.variance, comparison, independent, clustered);
        Self::fit(&prepared)?.arm_effects(LogRateRatio, self.adjustment.estimand(), variance)
    }
}
