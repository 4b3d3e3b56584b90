use super::BValue;
use crate::compute::distribution::Normal;
use crate::compute::power::{TestLevel, check_power};
use crate::error::{Error, Result, number};
use serde::{Deserialize, Serialize};

/// A test in two stages, of which the second may be enlarged after a look at the effect.
///
/// The statistics of the stages are combined with the weights that were planned, so that the level holds
/// whatever the size of the second stage becomes.
///
/// # Formula
///
/// With the planned information fraction `t` of the first stage, its statistic `z1` and that of the people
/// after it alone, `z2`, the combined statistic is `sqrt(t) z1 + sqrt(1 - t) z2`. If the second stage has `g`
/// times its planned people and the drift is `theta` at the planned end, the chance of a claim is
/// `Phi((sqrt(t) z1 - c) / sqrt(1 - t) + theta sqrt((1 - t) g))` with the critical value `c`. In a promising
/// zone, where the chance by the trend `theta = z1 / sqrt(t)` and the planned people is from a lower limit to
/// below the power, `g` is what gives the power, at most a maximum; outside the zone it is 1.
///
/// # Examples
/// ```
/// use armwise::power::TestLevel;
/// use armwise::sequential::{BValue, Reestimation};
///
/// let test = TestLevel::one_sided(0.025)?;
/// let halfway = BValue::new(1.5, 0.5)?;
/// let plan = Reestimation::new(test, 0.36, 0.8, 3.0)?;
/// // About twice the people after the look.
/// let growth = plan.growth(halfway);
/// assert!((growth - 1.9851474).abs() < 1e-7);
/// assert!((plan.conditional_power(halfway, halfway.trend(), growth)? - 0.8).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Lehmacher & Wassmer (1999), Biometrics 55:1286. Cui, Hung & Wang (1999), Biometrics 55:853. Mehta & Pocock
/// (2011), Statistics in Medicine 30:3267 (promising zone).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Reestimation {
    test: TestLevel,
    promising: f64,
    power: f64,
    most: f64,
}

checked!(Reestimation);

impl Reestimation {
    /// The test, the chance from which a result is promising, the power to reach, and the most that the
    /// second stage may be, over what was planned.
    ///
    /// # Errors
    /// `invalid_input` for a power outside its range, a promising chance that is not from 0 to below the
    /// power, and a maximum below 1.
    pub fn new(test: TestLevel, promising: f64, power: f64, most: f64) -> Result<Self> {
        let plan = Self { test, promising, power, most };
        plan.check().map(|()| plan)
    }

    fn check(&self) -> Result<()> {
        check_power(self.power)?;
        if !(self.promising >= 0.0 && self.promising < self.power) {
            return Err(Error::invalid(format!(
                "the promising zone starts at a chance of {}; give one from 0 to below the power, such as 0.36",
                number(self.promising)
            )));
        }
        if !(self.most >= 1.0 && self.most.is_finite()) {
            return Err(Error::invalid(format!(
                "the second stage may be {} times what was planned; give at least 1, such as 2",
                number(self.most)
            )));
        }
        Ok(())
    }

    /// The combined statistic: the first stage, and the statistic of the people after it alone.
    ///
    /// # Errors
    /// `invalid_input` for a statistic that is not a finite number.
    pub fn combined(&self, first: BValue, second: f64) -> Result<f64> {
        if !second.is_finite() {
            return Err(Error::invalid(
                "the statistic of the second stage is not a finite number; give z of the people after the look",
            ));
        }
        Ok(first.b() + (1.0 - first.information()).sqrt() * second)
    }

    /// The chance of a claim with this drift at the planned end, in the tail of a positive effect, if the
    /// second stage has `growth` times its planned people.
    ///
    /// # Errors
    /// `invalid_input` for a drift that is not finite, and a growth that is not positive.
    pub fn conditional_power(&self, first: BValue, drift: f64, growth: f64) -> Result<f64> {
        if !(growth > 0.0 && growth.is_finite() && drift.is_finite()) {
            return Err(Error::invalid(format!(
                "a drift of {} and a second stage of {} times its plan; give a finite drift and a positive number",
                number(drift),
                number(growth)
            )));
        }
        let left = 1.0 - first.information();
        Ok(Normal.cdf(drift * (left * growth).sqrt() - self.distance(first)))
    }

    /// The second stage over what was planned.
    pub fn growth(&self, first: BValue) -> f64 {
        let planned = first.by_trend(self.test);
        if planned < self.promising || planned >= self.power || first.trend() <= 0.0 {
            return 1.0;
        }
        let left = 1.0 - first.information();
        let root = (Normal.quantile(self.power) + self.distance(first)) / (first.trend() * left.sqrt());
        (root * root).clamp(1.0, self.most)
    }

    /// The z that the second stage needs.
    fn distance(&self, first: BValue) -> f64 {
        (self.test.critical() - first.b()) / (1.0 - first.information()).sqrt()
    }
}
