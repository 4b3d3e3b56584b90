use super::AdjustedFit;
use super::adjustment::Prepared;
use super::options::Named;
use super::regression::{ModelOf, Regression, RegressionModel, StandardizedModel};
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
/// by maximum likelihood together. The effect of arm `a` is `b_a`, a conditional log rate ratio. For
/// differences and ratios of rates standardised over everybody analysed:
/// [`NegativeBinomialRegression::marginal`].
///
/// # Assumptions
/// People were randomised one by one and are independent; the variance grows as the formula says.
/// Standardised rates need the mean to be as the formula says, as the link is not canonical; their default
/// variance holds whatever the variance of the counts.
///
/// # Interval
/// Normal, with the model-based standard error at the estimated `theta` by default (coefficients and `theta`
/// are asymptotically independent); HC0 with probability weights; HC0 to HC3 by
/// [`NegativeBinomialRegression::variance`]. Standardised rates: the influence function that counts the
/// sampling of covariates and exposures and the estimation of coefficients and `theta`
/// ([`MarginalVariance::Superpopulation`](crate::regression::MarginalVariance)), summed by declared clusters;
/// the delta method at `theta` by choice.
///
/// # Errors
/// Those of [`PoissonRegression`](crate::estimator::PoissonRegression). Counts that vary no more than Poisson
/// counts give the Poisson regression with a notice.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str(
///     "\
///     arm,applications\nc,0\nc,1\nc,9\nc,2\nt,0\nt,14\nt,3\nt,19\n",
/// )?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let comparison = trial.on(&Measure::count("applications"))?;
/// let effect = comparison.estimate(&NegativeBinomialRegression::new())?.treatment("t")?;
/// assert!((effect.ratio().unwrap() - 3.0).abs() < 1e-9);
/// let difference =
///     comparison.estimate(&NegativeBinomialRegression::new().marginal(RateDifference))?;
/// // Nine applications a person against three.
/// assert!((difference.treatment("t")?.value() - 6.0).abs() < 1e-9);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Lawless JF (1987), Canadian Journal of Statistics 15:209. Cameron AC, Trivedi PK (2013), Regression
/// Analysis of Count Data, 2nd edition. Stefanski LA, Boos DD (2002), American Statistician 56:29 (stacked
/// estimating equations).
pub type NegativeBinomialRegression = Regression<NegativeBinomialModel>;

/// The model of [`NegativeBinomialRegression`].
#[derive(Debug, Clone, PartialEq)]
pub struct NegativeBinomialModel;

impl Named for NegativeBinomialModel {
    const OPTIONS: &'static [&'static str] =
        &["adjust_for", "reference_levels", "interact_arm_with", "weights", "offset", "variance", "level"];
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
            let theta = Some(fit.theta_influence());
            Ok((fit.at_theta().clone(), theta, notices.into_iter().collect()))
        })
    }
}

impl StandardizedModel for NegativeBinomialModel {}

impl ModelOf<Count> for NegativeBinomialModel {
    type Scale = LogRateRatio;
}
