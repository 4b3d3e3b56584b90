//! Trials left out or added, the influence of each, the asymmetry of the funnel.

use super::pools::{about_pool, pool_model, summarised};
use crate::compute::curve::Inference;
use crate::compute::meta_analysis::PoolSummary;
use crate::effect::AnyScale;
use crate::error::counted;
use crate::pool::{Asymmetry, HenmiCopasPooled, Influence, Pooled, Refits, Repetition, TrimmedAndFilled};
use crate::report::base::format::p_value;
use crate::report::base::grid::Cell;
use crate::report::draw::forest::Shape;
use crate::report::form::columns::{
    Column, effect, i2, label, left, method, own, own0, p, right, tau, weight,
};
use crate::report::form::row::{About, Heterogeneity, Row};
use crate::report::form::table::{ResultTable, Tabulate};

/// A table about a pool: `guidance vs control, 5 trials (random effects, REML), one trial left out`.
fn table(pooled: &Pooled<AnyScale>, what: &str, rows: Vec<Row>) -> ResultTable {
    let about = about_pool(pooled);
    let trials = counted(pooled.trials.len(), "trial");
    let what = format!("{}, {trials} ({}), {what}", about.contrast(), pool_model(pooled));
    ResultTable::new(about, what, rows)
}

/// A row with the numbers of a pool, and how many trials it has.
fn pool_row(
    pooled: &Pooled<AnyScale>,
    kind: &'static str,
    label: &str,
    effect: &Inference,
    summary: &PoolSummary,
) -> Row {
    let row = summarised(about_pool(pooled).row(kind, label), effect, summary).drawn(Shape::Square);
    Row { estimator: pool_model(pooled), cells: vec![Cell::count(summary.k as u64)], ..row }
}

fn pool_columns(about: &About, first: &str) -> [Column; 6] {
    [
        left(first, label),
        right("Trials", own0),
        right(about.heading(), effect),
        right("p", p),
        right(about.amount_heading("tau"), tau),
        right("I2", i2),
    ]
}

fn figure_columns() -> Vec<Column> {
    vec![right("Trials", own0), right("p", p), right("I2", i2)]
}

impl Tabulate for Refits<AnyScale> {
    fn table(&self) -> ResultTable {
        let pooled = &self.pooled;
        let (kind, first, what) = match &self.repetition {
            Repetition::LeaveOneOut => ("left_out", "Without", "one trial left out".to_owned()),
            Repetition::Cumulative(order) => ("cumulative", "Added", order.to_string()),
        };
        let rows = self.rows.iter().map(|refit| Row {
            trials: vec![refit.trial.clone()],
            ..pool_row(pooled, kind, &refit.trial, refit, &refit.summary)
        });
        let mut rows: Vec<Row> = rows.collect();
        if self.repetition == Repetition::LeaveOneOut {
            rows.push(pool_row(pooled, "pooled", "none", pooled, &pooled.summary).drawn(Shape::Diamond));
        }
        let table = table(pooled, &what, rows);
        let shown = pool_columns(&table.about, first);
        table.shown(&shown, |_| true).notices(pooled.notices()).figure(first, figure_columns())
    }
}

impl Tabulate for Influence<AnyScale> {
    fn table(&self) -> ResultTable {
        let pooled = &self.pooled;
        let about = about_pool(pooled);
        let rows = self.rows.iter().map(|of| {
            let measures = &of.measures;
            let number = |x: f64| Cell::number(x, 2);
            Row {
                trials: vec![of.trial.clone()],
                estimator: "deleted residual".to_owned(),
                estimate: Some(measures.deleted_residual),
                weight: Some(measures.weight),
                cells: vec![
                    number(measures.deleted_residual),
                    number(measures.dffits),
                    number(measures.cook_distance),
                    number(measures.covariance_ratio),
                    number(measures.dfbetas),
                    number(of.baujat.heterogeneity),
                    number(of.baujat.influence),
                    about.amount_cell(measures.tau2_deleted.sqrt()),
                    Cell::text(if measures.influential { "influential" } else { "" }),
                ],
                ..about.row("influence", of.trial.as_str())
            }
        });
        let rows = rows.collect();
        let shown = [
            left("Trial", label),
            right("Weight", weight),
            right("Deleted residual", |row| own(row, 0)),
            right("DFFITS", |row| own(row, 1)),
            right("Cook's D", |row| own(row, 2)),
            right("Covariance ratio", |row| own(row, 3)),
            right("DFBETAS", |row| own(row, 4)),
            right("Q contribution", |row| own(row, 5)),
            right("Shift of mean", |row| own(row, 6)),
            right(format!("{} without", about.amount_heading("tau")), |row| own(row, 7)),
            left("", |row| own(row, 8)),
        ];
        let line = "Q contribution and shift of mean are the axes of Baujat's plot, around the common effect";
        table(pooled, "the influence of each", rows)
            .shown(&shown, |_| true)
            .lines([line.to_owned()])
            .notices(self.notices())
    }
}

impl Tabulate for Asymmetry<AnyScale> {
    fn table(&self) -> ResultTable {
        let about = about_pool(&self.pooled);
        let (slope, rank, limit) = (&self.egger.slope, &self.rank, &self.limit);
        let row = |name: &str, estimator: &str, statistic: f64| Row {
            estimator: estimator.to_owned(),
            cells: vec![Cell::number(statistic, 2)],
            ..about.row("asymmetry", name)
        };
        let name = "Egger's regression on the standard error";
        let slope_row = row(name, "Egger's slope on the standard error", slope.statistic)
            .effect(slope.estimate, slope.interval)
            .tested(slope.se, slope.df, slope.p_value)
            .noticed(self.notices());
        let rank_row = Row {
            estimate: Some(rank.kendall_tau),
            p_value: Some(rank.p_value),
            method: rank.distribution.to_string(),
            ..row("Rank correlation (Kendall's tau-b)", "Kendall's tau-b", rank.kendall_tau)
        };
        let at_zero = about.row("", "").effect(limit.value(), limit.interval()).effect_words("");
        let line =
            format!("Egger's effect at a standard error of zero: {at_zero}, {}", p_value(limit.p_value()));
        let shown = [left("Test", label), right("Statistic", own0), right("p", p), left("", method)];
        table(&self.pooled, "whether small ones differ from large ones", vec![slope_row, rank_row])
            .shown(&shown, |_| true)
            .lines([line])
            .notices(self.notices())
    }
}

impl Tabulate for TrimmedAndFilled<AnyScale> {
    fn table(&self) -> ResultTable {
        let (pooled, filled) = (&self.pooled, &self.filled);
        let about = about_pool(pooled);
        let as_they_are = pool_row(pooled, "pooled", "As they are", pooled, &pooled.summary);
        let with_filled =
            pool_row(pooled, "trimmed_and_filled", "With filled ones", self, &filled.pool.summary);
        let rows = vec![as_they_are, with_filled.noticed(self.notices())];
        let mut lines = vec![self.missing_words()];
        if !filled.filled_yi.is_empty() {
            let values = filled.filled_yi.iter().zip(&filled.filled_vi);
            let values: Vec<String> = values.map(|(y, v)| about.words(v.sqrt()).value(*y)).collect();
            lines.push(format!("filled in: {}", values.join(", ")));
        }
        lines.push("a sensitivity analysis, not a corrected effect: asymmetry has many causes".to_owned());
        table(pooled, "trimmed and filled", rows)
            .shown(&pool_columns(&about, ""), |_| true)
            .lines(lines)
            .notices(self.notices())
            .figure("", figure_columns())
    }
}

impl TrimmedAndFilled<AnyScale> {
    /// `2 trials missing on the left (R0)`.
    fn missing_words(&self) -> String {
        let missing = counted(self.filled.k0, "trial");
        format!("{missing} missing on the {} ({})", self.filled.side, self.estimator)
    }
}

impl Tabulate for HenmiCopasPooled<AnyScale> {
    fn table(&self) -> ResultTable {
        let pooled = &self.pooled;
        let about = about_pool(pooled);
        let robust = about.row("henmi_copas", "Henmi-Copas").effect(self.value(), self.interval());
        let heterogeneity = Heterogeneity { tau2: Some(self.tau2), ..Heterogeneity::default() };
        let how = "common effect, interval valid under random effects".to_owned();
        let robust = Row {
            se: Some(self.se()),
            estimator: "Henmi-Copas".to_owned(),
            heterogeneity,
            cells: vec![Cell::text(how)],
            ..robust
        };
        let own = pool_row(pooled, "pooled", "The pool", pooled, &pooled.summary).drawn(Shape::Diamond);
        let own = Row { cells: vec![Cell::text(pool_model(pooled))], ..own };
        let shown = [
            left("", label),
            right(about.heading(), effect),
            right(about.amount_heading("tau"), tau),
            left("", own0),
        ];
        let what = "robust to small trials that were published for their results";
        table(pooled, what, vec![robust.drawn(Shape::Square), own])
            .shown(&shown, |_| true)
            .notices(self.notices())
            .figure("", Vec::new())
    }
}
