//! Who was randomised to what, and what was measured.

mod any_measure;
mod arm;
mod builder;
mod categorical;
mod comparison;
mod label;
mod measure;
mod notice;
mod outcome;
mod questionnaire;
mod subgroup_comparisons;
mod text;
mod trial;
mod trials;
mod values;

pub use any_measure::AnyMeasure;
pub(crate) use any_measure::each_kind;
pub use arm::Arm;
pub use builder::TrialBuilder;
pub use categorical::Categorical;
pub(crate) use categorical::Categories;
pub use comparison::{ArmCounts, ComparedArm, Comparison};
pub(crate) use comparison::{Groups, People};
pub use label::Label;
pub use measure::{Contract, Direction, Measure, MeasureInfo, Outflow};
pub use notice::Notice;
pub use outcome::{Binary, Continuous, Count, Nominal, Ordinal, OutcomeKind, TimeToEvent};
pub use questionnaire::{MissingItems, Questionnaire, Scoring};
pub use subgroup_comparisons::SubgroupComparisons;
pub use trial::{Trial, Versus};
pub use trials::{Comparisons, Trials, TrialsBuilder};
pub use values::OutcomeValues;
