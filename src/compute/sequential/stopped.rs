use super::GroupSequential;
use super::bounds::{Bounds, scaled, step_after};
use super::motion::Motion;
use crate::compute::interval::Interval;
use crate::compute::power::Tails;
use crate::compute::reference_distribution::upper_tail;
use crate::compute::roots::root;
use crate::error::{Error, Result, number};
use serde::{Deserialize, Serialize};

/// What may be said after a design stopped, by the stage-wise ordering: a result is more extreme if it
/// stopped earlier above, or at the same look with a larger statistic.
///
/// # References
///
/// Fairbanks & Madsen (1982), Biometrika 69:69; Tsiatis, Rosner & Mehta (1984), Biometrics 40:797. Jennison &
/// Turnbull (2000), chapter 8.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct Stopped {
    /// The look, from 1.
    pub look: usize,
    /// Its statistic.
    pub z: f64,
    /// The p-value in the tails of the design.
    pub p_value: f64,
    /// The drift that is as likely below as above, given that it stopped so.
    pub median_unbiased: f64,
    /// The interval of the drift.
    pub interval: Interval,
    /// Its level.
    pub level: f64,
    /// The drift of this look by itself, `z / sqrt(t)`, which looks bias away from 0.
    pub naive: f64,
}

checked!(Stopped);

impl Stopped {
    fn check(&self) -> Result<()> {
        let inside =
            self.interval.lower() <= self.median_unbiased && self.median_unbiased <= self.interval.upper();
        let numbers = [self.z, self.p_value, self.median_unbiased, self.naive].iter().all(|x| x.is_finite());
        if inside
            && numbers
            && (0.0..=1.0).contains(&self.p_value)
            && self.look > 0
            && upper_tail(self.level).is_ok()
        {
            return Ok(());
        }
        Err(Error::invalid("what was stopped holds numbers that do not belong together; compute it anew"))
    }
}

impl GroupSequential {
    /// The p-value, estimate and interval after a stop at a look (the first is 1) with this statistic.
    ///
    /// Bounds of futility that may be overruled are left out of the ordering, so that the p-value holds also
    /// where they were.
    ///
    /// # Errors
    /// `invalid_input` for a look that does not exist, and a statistic with which the design goes on: then
    /// [`repeated_interval`](Self::repeated_interval) holds.
    ///
    /// # Examples
    /// ```
    /// use armwise::power::TestLevel;
    /// use armwise::sequential::{GroupSequential, Rule};
    ///
    /// let test = TestLevel::one_sided(0.025)?;
    /// let design = GroupSequential::even(3, Rule::OBrienFleming, test)?;
    /// let stopped = design.stopped(2, 2.7, 0.95)?;
    /// assert!(stopped.p_value < 0.005 && stopped.median_unbiased < stopped.naive);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn stopped(&self, look: usize, z: f64, level: f64) -> Result<Stopped> {
        let k = self.place(look, z)?;
        let tail = upper_tail(level)?;
        let below = self.futility_values().get(k).copied().unwrap_or(f64::NEG_INFINITY);
        let lower = if self.test().tails() == Tails::One { below } else { -self.critical_values()[k] };
        if k + 1 < self.looks().len() && z < self.critical_values()[k] && z > lower {
            return Err(Error::invalid(format!(
                "with z = {} at look {look} the design goes on; give the look at which it stopped, or take the repeated interval",
                number(z)
            )));
        }
        let bounds = self.relied_on();
        let above = |drift: f64| self.at_least(&bounds, k, z, drift);
        let naive = z / self.looks()[k].sqrt();
        let at = |probability: f64| -> Result<f64> {
            let excess = |drift: f64| above(drift) - probability;
            let (mut low, mut high, mut reach) = (naive - 2.0, naive + 2.0, 2.0);
            while excess(low) > 0.0 || excess(high) < 0.0 {
                reach *= 1.5;
                (low, high) = (naive - reach, naive + reach);
                if reach > 200.0 {
                    return Err(Error::not_estimable(
                        "the statistic is too far out for an interval by the stage-wise ordering; give the repeated interval",
                    ));
                }
            }
            Ok(root(excess, low, high))
        };
        let greater = above(0.0).clamp(0.0, 1.0);
        let p_value = if self.test().tails() == Tails::One {
            greater
        } else {
            (2.0 * greater.min(1.0 - greater)).min(1.0)
        };
        Ok(Stopped {
            look,
            z,
            p_value,
            median_unbiased: at(0.5)?,
            interval: Interval::new(at(tail)?, at(1.0 - tail)?)?,
            level,
            naive,
        })
    }

    /// The probability of a result at least as extreme, upwards.
    fn at_least(&self, bounds: &[Bounds], k: usize, z: f64, drift: f64) -> f64 {
        let looks = self.looks();
        let mut motion = Motion::from(0.0, 0.0, drift);
        let (mut earlier_above, mut earlier_below) = (0.0, 0.0);
        for (j, bound) in bounds.iter().enumerate().take(k) {
            let bound = scaled(*bound, looks[j]);
            earlier_above += motion.above(looks[j], bound[1]);
            earlier_below += motion.below(looks[j], bound[0]);
            motion = motion.within(looks[j], bound, step_after(looks, j));
        }
        let (t, b) = (looks[k], z * looks[k].sqrt());
        let stops_below = k + 1 < looks.len() && z <= bounds[k][0];
        if stops_below {
            // All but what is as low at this look, or stopped below before it.
            1.0 - earlier_below - motion.below(t, b)
        } else {
            earlier_above + motion.above(t, b)
        }
    }
}
