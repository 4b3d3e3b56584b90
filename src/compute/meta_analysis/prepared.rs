//! The pooling of independent estimates itself, without allocation.

use super::block::{MOST_STUDIES, SolveSets};
use super::options::{Alternative, PoolingWeights, PredictionDf, Tau2, Test};
use super::prediction::{PredictionRule, Predictive, nagashima};
use super::quantiles::Quantiles;
use super::single_set::solve_set;
use super::solver::{Question, Solved};
use super::summary::{Inference, PoolEstimate, PoolSummary, PooledEffect};
use super::tau2::{self, ChiSquaredQuantiles, Likelihood, Tau2Estimate, extent, log_likelihoods, sums};
use super::tau2_methods;
use super::univariate::{RandomEffects, Settings};
use crate::compute::hypothesis::ChiSquaredTest;
use crate::compute::interval::Interval;
use crate::compute::reference_distribution::{ReferenceDistribution, upper_tail};
use crate::compute::threads::{dispatch_narrow, in_parts, instruction_set};
use crate::error::{Error, ErrorKind, Result, counted};
use std::ops::Range;

/// Options with all quantiles for a number of studies: pools again and again without allocating.
#[derive(Debug, Clone, Copy)]
pub struct PreparedPool<'a> {
    settings: &'a Settings,
    random: Option<&'a RandomEffects>,
    k: usize,
    z: f64,
    t: Option<f64>,
    chi2: Option<ChiSquaredQuantiles>,
    /// How the effect in a new study is predicted.
    rule: Option<PredictionRule>,
    prediction: Option<f64>,
}

impl<'a> PreparedPool<'a> {
    pub(super) fn new(settings: &'a Settings, random: Option<&'a RandomEffects>, k: usize) -> Result<Self> {
        let tail = upper_tail(settings.level)?;
        if !settings.null_value.is_finite() {
            return Err(Error::invalid(format!(
                "the null value must be finite, not {}",
                settings.null_value
            )));
        }
        if k == 0 {
            return Err(ErrorKind::NoStudies.into());
        }
        if random.is_none() && !matches!(settings.test, Test::Normal | Test::T) {
            return Err(Error::invalid(
                "Hartung-Knapp belongs to random effects; pool a common effect with the normal or the t test",
            ));
        }
        if k < 2 && settings.test != Test::Normal {
            return Err(too_few("this test"));
        }
        if settings.weights == PoolingWeights::Given {
            check_weights(settings.given_weights.as_deref(), k, "given_weights", 0.0)?;
        }
        if random.is_some_and(|random| random.tau2 == Tau2::GeneralizedQ) {
            let weights = random.and_then(|random| random.moment_weights.as_deref());
            check_weights(weights, k, "moment_weights", f64::MIN_POSITIVE)?;
        }
        let Quantiles { z, t, chi2, .. } = Quantiles::new(k, settings.level)?;
        let rule = random.map(|random| random.prediction_rule.of(k));
        let prediction = match rule {
            Some(PredictionRule::Df(PredictionDf::Normal)) if k > 1 => Some(z),
            Some(PredictionRule::Df(PredictionDf::KMinus1)) => t,
            Some(PredictionRule::Df(PredictionDf::KMinus2)) if k > 2 => {
                Some(ReferenceDistribution::of(Some(k as f64 - 2.0))?.upper_quantile(tail))
            }
            _ => None,
        };
        let chi2 = chi2.filter(|_| random.is_some());
        Ok(Self { settings, random, k, z, t, chi2, rule, prediction })
    }

    /// Pools estimates with these sampling variances, with the weights of the studies.
    ///
    /// # Errors
    /// As listed for [`RandomEffects`].
    pub fn pool(&self, yi: &[f64], vi: &[f64]) -> Result<PooledEffect> {
        let summary = self.summary(yi, vi)?;
        let mut weights = match (self.settings.weights, &self.settings.given_weights) {
            (PoolingWeights::Given, Some(given)) => given.clone(),
            (PoolingWeights::Equal, _) => vec![1.0; self.k],
            _ => vi.iter().map(|v| 1.0 / (v + summary.tau2)).collect(),
        };
        let largest = weights.iter().copied().fold(0.0, f64::max);
        let total: f64 = weights.iter().map(|weight| weight / largest).sum();
        for weight in &mut weights {
            *weight = *weight / largest / total;
        }
        Ok(PooledEffect { summary, weights })
    }

    /// Pools estimates with these sampling variances, without the weights: allocates nothing.
    ///
    /// # Errors
    /// As listed for [`RandomEffects`].
    pub fn summary(&self, yi: &[f64], vi: &[f64]) -> Result<PoolSummary> {
        check_data(yi, vi, self.k)?;
        self.summary_of(&self.solution(yi, vi)?, yi, vi)
    }

    /// Pools estimates with these sampling variances: the effect and tau² with their intervals only, without
    /// the tests of [`PreparedPool::summary`]. The numbers are the same.
    ///
    /// ```
    /// use armwise::meta_analysis::RandomEffects;
    ///
    /// let method = RandomEffects::new();
    /// let pool = method.for_studies(3)?;
    /// let (yi, vi) = ([0.1, 0.2, 0.6], [0.01, 0.02, 0.01]);
    /// let (short, full) = (pool.estimate(&yi, &vi)?, pool.summary(&yi, &vi)?);
    /// assert_eq!(
    ///     (short.estimate, short.tau2, short.interval),
    ///     (full.estimate, full.tau2, full.interval)
    /// );
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// As listed for [`RandomEffects`].
    pub fn estimate(&self, yi: &[f64], vi: &[f64]) -> Result<PoolEstimate> {
        check_data(yi, vi, self.k)?;
        self.estimate_of(&self.solution(yi, vi)?, yi, vi)
    }

    /// What is to be solved in vectors; `None` where tau² is estimated otherwise than by a likelihood.
    fn question(&self) -> Option<Question> {
        let likelihood = match self.random.map(|random| random.tau2) {
            Some(Tau2::Reml) if self.k > 1 => Some(Likelihood::Restricted),
            Some(Tau2::Ml) if self.k > 1 => Some(Likelihood::Full),
            Some(_) if self.k > 1 => return None,
            _ => None,
        };
        Some(Question { k: self.k, likelihood, chi2: self.chi2 })
    }

    /// From data that were checked.
    fn solution(&self, yi: &[f64], vi: &[f64]) -> Result<Solution> {
        let mut solved = [Solved::default()];
        if let Some(question) = self.question() {
            if self.k > MOST_STUDIES {
                solved[0] = solve_set(yi, vi, question);
            } else {
                dispatch_narrow(SolveSets { yi, vi, question, out: &mut solved });
            }
            return Ok(Solution::to(question, solved[0]));
        }
        let extent = extent(yi, vi);
        let zero = sums(yi, vi, &extent, 0.0);
        let Tau2Estimate { tau2, se } = match (self.random, self.chi2) {
            (Some(random), Some(chi2)) => {
                let weights = random.moment_weights.as_deref();
                let studies = tau2::OneMean { yi, vi, extent: &extent, zero: &zero };
                tau2_methods::estimate(random.tau2, &studies, chi2.median, weights)?
            }
            _ => Tau2Estimate { tau2: 0.0, se: None },
        };
        let at = if tau2 == 0.0 { zero } else { sums(yi, vi, &extent, tau2) };
        let interval = self.chi2.map(|chi2| tau2::q_profile(yi, vi, &extent, chi2)).unwrap_or_default();
        let solved = Solved {
            ss: extent.spread.ss,
            zero_q: zero.q,
            zero_trace_p: zero.trace_p,
            tau2,
            mean: at.mean,
            s1: at.s1,
            q: at.q,
            information: at.trace_pp,
            lower: interval.lower(),
            upper: interval.upper(),
        };
        Ok(Solution { solved, se_tau2: se })
    }

    /// Q(tau²)/(k - 1), by which Hartung-Knapp multiplies the variance.
    fn factor(&self, solved: &Solved) -> f64 {
        if solved.ss == 0.0 { 0.0 } else { solved.q / (self.k as f64 - 1.0) }
    }

    fn tau2_interval(&self, solved: &Solved) -> Option<Interval> {
        self.chi2.map(|_| Interval::between(solved.lower, solved.upper))
    }

    fn estimate_of(&self, solution: &Solution, yi: &[f64], vi: &[f64]) -> Result<PoolEstimate> {
        let solved = &solution.solved;
        let mean = self.mean(yi, vi, solved);
        let reference = self.reference(&self.errors(&mean, self.factor(solved)))?;
        Ok(PoolEstimate {
            k: self.k,
            estimate: mean.estimate,
            se: reference.se,
            df: reference.t.map(|_| self.k as f64 - 1.0),
            interval: self.interval(mean.estimate, reference),
            tau2: solved.tau2,
            tau2_interval: self.tau2_interval(solved),
        })
    }

    fn summary_of(&self, solution: &Solution, yi: &[f64], vi: &[f64]) -> Result<PoolSummary> {
        let &Solution { ref solved, se_tau2 } = solution;
        let tau2 = solved.tau2;
        let q = ChiSquaredTest::new(if solved.ss == 0.0 { 0.0 } else { solved.zero_q }, self.k as f64 - 1.0)?;
        let mean = self.mean(yi, vi, solved);
        let estimate = mean.estimate;
        let log = log_likelihoods(vi, tau2, solved.s1, mean.squares);

        let errors = self.errors(&mean, self.factor(solved));
        let reference = self.reference(&errors)?;
        let wald = self.inference(estimate, errors.wald)?;
        let hartung_knapp = match errors.hartung_knapp {
            Some(reference) => Some(self.inference(estimate, reference)?),
            None => None,
        };
        let primary = match hartung_knapp {
            _ if reference == errors.wald => wald,
            Some(inference) if errors.hartung_knapp == Some(reference) => inference,
            _ => self.inference(estimate, reference)?,
        };
        let p_value = match (self.settings.test, hartung_knapp) {
            // The larger of both, whatever the level of the interval.
            (Test::WiderOfBoth, Some(other)) => wald.p_value.max(other.p_value),
            _ => primary.p_value,
        };

        let typical_variance = (self.k > 1).then(|| (self.k as f64 - 1.0) / solved.zero_trace_p);
        let i2_at = |tau2: f64| typical_variance.map_or(0.0, |typical| tau2 / (tau2 + typical));
        let h2_at = |tau2: f64| typical_variance.map_or(1.0, |typical| tau2 / typical + 1.0);
        let (i2, h2) = match self.random {
            Some(_) => (i2_at(tau2), h2_at(tau2)),
            None if q.df == 0.0 => (0.0, 1.0),
            None if q.statistic == 0.0 => (0.0, 0.0),
            None => (((q.statistic - q.df) / q.statistic).max(0.0), q.statistic / q.df),
        };
        let tau2_interval = self.tau2_interval(solved);
        let mut summary = PoolSummary {
            k: self.k,
            estimate,
            se: primary.se,
            statistic: primary.statistic,
            df: primary.df,
            p_value,
            interval: primary.interval,
            test: self.settings.test,
            level: self.settings.level,
            wald,
            hartung_knapp,
            hartung_knapp_narrower: errors.narrower,
            tau2_estimator: self.random.map(|random| random.tau2),
            tau2,
            se_tau2,
            tau2_interval,
            boundary: self.random.is_some() && self.k > 1 && tau2 == 0.0,
            q,
            i2,
            h2,
            i2_interval: tau2_interval.map(|interval| interval.map(i2_at)),
            h2_interval: tau2_interval.map(|interval| interval.map(h2_at)),
            typical_variance,
            prediction: None,
            prediction_rule: self.rule,
            log_likelihood: log.full,
            restricted_log_likelihood: log.restricted,
        };
        summary.prediction = self.predict(&summary, yi, vi)?;
        Ok(summary)
    }

    /// The interval of the effect in a new study.
    fn predict(&self, summary: &PoolSummary, yi: &[f64], vi: &[f64]) -> Result<Option<Interval>> {
        let quantile = match self.rule {
            None => return Ok(None),
            Some(_) if self.k < 2 => return Ok(None),
            Some(PredictionRule::Nagashima { draws, seed }) => {
                return nagashima(yi, vi, self.settings.level, draws, seed).map(Some);
            }
            Some(PredictionRule::ConfidenceDistribution) => {
                let known = Predictive::of_studies(yi, vi)?;
                let variance = |tau2: f64| tau2 + self.variance_of_mean(vi, tau2);
                let half = known.half_width(self.settings.level, variance)?;
                // A new effect varies at least as much as their mean.
                let half = half.max(0.5 * summary.interval.width());
                return Ok(Some(Interval::around(summary.estimate, half)));
            }
            Some(PredictionRule::Df(PredictionDf::AsTest)) => match summary.df {
                None if summary.test != Test::WiderOfBoth => Some(self.z),
                _ => self.t,
            },
            Some(_) => self.prediction,
        };
        Ok(quantile.map(|quantile| summary.prediction_with(quantile)))
    }

    /// The variance of the pooled effect by the model, at a tau².
    fn variance_of_mean(&self, vi: &[f64], tau2: f64) -> f64 {
        let given = match (self.settings.weights, &self.settings.given_weights) {
            (PoolingWeights::Equal, _) => None,
            (PoolingWeights::Given, Some(given)) => Some(given.as_slice()),
            _ => return 1.0 / vi.iter().map(|v| 1.0 / (v + tau2)).sum::<f64>(),
        };
        let largest = given.map_or(1.0, |given| given.iter().copied().fold(0.0, f64::max));
        let weight = |i: usize| given.map_or(1.0, |given| given[i] / largest);
        let total: f64 = (0..vi.len()).map(weight).sum();
        vi.iter().enumerate().map(|(i, v)| weight(i) * weight(i) * (v + tau2)).sum::<f64>() / (total * total)
    }

    /// Pools many sets of `k` studies and keeps of each what `keep` takes from its summary, in their order.
    /// `yi` and `vi` hold the sets one after the other. With the feature `rayon` they are split over threads;
    /// the results are the same without, and the same as those of [`PreparedPool::summary`].
    ///
    /// ```
    /// use armwise::meta_analysis::RandomEffects;
    ///
    /// let method = RandomEffects::new();
    /// let (yi, vi) = ([0.10, 0.30, 0.20, 0.40], [0.01, 0.01, 0.02, 0.02]);
    /// let estimates = method.for_studies(2)?.map_summaries(&yi, &vi, |pooled| pooled.estimate)?;
    /// assert!((estimates[0] - 0.2).abs() < 1e-12 && (estimates[1] - 0.3).abs() < 1e-12);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// `invalid_input` where the slices are not equally long, or no multiple of `k`; else as listed for
    /// [`RandomEffects`], with the number of the set that fails as its row.
    pub fn map_summaries<T: Send>(
        &self,
        yi: &[f64],
        vi: &[f64],
        keep: impl Fn(&PoolSummary) -> T + Sync,
    ) -> Result<Vec<T>> {
        self.map_sets(yi, vi, |solution, yi, vi| Ok(keep(&self.summary_of(solution, yi, vi)?)))
    }

    /// As [`PreparedPool::map_summaries`], from the effect and tau² with their intervals only: several times
    /// as fast.
    ///
    /// ```
    /// use armwise::meta_analysis::{RandomEffects, Test};
    ///
    /// let method = RandomEffects::new().test(Test::HartungKnapp);
    /// let (yi, vi) = ([0.10, 0.30, 0.20, 0.40], [0.01, 0.01, 0.02, 0.02]);
    /// let wide = method
    ///     .for_studies(2)?
    ///     .map_estimates(&yi, &vi, |pooled| pooled.interval.contains(0.0))?;
    /// assert_eq!(wide, [true, true]);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// As listed for [`PreparedPool::map_summaries`].
    pub fn map_estimates<T: Send>(
        &self,
        yi: &[f64],
        vi: &[f64],
        keep: impl Fn(&PoolEstimate) -> T + Sync,
    ) -> Result<Vec<T>> {
        self.map_sets(yi, vi, |solution, yi, vi| Ok(keep(&self.estimate_of(solution, yi, vi)?)))
    }

    fn map_sets<T: Send>(
        &self,
        yi: &[f64],
        vi: &[f64],
        finish: impl Fn(&Solution, &[f64], &[f64]) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        /// Sets that one thread takes at a time.
        const PART: usize = 128;
        /// The number of studies in all from which threads are faster.
        const PARALLEL: usize = 4096;
        if yi.len() != vi.len() || !yi.len().is_multiple_of(self.k) {
            return Err(Error::invalid(format!(
                "{} and {} do not make sets of {}; pass whole sets one after the other",
                counted(yi.len(), "estimate"),
                counted(vi.len(), "variance"),
                counted(self.k, "study")
            )));
        }
        let sets = yi.len() / self.k;
        let finish_part = |part: Range<usize>| {
            let (yi, vi) =
                (&yi[part.start * self.k..part.end * self.k], &vi[part.start * self.k..part.end * self.k]);
            let mut solved = [Solved::default(); PART];
            let solved = &mut solved[..part.len()];
            let question = self.question().filter(|_| self.k <= MOST_STUDIES && usable(yi, vi));
            if let Some(question) = question {
                instruction_set().dispatch(SolveSets { yi, vi, question, out: solved });
            }
            let sets = yi.chunks_exact(self.k).zip(vi.chunks_exact(self.k)).zip(solved);
            sets.enumerate()
                .map(|(set, ((yi, vi), solved))| {
                    let solution = match question {
                        Some(question) => Solution::to(question, *solved),
                        None => check_data(yi, vi, self.k)
                            .and_then(|()| self.solution(yi, vi))
                            .map_err(|error| error.in_row(part.start + set))?,
                    };
                    finish(&solution, yi, vi).map_err(|error| error.in_row(part.start + set))
                })
                .collect::<Result<Vec<T>>>()
        };
        let mut kept = Vec::with_capacity(sets);
        for part in in_parts(sets, PART, yi.len() > PARALLEL, finish_part) {
            kept.extend(part?);
        }
        Ok(kept)
    }

    fn mean(&self, yi: &[f64], vi: &[f64], solved: &Solved) -> Mean {
        let tau2 = solved.tau2;
        let given = match (self.settings.weights, &self.settings.given_weights) {
            (PoolingWeights::Equal, _) => None,
            (PoolingWeights::Given, Some(given)) => Some(given.as_slice()),
            _ => return Mean { estimate: solved.mean, variance: 1.0 / solved.s1, squares: solved.q },
        };
        // Shares of the largest one: squares of weights may leave the range of numbers.
        let largest = given.map_or(1.0, |given| given.iter().copied().fold(0.0, f64::max));
        let weight = |i: usize| given.map_or(1.0, |given| given[i] / largest);
        let (mut s1, mut sy, mut sv) = (0.0, 0.0, 0.0);
        for i in 0..yi.len() {
            let u = weight(i);
            s1 += u;
            sy += u * yi[i];
            sv += u * u * (vi[i] + tau2);
        }
        let estimate = sy / s1;
        let squares = yi.iter().zip(vi).map(|(y, v)| (y - estimate) * (y - estimate) / (v + tau2)).sum();
        Mean { estimate, variance: sv / (s1 * s1), squares }
    }

    fn errors(&self, mean: &Mean, factor: f64) -> Errors {
        let wald = Reference { se: mean.variance.sqrt(), t: None };
        let hartung_knapp = self
            .t
            .filter(|_| self.random.is_some() && factor > 0.0)
            .map(|t| Reference { se: (mean.variance * factor).sqrt(), t: Some(t) });
        let width = |reference| self.interval(mean.estimate, reference).width();
        let narrower = self.random.is_some()
            && self.k > 1
            && hartung_knapp.is_none_or(|other| width(other) < width(wald));
        Errors { wald, hartung_knapp, narrower, factor }
    }

    /// The standard error and quantile of the test that was asked for.
    fn reference(&self, errors: &Errors) -> Result<Reference> {
        let &Errors { wald, hartung_knapp, narrower, factor } = errors;
        match self.settings.test {
            Test::Normal => Ok(wald),
            Test::T => Ok(Reference { t: self.t, ..wald }),
            Test::HartungKnapp => hartung_knapp.ok_or_else(|| {
                let why = "Hartung-Knapp has no standard error where all estimates are equal; \
                           take the wider of both, or the normal test";
                ErrorKind::ZeroVariance(why.into()).into()
            }),
            Test::HartungKnappTruncated => Ok(Reference { se: wald.se * factor.max(1.0).sqrt(), t: self.t }),
            Test::WiderOfBoth => Ok(hartung_knapp.filter(|_| !narrower).unwrap_or(wald)),
        }
    }

    fn interval(&self, estimate: f64, reference: Reference) -> Interval {
        Interval::around(estimate, reference.t.unwrap_or(self.z) * reference.se)
    }

    fn inference(&self, estimate: f64, reference: Reference) -> Result<Inference> {
        let Reference { se, t } = reference;
        let statistic = (estimate - self.settings.null_value) / se;
        let df = t.map(|_| self.k as f64 - 1.0);
        let null = ReferenceDistribution::of(df)?;
        let p_value = match self.settings.alternative {
            Alternative::TwoSided => null.two_sided(statistic),
            Alternative::Greater => null.sf(statistic),
            Alternative::Less => null.cdf(statistic),
        };
        Ok(Inference { se, statistic, df, p_value, interval: self.interval(estimate, reference) })
    }
}

/// What was solved, and the standard error of tau², where its estimator has one.
struct Solution {
    solved: Solved,
    se_tau2: Option<f64>,
}

impl Solution {
    fn to(question: Question, solved: Solved) -> Self {
        Self { solved, se_tau2: question.likelihood.map(|_| (2.0 / solved.information).sqrt()) }
    }
}

/// The estimate, its model variance, and the inverse-variance weighted sum of squares around it.
struct Mean {
    estimate: f64,
    variance: f64,
    squares: f64,
}

/// A standard error, and the quantile of t where it goes with one; without, with the normal one.
#[derive(Clone, Copy, PartialEq)]
struct Reference {
    se: f64,
    t: Option<f64>,
}

struct Errors {
    wald: Reference,
    hartung_knapp: Option<Reference>,
    /// Whether the interval by Hartung-Knapp is the narrower one.
    narrower: bool,
    factor: f64,
}

pub(super) fn too_few(what: &str) -> Error {
    ErrorKind::InsufficientStudies(format!(
        "{what} needs at least two studies, and there is one; use the estimate itself, or the normal test"
    ))
    .into()
}

pub(super) fn check_weights(weights: Option<&[f64]>, k: usize, name: &str, least: f64) -> Result<()> {
    let Some(weights) = weights else {
        return Err(Error::invalid(format!("given weights were asked for; pass them with `{name}`")));
    };
    let usable = weights.iter().all(|weight| weight.is_finite() && *weight >= least);
    if weights.len() != k || !usable || weights.iter().sum::<f64>() <= 0.0 {
        return Err(Error::invalid(format!(
            "`{name}` needs one finite positive weight for each study; for {studies} it has {}, or unusable ones",
            counted(weights.len(), "weight"),
            studies = counted(k, "study")
        )));
    }
    Ok(())
}

/// Beyond these, products of powers of the weights and estimates leave the range of f64.
const VARIANCES: std::ops::RangeInclusive<f64> = 1e-40..=1e40;
const LARGEST_ESTIMATE: f64 = 1e30;

/// Whether [`check_data`] finds no fault; without branches.
fn usable(yi: &[f64], vi: &[f64]) -> bool {
    yi.iter().fold(true, |usable, y| usable & (y.abs() <= LARGEST_ESTIMATE))
        & vi.iter().fold(true, |usable, v| usable & VARIANCES.contains(v))
}

pub(crate) fn check_data(yi: &[f64], vi: &[f64], k: usize) -> Result<()> {
    if yi.len() != k || vi.len() != k {
        return Err(Error::invalid(format!(
            "{} and {} were given for {studies}; pass one of each for every study",
            counted(yi.len(), "estimate"),
            counted(vi.len(), "variance"),
            studies = counted(k, "study")
        )));
    }
    if k == 0 {
        return Err(ErrorKind::NoStudies.into());
    }
    if let Some(i) = vi.iter().position(|v| !VARIANCES.contains(v)) {
        return Err(ErrorKind::InvalidVariance(format!(
            "the sampling variance of study {} is {}; it must be positive and finite (between 1e-40 and 1e40)",
            i + 1,
            vi[i]
        ))
        .into());
    }
    if let Some(i) = yi.iter().position(|y| y.is_nan() || y.abs() > LARGEST_ESTIMATE) {
        return Err(Error::invalid(format!(
            "the estimate of study {} is {}; it must be finite",
            i + 1,
            yi[i]
        )));
    }
    Ok(())
}
