use super::consistent::{is_chi_squared, near, same_test};
use super::pooled::check_pooled;
use super::sensitivity::each_once;
use super::trial_values::{OfTrial, by_trial, in_order};
use super::univariate::{Numbers, locate};
use super::{CommonEffect, Pooled, RandomEffects};
use crate::compute::curve::{ConfidenceCurve, Inference};
use crate::compute::hypothesis::WaldTest;
use crate::compute::meta_analysis::{ChiSquaredTest, SubgroupAnalysis, SubgroupTau2};
use crate::data::check_twins;
use crate::design::{Label, Notice};
use crate::effect::{About, AnyScale, Checked, On, Scale, TreatmentEffects};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::ops::Deref;
use std::sync::Arc;

/// Pools the effect of one treatment within subgroups of trials, and compares the subgroups.
///
/// Use it for a property of trials that was named in advance: large and small cities, this and that form of a treatment. It compares
/// trials, not participants.
///
/// # Formula
/// Each subgroup is pooled by the model; the subgroups are compared by `Q = sum w_g (m_g - m)^2` with `w_g = 1 / se_g^2`: chi-squared on
/// subgroups - 1 degrees of freedom beside normal intervals, and `Q / (subgroups - 1)` as F beside those of Student's t, with the fewest degrees of
/// freedom that the difference of two subgroups has by Welch and Satterthwaite. With a common `tau2` the subgroups come from one
/// regression, and the comparison is its F test. By the wider of Wald and Hartung-Knapp it is the one of both with the larger p-value.
///
/// # Assumptions
/// Those of the model in each subgroup; with a common `tau2` the same variation in all.
///
/// # Interval
/// That of the model. A subgroup of one trial has the trial's own standard error and the normal test.
///
/// # Errors
/// A trial without a subgroup, a name that is no trial, fewer than two subgroups; what the model refuses.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
/// use armwise::pool::Subgroups;
/// use armwise::meta_analysis::SubgroupTau2;
///
/// let outflow = Measure::binary("outflow");
/// let city = |name, control, guidance| {
///     Comparison::from_counts(name, &outflow, [("control", control, 100), ("guidance", guidance, 100)])
/// };
/// let cities = Comparisons::new([city("A", 10, 15)?, city("B", 8, 7)?, city("C", 12, 19)?, city("D", 9, 22)?])?;
/// let guidance = cities.estimate(&DifferenceInProportions::new())?.treatment("guidance")?;
/// let sizes = [("A", "small"), ("B", "small"), ("C", "large"), ("D", "large")];
/// let groups = Subgroups::by("size", sizes).tau2(SubgroupTau2::Common).pool(&guidance)?;
/// assert_eq!(groups.group("large")?.trials, ["C", "D"]);
/// assert!(groups.between.p_value < 0.5);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Borenstein M, Higgins JPT (2013), Prevention Science 14:134, doi:10.1007/s11121-013-0377-7.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subgroups {
    name: String,
    groups: Vec<OfTrial<Label>>,
    tau2: SubgroupTau2,
    model: Model,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Model {
    Common(CommonEffect),
    Random(RandomEffects),
}

impl Subgroups {
    /// The subgroup of each trial, under a name for the property; random effects with a `tau2` of its own in each.
    pub fn by<T: AsRef<str>, L: AsRef<str>>(name: &str, groups: impl IntoIterator<Item = (T, L)>) -> Self {
        let groups = groups.into_iter().map(|(trial, group)| (trial, Label::new(group)));
        Self {
            name: name.to_owned(),
            groups: by_trial(groups),
            tau2: SubgroupTau2::Separate,
            model: Model::Random(RandomEffects::new()),
        }
    }

    /// Whether each subgroup has a `tau2` of its own; default yes. A common effect, which has none, is refused beside
    /// [`SubgroupTau2::Common`].
    #[must_use]
    pub fn tau2(mut self, tau2: SubgroupTau2) -> Self {
        self.tau2 = tau2;
        self
    }

    /// The random-effects model within subgroups; default REML, the wider of Wald and Hartung-Knapp.
    #[must_use]
    pub fn random_effects(mut self, model: RandomEffects) -> Self {
        self.model = Model::Random(model);
        self
    }

    /// A common effect within each subgroup instead.
    #[must_use]
    pub fn common_effect(mut self, model: CommonEffect) -> Self {
        self.model = Model::Common(model);
        self
    }

    /// The subgroups, pooled and compared.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn pool<S: Scale>(&self, effects: &TreatmentEffects<S>) -> Result<PooledSubgroups<S>> {
        let Numbers { yi, vi } = Numbers::of(effects)?;
        let located = |error| locate(effects, error);
        let labels =
            in_order(effects, &self.groups, &format!("the subgroup \"{}\"", self.name)).map_err(located)?;
        check_twins(labels.iter().map(Label::as_str)).map_err(located)?;
        let (pooled, analysis) = match &self.model {
            Model::Common(_) if self.tau2 == SubgroupTau2::Common => {
                let why = "a common effect has no tau2 that subgroups could share; pool with random effects, or leave out tau2(..)";
                return Err(located(Error::invalid(why)));
            }
            Model::Common(model) => {
                (model.pool(effects)?, model.kernel().subgroups(&yi, &vi, &labels).map_err(located)?)
            }
            Model::Random(model) => {
                let kernel = model.kernel(effects.len()).map_err(located)?;
                (model.pool(effects)?, kernel.subgroups(&yi, &vi, &labels, self.tau2).map_err(located)?)
            }
        };
        let mut notices = pooled.notices().to_vec();
        let trials = effects.len();
        if trials < 10 {
            notices.push(Notice::TooFewTrials {
                analysis: "a comparison of subgroups".to_owned(),
                trials,
                needed: 10,
                source: "Cochrane Handbook 6.5, section 10.11.5.1".to_owned(),
            });
        }
        let SubgroupAnalysis { groups, q_total, q_within, common_tau2, .. } = analysis;
        let members = |label: &str| {
            let own = effects.iter().zip(&labels).filter(|(_, own)| **own == label);
            own.map(|(estimate, _)| estimate.trial().clone()).collect()
        };
        let groups: Vec<PooledSubgroup> = groups
            .into_iter()
            .map(|group| PooledSubgroup {
                trials: members(&group.label),
                label: Label::new(group.label),
                inference: group.inference,
                tau2: group.tau2,
                q: group.q,
                i2: group.i2,
            })
            .collect();
        Ok(PooledSubgroups::of(PooledSubgroupsRecord {
            about: Arc::new(About { notices, ..pooled.about().clone() }),
            name: self.name.clone(),
            pooled: pooled.to_any(),
            between: between(&groups, common_tau2.is_some()).map_err(located)?,
            groups,
            q_total,
            q_within,
            common_tau2,
        }))
    }
}

/// The test that all subgroups have one effect, against the reference distribution of their intervals.
fn between(groups: &[PooledSubgroup], one_model: bool) -> Result<WaldTest> {
    let by = |view: fn(&Inference) -> Result<Inference>| {
        let effects: Vec<Inference> = groups.iter().map(|group| view(group)).collect::<Result<_>>()?;
        let total: f64 = effects.iter().map(|one| 1.0 / one.variance()).sum();
        let mean = effects.iter().map(|one| one.value() / one.variance()).sum::<f64>() / total;
        let q = effects.iter().map(|one| (one.value() - mean).powi(2) / one.variance()).sum();
        let mut df = effects[0].df();
        if !one_model {
            let pairs = effects
                .iter()
                .enumerate()
                .flat_map(|(i, one)| effects[..i].iter().map(move |two| (one, two)));
            let dfs: Vec<Option<f64>> =
                pairs.map(|(one, two)| Ok(one.minus(two)?.df())).collect::<Result<_>>()?;
            df = dfs.into_iter().flatten().reduce(f64::min);
        }
        WaldTest::new(q, groups.len() as f64 - 1.0, df)
    };
    let wald = by(|one| Inference::wald(one.value(), one.se(), one.df(), one.level()))?;
    let other = by(|one| match *one.curve() {
        ConfidenceCurve::LargerOf { se, df } => Inference::wald(one.value(), se, Some(df), one.level()),
        _ => Ok(one.clone()),
    })?;
    Ok(if other.p_value > wald.p_value { other } else { wald })
}

/// A subgroup of trials, pooled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PooledSubgroup {
    /// The subgroup.
    pub label: Label,
    /// Its trials.
    pub trials: Vec<Label>,
    /// Its effect with its confidence curve.
    pub inference: Inference,
    /// The variance between its trials (between the trials of any subgroup, where it is common).
    pub tau2: f64,
    /// Cochran's Q within the subgroup.
    pub q: ChiSquaredTest,
    /// The share of variance that lies between its trials, from 0 to 1.
    pub i2: f64,
}

impl Deref for PooledSubgroup {
    type Target = Inference;

    fn deref(&self) -> &Inference {
        &self.inference
    }
}

/// The effect of one treatment in subgroups of trials; from [`Subgroups`].
///
/// [`PooledSubgroupsRecord`] has the fields and further methods.
pub type PooledSubgroups<S = AnyScale> = On<S, PooledSubgroupsRecord>;

/// The data of [`PooledSubgroups`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PooledSubgroupsRecord {
    /// The identity of the effects.
    pub about: Arc<About>,
    /// The property by which trials were grouped.
    pub name: String,
    /// The pool of all trials, with their estimates.
    pub pooled: Pooled,
    /// The subgroups, in the order of the alphabet.
    pub groups: Vec<PooledSubgroup>,
    /// That all subgroups have the same effect: chi-squared beside normal intervals, F beside those of Student's t.
    pub between: WaldTest,
    /// Cochran's Q of all trials.
    pub q_total: ChiSquaredTest,
    /// The sum of the Q of the subgroups.
    pub q_within: ChiSquaredTest,
    /// `tau2` of all subgroups, where they have it in common.
    pub common_tau2: Option<f64>,
}

impl Checked for PooledSubgroupsRecord {
    fn about(&self) -> &About {
        &self.about
    }

    fn check(&self) -> Result<()> {
        let Self { about, pooled, groups, q_total, q_within, common_tau2, .. } = self;
        about.check()?;
        about.belongs_with(pooled.about())?;
        let fail = |why: &str| Err(about.locate(Error::invalid(why)));
        each_once(pooled, groups.iter().flat_map(|group| &group.trials))?;
        let ordered = groups.windows(2).all(|two| two[0].label.as_str() < two[1].label.as_str());
        if about.trials != pooled.about().trials || groups.len() < 2 || !ordered {
            return fail(
                "subgroups of trials need all their trials, and at least two different labels in their order",
            );
        }
        for group in groups {
            check_pooled(group)?;
            let sound = group.level() == about.level
                && group.tau2 >= 0.0
                && common_tau2.is_none_or(|common| common == group.tau2)
                && (0.0..=1.0).contains(&group.i2)
                && group.q.df + 1.0 == group.trials.len() as f64
                && is_chi_squared(&group.q);
            if !sound {
                return fail("a subgroup has another level, or a tau2, I2 or Q that its trials cannot have");
            }
        }
        let within: f64 = groups.iter().map(|group| group.q.statistic).sum();
        let sums = near(within, q_within.statistic, 1.0)
            && q_within.df + groups.len() as f64 == about.trials.len() as f64
            && near(pooled.summary.q.statistic, q_total.statistic, 1.0)
            && q_total.df == pooled.summary.q.df;
        if !(sums && is_chi_squared(q_within) && is_chi_squared(q_total)) {
            return fail(
                "Q of the subgroups is not the sum of theirs, or Q of all trials not that of their pool",
            );
        }
        if !same_test(&between(groups, common_tau2.is_some())?, &self.between) {
            return fail("the test between subgroups is not that of their effects");
        }
        Ok(())
    }
}

impl PooledSubgroupsRecord {
    /// One subgroup.
    ///
    /// # Errors
    /// There is none of that label.
    pub fn group(&self, label: &str) -> Result<&PooledSubgroup> {
        self.groups.iter().find(|group| group.label == label).ok_or_else(|| {
            let known = self.groups.iter().map(|group| group.label.to_string()).collect();
            ErrorKind::UnknownCategory { label: label.to_owned(), known }.into()
        })
    }
}
