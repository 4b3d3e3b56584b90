use super::Estimator;
use super::adjustment::{self, Adjustment, Terms, adjustment_setters};
use super::clusters::Weighting;
use super::options::{field, is_usual, usual_level};
use super::time_means::{Wanted, contrast, measure_until};
use crate::compute::regression::MarginalVariance;
use crate::compute::survival::SurvivalQuantity;
use crate::design::{Comparison, TimeToEvent};
use crate::effect::{ArmMeans, ContrastScale, Estimates};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// The risk of the event of interest up to a horizon, such as the share of people who left benefit for work
/// within 12 months, with censoring and competing causes.
///
/// Use it where people are followed for different times, or can leave for several reasons. Without censoring
/// it is the difference (ratio, odds ratio) in proportions.
///
/// # Formula
/// The cumulative incidence of Aalen and Johansen in each arm, `F_a(t) = sum S(u-) d(u) / n(u)` over the times
/// `u <= t` (an event at the horizon counts) with `d` events of the cause among `n` people at risk, and `S` the
/// probability to be without any event; one minus Kaplan and Meier's curve where no cause competes. The scale
/// contrasts the risks. With covariates: the pseudo-value of a person of arm `a` with influence function
/// `phi_i` and weight `w_i` is `F_a + W_a phi_i`, `W_a` being the weight of the arm; these are regressed on arms
/// and covariates by least squares, and the arms' means are standardised over everybody. In a randomised trial
/// the effect is right whatever the regression, as its covariates are alike in all arms but for chance.
///
/// # Assumptions
/// People were randomised. Within an arm, those who are censored are like those who stay. A competing cause is
/// no censoring. With covariates the assumption on censoring is the same: it does not depend on them.
///
/// # Interval
/// Normal, or with declared clusters Student's t. Without covariates the variance is the sum of squares of the
/// influence functions (equal to Greenwood's multinomial form where all weights are 1); with declared clusters
/// they are summed by cluster, with the factor of CR2 and Satterthwaite's degrees of freedom. With covariates it
/// is that of standardised means ([`MarginalVariance`]), which counts declared strata and clusters. Without
/// covariates declared strata are not used, as a notice says.
///
/// # Errors
/// A horizon beyond the follow-up of an arm while people are still there (`beyond_follow_up`, with the last
/// time); a measure with a horizon of its own; one person in an arm; a log ratio of a risk of 0.
///
/// # Examples
/// ```
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
/// let table = Table::from_csv_path("examples/data/participants.csv")?;
/// let trials =
///     Trials::builder(table, "municipality").arm_labels("arm").control("control").build()?;
/// let exits = trials.trial("Tilburg")?.on(&EXIT)?;
/// let at_12 = RiskAtHorizon::new(RiskDifference, 12.0);
/// let crude = exits.estimate(&at_12)?.treatment("guidance")?;
/// assert_eq!(crude.measure().horizon.as_deref(), Some("12 months"));
/// let adjusted = at_12.adjust_for(["age", "months_on_benefit"]);
/// let adjusted = exits.estimate(&adjusted)?.treatment("guidance")?;
/// assert!((crude.value() - adjusted.value()).abs() < 0.02);
///
/// // Utrecht followed people for 16 months.
/// let at_24 = RiskAtHorizon::new(RiskDifference, 24.0);
/// let error = trials.trial("Utrecht")?.on(&EXIT)?.estimate(&at_24).unwrap_err();
/// assert!(error.to_string().contains("ends at month 16"));
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Aalen OO, Johansen S (1978), Scandinavian Journal of Statistics 5:141. Andersen PK, Klein JP, Rosthoj S
/// (2003), Biometrika 90:15. Overgaard M, Parner ET, Pedersen J (2017), Annals of Statistics 45:1988. Ye T,
/// Shao J, Yi Y, Zhao Q (2023), Journal of the American Statistical Association 118:2370.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskAtHorizon<S> {
    pub(super) scale: S,
    horizon: f64,
    #[serde(flatten, deserialize_with = "adjustment::interacted")]
    pub(super) adjustment: Adjustment,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "field::variance")]
    variance: Option<MarginalVariance>,
    #[serde(default = "usual_level", skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

impl<S> RiskAtHorizon<S> {
    /// On this scale, up to this time in the unit of the measure; without covariates; level 0.95.
    pub fn new(scale: S, horizon: f64) -> Self {
        Self { scale, horizon, adjustment: Adjustment::default(), variance: None, level: 0.95 }
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

    /// The same estimator on another scale.
    pub(super) fn on<T>(self, scale: T) -> RiskAtHorizon<T> {
        let Self { horizon, adjustment, variance, level, .. } = self;
        RiskAtHorizon { scale, horizon, adjustment, variance, level }
    }

    /// The words behind the scale.
    pub(super) fn words(&self) -> String {
        format!("at the horizon {}", crate::error::number(self.horizon))
    }
}

impl<S> Weighting<TimeToEvent> for RiskAtHorizon<S> {
    fn arm_means(&self, comparison: &Comparison<TimeToEvent>) -> Result<ArmMeans> {
        let mut measure = measure_until(comparison, self.horizon)?;
        // A risk is in no units of time.
        measure.unit = None;
        let competing = comparison.kind().causes().len() > 1;
        let wanted = Wanted {
            quantity: SurvivalQuantity::CumulativeIncidence { cause: 1, at: self.horizon },
            horizon: self.horizon,
            measure,
            name: if competing { "cumulative incidence (Aalen-Johansen)" } else { "one minus Kaplan-Meier" },
            adjusted: "cumulative incidence by pseudo-values",
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

impl<S: ContrastScale> RiskAtHorizon<S> {
    /// The risk of every arm with their joint covariance.
    ///
    /// # Errors
    /// As for the effects.
    pub fn arm_means(&self, comparison: &Comparison<TimeToEvent>) -> Result<ArmMeans> {
        Weighting::arm_means(self, comparison).map_err(|error| comparison.locate(error))
    }
}

impl<S: ContrastScale> Estimator<TimeToEvent> for RiskAtHorizon<S> {
    type Scale = S;

    fn estimate(&self, comparison: &Comparison<TimeToEvent>) -> Result<Estimates<S>> {
        self.contrast(&Weighting::arm_means(self, comparison)?, self.scale.clone())
    }
}
