//! What multinomial and cumulative fits share: covariance, measures of fit, tests.

use super::likelihood::{Maximum, Model, Products};
use super::rows::CategoryRows;
use crate::compute::fitted::check_tested;
use crate::compute::hypothesis::ChiSquaredTest;
use crate::compute::linalg::symmetrised;
use crate::compute::regression::{Convergence, ModelMatrix};
use crate::error::{ErrorKind, Result};
use ndarray::{Array1, Array2};

/// How the covariance of the parameters of a regression with categories is estimated; `A` is the observed information and `U_i` the
/// score of a row, prior weight included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CategoryVariance {
    /// `A^-1`.
    Model,
    /// `A^-1 (sum U_i U_i') A^-1` (Huber 1967; White 1982): right also where the model is not. The one to use with probability weights.
    Hc0,
}

#[derive(Debug, Clone)]
pub(super) struct Core<'a> {
    pub(super) rows: CategoryRows<'a>,
    pub(super) model: Model,
    pub(super) parameters: Array1<f64>,
    pub(super) convergence: Convergence,
    pub(super) log_likelihood: f64,
    pub(super) bread: Array2<f64>,
}

impl<'a> Core<'a> {
    pub(super) fn fit(rows: CategoryRows<'a>, model: Model) -> Result<Self> {
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

    pub(super) fn covariance(&self, variance: CategoryVariance) -> Array2<f64> {
        match variance {
            CategoryVariance::Model => self.bread.clone(),
            CategoryVariance::Hc0 => {
                let meat = self.model.pass(&self.rows, &self.parameters, None, Products::Scores).products;
                symmetrised(self.bread.dot(&meat).dot(&self.bread))
            }
        }
    }

    /// Against the model without some columns of the matrix.
    pub(super) fn likelihood_ratio_test(&self, columns: &[usize]) -> Result<ChiSquaredTest> {
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
}
