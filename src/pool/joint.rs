use super::pooled::{check_pooled, follows};
use super::univariate::weighable;
use crate::compute::curve::Inference;
use crate::compute::meta_analysis::{Coefficient, MultivariateData, MultivariateModel, MultivariatePool};
use crate::design::{Label, Notice};
use crate::effect::{
    About, AnyScale, Checked, Effects, Equivalence, Estimates, IntervalMethod, Method, NonInferiority, On,
    Scale, VarianceMethod,
};
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};
use std::ops::Deref;
use std::sync::Arc;

/// The effect of one treatment, or of one component, in a joint model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PooledCoefficient {
    /// The treatment or the component.
    pub label: Label,
    /// The effect with its confidence curve.
    pub inference: Inference,
    /// The trials with the treatment, or with an arm that holds the component.
    pub trials: Vec<Label>,
}

impl Deref for PooledCoefficient {
    type Target = Inference;

    fn deref(&self) -> &Inference {
        &self.inference
    }
}

/// The effects of all treatments, or of all components, pooled together over trials with their joint covariance: by
/// [`JointModel`](crate::pool::JointModel) or [`ComponentModel`](crate::pool::ComponentModel).
///
/// [`JointlyPooledRecord`] has the fields and further methods.
pub type JointlyPooled<S = AnyScale> = On<S, JointlyPooledRecord>;

/// The data of [`JointlyPooled`] effects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JointlyPooledRecord {
    /// The identity of the effects.
    pub about: Arc<About>,
    /// The treatments or components.
    pub coefficients: Vec<PooledCoefficient>,
    /// All numbers of the model: covariance, Q, likelihoods, conventions.
    pub model: MultivariatePool,
}

impl Checked for JointlyPooledRecord {
    fn about(&self) -> &About {
        &self.about
    }

    fn check(&self) -> Result<()> {
        let Self { about, coefficients, model } = self;
        about.check()?;
        let known = coefficients
            .iter()
            .all(|one| !one.trials.is_empty() && one.trials.iter().all(|trial| about.trials.contains(trial)));
        let complete = about.trials.len() == model.trials && coefficients.len() == model.coefficients.len();
        let twice = |i: usize| coefficients[..i].iter().any(|other| other.label == coefficients[i].label);
        if coefficients.is_empty() || !complete || !known || (0..coefficients.len()).any(twice) {
            return Err(Error::invalid(
                "a joint pool needs all its trials, and coefficients of different names, each with trials of the pool that have it",
            ));
        }
        if about.level != model.level {
            return Err(Error::invalid("the level of a joint pool is that of its model; both must be one"));
        }
        check_joint(model)?;
        for (one, coefficient) in coefficients.iter().zip(&model.coefficients) {
            if one.label != *coefficient.name || one.inference != inference_of(coefficient, model.level)? {
                let why = "this effect is not that of the model; both must be one";
                return Err(Error::invalid(why).in_arm(&one.label));
            }
        }
        Ok(())
    }
}

/// The confidence curve of a coefficient.
pub(super) fn inference_of(coefficient: &Coefficient, level: f64) -> Result<Inference> {
    Inference::wald(coefficient.estimate, coefficient.se, coefficient.df, level)
}

/// Refuses numbers that a joint model cannot give, where a result was read from a file.
pub(super) fn check_joint(model: &MultivariatePool) -> Result<()> {
    let (p, v) = (model.coefficients.len(), &model.covariance);
    let symmetric = v.dim() == (p, p) && v.indexed_iter().all(|((i, j), &x)| x.is_finite() && x == v[[j, i]]);
    if !(symmetric && model.tau2 >= 0.0 && model.tau2.is_finite()) {
        let why = "a joint pool needs a symmetric covariance for all its coefficients; its tau2 must be zero or more";
        return Err(Error::invalid(why));
    }
    for (coefficient, &variance) in model.coefficients.iter().zip(v.diag()) {
        let inference = inference_of(coefficient, model.level)?;
        check_pooled(&inference)?;
        let se = coefficient.se;
        follows(&inference, coefficient.interval, coefficient.p_value)?;
        let statistic = coefficient.estimate / coefficient.se;
        if (coefficient.statistic - statistic).abs() > 1e-8 * (1.0 + statistic.abs()) {
            let why = "the statistic is not the estimate over its standard error; both must be one";
            return Err(Error::invalid(why).in_arm(&coefficient.name));
        }
        if (se * se - variance).abs() > 1e-9 * variance {
            let why = format!(
                "the standard error {se} is not the root of the variance {variance}; both must be one"
            );
            return Err(Error::invalid(why).in_arm(&coefficient.name));
        }
    }
    Ok(())
}

impl JointlyPooledRecord {
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

    /// The trials.
    pub fn trials(&self) -> &[Label] {
        &self.about.trials
    }

    /// The test that one treatment is not worse than the reference by `margin` or more.
    ///
    /// # Errors
    /// There is none of that name; a margin that is not positive; a measure without a direction.
    pub fn non_inferiority(&self, name: impl AsRef<str>, margin: f64) -> Result<NonInferiority> {
        let one = self.coefficient(name)?;
        NonInferiority::of(&self.about, &one.label, &one.inference, margin)
    }

    /// Two one-sided tests that the effect of one treatment lies between minus the margin and the margin.
    ///
    /// # Errors
    /// There is none of that name; a margin that is not positive; a level of 0.5 or less.
    pub fn equivalence(&self, name: impl AsRef<str>, margin: f64) -> Result<Equivalence> {
        let one = self.coefficient(name)?;
        Equivalence::of(&self.about, &one.label, &one.inference, margin)
    }
}

/// Fits a joint model in which the effect of a treatment is the sum of the coefficients that `parts` names for it.
pub(super) fn fit<S: Scale>(
    effects: &Effects<S>,
    model: &MultivariateModel,
    estimator: &str,
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
    let coefficients: Result<Vec<PooledCoefficient>> = coefficients
        .map(|((label, estimate), trials)| {
            let inference = inference_of(estimate, pool.level)?;
            Ok(PooledCoefficient { label: label.clone(), inference, trials })
        })
        .collect();
    let first = effects.first().about();
    let variance = pool
        .tau2_estimator
        .map_or_else(|| "inverse variance".to_owned(), |tau2| format!("between trials by {tau2}"));
    let t = pool.coefficients.iter().any(|one| one.df.is_some());
    let method = Method::new(estimator).variance(VarianceMethod::Other(variance)).interval(if t {
        IntervalMethod::StudentT
    } else {
        IntervalMethod::Normal
    });
    let about = About {
        trials: effects.iter().map(|trial| trial.trial().clone()).collect(),
        method,
        level: pool.level,
        notices,
        ..first.clone()
    };
    JointlyPooled::checked(JointlyPooledRecord {
        about: Arc::new(about),
        coefficients: coefficients?,
        model: pool,
    })
}
