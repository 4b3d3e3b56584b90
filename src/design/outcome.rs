//! The kinds of outcomes, as types.

use super::register::Declared;
use super::repeated::Repeated;
use super::text::TextList;
use std::fmt::Debug;
use std::sync::Arc;

/// A kind of outcome: [`Binary`], [`Count`], [`Continuous`], [`Ordinal`], [`Nominal`], [`TimeToEvent`],
/// [`MonthlyStates`] or [`Repeated`].
///
/// The kind decides which estimators fit: one that does not fit does not compile.
///
/// ```compile_fail,E0277
/// use armwise::prelude::*;
/// fn effects(comparison: &Comparison<Continuous>) {
///     // A difference in proportions does not fit a continuous outcome.
///     let _ = comparison.estimate(&DifferenceInProportions::new());
/// }
/// ```
///
/// One that fits does compile:
///
/// ```
/// use armwise::prelude::*;
/// fn effects(comparison: &Comparison<Continuous>) {
///     let _ = comparison.estimate(&DifferenceInMeans::new());
/// }
/// ```
pub trait OutcomeKind: Clone + Debug + PartialEq + Send + Sync + 'static + private::Sealed {
    /// The kind in words.
    const NAME: &'static str;
}

mod private {
    pub trait Sealed {}
}

/// Yes or no: an event that happened or did not.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Binary;

/// A number of events, with the exposure in which they were counted where it differs between participants.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Count {
    pub(crate) exposure: Option<super::text::Text>,
}

/// A number on a scale: a score, hours, a wage.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Continuous;

/// One of several ordered levels.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ordinal {
    pub(crate) levels: TextList,
}

/// One of several levels without order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Nominal {
    pub(crate) levels: TextList,
}

/// What becomes of several causes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Causes {
    /// The first is of interest, and the others compete with it.
    #[default]
    Apart,
    /// Any of them is the event.
    Together,
}

/// A time to an event, with a column that says whether the event was seen, or which of several, or that none
/// was (a censored time).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimeToEvent {
    /// The column of the event, or of the cause.
    pub(crate) event: super::text::Text,
    /// The cause of interest; none where the column says yes or no.
    pub(crate) of: Option<super::text::Text>,
    /// The causes that compete with it.
    pub(crate) competing: TextList,
    /// Whether they are one event.
    pub(crate) causes: Causes,
    /// The labels that say that no event was seen.
    pub(crate) censored: TextList,
    /// The column of the end of follow-up.
    pub(crate) censored_at: Option<super::text::Text>,
    /// The column of the time at which someone came under observation.
    pub(crate) entered_at: Option<super::text::Text>,
}

/// One of several states in each month of a register; made by [`Register`](super::Register).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MonthlyStates {
    pub(crate) register: Arc<Declared>,
}

impl Continuous {
    pub(crate) const fn new() -> Self {
        Self
    }
}

impl TimeToEvent {
    /// Yes or no, at a time.
    pub(crate) const fn new(event: super::text::Text) -> Self {
        Self {
            event,
            of: None,
            competing: TextList::NONE,
            causes: Causes::Apart,
            censored: TextList::NONE,
            censored_at: None,
            entered_at: None,
        }
    }

    /// The columns besides that of the time.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        let own = std::iter::once(&self.event).chain(&self.censored_at).chain(&self.entered_at);
        own.map(super::text::Text::as_str)
    }
}

macro_rules! kinds {
    ($($kind:ty => $name:literal),+ $(,)?) => {
        $(impl private::Sealed for $kind {}
        impl OutcomeKind for $kind {
            const NAME: &'static str = $name;
        })+
    };
}

kinds! {
    Binary => "binary", Count => "count", Continuous => "continuous",
    Ordinal => "ordinal", Nominal => "nominal", TimeToEvent => "time to event",
    MonthlyStates => "monthly states",
    Repeated<Continuous> => "continuous, in waves",
    Repeated<Binary> => "binary, in waves",
}
