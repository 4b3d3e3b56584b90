//! Forest plots of results, from their rows.

use std::path::Path;

use super::axis_of;
use crate::compute::interval::Interval;
use crate::design::{Direction, Notice};
use crate::effect::{AnyScale, Scale};
use crate::error::{Error, ErrorKind, Result};
use crate::pool::Pooled;
use crate::report::base::format::{capitalised, distinct, plain_label};
use crate::report::base::grid::Cell;
use crate::report::draw::axis::{Benefit, Effect, ForestAxis};
use crate::report::draw::forest::{ForestGroup, ForestPlot, ForestRow, Shape};
use crate::report::form::columns::Column;
use crate::report::form::row::{About, Row};
use crate::report::form::table::{ResultTable, Tabulate};
use crate::report::results::pools::{adjustment, pool_model};
use crate::report::sections::{Content, Drawable, Report};

impl ForestPlot {
    /// The figure of a result: a row for each of its effects, with the words that its table has.
    ///
    /// The figure of a pool has a row per trial with its counts, its interval and its weight, the pooled
    /// effect with all tests, the prediction interval, heterogeneity, and the trials that did not have the
    /// arm. That of subgroups has a group of rows for each; that of ways of pooling side by side has the
    /// pre-specified one as diamond; that of a network has each arm against the reference, the best first.
    /// Title and headings can still be set.
    ///
    /// ```
    /// use armwise::prelude::*;
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
    ///     Comparison::from_counts(
    ///         "Tilburg",
    ///         &outflow,
    ///         [("control", 20, 180), ("exemption", 31, 170)],
    ///     )?,
    /// ])?;
    /// let effects = cities.estimate(&DifferenceInProportions::new())?;
    /// let guidance = effects.treatment("guidance")?;
    /// let svg = ForestPlot::of(&RandomEffects::new().pool(&guidance)?)
    ///     .label_heading("Municipality")
    ///     .to_svg();
    /// assert!(
    ///     svg.contains("7/172") && svg.contains("Favours guidance") && svg.contains("Tilburg")
    /// );
    ///
    /// let ways = ForestPlot::of(&SideBySide::new().pool(&guidance)?).to_svg();
    /// assert!(
    ///     ways.contains("wider of both")
    ///         && !ways.contains("pre-specified")
    ///         && ways.contains("Bayesian")
    /// );
    /// let joint = ForestPlot::of(&JointModel::common().pool(&effects)?).to_svg();
    /// assert!(joint.contains("guidance: Deventer and Utrecht"));
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn of(result: &impl Drawable) -> Self {
        result.section().table().map_or_else(|| Self::new(ForestAxis::difference("")), |table| one(&table))
    }

    /// Several pools of the same measure in one figure, a group of rows each: several treatments, or a crude
    /// and an adjusted analysis.
    ///
    /// # Errors
    /// There is no pool, or they differ in scale, measure, reference, level, or in being marginal or
    /// conditional.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let outflow = Measure::binary("outflow").higher_is_better();
    /// let arms = [("control", 10, 100), ("guidance", 15, 100), ("exemption", 12, 90)];
    /// let cities = Comparisons::new([
    ///     Comparison::from_counts("Deventer", &outflow, arms)?,
    ///     Comparison::from_counts("Utrecht", &outflow, arms)?,
    /// ])?;
    /// let effects = cities.estimate(&DifferenceInProportions::new())?;
    /// let guidance = RandomEffects::new().pool(&effects.treatment("guidance")?)?;
    /// let exemption = RandomEffects::new().pool(&effects.treatment("exemption")?)?;
    /// let plot = ForestPlot::of_all([&guidance, &exemption])?.title("Outflow after two years");
    /// assert!(plot.to_svg().contains("Favours treatment"));
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn of_all<'a, S: Scale>(pools: impl IntoIterator<Item = &'a Pooled<S>>) -> Result<Self> {
        all(&pools.into_iter().map(Pooled::to_any).collect::<Vec<_>>())
    }
}

impl Report {
    /// Writes the forest plot of all pools of the report, a group of rows each.
    ///
    /// # Errors
    /// There is no pool; the pools are of several measures or scales (draw those with
    /// [`ForestPlot::of_all`]); the file cannot be written.
    pub fn forest_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        let pools = self.sections().iter().filter_map(|section| match &section.0 {
            Content::Pooled(pooled) => Some((**pooled).clone()),
            _ => None,
        });
        let plot = match &pools.collect::<Vec<_>>()[..] {
            [pooled] => one(&pooled.table()),
            pools => all(pools)?,
        };
        plot.title(self.title()).write_svg(path)
    }
}

/// The figure of one result.
fn one(table: &ResultTable) -> ForestPlot {
    figure(&[("", table)]).subtitle(table.what.as_str())
}

/// A group of rows for each pool.
fn all(pools: &[Pooled<AnyScale>]) -> Result<ForestPlot> {
    let tables: Vec<ResultTable> = pools.iter().map(Tabulate::table).collect();
    let Some((first, others)) = tables.split_first() else { return Err(ErrorKind::NoStudies.into()) };
    others.iter().try_for_each(|other| belongs(&first.about, &other.about))?;
    let headings: Vec<String> = pools.iter().map(|pooled| heading(pooled, pools)).collect();
    let named: Vec<(&str, &ResultTable)> = headings.iter().map(String::as_str).zip(&tables).collect();
    let models = distinct(pools.iter().map(pool_model)).join("; ");
    let mut plot = figure(&named).subtitle(format!("against {}; {models}", first.about.reference));
    // The treatments differ from group to group.
    if let [treatment, ..] = plot.columns.as_mut_slice() {
        *treatment = format!("Treatment {}", treatment.rsplit(' ').next().unwrap_or_default());
    }
    Ok(plot)
}

/// `Guidance`, or `Guidance, adjusted for age` where that has to be said.
fn heading(pooled: &Pooled<AnyScale>, all: &[Pooled<AnyScale>]) -> String {
    let treatment = capitalised(&plain_label(pooled.treatment()));
    let adjustment = adjustment(pooled);
    let same = all.iter().filter(|other| other.treatment() == pooled.treatment()).count();
    if same == 1 && adjustment == "unadjusted" { treatment } else { format!("{treatment}, {adjustment}") }
}

/// The rows of tables about the same, each under its heading.
fn figure(tables: &[(&str, &ResultTable)]) -> ForestPlot {
    let (_, first) = tables[0];
    let about = &first.about;
    let plot = ForestPlot::new(axis(tables))
        .title(capitalised(&about.measure()))
        .label_heading(first.figure.label_heading)
        .columns(first.figure.columns.iter().map(|column| column.heading.as_str()))
        .effect_heading(first.figure.effect_heading.clone().unwrap_or_else(|| about.heading()));
    let groups = tables.iter().flat_map(|(heading, table)| groups(heading, table));
    let footnotes = distinct(tables.iter().flat_map(|(_, table)| &table.figure.footnotes));
    let plot = groups.fold(plot, ForestPlot::group);
    footnotes.into_iter().fold(plot, ForestPlot::footnote)
}

fn drawn(table: &ResultTable) -> impl Iterator<Item = &Row> {
    table.rows.iter().filter(|row| row.drawn.shape.is_some())
}

/// The axis with decimals that fit the pooled effects, and "Favours control" and "Favours guidance", where
/// the measure says which way is better.
fn axis(tables: &[(&str, &ResultTable)]) -> ForestAxis {
    let about = &tables[0].1.about;
    let rows: Vec<&Row> = tables.iter().flat_map(|(_, table)| drawn(table)).collect();
    let largest = |rows: &mut dyn Iterator<Item = &&Row>| rows.map(|row| row.precision()).fold(0.0, f64::max);
    let pooled = largest(&mut rows.iter().filter(|row| row.drawn.shape == Some(Shape::Diamond)));
    let predictions = rows.iter().filter_map(|row| Some(row.drawn.prediction.as_ref()?.1));
    let intervals: Vec<Interval> = rows.iter().filter_map(|row| row.interval).chain(predictions).collect();
    let axis = axis_of(about, if pooled > 0.0 { pooled } else { largest(&mut rows.iter()) }, &intervals);
    if about.is_single() {
        // One arm is better than none other.
        return axis;
    }
    let axis = match about.measure.direction {
        Direction::HigherIsBetter => axis.benefit(Benefit::Higher),
        Direction::LowerIsBetter => axis.benefit(Benefit::Lower),
        Direction::Undeclared => axis,
    };
    let treatments = distinct(rows.iter().map(|row| row.about.treatment.as_str()));
    let treatment = if let [one] = treatments[..] { one } else { "treatment" };
    axis.control_caption(format!("Favours {}", plain_label(&about.reference)))
        .treatment_caption(format!("Favours {}", plain_label(treatment)))
}

/// The groups of rows of a table; the last one ends with its lines and notices.
fn groups(heading: &str, table: &ResultTable) -> Vec<ForestGroup> {
    let names = distinct(drawn(table).map(|row| row.drawn.group.as_str()));
    let mut groups: Vec<ForestGroup> = names
        .into_iter()
        .map(|name| {
            let group = ForestGroup::new(if name.is_empty() { heading } else { name });
            let rows = drawn(table).filter(|row| row.drawn.group == name);
            rows.fold(group, |group, row| {
                let group = group.row(forest_row(row, &table.figure.columns));
                row.drawn.remarks.iter().fold(group, ForestGroup::note)
            })
        })
        .collect();
    // The lines tell these two already: tau2 = 0, and both tests.
    let told = [Notice::BoundaryTau2, Notice::HartungKnappNarrower];
    let notices = table.notices.iter().filter(|notice| !told.contains(notice));
    let notices = notices.map(|notice| capitalised(&notice.to_string()));
    if let Some(last) = groups.pop() {
        let notes = table.figure.notes.iter().cloned().chain(notices);
        groups.push(notes.fold(last, ForestGroup::note));
    }
    groups
}

fn forest_row(row: &Row, columns: &[Column]) -> ForestRow {
    let label = row.drawn.label.clone().unwrap_or_else(|| plain_label(&row.label));
    let effect = row.estimate.zip(row.interval);
    let effect = effect.map(|(estimate, interval)| Effect { estimate, interval });
    let cells = columns.iter().map(|column| {
        let cell = (column.cell)(row);
        if cell == Cell::missing() { String::new() } else { cell.text }
    });
    let shape = row.drawn.shape.unwrap_or(Shape::Words);
    let drawn = ForestRow::new(&label, shape, effect).columns(cells);
    ForestRow { weight: row.weight, prediction: row.drawn.prediction.clone(), ..drawn }
}

/// An error where two results do not belong in one figure.
fn belongs(first: &About, other: &About) -> Result<()> {
    let said = |text: &Option<String>| text.clone().unwrap_or_else(|| "not said".to_owned());
    let parts = |about: &About| {
        let measure = &about.measure;
        [
            ("scale", about.scale.to_string()),
            ("measure", measure.name.clone()),
            ("unit", said(&measure.unit)),
            ("horizon", said(&measure.horizon)),
            ("reference", about.reference.to_string()),
            ("direction of benefit", measure.direction.to_string()),
            ("estimand", said(&about.estimand.map(|estimand| estimand.to_string()))),
            ("level", about.interval_name()),
        ]
    };
    let (one, two) = (parts(first), parts(other));
    match one.iter().zip(&two).find(|(a, b)| a != b) {
        None => Ok(()),
        Some(((what, a), (_, b))) => Err(Error::from(ErrorKind::Incompatible(format!(
            "these pools do not belong in one figure: the {what} is \"{a}\" and \"{b}\"; draw a figure for each"
        )))),
    }
}
