//! The kinds of outcomes, as types.

use super::text::TextList;
use std::fmt::Debug;

/// A kind of outcome: [`Binary`], [`Count`], [`Continuous`], [`Ordinal`], [`Nominal`] or [`TimeToEvent`].
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

/// A time to an event, with a column that says whether the event was seen or the time is censored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimeToEvent {
    pub(crate) event: super::text::Text,
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
}
