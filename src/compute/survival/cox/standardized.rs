//! Risks at a time, averaged over people under settings of their covariates.

use super::{CoxFit, Ties};
use crate::compute::linalg::symmetrised;
use crate::compute::survival::data::check_horizon;
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array1, Array2, ArrayView2};
use serde::{Deserialize, Serialize};

/// The mean risks of the people of a fit under several settings of their covariates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CoxRisks {
    /// The risk under each setting.
    pub risks: Array1<f64>,
    /// Their covariance matrix, the people's covariates taken as they are.
    pub covariance: Array2<f64>,
    /// Their covariance matrix with the people as a sample of others.
    pub superpopulation_covariance: Array2<f64>,
}

/// The cumulative hazard of a stratum up to a time with covariates at their means, and what its variance
/// needs.
struct Cumulative {
    hazard: f64,
    /// The variance with coefficients known.
    own: f64,
    /// `sum h xbar`, covariates centred.
    means: Array1<f64>,
}

impl CoxFit<'_> {
    /// The probability of an event up to and including a time, averaged over the people of the fit, each in
    /// the own stratum, under settings of their covariates (an array of people x covariates each).
    ///
    /// # Formula
    /// `R_s = mean(1 - exp(-H(t | x_is)))`, by the delta method with the information matrix and, independent
    /// of it, the variance of the baseline hazards (Tsiatis 1981, Annals of Statistics 9:93). As a sample of
    /// others the people add the covariance of their risks over their number.
    ///
    /// # Errors
    /// `invalid_input` for a setting of another size, values that are not finite, weights, and a time that is
    /// negative or not finite; `not_estimable` for exact ties, and for a time beyond the follow-up of a
    /// stratum in which some are still without an event.
    pub fn standardized_risks(&self, settings: &[ArrayView2<f64>], at: f64) -> Result<CoxRisks> {
        let sets = &self.sets;
        let (n, p) = (sets.data.n(), sets.p());
        if sets.ties == Ties::Exact {
            return Err(ErrorKind::NotEstimable(
                "the exact likelihood of ties has no baseline hazard; take Efron's or Breslow's".to_owned(),
            )
            .into());
        }
        if sets.data.weights.is_some() {
            return Err(Error::invalid("standardised risks have no version with weights; leave them out"));
        }
        if settings.iter().any(|setting| setting.dim() != (n, p)) {
            return Err(Error::invalid(format!(
                "a setting has another size than the people and covariates of the fit; give an array of {n} x {p}"
            )));
        }
        let curves = self.cumulative_until(at)?;
        let strata = curves.len();
        let mut risks = Array1::zeros(settings.len());
        let mut by_coefficient = Array2::<f64>::zeros((settings.len(), p));
        let mut by_baseline = Array2::<f64>::zeros((settings.len(), strata));
        let mut of_people = Array2::<f64>::zeros((settings.len(), n));
        let share = 1.0 / n as f64;
        for (s, setting) in settings.iter().enumerate() {
            for (row, x) in setting.rows().into_iter().enumerate() {
                let x = &x - &sets.centre;
                let stratum = sets.data.stratum(row);
                let curve = &curves[stratum];
                let w = x.dot(&self.found.coefficients).exp();
                let survival = (-w * curve.hazard).exp();
                if !survival.is_finite() {
                    return Err(Error::invalid("a covariate of a setting is not finite").in_row(row));
                }
                risks[s] += share * (1.0 - survival);
                of_people[[s, row]] = 1.0 - survival;
                let slope = share * survival * w;
                let mut gradient = by_coefficient.row_mut(s);
                gradient.scaled_add(slope * curve.hazard, &x);
                gradient.scaled_add(-slope, &curve.means);
                by_baseline[[s, stratum]] += slope;
            }
        }
        let mut covariance = by_coefficient.dot(&self.covariance).dot(&by_coefficient.t());
        let own = Array1::from_iter(curves.iter().map(|curve| curve.own));
        covariance += &(&by_baseline * &own).dot(&by_baseline.t());
        let covariance = symmetrised(covariance);
        let mut spread = of_people;
        for (mut row, mean) in spread.rows_mut().into_iter().zip(&risks) {
            row -= *mean;
        }
        let sampling = spread.dot(&spread.t()) * (share * share);
        let superpopulation_covariance = symmetrised(&covariance + &sampling);
        Ok(CoxRisks { risks, covariance, superpopulation_covariance })
    }

    fn cumulative_until(&self, at: f64) -> Result<Vec<Cumulative>> {
        let sets = &self.sets;
        let weighted = sets.weighted(&self.found.coefficients);
        let hazards = sets.hazards(&weighted);
        let last = sets.data.last_times();
        let mut curves: Vec<Cumulative> = (0..sets.grid.strata.len())
            .map(|_| Cumulative { hazard: 0.0, own: 0.0, means: Array1::zeros(sets.p()) })
            .collect();
        let places: Vec<usize> = {
            let mut places = vec![0; sets.grid.len()];
            for (stratum, slots) in sets.grid.strata.iter().enumerate() {
                places[slots.clone()].fill(stratum);
            }
            places
        };
        sets.for_each_risk_set(&weighted, |slot, s1, d1| {
            if sets.grid.times[slot] > at {
                return;
            }
            let curve = &mut curves[places[slot]];
            let steps = &hazards.steps[slot];
            curve.hazard += steps.hazard[0];
            curve.own += steps.squares[0];
            let [a, b, _] = steps.squares;
            curve.means.iter_mut().zip(s1.iter().zip(d1)).for_each(|(sum, (s, d))| *sum += a * s - b * d);
        });
        let mut gone = vec![true; last.len()];
        for row in 0..sets.data.n() {
            let stratum = sets.data.stratum(row);
            gone[stratum] &= sets.data.time[row] < last[stratum] || sets.data.is_event(row);
        }
        for (last, gone) in last.into_iter().zip(gone) {
            check_horizon(at, last, gone)?;
        }
        Ok(curves)
    }
}
