//! Single arms pooled over trials: the trials of each arm with their values, and the pooled one.

use super::pools::{tau2_words, variation_words};
use crate::design::{ArmCounts, Label};
use crate::effect::AnyScale;
use crate::error::counted;
use crate::pool::{ArmModel, ArmNumbers, ArmTrial, PooledArm, PooledArms};
use crate::report::base::format::{capitalised, listed, significant};
use crate::report::base::grid::Cell;
use crate::report::draw::forest::Shape;
use crate::report::english::effects::{curve_words, prediction_name, test_words};
use crate::report::form::columns::{effect, label, left, own0, own1, right, weight};
use crate::report::form::row::{About, Heterogeneity, Row};
use crate::report::form::table::{ResultTable, Tabulate};

/// `logistic model, random intercept`, `random effects, REML, logits`.
fn model_words(pooled: &PooledArms) -> String {
    let of = pooled.pool.transformation();
    match pooled.pool.model() {
        ArmModel::Logistic { .. } => "logistic model, random intercept".to_owned(),
        ArmModel::Random(model) => format!("random effects, {}, {of}", model.own_tau2()),
        ArmModel::Common(_) => format!("common value, {of}"),
    }
}

/// `12/100` for proportions, `100` for means, `34/512` for events in an exposure.
fn numbers_words(numbers: &ArmNumbers) -> String {
    match numbers {
        ArmNumbers::Proportion { events, n } => format!("{events}/{n}"),
        ArmNumbers::Mean(sample) => sample.n.to_string(),
        ArmNumbers::Rate { events, exposure, .. } => format!("{events}/{}", significant(*exposure, 6)),
    }
}

/// The heading of those words, and how the intervals of trials are made.
fn numbers_name(what: &str) -> (&'static str, &'static str) {
    match what {
        ArmNumbers::PROPORTION => ("n/N", "Wilson"),
        ArmNumbers::RATE => ("Events/exposure", "exact"),
        _ => ("N", "t with n - 1 df"),
    }
}

/// The people of all trials of an arm.
fn summed(trials: &[ArmTrial]) -> Option<ArmCounts> {
    let mut trials = trials.iter().map(|trial| trial.counts);
    let first = trials.next()?;
    Some(trials.fold(first, |sum, one| ArmCounts {
        randomised: sum.randomised + one.randomised,
        observed: sum.observed + one.observed,
        analysed: sum.analysed + one.analysed,
        events: sum.events.zip(one.events).map(|(a, b)| a + b),
    }))
}

/// The trials of an arm, and their pool.
fn arm_rows(pooled: &PooledArms, one: &PooledArm, about: &About, model: &str) -> Vec<Row> {
    let about = about.of(&one.arm);
    let mut rows: Vec<Row> = Vec::new();
    for trial in &one.trials {
        let interval = trial.numbers.interval(pooled.level).ok();
        let mut row = Row {
            trials: vec![trial.trial.clone()],
            alone: Some(trial.counts),
            weight: trial.weight,
            estimate: Some(trial.numbers.value()),
            interval,
            method: numbers_name(pooled.what()).1.to_owned(),
            cells: vec![Cell::text(one.arm.as_str()), Cell::text(numbers_words(&trial.numbers))],
            ..about.row("arm", trial.trial.as_str())
        };
        row.drawn.group = capitalised(&one.arm);
        rows.push(row.drawn(Shape::Square));
    }
    let heterogeneity = Heterogeneity { tau2: Some(one.tau2), ..heterogeneity(one) };
    let (arm, people) = (Cell::text(one.arm.as_str()), Cell::missing());
    let pool = Row {
        trials: one.trials.iter().map(|trial| trial.trial.clone()).collect(),
        alone: summed(&one.trials),
        estimator: model.to_owned(),
        method: curve_words(&one.inference),
        heterogeneity,
        cells: vec![arm, people],
        ..about.row("pooled_arm", "pooled").effect(one.value(), one.interval())
    };
    let mut pool = pool.noticed(&pooled.notices).drawn(Shape::Diamond);
    pool.drawn.group = capitalised(&one.arm);
    pool.drawn.label = Some(capitalised(model));
    pool.drawn.prediction = one.prediction().map(|interval| (prediction_name(pooled.level), interval));
    pool.drawn.remarks = vec![variation(one, &about, pooled)];
    rows.push(pool);
    rows.extend(one.prediction().map(|interval| Row {
        interval: Some(interval),
        estimator: model.to_owned(),
        ..about.row("prediction", prediction_name(pooled.level))
    }));
    rows
}

/// `tau2 = 0.12 (95% CI 0.02 to 0.9, Q-profile), I2 = 40.0%, Q = 4.2 (df 2, p = 0.12)`.
fn variation(one: &PooledArm, about: &About, pooled: &PooledArms) -> String {
    if let ArmModel::Logistic { .. } = pooled.pool.model() {
        let test = one.heterogeneity;
        let ratio = test_words("likelihood ratio", test.statistic, [Some(test.df), None], Some(test.p_value));
        return format!("{}, {ratio}", tau2_words(about, one.tau2, None));
    }
    let tau2 = (!matches!(pooled.pool.model(), ArmModel::Common(_))).then_some(one.tau2);
    variation_words(about, &Heterogeneity { tau2, ..heterogeneity(one) })
}

/// Without tau2, which a common model does not show.
fn heterogeneity(one: &PooledArm) -> Heterogeneity {
    Heterogeneity {
        tau2: None,
        tau2_interval: one.tau2_interval,
        i2: one.i2,
        i2_interval: None,
        q: Some(one.heterogeneity),
    }
}

/// `control: 95% prediction interval 2.1 to 20.3%; tau2 = 0.12, ...`.
fn line(one: &PooledArm, about: &About, pooled: &PooledArms) -> String {
    let prediction = one.prediction().map_or_else(String::new, |interval| {
        let words = about.words(interval.width() / 4.0);
        format!("{} {}; ", prediction_name(pooled.level), words.span(interval))
    });
    format!("{}: {prediction}{}", one.arm, variation(one, about, pooled))
}

impl Tabulate for PooledArms {
    fn table(&self) -> ResultTable {
        let none = Label::new("");
        let about = About {
            measure: self.measure.clone(),
            scale: AnyScale::Other(self.what().to_owned()),
            estimand: None,
            treatment: none.clone(),
            reference: none,
            level: self.level,
        };
        let model = model_words(self);
        let rows: Vec<Row> = self.arms.iter().flat_map(|one| arm_rows(self, one, &about, &model)).collect();
        let lines = self.arms.iter().map(|one| line(one, &about, self));
        let unpooled = listed(self.unpooled.iter().map(Label::as_str));
        let unpooled =
            (!unpooled.is_empty()).then(|| format!("in one trial only, so not pooled: {unpooled}"));
        let lines: Vec<String> = lines.chain(unpooled).collect();
        let (numbers, interval) = numbers_name(self.what());
        let shown = [
            left("Arm", own0),
            left("Trial", label),
            right(numbers, own1),
            right(about.heading(), effect),
            right("Weight", weight),
        ];
        let has_weights = rows.iter().any(|row| row.weight.is_some());
        let shown = if has_weights { &shown[..] } else { &shown[..4] };
        let of = counted(self.arms.len(), "arm");
        let what = format!("{}s of {of} by themselves, pooled over trials ({model})", self.what());
        let notes = [format!("Trials: {}: {interval}.", about.interval_name())];
        ResultTable::new(about, what, rows)
            .shown(shown, |row| row.kind != "prediction")
            .lines(lines)
            .notices(&self.notices)
            .figure("Trial", vec![right(numbers, own1)])
            .lines_said()
            .footnotes(notes)
    }
}
