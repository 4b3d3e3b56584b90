//! One proportion: its intervals and tests.

use super::discrete::Unimodal;
use super::{Critical, Proportion};
use crate::compute::distribution::Beta;
use crate::compute::hypothesis::{PValues, SignedTest};
use crate::compute::interval::Interval;
use crate::compute::roots::root;
use crate::error::{Error, ErrorKind, Result};

/// Intervals of one proportion.
///
/// Symbols: `x` events of `n`, `y = n - x`, `p = x/n`, `q = 1 - p`, `z` the normal quantile of the level, `a`
/// its error on either side. Brown, Cai & `DasGupta` (2001, Statistical Science 16:101-133) compare most of
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SingleInterval {
    /// `p -/+ z sqrt(p q / n)`; not truncated to [0, 1].
    Wald,
    /// The proportions that the score test does not reject,
    /// `(p + z^2/2n -/+ z sqrt(p q/n + z^2/4n^2)) / (1 + z^2/n)`. Wilson (1927, JASA 22:209-212).
    Wilson,
    /// Wilson's with continuity correction, truncated to [0, 1]. Newcombe (1998a, Statistics in Medicine
    /// 17:857-872), method 4.
    WilsonContinuity,
    /// Exact: the proportions at which `x` has a tail probability of at least `a`. Clopper & Pearson (1934,
    /// Biometrika 26:404-413).
    ClopperPearson,
    /// The same with half the probability of `x`. Berry & Armitage (1995, The Statistician 44:417-423).
    MidP,
    /// Wald's with `z^2/2` added to events and non-events; not truncated, need not be centred at `p`. Agresti
    /// & Coull (1998, American Statistician 52:119-126).
    AgrestiCoull,
    /// The quantiles `a` and `1 - a` of Beta(x + 1/2, y + 1/2). Does not contain `p` where `x` or `y` is 0.
    Jeffreys,
    /// The same with the lower limit 0 where `x = 0` and the upper limit 1 where `y = 0`. Brown, Cai &
    /// `DasGupta` (2001).
    JeffreysModified,
    /// `expit(ln(x/y) -/+ z sqrt(1/x + 1/y))`; needs events and non-events.
    Logit,
}

impl Proportion {
    /// A confidence interval of the proportion; `level` between 0 and 1, as 0.95.
    ///
    /// # Errors
    /// `invalid_input` for a level outside (0, 1); `not_estimable` for [`SingleInterval::Logit`] without
    /// events or without non-events.
    ///
    /// # Examples
    /// ```
    /// use armwise::proportion::{Proportion, SingleInterval};
    ///
    /// // Newcombe (1998a), table I: 15 of 148
    /// let interval = Proportion::new(15, 148)?.interval(SingleInterval::Wilson, 0.95)?;
    /// assert!(
    ///     (interval.lower() - 0.0624).abs() < 5e-5 && (interval.upper() - 0.1605).abs() < 5e-5
    /// );
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn interval(&self, method: SingleInterval, level: f64) -> Result<Interval> {
        let critical = Critical::new(level)?;
        let (z, tail) = (critical.z, critical.tail);
        let (x, y) = (self.events as f64, self.nonevents() as f64);
        let p = self.estimate();
        match method {
            SingleInterval::Wald => Ok(Interval::between(p - z * self.se(), p + z * self.se())),
            SingleInterval::Wilson => Ok(wilson(x, y, z)),
            SingleInterval::WilsonContinuity => Ok(wilson_continuity(x, y, z)),
            SingleInterval::ClopperPearson => clopper_pearson(x, y, tail),
            SingleInterval::MidP => mid_p(x, y, tail),
            SingleInterval::AgrestiCoull => {
                let n = x + y + z * z;
                let centre = (x + 0.5 * z * z) / n;
                let half = z * (centre * ((y + 0.5 * z * z) / n) / n).sqrt();
                Ok(Interval::between(centre - half, centre + half))
            }
            SingleInterval::Jeffreys => jeffreys(x, y, tail),
            SingleInterval::JeffreysModified => {
                let interval = jeffreys(x, y, tail)?;
                let lower = if x == 0.0 { 0.0 } else { interval.lower() };
                Ok(Interval::between(lower, if y == 0.0 { 1.0 } else { interval.upper() }))
            }
            SingleInterval::Logit => {
                if x == 0.0 || y == 0.0 {
                    return Err(ErrorKind::NotEstimable(
                        "without events or without non-events the logit has no standard error; use Wilson's interval"
                            .into(),
                    )
                    .into());
                }
                let factor = (z * (1.0 / x + 1.0 / y).sqrt()).exp();
                Ok(Interval::between(x / (x + y * factor), x * factor / (x * factor + y)))
            }
        }
    }

    /// The exact binomial test of the proportion `null`, `0 < null < 1`. The two-sided p-value sums the
    /// outcomes no more likely than the observed one (ties with relative tolerance 1e-7), as R's `binom.test`
    /// does.
    ///
    /// # Errors
    /// `invalid_input` for a null proportion outside (0, 1).
    pub fn binomial_test(&self, null: f64) -> Result<PValues> {
        check_null(null)?;
        let distribution = binomial(self.n as f64, null);
        let tails = distribution.tails(self.events as f64);
        Ok(PValues {
            less: (tails.below + tails.at).min(1.0),
            greater: (tails.above + tails.at).min(1.0),
            two_sided: distribution.minlike(self.events as f64).no_more_likely,
        })
    }

    /// The score test of the proportion `null`, `0 < null < 1`: `z = (p - null) / sqrt(null (1 - null) / n)`.
    ///
    /// # Errors
    /// `invalid_input` for a null proportion outside (0, 1).
    pub fn score_test(&self, null: f64) -> Result<SignedTest> {
        check_null(null)?;
        let statistic = (self.estimate() - null) / (null * (1.0 - null) / self.n as f64).sqrt();
        Ok(SignedTest::normal(statistic))
    }
}

fn check_null(null: f64) -> Result<()> {
    if null > 0.0 && null < 1.0 {
        Ok(())
    } else {
        Err(Error::invalid(format!("the proportion tested lies between 0 and 1, but {null} was given")))
    }
}

/// The binomial distribution, `0 < p < 1`.
pub(super) fn binomial(n: f64, p: f64) -> Unimodal<impl Fn(f64) -> f64> {
    let odds = p / (1.0 - p);
    Unimodal {
        low: 0.0,
        high: n,
        mode: ((n + 1.0) * p).floor().clamp(0.0, n),
        sd: (n * p * (1.0 - p)).sqrt(),
        ratio: move |k: f64| odds * ((n - k) / (k + 1.0)),
    }
}

fn clopper_pearson(x: f64, y: f64, tail: f64) -> Result<Interval> {
    let lower = if x == 0.0 { 0.0 } else { Beta::new(x, y + 1.0)?.quantile(tail) };
    let upper = if y == 0.0 { 1.0 } else { Beta::new(x + 1.0, y)?.upper_quantile(tail) };
    Ok(Interval::between(lower, upper))
}

fn jeffreys(x: f64, y: f64, tail: f64) -> Result<Interval> {
    let posterior = Beta::new(x + 0.5, y + 0.5)?;
    Ok(Interval::between(posterior.quantile(tail), posterior.upper_quantile(tail)))
}

/// Half the observed outcome counted is the mean of the tails with and without it. The limits lie within
/// Clopper and Pearson's.
fn mid_p(x: f64, y: f64, tail: f64) -> Result<Interval> {
    let exact = clopper_pearson(x, y, tail)?;
    let p = x / (x + y);
    let lower = match (x, y) {
        (0.0, _) => 0.0,
        (_, 0.0) => (2.0 * tail).powf(1.0 / x),
        _ => {
            let (with, without) = (Beta::new(x, y + 1.0)?, Beta::new(x + 1.0, y)?);
            root(|p| 0.5 * (with.cdf(p) + without.cdf(p)) - tail, exact.lower(), p)
        }
    };
    let upper = match (x, y) {
        (_, 0.0) => 1.0,
        (0.0, _) => -((2.0 * tail).ln() / y).exp_m1(),
        _ => {
            let (with, without) = (Beta::new(x + 1.0, y)?, Beta::new(x, y + 1.0)?);
            root(|p| 0.5 * (with.sf(p) + without.sf(p)) - tail, p, exact.upper())
        }
    };
    Ok(Interval::between(lower, upper))
}

/// Wilson's limits for `x` events and `y` non-events.
pub(super) fn wilson(x: f64, y: f64, z: f64) -> Interval {
    let (n, z2) = (x + y, z * z);
    let sum = 2.0 * x + z2 + z * (z2 + 4.0 * x * (y / n)).sqrt();
    // The roots of (n + z2) p^2 - (2 x + z2) p + x^2/n, the smaller one without cancellation.
    let lower = 2.0 * x * (x / n) / sum;
    Interval::between(lower, if y == 0.0 { 1.0 } else { sum / (2.0 * (n + z2)) })
}

/// Wilson's limits with continuity correction, truncated to [0, 1].
pub(super) fn wilson_continuity(x: f64, y: f64, z: f64) -> Interval {
    let (n, z2) = (x + y, z * z);
    let p = x / n;
    let limit = |sign: f64, of_nonevents: f64| {
        let root = (z2 + sign * 2.0 - 1.0 / n + 4.0 * p * of_nonevents).max(0.0).sqrt();
        (2.0 * x + z2 + sign * (1.0 + z * root)) / (2.0 * (n + z2))
    };
    let lower = if x == 0.0 { 0.0 } else { limit(-1.0, y + 1.0).max(0.0) };
    Interval::between(lower, if y == 0.0 { 1.0 } else { limit(1.0, y - 1.0).min(1.0) })
}
