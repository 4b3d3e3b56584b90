//! The analysis as data: which outcomes are estimated how, fixed before the data are seen, and run in one
//! call.
//!
//! [`AnalysisPlan::from_json`] reads a plan, [`AnalysisPlan::run_all`] checks it whole and runs it. Models
//! that analyses share are fitted once, and an analysis without an answer stays as a row that says why.
//! `examples/analysis_plan.rs` shows a plan.
//!
//! | type | what it is |
//! |---|---|
//! | [`AnalysisPlan`] | outcomes, the analyses of each, and how effects are pooled |
//! | [`PlannedOutcome`], [`OutcomeRole`] | a measure, and whether it is primary, secondary or exploratory |
//! | [`PlannedAnalysis`], [`AnalysisRole`] | an estimator, and what it is among the analyses of its outcome |
//! | [`Population`](crate::design::Population), [`PlannedSubgroups`] | the people whom an analysis is about, and the subgroups within which it is made |
//! | [`AnyPool`], [`AcrossTrials`] | a method of pooling known only at run time |
//! | [`PlannedFamily`], [`FamilyOf`], [`PlanFamily`] | hypotheses that are adjusted together |
//! | [`PlanResults`] | an answer for every outcome, analysis and trial, and the pools |
//! | [`PlanAnswer`], [`InSubgroup`], [`PlanInteraction`], [`PlanPool`], [`PoolResult`], [`Failure`] | its parts |
//!
//! [`AnyEstimator`](crate::estimator::AnyEstimator) and [`AnyMeasure`](crate::design::AnyMeasure) are what a
//! plan holds.

mod any_pool;
mod check;
mod family;
mod outcome;
mod plan;
mod rehearsed;
mod results;
mod run;

pub use any_pool::{AcrossTrials, AnyPool};
#[doc(alias("multiplicity", "multiple testing"))]
pub use family::{FamilyOf, PlanFamily, PlannedFamily};
pub use outcome::{AnalysisRole, OutcomeRole, PlannedAnalysis, PlannedOutcome, PlannedSubgroups};
#[doc(alias("sap", "statistical analysis plan", "preregistration"))]
pub use plan::AnalysisPlan;
pub use results::{Failure, InSubgroup, PlanAnswer, PlanInteraction, PlanPool, PlanResults, PoolResult};
