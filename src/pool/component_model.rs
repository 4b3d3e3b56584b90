use super::joint::{ComponentArm, JointlyPooled, JointlyPooledRecord, fit};
use crate::compute::meta_analysis::{CoefficientTest, MultivariateModel, Tau2};
use crate::design::Label;
use crate::effect::{AnyScale, Effects, Estimates, Scale};
use crate::error::{ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Pools multi-arm trials by the components of their arms: the effect of an arm is the sum of the effects of
/// its components.
///
/// Use it where some trials combined measures, so that combinations inform the effect of each measure.
/// Components come from the design of the trials ([`arms!`](crate::arms), `components(..)`), or from
/// [`ComponentModel::arm`].
///
/// # Formula
/// As [`JointModel`](crate::pool::JointModel), with a design that says which components an arm holds; the
/// control holds none.
///
/// # Assumptions
/// Components add up on the scale: no component works better or worse beside another.
/// [`additivity`](crate::pool::JointlyPooledRecord) tests that at the variation between trials (Jackson &
/// Riley 2014, Statistics in Medicine 33:541); `Q` tests it together with equality between trials, so that it
/// speaks of the variation first.
///
/// # Interval
/// Student's t with trials - 1 degrees of freedom; normal by [`ComponentModel::test`].
///
/// # Errors
/// A component that cannot be told apart from the others is named.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let outflow = Measure::binary("outflow");
/// let cities = Comparisons::new([
///     Comparison::from_counts("A", &outflow, [("control", 10, 100), ("guidance", 15, 100)])?,
///     Comparison::from_counts("B", &outflow, [("control", 8, 90), ("both", 12, 95)])?
///         .components("both", ["guidance", "earnings"])?,
///     Comparison::from_counts("C", &outflow, [("control", 9, 80), ("earnings", 9, 85)])?,
/// ])?;
/// let pooled =
///     ComponentModel::common().pool(&cities.estimate(&DifferenceInProportions::new())?)?;
/// assert_eq!(pooled.coefficient("guidance")?.trials, ["A", "B"]);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Ruecker G, Petropoulou M, Schwarzer G (2020), Biometrical Journal 62:808, doi:10.1002/bimj.201800167.
/// Welton NJ et al. (2009), American Journal of Epidemiology 169:1158, doi:10.1093/aje/kwp014.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComponentModel {
    model: MultivariateModel,
    arms: BTreeMap<String, Vec<Label>>,
}

impl ComponentModel {
    /// Effects vary between trials: REML, t with trials - 1 degrees of freedom, level 0.95.
    pub fn random() -> Self {
        Self { model: MultivariateModel::random_effects(), arms: BTreeMap::new() }
    }

    /// Effects are common to all trials.
    pub fn common() -> Self {
        Self { model: MultivariateModel::common_effect(), arms: BTreeMap::new() }
    }

    /// The components of an arm, where they differ from those of the trials' design.
    #[must_use]
    pub fn arm<T: AsRef<str>>(mut self, arm: &str, components: impl IntoIterator<Item = T>) -> Self {
        self.arms.insert(arm.to_owned(), components.into_iter().map(Label::new).collect());
        self
    }

    setters! {
        /// The estimator of `tau2`; default REML. It makes a common model random.
        model.tau2: Tau2;
        /// The reference distribution; default t with trials - 1 degrees of freedom.
        model.test: CoefficientTest;
        /// The confidence level, between 0 and 1; default 0.95.
        model.level: f64;
    }

    /// The pooled effects of all components, in the order in which they first occur.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn pool<S: Scale>(&self, effects: &Effects<S>) -> Result<JointlyPooled<S>> {
        self.record(&effects.to_any()).map(JointlyPooled::of)
    }

    pub(super) fn specified(model: MultivariateModel, arms: BTreeMap<String, Vec<Label>>) -> Self {
        Self { model, arms }
    }

    pub(super) fn record(&self, effects: &Effects<AnyScale>) -> Result<JointlyPooledRecord> {
        let unknown = self.arms.keys().find(|arm| effects.treatments().iter().all(|label| **label != ***arm));
        if let Some(label) = unknown {
            let known = effects.treatments().iter().map(ToString::to_string).collect();
            return Err(ErrorKind::UnknownArm { label: label.clone(), known }.into());
        }
        let parts = |trial: &Estimates, treatment: &Label| match self.arms.get(treatment.as_str()) {
            Some(components) => components.clone(),
            None => {
                trial.treatment(treatment).map(|estimate| estimate.components().to_vec()).unwrap_or_default()
            }
        };
        let (mut names, mut arms): (Vec<Label>, Vec<ComponentArm>) = (Vec::new(), Vec::new());
        for (trial, treatment) in effects
            .informative()
            .0
            .into_iter()
            .flat_map(|trial| trial.treatments().map(move |arm| (trial, arm)))
        {
            let arm = ComponentArm { arm: treatment.clone(), components: parts(trial, treatment) };
            for component in &arm.components {
                if !names.contains(component) {
                    names.push(component.clone());
                }
            }
            if !arms.contains(&arm) {
                arms.push(arm);
            }
        }
        fit(effects, &self.model, "component model", &names, arms, parts)
    }
}
