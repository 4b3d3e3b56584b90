//! Columns of equal length, by name.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use ndarray::ArrayView1;

use crate::data::{Cell, Column, ColumnKind, Lines, TableNotice, check_twins};
use crate::error::{Error, ErrorKind, Place, Result, counted};

/// Named columns of equal length, with missing cells: the participants of a trial, one in each row.
///
/// A table is read from a CSV file ([`Table::from_csv_path`], or [`CsvReader`](crate::data::CsvReader) for
/// files that need to be described) or made of columns. `None` is a missing cell.
///
/// A table does not change: methods that add a column take the table and give it back, and those that keep
/// some of the rows leave it as it is. A clone is cheap, since it shares the columns.
///
/// ```
/// use armwise::Table;
///
/// let table = Table::new()
///     .with_categories("arm", ["control", "guidance", "guidance"])?
///     .with_reals("age", [Some(34.0), Some(51.5), None])?
///     .with_flags("female", [true, false, true])?
///     .with_counts("children", [0, 2, 1])?;
/// assert_eq!(table.rows(), 3);
/// assert_eq!(table.column("age")?.missing(), 1);
///
/// let older = table.keep_where("age", |age| age > 50.0)?;
/// assert_eq!(older.rows(), 1);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Table {
    pub(super) names: Vec<Arc<str>>,
    pub(super) columns: Vec<Column>,
    pub(super) rows: usize,
    /// For each row its number (from 0) in the table from which rows were taken first.
    origin: Option<Arc<[usize]>>,
    pub(super) notices: Vec<TableNotice>,
    /// The lines of the rows in the file from which the table was read.
    lines: Option<Arc<Lines>>,
}

/// The rows of a table that have one label in common. See [`Table::split_by`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Subgroup {
    /// The label that they have in common.
    pub label: Arc<str>,
    /// The rows.
    pub table: Table,
}

impl Table {
    /// A table without columns.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a column of real numbers.
    ///
    /// # Errors
    /// `invalid_input` for NaN and infinite numbers (a missing cell is `None`), for a column that is not as
    /// long as the others, and for a name that is empty or taken.
    pub fn with_reals<C: Cell<f64>>(self, name: &str, cells: impl IntoIterator<Item = C>) -> Result<Self> {
        self.with(name, Column::of_reals(cells))
    }

    /// Adds a column of counts: whole numbers of 0 or more.
    ///
    /// # Errors
    /// `invalid_input` for numbers that are not counts (a missing cell is `None`), for a column that is not
    /// as long as the others, and for a name that is empty or taken.
    pub fn with_counts<C: Cell<f64>>(self, name: &str, cells: impl IntoIterator<Item = C>) -> Result<Self> {
        self.with(name, Column::of_counts(cells))
    }

    /// Adds a column of flags: yes (`true`) or no (`false`).
    ///
    /// # Errors
    /// `invalid_input` for a column that is not as long as the others, and for a name that is empty or taken.
    pub fn with_flags<C: Cell<bool>>(self, name: &str, cells: impl IntoIterator<Item = C>) -> Result<Self> {
        self.with(name, Column::of_flags(cells))
    }

    /// Adds a column of categories: labels.
    ///
    /// # Errors
    /// `invalid_input` for empty labels (a missing cell is `None`), for a column that is not as long as the
    /// others, and for a name that is empty or taken.
    pub fn with_categories<'a, C: Cell<Cow<'a, str>>>(
        self,
        name: &str,
        cells: impl IntoIterator<Item = C>,
    ) -> Result<Self> {
        self.with(name, Column::of_categories(cells))
    }

    /// Adds a column of real numbers from a view: a row, a column or a slice of an array, with any stride.
    ///
    /// ```
    /// use armwise::{Table, ndarray::array};
    ///
    /// let scores = array![[1.0, 2.0], [3.0, 4.0]];
    /// let table = Table::new()
    ///     .with_view("before", scores.column(0))?
    ///     .with_view("after", scores.column(1))?;
    /// assert_eq!(table.column("after")?.reals()?.collect::<Vec<_>>(), [Some(2.0), Some(4.0)]);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Table::with_reals`]. Give an array that marks missing cells by NaN as
    /// `with_reals(name, view.iter().map(|x| Some(*x).filter(|x| !x.is_nan())))`.
    #[expect(clippy::needless_pass_by_value, reason = "a view is a reference")]
    pub fn with_view(self, name: &str, cells: ArrayView1<'_, f64>) -> Result<Self> {
        self.with(name, Column::of_reals(cells))
    }

    /// Adds a column.
    ///
    /// # Errors
    /// `invalid_input` for a column that is not as long as the others, and for a name that is empty or taken.
    pub fn with_column(mut self, name: &str, column: Column) -> Result<Self> {
        if name.trim().is_empty() {
            return Err(Error::invalid("a column needs a name that is not empty"));
        }
        if self.names.iter().any(|other| other.as_ref() == name) {
            return Err(Error::invalid(
                "the table already has a column of this name; give the new one another name",
            )
            .in_column(name));
        }
        if !self.columns.is_empty() && column.len() != self.rows {
            return Err(Error::invalid(format!(
                "has {}, but the table has {}; give None for missing cells",
                counted(column.len(), "cell"),
                counted(self.rows, "row")
            ))
            .in_column(name));
        }
        self.rows = column.len();
        self.names.push(name.into());
        self.columns.push(column);
        Ok(self)
    }

    fn with(self, name: &str, column: Result<Column>) -> Result<Self> {
        self.with_column(name, column.map_err(|error| error.in_column(name))?)
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The names of the columns, in their order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        self.names.iter().map(AsRef::as_ref)
    }

    /// The column of that name.
    ///
    /// # Errors
    /// `unknown_column`.
    pub fn column(&self, name: &str) -> Result<&Column> {
        match self.names.iter().position(|other| other.as_ref() == name) {
            Some(index) => Ok(&self.columns[index]),
            None => Err(ErrorKind::UnknownColumn {
                name: name.to_owned(),
                known: self.names().map(str::to_owned).collect(),
            }
            .into()),
        }
    }

    /// What the file held and the table does not, such as empty rows at its end.
    pub fn notices(&self) -> &[TableNotice] {
        &self.notices
    }

    /// The lines of the rows, before rows were taken.
    #[cfg(feature = "csv")]
    pub(super) fn with_lines(self, lines: Lines) -> Self {
        Self { lines: Some(Arc::new(lines)), ..self }
    }

    pub(super) fn with_notices(mut self, notices: Vec<TableNotice>) -> Self {
        self.notices.extend(notices);
        self
    }

    /// The rows whose cell in the column `name` is a number that satisfies the condition. Rows in which that
    /// cell is missing are dropped. A flag is 1 for yes and 0 for no.
    ///
    /// ```
    /// use armwise::Table;
    ///
    /// let table = Table::new()
    ///     .with_reals("age", [Some(34.0), None, Some(62.0)])?
    ///     .with_flags("female", [true, true, false])?;
    /// assert_eq!(table.keep_where("age", |age| age > 50.0)?.rows(), 1);
    /// assert_eq!(table.keep_where("female", |female| female == 1.0)?.rows(), 2);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// `unknown_column`, and `column_type` for a column of categories.
    pub fn keep_where(&self, name: &str, condition: impl Fn(f64) -> bool) -> Result<Self> {
        let cells = self.reals(name)?;
        Ok(self.keep_indices(|row| !cells[row].is_nan() && condition(cells[row])))
    }

    /// The rows whose cell in the column `name` is the label `label`. Rows in which that cell is missing are
    /// dropped. A column of numbers or flags is read as [`Column::to_categories`] does.
    ///
    /// ```
    /// use armwise::Table;
    ///
    /// let table = Table::new()
    ///     .with_categories("municipality", [Some("Utrecht"), None, Some("Tilburg")])?
    ///     .with_reals("age", [34.0, 28.0, 62.0])?;
    /// let utrecht = table.keep_category("municipality", "Utrecht")?;
    /// assert_eq!(utrecht.rows(), 1);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// `unknown_column`, and `unknown_category` for a label that is not in the column.
    pub fn keep_category(&self, name: &str, label: &str) -> Result<Self> {
        let column = self.labelled(name)?;
        let levels = column.levels();
        let Some(wanted) = (0_u32..).zip(levels).find(|(_, level)| level.as_ref() == label) else {
            let known = levels.iter().map(ToString::to_string).collect();
            return Err(
                Error::from(ErrorKind::UnknownCategory { label: label.to_owned(), known }).in_column(name)
            );
        };
        let codes = column.as_codes()?;
        Ok(self.keep_indices(|row| codes[row] == wanted.0))
    }

    /// The rows for which the mask holds `true`.
    ///
    /// ```
    /// use armwise::Table;
    ///
    /// let table = Table::new().with_counts("hours", [Some(32), None, Some(8)])?;
    /// let known: Vec<bool> =
    ///     table.column("hours")?.counts()?.map(|hours| hours.is_some()).collect();
    /// assert_eq!(table.keep(&known)?.rows(), 2);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// `invalid_input` for a mask that is not as long as the table.
    pub fn keep(&self, mask: &[bool]) -> Result<Self> {
        if mask.len() != self.rows {
            return Err(Error::invalid(format!(
                "the mask has {}, but the table has {}; give one for each row",
                counted(mask.len(), "element"),
                counted(self.rows, "row")
            )));
        }
        Ok(self.keep_indices(|row| mask[row]))
    }

    /// The rows of each label of a column, in the order of its levels. Rows in which the cell is missing are
    /// dropped. A column of numbers or flags is read as [`Column::to_categories`] does.
    ///
    /// ```
    /// use armwise::Table;
    ///
    /// let table =
    ///     Table::new().with_categories("municipality", ["Utrecht", "Tilburg", "Utrecht"])?;
    /// for subgroup in table.split_by("municipality")? {
    ///     println!("{}: {} rows", subgroup.label, subgroup.table.rows());
    /// }
    /// assert_eq!(table.split_by("municipality")?[1].table.rows(), 2);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// `unknown_column`; `twin_labels` for labels that differ by case, spacing or Unicode composition only.
    pub fn split_by(&self, name: &str) -> Result<Vec<Subgroup>> {
        let column = self.labelled(name)?;
        check_twins(column.levels().iter().map(AsRef::as_ref)).map_err(|error| error.in_column(name))?;
        let mut rows = vec![Vec::new(); column.levels().len()];
        for (row, code) in column.as_codes()?.iter().enumerate() {
            if let Some(rows) = rows.get_mut(*code as usize) {
                rows.push(row);
            }
        }
        let subgroup = |(label, rows): (&Arc<str>, Vec<usize>)| Subgroup {
            label: label.clone(),
            table: self.take(&rows),
        };
        Ok(column.levels().iter().zip(rows).map(subgroup).collect())
    }

    /// The column as numbers, NaN being a missing cell. Its errors name the column.
    pub(crate) fn reals(&self, name: &str) -> Result<&[f64]> {
        self.column(name)?.as_reals().map_err(|error| error.in_column(name))
    }

    /// The column as 0, 1 and `MISSING_FLAG`. Its errors name the column.
    pub(crate) fn flags(&self, name: &str) -> Result<&[u8]> {
        self.column(name)?.as_flags().map_err(|error| error.in_column(name))
    }

    /// The column as categories, whatever its kind.
    pub(crate) fn labelled(&self, name: &str) -> Result<Column> {
        self.column(name)?.to_categories().map_err(|error| error.in_column(name))
    }

    /// The number (from 0) that a row had before rows were taken out: in the file or the columns the user
    /// gave.
    pub(crate) fn origin(&self, row: usize) -> usize {
        self.origin.as_ref().and_then(|origin| origin.get(row).copied()).unwrap_or(row)
    }

    /// The line (from 1) of a row of this table, where it was read from a file.
    pub(crate) fn line(&self, row: usize) -> Option<usize> {
        Some(self.lines.as_ref()?.of(self.origin(row)))
    }

    /// `row 3 (line 4)`: a row (from 0) of this table as the user knows it.
    pub(crate) fn row_words(&self, row: usize) -> String {
        Place { row: Some(self.origin(row) + 1), line: self.line(row), ..Place::default() }.to_string()
    }

    /// The error with the place of a row (from 0) of this table: the row in the file or the columns that the
    /// user gave, and its line.
    pub(crate) fn locate(&self, error: Error, row: usize) -> Error {
        let error = error.in_row(self.origin(row));
        match self.line(row) {
            Some(line) => error.in_line(line),
            None => error,
        }
    }

    /// The table with other cells in a column that it has.
    pub(crate) fn replacing(&self, name: &str, column: Column) -> Result<Self> {
        self.column(name)?;
        if column.len() != self.rows {
            let why = format!(
                "has {}, but the table has {}",
                counted(column.len(), "cell"),
                counted(self.rows, "row")
            );
            return Err(Error::invalid(why).in_column(name));
        }
        let mut other = self.clone();
        for (own, cells) in other.names.iter().zip(&mut other.columns) {
            if own.as_ref() == name {
                *cells = column.clone();
            }
        }
        Ok(other)
    }

    /// These rows (from 0, below [`Table::rows`]), in that order.
    pub(crate) fn take(&self, rows: &[usize]) -> Self {
        Self {
            names: self.names.clone(),
            columns: self.columns.iter().map(|column| column.take(rows)).collect(),
            rows: rows.len(),
            origin: Some(rows.iter().map(|row| self.origin(*row)).collect()),
            notices: self.notices.clone(),
            lines: self.lines.clone(),
        }
    }

    fn keep_indices(&self, keep: impl Fn(usize) -> bool) -> Self {
        let rows: Vec<usize> = (0..self.rows).filter(|row| keep(*row)).collect();
        if rows.len() == self.rows { self.clone() } else { self.take(&rows) }
    }
}

/// Tables are equal if they have the same columns under the same names in the same order.
impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows && self.names == other.names && self.columns == other.columns
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The number of rows, and for each column its kind and its missing cells.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", counted(self.rows, "row"), counted(self.columns.len(), "column"))?;
        for (name, column) in self.names.iter().zip(&self.columns) {
            write!(f, "\n  {name}: {}", column.kind())?;
            if column.kind() == ColumnKind::Category {
                write!(f, " ({})", counted(column.levels().len(), "level"))?;
            }
            if column.missing() > 0 {
                write!(f, ", {} missing", column.missing())?;
            }
        }
        self.notices.iter().try_for_each(|notice| write!(f, "\n  notice: {notice}"))
    }
}
