use crate::compute::distribution::{Normal, StudentT};
use crate::compute::interval::Interval;
use crate::compute::meta_analysis::{Inference, PoolSummary, PredictionDf};
use crate::design::{Label, MeasureInfo, Notice};
use crate::effect::{
    AnyScale, Estimand, Estimate, Scale, ScaleForm, TreatmentEffects, check_level, minimal_detectable_effect,
};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One trial in a pool: its estimate and its weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "S: Scale")]
#[non_exhaustive]
pub struct PooledTrial<S: Scale> {
    /// The trial's estimate.
    pub estimate: Estimate<S>,
    /// Its share of all weights, from 0 to 1.
    pub weight: f64,
}

/// What a pooled value is the average of: its estimand.
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
/// It keeps the trials with their weights, and every convention by name; [`Pooled::summary`] holds all numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "PooledWire<S>")]
#[serde(bound = "S: Scale")]
pub struct Pooled<S: Scale> {
    treatment: Label,
    average: Average,
    trials: Vec<PooledTrial<S>>,
    summary: PoolSummary,
    notices: Vec<Notice>,
}

/// What every pooled value has.
pub(super) struct Numbers {
    pub value: f64,
    pub se: f64,
    pub df: Option<f64>,
    pub p_value: f64,
    pub interval: Interval,
}

impl Numbers {
    /// Refuses what pooling cannot give, where a result was read from a file.
    pub(super) fn check(&self) -> Result<()> {
        let (lower, upper) = (self.interval.lower(), self.interval.upper());
        let valid = self.value.is_finite()
            && self.se > 0.0
            && self.se.is_finite()
            && self.df.is_none_or(|df| df > 0.0)
            && (0.0..=1.0).contains(&self.p_value)
            && self.interval.contains(self.value);
        if valid {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "a pooled effect needs a finite value within its interval, a positive standard error and a p-value from 0 to 1; \
             got {} ({lower} to {upper}), standard error {}, p {}, degrees of freedom {:?}",
            self.value, self.se, self.p_value, self.df
        )))
    }
}

#[derive(Deserialize)]
#[serde(bound = "S: Scale")]
struct PooledWire<S: Scale> {
    treatment: Label,
    average: Average,
    trials: Vec<PooledTrial<S>>,
    summary: PoolSummary,
    notices: Vec<Notice>,
}

impl<S: Scale> TryFrom<PooledWire<S>> for Pooled<S> {
    type Error = Error;

    fn try_from(wire: PooledWire<S>) -> Result<Self> {
        let PooledWire { treatment, average, trials, summary, notices } = wire;
        let belonging = TreatmentEffects::new(trials.iter().map(|trial| trial.estimate.clone()))?;
        if *belonging.treatment() != treatment {
            return Err(Error::invalid(format!(
                "the pool is of \"{treatment}\", but its trials are of \"{}\"; both must be one treatment",
                belonging.treatment()
            )));
        }
        let weights: f64 = trials.iter().map(|trial| trial.weight).sum();
        let negative = trials.iter().any(|trial| trial.weight < 0.0);
        if trials.len() != summary.k || negative || (weights - 1.0).abs() > 1e-6 {
            return Err(Error::invalid("a pool needs all its trials; their weights must add up to 1"));
        }
        let numbers = Numbers {
            value: summary.estimate,
            se: summary.se,
            df: summary.df,
            p_value: summary.p_value,
            interval: summary.interval,
        };
        numbers.check()?;
        for inference in std::iter::once(&summary.wald).chain(&summary.hartung_knapp) {
            let Inference { se, df, p_value, interval, .. } = *inference;
            Numbers { value: summary.estimate, se, df, p_value, interval }.check()?;
        }
        if summary.prediction.is_some_and(|interval| !interval.contains(summary.estimate)) {
            return Err(Error::invalid(
                "the pooled effect lies outside its prediction interval; the interval must contain it",
            ));
        }
        check_level(summary.level)?;
        if !(summary.tau2 >= 0.0 && summary.tau2.is_finite() && (0.0..=1.0).contains(&summary.i2)) {
            return Err(Error::invalid(format!(
                "tau2 is {} and I2 {}; a pool needs a tau2 of zero or more and an I2 from 0 to 1",
                summary.tau2, summary.i2
            )));
        }
        let random = average == Average::TrialsLikeThese;
        if random != summary.tau2_estimator.is_some() {
            return Err(Error::invalid(
                "a mean over trials like these needs an estimator of tau2, and no other average has one",
            ));
        }
        Ok(Self { treatment, average, trials, summary, notices })
    }
}

impl<S: Scale> Pooled<S> {
    pub(super) fn new(
        treatment: Label,
        average: Average,
        trials: Vec<PooledTrial<S>>,
        summary: PoolSummary,
        notices: Vec<Notice>,
    ) -> Self {
        Self { treatment, average, trials, summary, notices }
    }

    /// The treatment.
    pub fn treatment(&self) -> &Label {
        &self.treatment
    }

    /// What the pooled value is the average of.
    pub fn average(&self) -> Average {
        self.average
    }

    /// The trials with their weights.
    pub fn trials(&self) -> &[PooledTrial<S>] {
        &self.trials
    }

    fn first(&self) -> &Estimate<S> {
        &self.trials[0].estimate
    }

    /// The scale.
    pub fn scale(&self) -> &S {
        self.first().scale()
    }

    /// The measure.
    pub fn measure(&self) -> &MeasureInfo {
        self.first().measure()
    }

    /// The arm it is compared with.
    pub fn reference(&self) -> &Label {
        self.first().reference()
    }

    /// Marginal or conditional.
    pub fn estimand(&self) -> Estimand {
        self.first().estimand()
    }

    /// The pooled value on the scale.
    pub fn value(&self) -> f64 {
        self.summary.estimate
    }

    /// The standard error of the chosen test.
    pub fn se(&self) -> f64 {
        self.summary.se
    }

    /// The degrees of freedom of the chosen test; `None` for the normal distribution.
    pub fn df(&self) -> Option<f64> {
        self.summary.df
    }

    /// The two-sided p-value of no effect.
    pub fn p_value(&self) -> f64 {
        self.summary.p_value
    }

    /// The confidence interval of the chosen test.
    pub fn interval(&self) -> Interval {
        self.summary.interval
    }

    /// The exponential of the value where the scale is a log ratio.
    pub fn ratio(&self) -> Option<f64> {
        (self.scale().form() == ScaleForm::LogRatio).then(|| self.value().exp())
    }

    /// The exponential of the interval where the scale is a log ratio.
    pub fn ratio_interval(&self) -> Option<Interval> {
        let interval = self.interval();
        (self.scale().form() == ScaleForm::LogRatio)
            .then(|| Interval::between(interval.lower().exp(), interval.upper().exp()))
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

    /// All numbers: both tests, heterogeneity, intervals, likelihoods, conventions.
    pub fn summary(&self) -> &PoolSummary {
        &self.summary
    }

    /// What a reader has to be told.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The effect that this pool detects with the given power in a two-sided test at `alpha`: `(z(1 - alpha / 2) + z(power)) se`, with the larger
    /// of the Wald and Hartung-Knapp standard errors.
    ///
    /// # Errors
    /// `alpha` or `power` is not between 0 and 1.
    pub fn minimal_detectable_effect(&self, alpha: f64, power: f64) -> Result<f64> {
        let wald = self.summary.wald.se;
        let larger = self.summary.hartung_knapp.map_or(wald, |hartung_knapp| wald.max(hartung_knapp.se));
        minimal_detectable_effect(larger, alpha, power)
    }

    /// The probability that the mean effect is above `bound`, from the normal approximation with a flat prior and the standard error of the
    /// chosen test.
    pub fn probability_above(&self, bound: f64) -> f64 {
        Normal.sf((bound - self.value()) / self.se())
    }

    /// The p-value against a mean effect of `margin` or less: that of non-inferiority where `margin` is negative.
    pub fn p_above(&self, margin: f64) -> f64 {
        let statistic = (self.value() - margin) / self.se();
        match self.df().map(StudentT::new) {
            Some(Ok(t)) => t.sf(statistic),
            _ => Normal.sf(statistic),
        }
    }

    /// The same pool with its scale known only at run time.
    pub fn to_any(&self) -> Pooled<AnyScale> {
        let trials = self.trials.iter();
        let trials = trials
            .map(|trial| PooledTrial { estimate: trial.estimate.to_any(), weight: trial.weight })
            .collect();
        Pooled::new(self.treatment.clone(), self.average, trials, self.summary, self.notices.clone())
    }
}
