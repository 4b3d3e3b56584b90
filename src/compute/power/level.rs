use crate::compute::distribution::{NoncentralT, Normal, StudentT};
use crate::error::{Error, Result, number};
use serde::{Deserialize, Serialize};

/// The tails in which a test rejects, and which of them a power counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Tails {
    /// One tail, that of the effect, with all of alpha.
    One,
    /// Two tails of alpha / 2, both counted: without an effect the power is alpha. The default.
    #[default]
    Both,
    /// Two tails of alpha / 2, of which only the effect's is counted, as closed formulas for sizes do:
    /// without an effect the power is alpha / 2.
    Nearer,
}

/// A significance level and its tails.
///
/// ```
/// use armwise::power::TestLevel;
///
/// let test = TestLevel::two_sided(0.05)?;
/// assert!((test.critical() - 1.959964).abs() < 1e-6);
/// assert!((test.normal_power(0.0) - 0.05).abs() < 1e-15);
/// assert!((test.nearer_tail().normal_power(0.0) - 0.025).abs() < 1e-15);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct TestLevel {
    alpha: f64,
    tails: Tails,
}

checked!(TestLevel);

impl TestLevel {
    /// A test with `alpha` in one tail.
    ///
    /// # Errors
    /// `invalid_input` unless alpha is above 0 and below 1.
    pub fn one_sided(alpha: f64) -> Result<Self> {
        Self::of(alpha, Tails::One)
    }

    /// A test with `alpha / 2` in each tail, both counted.
    ///
    /// # Errors
    /// `invalid_input` unless alpha is above 0 and below 1.
    pub fn two_sided(alpha: f64) -> Result<Self> {
        Self::of(alpha, Tails::Both)
    }

    fn of(alpha: f64, tails: Tails) -> Result<Self> {
        let test = Self { alpha, tails };
        test.check().map(|()| test)
    }

    fn check(&self) -> Result<()> {
        if self.alpha > 0.0 && self.alpha < 1.0 && 0.5 * self.alpha > 0.0 {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "the significance level is {}; give one between 0 and 1, such as 0.05",
            number(self.alpha)
        )))
    }

    /// The same test, of whose two tails only the effect's is counted; a one-sided test as it is.
    #[must_use]
    pub fn nearer_tail(mut self) -> Self {
        if self.tails == Tails::Both {
            self.tails = Tails::Nearer;
        }
        self
    }

    /// A test at `share` of this level: for Bonferroni's and other families.
    ///
    /// # Errors
    /// `invalid_input` where the level is then not between 0 and 1.
    pub fn at(self, alpha: f64) -> Result<Self> {
        Self::of(alpha, self.tails)
    }

    /// The significance level.
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// The tails.
    pub fn tails(&self) -> Tails {
        self.tails
    }

    /// The level in the tail of the effect: alpha, or half of it.
    pub fn in_tail(&self) -> f64 {
        if self.tails == Tails::One { self.alpha } else { 0.5 * self.alpha }
    }

    /// The normal quantile beyond which the test rejects.
    pub fn critical(&self) -> f64 {
        Normal.upper_quantile(self.in_tail())
    }

    /// The power of a normal statistic with variance 1 whose mean is `shift`, away from 0 in the direction of
    /// the effect.
    pub fn normal_power(&self, shift: f64) -> f64 {
        let critical = self.critical();
        let nearer = Normal.sf(critical - shift);
        if self.tails == Tails::Both { (nearer + Normal.cdf(-critical - shift)).min(1.0) } else { nearer }
    }

    /// The power of a t statistic with `df` degrees of freedom and this noncentrality.
    ///
    /// # Errors
    /// `invalid_input` for degrees of freedom below 0.1, and a noncentrality beyond 1e4.
    pub fn t_power(&self, df: f64, noncentrality: f64) -> Result<f64> {
        let critical = StudentT::new(df)?.upper_quantile(self.in_tail());
        let t = NoncentralT::new(df, noncentrality)?;
        let nearer = t.sf(critical);
        Ok(if self.tails == Tails::Both { (nearer + t.cdf(-critical)).min(1.0) } else { nearer })
    }

    /// The mean of a normal statistic for a power, the opposite tail not counted: `critical + z(power)`.
    pub(crate) fn nearer_shift(&self, power: f64) -> f64 {
        self.critical() + Normal.quantile(power)
    }
}
