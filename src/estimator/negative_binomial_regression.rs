use super::AdjustedFit;
use super::adjustment::Prepared;
use super::options::Named;
use super::regression::{ModelOf, Regression, RegressionModel};
use crate::compute::regression::{ClusterVariance, Family, NegativeBinomial, VarianceType};
use crate::design::{Count, Notice, OutcomeKind};
use crate::effect::LogRateRatio;
use crate::error::Result;

/// Negative binomial regression of a count on arms and covariates, with the exposure of the measure as an
/// offset.
///
/// Use it on counts that vary more than Poisson counts, where the negative binomial variance is believed;
/// otherwise [`PoissonRegression`](crate::estimator::PoissonRegression) with its robust variance assumes
/// less.
///
/// # Formula
/// `ln E(Y) = ln(t) + b_0 + sum(b_a [arm = a]) + x'c`, `Var(Y) = mu + mu^2 / theta`; coefficients and `theta`
/// by maximum likelihood together. The effect of arm `a` is `b_a`, a conditional log rate ratio.
///
/// # Assumptions
/// People were randomised one by one and are independent; the variance grows as the formula says.
///
/// # Interval
/// Normal, with the model-based standard error at the estimated `theta` by default (coefficients and `theta`
/// are asymptotically independent); HC0 with probability weights; HC0 to HC3 by
/// [`NegativeBinomialRegression::variance`].
///
/// # Errors
/// Those of [`PoissonRegression`](crate::estimator::PoissonRegression). Counts that vary no more than Poisson
/// counts give the Poisson regression with a notice.
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
/// Lawless JF (1987), Canadian Journal of Statistics 15:209. Cameron AC, Trivedi PK (2013), Regression
/// Analysis of Count Data, 2nd edition.
pub type NegativeBinomialRegression = Regression<NegativeBinomialModel>;

/// The model of [`NegativeBinomialRegression`].
#[derive(Debug, Clone, PartialEq)]
pub struct NegativeBinomialModel;

impl Named for NegativeBinomialModel {
    const OPTIONS: &'static [&'static str] =
        &["adjust_for", "reference_levels", "weights", "offset", "variance", "level"];
}

impl RegressionModel for NegativeBinomialModel {
    const NAME: &'static str = "negative binomial regression";
    const FAMILY: Family = Family::Poisson;
    const VARIANCE: (VarianceType, ClusterVariance) = (VarianceType::Model, ClusterVariance::Cr2Pearson);

    fn fit<'p, K: OutcomeKind>(prepared: &'p Prepared<'_, K>) -> Result<AdjustedFit<'p, K>> {
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

impl ModelOf<Count> for NegativeBinomialModel {
    type Scale = LogRateRatio;
}
