use super::about::About;
use super::effects::{Effects, TreatmentEffects};
use super::estimate::Estimate;
use super::estimates::Estimates;
use super::scale::{AnyScale, Scale};
use crate::compute::curve::{ConfidenceCurve, Inference};
use crate::compute::multiplicity::{Adjustment, Alternative, ErrorRate, Graph, serial_gatekeeping};
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
/// assert_eq!((holm.name.as_str(), holm.len()), ("primary", 4));
/// let first = &holm.hypotheses[0];
/// assert!(first.hypothesis.treatment == "a" && first.hypothesis.about.measure.name == "work");
/// let p_value = first.hypothesis.p_value;
/// assert!(p_value < first.adjusted && first.adjusted <= 4.0 * p_value);
///
/// // Training of an arm only where work was rejected.
/// let gates = Graph::parallel_gatekeeping(&[0.5, 0.5], 2)?;
/// let gated = family.graph(&gates)?;
/// assert!(gated.hypotheses[0].rejected(0.05) && gated.hypotheses[3].rejected(0.05));
/// println!("{gated}");
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// As [`Adjustment`] and [`Graph`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HypothesisFamily {
    /// The name, such as "primary".
    pub name: String,
    /// The hypotheses, in the order in which they were added.
    pub hypotheses: Vec<Hypothesis>,
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

/// The procedure by which a family was adjusted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FamilyProcedure {
    /// From the p-values alone.
    Adjustment(Adjustment),
    /// By a graph of weights and transitions.
    Graph(Graph),
    /// Serial gatekeeping, with this adjustment within families.
    Serial(Adjustment),
}

/// A family with adjusted p-values beside the raw ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AdjustedFamily {
    /// The name of the family.
    pub name: String,
    /// The procedure.
    pub procedure: FamilyProcedure,
    /// The hypotheses with their adjusted p-values.
    pub hypotheses: Vec<AdjustedHypothesis>,
}

/// A hypothesis with its adjusted p-value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AdjustedHypothesis {
    /// The hypothesis, with its raw p-value.
    pub hypothesis: Hypothesis,
    /// The adjusted p-value: the smallest level at which the procedure rejects.
    pub adjusted: f64,
}

impl AdjustedHypothesis {
    /// Whether it is rejected at this level of the family's error rate.
    pub fn rejected(&self, alpha: f64) -> bool {
        self.adjusted <= alpha
    }
}

impl AdjustedFamily {
    fn new(family: &HypothesisFamily, procedure: FamilyProcedure, adjusted: Vec<f64>) -> Self {
        let hypotheses = family.hypotheses.iter().cloned().zip(adjusted);
        Self {
            name: family.name.clone(),
            procedure,
            hypotheses: hypotheses
                .map(|(hypothesis, adjusted)| AdjustedHypothesis { hypothesis, adjusted })
                .collect(),
        }
    }

    /// The size of the family.
    pub fn len(&self) -> usize {
        self.hypotheses.len()
    }

    /// Never true: an empty family is not adjusted.
    pub fn is_empty(&self) -> bool {
        self.hypotheses.is_empty()
    }

    /// The error rate that the procedure keeps.
    pub fn error_rate(&self) -> ErrorRate {
        match &self.procedure {
            FamilyProcedure::Adjustment(adjustment) | FamilyProcedure::Serial(adjustment) => {
                adjustment.error_rate()
            }
            FamilyProcedure::Graph(_) => ErrorRate::Familywise,
        }
    }
}

impl HypothesisFamily {
    /// A family without hypotheses.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), hypotheses: Vec::new() }
    }

    /// Adds the two-sided hypotheses of no effect of a result: one estimate, all treatments of a trial,
    /// several trials, or a [`Hypothesis`] of one's own, as of a pool.
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

    /// The raw p-values.
    pub fn p_values(&self) -> Vec<f64> {
        self.hypotheses.iter().map(|hypothesis| hypothesis.p_value).collect()
    }

    /// The family adjusted from its p-values. A fixed sequence takes the order in which hypotheses were
    /// added.
    ///
    /// # Errors
    /// A family without hypotheses.
    pub fn adjust(&self, adjustment: Adjustment) -> Result<AdjustedFamily> {
        self.check()?;
        let adjusted = adjustment.adjust(&self.p_values())?;
        Ok(AdjustedFamily::new(self, FamilyProcedure::Adjustment(adjustment), adjusted))
    }

    /// The family adjusted by a graph, whose hypotheses are in the order in which they were added.
    ///
    /// # Errors
    /// A family without hypotheses, and a graph of another number of them.
    pub fn graph(&self, graph: &Graph) -> Result<AdjustedFamily> {
        self.check()?;
        let adjusted = graph.adjust(&self.p_values())?;
        Ok(AdjustedFamily::new(self, FamilyProcedure::Graph(graph.clone()), adjusted))
    }

    /// Several families, each tested only where everything in all before it was rejected.
    ///
    /// # Errors
    /// No families, a family without hypotheses, and an adjustment of the false discovery rate.
    pub fn serial(families: &[Self], within: Adjustment) -> Result<Vec<AdjustedFamily>> {
        families.iter().try_for_each(Self::check)?;
        let p_values: Vec<Vec<f64>> = families.iter().map(Self::p_values).collect();
        let adjusted = serial_gatekeeping(&p_values, within)?;
        let one = |(family, adjusted): (&Self, Vec<f64>)| {
            AdjustedFamily::new(family, FamilyProcedure::Serial(within), adjusted)
        };
        Ok(families.iter().zip(adjusted).map(one).collect())
    }

    fn check(&self) -> Result<()> {
        if self.hypotheses.is_empty() {
            let why = format!("the family \"{}\" holds no hypothesis; add a result", self.name);
            return Err(Error::invalid(why));
        }
        Ok(())
    }
}
