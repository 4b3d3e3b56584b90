//! Before the trial: how many people, which effects can be shown, who gets what, and the whole trial
//! rehearsed.
//!
//! [`PlannedTrial`] is the main type: the outcome as it is expected, and everything that decides how much a
//! trial shows of it. It answers with a [`Design`], which holds its assumptions in words.
//!
//! ```
//! use armwise::prospective::{ExpectedOutcome, PlannedTrial};
//!
//! // Outflow to work: 20% without, 23% with more freedom.
//! let trial = PlannedTrial::new(ExpectedOutcome::proportions(0.23, 0.20))?;
//! let design = trial.people_for(0.8)?;
//! assert_eq!(design.people.control, 2_943);
//! assert!(design.to_string().starts_with("Power of 80.0%"));
//! # Ok::<(), armwise::Error>(())
//! ```
//!
//! # Power and size
//!
//! | type | what it is |
//! |---|---|
//! | [`PlannedTrial`], [`ArmRatio`] | a trial that is planned: arms, level, clusters, attrition, take-up, looks |
//! | [`ExpectedOutcome`], [`ExpectedAmounts`], [`HazardFormula`] | the outcome as it is expected |
//! | [`Design`], [`Question`] | an answer: people, power, effect, assumptions |
//! | [`PowerGrid`] | the power over a grid of people and effects |
//! | [`PlannedPool`], [`PooledEstimand`], [`PooledDesign`] | the pooled evaluation of several cities |
//!
//! # Allocation lists
//!
//! | type | what it is |
//! |---|---|
//! | [`ListPlan`], [`ListMethod`], [`ListUnit`] | the declaration of a list: arms, ratio, method, units, seed |
//! | [`AllocationList`], [`ListRow`] | the list, as CSV with a check code, verified when it is read |
//!
//! # The trial rehearsed
//!
//! | type | what it is |
//! |---|---|
//! | [`SimulatedPopulation`], [`SimulatedOutcome`] | people as they may be, and the trials that are drawn of them |
//! | [`Simulation`], [`Analysis`], [`Answer`] | the same estimators and pools, again and again |
//! | [`Simulated`], [`SimulatedTreatment`], [`MonteCarlo`] | bias, coverage, power, errors of sign and size |
//!
//! # Conventions
//!
//! - The power is that of one comparison with the control arm, by whole people.
//! - Sizes solve the power for the people; the detectable effect solves it for the effect, with the control
//!   arm as it is expected.

mod answer;
mod grid;
mod list;
mod list_plan;
mod outcome;
mod planned;
mod pooled;
mod population;
mod simulation;
mod width;
mod words;

#[doc(alias("sample size calculation", "minimum detectable effect", "mde"))]
pub use answer::{Design, Question};
#[doc(alias("power curve"))]
pub use grid::PowerGrid;
#[doc(alias("randomisation list", "allocation concealment", "blockrand", "randomizr"))]
pub use list::{AllocationList, ListRow};
#[doc(alias(
    "permuted blocks",
    "minimisation",
    "biased coin",
    "rerandomisation",
    "stratified randomisation"
))]
pub use list_plan::{ListMethod, ListPlan, ListUnit};
#[doc(alias("schoenfeld", "freedman", "whitehead", "noether"))]
pub use outcome::{ExpectedAmounts, ExpectedOutcome, HazardFormula};
#[doc(alias("power analysis", "power calculation"))]
pub use planned::{ArmRatio, PlannedTrial};
#[doc(alias("multi-site power", "number of cities"))]
pub use pooled::{PlannedPool, PooledDesign, PooledEstimand};
#[doc(alias("declaredesign", "potential outcomes", "common random numbers"))]
pub use population::{SimulatedOutcome, SimulatedPopulation};
#[doc(alias("monte carlo", "operating characteristics", "type s error", "type m error", "coverage"))]
pub use simulation::{Analysis, Answer, MonteCarlo, Simulated, SimulatedTreatment, Simulation};
