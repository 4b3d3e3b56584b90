use super::pooled::{PoolModel, check_again};
use super::sensitivity::each_once;
use super::trial_values::{OfTrial, by_trial, in_order};
use super::univariate::{Numbers, locate};
use super::{CommonEffect, Pooled, PooledRecord, RandomEffects};
use crate::compute::curve::Inference;
use crate::compute::hypothesis::WaldTest;
use crate::compute::interval::Interval;
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
/// Use it for a property of trials that was named in advance: large and small cities, this and that form of a
/// treatment. It compares trials, not participants.
///
/// # Formula
/// The subgroups come from one regression with one `tau2` for all (default), and the comparison is its test,
/// chi-squared beside normal intervals and F beside those of Student's t. With a `tau2` of its own each
/// subgroup is pooled by itself, and they are compared by `Q = sum w_g (m_g - m)^2` with `w_g = 1 / se_g^2`:
/// chi-squared on subgroups - 1 degrees of freedom beside normal intervals, Welch's F beside those of
/// Student's t. By the wider of Wald and Hartung-Knapp it is the one of both with the larger p-value.
///
/// # Assumptions
/// Those of the model in each subgroup; with a common `tau2` the same variation in all. A `tau2` of its own
/// needs many trials in each subgroup: with three to a subgroup Wald's comparison errs in 11% at 5%
/// (`tests/coverage/README.md`).
///
/// # Interval
/// That of the model. A subgroup of one trial has the trial's own standard error and the normal test.
///
/// # Errors
/// A trial without a subgroup, a name that is not a trial's, fewer than two subgroups; what the model refuses.
///
/// # Examples
/// ```
/// use armwise::pool::Subgroups;
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
/// let sizes = [("A", "small"), ("B", "small"), ("C", "large"), ("D", "large")];
/// let groups = Subgroups::by("size", sizes).pool(&guidance)?;
/// assert_eq!(groups.group("large")?.trials, ["C", "D"]);
/// assert_eq!(groups.groups[0].label, "small");
/// assert!(groups.common_tau2_interval.is_some());
/// assert!(groups.between.p_value < 0.5);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Borenstein M, Higgins JPT (2013), Prevention Science 14:134, doi:10.1007/s11121-013-0377-7. Welch BL
/// (1951), Biometrika 38:330, doi:10.1093/biomet/38.3-4.330.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subgroups {
    name: String,
    groups: Vec<OfTrial<Label>>,
    #[serde(default)]
    tau2: Option<SubgroupTau2>,
    model: Model,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Model {
    Common(CommonEffect),
    Random(RandomEffects),
}

impl Subgroups {
    /// The subgroup of each trial, under a name for the property; random effects with one `tau2` for all. The
    /// subgroups stand in the order in which they are first named.
    pub fn by<T: AsRef<str>, L: AsRef<str>>(name: &str, groups: impl IntoIterator<Item = (T, L)>) -> Self {
        let groups = groups.into_iter().map(|(trial, group)| (trial, Label::new(group)));
        Self {
            name: name.to_owned(),
            groups: by_trial(groups),
            tau2: None,
            model: Model::Random(RandomEffects::new()),
        }
    }

    setters! {
        /// Whether each subgroup has a `tau2` of its own; default no. A common effect, which has none, is refused
        /// beside [`SubgroupTau2::Common`].
        tau2: SubgroupTau2 as Some;
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
        let located = |error| locate(effects, error);
        let labels =
            in_order(effects, &self.groups, &format!("the subgroup \"{}\"", self.name)).map_err(located)?;
        check_twins(labels.iter().map(Label::as_str)).map_err(located)?;
        let pooled = match &self.model {
            Model::Common(_) if self.tau2 == Some(SubgroupTau2::Common) => {
                let why = "a common effect has no tau2 that subgroups could share; pool with random effects, or leave out tau2(..)";
                return Err(located(Error::invalid(why)));
            }
            Model::Common(model) => model.pool(effects)?.to_any(),
            Model::Random(model) => model.pool(effects)?.to_any(),
        };
        let order: Vec<&Label> = self.groups.iter().map(|group| &group.value).collect();
        let compared =
            Compared::of(&pooled, &labels, self.tau2.unwrap_or_default(), &order).map_err(located)?;
        let notices = notices(&pooled);
        let Compared { groups, between, q_total, q_within, common_tau2, common_tau2_interval } = compared;
        Ok(PooledSubgroups::of(PooledSubgroupsRecord {
            about: Arc::new(About { notices, ..pooled.about().clone() }),
            name: self.name.clone(),
            pooled,
            groups,
            between,
            q_total,
            q_within,
            common_tau2,
            common_tau2_interval,
        }))
    }
}

/// What the trials of a pool give, divided by their labels.
#[derive(Debug)]
struct Compared {
    groups: Vec<PooledSubgroup>,
    between: WaldTest,
    q_total: ChiSquaredTest,
    q_within: ChiSquaredTest,
    common_tau2: Option<f64>,
    common_tau2_interval: Option<Interval>,
}

impl Compared {
    /// The groups stand in the order in which their labels first occur in `order`.
    fn of(pooled: &PooledRecord, labels: &[Label], tau2: SubgroupTau2, order: &[&Label]) -> Result<Self> {
        let Numbers { yi, vi } = Numbers::of(pooled.trials.iter().map(|trial| &trial.estimate))?;
        let analysis = match &pooled.model {
            PoolModel::Common(model) => model.subgroups(&yi, &vi, labels),
            PoolModel::Random(model) => model.subgroups(&yi, &vi, labels, tau2),
        };
        let SubgroupAnalysis {
            groups, between, q_total, q_within, common_tau2, common_tau2_interval, ..
        } = analysis?;
        let members = |label: &str| {
            let own = pooled.about.trials.iter().zip(labels).filter(|(_, own)| **own == label);
            own.map(|(trial, _)| trial.clone()).collect()
        };
        let groups = groups.into_iter().map(|group| PooledSubgroup {
            trials: members(&group.label),
            label: Label::new(group.label),
            inference: group.inference,
            tau2: group.tau2,
            q: group.q,
            i2: group.i2,
        });
        let mut groups: Vec<PooledSubgroup> = groups.collect();
        groups.sort_by_key(|group| order.iter().position(|label| **label == group.label));
        Ok(Self { groups, between, q_total, q_within, common_tau2, common_tau2_interval })
    }
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
    /// The subgroups, in the order in which they were first named.
    pub groups: Vec<PooledSubgroup>,
    /// That all subgroups have the same effect: chi-squared beside normal intervals, F beside those of
    /// Student's t.
    pub between: WaldTest,
    /// Cochran's Q of all trials.
    pub q_total: ChiSquaredTest,
    /// The sum of the Q of the subgroups.
    pub q_within: ChiSquaredTest,
    /// `tau2` of all subgroups, where they have it in common.
    pub common_tau2: Option<f64>,
    /// Its Q-profile interval.
    pub common_tau2_interval: Option<Interval>,
}

/// Those of the pool, and one about few trials.
fn notices(pooled: &Pooled) -> Vec<Notice> {
    let trials = pooled.about().trials.len();
    let few = (trials < 10).then(|| Notice::TooFewTrials {
        analysis: "a comparison of subgroups".to_owned(),
        trials,
        needed: 10,
        source: "Cochrane Handbook 6.5, section 10.11.5.1".to_owned(),
    });
    pooled.notices().iter().cloned().chain(few).collect()
}

impl Checked for PooledSubgroupsRecord {
    fn about(&self) -> &About {
        &self.about
    }

    fn check(&self) -> Result<()> {
        let Self {
            about, pooled, groups, between, q_total, q_within, common_tau2, common_tau2_interval, ..
        } = self;
        about.check()?;
        about.belongs_with(pooled.about())?;
        let fail = |why: &str| Err(about.locate(Error::invalid(why)));
        each_once(pooled, groups.iter().flat_map(|group| &group.trials))?;
        if about.trials != pooled.about().trials || about.level != pooled.level() {
            return fail("subgroups of trials have the trials and the level of their pool; they must agree");
        }
        if about.notices != notices(pooled) {
            return fail(
                "the notices of subgroups are not those of their pool and their number of trials; they must agree",
            );
        }
        let label =
            |trial| groups.iter().find(|group| group.trials.contains(trial)).map(|group| &group.label);
        let labels: Vec<Label> = about.trials.iter().filter_map(label).cloned().collect();
        let tau2 = if common_tau2.is_some() { SubgroupTau2::Common } else { SubgroupTau2::Separate };
        let read = Compared {
            groups: groups.clone(),
            between: *between,
            q_total: *q_total,
            q_within: *q_within,
            common_tau2: *common_tau2,
            common_tau2_interval: *common_tau2_interval,
        };
        let order: Vec<&Label> = groups.iter().map(|group| &group.label).collect();
        check_again(&read, &Compared::of(pooled, &labels, tau2, &order)?)
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
