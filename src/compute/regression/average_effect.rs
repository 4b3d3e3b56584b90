//! The average marginal effect of a covariate.

use super::fit::Fit;
use super::matrix::BLOCK;
use super::observations::Rows;
use super::sandwich::VarianceType;
use crate::compute::linalg::columns_mut;
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array1, Array2};

/// The mean over all rows of the derivative of the fitted mean with respect to a covariate.
///
/// # Formula
/// `d = sum(w_i m'(eta_i) z_i'b) / sum(w_i)` with the derivative `z_i` of the design row with respect to the
/// covariate (products with it included), the derivative `m'` of the inverse link and the prior weights
/// `w_i`. Variance by the delta method, `g'V g` with
/// `g = sum(w_i (m''(eta_i) z_i'b x_i + m'(eta_i) z_i)) / sum(w_i)`; covariates are held fixed.
///
/// # References
/// Bartus T (2005), Stata Journal 5:309. Norton EC, Wang H, Ai C (2004), Stata Journal 4:154.
#[derive(Debug, Clone, PartialEq)]
pub struct AverageEffect {
    /// In units of the response per unit of the covariate.
    pub estimate: f64,
    /// The derivative of the estimate with respect to the coefficients.
    pub gradient: Array1<f64>,
}

impl Fit<'_> {
    /// The average marginal effect of a number among the covariates.
    ///
    /// # Errors
    /// `invalid_input` where the model has no number of that name; `rank_deficient` where it was left out as
    /// aliased.
    ///
    /// ```
    /// use armwise::ndarray::array;
    /// use armwise::regression::{Family, Glm, ModelMatrix, VarianceType};
    ///
    /// let age = array![30.0, 41.0, 52.0, 33.0, 44.0, 55.0, 36.0, 47.0];
    /// let works = array![1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0];
    /// let matrix = ModelMatrix::new(8).intercept()?.numeric("age", age.view())?;
    /// let fit = Glm::new(Family::Binomial).fit(&matrix, &works)?;
    /// let effect = fit.average_effect("age")?;
    /// assert!(effect.estimate < 0.0 && effect.se(&fit, VarianceType::Hc0)? > 0.0);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn average_effect(&self, covariate: &str) -> Result<AverageEffect> {
        let Some(term) = self.matrix.number_term(covariate) else {
            return Err(Error::invalid(
                "the model has no numeric term of this name, and a category has no derivative; name a number",
            )
            .in_column(covariate));
        };
        if self.aliased().iter().any(|name| name == covariate) {
            return Err(ErrorKind::RankDeficient { columns: self.aliased().to_vec() }.into());
        }
        let p = self.rank();
        let (mut derivative, mut x) = (Array2::<f64>::zeros((p, BLOCK)), Array2::<f64>::zeros((p, BLOCK)));
        let mut rows = Rows::new();
        let (mut estimate, mut total, mut gradient) = (0.0, 0.0, Array1::<f64>::zeros(p));
        for start in (0..self.matrix.nrows()).step_by(BLOCK) {
            let range = start..(start + BLOCK).min(self.matrix.nrows());
            self.observations.read(range.clone(), &mut rows);
            let mut z = columns_mut(derivative.view_mut(), 0..range.len());
            self.matrix.fill_derivative(range.clone(), term, z.view_mut());
            let mut x = columns_mut(x.view_mut(), 0..range.len());
            self.matrix.fill(range.clone(), x.view_mut());
            let inner = self.coefficients().dot(&z);
            let (mut first, mut second) = (Array1::<f64>::zeros(range.len()), Array1::zeros(range.len()));
            for (i, (_, weight, frequency)) in rows.iter().enumerate() {
                let w = weight * frequency;
                let [slope, curvature] = self.curve.derivatives(self.eta()[start + i]);
                total += w;
                estimate += w * slope * inner[i];
                first[i] = w * slope;
                second[i] = w * curvature * inner[i];
            }
            gradient += &z.dot(&first);
            gradient += &x.dot(&second);
        }
        Ok(AverageEffect { estimate: estimate / total, gradient: gradient / total })
    }
}

impl AverageEffect {
    /// Its standard error, from the fit that gave it.
    ///
    /// # Errors
    /// Those of [`Fit::covariance`]; `invalid_input` where the fit has other coefficients.
    pub fn se(&self, fit: &Fit, variance: VarianceType) -> Result<f64> {
        let covariance = fit.covariance(variance)?;
        if covariance.nrows() != self.gradient.len() {
            return Err(Error::invalid("the average effect was computed from another fit; give that fit"));
        }
        Ok(self.gradient.dot(&covariance.dot(&self.gradient)).max(0.0).sqrt())
    }
}
