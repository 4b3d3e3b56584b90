use super::Estimator;
use super::adjustment::{self, Adjustment, Terms, adjustment_setters};
use super::clusters::Weighting;
use super::options::{field, is_usual, usual_level};
use super::state_means::Wanted;
use super::time_means::contrast_of_times;
use crate::compute::multistate::PanelQuantity;
use crate::compute::regression::MarginalVariance;
use crate::design::{Comparison, MonthlyStates};
use crate::effect::{ArmMeans, ContrastScale, Estimates};
use crate::error::{Result, counted};
use serde::{Deserialize, Serialize};

/// The mean number of months in one of some states until a horizon, such as months off benefit within two years, where
/// people are followed for different numbers of months.
///
/// Use it for an effect in months when people enter and leave states. Months in all states add up to the horizon. Where
/// everybody is seen until then it is the mean of the months of each person, and
/// [`Comparison::complete_months_in`] gives that outcome to the estimators of means.
///
/// # Formula
/// The sum over the months 1 to the horizon of the probabilities of
/// [`StateOccupation`](crate::estimator::StateOccupation), and the influence of each person summed likewise, with
/// covariates by pseudo-values. The scale contrasts the arms.
///
/// # Assumptions
/// As for [`StateOccupation`](crate::estimator::StateOccupation).
///
/// # Interval
/// Normal; Student's t with Satterthwaite's degrees of freedom where clusters were declared.
///
/// # Errors
/// A month beyond the register, or beyond the follow-up of an arm; a state that is not declared; all states; a ratio of
/// which an arm has 0; people of two arms who do not differ; an arm of one person; the errors of the covariates.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let people = Table::from_csv_path("examples/data/participants.csv")?
///     .keep_category("municipality", "Wageningen")?;
/// let trial = Trial::builder("Wageningen", people)
///     .arm_labels("arm")
///     .control("control")
///     .build()?;
/// let table = Table::from_csv_path("examples/data/registry_panel.csv")?
///     .keep_category("municipality", "Wageningen")?;
/// let states = Register::from_long(table, "participant", "month", "state")
///     .states(["benefit", "part_time", "full_time", "other"])
///     .aims(["part_time", "full_time"])
///     .months(24)
///     .measure()?;
/// let panel = trial.on(&states)?;
/// let mut total = 0.0;
/// for state in ["benefit", "part_time", "full_time", "other"] {
///     total +=
///         MonthsInState::new(MeanDifference, [state], 24).arm_means(&panel)?.values()[0];
/// }
/// assert!((total - 24.0).abs() < 1e-9);
/// let on_benefit = MonthsInState::new(MeanDifference, ["benefit"], 24);
/// assert!(panel.estimate(&on_benefit)?.treatment("guidance")?.value() < -3.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Aalen OO, Johansen S (1978), Scandinavian Journal of Statistics 5:141. Datta S, Satten GA (2001), Statistics &
/// Probability Letters 55:403. Andersen PK, Klein JP, Rosthoj S (2003), Biometrika 90:15. Andersen PK, Keiding N
/// (2012), Statistics in Medicine 31:1074.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MonthsInState<S> {
    pub(super) scale: S,
    states: Vec<String>,
    until: usize,
    #[serde(flatten, deserialize_with = "adjustment::interacted")]
    pub(super) adjustment: Adjustment,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "field::variance")]
    variance: Option<MarginalVariance>,
    #[serde(default = "usual_level", skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

impl<S> MonthsInState<S> {
    /// On this scale, in any of these states, from month 1 to this one; without covariates; level 0.95.
    pub fn new<T: AsRef<str>>(scale: S, states: impl IntoIterator<Item = T>, until: usize) -> Self {
        let states = states.into_iter().map(|state| state.as_ref().to_owned()).collect();
        let adjustment = Adjustment::default();
        Self { scale, states, until, adjustment, variance: None, level: 0.95 }
    }

    adjustment_setters!(sampled);

    setters! {
        /// The variance with covariates; default: Ye et al. (2023), stratified where strata were declared;
        /// superpopulation with weights; clustered where clusters were declared.
        variance: MarginalVariance as Some;
    }

    /// Every covariate with its products with every arm (Lin 2013; ANHECOVA). Default: covariates enter by
    /// themselves.
    #[must_use]
    pub fn interacted(mut self) -> Self {
        self.adjustment.terms = Terms::Interacted;
        self
    }
}

impl<S> Weighting<MonthlyStates> for MonthsInState<S> {
    fn arm_means(&self, comparison: &Comparison<MonthlyStates>) -> Result<ArmMeans> {
        let chosen = comparison.chosen(&self.states)?;
        comparison.check_month(self.until)?;
        let measure = comparison.described(&chosen, &format!("until {}", counted(self.until, "month")));
        let wanted = Wanted {
            quantity: PanelQuantity::Time { states: chosen.places, until: self.until },
            measure,
            name: "months in states (Aalen-Johansen)",
            adjusted: "months in states by pseudo-values",
            adjustment: &self.adjustment,
            variance: self.variance,
            level: self.level,
        };
        wanted.arm_means(comparison)
    }

    fn contrast<T: ContrastScale>(&self, means: &ArmMeans, scale: T) -> Result<Estimates<T>> {
        contrast_of_times(means, scale, self.until as f64)
    }
}

impl<S: ContrastScale> MonthsInState<S> {
    /// The mean of every arm with their joint covariance.
    ///
    /// # Errors
    /// As for the effects.
    pub fn arm_means(&self, comparison: &Comparison<MonthlyStates>) -> Result<ArmMeans> {
        Weighting::arm_means(self, comparison).map_err(|error| comparison.locate(error))
    }
}

impl<S: ContrastScale> Estimator<MonthlyStates> for MonthsInState<S> {
    type Scale = S;

    fn estimate(&self, comparison: &Comparison<MonthlyStates>) -> Result<Estimates<S>> {
        self.contrast(&Weighting::arm_means(self, comparison)?, self.scale.clone())
    }
}
