use super::Sensitivity;
use super::univariate::{Numbers, locate};
use crate::compute::curve::Inference;
use crate::compute::interval::Interval;
use crate::compute::meta_analysis::{
    self as kernel, PoolSummary, PooledEffect, PredictionDf, PredictionRule, Test,
};
use crate::design::{Label, Notice};
use crate::effect::{
    About, AnyScale, Checked, Equivalence, Estimate, IntervalMethod, Method, NonInferiority, On, Scale,
    TreatmentEffects, VarianceMethod, impossible_limits,
};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// One trial in a pool: its estimate and its weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PooledTrial {
    /// The trial's estimate.
    pub estimate: Estimate,
    /// Its share of all weights, from 0 to 1.
    pub weight: f64,
}

/// The average that a pooled value estimates: its estimand.
///
/// The average city and the average participant differ where effects differ and trials are of unequal size
/// (Rice, Higgins & Lumley 2018, Journal of the Royal Statistical Society A 181:205).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Average {
    /// Over a population of trials like these: the average city
    /// ([`RandomEffects`](crate::pool::RandomEffects)).
    TrialsLikeThese,
    /// One effect common to all trials; where effects do differ, their average weighted by precision
    /// ([`CommonEffect`](crate::pool::CommonEffect)).
    Precision,
    /// Over the participants of just these trials: the average participant
    /// ([`ParticipantWeighted`](crate::pool::ParticipantWeighted)).
    Participants,
    /// Over just these trials, with weights of one's own.
    GivenWeights,
}

impl Average {
    /// The model that estimates it.
    fn model(self) -> &'static str {
        match self {
            Self::TrialsLikeThese => "random effects",
            Self::Precision => "common effect",
            Self::Participants => "weighted by participants",
            Self::GivenWeights => "given weights",
        }
    }
}

impl fmt::Display for Average {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TrialsLikeThese => "the mean effect in trials like these",
            Self::Precision => "the effect common to these trials, or their average weighted by precision",
            Self::Participants => "the average over the participants of these trials",
            Self::GivenWeights => "the average over these trials with given weights",
        })
    }
}

/// The numeric model of a pool with every convention, by which its trials can be pooled again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PoolModel {
    /// One effect, or given weights.
    Common(kernel::CommonEffect),
    /// Effects that vary between trials.
    Random(kernel::RandomEffects),
}

/// The same question to either model.
macro_rules! ask {
    ($either:expr, $model:ident => $answer:expr) => {
        match $either {
            PoolModel::Common($model) => $answer,
            PoolModel::Random($model) => $answer,
        }
    };
}
pub(super) use ask;

/// The effect of one treatment pooled over trials: by [`RandomEffects`](crate::pool::RandomEffects),
/// [`CommonEffect`](crate::pool::CommonEffect) or [`ParticipantWeighted`](crate::pool::ParticipantWeighted).
///
/// It keeps the trials with their weights, and every convention by name; `summary` holds all numbers.
/// [`Inference`](crate::effect::Inference) holds what is said of the pooled effect.
///
/// [`PooledRecord`] has the fields and further methods.
pub type Pooled<S = AnyScale> = On<S, PooledRecord>;

/// The data of a [`Pooled`] effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PooledRecord {
    /// The identity of the effect; the trials are those that were pooled.
    pub about: Arc<About>,
    /// The treatment.
    pub treatment: Label,
    /// The average that the pooled value estimates.
    pub average: Average,
    /// The trials with their weights.
    pub trials: Vec<PooledTrial>,
    /// The pooled effect with its confidence curve: by the wider of Wald and Hartung-Knapp the larger p-value
    /// of both.
    pub inference: Inference,
    /// All numbers: both tests, heterogeneity, intervals, likelihoods, conventions.
    pub summary: PoolSummary,
    /// The model that gave them.
    pub model: PoolModel,
}

impl Deref for PooledRecord {
    type Target = Inference;

    fn deref(&self) -> &Inference {
        &self.inference
    }
}

/// Refuses an interval or a p-value that does not follow from the effect.
pub(super) fn follows(inference: &Inference, interval: Interval, p_value: f64) -> Result<()> {
    let own = inference.interval();
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-8 * (inference.se() + a.abs());
    let same = near(own.lower(), interval.lower()) && near(own.upper(), interval.upper());
    if same && (inference.p_value() - p_value).abs() <= 1e-8 {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the interval {} to {} and the p-value {p_value} do not follow from the value {} with standard error {}",
        interval.lower(),
        interval.upper(),
        inference.value(),
        inference.se()
    )))
}

/// Refuses a pooled effect without variance, which pooling cannot give.
pub(super) fn check_pooled(inference: &Inference) -> Result<()> {
    if inference.se() > 0.0 && inference.interval().contains(inference.value()) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "a pooled effect needs a positive standard error and a value within its interval; got {} ({} to {}), standard error {}",
        inference.value(),
        inference.interval().lower(),
        inference.interval().upper(),
        inference.se()
    )))
}

/// Refuses a result that is not the one that its trials give: every word and every number of both are
/// compared, numbers but for rounding.
pub(super) fn check_again<T: fmt::Debug + ?Sized>(read: &T, own: &T) -> Result<()> {
    fn parts(text: &str) -> impl Iterator<Item = &str> {
        text.split([' ', ',', '(', ')', '[', ']', '{', '}'])
    }
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-8 * (a.abs() + b.abs()) + 1e-12;
    let (read, own) = (format!("{read:?}"), format!("{own:?}"));
    let (mut all, mut again) = (parts(&read), parts(&own));
    loop {
        match (all.next(), again.next()) {
            (None, None) => return Ok(()),
            (a, b) if a == b => {}
            (Some(a), Some(b)) if a.parse().is_ok_and(|a| b.parse().is_ok_and(|b| near(a, b))) => {}
            (a, b) => {
                let (a, b) = (a.unwrap_or("nothing"), b.unwrap_or("nothing"));
                let why = format!(
                    "this result has {a} where its trials give {b}; it was changed after it was computed"
                );
                return Err(Error::invalid(why));
            }
        }
    }
}

/// Refuses estimates that are not those of the treatment and the trials of a pool.
pub(super) fn check_trials<'a>(
    about: &About,
    treatment: &Label,
    estimates: impl Iterator<Item = &'a Estimate>,
) -> Result<()> {
    about.check()?;
    let effects = TreatmentEffects::new(estimates.cloned())?;
    about.belongs_with(effects.first().about())?;
    if effects.treatment() != treatment {
        return Err(about.locate(Error::invalid(format!(
            "the pool is of \"{treatment}\", but its trials are of \"{}\"; they must be the same treatment",
            effects.treatment()
        ))));
    }
    if effects.iter().map(|estimate| estimate.trial()).eq(&about.trials) {
        return Ok(());
    }
    Err(about.locate(Error::invalid("a pool needs all its trials, each with its estimate")))
}

impl Checked for PooledRecord {
    fn about(&self) -> &About {
        &self.about
    }

    fn check(&self) -> Result<()> {
        let Self { about, treatment, average, trials, inference, summary, model } = self;
        check_trials(about, treatment, trials.iter().map(|trial| &trial.estimate))?;
        let weights = trials.iter().map(|trial| trial.weight).collect();
        let read = (inference.clone(), PooledEffect { summary: *summary, weights });
        let numbers = Numbers::of(trials.iter().map(|trial| &trial.estimate))?;
        check_again(&read, &pool_by(model, &numbers)?)?;
        if about.level != summary.level {
            return Err(
                about.locate(Error::invalid("the level of a pool is that of its model; they must agree"))
            );
        }
        let random = *average == Average::TrialsLikeThese;
        if random != summary.tau2_estimator.is_some() {
            return Err(Error::invalid(
                "a mean over trials like these needs an estimator of tau2, and no other average has one",
            ));
        }
        Ok(())
    }
}

/// All numbers of a pool with its confidence curve.
fn pool_by(model: &PoolModel, Numbers { yi, vi }: &Numbers) -> Result<(Inference, PooledEffect)> {
    let pooled = ask!(model, model => model.pool(yi, vi))?;
    let inference = pooled.summary.inference()?;
    check_pooled(&inference)?;
    Ok((inference, pooled))
}

/// The identity of a pool: that of its effects, by another method.
pub(super) fn about_pool<S: Scale>(
    effects: &TreatmentEffects<S>,
    method: Method,
    level: f64,
    notices: Vec<Notice>,
) -> Arc<About> {
    let mut adjusted_for: Vec<&String> = Vec::new();
    for name in effects.iter().flat_map(|estimate| &estimate.method().adjusted_for) {
        if !adjusted_for.contains(&name) {
            adjusted_for.push(name);
        }
    }
    Arc::new(About {
        trials: effects.iter().map(|estimate| estimate.trial().clone()).collect(),
        method: method.adjusted_for(adjusted_for),
        level,
        notices,
        ..effects.first().about().clone()
    })
}

impl<S: Scale> Pooled<S> {
    pub(super) fn new(effects: &TreatmentEffects<S>, average: Average, model: PoolModel) -> Result<Self> {
        let numbers = Numbers::of(effects)?;
        let pooled = pool_by(&model, &numbers).map_err(|error| locate(effects, error));
        let (inference, PooledEffect { summary, weights }) = pooled?;
        let few = Notice::FewTrials { trials: effects.len() };
        let told = [
            (effects.len() < 3, few),
            (summary.boundary, Notice::BoundaryTau2),
            (summary.hartung_knapp_narrower, Notice::HartungKnappNarrower),
        ];
        let told = told.into_iter().filter_map(|(applies, notice)| applies.then_some(notice));
        let scale = &effects.first().about().scale;
        let told = told.chain(impossible_limits(scale, effects.treatment(), inference.interval()));
        let interval = match (summary.test, inference.df()) {
            (Test::WiderOfBoth, _) => IntervalMethod::WiderOfBoth,
            (_, Some(_)) => IntervalMethod::StudentT,
            (_, None) => IntervalMethod::Normal,
        };
        let variance = summary
            .tau2_estimator
            .map_or_else(|| "inverse variance".to_owned(), |tau2| format!("between trials by {tau2}"));
        let method =
            Method::new(average.model()).variance(VarianceMethod::Other(variance)).interval(interval);
        let notices = effects.notices().into_iter().chain(told).collect();
        let trials = effects.iter().zip(&weights);
        let trials =
            trials.map(|(estimate, &weight)| PooledTrial { estimate: estimate.to_any(), weight }).collect();
        let about = about_pool(effects, method, summary.level, notices);
        let treatment = effects.treatment().clone();
        Ok(Self::of(PooledRecord { about, treatment, average, trials, inference, summary, model }))
    }

    /// Sensitivity analyses of the pooled effect: one trial left out, trials added one by one, influence,
    /// asymmetry of the funnel.
    ///
    /// # Errors
    /// A trial that cannot be weighted.
    pub fn sensitivity(&self) -> Result<Sensitivity<S>> {
        Sensitivity::new(self.clone())
    }
}

impl PooledRecord {
    /// The treatment.
    pub fn treatment(&self) -> &Label {
        &self.treatment
    }

    /// The exponential of the value where the scale is a log ratio.
    pub fn ratio(&self) -> Option<f64> {
        self.about.ratio(self.value())
    }

    /// The exponential of the interval where the scale is a log ratio.
    pub fn ratio_interval(&self) -> Option<Interval> {
        self.about.ratio_interval(self.interval())
    }

    /// The variance between the true effects of trials; 0 for a common effect.
    pub fn tau2(&self) -> f64 {
        self.summary.tau2
    }

    /// The share of variance that lies between trials, from 0 to 1 (from tau2).
    pub fn i2(&self) -> f64 {
        self.summary.i2
    }

    /// The interval for the effect in a new trial; `None` for a common effect and for fewer than two trials.
    #[doc(alias("prediction interval", "prediction_interval"))]
    pub fn prediction(&self) -> Option<Interval> {
        self.summary.prediction
    }

    /// The same by another rule.
    ///
    /// # Errors
    /// Too few trials for the rule, or a common effect.
    pub fn prediction_by(&self, rule: impl Into<PredictionRule>) -> Result<Interval> {
        let rule = rule.into();
        match (rule, &self.model) {
            (PredictionRule::Df(rule), _) => self.summary.prediction_interval(rule),
            (_, PoolModel::Common(_)) => self.summary.prediction_interval(PredictionDf::KMinus1),
            (_, PoolModel::Random(model)) => {
                let (yi, vi): (Vec<f64>, Vec<f64>) = self
                    .trials
                    .iter()
                    .map(|trial| (trial.estimate.value(), trial.estimate.variance()))
                    .unzip();
                let own = model.clone().prediction_rule(rule).pool(&yi, &vi)?;
                // Where there is none, the error of the simplest rule says why.
                own.prediction.map_or_else(|| self.summary.prediction_interval(PredictionDf::KMinus1), Ok)
            }
        }
    }

    /// The test that the pooled effect is not worse than no effect by `margin` or more, as of one trial
    /// ([`non_inferiority`](crate::effect::EstimateRecord::non_inferiority)).
    ///
    /// # Errors
    /// A margin that is not positive; a measure without a direction.
    pub fn non_inferiority(&self, margin: f64) -> Result<NonInferiority> {
        NonInferiority::of(&self.about, &self.treatment, &self.inference, margin)
    }

    /// Two one-sided tests that the pooled effect lies between minus the margin and the margin
    /// ([`equivalence`](crate::effect::EstimateRecord::equivalence)).
    ///
    /// # Errors
    /// A margin that is not positive; a level of 0.5 or less.
    pub fn equivalence(&self, margin: f64) -> Result<Equivalence> {
        Equivalence::of(&self.about, &self.treatment, &self.inference, margin)
    }
}
