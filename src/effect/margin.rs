//! Non-inferiority and equivalence of an effect, and the number needed to treat.

use super::about::About;
use super::scale::RiskDifference;
use super::{Estimate, EstimateRecord};
use crate::compute::curve::Inference;
use crate::compute::interval::Interval;
use crate::compute::proportion::NumberNeededToTreat;
use crate::compute::words::words;
use crate::design::{Direction, Label};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What the confidence interval says of a margin of non-inferiority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NonInferiorityConclusion {
    /// The whole interval lies on the better side of no effect.
    Superior,
    /// The whole interval lies on the better side of the margin, and holds no effect or effects for the
    /// worse.
    NonInferior,
    /// The interval holds the margin.
    Inconclusive,
    /// The whole interval lies beyond the margin, on the worse side.
    Inferior,
}

words! {
    NonInferiorityConclusion {
        Superior => "superior",
        NonInferior => "non-inferior",
        Inconclusive => "inconclusive",
        Inferior => "inferior",
    }
}

/// What the interval says of margins of equivalence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EquivalenceConclusion {
    /// The whole interval lies between the margins.
    Equivalent,
    /// The interval holds a margin.
    Inconclusive,
    /// The whole interval lies beyond a margin.
    Different,
}

words! {
    EquivalenceConclusion { Equivalent => "equivalent", Inconclusive => "inconclusive", Different => "different", }
}

/// The test that a treatment is not worse than the reference by a margin or more; see
/// [`non_inferiority`](EstimateRecord::non_inferiority).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Asked")]
#[non_exhaustive]
pub struct NonInferiority {
    /// The identity of the effect.
    pub about: Arc<About>,
    /// The treatment.
    pub treatment: Label,
    /// The effect.
    pub inference: Inference,
    /// The margin, a positive distance from no effect on the scale.
    pub margin: f64,
    /// The effect at the edge of the null hypothesis: minus the margin where higher is better, else the
    /// margin.
    pub null: f64,
    /// The one-sided p-value of the null.
    pub p_value: f64,
    /// The conclusion from the interval of the effect.
    pub conclusion: NonInferiorityConclusion,
}

/// Two one-sided tests (Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics 15:657) that an
/// effect lies between two margins; see [`equivalence`](EstimateRecord::equivalence).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Asked")]
#[non_exhaustive]
pub struct Equivalence {
    /// The identity of the effect.
    pub about: Arc<About>,
    /// The treatment.
    pub treatment: Label,
    /// The effect.
    pub inference: Inference,
    /// The margin, a positive distance from no effect on the scale, in both directions.
    pub margin: f64,
    /// The p-value of an effect of minus the margin or less.
    pub p_lower: f64,
    /// The p-value of an effect of the margin or more.
    pub p_upper: f64,
    /// The larger of both p-values.
    pub p_value: f64,
    /// The interval of level `1 - 2 alpha`, `alpha` being 1 less the level of the effect.
    pub interval: Interval,
    /// The level of that interval.
    pub interval_level: f64,
    /// The conclusion from that interval.
    pub conclusion: EquivalenceConclusion,
}

/// The question; the answer is computed anew where it is read.
#[derive(Deserialize)]
struct Asked {
    about: Arc<About>,
    treatment: Label,
    inference: Inference,
    margin: f64,
}

impl TryFrom<Asked> for NonInferiority {
    type Error = Error;

    fn try_from(Asked { about, treatment, inference, margin }: Asked) -> Result<Self> {
        Self::of(&about, &treatment, &inference, margin)
    }
}

impl TryFrom<Asked> for Equivalence {
    type Error = Error;

    fn try_from(Asked { about, treatment, inference, margin }: Asked) -> Result<Self> {
        Self::of(&about, &treatment, &inference, margin)
    }
}

impl NonInferiority {
    pub(crate) fn of(
        about: &Arc<About>,
        treatment: &Label,
        inference: &Inference,
        margin: f64,
    ) -> Result<Self> {
        let locate = |error: Error| about.locate(error.in_arm(treatment));
        check_margin(margin).map_err(locate)?;
        let interval = inference.interval();
        let (null, p_value) = match about.measure.direction {
            Direction::HigherIsBetter => (-margin, inference.p_above(-margin)),
            Direction::LowerIsBetter => (margin, inference.p_below(margin)),
            Direction::Undeclared => {
                return Err(locate(Error::invalid(
                    "the measure has no direction of benefit; declare it with higher_is_better() or lower_is_better()",
                )));
            }
        };
        // The interval as seen from the better side.
        let (worst, best) = if null < 0.0 {
            (interval.lower(), interval.upper())
        } else {
            (-interval.upper(), -interval.lower())
        };
        let conclusion = if worst > 0.0 {
            NonInferiorityConclusion::Superior
        } else if worst > -margin {
            NonInferiorityConclusion::NonInferior
        } else if best < -margin {
            NonInferiorityConclusion::Inferior
        } else {
            NonInferiorityConclusion::Inconclusive
        };
        Ok(Self {
            about: Arc::clone(about),
            treatment: treatment.clone(),
            inference: inference.clone(),
            margin,
            null,
            p_value: p_value.map_err(locate)?,
            conclusion,
        })
    }
}

impl Equivalence {
    pub(crate) fn of(
        about: &Arc<About>,
        treatment: &Label,
        inference: &Inference,
        margin: f64,
    ) -> Result<Self> {
        let locate = |error: Error| about.locate(error.in_arm(treatment));
        check_margin(margin).map_err(locate)?;
        let interval_level = 2.0 * inference.level() - 1.0;
        if interval_level <= 0.0 {
            let why = format!(
                "equivalence at a level of {} has an interval of level {interval_level}; estimate at a level above 0.5",
                inference.level()
            );
            return Err(locate(Error::invalid(why)));
        }
        let p_lower = inference.p_above(-margin).map_err(locate)?;
        let p_upper = inference.p_below(margin).map_err(locate)?;
        let interval = inference.interval_at(interval_level).map_err(locate)?;
        let conclusion = if interval.lower() > -margin && interval.upper() < margin {
            EquivalenceConclusion::Equivalent
        } else if interval.lower() > margin || interval.upper() < -margin {
            EquivalenceConclusion::Different
        } else {
            EquivalenceConclusion::Inconclusive
        };
        Ok(Self {
            about: Arc::clone(about),
            treatment: treatment.clone(),
            inference: inference.clone(),
            margin,
            p_lower,
            p_upper,
            p_value: p_lower.max(p_upper),
            interval,
            interval_level,
            conclusion,
        })
    }
}

fn check_margin(margin: f64) -> Result<()> {
    if margin > 0.0 && margin.is_finite() {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the margin is {margin}; give a positive distance from no effect, on the scale of the estimate"
    )))
}

impl EstimateRecord {
    /// The test that the treatment is not worse than the reference by `margin` or more. The measure says what
    /// is better.
    ///
    /// The margin is positive and on the scale: of log ratios a logarithm, such as `1.25_f64.ln()`.
    /// Conclusion and p-value are read off the curve of the estimate: the conclusion is non-inferior or
    /// superior exactly where the one-sided p-value is below `(1 - level) / 2`, 2.5% at a level of 0.95. A
    /// difference in proportions with Mee's interval has the test of Farrington and Manning (1990, Statistics
    /// in Medicine 9:1447), one with Miettinen and Nurminen's that of theirs.
    ///
    /// # Errors
    /// A margin that is not positive; a measure without a direction; a method known at one level only.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let outflow = Measure::binary("outflow").higher_is_better();
    /// let counts = Comparison::from_counts(
    ///     "Utrecht",
    ///     &outflow,
    ///     [("control", 82, 100), ("online", 80, 100)],
    /// )?;
    /// let online = counts.estimate(&DifferenceInProportions::new())?.treatment("online")?;
    /// let test = online.non_inferiority(0.15)?;
    /// assert_eq!(test.conclusion, NonInferiorityConclusion::NonInferior);
    /// assert!(test.p_value < 0.025 && online.non_inferiority(0.05)?.p_value > 0.025);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn non_inferiority(&self, margin: f64) -> Result<NonInferiority> {
        NonInferiority::of(&self.about, self.treatment(), &self.inference, margin)
    }

    /// Two one-sided tests that the effect lies between minus the margin and the margin, with the interval of
    /// level `1 - 2 alpha`, where `alpha` is 1 less the level of the estimate: of an estimate at 0.95 the 90%
    /// interval.
    ///
    /// # Errors
    /// A margin that is not positive; a level of 0.5 or less; a method known at one level only.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let outflow = Measure::binary("outflow").higher_is_better();
    /// let counts = Comparison::from_counts(
    ///     "Utrecht",
    ///     &outflow,
    ///     [("control", 820, 1000), ("online", 815, 1000)],
    /// )?;
    /// let test = counts
    ///     .estimate(&DifferenceInProportions::new())?
    ///     .treatment("online")?
    ///     .equivalence(0.05)?;
    /// assert_eq!(test.conclusion, EquivalenceConclusion::Equivalent);
    /// assert!(test.p_value < 0.05 && (test.interval_level - 0.9).abs() < 1e-12);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn equivalence(&self, margin: f64) -> Result<Equivalence> {
        Equivalence::of(&self.about, self.treatment(), &self.inference, margin)
    }
}

impl Estimate<RiskDifference> {
    /// The number needed to treat for one event more: the reciprocal of the difference, with the reciprocals
    /// of its interval; two pieces where the interval holds 0 (Altman 1998, BMJ 317:1309). Negative numbers
    /// mean one event fewer.
    ///
    /// # Errors
    /// The interval is the point 0.
    ///
    /// ```
    /// use armwise::prelude::*;
    /// use armwise::proportion::NumberNeededInterval;
    ///
    /// let outflow = Measure::binary("outflow");
    /// let counts = Comparison::from_counts(
    ///     "Utrecht",
    ///     &outflow,
    ///     [("control", 10, 50), ("guidance", 12, 50)],
    /// )?;
    /// let needed = counts
    ///     .estimate(&DifferenceInProportions::new())?
    ///     .treatment("guidance")?
    ///     .number_needed_to_treat()?;
    /// assert!((needed.estimate - 25.0).abs() < 1e-9);
    /// assert!(matches!(needed.interval, NumberNeededInterval::Disjoint { .. }));
    /// # Ok::<(), armwise::Error>(())
    /// ```
    #[doc(alias("nnt"))]
    pub fn number_needed_to_treat(&self) -> Result<NumberNeededToTreat> {
        NumberNeededToTreat::of(self.value(), self.interval())
            .map_err(|error| self.about().locate(error.in_arm(self.treatment())))
    }
}
