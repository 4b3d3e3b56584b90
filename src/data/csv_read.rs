//! From the bytes of a file to a table, by the declarations of a reader.

use std::borrow::Cow;
use std::ops::Range;

use crate::compute::progress::Task;
use crate::compute::threads::in_parts;
use crate::data::csv::{CsvReader, Decimal};
use crate::data::csv_advice::{Bad, Known, of_shape};
use crate::data::csv_cell::{ColumnText, Kind, Rules, Scan, Scanned, Tally};
use crate::data::csv_gather::Gathered;
use crate::data::csv_number::{Notation, without_unusual_space};
use crate::data::csv_records::Records;
use crate::data::csv_text::{Declared, Text, windows_1252};
use crate::data::{Column, ColumnKind, Lines, Table, TableNotice};
use crate::error::{Error, ErrorKind, Result, counted};

/// The shape that every row has.
struct Layout<'a> {
    delimiter: u8,
    width: usize,
    /// What the shape of the text advises.
    shape: &'a (dyn Fn() -> String + Sync),
}

/// A part of the rows.
#[derive(Default)]
struct Part {
    rows: usize,
    /// The number of rows up to the last that is not empty.
    filled: usize,
    /// The number of empty cells beyond the width.
    extra: usize,
    lines: Lines,
    /// The number of line breaks.
    breaks: usize,
    scans: Vec<Option<Scan>>,
}

/// The parts that were read.
#[derive(Default)]
struct Whole {
    part: Part,
    scans: Vec<Option<Scanned>>,
}

impl Whole {
    /// Adds the rows of the next part. `share` is the length of the text in lengths of this part.
    fn append(&mut self, part: Part, share: f64) {
        let Self { part: own, scans } = self;
        if own.rows == 0 {
            *scans = part.scans.iter().map(|scan| scan.as_ref().map(|_| Scanned::default())).collect();
        }
        for (own, more) in scans.iter_mut().zip(part.scans) {
            if let (Some(own), Some(more)) = (own, more) {
                own.append(&more, share);
            }
        }
        if part.filled > 0 {
            own.filled = own.rows + part.filled;
        }
        for (row, line) in part.lines.starts() {
            own.lines.push(own.rows + row, own.breaks + line);
        }
        own.rows += part.rows;
        own.breaks += part.breaks;
        own.extra = own.extra.max(part.extra);
    }
}

/// The number of bytes that a thread reads at a time.
const PART: usize = 1 << 18;

/// The number of parts that are read before they are joined, so that their memory is used again.
const WAVE: usize = 16;

/// Parts of a text that begin at the beginning of a record.
fn split(text: &[u8], delimiter: u8, backslash: bool) -> Vec<Range<usize>> {
    let mut ends = Vec::new();
    let mut start = 0;
    if text.contains(&b'"') {
        // A line break may be part of a cell. What cannot be read is a part, and read again for its error.
        let mut records = Records::new(text, delimiter, backslash, 0);
        while matches!(records.advance(), Ok(true)) {
            if records.place() >= start + PART {
                start = records.place();
                ends.push(start);
            }
        }
    } else {
        while start + PART < text.len() {
            let rest = text[start + PART..].iter().position(|byte| *byte == b'\n');
            start = rest.map_or(text.len(), |at| start + PART + at + 1);
            ends.push(start);
        }
    }
    if ends.last() != Some(&text.len()) {
        ends.push(text.len());
    }
    let starts = std::iter::once(0).chain(ends.clone());
    starts.zip(ends).map(|(start, end)| start..end).collect()
}

/// The text of a file below its header.
struct TextOf<'a, 'l> {
    layout: &'a Layout<'l>,
    body: &'a [u8],
    parts: &'a [Range<usize>],
    names: &'a [String],
    rows: usize,
}

impl CsvReader {
    pub(super) fn read(&self, bytes: Cow<'_, [u8]>, what: &str) -> Result<Table> {
        let declared = Declared { encoding: self.encoding, skip_lines: self.skip_lines, what };
        let text = Text::new(bytes, &declared)?;
        let delimiter = self.check(text.delimiter)?;
        let mut records = Records::new(&text.bytes, delimiter, self.backslash_quotes, text.lines);
        let shape = || of_shape(&text.bytes, text.lines, self.skip_lines, delimiter, self.backslash_quotes);
        if !records.advance()? {
            return Err(format(format!(
                "{what} is empty; the first line must hold the names of the columns"
            )));
        }
        let named: Vec<&[u8]> = records.cells().map(|cell| self.trimmed(cell)).collect();
        let names = self.header(&named, what).map_err(|error| with_advice(error, &shape()))?;
        if let [name] = &names[..]
            && name.contains([';', ',', '\t', '|'])
        {
            let advice = shape();
            let dutch = self.decimal.is_none() && advice.contains("b';'");
            let profile = if dutch { ", or CsvReader::dutch_excel()" } else { "" };
            if !advice.is_empty() {
                return Err(format(format!("the header of {what} is one column, {name:?}{advice}{profile}")));
            }
        }
        let dropped = named.len() - names.len();
        self.check_columns(&names)?;
        for _ in 0..self.skip_after_header {
            records.advance()?;
        }
        let (body, before) = records.rest();
        let layout = Layout { delimiter, width: names.len(), shape: &shape };
        let rules: Vec<Option<(Rules, Option<Kind>)>> =
            names.iter().map(|name| self.rules(name, delimiter)).collect();
        let parts = split(body, delimiter, self.backslash_quotes);
        // Each part is read once for numbers, and once more for the other columns.
        let task = Task::start("bytes", 2 * body.len() as u64);
        let mut whole = Whole::default();
        (whole.part.breaks, whole.part.extra) = (before, dropped);
        for wave in parts.chunks(WAVE) {
            let scan = |range: Range<usize>| -> Vec<(usize, Result<Part>)> {
                let scan = |part: &Range<usize>| {
                    let scanned = self.scan(&layout, &body[part.clone()], &rules);
                    (
                        part.len(),
                        scanned.and_then(|scanned| Ok((task.advance(part.len() as u64)?, scanned).1)),
                    )
                };
                wave[range].iter().map(scan).collect()
            };
            for (length, part) in in_parts(wave.len(), 1, true, scan).into_iter().flatten() {
                let part = part.map_err(|error| error.below(whole.part.rows, whole.part.breaks))?;
                whole.append(part, body.len() as f64 / length.max(1) as f64);
            }
        }
        let Whole { part: Part { mut rows, filled, extra, lines, .. }, scans } = whole;
        let mut notices = text.notices;
        if self.drop_empty_edges {
            if filled < rows {
                notices.push(TableNotice::EmptyRows { rows: rows - filled });
                rows = filled;
            }
            if extra > 0 {
                notices.push(TableNotice::EmptyColumns { columns: extra });
            }
        }
        if rows == 0 {
            return Err(format(format!("{what} has a header, but no rows; check the file")));
        }

        // Columns of numbers are ready; the others need their text.
        let mut gathered: Vec<Option<Gathered<'_>>> = Vec::new();
        let mut columns: Vec<Option<Column>> = Vec::new();
        for (scan, rules) in scans.into_iter().zip(&rules) {
            let Some((rules, kind)) = rules else {
                gathered.push(None);
                columns.push(None);
                continue;
            };
            let column = scan.map_or(Err(Tally::default()), |mut scanned| {
                scanned.values.truncate(rows);
                Rules::settled(scanned, *kind)
            });
            gathered.push(column.as_ref().err().map(|tally| Gathered::new(rules, *kind, *tally)));
            columns.push(column.ok());
        }
        let text_of = TextOf { layout: &layout, body, parts: &parts, names: &names, rows };
        self.gather_all(&text_of, &mut gathered, &task)?;
        let mut table = Table::new();
        let mut bad = Bad::default();
        for ((name, column), gathered) in names.iter().zip(columns).zip(gathered) {
            match (column, gathered.map(Gathered::column)) {
                (Some(column), _) | (None, Some(Ok(column))) => table = table.with_column(name, column)?,
                (None, Some(Err(cells))) => bad.push(name, cells),
                (None, None) => {}
            }
        }
        let known = Known {
            decimal_comma: matches!(self.decimal, Some(Decimal::Comma | Decimal::QuotedComma)),
            comma: if delimiter == b',' { ".quoted_decimal_comma()" } else { ".decimal_comma()" },
            rows,
        };
        let error = bad.into_error(&known, |row| lines.of(row));
        error.map_or_else(|| Ok(table.with_notices(notices).with_lines(lines)), Err)
    }

    /// Gathers the text of the columns that are no numbers.
    fn gather_all(
        &self,
        of: &TextOf<'_, '_>,
        columns: &mut [Option<Gathered<'_>>],
        task: &Task,
    ) -> Result<()> {
        let wanted: Vec<bool> = columns.iter().map(Option::is_some).collect();
        if !wanted.contains(&true) {
            return Ok(());
        }
        let mut left = of.rows;
        for wave in of.parts.chunks(WAVE) {
            let gather = |range: Range<usize>| -> Result<Vec<Vec<ColumnText>>> {
                let gather = |part: &Range<usize>| {
                    task.advance(part.len() as u64)?;
                    Ok(self.gather(of.layout, &of.body[part.clone()], &wanted))
                };
                wave[range].iter().map(gather).collect()
            };
            for parts in in_parts(wave.len(), 1, true, gather) {
                for texts in parts? {
                    let cells = texts.iter().map(ColumnText::len).max().unwrap_or(0).min(left);
                    for ((column, text), name) in columns.iter_mut().zip(&texts).zip(of.names) {
                        let Some(column) = column else { continue };
                        let mut cells = text.cells().take(cells);
                        cells
                            .try_for_each(|cell| column.push(cell))
                            .map_err(|error| error.in_column(name))?;
                    }
                    left -= cells;
                }
            }
        }
        Ok(())
    }

    /// Reads a part of the rows: their numbers, and how many there are.
    fn scan(
        &self,
        layout: &Layout<'_>,
        text: &[u8],
        rules: &[Option<(Rules, Option<Kind>)>],
    ) -> Result<Part> {
        let numeric =
            |kind: Option<Kind>| matches!(kind, None | Some(Kind::Of(ColumnKind::Real | ColumnKind::Count)));
        let scan = |rules: &Option<(Rules, Option<Kind>)>| {
            // A guess of the rows saves most of the growth.
            let rows = text.len() / (4 * layout.width) + 1;
            rules.as_ref().filter(|(_, kind)| numeric(*kind)).map(|_| Scan::of(rows))
        };
        let mut scans: Vec<Option<Scan>> = rules.iter().map(scan).collect();
        let mut part = self.rows(layout, text, |records| {
            for ((scan, rules), cell) in scans.iter_mut().zip(rules).zip(records.cells()) {
                if let (Some(scan), Some((rules, _))) = (scan, rules) {
                    rules.scan(cell, scan);
                }
            }
        })?;
        part.scans = scans;
        Ok(part)
    }

    /// The text of these columns in a part of the rows that was scanned before.
    fn gather(&self, layout: &Layout<'_>, text: &[u8], wanted: &[bool]) -> Vec<ColumnText> {
        let mut texts: Vec<ColumnText> = wanted.iter().map(|_| ColumnText::default()).collect();
        let done = self.rows(layout, text, |records| {
            for ((text, wanted), cell) in texts.iter_mut().zip(wanted).zip(records.cells()) {
                if *wanted {
                    text.push(cell);
                }
            }
        });
        debug_assert!(done.is_ok(), "a part that was scanned");
        texts
    }

    /// Calls `each` for every row of a part of the text.
    fn rows(&self, layout: &Layout<'_>, text: &[u8], mut each: impl FnMut(&Records<'_>)) -> Result<Part> {
        let mut records = Records::new(text, layout.delimiter, self.backslash_quotes, 0);
        let mut part = Part::default();
        let blank = |cell: &[u8]| cell.trim_ascii().is_empty();
        loop {
            match records.advance() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => return Err(error.in_row(part.rows).in_line(records.line())),
            }
            if records.len() != layout.width {
                if records.len() == 1 && records.cells().all(blank) {
                    continue;
                }
                let beyond = records.len().saturating_sub(layout.width);
                let empty = beyond > 0 && records.cells().skip(layout.width).all(blank);
                if !(empty && self.drop_empty_edges) {
                    let more = "; .drop_empty_edges() leaves the empty ones out";
                    let more = if empty { more.to_owned() } else { (layout.shape)() };
                    let error = ragged(&records, layout.width, &more);
                    return Err(error.in_row(part.rows).in_line(records.line()));
                }
                part.extra = part.extra.max(beyond);
            }
            each(&records);
            part.lines.push(part.rows, records.line());
            part.rows += 1;
            if self.drop_empty_edges && !records.cells().all(blank) {
                part.filled = part.rows;
            }
        }
        part.breaks = records.rest().1;
        Ok(part)
    }

    /// The rules of a column; `None` for one that is not asked for.
    fn rules(&self, name: &String, delimiter: u8) -> Option<(Rules, Option<Kind>)> {
        if self.only.as_ref().is_some_and(|only| !only.contains(name)) {
            return None;
        }
        let kind = self.kinds.iter().find(|declared| declared.column == *name).map(|declared| declared.kind);
        let here = self.missing_in.iter().filter(|missing| missing.column == *name);
        let codes = self.missing.iter().chain(here.flat_map(|missing| &missing.codes)).map(String::as_str);
        Some((Rules::new(self.notation(delimiter, kind), self.no_break_space, codes), kind))
    }

    /// The delimiter, if the declarations agree.
    fn check(&self, named: Option<u8>) -> Result<u8> {
        let delimiter = match (named, self.delimiter) {
            (Some(named), Some(declared)) if named != declared => {
                return Err(Error::invalid(format!(
                    "the first line names {:?} as the delimiter, but .delimiter(b{:?}) is declared; declare .delimiter(b{:?})",
                    char::from(named),
                    char::from(declared),
                    char::from(named)
                )));
            }
            (named, declared) => named.or(declared).unwrap_or(b','),
        };
        if !delimiter.is_ascii() || delimiter.is_ascii_alphanumeric() || b"\"\r\n.+- \\".contains(&delimiter)
        {
            return Err(Error::invalid(format!(
                "{:?} cannot separate cells; use ',' or ';' or '\\t'",
                char::from(delimiter)
            )));
        }
        if self.decimal == Some(Decimal::Comma) && delimiter == b',' {
            return Err(Error::invalid(
                "a comma cannot be both the decimal comma and the delimiter; declare another delimiter, such as b';', or \
                 .quoted_decimal_comma() where numbers with decimals are quoted",
            ));
        }
        let decimal_comma = matches!(self.decimal, Some(Decimal::Comma | Decimal::QuotedComma));
        if let Some(thousands) = self.thousands
            && (!b"., '_".contains(&thousands)
                || (thousands == b',') == decimal_comma && b",.".contains(&thousands))
        {
            return Err(Error::invalid(format!(
                "{:?} cannot separate thousands where the decimal sign is a {}; use the other one, or a space",
                char::from(thousands),
                if decimal_comma { "comma" } else { "point" }
            )));
        }
        for (index, declared) in self.kinds.iter().enumerate() {
            let other = self.kinds[..index].iter().find(|other| other.column == declared.column);
            if let Some(other) = other.filter(|other| other.kind != declared.kind) {
                return Err(Error::invalid(format!(
                    "is declared to hold {} and to hold {}; keep one of them",
                    words(other.kind),
                    words(declared.kind)
                ))
                .in_column(&declared.column));
            }
        }
        Ok(delimiter)
    }

    /// An error for a declared column that does not exist.
    fn check_columns(&self, names: &[String]) -> Result<()> {
        let declared = self.kinds.iter().map(|declared| &declared.column);
        let missing_in = self.missing_in.iter().map(|missing| &missing.column);
        let only = self.only.iter().flatten();
        match declared.chain(missing_in).chain(only).find(|column| !names.contains(column)) {
            None => Ok(()),
            Some(name) => Err(ErrorKind::UnknownColumn { name: name.clone(), known: names.to_vec() }.into()),
        }
    }

    fn trimmed<'a>(&self, cell: &'a [u8]) -> &'a [u8] {
        let cell = cell.trim_ascii();
        if self.no_break_space { without_unusual_space(cell) } else { cell }
    }

    /// The names of the columns.
    fn header(&self, cells: &[&[u8]], what: &str) -> Result<Vec<String>> {
        let last = cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
        let width = if self.drop_empty_edges { last.max(1) } else { cells.len() };
        let mut names: Vec<String> = Vec::with_capacity(width);
        for (index, cell) in cells[..width].iter().enumerate() {
            let name = std::str::from_utf8(cell).map_err(|_| {
                format(format!(
                    "the header of {what} is not text in UTF-8; save the file as CSV in UTF-8, or declare \
                     .encoding(Encoding::Windows1252), by which this name is {:?}",
                    windows_1252(cell)
                ))
            })?;
            if name.is_empty() {
                let edge = if index >= last { ", or declare .drop_empty_edges()" } else { "" };
                return Err(format(format!(
                    "column {} has no name in the header of {what}; give it one, or delete the column \
                     (row names, a delimiter at the end of each line){edge}",
                    index + 1
                )));
            }
            if names.iter().any(|other| other == name) {
                return Err(
                    format("the header has this name twice; give each column its own name").in_column(name)
                );
            }
            names.push(name.to_owned());
        }
        Ok(names)
    }

    /// The notation of the cells of a column of this kind.
    fn notation(&self, delimiter: u8, kind: Option<Kind>) -> Notation {
        let undeclared = self.decimal.is_none() && self.thousands.is_none();
        Notation {
            decimal_comma: matches!(self.decimal, Some(Decimal::Comma | Decimal::QuotedComma)),
            thousands: self.thousands,
            point_unclear: undeclared && delimiter != b',',
            amounts_unclear: undeclared,
            currency: self.currency.clone(),
            percent: self.percent,
            dates: if let Some(Kind::Date(order)) = kind { Some(order) } else { self.dates },
            yes: self.yes.clone(),
            no: self.no.clone(),
            negatives: self.negatives,
        }
    }
}

fn words(kind: Kind) -> String {
    match kind {
        Kind::Of(kind) => kind.to_string(),
        Kind::Date(order) => format!("dates ({order:?})"),
    }
}

fn format(why: impl Into<String>) -> Error {
    ErrorKind::Format(why.into()).into()
}

/// The error with words about the shape of the text at its end.
fn with_advice(error: Error, advice: &str) -> Error {
    match error.kind() {
        ErrorKind::Format(why) if !why.contains(".delimiter(") => {
            error.clone().with_kind(ErrorKind::Format(why.clone() + advice))
        }
        _ => error,
    }
}

fn ragged(records: &Records<'_>, width: usize, more: &str) -> Error {
    let begin: String =
        records.cells().next().map(String::from_utf8_lossy).unwrap_or_default().chars().take(40).collect();
    format(format!(
        "the row that begins with {begin:?} has {}, but the header has {width}; quote cells \
         that hold the delimiter, and close every quote{more}",
        counted(records.len(), "cell")
    ))
}
