//! Designs: who was randomised to what, and what was measured.
//!
//! ```
//! use armwise::prelude::*;
//!
//! arms! {
//!     /// The arms of the Utrecht experiment; the first is the control.
//!     enum Utrecht {
//!         Control = "control",
//!         Exemption = "exemption",
//!         Guidance = "guidance",
//!         Earnings = "earnings",
//!     }
//! }
//! /// More than 27 hours a week.
//! const FULL_TIME: Measure<Binary> = Outflow::full_time("hours_per_week");
//!
//! let table = Table::from_csv_path("examples/data/participants.csv")?
//!     .keep_category("municipality", "Utrecht")?;
//! let trial =
//!     Trial::builder("Utrecht", table).arms::<Utrecht>("arm").strata(["stratum"]).build()?;
//! let effects = trial.on(&FULL_TIME)?.estimate(&DifferenceInProportions::new())?;
//! println!("{}", effects.between(Utrecht::Guidance, Utrecht::Exemption)?);
//!
//! // One treatment against another, and effects within subgroups.
//! let pair = trial.compare(Utrecht::Guidance).versus(Utrecht::Earnings).on(&FULL_TIME)?;
//! assert_eq!(pair.arms().len(), 2);
//! let by_sex = trial
//!     .on(&FULL_TIME)?
//!     .by_subgroup("female")?
//!     .estimate(&DifferenceInProportions::new())?;
//! assert!(by_sex.interaction()?.p_value > 0.05);
//! # Ok::<(), armwise::Error>(())
//! ```
//!
//! # Trials
//!
//! | type | what it is |
//! |---|---|
//! | [`Trial`], [`TrialBuilder`] | one trial: arms and their components, strata, clusters, take-up |
//! | [`Allocation`], [`AllocationKind`] | how people were allocated to arms, which a randomisation test replays |
//! | [`Trials`], [`TrialsBuilder`] | several trials, from one table with a column that names them |
//! | [`BaselineTable`], [`BaselineRow`], [`JointBaselineTest`] | the people of every arm before treatment |
//! | [`Arm`], [`Label`] | an arm: an enum made by [`arms!`](crate::arms), or a name known at run time |
//!
//! # Measures
//!
//! A measure is a `const` value: a name, the columns it is read from, the kind of outcome, and which way is
//! better.
//!
//! | type | what it is |
//! |---|---|
//! | [`Measure`], [`MeasureInfo`], [`Direction`] | what is measured |
//! | [`Outflow`] | outflow to work, from hours a week |
//! | [`Contract`] | the type of an employment contract |
//! | [`Questionnaire`], [`Scoring`], [`MissingItems`] | a score of several items |
//! | [`Binary`], [`Count`], [`Continuous`], [`Ordinal`], [`Nominal`], [`TimeToEvent`], [`MonthlyStates`], [`Repeated`] | the kinds of outcomes |
//! | [`Register`], [`Outsiders`] | states of people by month, in long form, joined to a trial |
//! | [`Times`] | the times of a comparison, with the causes of their events |
//! | [`OutcomeKind`], [`OutcomeValues`], [`Categorical`] | the traits of kinds |
//! | [`AnyMeasure`] | a measure known only at run time |
//!
//! # Comparisons
//!
//! | type | what it is |
//! |---|---|
//! | [`Comparison`], [`ComparedArm`], [`ArmCounts`] | the arms of one trial with one measure: what an estimator works on |
//! | [`Comparisons`] | the same measure in several trials |
//! | [`Population`] | the people of a trial whom an analysis is about, by the labels of a column |
//! | [`SubgroupComparisons`] | the same measure within the levels of a column |
//! | [`Versus`] | one arm against another |
//! | [`Notice`] | a reservation that a result carries |

mod allocation;
mod any_measure;
mod arm;
mod balance;
mod baseline;
mod builder;
mod categorical;
mod coding;
mod comparison;
mod label;
mod measure;
mod notice;
mod notice_words;
mod outcome;
mod population;
mod questionnaire;
mod register;
mod repeated;
mod resampled;
mod states;
mod subgroup_comparisons;
mod text;
mod times;
mod trial;
mod trials;
mod values;

pub(crate) use allocation::Assigned;
#[doc(alias("randomisation scheme", "permuted blocks", "matched pairs", "randomizr"))]
pub use allocation::{Allocation, AllocationKind};
pub use any_measure::AnyMeasure;
pub(crate) use any_measure::each_kind;
pub use arm::Arm;
pub(crate) use balance::dominant_weights;
#[doc(alias("table one", "table 1", "baseline characteristics", "standardised mean difference"))]
pub use baseline::BaselineTable;
pub use baseline::{BaselineRow, JointBaselineTest};
#[doc(alias("stratified randomisation", "blocked randomisation", "cluster randomised trial", "blocks"))]
pub use builder::TrialBuilder;
pub use categorical::Categorical;
pub(crate) use categorical::Categories;
#[doc(alias("analysis set"))]
pub use comparison::Comparison;
#[doc(alias("itt", "intention to treat", "denominator", "loss to follow-up", "consort"))]
pub use comparison::{ArmCounts, ComparedArm};
pub(crate) use comparison::{Groups, People};
pub use label::Label;
#[doc(alias("endpoint", "outcome"))]
pub use measure::Measure;
pub use measure::{Contract, Direction, MeasureInfo, Outflow};
#[doc(alias("warning"))]
pub use notice::Notice;
pub(crate) use notice::of_trials;
pub use outcome::{Binary, Continuous, Count, MonthlyStates, Nominal, Ordinal, OutcomeKind, TimeToEvent};
#[doc(alias("who-5", "likert", "cronbach"))]
#[doc(alias("analysis population", "per protocol", "modified intention to treat"))]
pub use population::Population;
pub use questionnaire::Questionnaire;
pub use questionnaire::{CronbachAlpha, MissingItems, Scoring};
pub use register::Outsiders;
#[doc(alias("panel", "administrative data", "monthly states", "multistate", "person-months"))]
pub use register::Register;
#[doc(alias("survey waves", "longitudinal", "panel survey", "repeated measures"))]
pub use repeated::Repeated;
pub use subgroup_comparisons::SubgroupComparisons;
#[doc(alias("survival", "censoring", "competing risks", "left truncation"))]
pub use times::Times;
#[doc(alias("randomised controlled trial", "rct", "experiment"))]
pub use trial::Trial;
pub use trial::Versus;
#[doc(alias("multi-site trial", "municipalities"))]
pub use trials::Trials;
pub use trials::{Comparisons, TrialsBuilder};
pub use values::OutcomeValues;
