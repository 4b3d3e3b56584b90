use crate::compute::curve::Inference;
use crate::compute::interval::Interval;
use crate::compute::meta_analysis::{self as kernel, PoolSummary, PredictionDf, Test};
use crate::design::{Label, Notice};
use crate::effect::{
    About, AnyScale, Checked, Equivalence, Estimate, IntervalMethod, Method, NonInferiority, On, Scale,
    TreatmentEffects, VarianceMethod,
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
/// The average city and the average participant differ where effects differ and trials are of unequal size (Rice, Higgins & Lumley 2018,
/// Journal of the Royal Statistical Society A 181:205).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Average {
    /// Over a population of trials like these: the average city ([`RandomEffects`](crate::RandomEffects)).
    TrialsLikeThese,
    /// One effect common to all trials; where effects do differ, their average weighted by precision
    /// ([`CommonEffect`](crate::CommonEffect)).
    Precision,
    /// Over the participants of just these trials: the average participant ([`ParticipantWeighted`](crate::ParticipantWeighted)).
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

/// The effect of one treatment pooled over trials: by [`RandomEffects`](crate::RandomEffects), [`CommonEffect`](crate::CommonEffect) or
/// [`ParticipantWeighted`](crate::ParticipantWeighted).
///
/// It keeps the trials with their weights, and every convention by name; `summary` holds all numbers. [`Inference`](crate::Inference) holds
/// what is said of the pooled effect.
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
    /// The pooled effect with its confidence curve: by the wider of Wald and Hartung-Knapp the larger p-value of both.
    pub inference: Inference,
    /// All numbers: both tests, heterogeneity, intervals, likelihoods, conventions.
    pub summary: PoolSummary,
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

impl Checked for PooledRecord {
    fn about(&self) -> &About {
        &self.about
    }

    fn check(&self) -> Result<()> {
        let Self { about, treatment, average, trials, inference, summary } = self;
        about.check()?;
        let effects = TreatmentEffects::new(trials.iter().map(|trial| trial.estimate.clone()))?;
        if effects.treatment() != treatment {
            return Err(about.locate(Error::invalid(format!(
                "the pool is of \"{treatment}\", but its trials are of \"{}\"; both must be one treatment",
                effects.treatment()
            ))));
        }
        if let Some(first) = trials.first() {
            about.belongs_with(first.estimate.about())?;
        }
        let names = trials.iter().map(|trial| trial.estimate.trial());
        let weights: f64 = trials.iter().map(|trial| trial.weight).sum();
        let negative = trials.iter().any(|trial| trial.weight < 0.0);
        if trials.len() != summary.k || negative || (weights - 1.0).abs() > 1e-6 || !names.eq(&about.trials) {
            return Err(Error::invalid("a pool needs all its trials; their weights must add up to 1"));
        }
        if *inference != inference_of(summary)? || about.level != summary.level {
            return Err(Error::invalid("the pooled effect is not that of the summary; both must be one"));
        }
        check_pooled(inference)?;
        for one in std::iter::once(&summary.wald).chain(&summary.hartung_knapp) {
            let test = Inference::wald(summary.estimate, one.se, one.df, summary.level)?;
            check_pooled(&test)?;
            follows(&test, one.interval, one.p_value)?;
        }
        follows(inference, summary.interval, summary.p_value)?;
        let of_one = |one: &kernel::Inference| (one.se, one.df) == (summary.se, summary.df);
        let of_both = of_one(&summary.wald) || summary.hartung_knapp.as_ref().is_some_and(of_one);
        if summary.test == Test::WiderOfBoth && !of_both {
            return Err(Error::invalid(
                "the standard error of the summary is neither Wald's nor Hartung-Knapp's",
            ));
        }
        if summary.prediction.is_some_and(|interval| !interval.contains(summary.estimate)) {
            return Err(Error::invalid(
                "the pooled effect lies outside its prediction interval; the interval must contain it",
            ));
        }
        if !(summary.tau2 >= 0.0 && summary.tau2.is_finite() && (0.0..=1.0).contains(&summary.i2)) {
            return Err(Error::invalid(format!(
                "tau2 is {} and I2 {}; a pool needs a tau2 of zero or more and an I2 from 0 to 1",
                summary.tau2, summary.i2
            )));
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

/// The confidence curve of a pool by the test that was asked for.
pub(super) fn inference_of(summary: &PoolSummary) -> Result<Inference> {
    summary.inference()
}

impl<S: Scale> Pooled<S> {
    pub(super) fn new(
        effects: &TreatmentEffects<S>,
        average: Average,
        pooled: kernel::PooledEffect,
        notices: Vec<Notice>,
    ) -> Result<Self> {
        let kernel::PooledEffect { summary, weights } = pooled;
        let estimates = || effects.iter();
        let mut adjusted_for: Vec<String> = Vec::new();
        for name in estimates().flat_map(|estimate| &estimate.method().adjusted_for) {
            if !adjusted_for.contains(name) {
                adjusted_for.push(name.clone());
            }
        }
        let inference = inference_of(&summary)?;
        let interval = match (summary.test, inference.df()) {
            (Test::WiderOfBoth, _) => IntervalMethod::WiderOfBoth,
            (_, Some(_)) => IntervalMethod::StudentT,
            (_, None) => IntervalMethod::Normal,
        };
        let variance = summary
            .tau2_estimator
            .map_or_else(|| "inverse variance".to_owned(), |tau2| format!("between trials by {tau2}"));
        let method = Method::new(average.model())
            .adjusted_for(&adjusted_for)
            .variance(VarianceMethod::Other(variance))
            .interval(interval);
        let first = effects.first();
        let about = About {
            trials: estimates().map(|estimate| estimate.trial().clone()).collect(),
            method,
            level: summary.level,
            notices,
            ..first.about().clone()
        };
        let trials = estimates()
            .zip(&weights)
            .map(|(estimate, &weight)| PooledTrial { estimate: estimate.to_any(), weight })
            .collect();
        let treatment = effects.treatment().clone();
        Self::checked(PooledRecord { about: Arc::new(about), treatment, average, trials, inference, summary })
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
    #[doc(alias("prediction interval"))]
    pub fn prediction(&self) -> Option<Interval> {
        self.summary.prediction
    }

    /// The same by another rule for its degrees of freedom.
    ///
    /// # Errors
    /// Too few trials for the rule, or a common effect.
    pub fn prediction_by(&self, rule: PredictionDf) -> Result<Interval> {
        self.summary.prediction_interval(rule)
    }

    /// The test that the pooled effect is not worse than no effect by `margin` or more, as of one trial
    /// ([`non_inferiority`](crate::EstimateRecord::non_inferiority)).
    ///
    /// # Errors
    /// A margin that is not positive; a measure without a direction.
    pub fn non_inferiority(&self, margin: f64) -> Result<NonInferiority> {
        NonInferiority::of(&self.about, &self.treatment, &self.inference, margin)
    }

    /// Two one-sided tests that the pooled effect lies between minus the margin and the margin
    /// ([`equivalence`](crate::EstimateRecord::equivalence)).
    ///
    /// # Errors
    /// A margin that is not positive; a level of 0.5 or less.
    pub fn equivalence(&self, margin: f64) -> Result<Equivalence> {
        Equivalence::of(&self.about, &self.treatment, &self.inference, margin)
    }
}
