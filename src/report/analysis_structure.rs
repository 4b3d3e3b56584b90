//! Moderators, subgroups, networks and counts.

use super::analysis::{About, Show, Shown, grid, push, push_trials};
use super::display::chi_squared_words;
use super::format::{p_value, percent, significant};
use super::grid::{Align, Cell, Grid};
use super::margin_words::joint_test_words;
use super::outcome_table::p_cell;
use super::pool_words::{count, model_words, pool_model};
use super::tidy::{self, Row};
use super::words::{interval_name, listed, measure_words, reference_words};
use crate::compute::curve::{ConfidenceCurve, Inference};
use crate::compute::meta_analysis::{Heterogeneity, WaldTest};
use crate::design::{ArmCounts, Label};
use crate::effect::{IntervalMethod, Scale};
use crate::pool::{
    CountMethod, EmptyCells, NetworkPooled, PooledCounts, PooledRegression, PooledSubgroups, TrialCounts,
};

/// `F = 4.2 (df 1 and 3, p = 0.13)`.
pub(super) fn wald_words(test: &WaldTest) -> String {
    let statistic = significant(test.statistic, 3);
    match test.denominator_df {
        Some(df) => {
            format!("F = {statistic} (df {} and {}, {})", test.df, significant(df, 4), p_value(test.p_value))
        }
        None => format!("Q = {statistic} (df {}, {})", test.df, p_value(test.p_value)),
    }
}

/// The reference distribution, or both where the larger p-value of two is told.
fn curve_words(inference: &Inference) -> String {
    match inference.curve() {
        ConfidenceCurve::LargerOf { .. } => IntervalMethod::WiderOfBoth.to_string(),
        _ => reference_words(inference.df()),
    }
}

impl<S: Scale> PooledRegression<S> {
    fn subject(&self) -> About<'_> {
        About {
            measure: self.measure(),
            scale: self.scale().to_any(),
            estimand: None,
            treatment: self.treatment(),
            reference: self.reference(),
            level: self.fit.level,
        }
    }
}

impl<S: Scale> Show for PooledRegression<S> {
    fn shown(&self) -> Shown {
        let (about, fit) = (self.subject(), &self.fit);
        let mut grid = grid("Coefficient", [about.ci(), "p".to_owned()]).column("", Align::Left);
        for coefficient in &self.coefficients {
            grid.push([
                Cell::text(&*coefficient.name),
                about.effect(coefficient.value(), coefficient.interval()),
                p_cell(coefficient.p_value()),
                Cell::text(curve_words(coefficient)),
            ]);
        }
        let mut lines = Vec::new();
        if let Some(test) = &fit.moderator_test {
            lines.push(format!("all moderators: {}", wald_words(test)));
        }
        if fit.terms.len() > 1 {
            lines.extend(fit.terms.iter().map(|term| format!("{}: {}", term.name, wald_words(&term.test))));
        }
        if let Some(permutation) = &self.permutation {
            let exact = if permutation.exact { "all" } else { "drawn" };
            lines.push(format!(
                "permutation test of all moderators: {} ({} arrangements, {exact})",
                p_value(permutation.moderators_p_value),
                permutation.permutations
            ));
        }
        let explained = fit.r2.map_or_else(String::new, |r2| format!(", R2 = {}", percent(r2)));
        lines.push(format!(
            "residual: tau2 = {}{explained}, {}",
            significant(fit.tau2, 3),
            chi_squared_words(&fit.q_residual)
        ));
        let model = match fit.heterogeneity {
            Heterogeneity::Additive(tau2) => model_words(Some(tau2)),
            Heterogeneity::None => "fixed effects".to_owned(),
            Heterogeneity::Multiplicative => "multiplicative dispersion".to_owned(),
        };
        Shown {
            heading: format!(
                "{}, meta-regression of {} on {} ({model})",
                about.heading(),
                count(fit.k, "trial", "trials"),
                listed(&self.moderators)
            ),
            grids: vec![grid],
            lines,
            notices: self.notices().to_vec(),
        }
    }

    fn long_rows(&self, grid: &mut Grid) {
        let about = self.subject();
        for trial in &self.trials {
            tidy::push_estimate(grid, &trial.estimate, None);
        }
        for coefficient in &self.coefficients {
            let row = Row {
                se: Some(coefficient.se()),
                df: coefficient.df(),
                p_value: Some(coefficient.p_value()),
                interval_method: curve_words(coefficient),
                notices: self.notices(),
                ..about.row("moderator", coefficient.name.clone())
            };
            push(grid, row, Some(coefficient.value()), Some(coefficient.interval()));
        }
    }
}

impl<S: Scale> Show for PooledSubgroups<S> {
    fn shown(&self) -> Shown {
        let pooled = &self.pooled;
        let about = About::pool(pooled);
        let names = [about.ci(), "p".to_owned(), about.amount_column("tau"), "I2".to_owned()];
        let mut grid = grid(&self.name, names).column("Trials", Align::Left);
        for group in &self.groups {
            grid.push([
                Cell::text(group.label.as_str()),
                about.effect(group.value(), group.interval()),
                p_cell(group.p_value()),
                about.amount_cell(group.tau2.sqrt()),
                Cell::worded(group.i2, percent(group.i2)),
                Cell::text(listed(group.trials.iter().map(Label::as_str))),
            ]);
        }
        let summary = pooled.summary;
        grid.push([
            Cell::text("all"),
            about.effect(pooled.value(), pooled.interval()),
            p_cell(pooled.p_value()),
            about.amount_cell(summary.tau()),
            Cell::worded(summary.i2, percent(summary.i2)),
            Cell::text(count(summary.k, "trial", "trials")),
        ]);
        let tau2 = match self.common_tau2 {
            Some(_) => "one tau2 for all subgroups",
            None if summary.tau2_estimator.is_some() => "a tau2 for each subgroup",
            None => "no variation within subgroups",
        };
        Shown {
            heading: format!("{}, subgroups by {} ({})", about.heading(), self.name, pool_model(pooled)),
            grids: vec![grid],
            lines: vec![
                format!("between subgroups: {} ({tau2})", joint_test_words(&self.between)),
                format!("within subgroups: {}", chi_squared_words(&self.q_within)),
            ],
            notices: self.notices().to_vec(),
        }
    }

    fn long_rows(&self, grid: &mut Grid) {
        let about = About::pool(&self.pooled);
        push_trials(grid, &self.pooled);
        for group in &self.groups {
            let row = Row {
                se: Some(group.se()),
                df: group.df(),
                p_value: Some(group.p_value()),
                interval_method: curve_words(group),
                trial: Some(&group.label),
                notices: self.notices(),
                ..about.row("subgroup", format!("{}, by {}", pool_model(&self.pooled), self.name))
            };
            push(grid, row, Some(group.value()), Some(group.interval()));
        }
    }
}

impl<S: Scale> NetworkPooled<S> {
    fn subject<'a>(&'a self, arm: &'a Label, other: &'a Label) -> About<'a> {
        About {
            measure: self.measure(),
            scale: self.scale().to_any(),
            estimand: Some(self.estimand()),
            treatment: arm,
            reference: other,
            level: self.pool.model.level,
        }
    }

    /// The arms by rank, or in their order where nothing is ranked.
    fn in_order(&self) -> Vec<&Label> {
        match self.ranking.as_slice() {
            [] => self.arms.iter().collect(),
            ranking => ranking.iter().map(|ranked| &ranked.arm).collect(),
        }
    }

    /// Each arm against the reference of the table.
    fn against_reference(&self) -> Grid {
        let about = self.subject(self.reference(), self.reference());
        let name = format!("{} against {}", about.ci(), self.reference());
        let mut grid =
            grid("Arm", ["P-score".to_owned(), name, "p".to_owned()]).column("Trials", Align::Left);
        for arm in self.in_order() {
            let had = self.trials.iter().filter(|trial| trial.arms.iter().any(|own| own.arm == *arm));
            let score = self.ranking.iter().find(|ranked| ranked.arm == *arm);
            let score = score.map_or(Cell::Missing, |ranked| Cell::number(ranked.p_score, 2));
            let effect = self.comparison(arm, self.reference());
            let trials = Cell::text(listed(had.map(|trial| trial.trial.as_str())));
            // The reference is not compared with itself.
            let [effect, p] = effect.map_or_else(
                |_| [Cell::text(""), Cell::text("")],
                |found| [about.effect(found.value(), found.interval()), p_cell(found.p_value())],
            );
            grid.push([Cell::text(arm.as_str()), score, effect, p, trials]);
        }
        grid
    }

    /// Row minus column, the better arms above.
    fn league(&self) -> Grid {
        let arms = self.in_order();
        let about = self.subject(self.reference(), self.reference());
        let mut grid = grid("against", arms.iter().skip(1).map(|arm| arm.as_str()));
        for (i, arm) in arms.iter().enumerate().take(arms.len().saturating_sub(1)) {
            let mut cells = vec![Cell::text(arm.as_str())];
            for (j, other) in arms.iter().enumerate().skip(1) {
                let found = self.comparison(arm, other).ok().filter(|_| j > i);
                cells.push(
                    found.map_or_else(
                        || Cell::text(""),
                        |found| about.effect(found.value(), found.interval()),
                    ),
                );
            }
            grid.push(cells);
        }
        grid
    }

    fn split_table(&self) -> Grid {
        let about = self.subject(self.reference(), self.reference());
        let difference = format!("Difference ({})", interval_name(about.level));
        let names = ["Direct".to_owned(), "Indirect".to_owned(), difference, "p".to_owned()];
        let mut grid = grid("Comparison", names);
        for split in &self.splits {
            let words = about.words(split.difference.se());
            let value = |estimate: f64| Cell::worded(words.shown(estimate), words.number(estimate));
            grid.push([
                Cell::text(format!("{} vs {}", split.arm, split.other)),
                value(split.direct.value()),
                value(split.indirect.value()),
                about.effect(split.difference.value(), split.difference.interval()),
                p_cell(split.difference.p_value()),
            ]);
        }
        grid
    }
}

impl<S: Scale> Show for NetworkPooled<S> {
    fn shown(&self) -> Shown {
        let mut grids = vec![self.against_reference(), self.league()];
        if !self.splits.is_empty() {
            grids.push(self.split_table());
        }
        let model = &self.pool.model;
        let tau2 = model
            .tau2_estimator
            .map_or_else(String::new, |_| format!("tau2 = {}, ", significant(self.tau2(), 3)));
        let mut lines = vec![
            format!("{tau2}{}", chi_squared_words(&self.pool.model.q)),
            format!("within designs: {}", chi_squared_words(&self.pool.q_within_designs)),
            format!("between designs (inconsistency): {}", chi_squared_words(&self.pool.q_inconsistency)),
        ];
        if self.splits.is_empty() {
            lines.push("no comparison has both direct and indirect trials, so none is split".to_owned());
        }
        Shown {
            heading: format!(
                "{}, network of {} over {} ({})",
                measure_words(self.measure()),
                count(self.arms.len(), "arm", "arms"),
                count(self.trials.len(), "trial", "trials"),
                model_words(model.tau2_estimator)
            ),
            grids,
            lines,
            notices: self.notices().to_vec(),
        }
    }

    fn long_rows(&self, grid: &mut Grid) {
        let model = model_words(self.pool.model.tau2_estimator);
        for found in &self.comparisons {
            let about = self.subject(&found.arm, &found.other);
            let direct = found.direct.iter().map(Label::as_str).collect::<Vec<_>>().join("; ");
            let row = Row {
                trial: Some(&direct),
                se: Some(found.se()),
                p_value: Some(found.p_value()),
                notices: self.notices(),
                ..about.row("network", model.clone())
            };
            push(grid, row, Some(found.value()), Some(found.interval()));
        }
    }
}

fn method_words(method: CountMethod) -> String {
    match method {
        CountMethod::Peto => "Peto".to_owned(),
        CountMethod::MantelHaenszel { empty_cells } => {
            let rule = match empty_cells {
                EmptyCells::AsTheyAre => "nothing added to empty cells",
                EmptyCells::AddHalf => "half added where a cell is empty",
                EmptyCells::AddHalfToAll => "half added to all cells",
            };
            format!("Mantel-Haenszel, {rule}")
        }
    }
}

impl<S: Scale> PooledCounts<S> {
    fn subject(&self) -> About<'_> {
        About {
            measure: self.measure(),
            scale: self.scale().to_any(),
            estimand: None,
            treatment: self.treatment(),
            reference: self.reference(),
            level: self.summary.level,
        }
    }
}

impl<S: Scale> Show for PooledCounts<S> {
    fn shown(&self) -> Shown {
        let about = self.subject();
        let mut grid = grid("Trial", [self.treatment().as_str(), self.reference().as_str()])
            .column(about.ci(), Align::Right)
            .column("p", Align::Right);
        let arm =
            |counts: ArmCounts| Cell::text(format!("{}/{}", counts.events.unwrap_or(0), counts.analysed));
        let mut sums = [[0, 0]; 2];
        for TrialCounts { trial, treatment, reference } in &self.trials {
            for (sum, counts) in sums.iter_mut().zip([treatment, reference]) {
                sum[0] += counts.events.unwrap_or(0);
                sum[1] += counts.analysed;
            }
            let blank = || Cell::text("");
            grid.push([Cell::text(trial.as_str()), arm(*treatment), arm(*reference), blank(), blank()]);
        }
        let [treated, untreated] = sums.map(|[events, n]| Cell::text(format!("{events}/{n}")));
        let pooled = about.effect(self.value(), self.interval());
        grid.push([Cell::text("pooled"), treated, untreated, pooled, p_cell(self.p_value())]);
        Shown {
            heading: format!(
                "{}, counts of {} pooled ({})",
                about.heading(),
                count(self.trials.len(), "trial", "trials"),
                method_words(self.count_method)
            ),
            grids: vec![grid],
            lines: vec![format!("I2 = {}, {}", percent(self.summary.i2), chi_squared_words(&self.summary.q))],
            notices: self.notices().to_vec(),
        }
    }

    fn long_rows(&self, grid: &mut Grid) {
        let about = self.subject();
        let row = Row {
            se: Some(self.se()),
            p_value: Some(self.p_value()),
            interval_method: reference_words(None),
            notices: self.notices(),
            ..about.row("pooled_counts", method_words(self.count_method))
        };
        push(grid, row, Some(self.value()), Some(self.interval()));
    }
}
