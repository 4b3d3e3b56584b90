//! Few trials in every customary way, Bayesian pools, and their priors.

use super::analysis::{About, Show, Shown, grid, push, push_trials};
use super::format::{Limits, percent, significant};
use super::grid::{Align, Cell, Grid};
use super::outcome_table::p_cell;
use super::pool_words::{count, curve_words, statistics};
use super::tidy::{self, Row};
use super::words::{count_words, interval_name};
use crate::compute::bayes::{MuPrior, NormalNormal, TauPrior};
use crate::compute::curve::{ConfidenceCurve, Inference};
use crate::effect::Scale;
use crate::pool::{
    Approach, ApproachRow, Average, BayesianPooled, EffectOf, LeftOut, PooledSideBySide, PriorOrigin,
    PriorSensitivity,
};

pub(super) fn approach_words(approach: Approach) -> &'static str {
    match approach {
        Approach::CommonEffect => "Common effect",
        Approach::Wald => "Random effects, Wald",
        Approach::HartungKnapp => "Random effects, Hartung-Knapp",
        Approach::WiderOfBoth => "Random effects, wider of both",
        Approach::Bayesian => "Bayesian random effects",
    }
}

/// `half-normal with scale 5.0 points`.
fn tau_prior_words(about: &About<'_>, prior: TauPrior) -> String {
    let unit = if about.amount_column("").contains("points") { " points" } else { "" };
    let amount = |x: f64| format!("{}{unit}", about.amount(x));
    match prior {
        TauPrior::HalfNormal { scale } => format!("half-normal with scale {}", amount(scale)),
        TauPrior::HalfCauchy { scale } => format!("half-Cauchy with scale {}", amount(scale)),
        TauPrior::HalfStudent { scale, df } => {
            format!("half-t with scale {} and {} df", amount(scale), significant(df, 3))
        }
        TauPrior::Exponential { rate } => format!("exponential with mean {}", amount(1.0 / rate)),
        TauPrior::Uniform { upper } => format!("uniform up to {}", amount(upper)),
        TauPrior::ImproperUniform => "improper uniform".to_owned(),
    }
}

fn mu_prior_words(about: &About<'_>, prior: MuPrior) -> String {
    match prior {
        MuPrior::Flat => "flat".to_owned(),
        MuPrior::Normal { mean, sd } => {
            format!(
                "normal with mean {} and standard deviation {}",
                about.words(sd).value(mean),
                about.amount(sd)
            )
        }
    }
}

/// `priors: mean flat; tau half-normal with scale 5.0 points (an eighth of the unit-information standard deviation)`.
fn priors_line(about: &About<'_>, priors: &NormalNormal, origin: PriorOrigin) -> String {
    let origin = match origin {
        PriorOrigin::Given => "given",
        PriorOrigin::LogRatio => "the default for log ratios",
        PriorOrigin::UnitInformation => "the default, an eighth of the unit-information standard deviation",
    };
    format!(
        "priors: mean {}; tau {} ({origin})",
        mu_prior_words(about, priors.prior_of_mu()),
        tau_prior_words(about, priors.prior_of_tau())
    )
}

fn benefit_words(probability: f64) -> String {
    format!("benefit with probability {}", percent(probability))
}

fn how(row: &ApproachRow, bayesian: &BayesianPooled) -> String {
    match row.approach {
        Approach::Bayesian => posterior_words(bayesian, EffectOf::Mean),
        _ => curve_words(row),
    }
}

fn posterior_words(bayesian: &BayesianPooled, of: EffectOf) -> String {
    bayesian.probability_of_benefit(of).map_or_else(|_| "posterior median".to_owned(), benefit_words)
}

/// The p-value; a posterior distribution says probabilities instead.
fn p_of(inference: &Inference) -> Option<f64> {
    let posterior = matches!(inference.curve(), ConfidenceCurve::Posterior { .. });
    (!posterior).then(|| inference.p_value())
}

impl<S: Scale> Show for PooledSideBySide<S> {
    fn shown(&self) -> Shown {
        let (random, bayesian) = (&self.random, &self.bayesian);
        let about = About::pool(random);
        let interval = interval_name(about.level).replace("CI", "interval");
        let mut grid = grid("", [about.column(&interval), "p".to_owned(), about.amount_column("tau")])
            .column("Rests on", Align::Left);
        for trial in &random.trials {
            let estimate = &trial.estimate;
            grid.push([
                Cell::text(estimate.trial().as_str()),
                about.effect(estimate.value(), estimate.interval()),
                p_cell(estimate.p_value()),
                Cell::text(""),
                Cell::text(count_words(estimate)),
            ]);
        }
        let blank = || Cell::text("");
        let p = |p: Option<f64>| p.map_or_else(blank, p_cell);
        for row in &self.rows {
            let name = approach_words(row.approach);
            let chosen = row.approach == self.prespecified;
            let mark = if chosen { "* " } else { "" };
            let how = how(row, bayesian);
            let how = if chosen { format!("{how}; PRE-SPECIFIED") } else { how };
            grid.push([
                Cell::text(format!("{mark}{name}")),
                about.effect(row.value(), row.interval()),
                p(p_of(row)),
                about.amount_cell(row.tau),
                Cell::text(how),
            ]);
        }
        if let Some(prediction) = self.prediction() {
            grid.push([
                Cell::text("In a new trial, random effects"),
                about.effect(random.value(), prediction),
                blank(),
                blank(),
                Cell::text("prediction interval"),
            ]);
        }
        let new = &bayesian.new_trial;
        grid.push([
            Cell::text("In a new trial, Bayesian"),
            about.effect(new.value(), new.interval()),
            blank(),
            blank(),
            Cell::text(posterior_words(bayesian, EffectOf::NewTrial)),
        ]);
        for row in &self.left_out {
            grid.push([
                Cell::text(format!("* without {}", row.trial)),
                about.effect(row.value(), row.interval()),
                p(p_of(row)),
                about.amount_cell(row.tau),
                blank(),
            ]);
        }
        let trials = count(random.trials.len(), "trial", "trials");
        Shown {
            heading: format!("{}, {trials}, every way to pool them side by side", about.heading()),
            grids: vec![grid],
            lines: vec![
                format!(
                    "* pre-specified: {}; below it is repeated without each trial",
                    lower(approach_words(self.prespecified))
                ),
                self.range(&about),
                format!("common effect: {}", Average::Precision),
                format!("random effects and Bayesian: {}", Average::TrialsLikeThese),
                format!("random effects, REML: {}", statistics(random)),
                priors_line(&about, &bayesian.summary.priors, bayesian.prior_origin),
            ],
            notices: self.notices().to_vec(),
        }
    }

    fn long_rows(&self, grid: &mut Grid) {
        let about = About::pool(&self.random);
        push_trials(grid, &self.random);
        for row in &self.rows {
            let kind = if row.approach == self.prespecified { "prespecified" } else { "side_by_side" };
            let base = about.row(kind, lower(approach_words(row.approach)));
            let se =
                if row.approach == Approach::Bayesian { self.bayesian.summary.mu.sd } else { Some(row.se()) };
            let interval_method = how(row, &self.bayesian);
            let base = Row { se, df: row.df(), p_value: p_of(row), interval_method, ..base };
            push(grid, base, Some(row.value()), Some(row.interval()));
        }
        if let Some(prediction) = self.prediction() {
            push(grid, about.row("prediction", "random effects, REML"), None, Some(prediction));
        }
        let new = &self.bayesian.new_trial;
        push(
            grid,
            about.row("prediction", "bayesian random effects"),
            Some(new.value()),
            Some(new.interval()),
        );
        for row in &self.left_out {
            let base = about.row("left_out", lower(approach_words(self.prespecified)));
            let base = Row { trial: Some(&row.trial), p_value: p_of(row), ..base };
            push(grid, base, Some(row.value()), Some(row.interval()));
        }
    }
}

impl<S: Scale> PooledSideBySide<S> {
    /// `without one trial: from +1.2 points (without Utrecht) to +3.0 points (without Tilburg)`.
    fn range(&self, about: &About<'_>) -> String {
        let words = about.words(self.random.se());
        let by = |a: &&LeftOut, b: &&LeftOut| a.value().total_cmp(&b.value());
        let (least, most) = (self.left_out.iter().min_by(by), self.left_out.iter().max_by(by));
        match least.zip(most) {
            Some((least, most)) => format!(
                "without one trial: from {} (without {}) to {} (without {})",
                words.value(least.value()),
                least.trial,
                words.value(most.value()),
                most.trial
            ),
            None => String::new(),
        }
    }
}

fn lower(text: &str) -> String {
    let mut chars = text.chars();
    // A surname keeps its capital.
    match chars.next() {
        Some(first) if !text.starts_with("Bayesian") => first.to_lowercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}

fn credible(level: f64) -> String {
    interval_name(level).replace("CI", "credible interval")
}

impl<S: Scale> Show for BayesianPooled<S> {
    fn shown(&self) -> Shown {
        let about = About::posterior(self);
        let ci = interval_name(about.level);
        let names = [about.column(&ci), format!("Drawn together ({})", credible(about.level))];
        let mut grid = grid("Trial", names).column("People", Align::Left);
        for trial in &self.trials {
            let (estimate, effect) = (&trial.estimate, &trial.effect);
            grid.push([
                Cell::text(estimate.trial().as_str()),
                about.effect(estimate.value(), estimate.interval()),
                about.effect(effect.value(), effect.interval()),
                Cell::text(count_words(estimate)),
            ]);
        }
        for (name, part) in [("Mean effect", &self.inference), ("In a new trial", &self.new_trial)] {
            grid.push([
                Cell::text(name),
                Cell::text(""),
                about.effect(part.value(), part.interval()),
                Cell::text(""),
            ]);
        }
        let tau = self.summary.tau;
        let limit = |x: f64| about.amount(x);
        let mut lines = vec![format!(
            "{}: {} ({} {} to {}, shortest {} to {})",
            about.amount_column("tau"),
            limit(tau.median),
            credible(about.level),
            limit(tau.interval.lower()),
            limit(tau.interval.upper()),
            limit(tau.shortest_interval.lower()),
            limit(tau.shortest_interval.upper())
        )];
        let benefit = |of| self.probability_of_benefit(of);
        if let (Ok(mean), Ok(new)) = (benefit(EffectOf::Mean), benefit(EffectOf::NewTrial)) {
            lines.push(format!(
                "probability of benefit: {} in the mean, {} in a new trial",
                percent(mean),
                percent(new)
            ));
        } else {
            let above = |of: &Inference| of.p_below(0.0).map_or_else(|_| String::new(), percent);
            lines.push(format!(
                "probability of an effect above zero: {} in the mean, {} in a new trial",
                above(&self.inference),
                above(&self.new_trial)
            ));
        }
        lines.push(priors_line(&about, &self.summary.priors, self.prior_origin));
        Shown {
            heading: format!(
                "{}, {} pooled (Bayesian random effects)",
                about.heading(),
                count(self.trials.len(), "trial", "trials")
            ),
            grids: vec![grid],
            lines,
            notices: self.notices().to_vec(),
        }
    }

    fn long_rows(&self, grid: &mut Grid) {
        let about = About::posterior(self);
        for trial in &self.trials {
            tidy::push_estimate(grid, &trial.estimate.to_any(), None);
            let row = Row {
                trial: Some(trial.estimate.trial()),
                se: Some(trial.effect.se()),
                ..about.row("shrunken", MODEL)
            };
            push(grid, row, Some(trial.effect.value()), Some(trial.effect.interval()));
        }
        let row = Row { se: self.summary.mu.sd, notices: self.notices(), ..about.row("posterior", MODEL) };
        push(grid, row, Some(self.value()), Some(self.interval()));
        let new = &self.new_trial;
        push(grid, about.row("prediction", MODEL), Some(new.value()), Some(new.interval()));
    }
}

const MODEL: &str = "bayesian random effects";

impl<S: Scale> Show for PriorSensitivity<S> {
    fn shown(&self) -> Shown {
        let pooled = &self.pooled;
        let about = About::posterior(pooled);
        let credible = credible(about.level);
        let names = [
            about.column(&credible),
            "P(benefit)".to_owned(),
            format!("{} ({credible})", about.amount_column("tau")),
            "In a new trial".to_owned(),
            "ln evidence".to_owned(),
        ];
        let mut grid = grid("Prior of tau", names);
        for row in &self.rows {
            let of = &row.summary;
            let tau = of.tau;
            let limits = Limits { lower: tau.interval.lower(), upper: tau.interval.upper() };
            let text = format!(
                "{} ({} to {})",
                about.amount(tau.median),
                about.amount(limits.lower),
                about.amount(limits.upper)
            );
            grid.push([
                Cell::text(tau_prior_words(&about, of.priors.prior_of_tau())),
                about.effect(of.mu.median, of.mu.interval),
                row.probability_of_benefit(EffectOf::Mean)
                    .map_or(Cell::Missing, |p| Cell::worded(p, percent(p))),
                Cell::Estimate { text, value: tau.median, limits },
                about.interval(of.predictive.interval),
                of.log_evidence.map_or(Cell::Missing, |ln| Cell::number(ln, 2)),
            ]);
        }
        Shown {
            heading: format!("{}, the same trials under several priors", about.heading()),
            grids: vec![grid],
            lines: vec![format!(
                "prior of the mean: {}",
                mu_prior_words(&about, pooled.summary.priors.prior_of_mu())
            )],
            notices: pooled.notices().to_vec(),
        }
    }

    fn long_rows(&self, grid: &mut Grid) {
        let about = About::posterior(&self.pooled);
        for row in &self.rows {
            let mu = row.summary.mu;
            let how = format!("tau {}", tau_prior_words(&about, row.summary.priors.prior_of_tau()));
            let base = Row { se: mu.sd, interval_method: how, ..about.row("prior_sensitivity", MODEL) };
            push(grid, base, Some(mu.median), Some(mu.interval));
        }
    }
}
