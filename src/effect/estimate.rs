use super::contrast::{Context, Contrast};
use super::method::{Estimand, Method};
use super::scale::{AnyScale, Scale, ScaleForm, narrow};
use crate::compute::distribution::{Normal, StudentT};
use crate::compute::interval::Interval;
use crate::design::{ArmCounts, Label, MeasureInfo, Notice};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The effect of one treatment against the reference, on one scale, with its uncertainty.
///
/// It knows its trial, measure, treatment and reference, the numbers of people, by which methods it was made, and what a
/// reader has to be told.
///
/// ```
/// use armwise::prelude::*;
///
/// let outflow = Measure::binary("outflow").higher_is_better();
/// let counts = Comparison::from_counts("Utrecht", &outflow, [("control", 6, 176), ("guidance", 7, 172)])?;
/// let effect = counts.estimate(&DifferenceInProportions::new())?.treatment("guidance")?;
/// assert_eq!(effect.treatment(), "guidance");
/// assert!(effect.interval().contains(effect.value()));
/// assert!(effect.p_value() > 0.05);
/// println!("{effect}");
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "EstimateWire<S>", into = "EstimateWire<S>")]
#[serde(bound = "S: Scale")]
pub struct Estimate<S: Scale> {
    scale: S,
    context: Arc<Context>,
    contrast: Contrast,
}

#[derive(Serialize, Deserialize)]
#[serde(bound = "S: Scale")]
struct EstimateWire<S: Scale> {
    scale: S,
    #[serde(flatten)]
    context: Context,
    #[serde(flatten)]
    contrast: Contrast,
}

impl<S: Scale> From<Estimate<S>> for EstimateWire<S> {
    fn from(estimate: Estimate<S>) -> Self {
        Self {
            scale: estimate.scale,
            context: Arc::unwrap_or_clone(estimate.context),
            contrast: estimate.contrast,
        }
    }
}

impl<S: Scale> TryFrom<EstimateWire<S>> for Estimate<S> {
    type Error = Error;

    fn try_from(wire: EstimateWire<S>) -> Result<Self> {
        wire.context.check()?;
        wire.context.check_contrast(&wire.contrast)?;
        Ok(Self { scale: wire.scale, context: Arc::new(wire.context), contrast: wire.contrast })
    }
}

impl<S: Scale> Estimate<S> {
    pub(super) fn new(scale: S, context: Arc<Context>, contrast: Contrast) -> Self {
        Self { scale, context, contrast }
    }

    /// The scale.
    pub fn scale(&self) -> &S {
        &self.scale
    }

    /// The value on the scale: a difference, or the logarithm of a ratio.
    pub fn value(&self) -> f64 {
        self.contrast.value
    }

    /// The exponential of the value where the scale is a log ratio; `None` on other scales.
    pub fn ratio(&self) -> Option<f64> {
        (self.scale.form() == ScaleForm::LogRatio).then(|| self.contrast.value.exp())
    }

    /// The exponential of the interval where the scale is a log ratio; `None` on other scales.
    pub fn ratio_interval(&self) -> Option<Interval> {
        let interval = self.contrast.interval;
        (self.scale.form() == ScaleForm::LogRatio)
            .then(|| Interval::between(interval.lower().exp(), interval.upper().exp()))
    }

    /// The standard error on the scale.
    pub fn se(&self) -> f64 {
        self.contrast.se
    }

    /// The sampling variance on the scale.
    pub fn variance(&self) -> f64 {
        self.contrast.se.powi(2)
    }

    /// The degrees of freedom of Student's t; `None` where the normal distribution is used.
    pub fn df(&self) -> Option<f64> {
        self.contrast.df
    }

    /// The test statistic of no effect.
    pub fn statistic(&self) -> f64 {
        self.contrast.statistic
    }

    /// The confidence interval on the scale, by [`Method::interval`](crate::Method).
    pub fn interval(&self) -> Interval {
        self.contrast.interval
    }

    /// The confidence level of the interval.
    pub fn level(&self) -> f64 {
        self.context.level
    }

    /// The two-sided p-value of no effect.
    pub fn p_value(&self) -> f64 {
        self.contrast.p_value()
    }

    /// The one-sided p-value against an effect above zero.
    pub fn p_greater(&self) -> f64 {
        self.contrast.p_greater()
    }

    /// The one-sided p-value against an effect below zero.
    pub fn p_less(&self) -> f64 {
        self.contrast.p_less()
    }

    /// The effect that this design detects with the given power in a two-sided test at `alpha`:
    /// `(z(1 - alpha / 2) + z(power)) se`, in units of the scale (Bloom 1995, Evaluation Review 19:547).
    ///
    /// # Errors
    /// `alpha` or `power` is not between 0 and 1.
    #[doc(alias("power", "mde"))]
    pub fn minimal_detectable_effect(&self, alpha: f64, power: f64) -> Result<f64> {
        minimal_detectable_effect(self.se(), alpha, power)
    }

    /// The probability that the true effect is above `bound`, from the normal approximation of the likelihood with a flat prior (Student's
    /// t where the estimate has degrees of freedom).
    pub fn probability_above(&self, bound: f64) -> f64 {
        if self.se() == 0.0 {
            return if self.value() > bound { 1.0 } else { 0.0 };
        }
        let x = (bound - self.value()) / self.se();
        match self.df().map(StudentT::new) {
            Some(Ok(t)) => t.sf(x),
            _ => Normal.sf(x),
        }
    }

    /// The trial.
    pub fn trial(&self) -> &Label {
        &self.context.trial
    }

    /// The measure.
    pub fn measure(&self) -> &MeasureInfo {
        &self.context.measure
    }

    /// The treatment.
    pub fn treatment(&self) -> &Label {
        &self.contrast.treatment.label
    }

    /// The components of the treatment.
    pub fn components(&self) -> &[Label] {
        &self.contrast.treatment.components
    }

    /// The arm it is compared with.
    pub fn reference(&self) -> &Label {
        &self.context.reference.label
    }

    /// The numbers of people in the treatment arm.
    pub fn treatment_counts(&self) -> ArmCounts {
        self.contrast.treatment.counts
    }

    /// The numbers of people in the reference arm.
    pub fn reference_counts(&self) -> ArmCounts {
        self.context.reference.counts
    }

    /// Marginal or conditional.
    pub fn estimand(&self) -> Estimand {
        self.context.estimand
    }

    /// By which methods it was made.
    pub fn method(&self) -> &Method {
        &self.context.method
    }

    /// What a reader has to be told.
    pub fn notices(&self) -> &[Notice] {
        &self.context.notices
    }

    /// The same estimate with its scale known only at run time.
    pub fn to_any(&self) -> Estimate<AnyScale> {
        Estimate::new(self.scale.to_any(), self.context.clone(), self.contrast.clone())
    }
}

impl Estimate<AnyScale> {
    /// The same estimate with its scale as a type.
    ///
    /// # Errors
    /// The scale is another one.
    pub fn on_scale<S: Scale>(&self) -> Result<Estimate<S>> {
        Ok(Estimate::new(narrow(&self.scale)?, self.context.clone(), self.contrast.clone()))
    }
}

/// `(z(1 - alpha / 2) + z(power)) se`.
pub(crate) fn minimal_detectable_effect(se: f64, alpha: f64, power: f64) -> Result<f64> {
    let inside = |p: f64| p > 0.0 && p < 1.0;
    if inside(alpha) && inside(power) {
        Ok((Normal.upper_quantile(0.5 * alpha) + Normal.quantile(power)) * se)
    } else {
        Err(Error::invalid(format!(
            "alpha {alpha} and power {power}; give both between 0 and 1, such as 0.05 and 0.8"
        )))
    }
}
