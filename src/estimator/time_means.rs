//! What estimators of times share: a quantity of the curves of each arm, crude or standardised by
//! pseudo-values, with the joint covariance of all arms.

use super::LinearRegression;
use super::adjustment::Adjustment;
use super::clusters::{declared_clusters, refuse_alone};
use super::regression::RegressionModel;
use super::weight_column::WeightColumn;
use crate::compute::regression::{ClusterShares, ClusterVariance, MarginalVariance};
use crate::compute::survival::{AalenJohansen, SurvivalData, SurvivalQuantity};
use crate::design::{Comparison, Continuous, MeasureInfo, Notice, TimeToEvent, dominant_weights};
use crate::effect::{ArmMeans, ContrastScale, Estimates, Method, VarianceMethod};
use crate::error::{Error, ErrorKind, Result};
use ndarray::Array2;

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

/// The curves of one arm with the influence of each of its people.
struct OfArm {
    value: f64,
    /// The people's rows.
    rows: Vec<usize>,
    /// The change of the value for a unit of weight of each.
    influence: Vec<f64>,
    total: f64,
    constant: Option<bool>,
}

impl Wanted<'_> {
    /// The quantity in each arm.
    pub(super) fn arm_means(&self, comparison: &Comparison<TimeToEvent>) -> Result<ArmMeans> {
        self.adjustment.refuse_precision("a time to an event")?;
        let complete = self.adjustment.complete(comparison)?;
        let weights = self.adjustment.weights_of(&complete).map_err(|error| complete.locate(error))?;
        let arms = self.curves(&complete, weights.as_deref())?;
        refuse_alone(&complete)?;
        let constant = complete.arms().iter().zip(&arms).filter_map(|(arm, own)| {
            own.constant.map(|everybody| Notice::NoVariation { arm: arm.label.clone(), everybody })
        });
        let constant: Vec<Notice> = constant.collect();
        let means = if self.adjustment.covariates.is_empty() && self.adjustment.references.is_empty() {
            self.crude(&complete, &arms, weights.as_deref())?
        } else {
            self.standardized(&complete, &arms)?
        };
        let measure = self.measure.clone();
        Ok(means.level(self.level).notices(constant).described(|about| about.measure = measure))
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
            let empty = curves.survival.iter().position(|left| *left == 0.0).map(|place| curves.time[place]);
            if let Some(empty) = empty.filter(|empty| *empty < curves.last_time && *empty <= self.horizon) {
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

    /// The values of the curves; influences are summed by cluster where clusters were declared.
    fn crude(
        &self,
        comparison: &Comparison<TimeToEvent>,
        arms: &[OfArm],
        weights: Option<&[f64]>,
    ) -> Result<ArmMeans> {
        let k = arms.len();
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let values = arms.iter().map(|arm| arm.value).collect();
        let method = Method::new(self.name);
        let mut notices = comparison.strata_ignored();
        if weights.is_some() {
            let labelled = arms.iter().zip(comparison.arms());
            let told = labelled.filter_map(|(own, arm)| {
                dominant_weights(&arm.label, own.rows.iter().map(|row| weight(*row)))
            });
            notices.extend(told);
        }
        if comparison.clusters().is_none() {
            let mut covariance = Array2::zeros((k, k));
            for (i, arm) in arms.iter().enumerate() {
                let squares =
                    arm.rows.iter().zip(&arm.influence).map(|(row, phi)| (weight(*row) * phi).powi(2));
                covariance[[i, i]] = squares.sum();
            }
            let method = method.variance(VarianceMethod::Other("infinitesimal jackknife".to_owned()));
            return Ok(ArmMeans::new(comparison, values, covariance, method)?.notices(notices));
        }
        let clusters = declared_clusters(comparison)?;
        let mut influence = Array2::zeros((comparison.arm_indices().len(), k));
        for (i, arm) in arms.iter().enumerate() {
            for (&row, phi) in arm.rows.iter().zip(&arm.influence) {
                influence[[row, i]] = weight(row) * phi;
            }
        }
        let shares = ClusterShares::new(&clusters.codes, comparison.arm_indices(), k, weight)?;
        let method = method.variance(VarianceMethod::Clustered(ClusterVariance::Cr2));
        let means = ArmMeans::new(comparison, values, shares.covariance(influence.view()), method)?;
        Ok(means.clusters(shares.df()).notices(notices))
    }

    /// The means of pseudo-values, standardised by a linear regression of them on arms and covariates.
    fn standardized(&self, comparison: &Comparison<TimeToEvent>, arms: &[OfArm]) -> Result<ArmMeans> {
        let mut pseudo = vec![0.0; comparison.arm_indices().len()];
        for arm in arms {
            for (&row, phi) in arm.rows.iter().zip(&arm.influence) {
                pseudo[row] = arm.value + arm.total * phi;
            }
        }
        let size = pseudo.iter().fold(0.0_f64, |size, value| size.max(value.abs()));
        let outcomes = comparison.with_outcome(Continuous::new(), pseudo)?;
        let mut model = LinearRegression::new().level(self.level);
        model.adjustment = self.adjustment.clone();
        // People whom a row stands for are rows by now.
        if let Some(WeightColumn::Frequency(_)) = &model.adjustment.weights {
            model.adjustment.weights = None;
        }
        let prepared = model.columns(&outcomes)?;
        let fit = super::linear_regression::LinearModel::fit(&prepared)?;
        let means = fit.arm_means(self.variance.unwrap_or_else(|| fit.default_variance()))?;
        let name = self.adjusted.to_owned();
        let means = means.of_terms(size);
        if let SurvivalQuantity::CumulativeIncidence { .. } = self.quantity {
            for (arm, &risk) in comparison.arms().iter().zip(means.values()) {
                if !(0.0..=1.0 + 1e-12).contains(&risk) {
                    let why = format!(
                        "the standardised risk of this arm is {risk:.4}, as can be where it has hardly any event, or hardly anybody without one; \
                         leave the covariates out"
                    );
                    return Err(Error::not_estimable(why).in_arm(&arm.label));
                }
            }
        }
        Ok(means.described(|about| about.method.estimator = name))
    }
}
