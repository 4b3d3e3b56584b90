//! Named columns with missing cells, before anyone calls them a trial.

mod cell;
mod column;
#[cfg(feature = "csv")]
mod csv;
#[cfg(feature = "csv")]
mod csv_cell;
mod levels;
mod table;

pub use cell::Cell;
pub(crate) use column::MISSING_CODE;
pub use column::{Column, ColumnKind};
#[cfg(feature = "csv")]
pub use csv::CsvReader;
pub use table::{Subgroup, Table};

#[cfg(all(test, feature = "csv"))]
mod csv_tests;
#[cfg(test)]
mod tests;
