use super::trial_values::{OfTrial, by_trial, in_order};
use super::univariate::locate;
use super::{Average, PoolModel, Pooled};
use crate::compute::meta_analysis::{self as kernel, Test};
use crate::effect::{Estimate, Scale, TreatmentEffects};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// Pools the effect of one treatment as the average over the participants of just these trials.
///
/// Use it where the question is what the treatment did to the people who took part, each counting once. It
/// says nothing of other trials, and effects may differ between trials: no heterogeneity enters its standard
/// error. For the average city: [`RandomEffects`](crate::pool::RandomEffects).
///
/// # Formula
/// `mu = sum(n_i y_i) / sum(n_i)`, variance `sum(n_i^2 v_i) / (sum(n_i))^2`, with `n_i` the participants
/// analysed in both arms of trial `i`, or weights of one's own.
///
/// # Assumptions
/// Estimates of different trials are independent and near normal with known variances.
///
/// # Interval
/// Normal.
///
/// # Errors
/// A trial without participants or without a weight; a standard error of zero.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
/// use armwise::pool::Average;
///
/// let outflow = Measure::binary("outflow");
/// let cities = Comparisons::new([
///     Comparison::from_counts("A", &outflow, [("control", 10, 100), ("guidance", 15, 100)])?,
///     Comparison::from_counts("B", &outflow, [("control", 8, 300), ("guidance", 7, 300)])?,
/// ])?;
/// let guidance = cities.estimate(&DifferenceInProportions::new())?.treatment("guidance")?;
/// let people = ParticipantWeighted::new().pool(&guidance)?;
/// assert_eq!(people.average, Average::Participants);
/// assert!((people.trials[1].weight - 0.75).abs() < 1e-12);
/// let equal = ParticipantWeighted::new().weights([("A", 1.0), ("B", 1.0)]).pool(&guidance)?;
/// assert_eq!(equal.average, Average::GivenWeights);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Rice K, Higgins JPT, Lumley T (2018), Journal of the Royal Statistical Society A 181:205,
/// doi:10.1111/rssa.12275.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ParticipantWeighted {
    pub(super) level: Option<f64>,
    weights: Option<Vec<OfTrial<f64>>>,
}

impl ParticipantWeighted {
    /// Weights by participants, level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    /// Weights of one's own instead, by trial, zero or more; their sum does not matter.
    #[must_use]
    pub fn weights<T: AsRef<str>>(mut self, weights: impl IntoIterator<Item = (T, f64)>) -> Self {
        self.weights = Some(by_trial(weights));
        self
    }

    /// The pooled effect.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn pool<S: Scale>(&self, effects: &TreatmentEffects<S>) -> Result<Pooled<S>> {
        let average = if self.weights.is_some() { Average::GivenWeights } else { Average::Participants };
        let weights = self.weights_of(effects)?;
        let model =
            kernel::CommonEffect::new().test(Test::Normal).level(self.own_level()).given_weights(weights);
        Pooled::new(effects, average, PoolModel::Common(model))
    }

    /// The weight of every trial, in the order of the effects.
    pub(super) fn weights_of<S: Scale>(&self, effects: &TreatmentEffects<S>) -> Result<Vec<f64>> {
        match &self.weights {
            None => effects.iter().map(participants).collect(),
            Some(given) => in_order(effects, given, "the weights")
                .and_then(checked)
                .map_err(|error| locate(effects, error)),
        }
    }
}

fn checked(weights: Vec<f64>) -> Result<Vec<f64>> {
    let total: f64 = weights.iter().sum();
    if weights.iter().all(|weight| *weight >= 0.0) && total > 0.0 && total.is_finite() {
        return Ok(weights);
    }
    Err(Error::invalid(format!(
        "the weights are {weights:?}; give finite numbers of zero or more, at least one of them above zero"
    )))
}

/// The participants analysed in both arms.
pub(super) fn participants<S: Scale>(estimate: &Estimate<S>) -> Result<f64> {
    let n = estimate.treatment_counts().analysed + estimate.reference_counts().analysed;
    if n > 0 {
        return Ok(n as f64);
    }
    let why = "the estimate does not say how many people it rests on; give weights of your own".to_owned();
    Err(Error::from(ErrorKind::InsufficientObservations(why)).in_trial(estimate.trial()))
}
