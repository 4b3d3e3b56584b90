//! Tables from CSV text.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use ::csv::{ByteRecord, ReaderBuilder};

use crate::data::csv_cell::{Bad, ColumnText, Rules};
use crate::data::{ColumnKind, Table};
use crate::error::{Error, ErrorKind, Result};

/// Reads a [`Table`] from CSV text: a header line with the names of the columns, then one line for each row.
///
/// [`CsvReader::new`] reads comma separated cells with decimal points, where an empty cell is missing, and
/// finds the kind of each column by itself (see below). Declare what a file does differently. The text is
/// UTF-8, with or without a byte order mark; lines end in LF or CRLF; cells may be quoted by `"`. Blank lines
/// are skipped (a line of delimiters only is a row in which every cell is missing), and space around cells
/// and names does not count.
///
/// ```
/// use armwise::data::{ColumnKind, CsvReader};
///
/// let text = "arm;age;hours;permanent\ncontrol;34;31,5;ja\nguidance;-99;NA;nee\n";
/// let table = CsvReader::new()
///     .delimiter(b';')
///     .decimal_comma()
///     .missing(["NA"])
///     .missing_in("age", ["-99"])
///     .text(text)?;
/// assert_eq!(table.column("age")?.kind(), ColumnKind::Count);
/// assert_eq!(table.column("hours")?.reals()?.collect::<Vec<_>>(), [Some(31.5), None]);
/// assert_eq!(
///     table.column("permanent")?.flags()?.collect::<Vec<_>>(),
///     [Some(true), Some(false)]
/// );
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # Missing cells
/// An empty cell is missing. Other codes are declared by [`missing`](CsvReader::missing) and
/// [`missing_in`](CsvReader::missing_in), never guessed. A code that is a number stands for that number in
/// any notation: `-99` also for `-99.0`.
///
/// # The kind of a column
/// The cells that are not missing decide what an undeclared column holds:
/// - flags, if every cell is one of yes, no, true, false, ja, nee (in upper or lower case);
/// - counts, if every cell is a whole number of 0 or more;
/// - categories, if every cell is a whole number, and some have a superfluous leading 0 (`0344`) or are 2^53
///   or more: those are identifiers;
/// - real numbers, if every cell is a number, or if all cells are missing;
/// - categories, if no cell is a number.
///
/// If some cells are numbers and some are not, that is an error: either a code of missing values was not
/// declared, or a cell is wrong, or the column is one of categories and should be declared so by
/// [`category`](CsvReader::category). Likewise for `nan` and `inf`, numbers that are too large, and digits
/// with points and commas that are not a number, such as `1.234,5`: thousands separators are not guessed.
///
/// # Errors
/// All bad cells of a file are reported by one error (`bad_cells`), which lists the first 20 and counts all
/// of them:
/// ```
/// use armwise::{ErrorKind, Table};
///
/// let error = Table::from_csv_str("arm,age\ncontrol,34\nguidance,unknown\n").unwrap_err();
/// let ErrorKind::BadCells { cells, total: 1 } = error.kind() else { panic!("{error}") };
/// assert_eq!(
///     (cells[0].column.as_str(), cells[0].row, cells[0].found.as_str()),
///     ("age", 2, "unknown")
/// );
/// ```
/// Other errors: `io` for a file that cannot be read; `format` for an empty file, a header without rows,
/// names of columns that are empty or occur twice, and a row with more or fewer cells than the header;
/// `unknown_column` for a declared column that the file does not have; `invalid_input` for declarations that
/// contradict each other.
#[derive(Debug, Clone, PartialEq)]
pub struct CsvReader {
    delimiter: u8,
    decimal_comma: bool,
    missing: Vec<String>,
    missing_in: Vec<MissingIn>,
    kinds: Vec<Declared>,
    only: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq)]
struct MissingIn {
    column: String,
    codes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
struct Declared {
    column: String,
    kind: ColumnKind,
}

impl Default for CsvReader {
    fn default() -> Self {
        Self::new()
    }
}

impl CsvReader {
    /// Comma separated cells, decimal points, and nothing declared.
    pub fn new() -> Self {
        Self {
            delimiter: b',',
            decimal_comma: false,
            missing: Vec::new(),
            missing_in: Vec::new(),
            kinds: Vec::new(),
            only: None,
        }
    }

    /// The character between cells, such as `b';'` or `b'\t'`. Default: `b','`.
    #[must_use]
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = delimiter;
        self
    }

    /// Numbers have a decimal comma (`2,5`), as in Dutch exports. The delimiter must then be another
    /// character, and a point in a number is an error. Default: a decimal point.
    #[must_use]
    pub fn decimal_comma(mut self) -> Self {
        self.decimal_comma = true;
        self
    }

    /// Cells that stand for a missing value in every column, besides empty ones.
    #[must_use]
    pub fn missing<S: Into<String>>(mut self, codes: impl IntoIterator<Item = S>) -> Self {
        self.missing.extend(codes.into_iter().map(Into::into));
        self
    }

    /// Cells that stand for a missing value in one column, besides those of [`CsvReader::missing`].
    #[must_use]
    pub fn missing_in<S: Into<String>>(mut self, column: &str, codes: impl IntoIterator<Item = S>) -> Self {
        let codes = codes.into_iter().map(Into::into).collect();
        self.missing_in.push(MissingIn { column: column.to_owned(), codes });
        self
    }

    /// Reads the column as real numbers.
    #[must_use]
    pub fn real(self, column: &str) -> Self {
        self.kind(column, ColumnKind::Real)
    }

    /// Reads the column as counts: whole numbers of 0 or more.
    #[must_use]
    pub fn count(self, column: &str) -> Self {
        self.kind(column, ColumnKind::Count)
    }

    /// Reads the column as flags: yes, true, ja, 1 or no, false, nee, 0.
    #[must_use]
    pub fn flag(self, column: &str) -> Self {
        self.kind(column, ColumnKind::Flag)
    }

    /// Reads the column as categories, even if its cells are numbers.
    #[must_use]
    pub fn category(self, column: &str) -> Self {
        self.kind(column, ColumnKind::Category)
    }

    /// Reads these columns only, in the order of the file. Default: all of them.
    #[must_use]
    pub fn only<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.only.get_or_insert_default().extend(columns.into_iter().map(Into::into));
        self
    }

    /// Reads a file.
    ///
    /// # Errors
    /// See [`CsvReader`].
    pub fn path(&self, path: impl AsRef<Path>) -> Result<Table> {
        let path = path.as_ref();
        let what = path.display().to_string();
        let file = File::open(path).map_err(|error| io(&what, &error))?;
        self.read(file, &what)
    }

    /// Reads from any reader, such as a network stream or a decompressor. Reading is buffered.
    ///
    /// # Errors
    /// See [`CsvReader`].
    pub fn reader(&self, reader: impl Read) -> Result<Table> {
        self.read(reader, "the CSV text")
    }

    /// Reads a text.
    ///
    /// # Errors
    /// See [`CsvReader`].
    pub fn text(&self, text: &str) -> Result<Table> {
        self.read(text.as_bytes(), "the CSV text")
    }

    fn kind(mut self, column: &str, kind: ColumnKind) -> Self {
        self.kinds.push(Declared { column: column.to_owned(), kind });
        self
    }

    fn read(&self, source: impl Read, what: &str) -> Result<Table> {
        self.check()?;
        let mut reader = ReaderBuilder::new()
            .delimiter(self.delimiter)
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(1 << 16)
            .from_reader(CountQuotes { source, quotes: 0 });
        let failed = |error: ::csv::Error| match error.into_kind() {
            ::csv::ErrorKind::Io(error) => io(what, &error),
            other => ErrorKind::Format(format!("{what} is not CSV: {other:?}")).into(),
        };

        let mut record = ByteRecord::new();
        if !reader.read_byte_record(&mut record).map_err(failed)? {
            return Err(format(format!(
                "{what} is empty; the first line must hold the names of the columns"
            )));
        }
        let names = header(&record, what)?;
        self.check_columns(&names)?;
        let mut columns: Vec<Option<ColumnText>> = names
            .iter()
            .map(|name| self.only.as_ref().is_none_or(|only| only.contains(name)).then(ColumnText::default))
            .collect();

        let mut rows = 0;
        let mut ends_in_newline = false;
        while reader.read_byte_record(&mut record).map_err(failed)? {
            if record.len() != names.len() {
                if record.len() == 1 && record[0].trim_ascii().is_empty() {
                    continue;
                }
                return Err(ragged(&record, names.len()).in_row(rows));
            }
            for (column, cell) in columns.iter_mut().zip(&record) {
                if let Some(column) = column {
                    column.push(cell);
                }
            }
            ends_in_newline = record[record.len() - 1].contains(&b'\n');
            rows += 1;
        }
        if ends_in_newline && reader.get_ref().quotes % 2 == 1 {
            return Err(format(
                "a quote (\") is opened in the last cell, but never closed; close it, or double it",
            )
            .in_row(rows - 1));
        }
        if rows == 0 {
            return Err(format(format!("{what} has a header, but no rows; check the file")));
        }
        self.table(&names, columns)
    }

    fn check(&self) -> Result<()> {
        if !self.delimiter.is_ascii()
            || self.delimiter.is_ascii_alphanumeric()
            || b"\"\r\n.+- ".contains(&self.delimiter)
        {
            return Err(Error::invalid(format!(
                "{:?} cannot separate cells; use ',' or ';' or '\\t'",
                char::from(self.delimiter)
            )));
        }
        if self.decimal_comma && self.delimiter == b',' {
            return Err(Error::invalid(
                "a comma cannot be both the decimal comma and the delimiter; declare another delimiter, such as b';'",
            ));
        }
        for (index, declared) in self.kinds.iter().enumerate() {
            let other = self.kinds[..index].iter().find(|other| other.column == declared.column);
            if let Some(other) = other.filter(|other| other.kind != declared.kind) {
                return Err(Error::invalid(format!(
                    "is declared to hold {} and to hold {}; keep one of them",
                    other.kind, declared.kind
                ))
                .in_column(&declared.column));
            }
        }
        Ok(())
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

    fn table(&self, names: &[String], columns: Vec<Option<ColumnText>>) -> Result<Table> {
        let mut table = Table::new();
        let mut bad = Bad::default();
        for (name, text) in names.iter().zip(columns) {
            let Some(text) = text else { continue };
            let kind =
                self.kinds.iter().find(|declared| declared.column == *name).map(|declared| declared.kind);
            let here = self.missing_in.iter().filter(|missing| missing.column == *name);
            let codes =
                self.missing.iter().chain(here.flat_map(|missing| &missing.codes)).map(String::as_str);
            if let Some(column) = Rules::new(self.decimal_comma, codes).column(name, &text, kind, &mut bad)? {
                table = table.with_column(name, column)?;
            }
        }
        bad.into_error().map_or(Ok(table), Err)
    }
}

impl Table {
    /// Reads a CSV file with commas between cells and decimal points. See [`CsvReader`] for other files, and
    /// for how the kinds of the columns are found.
    ///
    /// # Errors
    /// See [`CsvReader`].
    pub fn from_csv_path(path: impl AsRef<Path>) -> Result<Self> {
        CsvReader::new().path(path)
    }

    /// As [`Table::from_csv_path`], from any reader.
    ///
    /// # Errors
    /// See [`CsvReader`].
    pub fn from_csv_reader(reader: impl Read) -> Result<Self> {
        CsvReader::new().reader(reader)
    }

    /// As [`Table::from_csv_path`], from a text.
    ///
    /// ```
    /// use armwise::Table;
    ///
    /// let table = Table::from_csv_str("arm,age\ncontrol,34\nguidance,\n")?;
    /// assert_eq!(table.column("age")?.counts()?.collect::<Vec<_>>(), [Some(34), None]);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// See [`CsvReader`].
    pub fn from_csv_str(text: &str) -> Result<Self> {
        CsvReader::new().text(text)
    }
}

/// Counts quotes on their way to the parser, which does not say whether the last one was closed.
struct CountQuotes<R> {
    source: R,
    quotes: usize,
}

impl<R: Read> Read for CountQuotes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.source.read(buffer)?;
        self.quotes += buffer[..n].iter().map(|byte| usize::from(*byte == b'"')).sum::<usize>();
        Ok(n)
    }
}

fn io(what: &str, error: &std::io::Error) -> Error {
    ErrorKind::Io { what: what.to_owned(), why: error.to_string() }.into()
}

fn format(why: impl Into<String>) -> Error {
    ErrorKind::Format(why.into()).into()
}

/// The names of the columns.
fn header(record: &ByteRecord, what: &str) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::with_capacity(record.len());
    for (index, cell) in record.iter().enumerate() {
        let text = std::str::from_utf8(cell).map_err(|_| {
            format(format!("the header of {what} is not text in UTF-8; save the file as CSV in UTF-8"))
        })?;
        // A reader that gives few bytes at a time hides the byte order mark from the parser.
        let name = if index == 0 { text.trim_start_matches('\u{feff}') } else { text }.trim();
        if name.is_empty() {
            return Err(format(format!(
                "column {} has no name in the header of {what}; give it one, or delete the column \
                 (row names, a delimiter at the end of each line)",
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
        return Err(format(format!(
            "the header of {what} is one column, {name:?}; if {other:?} separates the columns, declare \
             CsvReader::new().delimiter(b{other:?})"
        )));
    }
    Ok(names)
}

fn ragged(record: &ByteRecord, width: usize) -> Error {
    let begin: String =
        record.get(0).map(String::from_utf8_lossy).unwrap_or_default().chars().take(40).collect();
    format(format!(
        "the row that begins with {begin:?} has {} cells, but the header has {width}; quote cells \
         that hold the delimiter, and close every quote",
        record.len()
    ))
}
