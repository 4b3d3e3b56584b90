//! Measures as data, for plans and files.

use super::coding::{Coding, Others};
use super::measure::{Direction, Measure, MeasureInfo, Source};
use super::outcome::{Binary, Causes, Continuous, Count, Nominal, Ordinal, OutcomeKind, TimeToEvent};
use super::questionnaire::{MissingItems, Questionnaire, Scoring};
use super::text::{Text, TextList};
use super::{Contract, Outflow};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// A measure whose kind is known only at run time: the twin of [`Measure`], for plans and files.
///
/// Every measure converts into it. Its data are the kind and the columns of that kind, and by choice `name`
/// (default: that of the typed measure), `unit`, `horizon` and `direction` (`higher_is_better` or
/// `lower_is_better`):
///
/// | `kind` | columns and numbers |
/// |---|---|
/// | `binary` | `column` |
/// | `category_is` | `column`, `level`: the event that the category has this level; by choice `no`, `others_are_no`, `may_be_absent` |
/// | `hours_above`, `hours_between` | `column`, `hours`; `column`, `low`, `high` (both included) |
/// | `full_time_outflow`, `part_time_outflow`, `outflow` | `column` of hours a week, with the thresholds of [`Outflow`] |
/// | `permanent_contract`, `contract_ordinal`, `contract_nominal` | `column`, with the levels of [`Contract`] |
/// | `count` | `column`, and `exposure` where it differs between people |
/// | `continuous` | `column` |
/// | `questionnaire` | `items`, `lowest`, `highest`; by choice `reversed`, `multiplier`, `scoring` (`sum` or `mean`), `prorated_from` |
/// | `who5` | five `items`; by choice `prorated_from` |
/// | `ordinal`, `nominal` | `column`, `levels` |
/// | `time_to_event` | `time`, `event`; by choice `of`, `competing`, `censored`, `censored_at`, `entered_at`, `may_be_absent` |
/// | those of a category | by choice `missing`, `not_applicable`: lists of labels, see [`Measure::level`] |
///
/// ```
/// use armwise::design::AnyMeasure;
/// use armwise::prelude::*;
///
/// const FULL_TIME: Measure<Binary> = Outflow::full_time("hours_per_week");
/// let text = r#"{"kind": "full_time_outflow", "column": "hours_per_week"}"#;
/// let measure: AnyMeasure = serde_json::from_str(text).unwrap();
/// assert_eq!(measure, AnyMeasure::from(FULL_TIME));
///
/// let misspelt = r#"{"kind": "binary", "colum": "works"}"#;
/// let error = serde_json::from_str::<AnyMeasure>(misspelt).unwrap_err();
/// assert!(error.to_string().starts_with("unknown field `colum`, expected `column`"));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Words", into = "Words")]
#[non_exhaustive]
pub enum AnyMeasure {
    /// An event.
    Binary(Measure<Binary>),
    /// A number of events.
    Count(Measure<Count>),
    /// A number on a scale.
    Continuous(Measure<Continuous>),
    /// One of several ordered levels.
    Ordinal(Measure<Ordinal>),
    /// One of several levels without order.
    Nominal(Measure<Nominal>),
    /// A time to an event.
    TimeToEvent(Measure<TimeToEvent>),
}

/// Calls the same code for a measure of any kind.
macro_rules! each_kind {
    ($any:expr, $measure:ident => $body:expr) => {
        match $any {
            $crate::design::AnyMeasure::Binary($measure) => $body,
            $crate::design::AnyMeasure::Count($measure) => $body,
            $crate::design::AnyMeasure::Continuous($measure) => $body,
            $crate::design::AnyMeasure::Ordinal($measure) => $body,
            $crate::design::AnyMeasure::Nominal($measure) => $body,
            $crate::design::AnyMeasure::TimeToEvent($measure) => $body,
        }
    };
}
pub(crate) use each_kind;

macro_rules! from_typed {
    ($($kind:ident),+) => {
        $(impl From<Measure<$kind>> for AnyMeasure {
            fn from(measure: Measure<$kind>) -> Self {
                Self::$kind(measure)
            }
        }
        impl From<&Measure<$kind>> for AnyMeasure {
            fn from(measure: &Measure<$kind>) -> Self {
                Self::$kind(measure.clone())
            }
        })+
    };
}
from_typed!(Binary, Count, Continuous, Ordinal, Nominal, TimeToEvent);

impl AnyMeasure {
    /// Name, unit, horizon and direction.
    pub fn info(&self) -> MeasureInfo {
        each_kind!(self, measure => measure.info())
    }

    /// The name under which results are reported.
    pub fn name(&self) -> &str {
        each_kind!(self, measure => measure.name())
    }

    /// The kind of outcome in words: [`OutcomeKind::NAME`].
    pub fn kind(&self) -> &'static str {
        fn name<K: OutcomeKind>(_: &Measure<K>) -> &'static str {
            K::NAME
        }
        each_kind!(self, measure => name(measure))
    }

    /// The column and the level of an event that is a category and has to occur.
    pub(crate) fn category(&self) -> Option<(&str, &str)> {
        match self {
            Self::Binary(Measure { source: Source::Level { column, level }, coding, .. })
                if !coding.may_be_absent =>
            {
                Some((column.as_str(), level.as_str()))
            }
            Self::TimeToEvent(measure) if !measure.coding.may_be_absent => {
                measure.kind.of.as_ref().map(|cause| (measure.kind.event.as_str(), cause.as_str()))
            }
            _ => None,
        }
    }

    /// Refuses labels that are declared for a measure that is not read from a category.
    pub(crate) fn check_labels(&self) -> Result<()> {
        match self {
            Self::Binary(Measure { source: Source::Level { .. }, .. })
            | Self::Ordinal(_)
            | Self::Nominal(_)
            | Self::TimeToEvent(_) => Ok(()),
            _ => each_kind!(self, measure => measure.coding.none()),
        }
    }

    /// The declared levels of an outcome of several categories.
    pub(crate) fn levels(&self) -> Option<Vec<&str>> {
        match self {
            Self::Ordinal(measure) => Some(measure.kind.levels.iter().collect()),
            Self::Nominal(measure) => Some(measure.kind.levels.iter().collect()),
            _ => None,
        }
    }

    /// The columns that the measure is read from.
    pub fn columns(&self) -> Vec<&str> {
        let mut columns = match self {
            Self::Binary(measure) => measure.source.columns(),
            Self::Count(measure) => measure.source.columns(),
            Self::Continuous(measure) => measure.source.columns(),
            Self::Ordinal(measure) => measure.source.columns(),
            Self::Nominal(measure) => measure.source.columns(),
            Self::TimeToEvent(measure) => measure.source.columns(),
        };
        match self {
            Self::Count(measure) => columns.extend(measure.kind.exposure.as_ref().map(Text::as_str)),
            Self::TimeToEvent(measure) => columns.extend(measure.kind.columns()),
            _ => {}
        }
        columns
    }
}

impl Source {
    fn columns(&self) -> Vec<&str> {
        match self {
            Self::Column(column)
            | Self::HoursAbove { column, .. }
            | Self::HoursBetween { column, .. }
            | Self::Level { column, .. } => vec![column.as_str()],
            Self::Score(questionnaire) => questionnaire.items.iter().collect(),
        }
    }

    fn column(&self) -> String {
        self.columns().first().map_or_else(String::new, |column| (*column).to_owned())
    }
}

/// The words of a measure.
#[derive(Serialize, Deserialize)]
struct Words {
    // The columns come first: they take every field that is not named below, and refuse unknown ones.
    #[serde(flatten)]
    values: Values,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    horizon: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    direction: Option<Direction>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    missing: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    not_applicable: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Values {
    Binary {
        column: String,
    },
    CategoryIs {
        column: String,
        level: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        no: Vec<String>,
        #[serde(default, skip_serializing_if = "is_false")]
        others_are_no: bool,
        #[serde(default, skip_serializing_if = "is_false")]
        may_be_absent: bool,
    },
    HoursAbove {
        column: String,
        hours: f64,
    },
    HoursBetween {
        column: String,
        low: f64,
        high: f64,
    },
    FullTimeOutflow {
        column: String,
    },
    PartTimeOutflow {
        column: String,
    },
    Outflow {
        column: String,
    },
    PermanentContract {
        column: String,
    },
    ContractOrdinal {
        column: String,
    },
    ContractNominal {
        column: String,
    },
    Count {
        column: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exposure: Option<String>,
    },
    Continuous {
        column: String,
    },
    Questionnaire {
        items: Vec<String>,
        lowest: f64,
        highest: f64,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        reversed: Vec<String>,
        #[serde(default = "one")]
        multiplier: f64,
        #[serde(default)]
        scoring: Scoring,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prorated_from: Option<usize>,
    },
    Who5 {
        items: [String; 5],
        #[serde(default)]
        prorated_from: Option<usize>,
    },
    Ordinal {
        column: String,
        levels: Vec<String>,
    },
    Nominal {
        column: String,
        levels: Vec<String>,
    },
    TimeToEvent {
        time: String,
        event: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        competing: Vec<String>,
        #[serde(default, skip_serializing_if = "is_apart")]
        causes: Causes,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        censored: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        censored_at: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        entered_at: Option<String>,
        #[serde(default, skip_serializing_if = "is_false")]
        may_be_absent: bool,
    },
}

// The signature that serde asks for.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_apart(causes: &Causes) -> bool {
    *causes == Causes::Apart
}

fn one() -> f64 {
    1.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

fn missing(prorated_from: Option<usize>) -> MissingItems {
    prorated_from.map_or(MissingItems::AllRequired, MissingItems::ProratedFrom)
}

impl Values {
    /// The measure under its default name.
    fn measure(self) -> AnyMeasure {
        let text = |text: &str| Text::shared(text);
        match self {
            Self::Binary { column } => Measure::binary("").from_column(&column).into(),
            Self::CategoryIs { column, level, no, others_are_no, may_be_absent } => {
                let source = Source::Level { column: text(&column), level: text(&level) };
                let mut measure = Measure::new(Binary, source, text(&level), Direction::Undeclared);
                let others = if others_are_no { Others::No } else { Others::Refused };
                measure.coding = Coding { no: TextList::shared(no), others, may_be_absent, ..Coding::NONE };
                measure.into()
            }
            Self::HoursAbove { column, hours } => Outflow::above(hours, "").from_column(&column).into(),
            Self::HoursBetween { column, low, high } => {
                Outflow::between(low, high, "").from_column(&column).into()
            }
            Self::FullTimeOutflow { column } => renamed(Outflow::full_time(""), &column).into(),
            Self::PartTimeOutflow { column } => renamed(Outflow::part_time(""), &column).into(),
            Self::Outflow { column } => renamed(Outflow::any(""), &column).into(),
            Self::PermanentContract { column } => renamed(Contract::permanent(""), &column).into(),
            Self::ContractOrdinal { column } => renamed(Contract::ordinal(""), &column).into(),
            Self::ContractNominal { column } => renamed(Contract::nominal(""), &column).into(),
            Self::Count { column, exposure } => {
                let kind = Count { exposure: exposure.as_deref().map(text) };
                Measure::new(kind, Source::Column(text(&column)), text(&column), Direction::Undeclared).into()
            }
            Self::Continuous { column } => Measure::continuous("").from_column(&column).into(),
            Self::Questionnaire { items, lowest, highest, reversed, multiplier, scoring, prorated_from } => {
                let questionnaire = Questionnaire {
                    items: TextList::shared(items),
                    reversed: TextList::shared(reversed),
                    lowest,
                    highest,
                    multiplier,
                    scoring,
                    missing: missing(prorated_from),
                    direction: Direction::Undeclared,
                };
                Measure::score("score", questionnaire).into()
            }
            Self::Who5 { items, prorated_from } => {
                let mut questionnaire = Questionnaire::who5(&["", "", "", "", ""]).from_columns(items);
                questionnaire.missing = missing(prorated_from);
                questionnaire.measure("wellbeing").into()
            }
            Self::Ordinal { column, levels } => {
                let kind = Ordinal { levels: TextList::shared(levels) };
                Measure::new(kind, Source::Column(text(&column)), text(&column), Direction::Undeclared).into()
            }
            Self::Nominal { column, levels } => {
                let kind = Nominal { levels: TextList::shared(levels) };
                Measure::new(kind, Source::Column(text(&column)), text(&column), Direction::Undeclared).into()
            }
            Self::TimeToEvent {
                time,
                event,
                of,
                competing,
                causes,
                censored,
                censored_at,
                entered_at,
                may_be_absent,
            } => {
                let kind = TimeToEvent {
                    event: text(&event),
                    of: of.as_deref().map(text),
                    competing: TextList::shared(competing),
                    causes,
                    censored: TextList::shared(censored),
                    censored_at: censored_at.as_deref().map(text),
                    entered_at: entered_at.as_deref().map(text),
                };
                let source = Source::Column(text(&time));
                let mut measure = Measure::new(kind, source, text(&time), Direction::Undeclared);
                measure.coding = Coding { may_be_absent, ..Coding::NONE };
                measure.into()
            }
        }
    }
}

/// The measure read from another column, under its own name.
fn renamed<K: OutcomeKind>(measure: Measure<K>, column: &str) -> Measure<K> {
    let info = measure.info();
    measure.from_column(column).described(&info)
}

impl From<Words> for AnyMeasure {
    fn from(words: Words) -> Self {
        let measure = words.values.measure();
        let own = measure.info();
        let info = MeasureInfo {
            name: words.name.unwrap_or(own.name),
            unit: words.unit.or(own.unit),
            horizon: words.horizon.or(own.horizon),
            direction: words.direction.unwrap_or(own.direction),
        };
        each_kind!(measure, measure => {
            let mut measure = measure;
            measure.coding.missing = TextList::shared(words.missing);
            measure.coding.not_applicable = TextList::shared(words.not_applicable);
            measure.described(&info).into()
        })
    }
}

impl From<AnyMeasure> for Words {
    fn from(measure: AnyMeasure) -> Self {
        let list = |list: &TextList| list.iter().map(str::to_owned).collect::<Vec<String>>();
        let values = match &measure {
            AnyMeasure::Binary(measure) => event_words(&measure.source, &measure.coding),
            AnyMeasure::Count(measure) => Values::Count {
                column: measure.source.column(),
                exposure: measure.kind.exposure.as_ref().map(|exposure| exposure.as_str().to_owned()),
            },
            AnyMeasure::Continuous(measure) => match &measure.source {
                Source::Score(questionnaire) => Values::Questionnaire {
                    items: list(&questionnaire.items),
                    lowest: questionnaire.lowest,
                    highest: questionnaire.highest,
                    reversed: list(&questionnaire.reversed),
                    multiplier: questionnaire.multiplier,
                    scoring: questionnaire.scoring,
                    prorated_from: match questionnaire.missing {
                        MissingItems::AllRequired => None,
                        MissingItems::ProratedFrom(answered) => Some(answered),
                    },
                },
                source => Values::Continuous { column: source.column() },
            },
            AnyMeasure::Ordinal(measure) => {
                Values::Ordinal { column: measure.source.column(), levels: list(&measure.kind.levels) }
            }
            AnyMeasure::Nominal(measure) => {
                Values::Nominal { column: measure.source.column(), levels: list(&measure.kind.levels) }
            }
            AnyMeasure::TimeToEvent(measure) => {
                let owned = |text: &Option<Text>| text.as_ref().map(|text| text.as_str().to_owned());
                Values::TimeToEvent {
                    time: measure.source.column(),
                    event: measure.kind.event.as_str().to_owned(),
                    of: owned(&measure.kind.of),
                    competing: list(&measure.kind.competing),
                    causes: measure.kind.causes,
                    censored: list(&measure.kind.censored),
                    censored_at: owned(&measure.kind.censored_at),
                    entered_at: owned(&measure.kind.entered_at),
                    may_be_absent: measure.coding.may_be_absent,
                }
            }
        };
        let MeasureInfo { name, unit, horizon, direction } = measure.info();
        let (missing, not_applicable) = each_kind!(&measure, measure => (list(&measure.coding.missing), list(&measure.coding.not_applicable)));
        Self { values, name: Some(name), unit, horizon, direction: Some(direction), missing, not_applicable }
    }
}

/// The words of an event.
fn event_words(source: &Source, coding: &Coding) -> Values {
    let column = source.column();
    match source {
        Source::HoursAbove { hours, .. } => Values::HoursAbove { column, hours: *hours },
        Source::HoursBetween { low, high, .. } => Values::HoursBetween { column, low: *low, high: *high },
        Source::Level { level, .. } => Values::CategoryIs {
            column,
            level: level.as_str().to_owned(),
            no: coding.no.iter().map(str::to_owned).collect(),
            others_are_no: coding.others == Others::No,
            may_be_absent: coding.may_be_absent,
        },
        Source::Column(_) | Source::Score(_) => Values::Binary { column },
    }
}
