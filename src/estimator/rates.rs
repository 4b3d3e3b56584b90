//! Contrasts of two rates without covariates: one struct, whose scale is a type.

use super::Estimator;
use super::clusters::{Responses, clustered_contrasts};
use super::options::{field, is_usual, level_setter};
use super::two_arm::{words_of, words_of_p};
use crate::compute::curve::{ConfidenceCurve, Inference};
use crate::compute::rate::{Rate, RateContrastInterval, TwoRates};
use crate::compute::reference_distribution::check_level;
use crate::design::{Comparison, Count, Notice};
use crate::effect::{
    About, AnyScale, ArmMeans, Contrast, ContrastScale, Estimand, Estimates, IntervalMethod, Method,
    VarianceMethod,
};
use crate::error::{Error, ErrorKind, Result, counted, percent};
use ndarray::Array2;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::marker::PhantomData;

/// A contrast of two rates on the scale `S`, without covariates.
///
/// Its names are [`DifferenceInRates`](crate::estimator::DifferenceInRates) and
/// [`RatioOfRates`](crate::estimator::RatioOfRates), which document formula, assumptions, interval and
/// errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, bound = "S: RateScale")]
pub struct Rates<S: RateScale> {
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "field::variance")]
    variance: Option<RateVariance>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "field::interval")]
    interval: Option<S::Interval>,
    #[serde(skip_serializing_if = "is_usual")]
    pub(super) level: f64,
    #[serde(skip)]
    scale: PhantomData<S>,
}

/// A scale on which two rates are contrasted without covariates.
pub trait RateScale: ContrastScale + Default {
    /// The methods of its interval from the events themselves.
    type Interval: Debug + Copy + PartialEq + Serialize + DeserializeOwned;

    /// The name of the contrast in words.
    const NAME: &'static str;

    /// The interval as one of rates.
    fn of_rates(interval: Self::Interval) -> RateContrastInterval;
}

impl<S: RateScale> Default for Rates<S> {
    fn default() -> Self {
        Self { variance: None, interval: None, level: 0.95, scale: PhantomData }
    }
}

impl<S: RateScale> Rates<S> {
    /// Robust variance, level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// The variance of each rate; default: robust.
        variance: RateVariance as Some;
        /// An interval from the events and exposures themselves, which has a width where an arm has no event;
        /// default: that of the variance. It takes events as independent of each other, as the Poisson variance
        /// does.
        interval: S::Interval as Some;
    }

    level_setter!();
}

impl<S: RateScale> Estimator<Count> for Rates<S> {
    type Scale = S;

    fn estimate(&self, comparison: &Comparison<Count>) -> Result<Estimates<S>> {
        let Some(interval) = self.interval else {
            return rate_contrasts(
                comparison,
                S::default(),
                self.variance.unwrap_or_default(),
                S::NAME,
                self.level,
            );
        };
        if comparison.clusters().is_some() || self.variance == Some(RateVariance::Robust) {
            return Err(Error::invalid(format!(
                "the interval {interval:?} takes every event as independent of the others, but {}; leave interval(..) out",
                if comparison.clusters().is_some() {
                    "clusters were declared"
                } else {
                    "the robust variance was asked for"
                }
            )));
        }
        by_interval(comparison, S::default(), S::of_rates(interval), S::NAME, self.level)
    }
}

/// How the variance of a rate is estimated: `x` events in the exposure `T` of an arm, `y_i` in the exposure
/// `t_i` of a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RateVariance {
    /// `sum (y_i - r t_i)^2 / (1 - t_i / T) / T^2` with the rate `r = x / T`: counts may vary more than
    /// Poisson counts between people. The HC2 variance of a Poisson regression on the arms. Where clusters
    /// were declared: CR2 of the rates with Satterthwaite's degrees of freedom.
    #[default]
    Robust,
    /// `x / T^2`: events come independently of each other.
    Poisson,
}

/// The contrasts of the rates; where clusters were declared the robust variance counts them.
fn rate_contrasts<S: ContrastScale>(
    comparison: &Comparison<Count>,
    scale: S,
    variance: RateVariance,
    estimator: &str,
    level: f64,
) -> Result<Estimates<S>> {
    if comparison.clusters().is_none() || variance == RateVariance::Poisson {
        let rates = arm_rates(comparison, variance, estimator, level)?;
        let told = comparison.clusters_ignored().into_iter().chain(comparison.strata_ignored());
        return rates.notices(told).contrast(scale);
    }
    check_level(level)?;
    let people = comparison.people()?;
    let method = Method::new(estimator);
    let Some(exposures) = &people.second else {
        let responses = Responses { values: &people.outcome, weights: None };
        return clustered_contrasts(comparison, &responses, scale, method, level);
    };
    let rates: Vec<f64> = people.outcome.iter().zip(exposures).map(|(y, t)| y / t).collect();
    let responses = Responses { values: &rates, weights: Some(exposures) };
    clustered_contrasts(comparison, &responses, scale, method, level)
}

/// The contrasts of the rates with intervals from the events themselves.
// Counts are checked to be whole numbers; sums beyond 2^53 are refused.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn by_interval<S: ContrastScale>(
    comparison: &Comparison<Count>,
    scale: S,
    interval: RateContrastInterval,
    name: &str,
    level: f64,
) -> Result<Estimates<S>> {
    check_level(level)?;
    let poisson = VarianceMethod::Other("Poisson".to_owned());
    let method = Method::new(name).variance(poisson).interval(IntervalMethod::Rates(interval));
    let mut about = About::of(comparison, Estimand::Marginal, method, level)?;
    let totals = Totals::of(comparison)?;
    about.notices.extend(totals.without_events(comparison).into_iter().chain(comparison.strata_ignored()));
    let rates = comparison.arms().iter().zip(totals.events.iter().zip(&totals.exposure));
    let rates: Vec<Rate> = rates
        .map(|(arm, (&events, &exposure))| {
            Rate::new(events as u64, exposure).map_err(|error| error.in_arm(&arm.label))
        })
        .collect::<Result<_>>()?;
    let mut contrasts = Vec::with_capacity(rates.len() - 1);
    for (arm, &treatment) in comparison.treatments().iter().zip(&rates[1..]) {
        let two = TwoRates::new(treatment, rates[0]);
        let (value, se) = two
            .effect(interval)
            .ok_or_else(|| infinite(&scale.to_any(), &two, interval, level).in_arm(&arm.label))?;
        if se == 0.0 {
            about.notices.push(Notice::ZeroStandardError { treatment: arm.label.clone() });
        }
        let curve = ConfidenceCurve::Rates { method: interval, rates: two };
        let inference = Inference::new(value, se, None, level, curve);
        contrasts.push(Contrast::new(arm.clone(), inference.map_err(|error| error.in_arm(&arm.label))?));
    }
    let shared = match interval {
        RateContrastInterval::Difference(_) => rates[0].estimate() / rates[0].exposure(),
        RateContrastInterval::Ratio(_) => 1.0 / rates[0].events() as f64,
    };
    let k = contrasts.len();
    let covariance =
        Array2::from_shape_fn((k, k), |(i, j)| if i == j { contrasts[i].variance() } else { shared });
    Estimates::new(scale, about, comparison.reference().clone(), contrasts, covariance)
}

/// Says what is known of a ratio that is 0, infinite or 0/0.
fn infinite(scale: &AnyScale, two: &TwoRates, interval: RateContrastInterval, level: f64) -> Error {
    let known = two.limits(interval, level).and_then(|limits| Ok((limits, two.one_sided(interval, 0.0)?)));
    let known = known.map_or_else(
        |_| String::new(),
        |(limits, p)| {
            format!(
                "; its {} interval ({}) runs from {} to {}, p {}, by rate::TwoRates::ratio_interval",
                percent(level),
                IntervalMethod::Rates(interval),
                words_of(limits.lower().exp()),
                words_of(limits.upper().exp()),
                words_of_p((2.0 * p.above.min(p.below)).min(1.0))
            )
        },
    );
    let why = format!(
        "the {scale} of {} to {} has no logarithm{known}; for an effect with a standard error use the difference in rates",
        counted(two.treatment.events(), "event"),
        two.control.events(),
    );
    ErrorKind::NotEstimable(why).into()
}

/// The events, the exposure and the people of each arm.
struct Totals {
    events: Vec<f64>,
    exposure: Vec<f64>,
    people: Vec<u64>,
}

impl Totals {
    fn of(comparison: &Comparison<Count>) -> Result<Self> {
        let people = comparison.people()?;
        let k = comparison.arms().len();
        let mut totals = Self { events: vec![0.0; k], exposure: vec![0.0; k], people: vec![0; k] };
        for (row, (&arm, &y)) in people.arm.iter().zip(&people.outcome).enumerate() {
            let arm = arm as usize;
            totals.events[arm] += y;
            totals.exposure[arm] += people.second.as_ref().map_or(1.0, |exposures| exposures[row]);
            totals.people[arm] += 1;
        }
        Ok(totals)
    }

    /// A notice for each arm without events.
    fn without_events(&self, comparison: &Comparison<Count>) -> Vec<Notice> {
        let none = comparison.arms().iter().zip(&self.events).filter(|(_, events)| **events == 0.0);
        none.map(|(arm, _)| Notice::NoVariation { arm: arm.label.clone(), everybody: false }).collect()
    }
}

/// The rate of each arm with the variances.
fn arm_rates(
    comparison: &Comparison<Count>,
    variance: RateVariance,
    estimator: &str,
    level: f64,
) -> Result<ArmMeans> {
    let people = comparison.people()?;
    let k = comparison.arms().len();
    let totals = Totals::of(comparison)?;
    let time = |row: usize| people.second.as_ref().map_or(1.0, |exposures| exposures[row]);
    let exposure = &totals.exposure;
    let rates: Vec<f64> = totals.events.iter().zip(exposure).map(|(x, t)| x / t).collect();
    let mut covariance = Array2::zeros((k, k));
    match variance {
        RateVariance::Poisson => {
            for arm in 0..k {
                covariance[[arm, arm]] = rates[arm] / exposure[arm];
            }
        }
        RateVariance::Robust => {
            if let Some(alone) = totals.people.iter().position(|&n| n < 2) {
                let why =
                    "one person does not show how counts vary between people; use RateVariance::Poisson";
                let error = Error::from(ErrorKind::InsufficientObservations(why.to_owned()));
                return Err(error.in_arm(&comparison.arms()[alone].label));
            }
            for (row, (&arm, &y)) in people.arm.iter().zip(&people.outcome).enumerate() {
                let (arm, t) = (arm as usize, time(row));
                let residual = (y - rates[arm] * t) / exposure[arm];
                covariance[[arm, arm]] += residual * residual / (1.0 - t / exposure[arm]);
            }
        }
    }
    let words = match variance {
        RateVariance::Robust => VarianceMethod::Unpooled,
        RateVariance::Poisson => VarianceMethod::Other("Poisson".to_owned()),
    };
    let notices = totals.without_events(comparison);
    let method = Method::new(estimator).variance(words);
    Ok(ArmMeans::new(comparison, rates, covariance, method)?.level(level).notices(notices))
}
