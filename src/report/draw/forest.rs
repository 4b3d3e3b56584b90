//! The description of a forest plot.

use super::axis::{Effect, ForestAxis};
use super::page::{Texts, figure};
use crate::compute::interval::Interval;

/// A forest plot: studies with their intervals, pooled effects as diamonds, in groups.
///
/// The layout is computed from the widths of the texts, so that nothing overlaps, however many rows there are
/// and however long the labels are: long labels are wrapped, and beyond three lines shortened (the whole text
/// is then a tooltip). Equal plots give equal bytes.
///
/// ```
/// use armwise::Interval;
/// use armwise::report::{Benefit, ForestAxis, ForestGroup, ForestPlot, ForestRow};
///
/// let axis = ForestAxis::percentage_points("Risk difference (percentage points)")
///     .benefit(Benefit::Higher);
/// let utrecht = ForestRow::study("Utrecht", 0.007, Interval::new(-0.037, 0.051)?);
/// let wageningen = ForestRow::study("Wageningen", 0.031, Interval::new(-0.012, 0.074)?);
/// let pooled = ForestRow::pooled("Random effects", 0.021, Interval::new(-0.010, 0.052)?);
/// let plot = ForestPlot::new(axis)
///     .title("Full-time outflow after 24 months")
///     .label_heading("Municipality")
///     .columns(["Guidance n/N", "Control n/N"])
///     .effect_heading("Difference (95% CI)")
///     .group(
///         ForestGroup::new("Guidance")
///             .row(utrecht.columns(["7/172", "6/176"]).weight(0.41))
///             .row(wageningen.columns(["14/120", "10/118"]).weight(0.59))
///             .row(pooled.prediction("95% prediction interval", Interval::new(-0.04, 0.08)?))
///             .note("tau2 = 0.0001, I2 = 12%, Q = 1.1 (p = 0.29)"),
///     );
/// let svg = plot.to_svg();
/// assert!(svg.contains("Wageningen") && svg.contains("(-3.7 to 5.1)"));
/// assert_eq!(svg, plot.to_svg());
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ForestPlot {
    pub(crate) axis: ForestAxis,
    pub(crate) texts: Texts,
    pub(crate) label_heading: String,
    pub(crate) columns: Vec<String>,
    pub(crate) effect_heading: String,
    pub(crate) weight_heading: String,
    pub(crate) groups: Vec<ForestGroup>,
}

figure!(ForestPlot);

impl ForestPlot {
    /// A plot without rows. The heading of the effects is "Estimate (95% CI)", that of the weights "Weight".
    pub fn new(axis: ForestAxis) -> Self {
        Self {
            axis,
            texts: Texts::default(),
            label_heading: String::new(),
            columns: Vec::new(),
            effect_heading: "Estimate (95% CI)".to_owned(),
            weight_heading: "Weight".to_owned(),
            groups: Vec::new(),
        }
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

    pub(crate) fn rows(&self) -> impl Iterator<Item = &ForestRow> {
        self.groups.iter().flat_map(|group| &group.rows)
    }
}

/// Rows under a sub-heading, such as an arm or a measure.
///
/// The squares of a group line up with the dashed line of its first pooled effect.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ForestGroup {
    pub(crate) heading: String,
    pub(crate) rows: Vec<ForestRow>,
}

impl ForestGroup {
    /// A group without rows. An empty heading is not shown.
    pub fn new(heading: impl Into<String>) -> Self {
        Self { heading: heading.into(), rows: Vec::new() }
    }

    /// Adds a row.
    #[must_use]
    pub fn row(mut self, row: ForestRow) -> Self {
        self.rows.push(row);
        self
    }

    /// Adds a line of words: heterogeneity, trials that are not in the pool.
    #[must_use]
    pub fn note(self, note: impl Into<String>) -> Self {
        self.row(ForestRow::new(note, Shape::Words, None))
    }
}

/// A row of a [`ForestGroup`]: a study, or a pooled effect.
///
/// ```
/// use armwise::Interval;
/// use armwise::report::ForestRow;
///
/// let row = ForestRow::study("Utrecht", 0.007, Interval::new(-0.037, 0.051)?).weight(0.41);
/// assert_ne!(row, ForestRow::without_estimate("Nijmegen", "no events"));
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ForestRow {
    pub(crate) label: String,
    pub(crate) columns: Vec<String>,
    pub(crate) shape: Shape,
    pub(crate) effect: Option<Effect>,
    pub(crate) weight: Option<f64>,
    pub(crate) text: Option<String>,
    pub(crate) prediction: Option<(String, Interval)>,
}

/// The shape in which the estimate of a row is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Square,
    Diamond,
    /// No estimate and no columns: a line of words.
    Words,
}

impl ForestRow {
    pub(crate) fn new(label: impl Into<String>, shape: Shape, effect: Option<Effect>) -> Self {
        let (columns, weight, text, prediction) = (Vec::new(), None, None, None);
        Self { label: label.into(), columns, shape, effect, weight, text, prediction }
    }

    fn drawn(label: impl Into<String>, shape: Shape, estimate: f64, interval: Interval) -> Self {
        Self::new(label, shape, (!estimate.is_nan()).then_some(Effect { estimate, interval }))
    }

    /// One study (trial, municipality): a square whose area is proportional to the weight, and a line from
    /// limit to limit. The estimate and its limits are on the scale of estimation: differences as they are,
    /// ratios as logarithms. Limits may be infinite; an estimate of NaN is "not estimable".
    pub fn study(label: impl Into<String>, estimate: f64, interval: Interval) -> Self {
        Self::drawn(label, Shape::Square, estimate, interval)
    }

    /// A pooled effect: a diamond from limit to limit.
    pub fn pooled(label: impl Into<String>, estimate: f64, interval: Interval) -> Self {
        Self::drawn(label, Shape::Diamond, estimate, interval)
    }

    /// A study without an estimate; `reason` stands in the place of the effect.
    pub fn without_estimate(label: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(label, Shape::Square, None).text(reason)
    }

    /// The cells between label and plot, such as "7/172".
    #[must_use]
    pub fn columns<T: Into<String>>(mut self, cells: impl IntoIterator<Item = T>) -> Self {
        self.columns = cells.into_iter().map(Into::into).collect();
        self
    }

    setters! {
        /// The share of the pool, from 0 to 1; shown in percent.
        weight: f64 as Some;
    }

    /// The effect in words. Default: from the interval, as `+0.7 (-3.7 to 5.1)`.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// A prediction interval with its label, drawn as a bar below the row.
    #[must_use]
    pub fn prediction(mut self, label: impl Into<String>, interval: Interval) -> Self {
        self.prediction = Some((label.into(), interval));
        self
    }

    /// The effect in the words of an axis.
    pub(crate) fn words(&self, axis: &ForestAxis) -> String {
        match (&self.text, self.effect) {
            (Some(text), _) => text.clone(),
            (None, Some(effect)) => axis.words(effect),
            (None, None) => "not estimable".to_owned(),
        }
    }
}
