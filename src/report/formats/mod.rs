//! The formats of reports and tables, one file each.

pub(crate) mod csv;
pub(crate) mod markdown;
pub(crate) mod text;

use super::form::table::Document;

/// A format of reports.
type Writer = fn(&Document<'_>) -> String;

/// The formats in which every report is written: the end of the file's name, and the writer.
pub(crate) const FORMATS: [(&str, Writer); 3] =
    [("txt", text::report), ("md", markdown::report), ("csv", csv::report)];
