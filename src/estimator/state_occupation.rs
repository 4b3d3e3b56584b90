use super::Estimator;
use super::adjustment::{self, Adjustment, Terms, adjustment_setters};
use super::clusters::Weighting;
use super::options::{field, is_usual, usual_level};
use super::state_means::Wanted;
use super::time_means::contrast;
use crate::compute::multistate::PanelQuantity;
use crate::compute::regression::MarginalVariance;
use crate::design::{Comparison, MonthlyStates};
use crate::effect::{ArmMeans, ContrastScale, Estimates};
use crate::error::{Result, counted};
use serde::{Deserialize, Serialize};

/// The probability to be in one of some states in a month, such as part-time or full-time work 12 months after
/// randomisation, where people are followed for different numbers of months.
///
/// Use it where people may enter a state and leave it again, so that a time to the first exit does not tell where they
/// are. Where everybody is seen in the month it is the share of people, and
/// [`Comparison::observed_in`] gives that outcome to the estimators of proportions.
///
/// # Formula
/// `p_a(m) = p_a(m - 1) P_a(m)` in arm `a`, with `P_a(m)` the shares of those who move from each state to each from
/// month `m - 1` to `m` among those who are seen in both (Aalen-Johansen); the value is the sum of `p_a(m)` over the
/// states. Its variance is the sum of squares of the influence of each person, summed over declared clusters with CR2.
/// With covariates: the standardised means of pseudo-values, the value plus the influence of each person times their
/// number in the arm, by linear regression (Ye et al. 2023). The scale contrasts the arms.
///
/// # Assumptions
/// Who is no longer followed would have gone on like the others in the same state of the same arm and month. The
/// process may have a memory. With covariates randomisation makes arms alike.
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
/// let works = StateOccupation::new(RiskDifference, ["part_time", "full_time"], 12);
/// let effect = panel.estimate(&works)?.treatment("guidance")?;
/// assert!(effect.value() > 0.2 && effect.p_value() < 0.05);
/// let adjusted = panel.estimate(&works.adjust_for(["age"]))?.treatment("guidance")?;
/// assert!((effect.value() - adjusted.value()).abs() < 0.05);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Aalen OO, Johansen S (1978), Scandinavian Journal of Statistics 5:141. Datta S, Satten GA (2001), Statistics &
/// Probability Letters 55:403. Andersen PK, Klein JP, Rosthoj S (2003), Biometrika 90:15. Andersen PK, Keiding N
/// (2012), Statistics in Medicine 31:1074.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateOccupation<S> {
    pub(super) scale: S,
    states: Vec<String>,
    month: usize,
    #[serde(flatten, deserialize_with = "adjustment::interacted")]
    pub(super) adjustment: Adjustment,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "field::variance")]
    variance: Option<MarginalVariance>,
    #[serde(default = "usual_level", skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

impl<S> StateOccupation<S> {
    /// On this scale, in any of these states, in this month; without covariates; level 0.95.
    pub fn new<T: AsRef<str>>(scale: S, states: impl IntoIterator<Item = T>, month: usize) -> Self {
        let states = states.into_iter().map(|state| state.as_ref().to_owned()).collect();
        let adjustment = Adjustment::default();
        Self { scale, states, month, adjustment, variance: None, level: 0.95 }
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

impl<S> Weighting<MonthlyStates> for StateOccupation<S> {
    fn arm_means(&self, comparison: &Comparison<MonthlyStates>) -> Result<ArmMeans> {
        let chosen = comparison.chosen(&self.states)?;
        comparison.check_month(self.month)?;
        let mut measure = comparison.described(&chosen, &counted(self.month, "month"));
        // A probability is in no units of time.
        measure.unit = None;
        let wanted = Wanted {
            quantity: PanelQuantity::Occupied { states: chosen.places, at: self.month },
            measure,
            name: "state occupation (Aalen-Johansen)",
            adjusted: "state occupation by pseudo-values",
            adjustment: &self.adjustment,
            variance: self.variance,
            level: self.level,
        };
        wanted.arm_means(comparison)
    }

    fn contrast<T: ContrastScale>(&self, means: &ArmMeans, scale: T) -> Result<Estimates<T>> {
        contrast(means, scale)
    }
}

impl<S: ContrastScale> StateOccupation<S> {
    /// The probability of every arm with their joint covariance.
    ///
    /// # Errors
    /// As for the effects.
    pub fn arm_means(&self, comparison: &Comparison<MonthlyStates>) -> Result<ArmMeans> {
        Weighting::arm_means(self, comparison).map_err(|error| comparison.locate(error))
    }
}

impl<S: ContrastScale> Estimator<MonthlyStates> for StateOccupation<S> {
    type Scale = S;

    fn estimate(&self, comparison: &Comparison<MonthlyStates>) -> Result<Estimates<S>> {
        self.contrast(&Weighting::arm_means(self, comparison)?, self.scale.clone())
    }
}
