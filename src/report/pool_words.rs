//! The words of a pool: which model, which test is the primary one, heterogeneity.

use super::display::chi_squared_words;
use super::format::{Limits, p_value, percent, significant};
use super::words::{
    Words, contrast_words, estimand_words, interval_name, listed, measure_words, reference_words,
};
use crate::compute::curve::{self, ConfidenceCurve};
use crate::compute::meta_analysis::{Inference, PoolSummary, PredictionDf, Tau2, Test};
use crate::effect::{Estimand, Scale};
use crate::pool::{Average, JointlyPooled, Pooled, PooledRecord};

/// One of the intervals of a pooled effect.
pub(super) struct NamedInference {
    pub(super) name: &'static str,
    pub(super) se: f64,
    pub(super) limits: Limits,
    pub(super) df: Option<f64>,
    pub(super) p_value: f64,
}

impl NamedInference {
    fn new(name: &'static str, inference: &Inference) -> Self {
        let Inference { se, df, p_value, interval, .. } = *inference;
        Self { name, se, limits: interval.into(), df, p_value }
    }

    /// `Hartung-Knapp, t with 5 df`, or `Wald`.
    pub(super) fn how(&self) -> String {
        match self.df {
            Some(_) => format!("{}, {}", self.name, reference_words(self.df)),
            None => self.name.to_owned(),
        }
    }
}

/// The distribution behind an interval of a pool: `normal`, `t with 5 df`, or both where the larger of two p-values is taken.
pub(super) fn curve_words(inference: &curve::Inference) -> String {
    match inference.curve() {
        ConfidenceCurve::LargerOf { df, .. } => format!("wider of normal and {}", reference_words(Some(*df))),
        _ => reference_words(inference.df()),
    }
}

/// The primary inference, and the others beside it: Wald and Hartung-Knapp are always told where they exist.
pub(super) fn inferences(pooled: &PooledRecord) -> (NamedInference, Vec<NamedInference>) {
    let (summary, inference) = (&pooled.summary, &pooled.inference);
    const WALD: &str = "Wald";
    const WIDER: &str = "wider of Wald and Hartung-Knapp";
    const HARTUNG_KNAPP: &str = "Hartung-Knapp";
    let name = match summary.test {
        Test::Normal => WALD,
        Test::T => "model standard error",
        Test::HartungKnappTruncated => "Hartung-Knapp, truncated",
        Test::WiderOfBoth if summary.hartung_knapp_narrower || summary.hartung_knapp.is_none() => WALD,
        Test::HartungKnapp | Test::WiderOfBoth => HARTUNG_KNAPP,
    };
    let name = if matches!(inference.curve(), ConfidenceCurve::LargerOf { .. }) { WIDER } else { name };
    let primary = NamedInference {
        name,
        se: inference.se(),
        limits: inference.interval().into(),
        df: inference.df(),
        p_value: inference.p_value(),
    };
    let mut others = Vec::new();
    if name != WALD {
        others.push(NamedInference::new(WALD, &summary.wald));
    }
    if let Some(hartung_knapp) = summary.hartung_knapp.as_ref().filter(|_| name != HARTUNG_KNAPP) {
        others.push(NamedInference::new(HARTUNG_KNAPP, hartung_knapp));
    }
    (primary, others)
}

/// `random effects, REML`.
pub(super) fn model_words(tau2: Option<Tau2>) -> String {
    tau2.map_or_else(|| "common effect".to_owned(), |tau2| format!("random effects, {}", tau2))
}

/// `random effects, REML`, or which average it is.
pub(super) fn pool_model<S: Scale>(pooled: &Pooled<S>) -> String {
    match pooled.average {
        Average::Participants => "weighted by participants".to_owned(),
        Average::GivenWeights => "given weights".to_owned(),
        _ => model_words(pooled.summary.tau2_estimator),
    }
}

pub(super) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// `, conditional`, where it has to be said, and `, adjusted for age`.
fn qualities<S: Scale>(scale: &S, estimand: Estimand, adjusted_for: &[String]) -> String {
    let estimand = estimand_words(&scale.to_any(), estimand, !adjusted_for.is_empty());
    let estimand = estimand.map_or_else(String::new, |word| format!(", {word}"));
    match adjusted_for {
        [] => estimand,
        covariates => format!("{estimand}, adjusted for {}", listed(covariates)),
    }
}

/// The covariates of all trials of a pool, each once.
pub(super) fn adjusted_for<S: Scale>(pooled: &Pooled<S>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in pooled.trials.iter().flat_map(|trial| &trial.estimate.method().adjusted_for) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// `full-time outflow, guidance vs control, 4 trials pooled (random effects, REML)`.
pub(super) fn pool_heading<S: Scale>(pooled: &Pooled<S>) -> String {
    format!(
        "{}, {}{}, {} pooled ({})",
        measure_words(pooled.measure()),
        contrast_words(pooled.treatment(), pooled.reference()),
        qualities(&pooled.about().scale, pooled.estimand(), &adjusted_for(pooled)),
        count(pooled.trials.len(), "trial", "trials"),
        pool_model(pooled)
    )
}

pub(super) fn pool_scale<S: Scale>(pooled: &Pooled<S>) -> Words {
    Words::new(&pooled.scale().to_any(), pooled.measure(), pooled.se())
}

/// `pooled: +1.8 points (95% CI 0.1 to 3.5, Hartung-Knapp, t with 3 df; primary), p = 0.041; 95% CI 0.4 to 3.1 (Wald), p = 0.012`.
pub(super) fn pooled_line<S: Scale>(pooled: &Pooled<S>) -> String {
    let words = pool_scale(pooled);
    let (primary, others) = inferences(pooled);
    let level = interval_name(pooled.summary.level);
    let mark = if others.is_empty() { "" } else { "; primary" };
    let first = format!(
        "pooled: {} ({level} {}, {}{mark}), {}",
        words.value(pooled.value()),
        words.limits(primary.limits),
        primary.how(),
        p_value(primary.p_value)
    );
    let others = others.iter().map(|other| {
        format!("{level} {} ({}), {}", words.limits(other.limits), other.how(), p_value(other.p_value))
    });
    std::iter::once(first).chain(others).collect::<Vec<_>>().join("; ")
}

/// The distribution of a prediction interval, by its rule.
fn prediction_rule(summary: &PoolSummary) -> String {
    let k = summary.k;
    match summary.prediction_df {
        Some(PredictionDf::KMinus1) => format!(" (t with k - 1 = {} df)", k.saturating_sub(1)),
        Some(PredictionDf::KMinus2) => format!(" (t with k - 2 = {} df)", k.saturating_sub(2)),
        Some(PredictionDf::Normal) => " (normal)".to_owned(),
        Some(PredictionDf::AsTest) => format!(" ({}, as the test)", reference_words(summary.df)),
        None => String::new(),
    }
}

/// `95% prediction interval: -1.0 to 4.6 points (t with k - 1 = 3 df)`.
pub(super) fn prediction_line<S: Scale>(pooled: &Pooled<S>) -> Option<String> {
    let limits: Limits = pooled.prediction()?.into();
    let words = pool_scale(pooled);
    Some(format!(
        "{}: {}{}",
        prediction_name(pooled.summary.level),
        words.span(limits),
        prediction_rule(&pooled.summary)
    ))
}

pub(super) fn prediction_name(level: f64) -> String {
    format!("{}% prediction interval", significant(100.0 * level, 4))
}

/// `tau2 = 0.00012 (95% CI 0 to 0.0031), I2 = 12.0%, Q = 1.05 (df 2, p = 0.59)`.
pub(super) fn statistics<S: Scale>(pooled: &Pooled<S>) -> String {
    let summary = pooled.summary;
    let interval = summary.tau2_interval.map_or_else(String::new, |interval| {
        let limit = |value: f64| {
            if value.is_finite() { significant(value, 3) } else { "unbounded".to_owned() }
        };
        format!(
            " ({} {} to {}, Q-profile)",
            interval_name(summary.level),
            limit(interval.lower()),
            limit(interval.upper())
        )
    });
    let tau2 = match summary.tau2_estimator {
        Some(_) => format!("tau2 = {}{interval}, ", significant(summary.tau2, 3)),
        None => String::new(),
    };
    format!("{tau2}I2 = {}, {}", percent(summary.i2), chi_squared_words(&summary.q))
}

/// `full-time outflow, against control, 3 effects pooled jointly over 6 trials (random effects, REML)`.
pub(super) fn joint_heading<S: Scale>(joint: &JointlyPooled<S>) -> String {
    let estimand = estimand_words(&joint.scale().to_any(), joint.estimand(), false);
    format!(
        "{}, {}against {}, {} pooled jointly over {} ({})",
        measure_words(joint.measure()),
        estimand.map_or_else(String::new, |word| format!("{word}, ")),
        joint.reference(),
        count(joint.coefficients().len(), "effect", "effects"),
        count(joint.trials().len(), "trial", "trials"),
        model_words(joint.model.tau2_estimator)
    )
}

/// `tau2 = 0.00012, Q = 1.05 (df 2, p = 0.59)`.
pub(super) fn joint_statistics<S: Scale>(joint: &JointlyPooled<S>) -> String {
    let tau2 = match joint.model.tau2_estimator {
        Some(_) => format!("tau2 = {}, ", significant(joint.tau2(), 3)),
        None => String::new(),
    };
    format!("{tau2}{}", chi_squared_words(&joint.model.q))
}
