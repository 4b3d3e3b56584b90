use super::joint::JointlyPooled;
use super::network_split::{self, NodeSplit};
use super::univariate::weighable;
use crate::compute::distribution::{Normal, StudentT};
use crate::compute::interval::Interval;
use crate::compute::meta_analysis::{
    ChiSquaredTest, CoefficientTest, MultivariateModel, NetworkData, NetworkPool, Tau2,
};
use crate::design::{Direction, Label, MeasureInfo, Notice};
use crate::effect::{AnyScale, Estimand, Estimates, Scale, one_network};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// Pools all arms of all trials as a network: every arm against every other, also those that no trial compared.
///
/// Use it for several treatments over trials with different arms. Multi-arm trials enter with the joint covariance of their contrasts;
/// trials may have different references, or none in common, as long as the network is connected. With one reference in all trials it is
/// the model of [`JointModel`](crate::JointModel), with every comparison, ranks and tests of consistency.
///
/// # Formula
/// Consistency: the effect of arm `i` against arm `j` is `m_i - m_j` in every trial. Generalised least squares with the covariance `V` of each
/// trial's contrasts, plus `tau2 (I + J) / 2` within a trial at random effects; `tau2` by REML. P-score of an arm: the mean over the others of
/// `Phi((m_i - m_j) / se_ij)`, turned where lower is better. `Q` of the network splits into heterogeneity within designs (trials
/// with the same arms) and inconsistency between them. A node split sets trials that had both arms against those that did not, at
/// the `tau2` of the network.
///
/// # Assumptions
/// Trials are independent; their estimates are near normal with known covariance; trials differ in nothing that changes effects but their
/// arms (transitivity).
///
/// # Interval
/// Student's t with trials - 1 degrees of freedom; normal by [`NetworkMetaAnalysis::test`].
///
/// # Errors
/// Arms that no chain of trials connects; trials that differ in scale, measure, horizon, or in being marginal or conditional.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let outflow = Measure::binary("outflow").higher_is_better();
/// let cities = Comparisons::new([
///     Comparison::from_counts("A", &outflow, [("control", 10, 100), ("guidance", 15, 100), ("exemption", 12, 90)])?,
///     Comparison::from_counts("B", &outflow, [("control", 8, 90), ("guidance", 17, 95)])?,
///     Comparison::from_counts("C", &outflow, [("control", 8, 90), ("exemption", 7, 85)])?,
/// ])?;
/// let network = NetworkMetaAnalysis::common().pool(&cities.estimate(&DifferenceInProportions::new())?)?;
/// assert_eq!(network.best().unwrap().arm, "guidance");
/// let between = network.comparison("guidance", "exemption")?;
/// assert_eq!(between.direct, ["A"]);
/// assert!(between.interval.contains(between.value));
/// println!("{network}");
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Lu G, Ades AE (2004), Statistics in Medicine 23:3105, doi:10.1002/sim.1875. Ruecker G, Schwarzer G (2015), BMC Medical Research Methodology
/// 15:58, doi:10.1186/s12874-015-0060-8. Higgins JPT et al. (2012), Research Synthesis Methods 3:98, doi:10.1002/jrsm.1044. van Valkenhoef G et al.
/// (2016), Research Synthesis Methods 7:80, doi:10.1002/jrsm.1167 (which comparisons to split).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkMetaAnalysis {
    model: MultivariateModel,
    reference: Option<Label>,
}

impl NetworkMetaAnalysis {
    /// Effects vary between trials: REML, t with trials - 1 degrees of freedom, level 0.95, against the reference of the first trial.
    pub fn random() -> Self {
        Self { model: MultivariateModel::random_effects(), reference: None }
    }

    /// Effects are common to all trials.
    pub fn common() -> Self {
        Self { model: MultivariateModel::common_effect(), reference: None }
    }

    /// The arm that stands first in tables; default the reference of the first trial. The numbers do not depend on it.
    #[must_use]
    pub fn reference(mut self, arm: impl AsRef<str>) -> Self {
        self.reference = Some(Label::new(arm));
        self
    }

    /// The estimator of `tau2`; default REML. It makes a common model random.
    #[must_use]
    pub fn tau2(mut self, tau2: Tau2) -> Self {
        self.model = self.model.tau2(tau2);
        self
    }

    /// The reference distribution; default t with trials - 1 degrees of freedom.
    #[must_use]
    pub fn test(mut self, test: CoefficientTest) -> Self {
        self.model = self.model.test(test);
        self
    }

    /// The confidence level, between 0 and 1; default 0.95.
    #[must_use]
    pub fn level(mut self, level: f64) -> Self {
        self.model = self.model.level(level);
        self
    }

    /// The pooled network: of `&effects`, or of the estimates of single trials, which may differ in their reference.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn pool<'a, S: Scale>(
        &self,
        trials: impl IntoIterator<Item = &'a Estimates<S>>,
    ) -> Result<NetworkPooled<S>> {
        let trials: Vec<&Estimates<S>> = trials.into_iter().collect();
        one_network(&trials)?;
        let Some(&first) = trials.first() else { return Err(ErrorKind::NoStudies.into()) };
        let located = |error: Error| error.in_measure(&first.measure().name);
        let reference = self.reference.clone().unwrap_or_else(|| first.reference().clone());
        if trials.iter().all(|trial| arms_of(trial).all(|arm| *arm != reference)) {
            let known = trials.iter().flat_map(|trial| arms_of(trial)).map(ToString::to_string);
            let known = known.collect::<std::collections::BTreeSet<_>>().into_iter().collect();
            return Err(located(ErrorKind::UnknownArm { label: reference.to_string(), known }.into()));
        }
        let mut arms = vec![reference.clone()];
        for arm in trials.iter().flat_map(|trial| arms_of(trial)) {
            if !arms.contains(arm) {
                arms.push(arm.clone());
            }
        }
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
        let splits =
            network_split::splits(&arms, &trials, pool.model.tau2, pool.model.level).map_err(located)?;
        let direction = first.measure().direction;
        let mut notices = Vec::new();
        if trials.len() < 3 {
            notices.push(Notice::FewTrials { trials: trials.len() });
        }
        if pool.model.boundary {
            notices.push(Notice::BoundaryTau2);
        }
        let ranking = ranking(&arms, &pool, direction);
        if ranking.is_empty() {
            notices.push(Notice::UndeclaredDirection);
        }
        Ok(NetworkPooled {
            scale: first.scale().clone(),
            measure: first.measure().clone(),
            reference,
            estimand: first.estimand(),
            comparisons: comparisons(&arms, &pool, &trials).map_err(located)?,
            trials: trials.iter().map(|trial| NetworkTrial::of(trial)).collect(),
            arms,
            ranking,
            splits,
            pool,
            notices,
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

fn comparisons<S: Scale>(
    arms: &[Label],
    pool: &NetworkPool,
    trials: &[&Estimates<S>],
) -> Result<Vec<NetworkComparison>> {
    let df = pool.model.coefficients.first().and_then(|coefficient| coefficient.df);
    let tail = 0.5 * (1.0 - pool.model.level);
    let t = df.map(StudentT::new).transpose()?;
    let quantile = t.map_or_else(|| Normal.upper_quantile(tail), |t| t.upper_quantile(tail));
    let mut list = Vec::new();
    for (j, other) in arms.iter().enumerate() {
        for (i, arm) in arms.iter().enumerate().skip(j + 1) {
            let (value, se) = (pool.differences[[i, j]], pool.se[[i, j]]);
            let statistic = (value / se).abs();
            let p_value = 2.0 * t.map_or_else(|| Normal.sf(statistic), |t| t.sf(statistic));
            let both = |trial: &&&Estimates<S>| {
                arms_of(trial).any(|own| own == arm) && arms_of(trial).any(|own| own == other)
            };
            list.push(NetworkComparison {
                arm: arm.clone(),
                other: other.clone(),
                value,
                se,
                interval: Interval::around(value, quantile * se),
                p_value,
                direct: trials.iter().filter(both).map(|trial| trial.trial().clone()).collect(),
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
        let mut arms = Vec::new();
        for estimate in trial.iter() {
            if arms.is_empty() {
                let participants = estimate.reference_counts().analysed;
                arms.push(NetworkArm { arm: trial.reference().clone(), participants });
            }
            let participants = estimate.treatment_counts().analysed;
            arms.push(NetworkArm { arm: estimate.treatment().clone(), participants });
        }
        Self { trial: trial.trial().clone(), arms }
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
    /// The first minus the second, on the scale.
    pub value: f64,
    /// The standard error.
    pub se: f64,
    /// The confidence interval.
    pub interval: Interval,
    /// The two-sided p-value.
    pub p_value: f64,
    /// The trials that had both arms; none where the comparison is indirect only.
    pub direct: Vec<Label>,
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "NetworkPooledWire<S>", bound = "S: Scale")]
pub struct NetworkPooled<S: Scale> {
    scale: S,
    measure: MeasureInfo,
    reference: Label,
    estimand: Estimand,
    arms: Vec<Label>,
    trials: Vec<NetworkTrial>,
    comparisons: Vec<NetworkComparison>,
    ranking: Vec<Ranked>,
    splits: Vec<NodeSplit>,
    pool: NetworkPool,
    notices: Vec<Notice>,
}

#[derive(Deserialize)]
#[serde(bound = "S: Scale")]
struct NetworkPooledWire<S: Scale> {
    scale: S,
    measure: MeasureInfo,
    reference: Label,
    estimand: Estimand,
    arms: Vec<Label>,
    trials: Vec<NetworkTrial>,
    comparisons: Vec<NetworkComparison>,
    ranking: Vec<Ranked>,
    splits: Vec<NodeSplit>,
    pool: NetworkPool,
    notices: Vec<Notice>,
}

impl<S: Scale> TryFrom<NetworkPooledWire<S>> for NetworkPooled<S> {
    type Error = Error;

    fn try_from(wire: NetworkPooledWire<S>) -> Result<Self> {
        let NetworkPooledWire {
            scale,
            measure,
            reference,
            estimand,
            arms,
            trials,
            comparisons,
            ranking,
            splits,
            pool,
            notices,
        } = wire;
        super::joint::check_joint(&pool.model)?;
        let n = arms.len();
        let square = pool.differences.dim() == (n, n) && pool.se.dim() == (n, n) && pool.p_scores.len() == n;
        let named = arms.iter().map(Label::as_str).eq(pool.treatments.iter().map(String::as_str));
        let all = n > 1 && named && square && arms[0] == reference && trials.len() == pool.model.trials;
        if !all || comparisons.len() != n * (n - 1) / 2 || !(ranking.is_empty() || ranking.len() == n) {
            return Err(Error::invalid(
                "a network needs all its arms, trials and comparisons; some are missing",
            ));
        }
        Ok(Self {
            scale,
            measure,
            reference,
            estimand,
            arms,
            trials,
            comparisons,
            ranking,
            splits,
            pool,
            notices,
        })
    }
}

impl<S: Scale> NetworkPooled<S> {
    /// All arms, the reference first.
    pub fn arms(&self) -> &[Label] {
        &self.arms
    }

    /// The trials with their arms.
    pub fn trials(&self) -> &[NetworkTrial] {
        &self.trials
    }

    /// Every arm against every arm before it: the league table, and with [`NetworkComparison::direct`] the edges of the network.
    pub fn comparisons(&self) -> &[NetworkComparison] {
        &self.comparisons
    }

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
        let is =
            |found: &&NetworkComparison, arm: &str, other: &str| found.arm == arm && found.other == other;
        if let Some(found) = self.comparisons.iter().find(|found| is(found, arm, other)) {
            return Ok(found.clone());
        }
        let turned =
            self.comparisons.iter().find(|found| is(found, other, arm)).ok_or_else(|| {
                Error::invalid(format!("\"{arm}\" is compared with itself; name another arm"))
            })?;
        Ok(NetworkComparison {
            arm: turned.other.clone(),
            other: turned.arm.clone(),
            value: -turned.value,
            interval: turned.interval.map(|limit| -limit),
            ..turned.clone()
        })
    }

    /// The arms by their P-scores, the best first; empty where the measure does not say which way is better.
    pub fn ranking(&self) -> &[Ranked] {
        &self.ranking
    }

    /// The arm with the highest P-score.
    pub fn best(&self) -> Option<&Ranked> {
        self.ranking.first()
    }

    /// Trials that had both arms against those that did not, for every comparison that both inform.
    pub fn splits(&self) -> &[NodeSplit] {
        &self.splits
    }

    /// Q of the whole network.
    pub fn q(&self) -> ChiSquaredTest {
        self.pool.model.q
    }

    /// Heterogeneity among trials with the same arms.
    pub fn q_within_designs(&self) -> ChiSquaredTest {
        self.pool.q_within_designs
    }

    /// Disagreement between trials with different arms.
    pub fn q_inconsistency(&self) -> ChiSquaredTest {
        self.pool.q_inconsistency
    }

    /// Whether the arms are the sums of their components: `Q` of a component model minus `Q` of the network, by which the network fits better
    /// (Ruecker, Petropoulou & Schwarzer 2020, Biometrical Journal 62:808). `components` is a pool of the same trials by
    /// [`ComponentModel`](crate::ComponentModel).
    ///
    /// # Errors
    /// The component model is of other trials, of another measure or scale, or has more coefficients than the network.
    pub fn additivity(&self, components: &JointlyPooled<S>) -> Result<ChiSquaredTest> {
        let (own, theirs) = (&self.pool.model, &components.model);
        let same = self.trials.iter().map(|trial| &trial.trial).eq(components.trials())
            && self.measure == *components.measure()
            && self.scale == components.scale()
            && own.effects == theirs.effects
            && theirs.q.df >= own.q.df;
        if !same {
            let why =
                "this component model is not one of the trials of the network; pool the same effects by both"
                    .to_owned();
            return Err(Error::from(ErrorKind::Incompatible(why)).in_measure(&self.measure.name));
        }
        let df = theirs.q.df - own.q.df;
        let excess = if df == 0.0 { 0.0 } else { (theirs.q.statistic - own.q.statistic).max(0.0) };
        ChiSquaredTest::new(excess, df)
    }

    /// The variance between trials; 0 for a common effect.
    pub fn tau2(&self) -> f64 {
        self.pool.model.tau2
    }

    /// All numbers of the model.
    pub fn numbers(&self) -> &NetworkPool {
        &self.pool
    }

    /// The scale.
    pub fn scale(&self) -> &S {
        &self.scale
    }

    /// The measure.
    pub fn measure(&self) -> &MeasureInfo {
        &self.measure
    }

    /// The arm that stands first in tables.
    pub fn reference(&self) -> &Label {
        &self.reference
    }

    /// Marginal or conditional.
    pub fn estimand(&self) -> Estimand {
        self.estimand
    }

    /// What a reader has to be told.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The same with its scale known only at run time.
    pub fn to_any(&self) -> NetworkPooled<AnyScale> {
        NetworkPooled {
            scale: self.scale.to_any(),
            measure: self.measure.clone(),
            reference: self.reference.clone(),
            estimand: self.estimand,
            arms: self.arms.clone(),
            trials: self.trials.clone(),
            comparisons: self.comparisons.clone(),
            ranking: self.ranking.clone(),
            splits: self.splits.clone(),
            pool: self.pool.clone(),
            notices: self.notices.clone(),
        }
    }
}
