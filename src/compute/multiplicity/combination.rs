use super::adjustment::any_of;
use super::{Adjustment, check_p_values};
use crate::compute::distribution::{ChiSquared, Normal};
use crate::error::{Error, ErrorKind, Result, counted, number};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// A combination of p-values into one: the test that none of the hypotheses is false.
///
/// # Formula
///
/// With p-values `p_i` of `k` tests in the same direction:
///
/// | combination | statistic | p-value |
/// |---|---|---|
/// | Fisher | `-2 sum ln p_i` | chi-squared, `2 k` degrees of freedom, upper tail |
/// | Pearson | `-2 sum ln(1 - p_i)` | chi-squared, `2 k` degrees of freedom, lower tail |
/// | Stouffer | `sum w_i z_i / sqrt(sum w_i^2)`, `z_i` the upper quantile of `p_i` | normal, upper tail |
/// | Tippett | `min p_i` | `1 - (1 - min p_i)^k` |
/// | Simes | `min k p_(j) / j` | the same |
/// | Cauchy | `sum w_i tan((1/2 - p_i) pi) / sum w_i` | Cauchy, upper tail |
///
/// # Assumptions
///
/// Fisher, Pearson, Stouffer and Tippett need independent tests, Simes independence or positive dependence;
/// Cauchy's holds approximately, for small p-values, whatever the dependence. Fisher and Stouffer mean
/// something only for one-sided p-values, all in the same direction.
///
/// # Examples
/// ```
/// use armwise::multiplicity::Combination;
///
/// let one_sided = [0.03, 0.2, 0.11];
/// let fisher = Combination::Fisher.combine(&one_sided)?;
/// assert_eq!(fisher.df, Some(6.0));
/// assert!((fisher.p_value - 0.0231914).abs() < 1e-7);
/// let weighted = Combination::Stouffer.combine_weighted(&one_sided, &[10.0, 5.0, 2.0])?;
/// assert!((weighted.p_value - 0.0124668).abs() < 1e-7);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Tippett (1931), The Methods of Statistics. Fisher (1932), Statistical Methods for Research Workers.
/// Pearson (1933), Biometrika 25:379. Stouffer et al. (1949), The American Soldier. Simes (1986), Biometrika
/// 73:751. Liu & Xie (2020), JASA 115:393 (Cauchy).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Combination {
    /// Fisher's product of the p-values.
    Fisher,
    /// Pearson's product of their complements.
    Pearson,
    /// Stouffer's sum of normal quantiles.
    Stouffer,
    /// Tippett's smallest p-value.
    Tippett,
    /// Simes's.
    Simes,
    /// The Cauchy combination.
    Cauchy,
}

/// One p-value made of several.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CombinedPValue {
    /// The combination.
    pub combination: Combination,
    /// The statistic; infinite where a p-value is 0 or 1 and the combination has no other answer.
    #[serde(with = "crate::compute::interval::extended")]
    pub statistic: f64,
    /// The degrees of freedom, of Fisher's and Pearson's.
    pub df: Option<f64>,
    /// The p-value.
    pub p_value: f64,
}

impl Combination {
    /// Every combination.
    pub const ALL: [Self; 6] =
        [Self::Fisher, Self::Pearson, Self::Stouffer, Self::Tippett, Self::Simes, Self::Cauchy];

    /// The combination of p-values with equal weights.
    ///
    /// # Errors
    /// `invalid_input` for an empty list, and for a p-value that is missing or outside 0 to 1;
    /// `not_estimable` where Stouffer's or Cauchy's is to combine a p-value of 0 (Cauchy's: below 1e-308)
    /// with one of 1.
    pub fn combine(self, p_values: &[f64]) -> Result<CombinedPValue> {
        check_p_values(p_values)?;
        let k = p_values.len() as f64;
        let product =
            |logs: f64| -> Result<(f64, ChiSquared)> { Ok((-2.0 * logs, ChiSquared::new(2.0 * k)?)) };
        let (statistic, df, p_value) = match self {
            Self::Fisher => {
                let (statistic, chi) = product(p_values.iter().map(|p| p.ln()).sum())?;
                (statistic, Some(2.0 * k), chi.sf(statistic))
            }
            Self::Pearson => {
                let (statistic, chi) = product(p_values.iter().map(|p| (-p).ln_1p()).sum())?;
                (statistic, Some(2.0 * k), chi.cdf(statistic))
            }
            Self::Tippett => {
                let least = p_values.iter().fold(1.0_f64, |least, p| least.min(*p));
                (least, None, any_of(least, k))
            }
            Self::Simes => {
                // The smallest of the step-up values.
                let adjusted = Adjustment::BenjaminiHochberg.adjust(p_values)?;
                let least = adjusted.into_iter().fold(1.0_f64, f64::min);
                (least, None, least)
            }
            Self::Stouffer | Self::Cauchy => {
                return self.combine_weighted(p_values, &vec![1.0; p_values.len()]);
            }
        };
        Ok(CombinedPValue { combination: self, statistic: statistic + 0.0, df, p_value })
    }

    /// The combination of p-values with weights, of Stouffer's and Cauchy's.
    ///
    /// # Errors
    /// As [`Combination::combine`]; and for another combination, for as many weights as there are p-values
    /// not given, and for weights that are not positive and finite.
    pub fn combine_weighted(self, p_values: &[f64], weights: &[f64]) -> Result<CombinedPValue> {
        check_p_values(p_values)?;
        if !matches!(self, Self::Stouffer | Self::Cauchy) {
            return Err(Error::invalid(
                "only Stouffer's and Cauchy's combinations have weights; take one of them, or combine without weights",
            ));
        }
        if weights.len() != p_values.len() {
            return Err(Error::invalid(format!(
                "{} for {}; give one weight for each",
                counted(weights.len(), "weight"),
                counted(p_values.len(), "p-value")
            )));
        }
        if let Some(weight) = weights.iter().find(|weight| !(**weight > 0.0 && weight.is_finite())) {
            return Err(Error::invalid(format!(
                "a weight is {}; give positive, finite weights",
                number(*weight)
            )));
        }
        let largest = weights.iter().copied().fold(0.0, f64::max);
        let shares: Vec<f64> = weights.iter().map(|weight| weight / largest).collect();
        let sum = |score: fn(f64) -> f64| -> f64 {
            p_values.iter().zip(&shares).map(|(p, share)| share * score(*p)).sum()
        };
        let (statistic, p_value) = if self == Self::Stouffer {
            let length = shares.iter().map(|share| share * share).sum::<f64>().sqrt();
            let z = sum(|p| Normal.upper_quantile(p)) / length;
            (z, Normal.sf(z))
        } else {
            let t = sum(cotangent) / shares.iter().sum::<f64>();
            (t, f64::atan2(1.0, t) / PI)
        };
        if p_value.is_nan() {
            // Plus and minus infinity.
            return Err(ErrorKind::NotEstimable(
                "a p-value of 0 and one of 1 cancel out in this combination; take Fisher's or Simes's"
                    .to_owned(),
            )
            .into());
        }
        Ok(CombinedPValue { combination: self, statistic, df: None, p_value })
    }
}

/// `tan((1/2 - p) pi)`, accurate at both ends.
fn cotangent(p: f64) -> f64 {
    if p <= 0.5 { 1.0 / (PI * p).tan() } else { -1.0 / (PI * (1.0 - p)).tan() }
}
