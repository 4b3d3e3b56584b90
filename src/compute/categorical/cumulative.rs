//! Cumulative regression of ordered categories: proportional odds and ordered probit.

use super::brant::{BrantTest, brant_test};
use super::cumulative_likelihood::{Cumulative, CumulativeLink};
use super::fit::CategoryFit;
use super::likelihood::CategoryModel;
use super::rows::{CategoryRows, Intercepts};
use crate::compute::linalg::part;
use crate::compute::regression::{Category, ModelMatrix, Weights};
use crate::error::{Error, Result};
use ndarray::ArrayView1;
use std::ops::Deref;

/// Cumulative regression of ordered categories; with the logit link the proportional odds model.
///
/// # Formula
/// `P(y_i <= j) = F(theta_j - x_i'b)` with increasing thresholds `theta_j`: a positive coefficient means
/// higher categories, and with the logit `exp(b)` is the odds ratio of being above any threshold. Newton's
/// method on the (weighted) log-likelihood, which is concave, until the step is below rounding; the
/// covariance uses the observed information.
///
/// The thresholds are the intercepts: the matrix may not hold one. The order of the categories is that of the
/// levels of the outcome; its reference does not matter.
///
/// # Errors
/// Of [`CumulativeRegression::fit`]: as [`MultinomialRegression`](super::MultinomialRegression);
/// `rank_deficient` also where columns sum to a constant.
///
/// # Examples
/// ```
/// use armwise::categorical::{CategoryVariance, CumulativeRegression};
/// use armwise::regression::{Category, Fitted, ModelMatrix};
///
/// let contract = [0, 0, 0, 1, 1, 2, 0, 0, 1, 2, 2, 2];
/// let arm = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1];
/// let matrix =
///     ModelMatrix::new(12).category("arm", Category::new(&arm, ["control", "guidance"]))?;
/// let fit = CumulativeRegression::new()
///     .fit(&matrix, Category::new(&contract, ["none", "temporary", "permanent"]))?;
/// let table = fit.table(CategoryVariance::Model, 0.95)?;
/// assert_eq!(table[0].name, "none|temporary");
/// assert!(table[2].name == "arm[guidance]" && table[2].estimate > 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// McCullagh (1980), Journal of the Royal Statistical Society B 42:109. Agresti (2013), Categorical Data
/// Analysis, section 8.2. Pratt (1981), Journal of the American Statistical Association 76:103 (concavity).
#[derive(Debug, Clone, Default)]
pub struct CumulativeRegression<'a> {
    link: CumulativeLink,
    weights: Weights<'a>,
}

impl<'a> CumulativeRegression<'a> {
    /// Proportional odds, without weights.
    pub fn new() -> Self {
        Self { link: CumulativeLink::Logit, weights: Weights::None }
    }

    setters! {
        /// The link. Default: [`CumulativeLink::Logit`].
        link: CumulativeLink;
        /// Weights of the rows. Default: none.
        weights: Weights<'a>;
    }

    /// Fits the model.
    ///
    /// # Errors
    /// See [`CumulativeRegression`].
    pub fn fit<'d, 'm: 'd>(
        &self,
        matrix: &ModelMatrix<'m>,
        outcome: Category<'d>,
    ) -> Result<CumulativeFit<'d>>
    where
        'a: 'd,
    {
        let rows =
            CategoryRows::new(matrix.reborrow(), outcome, self.weights.reborrow(), Intercepts::Thresholds)?;
        let model: &'static dyn CategoryModel = match self.link {
            CumulativeLink::Logit => &Cumulative(CumulativeLink::Logit),
            CumulativeLink::Probit => &Cumulative(CumulativeLink::Probit),
        };
        Ok(CumulativeFit { fit: CategoryFit::new(rows, model)?, link: self.link })
    }
}

/// A fitted cumulative regression. It borrows the columns it was fitted to.
///
/// The parameters of [`Fitted`](crate::regression::Fitted) are the thresholds, each named "lower|upper", and
/// after them the coefficients.
#[derive(Debug, Clone)]
pub struct CumulativeFit<'a> {
    fit: CategoryFit<'a>,
    link: CumulativeLink,
}

impl<'a> Deref for CumulativeFit<'a> {
    type Target = CategoryFit<'a>;

    fn deref(&self) -> &CategoryFit<'a> {
        &self.fit
    }
}

impl CumulativeFit<'_> {
    fn n_thresholds(&self) -> usize {
        self.categories().len() - 1
    }

    /// The link.
    pub fn link(&self) -> CumulativeLink {
        self.link
    }

    /// The thresholds, ascending.
    pub fn thresholds(&self) -> ArrayView1<'_, f64> {
        part(self.parameters.view(), 0..self.n_thresholds())
    }

    /// The coefficients of the design columns.
    pub fn coefficients(&self) -> ArrayView1<'_, f64> {
        part(self.parameters.view(), self.n_thresholds()..self.parameters.len())
    }

    /// The positions of the coefficients of these design columns among the parameters, for
    /// [`Fitted::wald_test`](crate::regression::Fitted::wald_test).
    pub fn positions(&self, columns: &[usize]) -> Vec<usize> {
        columns.iter().map(|c| self.n_thresholds() + c).collect()
    }

    /// Brant's test that the coefficients are the same at every threshold (Brant 1990, Biometrics 46:1171).
    ///
    /// # Errors
    /// See [`BrantTest`].
    pub fn brant_test(&self) -> Result<BrantTest> {
        if self.link != CumulativeLink::Logit {
            return Err(Error::invalid(
                "Brant's test is of proportional odds; fit the model with the logit link",
            ));
        }
        brant_test(&self.rows)
    }
}
