//! The formats of reports and tables, one file each.

pub(crate) mod csv;
#[cfg(test)]
mod grid_tests;
pub(crate) mod markdown;
pub(crate) mod text;

use super::form::table::Document;

/// The formats in which every report is written: the end of the file's name, and the writer.
pub(crate) const FORMATS: [(&str, fn(&Document<'_>) -> String); 3] =
    [("txt", text::report), ("md", markdown::report), ("csv", csv::report)];
