use super::aalen_johansen::{AalenJohansen, SurvivalQuantity};
use super::data::{Feature, SurvivalData};
use crate::error::{ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// How the pseudo-value of a row is formed from the estimate of all rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PseudoValue {
    /// `n theta - (n - 1) theta_(-i)`, with the estimate `theta_(-i)` without the row.
    #[default]
    Jackknife,
    /// `theta + n phi_i`, with the influence function `phi_i` (R's `survival::pseudo`).
    InfinitesimalJackknife,
}

/// The pseudo-value of each row for a quantity of its stratum: its outcome where nobody is censored before the
/// horizon, and otherwise a number with the same mean, which may lie outside the range of the outcome and must
/// not be clipped. A regression of them is one of the quantity.
///
/// All rows of a stratum are assumed to be censored alike. The exact jackknife takes no more than linear time:
/// without a row the curves change by one factor for each time up to its own.
///
/// # Errors
/// `invalid_input` for entry times, weights, or causes taken as censored; as [`AalenJohansen::estimate`];
/// `insufficient_observations` for a stratum with a single row.
///
/// # References
/// Andersen PK, Klein JP, Rosthoj S (2003), Biometrika 90:15. Andersen PK, Hansen MG, Klein JP (2004), Lifetime
/// Data Analysis 10:335.
///
/// ```
/// use armwise::survival::{PseudoValue, SurvivalData, SurvivalQuantity, pseudo_values};
///
/// // Nobody is censored: pseudo-values are the indicator of an event of cause 1 by month 3.
/// let data = SurvivalData::new(&[1.0, 2.0, 3.0, 4.0, 5.0], &[1, 2, 1, 1, 2])?;
/// let wanted = SurvivalQuantity::CumulativeIncidence { cause: 1, at: 3.0 };
/// let values = pseudo_values(&data, wanted, PseudoValue::Jackknife)?;
/// for (value, outcome) in values.iter().zip([1.0, 0.0, 1.0, 0.0, 0.0]) {
///     assert!((value - outcome).abs() < 1e-12);
/// }
/// # Ok::<(), armwise::Error>(())
/// ```
pub fn pseudo_values(data: &SurvivalData, quantity: SurvivalQuantity, kind: PseudoValue) -> Result<Vec<f64>> {
    data.refuse("a pseudo-value", &[Feature::Entry, Feature::Weights, Feature::CensoredCauses])?;
    let curves = AalenJohansen::by_stratum(data)?;
    let grid = data.grid();
    let leavers = curves
        .iter()
        .map(|curves| {
            if curves.n < 2.0 {
                return Err(ErrorKind::InsufficientObservations(
                    "a pseudo-value compares with all other rows; give each stratum at least two rows"
                        .to_owned(),
                )
                .into());
            }
            let theta = curves.functional(quantity)?.value;
            Ok(match kind {
                PseudoValue::InfinitesimalJackknife => {
                    (theta, None, Some(curves.influence_by_place(quantity)?))
                }
                PseudoValue::Jackknife => (theta, Some(Without::new(curves, quantity)), None),
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let value = |row: usize| {
        let stratum = data.stratum(row);
        let place = grid.exit[row] as usize - grid.strata[stratum].start;
        let n = curves[stratum].n;
        match &leavers[stratum] {
            (theta, _, Some(influence)) => theta + n * influence.of(place, 0, data.cause[row]),
            (theta, Some(without), None) => n * theta - (n - 1.0) * without.value(place, data.cause[row]),
            (theta, None, None) => *theta,
        }
    };
    Ok((0..data.n()).map(value).collect())
}

/// Curves without one row. Up to the time before it leaves they are those with one fewer at risk; after it
/// those of all rows, times a factor.
struct Without<'c> {
    curves: &'c AalenJohansen,
    quantity: SurvivalQuantity,
    horizon: f64,
    cause: usize,
    /// Survival and incidence after each time with one fewer at risk; the place 0 is the start.
    reduced: Vec<(f64, f64)>,
    /// The areas below both up to each time.
    areas: Vec<(f64, f64)>,
    /// The areas below both curves of all rows from each time to the horizon.
    rest: Vec<(f64, f64)>,
}

impl<'c> Without<'c> {
    fn new(curves: &'c AalenJohansen, quantity: SurvivalQuantity) -> Self {
        let (horizon, cause) = match quantity {
            SurvivalQuantity::Survival { at } => (at, usize::MAX),
            SurvivalQuantity::RestrictedMean { until } => (until, usize::MAX),
            SurvivalQuantity::CumulativeIncidence { cause, at } => (at, cause as usize - 1),
            SurvivalQuantity::TimeLost { cause, until } => (until, cause as usize - 1),
        };
        let mut without = Self {
            curves,
            quantity,
            horizon,
            cause,
            reduced: vec![(1.0, 0.0)],
            areas: vec![(0.0, 0.0)],
            rest: Vec::new(),
        };
        let times = curves.time.len();
        for k in 0..times {
            let (survival, incidence) = without.reduced[k];
            let start = if k == 0 { 0.0 } else { curves.time[k - 1] };
            let width = curves.time[k] - start;
            let area = without.areas[k];
            without.areas.push((area.0 + width * survival, area.1 + width * incidence));
            without.reduced.push(without.step(k, (survival, incidence), curves.n_risk[k] - 1.0, None));
        }
        let mut rest = vec![(0.0, 0.0); times + 1];
        let mut next = horizon;
        for place in (0..=times).rev() {
            let start = if place == 0 { 0.0 } else { curves.time[place - 1] };
            if start >= horizon {
                continue;
            }
            let after = rest.get(place + 1).copied().unwrap_or((0.0, 0.0));
            let (survival, incidence) = without.whole(place);
            rest[place] = (after.0 + survival * (next - start), after.1 + incidence * (next - start));
            next = start;
        }
        without.rest = rest;
        without
    }

    /// The curves of all rows after a place.
    fn whole(&self, place: usize) -> (f64, f64) {
        match place.checked_sub(1) {
            None => (1.0, 0.0),
            Some(k) if self.cause < self.curves.events.ncols() => {
                (self.curves.survival[k], self.curves.incidence[[k, self.cause]])
            }
            Some(k) => (self.curves.survival[k], 0.0),
        }
    }

    /// The curves after a time with so many at risk and an event of a cause left out.
    fn step(&self, k: usize, before: (f64, f64), n: f64, out: Option<usize>) -> (f64, f64) {
        if n <= 0.0 {
            return before;
        }
        let of = |c: usize| self.curves.events[[k, c]] - f64::from(u8::from(out == Some(c)));
        let causes = self.curves.events.ncols();
        let all: f64 = (0..causes).map(of).sum();
        let own = if self.cause < causes { of(self.cause) } else { 0.0 };
        (before.0 * (1.0 - all / n), before.1 + before.0 * own / n)
    }

    /// The quantity without a row that leaves at a place with a cause.
    fn value(&self, place: usize, cause: u32) -> f64 {
        let curves = self.curves;
        let area = matches!(
            self.quantity,
            SurvivalQuantity::RestrictedMean { .. } | SurvivalQuantity::TimeLost { .. }
        );
        let of_survival = matches!(
            self.quantity,
            SurvivalQuantity::Survival { .. } | SurvivalQuantity::RestrictedMean { .. }
        );
        let pick = |pair: (f64, f64)| if of_survival { pair.0 } else { pair.1 };
        let reach = curves
            .time
            .partition_point(|time| if area { *time < self.horizon } else { *time <= self.horizon });
        if place > reach {
            // It is still there at the horizon.
            if !area {
                return pick(self.reduced[reach]);
            }
            let start = if reach == 0 { 0.0 } else { curves.time[reach - 1] };
            return pick(self.areas[reach]) + pick(self.reduced[reach]) * (self.horizon - start);
        }
        let after = match (place.checked_sub(1), cause.checked_sub(1)) {
            (Some(k), Some(c)) => self.step(k, self.reduced[k], curves.n_risk[k] - 1.0, Some(c as usize)),
            _ => self.reduced[place],
        };
        let whole = self.whole(place);
        let factor = if whole.0 > 0.0 { after.0 / whole.0 } else { 0.0 };
        let end = self.whole(reach);
        if !area {
            return if of_survival { factor * end.0 } else { after.1 + factor * (end.1 - whole.1) };
        }
        let start = if place == 0 { 0.0 } else { curves.time[place - 1] };
        let (left, rest) = (self.horizon - start, self.rest[place]);
        if of_survival {
            self.areas[place].0 + factor * rest.0
        } else {
            self.areas[place].1 + after.1 * left + factor * (rest.1 - whole.1 * left)
        }
    }
}
