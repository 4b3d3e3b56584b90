//! What a pooled effect hangs on: trials left out or added, influence, the funnel.

use super::analysis::{About, Show, Shown, grid, push};
use super::format::{p_value, percent};
use super::grid::{Align, Cell, Grid};
use super::outcome_table::p_cell;
use super::pool_words::{count, curve_words, pool_model};
use super::tidy::Row;
use super::words::{interval_name, reference_words};
use crate::compute::curve::Inference;
use crate::compute::meta_analysis::{FunnelSide, KendallDistribution, MissingStudies, PoolSummary};
use crate::effect::Scale;
use crate::pool::{
    Asymmetry, CumulativeOrder, HenmiCopasPooled, Influence, Pooled, Refits, Repetition, TrimmedAndFilled,
};

fn heading<S: Scale>(pooled: &Pooled<S>, what: &str) -> String {
    let about = About::pool(pooled);
    format!(
        "{}, {} ({}), {what}",
        about.heading(),
        count(pooled.trials.len(), "trial", "trials"),
        pool_model(pooled)
    )
}

fn order_words(order: &CumulativeOrder) -> &'static str {
    match order {
        CumulativeOrder::AsGiven => "trials added in their order",
        CumulativeOrder::Precision => "trials added from the most precise on",
        CumulativeOrder::Participants => "trials added from the largest on",
        CumulativeOrder::Named(_) => "trials added in the order that was named",
    }
}

fn summary_cells(about: &About<'_>, summary: &PoolSummary, inference: &Inference) -> [Cell; 5] {
    [
        Cell::Count(summary.k as u64),
        about.effect(inference.value(), inference.interval()),
        p_cell(inference.p_value()),
        about.amount_cell(summary.tau()),
        Cell::worded(summary.i2, percent(summary.i2)),
    ]
}

impl<S: Scale> Show for Refits<S> {
    fn shown(&self) -> Shown {
        let pooled = &self.pooled;
        let about = About::pool(pooled);
        let (first, what) = match &self.repetition {
            Repetition::LeaveOneOut => ("Without", "one trial left out"),
            Repetition::Cumulative(order) => ("Added", order_words(order)),
        };
        let names =
            ["Trials".to_owned(), about.ci(), "p".to_owned(), about.amount_column("tau"), "I2".to_owned()];
        let mut grid = grid(first, names);
        for refit in &self.rows {
            let cells = summary_cells(&about, &refit.summary, refit);
            grid.push(std::iter::once(Cell::text(refit.trial.as_str())).chain(cells));
        }
        if self.repetition == Repetition::LeaveOneOut {
            let cells = summary_cells(&about, &pooled.summary, pooled);
            grid.push(std::iter::once(Cell::text("none")).chain(cells));
        }
        Shown {
            heading: heading(pooled, what),
            grids: vec![grid],
            lines: Vec::new(),
            notices: pooled.notices().to_vec(),
        }
    }

    fn long_rows(&self, grid: &mut Grid) {
        let about = About::pool(&self.pooled);
        let kind = match &self.repetition {
            Repetition::LeaveOneOut => "left_out",
            Repetition::Cumulative(_) => "cumulative",
        };
        for refit in &self.rows {
            let row = Row {
                trial: Some(&refit.trial),
                se: Some(refit.se()),
                df: refit.df(),
                p_value: Some(refit.p_value()),
                interval_method: curve_words(refit),
                ..about.row(kind, pool_model(&self.pooled))
            };
            push(grid, row, Some(refit.value()), Some(refit.interval()));
        }
    }
}

impl<S: Scale> Show for Influence<S> {
    fn shown(&self) -> Shown {
        let pooled = &self.pooled;
        let about = About::pool(pooled);
        let names = [
            "Weight",
            "Deleted residual",
            "DFFITS",
            "Cook's D",
            "Covariance ratio",
            "DFBETAS",
            "Q contribution",
            "Shift of mean",
        ];
        let mut grid = grid("Trial", names)
            .column(format!("{} without", about.amount_column("tau")), Align::Right)
            .column("", Align::Left);
        for row in &self.rows {
            let of = &row.measures;
            grid.push([
                Cell::text(row.trial.as_str()),
                Cell::worded(of.weight, percent(of.weight)),
                Cell::number(of.deleted_residual, 2),
                Cell::number(of.dffits, 2),
                Cell::number(of.cook_distance, 2),
                Cell::number(of.covariance_ratio, 2),
                Cell::number(of.dfbetas, 2),
                Cell::number(row.baujat.heterogeneity, 2),
                Cell::number(row.baujat.influence, 2),
                about.amount_cell(of.tau2_deleted.sqrt()),
                Cell::text(if of.influential { "influential" } else { "" }),
            ]);
        }
        Shown {
            heading: heading(pooled, "the influence of each"),
            grids: vec![grid],
            lines: vec![
                "Q contribution and shift of mean are the axes of Baujat's plot, around the common effect"
                    .to_owned(),
            ],
            notices: self.notices().to_vec(),
        }
    }

    fn long_rows(&self, grid: &mut Grid) {
        let about = About::pool(&self.pooled);
        for row in &self.rows {
            let base = about.row("influence", "deleted residual");
            let base = Row { trial: Some(&row.trial), weight: Some(row.measures.weight), ..base };
            push(grid, base, Some(row.measures.deleted_residual), None);
        }
    }
}

impl<S: Scale> Show for Asymmetry<S> {
    fn shown(&self) -> Shown {
        let about = About::pool(&self.pooled);
        let (egger, rank) = (&self.egger, &self.rank);
        let how = match rank.distribution {
            KendallDistribution::Exact => "exact".to_owned(),
            _ => "normal".to_owned(),
        };
        let mut grid = grid("Test", ["Statistic", "p"]).column("", Align::Left);
        grid.push([
            Cell::text("Egger's regression on the standard error"),
            Cell::number(egger.slope.statistic, 2),
            p_cell(egger.slope.p_value),
            Cell::text(reference_words(egger.slope.df)),
        ]);
        grid.push([
            Cell::text("Rank correlation (Kendall's tau-b)"),
            Cell::number(rank.kendall_tau, 2),
            p_cell(rank.p_value),
            Cell::text(how),
        ]);
        let limit = &self.limit;
        let words = about.words_for(limit.interval());
        Shown {
            heading: heading(&self.pooled, "whether small ones differ from large ones"),
            grids: vec![grid],
            lines: vec![format!(
                "Egger's effect at a standard error of zero: {} ({} {}), {}",
                words.value(limit.value()),
                interval_name(about.level),
                words.limits(limit.interval().into()),
                p_value(limit.p_value())
            )],
            notices: self.notices().to_vec(),
        }
    }

    fn long_rows(&self, grid: &mut Grid) {
        let about = About::pool(&self.pooled);
        let slope = &self.egger.slope;
        let row = Row {
            se: Some(slope.se),
            df: slope.df,
            p_value: Some(slope.p_value),
            interval_method: reference_words(slope.df),
            notices: self.notices(),
            ..about.row("asymmetry", "Egger's slope on the standard error")
        };
        push(grid, row, Some(slope.estimate), Some(slope.interval));
        let rank = &self.rank;
        let row = Row { p_value: Some(rank.p_value), ..about.row("asymmetry", "Kendall's tau-b") };
        push(grid, row, Some(rank.kendall_tau), None);
    }
}

impl<S: Scale> Show for TrimmedAndFilled<S> {
    fn shown(&self) -> Shown {
        let (pooled, filled) = (&self.pooled, &self.filled);
        let about = About::pool(pooled);
        let names =
            ["Trials".to_owned(), about.ci(), "p".to_owned(), about.amount_column("tau"), "I2".to_owned()];
        let mut grid = grid("", names);
        let cells = summary_cells(&about, &pooled.summary, pooled);
        grid.push(std::iter::once(Cell::text("As they are")).chain(cells));
        let cells = summary_cells(&about, &filled.pool.summary, self);
        grid.push(std::iter::once(Cell::text("With filled ones")).chain(cells));
        let side = if filled.side == FunnelSide::Right { "right" } else { "left" };
        let estimator = match self.estimator {
            MissingStudies::R0 => "R0",
            MissingStudies::Q0 => "Q0",
            _ => "L0",
        };
        let mut lines =
            vec![format!("{} missing on the {side} ({estimator})", count(filled.k0, "trial", "trials"))];
        if !filled.filled_yi.is_empty() {
            let value = |(y, v): (&f64, &f64)| about.words(v.sqrt()).value(*y);
            let values: Vec<String> = filled.filled_yi.iter().zip(&filled.filled_vi).map(value).collect();
            lines.push(format!("filled in: {}", values.join(", ")));
        }
        lines.push("a sensitivity analysis, not a corrected effect: asymmetry has many causes".to_owned());
        Shown {
            heading: heading(pooled, "trimmed and filled"),
            grids: vec![grid],
            lines,
            notices: self.notices().to_vec(),
        }
    }

    fn long_rows(&self, grid: &mut Grid) {
        let about = About::pool(&self.pooled);
        let row = Row {
            se: Some(self.se()),
            df: self.df(),
            p_value: Some(self.p_value()),
            interval_method: curve_words(self),
            notices: self.notices(),
            ..about.row("trimmed_and_filled", pool_model(&self.pooled))
        };
        push(grid, row, Some(self.value()), Some(self.interval()));
    }
}

impl<S: Scale> Show for HenmiCopasPooled<S> {
    fn shown(&self) -> Shown {
        let pooled = &self.pooled;
        let about = About::pool(pooled);
        let mut grid = grid("", [about.ci(), about.amount_column("tau")]).column("", Align::Left);
        grid.push([
            Cell::text("Henmi-Copas"),
            about.effect(self.value(), self.interval()),
            about.amount_cell(self.tau2.sqrt()),
            Cell::text("common effect, interval valid under random effects"),
        ]);
        grid.push([
            Cell::text("The pool"),
            about.effect(pooled.value(), pooled.interval()),
            about.amount_cell(pooled.summary.tau()),
            Cell::text(pool_model(pooled)),
        ]);
        Shown {
            heading: heading(pooled, "robust to small trials that were published for their results"),
            grids: vec![grid],
            lines: Vec::new(),
            notices: Vec::new(),
        }
    }

    fn long_rows(&self, grid: &mut Grid) {
        let about = About::pool(&self.pooled);
        let row = Row { se: Some(self.se()), ..about.row("henmi_copas", "Henmi-Copas") };
        push(grid, row, Some(self.value()), Some(self.interval()));
    }
}
