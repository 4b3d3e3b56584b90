//! What the estimators of two proportions share.

use super::clusters::{Responses, clustered_contrasts};
use crate::compute::curve::{ConfidenceCurve, Inference};
use crate::compute::proportion::{CountInterval, Proportion, TwoProportions};
use crate::compute::reference_distribution::check_level;
use crate::design::{Binary, ComparedArm, Comparison, Notice};
use crate::effect::{About, ArmMeans, Contrast, ContrastScale, Estimand, Estimates, IntervalMethod, Method};
use crate::error::{Error, Result};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// What a ratio does with an arm in which nobody, or for odds everybody, had the event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ZeroCells {
    /// The logarithm is undefined: an error that says so.
    #[default]
    Refuse,
    /// Where any arm has an empty cell, half an event and half a non-event are added to every arm, once, so that the
    /// contrasts of a trial with several arms stay consistent. The interval is then that of the logarithm. A notice says so.
    AddHalf,
}

/// Events and people of an arm.
pub(super) fn proportion(arm: &ComparedArm) -> Result<Proportion> {
    let events = arm.counts.events.ok_or_else(|| Error::invalid("the outcome is no event"))?;
    Proportion::new(events, arm.counts.analysed).map_err(|error| error.in_arm(&arm.label))
}

/// Values and variances `p (1 - p) / n` of the arms, with half an event added to every cell where asked for.
pub(super) fn arm_proportions(comparison: &Comparison<Binary>, add: f64, method: Method) -> Result<ArmMeans> {
    let mut values = Vec::with_capacity(comparison.arms().len());
    let mut covariance = Array2::zeros((comparison.arms().len(), comparison.arms().len()));
    for (i, arm) in comparison.arms().iter().enumerate() {
        let counts = proportion(arm)?;
        let n = counts.n() as f64 + 2.0 * add;
        let p = (counts.events() as f64 + add) / n;
        values.push(p);
        covariance[[i, i]] = p * (1.0 - p) / n;
    }
    ArmMeans::new(comparison, values, covariance, method)
}

/// Replaces the Wald interval and test of the delta method by those of two proportions.
pub(super) fn with_intervals<S: ContrastScale + Copy>(
    comparison: &Comparison<Binary>,
    scale: S,
    method: Method,
    level: f64,
    interval: CountInterval,
) -> Result<Estimates<S>> {
    check_level(level)?;
    let method = method.interval(IntervalMethod::Counts(interval));
    let linear = arm_proportions(comparison, 0.0, method.clone())?.level(level).linear(&scale)?;
    let control = proportion(comparison.reference())?;
    let mut contrasts = Vec::with_capacity(linear.values.len());
    for (i, arm) in comparison.treatments().iter().enumerate() {
        let counts = TwoProportions::new(proportion(arm)?, control);
        let curve = ConfidenceCurve::Counts { method: interval, counts };
        let inference =
            Inference::new(linear.values[i], linear.covariance[[i, i]].sqrt(), None, level, curve);
        contrasts.push(Contrast::new(arm.clone(), inference.map_err(|error| error.in_arm(&arm.label))?));
    }
    let mut about = About::of(comparison, Estimand::Marginal, method, level)?;
    about.notices = linear.about.notices;
    Estimates::new(scale, about, comparison.reference().clone(), contrasts, linear.covariance)
}

/// The estimates with half an event added to every cell of every arm.
pub(super) fn with_halves<S: ContrastScale>(
    comparison: &Comparison<Binary>,
    scale: S,
    method: Method,
    level: f64,
) -> Result<Estimates<S>> {
    let notice = Notice::AddedHalf { name: comparison.trial().clone() };
    arm_proportions(comparison, 0.5, method)?.level(level).notices([notice]).contrast(scale)
}

/// The contrasts of proportions where clusters were declared.
pub(super) fn clustered_proportions<S: ContrastScale>(
    comparison: &Comparison<Binary>,
    scale: S,
    estimator: &str,
    level: f64,
) -> Result<Estimates<S>> {
    check_level(level)?;
    let responses = Responses { values: &comparison.people()?.outcome, weights: None };
    clustered_contrasts(comparison, &responses, scale, Method::new(estimator), level)
}

/// Refuses an interval that was asked for and takes people as independent.
pub(super) fn refuse_independent<T: std::fmt::Debug>(asked: Option<T>) -> Result<()> {
    asked.map_or(Ok(()), |interval| {
        Err(Error::invalid(format!(
            "the interval {interval:?} takes people as independent, but clusters were declared; leave interval(..) out for a \
             cluster-robust one, or build the trial without clusters(..)"
        )))
    })
}

/// Refuses an interval of crude proportions that was asked for together with Mantel-Haenszel.
pub(super) fn refuse_crude<T: std::fmt::Debug>(asked: Option<T>) -> Result<()> {
    asked.map_or(Ok(()), |interval| {
        Err(Error::invalid(format!(
            "the interval {interval:?} is one of crude proportions, but the Mantel-Haenszel effect was asked for; leave interval(..) out"
        )))
    })
}
