use super::adjustment::{self, ARM, Adjustment, Prepared, adjustment_setters};
use super::category_model::{
    CategoryModel, Outcome, category_model_setters, chosen, of_coefficients, probabilities,
};
use super::in_category::in_category;
use super::options::{field, is_usual};
use super::{CategoryEstimator, Marginal};
use crate::compute::categorical::{CategoryVariance, MultinomialFit, MultinomialRegression as Multinomial};
use crate::compute::regression::Fitted as _;
use crate::compute::regression::{Category, Family, MarginalVariance, ModelMatrix};
use crate::design::{Categorical, Comparison, Notice};
use crate::effect::{
    About, CategoryEffects, CategoryEstimates, CategoryProbabilities, Contrast, ContrastScale, Estimates,
    LogOddsRatio,
};
use crate::error::{Error, ErrorKind, Result};
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Multinomial logistic regression of an outcome of several categories on arms and covariates.
///
/// By itself it estimates conditional log odds ratios of every category against a base category. For
/// differences in the probabilities of the categories, the base included:
/// [`MultinomialRegression::marginal`].
///
/// # Formula
/// `ln(P(Y = k) / P(Y = base)) = b_k0 + sum(b_ka [arm = a]) + x'c_k` by maximum likelihood; the effect of arm
/// `a` on category `k` is `b_ka`, the covariance is that of all of them. Without covariates it is the log
/// odds ratio of the counts of the two categories.
///
/// # Assumptions
/// The log odds are linear in the covariates; people are independent. Conditional odds ratios also assume
/// that effects are the same for everybody on this scale.
///
/// # Interval
/// Normal, with the model-based standard error by default; HC0 with probability weights, or by
/// [`MultinomialRegression::variance`].
///
/// # Errors
/// Separation, which includes a category that is empty in one arm and not in another: ask for
/// [`DifferenceInCategories`](crate::estimator::DifferenceInCategories) there. Aliased columns by name; fewer
/// people than coefficients; a base in which nobody is.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let csv = "arm,contract\nc,none\nc,none\nc,none\nc,temporary\nc,temporary\nc,permanent\n\
///     t,none\nt,none\nt,temporary\nt,permanent\nt,permanent\nt,permanent\n";
/// let trial = Trial::builder("Utrecht", Table::from_csv_str(csv)?)
///     .arm_labels("arm")
///     .control("c")
///     .build()?;
/// let effects = trial
///     .on(&Contract::nominal("contract"))?
///     .estimate_categories(&MultinomialRegression::new())?;
/// let permanent = effects.category("permanent")?.treatment("t")?;
/// // (3 / 2) / (1 / 3)
/// assert!((permanent.ratio().unwrap() - 4.5).abs() < 1e-9);
/// assert!(effects.category("none").is_err());
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Theil H (1969), International Economic Review 10:251. Agresti A (2013), Categorical Data Analysis, 3rd
/// edition, section 8.1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MultinomialRegression {
    #[serde(flatten, deserialize_with = "adjustment::weighted")]
    pub(super) adjustment: Adjustment,
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "field::variance")]
    variance: Option<CategoryVariance>,
    #[serde(skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

impl Default for MultinomialRegression {
    fn default() -> Self {
        Self { adjustment: Adjustment::default(), base: None, variance: None, level: 0.95 }
    }
}

/// A fit whose arms have these design columns.
struct Fitted<'f, 'a> {
    fit: &'f MultinomialFit<'a>,
    arms: Range<usize>,
}

impl MultinomialRegression {
    /// Without covariates; the first category is the base; model-based standard errors; level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    adjustment_setters!(covariates);
    category_model_setters!();
    in_category!();

    /// The category with which the others are compared; default: the first in which somebody is.
    #[must_use]
    pub fn base(mut self, category: &str) -> Self {
        self.base = Some(category.to_owned());
        self
    }

    fn with_fit<K: Categorical, T>(
        &self,
        comparison: &Comparison<K>,
        with: impl FnOnce(&Prepared<'_, K>, &Outcome, Fitted<'_, '_>) -> Result<T>,
    ) -> Result<T> {
        let prepared =
            self.adjustment.prepare(comparison, Family::Binomial, "multinomial regression", self.level)?;
        let outcome = Outcome::of(&prepared)?;
        let base = self.position(&outcome).map_err(|error| comparison.locate(error))?;
        prepared.with_columns(|columns| {
            let matrix: &ModelMatrix = &columns.matrix;
            let response = Category::new(&outcome.codes, outcome.labels()).reference(base);
            let fit = Multinomial::new().weights(columns.weights).fit(matrix, response)?;
            with(&prepared, &outcome, Fitted { fit: &fit, arms: matrix.columns_of(ARM)? })
        })
    }

    /// The position of the base among the categories in which somebody is.
    fn position(&self, outcome: &Outcome) -> Result<usize> {
        let Some(base) = &self.base else { return Ok(0) };
        let declared = outcome.categories.position(base)?;
        outcome.occupied.iter().position(|&k| k == declared).ok_or_else(|| {
            Error::invalid(format!(
                "nobody is in the base category \"{base}\", so that no odds against it exist; choose another base"
            ))
        })
    }

    fn effects<K: Categorical>(
        &self,
        prepared: &Prepared<'_, K>,
        outcome: &Outcome,
        Fitted { fit, arms }: Fitted<'_, '_>,
    ) -> Result<CategoryEffects<LogOddsRatio>> {
        let comparison = prepared.comparison();
        let variance = chosen(self.variance, prepared)?;
        let covariance = fit.covariance(variance)?;
        let coefficients = fit.estimates();
        let width = fit.names().len();
        let treatments = comparison.treatments();
        let t = treatments.len();
        let base = outcome.occupied[fit.reference()];
        let others: Vec<usize> = outcome.occupied.iter().copied().filter(|&k| k != base).collect();
        let place = |i: usize| i / t * width + arms.start + i % t;
        let joint = Array2::from_shape_fn((t * others.len(), t * others.len()), |(i, j)| {
            covariance[[place(i), place(j)]]
        });
        let labels = &outcome.categories.labels;
        let mut estimates = Vec::with_capacity(others.len());
        let mut identity = None;
        for (slot, &k) in others.iter().enumerate() {
            let method = prepared.method(of_coefficients(variance));
            let mut about = About::of(comparison, self.adjustment.estimand(), method, self.level)?;
            about.measure = comparison.measure_in(&outcome.categories, k);
            about.measure.name = format!("{} rather than {}", about.measure.name, labels[base]);
            let empty = labels.iter().enumerate().filter(|(k, _)| !outcome.occupied.contains(k));
            about
                .notices
                .extend(empty.map(|(_, category)| Notice::EmptyCategory { category: category.clone() }));
            about.notices.extend(prepared.design_ignored());
            let contrasts = (slot * t..(slot + 1) * t).zip(treatments).map(|(i, arm)| {
                let value = coefficients[place(i)];
                Contrast::wald(arm.clone(), value, joint[[i, i]], None, self.level)
            });
            let own = Array2::from_shape_fn((t, t), |(i, j)| joint[[slot * t + i, slot * t + j]]);
            let one = Estimates::new(
                LogOddsRatio,
                about,
                comparison.reference().clone(),
                contrasts.collect::<Result<_>>()?,
                own,
            )?;
            identity.get_or_insert_with(|| About {
                measure: comparison.measure().clone(),
                ..one.about().clone()
            });
            estimates.push(CategoryEstimates::new(labels[k].clone(), &one));
        }
        let Some(about) = identity else {
            let why = "no category but the base has people; an effect on categories needs two with people";
            return Err(comparison.locate(ErrorKind::NotEstimable(why.to_owned()).into()));
        };
        CategoryEffects::new(about, labels.clone(), outcome.categories.counts.clone(), estimates, joint)
    }
}

impl<K: Categorical> CategoryEstimator<K> for MultinomialRegression {
    type Scale = LogOddsRatio;

    fn estimate_categories(&self, comparison: &Comparison<K>) -> Result<CategoryEffects<LogOddsRatio>> {
        self.with_fit(comparison, |prepared, outcome, fitted| self.effects(prepared, outcome, fitted))
    }
}

impl<K: Categorical> CategoryModel<K> for MultinomialRegression {
    fn probabilities(
        &self,
        comparison: &Comparison<K>,
        variance: MarginalVariance,
    ) -> Result<CategoryProbabilities> {
        self.with_fit(comparison, |prepared, outcome, Fitted { fit, .. }| {
            let standardized = fit.standardize(ARM)?;
            Ok(probabilities(prepared, outcome, &standardized, variance)?.level(self.level))
        })
    }
}
