//! Pooled effects in families of hypotheses.

use super::{JointlyPooled, JointlyPooledRecord, Pooled};
use crate::compute::fitted::Fitted;
use crate::compute::multiplicity::{Alternative, Contrasts, SimultaneousInference};
use crate::effect::{Hypotheses, Hypothesis, Scale};
use crate::error::Result;

impl<S: Scale> Hypotheses for Pooled<S> {
    fn hypotheses(&self, alternative: Alternative, null_value: f64) -> Result<Vec<Hypothesis>> {
        let one = Hypothesis::against(&self.about, &self.treatment, &self.inference, alternative, null_value);
        Ok(vec![one?])
    }
}

/// One hypothesis for each treatment, or for each component.
impl<S: Scale> Hypotheses for JointlyPooled<S> {
    fn hypotheses(&self, alternative: Alternative, null_value: f64) -> Result<Vec<Hypothesis>> {
        let one = |coefficient: &super::PooledCoefficient| {
            Hypothesis::against(
                &self.about,
                &coefficient.label,
                &coefficient.inference,
                alternative,
                null_value,
            )
        };
        self.coefficients.iter().map(one).collect()
    }
}

impl JointlyPooledRecord {
    /// Adjusted p-values and simultaneous intervals of all treatments, or of all components, from their joint
    /// covariance: single step and step-down max-t, with the degrees of freedom of the model.
    ///
    /// A family of one measure. Over several measures take a [`HypothesisFamily`](crate::effect::HypothesisFamily).
    ///
    /// # Formula
    /// As [`EstimatesRecord::simultaneous`](crate::effect::EstimatesRecord::simultaneous), with the covariance
    /// `(X' V^-1 X)^-1` of the model.
    ///
    /// # Errors
    /// A level that is not between 0 and 1, and an effect without variance.
    ///
    /// # Examples
    /// ```
    /// use armwise::multiplicity::Alternative;
    /// use armwise::prelude::*;
    ///
    /// let work = Measure::binary("work");
    /// let city = |name: &'static str, counts: [(&'static str, u64, u64); 3]| {
    ///     Comparison::from_counts(name, &work, counts)?.estimate(&DifferenceInProportions::new())
    /// };
    /// let effects = Effects::new([
    ///     city("Utrecht", [("control", 16, 176), ("a", 31, 168), ("b", 26, 172)])?,
    ///     city("Nijmegen", [("control", 12, 150), ("a", 20, 160), ("b", 11, 155)])?,
    ///     city("Tilburg", [("control", 14, 181), ("a", 25, 170), ("b", 20, 175)])?,
    /// ])?;
    /// let pooled = JointModel::random().pool(&effects)?;
    /// let together = pooled.simultaneous(Alternative::TwoSided, 0.95)?;
    /// let a = &together.contrasts[0];
    /// assert!(a.p_value == pooled.coefficients()[0].p_value() && a.single_step > a.p_value);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # References
    /// Hothorn, Bretz & Westfall (2008), Biometrical Journal 50:346.
    pub fn simultaneous(&self, alternative: Alternative, level: f64) -> Result<SimultaneousInference> {
        self.joint()
            .and_then(|joint| joint.simultaneous(alternative, level))
            .map_err(|error| self.about.locate(error))
    }

    /// The effects as contrasts with their joint distribution: for other null values ([`Contrasts::against`])
    /// and closed tests.
    ///
    /// # Errors
    /// An effect without variance.
    pub fn joint(&self) -> Result<Contrasts> {
        let values: Vec<f64> = self.coefficients.iter().map(|one| one.value()).collect();
        Contrasts::new(&values, self.covariance(), self.model.df()).map_err(|error| self.about.locate(error))
    }
}
