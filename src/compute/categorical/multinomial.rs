//! Multinomial logistic regression of unordered categories.

use super::core::{CategoryVariance, Core};
use super::likelihood::Model;
use super::rows::{CategoryRows, Intercepts};
use super::standardized::StandardizedCategories;
use crate::compute::fitted::Fitted;
use crate::compute::hypothesis::ChiSquaredTest;
use crate::compute::regression::{Category, Convergence, ModelMatrix, Weights};
use crate::error::Result;
use ndarray::{Array1, Array2};

/// Multinomial logistic regression: each category against a reference category.
///
/// # Formula
/// `P(y_i = k) = exp(x_i'b_k) / sum_m exp(x_i'b_m)` with `b = 0` for the reference category. Newton's method on the (weighted)
/// log-likelihood until the step is below rounding; the logit is canonical, so that observed and expected information are equal.
///
/// # Errors
/// Of [`MultinomialRegression::fit`]: `invalid_input` (lengths, codes, values that are not finite), `insufficient_observations`,
/// `rank_deficient`, `constant_outcome` (one category in all rows), `not_estimable` (a category without rows), `separation` (decided
/// exactly), `not_converged`.
///
/// # Examples
/// Without covariates the coefficients are log odds against the reference.
/// ```
/// use armwise::categorical::{CategoryVariance, MultinomialRegression};
/// use armwise::regression::{Category, Fitted, ModelMatrix};
///
/// let contract = [0, 0, 0, 1, 1, 2, 0, 0, 1, 2, 2, 2];
/// let arm = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1];
/// let matrix = ModelMatrix::new(12).intercept()?.category("arm", Category::new(&arm, ["control", "guidance"]))?;
/// let outcome = Category::new(&contract, ["none", "temporary", "permanent"]);
/// let fit = MultinomialRegression::new().fit(&matrix, outcome)?;
/// let permanent = &fit.table(CategoryVariance::Model, 0.95)?[3];
/// assert_eq!(permanent.name, "permanent: arm[guidance]");
/// // (3 / 2) / (1 / 3)
/// assert!((permanent.estimate - 4.5_f64.ln()).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Theil (1969), International Economic Review 10:251. Agresti (2013), Categorical Data Analysis, section 8.1. Albert & Anderson (1984),
/// Biometrika 71:1 (existence of the estimate).
#[derive(Debug, Clone, Default)]
pub struct MultinomialRegression<'a> {
    weights: Weights<'a>,
}

impl<'a> MultinomialRegression<'a> {
    /// Without weights.
    pub fn new() -> Self {
        Self { weights: Weights::None }
    }

    /// Weights of the rows. Default: none.
    #[must_use]
    pub fn weights(mut self, weights: Weights<'a>) -> Self {
        self.weights = weights;
        self
    }

    /// Fits the model. The reference category is that of the outcome ([`Category::reference`]).
    ///
    /// # Errors
    /// See [`MultinomialRegression`].
    pub fn fit<'d, 'm: 'd>(
        &self,
        matrix: &ModelMatrix<'m>,
        outcome: Category<'d>,
    ) -> Result<MultinomialFit<'d>>
    where
        'a: 'd,
    {
        let rows =
            CategoryRows::new(matrix.reborrow(), outcome, self.weights.reborrow(), Intercepts::InMatrix)?;
        Ok(MultinomialFit { core: Core::fit(rows, Model::Multinomial)? })
    }
}

/// A fitted multinomial regression. It borrows the columns it was fitted to.
///
/// Parameters are stacked by category (the reference left out): all coefficients of the first category, then of the second, ...
#[derive(Debug, Clone)]
pub struct MultinomialFit<'a> {
    core: Core<'a>,
}

impl<'a> MultinomialFit<'a> {
    /// The names of the design columns.
    pub fn names(&self) -> &[String] {
        self.core.rows.matrix.names()
    }

    /// All categories.
    pub fn categories(&self) -> &[String] {
        &self.core.rows.levels
    }

    /// The position of the reference category.
    pub fn reference(&self) -> usize {
        self.core.rows.reference
    }

    /// The coefficients: one row for each category but the reference, one column for each design column.
    pub fn coefficients(&self) -> Array2<f64> {
        let p = self.names().len();
        Array2::from_shape_fn((self.categories().len() - 1, p), |(j, c)| self.core.parameters[j * p + c])
    }

    /// The log-likelihood of the same probabilities in all rows.
    pub fn null_log_likelihood(&self) -> f64 {
        self.core.rows.null_log_likelihood()
    }

    /// Minus twice the log-likelihood.
    pub fn deviance(&self) -> f64 {
        -2.0 * self.core.log_likelihood
    }

    /// `1 - l / l_null` (`McFadden` 1974).
    pub fn mcfadden_r2(&self) -> f64 {
        1.0 - self.core.log_likelihood / self.null_log_likelihood()
    }

    /// How the iteration ended.
    pub fn convergence(&self) -> Convergence {
        self.core.convergence
    }

    /// The likelihood ratio test that the coefficients of these design columns are zero for every category.
    ///
    /// # Errors
    /// `invalid_input` unless the positions are different ones of columns; `not_converged`.
    pub fn likelihood_ratio_test(&self, columns: &[usize]) -> Result<ChiSquaredTest> {
        self.core.likelihood_ratio_test(columns)
    }

    /// The positions of the coefficients of these design columns among the parameters, for [`Fitted::wald_test`].
    pub fn positions(&self, columns: &[usize]) -> Vec<usize> {
        let p = self.names().len();
        (0..self.categories().len() - 1).flat_map(|j| columns.iter().map(move |c| j * p + c)).collect()
    }

    /// The mean probability of each category if every row had one level of a categorical covariate (such as the arm), for each
    /// of its levels.
    ///
    /// # Errors
    /// `invalid_input` where the model has no categorical covariate of that name.
    pub fn standardize(&self, covariate: &str) -> Result<StandardizedCategories<'_, 'a>> {
        StandardizedCategories::new(&self.core, covariate)
    }

    /// The fitted probabilities of the rows, one column for each category.
    pub fn fitted(&self) -> Array2<f64> {
        super::standardized::fitted(&self.core)
    }

    /// The category of each row; `None` where rows have weights.
    pub(crate) fn unweighted_codes(&self) -> Option<&'a [u32]> {
        matches!(self.core.rows.weights, Weights::None).then_some(self.core.rows.codes)
    }

    /// The design columns.
    pub fn matrix(&self) -> &ModelMatrix<'a> {
        &self.core.rows.matrix
    }
}

/// Parameters are named "category: column".
impl Fitted for MultinomialFit<'_> {
    type Variance = CategoryVariance;

    fn parameter_names(&self) -> Vec<String> {
        self.core.model.names(&self.core.rows)
    }

    fn estimates(&self) -> Array1<f64> {
        self.core.parameters.clone()
    }

    fn covariance(&self, variance: CategoryVariance) -> Result<Array2<f64>> {
        Ok(self.core.covariance(variance))
    }

    fn log_likelihood(&self) -> Option<f64> {
        Some(self.core.log_likelihood)
    }

    fn n(&self) -> f64 {
        self.core.rows.n
    }
}
