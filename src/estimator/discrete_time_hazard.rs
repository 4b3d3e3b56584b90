use super::Estimator;
use super::adjustment::{self, Adjustment, adjustment_setters};
use super::clusters::Weighting;
use super::hazard_model::{Hazards, check_follow_up, in_each_arm, prepare, refuse_competing};
use super::options::{is_usual, usual_level};
use super::time_means::{contrast, measure_until};
use crate::compute::regression::{ClusterShares, ClusterVariance, Link};
use crate::compute::survival::DiscreteTime;
use crate::design::{Comparison, TimeToEvent};
use crate::effect::{ArmMeans, ContrastScale, Estimates, VarianceMethod};
use crate::error::{Error, ErrorKind, Result, SeparatedModel, Sign, number};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

/// The risk of an event up to a horizon by a regression of hazards in discrete time, such as months,
/// standardised over everybody.
///
/// Use it where times are counted in whole periods, and covariates should help; it smooths over censoring
/// within arms by its model, where [`RiskAtHorizon`](crate::estimator::RiskAtHorizon) takes each arm as it
/// is. For events with competing causes use that.
///
/// # Formula
/// `g(P(event in period m | none before)) = a_m + sum(b_a [arm = a]) + x'c` by maximum likelihood over
/// person-periods, `g` the logit or the complementary log-log link, with a level `a_m` for each period with
/// an event. The risk of arm `a` is the mean of `1 - prod(1 - hazard)` over the periods up to the horizon and
/// over everybody analysed, as if all had been in that arm. The scale contrasts the risks. What comes after
/// the horizon is not used.
///
/// # Assumptions
/// Effects are the same in all periods on the scale of the link: odds of an event in a period (logit), or
/// hazards of the time behind the periods (complementary log-log). Those who are censored in a period were at
/// risk in it, and are like those who stay. People are independent, but for declared clusters.
///
/// # Interval
/// Normal, by the delta method with the inverse information, these people's covariates taken as they are;
/// with declared clusters the sandwich over clusters times `G / (G - 1)`, and Student's t with
/// Satterthwaite's degrees of freedom.
///
/// # Errors
/// Competing causes; times of entry; a horizon that is no whole number of periods, or beyond the follow-up of
/// an arm; nobody with the event in an arm, or a covariate that decides it (`separation`); aliased columns by
/// name.
///
/// # Examples
/// ```
/// use armwise::estimator::DiscreteTimeHazard;
/// use armwise::prelude::*;
///
/// // People who leave otherwise are taken as censored, which is asked for by name here.
/// const WORK: Measure<TimeToEvent> = Measure::time_to_event("exit_month", "exit_reason")
///     .of("work")
///     .censored(&["none", "other"])
///     .unit("months")
///     .higher_is_better();
///
/// let csv = "arm,exit_month,exit_reason,age\nc,1,work,30\nc,2,none,40\nc,2,work,50\n\
///     c,3,none,35\nc,3,none,28\nt,1,work,33\nt,2,work,45\nt,3,none,51\nt,3,work,38\n\
///     t,3,none,29\n";
/// let trial = Trial::builder("Utrecht", Table::from_csv_str(csv)?)
///     .arm_labels("arm")
///     .control("c")
///     .build()?;
/// let model = DiscreteTimeHazard::logit(RiskDifference, 3.0).adjust_for(["age"]);
/// let effect = trial.on(&WORK)?.estimate(&model)?.treatment("t")?;
/// assert!(effect.value() > 0.0 && effect.interval().contains(0.0));
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Prentice RL, Gloeckler LA (1978), Biometrics 34:57. Singer JD, Willett JB (1993), Journal of Educational
/// Statistics 18:155.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiscreteTimeHazard<S> {
    pub(super) scale: S,
    horizon: f64,
    link: Link,
    #[serde(default = "one", skip_serializing_if = "is_one")]
    period: f64,
    #[serde(flatten, deserialize_with = "adjustment::of_periods")]
    pub(super) adjustment: Adjustment,
    #[serde(default = "usual_level", skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

fn one() -> f64 {
    1.0
}

// The signature that serde asks for.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_one(period: &f64) -> bool {
    *period == 1.0
}

impl<S> DiscreteTimeHazard<S> {
    fn new(scale: S, horizon: f64, link: Link) -> Self {
        Self { scale, horizon, link, period: 1.0, adjustment: Adjustment::default(), level: 0.95 }
    }

    /// With the logit link, on this scale, up to this time in the unit of the measure; periods of one unit;
    /// without covariates; level 0.95.
    pub fn logit(scale: S, horizon: f64) -> Self {
        Self::new(scale, horizon, Link::Logit)
    }

    /// With the complementary log-log link, whose effects are log hazard ratios.
    pub fn complementary_log_log(scale: S, horizon: f64) -> Self {
        Self::new(scale, horizon, Link::ComplementaryLogLog)
    }

    adjustment_setters!(covariates);

    setters! {
        /// The length of a period in the unit of the measure; default 1.
        period: f64;
    }

    /// The same estimator on another scale.
    pub(super) fn on<T>(self, scale: T) -> DiscreteTimeHazard<T> {
        let Self { horizon, link, period, adjustment, level, .. } = self;
        DiscreteTimeHazard { scale, horizon, link, period, adjustment, level }
    }

    /// The words behind the scale.
    pub(super) fn words(&self) -> String {
        format!("by hazards in discrete time at the horizon {}", number(self.horizon))
    }

    /// The number of periods until the horizon.
    fn periods(&self) -> Result<u32> {
        if !(self.period > 0.0 && self.period.is_finite()) {
            return Err(Error::invalid(format!(
                "the length of a period is {}; give one above 0",
                self.period
            )));
        }
        let periods = self.horizon / self.period;
        if (periods - periods.round()).abs() > 1e-9 * periods || !(1.0..=1e6).contains(&periods.round()) {
            return Err(Error::invalid(format!(
                "the horizon {} is no whole number of periods of {} up to a million; give one",
                number(self.horizon),
                number(self.period)
            )));
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 1 to 1e6
        Ok(periods.round() as u32)
    }
}

impl<S> Weighting<TimeToEvent> for DiscreteTimeHazard<S> {
    fn arm_means(&self, comparison: &Comparison<TimeToEvent>) -> Result<ArmMeans> {
        let mut measure = measure_until(comparison, self.horizon)?;
        // A risk is in no units of time.
        measure.unit = None;
        refuse_competing(comparison)?;
        let periods = self.periods()?;
        let name = match self.link {
            Link::Logit => "hazards in discrete time, logit",
            _ => "hazards in discrete time, complementary log-log",
        };
        let prepared = prepare(&self.adjustment, comparison, name, self.level)?;
        let people = prepared.comparison();
        check_follow_up(people, self.horizon)?;
        let clustered = people.clusters().is_some();
        let hazards = Hazards::new(&prepared, false, clustered)?.until(self.horizon);
        let k = people.arms().len();
        let (risks, covariance, few) = prepared.with_columns(|columns| {
            let matrix = columns.matrix.select(&(1..columns.matrix.ncols()).collect::<Vec<_>>())?;
            let data = hazards.data(None)?;
            let model = DiscreteTime::new(self.period).link(self.link);
            let fit = model.fit(&data, &matrix).map_err(separated)?;
            let settings = in_each_arm(&matrix, k);
            let views: Vec<ArrayView2<f64>> =
                settings.iter().map(|setting: &Array2<f64>| setting.view()).collect();
            let risks = fit.standardized_risks(&views, periods)?;
            let few = hazards.few_events(matrix.ncols());
            let covariance = if clustered { risks.clustered_covariance } else { risks.covariance };
            Ok((risks.risks, covariance, few))
        })?;
        let notices = few.into_iter().chain(prepared.strata_ignored());
        let means = |covariance, method: VarianceMethod| {
            ArmMeans::new(people, risks.to_vec(), covariance, prepared.method(method))
        };
        let means = if let Some(clusters) = people.clusters() {
            let shares = ClusterShares::new(&clusters.codes, people.arm_indices(), k, |_| 1.0)?;
            let count = clusters.occurring() as f64;
            let covariance = covariance * (count / (count - 1.0));
            means(covariance, VarianceMethod::Clustered(ClusterVariance::Cr1))?.clusters(shares.df())
        } else {
            means(covariance, VarianceMethod::Other("delta method, model-based".to_owned()))?
        };
        Ok(means.level(self.level).notices(notices).described(|about| about.measure = measure))
    }

    fn contrast<T: ContrastScale>(&self, means: &ArmMeans, scale: T) -> Result<Estimates<T>> {
        contrast(means, scale)
    }
}

/// What runs to infinity: an arm or a covariate, or the hazard of a period at whose end nobody is left.
fn separated(error: Error) -> Error {
    let ErrorKind::Separation { coefficients, .. } = error.kind() else { return error };
    let is_period = |name: &str| name.starts_with("period[");
    let rises = |(name, sign): &&(String, Sign)| is_period(name) && *sign == Sign::Positive;
    if let Some((period, _)) = coefficients.iter().find(rises) {
        let why = format!(
            "everybody at risk in {period} has the event, so that its hazard has no odds; give longer periods, an earlier horizon, or take \
             RiskAtHorizon"
        );
        return ErrorKind::NotEstimable(why).into();
    }
    // Where nobody of the reference has the event, periods fall with it.
    let mut kind = error.kind().clone();
    if let ErrorKind::Separation { coefficients, .. } = &mut kind {
        coefficients.retain(|(name, _)| !is_period(name));
    }
    error.with_kind(kind).separated_by_arms("arm[").separating(SeparatedModel::Risks)
}

impl<S: ContrastScale> DiscreteTimeHazard<S> {
    /// The risk of every arm with their joint covariance.
    ///
    /// # Errors
    /// As for the effects.
    pub fn arm_means(&self, comparison: &Comparison<TimeToEvent>) -> Result<ArmMeans> {
        Weighting::arm_means(self, comparison).map_err(|error| comparison.locate(error))
    }
}

impl<S: ContrastScale> Estimator<TimeToEvent> for DiscreteTimeHazard<S> {
    type Scale = S;

    fn estimate(&self, comparison: &Comparison<TimeToEvent>) -> Result<Estimates<S>> {
        self.contrast(&Weighting::arm_means(self, comparison)?, self.scale.clone())
    }
}
