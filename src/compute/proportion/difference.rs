//! The difference between two proportions and its intervals.

use super::score::{Cells, difference_lower};
use super::single::{wilson, wilson_continuity};
use super::{Critical, TwoProportions};
use crate::compute::interval::Interval;
use crate::error::Result;

/// The difference between two proportions (risk difference), treatment minus control.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DifferenceInProportions {
    /// `p1 - p0`.
    pub estimate: f64,
    /// The unpooled standard error `sqrt(p1 q1 / n1 + p0 q0 / n0)`; 0 where both groups have no events or
    /// only events.
    pub se: f64,
}

impl DifferenceInProportions {
    /// The Wald interval, estimate -/+ z se; not truncated to [-1, 1].
    ///
    /// # Errors
    /// `invalid_input` for a level outside (0, 1).
    pub fn interval(&self, level: f64) -> Result<Interval> {
        let half = Critical::new(level)?.z * self.se;
        Ok(Interval::between(self.estimate - half, self.estimate + half))
    }
}

/// Intervals of a difference between two proportions.
///
/// Symbols: `p = x/n`, `q = 1 - p`, 1 treatment, 0 control, `d = p1 - p0`, `z` the normal quantile of the
/// level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DifferenceInterval {
    /// `d -/+ z sqrt(p1 q1 / n1 + p0 q0 / n0)`; not truncated to [-1, 1]. Newcombe (1998b), method 1.
    Wald,
    /// Wald, wider by `(1/n1 + 1/n0) / 2` on either side; not truncated. Newcombe (1998b), method 2.
    WaldContinuity,
    /// Wald with one event and one non-event added to each group; not truncated. Agresti & Caffo (2000,
    /// American Statistician 54:280-288).
    AgrestiCaffo,
    /// The hybrid score interval `d - sqrt((p1 - l1)^2 + (u0 - p0)^2)` to
    /// `d + sqrt((u1 - p1)^2 + (p0 - l0)^2)` from the Wilson limits `l, u` of each group. Newcombe (1998b,
    /// Statistics in Medicine 17:873-890), method 10.
    Newcombe,
    /// The same from Wilson limits with continuity correction. Newcombe (1998b), method 11.
    NewcombeContinuity,
    /// The values that the score test with variance `N/(N-1) (p1~ q1~ / n1 + p0~ q0~ / n0)` does not reject,
    /// `p~` being the maximum likelihood estimates under the difference tested. Miettinen & Nurminen (1985,
    /// Statistics in Medicine 4:213-226).
    MiettinenNurminen,
    /// The same without the factor `N/(N-1)`. Mee (1984, Biometrics 40:1175-1176).
    Mee,
}

impl TwoProportions {
    /// The difference between the proportions with its unpooled standard error.
    pub fn difference(&self) -> DifferenceInProportions {
        DifferenceInProportions {
            estimate: self.treatment.estimate() - self.control.estimate(),
            se: (self.treatment.variance() + self.control.variance()).sqrt(),
        }
    }

    /// A confidence interval of the difference; `level` between 0 and 1, as 0.95. Defined for every table.
    ///
    /// # Errors
    /// `invalid_input` for a level outside (0, 1).
    ///
    /// # Examples
    /// ```
    /// use armwise::proportion::{DifferenceInterval, Proportion, TwoProportions};
    ///
    /// // Miettinen & Nurminen (1985): nobody has the event, and there is an interval all the same
    /// let two = TwoProportions::new(Proportion::new(0, 10)?, Proportion::new(0, 20)?);
    /// let interval = two.difference_interval(DifferenceInterval::MiettinenNurminen, 0.95)?;
    /// assert!(
    ///     (interval.lower() + 0.165760).abs() < 1e-6
    ///         && (interval.upper() - 0.284381).abs() < 1e-6
    /// );
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn difference_interval(&self, method: DifferenceInterval, level: f64) -> Result<Interval> {
        Ok(self.difference_between(method, Critical::new(level)?))
    }

    pub(super) fn difference_between(&self, method: DifferenceInterval, critical: Critical) -> Interval {
        let z = critical.z;
        let DifferenceInProportions { estimate, se } = self.difference();
        let c = self.cells();
        match method {
            DifferenceInterval::Wald => Interval::between(estimate - z * se, estimate + z * se),
            DifferenceInterval::WaldContinuity => {
                let half = z * se + 0.5 * (1.0 / c.n1() + 1.0 / c.n0());
                Interval::between(estimate - half, estimate + half)
            }
            DifferenceInterval::AgrestiCaffo => agresti_caffo(c, z),
            DifferenceInterval::Newcombe => self.hybrid([wilson(c.x1, c.y1, z), wilson(c.x0, c.y0, z)]),
            DifferenceInterval::NewcombeContinuity => {
                self.hybrid([wilson_continuity(c.x1, c.y1, z), wilson_continuity(c.x0, c.y0, z)])
            }
            DifferenceInterval::MiettinenNurminen => {
                score_interval(c, critical.squared() * c.total() / (c.total() - 1.0))
            }
            DifferenceInterval::Mee => score_interval(c, critical.squared()),
        }
    }

    fn hybrid(&self, [treatment, control]: [Interval; 2]) -> Interval {
        let (p1, p0) = (self.treatment.estimate(), self.control.estimate());
        // Distances of proportions neither overflow nor underflow when squared.
        let length = |a: f64, b: f64| (a * a + b * b).sqrt();
        Interval::between(
            p1 - p0 - length(p1 - treatment.lower(), control.upper() - p0),
            p1 - p0 + length(treatment.upper() - p1, p0 - control.lower()),
        )
    }
}

fn agresti_caffo(c: Cells, z: f64) -> Interval {
    let (n1, n0) = (c.n1() + 2.0, c.n0() + 2.0);
    let (p1, p0) = ((c.x1 + 1.0) / n1, (c.x0 + 1.0) / n0);
    let half = z * (p1 * ((c.y1 + 1.0) / n1) / n1 + p0 * ((c.y0 + 1.0) / n0) / n0).sqrt();
    Interval::between(p1 - p0 - half, p1 - p0 + half)
}

fn score_interval(c: Cells, k: f64) -> Interval {
    Interval::between(difference_lower(c, k), -difference_lower(c.swapped(), k))
}
