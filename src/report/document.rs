use std::path::Path;

use serde::{Deserialize, Serialize};

use super::analysis::{Analysis, Show};
use super::file::write_whole;
use super::forest::ForestPlot;
use super::forest_of::trial_label;
use super::format::{Limits, percent};
use super::grid::{Align, Cell, Grid};
use super::one_stage::{one_stage_grid, one_stage_statistics, push_one_stage};
use super::outcome_table::{OutcomeTable, capitalised, p_cell, unit_words};
use super::pool_words::{
    inferences, joint_heading, joint_statistics, pool_heading, pool_model, pool_scale, prediction_line,
    statistics,
};
use super::tidy;
use super::words::{Words, count_words, interval_name, listed};
use crate::design::{Label, Notice};
use crate::effect::{
    AnyScale, CategoryEffects, Effects, Estimate, Estimates, Scale, SubgroupEffects, TreatmentEffects,
};
use crate::error::{ErrorKind, Result};
use crate::pool::{JointlyPooled, OneStagePooled, Pooled};
use crate::protocol::PlanResults;

/// A report: results and words in the order in which they were added, as text, Markdown, CSV and JSON.
///
/// It keeps the results themselves, so that JSON holds every digit and every convention and reads back; text, Markdown and CSV round to at
/// most six significant digits, which makes them the same on every processor.
///
/// ```
/// use armwise::prelude::*;
/// use armwise::report::{OutcomeTable, Report};
///
/// let outflow = Measure::binary("outflow").higher_is_better();
/// let cities = Comparisons::new([
///     Comparison::from_counts("Deventer", &outflow, [("control", 10, 100), ("guidance", 15, 100)])?,
///     Comparison::from_counts("Utrecht", &outflow, [("control", 6, 176), ("guidance", 7, 172)])?,
/// ])?;
/// let differences = cities.estimate(&DifferenceInProportions::new())?;
/// let ratios = cities.estimate(&RatioOfProportions::new())?;
/// let pooled = RandomEffects::new().pool(&differences.treatment("guidance")?)?;
///
/// let mut report = Report::new("Guidance towards work");
/// report.push(&OutcomeTable::new(&differences).relative(&ratios)?);
/// report.heading("All cities together").push(&pooled);
/// report.paragraph("Two cities say little of how much cities differ.");
///
/// assert!(report.to_text().starts_with("Guidance towards work\n=====================\n"));
/// assert!(report.to_markdown().contains("\n## All cities together\n"));
/// assert_eq!(report.to_csv().lines().count(), 10);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    title: String,
    sections: Vec<Section>,
}

/// A part of a [`Report`], made from a result by [`Reportable`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Section(Content);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Content {
    Heading(String),
    Paragraph(String),
    Estimates { estimates: Vec<Estimate<AnyScale>>, notices: Vec<Notice> },
    Outcomes(OutcomeTable),
    Pooled(Box<Pooled<AnyScale>>),
    PooledJointly(Box<JointlyPooled<AnyScale>>),
    OneStage(Box<OneStagePooled<AnyScale>>),
    Plan(Box<PlanResults>),
    Analysis(Analysis),
    Categories(Box<CategoryEffects<AnyScale>>),
}

/// A result that can be part of a [`Report`]: estimates, effects, effects on categories, tables of them, pools, of any scale, and what a
/// plan found.
///
/// ```
/// use armwise::prelude::*;
/// use armwise::report::{Report, Reportable};
///
/// fn two_reports(result: &impl Reportable) -> [Report; 2] {
///     ["for the city", "for the ministry"].map(|title| {
///         let mut report = Report::new(title);
///         report.push(result);
///         report
///     })
/// }
/// let counts = Comparison::from_counts("Utrecht", &Measure::binary("outflow"), [("control", 6, 176), ("guidance", 7, 172)])?;
/// assert_eq!(two_reports(&counts.estimate(&OddsRatio::new())?).len(), 2);
/// # Ok::<(), armwise::Error>(())
/// ```
pub trait Reportable: private::Sealed {
    /// The part of a report that holds this result.
    fn section(&self) -> Section;
}

pub(super) mod private {
    pub trait Sealed {}
}

macro_rules! reportable {
    ($($name:ident => |$result:ident| $content:expr;)+) => {
        $(impl<S: Scale> private::Sealed for $name<S> {}
        impl<S: Scale> Reportable for $name<S> {
            fn section(&self) -> Section {
                let $result = self;
                Section($content)
            }
        })+
    };
}

/// The part of a report that holds an analysis.
pub(super) fn analysis_section(analysis: Analysis) -> Section {
    Section(Content::Analysis(analysis))
}

reportable! {
    SubgroupEffects => |subgroups| Content::Estimates {
        estimates: subgroups.effects.iter().flat_map(|effects| effects.to_any().iter().collect::<Vec<_>>()).collect(),
        notices: subgroups.notices().to_vec(),
    };
    Estimate => |estimate| Content::Estimates { estimates: vec![estimate.to_any()], notices: Vec::new() };
    TreatmentEffects => |effects| Content::Estimates {
        estimates: effects.iter().map(Estimate::to_any).collect(),
        notices: effects.notices(),
    };
    CategoryEffects => |effects| Content::Categories(Box::new(effects.to_any()));
    Estimates => |estimates| Content::Outcomes(OutcomeTable::new(estimates));
    Effects => |effects| Content::Outcomes(OutcomeTable::new(effects));
    Pooled => |pooled| Content::Pooled(Box::new(pooled.to_any()));
    JointlyPooled => |joint| Content::PooledJointly(Box::new(joint.to_any()));
    OneStagePooled => |pooled| Content::OneStage(Box::new(pooled.to_any()));
}

impl private::Sealed for OutcomeTable {}
impl Reportable for OutcomeTable {
    fn section(&self) -> Section {
        Section(Content::Outcomes(self.clone()))
    }
}

impl private::Sealed for PlanResults {}
impl Reportable for PlanResults {
    fn section(&self) -> Section {
        Section(Content::Plan(Box::new(self.clone())))
    }
}

impl Report {
    /// A report without content.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), sections: Vec::new() }
    }

    /// Adds a result.
    pub fn push(&mut self, result: &impl Reportable) -> &mut Self {
        self.sections.push(result.section());
        self
    }

    /// Adds a heading.
    pub fn heading(&mut self, text: impl Into<String>) -> &mut Self {
        self.sections.push(Section(Content::Heading(text.into())));
        self
    }

    /// Adds a paragraph of words.
    pub fn paragraph(&mut self, text: impl Into<String>) -> &mut Self {
        self.sections.push(Section(Content::Paragraph(text.into())));
        self
    }

    /// The report as plain text: tables in columns of fixed width, pools in lines that read aloud, notices below them.
    pub fn to_text(&self) -> String {
        let mut blocks = vec![underlined(&self.title, '=')];
        blocks.extend(self.sections.iter().map(|Section(content)| match content {
            Content::Heading(text) => underlined(text, '-'),
            Content::Paragraph(text) => text.trim().to_owned(),
            Content::Estimates { estimates, notices } => {
                let notices = notices.iter().map(|notice| format!("  note: {notice}"));
                estimates.iter().map(ToString::to_string).chain(notices).collect::<Vec<_>>().join("\n")
            }
            Content::Outcomes(table) => table.to_string(),
            Content::Pooled(pooled) => pooled.to_string(),
            Content::PooledJointly(joint) => joint.to_string(),
            Content::OneStage(pooled) => pooled.to_string(),
            Content::Plan(results) => results.to_string(),
            Content::Analysis(analysis) => analysis.shown().to_string(),
            Content::Categories(effects) => {
                let notices = effects.notices().into_iter().map(|notice| format!("  note: {notice}"));
                let table = effects.grid().to_text().trim_end().to_owned();
                std::iter::once(table).chain(notices).collect::<Vec<_>>().join("\n")
            }
        }));
        joined(&blocks)
    }

    /// The report in GitHub's Markdown: a table and a list of notes per result.
    pub fn to_markdown(&self) -> String {
        let mut blocks = vec![format!("# {}", super::grid::markdown(&self.title))];
        blocks.extend(self.sections.iter().map(|Section(content)| match content {
            Content::Heading(text) => format!("## {}", super::grid::markdown(text)),
            Content::Paragraph(text) => text.trim().to_owned(),
            Content::Estimates { estimates, notices } => {
                let estimates =
                    estimates.iter().map(|estimate| estimate.to_string().replace("\n  note:", "; note:"));
                bullets(&estimates.chain(notices.iter().map(Notice::to_string)).collect::<Vec<_>>())
            }
            Content::Outcomes(table) => with_notes(&table.grid(), &table.notes()),
            Content::Pooled(pooled) => {
                let mut notes: Vec<String> = prediction_line(pooled).into_iter().collect();
                notes.push(statistics(pooled));
                notes.extend(pooled.notices().iter().map(Notice::to_string));
                with_notes(&pooled_grid(pooled), &notes)
            }
            Content::PooledJointly(joint) => {
                let mut notes = vec![joint_statistics(joint)];
                notes.extend(joint.notices().iter().map(Notice::to_string));
                with_notes(&joint_grid(joint), &notes)
            }
            Content::OneStage(pooled) => {
                let mut notes = one_stage_statistics(pooled);
                notes.extend(pooled.notices().iter().map(Notice::to_string));
                with_notes(&one_stage_grid(pooled), &notes)
            }
            Content::Plan(results) => with_notes(&results.grid(), &results.notes()),
            Content::Analysis(analysis) => {
                let shown = analysis.shown();
                let tables: Vec<String> = shown.grids.iter().map(Grid::to_markdown).collect();
                let heading = super::grid::markdown(&shown.heading);
                format!("**{heading}**\n\n{}\n{}", tables.join("\n"), bullets(&shown.notes()))
            }
            Content::Categories(effects) => {
                let notes: Vec<String> = effects.notices().iter().map(Notice::to_string).collect();
                with_notes(&effects.grid(), &notes)
            }
        }));
        joined(&blocks)
    }

    /// All results as one long table for further analysis: a row per estimate, the same columns for all, six significant digits.
    ///
    /// The column `kind` is `trial`, `pooled` (the primary test), `pooled_beside` (Wald or Hartung-Knapp beside it), `prediction`,
    /// `pooled_jointly`, `one_stage`, `failed` (of a plan: no answer, the reason being in `notices`), or the word of an analysis, such as `prespecified`, `left_out`, `posterior`, `subgroup` or `network`. Estimates and intervals are on the scale of estimation (proportions, logarithms of ratios); ratios are given beside
    /// them. An infinite limit is `inf`. Words are left out.
    pub fn to_csv(&self) -> String {
        let mut grid = tidy::table();
        for Section(content) in &self.sections {
            match content {
                Content::Heading(_) | Content::Paragraph(_) => {}
                Content::Estimates { estimates, .. } => {
                    for estimate in estimates {
                        tidy::push_estimate(&mut grid, estimate, None);
                    }
                }
                Content::Outcomes(table) => {
                    for estimate in table.effects().flatten().flat_map(Estimates::iter) {
                        tidy::push_estimate(&mut grid, &estimate, None);
                    }
                }
                Content::Pooled(pooled) => tidy::push_pooled(&mut grid, pooled),
                Content::PooledJointly(joint) => tidy::push_joint(&mut grid, joint),
                Content::OneStage(pooled) => push_one_stage(&mut grid, pooled),
                Content::Plan(results) => results.push_tidy(&mut grid),
                Content::Analysis(analysis) => analysis.long_rows(&mut grid),
                Content::Categories(effects) => {
                    for estimate in effects.iter().flat_map(|one| one.estimates.iter()) {
                        tidy::push_estimate(&mut grid, &estimate, None);
                    }
                }
            }
        }
        grid.to_csv()
    }

    /// The report as JSON with every digit and every convention; it reads back with serde.
    ///
    /// # Errors
    /// [`ErrorKind::Format`] if a number has no JSON form, which no result has.
    ///
    /// ```
    /// use armwise::prelude::*;
    /// use armwise::report::Report;
    ///
    /// let counts = Comparison::from_counts("Utrecht", &Measure::binary("outflow"), [("control", 6, 176), ("guidance", 7, 172)])?;
    /// let mut report = Report::new("Utrecht");
    /// report.push(&counts.estimate(&DifferenceInProportions::new())?);
    /// let back: Report = serde_json::from_str(&report.to_json()?).unwrap();
    /// assert_eq!(back, report);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    #[cfg(feature = "json")]
    pub fn to_json(&self) -> Result<String> {
        let text =
            serde_json::to_string_pretty(self).map_err(|error| ErrorKind::Format(error.to_string()))?;
        Ok(text + "\n")
    }

    /// Writes `report.txt`, `report.md`, `report.csv` and (with the feature `json`) `report.json` into a folder, which is made if it is not
    /// there. Every file is either complete or not there.
    ///
    /// # Errors
    /// [`ErrorKind::Write`] if the folder or a file cannot be written.
    pub fn write_dir(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        std::fs::create_dir_all(folder).map_err(|error| ErrorKind::Write {
            what: folder.display().to_string(),
            why: error.to_string(),
        })?;
        write_whole(&folder.join("report.txt"), &self.to_text())?;
        write_whole(&folder.join("report.md"), &self.to_markdown())?;
        write_whole(&folder.join("report.csv"), &self.to_csv())?;
        #[cfg(feature = "json")]
        write_whole(&folder.join("report.json"), &self.to_json()?)?;
        Ok(())
    }

    /// Writes the forest plot of all pools of the report, a group of rows each.
    ///
    /// # Errors
    /// There is no pool; the pools are of several measures or scales (draw those with [`ForestPlot::of_all`]); the file cannot be written.
    pub fn forest_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        let pools: Vec<&Pooled<AnyScale>> = self
            .sections
            .iter()
            .filter_map(|Section(content)| match content {
                Content::Pooled(pooled) => Some(&**pooled),
                _ => None,
            })
            .collect();
        let plot = match pools.as_slice() {
            [one] => ForestPlot::of(one),
            all => ForestPlot::of_all(all.iter().copied())?,
        };
        plot.title(self.title.clone()).write_svg(path)
    }
}

fn underlined(text: &str, rule: char) -> String {
    let line = super::grid::one_line(text);
    let rule = rule.to_string().repeat(super::text_width::display_columns(&line));
    format!("{line}\n{rule}")
}

fn joined(blocks: &[String]) -> String {
    let blocks: Vec<&str> =
        blocks.iter().map(|block| block.trim_end()).filter(|block| !block.is_empty()).collect();
    blocks.join("\n\n") + "\n"
}

fn bullets(lines: &[String]) -> String {
    lines.iter().map(|line| format!("- {}", super::grid::markdown(line))).collect::<Vec<_>>().join("\n")
}

fn with_notes(grid: &Grid, notes: &[String]) -> String {
    format!("{}\n{}", grid.to_markdown(), bullets(notes))
}

pub(super) fn effect_cell(words: &Words, value: f64, limits: Limits) -> Cell {
    let shown = Limits { lower: words.shown(limits.lower), upper: words.shown(limits.upper) };
    Cell::Estimate { text: words.cell(value, limits), value: words.shown(value), limits: shown }
}

pub(super) fn effect_name(scale: &AnyScale, measure: &crate::design::MeasureInfo, level: f64) -> String {
    format!("{}{} ({})", capitalised(&scale.to_string()), unit_words(scale, measure), interval_name(level))
}

fn pooled_grid(pooled: &Pooled<AnyScale>) -> Grid {
    let summary = pooled.summary;
    let mut grid = Grid::new(pool_heading(pooled))
        .column("Trial", Align::Left)
        .column("People", Align::Right)
        .column(effect_name(&pooled.about().scale, pooled.measure(), summary.level), Align::Right)
        .column("p", Align::Right)
        .column("Weight", Align::Right);
    for trial in &pooled.trials {
        let estimate = &trial.estimate;
        let words = Words::new(&estimate.about().scale, estimate.measure(), estimate.se());
        grid.push([
            Cell::text(trial_label(estimate, summary.level)),
            Cell::text(count_words(estimate)),
            effect_cell(&words, estimate.value(), estimate.interval().into()),
            p_cell(estimate.p_value()),
            Cell::worded(trial.weight, percent(trial.weight)),
        ]);
    }
    let words = pool_scale(pooled);
    let (primary, others) = inferences(pooled);
    let model = capitalised(&pool_model(pooled));
    let mark = if others.is_empty() { "" } else { " (primary)" };
    let rows = std::iter::once((mark, &primary)).chain(others.iter().map(|other| ("", other)));
    for (mark, by) in rows {
        grid.push([
            Cell::text(format!("{model}, {}{mark}", by.how())),
            Cell::Missing,
            effect_cell(&words, pooled.value(), by.limits),
            p_cell(by.p_value),
        ]);
    }
    grid
}

fn joint_grid(joint: &JointlyPooled<AnyScale>) -> Grid {
    let mut grid = Grid::new(joint_heading(joint))
        .column("Effect", Align::Left)
        .column(effect_name(&joint.about().scale, joint.measure(), joint.model.level), Align::Right)
        .column("p", Align::Right)
        .column("Trials", Align::Left);
    for coefficient in joint.coefficients() {
        let words = Words::new(&joint.about().scale, joint.measure(), coefficient.se());
        grid.push([
            Cell::text(coefficient.label.as_str()),
            effect_cell(&words, coefficient.value(), coefficient.interval().into()),
            p_cell(coefficient.p_value()),
            Cell::text(listed(coefficient.trials.iter().map(Label::as_str))),
        ]);
    }
    grid
}
