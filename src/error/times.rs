//! Rows whose times cannot be.

use super::words::near;
use super::{grouped, listed};
use std::fmt;

/// A reason why a row is no time to an event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeProblem {
    /// A time below zero, or not finite; the column.
    NegativeTime(String),
    /// An event without a time; the column of times.
    CauseWithoutTime(String),
    /// A time without an event; the column of causes.
    TimeWithoutCause(String),
    /// No event was seen, but until when is not known; the column.
    CensoredWithoutTime(String),
    /// An event after the end of follow-up; the column of that end.
    EventAfterCensoring(String),
    /// Nobody knows when the person came under observation; the column.
    EntryMissing(String),
    /// An entry at the time of the exit or after it; the column of entries.
    EntryNotBeforeExit(String),
    /// A label that the measure does not declare.
    UndeclaredCause {
        /// The label.
        label: String,
        /// The labels that it declares.
        declared: Vec<String>,
    },
}

impl fmt::Display for TimeProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NegativeTime(column) => {
                write!(
                    f,
                    "column \"{column}\" holds a time below 0, or none that is finite; mend it, or declare it a missing code"
                )
            }
            Self::CauseWithoutTime(column) => {
                write!(
                    f,
                    "there was an event, but \"{column}\" is empty; fill in when, or declare the cause with missing(&[..])"
                )
            }
            Self::TimeWithoutCause(column) => write!(
                f,
                "there is a time of an event, but \"{column}\" says of none; fill in the cause, write a label there and declare it by \
                 censored(&[..]) or missing(&[..]), or leave censored_at(..) out if the times are also those of people without an event"
            ),
            Self::CensoredWithoutTime(column) => {
                write!(
                    f,
                    "no event was seen, but \"{column}\" does not say until when; fill it in, or declare the label with missing(&[..])"
                )
            }
            Self::EventAfterCensoring(column) => {
                write!(f, "the event comes after the end of follow-up in \"{column}\"; mend one of the two")
            }
            Self::EntryMissing(column) => {
                write!(
                    f,
                    "the entry in \"{column}\" is empty; give 0 to those who were followed from the start"
                )
            }
            Self::EntryNotBeforeExit(column) => {
                write!(
                    f,
                    "the entry in \"{column}\" is not before the exit; mend one of the two, or leave out who was never at risk"
                )
            }
            Self::UndeclaredCause { label, declared } => write!(
                f,
                "the cause \"{label}\" is not declared{}; declared are: {}; name it by of(..) or competing(&[..]) where it ends the time, by censored(&[..]) \
                 where the person was still there when last seen (a withdrawal from the study is no exit), or by missing(&[..]) where \
                 nobody knows",
                near(label, declared),
                listed(declared)
            ),
        }
    }
}

/// A problem with times, and the rows that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeRows {
    /// The problem.
    pub problem: TimeProblem,
    /// The first five rows, counted from 1 without the header line.
    pub rows: Vec<usize>,
    /// The lines of these rows in the file, counted from 1; none where the table was not read from a file.
    pub lines: Vec<usize>,
    /// The times of these rows that cannot be; empty where a cell is.
    pub found: Vec<String>,
    /// The number of rows.
    pub total: usize,
}

/// All problems below each other.
pub(super) fn bad_times(problems: &[TimeRows]) -> String {
    let total: usize = problems.iter().map(|problem| problem.total).sum();
    let one = |found: &TimeRows| {
        let TimeRows { problem, rows, lines, found, total } = found;
        problem_line(*total, rows, lines, found, problem)
    };
    let heading = if total == 1 {
        "a time is impossible:".to_owned()
    } else {
        format!("{} times are impossible:", grouped(total))
    };
    problems.iter().map(one).fold(heading, |text, line| format!("{text}\n{line}"))
}

/// A problem with the rows that have it, as an item of a list.
pub(super) fn problem_line(
    total: usize,
    rows: &[usize],
    lines: &[usize],
    found: &[String],
    problem: &dyn fmt::Display,
) -> String {
    let list = |numbers: &[usize]| {
        let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        numbers.join(", ") + if total > numbers.len() { ", ..." } else { "" }
    };
    let noun = if total == 1 { "row" } else { "rows" };
    let places = match lines {
        [] => String::new(),
        [line] if total == 1 => format!(" (line {line})"),
        lines => format!(" (lines {})", list(lines)),
    };
    let found = if found.is_empty() { String::new() } else { format!(": {}", found.join(", ")) };
    let count = if total > 1 { format!("{} ", grouped(total)) } else { String::new() };
    format!("- {count}{noun} {}{places}{found}: {problem}", list(rows))
}
