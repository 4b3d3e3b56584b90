//! Who was randomised to what, and what was measured.

mod arm;
mod builder;
mod comparison;
mod label;
mod measure;
mod notice;
mod outcome;
mod questionnaire;
mod text;
mod trial;
mod trials;
mod values;

pub use arm::Arm;
pub use builder::TrialBuilder;
pub use comparison::{ArmCounts, ComparedArm, Comparison};
pub(crate) use comparison::{Groups, People};
pub use label::Label;
pub use measure::{Contract, Direction, Measure, MeasureInfo, Outflow};
pub use notice::Notice;
pub use outcome::{Binary, Continuous, Count, Nominal, Ordinal, OutcomeKind, TimeToEvent};
pub use questionnaire::{MissingItems, Questionnaire, Scoring};
pub use trial::{Trial, Versus};
pub use trials::{Comparisons, Trials, TrialsBuilder};
pub use values::OutcomeValues;
