// Places and counts are small and positive.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use super::bootstrap_sample::{Sample, Strata, Unit};
use crate::compute::progress::Step;
use crate::compute::resampling::{
    Acceleration, BootstrapCurve, BootstrapDistribution, BootstrapInterval, ENUMERATED, LeftOut,
    QuantileRule, Resamples,
};
use crate::design::{Comparison, Notice, OutcomeKind};
use crate::effect::{
    ConfidenceCurve, Contrast, Estimates, Inference, IntervalMethod, ResampledUnit, ResampledWithin,
    Resampling, Scale, VarianceMethod,
};
use crate::error::{Error, ErrorKind, Result};
use crate::estimator::Estimator;
use ndarray::Array2;
use std::sync::Arc;

/// The share of resamples without an answer from which on there is none at all.
const MOST_FAILURES: f64 = 0.1;
/// The fewest replicates on which a result rests.
const FEWEST: usize = 99;

/// The bootstrap of any estimator: its effects with intervals from resamples of people or clusters.
///
/// Use it where an estimator's own interval is doubted: skewed amounts, ratios, few clusters, an estimator of
/// one's own.
///
/// # Formula
/// A resample draws, with replacement and within every arm of every declared stratum, as many people as there
/// are; where clusters are declared, whole clusters, of which one that is drawn twice counts as two. The
/// estimator runs on every resample. The covariance of the effects is that of the replicates; the interval and
/// all p-values are read off one curve ([`BootstrapInterval`], [`BootstrapCurve`]).
///
/// All different resamples are enumerated where there are at most 100,000 (six clusters in two arms have 100),
/// or another limit; else `replicates` are drawn. Where the effects depend on the events of the arms alone,
/// one binomial number is drawn for each arm instead of its people, which is the same distribution.
///
/// # Assumptions
/// People, or clusters, are independent, and many enough that a resample differs from the sample as the
/// sample does from the population: hardly below 20 units in an arm.
///
/// # Interval
/// Percentile by default; with [`Bootstrap::bca`] corrected for bias and skewness, with
/// [`Bootstrap::studentized`] from `(T* - t) / se*`, whose standard error is then the estimator's own.
///
/// # Errors
/// Those of the estimator; an arm, or an arm of a stratum, with fewer than two units; draws without a seed, no
/// replicates or more than ten million; more than a tenth of the resamples without an answer (fewer are left
/// out, with a notice); a level that the replicates do not reach; an estimator that uses people without an
/// outcome.
///
/// # Examples
/// ```
/// use armwise::inference::Bootstrap;
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str(
///     "arm,wage\nc,0\nc,0\nc,900\nc,1500\nc,0\nc,2100\nt,0\nt,1700\nt,2500\nt,0\nt,1900\n\
///      t,2300\n",
/// )?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let wage = trial.on(&Measure::continuous("wage"))?;
///
/// let estimator = DifferenceInMeans::new();
/// let bootstrap = Bootstrap::of(&estimator).bca().replicates(1_999).seed(7);
/// let effect = wage.estimate(&bootstrap)?.treatment("t")?;
/// assert!((effect.value() - 650.0).abs() < 1e-9);
/// assert!(effect.interval().lower() < 0.0 && effect.interval().upper() > 650.0);
/// // The p-value and the interval come from the same replicates.
/// let lower = effect.interval_at(0.90)?.lower();
/// assert!((effect.p_above(lower)? - 0.05).abs() < 1e-3);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Efron (1979), Annals of Statistics 7:1. Efron (1987), Journal of the American Statistical Association
/// 82:171. Davison & Hinkley (1997), Bootstrap Methods and their Application. Field & Welsh (2007), Journal of
/// the Royal Statistical Society B 69:369 (clusters).
#[derive(Debug, Clone, Copy)]
pub struct Bootstrap<'e, E> {
    pub(super) estimator: &'e E,
    pub(super) unit: Unit,
    strata: Strata,
    pub(super) interval: BootstrapInterval,
    pub(super) quantiles: QuantileRule,
    pub(super) replicates: usize,
    seed: Option<u64>,
    pub(super) enumerate_up_to: usize,
    pub(super) level: f64,
}

/// What an estimator says of a resample: its values, and their standard errors where they are asked for; or
/// the name of its error.
pub(super) type Answer = std::result::Result<Vec<f64>, &'static str>;

/// The answers of all resamples, with their probabilities where they were enumerated.
pub(super) struct Replicates {
    answers: Vec<Answer>,
    probabilities: Option<Vec<f64>>,
    pub(super) by: Resampling,
    stopped: Option<Step>,
}

impl<'e, E> Bootstrap<'e, E> {
    /// Percentile interval, 9,999 replicates, declared clusters else people within arms and declared strata,
    /// enumeration up to 100,000 resamples, level 0.95. Draws need a [`seed`](Self::seed).
    pub fn of(estimator: &'e E) -> Self {
        Self {
            estimator,
            unit: Unit::Declared,
            strata: Strata::Kept,
            interval: BootstrapInterval::Percentile,
            quantiles: QuantileRule::NormalScale,
            replicates: 9_999,
            seed: None,
            enumerate_up_to: ENUMERATED,
            level: 0.95,
        }
    }

    setters! {
        /// The kind of interval; default: percentile.
        interval: BootstrapInterval;
        /// The quantiles between replicates; default: R's `boot`.
        quantiles: QuantileRule;
        /// The number of replicates; default 9,999.
        replicates: usize;
        /// The seed of the draws.
        seed: u64 as Some;
        /// The most different resamples that are enumerated instead; default 100,000, 0 for none.
        enumerate_up_to: usize;
        /// The confidence level of the intervals; default 0.95.
        level: f64;
    }

    /// [`BootstrapInterval::Bca`].
    #[must_use]
    pub fn bca(self) -> Self {
        self.interval(BootstrapInterval::Bca)
    }

    /// [`BootstrapInterval::Studentized`].
    #[must_use]
    pub fn studentized(self) -> Self {
        self.interval(BootstrapInterval::Studentized)
    }

    /// Resamples people though clusters are declared; default: clusters. The interval is then that of
    /// independent people.
    #[must_use]
    pub fn by_person(mut self) -> Self {
        self.unit = Unit::People;
        self
    }

    /// Resamples within arms without regard to declared strata; default: within them.
    #[must_use]
    pub fn strata_ignored(mut self) -> Self {
        self.strata = Strata::Ignored;
        self
    }

    pub(super) fn is_studentized(&self) -> bool {
        self.interval == BootstrapInterval::Studentized
    }

    /// The values of an estimate, then their standard errors.
    fn answer<S: Scale>(&self, estimates: Result<Estimates<S>>, treatments: usize) -> Answer {
        let estimates = estimates.map_err(|error| error.kind().name())?;
        let mut values: Vec<f64> = estimates.values().collect();
        if self.is_studentized() {
            values.extend(estimates.contrasts.iter().map(|contrast| contrast.se()));
            if values[estimates.len()..].iter().any(|se| *se <= 0.0) {
                return Err("zero_variance");
            }
        }
        let whole = estimates.len() == treatments && values.iter().all(|value| value.is_finite());
        if whole { Ok(values) } else { Err("not_estimable") }
    }

    fn seeded(&self) -> Result<u64> {
        self.seed.ok_or_else(|| {
            Error::invalid("a bootstrap that draws needs a seed; give one with seed(..), so that its numbers can be made again")
        })
    }

    /// Draws or enumerates: `different` resamples, `all` of them, or `some`.
    pub(super) fn replicate(
        &self,
        (unit, within): (ResampledUnit, ResampledWithin),
        different: f64,
        all: impl FnOnce() -> Result<Vec<(Answer, f64)>>,
        some: impl FnOnce(u64) -> Result<(Vec<Answer>, Option<Step>)>,
    ) -> Result<Replicates> {
        if different <= self.enumerate_up_to as f64 {
            let (answers, probabilities): (Vec<_>, Vec<_>) = all()?.into_iter().unzip();
            let by = Resampling { unit, within, replicates: answers.len() as u64, seed: None };
            return Ok(Replicates { answers, probabilities: Some(probabilities), by, stopped: None });
        }
        let seed = self.seeded()?;
        let (answers, stopped) = some(seed)?;
        if let Some(step) = stopped.filter(|_| answers.len() < FEWEST) {
            return Err(step.into());
        }
        let by = Resampling { unit, within, replicates: answers.len() as u64, seed: Some(seed) };
        Ok(Replicates { answers, probabilities: None, by, stopped })
    }
}

impl Replicates {
    /// The notices about resamples without an answer; an error where they are too many.
    pub(super) fn notices(&self, asked: usize) -> Result<Vec<Notice>> {
        let failed = self.answers.iter().filter(|answer| answer.is_err()).count();
        let share = match &self.probabilities {
            None => failed as f64 / self.answers.len() as f64,
            Some(all) => {
                let failures = self.answers.iter().zip(all).filter(|(answer, _)| answer.is_err());
                failures.map(|(_, probability)| probability).sum()
            }
        };
        let why = self.answers.iter().find_map(|answer| answer.as_ref().err()).map_or("", |why| why);
        if share > MOST_FAILURES {
            let why = format!(
                "{failed} of {} resamples have no answer ({why}), more than a tenth, so that the others do not stand for all; take an \
                 estimator that answers for few events, fewer covariates, or the estimator's own interval",
                self.answers.len()
            );
            return Err(ErrorKind::NotEstimable(why).into());
        }
        let mut notices = Vec::new();
        if failed > 0 {
            let (of, why) = (self.answers.len(), why.replace('_', " "));
            notices.push(Notice::ResamplesWithoutAnswer { failed, of, why });
        }
        if self.stopped.is_some() {
            notices.push(Notice::ReplicatesStopped { drawn: self.answers.len(), of: asked });
        }
        Ok(notices)
    }

    /// The distribution of one number of each answer around its estimate.
    pub(super) fn distribution(
        &self,
        estimate: f64,
        of: impl Fn(&[f64]) -> f64,
    ) -> Result<BootstrapDistribution> {
        let values = self.answers.iter().map(|answer| answer.as_ref().ok().map(|values| of(values)));
        match &self.probabilities {
            None => BootstrapDistribution::drawn(estimate, &values.collect::<Vec<_>>()),
            Some(all) => {
                let pairs: Vec<(Option<f64>, f64)> = values.zip(all.iter().copied()).collect();
                BootstrapDistribution::enumerated(estimate, &pairs)
            }
        }
    }

    /// The covariance of the values of `t` treatments.
    pub(super) fn covariance(&self, t: usize) -> Array2<f64> {
        let one = 1.0 / self.answers.len() as f64;
        let weight = |i: usize| self.probabilities.as_ref().map_or(one, |all| all[i]);
        let answered =
            || self.answers.iter().enumerate().filter_map(|(i, a)| a.as_ref().ok().map(|a| (weight(i), a)));
        let total: f64 = answered().map(|(weight, _)| weight).sum();
        let mut means = vec![0.0; t];
        for (weight, values) in answered() {
            means.iter_mut().zip(values).for_each(|(mean, value)| *mean += weight / total * value);
        }
        let mut covariance = Array2::zeros((t, t));
        for (weight, values) in answered() {
            for i in 0..t {
                for j in 0..t {
                    covariance[[i, j]] += weight / total * (values[i] - means[i]) * (values[j] - means[j]);
                }
            }
        }
        if self.probabilities.is_none() {
            let n = answered().count() as f64;
            covariance *= n / (n - 1.0);
        }
        covariance
    }
}

impl<K: OutcomeKind, E: Estimator<K> + Sync> Estimator<K> for Bootstrap<'_, E> {
    type Scale = E::Scale;

    fn estimate(&self, comparison: &Comparison<K>) -> Result<Estimates<E::Scale>> {
        let full = comparison.estimate(self.estimator)?;
        let t = full.len();
        let sample = Sample::of(comparison, self.estimator, &full, (self.unit, self.strata))?;
        let of_counts = |counts: &[(u64, u64)]| {
            self.answer(self.estimator.estimate(&comparison.with_counts(counts.iter().copied())), t)
        };
        let of_events = |events: &[u64]| {
            let people = comparison.arms().iter().map(|arm| arm.counts.analysed);
            let drawn = comparison.with_counts(events.iter().copied().zip(people));
            self.answer(self.estimator.estimate(&drawn), t)
        };
        let short = if self.is_studentized() { None } else { self.estimator.of_resamples(comparison) };
        let of_units = |unit_of: &[u32], counts: &[u32]| {
            if let Some(short) = &short {
                let drawn: Vec<u32> = unit_of.iter().map(|unit| counts[*unit as usize]).collect();
                if let Some(values) = short(&drawn).filter(|values| values.len() == t) {
                    return Ok(values);
                }
            }
            let drawn = comparison.resampled(unit_of, counts);
            self.answer(drawn.and_then(|drawn| self.estimator.estimate(&drawn)), t)
        };
        let replicates = match &sample {
            Sample::Events(groups) => self.replicate(
                sample.words(),
                groups.different(),
                || groups.enumerated(self.enumerate_up_to, of_events),
                |seed| groups.drawn_so_far(self.replicates, seed, of_events),
            ),
            Sample::Units { units, unit_of, .. } => self.replicate(
                sample.words(),
                units.different(),
                || units.enumerated(self.enumerate_up_to, |counts| of_units(unit_of, counts)),
                |seed| units.drawn_so_far(self.replicates, seed, |counts| of_units(unit_of, counts)),
            ),
        }?;
        let notices = replicates.notices(self.replicates)?;
        let bca = matches!(self.interval, BootstrapInterval::Bca | BootstrapInterval::BcaHalfTies);
        let left_out =
            if bca { Some(without_each(comparison, &sample, &of_units, &of_counts)?) } else { None };
        let studentized = self.is_studentized();
        let mut covariance = if studentized { full.covariance.clone() } else { replicates.covariance(t) };
        let mut contrasts = Vec::with_capacity(t);
        for (i, contrast) in full.contrasts.iter().enumerate() {
            let (value, se) = (contrast.value(), contrast.se());
            let of_arm = |error: Error| error.in_arm(contrast.treatment());
            let curve = if studentized {
                let statistics = replicates.distribution(0.0, |answer| (answer[i] - value) / answer[t + i]);
                BootstrapCurve::studentized(value, se, statistics.map_err(of_arm)?, self.quantiles)
            } else {
                let acceleration = match &left_out {
                    None => 0.0,
                    Some((units, values)) => {
                        let values = values.iter().map(|values| values[i]).collect();
                        LeftOut::new(units, value, values)?.acceleration(Acceleration::Stratified)
                    }
                };
                let distribution = replicates.distribution(value, |answer| answer[i]).map_err(of_arm)?;
                distribution.curve(self.interval, self.quantiles, acceleration)
            };
            let curve = curve.map_err(of_arm)?;
            let se = curve.se();
            covariance[[i, i]] = se * se;
            let curve = ConfidenceCurve::Bootstrap(Arc::new(curve));
            let inference = Inference::new(value, se, None, self.level, curve).map_err(of_arm)?;
            contrasts.push(Contrast::new(contrast.treatment.clone(), inference));
        }
        let mut about = (*full.about).clone();
        about.level = self.level;
        about.notices.extend(notices);
        about.method.interval = IntervalMethod::Bootstrap { interval: self.interval, by: replicates.by };
        if !studentized {
            about.method.variance = VarianceMethod::Bootstrap(replicates.by);
        }
        Estimates::new(full.scale(), about, full.reference.clone(), contrasts, covariance)
    }
}

/// The error of BCa where the estimator has none without a unit.
pub(super) fn without_a_unit(why: &str) -> Error {
    let why = format!(
        "there is no answer without one of the units ({}), so that BCa has no acceleration; take the percentile interval",
        why.replace('_', " ")
    );
    ErrorKind::NotEstimable(why).into()
}

/// The values without each unit, for the acceleration of BCa.
fn without_each<K: OutcomeKind>(
    comparison: &Comparison<K>,
    sample: &Sample,
    of_units: &(impl Fn(&[u32], &[u32]) -> Answer + Sync),
    of_counts: &impl Fn(&[(u64, u64)]) -> Answer,
) -> Result<(Resamples, Vec<Vec<f64>>)> {
    match sample {
        Sample::Units { units, unit_of, .. } => {
            let all = units.left_out(|counts| of_units(unit_of, counts))?;
            let all: std::result::Result<Vec<_>, _> = all.into_iter().collect();
            Ok((units.clone(), all.map_err(without_a_unit)?))
        }
        Sample::Events(_) => {
            // Two different people in each arm: who had the event, and who had not.
            let counts: Vec<(u64, u64)> = comparison
                .arms()
                .iter()
                .map(|arm| (arm.counts.events.unwrap_or(0), arm.counts.analysed))
                .collect();
            let (mut strata, mut values) = (Vec::new(), Vec::new());
            for (i, &(events, n)) in counts.iter().enumerate() {
                for (people, had) in [(events, 1), (n - events, 0)] {
                    if people == 0 {
                        continue;
                    }
                    let mut without = counts.clone();
                    without[i] = (events - had, n - 1);
                    let answer = of_counts(&without).map_err(without_a_unit)?;
                    let people = usize::try_from(people).unwrap_or(usize::MAX);
                    strata.extend(std::iter::repeat_n(i as u32, people));
                    values.extend(std::iter::repeat_n(answer, people));
                }
            }
            Ok((Resamples::within(&strata)?, values))
        }
    }
}
