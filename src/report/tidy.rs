//! Results as one long table: a row per number with its interval, the same columns for all of them.

use super::format::Limits;
use super::grid::{Align, Cell, Grid};
use super::pool_words::{NamedInference, inferences};
use super::words::{interval_words, reference_words};
use crate::design::{ArmCounts, Label, MeasureInfo, Notice};
use crate::effect::{AnyScale, Estimand, Estimate, Scale, ScaleForm};
use crate::pool::{JointlyPooled, Pooled};

const COLUMNS: [&str; 34] = [
    "kind",
    "measure",
    "horizon",
    "unit",
    "scale",
    "estimand",
    "trial",
    "treatment",
    "reference",
    "estimator",
    "adjusted_for",
    "interval_method",
    "estimate",
    "se",
    "df",
    "lower",
    "upper",
    "level",
    "p_value",
    "ratio",
    "ratio_lower",
    "ratio_upper",
    "treatment_randomised",
    "treatment_analysed",
    "treatment_events",
    "reference_randomised",
    "reference_analysed",
    "reference_events",
    "weight",
    "tau2",
    "i2",
    "q",
    "q_df",
    "notices",
];

/// A row of the long table; what does not apply is left out.
#[derive(Default)]
pub(super) struct Row<'a> {
    pub(super) kind: &'static str,
    pub(super) measure: Option<&'a MeasureInfo>,
    pub(super) scale: Option<&'a AnyScale>,
    pub(super) estimand: Option<Estimand>,
    pub(super) trial: Option<&'a str>,
    pub(super) treatment: &'a str,
    pub(super) reference: &'a str,
    pub(super) estimator: String,
    pub(super) adjusted_for: String,
    pub(super) interval_method: String,
    pub(super) estimate: Option<f64>,
    pub(super) se: Option<f64>,
    pub(super) df: Option<f64>,
    pub(super) limits: Option<Limits>,
    pub(super) level: f64,
    pub(super) p_value: Option<f64>,
    pub(super) counts: Option<[ArmCounts; 2]>,
    pub(super) weight: Option<f64>,
    pub(super) heterogeneity: Option<Heterogeneity>,
    pub(super) notices: &'a [Notice],
}

#[derive(Default)]
pub(super) struct Heterogeneity {
    tau2: Option<f64>,
    i2: Option<f64>,
    q: Option<f64>,
    q_df: Option<f64>,
}

impl Heterogeneity {
    /// A variance between trials alone.
    pub(super) fn of_tau2(tau2: f64) -> Self {
        Self { tau2: Some(tau2), ..Self::default() }
    }
}

fn text(text: &str) -> Cell {
    if text.is_empty() { Cell::Missing } else { Cell::text(text) }
}

fn number(value: Option<f64>) -> Cell {
    value.map_or(Cell::Missing, |value| Cell::number(value, 6))
}

fn count(value: Option<u64>) -> Cell {
    value.map_or(Cell::Missing, Cell::Count)
}

impl Row<'_> {
    pub(super) fn cells(&self) -> Vec<Cell> {
        let optional =
            |part: fn(&MeasureInfo) -> Option<&str>| text(self.measure.and_then(part).unwrap_or_default());
        let ratio = |value: Option<f64>| {
            let is_ratio = self.scale.is_some_and(|scale| scale.form() == ScaleForm::LogRatio);
            number(value.filter(|_| is_ratio).map(libm::exp))
        };
        let (lower, upper) = (self.limits.map(|limits| limits.lower), self.limits.map(|limits| limits.upper));
        let heterogeneity = self.heterogeneity.as_ref();
        let mut cells = vec![
            text(self.kind),
            optional(|measure| Some(&measure.name)),
            optional(|measure| measure.horizon.as_deref()),
            optional(|measure| measure.unit.as_deref()),
            text(self.scale.map_or("", AnyScale::name)),
            text(&self.estimand.map_or_else(String::new, |estimand| estimand.to_string())),
            text(self.trial.unwrap_or_default()),
            text(self.treatment),
            text(self.reference),
            text(&self.estimator),
            text(&self.adjusted_for),
            text(&self.interval_method),
            number(self.estimate),
            number(self.se),
            number(self.df),
            number(lower),
            number(upper),
            Cell::number(self.level, 6),
            number(self.p_value),
            ratio(self.estimate),
            ratio(lower),
            ratio(upper),
        ];
        for arm in 0..2 {
            let counts = self.counts.map(|counts| counts[arm]);
            cells.extend([
                count(counts.map(|counts| counts.randomised)),
                count(counts.map(|counts| counts.analysed)),
                count(counts.and_then(|counts| counts.events)),
            ]);
        }
        cells.extend([
            number(self.weight),
            number(heterogeneity.and_then(|all| all.tau2)),
            number(heterogeneity.and_then(|all| all.i2)),
            number(heterogeneity.and_then(|all| all.q)),
            number(heterogeneity.and_then(|all| all.q_df)),
            text(&self.notices.iter().map(Notice::to_string).collect::<Vec<_>>().join("; ")),
        ]);
        cells
    }
}

/// The long table without rows.
pub(super) fn table() -> Grid {
    COLUMNS.iter().fold(Grid::new(""), |grid, column| grid.column(*column, Align::Left))
}

pub(super) fn push_estimate(grid: &mut Grid, estimate: &Estimate<AnyScale>, weight: Option<f64>) {
    let method = estimate.method();
    let row = Row {
        kind: "trial",
        measure: Some(estimate.measure()),
        scale: Some(&estimate.about().scale),
        estimand: Some(estimate.estimand()),
        trial: Some(estimate.trial()),
        treatment: estimate.treatment(),
        reference: estimate.reference(),
        estimator: method.estimator.clone(),
        adjusted_for: method.adjusted_for.join("; "),
        interval_method: interval_words(&method.interval, estimate.df()),
        estimate: Some(estimate.value()),
        se: Some(estimate.se()),
        df: estimate.df(),
        limits: Some(estimate.interval().into()),
        level: estimate.level(),
        p_value: Some(estimate.p_value()),
        counts: Some([estimate.treatment_counts(), estimate.reference_counts()]),
        weight,
        heterogeneity: None,
        notices: estimate.notices(),
    };
    grid.push(row.cells());
}

pub(super) fn push_pooled(grid: &mut Grid, pooled: &Pooled<AnyScale>) {
    for trial in &pooled.trials {
        push_estimate(grid, &trial.estimate, Some(trial.weight));
    }
    push_pooled_alone(grid, pooled);
}

/// Something without an answer, with the reason among the notices.
pub(super) fn push_failure(
    grid: &mut Grid,
    measure: &MeasureInfo,
    trial: &str,
    treatment: &str,
    estimator: &str,
    why: String,
) {
    let row = Row {
        kind: "failed",
        measure: Some(measure),
        trial: Some(trial),
        treatment,
        estimator: estimator.to_owned(),
        level: f64::NAN,
        notices: &[Notice::Other(why)],
        ..Row::default()
    };
    grid.push(row.cells());
}

/// A pool without the rows of its trials.
pub(super) fn push_pooled_alone(grid: &mut Grid, pooled: &Pooled<AnyScale>) {
    let summary = pooled.summary;
    let adjusted_for = super::pool_words::adjusted_for(pooled).join("; ");
    let base = |kind: &'static str| Row {
        kind,
        measure: Some(pooled.measure()),
        scale: Some(&pooled.about().scale),
        estimand: Some(pooled.estimand()),
        treatment: pooled.treatment(),
        reference: pooled.reference(),
        estimator: super::pool_words::pool_model(pooled),
        adjusted_for: adjusted_for.clone(),
        level: summary.level,
        ..Row::default()
    };
    let inference = |kind: &'static str, by: &NamedInference| Row {
        interval_method: by.how(),
        estimate: Some(pooled.value()),
        se: Some(by.se),
        df: by.df,
        limits: Some(by.limits),
        p_value: Some(by.p_value),
        ..base(kind)
    };
    let (primary, others) = inferences(pooled);
    let heterogeneity = Heterogeneity {
        tau2: summary.tau2_estimator.map(|_| summary.tau2),
        i2: Some(summary.i2),
        q: Some(summary.q.statistic),
        q_df: Some(summary.q.df),
    };
    let row = Row {
        heterogeneity: Some(heterogeneity),
        notices: pooled.notices(),
        ..inference("pooled", &primary)
    };
    grid.push(row.cells());
    for other in &others {
        grid.push(inference("pooled_beside", other).cells());
    }
    if let Some(prediction) = pooled.prediction() {
        grid.push(Row { limits: Some(prediction.into()), ..base("prediction") }.cells());
    }
}

pub(super) fn push_joint(grid: &mut Grid, joint: &JointlyPooled<AnyScale>) {
    let model = &joint.model;
    for coefficient in joint.coefficients() {
        let trials: Vec<&str> = coefficient.trials.iter().map(Label::as_str).collect();
        let trials = trials.join("; ");
        let row = Row {
            kind: "pooled_jointly",
            measure: Some(joint.measure()),
            scale: Some(&joint.about().scale),
            estimand: Some(joint.estimand()),
            trial: Some(&trials),
            treatment: &coefficient.label,
            reference: joint.reference(),
            estimator: super::pool_words::model_words(model.tau2_estimator),
            interval_method: reference_words(coefficient.df()),
            estimate: Some(coefficient.value()),
            se: Some(coefficient.se()),
            df: coefficient.df(),
            limits: Some(coefficient.interval().into()),
            level: model.level,
            p_value: Some(coefficient.p_value()),
            heterogeneity: Some(Heterogeneity {
                tau2: model.tau2_estimator.map(|_| model.tau2),
                i2: None,
                q: Some(model.q.statistic),
                q_df: Some(model.q.df),
            }),
            notices: joint.notices(),
            ..Row::default()
        };
        grid.push(row.cells());
    }
}
