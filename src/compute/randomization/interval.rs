use super::problem::{Parts, over_root};
use super::quartic::real_roots;
use super::replay::Replay;
use super::replays::Replays;
use crate::compute::interval::Interval;
use crate::error::{Error, Result, number};
use serde::{Deserialize, Serialize};

/// Limits closer than this, relative to their distance from the estimate, are one.
const SAME: f64 = 1e-9;

/// The interval of a constant effect: the effects that a randomisation test at this level does not reject.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RandomizationInterval {
    /// The observed difference or coefficient.
    pub estimate: f64,
    /// The level.
    pub level: f64,
    /// The effects that the two-sided test does not reject: the smallest interval that holds them.
    pub interval: Interval,
    /// Whether the two-sided test rejects no effect between these limits.
    pub is_whole: bool,
    /// The limits of the two one-sided tests, each at half of one minus the level.
    pub equal_tailed: Interval,
    /// The lower limit of the one-sided test at this level.
    #[serde(with = "crate::compute::interval::extended")]
    pub lower_bound: f64,
    /// The upper limit of the one-sided test at this level.
    #[serde(with = "crate::compute::interval::extended")]
    pub upper_bound: f64,
    /// How the assignments were replayed.
    pub replays: Replays,
}

/// The ranges of effects for which one assignment is as extreme as the observed one.
#[derive(Default)]
struct Ranges {
    ends: Vec<(f64, f64)>,
    always: usize,
}

/// The value and the variance of one assignment as functions of the effect that is taken off the treated.
#[derive(Clone, Copy)]
struct Line {
    value: f64,
    slope: f64,
    /// Constant, linear and square term.
    variance: Option<[f64; 3]>,
}

impl Line {
    fn at(&self, effect: f64, rounding: f64) -> f64 {
        let value = self.value - effect * self.slope;
        match self.variance {
            None => value,
            Some([a, b, c]) => over_root(value, (a + effect * (b + effect * c)).max(0.0), rounding),
        }
    }

    /// The effects at which this assignment and another are equally extreme.
    fn crossings(&self, other: &Self) -> Vec<f64> {
        match self.variance.zip(other.variance) {
            None => {
                let root = |value: f64, slope: f64| (slope.abs() > 1e-12).then(|| value / slope);
                let same = root(other.value - self.value, other.slope - self.slope);
                let opposite = root(other.value + self.value, other.slope + self.slope);
                let mut roots: Vec<f64> = same.into_iter().chain(opposite).collect();
                roots.sort_by(f64::total_cmp);
                roots
            }
            Some((own, others)) => {
                let square = |line: &Self| {
                    [line.value * line.value, -2.0 * line.value * line.slope, line.slope * line.slope]
                };
                let mut difference = [0.0; 5];
                for (i, own_square) in square(self).iter().enumerate() {
                    for (j, variance) in others.iter().enumerate() {
                        difference[i + j] += own_square * variance;
                    }
                }
                let largest = difference.iter().fold(0.0_f64, |most, c| most.max(c.abs()));
                for (i, other_square) in square(other).iter().enumerate() {
                    for (j, variance) in own.iter().enumerate() {
                        difference[i + j] -= other_square * variance;
                    }
                }
                if difference.iter().all(|c| c.abs() <= 1e-11 * largest) {
                    Vec::new()
                } else {
                    real_roots(&difference)
                }
            }
        }
    }
}

impl Ranges {
    /// Adds the effects for which `extreme` holds, which changes at the crossings only.
    fn add(&mut self, crossings: &[f64], extreme: impl Fn(f64) -> bool) {
        let inner = crossings.windows(2).map(|pair| f64::midpoint(pair[0], pair[1]));
        let [first, last] = match (crossings.first(), crossings.last()) {
            (Some(first), Some(last)) => [first - 1.0, last + 1.0],
            _ => [0.5, 0.5],
        };
        let within: Vec<bool> = std::iter::once(first)
            .chain(inner)
            .chain((!crossings.is_empty()).then_some(last))
            .map(&extreme)
            .collect();
        if within.iter().all(|within| *within) {
            self.always += 1;
            return;
        }
        let mut start = within[0].then_some(f64::NEG_INFINITY);
        for (crossing, after) in crossings.iter().zip(&within[1..]) {
            match (start, after) {
                (None, true) => start = Some(*crossing),
                (Some(low), false) => {
                    self.ends.push((low, *crossing));
                    start = None;
                }
                // A crossing that only touches.
                (None, false) | (Some(_), true) => {}
            }
        }
        self.ends.extend(start.map(|low| (low, f64::INFINITY)));
    }

    /// The smallest interval that holds all effects for which more than `beyond` assignments are extreme, and
    /// whether none between its limits is left out.
    fn hull(&self, beyond: usize, estimate: f64) -> (f64, f64, bool) {
        if self.always > beyond {
            return (f64::NEG_INFINITY, f64::INFINITY, true);
        }
        let needed = beyond + 1 - self.always;
        let mut changes: Vec<(f64, bool)> =
            self.ends.iter().flat_map(|&(low, high)| [(low, true), (high, false)]).collect();
        // Ranges are closed: at one place those that start come first.
        changes.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        let (mut count, mut low, mut high, mut whole) = (0_usize, f64::NAN, f64::NAN, true);
        for (place, starts) in changes {
            if starts {
                count += 1;
                if count == needed {
                    if low.is_nan() {
                        low = place;
                    } else if place - high > SAME * (place - estimate).abs().max((high - estimate).abs()) {
                        whole = false;
                    }
                }
            } else {
                if count == needed {
                    high = place;
                }
                count -= 1;
            }
        }
        if low.is_nan() { (estimate, estimate, true) } else { (low, high, whole) }
    }
}

impl Replay<'_> {
    /// The interval of an effect that is the same for everybody, of one treatment and one outcome: those values
    /// `tau` that the test of the outcomes `y - tau Z` (Z: being treated) does not reject.
    ///
    /// # Formula
    /// With the p-value `p(tau)` of that test, the closure of all `tau` with `p(tau) > 1 - level`. For a
    /// statistic linear in the outcomes, an assignment with statistic `d*` and with `c*` for Z in place of y
    /// turns extreme at `(d - d*) / (1 - c*)` and `(d + d*) / (1 + c*)`; for a studentised one at the real roots
    /// of a polynomial of degree four. So limits are exact for the replays at hand, and no search is made.
    ///
    /// # Errors
    /// As [`Replay`]; more than one outcome or treatment, and a statistic that has no value on the scale of the
    /// outcome (ranks, F) or that is a studentised coefficient or of pairs.
    ///
    /// # Examples
    /// ```
    /// use armwise::randomization::{Assignments, Replay, Statistic};
    ///
    /// let assignments = Assignments::new(&[1, 1, 1, 1, 0, 0, 0, 0])?;
    /// let interval = Replay::new(&assignments, Statistic::DifferenceInMeans)
    ///     .outcome(&[6.0, 7.0, 8.0, 9.5, 1.0, 2.0, 3.0, 4.5])
    ///     .interval(0.9)?;
    /// assert_eq!(interval.estimate, 5.0);
    /// assert!(interval.interval.lower() > 2.0 && interval.interval.upper() < 8.0);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # References
    /// Rosenbaum (2002), Observational Studies, chapter 2. Garthwaite (1996), Biometrics 52:1387.
    #[allow(clippy::too_many_lines)]
    pub fn interval(&self, level: f64) -> Result<RandomizationInterval> {
        if !(level > 0.0 && level < 1.0) {
            return Err(Error::invalid(format!("the level is {}; give one between 0 and 1", number(level))));
        }
        let ([outcome], [treatment]) = (&self.outcomes[..], &self.treatments[..]) else {
            return Err(Error::invalid(
                "an interval is of one outcome and one treatment; ask for each by itself",
            ));
        };
        let studentized = self.statistic.is_studentized();
        let apart = self.statistic.is_paired() || self.statistic.is_least_squares();
        if (studentized && apart) || !(studentized || self.statistic.is_linear()) {
            return Err(Error::invalid(format!(
                "the {} has no interval by inversion here; take the statistic that is not studentised, or for ranks \
                 RankSum::hodges_lehmann_interval",
                self.statistic.words()
            )));
        }
        let treated: Vec<f64> = self
            .assignments
            .observed()
            .iter()
            .zip(outcome)
            .map(
                |(group, value)| {
                    if value.is_nan() { f64::NAN } else { f64::from(u8::from(group == treatment)) }
                },
            )
            .collect();
        // The product of outcome and treatment comes from the variance of their difference, on one scale.
        let seen: Vec<f64> = outcome.iter().copied().filter(|value| !value.is_nan()).collect();
        let mean = seen.iter().sum::<f64>() / seen.len() as f64;
        let spread = seen.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / seen.len() as f64;
        let scale = if spread > 0.0 { spread.sqrt() } else { 1.0 };
        let mixed: Vec<f64> = outcome.iter().zip(&treated).map(|(y, z)| y - scale * z).collect();
        let problem = self.problem(&[outcome.clone(), treated, mixed])?;
        let line = |parts: &[Parts]| {
            let [y, z, mixed] = [parts[0], parts[1], parts[2]];
            let variance = y
                .variance
                .zip(z.variance)
                .zip(mixed.variance)
                .map(|((a, c), mixed)| [a, (mixed - a - scale * scale * c) / scale, c]);
            Line { value: y.value, slope: z.value, variance }
        };
        let own = problem.observed();
        let rounding = own[0].rounding;
        let mut observed = line(&own);
        // The spread within groups does not change with what is taken off all treated alike.
        observed.slope = 1.0;
        observed.variance = observed.variance.map(|[a, _, _]| [a, 0.0, 0.0]);
        if observed.value.is_nan() || observed.variance.is_some_and(|[a, _, _]| a == 0.0) {
            return Err(Error::not_estimable(format!(
                "the {} has no spread within groups, so that its test rejects every other effect; take the difference in \
                 means",
                self.statistic.words()
            )));
        }
        let width = if studentized { 5 } else { 2 };
        let (lines, replays) = self.listed_or_drawn(&problem, width, |parts, out| {
            let own = line(parts);
            (out[0], out[1]) = (own.value, own.slope);
            if let Some(variance) = own.variance {
                out[2..].copy_from_slice(&variance);
            }
        })?;
        let mut ranges = [Ranges::default(), Ranges::default(), Ranges::default()];
        let tie = 1e-9 * (observed.value.abs() + scale);
        for own in lines.chunks_exact(width) {
            if own.iter().any(|value| value.is_nan()) {
                for ranges in &mut ranges {
                    ranges.always += 1;
                }
                continue;
            }
            let variance = studentized.then(|| [own[2], own[3], own[4]]);
            let own = Line { value: own[0], slope: own[1], variance };
            let crossings = own.crossings(&observed);
            let at = |effect: f64| {
                let [own, observed] = [own.at(effect, rounding), observed.at(effect, rounding)];
                (own, observed, if studentized { 1e-9 * observed.abs().max(1e-3) } else { tie * 1e-3 })
            };
            ranges[0].add(&crossings, |effect| {
                let (own, observed, tie) = at(effect);
                own.abs() >= observed.abs() - tie
            });
            ranges[1].add(&crossings, |effect| {
                let (own, observed, tie) = at(effect);
                own >= observed - tie
            });
            ranges[2].add(&crossings, |effect| {
                let (own, observed, tie) = at(effect);
                own <= observed + tie
            });
        }
        let mut total = (lines.len() / width) as f64;
        if !replays.exact() {
            for ranges in &mut ranges {
                ranges.always += 1;
            }
            total += 1.0;
        }
        // p > alpha where more than this many of all are extreme.
        let beyond = |alpha: f64| (alpha * total + 1e-9).floor() as usize;
        let (lower, upper, is_whole) = ranges[0].hull(beyond(1.0 - level), observed.value);
        let low = |alpha: f64| ranges[1].hull(beyond(alpha), observed.value).0;
        let high = |alpha: f64| ranges[2].hull(beyond(alpha), observed.value).1;
        let half = (1.0 - level) / 2.0;
        Ok(RandomizationInterval {
            estimate: observed.value,
            level,
            interval: Interval::between(lower, upper),
            is_whole,
            equal_tailed: Interval::between(low(half), high(half)),
            lower_bound: low(1.0 - level),
            upper_bound: high(1.0 - level),
            replays,
        })
    }
}
