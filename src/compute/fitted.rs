//! The questions that every fitted model answers in the same way.

use super::coefficient::{Coefficient, Wald, wald_table};
use super::hypothesis::{ChiSquaredTest, WaldTest};
use super::linalg::{Cholesky, submatrix};
use crate::error::{Error, ErrorKind, Result, counted};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

/// A fitted model: named parameters with their estimates and covariance. Tables, linear combinations, Wald
/// tests and information criteria follow from these, the same for every model.
///
/// ```
/// use armwise::ndarray::array;
/// use armwise::regression::{Family, Fitted, Glm, ModelMatrix, VarianceType};
///
/// let (age, score) = (array![20.0, 30.0, 40.0, 50.0], array![1.0, 3.0, 2.0, 5.0]);
/// let matrix = ModelMatrix::new(4).intercept()?.numeric("age", age.view())?;
/// let fit = Glm::new(Family::Gaussian).fit(&matrix, &score)?;
/// let slope = &fit.table(VarianceType::Model, 0.95)?[1];
/// assert_eq!((slope.name.as_str(), slope.df), ("age", Some(2.0)));
/// let at_mean = fit.combination("mean at 35", &[1.0, 35.0], VarianceType::Model, 0.95)?;
/// assert!((at_mean.estimate - 2.75).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
pub trait Fitted {
    /// The estimators of the covariance to choose from; `()` where a model has one.
    type Variance: Copy;

    /// The name of each parameter.
    fn parameter_names(&self) -> Vec<String>;

    /// The estimate of each parameter.
    fn estimates(&self) -> Array1<f64>;

    /// The covariance matrix of the estimates.
    ///
    /// # Errors
    /// Those of the estimator of the covariance.
    fn covariance(&self, variance: Self::Variance) -> Result<Array2<f64>>;

    /// The degrees of freedom of Student's t in Wald tests and intervals; `None` for the standard normal
    /// distribution.
    fn df(&self) -> Option<f64> {
        None
    }

    /// The log-likelihood at the estimates with all its constants; `None` where the model has no likelihood,
    /// or an infinite one.
    fn log_likelihood(&self) -> Option<f64>;

    /// The number of parameters that the information criteria count.
    fn n_parameters(&self) -> usize {
        self.estimates().len()
    }

    /// The number of observations.
    fn n(&self) -> f64;

    /// Akaike's information criterion, `-2 l + 2 k` with [`Fitted::n_parameters`] `k`.
    fn aic(&self) -> Option<f64> {
        Some(-2.0 * self.log_likelihood()? + 2.0 * self.n_parameters() as f64)
    }

    /// Schwarz' Bayesian information criterion, `-2 l + k ln n`.
    fn bic(&self) -> Option<f64> {
        Some(-2.0 * self.log_likelihood()? + self.n().ln() * self.n_parameters() as f64)
    }

    /// The parameters with Wald tests and intervals of this level.
    ///
    /// # Errors
    /// Those of [`Fitted::covariance`] and [`Fitted::table_from`].
    fn table(&self, variance: Self::Variance, level: f64) -> Result<Vec<Coefficient>> {
        let df = vec![self.df(); self.estimates().len()];
        self.table_from(self.covariance(variance)?.view(), &df, level)
    }

    /// The parameters with Wald tests and intervals, from any covariance matrix and the degrees of freedom of
    /// each.
    ///
    /// # Errors
    /// `invalid_input` where shapes differ or the level is not in (0, 1); `zero_variance` where a variance is
    /// not positive.
    fn table_from(
        &self,
        covariance: ArrayView2<'_, f64>,
        df: &[Option<f64>],
        level: f64,
    ) -> Result<Vec<Coefficient>> {
        wald_table(&self.parameter_names(), self.estimates().view(), covariance, df, level)
    }

    /// The linear combination `w'b` of all parameters, variance `w'V w`; the linear predictor of a row where
    /// `w` is its row of the matrix.
    ///
    /// # Errors
    /// `invalid_input` unless there is one finite weight for each parameter; `zero_variance` where the
    /// variance is zero; those of [`Fitted::covariance`].
    fn combination(
        &self,
        name: &str,
        weights: &[f64],
        variance: Self::Variance,
        level: f64,
    ) -> Result<Coefficient> {
        let (estimate, se) = combined(self.estimates().view(), self.covariance(variance)?.view(), weights)?;
        Ok(Wald::new(self.df(), level)?.coefficient(name, estimate, se))
    }

    /// Wald's test that the linear combinations in the rows of a matrix are all zero: chi-squared, or F where
    /// [`Fitted::df`] gives degrees of freedom.
    ///
    /// # Errors
    /// `invalid_input` unless there are rows with one finite weight for each parameter; `not_estimable` where
    /// rows depend on each other; those of [`Fitted::covariance`].
    fn joint_test(&self, combinations: ArrayView2<'_, f64>, variance: Self::Variance) -> Result<WaldTest> {
        let chi2 = jointly(self.estimates().view(), self.covariance(variance)?.view(), combinations)?;
        WaldTest::new(chi2, combinations.nrows() as f64, self.df())
    }

    /// Wald's test that the parameters at the given positions are all zero, referred to chi-squared.
    ///
    /// # Errors
    /// As [`Fitted::wald_test_from`]; those of [`Fitted::covariance`].
    fn wald_test(&self, tested: &[usize], variance: Self::Variance) -> Result<ChiSquaredTest> {
        self.wald_test_from(self.covariance(variance)?.view(), tested)
    }

    /// Wald's test as [`Fitted::wald_test`], from any covariance matrix of the parameters.
    ///
    /// # Errors
    /// `invalid_input` for a matrix of another size, and unless the positions are different ones of
    /// parameters; `rank_deficient` where their covariance is singular.
    fn wald_test_from(&self, covariance: ArrayView2<'_, f64>, tested: &[usize]) -> Result<ChiSquaredTest> {
        let estimates = self.estimates();
        let p = estimates.len();
        if covariance.dim() != (p, p) {
            return Err(Error::invalid(format!("the covariance matrix must be {p} x {p}")));
        }
        check_tested(tested, p)?;
        let chi2 = quadratic_form(estimates.select(Axis(0), tested), submatrix(covariance, tested).view());
        let chi2 = chi2.ok_or_else(|| {
            let names = self.parameter_names();
            Error::from(ErrorKind::RankDeficient {
                columns: tested.iter().map(|&j| names[j].clone()).collect(),
            })
        })?;
        ChiSquaredTest::new(chi2, tested.len() as f64)
    }
}

/// The linear combination `w'b` with its standard error.
pub(crate) fn combined(
    estimates: ArrayView1<'_, f64>,
    covariance: ArrayView2<'_, f64>,
    weights: &[f64],
) -> Result<(f64, f64)> {
    let weights = ArrayView1::from(weights);
    check_weights(weights, estimates.len())?;
    let se = weights.dot(&covariance.dot(&weights)).sqrt();
    if se.is_nan() || se <= 0.0 {
        return Err(ErrorKind::ZeroVariance(
            "the combination has no variance; give weights that are not all zero".to_owned(),
        )
        .into());
    }
    Ok((weights.dot(&estimates), se))
}

/// Wald's chi-squared that the linear combinations in the rows of a matrix are all zero.
pub(crate) fn jointly(
    estimates: ArrayView1<'_, f64>,
    covariance: ArrayView2<'_, f64>,
    combinations: ArrayView2<'_, f64>,
) -> Result<f64> {
    if combinations.nrows() == 0 {
        return Err(Error::invalid("a joint test needs at least one combination of coefficients"));
    }
    combinations.rows().into_iter().try_for_each(|row| check_weights(row, estimates.len()))?;
    let spread = combinations.dot(&covariance).dot(&combinations.t());
    quadratic_form(combinations.dot(&estimates), spread.view()).ok_or_else(|| {
        ErrorKind::NotEstimable("some of these combinations follow from the others; leave them out".into())
            .into()
    })
}

/// `b' V^-1 b`; `None` where `V` is singular to rounding.
pub(crate) fn quadratic_form(b: Array1<f64>, v: ArrayView2<f64>) -> Option<f64> {
    let factor = Cholesky::new(v).filter(|factor| factor.smallest_pivot > 1e-14)?;
    Some(b.dot(&factor.solve(b.view())))
}

/// Refuses positions that repeat or do not exist.
pub(crate) fn check_tested(tested: &[usize], p: usize) -> Result<()> {
    let twice = tested.iter().enumerate().any(|(i, j)| tested[..i].contains(j));
    if tested.is_empty() || twice || tested.iter().any(|&j| j >= p) {
        return Err(Error::invalid(format!(
            "the coefficients to test are {tested:?}; give different positions below {p}, at least one"
        )));
    }
    Ok(())
}

fn check_weights(weights: ArrayView1<f64>, p: usize) -> Result<()> {
    if weights.len() == p && weights.iter().all(|weight| weight.is_finite()) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "a combination of {coefficients} needs one finite weight for each, not {}",
        counted(weights.len(), "weight"),
        coefficients = counted(p, "coefficient")
    )))
}
