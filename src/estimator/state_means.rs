//! What estimators of monthly states share: a quantity of the states of each arm.

use super::adjustment::Adjustment;
use super::clusters::refuse_alone;
use super::influence_means::{InfluenceMeans, OfArm};
use crate::compute::multistate::{PanelQuantity, StatePanel};
use crate::compute::regression::MarginalVariance;
use crate::design::{Comparison, MeasureInfo, MonthlyStates};
use crate::effect::ArmMeans;
use crate::error::{ErrorKind, Result, counted};

/// What is wanted of the states of each arm.
pub(super) struct Wanted<'e> {
    pub quantity: PanelQuantity,
    /// The measure of the effect, with its horizon.
    pub measure: MeasureInfo,
    /// The name of the estimator without covariates, and with.
    pub name: &'static str,
    pub adjusted: &'static str,
    pub adjustment: &'e Adjustment,
    pub variance: Option<MarginalVariance>,
    pub level: f64,
}

impl Wanted<'_> {
    /// The quantity in each arm.
    pub(super) fn arm_means(&self, comparison: &Comparison<MonthlyStates>) -> Result<ArmMeans> {
        self.adjustment.refuse_precision("a state")?;
        let complete = self.adjustment.complete(comparison)?;
        let weights = self.adjustment.weights_of(&complete).map_err(|error| complete.locate(error))?;
        let arms = self.arms(&complete, weights.as_deref())?;
        refuse_alone(&complete)?;
        let means = InfluenceMeans {
            arms: &arms,
            weights: weights.as_deref(),
            name: self.name,
            adjusted: self.adjusted,
            is_risk: matches!(self.quantity, PanelQuantity::Occupied { .. }),
            adjustment: self.adjustment,
            variance: self.variance,
            level: self.level,
        };
        let measure = self.measure.clone();
        Ok(means.arm_means(&complete)?.described(|about| about.measure = measure))
    }

    fn arms(&self, comparison: &Comparison<MonthlyStates>, weights: Option<&[f64]>) -> Result<Vec<OfArm>> {
        let sequences = comparison.sequences()?;
        let mut rows: Vec<Vec<usize>> = vec![Vec::new(); comparison.arms().len()];
        comparison.arm_indices().iter().enumerate().for_each(|(row, &arm)| rows[arm as usize].push(row));
        let of_arm = |rows: Vec<usize>| {
            let own: Option<Vec<f64>> = weights.map(|weights| rows.iter().map(|&row| weights[row]).collect());
            let states = comparison.states().len();
            let mut panel = StatePanel::new(states, 0, rows.iter().map(|&row| sequences[row]))?;
            if let Some(own) = &own {
                panel = panel.weights(own)?;
            }
            let horizon = self.quantity.horizon();
            if horizon > panel.periods() {
                let (horizon, last) = (counted(horizon, "month"), format!("month {}", panel.periods()));
                return Err(ErrorKind::BeyondFollowUp { horizon, last }.into());
            }
            let occupation = panel.occupation()?;
            let value = occupation.value(&self.quantity)?;
            let influence = occupation.influence(&panel, &self.quantity)?;
            let total = own.map_or(rows.len() as f64, |own| own.iter().sum());
            let constant = influence.iter().all(|phi| *phi == 0.0).then_some(value > 0.0);
            Ok(OfArm { value, rows, influence, total, constant })
        };
        let arms = rows.into_iter().zip(comparison.arms());
        arms.map(|(rows, arm)| of_arm(rows).map_err(|error: crate::error::Error| error.in_arm(&arm.label)))
            .collect()
    }
}
