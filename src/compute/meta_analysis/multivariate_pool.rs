//! What joint pooling yields, and the questions that can be put to it.

use super::multivariate::BetweenStructure;
use super::options::Tau2;
use super::tau2::ChiSquaredQuantiles;
use crate::compute::coefficient::Coefficient;
use crate::compute::fitted::Fitted;
use crate::compute::hypothesis::{ChiSquaredTest, WaldTest};
use crate::compute::interval::Interval;
use crate::compute::reference_distribution::check_level;
use crate::error::{Error, ErrorKind, Result, counted};
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

/// The result of a [`MultivariateModel`](super::MultivariateModel).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
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
    /// Its confidence interval, the tau² at which the generalised Q is a quantile of chi-squared (Q-profile:
    /// Viechtbauer 2007, Stat. Med. 26:37; Jackson, Turner, Rhodes & Viechtbauer 2014, BMC Med. Res. Methodol.
    /// 14:103, for residual heterogeneity, of which effects with a fixed correlation between trials are a
    /// rotation). `None` for a common effect, without degrees of freedom, and for structures of several
    /// parameters, of which Q is no function of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tau2_interval: Option<Interval>,
    /// Whether a variance between trials was estimated and is 0 (for structures of several parameters:
    /// whether their matrix is singular; for the nested one whether the variance of either level is 0).
    pub boundary: bool,
    /// The correlation of effects of a trial between trials; given, or estimated by the structures that have
    /// one.
    pub correlation: Option<f64>,
    /// How the effects of a trial vary between trials.
    pub structure: BetweenStructure,
    /// The covariance matrix between trials in the order of the outcomes (of the coefficients, where none
    /// were named); `None` where the structure does not tie rows to outcomes
    /// ([`BetweenStructure::FixedCorrelation`], [`BetweenStructure::Nested`]).
    #[serde(with = "crate::compute::matrix_rows::optional")]
    pub between_covariance: Option<Array2<f64>>,
    /// (effects - coefficients)/tr(P) at zero variance between trials: the sampling variance to compare tau²
    /// with.
    pub typical_variance: f64,
    /// The generalised Q at tau² = 0, with effects - coefficients degrees of freedom.
    pub q: ChiSquaredTest,
    /// The generalised Q at the fitted tau², near effects - coefficients where the model holds: their ratio
    /// is the factor of Jackson & Riley (2014, Stat. Med. 33:541). `None` for structures of several
    /// parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residual_q: Option<f64>,
    /// The log-likelihood with all constants.
    pub log_likelihood: f64,
    /// The restricted log-likelihood with all constants and + log|X'X|/2.
    pub restricted_log_likelihood: f64,
    /// The confidence level.
    pub level: f64,
}

checked!(MultivariatePool);

impl MultivariatePool {
    /// Refuses numbers of which one does not follow from another; those that follow from the effects alone are
    /// checked where these are kept, in the pools of trials.
    pub(crate) fn check(&self) -> Result<()> {
        let (p, v) = (self.coefficients.len(), &self.covariance);
        let fail = |why: &str| Err(Error::invalid(format!("a joint pool {why}; take it as it was fitted")));
        check_level(self.level)?;
        let positive = |x: f64| x >= 0.0 && x.is_finite();
        let symmetric = v.dim() == (p, p)
            && v.indexed_iter().all(|((i, j), &x)| x.is_finite() && (x - v[[j, i]]).abs() <= 1e-12 * x.abs());
        if !symmetric {
            return fail("needs a symmetric covariance for all its coefficients");
        }
        let of_se =
            |(one, variance): (&Coefficient, &f64)| (one.se * one.se - variance).abs() <= 1e-9 * variance;
        if !self.coefficients.iter().zip(v.diag()).all(of_se) {
            return fail("has standard errors that are the roots of its variances");
        }
        if !(positive(self.tau2) && self.se_tau2.is_none_or(positive) && positive(self.typical_variance)) {
            return fail("has a tau2, its standard error and a typical variance of zero or more");
        }
        if self.boundary && self.structure == BetweenStructure::FixedCorrelation && self.tau2 != 0.0 {
            return fail("has a tau2 of zero on its boundary");
        }
        let effects = self.effects as f64;
        if self.trials == 0 || self.trials > self.effects || self.q.df + p as f64 != effects {
            return fail(
                "has a trial or more, an effect or more for each, and effects less coefficients as degrees of freedom of Q",
            );
        }
        let most = self.q.statistic * (1.0 + 1e-9) + 1e-9;
        if self.residual_q.is_some_and(|q| !(0.0..=most).contains(&q)) {
            return fail("has a residual Q between zero and its Q without variation");
        }
        if let Some(interval) = self.tau2_interval {
            // Q falls with tau2: where it is below a quantile, tau2 is above that limit.
            let chi2 = ChiSquaredQuantiles::new(self.q.df, self.level)?;
            let above = |quantile: f64| self.residual_q.is_none_or(|q| q > quantile * (1.0 + 1e-6));
            let below = |quantile: f64| self.residual_q.is_none_or(|q| q < quantile * (1.0 - 1e-6));
            let wrong = interval.lower() < 0.0
                || (interval.lower() > 0.0 && self.q.statistic < chi2.upper * (1.0 - 1e-6))
                || (interval.lower() > self.tau2 && below(chi2.upper))
                || (interval.upper() < self.tau2 && above(chi2.lower));
            if wrong {
                return fail("has an interval of tau2 that is not that of its Q");
            }
        }
        if !(self.log_likelihood.is_finite() && self.restricted_log_likelihood.is_finite()) {
            return fail("has finite likelihoods");
        }
        Ok(())
    }

    /// A coefficient by its name.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownTreatment`] where there is none of that name.
    pub fn coefficient(&self, name: &str) -> Result<&Coefficient> {
        self.coefficients.iter().find(|coefficient| coefficient.name == name).ok_or_else(|| {
            ErrorKind::UnknownTreatment { name: name.to_owned(), known: self.parameter_names() }.into()
        })
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
        self.combination(&format!("{first} - {second}"), &weights, (), self.level)
    }

    /// Whether all coefficients are zero.
    ///
    /// # Errors
    /// [`ErrorKind::NotEstimable`] where their covariance matrix is singular.
    pub fn all_zero(&self) -> Result<WaldTest> {
        let p = self.coefficients.len();
        self.joint_test(Array2::eye(p).view(), ())
    }

    /// Whether all coefficients are equal; needs two or more.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for one coefficient; else as [`Fitted::joint_test`].
    pub fn all_equal(&self) -> Result<WaldTest> {
        let p = self.coefficients.len();
        if p < 2 {
            return Err(Error::invalid(
                "one coefficient cannot be compared; a test of equality needs two or more",
            ));
        }
        let cell = |(i, j): (usize, usize)| f64::from(u8::from(j == 0)) - f64::from(u8::from(j == i + 1));
        self.joint_test(Array2::from_shape_fn((p - 1, p), cell).view(), ())
    }
}

/// Information criteria compare models whose variances maximise the likelihood ([`Tau2::Ml`]).
impl Fitted for MultivariatePool {
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
        self.coefficients.first()?.df
    }

    fn log_likelihood(&self) -> Option<f64> {
        Some(self.log_likelihood)
    }

    /// The coefficients, and the variances and correlations between studies that were estimated.
    fn n_parameters(&self) -> usize {
        let q = self.between_covariance.as_ref().map_or(0, Array2::nrows);
        let between = match self.structure {
            _ if self.tau2_estimator.is_none() => 0,
            BetweenStructure::FixedCorrelation => 1,
            BetweenStructure::CompoundSymmetry | BetweenStructure::Nested => 2,
            BetweenStructure::HeteroscedasticCompoundSymmetry => q + 1,
            BetweenStructure::Diagonal => q,
            BetweenStructure::Unstructured => q * (q + 1) / 2,
        };
        self.coefficients.len() + between
    }

    fn n(&self) -> f64 {
        self.effects as f64
    }
}

pub(super) fn names(coefficients: &[Coefficient]) -> Vec<String> {
    coefficients.iter().map(|coefficient| coefficient.name.clone()).collect()
}

pub(super) fn estimates(coefficients: &[Coefficient]) -> Array1<f64> {
    coefficients.iter().map(|coefficient| coefficient.estimate).collect()
}

/// The covariance of a result whose public fields still belong together: it may have been read from a file
/// that was edited.
pub(super) fn check_shape(p: usize, covariance: &Array2<f64>) -> Result<Array2<f64>> {
    if p > 0 && covariance.dim() == (p, p) {
        return Ok(covariance.clone());
    }
    Err(Error::invalid(format!(
        "this result has {coefficients} and a covariance of {:?}, which do not belong together; take it as it was fitted",
        covariance.dim(),
        coefficients = counted(p, "coefficient")
    )))
}
