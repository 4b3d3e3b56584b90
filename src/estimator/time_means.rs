//! What estimators of times share: a quantity of the curves of each arm, crude or standardised by
//! pseudo-values, with the joint covariance of all arms.

use super::adjustment::Adjustment;
use super::clusters::refuse_alone;
use super::influence_means::{InfluenceMeans, OfArm};
use crate::compute::regression::MarginalVariance;
use crate::compute::survival::{AalenJohansen, SurvivalData, SurvivalQuantity};
use crate::design::{Comparison, MeasureInfo, Notice, TimeToEvent};
use crate::effect::{AnyScale, ArmMeans, Contrast, ContrastScale, Estimates};
use crate::error::{Error, ErrorKind, Result, number};

/// What is wanted of the curves of each arm.
pub(super) struct Wanted<'e> {
    /// The quantity.
    pub quantity: SurvivalQuantity,
    /// Its horizon.
    pub horizon: f64,
    /// The measure of the effect: with the horizon.
    pub measure: MeasureInfo,
    /// The name of the estimator without covariates.
    pub name: &'static str,
    /// Its name with covariates.
    pub adjusted: &'static str,
    /// Covariates and weights.
    pub adjustment: &'e Adjustment,
    /// The variance of standardised means.
    pub variance: Option<MarginalVariance>,
    /// The level.
    pub level: f64,
}

/// The measure with the horizon of an effect, of which it may have none of its own.
pub(super) fn measure_until(comparison: &Comparison<TimeToEvent>, horizon: f64) -> Result<MeasureInfo> {
    if !(horizon > 0.0 && horizon.is_finite()) {
        return Err(Error::invalid(format!("the horizon is {horizon}; give a finite time above 0")));
    }
    let times = comparison.times()?;
    if let Some(own) = &comparison.measure().horizon {
        let why = format!(
            "the measure has the horizon \"{own}\", and the estimator that of {}; leave horizon(..) of the measure out, as a time has none",
            times.span(horizon)
        );
        return Err(Error::invalid(why));
    }
    let mut measure = comparison.measure().clone();
    measure.horizon = Some(times.span(horizon));
    Ok(measure)
}

/// The contrasts of mean times until a horizon, with a notice where an interval leaves what they can be.
pub(super) fn contrast_of_times<S: ContrastScale>(
    means: &ArmMeans,
    scale: S,
    horizon: f64,
) -> Result<Estimates<S>> {
    let is_difference = scale.to_any() == AnyScale::MeanDifference;
    let estimates = contrast(means, scale)?;
    if !is_difference {
        return Ok(estimates);
    }
    let words = match &means.measure().horizon {
        Some(words) => words.trim_start_matches("until ").to_owned(),
        None => number(horizon),
    };
    let beyond = |one: &Contrast| one.interval().lower() < -horizon || one.interval().upper() > horizon;
    let notices: Vec<Notice> = estimates
        .contrasts
        .iter()
        .filter(|one| beyond(one))
        .map(|one| Notice::BeyondHorizon { treatment: one.treatment().clone(), horizon: words.clone() })
        .collect();
    Ok(estimates.described(|about| about.notices.extend(notices)))
}

/// The contrasts of the arms, with errors that are about times.
pub(super) fn contrast<S: ContrastScale>(means: &ArmMeans, scale: S) -> Result<Estimates<S>> {
    let words = scale.to_any();
    means.contrast(scale).map_err(|error| match error.kind() {
        ErrorKind::ZeroVariance(_) => error.with_kind(ErrorKind::ZeroVariance(
            "the people of this arm do not differ before the horizon, nor do those of the reference, so that the effect has no standard \
             error; take another horizon, or leave the arm out"
                .to_owned(),
        )),
        ErrorKind::NotEstimable(_) => error.with_kind(ErrorKind::NotEstimable(format!(
            "the {words} has no logarithm, as nobody (or everybody) of this arm or of the reference had the event before the horizon; take a \
             difference, or another horizon"
        ))),
        _ => error,
    })
}

impl Wanted<'_> {
    /// The quantity in each arm.
    pub(super) fn arm_means(&self, comparison: &Comparison<TimeToEvent>) -> Result<ArmMeans> {
        self.adjustment.refuse_precision("a time to an event")?;
        let complete = self.adjustment.complete(comparison)?;
        let weights = self.adjustment.weights_of(&complete).map_err(|error| complete.locate(error))?;
        let arms = self.curves(&complete, weights.as_deref())?;
        refuse_alone(&complete)?;
        let means = InfluenceMeans {
            arms: &arms,
            weights: weights.as_deref(),
            name: self.name,
            adjusted: self.adjusted,
            is_risk: matches!(self.quantity, SurvivalQuantity::CumulativeIncidence { .. }),
            adjustment: self.adjustment,
            variance: self.variance,
            level: self.level,
        };
        let measure = self.measure.clone();
        Ok(means.arm_means(&complete)?.described(|about| about.measure = measure))
    }

    fn curves(&self, comparison: &Comparison<TimeToEvent>, weights: Option<&[f64]>) -> Result<Vec<OfArm>> {
        let times = comparison.times()?;
        let mut rows: Vec<Vec<usize>> = vec![Vec::new(); comparison.arms().len()];
        comparison.arm_indices().iter().enumerate().for_each(|(row, &arm)| rows[arm as usize].push(row));
        let of_arm = |rows: Vec<usize>| {
            let pick = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
            let time = pick(times.time);
            let cause: Vec<u32> = rows.iter().map(|&row| times.cause[row]).collect();
            let (entry, weights) = (times.entry.map(pick), weights.map(pick));
            let mut data = SurvivalData::new(&time, &cause)?;
            if let Some(entry) = &entry {
                data = data.entry(entry)?;
            }
            if let Some(weights) = &weights {
                data = data.weights(weights)?;
            }
            let curves = AalenJohansen::new(&data)?;
            if self.horizon > curves.last_time && curves.survival.last() != Some(&0.0) {
                let (horizon, last) = (times.span(self.horizon), times.point(curves.last_time));
                return Err(ErrorKind::BeyondFollowUp { horizon, last }.into());
            }
            // With late entry nobody may be left before the others come.
            let empty = curves.emptied().map(|place| curves.time[place]);
            if let Some(empty) = empty.filter(|empty| *empty <= self.horizon) {
                let why = format!(
                    "everybody of this arm who was under observation at {} had an event then, and others came later, of whom the curve \
                     says nothing; leave out those who came before the others",
                    times.point(empty)
                );
                return Err(Error::not_estimable(why));
            }
            let value = curves.estimate(&[self.quantity])?.values[0];
            let influence = curves.influence(&data, self.quantity)?;
            let total = weights.as_ref().map_or(rows.len() as f64, |weights| weights.iter().sum());
            let still = influence.iter().all(|phi| *phi == 0.0);
            let constant = match self.quantity {
                SurvivalQuantity::CumulativeIncidence { .. } if value <= 0.0 => Some(false),
                SurvivalQuantity::CumulativeIncidence { .. } if value >= 1.0 - 1e-12 => Some(true),
                SurvivalQuantity::RestrictedMean { .. } if still => Some(value < self.horizon),
                SurvivalQuantity::TimeLost { .. } if still => Some(value > 0.0),
                _ => None,
            };
            Ok(OfArm { value, rows, influence, total, constant })
        };
        let arms = rows.into_iter().zip(comparison.arms());
        arms.map(|(rows, arm)| of_arm(rows).map_err(|error: Error| error.in_arm(&arm.label))).collect()
    }
}
