use super::Estimator;
use super::adjustment::{Adjustment, Prepared, adjustment_setters};
use crate::compute::categorical::MultinomialRegression;
use crate::compute::regression::Family;
use crate::compute::weighting::{InverseProbability, Normalization, NuisanceVariance};
use crate::design::{Binary, Comparison, Continuous, OutcomeKind};
use crate::effect::{ArmMeans, ContrastScale, Estimates, VarianceMethod};
use crate::error::Result;

/// Effects by weighting every person with the inverse of the probability of the arm, given the covariates.
///
/// In a randomised trial this adjusts for chance imbalance without a model of the outcome. With one:
/// [`DoublyRobust`](crate::DoublyRobust).
///
/// # Formula
/// `mu_a = sum(w_i y_i) / sum(w_i)` over arm `a` with `w_i = 1 / P(a | x_i)` from a multinomial (two arms: logistic) regression of the arm on the
/// covariates; a scale contrasts the means.
///
/// # Assumptions
/// People were randomised, or the covariates explain who is in which arm; nobody was bound to be in one arm.
///
/// # Interval
/// Normal. The variance stacks the estimating equations of weights and means by default; estimating the probabilities makes it smaller than with
/// the weights taken as known.
///
/// # Errors
/// Covariates that separate the arms; aliased columns by name; a log ratio of a mean that is not positive.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str("arm,age,works\nc,20,0\nc,40,1\nc,30,0\nc,45,0\nt,25,1\nt,35,0\nt,50,1\nt,22,1\n")?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let weighting = InverseProbabilityWeighting::new(RiskDifference).adjust_for(["age"]);
/// let effect = trial.on(&Measure::binary("works"))?.estimate(&weighting)?.treatment("t")?;
/// assert!(effect.value() > 0.0 && effect.se() > 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Lunceford JK, Davidian M (2004), Statistics in Medicine 23:2937. Williamson EJ, Forbes A, White IR (2014), Statistics in Medicine 33:721.
#[derive(Debug, Clone, PartialEq)]
pub struct InverseProbabilityWeighting<S> {
    scale: S,
    adjustment: Adjustment,
    variance: NuisanceVariance,
    level: f64,
}

impl<S: ContrastScale> InverseProbabilityWeighting<S> {
    /// On this scale; without covariates; stacked variance; level 0.95.
    pub fn new(scale: S) -> Self {
        Self { scale, adjustment: Adjustment::default(), variance: NuisanceVariance::Stacked, level: 0.95 }
    }

    adjustment_setters!(covariates);

    /// The variance; default: stacked.
    #[must_use]
    pub fn variance(mut self, variance: NuisanceVariance) -> Self {
        self.variance = variance;
        self
    }

    fn of<K: OutcomeKind>(&self, comparison: &Comparison<K>) -> Result<Estimates<S>> {
        let estimator = "inverse-probability weighting";
        let prepared: Prepared<K> =
            self.adjustment.prepare(comparison, Family::Gaussian, estimator, self.level)?;
        let people = prepared.comparison().people()?;
        let means = prepared.with_columns(|columns| {
            let covariates = prepared.covariates()?;
            let propensity = MultinomialRegression::new().fit(&covariates, prepared.arms(people))?;
            InverseProbability::of_level(&propensity)?.means(columns.outcome, Normalization::Hajek)
        })?;
        let method = prepared.method(VarianceMethod::Weighted(self.variance));
        let (values, covariance) = (means.values().to_vec(), means.covariance(self.variance));
        ArmMeans::new(prepared.comparison(), values, covariance, method)?
            .level(self.level)
            .contrast(self.scale)
    }
}

impl<S: ContrastScale> Estimator<Binary> for InverseProbabilityWeighting<S> {
    type Scale = S;

    fn estimate(&self, comparison: &Comparison<Binary>) -> Result<Estimates<S>> {
        self.of(comparison)
    }
}

impl<S: ContrastScale> Estimator<Continuous> for InverseProbabilityWeighting<S> {
    type Scale = S;

    fn estimate(&self, comparison: &Comparison<Continuous>) -> Result<Estimates<S>> {
        self.of(comparison)
    }
}
