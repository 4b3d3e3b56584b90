use super::pooled::Numbers;
use super::univariate::weighable;
use crate::compute::distribution::Normal;
use crate::compute::interval::Interval;
use crate::compute::meta_analysis::{Coefficient, MultivariateData, MultivariateModel, MultivariatePool};
use crate::design::{Label, MeasureInfo, Notice};
use crate::effect::{
    AnyScale, Effects, Estimand, Estimates, Scale, ScaleForm, check_level, minimal_detectable_effect,
};
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

/// What a joint model says of one treatment or component.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PooledCoefficient {
    /// The treatment or the component.
    pub label: Label,
    /// Value, standard error, test and interval.
    #[serde(flatten)]
    pub estimate: Coefficient,
    /// The trials that tell about it: with the treatment, or with an arm that holds the component.
    pub trials: Vec<Label>,
}

/// The effects of all treatments, or of all components, pooled together over trials with their joint covariance: by
/// [`JointModel`](crate::JointModel) or [`ComponentModel`](crate::ComponentModel).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "JointlyPooledWire<S>", into = "JointlyPooledWire<S>")]
#[serde(bound = "S: Scale")]
pub struct JointlyPooled<S: Scale> {
    scale: S,
    measure: MeasureInfo,
    reference: Label,
    estimand: Estimand,
    trials: Vec<Label>,
    coefficients: Vec<PooledCoefficient>,
    model: MultivariatePool,
    notices: Vec<Notice>,
}

/// The coefficients are those of the model; only the trials that tell about each are said beside it.
#[derive(Serialize, Deserialize)]
#[serde(bound = "S: Scale")]
struct JointlyPooledWire<S: Scale> {
    scale: S,
    measure: MeasureInfo,
    reference: Label,
    estimand: Estimand,
    trials: Vec<Label>,
    model: MultivariatePool,
    trials_of_coefficients: Vec<Vec<Label>>,
    notices: Vec<Notice>,
}

impl<S: Scale> From<JointlyPooled<S>> for JointlyPooledWire<S> {
    fn from(pooled: JointlyPooled<S>) -> Self {
        let JointlyPooled { scale, measure, reference, estimand, trials, coefficients, model, notices } =
            pooled;
        let trials_of_coefficients = coefficients.into_iter().map(|coefficient| coefficient.trials).collect();
        Self { scale, measure, reference, estimand, trials, model, trials_of_coefficients, notices }
    }
}

impl<S: Scale> TryFrom<JointlyPooledWire<S>> for JointlyPooled<S> {
    type Error = Error;

    fn try_from(wire: JointlyPooledWire<S>) -> Result<Self> {
        let JointlyPooledWire {
            scale,
            measure,
            reference,
            estimand,
            trials,
            model,
            trials_of_coefficients,
            notices,
        } = wire;
        check_level(model.level)?;
        let known = trials_of_coefficients
            .iter()
            .all(|of| !of.is_empty() && of.iter().all(|trial| trials.contains(trial)));
        let complete =
            trials.len() == model.trials && trials_of_coefficients.len() == model.coefficients.len();
        let twice =
            |i: usize| model.coefficients[..i].iter().any(|other| other.name == model.coefficients[i].name);
        if model.coefficients.is_empty() || !complete || !known || (0..model.coefficients.len()).any(twice) {
            return Err(Error::invalid(
                "a joint pool needs all its trials, and coefficients of different names, each with trials of the pool that tell about it",
            ));
        }
        check_joint(&model)?;
        let coefficients = model.coefficients.iter().zip(trials_of_coefficients);
        let coefficients = coefficients
            .map(|(estimate, trials)| PooledCoefficient {
                label: Label::new(&estimate.name),
                estimate: estimate.clone(),
                trials,
            })
            .collect();
        Ok(Self { scale, measure, reference, estimand, trials, coefficients, model, notices })
    }
}

/// Refuses what pooling cannot give, where a result was read from a file.
pub(super) fn check_joint(model: &MultivariatePool) -> Result<()> {
    let (p, v) = (model.coefficients.len(), &model.covariance);
    let symmetric = v.dim() == (p, p) && v.indexed_iter().all(|((i, j), &x)| x.is_finite() && x == v[[j, i]]);
    if !(symmetric && model.tau2 >= 0.0 && model.tau2.is_finite()) {
        let why = "a joint pool needs a symmetric covariance for all its coefficients; its tau2 must be zero or more";
        return Err(Error::invalid(why));
    }
    for (coefficient, &variance) in model.coefficients.iter().zip(v.diag()) {
        let Coefficient { estimate, se, df, p_value, interval, .. } = *coefficient;
        Numbers { value: estimate, se, df, p_value, interval }.check()?;
        if (se * se - variance).abs() > 1e-9 * variance {
            let why = format!(
                "the standard error {se} is not the root of the variance {variance}; both must be one"
            );
            return Err(Error::invalid(why).in_arm(&coefficient.name));
        }
    }
    Ok(())
}

impl<S: Scale> JointlyPooled<S> {
    /// The treatments or components, each with its value, standard error, interval and p-value.
    pub fn coefficients(&self) -> &[PooledCoefficient] {
        &self.coefficients
    }

    /// One treatment or component.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn coefficient(&self, name: impl AsRef<str>) -> Result<&PooledCoefficient> {
        let name = name.as_ref();
        self.coefficients.iter().find(|coefficient| coefficient.label == name).ok_or_else(|| {
            let known = self.coefficients.iter().map(|coefficient| coefficient.label.to_string()).collect();
            ErrorKind::UnknownTreatment { name: name.to_owned(), known }.into()
        })
    }

    /// The covariance of all coefficients.
    pub fn covariance(&self) -> ArrayView2<'_, f64> {
        self.model.covariance.view()
    }

    /// The variance between trials; 0 for a common effect.
    pub fn tau2(&self) -> f64 {
        self.model.tau2
    }

    /// All numbers of the model: Q, likelihoods, conventions.
    pub fn model(&self) -> &MultivariatePool {
        &self.model
    }

    /// The scale.
    pub fn scale(&self) -> &S {
        &self.scale
    }

    /// The measure.
    pub fn measure(&self) -> &MeasureInfo {
        &self.measure
    }

    /// The arm that everything is compared with.
    pub fn reference(&self) -> &Label {
        &self.reference
    }

    /// Marginal or conditional.
    pub fn estimand(&self) -> Estimand {
        self.estimand
    }

    /// The trials.
    pub fn trials(&self) -> &[Label] {
        &self.trials
    }

    /// What a reader has to be told.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The same effects with their scale known only at run time.
    pub fn to_any(&self) -> JointlyPooled<AnyScale> {
        JointlyPooled {
            scale: self.scale.to_any(),
            measure: self.measure.clone(),
            reference: self.reference.clone(),
            estimand: self.estimand,
            trials: self.trials.clone(),
            coefficients: self.coefficients.clone(),
            model: self.model.clone(),
            notices: self.notices.clone(),
        }
    }
}

impl PooledCoefficient {
    /// The value on the scale.
    pub fn value(&self) -> f64 {
        self.estimate.estimate
    }

    /// The standard error.
    pub fn se(&self) -> f64 {
        self.estimate.se
    }

    /// The confidence interval.
    pub fn interval(&self) -> Interval {
        self.estimate.interval
    }

    /// The two-sided p-value.
    pub fn p_value(&self) -> f64 {
        self.estimate.p_value
    }

    /// The exponential of the value, where the scale is a log ratio.
    pub fn ratio<S: Scale>(&self, scale: &S) -> Option<f64> {
        (scale.form() == ScaleForm::LogRatio).then(|| self.value().exp())
    }

    /// The effect that the model detects: `(z(1 - alpha / 2) + z(power)) se`.
    ///
    /// # Errors
    /// `alpha` or `power` is not between 0 and 1.
    pub fn minimal_detectable_effect(&self, alpha: f64, power: f64) -> Result<f64> {
        minimal_detectable_effect(self.se(), alpha, power)
    }

    /// The probability that the effect is above `bound`, from the normal approximation with a flat prior.
    pub fn probability_above(&self, bound: f64) -> f64 {
        Normal.sf((bound - self.value()) / self.se())
    }
}

/// Fits a joint model in which the effect of a treatment is the sum of the coefficients that `parts` names for it.
pub(super) fn fit<S: Scale>(
    effects: &Effects<S>,
    model: &MultivariateModel,
    names: &[Label],
    parts: impl Fn(&Estimates<S>, &Label) -> Vec<Label>,
) -> Result<JointlyPooled<S>> {
    let mut data = MultivariateData::new(names.iter().map(ToString::to_string));
    let mut trials_of: Vec<Vec<Label>> = vec![Vec::new(); names.len()];
    for trial in effects {
        trial.iter().try_for_each(|estimate| weighable(&estimate))?;
        let yi: Vec<f64> = trial.values().collect();
        let mut design = Array2::zeros((yi.len(), names.len()));
        for (row, treatment) in trial.treatments().enumerate() {
            for part in parts(trial, treatment) {
                if let Some(column) = names.iter().position(|name| *name == part) {
                    design[[row, column]] = 1.0;
                    if trials_of[column].last() != Some(trial.trial()) {
                        trials_of[column].push(trial.trial().clone());
                    }
                }
            }
        }
        data.push(&yi, trial.covariance(), design.view())
            .map_err(|error: Error| error.in_measure(&trial.measure().name).in_trial(trial.trial()))?;
    }
    let measure = effects.iter().next().map_or_else(String::new, |trial| trial.measure().name.clone());
    let pool = model.pool(&data).map_err(|error| error.in_measure(&measure))?;
    let mut notices = Vec::new();
    if effects.len() < 3 {
        notices.push(Notice::FewTrials { trials: effects.len() });
    }
    if pool.boundary {
        notices.push(Notice::BoundaryTau2);
    }
    let coefficients = names.iter().zip(&pool.coefficients).zip(trials_of);
    let coefficients = coefficients
        .map(|((label, estimate), trials)| PooledCoefficient {
            label: label.clone(),
            estimate: estimate.clone(),
            trials,
        })
        .collect();
    let Some(first) = effects.iter().next() else { return Err(ErrorKind::NoStudies.into()) };
    Ok(JointlyPooled {
        scale: first.scale().clone(),
        measure: first.measure().clone(),
        reference: first.reference().clone(),
        estimand: first.estimand(),
        trials: effects.iter().map(|trial| trial.trial().clone()).collect(),
        coefficients,
        model: pool,
        notices,
    })
}
