//! Tables and figures of a report: forest, funnel and Baujat's plots and graphs of networks as SVG, tables as
//! text, Markdown and CSV.
//!
//! Results print themselves in lines that read aloud (`println!("{effects}\n{pooled}")`). A [`Report`]
//! gathers them, with words, as text, Markdown, one long CSV table and JSON; an [`OutcomeTable`] sets
//! absolute and relative, unadjusted and adjusted effects side by side; [`ForestPlot::of`] draws any result
//! with effects, [`ForestPlot::of_all`] several pools; [`FunnelPlot`], [`BaujatPlot`] and [`NetworkGraph`]
//! show what a pool rests on. [`CurvePlot`] draws survival and cumulative incidence of arms, [`OccupationPlot`]
//! their states by month, [`EffectsOverTimePlot`] effects by month, [`RandomizationPlot`] the distribution of a
//! replayed statistic, [`TippingPlot`] where missing outcomes change a conclusion, [`PowerCurvePlot`] the power of
//! a planned trial.
//!
//! [`ForestPlot`] and [`Grid`] also take plain descriptions (labels, numbers); [`mod@format`] turns numbers
//! into the words of a report.
//!
//! The folders sort into the order of dependency: `base` (numbers, plain tables), `draw` (figures without
//! results), `english` (the words that all share), `form` (rows: the form between results and formats),
//! `formats`, `results` (rows of each result), then reports and the figures of results.

pub(crate) mod base;
pub(crate) mod draw;
pub(crate) mod english;
mod form;
mod formats;
mod results;
mod sections;
mod views;

pub use base::format;
pub use base::grid::{Align, Cell, Grid};
pub use draw::axis::{Benefit, ForestAxis};
#[doc(alias("forest plot"))]
pub use draw::forest::{ForestGroup, ForestPlot, ForestRow};
pub use formats::csv::Formulas;
#[doc(alias("consort", "table of results", "participant flow"))]
pub use results::outcome_table::OutcomeTable;
#[doc(alias("markdown", "reporting"))]
pub use sections::{Drawable, Report, Reportable, Section};
pub use views::baujat::BaujatPlot;
#[doc(alias("kaplan-meier plot", "survival curves", "cumulative incidence curves", "numbers at risk"))]
pub use views::curves::CurvePlot;
#[doc(alias("funnel plot", "small-study effects"))]
pub use views::funnel::FunnelPlot;
#[doc(alias("network plot"))]
pub use views::network_graph::{EdgeWidth, NetworkGraph};
#[doc(alias("stacked probabilities", "state occupancy plot", "area chart"))]
pub use views::occupation::OccupationPlot;
#[doc(alias("event study plot", "simultaneous bands"))]
pub use views::over_time::EffectsOverTimePlot;
#[doc(alias("power analysis figure"))]
pub use views::power_curve::PowerCurvePlot;
#[doc(alias("permutation distribution", "null distribution"))]
pub use views::randomization::RandomizationPlot;
#[doc(alias("tipping point plot", "heat map"))]
pub use views::tipping::TippingPlot;
