//! Rows of a register of states that cannot be.

use super::times::problem_line;
use super::words::near;
use super::{counted, listed};
use std::fmt;

/// A reason why a row of a register is no state of a participant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegisterProblem {
    /// A person has two rows of one month.
    TwoRows,
    /// A label that the register does not declare.
    UndeclaredState {
        /// The label.
        label: String,
        /// The states that it declares.
        declared: Vec<String>,
    },
    /// A month that is none of 1 to the last one.
    MonthOutside {
        /// The last month.
        last: usize,
    },
    /// A month after the end of the follow-up of the person; the column of that end.
    AfterFollowUp(String),
    /// There is no row of the month before.
    Gap,
    /// An empty cell; the column.
    Empty(String),
    /// A person who is not in the trial, nor in those beside it.
    NotInTrial,
}

impl fmt::Display for RegisterProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TwoRows => f.write_str("the person has another row of this month; keep one state for each month"),
            Self::UndeclaredState { label, declared } => write!(
                f,
                "the state \"{label}\" is not declared{}; declared are: {}; mend it, or name it in states(..)",
                near(label, declared),
                listed(declared)
            ),
            Self::MonthOutside { last } => write!(
                f,
                "months are 1 to {last}; mend it, give the number of months with months(..), or leave the row out with keep_where(..)"
            ),
            Self::AfterFollowUp(column) => {
                write!(f, "the follow-up of the person ends before, by \"{column}\"; mend one of the two")
            }
            Self::Gap => f.write_str(
                "the person has no row of the month before; fill it in, or say with no_row_is(..) in which state people without a row are",
            ),
            Self::Empty(column) => write!(f, "\"{column}\" is empty; fill it in, or leave the row out"),
            Self::NotInTrial => f.write_str(
                "the person is not among the participants; mend the identifier, or leave them out with Outsiders::LeftOut",
            ),
        }
    }
}

/// A problem with a register, and the rows that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterRows {
    /// The problem.
    pub problem: RegisterProblem,
    /// The first five rows of the register, counted from 1 without the header line.
    pub rows: Vec<usize>,
    /// The lines of these rows in the file, counted from 1; none where the table was not read from a file.
    pub lines: Vec<usize>,
    /// The people and months of these rows.
    pub found: Vec<String>,
    /// The number of rows.
    pub total: usize,
}

/// All problems below each other.
pub(super) fn bad_register(problems: &[RegisterRows]) -> String {
    let total: usize = problems.iter().map(|problem| problem.total).sum();
    let heading = format!("{} of the register cannot be:", counted(total, "row"));
    let one = |found: &RegisterRows| {
        let RegisterRows { problem, rows, lines, found, total } = found;
        problem_line(*total, rows, lines, found, problem)
    };
    problems.iter().map(one).fold(heading, |text, line| format!("{text}\n{line}"))
}
