//! What the columns of a table hold.

use std::fmt;
use std::sync::Arc;

use crate::data::{Column, ColumnKind, Table};
use crate::error::{counted, number};

/// The largest number of levels that a summary prints of a column.
const PRINTED: usize = 12;

/// What the columns of a table hold. See [`Table::summary`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// The number of rows.
    pub rows: usize,
    /// One for each column, in their order.
    pub columns: Vec<ColumnSummary>,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ColumnSummary {
    /// The name.
    pub name: String,
    /// The kind of its cells.
    pub kind: ColumnKind,
    /// The number of cells that are not missing.
    pub n: usize,
    /// The number of missing cells.
    pub missing: usize,
    /// The smallest number; `None` for categories and where all cells are missing.
    pub min: Option<f64>,
    /// The largest number; `None` for categories and where all cells are missing.
    pub max: Option<f64>,
    /// The mean of the numbers (of flags, the share of yes); `None` as for `min`.
    pub mean: Option<f64>,
    /// The levels of categories and flags, each with its number of rows.
    pub levels: Vec<(Arc<str>, usize)>,
}

impl Table {
    /// What each column holds: its kind, missing cells, smallest and largest number, and levels with their
    /// numbers of rows. A first look that shows codes such as 999, and labels that should be one.
    ///
    /// ```
    /// use armwise::Table;
    ///
    /// let table = Table::from_csv_str("arm,age\ncontrol,34\ncontrol,999\nguidance,\n")?;
    /// let summary = table.summary();
    /// let age = &summary.columns[1];
    /// assert_eq!((age.n, age.missing, age.min, age.max), (2, 1, Some(34.0), Some(999.0)));
    /// assert_eq!(summary.columns[0].levels[0].1, 2);
    /// assert!(summary.to_string().contains("control 2, guidance 1"));
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn summary(&self) -> Summary {
        let columns =
            self.names.iter().zip(&self.columns).map(|(name, column)| column.summary(name)).collect();
        Summary { rows: self.rows, columns }
    }
}

impl Column {
    fn summary(&self, name: &str) -> ColumnSummary {
        let numbers: Vec<f64> = self.reals().map(|cells| cells.flatten().collect()).unwrap_or_default();
        let n = self.len() - self.missing();
        let labelled = match self.kind() {
            ColumnKind::Flag | ColumnKind::Category => self.to_categories().ok(),
            _ => None,
        };
        let levels = labelled.map_or_else(Vec::new, |labelled| {
            let mut counts = vec![0; labelled.levels().len()];
            for code in labelled.as_codes().unwrap_or_default() {
                if let Some(count) = counts.get_mut(*code as usize) {
                    *count += 1;
                }
            }
            labelled.levels().iter().cloned().zip(counts).collect()
        });
        ColumnSummary {
            name: name.to_owned(),
            kind: self.kind(),
            n,
            missing: self.missing(),
            min: numbers.iter().copied().reduce(f64::min),
            max: numbers.iter().copied().reduce(f64::max),
            // By steps, so that no sum of finite numbers is infinite.
            mean: (!numbers.is_empty()).then(|| {
                (1_u32..)
                    .zip(&numbers)
                    .fold(0.0, |mean, (i, x)| mean + (x / f64::from(i) - mean / f64::from(i)))
            }),
            levels,
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", counted(self.rows, "row"), counted(self.columns.len(), "column"))?;
        self.columns.iter().try_for_each(|column| write!(f, "\n  {column}"))
    }
}

impl fmt::Display for ColumnSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, n {}, {} missing", self.name, self.kind, self.n, self.missing)?;
        if let (Some(min), Some(max), Some(mean)) = (self.min, self.max, self.mean)
            && self.kind != ColumnKind::Flag
        {
            write!(f, ", {} to {}, mean {}", number(min), number(max), number((mean * 1e4).round() / 1e4))?;
        }
        let levels: Vec<String> =
            self.levels.iter().take(PRINTED).map(|(label, n)| format!("{label} {n}")).collect();
        if !levels.is_empty() {
            write!(f, ": {}", levels.join(", "))?;
        }
        match self.levels.len().saturating_sub(PRINTED) {
            0 => Ok(()),
            more => write!(f, ", and {} more levels", crate::error::grouped(more)),
        }
    }
}
