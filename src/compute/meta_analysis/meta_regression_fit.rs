//! What a meta-regression yields.

use super::meta_regression::Heterogeneity;
use super::moderator::{Coding, Moderators};
use super::multivariate_pool::{check_shape, estimates, names};
use super::options::Test;
use crate::compute::coefficient::{Coefficient, Wald};
use crate::compute::curve::Inference;
use crate::compute::fitted::{Fitted, combined, jointly};
use crate::compute::hypothesis::{ChiSquaredTest, WaldTest};
use crate::compute::interval::Interval;
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

/// The result of a [`MetaRegression`](super::MetaRegression) with k studies and p coefficients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MetaRegressionFit {
    /// The number of studies.
    pub k: usize,
    /// The coefficients: the intercept, where there is one, then those of the moderators in their order.
    pub coefficients: Vec<Coefficient>,
    /// Their covariance matrix by [`MetaRegressionFit::test`], p x p; that of the model for
    /// [`Test::WiderOfBoth`].
    #[serde(with = "crate::compute::matrix_rows")]
    pub covariance: Array2<f64>,
    /// How studies with the same moderators still differ.
    pub heterogeneity: Heterogeneity,
    /// The test that was asked for.
    pub test: Test,
    /// The confidence level of all intervals.
    pub level: f64,
    /// Degrees of freedom of t, k - p; `None` for the standard normal. For [`Test::WiderOfBoth`] those of the
    /// wider interval at the level.
    pub df: Option<f64>,
    /// By which the test multiplied the model's covariance: 1, or Q(tau²)/(k - p); 1 for
    /// [`Test::WiderOfBoth`].
    pub variance_factor: f64,
    /// Q(tau²)/(k - p), by which Hartung-Knapp multiplies it, for [`Test::WiderOfBoth`]; intervals of
    /// coefficients are the wider ones at the level, p-values the larger ones.
    pub hartung_knapp_factor: Option<f64>,
    /// The variance between studies that the moderators leave; 0 without one in the model.
    pub tau2: f64,
    /// Its standard error, where the estimator has one.
    pub se_tau2: Option<f64>,
    /// Its Q-profile interval; `None` without variance between studies in the model.
    pub tau2_interval: Option<Interval>,
    /// Whether tau² was estimated and is 0.
    pub boundary: bool,
    /// The weighted residual sum of squares at tau² = 0, with k - p degrees of freedom.
    pub q_residual: ChiSquaredTest,
    /// The share of the residual variance that lies between studies, from 0 to 1: tau²/(tau² + typical
    /// variance); without tau² in the model max(0, (Q - df)/Q).
    pub i2_residual: f64,
    /// tau²/(typical variance) + 1; without tau² in the model Q/df.
    pub h2_residual: f64,
    /// (k - p)/tr(P), P at tau² = 0; `None` without tau² in the model.
    pub typical_variance: Option<f64>,
    /// That no moderator has an effect (through the origin: that all coefficients are 0); `None` without
    /// moderators.
    pub moderator_test: Option<WaldTest>,
    /// The same for each moderator, all columns of a category together.
    pub terms: Vec<TermTest>,
    /// tau² of the model with an intercept alone, by the same estimator; `None` through the origin or without
    /// tau².
    pub tau2_without_moderators: Option<f64>,
    /// The share of it that the moderators explain, from 0 to 1: max(0, (`tau2_without_moderators` -
    /// tau²)/`tau2_without_moderators`); `None` where there is nothing to explain.
    pub r2: Option<f64>,
    /// The log-likelihood at these estimates, with all constants.
    pub log_likelihood: f64,
    /// The restricted log-likelihood at these estimates, with all constants and + log|X'X|/2.
    pub restricted_log_likelihood: f64,
    pub(super) prediction_quantile: Option<f64>,
    pub(super) coding: Coding,
}

/// The joint test of the columns of a moderator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TermTest {
    /// The name of the moderator.
    pub name: String,
    /// That all its coefficients are 0.
    pub test: WaldTest,
}

/// The expected effect of studies with given moderators.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// x'beta.
    pub estimate: f64,
    /// Its standard error.
    pub se: f64,
    /// The confidence interval of the expectation.
    pub interval: Interval,
    /// The interval for the effect in a new study, sqrt(tau² + se²) wide to either side in units of a
    /// quantile, se that of the model for [`Test::WiderOfBoth`]; `None` without tau² in the model.
    pub prediction: Option<Interval>,
}

impl MetaRegressionFit {
    /// A coefficient by its name.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownColumn`] where there is none of that name.
    pub fn coefficient(&self, name: &str) -> Result<&Coefficient> {
        Ok(&self.coefficients[self.position(name)?])
    }

    fn position(&self, name: &str) -> Result<usize> {
        self.coefficients.iter().position(|coefficient| coefficient.name == name).ok_or_else(|| {
            ErrorKind::UnknownColumn { name: name.to_owned(), known: self.parameter_names() }.into()
        })
    }

    /// sqrt(tau²), the standard deviation between studies that the moderators leave.
    pub fn tau(&self) -> f64 {
        self.tau2.sqrt()
    }

    /// The expected effects at new values of the moderators, which are those of the fit, by name and order.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for other moderators; [`ErrorKind::UnknownCategory`] for labels that no
    /// study had.
    pub fn predict(&self, moderators: &Moderators) -> Result<Vec<Prediction>> {
        let x = self.rows(moderators)?;
        let covariance = Fitted::covariance(self, ())?;
        let estimates = self.estimates();
        let rows = x.chunks(self.coefficients.len()).map(ArrayView1::from);
        rows.map(|row| {
            let (estimate, variance) = (row.dot(&estimates), row.dot(&covariance.dot(&row)).max(0.0));
            let at = self.coefficient_of("", estimate, variance.sqrt(), self.level)?;
            // Of the wider of both with the variance of the model, so that it does not jump where the other
            // takes over.
            let around =
                |quantile: f64| Interval::around(estimate, quantile * (variance + self.tau2.max(0.0)).sqrt());
            Ok(Prediction {
                estimate,
                se: at.se,
                interval: at.interval,
                prediction: self.prediction_quantile.map(around),
            })
        })
        .collect()
    }

    /// The rows of the design at new values of the moderators, one after the other.
    ///
    /// # Errors
    /// As [`MetaRegressionFit::predict`].
    pub(crate) fn rows(&self, moderators: &Moderators) -> Result<Vec<f64>> {
        let x = moderators.design(&self.coding, moderators.rows())?;
        if self.coding.names().len() == self.coefficients.len() {
            return Ok(x);
        }
        Err(Error::invalid(
            "the moderators and the coefficients of this result do not belong together; take it as it was fitted",
        ))
    }

    /// A linear combination of the coefficients with its confidence curve: where the wider of both was asked
    /// for, the larger of Wald and Hartung-Knapp.
    ///
    /// # Errors
    /// As [`MetaRegressionFit::combination`].
    pub(crate) fn inference(&self, weights: &[f64]) -> Result<Inference> {
        let (value, se) = combined(self.estimates().view(), Fitted::covariance(self, ())?.view(), weights)?;
        match self.hartung_knapp_factor {
            None => Inference::wald(value, se, self.df, self.level),
            Some(factor) => {
                Inference::larger_of(value, se, (factor.sqrt() * se, self.residual_df()), self.level)
            }
        }
    }

    fn residual_df(&self) -> f64 {
        self.k.saturating_sub(self.coefficients.len()) as f64
    }

    /// A coefficient or combination of this standard error by [`MetaRegressionFit::covariance`]: of the wider
    /// of both the wider interval at the level, and the larger p-value, which does not depend on it.
    pub(super) fn coefficient_of(
        &self,
        name: &str,
        estimate: f64,
        se: f64,
        level: f64,
    ) -> Result<Coefficient> {
        let Some(factor) = self.hartung_knapp_factor else {
            return Ok(Wald::new(self.df, level)?.coefficient(name, estimate, se));
        };
        let wald = Wald::new(None, level)?.coefficient(name, estimate, se);
        let other = Wald::new(Some(self.residual_df()), level)?;
        let other = other.coefficient(name, estimate, factor.sqrt() * se);
        let p_value = wald.p_value.max(other.p_value);
        let wider = if other.interval.width() < wald.interval.width() { wald } else { other };
        Ok(Coefficient { p_value, ..wider })
    }

    /// A joint test from chi-squared by [`MetaRegressionFit::covariance`]: of the wider of both the one with
    /// the larger p-value.
    pub(super) fn test_by(&self, chi2: f64, df: f64) -> Result<WaldTest> {
        let Some(factor) = self.hartung_knapp_factor else { return WaldTest::new(chi2, df, self.df) };
        let wald = WaldTest::new(chi2, df, None)?;
        let other = WaldTest::new(chi2 / factor.max(f64::MIN_POSITIVE), df, Some(self.residual_df()))?;
        Ok(if other.p_value > wald.p_value { other } else { wald })
    }

    /// Whether the coefficients of these names are all zero.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownColumn`] for a name that does not exist; else as [`Fitted::joint_test`].
    pub fn test_of<S: AsRef<str>>(&self, names: &[S]) -> Result<WaldTest> {
        let columns = names.iter().map(|name| self.position(name.as_ref())).collect::<Result<Vec<_>>>()?;
        self.test_of_columns(&columns)
    }

    pub(super) fn test_of_columns(&self, columns: &[usize]) -> Result<WaldTest> {
        let shape = (columns.len(), self.coefficients.len());
        let cell = |(i, j): (usize, usize)| f64::from(u8::from(columns[i] == j));
        self.joint_test(Array2::from_shape_fn(shape, cell).view(), ())
    }
}

/// Information criteria compare models whose tau² maximises the likelihood ([`Tau2::Ml`](super::Tau2::Ml)).
impl Fitted for MetaRegressionFit {
    type Variance = ();

    fn parameter_names(&self) -> Vec<String> {
        names(&self.coefficients)
    }

    fn estimates(&self) -> Array1<f64> {
        estimates(&self.coefficients)
    }

    fn covariance(&self, (): ()) -> Result<Array2<f64>> {
        check_shape(self.coefficients.len(), &self.covariance)
    }

    fn df(&self) -> Option<f64> {
        self.df
    }

    fn table(&self, (): (), level: f64) -> Result<Vec<Coefficient>> {
        let covariance = self.covariance(())?;
        let rows = self.coefficients.iter().zip(covariance.diag());
        rows.map(|(one, variance)| self.coefficient_of(&one.name, one.estimate, variance.sqrt(), level))
            .collect()
    }

    /// Of the wider of both the wider interval at the level, and the larger p-value.
    fn combination(&self, name: &str, weights: &[f64], (): (), level: f64) -> Result<Coefficient> {
        let (estimate, se) = combined(self.estimates().view(), self.covariance(())?.view(), weights)?;
        self.coefficient_of(name, estimate, se, level)
    }

    /// Of the wider of both the test with the larger p-value.
    fn joint_test(&self, combinations: ArrayView2<'_, f64>, (): ()) -> Result<WaldTest> {
        let chi2 = jointly(self.estimates().view(), self.covariance(())?.view(), combinations)?;
        self.test_by(chi2, combinations.nrows() as f64)
    }

    /// Of the wider of both the test with the larger p-value.
    fn wald_test(&self, tested: &[usize], (): ()) -> Result<ChiSquaredTest> {
        let test = self.wald_test_from(self.covariance(())?.view(), tested)?;
        let Some(factor) = self.hartung_knapp_factor else { return Ok(test) };
        ChiSquaredTest::new(test.statistic / factor.max(1.0), test.df)
    }

    fn log_likelihood(&self) -> Option<f64> {
        Some(self.log_likelihood)
    }

    /// The coefficients, and the variance between studies or the factor of their variances.
    fn n_parameters(&self) -> usize {
        self.coefficients.len() + usize::from(self.heterogeneity != Heterogeneity::None)
    }

    fn n(&self) -> f64 {
        self.k as f64
    }
}
