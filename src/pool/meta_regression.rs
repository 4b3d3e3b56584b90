use super::consistent::near;
use super::pooled::{check_again, check_pooled};
use super::trial_values::{OfTrial, by_trial, in_order};
use super::univariate::{Numbers, locate};
use crate::compute::curve::Inference;
use crate::compute::interval::Interval;
use crate::compute::meta_analysis::{
    self as kernel, Heterogeneity, MetaRegressionFit, Moderators, PermutationTest, Permutations,
    PredictionDf, Tau2, Test,
};
use crate::data::check_twins;
use crate::design::{Label, Notice};
use crate::effect::{
    About, AnyScale, Checked, Estimate, IntervalMethod, Method, On, Scale, TreatmentEffects, VarianceMethod,
};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::ops::Deref;
use std::sync::Arc;

/// Explains the effect of one treatment by what its trials were like: numbers and categories of the trials,
/// by their names.
///
/// Use it for moderators that were named in advance. It compares trials, not participants: moderators of
/// participants belong into the model of each trial. With few trials it finds next to nothing; the result
/// says so.
///
/// # Formula
/// `y = X beta + u + e`, `Var(u_i) = tau2`, `Var(e_i) = v_i`; a category with L levels has L - 1 columns
/// against its first level in the order of the alphabet. `beta` by weighted least squares with
/// `1 / (v_i + tau2)`, `tau2` by REML. `R2` is the share of `tau2` that the moderators explain.
///
/// # Assumptions
/// Estimates of different trials are independent and near normal with known variances; effects are linear in
/// the moderators.
///
/// # Interval
/// The wider of Wald and Hartung-Knapp with trials - coefficients degrees of freedom, and the larger p-value
/// of both; the joint test of the moderators is chi-squared or F accordingly. A prediction has an interval
/// for the expectation and one for a new trial.
///
/// # Errors
/// A trial without a value of a moderator, a name that is not a trial's; moderators that cannot be told apart;
/// fewer trials than coefficients need.
///
/// # Examples
/// ```
/// use armwise::pool::MetaRegression;
/// use armwise::prelude::*;
///
/// let outflow = Measure::binary("outflow");
/// let city = |name, control, guidance| {
///     Comparison::from_counts(
///         name,
///         &outflow,
///         [("control", control, 100), ("guidance", guidance, 100)],
///     )
/// };
/// let cities = Comparisons::new([
///     city("A", 10, 15)?,
///     city("B", 8, 7)?,
///     city("C", 12, 19)?,
///     city("D", 9, 22)?,
/// ])?;
/// let guidance = cities.estimate(&DifferenceInProportions::new())?.treatment("guidance")?;
/// let fit = MetaRegression::new()
///     .number("unemployment", [("A", 5.1), ("B", 3.8), ("C", 5.6), ("D", 6.9)])
///     .fit(&guidance)?;
/// assert!(fit.coefficient("unemployment")?.value() > 0.0);
/// let at_6 = fit.predict([("unemployment", 6.0.into())])?;
/// assert!(at_6.interval().contains(at_6.value()));
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Berkey CS et al. (1995), Statistics in Medicine 14:395. Knapp G, Hartung J (2003), Statistics in Medicine
/// 22:2693, doi:10.1002/sim.1482. Higgins JPT, Thompson SG (2004), Statistics in Medicine 23:1663,
/// doi:10.1002/sim.1752.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetaRegression {
    model: kernel::MetaRegression,
    moderators: Vec<Moderator>,
    permutations: Option<Permutations>,
}

/// A moderator: a value for every trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Moderator {
    name: String,
    values: Vec<OfTrial<ModeratorValue>>,
}

/// The value of a moderator: a number, or the level of a category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModeratorValue {
    /// A number.
    Number(f64),
    /// A level.
    Level(Label),
}

from! {
    f64 => ModeratorValue: |number| Self::Number(number);
    &str => ModeratorValue: |level| Self::Level(Label::new(level));
}

impl Default for MetaRegression {
    fn default() -> Self {
        Self::new()
    }
}

impl MetaRegression {
    /// No moderator yet; REML, the wider of Wald and Hartung-Knapp, level 0.95.
    pub fn new() -> Self {
        Self { model: kernel::MetaRegression::new(), moderators: Vec::new(), permutations: None }
    }

    /// Trials with the same moderators have the same effect: no `tau2`, normal test.
    pub fn fixed_effects() -> Self {
        Self { model: kernel::MetaRegression::fixed_effects(), ..Self::new() }
    }

    /// Adds a number, by trial.
    #[must_use]
    pub fn number<T: AsRef<str>>(self, name: &str, values: impl IntoIterator<Item = (T, f64)>) -> Self {
        self.moderator(name, values.into_iter().map(|(trial, value)| (trial, value.into())))
    }

    /// Adds a category, by trial.
    #[must_use]
    pub fn category<T: AsRef<str>, L: AsRef<str>>(
        self,
        name: &str,
        levels: impl IntoIterator<Item = (T, L)>,
    ) -> Self {
        self.moderator(name, levels.into_iter().map(|(trial, level)| (trial, level.as_ref().into())))
    }

    fn moderator<T: AsRef<str>>(
        mut self,
        name: &str,
        values: impl IntoIterator<Item = (T, ModeratorValue)>,
    ) -> Self {
        self.moderators.push(Moderator { name: name.to_owned(), values: by_trial(values) });
        self
    }

    setters! {
        /// The estimator of `tau2`; default REML.
        model.tau2: Tau2;
        /// Standard errors and reference distribution; default the wider of Wald and Hartung-Knapp.
        model.test: Test;
        /// The confidence level, between 0 and 1; default 0.95.
        model.level: f64;
        /// The degrees of freedom of prediction intervals; default trials - coefficients.
        model.prediction_df: PredictionDf;
        /// Adds a permutation test of the moderators, which needs no degrees of freedom and no normality; default
        /// none.
        permutations: Permutations as Some;
    }

    /// The fitted model.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn fit<S: Scale>(&self, effects: &TreatmentEffects<S>) -> Result<PooledRegression<S>> {
        let Numbers { yi, vi } = Numbers::of(effects)?;
        let fitted = || {
            let values = self.values(effects)?;
            let names = self.moderators.iter().map(|moderator| &moderator.name);
            let moderators = columns(names.zip(&values))?;
            let fit = self.model.fit(&yi, &vi, &moderators)?;
            let predicted = fit.predict(&moderators)?;
            let permutation = match self.permutations {
                Some(permutations) => {
                    Some(self.model.permutation_test(&yi, &vi, &moderators, permutations)?)
                }
                None => None,
            };
            Ok((values, fit, predicted, permutation))
        };
        let (values, fit, predicted, permutation) = fitted().map_err(|error| locate(effects, error))?;
        let mut notices = effects.notices();
        notices.extend(notices_of(&fit));
        let trials = effects.iter().enumerate().map(|(i, estimate)| RegressedTrial {
            estimate: estimate.to_any(),
            moderators: values.iter().map(|values| values[i].clone()).collect(),
            expected: expectation(&predicted, i),
        });
        let interval = match (fit.test, fit.df) {
            (Test::WiderOfBoth, _) => IntervalMethod::WiderOfBoth,
            (_, Some(_)) => IntervalMethod::StudentT,
            (_, None) => IntervalMethod::Normal,
        };
        let variance = match fit.heterogeneity {
            Heterogeneity::Additive(tau2) => format!("between trials by {tau2}"),
            Heterogeneity::None => "inverse variance".to_owned(),
            Heterogeneity::Multiplicative => "multiplicative dispersion".to_owned(),
        };
        let about = About {
            trials: effects.iter().map(|estimate| estimate.trial().clone()).collect(),
            method: Method::new("meta-regression")
                .variance(VarianceMethod::Other(variance))
                .interval(interval),
            level: fit.level,
            notices,
            ..effects.first().about().clone()
        };
        Ok(PooledRegression::of(RegressionRecord {
            about: Arc::new(about),
            treatment: effects.treatment().clone(),
            moderators: self.moderators.iter().map(|moderator| moderator.name.clone()).collect(),
            trials: trials.collect(),
            coefficients: coefficients(&fit).map_err(|error| locate(effects, error))?,
            fit,
            permutation,
        }))
    }

    /// The values of each moderator, in the order of the estimates.
    fn values<S: Scale>(&self, effects: &TreatmentEffects<S>) -> Result<Vec<Vec<ModeratorValue>>> {
        let of = |(i, Moderator { name, values }): (usize, &Moderator)| {
            if self.moderators[..i].iter().any(|other| other.name == *name) {
                return Err(Error::invalid(format!("the moderator \"{name}\" is given twice; give it once")));
            }
            let values = in_order(effects, values, &format!("the moderator \"{name}\""))?;
            let one_level = matches!(values.first(), Some(ModeratorValue::Level(_)))
                && values.iter().all(|value| *value == values[0]);
            if one_level {
                return Err(Error::invalid(format!(
                    "the moderator \"{name}\" has the same level in all trials; leave it out"
                )));
            }
            Ok(values)
        };
        self.moderators.iter().enumerate().map(of).collect()
    }
}

/// Moderators by their names, each with the values of all trials.
fn columns<'a>(mut named: impl Iterator<Item = (&'a String, &'a Vec<ModeratorValue>)>) -> Result<Moderators> {
    named.try_fold(Moderators::new(), |moderators, (name, values)| push(moderators, name, values))
}

/// Adds the values of a moderator, which are all numbers or all levels.
fn push(moderators: Moderators, name: &str, values: &[ModeratorValue]) -> Result<Moderators> {
    let number = |value: &ModeratorValue| match value {
        ModeratorValue::Number(number) => Some(*number),
        ModeratorValue::Level(_) => None,
    };
    let level = |value: &ModeratorValue| match value {
        ModeratorValue::Number(_) => None,
        ModeratorValue::Level(level) => Some(level.clone()),
    };
    if let Some(numbers) = values.iter().map(number).collect::<Option<Vec<f64>>>() {
        Ok(moderators.number(name, &numbers))
    } else if let Some(levels) = values.iter().map(level).collect::<Option<Vec<Label>>>() {
        check_twins(levels.iter().map(Label::as_str))?;
        Ok(moderators.category(name, &levels))
    } else {
        let why =
            format!("the moderator \"{name}\" is a number here and a level there; give one or the other");
        Err(Error::invalid(why))
    }
}

/// The expectation of a trial. Without a moderator there is one for all.
fn expectation(predicted: &[kernel::Prediction], trial: usize) -> f64 {
    predicted.get(trial).or(predicted.first()).map_or(0.0, |at| at.estimate)
}

fn coefficients(fit: &MetaRegressionFit) -> Result<Vec<RegressionCoefficient>> {
    let p = fit.coefficients.len();
    let one = |(j, coefficient): (usize, &kernel::Coefficient)| {
        let weights: Vec<f64> = (0..p).map(|i| f64::from(u8::from(i == j))).collect();
        Ok(RegressionCoefficient { name: coefficient.name.clone(), inference: fit.inference(&weights)? })
    };
    fit.coefficients.iter().enumerate().map(one).collect()
}

/// One trial in a meta-regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RegressedTrial {
    /// Its estimate.
    pub estimate: Estimate,
    /// The values of its moderators, in the order of the moderators.
    pub moderators: Vec<ModeratorValue>,
    /// The effect that its moderators let expect.
    pub expected: f64,
}

/// A coefficient of a meta-regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RegressionCoefficient {
    /// `intercept`, the name of a number, or `name=level`.
    pub name: String,
    /// The coefficient with its confidence curve: by the wider of Wald and Hartung-Knapp the larger p-value
    /// of both.
    pub inference: Inference,
}

impl Deref for RegressionCoefficient {
    type Target = Inference;

    fn deref(&self) -> &Inference {
        &self.inference
    }
}

/// The effect to expect of a trial with given moderators.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PredictedEffect {
    /// The expectation with its confidence curve.
    pub inference: Inference,
    /// The interval for the effect in a new trial; `None` without variation between trials in the model.
    pub prediction: Option<Interval>,
}

impl Deref for PredictedEffect {
    type Target = Inference;

    fn deref(&self) -> &Inference {
        &self.inference
    }
}

/// The effect of one treatment explained by moderators of its trials; from [`MetaRegression`].
///
/// [`RegressionRecord`] has the fields and further methods.
pub type PooledRegression<S = AnyScale> = On<S, RegressionRecord>;

/// The data of a [`PooledRegression`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RegressionRecord {
    /// The identity of the effect; the trials are those of the regression.
    pub about: Arc<About>,
    /// The treatment.
    pub treatment: Label,
    /// The names of the moderators.
    pub moderators: Vec<String>,
    /// The trials with their moderators and what these let expect.
    pub trials: Vec<RegressedTrial>,
    /// The coefficients: the intercept, then those of the moderators in their order.
    pub coefficients: Vec<RegressionCoefficient>,
    /// All numbers: covariance, the joint tests of the moderators, `R2`, `tau2`, residual heterogeneity.
    pub fit: MetaRegressionFit,
    /// The permutation test, where it was asked for.
    pub permutation: Option<PermutationTest>,
}

impl Checked for RegressionRecord {
    fn about(&self) -> &About {
        &self.about
    }

    fn check(&self) -> Result<()> {
        let Self { about, treatment, moderators, trials, coefficients: stated, fit, .. } = self;
        about.check()?;
        let fail = |why: &str| Err(about.locate(Error::invalid(why).in_arm(treatment)));
        let effects = TreatmentEffects::new(trials.iter().map(|trial| trial.estimate.clone()))?;
        about.belongs_with(effects.first().about())?;
        let names = trials.iter().map(|trial| trial.estimate.trial());
        let complete = effects.treatment() == treatment && trials.len() == fit.k && names.eq(&about.trials);
        let valued = trials.iter().all(|trial| trial.moderators.len() == moderators.len());
        if !(complete && valued) || about.level != fit.level {
            return fail(
                "a meta-regression needs all its trials with all their moderators, of one treatment and level",
            );
        }
        let of = |i: usize| trials.iter().map(|trial| trial.moderators[i].clone()).collect();
        let values: Vec<Vec<ModeratorValue>> = (0..moderators.len()).map(of).collect();
        let columns = columns(moderators.iter().zip(&values))?;
        fitted_again(fit, trials, &columns)?;
        let predicted = fit.predict(&columns)?;
        let largest = fit.coefficients.iter().map(|one| one.estimate.abs()).fold(0.0, f64::max);
        let mut expected =
            trials.iter().enumerate().map(|(i, trial)| (expectation(&predicted, i), trial.expected));
        if *stated != coefficients(fit)? || !expected.all(|(own, given)| near(own, given, largest)) {
            return fail(
                "the coefficients, or what they let expect of a trial, are not those of the model; they must agree",
            );
        }
        if !about.notices.ends_with(&notices_of(fit)) {
            return fail("what is said of a meta-regression does not follow from it; its notices must agree");
        }
        stated.iter().try_for_each(|one| check_pooled(one))
    }
}

/// What a model says of itself.
fn notices_of(fit: &MetaRegressionFit) -> Vec<Notice> {
    let columns = fit.coefficients.len().saturating_sub(1);
    let few = (fit.k < 10 * columns).then(|| Notice::TooFewTrials {
        analysis: format!(
            "a meta-regression with {columns} moderator column{}",
            if columns == 1 { "" } else { "s" }
        ),
        trials: fit.k,
        needed: 10 * columns,
        source: "Cochrane Handbook 6.5, section 10.11.5.1".to_owned(),
    });
    few.into_iter().chain(fit.boundary.then_some(Notice::BoundaryTau2)).collect()
}

/// Refuses numbers that are not those of the model fitted to the trials again; only the rule of prediction
/// intervals is not kept by name.
fn fitted_again(read: &MetaRegressionFit, trials: &[RegressedTrial], moderators: &Moderators) -> Result<()> {
    let Numbers { yi, vi } = Numbers::of(trials.iter().map(|trial| &trial.estimate))?;
    let model = match read.heterogeneity {
        Heterogeneity::Additive(tau2) => kernel::MetaRegression::new().tau2(tau2),
        Heterogeneity::None => kernel::MetaRegression::fixed_effects(),
        Heterogeneity::Multiplicative => kernel::MetaRegression::multiplicative(),
    };
    let model = model.test(read.test).level(read.level);
    let rules = [PredictionDf::KMinus1, PredictionDf::KMinus2, PredictionDf::Normal, PredictionDf::AsTest];
    let mut first = Ok(());
    for rule in rules {
        let own = model.clone().prediction_df(rule).fit(&yi, &vi, moderators);
        match own.and_then(|own| check_again(read, &own)) {
            Ok(()) => return Ok(()),
            Err(error) => first = first.and(Err(error)),
        }
    }
    first
}

impl RegressionRecord {
    /// The treatment.
    pub fn treatment(&self) -> &Label {
        &self.treatment
    }

    /// A coefficient by its name: `intercept`, the name of a number, or `name=level`.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn coefficient(&self, name: &str) -> Result<&RegressionCoefficient> {
        self.coefficients.iter().find(|coefficient| coefficient.name == name).ok_or_else(|| {
            let known = self.coefficients.iter().map(|coefficient| coefficient.name.clone()).collect();
            ErrorKind::UnknownColumn { name: name.to_owned(), known }.into()
        })
    }

    /// The effect to expect of a trial with these moderators, with the interval of the expectation and that
    /// of a new trial.
    ///
    /// # Errors
    /// A moderator that is missing or unknown; a level that no trial had.
    pub fn predict<'a>(
        &self,
        at: impl IntoIterator<Item = (&'a str, ModeratorValue)>,
    ) -> Result<PredictedEffect> {
        let at: Vec<(&str, ModeratorValue)> = at.into_iter().collect();
        if let Some((name, _)) = at.iter().find(|(name, _)| self.moderators.iter().all(|own| own != name)) {
            let known = self.moderators.clone();
            return Err(ErrorKind::UnknownColumn { name: (*name).to_owned(), known }.into());
        }
        let mut moderators = Moderators::new();
        for own in &self.moderators {
            let Some((name, value)) = at.iter().find(|(name, _)| own == name) else {
                return Err(Error::invalid(format!(
                    "the moderator \"{own}\" is missing; give a value of every moderator of the model"
                )));
            };
            moderators = push(moderators, name, std::slice::from_ref(value))?;
        }
        let [predicted] = self.fit.predict(&moderators)?[..] else {
            return Err(Error::invalid("there is nothing to predict; give the moderators"));
        };
        let inference = self.fit.inference(&self.fit.rows(&moderators)?)?;
        Ok(PredictedEffect { inference, prediction: predicted.prediction })
    }
}
