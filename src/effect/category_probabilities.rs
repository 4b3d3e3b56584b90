use super::about::About;
use super::arm_means::{ArmMeans, Linear, covariance_of_contrasts};
use super::category_effects::{CategoryEffects, CategoryEstimates};
use super::method::Method;
use super::scale::ContrastScale;
use crate::compute::categorical::{Simultaneous, SimultaneousFamily};
use crate::compute::linalg::{submatrix, symmetrised};
use crate::compute::reference_distribution::check_level;
use crate::design::{Binary, Categorical, Categories, ComparedArm, Comparison, Label, MeasureInfo, Notice};
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array2, ArrayView2};
use std::sync::Arc;

/// The probability of every category in every arm, and the covariance of all of them.
///
/// What [`ArmMeans`] is to one event, this is to several that exclude each other; a scale turns it into
/// [`CategoryEffects`].
///
/// ```
/// use armwise::prelude::*;
///
/// let csv = "arm,age,contract\nc,20,none\nc,40,none\nc,30,temporary\n\
///      c,45,permanent\nc,33,temporary\nt,25,none\nt,35,temporary\n\
///            t,50,permanent\nt,22,permanent\nt,31,none\n";
/// let trial = Trial::builder("Utrecht", Table::from_csv_str(csv)?)
///     .arm_labels("arm")
///     .control("c")
///     .build()?;
/// let model = MultinomialRegression::new().adjust_for(["age"]).marginal(RiskDifference);
/// let probabilities = model.probabilities(&trial.on(&Contract::nominal("contract"))?)?;
/// assert!((probabilities.values().row(1).sum() - 1.0).abs() < 1e-12);
/// let ratios = probabilities.contrast(LogRiskRatio)?;
/// assert!(ratios.category("permanent")?.treatment("t")?.ratio().unwrap() > 1.0);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct CategoryProbabilities {
    measure: MeasureInfo,
    labels: Vec<Label>,
    counts: Array2<u64>,
    /// Being in each category, as an event.
    events: Vec<Comparison<Binary>>,
    values: Array2<f64>,
    covariance: Array2<f64>,
    method: Method,
    level: f64,
    simultaneous: Simultaneous,
    notices: Vec<Notice>,
}

impl CategoryProbabilities {
    /// One row per arm and one column per declared category; the covariance in the same order, categories
    /// varying fastest.
    pub(crate) fn new<K: Categorical>(
        comparison: &Comparison<K>,
        categories: &Categories,
        values: Array2<f64>,
        covariance: Array2<f64>,
        method: Method,
    ) -> Result<Self> {
        let (arms, k) = values.dim();
        if !values.iter().chain(&covariance).all(|value| value.is_finite()) {
            return Err(comparison.locate(Error::invalid(
                "a probability or its covariance is not finite; check the covariates for values too large to be squared",
            )));
        }
        let mut covariance = symmetrised(covariance);
        debug_assert_eq!(covariance.nrows(), arms * k);
        // Rounding may leave a zero variance slightly negative.
        covariance.diag_mut().mapv_inplace(|variance| variance.max(0.0));
        let empty = (0..k).filter(|&m| categories.counts.column(m).sum() == 0);
        Ok(Self {
            measure: comparison.measure.clone(),
            labels: categories.labels.clone(),
            counts: categories.counts.clone(),
            events: (0..k).map(|m| comparison.in_category(categories, m)).collect(),
            values: values.mapv(|p| p.clamp(0.0, 1.0)),
            covariance,
            method,
            level: 0.95,
            simultaneous: Simultaneous::Individual,
            notices: empty
                .map(|m| Notice::EmptyCategory { category: categories.labels[m].clone() })
                .collect(),
        })
    }

    setters! {
        /// The confidence level of intervals, between 0 and 1; default 0.95.
        level: f64;
        /// Whether the intervals of all treatments and categories hold together; default: each by itself.
        simultaneous: Simultaneous;
    }

    pub(crate) fn notices(mut self, notices: impl IntoIterator<Item = Notice>) -> Self {
        self.notices.extend(notices);
        self
    }

    /// The trial.
    pub fn trial(&self) -> &Label {
        self.events[0].trial()
    }

    /// The measure.
    pub fn measure(&self) -> &MeasureInfo {
        &self.measure
    }

    /// By which methods they were made.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The arms with their numbers of people, the reference first.
    pub fn arms(&self) -> &[ComparedArm] {
        self.events[0].arms()
    }

    /// The declared categories, in their order.
    pub fn categories(&self) -> &[Label] {
        &self.labels
    }

    /// How many people are analysed: one row per arm, one column per category.
    pub fn counts(&self) -> ArrayView2<'_, u64> {
        self.counts.view()
    }

    /// The probabilities: one row per arm, one column per category.
    pub fn values(&self) -> ArrayView2<'_, f64> {
        self.values.view()
    }

    /// The covariance of all probabilities, row by row of [`CategoryProbabilities::values`].
    pub fn covariance(&self) -> ArrayView2<'_, f64> {
        self.covariance.view()
    }

    /// The standard errors of the probabilities, in their shape.
    pub fn se(&self) -> Array2<f64> {
        let k = self.labels.len();
        Array2::from_shape_fn(self.values.dim(), |(arm, m)| {
            self.covariance[[arm * k + m, arm * k + m]].sqrt()
        })
    }

    /// Every treatment against the reference in every category on a scale, by the delta method.
    ///
    /// A category in which nobody is shows no spread, and is left out.
    ///
    /// # Errors
    /// Those of [`ArmMeans::contrast`].
    pub fn contrast<S: ContrastScale>(&self, scale: S) -> Result<CategoryEffects<S>> {
        let locate = |error: Error| error.in_measure(&self.measure.name).in_trial(self.trial());
        check_level(self.level)
            .and_then(|()| scale.to_any().check_contrast_of_proportions())
            .map_err(locate)?;
        let estimated: Vec<usize> =
            (0..self.labels.len()).filter(|&m| self.counts.column(m).sum() > 0).collect();
        let covariance = self.covariance_of_contrasts(&scale, &estimated);
        // Where a contrast is undefined, its error follows.
        let family = covariance
            .iter()
            .all(|value| value.is_finite())
            .then(|| SimultaneousFamily::new(self.simultaneous, covariance.view()).map(Arc::new));
        let family = family.transpose().map_err(locate)?;
        let mut estimates = Vec::with_capacity(estimated.len());
        let mut about = None;
        for &m in &estimated {
            let means = self.in_category(m)?.level(self.level).notices(self.notices.iter().cloned());
            let one = means.contrast(scale.clone())?;
            about.get_or_insert_with(|| About { measure: self.measure.clone(), ..one.about().clone() });
            let one = CategoryEstimates::new(self.labels[m].clone(), &one);
            estimates.push(match &family {
                Some(family) => one.together(family)?,
                None => one,
            });
        }
        let Some(about) = about else {
            let why = "no category has an effect that can be estimated; choose another scale";
            return Err(locate(ErrorKind::NotEstimable(why.to_owned()).into()));
        };
        CategoryEffects::new(about, self.labels.clone(), self.counts.clone(), estimates, covariance)
    }

    /// The numbers of [`CategoryProbabilities::contrast`] in every category, also where nobody is, and their
    /// joint covariance.
    pub(crate) fn linear<S: ContrastScale>(&self, scale: &S) -> Result<(Vec<Linear>, Array2<f64>)> {
        let all: Vec<usize> = (0..self.labels.len()).collect();
        let covariance = self.covariance_of_contrasts(scale, &all);
        let linear = all.into_iter().map(|m| {
            self.in_category(m)?.level(self.level).notices(self.notices.iter().cloned()).linear(scale)
        });
        Ok((linear.collect::<Result<_>>()?, covariance))
    }

    /// The probability of one category in every arm.
    fn in_category(&self, m: usize) -> Result<ArmMeans> {
        let k = self.labels.len();
        let places: Vec<usize> = (0..self.values.nrows()).map(|arm| arm * k + m).collect();
        let covariance = submatrix(self.covariance.view(), &places);
        ArmMeans::new(&self.events[m], self.values.column(m).to_vec(), covariance, self.method.clone())
    }

    /// Of all contrasts, the treatments of one category next to each other.
    fn covariance_of_contrasts<S: ContrastScale>(&self, scale: &S, estimated: &[usize]) -> Array2<f64> {
        let k = self.labels.len();
        let t = self.values.nrows() - 1;
        let gradient = |place: usize| {
            let (m, arm) = (estimated[place / t], place % t + 1);
            let slopes = scale.gradient(self.values[[arm, m]], self.values[[0, m]]);
            let slopes = slopes.unwrap_or([f64::NAN; 2]);
            [(arm * k + m, slopes[0]), (m, slopes[1])]
        };
        let gradients: Vec<[(usize, f64); 2]> = (0..t * estimated.len()).map(gradient).collect();
        covariance_of_contrasts(&gradients, self.covariance.view())
    }
}
