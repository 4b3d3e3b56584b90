//! What a reader of files left out.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A reservation about a table: something that the file holds and the table does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TableNotice {
    /// Rows without any value at the end of the file.
    EmptyRows {
        /// The number of rows.
        rows: usize,
    },
    /// Columns without name and values at the right of the file.
    EmptyColumns {
        /// The number of columns.
        columns: usize,
    },
    /// The end-of-file character of old systems (Ctrl-Z) at the end of the file.
    EndMark,
    /// Rows of a joined table whose key does not occur in the other table.
    Unmatched {
        /// The column of the key.
        key: String,
        /// The number of rows.
        rows: usize,
    },
}

impl fmt::Display for TableNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = |n: usize| if n == 1 { "" } else { "s" };
        match self {
            Self::EmptyRows { rows } => {
                write!(f, "{rows} empty row{} at the end of the file left out", s(*rows))
            }
            Self::EmptyColumns { columns } => {
                write!(f, "{columns} empty column{} at the right of the file left out", s(*columns))
            }
            Self::EndMark => f.write_str("the end-of-file character (Ctrl-Z) left out"),
            Self::Unmatched { key, rows } => {
                write!(
                    f,
                    "{rows} row{} without a match by \"{key}\", whose joined cells are missing",
                    s(*rows)
                )
            }
        }
    }
}
