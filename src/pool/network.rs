use super::consistent::{is_chi_squared, near};
use super::joint::{JointlyPooled, additivity_of, check_joint, two_names};
use super::network_split::{self, NodeSplit};
use super::pooled::{check_again, check_pooled};
use super::univariate::weighable;
use crate::compute::curve::Inference;
use crate::compute::hypothesis::WaldTest;
use crate::compute::linalg::held_jointly;
use crate::compute::meta_analysis::{
    CoefficientTest, MOST_COEFFICIENTS, MultivariateModel, NetworkData, NetworkPool, Tau2,
};
use crate::design::{ComparedArm, Direction, Label, Notice, of_trials};
use crate::effect::{
    About, AnyScale, Checked, Estimates, IntervalMethod, Method, On, Scale, VarianceMethod, informative,
    nothing_told, one_network,
};
use crate::error::{Error, ErrorKind, Result};
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::ops::Deref;
use std::sync::Arc;

/// Pools all arms of all trials as a network: every arm against every other, also those that no trial
/// compared.
///
/// Use it for several treatments over trials with different arms. Multi-arm trials enter with the joint
/// covariance of their contrasts; trials may have different references, or none in common, as long as the
/// network is connected. With one reference in all trials it is the model of
/// [`JointModel`](crate::pool::JointModel), with every comparison, ranks and tests of consistency.
///
/// # Formula
/// Consistency: the effect of arm `i` against arm `j` is `m_i - m_j` in every trial. Generalised least
/// squares with the covariance `V` of each trial's contrasts, plus `tau2 (I + J) / 2` within a trial at
/// random effects; `tau2` by REML. P-score of an arm: the mean over the others of the probability that it is
/// better, `F((m_i - m_j) / se_ij)` with the distribution function `F` of the intervals, turned where lower
/// is better. `Q` of the network splits into heterogeneity within designs (trials with the same arms) and
/// inconsistency between them. A node split sets trials that had both arms against those that did not, at the
/// `tau2` of the network and with its reference distribution.
///
/// # Assumptions
/// Trials are independent; their estimates are near normal with known covariance; trials differ in nothing
/// that changes effects but their arms (transitivity).
///
/// # Interval
/// Student's t with trials - 1 degrees of freedom; normal by [`NetworkMetaAnalysis::test`].
///
/// # Errors
/// Arms that no chain of trials connects; trials that differ in scale, measure, horizon, or in being marginal
/// or conditional.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let outflow = Measure::binary("outflow").higher_is_better();
/// let cities = Comparisons::new([
///     Comparison::from_counts(
///         "A",
///         &outflow,
///         [("control", 10, 100), ("guidance", 15, 100), ("exemption", 12, 90)],
///     )?,
///     Comparison::from_counts("B", &outflow, [("control", 8, 90), ("guidance", 17, 95)])?,
///     Comparison::from_counts("C", &outflow, [("control", 8, 90), ("exemption", 7, 85)])?,
/// ])?;
/// let network = NetworkMetaAnalysis::common()
///     .pool(&cities.estimate(&DifferenceInProportions::new())?)?;
/// assert_eq!(network.best().unwrap().arm, "guidance");
/// let between = network.comparison("guidance", "exemption")?;
/// assert_eq!(between.direct, ["A"]);
/// assert!(between.interval().contains(between.value()));
/// println!("{network}");
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Lu G, Ades AE (2004), Statistics in Medicine 23:3105, doi:10.1002/sim.1875. Ruecker G, Schwarzer G (2015),
/// BMC Medical Research Methodology 15:58, doi:10.1186/s12874-015-0060-8. Higgins JPT et al. (2012), Research
/// Synthesis Methods 3:98, doi:10.1002/jrsm.1044. van Valkenhoef G et al. (2016), Research Synthesis Methods
/// 7:80, doi:10.1002/jrsm.1167 (which comparisons to split).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkMetaAnalysis {
    model: MultivariateModel,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<Label>,
}

impl NetworkMetaAnalysis {
    /// Effects vary between trials: REML, t with trials - 1 degrees of freedom, level 0.95, against the
    /// reference of the first trial.
    pub fn random() -> Self {
        Self { model: MultivariateModel::random_effects(), reference: None }
    }

    /// Effects are common to all trials.
    pub fn common() -> Self {
        Self { model: MultivariateModel::common_effect(), reference: None }
    }

    /// The arm that stands first in tables; default the reference of the first trial. The numbers do not
    /// depend on it.
    #[must_use]
    pub fn reference(mut self, arm: impl AsRef<str>) -> Self {
        self.reference = Some(Label::new(arm));
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

    /// The pooled network: of `&effects`, or of the estimates of single trials, which may differ in their
    /// reference.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn pool<'a, S: Scale>(
        &self,
        trials: impl IntoIterator<Item = &'a Estimates<S>>,
    ) -> Result<NetworkPooled<S>> {
        let effects: Vec<Estimates> = trials.into_iter().map(Estimates::to_any).collect();
        self.record(effects).map(NetworkPooled::of)
    }

    fn record(&self, effects: Vec<Estimates>) -> Result<NetworkRecord> {
        let trials: Vec<&Estimates> = effects.iter().collect();
        one_network(&trials)?;
        // Trials without events say nothing of a ratio.
        let (trials, silent) = informative(trials.into_iter());
        let Some(&first) = trials.first() else { return Err(nothing_told()) };
        let located = |error: Error| error.in_measure(&first.measure().name);
        let reference = self.reference.clone().unwrap_or_else(|| first.reference().clone());
        if trials.iter().all(|trial| arms_of(trial).all(|arm| *arm != reference)) {
            let known = trials.iter().flat_map(|trial| arms_of(trial)).map(ToString::to_string);
            let known = known.collect::<std::collections::BTreeSet<_>>().into_iter().collect();
            return Err(located(ErrorKind::UnknownArm { label: reference.to_string(), known }.into()));
        }
        let mut seen = HashSet::from([&reference]);
        let others = trials.iter().flat_map(|trial| arms_of(trial)).filter(|arm| seen.insert(*arm)).cloned();
        let arms: Vec<Label> = std::iter::once(reference.clone()).chain(others).collect();
        held_jointly(arms.len(), MOST_COEFFICIENTS, "arms of a network").map_err(located)?;
        let reached = network_split::connected(&trials, &reference);
        let apart: Vec<&str> = arms.iter().filter(|arm| !reached.contains(arm)).map(Label::as_str).collect();
        if !apart.is_empty() {
            let why = format!(
                "no chain of trials connects these arms with \"{reference}\": {}; pool each connected part by itself",
                apart.join(", ")
            );
            return Err(located(ErrorKind::NotEstimable(why).into()));
        }
        let data = network_data(&arms, &trials, 0.0)?;
        let pool = data.pool(&reference, &self.model).map_err(located)?;
        let splits = network_split::splits(&arms, &trials, &pool).map_err(located)?;
        let mut notices = Vec::new();
        if !silent.is_empty() {
            notices.push(Notice::NoInformation { trials: silent });
        }
        notices.extend(two_names(&arms));
        notices.extend(of_trials(trials.iter().map(|trial| (trial.trial(), trial.notices()))));
        if trials.len() < 3 {
            notices.push(Notice::FewTrials { trials: trials.len() });
        }
        if pool.model.boundary {
            notices.push(Notice::BoundaryTau2);
        }
        let ranking = ranking(&arms, &pool, first.measure().direction);
        if ranking.is_empty() {
            notices.push(Notice::UndeclaredDirection);
        }
        let variance = pool
            .model
            .tau2_estimator
            .map_or_else(|| "inverse variance".to_owned(), |tau2| format!("between trials by {tau2}"));
        let interval = if df(&pool).is_some() { IntervalMethod::StudentT } else { IntervalMethod::Normal };
        let about = About {
            trials: trials.iter().map(|trial| trial.trial().clone()).collect(),
            reference,
            method: Method::new("network").variance(VarianceMethod::Other(variance)).interval(interval),
            level: pool.model.level,
            notices,
            ..first.about().clone()
        };
        let trials: Vec<NetworkTrial> = trials.iter().map(|trial| NetworkTrial::of(trial)).collect();
        Ok(NetworkRecord {
            about: Arc::new(about),
            comparisons: comparisons(&arms, &pool, &trials).map_err(located)?,
            trials,
            arms,
            ranking,
            splits,
            pool,
            specification: self.clone(),
            effects,
        })
    }
}

/// The arms of a trial, its reference first.
pub(super) fn arms_of<S: Scale>(trial: &Estimates<S>) -> impl Iterator<Item = &Label> {
    std::iter::once(trial.reference()).chain(trial.treatments())
}

/// The trials with `tau2 (I + J) / 2` added to their covariance.
pub(super) fn network_data<S: Scale>(
    arms: &[Label],
    trials: &[&Estimates<S>],
    tau2: f64,
) -> Result<NetworkData> {
    let mut data = NetworkData::new(arms.iter().map(ToString::to_string));
    for trial in trials {
        trial.iter().try_for_each(|estimate| weighable(&estimate))?;
        let yi: Vec<f64> = trial.values().collect();
        let others: Vec<&str> = trial.treatments().map(Label::as_str).collect();
        let mut covariance = trial.covariance().to_owned();
        for ((i, j), cell) in covariance.indexed_iter_mut() {
            *cell += if i == j { tau2 } else { 0.5 * tau2 };
        }
        data.push(trial.reference(), &others, &yi, covariance.view())
            .map_err(|error| error.in_measure(&trial.measure().name).in_trial(trial.trial()))?;
    }
    Ok(data)
}

fn ranking(arms: &[Label], pool: &NetworkPool, direction: Direction) -> Vec<Ranked> {
    let score = |larger: f64| match direction {
        Direction::HigherIsBetter => Some(larger),
        Direction::LowerIsBetter => Some(1.0 - larger),
        Direction::Undeclared => None,
    };
    let ranked = arms.iter().zip(&pool.p_scores);
    let mut ranked: Vec<Ranked> = ranked
        .filter_map(|(arm, &larger)| Some(Ranked { arm: arm.clone(), p_score: score(larger)? }))
        .collect();
    ranked.sort_by(|a, b| b.p_score.total_cmp(&a.p_score));
    ranked
}

/// The degrees of freedom of every comparison.
pub(super) fn df(pool: &NetworkPool) -> Option<f64> {
    pool.model.coefficients.first().and_then(|coefficient| coefficient.df)
}

/// Every arm against every arm before it.
fn comparisons(
    arms: &[Label],
    pool: &NetworkPool,
    trials: &[NetworkTrial],
) -> Result<Vec<NetworkComparison>> {
    let mut list = Vec::new();
    for (j, other) in arms.iter().enumerate() {
        for (i, arm) in arms.iter().enumerate().skip(j + 1) {
            let (value, se) = (pool.differences[[i, j]], pool.se[[i, j]]);
            let direct = trials.iter().filter(|trial| trial.has(arm) && trial.has(other));
            list.push(NetworkComparison {
                arm: arm.clone(),
                other: other.clone(),
                inference: Inference::wald(value, se, df(pool), pool.model.level)?,
                direct: direct.map(|trial| trial.trial.clone()).collect(),
            });
        }
    }
    Ok(list)
}

/// One trial of a network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NetworkTrial {
    /// The trial.
    pub trial: Label,
    /// Its arms, its reference first.
    pub arms: Vec<NetworkArm>,
}

/// An arm of a trial of a network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NetworkArm {
    /// The arm.
    pub arm: Label,
    /// Its participants that were analysed.
    pub participants: u64,
}

impl NetworkTrial {
    fn of<S: Scale>(trial: &Estimates<S>) -> Self {
        let arm =
            |arm: &ComparedArm| NetworkArm { arm: arm.label.clone(), participants: arm.counts.analysed };
        let treated = trial.contrasts.iter().map(|contrast| &contrast.treatment);
        let arms = std::iter::once(&trial.reference).chain(treated).map(arm).collect();
        Self { trial: trial.trial().clone(), arms }
    }

    fn has(&self, arm: &Label) -> bool {
        self.arms.iter().any(|own| own.arm == *arm)
    }
}

/// One arm against another in a network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NetworkComparison {
    /// The arm.
    pub arm: Label,
    /// The arm it is compared with.
    pub other: Label,
    /// The effect of the first against the second with its confidence curve.
    pub inference: Inference,
    /// The trials that had both arms; none where the comparison is indirect only.
    pub direct: Vec<Label>,
}

impl Deref for NetworkComparison {
    type Target = Inference;

    fn deref(&self) -> &Inference {
        &self.inference
    }
}

/// The rank of an arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Ranked {
    /// The arm.
    pub arm: Label,
    /// The mean certainty, from 0 to 1, that it is better than another arm.
    pub p_score: f64,
}

/// A network of arms, pooled; from [`NetworkMetaAnalysis`].
///
/// [`NetworkRecord`] has the fields and further methods.
pub type NetworkPooled<S = AnyScale> = On<S, NetworkRecord>;

/// The data of [`NetworkPooled`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NetworkRecord {
    /// The identity of the effects; the reference is the arm that stands first in tables.
    pub about: Arc<About>,
    /// All arms, the reference first.
    pub arms: Vec<Label>,
    /// The trials with their arms.
    pub trials: Vec<NetworkTrial>,
    /// Every arm against every arm before it: the league table, and with [`NetworkComparison::direct`] the
    /// edges of the network.
    pub comparisons: Vec<NetworkComparison>,
    /// The arms by their P-scores, the best first; empty where the measure does not say which way is better.
    pub ranking: Vec<Ranked>,
    /// Trials that had both arms against those that did not, for every comparison that both inform.
    pub splits: Vec<NodeSplit>,
    /// All numbers of the model: tau2, Q within and between designs, covariance, conventions.
    pub pool: NetworkPool,
    /// The model as it was asked for.
    pub specification: NetworkMetaAnalysis,
    /// What was pooled: the effects of every trial. Reading a network from JSON pools them again.
    pub effects: Vec<Estimates>,
}

impl Checked for NetworkRecord {
    fn about(&self) -> &About {
        &self.about
    }

    fn check(&self) -> Result<()> {
        let Self { about, arms, trials, comparisons: compared, ranking: ranked, splits, pool, .. } = self;
        about.check()?;
        check_joint(&pool.model)?;
        let fail = |why: &str| Err(about.locate(Error::invalid(why)));
        let n = arms.len();
        let square = pool.differences.dim() == (n, n) && pool.se.dim() == (n, n) && pool.p_scores.len() == n;
        let named = arms.iter().map(Label::as_str).eq(pool.treatments.iter().map(String::as_str));
        let once = |labels: &[&Label]| labels.iter().enumerate().all(|(i, one)| !labels[..i].contains(one));
        let known = |trial: &NetworkTrial| {
            let own: Vec<&Label> = trial.arms.iter().map(|own| &own.arm).collect();
            own.len() > 1 && once(&own) && own.iter().all(|arm| arms.contains(arm))
        };
        let complete = n > 1
            && arms[0] == about.reference
            && once(&arms.iter().collect::<Vec<_>>())
            && pool.model.coefficients.len() == n - 1
            && pool.model.effects
                == trials.iter().map(|trial| trial.arms.len().saturating_sub(1)).sum::<usize>()
            && pool.model.q.df + n as f64 - 1.0 == pool.model.effects as f64
            && trials.iter().all(known)
            && trials.len() == pool.model.trials
            && trials.iter().map(|trial| &trial.trial).eq(&about.trials);
        if !(named && square && complete) || about.level != pool.model.level {
            return fail(
                "a network needs all its arms, trials and comparisons at one level; some are missing",
            );
        }
        if !league_follows(pool) || *compared != comparisons(arms, pool, trials)? {
            return fail("the comparisons do not follow from the model of the network; they must agree");
        }
        // Each pair shares one certainty between its arms.
        let pairs = (0..n).flat_map(|j| (j + 1..n).map(move |i| (i, j)));
        let mut certainty = vec![0.0; n];
        for ((i, j), one) in pairs.zip(compared) {
            check_pooled(one)?;
            let larger = one.probability_above(0.0)?;
            certainty[i] += larger;
            certainty[j] += 1.0 - larger;
        }
        let others = n as f64 - 1.0;
        if !certainty.iter().zip(&pool.p_scores).all(|(sum, score)| near(sum / others, *score, 1.0)) {
            return fail("the P-scores do not follow from the comparisons; they must agree");
        }
        if *ranked != ranking(arms, pool, about.measure.direction) {
            return fail("the ranks are not those of the P-scores; they must agree");
        }
        let place = |label: &Label| arms.iter().position(|arm| arm == label);
        for (i, split) in splits.iter().enumerate() {
            let again = splits[..i].iter().any(|one| (&one.arm, &one.other) == (&split.arm, &split.other));
            if again || place(&split.arm) <= place(&split.other) || place(&split.other).is_none() {
                return fail("a node split is of two arms of the network, each pair once");
            }
            split.check(df(pool), about.level)?;
        }
        let (all, within, between) = (&pool.model.q, &pool.q_within_designs, &pool.q_inconsistency);
        let rest = (all.statistic - within.statistic).max(0.0);
        let adds_up = within.df + between.df == all.df && near(rest, between.statistic, all.statistic);
        if !adds_up || ![all, within, between].into_iter().all(is_chi_squared) {
            return fail(
                "Q of the network is not the sum of its parts, or a p-value does not follow from its Q",
            );
        }
        if !self.specification.model.shares_a_control() {
            return fail("a network is specified with a correlation of 1/2 between the contrasts of a trial");
        }
        let own = self.specification.record(self.effects.clone())?;
        check_again(self, &own).map_err(|error| about.locate(error))
    }
}

/// Differences and standard errors are those of the coefficients, the first arm being the reference.
fn league_follows(pool: &NetworkPool) -> bool {
    let model = &pool.model;
    let value = |i: usize| i.checked_sub(1).map_or(0.0, |i| model.coefficients[i].estimate);
    let covariance = |i: usize, j: usize| {
        let place = i.checked_sub(1).zip(j.checked_sub(1));
        place.map_or(0.0, |(i, j)| model.covariance[[i, j]])
    };
    pool.differences.indexed_iter().all(|((i, j), &difference)| {
        let size = value(i).abs().max(value(j).abs());
        let variance = covariance(i, i) + covariance(j, j) - 2.0 * covariance(i, j);
        near(value(i) - value(j), difference, size)
            && near(variance, pool.se[[i, j]].powi(2), covariance(i, i) + covariance(j, j))
    })
}

impl<S: Scale> NetworkPooled<S> {
    /// Whether the arms are the sums of their components: Wald's test of the contrasts between the arms of
    /// the network and the sums, at its `tau2`, F or chi-squared as
    /// [`additivity`](crate::pool::JointlyPooledRecord) of the component model. `components` is a pool of the
    /// same trials by [`ComponentModel`](crate::pool::ComponentModel). Where there are no more arms than
    /// components nothing is tested, and the p-value is 1.
    ///
    /// # Errors
    /// F is asked for, but every arm has one effect only. The component model is of other trials, of another
    /// measure or scale, is a joint model, or names an arm that is not in the network, or one with other
    /// components in other trials.
    pub fn additivity(&self, components: &JointlyPooled<S>) -> Result<WaldTest> {
        let refuse = |why: &str| self.about.locate(ErrorKind::Incompatible(why.to_owned()).into());
        let same = self.about.trials == components.about().trials
            && self.about.same_network(components.about()).is_ok()
            && self.pool.model.effects == components.model.effects;
        if !same || components.arms.is_empty() {
            return Err(refuse(
                "this component model is not one of the trials of the network; pool the same effects by both",
            ));
        }
        let place = |label: &Label| self.arms.iter().position(|arm| arm == label);
        let places: Option<Vec<usize>> = components.arms.iter().map(|one| place(&one.arm)).collect();
        let (Some(places), Some(base)) = (places, place(&components.about().reference)) else {
            return Err(refuse(
                "an arm of the component model is not one of the network; pool the same effects by both",
            ));
        };
        if (1..places.len()).any(|i| places[..i].contains(&places[i])) {
            return Err(refuse(
                "an arm has other components in other trials; the additivity of the component model itself tells these apart",
            ));
        }
        let (differences, model) = (&self.pool.differences, &self.pool.model);
        let values = places.iter().map(|&arm| differences[[arm, base]]).collect();
        // Arm 0 is the one against which the coefficients are.
        let of = |a: usize, b: usize| {
            a.checked_sub(1).zip(b.checked_sub(1)).map_or(0.0, |(a, b)| model.covariance[[a, b]])
        };
        let covariance = Array2::from_shape_fn((places.len(), places.len()), |(i, j)| {
            let (a, b) = (places[i], places[j]);
            of(a, b) - of(a, base) - of(base, b) + of(base, base)
        });
        let names: Vec<Label> = components.coefficients.iter().map(|one| one.label.clone()).collect();
        additivity_of(&values, covariance.view(), &self.pool.model, &components.arms, &names)
            .map_err(|error| self.about.locate(error))
    }
}

impl NetworkRecord {
    /// One arm against another.
    ///
    /// # Errors
    /// There is no such arm, or both are the same.
    pub fn comparison(&self, arm: impl AsRef<str>, other: impl AsRef<str>) -> Result<NetworkComparison> {
        let (arm, other) = (arm.as_ref(), other.as_ref());
        for name in [arm, other] {
            if self.arms.iter().all(|own| *own != name) {
                let known = self.arms.iter().map(ToString::to_string).collect();
                return Err(ErrorKind::UnknownArm { label: name.to_owned(), known }.into());
            }
        }
        let find = |arm: &str, other: &str| {
            self.comparisons.iter().find(|found| found.arm == arm && found.other == other)
        };
        if let Some(found) = find(arm, other) {
            return Ok(found.clone());
        }
        let turned = find(other, arm)
            .ok_or_else(|| Error::invalid(format!("\"{arm}\" is compared with itself; name another arm")))?;
        Ok(NetworkComparison {
            arm: turned.other.clone(),
            other: turned.arm.clone(),
            inference: Inference::wald(-turned.value(), turned.se(), turned.df(), turned.level())?,
            direct: turned.direct.clone(),
        })
    }

    /// The arm with the highest P-score.
    pub fn best(&self) -> Option<&Ranked> {
        self.ranking.first()
    }

    /// The variance between trials; 0 for a common effect.
    pub fn tau2(&self) -> f64 {
        self.pool.model.tau2
    }
}
