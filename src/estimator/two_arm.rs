//! What the estimators of two proportions share.

use super::clusters::{Responses, clustered_contrasts};
use crate::compute::curve::{ConfidenceCurve, Inference};
use crate::compute::proportion::{
    CountInterval, OddsRatioInterval, Proportion, RatioInterval, TwoProportions,
};
use crate::compute::reference_distribution::check_level;
use crate::design::{ArmCounts, Binary, ComparedArm, Comparison, Notice};
use crate::effect::{About, AnyScale, Contrast, ContrastScale, Estimand, Estimates, IntervalMethod, Method};
use crate::error::{Error, ErrorKind, Result, percent};
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
    /// Where one of the two arms of a comparison has an empty cell, its value and standard error are those
    /// with half an event and half a non-event more in both arms; other comparisons of the trial stay as they
    /// are. The interval is then that of the logarithm with the halves; an exact or score interval that was
    /// asked for by name is that of the counts as they are, and may have no end. A notice says so.
    AddHalf,
}

/// Events and people of an arm.
pub(super) fn proportion(arm: &ComparedArm) -> Result<Proportion> {
    let events = arm.counts.events.ok_or_else(|| Error::invalid("the outcome is no event"))?;
    Proportion::new(events, arm.counts.analysed).map_err(|error| error.in_arm(&arm.label))
}

/// The interval that was asked for, and that which is usual.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub asked: Option<CountInterval>,
    pub usual: CountInterval,
}

/// Whether a method takes the logarithm of cells, so that it needs halves where one is empty.
fn needs_cells(method: CountInterval) -> bool {
    matches!(
        method,
        CountInterval::Ratio(RatioInterval::Log) | CountInterval::OddsRatio(OddsRatioInterval::Woolf)
    )
}

/// A proportion with its variance `p (1 - p) / n`, a number being added to events and non-events.
fn with_added(counts: Proportion, add: f64) -> (f64, f64) {
    let n = counts.n() as f64 + 2.0 * add;
    let p = (counts.events() as f64 + add) / n;
    (p, p * (1.0 - p) / n)
}

/// The contrasts of every treatment with the reference by an interval of their counts.
///
/// Where `halves` says so of one of the two arms, value and standard error are those with half an event and
/// half a non-event in every cell of the two. The interval is then the one that was asked for, of the counts
/// as they are; by default, and where its method takes logarithms of cells, that of Wald with the halves.
pub(super) fn crude_contrasts<S: ContrastScale + Copy>(
    comparison: &Comparison<Binary>,
    scale: S,
    name: &str,
    level: f64,
    interval: Asked,
    halves: impl Fn(&ArmCounts) -> bool,
) -> Result<Estimates<S>> {
    check_level(level)?;
    let method = interval.asked.unwrap_or(interval.usual);
    let reference = comparison.reference();
    let control = proportion(reference)?;
    let named = Method::new(name).interval(IntervalMethod::Counts(method));
    let mut about = About::of(comparison, Estimand::Marginal, named, level)?;
    about.notices.extend(comparison.strata_ignored());
    let (mut contrasts, mut shared) = (Vec::new(), Vec::new());
    for arm in comparison.treatments() {
        let counts = TwoProportions::new(proportion(arm)?, control);
        let halved = halves(&arm.counts) || halves(&reference.counts);
        let add = if halved { 0.5 } else { 0.0 };
        let ((p1, v1), (p0, v0)) = (with_added(counts.treatment, add), with_added(control, add));
        let (value, [slope, other]) = scale
            .contrast(p1, p0)
            .zip(scale.gradient(p1, p0))
            .ok_or_else(|| infinite(&scale.to_any(), &counts, interval, level).in_arm(&arm.label))?;
        let variance = slope * slope * v1 + other * other * v0;
        let curve = if halved && (interval.asked.is_none() || needs_cells(method)) {
            ConfidenceCurve::Wald
        } else {
            ConfidenceCurve::Counts { method, counts }
        };
        if halved {
            about.notices.push(Notice::AddedHalf { name: arm.label.clone() });
        }
        if variance == 0.0 {
            about.notices.push(Notice::ZeroStandardError { treatment: arm.label.clone() });
        }
        let inference = Inference::new(value, variance.sqrt(), None, level, curve);
        let contrast = Contrast::new(arm.clone(), inference.map_err(|error| error.in_arm(&arm.label))?);
        let limits = contrast.interval();
        if limits.lower().is_infinite() || limits.upper().is_infinite() {
            about.notices.push(Notice::UnboundedInterval { treatment: arm.label.clone() });
        }
        contrasts.push(contrast);
        shared.push(other.abs() * v0.sqrt());
    }
    if contrasts.iter().all(|contrast| *contrast.curve() == ConfidenceCurve::Wald) {
        about.method.interval = IntervalMethod::Normal;
    }
    let k = contrasts.len();
    let covariance =
        Array2::from_shape_fn(
            (k, k),
            |(i, j)| {
                if i == j { contrasts[i].variance() } else { shared[i] * shared[j] }
            },
        );
    Estimates::new(scale, about, reference.clone(), contrasts, covariance)
}

/// Says what is known of a ratio that is 0, infinite or 0/0.
fn infinite(scale: &AnyScale, counts: &TwoProportions, interval: Asked, level: f64) -> Error {
    let method = interval.asked.filter(|asked| !needs_cells(*asked)).unwrap_or(interval.usual);
    let (function, ratio) = match method {
        CountInterval::Difference(_) => ("difference_interval", None),
        CountInterval::Ratio(_) => ("ratio_interval", counts.ratio().ok().map(|ratio| ratio.estimate)),
        CountInterval::OddsRatio(_) => {
            ("odds_ratio_interval", counts.odds_ratio().ok().map(|odds| odds.estimate))
        }
    };
    let known = counts.limits(method, level).and_then(|limits| Ok((limits, counts.one_sided(method, 0.0)?)));
    let known = known.map_or_else(
        |_| String::new(),
        |(limits, p)| {
            format!(
                "; its {} interval ({}) runs from {} to {}, p {}, by proportion::TwoProportions::{function}",
                percent(level),
                IntervalMethod::Counts(method),
                words_of(limits.lower().exp()),
                words_of(limits.upper().exp()),
                words_of_p((2.0 * p.above.min(p.below)).min(1.0))
            )
        },
    );
    let ratio = ratio.map_or_else(|| "0/0".to_owned(), words_of);
    let why = format!(
        "the {scale} of {} of {} to {} of {} is {ratio}, which has no logarithm{known}; for an effect with a standard error use the difference \
         in proportions, FirthLogisticRegression, or zero_cells(ZeroCells::AddHalf)",
        counts.treatment.events(),
        counts.treatment.n(),
        counts.control.events(),
        counts.control.n(),
    );
    ErrorKind::NotEstimable(why).into()
}

/// A ratio in four digits.
pub(super) fn words_of(ratio: f64) -> String {
    if ratio.is_infinite() {
        return "infinity".to_owned();
    }
    if ratio == 0.0 {
        "0".to_owned()
    } else if ratio >= 0.01 {
        format!("{ratio:.4}")
    } else {
        format!("{ratio:.3e}")
    }
}

/// A p-value after the word.
pub(super) fn words_of_p(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { format!("= {p:.3}") }
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
