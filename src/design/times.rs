//! Times to an event of several causes: from the columns of a table to what the numeric layer takes.

use super::comparison::Comparison;
use super::measure::Measure;
use super::outcome::{Causes, OutcomeKind, TimeToEvent};
use super::text::Text;
use super::values::{Values, events};
use super::{Comparisons, Label, MeasureInfo, Notice};
use crate::compute::survival::{AalenJohansen, SurvivalData};
use crate::data::{Table, check_twins, is_blank};
use crate::error::{Error, ErrorKind, Result, TimeProblem, TimeRows, number};

/// The number of rows that an error names for a problem.
const ROWS: usize = 5;

/// The times of the participants of a comparison who have one, with the causes of their events, in the order
/// of [`Comparison::arm_indices`].
///
/// ```
/// use armwise::prelude::*;
///
/// const EXIT: Measure<TimeToEvent> = Measure::time_to_event("month", "reason")
///     .of("work")
///     .competing(&["other"])
///     .censored(&["none"]);
/// let text = "arm,month,reason\nc,3,work\nc,5,other\nc,6,none\nt,2,work\nt,6,none\n";
/// let trial = Trial::builder("Utrecht", Table::from_csv_str(text)?)
///     .arm_labels("arm")
///     .control("c")
///     .build()?;
/// let comparison = trial.on(&EXIT)?;
/// let times = comparison.times()?;
/// assert_eq!(times.time, [3.0, 5.0, 6.0, 2.0, 6.0]);
/// assert_eq!(times.cause, [1, 2, 0, 1, 0]);
/// assert_eq!(times.causes, ["work", "other"]);
/// // What the numeric layer takes.
/// assert_eq!(times.data()?.events(), 3);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Times<'c> {
    /// The time of the event, or at which the participant was last seen without one.
    pub time: &'c [f64],
    /// The time at which the participant came under observation; `None` where all did at 0.
    pub entry: Option<&'c [f64]>,
    /// The cause of the event: 0 where none was seen, else its place in `causes`, counted from 1.
    pub cause: Vec<u32>,
    /// The causes, that of interest first; `event` where the measure is of yes or no.
    pub causes: Vec<Label>,
    /// The measure; its unit is that of the times.
    pub measure: &'c MeasureInfo,
}

impl Times<'_> {
    /// The times as the numeric layer takes them: all participants, with their entries.
    ///
    /// # Errors
    /// None for the times of a comparison, which are checked where they are read.
    pub fn data(&self) -> Result<SurvivalData<'_>> {
        let data = SurvivalData::new(self.time, &self.cause)?;
        match self.entry {
            Some(entry) => data.entry(entry),
            None => Ok(data),
        }
    }

    /// A number of time units in words: `12 months`, `1 month`; `12` without a unit.
    pub(crate) fn span(&self, time: f64) -> String {
        let number = number(time);
        match self.measure.unit.as_deref() {
            Some(unit) if time == 1.0 => format!("{number} {}", unit.strip_suffix('s').unwrap_or(unit)),
            Some(unit) => format!("{number} {unit}"),
            None => number,
        }
    }

    /// A point of time in words: `month 12`; `time 12` without a unit.
    pub(crate) fn point(&self, time: f64) -> String {
        let number = number(time);
        match self.measure.unit.as_deref() {
            Some(unit) => format!("{} {number}", unit.strip_suffix('s').unwrap_or(unit)),
            None => format!("time {number}"),
        }
    }
}

impl Comparison<TimeToEvent> {
    /// The times with their causes.
    ///
    /// # Errors
    /// None for a comparison of participants, and there is no other of times.
    // Causes are small whole numbers.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn times(&self) -> Result<Times<'_>> {
        let people = self.people()?;
        let cause = people.second.iter().flatten().map(|cause| *cause as u32).collect();
        Ok(Times {
            time: &people.outcome,
            entry: people.entry.as_deref(),
            cause,
            causes: self.kind.causes(),
            measure: &self.measure,
        })
    }
}

impl Comparison<TimeToEvent> {
    /// The last time up to which each arm can be followed, the reference first; `None` where nobody of it is
    /// still there at the end, so that its curve is known for ever. Where late entry leaves nobody under
    /// observation while others come later, it is the last time with an event before that.
    ///
    /// # Errors
    /// None for a comparison of participants.
    pub fn follow_up(&self) -> Result<Vec<Option<f64>>> {
        let times = self.times()?;
        let curves = AalenJohansen::by_stratum(&times.data()?.strata(self.arm_indices())?)?;
        let end = |curves: &AalenJohansen| match curves.emptied() {
            Some(0) => Some(0.0),
            Some(place) => Some(curves.time[place - 1]),
            None if curves.survival.last() == Some(&0.0) => None,
            None => Some(curves.last_time),
        };
        Ok(curves.iter().map(end).collect())
    }
}

impl Comparisons<TimeToEvent> {
    /// The trials of which every arm can be followed until this time. The others are left out, and named in a
    /// notice that goes with every result.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// const EXIT: Measure<TimeToEvent> = Measure::time_to_event("exit_month", "exit_reason")
    ///     .of("work")
    ///     .competing(&["other"])
    ///     .censored(&["none"])
    ///     .censored_at("censor_month")
    ///     .unit("months");
    /// let table = Table::from_csv_path("examples/data/participants.csv")?;
    /// let trials =
    ///     Trials::builder(table, "municipality").arm_labels("arm").control("control").build()?;
    /// let exits = trials.on(&EXIT)?.followed_until(24.0)?;
    /// assert_eq!(exits.iter().count(), 5);
    /// let effects = exits.estimate(&RiskAtHorizon::new(RiskDifference, 24.0))?;
    /// let pooled = RandomEffects::new().pool(&effects.treatment("guidance")?)?;
    /// assert!(pooled.to_string().contains("follow-up ends before 24 months: Utrecht (month 16)"));
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// No trial can be followed so long.
    pub fn followed_until(&self, horizon: f64) -> Result<Self> {
        let (mut kept, mut short) = (Vec::new(), Vec::new());
        let mut words = number(horizon);
        for comparison in self {
            let times = comparison.times()?;
            words = times.span(horizon);
            let ends = comparison.follow_up()?.into_iter().flatten();
            match ends.filter(|end| *end < horizon).reduce(f64::min) {
                Some(end) => short.push((comparison.trial().clone(), times.point(end))),
                None => kept.push(comparison.clone()),
            }
        }
        Self::without_short(kept, short, words)
    }
}

impl<K: OutcomeKind> Comparisons<K> {
    /// The trials that are followed so long, with a notice about the others.
    pub(super) fn without_short(
        mut kept: Vec<Comparison<K>>,
        short: Vec<(Label, String)>,
        horizon: String,
    ) -> Result<Self> {
        if kept.is_empty() {
            let last = short.iter().map(|(trial, last)| format!("{trial} ({last})")).collect::<Vec<_>>();
            let why = format!(
                "no trial can be followed for {horizon}: follow-up ends in {}; give an earlier horizon",
                last.join(", ")
            );
            return Err(ErrorKind::InsufficientStudies(why).into());
        }
        if !short.is_empty() {
            let notice = Notice::ShorterFollowUp { trials: short, horizon };
            for comparison in &mut kept {
                comparison.notices.push(notice.clone());
            }
        }
        Self::new(kept)
    }
}

impl TimeToEvent {
    /// The causes, that of interest first.
    pub(crate) fn causes(&self) -> Vec<Label> {
        match &self.of {
            None => vec![Label::new("event")],
            Some(own) => {
                let all: Vec<&str> = std::iter::once(own.as_str()).chain(self.competing.iter()).collect();
                match self.causes {
                    Causes::Apart => all.iter().map(Label::new).collect(),
                    Causes::Together => vec![Label::new(all.join(" or "))],
                }
            }
        }
    }
}

/// What the event column says of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Said {
    /// The cell is empty.
    Nothing,
    /// No event was seen.
    Censored,
    /// The place of a cause, from 1.
    Cause(f64),
    /// That it is not known, or does not concern the participant.
    Missing,
    NotApplicable,
    /// A label that is not declared.
    Undeclared(u32),
}

/// The rows of each problem, in the order of their first appearance.
struct Problems<'t> {
    table: &'t Table,
    found: Vec<TimeRows>,
}

impl Problems<'_> {
    fn add(&mut self, problem: TimeProblem, row: usize, times: &[f64]) {
        let place = self.found.iter().position(|found| found.problem == problem).unwrap_or_else(|| {
            self.found.push(TimeRows {
                problem,
                rows: Vec::new(),
                lines: Vec::new(),
                found: Vec::new(),
                total: 0,
            });
            self.found.len() - 1
        });
        let found = &mut self.found[place];
        found.total += 1;
        if found.rows.len() < ROWS {
            found.rows.push(self.table.origin(row) + 1);
            found.lines.extend(self.table.line(row));
            let times: Vec<String> = times.iter().map(|time| number(*time)).collect();
            found.found.extend((!times.is_empty()).then(|| times.join(" after ")));
        }
    }
}

/// The times of every row of a table, with their causes and entries.
pub(super) fn values(measure: &Measure<TimeToEvent>, column: &str, table: &Table) -> Result<Values> {
    let kind = &measure.kind;
    let times = table.reals(column)?;
    let ends = kind.censored_at.as_ref().map(|end| table.reals(end.as_str())).transpose()?;
    let entries = kind.entered_at.as_ref().map(|entry| table.reals(entry.as_str())).transpose()?;
    let (said, labels) = said(measure, table)?;
    let of = kind.of.iter().map(Text::as_str).chain(kind.competing.iter()).chain(kind.censored.iter());
    let declared: Vec<String> = of.chain(measure.coding.missing.iter()).map(str::to_owned).collect();
    let name = |text: &Option<Text>| text.as_ref().map_or(column, Text::as_str).to_owned();
    let (time_column, end_column) = (|| column.to_owned(), || name(&kind.censored_at));
    let mut problems = Problems { table, found: Vec::new() };
    let mut outcome = Vec::with_capacity(times.len());
    let mut cause = Vec::with_capacity(times.len());
    let mut not_applicable = vec![false; if said.contains(&Said::NotApplicable) { times.len() } else { 0 }];
    for (row, said) in said.iter().enumerate() {
        let (time, end) = (times[row], ends.map_or(f64::NAN, |ends| ends[row]));
        let mut problem = |problem, times: &[f64]| problems.add(problem, row, times);
        let impossible = |time: f64| time < 0.0 || time.is_infinite();
        let known = match *said {
            Said::Missing => None,
            Said::NotApplicable => {
                not_applicable[row] = true;
                None
            }
            Said::Undeclared(code) => {
                let label = labels[code as usize].clone();
                problem(TimeProblem::UndeclaredCause { label, declared: declared.clone() }, &[]);
                None
            }
            _ if impossible(time) => {
                problem(TimeProblem::NegativeTime(time_column()), &[time]);
                None
            }
            _ if impossible(end) => {
                problem(TimeProblem::NegativeTime(end_column()), &[end]);
                None
            }
            Said::Cause(_) if time.is_nan() => {
                problem(TimeProblem::CauseWithoutTime(time_column()), &[]);
                None
            }
            Said::Cause(_) if time > end => {
                problem(TimeProblem::EventAfterCensoring(end_column()), &[time, end]);
                None
            }
            Said::Cause(cause) => Some((time, cause)),
            // From here on no event was seen.
            Said::Censored if ends.is_none() && !time.is_nan() => Some((time, 0.0)),
            _ if !time.is_nan() => {
                problem(TimeProblem::TimeWithoutCause(kind.event.as_str().to_owned()), &[time]);
                None
            }
            _ if !end.is_nan() => Some((end, 0.0)),
            Said::Censored => {
                problem(TimeProblem::CensoredWithoutTime(end_column()), &[]);
                None
            }
            Said::Nothing => None,
        };
        if let (Some((time, _)), Some(entries)) = (known, entries) {
            let column = || name(&kind.entered_at);
            match entries[row] {
                entry if entry.is_nan() => problem(TimeProblem::EntryMissing(column()), &[]),
                entry if impossible(entry) => problem(TimeProblem::NegativeTime(column()), &[entry]),
                entry if entry >= time => {
                    problem(TimeProblem::EntryNotBeforeExit(column()), &[entry, time]);
                }
                _ => {}
            }
        }
        let (time, of) = known.unwrap_or((f64::NAN, 0.0));
        outcome.push(time);
        cause.push(of);
    }
    if !problems.found.is_empty() {
        return Err(ErrorKind::BadTimes { problems: problems.found }.into());
    }
    let entry = entries.map(<[f64]>::to_vec);
    Ok(Values { second: Some(cause), entry, not_applicable, ..Values::plain(outcome) })
}

/// What the event column says of each row, and its labels.
fn said(measure: &Measure<TimeToEvent>, table: &Table) -> Result<(Vec<Said>, Vec<String>)> {
    let (kind, coding) = (&measure.kind, &measure.coding);
    let column = kind.event.as_str();
    let Some(of) = &kind.of else {
        if kind.competing.len() > 0 || kind.censored.len() > 0 {
            let why = "competing(..) and censored(..) name labels of causes, but no cause of interest is named; add of(..)";
            return Err(Error::invalid(why).in_column(column));
        }
        coding.none()?;
        let seen = |event: f64| match event {
            event if event.is_nan() => Said::Nothing,
            0.0 => Said::Censored,
            event => Said::Cause(event),
        };
        return Ok((events(table, column)?.into_iter().map(seen).collect(), Vec::new()));
    };
    let causes = std::iter::once(of.as_str()).chain(kind.competing.iter());
    let place = |i: u32| Said::Cause(f64::from(if kind.causes == Causes::Together { 1 } else { i }));
    let mut declared: Vec<(&str, Said)> = (1..).zip(causes).map(|(i, cause)| (cause, place(i))).collect();
    declared.extend(kind.censored.iter().map(|label| (label, Said::Censored)));
    declared.extend(coding.missing.iter().map(|label| (label, Said::Missing)));
    declared.extend(coding.not_applicable.iter().map(|label| (label, Said::NotApplicable)));
    let refuse = |why: String| Err(Error::invalid(why).in_column(column));
    if declared.iter().any(|(label, _)| is_blank(label)) {
        return refuse(
            "an empty label is declared, but an empty cell is missing and never a cause; leave it out"
                .to_owned(),
        );
    }
    let twice = (1..declared.len()).find(|&i| declared[..i].iter().any(|one| one.0 == declared[i].0));
    if let Some(twice) = twice {
        return refuse(format!("the label \"{}\" is declared twice; name it once", declared[twice].0));
    }
    let labelled = table.labelled(column)?;
    let labels: Vec<String> = labelled.levels().iter().map(ToString::to_string).collect();
    let all = declared.iter().map(|(label, _)| *label).chain(labels.iter().map(String::as_str));
    let mut all: Vec<&str> = all.collect();
    all.sort_unstable();
    all.dedup();
    check_twins(all).map_err(|error| error.in_column(column))?;
    let meaning = |(code, label): (u32, &String)| {
        let found = declared.iter().find(|(declared, _)| declared == label);
        found.map_or(Said::Undeclared(code), |(_, said)| *said)
    };
    let meanings: Vec<Said> = (0_u32..).zip(&labels).map(meaning).collect();
    let said = labelled.as_codes()?.iter();
    let said = said.map(|code| meanings.get(*code as usize).copied().unwrap_or(Said::Nothing)).collect();
    Ok((said, labels))
}
