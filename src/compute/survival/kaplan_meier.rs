use super::counts::Counts;
use super::curve_interval::CurveInterval;
use super::data::{SurvivalData, check_horizon};
use crate::compute::interval::Interval;
use crate::compute::reference_distribution::ReferenceDistribution;
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// The estimate of Kaplan and Meier of the probability to be without the event, and that of Nelson and Aalen
/// of the cumulative hazard.
///
/// # Formula
/// With `d` of `n` at risk having the event at a time: `S(t) = prod (1 - d / n)` over times up to `t`, with
/// Greenwood's variance `S(t)^2 sum d / (n (n - d))`; `H(t) = sum d / n` with variance `sum d / n^2`. Weights
/// count rows as often as they say. After left truncation `S` is conditional on the first entry.
///
/// # References
/// Kaplan EL, Meier P (1958), Journal of the American Statistical Association 53:457. Greenwood M (1926), The
/// Natural Duration of Cancer. Aalen OO (1978), Annals of Statistics 6:701.
///
/// ```
/// use armwise::survival::{CurveInterval, KaplanMeier, SurvivalData};
///
/// // Remission of leukaemia under 6-MP (Freireich et al. 1963, Blood 21:699).
/// let weeks = [
///     6.0, 6.0, 6.0, 6.0, 7.0, 9.0, 10.0, 10.0, 11.0, 13.0, 16.0, 17.0, 19.0, 20.0, 22.0,
///     23.0, 25.0, 32.0, 32.0, 34.0, 35.0,
/// ];
/// let relapse = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0];
/// let curve = KaplanMeier::new(&SurvivalData::new(&weeks, &relapse)?)?;
/// let median = curve.quantile(0.5, CurveInterval::LogLog, 0.95)?;
/// assert_eq!((median.estimate, median.lower, median.upper), (Some(23.0), Some(13.0), None));
/// assert!((curve.at(10.0)?.survival - 0.753).abs() < 5e-4);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KaplanMeier {
    /// The number of people; the sum of their weights.
    pub n: f64,
    /// The number of events; weighted.
    pub events: f64,
    /// The last time at which anyone was seen.
    pub last_time: f64,
    /// The curve after each time with an event.
    pub points: Vec<SurvivalPoint>,
}

/// The curves just after a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SurvivalPoint {
    /// The time.
    pub time: f64,
    /// The number at risk at it.
    pub n_risk: f64,
    /// The number of events at it.
    pub n_event: f64,
    /// The probability to be without the event after it.
    pub survival: f64,
    /// Greenwood's standard error; `None` where nobody is left.
    pub se: Option<f64>,
    /// The cumulative hazard up to it.
    pub cumulative_hazard: f64,
    /// The standard error of the cumulative hazard.
    pub cumulative_hazard_se: f64,
}

/// A quantile of the time to the event, with its interval. Parts that the curve does not reach are `None`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TimeQuantile {
    /// The share of people who have had the event by then.
    pub probability: f64,
    /// The estimate.
    pub estimate: Option<f64>,
    /// The lower limit.
    pub lower: Option<f64>,
    /// The upper limit.
    pub upper: Option<f64>,
}

/// The mean time until the event or a horizon, whichever comes first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RestrictedMean {
    /// The horizon.
    pub until: f64,
    /// The mean.
    pub value: f64,
    /// Its standard error.
    pub se: f64,
}

/// The scale on which the interval of a cumulative hazard is symmetric.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HazardInterval {
    /// The hazard itself; limits may be negative.
    Plain,
    /// Its logarithm.
    #[default]
    Log,
}

/// Two curves are at the same height where they differ by less (as R's `quantile.survfit`).
const SAME: f64 = 1.5e-8;

impl KaplanMeier {
    /// The curve of all rows.
    ///
    /// # Errors
    /// `invalid_input` where strata are declared: there is a curve for each ([`KaplanMeier::by_stratum`]).
    pub fn new(data: &SurvivalData) -> Result<Self> {
        if data.strata.is_some() {
            return Err(Error::invalid(
                "there are strata, so that there is a curve for each; take by_stratum, or leave them out",
            ));
        }
        let [curve] =
            <[Self; 1]>::try_from(Self::by_stratum(data)?).map_err(|_| Error::invalid("there is no row"))?;
        Ok(curve)
    }

    /// The curve of each stratum, in the order of their codes.
    ///
    /// # Errors
    /// `empty_arm` for a stratum without rows.
    pub fn by_stratum(data: &SurvivalData) -> Result<Vec<Self>> {
        let grid = data.grid();
        let counts = Counts::new(data, grid, None, 1);
        let mut totals = vec![0.0; data.n_strata()];
        (0..data.n()).for_each(|row| totals[data.stratum(row)] += data.weight(row));
        if let Some(empty) = totals.iter().position(|total| *total <= 0.0) {
            return Err(ErrorKind::EmptyArm(format!(
                "the stratum {empty} has no rows; number the strata from 0"
            ))
            .into());
        }
        let last = data.last_times();
        let curves = totals.into_iter().enumerate().map(|(stratum, n)| {
            let mut points = Vec::with_capacity(grid.strata[stratum].len() - 1);
            let rounding = if data.is_weighted() { 1e-12 * n } else { 0.0 };
            let (mut survival, mut greenwood, mut hazard, mut variance) = (1.0, 0.0, 0.0, 0.0);
            let mut all = 0.0;
            counts.for_each(stratum, |slot, at_risk, events| {
                let (n, d) = (at_risk[0], events[0]);
                if n <= 0.0 || d <= 0.0 {
                    return;
                }
                all += d;
                // The last of all leave nobody, whatever rounding of weights says.
                let left = if n - d > rounding { n - d } else { 0.0 };
                survival *= left / n;
                greenwood += d / (n * left);
                hazard += d / n;
                variance += d / (n * n);
                points.push(SurvivalPoint {
                    time: grid.times[slot],
                    n_risk: n,
                    n_event: d,
                    survival,
                    se: (survival > 0.0).then(|| survival * greenwood.sqrt()),
                    cumulative_hazard: hazard,
                    cumulative_hazard_se: variance.sqrt(),
                });
            });
            Self { n, events: all, last_time: last[stratum], points }
        });
        Ok(curves.collect())
    }

    /// The curves at a time: those after the last event up to it.
    ///
    /// # Errors
    /// `not_estimable` for a time beyond the follow-up while some are still without the event; `invalid_input`
    /// for a time that is negative or not finite.
    pub fn at(&self, time: f64) -> Result<SurvivalPoint> {
        self.check_horizon(time)?;
        let seen = self.points.partition_point(|point| point.time <= time);
        let start = SurvivalPoint {
            time,
            n_risk: self.n,
            n_event: 0.0,
            survival: 1.0,
            se: Some(0.0),
            cumulative_hazard: 0.0,
            cumulative_hazard_se: 0.0,
        };
        Ok(seen.checked_sub(1).map_or(start, |last| self.points[last]))
    }

    /// The interval of the survival probability at a point, within 0 and 1; `None` where the scale is infinite
    /// there.
    ///
    /// # Errors
    /// `invalid_input` for a level that is not between 0 and 1.
    pub fn interval(point: &SurvivalPoint, kind: CurveInterval, level: f64) -> Result<Option<Interval>> {
        let se = point.se.unwrap_or(0.0);
        let found = kind.interval(point.survival, se, level)?;
        Ok(found.filter(|_| point.se.is_some()).map(|interval| interval.map(|limit| limit.clamp(0.0, 1.0))))
    }

    /// The interval of the cumulative hazard at a point.
    ///
    /// # Errors
    /// `invalid_input` for a level that is not between 0 and 1.
    pub fn hazard_interval(point: &SurvivalPoint, kind: HazardInterval, level: f64) -> Result<Interval> {
        let reach = ReferenceDistribution::Normal.critical(level)? * point.cumulative_hazard_se;
        let hazard = point.cumulative_hazard;
        Ok(match kind {
            HazardInterval::Log if hazard > 0.0 => {
                Interval::around(hazard.ln(), reach / hazard).map(f64::exp)
            }
            _ => Interval::around(hazard, reach),
        })
    }

    /// The time by which a share of people has had the event: the first at which the curve is at or below one
    /// minus the share, or the middle of a stretch where it equals that. Limits are the same of the limits of
    /// the curve (Brookmeyer & Crowley 1982, Biometrics 38:29).
    ///
    /// # Errors
    /// `invalid_input` for a share or level that is not between 0 and 1.
    pub fn quantile(&self, probability: f64, kind: CurveInterval, level: f64) -> Result<TimeQuantile> {
        if !(probability > 0.0 && probability < 1.0) {
            return Err(Error::invalid(format!(
                "the probability of the quantile is {probability}; give one between 0 and 1"
            )));
        }
        let mut lower = Vec::with_capacity(self.points.len());
        let mut upper = Vec::with_capacity(self.points.len());
        for point in &self.points {
            let interval = Self::interval(point, kind, level)?;
            lower.push((point.time, interval.map(|interval| interval.lower())));
            upper.push((point.time, interval.map(|interval| interval.upper())));
        }
        let curve: Vec<_> = self.points.iter().map(|point| (point.time, Some(point.survival))).collect();
        let crossing = |curve: &[(f64, Option<f64>)]| self.crossing(curve, 1.0 - probability);
        Ok(TimeQuantile {
            probability,
            estimate: crossing(&curve),
            lower: crossing(&lower),
            upper: crossing(&upper),
        })
    }

    fn crossing(&self, curve: &[(f64, Option<f64>)], height: f64) -> Option<f64> {
        let below = |value: &Option<f64>| value.is_some_and(|value| value <= height + SAME);
        let first = curve.iter().position(|(_, value)| below(value))?;
        let (time, value) = (curve[first].0, curve[first].1?);
        if value < height - SAME {
            return Some(time);
        }
        let fall = curve[first..].iter().find(|(_, next)| next.is_none_or(|next| next < value));
        Some(0.5 * (time + fall.map_or(self.last_time, |(time, _)| *time)))
    }

    /// The mean time until the event or a horizon: the area below the curve, an event at the horizon itself
    /// not counted.
    ///
    /// # Formula
    /// `m = integral of S from 0 to tau`, with variance `sum A(t)^2 d / (n (n - d))`, where `A(t)` is the area
    /// from `t` to `tau`.
    ///
    /// # Errors
    /// As [`KaplanMeier::at`].
    ///
    /// # References
    /// Royston P, Parmar MKB (2013), BMC Medical Research Methodology 13:152.
    pub fn restricted_mean(&self, until: f64) -> Result<RestrictedMean> {
        self.check_horizon(until)?;
        let inside: Vec<&SurvivalPoint> = self.points.iter().take_while(|point| point.time < until).collect();
        let (mut area, mut variance) = (0.0, 0.0);
        let mut end = until;
        for point in inside.iter().rev() {
            area += point.survival * (end - point.time);
            end = point.time;
            if point.n_event < point.n_risk {
                variance += area * area * point.n_event / (point.n_risk * (point.n_risk - point.n_event));
            }
        }
        Ok(RestrictedMean { until, value: area + end, se: variance.sqrt() })
    }

    /// Refuses a horizon beyond the follow-up while some are still without the event.
    fn check_horizon(&self, horizon: f64) -> Result<()> {
        let gone = self.points.last().is_some_and(|point| point.survival == 0.0);
        check_horizon(horizon, self.last_time, gone)
    }
}
