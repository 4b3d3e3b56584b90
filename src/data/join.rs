//! Columns of another table, by a key.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::data::{Table, TableNotice, check_twins};
use crate::error::{Error, Result, grouped};

/// The rule for rows whose key does not occur in the other table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unmatched {
    /// They are an error.
    Refused,
    /// Their cells in the new columns are missing, as a [notice](Table::notices) tells.
    Missing,
}

impl Table {
    /// The same rows with the columns of another table, whose row has the same value of `key`: questionnaires
    /// beside a register, by participant; or the number of inhabitants, by municipality.
    ///
    /// ```
    /// use armwise::Table;
    /// use armwise::data::Unmatched;
    ///
    /// let people = Table::from_csv_str("id,arm\n1,control\n2,guidance\n3,control\n")?;
    /// let answers = Table::from_csv_str("id,satisfied\n2,yes\n1,no\n")?;
    /// let joined = people.join(&answers, "id", Unmatched::Missing)?;
    /// let satisfied: Vec<_> = joined.column("satisfied")?.flags()?.collect();
    /// assert_eq!(satisfied, [Some(false), Some(true), None]);
    /// assert_eq!(joined.notices().len(), 1);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// `unknown_column` for a table without the key; `invalid_input` for a key that occurs twice in the other
    /// table, for a column that both tables have, and, if so asked, for a row without a match; `twin_labels`
    /// for keys that differ by case, spacing or Unicode composition only.
    pub fn join(&self, other: &Self, key: &str, unmatched: Unmatched) -> Result<Self> {
        let (own, theirs) = (self.labelled(key)?, other.labelled(key)?);
        let labels = own.levels().iter().chain(theirs.levels()).map(AsRef::as_ref);
        check_twins(labels).map_err(|error| error.in_column(key))?;
        let mut place: HashMap<&str, usize> = HashMap::new();
        for (row, label) in theirs.categories()?.enumerate() {
            let Some(label) = label else { continue };
            if place.insert(label, row).is_some() {
                let why = format!(
                    "\"{label}\" occurs twice in the table that is joined; keep one row for each key"
                );
                return Err(other.locate(Error::invalid(why).in_column(key), row));
            }
        }
        let rows: Vec<Option<usize>> =
            own.categories()?.map(|label| label.and_then(|label| place.get(label).copied())).collect();
        let lacking: Vec<usize> = (0..rows.len()).filter(|row| rows[*row].is_none()).collect();
        if let (Unmatched::Refused, Some(first)) = (unmatched, lacking.first()) {
            let label = own.categories()?.nth(*first).flatten().unwrap_or("");
            let why = format!(
                "{} row{} no match in the table that is joined, the first being \"{label}\"; mend the key, or join with \
                 Unmatched::Missing",
                grouped(lacking.len()),
                if lacking.len() == 1 { " has" } else { "s have" }
            );
            return Err(self.locate(Error::invalid(why).in_column(key), *first));
        }
        let mut table = self.clone();
        for name in other.names().filter(|name| *name != key) {
            table = table.with_column(name, other.column(name)?.take_or_missing(&rows))?;
        }
        if !lacking.is_empty() {
            let notice = TableNotice::Unmatched { key: key.to_owned(), rows: lacking.len() };
            table = table.with_notices(vec![notice]);
        }
        Ok(table)
    }
}
