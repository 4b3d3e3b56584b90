//! The ratio of two proportions and its intervals.

use super::score::{Cells, ratio_lower};
use super::{Critical, TwoProportions};
use crate::compute::interval::{Interval, extended};
use crate::error::{ErrorKind, Result};

/// The ratio of two proportions (risk ratio), treatment over control.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RatioOfProportions {
    /// `p1 / p0`; 0 without events in the treatment group, infinite without events in the control group.
    #[serde(with = "extended")]
    pub estimate: f64,
    /// Its logarithm, where finite.
    pub log_estimate: Option<f64>,
    /// The standard error of the logarithm, `sqrt(1/x1 - 1/n1 + 1/x0 - 1/n0)`, where finite.
    pub se_log: Option<f64>,
}

impl RatioOfProportions {
    /// The Wald interval on the log scale, `exp(log estimate -/+ z se_log)`.
    ///
    /// # Errors
    /// `invalid_input` for a level outside (0, 1); `not_estimable` where the logarithm is infinite.
    pub fn interval(&self, level: f64) -> Result<Interval> {
        log_interval(self, Critical::new(level)?.z)
    }
}

/// Intervals of a ratio of two proportions. Symbols as for [`DifferenceInterval`](super::DifferenceInterval).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RatioInterval {
    /// `exp(ln(p1/p0) -/+ z sqrt(1/x1 - 1/n1 + 1/x0 - 1/n0))`; needs events in both groups. Katz, Baptista,
    /// Azen & Pike (1978, Biometrics 34:469-474).
    Log,
    /// The same with 1/2 added to the events and to the participants of both groups, always. Walter (1975,
    /// Biometrika 62:371-374). Need not contain the observed ratio.
    Walter,
    /// The ratios that the score test, its variance `p1~ q1~ / n1 + ratio^2 p0~ q0~ / n0` at the maximum
    /// likelihood estimates under the ratio tested, does not reject. Koopman (1984, Biometrics 40:513-517).
    Koopman,
    /// Koopman's with the variance multiplied by `N/(N-1)`. Miettinen & Nurminen (1985, Statistics in
    /// Medicine 4:213-226).
    MiettinenNurminen,
}

impl TwoProportions {
    /// The ratio of the proportions.
    ///
    /// # Errors
    /// `not_estimable` where neither group has an event.
    pub fn ratio(&self) -> Result<RatioOfProportions> {
        let c = self.cells();
        if c.x1 == 0.0 && c.x0 == 0.0 {
            return Err(ErrorKind::NotEstimable(
                "neither group has an event, so that the ratio of the proportions is 0/0; \
                 use the difference, or a score interval of the ratio (0 to infinity)"
                    .into(),
            )
            .into());
        }
        let estimate = self.treatment.estimate() / self.control.estimate();
        let finite = c.x1 > 0.0 && c.x0 > 0.0;
        Ok(RatioOfProportions {
            estimate,
            log_estimate: finite.then(|| estimate.ln()),
            se_log: finite.then(|| se_log(c)),
        })
    }

    /// The ratio with 1/2 added to the events and to the participants of both groups, always (Walter 1975):
    /// `(x1 + 1/2)(n0 + 1/2) / ((n1 + 1/2)(x0 + 1/2))`, the centre of [`RatioInterval::Walter`].
    pub fn walter_ratio(&self) -> RatioOfProportions {
        let c = self.cells();
        let half = Cells { x1: c.x1 + 0.5, x0: c.x0 + 0.5, ..c };
        let estimate = (half.x1 / half.n1()) / (half.x0 / half.n0());
        RatioOfProportions { estimate, log_estimate: Some(estimate.ln()), se_log: Some(se_log(half)) }
    }

    /// A confidence interval of the ratio; `level` between 0 and 1, as 0.95. The upper limit of a score
    /// interval is infinite without events in the control group, the lower one 0 without events in the
    /// treatment group.
    ///
    /// # Errors
    /// `invalid_input` for a level outside (0, 1); `not_estimable` for [`RatioInterval::Log`] where a group
    /// has no event.
    ///
    /// # Examples
    /// ```
    /// use armwise::proportion::{Proportion, RatioInterval, TwoProportions};
    ///
    /// // Koopman (1984), section 3: 36 of 40 against 16 of 80
    /// let two = TwoProportions::new(Proportion::new(36, 40)?, Proportion::new(16, 80)?);
    /// let interval = two.ratio_interval(RatioInterval::Koopman, 0.95)?;
    /// assert!((interval.lower() - 2.94).abs() < 0.005 && (interval.upper() - 7.15).abs() < 0.005);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn ratio_interval(&self, method: RatioInterval, level: f64) -> Result<Interval> {
        self.ratio_between(method, Critical::new(level)?)
    }

    pub(super) fn ratio_between(&self, method: RatioInterval, critical: Critical) -> Result<Interval> {
        let c = self.cells();
        match method {
            RatioInterval::Log => log_interval(&self.ratio()?, critical.z),
            RatioInterval::Walter => log_interval(&self.walter_ratio(), critical.z),
            RatioInterval::Koopman => Ok(score_interval(c, critical.squared())),
            RatioInterval::MiettinenNurminen => {
                Ok(score_interval(c, critical.squared() * c.total() / (c.total() - 1.0)))
            }
        }
    }
}

/// `1/x - 1/n = y / (x n)` for both groups, free of cancellation.
fn se_log(c: Cells) -> f64 {
    (c.y1 / (c.x1 * c.n1()) + c.y0 / (c.x0 * c.n0())).sqrt()
}

fn log_interval(ratio: &RatioOfProportions, z: f64) -> Result<Interval> {
    match (ratio.log_estimate, ratio.se_log) {
        (Some(_), Some(se)) => {
            let factor = (z * se).exp();
            Ok(Interval::between(ratio.estimate / factor, ratio.estimate * factor))
        }
        _ => Err(ErrorKind::NotEstimable(
            "a group has no event, so that the logarithm of the ratio has no standard error; use a score interval".into(),
        )
        .into()),
    }
}

fn score_interval(c: Cells, k: f64) -> Interval {
    Interval::between(ratio_lower(c, k), 1.0 / ratio_lower(c.swapped(), k))
}
