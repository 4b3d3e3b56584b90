// Places and counts are small and positive.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use super::interval::{BootstrapCurve, BootstrapInterval};
use crate::compute::distribution::Normal;
use crate::error::{Error, ErrorKind, Result, counted};
use serde::{Deserialize, Serialize};

/// The quantiles of replicates.
///
/// With `B` replicates `x_1 <= ... <= x_B`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum QuantileRule {
    /// The smallest replicate `t` with `P(T* <= t) >= p`: the only rule where resamples were enumerated.
    InverseDistribution,
    /// `x` at the place `(B + 1) p`, linear between neighbours.
    Expected,
    /// `x` at the place `1 + (B - 1) p`, linear between neighbours: the quantile of R and numpy.
    Linear,
    /// `x` at the place `(B + 1) p`, between neighbours on the scale of normal quantiles: that of R's `boot`.
    NormalScale,
}

/// The distribution of a statistic over resamples: replicates that were drawn, or all of them with their
/// probabilities.
///
/// # Formula
/// With the estimate `t` and replicates `T*`: bias `E T* - t`; standard error `sqrt(E (T* - E T*)^2)` where
/// resamples were enumerated, with the divisor `B - 1` where `B` of them were drawn. Resamples without an
/// answer are left out, and their probability is kept.
///
/// # Errors
/// `invalid_input` for numbers that are not finite; `not_estimable` for fewer than two resamples with an
/// answer.
///
/// # Examples
/// ```
/// use armwise::resampling::{BootstrapDistribution, QuantileRule};
///
/// let replicates: Vec<Option<f64>> = (1..=99).map(|i| Some(f64::from(i))).collect();
/// let distribution = BootstrapDistribution::drawn(50.0, &replicates)?;
/// assert_eq!(distribution.quantile(0.05, QuantileRule::NormalScale), 5.0);
/// assert!((distribution.se() - 28.72).abs() < 0.01);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Efron & Tibshirani (1993), An Introduction to the Bootstrap. Hyndman & Fan (1996), The American
/// Statistician 50:361. Davison & Hinkley (1997), Bootstrap Methods and their Application, chapter 5.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct BootstrapDistribution {
    estimate: f64,
    /// In ascending order; of enumerated resamples each value once.
    values: Vec<f64>,
    /// Of enumerated resamples: the probability of each value, given that there is an answer.
    probabilities: Option<Vec<f64>>,
    /// The probability of resamples without an answer, or their share.
    not_estimable: f64,
}

checked!(BootstrapDistribution);

impl BootstrapDistribution {
    /// Replicates that were drawn; `None` for one without an answer.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn drawn(estimate: f64, replicates: &[Option<f64>]) -> Result<Self> {
        let mut values: Vec<f64> = replicates.iter().flatten().copied().collect();
        let not_estimable = (replicates.len() - values.len()) as f64 / (replicates.len() as f64).max(1.0);
        values.sort_by(f64::total_cmp);
        let mut made = Self { estimate, values, probabilities: None, not_estimable };
        made.check()?;
        // Rounding must not tell apart what is equal to the estimate.
        let tie = made.tie();
        made.values.iter_mut().filter(|value| (**value - estimate).abs() <= tie).for_each(|x| *x = estimate);
        Ok(made)
    }

    /// All different resamples with their probabilities; `None` for one without an answer.
    ///
    /// # Errors
    /// As listed for the type; probabilities that are not positive or do not add up to 1.
    pub fn enumerated(estimate: f64, resamples: &[(Option<f64>, f64)]) -> Result<Self> {
        let answered = resamples.iter().filter_map(|(value, p)| value.map(|value| (value, *p)));
        let mut answered: Vec<(f64, f64)> = answered.collect();
        answered.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total: f64 = resamples.iter().map(|(_, p)| p).sum();
        let known: f64 = answered.iter().map(|(_, p)| p).sum();
        let (values, probabilities) = answered.iter().map(|(value, p)| (*value, p / known)).unzip();
        let not_estimable = if answered.len() == resamples.len() { 0.0 } else { (total - known).max(0.0) };
        let mut made = Self { estimate, values, probabilities: Some(probabilities), not_estimable };
        if (total - 1.0).abs() > 1e-9 {
            return Err(Error::invalid(format!(
                "the probabilities of all resamples add up to {total}; give every resample with its own"
            )));
        }
        made.check()?;
        made.merge();
        Ok(made)
    }

    /// Makes values one that differ by rounding.
    fn merge(&mut self) {
        let tie = self.tie();
        let (values, probabilities) = (std::mem::take(&mut self.values), self.probabilities.take());
        let mut merged: Vec<(f64, f64)> = Vec::new();
        for (value, p) in values.into_iter().zip(probabilities.unwrap_or_default()) {
            let value = if (value - self.estimate).abs() <= tie { self.estimate } else { value };
            match merged.last_mut() {
                Some(last) if value - last.0 <= tie => last.1 += p,
                _ => merged.push((value, p)),
            }
        }
        let (values, probabilities) = merged.into_iter().unzip();
        (self.values, self.probabilities) = (values, Some(probabilities));
    }

    /// Values nearer to each other than this are equal but for rounding.
    fn tie(&self) -> f64 {
        let largest = self.values.iter().fold(self.estimate.abs(), |most, value| most.max(value.abs()));
        1e-10 * self.se() + 1e-14 * largest
    }

    pub(crate) fn check(&self) -> Result<()> {
        let Self { estimate, values, probabilities, not_estimable } = self;
        if values.len() < 2 {
            return Err(Error::not_estimable(format!(
                "{} had an answer, and two or more are needed; draw more of them, or take an estimator that answers for few people",
                counted(values.len(), "resample")
            )));
        }
        if !estimate.is_finite() || !values.iter().all(|value| value.is_finite()) {
            return Err(Error::invalid(
                "a replicate is not finite; give None for a resample without an answer",
            ));
        }
        let sound = probabilities.as_ref().is_none_or(|all| {
            let sum: f64 = all.iter().sum();
            all.len() == values.len() && all.iter().all(|p| *p > 0.0 && *p <= 1.0) && (sum - 1.0).abs() < 1e-9
        });
        if !sound || !(0.0..=1.0).contains(not_estimable) || !values.is_sorted() {
            return Err(Error::invalid(
                "replicates need an ascending order, and a positive probability each where they were enumerated; take them as they were made",
            ));
        }
        Ok(())
    }

    /// The estimate of the sample itself.
    pub fn estimate(&self) -> f64 {
        self.estimate
    }

    /// The replicates with an answer, in ascending order; of enumerated resamples each value once.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The number of replicates that were drawn and have an answer; `None` where resamples were enumerated.
    pub fn replicates(&self) -> Option<usize> {
        self.probabilities.is_none().then_some(self.values.len())
    }

    /// The share of resamples without an answer, or their probability.
    pub fn not_estimable(&self) -> f64 {
        self.not_estimable
    }

    fn expected(&self, f: impl Fn(f64) -> f64) -> f64 {
        match &self.probabilities {
            None => self.values.iter().map(|value| f(*value)).sum::<f64>() / self.values.len() as f64,
            Some(all) => self.values.iter().zip(all).map(|(value, p)| p * f(*value)).sum(),
        }
    }

    /// The mean of the replicates.
    pub fn mean(&self) -> f64 {
        // Deviations from the estimate keep the digits.
        self.estimate + self.expected(|value| value - self.estimate)
    }

    /// The mean less the estimate.
    pub fn bias(&self) -> f64 {
        self.expected(|value| value - self.estimate)
    }

    /// The standard deviation of the replicates.
    pub fn se(&self) -> f64 {
        let mean = self.mean();
        let n = self.values.len() as f64;
        let factor = if self.probabilities.is_none() { n / (n - 1.0) } else { 1.0 };
        (factor * self.expected(|value| (value - mean) * (value - mean))).sqrt()
    }

    /// The probability of a replicate below `x`.
    pub fn probability_below(&self, x: f64) -> f64 {
        self.share(self.values.partition_point(|value| *value < x))
    }

    /// The probability of a replicate that is `x`.
    pub fn probability_equal(&self, x: f64) -> f64 {
        self.share(self.values.partition_point(|value| *value <= x)) - self.probability_below(x)
    }

    /// The probability of the first values.
    fn share(&self, first: usize) -> f64 {
        match &self.probabilities {
            None => first as f64 / self.values.len() as f64,
            Some(_) if first == self.values.len() => 1.0,
            Some(all) => all[..first].iter().sum(),
        }
    }

    /// The smallest probability to either side that these resamples can tell from none.
    pub(crate) fn least(&self) -> f64 {
        match &self.probabilities {
            None => 1.0 / (self.values.len() as f64 + 1.0),
            Some(all) => all[0].max(all[all.len() - 1]),
        }
    }

    /// The quantile at `p`, between the smallest and the largest replicate. Of enumerated resamples that by
    /// [`QuantileRule::InverseDistribution`], whatever the rule.
    pub fn quantile(&self, p: f64, rule: QuantileRule) -> f64 {
        let last = self.values.len();
        if let Some(all) = &self.probabilities {
            let mut sum = 0.0;
            let place = all.iter().position(|share| {
                sum += share;
                sum >= p - 1e-12
            });
            return self.values[place.unwrap_or(last - 1)];
        }
        let b = last as f64;
        if rule == QuantileRule::InverseDistribution {
            let place = (b * p - 1e-9).ceil().clamp(1.0, b);
            return self.values[place as usize - 1];
        }
        let exact = match rule {
            QuantileRule::Linear => 1.0 + (b - 1.0) * p,
            _ => (b + 1.0) * p,
        };
        let near = exact.round();
        let exact = if (exact - near).abs() < 1e-9 { near } else { exact };
        let place = exact.clamp(1.0, b);
        let below = place.floor();
        let k = below as usize;
        if k == last || place == below {
            return self.values[k - 1];
        }
        let part = match rule {
            QuantileRule::NormalScale => {
                let z = |place: f64| Normal.quantile(place / (b + 1.0));
                (z(place) - z(below)) / (z(below + 1.0) - z(below))
            }
            _ => place - below,
        };
        self.values[k - 1] + part * (self.values[k] - self.values[k - 1])
    }

    /// The probabilities whose quantiles are `x`: the least and the largest. They differ where replicates are
    /// tied, and never come nearer to 0 and 1 than [`BootstrapDistribution::least`].
    pub(crate) fn levels(&self, x: f64, rule: QuantileRule) -> (f64, f64) {
        let (before, upto) = (
            self.values.partition_point(|value| *value < x),
            self.values.partition_point(|value| *value <= x),
        );
        let least = self.least();
        if self.probabilities.is_some() || rule == QuantileRule::InverseDistribution {
            return (self.share(before).min(1.0 - least), self.share(upto).max(least));
        }
        // Between the replicates k and k + 1, counted from 1.
        let between = |k: usize| {
            let (low, high) = (self.values[k - 1], self.values[k]);
            let part = (x - low) / (high - low);
            let b = self.values.len() as f64;
            match rule {
                QuantileRule::Linear => (k as f64 - 1.0 + part) / (b - 1.0),
                QuantileRule::NormalScale => {
                    let z = |place: f64| Normal.quantile(place / (b + 1.0));
                    let (low, high) = (z(k as f64), z(k as f64 + 1.0));
                    Normal.cdf(low + part * (high - low))
                }
                _ => (k as f64 + part) / (b + 1.0),
            }
            .clamp(least, 1.0 - least)
        };
        let of = |k: usize| match k {
            0 => least,
            k if k == self.values.len() => 1.0 - least,
            k => between(k),
        };
        (of(before), of(upto))
    }

    /// The bias of the median in normal units, `Phi^-1(P(T* < t))`; with [`BootstrapInterval::BcaHalfTies`] half
    /// of the replicates that are equal to the estimate count as below it.
    ///
    /// # Errors
    /// All replicates lie on one side of the estimate.
    pub fn z0(&self, interval: BootstrapInterval) -> Result<f64> {
        let ties = if interval == BootstrapInterval::BcaHalfTies { 0.5 } else { 0.0 };
        let share = self.probability_below(self.estimate) + ties * self.probability_equal(self.estimate);
        if share > 0.0 && share < 1.0 {
            return Ok(Normal.quantile(share));
        }
        let why = "all replicates lie on one side of the estimate, so that their median bias has no size; take the percentile interval";
        Err(ErrorKind::NotEstimable(why.to_owned()).into())
    }

    /// The confidence curve of one kind of interval, which gives its limits at any level and its p-values of
    /// any effect.
    ///
    /// # Errors
    /// The kind is studentised, which needs the standard errors of replicates
    /// ([`BootstrapCurve::studentized`]); BCa where all replicates lie on one side of the estimate.
    pub fn curve(
        self,
        interval: BootstrapInterval,
        rule: QuantileRule,
        acceleration: f64,
    ) -> Result<BootstrapCurve> {
        BootstrapCurve::new(self, interval, rule, acceleration)
    }
}
