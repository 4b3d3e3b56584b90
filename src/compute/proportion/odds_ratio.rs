//! The odds ratio of two proportions and its intervals.

use super::discrete::Hypergeometric;
use super::score::{Cells, odds_ratio_lower};
use super::{Critical, TwoProportions};
use crate::compute::interval::{Interval, extended};
use crate::error::{Error, ErrorKind, Result};

/// The odds ratio, treatment over control.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct OddsRatio {
    /// `x1 y0 / (y1 x0)`; may be 0 or infinite.
    #[serde(with = "extended")]
    pub estimate: f64,
    /// Its logarithm, where finite.
    pub log_estimate: Option<f64>,
    /// The standard error of the logarithm, `sqrt(1/x1 + 1/y1 + 1/x0 + 1/y0)`, where finite.
    pub se_log: Option<f64>,
}

impl OddsRatio {
    /// The Wald interval on the log scale, `exp(log estimate -/+ z se_log)`.
    ///
    /// # Errors
    /// `invalid_input` for a level outside (0, 1); `not_estimable` where the logarithm is infinite.
    pub fn interval(&self, level: f64) -> Result<Interval> {
        woolf(self, Critical::new(level)?.z)
    }
}

/// Intervals of an odds ratio. Symbols: `x` events, `y` non-events, 1 treatment, 0 control, `z` the normal
/// quantile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OddsRatioInterval {
    /// `exp(ln OR -/+ z sqrt(1/x1 + 1/y1 + 1/x0 + 1/y0))`; needs four cells above 0. Woolf (1955, Annals of
    /// Human Genetics 19:251-253).
    Woolf,
    /// Woolf's with 1/2 added to all four cells, always. Haldane (1956), Anscombe (1956). Need not contain
    /// the observed odds ratio.
    HaldaneAnscombe,
    /// The odds ratios that the score test does not reject:
    /// `(x1 - e)^2 (1/e + 1/(n1-e) + 1/(m-e) + 1/(n0-m+e)) <= z^2`, `e` the expected events at that odds
    /// ratio given the margins (`m` events in all). Cornfield (1956), without his continuity correction.
    Cornfield,
    /// Cornfield's with the variance multiplied by `N/(N-1)`. Miettinen & Nurminen (1985, Statistics in
    /// Medicine 4:213-226).
    MiettinenNurminen,
    /// Exact: the limits at which the observed events have tail probability `(1 - level)/2` in the noncentral
    /// hypergeometric distribution. Cornfield (1956); Fisher's interval.
    ExactConditional,
    /// The same with half the probability of the observed table. Lancaster (1961), Berry & Armitage (1995).
    MidP,
}

impl TwoProportions {
    /// The odds ratio.
    ///
    /// # Errors
    /// `not_estimable` where all participants, or none, have the event (0/0).
    pub fn odds_ratio(&self) -> Result<OddsRatio> {
        let c = self.cells();
        if (c.x1 == 0.0 && c.x0 == 0.0) || (c.y1 == 0.0 && c.y0 == 0.0) {
            return Err(uninformative());
        }
        Ok(from_cells(c))
    }

    /// The odds ratio with 1/2 added to all four cells, always (Haldane 1956; Anscombe 1956), the centre of
    /// [`OddsRatioInterval::HaldaneAnscombe`].
    pub fn haldane_anscombe_odds_ratio(&self) -> OddsRatio {
        from_cells(with_halves(self.cells()))
    }

    /// The conditional maximum likelihood estimate of the odds ratio given both margins: the odds ratio at
    /// which the mean of the noncentral hypergeometric distribution is the observed number of events. It is 0
    /// (infinite) where the number of events is the smallest (largest) that the margins allow. This is what
    /// R's `fisher.test` reports.
    ///
    /// # Errors
    /// `not_estimable` where the margins allow only one table.
    pub fn conditional_odds_ratio(&self) -> Result<f64> {
        let table = Hypergeometric::new(self.cells());
        match table.edge() {
            Edge::Both => Err(uninformative()),
            Edge::Lowest => Ok(0.0),
            Edge::Highest => Ok(f64::INFINITY),
            Edge::None => {
                let start = table.woolf_start();
                Ok(table.solve(start, |t| t.mean_minus_x).exp())
            }
        }
    }

    /// The median unbiased estimate of the odds ratio given both margins: the odds ratio at which the events
    /// below the observed number, plus half the observed table, have probability 1/2 (Birnbaum 1964; Hirji,
    /// Tsiatis & Mehta 1989).
    ///
    /// # Errors
    /// `not_estimable` where the number of events is the smallest or the largest that the margins allow.
    pub fn median_unbiased_odds_ratio(&self) -> Result<f64> {
        let table = Hypergeometric::new(self.cells());
        match table.edge() {
            Edge::Both => Err(uninformative()),
            Edge::Lowest | Edge::Highest => Err(ErrorKind::NotEstimable(
                "the events are at the edge of what the margins allow, so that there is no median unbiased odds ratio; \
                 use an exact or score interval"
                    .into(),
            )
            .into()),
            Edge::None => Ok(table.solve(table.woolf_start(), |t| (t.above + 0.5 * t.at) - 0.5).exp()),
        }
    }

    /// A confidence interval of the odds ratio; `level` between 0 and 1, as 0.95. Limits may be 0 or
    /// infinite.
    ///
    /// # Errors
    /// `invalid_input` for a level outside (0, 1); `not_estimable` for [`OddsRatioInterval::Woolf`] with an
    /// empty cell.
    ///
    /// # Examples
    /// ```
    /// use armwise::proportion::{OddsRatioInterval, Proportion, TwoProportions};
    ///
    /// // Fisher's tea: 3 of 4 against 1 of 4
    /// let two = TwoProportions::new(Proportion::new(3, 4)?, Proportion::new(1, 4)?);
    /// let interval = two.odds_ratio_interval(OddsRatioInterval::ExactConditional, 0.95)?;
    /// assert!(
    ///     (interval.lower() - 0.2117).abs() < 5e-5 && (interval.upper() - 626.24).abs() < 0.01
    /// );
    /// assert!((two.conditional_odds_ratio()? - 6.4083).abs() < 5e-5);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn odds_ratio_interval(&self, method: OddsRatioInterval, level: f64) -> Result<Interval> {
        self.odds_ratio_between(method, Critical::new(level)?)
    }

    pub(super) fn odds_ratio_between(
        &self,
        method: OddsRatioInterval,
        critical: Critical,
    ) -> Result<Interval> {
        let c = self.cells();
        match method {
            OddsRatioInterval::Woolf => woolf(&self.odds_ratio()?, critical.z),
            OddsRatioInterval::HaldaneAnscombe => woolf(&self.haldane_anscombe_odds_ratio(), critical.z),
            OddsRatioInterval::Cornfield => Ok(score_interval(c, critical.squared())),
            OddsRatioInterval::MiettinenNurminen => {
                Ok(score_interval(c, critical.squared() * c.total() / (c.total() - 1.0)))
            }
            OddsRatioInterval::ExactConditional => Ok(conditional_interval(c, critical, 1.0)),
            OddsRatioInterval::MidP => Ok(conditional_interval(c, critical, 0.5)),
        }
    }
}

/// Where the observed events lie among those that the margins allow.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Edge {
    None,
    Lowest,
    Highest,
    Both,
}

fn uninformative() -> Error {
    ErrorKind::NotEstimable(
        "all participants or none have the event, so that the odds ratio is 0/0; use the difference in proportions".into(),
    )
    .into()
}

pub(super) fn with_halves(c: Cells) -> Cells {
    Cells { x1: c.x1 + 0.5, y1: c.y1 + 0.5, x0: c.x0 + 0.5, y0: c.y0 + 0.5 }
}

fn from_cells(c: Cells) -> OddsRatio {
    let estimate = (c.x1 * c.y0) / (c.y1 * c.x0);
    let finite = estimate > 0.0 && estimate.is_finite();
    OddsRatio {
        estimate,
        log_estimate: finite.then(|| estimate.ln()),
        se_log: finite.then(|| (1.0 / c.x1 + 1.0 / c.y1 + 1.0 / c.x0 + 1.0 / c.y0).sqrt()),
    }
}

fn woolf(odds_ratio: &OddsRatio, z: f64) -> Result<Interval> {
    odds_ratio.se_log.map_or_else(
        || {
            Err(ErrorKind::NotEstimable(
                "a cell is empty, so that the logarithm of the odds ratio has no standard error; \
                 use a score or an exact interval"
                    .into(),
            )
            .into())
        },
        |se| {
            let factor = (z * se).exp();
            Ok(Interval::between(odds_ratio.estimate / factor, odds_ratio.estimate * factor))
        },
    )
}

fn score_interval(c: Cells, k: f64) -> Interval {
    Interval::between(odds_ratio_lower(c, k), 1.0 / odds_ratio_lower(c.swapped(), k))
}

/// The limits whose tails, counting `weight` of the observed table, have the probability of the level's tail.
fn conditional_interval(c: Cells, critical: Critical, weight: f64) -> Interval {
    let lower = |c: Cells| {
        let table = Hypergeometric::new(c);
        if matches!(table.edge(), Edge::Lowest | Edge::Both) {
            return 0.0;
        }
        let start = odds_ratio_lower(c, critical.squared()).ln();
        table.solve(start, |t| log_ratio(t.above + weight * t.at, critical.tail)).exp()
    };
    Interval::between(lower(c), 1.0 / lower(c.swapped()))
}

/// The logarithm straightens the tail probability; far out it is cut off so that it stays finite.
fn log_ratio(tail: f64, wanted: f64) -> f64 {
    (tail.max(1e-300) / wanted).ln()
}
