//! From the text of the cells of one column to a [`Column`].

use crate::data::column::{Column, ColumnKind, MISSING_CODE, MISSING_FLAG, is_count};
use crate::data::csv_number::{DateOrder, Notation, Reading, number, without_unusual_space};
use crate::data::levels::Levels;
use crate::data::twins::is_blank;
use crate::error::Result;

const NUMBER: &str = "a number";
const FINITE: &str = "a finite number";
const POINT: &str = "a number with a decimal point and without thousands separators";
const COMMA: &str = "a number with a decimal comma and without thousands separators";
const GROUPED: &str = "a number with the declared decimal sign and thousands separator";
pub(super) const MIXED: &str = "a number, as in other cells of this column";
pub(super) const PERCENT: &str = "a number with a per cent sign, as in other cells of this column";
pub(super) const UNCLEAR: &str =
    "a number of which is known whether its point separates thousands or decimals";
const UNIT: &str = "a number without a currency or a per cent sign";
pub(super) const DATE: &str = "a number or a label; dates are read where their order is declared";
pub(super) const ORDER: &str = "a date in the declared order of day, month and year";
pub(super) const NO_DATE: &str = "a day of the calendar";
const MIXED_DATES: &str = "a date, as in other cells of this column";
const SIGNED: &str = "a number with its minus sign before it";
const COUNT: &str = "a whole number of 0 or more";
const FLAG: &str = "yes or no, true or false, ja or nee, 1 or 0";
pub(super) const UTF8: &str = "text in UTF-8";

/// The cells of one column, one after the other in one buffer.
#[derive(Default)]
pub(super) struct ColumnText {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl ColumnText {
    /// Adds a cell. Space around it does not count.
    pub(super) fn push(&mut self, cell: &[u8]) {
        self.bytes.extend_from_slice(cell.trim_ascii());
        self.ends.push(self.bytes.len());
    }

    /// Adds the cells of another part of the column.
    pub(super) fn append(&mut self, other: &Self) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.ends.extend(other.ends.iter().map(|end| start + end));
    }

    /// Keeps the first rows.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.ends.truncate(rows);
    }

    fn cells(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |end| &self.bytes[std::mem::replace(&mut start, *end)..*end])
    }
}

/// A cell that could not be read.
pub(super) struct BadText {
    /// Counted from 0.
    pub row: usize,
    pub found: Vec<u8>,
    pub expected: &'static str,
    pub reading: Reading,
}

/// The declared kind of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Of(ColumnKind),
    Date(DateOrder),
}

/// The rules by which the cells of a column are read.
pub(super) struct Rules {
    notation: Notation,
    missing: Vec<MissingCode>,
    /// Whether no-break and zero-width space around labels does not count.
    unusual_space: bool,
}

struct MissingCode {
    text: Vec<u8>,
    number: Option<f64>,
}

/// The number of cells of each reading in a column.
#[derive(Default, Clone, Copy, PartialEq)]
pub(super) struct Tally {
    wholes: usize,
    identifiers: usize,
    numbers: usize,
    unclear: usize,
    percents: usize,
    units: usize,
    dates: usize,
    odd_dates: usize,
    malformed: usize,
    flags: usize,
    texts: usize,
}

/// The readings of the cells of a column, and their values where these are numbers or dates.
#[derive(Default)]
pub(super) struct Scan {
    pub tally: Tally,
    pub values: Vec<f64>,
}

impl Scan {
    pub(super) fn of(rows: usize) -> Self {
        Self { tally: Tally::default(), values: Vec::with_capacity(rows) }
    }

    /// Adds the next part of the column. `whole` is the length of the text in lengths of that part.
    pub(super) fn append(&mut self, part: &Self, whole: f64) {
        if self.values.is_empty() {
            // A little more than the rows of the whole, if all parts are alike.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a guess above zero"
            )]
            self.values.reserve((1.02 * whole * part.values.len() as f64) as usize);
        }
        self.tally.merge(&part.tally);
        self.values.extend_from_slice(&part.values);
    }
}

/// What the cells of a column turn out to hold.
#[derive(Clone, Copy, PartialEq)]
enum Found {
    Reals,
    Counts,
    Flags,
    Categories,
    Bad,
}

impl Tally {
    fn add(&mut self, reading: Reading) {
        match reading {
            Reading::Missing => {}
            Reading::Whole(_) => self.wholes += 1,
            Reading::Identifier(_) => self.identifiers += 1,
            Reading::Number(_) => self.numbers += 1,
            Reading::Unclear(_) => self.unclear += 1,
            Reading::Percent(Some(_)) => self.percents += 1,
            Reading::Percent(None) | Reading::Amount => self.units += 1,
            Reading::Date(Some(_)) => self.dates += 1,
            Reading::Date(None) | Reading::NoDate => self.odd_dates += 1,
            Reading::NotFinite | Reading::Malformed | Reading::Accounting => self.malformed += 1,
            Reading::Flag(_) => self.flags += 1,
            Reading::Letter(_) | Reading::Text => self.texts += 1,
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.wholes += other.wholes;
        self.identifiers += other.identifiers;
        self.numbers += other.numbers;
        self.unclear += other.unclear;
        self.percents += other.percents;
        self.units += other.units;
        self.dates += other.dates;
        self.odd_dates += other.odd_dates;
        self.malformed += other.malformed;
        self.flags += other.flags;
        self.texts += other.texts;
    }

    fn plain(&self) -> usize {
        self.wholes + self.identifiers + self.numbers + self.unclear
    }

    fn numeric(&self) -> bool {
        self.plain() + self.percents + self.units > 0
    }

    /// A column with dates in at least half of its cells; fewer are labels among others.
    fn has_dates(&self) -> bool {
        let dates = self.dates + self.odd_dates;
        dates > 0 && dates >= self.flags + self.texts
    }

    /// A column that holds nothing but dates, in the declared order or not.
    fn only_dates(&self) -> bool {
        self.has_dates() && !self.numeric() && self.flags + self.texts + self.malformed == 0
    }

    /// The cell that was expected where the column, of no declared kind, has this one.
    fn refuse(&self, rules: &Rules, reading: Reading) -> Option<&'static str> {
        match reading {
            Reading::NotFinite | Reading::Malformed | Reading::Accounting => {
                Some(rules.expected_number(reading))
            }
            Reading::Percent(None) | Reading::Amount => Some(UNIT),
            Reading::Flag(_) | Reading::Letter(_) | Reading::Text | Reading::Date(_) | Reading::NoDate
                if self.numeric() =>
            {
                Some(MIXED)
            }
            Reading::Date(None) if self.has_dates() => {
                Some(if rules.notation.dates.is_some() { ORDER } else { DATE })
            }
            Reading::NoDate if self.has_dates() => Some(NO_DATE),
            Reading::Flag(_) | Reading::Letter(_) | Reading::Text if self.has_dates() => Some(MIXED_DATES),
            Reading::Unclear(_) if self.all_unclear() => Some(UNCLEAR),
            Reading::Whole(_) | Reading::Identifier(_) | Reading::Number(_) | Reading::Unclear(_)
                if self.percents > 0 =>
            {
                Some(PERCENT)
            }
            _ => None,
        }
    }

    /// Cells that are no numbers.
    fn words(&self) -> usize {
        self.flags + self.texts + self.dates + self.odd_dates
    }

    fn has_bad(&self) -> bool {
        self.malformed + self.units > 0
            || (self.numeric() && self.words() > 0)
            || (self.has_dates() && (self.odd_dates > 0 || !self.only_dates()))
            || self.all_unclear()
            || (self.percents > 0 && self.plain() > 0)
    }

    /// A column in which every point may separate thousands.
    fn all_unclear(&self) -> bool {
        self.unclear > 0 && self.numbers == 0
    }

    /// The kind of a column that is not declared.
    fn found(&self) -> Found {
        match self {
            _ if self.has_bad() => Found::Bad,
            _ if self.only_dates() => Found::Reals,
            Self { texts: 1.., .. } | Self { dates: 1.., .. } | Self { odd_dates: 1.., .. } => {
                Found::Categories
            }
            Self { identifiers: 1.., numbers: 0, percents: 0, .. } => Found::Categories,
            Self { numbers: 0, percents: 0, wholes: 1.., .. } => Found::Counts,
            Self { flags: 1.., .. } => Found::Flags,
            _ => Found::Reals,
        }
    }
}

impl Rules {
    /// `missing`: the codes of missing cells. A code that is a number stands for that number in any notation.
    pub(super) fn new<'a>(
        notation: Notation,
        unusual_space: bool,
        missing: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut rules = Self { notation, unusual_space, missing: Vec::new() };
        let mut codes = Vec::new();
        for code in missing {
            let text = code.trim_ascii().as_bytes();
            let number = match rules.reading(text) {
                Reading::Whole(number) | Reading::Number(number) => Some(number),
                _ => None,
            };
            codes.push(MissingCode { text: text.to_vec(), number });
        }
        rules.missing = codes;
        rules
    }

    /// The column, or its bad cells.
    pub(super) fn column(
        &self,
        text: &ColumnText,
        kind: Option<Kind>,
    ) -> Result<Result<Column, Vec<BadText>>> {
        let mut bad = Vec::new();
        let column = match kind {
            None => self.infer(text, &mut bad)?,
            Some(Kind::Of(ColumnKind::Real)) => {
                let tally = self.tally(text);
                Column::from_reals(self.convert(text, f64::NAN, &mut bad, |rules, reading| {
                    let plain = !matches!(reading, Reading::Percent(_));
                    match number(&reading) {
                        Some(_) if plain && tally.percents > 0 => Err(PERCENT),
                        Some(_) if matches!(reading, Reading::Unclear(_)) && tally.all_unclear() => {
                            Err(UNCLEAR)
                        }
                        Some(value) => Ok(value),
                        None => Err(rules.expected_number(reading)),
                    }
                }))
            }
            Some(Kind::Of(ColumnKind::Count)) => {
                Column::from_counts(self.convert(text, f64::NAN, &mut bad, |_, reading| {
                    number(&reading).filter(|value| is_count(*value)).ok_or(COUNT)
                }))
            }
            Some(Kind::Of(ColumnKind::Flag)) => {
                Column::from_flags(self.convert(text, MISSING_FLAG, &mut bad, |_, reading| match reading {
                    Reading::Flag(flag) | Reading::Letter(flag) => Ok(u8::from(flag)),
                    Reading::Whole(0.0) | Reading::Number(0.0) => Ok(0),
                    Reading::Whole(1.0) | Reading::Number(1.0) => Ok(1),
                    _ => Err(FLAG),
                }))
            }
            Some(Kind::Of(ColumnKind::Category)) => self.categories(text, &mut bad)?,
            Some(Kind::Date(_)) => {
                Column::from_reals(self.convert(text, f64::NAN, &mut bad, |_, reading| match reading {
                    Reading::Date(Some(days)) => Ok(days),
                    Reading::NoDate => Err(NO_DATE),
                    _ => Err(ORDER),
                }))
            }
        };
        Ok(if bad.is_empty() { Ok(column) } else { Err(bad) })
    }

    /// Reads one more cell.
    pub(super) fn scan(&self, cell: &[u8], into: &mut Scan) {
        let cell = cell.trim_ascii();
        // Most cells are short numbers.
        let quick = if self.missing.is_empty() { self.notation.short(cell) } else { None };
        let reading = quick.unwrap_or_else(|| self.reading(cell));
        into.tally.add(reading);
        into.values.push(match reading {
            Reading::Date(days) => days.unwrap_or(f64::NAN),
            reading => number(&reading).unwrap_or(f64::NAN),
        });
    }

    /// The column of values that need no second look at the text; `None` for other columns.
    pub(super) fn settled(tally: &Tally, kind: Option<Kind>, values: Vec<f64>) -> Option<Column> {
        let found = match kind {
            None => tally.found(),
            Some(Kind::Of(ColumnKind::Real)) if tally.words() == 0 && !tally.has_bad() => Found::Reals,
            Some(Kind::Of(ColumnKind::Count)) => {
                let only = Tally { wholes: tally.wholes, ..Tally::default() };
                if only == *tally { Found::Counts } else { return None }
            }
            _ => return None,
        };
        match found {
            Found::Reals => Some(Column::from_reals(values)),
            Found::Counts => Some(Column::from_counts(values)),
            _ => None,
        }
    }

    fn tally(&self, text: &ColumnText) -> Tally {
        let mut tally = Tally::default();
        text.cells().for_each(|cell| tally.add(self.reading(cell)));
        tally
    }

    fn infer(&self, text: &ColumnText, bad: &mut Vec<BadText>) -> Result<Column> {
        let tally = self.tally(text);
        match tally.found() {
            Found::Bad => {
                for (row, cell) in text.cells().enumerate() {
                    let reading = self.reading(cell);
                    if let Some(expected) = tally.refuse(self, reading) {
                        bad.push(BadText { row, found: cell.to_vec(), expected, reading });
                    }
                }
                Ok(Column::from_reals(Vec::new()))
            }
            Found::Categories => self.categories(text, bad),
            Found::Flags => {
                Ok(Column::from_flags(self.convert(text, MISSING_FLAG, bad, |_, reading| match reading {
                    Reading::Flag(flag) => Ok(u8::from(flag)),
                    _ => Err(FLAG),
                })))
            }
            found => {
                let mut scan = Scan::default();
                text.cells().for_each(|cell| self.scan(cell, &mut scan));
                let counts = found == Found::Counts;
                Ok(if counts { Column::from_counts(scan.values) } else { Column::from_reals(scan.values) })
            }
        }
    }

    fn convert<T: Copy>(
        &self,
        text: &ColumnText,
        missing: T,
        bad: &mut Vec<BadText>,
        value: impl Fn(&Self, Reading) -> Result<T, &'static str>,
    ) -> Vec<T> {
        let mut values = Vec::with_capacity(text.ends.len());
        for (row, cell) in text.cells().enumerate() {
            values.push(match self.reading(cell) {
                Reading::Missing => missing,
                reading => value(self, reading).unwrap_or_else(|expected| {
                    bad.push(BadText { row, found: cell.to_vec(), expected, reading });
                    missing
                }),
            });
        }
        values
    }

    fn categories(&self, text: &ColumnText, bad: &mut Vec<BadText>) -> Result<Column> {
        let mut levels = Levels::default();
        let mut codes = Vec::with_capacity(text.ends.len());
        for (row, cell) in text.cells().enumerate() {
            let cell = if self.unusual_space { without_unusual_space(cell) } else { cell };
            codes.push(match std::str::from_utf8(cell) {
                _ if self.is_missing(cell) => MISSING_CODE,
                Ok(label) => levels.code(label).map_err(|error| error.in_row(row))?,
                Err(_) => {
                    bad.push(BadText { row, found: cell.to_vec(), expected: UTF8, reading: Reading::Text });
                    MISSING_CODE
                }
            });
        }
        Ok(Column::from_codes(codes, &levels))
    }

    fn is_missing(&self, cell: &[u8]) -> bool {
        cell.is_empty()
            || self.missing.iter().any(|code| code.text == cell)
            || (!cell[0].is_ascii() && std::str::from_utf8(cell).is_ok_and(is_blank))
    }

    fn expected_number(&self, reading: Reading) -> &'static str {
        match reading {
            Reading::NotFinite => FINITE,
            Reading::Accounting => SIGNED,
            Reading::Malformed if self.notation.thousands.is_some() => GROUPED,
            Reading::Malformed if self.notation.decimal_comma => COMMA,
            Reading::Malformed => POINT,
            Reading::Percent(_) | Reading::Amount => UNIT,
            _ => NUMBER,
        }
    }

    fn reading(&self, cell: &[u8]) -> Reading {
        if self.is_missing(cell) {
            return Reading::Missing;
        }
        let cell = without_unusual_space(cell);
        let reading = self.notation.reading(cell);
        match reading {
            Reading::Whole(value) | Reading::Number(value)
                if self.missing.iter().any(|code| code.number == Some(value)) =>
            {
                Reading::Missing
            }
            Reading::Text if self.is_missing(cell) => Reading::Missing,
            reading => reading,
        }
    }
}
