use crate::design::{Comparison, OutcomeKind};
use crate::effect::{Scale, WaveEffects};
use crate::error::Result;

/// From the arms of a trial with an outcome in several waves to the effect of every treatment in every wave.
///
/// Each is also an [`Estimator`](crate::Estimator) of one effect: of the wave that it names, or of the mean
/// over the waves.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not estimate the waves of an outcome of kind `{K}`",
    label = "this estimator has no effects by wave of the outcome",
    note = "declare the measure with Measure::repeated or Measure::repeated_binary"
)]
pub trait WaveEstimator<K: OutcomeKind> {
    /// The scale of the effects.
    type Scale: Scale;

    /// The effects in every wave.
    ///
    /// # Errors
    /// What the estimator cannot answer, with trial, measure, arm and what to do next.
    fn estimate_waves(&self, comparison: &Comparison<K>) -> Result<WaveEffects<Self::Scale>>;
}

impl<K: OutcomeKind> Comparison<K> {
    /// The effect of every treatment in every wave, with one joint covariance.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// const WELLBEING: Measure<Repeated<Continuous>> = Measure::repeated(
    ///     "wellbeing",
    ///     &[("start", "w0"), ("8 months", "w1"), ("16 months", "w2")],
    /// )
    /// .baseline("start");
    ///
    /// let text = "arm,w0,w1,w2\nc,50,55,53\nc,61,60,\nc,42,50,49\nc,55,51,58\nc,47,52,44\n\
    ///     t,48,60,58\nt,55,58,63\nt,52,59,\nt,60,66,69\nt,44,53,50\n";
    /// let trial = Trial::builder("Utrecht", Table::from_csv_str(text)?)
    ///     .arm_labels("arm")
    ///     .control("c")
    ///     .build()?;
    /// let waves = trial.on(&WELLBEING)?.estimate_waves(&RepeatedMeasures::unstructured())?;
    /// let later = waves.at("16 months")?.treatment("t")?;
    /// assert!(later.value() > 5.0 && later.value() < 12.0);
    /// let mean = waves.averaged()?;
    /// assert_eq!(mean.measure().horizon.as_deref(), Some("mean of 8 months, 16 months"));
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of the estimator.
    pub fn estimate_waves<E: WaveEstimator<K>>(&self, estimator: &E) -> Result<WaveEffects<E::Scale>> {
        estimator.estimate_waves(self).map_err(|error| self.locate(error))
    }
}
