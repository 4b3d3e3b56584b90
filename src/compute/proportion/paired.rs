//! Two binary outcomes of the same participants: `McNemar`'s tests.

use super::hypothesis::no_spread;
use super::single::binomial;
use super::stratified::Continuity;
use crate::compute::hypothesis::ChiSquaredTest;
use crate::error::Result;

/// Pairs of binary outcomes, such as before and after, or the two members of matched pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PairedProportions {
    /// Pairs with the event both times.
    pub both: u64,
    /// Pairs with the event the first time only.
    pub first_only: u64,
    /// Pairs with the event the second time only.
    pub second_only: u64,
    /// Pairs without the event.
    pub neither: u64,
}

/// Exact tests of the discordant pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PairedExact {
    /// Twice the smaller binomial tail, at most 1.
    Exact,
    /// Twice the smaller tail with half the probability of the observed pairs. Fagerland, Lydersen & Laake
    /// (2013, BMC Medical Research Methodology 13:91).
    MidP,
}

impl PairedProportions {
    /// `McNemar`'s test (1947, Psychometrika 12:153-157) that both times have the same proportion: with `b`
    /// and `c` the discordant pairs, `(|b - c| - k)^2 / (b + c)`. The continuity correction is `k = 1`, and 0
    /// for `b = c`.
    ///
    /// # Errors
    /// `not_estimable` without discordant pairs.
    ///
    /// # Examples
    /// ```
    /// use armwise::proportion::{Continuity, PairedProportions};
    ///
    /// let pairs = PairedProportions { both: 10, first_only: 15, second_only: 6, neither: 9 };
    /// let test = pairs.mcnemar_test(Continuity::None)?;
    /// assert!((test.statistic - 81.0 / 21.0).abs() < 1e-12);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn mcnemar_test(&self, continuity: Continuity) -> Result<ChiSquaredTest> {
        let (b, c) = (self.first_only as f64, self.second_only as f64);
        if b + c == 0.0 {
            return Err(no_spread());
        }
        let k = if continuity == Continuity::Corrected { 1.0 } else { 0.0 };
        Ok(ChiSquaredTest::one_df(((b - c).abs() - k).max(0.0).powi(2) / (b + c)))
    }

    /// The two-sided p-value of an exact test of the discordant pairs, which are binomial with 1/2 under the
    /// hypothesis; 1 without discordant pairs.
    pub fn exact_p_value(&self, method: PairedExact) -> f64 {
        let (b, c) = (self.first_only as f64, self.second_only as f64);
        let tails = binomial(b + c, 0.5).tails(b.min(c));
        match method {
            PairedExact::Exact => (2.0 * (tails.below + tails.at)).min(1.0),
            PairedExact::MidP => (2.0 * tails.below + tails.at).min(1.0),
        }
    }
}
