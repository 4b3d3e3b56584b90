//! The counts of both arms as columns: events of the people analysed where the outcome is an event, else
//! people.

use crate::report::base::format::{capitalised, plain_label};
use crate::report::base::grid::Cell;
use crate::report::form::columns::{Column, own0, own1, right};
use crate::report::form::row::Row;

/// `n/N` where all these rows count events, else `N`.
fn counts_name(rows: &[Row]) -> &'static str {
    if rows.iter().all(|row| row.events().is_some()) { "n/N" } else { "N" }
}

/// Gives every row the counts of its arms as its own cells, and returns their sums.
pub(crate) fn count_cells(rows: &mut [Row]) -> Vec<Cell> {
    let with_events = counts_name(rows) == "n/N";
    let words = |[events, n]: [u64; 2]| if with_events { format!("{events}/{n}") } else { n.to_string() };
    let mut sums = [[0, 0]; 2];
    for row in rows {
        let Some(counts) = row.counts else { continue };
        let counts = counts.map(|arm| [arm.events.unwrap_or(0), arm.analysed]);
        for (sum, own) in sums.iter_mut().zip(counts) {
            *sum = [sum[0] + own[0], sum[1] + own[1]];
        }
        row.cells = counts.map(|arm| Cell::text(words(arm))).to_vec();
    }
    sums.map(|arm| Cell::text(words(arm))).to_vec()
}

/// The columns of those cells: `Guidance n/N`, `Control n/N`.
pub(crate) fn arm_columns(rows: &[Row]) -> Vec<Column> {
    let counts = counts_name(rows);
    let Some(first) = rows.first() else { return Vec::new() };
    let one = rows.iter().all(|row| row.about.treatment == first.about.treatment);
    let treatment =
        if one { capitalised(&plain_label(&first.about.treatment)) } else { "Treatment".to_owned() };
    vec![
        right(format!("{treatment} {counts}"), own0),
        right(format!("{} {counts}", capitalised(&plain_label(&first.about.reference))), own1),
    ]
}

/// The explanation of `n/N`.
pub(crate) fn counts_note(rows: &[Row]) -> Option<String> {
    let words = "n/N: people with the event, of the people analysed.";
    (counts_name(rows) == "n/N").then(|| words.to_owned())
}
