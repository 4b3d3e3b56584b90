//! Tables and figures of a report: forest plots as SVG, tables as text, Markdown and CSV.
//!
//! Results print themselves in lines that read aloud (`println!("{effects}\n{pooled}")`). A [`Report`] gathers them, with words, as text,
//! Markdown, one long CSV table and JSON; an [`OutcomeTable`] sets absolute and relative, unadjusted and adjusted effects side by side;
//! [`ForestPlot::of`], [`ForestPlot::of_all`] and [`ForestPlot::of_joint`] draw pools.
//!
//! [`ForestPlot`] and [`Grid`] also take plain descriptions (labels, numbers); [`mod@format`] turns numbers into the words of a report.

mod axis;
mod canvas;
mod display;
mod document;
mod file;
mod forest;
mod forest_layout;
mod forest_of;
#[cfg(test)]
mod forest_tests;
pub mod format;
mod grid;
mod outcome_table;
mod pool_words;
#[cfg(test)]
mod result_tests;
mod text_width;
mod tidy;
mod words;

pub use axis::{Benefit, ForestAxis};
pub use document::{Report, Reportable, Section};
pub use forest::{ForestGroup, ForestInterval, ForestPlot, ForestRow, PooledRow, StudyRow};
pub use grid::{Align, Cell, Grid};
pub use outcome_table::OutcomeTable;
