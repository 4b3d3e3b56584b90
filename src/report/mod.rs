//! Reports and figures: tables as text, Markdown, CSV and JSON, and plots as SVG.
//!
//! Results print themselves in lines that read aloud (`println!("{effects}\n{pooled}")`).
//!
//! | type | what it is |
//! |---|---|
//! | [`Report`], [`Section`], [`Reportable`] | results and words in one document: text, Markdown, one long CSV table, JSON |
//! | [`OutcomeTable`] | absolute and relative, unadjusted and adjusted effects side by side, as CONSORT 2025 asks |
//! | [`Grid`], [`Cell`], [`Align`] | a table of any content |
//! | [`ForestPlot`] | a forest plot of trials and pools ([`of`](ForestPlot::of), [`of_all`](ForestPlot::of_all), [`of_joint`](ForestPlot::of_joint)), subgroups ([`of_subgroups`](ForestPlot::of_subgroups), [`of_subgroup_effects`](ForestPlot::of_subgroup_effects)), ways of pooling ([`of_side_by_side`](ForestPlot::of_side_by_side)), a network ([`of_network`](ForestPlot::of_network)), a one-stage model ([`of_one_stage`](ForestPlot::of_one_stage)) |
//! | [`ForestAxis`], [`Benefit`], [`ForestGroup`], [`ForestRow`], [`StudyRow`], [`PooledRow`], [`ForestInterval`] | a forest plot from labels and numbers |
//! | [`FunnelPlot`], [`BaujatPlot`] | whether small trials differ, and which trial moves the pool |
//! | [`NetworkGraph`], [`EdgeWidth`] | which arms were compared |
//! | [`mod@format`] | numbers as the words of a report |
//!
//! `examples/figures.rs` draws all of them. This is a figure of the main example, as the library draws it:
//!
#![doc = include_str!("../../examples/output/pooled_evaluation/full-time.svg")]

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
#[doc(alias("markdown", "json", "html"))]
pub use document::Report;
pub use document::{Reportable, Section};
#[doc(alias("forest plot", "figure", "svg"))]
pub use forest::ForestPlot;
pub use forest::{ForestGroup, ForestInterval, ForestRow, PooledRow, StudyRow};
#[doc(alias("funnel plot"))]
pub use funnel::FunnelPlot;
pub use grid::{Align, Cell, Grid};
pub use network_graph::EdgeWidth;
#[doc(alias("network plot"))]
pub use network_graph::NetworkGraph;
#[doc(alias("consort", "table 2"))]
pub use outcome_table::OutcomeTable;
