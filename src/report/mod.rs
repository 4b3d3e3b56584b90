//! Tables and figures of a report: forest, funnel and Baujat's plots and graphs of networks as SVG, tables as text, Markdown and CSV.
//!
//! Results print themselves in lines that read aloud (`println!("{effects}\n{pooled}")`). A [`Report`] gathers them, with words, as text,
//! Markdown, one long CSV table and JSON; an [`OutcomeTable`] sets absolute and relative, unadjusted and adjusted effects side by side;
//! [`ForestPlot::of`], [`ForestPlot::of_all`] and [`ForestPlot::of_joint`] draw pools, [`ForestPlot::of_subgroups`],
//! [`ForestPlot::of_subgroup_effects`], [`ForestPlot::of_side_by_side`], [`ForestPlot::of_network`] and [`ForestPlot::of_one_stage`] what else is
//! estimated; [`FunnelPlot`], [`BaujatPlot`] and [`NetworkGraph`] show what it rests on.
//!
//! [`ForestPlot`] and [`Grid`] also take plain descriptions (labels, numbers); [`mod@format`] turns numbers into the words of a report.

mod analysis;
mod analysis_sensitivity;
mod analysis_structure;
mod analysis_ways;
mod axis;
mod baujat;
mod canvas;
mod categories;
mod display;
mod document;
mod figure;
#[cfg(test)]
mod figure_tests;
mod file;
mod forest;
mod forest_analyses;
mod forest_layout;
mod forest_of;
#[cfg(test)]
mod forest_tests;
pub mod format;
mod funnel;
mod grid;
mod margin_words;
mod network_graph;
mod one_stage;
mod outcome_table;
mod plan;
mod pool_words;
#[cfg(test)]
mod result_tests;
mod text_width;
mod tidy;
mod words;

pub use axis::{Benefit, ForestAxis};
pub use baujat::BaujatPlot;
pub use document::{Report, Reportable, Section};
pub use forest::{ForestGroup, ForestInterval, ForestPlot, ForestRow, PooledRow, StudyRow};
pub use funnel::FunnelPlot;
pub use grid::{Align, Cell, Grid};
pub use network_graph::{EdgeWidth, NetworkGraph};
pub use outcome_table::OutcomeTable;
