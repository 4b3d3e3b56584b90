//! Results as tables: one `rows` for each, and the sentences of results that are no table.

mod categories;
mod counts;
mod estimates;
mod joint;
pub(crate) mod outcome_table;
mod plan;
pub(crate) mod pools;
mod sensitivity;
mod sentences;
mod structure;
mod ways;

use crate::design::Notice;

/// Notices, each on a line of its own below a sentence.
fn told(notices: &[Notice]) -> String {
    notices.iter().map(|notice| format!("\n  note: {notice}")).collect()
}
