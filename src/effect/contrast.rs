use super::scale::AnyScale;
use crate::compute::curve::{ConfidenceCurve, Inference};
use crate::compute::proportion::Proportion;
use crate::design::{ArmCounts, ComparedArm, Label};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::ops::Deref;

/// One treatment against the reference of its result; value, interval and tests are those of its
/// [`Inference`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Contrast {
    /// The treatment with its components and numbers of people.
    pub treatment: ComparedArm,
    /// The effect with its confidence curve.
    pub inference: Inference,
}

impl Deref for Contrast {
    type Target = Inference;

    fn deref(&self) -> &Inference {
        &self.inference
    }
}

impl Contrast {
    pub(crate) fn new(treatment: ComparedArm, inference: Inference) -> Self {
        Self { treatment, inference }
    }

    /// Wald: Student's t where degrees of freedom are given, else the normal distribution.
    pub(crate) fn wald(
        treatment: ComparedArm,
        value: f64,
        variance: f64,
        df: Option<f64>,
        level: f64,
    ) -> Result<Self> {
        let inference = Inference::wald(value, variance.sqrt(), df, level);
        let inference = inference.map_err(|error| error.in_arm(&treatment.label))?;
        Ok(Self { treatment, inference })
    }

    /// The treatment.
    pub fn treatment(&self) -> &Label {
        &self.treatment.label
    }

    /// The components of the treatment.
    pub fn components(&self) -> &[Label] {
        &self.treatment.components
    }

    /// The curve of the effect alone, where its level holds for a family.
    pub(super) fn alone(&self) -> &ConfidenceCurve {
        match self.inference.curve() {
            ConfidenceCurve::Simultaneous { alone, .. } => alone,
            curve => curve,
        }
    }

    /// The numbers of people in the treatment arm.
    pub fn treatment_counts(&self) -> ArmCounts {
        self.treatment.counts
    }

    /// Refuses counts of people that are not those of the confidence curve.
    pub(crate) fn check_counts(&self, reference: ArmCounts) -> Result<()> {
        let ConfidenceCurve::Counts { counts, .. } = self.alone() else { return Ok(()) };
        let same = |own: ArmCounts, of: Proportion| own.analysed == of.n() && own.events == Some(of.events());
        if same(self.treatment.counts, counts.treatment) && same(reference, counts.control) {
            return Ok(());
        }
        let why = "the events and people of the arms are not those from which the interval was made; they must agree";
        Err(Error::invalid(why).in_arm(&self.treatment.label))
    }

    /// Refuses a treatment with the label of the reference, counts that nobody has, another level than that
    /// of the result, and an interval of one point.
    pub(crate) fn check(&self, reference: &Label, scale: &AnyScale, level: f64) -> Result<()> {
        let label = &self.treatment.label;
        if label == reference {
            return Err(
                Error::invalid("the treatment has the label of the reference; give it another").in_arm(label)
            );
        }
        if self.inference.level() != level {
            let why = format!(
                "the interval has a level of {}, but the result one of {level}; they must agree",
                self.inference.level()
            );
            return Err(Error::invalid(why).in_arm(label));
        }
        self.treatment.counts.check().map_err(|error| error.in_arm(label))?;
        if self.inference.is_point() { Err(certain(scale).in_arm(label)) } else { Ok(()) }
    }
}

/// The refusal of a standard error that is zero but for rounding: outcomes that do not vary do not show how
/// much they might.
fn certain(scale: &AnyScale) -> Error {
    let instead = match scale {
        AnyScale::RiskDifference => {
            "take DifferenceInProportions with its score interval, which has a width of its own, or leave the arm out"
        }
        AnyScale::LogRiskRatio | AnyScale::LogOddsRatio => {
            "take RatioOfProportions or OddsRatio with a score interval, which has a width of its own, or leave the arm out"
        }
        AnyScale::RateDifference => {
            "take DifferenceInRates with interval(RateDifferenceInterval::Score), which has a width of its own, or leave the \
             arm out"
        }
        AnyScale::LogRateRatio => {
            "take RatioOfRates with interval(RateRatioInterval::ExactConditional), which has a width of its own, or leave the arm out"
        }
        _ => "check the column, or leave the arm out",
    };
    let why = format!(
        "the standard error of this effect is zero: the outcomes that it compares do not vary, and so do not show how much they might; \
         {instead}"
    );
    ErrorKind::ZeroVariance(why).into()
}
