//! From the bytes of a file to a table, by the declarations of a reader.

use crate::data::csv::{CsvReader, Decimal};
use crate::data::csv_advice::{Bad, Known, of_shape};
use crate::data::csv_cell::{ColumnText, Kind, Rules};
use crate::data::csv_number::{Notation, without_unusual_space};
use crate::data::csv_records::Records;
use crate::data::csv_text::{Declared, Text, windows_1252};
use crate::data::{Table, TableNotice};
use crate::error::{Error, ErrorKind, Result};

/// The lines of the rows: a row and its line wherever the difference of both changes.
#[derive(Default)]
struct Lines(Vec<(usize, usize)>);

impl Lines {
    fn push(&mut self, row: usize, line: usize) {
        if self.0.last().is_none_or(|(last, at)| at + (row - last) != line) {
            self.0.push((row, line));
        }
    }

    fn of(&self, row: usize) -> usize {
        let after = self.0.partition_point(|(first, _)| *first <= row);
        self.0.get(after.wrapping_sub(1)).map_or(row + 1, |(first, line)| line + (row - first))
    }
}

impl CsvReader {
    pub(super) fn read(&self, bytes: Vec<u8>, what: &str) -> Result<Table> {
        let declared = Declared { encoding: self.encoding, skip_lines: self.skip_lines, what };
        let text = Text::new(bytes, &declared)?;
        let delimiter = self.check(text.delimiter)?;
        let mut records = Records::new(&text.bytes, delimiter, self.backslash_quotes, text.lines);
        let shape = || of_shape(&text.bytes, text.lines, delimiter, self.backslash_quotes);
        if !records.advance()? {
            return Err(format(format!(
                "{what} is empty; the first line must hold the names of the columns"
            )));
        }
        let named: Vec<&[u8]> = records.cells().map(|cell| self.trimmed(cell)).collect();
        let names = self.header(&named, what).map_err(|error| error.in_line(records.line()));
        let names = names.map_err(|error| with_advice(error, &shape()))?;
        let dropped = named.len() - names.len();
        self.check_columns(&names)?;
        let mut columns: Vec<Option<ColumnText>> = names
            .iter()
            .map(|name| self.only.as_ref().is_none_or(|only| only.contains(name)).then(ColumnText::default))
            .collect();

        let (mut rows, mut filled, mut extra, mut lines) = (0, 0, dropped, Lines::default());
        for _ in 0..self.skip_after_header {
            records.advance()?;
        }
        loop {
            match records.advance() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => return Err(error.in_row(rows).in_line(records.line())),
            }
            if records.len() != names.len() {
                let blank = |cell: &[u8]| cell.trim_ascii().is_empty();
                if records.len() == 1 && records.cells().all(blank) {
                    continue;
                }
                let beyond = records.len().saturating_sub(names.len());
                let empty = beyond > 0 && records.cells().skip(names.len()).all(blank);
                if !(empty && self.drop_empty_edges) {
                    let more = if empty {
                        "; .drop_empty_edges() leaves the empty ones out".to_owned()
                    } else {
                        shape()
                    };
                    let error = ragged(&records, names.len(), &more);
                    return Err(error.in_row(rows).in_line(records.line()));
                }
                extra = extra.max(beyond);
            }
            let mut any = false;
            for (column, cell) in columns.iter_mut().zip(records.cells()) {
                any |= !cell.is_empty();
                if let Some(column) = column {
                    column.push(cell);
                }
            }
            lines.push(rows, records.line());
            rows += 1;
            if any {
                filled = rows;
            }
        }
        let mut notices = text.notices;
        if self.drop_empty_edges {
            if filled < rows {
                columns.iter_mut().flatten().for_each(|column| column.truncate(filled));
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
        let table = self.table(&names, columns, delimiter, &lines, rows)?;
        Ok(table.with_notices(notices))
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
        if let [name] = &names[..]
            && let Some(other) = [';', ',', '\t'].into_iter().find(|other| name.contains(*other))
        {
            let profile = if other == ';' { ", or CsvReader::dutch_excel()" } else { "" };
            return Err(format(format!(
                "the header of {what} is one column, {name:?}; if {other:?} separates the columns, declare \
                 .delimiter(b{other:?}){profile}"
            )));
        }
        crate::data::twins::check_twins(names.iter().map(String::as_str))?;
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
        }
    }

    fn table(
        &self,
        names: &[String],
        columns: Vec<Option<ColumnText>>,
        delimiter: u8,
        lines: &Lines,
        rows: usize,
    ) -> Result<Table> {
        let mut table = Table::new();
        let mut bad = Bad::default();
        for (name, text) in names.iter().zip(columns) {
            let Some(text) = text else { continue };
            let kind =
                self.kinds.iter().find(|declared| declared.column == *name).map(|declared| declared.kind);
            let here = self.missing_in.iter().filter(|missing| missing.column == *name);
            let codes =
                self.missing.iter().chain(here.flat_map(|missing| &missing.codes)).map(String::as_str);
            let rules = Rules::new(self.notation(delimiter, kind), self.no_break_space, codes);
            match rules.column(&text, kind).map_err(|error| error.in_column(name))? {
                Ok(column) if column.len() == rows => table = table.with_column(name, column)?,
                Ok(_) => {}
                Err(cells) => bad.push(name, cells),
            }
        }
        let known = Known {
            decimal_comma: matches!(self.decimal, Some(Decimal::Comma | Decimal::QuotedComma)),
            comma: if delimiter == b',' { ".quoted_decimal_comma()" } else { ".decimal_comma()" },
            rows,
        };
        bad.into_error(&known, |row| lines.of(row)).map_or(Ok(table), Err)
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
        "the row that begins with {begin:?} has {} cells, but the header has {width}; quote cells \
         that hold the delimiter, and close every quote{more}",
        records.len()
    ))
}
