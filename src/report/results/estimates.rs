//! Estimates of trials: one line that reads aloud per estimate, notices below it.

use std::fmt::{self, Display, Formatter};

use super::counts::{arm_columns, count_cells};
use super::told;
use crate::compute::hypothesis::WaldTest;
use crate::design::Label;
use crate::effect::{AnyScale, Effects, Estimate, Estimates, Scale, SubgroupEffects, TreatmentEffects};
use crate::report::base::format::{capitalised, level_label, plain_label};
use crate::report::english::effects::{adjusted_words, test_words};
use crate::report::form::row::{Row, with_comma};
use crate::report::form::table::{ResultTable, Tabulate};

/// `Utrecht, full-time outflow, guidance vs control: +2.1 points (95% CI ...), p = 0.41, n 172 v 176`.
fn sentence(row: &Row) -> String {
    let how: Vec<&str> = [row.method.as_str()].into_iter().chain(row.variance.as_deref()).collect();
    let adjusted = adjusted_words(&row.adjusted_for);
    format!(
        "{}, {}, {}: {}{}, {}{}{}",
        plain_label(&row.label),
        row.about.measure(),
        row.about.contrast(),
        row.estimand_words(),
        row.effect_words(&how.join(", ")),
        row.p_words(),
        with_comma(&row.people_words().unwrap_or_default()),
        adjusted.map_or_else(String::new, |words| format!(", {words} ({})", row.estimator)),
    )
}

/// The sentences of all treatments of a trial; the last one is followed by the notices of the trial.
fn sentences<S: Scale>(estimates: &Estimates<S>) -> Vec<String> {
    let mut list: Vec<String> =
        estimates.iter().map(|estimate| sentence(&Row::of(&estimate.to_any()))).collect();
    if let Some(last) = list.last_mut() {
        *last += &told(estimates.notices());
    }
    list
}

/// One line per treatment, then the notices of the trial.
impl<S: Scale> Display for Estimates<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&sentences(self).join("\n"))
    }
}

/// Trial by trial, one line per treatment.
impl<S: Scale> Display for Effects<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }
}

impl Tabulate for Estimate<AnyScale> {
    fn table(&self) -> ResultTable {
        let row = Row::of(self);
        let sentences = vec![sentence(&row)];
        ResultTable { sentences, ..ResultTable::new(row.about.clone(), "", vec![row]) }
            .notices(self.notices())
    }
}

impl Tabulate for TreatmentEffects<AnyScale> {
    fn table(&self) -> ResultTable {
        let rows: Vec<Row> = self.iter().map(Row::of).collect();
        let sentences = rows.iter().map(|row| sentence(row) + &told(&row.notices)).collect();
        let about = rows[0].about.clone();
        ResultTable { sentences, ..ResultTable::new(about, "", rows) }.notices(&self.notices())
    }
}

/// `chi-squared = 4.0 (df 1, p = 0.046)`.
fn interaction_words(test: &WaldTest) -> String {
    let name = if test.denominator_df.is_some() { "F" } else { "chi-squared" };
    test_words(name, test.statistic, [Some(test.df), test.denominator_df], Some(test.p_value))
}

/// The effects within each level, how they differ from those in the first, and the joint test of interaction.
impl Tabulate for SubgroupEffects<AnyScale> {
    fn table(&self) -> ResultTable {
        let (column, first) = (&self.column, &self.effects[0]);
        let several = first.len() > 1;
        let mut rows = Vec::new();
        for (level, effects) in self.levels.iter().zip(&self.effects) {
            for estimate in effects.iter() {
                let mut row = Row::of(&estimate);
                row.drawn.label = Some(level_label(column, level));
                if several {
                    row.drawn.group = capitalised(&plain_label(estimate.treatment()));
                }
                let is_last = self.levels.last() == Some(level);
                if let Ok(test) = self.interaction_of(estimate.treatment())
                    && is_last
                    && several
                {
                    row.drawn.remarks.push(format!("Interaction: {}", interaction_words(&test)));
                }
                rows.push(row);
            }
        }
        count_cells(&mut rows);
        let about = rows[0].about.clone();
        let differences = self.differences().into_iter().flatten().map(|of| {
            let name = format!("{}, {column} {} vs {}", of.treatment, of.level, of.other);
            let row =
                about.of(&of.treatment).row("subgroup_difference", name).effect(of.value(), of.interval());
            let levels = [&of.level, &of.other].into_iter().filter_map(|level| self.within(level).ok());
            let trials = levels.map(|effects| effects.trial().clone()).collect();
            Row { trials, ..row.tested(of.se(), of.df(), of.p_value()) }
        });
        let differences: Vec<Row> = differences.collect();
        let lines = differences.iter().filter_map(|row| {
            let effect = row.words().between_effects().value(row.estimate?);
            let interval = row.interval_words(row.interval?);
            Some(format!("{}: {effect} ({interval}), {}", plain_label(&row.label), row.p_words()))
        });
        let interaction = match self.interaction() {
            Ok(test) => interaction_words(&test),
            Err(error) => format!("not estimable, {error}"),
        };
        let lines: Vec<String> = lines.chain([format!("interaction: {interaction}")]).collect();
        // The trial of a level is called "Utrecht, female yes".
        let level = format!(", {column} {}", self.levels[0]);
        let trial = first.trial().strip_suffix(&level).unwrap_or(first.trial());
        let what = format!("{trial}, against {}, by {column}", about.reference);
        let method = format!("{}: {}.", about.interval_name(), first.method().interval);
        let sentences = self.effects.iter().flat_map(sentences).collect();
        let columns = arm_columns(&rows);
        rows.extend(differences);
        rows.extend(self.interaction().ok().map(|test| Row {
            trials: vec![Label::new(trial)],
            estimator: format!("interaction with {column}"),
            method: interaction_words(&test),
            df: test.denominator_df,
            p_value: Some(test.p_value),
            ..about.row("interaction", "interaction")
        }));
        ResultTable { sentences, ..ResultTable::new(about, what, rows) }
            .lines(lines)
            .notices(self.notices())
            .figure("Subgroup", columns)
            .footnotes([method])
    }
}
