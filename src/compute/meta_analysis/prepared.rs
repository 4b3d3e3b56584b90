//! The pooling of independent estimates itself, without allocation.

use super::options::{Alternative, ChiSquaredTest, PoolingWeights, PredictionDf, Tau2, Test, check_level};
use super::summary::{Inference, PoolSummary, PooledEffect, prediction_quantile};
use super::tau2::{self, ChiSquaredQuantiles, Extent, Sums, Tau2Estimate, extent, log_likelihoods, sums};
use super::univariate::{RandomEffects, Settings};
use crate::compute::distribution::{ChiSquared, Normal, StudentT};
use crate::compute::interval::Interval;
use crate::compute::threads::in_parts;
use crate::error::{Error, ErrorKind, Result};

/// Options with all quantiles for a number of studies: pools again and again without allocating.
#[derive(Debug, Clone, Copy)]
pub struct PreparedPool<'a> {
    settings: &'a Settings,
    random: Option<&'a RandomEffects>,
    k: usize,
    z: f64,
    t: Option<f64>,
    chi2: Option<ChiSquaredQuantiles>,
    prediction: Option<f64>,
}

impl<'a> PreparedPool<'a> {
    pub(super) fn new(settings: &'a Settings, random: Option<&'a RandomEffects>, k: usize) -> Result<Self> {
        check_level(settings.level)?;
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
        let upper_tail = 0.5 * (1.0 - settings.level);
        let z = Normal.upper_quantile(upper_tail);
        let (mut t, mut chi2, mut prediction) = (None, None, None);
        if k >= 2 {
            let df = k as f64 - 1.0;
            if random.is_some() || settings.test == Test::T {
                t = Some(StudentT::new(df)?.upper_quantile(upper_tail));
            }
            if let Some(random) = random {
                let distribution = ChiSquared::new(df)?;
                chi2 = Some(ChiSquaredQuantiles {
                    lower: distribution.quantile(upper_tail),
                    median: distribution.quantile(0.5),
                    upper: distribution.upper_quantile(upper_tail),
                });
                prediction = match random.prediction_df {
                    PredictionDf::Normal => Some(z),
                    PredictionDf::KMinus1 => t,
                    PredictionDf::KMinus2 if k > 2 => {
                        Some(prediction_quantile(PredictionDf::KMinus2, k, upper_tail)?)
                    }
                    _ => None,
                };
            }
        }
        Ok(Self { settings, random, k, z, t, chi2, prediction })
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
        let total: f64 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= total;
        }
        Ok(PooledEffect { summary, weights })
    }

    /// Pools estimates with these sampling variances, without the weights: allocates nothing.
    ///
    /// # Errors
    /// As listed for [`RandomEffects`].
    pub fn summary(&self, yi: &[f64], vi: &[f64]) -> Result<PoolSummary> {
        check_data(yi, vi, self.k)?;
        let extent = extent(yi, vi);
        let zero = sums(yi, vi, &extent, 0.0);
        let q = ChiSquaredTest::new(if extent.ss == 0.0 { 0.0 } else { zero.q }, self.k - 1)?;
        let tau2 = self.tau2(yi, vi, &extent, &zero);
        let at = if tau2.tau2 == 0.0 { zero } else { sums(yi, vi, &extent, tau2.tau2) };
        let (estimate, variance, sum_of_squares) = self.mean(yi, vi, tau2.tau2, &at);
        let log = log_likelihoods(vi, tau2.tau2, at.s1, sum_of_squares);

        let wald = self.inference(estimate, variance.sqrt(), None)?;
        let factor = if extent.ss == 0.0 { 0.0 } else { at.q / (self.k as f64 - 1.0) };
        let hartung_knapp = match self.t {
            Some(t) if self.random.is_some() && factor > 0.0 => {
                Some(self.inference(estimate, (variance * factor).sqrt(), Some(t))?)
            }
            _ => None,
        };
        let narrower = self.random.is_some()
            && self.k > 1
            && hartung_knapp.is_none_or(|other| other.interval.width() < wald.interval.width());
        let primary = self.primary(estimate, wald, hartung_knapp, narrower, factor)?;

        let typical_variance = (self.k > 1).then(|| (self.k as f64 - 1.0) / zero.trace_p);
        let i2_at = |tau2: f64| typical_variance.map_or(0.0, |typical| tau2 / (tau2 + typical));
        let h2_at = |tau2: f64| typical_variance.map_or(1.0, |typical| tau2 / typical + 1.0);
        let df = q.df as f64;
        let (i2, h2) = match self.random {
            Some(_) => (i2_at(tau2.tau2), h2_at(tau2.tau2)),
            None if q.df == 0 => (0.0, 1.0),
            None if q.statistic == 0.0 => (0.0, 0.0),
            None => (((q.statistic - df) / q.statistic).max(0.0), q.statistic / df),
        };
        let tau2_interval = self.chi2.map(|chi2| tau2::q_profile(yi, vi, &extent, chi2));
        let mut summary = PoolSummary {
            k: self.k,
            estimate,
            se: primary.se,
            statistic: primary.statistic,
            df: primary.df,
            p_value: primary.p_value,
            interval: primary.interval,
            test: self.settings.test,
            level: self.settings.level,
            wald,
            hartung_knapp,
            hartung_knapp_narrower: narrower,
            tau2_estimator: self.random.map(|random| random.tau2),
            tau2: tau2.tau2,
            se_tau2: tau2.se,
            tau2_interval,
            boundary: self.random.is_some() && self.k > 1 && tau2.tau2 == 0.0,
            q,
            i2,
            h2,
            i2_interval: tau2_interval.map(|interval| interval.map(i2_at)),
            h2_interval: tau2_interval.map(|interval| interval.map(h2_at)),
            typical_variance,
            prediction: None,
            log_likelihood: log.full,
            restricted_log_likelihood: log.restricted,
        };
        let as_test = self.random.is_some_and(|random| random.prediction_df == PredictionDf::AsTest);
        let quantile = match (as_test, summary.df) {
            (true, _) if self.k < 2 => None,
            (true, None) => Some(self.z),
            (true, Some(_)) => self.t,
            (false, _) => self.prediction,
        };
        summary.prediction = quantile.map(|quantile| summary.prediction_with(quantile));
        Ok(summary)
    }

    /// Pools many sets of `k` studies and keeps of each what `keep` takes from its summary, in their order. `yi` and `vi` hold the
    /// sets one after the other. With the feature `rayon` they are split over threads; the results are the same without.
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
    /// `invalid_input` where the slices are not equally long, or no multiple of `k`; else as listed for [`RandomEffects`],
    /// with the number of the set that fails as its row.
    pub fn map_summaries<T: Send>(
        &self,
        yi: &[f64],
        vi: &[f64],
        keep: impl Fn(&PoolSummary) -> T + Sync,
    ) -> Result<Vec<T>> {
        /// Sets that one thread takes at a time.
        const PART: usize = 64;
        if yi.len() != vi.len() || !yi.len().is_multiple_of(self.k) {
            return Err(Error::invalid(format!(
                "{} estimates and {} variances do not make sets of {} studies; pass whole sets one after the other",
                yi.len(),
                vi.len(),
                self.k
            )));
        }
        let sets = yi.len() / self.k;
        let parts = in_parts(sets, PART, sets > PART, |part| {
            part.map(|set| {
                let studies = set * self.k..(set + 1) * self.k;
                let summary = self.summary(&yi[studies.clone()], &vi[studies]);
                Ok(keep(&summary.map_err(|error| error.in_row(set))?))
            })
            .collect::<Result<Vec<T>>>()
        });
        let mut kept = Vec::with_capacity(sets);
        for part in parts {
            kept.extend(part?);
        }
        Ok(kept)
    }

    fn tau2(&self, yi: &[f64], vi: &[f64], extent: &Extent, zero: &Sums) -> Tau2Estimate {
        match (self.random, self.chi2) {
            (Some(random), Some(chi2)) => {
                let weights = random.moment_weights.as_deref();
                tau2::estimate(random.tau2, yi, vi, extent, zero, chi2.median, weights)
            }
            _ => Tau2Estimate { tau2: 0.0, se: None },
        }
    }

    /// The estimate, its model variance, and the inverse-variance weighted sum of squares around it.
    fn mean(&self, yi: &[f64], vi: &[f64], tau2: f64, at: &Sums) -> (f64, f64, f64) {
        let given = match (self.settings.weights, &self.settings.given_weights) {
            (PoolingWeights::Equal, _) => None,
            (PoolingWeights::Given, Some(given)) => Some(given.as_slice()),
            _ => return (at.mean, 1.0 / at.s1, at.q),
        };
        let weight = |i: usize| given.map_or(1.0, |given| given[i]);
        let (mut s1, mut sy, mut sv) = (0.0, 0.0, 0.0);
        for i in 0..yi.len() {
            let u = weight(i);
            s1 += u;
            sy += u * yi[i];
            sv += u * u * (vi[i] + tau2);
        }
        let estimate = sy / s1;
        let squares = yi.iter().zip(vi).map(|(y, v)| (y - estimate) * (y - estimate) / (v + tau2)).sum();
        (estimate, sv / (s1 * s1), squares)
    }

    /// With the t quantile where given, else with the normal one.
    fn inference(&self, estimate: f64, se: f64, t: Option<f64>) -> Result<Inference> {
        let statistic = (estimate - self.settings.null_value) / se;
        let df = t.map(|_| self.k as f64 - 1.0);
        let p_value = match df {
            None => tail(self.settings.alternative, statistic, |x| Normal.cdf(x), |x| Normal.sf(x)),
            Some(df) => {
                let t = StudentT::new(df)?;
                tail(self.settings.alternative, statistic, |x| t.cdf(x), |x| t.sf(x))
            }
        };
        let interval = Interval::around(estimate, t.unwrap_or(self.z) * se);
        Ok(Inference { se, statistic, df, p_value, interval })
    }

    fn primary(
        &self,
        estimate: f64,
        wald: Inference,
        hartung_knapp: Option<Inference>,
        narrower: bool,
        factor: f64,
    ) -> Result<Inference> {
        match self.settings.test {
            Test::Normal => Ok(wald),
            Test::T => self.inference(estimate, wald.se, self.t),
            Test::HartungKnapp => hartung_knapp.ok_or_else(|| {
                let why = "Hartung-Knapp has no standard error where all estimates are equal; \
                           take the wider of both, or the normal test";
                ErrorKind::ZeroVariance(why.into()).into()
            }),
            Test::HartungKnappTruncated => self.inference(estimate, wald.se * factor.max(1.0).sqrt(), self.t),
            Test::WiderOfBoth => Ok(hartung_knapp.filter(|_| !narrower).unwrap_or(wald)),
        }
    }
}

fn tail(alternative: Alternative, statistic: f64, cdf: impl Fn(f64) -> f64, sf: impl Fn(f64) -> f64) -> f64 {
    match alternative {
        Alternative::TwoSided => 2.0 * sf(statistic.abs()),
        Alternative::Greater => sf(statistic),
        Alternative::Less => cdf(statistic),
    }
}

pub(super) fn too_few(what: &str) -> Error {
    ErrorKind::InsufficientStudies(format!(
        "{what} needs at least two studies, there is one; use the estimate itself, or the normal test"
    ))
    .into()
}

pub(super) fn check_weights(weights: Option<&[f64]>, k: usize, name: &str, least: f64) -> Result<()> {
    let Some(weights) = weights else {
        return Err(Error::invalid(format!("weights of one's own were asked for; pass them with `{name}`")));
    };
    let usable = weights.iter().all(|weight| weight.is_finite() && *weight >= least);
    if weights.len() != k || !usable || weights.iter().sum::<f64>() <= 0.0 {
        return Err(Error::invalid(format!(
            "`{name}` needs one finite positive weight for each of the {k} studies, not {} of which some are unusable",
            weights.len()
        )));
    }
    Ok(())
}

/// Beyond these, products of powers of the weights and estimates leave the range of f64.
const VARIANCES: std::ops::RangeInclusive<f64> = 1e-40..=1e40;
const LARGEST_ESTIMATE: f64 = 1e30;

pub(crate) fn check_data(yi: &[f64], vi: &[f64], k: usize) -> Result<()> {
    if yi.len() != k || vi.len() != k {
        return Err(Error::invalid(format!(
            "{} estimates and {} variances were given for {k} studies; pass one of each for every study",
            yi.len(),
            vi.len()
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
