//! The columns of tables and figures: a heading, and the cell that a row has there.

use super::row::Row;
use crate::report::base::format::{listed, p_number, p_number_near, percent, plain_label};
use crate::report::base::grid::{Align, Cell, Grid};

/// A column of a table.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) heading: String,
    pub(crate) align: Align,
    pub(crate) cell: fn(&Row) -> Cell,
}

/// A column of words.
pub(crate) fn left(heading: impl Into<String>, cell: fn(&Row) -> Cell) -> Column {
    Column { heading: heading.into(), align: Align::Left, cell }
}

/// A column of numbers.
pub(crate) fn right(heading: impl Into<String>, cell: fn(&Row) -> Cell) -> Column {
    Column { heading: heading.into(), align: Align::Right, cell }
}

/// These columns of these rows.
pub(crate) fn grid<'a>(
    title: impl Into<String>,
    columns: &[Column],
    rows: impl IntoIterator<Item = &'a Row>,
) -> Grid {
    let mut grid = columns
        .iter()
        .fold(Grid::new(title), |grid, column| grid.column(column.heading.as_str(), column.align));
    rows.into_iter().for_each(|row| grid.push(columns.iter().map(|column| (column.cell)(row))));
    grid
}

/// Words, or nothing.
pub(crate) fn text(words: &str) -> Cell {
    if words.is_empty() { Cell::missing() } else { Cell::text(words) }
}

fn or_missing<T>(value: Option<T>, cell: impl Fn(T) -> Cell) -> Cell {
    value.map_or_else(Cell::missing, cell)
}

pub(crate) fn label(row: &Row) -> Cell {
    Cell::text(plain_label(&row.label))
}

pub(crate) fn treatment(row: &Row) -> Cell {
    text(&plain_label(&row.about.treatment))
}

pub(crate) fn effect(row: &Row) -> Cell {
    row.effect_cell()
}

pub(crate) fn p(row: &Row) -> Cell {
    or_missing(row.p_value, |p| Cell::worded(p, p_number_near(p, 1.0 - row.about.level)))
}

/// A p-value without the letter.
pub(crate) fn p_cell(p: f64) -> Cell {
    Cell::worded(p, p_number(p))
}

pub(crate) fn percent_cell(share: f64) -> Cell {
    Cell::worded(share, percent(share))
}

pub(crate) fn weight(row: &Row) -> Cell {
    or_missing(row.weight, percent_cell)
}

pub(crate) fn method(row: &Row) -> Cell {
    text(&row.method)
}

/// `n 172 v 176, events 7 v 6`.
pub(crate) fn people(row: &Row) -> Cell {
    or_missing(row.people_words(), Cell::text)
}

/// `A, B and C`.
pub(crate) fn trials(row: &Row) -> Cell {
    text(&listed(&row.trials))
}

pub(crate) fn tau(row: &Row) -> Cell {
    or_missing(row.heterogeneity.tau2, |tau2| row.about.amount_cell(tau2.sqrt()))
}

pub(crate) fn i2(row: &Row) -> Cell {
    or_missing(row.heterogeneity.i2, percent_cell)
}

fn versus(counts: [u64; 2], text: impl Fn(usize, u64) -> String) -> Cell {
    let [treatment, reference] = counts;
    Cell::versus(treatment, reference, format!("{} v {}", text(0, treatment), text(1, reference)))
}

pub(crate) fn randomised(row: &Row) -> Cell {
    or_missing(row.counts, |counts| versus(counts.map(|arm| arm.randomised), |_, n| n.to_string()))
}

pub(crate) fn analysed(row: &Row) -> Cell {
    or_missing(row.counts, |counts| versus(counts.map(|arm| arm.analysed), |_, n| n.to_string()))
}

/// `7 (4.1%) v 6 (3.4%)`.
pub(crate) fn events(row: &Row) -> Cell {
    let analysed = |arm: usize| row.counts.map_or(0, |counts| counts[arm].analysed);
    or_missing(row.events(), |events| {
        versus(events, |arm, events| format!("{events} ({})", percent(share(events, analysed(arm)))))
    })
}

/// `events / n`, 0 where there is nobody.
pub(crate) fn share(events: u64, n: u64) -> f64 {
    if n == 0 { 0.0 } else { events as f64 / n as f64 }
}

/// The first cell that only the rows of this table have.
pub(crate) fn own0(row: &Row) -> Cell {
    own(row, 0)
}

pub(crate) fn own1(row: &Row) -> Cell {
    own(row, 1)
}

pub(crate) fn own2(row: &Row) -> Cell {
    own(row, 2)
}

pub(crate) fn own3(row: &Row) -> Cell {
    own(row, 3)
}

pub(crate) fn own(row: &Row, place: usize) -> Cell {
    row.cells.get(place).cloned().unwrap_or_default()
}
