//! From the text of the cells of one column to what they hold.

use crate::data::column::{Column, ColumnKind};
use crate::data::compact::Numbers;
use crate::data::csv_number::{DateOrder, Notation, Reading, number, without_unusual_space};
use crate::data::twins::is_blank;

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
pub(super) const MIXED_DATES: &str = "a date, as in other cells of this column";
const SIGNED: &str = "a number with its minus sign before it";
pub(super) const COUNT: &str = "a whole number of 0 or more";
pub(super) const FLAG: &str = "yes or no, true or false, ja or nee, 1 or 0";
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

    /// The number of cells.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = &[u8]> {
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
    pub(super) unusual_space: bool,
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
    pub(super) percents: usize,
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
}

/// The scans of all parts that were read, in little memory.
#[derive(Default)]
pub(super) struct Scanned {
    pub tally: Tally,
    pub values: Numbers,
}

impl Scanned {
    /// Adds the next part of the column. `whole` is the length of the text in lengths of that part.
    pub(super) fn append(&mut self, part: &Scan, whole: f64) {
        self.tally.merge(&part.tally);
        // A little more than the rows of the whole, if all parts are alike.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a guess above zero")]
        self.values.extend(&part.values, (1.02 * whole * part.values.len() as f64) as usize);
    }
}

/// What the cells of a column turn out to hold.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Found {
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
    pub(super) fn refuse(&self, rules: &Rules, reading: Reading) -> Option<&'static str> {
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
    pub(super) fn all_unclear(&self) -> bool {
        self.unclear > 0 && self.numbers == 0
    }

    /// The kind of a column that is not declared.
    pub(super) fn found(&self) -> Found {
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

    /// The column of values that need no second look at the text; the tally of another column.
    pub(super) fn settled(scanned: Scanned, kind: Option<Kind>) -> Result<Column, Tally> {
        let Scanned { tally, values } = scanned;
        let found = match kind {
            None => tally.found(),
            Some(Kind::Of(ColumnKind::Real)) if tally.words() == 0 && !tally.has_bad() => Found::Reals,
            Some(Kind::Of(ColumnKind::Count)) => {
                let only = Tally { wholes: tally.wholes, ..Tally::default() };
                if only == tally { Found::Counts } else { return Err(tally) }
            }
            _ => return Err(tally),
        };
        match found {
            Found::Reals => Ok(Column::from_reals(values.into_reals())),
            Found::Counts => Ok(Column::from_counts(values)),
            _ => Err(tally),
        }
    }

    pub(super) fn is_missing(&self, cell: &[u8]) -> bool {
        cell.is_empty()
            || self.missing.iter().any(|code| code.text == cell)
            || (!cell[0].is_ascii() && std::str::from_utf8(cell).is_ok_and(is_blank))
    }

    pub(super) fn expected_number(&self, reading: Reading) -> &'static str {
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

    pub(super) fn reading(&self, cell: &[u8]) -> Reading {
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
