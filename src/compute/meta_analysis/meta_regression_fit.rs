//! What a meta-regression yields.

use super::meta_regression::Heterogeneity;
use super::moderator::{Coding, Moderators};
use super::multivariate_pool::{check_shape, estimates, names};
use super::options::Test;
use crate::compute::coefficient::Coefficient;
use crate::compute::curve::Inference;
use crate::compute::fitted::Fitted;
use crate::compute::hypothesis::{ChiSquaredTest, WaldTest};
use crate::compute::interval::Interval;
use crate::compute::reference_distribution::ReferenceDistribution;
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array1, Array2, ArrayView1};
use serde::{Deserialize, Serialize};

/// The result of a [`MetaRegression`](super::MetaRegression) with k studies and p coefficients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MetaRegressionFit {
    /// The number of studies.
    pub k: usize,
    /// The coefficients: the intercept, where there is one, then those of the moderators in their order.
    pub coefficients: Vec<Coefficient>,
    /// Their covariance matrix by [`MetaRegressionFit::test`], p x p.
    #[serde(with = "crate::compute::matrix_rows")]
    pub covariance: Array2<f64>,
    /// How studies with the same moderators still differ.
    pub heterogeneity: Heterogeneity,
    /// The test that was asked for.
    pub test: Test,
    /// The confidence level of all intervals.
    pub level: f64,
    /// Degrees of freedom of t, k - p; `None` for the standard normal.
    pub df: Option<f64>,
    /// By which the test multiplied the model's covariance: 1, or Q(tau²)/(k - p).
    pub variance_factor: f64,
    /// Q(tau²)/(k - p) of Hartung-Knapp, where [`Test::WiderOfBoth`] compared it with Wald; intervals and standard errors are those of the
    /// wider one at the level, p-values the larger ones.
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
    /// The share of the residual variance that lies between studies, from 0 to 1: tau²/(tau² + typical variance); without tau²
    /// in the model max(0, (Q - df)/Q).
    pub i2_residual: f64,
    /// tau²/(typical variance) + 1; without tau² in the model Q/df.
    pub h2_residual: f64,
    /// (k - p)/tr(P), P at tau² = 0; `None` without tau² in the model.
    pub typical_variance: Option<f64>,
    /// That no moderator has an effect (through the origin: that all coefficients are 0); `None` without moderators.
    pub moderator_test: Option<WaldTest>,
    /// The same for each moderator, all columns of a category together.
    pub terms: Vec<TermTest>,
    /// tau² of the model with an intercept alone, by the same estimator; `None` through the origin or without tau².
    pub tau2_without_moderators: Option<f64>,
    /// The share of it that the moderators explain, from 0 to 1: max(0, (`tau2_without_moderators` - tau²)/`tau2_without_moderators`);
    /// `None` where there is nothing to explain.
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
    /// The interval for the effect in a new study, sqrt(tau² + se²) wide to either side in units of a quantile; `None` without tau²
    /// in the model.
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
    /// [`ErrorKind::InvalidInput`] for other moderators; [`ErrorKind::UnknownCategory`] for labels that no study had.
    pub fn predict(&self, moderators: &Moderators) -> Result<Vec<Prediction>> {
        let x = self.rows(moderators)?;
        let covariance = Fitted::covariance(self, ())?;
        let (estimates, quantile) =
            (self.estimates(), ReferenceDistribution::of(self.df)?.critical(self.level)?);
        let rows = x.chunks(self.coefficients.len()).map(ArrayView1::from);
        Ok(rows
            .map(|row| {
                let (estimate, variance) = (row.dot(&estimates), row.dot(&covariance.dot(&row)).max(0.0));
                let around =
                    |quantile: f64, variance: f64| Interval::around(estimate, quantile * variance.sqrt());
                Prediction {
                    estimate,
                    se: variance.sqrt(),
                    interval: around(quantile, variance),
                    prediction: self
                        .prediction_quantile
                        .map(|quantile| around(quantile, variance + self.tau2.max(0.0))),
                }
            })
            .collect())
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

    /// A linear combination of the coefficients with its confidence curve: where the wider of both was asked for, the larger of Wald and
    /// Hartung-Knapp.
    ///
    /// # Errors
    /// As [`MetaRegressionFit::combination`].
    pub(crate) fn inference(&self, weights: &[f64]) -> Result<Inference> {
        let combined = self.combination("", weights, (), self.level)?;
        let (value, variance) = (combined.estimate, combined.se * combined.se);
        let Some(factor) = self.hartung_knapp_factor else {
            return Inference::wald(value, variance.sqrt(), self.df, self.level);
        };
        let wald = variance / self.variance_factor;
        Inference::larger_of(value, wald.sqrt(), ((factor * wald).sqrt(), self.residual_df()), self.level)
    }

    fn residual_df(&self) -> f64 {
        self.k.saturating_sub(self.coefficients.len()) as f64
    }

    /// Of the wider of both the larger p-values, which do not depend on the level.
    pub(super) fn take_larger_p_values(&mut self) -> Result<()> {
        let Some(factor) = self.hartung_knapp_factor else { return Ok(()) };
        let (df, own) = (self.residual_df(), self.variance_factor);
        let (normal, t) = (ReferenceDistribution::of(None)?, ReferenceDistribution::of(Some(df))?);
        for coefficient in &mut self.coefficients {
            // In standard errors of Wald.
            let z = coefficient.statistic * own.sqrt();
            coefficient.p_value = normal.two_sided(z).max(t.two_sided(z / factor.sqrt()));
        }
        let tests = self.terms.iter_mut().map(|term| &mut term.test).chain(&mut self.moderator_test);
        for test in tests {
            let chi2 = own * test.statistic * test.denominator_df.map_or(1.0, |_| test.df);
            let (normal, t) =
                (WaldTest::new(chi2, test.df, None)?, WaldTest::new(chi2 / factor, test.df, Some(df))?);
            *test = if t.p_value > normal.p_value { t } else { normal };
        }
        Ok(())
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
