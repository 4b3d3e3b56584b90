use super::about::About;
use super::contrast::Contrast;
use super::on::{Checked, On};
use super::scale::AnyScale;
use crate::compute::interval::Interval;
use crate::design::{ArmCounts, ComparedArm, Label};
use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::ops::Deref;
use std::sync::Arc;

/// The effect of one treatment against the reference, on one scale, with its uncertainty.
///
/// It knows its trial, measure, treatment and reference, the numbers of people, the methods by which it was
/// made, and its notices. [`Inference`](crate::effect::Inference) holds all that can be said of the effect:
/// value, interval at any level, p-values, probabilities.
///
/// ```
/// use armwise::prelude::*;
///
/// let outflow = Measure::binary("outflow").higher_is_better();
/// let counts = Comparison::from_counts(
///     "Utrecht",
///     &outflow,
///     [("control", 6, 176), ("guidance", 7, 172)],
/// )?;
/// let effect = counts.estimate(&DifferenceInProportions::new())?.treatment("guidance")?;
/// assert_eq!(effect.treatment(), "guidance");
/// assert!(effect.interval().contains(effect.value()));
/// assert!(effect.p_value() > 0.05);
/// println!("{effect}");
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// [`EstimateRecord`] has the fields and further methods; `value()`, `interval()` and `p_value()` are those
/// of its [`Inference`](crate::effect::Inference).
pub type Estimate<S = AnyScale> = On<S, EstimateRecord>;

/// The data of an [`Estimate`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EstimateRecord {
    /// The identity of the effect.
    pub about: Arc<About>,
    /// The reference with its numbers of people.
    pub reference: ComparedArm,
    /// The treatment and its effect.
    #[serde(flatten)]
    pub contrast: Contrast,
}

impl Deref for EstimateRecord {
    type Target = Contrast;

    fn deref(&self) -> &Contrast {
        &self.contrast
    }
}

impl Checked for EstimateRecord {
    fn about(&self) -> &About {
        &self.about
    }

    fn check(&self) -> Result<()> {
        self.about.check_one_trial()?;
        check_reference(&self.about, &self.reference)?;
        let checked = self
            .contrast
            .check(&self.about.reference, &self.about.scale, self.about.level)
            .and_then(|()| self.contrast.check_counts(self.reference.counts));
        checked.map_err(|error| self.about.locate(error))
    }
}

/// Refuses a reference that is not that of the result, or with counts that nobody has.
pub(super) fn check_reference(about: &About, reference: &ComparedArm) -> Result<()> {
    if reference.label != about.reference {
        return Err(about.locate(super::about::apart("reference", &about.reference, &reference.label)));
    }
    reference.counts.check().map_err(|error| about.locate(error.in_arm(&reference.label)))
}

impl EstimateRecord {
    /// The trial.
    pub fn trial(&self) -> &Label {
        &self.about.trials[0]
    }

    /// The numbers of people in the reference arm.
    pub fn reference_counts(&self) -> ArmCounts {
        self.reference.counts
    }

    /// The exponential of the value where the scale is a log ratio; `None` on other scales.
    pub fn ratio(&self) -> Option<f64> {
        self.about.ratio(self.value())
    }

    /// The exponential of the interval where the scale is a log ratio; `None` on other scales.
    pub fn ratio_interval(&self) -> Option<Interval> {
        self.about.ratio_interval(self.interval())
    }
}
