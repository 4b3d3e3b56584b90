use super::about::About;
use super::hypothesis_family::{Hypothesis, HypothesisFamily};
use crate::compute::multiplicity::{Adjustment, ErrorRate, Graph};
use crate::design::Label;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// The procedure by which a family is adjusted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FamilyProcedure {
    /// From the p-values alone.
    Adjustment(Adjustment),
    /// By a graph of weights and transitions.
    Graph(Graph),
}

impl FamilyProcedure {
    /// The error rate that it keeps.
    pub fn error_rate(&self) -> ErrorRate {
        match self {
            Self::Adjustment(adjustment) => adjustment.error_rate(),
            Self::Graph(_) => ErrorRate::Familywise,
        }
    }

    fn adjust(&self, p_values: &[f64]) -> Result<Vec<f64>> {
        match self {
            Self::Adjustment(adjustment) => adjustment.adjust(p_values),
            Self::Graph(graph) => graph.adjust(p_values),
        }
    }
}

impl Default for FamilyProcedure {
    /// Holm's.
    fn default() -> Self {
        Self::Adjustment(Adjustment::default())
    }
}

from! {
    Adjustment => FamilyProcedure: |adjustment| Self::Adjustment(adjustment);
    Graph => FamilyProcedure: |graph| Self::Graph(graph);
}

/// A family that has to be rejected wholly before another is tested.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Gate {
    /// Its name.
    pub name: String,
    /// Its largest adjusted p-value.
    pub adjusted: f64,
}

/// A family with adjusted p-values beside the raw ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct AdjustedFamily {
    /// The family with its raw p-values.
    pub family: HypothesisFamily,
    /// The procedure.
    pub procedure: FamilyProcedure,
    /// The family before it, where it is tested only after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
    /// The adjusted p-values of the hypotheses of the family: the smallest level at which the procedure rejects.
    pub adjusted: Vec<f64>,
}

checked!(AdjustedFamily);

/// A hypothesis with its adjusted p-value.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct AdjustedHypothesis<'a> {
    /// The hypothesis, with its raw p-value.
    pub hypothesis: &'a Hypothesis,
    /// The adjusted p-value: the smallest level at which the procedure rejects.
    pub adjusted: f64,
}

impl AdjustedHypothesis<'_> {
    /// Whether it is rejected at this level of the family's error rate.
    pub fn rejected(&self, alpha: f64) -> bool {
        self.adjusted <= alpha
    }
}

impl AdjustedFamily {
    pub(super) fn new(
        family: HypothesisFamily,
        procedure: FamilyProcedure,
        gate: Option<Gate>,
    ) -> Result<Self> {
        family.check()?;
        let mut adjusted = procedure.adjust(&family.p_values())?;
        for one in family.unanswered.iter().rev() {
            adjusted.remove(one.place);
        }
        let least = gate.as_ref().map_or(0.0, |gate| gate.adjusted);
        for p in &mut adjusted {
            *p = p.max(least);
        }
        Ok(Self { family, procedure, gate, adjusted })
    }

    /// The same family, tested only where everything in another was rejected: serial gatekeeping. No adjusted
    /// p-value is below the largest of the gate.
    ///
    /// # Errors
    /// A procedure, of this family or of the gate, that does not keep the familywise error rate.
    pub fn after(&self, gate: &Self) -> Result<Self> {
        if let Some(other) = [self, gate].into_iter().find(|one| one.error_rate() != ErrorRate::Familywise) {
            return Err(Error::invalid(format!(
                "the family \"{}\" keeps the {}, and a gate needs the familywise error rate; take Holm's adjustment",
                other.family.name,
                other.error_rate()
            )));
        }
        let largest = if gate.family.unanswered.is_empty() { 0.0 } else { 1.0 };
        let adjusted = gate.adjusted.iter().copied().fold(largest, f64::max);
        let gate = Gate { name: gate.family.name.clone(), adjusted };
        Self::new(self.family.clone(), self.procedure.clone(), Some(gate))
    }

    /// The size of the family, with the hypotheses that have no answer.
    pub fn len(&self) -> usize {
        self.family.hypotheses.len() + self.family.unanswered.len()
    }

    /// Never true: an empty family is not adjusted.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The error rate that the procedure keeps.
    pub fn error_rate(&self) -> ErrorRate {
        self.procedure.error_rate()
    }

    /// The hypotheses with their adjusted p-values.
    pub fn iter(&self) -> impl Iterator<Item = AdjustedHypothesis<'_>> {
        let pairs = self.family.hypotheses.iter().zip(&self.adjusted);
        pairs.map(|(hypothesis, &adjusted)| AdjustedHypothesis { hypothesis, adjusted })
    }

    /// The hypothesis of an effect in this family, if it has one.
    pub fn of(&self, about: &About, treatment: &Label) -> Option<AdjustedHypothesis<'_>> {
        self.iter().find(|one| one.hypothesis.treatment == *treatment && one.hypothesis.about == *about)
    }

    fn check(&self) -> Result<()> {
        let Self { family, procedure, gate, adjusted } = self;
        let name = &family.name;
        if let Some(gate) = gate
            && (!(0.0..=1.0).contains(&gate.adjusted) || procedure.error_rate() != ErrorRate::Familywise)
        {
            return Err(Error::invalid(format!(
                "the gate \"{}\" of the family \"{name}\" is none; take the family as it was adjusted",
                gate.name
            )));
        }
        let own = Self::new(family.clone(), procedure.clone(), gate.clone())?.adjusted;
        let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-12;
        if own.len() == adjusted.len() && own.iter().zip(adjusted).all(near) {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "the adjusted p-values of the family \"{name}\" do not follow from the raw ones; take them as they were made"
        )))
    }
}
