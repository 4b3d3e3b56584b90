//! Few trials in every customary way, Bayesian pools, and their priors.

use super::counts::arm_columns;
use super::pools::{about_pool, statistics, trial_notes, trial_rows};
use crate::compute::bayes::{MuPrior, TauPrior};
use crate::compute::curve::{ConfidenceCurve, Inference};
use crate::compute::distribution::Normal;
use crate::effect::AnyScale;
use crate::error::counted;
use crate::pool::{
    Approach, ApproachRow, Average, BayesianPooled, EffectOf, LeftOut, PooledSideBySide, PriorOrigin,
    PriorSensitivity, share_with_event,
};
use crate::report::base::format::{capitalised, percent, significant};
use crate::report::base::grid::Cell;
use crate::report::draw::forest::Shape;
use crate::report::english::effects::{
    approximate_prediction_name, curve_words, interval_name, prediction_name,
};
use crate::report::form::columns::{
    effect, label, left, own0, own1, own2, own3, p, people, percent_cell, right, tau,
};
use crate::report::form::row::{About, Heterogeneity, Row, about};
use crate::report::form::table::{ResultTable, Tabulate};

/// `half-normal with scale 5.0 points`.
fn tau_prior_words(about: &About, prior: TauPrior) -> String {
    let amount = |x: f64| tau_words(about, x);
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

fn mu_prior_words(about: &About, prior: MuPrior) -> String {
    match prior {
        MuPrior::Flat => "flat".to_owned(),
        MuPrior::Normal { mean, sd } => {
            let mean = about.words(sd).value(mean);
            format!("normal with mean {mean} and standard deviation {}", about.amount(sd))
        }
    }
}

/// `priors: mean flat; tau half-normal with scale 5.0 points (given), so below 9.8 points with probability 95%`.
fn priors_line(about: &About, bayesian: &BayesianPooled) -> String {
    let (priors, origin) = (&bayesian.summary.priors, bayesian.prior_origin);
    let mean = mu_prior_words(about, priors.prior_of_mu());
    let share = share_with_event(bayesian.trials.iter().map(|trial| &trial.estimate));
    let share = share.filter(|_| origin == PriorOrigin::RiskDifference);
    let share =
        share.map_or_else(String::new, |p| format!(" with p = {} of people with the event", percent(p)));
    let implied = match priors.prior_of_tau() {
        // The 0.975 quantile of the normal distribution.
        TauPrior::HalfNormal { scale } => {
            let most = tau_words(about, Normal.quantile(0.975) * scale);
            format!(", so tau below {most} with probability 95%")
        }
        _ => String::new(),
    };
    let tau = tau_prior_words(about, priors.prior_of_tau());
    format!("priors: mean {mean}; tau {tau} ({origin}{share}){implied}")
}

/// `2.1 points`, or as it is.
fn tau_words(about: &About, tau: f64) -> String {
    let unit = if about.amount_heading("").contains("points") { " points" } else { "" };
    format!("{}{unit}", about.amount(tau))
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
fn p_of(effect: &Inference) -> Option<f64> {
    (!matches!(effect.curve(), ConfidenceCurve::Posterior { .. })).then(|| effect.p_value())
}

impl Tabulate for PooledSideBySide<AnyScale> {
    // A row for each way.
    #[allow(clippy::too_many_lines)]
    fn table(&self) -> ResultTable {
        let (random, bayesian) = (&self.random, &self.bayesian);
        let about = about_pool(random);
        let (repeated, declared) = (self.repeated(), self.prespecified.is_some());
        let chosen = repeated.to_string();
        let new = &bayesian.new_trial;
        let (mut rows, _) = trial_rows(random);
        let (columns, mut footnotes) = (arm_columns(&rows), trial_notes(random, &rows));
        for (row, trial) in rows.iter_mut().zip(&random.trials) {
            row.label = trial.estimate.trial().to_string();
            row.cells.extend([Cell::missing(), people(row)]);
            "Trials".clone_into(&mut row.drawn.group);
        }
        let blank = || vec![Cell::missing(); 3];
        // Cells: counts of the arms, nothing, and on what the row rests.
        let row = |kind, label: String, rests_on: &str| {
            let mut row = about.row(kind, label);
            row.cells = blank();
            row.cells.extend((!rests_on.is_empty()).then(|| Cell::text(rests_on)));
            row
        };
        let between = |tau: f64| Heterogeneity { tau2: Some(tau * tau), ..Heterogeneity::default() };
        for way in &self.rows {
            let name = way.approach.to_string();
            let is_chosen = way.approach == repeated;
            let is_declared = is_chosen && declared;
            let kind = if is_declared { "prespecified" } else { "side_by_side" };
            let mark = if is_chosen { "* " } else { "" };
            let rests_on = how(way, bayesian) + if is_declared { "; PRE-SPECIFIED" } else { "" };
            let mut row = row(kind, format!("{mark}{}", capitalised(&name)), &rests_on);
            row = Row {
                se: if way.approach == Approach::Bayesian { bayesian.summary.mu.sd } else { Some(way.se()) },
                df: way.df(),
                p_value: p_of(way),
                method: how(way, bayesian),
                heterogeneity: between(way.tau),
                ..row.effect(way.value(), way.interval())
            };
            "Pooled".clone_into(&mut row.drawn.group);
            row.drawn.shape = Some(if is_chosen { Shape::Diamond } else { Shape::Square });
            row.drawn.label = Some(capitalised(&name) + if is_declared { " (pre-specified)" } else { "" });
            let prediction = match way.approach {
                Approach::CommonEffect => None,
                Approach::Bayesian => Some(new.interval()),
                _ => self.prediction(),
            };
            if way.approach == Approach::Bayesian {
                row.drawn.remarks.push(how(way, bayesian));
            }
            let prediction_name = match way.approach {
                Approach::Bayesian => prediction_name(about.level),
                _ => approximate_prediction_name(about.level),
            };
            row.drawn.prediction =
                prediction.filter(|_| is_chosen).map(|interval| (prediction_name, interval));
            row.estimator = name;
            rows.push(row);
        }
        rows.extend(self.prediction().map(|prediction| {
            let row = row(
                "prediction",
                "In a new trial, random effects".to_owned(),
                "approximate prediction interval",
            );
            Row { estimator: "random effects, REML".to_owned(), ..row.effect(random.value(), prediction) }
        }));
        let probability = posterior_words(bayesian, EffectOf::NewTrial);
        let row_of_new = row("prediction", "In a new trial, Bayesian".to_owned(), &probability);
        rows.push(Row {
            estimator: Approach::Bayesian.to_string(),
            ..row_of_new.effect(new.value(), new.interval())
        });
        rows.extend(self.left_out.iter().map(|of| Row {
            trials: vec![of.trial.clone()],
            estimator: chosen.clone(),
            p_value: p_of(of),
            heterogeneity: between(of.tau),
            ..row("left_out", format!("* without {}", of.trial), "").effect(of.value(), of.interval())
        }));
        let shown = [
            left("", label),
            right(about.heading_of(&about.interval_name().replace("CI", "interval")), effect),
            right("p", p),
            right(about.amount_heading("tau"), tau),
            left("Rests on", own3),
        ];
        let lines = [
            if declared {
                format!("* pre-specified: {chosen}; below it is repeated without each trial")
            } else {
                format!(
                    "* no way was pre-specified; below the default, {chosen}, is repeated without each trial"
                )
            },
            range(self, &about),
            format!("common effect: {}", Average::Precision),
            format!("random effects and Bayesian: {}", Average::TrialsLikeThese),
            format!("random effects, REML: {}", statistics(random)),
            priors_line(&about, bayesian),
        ];
        let diamond =
            if declared { "the way that was chosen before the data were seen" } else { "the default" };
        footnotes.push(format!("Weights: random effects. Diamond: {diamond}."));
        let intervals = about.interval_name().replace("CI", "interval");
        footnotes.extend(lines[2..].iter().map(|line| capitalised(line) + "."));
        let count = counted(random.trials.len(), "trial");
        let what = format!("{}, {count}, every way to pool them side by side", about.contrast());
        let tau_heading = about.amount_heading("tau");
        let columns = [columns, vec![right("p", p), right(tau_heading, tau)]].concat();
        ResultTable::new(about, what, rows)
            .shown(&shown, |_| true)
            .lines(lines)
            .notices(self.notices())
            .figure("Trial", columns)
            .intervals_are(&intervals)
            .lines_said()
            .footnotes(footnotes)
    }
}

/// `without one trial: from +1.2 points (without Utrecht) to +3.0 points (without Tilburg)`.
fn range(ways: &PooledSideBySide<AnyScale>, about: &About) -> String {
    let words = about.words(ways.random.se());
    let by = |a: &&LeftOut, b: &&LeftOut| a.value().total_cmp(&b.value());
    let all = ways.left_out.iter();
    let ends = [all.clone().min_by(by), all.max_by(by)].into_iter().flatten();
    let ends: Vec<String> =
        ends.map(|end| format!("{} (without {})", words.value(end.value()), end.trial)).collect();
    if ends.is_empty() { String::new() } else { format!("without one trial: from {}", ends.join(" to ")) }
}

/// What a posterior is about.
fn about_posterior(pooled: &BayesianPooled<AnyScale>) -> About {
    about!(pooled, pooled.treatment(), Some(pooled.estimand()), pooled.level())
}

fn credible(level: f64) -> String {
    interval_name(level).replace("CI", "credible interval")
}

/// A row with an effect by a posterior.
fn posterior_row(about: &About, kind: &'static str, label: &str, of: &Inference, sd: Option<f64>) -> Row {
    let row = about.row(kind, label).effect(of.value(), of.interval());
    Row { se: sd, estimator: Approach::Bayesian.to_string(), ..row }
}

impl Tabulate for BayesianPooled<AnyScale> {
    fn table(&self) -> ResultTable {
        let about = about_posterior(self);
        let mut rows = Vec::new();
        for trial in &self.trials {
            let name = trial.estimate.trial();
            let shrunken = posterior_row(&about, "shrunken", name, &trial.effect, Some(trial.effect.se()));
            let shrunken = Row { trials: vec![name.clone()], ..shrunken };
            rows.push(Row { cells: vec![effect(&shrunken)], ..Row::of(&trial.estimate) });
            rows.push(shrunken);
        }
        let mean = posterior_row(&about, "posterior", "Mean effect", self, self.summary.mu.sd);
        let mut mean = mean.noticed(self.notices());
        mean.drawn.shape = Some(Shape::Diamond);
        let new = posterior_row(
            &about,
            "prediction",
            "In a new trial",
            &self.new_trial,
            self.summary.predictive.sd,
        );
        mean.drawn.prediction = new.interval.map(|interval| (prediction_name(about.level), interval));
        rows.extend([mean, new]);
        let shown = [
            left("Trial", label),
            right(about.heading(), |row| if row.kind == "trial" { effect(row) } else { Cell::missing() }),
            right(format!("Shrinkage estimate ({})", credible(about.level)), |row| {
                if row.kind == "trial" { own0(row) } else { effect(row) }
            }),
            left("People", people),
        ];
        let tau = self.summary.tau;
        let limit = |x: f64| about.amount(x);
        let tau = format!(
            "{}: {} ({} {} to {}, shortest {} to {})",
            about.amount_heading("tau"),
            limit(tau.median),
            credible(about.level),
            limit(tau.interval.lower()),
            limit(tau.interval.upper()),
            limit(tau.shortest_interval.lower()),
            limit(tau.shortest_interval.upper())
        );
        let benefit = |of| self.probability_of_benefit(of);
        let (of_what, mean, new) =
            if let (Ok(mean), Ok(new)) = (benefit(EffectOf::Mean), benefit(EffectOf::NewTrial)) {
                ("benefit", mean, new)
            } else {
                let above = |effect: &Inference| effect.p_below(0.0).unwrap_or(f64::NAN);
                ("an effect above zero", above(self), above(&self.new_trial))
            };
        let benefit = format!(
            "probability of {of_what}: {} in the mean, {} in a new trial",
            percent(mean),
            percent(new)
        );
        let lines = [tau, benefit, priors_line(&about, self)];
        let count = counted(self.trials.len(), "trial");
        let what = format!("{}, {count} pooled (Bayesian random effects)", about.contrast());
        // Confidence intervals of trials stand beside the credible one of their mean.
        let intervals = about.interval_name().replace("CI", "interval");
        ResultTable::new(about, what, rows)
            .shown(&shown, |row| row.kind != "shrunken")
            .lines(lines)
            .notices(self.notices())
            .figure("Trial", Vec::new())
            .intervals_are(&intervals)
    }
}

impl Tabulate for PriorSensitivity<AnyScale> {
    fn table(&self) -> ResultTable {
        let pooled = &self.pooled;
        let about = about_posterior(pooled);
        let credible = credible(about.level);
        let rows = self.rows.iter().map(|row| {
            let of = &row.summary;
            let prior = tau_prior_words(&about, of.priors.prior_of_tau());
            let [median, lower, upper] =
                [of.tau.median, of.tau.interval.lower(), of.tau.interval.upper()].map(|x| about.amount(x));
            let predictive = Row { interval: Some(of.predictive.interval), ..about.row("", "") };
            Row {
                method: format!("tau {prior}"),
                cells: vec![
                    row.probability_of_benefit(EffectOf::Mean).map_or_else(|_| Cell::missing(), percent_cell),
                    Cell::estimate(of.tau.median, of.tau.interval, format!("{median} ({lower} to {upper})")),
                    effect(&predictive),
                    of.log_evidence.map_or_else(Cell::missing, |ln| Cell::number(ln, 2)),
                ],
                ..posterior_row(&about, "prior_sensitivity", &prior, row, of.mu.sd).drawn(Shape::Square)
            }
        });
        let rows = rows.collect();
        let shown = [
            left("Prior of tau", label),
            right(about.heading_of(&credible), effect),
            right("P(benefit)", own0),
            right(format!("{} ({credible})", about.amount_heading("tau")), own1),
            right("In a new trial", own2),
            right("ln evidence", own3),
        ];
        let mean =
            format!("prior of the mean: {}", mu_prior_words(&about, pooled.summary.priors.prior_of_mu()));
        let what = format!("{}, the same trials under several priors", about.contrast());
        ResultTable::new(about, what, rows)
            .shown(&shown, |_| true)
            .lines([mean])
            .notices(pooled.notices())
            .figure("Prior of tau", vec![right("P(benefit)", own0)])
            .intervals_are(&credible)
    }
}
