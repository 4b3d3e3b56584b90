//! Named columns with missing cells, before anyone calls them a trial.
//!
//! | type | what it is |
//! |---|---|
//! | [`Table`] | named columns of equal length |
//! | [`CsvReader`] | reads a table from CSV: delimiter, decimal comma, codes of missing values |
//! | [`Encoding`], [`Percent`], [`DateOrder`] | what a file can hold |
//! | [`TableNotice`] | what a reader left out |
//! | [`Column`], [`ColumnKind`], [`Cell`] | real numbers, counts, flags or categories, with missing cells |
//! | [`Summary`], [`ColumnSummary`] | what the columns hold: missing cells, smallest and largest number, levels |
//! | [`Bound`], [`Unmatched`] | choices of [`Table::cut`] and [`Table::join`] |
//! | [`Subgroup`] | the rows of a table that have one label in common |
//!
//! ```
//! use armwise::prelude::*;
//!
//! const WELLBEING: Measure<Continuous> = Questionnaire::who5(&["w1", "w2", "w3", "w4", "w5"])
//!     .prorated_from(4)
//!     .measure("wellbeing")
//!     .unit("points");
//!
//! let text = "arm;age;w1;w2;w3;w4;w5;before\n\
//!             control;51,5;3;3;2;4;3;48\ncontrol;62,0;2;;3;3;2;52\n\
//!             control;55,1;1;2;2;2;1;40\nguidance;58,3;4;4;3;5;4;50\n\
//!             guidance;61,2;3;4;4;4;-9;56\nguidance;53,9;4;5;4;4;5;60\n";
//! let table = CsvReader::new().delimiter(b';').decimal_comma().missing(["-9"]).text(text)?;
//! let over_50 = table.keep_where("age", |age| age > 50.0)?;
//! let trial =
//!     Trial::builder("Utrecht", over_50).arm_labels("arm").control("control").build()?;
//! let ancova = LinearRegression::new().adjust_for(["before"]);
//! let effect = trial.on(&WELLBEING)?.estimate(&ancova)?.treatment("guidance")?;
//! assert_eq!(effect.df(), Some(3.0));
//! # Ok::<(), armwise::Error>(())
//! ```

mod cell;
mod column;
mod compact;
#[cfg(feature = "csv")]
mod csv;
#[cfg(feature = "csv")]
mod csv_advice;
#[cfg(feature = "csv")]
mod csv_cell;
#[cfg(feature = "csv")]
mod csv_gather;
#[cfg(feature = "csv")]
mod csv_number;
#[cfg(feature = "csv")]
mod csv_read;
#[cfg(feature = "csv")]
mod csv_records;
#[cfg(feature = "csv")]
mod csv_text;
mod join;
mod levels;
mod lines;
mod notice;
mod reshape;
mod summary;
mod table;
pub(crate) mod twins;
mod widen;

pub use cell::Cell;
pub use column::{Column, ColumnKind};
pub(crate) use column::{MISSING_CODE, MISSING_FLAG};
#[cfg(feature = "csv")]
#[doc(alias("encoding", "utf-8", "semicolon", "decimal comma", "missing values", "excel"))]
pub use csv::CsvReader;
#[cfg(feature = "csv")]
pub use csv_number::{DateOrder, Percent};
#[cfg(feature = "csv")]
#[doc(alias("utf-16", "latin-1", "ansi", "byte order mark"))]
pub use csv_text::Encoding;
pub use join::Unmatched;
pub(crate) use lines::Lines;
pub use notice::TableNotice;
pub use reshape::Bound;
pub use summary::{ColumnSummary, Summary};
pub use table::Subgroup;
#[doc(alias("data frame", "dataframe"))]
pub use table::Table;
pub(crate) use twins::{check_arms, check_twins, is_blank, same_parts};
