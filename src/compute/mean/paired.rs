use super::{Difference, Sample};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Two measurements of the same participants.
///
/// # Examples
/// ```
/// use armwise::mean::PairedMeans;
///
/// let after = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
/// let before = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
/// let paired = PairedMeans::of(&after, &before)?;
/// let difference = paired.difference()?;
/// assert_eq!(difference.df, Some(9.0));
/// assert!((difference.p_value() - 0.002_833).abs() < 1e-6);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PairedMeans {
    /// The differences, first minus second.
    pub differences: Sample,
    /// Pearson's correlation of both measurements; `None` where one of them does not vary.
    pub correlation: Option<f64>,
}

impl PairedMeans {
    /// The first measurement of every participant, then the second; effects are first minus second.
    ///
    /// # Errors
    /// `invalid_input` where lengths differ, or for values that are no numbers; `insufficient_observations`
    /// for fewer than two.
    pub fn of(first: &[f64], second: &[f64]) -> Result<Self> {
        if first.len() != second.len() {
            return Err(Error::invalid(format!(
                "{} and {} measurements do not pair; give both of every participant",
                first.len(),
                second.len()
            )));
        }
        let (one, two) = (Sample::of(first)?, Sample::of(second)?);
        let differences = Sample::of_values(first.iter().zip(second).map(|(first, second)| first - second))?;
        let correlation = (one.sd > 0.0 && two.sd > 0.0).then(|| {
            let products: f64 = first
                .iter()
                .zip(second)
                .map(|(first, second)| (first - one.mean) / one.sd * ((second - two.mean) / two.sd))
                .sum();
            (products / one.df()).clamp(-1.0, 1.0)
        });
        Ok(Self { differences, correlation })
    }

    /// The mean difference; Student's t with `n - 1` degrees of freedom.
    ///
    /// # Errors
    /// `zero_variance` where all differences are the same.
    pub fn difference(&self) -> Result<Difference> {
        Difference::from_zero(&self.differences)
    }

    /// Cohen's dz, the mean difference in standard deviations of the differences.
    ///
    /// # Errors
    /// `zero_variance` where all differences are the same.
    pub fn cohen_dz(&self) -> Result<f64> {
        Ok(self.difference()?.estimate / self.differences.sd)
    }
}
