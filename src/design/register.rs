//! Registers: the state of each participant in every month, in long form, joined to a trial.

use super::Label;
use super::measure::{Direction, Measure, Source};
use super::outcome::MonthlyStates;
use super::text::Text;
use super::values::Values;
use crate::data::{Table, check_twins, is_blank};
use crate::error::{Error, ErrorKind, RegisterProblem, RegisterRows, Result, counted, number};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The rule for people of a register who are not among the participants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outsiders {
    /// They are an error.
    #[default]
    Refused,
    /// They are left out: the register holds other people too.
    LeftOut,
}

/// A register in long form: a row for each person and month, with the state of the person in it.
///
/// Months count from 1, the first after randomisation; in month 0 everybody is in the first of the declared
/// states. What it means that a person has no row is declared: by default a person is followed until the last row,
/// and a month without a row before it is an error; with [`no_row_is`](Register::no_row_is) people without a row
/// are in one of the states. A person without any row has then no states, or all in that one.
///
/// Two rows of one person and month, a state that is not declared, a month outside 1 to the last, a month after
/// the end of follow-up, a gap, an empty cell and a person who is not in the trial are one error with all rows.
///
/// ```
/// use armwise::prelude::*;
///
/// let people = "id,arm\n1,control\n2,control\n3,control\n4,help\n5,help\n6,help\n";
/// let months = "id,month,state\n1,1,benefit\n1,2,benefit\n1,3,work\n2,1,benefit\n\
///     2,2,benefit\n3,1,work\n3,2,benefit\n3,3,benefit\n4,1,work\n4,2,work\n4,3,work\n\
///     5,1,benefit\n5,2,work\n5,3,benefit\n6,1,benefit\n6,2,benefit\n6,3,benefit\n";
/// let states = Register::from_long(Table::from_csv_str(months)?, "id", "month", "state")
///     .states(["benefit", "work"])
///     .months(3)
///     .measure()?;
/// let trial = Trial::builder("Utrecht", Table::from_csv_str(people)?)
///     .arm_labels("arm")
///     .control("control")
///     .participant("id")
///     .build()?;
/// let panel = trial.on(&states)?;
/// let works = panel.estimate(&StateOccupation::new(RiskDifference, ["work"], 2))?;
/// assert!((works.treatment("help")?.value() - 2.0 / 3.0).abs() < 1e-12);
///
/// // A second row of a month, and a state that nobody declared.
/// let wrong = "id,month,state\n1,1,benefit\n1,1,work\n2,1,retired\n";
/// let states = Register::from_long(Table::from_csv_str(wrong)?, "id", "month", "state")
///     .states(["benefit", "work"])
///     .months(3)
///     .measure()?;
/// let error = trial.on(&states).unwrap_err().to_string();
/// assert!(error.contains("2 rows of the register cannot be"));
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Register {
    table: Table,
    columns: Columns,
    states: Vec<String>,
    aims: Vec<String>,
    months: usize,
    no_row: Option<String>,
    followed_until: Option<String>,
    participant: Option<String>,
    outsiders: Outsiders,
}

/// The columns of a register.
#[derive(Debug, Clone, PartialEq)]
struct Columns {
    person: String,
    month: String,
    state: String,
}

/// A register as it was declared and read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Declared {
    columns: Columns,
    table: Table,
    pub(crate) states: Vec<Label>,
    aims: Vec<u8>,
    pub(crate) months: usize,
    /// The state of people without a row.
    no_row: Option<u8>,
    followed_until: Option<String>,
    outsiders: Outsiders,
    /// The place of each person in `codes`.
    people: HashMap<Arc<str>, u32>,
    /// The states of each person by month; those of a person without any row come last.
    codes: Vec<u8>,
    /// The last month with a row of each person.
    last: Vec<u32>,
    problems: Vec<RegisterRows>,
}

/// No state.
const NONE: u8 = u8::MAX;
/// A hundred years.
const MOST_MONTHS: usize = 1200;
/// The number of rows that an error names for a problem.
const ROWS: usize = 5;

impl Register {
    /// A register from a table with a row for each person and month: the columns of the person, the month and
    /// the state. Name the states and the number of months next.
    pub fn from_long(table: Table, person: &str, month: &str, state: &str) -> Self {
        let columns = Columns { person: person.to_owned(), month: month.to_owned(), state: state.to_owned() };
        Self {
            table,
            columns,
            states: Vec::new(),
            aims: Vec::new(),
            months: 0,
            no_row: None,
            followed_until: None,
            participant: None,
            outsiders: Outsiders::Refused,
        }
    }

    /// The states; everybody is in the first in month 0. There are 2 to 250.
    #[must_use]
    pub fn states<T: AsRef<str>>(mut self, states: impl IntoIterator<Item = T>) -> Self {
        self.states = states.into_iter().map(|state| state.as_ref().to_owned()).collect();
        self
    }

    /// The states that are the aim: to be in any of them is better, and in any of the others worse. Other sets of
    /// states have no better direction. Default: none.
    #[must_use]
    pub fn aims<T: AsRef<str>>(mut self, states: impl IntoIterator<Item = T>) -> Self {
        self.aims = states.into_iter().map(|state| state.as_ref().to_owned()).collect();
        self
    }

    /// The last month, from 1 to 1200.
    #[must_use]
    pub fn months(mut self, months: usize) -> Self {
        self.months = months;
        self
    }

    /// The state of people in months of which the register has no row of them; default: it has rows of everybody
    /// until they are no longer followed.
    #[must_use]
    pub fn no_row_is(mut self, state: &str) -> Self {
        self.no_row = Some(state.to_owned());
        self
    }

    /// The column of the trial with the last month in which a participant was followed; an empty cell says that it
    /// was the last of all. Default: until the last row, and with [`no_row_is`](Register::no_row_is) until the last
    /// month.
    #[must_use]
    pub fn followed_until(mut self, column: &str) -> Self {
        self.followed_until = Some(column.to_owned());
        self
    }

    /// The column of the trial that identifies a participant; default: named as in the register.
    #[must_use]
    pub fn participant(mut self, column: &str) -> Self {
        self.participant = Some(column.to_owned());
        self
    }

    setters! {
        /// The rule for people who are not among the participants; default: [`Outsiders::Refused`].
        outsiders: Outsiders;
    }

    /// The measure of the states, named after their column, for [`Trial::on`](super::Trial::on).
    ///
    /// # Errors
    /// Fewer than two states or more than 250, a label that is empty or declared twice, no number of months, a
    /// column that is not there or of another type. Rows that cannot be are an error of the trial that is joined.
    pub fn measure(&self) -> Result<Measure<MonthlyStates>> {
        let Columns { person, state, .. } = &self.columns;
        let refuse = |why: String| Err(Error::invalid(why).in_column(state));
        if !(2..=250).contains(&self.states.len()) {
            let states = counted(self.states.len(), "state");
            return refuse(format!(
                "{states} declared; name 2 to 250 with states(..), that of month 0 first"
            ));
        }
        if let Some(i) = (0..self.states.len())
            .find(|&i| is_blank(&self.states[i]) || self.states[..i].contains(&self.states[i]))
        {
            return refuse(format!(
                "the state \"{}\" is empty or declared twice; name each once",
                self.states[i]
            ));
        }
        if !(1..=MOST_MONTHS).contains(&self.months) {
            return refuse(format!(
                "the number of months is {}; give 1 to {MOST_MONTHS} with months(..)",
                self.months
            ));
        }
        let place = |label: &String| {
            self.states.iter().position(|state| state == label).map(code).ok_or_else(|| {
                let known = self.states.clone();
                Error::from(ErrorKind::UnknownCategory { label: label.clone(), known }).in_column(state)
            })
        };
        let no_row = self.no_row.as_ref().map(place).transpose()?;
        let aims = self.aims.iter().map(place).collect::<Result<Vec<u8>>>()?;
        let declared = Declared { aims, ..self.read(no_row)? };
        let source = Source::Column(Text::shared(self.participant.as_ref().unwrap_or(person)));
        let kind = MonthlyStates { register: Arc::new(declared) };
        let measure = Measure::new(kind, source, Text::shared(state), Direction::Undeclared);
        Ok(measure.in_unit("months"))
    }

    /// Reads all rows, and notes those that cannot be.
    // Months are whole numbers in range where they are cast.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn read(&self, no_row: Option<u8>) -> Result<Declared> {
        let (table, Columns { person, month, state }) = (&self.table, &self.columns);
        let months = table.reals(month)?;
        let (people, labels) = (table.labelled(person)?, table.labelled(state)?);
        check_twins(people.levels().iter().map(AsRef::as_ref)).map_err(|error| error.in_column(person))?;
        let known = self.states.iter().map(String::as_str);
        let unused = labels
            .levels()
            .iter()
            .map(|label| &**label)
            .filter(|label| !self.states.iter().any(|s| s == label));
        check_twins(known.chain(unused)).map_err(|error| error.in_column(state))?;
        let places: Vec<Option<u8>> = labels
            .levels()
            .iter()
            .map(|label| self.states.iter().position(|state| **state == **label).map(code))
            .collect();
        let (person_codes, state_codes) = (people.as_codes()?, labels.as_codes()?);
        let n = people.levels().len();
        let mut codes = vec![NONE; n * self.months];
        let mut last = vec![0_u32; n];
        let mut problems = Problems { register: self, found: Vec::new() };
        // The row of each state, to name those after a gap.
        let mut rows = vec![0_u32; n * self.months];
        for row in 0..table.rows() {
            let (own, at) = (person_codes[row] as usize, months[row]);
            if own >= n {
                problems.add(RegisterProblem::Empty(person.clone()), row);
            } else if at.is_nan() {
                problems.add(RegisterProblem::Empty(month.clone()), row);
            } else if !(at >= 1.0 && at <= self.months as f64 && at == at.floor()) {
                problems.add(RegisterProblem::MonthOutside { last: self.months }, row);
            } else if state_codes[row] as usize >= places.len() {
                problems.add(RegisterProblem::Empty(state.clone()), row);
            } else {
                let cell = own * self.months + at as usize - 1;
                let label = state_codes[row] as usize;
                let Some(code) = places[label] else {
                    let label = labels.levels()[label].to_string();
                    let declared = self.states.clone();
                    problems.add(RegisterProblem::UndeclaredState { label, declared }, row);
                    // It is no gap.
                    codes[cell] = 0;
                    rows[cell] = u32::try_from(row).unwrap_or(u32::MAX);
                    last[own] = last[own].max(at as u32);
                    continue;
                };
                if codes[cell] != NONE {
                    problems.add(RegisterProblem::TwoRows, row);
                }
                codes[cell] = code;
                rows[cell] = u32::try_from(row).unwrap_or(u32::MAX);
                last[own] = last[own].max(at as u32);
            }
        }
        for (own, &last) in last.iter().enumerate() {
            let cells = own * self.months..own * self.months + last as usize;
            if let Some(state) = no_row {
                codes[own * self.months..(own + 1) * self.months]
                    .iter_mut()
                    .filter(|code| **code == NONE)
                    .for_each(|code| *code = state);
                continue;
            }
            for cell in cells.clone() {
                let before = if cell == cells.start { 0 } else { codes[cell - 1] };
                if codes[cell] != NONE && before == NONE {
                    problems.add(RegisterProblem::Gap, rows[cell] as usize);
                }
            }
        }
        codes.extend(std::iter::repeat_n(no_row.unwrap_or(NONE), self.months));
        let people = people.levels().iter().zip(0..).map(|(label, place)| (label.clone(), place)).collect();
        Ok(Declared {
            columns: self.columns.clone(),
            table: table.clone(),
            states: self.states.iter().map(Label::new).collect(),
            aims: Vec::new(),
            months: self.months,
            no_row,
            followed_until: self.followed_until.clone(),
            outsiders: self.outsiders,
            people,
            codes,
            last,
            problems: problems.found,
        })
    }
}

/// The code of a state, of which there are at most 250.
fn code(place: usize) -> u8 {
    u8::try_from(place).unwrap_or(NONE)
}

/// The rows of each problem, in the order of their first appearance.
struct Problems<'r> {
    register: &'r Register,
    found: Vec<RegisterRows>,
}

impl Problems<'_> {
    fn add(&mut self, problem: RegisterProblem, row: usize) {
        add(&mut self.found, &self.register.table, &self.register.columns, problem, row);
    }
}

fn add(
    found: &mut Vec<RegisterRows>,
    table: &Table,
    columns: &Columns,
    problem: RegisterProblem,
    row: usize,
) {
    let place = found.iter().position(|found| found.problem == problem).unwrap_or_else(|| {
        let (rows, lines, words) = (Vec::new(), Vec::new(), Vec::new());
        found.push(RegisterRows { problem, rows, lines, found: words, total: 0 });
        found.len() - 1
    });
    let found = &mut found[place];
    found.total += 1;
    if found.rows.len() < ROWS {
        found.rows.push(table.origin(row) + 1);
        found.lines.extend(table.line(row));
        let person = table.labelled(&columns.person).ok().and_then(|people| {
            let code = *people.as_codes().ok()?.get(row)?;
            people.levels().get(code as usize).map(ToString::to_string)
        });
        let month = table.reals(&columns.month).ok().map(|months| months[row]).filter(|m| !m.is_nan());
        let month = month.map(|month| format!("month {}", number(month)));
        let words: Vec<String> = person.into_iter().chain(month).collect();
        found.found.extend((!words.is_empty()).then(|| words.join(" in ")));
    }
}

impl Declared {
    /// The better direction of being in some states.
    pub(super) fn direction(&self, chosen: &[usize]) -> Direction {
        let of = |place: &usize| (chosen.contains(place), self.aims.contains(&code(*place)));
        let mut all = (0..self.states.len()).map(|place| of(&place));
        if self.aims.is_empty() {
            Direction::Undeclared
        } else if all.clone().all(|(chosen, aim)| chosen == aim) {
            Direction::HigherIsBetter
        } else if all.all(|(chosen, aim)| chosen != aim) {
            Direction::LowerIsBetter
        } else {
            Direction::Undeclared
        }
    }

    /// The states of a person in all months.
    pub(crate) fn sequence(&self, place: usize, followed: usize) -> &[u8] {
        &self.codes[place * self.months..place * self.months + followed]
    }

    /// The people of the table by their places in the register, and for how many months each was followed.
    // Months are whole numbers in range where they are cast.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(super) fn values(&self, participant: &str, table: &Table) -> Result<Values> {
        let ids = table.labelled(participant)?;
        let codes = ids.as_codes()?;
        let ends = self.ends(table)?;
        let mut seen = HashSet::with_capacity(codes.len());
        let (mut outcome, mut followed) = (Vec::with_capacity(codes.len()), Vec::with_capacity(codes.len()));
        for (row, code) in codes.iter().enumerate() {
            let locate = |why: &str| table.locate(Error::invalid(why).in_column(participant), row);
            let Some(label) = ids.levels().get(*code as usize) else {
                return Err(locate("the participant has no identifier; fill it in, or leave the row out"));
            };
            if !seen.insert(*code) {
                return Err(locate("the participant occurs twice; keep one row for each"));
            }
            let place = self.people.get(label).copied();
            let end = match (self.no_row, place) {
                (None, Some(place)) => f64::from(self.last[place as usize]),
                (None, None) => f64::NAN,
                (Some(_), _) => ends.map_or(f64::NAN, |ends| ends[row]).min(self.months as f64),
            };
            let nobody = u32::try_from(self.people.len()).unwrap_or(u32::MAX);
            outcome.push(if end.is_nan() { f64::NAN } else { f64::from(place.unwrap_or(nobody)) });
            followed.push(end);
        }
        Ok(Values { second: Some(followed), ..Values::plain(outcome) })
    }

    /// The ends of follow-up that the table declares: whole months from 0.
    fn ends<'t>(&self, table: &'t Table) -> Result<Option<&'t [f64]>> {
        let Some(column) = &self.followed_until else { return Ok(None) };
        let ends = table.reals(column)?;
        if let Some(row) = ends.iter().position(|end| !end.is_nan() && (*end < 0.0 || *end != end.floor())) {
            let why = format!("found {}, expected a whole month from 0; mend it", number(ends[row]));
            return Err(table.locate(Error::invalid(why).in_column(column), row));
        }
        Ok(Some(ends))
    }

    /// All rows that cannot be, in one error.
    pub(super) fn check_rows(&self, participant: &str, tables: &[Table]) -> Result<()> {
        let mut ends: HashMap<Arc<str>, f64> = HashMap::new();
        for table in tables {
            let ids = table.labelled(participant)?;
            let own = self.ends(table)?;
            for (row, code) in ids.as_codes()?.iter().enumerate() {
                if let Some(label) = ids.levels().get(*code as usize) {
                    ends.insert(label.clone(), own.map_or(f64::NAN, |own| own[row]));
                }
            }
        }
        let mut problems = self.problems.clone();
        let people = self.table.labelled(&self.columns.person)?;
        let of_level: Vec<Option<f64>> =
            people.levels().iter().map(|label| ends.get(label).copied()).collect();
        let months = self.table.reals(&self.columns.month)?;
        for (row, code) in people.as_codes()?.iter().enumerate() {
            let mut add = |problem| add(&mut problems, &self.table, &self.columns, problem, row);
            match of_level.get(*code as usize) {
                Some(None) if self.outsiders == Outsiders::Refused => add(RegisterProblem::NotInTrial),
                Some(Some(end)) if months[row] > *end => {
                    add(RegisterProblem::AfterFollowUp(self.followed_until.clone().unwrap_or_default()));
                }
                _ => {}
            }
        }
        // Rows of people who are left out need not be right.
        if problems.is_empty() { Ok(()) } else { Err(ErrorKind::BadRegister { problems }.into()) }
    }
}
