//! Meta-regression: effects of studies explained by covariates of the studies.

// DerSimonian is a name, not code.
#![allow(clippy::doc_markdown)]

use super::meta_regression_fit::{MetaRegressionFit, TermTest};
use super::moderator::{Coding, Intercept, Moderators};
use super::options::{PredictionDf, Tau2, Test};
use super::prepared::{check_data, check_weights};
use super::regression::{At, Orthogonal, Rows};
use super::tau2::{ChiSquaredQuantiles, Tau2Estimate};
use super::tau2_methods;
use crate::compute::coefficient::Wald;
use crate::compute::distribution::ChiSquared;
use crate::compute::fitted::Fitted;
use crate::compute::hypothesis::ChiSquaredTest;
use crate::compute::reference_distribution::{ReferenceDistribution, upper_tail};
use crate::error::{Collinearity, Error, ErrorKind, Result, counted};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// How studies with the same moderators still differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Heterogeneity {
    /// By chance alone: variances vᵢ.
    None,
    /// Around their expectation with a variance of its own: vᵢ + tau².
    Additive(Tau2),
    /// By chance, of which the vᵢ tell the proportions only: variances phi vᵢ, phi = Q/(k - p), which may be
    /// below 1 (Thompson & Sharp 1999, Stat. Med. 18).
    Multiplicative,
}

/// Effects of studies as a linear function of their moderators.
///
/// # When to use
/// Where moderators were named in advance and studies are many (ten for each moderator is the customary
/// rule). It compares studies, not participants: moderators of participants belong into the models of the
/// studies.
///
/// # Formula
/// y = X beta + u + e, Var(uᵢ) = tau², Var(eᵢ) = vᵢ; beta = (X'WX)^-1 X'Wy with W = diag(1/(vᵢ + tau²)),
/// Cov(beta) = (X'WX)^-1, X with p columns and k rows. Hartung-Knapp multiplies the covariance by Q(tau²)/(k
/// - p), Q(tau²) the weighted residual sum of squares.
///
/// # Defaults
/// `new()`: tau² by REML, [`Test::WiderOfBoth`] with the larger p-value of both at every level, level 0.95,
/// prediction intervals with k - p degrees of freedom. `fixed_effects()`: no variance between studies, normal
/// test. `multiplicative()`: [`Heterogeneity::Multiplicative`], t with k - p degrees of freedom.
///
/// # Errors
/// [`ErrorKind::NoStudies`]; [`ErrorKind::InsufficientStudies`] for fewer studies than coefficients, and
/// without residual degrees of freedom where tau², phi or a t test need them; [`ErrorKind::Collinear`] with
/// the names of the columns that cannot be told apart; [`ErrorKind::InvalidVariance`];
/// [`ErrorKind::InvalidInput`] for shapes, values and options out of range; [`ErrorKind::ZeroVariance`] for
/// Hartung-Knapp or phi where the moderators fit every study exactly.
///
/// # Examples
/// ```
/// use armwise::meta_analysis::{MetaRegression, Moderators, Test};
///
/// let latitude = Moderators::new().number("latitude", &[13.0, 27.0, 33.0, 42.0, 44.0, 55.0]);
/// let (yi, vi) = ([0.1, -0.2, -0.1, -1.2, -0.9, -1.6], [0.02, 0.05, 0.01, 0.06, 0.3, 0.2]);
/// let fit = MetaRegression::new().test(Test::HartungKnapp).fit(&yi, &vi, &latitude)?;
/// assert!(fit.coefficient("latitude")?.estimate < 0.0 && fit.coefficients[1].df == Some(4.0));
/// let at_30 = fit.predict(&Moderators::new().number("latitude", &[30.0]))?;
/// assert!(at_30[0].interval.contains(at_30[0].estimate));
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Berkey et al. 1995, Stat. Med. 14; Knapp & Hartung 2003, Stat. Med. 22; Raudenbush 2009; Viechtbauer et
/// al. 2015, Psychol. Methods 20.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetaRegression {
    pub(super) heterogeneity: Heterogeneity,
    pub(super) moment_weights: Option<Vec<f64>>,
    test: Test,
    level: f64,
    prediction_df: PredictionDf,
}

impl Default for MetaRegression {
    fn default() -> Self {
        Self::new()
    }
}

impl MetaRegression {
    /// Mixed effects: tau² by REML, the wider of Wald and Hartung-Knapp.
    pub fn new() -> Self {
        Self {
            heterogeneity: Heterogeneity::Additive(Tau2::Reml),
            moment_weights: None,
            test: Test::WiderOfBoth,
            level: 0.95,
            prediction_df: PredictionDf::KMinus1,
        }
    }

    /// Studies with the same moderators have the same effect.
    pub fn fixed_effects() -> Self {
        Self { heterogeneity: Heterogeneity::None, test: Test::Normal, ..Self::new() }
    }

    /// Weighted least squares: only the proportions of the variances are believed.
    pub fn multiplicative() -> Self {
        Self { heterogeneity: Heterogeneity::Multiplicative, test: Test::T, ..Self::new() }
    }

    /// The estimator of tau²; default REML. Makes any model one with variance between studies.
    #[must_use]
    pub fn tau2(mut self, tau2: Tau2) -> Self {
        self.heterogeneity = Heterogeneity::Additive(tau2);
        self
    }

    /// Positive weights that define tau² by the method of moments, one for each study; sets
    /// [`Tau2::GeneralizedQ`].
    #[must_use]
    pub fn moment_weights(mut self, weights: impl Into<Vec<f64>>) -> Self {
        self.moment_weights = Some(weights.into());
        self.tau2(Tau2::GeneralizedQ)
    }

    setters! {
        /// The standard errors and reference distribution of the coefficients; its degrees of freedom are k - p.
        test: Test;
        /// The confidence level, between 0 and 1; default 0.95.
        level: f64;
        /// The degrees of freedom of prediction intervals; with p coefficients [`PredictionDf::KMinus1`]
        /// (default) means k - p and [`PredictionDf::KMinus2`] k - p - 1.
        prediction_df: PredictionDf;
    }

    /// Fits the model to estimates with these sampling variances.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn fit(&self, yi: &[f64], vi: &[f64], moderators: &Moderators) -> Result<MetaRegressionFit> {
        let problem = self.prepare(yi, vi, moderators)?;
        let solution = problem.solve(&problem.rows)?;
        problem.describe(&solution)
    }

    /// Everything that does not change when studies swap their moderators.
    pub(super) fn prepare(&self, yi: &[f64], vi: &[f64], moderators: &Moderators) -> Result<Problem<'_>> {
        let tail = upper_tail(self.level)?;
        check_data(yi, vi, yi.len())?;
        let k = yi.len();
        let coding = moderators.coding();
        let names = coding.names();
        let p = names.len();
        let x = moderators.design(&coding, k)?;
        coding.check()?;
        if p == 0 {
            return Err(Error::invalid(
                "a model through the origin needs a moderator; name one, or keep the intercept",
            ));
        }
        if !matches!(self.heterogeneity, Heterogeneity::Additive(_))
            && !matches!(self.test, Test::Normal | Test::T)
        {
            return Err(Error::invalid(
                "Hartung-Knapp belongs to models with variance between studies; take such a model (by tau2), or the normal or the t test",
            ));
        }
        if k < p {
            return Err(ErrorKind::InsufficientStudies(format!(
                "{coefficients} cannot be estimated from {studies}; leave moderators out",
                studies = counted(k, "study"),
                coefficients = counted(p, "coefficient")
            ))
            .into());
        }
        let basis =
            Orthogonal::new(&x, &names).map_err(|error| collinear(error, Collinearity::Moderators))?;
        let free = k - p;
        let needs_df = self.heterogeneity != Heterogeneity::None || self.test != Test::Normal;
        if free == 0 && needs_df {
            return Err(ErrorKind::InsufficientStudies(format!(
                "{studies} and {coefficients} leave no degrees of freedom for the variance between studies or a t test; \
                 leave a moderator out, or take fixed effects with the normal test", studies = counted(k, "study"), coefficients = counted(p, "coefficient")))
            .into());
        }
        if self.heterogeneity == Heterogeneity::Additive(Tau2::GeneralizedQ) {
            check_weights(self.moment_weights.as_deref(), k, "moment_weights", f64::MIN_POSITIVE)?;
        }
        let quantile = |df| Ok::<_, Error>(ReferenceDistribution::of(df)?.upper_quantile(tail));
        let z = quantile(None)?;
        let t = if free > 0 { Some(quantile(Some(free as f64))?) } else { None };
        let chi2 = if free > 0 && matches!(self.heterogeneity, Heterogeneity::Additive(_)) {
            Some(quantiles(free, tail)?)
        } else {
            None
        };
        let rows = Rows { y: yi.to_vec(), v: vi.to_vec(), x: basis.q.clone(), p };
        Ok(Problem { model: self, coding, names, basis, rows, z, t, chi2 })
    }
}

/// The error of columns that cannot be told apart in words of what they are of.
pub(super) fn collinear(error: Error, what: Collinearity) -> Error {
    match error.kind() {
        ErrorKind::Collinear { components, .. } => {
            ErrorKind::Collinear { what, components: components.clone() }.into()
        }
        _ => error,
    }
}

fn quantiles(free: usize, tail: f64) -> Result<ChiSquaredQuantiles> {
    let distribution = ChiSquared::new(free as f64)?;
    Ok(ChiSquaredQuantiles {
        lower: distribution.quantile(tail),
        median: distribution.quantile(0.5),
        upper: distribution.upper_quantile(tail),
    })
}

/// A model with its design and all quantiles.
pub(super) struct Problem<'a> {
    pub(super) model: &'a MetaRegression,
    pub(super) coding: Coding,
    pub(super) names: Vec<String>,
    basis: Orthogonal,
    /// The studies, with orthonormal columns of the design.
    pub(super) rows: Rows,
    z: f64,
    t: Option<f64>,
    chi2: Option<ChiSquaredQuantiles>,
}

/// A fit in the orthonormal coordinates of the design.
pub(super) struct Solution {
    pub(super) tau2: Tau2Estimate,
    pub(super) at: At,
    /// By which the test multiplies the covariance; 1 for the wider of both.
    pub(super) factor: f64,
    /// Degrees of freedom of t; `None` for the standard normal.
    df: Option<f64>,
    /// The factor of Hartung-Knapp, where the wider of it and Wald is asked for.
    hartung_knapp: Option<f64>,
}

impl Problem<'_> {
    pub(super) fn solve(&self, rows: &Rows) -> Result<Solution> {
        let weights = self.model.moment_weights.as_deref();
        let tau2 = match (self.model.heterogeneity, self.chi2) {
            (Heterogeneity::Additive(method), Some(chi2)) => {
                tau2_methods::estimate(method, rows, chi2.median, weights)?
            }
            _ => Tau2Estimate { tau2: 0.0, se: None },
        };
        let at = rows.at(tau2.tau2)?;
        let free = rows.df() as f64;
        // A residual that is rounding counts as zero.
        let spread = || Ok::<_, Error>(if rows.sum_of_squares()? == 0.0 { 0.0 } else { at.q / free });
        let (mut df, mut factor, mut hartung_knapp) = (Some(free), 1.0, None);
        match self.model.test {
            Test::Normal => df = None,
            Test::T => {}
            Test::HartungKnapp => factor = spread()?,
            Test::HartungKnappTruncated => factor = spread()?.max(1.0),
            Test::WiderOfBoth => {
                let other = spread()?;
                // Without residual degrees of freedom there is no Hartung-Knapp.
                hartung_knapp = Some(other).filter(|factor| factor.is_finite());
                if self.t.is_none_or(|t| other.sqrt() * t < self.z) {
                    df = None;
                }
            }
        }
        if self.model.heterogeneity == Heterogeneity::Multiplicative {
            factor = spread()?;
        }
        Ok(Solution { tau2, at, factor, df, hartung_knapp })
    }

    /// estimate/se of each coefficient, of the wider of both by the model's; infinite where the standard
    /// error is 0.
    pub(super) fn statistics(&self, solution: &Solution) -> Vec<f64> {
        let covariance = self.basis.covariance(&solution.at.covariance());
        let estimates = self.basis.coefficients(&solution.at.coefficients);
        let ratio = |(j, estimate): (usize, &f64)| {
            estimate / (solution.factor * covariance[(j, j)]).sqrt().max(f64::MIN_POSITIVE)
        };
        estimates.iter().enumerate().map(ratio).collect()
    }

    /// The chi-squared statistic that all moderators are without effect: the intercept, being the first
    /// column, drops out of the orthonormal coordinates of the others.
    pub(super) fn moderator_statistic(&self, solution: &Solution) -> f64 {
        let first = usize::from(self.coding.intercept == Intercept::Included);
        let covariance = solution.at.covariance();
        let m = self.rows.p - first;
        let block = super::dense::Square::from_fn(m, |i, j| covariance[(first + i, first + j)]);
        let mut values = solution.at.coefficients[first..].to_vec();
        match block.cholesky() {
            Some(factor) => {
                factor.forward(&mut values);
                values.iter().map(|value| value * value).sum::<f64>() / solution.factor.max(f64::MIN_POSITIVE)
            }
            None => f64::INFINITY,
        }
    }

    fn describe(&self, solution: &Solution) -> Result<MetaRegressionFit> {
        let (rows, at, model) = (&self.rows, &solution.at, self.model);
        if solution.factor == 0.0 {
            let instead = match model.heterogeneity {
                // Its dispersion is the residual variance, whatever the test.
                Heterogeneity::Multiplicative => {
                    "a model with variance between studies (by tau2), or fixed effects"
                }
                _ => "the normal test, the wider of both",
            };
            let why = format!(
                "the moderators fit every study exactly, which leaves no residual variance to judge by; take {instead}, or fewer \
                 moderators"
            );
            return Err(ErrorKind::ZeroVariance(why).into());
        }
        let (p, free) = (rows.p, rows.df());
        let zero = rows.at(0.0)?;
        let tau2 = solution.tau2.tau2;
        let additive = match model.heterogeneity {
            Heterogeneity::Additive(method) => Some(method),
            _ => None,
        };
        let q = ChiSquaredTest::new(zero.q, free as f64)?;
        let typical_variance = (additive.is_some() && free > 0).then(|| free as f64 / zero.trace_p);
        let (i2, h2) = match typical_variance {
            Some(typical) => (tau2 / (tau2 + typical), tau2 / typical + 1.0),
            None if free == 0 => (0.0, 1.0),
            None if q.statistic == 0.0 => (0.0, 0.0),
            None => (((q.statistic - free as f64) / q.statistic).max(0.0), q.statistic / free as f64),
        };
        let log = rows.log_likelihoods(tau2, at);
        let covariance = self.basis.covariance(&at.covariance());
        let estimates = self.basis.coefficients(&at.coefficients);
        let wald = Wald::new(solution.df, model.level)?;
        let named = self.names.iter().zip(&estimates).enumerate();
        let coefficients = named.map(|(j, (name, estimate))| {
            wald.coefficient(name, *estimate, (solution.factor * covariance[(j, j)]).sqrt())
        });
        let mut fit = MetaRegressionFit {
            k: rows.y.len(),
            coefficients: coefficients.collect(),
            covariance: Array2::from_shape_fn((p, p), |cell| solution.factor * covariance[cell]),
            heterogeneity: model.heterogeneity,
            test: model.test,
            level: model.level,
            df: solution.df,
            variance_factor: solution.factor,
            hartung_knapp_factor: solution.hartung_knapp,
            tau2,
            se_tau2: solution.tau2.se,
            tau2_interval: match self.chi2 {
                Some(chi2) => Some(rows.q_profile(chi2)?),
                None => None,
            },
            boundary: additive.is_some() && tau2 == 0.0,
            q_residual: q,
            i2_residual: i2,
            h2_residual: h2,
            typical_variance,
            moderator_test: None,
            terms: Vec::new(),
            tau2_without_moderators: None,
            r2: None,
            log_likelihood: log.full,
            restricted_log_likelihood: log.restricted,
            prediction_quantile: self.prediction_quantile(solution)?,
            coding: self.coding.clone(),
        };
        if let (Some(method), Intercept::Included) = (additive, self.coding.intercept) {
            let before = self.tau2_without_moderators(method)?;
            fit.tau2_without_moderators = Some(before);
            fit.r2 = (before > 0.0).then(|| ((before - tau2) / before).max(0.0));
        }
        let mut start = usize::from(self.coding.intercept == Intercept::Included);
        for term in &self.coding.terms {
            let columns: Vec<usize> = (start..start + term.width()).collect();
            start += term.width();
            fit.terms.push(TermTest { name: term.name.clone(), test: fit.test_of_columns(&columns)? });
        }
        fit.coefficients = fit.table((), fit.level)?;
        let m: usize = self.coding.terms.iter().map(super::moderator::CodedTerm::width).sum();
        if m > 0 {
            fit.moderator_test = Some(fit.test_by(self.moderator_statistic(solution), m as f64)?);
        }
        Ok(fit)
    }

    fn tau2_without_moderators(&self, method: Tau2) -> Result<f64> {
        let k = self.rows.y.len();
        let basis = Orthogonal::new(&vec![1.0; k], &["intercept".to_owned()])?;
        let rows = Rows { y: self.rows.y.clone(), v: self.rows.v.clone(), x: basis.q, p: 1 };
        let chi2 = quantiles(k - 1, 0.5 * (1.0 - self.model.level))?;
        let weights = self.model.moment_weights.as_deref();
        Ok(tau2_methods::estimate(method, &rows, chi2.median, weights)?.tau2)
    }

    /// `None` without variance between studies, or without the degrees of freedom that the rule asks for.
    fn prediction_quantile(&self, solution: &Solution) -> Result<Option<f64>> {
        if !matches!(self.model.heterogeneity, Heterogeneity::Additive(_)) {
            return Ok(None);
        }
        let free = self.rows.df() as f64;
        let of_test = if self.model.test == Test::WiderOfBoth { Some(free) } else { solution.df };
        match self.model.prediction_df.df(free + 1.0, of_test) {
            Some(df) if df <= 0.0 => Ok(None),
            df => ReferenceDistribution::of(df)?.critical(self.model.level).map(Some),
        }
    }
}
