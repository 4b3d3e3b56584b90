use super::{Average, PoolModel, Pooled, Sensitivity};
use crate::compute::meta_analysis::{
    self as kernel, PoolingWeights, PredictionDf, PredictionRule, Tau2, Test,
};
use crate::effect::{Estimate, Scale, TreatmentEffects};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// Pools the effect of one treatment over trials that may differ in their true effects.
///
/// The pooled value estimates the mean effect over a population of trials like these (the average
/// municipality), and `tau2` how much their true effects vary. For the average over the participants of just
/// these trials: [`ParticipantWeighted`](crate::pool::ParticipantWeighted).
///
/// # Formula
/// `mu = sum(w_i y_i) / sum(w_i)` with `w_i = 1 / (v_i + tau2)`, `y_i` the estimate and `v_i` the sampling
/// variance of trial `i`. Hartung-Knapp multiplies the variance `1 / sum(w_i)` by
/// `sum(w_i (y_i - mu)^2) / (k - 1)`.
///
/// # Assumptions
/// Estimates of different trials are independent and near normal with known variances.
///
/// # Interval
/// The wider of Wald (normal) and Hartung-Knapp (t with `k - 1` degrees of freedom) by default; both are kept
/// in the result. One trial alone is pooled by Wald. The interval of `tau2` is that of the Q-profile method;
/// the prediction interval is that of [`PredictionRule::ByNumberOfStudies`] unless another rule is named.
///
/// # Errors
/// No estimate; a standard error of zero; a Hartung-Knapp test with one trial.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let outflow = Measure::binary("outflow").higher_is_better();
/// let cities = Comparisons::new([
///     Comparison::from_counts("A", &outflow, [("control", 10, 100), ("guidance", 15, 100)])?,
///     Comparison::from_counts("B", &outflow, [("control", 8, 90), ("guidance", 7, 95)])?,
///     Comparison::from_counts("C", &outflow, [("control", 20, 180), ("guidance", 31, 170)])?,
/// ])?;
/// let effects = cities.estimate(&DifferenceInProportions::new())?;
/// let pooled = RandomEffects::new().pool(&effects.treatment("guidance")?)?;
/// assert_eq!(pooled.trials.len(), 3);
/// assert!(pooled.tau2() >= 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Viechtbauer W (2005), Journal of Educational and Behavioral Statistics 30:261,
/// doi:10.3102/10769986030003261. Hartung J, Knapp G (2001), Statistics in Medicine 20:3875,
/// doi:10.1002/sim.1009. Wiksten A, Ruecker G, Schwarzer G (2016), Statistics in Medicine 35:2503,
/// doi:10.1002/sim.6879.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandomEffects {
    tau2: Tau2,
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<Test>,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<f64>,
    weights: PoolingWeights,
    prediction_rule: PredictionRule,
}

impl RandomEffects {
    /// REML, the wider of Wald and Hartung-Knapp, level 0.95, prediction interval by the
    /// number of trials.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// The estimator of the variance between trials; default: restricted maximum likelihood.
        tau2: Tau2;
        /// Standard error and reference distribution; default: the wider of Wald and Hartung-Knapp.
        test: Test as Some;
        /// The weights of the trials; default: inverse variance.
        weights: PoolingWeights;
        /// The rule of the prediction interval; default: the confidence distribution of tau2 from
        /// [`PREDICTION_FROM`](crate::meta_analysis::PREDICTION_FROM) trials on, t with `k - 1` degrees of
        /// freedom below.
        prediction_rule: PredictionRule;
    }

    /// A prediction interval that takes tau2 as known, with these degrees of freedom.
    #[must_use]
    pub fn prediction_df(self, rule: PredictionDf) -> Self {
        self.prediction_rule(rule.into())
    }

    /// The pooled effect.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn pool<S: Scale>(&self, effects: &TreatmentEffects<S>) -> Result<Pooled<S>> {
        Pooled::new(effects, Average::TrialsLikeThese, PoolModel::Random(self.kernel(effects.len())?))
    }

    /// Sensitivity analyses of the pooled effect: one trial left out, trials added one by one, influence,
    /// asymmetry of the funnel.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn sensitivity<S: Scale>(&self, effects: &TreatmentEffects<S>) -> Result<Sensitivity<S>> {
        self.pool(effects)?.sensitivity()
    }

    pub(crate) fn own_tau2(&self) -> Tau2 {
        self.tau2
    }

    /// The numeric model for this many trials.
    pub(super) fn kernel(&self, k: usize) -> Result<kernel::RandomEffects> {
        if self.tau2 == Tau2::GeneralizedQ || self.weights == PoolingWeights::Given {
            let why = "weights of one's own belong to a list of numbers; take armwise::meta_analysis::RandomEffects for them, or other \
                       weights and another estimator of tau2";
            return Err(Error::invalid(why));
        }
        let test = self.test.unwrap_or(if k == 1 { Test::Normal } else { Test::WiderOfBoth });
        Ok(kernel::RandomEffects::new()
            .tau2(self.tau2)
            .test(test)
            .level(self.own_level())
            .pooling_weights(self.weights)
            .prediction_rule(self.prediction_rule))
    }
}

/// Pools the effect of one treatment over trials as one effect common to all.
///
/// Where true effects differ, the pooled value is their average weighted by precision, so about that over the
/// participants of just these trials (Rice, Higgins & Lumley 2018, Journal of the Royal Statistical Society A
/// 181:205).
///
/// # Formula
/// `mu = sum(w_i y_i) / sum(w_i)` with `w_i = 1 / v_i`; variance `1 / sum(w_i)`.
///
/// # Assumptions
/// Estimates of different trials are independent and near normal with known variances.
///
/// # Interval
/// Normal.
///
/// # Errors
/// No estimate, or a standard error of zero.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let outflow = Measure::binary("outflow");
/// let cities = Comparisons::new([
///     Comparison::from_counts("A", &outflow, [("control", 10, 100), ("guidance", 15, 100)])?,
///     Comparison::from_counts("B", &outflow, [("control", 8, 90), ("guidance", 7, 95)])?,
/// ])?;
/// let guidance = cities.estimate(&DifferenceInProportions::new())?.treatment("guidance")?;
/// let pooled = CommonEffect::new().pool(&guidance)?;
/// assert_eq!(pooled.tau2(), 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Cochran WG (1954), Biometrics 10:101, doi:10.2307/3001666.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CommonEffect {
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<f64>,
}

impl CommonEffect {
    /// Inverse-variance weights, normal interval, level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    /// The pooled effect.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn pool<S: Scale>(&self, effects: &TreatmentEffects<S>) -> Result<Pooled<S>> {
        Pooled::new(effects, Average::Precision, PoolModel::Common(self.kernel()))
    }

    /// Sensitivity analyses of the pooled effect: one trial left out, trials added one by one, influence,
    /// asymmetry of the funnel.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn sensitivity<S: Scale>(&self, effects: &TreatmentEffects<S>) -> Result<Sensitivity<S>> {
        self.pool(effects)?.sensitivity()
    }

    pub(super) fn kernel(&self) -> kernel::CommonEffect {
        kernel::CommonEffect::new().test(Test::Normal).level(self.own_level())
    }
}

/// The level of a model: its own, that of a plan, or 0.95.
macro_rules! level {
    ($($model:ty),+) => {
        $(impl $model {
            /// The confidence level, between 0 and 1; default 0.95.
            #[must_use]
            pub fn level(mut self, level: f64) -> Self {
                self.level = Some(level);
                self
            }

            /// At this level, unless it has one.
            pub(crate) fn or_level(self, level: f64) -> Self {
                if self.level.is_some() { self } else { self.level(level) }
            }

            pub(crate) fn own_level(&self) -> f64 {
                self.level.unwrap_or(0.95)
            }
        })+
    };
}
level!(RandomEffects, CommonEffect, super::ParticipantWeighted);

/// The values of all trials with their sampling variances, in parallel.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Numbers {
    pub yi: Vec<f64>,
    pub vi: Vec<f64>,
}

impl Numbers {
    /// Refuses, by trial, what cannot be weighted.
    pub(super) fn of<'a, S: Scale>(estimates: impl IntoIterator<Item = &'a Estimate<S>>) -> Result<Self> {
        let (mut yi, mut vi) = (Vec::new(), Vec::new());
        for estimate in estimates {
            weighable(estimate)?;
            yi.push(estimate.value());
            vi.push(estimate.variance());
        }
        Ok(Self { yi, vi })
    }
}

/// Adds treatment and measure to an error.
pub(super) fn locate<S: Scale>(effects: &TreatmentEffects<S>, error: Error) -> Error {
    error.in_arm(effects.treatment()).in_measure(&effects.first().measure().name)
}

/// Refuses, by trial, an estimate that cannot be weighted.
pub(super) fn weighable<S: Scale>(estimate: &Estimate<S>) -> Result<()> {
    let why = if estimate.se() == 0.0 {
        "the standard error is zero, so the trial cannot be weighted: its formula finds no variation; \
         pool the counts instead where the outcome is one of events (Mantel-Haenszel), or leave the trial out"
            .to_owned()
    } else if !(1e-20..=1e20).contains(&estimate.se()) || estimate.value().abs() > 1e30 {
        format!(
            "the value {:e} with standard error {:e} cannot be weighted with the others; give the outcome in another unit",
            estimate.value(),
            estimate.se()
        )
    } else {
        return Ok(());
    };
    let error = Error::from(ErrorKind::InvalidVariance(why)).in_arm(estimate.treatment());
    Err(error.in_measure(&estimate.measure().name).in_trial(estimate.trial()))
}
