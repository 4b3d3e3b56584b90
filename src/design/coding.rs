//! From the labels of a category to the values of an outcome: which label stands for what.

use super::text::TextList;
use super::values::Values;
use crate::data::{Column, Table, check_twins, is_blank};
use crate::error::{Error, ErrorKind, LabelRows, Result};
use std::collections::{HashMap, HashSet};

/// The number of rows that an error names for a label.
const ROWS: usize = 5;

/// What to do with a label that an event does not declare.
pub(super) const EVENT: &str = "name each by no(&[..]) where it stands for no event, by missing(&[..]) where the outcome is not \
     known, or by not_applicable(&[..]) where the question does not concern the participant";

/// What to do with a label that an outcome of several levels does not declare.
pub(super) const LEVELS: &str = "name each as a level, or by missing(&[..]) where the outcome is not known, or by \
     not_applicable(&[..]) where the question does not concern the participant";

/// The labels of a category that are no level of the outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Coding {
    /// Labels that stand for no event.
    pub no: TextList,
    /// Labels that say that the outcome is not known.
    pub missing: TextList,
    /// Labels that say that the question does not concern the participant.
    pub not_applicable: TextList,
    pub others: Others,
    /// True if the level of an event need not occur.
    pub may_be_absent: bool,
}

/// The meaning of labels that are not declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Others {
    /// They are errors.
    Refused,
    /// They stand for no event.
    No,
}

impl Coding {
    /// Nothing is declared.
    pub(crate) const NONE: Self = Self {
        no: TextList::NONE,
        missing: TextList::NONE,
        not_applicable: TextList::NONE,
        others: Others::Refused,
        may_be_absent: false,
    };

    /// Refuses labels that are declared for a measure that is not read from a category.
    pub(super) fn none(&self) -> Result<()> {
        if *self == Self::NONE {
            return Ok(());
        }
        Err(Error::invalid(
            "no(..), missing(..) and not_applicable(..) name labels of a category, but this measure is not read from one; \
             use Measure::level(column, level), or declare the codes of missing cells where the file is read",
        ))
    }

    /// The values of a category: the place of its label among `levels`, NaN where it is missing or not
    /// applicable.
    ///
    /// For an event the levels are those without the event, at 0, and the one with it, at 1.
    pub(super) fn values(
        &self,
        table: &Table,
        column: &str,
        levels: &[(&str, f64)],
        advice: &'static str,
    ) -> Result<Values> {
        let labelled = table.labelled(column)?;
        let locate = |error: Error| error.in_column(column);
        self.check(levels).map_err(locate)?;
        check_twins(labelled.levels().iter().map(AsRef::as_ref)).map_err(locate)?;
        let mut values = Vec::with_capacity(labelled.levels().len());
        let mut unknown = Vec::new();
        // Of a level that is declared twice the first counts.
        let known: HashMap<&str, f64> = levels.iter().rev().copied().collect();
        for (code, label) in labelled.levels().iter().enumerate() {
            values.push(match known.get(&**label) {
                Some(value) => *value,
                None if self.missing.contains(label) || self.not_applicable.contains(label) => f64::NAN,
                None if self.others == Others::No => 0.0,
                None => {
                    unknown.push(code);
                    f64::NAN
                }
            });
        }
        if !unknown.is_empty() {
            return Err(locate(self.undeclared(table, &labelled, &unknown, levels, advice)?));
        }
        let codes = labelled.as_codes()?;
        let outcome =
            codes.iter().map(|&code| values.get(code as usize).copied().unwrap_or(f64::NAN)).collect();
        let apart: Vec<bool> =
            labelled.levels().iter().map(|label| self.not_applicable.contains(label)).collect();
        let not_applicable = if apart.contains(&true) {
            codes.iter().map(|&code| apart.get(code as usize).copied().unwrap_or(false)).collect()
        } else {
            Vec::new()
        };
        Ok(Values { not_applicable, ..Values::plain(outcome) })
    }

    /// Every label is declared once, and none is empty.
    fn check(&self, levels: &[(&str, f64)]) -> Result<()> {
        let special = self.missing.iter().chain(self.not_applicable.iter());
        let declared: Vec<&str> = levels.iter().map(|(level, _)| *level).chain(special).collect();
        if declared.iter().any(|label| is_blank(label)) {
            return Err(Error::invalid(
                "an empty label is declared, but an empty cell is missing and never a level; leave it out",
            ));
        }
        // Levels that are declared twice have an error of their own.
        let mut known: HashSet<&str> = declared[..levels.len()].iter().copied().collect();
        if let Some(twice) = declared[levels.len()..].iter().find(|label| !known.insert(label)) {
            let why = format!("the label \"{twice}\" is declared twice; name it once");
            return Err(Error::invalid(why));
        }
        check_twins(declared)
    }

    fn undeclared(
        &self,
        table: &Table,
        column: &Column,
        unknown: &[usize],
        levels: &[(&str, f64)],
        advice: &'static str,
    ) -> Result<Error> {
        let mut found: Vec<LabelRows> = unknown
            .iter()
            .map(|&code| LabelRows {
                label: column.levels()[code].to_string(),
                rows: Vec::new(),
                lines: Vec::new(),
                total: 0,
            })
            .collect();
        for (row, &code) in column.as_codes()?.iter().enumerate() {
            if let Ok(place) = unknown.binary_search(&(code as usize)) {
                found[place].total += 1;
                if found[place].rows.len() < ROWS {
                    found[place].rows.push(table.origin(row) + 1);
                    found[place].lines.extend(table.line(row));
                }
            }
        }
        let special = self.missing.iter().chain(self.not_applicable.iter());
        let declared = levels.iter().map(|(level, _)| *level).chain(special).map(str::to_owned).collect();
        Ok(ErrorKind::UndeclaredLabels { labels: found, declared, advice }.into())
    }
}

/// Refuses a level that occurs in none of the tables.
pub(super) fn check_occurs(tables: &[Table], column: &str, level: &str) -> Result<()> {
    let mut known: Vec<String> = Vec::new();
    for table in tables {
        let labelled = table.labelled(column)?;
        if labelled.levels().iter().any(|label| **label == *level) {
            return Ok(());
        }
        known.extend(labelled.levels().iter().map(ToString::to_string));
    }
    known.sort();
    known.dedup();
    Err(Error::from(ErrorKind::AbsentLevel { level: level.to_owned(), known }).in_column(column))
}
