//! What the regressions of categories share.

use super::adjustment::Prepared;
use super::clusters::refuse_alone;
use crate::compute::categorical::{CategoryVariance, StandardizedCategories};
use crate::compute::regression::{MarginalVariance, VarianceType};
use crate::design::{Categorical, Categories, Comparison};
use crate::effect::{CategoryProbabilities, Method, VarianceMethod};
use crate::error::{Error, ErrorKind, Result};
use ndarray::Array2;

/// A regression that predicts the probabilities of the categories of an outcome of kind `K`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no marginal effects on the categories of an outcome of kind `{K}`",
    note = "the table in the crate's documentation says which estimators fit which kind of outcome"
)]
pub trait CategoryModel<K: Categorical> {
    /// The standardised probability of every category in every arm.
    ///
    /// # Errors
    /// Those of the regression; a variance that is not defined for several categories.
    fn probabilities(
        &self,
        comparison: &Comparison<K>,
        variance: MarginalVariance,
    ) -> Result<CategoryProbabilities>;
}

/// The setters of a regression of categories besides its covariates.
macro_rules! category_model_setters {
    () => {
        $crate::estimator::weight_column::weights_setter!();

        /// The variance of the conditional log odds ratios; default: model-based, and HC0 with probability
        /// weights.
        #[must_use]
        pub fn variance(mut self, variance: CategoryVariance) -> Self {
            self.variance = Some(variance);
            self
        }

        /// The estimator of the probabilities of all categories, standardised over everybody analysed,
        /// contrasted on a scale; its default variance counts the sampling of covariates.
        #[doc(alias("gcomputation", "standardisation"))]
        pub fn marginal<S: ContrastScale>(&self, scale: S) -> Marginal<Self, S> {
            Marginal::new(self.clone(), scale)
        }
    };
}
pub(super) use category_model_setters;

/// The outcome of the people in a regression, without the categories in which nobody is.
pub(super) struct Outcome {
    pub categories: Categories,
    /// The declared categories in which somebody is.
    pub occupied: Vec<usize>,
    /// The category of every participant, as an index into `occupied`.
    pub codes: Vec<u32>,
}

impl Outcome {
    pub(super) fn of<K: Categorical>(prepared: &Prepared<'_, K>) -> Result<Self> {
        let comparison = prepared.comparison();
        let categories = comparison.by_category()?;
        let occupied = categories.occupied();
        if let [only] = occupied.as_slice() {
            let why = format!(
                "everybody is in the category \"{}\", so that no arm can differ from another; report the share with its interval",
                categories.labels[*only]
            );
            return Err(comparison.locate(ErrorKind::ConstantOutcome(why).into()));
        }
        let mut places = vec![0; categories.labels.len()];
        for (place, &k) in occupied.iter().enumerate() {
            places[k] = u32::try_from(place).unwrap_or(u32::MAX);
        }
        let codes = categories.codes.iter().map(|&code| places[code as usize]).collect();
        Ok(Self { categories, occupied, codes })
    }

    /// The labels of the categories in which somebody is.
    pub(super) fn labels(&self) -> impl Iterator<Item = String> {
        self.occupied.iter().map(|&k| self.categories.labels[k].to_string())
    }
}

/// The probabilities of all declared categories, from those in which somebody is.
pub(super) fn probabilities<K: Categorical>(
    prepared: &Prepared<'_, K>,
    outcome: &Outcome,
    standardized: &StandardizedCategories,
    variance: MarginalVariance,
) -> Result<CategoryProbabilities> {
    if variance != MarginalVariance::Delta(VarianceType::Model) {
        refuse_alone(prepared.comparison())?;
    }
    let covariance = match variance {
        MarginalVariance::Superpopulation => standardized.superpopulation_covariance(),
        MarginalVariance::Delta(VarianceType::Model) => standardized.covariance(CategoryVariance::Model)?,
        MarginalVariance::Delta(VarianceType::Hc0) => standardized.covariance(CategoryVariance::Hc0)?,
        other => {
            return Err(Error::invalid(format!(
                "the variance \"{}\" is not defined for several categories; use MarginalVariance::Superpopulation, or Delta with \
                 VarianceType::Model or Hc0",
                VarianceMethod::Marginal(other)
            )));
        }
    };
    let (arms, seen) = standardized.probabilities().dim();
    let k = outcome.categories.labels.len();
    let mut values = Array2::zeros((arms, k));
    for ((arm, place), p) in standardized.probabilities().indexed_iter() {
        values[[arm, outcome.occupied[place]]] = *p;
    }
    let place = |i: usize| i / seen * k + outcome.occupied[i % seen];
    let mut joint = Array2::zeros((arms * k, arms * k));
    for ((i, j), value) in covariance.indexed_iter() {
        joint[[place(i), place(j)]] = *value;
    }
    let method: Method = prepared.method(VarianceMethod::Marginal(variance));
    let comparison = prepared.comparison();
    let probabilities = CategoryProbabilities::new(comparison, &outcome.categories, values, joint, method)?;
    Ok(probabilities.notices(prepared.design_ignored()))
}

/// The variance of coefficients that was chosen, or the default of the weights.
pub(super) fn chosen<K: Categorical>(
    variance: Option<CategoryVariance>,
    prepared: &Prepared<'_, K>,
) -> Result<CategoryVariance> {
    let robust = prepared.has_probability_weights();
    let variance = variance.unwrap_or(if robust { CategoryVariance::Hc0 } else { CategoryVariance::Model });
    if variance == CategoryVariance::Hc0 {
        refuse_alone(prepared.comparison())?;
    }
    Ok(variance)
}

/// The variance of coefficients in the words of the other regressions.
pub(super) fn of_coefficients(variance: CategoryVariance) -> VarianceMethod {
    VarianceMethod::Regression(match variance {
        CategoryVariance::Hc0 => VarianceType::Hc0,
        CategoryVariance::Model => VarianceType::Model,
    })
}
