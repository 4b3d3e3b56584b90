//! Multinomial logistic regression of unordered categories.

use super::fit::CategoryFit;
use super::multinomial_likelihood::Multinomial;
use super::rows::{CategoryRows, Intercepts};
use crate::compute::regression::{Category, ModelMatrix, Weights};
use crate::error::Result;
use ndarray::{Array2, ArrayView2};
use std::ops::Deref;

/// Multinomial logistic regression: each category against a reference category.
///
/// # Formula
/// `P(y_i = k) = exp(x_i'b_k) / sum_m exp(x_i'b_m)` with `b = 0` for the reference category. Newton's method
/// on the (weighted) log-likelihood until the step is below rounding; the logit is canonical, so that
/// observed and expected information are equal.
///
/// # Errors
/// Of [`MultinomialRegression::fit`]: `invalid_input` (lengths, codes, values that are not finite),
/// `insufficient_observations`, `rank_deficient`, `constant_outcome` (one category in all rows),
/// `not_estimable` (a category without rows), `separation` (decided exactly), `not_converged`.
///
/// # Examples
/// Without covariates the coefficients are log odds against the reference.
/// ```
/// use armwise::categorical::{CategoryVariance, MultinomialRegression};
/// use armwise::regression::{Category, Fitted, ModelMatrix};
///
/// let contract = [0, 0, 0, 1, 1, 2, 0, 0, 1, 2, 2, 2];
/// let arm = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1];
/// let matrix = ModelMatrix::new(12)
///     .intercept()?
///     .category("arm", Category::new(&arm, ["control", "guidance"]))?;
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
/// Theil (1969), International Economic Review 10:251. Agresti (2013), Categorical Data Analysis, section
/// 8.1. Albert & Anderson (1984), Biometrika 71:1 (existence of the estimate).
#[derive(Debug, Clone, Default)]
pub struct MultinomialRegression<'a> {
    weights: Weights<'a>,
}

impl<'a> MultinomialRegression<'a> {
    /// Without weights.
    pub fn new() -> Self {
        Self { weights: Weights::None }
    }

    setters! {
        /// Weights of the rows. Default: none.
        weights: Weights<'a>;
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
        CategoryFit::new(rows, &Multinomial).map(MultinomialFit)
    }
}

/// A fitted multinomial regression. It borrows the columns it was fitted to.
///
/// The parameters of [`Fitted`](crate::regression::Fitted) are stacked by category (the reference left out),
/// each named "category: column": all coefficients of the first category, then of the second, ...
#[derive(Debug, Clone)]
pub struct MultinomialFit<'a>(CategoryFit<'a>);

impl<'a> Deref for MultinomialFit<'a> {
    type Target = CategoryFit<'a>;

    fn deref(&self) -> &CategoryFit<'a> {
        &self.0
    }
}

impl<'a> MultinomialFit<'a> {
    /// The position of the reference category.
    pub fn reference(&self) -> usize {
        self.rows.reference
    }

    /// The coefficients: one row for each category but the reference, one column for each design column.
    pub fn coefficients(&self) -> Array2<f64> {
        let p = self.names().len();
        Array2::from_shape_fn((self.categories().len() - 1, p), |(j, c)| self.parameters[j * p + c])
    }

    /// The positions of the coefficients of these design columns among the parameters, for
    /// [`Fitted::wald_test`](crate::regression::Fitted::wald_test).
    pub fn positions(&self, columns: &[usize]) -> Vec<usize> {
        let p = self.names().len();
        (0..self.categories().len() - 1).flat_map(|j| columns.iter().map(move |c| j * p + c)).collect()
    }

    /// The category of each row, and the weights of the rows, if any.
    pub(crate) fn weighted_codes(&self) -> (&'a [u32], Weights<'a>) {
        (self.rows.codes, self.rows.weights)
    }

    /// The inverse of the information of the parameters, in the unit of the weights.
    pub(crate) fn bread(&self) -> ArrayView2<'_, f64> {
        self.bread.view()
    }
}
