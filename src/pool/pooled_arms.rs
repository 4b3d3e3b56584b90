use super::arm_numbers::{ArmNumbers, ArmTransformation};
use super::arm_pool::{ArmModel, ArmPool};
use super::one_stage::random_df;
use super::pooled::{PoolModel, ask, check_again, check_pooled};
use crate::compute::counts::ArmTotal;
use crate::compute::curve::Inference;
use crate::compute::hypothesis::ChiSquaredTest;
use crate::compute::interval::Interval;
use crate::compute::one_stage::RandomInterceptLogistic;
use crate::compute::reference_distribution::{ReferenceDistribution, check_level};
use crate::design::{ArmCounts, Label, MeasureInfo, Notice};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Deserializer, Serialize};
use std::ops::Deref;
use std::sync::Arc;

/// An arm in one trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ArmTrial {
    /// The trial.
    pub trial: Label,
    /// The people of the arm.
    pub counts: ArmCounts,
    /// Its proportion, mean or rate.
    pub numbers: ArmNumbers,
    /// Its share of all weights, from 0 to 1; none in the logistic model, which has no weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
}

impl ArmTrial {
    pub(super) fn new(trial: Label, counts: ArmCounts, numbers: ArmNumbers) -> Self {
        Self { trial, counts, numbers, weight: None }
    }
}

/// The value of one arm pooled over trials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PooledArm {
    /// The arm.
    pub arm: Label,
    /// The trials that have it.
    pub trials: Vec<ArmTrial>,
    /// The scale on which it was pooled.
    pub transformation: ArmTransformation,
    /// The pooled value with its confidence curve on that scale, where its p-value of no effect asks whether
    /// the transformed value is 0.
    pub inference: Inference,
    /// The variance between trials on that scale.
    pub tau2: f64,
    /// Its Q-profile interval; none for a common value and in the logistic model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tau2_interval: Option<Interval>,
    /// Whether it was estimated and is 0.
    pub boundary: bool,
    /// The share of variance that lies between trials, from 0 to 1; none in the logistic model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub i2: Option<f64>,
    /// That all trials have one value: Cochran's Q, or in the logistic model twice the logarithm of the
    /// likelihood ratio.
    pub heterogeneity: ChiSquaredTest,
    /// The interval for the arm in another trial, on the scale of the transformation; none for a common
    /// value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transformed_prediction: Option<Interval>,
    /// The harmonic mean of the sizes, at which double arcsines are carried back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harmonic_n: Option<f64>,
}

impl PooledArm {
    /// The pool of one arm of these trials.
    pub(super) fn of(pool: &ArmPool, arm: Label, trials: Vec<ArmTrial>) -> Result<Self> {
        let (level, transformation) = (pool.own_level(), pool.transformation());
        let located = |error: Error| error.in_arm(&arm);
        let model = match pool.model() {
            ArmModel::Logistic { .. } => return Self::logistic(pool, arm, trials),
            ArmModel::Random(model) => {
                PoolModel::Random(model.clone().or_level(level).kernel(trials.len()).map_err(located)?)
            }
            ArmModel::Common(model) => PoolModel::Common(model.clone().or_level(level).kernel()),
        };
        let (mut yi, mut vi) = (Vec::new(), Vec::new());
        for trial in &trials {
            let value = trial.numbers.transformed(transformation, pool.rule_for_empty_cells());
            let (value, variance) = value.map_err(|error| located(error).in_trial(&trial.trial))?;
            yi.push(value);
            vi.push(variance);
        }
        let pooled = ask!(&model, model => model.pool(&yi, &vi)).map_err(located)?;
        let weighted = trials.into_iter().zip(&pooled.weights);
        let trials: Vec<ArmTrial> =
            weighted.map(|(trial, &weight)| ArmTrial { weight: Some(weight), ..trial }).collect();
        let inverse: f64 = trials.iter().map(|trial| 1.0 / trial.counts.analysed as f64).sum();
        let harmonic = trials.len() as f64 / inverse;
        let summary = &pooled.summary;
        let inference = summary.inference().map_err(located)?;
        check_pooled(&inference).map_err(located)?;
        Ok(Self {
            transformation,
            inference,
            tau2: summary.tau2,
            tau2_interval: summary.tau2_interval,
            boundary: summary.boundary,
            i2: Some(summary.i2),
            heterogeneity: summary.q,
            transformed_prediction: summary.prediction,
            harmonic_n: (transformation == ArmTransformation::FreemanTukey).then_some(harmonic),
            arm,
            trials,
        })
    }

    fn logistic(pool: &ArmPool, arm: Label, trials: Vec<ArmTrial>) -> Result<Self> {
        let located = |error: Error| error.in_arm(&arm);
        let ArmModel::Logistic { points, test } = *pool.model() else {
            return Err(Error::invalid("this pool has no logistic model"));
        };
        let level = pool.own_level();
        let total = |trial: &ArmTrial| match trial.numbers {
            ArmNumbers::Proportion { events, n } => Ok(ArmTotal { events, n }),
            other => Err(located(Error::invalid(format!(
                "the logistic model is one of proportions, but the outcome has a {} in each arm; take \
                 ArmPool::transformed(ArmTransformation::Plain)",
                other.name()
            )))),
        };
        let totals = trials.iter().map(total).collect::<Result<Vec<_>>>()?;
        let fit = RandomInterceptLogistic::new().points(points).level(level).fit(&totals).map_err(located)?;
        let df = random_df(test, totals.len(), totals.len() - 1);
        let inference = Inference::wald(fit.intercept.estimate, fit.intercept.se, df, level)?;
        check_pooled(&inference).map_err(located)?;
        let tau2 = fit.random_sd * fit.random_sd;
        let t = ReferenceDistribution::of(Some(totals.len() as f64 - 1.0))?;
        let half = t.critical(level)? * (tau2 + fit.intercept.se.powi(2)).sqrt();
        Ok(Self {
            transformation: ArmTransformation::Logit,
            tau2,
            tau2_interval: None,
            boundary: fit.boundary,
            i2: None,
            heterogeneity: fit.heterogeneity,
            transformed_prediction: Some(Interval::around(inference.value(), half)),
            harmonic_n: None,
            inference,
            arm,
            trials,
        })
    }

    /// On the scale of the outcome, within what it can be: 0 to 1 for a proportion, 0 or more for a rate.
    fn back(&self, value: f64) -> f64 {
        let value = self.transformation.back(value, self.harmonic_n);
        match self.trials.first().map(|trial| &trial.numbers) {
            Some(ArmNumbers::Proportion { .. }) => value.clamp(0.0, 1.0),
            Some(ArmNumbers::Rate { .. }) => value.max(0.0),
            _ => value,
        }
    }

    fn to_transformed(&self, value: f64) -> Result<f64> {
        if value.is_nan() {
            return Err(Error::invalid("the bound is not a number; give a proportion, a mean or a rate"));
        }
        Ok(self.transformation.of(value, self.harmonic_n))
    }

    /// The pooled proportion, mean or rate.
    pub fn value(&self) -> f64 {
        self.back(self.inference.value())
    }

    /// Its confidence interval.
    pub fn interval(&self) -> Interval {
        self.inference.interval().map(|limit| self.back(limit))
    }

    /// Its confidence interval at any level.
    ///
    /// # Errors
    /// A level that is not between 0 and 1.
    pub fn interval_at(&self, level: f64) -> Result<Interval> {
        Ok(self.inference.interval_at(level)?.map(|limit| self.back(limit)))
    }

    /// The interval for the arm in another trial; none for a common value.
    pub fn prediction(&self) -> Option<Interval> {
        Some(self.transformed_prediction?.map(|limit| self.back(limit)))
    }

    /// The p-value of the hypothesis that the proportion, mean or rate is `bound` or less.
    ///
    /// # Errors
    /// A bound that is not a number.
    pub fn p_above(&self, bound: f64) -> Result<f64> {
        self.inference.p_above(self.to_transformed(bound)?)
    }

    /// The p-value of the hypothesis that the proportion, mean or rate is `bound` or more.
    ///
    /// # Errors
    /// A bound that is not a number.
    pub fn p_below(&self, bound: f64) -> Result<f64> {
        self.inference.p_below(self.to_transformed(bound)?)
    }
}

/// Single arms pooled over trials, from [`ArmPool`].
///
/// It is shared data behind a check: reading one from JSON pools its trials again. [`PooledArmsRecord`] has
/// the fields and further methods.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct PooledArms(Arc<PooledArmsRecord>);

/// The data of [`PooledArms`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PooledArmsRecord {
    /// The measure.
    pub measure: MeasureInfo,
    /// The model with every convention.
    pub pool: ArmPool,
    /// The confidence level of all intervals.
    pub level: f64,
    /// The arms, each pooled by itself.
    pub arms: Vec<PooledArm>,
    /// Arms that one trial only has.
    #[serde(default)]
    pub unpooled: Vec<Label>,
    /// Everything that has to be said beside the numbers.
    pub notices: Vec<Notice>,
}

impl Deref for PooledArms {
    type Target = PooledArmsRecord;

    fn deref(&self) -> &PooledArmsRecord {
        &self.0
    }
}

impl<'de> Deserialize<'de> for PooledArms {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Self::checked(PooledArmsRecord::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl PooledArms {
    pub(super) fn checked(record: PooledArmsRecord) -> Result<Self> {
        record.check().map_err(|error| error.in_measure(&record.measure.name))?;
        Ok(Self(Arc::new(record)))
    }
}

impl PooledArmsRecord {
    fn check(&self) -> Result<()> {
        let Self { pool, level, arms, .. } = self;
        check_level(*level)?;
        if pool.own_level() != *level {
            return Err(Error::invalid("the level of pooled arms is that of their model; both must be one"));
        }
        let twice = |i: usize| arms[..i].iter().any(|other| other.arm == arms[i].arm);
        if arms.is_empty() || (0..arms.len()).any(twice) {
            return Err(Error::invalid("pooled arms need an arm, and each arm once"));
        }
        for one in arms {
            let twice = |i: usize| one.trials[..i].iter().any(|other| other.trial == one.trials[i].trial);
            let mixed = one.trials.iter().any(|trial| trial.numbers.name() != self.what());
            if one.trials.len() < 2 || mixed || (0..one.trials.len()).any(twice) {
                let why = "an arm is pooled over two trials or more, each once, all with a value of one kind";
                return Err(Error::invalid(why).in_arm(&one.arm));
            }
            for trial in &one.trials {
                let fits = trial.numbers.check(&trial.counts);
                fits.map_err(|error| error.in_trial(&trial.trial).in_arm(&one.arm))?;
            }
            check_again(one, &PooledArm::of(pool, one.arm.clone(), one.trials.clone())?)?;
        }
        // Those of the trials come first.
        if self.notices.ends_with(&pool.notices_of(arms)) {
            return Ok(());
        }
        Err(Error::invalid("what is said of pooled arms does not follow from them; their notices must agree"))
    }

    /// One arm.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn arm(&self, label: impl AsRef<str>) -> Result<&PooledArm> {
        let label = label.as_ref();
        self.arms.iter().find(|one| one.arm == label).ok_or_else(|| {
            let known = self.arms.iter().map(|one| one.arm.to_string()).collect();
            ErrorKind::UnknownArm { label: label.to_owned(), known }.into()
        })
    }

    /// What is pooled: `proportion`, `mean` or `rate`.
    pub fn what(&self) -> &'static str {
        self.arms.first().and_then(|one| one.trials.first()).map_or("value", |trial| trial.numbers.name())
    }
}
