use super::counts::Counts;
use super::data::{Feature, SurvivalData, check_horizon};
use crate::compute::coefficient::{Coefficient, Wald};
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

/// The estimate of Aalen and Johansen of the cumulative incidence of each of any number of causes.
///
/// # Formula
/// With `d_c` events of cause `c` among `n` at risk at a time, `l_c = d_c / n`: `S(t) = prod (1 - sum l_c)` and
/// `F_c(t) = sum S(u-) l_c(u)`, so that `S + sum F_c = 1`. Competing events are no censoring: who has had one can
/// no longer have another.
///
/// # References
/// Aalen OO, Johansen S (1978), Scandinavian Journal of Statistics 5:141. Andersen PK, Keiding N (2012),
/// Statistics in Medicine 31:1074.
///
/// ```
/// use armwise::survival::{AalenJohansen, SurvivalData, SurvivalQuantity};
///
/// // Months on benefit until work (1) or another exit (2).
/// let months = [1.0, 2.0, 2.0, 3.0, 4.0, 4.0, 5.0, 6.0, 7.0, 7.0, 8.0, 9.0];
/// let reason = [1, 2, 0, 1, 2, 1, 0, 1, 2, 2, 0, 1];
/// let curves = AalenJohansen::new(&SurvivalData::new(&months, &reason)?)?;
/// let wanted = [
///     SurvivalQuantity::CumulativeIncidence { cause: 1, at: 6.0 },
///     SurvivalQuantity::CumulativeIncidence { cause: 2, at: 6.0 },
///     SurvivalQuantity::Survival { at: 6.0 },
/// ];
/// let found = curves.estimate(&wanted)?;
/// assert!((found.values.sum() - 1.0).abs() < 1e-12);
/// assert!(found.covariance.sum().abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AalenJohansen {
    /// The number of people; the sum of their weights.
    pub n: f64,
    /// The last time at which anyone was seen.
    pub last_time: f64,
    /// The times with events of any cause.
    pub time: Vec<f64>,
    /// The number at risk at each.
    pub n_risk: Vec<f64>,
    /// The events at each (rows) of each cause from 1 (columns).
    pub events: Array2<f64>,
    /// The probability to be without any event after each.
    pub survival: Vec<f64>,
    /// The cumulative incidence up to each (rows) of each cause from 1 (columns).
    pub incidence: Array2<f64>,
}

impl AalenJohansen {
    /// The place of the time after which nobody is left, though others come later.
    pub(crate) fn emptied(&self) -> Option<usize> {
        let place = self.survival.iter().position(|left| *left == 0.0)?;
        (self.time[place] < self.last_time).then_some(place)
    }
}

/// A number that summarises the curves of one group.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SurvivalQuantity {
    /// The probability to be without any event after a time; an event at it counts.
    Survival {
        /// The time.
        at: f64,
    },
    /// The probability of an event of a cause up to a time; one at it counts.
    CumulativeIncidence {
        /// The cause, from 1.
        cause: u32,
        /// The time.
        at: f64,
    },
    /// The mean time without any event until a horizon: the area below the curve; an event at the horizon
    /// itself takes nothing away.
    RestrictedMean {
        /// The horizon.
        until: f64,
    },
    /// The mean time before a horizon that is lost to a cause: the area below its cumulative incidence
    /// (Andersen 2013, Statistics in Medicine 32:5278). Restricted mean and times lost add up to the horizon.
    TimeLost {
        /// The cause, from 1.
        cause: u32,
        /// The horizon.
        until: f64,
    },
}

impl SurvivalQuantity {
    fn horizon(self) -> f64 {
        match self {
            Self::Survival { at } | Self::CumulativeIncidence { at, .. } => at,
            Self::RestrictedMean { until } | Self::TimeLost { until, .. } => until,
        }
    }
}

/// Quantities of one group with their covariance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SurvivalEstimates {
    /// The quantities.
    pub quantities: Vec<SurvivalQuantity>,
    /// Their values.
    pub values: Array1<f64>,
    /// Their covariance matrix.
    pub covariance: Array2<f64>,
}

impl SurvivalEstimates {
    /// The standard error of each value.
    pub fn se(&self) -> Array1<f64> {
        self.covariance.diag().mapv(|variance| variance.max(0.0).sqrt())
    }

    /// The difference to the same quantity of another group that is independent of this one, by the normal
    /// distribution.
    ///
    /// # Errors
    /// `incompatible` where the quantities differ; `invalid_input` for a position that is not there or a level
    /// that is not between 0 and 1.
    pub fn difference(&self, other: &Self, position: usize, level: f64) -> Result<Coefficient> {
        let (first, second) = self.pair(other, position)?;
        let se = (first.1.powi(2) + second.1.powi(2)).sqrt();
        Ok(Wald::new(None, level)?.coefficient("difference", first.0 - second.0, se))
    }

    /// The logarithm of the ratio to the same quantity of another group that is independent of this one.
    ///
    /// # Errors
    /// As [`SurvivalEstimates::difference`]; `not_estimable` where one of them is 0.
    pub fn log_ratio(&self, other: &Self, position: usize, level: f64) -> Result<Coefficient> {
        let (first, second) = self.pair(other, position)?;
        if !(first.0 > 0.0 && second.0 > 0.0) {
            return Err(ErrorKind::NotEstimable(
                "one of the groups has a value of 0, so that there is no ratio; take the difference"
                    .to_owned(),
            )
            .into());
        }
        let se = ((first.1 / first.0).powi(2) + (second.1 / second.0).powi(2)).sqrt();
        Ok(Wald::new(None, level)?.coefficient("log ratio", (first.0 / second.0).ln(), se))
    }

    fn pair(&self, other: &Self, position: usize) -> Result<((f64, f64), (f64, f64))> {
        match (self.quantities.get(position), other.quantities.get(position)) {
            (Some(own), Some(others)) if own == others => {}
            (Some(_), Some(_)) => {
                let why =
                    "the two groups have different quantities at this position; estimate the same for both";
                return Err(ErrorKind::Incompatible(why.to_owned()).into());
            }
            _ => {
                return Err(Error::invalid(format!(
                    "there is no quantity {position}; positions count from 0"
                )));
            }
        }
        let of = |estimates: &Self| (estimates.values[position], estimates.se()[position]);
        Ok((of(self), of(other)))
    }
}

impl AalenJohansen {
    /// The curves of all rows.
    ///
    /// # Errors
    /// `invalid_input` where strata are declared: there are curves for each ([`AalenJohansen::by_stratum`]); as
    /// there.
    pub fn new(data: &SurvivalData) -> Result<Self> {
        data.refuse("one set of curves", &[Feature::Strata])?;
        let [curves] =
            <[Self; 1]>::try_from(Self::by_stratum(data)?).map_err(|_| Error::invalid("there is no row"))?;
        Ok(curves)
    }

    /// The curves of each stratum, in the order of their codes.
    ///
    /// # Errors
    /// `invalid_input` where other causes are taken as censored: a cumulative incidence needs them; `empty_arm`
    /// for a stratum without rows.
    pub fn by_stratum(data: &SurvivalData) -> Result<Vec<Self>> {
        data.refuse("a cumulative incidence", &[Feature::CensoredCauses])?;
        let causes = data.n_causes().max(1);
        let grid = data.grid();
        let counts = Counts::new(data, grid, None, causes);
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
            let times = grid.strata[stratum].len() - 1;
            let mut curves = Self {
                n,
                last_time: last[stratum],
                time: Vec::with_capacity(times),
                n_risk: Vec::with_capacity(times),
                events: Array2::zeros((times, causes)),
                survival: Vec::with_capacity(times),
                incidence: Array2::zeros((times, causes)),
            };
            // What rounding of weights leaves of a risk set of which everybody has left.
            let rounding = if data.is_weighted() { 1e-12 * n } else { 0.0 };
            let mut survival = 1.0;
            let mut incidence = vec![0.0; causes];
            counts.for_each(stratum, |slot, at_risk, events| {
                let place = curves.time.len();
                let n = at_risk[0].max(0.0);
                let d: f64 = events.iter().sum();
                for c in 0..causes {
                    if n > 0.0 {
                        incidence[c] += survival * events[c] / n;
                    }
                    curves.events[[place, c]] = events[c];
                    curves.incidence[[place, c]] = incidence[c];
                }
                if d > 0.0 && n > 0.0 {
                    survival *= if n - d > rounding { (n - d) / n } else { 0.0 };
                }
                curves.time.push(grid.times[slot]);
                curves.n_risk.push(n);
                curves.survival.push(survival);
            });
            curves
        });
        Ok(curves.collect())
    }

    /// Quantities with their covariance by Greenwood's and the delta method: binomial (multinomial) variances of
    /// the events at each time.
    ///
    /// Without weights it equals the sum of squares of the influence functions
    /// ([`AalenJohansen::infinitesimal_jackknife`]).
    ///
    /// # Errors
    /// `invalid_input` for a cause that is not there, and a horizon that is negative or not finite;
    /// `not_estimable` for a horizon beyond the follow-up while some are still without an event.
    pub fn estimate(&self, quantities: &[SurvivalQuantity]) -> Result<SurvivalEstimates> {
        let parts =
            quantities.iter().map(|quantity| self.functional(*quantity)).collect::<Result<Vec<_>>>()?;
        let causes = self.events.ncols();
        let mut covariance = Array2::zeros((parts.len(), parts.len()));
        for (i, a) in parts.iter().enumerate() {
            for (j, b) in parts[..=i].iter().enumerate() {
                let mut sum = 0.0;
                for k in 0..a.gradient.nrows().min(b.gradient.nrows()) {
                    let n = self.n_risk[k];
                    if n <= 0.0 {
                        continue;
                    }
                    let (mut both, mut of_a, mut of_b) = (0.0, 0.0, 0.0);
                    for c in 0..causes {
                        let share = self.events[[k, c]] / n;
                        both += a.gradient[[k, c]] * b.gradient[[k, c]] * share;
                        of_a += a.gradient[[k, c]] * share;
                        of_b += b.gradient[[k, c]] * share;
                    }
                    sum += (both - of_a * of_b) / n;
                }
                covariance[[i, j]] = sum;
                covariance[[j, i]] = sum;
            }
        }
        let values = parts.iter().map(|part| part.value).collect();
        Ok(SurvivalEstimates { quantities: quantities.to_vec(), values, covariance })
    }

    /// Quantities with the covariance of the infinitesimal jackknife: products of the influence functions of
    /// all rows, each times its weight, summed over clusters first where the data have them. `data` must be those
    /// of the curves, without strata.
    ///
    /// # Errors
    /// As [`AalenJohansen::estimate`]; `invalid_input` where there are strata.
    pub fn infinitesimal_jackknife(
        &self,
        data: &SurvivalData,
        quantities: &[SurvivalQuantity],
    ) -> Result<SurvivalEstimates> {
        data.refuse("the infinitesimal jackknife", &[Feature::Strata, Feature::CensoredCauses])?;
        let m = quantities.len();
        let of_rows =
            quantities.iter().map(|quantity| self.influence(data, *quantity)).collect::<Result<Vec<_>>>()?;
        let n_clusters =
            data.clusters.map_or(data.n(), |codes| codes.iter().max().map_or(0, |code| *code as usize + 1));
        let mut sums = Array2::<f64>::zeros((n_clusters, m));
        for row in 0..data.n() {
            let cluster = data.clusters.map_or(row, |codes| codes[row] as usize);
            for (j, influence) in of_rows.iter().enumerate() {
                sums[[cluster, j]] += data.weight(row) * influence[row];
            }
        }
        let values =
            quantities.iter().map(|quantity| Ok(self.functional(*quantity)?.value)).collect::<Result<_>>()?;
        Ok(SurvivalEstimates { quantities: quantities.to_vec(), values, covariance: sums.t().dot(&sums) })
    }

    /// The influence function of each row of the data of these curves: how much a quantity would change for each
    /// unit of weight of that row.
    ///
    /// # Errors
    /// As [`AalenJohansen::infinitesimal_jackknife`]; `incompatible` where these are curves of other data.
    pub fn influence(&self, data: &SurvivalData, quantity: SurvivalQuantity) -> Result<Vec<f64>> {
        data.refuse("the influence function", &[Feature::Strata, Feature::CensoredCauses])?;
        let of_stratum = self.influence_by_place(quantity)?;
        let grid = data.grid();
        if grid.times.get(1..) != Some(&self.time[..]) || data.n_causes().max(1) != self.events.ncols() {
            let why = "these curves are not of these data; form them from the same rows";
            return Err(ErrorKind::Incompatible(why.to_owned()).into());
        }
        let row = |row: usize| {
            let (exit, entry) = (grid.exit[row] as usize, grid.entry_slot(row, 0));
            of_stratum.of(exit, entry, data.cause[row])
        };
        Ok((0..data.n()).map(row).collect())
    }

    pub(super) fn influence_by_place(&self, quantity: SurvivalQuantity) -> Result<Influence> {
        let Functional { gradient, .. } = self.functional(quantity)?;
        let mut drift = Vec::with_capacity(self.time.len() + 1);
        let mut sum = 0.0;
        drift.push(0.0);
        for k in 0..self.time.len() {
            let n = self.n_risk[k];
            if k < gradient.nrows() && n > 0.0 {
                sum += (0..gradient.ncols()).map(|c| gradient[[k, c]] * self.events[[k, c]]).sum::<f64>()
                    / (n * n);
            }
            drift.push(sum);
        }
        let jump = Array2::from_shape_fn(gradient.dim(), |(k, c)| {
            gradient[[k, c]] / self.n_risk[k].max(f64::MIN_POSITIVE)
        });
        Ok(Influence { drift, jump })
    }

    /// The value of a quantity, and its derivative with respect to the hazard of each cause at each time up to
    /// its horizon.
    pub(super) fn functional(&self, quantity: SurvivalQuantity) -> Result<Functional> {
        let horizon = quantity.horizon();
        self.check_horizon(horizon)?;
        let causes = self.events.ncols();
        let cause = match quantity {
            SurvivalQuantity::CumulativeIncidence { cause, .. }
            | SurvivalQuantity::TimeLost { cause, .. } => {
                if cause == 0 {
                    return Err(Error::invalid(
                        "the cause 0 means that no event was seen; give a cause from 1",
                    ));
                }
                cause as usize - 1
            }
            _ => usize::MAX,
        };
        // A cause that nobody has is one with incidence 0.
        let incidence = |k: usize| if cause < causes { self.incidence[[k, cause]] } else { 0.0 };
        let area =
            matches!(quantity, SurvivalQuantity::RestrictedMean { .. } | SurvivalQuantity::TimeLost { .. });
        let inside = self.time.partition_point(|time| if area { *time < horizon } else { *time <= horizon });
        let mut gradient = Array2::zeros((inside, causes));
        let last = inside.checked_sub(1);
        let end = last.map_or((1.0, 0.0), |k| (self.survival[k], incidence(k)));
        // What is left between each time and the horizon.
        let (mut after_survival, mut after_incidence) = (0.0, 0.0);
        let mut next = horizon;
        for k in (0..inside).rev() {
            let before = if k == 0 { 1.0 } else { self.survival[k - 1] };
            let stays = if before > 0.0 { self.survival[k] / before } else { 0.0 };
            // The incidence beyond that of this time, until the horizon.
            after_survival += self.survival[k] * (next - self.time[k]);
            after_incidence += incidence(k) * (next - self.time[k]);
            next = self.time[k];
            let left = horizon - self.time[k];
            let (of_cause, of_any) = match quantity {
                SurvivalQuantity::Survival { .. } => (0.0, end.0),
                SurvivalQuantity::CumulativeIncidence { .. } => (before, end.1 - incidence(k)),
                SurvivalQuantity::RestrictedMean { .. } => (0.0, after_survival),
                SurvivalQuantity::TimeLost { .. } => (before * left, after_incidence - incidence(k) * left),
            };
            for c in 0..causes {
                let own = if c == cause { of_cause } else { 0.0 };
                gradient[[k, c]] = own - if stays > 0.0 { of_any / stays } else { 0.0 };
            }
        }
        let value = match quantity {
            SurvivalQuantity::Survival { .. } => end.0,
            SurvivalQuantity::CumulativeIncidence { .. } => end.1,
            SurvivalQuantity::RestrictedMean { .. } => after_survival + next,
            SurvivalQuantity::TimeLost { .. } => after_incidence,
        };
        Ok(Functional { value, gradient })
    }

    /// The curves at a time: survival, then the cumulative incidence of each cause.
    ///
    /// # Errors
    /// As [`AalenJohansen::estimate`].
    pub fn at(&self, time: f64) -> Result<Vec<f64>> {
        self.check_horizon(time)?;
        let seen = self.time.partition_point(|known| *known <= time);
        let causes = self.events.ncols();
        Ok(match seen.checked_sub(1) {
            None => std::iter::once(1.0).chain(std::iter::repeat_n(0.0, causes)).collect(),
            Some(last) => {
                std::iter::once(self.survival[last]).chain(self.incidence.row(last).iter().copied()).collect()
            }
        })
    }

    pub(super) fn check_horizon(&self, horizon: f64) -> Result<()> {
        check_horizon(horizon, self.last_time, self.survival.last() == Some(&0.0))
    }
}

/// A value with its derivative by time (rows) and cause (columns).
pub(super) struct Functional {
    pub(super) value: f64,
    gradient: Array2<f64>,
}

/// The influence function of rows by their places on the grid.
pub(super) struct Influence {
    /// What those at risk at each time have lost up to it.
    drift: Vec<f64>,
    /// What an event at a time of a cause adds.
    jump: Array2<f64>,
}

impl Influence {
    /// Of a row that leaves at a place (0: before the first time) with a cause, and entered at another.
    pub(super) fn of(&self, exit: usize, entry: usize, cause: u32) -> f64 {
        let jump = match (exit.checked_sub(1), cause.checked_sub(1)) {
            (Some(k), Some(c)) if k < self.jump.nrows() => self.jump[[k, c as usize]],
            _ => 0.0,
        };
        jump - (self.drift[exit] - self.drift[entry])
    }
}
