//! Waves of outcomes that cannot be.

use std::fmt;

/// A reason why rows are no repeated measures.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaveProblem {
    /// A person with two outcomes in one wave.
    MeasuredTwice {
        /// The person.
        unit: String,
        /// The wave.
        wave: String,
    },
    /// A person with rows of two arms.
    TwoGroups {
        /// The two.
        groups: Vec<String>,
    },
    /// A wave in which nobody has an outcome.
    NobodyAnswered(String),
}

impl fmt::Display for WaveProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MeasuredTwice { unit, wave } => write!(
                f,
                "unit {unit} is measured twice in wave {wave}; keep one of the two rows, or give the second its own wave"
            ),
            Self::TwoGroups { groups } => write!(
                f,
                "a unit is in two groups, {}; give every row of a unit the group to which it was randomised",
                groups.join(" and ")
            ),
            Self::NobodyAnswered(wave) => {
                write!(
                    f,
                    "nobody has an outcome in wave {wave}; leave the wave out, or check the name of its column"
                )
            }
        }
    }
}
