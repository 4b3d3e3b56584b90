//! From the text of the cells of one column to a [`Column`].

use crate::data::column::{Column, ColumnKind, MISSING_CODE, MISSING_FLAG, is_count};
use crate::data::levels::Levels;
use crate::error::{BadCell, Error, ErrorKind, Result};

/// The largest number of bad cells that an error lists.
const LISTED: usize = 20;

/// The largest number of characters of a bad cell that an error shows.
const SHOWN: usize = 60;

const NUMBER: &str = "a number";
const FINITE: &str = "a finite number";
const POINT: &str = "a number with a decimal point and without thousands separators (see decimal_comma)";
const COMMA: &str = "a number with a decimal comma and without thousands separators";
const MIXED: &str = "a number, as in other cells of this column";
const COUNT: &str = "a whole number of 0 or more";
const FLAG: &str = "yes or no, true or false, ja or nee, 1 or 0";
const UTF8: &str = "text in UTF-8";

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

    fn cells(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |end| &self.bytes[std::mem::replace(&mut start, *end)..*end])
    }
}

/// The bad cells of a file.
#[derive(Default)]
pub(super) struct Bad {
    cells: Vec<BadCell>,
    total: usize,
}

impl Bad {
    /// The error that lists the first of them, by row, if there are any.
    pub(super) fn into_error(mut self) -> Option<Error> {
        self.cells.sort_by_key(|cell| cell.row);
        self.cells.truncate(LISTED);
        (self.total > 0).then(|| ErrorKind::BadCells { cells: self.cells, total: self.total }.into())
    }
}

/// Gathers the bad cells of one column.
struct BadIn<'a> {
    bad: &'a mut Bad,
    column: &'a str,
    seen: usize,
}

impl BadIn<'_> {
    fn push(&mut self, row: usize, cell: &[u8], expected: &'static str) {
        self.seen += 1;
        self.bad.total += 1;
        if self.seen > LISTED {
            return;
        }
        let mut found = String::from_utf8_lossy(cell).into_owned();
        if let Some((end, _)) = found.char_indices().nth(SHOWN) {
            found.truncate(end);
            found.push('…');
        }
        self.bad.cells.push(BadCell { column: self.column.to_owned(), row: row + 1, found, expected });
    }
}

/// The notation of the cells of a column.
pub(super) struct Rules {
    decimal_comma: bool,
    missing: Vec<MissingCode>,
    scratch: Vec<u8>,
}

struct MissingCode {
    text: Vec<u8>,
    number: Option<f64>,
}

/// The reading of the text of a cell.
enum Reading {
    Missing,
    /// Digits that make a count.
    Whole(f64),
    /// Digits that are more likely an identifier: they start with a superfluous 0, or are too many to be
    /// exact.
    Identifier(f64),
    Number(f64),
    NotFinite,
    /// Digits, points and commas that are not a number.
    Malformed,
    Flag(bool),
    Text,
}

/// The number of cells of each reading in a column.
#[derive(Default)]
struct Tally {
    wholes: usize,
    identifiers: usize,
    numbers: usize,
    malformed: usize,
    flags: usize,
    texts: usize,
}

impl Rules {
    /// `missing`: the codes of missing cells. A code that is a number stands for that number in any notation.
    pub(super) fn new<'a>(decimal_comma: bool, missing: impl IntoIterator<Item = &'a str>) -> Self {
        let mut rules = Self { decimal_comma, missing: Vec::new(), scratch: Vec::new() };
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

    /// The column, or `None` if some of its cells are bad, which then have been added to `bad`.
    pub(super) fn column(
        &mut self,
        name: &str,
        text: &ColumnText,
        kind: Option<ColumnKind>,
        bad: &mut Bad,
    ) -> Result<Option<Column>> {
        let mut bad = BadIn { bad, column: name, seen: 0 };
        let column = match kind {
            None => self.infer(text, &mut bad)?,
            Some(ColumnKind::Real) => {
                Column::from_reals(self.convert(text, f64::NAN, &mut bad, |rules, reading| {
                    number(reading).ok_or_else(|| rules.expected_number(reading))
                }))
            }
            Some(ColumnKind::Count) => {
                Column::from_counts(self.convert(text, f64::NAN, &mut bad, |_, reading| {
                    number(reading).filter(|value| is_count(*value)).ok_or(COUNT)
                }))
            }
            Some(ColumnKind::Flag) => {
                Column::from_flags(self.convert(text, MISSING_FLAG, &mut bad, |_, reading| match reading {
                    Reading::Flag(flag) => Ok(u8::from(*flag)),
                    Reading::Whole(0.0) | Reading::Number(0.0) => Ok(0),
                    Reading::Whole(1.0) | Reading::Number(1.0) => Ok(1),
                    _ => Err(FLAG),
                }))
            }
            Some(ColumnKind::Category) => self.categories(text, &mut bad)?,
        };
        Ok((bad.seen == 0).then_some(column))
    }

    fn infer(&mut self, text: &ColumnText, bad: &mut BadIn<'_>) -> Result<Column> {
        let mut tally = Tally::default();
        let mut values = Vec::with_capacity(text.ends.len());
        for cell in text.cells() {
            let reading = self.reading(cell);
            values.push(number(&reading).unwrap_or(f64::NAN));
            match reading {
                Reading::Missing => {}
                Reading::Whole(_) => tally.wholes += 1,
                Reading::Identifier(_) => tally.identifiers += 1,
                Reading::Number(_) => tally.numbers += 1,
                Reading::NotFinite | Reading::Malformed => tally.malformed += 1,
                Reading::Flag(_) => tally.flags += 1,
                Reading::Text => tally.texts += 1,
            }
        }
        let numeric = tally.wholes + tally.identifiers + tally.numbers > 0;
        if tally.malformed > 0 || (numeric && tally.flags + tally.texts > 0) {
            for (row, cell) in text.cells().enumerate() {
                match self.reading(cell) {
                    Reading::Flag(_) | Reading::Text if numeric => bad.push(row, cell, MIXED),
                    odd @ (Reading::NotFinite | Reading::Malformed) => {
                        bad.push(row, cell, self.expected_number(&odd));
                    }
                    _ => {}
                }
            }
            return Ok(Column::from_reals(Vec::new()));
        }
        match tally {
            Tally { texts: 1.., .. } | Tally { identifiers: 1.., numbers: 0, .. } => {
                self.categories(text, bad)
            }
            Tally { numbers: 0, wholes: 1.., .. } => Ok(Column::from_counts(values)),
            Tally { flags: 1.., .. } => {
                Ok(Column::from_flags(self.convert(text, MISSING_FLAG, bad, |_, reading| match reading {
                    Reading::Flag(flag) => Ok(u8::from(*flag)),
                    _ => Err(FLAG),
                })))
            }
            _ => Ok(Column::from_reals(values)),
        }
    }

    fn convert<T: Copy>(
        &mut self,
        text: &ColumnText,
        missing: T,
        bad: &mut BadIn<'_>,
        value: impl Fn(&Self, &Reading) -> Result<T, &'static str>,
    ) -> Vec<T> {
        let mut values = Vec::with_capacity(text.ends.len());
        for (row, cell) in text.cells().enumerate() {
            let reading = self.reading(cell);
            values.push(match reading {
                Reading::Missing => missing,
                reading => value(self, &reading).unwrap_or_else(|expected| {
                    bad.push(row, cell, expected);
                    missing
                }),
            });
        }
        values
    }

    fn categories(&self, text: &ColumnText, bad: &mut BadIn<'_>) -> Result<Column> {
        let mut levels = Levels::default();
        let mut codes = Vec::with_capacity(text.ends.len());
        for (row, cell) in text.cells().enumerate() {
            codes.push(match std::str::from_utf8(cell) {
                _ if self.is_missing(cell) => MISSING_CODE,
                Ok(label) => levels.code(label).map_err(|error| error.in_column(bad.column).in_row(row))?,
                Err(_) => {
                    bad.push(row, cell, UTF8);
                    MISSING_CODE
                }
            });
        }
        Ok(Column::from_codes(codes, &levels))
    }

    fn is_missing(&self, cell: &[u8]) -> bool {
        cell.is_empty() || self.missing.iter().any(|code| code.text == cell)
    }

    fn expected_number(&self, reading: &Reading) -> &'static str {
        match reading {
            Reading::NotFinite => FINITE,
            Reading::Malformed if self.decimal_comma => COMMA,
            Reading::Malformed => POINT,
            _ => NUMBER,
        }
    }

    fn reading(&mut self, cell: &[u8]) -> Reading {
        if self.is_missing(cell) {
            return Reading::Missing;
        }
        let unsigned = cell.strip_prefix(b"-").or_else(|| cell.strip_prefix(b"+")).unwrap_or(cell);
        let reading = match unsigned.first() {
            Some(b'0'..=b'9' | b'.' | b',') if unsigned.iter().all(u8::is_ascii_digit) => {
                digits(cell, unsigned)
            }
            Some(b'0'..=b'9' | b'.' | b',') => self.decimal(cell, unsigned),
            _ if one_of(unsigned, &["nan", "inf", "infinity"]) => Reading::NotFinite,
            _ if one_of(cell, &["yes", "true", "ja"]) => Reading::Flag(true),
            _ if one_of(cell, &["no", "false", "nee"]) => Reading::Flag(false),
            _ => Reading::Text,
        };
        match reading {
            Reading::Whole(value) | Reading::Number(value)
                if self.missing.iter().any(|code| code.number == Some(value)) =>
            {
                Reading::Missing
            }
            reading => reading,
        }
    }

    fn decimal(&mut self, cell: &[u8], unsigned: &[u8]) -> Reading {
        let (mark, other) = if self.decimal_comma { (b',', b'.') } else { (b'.', b',') };
        let plain = if self.decimal_comma {
            self.scratch.clear();
            self.scratch.extend(cell.iter().map(|byte| if *byte == mark { b'.' } else { *byte }));
            &self.scratch[..]
        } else {
            cell
        };
        let value = std::str::from_utf8(plain)
            .ok()
            .filter(|_| !cell.contains(&other))
            .and_then(|text| text.parse().ok());
        match value {
            Some(value) if f64::is_finite(value) => Reading::Number(value),
            Some(_) => Reading::NotFinite,
            None if unsigned.iter().all(|byte| byte.is_ascii_digit() || *byte == mark || *byte == other)
                && unsigned.iter().any(u8::is_ascii_digit) =>
            {
                Reading::Malformed
            }
            None => Reading::Text,
        }
    }
}

/// The value of a cell that is a number.
fn number(reading: &Reading) -> Option<f64> {
    match reading {
        Reading::Whole(value) | Reading::Identifier(value) | Reading::Number(value) => Some(*value),
        _ => None,
    }
}

/// `unsigned` consists of digits, `cell` may have a sign before them.
fn digits(cell: &[u8], unsigned: &[u8]) -> Reading {
    // Up to 15 digits are exact; more of them are left to the parser.
    let value = if unsigned.len() <= 15 {
        unsigned.iter().fold(0_u64, |value, digit| 10 * value + u64::from(digit - b'0')) as f64
    } else {
        std::str::from_utf8(unsigned).ok().and_then(|text| text.parse().ok()).unwrap_or(f64::INFINITY)
    };
    let negative = cell.first() == Some(&b'-');
    match unsigned {
        _ if !value.is_finite() => Reading::NotFinite,
        _ if negative => Reading::Number(-value),
        [b'0', _, ..] => Reading::Identifier(value),
        _ if is_count(value) => Reading::Whole(value),
        _ => Reading::Identifier(value),
    }
}

fn one_of(cell: &[u8], words: &[&str]) -> bool {
    words.iter().any(|word| cell.eq_ignore_ascii_case(word.as_bytes()))
}
