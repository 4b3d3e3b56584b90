//! Tables from CSV text: what a file holds, as declared.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::data::csv_cell::Kind;
use crate::data::csv_number::{DateOrder, Negatives, Percent};
use crate::data::csv_text::Encoding;
use crate::data::{ColumnKind, Table};
use crate::error::{Error, ErrorKind, Result};

/// Reads a [`Table`] from CSV text: a header line with the names of the columns, then one line for each row.
///
/// [`CsvReader::new`] reads comma separated cells with decimal points, where an empty cell is missing, and
/// finds the kind of each column by itself (see below). [`CsvReader::dutch_excel`] reads what a Dutch Excel
/// writes. Declare what a file does differently: nothing is guessed, and what seems to be needed is said in
/// the error, as a call to paste.
///
/// The text is UTF-8, or has a byte order mark, or its [`encoding`](CsvReader::encoding) is declared; lines
/// end in LF or CRLF; cells may be quoted by `"`. A first line such as `sep=;` names the delimiter. Blank
/// lines are skipped (a line of delimiters only is a row in which every cell is missing), and space around
/// cells and names does not count.
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
/// Amounts (`EUR 10`), per cents (`12%`) and columns of dates are errors until
/// [`currency`](CsvReader::currency), [`percent`](CsvReader::percent) or [`date`](CsvReader::date) says how
/// to read them.
///
/// In a file whose delimiter is no comma, a column of numbers such as `1.234`, all with three digits after
/// the point, is an error until [`decimal_point`](CsvReader::decimal_point) or
/// [`thousands`](CsvReader::thousands) says what the point is.
///
/// # Errors
/// All bad cells of a file are reported by one error (`bad_cells`), which lists the first 20 and counts all
/// of them:
/// ```
/// use armwise::{ErrorKind, Table};
///
/// let error = Table::from_csv_str("arm,age\ncontrol,34\nguidance,unknown\n").unwrap_err();
/// let ErrorKind::BadCells { cells, total: 1, advice } = error.kind() else {
///     panic!("{error}")
/// };
/// assert_eq!((cells[0].column.as_str(), cells[0].row, cells[0].line), ("age", 2, 3));
/// assert!(advice[0].starts_with(r#".missing_in("age", ["unknown"])"#));
/// ```
/// Other errors: `io` for a file that cannot be read; `format` for an empty file, a header without rows,
/// names of columns that are empty or occur twice, a row with more or fewer cells than the header, and a
/// quote inside a quoted cell; `unknown_column` for a declared column that the file does not have;
/// `invalid_input` for declarations that contradict each other.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CsvReader {
    pub(super) delimiter: Option<u8>,
    pub(super) encoding: Option<Encoding>,
    pub(super) skip_lines: usize,
    pub(super) skip_after_header: usize,
    pub(super) backslash_quotes: bool,
    pub(super) drop_empty_edges: bool,
    pub(super) no_break_space: bool,
    pub(super) negatives: Negatives,
    pub(super) decimal: Option<Decimal>,
    pub(super) thousands: Option<u8>,
    pub(super) currency: Vec<String>,
    pub(super) percent: Option<Percent>,
    pub(super) dates: Option<DateOrder>,
    pub(super) yes: Vec<String>,
    pub(super) no: Vec<String>,
    pub(super) missing: Vec<String>,
    pub(super) missing_in: Vec<MissingIn>,
    pub(super) kinds: Vec<Declared>,
    pub(super) only: Option<Vec<String>>,
}

/// The sign before decimals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Decimal {
    Point,
    Comma,
    /// A comma, also between cells: numbers with decimals are quoted.
    QuotedComma,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct MissingIn {
    pub column: String,
    pub codes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Declared {
    pub column: String,
    pub kind: Kind,
}

impl CsvReader {
    /// Comma separated cells, decimal points, and nothing declared.
    pub fn new() -> Self {
        Self::default()
    }

    /// A file as a Dutch Excel writes it: semicolons, decimal commas, points between thousands, euros (`€`,
    /// `EUR`), per cents as written, dates as day-month-year, J/N and WAAR/ONWAAR besides ja/nee, no-break
    /// space around cells, and empty rows and columns at the edges.
    ///
    /// A file "CSV UTF-8" or "Unicode text" has a byte order mark; for a plain "CSV" declare
    /// [`Encoding::Windows1252`] as well, and for a tab separated one `.delimiter(b'\t')`.
    ///
    /// ```
    /// use armwise::data::CsvReader;
    ///
    /// let text = "arm;inkomen;uren;start;werk;;\ncontrole;€ 1.234,50;31,5;01-03-2018;J;;\n\
    ///             begeleiding;€ 987,-;20;15-03-2018;N;;\n;;;;;;\n";
    /// let table = CsvReader::dutch_excel().text(text)?;
    /// assert_eq!(
    ///     table.column("inkomen")?.reals()?.flatten().collect::<Vec<_>>(),
    ///     [1234.5, 987.0]
    /// );
    /// assert_eq!(
    ///     table.column("start")?.reals()?.flatten().collect::<Vec<_>>(),
    ///     [17591.0, 17605.0]
    /// );
    /// assert_eq!(table.column("werk")?.flags()?.flatten().collect::<Vec<_>>(), [true, false]);
    /// assert_eq!((table.rows(), table.notices().len()), (2, 2));
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn dutch_excel() -> Self {
        Self::new()
            .delimiter(b';')
            .decimal_comma()
            .thousands(b'.')
            .currency(["€", "EUR", "euro"])
            .percent(Percent::AsWritten)
            .dates(DateOrder::DayMonthYear)
            .yes_no(["J", "WAAR"], ["N", "ONWAAR"])
            .no_break_space()
            .drop_empty_edges()
    }

    setters! {
        /// The character between cells, such as `b';'` or `b'\t'`. Default: `b','`, or that of a `sep=` line.
        delimiter: u8 as Some;
        /// The encoding of the file. Default: that of its byte order mark, else UTF-8.
        ///
        /// ```
        /// use armwise::data::{CsvReader, Encoding};
        ///
        /// let bytes = b"land,n\nBelgi\xeb,3\n";
        /// let error = CsvReader::new().reader(&bytes[..]).unwrap_err();
        /// assert!(error.to_string().contains(".encoding(Encoding::Windows1252)"));
        /// let table = CsvReader::new().encoding(Encoding::Windows1252).reader(&bytes[..])?;
        /// assert_eq!(table.column("land")?.levels()[0].as_ref(), "België");
        /// # Ok::<(), armwise::Error>(())
        /// ```
        encoding: Encoding as Some;
        /// The number of lines before the header, such as a title and a blank line. Default: 0. A `sep=` line is
        /// not counted.
        skip_lines: usize;
        /// The number of rows after the header that are no data, such as the texts of questions in the export of
        /// a survey. Default: 0.
        skip_after_header: usize;
    }

    /// A quote inside a quoted cell is written `\"`, and a backslash `\\`. Default: a quote is doubled.
    #[must_use]
    pub fn backslash_quotes(mut self) -> Self {
        self.backslash_quotes = true;
        self
    }

    /// Leaves out rows at the end in which every cell is empty, and columns at the right without name and
    /// values, with a [notice](Table::notices). Default: the former are rows of missing cells, the latter are
    /// errors.
    #[must_use]
    pub fn drop_empty_edges(mut self) -> Self {
        self.drop_empty_edges = true;
        self
    }

    /// No-break and zero-width space around labels and names does not count. Default: it does, so that labels
    /// that differ by it are told apart where they are used; around numbers it never counts.
    #[must_use]
    pub fn no_break_space(mut self) -> Self {
        self.no_break_space = true;
        self
    }

    /// Numbers in brackets, and numbers with a minus sign behind them, are negative, as in accounts: `(5)` and
    /// `5-` are -5. Default: they are errors.
    ///
    /// ```
    /// use armwise::data::CsvReader;
    ///
    /// let text = "arm,balance\ncontrol,(1.5)\nguidance,2-\n";
    /// assert!(CsvReader::new().text(text).is_err());
    /// let table = CsvReader::new().accounting_negatives().text(text)?;
    /// assert_eq!(
    ///     table.column("balance")?.reals()?.flatten().collect::<Vec<_>>(),
    ///     [-1.5, -2.0]
    /// );
    /// # Ok::<(), armwise::Error>(())
    /// ```
    #[must_use]
    pub fn accounting_negatives(mut self) -> Self {
        self.negatives = Negatives::Accounts;
        self
    }

    /// Numbers have a decimal comma (`2,5`), as in Dutch exports. The delimiter must then be another
    /// character, and a point in a number is an error. Default: a decimal point.
    #[must_use]
    pub fn decimal_comma(mut self) -> Self {
        self.decimal = Some(Decimal::Comma);
        self
    }

    /// Numbers have a decimal comma and commas separate the cells, so numbers with decimals are quoted
    /// (`"2,5"`).
    #[must_use]
    pub fn quoted_decimal_comma(mut self) -> Self {
        self.decimal = Some(Decimal::QuotedComma);
        self
    }

    /// Numbers have a decimal point: the default, said so that `1.234` in a file with semicolons is clear.
    #[must_use]
    pub fn decimal_point(mut self) -> Self {
        self.decimal = Some(Decimal::Point);
        self
    }

    setters! {
        /// The character between groups of three digits, such as `b'.'`, `b','` or `b' '` (which stands for every
        /// kind of space). Default: none.
        ///
        /// ```
        /// use armwise::data::CsvReader;
        ///
        /// let text = "arm;income\ncontrol;1.234,50\nguidance;12.400\n";
        /// let reader = CsvReader::new().delimiter(b';').decimal_comma();
        /// assert!(reader.text(text).unwrap_err().to_string().contains(".thousands(b'.')"));
        /// let table = reader.thousands(b'.').text(text)?;
        /// assert_eq!(
        ///     table.column("income")?.reals()?.flatten().collect::<Vec<_>>(),
        ///     [1234.5, 12400.0]
        /// );
        /// # Ok::<(), armwise::Error>(())
        /// ```
        thousands: u8 as Some;
    }

    /// Marks before or after an amount of money that do not count, in upper or lower case. Default: none; an
    /// amount is then an error.
    #[must_use]
    pub fn currency<S: Into<String>>(mut self, marks: impl IntoIterator<Item = S>) -> Self {
        self.currency.extend(marks.into_iter().map(Into::into));
        self
    }

    setters! {
        /// The value of a number with a per cent sign. Default: it is an error. A column has the sign at every
        /// number or at none.
        percent: Percent as Some;
        /// Reads columns that hold nothing but dates as real numbers: days since 1970-01-01. Default: they are
        /// errors.
        dates: DateOrder as Some;
    }

    /// Words that stand for yes and for no, in upper or lower case, besides yes, true, ja and no, false, nee.
    #[must_use]
    pub fn yes_no<S: Into<String>, T: Into<String>>(
        mut self,
        yes: impl IntoIterator<Item = S>,
        no: impl IntoIterator<Item = T>,
    ) -> Self {
        self.yes.extend(yes.into_iter().map(Into::into));
        self.no.extend(no.into_iter().map(Into::into));
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

    /// Reads the column as flags: yes, y, true, ja, j, waar, 1 or no, n, false, nee, onwaar, 0.
    #[must_use]
    pub fn flag(self, column: &str) -> Self {
        self.kind(column, ColumnKind::Flag)
    }

    /// Reads the column as categories, even if its cells are numbers.
    #[must_use]
    pub fn category(self, column: &str) -> Self {
        self.kind(column, ColumnKind::Category)
    }

    /// Reads the column as dates: real numbers, the days since 1970-01-01. A time after the date does not
    /// count.
    ///
    /// ```
    /// use armwise::data::{CsvReader, DateOrder};
    ///
    /// let text = "arm,start\ncontrol,2018-03-01\nguidance,2018-03-15\n";
    /// let table = CsvReader::new().date("start", DateOrder::YearMonthDay).text(text)?;
    /// let days: Vec<f64> = table.column("start")?.reals()?.flatten().collect();
    /// assert_eq!(days[1] - days[0], 14.0);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    #[must_use]
    pub fn date(self, column: &str, order: DateOrder) -> Self {
        self.declare(column, Kind::Date(order))
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
        self.all(file, &what)
    }

    /// Reads from any reader, such as a network stream or a decompressor.
    ///
    /// # Errors
    /// See [`CsvReader`].
    pub fn reader(&self, reader: impl Read) -> Result<Table> {
        self.all(reader, "the CSV text")
    }

    /// Reads a text.
    ///
    /// # Errors
    /// See [`CsvReader`].
    pub fn text(&self, text: &str) -> Result<Table> {
        self.read(Cow::Borrowed(text.as_bytes()), "the CSV text")
    }

    fn kind(self, column: &str, kind: ColumnKind) -> Self {
        self.declare(column, Kind::Of(kind))
    }

    fn declare(mut self, column: &str, kind: Kind) -> Self {
        self.kinds.push(Declared { column: column.to_owned(), kind });
        self
    }

    fn all(&self, mut source: impl Read, what: &str) -> Result<Table> {
        let mut bytes = Vec::new();
        source.read_to_end(&mut bytes).map_err(|error| io(what, &error))?;
        self.read(Cow::Owned(bytes), what)
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

fn io(what: &str, error: &std::io::Error) -> Error {
    ErrorKind::Io { what: what.to_owned(), why: error.to_string() }.into()
}
