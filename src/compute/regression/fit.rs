//! A fitted model: coefficients, tests, intervals, measures of fit.

use super::checked::Checked;
use super::family::{Curve, Family, Link, Variance};
use super::irls::{Convergence, Problem, Solution};
use super::kernel::{Canonical, ColumnMoments, Kernel};
use super::likelihood::log_likelihood;
use super::matrix::{BLOCK, ModelMatrix};
use super::observations::{Observations, Rows, Totals, Unit, Weights};
use super::sandwich::VarianceType;
use crate::compute::fitted::Fitted;
use crate::compute::linalg::Cholesky;
use crate::error::{Error, ErrorKind, Result, counted};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, Slice};
use std::sync::OnceLock;

/// A fitted generalised linear model. It borrows the columns it was fitted to.
///
/// Aliased columns ([`super::Aliasing::Drop`]) are absent from names, coefficients and covariance.
#[derive(Debug, Clone)]
pub struct Fit<'a> {
    pub(crate) matrix: ModelMatrix<'a>,
    pub(crate) observations: Observations<'a>,
    pub(crate) family: Family,
    pub(crate) curve: Curve,
    pub(crate) totals: Totals,
    pub(crate) stable: bool,
    pub(crate) constant: Vec<usize>,
    pub(crate) moments: Option<ColumnMoments>,
    eta: OnceLock<Array1<f64>>,
    pub(crate) factor: Cholesky,
    coefficients: Array1<f64>,
    information: Array2<f64>,
    bread: Array2<f64>,
    aliased: Vec<String>,
    deviance: f64,
    pearson_chi2: f64,
    convergence: Convergence,
}

impl<'a> Fit<'a> {
    pub(crate) fn new(
        checked: Checked<'a>,
        observations: Observations<'a>,
        family: Family,
        solution: Solution,
        stable: bool,
    ) -> Result<Self> {
        let Checked { matrix, totals, constant, aliased, curve, moments, .. } = checked;
        let all: Vec<usize> = (0..matrix.ncols()).collect();
        let factor = solution.pass.factor(&all).ok_or_else(|| {
            Error::from(ErrorKind::NotConverged(
                "the information at the estimate is singular; use fewer covariates".to_owned(),
            ))
        })?;
        let bread = factor.inverse();
        let mut fit = Self {
            matrix,
            family,
            curve,
            totals,
            stable,
            constant,
            moments,
            eta: OnceLock::new(),
            factor,
            coefficients: solution.coefficients,
            information: solution.pass.information,
            bread,
            aliased,
            deviance: 0.0,
            pearson_chi2: 0.0,
            convergence: solution.convergence,
            observations,
        };
        // The squared residuals of a linear model belong to coefficients before the last step, which lowers
        // their sum by this.
        let gain = fit.factor.solve(solution.pass.score.view()).dot(&solution.pass.score);
        let moved = curve.variance == Variance::Constant && gain > f64::EPSILON * solution.pass.deviance;
        let (mut deviance, mut pearson) = (0.0, 0.0);
        if let Some(known) = solution.pass.pearson_chi2.filter(|_| !moved) {
            (deviance, pearson) = (solution.pass.deviance, known);
        } else {
            fit.for_each_unit(|Unit { eta, y, weight, frequency, .. }| {
                let row = curve.row(eta, y);
                deviance += weight * frequency * row.deviance;
                // A row fitted perfectly far out has a variance of 0, and none of the statistic.
                if y != row.mu {
                    pearson += weight * frequency * (y - row.mu) * ((y - row.mu) / row.variance);
                }
            });
        }
        (fit.deviance, fit.pearson_chi2) = (deviance, pearson);
        if !(deviance.is_finite() && pearson.is_finite() && fit.bread.iter().all(|x| x.is_finite())) {
            return Err(ErrorKind::NotConverged(
                "the fit is beyond the range of floating point numbers; change the units of response and covariates"
                    .to_owned(),
            )
            .into());
        }
        Ok(fit)
    }

    /// The linear predictor at the coefficients, computed when it is first asked for.
    pub(crate) fn eta(&self) -> &Array1<f64> {
        self.eta.get_or_init(|| {
            let mut rows = Rows::new();
            let mut eta = Array1::zeros(self.matrix.nrows());
            self.matrix.for_each_block(|range, block| {
                self.observations.read(range.clone(), &mut rows);
                let mut part = eta.slice_axis_mut(Axis(0), Slice::from(range));
                part.assign(&ArrayView1::from(&rows.offset));
                for (b, column) in self.coefficients.iter().zip(block.rows()) {
                    part.scaled_add(*b, &column);
                }
            });
            eta
        })
    }

    /// Passes in vectors, for the models that they suit.
    pub(crate) fn kernel(&self) -> Option<(Canonical, Kernel<'_, 'a>)> {
        let model = Canonical::of(self.curve, self.totals.binary)?;
        Some((model, Kernel::new(&self.matrix, &self.observations)?))
    }

    /// Calls `with` for each row with a positive weight.
    pub(crate) fn for_each_unit(&self, mut with: impl FnMut(Unit)) {
        let mut rows = Rows::new();
        let eta = self.eta();
        for start in (0..self.matrix.nrows()).step_by(BLOCK) {
            self.observations.read(start..(start + BLOCK).min(self.matrix.nrows()), &mut rows);
            for (k, (y, weight, frequency)) in rows.iter().enumerate() {
                if weight * frequency > 0.0 {
                    with(Unit { row: start + k, eta: eta[start + k], y, weight, frequency });
                }
            }
        }
    }

    /// Whether a row has a positive weight.
    pub(crate) fn counts_row(&self, row: usize) -> bool {
        match self.observations.weights {
            Weights::None => true,
            Weights::Precision(weights) | Weights::Probability(weights) => weights[row] > 0.0,
            Weights::Frequency(counts) => counts[row] > 0,
        }
    }

    /// The design matrix without aliased columns.
    pub fn matrix(&self) -> &ModelMatrix<'a> {
        &self.matrix
    }

    /// The names of the coefficients.
    pub fn names(&self) -> &[String] {
        self.matrix.names()
    }

    /// The estimates, in the order of [`Fit::names`].
    pub fn coefficients(&self) -> ArrayView1<'_, f64> {
        self.coefficients.view()
    }

    /// The estimate of one coefficient; `None` where there is no such column, or it was aliased.
    pub fn coefficient(&self, name: &str) -> Option<f64> {
        self.names().iter().position(|known| known == name).map(|j| self.coefficients[j])
    }

    /// The columns that were left out because they are linear combinations of the columns before them.
    pub fn aliased(&self) -> &[String] {
        &self.aliased
    }

    /// The family.
    pub fn family(&self) -> Family {
        self.family
    }

    /// The link.
    pub fn link(&self) -> Link {
        self.curve.link
    }

    /// How the iteration ended.
    pub fn convergence(&self) -> Convergence {
        self.convergence
    }

    /// The number of observations: rows with a positive weight, or the sum of the frequency weights.
    pub fn n(&self) -> f64 {
        self.totals.n
    }

    /// The number of coefficients.
    pub fn rank(&self) -> usize {
        self.coefficients.len()
    }

    /// The residual degrees of freedom, `n - rank`.
    pub fn df_residual(&self) -> f64 {
        self.totals.n - self.rank() as f64
    }

    /// The degrees of freedom of the null model, `n - 1`.
    pub fn df_null(&self) -> f64 {
        self.totals.n - 1.0
    }

    /// The linear predictor of each row, offset included.
    pub fn linear_predictor(&self) -> ArrayView1<'_, f64> {
        self.eta().view()
    }

    /// The fitted mean of each row.
    pub fn fitted(&self) -> Array1<f64> {
        self.eta().mapv(|eta| self.curve.mean(eta))
    }

    /// Twice the log-likelihood ratio against a model with one parameter per row, times the dispersion; for
    /// the Gaussian family the (weighted) residual sum of squares.
    pub fn deviance(&self) -> f64 {
        self.deviance
    }

    /// `sum a_i (y_i - mu_i)^2 / V(mu_i)`.
    pub fn pearson_chi2(&self) -> f64 {
        self.pearson_chi2
    }

    /// The dispersion `phi`: 1 for the binomial and Poisson families, else Pearson's chi-square over its
    /// degrees of freedom.
    ///
    /// # Errors
    /// `insufficient_observations` where there are no degrees of freedom left to estimate it.
    pub fn dispersion(&self) -> Result<f64> {
        if !self.family.estimates_dispersion() {
            return Ok(1.0);
        }
        if self.df_residual() <= 0.0 {
            return Err(ErrorKind::InsufficientObservations(format!(
                "a model with {} has no degrees of freedom in {} to estimate the dispersion; leave covariates out",
                counted(self.rank(), "coefficient"),
                counted(self.totals.n, "observation")
            ))
            .into());
        }
        Ok(self.pearson_chi2 / self.df_residual())
    }

    /// The log-likelihood with all its constants; `None` for the quasi families and for probability weights,
    /// which have none, and where a continuous response is fitted perfectly.
    ///
    /// Gaussian: at the maximum likelihood variance `RSS / n`. Gamma: at the dispersion `deviance / n`.
    /// Binomial: with the binomial coefficients of grouped data.
    pub fn log_likelihood(&self) -> Option<f64> {
        if !self.family.has_likelihood() || matches!(self.observations.weights, Weights::Probability(_)) {
            return None;
        }
        let dispersion = self.deviance / self.totals.n;
        let mut sum = 0.0;
        self.for_each_unit(|unit| {
            sum += unit.frequency * log_likelihood(unit, self.curve, &self.observations.response, dispersion);
        });
        // A perfect fit has an infinite density.
        sum.is_finite().then_some(sum)
    }

    /// The expected information of the coefficients at dispersion 1, `A = X'WX`.
    pub fn information(&self) -> ArrayView2<'_, f64> {
        self.information.view()
    }

    /// The inverse of [`Fit::information`]: the bread of the sandwich.
    pub fn bread(&self) -> ArrayView2<'_, f64> {
        self.bread.view()
    }

    /// The derivative of each row's log-likelihood (dispersion 1, prior weight included, frequency not) with
    /// respect to its linear predictor. The score of row `i` is this times `x_i`. Zero for rows without
    /// weight.
    pub fn working_scores(&self) -> Array1<f64> {
        let mut scores = Array1::zeros(self.matrix.nrows());
        self.for_each_unit(|unit| scores[unit.row] = unit.weight * self.curve.row(unit.eta, unit.y).score);
        scores
    }

    pub(crate) fn problem(&self) -> Problem<'_, 'a> {
        Problem {
            matrix: &self.matrix,
            observations: &self.observations,
            curve: self.curve,
            totals: self.totals,
            stable: self.stable,
            moments: self.moments.as_ref(),
        }
    }

    pub(crate) fn has_frequencies(&self) -> bool {
        matches!(self.observations.weights, Weights::Frequency(_))
    }
}

impl Fitted for Fit<'_> {
    type Variance = VarianceType;

    fn parameter_names(&self) -> Vec<String> {
        self.names().to_vec()
    }

    fn estimates(&self) -> Array1<f64> {
        self.coefficients.clone()
    }

    fn covariance(&self, variance: VarianceType) -> Result<Array2<f64>> {
        Fit::covariance(self, variance)
    }

    /// [`Fit::df_residual`] where the dispersion is estimated.
    fn df(&self) -> Option<f64> {
        self.family.estimates_dispersion().then(|| self.df_residual())
    }

    fn log_likelihood(&self) -> Option<f64> {
        Fit::log_likelihood(self)
    }

    /// The coefficients, and for the Gaussian and Gamma families the dispersion.
    fn n_parameters(&self) -> usize {
        self.rank() + usize::from(matches!(self.family, Family::Gaussian | Family::Gamma))
    }

    fn n(&self) -> f64 {
        self.totals.n
    }
}
