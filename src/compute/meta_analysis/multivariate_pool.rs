//! What joint pooling yields, and the questions that can be put to it.

// Array views are passed by value, as ndarray does.
#![allow(clippy::needless_pass_by_value)]

use super::dense::Square;
use super::multivariate::BetweenStructure;
use super::options::{ChiSquaredTest, Tau2};
use crate::compute::distribution::{ChiSquared, FisherF};
use crate::compute::interval::Interval;
use crate::compute::reference_distribution::{ReferenceDistribution, check_level};
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array1, Array2, ArrayView2};
use serde::{Deserialize, Serialize};

/// One coefficient, or one linear combination of coefficients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coefficient {
    /// Its name.
    pub name: String,
    /// The estimate.
    pub estimate: f64,
    /// The standard error.
    pub se: f64,
    /// estimate/se.
    pub statistic: f64,
    /// Degrees of freedom of t; `None` for the standard normal.
    pub df: Option<f64>,
    /// Two-sided.
    pub p_value: f64,
    /// The two-sided interval.
    pub interval: Interval,
}

/// A test that several linear combinations are all zero.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WaldTest {
    /// Chi-squared; divided by its degrees of freedom (F) where the coefficients are referred to t.
    pub statistic: f64,
    /// The number of combinations.
    pub df: usize,
    /// The denominator degrees of freedom of F; `None` for chi-squared.
    pub denominator_df: Option<f64>,
    /// The upper tail.
    pub p_value: f64,
}

/// The result of a [`MultivariateModel`](super::MultivariateModel).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MultivariatePool {
    /// The number of trials.
    pub trials: usize,
    /// The number of effects.
    pub effects: usize,
    /// The coefficients, in the order of the names.
    pub coefficients: Vec<Coefficient>,
    /// Their covariance matrix, p x p.
    #[serde(with = "crate::compute::matrix_rows")]
    pub covariance: Array2<f64>,
    /// The estimator of tau²; `None` for a common effect.
    pub tau2_estimator: Option<Tau2>,
    /// The variance between trials; the mean of the variances where the structure has several.
    pub tau2: f64,
    /// Its standard error; `None` for structures of several parameters.
    pub se_tau2: Option<f64>,
    /// Whether a variance between trials was estimated and is 0 (for structures of several parameters:
    /// whether their matrix is singular).
    pub boundary: bool,
    /// The correlation of effects of a trial between trials; given, or estimated by the structures that have
    /// one.
    pub correlation: Option<f64>,
    /// How the effects of a trial vary between trials.
    pub structure: BetweenStructure,
    /// The covariance matrix between trials in the order of the outcomes (of the coefficients, where none were named); `None` where
    /// the structure does not tie rows to outcomes ([`BetweenStructure::FixedCorrelation`], [`BetweenStructure::Nested`]).
    #[serde(with = "crate::compute::matrix_rows::optional")]
    pub between_covariance: Option<Array2<f64>>,
    /// (effects - coefficients)/tr(P) at zero variance between trials: the sampling variance to compare tau²
    /// with.
    pub typical_variance: f64,
    /// The generalised Q at tau² = 0, with effects - coefficients degrees of freedom.
    pub q: ChiSquaredTest,
    /// The log-likelihood with all constants.
    pub log_likelihood: f64,
    /// The restricted log-likelihood with all constants and + log|X'X|/2.
    pub restricted_log_likelihood: f64,
    /// The confidence level.
    pub level: f64,
}

impl Coefficient {
    pub(super) fn new(name: String, estimate: f64, se: f64, df: Option<f64>, level: f64) -> Result<Self> {
        let statistic = if estimate == 0.0 && se == 0.0 { 0.0 } else { estimate / se };
        let reference = ReferenceDistribution::of(df)?;
        let interval = Interval::around(estimate, reference.critical(level)? * se);
        Ok(Self { name, estimate, se, statistic, df, p_value: reference.two_sided(statistic), interval })
    }
}

impl MultivariatePool {
    /// A coefficient by its name.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownTreatment`] where there is none of that name.
    pub fn coefficient(&self, name: &str) -> Result<&Coefficient> {
        self.coefficients.iter().find(|coefficient| coefficient.name == name).ok_or_else(|| {
            let known = self.coefficients.iter().map(|coefficient| coefficient.name.clone()).collect();
            ErrorKind::UnknownTreatment { name: name.to_owned(), known }.into()
        })
    }

    /// The estimates in one vector.
    pub fn estimates(&self) -> Array1<f64> {
        self.coefficients.iter().map(|coefficient| coefficient.estimate).collect()
    }

    /// A linear combination of the coefficients, with this weight on each.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] unless there is one finite weight for each coefficient.
    pub fn combination(&self, name: &str, weights: &[f64]) -> Result<Coefficient> {
        self.check_combination(weights)?;
        let p = weights.len();
        let estimate = (0..p).map(|i| weights[i] * self.coefficients[i].estimate).sum();
        let variance: f64 = (0..p)
            .map(|i| (0..p).map(|j| weights[i] * weights[j] * self.covariance[[i, j]]).sum::<f64>())
            .sum();
        let df = self.coefficients.first().and_then(|coefficient| coefficient.df);
        Coefficient::new(name.to_owned(), estimate, variance.max(0.0).sqrt(), df, self.level)
    }

    /// The first coefficient minus the second, by name.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownTreatment`] for a name that does not exist.
    pub fn difference(&self, first: &str, second: &str) -> Result<Coefficient> {
        self.coefficient(first)?;
        self.coefficient(second)?;
        let weight = |name: &str| f64::from(u8::from(name == first)) - f64::from(u8::from(name == second));
        let weights: Vec<f64> =
            self.coefficients.iter().map(|coefficient| weight(&coefficient.name)).collect();
        self.combination(&format!("{first} - {second}"), &weights)
    }

    /// Whether all coefficients are zero.
    ///
    /// # Errors
    /// [`ErrorKind::NotEstimable`] where their covariance matrix is singular.
    pub fn all_zero(&self) -> Result<WaldTest> {
        let p = self.coefficients.len();
        self.joint_test(Array2::eye(p).view())
    }

    /// Whether all coefficients are equal; needs two or more.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for one coefficient; else as [`MultivariatePool::joint_test`].
    pub fn all_equal(&self) -> Result<WaldTest> {
        let p = self.coefficients.len();
        if p < 2 {
            return Err(Error::invalid(
                "one coefficient cannot be compared; a test of equality needs two or more",
            ));
        }
        let cell = |(i, j): (usize, usize)| f64::from(u8::from(j == 0)) - f64::from(u8::from(j == i + 1));
        self.joint_test(Array2::from_shape_fn((p - 1, p), cell).view())
    }

    /// Whether the linear combinations in the rows of a matrix are all zero.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for a wrong shape; [`ErrorKind::NotEstimable`] where rows depend on each
    /// other.
    pub fn joint_test(&self, combinations: ArrayView2<'_, f64>) -> Result<WaldTest> {
        let (df, p) = (combinations.nrows(), self.coefficients.len());
        for row in combinations.rows() {
            self.check_combination(&row.to_vec())?;
        }
        if df == 0 {
            return Err(Error::invalid("a joint test needs at least one combination of coefficients"));
        }
        let spread = Square::from_fn(df, |a, b| {
            let cells = (0..p).flat_map(|i| (0..p).map(move |j| (i, j)));
            cells.map(|(i, j)| combinations[[a, i]] * self.covariance[[i, j]] * combinations[[b, j]]).sum()
        });
        let mut values = combinations.dot(&self.estimates()).to_vec();
        let factor = spread.cholesky().ok_or_else(|| {
            Error::from(ErrorKind::NotEstimable(
                "some of these combinations follow from the others; leave them out".into(),
            ))
        })?;
        factor.forward(&mut values);
        let chi2: f64 = values.iter().map(|value| value * value).sum();
        let denominator_df = self.coefficients.first().and_then(|coefficient| coefficient.df);
        let (statistic, p_value) = match denominator_df {
            None => (chi2, ChiSquared::new(df as f64)?.sf(chi2)),
            Some(denominator) => {
                let f = chi2 / df as f64;
                (f, FisherF::new(df as f64, denominator)?.sf(f))
            }
        };
        Ok(WaldTest { statistic, df, denominator_df, p_value })
    }

    fn check_combination(&self, weights: &[f64]) -> Result<()> {
        let p = self.coefficients.len();
        check_shape(p, &self.covariance, self.level)?;
        if weights.len() == p && weights.iter().all(|weight| weight.is_finite()) {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "a combination needs one finite weight for each of the {p} coefficients, {} were given",
            weights.len()
        )))
    }
}

/// Refuses a result whose public fields no longer belong together, as after reading it from a file that was edited.
pub(super) fn check_shape(p: usize, covariance: &Array2<f64>, level: f64) -> Result<()> {
    check_level(level)?;
    if p > 0 && covariance.dim() == (p, p) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "this result has {p} coefficients and a covariance of {:?}, which do not belong together; take it as it was fitted",
        covariance.dim()
    )))
}
