// Places and counts are small and positive; short loops read as calls.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::needless_for_each)]

use super::bootstrap_sample::{Sample, Strata, Unit};
use crate::design::{Comparison, OutcomeKind};
use crate::effect::{Contrast, Estimates, Inference, IntervalMethod, VarianceMethod};
use crate::error::{Error, ErrorKind, Result};
use crate::estimator::Estimator;
use ndarray::Array2;

/// The jackknife of any estimator: standard errors from its effects without each person, or cluster.
///
/// Use it for an estimator of one's own, and for a coefficient with few clusters.
///
/// # Formula
/// With `b_(ki)` the effect without unit `i` of group `k` (an arm of a declared stratum), which has `n_k`, and
/// `m_k` their mean: `V = sum_k (n_k - 1)/n_k sum_i (b_(ki) - m_k)(b_(ki) - m_k)'`. Of a difference in means it
/// is Welch's variance, of a coefficient with clusters CV3J.
///
/// # Assumptions
/// People, or clusters, are independent, and the effect is a smooth function of them: no medians.
///
/// # Interval
/// Student's t, with the degrees of freedom of Satterthwaite over the groups,
/// `V^2 / sum_k V_k^2 / (n_k - 1)`: Welch's of a difference in means.
///
/// # Errors
/// Those of the estimator; an arm, or an arm of a stratum, with fewer than two units; no answer without one of
/// the units; an estimator that uses people without an outcome.
///
/// # Examples
/// ```
/// use armwise::inference::Jackknife;
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str("arm,score\nc,1\nc,2\nc,4\nc,5\nt,3\nt,5\nt,9\n")?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let score = trial.on(&Measure::continuous("score"))?;
/// let estimator = DifferenceInMeans::new();
/// let welch = score.estimate(&estimator)?.treatment("t")?;
/// let jackknife = score.estimate(&Jackknife::of(&estimator))?.treatment("t")?;
/// assert!((jackknife.se() - welch.se()).abs() < 1e-12);
/// assert!((jackknife.p_value() - welch.p_value()).abs() < 1e-9);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Tukey (1958), Annals of Mathematical Statistics 29:614. Davison & Hinkley (1997), Bootstrap Methods and
/// their Application. MacKinnon, Nielsen & Webb (2023), Journal of Econometrics 232:272.
#[derive(Debug, Clone, Copy)]
pub struct Jackknife<'e, E> {
    estimator: &'e E,
    unit: Unit,
    strata: Strata,
    level: f64,
}

impl<'e, E> Jackknife<'e, E> {
    /// Declared clusters, else people, of every arm of every declared stratum; level 0.95.
    pub fn of(estimator: &'e E) -> Self {
        Self { estimator, unit: Unit::Declared, strata: Strata::Kept, level: 0.95 }
    }

    setters! {
        /// The confidence level of the intervals; default 0.95.
        level: f64;
    }

    /// Leaves out people though clusters are declared; default: clusters.
    #[must_use]
    pub fn by_person(mut self) -> Self {
        self.unit = Unit::People;
        self
    }

    /// Without regard to declared strata; default: with.
    #[must_use]
    pub fn strata_ignored(mut self) -> Self {
        self.strata = Strata::Ignored;
        self
    }
}

impl<K: OutcomeKind, E: Estimator<K> + Sync> Estimator<K> for Jackknife<'_, E> {
    type Scale = E::Scale;

    fn estimate(&self, comparison: &Comparison<K>) -> Result<Estimates<E::Scale>> {
        let full = comparison.estimate(self.estimator)?;
        let t = full.len();
        let sample = Sample::of(comparison, self.estimator, &full, (self.unit, self.strata))?;
        let (unit, within) = sample.words();
        let answers = left_out(comparison, self.estimator, &sample, t)?;
        let parts = of_groups(&answers, t);
        let mut covariance = Array2::zeros((t, t));
        parts.iter().for_each(|(_, part)| covariance += part);
        let mut contrasts = Vec::with_capacity(t);
        for (i, contrast) in full.contrasts.iter().enumerate() {
            let variance: f64 = covariance[[i, i]];
            let lost: f64 = parts.iter().map(|(n, part)| part[[i, i]] * part[[i, i]] / (n - 1.0)).sum();
            let df = (lost > 0.0).then(|| variance * variance / lost);
            let inference = Inference::wald(contrast.value(), variance.sqrt(), df, self.level);
            let inference = inference.map_err(|error| error.in_arm(contrast.treatment()))?;
            contrasts.push(Contrast::new(contrast.treatment.clone(), inference));
        }
        let mut about = (*full.about).clone();
        about.level = self.level;
        about.method.variance = VarianceMethod::Jackknife { unit, within };
        about.method.interval = IntervalMethod::StudentT;
        Estimates::new(full.scale(), about, full.reference.clone(), contrasts, covariance)
    }
}

/// An answer without a unit: the group of the unit, the number of units that have it, and the effects.
pub(super) type LeftOut = (usize, f64, Vec<f64>);

/// The effects without each unit in turn: of the units in their order, or of those without and with the event in
/// each arm that has them.
pub(super) fn left_out<K: OutcomeKind, E: Estimator<K> + Sync>(
    comparison: &Comparison<K>,
    estimator: &E,
    sample: &Sample,
    t: usize,
) -> Result<Vec<LeftOut>> {
    let values = |drawn: Result<Comparison<K>>| -> Result<Vec<f64>> {
        let estimates = estimator.estimate(&drawn?)?;
        let values: Vec<f64> = estimates.values().collect();
        let whole = values.len() == t && values.iter().all(|value| value.is_finite());
        if whole { Ok(values) } else { Err(Error::not_estimable("an effect is missing; leave its arm out")) }
    };
    let (unit, _) = sample.words();
    let missing = |error: Error| {
        Error::from(ErrorKind::NotEstimable(format!(
            "the estimator has no answer without one of the {unit} ({}); take the bootstrap, or the estimator's own variance",
            error.kind().name().replace('_', " ")
        )))
    };
    let mut answers = Vec::new();
    match sample {
        Sample::Units { units, unit_of, .. } => {
            let all = units.left_out(|counts| values(comparison.resampled(unit_of, counts)))?;
            for (group, answer) in units.stratum_of_units().into_iter().zip(all) {
                answers.push((group, 1.0, answer.map_err(missing)?));
            }
        }
        Sample::Events(_) => {
            let of = |arm: &crate::design::ComparedArm| (arm.counts.events.unwrap_or(0), arm.counts.analysed);
            let counts: Vec<(u64, u64)> = comparison.arms().iter().map(of).collect();
            for (arm, &(events, n)) in counts.iter().enumerate() {
                for (people, had) in
                    [(events, 1), (n - events, 0)].into_iter().filter(|(people, _)| *people > 0)
                {
                    let mut without = counts.clone();
                    without[arm] = (events - had, n - 1);
                    let answer = values(Ok(comparison.with_counts(without))).map_err(missing)?;
                    answers.push((arm, people as f64, answer));
                }
            }
        }
    }
    Ok(answers)
}

/// How far each answer is from the mean of its group, so that the squares sum to the variance: each times
/// `sqrt((n_k - 1) / n_k)`.
pub(super) fn deviations(answers: &[LeftOut], t: usize) -> Vec<Vec<f64>> {
    let (sizes, means) = means_of_groups(answers, t);
    let of = |(group, _, values): &LeftOut| -> Vec<f64> {
        let share = ((sizes[*group] - 1.0) / sizes[*group]).sqrt();
        values.iter().zip(&means[*group]).map(|(value, mean)| share * (value - mean)).collect()
    };
    answers.iter().map(of).collect()
}

/// The number of units of each group, and the mean of their answers.
fn means_of_groups(answers: &[LeftOut], t: usize) -> (Vec<f64>, Vec<Vec<f64>>) {
    let groups = answers.iter().map(|(group, ..)| group + 1).max().unwrap_or(0);
    let mut sizes = vec![0.0; groups];
    let mut means = vec![vec![0.0; t]; groups];
    answers.iter().for_each(|(group, people, _)| sizes[*group] += people);
    for (group, people, values) in answers {
        for (mean, value) in means[*group].iter_mut().zip(values) {
            *mean += people / sizes[*group] * value;
        }
    }
    (sizes, means)
}

/// The number of units of each group, and its part of the covariance.
fn of_groups(answers: &[LeftOut], t: usize) -> Vec<(f64, Array2<f64>)> {
    let (sizes, _) = means_of_groups(answers, t);
    let mut parts: Vec<(f64, Array2<f64>)> = sizes.iter().map(|n| (*n, Array2::zeros((t, t)))).collect();
    for ((group, people, _), deviation) in answers.iter().zip(deviations(answers, t)) {
        let part = &mut parts[*group].1;
        for i in 0..t {
            for j in 0..t {
                part[[i, j]] += people * deviation[i] * deviation[j];
            }
        }
    }
    parts
}
