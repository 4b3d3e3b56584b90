//! Families of hypotheses in a plan.

use super::any_pool::AnyPool;
use super::outcome::{AnalysisRole, PlannedAnalysis, PlannedOutcome};
use super::plan::AnalysisPlan;
use super::results::{Failure, PlanAnswer, PlanPool, PoolResult};
use crate::compute::multiplicity::{Alternative, ErrorRate};
use crate::design::{Arm, Label, Trial};
use crate::effect::{AdjustedFamily, FamilyProcedure, Hypotheses, Hypothesis, HypothesisFamily};
use crate::error::{Error, Result, counted};
use serde::{Deserialize, Serialize};

/// Where the effects of a family come from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FamilyOf {
    /// From every trial. The default.
    #[default]
    Trials,
    /// From one of the plan's pools, by its word ([`AnyPool::name`]).
    Pool(String),
}

/// A family of hypotheses that a plan declares: the primary analyses of some outcomes, in every trial or in a
/// pool, whose p-values are adjusted together.
///
/// Its hypotheses are in the order of outcomes, then trials, then treatments, which is the order of a fixed
/// sequence and of a graph. A hypothesis whose analysis has no answer counts with the p-value 1.
///
/// As data it is its `name` beside `outcomes` (none: the primary ones), `treatments` (none: all), `of`,
/// `procedure`, `after`, `alternative` and `null_value`:
///
/// ```
/// use armwise::multiplicity::Adjustment;
/// use armwise::protocol::PlannedFamily;
///
/// let text = r#"{
///     "name": "work", "outcomes": ["full-time", "part-time"],
///     "of": {"pool": "joint_model"}, "procedure": {"adjustment": "hochberg"}
/// }"#;
/// let family: PlannedFamily = serde_json::from_str(text).unwrap();
/// let same = PlannedFamily::new("work")
///     .outcomes(["full-time", "part-time"])
///     .of_pool("joint_model")
///     .procedure(Adjustment::Hochberg);
/// assert_eq!(family, same);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedFamily {
    name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    outcomes: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    treatments: Vec<Label>,
    #[serde(default)]
    of: FamilyOf,
    #[serde(default)]
    procedure: FamilyProcedure,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    #[serde(default)]
    alternative: Alternative,
    #[serde(default)]
    null_value: f64,
}

/// A family of the plan with its adjusted p-values, or why there are none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlanFamily {
    /// The name.
    pub name: String,
    /// The family.
    pub result: std::result::Result<AdjustedFamily, Failure>,
}

impl PlannedFamily {
    /// The two-sided hypotheses of the primary outcomes in every trial, adjusted by Holm.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            outcomes: Vec::new(),
            treatments: Vec::new(),
            of: FamilyOf::Trials,
            procedure: FamilyProcedure::default(),
            after: None,
            alternative: Alternative::TwoSided,
            null_value: 0.0,
        }
    }

    /// The outcomes, by the names of their measures; default: the primary ones.
    #[must_use]
    pub fn outcomes<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.outcomes = names.into_iter().map(Into::into).collect();
        self
    }

    /// The treatments, or the components where a component model is the pool; default: all.
    #[must_use]
    pub fn treatments<T: AsRef<str>>(mut self, arms: impl IntoIterator<Item = T>) -> Self {
        self.treatments = arms.into_iter().map(Label::new).collect();
        self
    }

    /// The effects are those of a pool of the plan, by its word; default: those of every trial.
    #[must_use]
    pub fn of_pool(mut self, pool: impl Into<String>) -> Self {
        self.of = FamilyOf::Pool(pool.into());
        self
    }

    /// An adjustment, or a graph of the hypotheses in their order; default Holm.
    #[must_use]
    pub fn procedure(mut self, procedure: impl Into<FamilyProcedure>) -> Self {
        self.procedure = procedure.into();
        self
    }

    /// It is tested only where everything in a family before it was rejected ([`AdjustedFamily::after`]).
    #[must_use]
    pub fn after(mut self, family: impl Into<String>) -> Self {
        self.after = Some(family.into());
        self
    }

    /// The hypotheses are that effects are not on this side of a value on their scale: `Greater` than minus
    /// the margin for non-inferiority of an outcome of which more is better.
    #[must_use]
    pub fn against(mut self, alternative: Alternative, null_value: f64) -> Self {
        (self.alternative, self.null_value) = (alternative, null_value);
        self
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn wants(&self, treatment: &Label) -> bool {
        self.treatments.is_empty() || self.treatments.contains(treatment)
    }

    /// Its outcomes in the plan, in their order.
    fn outcomes_of<'a>(&self, plan: &'a AnalysisPlan) -> Vec<&'a PlannedOutcome> {
        if self.outcomes.is_empty() {
            let primary = |outcome: &&PlannedOutcome| outcome.role == super::OutcomeRole::Primary;
            return plan.outcomes.iter().filter(primary).collect();
        }
        let named = |name: &String| plan.outcomes.iter().find(|outcome| outcome.measure.name() == name);
        self.outcomes.iter().filter_map(named).collect()
    }
}

/// The analysis of an outcome that answers: the primary one, or the only one.
fn answering(outcome: &PlannedOutcome) -> Option<&PlannedAnalysis> {
    let primary = outcome.analyses.iter().find(|analysis| analysis.role == AnalysisRole::Primary);
    primary.or(match &outcome.analyses[..] {
        [only] => Some(only),
        _ => None,
    })
}

impl AnalysisPlan {
    /// What is wrong with its families.
    pub(super) fn check_families<A: Arm>(&self, trials: &[&Trial<A>]) -> Vec<Error> {
        let mut errors = Vec::new();
        for (i, family) in self.families.iter().enumerate() {
            let found = self.check_family(family, &self.families[..i], trials);
            let named = |why: String| Error::invalid(format!("the family \"{}\": {why}", family.name));
            errors.extend(found.into_iter().map(named));
        }
        errors
    }

    fn check_family<A: Arm>(
        &self,
        family: &PlannedFamily,
        before: &[PlannedFamily],
        trials: &[&Trial<A>],
    ) -> Vec<String> {
        let mut errors = Vec::new();
        if before.iter().any(|other| other.name == family.name) {
            errors.push("two families have this name; give each its own".to_owned());
        }
        let known = |name: &str| self.outcomes.iter().any(|outcome| outcome.measure.name() == name);
        for (place, name) in family.outcomes.iter().enumerate() {
            if !known(name) {
                errors.push(format!("the plan has no outcome \"{name}\"; name outcomes of the plan"));
            }
            if family.outcomes[..place].contains(name) {
                errors.push(format!("the outcome \"{name}\" is named twice; name it once"));
            }
        }
        let outcomes = family.outcomes_of(self);
        if outcomes.is_empty() && family.outcomes.is_empty() {
            errors.push(
                "the plan has no primary outcome; give an outcome the role primary, or name the outcomes of the family"
                    .to_owned(),
            );
        }
        let undecided = outcomes.iter().filter(|outcome| answering(outcome).is_none());
        errors.extend(undecided.map(|outcome| {
            format!(
                "the outcome \"{}\" has several analyses and none is primary; give one the role primary",
                outcome.measure.name()
            )
        }));
        if let FamilyOf::Pool(name) = &family.of {
            match self.pools.iter().filter(|pool| pool.name() == name).count() {
                0 => {
                    let names: Vec<&str> = self.pools.iter().map(AnyPool::name).collect();
                    let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                    errors.push(format!("the plan has no pool \"{name}\"; name one that it has: {names}"));
                }
                1 if trials.len() > 1 => {}
                1 => errors.push("one trial is not pooled; take the effects of trials".to_owned()),
                _ => errors.push(format!("the plan has several pools \"{name}\"; leave all but one out")),
            }
        }
        if let Some(gate) = &family.after {
            match before.iter().find(|other| other.name == *gate) {
                None => {
                    errors.push(format!(
                        "there is no family \"{gate}\" before it; name one that stands before it"
                    ));
                }
                Some(gate) => {
                    let keeps = |one: &PlannedFamily| one.procedure.error_rate() == ErrorRate::Familywise;
                    if !(keeps(gate) && keeps(family)) {
                        errors.push(format!(
                            "it or its gate \"{}\" keeps the false discovery rate, and gates need the familywise error rate; take holm",
                            gate.name
                        ));
                    }
                }
            }
        }
        if !family.null_value.is_finite() {
            errors.push(format!("the null value is {}; give a number", family.null_value));
        }
        if let (FamilyProcedure::Graph(graph), Some(size)) = (&family.procedure, self.size(family, trials))
            && graph.weights().len() != size
        {
            errors.push(format!(
                "its graph is of {}, and the trials give it {size}; give a weight for each",
                counted(graph.weights().len(), "hypothesis")
            ));
        }
        errors
    }

    /// The number of hypotheses, where it is known without the data.
    fn size<A: Arm>(&self, family: &PlannedFamily, trials: &[&Trial<A>]) -> Option<usize> {
        let outcomes = family.outcomes_of(self);
        let by_level =
            |outcome: &&PlannedOutcome| answering(outcome).is_none_or(|one| one.subgroups.is_some());
        if outcomes.iter().any(by_level) {
            return None;
        }
        let each = match &family.of {
            FamilyOf::Trials => trials.iter().map(|trial| self.arms_of(family, trial).len()).sum(),
            FamilyOf::Pool(name) => match self.pools.iter().find(|pool| pool.name() == name)? {
                AnyPool::ComponentModel { .. } => return None,
                pool => {
                    let (shared, alone) = self.arms(trials);
                    let one_at_a_time = pool.is_of_one_treatment();
                    let alone = alone.into_iter().filter(|_| !one_at_a_time);
                    shared.into_iter().chain(alone).filter(|arm| family.wants(arm)).count()
                }
            },
        };
        Some(outcomes.len() * each)
    }

    /// The treatments of a trial that the plan and the family want.
    fn arms_of<A: Arm>(&self, family: &PlannedFamily, trial: &Trial<A>) -> Vec<Label> {
        let planned = |arm: &&Label| self.treatments.is_empty() || self.treatments.contains(arm);
        trial.arm_labels().skip(1).filter(planned).filter(|arm| family.wants(arm)).cloned().collect()
    }

    /// All families with their adjusted p-values.
    pub(super) fn adjusted<A: Arm>(
        &self,
        trials: &[&Trial<A>],
        answers: &[PlanAnswer],
        pools: &[PlanPool],
    ) -> Vec<PlanFamily> {
        let mut all: Vec<PlanFamily> = Vec::with_capacity(self.families.len());
        for family in &self.families {
            let found = match &family.of {
                FamilyOf::Trials => self.of_trials(family, trials, answers),
                FamilyOf::Pool(name) => self.of_pool(family, name, trials, pools),
            };
            let adjusted = found.and_then(|found| found.by(family.procedure.clone())).and_then(|adjusted| {
                let Some(gate) = &family.after else { return Ok(adjusted) };
                match all.iter().find(|other| other.name == *gate).map(|other| &other.result) {
                    Some(Ok(gate)) => adjusted.after(gate),
                    _ => Err(Error::invalid(format!(
                        "the family \"{gate}\" before it has no adjusted p-values; mend that one first"
                    ))),
                }
            });
            let result = adjusted.map_err(|error| Failure::from(&error));
            all.push(PlanFamily { name: family.name.clone(), result });
        }
        all
    }

    fn of_trials<A: Arm>(
        &self,
        family: &PlannedFamily,
        trials: &[&Trial<A>],
        answers: &[PlanAnswer],
    ) -> Result<HypothesisFamily> {
        let mut found = HypothesisFamily::new(&family.name);
        for outcome in family.outcomes_of(self) {
            let Some(analysis) = answering(outcome).map(PlannedAnalysis::label) else { continue };
            let name = outcome.measure.name();
            let own = |answer: &&PlanAnswer| answer.outcome == name && answer.analysis == analysis;
            for answer in answers.iter().filter(own) {
                found = match &answer.result {
                    Ok(effects) => add(found, family, effects)?,
                    Err(failure) => {
                        let trial = trials.iter().find(|trial| *trial.name() == answer.trial);
                        let arms = trial.map_or_else(Vec::new, |trial| self.arms_of(family, trial));
                        unanswered(found, &format!("{}, {name}", answer.trial), &arms, failure)
                    }
                };
            }
        }
        Ok(found)
    }

    fn of_pool<A: Arm>(
        &self,
        family: &PlannedFamily,
        pool: &str,
        trials: &[&Trial<A>],
        pools: &[PlanPool],
    ) -> Result<HypothesisFamily> {
        let (shared, alone) = self.arms(trials);
        let mut found = HypothesisFamily::new(&family.name);
        for outcome in family.outcomes_of(self) {
            let Some(analysis) = answering(outcome).map(PlannedAnalysis::label) else { continue };
            let name = outcome.measure.name();
            let own = |one: &&PlanPool| one.pool == pool && one.outcome == name && one.analysis == analysis;
            for one in pools.iter().filter(own) {
                found = match &one.result {
                    Ok(PoolResult::OfTreatment(pooled)) => add(found, family, &**pooled)?,
                    Ok(PoolResult::Jointly(joint)) => add(found, family, &**joint)?,
                    Err(failure) => {
                        let all = shared.iter().chain(&alone);
                        let arms: Vec<Label> = match &one.treatment {
                            Some(treatment) => vec![treatment.clone()],
                            None if self
                                .pools
                                .iter()
                                .any(|own| own.name() == pool && own.is_of_one_treatment()) =>
                            {
                                shared.clone()
                            }
                            None => all.cloned().collect(),
                        };
                        let arms: Vec<Label> = arms.into_iter().filter(|arm| family.wants(arm)).collect();
                        unanswered(found, &format!("pooled, {name}"), &arms, failure)
                    }
                };
            }
        }
        Ok(found)
    }
}

/// The family with the effects of a result that it wants.
fn add(
    mut found: HypothesisFamily,
    family: &PlannedFamily,
    result: &impl Hypotheses,
) -> Result<HypothesisFamily> {
    let of_result: Vec<Hypothesis> = result.hypotheses(family.alternative, family.null_value)?;
    for one in of_result.into_iter().filter(|one| family.wants(&one.treatment)) {
        found = found.with(&one)?;
    }
    Ok(found)
}

/// The family with a hypothesis without an answer for each arm.
fn unanswered(found: HypothesisFamily, place: &str, arms: &[Label], failure: &Failure) -> HypothesisFamily {
    arms.iter()
        .fold(found, |found, arm| found.with_unanswered(format!("{place}, {arm}"), failure.to_string()))
}
