use super::adjustment::Prepared;
use super::{Estimator, LinearRegression, LogisticRegression, PoissonRegression};
use crate::compute::regression::MarginalVariance;
use crate::design::{Binary, Comparison, Continuous, Count, OutcomeKind};
use crate::effect::{ContrastScale, Estimates};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Marginal effects of a regression: the model predicts everybody's outcome in every arm, and a scale contrasts the means.
///
/// Made by `marginal(scale)` of a regression. The primary adjusted effect on a binary outcome.
///
/// # Formula
/// `mu_a = sum(m_a(X_i)) / n` over everybody analysed, `m_a(X_i)` being the fitted mean of person `i` in arm `a`; the effect contrasts `mu_a` with
/// `mu_0` on the scale, its variance by the delta method from the joint covariance of all `mu_a`.
///
/// # Assumptions
/// People were randomised. With a canonical link the effect is right even if the model is not.
///
/// # Interval
/// Normal. The variance is that of Ye et al. (2023), which counts the sampling of covariates, and with declared strata its
/// correction for stratified randomisation; with declared clusters the superpopulation variance summed by cluster, with Student's t on
/// clusters - 1. Others by [`Marginal::variance`].
///
/// # Errors
/// Those of the regression; a stratum in which an arm never occurs, for the stratified variance; a negative variance, with the name
/// of the variance that cannot be negative; a log ratio of a mean that is not positive.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str("arm,age,works\nc,20,0\nc,40,1\nc,30,0\nc,45,0\nt,25,1\nt,35,0\nt,50,1\nt,22,1\n")?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let marginal = LogisticRegression::new().adjust_for(["age"]).marginal(RiskDifference);
/// let effect = trial.on(&Measure::binary("works"))?.estimate(&marginal)?.treatment("t")?;
/// assert!(effect.value() > 0.0 && effect.se() > 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Ye T, Bannick M, Yi Y, Shao J (2023), Statistical Theory and Related Fields 7:159, doi:10.1080/24754269.2023.2205802. Bugni FA, Canay IA,
/// Shaikh AM (2018), Journal of the American Statistical Association 113:1784. FDA (2023), Adjusting for covariates in randomized
/// clinical trials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marginal<M, S> {
    pub(super) model: M,
    pub(super) scale: S,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) variance: Option<MarginalVariance>,
}

impl<M, S> Marginal<M, S> {
    pub(super) fn new(model: M, scale: S) -> Self {
        Self { model, scale, variance: None }
    }

    /// The variance; default: Ye et al. (2023), stratified where strata were declared; superpopulation where the model has weights or an
    /// offset or the measure an exposure; clustered where clusters were declared.
    #[must_use]
    pub fn variance(mut self, variance: MarginalVariance) -> Self {
        self.variance = Some(variance);
        self
    }

    fn of<K: OutcomeKind>(&self, prepared: &Prepared<'_, K>) -> Result<Estimates<S>>
    where
        S: ContrastScale,
    {
        let fit = prepared.fit()?;
        fit.arm_means(self.variance.unwrap_or_else(|| fit.default_variance()))?.contrast(self.scale.clone())
    }
}

impl<S: ContrastScale> Estimator<Binary> for Marginal<LogisticRegression, S> {
    type Scale = S;

    fn estimate(&self, comparison: &Comparison<Binary>) -> Result<Estimates<S>> {
        self.of(&self.model.prepare(comparison)?)
    }
}

impl<S: ContrastScale> Estimator<Binary> for Marginal<LinearRegression, S> {
    type Scale = S;

    fn estimate(&self, comparison: &Comparison<Binary>) -> Result<Estimates<S>> {
        self.of(&self.model.prepare(comparison)?)
    }
}

impl<S: ContrastScale> Estimator<Count> for Marginal<PoissonRegression, S> {
    type Scale = S;

    fn estimate(&self, comparison: &Comparison<Count>) -> Result<Estimates<S>> {
        self.of(&self.model.prepare(comparison)?)
    }
}

impl<S: ContrastScale> Estimator<Continuous> for Marginal<LinearRegression, S> {
    type Scale = S;

    fn estimate(&self, comparison: &Comparison<Continuous>) -> Result<Estimates<S>> {
        self.of(&self.model.prepare(comparison)?)
    }
}
