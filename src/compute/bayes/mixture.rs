use super::shortest::{Continuous, shortest};
use crate::compute::distribution::Normal;
use crate::compute::interval::Interval;
use crate::compute::reference_distribution::upper_tail;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::f64::consts::{PI, SQRT_2};

/// A posterior distribution of an effect: normal distributions, one for each heterogeneity tau, weighted by
/// the posterior of tau.
///
/// As with the distributions of [`distribution`](crate::distribution), `quantile` of a number outside 0 to 1
/// is NaN.
///
/// ```
/// use armwise::bayes::{NormalNormal, TauPrior};
///
/// let model = NormalNormal::new(TauPrior::HalfNormal { scale: 0.03 });
/// let posterior = model.posterior(&[0.042, 0.031, 0.085], &[0.000_62, 0.001_09, 0.001_55])?;
/// let mu = posterior.mu();
/// let upper = mu.upper_quantile(0.025);
/// assert!((mu.sf(upper) - 0.025).abs() < 1e-12);
/// // No harm beyond a margin of two points.
/// assert!(mu.sf(-0.02) > mu.sf(0.0));
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct NormalMixture {
    components: Vec<Component>,
    mean: Option<f64>,
    sd: Option<f64>,
}

/// A mixture as it is read.
#[derive(Deserialize)]
struct Parts {
    components: Vec<Component>,
    mean: Option<f64>,
    sd: Option<f64>,
}

impl TryFrom<Parts> for NormalMixture {
    type Error = Error;

    fn try_from(Parts { components, mean, sd }: Parts) -> Result<Self> {
        let exists = Moments { mean: mean.is_some(), variance: sd.is_some() };
        let read = Self::new(components, exists);
        let possible =
            |c: &Component| c.weight >= 0.0 && c.sd >= 0.0 && c.sd.is_finite() && c.mean.is_finite();
        let total: f64 = read.components.iter().map(|c| c.weight).sum();
        let near = |one: Option<f64>, other: Option<f64>| match (one, other) {
            (Some(one), Some(other)) => (one - other).abs() <= 1e-9 * other.abs().max(1e-300),
            _ => one == other,
        };
        if read.components.iter().all(possible)
            && (total - 1.0).abs() < 1e-9
            && near(mean, read.mean)
            && near(sd, read.sd)
        {
            return Ok(Self { mean, sd, ..read });
        }
        Err(Error::invalid(
            "a mixture of normal distributions has weights that sum to one, standard deviations of zero or more, and \
             the mean and the standard deviation of its components; this one was changed after it was written",
        ))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Component {
    pub(super) weight: f64,
    pub(super) mean: f64,
    pub(super) sd: f64,
}

/// The density and its slope.
#[derive(Clone, Copy)]
struct Local {
    density: f64,
    slope: f64,
}

/// Which moments of a posterior distribution exist.
#[derive(Clone, Copy)]
pub(super) struct Moments {
    pub(super) mean: bool,
    pub(super) variance: bool,
}

/// A posterior distribution in a few numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// The mean; `None` where it does not exist.
    pub mean: Option<f64>,
    /// The standard deviation; `None` where it does not exist.
    pub sd: Option<f64>,
    /// The median.
    pub median: f64,
    /// The interval with equal tails.
    pub interval: Interval,
    /// The shortest interval (of highest posterior density).
    pub shortest_interval: Interval,
}

impl NormalMixture {
    pub(super) fn new(components: Vec<Component>, exists: Moments) -> Self {
        let mean: f64 = components.iter().map(|c| c.weight * c.mean).sum();
        let variance: f64 =
            components.iter().map(|c| c.weight * (c.sd * c.sd + (c.mean - mean) * (c.mean - mean))).sum();
        Self { components, mean: exists.mean.then_some(mean), sd: exists.variance.then_some(variance.sqrt()) }
    }

    /// The mean; `None` where it does not exist, as with few studies and a prior of tau with heavy tails.
    pub fn mean(&self) -> Option<f64> {
        self.mean
    }

    /// The standard deviation; `None` where it does not exist.
    pub fn sd(&self) -> Option<f64> {
        self.sd
    }

    /// The median.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The density.
    pub fn pdf(&self, x: f64) -> f64 {
        self.components
            .iter()
            .map(|c| {
                let z = (x - c.mean) / c.sd;
                c.weight / c.sd * (-0.5 * z * z).exp()
            })
            .sum::<f64>()
            / (2.0 * PI).sqrt()
    }

    /// The probability of `x` or less.
    pub fn cdf(&self, x: f64) -> f64 {
        self.tail(x, 1.0)
    }

    /// The probability of more than `x`. With larger effects better: of benefit at 0, of no harm beyond a
    /// margin at minus the margin.
    pub fn sf(&self, x: f64) -> f64 {
        self.tail(-x, -1.0)
    }

    /// P(sign X <= x).
    fn tail(&self, x: f64, sign: f64) -> f64 {
        let sum: f64 = self
            .components
            .iter()
            .map(|c| c.weight * libm::erfc((sign * c.mean - x) / (c.sd * SQRT_2)))
            .sum();
        // The probability of a bound that is NaN is NaN.
        if x.is_nan() { f64::NAN } else { (0.5 * sum).min(1.0) }
    }

    /// The `x` with P(X <= x) = p.
    pub fn quantile(&self, p: f64) -> f64 {
        if p > 0.5 { self.solve(1.0 - p, -1.0) } else { self.solve(p, 1.0) }
    }

    /// The `x` with P(X > x) = p, accurate also for tiny p.
    pub fn upper_quantile(&self, p: f64) -> f64 {
        if p > 0.5 { self.solve(1.0 - p, 1.0) } else { self.solve(p, -1.0) }
    }

    /// The `x` with P(sign X <= sign x) = p: Newton's steps for the logarithm of the probability, within a
    /// bracket.
    fn solve(&self, p: f64, sign: f64) -> f64 {
        if p <= 0.0 || p.is_nan() {
            return if p == 0.0 { -sign * f64::INFINITY } else { f64::NAN };
        }
        let z = Normal.quantile(p);
        // A quantile of a mixture lies between those of its components.
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        let (mut below, mut x, mut unit) = (0.0, 0.0, 1.0);
        for c in &self.components {
            let quantile = sign * c.mean + z * c.sd;
            (low, high) = (low.min(quantile), high.max(quantile));
            if below < 0.5 {
                (x, unit) = (quantile, c.sd);
            }
            below += c.weight;
        }
        let ln_p = p.ln();
        for _ in 0..200 {
            let (mut tail, mut density) = (0.0, 0.0);
            for c in &self.components {
                let z = (x - sign * c.mean) / c.sd;
                tail += c.weight * libm::erfc(-z / SQRT_2);
                density += c.weight / c.sd * (-0.5 * z * z).exp();
            }
            tail *= 0.5;
            density /= (2.0 * PI).sqrt();
            if tail < p {
                low = x;
            } else {
                high = x;
            }
            let newton = x - tail * (tail.ln() - ln_p) / density;
            let next = if newton >= low && newton <= high { newton } else { 0.5 * (low + high) };
            let step = (next - x).abs();
            x = next;
            // The next step would be the square of this one.
            if step <= 1e-9 * unit || high - low <= 4.0 * f64::EPSILON * x.abs() {
                break;
            }
        }
        sign * x
    }

    /// The interval with equal tails; `level` between 0 and 1, as 0.95.
    ///
    /// # Errors
    /// `invalid_input` for a level outside (0, 1).
    pub fn interval(&self, level: f64) -> Result<Interval> {
        let tail = upper_tail(level)?;
        Ok(Interval::between(self.quantile(tail), self.upper_quantile(tail)))
    }

    /// The shortest interval of the level: the region of highest density, as the density has one summit.
    ///
    /// # Errors
    /// `invalid_input` for a level outside (0, 1).
    pub fn shortest_interval(&self, level: f64) -> Result<Interval> {
        match self.climb(level)? {
            Some(interval) => Ok(interval),
            None => shortest(self, level),
        }
    }

    /// The interval at whose ends the densities agree, by Newton's steps from the one with equal tails;
    /// `None` where they lead astray.
    fn climb(&self, level: f64) -> Result<Option<Interval>> {
        let start = self.interval(level)?;
        let (mut a, mut b) = (start.lower(), start.upper());
        let width = b - a;
        let outside = 1.0 - level;
        for _ in 0..30 {
            let (at_a, at_b) = (self.local(a), self.local(b));
            let excess = self.cdf(a) + self.sf(b) - outside;
            let difference = at_a.density - at_b.density;
            // excess: derivative (f(a), -f(b)); difference: derivative (f'(a), -f'(b)).
            let determinant = at_b.density * at_a.slope - at_a.density * at_b.slope;
            let step_a = (excess * at_b.slope - difference * at_b.density) / determinant;
            let step_b = (excess * at_a.slope - difference * at_a.density) / determinant;
            a += step_a;
            b += step_b;
            if !(determinant > 0.0 && a < b && a.is_finite() && b.is_finite()) {
                return Ok(None);
            }
            if step_a.abs().max(step_b.abs()) <= 1e-9 * width {
                return Ok(Some(Interval::between(a, b)));
            }
        }
        Ok(None)
    }

    fn local(&self, x: f64) -> Local {
        let mut local = Local { density: 0.0, slope: 0.0 };
        for c in &self.components {
            let z = (x - c.mean) / c.sd;
            let density = c.weight / (c.sd * (2.0 * PI).sqrt()) * (-0.5 * z * z).exp();
            local.density += density;
            local.slope -= density * z / c.sd;
        }
        local
    }

    /// Moments, median and both intervals.
    ///
    /// # Errors
    /// `invalid_input` for a level outside (0, 1).
    pub fn summary(&self, level: f64) -> Result<Summary> {
        Ok(Summary {
            mean: self.mean,
            sd: self.sd,
            median: self.median(),
            interval: self.interval(level)?,
            shortest_interval: self.shortest_interval(level)?,
        })
    }
}

impl Continuous for NormalMixture {
    fn density(&self, x: f64) -> f64 {
        self.pdf(x)
    }

    fn lower_quantile(&self, p: f64) -> f64 {
        self.quantile(p)
    }

    fn upper_tail_quantile(&self, p: f64) -> f64 {
        self.upper_quantile(p)
    }
}
