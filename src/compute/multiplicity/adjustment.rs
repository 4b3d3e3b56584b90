use super::{ascending, check_alpha, check_p_values};
use crate::compute::words::words;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// An adjustment of p-values for their number, from the p-values alone.
///
/// # Formula
///
/// Of `m` p-values, `p_(i)` is the i-th smallest. Every adjusted p-value is at most 1.
///
/// | adjustment | adjusted `p_(i)` |
/// |---|---|
/// | Bonferroni | `m p_(i)` |
/// | Sidak | `1 - (1 - p_(i))^m` |
/// | Holm | the largest of `(m - j + 1) p_(j)` over `j <= i` |
/// | Holm-Sidak | the largest of `1 - (1 - p_(j))^(m - j + 1)` over `j <= i` |
/// | Hochberg | the smallest of `(m - j + 1) p_(j)` over `j >= i` |
/// | Hommel | the largest Simes p-value (smallest of `s p_(j) / j`, `s` the size) of the sets with it |
/// | Benjamini-Hochberg | the smallest of `m p_(j) / j` over `j >= i` |
/// | Benjamini-Yekutieli | that times `1 + 1/2 + ... + 1/m` |
/// | sharpened q | the smallest q at which the two-stage procedure ([`two_stage_rejections`]) rejects |
/// | fixed sequence | the largest p-value up to this one, in the order given |
///
/// # Assumptions
///
/// Bonferroni, Holm, the fixed sequence and Benjamini-Yekutieli hold whatever the dependence. Sidak and
/// Holm-Sidak need independence, or two-sided tests of normal statistics; Hochberg, Hommel and
/// Benjamini-Hochberg independence or positive dependence; the sharpened q independence. The order of a fixed
/// sequence has to be declared before the data are seen.
///
/// # Examples
/// ```
/// use armwise::multiplicity::Adjustment;
///
/// let p_values = [0.01, 0.02, 0.022, 0.09];
/// let hommel = Adjustment::Hommel.adjust(&p_values)?;
/// let hochberg = Adjustment::Hochberg.adjust(&p_values)?;
/// assert_eq!(hommel, [0.03, 0.04, 0.044, 0.09]);
/// assert!(hommel.iter().zip(&hochberg).all(|(hommel, hochberg)| hommel <= hochberg));
/// assert_eq!(Adjustment::Holm.reject(&p_values, 0.05)?, [true, false, false, false]);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Sidak (1967), JASA 62:626. Holm (1979), Scandinavian Journal of Statistics 6:65. Hochberg (1988),
/// Biometrika 75:800. Hommel (1988), Biometrika 75:383. Wright (1992), Biometrics 48:1005. Benjamini &
/// Hochberg (1995), JRSS B 57:289. Benjamini & Yekutieli (2001), Annals of Statistics 29:1165. Benjamini,
/// Krieger & Yekutieli (2006), Biometrika 93:491. Anderson (2008), JASA 103:1481 (sharpened q).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Adjustment {
    /// Bonferroni's.
    Bonferroni,
    /// Sidak's, in one step.
    Sidak,
    /// Holm's: step-down of Bonferroni, and never less powerful.
    #[default]
    Holm,
    /// Sidak's, in steps down.
    HolmSidak,
    /// Hochberg's: step-up.
    Hochberg,
    /// Hommel's: the closed test of Simes's.
    Hommel,
    /// Benjamini and Hochberg's false discovery rate.
    BenjaminiHochberg,
    /// Benjamini and Yekutieli's false discovery rate, under any dependence.
    BenjaminiYekutieli,
    /// Anderson's sharpened q. It estimates how many hypotheses are false, and may lie below the p-value
    /// itself.
    SharpenedQ,
    /// Each hypothesis is tested only if all before it were rejected.
    FixedSequence,
}

/// The error rate that a procedure keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorRate {
    /// The probability of one or more false rejections.
    Familywise,
    /// The expected share of false rejections among the rejections.
    FalseDiscovery,
}

words! {
    ErrorRate {
        Familywise => "familywise error rate",
        FalseDiscovery => "false discovery rate",
    }
}

words! {
    Adjustment {
        Bonferroni => "Bonferroni",
        Sidak => "Sidak",
        Holm => "Holm",
        HolmSidak => "Holm-Sidak",
        Hochberg => "Hochberg",
        Hommel => "Hommel",
        BenjaminiHochberg => "Benjamini-Hochberg",
        BenjaminiYekutieli => "Benjamini-Yekutieli",
        SharpenedQ => "sharpened q",
        FixedSequence => "fixed sequence",
    }
}

impl Adjustment {
    /// Every adjustment.
    pub const ALL: [Self; 10] = [
        Self::Bonferroni,
        Self::Sidak,
        Self::Holm,
        Self::HolmSidak,
        Self::Hochberg,
        Self::Hommel,
        Self::BenjaminiHochberg,
        Self::BenjaminiYekutieli,
        Self::SharpenedQ,
        Self::FixedSequence,
    ];

    /// The error rate that it keeps.
    pub fn error_rate(self) -> ErrorRate {
        match self {
            Self::BenjaminiHochberg | Self::BenjaminiYekutieli | Self::SharpenedQ => {
                ErrorRate::FalseDiscovery
            }
            _ => ErrorRate::Familywise,
        }
    }

    /// The adjusted p-values, in the order given.
    ///
    /// # Errors
    /// `invalid_input` for an empty list, and for a p-value that is missing or outside 0 to 1.
    pub fn adjust(self, p_values: &[f64]) -> Result<Vec<f64>> {
        check_p_values(p_values)?;
        if self == Self::FixedSequence {
            return Ok(running_maximum(p_values.iter().copied()));
        }
        let order = ascending(p_values);
        let sorted: Vec<f64> = order.iter().map(|&i| p_values[i]).collect();
        let m = sorted.len() as f64;
        let remaining = |i: usize| m - i as f64;
        let ranked = || sorted.iter().enumerate();
        let mut adjusted = match self {
            Self::Bonferroni => sorted.iter().map(|p| m * p).collect(),
            Self::Sidak => sorted.iter().map(|&p| any_of(p, m)).collect(),
            Self::Holm => running_maximum(ranked().map(|(i, p)| remaining(i) * p)),
            Self::HolmSidak => running_maximum(ranked().map(|(i, &p)| any_of(p, remaining(i)))),
            Self::Hochberg => hochberg(&sorted),
            Self::Hommel => hommel(&sorted),
            Self::BenjaminiHochberg => benjamini_hochberg(&sorted),
            Self::BenjaminiYekutieli => {
                let harmonic: f64 = (1..=sorted.len()).map(|j| 1.0 / j as f64).sum();
                benjamini_hochberg(&sorted).into_iter().map(|q| q * harmonic).collect()
            }
            Self::SharpenedQ => sharpened_q(&sorted),
            Self::FixedSequence => sorted.clone(),
        };
        for (adjusted, p) in adjusted.iter_mut().zip(&sorted) {
            // Rounding may leave a factor of one below one.
            let least = if self == Self::SharpenedQ { 0.0 } else { *p };
            *adjusted = adjusted.clamp(least, 1.0);
        }
        let mut placed = vec![0.0; sorted.len()];
        for (value, &place) in adjusted.into_iter().zip(&order) {
            placed[place] = value;
        }
        Ok(placed)
    }

    /// The hypotheses that are rejected at `alpha`: those with an adjusted p-value of at most `alpha`.
    ///
    /// # Errors
    /// As [`Adjustment::adjust`], and for an `alpha` that is not between 0 and 1.
    pub fn reject(self, p_values: &[f64], alpha: f64) -> Result<Vec<bool>> {
        check_alpha(alpha)?;
        Ok(self.adjust(p_values)?.into_iter().map(|p| p <= alpha).collect())
    }
}

/// `1 - (1 - p)^m`.
pub(super) fn any_of(p: f64, m: f64) -> f64 {
    -(m * (-p).ln_1p()).exp_m1()
}

pub(super) fn running_maximum(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut largest = 0.0_f64;
    values
        .map(|value| {
            largest = largest.max(value);
            largest
        })
        .collect()
}

/// The smallest of the values from each place on.
fn minimum_from_here(values: impl DoubleEndedIterator<Item = f64>) -> Vec<f64> {
    let mut smallest = f64::INFINITY;
    let mut minima: Vec<f64> = values
        .rev()
        .map(|value| {
            smallest = smallest.min(value);
            smallest
        })
        .collect();
    minima.reverse();
    minima
}

fn hochberg(sorted: &[f64]) -> Vec<f64> {
    let m = sorted.len();
    minimum_from_here((0..m).map(|i| (m - i) as f64 * sorted[i]))
}

fn benjamini_hochberg(sorted: &[f64]) -> Vec<f64> {
    let m = sorted.len() as f64;
    minimum_from_here((0..sorted.len()).map(|i| m * sorted[i] / (i + 1) as f64))
}

/// The closed test of Simes's. Among the sets of size s that hold a hypothesis, the one with the s - 1
/// largest of the other p-values has the largest Simes p-value.
fn hommel(sorted: &[f64]) -> Vec<f64> {
    let m = sorted.len();
    let mut adjusted = sorted.to_vec();
    for size in 2..=m {
        let s = size as f64;
        // Without the smallest member of the set.
        let others =
            (2..=size).map(|j| s * sorted[m - size + j - 1] / j as f64).fold(f64::INFINITY, f64::min);
        for (i, adjusted) in adjusted.iter_mut().enumerate() {
            // The smallest member is the hypothesis itself, unless it is one of the s largest.
            let smallest = sorted[i.min(m - size)];
            *adjusted = adjusted.max(others.min(s * smallest));
        }
    }
    // Equal in exact arithmetic at worst.
    adjusted.into_iter().zip(hochberg(sorted)).map(|(hommel, hochberg)| hommel.min(hochberg)).collect()
}

/// The smallest q at which the two-stage procedure rejects.
///
/// At `q' = q / (1 + q)` stage one rejects r or more where `b_r <= q'`; stage two then rejects hypothesis i
/// where `(m - r) t_i <= q'`, with `b_r` the smallest of `m p_(j) / j` and `t_i` that of `p_(j) / j`, over
/// `j` from r, and from i, on.
fn sharpened_q(sorted: &[f64]) -> Vec<f64> {
    let m = sorted.len();
    let stage_one = benjamini_hochberg(sorted);
    let stage_two = minimum_from_here((0..m).map(|i| sorted[i] / (i + 1) as f64));
    stage_two
        .into_iter()
        .map(|t| {
            let at = |r: usize| stage_one[r - 1].max((m - r) as f64 * t);
            // The first rises with r and the second falls: the smallest maximum is where they cross.
            let mut crossing = (1, m);
            while crossing.0 < crossing.1 {
                let r = usize::midpoint(crossing.0, crossing.1);
                if stage_one[r - 1] < (m - r) as f64 * t { crossing.0 = r + 1 } else { crossing.1 = r }
            }
            let r = crossing.0;
            let q = at(r).min(at(r.saturating_sub(1).max(1)));
            if q >= 0.5 { 1.0 } else { q / (1.0 - q) }
        })
        .collect()
}

/// The rejections of the two-stage procedure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TwoStage {
    /// The number of rejections of stage one.
    pub stage_one_rejections: usize,
    /// Whether each hypothesis is rejected, in the order given.
    pub rejected: Vec<bool>,
}

/// The two-stage procedure for a false discovery rate of `q`.
///
/// # Formula
///
/// Stage one is Benjamini and Hochberg's at `q' = q / (1 + q)`, with `r` rejections of `m`. With none nothing
/// is rejected, with `m` everything; else stage two is Benjamini and Hochberg's at `q' m / (m - r)`. The
/// smallest q at which a hypothesis is rejected is [`Adjustment::SharpenedQ`].
///
/// # Errors
/// As [`Adjustment::reject`].
///
/// # Examples
/// ```
/// use armwise::multiplicity::two_stage_rejections;
///
/// let two_stage = two_stage_rejections(&[0.001, 0.004, 0.0021, 0.0105, 0.3], 0.05)?;
/// assert_eq!(two_stage.stage_one_rejections, 4);
/// assert_eq!(two_stage.rejected, [true, true, true, true, false]);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Benjamini, Krieger & Yekutieli (2006), Biometrika 93:491, definition 6.
pub fn two_stage_rejections(p_values: &[f64], q: f64) -> Result<TwoStage> {
    check_alpha(q)?;
    let m = p_values.len();
    let adjusted = Adjustment::BenjaminiHochberg.adjust(p_values)?;
    let at = q / (1.0 + q);
    let stage_one_rejections = adjusted.iter().filter(|p| **p <= at).count();
    let rejected = match stage_one_rejections {
        0 => vec![false; m],
        all if all == m => vec![true; m],
        some => {
            let at = at * m as f64 / (m - some) as f64;
            adjusted.iter().map(|p| *p <= at).collect()
        }
    };
    Ok(TwoStage { stage_one_rejections, rejected })
}
