//! Two proportions in several strata: Mantel-Haenszel estimates and tests.

use super::hypothesis::no_spread;
use super::score::Cells;
use super::{DifferenceInProportions, OddsRatio, RatioOfProportions, TwoProportions};
use crate::compute::hypothesis::ChiSquaredTest;
use crate::error::{Error, ErrorKind, Result};

/// Events and participants of the two groups in one stratum. A group may be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Stratum {
    /// Events in the treatment group.
    pub treatment_events: u64,
    /// Participants in the treatment group.
    pub treatment_n: u64,
    /// Events in the control group.
    pub control_events: u64,
    /// Participants in the control group.
    pub control_n: u64,
}

impl From<TwoProportions> for Stratum {
    fn from(two: TwoProportions) -> Self {
        Self {
            treatment_events: two.treatment.events,
            treatment_n: two.treatment.n,
            control_events: two.control.events,
            control_n: two.control.n,
        }
    }
}

/// Two groups in several strata, such as municipalities or matched sets.
///
/// Symbols of the formulas: `x` events, `y` non-events, `n` participants of the treatment (1) and the control
/// group (0) of a stratum, `N = n1 + n0`, `m = x1 + x0`; sums are over strata.
///
/// ```
/// use armwise::proportion::{MantelHaenszelVariance, StratifiedProportions, Stratum};
///
/// let strata = StratifiedProportions::new([
///     Stratum { treatment_events: 12, treatment_n: 40, control_events: 6, control_n: 38 },
///     Stratum { treatment_events: 9, treatment_n: 30, control_events: 5, control_n: 31 },
/// ])?;
/// let difference = strata.difference(MantelHaenszelVariance::Sato);
/// assert!((difference.estimate - 0.14061).abs() < 1e-5);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Vec<Stratum>", into = "Vec<Stratum>")]
pub struct StratifiedProportions {
    tables: Vec<Cells>,
    empty: usize,
}

impl TryFrom<Vec<Stratum>> for StratifiedProportions {
    type Error = Error;

    fn try_from(strata: Vec<Stratum>) -> Result<Self> {
        Self::new(strata)
    }
}

/// Those with both groups.
impl From<StratifiedProportions> for Vec<Stratum> {
    // Cells are whole numbers.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn from(strata: StratifiedProportions) -> Self {
        let stratum = |c: &Cells| Stratum {
            treatment_events: c.x1 as u64,
            treatment_n: c.n1() as u64,
            control_events: c.x0 as u64,
            control_n: c.n0() as u64,
        };
        strata.tables.iter().map(stratum).collect()
    }
}

/// Variances of the Mantel-Haenszel difference in proportions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MantelHaenszelVariance {
    /// Valid for few large and for many sparse strata: `(d sum P + sum Q) / (sum n1 n0 / N)^2` with
    /// `P = (n1^2 x0 - n0^2 x1 + n1 n0 (n0 - n1)/2) / N^2`, `Q = (x1 y0 + x0 y1) / 2N`. Sato (1989,
    /// Biometrics 45:1323-1324).
    Sato,
    /// For few large strata: `sum (x1 y1 n0^3 + x0 y0 n1^3) / (n1 n0 N^2) / (sum n1 n0 / N)^2`. Greenland &
    /// Robins (1985, Biometrics 41:55-68).
    GreenlandRobins,
}

/// Whether a chi-square statistic has a continuity correction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Continuity {
    /// No correction.
    None,
    /// The correction named at the test.
    Corrected,
}

/// Tests that the odds ratios of all strata are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HomogeneityTest {
    /// `sum (x1 - e)^2 / v`, `e` and `v` the asymptotic mean and variance of `x1` at the Mantel-Haenszel odds
    /// ratio. Breslow & Day (1980, IARC Scientific Publications 32, page 142).
    BreslowDay,
    /// The same less `(sum (x1 - e))^2 / sum v`. Tarone (1985, Biometrika 72:91-95).
    Tarone,
}

impl StratifiedProportions {
    /// The strata. Those with an empty group carry no information and are set aside
    /// ([`empty_strata`](Self::empty_strata)).
    ///
    /// # Errors
    /// `invalid_input` where a group has more events than participants; `not_estimable` where no stratum has
    /// both groups.
    pub fn new<S: Into<Stratum>>(strata: impl IntoIterator<Item = S>) -> Result<Self> {
        let mut tables = Vec::new();
        let mut empty = 0;
        for (row, stratum) in strata.into_iter().enumerate() {
            let s: Stratum = stratum.into();
            match (s.treatment_n.checked_sub(s.treatment_events), s.control_n.checked_sub(s.control_events)) {
                _ if s.treatment_n.max(s.control_n) > 1 << 52 => {
                    return Err(Error::invalid("a group has more than 2^52 participants; check the counts")
                        .in_row(row));
                }
                (Some(_), Some(_)) if s.treatment_n == 0 || s.control_n == 0 => empty += 1,
                (Some(_), Some(_)) if s.treatment_n.max(s.control_n) > 1 << 52 => {
                    let why = "a group has more participants than can be counted exactly (2^52)";
                    return Err(Error::invalid(why).in_row(row));
                }
                (Some(y1), Some(y0)) => tables.push(Cells {
                    x1: s.treatment_events as f64,
                    y1: y1 as f64,
                    x0: s.control_events as f64,
                    y0: y0 as f64,
                }),
                _ => {
                    return Err(Error::invalid(
                        "a group has more events than participants; count every participant once",
                    )
                    .in_row(row));
                }
            }
        }
        if tables.is_empty() {
            return Err(ErrorKind::NotEstimable(
                "no stratum has participants in both groups; merge strata, or compare the groups without strata".into(),
            )
            .into());
        }
        Ok(Self { tables, empty })
    }

    /// The number of strata with both groups.
    pub fn strata(&self) -> usize {
        self.tables.len()
    }

    /// The number of strata set aside because a group is empty.
    pub fn empty_strata(&self) -> usize {
        self.empty
    }

    /// Only the strata with both groups, as if there had been no others.
    pub(crate) fn informative(&self) -> Self {
        Self { tables: self.tables.clone(), empty: 0 }
    }

    pub(super) fn tables(&self) -> &[Cells] {
        &self.tables
    }

    fn sum(&self, term: impl Fn(&Cells) -> f64) -> f64 {
        self.tables.iter().map(term).sum()
    }

    /// The Mantel-Haenszel difference in proportions, `sum w (p1 - p0) / sum w` with `w = n1 n0 / N`
    /// (Greenland & Robins 1985).
    pub fn difference(&self, variance: MantelHaenszelVariance) -> DifferenceInProportions {
        let weight = self.sum(|c| c.n1() * c.n0() / c.total());
        let estimate = self.sum(|c| (c.x1 * c.y0 - c.x0 * c.y1) / c.total()) / weight;
        let variance = match variance {
            MantelHaenszelVariance::Sato => self.sum(|c| {
                let (n1, n0, n) = (c.n1(), c.n0(), c.total());
                let p = (n1 * n1 * c.x0 - n0 * n0 * c.x1 + 0.5 * n1 * n0 * (n0 - n1)) / (n * n);
                estimate * p + (c.x1 * c.y0 + c.x0 * c.y1) / (2.0 * n)
            }),
            MantelHaenszelVariance::GreenlandRobins => self.sum(|c| {
                let (n1, n0, n) = (c.n1(), c.n0(), c.total());
                (c.x1 * c.y1 * (n0 * n0 / n1) + c.x0 * c.y0 * (n1 * n1 / n0)) / (n * n)
            }),
        };
        // Sato's variance is not negative but for rounding.
        DifferenceInProportions { estimate, se: variance.max(0.0).sqrt() / weight }
    }

    /// The Mantel-Haenszel ratio of proportions `R/S`, `R = sum x1 n0 / N`, `S = sum x0 n1 / N`; the variance
    /// of its logarithm is `sum (n1 n0 m - x1 x0 N)/N^2 / (R S)` (Greenland & Robins 1985).
    ///
    /// # Errors
    /// `not_estimable` where no stratum has an event.
    pub fn ratio(&self) -> Result<RatioOfProportions> {
        let r = self.sum(|c| c.x1 * c.n0() / c.total());
        let s = self.sum(|c| c.x0 * c.n1() / c.total());
        let spread = self.sum(|c| {
            let n = c.total();
            (c.n1() * c.n0() * (c.x1 + c.x0) / n - c.x1 * c.x0) / n
        });
        let (estimate, finite) = quotient(r, s)?;
        Ok(RatioOfProportions {
            estimate,
            log_estimate: finite.then(|| estimate.ln()),
            se_log: finite.then(|| (spread.max(0.0) / (r * s)).sqrt()),
        })
    }

    /// The Mantel-Haenszel odds ratio `R/S`, `R = sum x1 y0 / N`, `S = sum x0 y1 / N`, with the variance of
    /// its logarithm by Robins, Breslow & Greenland (1986, Biometrics 42:311-323), valid for few large and
    /// for many sparse strata.
    ///
    /// # Errors
    /// `not_estimable` where no stratum tells the groups apart.
    pub fn odds_ratio(&self) -> Result<OddsRatio> {
        let (r, s) = self.odds_sums();
        let (estimate, finite) = quotient(r, s)?;
        let variance = || {
            let mut sums = [0.0; 3];
            for c in &self.tables {
                let n = c.total();
                let (p, q) = ((c.x1 + c.y0) / n, (c.y1 + c.x0) / n);
                let (r, s) = (c.x1 * c.y0 / n, c.x0 * c.y1 / n);
                sums[0] += p * r;
                sums[1] += p * s + q * r;
                sums[2] += q * s;
            }
            0.5 * (sums[0] / (r * r) + sums[1] / (r * s) + sums[2] / (s * s))
        };
        Ok(OddsRatio {
            estimate,
            log_estimate: finite.then(|| estimate.ln()),
            se_log: finite.then(|| variance().sqrt()),
        })
    }

    fn odds_sums(&self) -> (f64, f64) {
        (self.sum(|c| c.x1 * c.y0 / c.total()), self.sum(|c| c.x0 * c.y1 / c.total()))
    }

    /// The mean of the strata's differences, weighted by the reciprocals of their unpooled variances.
    ///
    /// # Errors
    /// `zero_variance` where a stratum's variance is 0.
    pub fn inverse_variance_difference(&self) -> Result<DifferenceInProportions> {
        let variances = self.unpooled_variances()?;
        let weights: f64 = variances.iter().map(|variance| 1.0 / variance).sum();
        let sum: f64 =
            self.tables.iter().zip(&variances).map(|(c, variance)| c.difference() / variance).sum();
        Ok(DifferenceInProportions { estimate: sum / weights, se: weights.sqrt().recip() })
    }

    /// The unpooled variance of the difference in each stratum.
    pub(super) fn unpooled_variances(&self) -> Result<Vec<f64>> {
        let variance = |(row, c): (usize, &Cells)| {
            let variance = c.x1 * c.y1 / c.n1().powi(3) + c.x0 * c.y0 / c.n0().powi(3);
            if variance > 0.0 {
                return Ok(variance);
            }
            let place = row + 1;
            Err(ErrorKind::ZeroVariance(format!(
                "stratum {place} of those with both groups has variance 0 and would have infinite weight; \
                 use the Mantel-Haenszel difference"
            ))
            .into())
        };
        self.tables.iter().enumerate().map(variance).collect()
    }

    /// The Cochran-Mantel-Haenszel test of no association in any stratum, `(|sum (x1 - e)| - c)^2 / sum v`,
    /// with the hypergeometric `e = n1 m / N` and `v = n1 n0 m (N - m) / (N^2 (N - 1))`. The continuity
    /// correction is `c = 1/2`, and 0 where `|sum (x1 - e)| < 1/2`, as in R's `mantelhaen.test`. Mantel &
    /// Haenszel (1959, JNCI 22:719-748).
    ///
    /// # Errors
    /// `not_estimable` where no stratum has both events and non-events.
    pub fn mantel_haenszel_test(&self, continuity: Continuity) -> Result<ChiSquaredTest> {
        let deviation = self.sum(|c| (c.x1 * c.y0 - c.x0 * c.y1) / c.total()).abs();
        let variance = self.sum(|c| {
            let n = c.total();
            (c.n1() * c.n0() / (n * n)) * ((c.x1 + c.x0) * (c.y1 + c.y0) / (n - 1.0))
        });
        if variance <= 0.0 {
            return Err(no_spread());
        }
        let c = if continuity == Continuity::Corrected && deviation >= 0.5 { 0.5 } else { 0.0 };
        Ok(ChiSquaredTest::one_df((deviation - c).powi(2) / variance))
    }

    /// A test that the odds ratios of all strata are equal, on the number of strata with events and
    /// non-events less 1 degrees of freedom.
    ///
    /// # Errors
    /// `not_estimable` with fewer than two such strata, or where the Mantel-Haenszel odds ratio is 0 or
    /// infinite.
    pub fn homogeneity_test(&self, test: HomogeneityTest) -> Result<ChiSquaredTest> {
        let odds_ratio = self.odds_ratio()?;
        let informative = || self.tables.iter().filter(|c| c.x1 + c.x0 > 0.0 && c.y1 + c.y0 > 0.0);
        let df = informative().count() as f64 - 1.0;
        if odds_ratio.log_estimate.is_none() || df < 1.0 {
            return Err(ErrorKind::NotEstimable(
                "homogeneity needs a finite Mantel-Haenszel odds ratio above 0 and at least two strata with events and non-events"
                    .into(),
            )
            .into());
        }
        let (mut statistic, mut deviations, mut variances) = (0.0, 0.0, 0.0);
        for c in informative() {
            let fitted = fitted(c, odds_ratio.estimate);
            let deviation = c.x1 - fitted.x1;
            let variance = 1.0 / (1.0 / fitted.x1 + 1.0 / fitted.y1 + 1.0 / fitted.x0 + 1.0 / fitted.y0);
            statistic += deviation * deviation / variance;
            deviations += deviation;
            variances += variance;
        }
        if test == HomogeneityTest::Tarone {
            statistic = (statistic - deviations * deviations / variances).max(0.0);
        }
        ChiSquaredTest::new(statistic, df)
    }
}

/// `r / s`, and whether its logarithm is finite.
fn quotient(r: f64, s: f64) -> Result<(f64, bool)> {
    if r == 0.0 && s == 0.0 {
        return Err(no_spread());
    }
    Ok((r / s, r > 0.0 && s > 0.0))
}

/// The cells with the margins of `c` and the given odds ratio: the smaller root of a quadratic, without
/// cancellation.
pub(super) fn fitted(c: &Cells, odds_ratio: f64) -> Cells {
    let (n1, n0, m) = (c.n1(), c.n0(), c.x1 + c.x0);
    let b = odds_ratio * (n1 + m) + n0 - m;
    let root = (odds_ratio * (n1 - m) + n0 - m).hypot(2.0 * (odds_ratio * m * (n1 + n0 - m)).sqrt());
    let x1 = if b >= 0.0 {
        2.0 * odds_ratio * m * n1 / (b + root)
    } else {
        (root - b) / (2.0 * (1.0 - odds_ratio))
    };
    Cells { x1, y1: n1 - x1, x0: m - x1, y0: n0 - m + x1 }
}
