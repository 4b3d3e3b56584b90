use super::grid::Grid;
use crate::error::{Error, ErrorKind, Result};
use std::sync::OnceLock;

/// Times until an event or until follow-up ends, with the cause of the event: the data of every method of
/// this module.
///
/// Row `i` is at risk from its entry (before which it was not observed) until `time[i]`, when it has the event
/// `cause[i]`, or leaves without one where the cause is 0. Events at a time come before those who leave at it
/// without an event, and before those who enter at it. Times are sorted once, on first use; every method is
/// then linear in the number of rows.
///
/// ```
/// use armwise::survival::{KaplanMeier, SurvivalData};
///
/// // Months until someone left benefit for work (1) or otherwise (2); 0 is still there.
/// let months = [3.0, 5.0, 5.0, 8.0, 12.0, 12.0];
/// let reason = [1, 0, 2, 1, 0, 0];
/// let data = SurvivalData::new(&months, &reason)?;
/// assert_eq!((data.n(), data.events()), (6, 3));
/// let on_benefit = KaplanMeier::new(&data)?;
/// assert!((on_benefit.at(6.0)?.survival - 5.0 / 6.0 * 4.0 / 5.0).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SurvivalData<'a> {
    pub(super) time: &'a [f64],
    pub(super) cause: &'a [u32],
    pub(super) entry: Option<&'a [f64]>,
    pub(super) weights: Option<&'a [f64]>,
    pub(super) strata: Option<&'a [u32]>,
    pub(super) clusters: Option<&'a [u32]>,
    interest: Option<u32>,
    n_strata: usize,
    grid: OnceLock<Grid>,
}

impl<'a> SurvivalData<'a> {
    /// One time and one cause (0: no event was seen) for each row.
    ///
    /// # Errors
    /// `insufficient_observations` without rows; `invalid_input` for slices of different lengths, and for a
    /// time that is negative or not finite, with its row.
    pub fn new(time: &'a [f64], cause: &'a [u32]) -> Result<Self> {
        if time.is_empty() {
            return Err(ErrorKind::InsufficientObservations(
                "there are no rows; give a time and a cause for each person".to_owned(),
            )
            .into());
        }
        same_length("causes", cause.len(), time.len())?;
        if let Some(row) = time.iter().position(|time| !(*time >= 0.0 && time.is_finite())) {
            return Err(Error::invalid(format!(
                "the time is {}; give a finite time of at least 0, or leave the row out",
                time[row]
            ))
            .in_row(row));
        }
        Ok(Self {
            time,
            cause,
            entry: None,
            weights: None,
            strata: None,
            clusters: None,
            interest: None,
            n_strata: 1,
            grid: OnceLock::new(),
        })
    }

    /// The time at which each row came under observation (left truncation): it is at risk only after it.
    /// Default: all from the start.
    ///
    /// # Errors
    /// `invalid_input` for another number of rows, an entry that is not finite, and one that is not before
    /// the time of its row, with its row.
    pub fn entry(self, entry: &'a [f64]) -> Result<Self> {
        same_length("entries", entry.len(), self.time.len())?;
        let mut rows = entry.iter().zip(self.time);
        if let Some(row) = rows.position(|(entry, time)| !(entry < time && entry.is_finite())) {
            return Err(Error::invalid(format!(
                "the entry is {} and the time {}; give a finite entry before the time, or leave the row out",
                entry[row], self.time[row]
            ))
            .in_row(row));
        }
        Ok(Self { entry: Some(entry), grid: OnceLock::new(), ..self })
    }

    /// A weight of each row; a row of weight 2 counts as two. Default: 1.
    ///
    /// # Errors
    /// `invalid_input` for another number of rows, a weight that is negative or not finite, with its row, and
    /// where all are 0.
    pub fn weights(self, weights: &'a [f64]) -> Result<Self> {
        same_length("weights", weights.len(), self.time.len())?;
        if let Some(row) = weights.iter().position(|weight| !(*weight >= 0.0 && weight.is_finite())) {
            return Err(Error::invalid(format!(
                "the weight is {}; give a finite weight of at least 0",
                weights[row]
            ))
            .in_row(row));
        }
        if weights.iter().all(|weight| *weight == 0.0) {
            return Err(Error::invalid("all weights are 0; give a row that counts a positive weight"));
        }
        Ok(Self { weights: Some(weights), grid: OnceLock::new(), ..self })
    }

    /// The stratum of each row, counted from 0: rows are at risk together within a stratum only. Default: one.
    ///
    /// # Errors
    /// `invalid_input` for another number of rows, and a code that is not below the number of rows.
    pub fn strata(self, strata: &'a [u32]) -> Result<Self> {
        let n_strata = codes("strata", strata, self.time.len())?;
        Ok(Self { strata: Some(strata), n_strata, grid: OnceLock::new(), ..self })
    }

    /// The cluster of each row, counted from 0, for variances that allow rows of a cluster to depend on each
    /// other. Default: each row its own.
    ///
    /// # Errors
    /// `invalid_input` for another number of rows, and a code that is not below the number of rows.
    pub fn clusters(self, clusters: &'a [u32]) -> Result<Self> {
        codes("clusters", clusters, self.time.len())?;
        Ok(Self { clusters: Some(clusters), ..self })
    }

    /// Counts events of one cause only, and takes rows with another cause as leaving without an event at their
    /// time: for cause-specific hazards. (A cumulative incidence needs all causes.)
    ///
    /// # Errors
    /// `invalid_input` for the cause 0, which is no event.
    pub fn censoring_other_causes(self, cause: u32) -> Result<Self> {
        if cause == 0 {
            return Err(Error::invalid("the cause 0 means that no event was seen; give a cause from 1"));
        }
        Ok(Self { interest: Some(cause), grid: OnceLock::new(), ..self })
    }

    /// The number of rows.
    pub fn n(&self) -> usize {
        self.time.len()
    }

    /// The number of rows with an event.
    pub fn events(&self) -> usize {
        (0..self.n()).filter(|&row| self.is_event(row)).count()
    }

    /// The largest cause.
    pub fn n_causes(&self) -> usize {
        self.cause.iter().copied().max().unwrap_or(0) as usize
    }

    /// The number of strata; 1 where none are declared.
    pub fn n_strata(&self) -> usize {
        self.n_strata
    }

    /// The weighted number of rows of all strata at risk just before each time.
    pub fn at_risk(&self, times: &[f64]) -> Vec<f64> {
        let count = |at: &f64| {
            (0..self.n())
                .filter(|&row| self.time[row] >= *at && self.entry.is_none_or(|entry| entry[row] < *at))
                .map(|row| self.weight(row))
                .sum()
        };
        times.iter().map(count).collect()
    }

    /// Whether the row has an event that counts.
    #[inline]
    pub(super) fn is_event(&self, row: usize) -> bool {
        self.interest.map_or(self.cause[row] != 0, |interest| self.cause[row] == interest)
    }

    /// The cause of the row among those that count; 0 for none.
    #[inline]
    pub(super) fn counted_cause(&self, row: usize) -> u32 {
        if self.is_event(row) { self.cause[row] } else { 0 }
    }

    #[inline]
    pub(super) fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[row])
    }

    #[inline]
    pub(super) fn stratum(&self, row: usize) -> usize {
        self.strata.map_or(0, |strata| strata[row] as usize)
    }

    /// The distinct times of events in each stratum, and the place of each row among them.
    pub(super) fn grid(&self) -> &Grid {
        self.grid.get_or_init(|| Grid::new(self, false))
    }

    /// As [`SurvivalData::grid`], with the times of all rows.
    pub(super) fn grid_of_all_times(&self) -> Grid {
        Grid::new(self, true)
    }

    /// The same rows in one stratum.
    pub(super) fn pooled(&self) -> Self {
        Self { strata: None, n_strata: 1, grid: OnceLock::new(), ..self.clone() }
    }

    /// Refuses data without any event that counts.
    pub(super) fn check_events(&self) -> Result<()> {
        if (0..self.n()).any(|row| self.is_event(row) && self.weight(row) > 0.0) {
            return Ok(());
        }
        Err(ErrorKind::NoEvents(
            "nobody had the event, so that no hazard can be compared; check the causes, or wait for events"
                .to_owned(),
        )
        .into())
    }

    /// The last time at which anyone of each stratum was seen; 0 for a stratum without rows.
    pub(super) fn last_times(&self) -> Vec<f64> {
        let mut last = vec![0.0_f64; self.n_strata];
        for (row, time) in self.time.iter().enumerate() {
            if self.weight(row) > 0.0 {
                let stratum = self.stratum(row);
                last[stratum] = last[stratum].max(*time);
            }
        }
        last
    }

    /// Refuses what a method does not take into account.
    pub(super) fn refuse(&self, method: &str, with: &[Feature]) -> Result<()> {
        for feature in with {
            let (declared, what) = match feature {
                Feature::Entry => (self.entry.is_some(), "entry times"),
                Feature::Weights => (self.weights.is_some(), "weights"),
                Feature::Strata => (self.strata.is_some(), "strata"),
                Feature::CensoredCauses => (self.interest.is_some(), "other causes taken as censored"),
            };
            if declared {
                return Err(Error::invalid(format!("{method} has no version with {what}; leave them out")));
            }
        }
        Ok(())
    }
}

/// What a method may not take into account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Feature {
    Entry,
    Weights,
    Strata,
    CensoredCauses,
}

/// Refuses a number of values that is not that of the rows.
pub(super) fn same_length(what: &str, given: usize, rows: usize) -> Result<()> {
    if given == rows {
        return Ok(());
    }
    Err(Error::invalid(format!("{given} {what} for {rows} times; give one for each row")))
}

/// The number of codes, from 0 to the largest.
pub(super) fn codes(what: &str, codes: &[u32], rows: usize) -> Result<usize> {
    same_length(what, codes.len(), rows)?;
    if let Some(row) = codes.iter().position(|code| *code as usize >= rows) {
        return Err(Error::invalid(format!(
            "the code among the {what} is {}, beyond the number of rows; number the {what} from 0",
            codes[row]
        ))
        .in_row(row));
    }
    Ok(codes.iter().copied().max().map_or(0, |code| code as usize + 1))
}

/// The number of groups that are compared: at least two, each with rows.
pub(super) fn groups(groups: &[u32], rows: usize) -> Result<usize> {
    let n_groups = codes("groups", groups, rows)?;
    let mut seen = vec![false; n_groups];
    for group in groups {
        seen[*group as usize] = true;
    }
    if let Some(empty) = seen.iter().position(|seen| !seen) {
        return Err(
            ErrorKind::EmptyArm(format!("the group {empty} has no rows; number the groups from 0")).into()
        );
    }
    if n_groups < 2 {
        return Err(ErrorKind::EmptyArm(
            "all rows are in one group, so that there is nothing to compare; give at least two groups"
                .to_owned(),
        )
        .into());
    }
    Ok(n_groups)
}

/// Refuses a horizon that is no time, or lies beyond the last time that was seen while some are still there.
pub(super) fn check_horizon(horizon: f64, last: f64, all_gone: bool) -> Result<()> {
    if !(horizon >= 0.0 && horizon.is_finite()) {
        return Err(Error::invalid(format!("the horizon is {horizon}; give a finite time of at least 0")));
    }
    if horizon > last && !all_gone {
        return Err(ErrorKind::NotEstimable(format!(
            "the horizon {horizon} lies beyond the follow-up, which ends at {last} while some are still there; give one of at most {last}"
        ))
        .into());
    }
    Ok(())
}
