use super::Estimator;
use super::adjustment::{self, ARM, Adjustment, Prepared, adjustment_setters};
use super::clusters::refuse_alone;
use super::options::{field, is_usual};
use crate::compute::regression::{Amount, Amounts, Family, Fit, MarginalVariance, TwoPart, VarianceType};
use crate::design::{Comparison, Continuous, Notice};
use crate::effect::{
    About, ArmMeans, Contrast, Estimand, Estimates, LogRatioOfMeans, MeanDifference, RiskDifference,
    VarianceMethod,
};
use crate::error::Result;
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// The two-part model of an amount that is zero for many, such as hours or wages: whether there is an amount,
/// and how large it is, combined to the difference in means with zeros included.
///
/// The difference in means of all, zeros included, is also what
/// [`DifferenceInMeans`](crate::estimator::DifferenceInMeans) and
/// [`LinearRegression`](crate::estimator::LinearRegression) estimate without a model of the amount; this one
/// is more precise where its model holds. [`TwoPartRegression::parts`] reports both parts.
///
/// # Formula
/// `E(Y | a, x) = P(Y > 0 | a, x) E(Y | Y > 0, a, x)`: a logistic regression, and among those with an amount
/// gamma regression with log link (default), or linear regression of the logarithm, retransformed by normal
/// errors or by smearing ([`Amount`]). Means are standardised over everybody analysed; the effect is their
/// difference, in units of the outcome. With probability weights ([`weights`](Self::weights)) both parts and
/// the means are weighted by them.
///
/// # Assumptions
/// People were randomised one by one and are independent; the model of the amount holds.
///
/// # Interval
/// Normal, by the delta method with HC0 of both parts by default, covariates held fixed.
///
/// # Errors
/// An amount below zero; separation in the first part, such as an arm in which everybody has an amount; fewer
/// people with an amount than coefficients; smearing with another variance than HC0; normal errors, or a
/// model-based variance, with probability weights.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str(
///     "\
///     arm,wage\nc,0\nc,900\nc,0\nc,1100\nc,0\nt,1400\nt,1500\nt,0\nt,1600\nt,1500\n",
/// )?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let comparison = trial.on(&Measure::continuous("wage"))?;
/// let parts = TwoPartRegression::new().parts(&comparison)?;
/// assert!((parts.difference.treatment("t")?.value() - 800.0).abs() < 1e-6);
/// assert!((parts.participation.treatment("t")?.value() - 0.4).abs() < 1e-9);
/// assert!((parts.amount.treatment("t")?.ratio().unwrap() - 1.5).abs() < 1e-9);
/// assert!(parts.amount.notices().contains(&Notice::NoRandomisedGroups));
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Duan N, Manning WG, Morris CN, Newhouse JP (1983), Journal of Business & Economic Statistics 1:115.
/// Mullahy J (1998), Journal of Health Economics 17:247. Belotti F et al. (2015), Stata Journal 15:3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TwoPartRegression {
    #[serde(flatten, deserialize_with = "adjustment::weighted")]
    pub(super) adjustment: Adjustment,
    #[serde(deserialize_with = "field::amount")]
    amount: Amount,
    #[serde(deserialize_with = "field::variance")]
    variance: VarianceType,
    #[serde(skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

/// The effects of [`TwoPartRegression`]: combined, and of both parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TwoPartEffects {
    /// On the mean, zeros included.
    pub difference: Estimates<MeanDifference>,
    /// On the share that has an amount, standardised.
    pub participation: Estimates<RiskDifference>,
    /// The ratio of mean amounts among those who have one, for people with the same covariates: no comparison
    /// of randomised groups, as its notice says.
    pub amount: Estimates<LogRatioOfMeans>,
}

impl Default for TwoPartRegression {
    fn default() -> Self {
        Self {
            adjustment: Adjustment::default(),
            amount: Amount::Gamma,
            variance: VarianceType::Hc0,
            level: 0.95,
        }
    }
}

impl TwoPartRegression {
    /// Without covariates; gamma regression of the amount; HC0; level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    adjustment_setters!(sampled);

    setters! {
        /// The model of the amount; default: gamma.
        amount: Amount;
        /// The variance of both parts; default: HC0.
        variance: VarianceType;
    }

    /// The combined effect and those of both parts, from one fit.
    ///
    /// # Errors
    /// See [`TwoPartRegression`].
    pub fn parts(&self, comparison: &Comparison<Continuous>) -> Result<TwoPartEffects> {
        self.adjustment.refuse_precision("having an amount, the first part,")?;
        let prepared =
            self.adjustment.prepare(comparison, Family::Gaussian, "two-part regression", self.level)?;
        let comparison = prepared.comparison();
        let effects = prepared.with_columns(|columns| {
            let mut amounts = Amounts::new(columns.outcome)?;
            if let Some(weights) = columns.weights.numbers() {
                amounts = amounts.probability_weights(weights)?;
            }
            let fit = TwoPart::new().amount(self.amount).fit(&columns.matrix, &amounts)?;
            let method = |variance| prepared.method(variance);
            let means = fit.standardize(ARM)?;
            let covariance = means.covariance(self.variance)?;
            let of_coefficients = VarianceMethod::Regression(self.variance);
            let means =
                ArmMeans::new(comparison, means.means().to_vec(), covariance, method(of_coefficients))?
                    .notices(prepared.design_ignored());
            let shares = fit.participation().standardize(ARM)?;
            let marginal = MarginalVariance::Delta(self.variance);
            let covariance = shares.covariance(marginal)?;
            let of_shares = method(VarianceMethod::Marginal(marginal));
            let shares = ArmMeans::new(comparison, shares.means().to_vec(), covariance, of_shares)?
                .notices(prepared.design_ignored());
            Ok(TwoPartEffects {
                difference: means.level(self.level).contrast(MeanDifference)?,
                participation: shares.level(self.level).contrast(RiskDifference)?,
                amount: self.amounts(&prepared, fit.amount())?,
            })
        })?;
        Ok(effects)
    }

    /// The arms' coefficients among those who have an amount.
    fn amounts(&self, prepared: &Prepared<Continuous>, fit: &Fit) -> Result<Estimates<LogRatioOfMeans>> {
        let comparison = prepared.comparison().restricted(|outcome| outcome > 0.0)?;
        if matches!(self.variance, VarianceType::Hc0 | VarianceType::Hc1) {
            refuse_alone(&comparison)?;
        }
        let method = prepared.method(VarianceMethod::Regression(self.variance));
        let mut about = About::of(&comparison, Estimand::Conditional, method, self.level)?;
        about.notices.push(Notice::NoRandomisedGroups);
        about.notices.extend(prepared.design_ignored());
        let covariance = fit.covariance(self.variance)?;
        let columns = fit.matrix().columns_of(ARM)?;
        let mut contrasts = Vec::with_capacity(columns.len());
        for (arm, column) in comparison.treatments().iter().zip(columns.clone()) {
            let variance = covariance[[column, column]];
            let value = fit.coefficients()[column];
            contrasts.push(Contrast::wald(arm.clone(), value, variance, None, self.level)?);
        }
        let k = contrasts.len();
        let joint =
            Array2::from_shape_fn((k, k), |(i, j)| covariance[[columns.start + i, columns.start + j]]);
        Estimates::new(LogRatioOfMeans, about, comparison.reference().clone(), contrasts, joint)
    }
}

impl Estimator<Continuous> for TwoPartRegression {
    type Scale = MeanDifference;

    fn estimate(&self, comparison: &Comparison<Continuous>) -> Result<Estimates<MeanDifference>> {
        Ok(self.parts(comparison)?.difference)
    }
}
