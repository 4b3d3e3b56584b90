//! The baseline table.

use crate::compute::balance::CovariateKind;
use crate::compute::mean::Sample;
use crate::design::{BaselineRow, BaselineTable};
use crate::error::counted;
use crate::report::base::format::{p_value, percent, plain_label, significant};
use crate::report::base::grid::{Align, Cell, Grid};
use crate::report::form::row::About;
use crate::report::form::table::{ResultTable, Tabulate};
use std::fmt::{self, Display, Formatter};

/// `41.2 (10.3)`, or `45.1%`.
fn cell(kind: CovariateKind, sample: &Sample) -> Cell {
    match kind {
        CovariateKind::Binary => Cell::worded(sample.mean, percent(sample.mean)),
        _ => Cell::worded(
            sample.mean,
            format!("{} ({})", significant(sample.mean, 3), significant(sample.sd, 3)),
        ),
    }
}

/// `age`, or `education: low`.
fn name(row: &BaselineRow) -> String {
    let covariate = plain_label(&row.covariate);
    row.level
        .as_ref()
        .map_or_else(|| covariate.clone(), |level| format!("{covariate}: {}", plain_label(level)))
}

impl From<&BaselineTable> for Grid {
    /// A row for each covariate or level: means with standard deviations or shares of every arm, the missing, and the
    /// standardised differences against the reference.
    fn from(table: &BaselineTable) -> Self {
        let mut grid = Self::new(format!("{}, before treatment: mean (SD), or share", table.trial))
            .column("Covariate", Align::Left);
        for (arm, n) in table.arms.iter().zip(&table.randomised) {
            grid = grid.column(format!("{} (n = {n})", plain_label(arm)), Align::Right);
        }
        let is_missing = table.rows.iter().any(|row| row.missing.iter().any(|n| *n > 0));
        if is_missing {
            grid = grid.column("Missing", Align::Right);
        }
        for arm in table.arms.iter().skip(1) {
            grid = grid.column(format!("SMD {}", plain_label(arm)), Align::Right);
        }
        for row in &table.rows {
            let samples = row.arms.iter().map(|sample| cell(row.kind, sample));
            let missing = is_missing.then(|| Cell::count(row.missing.iter().sum()));
            let differences = row.standardized_differences.iter().map(|difference| {
                difference.map_or_else(Cell::missing, |x| Cell::worded(x, format!("{x:+.2}")))
            });
            grid.push(
                std::iter::once(Cell::text(name(row))).chain(samples).chain(missing).chain(differences),
            );
        }
        grid
    }
}

/// What stands below the table.
fn lines(table: &BaselineTable) -> Vec<String> {
    let reference = table.arms.first().map_or("", |arm| arm.as_str());
    let differences = format!(
        "SMD: standardised difference against {}, by the mean of both variances; chance alone makes it larger in smaller arms",
        plain_label(reference)
    );
    let joint = table.joint.map(|joint| {
        format!(
            "all covariates together, {} who have them: {} (Pillai's trace {})",
            counted(usize::try_from(joint.people).unwrap_or(usize::MAX), "person"),
            p_value(joint.manova.pillai.p_value),
            significant(joint.manova.pillai_trace, 3)
        )
    });
    std::iter::once(differences).chain(joint).collect()
}

impl Tabulate for BaselineTable {
    fn table(&self) -> ResultTable {
        let table = ResultTable::new(About::nothing(self.trial.as_str()), "", Vec::new()).lines(lines(self));
        ResultTable { grids: vec![Grid::from(self)], ..table }
    }
}

/// The table in columns of fixed width, and its notes.
impl Display for BaselineTable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.table().fmt(f)
    }
}
