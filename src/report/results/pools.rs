//! Pools of one treatment: the trials with their weights, the pooled effect by Wald and by Hartung-Knapp, the
//! prediction interval, heterogeneity.

use super::counts::{arm_columns, count_cells, counts_note};
use crate::compute::curve::{ConfidenceCurve, Inference};
use crate::compute::interval::Interval;
use crate::compute::meta_analysis::{self as kernel, PoolSummary, PredictionDf, PredictionRule, Test};
use crate::effect::{AnyScale, Estimate, Scale, ScaleForm};
use crate::error::counted;
use crate::pool::{Average, Pooled};
use crate::report::base::format::{capitalised, distinct, percent, significant};
use crate::report::base::grid::Cell;
use crate::report::draw::axis::UNBOUNDED;
use crate::report::draw::forest::Shape;
use crate::report::english::effects::{
    adjusted_words, approximate_prediction_name, chi_squared_words, curve_words, estimand_words,
    interval_name, model_words, reference_words,
};
use crate::report::form::columns::{effect, label, left, p, people, right, weight};
use crate::report::form::row::{About, Drawn, Heterogeneity, Row, about, with_comma};
use crate::report::form::table::{ResultTable, Tabulate};

pub(crate) fn about_pool(pooled: &Pooled<AnyScale>) -> About {
    about!(pooled, pooled.treatment(), Some(pooled.estimand()), pooled.summary.level)
}

/// `random effects, REML`, or the average that it is.
pub(crate) fn pool_model(pooled: &Pooled<AnyScale>) -> String {
    match pooled.average {
        Average::Participants => "weighted by participants".to_owned(),
        Average::GivenWeights => "given weights".to_owned(),
        _ => model_words(pooled.summary.tau2_estimator),
    }
}

/// The covariates of all trials of a pool, each once.
fn covariates(pooled: &Pooled<AnyScale>) -> Vec<String> {
    distinct(pooled.trials.iter().flat_map(|trial| &trial.estimate.method().adjusted_for).cloned())
}

/// `adjusted for age`, or `unadjusted`.
pub(crate) fn adjustment(pooled: &Pooled<AnyScale>) -> String {
    adjusted_words(&covariates(pooled)).unwrap_or_else(|| "unadjusted".to_owned())
}

/// `guidance vs control, conditional, adjusted for age`.
pub(crate) fn contrast(pooled: &Pooled<AnyScale>) -> String {
    let covariates = covariates(pooled);
    let estimand = estimand_words(&pooled.scale(), pooled.estimand(), !covariates.is_empty());
    let parts = [Some(about_pool(pooled).contrast()), estimand, adjusted_words(&covariates)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The name of a trial, with the level of its interval where it is not the one in the heading.
fn trial_label(estimate: &Estimate<AnyScale>, level: f64) -> String {
    if estimate.level() == level {
        return estimate.trial().to_string();
    }
    format!("{} ({})", estimate.trial(), interval_name(estimate.level()))
}

/// The trials of a pool with their weights and counts, and the sums of the counts.
pub(crate) fn trial_rows(pooled: &Pooled<AnyScale>) -> (Vec<Row>, Vec<Cell>) {
    let rows = pooled.trials.iter().map(|trial| {
        let label = trial_label(&trial.estimate, pooled.summary.level);
        Row { label, weight: Some(trial.weight), ..Row::of(&trial.estimate) }
    });
    let mut rows: Vec<Row> = rows.collect();
    let sums = count_cells(&mut rows);
    (rows, sums)
}

/// How the intervals of trials in a figure were made, and its counts.
pub(crate) fn trial_notes(pooled: &Pooled<AnyScale>, rows: &[Row]) -> Vec<String> {
    let methods = pooled.trials.iter().map(|trial| {
        format!("{}: {}", interval_name(trial.estimate.level()), trial.estimate.method().interval)
    });
    let methods = distinct(methods).join("; ");
    let squares = format!("Trials: {methods}. The area of a square is proportional to the weight.");
    std::iter::once(squares).chain(counts_note(rows)).collect()
}

fn heterogeneity(summary: &PoolSummary) -> Heterogeneity {
    let tau2 = summary.tau2_estimator.map(|_| summary.tau2);
    Heterogeneity {
        tau2,
        tau2_interval: summary.tau2_interval,
        i2: Some(summary.i2),
        i2_interval: summary.i2_interval,
        q: Some(summary.q),
    }
}

/// A row with the numbers of a pool.
pub(crate) fn summarised(row: Row, pooled: &Inference, summary: &PoolSummary) -> Row {
    let row =
        row.effect(pooled.value(), pooled.interval()).tested(pooled.se(), pooled.df(), pooled.p_value());
    Row { method: curve_words(pooled), heterogeneity: heterogeneity(summary), ..row }
}

/// The test that the summary took, and its numbers; then the others beside it: Wald and Hartung-Knapp are
/// always told where they exist.
fn inferences(pooled: &Pooled<AnyScale>) -> Vec<(Test, Numbers)> {
    let (summary, own) = (&pooled.summary, &pooled.inference);
    let primary = match summary.test {
        // Of the wider of both one may be the wider at every level.
        Test::WiderOfBoth if matches!(own.curve(), ConfidenceCurve::LargerOf { .. }) => Test::WiderOfBoth,
        Test::WiderOfBoth if own.df().is_none() => Test::Normal,
        Test::WiderOfBoth => Test::HartungKnapp,
        test => test,
    };
    let numbers =
        |of: &kernel::Inference| Numbers { se: of.se, df: of.df, p_value: of.p_value, interval: of.interval };
    let hartung_knapp = summary.hartung_knapp.as_ref().map(|of| (Test::HartungKnapp, numbers(of)));
    let others = [Some((Test::Normal, numbers(&summary.wald))), hartung_knapp].into_iter().flatten();
    let first = Numbers { se: own.se(), df: own.df(), p_value: own.p_value(), interval: own.interval() };
    std::iter::once((primary, first)).chain(others.filter(|(test, _)| *test != primary)).collect()
}

/// The numbers of one test.
struct Numbers {
    se: f64,
    df: Option<f64>,
    p_value: f64,
    interval: Interval,
}

/// The pooled effect by its own test, by the others, and the prediction interval.
pub(crate) fn pool_rows(pooled: &Pooled<AnyScale>) -> Vec<Row> {
    let (about, summary, model) = (about_pool(pooled), pooled.summary, pool_model(pooled));
    let inferences = inferences(pooled);
    let mut rows: Vec<Row> = Vec::new();
    for (i, (test, by)) in inferences.iter().enumerate() {
        let how = test.to_string() + &with_comma(&by.df.map_or_else(String::new, |_| reference_words(by.df)));
        let mark = if i == 0 && inferences.len() > 1 { " (primary)" } else { "" };
        let label = format!("{}, {how}{mark}", capitalised(&model));
        let row = about.row(if i == 0 { "pooled" } else { "pooled_beside" }, label);
        let row = row.effect(summary.estimate, by.interval).tested(by.se, by.df, by.p_value);
        rows.push(Row {
            method: how,
            estimator: model.clone(),
            adjusted_for: covariates(pooled),
            precision: Some(pooled.se()),
            ..row
        });
    }
    let tests = rows.iter().enumerate().map(|(i, row)| {
        let p = row.p_words();
        match row.interval {
            Some(interval) if i > 0 => format!("{}: {}, {p}", row.method, row.words().limits(interval)),
            _ if rows.len() > 1 => format!("{} (drawn): {p}", row.method),
            _ => format!("{}: {p}", row.method),
        }
    });
    let tests = tests.collect::<Vec<_>>().join("; ");
    let name = approximate_prediction_name(about.level);
    let prediction = pooled.prediction().map(|interval| (name, interval));
    rows[0] = Row { heterogeneity: heterogeneity(&summary), ..rows[0].clone() }.noticed(pooled.notices());
    rows[0].drawn = Drawn {
        shape: Some(Shape::Diamond),
        label: Some(capitalised(&model)),
        prediction: prediction.clone(),
        remarks: vec![tests, statistics(pooled)],
        ..Drawn::default()
    };
    rows.extend(prediction.map(|(name, interval)| Row {
        estimator: model,
        adjusted_for: covariates(pooled),
        interval: Some(interval),
        precision: Some(pooled.se()),
        ..about.row("prediction", name)
    }));
    rows
}

/// `pooled: +1.8 points (95% CI 0.1 to 3.5, Hartung-Knapp, t with 3 df; primary), p = 0.041; 95% CI 0.4 to 3.1 (Wald), p = 0.012`.
fn pooled_line(rows: &[Row]) -> String {
    let mark = if rows.len() > 1 { "; primary" } else { "" };
    let parts = rows.iter().enumerate().map(|(i, row)| {
        let effect = match row.interval {
            Some(interval) if i > 0 => format!("{} ({})", row.interval_words(interval), row.method),
            _ => format!("pooled: {}", row.effect_words(&format!("{}{mark}", row.method))),
        };
        format!("{effect}, {}", row.p_words())
    });
    parts.collect::<Vec<_>>().join("; ")
}

/// `approximate 95% prediction interval: -1.0 to 4.6 points (t with k - 1 = 3 df)`.
fn prediction_line(row: &Row, summary: &PoolSummary) -> Option<String> {
    let k = summary.k;
    let rule = match summary.prediction_rule? {
        PredictionRule::ByNumberOfStudies | PredictionRule::ConfidenceDistribution => {
            "tau uncertain, by the Q-profile distribution".to_owned()
        }
        PredictionRule::Nagashima { draws, seed } => {
            format!("tau uncertain, bootstrap of Nagashima et al., {draws} draws, seed {seed}")
        }
        PredictionRule::Df(PredictionDf::KMinus1) => format!("t with k - 1 = {} df", k.saturating_sub(1)),
        PredictionRule::Df(PredictionDf::KMinus2) => format!("t with k - 2 = {} df", k.saturating_sub(2)),
        PredictionRule::Df(PredictionDf::Normal) => "normal".to_owned(),
        PredictionRule::Df(PredictionDf::AsTest) => format!("{}, as the test", reference_words(summary.df)),
    };
    Some(format!("{}: {} ({rule})", row.label, row.words().span(row.interval?)))
}

/// `tau = 1.1 points (95% CI 0 to 5.6, Q-profile), I2 = 12.0%, Q = 1.05 (df 2, p = 0.59)`.
pub(crate) fn statistics(pooled: &Pooled<AnyScale>) -> String {
    let summary = pooled.summary;
    variation_words(&about_pool(pooled), &heterogeneity(&summary))
}

/// `tau = 1.1 points (95% CI 0 to 5.6, Q-profile)` where effects are in points, else `tau2 = 0.012 (...)`.
/// The interval may be empty: then no variation between trials makes the estimates differ as little as they
/// do.
pub(crate) fn tau2_words(about: &About, tau2: f64, interval: Option<Interval>) -> String {
    let in_points = about.scale.form() == ScaleForm::PercentagePoints;
    let (name, unit) = if in_points { ("tau", " points") } else { ("tau2", "") };
    let number = |tau2: f64| match tau2 {
        tau2 if !tau2.is_finite() => UNBOUNDED.to_owned(),
        tau2 if in_points => about.amount(tau2.sqrt()),
        tau2 => significant(tau2, 3),
    };
    let interval = interval.map_or_else(String::new, |interval| {
        if interval.upper() == 0.0 {
            return format!(
                " ({} empty, as the estimates differ less than by chance; Q-profile)",
                about.interval_name()
            );
        }
        let (lower, upper) = (number(interval.lower()), number(interval.upper()));
        format!(" ({} {lower} to {upper}, Q-profile)", about.interval_name())
    });
    format!("{name} = {}{unit}{interval}", number(tau2))
}

/// ` (95% CI 0.0% to 75.3%)`; nothing where that of tau2 is empty or unknown.
fn i2_limits(about: &About, of: &Heterogeneity) -> String {
    let known = of.i2_interval.filter(|interval| interval.upper() > 0.0);
    known.map_or_else(String::new, |interval| {
        let (lower, upper) = (percent(interval.lower()), percent(interval.upper()));
        format!(" ({} {lower} to {upper})", about.interval_name())
    })
}

/// `tau2 = 0.00012, I2 = 12.0% (95% CI 0.0% to 75.3%), Q = 1.05 (df 2, p = 0.59)`: as much of it as there is.
pub(crate) fn variation_words(about: &About, of: &Heterogeneity) -> String {
    let tau2 = of.tau2.map(|tau2| tau2_words(about, tau2, of.tau2_interval));
    let i2 = of.i2.map(|i2| format!("I2 = {}{}", percent(i2), i2_limits(about, of)));
    let parts = [tau2, i2, of.q.as_ref().map(chi_squared_words)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

impl Tabulate for Pooled<AnyScale> {
    fn table(&self) -> ResultTable {
        let about = about_pool(self);
        let (mut rows, sums) = trial_rows(self);
        let trials = rows.iter().zip(&self.trials).map(|(row, trial)| {
            let people = row.people_words().unwrap_or_default();
            format!(
                "{}: {}, {people}, weight {}",
                trial.estimate.trial(),
                row.effect_words(""),
                percent(trial.weight)
            )
        });
        let mut sentences: Vec<String> = trials.collect();
        let columns = arm_columns(&rows);
        let footnotes = trial_notes(self, &rows);
        let mut pool = pool_rows(self);
        pool[0].cells = sums;
        let (predicted, pooled): (Vec<Row>, Vec<Row>) =
            pool.iter().cloned().partition(|row| row.kind == "prediction");
        sentences.push(pooled_line(&pooled));
        let prediction = predicted.iter().filter_map(|row| prediction_line(row, &self.summary));
        let lines: Vec<String> = prediction.chain([statistics(self)]).collect();
        rows.extend(pool);
        let count = counted(self.trials.len(), "trial");
        let what = format!("{}, {count} pooled ({})", contrast(self), pool_model(self));
        let shown = [
            left("Trial", label),
            right("People", people),
            right(about.heading(), effect),
            right("p", p),
            right("Weight", weight),
        ];
        ResultTable { sentences, ..ResultTable::new(about, what, rows) }
            .shown(&shown, |row| row.kind != "prediction")
            .lines(lines)
            .notices(self.notices())
            .figure("Trial", columns)
            .lines_said()
            .footnotes(footnotes)
    }
}

/// `guidance vs control; random effects, REML; pooled +1.7 (95% CI -0.8 to 4.3)`.
pub(crate) fn pool_line(pooled: &Pooled<AnyScale>) -> String {
    let about = about_pool(pooled);
    let words = about.words(pooled.se()).telling(&[pooled.interval()]);
    format!(
        "{}; {}; pooled {} ({} {})",
        about.contrast(),
        pool_model(pooled),
        words.number(pooled.value()),
        about.interval_name(),
        words.limits(pooled.interval())
    )
}
