//! From the text of a cell to its reading: a number in some notation, a date, a yes or no, or a label.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::data::column::is_count;

/// The value of a number with a per cent sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Percent {
    /// The number before the sign: `12.5%` is 12.5.
    AsWritten,
    /// The share: `12.5%` is 0.125.
    Share,
}

/// The order of day, month and year in a date of digits, separated by `-`, `/` or `.`, with a year of four
/// digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DateOrder {
    /// `31-12-2019`.
    DayMonthYear,
    /// `12/31/2019`.
    MonthDayYear,
    /// `2019-12-31`.
    YearMonthDay,
}

/// How numbers below zero are written.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) enum Negatives {
    /// With a minus sign before them.
    #[default]
    Minus,
    /// Also in brackets, or with the sign behind them: `(5)` and `5-` are -5.
    Accounts,
}

/// The notation of the cells of a column.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Notation {
    pub decimal_comma: bool,
    /// The separator of thousands; a space stands for every kind of space.
    pub thousands: Option<u8>,
    /// Whether `1.234` may mean 1234, because nothing says what a point means.
    pub point_unclear: bool,
    /// As `point_unclear`, for amounts of money.
    pub amounts_unclear: bool,
    pub currency: Vec<String>,
    pub percent: Option<Percent>,
    pub dates: Option<DateOrder>,
    pub yes: Vec<String>,
    pub no: Vec<String>,
    pub negatives: Negatives,
}

/// The reading of the text of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Reading {
    Missing,
    /// Digits that make a count.
    Whole(f64),
    /// Digits that are more likely an identifier: they start with a superfluous 0, or are too many to be
    /// exact.
    Identifier(f64),
    Number(f64),
    /// A number such as `1.234` where nothing says what a point means.
    Unclear(f64),
    /// A number with a per cent sign; `None` where that was not declared.
    Percent(Option<f64>),
    /// An amount in a currency that was not declared.
    Amount,
    /// A date as days since 1970-01-01; `None` where its order was not declared or is another.
    Date(Option<f64>),
    /// Day, month and year of which no order is a day of the calendar.
    NoDate,
    /// `(5)` or `5-`, which was not declared to be -5.
    Accounting,
    NotFinite,
    /// Digits, points and commas that are not a number.
    Malformed,
    Flag(bool),
    /// A word that is a flag in a column that was declared to hold flags.
    Letter(bool),
    Text,
}

/// The powers of ten, which are exact.
const TENS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Marks of currencies, for suggestions.
pub(super) const CURRENCIES: [&str; 9] = ["€", "$", "£", "EUR", "USD", "GBP", "CHF", "euro", "euros"];

/// Spaces that do not break a line, and characters without width.
const UNUSUAL: [char; 8] =
    ['\u{a0}', '\u{202f}', '\u{2007}', '\u{2009}', '\u{200b}', '\u{2060}', '\u{feff}', '\u{ad}'];

/// The cell without no-break and zero-width space around it.
pub(super) fn without_unusual_space(cell: &[u8]) -> &[u8] {
    if cell.first().is_none_or(u8::is_ascii) && cell.last().is_none_or(u8::is_ascii) {
        return cell;
    }
    let Ok(text) = std::str::from_utf8(cell) else { return cell };
    text.trim_matches(|c: char| UNUSUAL.contains(&c) || c.is_whitespace()).as_bytes()
}

/// The value of a cell that is a number.
pub(super) fn number(reading: &Reading) -> Option<f64> {
    match reading {
        Reading::Whole(value)
        | Reading::Identifier(value)
        | Reading::Number(value)
        | Reading::Unclear(value)
        | Reading::Percent(Some(value)) => Some(*value),
        _ => None,
    }
}

impl Notation {
    /// The reading of a cell that is not empty.
    pub(super) fn reading(&self, cell: &[u8]) -> Reading {
        if let Some(reading) = self.short(cell) {
            return reading;
        }
        if !cell.is_ascii()
            && let Some(text) = std::str::from_utf8(cell).ok().filter(|text| text.contains(MINUS))
        {
            return self.reading(text.replace(MINUS, "-").as_bytes());
        }
        let unsigned = cell.strip_prefix(b"-").or_else(|| cell.strip_prefix(b"+")).unwrap_or(cell);
        match unsigned.first() {
            Some(b'0'..=b'9') if unsigned.iter().all(u8::is_ascii_digit) => digits(cell, unsigned),
            Some(b'0'..=b'9' | b'.' | b',') => match self.decimal(cell, unsigned) {
                Reading::Text | Reading::Malformed => self.date_or_amount(cell),
                reading => reading,
            },
            _ if one_of(unsigned, &["nan", "inf", "infinity"]) => Reading::NotFinite,
            _ if one_of(cell, &["yes", "true", "ja"]) || is_word(cell, &self.yes) => Reading::Flag(true),
            _ if one_of(cell, &["no", "false", "nee"]) || is_word(cell, &self.no) => Reading::Flag(false),
            _ if one_of(cell, &["y", "j", "waar"]) => Reading::Letter(true),
            _ if one_of(cell, &["n", "onwaar"]) => Reading::Letter(false),
            // Most labels hold no digit, and need no closer look.
            _ if cell.iter().any(u8::is_ascii_digit) => self.date_or_amount(cell),
            _ => Reading::Text,
        }
    }

    fn decimal(&self, cell: &[u8], unsigned: &[u8]) -> Reading {
        let (mark, other) = if self.decimal_comma { (b',', b'.') } else { (b'.', b',') };
        let grouped = match self.thousands {
            Some(separator) => match ungrouped(cell, separator, mark) {
                Some(plain) => plain,
                None => return Reading::Malformed,
            },
            None => Cow::Borrowed(cell),
        };
        let plain = if self.decimal_comma && grouped.contains(&mark) {
            Cow::Owned(grouped.iter().map(|byte| if *byte == mark { b'.' } else { *byte }).collect())
        } else {
            grouped.clone()
        };
        let value = std::str::from_utf8(&plain)
            .ok()
            .filter(|_| !grouped.contains(&other))
            .and_then(|text| text.parse().ok());
        match value {
            Some(value) if f64::is_finite(value) => {
                if self.thousands.is_some() && !grouped.contains(&mark) && is_count(value) {
                    Reading::Whole(value)
                } else if self.point_unclear && is_grouped(unsigned, b'.') {
                    Reading::Unclear(value)
                } else {
                    Reading::Number(value)
                }
            }
            Some(_) => Reading::NotFinite,
            None if unsigned.iter().all(|byte| byte.is_ascii_digit() || *byte == mark || *byte == other)
                && unsigned.iter().any(u8::is_ascii_digit) =>
            {
                Reading::Malformed
            }
            None => Reading::Text,
        }
    }

    /// The reading of up to 15 digits with at most one decimal sign among them; `None` for other cells. The
    /// quotient of two exact numbers is correctly rounded.
    #[inline]
    pub(super) fn short(&self, cell: &[u8]) -> Option<Reading> {
        let negative = cell.first() == Some(&b'-');
        let unsigned = if negative { &cell[1..] } else { cell };
        if unsigned.len() > 15 {
            return None;
        }
        let mark = if self.decimal_comma { b',' } else { b'.' };
        let (mut digits, mut point) = (0_u64, None);
        for (place, byte) in unsigned.iter().enumerate() {
            let digit = byte.wrapping_sub(b'0');
            if digit <= 9 {
                digits = 10 * digits + u64::from(digit);
            } else if *byte == mark && point.is_none() {
                point = Some(place);
            } else {
                return None;
            }
        }
        let value = digits as f64;
        match (point, unsigned) {
            (_, [] | [b'.' | b',']) => None,
            (None, _) if negative => Some(Reading::Number(-value)),
            (None, [b'0', _, ..]) => Some(Reading::Identifier(value)),
            (None, _) => Some(Reading::Whole(value)),
            (Some(_), _) if self.point_unclear && is_grouped(unsigned, b'.') => None,
            (Some(place), _) => {
                let value = value / TENS[unsigned.len() - place - 1];
                Some(Reading::Number(if negative { -value } else { value }))
            }
        }
    }

    /// The reading of a cell with a digit that is not a plain number.
    fn date_or_amount(&self, cell: &[u8]) -> Reading {
        let Ok(text) = std::str::from_utf8(cell) else { return Reading::Text };
        if looks_like_date(text) {
            return match self.dates.and_then(|order| date(text, order)) {
                None if orders(text).is_empty() => Reading::NoDate,
                days => Reading::Date(days),
            };
        }
        if let Some(value) = self.accounting(text) {
            return match self.negatives {
                Negatives::Minus => Reading::Accounting,
                Negatives::Accounts => Reading::Number(-value),
            };
        }
        if let Some(text) = text.strip_suffix('%') {
            return match (self.percent, self.beside_mark(text, self.point_unclear)) {
                (_, Reading::Text) => Reading::Text,
                (None, _) => Reading::Percent(None),
                (Some(Percent::AsWritten), reading) => Reading::Percent(number(&reading)),
                (Some(Percent::Share), reading) => Reading::Percent(number(&reading).map(|x| x / 100.0)),
            };
        }
        if let Some(text) = without_mark(text, self.currency.iter().map(String::as_str)) {
            return self.beside_mark(&text, self.amounts_unclear);
        }
        match without_mark(text, CURRENCIES) {
            Some(number) if self.beside_mark(&number, false) != Reading::Text => Reading::Amount,
            _ if text.bytes().all(|byte| byte.is_ascii_digit() || b".,+-".contains(&byte))
                && (text.contains(',') || text.contains('.'))
                && !text[1..].contains(['-', '+']) =>
            {
                Reading::Malformed
            }
            // "1 234,5", with the declared space in a wrong place or without a declaration.
            _ if self.is_spaced(text) => Reading::Malformed,
            _ => Reading::Text,
        }
    }

    /// The size of a number that is written as negative in the way of accounts: `(5)`, `5-`.
    fn accounting(&self, text: &str) -> Option<f64> {
        let inner = match text.strip_prefix('(') {
            Some(rest) => rest.strip_suffix(')')?,
            // "12,-" is a whole amount of money.
            None => text.strip_suffix('-').filter(|rest| !rest.ends_with([',', '.']))?,
        };
        let inner = inner.trim();
        if !inner.starts_with(|c: char| c.is_ascii_digit() || c == '.' || c == ',') {
            return None;
        }
        number(&self.beside_mark(inner, false))
    }

    /// True for digits in groups that are separated by space or an apostrophe.
    fn is_spaced(&self, text: &str) -> bool {
        let text: String = text.chars().map(plain_separator).collect();
        let whole = text.trim_start_matches(['-', '+']).split([',', '.']).next().unwrap_or_default();
        [b' ', b'\''].into_iter().any(|separator| {
            text.contains(char::from(separator))
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || b".,+-".contains(&byte) || byte == separator)
                && (self.thousands == Some(separator) || is_grouped(whole.as_bytes(), separator))
        })
    }

    /// The reading of a number beside a mark of its own; text, if it is no number in any notation.
    fn beside_mark(&self, text: &str, point_unclear: bool) -> Reading {
        let cell = without_unusual_space(text.trim().as_bytes());
        if !cell.first().is_some_and(|byte| byte.is_ascii_digit() || b"+-.,".contains(byte)) {
            return Reading::Text;
        }
        let (decimal_comma, thousands) = (self.decimal_comma, self.thousands);
        match (Self { decimal_comma, thousands, point_unclear, ..Self::default() }).reading(cell) {
            Reading::Identifier(value) => Reading::Number(value),
            reading if number(&reading).is_some() || reading == Reading::Malformed => reading,
            _ => Reading::Text,
        }
    }
}

/// The minus sign of typography.
const MINUS: char = '\u{2212}';

/// Every kind of space and of apostrophe as the plain one.
pub(super) fn plain_separator(c: char) -> char {
    match c {
        '\u{2019}' | '\u{2bc}' => '\'',
        c if c.is_whitespace() || UNUSUAL.contains(&c) => ' ',
        c => c,
    }
}

/// The text without a mark before or after it, with its sign first; `None` if there is no mark.
fn without_mark<'a>(text: &str, marks: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest.trim_start()),
        None => ("", text),
    };
    let same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
    let trim = |text: &str| text.trim_matches(|c: char| c.is_whitespace() || UNUSUAL.contains(&c)).to_owned();
    let mut marks: Vec<&str> = marks.into_iter().collect();
    marks.sort_by_key(|mark| std::cmp::Reverse(mark.len()));
    let number = marks.into_iter().find_map(|mark| {
        let before = rest.get(..mark.len()).filter(|start| same(start, mark)).map(|_| &rest[mark.len()..]);
        let after = || {
            let at = rest.len().checked_sub(mark.len())?;
            rest.get(at..).filter(|end| same(end, mark)).map(|_| &rest[..at])
        };
        before.or_else(after)
    })?;
    let number = trim(number);
    // "€ 12,-" and "€ 12,--" are whole.
    let number = number
        .trim_end_matches('-')
        .strip_suffix([',', '.'])
        .filter(|_| number.ends_with('-'))
        .unwrap_or(&number);
    Some(format!("{sign}{number}"))
}

/// True for `1.234` and `12.345.678`: groups of three digits, the first not beginning with 0.
pub(super) fn is_grouped(unsigned: &[u8], separator: u8) -> bool {
    let mut groups = unsigned.split(|byte| *byte == separator);
    let first = groups.next().unwrap_or_default();
    let three = |group: &[u8]| group.len() == 3 && group.iter().all(u8::is_ascii_digit);
    (1..=3).contains(&first.len())
        && first[0] != b'0'
        && first.iter().all(u8::is_ascii_digit)
        && unsigned.contains(&separator)
        && groups.all(three)
}

/// The number without its separators of thousands, or `None` where they do not stand between groups of three.
fn ungrouped(cell: &[u8], separator: u8, mark: u8) -> Option<Cow<'_, [u8]>> {
    let spaced;
    let cell = if b" '".contains(&separator) && !cell.is_ascii() {
        let text = std::str::from_utf8(cell).ok()?;
        spaced = text.chars().map(plain_separator).collect::<String>().into_bytes();
        Cow::Owned(spaced)
    } else {
        Cow::Borrowed(cell)
    };
    if !cell.contains(&separator) {
        return Some(cell);
    }
    let sign = usize::from(matches!(cell.first(), Some(b'-' | b'+')));
    let end = cell.iter().position(|byte| *byte == mark).unwrap_or(cell.len());
    if !is_grouped(&cell[sign..end], separator) || cell[end..].contains(&separator) {
        return None;
    }
    Some(Cow::Owned(cell.iter().copied().filter(|byte| *byte != separator).collect()))
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

fn is_word(cell: &[u8], words: &[String]) -> bool {
    words
        .iter()
        .any(|word| std::str::from_utf8(cell).is_ok_and(|cell| cell.to_lowercase() == word.to_lowercase()))
}

pub(super) fn one_of(cell: &[u8], words: &[&str]) -> bool {
    words.iter().any(|word| cell.eq_ignore_ascii_case(word.as_bytes()))
}

/// The three numbers of a date, and the place of the one with four digits.
fn parts(text: &str) -> Option<([u32; 3], usize)> {
    // A time may follow.
    let (text, time) = text.split_once([' ', 'T']).unwrap_or((text, "00:00"));
    if !time.bytes().all(|byte| byte.is_ascii_digit() || b":.".contains(&byte)) || !time.contains(':') {
        return None;
    }
    let mark = text.chars().find(|c| "-/.".contains(*c))?;
    let parts: Vec<&str> = text.split(mark).collect();
    let [a, b, c] = parts[..] else { return None };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if ![a, b, c].into_iter().all(digits) {
        return None;
    }
    let year = match [a.len(), b.len(), c.len()] {
        [4, 1 | 2, 1 | 2] => 0,
        [1 | 2, 1 | 2, 4] => 2,
        _ => return None,
    };
    Some(([a.parse().ok()?, b.parse().ok()?, c.parse().ok()?], year))
}

/// The orders of day, month and year in which a text is a date.
pub(super) fn orders(text: &str) -> Vec<DateOrder> {
    let orders = [DateOrder::DayMonthYear, DateOrder::MonthDayYear, DateOrder::YearMonthDay];
    orders.into_iter().filter(|order| date(text, *order).is_some()).collect()
}

fn looks_like_date(text: &str) -> bool {
    text.len() >= 8 && parts(text).is_some()
}

/// The days from 1970-01-01 to a date, or `None` if there is no such day.
pub(super) fn date(text: &str, order: DateOrder) -> Option<f64> {
    let ([a, b, c], year) = parts(text)?;
    let (day, month, year) = match (order, year) {
        (DateOrder::DayMonthYear, 2) => (a, b, c),
        (DateOrder::MonthDayYear, 2) => (b, a, c),
        (DateOrder::YearMonthDay, 0) => (c, b, a),
        _ => return None,
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Years begin on 1 March, so that the leap day is the last.
    let (y, m) = if month > 2 { (i64::from(year), month - 3) } else { (i64::from(year) - 1, month + 9) };
    let days = 365 * y + y.div_euclid(4) - y.div_euclid(100)
        + y.div_euclid(400)
        + i64::from((153 * m + 2) / 5 + day)
        - 719_469;
    Some(days as f64)
}
