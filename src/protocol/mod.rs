//! The analysis as data: which outcomes are estimated how, fixed before the data are seen, and run in one call.

mod any_pool;
mod check;
mod outcome;
mod plan;
mod results;
mod run;

pub use any_pool::{AcrossTrials, AnyPool};
pub use outcome::{AnalysisRole, OutcomeRole, PlannedAnalysis, PlannedOutcome};
pub use plan::AnalysisPlan;
pub use results::{Failure, PlanAnswer, PlanPool, PlanResults, PoolResult};
