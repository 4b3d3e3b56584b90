use super::consistent::near;
use super::pooled::{check_again, check_pooled, follows};
use super::univariate::weighable;
use super::{ComponentModel, JointModel};
use crate::compute::curve::Inference;
use crate::compute::fitted::Fitted;
use crate::compute::hypothesis::WaldTest;
use crate::compute::interval::Interval;
use crate::compute::linalg::Cholesky;
use crate::compute::meta_analysis::{
    BetweenStructure, Coefficient, CoefficientTest, MultivariateData, MultivariateModel, MultivariatePool,
};
use crate::data::same_parts;
use crate::design::{Label, Notice};
use crate::effect::{
    About, AnyScale, Checked, Effects, Equivalence, Estimates, IntervalMethod, Method, NonInferiority, On,
    Scale, VarianceMethod, impossible_limits, nothing_told,
};
use crate::error::{Error, ErrorKind, Result};
use crate::inference::Draw;
use ndarray::{Array1, Array2, ArrayView2};
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

/// An arm as the sum of its components.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ComponentArm {
    /// The arm.
    pub arm: Label,
    /// Its components; none for a second control.
    pub components: Vec<Label>,
}

/// The effects of all treatments, or of all components, pooled together over trials with their joint
/// covariance: by [`JointModel`](crate::pool::JointModel) or [`ComponentModel`](crate::pool::ComponentModel).
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
    /// What each arm is the sum of, in a component model; empty in a joint model, where every treatment has
    /// its own effect.
    #[serde(default)]
    pub arms: Vec<ComponentArm>,
    /// That the effects of arms are the sums of those of their components: Wald's test of the contrasts
    /// between them in the model with an effect for every arm, at the variation between trials of that model.
    /// Where the coefficients have Student's t it is F, with the covariance multiplied by the residual Q over
    /// its degrees of freedom, effects - arms, which are those of the denominator (Jackson & Riley 2014,
    /// Statistics in Medicine 33:541); else chi-squared. `None` in a joint model, and where the trials cannot
    /// tell: as many arms as components, or as effects.
    #[serde(default)]
    pub additivity: Option<WaldTest>,
    /// All numbers of the model: covariance, Q, likelihoods, conventions.
    pub model: MultivariatePool,
    /// The model as it was asked for.
    pub specification: MultivariateModel,
    /// What was pooled: the effects of every trial. Reading a pool from JSON pools them again.
    pub effects: Vec<Estimates>,
}

impl Checked for JointlyPooledRecord {
    fn about(&self) -> &About {
        &self.about
    }

    fn check(&self) -> Result<()> {
        let Self { about, coefficients, arms, additivity, model, .. } = self;
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
            return Err(Error::invalid("the level of a joint pool is that of its model; they must agree"));
        }
        check_joint(model)?;
        let names = || coefficients.iter().map(|one| &one.label);
        let known = arms.iter().flat_map(|arm| &arm.components).all(|part| names().any(|name| name == part));
        let sound = additivity.is_none_or(|test| {
            let chi2 = test.statistic * test.denominator_df.map_or(1.0, |_| test.df);
            let rest = model.effects as f64 - arms.len() as f64;
            let own = WaldTest::new(chi2, test.df, model.df().map(|_| rest));
            test.df + coefficients.len() as f64 == arms.len() as f64
                && own.is_ok_and(|own| {
                    near(own.p_value, test.p_value, 1.0) && own.denominator_df == test.denominator_df
                })
        });
        if !(known && sound) {
            return Err(about.locate(Error::invalid(
                "the test that components add up, or an arm, does not belong to the components of this model; take it as it was pooled",
            )));
        }
        for (one, coefficient) in coefficients.iter().zip(&model.coefficients) {
            if one.label != *coefficient.name || one.inference != inference_of(coefficient, model.level)? {
                let why = "this effect is not that of the model; they must agree";
                return Err(Error::invalid(why).in_arm(&one.label));
            }
        }
        check_again(self, &self.again()?).map_err(|error| about.locate(error))
    }
}

/// The confidence curve of a coefficient.
pub(super) fn inference_of(coefficient: &Coefficient, level: f64) -> Result<Inference> {
    Inference::wald(coefficient.estimate, coefficient.se, coefficient.df, level)
}

/// Refuses numbers that a joint model cannot give, where a result was read from a file.
pub(super) fn check_joint(model: &MultivariatePool) -> Result<()> {
    model.check()?;
    // By the design of a trial, contrasts with one control.
    let by_design = model.structure == BetweenStructure::FixedCorrelation && model.tau2_estimator.is_some();
    if by_design && model.correlation != Some(0.5) {
        let why = "a joint pool has a correlation of 1/2 between trials; take it as it was pooled";
        return Err(Error::invalid(why));
    }
    for coefficient in &model.coefficients {
        let inference = inference_of(coefficient, model.level)?;
        check_pooled(&inference)?;
        follows(&inference, coefficient.interval, coefficient.p_value)?;
    }
    Ok(())
}

impl JointlyPooledRecord {
    /// The same pool of the same effects.
    fn again(&self) -> Result<Self> {
        if !self.specification.shares_a_control() {
            let why = "a joint pool is specified with a correlation of 1/2 between the contrasts of a trial; take it as it was pooled";
            return Err(Error::invalid(why));
        }
        let effects = Effects::new(self.effects.iter().cloned())?;
        let model = self.specification.clone();
        if self.arms.is_empty() {
            return JointModel::specified(model).record(&effects);
        }
        // An arm that has other components in other trials has those that its trial says.
        let alone = |one: &&ComponentArm| self.arms.iter().filter(|other| other.arm == one.arm).count() == 1;
        let arms = self.arms.iter().filter(alone);
        let arms = arms.map(|one| (one.arm.to_string(), one.components.clone())).collect();
        ComponentModel::specified(model, arms).record(&effects)
    }

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

    /// The interval for the effect of one treatment or component in a new trial, at the level of the pool:
    /// normal around the pooled effect with variance `tau2 + se^2(tau2)`, tau2 having its confidence
    /// distribution ([`MultivariateModel::predict`]).
    ///
    /// # Errors
    /// There is none of that name; a common effect; as many effects as coefficients.
    pub fn prediction(&self, name: impl AsRef<str>) -> Result<Interval> {
        let one = self.coefficient(name)?;
        let place = self.coefficients.iter().position(|other| other.label == one.label);
        let all = self.specification.predict(&self.data()?);
        let all = all.map_err(|error| self.about.locate(error.in_arm(&one.label)))?;
        place.and_then(|place| all.get(place).copied()).ok_or_else(|| ErrorKind::NoStudies.into())
    }

    /// The coefficients that the effect of a treatment in a trial is the sum of.
    fn parts(&self, trial: &Estimates, treatment: &Label) -> Vec<Label> {
        let of_arm: Vec<_> = self.arms.iter().filter(|arm| arm.arm == *treatment).collect();
        match of_arm[..] {
            _ if self.arms.is_empty() => vec![treatment.clone()],
            [arm] => arm.components.clone(),
            // An arm that has other components in other trials has those that its trial says.
            _ => trial.treatment(treatment).map(|one| one.components().to_vec()).unwrap_or_default(),
        }
    }

    fn names(&self) -> Vec<Label> {
        self.coefficients.iter().map(|one| one.label.clone()).collect()
    }

    /// What was pooled.
    fn data(&self) -> Result<MultivariateData> {
        let effects = Effects::new(self.effects.iter().cloned())?;
        let parts = |trial: &Estimates, treatment: &Label| self.parts(trial, treatment);
        data(&effects.informative().0, &self.names(), parts).map(|(data, _)| data)
    }

    /// A draw of what was pooled: trials as often as they were drawn, or effects drawn from the fitted model.
    pub(super) fn redrawn(&self, draw: Draw<'_>) -> Result<MultivariateData> {
        let (names, parts) =
            (self.names(), |trial: &Estimates, treatment: &Label| self.parts(trial, treatment));
        let normal = match draw {
            Draw::Trials(counts) => {
                let times = self.effects.iter().zip(counts);
                let drawn: Vec<&Estimates> =
                    times.flat_map(|(trial, count)| std::iter::repeat_n(trial, *count as usize)).collect();
                return data(&drawn, &names, parts).map(|(data, _)| data);
            }
            Draw::Model(normal) => normal,
        };
        let mut drawn = MultivariateData::new(names.iter().map(ToString::to_string));
        for trial in &self.effects {
            let t = trial.len();
            let one = |(row, column): (usize, usize)| {
                let parts = self.parts(trial, trial.contrasts[row].treatment());
                f64::from(u8::from(parts.contains(&names[column])))
            };
            let design = Array2::from_shape_fn((t, names.len()), one);
            // Effects of a trial share its control: a correlation of 1/2.
            let between = |(i, j): (usize, usize)| self.model.tau2 * if i == j { 1.0 } else { 0.5 };
            let total = &trial.covariance() + &Array2::from_shape_fn((t, t), between);
            let Some(factor) = Cholesky::new(total.view()) else {
                return Err(Error::not_estimable(
                    "the covariance of a trial is not positive definite, so that nothing can be drawn from it; draw trials instead",
                ));
            };
            let errors: Vec<f64> = (0..t).map(|_| normal()).collect();
            let yi = design.dot(&self.values()) + factor.times(&errors);
            drawn.push(&yi.to_vec(), trial.covariance(), design.view())?;
        }
        Ok(drawn)
    }

    fn values(&self) -> Array1<f64> {
        self.coefficients.iter().map(|one| one.value()).collect()
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

/// The effects of all trials, that of a treatment being the sum of the coefficients that `parts` names for
/// it; and the trials of each coefficient.
fn data<S: Scale>(
    effects: &[&Estimates<S>],
    names: &[Label],
    parts: impl Fn(&Estimates<S>, &Label) -> Vec<Label>,
) -> Result<(MultivariateData, Vec<Vec<Label>>)> {
    let mut data = MultivariateData::new(names.iter().map(ToString::to_string));
    let mut trials_of: Vec<Vec<Label>> = vec![Vec::new(); names.len()];
    for &trial in effects {
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
    Ok((data, trials_of))
}

/// Wald's test that arms with these effects are the sums of their components: what the best sums leave of the
/// effects, in units of their covariance by this model of all arms. It tests nothing, with a p-value of 1,
/// where there are as many arms as components.
///
/// # Errors
/// F is asked for, but there are as many effects as arms, or they agree exactly.
pub(super) fn additivity_of(
    values: &Array1<f64>,
    covariance: ArrayView2<'_, f64>,
    model: &MultivariatePool,
    arms: &[ComponentArm],
    names: &[Label],
) -> Result<WaldTest> {
    if arms.len() <= names.len() {
        return Ok(WaldTest { statistic: 0.0, df: 0.0, denominator_df: None, p_value: 1.0 });
    }
    let cell = |(i, j): (usize, usize)| f64::from(u8::from(arms[i].components.contains(&names[j])));
    let design = Array2::from_shape_fn((arms.len(), names.len()), cell);
    let sums = MultivariateData::new(names.iter().map(ToString::to_string)).trial(
        &values.to_vec(),
        covariance,
        design.view(),
    )?;
    let rest = MultivariateModel::common_effect().test(CoefficientTest::Normal).pool(&sums)?.q;
    if model.df().is_none() {
        return WaldTest::new(rest.statistic, rest.df, None);
    }
    let df = model.effects.saturating_sub(model.coefficients.len()) as f64;
    let factor = model.residual_q.map_or(0.0, |q| q / df.max(1.0));
    // Less is rounding.
    if df == 0.0 || factor <= 1e-13 {
        return Err(ErrorKind::InsufficientStudies(
            "additivity is tested against how much effects of one arm differ between trials, but every arm has one effect only, or its \
             effects are equal; take the normal test, which rests on the sampling errors alone"
                .to_owned(),
        )
        .into());
    }
    WaldTest::new(rest.statistic / factor, rest.df, Some(df))
}

/// Whether the arms of a component model are the sums of their components, in the model with an effect for
/// every arm; `None` where that cannot be fitted, or has no more coefficients.
fn additivity<S: Scale>(
    effects: &[&Estimates<S>],
    model: &MultivariateModel,
    arms: &[ComponentArm],
    names: &[Label],
    parts: impl Fn(&Estimates<S>, &Label) -> Vec<Label>,
) -> Option<WaldTest> {
    if arms.len() <= names.len() {
        return None;
    }
    // Arms of one label with other components elsewhere are other arms.
    let own: Vec<Label> = (0..arms.len()).map(|i| Label::new(i.to_string())).collect();
    let of_arm = |trial: &Estimates<S>, treatment: &Label| {
        let components = parts(trial, treatment);
        let place = arms.iter().position(|arm| arm.arm == *treatment && arm.components == components);
        place.map(|place| own[place].clone()).into_iter().collect()
    };
    let (data, _) = data(effects, &own, of_arm).ok()?;
    let pool = model.pool(&data).ok()?;
    additivity_of(&pool.estimates(), pool.covariance.view(), &pool, arms, names).ok()
}

/// A notice for every two treatments that are one combination under two names.
pub(super) fn two_names(names: &[Label]) -> impl Iterator<Item = Notice> {
    let pairs = same_parts(names.iter().map(Label::as_str));
    pairs.into_iter().map(|(arm, other)| Notice::SamePartsOfArms { arm: arm.into(), other: other.into() })
}

/// Fits a joint model in which the effect of a treatment is the sum of the coefficients that `parts` names
/// for it; with arms, a component model of these.
pub(super) fn fit(
    effects: &Effects<AnyScale>,
    model: &MultivariateModel,
    estimator: &str,
    names: &[Label],
    arms: Vec<ComponentArm>,
    parts: impl Fn(&Estimates, &Label) -> Vec<Label>,
) -> Result<JointlyPooledRecord> {
    let (telling, _) = effects.informative();
    let measure = effects.first().measure().name.clone();
    if telling.is_empty() {
        return Err(nothing_told().in_measure(&measure));
    }
    let (data, trials_of) = data(&telling, names, &parts)?;
    let pool = model.pool(&data).map_err(|error| error.in_measure(&measure))?;
    let mut notices = effects.notices();
    if arms.is_empty() {
        notices.extend(two_names(names));
    }
    if telling.len() < 3 {
        notices.push(Notice::FewTrials { trials: telling.len() });
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
    let coefficients = coefficients?;
    let first = effects.first().about();
    let beyond = |one: &PooledCoefficient| impossible_limits(&first.scale, &one.label, one.interval());
    notices.extend(coefficients.iter().filter_map(beyond));
    let variance = pool
        .tau2_estimator
        .map_or_else(|| "inverse variance".to_owned(), |tau2| format!("between trials by {tau2}"));
    let t = pool.coefficients.iter().any(|one| one.df.is_some());
    let interval = if t { IntervalMethod::StudentT } else { IntervalMethod::Normal };
    let mut adjusted_for: Vec<&String> = Vec::new();
    for name in telling.iter().flat_map(|trial| &trial.method().adjusted_for) {
        if !adjusted_for.contains(&name) {
            adjusted_for.push(name);
        }
    }
    let method = Method::new(estimator)
        .variance(VarianceMethod::Other(variance))
        .interval(interval)
        .adjusted_for(adjusted_for);
    let about = About {
        trials: telling.iter().map(|trial| trial.trial().clone()).collect(),
        method,
        level: pool.level,
        notices,
        ..first.clone()
    };
    Ok(JointlyPooledRecord {
        about: Arc::new(about),
        coefficients,
        additivity: additivity(&telling, model, &arms, names, parts),
        arms,
        model: pool,
        specification: model.clone(),
        effects: effects.iter().cloned().collect(),
    })
}
