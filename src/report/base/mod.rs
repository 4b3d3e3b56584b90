//! Numbers as words, plain tables, widths of text, files. Nothing here knows a result.

pub(crate) mod file;
pub mod format;
pub(crate) mod grid;
pub(crate) mod text_width;
