use super::adjustment::ARM;
use super::category_model::CategoryModel;
use super::options::field;
use super::regression::{ModelOf, Regression, StandardizedModel};
use super::{AdjustedFit, CategoryEstimator, Estimator, InCategory, ResampledValues};
use crate::compute::categorical::Simultaneous;
use crate::compute::regression::MarginalVariance;
use crate::design::{Categorical, Comparison, Ordinal, OutcomeKind};
use crate::effect::{CategoryEffects, CategoryProbabilities, ContrastScale, Estimates};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Marginal effects of a regression: the model predicts everybody's outcome, or the probabilities of its
/// categories, in every arm, and a scale contrasts the means.
///
/// Made by `marginal(scale)` of a regression. The primary adjusted effect on a binary outcome, and on one of
/// several categories.
///
/// # Formula
/// `mu_a = sum(m_a(X_i)) / n` over everybody analysed, `m_a(X_i)` being the fitted mean of person `i` in arm
/// `a`, or the fitted probability of a category; the effect contrasts `mu_a` with `mu_0` on the scale, its
/// variance by the delta method from the joint covariance of all `mu_a`.
///
/// # Assumptions
/// People were randomised. With a canonical link, and with multinomial regression, the effect is right even
/// if the model is not; with proportional odds the model has to hold, with negative binomial regression its
/// mean.
///
/// # Interval
/// Normal. The variance of means is that of Ye et al. (2023), which counts the sampling of covariates, and
/// with declared strata its correction for stratified randomisation; with declared clusters the
/// superpopulation variance summed by cluster, with Student's t on Satterthwaite's degrees of freedom of each
/// contrast. That of probabilities of categories counts the sampling of covariates by influence functions
/// ([`MarginalVariance::Superpopulation`]). Others by [`Marginal::variance`]. The interval of each category
/// has the level by itself, or all together by [`Marginal::simultaneous`].
///
/// # Errors
/// Those of the regression; a stratum in which an arm never occurs, for the stratified variance; a negative
/// variance, with the name of the variance that cannot be negative; a log ratio of a mean that is not
/// positive; a variance that is not defined for several categories.
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
/// let marginal = LogisticRegression::new().adjust_for(["age"]).marginal(RiskDifference);
/// let effect = trial.on(&Measure::binary("works"))?.estimate(&marginal)?.treatment("t")?;
/// assert!(effect.value() > 0.0 && effect.se() > 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// Of several categories:
///
/// ```
/// use armwise::prelude::*;
///
/// let csv = "arm,age,contract\nc,20,none\nc,40,none\nc,30,temporary\n\
///      c,45,permanent\nc,33,temporary\nt,25,none\n\
///            t,35,temporary\nt,50,permanent\nt,22,permanent\nt,31,none\n";
/// let trial = Trial::builder("Utrecht", Table::from_csv_str(csv)?)
///     .arm_labels("arm")
///     .control("c")
///     .build()?;
/// let model = ProportionalOddsRegression::new().adjust_for(["age"]).marginal(RiskDifference);
/// let effects = trial.on(&Contract::ordinal("contract"))?.estimate_categories(&model)?;
/// assert!(effects.category("permanent")?.treatment("t")?.value() > 0.0);
/// assert!(effects.category("none")?.treatment("t")?.value() < 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Ye T, Bannick M, Yi Y, Shao J (2023), Statistical Theory and Related Fields 7:159,
/// doi:10.1080/24754269.2023.2205802. Bugni FA, Canay IA, Shaikh AM (2018), Journal of the American
/// Statistical Association 113:1784. FDA (2023), Adjusting for covariates in randomized clinical trials.
/// Agresti A (2013), Categorical Data Analysis, 3rd edition, chapter 8. Tsiatis AA (2006), Semiparametric
/// Theory and Missing Data, chapter 3 (influence functions).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marginal<M, S> {
    pub(super) model: M,
    pub(super) scale: S,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "field::variance")]
    pub(super) variance: Option<MarginalVariance>,
    #[serde(default, skip_serializing_if = "is_individual", deserialize_with = "field::simultaneous")]
    pub(super) simultaneous: Simultaneous,
}

// The signature that serde asks for.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_individual(simultaneous: &Simultaneous) -> bool {
    *simultaneous == Simultaneous::Individual
}

impl<M, S> Marginal<M, S> {
    pub(super) fn new(model: M, scale: S) -> Self {
        Self { model, scale, variance: None, simultaneous: Simultaneous::Individual }
    }

    /// The same effects of another model.
    pub(super) fn with<N>(&self, model: N) -> Marginal<N, S>
    where
        S: Clone,
    {
        let scale = self.scale.clone();
        Marginal { model, scale, variance: self.variance, simultaneous: self.simultaneous }
    }

    setters! {
        /// The variance; default: Ye et al. (2023), stratified where strata were declared; superpopulation where
        /// the model has weights or an offset or is negative binomial, the measure an exposure, or the outcome
        /// several categories; clustered where clusters were declared.
        variance: MarginalVariance as Some;
    }

    pub(super) fn variance_of<K: OutcomeKind>(&self, fit: &AdjustedFit<K>) -> MarginalVariance {
        self.variance.unwrap_or_else(|| fit.default_variance())
    }

    /// The intervals of all treatments and categories, so that they hold together; default: each by itself.
    #[must_use]
    pub fn simultaneous(mut self, by: Simultaneous) -> Self
    where
        M: CategoryModel<Ordinal>,
    {
        self.simultaneous = by;
        self
    }

    /// The estimator of the effects on one category, which pool and report like any others.
    pub fn in_category(&self, category: impl AsRef<str>) -> InCategory<Self>
    where
        M: CategoryModel<Ordinal>,
        Self: Clone,
    {
        InCategory::new(self.clone(), category)
    }

    /// The standardised probability of every category in every arm.
    ///
    /// # Errors
    /// See [`Marginal`].
    pub fn probabilities<K: Categorical>(&self, comparison: &Comparison<K>) -> Result<CategoryProbabilities>
    where
        M: CategoryModel<K>,
    {
        let variance = self.variance.unwrap_or(MarginalVariance::Superpopulation);
        let probabilities = self.model.probabilities(comparison, variance);
        Ok(probabilities.map_err(|error| comparison.locate(error))?.simultaneous(self.simultaneous))
    }
}

impl<K: OutcomeKind, M: StandardizedModel + ModelOf<K>, S: ContrastScale> Estimator<K>
    for Marginal<Regression<M>, S>
{
    type Scale = S;

    fn estimate(&self, comparison: &Comparison<K>) -> Result<Estimates<S>> {
        let prepared = self.model.columns(comparison)?;
        let fit = M::fit(&prepared)?;
        fit.arm_means(self.variance_of(&fit))?.contrast(self.scale.clone())
    }

    fn of_resamples(&self, comparison: &Comparison<K>) -> Option<ResampledValues> {
        let prepared = self.model.columns(comparison).ok()?;
        let fit = M::fit(&prepared).ok()?;
        let replicates = fit.regression().replicates(ARM).ok()?;
        if replicates.rows() != comparison.outcomes().len() {
            // People without a covariate are drawn too.
            return None;
        }
        let scale = self.scale.clone();
        Some(Box::new(move |counts| {
            let means = replicates.means(counts)?;
            let (reference, treatments) = means.split_first()?;
            treatments.iter().map(|mean| scale.contrast(*mean, *reference)).collect()
        }))
    }
}

impl<K: Categorical, M: CategoryModel<K>, S: ContrastScale> CategoryEstimator<K> for Marginal<M, S> {
    type Scale = S;

    fn estimate_categories(&self, comparison: &Comparison<K>) -> Result<CategoryEffects<S>> {
        self.probabilities(comparison)?.contrast(self.scale.clone())
    }
}
