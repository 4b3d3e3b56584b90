use super::Estimator;
use super::adjustment::{self, Adjustment, Prepared, adjustment_setters};
use super::clusters::{Weighting, weighted_means};
use super::options::{field, is_usual, usual_level};
use super::regression::MeanOutcome;
use crate::compute::categorical::MultinomialRegression;
use crate::compute::weighting::{InverseProbability, NuisanceVariance, OutcomeModel};
use crate::design::Comparison;
use crate::effect::{ArmMeans, ContrastScale, Estimates};
use crate::error::{Result, SeparatedModel};
use serde::{Deserialize, Serialize};

/// Effects by augmented inverse-probability weighting (AIPW): a regression of the outcome in each arm,
/// corrected by the weighted residuals.
///
/// # Formula
/// `mu_a = mean(m_a(x_i) + [A_i = a] (y_i - m_a(x_i)) / P(a | x_i))` with `m_a` the regression of the outcome
/// on the covariates within arm `a` (logistic for a binary outcome, else linear) and `P(a | x)` from a
/// multinomial regression of the arm on the covariates; a scale contrasts the means. With probability weights
/// ([`weights`](Self::weights)) all regressions and means are weighted by them.
///
/// # Assumptions
/// People were randomised; else either the probabilities of the arms or the regressions of the outcome are
/// right, hence the name.
///
/// # Interval
/// Normal. The variance stacks the estimating equations of probabilities, regressions and means by default;
/// `NuisanceVariance::Known` is the mean square of the efficient influence function.
///
/// # Errors
/// Covariates that separate the arms, or the outcome within an arm; aliased columns by name; a log ratio of a
/// mean that is not positive, a mean outside 0 to 1 on a scale of proportions.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str(
///     "\
///     arm,before,after\nc,5,6\nc,3,3\nc,4,6\nc,7,7\nt,4,7\nt,6,8\nt,5,9\nt,3,5\n",
/// )?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let robust = DoublyRobust::new(MeanDifference).adjust_for(["before"]);
/// let effect = trial.on(&Measure::continuous("after"))?.estimate(&robust)?.treatment("t")?;
/// assert!(effect.value() > 1.75 && effect.se() > 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Robins JM, Rotnitzky A, Zhao LP (1994), Journal of the American Statistical Association 89:846. Tsiatis
/// AA, Davidian M, Zhang M, Lu X (2008), Statistics in Medicine 27:4658. FDA (2023), Adjusting for covariates
/// in randomized clinical trials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoublyRobust<S> {
    pub(super) scale: S,
    #[serde(flatten, deserialize_with = "adjustment::weighted")]
    pub(super) adjustment: Adjustment,
    #[serde(default, deserialize_with = "field::variance")]
    variance: NuisanceVariance,
    #[serde(default = "usual_level", skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

impl<S: ContrastScale> DoublyRobust<S> {
    /// On this scale; without covariates; stacked variance; level 0.95.
    pub fn new(scale: S) -> Self {
        Self { scale, adjustment: Adjustment::default(), variance: NuisanceVariance::Stacked, level: 0.95 }
    }

    adjustment_setters!(sampled);

    setters! {
        /// The variance; default: stacked.
        variance: NuisanceVariance;
    }
}

impl<K: MeanOutcome, S> Weighting<K> for DoublyRobust<S> {
    fn arm_means(&self, comparison: &Comparison<K>) -> Result<ArmMeans> {
        let (family, estimator) = (K::FAMILY, "augmented inverse-probability weighting");
        self.adjustment.refuse_precision("the arm, whose probability is modelled,")?;
        let prepared: Prepared<K> = self.adjustment.prepare(comparison, family, estimator, self.level)?;
        let people = prepared.comparison().people()?;
        let means = prepared.with_columns(|columns| {
            let covariates = prepared.covariates()?;
            let propensity = MultinomialRegression::new()
                .weights(columns.weights)
                .fit(&covariates, prepared.arms(people))
                .map_err(|error| error.separating(SeparatedModel::Assignment))?;
            let model = OutcomeModel::ByLevel { family, covariates: &covariates };
            InverseProbability::of_level(&propensity)?.augmented_means(columns.outcome, model)
        })?;
        Ok(weighted_means(&prepared, &means, self.variance)?.level(self.level))
    }
}

impl<S> DoublyRobust<S> {
    /// The same estimator on another scale.
    pub(super) fn on<T>(self, scale: T) -> DoublyRobust<T> {
        let Self { adjustment, variance, level, .. } = self;
        DoublyRobust { scale, adjustment, variance, level }
    }
}

impl<K: MeanOutcome, S: ContrastScale> Estimator<K> for DoublyRobust<S> {
    type Scale = S;

    fn estimate(&self, comparison: &Comparison<K>) -> Result<Estimates<S>> {
        self.arm_means(comparison)?.contrast(self.scale.clone())
    }
}
