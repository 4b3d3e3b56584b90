//! Tests of a difference in proportions against a margin: non-inferiority and equivalence.

use super::TwoProportions;
use super::hypothesis::{no_spread, z_ratio};
use super::score::{Constrained, constrained_by_difference};
use crate::compute::hypothesis::{EquivalenceTest, SignedTest};
use crate::error::{Error, Result};

/// Statistics of the hypothesis that the difference in proportions has a given value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DifferenceTest {
    /// The unpooled variance of the observed proportions.
    Wald,
    /// The variance at the maximum likelihood estimates under the hypothesis. Farrington & Manning (1990,
    /// Statistics in Medicine 9:1447-1454).
    FarringtonManning,
    /// The same times `N/(N-1)`. Miettinen & Nurminen (1985, Statistics in Medicine 4:213-226).
    MiettinenNurminen,
}

/// Which proportions are good news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BetterOutcome {
    /// The event is wanted (finding work): non-inferior means not lower by the margin or more.
    Higher,
    /// The event is not wanted (a relapse): non-inferior means not higher by the margin or more.
    Lower,
}

/// Maximum likelihood estimates of two proportions whose difference is fixed.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ConstrainedProportions {
    /// The treatment group's.
    pub treatment: f64,
    /// The control group's.
    pub control: f64,
}

/// A non-inferiority test.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct NonInferiorityTest {
    /// The difference at the edge of the null hypothesis: `-margin` where higher is better, `margin` where
    /// lower is.
    pub null_difference: f64,
    /// The z statistic, positive in favour of non-inferiority; infinite where the standard error is 0.
    #[serde(with = "crate::compute::interval::extended")]
    pub statistic: f64,
    /// The one-sided p-value.
    pub p_value: f64,
}

impl TwoProportions {
    /// The maximum likelihood estimates under `p1 - p0 = difference`.
    ///
    /// # Errors
    /// `invalid_input` for a difference outside (-1, 1).
    pub fn constrained_proportions(&self, difference: f64) -> Result<ConstrainedProportions> {
        let Constrained { p1, p0, .. } = self.constrained(difference)?;
        Ok(ConstrainedProportions { treatment: p1, control: p0 })
    }

    fn constrained(&self, difference: f64) -> Result<Constrained> {
        if difference > -1.0 && difference < 1.0 {
            Ok(constrained_by_difference(self.cells(), difference))
        } else {
            Err(Error::invalid(format!(
                "a difference between proportions to be tested lies between -1 and 1, but {difference} was given"
            )))
        }
    }

    /// The test that the difference in proportions is `null`: `z = (p1 - p0 - null) / sqrt(variance)`.
    ///
    /// # Errors
    /// `invalid_input` for a null difference outside (-1, 1); `not_estimable` where numerator and variance
    /// are 0.
    pub fn difference_test(&self, null: f64, method: DifferenceTest) -> Result<SignedTest> {
        let constrained = self.constrained(null)?;
        let n = (self.treatment.n + self.control.n) as f64;
        let variance = match method {
            DifferenceTest::Wald => self.treatment.variance() + self.control.variance(),
            DifferenceTest::FarringtonManning => constrained.variance,
            DifferenceTest::MiettinenNurminen => constrained.variance * (n / (n - 1.0)),
        };
        let numerator = self.difference().estimate - null;
        z_ratio(numerator, variance.sqrt()).map_or_else(|| Err(no_spread()), |z| Ok(SignedTest::normal(z)))
    }

    /// The non-inferiority test of the treatment with a margin on the difference in proportions,
    /// `0 < margin < 1`. The null hypothesis is `p1 - p0 <= -margin` where higher is better,
    /// `p1 - p0 >= margin` where lower is.
    ///
    /// # Errors
    /// `invalid_input` for a margin outside (0, 1); `not_estimable` where numerator and variance are 0.
    ///
    /// # Examples
    /// ```
    /// use armwise::proportion::{BetterOutcome, DifferenceTest, Proportion, TwoProportions};
    ///
    /// let two = TwoProportions::new(Proportion::new(80, 100)?, Proportion::new(82, 100)?);
    /// let test =
    ///     two.noninferiority_test(0.1, BetterOutcome::Higher, DifferenceTest::FarringtonManning)?;
    /// assert!((test.statistic - 1.431584).abs() < 1e-6);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn noninferiority_test(
        &self,
        margin: f64,
        better: BetterOutcome,
        method: DifferenceTest,
    ) -> Result<NonInferiorityTest> {
        check_margin(margin)?;
        let null_difference = match better {
            BetterOutcome::Higher => -margin,
            BetterOutcome::Lower => margin,
        };
        let test = self.difference_test(null_difference, method)?;
        Ok(match better {
            BetterOutcome::Higher => NonInferiorityTest {
                null_difference,
                statistic: test.statistic,
                p_value: test.p_values.greater,
            },
            BetterOutcome::Lower => NonInferiorityTest {
                null_difference,
                statistic: -test.statistic,
                p_value: test.p_values.less,
            },
        })
    }

    /// Two one-sided tests (Schuirmann 1987) that the proportions differ by less than `margin`,
    /// `0 < margin < 1`.
    ///
    /// # Errors
    /// As [`noninferiority_test`](Self::noninferiority_test).
    pub fn equivalence_test(&self, margin: f64, method: DifferenceTest) -> Result<EquivalenceTest> {
        check_margin(margin)?;
        let lower = self.difference_test(-margin, method)?;
        let upper = self.difference_test(margin, method)?;
        Ok(EquivalenceTest::new(lower, upper))
    }
}

fn check_margin(margin: f64) -> Result<()> {
    if margin > 0.0 && margin < 1.0 {
        Ok(())
    } else {
        Err(Error::invalid(format!(
            "a margin is the positive distance from no difference, below 1, but {margin} was given; \
             the direction of the test comes from the outcome, not from the sign"
        )))
    }
}
