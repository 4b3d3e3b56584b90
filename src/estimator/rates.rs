//! Contrasts of two rates without covariates: one struct, whose scale is a type.

use super::Estimator;
use super::clusters::{Responses, clustered_contrasts};
use super::options::{field, is_usual, level_setter};
use crate::compute::reference_distribution::check_level;
use crate::design::{Comparison, Count, Notice};
use crate::effect::{ArmMeans, ContrastScale, Estimates, Method, VarianceMethod};
use crate::error::{Error, ErrorKind, Result};
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

/// A contrast of two rates on the scale `S`, without covariates.
///
/// Its names are [`DifferenceInRates`](crate::estimator::DifferenceInRates) and [`RatioOfRates`](crate::estimator::RatioOfRates), which document
/// formula, assumptions, interval and errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, bound = "")]
pub struct Rates<S> {
    #[serde(deserialize_with = "field::variance")]
    variance: RateVariance,
    #[serde(skip_serializing_if = "is_usual")]
    pub(super) level: f64,
    #[serde(skip)]
    scale: PhantomData<S>,
}

/// A scale on which two rates are contrasted without covariates.
pub trait RateScale: ContrastScale + Default {
    /// The name of the contrast in words.
    const NAME: &'static str;
}

impl<S> Default for Rates<S> {
    fn default() -> Self {
        Self { variance: RateVariance::Robust, level: 0.95, scale: PhantomData }
    }
}

impl<S: RateScale> Rates<S> {
    /// Robust variance, level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    /// The variance of each rate; default: robust.
    #[must_use]
    pub fn variance(mut self, variance: RateVariance) -> Self {
        self.variance = variance;
        self
    }

    level_setter!();
}

impl<S: RateScale> Estimator<Count> for Rates<S> {
    type Scale = S;

    fn estimate(&self, comparison: &Comparison<Count>) -> Result<Estimates<S>> {
        rate_contrasts(comparison, S::default(), self.variance, S::NAME, self.level)
    }
}

/// How the variance of a rate is estimated: `x` events in the exposure `T` of an arm, `y_i` in the exposure `t_i` of a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RateVariance {
    /// `sum (y_i - r t_i)^2 / (1 - t_i / T) / T^2` with the rate `r = x / T`: counts may vary more than Poisson counts between people. The HC2
    /// variance of a Poisson regression on the arms. Where clusters were declared: CR2 of the rates with Satterthwaite's degrees of freedom.
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
        return rates.notices(comparison.clusters_ignored()).contrast(scale);
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

/// The rate of each arm with the variances.
fn arm_rates(
    comparison: &Comparison<Count>,
    variance: RateVariance,
    estimator: &str,
    level: f64,
) -> Result<ArmMeans> {
    let people = comparison.people()?;
    let k = comparison.arms().len();
    let (mut events, mut exposure, mut n) = (vec![0.0; k], vec![0.0; k], vec![0_u64; k]);
    let time = |row: usize| people.second.as_ref().map_or(1.0, |exposures| exposures[row]);
    for (row, (&arm, &y)) in people.arm.iter().zip(&people.outcome).enumerate() {
        let arm = arm as usize;
        events[arm] += y;
        exposure[arm] += time(row);
        n[arm] += 1;
    }
    let rates: Vec<f64> = events.iter().zip(&exposure).map(|(x, t)| x / t).collect();
    let mut covariance = Array2::zeros((k, k));
    match variance {
        RateVariance::Poisson => {
            for arm in 0..k {
                covariance[[arm, arm]] = rates[arm] / exposure[arm];
            }
        }
        RateVariance::Robust => {
            if let Some(alone) = n.iter().position(|&n| n < 2) {
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
    let none = comparison.arms().iter().zip(&events).filter(|(_, events)| **events == 0.0);
    let notices: Vec<Notice> =
        none.map(|(arm, _)| Notice::NoVariation { arm: arm.label.clone(), everybody: false }).collect();
    let method = Method::new(estimator).variance(words);
    Ok(ArmMeans::new(comparison, rates, covariance, method)?.level(level).notices(notices))
}
