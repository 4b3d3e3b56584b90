use super::Estimator;
use super::adjustment::{self, Adjustment, Terms, adjustment_setters};
use super::clusters::Weighting;
use super::options::{field, is_usual, usual_level};
use super::time_means::{Wanted, contrast_of_times, measure_until};
use crate::compute::regression::MarginalVariance;
use crate::compute::survival::SurvivalQuantity;
use crate::design::{Comparison, Direction, Label, TimeToEvent};
use crate::effect::{ArmMeans, ContrastScale, Estimates};
use crate::error::{ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// The mean time without any event until a horizon, such as months on benefit within two years, or the mean
/// time that is lost to a cause, such as months gained in work.
///
/// Use it where hazards are not proportional, and where a reader should have an effect in months.
///
/// # Formula
/// The area below the curve of people without any event, `mu_a = int_0^t S_a(u) du`; with
/// [`lost_to`](RestrictedMeanTime::lost_to) the area below the cumulative incidence of a cause. Restricted mean
/// and times lost to all causes add up to the horizon. The scale contrasts the means: `MeanDifference` in units of
/// time, `LogRatioOfMeans`. With covariates: means of pseudo-values, as for
/// [`RiskAtHorizon`](crate::estimator::RiskAtHorizon).
///
/// # Assumptions
/// As for [`RiskAtHorizon`](crate::estimator::RiskAtHorizon).
///
/// # Interval
/// As for [`RiskAtHorizon`](crate::estimator::RiskAtHorizon).
///
/// # Errors
/// As for [`RiskAtHorizon`](crate::estimator::RiskAtHorizon); a cause that the measure does not declare.
///
/// # Examples
/// ```
/// use armwise::effect::LogRatioOfMeans;
/// use armwise::prelude::*;
///
/// const EXIT: Measure<TimeToEvent> = Measure::time_to_event("exit_month", "exit_reason")
///     .of("work")
///     .competing(&["other"])
///     .censored(&["none"])
///     .censored_at("censor_month")
///     .unit("months")
///     .named("exit to work")
///     .higher_is_better();
///
/// let table = Table::from_csv_path("examples/data/participants.csv")?
///     .keep_category("municipality", "Tilburg")?;
/// let trial =
///     Trial::builder("Tilburg", table).arm_labels("arm").control("control").build()?;
/// let exits = trial.on(&EXIT)?;
/// let on_benefit = RestrictedMeanTime::new(MeanDifference, 24.0);
/// let [on, work, other] = [
///     on_benefit.arm_means(&exits)?,
///     on_benefit.clone().lost_to("work").arm_means(&exits)?,
///     on_benefit.clone().lost_to("other").arm_means(&exits)?,
/// ];
/// // Everybody spends 24 months somewhere.
/// assert!((on.values()[0] + work.values()[0] + other.values()[0] - 24.0).abs() < 1e-9);
/// let ratio = exits.estimate(&RestrictedMeanTime::new(LogRatioOfMeans, 24.0))?;
/// assert!(ratio.treatment("guidance")?.value().abs() < 0.2);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Royston P, Parmar MKB (2013), BMC Medical Research Methodology 13:152. Andersen PK (2013), Statistics in
/// Medicine 32:5278. Uno H et al. (2014), Journal of Clinical Oncology 32:2380.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestrictedMeanTime<S> {
    pub(super) scale: S,
    horizon: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lost_to: Option<String>,
    #[serde(flatten, deserialize_with = "adjustment::interacted")]
    pub(super) adjustment: Adjustment,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "field::variance")]
    variance: Option<MarginalVariance>,
    #[serde(default = "usual_level", skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

impl<S> RestrictedMeanTime<S> {
    /// On this scale, until this time in the unit of the measure; without covariates; level 0.95.
    pub fn new(scale: S, horizon: f64) -> Self {
        let adjustment = Adjustment::default();
        Self { scale, horizon, lost_to: None, adjustment, variance: None, level: 0.95 }
    }

    adjustment_setters!(sampled);

    setters! {
        /// The variance with covariates; default: Ye et al. (2023), stratified where strata were declared;
        /// superpopulation with weights; clustered where clusters were declared.
        variance: MarginalVariance as Some;
    }

    /// The time before the horizon that is lost to this cause: the time after its event. Default: the time
    /// without any event.
    #[must_use]
    pub fn lost_to(mut self, cause: &str) -> Self {
        self.lost_to = Some(cause.to_owned());
        self
    }

    /// Every covariate with its products with every arm (Lin 2013; ANHECOVA). Default: covariates enter by
    /// themselves.
    #[must_use]
    pub fn interacted(mut self) -> Self {
        self.adjustment.terms = Terms::Interacted;
        self
    }

    /// The same estimator on another scale.
    pub(super) fn on<T>(self, scale: T) -> RestrictedMeanTime<T> {
        let Self { horizon, lost_to, adjustment, variance, level, .. } = self;
        RestrictedMeanTime { scale, horizon, lost_to, adjustment, variance, level }
    }

    /// The words behind the scale.
    pub(super) fn words(&self) -> String {
        let horizon = crate::error::number(self.horizon);
        match &self.lost_to {
            None => format!("of time without an event until the horizon {horizon}"),
            Some(cause) => format!("of time lost to {cause} until the horizon {horizon}"),
        }
    }
}

/// The place of a cause, from 1.
fn place_of(cause: &str, causes: &[Label]) -> Result<u32> {
    (1..).zip(causes).find(|(_, known)| **known == cause).map(|(place, _)| place).ok_or_else(|| {
        let known = causes.iter().map(ToString::to_string).collect();
        ErrorKind::UnknownCategory { label: cause.to_owned(), known }.into()
    })
}

/// The other direction.
fn opposite(direction: Direction) -> Direction {
    match direction {
        Direction::HigherIsBetter => Direction::LowerIsBetter,
        Direction::LowerIsBetter => Direction::HigherIsBetter,
        Direction::Undeclared => Direction::Undeclared,
    }
}

impl<S> Weighting<TimeToEvent> for RestrictedMeanTime<S> {
    fn arm_means(&self, comparison: &Comparison<TimeToEvent>) -> Result<ArmMeans> {
        let until = self.horizon;
        let mut measure = measure_until(comparison, until)?;
        let causes = comparison.kind().causes();
        let lost = self.lost_to.as_deref().map(|lost| place_of(lost, &causes)).transpose()?;
        // It is a mean over all times before.
        measure.horizon = measure.horizon.map(|horizon| format!("until {horizon}"));
        // The direction of the measure is that of its event.
        let quantity = if let (Some(cause), Some(lost)) = (lost, &self.lost_to) {
            measure.name = format!("{}, time lost to {lost}", measure.name);
            if cause > 1 {
                measure.direction = Direction::Undeclared;
            }
            SurvivalQuantity::TimeLost { cause, until }
        } else {
            measure.name = format!("{}, time without an event", measure.name);
            measure.direction =
                if causes.len() == 1 { opposite(measure.direction) } else { Direction::Undeclared };
            SurvivalQuantity::RestrictedMean { until }
        };
        let wanted = Wanted {
            quantity,
            horizon: until,
            measure,
            name: if self.lost_to.is_some() { "time lost (Aalen-Johansen)" } else { "restricted mean time" },
            adjusted: if self.lost_to.is_some() {
                "time lost by pseudo-values"
            } else {
                "restricted mean time by pseudo-values"
            },
            adjustment: &self.adjustment,
            variance: self.variance,
            level: self.level,
        };
        wanted.arm_means(comparison)
    }

    fn contrast<T: ContrastScale>(&self, means: &ArmMeans, scale: T) -> Result<Estimates<T>> {
        contrast_of_times(means, scale, self.horizon)
    }
}

impl<S: ContrastScale> RestrictedMeanTime<S> {
    /// The mean of every arm with their joint covariance.
    ///
    /// # Errors
    /// As for the effects.
    pub fn arm_means(&self, comparison: &Comparison<TimeToEvent>) -> Result<ArmMeans> {
        Weighting::arm_means(self, comparison).map_err(|error| comparison.locate(error))
    }
}

impl<S: ContrastScale> Estimator<TimeToEvent> for RestrictedMeanTime<S> {
    type Scale = S;

    fn estimate(&self, comparison: &Comparison<TimeToEvent>) -> Result<Estimates<S>> {
        self.contrast(&Weighting::arm_means(self, comparison)?, self.scale.clone())
    }
}
