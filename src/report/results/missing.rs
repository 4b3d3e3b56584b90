//! Bounds and tipping points: a line for each treatment, tables, and how they were made.

use super::told;
use crate::compute::interval::Interval;
use crate::compute::missing::{Selection, TippingTest, TrimmedArm};
use crate::error::counted;
use crate::missing::{BoundedTreatment, MissingAssumption, MissingBounds, TippingGrid, TippingQuestion};
use crate::report::base::format::{p_number, p_value, plain_label, significant};
use crate::report::base::grid::{Align, Cell, Grid};
use crate::report::english::effects::{contrast_words, interval_name, measure_words};
use crate::report::form::row::About;
use crate::report::form::table::{ResultTable, Tabulate};
use std::fmt::{self, Display, Formatter};

/// `worst case within 0 to 100`.
fn assumption_words(assumption: &MissingAssumption) -> String {
    let within =
        |range: &Interval| format!("{} to {}", significant(range.lower(), 4), significant(range.upper(), 4));
    match assumption {
        MissingAssumption::WorstCase { range } => format!("worst case within {}", within(range)),
        MissingAssumption::Monotone { range, selection } => {
            let side = match selection {
                Selection::MissingNotHigher => "not higher",
                Selection::MissingNotLower => "not lower",
            };
            format!("the missing of an arm {side} on average than those seen, within {}", within(range))
        }
        MissingAssumption::Deviations { k } => {
            format!("the missing of an arm up to {} SD from those seen", significant(*k, 3))
        }
        MissingAssumption::Trimmed { cells: None } => {
            "effect on those who are seen in either arm, by trimming".to_owned()
        }
        MissingAssumption::Trimmed { cells: Some(column) } => {
            format!("effect on those who are seen in either arm, by trimming within {}", plain_label(column))
        }
    }
}

fn limits(interval: Interval) -> String {
    format!("{} to {}", significant(interval.lower(), 3), significant(interval.upper(), 3))
}

fn trimmed_words(own: &BoundedTreatment) -> Option<String> {
    let arm = match own.trimmed? {
        TrimmedArm::Treatment => "treatment trimmed",
        TrimmedArm::Control => "reference trimmed",
        TrimmedArm::Neither => "neither arm trimmed",
    };
    let share = own.share.filter(|share| *share > 0.0);
    Some(share.map_or_else(|| arm.to_owned(), |share| format!("{arm} by {}%", significant(100.0 * share, 3))))
}

/// `Utrecht, score: bounds (worst case within 0 to 100)`, then a line for each treatment: `t vs c: -3.2 to
/// 4.1 (95% CI -5 to 6), complete cases 0.4, 12 of 200 people missing`.
impl Display for MissingBounds {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {}: bounds of the {} ({})",
            self.trial,
            measure_words(&self.measure),
            self.scale,
            assumption_words(&self.assumption)
        )?;
        for own in &self.treatments {
            write!(
                f,
                "\n{}: {}",
                contrast_words(&own.treatment.label, &self.reference.label),
                limits(own.bounds)
            )?;
            if let Some(interval) = own.interval {
                write!(f, " ({} {})", interval_name(self.level), limits(interval))?;
            }
            write!(
                f,
                ", complete cases {}, {}",
                significant(own.complete_cases, 3),
                self.missing_words(own)
            )?;
            if let Some(words) = trimmed_words(own) {
                write!(f, ", {words}")?;
            }
        }
        f.write_str(&told(&self.notices))
    }
}

/// A row for each treatment.
impl From<&MissingBounds> for Grid {
    fn from(bounds: &MissingBounds) -> Self {
        let mut grid = Self::new(format!(
            "Bounds of the {} in {} of {}: {}",
            bounds.scale,
            measure_words(&bounds.measure),
            bounds.trial,
            assumption_words(&bounds.assumption)
        ))
        .column("Comparison", Align::Left)
        .column("Complete cases", Align::Right)
        .column("Bounds", Align::Right);
        let with_intervals = bounds.treatments.iter().any(|own| own.interval.is_some());
        let with_trimming = bounds.treatments.iter().any(|own| own.trimmed.is_some());
        if with_intervals {
            grid = grid.column(interval_name(bounds.level), Align::Right);
        }
        grid = grid.column("Missing", Align::Left);
        if with_trimming {
            grid = grid.column("Trimming", Align::Left);
        }
        for own in &bounds.treatments {
            let mut row = vec![
                Cell::text(contrast_words(&own.treatment.label, &bounds.reference.label)),
                Cell::worded(own.complete_cases, significant(own.complete_cases, 3)),
                Cell::worded_interval(own.bounds, limits(own.bounds)),
            ];
            if with_intervals {
                row.push(
                    own.interval.map_or_else(Cell::missing, |one| Cell::worded_interval(one, limits(one))),
                );
            }
            row.push(Cell::text(bounds.missing_words(own)));
            if with_trimming {
                row.push(Cell::text(trimmed_words(own).unwrap_or_default()));
            }
            grid.push(row);
        }
        grid
    }
}

impl Tabulate for MissingBounds {
    fn table(&self) -> ResultTable {
        let table = ResultTable::new(About::nothing(""), "", Vec::new()).notices(&self.notices);
        ResultTable { grids: vec![Grid::from(self)], ..table }
    }
}

/// `events among the missing`, `added to what was imputed`.
pub(crate) fn axis_words(question: &TippingQuestion) -> &'static str {
    match question {
        TippingQuestion::Events { .. } => "events among the missing",
        TippingQuestion::Deltas { .. } => "added to what was imputed",
    }
}

pub(crate) fn question_words(question: &TippingQuestion) -> String {
    match question {
        TippingQuestion::Events { test: TippingTest::Pooled } => {
            "every completion of the missing, pooled z test".to_owned()
        }
        TippingQuestion::Events { test: TippingTest::Unpooled } => {
            "every completion of the missing, unpooled z test".to_owned()
        }
        TippingQuestion::Deltas { imputations, analysis, .. } => {
            format!("{}, {analysis}", counted(*imputations, "imputation"))
        }
    }
}

/// `p < 0.05 without any departure (0.12, p = 0.02); changed in 12 of 165 cells`.
pub(crate) fn conclusion_words(grid: &TippingGrid) -> String {
    let plain = match grid.question {
        TippingQuestion::Events { .. } => "complete cases",
        TippingQuestion::Deltas { .. } => "as imputed",
    };
    format!(
        "{plain} {}, {}; the conclusion at {} changes in {} of {}",
        significant(grid.plain, 3),
        p_value(grid.plain_p_value),
        significant(grid.alpha, 3),
        grid.changed(),
        counted(grid.cells(), "cell")
    )
}

/// `Utrecht, works, t vs c: tipping points over events among the missing (...): complete cases 0.12, p =
/// 0.02; ...`.
impl Display for TippingGrid {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {}, {}: tipping points, {} ({}): {}",
            self.trial,
            measure_words(&self.measure),
            contrast_words(&self.treatment, &self.reference),
            axis_words(&self.question),
            question_words(&self.question),
            conclusion_words(self)
        )?;
        f.write_str(&told(&self.notices))
    }
}

/// At most so many rows and columns of a grid are shown, evenly.
const SHOWN: usize = 8;

fn shown(n: usize) -> Vec<usize> {
    if n <= SHOWN {
        return (0..n).collect();
    }
    (0..SHOWN).map(|i| i * (n - 1) / (SHOWN - 1)).collect()
}

/// Effects with their p-values, the treatment down and the reference across; those that change the conclusion
/// have a star.
impl From<&TippingGrid> for Grid {
    fn from(own: &TippingGrid) -> Self {
        let mut grid = Self::new(format!(
            "Tipping points of {} in {}, {}: {} ({}); {}",
            measure_words(&own.measure),
            own.trial,
            contrast_words(&own.treatment, &own.reference),
            axis_words(&own.question),
            question_words(&own.question),
            conclusion_words(own)
        ))
        .column(plain_label(&own.treatment), Align::Right);
        let columns = shown(own.of_reference.len());
        for &j in &columns {
            grid = grid.column(
                format!("{} {}", plain_label(&own.reference), significant(own.of_reference[j], 4)),
                Align::Right,
            );
        }
        for i in shown(own.of_treatment.len()) {
            let cells = columns.iter().map(|&j| {
                let star = if own.is_changed(i, j) { "*" } else { "" };
                let value = own.values[i][j];
                Cell::worded(
                    value,
                    format!("{} (p {}){star}", significant(value, 3), p_number(own.p_values[i][j])),
                )
            });
            let first = Cell::worded(own.of_treatment[i], significant(own.of_treatment[i], 4));
            grid.push(std::iter::once(first).chain(cells));
        }
        grid
    }
}

impl Tabulate for TippingGrid {
    fn table(&self) -> ResultTable {
        let star = "* another conclusion than without any departure".to_owned();
        let table = ResultTable::new(About::nothing(""), "", Vec::new()).lines([star]).notices(&self.notices);
        ResultTable { grids: vec![Grid::from(self)], ..table }
    }
}
