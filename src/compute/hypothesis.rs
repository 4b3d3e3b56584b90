//! Test statistics with their p-values.

use super::distribution::{ChiSquared, FisherF};
use super::interval::extended;
use super::reference_distribution::ReferenceDistribution;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// A statistic referred to chi-squared.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct ChiSquaredTest {
    /// The statistic.
    pub statistic: f64,
    /// The degrees of freedom.
    pub df: f64,
    /// The upper tail; 1 without degrees of freedom, where nothing is tested.
    pub p_value: f64,
}

impl ChiSquaredTest {
    pub(crate) fn new(statistic: f64, df: f64) -> Result<Self> {
        let p_value = if df == 0.0 { 1.0 } else { ChiSquared::new(df)?.sf(statistic) };
        Ok(Self { statistic, df, p_value })
    }

    /// A statistic with one degree of freedom, whose upper tail is the two-sided normal tail of its root.
    pub(crate) fn one_df(statistic: f64) -> Self {
        Self { statistic, df: 1.0, p_value: ReferenceDistribution::Normal.two_sided(statistic.sqrt()) }
    }
}

/// A statistic referred to Fisher's F.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct FTest {
    /// The statistic.
    pub statistic: f64,
    /// The degrees of freedom of the numerator.
    pub df1: f64,
    /// The degrees of freedom of the denominator.
    pub df2: f64,
    /// The upper tail.
    pub p_value: f64,
}

impl FTest {
    pub(crate) fn new(statistic: f64, df1: f64, df2: f64) -> Result<Self> {
        Ok(Self { statistic, df1, df2, p_value: FisherF::new(df1, df2)?.sf(statistic) })
    }
}

/// Wald's test that several linear combinations of coefficients are all zero: chi-squared, or F where the
/// coefficients are referred to Student's t.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct WaldTest {
    /// Chi-squared; divided by its degrees of freedom where it is referred to F.
    pub statistic: f64,
    /// The number of combinations.
    pub df: f64,
    /// The denominator degrees of freedom of F; `None` for chi-squared.
    pub denominator_df: Option<f64>,
    /// The upper tail.
    pub p_value: f64,
}

impl WaldTest {
    /// From the chi-squared statistic and the degrees of freedom of the coefficients' t.
    pub(crate) fn new(chi2: f64, df: f64, denominator_df: Option<f64>) -> Result<Self> {
        let (statistic, p_value) = match denominator_df {
            None => (chi2, ChiSquared::new(df)?.sf(chi2)),
            Some(denominator) => (chi2 / df, FisherF::new(df, denominator)?.sf(chi2 / df)),
        };
        Ok(Self { statistic, df, denominator_df, p_value })
    }
}

/// The p-values of a test against all three alternatives.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct PValues {
    /// For the alternative of a smaller value (of two groups: that the treatment has the smaller one): near 0
    /// where the value is far below the null value.
    pub less: f64,
    /// For the alternative of a larger value (that the treatment has the larger one): near 0 where the value
    /// is far above the null value.
    pub greater: f64,
    /// For a difference in either direction.
    pub two_sided: f64,
}

/// A test whose statistic has a sign: positive where the treatment has the larger value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SignedTest {
    /// The statistic; infinite where its standard error is 0 and its numerator is not.
    #[serde(with = "extended")]
    pub statistic: f64,
    /// The p-values.
    pub p_values: PValues,
}

impl SignedTest {
    /// From a statistic and its distribution under the null hypothesis.
    pub(crate) fn new(statistic: f64, null: ReferenceDistribution) -> Self {
        let (less, greater) = (null.cdf(statistic), null.sf(statistic));
        Self { statistic, p_values: PValues { less, greater, two_sided: null.two_sided(statistic) } }
    }

    pub(crate) fn normal(z: f64) -> Self {
        Self::new(z, ReferenceDistribution::Normal)
    }
}

/// A one-sided test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OneSidedTest {
    /// The statistic, positive in favour of the alternative; infinite where its standard error is 0 and its
    /// numerator is not.
    #[serde(with = "extended")]
    pub statistic: f64,
    /// The one-sided p-value.
    pub p_value: f64,
}

/// Two one-sided tests of equivalence (Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics
/// 15:657).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct EquivalenceTest {
    /// The test against a difference of minus the margin: `greater` is the p-value of "not below it".
    pub lower: SignedTest,
    /// The test against a difference of the margin: `less` is the p-value of "not above it".
    pub upper: SignedTest,
    /// The larger of both p-values: equivalence is shown at `alpha` where this is below it.
    pub p_value: f64,
}

impl EquivalenceTest {
    pub(crate) fn new(lower: SignedTest, upper: SignedTest) -> Self {
        Self { lower, upper, p_value: lower.p_values.greater.max(upper.p_values.less) }
    }
}

checked!(ChiSquaredTest, FTest, WaldTest, PValues, EquivalenceTest);

/// Refuses a p-value that does not follow from its statistic.
fn follows(statistic: f64, own: Result<f64>, read: f64) -> Result<()> {
    let own = own?;
    // What is below zero by rounding is zero.
    if statistic >= -1e-9 && (own - read).abs() <= 1e-12 + 1e-8 * own {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the p-value {read} does not follow from the statistic {statistic}, which has {own}; take the test as it was made"
    )))
}

impl ChiSquaredTest {
    fn check(&self) -> Result<()> {
        let own = Self::new(self.statistic, self.df).map(|own| own.p_value);
        follows(self.statistic, own, self.p_value)
    }
}

impl FTest {
    fn check(&self) -> Result<()> {
        let own = Self::new(self.statistic, self.df1, self.df2).map(|own| own.p_value);
        follows(self.statistic, own, self.p_value)
    }
}

impl WaldTest {
    fn check(&self) -> Result<()> {
        // Nothing is tested.
        let own = match (self.df, self.denominator_df) {
            (0.0, _) => Ok(1.0),
            (df, None) => ChiSquared::new(df).map(|null| null.sf(self.statistic)),
            (df, Some(denominator)) => FisherF::new(df, denominator).map(|null| null.sf(self.statistic)),
        };
        follows(self.statistic, own, self.p_value)
    }
}

impl PValues {
    fn check(&self) -> Result<()> {
        let [less, greater, two_sided] = [self.less, self.greater, self.two_sided];
        if [less, greater, two_sided].iter().all(|p| (0.0..=1.0).contains(p)) {
            return Ok(());
        }
        Err(Error::invalid(format!("p-values lie between 0 and 1, not {less}, {greater} and {two_sided}")))
    }
}

impl EquivalenceTest {
    fn check(&self) -> Result<()> {
        let own = Self::new(self.lower, self.upper).p_value;
        if own == self.p_value {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "the p-value of equivalence is the larger of both, {own}, not {}",
            self.p_value
        )))
    }
}
