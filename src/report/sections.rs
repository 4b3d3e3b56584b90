//! Reports, and the one list of results that can be part of them.

use std::fmt::{self, Display, Formatter};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::base::file::write_whole;
use super::base::grid::Grid;
use super::form::row::About;
use super::form::table::{Document, Part, ResultTable, Tabulate};
use super::formats::csv::Formulas;
use super::formats::{FORMATS, csv, markdown, text};
use super::results::outcome_table::OutcomeTable;
use crate::design::BaselineTable;
use crate::effect::{
    AdjustedFamily, AnyScale, CategoryEffects, Effects, Estimate, Estimates, Scale, SubgroupEffects,
    TreatmentEffects, WaveEffects,
};
use crate::error::{ErrorKind, Result};
use crate::inference::{MarginalModels, RandomizationResult, ResampledPool, StepDownResult};
use crate::missing::{MissingBounds, TippingGrid};
use crate::pool::{
    Asymmetry, BayesianPooled, HenmiCopasPooled, Influence, JointlyPooled, NetworkPooled, OneStageComparison,
    OneStagePooled, Pooled, PooledArms, PooledCounts, PooledRandomizationResult, PooledRegression,
    PooledSideBySide, PooledSubgroups, PriorSensitivity, Refits, TrimmedAndFilled,
};
use crate::protocol::PlanResults;

/// A report: results and words in the order in which they were added, as text, Markdown, CSV and JSON.
///
/// It keeps the results themselves, so that JSON holds every digit and every convention and reads back; text,
/// Markdown and CSV round to at most six significant digits, which makes them the same on every processor.
///
/// ```
/// use armwise::prelude::*;
/// use armwise::report::{OutcomeTable, Report};
///
/// let outflow = Measure::binary("outflow").higher_is_better();
/// let cities = Comparisons::new([
///     Comparison::from_counts(
///         "Deventer",
///         &outflow,
///         [("control", 10, 100), ("guidance", 15, 100)],
///     )?,
///     Comparison::from_counts(
///         "Utrecht",
///         &outflow,
///         [("control", 6, 176), ("guidance", 7, 172)],
///     )?,
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
/// assert_eq!(report.to_csv().lines().count(), 11);
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
pub struct Section(pub(crate) Content);

/// A result that can be part of a [`Report`]: estimates, effects, effects on categories, tables of them,
/// pools, of any scale, and what a plan found.
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
/// let counts = Comparison::from_counts(
///     "Utrecht",
///     &Measure::binary("outflow"),
///     [("control", 6, 176), ("guidance", 7, 172)],
/// )?;
/// assert_eq!(two_reports(&counts.estimate(&OddsRatio::new())?).len(), 2);
/// # Ok::<(), armwise::Error>(())
/// ```
pub trait Reportable: private::Sealed {
    /// The part of a report that holds this result.
    fn section(&self) -> Section;
}

/// A result with effects that a forest plot shows: [`ForestPlot::of`](super::ForestPlot::of).
pub trait Drawable: Reportable {}

mod private {
    pub trait Sealed {}
}

macro_rules! results {
    ($($(#[$words:meta])+ $variant:ident($name:ident) $($drawable:ident)?;)+) => {
        /// The content of a section: words, or a result with its scale known at run time.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum Content {
            Heading(String),
            Paragraph(String),
            Grid(Box<Grid>),
            Outcomes(Box<OutcomeTable>),
            Plan(Box<PlanResults>),
            Arms(Box<PooledArms>),
            Family(Box<AdjustedFamily>),
            Baseline(Box<BaselineTable>),
            Randomization(Box<RandomizationResult>),
            StepDown(Box<StepDownResult>),
            MarginalModels(Box<MarginalModels>),
            PooledRandomization(Box<PooledRandomizationResult>),
            Bounds(Box<MissingBounds>),
            Tipping(Box<TippingGrid>),
            $($variant(Box<$name<AnyScale>>)),+
        }

        impl Content {
            fn part(&self) -> Part<'_> {
                Part::Table(Box::new(match self {
                    Self::Heading(text) => return Part::Heading(text),
                    Self::Paragraph(text) => return Part::Paragraph(text),
                    Self::Grid(grid) => {
                        let grids = vec![(**grid).clone()];
                        ResultTable { grids, ..ResultTable::new(About::nothing(""), "", Vec::new()) }
                    }
                    Self::Outcomes(result) => result.table(),
                    Self::Plan(result) => result.table(),
                    Self::Arms(result) => result.table(),
                    Self::Family(result) => result.table(),
                    Self::Baseline(result) => result.table(),
                    Self::Randomization(result) => result.table(),
                    Self::StepDown(result) => result.table(),
                    Self::MarginalModels(result) => result.table(),
                    Self::PooledRandomization(result) => result.table(),
                    Self::Bounds(result) => result.table(),
                    Self::Tipping(result) => result.table(),
                    $(Self::$variant(result) => result.table()),+
                }))
            }
        }

        $(
            impl<S: Scale> private::Sealed for $name<S> {}
            impl<S: Scale> Reportable for $name<S> {
                fn section(&self) -> Section {
                    Section(Content::$variant(Box::new(self.to_any())))
                }
            }
            $(impl<S: Scale> $drawable for $name<S> {})?
            $(#[$words])+
            impl<S: Scale> Display for $name<S> {
                fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                    self.to_any().table().fmt(f)
                }
            }
        )+
    };
}

results! {
    /// One line that reads aloud; below it, notices to the reader.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let outflow = Measure::binary("hours").named("full-time outflow").higher_is_better();
    /// let counts = Comparison::from_counts(
    ///     "Utrecht",
    ///     &outflow,
    ///     [("control", 6, 176), ("guidance", 7, 172)],
    /// )?;
    /// let effect = counts.estimate(&DifferenceInProportions::new())?.treatment("guidance")?;
    /// assert_eq!(
    ///     effect.to_string(),
    ///     "Utrecht, full-time outflow, guidance vs control: +0.7 points \
    ///      (95% CI -3.7 to 5.2, Miettinen-Nurminen), \
    ///      p = 0.75, n 172 v 176, events 7 v 6"
    /// );
    /// # Ok::<(), armwise::Error>(())
    /// ```
    Estimate(Estimate);
    /// One line per trial; the trials without the treatment are named.
    TreatmentEffects(TreatmentEffects) Drawable;
    /// The effects within each level, how they differ from those in the first, and the joint test of
    /// interaction.
    SubgroupEffects(SubgroupEffects) Drawable;
    /// A table with a row per category and arm.
    Categories(CategoryEffects);
    /// A table with a row per wave and arm, the test of all waves of each arm, notices.
    Waves(WaveEffects);
    /// The trials with their weights, the pooled effect by Wald and by Hartung-Knapp, the prediction
    /// interval, heterogeneity, notices.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let outflow = Measure::binary("outflow").higher_is_better();
    /// let cities = Comparisons::new([
    ///     Comparison::from_counts("A", &outflow, [("control", 10, 100), ("guidance", 15, 100)])?,
    ///     Comparison::from_counts("B", &outflow, [("control", 8, 90), ("guidance", 7, 95)])?,
    ///     Comparison::from_counts("C", &outflow, [("control", 20, 180), ("guidance", 31, 170)])?,
    /// ])?;
    /// let effects = cities.estimate(&DifferenceInProportions::new())?.treatment("guidance")?;
    /// let text = RandomEffects::new().pool(&effects)?.to_string();
    /// assert!(text.starts_with(
    ///     "outflow, guidance vs control, 3 trials pooled (random effects, REML):\n  A: +5.0"
    /// ));
    /// assert!(
    ///     text.contains("Wald")
    ///         && text.contains("Hartung-Knapp")
    ///         && text.contains("prediction interval")
    /// );
    /// # Ok::<(), armwise::Error>(())
    /// ```
    Pooled(Pooled) Drawable;
    /// One line per treatment or component with the trials that tell about it, heterogeneity, notices.
    PooledJointly(JointlyPooled) Drawable;
    /// Pooled effects by resampling.
    Resampled(ResampledPool) Drawable;
    /// One line per treatment with the trials that tell about it, the test of treatment by trial or `tau2`,
    /// notices.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let outflow = Measure::binary("outflow").higher_is_better();
    /// let cities = Comparisons::new([
    ///     Comparison::from_counts("A", &outflow, [("control", 10, 100), ("guidance", 15, 100)])?,
    ///     Comparison::from_counts("B", &outflow, [("control", 8, 90), ("guidance", 7, 95)])?,
    ///     Comparison::from_counts("C", &outflow, [("control", 20, 180), ("guidance", 31, 170)])?,
    /// ])?;
    /// let text = OneStageLogistic::common().pool(&cities)?.to_string();
    /// assert!(text.starts_with(
    ///     "outflow, against control, one stage over 3 trials (logistic regression, common"
    /// ));
    /// assert!(text.contains("guidance: odds ratio 1.50"));
    /// # Ok::<(), armwise::Error>(())
    /// ```
    OneStage(OneStagePooled) Drawable;
    /// A heading, and a table with one row for each analysis.
    OneStageComparison(OneStageComparison) Drawable;
    /// A heading, a table of trials and ways of pooling, and lines that read aloud; below them, notices.
    SideBySide(PooledSideBySide) Drawable;
    /// A heading, a table of trials and posterior effects, and lines that read aloud; below them, notices.
    Bayesian(BayesianPooled) Drawable;
    /// A heading, and a table with one row for each prior; below it, notices.
    PriorSensitivity(PriorSensitivity) Drawable;
    /// A heading, and a table with one row for each refit; below it, notices.
    Refits(Refits) Drawable;
    /// A heading, and a table with one row for each trial; below it, notices.
    Influence(Influence);
    /// A heading, and a table with one row for each test; below it, notices.
    Asymmetry(Asymmetry);
    /// A heading, and a table of both pools; below it, notices.
    TrimmedAndFilled(TrimmedAndFilled) Drawable;
    /// A heading, and a table of both pools.
    HenmiCopas(HenmiCopasPooled) Drawable;
    /// A heading, a table of coefficients, and lines that read aloud; below them, notices.
    Regression(PooledRegression);
    /// A heading, a table of subgroups, and their comparison; below it, notices.
    Subgroups(PooledSubgroups) Drawable;
    /// A heading, tables of all arms and of all pairs, and lines that read aloud; below them, notices.
    Network(NetworkPooled) Drawable;
    /// A heading, and a table of the counts of trials and their pool; below it, notices.
    Counts(PooledCounts) Drawable;
}

impl<S: Scale> private::Sealed for Estimates<S> {}
impl<S: Scale> Reportable for Estimates<S> {
    fn section(&self) -> Section {
        OutcomeTable::new(self).section()
    }
}

impl<S: Scale> private::Sealed for Effects<S> {}
impl<S: Scale> Reportable for Effects<S> {
    fn section(&self) -> Section {
        OutcomeTable::new(self).section()
    }
}

/// The table in columns of fixed width, and its notes.
impl Display for OutcomeTable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.table().fmt(f)
    }
}

impl Drawable for PooledArms {}

/// A heading, a table with the trials and the pooled value of each arm, and their variation; below it,
/// notices.
impl Display for PooledArms {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.table().fmt(f)
    }
}

/// Results that are on no scale, or on several.
macro_rules! without_scale {
    ($($variant:ident($name:ident)),+ $(,)?) => {$(
        impl private::Sealed for $name {}
        impl Reportable for $name {
            fn section(&self) -> Section {
                Section(Content::$variant(Box::new(self.clone())))
            }
        }
    )+};
}

// A grid is a table of the caller's own: the long table of CSV, which has a row for each result, leaves it out.
without_scale! {
    Outcomes(OutcomeTable),
    Plan(PlanResults),
    Arms(PooledArms),
    Grid(Grid),
    Family(AdjustedFamily),
    Baseline(BaselineTable),
    Randomization(RandomizationResult),
    StepDown(StepDownResult),
    MarginalModels(MarginalModels),
    PooledRandomization(PooledRandomizationResult),
    Bounds(MissingBounds),
    Tipping(TippingGrid),
}

/// The table in columns of fixed width, and its notes.
impl Display for PlanResults {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.table().fmt(f)
    }
}

impl Section {
    /// The result as a table; `None` for words.
    pub(crate) fn table(&self) -> Option<ResultTable> {
        match self.0.part() {
            Part::Table(table) => Some(*table),
            Part::Heading(_) | Part::Paragraph(_) => None,
        }
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

    /// Adds a paragraph of words; they are the same words in every format, so links and tags in them do not
    /// live in Markdown.
    pub fn paragraph(&mut self, text: impl Into<String>) -> &mut Self {
        self.sections.push(Section(Content::Paragraph(text.into())));
        self
    }

    pub(crate) fn title(&self) -> &str {
        &self.title
    }

    pub(crate) fn sections(&self) -> &[Section] {
        &self.sections
    }

    fn document(&self) -> Document<'_> {
        let parts = self.sections.iter().map(|section| section.0.part()).collect();
        Document { title: &self.title, parts }
    }

    /// The report as plain text: tables in columns of fixed width, pools in lines that read aloud, notices
    /// below them.
    pub fn to_text(&self) -> String {
        text::report(&self.document())
    }

    /// The report in GitHub's Markdown: a table and a list of notes per result.
    pub fn to_markdown(&self) -> String {
        markdown::report(&self.document())
    }

    /// All results as one long table for further analysis: a row per estimate, the same columns for all, six
    /// significant digits.
    ///
    /// The column `kind` is `trial`, `pooled` (the primary test), `pooled_beside` (Wald or Hartung-Knapp
    /// beside it), `prediction`, `pooled_jointly`, `one_stage`, `failed` (of a plan: no answer, the reason
    /// being in `notices`), or the word of an analysis, such as `prespecified`, `left_out`, `posterior`,
    /// `subgroup` or `network`; single arms are `arm` and `pooled_arm`, with the value in `estimate` and no
    /// standard error, which belongs to a transformed value. Estimates and intervals are on the scale of
    /// estimation (proportions, logarithms of ratios); ratios are given beside them. An infinite limit is
    /// `inf`. Words are left out. Text that a spreadsheet would run is
    /// [`Neutralised`](Formulas::Neutralised).
    pub fn to_csv(&self) -> String {
        csv::report(&self.document())
    }

    /// As [`Report::to_csv`], with the choice of what becomes of text that a spreadsheet would run.
    pub fn to_csv_with(&self, formulas: Formulas) -> String {
        csv::report_with(&self.document(), formulas)
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
    /// let counts = Comparison::from_counts(
    ///     "Utrecht",
    ///     &Measure::binary("outflow"),
    ///     [("control", 6, 176), ("guidance", 7, 172)],
    /// )?;
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

    /// Writes `report.txt`, `report.md`, `report.csv` and (with the feature `json`) `report.json` into a
    /// folder, which is made if it is not there. Every file is either complete or not there.
    ///
    /// # Errors
    /// [`ErrorKind::Write`] if the folder or a file cannot be written.
    pub fn write_dir(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        std::fs::create_dir_all(folder).map_err(|error| ErrorKind::Write {
            what: folder.display().to_string(),
            why: error.to_string(),
        })?;
        let document = self.document();
        for (end, format) in FORMATS {
            write_whole(&folder.join(format!("report.{end}")), &format(&document))?;
        }
        #[cfg(feature = "json")]
        write_whole(&folder.join("report.json"), &self.to_json()?)?;
        Ok(())
    }
}
