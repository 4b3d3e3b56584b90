//! An interval for the mean effect that leans on the large studies.

use super::prepared::{check_data, too_few};
use crate::compute::distribution::{ChiSquared, Normal};
use crate::compute::interval::Interval;
use crate::compute::reference_distribution::check_level;
use crate::compute::roots::root;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// The result of [`henmi_copas`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HenmiCopas {
    /// The common effect sum w y/sum w, w = 1/v.
    pub estimate: f64,
    /// Its standard error under random effects: sqrt((1 + tau² sum w²/sum w)/sum w).
    pub se: f64,
    /// tau² by DerSimonian & Laird.
    pub tau2: f64,
    /// The interval; its half width is `se` times a quantile that knows that tau² was estimated.
    pub interval: Interval,
    /// The confidence level.
    pub level: f64,
    /// The distribution of the estimate in standard errors.
    pub reference: HenmiCopasReference,
}

/// The common effect with an interval that holds under random effects (Henmi & Copas 2010, Stat. Med. 29).
///
/// The weights 1/v are less exposed to small studies that were published for their results than those of
/// random effects.
///
/// # Formula
/// With w = 1/v, W1 = sum w, W2 = sum w²/W1: the estimate b = sum w y/W1 has variance (1 + tau² W2)/W1. The
/// interval is b ± u sqrt((1 + tau² W2)/W1), where u is the quantile of the ratio of (b - mu) sqrt(W1) to
/// sqrt(1 + tau² W2) with the estimated tau², found with the true tau² replaced by its estimate, and with Q
/// given b taken as gamma with its exact conditional mean and variance.
///
/// ```
/// use armwise::meta_analysis::henmi_copas;
///
/// let pooled = henmi_copas(&[0.1, 0.2, 0.6], &[0.01, 0.02, 0.01], 0.95)?;
/// assert!(pooled.interval.contains(pooled.estimate));
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::InsufficientStudies`](crate::ErrorKind::InsufficientStudies) for fewer than two studies; else
/// as [`CommonEffect::pool`](super::CommonEffect::pool).
pub fn henmi_copas(yi: &[f64], vi: &[f64], level: f64) -> Result<HenmiCopas> {
    check_level(level)?;
    check_data(yi, vi, yi.len())?;
    if yi.len() < 2 {
        return Err(too_few("the Henmi-Copas interval"));
    }
    let pool = super::CommonEffect::new().pool(yi, vi)?;
    let free = yi.len() as f64 - 1.0;
    let (weights, total) = (&pool.weights, 1.0 / (pool.se * pool.se));
    // In units of W1, so that weights are shares: tau² W1 takes the place of tau².
    let w2: f64 = weights.iter().map(|w| w * w).sum();
    let rest: f64 = (0..weights.len())
        .map(|i| weights[i] * weights[..i].iter().chain(&weights[i + 1..]).sum::<f64>())
        .sum();
    let tau2 = ((pool.q.statistic - free) / rest).max(0.0);
    let reference = HenmiCopasReference::new(weights, w2, rest, tau2);
    let se = pool.se * reference.ratio.sqrt();
    let half = reference.upper_quantile(0.5 * (1.0 - level)) * se;
    Ok(HenmiCopas {
        estimate: pool.estimate,
        se,
        tau2: tau2 / total,
        interval: Interval::between(pool.estimate - half, pool.estimate + half),
        level,
        reference,
    })
}

/// The distribution of `(b - mu)/se` with the estimated tau²: moments of Q given the standardised estimate,
/// weights adding up to 1, tau² in units of 1/W1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HenmiCopasReference {
    free: f64,
    /// 1 + tau² W2.
    ratio: f64,
    /// (W1 - W2)/W2: how Q must rise for tau² to rise.
    slope: f64,
    mean: f64,
    variance: f64,
    /// c'Ac and c'ASAc, c the covariance of y with the estimate, A the matrix of Q, S = diag(v + tau²).
    cac: f64,
    casac: f64,
}

impl HenmiCopasReference {
    fn new(weights: &[f64], w2: f64, rest: f64, tau2: f64) -> Self {
        let free = weights.len() as f64 - 1.0;
        // Aw = w (w - W2); the sums are tr(AA), w'AVAw and w'AAw. Differences are taken as sums over the
        // other studies, so that nothing cancels where one study dominates.
        let (mut trace_aa, mut spread, mut heavier) = (0.0, 0.0, 0.0);
        for (i, w) in weights.iter().enumerate() {
            let others = || weights[..i].iter().chain(&weights[i + 1..]);
            let complement: f64 = others().sum();
            let squares: f64 = others().map(|w| w * w).sum();
            let excess = w * complement - squares;
            trace_aa += w * w * (complement * complement + squares);
            spread += w * excess * excess;
            heavier += w * w * excess * excess;
        }
        Self {
            free,
            ratio: 1.0 + tau2 * w2,
            slope: rest / w2,
            mean: free + tau2 * rest,
            variance: 2.0 * (free + 2.0 * tau2 * rest + tau2 * tau2 * trace_aa),
            cac: tau2 * tau2 * spread,
            casac: tau2 * tau2 * (spread + tau2 * heavier),
        }
    }

    /// P(Q <= q) given that the estimate lies z standard errors above the mean.
    fn q_below(&self, q: f64, z: f64) -> f64 {
        let square = z * z / self.ratio;
        let mean = self.mean + self.cac * (square - 1.0 / self.ratio);
        let tangent = self.casac - self.cac * self.cac / self.ratio;
        let variance = self.variance - 4.0 * self.casac / self.ratio
            + 2.0 * (self.cac / self.ratio).powi(2)
            + 4.0 * square * tangent;
        if mean <= 0.0 || variance <= 0.0 || variance.is_nan() {
            // Rounding: no spread is left.
            return if q >= mean { 1.0 } else { 0.0 };
        }
        // A gamma with shape a and scale s is s/2 times chi-squared with 2a degrees of freedom.
        let df = 2.0 * mean * mean / variance;
        ChiSquared::new(df).map_or(0.0, |gamma| gamma.cdf(2.0 * q * mean / variance))
    }

    /// Refuses moments that no estimates have.
    pub(crate) fn check(&self) -> Result<()> {
        let Self { free, ratio, slope, mean, variance, cac, casac } = *self;
        let finite =
            [free, ratio, slope, mean, variance, cac, casac].iter().all(|x| x.is_finite() && *x >= 0.0);
        if finite && free >= 1.0 && ratio >= 1.0 {
            return Ok(());
        }
        Err(Error::invalid(format!("no estimates have the moments {self:?} of Q; pool them again")))
    }

    /// P(X > x) for x of zero or more.
    pub(crate) fn sf(&self, x: f64) -> f64 {
        self.upper_tail(x / self.ratio.sqrt())
    }

    /// The x with P(X > x) = tail, a tail of at most a half.
    pub(crate) fn upper_quantile(&self, tail: f64) -> f64 {
        let excess = |t: f64| self.upper_tail(t) - tail;
        let mut high = 2.0;
        while excess(high) > 0.0 && high < 1e9 {
            high *= 2.0;
        }
        root(excess, 0.0, high) * self.ratio.sqrt()
    }

    /// P(z > t f) with f = sqrt(1 + tau² W2) at the estimated tau², over its value at the given tau².
    fn upper_tail(&self, t: f64) -> f64 {
        if t <= 0.0 {
            return 0.5;
        }
        let integrand = |z: f64| {
            let f2 = (z / t) * (z / t);
            self.q_below(self.free + self.slope * (f2 - 1.0), z) * Normal.pdf(z)
        };
        // Beyond 38 standard errors the density is below the smallest number.
        let reach = (t + 12.0).max(2.0 * t).min(39.0);
        if t >= reach { 0.0 } else { panels(&integrand, t, reach) }
    }
}

/// The integral by Gauss-Legendre rules on panels that are halved until the halves agree.
fn panels(f: &impl Fn(f64) -> f64, low: f64, high: f64) -> f64 {
    let mut total = 0.0;
    let mut open = vec![Panel { low, high, value: gauss(f, low, high), depth: 0 }];
    while let Some(panel) = open.pop() {
        let middle = 0.5 * (panel.low + panel.high);
        let halves = [(panel.low, middle), (middle, panel.high)].map(|(low, high)| Panel {
            low,
            high,
            value: gauss(f, low, high),
            depth: panel.depth + 1,
        });
        let sum = halves[0].value + halves[1].value;
        if (sum - panel.value).abs() <= 1e-14 || panel.depth >= 40 {
            total += sum;
        } else {
            open.extend(halves);
        }
    }
    total
}

struct Panel {
    low: f64,
    high: f64,
    value: f64,
    depth: u32,
}

/// Gauss-Legendre with ten points (Abramowitz & Stegun 25.4.30).
fn gauss(f: &impl Fn(f64) -> f64, low: f64, high: f64) -> f64 {
    const POINTS: [(f64, f64); 5] = [
        (0.148_874_338_981_631_2, 0.295_524_224_714_752_9),
        (0.433_395_394_129_247_2, 0.269_266_719_309_996_35),
        (0.679_409_568_299_024_4, 0.219_086_362_515_982_04),
        (0.865_063_366_688_984_5, 0.149_451_349_150_580_6),
        (0.973_906_528_517_171_7, 0.066_671_344_308_688_14),
    ];
    let (centre, half) = (0.5 * (low + high), 0.5 * (high - low));
    half * POINTS
        .iter()
        .map(|(x, weight)| weight * (f(centre - half * x) + f(centre + half * x)))
        .sum::<f64>()
}
