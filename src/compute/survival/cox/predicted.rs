//! Baseline hazards, and the curves of given covariates.

use super::{CoxFit, Ties};
use crate::compute::interval::Interval;
use crate::compute::survival::CurveInterval;
use crate::error::{Error, ErrorKind, Result};
use ndarray::Array1;
use serde::{Deserialize, Serialize};

/// The cumulative hazard of a stratum with all covariates zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BaselineHazard {
    /// The times with events.
    pub time: Vec<f64>,
    /// The cumulative hazard up to each.
    pub cumulative_hazard: Vec<f64>,
}

impl BaselineHazard {
    /// The cumulative hazard at a time.
    pub fn at(&self, time: f64) -> f64 {
        let seen = self.time.partition_point(|known| *known <= time);
        seen.checked_sub(1).map_or(0.0, |last| self.cumulative_hazard[last])
    }
}

/// The survival curve of given covariates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PredictedCurve {
    /// The curve after each time with an event.
    pub points: Vec<PredictedPoint>,
}

/// The curve of given covariates just after a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PredictedPoint {
    /// The time.
    pub time: f64,
    /// The cumulative hazard.
    pub cumulative_hazard: f64,
    /// Its standard error.
    pub cumulative_hazard_se: f64,
    /// The probability to be without the event, `exp(-H)`.
    pub survival: f64,
    /// Its standard error.
    pub se: f64,
}

impl PredictedPoint {
    /// The interval of the survival probability; `None` where the scale is infinite at it.
    ///
    /// # Errors
    /// `invalid_input` for a level that is not between 0 and 1.
    pub fn interval(&self, kind: CurveInterval, level: f64) -> Result<Option<Interval>> {
        kind.interval(self.survival, self.se, level)
    }
}

impl CoxFit<'_> {
    /// The cumulative baseline hazard of a stratum, by Breslow's estimator, or Efron's version of it where ties
    /// are treated so.
    ///
    /// # Errors
    /// `invalid_input` for a stratum that is not there; `not_estimable` for exact ties.
    pub fn baseline_hazard(&self, stratum: usize) -> Result<BaselineHazard> {
        let zero = vec![0.0; self.sets.p()];
        let points = self.predict(stratum, &zero)?.points;
        Ok(BaselineHazard {
            time: points.iter().map(|point| point.time).collect(),
            cumulative_hazard: points.iter().map(|point| point.cumulative_hazard).collect(),
        })
    }

    /// The survival curve of given covariates in a stratum.
    ///
    /// # Formula
    /// `H(t | x) = exp(x'b) sum h`, with variance `exp(2 x'b) {sum m / q^2 + c'V c}`, `c = sum h (x - xbar)`
    /// (Tsiatis 1981, Annals of Statistics 9:93), sums over the events up to `t` and the steps of their ties.
    ///
    /// # Errors
    /// `invalid_input` for a stratum that is not there and unless there is one finite covariate for each
    /// coefficient; `not_estimable` for exact ties.
    pub fn predict(&self, stratum: usize, covariates: &[f64]) -> Result<PredictedCurve> {
        let sets = &self.sets;
        let p = sets.p();
        if covariates.len() != p || covariates.iter().any(|x| !x.is_finite()) {
            return Err(Error::invalid(format!(
                "give one finite covariate for each coefficient, {p} of them"
            )));
        }
        let Some(slots) = sets.grid.strata.get(stratum).cloned() else {
            return Err(Error::invalid(format!("there is no stratum {stratum}; strata count from 0")));
        };
        if sets.ties == Ties::Exact {
            return Err(ErrorKind::NotEstimable(
                "the exact likelihood of ties has no baseline hazard; take Efron's or Breslow's".to_owned(),
            )
            .into());
        }
        let x: Array1<f64> = covariates.iter().zip(&sets.centre).map(|(x, centre)| x - centre).collect();
        let risk = x.dot(&self.found.coefficients).exp();
        let weighted = sets.weighted(&self.found.coefficients);
        let hazards = sets.hazards(&weighted);
        let mut means: Vec<(usize, Array1<f64>)> = Vec::new();
        sets.for_each_risk_set(&weighted, |slot, s1, d1| {
            if slots.contains(&slot) {
                let [a, b, _] = hazards.steps[slot].squares;
                means.push((slot, s1.iter().zip(d1).map(|(s, d)| a * s - b * d).collect()));
            }
        });
        let (mut hazard, mut own) = (0.0, 0.0);
        let mut from_mean = Array1::<f64>::zeros(p);
        let points = means.into_iter().rev().map(|(slot, of_means)| {
            let steps = &hazards.steps[slot];
            hazard += steps.hazard[0];
            own += steps.squares[0];
            from_mean.scaled_add(steps.hazard[0], &x);
            from_mean -= &of_means;
            let variance = own + from_mean.dot(&self.covariance.dot(&from_mean));
            let (cumulative_hazard, cumulative_hazard_se) = (risk * hazard, risk * variance.max(0.0).sqrt());
            let survival = (-cumulative_hazard).exp();
            PredictedPoint {
                time: sets.grid.times[slot],
                cumulative_hazard,
                cumulative_hazard_se,
                survival,
                se: survival * cumulative_hazard_se,
            }
        });
        Ok(PredictedCurve { points: points.collect() })
    }
}
