use super::consistent::near;
use super::joint::PooledCoefficient;
use super::pooled::check_pooled;
use crate::compute::curve::Inference;
use crate::compute::hypothesis::WaldTest;
use crate::compute::meta_analysis::CoefficientTest;
use crate::compute::words::words;
use crate::design::{Comparison, Comparisons, Label, MeasureInfo, Notice, OutcomeKind, of_trials};
use crate::effect::{About, AnyScale, Checked, Estimand, IntervalMethod, Method, On, Scale, VarianceMethod};
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

/// Whether treatment effects differ between the trials of a one-stage model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OneStageEffects {
    /// They are the same in all trials.
    Common,
    /// They vary between trials around a mean.
    Random,
}

words! { OneStageEffects { Common => "common effects", Random => "random effects", } }

/// Which test of treatment by trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum InteractionStatistic {
    /// Likelihood ratio, chi-squared.
    LikelihoodRatio,
    /// F of least squares.
    F,
    /// Rao's score, chi-squared.
    Score,
}

words! { InteractionStatistic { LikelihoodRatio => "likelihood ratio", F => "F", Score => "score", } }

/// A test that treatment effects are the same in all trials.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OneStageInteraction {
    /// Which test.
    pub test: InteractionStatistic,
    /// The statistic.
    pub statistic: f64,
    /// Its degrees of freedom; those of the numerator of F.
    pub df: f64,
    /// Those of the denominator of F.
    pub denominator_df: Option<f64>,
    /// The upper tail.
    pub p_value: f64,
}

impl OneStageInteraction {
    /// Refuses a p-value that does not follow from the statistic.
    fn check(&self) -> Result<()> {
        let own = WaldTest::new(
            self.statistic * self.denominator_df.map_or(1.0, |_| self.df),
            self.df,
            self.denominator_df,
        )?;
        if self.statistic >= 0.0 && near(own.p_value, self.p_value, 1.0) {
            return Ok(());
        }
        let why = "the p-value of treatment by trial does not follow from its statistic; take the result as it was made";
        Err(Error::invalid(why))
    }
}

/// The numbers of a one-stage model beside its coefficients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OneStageSummary {
    /// The model in words, such as "logistic regression".
    pub model: String,
    /// Whether effects vary between trials.
    pub effects: OneStageEffects,
    /// The variance of the effect between trials; `None` for common effects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tau2: Option<f64>,
    /// The residual variance of a linear model.
    pub residual_variance: Option<f64>,
    /// The (restricted) log-likelihood, where the model has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_likelihood: Option<f64>,
    /// The test of treatment by trial; `None` for random effects, and where no treatment is in two trials.
    pub interaction: Option<OneStageInteraction>,
    /// The covariates that it adjusts for.
    pub adjusted_for: Vec<String>,
    /// How many participants are analysed.
    pub participants: u64,
    /// The confidence level.
    pub level: f64,
    /// True where a variance between trials was estimated and is zero.
    #[serde(default)]
    pub boundary: bool,
}

/// Treatment effects from one model of the participants of all trials: by
/// [`OneStageLogistic`](crate::pool::OneStageLogistic), [`OneStageLinear`](crate::pool::OneStageLinear) or
/// [`OneStageCox`](crate::pool::OneStageCox).
///
/// Every trial has an intercept of its own, so that treated are compared with controls of the same trial
/// only.
///
/// [`OneStageRecord`] has the fields and further methods.
pub type OneStagePooled<S = AnyScale> = On<S, OneStageRecord>;

/// The data of [`OneStagePooled`] effects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OneStageRecord {
    /// The identity of the effects.
    pub about: Arc<About>,
    /// The treatments.
    pub coefficients: Vec<PooledCoefficient>,
    /// The covariance of their effects, in squared units of the scale.
    #[serde(with = "crate::compute::matrix_rows")]
    pub covariance: Array2<f64>,
    /// All other numbers of the model, and its conventions.
    pub summary: OneStageSummary,
}

impl Checked for OneStageRecord {
    fn about(&self) -> &About {
        &self.about
    }

    fn check(&self) -> Result<()> {
        self.about.check()?;
        let (p, v) = (self.coefficients.len(), &self.covariance);
        let symmetric =
            v.dim() == (p, p) && v.indexed_iter().all(|((i, j), &x)| x.is_finite() && x == v[[j, i]]);
        let OneStageSummary { tau2, residual_variance, log_likelihood, interaction, .. } = &self.summary;
        let random = self.summary.effects == OneStageEffects::Random;
        let positive = |x: f64| x >= 0.0 && x.is_finite();
        let known =
            |one: &PooledCoefficient| one.trials.iter().all(|trial| self.about.trials.contains(trial));
        let sound = tau2.is_none_or(positive)
            && residual_variance.is_none_or(positive)
            && log_likelihood.is_none_or(f64::is_finite)
            && self.summary.level == self.about.level
            && self.summary.participants > 0
            && (!self.summary.boundary || *tau2 == Some(0.0))
            && self.coefficients.iter().all(known);
        if let Some(test) = interaction {
            test.check()?;
        }
        if p == 0 || !symmetric || !sound || random != self.summary.tau2.is_some() {
            return Err(Error::invalid(
                "a one-stage result needs participants and trials, coefficients with a symmetric covariance, one level, and tau2 where effects \
                 are random only",
            ));
        }
        for (coefficient, &variance) in self.coefficients.iter().zip(v.diag()) {
            check_pooled(&coefficient.inference)?;
            let se = coefficient.se();
            if (se * se - variance).abs() > 1e-9 * variance || coefficient.level() != self.about.level {
                let why = format!(
                    "the standard error {se} is not the root of the variance {variance}, or the level is not that of the result; they must agree"
                );
                return Err(Error::invalid(why).in_arm(&coefficient.label));
            }
        }
        Ok(())
    }
}

impl OneStageRecord {
    /// The treatments, each with its value, standard error, interval and p-value.
    pub fn coefficients(&self) -> &[PooledCoefficient] {
        &self.coefficients
    }

    /// One treatment.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn treatment(&self, name: impl AsRef<str>) -> Result<&PooledCoefficient> {
        let name = name.as_ref();
        self.coefficients.iter().find(|coefficient| coefficient.label == name).ok_or_else(|| {
            let known = self.coefficients.iter().map(|coefficient| coefficient.label.to_string()).collect();
            ErrorKind::UnknownTreatment { name: name.to_owned(), known }.into()
        })
    }

    /// The covariance of all coefficients.
    pub fn covariance(&self) -> ArrayView2<'_, f64> {
        self.covariance.view()
    }

    /// The variance of the effect between trials; `None` for common effects.
    pub fn tau2(&self) -> Option<f64> {
        self.summary.tau2
    }

    /// The test that effects are the same in all trials.
    pub fn interaction(&self) -> Option<&OneStageInteraction> {
        self.summary.interaction.as_ref()
    }
}

/// The options that one-stage models share.
macro_rules! options {
    ($model:ty) => {
        impl $model {
            /// Only this treatment against the reference, in the trials that have it; default: all
            /// treatments.
            #[must_use]
            pub fn treatment(mut self, treatment: impl AsRef<str>) -> Self {
                self.treatment = Some(Label::new(treatment));
                self
            }

            /// The reference distribution of random effects; default t with trials - 1 degrees of freedom.
            #[must_use]
            pub fn test(mut self, test: CoefficientTest) -> Self {
                self.test = test;
                self
            }

            /// The confidence level, between 0 and 1; default 0.95.
            #[must_use]
            pub fn level(mut self, level: f64) -> Self {
                self.level = level;
                self
            }
        }
    };
}
pub(super) use options;

/// The trials of a one-stage model that have its arms.
pub(super) struct Gathered<'c, K> {
    pub measure: MeasureInfo,
    pub reference: Label,
    pub treatments: Vec<Label>,
    pub members: Vec<&'c Comparison<K>>,
    pub notices: Vec<Notice>,
    /// Whether effects are those within strata, on a scale that is not collapsible.
    pub conditional: bool,
    /// The variance and the interval, where they are not those of the model.
    pub robust: Option<(VarianceMethod, IntervalMethod)>,
}

impl<'c, K: OutcomeKind> Gathered<'c, K> {
    /// Checks that the trials belong together; `only` names the one treatment, if there is one.
    pub(super) fn new(comparisons: &'c Comparisons<K>, only: Option<&str>) -> Result<Self> {
        let Some(first) = comparisons.iter().next() else { return Err(ErrorKind::NoStudies.into()) };
        let (measure, reference) = (first.measure().clone(), first.reference().label.clone());
        let mut treatments: Vec<Label> = Vec::new();
        let mut names: Vec<&Label> = Vec::new();
        for comparison in comparisons {
            let apart = |why: String| Err(comparison.locate(ErrorKind::Incompatible(why).into()));
            if names.contains(&comparison.trial()) {
                return apart("this trial occurs twice; pool each trial once".to_owned());
            }
            if *comparison.measure() != measure || comparison.reference().label != reference {
                return apart(format!(
                    "the trials before have the measure \"{}\" and the reference \"{reference}\", this one has \"{}\" and \"{}\", or \
                     another unit, horizon or direction; pool them apart",
                    measure.name,
                    comparison.measure().name,
                    comparison.reference().label
                ));
            }
            names.push(comparison.trial());
            for arm in comparison.treatments() {
                if !treatments.contains(&arm.label) {
                    treatments.push(arm.label.clone());
                }
            }
        }
        let mut notices = Vec::new();
        let mut members: Vec<&Comparison<K>> = comparisons.iter().collect();
        if let Some(only) = only {
            let Some(label) = treatments.iter().find(|label| **label == *only).cloned() else {
                let known = treatments.iter().map(ToString::to_string).collect();
                return Err(ErrorKind::UnknownTreatment { name: only.to_owned(), known }.into());
            };
            members.retain(|member| member.treatments().iter().any(|arm| arm.label == label));
            let without: Vec<Label> = comparisons
                .iter()
                .filter(|other| !members.iter().any(|member| member.trial() == other.trial()))
                .map(|other| other.trial().clone())
                .collect();
            if !without.is_empty() {
                notices.push(Notice::TrialsWithoutArm { arm: label.clone(), trials: without });
            }
            treatments = vec![label];
        }
        if members.len() < 3 {
            notices.push(Notice::FewTrials { trials: members.len() });
        }
        let named: Vec<&Label> = treatments.iter().collect();
        notices.extend(clusters_ignored(members.iter().copied()));
        // Who has no outcome in the arms of the model is told by tell_missing.
        let about_missing = |notice: &Notice| matches!(notice, Notice::OfTrials { notice, .. } if matches!(**notice, Notice::MissingOutcome { .. }));
        let own = told(members.iter().copied(), &named).into_iter();
        notices.extend(own.filter(|notice| !about_missing(notice)));
        Ok(Self { measure, reference, treatments, members, notices, conditional: false, robust: None })
    }

    /// The position of an arm: 0 for the reference; `None` for arms that are not in the model.
    pub(super) fn arm(&self, label: &Label) -> Option<usize> {
        if *label == self.reference {
            return Some(0);
        }
        self.treatments.iter().position(|treatment| treatment == label).map(|place| place + 1)
    }

    /// The one treatment of a random effect.
    pub(super) fn only_treatment(&self) -> Result<&Label> {
        match self.treatments.as_slice() {
            [one] => Ok(one),
            several => {
                let names: Vec<&str> = several.iter().map(Label::as_str).collect();
                Err(Error::invalid(format!(
                    "a random effect is of one treatment, but these trials have {}; name it with treatment(..)",
                    names.join(", ")
                ))
                .in_measure(&self.measure.name))
            }
        }
    }

    /// The trials restricted to people who have all these covariates; tells how many lack each.
    pub(super) fn complete(&mut self, covariates: &[String]) -> Result<Vec<Cow<'c, Comparison<K>>>> {
        let mut dropped = vec![0; covariates.len()];
        let mut complete = Vec::with_capacity(self.members.len());
        for member in &self.members {
            let own = member.complete(covariates.iter().map(String::as_str))?;
            for notice in own.notices() {
                if let Notice::MissingCovariate { covariate, participants } = notice
                    && let Some(place) = covariates.iter().position(|name| name == covariate)
                {
                    dropped[place] += participants;
                }
            }
            complete.push(own);
        }
        for (covariate, participants) in covariates.iter().zip(dropped) {
            if participants > 0 {
                self.notices.push(Notice::MissingCovariate { covariate: covariate.clone(), participants });
            }
        }
        Ok(complete)
    }

    /// Tells how many of the randomised have no outcome, and to how many it does not apply.
    pub(super) fn tell_missing(&mut self) {
        let (mut of, mut observed, mut apart) = (0, 0, 0);
        for member in &self.members {
            for arm in member.arms().iter().filter(|arm| self.arm(&arm.label).is_some()) {
                of += arm.counts.randomised;
                observed += arm.counts.observed;
            }
            apart += member.not_applicable();
        }
        let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        self.notices.extend(Notice::of_missing(count(of - observed), apart, count(of)));
    }

    /// The result, from the estimates of all treatments with their covariance.
    pub(super) fn result<S: Scale>(
        mut self,
        scale: S,
        coefficients: Vec<Inference>,
        covariance: Array2<f64>,
        summary: OneStageSummary,
    ) -> Result<OneStagePooled<S>> {
        self.tell_missing();
        if summary.boundary {
            self.notices.push(Notice::BoundaryTau2);
        }
        let of = |label: &Label| {
            let having = self
                .members
                .iter()
                .filter(|member| member.treatments().iter().any(|arm| arm.label == *label));
            having.map(|member| member.trial().clone()).collect()
        };
        let coefficients = self
            .treatments
            .iter()
            .zip(coefficients)
            .map(|(label, inference)| PooledCoefficient {
                label: label.clone(),
                inference,
                trials: of(label),
            })
            .collect();
        let p = covariance.nrows();
        let covariance =
            Array2::from_shape_fn((p, p), |(i, j)| 0.5 * (covariance[[i, j]] + covariance[[j, i]]));
        let differs =
            self.conditional || scale.to_any() == AnyScale::LogOddsRatio && !summary.adjusted_for.is_empty();
        let interval = if summary.effects == OneStageEffects::Random {
            IntervalMethod::StudentT
        } else {
            IntervalMethod::Normal
        };
        let method = Method::new(summary.model.clone()).adjusted_for(&summary.adjusted_for);
        let method = match self.robust {
            Some((variance, interval)) => method.variance(variance).interval(interval),
            None => method.interval(interval),
        };
        let about = About {
            scale: scale.to_any(),
            measure: self.measure,
            trials: self.members.iter().map(|member| member.trial().clone()).collect(),
            reference: self.reference,
            estimand: if differs { Estimand::Conditional } else { Estimand::Marginal },
            method,
            level: summary.level,
            notices: self.notices,
        };
        OneStagePooled::checked(OneStageRecord { about: Arc::new(about), coefficients, covariance, summary })
    }
}

/// A covariate of everybody who has them all, as numbers.
pub(super) fn covariate_values<K: OutcomeKind>(comparison: &Comparison<K>, name: &str) -> Result<Vec<f64>> {
    let people = comparison.people()?;
    let rows = people.rows.iter().map(|&row| row as usize);
    match people.table.flags(name) {
        Ok(flags) => Ok(rows.map(|row| f64::from(flags[row])).collect()),
        Err(error) if matches!(error.kind(), ErrorKind::ColumnType { .. }) => {
            let numbers = people.table.reals(name).map_err(|error: Error| comparison.locate(error))?;
            Ok(rows.map(|row| numbers[row]).collect())
        }
        Err(error) => Err(comparison.locate(error)),
    }
}

/// What comparisons know of themselves and of these treatments, each said once.
pub(super) fn told<'c, K: OutcomeKind>(
    members: impl Iterator<Item = &'c Comparison<K>>,
    treatments: &[&Label],
) -> Vec<Notice> {
    of_trials(members.map(|member| {
        let reference = &member.reference().label;
        let concerned = move |notice: &&Notice| {
            treatments.iter().any(|treatment| notice.concerns([*treatment, reference]))
        };
        (member.trial(), member.notices().iter().filter(concerned))
    }))
}

/// What a model that takes people as independent has to say where trials declared clusters.
pub(super) fn clusters_ignored<'c, K: OutcomeKind>(
    members: impl Iterator<Item = &'c Comparison<K>>,
) -> Option<Notice> {
    let clusters: usize = members
        .filter_map(|member| match member.clusters_ignored() {
            Some(Notice::ClustersIgnored { clusters }) => Some(clusters),
            _ => None,
        })
        .sum();
    (clusters > 0).then_some(Notice::ClustersIgnored { clusters })
}

/// What a model that adjusts for these columns has to say of declared strata, each said once.
pub(super) fn strata_ignored<'c, K: OutcomeKind>(
    members: impl Iterator<Item = &'c Comparison<K>>,
    covariates: &[String],
) -> Vec<Notice> {
    let own: Vec<(&Label, Vec<Notice>)> =
        members.map(|member| (member.trial(), member.strata_ignored_beside(covariates))).collect();
    of_trials(own.iter().map(|(trial, notices)| (*trial, notices)))
}

/// The degrees of freedom of a random effect over trials.
pub(super) fn random_df(test: CoefficientTest, trials: usize, residual: usize) -> Option<f64> {
    match test {
        CoefficientTest::Normal => None,
        CoefficientTest::TrialsMinus1 => Some(trials as f64 - 1.0),
        CoefficientTest::Residual => Some(residual as f64),
    }
}
