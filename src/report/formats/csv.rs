//! Comma-separated values: all results as one long table, a row per number with its interval.

use crate::design::{ArmCounts, MeasureInfo, Notice};
use crate::effect::{Scale, ScaleForm};
use crate::error::visible;
use crate::report::base::grid::{Cell, Grid};
use crate::report::form::columns::{Column, grid, left, text, weight};
use crate::report::form::row::Row;
use crate::report::form::table::{Document, Part, ResultTable};

/// What becomes of text that a spreadsheet would run: text that begins with `=`, `+`, `-` or `@` and is no number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Formulas {
    /// An apostrophe before it makes it text. The default.
    #[default]
    Neutralised,
    /// It stays as it is, for a program that reads the file.
    Kept,
}

pub(crate) fn report(document: &Document<'_>) -> String {
    report_with(document, Formulas::Neutralised)
}

pub(crate) fn report_with(document: &Document<'_>, formulas: Formulas) -> String {
    let rows: Vec<Row> = document
        .parts
        .iter()
        .flat_map(|part| match part {
            Part::Table(table) => told(table),
            Part::Heading(_) | Part::Paragraph(_) => Vec::new(),
        })
        .collect();
    grid("", &columns(), &rows).to_csv_with(formulas)
}

/// The rows of a table; notices that none of them has stand in the first one that is of no single trial.
/// Words of the table itself are no notices.
fn told(table: &ResultTable) -> Vec<Row> {
    let mut rows = table.rows.clone();
    let has = |notice: &Notice| rows.iter().any(|row| row.notices.contains(notice));
    let is_new = |notice: &&Notice| !matches!(notice, Notice::Other(_)) && !has(notice);
    let new: Vec<Notice> = table.notices.iter().filter(is_new).cloned().collect();
    let place = rows.iter().position(|row| row.kind != "trial").unwrap_or(0);
    if let Some(row) = rows.get_mut(place) {
        row.notices.extend(new);
    }
    rows
}

fn number(value: Option<f64>) -> Cell {
    value.map_or_else(Cell::missing, |value| Cell::number(value, 6))
}

fn count(value: Option<u64>) -> Cell {
    value.map_or_else(Cell::missing, Cell::count)
}

fn measure(row: &Row, part: fn(&MeasureInfo) -> Option<&str>) -> Cell {
    text(part(&row.about.measure).unwrap_or_default())
}

/// The ratio, where the scale is the logarithm of one.
fn ratio(row: &Row, value: Option<f64>) -> Cell {
    let is_ratio = row.about.scale.form() == ScaleForm::LogRatio;
    number(value.filter(|_| is_ratio).map(libm::exp))
}

fn lower(row: &Row) -> Option<f64> {
    row.interval.map(|interval| interval.lower())
}

fn upper(row: &Row) -> Option<f64> {
    row.interval.map(|interval| interval.upper())
}

/// The treatment, or the arm by itself.
fn of_treatment(row: &Row) -> Option<ArmCounts> {
    row.counts.map(|[treatment, _]| treatment).or(row.alone)
}

/// The columns of the long table.
fn columns() -> Vec<Column> {
    type Of = fn(&Row) -> Cell;
    let columns: [(&str, Of); 34] = [
        ("kind", |row| text(row.kind)),
        ("measure", |row| measure(row, |measure| Some(&measure.name))),
        ("horizon", |row| measure(row, |measure| measure.horizon.as_deref())),
        ("unit", |row| measure(row, |measure| measure.unit.as_deref())),
        ("scale", |row| text(row.about.scale.name())),
        ("estimand", |row| row.about.estimand.map_or_else(Cell::missing, |one| Cell::text(one.to_string()))),
        ("trial", |row| text(&row.trials.join("; "))),
        ("treatment", |row| text(&row.about.treatment)),
        ("reference", |row| text(&row.about.reference)),
        ("estimator", |row| text(&row.estimator)),
        ("adjusted_for", |row| text(&row.adjusted_for.join("; "))),
        ("interval_method", |row| text(&row.method)),
        ("estimate", |row| number(row.estimate)),
        ("se", |row| number(row.se)),
        ("df", |row| number(row.df)),
        ("lower", |row| number(lower(row))),
        ("upper", |row| number(upper(row))),
        ("level", |row| number(Some(row.about.level))),
        ("p_value", |row| number(row.p_value)),
        ("ratio", |row| ratio(row, row.estimate)),
        ("ratio_lower", |row| ratio(row, lower(row))),
        ("ratio_upper", |row| ratio(row, upper(row))),
        ("treatment_randomised", |row| count(of_treatment(row).map(|arm| arm.randomised))),
        ("treatment_analysed", |row| count(of_treatment(row).map(|arm| arm.analysed))),
        ("treatment_events", |row| count(of_treatment(row).and_then(|arm| arm.events))),
        ("reference_randomised", |row| count(row.counts.map(|counts| counts[1].randomised))),
        ("reference_analysed", |row| count(row.counts.map(|counts| counts[1].analysed))),
        ("reference_events", |row| count(row.counts.and_then(|counts| counts[1].events))),
        ("weight", weight),
        ("tau2", |row| number(row.heterogeneity.tau2)),
        ("i2", |row| number(row.heterogeneity.i2)),
        ("q", |row| number(row.heterogeneity.q.map(|q| q.statistic))),
        ("q_df", |row| number(row.heterogeneity.q.map(|q| q.df))),
        ("notices", |row| text(&row.notices.iter().map(Notice::to_string).collect::<Vec<_>>().join("; "))),
    ];
    columns.into_iter().map(|(heading, cell)| left(heading, cell)).collect()
}

impl Grid {
    /// The table as comma-separated values (fields quoted as RFC 4180 says, lines ended by a line feed),
    /// without the title.
    ///
    /// Numbers have at most six significant digits; missing cells are empty. A column that holds an interval
    /// anywhere becomes the two columns `NAME lower` and `NAME upper`, with the estimate before them if there
    /// is one; numbers of two arms become `NAME treatment` and `NAME reference`. Text that a spreadsheet would run
    /// is [`Neutralised`](Formulas::Neutralised).
    pub fn to_csv(&self) -> String {
        self.to_csv_with(Formulas::Neutralised)
    }

    /// As [`Grid::to_csv`], with the choice of what becomes of text that a spreadsheet would run.
    ///
    /// ```
    /// use armwise::report::{Align, Cell, Formulas, Grid};
    ///
    /// let mut grid = Grid::new("").column("Arm", Align::Left).column("Difference", Align::Right);
    /// grid.push([Cell::text("=1+1"), Cell::number(-0.5, 2)]);
    /// assert_eq!(grid.to_csv(), "Arm,Difference\n'=1+1,-0.5\n");
    /// assert_eq!(grid.to_csv_with(Formulas::Kept), "Arm,Difference\n=1+1,-0.5\n");
    /// ```
    pub fn to_csv_with(&self, formulas: Formulas) -> String {
        let suffixes: Vec<&[&str]> = (0..self.columns.len())
            .map(|j| {
                let cells = self.rows.iter().map(|row| row[j].holds.suffixes());
                cells.max_by_key(|suffixes| suffixes.len()).unwrap_or(&[""])
            })
            .collect();
        let header = self.columns.iter().zip(&suffixes).flat_map(|((name, _), suffixes)| {
            suffixes.iter().map(move |suffix| format!("{name}{suffix}").trim().to_owned())
        });
        let rows = self.rows.iter().map(|row| {
            let cells = row.iter().zip(&suffixes).flat_map(|(cell, suffixes)| {
                let mut fields = cell.fields.clone();
                fields.resize(suffixes.len(), String::new());
                fields
            });
            line(&cells.collect::<Vec<_>>(), formulas)
        });
        std::iter::once(line(&header.collect::<Vec<_>>(), formulas)).chain(rows).collect()
    }
}

/// Whether a spreadsheet takes the text for a formula: a number is none.
fn runs(field: &str) -> bool {
    field.starts_with(['=', '+', '-', '@']) && field.parse::<f64>().is_err()
}

fn line(fields: &[String], formulas: Formulas) -> String {
    // A line with one empty field would read as an empty line.
    if let [field] = fields
        && field.is_empty()
    {
        return "\"\"\n".to_owned();
    }
    let quoted = |field: &String| {
        let mut field = visible(field);
        if formulas == Formulas::Neutralised && runs(&field) {
            field.insert(0, '\'');
        }
        if field.contains(['"', ',', '\n']) {
            field = format!("\"{}\"", field.replace('"', "\"\""));
        }
        field
    };
    fields.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n"
}
