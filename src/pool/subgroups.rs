use super::sensitivity::each_once;
use super::trial_values::{OfTrial, by_trial, in_order};
use super::univariate::{Numbers, locate};
use super::{CommonEffect, Pooled, RandomEffects};
use crate::compute::curve::Inference;
use crate::compute::meta_analysis::{ChiSquaredTest, Subgroup, SubgroupAnalysis, SubgroupTau2, WaldTest};
use crate::design::{Label, Notice};
use crate::effect::{AnyScale, Scale, TreatmentEffects};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// Pools the effect of one treatment within subgroups of trials, and compares the subgroups.
///
/// Use it for a property of trials that was named in advance: large and small cities, this and that form of a treatment. It compares
/// trials, not participants.
///
/// # Formula
/// Each subgroup is pooled by the model; the subgroups are compared by `Q = sum w_g (m_g - m)^2` with `w_g = 1 / se_g^2`, chi-squared on
/// subgroups - 1 degrees of freedom. With a common `tau2` both come from one regression on the subgroups, and the comparison is its F test
/// (chi-squared with the normal test).
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
/// use armwise::Subgroups;
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
/// assert!(groups.between().p_value < 0.5);
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
        let SubgroupAnalysis { groups, between, q_total, q_within, common_tau2, .. } = analysis;
        let members = |label: &str| {
            let own = effects.iter().zip(&labels).filter(|(_, own)| **own == label);
            own.map(|(estimate, _)| estimate.trial().clone()).collect()
        };
        let groups =
            groups.into_iter().map(|pool| PooledSubgroup { trials: members(&pool.label), pool }).collect();
        Ok(PooledSubgroups {
            name: self.name.clone(),
            pooled,
            groups,
            between,
            q_total,
            q_within,
            common_tau2,
            notices,
        })
    }
}

/// A subgroup of trials, pooled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PooledSubgroup {
    /// Its trials.
    pub trials: Vec<Label>,
    /// Its label, value, standard error, test, interval and heterogeneity.
    #[serde(flatten)]
    pub pool: Subgroup,
}

/// The effect of one treatment in subgroups of trials; from [`Subgroups`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "PooledSubgroupsWire<S>", bound = "S: Scale")]
pub struct PooledSubgroups<S: Scale> {
    name: String,
    pooled: Pooled<S>,
    groups: Vec<PooledSubgroup>,
    between: WaldTest,
    q_total: ChiSquaredTest,
    q_within: ChiSquaredTest,
    common_tau2: Option<f64>,
    notices: Vec<Notice>,
}

#[derive(Deserialize)]
#[serde(bound = "S: Scale")]
struct PooledSubgroupsWire<S: Scale> {
    name: String,
    pooled: Pooled<S>,
    groups: Vec<PooledSubgroup>,
    between: WaldTest,
    q_total: ChiSquaredTest,
    q_within: ChiSquaredTest,
    common_tau2: Option<f64>,
    notices: Vec<Notice>,
}

impl<S: Scale> TryFrom<PooledSubgroupsWire<S>> for PooledSubgroups<S> {
    type Error = Error;

    fn try_from(wire: PooledSubgroupsWire<S>) -> Result<Self> {
        let PooledSubgroupsWire { name, pooled, groups, between, q_total, q_within, common_tau2, notices } =
            wire;
        for PooledSubgroup { pool, .. } in &groups {
            let inference = Inference::wald(pool.estimate, pool.se, pool.df, pooled.level())?;
            super::pooled::check_pooled(&inference)?;
        }
        each_once(&pooled, groups.iter().flat_map(|group| &group.trials))?;
        if groups.iter().any(|group| group.trials.len() != group.pool.k) {
            return Err(Error::invalid(
                "a subgroup needs all its trials; their number must be that of its pool",
            ));
        }
        Ok(Self { name, pooled, groups, between, q_total, q_within, common_tau2, notices })
    }
}

impl<S: Scale> PooledSubgroups<S> {
    /// The property by which trials were grouped.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The pool of all trials, with their estimates.
    pub fn pooled(&self) -> &Pooled<S> {
        &self.pooled
    }

    /// The subgroups, in the order of the alphabet.
    pub fn groups(&self) -> &[PooledSubgroup] {
        &self.groups
    }

    /// One subgroup.
    ///
    /// # Errors
    /// There is none of that label.
    pub fn group(&self, label: &str) -> Result<&PooledSubgroup> {
        self.groups.iter().find(|group| group.pool.label == label).ok_or_else(|| {
            let known = self.groups.iter().map(|group| group.pool.label.clone()).collect();
            ErrorKind::UnknownCategory { label: label.to_owned(), known }.into()
        })
    }

    /// That all subgroups have the same effect: chi-squared, or F with a common `tau2`.
    pub fn between(&self) -> WaldTest {
        self.between
    }

    /// Cochran's Q of all trials.
    pub fn q_total(&self) -> ChiSquaredTest {
        self.q_total
    }

    /// The sum of the Q of the subgroups.
    pub fn q_within(&self) -> ChiSquaredTest {
        self.q_within
    }

    /// `tau2` of all subgroups, where they have it in common.
    pub fn common_tau2(&self) -> Option<f64> {
        self.common_tau2
    }

    /// What a reader has to be told.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The same with its scale known only at run time.
    pub fn to_any(&self) -> PooledSubgroups<AnyScale> {
        PooledSubgroups {
            name: self.name.clone(),
            pooled: self.pooled.to_any(),
            groups: self.groups.clone(),
            between: self.between,
            q_total: self.q_total,
            q_within: self.q_within,
            common_tau2: self.common_tau2,
            notices: self.notices.clone(),
        }
    }
}
