//! The printed forms of one-stage models, and of one stage beside two.

use super::display::write_notices;
use super::document::{effect_cell, effect_name};
use super::format::{p_value, significant};
use super::grid::{Align, Cell, Grid};
use super::outcome_table::p_cell;
use super::pool_words::count;
use super::tidy::{Heterogeneity, Row};
use super::words::{Words, contrast_words, interval_name, listed, measure_words, reference_words};
use crate::design::Label;
use crate::effect::{AnyScale, Scale};
use crate::pool::{
    InteractionStatistic, OneStageComparison, OneStageEffects, OneStageInteraction, OneStagePooled,
};
use std::fmt::{self, Display, Formatter};

/// One line per treatment with the trials that tell about it, the test of treatment by trial or `tau2`, notices.
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
/// assert!(text.starts_with("outflow, against control, one stage over 3 trials (logistic regression, common effects, n 735):"));
/// assert!(text.contains("guidance: odds ratio 1.50"));
/// # Ok::<(), armwise::Error>(())
/// ```
impl<S: Scale> Display for OneStagePooled<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", one_stage_heading(self))?;
        let summary = &self.summary;
        let scale = self.scale().to_any();
        for coefficient in self.coefficients() {
            let words = Words::new(&scale, self.measure(), coefficient.se());
            write!(
                f,
                "\n  {}: {} ({} {}, {}), {}, from {}",
                coefficient.label,
                words.value(coefficient.value()),
                interval_name(summary.level),
                words.limits(coefficient.interval().into()),
                reference_words(coefficient.df()),
                p_value(coefficient.p_value()),
                listed(coefficient.trials.iter().map(Label::as_str)),
            )?;
        }
        one_stage_statistics(self).iter().try_for_each(|line| write!(f, "\n  {line}"))?;
        write_notices(f, self.notices())
    }
}

/// `outflow, against control, one stage over 3 trials (logistic regression, common effects, n 735)`.
pub(super) fn one_stage_heading<S: Scale>(pooled: &OneStagePooled<S>) -> String {
    let adjusted = match pooled.summary.adjusted_for.as_slice() {
        [] => String::new(),
        covariates => format!(", adjusted for {}", listed(covariates)),
    };
    format!(
        "{}, against {}, one stage over {} ({}{adjusted}, n {})",
        measure_words(pooled.measure()),
        pooled.reference(),
        count(pooled.about.trials.len(), "trial", "trials"),
        one_stage_model(pooled),
        pooled.summary.participants
    )
}

/// `logistic regression, common effects`.
fn one_stage_model<S: Scale>(pooled: &OneStagePooled<S>) -> String {
    let effects = match pooled.summary.effects {
        OneStageEffects::Common => "common effects",
        OneStageEffects::Random => "random effects",
    };
    format!("{}, {effects}", pooled.summary.model)
}

/// How effects differ between trials, in lines.
pub(super) fn one_stage_statistics<S: Scale>(pooled: &OneStagePooled<S>) -> Vec<String> {
    let tau2 = pooled.tau2().map(|tau2| format!("tau2 = {}", significant(tau2, 3)));
    let test = pooled.interaction().map(|test| format!("treatment by trial: {}", interaction_words(test)));
    tau2.into_iter().chain(test).collect()
}

/// A row for each treatment.
pub(super) fn one_stage_grid(pooled: &OneStagePooled<AnyScale>) -> Grid {
    let level = pooled.summary.level;
    let mut grid = Grid::new(one_stage_heading(pooled))
        .column("Effect", Align::Left)
        .column(effect_name(&pooled.scale(), pooled.measure(), level), Align::Right)
        .column("p", Align::Right)
        .column("", Align::Left)
        .column("Trials", Align::Left);
    for coefficient in pooled.coefficients() {
        let words = Words::new(&pooled.scale(), pooled.measure(), coefficient.se());
        grid.push([
            Cell::text(coefficient.label.as_str()),
            effect_cell(&words, coefficient.value(), coefficient.interval().into()),
            p_cell(coefficient.p_value()),
            Cell::text(reference_words(coefficient.df())),
            Cell::text(listed(coefficient.trials.iter().map(Label::as_str))),
        ]);
    }
    grid
}

/// Its rows in the long table.
pub(super) fn push_one_stage(grid: &mut Grid, pooled: &OneStagePooled<AnyScale>) {
    let summary = &pooled.summary;
    for coefficient in pooled.coefficients() {
        let trials = coefficient.trials.iter().map(Label::as_str).collect::<Vec<_>>().join("; ");
        let row = Row {
            kind: "one_stage",
            measure: Some(pooled.measure()),
            scale: Some(&pooled.scale()),
            estimand: Some(pooled.estimand()),
            trial: Some(&trials),
            treatment: &coefficient.label,
            reference: pooled.reference(),
            estimator: one_stage_model(pooled),
            adjusted_for: summary.adjusted_for.join("; "),
            interval_method: reference_words(coefficient.df()),
            estimate: Some(coefficient.value()),
            se: Some(coefficient.se()),
            df: coefficient.df(),
            limits: Some(coefficient.interval().into()),
            level: summary.level,
            p_value: Some(coefficient.p_value()),
            heterogeneity: pooled.tau2().map(Heterogeneity::of_tau2),
            notices: pooled.notices(),
            ..Row::default()
        };
        grid.push(row.cells());
    }
}

/// `likelihood ratio = 27.4 (df 15, p = 0.026)`, `F = 2.28 (df 5 and 116, p = 0.051)`.
fn interaction_words(test: &OneStageInteraction) -> String {
    let name = match test.test {
        InteractionStatistic::LikelihoodRatio => "likelihood ratio",
        InteractionStatistic::F => "F",
    };
    let more = test.denominator_df.map_or_else(String::new, |df| format!(" and {}", significant(df, 4)));
    format!(
        "{name} = {} (df {}{more}, {})",
        significant(test.statistic, 3),
        significant(test.df, 4),
        p_value(test.p_value)
    )
}

/// A table with one row for each analysis.
impl<S: Scale> Display for OneStageComparison<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_grid().to_text().trim_end())
    }
}

impl<S: Scale> OneStageComparison<S> {
    /// The comparison as a table: analysis, trials, effect with interval, standard error, p-value, tau2, p-value of heterogeneity.
    pub fn to_grid(&self) -> Grid {
        let Some(subject) = self.subject() else {
            return Grid::new(format!("{}: no analysis", self.treatment()));
        };
        let scale = subject.scale.to_any();
        let grid = Grid::new(format!(
            "{}, {}",
            measure_words(&subject.measure),
            contrast_words(self.treatment(), &subject.reference)
        ));
        let mut grid = grid
            .column("Analysis", Align::Left)
            .column("Trials", Align::Right)
            .column(scale_name(&scale, subject.measure.unit.as_deref()), Align::Right)
            .column("Interval", Align::Right)
            .column("SE", Align::Right)
            .column("p", Align::Right)
            .column("tau2", Align::Right)
            .column("p of heterogeneity", Align::Right);
        for row in self.rows() {
            let words = Words::new(&scale, &subject.measure, row.se());
            let number = |value: f64| Cell::worded(value, significant(value, 3));
            let p = |value: f64| Cell::worded(value, p_value(value));
            grid.push([
                Cell::text(&row.name),
                Cell::Count(row.trials as u64),
                Cell::worded(words.shown(row.value()), words.number(row.value())),
                Cell::text(format!(
                    "{} ({}, {})",
                    words.limits(row.interval().into()),
                    interval_name(row.level()),
                    reference_words(row.df())
                )),
                number(row.se()),
                p(row.p_value()),
                row.tau2.map_or(Cell::Missing, number),
                row.heterogeneity_p_value.map_or(Cell::Missing, p),
            ]);
        }
        grid
    }
}

/// `Odds ratio`, `Difference in means (points)`.
fn scale_name(scale: &AnyScale, unit: Option<&str>) -> String {
    let mut name = scale.to_string();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    match unit.filter(|_| *scale == AnyScale::MeanDifference) {
        Some(unit) => format!("{name} ({unit})"),
        None => name,
    }
}
