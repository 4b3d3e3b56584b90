use super::family::PlanFamily;
use super::outcome::{AnalysisRole, OutcomeRole};
use super::plan::AnalysisPlan;
use crate::design::Label;
use crate::effect::{AnyScale, Effects, Estimates, SubgroupEffects};
use crate::error::{Error, ErrorKind, Place, Result};
use crate::pool::{JointlyPooled, Pooled};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why there is no answer: an [`Error`] as a result keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failure {
    /// The stable word of the kind of error, such as `"separation"`:
    /// [`ErrorKind::name`](crate::ErrorKind::name).
    pub kind: String,
    /// Where it arose.
    pub place: Place,
    /// What went wrong, and what to do next.
    pub message: String,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        Self {
            kind: error.kind().name().to_owned(),
            place: error.place().clone(),
            message: error.kind().to_string(),
        }
    }
}

impl Failure {
    /// Whether it lies in the outcomes of the trial: [`ErrorKind::depends_on_outcome`].
    pub fn depends_on_outcome(&self) -> bool {
        ErrorKind::OF_OUTCOMES.contains(&self.kind.as_str())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.place.to_string();
        if place.is_empty() { f.write_str(&self.message) } else { write!(f, "{place}: {}", self.message) }
    }
}

/// A subgroup of an analysis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InSubgroup {
    /// The column.
    pub column: String,
    /// Its level.
    pub level: Label,
}

impl fmt::Display for InSubgroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.column, self.level)
    }
}

/// The test whether the effects of one analysis differ between its subgroups, in one trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlanInteraction {
    /// The name of the measure.
    pub outcome: String,
    /// The label of the analysis.
    pub analysis: String,
    /// The trial.
    pub trial: Label,
    /// The effects within all subgroups with their test, or why there is none.
    pub result: std::result::Result<SubgroupEffects<AnyScale>, Failure>,
}

/// What one analysis says of one outcome in one trial, or in one subgroup of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlanAnswer {
    /// The name of the measure.
    pub outcome: String,
    /// Its role.
    pub outcome_role: OutcomeRole,
    /// The label of the analysis.
    pub analysis: String,
    /// Its role.
    pub analysis_role: AnalysisRole,
    /// The trial.
    pub trial: Label,
    /// The population, where it is not everybody who has the outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub population: Option<String>,
    /// The subgroup, where the analysis has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subgroup: Option<InSubgroup>,
    /// The effects of all treatments with their joint covariance, or why there are none.
    pub result: std::result::Result<Estimates<AnyScale>, Failure>,
}

/// Effects of one analysis pooled over trials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlanPool {
    /// The name of the measure.
    pub outcome: String,
    /// Its role.
    pub outcome_role: OutcomeRole,
    /// The label of the analysis.
    pub analysis: String,
    /// Its role.
    pub analysis_role: AnalysisRole,
    /// The word of the pooling method: [`AnyPool::name`](crate::protocol::AnyPool::name).
    pub pool: String,
    /// The population, where it is not everybody who has the outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub population: Option<String>,
    /// The subgroup, where the analysis has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subgroup: Option<InSubgroup>,
    /// The treatment, where the method pools one at a time.
    pub treatment: Option<Label>,
    /// Trials that are not in the pool because the analysis failed there.
    pub failed: Vec<Label>,
    /// The pool, or why there is none.
    pub result: std::result::Result<PoolResult, Failure>,
}

/// A pool of one treatment, or of all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PoolResult {
    /// Of one treatment.
    OfTreatment(Box<Pooled<AnyScale>>),
    /// Of all treatments, or of all components.
    Jointly(Box<JointlyPooled<AnyScale>>),
}

/// What a plan found: an answer for every outcome, analysis and trial, and the pools over trials. Nothing is
/// lost: what could not be estimated is a [`Failure`] in its place.
///
/// Made by [`AnalysisPlan::run`] and [`AnalysisPlan::run_all`]. It prints as one table, and is part of a
/// [`Report`](crate::report::Report).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanResults {
    pub(super) plan: AnalysisPlan,
    pub(super) answers: Vec<PlanAnswer>,
    pub(super) pools: Vec<PlanPool>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) interactions: Vec<PlanInteraction>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) families: Vec<PlanFamily>,
    pub(super) unpooled: Vec<Label>,
    pub(super) comparisons: usize,
    pub(super) fits: usize,
}

impl PlanResults {
    /// The plan that was run.
    pub fn plan(&self) -> &AnalysisPlan {
        &self.plan
    }

    /// The answers in the order of the plan: by outcome, analysis and trial.
    pub fn answers(&self) -> &[PlanAnswer] {
        &self.answers
    }

    /// The pools in the order of the plan: by outcome, analysis and method.
    pub fn pools(&self) -> &[PlanPool] {
        &self.pools
    }

    /// The tests of interaction of the analyses that have subgroups, by outcome, analysis and trial.
    pub fn interactions(&self) -> &[PlanInteraction] {
        &self.interactions
    }

    /// The families of hypotheses with their adjusted p-values, in the order of the plan.
    pub fn families(&self) -> &[PlanFamily] {
        &self.families
    }

    /// The arms that one trial only has, which methods that pool one treatment at a time leave to their own
    /// rows.
    pub fn unpooled(&self) -> &[Label] {
        &self.unpooled
    }

    /// Everything that could not be estimated or pooled.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        let answers = self.answers.iter().filter_map(|answer| answer.result.as_ref().err());
        let interactions = self.interactions.iter().filter_map(|one| one.result.as_ref().err());
        let pools = self.pools.iter().filter_map(|pool| pool.result.as_ref().err());
        let families = self.families.iter().filter_map(|family| family.result.as_ref().err());
        answers.chain(pools).chain(interactions).chain(families)
    }

    /// Whether the run was stopped by a [hook](crate::progress::Progress), so that these are the results of a part of
    /// the plan: what was finished stands, and the rest is a failure of the kind `"stopped"`.
    pub fn is_partial(&self) -> bool {
        self.failures().any(|failure| failure.kind == "stopped")
    }

    /// How often outcomes were read from participants: once for every outcome and trial.
    pub fn comparisons(&self) -> usize {
        self.comparisons
    }

    /// How many models were fitted. Analyses of one outcome that use the same model use one fit.
    pub fn fits(&self) -> usize {
        self.fits
    }

    /// The effects by one analysis, named by its label, in all trials in which it has an answer: to be
    /// pooled, drawn or set in other tables.
    ///
    /// # Errors
    /// There is no such outcome or analysis, it has no answer in any trial, or it has subgroups.
    pub fn effects(&self, outcome: &str, analysis: &str) -> Result<Effects<AnyScale>> {
        self.effects_of(outcome, analysis, None)
    }

    /// As [`PlanResults::effects`], within one level of the subgroups of the analysis.
    ///
    /// # Errors
    /// There is no such outcome, analysis or level, or it has no answer in any trial.
    pub fn effects_in(&self, outcome: &str, analysis: &str, level: &str) -> Result<Effects<AnyScale>> {
        self.effects_of(outcome, analysis, Some(level))
    }

    fn effects_of(&self, outcome: &str, analysis: &str, level: Option<&str>) -> Result<Effects<AnyScale>> {
        let of = || self.answers.iter().filter(|one| one.outcome == outcome && one.analysis == analysis);
        let levels: Vec<String> =
            distinct(of().filter_map(|answer| Some(answer.subgroup.as_ref()?.level.to_string())));
        if level.is_none() && !levels.is_empty() {
            let why = format!(
                "the analysis \"{analysis}\" of \"{outcome}\" has subgroups; name one of them with effects_in(..): {}",
                levels.join(", ")
            );
            return Err(Error::invalid(why));
        }
        if let Some(label) = level.filter(|level| !levels.iter().any(|own| own == level)) {
            return Err(ErrorKind::UnknownCategory { label: label.to_owned(), known: levels }.into());
        }
        let answers = || {
            let level_of = |answer: &PlanAnswer| answer.subgroup.as_ref().map(|one| one.level.to_string());
            of().filter(move |answer| level.is_none_or(|level| level_of(answer).as_deref() == Some(level)))
        };
        if answers().next().is_none() {
            let mut known: Vec<String> = Vec::new();
            for answer in &self.answers {
                let name = format!("\"{}\" of \"{}\"", answer.analysis, answer.outcome);
                if !known.contains(&name) {
                    known.push(name);
                }
            }
            let why = format!(
                "the plan has no analysis \"{analysis}\" of \"{outcome}\"; it has: {}",
                known.join(", ")
            );
            return Err(Error::invalid(why));
        }
        Effects::new(answers().filter_map(|answer| answer.result.as_ref().ok()).cloned())
            .map_err(|error| error.in_measure(outcome))
    }
}

/// Each once, in the order of first appearance.
fn distinct(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    all.for_each(|one| {
        if !seen.contains(&one) {
            seen.push(one);
        }
    });
    seen
}
