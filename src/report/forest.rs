//! The description of a forest plot.

use std::path::Path;

use super::axis::ForestAxis;
use super::file::write_whole;
use super::format::Limits;
use crate::error::Result;

/// An estimate with its interval, on the scale of estimation: differences as they are, ratios as logarithms.
///
/// Limits may be infinite. A row whose estimate or limits are NaN is drawn as "not estimable".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForestInterval {
    /// The estimate.
    pub estimate: f64,
    /// The lower limit.
    pub lower: f64,
    /// The upper limit.
    pub upper: f64,
}

impl ForestInterval {
    pub(super) fn limits(self) -> Limits {
        Limits { lower: self.lower, upper: self.upper }
    }
}

/// A forest plot: studies with their intervals, pooled effects as diamonds, in groups.
///
/// The layout is computed from the widths of the texts, so that nothing overlaps, however many rows there are and however long the labels
/// are: long labels are wrapped, and beyond three lines shortened (the whole text is then a tooltip). Equal plots give equal bytes.
///
/// ```
/// use armwise::report::format::Limits;
/// use armwise::report::{Benefit, ForestAxis, ForestGroup, ForestInterval, ForestPlot, PooledRow, StudyRow};
///
/// let axis = ForestAxis::percentage_points("Risk difference (percentage points)").benefit(Benefit::Higher);
/// let plot = ForestPlot::new(axis)
///     .title("Full-time outflow after 24 months")
///     .label_heading("Municipality")
///     .columns(["Guidance n/N", "Control n/N"])
///     .effect_heading("Difference (95% CI)")
///     .group(
///         ForestGroup::new("Guidance")
///             .row(
///                 StudyRow::new("Utrecht", ForestInterval { estimate: 0.007, lower: -0.037, upper: 0.051 })
///                     .columns(["7/172", "6/176"])
///                     .weight(0.41),
///             )
///             .row(
///                 StudyRow::new("Wageningen", ForestInterval { estimate: 0.031, lower: -0.012, upper: 0.074 })
///                     .columns(["14/120", "10/118"])
///                     .weight(0.59),
///             )
///             .row(
///                 PooledRow::new("Random effects", ForestInterval { estimate: 0.021, lower: -0.010, upper: 0.052 })
///                     .prediction("95% prediction interval", Limits { lower: -0.04, upper: 0.08 }),
///             )
///             .note("tau2 = 0.0001, I2 = 12%, Q = 1.1 (p = 0.29)"),
///     );
/// let svg = plot.to_svg();
/// assert!(svg.contains("Wageningen") && svg.contains("(-3.7 to 5.1)"));
/// assert_eq!(svg, plot.to_svg());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ForestPlot {
    pub(super) axis: ForestAxis,
    pub(super) title: String,
    pub(super) subtitle: String,
    pub(super) label_heading: String,
    pub(super) columns: Vec<String>,
    pub(super) effect_heading: String,
    pub(super) weight_heading: String,
    pub(super) groups: Vec<ForestGroup>,
    pub(super) footnotes: Vec<String>,
}

impl ForestPlot {
    /// A plot without rows. The heading of the effects is "Estimate (95% CI)", that of the weights "Weight".
    pub fn new(axis: ForestAxis) -> Self {
        Self {
            axis,
            title: String::new(),
            subtitle: String::new(),
            label_heading: String::new(),
            columns: Vec::new(),
            effect_heading: "Estimate (95% CI)".to_owned(),
            weight_heading: "Weight".to_owned(),
            groups: Vec::new(),
            footnotes: Vec::new(),
        }
    }

    /// The title, above the plot. Default: none.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// The subtitle: measure, horizon, population, method. Default: none.
    #[must_use]
    pub fn subtitle(mut self, subtitle: impl Into<String>) -> Self {
        self.subtitle = subtitle.into();
        self
    }

    /// The heading of the labels. Default: none.
    #[must_use]
    pub fn label_heading(mut self, heading: impl Into<String>) -> Self {
        self.label_heading = heading.into();
        self
    }

    /// The headings of the columns between label and plot. Default: none.
    #[must_use]
    pub fn columns<T: Into<String>>(mut self, headings: impl IntoIterator<Item = T>) -> Self {
        self.columns = headings.into_iter().map(Into::into).collect();
        self
    }

    /// The heading of the effects in words.
    #[must_use]
    pub fn effect_heading(mut self, heading: impl Into<String>) -> Self {
        self.effect_heading = heading.into();
        self
    }

    /// The heading of the weights; the column is there if any row has a weight.
    #[must_use]
    pub fn weight_heading(mut self, heading: impl Into<String>) -> Self {
        self.weight_heading = heading.into();
        self
    }

    /// Adds a group of rows.
    #[must_use]
    pub fn group(mut self, group: ForestGroup) -> Self {
        self.groups.push(group);
        self
    }

    /// Adds a footnote.
    #[must_use]
    pub fn footnote(mut self, note: impl Into<String>) -> Self {
        self.footnotes.push(note.into());
        self
    }

    /// The figure as an SVG document.
    pub fn to_svg(&self) -> String {
        super::forest_layout::draw(self)
    }

    /// Writes the figure to a file, which is either complete or not there.
    ///
    /// # Errors
    /// [`ErrorKind::Write`](crate::ErrorKind::Write) if the file cannot be written.
    pub fn write_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        write_whole(path.as_ref(), &self.to_svg())
    }
}

/// Rows under a sub-heading, such as an arm or a measure.
///
/// The squares of a group line up with the dashed line of its first pooled effect.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ForestGroup {
    pub(super) heading: String,
    pub(super) rows: Vec<ForestRow>,
}

impl ForestGroup {
    /// A group without rows. An empty heading is not shown.
    pub fn new(heading: impl Into<String>) -> Self {
        Self { heading: heading.into(), rows: Vec::new() }
    }

    /// Adds a [`StudyRow`] or a [`PooledRow`].
    #[must_use]
    pub fn row(mut self, row: impl Into<ForestRow>) -> Self {
        self.rows.push(row.into());
        self
    }

    /// Adds a line of words: heterogeneity, trials that are not in the pool.
    #[must_use]
    pub fn note(self, note: impl Into<String>) -> Self {
        self.row(ForestRow::Note(note.into()))
    }
}

/// A row of a [`ForestGroup`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ForestRow {
    /// One study (trial, municipality): a square and a line.
    Study(StudyRow),
    /// A pooled effect: a diamond.
    Pooled(PooledRow),
    /// A line of words.
    Note(String),
}

impl From<StudyRow> for ForestRow {
    fn from(row: StudyRow) -> Self {
        Self::Study(row)
    }
}

impl From<PooledRow> for ForestRow {
    fn from(row: PooledRow) -> Self {
        Self::Pooled(row)
    }
}

/// One study of a [`ForestPlot`]: a square whose area is proportional to the weight, and a line from limit to limit.
///
/// ```
/// use armwise::report::{ForestInterval, StudyRow};
///
/// let row = StudyRow::new("Utrecht", ForestInterval { estimate: 0.007, lower: -0.037, upper: 0.051 }).weight(0.41);
/// assert_ne!(row, StudyRow::without_estimate("Nijmegen", "no events"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct StudyRow {
    pub(super) label: String,
    pub(super) columns: Vec<String>,
    pub(super) interval: Option<ForestInterval>,
    pub(super) weight: Option<f64>,
    pub(super) text: Option<String>,
}

impl StudyRow {
    /// A study with its interval.
    pub fn new(label: impl Into<String>, interval: ForestInterval) -> Self {
        Self { label: label.into(), columns: Vec::new(), interval: Some(interval), weight: None, text: None }
    }

    /// A study without an estimate; `reason` stands where the effect would.
    pub fn without_estimate(label: impl Into<String>, reason: impl Into<String>) -> Self {
        let text = Some(reason.into());
        Self { label: label.into(), columns: Vec::new(), interval: None, weight: None, text }
    }

    /// The cells between label and plot, such as "7/172".
    #[must_use]
    pub fn columns<T: Into<String>>(mut self, cells: impl IntoIterator<Item = T>) -> Self {
        self.columns = cells.into_iter().map(Into::into).collect();
        self
    }

    /// The share of the pool, from 0 to 1; shown in percent.
    #[must_use]
    pub fn weight(mut self, share: f64) -> Self {
        self.weight = Some(share);
        self
    }

    /// The effect in words. Default: from the interval, as `+0.7 (-3.7 to 5.1)`.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }
}

/// A pooled effect of a [`ForestPlot`]: a diamond from limit to limit, and a bar for the prediction interval below it.
///
/// ```
/// use armwise::report::format::Limits;
/// use armwise::report::{ForestInterval, PooledRow};
///
/// let row = PooledRow::new("Random effects", ForestInterval { estimate: 0.02, lower: -0.01, upper: 0.05 })
///     .prediction("95% prediction interval", Limits { lower: -0.04, upper: 0.08 });
/// assert_eq!(row, row.clone());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PooledRow {
    pub(super) study: StudyRow,
    pub(super) prediction: Option<(String, Limits)>,
}

impl PooledRow {
    /// A pooled effect with its interval.
    pub fn new(label: impl Into<String>, interval: ForestInterval) -> Self {
        Self { study: StudyRow::new(label, interval), prediction: None }
    }

    /// The cells between label and plot, such as totals.
    #[must_use]
    pub fn columns<T: Into<String>>(mut self, cells: impl IntoIterator<Item = T>) -> Self {
        self.study = self.study.columns(cells);
        self
    }

    /// The share, from 0 to 1; shown in percent.
    #[must_use]
    pub fn weight(mut self, share: f64) -> Self {
        self.study = self.study.weight(share);
        self
    }

    /// The effect in words. Default: from the interval.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.study = self.study.text(text);
        self
    }

    /// A prediction interval with its label, drawn below the diamond.
    #[must_use]
    pub fn prediction(mut self, label: impl Into<String>, limits: Limits) -> Self {
        self.prediction = Some((label.into(), limits));
        self
    }
}
