use super::joint::{JointlyPooled, JointlyPooledRecord, fit};
use crate::compute::meta_analysis::{CoefficientTest, MultivariateModel, Tau2};
use crate::effect::{AnyScale, Effects, Scale, treatments};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Pools all treatments of multi-arm trials together, through the covariance that their shared controls give
/// them.
///
/// Use it for every treatment at once, where trials have several arms. Every label is a treatment of its own:
/// a combination is not related to its parts (for that: [`ComponentModel`](crate::pool::ComponentModel)).
///
/// # Formula
/// Generalised least squares `y = X mu`, with the joint covariance `V` of each trial's contrasts, plus
/// `tau2 (I + J) / 2` within a trial at random effects: every contrast, also one between two treatments, has
/// the same `tau2` (Lu & Ades 2004). `tau2` by REML.
///
/// # Assumptions
/// Trials are independent; their estimates are near normal with known covariance; one `tau2` for every
/// contrast.
///
/// # Interval
/// Student's t with trials - 1 degrees of freedom; normal by [`JointModel::test`].
///
/// # Errors
/// A treatment that cannot be told apart from the others; a covariance that is singular.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let outflow = Measure::binary("outflow");
/// let cities = Comparisons::new([
///     Comparison::from_counts(
///         "A",
///         &outflow,
///         [("control", 10, 100), ("guidance", 15, 100), ("exemption", 12, 90)],
///     )?,
///     Comparison::from_counts("B", &outflow, [("control", 8, 90), ("guidance", 7, 95)])?,
///     Comparison::from_counts("C", &outflow, [("control", 8, 90), ("exemption", 11, 85)])?,
/// ])?;
/// let pooled =
///     JointModel::random().pool(&cities.estimate(&DifferenceInProportions::new())?)?;
/// assert_eq!(pooled.coefficient("guidance")?.trials.len(), 2);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Gleser LJ, Olkin I (2009), The Handbook of Research Synthesis and Meta-Analysis, 2nd edition, 357. Lu G,
/// Ades AE (2004), Statistics in Medicine 23:3105, doi:10.1002/sim.1875.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JointModel {
    model: MultivariateModel,
}

impl JointModel {
    /// Treatment effects vary between trials: REML, t with trials - 1 degrees of freedom, level 0.95.
    pub fn random() -> Self {
        Self { model: MultivariateModel::random_effects() }
    }

    /// Treatment effects are common to all trials.
    pub fn common() -> Self {
        Self { model: MultivariateModel::common_effect() }
    }

    setters! {
        /// The estimator of `tau2`; default REML. It makes a common model random.
        model.tau2: Tau2;
        /// The reference distribution; default t with trials - 1 degrees of freedom.
        model.test: CoefficientTest;
        /// The confidence level, between 0 and 1; default 0.95.
        model.level: f64;
    }

    /// The pooled effects of all treatments.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn pool<S: Scale>(&self, effects: &Effects<S>) -> Result<JointlyPooled<S>> {
        self.record(&effects.to_any()).map(JointlyPooled::of)
    }

    pub(super) fn specified(model: MultivariateModel) -> Self {
        Self { model }
    }

    pub(super) fn record(&self, effects: &Effects<AnyScale>) -> Result<JointlyPooledRecord> {
        let told = treatments(effects.informative().0.into_iter());
        fit(effects, &self.model, "joint model", &told, Vec::new(), |_, treatment| vec![treatment.clone()])
    }
}
