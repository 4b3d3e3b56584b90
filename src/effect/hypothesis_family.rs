use super::about::About;
use super::adjusted_family::{AdjustedFamily, FamilyProcedure};
use super::effects::{Effects, TreatmentEffects};
use super::estimate::Estimate;
use super::estimates::Estimates;
use super::scale::{AnyScale, Scale};
use crate::compute::curve::{ConfidenceCurve, Inference};
use crate::compute::multiplicity::{Adjustment, Alternative, Graph};
use crate::design::Label;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// A family of hypotheses that are adjusted together: effects of any measures, arms, trials and pools.
///
/// Take it where several results answer one question, and declare it before the data are seen. It holds the
/// identity and the p-value of every effect, so raw and adjusted p-values stand side by side with the name
/// and the size of the family.
///
/// # Formula
/// [`HypothesisFamily::adjust`] has the adjustments of [`Adjustment`], [`HypothesisFamily::graph`] weights
/// and an order ([`Graph`]: fixed sequence, fallback, gatekeeping), [`HypothesisFamily::serial`] families
/// that are gates for those after them. The p-values are those of the effects' own confidence curves. Where
/// the covariance of the effects is known, [`simultaneous`](super::EstimatesRecord::simultaneous) uses it,
/// and has intervals too.
///
/// # Assumptions
/// Those of the adjustment.
///
/// # Interval
/// None: intervals of the effects stay those of each alone.
///
/// # Errors
/// An effect that is in the family already, that is adjusted already, or that has a posterior distribution
/// and no p-value; and those of the adjustment.
///
/// # Examples
/// ```
/// use armwise::multiplicity::{Adjustment, Graph};
/// use armwise::prelude::*;
/// use armwise::effect::HypothesisFamily;
///
/// let estimator = DifferenceInProportions::new();
/// let effects = |measure: &Measure<Binary>, arms: [(&'static str, u64, u64); 3]| {
///     Comparison::from_counts("Utrecht", measure, arms)?.estimate(&estimator)
/// };
/// let work = Measure::binary("work").higher_is_better();
/// let work = effects(&work, [("control", 16, 176), ("a", 31, 168), ("b", 26, 172)])?;
/// let training = Measure::binary("training").higher_is_better();
/// let training = effects(&training, [("control", 20, 176), ("a", 24, 168), ("b", 41, 172)])?;
///
/// let family = HypothesisFamily::new("primary").with(&work)?.with(&training)?;
/// let holm = family.adjust(Adjustment::Holm)?;
/// assert_eq!((holm.family.name.as_str(), holm.len()), ("primary", 4));
/// let all: Vec<_> = holm.iter().collect();
/// let first = all[0];
/// assert!(first.hypothesis.treatment == "a" && first.hypothesis.about.measure.name == "work");
/// let p_value = first.hypothesis.p_value;
/// assert!(p_value < first.adjusted && first.adjusted <= 4.0 * p_value);
///
/// // Training of an arm only where work was rejected.
/// let gates = Graph::parallel_gatekeeping(&[0.5, 0.5], 2)?;
/// let gated = family.graph(&gates)?;
/// let rejected: Vec<bool> = gated.iter().map(|one| one.rejected(0.05)).collect();
/// assert_eq!(rejected, [true, false, false, true]);
/// println!("{gated}");
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// As [`Adjustment`] and [`Graph`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct HypothesisFamily {
    /// The name, such as "primary".
    pub name: String,
    /// The hypotheses, in the order in which they were added.
    pub hypotheses: Vec<Hypothesis>,
    /// Declared hypotheses whose analysis has no answer: they count, with the p-value 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unanswered: Vec<Unanswered>,
}

/// A hypothesis of a family that was declared and could not be tested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Unanswered {
    /// Its place among all hypotheses of the family, from 0.
    pub place: usize,
    /// The hypothesis, in words.
    pub what: String,
    /// Why there is no answer.
    pub why: String,
}

/// The hypothesis that an effect has no more to it than a null value, with its p-value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Hypothesis {
    /// The identity of the effect.
    pub about: About,
    /// The treatment.
    pub treatment: Label,
    /// The value of the effect.
    pub value: f64,
    /// The alternative.
    pub alternative: Alternative,
    /// The value that the effect is tested against, on its scale.
    pub null_value: f64,
    /// The p-value of this hypothesis alone.
    pub p_value: f64,
}

impl Hypothesis {
    /// The two-sided hypothesis of no effect, of any result: the identity, the treatment and the inference
    /// that it holds.
    ///
    /// # Errors
    /// An effect that is adjusted already, or that has a posterior distribution.
    pub fn of(about: &About, treatment: &Label, inference: &Inference) -> Result<Self> {
        Self::against(about, treatment, inference, Alternative::TwoSided, 0.0)
    }

    /// The hypothesis that the effect is not on the stated side of a value, of any result: `Greater` than
    /// minus the margin for non-inferiority. Two-sided it is the hypothesis that the effect is that value.
    ///
    /// # Errors
    /// As [`Hypothesis::of`], and for a value that is not a number, that the method of the effect cannot test, or
    /// that no difference in proportions reaches.
    pub fn against(
        about: &About,
        treatment: &Label,
        inference: &Inference,
        alternative: Alternative,
        null_value: f64,
    ) -> Result<Self> {
        let refused = match inference.curve() {
            ConfidenceCurve::Simultaneous { .. } => Some(
                "this effect is adjusted already, for a family of its own; estimate it without, and add that",
            ),
            ConfidenceCurve::Posterior { .. } => Some(
                "a posterior distribution has no p-value; add the effect of a model that has one, such as random effects",
            ),
            _ if about.scale == AnyScale::RiskDifference && null_value.abs() > 1.0 => {
                Some("a difference in proportions lies between -1 and 1: give -0.02 for two points below")
            }
            _ => None,
        };
        let locate = |error: Error| about.locate(error.in_arm(treatment));
        if let Some(why) = refused {
            return Err(locate(Error::invalid(why)));
        }
        let p_value = match alternative {
            Alternative::Greater => inference.p_above(null_value),
            Alternative::Less => inference.p_below(null_value),
            Alternative::TwoSided if null_value == 0.0 => Ok(inference.p_value()),
            Alternative::TwoSided => inference.p_above(null_value).and_then(|above| {
                let below = inference.p_below(null_value)?;
                Ok((2.0 * above.min(below)).min(1.0))
            }),
        };
        Ok(Self {
            about: about.clone(),
            treatment: treatment.clone(),
            value: inference.value(),
            alternative,
            null_value,
            p_value: p_value.map_err(locate)?,
        })
    }

    fn check(&self) -> Result<()> {
        self.about.check()?;
        let Self { value, null_value, p_value, .. } = self;
        if value.is_finite() && null_value.is_finite() && (0.0..=1.0).contains(p_value) {
            return Ok(());
        }
        Err(self.about.locate(Error::invalid(format!(
            "a hypothesis has the value {value}, the bound {null_value} and the p-value {p_value}; take it as it was made"
        ))))
    }

    /// Whether both are the same question to the same data.
    fn is(&self, other: &Self) -> bool {
        self.about.belongs_with(&other.about).is_ok()
            && self.about.trials == other.about.trials
            && self.about.method == other.about.method
            && self.treatment == other.treatment
            && self.alternative == other.alternative
            && self.null_value == other.null_value
            && self.value == other.value
    }
}

/// Results whose effects can join a family.
pub trait Hypotheses {
    /// The hypothesis of every effect, against a value on its scale.
    ///
    /// # Errors
    /// As [`Hypothesis::against`].
    fn hypotheses(&self, alternative: Alternative, null_value: f64) -> Result<Vec<Hypothesis>>;
}

impl<S: Scale> Hypotheses for Estimate<S> {
    fn hypotheses(&self, alternative: Alternative, null_value: f64) -> Result<Vec<Hypothesis>> {
        let one =
            Hypothesis::against(self.about(), self.treatment(), &self.inference, alternative, null_value);
        Ok(vec![one?])
    }
}

impl<S: Scale> Hypotheses for Estimates<S> {
    fn hypotheses(&self, alternative: Alternative, null_value: f64) -> Result<Vec<Hypothesis>> {
        let one = |contrast: &super::Contrast| {
            let inference = &contrast.inference;
            Hypothesis::against(self.about(), contrast.treatment(), inference, alternative, null_value)
        };
        self.contrasts.iter().map(one).collect()
    }
}

/// The hypotheses of several results, one after the other.
fn each<'a, T: Hypotheses + 'a>(
    results: impl Iterator<Item = &'a T>,
    alternative: Alternative,
    null_value: f64,
) -> Result<Vec<Hypothesis>> {
    let all: Result<Vec<Vec<Hypothesis>>> =
        results.map(|result| result.hypotheses(alternative, null_value)).collect();
    Ok(all?.into_iter().flatten().collect())
}

impl<S: Scale> Hypotheses for Effects<S> {
    fn hypotheses(&self, alternative: Alternative, null_value: f64) -> Result<Vec<Hypothesis>> {
        each(self.iter(), alternative, null_value)
    }
}

impl<S: Scale> Hypotheses for TreatmentEffects<S> {
    fn hypotheses(&self, alternative: Alternative, null_value: f64) -> Result<Vec<Hypothesis>> {
        each(self.iter(), alternative, null_value)
    }
}

impl Hypotheses for Hypothesis {
    fn hypotheses(&self, _: Alternative, _: f64) -> Result<Vec<Hypothesis>> {
        Ok(vec![self.clone()])
    }
}

impl HypothesisFamily {
    /// A family without hypotheses.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), hypotheses: Vec::new(), unanswered: Vec::new() }
    }

    /// Adds the two-sided hypotheses of no effect of a result: one estimate, all treatments of a trial,
    /// several trials, a pool, or a [`Hypothesis`] of one's own.
    ///
    /// # Errors
    /// As [`HypothesisFamily`].
    pub fn with(self, result: &impl Hypotheses) -> Result<Self> {
        self.with_against(result, Alternative::TwoSided, 0.0)
    }

    /// Adds the hypotheses of a result against a value on its scale: `Greater` than minus the margin for
    /// non-inferiority of an outcome of which more is better.
    ///
    /// # Errors
    /// As [`HypothesisFamily`], and for a value that is not a number.
    pub fn with_against(
        mut self,
        result: &impl Hypotheses,
        alternative: Alternative,
        null_value: f64,
    ) -> Result<Self> {
        for hypothesis in result.hypotheses(alternative, null_value)? {
            if self.hypotheses.iter().any(|other| other.is(&hypothesis)) {
                let why = format!("the family \"{}\" holds this hypothesis already; add it once", self.name);
                return Err(hypothesis.about.locate(Error::invalid(why).in_arm(&hypothesis.treatment)));
            }
            self.hypotheses.push(hypothesis);
        }
        Ok(self)
    }

    /// Adds a declared hypothesis whose analysis has no answer. It keeps its place and counts in the size of the
    /// family, with the p-value 1: leaving it out would make the others look better because of a failure.
    #[must_use]
    pub fn with_unanswered(mut self, what: impl Into<String>, why: impl Into<String>) -> Self {
        let place = self.hypotheses.len() + self.unanswered.len();
        self.unanswered.push(Unanswered { place, what: what.into(), why: why.into() });
        self
    }

    /// The raw p-values of all hypotheses in their order, 1 where there is no answer.
    pub fn p_values(&self) -> Vec<f64> {
        let mut all: Vec<f64> = self.hypotheses.iter().map(|hypothesis| hypothesis.p_value).collect();
        self.unanswered.iter().for_each(|one| all.insert(one.place.min(all.len()), 1.0));
        all
    }

    /// The family adjusted from its p-values. A fixed sequence takes the order in which hypotheses were
    /// added.
    ///
    /// # Errors
    /// A family without hypotheses.
    pub fn adjust(&self, adjustment: Adjustment) -> Result<AdjustedFamily> {
        self.by(FamilyProcedure::Adjustment(adjustment))
    }

    /// The family adjusted by a graph, whose hypotheses are in the order in which they were added.
    ///
    /// # Errors
    /// A family without hypotheses, and a graph of another number of them.
    pub fn graph(&self, graph: &Graph) -> Result<AdjustedFamily> {
        self.by(FamilyProcedure::Graph(graph.clone()))
    }

    /// The family adjusted by a procedure known only at run time.
    ///
    /// # Errors
    /// As [`HypothesisFamily::adjust`] and [`HypothesisFamily::graph`].
    pub fn by(&self, procedure: FamilyProcedure) -> Result<AdjustedFamily> {
        AdjustedFamily::new(self.clone(), procedure, None)
    }

    /// Several families, each tested only where everything in all before it was rejected
    /// ([`AdjustedFamily::after`]).
    ///
    /// # Errors
    /// No families, a family without hypotheses, and an adjustment of the false discovery rate.
    pub fn serial(families: &[Self], within: Adjustment) -> Result<Vec<AdjustedFamily>> {
        if families.is_empty() {
            return Err(Error::invalid("there are no families; give at least one"));
        }
        let mut adjusted: Vec<AdjustedFamily> = Vec::with_capacity(families.len());
        for family in families {
            let own = family.adjust(within)?;
            let gated = adjusted.last().map_or(Ok(own.clone()), |gate| own.after(gate))?;
            adjusted.push(gated);
        }
        Ok(adjusted)
    }

    pub(super) fn check(&self) -> Result<()> {
        let Self { name, hypotheses, unanswered } = self;
        if hypotheses.is_empty() && unanswered.is_empty() {
            return Err(Error::invalid(format!("the family \"{name}\" holds no hypothesis; add a result")));
        }
        let in_order = unanswered.windows(2).all(|pair| pair[0].place < pair[1].place);
        let size = hypotheses.len() + unanswered.len();
        if !in_order || unanswered.last().is_some_and(|last| last.place >= size) {
            return Err(Error::invalid(format!(
                "the places of the hypotheses without an answer in the family \"{name}\" are not those of {size} \
                 hypotheses; take the family as it was made"
            )));
        }
        for hypothesis in hypotheses {
            hypothesis.check()?;
        }
        Ok(())
    }
}

checked!(HypothesisFamily);
