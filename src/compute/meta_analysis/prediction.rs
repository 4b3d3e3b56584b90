//! Prediction intervals for the effect in a new study that count how little is known of tau².

// Places and counts are small and positive.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use super::dense::Square;
use super::multivariate::{BetweenStructure, MultivariateData, MultivariateModel};
use super::options::PredictionDf;
use super::regression::Orthogonal;
use crate::compute::coefficient::Coefficient;
use crate::compute::distribution::{ChiSquared, Normal};
use crate::compute::interval::Interval;
use crate::compute::linalg::SymmetricEigen;
use crate::compute::reference_distribution::upper_tail;
use crate::compute::resampling::{check_replicates, each, stream};
use crate::compute::roots::root;
use crate::error::{Error, ErrorKind, Result};
use ndarray::Array2;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

/// How the interval for the effect in a new study is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PredictionRule {
    /// [`ConfidenceDistribution`](Self::ConfidenceDistribution) from [`PREDICTION_FROM`] studies on, below that
    /// t with k - 1 degrees of freedom. The default.
    #[default]
    ByNumberOfStudies,
    /// The effect is normal around the pooled one with variance `tau² + se²(tau²)`, and tau² has its confidence
    /// distribution: `P(tau² <= t) = P(chi² > Q(t))` with k - 1 degrees of freedom, the generalised Q whose
    /// quantiles make the Q-profile interval, with the mass `P(chi² > Q(0))` at zero. By quadrature: the same
    /// digits every time. Never narrower than the confidence interval of the mean.
    ConfidenceDistribution,
    /// The bootstrap of Nagashima, Noma & Furukawa (2019): tau² drawn from the distribution that Cochran's Q
    /// gives it, the mean and its Hartung-Knapp standard error at that tau², and t with k - 1 degrees of
    /// freedom.
    Nagashima {
        /// The number of draws; the authors took 25,000.
        draws: usize,
        /// Their seed.
        seed: u64,
    },
    /// tau² taken as known: `sqrt(tau² + se²)` times a quantile.
    Df(PredictionDf),
}

/// The number of studies from which on the default prediction interval counts how little is known of tau²:
/// below it t with k - 1 degrees of freedom covers as well, and is shorter (`tests/coverage/README.md`).
pub const PREDICTION_FROM: usize = 4;

from! {
    PredictionDf => PredictionRule: |df| Self::Df(df);
}

impl PredictionRule {
    /// The rule for `k` studies.
    pub(super) fn of(self, k: usize) -> Self {
        match self {
            Self::ByNumberOfStudies if k >= PREDICTION_FROM => Self::ConfidenceDistribution,
            Self::ByNumberOfStudies => Self::Df(PredictionDf::KMinus1),
            other => other,
        }
    }
}

/// Half the width of the interval of a new effect, from what is known of tau².
#[derive(Debug, Clone)]
pub(super) struct Predictive {
    /// Values of tau² with their probabilities.
    nodes: Vec<[f64; 2]>,
}

/// The distance of two values of ln tau² in the quadrature: the trapezoidal rule, whose error falls
/// exponentially for functions that are smooth and vanish at both ends. Halved, no digit of ten changes.
const STEP: f64 = 0.4;

impl Predictive {
    /// The confidence distribution of tau²; `at` gives the generalised Q and its derivative at a tau², `least`
    /// is the smallest sampling variance.
    pub(super) fn new(df: f64, least: f64, mut at: impl FnMut(f64) -> Result<[f64; 2]>) -> Result<Self> {
        let chi2 = ChiSquared::new(df)?;
        let zero = chi2.sf(at(0.0)?[0]);
        let mut nodes = vec![[0.0, zero]];
        let mut total = 0.0;
        for place in 0..2000 {
            // From where tau² is nothing beside the smallest variance.
            let tau2 = least * (STEP * f64::from(place) - 26.0).exp();
            let [q, slope] = at(tau2)?;
            let density = -slope * tau2 * chi2.pdf(q);
            let probability = if density.is_finite() { STEP * density } else { 0.0 };
            total += probability;
            if probability > 0.0 {
                nodes.push([tau2, probability]);
            }
            if (tau2 > least && q < 0.1 && probability < 1e-13) || tau2 > 1e200 {
                break;
            }
        }
        if total > 0.0 {
            nodes[1..].iter_mut().for_each(|node| node[1] *= (1.0 - zero) / total);
        } else {
            nodes[0][1] = 1.0;
        }
        Ok(Self { nodes })
    }

    /// Of estimates with these sampling variances.
    pub(super) fn of_studies(yi: &[f64], vi: &[f64]) -> Result<Self> {
        let least = vi.iter().copied().fold(f64::INFINITY, f64::min);
        Self::new(yi.len() as f64 - 1.0, least, |tau2| {
            let (mut s1, mut sy) = (0.0, 0.0);
            for (y, v) in yi.iter().zip(vi) {
                let w = 1.0 / (v + tau2);
                s1 += w;
                sy += w * y;
            }
            let mean = sy / s1;
            let (mut q, mut slope) = (0.0, 0.0);
            for (y, v) in yi.iter().zip(vi) {
                let w = 1.0 / (v + tau2);
                let part = w * (y - mean) * (y - mean);
                q += part;
                slope -= w * part;
            }
            Ok([q, slope])
        })
    }

    /// The values of tau².
    pub(super) fn values(&self) -> impl Iterator<Item = f64> {
        self.nodes.iter().map(|node| node[0])
    }

    /// The distance from the centre that a new effect exceeds with probability `1 - level`; `variance` is that
    /// of a new effect around the centre at a tau².
    pub(super) fn half_width(&self, level: f64, mut variance: impl FnMut(f64) -> f64) -> Result<f64> {
        let tail = upper_tail(level)?;
        let parts: Vec<[f64; 2]> = self.nodes.iter().map(|[tau2, p]| [variance(*tau2).sqrt(), *p]).collect();
        let z = Normal.upper_quantile(tail);
        let ends = parts.iter().filter(|[_, p]| *p > 0.0);
        let (low, high) = ends.fold((f64::INFINITY, 0.0), |(low, high), [sd, _]| (sd.min(low), sd.max(high)));
        let beyond = |half: f64| parts.iter().map(|[sd, p]| p * Normal.sf(half / sd)).sum::<f64>();
        Ok(root(|x| (beyond(x.exp()) / tail).ln(), (z * low).ln(), (z * high).ln()).exp())
    }
}

impl MultivariateModel {
    /// The interval for the effect in a new trial, of each coefficient: normal around it with variance
    /// `tau² + se²(tau²)`, tau² having its confidence distribution, `P(tau² <= t) = P(chi² > Q(t))` with the
    /// degrees of freedom effects - coefficients; never narrower than the confidence interval of the coefficient.
    ///
    /// # Errors
    /// As [`MultivariateModel::pool`]; `not_estimable` for a common effect; `invalid_input` for another
    /// structure than one tau² with a given correlation; `insufficient_studies` without degrees of freedom.
    pub fn predict(&self, data: &MultivariateData) -> Result<Vec<Interval>> {
        let pool = self.pool(data)?;
        if self.tau2.is_none() {
            return Err(Error::not_estimable(
                "a common effect says nothing of new trials; pool with random effects for a prediction interval",
            ));
        }
        if self.structure != BetweenStructure::FixedCorrelation {
            return Err(Error::invalid(
                "a prediction interval of a joint model needs one tau² with a given correlation; take BetweenStructure::FixedCorrelation",
            ));
        }
        let basis = Orthogonal::new(&data.x, &data.names)?;
        let (rows, _) = data.rotate(self.correlation, &basis.q)?;
        if rows.df() == 0 {
            let why = "there are as many effects as coefficients, so that nothing is known of their variation between trials; give more trials";
            return Err(ErrorKind::InsufficientStudies(why.into()).into());
        }
        let least = rows.v.iter().copied().fold(f64::INFINITY, f64::min);
        let known = Predictive::new(rows.df() as f64, least, |tau2| rows.at(tau2).map(|at| [at.q, -at.r2]))?;
        let variances: Vec<(f64, Square)> = known
            .values()
            .map(|tau2| rows.at(tau2).map(|at| (tau2, basis.covariance(&at.covariance()))))
            .collect::<Result<_>>()?;
        let of = |(i, coefficient): (usize, &Coefficient)| {
            let mut variances = variances.iter().map(|(tau2, covariance)| tau2 + covariance[(i, i)]);
            // One for each value of tau², in their order.
            let half = known.half_width(self.level, |_| variances.next().unwrap_or(0.0))?;
            let half = half.max(0.5 * coefficient.interval.width());
            Interval::new(coefficient.estimate - half, coefficient.estimate + half)
        };
        pool.coefficients.iter().enumerate().map(of).collect()
    }
}

/// The interval of Nagashima, Noma & Furukawa.
///
/// With `A = W - W 1 1' W / 1'W1`, `W = diag(1 / v)`, Cochran's Q at tau² is distributed as
/// `sum (1 + tau² a_i) x_i` with the eigenvalues `a_i` of `A` above zero and chi-squared `x_i` of one degree of
/// freedom each. So `(Q - sum x_i) / sum a_i x_i` has the distribution `P(tau² <= t) = 1 - F_Q(Q; t)`.
pub(super) fn nagashima(yi: &[f64], vi: &[f64], level: f64, draws: usize, seed: u64) -> Result<Interval> {
    check_replicates(draws)?;
    let tail = upper_tail(level)?;
    let k = yi.len();
    let total: f64 = vi.iter().map(|v| 1.0 / v).sum();
    let own = |i: usize, j: usize| if i == j { 1.0 / vi[i] } else { 0.0 };
    let a = Array2::from_shape_fn((k, k), |(i, j)| own(i, j) - 1.0 / vi[i] / vi[j] / total);
    let mut eigenvalues = SymmetricEigen::new(a.view()).values.to_vec();
    eigenvalues.sort_by(f64::total_cmp);
    // The least is zero but for rounding.
    let eigenvalues = &eigenvalues[1..];
    let at = |tau2: f64| {
        let (s1, sy) = yi
            .iter()
            .zip(vi)
            .fold((0.0, 0.0), |(s1, sy), (y, v)| (s1 + 1.0 / (v + tau2), sy + y / (v + tau2)));
        let mean = sy / s1;
        let q: f64 = yi.iter().zip(vi).map(|(y, v)| (y - mean) * (y - mean) / (v + tau2)).sum();
        (mean, q, s1)
    };
    let q = at(0.0).1;
    let (mut drawn, stopped) = each(
        "draws",
        draws,
        || (),
        |(), draw| {
            let mut numbers = stream(seed, draw as u64);
            let (mut sum, mut weighted) = (0.0, 0.0);
            for a in eigenvalues {
                let x = normal(&mut numbers).powi(2);
                sum += x;
                weighted += a * x;
            }
            let tau2 = ((q - sum) / weighted).max(0.0);
            let (mean, squares, s1) = at(tau2);
            let se = (squares / (k as f64 - 1.0) / s1).sqrt();
            let scale: f64 = (1..k).map(|_| normal(&mut numbers).powi(2)).sum::<f64>() / (k as f64 - 1.0);
            let t = normal(&mut numbers) / scale.sqrt();
            mean + normal(&mut numbers) * tau2.sqrt() - t * se
        },
    );
    if let Some(step) = stopped {
        return Err(step.into());
    }
    drawn.sort_by(f64::total_cmp);
    let quantile = |p: f64| {
        let place = p * (draws as f64 - 1.0);
        let below = place.floor() as usize;
        let above = (below + 1).min(draws - 1);
        drawn[below] + (place - below as f64) * (drawn[above] - drawn[below])
    };
    let interval = Interval::new(quantile(tail), quantile(1.0 - tail))?;
    if interval.width().is_finite() {
        Ok(interval)
    } else {
        Err(Error::not_estimable("a draw is not finite; take another rule"))
    }
}

/// A number strictly between 0 and 1.
fn uniform(numbers: &mut impl Rng) -> f64 {
    (numbers.random::<f64>() + 0.5_f64.powi(54)).min(1.0 - f64::EPSILON)
}

fn normal(numbers: &mut impl Rng) -> f64 {
    Normal.quantile(uniform(numbers))
}
