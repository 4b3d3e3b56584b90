//! The fit of a regression with categories: what multinomial and cumulative fits share.

use super::likelihood::{CategoryModel, Maximum, Products};
use super::rows::CategoryRows;
use super::standardized::StandardizedCategories;
use crate::compute::fitted::{Fitted, check_tested};
use crate::compute::hypothesis::ChiSquaredTest;
use crate::compute::linalg::symmetrised;
use crate::compute::regression::{Convergence, ModelMatrix, Weights};
use crate::error::{ErrorKind, Result};
use ndarray::{Array1, Array2, ArrayView2};

/// How the covariance of the parameters of a regression with categories is estimated; `A` is the observed
/// information and `U_i` the score of a row, prior weight included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CategoryVariance {
    /// `A^-1`. Refused with probability weights, whose unit it depends on.
    Model,
    /// `A^-1 (sum U_i U_i') A^-1` (Huber 1967; White 1982): right also where the model is not, and with
    /// probability weights.
    Hc0,
}

/// A fitted regression with categories, reached from [`MultinomialFit`](super::MultinomialFit) and
/// [`CumulativeFit`](super::CumulativeFit). It borrows the columns it was fitted to.
#[derive(Debug, Clone)]
pub struct CategoryFit<'a> {
    pub(super) rows: CategoryRows<'a>,
    pub(super) model: &'static dyn CategoryModel,
    pub(super) parameters: Array1<f64>,
    pub(super) convergence: Convergence,
    pub(super) log_likelihood: f64,
    pub(super) bread: Array2<f64>,
}

impl<'a> CategoryFit<'a> {
    pub(super) fn new(rows: CategoryRows<'a>, model: &'static dyn CategoryModel) -> Result<Self> {
        let Maximum { parameters, pass, factor, convergence } = model.maximum(&rows)?;
        let bread = factor.inverse();
        if !bread.iter().chain(&parameters).all(|x| x.is_finite()) {
            return Err(ErrorKind::NotConverged(
                "the fit is beyond the range of floating point numbers; change the units of the covariates"
                    .to_owned(),
            )
            .into());
        }
        Ok(Self { rows, model, parameters, convergence, log_likelihood: pass.log_likelihood, bread })
    }

    pub(super) fn covariance_by(&self, variance: CategoryVariance) -> Result<Array2<f64>> {
        Ok(match variance {
            CategoryVariance::Model => {
                self.rows.weights.check_likelihood("the model-based variance")?;
                self.bread.clone()
            }
            CategoryVariance::Hc0 => {
                let meat = self.model.pass(&self.rows, &self.parameters, None, Products::Scores).products;
                symmetrised(self.bread.dot(&meat).dot(&self.bread))
            }
        })
    }

    /// The names of the design columns.
    pub fn names(&self) -> &[String] {
        self.rows.matrix.names()
    }

    /// The design columns.
    pub fn matrix(&self) -> &ModelMatrix<'a> {
        &self.rows.matrix
    }

    /// All categories; of a cumulative regression in ascending order.
    pub fn categories(&self) -> &[String] {
        &self.rows.levels
    }

    /// The log-likelihood of the same probabilities in all rows.
    pub fn null_log_likelihood(&self) -> f64 {
        self.rows.null_log_likelihood()
    }

    /// Minus twice the log-likelihood.
    pub fn deviance(&self) -> f64 {
        -2.0 * self.log_likelihood
    }

    /// `1 - l / l_null` (`McFadden` 1974).
    pub fn mcfadden_r2(&self) -> f64 {
        1.0 - self.log_likelihood / self.null_log_likelihood()
    }

    /// How the iteration ended.
    pub fn convergence(&self) -> Convergence {
        self.convergence
    }

    /// The likelihood ratio test that the coefficients of these design columns are zero (for every category).
    ///
    /// # Errors
    /// `invalid_input` unless the positions are different ones of columns, and for probability weights;
    /// `not_converged`.
    pub fn likelihood_ratio_test(&self, columns: &[usize]) -> Result<ChiSquaredTest> {
        self.rows.weights.check_likelihood("the likelihood ratio test")?;
        check_tested(columns, self.rows.matrix.ncols())?;
        let kept: Vec<usize> = (0..self.rows.matrix.ncols()).filter(|j| !columns.contains(j)).collect();
        let matrix: ModelMatrix<'a> = self.rows.matrix.select(&kept)?;
        // Where the full model overlaps so does the smaller one.
        let moments = self.rows.moments.as_ref().map(|moments| moments.select(&kept));
        let reduced = CategoryRows { matrix, moments, ..self.rows.clone() };
        let smaller = self.model.maximum(&reduced)?;
        let df = self.parameters.len() - smaller.parameters.len();
        ChiSquaredTest::new((2.0 * (self.log_likelihood - smaller.pass.log_likelihood)).max(0.0), df as f64)
    }

    /// The mean probability of each category if every row had one level of a categorical covariate (such as
    /// the arm), for each of its levels.
    ///
    /// # Errors
    /// `invalid_input` where the model has no categorical covariate of that name.
    pub fn standardize(&self, covariate: &str) -> Result<StandardizedCategories<'_, 'a>> {
        StandardizedCategories::new(self, covariate)
    }

    /// The fitted probabilities of the rows, one column for each category.
    pub fn fitted(&self) -> Array2<f64> {
        let mut out = Array2::zeros((self.rows.codes.len(), self.rows.categories()));
        self.rows.for_each_block(|block| {
            self.for_each_row(block.x, |i, probabilities| {
                out.row_mut(block.start + i).iter_mut().zip(probabilities).for_each(|(out, p)| *out = *p);
            });
        });
        out
    }

    /// Calls `with` for each row of a block with its probabilities at the estimate.
    pub(super) fn for_each_row(&self, x: ArrayView2<f64>, mut with: impl FnMut(usize, &[f64])) {
        self.model.for_each_row(&self.rows, &self.parameters, x, &mut with);
    }
}

impl Fitted for CategoryFit<'_> {
    type Variance = CategoryVariance;

    fn parameter_names(&self) -> Vec<String> {
        self.model.names(&self.rows)
    }

    fn estimates(&self) -> Array1<f64> {
        self.parameters.clone()
    }

    fn covariance(&self, variance: CategoryVariance) -> Result<Array2<f64>> {
        self.covariance_by(variance)
    }

    /// `None` for probability weights, which have none.
    fn log_likelihood(&self) -> Option<f64> {
        (!matches!(self.rows.weights, Weights::Probability(_))).then_some(self.log_likelihood)
    }

    /// Rows with a positive weight, or the sum of the frequency weights.
    fn n(&self) -> f64 {
        self.rows.n
    }
}
