//! Files that are either complete or not there.

use std::ffi::OsString;
use std::path::Path;

use crate::error::{ErrorKind, Result};

/// Writes a file beside `path` and renames it, so that nobody meets half of it.
pub(crate) fn write_whole(path: &Path, text: &str) -> Result<()> {
    let failed = |error: std::io::Error| {
        crate::error::Error::from(ErrorKind::Write {
            what: path.display().to_string(),
            why: error.to_string(),
        })
    };
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let written = std::fs::write(&part, text).and_then(|()| std::fs::rename(&part, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = std::fs::remove_file(&part);
    }
    written.map_err(failed)
}
