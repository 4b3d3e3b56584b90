//! The error type of the crate: what went wrong, where, and what to do next.

mod place;
mod register;
mod separated;
mod step;
mod times;
mod waves;
mod words;

use std::fmt;

pub use place::Place;
use register::bad_register;
pub use register::{RegisterProblem, RegisterRows};
use separated::separation;
pub use separated::{SeparatedBy, SeparatedModel};
pub use step::Step;
use times::bad_times;
pub use times::{TimeProblem, TimeRows};
pub use waves::WaveProblem;
pub(crate) use words::{agreeing, counted, grouped, listed, number, obeyed, percent, visible};
use words::{bad_cells, invalid_plan, near, no_control, rank_deficient, twin_labels, undeclared_labels};

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error: what went wrong, where (trial, measure, arm, column, row), and what to do next.
///
/// One word wide. `Debug` prints the same sentence as `Display`, so that `fn main() -> armwise::Result<()>`
/// ends in something that can be read.
///
/// ```
/// use armwise::prelude::*;
///
/// let error = Table::new().with_flags("female", [true, false])?.column("femal").unwrap_err();
/// assert_eq!(error.kind().name(), "unknown_column");
/// assert!(error.to_string().contains("did you mean \"female\""));
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Error(Box<Inner>);

#[derive(Clone, PartialEq)]
struct Inner {
    kind: ErrorKind,
    place: Place,
}

/// One cell of a table that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadCell {
    /// The column's name.
    pub column: String,
    /// The row, counted from 1 without the header line.
    pub row: usize,
    /// The line of the file, counted from 1.
    pub line: usize,
    /// The text of the cell.
    pub found: String,
    /// The cell that was expected there.
    pub expected: &'static str,
}

/// A label and the rows in which it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelRows {
    /// The label.
    pub label: String,
    /// The first five rows, counted from 1 without the header line.
    pub rows: Vec<usize>,
    /// The lines of these rows in the file, counted from 1; none where the table was not read from a file.
    pub lines: Vec<usize>,
    /// The number of rows.
    pub total: usize,
}

/// The kinds of errors. [`ErrorKind::name`] gives a stable word for each.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument or a number is outside what the method is defined for.
    #[error("{0}")]
    InvalidInput(String),
    /// Cells that could not be read: the first 20, and the number of all.
    #[error("{}", bad_cells(cells, *total, advice))]
    BadCells {
        /// The first 20 bad cells.
        cells: Vec<BadCell>,
        /// The number of bad cells.
        total: usize,
        /// The calls of [`CsvReader`](crate::data::CsvReader) that would read them, as it applies.
        advice: Vec<String>,
    },
    /// The table has no such column.
    #[error("there is no column \"{name}\"{}; the columns are: {}", near(name, known), listed(known))]
    UnknownColumn {
        /// The name that was asked for.
        name: String,
        /// The columns of the table.
        known: Vec<String>,
    },
    /// A label that is not one of the levels of a column.
    #[error(
        "\"{label}\" is not one of the categories{}; the categories are: {}",
        near(label, known),
        listed(known)
    )]
    UnknownCategory {
        /// The label.
        label: String,
        /// The levels of the column.
        known: Vec<String>,
    },
    /// Two labels that are the same to a reader.
    #[error("{}", twin_labels(first, second, difference))]
    TwinLabels {
        /// The one.
        first: String,
        /// The other.
        second: String,
        /// The difference between them, in words.
        difference: &'static str,
    },
    /// Labels of an outcome that its measure does not declare.
    #[error("{}", undeclared_labels(labels, declared, advice))]
    UndeclaredLabels {
        /// The labels, each with its rows.
        labels: Vec<LabelRows>,
        /// The declared labels.
        declared: Vec<String>,
        /// The way to declare the others.
        advice: &'static str,
    },
    /// Rows whose times and causes cannot be, or do not belong together.
    #[error("{}", bad_times(problems))]
    BadTimes {
        /// The problems, each with its rows.
        problems: Vec<TimeRows>,
    },
    /// Rows of a register of states that cannot be, or that belong to nobody.
    #[error("{}", bad_register(problems))]
    BadRegister {
        /// The problems, each with its rows.
        problems: Vec<RegisterRows>,
    },
    /// Rows that are no repeated measures: a person twice in one wave or in two arms, a wave without outcomes.
    #[error("{0}")]
    BadWaves(WaveProblem),
    /// A horizon at which the curve of an arm is not known.
    #[error(
        "the horizon, {horizon}, lies beyond the follow-up of this arm, which ends at {last} while people are still there; give an \
         earlier horizon, or leave the trial out with Comparisons::followed_until(..)"
    )]
    BeyondFollowUp {
        /// The horizon, with its unit.
        horizon: String,
        /// The last time at which anyone of the arm was seen.
        last: String,
    },
    /// The level of an event that no row has.
    #[error(
        "no row has the level \"{level}\"{}; the labels are: {}; mend its spelling, or declare may_be_absent() if nobody had the event",
        near(level, known),
        listed(known)
    )]
    AbsentLevel {
        /// The level.
        level: String,
        /// The labels that occur.
        known: Vec<String>,
    },
    /// A column holds another kind of values than is needed.
    #[error(
        "holds {found}, but {needed} is needed; mend the data, declare its codes of missing values, or take another column"
    )]
    ColumnType {
        /// The values of the column, in words.
        found: String,
        /// The values that are needed, in words.
        needed: String,
    },
    /// A file could not be opened or read.
    #[error("cannot read {what}: {why}; check the path and that the file may be read")]
    Io {
        /// The file.
        what: String,
        /// The system's reason.
        why: String,
    },
    /// A file could not be written.
    #[error("cannot write {what}: {why}; check that the folder exists and may be written to")]
    Write {
        /// The file.
        what: String,
        /// The system's reason.
        why: String,
    },
    /// Text that is not the expected format (CSV structure, JSON).
    #[error("{0}")]
    Format(String),
    /// A label that is not one of the declared arms.
    #[error("\"{label}\" is not one of the arms{}; the arms are: {}", near(label, known), listed(known))]
    UnknownArm {
        /// The label.
        label: String,
        /// The declared arms.
        known: Vec<String>,
    },
    /// No trial of that name.
    #[error("\"{name}\" is not one of the trials{}; the trials are: {}", near(name, known), listed(known))]
    UnknownTrial {
        /// The name.
        name: String,
        /// The names of the trials.
        known: Vec<String>,
    },
    /// Nobody was randomised to the reference arm.
    #[error("{}", no_control(control, known))]
    NoControl {
        /// The label declared as control.
        control: String,
        /// The labels that occur.
        known: Vec<String>,
    },
    /// An arm without participants, or without outcomes.
    #[error("{0}")]
    EmptyArm(String),
    /// Participants that occur more than once.
    #[error(
        "{} more than once, among them {}; keep one row for each participant",
        agreeing(total, "participant identifier", ["occurs", "occur"]),
        examples.join(", ")
    )]
    DuplicateParticipant {
        /// Up to five of them, each with its first two rows.
        examples: Vec<String>,
        /// The number of them.
        total: usize,
    },
    /// Fewer observations than the method needs.
    #[error("{0}")]
    InsufficientObservations(String),
    /// Nobody had the event whose time is modelled.
    #[error("{0}")]
    NoEvents(String),
    /// The outcome takes one value only.
    #[error("{0}")]
    ConstantOutcome(String),
    /// No spread where a variance is needed.
    #[error("{0}")]
    ZeroVariance(String),
    /// A table with fewer than two rows or columns that hold people, or with an empty one.
    #[error("{0}")]
    DegenerateTable(String),
    /// Columns of a regression that are linear combinations of those before them.
    #[error("{}", rank_deficient(columns))]
    RankDeficient {
        /// The aliased columns, by name.
        columns: Vec<String>,
    },
    /// The maximum likelihood estimate does not exist because covariates separate the outcomes.
    #[error("{}", separation(*complete, coefficients, *model, *by))]
    Separation {
        /// True if every observation is predicted perfectly (complete separation), false if only some are.
        complete: bool,
        /// The coefficients that run to infinity, each with the sign of its infinity.
        coefficients: Vec<(String, Sign)>,
        /// The model.
        model: SeparatedModel,
        /// The columns that separate.
        by: SeparatedBy,
    },
    /// A variance estimate came out negative.
    #[error("{0}")]
    NegativeVariance(String),
    /// An iteration did not reach its solution.
    #[error("{0}")]
    NotConverged(String),
    /// The quantity is not defined for these data.
    #[error("{0}")]
    NotEstimable(String),
    /// The estimates have no such treatment.
    #[error(
        "there is no estimate for \"{name}\"{}; there are estimates for: {}",
        near(name, known),
        listed(known)
    )]
    UnknownTreatment {
        /// The name that was asked for.
        name: String,
        /// The treatments that have estimates.
        known: Vec<String>,
    },
    /// Nothing to pool.
    #[error("there are no estimates to pool; check that at least one trial had the arm")]
    NoStudies,
    /// Fewer estimates than the method needs.
    #[error("{0}")]
    InsufficientStudies(String),
    /// A posterior distribution that does not exist because prior and data cannot be normalised.
    #[error("{0}")]
    ImproperPosterior(String),
    /// A sampling variance that is negative, zero or not finite.
    #[error("{0}")]
    InvalidVariance(String),
    /// Estimates that do not belong together.
    #[error("{0}")]
    Incompatible(String),
    /// An analysis plan that does not fit the trials, with all its errors; nothing was run.
    #[error("{}", invalid_plan(errors))]
    InvalidPlan {
        /// All errors, each with its outcome and column.
        errors: Vec<Error>,
    },
    /// Components that cannot be told apart.
    #[error("{}", what.words(components))]
    Collinear {
        /// What they are of.
        what: Collinearity,
        /// The components or columns, by name.
        components: Vec<String>,
    },
    /// Work that a [`Progress`](crate::progress::Progress) stopped.
    #[error("stopped after {0}; run it again without a stop for an answer")]
    Stopped(Step),
}

/// What coefficients that cannot be told apart belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Collinearity {
    /// A joint or component model.
    Components,
    /// A meta-regression.
    Moderators,
    /// A regression of effects on the size of their studies.
    StudySizes,
    /// A network of treatments.
    Network,
    /// A regression of times on covariates.
    Covariates,
}

impl Collinearity {
    fn words(self, names: &[String]) -> String {
        let list = listed(names);
        match self {
            Self::Components => format!(
                "the components {list} cannot be told apart from the others: no trial varies them by themselves; merge them, or leave \
                 out the arms that hold them"
            ),
            Self::Moderators => {
                let own: Vec<&str> =
                    names.iter().map(String::as_str).filter(|name| *name != "intercept").collect();
                match own[..] {
                    [one] => format!(
                        "the moderator {one} is the same in all studies, or follows from the moderators before it, so that its \
                         effect cannot be told; leave it out"
                    ),
                    _ => format!(
                        "the moderators {} follow from each other, so that their effects cannot be told apart; leave one of them out",
                        listed(&own)
                    ),
                }
            }
            Self::StudySizes => "all studies are of one size (equal variances, or equal numbers of participants), so that effects cannot \
                                 be set against size; say that asymmetry cannot be judged, or name the side to trim and fill"
                .to_owned(),
            Self::Covariates => format!(
                "the effects of these covariates cannot be told: {list}; among the people who are compared (at risk at the same time, in \
                 the same stratum) they do not vary, or follow from the covariates before them; leave them out"
            ),
            Self::Network => format!(
                "no chain of trials connects these treatments with the reference: {list}; pool each connected part by itself"
            ),
        }
    }
}

/// The sign of an infinite coefficient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Sign {
    /// Towards plus infinity.
    Positive,
    /// Towards minus infinity.
    Negative,
}

impl ErrorKind {
    /// A stable word for the kind, such as `"separation"`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::InvalidInput(_) => "invalid_input",
            Self::BadCells { .. } => "bad_cells",
            Self::UnknownColumn { .. } => "unknown_column",
            Self::UnknownCategory { .. } => "unknown_category",
            Self::TwinLabels { .. } => "twin_labels",
            Self::AbsentLevel { .. } => "absent_level",
            Self::BadTimes { .. } => "bad_times",
            Self::BadRegister { .. } => "bad_register",
            Self::BadWaves(_) => "bad_waves",
            Self::BeyondFollowUp { .. } => "beyond_follow_up",
            Self::UndeclaredLabels { .. } => "undeclared_labels",
            Self::ColumnType { .. } => "column_type",
            Self::Io { .. } => "io",
            Self::Write { .. } => "write",
            Self::Format(_) => "format",
            Self::UnknownArm { .. } => "unknown_arm",
            Self::UnknownTrial { .. } => "unknown_trial",
            Self::NoControl { .. } => "no_control",
            Self::EmptyArm(_) => "empty_arm",
            Self::DuplicateParticipant { .. } => "duplicate_participant",
            Self::InsufficientObservations(_) => "insufficient_observations",
            Self::NoEvents(_) => "no_events",
            Self::ConstantOutcome(_) => "constant_outcome",
            Self::ZeroVariance(_) => "zero_variance",
            Self::DegenerateTable(_) => "degenerate_table",
            Self::RankDeficient { .. } => "rank_deficient",
            Self::Separation { .. } => "separation",
            Self::NegativeVariance(_) => "negative_variance",
            Self::NotConverged(_) => "not_converged",
            Self::NotEstimable(_) => "not_estimable",
            Self::UnknownTreatment { .. } => "unknown_treatment",
            Self::NoStudies => "no_studies",
            Self::InsufficientStudies(_) => "insufficient_studies",
            Self::ImproperPosterior(_) => "improper_posterior",
            Self::InvalidVariance(_) => "invalid_variance",
            Self::Incompatible(_) => "incompatible",
            Self::InvalidPlan { .. } => "invalid_plan",
            Self::Collinear { .. } => "collinear",
            Self::Stopped(_) => "stopped",
        }
    }
}

impl ErrorKind {
    /// Whether the error lies in the outcomes that were observed (nobody had the event, a separated model, a
    /// search that did not end), and not in what was asked: leaving such a trial out of a pool selects trials
    /// by their outcomes.
    pub fn depends_on_outcome(&self) -> bool {
        Self::OF_OUTCOMES.contains(&self.name())
    }

    /// The names of these errors.
    pub(crate) const OF_OUTCOMES: [&'static str; 8] = [
        "no_events",
        "constant_outcome",
        "zero_variance",
        "degenerate_table",
        "separation",
        "negative_variance",
        "not_converged",
        "not_estimable",
    ];
}

impl Error {
    /// The kind, for matching.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The place where it arose.
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// An error about what was asked for ([`ErrorKind::InvalidInput`]): for estimators and pools of one's
    /// own. Say what is wrong, and after a semicolon what to do; the place is added by [`Error::in_arm`] and
    /// the others.
    ///
    /// ```
    /// let error = armwise::Error::invalid("the trimmed share is 0.7; give one below 0.5")
    ///     .in_arm("guidance");
    /// assert_eq!(
    ///     error.to_string(),
    ///     "arm \"guidance\": the trimmed share is 0.7; give one below 0.5"
    /// );
    /// assert!(!error.kind().depends_on_outcome());
    /// ```
    pub fn invalid(what: impl Into<String>) -> Self {
        ErrorKind::InvalidInput(what.into()).into()
    }

    /// An error of an analysis that has no answer for the outcomes observed ([`ErrorKind::NotEstimable`]): a
    /// fallback answers where one was named ([`WithFallback`](crate::estimator::WithFallback)), and a plan
    /// does not pool the other trials alone. Every other kind is made from its [`ErrorKind`] by `into()`.
    ///
    /// ```
    /// let error = armwise::Error::not_estimable("all values are equal; take the mean")
    ///     .in_trial("Utrecht")
    ///     .in_measure("wage");
    /// assert_eq!(error.to_string(), "Utrecht, wage: all values are equal; take the mean");
    /// assert!(error.kind().depends_on_outcome());
    /// ```
    pub fn not_estimable(what: impl Into<String>) -> Self {
        ErrorKind::NotEstimable(what.into()).into()
    }

    /// Names the trial, where no trial is named yet. [`Comparison::estimate`](crate::Comparison::estimate)
    /// does so for every estimator.
    #[must_use]
    pub fn in_trial(mut self, trial: &str) -> Self {
        self.0.place.trial.get_or_insert_with(|| trial.to_owned());
        self
    }

    /// Names the measure, where none is named yet. [`Comparison::estimate`](crate::Comparison::estimate) does
    /// so for every estimator.
    #[must_use]
    pub fn in_measure(mut self, measure: &str) -> Self {
        self.0.place.measure.get_or_insert_with(|| measure.to_owned());
        self
    }

    /// Names the arm, where none is named yet.
    #[must_use]
    pub fn in_arm(mut self, arm: &str) -> Self {
        self.0.place.arm.get_or_insert_with(|| arm.to_owned());
        self
    }

    /// Names the column, where none is named yet.
    #[must_use]
    pub fn in_column(mut self, column: &str) -> Self {
        self.0.place.column.get_or_insert_with(|| column.to_owned());
        self
    }

    /// Takes away a column that the user has not named, such as the response of a regression.
    pub(crate) fn without_column(mut self, column: &str) -> Self {
        self.0.place.column.take_if(|named| named == column);
        self
    }

    /// Puts a row of a subset (from 0), if there is one, in the place that it has in the whole.
    pub(crate) fn map_row(mut self, place: impl Fn(Self, usize) -> Self) -> Self {
        match self.0.place.row.take() {
            Some(row) => place(self, row - 1),
            None => self,
        }
    }

    /// `line` counts from 1.
    pub(crate) fn in_line(mut self, line: usize) -> Self {
        self.0.place.line.get_or_insert(line);
        self
    }

    /// Translates a row (from 0) and a line of a part of a text to those of the whole.
    #[cfg(feature = "csv")]
    pub(crate) fn below(mut self, rows: usize, lines: usize) -> Self {
        self.0.place.row = self.0.place.row.map(|row| row + rows);
        self.0.place.line = self.0.place.line.map(|line| line + lines);
        self
    }

    /// Another kind in the same place.
    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Names the row, where none is named yet: `row` counts from 0, the message from 1.
    #[must_use]
    pub fn in_row(mut self, row: usize) -> Self {
        self.0.place.row.get_or_insert(row + 1);
        self
    }
}

from! {
    ErrorKind => Error: |kind| Self(Box::new(Inner { kind, place: Place::default() }));
    Step => Error: |step| ErrorKind::Stopped(step).into();
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, kind) = (visible(&self.0.place.to_string()), visible(&self.0.kind.to_string()));
        if place.is_empty() { write!(f, "{kind}") } else { write!(f, "{place}: {kind}") }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}
