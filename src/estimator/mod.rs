//! From a comparison of arms to estimates: one file per estimator.

mod adjusted_fit;
mod adjustment;
mod association;
mod average_effect;
mod blocked_means;
mod category_estimator;
mod category_model;
mod clusters;
mod complier_average_effect;
mod difference_in_categories;
mod difference_in_means;
mod difference_in_proportions;
mod difference_in_rates;
mod doubly_robust;
mod firth_logistic_regression;
mod in_category;
mod inverse_probability_weighting;
mod linear_regression;
mod logistic_regression;
mod mantel_haenszel;
mod marginal;
mod multinomial_regression;
mod negative_binomial_regression;
mod odds_ratio;
mod options;
mod poisson_regression;
mod proportional_odds_regression;
mod proportions;
mod rates;
mod ratio_of_proportions;
mod ratio_of_rates;
mod registry;
mod regression;
mod sharing;
mod two_arm;
mod two_part_regression;
mod win_probability;

pub use adjusted_fit::AdjustedFit;
pub use adjustment::Prepared;
pub use association::{AssociationTest, CategoryScores, IndependenceTest, OrderedTest};
pub use average_effect::AverageCovariateEffect;
pub use category_estimator::CategoryEstimator;
pub use clusters::CoefficientVariance;
pub use complier_average_effect::{ComplierAverageEffect, TakeUpInterval};
pub use difference_in_categories::DifferenceInCategories;
pub use difference_in_means::DifferenceInMeans;
pub use difference_in_proportions::DifferenceInProportions;
pub use difference_in_rates::DifferenceInRates;
pub use doubly_robust::DoublyRobust;
pub use firth_logistic_regression::FirthLogisticRegression;
pub use in_category::InCategory;
pub use inverse_probability_weighting::InverseProbabilityWeighting;
pub use linear_regression::{LinearModel, LinearRegression};
pub use logistic_regression::{LogisticModel, LogisticRegression};
pub use marginal::Marginal;
pub use multinomial_regression::MultinomialRegression;
pub use negative_binomial_regression::{NegativeBinomialModel, NegativeBinomialRegression};
pub use odds_ratio::OddsRatio;
pub use poisson_regression::{PoissonModel, PoissonRegression};
pub use proportional_odds_regression::ProportionalOddsRegression;
pub use proportions::Proportions;
pub use rates::{RateVariance, Rates};
pub use ratio_of_proportions::RatioOfProportions;
pub use ratio_of_rates::RatioOfRates;
pub use registry::AnyEstimator;
pub use regression::Regression;
pub(crate) use sharing::estimate_all;
pub use two_arm::ZeroCells;
pub use two_part_regression::{TwoPartEffects, TwoPartRegression};
pub use win_probability::{WinProbability, WinScale};

use crate::design::{Comparison, Comparisons, OutcomeKind, SubgroupComparisons};
use crate::effect::{Effects, Estimates, Scale, SubgroupEffects};
use crate::error::Result;

/// From the arms of a trial with an outcome of kind `K` to the effect of every treatment.
///
/// An estimator is a value with documented defaults and consuming setters; it is checked once, here. An estimator of one's own
/// takes ten lines: compute a value for every arm with their covariance, and let a scale make the contrasts.
///
/// ```
/// use armwise::ndarray::Array2;
/// use armwise::prelude::*;
///
/// /// The difference in medians, with the large-sample variance `pi / 2 * s^2 / n` of normal data.
/// struct DifferenceInMedians;
///
/// impl Estimator<Continuous> for DifferenceInMedians {
///     type Scale = MeanDifference;
///
///     fn estimate(&self, comparison: &Comparison<Continuous>) -> armwise::Result<Estimates<MeanDifference>> {
///         let k = comparison.arms().len();
///         let mut arms = vec![Vec::new(); k];
///         for (&outcome, &arm) in comparison.outcomes().iter().zip(comparison.arm_indices()) {
///             arms[arm as usize].push(outcome);
///         }
///         let mut covariance = Array2::zeros((k, k));
///         for (i, arm) in arms.iter_mut().enumerate() {
///             arm.sort_by(f64::total_cmp);
///             let (n, mean) = (arm.len() as f64, arm.iter().sum::<f64>() / arm.len() as f64);
///             let variance = arm.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / (n - 1.0);
///             covariance[[i, i]] = std::f64::consts::FRAC_PI_2 * variance / n;
///         }
///         let medians = arms.iter().map(|arm| arm[arm.len() / 2]).collect();
///         ArmMeans::new(comparison, medians, covariance, Method::new("difference in medians"))?.contrast(MeanDifference)
///     }
/// }
///
/// let table = Table::from_csv_str("arm,score\nc,1\nc,2\nc,4\nt,3\nt,5\nt,9\n")?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let effects = trial.on(&Measure::continuous("score"))?.estimate(&DifferenceInMedians)?;
/// assert_eq!(effects.treatment("t")?.value(), 3.0);
/// # Ok::<(), armwise::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not estimate effects on an outcome of kind `{K}`",
    label = "this estimator does not fit the outcome",
    note = "the table in the crate's documentation says which estimators fit which kind of outcome"
)]
pub trait Estimator<K: OutcomeKind> {
    /// The scale of the effects.
    type Scale: Scale;

    /// The effect of every treatment against the reference.
    ///
    /// # Errors
    /// What the estimator cannot answer, with trial, measure, arm and what to do next.
    fn estimate(&self, comparison: &Comparison<K>) -> Result<Estimates<Self::Scale>>;
}

impl<K: OutcomeKind> Comparison<K> {
    /// The effect of every treatment against the reference.
    ///
    /// # Errors
    /// Those of the estimator.
    pub fn estimate<E: Estimator<K>>(&self, estimator: &E) -> Result<Estimates<E::Scale>> {
        estimator.estimate(self).map_err(|error| self.locate(error))
    }
}

impl<K: OutcomeKind> Comparisons<K> {
    /// The effect of every treatment in every trial.
    ///
    /// # Errors
    /// Those of the estimator, in any trial.
    pub fn estimate<E: Estimator<K>>(&self, estimator: &E) -> Result<Effects<E::Scale>> {
        Effects::new(
            self.iter().map(|comparison| comparison.estimate(estimator)).collect::<Result<Vec<_>>>()?,
        )
    }
}

impl<K: OutcomeKind> SubgroupComparisons<K> {
    /// The effect of every treatment within every level.
    ///
    /// # Errors
    /// Those of the estimator, in any level.
    pub fn estimate<E: Estimator<K>>(&self, estimator: &E) -> Result<SubgroupEffects<E::Scale>> {
        let effects = self.comparisons.iter().map(|comparison| comparison.estimate(estimator));
        let effects = effects.collect::<Result<Vec<_>>>()?;
        SubgroupEffects::new(self.column.clone(), self.levels.clone(), effects, self.notices.clone())
    }
}
