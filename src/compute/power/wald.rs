use super::search::{out_of_reach, reaching};
use super::{GroupSizes, Tails, TestLevel, check_power, check_ratio};
use crate::compute::distribution::Normal;
use crate::error::{Error, Result, number};
use serde::{Deserialize, Serialize};

/// The claim that a test is to support.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Aim {
    /// The effect is not zero. The default.
    #[default]
    Difference,
    /// The effect is above minus the margin (a positive number, on the scale of the effect): one tail, with
    /// the level that the test has in one tail.
    NonInferiority {
        /// The margin.
        margin: f64,
    },
    /// The effect is within the margin on both sides: two one-sided tests, each with the level that the test
    /// has in one tail.
    Equivalence {
        /// The margin.
        margin: f64,
    },
}

/// The power of a test of an effect whose variance is known.
///
/// # Formula
///
/// With the effect `d`, `v1 / n1 + v0 / n0` its variance under the alternative and `u1 / n1 + u0 / n0` that
/// under the null hypothesis (both the same unless [`under_null`](Self::under_null) says otherwise), `c` the
/// critical value, `s1` and `s0` the roots of the variances:
///
/// | aim | power |
/// |---|---|
/// | difference | `Phi((abs(d) - c s0) / s1)`, plus `Phi((-abs(d) - c s0) / s1)` where both tails count |
/// | non-inferiority | `Phi((d + m - c s0) / s1)` |
/// | equivalence | `Phi((m - d - c s0) / s1) + Phi((m + d - c s0) / s1) - 1`, at least 0 |
///
/// Without a difference the size is `n0 = ((c sqrt(u1 / r + u0) + z sqrt(v1 / r + v0)) / d)^2` with the ratio
/// `r` and the normal quantile `z` of the power, where the opposite tail is not counted, and the root of the
/// power where it is.
///
/// # Examples
///
/// Events for a hazard ratio of 0.7 (Schoenfeld 1981): the variance of a log hazard ratio is
/// `1 / d1 + 1 / d0`.
/// ```
/// use armwise::power::{Aim, TestLevel, WaldPower};
///
/// let log_hazard = WaldPower::new(0.7_f64.ln(), [1.0, 1.0])?;
/// let test = TestLevel::two_sided(0.05)?.nearer_tail();
/// let events = log_hazard.sizes(Aim::Difference, 0.8, 1.0, test)?;
/// assert!((events.total() - 246.8).abs() < 0.1);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics 15:657 (two one-sided tests). Julious
/// (2004), Statistics in Medicine 23:1921.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct WaldPower {
    effect: f64,
    /// Under the alternative: the treated group's, the control's.
    variances: [f64; 2],
    null_variances: [f64; 2],
}

checked!(WaldPower);

impl WaldPower {
    /// An effect with the variance of one observation in the treated group and in the control group.
    ///
    /// # Errors
    /// `invalid_input` for numbers that are not finite, negative variances, and two variances of 0.
    pub fn new(effect: f64, variances: [f64; 2]) -> Result<Self> {
        let power = Self { effect, variances, null_variances: variances };
        power.check().map(|()| power)
    }

    /// The variances under the null hypothesis, which the test uses.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn under_null(mut self, variances: [f64; 2]) -> Result<Self> {
        self.null_variances = variances;
        self.check().map(|()| self)
    }

    fn check(&self) -> Result<()> {
        if !self.effect.is_finite() {
            return Err(Error::invalid("the effect is not a finite number; give one"));
        }
        for variances in [self.variances, self.null_variances] {
            let fits = variances.iter().all(|v| *v >= 0.0 && v.is_finite()) && variances != [0.0, 0.0];
            if !fits {
                return Err(Error::invalid(format!(
                    "the variances of one observation are {} and {}; give finite numbers from 0, one of them above 0",
                    number(variances[0]),
                    number(variances[1])
                )));
            }
        }
        Ok(())
    }

    /// The effect.
    pub fn effect(&self) -> f64 {
        self.effect
    }

    /// The standard error of the effect under the alternative.
    pub fn se(&self, sizes: GroupSizes) -> f64 {
        (self.variances[0] / sizes.treated() + self.variances[1] / sizes.control()).sqrt()
    }

    pub(super) fn null_se(&self, sizes: GroupSizes) -> f64 {
        (self.null_variances[0] / sizes.treated() + self.null_variances[1] / sizes.control()).sqrt()
    }

    /// The power.
    ///
    /// # Errors
    /// `invalid_input` for a margin that is not a positive number.
    pub fn power(&self, aim: Aim, sizes: GroupSizes, test: TestLevel) -> Result<f64> {
        aim.check()?;
        let (s1, s0) = (self.se(sizes), self.null_se(sizes));
        let critical = test.critical() * s0;
        let d = self.effect;
        Ok(match aim {
            Aim::Difference => {
                let nearer = Normal.cdf((d.abs() - critical) / s1);
                let opposite =
                    if test.tails() == Tails::Both { Normal.cdf((-d.abs() - critical) / s1) } else { 0.0 };
                (nearer + opposite).min(1.0)
            }
            Aim::NonInferiority { margin } => Normal.cdf((d + margin - critical) / s1),
            Aim::Equivalence { margin } => {
                // One minus both tails, each summed as such.
                let misses =
                    Normal.sf((margin - d - critical) / s1) + Normal.sf((margin + d - critical) / s1);
                (1.0 - misses).max(0.0)
            }
        })
    }

    /// The sizes for a power, the treated group `ratio` times the control group.
    ///
    /// # Errors
    /// `invalid_input` for a power or ratio outside its range, no effect where one is to be detected, and an
    /// effect beyond the margin.
    pub fn sizes(&self, aim: Aim, power: f64, ratio: f64, test: TestLevel) -> Result<GroupSizes> {
        check_power(power)?;
        check_ratio(ratio)?;
        aim.check()?;
        let distance = match aim {
            Aim::Difference => self.effect.abs(),
            Aim::NonInferiority { margin } => self.effect + margin,
            Aim::Equivalence { margin } => margin - self.effect.abs(),
        };
        if distance <= 0.0 {
            return Err(Error::invalid(match aim {
                Aim::Difference => {
                    "the effect is 0, which no number of people shows; give the smallest effect that matters"
                        .into()
                }
                Aim::NonInferiority { margin } | Aim::Equivalence { margin } => format!(
                    "the expected effect is {}, not within the margin of {}; give a wider margin or another effect",
                    number(self.effect),
                    number(margin)
                ),
            }));
        }
        let per_control = |v: [f64; 2]| (v[0] / ratio + v[1]).sqrt();
        let (s1, s0) = (per_control(self.variances), per_control(self.null_variances));
        let closed = |power: f64| {
            let root = (test.critical() * s0 + Normal.quantile(power) * s1) / distance;
            if root > 0.0 { root * root } else { 0.0 }
        };
        let nearer = closed(power);
        let by_power = match aim {
            Aim::Difference => test.tails() == Tails::Both,
            Aim::NonInferiority { .. } => false,
            Aim::Equivalence { .. } => true,
        };
        if !by_power && nearer > 0.0 {
            return GroupSizes::in_ratio(nearer, ratio);
        }
        let at = |control: f64| self.power(aim, GroupSizes::in_ratio(control, ratio)?, test);
        let low = 1e-12 * (s1 / distance).powi(2);
        let found = reaching(at, power, low, nearer.max(low), 1e18)?;
        match found {
            Some(control) if control > low => GroupSizes::in_ratio(control, ratio),
            Some(_) => Err(out_of_reach(
                "the test rejects with this power without anybody; give a power above the significance level",
            )),
            None => Err(out_of_reach("no number of people has this power; give a larger effect or margin")),
        }
    }

    /// The effect that is detected with a power by these sizes, if its variances do not depend on it.
    ///
    /// # Errors
    /// `invalid_input` for a power outside its range, or not above the level of the test.
    pub fn detectable(&self, power: f64, sizes: GroupSizes, test: TestLevel) -> Result<f64> {
        check_power(power)?;
        let at = |effect: f64| Self { effect, ..*self }.power(Aim::Difference, sizes, test);
        let se = self.se(sizes);
        let start = (test.critical() * self.null_se(sizes) + Normal.quantile(power) * se).max(1e-3 * se);
        let found = reaching(at, power, 1e-12 * se, start, 1e18 * se)?;
        found.filter(|effect| *effect > 1e-11 * se).ok_or_else(|| {
            out_of_reach(
                "the test rejects as often without an effect; give a power above the significance level",
            )
        })
    }
}

impl Aim {
    /// Refuses a margin that is not a positive number.
    pub(crate) fn check(self) -> Result<()> {
        match self {
            Self::Difference => Ok(()),
            Self::NonInferiority { margin } | Self::Equivalence { margin } => {
                if margin > 0.0 && margin.is_finite() {
                    return Ok(());
                }
                Err(Error::invalid(format!(
                    "the margin is {}; give a positive number on the scale of the effect",
                    number(margin)
                )))
            }
        }
    }
}
