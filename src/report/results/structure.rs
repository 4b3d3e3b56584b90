//! Moderators, subgroups of trials, networks, pools of counts.

use super::counts::{arm_columns, count_cells, counts_note};
use super::pools::{about_pool, pool_model, pool_rows, tau2_words, trial_notes, trial_rows, variation_words};
use crate::compute::meta_analysis::{Heterogeneity as ModelVariance, chance_p_score};
use crate::design::Label;
use crate::effect::AnyScale;
use crate::error::counted;
use crate::pool::{
    NetworkComparison, NetworkPooled, PooledCounts, PooledRegression, PooledSubgroups, TrialCounts,
};
use crate::report::base::format::{capitalised, decimal, level_label, listed, p_value, percent, plain_label};
use crate::report::base::grid::{Align, Cell, Grid};
use crate::report::draw::forest::Shape;
use crate::report::english::effects::{chi_squared_words, interval_name, model_words, wald_words};
use crate::report::form::columns::{
    effect, grid, i2, label, left, method, own, own0, own1, own2, p, right, tau,
};
use crate::report::form::row::{About, Heterogeneity, Row, about};
use crate::report::form::table::{ResultTable, Tabulate};

impl Tabulate for PooledRegression<AnyScale> {
    fn table(&self) -> ResultTable {
        let fit = &self.fit;
        let about = about!(self, self.treatment(), None, fit.level);
        let mut rows: Vec<Row> = self.trials.iter().map(|trial| Row::of(&trial.estimate)).collect();
        rows.extend(self.coefficients.iter().map(|one| {
            let row = about.row("moderator", one.name.as_str()).effect(one.value(), one.interval());
            let row = row.tested(one.se(), one.df(), one.p_value()).noticed(self.notices());
            Row { estimator: one.name.clone(), ..row }
        }));
        let mut lines = Vec::new();
        lines.extend(fit.moderator_test.as_ref().map(|test| format!("all moderators: {}", wald_words(test))));
        if fit.terms.len() > 1 {
            lines.extend(fit.terms.iter().map(|term| format!("{}: {}", term.name, wald_words(&term.test))));
        }
        lines.extend(self.permutation.as_ref().map(|permutation| {
            format!(
                "permutation test of all moderators: {} ({} arrangements, {})",
                p_value(permutation.moderators_p_value),
                permutation.permutations,
                if permutation.exact { "all" } else { "drawn" }
            )
        }));
        let explained = fit.r2.map_or_else(String::new, |r2| format!(", R2 = {}", percent(r2)));
        let residual = chi_squared_words(&fit.q_residual);
        lines.push(format!(
            "residual: {}{explained}, {residual}",
            tau2_words(&about, fit.tau2, fit.tau2_interval)
        ));
        let model = match fit.heterogeneity {
            ModelVariance::Additive(tau2) => model_words(Some(tau2)),
            ModelVariance::None => "fixed effects".to_owned(),
            ModelVariance::Multiplicative => "multiplicative dispersion".to_owned(),
        };
        let of = counted(fit.k, "trial");
        let moderators = listed(&self.moderators);
        let what = format!("{}, meta-regression of {of} on {moderators} ({model})", about.contrast());
        let shown =
            [left("Coefficient", label), right(about.heading(), effect), right("p", p), left("", method)];
        ResultTable::new(about, what, rows)
            .shown(&shown, |row| row.kind == "moderator")
            .lines(lines)
            .notices(self.notices())
    }
}

impl Tabulate for PooledSubgroups<AnyScale> {
    fn table(&self) -> ResultTable {
        let pooled = &self.pooled;
        let (about, model, summary) = (about_pool(pooled), pool_model(pooled), pooled.summary);
        let (trial_rows, all) = trial_rows(pooled);
        let mut rows: Vec<Row> = Vec::new();
        for of in &self.groups {
            let name = level_label(&self.name, &of.label);
            let is_member = |row: &&Row| of.trials.contains(&row.trials[0]);
            let mut members: Vec<Row> = trial_rows.iter().filter(is_member).cloned().collect();
            for row in &mut members {
                row.drawn.group.clone_from(&name);
            }
            let mut cells = count_cells(&mut members);
            cells.push(Cell::text(listed(&of.trials)));
            let share = members.iter().filter_map(|row| row.weight).sum();
            rows.extend(members);
            let tau2 = summary.tau2_estimator.map(|_| of.tau2);
            let heterogeneity =
                Heterogeneity { tau2, i2: Some(of.i2), q: Some(of.q), ..Heterogeneity::default() };
            let row = about.row("subgroup", of.label.as_str()).effect(of.value(), of.interval());
            let mut row = Row {
                trials: of.trials.clone(),
                estimator: format!("{model}, {}: {}", self.name, of.label),
                weight: Some(share),
                heterogeneity,
                cells,
                ..row.tested(of.se(), of.df(), of.p_value()).noticed(self.notices())
            };
            row.drawn.group = name;
            // The pool of one trial is the trial.
            row.drawn.shape = (of.trials.len() > 1).then_some(Shape::Diamond);
            row.drawn.label = Some(capitalised(&model));
            row.drawn.remarks = vec![variation_words(&about, &heterogeneity)];
            rows.push(row);
        }
        let mut pool = pool_rows(pooled);
        "all".clone_into(&mut pool[0].label);
        pool[0].cells = all;
        pool[0].cells.push(Cell::text(counted(summary.k, "trial")));
        "All trials".clone_into(&mut pool[0].drawn.group);
        rows.extend(pool);
        let tau2 = match self.common_tau2 {
            Some(tau2) => {
                format!("one for all subgroups, {}", tau2_words(&about, tau2, self.common_tau2_interval))
            }
            None if summary.tau2_estimator.is_some() => "of its own in each subgroup".to_owned(),
            None => "none within subgroups".to_owned(),
        };
        let lines = [
            format!("between subgroups: {}", wald_words(&self.between)),
            format!("variation between trials: {tau2}"),
            format!("within subgroups: {}", chi_squared_words(&self.q_within)),
        ];
        let shown = [
            left(self.name.as_str(), label),
            right(about.heading(), effect),
            right("p", p),
            right(about.amount_heading("tau"), tau),
            right("I2", i2),
            left("Trials", own2),
        ];
        let what = format!("{}, subgroups by {} ({model})", about.contrast(), self.name);
        let (columns, footnotes) = (arm_columns(&trial_rows), trial_notes(pooled, &trial_rows));
        ResultTable::new(about, what, rows)
            .shown(&shown, |row| ["subgroup", "pooled"].contains(&row.kind))
            .lines(lines)
            .notices(self.notices())
            .figure("Trial", columns)
            .footnotes(footnotes)
    }
}

/// The arms by rank, or in their order where nothing is ranked.
fn in_order(network: &NetworkPooled<AnyScale>) -> Vec<&Label> {
    match network.ranking.as_slice() {
        [] => network.arms.iter().collect(),
        ranking => ranking.iter().map(|ranked| &ranked.arm).collect(),
    }
}

fn network_row(about: &About, label: &Label, of: &NetworkComparison) -> Row {
    let about = About { reference: of.other.clone(), ..about.of(&of.arm) };
    let row = about.row("network", label.as_str()).effect(of.value(), of.interval());
    Row { trials: of.direct.clone(), se: Some(of.se()), p_value: Some(of.p_value()), ..row }
}

/// Row minus column, the better arms above.
fn league(network: &NetworkPooled<AnyScale>, about: &About) -> Grid {
    let arms = in_order(network);
    let mut grid = Grid::new("").column("against", Align::Left);
    for arm in arms.iter().skip(1) {
        grid = grid.column(plain_label(arm), Align::Right);
    }
    for (i, arm) in arms.iter().enumerate().take(arms.len().saturating_sub(1)) {
        let cells = arms.iter().enumerate().skip(1).map(|(j, other)| {
            let found = network.comparison(arm, other).ok().filter(|_| j > i);
            found.map_or_else(|| Cell::text(""), |found| about.effect_cell(found.value(), found.interval()))
        });
        grid.push(std::iter::once(Cell::text(plain_label(arm))).chain(cells));
    }
    grid
}

/// Direct against indirect evidence.
fn splits(network: &NetworkPooled<AnyScale>, about: &About) -> Grid {
    let rows = network.splits.iter().map(|split| {
        let words = about.words(split.difference.se());
        let value = |estimate: f64| Cell::worded(words.shown(estimate), words.number(estimate));
        let row = about.row("", format!("{} vs {}", split.arm, split.other));
        Row {
            cells: vec![value(split.direct.value()), value(split.indirect.value())],
            p_value: Some(split.difference.p_value()),
            ..row.effect(split.difference.value(), split.difference.interval())
        }
    });
    let columns = [
        left("Comparison", label),
        right("Direct", own0),
        right("Indirect", own1),
        right(format!("Difference ({})", interval_name(about.level)), effect),
        right("p", p),
    ];
    grid("", &columns, &rows.collect::<Vec<_>>())
}

/// Each arm against the reference; then every other pair of arms.
impl Tabulate for NetworkPooled<AnyScale> {
    fn table(&self) -> ResultTable {
        let fit = &self.pool.model;
        let reference = self.reference();
        let about = about!(self, reference, Some(self.estimand()), fit.level);
        let model = model_words(fit.tau2_estimator);
        let mut against = Vec::new();
        for arm in in_order(self) {
            let with_arm = self.trials.iter().filter(|trial| trial.arms.iter().any(|own| own.arm == *arm));
            let with_arm: Vec<&Label> = with_arm.map(|trial| &trial.trial).collect();
            let score = self.ranking.iter().find(|ranked| ranked.arm == *arm);
            let found = self.comparison(arm, reference);
            // The reference is not compared with itself.
            let row = found.as_ref().map_or_else(
                |_| about.row("", arm.as_str()),
                |found| network_row(&about, arm, found).drawn(Shape::Square),
            );
            let direct = row.trials.len().to_string();
            against.push(Row {
                cells: vec![
                    score.map_or_else(Cell::missing, |ranked| Cell::number(ranked.p_score, 2)),
                    Cell::text(listed(with_arm.iter().map(|trial| trial.as_str()))),
                    Cell::count(with_arm.len() as u64),
                    Cell::text(direct),
                ],
                ..row
            });
        }
        let columns = [
            left("Arm", label),
            right("P-score", own0),
            right(format!("{} against {reference}", about.heading()), effect),
            right("p", p),
            left("Trials", own1),
        ];
        let mut grids = vec![grid("", &columns, &against), league(self, &about)];
        let tau2 = fit.tau2_estimator.map(|_| self.tau2());
        let heterogeneity = Heterogeneity {
            tau2,
            tau2_interval: fit.tau2_interval,
            q: Some(fit.q),
            ..Heterogeneity::default()
        };
        let mut lines = vec![
            variation_words(&about, &heterogeneity),
            format!("within designs: {}", chi_squared_words(&self.pool.q_within_designs)),
            format!("between designs (inconsistency): {}", chi_squared_words(&self.pool.q_inconsistency)),
        ];
        if self.splits.is_empty() {
            lines.push("no comparison has both direct and indirect trials, so none is split".to_owned());
        } else {
            grids.push(splits(self, &about));
        }
        let others = self.comparisons.iter().filter(|pair| pair.other != *reference);
        let others = others.map(|pair| network_row(&about, &pair.arm, pair));
        let mut rows: Vec<Row> =
            against.into_iter().filter(|row| row.estimate.is_some()).chain(others).collect();
        for row in &mut rows {
            row.estimator.clone_from(&model);
            row.heterogeneity = heterogeneity;
            row.notices = self.notices().to_vec();
        }
        let what = format!(
            "against {reference}, network of {} over {} ({model})",
            counted(self.arms.len(), "arm"),
            counted(self.trials.len(), "trial"),
        );
        let footnotes = vec![format!("Trials: with the arm. Direct: with the arm and {reference}.")];
        let mut figure = vec![right("Trials", own2), right("Direct", |row| own(row, 3)), right("p", p)];
        if !self.ranking.is_empty() {
            figure.push(right("P-score", own0));
            let (arms, by_chance) = (counted(self.arms.len(), "arm"), chance_p_score(self.arms.len()));
            lines.push(format!(
                "P-score: the mean certainty that the arm is better than another one; if no arm differed, the best of {arms} \
                 would have about {} by chance",
                decimal(by_chance, 2)
            ));
        }
        let table = ResultTable::new(about, what, rows).lines(lines).notices(self.notices());
        ResultTable { grids, ..table }.figure("Arm", figure).footnotes(footnotes)
    }
}

impl Tabulate for PooledCounts<AnyScale> {
    fn table(&self) -> ResultTable {
        let summary = &self.summary;
        let about = about!(self, self.treatment(), None, summary.level);
        let rows = self.trials.iter().map(|TrialCounts { trial, treatment, reference }| Row {
            trials: vec![trial.clone()],
            counts: Some([*treatment, *reference]),
            ..about.row("counts", trial.as_str())
        });
        let mut rows: Vec<Row> = rows.collect();
        let sums = count_cells(&mut rows);
        let row = about.row("pooled_counts", "pooled").effect(self.value(), self.interval());
        let row = row.tested(self.se(), None, self.p_value()).noticed(self.notices());
        let heterogeneity =
            Heterogeneity { i2: Some(summary.i2), q: Some(summary.q), ..Heterogeneity::default() };
        let (columns, note) = (arm_columns(&rows), counts_note(&rows));
        rows.push(Row {
            estimator: self.count_method.to_string(),
            heterogeneity,
            cells: sums,
            ..row.drawn(Shape::Diamond)
        });
        let shown = [
            left("Trial", label),
            right(plain_label(self.treatment()), own0),
            right(plain_label(self.reference()), own1),
            right(about.heading(), effect),
            right("p", p),
        ];
        let of = counted(self.trials.len(), "trial");
        let what = format!("{}, counts of {of} pooled ({})", about.contrast(), self.count_method);
        let variation = variation_words(&about, &heterogeneity);
        ResultTable::new(about, what, rows)
            .shown(&shown, |_| true)
            .lines([variation])
            .notices(self.notices())
            .figure("Trial", columns)
            .footnotes(note)
    }
}
