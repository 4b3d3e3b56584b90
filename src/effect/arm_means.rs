use super::Estimates;
use super::about::About;
use super::contrast::Contrast;
use super::estimate::check_reference;
use super::estimates::negative_variance;
use super::method::{Estimand, IntervalMethod, Method};
use super::scale::{AnyScale, ContrastScale, ScaleForm};
use crate::compute::curve::Inference;
use crate::compute::interval::Interval;
use crate::compute::regression::ClusterDf;
use crate::design::{ComparedArm, Comparison, Label, MeasureInfo, Notice, OutcomeKind};
use crate::error::{Error, ErrorKind, Result, counted, number};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

/// One value per arm (a proportion, a mean, a rate, or one of them standardised from a regression) and the
/// covariance of all of them.
///
/// A scale turns it into contrasts. This is what an estimator of one's own gives:
///
/// ```
/// use armwise::ndarray::Array2;
/// use armwise::prelude::*;
///
/// let outflow = Measure::binary("outflow");
/// let counts = Comparison::from_counts(
///     "Utrecht",
///     &outflow,
///     [("control", 20, 100), ("guidance", 30, 100)],
/// )?;
/// let variances = Array2::from_diag(&armwise::ndarray::arr1(&[0.0016, 0.0021]));
/// let effects = ArmMeans::new(&counts, vec![0.2, 0.3], variances, Method::new("by hand"))?
///     .contrast(RiskDifference)?;
/// assert!((effects.treatment("guidance")?.se() - 0.0037_f64.sqrt()).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "ArmMeansWire", into = "ArmMeansWire")]
pub struct ArmMeans {
    about: About,
    arms: Vec<ComparedArm>,
    values: Vec<f64>,
    covariance: Array2<f64>,
    df: Option<f64>,
    /// Where clusters are counted: the degrees of freedom of each contrast by its own arms.
    clusters: Option<ClusterDf>,
}

#[derive(Serialize, Deserialize)]
struct ArmMeansWire {
    about: About,
    arms: Vec<ComparedArm>,
    values: Vec<f64>,
    #[serde(with = "crate::compute::matrix_rows")]
    covariance: Array2<f64>,
    df: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    clusters: Option<ClusterDf>,
}

impl From<ArmMeans> for ArmMeansWire {
    fn from(means: ArmMeans) -> Self {
        let ArmMeans { about, arms, values, covariance, df, clusters } = means;
        Self { about, arms, values, covariance, df, clusters }
    }
}

impl TryFrom<ArmMeansWire> for ArmMeans {
    type Error = Error;

    fn try_from(wire: ArmMeansWire) -> Result<Self> {
        let ArmMeansWire { about, arms, values, covariance, df, clusters } = wire;
        about.check_one_trial()?;
        if about.estimand != Estimand::Marginal {
            let why = format!("means of arms are marginal, not {}", about.estimand);
            return Err(about.locate(Error::invalid(why)));
        }
        if let Some(df) = df.filter(|df| !(*df > 0.0 && df.is_finite())) {
            let why = format!("the degrees of freedom are {df}; give a number above 0, or leave them out");
            return Err(about.locate(Error::invalid(why)));
        }
        if clusters.as_ref().is_some_and(|clusters| !clusters.fits(arms.len())) {
            let why = "the degrees of freedom by clusters are not those of these arms; leave them out";
            return Err(about.locate(Error::invalid(why)));
        }
        let Some(reference) = arms.first() else {
            return Err(
                about.locate(Error::invalid("there are no arms; give the reference and its treatments"))
            );
        };
        check_reference(&about, reference)?;
        for (i, arm) in arms.iter().enumerate() {
            arm.counts.check().map_err(|error| about.locate(error.in_arm(&arm.label)))?;
            if arms[..i].iter().any(|other| other.label == arm.label) {
                let why = "two arms have this label; give each its own";
                return Err(about.locate(Error::invalid(why).in_arm(&arm.label)));
            }
        }
        let means = Self { about, arms, values, covariance, df, clusters };
        means.check()?;
        Ok(means)
    }
}

impl ArmMeans {
    /// The values of the comparison's arms, the reference first, with their covariance. Marginal; level 0.95;
    /// normal quantiles.
    ///
    /// # Errors
    /// Not one value for every arm, a covariance of another size or not symmetric, or a number that is not
    /// finite.
    pub fn new<K: OutcomeKind>(
        comparison: &Comparison<K>,
        values: Vec<f64>,
        covariance: Array2<f64>,
        method: Method,
    ) -> Result<Self> {
        let about = About::of(comparison, Estimand::Marginal, method, 0.95)?;
        let arms = comparison.arms().to_vec();
        let means = Self { about, arms, values, covariance, df: None, clusters: None };
        means.check()?;
        Ok(means.without_rounding())
    }

    /// A variance that is nothing but rounding is zero, and so are its covariances, and the mean beside it:
    /// arms in which the outcome does not vary.
    fn without_rounding(mut self) -> Self {
        let least = 0.1 * ROUNDING * self.largest();
        let constant: Vec<bool> =
            self.covariance.diag().iter().map(|variance| variance.abs().sqrt() <= least).collect();
        for ((i, j), value) in self.covariance.indexed_iter_mut() {
            if constant[i] || constant[j] {
                *value = 0.0;
            }
        }
        for (value, constant) in self.values.iter_mut().zip(constant) {
            if constant && value.abs() <= least {
                *value = 0.0;
            }
        }
        self
    }

    /// One finite value for every arm, and a covariance of all.
    fn check(&self) -> Result<()> {
        let Self { about, arms, values, covariance, .. } = self;
        let k = arms.len();
        if values.len() != k || covariance.dim() != (k, k) {
            let why = format!(
                "the covariance of {arms} is {k} x {k}; give it, and {values}, one for every arm, the reference first",
                arms = counted(k, "arm"),
                values = counted(k, "value")
            );
            return Err(about.locate(Error::invalid(why)));
        }
        if !values.iter().chain(covariance).all(|value| value.is_finite()) {
            return Err(about.locate(Error::invalid(
                "an arm's value or covariance is not finite; check the data for values too large to be squared",
            )));
        }
        let asymmetric = covariance.indexed_iter().any(|((i, j), value)| {
            let scale = (covariance[[i, i]] * covariance[[j, j]]).abs().sqrt();
            (value - covariance[[j, i]]).abs() > 1e-9 * scale
        });
        if asymmetric {
            return Err(about.locate(Error::invalid(
                "the covariance of the arms is not symmetric; give both halves alike",
            )));
        }
        Ok(())
    }

    /// Values that are nothing but the rounding of terms of this size are 0.
    pub(crate) fn of_terms(mut self, size: f64) -> Self {
        for value in &mut self.values {
            if value.abs() <= 10.0 * ROUNDING * size {
                *value = 0.0;
            }
        }
        self
    }

    /// The size of the largest value.
    fn largest(&self) -> f64 {
        self.values.iter().fold(0.0, |largest, value| largest.max(value.abs()))
    }

    /// The confidence level of intervals, between 0 and 1; default 0.95.
    #[must_use]
    pub fn level(mut self, level: f64) -> Self {
        self.about.level = level;
        self
    }

    setters! {
        /// Student's t with these degrees of freedom instead of the normal distribution.
        df: f64 as Some;
    }

    /// Student's t with Satterthwaite's degrees of freedom of each contrast, from the clusters of its arms.
    pub(crate) fn clusters(mut self, clusters: ClusterDf) -> Self {
        self.clusters = Some(clusters);
        self
    }

    /// The degrees of freedom of a contrast with these derivatives with respect to the values of arms.
    fn df_of(&self, gradient: &[(usize, f64)]) -> Option<f64> {
        match &self.clusters {
            Some(clusters) => Some(clusters.of(gradient)),
            None => self.df,
        }
    }

    pub(crate) fn notices(mut self, notices: impl IntoIterator<Item = Notice>) -> Self {
        self.about.notices.extend(notices);
        self
    }

    /// The same values after a change of how they are described.
    pub(crate) fn described(mut self, change: impl FnOnce(&mut About)) -> Self {
        change(&mut self.about);
        self
    }

    /// The trial.
    pub fn trial(&self) -> &Label {
        &self.about.trials[0]
    }

    /// The measure.
    pub fn measure(&self) -> &MeasureInfo {
        &self.about.measure
    }

    /// By which methods they were made.
    pub fn method(&self) -> &Method {
        &self.about.method
    }

    /// The arms with their numbers of people, the reference first.
    pub fn arms(&self) -> &[ComparedArm] {
        &self.arms
    }

    /// The confidence level of intervals.
    pub(crate) fn confidence_level(&self) -> f64 {
        self.about.level
    }

    /// The degrees of freedom of the interval of an arm's value.
    pub(crate) fn degrees_of_freedom(&self, arm: usize) -> Option<f64> {
        self.df_of(&[(arm, 1.0)])
    }

    /// The notices.
    pub(crate) fn told(&self) -> &[Notice] {
        &self.about.notices
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
            return Err(self.about.locate(negative_variance(&self.about.method).in_arm(arm.as_ref())));
        }
        Ok(variance.sqrt())
    }

    /// The normal (or t) interval of an arm's value.
    ///
    /// # Errors
    /// As for [`ArmMeans::se`]; a level that is not between 0 and 1, degrees of freedom that are not above zero.
    pub fn interval(&self, arm: impl AsRef<str>) -> Result<Interval> {
        let index = self.position(arm.as_ref())?;
        let df = self.degrees_of_freedom(index);
        let inference = Inference::wald(self.values[index], self.se(arm)?, df, self.about.level);
        Ok(inference.map_err(|error| self.about.locate(error))?.interval())
    }

    fn position(&self, arm: &str) -> Result<usize> {
        self.arms.iter().position(|other| other.label == arm).ok_or_else(|| {
            let known = self.labels().map(ToString::to_string).collect();
            self.about.locate(ErrorKind::UnknownArm { label: arm.to_owned(), known }.into())
        })
    }

    /// Every treatment against the reference on a scale, by the delta method.
    ///
    /// # Formula
    /// `b_i = g(m_i, m_0)`, `Cov(b_i, b_j) = G_i C G_j'` with `C` the covariance of the arm means and `G_i`
    /// the gradient of `b_i`.
    ///
    /// # Errors
    /// The contrast is undefined (the logarithm of zero), a mean is no proportion where the scale needs one,
    /// or a variance estimate is negative, or zero.
    pub fn contrast<S: ContrastScale>(&self, scale: S) -> Result<Estimates<S>> {
        let Linear { about, values, covariance, df } = self.linear(&scale)?;
        let locate = |error: Error, arm: usize| self.about.locate(error.in_arm(&self.arms[arm].label));
        let mut contrasts = Vec::with_capacity(values.len());
        for (i, (value, df)) in values.into_iter().zip(df).enumerate() {
            let contrast =
                Contrast::wald(self.arms[i + 1].clone(), value, covariance[[i, i]], df, about.level);
            contrasts.push(contrast.map_err(|error| locate(error, i + 1))?);
        }
        Estimates::new(scale, about, self.arms[0].clone(), contrasts, covariance)
    }

    /// The numbers of [`ArmMeans::contrast`], for estimators that make intervals of their own; a variance may
    /// be zero.
    pub(crate) fn linear<S: ContrastScale>(&self, scale: &S) -> Result<Linear> {
        self.about.check()?;
        scale.to_any().check_contrast().map_err(|error| self.about.locate(error))?;
        let locate = |error: Error, arm: usize| self.about.locate(error.in_arm(&self.arms[arm].label));
        let proportions = -ROUNDING..=1.0 + ROUNDING;
        if let (true, Some(arm)) =
            (scale.needs_proportions(), self.values.iter().position(|value| !proportions.contains(value)))
        {
            let why =
                format!("{} is no proportion; use a mean difference or a ratio of means", self.values[arm]);
            return Err(locate(Error::invalid(why), arm));
        }
        let k = self.values.len() - 1;
        let reference = self.values[0];
        let (mut values, mut gradients) = (Vec::with_capacity(k), Vec::with_capacity(k));
        for (i, &treatment) in self.values.iter().enumerate().skip(1) {
            let contrast = scale.contrast(treatment, reference).zip(scale.gradient(treatment, reference));
            let (value, [of_treatment, of_reference]) =
                contrast.ok_or_else(|| locate(undefined(&scale.to_any(), treatment, reference), i))?;
            values.push(value);
            gradients.push([(i, of_treatment), (0, of_reference)]);
        }
        let covariance = covariance_of_contrasts(&gradients, self.covariance.view());
        let mut about = self.about.clone();
        for (i, value) in values.iter_mut().enumerate() {
            let variance = covariance[[i, i]];
            if variance < 0.0 {
                return Err(locate(negative_variance(&about.method), i + 1));
            }
            // Without variance the tiny difference that rounding leaves would be significant.
            let size = if scale.form() == ScaleForm::LogRatio { 1.0 } else { self.largest() };
            if variance == 0.0 {
                *value = if value.abs() < ROUNDING * size { 0.0 } else { *value };
                about.notices.push(Notice::ZeroStandardError { treatment: self.arms[i + 1].label.clone() });
            }
        }
        let df: Vec<Option<f64>> = gradients.iter().map(|gradient| self.df_of(gradient)).collect();
        about.method.interval =
            if df.iter().any(Option::is_some) { IntervalMethod::StudentT } else { IntervalMethod::Normal };
        Ok(Linear { about, values, covariance, df })
    }
}

/// Contrasts by the delta method before they are effects.
pub(crate) struct Linear {
    pub about: About,
    pub values: Vec<f64>,
    pub covariance: Array2<f64>,
    pub df: Vec<Option<f64>>,
}

/// Variances relative to their terms, standard errors relative to the largest mean (a tenth of this), and
/// values without variance, that are rounding.
pub(super) const ROUNDING: f64 = 1e-13;

/// `G C G'`, each contrast having the derivatives with respect to two of the means. A variance that is
/// nothing but rounding is zero, and so are its covariances.
pub(super) fn covariance_of_contrasts(
    gradients: &[[(usize, f64); 2]],
    means: ArrayView2<f64>,
) -> Array2<f64> {
    let k = gradients.len();
    let terms = |i: usize, j: usize| {
        let pairs = gradients[i].iter().flat_map(move |a| gradients[j].iter().map(move |b| (a, b)));
        pairs.map(|((row, a), (column, b))| {
            let (slopes, mean) = (a * b, means[[*row, *column]]);
            // Slopes of 1e200 have no square, and a variance of zero stays zero.
            if slopes.is_finite() { slopes * mean } else { a * mean * b }
        })
    };
    let constant: Vec<bool> = (0..k)
        .map(|i| {
            let size: f64 = terms(i, i).map(f64::abs).sum();
            terms(i, i).sum::<f64>().abs() <= ROUNDING * size
        })
        .collect();
    // Both halves from the same sum: where terms cancel, sums in another order differ.
    let value = |(i, j): (usize, usize)| terms(i.min(j), i.max(j)).sum();
    Array2::from_shape_fn((k, k), |(i, j)| if constant[i] || constant[j] { 0.0 } else { value((i, j)) })
}

fn undefined(scale: &AnyScale, treatment: f64, reference: f64) -> Error {
    let instead = match scale {
        AnyScale::LogRateRatio => {
            "use the difference in rates; rate::TwoRates::ratio_interval has exact and score limits of the ratio"
        }
        AnyScale::LogRiskRatio | AnyScale::LogOddsRatio => {
            "use the difference in proportions, or without covariates RatioOfProportions or OddsRatio with zero_cells(ZeroCells::AddHalf)"
        }
        _ => "use the difference",
    };
    let four_digits = |x: f64| number(format!("{x:.3e}").parse().unwrap_or(x));
    let (treatment, reference) = (four_digits(treatment), four_digits(reference));
    let why = format!("the logarithm of the {scale} of {treatment} to {reference} is undefined; {instead}");
    ErrorKind::NotEstimable(why).into()
}
