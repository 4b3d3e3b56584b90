//! Trend in proportions over ordered groups.

use super::table::{centred, degenerate};
use crate::compute::distribution::Normal;
use crate::compute::hypothesis::ChiSquaredTest;
use crate::error::{Error, ErrorKind, Result, counted};

/// One group of a trend: events among participants, and the group's score (dose, intensity).
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ScoredGroup {
    /// Participants with the event.
    pub events: u64,
    /// Participants.
    pub n: u64,
    /// The score.
    pub score: f64,
}

/// The Cochran-Armitage test for a trend in proportions.
///
/// # Formula
/// With events `x_i` of `n_i` at scores `s_i`, `p = sum x_i / N`, `q = 1 - p`, `s` the mean score over
/// participants and `S = sum n_i (s_i - s)^2`: `z = sum x_i (s_i - s) / sqrt(p q S)`, and the slope of the
/// weighted regression of the proportions on the scores is `sum x_i (s_i - s) / S`.
///
/// # Errors
/// Of [`TrendTest::new`]: `degenerate_table` with fewer than two groups, an empty group, or where all
/// participants or none have the event; `zero_variance` where all scores are equal; `invalid_input` for more
/// events than participants or a score that is not finite.
///
/// # Examples
/// Smokers among four groups of lung patients (Fleiss 1981), as in R's `prop.trend.test`.
/// ```
/// use armwise::categorical::{ScoredGroup, TrendTest};
///
/// let groups = [(83, 86), (90, 93), (129, 136), (70, 82)];
/// let groups: Vec<_> = (1..)
///     .zip(groups)
///     .map(|(score, (events, n))| ScoredGroup { events, n, score: f64::from(score) })
///     .collect();
/// let trend = TrendTest::new(&groups)?;
/// assert!((trend.chi_squared.statistic - 8.2249).abs() < 1e-4);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Cochran (1954), Biometrics 10:417. Armitage (1955), Biometrics 11:375.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct TrendTest {
    /// Positive where the proportion rises with the score.
    pub z: f64,
    /// `z^2` with one degree of freedom: its p-value is two-sided.
    pub chi_squared: ChiSquaredTest,
    /// `z^2 (N - 1) / N`, the permutation variance: equal to the linear-by-linear statistic (Mantel 1963).
    pub chi_squared_n_minus_1: ChiSquaredTest,
    /// The one-sided p-value against a rising proportion.
    pub p_value_increasing: f64,
    /// The one-sided p-value against a falling proportion.
    pub p_value_decreasing: f64,
    /// The change of the proportion per unit of score.
    pub slope: f64,
    /// What Pearson's chi-square of the table leaves beside the trend; `None` with two groups, where nothing
    /// can be left.
    pub departure: Option<ChiSquaredTest>,
}

impl TrendTest {
    /// Tests the trend over at least two groups.
    ///
    /// # Errors
    /// See [`TrendTest`].
    pub fn new(groups: &[ScoredGroup]) -> Result<Self> {
        if groups.len() < 2 {
            return Err(degenerate(format!(
                "there is no trend in {}; give at least two",
                counted(groups.len(), "group")
            )));
        }
        let mut total = 0_u64;
        for (row, group) in groups.iter().enumerate() {
            if group.n == 0 {
                return Err(degenerate(format!("group {} holds nobody; leave it out", row + 1)));
            }
            if group.events > group.n || group.score.is_nan() || group.score.abs() > 1e100 {
                return Err(Error::invalid(format!(
                    "group {} has {} among {} at the score {}; events are at most the participants, and \
                     scores are finite",
                    row + 1,
                    counted(group.events, "event"),
                    counted(group.n, "participant"),
                    group.score
                )));
            }
            total = total
                .checked_add(group.n)
                .filter(|total| *total < 1 << 53)
                .ok_or_else(|| Error::invalid("the groups count more than 2^53 participants"))?;
        }
        let n = total as f64;
        let events: u64 = groups.iter().map(|group| group.events).sum();
        if events == 0 || events == total {
            return Err(degenerate(
                "all participants or none have the event, so that there is no trend; report the proportion with its interval"
                    .to_owned(),
            ));
        }
        let sums: Vec<u64> = groups.iter().map(|group| group.n).collect();
        let scores = centred(groups.iter().map(|group| group.score).collect(), &sums)?;
        let (p, q) = (events as f64 / n, (total - events) as f64 / n);
        let (mut products, mut squares, mut pearson) = (0.0, 0.0, 0.0);
        for (group, score) in groups.iter().zip(&scores) {
            let size = group.n as f64;
            // Around the common proportion: the scores sum to zero over participants only up to rounding.
            let excess = group.events as f64 - size * p;
            products += excess * score;
            squares += size * score * score;
            pearson += excess * excess / (size * p * q);
        }
        if !(squares > 0.0 && squares.is_finite()) {
            return Err(
                ErrorKind::ZeroVariance("the scores hardly differ; change their unit".to_owned()).into()
            );
        }
        let z = products / (p * q * squares).sqrt();
        let left = groups.len() - 2;
        let departure = (left > 0).then(|| ChiSquaredTest::new((pearson - z * z).max(0.0), left as f64));
        Ok(Self {
            z,
            chi_squared: ChiSquaredTest::new(z * z, 1.0)?,
            chi_squared_n_minus_1: ChiSquaredTest::new(z * z * ((n - 1.0) / n), 1.0)?,
            p_value_increasing: Normal.sf(z),
            p_value_decreasing: Normal.cdf(z),
            slope: products / squares,
            departure: departure.transpose()?,
        })
    }
}
