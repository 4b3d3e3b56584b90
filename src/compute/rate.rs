//! Rates, events per unit of exposure, and their differences and ratios: exact, mid-p and score intervals.
//!
//! Events come independently of each other, so that their number in a given exposure is Poisson. For counts
//! that vary more between people: the robust variance of [`RatioOfRates`](crate::estimator::RatioOfRates).
//!
//! ```
//! use armwise::rate::{Rate, RateInterval, RateRatioInterval, TwoRates};
//!
//! let rate = Rate::new(0, 5.0)?;
//! let interval = rate.interval(RateInterval::Exact, 0.95)?;
//! assert!(interval.lower() == 0.0 && (interval.upper() - 3.689 / 5.0).abs() < 1e-4);
//! let ratio = TwoRates::new(rate, Rate::new(9, 5.0)?)
//!     .ratio_interval(RateRatioInterval::ExactConditional, 0.95)?;
//! assert!(ratio.lower() == 0.0 && ratio.upper() < 0.6);
//! # Ok::<(), armwise::Error>(())
//! ```

use super::distribution::{Binomial, ChiSquared, Poisson};
use super::interval::Interval;
use super::proportion::{OneSided, Proportion, SingleInterval};
use super::reference_distribution::ReferenceDistribution;
use super::roots::root;
use crate::error::{Error, Result, counted, number};
use serde::{Deserialize, Serialize};

/// Events in an exposure, such as person-time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RateWire")]
pub struct Rate {
    events: u64,
    exposure: f64,
}

#[derive(Deserialize)]
struct RateWire {
    events: u64,
    exposure: f64,
}

impl TryFrom<RateWire> for Rate {
    type Error = Error;

    fn try_from(wire: RateWire) -> Result<Self> {
        Self::new(wire.events, wire.exposure)
    }
}

/// Intervals of one rate: `x` events in the exposure `t`, `z` the normal quantile, `a` the error on either
/// side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RateInterval {
    /// Exact: the rates at which `x` has a tail probability of at least `a`, halves of chi-squared quantiles
    /// with `2 x` and `2 x + 2` degrees of freedom over `t`. Garwood (1936, Biometrika 28:437).
    Exact,
    /// The same with half the probability of `x`. Lancaster (1961, JASA 56:223).
    MidP,
    /// The rates that the score test does not reject, `(x + z^2/2 -/+ z sqrt(x + z^2/4)) / t`. Rao (1948).
    Score,
}

/// Intervals of a difference of two rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RateDifferenceInterval {
    /// The differences `d` that the score test does not reject:
    /// `z = (x1/t1 - x0/t0 - d) / sqrt(r1/t1 + r0/t0)` with the maximum likelihood estimates `r1 = r0 + d`
    /// under that difference. Miettinen & Nurminen (1985, Statistics in Medicine 4:213), section 4.
    Score,
}

/// Intervals of a ratio of two rates, given the sum `m = x1 + x0` of the events: `x1` is then binomial with
/// the probability `p = R t1 / (R t1 + t0)` at the ratio `R`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RateRatioInterval {
    /// Exact: that of Clopper and Pearson for `p`. Przyborowski & Wilenski (1940, Biometrika 31:313).
    ExactConditional,
    /// The same with half the probability of `x1`. Rothman, Greenland & Lash (2008), Modern Epidemiology,
    /// chapter 14.
    MidP,
    /// The ratios that the score test does not reject: that of Wilson for `p`. Miettinen & Nurminen (1985).
    Score,
}

/// An interval method for an effect of two rates: on the scale of the difference, or of the logarithm of the
/// ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RateContrastInterval {
    /// Of a difference in rates.
    Difference(RateDifferenceInterval),
    /// Of the logarithm of a ratio of rates.
    Ratio(RateRatioInterval),
}

/// The rates of a treatment and of a control.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TwoRates {
    /// The treatment.
    pub treatment: Rate,
    /// The control.
    pub control: Rate,
}

impl Rate {
    /// Events in an exposure.
    ///
    /// # Errors
    /// `invalid_input` where the exposure is not above zero and finite, or there are more than 2^53 events.
    pub fn new(events: u64, exposure: f64) -> Result<Self> {
        if events <= 1 << 53 && exposure > 0.0 && exposure.is_finite() {
            return Ok(Self { events, exposure });
        }
        Err(Error::invalid(format!(
            "{events} in an exposure of {}; give at most 2^53 events, and an exposure above zero",
            number(exposure),
            events = counted(events, "event")
        )))
    }

    /// The number of events.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The exposure.
    pub fn exposure(&self) -> f64 {
        self.exposure
    }

    /// Events per unit of exposure.
    pub fn estimate(&self) -> f64 {
        self.events as f64 / self.exposure
    }

    /// A confidence interval of the rate; `level` between 0 and 1, as 0.95.
    ///
    /// # Errors
    /// `invalid_input` for a level outside (0, 1).
    pub fn interval(&self, method: RateInterval, level: f64) -> Result<Interval> {
        let z = ReferenceDistribution::Normal.critical(level)?;
        let (x, tail) = (self.events as f64, 0.5 * (1.0 - level));
        let mean = match method {
            RateInterval::Exact => {
                let half = |df: f64, p: f64| -> Result<f64> { Ok(0.5 * ChiSquared::new(df)?.quantile(p)) };
                let lower = if self.events == 0 { 0.0 } else { half(2.0 * x, tail)? };
                Interval::between(lower, 0.5 * ChiSquared::new(2.0 * x + 2.0)?.upper_quantile(tail))
            }
            RateInterval::MidP => {
                let exact = self.interval(RateInterval::Exact, level)?.map(|limit| limit * self.exposure);
                // Of the mean: the tail less half the probability of what was seen.
                let above = |mean: f64| {
                    Poisson::new(mean).map_or(0.0, |law| law.sf(self.events) + 0.5 * law.pmf(self.events))
                };
                let lower =
                    if self.events == 0 { 0.0 } else { root(|mean| above(mean) - tail, exact.lower(), x) };
                let upper = root(|mean| (1.0 - above(mean)) - tail, x.max(1e-300), exact.upper());
                Interval::between(lower, upper)
            }
            RateInterval::Score => {
                let (centre, half) = (x + 0.5 * z * z, z * (x + 0.25 * z * z).sqrt());
                // The product of the limits is x squared.
                Interval::between(x * x / (centre + half), centre + half)
            }
        };
        Ok(mean.map(|limit| limit / self.exposure))
    }
}

impl TwoRates {
    /// The rates of a treatment and of a control.
    pub fn new(treatment: Rate, control: Rate) -> Self {
        Self { treatment, control }
    }

    /// A confidence interval of the difference of the rates; `level` between 0 and 1, as 0.95.
    ///
    /// # Errors
    /// `invalid_input` for a level outside (0, 1).
    ///
    /// # Examples
    /// ```
    /// use armwise::rate::{Rate, RateDifferenceInterval, TwoRates};
    ///
    /// // Nobody had an event in 5 and in 6 years: the rates may still differ.
    /// let none = TwoRates::new(Rate::new(0, 5.0)?, Rate::new(0, 6.0)?);
    /// let interval = none.difference_interval(RateDifferenceInterval::Score, 0.95)?;
    /// assert!(
    ///     (interval.upper() - 3.8415 / 5.0).abs() < 1e-4
    ///         && (interval.lower() + 3.8415 / 6.0).abs() < 1e-4
    /// );
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn difference_interval(&self, method: RateDifferenceInterval, level: f64) -> Result<Interval> {
        self.limits(RateContrastInterval::Difference(method), level)
    }

    /// A confidence interval of the ratio of the rates; `level` between 0 and 1, as 0.95. The upper limit is
    /// infinite without events in the control, the lower one 0 without events in the treatment.
    ///
    /// # Errors
    /// `invalid_input` for a level outside (0, 1).
    ///
    /// # Examples
    /// ```
    /// use armwise::rate::{Rate, RateRatioInterval, TwoRates};
    ///
    /// // Rothman, Greenland & Lash (2008), table 14-1: breast cancer after fluoroscopy,
    /// // 41 in 28,010 and 15 in 19,017 years.
    /// let two = TwoRates::new(Rate::new(41, 28_010.0)?, Rate::new(15, 19_017.0)?);
    /// let exact = two.ratio_interval(RateRatioInterval::ExactConditional, 0.9)?;
    /// assert!(exact.lower() > 1.0 && exact.upper() > 3.0);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn ratio_interval(&self, method: RateRatioInterval, level: f64) -> Result<Interval> {
        self.limits(RateContrastInterval::Ratio(method), level).map(|logs| logs.map(f64::exp))
    }

    /// The limits on the scale of the method.
    pub(crate) fn limits(&self, method: RateContrastInterval, level: f64) -> Result<Interval> {
        let z = ReferenceDistribution::Normal.critical(level)?;
        let method = match method {
            RateContrastInterval::Difference(RateDifferenceInterval::Score) => {
                return Ok(Interval::between(
                    -self.swapped().largest_difference(z),
                    self.largest_difference(z),
                ));
            }
            RateContrastInterval::Ratio(method) => method,
        };
        let (x1, x0) = (self.treatment.events, self.control.events);
        if x1 + x0 == 0 {
            return Interval::new(f64::NEG_INFINITY, f64::INFINITY);
        }
        let share = Proportion::new(x1, x1 + x0)?.interval(
            match method {
                RateRatioInterval::ExactConditional => SingleInterval::ClopperPearson,
                RateRatioInterval::MidP => SingleInterval::MidP,
                RateRatioInterval::Score => SingleInterval::Wilson,
            },
            level,
        )?;
        let logarithm = |p: f64| match p {
            p if p <= 0.0 => f64::NEG_INFINITY,
            p if p >= 1.0 => f64::INFINITY,
            p => libm::log(p / (1.0 - p)) - self.log_exposure_ratio(),
        };
        // Wilson's limits of nobody and of everybody are 0 and 1 but for rounding.
        let lower = if x1 == 0 { f64::NEG_INFINITY } else { logarithm(share.lower()) };
        let upper = if x0 == 0 { f64::INFINITY } else { logarithm(share.upper()) };
        Interval::new(lower, upper)
    }

    /// The crude effect and its Poisson standard error on the scale of the method; `None` where it is
    /// infinite or undefined.
    pub(crate) fn effect(&self, method: RateContrastInterval) -> Option<(f64, f64)> {
        let Self { treatment, control } = self;
        let variance = |rate: &Rate| rate.estimate() / rate.exposure;
        match method {
            RateContrastInterval::Difference(_) => Some((
                treatment.estimate() - control.estimate(),
                (variance(treatment) + variance(control)).sqrt(),
            )),
            RateContrastInterval::Ratio(_) => {
                let (x1, x0) = (treatment.events as f64, control.events as f64);
                let value = libm::log(treatment.estimate()) - libm::log(control.estimate());
                (x1 > 0.0 && x0 > 0.0).then(|| (value, (1.0 / x1 + 1.0 / x0).sqrt()))
            }
        }
    }

    /// The one-sided p-values of an effect `bound` on the scale of the method.
    pub(crate) fn one_sided(&self, method: RateContrastInterval, bound: f64) -> Result<OneSided> {
        let method = match method {
            RateContrastInterval::Difference(RateDifferenceInterval::Score) => {
                return Ok(OneSided::of_deviate(self.deviate(bound)));
            }
            RateContrastInterval::Ratio(method) => method,
        };
        let (x1, m) = (self.treatment.events, self.treatment.events + self.control.events);
        if m == 0 {
            return Ok(OneSided { above: 1.0, below: 1.0 });
        }
        let p = 1.0 / (1.0 + libm::exp(-(bound + self.log_exposure_ratio())));
        let weight = match method {
            RateRatioInterval::Score => {
                let expected = m as f64 * p;
                let distance = x1 as f64 - expected;
                let z = if distance == 0.0 { 0.0 } else { distance / (expected * (1.0 - p)).sqrt() };
                return Ok(OneSided::of_deviate(z));
            }
            RateRatioInterval::ExactConditional => 1.0,
            RateRatioInterval::MidP => 0.5,
        };
        let law = Binomial::new(m, p)?;
        let (at, above) = (law.pmf(x1), law.sf(x1));
        let below = if x1 == 0 { 0.0 } else { law.cdf(x1 - 1) };
        Ok(OneSided { above: (above + weight * at).min(1.0), below: (below + weight * at).min(1.0) })
    }

    fn swapped(&self) -> Self {
        Self { treatment: self.control, control: self.treatment }
    }

    fn log_exposure_ratio(&self) -> f64 {
        libm::log(self.treatment.exposure) - libm::log(self.control.exposure)
    }

    /// The signed score statistic of a difference `d`.
    fn deviate(&self, d: f64) -> f64 {
        if d.is_infinite() {
            return -d;
        }
        let (t1, t0) = (self.treatment.exposure, self.control.exposure);
        let distance = (self.treatment.estimate() - self.control.estimate()) - d;
        if distance == 0.0 {
            return 0.0;
        }
        let (r1, r0) = self.constrained(d);
        distance / (r1 / t1 + r0 / t0).sqrt()
    }

    /// The maximum likelihood estimates of both rates under a difference `d`: with the smaller rate `r` and
    /// `d >= 0` the larger root of `t r^2 + (t d - m) r - x d = 0`, `t` the exposures and `m` the events
    /// together, `x` the events at the smaller rate.
    pub(crate) fn constrained(&self, d: f64) -> (f64, f64) {
        let (t, m) = (
            self.treatment.exposure + self.control.exposure,
            (self.treatment.events + self.control.events) as f64,
        );
        let x = if d >= 0.0 { self.control.events } else { self.treatment.events } as f64;
        let size = d.abs();
        let b = t * size - m;
        let root = (b * b + 4.0 * t * x * size).sqrt();
        // No digits cancel.
        let smaller = if b <= 0.0 {
            (root - b) / (2.0 * t)
        } else if x == 0.0 {
            0.0
        } else {
            2.0 * x * size / (root + b)
        };
        if d >= 0.0 { (smaller + size, smaller) } else { (smaller, smaller + size) }
    }

    /// The largest difference whose score is not below `-z`.
    fn largest_difference(&self, z: f64) -> f64 {
        let estimate = self.treatment.estimate() - self.control.estimate();
        let unit = (self.treatment.estimate() / self.treatment.exposure
            + self.control.estimate() / self.control.exposure)
            .sqrt()
            .max(1.0 / self.treatment.exposure.min(self.control.exposure));
        let mut step = z * unit;
        for _ in 0..200 {
            if self.deviate(estimate + step) <= -z {
                return root(|d| self.deviate(d) + z, estimate, estimate + step);
            }
            step *= 2.0;
        }
        f64::INFINITY
    }
}
