//! Results as tables: one `rows` for each, and the sentences of results that are no table.

mod arms;
mod baseline;
mod categories;
mod counts;
mod estimates;
mod families;
mod joint;
mod marginal_models;
pub(crate) mod missing;
pub(crate) mod outcome_table;
mod plan;
pub(crate) mod pools;
pub(crate) mod randomization;
mod resampled;
mod sensitivity;
mod sentences;
mod structure;
mod waves;
mod ways;

use crate::design::Notice;

/// Notices, each on a line of its own below a sentence.
fn told(notices: &[Notice]) -> String {
    notices.iter().fold(String::new(), |text, notice| text + "\n  note: " + &notice.to_string())
}
