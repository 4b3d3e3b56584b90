use super::search::{out_of_reach, reaching};
use super::{GroupSizes, TestLevel, check_power, check_ratio};
use crate::error::{Error, Result, number};
use serde::{Deserialize, Serialize};

/// The power, size and detectable effect of a test of two means by Student's t.
///
/// # Formula
///
/// With the standardised difference `d` (the difference over the standard deviation within groups), `R2` the
/// share of the variance within groups that covariates explain and `c` their number, the statistic has a
/// noncentral t distribution. Its degrees of freedom are `n1 + n0 - 2 - c`, its noncentrality is
/// `d sqrt(n1 n0 / (n1 + n0) / (1 - R2))`. One covariate with correlation `rho` explains `rho^2`.
///
/// # Assumptions
///
/// Normal outcomes of one variance, and covariates that are as alike in the groups as randomisation makes
/// them.
///
/// # Examples
/// ```
/// use armwise::power::{GroupSizes, TestLevel, TwoMeansPower};
///
/// let test = TestLevel::two_sided(0.05)?;
/// let half = TwoMeansPower::new(0.5)?;
/// assert!((half.sizes(0.8, 1.0, test)?.control() - 63.7656).abs() < 1e-4);
/// // A baseline with a correlation of 0.6 leaves 64% of the variance.
/// let adjusted = TwoMeansPower::new(0.35)?.covariates(1, 0.6 * 0.6)?;
/// assert!((adjusted.power(GroupSizes::equal(80.0)?, test)? - 0.7852567).abs() < 1e-7);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Cohen (1988), Statistical Power Analysis, chapter 2. Borm, Fransen & Lemmens (2007), Journal of Clinical
/// Epidemiology 60:1234 (covariates).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct TwoMeansPower {
    effect_size: f64,
    covariates: u32,
    r2: f64,
}

checked!(TwoMeansPower);

impl TwoMeansPower {
    /// A standardised difference.
    ///
    /// # Errors
    /// `invalid_input` unless it is a finite number.
    pub fn new(effect_size: f64) -> Result<Self> {
        let power = Self { effect_size, covariates: 0, r2: 0.0 };
        power.check().map(|()| power)
    }

    /// Covariates, and the share of the variance within groups that they explain together.
    ///
    /// # Errors
    /// `invalid_input` for a share that is not from 0 to below 1, or a share of no covariates.
    pub fn covariates(mut self, covariates: u32, r2: f64) -> Result<Self> {
        (self.covariates, self.r2) = (covariates, r2);
        self.check().map(|()| self)
    }

    fn check(&self) -> Result<()> {
        if !(self.effect_size.is_finite() && self.effect_size.abs() < 1e6) {
            return Err(Error::invalid(format!(
                "the standardised difference is {}; give the difference over the standard deviation, such as 0.3",
                number(self.effect_size)
            )));
        }
        super::check_share("the share that covariates explain", self.r2)?;
        if self.r2 > 0.0 && self.covariates == 0 {
            return Err(Error::invalid("no covariates explain a share; give their number, at least 1"));
        }
        Ok(())
    }

    /// The standardised difference.
    pub fn effect_size(&self) -> f64 {
        self.effect_size
    }

    /// The share of the variance that covariates leave.
    pub fn variance_factor(&self) -> f64 {
        1.0 - self.r2
    }

    /// The degrees of freedom.
    pub fn df(&self, sizes: GroupSizes) -> f64 {
        sizes.total() - 2.0 - f64::from(self.covariates)
    }

    /// The noncentrality.
    pub fn noncentrality(&self, sizes: GroupSizes) -> f64 {
        self.effect_size * (sizes.treated() / sizes.total() * sizes.control() / self.variance_factor()).sqrt()
    }

    /// The power.
    ///
    /// # Errors
    /// `invalid_input` for sizes that leave less than a tenth of a degree of freedom, and a noncentrality
    /// beyond 1e4.
    pub fn power(&self, sizes: GroupSizes, test: TestLevel) -> Result<f64> {
        let df = self.df(sizes);
        if df < 0.1 {
            return Err(Error::invalid(format!(
                "groups of {} and {} leave no degrees of freedom; give larger groups or fewer covariates",
                number(sizes.treated()),
                number(sizes.control())
            )));
        }
        test.t_power(df, self.noncentrality(sizes).abs())
    }

    /// The power with a known variance: the normal distribution in place of t.
    pub fn normal_power(&self, sizes: GroupSizes, test: TestLevel) -> f64 {
        test.normal_power(self.noncentrality(sizes).abs())
    }

    /// The sizes for a power, the treated group `ratio` times the control group.
    ///
    /// # Errors
    /// `invalid_input` for a power or ratio outside its range, and no difference.
    pub fn sizes(&self, power: f64, ratio: f64, test: TestLevel) -> Result<GroupSizes> {
        let normal = self.normal_sizes(power, ratio, test)?.control();
        // The fewest with a tenth of a degree of freedom, and a little more for rounding errors.
        let low = (2.100_000_001 + f64::from(self.covariates)) / (1.0 + ratio);
        let at = |control: f64| self.power(GroupSizes::in_ratio(control, ratio)?, test);
        let found = reaching(at, power, low, (1.01 * normal + low).min(1e14), 1e14)?;
        let control = found
            .ok_or_else(|| out_of_reach("no number of people has this power; give a larger difference"))?;
        GroupSizes::in_ratio(control, ratio)
    }

    /// The sizes with a known variance, `n0 = (1 + 1 / r) (1 - R2) ((c + z) / d)^2`, the opposite tail not
    /// counted.
    ///
    /// # Errors
    /// As [`sizes`](Self::sizes).
    pub fn normal_sizes(&self, power: f64, ratio: f64, test: TestLevel) -> Result<GroupSizes> {
        check_power(power)?;
        check_ratio(ratio)?;
        if self.effect_size == 0.0 {
            return Err(out_of_reach(
                "the difference is 0, which no number of people shows; give the smallest difference that matters",
            ));
        }
        let shift = test.nearer_shift(power).max(1e-6) / self.effect_size;
        GroupSizes::in_ratio((1.0 + 1.0 / ratio) * self.variance_factor() * shift * shift, ratio)
    }

    /// The standardised difference that is detected with a power by these sizes.
    ///
    /// # Errors
    /// `invalid_input` for a power outside its range or not above the level of the test, and sizes that leave
    /// no degrees of freedom.
    pub fn detectable(&self, power: f64, sizes: GroupSizes, test: TestLevel) -> Result<f64> {
        check_power(power)?;
        let at = |effect_size: f64| Self { effect_size, ..*self }.power(sizes, test);
        let start = self.normal_detectable(power, sizes, test)?;
        // The noncentrality is bounded.
        let unit = Self { effect_size: 1.0, ..*self }.noncentrality(sizes);
        let most = 9e3 / unit;
        let low = 1e-9 / unit;
        match reaching(at, power, low, start.clamp(low, most), most)? {
            Some(found) if found > low => Ok(found),
            Some(_) => Err(out_of_reach(
                "the test rejects as often without a difference; give a power above the significance level",
            )),
            None => Err(out_of_reach("no difference is detected with this power; give larger groups")),
        }
    }

    /// The detectable difference with a known variance: `(c + z) sqrt((1 / n1 + 1 / n0) (1 - R2))`.
    ///
    /// # Errors
    /// `invalid_input` for a power outside its range.
    pub fn normal_detectable(&self, power: f64, sizes: GroupSizes, test: TestLevel) -> Result<f64> {
        check_power(power)?;
        let variance = (1.0 / sizes.treated() + 1.0 / sizes.control()) * self.variance_factor();
        Ok(test.nearer_shift(power).max(0.0) * variance.sqrt())
    }
}
