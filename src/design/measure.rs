use super::coding::{Coding, Others};
use super::outcome::{Binary, Causes, Continuous, Count, Nominal, Ordinal, OutcomeKind, TimeToEvent};
use super::questionnaire::Questionnaire;
use super::text::{Text, TextList};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::mem::{forget, replace};

/// The better direction of a measure; a figure then says on which side the treatment does well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More is better: outflow to work, wellbeing.
    HigherIsBetter,
    /// Less is better: sanctions, debts.
    LowerIsBetter,
    /// Neither side is better, or no direction was declared.
    #[default]
    Undeclared,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HigherIsBetter => "higher is better",
            Self::LowerIsBetter => "lower is better",
            Self::Undeclared => "not declared",
        })
    }
}

/// The identity of a measure, as a result keeps it: name, unit, horizon and better direction.
///
/// Estimates pool only where all four are equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MeasureInfo {
    /// The name, such as "full-time outflow".
    pub name: String,
    /// The unit, such as "points on a scale of 0 to 100".
    pub unit: Option<String>,
    /// The time of measurement, such as "16 months".
    pub horizon: Option<String>,
    /// The better direction.
    pub direction: Direction,
}

/// A measure: a name, the columns that hold it, a kind of outcome, and the better direction.
///
/// Measures are constants, so that a program opens with its protocol.
///
/// ```
/// use armwise::prelude::*;
///
/// const FULL_TIME: Measure<Binary> = Outflow::full_time("hours_per_week");
/// const APPLICATIONS: Measure<Count> =
///     Measure::count("applications").named("job applications").higher_is_better();
/// assert_eq!(FULL_TIME.name(), "full-time outflow");
/// ```
///
/// A name known only at run time is given with [`Measure::from_column`].
#[derive(Debug, Clone, PartialEq)]
pub struct Measure<K> {
    pub(crate) kind: K,
    pub(crate) source: Source,
    pub(super) coding: Coding,
    name: Text,
    unit: Option<Text>,
    horizon: Option<Text>,
    direction: Direction,
}

/// The source of the values of a measure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    Column(Text),
    HoursAbove { column: Text, hours: f64 },
    HoursBetween { column: Text, low: f64, high: f64 },
    Level { column: Text, level: Text },
    Score(Questionnaire),
}

impl<K> Measure<K> {
    /// With a unit known only at run time.
    pub(super) fn in_unit(mut self, unit: &str) -> Self {
        self.unit = Some(Text::shared(unit));
        self
    }

    pub(super) const fn new(kind: K, source: Source, name: Text, direction: Direction) -> Self {
        Self { kind, source, coding: Coding::NONE, name, unit: None, horizon: None, direction }
    }

    /// The name under which results are reported; default: the column.
    // `forget` instead of a drop keeps the setters usable in constants; what it forgets is a static name.
    #[must_use]
    pub const fn named(mut self, name: &'static str) -> Self {
        forget(replace(&mut self.name, Text::Static(name)));
        self
    }

    /// The unit, for tables and figures; default: none.
    #[must_use]
    pub const fn unit(mut self, unit: &'static str) -> Self {
        forget(self.unit.replace(Text::Static(unit)));
        self
    }

    /// The time of measurement, such as "16 months"; default: none. Measures of different horizons do not
    /// pool.
    #[must_use]
    pub const fn horizon(mut self, horizon: &'static str) -> Self {
        forget(self.horizon.replace(Text::Static(horizon)));
        self
    }

    /// Declares that more is better.
    #[must_use]
    pub const fn higher_is_better(mut self) -> Self {
        self.direction = Direction::HigherIsBetter;
        self
    }

    /// Declares that less is better.
    #[must_use]
    pub const fn lower_is_better(mut self) -> Self {
        self.direction = Direction::LowerIsBetter;
        self
    }

    /// The same measure under a name, unit, horizon and direction known only at run time.
    pub(super) fn described(mut self, info: &MeasureInfo) -> Self {
        self.name = Text::shared(&info.name);
        self.unit = info.unit.as_deref().map(Text::shared);
        self.horizon = info.horizon.as_deref().map(Text::shared);
        self.direction = info.direction;
        self
    }

    /// The name under which results are reported.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Name, unit, horizon and direction, as results keep them.
    pub fn info(&self) -> MeasureInfo {
        MeasureInfo {
            name: self.name().to_owned(),
            unit: self.unit.as_ref().map(|unit| unit.as_str().to_owned()),
            horizon: self.horizon.as_ref().map(|horizon| horizon.as_str().to_owned()),
            direction: self.direction,
        }
    }
}

impl<K: OutcomeKind> Measure<K> {
    /// The column that holds it; none for a score of several items.
    pub(crate) fn column(&self) -> Option<&str> {
        match &self.source {
            Source::Column(column)
            | Source::HoursAbove { column, .. }
            | Source::HoursBetween { column, .. }
            | Source::Level { column, .. } => Some(column.as_str()),
            Source::Score(_) => None,
        }
    }

    /// The same measure read from another column, under that column's name, known at run time.
    ///
    /// ```
    /// use armwise::prelude::*;
    /// let column = String::from("satisfied");
    /// let measure = Measure::binary("").from_column(&column);
    /// assert_eq!(measure.name(), "satisfied");
    /// ```
    #[must_use]
    pub fn from_column(mut self, column: &str) -> Self {
        self.name = Text::shared(column);
        match &mut self.source {
            Source::Column(old)
            | Source::HoursAbove { column: old, .. }
            | Source::HoursBetween { column: old, .. }
            | Source::Level { column: old, .. } => *old = Text::shared(column),
            Source::Score(_) => {}
        }
        self
    }
}

impl Measure<Binary> {
    /// An event: a column of yes and no, or of 0 and 1.
    pub const fn binary(column: &'static str) -> Self {
        Self::new(Binary, Source::Column(Text::Static(column)), Text::Static(column), Direction::Undeclared)
    }

    /// The event that a category has this level.
    ///
    /// Every other label of the column has to be declared: by [`no`](Measure::no) where it stands for no
    /// event, by [`missing`](Measure::missing) where the outcome is not known, by
    /// [`not_applicable`](Measure::not_applicable) where the question does not concern the participant, or
    /// all at once by [`others_are_no`](Measure::others_are_no). A label that is not declared is an error.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// const PERMANENT: Measure<Binary> = Measure::level("contract", "vast")
    ///     .no(&["geen", "tijdelijk"])
    ///     .missing(&["onbekend"])
    ///     .not_applicable(&["n.v.t."]);
    ///
    /// let text = "arm,contract\nc,vast\nc,geen\nc,onbekend\nt,vast\nt,tijdelijk\nt,n.v.t.\n";
    /// let trial = Trial::builder("Utrecht", Table::from_csv_str(text)?)
    ///     .arm_labels("arm")
    ///     .control("c")
    ///     .build()?;
    /// let comparison = trial.on(&PERMANENT)?;
    /// assert_eq!(comparison.arms()[1].counts.analysed, 2);
    /// assert_eq!(comparison.notices().len(), 2); // one not known, one not concerned
    ///
    /// let error = trial.on(&Measure::level("contract", "vast").no(&["geen"])).unwrap_err();
    /// assert_eq!(error.kind().name(), "undeclared_labels");
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub const fn level(column: &'static str, level: &'static str) -> Self {
        let source = Source::Level { column: Text::Static(column), level: Text::Static(level) };
        Self::new(Binary, source, Text::Static(level), Direction::Undeclared)
    }

    /// The labels that stand for no event, of a measure made by [`Measure::level`]; default: none.
    #[must_use]
    pub const fn no(mut self, labels: &'static [&'static str]) -> Self {
        forget(replace(&mut self.coding.no, TextList::Static(labels)));
        self
    }

    /// Declares that every other label stands for no event; default: every label has to be declared.
    #[must_use]
    pub const fn others_are_no(mut self) -> Self {
        self.coding.others = Others::No;
        self
    }

    /// Declares that possibly nobody has the level; default: a level that does not occur in the data is an
    /// error, because it is probably misspelt. In [`Trials`](super::Trials) it has to occur in one of them.
    #[must_use]
    pub const fn may_be_absent(mut self) -> Self {
        self.coding.may_be_absent = true;
        self
    }
}

macro_rules! coding_setters {
    ($($kind:ty),+) => {$(
        impl Measure<$kind> {
            /// The labels of a category that say that the outcome is not known (`unknown`, `refused`);
            /// default: none, an empty cell being missing anyway. These participants have no outcome, as a
            /// notice tells.
            #[must_use]
            pub const fn missing(mut self, labels: &'static [&'static str]) -> Self {
                forget(replace(&mut self.coding.missing, TextList::Static(labels)));
                self
            }

            /// The labels of a category that say that the question does not concern the participant (`n/a`);
            /// default: none. These participants are randomised but not in the analysis, and a notice of
            /// their own counts them. Declare the label as [`no`](Measure::no) where it means that nothing
            /// happened.
            #[must_use]
            pub const fn not_applicable(mut self, labels: &'static [&'static str]) -> Self {
                forget(replace(&mut self.coding.not_applicable, TextList::Static(labels)));
                self
            }
        }
    )+};
}

coding_setters!(Binary, Ordinal, Nominal, TimeToEvent);

impl Measure<Count> {
    /// A number of events in each participant.
    pub const fn count(column: &'static str) -> Self {
        let source = Source::Column(Text::Static(column));
        Self::new(Count { exposure: None }, source, Text::Static(column), Direction::Undeclared)
    }

    /// The column that holds the exposure in which the events were counted, above zero; default: equal for
    /// all.
    #[must_use]
    pub const fn exposure(mut self, column: &'static str) -> Self {
        forget(self.kind.exposure.replace(Text::Static(column)));
        self
    }
}

impl Measure<Continuous> {
    /// A number on a scale: a score, hours, a wage.
    pub const fn continuous(column: &'static str) -> Self {
        Self::new(
            Continuous,
            Source::Column(Text::Static(column)),
            Text::Static(column),
            Direction::Undeclared,
        )
    }

    /// The score of a questionnaire, of whose direction nothing is declared but for the WHO-5 (higher is
    /// better).
    pub const fn score(name: &'static str, mut questionnaire: Questionnaire) -> Self {
        // From here on it is the measure that knows.
        let direction = questionnaire.direction;
        questionnaire.direction = Direction::Undeclared;
        Self::new(Continuous, Source::Score(questionnaire), Text::Static(name), direction)
    }
}

impl Measure<Ordinal> {
    /// One of these levels, from the lowest to the highest.
    pub const fn ordinal(column: &'static str, levels: &'static [&'static str]) -> Self {
        let kind = Ordinal { levels: TextList::Static(levels) };
        Self::new(kind, Source::Column(Text::Static(column)), Text::Static(column), Direction::Undeclared)
    }
}

impl Measure<Nominal> {
    /// One of these levels, in no order.
    pub const fn nominal(column: &'static str, levels: &'static [&'static str]) -> Self {
        let kind = Nominal { levels: TextList::Static(levels) };
        Self::new(kind, Source::Column(Text::Static(column)), Text::Static(column), Direction::Undeclared)
    }
}

impl Measure<TimeToEvent> {
    /// A time, with a column that says whether the event was seen (yes) or the time is censored (no). With
    /// [`of`](Measure::of) the column names the cause of the event, of which there may be several.
    ///
    /// A cause that competes is never censoring: someone who left benefit for another reason can no longer
    /// leave it for work. A person who withdrew from the study was still there when last seen, and is
    /// censored at that time; withdrawal is no event. Whatever is impossible (a negative time, a cause
    /// without a time, an event after the end of follow-up, a cause that is not declared, ...) is one error
    /// with all its rows.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// const EXIT: Measure<TimeToEvent> = Measure::time_to_event("exit_month", "exit_reason")
    ///     .of("work")
    ///     .competing(&["other"])
    ///     .censored(&["none"])
    ///     .censored_at("censor_month")
    ///     .unit("months")
    ///     .named("exit to work")
    ///     .higher_is_better();
    ///
    /// let table = Table::from_csv_path("examples/data/participants.csv")?
    ///     .keep_category("municipality", "Tilburg")?;
    /// let trial =
    ///     Trial::builder("Tilburg", table).arm_labels("arm").control("control").build()?;
    /// let exits = trial.on(&EXIT)?;
    /// let times = exits.times()?;
    /// assert_eq!(times.causes, ["work", "other"]);
    /// assert_eq!(times.time.len(), 780);
    ///
    /// // "other" is not declared.
    /// let one_cause = Measure::time_to_event("exit_month", "exit_reason")
    ///     .of("work")
    ///     .censored(&["none"])
    ///     .censored_at("censor_month");
    /// let error = trial.on(&one_cause).unwrap_err();
    /// assert_eq!(error.kind().name(), "bad_times");
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub const fn time_to_event(time: &'static str, event: &'static str) -> Self {
        let kind = TimeToEvent::new(Text::Static(event));
        Self::new(kind, Source::Column(Text::Static(time)), Text::Static(time), Direction::Undeclared)
    }

    /// The cause of interest: the label of the event column that stands for it. Default: the column says yes
    /// or no.
    #[must_use]
    pub const fn of(mut self, cause: &'static str) -> Self {
        forget(self.kind.of.replace(Text::Static(cause)));
        self
    }

    /// The causes after which the event of interest can no longer happen; default: none.
    #[must_use]
    pub const fn competing(mut self, causes: &'static [&'static str]) -> Self {
        forget(replace(&mut self.kind.competing, TextList::Static(causes)));
        self
    }

    /// Any cause is the event: those named by [`of`](Measure::of) and [`competing`](Measure::competing) together,
    /// such as any exit from benefit. Which direction is better has to be declared anew. Default: the first is of
    /// interest, and the others compete with it.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// const TO_WORK: Measure<TimeToEvent> = Measure::time_to_event("month", "reason")
    ///     .of("work")
    ///     .competing(&["other"])
    ///     .censored(&["none"]);
    /// const ANY_EXIT: Measure<TimeToEvent> = TO_WORK.any_cause().named("exit");
    /// let table = Table::from_csv_str(
    ///     "arm,month,reason\nc,3,work\nc,5,other\nc,6,none\nt,2,work\nt,6,none\n",
    /// )?;
    /// let trial =
    ///     Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
    /// let exits = trial.on(&ANY_EXIT)?;
    /// let times = exits.times()?;
    /// assert_eq!(times.causes, ["work or other"]);
    /// assert_eq!(times.cause, [1, 1, 0, 1, 0]);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    #[must_use]
    pub const fn any_cause(mut self) -> Self {
        self.kind.causes = Causes::Together;
        self.direction = Direction::Undeclared;
        self
    }

    /// The labels of the event column that say that no event was seen: still there when follow-up ended, or
    /// withdrawn from the study. Default: none; with [`censored_at`](Measure::censored_at) an empty cell says
    /// the same.
    #[must_use]
    pub const fn censored(mut self, labels: &'static [&'static str]) -> Self {
        forget(replace(&mut self.kind.censored, TextList::Static(labels)));
        self
    }

    /// The column of the time at which follow-up ended. The column of times then holds those of events alone.
    /// Default: the column of times holds both.
    #[must_use]
    pub const fn censored_at(mut self, column: &'static str) -> Self {
        forget(self.kind.censored_at.replace(Text::Static(column)));
        self
    }

    /// The column of the time at which someone came under observation (left truncation). Default: everybody
    /// from time 0.
    #[must_use]
    pub const fn entered_at(mut self, column: &'static str) -> Self {
        forget(self.kind.entered_at.replace(Text::Static(column)));
        self
    }

    /// Declares that possibly nobody has the cause of interest; default: a cause that does not occur in the
    /// data is an error, because it is probably misspelt. In [`Trials`](super::Trials) it has to occur in one
    /// of them.
    #[must_use]
    pub const fn may_be_absent(mut self) -> Self {
        self.coding.may_be_absent = true;
        self
    }
}

/// Outflow to work, from hours a week, with the thresholds of the Dutch experiments: full-time above 27
/// hours, part-time from 12 to 27 hours, both boundaries being part-time.
///
/// ```
/// use armwise::prelude::*;
/// const FULL_TIME: Measure<Binary> = Outflow::full_time("hours_per_week");
/// const LARGE_JOB: Measure<Binary> =
///     Outflow::above(32.0, "hours_per_week").named("large job");
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Outflow;

impl Outflow {
    /// More than 27 hours a week.
    pub const fn full_time(column: &'static str) -> Measure<Binary> {
        Self::above(27.0, column).named("full-time outflow")
    }

    /// From 12 to 27 hours a week, both included. A middle category: whoever moves on to more hours leaves it
    /// as well, so its direction is undeclared; [`Measure::higher_is_better`] declares that part-time work is
    /// the aim.
    pub const fn part_time(column: &'static str) -> Measure<Binary> {
        Self::between(12.0, 27.0, column).named("part-time outflow")
    }

    /// 12 hours a week or more.
    pub const fn any(column: &'static str) -> Measure<Binary> {
        Self::between(12.0, 168.0, column).named("outflow to work").higher_is_better()
    }

    /// More than this many hours a week.
    pub const fn above(hours: f64, column: &'static str) -> Measure<Binary> {
        let source = Source::HoursAbove { column: Text::Static(column), hours };
        Measure::new(Binary, source, Text::Static(column), Direction::HigherIsBetter)
    }

    /// From `low` to `high` hours a week, both included. Its direction is undeclared, as for
    /// [`Outflow::part_time`].
    pub const fn between(low: f64, high: f64, column: &'static str) -> Measure<Binary> {
        let source = Source::HoursBetween { column: Text::Static(column), low, high };
        Measure::new(Binary, source, Text::Static(column), Direction::Undeclared)
    }
}

/// The type of an employment contract: none, temporary or permanent.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Contract;

impl Contract {
    /// The levels from the least to the most secure.
    pub const LEVELS: &'static [&'static str] = &["none", "temporary", "permanent"];

    /// The event that the contract is permanent; `none` and `temporary` are no event, and every other label
    /// has to be declared (see [`Measure::level`]).
    pub const fn permanent(column: &'static str) -> Measure<Binary> {
        Measure::level(column, "permanent")
            .no(&["none", "temporary"])
            .named("permanent contract")
            .higher_is_better()
    }

    /// The contract as an ordered outcome.
    pub const fn ordinal(column: &'static str) -> Measure<Ordinal> {
        Measure::ordinal(column, Self::LEVELS).named("contract").higher_is_better()
    }

    /// The contract as an outcome without order.
    pub const fn nominal(column: &'static str) -> Measure<Nominal> {
        Measure::nominal(column, Self::LEVELS).named("contract")
    }
}
