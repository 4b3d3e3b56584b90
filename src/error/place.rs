use std::fmt;

/// The place where an error arose. Parts that do not apply are `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Place {
    /// The trial (municipality).
    pub trial: Option<String>,
    /// The measure.
    pub measure: Option<String>,
    /// The label of the arm.
    pub arm: Option<String>,
    /// The column of the table.
    pub column: Option<String>,
    /// The row, counted from 1 without the header line.
    pub row: Option<usize>,
    /// The line of the file, counted from 1.
    pub line: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            self.trial.clone(),
            self.measure.clone(),
            self.arm.as_ref().map(|arm| format!("arm \"{arm}\"")),
            self.column.as_ref().map(|column| format!("column \"{column}\"")),
            match (self.row, self.line) {
                (Some(row), Some(line)) => Some(format!("row {row} (line {line})")),
                (Some(row), None) => Some(format!("row {row}")),
                (None, line) => line.map(|line| format!("line {line}")),
            },
        ];
        f.write_str(&words.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}
