use crate::design::{AnyMeasure, Label, Population};
use crate::error::{Error, Result};
use crate::estimator::AnyEstimator;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What an outcome is in the trial, as its protocol says it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OutcomeRole {
    /// The trial was made for it.
    Primary,
    /// Stated beforehand beside it. The default.
    #[default]
    Secondary,
    /// Looked at for what it may suggest.
    Exploratory,
}

/// What an analysis is among those of its outcome. CONSORT 2025 asks which analyses were stated before the
/// data were seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AnalysisRole {
    /// The one that answers, stated beforehand; an outcome has at most one.
    Primary,
    /// Beside it: sensitivity analyses, other scales, other adjustments; stated beforehand. The default.
    #[default]
    Ancillary,
    /// Thought of after the data were seen.
    PostHoc,
}

impl fmt::Display for OutcomeRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
            Self::Exploratory => "exploratory",
        })
    }
}

impl fmt::Display for AnalysisRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Primary => "primary",
            Self::Ancillary => "ancillary",
            Self::PostHoc => "post hoc",
        })
    }
}

/// The subgroups of an analysis: the levels of a column measured before randomisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PlannedSubgroups {
    /// The column.
    pub column: String,
    /// Its levels in the order in which they are reported; without any, in that of their first appearance.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<Label>,
}

/// An estimator in a plan, with its role. Every estimator converts into one.
///
/// As data it is the estimator with `role`, `label`, `level`, `fallback` (an estimator), `population` and
/// `subgroups` beside its options:
///
/// ```
/// use armwise::prelude::*;
/// use armwise::protocol::PlannedAnalysis;
///
/// let text = r#"{"estimator": "odds_ratio", "zero_cells": "add_half", "role": "post_hoc"}"#;
/// let analysis: PlannedAnalysis = serde_json::from_str(text).unwrap();
/// assert_eq!(analysis.label(), "odds ratio");
///
/// let text = r#"{
///     "estimator": "difference_in_proportions",
///     "population": {
///         "name": "people who read the letter", "column": "letter",
///         "included": ["read"], "excluded": ["returned"]
///     },
///     "subgroups": {"column": "female", "levels": ["no", "yes"]}
/// }"#;
/// let analysis: PlannedAnalysis = serde_json::from_str(text).unwrap();
/// assert_eq!(
///     analysis.label(),
///     "difference in proportions, people who read the letter, by female"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Words")]
pub struct PlannedAnalysis {
    #[serde(flatten)]
    pub(super) estimator: AnyEstimator,
    pub(super) role: AnalysisRole,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) level: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fallback: Option<Box<AnyEstimator>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) population: Option<Population>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subgroups: Option<PlannedSubgroups>,
}

/// The words of an analysis.
#[derive(Deserialize)]
struct Words {
    // Everything that is not named below goes to the estimator, which refuses what it does not know.
    #[serde(flatten)]
    estimator: AnyEstimator,
    #[serde(default)]
    role: AnalysisRole,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    level: Option<f64>,
    #[serde(default)]
    fallback: Option<Box<AnyEstimator>>,
    #[serde(default)]
    population: Option<Population>,
    #[serde(default)]
    subgroups: Option<PlannedSubgroups>,
}

impl TryFrom<Words> for PlannedAnalysis {
    type Error = Error;

    fn try_from(words: Words) -> Result<Self> {
        let Words { estimator, role, label, level, fallback, population, subgroups } = words;
        // A level within the estimator, such as that of the model of marginal effects, is one of the
        // analysis.
        let within = Self::new(estimator);
        if let (Some(own), Some(level)) = (within.level, level)
            && own != level
        {
            return Err(Error::invalid(format!(
                "the analysis has the level {level}, but its model has {own}; give one of them"
            )));
        }
        let level = level.or(within.level);
        Ok(Self { role, label, level, fallback, population, subgroups, ..within })
    }
}

impl PlannedAnalysis {
    /// An ancillary analysis at the level of the plan. An estimator of another level than 0.95 keeps its own.
    pub fn new(estimator: impl Into<AnyEstimator>) -> Self {
        let estimator = estimator.into();
        let own = estimator.own_level();
        let level = (own != 0.95).then_some(own);
        let (estimator, role) = (estimator.level(0.95), AnalysisRole::default());
        Self { estimator, role, label: None, level, fallback: None, population: None, subgroups: None }
    }

    setters! {
        /// The role; default ancillary.
        role: AnalysisRole;
    }

    /// The name under which it is reported; default: the words of the estimator.
    #[must_use]
    pub fn labelled(mut self, label: &str) -> Self {
        self.label = Some(label.to_owned());
        self
    }

    setters! {
        /// A confidence level of its own, between 0 and 1; default: that of the plan.
        level: f64 as Some;
    }

    /// The estimator that answers in trials whose outcomes leave this one without an answer
    /// ([`WithFallback`](crate::estimator::WithFallback)); default none: such a trial has a
    /// [`Failure`](crate::protocol::Failure), and the analysis is not pooled.
    #[must_use]
    pub fn fallback(mut self, estimator: impl Into<AnyEstimator>) -> Self {
        self.fallback = Some(Box::new(estimator.into()));
        self
    }

    /// The people whom it is about; default: everybody who was randomised and has the outcome.
    #[must_use]
    pub fn population(mut self, population: Population) -> Self {
        self.population = Some(population);
        self
    }

    /// The effects within each level of a column that was measured before randomisation, with the test of
    /// interaction; levels in the order of their first appearance. Pools over trials are made for each level.
    #[must_use]
    pub fn by_subgroup(self, column: impl Into<String>) -> Self {
        let none: [&str; 0] = [];
        self.by_subgroup_levels(column, none)
    }

    /// As [`PlannedAnalysis::by_subgroup`], in the order in which the levels are named.
    #[must_use]
    pub fn by_subgroup_levels<T: AsRef<str>>(
        mut self,
        column: impl Into<String>,
        levels: impl IntoIterator<Item = T>,
    ) -> Self {
        let levels = levels.into_iter().map(Label::new).collect();
        self.subgroups = Some(PlannedSubgroups { column: column.into(), levels });
        self
    }

    /// The name under which it is reported: the words of the estimator, with population and subgroups, unless
    /// it was given one.
    pub fn label(&self) -> String {
        let words = || {
            let population = self.population.as_ref().map(|population| format!(", {}", population.name()));
            let subgroups = self.subgroups.as_ref().map(|subgroups| format!(", by {}", subgroups.column));
            format!("{}{}{}", self.estimator, population.unwrap_or_default(), subgroups.unwrap_or_default())
        };
        self.label.clone().unwrap_or_else(words)
    }

    /// Whether another analysis is of the same people in the same subgroups.
    pub(super) fn is_of_the_same(&self, other: &Self) -> bool {
        self.population == other.population && self.subgroups == other.subgroups
    }

    /// The estimator; its level is that of the analysis or of the plan.
    pub fn estimator(&self) -> &AnyEstimator {
        &self.estimator
    }

    /// The estimator at the level of the analysis, or at that of the plan.
    pub(super) fn at_level(&self, level: f64) -> AnyEstimator {
        self.estimator.clone().level(self.level.unwrap_or(level))
    }

    /// The fallback at the same level.
    pub(super) fn fallback_at_level(&self, level: f64) -> Option<AnyEstimator> {
        Some((**self.fallback.as_ref()?).clone().level(self.level.unwrap_or(level)))
    }

    /// The estimator and its fallback.
    pub(super) fn estimators(&self) -> impl Iterator<Item = &AnyEstimator> {
        std::iter::once(&self.estimator).chain(self.fallback.as_deref())
    }
}

impl<E: Into<AnyEstimator>> From<E> for PlannedAnalysis {
    fn from(estimator: E) -> Self {
        Self::new(estimator)
    }
}

/// A measure in a plan, with its role and its analyses.
///
/// ```
/// use armwise::prelude::*;
/// use armwise::protocol::{AnalysisRole, OutcomeRole, PlannedAnalysis, PlannedOutcome};
///
/// const FULL_TIME: Measure<Binary> = Outflow::full_time("hours_per_week");
/// let outcome = PlannedOutcome::new(&FULL_TIME)
///     .role(OutcomeRole::Primary)
///     .analysis(
///         PlannedAnalysis::new(DifferenceInProportions::new()).role(AnalysisRole::Primary),
///     )
///     .analysis(OddsRatio::new());
/// assert_eq!(outcome.analyses().len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedOutcome {
    pub(super) measure: AnyMeasure,
    #[serde(default)]
    pub(super) role: OutcomeRole,
    pub(super) analyses: Vec<PlannedAnalysis>,
}

impl PlannedOutcome {
    /// A secondary outcome without analyses.
    pub fn new(measure: impl Into<AnyMeasure>) -> Self {
        Self { measure: measure.into(), role: OutcomeRole::default(), analyses: Vec::new() }
    }

    setters! {
        /// The role; default secondary.
        role: OutcomeRole;
    }

    /// Adds an analysis: an estimator, or one with a role.
    #[must_use]
    pub fn analysis(mut self, analysis: impl Into<PlannedAnalysis>) -> Self {
        self.analyses.push(analysis.into());
        self
    }

    /// The measure.
    pub fn measure(&self) -> &AnyMeasure {
        &self.measure
    }

    /// The analyses, in the order in which they are reported.
    pub fn analyses(&self) -> &[PlannedAnalysis] {
        &self.analyses
    }
}
