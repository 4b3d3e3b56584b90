//! Reports and figures: tables as text, Markdown, CSV and JSON, and plots as SVG.
//!
//! Results print themselves in lines that read aloud (`println!("{effects}\n{pooled}")`).
//!
//! | type | what it is |
//! |---|---|
//! | [`Report`], [`Section`], [`Reportable`] | results and words in one document: text, Markdown, one long CSV table, JSON |
//! | [`OutcomeTable`] | absolute and relative, unadjusted and adjusted effects side by side, as CONSORT 2025 asks |
//! | [`Grid`], [`Cell`], [`Align`] | a table of any content |
//! | [`ForestPlot`], [`Drawable`] | a forest plot of any result with effects ([`of`](ForestPlot::of)), or of several pools ([`of_all`](ForestPlot::of_all)) |
//! | [`ForestAxis`], [`Benefit`], [`ForestGroup`], [`ForestRow`] | a forest plot from labels and numbers |
//! | [`FunnelPlot`], [`BaujatPlot`] | whether small trials differ, and which trial moves the pool |
//! | [`NetworkGraph`], [`EdgeWidth`] | which arms were compared |
//! | [`mod@format`] | numbers as the words of a report |
//!
//! `examples/figures.rs` draws all of them. This is a figure of the main example, as the library draws it:
//!
#![doc = include_str!("../../examples/output/pooled_evaluation/full-time.svg")]

// The folders and files sort into the order of dependency, as those of `src/` do: numbers and plain tables, drawing,
// words, rows (the form between results and formats), formats, the rows of each result, reports, figures of results.
mod base;
mod draw;
mod english;
mod form;
mod formats;
mod results;
mod sections;
mod views;

#[cfg(test)]
mod figure_tests;
#[cfg(test)]
mod result_tests;

pub use base::format;
pub use base::grid::{Align, Cell, Grid};
pub use draw::axis::{Benefit, ForestAxis};
#[doc(alias("forest plot", "figure", "svg"))]
pub use draw::forest::ForestPlot;
pub use draw::forest::{ForestGroup, ForestRow};
#[doc(alias("consort", "table 2"))]
pub use results::outcome_table::OutcomeTable;
#[doc(alias("markdown", "json", "html"))]
pub use sections::Report;
pub use sections::{Drawable, Reportable, Section};
pub use views::baujat::BaujatPlot;
#[doc(alias("funnel plot"))]
pub use views::funnel::FunnelPlot;
pub use views::network_graph::EdgeWidth;
#[doc(alias("network plot"))]
pub use views::network_graph::NetworkGraph;
