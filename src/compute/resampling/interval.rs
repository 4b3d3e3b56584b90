use super::distribution::{BootstrapDistribution, QuantileRule};
use crate::compute::distribution::Normal;
use crate::compute::interval::Interval;
use crate::compute::proportion::OneSided;
use crate::compute::reference_distribution::upper_tail;
use crate::error::{Error, Result, counted};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How an interval is made from replicates.
///
/// `t` is the estimate, `q` the quantile of the replicates, `a = (1 - level) / 2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BootstrapInterval {
    /// `q(a)` to `q(1 - a)`.
    Percentile,
    /// `2 t - q(1 - a)` to `2 t - q(a)`: percentiles of the error.
    Basic,
    /// `t` plus and minus normal quantiles of bootstrap standard errors.
    Normal,
    /// The same around `t` less the bootstrap bias.
    NormalBiasCorrected,
    /// Bias-corrected and accelerated: percentiles at levels that are corrected for median bias, the
    /// probability of a replicate strictly below `t`, and for skewness (Efron 1987).
    Bca,
    /// The same with half of the replicates that are equal to `t` below it.
    BcaHalfTies,
    /// `t - se q(1 - a)` to `t - se q(a)` with the quantiles of `(T* - t) / se*`.
    Studentized,
}

impl fmt::Display for BootstrapInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Percentile => "bootstrap percentile",
            Self::Basic => "basic bootstrap",
            Self::Normal => "bootstrap normal",
            Self::NormalBiasCorrected => "bootstrap normal, bias-corrected",
            Self::Bca => "bootstrap BCa",
            Self::BcaHalfTies => "bootstrap BCa with half of ties",
            Self::Studentized => "studentised bootstrap",
        })
    }
}

/// The confidence curve of a bootstrap interval: limits at any level, and p-values of any effect, from the
/// same replicates.
///
/// # Formula
/// The p-value of the hypothesis that the effect is `b` or less is the probability `a` at which the lower
/// limit of the interval at level `1 - 2 a` is `b`. It is never below `1 / (B + 1)`, and a level that would
/// need a smaller one is an error.
///
/// # Examples
/// ```
/// use armwise::resampling::{BootstrapDistribution, BootstrapInterval, QuantileRule};
///
/// let replicates: Vec<Option<f64>> = (1..=99).map(|i| Some(f64::from(i))).collect();
/// let curve = BootstrapDistribution::drawn(50.0, &replicates)?.curve(
///     BootstrapInterval::Percentile,
///     QuantileRule::NormalScale,
///     0.0,
/// )?;
/// let interval = curve.interval(0.90)?;
/// assert_eq!((interval.lower(), interval.upper()), (5.0, 95.0));
/// assert!((curve.p_above(5.0) - 0.05).abs() < 1e-12);
/// assert!(curve.interval(0.99).is_err());
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Efron (1987), Journal of the American Statistical Association 82:171. Davison & Hinkley (1997), Bootstrap
/// Methods and their Application, chapter 5.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct BootstrapCurve {
    interval: BootstrapInterval,
    rule: QuantileRule,
    /// Of the effect; of `(T* - t) / se*` around 0 where it is studentised.
    distribution: BootstrapDistribution,
    estimate: f64,
    /// The standard error of the estimate where it is studentised, else that of the bootstrap.
    se: f64,
    acceleration: f64,
}

checked!(BootstrapCurve);

impl BootstrapCurve {
    pub(super) fn new(
        distribution: BootstrapDistribution,
        interval: BootstrapInterval,
        rule: QuantileRule,
        acceleration: f64,
    ) -> Result<Self> {
        if interval == BootstrapInterval::Studentized {
            return Err(Error::invalid(
                "a studentised interval needs the standard error of each replicate; use BootstrapCurve::studentized",
            ));
        }
        let (estimate, se) = (distribution.estimate(), distribution.se());
        let made = Self { interval, rule, distribution, estimate, se, acceleration };
        made.check()?;
        Ok(made)
    }

    /// The curve from the distribution of `(T* - t) / se*`, whose own estimate is 0.
    ///
    /// # Errors
    /// A standard error that is not positive and finite, or a distribution around another value than 0.
    pub fn studentized(
        estimate: f64,
        se: f64,
        statistics: BootstrapDistribution,
        rule: QuantileRule,
    ) -> Result<Self> {
        let interval = BootstrapInterval::Studentized;
        let made = Self { interval, rule, distribution: statistics, estimate, se, acceleration: 0.0 };
        made.check()?;
        Ok(made)
    }

    pub(crate) fn check(&self) -> Result<()> {
        self.distribution.check()?;
        let studentized = self.interval == BootstrapInterval::Studentized;
        let own = if studentized { 0.0 } else { self.estimate };
        let positive = self.se > 0.0 || (self.se == 0.0 && !studentized);
        let sound = self.estimate.is_finite() && self.se.is_finite() && self.acceleration.is_finite();
        let near = studentized || (self.se - self.distribution.se()).abs() <= 1e-9 * self.se;
        if !sound || !positive || !near || self.distribution.estimate() != own {
            return Err(Error::invalid(format!(
                "a bootstrap around {} with standard error {} and acceleration {} cannot have these replicates; give those of this estimate",
                self.estimate, self.se, self.acceleration
            )));
        }
        if self.is_bca() { self.distribution.z0(self.interval).map(drop) } else { Ok(()) }
    }

    fn is_bca(&self) -> bool {
        matches!(self.interval, BootstrapInterval::Bca | BootstrapInterval::BcaHalfTies)
    }

    /// The kind of interval.
    pub fn kind(&self) -> BootstrapInterval {
        self.interval
    }

    /// The replicates: of the effect, and of `(T* - t) / se*` where the interval is studentised.
    pub fn distribution(&self) -> &BootstrapDistribution {
        &self.distribution
    }

    /// The estimate.
    pub fn estimate(&self) -> f64 {
        self.estimate
    }

    /// Its standard error: that of the bootstrap, and where the interval is studentised that of the sample.
    pub fn se(&self) -> f64 {
        self.se
    }

    /// The probabilities of the replicates' quantiles that make the interval: `a` and `1 - a`, corrected for
    /// BCa.
    ///
    /// # Errors
    /// A level that is not between 0 and 1; BCa without an acceleration that fits the level.
    pub fn levels(&self, level: f64) -> Result<[f64; 2]> {
        let tail = upper_tail(level)?;
        if !self.is_bca() {
            return Ok([tail, 1.0 - tail]);
        }
        let z0 = self.distribution.z0(self.interval)?;
        let at = |z: f64| {
            let shifted = z0 + z;
            let shrunk = 1.0 - self.acceleration * shifted;
            // Beyond the pole the limit is that of an infinite quantile.
            let moved = if shrunk > 0.0 { shifted / shrunk } else { f64::INFINITY.copysign(shifted) };
            Normal.cdf(z0 + moved)
        };
        let z = Normal.upper_quantile(tail);
        Ok([at(-z), at(z)])
    }

    /// The interval at a level.
    ///
    /// # Errors
    /// A level that is not between 0 and 1, or so high that these replicates do not reach it.
    pub fn interval(&self, level: f64) -> Result<Interval> {
        let tail = upper_tail(level)?;
        let t = self.estimate;
        if let Some(centre) = self.normal_centre() {
            let half = Normal.upper_quantile(tail) * self.se;
            return Interval::new(centre - half, centre + half);
        }
        let [low, high] = self.levels(level)?;
        let least = self.distribution.least() * (1.0 - 1e-12);
        if low.min(1.0 - high).min(tail) < least {
            let needed = (1.0 / low.min(1.0 - high).min(tail)).ceil();
            let advice = match self.distribution.replicates() {
                Some(replicates) if needed < 1e7 => {
                    format!("{} do not reach so far; draw {needed} or more", counted(replicates, "replicate"))
                }
                _ => "these resamples do not reach so far".to_owned(),
            };
            return Err(Error::invalid(format!(
                "the interval at a level of {level} ends at the quantiles {low:.3e} and {high:.6} of the replicates: {advice}; or ask for a \
                 lower level"
            )));
        }
        let [low, high] = [low, high].map(|p| self.distribution.quantile(p, self.rule));
        match self.interval {
            BootstrapInterval::Basic => Interval::new(2.0 * t - high, 2.0 * t - low),
            BootstrapInterval::Studentized => Interval::new(t - high * self.se, t - low * self.se),
            _ => Interval::new(low, high),
        }
    }

    fn normal_centre(&self) -> Option<f64> {
        match self.interval {
            BootstrapInterval::Normal => Some(self.estimate),
            BootstrapInterval::NormalBiasCorrected => Some(self.estimate - self.distribution.bias()),
            _ => None,
        }
    }

    /// The p-value of the hypothesis that the effect is `bound` or less.
    pub fn p_above(&self, bound: f64) -> f64 {
        self.one_sided(bound).above
    }

    /// The p-value of the hypothesis that the effect is `bound` or more.
    pub fn p_below(&self, bound: f64) -> f64 {
        self.one_sided(bound).below
    }

    pub(crate) fn one_sided(&self, bound: f64) -> OneSided {
        if let Some(centre) = self.normal_centre() {
            let distance = centre - bound;
            let x = if distance == 0.0 { 0.0 } else { distance / self.se };
            return OneSided { above: Normal.sf(x), below: Normal.cdf(x) };
        }
        let reflected = match self.interval {
            BootstrapInterval::Basic => Some(2.0 * self.estimate - bound),
            BootstrapInterval::Studentized => Some((self.estimate - bound) / self.se),
            _ => None,
        };
        if let Some(x) = reflected {
            let (low, high) = self.distribution.levels(x, self.rule);
            return OneSided { above: 1.0 - low, below: high };
        }
        let (low, high) = self.distribution.levels(bound, self.rule);
        let least = self.distribution.least();
        let [low, high] = [low, high].map(|p| self.uncorrected(p).clamp(least, 1.0 - least));
        OneSided { above: high, below: 1.0 - low }
    }

    /// The level of the interval whose corrected level is `p`.
    fn uncorrected(&self, p: f64) -> f64 {
        if !self.is_bca() {
            return p;
        }
        let Ok(z0) = self.distribution.z0(self.interval) else { return p };
        let w = Normal.quantile(p) - z0;
        let stretched = 1.0 + self.acceleration * w;
        if stretched <= 0.0 {
            return if w > 0.0 { 1.0 } else { 0.0 };
        }
        Normal.cdf(w / stretched - z0)
    }
}
