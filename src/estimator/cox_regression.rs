use super::Estimator;
use super::adjustment::{self, Adjustment, Columns, Prepared, adjustment_setters};
use super::clusters::refuse_alone;
use super::hazard_model::{Hazards, cluster_df, interval_of, prepare, wald};
use super::options::{field, is_usual};
use crate::compute::curve::Inference;
use crate::compute::distribution::Normal;
use crate::compute::interval::Interval;
use crate::compute::linalg::submatrix;
use crate::compute::regression::{Fitted as _, ModelMatrix, Weights};
use crate::compute::survival::{
    Cox, CoxFit, CoxVariance, FirthCox, FirthCoxFit, SurvivalData, Ties, TimeTransform,
};
use crate::design::{Comparison, Notice, TimeToEvent};
use crate::effect::{
    About, Contrast, Estimand, Estimates, IntervalMethod, LogHazardRatio, Method, VarianceMethod,
};
use crate::error::{Error, Result};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// Cox regression of a time to an event on arms and covariates: a log hazard ratio for each treatment; with
/// competing causes that of the cause-specific hazard.
///
/// Use it where the rate at which people leave is the question and its ratio is about the same at all times.
/// For the share of people who left by a time use [`RiskAtHorizon`](crate::estimator::RiskAtHorizon); for
/// months [`RestrictedMeanTime`](crate::estimator::RestrictedMeanTime), which needs no proportional hazards.
/// With competing causes a hazard ratio alone does not say which arm has more events of the cause.
///
/// # Formula
/// `h(t) = h_0(t) exp(sum(b_a [arm = a]) + x'c)`, `h` being the hazard of the cause of interest among those
/// without any event, and `h_0` of any form; by [`stratified`](Self::stratified) one `h_0` in each declared
/// stratum. The effect of arm `a` is `b_a`, which maximises the partial likelihood (Efron's for ties). By
/// [`firth`](Self::firth) half the logarithm of the determinant of the information is added to it.
///
/// # Assumptions
/// Hazards are proportional, and the ratio is the same for everybody; those who are censored, or leave for
/// another cause, are like those at risk. People are independent, but for declared clusters. The score test
/// that effects do not change with time (Grambsch & Therneau, Kaplan-Meier's transform, all arms together) is
/// part of the fit: where it rejects at 0.05, or cannot be made, a notice says so. It takes people as
/// independent.
///
/// # Interval
/// Normal with the inverse information by default; with probability weights the sandwich of Lin and Wei; with
/// declared clusters that sandwich over clusters times `G / (G - 1)`, with Student's t on the clusters of the
/// two arms less 1. Another by [`variance`](Self::variance). With Firth's penalty the values that the
/// penalised likelihood ratio test does not reject, as the p-value.
///
/// # Errors
/// Nobody with the event; an arm or covariate whose hazard ratio is infinite, by name (`separation`); aliased
/// columns by name; exact ties with weights or a robust variance; the penalty with weights, exact ties or a
/// chosen variance; a clustered variance without declared clusters, or with one in an arm.
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
/// let trials = Trials::builder(table, "municipality")
///     .arm_labels("arm")
///     .control("control")
///     .strata(["stratum"])
///     .build()?;
/// let exits = trials.on(&EXIT)?;
/// let effects = exits.estimate(&CoxRegression::new().stratified())?;
/// let pooled = RandomEffects::new().pool(&effects.treatment("guidance")?)?;
/// assert!(pooled.ratio().unwrap() > 1.0);
///
/// let utrecht = trials.trial("Utrecht")?.on(&EXIT)?;
/// let adjusted = utrecht.estimate(&CoxRegression::new().adjust_for(["age", "female"]))?;
/// assert!(adjusted.treatment("guidance")?.p_value() > 0.05);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Cox DR (1972), Journal of the Royal Statistical Society B 34:187. Efron B (1977), Journal of the American
/// Statistical Association 72:557. Prentice RL et al. (1978), Biometrics 34:541 (cause-specific hazards). Lin
/// DY, Wei LJ (1989), Journal of the American Statistical Association 84:1074. Grambsch PM, Therneau TM
/// (1994), Biometrika 81:515. Heinze G, Schemper M (2001), Biometrics 57:114.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CoxRegression {
    #[serde(flatten, deserialize_with = "adjustment::hazards")]
    pub(super) adjustment: Adjustment,
    #[serde(skip_serializing_if = "is_default", deserialize_with = "field::ties")]
    ties: Ties,
    #[serde(skip_serializing_if = "is_default")]
    baseline: Baseline,
    #[serde(skip_serializing_if = "is_default")]
    likelihood: Likelihood,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "field::variance")]
    variance: Option<CoxVariance>,
    #[serde(skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

/// Who has the same baseline hazard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Baseline {
    #[default]
    Common,
    ByStratum,
}

/// What is maximised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Likelihood {
    #[default]
    Partial,
    Penalized,
}

pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The test of proportional hazards rejects below this p-value.
const REJECTED: f64 = 0.05;

impl Default for CoxRegression {
    fn default() -> Self {
        Self {
            adjustment: Adjustment::default(),
            ties: Ties::default(),
            baseline: Baseline::default(),
            likelihood: Likelihood::default(),
            variance: None,
            level: 0.95,
        }
    }
}

impl CoxRegression {
    /// Without covariates; Efron's ties; one baseline hazard; level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    adjustment_setters!(sampled);

    setters! {
        /// What the likelihood makes of events at the same time; default: [`Ties::Efron`].
        ties: Ties;
        /// The variance; default: model-based, robust with probability weights, clustered with the factor
        /// `G / (G - 1)` where clusters were declared.
        variance: CoxVariance as Some;
    }

    /// A baseline hazard for each declared stratum: people are compared within their stratum. Default: one
    /// for everybody.
    #[must_use]
    pub fn stratified(mut self) -> Self {
        self.baseline = Baseline::ByStratum;
        self
    }

    /// With Firth's penalty: finite effects even for an arm without events, and less bias with few of them.
    /// Default: without.
    #[must_use]
    pub fn firth(mut self) -> Self {
        self.likelihood = Likelihood::Penalized;
        self
    }

    /// The name with its conventions, such as `stratified cause-specific Cox regression (Efron ties)`.
    fn words(&self, comparison: &Comparison<TimeToEvent>) -> String {
        let stratified = if self.baseline == Baseline::ByStratum { "stratified " } else { "" };
        let specific = if comparison.kind().causes().len() > 1 { "cause-specific " } else { "" };
        let penalised = if self.likelihood == Likelihood::Penalized { "Firth-penalised " } else { "" };
        format!("{stratified}{penalised}{specific}Cox regression ({} ties)", self.ties)
    }

    /// The variance that was chosen, or the default one.
    fn variance_of(&self, prepared: &Prepared<'_, TimeToEvent>) -> Result<CoxVariance> {
        let weighted = prepared.has_probability_weights();
        let variance = self.variance.unwrap_or({
            if prepared.comparison().clusters().is_some() && self.ties != Ties::Exact {
                CoxVariance::ClusteredSmallSample
            } else if weighted {
                CoxVariance::Robust
            } else {
                CoxVariance::Model
            }
        });
        if weighted && variance == CoxVariance::Model {
            let why =
                "a model-based variance depends on the unit of probability weights; use CoxVariance::Robust";
            return Err(prepared.comparison().locate(Error::invalid(why)));
        }
        if variance == CoxVariance::Robust {
            let comparison = prepared.comparison();
            refuse_alone(comparison).map_err(|error| comparison.locate(error))?;
        }
        Ok(variance)
    }

    /// The identity of the effects, with what the model leaves unsaid.
    fn about(
        &self,
        prepared: &Prepared<'_, TimeToEvent>,
        hazards: &Hazards,
        variance: VarianceMethod,
        interval: IntervalMethod,
        clusters_count: bool,
    ) -> Result<About> {
        let comparison = prepared.comparison();
        let method = Method { estimator: self.words(comparison), interval, ..prepared.method(variance) };
        let by_stratum = self.baseline == Baseline::ByStratum;
        let estimand = if by_stratum { Estimand::Conditional } else { self.adjustment.estimand() };
        let mut about = About::of(comparison, estimand, method, self.level)?;
        let arms = comparison.arms().len();
        about.notices.extend(hazards.strata_left_out(comparison.arm_indices(), arms));
        about.notices.extend(prepared.strata_ignored().into_iter().filter(|_| !by_stratum));
        about.notices.extend(comparison.clusters_ignored().filter(|_| !clusters_count));
        Ok(about)
    }

    fn partial(
        &self,
        prepared: &Prepared<'_, TimeToEvent>,
        comparison: &Comparison<TimeToEvent>,
    ) -> Result<Estimates<LogHazardRatio>> {
        let variance = self.variance_of(prepared)?;
        let clustered = matches!(variance, CoxVariance::Clustered | CoxVariance::ClusteredSmallSample);
        let hazards = Hazards::new(prepared, self.baseline == Baseline::ByStratum, clustered)?;
        let df = if clustered { Some(cluster_df(comparison)?) } else { None };
        let k = comparison.treatments().len();
        let places: Vec<usize> = (0..k).collect();
        let weighted = prepared.has_probability_weights();
        let (contrasts, covariance, notices) = prepared.with_columns(|columns| {
            let data = of_interest(&hazards, &columns)?;
            let matrix = without_intercept(&columns)?;
            let fit = Cox::new().ties(self.ties).fit(&data, &matrix)?;
            let covariance = submatrix(fit.covariance(variance)?.view(), &places);
            let values = fit.coefficients();
            let contrasts = wald(comparison, values, &covariance, df.as_deref(), self.level)?;
            let mut notices: Vec<Notice> = hazards
                .few_events(matrix.ncols())
                .into_iter()
                .chain(proportional(&fit, &places, weighted))
                .collect();
            if let Weights::Probability(weights) = &columns.weights {
                notices.extend(prepared.dominant_weights(weights.view())?);
            }
            Ok((contrasts, covariance, notices))
        })?;
        let method = VarianceMethod::Hazard(variance);
        let mut about = self.about(prepared, &hazards, method, interval_of(df.as_deref()), clustered)?;
        about.notices.extend(notices);
        Estimates::new(LogHazardRatio, about, comparison.reference().clone(), contrasts, covariance)
    }

    fn penalized(
        &self,
        prepared: &Prepared<'_, TimeToEvent>,
        comparison: &Comparison<TimeToEvent>,
    ) -> Result<Estimates<LogHazardRatio>> {
        if self.variance.is_some() {
            let why = "effects with Firth's penalty have the interval of the penalised likelihood; leave variance(..) out";
            return Err(comparison.locate(Error::invalid(why)));
        }
        let hazards = Hazards::new(prepared, self.baseline == Baseline::ByStratum, false)?;
        let variance = VarianceMethod::Other("inverse information".to_owned());
        let mut about = self.about(prepared, &hazards, variance, IntervalMethod::ProfilePenalized, false)?;
        let (contrasts, covariance, coefficients) = prepared.with_columns(|columns| {
            let data = of_interest(&hazards, &columns)?;
            let matrix = without_intercept(&columns)?;
            let fit = FirthCox::new().ties(self.ties).fit(&data, &matrix)?;
            let covariance = fit.covariance(())?;
            let arms = comparison.treatments().iter().enumerate();
            let contrasts = arms.map(|(place, arm)| {
                Ok(Contrast::new(arm.clone(), profile(&fit, place, &covariance, self.level)?))
            });
            let places: Vec<usize> = (0..comparison.treatments().len()).collect();
            let joint = submatrix(covariance.view(), &places);
            Ok((contrasts.collect::<Result<Vec<_>>>()?, joint, matrix.ncols()))
        })?;
        about.notices.extend(hazards.few_events(coefficients));
        let why = "there is no such test with Firth's penalty".to_owned();
        about.notices.push(Notice::ProportionalHazardsUntested { why });
        Estimates::new(LogHazardRatio, about, comparison.reference().clone(), contrasts, covariance)
    }
}

/// The events of the cause of interest; other causes end the time at risk.
fn of_interest<'s>(hazards: &'s Hazards, columns: &'s Columns<'_>) -> Result<SurvivalData<'s>> {
    let weights = match &columns.weights {
        Weights::Probability(weights) => Some(weights.view()),
        _ => None,
    };
    hazards.data(weights)?.censoring_other_causes(1)
}

/// Arms, then covariates.
fn without_intercept<'p>(columns: &Columns<'p>) -> Result<ModelMatrix<'p>> {
    columns.matrix.select(&(1..columns.matrix.ncols()).collect::<Vec<_>>())
}

/// The value with the penalised likelihood ratio test and the interval of those not rejected.
fn profile(fit: &FirthCoxFit, place: usize, covariance: &Array2<f64>, level: f64) -> Result<Inference> {
    let profile = fit.profile_interval(place, level)?;
    let ratio = fit.penalized_likelihood_ratio_test(&[place])?.statistic;
    let p_value = (2.0 * Normal.sf(ratio.max(0.0).sqrt())).min(1.0);
    let interval = Interval::new(profile.lower, profile.upper)?;
    Inference::at_one_level(
        fit.coefficients()[place],
        covariance[[place, place]].sqrt(),
        level,
        interval,
        p_value,
    )
}

/// What the test of proportional hazards says of the arms.
pub(super) fn proportional(fit: &CoxFit, places: &[usize], weighted: bool) -> Option<Notice> {
    let untested = |why: String| Some(Notice::ProportionalHazardsUntested { why });
    if weighted {
        return untested("its statistic depends on the unit of probability weights".to_owned());
    }
    let test = fit.proportional_hazards_test(TimeTransform::KaplanMeier).and_then(|test| test.joint(places));
    match test {
        Ok(test) if test.p_value < REJECTED => Some(Notice::NonProportionalHazards { p_value: test.p_value }),
        Ok(_) => None,
        Err(error) => untested(error.to_string()),
    }
}

impl Estimator<TimeToEvent> for CoxRegression {
    type Scale = LogHazardRatio;

    fn estimate(&self, comparison: &Comparison<TimeToEvent>) -> Result<Estimates<LogHazardRatio>> {
        let prepared = prepare(&self.adjustment, comparison, "Cox regression", self.level)?;
        let people = prepared.comparison();
        match self.likelihood {
            Likelihood::Partial => self.partial(&prepared, people),
            Likelihood::Penalized => self.penalized(&prepared, people),
        }
    }
}
