//! Cumulative regression of ordered categories: proportional odds and ordered probit.

use super::brant::{BrantTest, brant_test};
use super::core::{CategoryVariance, Core};
use super::likelihood::Model;
use super::multinomial::MultinomialFit;
use super::rows::{CategoryRows, Intercepts};
use super::standardized::StandardizedCategories;
use crate::compute::fitted::Fitted;
use crate::compute::hypothesis::ChiSquaredTest;
use crate::compute::linalg::part;
use crate::compute::regression::{Category, Convergence, ModelMatrix, Weights};
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array1, Array2, ArrayView1};

/// The distribution function `F` of a cumulative model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CumulativeLink {
    /// `F(x) = 1 / (1 + exp(-x))`: proportional odds.
    #[default]
    Logit,
    /// `F(x) = Phi(x)`: ordered probit.
    Probit,
}

/// Cumulative regression of ordered categories; with the logit link the proportional odds model.
///
/// # Formula
/// `P(y_i <= j) = F(theta_j - x_i'b)` with increasing thresholds `theta_j`: a positive coefficient means higher categories, and with the
/// logit `exp(b)` is the odds ratio of being above any threshold. Newton's method on the (weighted) log-likelihood, which is
/// concave, until the step is below rounding; the covariance uses the observed information.
///
/// The thresholds are the intercepts: the matrix may not hold one. The order of the categories is that of the levels of the outcome; its
/// reference does not matter.
///
/// # Errors
/// Of [`CumulativeRegression::fit`]: as [`MultinomialRegression`](super::MultinomialRegression); `rank_deficient` also where columns sum to a constant.
///
/// # Examples
/// ```
/// use armwise::categorical::{CategoryVariance, CumulativeRegression};
/// use armwise::regression::{Category, Fitted, ModelMatrix};
///
/// let contract = [0, 0, 0, 1, 1, 2, 0, 0, 1, 2, 2, 2];
/// let arm = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1];
/// let matrix = ModelMatrix::new(12).category("arm", Category::new(&arm, ["control", "guidance"]))?;
/// let fit = CumulativeRegression::new().fit(&matrix, Category::new(&contract, ["none", "temporary", "permanent"]))?;
/// let table = fit.table(CategoryVariance::Model, 0.95)?;
/// assert_eq!(table[0].name, "none|temporary");
/// assert!(table[2].name == "arm[guidance]" && table[2].estimate > 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// `McCullagh` (1980), Journal of the Royal Statistical Society B 42:109. Agresti (2013), Categorical Data Analysis, section 8.2. Pratt (1981),
/// Journal of the American Statistical Association 76:103 (concavity).
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

    /// The link. Default: [`CumulativeLink::Logit`].
    #[must_use]
    pub fn link(mut self, link: CumulativeLink) -> Self {
        self.link = link;
        self
    }

    /// Weights of the rows. Default: none.
    #[must_use]
    pub fn weights(mut self, weights: Weights<'a>) -> Self {
        self.weights = weights;
        self
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
        Ok(CumulativeFit { core: Core::fit(rows, Model::Cumulative(self.link))?, link: self.link })
    }
}

/// A fitted cumulative regression. It borrows the columns it was fitted to.
#[derive(Debug, Clone)]
pub struct CumulativeFit<'a> {
    core: Core<'a>,
    link: CumulativeLink,
}

impl<'a> CumulativeFit<'a> {
    fn n_thresholds(&self) -> usize {
        self.categories().len() - 1
    }

    /// The names of the design columns.
    pub fn names(&self) -> &[String] {
        self.core.rows.matrix.names()
    }

    /// The categories, in ascending order.
    pub fn categories(&self) -> &[String] {
        &self.core.rows.levels
    }

    /// The link.
    pub fn link(&self) -> CumulativeLink {
        self.link
    }

    /// The thresholds, ascending.
    pub fn thresholds(&self) -> ArrayView1<'_, f64> {
        part(self.core.parameters.view(), 0..self.n_thresholds())
    }

    /// The coefficients, in the order of [`CumulativeFit::names`].
    pub fn coefficients(&self) -> ArrayView1<'_, f64> {
        part(self.core.parameters.view(), self.n_thresholds()..self.core.parameters.len())
    }

    /// The log-likelihood of the same probabilities in all rows.
    pub fn null_log_likelihood(&self) -> f64 {
        self.core.rows.null_log_likelihood()
    }

    /// How the iteration ended.
    pub fn convergence(&self) -> Convergence {
        self.core.convergence
    }

    /// The likelihood ratio test that the coefficients of these design columns are zero.
    ///
    /// # Errors
    /// `invalid_input` unless the positions are different ones of columns; `not_converged`.
    pub fn likelihood_ratio_test(&self, columns: &[usize]) -> Result<ChiSquaredTest> {
        self.core.likelihood_ratio_test(columns)
    }

    /// The positions of the coefficients of these design columns among the parameters, for [`Fitted::wald_test`].
    pub fn positions(&self, columns: &[usize]) -> Vec<usize> {
        columns.iter().map(|c| self.n_thresholds() + c).collect()
    }

    /// Twice the log-likelihood ratio of a multinomial regression of the same rows: a rough test of the parallel thresholds.
    /// (The models are not nested: the chi-square reference is a convention.)
    ///
    /// # Errors
    /// `incompatible` where the two have other categories or numbers of observations; `not_estimable` where the multinomial
    /// regression has no more parameters.
    pub fn against_multinomial(&self, multinomial: &MultinomialFit) -> Result<ChiSquaredTest> {
        if multinomial.categories() != self.categories() || multinomial.n() != self.n() {
            return Err(ErrorKind::Incompatible(
                "the two regressions have different categories or rows; fit both to the same".to_owned(),
            )
            .into());
        }
        let more = multinomial.n_parameters().saturating_sub(self.core.parameters.len());
        if more == 0 {
            return Err(Error::from(ErrorKind::NotEstimable(
                "the multinomial regression has no more parameters than the cumulative one, so that nothing is tested; give \
                 it an intercept and the same columns, and at least three categories"
                    .to_owned(),
            )));
        }
        let gain = multinomial.log_likelihood().unwrap_or_default() - self.core.log_likelihood;
        ChiSquaredTest::new((2.0 * gain).max(0.0), more as f64)
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
        brant_test(&self.core.rows)
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
}

/// The parameters are the thresholds, each named "lower|upper", and after them the coefficients.
impl Fitted for CumulativeFit<'_> {
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
