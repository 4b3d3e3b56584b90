//! Mantel-Haenszel pooling, and tests of association and homogeneity in stratified tables.

use crate::compute::counts::{
    CellCorrection, Cells, Corrected, RatePair, TwoByTwo, check_rates, check_tables,
};
use crate::compute::hypothesis::ChiSquaredTest;
use crate::compute::interval::Interval;
use crate::compute::reference_distribution::{ReferenceDistribution, check_level};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// What is pooled over two by two tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CountMeasure {
    /// The log odds ratio, with the variance of Robins, Breslow & Greenland (1986).
    LogOddsRatio,
    /// The log risk ratio, with the variance of Greenland & Robins (1985).
    LogRiskRatio,
    /// The risk difference, with the variance of Sato (1989).
    RiskDifference,
}

/// What is pooled over person-time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RateMeasure {
    /// The log rate ratio (Greenland & Robins 1985).
    LogRateRatio,
    /// The rate difference (Greenland & Robins 1985).
    RateDifference,
}

/// Mantel-Haenszel pooling of sparse tables: weights that need no variances, so nothing is added to empty
/// cells.
///
/// # Formula
/// With cells a, b (treatment: events, others), c, d (control), n1 = a + b, n0 = c + d, N = n1 + n0 in each
/// stratum: odds ratio sum(ad/N)/sum(bc/N); risk ratio sum(a n0/N)/sum(c n1/N); risk difference sum((a n0 - c
/// n1)/N)/sum(n1 n0/N). With events x and person-time t, T = t1 + t0: rate ratio sum(x1 t0/T)/sum(x0 t1/T);
/// rate difference sum((x1 t0 - x0 t1)/T)/sum(t1 t0/T). Q = sum (y - pooled)²/v over the inverse-variance
/// effects y of the strata, after the correction for Q, without strata that say nothing (no events, or only
/// events, in both arms).
///
/// # Defaults
/// No correction in pooling, 1/2 in tables with an empty cell for Q only, level 0.95.
///
/// # Errors
/// [`ErrorKind::NoStudies`]; [`ErrorKind::InvalidInput`] for impossible counts; [`ErrorKind::NotEstimable`]
/// where a ratio is 0 or infinite; [`ErrorKind::ZeroVariance`] where a difference has no variance.
///
/// # Examples
/// ```
/// use armwise::meta_analysis::{Counts, CountMeasure, MantelHaenszel, TwoByTwo};
///
/// let arm = |events, n| Counts { events, n };
/// let tables = [
///     TwoByTwo { treatment: arm(12.0, 104.0), control: arm(21.0, 99.0) },
///     TwoByTwo { treatment: arm(0.0, 40.0), control: arm(1.0, 42.0) },
/// ];
/// let pooled = MantelHaenszel::new().counts(CountMeasure::LogRiskRatio, &tables)?;
/// let ratio = (12.0 * 99.0 / 203.0) / (21.0 * 104.0 / 203.0 + 40.0 / 82.0);
/// assert!((pooled.estimate - f64::ln(ratio)).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Mantel & Haenszel 1959, J. Natl. Cancer Inst. 22; Bradburn et al. 2007, Stat. Med. 26 (sparse data).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MantelHaenszel {
    pooling_correction: CellCorrection,
    q_correction: CellCorrection,
    level: f64,
}

/// A pooled effect from tables.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TablePool {
    /// The number of strata.
    pub k: usize,
    /// The pooled effect; logarithms of ratios.
    pub estimate: f64,
    /// Its standard error.
    pub se: f64,
    /// estimate/se.
    pub statistic: f64,
    /// Two-sided, standard normal.
    pub p_value: f64,
    /// The two-sided interval.
    pub interval: Interval,
    /// The strata that Q is computed from.
    pub k_for_q: usize,
    /// Heterogeneity around the pooled effect.
    pub q: ChiSquaredTest,
    /// max(0, (Q - df)/Q), from 0 to 1.
    pub i2: f64,
    /// Q/df; 1 without degrees of freedom.
    pub h2: f64,
    /// The confidence level.
    pub level: f64,
}

impl TablePool {
    pub(crate) fn new(
        k: usize,
        estimate: f64,
        variance: f64,
        q: f64,
        k_for_q: usize,
        level: f64,
    ) -> Result<Self> {
        let se = variance.sqrt();
        if !(se > 0.0 && se.is_finite() && estimate.is_finite()) {
            let why = "the strata hold too few events for a standard error; pool fewer arms, or leave the outcome out";
            return Err(ErrorKind::ZeroVariance(why.into()).into());
        }
        let statistic = estimate / se;
        let free = k_for_q.saturating_sub(1) as f64;
        let q = ChiSquaredTest::new(q.max(0.0), free)?;
        Ok(Self {
            k,
            estimate,
            se,
            statistic,
            p_value: ReferenceDistribution::Normal.two_sided(statistic),
            interval: Interval::around(estimate, ReferenceDistribution::Normal.critical(level)? * se),
            k_for_q,
            q,
            i2: if q.statistic > free && free > 0.0 { (q.statistic - free) / q.statistic } else { 0.0 },
            h2: if free > 0.0 { q.statistic / free } else { 1.0 },
            level,
        })
    }

    /// exp(estimate): the ratio itself, where the estimate is a logarithm.
    pub fn ratio(&self) -> f64 {
        self.estimate.exp()
    }

    /// The interval of the ratio.
    pub fn ratio_interval(&self) -> Interval {
        self.interval.map(f64::exp)
    }
}

impl Default for MantelHaenszel {
    fn default() -> Self {
        Self::new()
    }
}

impl MantelHaenszel {
    /// The documented defaults.
    pub fn new() -> Self {
        Self {
            pooling_correction: CellCorrection::NONE,
            q_correction: CellCorrection::HALF_WHERE_ZERO,
            level: 0.95,
        }
    }

    setters! {
        /// What is added to the cells before pooling; default nothing.
        pooling_correction: CellCorrection;
        /// What is added to the cells for Q only; default 1/2 in tables with an empty cell.
        q_correction: CellCorrection;
        /// The confidence level, between 0 and 1; default 0.95.
        level: f64;
    }

    fn check(&self, k: usize) -> Result<()> {
        check_level(self.level)?;
        self.pooling_correction.check()?;
        self.q_correction.check()?;
        if k == 0 { Err(ErrorKind::NoStudies.into()) } else { Ok(()) }
    }

    /// Pools two by two tables.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn counts(&self, measure: CountMeasure, tables: &[TwoByTwo]) -> Result<TablePool> {
        self.check(tables.len())?;
        check_tables(tables)?;
        let cells = self.pooling_correction.apply(tables.iter().map(Cells::from)).flatten();
        let (estimate, variance) = match measure {
            CountMeasure::LogOddsRatio => log_odds_ratio(cells)?,
            CountMeasure::LogRiskRatio => log_risk_ratio(cells)?,
            CountMeasure::RiskDifference => risk_difference(cells),
        };
        let informative = tables.iter().map(Cells::from).filter(|cells| !cells.says_nothing());
        let (mut q, mut k_for_q) = (0.0, 0);
        for cells in self.q_correction.apply(informative).flatten() {
            let effect = inverse_variance(measure, cells);
            q += squared_distance(effect, estimate)?;
            k_for_q += 1;
        }
        TablePool::new(tables.len(), estimate, variance, q, k_for_q, self.level)
    }

    /// Pools events and person-time.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn rates(&self, measure: RateMeasure, pairs: &[RatePair]) -> Result<TablePool> {
        self.check(pairs.len())?;
        check_rates(pairs)?;
        let (mut r, mut s, mut spread, mut weight, mut difference_spread) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for pair in self.pooling_correction.apply(pairs.iter().copied()).flatten() {
            let (x1, t1, x0, t0) =
                (pair.treatment.events, pair.treatment.time, pair.control.events, pair.control.time);
            let total = t1 + t0;
            let w = t1 * t0 / total;
            r += x1 * t0 / total;
            s += x0 * t1 / total;
            spread += w / total * (x1 + x0);
            weight += w;
            difference_spread += w * w * (x1 / (t1 * t1) + x0 / (t0 * t0));
        }
        let (estimate, variance) = match measure {
            RateMeasure::LogRateRatio => (log_ratio(r, s)?, spread / (r * s)),
            RateMeasure::RateDifference => ((r - s) / weight, difference_spread / (weight * weight)),
        };
        let (mut q, mut k_for_q) = (0.0, 0);
        let informative = pairs.iter().copied().filter(|pair| !pair.says_nothing());
        for pair in self.q_correction.apply(informative).flatten() {
            let (x1, t1, x0, t0) =
                (pair.treatment.events, pair.treatment.time, pair.control.events, pair.control.time);
            let effect = match measure {
                RateMeasure::LogRateRatio => ((x1 / t1 * (t0 / x0)).ln(), 1.0 / x1 + 1.0 / x0),
                RateMeasure::RateDifference => (x1 / t1 - x0 / t0, x1 / (t1 * t1) + x0 / (t0 * t0)),
            };
            q += squared_distance(effect, estimate)?;
            k_for_q += 1;
        }
        TablePool::new(pairs.len(), estimate, variance, q, k_for_q, self.level)
    }

    /// Tests of association and homogeneity of the odds ratio, on the tables as corrected for pooling.
    ///
    /// # Errors
    /// As [`MantelHaenszel::counts`] with [`CountMeasure::LogOddsRatio`].
    pub fn association(&self, tables: &[TwoByTwo]) -> Result<AssociationTests> {
        self.check(tables.len())?;
        check_tables(tables)?;
        let cells = || self.pooling_correction.apply(tables.iter().map(Cells::from)).flatten();
        let odds_ratio = log_odds_ratio(cells())?.0.exp();
        let (mut excess, mut variance, mut cochran) = (0.0, 0.0, 0.0);
        let (mut breslow_day, mut beyond, mut conditional, mut strata) = (0.0, 0.0, 0.0, 0_usize);
        for cells in cells() {
            excess += cells.excess();
            variance += cells.hypergeometric_variance();
            cochran += cells.margins() / cells.total().powi(3);
            if cells.says_nothing() {
                continue;
            }
            let (distance, spread) = breslow_day_term(cells, odds_ratio);
            breslow_day += distance * distance / spread;
            beyond += distance;
            conditional += spread;
            strata += 1;
        }
        if variance <= 0.0 || variance.is_nan() {
            let why = "no stratum has both events and others; there is nothing to test";
            return Err(ErrorKind::NotEstimable(why.into()).into());
        }
        let corrected = (excess.abs() - 0.5).max(0.0);
        let df = strata.saturating_sub(1) as f64;
        let tarone = breslow_day - beyond * beyond / conditional;
        Ok(AssociationTests {
            cmh: ChiSquaredTest::new(excess * excess / variance, 1.0)?,
            cmh_corrected: ChiSquaredTest::new(corrected * corrected / variance, 1.0)?,
            cochran: ChiSquaredTest::new(excess * excess / cochran, 1.0)?,
            breslow_day: ChiSquaredTest::new(breslow_day, df)?,
            tarone: ChiSquaredTest::new(tarone.max(0.0), df)?,
        })
    }

    /// The Mantel-Haenszel test that rates do not depend on the treatment: (sum of x1 minus its
    /// expectation)²/variance, given the events of each stratum, without continuity correction.
    ///
    /// # Errors
    /// As [`MantelHaenszel::rates`]; [`ErrorKind::NotEstimable`] without events.
    pub fn rate_association(&self, pairs: &[RatePair]) -> Result<ChiSquaredTest> {
        self.check(pairs.len())?;
        check_rates(pairs)?;
        let (mut excess, mut variance) = (0.0, 0.0);
        for pair in self.pooling_correction.apply(pairs.iter().copied()).flatten() {
            let events = pair.treatment.events + pair.control.events;
            let share = pair.treatment.time / (pair.treatment.time + pair.control.time);
            excess += pair.treatment.events - events * share;
            variance += events * share * (1.0 - share);
        }
        if variance <= 0.0 || variance.is_nan() {
            return Err(
                ErrorKind::NotEstimable("no stratum has events; there is nothing to test".into()).into()
            );
        }
        ChiSquaredTest::new(excess * excess / variance, 1.0)
    }
}

/// Tests on stratified two by two tables.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AssociationTests {
    /// Cochran-Mantel-Haenszel: (sum of a minus its expectation)² / sum n1 n0 m1 m0/(N²(N - 1)).
    pub cmh: ChiSquaredTest,
    /// The same with 1/2 taken from the distance.
    pub cmh_corrected: ChiSquaredTest,
    /// Cochran (1954): N³ instead of N²(N - 1).
    pub cochran: ChiSquaredTest,
    /// Breslow & Day (1980): homogeneity of the odds ratios around the Mantel-Haenszel estimate.
    pub breslow_day: ChiSquaredTest,
    /// Breslow-Day with the correction of Tarone (1985).
    pub tarone: ChiSquaredTest,
}

fn log_ratio(numerator: f64, denominator: f64) -> Result<f64> {
    if numerator > 0.0 && denominator > 0.0 {
        return Ok((numerator / denominator).ln());
    }
    Err(ErrorKind::NotEstimable(
        "the pooled ratio is 0, infinite or undefined, because an arm has no events (or only events) in any stratum; \
         take the risk or rate difference, or the Peto odds ratio"
            .into(),
    )
    .into())
}

fn squared_distance((effect, variance): (f64, f64), estimate: f64) -> Result<f64> {
    if effect.is_finite() && variance > 0.0 && variance.is_finite() {
        return Ok((effect - estimate) * (effect - estimate) / variance);
    }
    Err(Error::from(ErrorKind::NotEstimable(
        "Q needs an effect with a variance from every stratum; add 1/2 to tables with empty cells for Q"
            .into(),
    )))
}

fn log_odds_ratio(tables: impl Iterator<Item = Cells>) -> Result<(f64, f64)> {
    let (mut r, mut s, mut pr, mut mixed, mut qs) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for t in tables {
        let total = t.total();
        let (ri, si) = (t.x1 * t.y0 / total, t.y1 * t.x0 / total);
        let (p, q) = ((t.x1 + t.y0) / total, (t.y1 + t.x0) / total);
        r += ri;
        s += si;
        pr += p * ri;
        mixed += p * si + q * ri;
        qs += q * si;
    }
    let estimate = log_ratio(r, s)?;
    Ok((estimate, 0.5 * (pr / (r * r) + mixed / (r * s) + qs / (s * s))))
}

fn log_risk_ratio(tables: impl Iterator<Item = Cells>) -> Result<(f64, f64)> {
    let (mut r, mut s, mut spread) = (0.0, 0.0, 0.0);
    for t in tables {
        let (n1, n0, total) = (t.n1(), t.n0(), t.total());
        r += t.x1 * n0 / total;
        s += t.x0 * n1 / total;
        spread += (n1 * n0 * (t.x1 + t.x0) - t.x1 * t.x0 * total) / (total * total);
    }
    Ok((log_ratio(r, s)?, spread / (r * s)))
}

fn risk_difference(tables: impl Iterator<Item = Cells>) -> (f64, f64) {
    let (mut numerator, mut weight, mut p, mut q) = (0.0, 0.0, 0.0, 0.0);
    for t in tables {
        let (n1, n0, total) = (t.n1(), t.n0(), t.total());
        numerator += (t.x1 * n0 - t.x0 * n1) / total;
        weight += n1 * n0 / total;
        p += (n1 * n1 * t.x0 - n0 * n0 * t.x1 + n1 * n0 * (n0 - n1) / 2.0) / (total * total);
        q += (t.x1 * t.y0 + t.x0 * t.y1) / (2.0 * total);
    }
    let estimate = numerator / weight;
    (estimate, (estimate * p + q) / (weight * weight))
}

/// Effect and variance of one table.
fn inverse_variance(measure: CountMeasure, t: Cells) -> (f64, f64) {
    let (n1, n0) = (t.n1(), t.n0());
    match measure {
        CountMeasure::LogOddsRatio => {
            ((t.x1 / t.y1 * (t.y0 / t.x0)).ln(), 1.0 / t.x1 + 1.0 / t.y1 + 1.0 / t.x0 + 1.0 / t.y0)
        }
        CountMeasure::LogRiskRatio => {
            ((t.x1 / n1 * (n0 / t.x0)).ln(), 1.0 / t.x1 - 1.0 / n1 + 1.0 / t.x0 - 1.0 / n0)
        }
        CountMeasure::RiskDifference => {
            (t.x1 / n1 - t.x0 / n0, t.x1 * t.y1 / n1.powi(3) + t.x0 * t.y0 / n0.powi(3))
        }
    }
}

/// The distance of a from its fitted value under a common odds ratio, and its variance there.
fn breslow_day_term(t: Cells, odds_ratio: f64) -> (f64, f64) {
    let (n1, n0, events) = (t.n1(), t.n0(), t.x1 + t.x0);
    // x (n0 - events + x) = odds_ratio (n1 - x)(events - x); the root in the range, in the form without
    // cancellation.
    let square = 1.0 - odds_ratio;
    let linear = n0 - events + odds_ratio * (n1 + events);
    let constant = -odds_ratio * n1 * events;
    let discriminant = (linear * linear - 4.0 * square * constant).max(0.0).sqrt();
    let fitted = if linear >= 0.0 {
        -2.0 * constant / (linear + discriminant)
    } else {
        (discriminant - linear) / (2.0 * square)
    };
    let inverse = 1.0 / fitted + 1.0 / (events - fitted) + 1.0 / (n1 - fitted) + 1.0 / (n0 - events + fitted);
    (t.x1 - fitted, 1.0 / inverse)
}
