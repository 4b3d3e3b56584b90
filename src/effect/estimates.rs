use super::Estimate;
use super::arm_means::ROUNDING;
use super::contrast::{Context, Contrast};
use super::method::{Estimand, IntervalMethod, Method, TestMethod};
use super::scale::{AnyScale, Scale, narrow};
use crate::design::{ArmCounts, ComparedArm, Label, MeasureInfo, Notice};
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The effects of every treatment of one trial against its reference, with their joint covariance.
///
/// The contrasts share a reference, so they are correlated; arm against arm, any linear combination, and multivariate pooling come from
/// this one object.
///
/// ```
/// use armwise::prelude::*;
///
/// let outflow = Measure::binary("outflow").higher_is_better();
/// let arms = [("control", 6, 176), ("exemption", 6, 168), ("guidance", 7, 172)];
/// let effects = Comparison::from_counts("Utrecht", &outflow, arms)?.estimate(&DifferenceInProportions::new())?;
/// assert_eq!(effects.len(), 2);
/// assert!(effects.covariance()[[0, 1]] > 0.0);
///
/// let guidance_or_exemption = effects.combination("any help", &[("guidance", 0.5), ("exemption", 0.5)])?;
/// let between = effects.between("guidance", "exemption")?;
/// assert!(between.se() > 0.0 && guidance_or_exemption.se() < between.se());
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "EstimatesWire<S>", into = "EstimatesWire<S>")]
#[serde(bound = "S: Scale")]
pub struct Estimates<S: Scale> {
    scale: S,
    context: Arc<Context>,
    contrasts: Vec<Contrast>,
    covariance: Array2<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(bound = "S: Scale")]
struct EstimatesWire<S: Scale> {
    scale: S,
    #[serde(flatten)]
    context: Context,
    contrasts: Vec<Contrast>,
    #[serde(with = "crate::compute::matrix_rows")]
    covariance: Array2<f64>,
}

impl<S: Scale> From<Estimates<S>> for EstimatesWire<S> {
    fn from(estimates: Estimates<S>) -> Self {
        Self {
            scale: estimates.scale,
            context: Arc::unwrap_or_clone(estimates.context),
            contrasts: estimates.contrasts,
            covariance: estimates.covariance,
        }
    }
}

impl<S: Scale> TryFrom<EstimatesWire<S>> for Estimates<S> {
    type Error = Error;

    fn try_from(wire: EstimatesWire<S>) -> Result<Self> {
        let k = wire.contrasts.len();
        if wire.covariance.dim() != (k, k) {
            let why = format!("the covariance of {k} estimates must be {k} x {k}");
            return Err(wire.context.locate(Error::invalid(why)));
        }
        Self::new(wire.scale, wire.context, wire.contrasts, wire.covariance)
    }
}

impl<S: Scale> Estimates<S> {
    pub(crate) fn new(
        scale: S,
        context: Context,
        contrasts: Vec<Contrast>,
        mut covariance: Array2<f64>,
    ) -> Result<Self> {
        context.check()?;
        if contrasts.is_empty() {
            return Err(context
                .locate(Error::invalid("there is no treatment to estimate; give one beside the reference")));
        }
        for (i, contrast) in contrasts.iter().enumerate() {
            context.check_contrast(contrast)?;
            let label = &contrast.treatment.label;
            if contrasts[..i].iter().any(|other| other.treatment.label == *label) {
                return Err(context
                    .locate(Error::invalid("two arms have this label; give each its own").in_arm(label)));
            }
        }
        check_covariance(covariance.view(), &contrasts).map_err(|error| context.locate(error))?;
        // The halves may differ in the last digit.
        for i in 0..contrasts.len() {
            for j in 0..i {
                covariance[[i, j]] = covariance[[j, i]];
            }
        }
        Ok(Self { scale, context: Arc::new(context), contrasts, covariance })
    }

    /// The same estimates after a change of how they are described.
    pub(crate) fn described(mut self, change: impl FnOnce(&mut Context)) -> Self {
        change(Arc::make_mut(&mut self.context));
        self
    }

    /// The numbers of people of the reference.
    pub(crate) fn reference_counts(&self) -> ArmCounts {
        self.context.reference.counts
    }

    /// The scale.
    pub fn scale(&self) -> &S {
        &self.scale
    }

    /// How many treatments there are.
    pub fn len(&self) -> usize {
        self.contrasts.len()
    }

    /// Never true: there is at least one treatment.
    pub fn is_empty(&self) -> bool {
        self.contrasts.is_empty()
    }

    /// The labels of the treatments.
    pub fn treatments(&self) -> impl Iterator<Item = &Label> {
        self.contrasts.iter().map(|contrast| &contrast.treatment.label)
    }

    /// The values of all treatments.
    pub fn values(&self) -> impl Iterator<Item = f64> {
        self.contrasts.iter().map(|contrast| contrast.value)
    }

    /// The covariance of all treatments' values.
    pub fn covariance(&self) -> ArrayView2<'_, f64> {
        self.covariance.view()
    }

    /// One estimate per treatment.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Estimate<S>> {
        self.contrasts
            .iter()
            .map(|contrast| Estimate::new(self.scale.clone(), self.context.clone(), contrast.clone()))
    }

    /// The estimate of one treatment.
    ///
    /// # Errors
    /// There is no such treatment.
    pub fn treatment(&self, treatment: impl AsRef<str>) -> Result<Estimate<S>> {
        let index = self.position(treatment.as_ref())?;
        Ok(Estimate::new(self.scale.clone(), self.context.clone(), self.contrasts[index].clone()))
    }

    /// One treatment against another, from the joint covariance: value `b_i - b_j`, variance `V_ii + V_jj - 2 V_ij`.
    ///
    /// # Errors
    /// There is no such treatment, both are the same, or the scale compares people in pairs ([`NetBenefit`](crate::NetBenefit)).
    pub fn between(&self, treatment: impl AsRef<str>, other: impl AsRef<str>) -> Result<Estimate<S>> {
        let (i, j) = (self.position(treatment.as_ref())?, self.position(other.as_ref())?);
        if i == j {
            let why = format!("\"{}\" is compared with itself; name another arm", treatment.as_ref());
            return Err(self.context.locate(Error::invalid(why)));
        }
        if !self.scale.to_any().is_transitive() {
            let why = format!(
                "the effects against \"{}\" do not tell how people of \"{}\" and of \"{}\" compare in pairs; compare the arms \
                 themselves with compare(..).versus(..)",
                self.reference(),
                treatment.as_ref(),
                other.as_ref()
            );
            return Err(self.context.locate(ErrorKind::NotEstimable(why).into()));
        }
        let mut weights = vec![0.0; self.len()];
        weights[i] = 1.0;
        weights[j] = -1.0;
        let treatment = self.contrasts[i].treatment.clone();
        self.combine(treatment, self.contrasts[j].treatment.clone(), &weights)
    }

    /// A linear combination of treatments: value `w'b`, variance `w'V w`.
    ///
    /// # Errors
    /// There is no such treatment, a weight is not finite, or the name is that of the reference.
    pub fn combination<T: AsRef<str>>(&self, name: &str, weights: &[(T, f64)]) -> Result<Estimate<S>> {
        let mut all = vec![0.0; self.len()];
        for (treatment, weight) in weights {
            all[self.position(treatment.as_ref())?] += weight;
        }
        if !all.iter().all(|weight| weight.is_finite()) || all.iter().all(|weight| *weight == 0.0) {
            return Err(self.context.locate(Error::invalid(
                "a combination needs finite weights; give at least one that is not zero",
            )));
        }
        let mut counts = ArmCounts { randomised: 0, observed: 0, analysed: 0, events: Some(0) };
        for (contrast, _) in self.contrasts.iter().zip(&all).filter(|(_, weight)| **weight != 0.0) {
            let arm = contrast.treatment.counts;
            counts.randomised += arm.randomised;
            counts.observed += arm.observed;
            counts.analysed += arm.analysed;
            counts.events = counts.events.zip(arm.events).map(|(sum, events)| sum + events);
        }
        let treatment = ComparedArm { label: Label::new(name), components: Vec::new(), counts };
        self.combine(treatment, self.context.reference.clone(), &all)
    }

    fn combine(
        &self,
        treatment: ComparedArm,
        reference: ComparedArm,
        weights: &[f64],
    ) -> Result<Estimate<S>> {
        let value: f64 = self.values().zip(weights).map(|(value, weight)| value * weight).sum();
        let (mut variance, mut size) = (0.0, 0.0);
        for ((i, j), covariance) in self.covariance.indexed_iter() {
            let term = weights[i] * weights[j] * covariance;
            variance += term;
            size += f64::abs(term);
        }
        let mut value = value;
        if variance.abs() <= ROUNDING * size {
            // What is left where the terms cancel is rounding, in the value too.
            let largest = self.values().zip(weights).map(|(b, w)| f64::abs(b * w)).fold(0.0, f64::max);
            value = if value.abs() <= ROUNDING * largest { 0.0 } else { value };
            variance = 0.0;
        }
        let mut context = Context { reference, ..(*self.context).clone() };
        if variance < 0.0 {
            return Err(context.locate(negative_variance().in_arm(&treatment.label)));
        }
        // Of several degrees of freedom the smallest is the safe one.
        let df = self.contrasts.iter().filter_map(|contrast| contrast.df).reduce(f64::min);
        context.method.interval =
            if df.is_some() { IntervalMethod::StudentT } else { IntervalMethod::Normal };
        context.method.test = TestMethod::Wald;
        if variance == 0.0 {
            context.notices.push(Notice::ZeroStandardError { treatment: treatment.label.clone() });
        }
        let contrast = Contrast::wald(treatment, value, variance, df, context.level);
        let contrast = contrast.map_err(|error| context.locate(error))?;
        context.check_contrast(&contrast)?;
        Ok(Estimate::new(self.scale.clone(), Arc::new(context), contrast))
    }

    fn position(&self, treatment: &str) -> Result<usize> {
        self.contrasts.iter().position(|contrast| contrast.treatment.label == treatment).ok_or_else(|| {
            let known = self.treatments().map(ToString::to_string).collect();
            self.context.locate(ErrorKind::UnknownTreatment { name: treatment.to_owned(), known }.into())
        })
    }

    /// The trial.
    pub fn trial(&self) -> &Label {
        &self.context.trial
    }

    /// The measure.
    pub fn measure(&self) -> &MeasureInfo {
        &self.context.measure
    }

    /// The arm that every treatment is compared with.
    pub fn reference(&self) -> &Label {
        &self.context.reference.label
    }

    /// Marginal or conditional.
    pub fn estimand(&self) -> Estimand {
        self.context.estimand
    }

    /// By which methods they were made.
    pub fn method(&self) -> &Method {
        &self.context.method
    }

    /// The confidence level of the intervals.
    pub fn level(&self) -> f64 {
        self.context.level
    }

    /// What a reader has to be told.
    pub fn notices(&self) -> &[Notice] {
        &self.context.notices
    }

    /// The same estimates with their scale known only at run time.
    pub fn to_any(&self) -> Estimates<AnyScale> {
        Estimates {
            scale: self.scale.to_any(),
            context: self.context.clone(),
            contrasts: self.contrasts.clone(),
            covariance: self.covariance.clone(),
        }
    }
}

impl Estimates<AnyScale> {
    /// The same estimates with their scale as a type.
    ///
    /// # Errors
    /// The scale is another one.
    pub fn on_scale<S: Scale>(&self) -> Result<Estimates<S>> {
        Ok(Estimates {
            scale: narrow(&self.scale)?,
            context: self.context.clone(),
            contrasts: self.contrasts.clone(),
            covariance: self.covariance.clone(),
        })
    }
}

pub(crate) fn negative_variance() -> Error {
    ErrorKind::NegativeVariance(
        "the variance estimate is negative, which this estimator can give in small samples; \
         use MarginalVariance::Superpopulation, which cannot"
            .to_owned(),
    )
    .into()
}

/// Finite, symmetric, with the squares of the standard errors on its diagonal. Correlations may exceed 1: some variance estimates are
/// not positive semi-definite.
fn check_covariance(covariance: ArrayView2<f64>, contrasts: &[Contrast]) -> Result<()> {
    for ((i, j), &value) in covariance.indexed_iter() {
        let bound = (covariance[[i, i]] * covariance[[j, j]]).sqrt();
        if !value.is_finite() || covariance[[i, i]] < 0.0 {
            return Err(Error::invalid(format!(
                "the covariance holds {value}; it must be finite, with a diagonal of zero or more"
            )));
        }
        if (value - covariance[[j, i]]).abs() > 1e-9 * bound {
            return Err(Error::invalid("the covariance is not symmetric; give both halves alike"));
        }
    }
    for (contrast, &variance) in contrasts.iter().zip(covariance.diag()) {
        // In standard errors, whose squares may be too small for a number.
        if (contrast.se - variance.sqrt()).abs() > 1e-9 * contrast.se {
            let why = format!(
                "the standard error {} is not the root of the variance {variance}; both must be one",
                contrast.se
            );
            return Err(Error::invalid(why).in_arm(&contrast.treatment.label));
        }
    }
    Ok(())
}
