//! A plain table of a report: text, Markdown and CSV.

use super::format::{Limits, decimal, interval, significant};
use super::text_width::display_columns;

/// A table: a title, named columns, rows of [`Cell`]s.
///
/// Text and Markdown show the rounded words of a report. CSV holds the numbers with six significant digits, so that a committed file is
/// the same on every processor; an interval becomes two columns there.
///
/// ```
/// use armwise::report::{Align, Cell, Grid};
/// use armwise::report::format::Limits;
///
/// let mut grid = Grid::new("Outflow to work")
///     .column("Municipality", Align::Left)
///     .column("Difference", Align::Right)
///     .column("95% CI", Align::Right);
/// grid.push([
///     Cell::text("Utrecht"),
///     Cell::number(0.021_345_678, 3),
///     Cell::interval(Limits { lower: -0.029, upper: 0.073 }, 3),
/// ]);
/// grid.push([Cell::text("Tilburg"), Cell::Missing]);
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
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Grid {
    title: String,
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<Cell>>,
}

/// On which side the cells of a column line up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// One cell of a [`Grid`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Cell {
    /// Words.
    Text(String),
    /// A whole number, never rounded.
    Count(u64),
    /// A number, shown with a fixed number of decimals.
    Number {
        /// The number.
        value: f64,
        /// How many decimals text and Markdown show.
        decimals: usize,
    },
    /// A number with words of its own, such as `"p < 0.001"` or `"+2.1 points"`.
    Worded {
        /// What text and Markdown show.
        text: String,
        /// What CSV holds.
        value: f64,
    },
    /// An interval: two columns in CSV.
    Interval {
        /// The two ends.
        limits: Limits,
        /// How many decimals text and Markdown show.
        decimals: usize,
    },
    /// An interval with words of its own: two columns in CSV.
    WordedInterval {
        /// What text and Markdown show.
        text: String,
        /// What CSV holds.
        limits: Limits,
    },
    /// An estimate with its interval in words of its own, such as `"+2.1 (-2.9 to 7.3)"`: three columns in CSV.
    Estimate {
        /// What text and Markdown show.
        text: String,
        /// What CSV holds.
        value: f64,
        /// The ends of the interval.
        limits: Limits,
    },
    /// The numbers of people of two arms, such as `"172 v 176"`: two columns in CSV.
    Versus {
        /// What text and Markdown show.
        text: String,
        /// Of the treatment.
        treatment: u64,
        /// Of the reference.
        reference: u64,
    },
    /// Nothing to tell: a dash in text and Markdown, empty in CSV.
    Missing,
}

impl Cell {
    /// Words.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A number that text and Markdown show with `decimals` decimals.
    pub fn number(value: f64, decimals: usize) -> Self {
        Self::Number { value, decimals }
    }

    /// A number that text and Markdown show as `text`.
    ///
    /// ```
    /// use armwise::report::{Cell, format};
    ///
    /// let cell = Cell::worded(0.0213, format::points(0.0213));
    /// assert_eq!(cell, Cell::Worded { text: "+2.1 points".to_owned(), value: 0.0213 });
    /// ```
    pub fn worded(value: f64, text: impl Into<String>) -> Self {
        Self::Worded { text: text.into(), value }
    }

    /// An interval whose ends text and Markdown show with `decimals` decimals.
    pub fn interval(limits: Limits, decimals: usize) -> Self {
        Self::Interval { limits, decimals }
    }

    fn shown(&self) -> String {
        match self {
            Self::Text(text)
            | Self::Worded { text, .. }
            | Self::WordedInterval { text, .. }
            | Self::Estimate { text, .. }
            | Self::Versus { text, .. } => one_line(text),
            Self::Count(count) => count.to_string(),
            Self::Number { value, decimals } => decimal(*value, *decimals),
            Self::Interval { limits, decimals } => interval(*limits, *decimals),
            Self::Missing => "-".to_owned(),
        }
    }

    /// What is added to the name of the column for each of the cell's fields in CSV.
    fn suffixes(&self) -> &'static [&'static str] {
        match self {
            Self::Interval { .. } | Self::WordedInterval { .. } => &[" lower", " upper"],
            Self::Estimate { .. } => &["", " lower", " upper"],
            Self::Versus { .. } => &[" treatment", " reference"],
            _ => &[""],
        }
    }

    fn fields(&self) -> Vec<String> {
        match self {
            Self::Text(text) => vec![text.clone()],
            Self::Count(count) => vec![count.to_string()],
            Self::Number { value, .. } | Self::Worded { value, .. } => vec![raw(*value)],
            Self::Interval { limits, .. } | Self::WordedInterval { limits, .. } => {
                vec![raw(limits.lower), raw(limits.upper)]
            }
            Self::Estimate { value, limits, .. } => vec![raw(*value), raw(limits.lower), raw(limits.upper)],
            Self::Versus { treatment, reference, .. } => vec![treatment.to_string(), reference.to_string()],
            Self::Missing => vec![String::new()],
        }
    }
}

/// An empty field for NaN.
fn raw(value: f64) -> String {
    if value.is_nan() { String::new() } else { significant(value, 6) }
}

impl Grid {
    /// A table without columns and rows. An empty title is not shown.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// Adds a column.
    #[must_use]
    pub fn column(mut self, name: impl Into<String>, align: Align) -> Self {
        self.columns.push((name.into(), align));
        self
    }

    /// Adds a row. Cells that are not given are [`Cell::Missing`]; cells beyond the last column get a column without a name.
    pub fn push(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let mut row: Vec<Cell> = cells.into_iter().collect();
        while self.columns.len() < row.len() {
            self.columns.push((String::new(), Align::Left));
        }
        row.resize(self.columns.len(), Cell::Missing);
        self.rows.push(row);
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table in columns of fixed width, with a title line and a rule under the header.
    pub fn to_text(&self) -> String {
        let rows: Vec<Vec<String>> = self.shown_rows();
        let header: Vec<String> = self.columns.iter().map(|(name, _)| one_line(name)).collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|j| {
                let cells = rows.iter().map(|row| row.get(j).map_or(0, |cell| display_columns(cell)));
                cells.chain([display_columns(&header[j]), 1]).max().unwrap_or(1)
            })
            .collect();
        let line = |cells: &[String]| {
            let mut text = String::new();
            for (j, (cell, width)) in cells.iter().zip(&widths).enumerate() {
                let pad = " ".repeat(width.saturating_sub(display_columns(cell)));
                let gap = if j == 0 { "" } else { "  " };
                text += gap;
                match self.columns[j].1 {
                    Align::Left => text += &(cell.clone() + &pad),
                    Align::Right => text += &(pad + cell),
                }
            }
            text.truncate(text.trim_end().len());
            text + "\n"
        };
        let mut text = String::new();
        if !self.title.is_empty() {
            text = one_line(&self.title) + "\n\n";
        }
        text += &line(&header);
        text += &line(&widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>());
        for row in &rows {
            text += &line(row);
        }
        text
    }

    /// The table in GitHub's Markdown. Pipes, backslashes and opening angle brackets in cells are escaped.
    ///
    /// ```
    /// use armwise::report::{Align, Cell, Grid};
    ///
    /// let mut grid = Grid::new("Arms").column("Arm", Align::Left).column("n", Align::Right);
    /// grid.push([Cell::text("a|b"), Cell::Count(172)]);
    /// assert_eq!(grid.to_markdown(), "**Arms**\n\n| Arm | n |\n| :--- | ---: |\n| a\\|b | 172 |\n");
    /// ```
    pub fn to_markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut text = String::new();
        if !self.title.is_empty() {
            text = ["**", &markdown(&self.title), "**\n\n"].concat();
        }
        text += &line(self.columns.iter().map(|(name, _)| markdown(name)).collect());
        let rule = |align: &Align| match align {
            Align::Left => ":---".to_owned(),
            Align::Right => "---:".to_owned(),
        };
        text += &line(self.columns.iter().map(|(_, align)| rule(align)).collect());
        for row in self.shown_rows() {
            text += &line(row.iter().map(|cell| markdown(cell)).collect());
        }
        text
    }

    /// The table as comma-separated values (fields quoted as RFC 4180 says, lines ended by a line feed), without the title.
    ///
    /// Numbers have at most six significant digits; missing cells are empty. A column that holds an interval anywhere becomes the two columns
    /// `NAME lower` and `NAME upper`, with the estimate before them if there is one; numbers of two arms become `NAME treatment` and
    /// `NAME reference`.
    pub fn to_csv(&self) -> String {
        let suffixes: Vec<&[&str]> = (0..self.columns.len())
            .map(|j| {
                let cells = self.rows.iter().filter_map(|row| row.get(j));
                cells.map(Cell::suffixes).max_by_key(|suffixes| suffixes.len()).unwrap_or(&[""])
            })
            .collect();
        let header: Vec<String> = self
            .columns
            .iter()
            .zip(&suffixes)
            .flat_map(|((name, _), suffixes)| {
                suffixes.iter().map(move |suffix| format!("{name}{suffix}").trim().to_owned())
            })
            .collect();
        let mut text = csv_line(&header);
        for row in &self.rows {
            let mut line = Vec::new();
            for (j, suffixes) in suffixes.iter().enumerate() {
                let mut fields = row.get(j).unwrap_or(&Cell::Missing).fields();
                fields.resize(suffixes.len(), String::new());
                line.append(&mut fields);
            }
            text += &csv_line(&line);
        }
        text
    }

    /// Every row has as many cells as there are columns now.
    fn shown_rows(&self) -> Vec<Vec<String>> {
        let shown = |row: &Vec<Cell>| {
            (0..self.columns.len()).map(|j| row.get(j).unwrap_or(&Cell::Missing).shown()).collect()
        };
        self.rows.iter().map(shown).collect()
    }
}

pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn markdown(text: &str) -> String {
    one_line(text).replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;")
}

fn csv_line(fields: &[String]) -> String {
    // A line with one empty field would read as an empty line.
    if let [field] = fields
        && field.is_empty()
    {
        return "\"\"\n".to_owned();
    }
    let quoted = |field: &String| {
        if field.contains(['"', ',', '\n', '\r']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field.clone()
        }
    };
    fields.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n"
}

#[cfg(test)]
mod tests {
    use super::{Align, Cell, Grid};
    use crate::report::format::Limits;

    fn grid() -> Grid {
        let mut grid = Grid::new("Effects")
            .column("Arm, \"measure\"", Align::Left)
            .column("n", Align::Right)
            .column("CI", Align::Right)
            .column("p", Align::Right);
        grid.push([
            Cell::text("Guidance | intensive"),
            Cell::Count(12_345_678),
            Cell::interval(Limits { lower: -1.0 / 3.0, upper: 2.0 }, 2),
            Cell::worded(0.000_012_3, "p < 0.001"),
        ]);
        grid.push([Cell::text("東京\nline"), Cell::Missing, Cell::Missing, Cell::number(f64::NAN, 2)]);
        let limits = Limits { lower: 0.5, upper: f64::INFINITY };
        let words = Cell::WordedInterval { text: "50% or more".to_owned(), limits };
        grid.push([Cell::text("a\\b"), Cell::Count(0), words]);
        grid
    }

    #[test]
    fn text_lines_up() {
        let expected = [
            "Effects",
            "",
            "Arm, \"measure\"               n             CI          p",
            "--------------------  --------  -------------  ---------",
            "Guidance | intensive  12345678  -0.33 to 2.00  p < 0.001",
            "東京 line                    -              -         NA",
            "a\\b                          0    50% or more          -",
            "",
        ];
        assert_eq!(grid().to_text(), expected.join("\n"));
    }

    #[test]
    fn markdown_escapes_pipes() {
        let text = grid().to_markdown();
        assert!(text.contains("| Guidance \\| intensive | 12345678 | -0.33 to 2.00 | p &lt; 0.001 |\n"));
        assert!(text.contains("| a\\\\b |"));
        assert!(text.contains("| 東京 line | - | - | NA |"));
    }

    #[test]
    fn csv_quotes_and_rounds() {
        let expected = "\"Arm, \"\"measure\"\"\",n,CI lower,CI upper,p\n\
                        Guidance | intensive,12345678,-0.333333,2,0.0000123\n\
                        \"東京\nline\",,,,\n\
                        a\\b,0,0.5,inf,\n";
        assert_eq!(grid().to_csv(), expected);
        let mut one = Grid::new("").column("a", Align::Left);
        one.push([Cell::Missing]);
        assert_eq!(one.to_csv(), "a\n\"\"\n");
    }

    #[test]
    fn ragged_rows_are_filled() {
        let mut grid = Grid::new("").column("a", Align::Left);
        grid.push([Cell::text("x")]);
        grid.push([Cell::text("y"), Cell::Count(2)]);
        assert_eq!(grid.to_csv(), "a,\nx,\ny,2\n");
        assert_eq!(grid.to_text(), "a\n-  -\nx  -\ny  2\n");
        assert_eq!((grid.len(), grid.is_empty()), (2, false));
    }
}
