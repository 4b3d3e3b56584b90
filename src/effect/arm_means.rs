use super::Estimates;
use super::contrast::{Context, Contrast};
use super::estimates::negative_variance;
use super::method::{Estimand, IntervalMethod, Method};
use super::scale::{AnyScale, ContrastScale};
use crate::compute::distribution::{Normal, StudentT};
use crate::compute::interval::Interval;
use crate::design::{ComparedArm, Comparison, Label, MeasureInfo, Notice, OutcomeKind};
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array2, ArrayView2};

/// One value per arm (a proportion, a mean, a rate, or one of them standardised from a regression) and the covariance of all of them.
///
/// A scale turns it into contrasts. This is what an estimator of one's own gives:
///
/// ```
/// use armwise::ndarray::Array2;
/// use armwise::prelude::*;
///
/// let outflow = Measure::binary("outflow");
/// let counts = Comparison::from_counts("Utrecht", &outflow, [("control", 20, 100), ("guidance", 30, 100)])?;
/// let variances = Array2::from_diag(&armwise::ndarray::arr1(&[0.0016, 0.0021]));
/// let effects = ArmMeans::new(&counts, vec![0.2, 0.3], variances, Method::new("by hand"))?.contrast(RiskDifference)?;
/// assert!((effects.treatment("guidance")?.se() - 0.0037_f64.sqrt()).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ArmMeans {
    context: Context,
    arms: Vec<ComparedArm>,
    values: Vec<f64>,
    covariance: Array2<f64>,
    df: Option<f64>,
}

impl ArmMeans {
    /// The values of the comparison's arms, the reference first, with their covariance. Marginal; level 0.95; normal quantiles.
    ///
    /// # Errors
    /// Not one value for every arm, a covariance of another size or not symmetric, or a number that is not finite.
    pub fn new<K: OutcomeKind>(
        comparison: &Comparison<K>,
        values: Vec<f64>,
        covariance: Array2<f64>,
        method: Method,
    ) -> Result<Self> {
        let context = Context::of(comparison, Estimand::Marginal, method, 0.95)?;
        let k = comparison.arms().len();
        if values.len() != k || covariance.dim() != (k, k) {
            let why = format!(
                "{k} arms need {k} values and a {k} x {k} covariance; give one value for every arm, the reference first"
            );
            return Err(context.locate(Error::invalid(why)));
        }
        if !values.iter().chain(&covariance).all(|value| value.is_finite()) {
            return Err(context.locate(Error::invalid(
                "an arm's value or covariance is not finite; check the data for values too large to be squared",
            )));
        }
        let asymmetric = covariance.indexed_iter().any(|((i, j), value)| {
            let scale = (covariance[[i, i]] * covariance[[j, j]]).abs().sqrt();
            (value - covariance[[j, i]]).abs() > 1e-9 * scale
        });
        if asymmetric {
            return Err(context.locate(Error::invalid(
                "the covariance of the arms is not symmetric; give both halves alike",
            )));
        }
        Ok(Self { context, arms: comparison.arms().to_vec(), values, covariance, df: None })
    }

    /// The confidence level of intervals, between 0 and 1; default 0.95.
    #[must_use]
    pub fn level(mut self, level: f64) -> Self {
        self.context.level = level;
        self
    }

    /// Student's t with these degrees of freedom instead of the normal distribution.
    #[must_use]
    pub fn df(mut self, df: f64) -> Self {
        self.df = Some(df);
        self
    }

    pub(crate) fn notices(mut self, notices: impl IntoIterator<Item = Notice>) -> Self {
        self.context.notices.extend(notices);
        self
    }

    /// The trial.
    pub fn trial(&self) -> &Label {
        &self.context.trial
    }

    /// The measure.
    pub fn measure(&self) -> &MeasureInfo {
        &self.context.measure
    }

    /// By which methods they were made.
    pub fn method(&self) -> &Method {
        &self.context.method
    }

    /// The arms with their numbers of people, the reference first.
    pub fn arms(&self) -> &[ComparedArm] {
        &self.arms
    }

    /// The confidence level of intervals.
    pub(crate) fn confidence_level(&self) -> f64 {
        self.context.level
    }

    pub(crate) fn degrees_of_freedom(&self) -> Option<f64> {
        self.df
    }

    /// What a reader has to be told.
    pub(crate) fn told(&self) -> &[Notice] {
        &self.context.notices
    }

    /// The labels of the arms, the reference first.
    pub fn labels(&self) -> impl Iterator<Item = &Label> {
        self.arms.iter().map(|arm| &arm.label)
    }

    /// The values of the arms, the reference first.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The covariance of the arms' values.
    pub fn covariance(&self) -> ArrayView2<'_, f64> {
        self.covariance.view()
    }

    /// The standard error of an arm's value.
    ///
    /// # Errors
    /// There is no such arm, or its variance estimate is negative.
    pub fn se(&self, arm: impl AsRef<str>) -> Result<f64> {
        let index = self.position(arm.as_ref())?;
        let variance = self.covariance[[index, index]];
        if variance < 0.0 {
            return Err(self.context.locate(negative_variance().in_arm(arm.as_ref())));
        }
        Ok(variance.sqrt())
    }

    /// The normal (or t) interval of an arm's value.
    ///
    /// # Errors
    /// As for [`ArmMeans::se`]; a level or degrees of freedom that are none.
    pub fn interval(&self, arm: impl AsRef<str>) -> Result<Interval> {
        self.context.check()?;
        let value = self.values[self.position(arm.as_ref())?];
        let tail = 0.5 * (1.0 - self.context.level);
        let quantile = match self.df {
            Some(df) => StudentT::new(df)?.upper_quantile(tail),
            None => Normal.upper_quantile(tail),
        };
        let half = quantile * self.se(arm)?;
        Interval::new(value - half, value + half)
    }

    fn position(&self, arm: &str) -> Result<usize> {
        self.arms.iter().position(|other| other.label == arm).ok_or_else(|| {
            let known = self.labels().map(ToString::to_string).collect();
            self.context.locate(ErrorKind::UnknownArm { label: arm.to_owned(), known }.into())
        })
    }

    /// Every treatment against the reference on a scale, by the delta method.
    ///
    /// # Formula
    /// `b_i = g(m_i, m_0)`, `Cov(b_i, b_j) = G_i C G_j'` with `C` the covariance of the arm means and `G_i` the gradient of `b_i`.
    ///
    /// # Errors
    /// The contrast is undefined (the logarithm of zero), a mean is no proportion where the scale needs one, or a variance estimate is
    /// negative.
    pub fn contrast<S: ContrastScale>(&self, scale: S) -> Result<Estimates<S>> {
        self.context.check()?;
        let locate = |error: Error, arm: usize| self.context.locate(error.in_arm(&self.arms[arm].label));
        if let (true, Some(arm)) =
            (scale.needs_proportions(), self.values.iter().position(|value| !(0.0..=1.0).contains(value)))
        {
            let why =
                format!("{} is no proportion; use a mean difference or a ratio of means", self.values[arm]);
            return Err(locate(Error::invalid(why), arm));
        }
        let k = self.values.len() - 1;
        let reference = self.values[0];
        let mut contrasts = Vec::with_capacity(k);
        let mut values = Vec::with_capacity(k);
        for (i, &treatment) in self.values.iter().enumerate().skip(1) {
            values.push(
                scale
                    .contrast(treatment, reference)
                    .ok_or_else(|| locate(undefined(&scale.to_any(), treatment, reference), i))?,
            );
        }
        let gradients: Vec<[f64; 2]> =
            self.values[1..].iter().map(|&treatment| scale.gradient(treatment, reference)).collect();
        let c = &self.covariance;
        let covariance = Array2::from_shape_fn((k, k), |(i, j)| {
            let ([ti, ri], [tj, rj]) = (gradients[i], gradients[j]);
            ti * tj * c[[i + 1, j + 1]]
                + ti * rj * c[[i + 1, 0]]
                + ri * tj * c[[0, j + 1]]
                + ri * rj * c[[0, 0]]
        });
        let mut context = self.context.clone();
        for (i, value) in values.into_iter().enumerate() {
            let treatment = self.arms[i + 1].clone();
            let variance = covariance[[i, i]];
            if variance < 0.0 {
                return Err(locate(negative_variance(), i + 1));
            }
            if variance == 0.0 {
                context.notices.push(Notice::ZeroStandardError { treatment: treatment.label.clone() });
            }
            let contrast = Contrast::wald(treatment, value, variance, self.df, context.level);
            contrasts.push(contrast.map_err(|error| locate(error, i + 1))?);
        }
        context.method.interval =
            if self.df.is_some() { IntervalMethod::StudentT } else { IntervalMethod::Normal };
        Estimates::new(scale, context, contrasts, covariance)
    }
}

fn undefined(scale: &AnyScale, treatment: f64, reference: f64) -> Error {
    ErrorKind::NotEstimable(format!(
        "the logarithm of the {scale} of {treatment} to {reference} is undefined; use the difference, or of proportions a ratio without \
         covariates with zero_cells(ZeroCells::AddHalf)"
    ))
    .into()
}
