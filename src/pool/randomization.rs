use super::{CommonEffect, JointModel, ParticipantWeighted, RandomEffects};
use crate::compute::interval::extended;
use crate::compute::randomization::{
    Assignments, RandomizationPValues, ReplayOptions, Replays, replay_together,
};
use crate::design::{Comparison, Comparisons, Label, MeasureInfo, Notice, OutcomeKind};
use crate::effect::{Effects, Estimates, Scale};
use crate::error::{Error, ErrorKind, Result};
use crate::estimator::Estimator;
use crate::inference::{OtherArms, PooledStatistic, RandomizationDistribution, Replayed, studentized};
use serde::{Deserialize, Serialize};

/// A randomisation test of a pooled effect: the allocation of every city is replayed, the effects are estimated
/// and pooled again.
///
/// Take it beside a pool of few cities, where the reference distribution of the pooled effect leans on a
/// variance between cities that is hardly known.
///
/// # Formula
/// That of [`RandomizationTest`](crate::inference::RandomizationTest), with the pooled value over its standard
/// error as the statistic, cities being drawn independently of each other. The pool is of the same cities in
/// every replay; its variance between them is estimated anew.
///
/// # Assumptions
/// Those of the randomisation test in every city. The p-value is that of the hypothesis that the treatment does
/// nothing to anyone in any city; it needs no model of cities, and says nothing of cities elsewhere.
///
/// # Interval
/// None: that of the pool stands beside it.
///
/// # Errors
/// No city with the treatment; no draws; those of the estimator and the pool for the observed assignment. An
/// assignment for which they fail counts as extreme.
///
/// # Examples
/// ```
/// use armwise::pool::PooledRandomizationTest;
/// use armwise::prelude::*;
///
/// let text = "city,arm,y\nA,c,1\nA,c,2\nA,c,4\nA,t,3\nA,t,5\nA,t,6\nB,c,2\nB,c,3\nB,c,3.5\n\
///             B,t,4\nB,t,4.5\nB,t,7\n";
/// let table = Table::from_csv_str(text)?;
/// let cities = Trials::builder(table, "city").arm_labels("arm").control("c").build()?;
/// let score = cities.on(&Measure::continuous("y"))?;
/// let (estimator, pool) = (DifferenceInMeans::new(), CommonEffect::new());
///
/// let test = PooledRandomizationTest::of(&estimator, &pool).on(&score, "t")?;
/// // 20 assignments in each city.
/// assert!(test.replays.exact() && test.p_values.two_sided <= 0.1);
/// println!("{test}");
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Rosenbaum (2002), Observational Studies, chapter 2. Follmann & Proschan (1999), Biometrics 55:732.
#[derive(Debug, Clone, Copy)]
pub struct PooledRandomizationTest<'a, E, P> {
    estimator: &'a E,
    pool: &'a P,
    options: ReplayOptions,
    other_arms: OtherArms,
}

impl<'a, E, P> PooledRandomizationTest<'a, E, P> {
    /// Of an estimator and a pool of its effects: 9,999 draws with seed 0 where assignments are not listed,
    /// other arms held.
    pub fn of(estimator: &'a E, pool: &'a P) -> Self {
        Self { estimator, pool, options: ReplayOptions::default(), other_arms: OtherArms::default() }
    }

    setters! {
        /// The other arms of a city; default: held.
        other_arms: OtherArms;
        /// All options of the replay.
        options: ReplayOptions;
        /// The number of draws where assignments are not listed; default: 9,999.
        options.draws: u64;
        /// The seed of the draws; default: 0.
        options.seed: u64;
        /// All assignments of all cities together are listed up to this number of them; default: 100,000.
        options.enumerate_up_to: u64;
    }

    /// The test of one treatment over the cities that have it.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn on<K: OutcomeKind>(
        &self,
        comparisons: &Comparisons<K>,
        treatment: impl AsRef<str>,
    ) -> Result<PooledRandomizationResult>
    where
        E: Estimator<K> + Sync,
        P: PooledStatistic<E::Scale> + Sync,
    {
        self.options.check(1)?;
        let treatment = Label::new(treatment);
        let has =
            |comparison: &&Comparison<K>| comparison.treatments().iter().any(|arm| arm.label == treatment);
        let cities: Vec<&Comparison<K>> = comparisons.iter().filter(has).collect();
        if cities.is_empty() {
            let arms = comparisons.iter().flat_map(Comparison::treatments);
            let mut known: Vec<String> = arms.map(|arm| arm.label.to_string()).collect();
            known.sort();
            known.dedup();
            return Err(ErrorKind::UnknownTreatment { name: treatment.to_string(), known }.into());
        }
        let statistic = |effects: Vec<Estimates<E::Scale>>| -> Result<f64> {
            self.pool.statistic(&Effects::new(effects)?, &treatment)
        };
        let estimates: Result<Vec<_>> = cities.iter().map(|city| city.estimate(self.estimator)).collect();
        let observed = statistic(estimates?)?;
        let mut notices = Vec::new();
        let mut designs: Vec<Assignments> = Vec::with_capacity(cities.len());
        for city in &cities {
            let locate = |error: Error| city.locate(error);
            let design = Replayed::of(city).map_err(locate)?;
            city.people()?;
            let all = design.assigned.assignments().map_err(locate)?;
            notices.push((city.trial(), design.notices(&all)));
            let arm = city.arms().iter().position(|arm| arm.label == treatment).unwrap_or(0);
            designs.push(match self.other_arms {
                OtherArms::Held => all.among(&[design.code(arm), design.code(0)]),
                OtherArms::Redrawn => {
                    design.check_whole().map_err(locate)?;
                    all
                }
            });
        }
        let null = replay_together(&designs, self.options, vec![observed], |arms| {
            let again = || -> Result<f64> {
                let one = |(city, arm): (&&Comparison<K>, &Vec<u32>)| {
                    city.reassigned(arm).and_then(|city| city.estimate(self.estimator))
                };
                statistic(cities.iter().zip(arms).map(one).collect::<Result<Vec<_>>>()?)
            };
            match again() {
                Ok(value) => Ok(Some(vec![value])),
                Err(error) if matches!(error.kind(), ErrorKind::Stopped(_)) => Err(error),
                Err(_) => Ok(None),
            }
        })?;
        let p_values = null.p_values(0);
        let mut told = crate::design::of_trials(notices.iter().map(|(trial, notices)| (*trial, notices)));
        if let Replays::Drawn { draws, of, .. } = null.replays()
            && draws < of
        {
            told.push(Notice::PartialDraws { draws, of });
        }
        let undefined = null.undefined(0) as u64;
        if undefined > 0 {
            told.push(Notice::UndefinedReplays { treatment: treatment.clone(), replays: undefined });
        }
        Ok(PooledRandomizationResult {
            trials: cities.iter().map(|city| city.trial().clone()).collect(),
            measure: cities[0].measure().clone(),
            treatment,
            reference: cities[0].reference().label.clone(),
            pool: self.pool.words(),
            other_arms: self.other_arms,
            statistic: observed,
            p_values,
            monte_carlo_error: null.monte_carlo_error(p_values.two_sided),
            undefined,
            replays: null.replays(),
            distribution: RandomizationDistribution::of(&null, 0),
            notices: told,
        })
    }
}

/// The result of a [`PooledRandomizationTest`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct PooledRandomizationResult {
    /// The trials.
    pub trials: Vec<Label>,
    /// The measure.
    pub measure: MeasureInfo,
    /// The treatment.
    pub treatment: Label,
    /// The arm that it is compared with.
    pub reference: Label,
    /// The pool, in words.
    pub pool: String,
    /// The other arms of a city.
    pub other_arms: OtherArms,
    /// The observed pooled value over its standard error.
    #[serde(with = "extended")]
    pub statistic: f64,
    /// The p-values.
    pub p_values: RandomizationPValues,
    /// The Monte Carlo standard error of the two-sided p-value; zero where it is exact.
    pub monte_carlo_error: f64,
    /// The number of replays in which the pool has no answer; they count as extreme.
    pub undefined: u64,
    /// How assignments were replayed.
    pub replays: Replays,
    /// The distribution of the statistic over the replays.
    pub distribution: RandomizationDistribution,
    /// Everything that has to be said beside the numbers.
    pub notices: Vec<Notice>,
}
checked!(PooledRandomizationResult);

impl PooledRandomizationResult {
    /// Refuses what no test gives.
    pub(crate) fn check(&self) -> Result<()> {
        let RandomizationPValues { two_sided, greater, less, .. } = self.p_values;
        let p = [two_sided, greater, less, self.monte_carlo_error];
        if p.iter().all(|p| (0.0..=1.0).contains(p)) && !self.statistic.is_nan() && !self.trials.is_empty() {
            return self.distribution.check();
        }
        let why = "a p-value is not between 0 and 1, or there is no trial; read the result anew";
        Err(Error::invalid(why).in_measure(&self.measure.name))
    }
}

macro_rules! univariate {
    ($($pool:ident = $words:literal),*) => {$(
        impl<S: Scale> PooledStatistic<S> for $pool {
            fn statistic(&self, effects: &Effects<S>, treatment: &Label) -> Result<f64> {
                Ok(studentized(&self.pool(&effects.treatment(treatment)?)?.inference))
            }

            fn words(&self) -> String {
                $words.to_owned()
            }
        }
    )*};
}
univariate!(
    RandomEffects = "random effects",
    CommonEffect = "common effect",
    ParticipantWeighted = "weighted by participants"
);

impl<S: Scale> PooledStatistic<S> for JointModel {
    fn statistic(&self, effects: &Effects<S>, treatment: &Label) -> Result<f64> {
        let pooled = self.pool(effects)?;
        Ok(studentized(&pooled.coefficient(treatment)?.inference))
    }

    fn words(&self) -> String {
        "joint model".to_owned()
    }
}
