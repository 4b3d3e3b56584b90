use super::Estimator;
use super::adjustment::{self, Adjustment, adjustment_setters};
use super::clusters::Weighting;
use super::cox_regression::{Baseline, is_default, proportional};
use super::hazard_model::{
    Hazards, check_follow_up, check_follow_up_of_strata, in_each_arm, prepare, refuse_competing,
};
use super::options::{field, is_usual, usual_level};
use super::time_means::{contrast, measure_until};
use crate::compute::regression::MarginalVariance;
use crate::compute::survival::{Cox, Ties};
use crate::design::{Comparison, TimeToEvent};
use crate::effect::{ArmMeans, ContrastScale, Estimates, VarianceMethod};
use crate::error::Result;
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

/// The risk of an event up to a horizon by Cox regression, standardised over everybody: marginal effects of a
/// model of hazards.
///
/// Use it for an absolute effect beside a hazard ratio of the same model. It takes hazards as proportional;
/// [`RiskAtHorizon`](crate::estimator::RiskAtHorizon) does not, and has a version with competing causes.
///
/// # Formula
/// The risk of arm `a` is the mean over everybody analysed of `1 - exp(-H_0(t) exp(b_a + x'c))`, as if all
/// had been in that arm, with the coefficients of [`CoxRegression`](crate::estimator::CoxRegression) and the
/// cumulative baseline hazard `H_0` of Breslow, or Efron's version of it, in each stratum by
/// [`stratified`](CoxRiskAtHorizon::stratified). The scale contrasts the risks.
///
/// # Assumptions
/// Those of Cox regression: proportional hazards, the same ratio for everybody. People are independent (a
/// notice says where clusters were declared).
///
/// # Interval
/// Normal, by the delta method: the inverse information of the coefficients, the variance of the baseline
/// hazard (Tsiatis 1981), and the sampling of covariates.
///
/// # Errors
/// Competing causes; a horizon beyond the follow-up of an arm or stratum; those of Cox regression; exact
/// ties.
///
/// # Examples
/// ```
/// use armwise::estimator::CoxRiskAtHorizon;
/// use armwise::prelude::*;
///
/// let csv = "arm,month,gone,age\nc,1,1,30\nc,2,0,40\nc,2,1,50\nc,3,0,35\nc,3,0,28\n\
///     t,1,1,33\nt,2,1,45\nt,3,0,51\nt,3,1,38\nt,3,0,29\n";
/// let trial = Trial::builder("Utrecht", Table::from_csv_str(csv)?)
///     .arm_labels("arm")
///     .control("c")
///     .build()?;
/// let exits = trial.on(&Measure::time_to_event("month", "gone").unit("months"))?;
/// let model = CoxRiskAtHorizon::new(RiskDifference, 3.0).adjust_for(["age"]);
/// let effect = exits.estimate(&model)?.treatment("t")?;
/// assert!(effect.value() > 0.0 && effect.interval().contains(0.0));
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Tsiatis AA (1981), Annals of Statistics 9:93. Chen PY, Tsiatis AA (2001), Biometrics 57:1030.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoxRiskAtHorizon<S> {
    pub(super) scale: S,
    horizon: f64,
    #[serde(flatten, deserialize_with = "adjustment::of_risks")]
    pub(super) adjustment: Adjustment,
    #[serde(default, skip_serializing_if = "is_default", deserialize_with = "field::ties")]
    ties: Ties,
    #[serde(default, skip_serializing_if = "is_default")]
    baseline: Baseline,
    #[serde(default = "usual_level", skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

impl<S> CoxRiskAtHorizon<S> {
    /// On this scale, up to this time in the unit of the measure; without covariates; Efron's ties; one
    /// baseline hazard; level 0.95.
    pub fn new(scale: S, horizon: f64) -> Self {
        let (ties, baseline) = (Ties::default(), Baseline::default());
        Self { scale, horizon, adjustment: Adjustment::default(), ties, baseline, level: 0.95 }
    }

    adjustment_setters!(covariates);

    setters! {
        /// What the likelihood makes of events at the same time: Efron's or Breslow's; default:
        /// [`Ties::Efron`].
        ties: Ties;
    }

    /// A baseline hazard for each declared stratum. Default: one for everybody.
    #[must_use]
    pub fn stratified(mut self) -> Self {
        self.baseline = Baseline::ByStratum;
        self
    }

    /// The same estimator on another scale.
    pub(super) fn on<T>(self, scale: T) -> CoxRiskAtHorizon<T> {
        let Self { horizon, adjustment, ties, baseline, level, .. } = self;
        CoxRiskAtHorizon { scale, horizon, adjustment, ties, baseline, level }
    }

    /// The words behind the scale.
    pub(super) fn words(&self) -> String {
        format!("by Cox regression at the horizon {}", crate::error::number(self.horizon))
    }
}

impl<S> Weighting<TimeToEvent> for CoxRiskAtHorizon<S> {
    fn arm_means(&self, comparison: &Comparison<TimeToEvent>) -> Result<ArmMeans> {
        let mut measure = measure_until(comparison, self.horizon)?;
        // A risk is in no units of time.
        measure.unit = None;
        refuse_competing(comparison)?;
        let by_stratum = self.baseline == Baseline::ByStratum;
        let name = if by_stratum { "risk by stratified Cox regression" } else { "risk by Cox regression" };
        let prepared = prepare(&self.adjustment, comparison, name, self.level)?;
        let people = prepared.comparison();
        check_follow_up(people, self.horizon)?;
        if by_stratum {
            check_follow_up_of_strata(people, self.horizon)?;
        }
        let hazards = Hazards::new(&prepared, by_stratum, false)?;
        let k = people.arms().len();
        let (risks, of_fit) = prepared.with_columns(|columns| {
            let matrix = columns.matrix.select(&(1..columns.matrix.ncols()).collect::<Vec<_>>())?;
            let data = hazards.data(None)?;
            let fit = Cox::new().ties(self.ties).fit(&data, &matrix)?;
            let settings = in_each_arm(&matrix, k);
            let views: Vec<ArrayView2<f64>> =
                settings.iter().map(|setting: &Array2<f64>| setting.view()).collect();
            let places: Vec<usize> = (0..k - 1).collect();
            let few = hazards.few_events(matrix.ncols());
            let notices = few.into_iter().chain(proportional(&fit, &places, false)).collect::<Vec<_>>();
            Ok((fit.standardized_risks(&views, self.horizon)?, notices))
        })?;
        let variance = VarianceMethod::Marginal(MarginalVariance::Superpopulation);
        let covariance = risks.superpopulation_covariance;
        let means = ArmMeans::new(people, risks.risks.to_vec(), covariance, prepared.method(variance))?;
        let strata = hazards.strata_left_out(people.arm_indices(), k);
        let ignored = prepared.strata_ignored().into_iter().filter(|_| !by_stratum);
        let notices = of_fit.into_iter().chain(strata).chain(ignored).chain(people.clusters_ignored());
        Ok(means.level(self.level).notices(notices).described(|about| about.measure = measure))
    }

    fn contrast<T: ContrastScale>(&self, means: &ArmMeans, scale: T) -> Result<Estimates<T>> {
        contrast(means, scale)
    }
}

impl<S: ContrastScale> CoxRiskAtHorizon<S> {
    /// The risk of every arm with their joint covariance.
    ///
    /// # Errors
    /// As for the effects.
    pub fn arm_means(&self, comparison: &Comparison<TimeToEvent>) -> Result<ArmMeans> {
        Weighting::arm_means(self, comparison).map_err(|error| comparison.locate(error))
    }
}

impl<S: ContrastScale> Estimator<TimeToEvent> for CoxRiskAtHorizon<S> {
    type Scale = S;

    fn estimate(&self, comparison: &Comparison<TimeToEvent>) -> Result<Estimates<S>> {
        let means = self.arm_means(comparison)?;
        self.contrast(&means, self.scale.clone())
    }
}
