//! A plain table of a report. How it is written in a format stands with the format.

use serde::{Deserialize, Serialize};

use super::format::{decimal, interval as interval_words, significant};
use crate::compute::interval::Interval;
use crate::error::{Error, Result};

/// A table: a title, named columns, rows of [`Cell`]s.
///
/// Text and Markdown show the rounded words of a report. CSV holds the numbers with six significant digits,
/// so that a committed file is the same on every processor; an interval becomes two columns there.
///
/// ```
/// use armwise::Interval;
/// use armwise::report::{Align, Cell, Grid};
///
/// let mut grid = Grid::new("Outflow to work")
///     .column("Municipality", Align::Left)
///     .column("Difference", Align::Right)
///     .column("95% CI", Align::Right);
/// grid.push([
///     Cell::text("Utrecht"),
///     Cell::number(0.021_345_678, 3),
///     Cell::interval(Interval::new(-0.029, 0.073)?, 3),
/// ]);
/// grid.push([Cell::text("Tilburg"), Cell::missing()]);
/// assert_eq!(
///     grid.to_text(),
///     "Outflow to work\n\n\
///      Municipality  Difference           95% CI\n\
///      ------------  ----------  ---------------\n\
///      Utrecht            0.021  -0.029 to 0.073\n\
///      Tilburg                -                -\n"
/// );
/// assert_eq!(
///     grid.to_csv(),
///     "Municipality,Difference,95% CI lower,95% CI upper\n\
///      Utrecht,0.0213457,-0.029,0.073\n\
///      Tilburg,,,\n"
/// );
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "GridRecord")]
pub struct Grid {
    pub(crate) title: String,
    pub(crate) columns: Vec<(String, Align)>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// A table as it was read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GridRecord {
    title: String,
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<Cell>>,
}

impl TryFrom<GridRecord> for Grid {
    type Error = Error;

    fn try_from(record: GridRecord) -> Result<Self> {
        let GridRecord { title, columns, rows } = record;
        if rows.iter().any(|row| row.len() != columns.len()) {
            return Err(Error::invalid("every row of a table needs a cell for every column"));
        }
        if rows.iter().flatten().any(|cell| cell.fields.len() != cell.holds.suffixes().len()) {
            return Err(Error::invalid("every cell of a table needs the fields of its kind"));
        }
        Ok(Self { title, columns, rows })
    }
}

/// The side on which the cells of a column line up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// One cell of a [`Grid`]: the words that text and Markdown show, and the fields that CSV holds. The default
/// is [`Cell::missing`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    pub(crate) text: String,
    pub(crate) holds: Holds,
    pub(crate) fields: Vec<String>,
}

/// The fields of a cell in CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Holds {
    One,
    Interval,
    Estimate,
    TwoArms,
}

impl Holds {
    /// The additions to the name of the column, one for each field.
    pub(crate) fn suffixes(self) -> &'static [&'static str] {
        match self {
            Self::One => &[""],
            Self::Interval => &[" lower", " upper"],
            Self::Estimate => &["", " lower", " upper"],
            Self::TwoArms => &[" treatment", " reference"],
        }
    }
}

impl Default for Cell {
    fn default() -> Self {
        Self::missing()
    }
}

impl Cell {
    fn new(text: impl Into<String>, holds: Holds, numbers: &[f64]) -> Self {
        // An empty field for NaN.
        let field = |x: &f64| if x.is_nan() { String::new() } else { significant(*x, 6) };
        Self { text: text.into(), holds, fields: numbers.iter().map(field).collect() }
    }

    /// Nothing: a dash in text and Markdown, empty in CSV.
    pub fn missing() -> Self {
        Self::new("-", Holds::One, &[f64::NAN])
    }

    /// Words.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { fields: vec![text.clone()], text, holds: Holds::One }
    }

    /// A whole number, never rounded.
    pub fn count(count: u64) -> Self {
        Self::text(count.to_string())
    }

    /// A number that text and Markdown show with `decimals` decimals.
    pub fn number(value: f64, decimals: usize) -> Self {
        Self::worded(value, decimal(value, decimals))
    }

    /// A number that text and Markdown show as `text`, such as `"p < 0.001"` or `"+2.1 points"`.
    ///
    /// ```
    /// use armwise::report::{Align, Cell, Grid, format};
    ///
    /// let mut grid = Grid::new("").column("Difference", Align::Right);
    /// grid.push([Cell::worded(0.0213, format::points(0.0213))]);
    /// assert!(grid.to_text().ends_with("+2.1 points\n"));
    /// assert_eq!(grid.to_csv(), "Difference\n0.0213\n");
    /// ```
    pub fn worded(value: f64, text: impl Into<String>) -> Self {
        Self::new(text, Holds::One, &[value])
    }

    /// An interval whose limits text and Markdown show with `decimals` decimals: two columns in CSV.
    pub fn interval(interval: Interval, decimals: usize) -> Self {
        Self::worded_interval(interval, interval_words(interval, decimals))
    }

    /// An interval that text and Markdown show as `text`: two columns in CSV.
    pub fn worded_interval(interval: Interval, text: impl Into<String>) -> Self {
        Self::new(text, Holds::Interval, &[interval.lower(), interval.upper()])
    }

    /// An estimate and its interval that text and Markdown show as `text`, such as `"+2.1 (-2.9 to 7.3)"`:
    /// three columns in CSV.
    pub fn estimate(value: f64, interval: Interval, text: impl Into<String>) -> Self {
        Self::new(text, Holds::Estimate, &[value, interval.lower(), interval.upper()])
    }

    /// The numbers of people of two arms that text and Markdown show as `text`, such as `"172 v 176"`: two
    /// columns in CSV.
    pub fn versus(treatment: u64, reference: u64, text: impl Into<String>) -> Self {
        let fields = vec![treatment.to_string(), reference.to_string()];
        Self { text: text.into(), holds: Holds::TwoArms, fields }
    }
}

impl Grid {
    /// A table without columns and rows. An empty title is not shown.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// Adds a column.
    #[must_use]
    pub fn column(mut self, name: impl Into<String>, align: Align) -> Self {
        self.widen(name.into(), align);
        self
    }

    fn widen(&mut self, name: String, align: Align) {
        self.columns.push((name, align));
        self.rows.iter_mut().for_each(|row| row.push(Cell::missing()));
    }

    /// Adds a row. Cells that are not given are [`Cell::missing`]; cells beyond the last column get a column
    /// without a name.
    pub fn push(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let mut row: Vec<Cell> = cells.into_iter().collect();
        while self.columns.len() < row.len() {
            self.widen(String::new(), Align::Left);
        }
        row.resize_with(self.columns.len(), Cell::missing);
        self.rows.push(row);
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True if there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
