//! From the cells of a file that could not be read, and from its shape, to the calls that would read it.

use std::collections::BTreeMap;

use crate::data::csv_cell::{BadText, DATE, MIXED, ORDER, UNCLEAR, UTF8};
use crate::data::csv_gather::BadCells;
use crate::data::csv_number::{CURRENCIES, DateOrder, Reading, is_grouped, orders, plain_separator};
use crate::data::csv_records::Records;
use crate::data::csv_text::windows_1252;
use crate::error::{BadCell, Error, ErrorKind};

/// The largest number of bad cells that an error lists.
const LISTED: usize = 20;

/// The largest number of characters of a bad cell that an error shows.
const SHOWN: usize = 60;

/// The largest number of codes that are advised as missing values of a column.
const CODES: usize = 5;

/// The number of lines whose shape is looked at.
const LINES: usize = 50;

/// The bad cells of a file, by column.
#[derive(Default)]
pub(super) struct Bad {
    columns: Vec<(String, Vec<BadText>)>,
    total: usize,
}

/// What is known of the file.
pub(super) struct Known {
    pub decimal_comma: bool,
    /// The call that declares a decimal comma.
    pub comma: &'static str,
    pub rows: usize,
}

impl Bad {
    pub(super) fn push(&mut self, column: &str, bad: BadCells) {
        self.total += bad.total;
        self.columns.push((column.to_owned(), bad.cells));
    }

    /// The error that lists the first of them, at least one of every column, if there are any.
    pub(super) fn into_error(self, known: &Known, line: impl Fn(usize) -> usize) -> Option<Error> {
        let total = self.total;
        if total == 0 {
            return None;
        }
        let mut listed: Vec<(usize, usize)> = Vec::new();
        let first = (0..self.columns.len()).map(|column| (column, 0));
        listed.extend(first.filter(|(column, _)| !self.columns[*column].1.is_empty()).take(LISTED));
        let mut others: Vec<(usize, usize)> = self
            .columns
            .iter()
            .enumerate()
            .flat_map(|(column, (_, cells))| (1..cells.len().min(LISTED)).map(move |cell| (column, cell)))
            .collect();
        let row = |place: &(usize, usize)| self.columns[place.0].1[place.1].row;
        others.sort_by_key(row);
        listed.extend(others.into_iter().take(LISTED - listed.len()));
        listed.sort_by_key(row);
        let bad_cell = |(column, cell): (usize, usize)| {
            let (name, cells) = &self.columns[column];
            let BadText { row, found, expected, .. } = &cells[cell];
            BadCell { column: name.clone(), row: row + 1, line: line(*row), found: shown(found), expected }
        };
        let cells = listed.into_iter().map(bad_cell).collect();
        Some(ErrorKind::BadCells { cells, total, advice: self.advice(known) }.into())
    }

    /// The calls that would read the cells, each once.
    fn advice(&self, known: &Known) -> Vec<String> {
        let mut advice: Vec<String> = Vec::new();
        let mut codes: BTreeMap<Vec<String>, Vec<&str>> = BTreeMap::new();
        let last = self.columns.iter().flat_map(|(_, cells)| cells).map(|cell| cell.row).max().unwrap_or(0);
        let first = self.columns.iter().filter(|(_, cells)| cells.first().is_some_and(|cell| cell.row == 0));
        if last < 2 && known.rows > last + 2 && first.count() > 1 {
            advice.push(format!(
                ".skip_after_header({}) if the first rows hold the texts of questions",
                last + 1
            ));
        }
        for (name, cells) in &self.columns {
            let mut calls: Vec<String> = Vec::new();
            let mut words: Vec<&BadText> = Vec::new();
            for cell in cells {
                match of_cell(cell, known) {
                    Some(call)
                        if calls.len() < CODES && !calls.iter().any(|other| head(other) == head(&call)) =>
                    {
                        calls.push(call);
                    }
                    Some(_) => {}
                    None => words.push(cell),
                }
            }
            if let Some(call) = of_dates(name, cells) {
                calls.push(call);
                words.retain(|cell| cell.expected != DATE && cell.expected != ORDER);
            }
            if !words.is_empty() && words.iter().all(|cell| is_flag(cell.reading)) {
                calls.push(format!(".flag({name:?})"));
            } else if !words.is_empty() {
                let mut distinct: Vec<String> = words.iter().map(|cell| shown(&cell.found)).collect();
                distinct.sort();
                distinct.dedup();
                if distinct.len() > CODES {
                    calls.push(format!(".category({name:?})"));
                } else {
                    codes.entry(distinct).or_default().push(name);
                }
            }
            for call in calls {
                if !advice.iter().any(|other| head(other) == head(&call)) {
                    advice.push(call);
                }
            }
        }
        for (codes, columns) in codes {
            let categories: Vec<String> = columns.iter().map(|name| format!(".category({name:?})")).collect();
            let missing = match &columns[..] {
                [name] => format!(".missing_in({name:?}, {codes:?})"),
                _ => format!(".missing({codes:?})"),
            };
            advice.push(format!("{missing} where a value is missing, or {} for labels", categories.join("")));
        }
        advice
    }
}

/// The call without the words after it.
fn head(call: &str) -> &str {
    let end = [" where ", ", by which "].iter().filter_map(|words| call.find(words)).min();
    &call[..end.unwrap_or(call.len())]
}

fn shown(cell: &[u8]) -> String {
    let mut found = String::from_utf8_lossy(cell).into_owned();
    if let Some((end, _)) = found.char_indices().nth(SHOWN) {
        found.truncate(end);
        found.push('…');
    }
    found
}

fn is_flag(reading: Reading) -> bool {
    matches!(reading, Reading::Flag(_) | Reading::Letter(_))
}

/// The call that reads dates in the order that most cells have.
fn of_dates(name: &str, cells: &[BadText]) -> Option<String> {
    let dates: Vec<Vec<DateOrder>> = cells
        .iter()
        .filter(|cell| cell.expected == DATE || cell.expected == ORDER)
        .map(|cell| orders(&String::from_utf8_lossy(&cell.found)))
        .collect();
    if dates.is_empty() {
        return None;
    }
    let all = [DateOrder::DayMonthYear, DateOrder::MonthDayYear, DateOrder::YearMonthDay];
    let fits = |order: &DateOrder| dates.iter().filter(|orders| orders.contains(order)).count();
    let most = all.iter().map(fits).max().unwrap_or(0);
    // Of two notations in one column neither is the right one.
    let clear = 4 * most >= 3 * dates.len();
    let fitting = all.iter().filter(|order| clear && fits(order) == most);
    let calls = fitting.map(|order| format!(".date({name:?}, DateOrder::{order:?})"));
    let calls: Vec<String> = calls.chain([format!(".category({name:?})")]).collect();
    Some(calls.join(" or "))
}

/// The call that reads a cell, where it is one for the whole file.
fn of_cell(cell: &BadText, known: &Known) -> Option<String> {
    let text = String::from_utf8_lossy(&cell.found);
    let shown = shown(&cell.found);
    match cell.reading {
        _ if cell.expected == UTF8 => Some(format!(
            ".encoding(Encoding::Windows1252), by which {shown:?} is {:?}",
            windows_1252(&cell.found)
        )),
        Reading::Unclear(_) if cell.expected == UNCLEAR || !known.decimal_comma => Some(format!(
            ".decimal_comma().thousands(b'.') where {shown} is {}, or .decimal_point() where it has decimals",
            text.replace('.', "")
        )),
        Reading::Percent(None) => Some(".percent(Percent::AsWritten)".to_owned()),
        Reading::Amount => {
            let lower = text.to_lowercase();
            let mark = CURRENCIES.iter().rev().find(|mark| lower.contains(&mark.to_lowercase()));
            mark.map(|mark| {
                let at = lower.find(&mark.to_lowercase()).unwrap_or(0);
                let found = text.get(at..at + mark.len()).unwrap_or(mark);
                format!(".currency([{found:?}])")
            })
        }
        Reading::Malformed => of_number(&text, known),
        Reading::Accounting => {
            let digits: String = text.chars().filter(|c| !"()-".contains(*c)).collect();
            Some(format!(".accounting_negatives() where {} is -{}", text.trim(), digits.trim()))
        }
        _ if cell.expected == MIXED || is_flag(cell.reading) || cell.reading == Reading::Text => None,
        _ => None,
    }
}

/// The call that reads digits, points and commas.
fn of_number(text: &str, known: &Known) -> Option<String> {
    // Without a currency or a per cent sign.
    let text = text.trim_matches(|c: char| !c.is_ascii_digit() && !"+-.,".contains(c));
    let plain: String = text.chars().map(plain_separator).collect();
    let unsigned = plain.trim_start_matches(['-', '+']);
    let grouped = |text: &str, mark: u8| is_grouped(text.as_bytes(), mark);
    let (whole_comma, whole_point) =
        (unsigned.split(',').next().unwrap_or_default(), unsigned.split('.').next().unwrap_or_default());
    for (separator, call) in [(b' ', ".thousands(b' ')"), (b'\'', ".thousands(b'\\'')")] {
        if unsigned.contains(char::from(separator)) {
            let whole = if known.decimal_comma { whole_comma } else { whole_point };
            return grouped(whole, separator).then(|| call.to_owned());
        }
    }
    if known.decimal_comma {
        let one = unsigned.matches(',').count() <= 1;
        return (one && grouped(whole_comma, b'.')).then(|| ".thousands(b'.')".to_owned());
    }
    let comma = known.comma;
    match (unsigned.matches(',').count(), unsigned.matches('.').count()) {
        (1, 0) if grouped(unsigned, b',') => Some(format!(
            "{comma} where {text} has decimals, or .thousands(b',') where it is {}",
            unsigned.replace(',', "")
        )),
        (1, 0) => Some(comma.to_owned()),
        (1, _) if grouped(whole_comma, b'.') => Some(format!("{comma}.thousands(b'.')")),
        (_, 0 | 1) if grouped(whole_point, b',') => Some(".thousands(b',')".to_owned()),
        (0, _) if grouped(unsigned, b'.') => Some(format!("{comma}.thousands(b'.')")),
        _ => None,
    }
}

/// The calls that would give the first lines of a text the shape of a table, in words after `; `; empty where
/// nothing is found. `lines` lie before the text, of which `skipped` were declared.
pub(super) fn of_shape(text: &[u8], lines: usize, skipped: usize, delimiter: u8, backslash: bool) -> String {
    let shape = |delimiter: u8| {
        let mut records = Records::new(text, delimiter, backslash, lines);
        let mut widths: Vec<(usize, usize, usize, bool)> = Vec::new();
        while widths.len() < LINES && matches!(records.advance(), Ok(true)) {
            let filled = records.cells().filter(|cell| !cell.trim_ascii().is_empty()).count();
            let numbers =
                records.cells().any(|cell| cell.trim_ascii().first().is_some_and(u8::is_ascii_digit));
            widths.push((records.len(), records.line(), filled, numbers));
        }
        let common = |width: usize| widths.iter().filter(|(other, ..)| *other == width).count();
        let width =
            widths.iter().map(|(width, ..)| *width).max_by_key(|width| (common(*width), *width)).unwrap_or(0);
        // A line of this width with names in most of its cells is a header that lacks some, and no title; one
        // with numbers is none.
        let header = widths.iter().find(|(other, _, filled, _)| *other == width && 2 * filled > width);
        let header = header.filter(|(.., numbers)| !numbers).map(|(_, line, ..)| *line);
        (if width > 1 { common(width) } else { 0 }, width, header)
    };
    let best = [delimiter, b';', b',', b'\t', b'|'].into_iter().map(|other| (other, shape(other)));
    let Some((best, (agree, _, header))) =
        best.max_by_key(|(other, (agree, width, _))| (*agree, usize::from(*other == delimiter), *width))
    else {
        return String::new();
    };
    let mut calls = Vec::new();
    if best != delimiter && agree > 0 {
        calls.push(format!(".delimiter(b{:?})", char::from(best)));
    }
    match header {
        Some(line) if agree > 1 && line > lines + 1 => {
            calls.push(format!(".skip_lines({})", skipped + line - 1 - lines));
        }
        _ => {}
    }
    if calls.is_empty() {
        String::new()
    } else {
        format!("; the text looks as if it needs {}", calls.join(""))
    }
}
