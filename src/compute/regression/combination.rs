//! Linear combinations of coefficients: adjusted means, contrasts.

use super::fit::{Coefficient, Fit};
use super::sandwich::VarianceType;
use crate::error::{Error, ErrorKind, Result};
use ndarray::ArrayView1;

impl Fit<'_> {
    /// The linear combination `w'b` of all coefficients, variance `w'V w`; the linear predictor of a row where `w` is its row of the matrix.
    ///
    /// # Errors
    /// `invalid_input` unless there is one finite weight for each coefficient; `zero_variance` where the variance is zero; those of
    /// [`Fit::covariance`].
    ///
    /// ```
    /// use armwise::ndarray::array;
    /// use armwise::regression::{Family, Glm, ModelMatrix, VarianceType};
    ///
    /// let (age, score) = (array![20.0, 30.0, 40.0, 50.0], array![1.0, 3.0, 2.0, 5.0]);
    /// let matrix = ModelMatrix::new(4).intercept()?.numeric("age", age.view())?;
    /// let fit = Glm::new(Family::Gaussian).fit(&matrix, &score)?;
    /// let at_mean = fit.combination("mean at 35", array![1.0, 35.0].view(), VarianceType::Model, 0.95)?;
    /// assert!((at_mean.estimate - 2.75).abs() < 1e-12);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "a view is a reference")]
    pub fn combination(
        &self,
        name: &str,
        weights: ArrayView1<'_, f64>,
        variance: VarianceType,
        level: f64,
    ) -> Result<Coefficient> {
        if weights.len() != self.rank() || !weights.iter().all(|weight| weight.is_finite()) {
            return Err(Error::invalid(format!(
                "a combination needs one finite weight for each of the {} coefficients",
                self.rank()
            )));
        }
        let estimate = weights.dot(&self.coefficients());
        let se = weights.dot(&self.covariance(variance)?.dot(&weights)).sqrt();
        if se.is_nan() || se <= 0.0 {
            return Err(ErrorKind::ZeroVariance(
                "the combination has no variance; give weights that are not all zero".to_owned(),
            )
            .into());
        }
        let reference = self.reference();
        let half = reference.two_sided_quantile(level)? * se;
        let statistic = estimate / se;
        Ok(Coefficient {
            name: name.to_owned(),
            estimate,
            se,
            statistic,
            p_value: reference.p_value(statistic)?,
            lower: estimate - half,
            upper: estimate + half,
            reference,
        })
    }
}
