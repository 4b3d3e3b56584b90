use super::arm_numbers::{ArmNumbers, ArmOutcome, ArmTransformation};
use super::one_stage::clusters_ignored;
use super::pooled_arms::{ArmTrial, PooledArm, PooledArms, PooledArmsRecord};
use super::{CommonEffect, EmptyCells, RandomEffects};
use crate::compute::meta_analysis::CoefficientTest;
use crate::compute::reference_distribution::check_level;
use crate::design::{Comparison, Comparisons, Label, MeasureInfo, Notice, of_trials};
use crate::error::{Error, ErrorKind, Result};
use crate::estimator::RateVariance;
use serde::{Deserialize, Serialize};

/// Pools the proportion, the mean or the rate of single arms over trials: a meta-analysis of single arms.
///
/// Use it for how many people of an arm have the event in cities like these, such as the share of the control
/// arm that finds work. It compares no arms: a difference between two of its answers is not that of
/// randomised groups of one city, for which there are the effects ([`RandomEffects`],
/// [`JointModel`](super::JointModel)).
///
/// # Formula
/// [`ArmPool::logistic`]: the events of an arm are binomial, and the logits of their probabilities normal
/// between trials (a generalised linear mixed model). [`ArmPool::transformed`]: each trial has the value
/// `g(p)` and its variance that [`ArmTransformation`] lists, and these are pooled as effects are: `sum(w_i
/// g_i) / sum(w_i)` with `w_i = 1 / (v_i + tau2)`. The answer is carried back by the inverse of `g`; so it is
/// the proportion at the mean of `g`, which is not the mean proportion.
///
/// # Assumptions
/// Trials are independent, and people independent of each other, so that a notice says where clusters were
/// declared. Transformed values are near normal with known variances, which small and empty cells are not:
/// the logistic model needs neither.
///
/// # Interval
/// On the scale of `g`, then carried back. Logistic: t with trials - 1 degrees of freedom; transformed: that
/// of the random-effects pool, the wider of Wald and Hartung-Knapp. The prediction interval for the arm in
/// another trial has t with trials - 1 degrees of freedom. No interval leaves 0 to 1 for proportions, nor falls
/// below 0 for rates.
///
/// # Errors
/// No arm of that name; an arm in one trial only, where it was asked for; a trial whose arm has no variance
/// (nobody, or everybody, with the event on the logit), by name; a transformation of proportions for means or
/// rates.
///
/// # Examples
/// ```
/// use armwise::pool::{ArmPool, ArmTransformation};
/// use armwise::prelude::*;
///
/// let works = Measure::binary("works");
/// let cities = Comparisons::new([
///     Comparison::from_counts("A", &works, [("control", 10, 100), ("guidance", 15, 100)])?,
///     Comparison::from_counts("B", &works, [("control", 8, 90), ("guidance", 7, 95)])?,
///     Comparison::from_counts("C", &works, [("control", 0, 42), ("guidance", 3, 40)])?,
/// ])?;
/// let pooled = ArmPool::logistic().pool(&cities)?;
/// let control = pooled.arm("control")?;
/// assert!(control.value() > 0.05 && control.interval().upper() < 0.35);
///
/// // Nobody had the event in C, so that its logit needs a rule; its arcsine needs none.
/// assert!(ArmPool::transformed(ArmTransformation::Logit).pool(&cities).is_err());
/// let arcsine =
///     ArmPool::transformed(ArmTransformation::Arcsine).arms(["control"]).pool(&cities)?;
/// // The city without events pulls it further than in the logistic model.
/// assert!(arcsine.arm("control")?.value() < control.value());
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Stijnen T, Hamza TH, Ozdemir P (2010), Statistics in Medicine 29:3046, doi:10.1002/sim.4040. Schwarzer G,
/// Chemaitelly H, Abu-Raddad LJ, Ruecker G (2019), Research Synthesis Methods 10:476, doi:10.1002/jrsm.1348.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmPool {
    model: ArmModel,
    #[serde(default)]
    transformation: ArmTransformation,
    #[serde(default)]
    empty_cells: EmptyCells,
    #[serde(default)]
    rate_variance: RateVariance,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    arms: Vec<Label>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    level: Option<f64>,
}

/// How the values of an arm vary between trials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ArmModel {
    /// Binomial counts whose logits vary between trials, by maximum likelihood.
    Logistic {
        /// The points of the adaptive quadrature.
        points: usize,
        /// The reference distribution.
        test: CoefficientTest,
    },
    /// Transformed values that vary between trials.
    Random(RandomEffects),
    /// One transformed value common to all trials.
    Common(CommonEffect),
}

impl ArmPool {
    fn new(model: ArmModel, transformation: ArmTransformation) -> Self {
        let (empty_cells, rate_variance) = (EmptyCells::default(), RateVariance::default());
        Self { model, transformation, empty_cells, rate_variance, arms: Vec::new(), level: None }
    }

    /// Proportions by a logistic model with a random intercept, 15 points of quadrature, t with trials - 1
    /// degrees of freedom; all arms, level 0.95.
    pub fn logistic() -> Self {
        Self::new(
            ArmModel::Logistic { points: 15, test: CoefficientTest::TrialsMinus1 },
            ArmTransformation::Logit,
        )
    }

    /// Transformed values by random effects (REML, the wider of Wald and Hartung-Knapp); nothing is added to
    /// empty cells, all arms, level 0.95.
    pub fn transformed(transformation: ArmTransformation) -> Self {
        Self::new(ArmModel::Random(RandomEffects::new()), transformation)
    }

    /// The random-effects model of transformed values.
    #[must_use]
    pub fn random_effects(mut self, model: RandomEffects) -> Self {
        self.model = ArmModel::Random(model);
        self
    }

    /// One value common to all trials instead.
    #[must_use]
    pub fn common_effect(mut self, model: CommonEffect) -> Self {
        self.model = ArmModel::Common(model);
        self
    }

    /// The points of quadrature of the logistic model, 1 (Laplace) to 100; default 15. Of no consequence for
    /// transformed values.
    #[must_use]
    pub fn points(mut self, number: usize) -> Self {
        if let ArmModel::Logistic { points, .. } = &mut self.model {
            *points = number;
        }
        self
    }

    /// The reference distribution of the logistic model; default t with trials - 1 degrees of freedom. Of no
    /// consequence for transformed values, whose test is that of [`ArmPool::random_effects`].
    #[must_use]
    pub fn test(mut self, distribution: CoefficientTest) -> Self {
        if let ArmModel::Logistic { test, .. } = &mut self.model {
            *test = distribution;
        }
        self
    }

    /// What is done where nobody, or everybody, of an arm has the event; default nothing. Of no consequence
    /// for means and for the logistic model.
    #[must_use]
    pub fn empty_cells(mut self, rule: EmptyCells) -> Self {
        self.empty_cells = rule;
        self
    }

    /// The variance of a rate; default robust. Of no consequence for other outcomes.
    #[must_use]
    pub fn rate_variance(mut self, variance: RateVariance) -> Self {
        self.rate_variance = variance;
        self
    }

    /// The arms; default all that two trials or more have.
    #[must_use]
    pub fn arms<T: AsRef<str>>(mut self, arms: impl IntoIterator<Item = T>) -> Self {
        self.arms = arms.into_iter().map(Label::new).collect();
        self
    }

    /// The confidence level, between 0 and 1; default 0.95.
    #[must_use]
    pub fn level(mut self, level: f64) -> Self {
        self.level = Some(level);
        self
    }

    /// The model.
    pub fn model(&self) -> &ArmModel {
        &self.model
    }

    /// The transformation of values.
    pub fn transformation(&self) -> ArmTransformation {
        self.transformation
    }

    /// The rule for empty cells.
    pub fn rule_for_empty_cells(&self) -> EmptyCells {
        self.empty_cells
    }

    pub(super) fn own_level(&self) -> f64 {
        let usual = self.level.unwrap_or(0.95);
        match &self.model {
            ArmModel::Logistic { .. } => usual,
            ArmModel::Random(model) => model.clone().or_level(usual).own_level(),
            ArmModel::Common(model) => model.clone().or_level(usual).own_level(),
        }
    }

    /// The arms, pooled one by one, in the order of their first appearance or as they were named.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn pool<K: ArmOutcome>(&self, comparisons: &Comparisons<K>) -> Result<PooledArms> {
        let level = self.own_level();
        check_level(level)?;
        let measure = one_measure(comparisons)?;
        let mut found: Vec<(Label, Vec<ArmTrial>)> = Vec::new();
        for comparison in comparisons {
            let numbers = K::numbers(comparison, self.rate_variance);
            let numbers = numbers.map_err(|error| comparison.locate(error))?;
            for (arm, numbers) in comparison.arms().iter().zip(numbers) {
                let trial = ArmTrial::new(comparison.trial().clone(), arm.counts, numbers);
                match found.iter_mut().find(|(label, _)| *label == arm.label) {
                    Some((_, trials)) => trials.push(trial),
                    None => found.push((arm.label.clone(), vec![trial])),
                }
            }
        }
        let (chosen, unpooled) = self.chosen(found).map_err(|error| error.in_measure(&measure.name))?;
        let arms: Result<Vec<PooledArm>> =
            chosen.into_iter().map(|(arm, trials)| PooledArm::of(self, arm, trials)).collect();
        let arms = arms.map_err(|error| error.in_measure(&measure.name))?;
        let notices = self.notices(comparisons, &arms);
        let record = PooledArmsRecord { measure, pool: self.clone(), level, arms, unpooled, notices };
        PooledArms::checked(record)
    }

    /// The arms that are pooled, and those that are not because one trial only has them.
    #[allow(clippy::type_complexity)]
    fn chosen(
        &self,
        found: Vec<(Label, Vec<ArmTrial>)>,
    ) -> Result<(Vec<(Label, Vec<ArmTrial>)>, Vec<Label>)> {
        let alone = |arm: &Label, trial: &Label| {
            let why = format!("only {trial} has this arm, and one trial is no pool; read its own value");
            Error::from(ErrorKind::InsufficientStudies(why)).in_arm(arm)
        };
        if self.arms.is_empty() {
            let (many, one): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, trials)| trials.len() > 1);
            return match (many.is_empty(), one.first()) {
                (true, Some((arm, trials))) => Err(alone(arm, &trials[0].trial)),
                _ => Ok((many, one.into_iter().map(|(arm, _)| arm).collect())),
            };
        }
        let mut chosen: Vec<(Label, Vec<ArmTrial>)> = Vec::new();
        for arm in &self.arms {
            let Some((_, trials)) = found.iter().find(|(label, _)| label == arm) else {
                let known = found.iter().map(|(label, _)| label.to_string()).collect();
                return Err(ErrorKind::UnknownArm { label: arm.to_string(), known }.into());
            };
            if chosen.iter().any(|(label, _)| label == arm) {
                return Err(Error::invalid("this arm was named twice; name it once").in_arm(arm));
            }
            if trials.len() < 2 {
                return Err(alone(arm, &trials[0].trial));
            }
            chosen.push((arm.clone(), trials.clone()));
        }
        Ok((chosen, Vec::new()))
    }

    fn notices<K: ArmOutcome>(&self, comparisons: &Comparisons<K>, arms: &[PooledArm]) -> Vec<Notice> {
        let pooled = |notice: &&Notice| arms.iter().any(|one| notice.concerns([&one.arm, &one.arm]));
        let mut notices: Vec<Notice> = clusters_ignored(comparisons.iter()).into_iter().collect();
        notices.extend(of_trials(
            comparisons.iter().map(|one| (one.trial(), one.notices().iter().filter(pooled))),
        ));
        notices.extend(self.notices_of(arms));
        notices
    }

    /// What the pooled arms say of themselves.
    pub(super) fn notices_of(&self, arms: &[PooledArm]) -> Vec<Notice> {
        let mut notices = Vec::new();
        for one in arms {
            let halved = one.trials.iter().filter(|trial| self.adds_to(&trial.numbers));
            let halves: Vec<(&Label, Notice)> =
                halved.map(|trial| (&trial.trial, Notice::AddedHalf { name: one.arm.clone() })).collect();
            notices.extend(of_trials(halves.iter().map(|(trial, notice)| (*trial, [notice]))));
            if let Some(n) = one.harmonic_n {
                let sizes = one.trials.iter().map(|trial| trial.counts.analysed);
                let (smallest, largest) = (sizes.clone().min().unwrap_or(0), sizes.max().unwrap_or(0));
                if smallest != largest {
                    notices.push(Notice::HarmonicMean { arm: one.arm.clone(), n, smallest, largest });
                }
            }
        }
        if let Some(fewest) = arms.iter().map(|one| one.trials.len()).min().filter(|trials| *trials < 3) {
            notices.push(Notice::FewTrials { trials: fewest });
        }
        if arms.iter().any(|one| one.boundary) {
            notices.push(Notice::BoundaryTau2);
        }
        notices
    }

    /// Whether something is added to these counts.
    fn adds_to(&self, numbers: &ArmNumbers) -> bool {
        let is_added_to = match self.model {
            ArmModel::Logistic { .. } => false,
            _ => numbers.has_cells(),
        };
        match self.empty_cells {
            EmptyCells::AsTheyAre => false,
            EmptyCells::AddHalf => is_added_to && numbers.has_empty_cell(),
            EmptyCells::AddHalfToAll => is_added_to,
        }
    }
}

/// The measure of all comparisons, which must be one, each of a trial of its own.
fn one_measure<K: ArmOutcome>(comparisons: &Comparisons<K>) -> Result<MeasureInfo> {
    let mut seen: Vec<&Comparison<K>> = Vec::new();
    for comparison in comparisons {
        if seen.iter().any(|other| other.trial() == comparison.trial()) {
            let why = "this trial occurs twice; pool each trial once".to_owned();
            return Err(comparison.locate(ErrorKind::Incompatible(why).into()));
        }
        if let Some(first) = seen.first().filter(|first| first.measure() != comparison.measure()) {
            let words = |measure: &MeasureInfo| {
                let said = |text: &Option<String>| text.clone().unwrap_or_else(|| "not declared".to_owned());
                let (horizon, unit) = (said(&measure.horizon), said(&measure.unit));
                format!("{}, horizon {horizon}, unit {unit}, {}", measure.name, measure.direction)
            };
            let why = format!(
                "these trials do not belong together: the measure of those before is \"{}\", here it is \"{}\"; pool them apart",
                words(first.measure()),
                words(comparison.measure())
            );
            return Err(comparison.locate(ErrorKind::Incompatible(why).into()));
        }
        seen.push(comparison);
    }
    seen.first().map(|first| first.measure().clone()).ok_or_else(|| ErrorKind::NoStudies.into())
}
