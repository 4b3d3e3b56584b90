//! Intervals of many tables at once.

use super::lanes::{BLOCK, CountBlock, Newcombe};
use super::{Critical, DifferenceInterval, OddsRatioInterval, Proportion, RatioInterval, TwoProportions};
use crate::compute::interval::Interval;
use crate::compute::threads::{fill_in_parts, instruction_set};
use crate::error::{Error, Result};

/// Tables that one thread takes at a time.
const PART: usize = 1024;
/// The number of tables below which other threads cost more than they save.
const THREADED: usize = 4096;

/// Many tables as columns of counts, one row for each table, all columns equally long.
///
/// The intervals are written into a slice of the caller and are those of the single calls on
/// [`TwoProportions`]; nothing is allocated. With the feature `rayon` the tables are split over threads.
///
/// ```
/// use armwise::Interval;
/// use armwise::proportion::{CountColumns, DifferenceInterval};
///
/// let tables = CountColumns {
///     treatment_events: &[56, 9, 0],
///     treatment_n: &[70, 10, 10],
///     control_events: &[48, 3, 0],
///     control_n: &[80, 10, 20],
/// };
/// let mut intervals = [Interval::default(); 3];
/// tables.difference_intervals(DifferenceInterval::MiettinenNurminen, 0.95, &mut intervals)?;
/// assert!((intervals[0].lower() - 0.052830).abs() < 1e-6);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct CountColumns<'a> {
    /// Events in the treatment groups.
    pub treatment_events: &'a [u64],
    /// Participants in the treatment groups.
    pub treatment_n: &'a [u64],
    /// Events in the control groups.
    pub control_events: &'a [u64],
    /// Participants in the control groups.
    pub control_n: &'a [u64],
}

impl CountColumns<'_> {
    /// The intervals of the differences, as [`TwoProportions::difference_interval`].
    ///
    /// # Errors
    /// `invalid_input` where lengths differ, for a level outside (0, 1), or for impossible counts (with the
    /// row).
    pub fn difference_intervals(
        &self,
        method: DifferenceInterval,
        level: f64,
        intervals: &mut [Interval],
    ) -> Result<()> {
        let critical = Critical::new(level)?;
        if method == DifferenceInterval::Newcombe {
            self.check_lengths(intervals.len())?;
            return fill_in_parts(intervals, PART, intervals.len() >= THREADED, |start, part| {
                self.newcombe(start, critical.z, part)
            });
        }
        self.fill(intervals, |two| Ok(two.difference_between(method, critical)))
    }

    /// The intervals of the ratios, as [`TwoProportions::ratio_interval`].
    ///
    /// # Errors
    /// As [`difference_intervals`](Self::difference_intervals); `not_estimable` (with the row) where the
    /// method has no answer.
    pub fn ratio_intervals(
        &self,
        method: RatioInterval,
        level: f64,
        intervals: &mut [Interval],
    ) -> Result<()> {
        let critical = Critical::new(level)?;
        self.fill(intervals, |two| two.ratio_between(method, critical))
    }

    /// The intervals of the odds ratios, as [`TwoProportions::odds_ratio_interval`].
    ///
    /// # Errors
    /// As [`ratio_intervals`](Self::ratio_intervals).
    pub fn odds_ratio_intervals(
        &self,
        method: OddsRatioInterval,
        level: f64,
        intervals: &mut [Interval],
    ) -> Result<()> {
        let critical = Critical::new(level)?;
        self.fill(intervals, |two| two.odds_ratio_between(method, critical))
    }

    fn fill(
        &self,
        intervals: &mut [Interval],
        interval: impl Fn(TwoProportions) -> Result<Interval> + Sync,
    ) -> Result<()> {
        self.check_lengths(intervals.len())?;
        fill_in_parts(intervals, PART, intervals.len() >= THREADED, |start, part| {
            for (k, out) in part.iter_mut().enumerate() {
                let row = start + k;
                let count = |column: &[u64]| column.get(row).copied().unwrap_or_default();
                *out = Proportion::new(count(self.treatment_events), count(self.treatment_n))
                    .and_then(|treatment| {
                        let control = Proportion::new(count(self.control_events), count(self.control_n))?;
                        Ok(TwoProportions::new(treatment, control))
                    })
                    .and_then(&interval)
                    .map_err(|error| error.in_row(row))?;
            }
            Ok(())
        })
    }

    fn check_lengths(&self, room: usize) -> Result<()> {
        let lengths = [
            self.treatment_events.len(),
            self.treatment_n.len(),
            self.control_events.len(),
            self.control_n.len(),
        ];
        if lengths.iter().any(|length| *length != room) {
            return Err(Error::invalid(format!(
                "the columns of counts have the lengths {lengths:?}, and the room for intervals {room}; make them equal"
            )));
        }
        Ok(())
    }

    /// Newcombe's intervals of the tables from `start` on.
    fn newcombe(&self, start: usize, z: f64, intervals: &mut [Interval]) -> Result<()> {
        for (part, intervals) in intervals.chunks_mut(BLOCK).enumerate() {
            let first = start + part * BLOCK;
            let rows = first..first + intervals.len();
            let mut block = CountBlock { counts: [[1.0; BLOCK]; 4] };
            let groups = [(self.treatment_events, self.treatment_n), (self.control_events, self.control_n)];
            let mut possible = true;
            for ((events, n), counts) in groups.into_iter().zip(block.counts.chunks_exact_mut(2)) {
                let (events, n) = (&events[rows.clone()], &n[rows.clone()]);
                let [to_events, to_n] = counts else { continue };
                for (((x, n), to_x), to_n) in events.iter().zip(n).zip(to_events).zip(to_n) {
                    possible &= *x <= *n;
                    possible &= (1..=1 << 52).contains(n);
                    (*to_x, *to_n) = (*x as f64, *n as f64);
                }
            }
            if !possible {
                // One by one, for the error with its row.
                for row in rows.clone() {
                    Proportion::new(self.treatment_events[row], self.treatment_n[row])
                        .and(Proportion::new(self.control_events[row], self.control_n[row]))
                        .map_err(|error| error.in_row(row))?;
                }
            }
            instruction_set().dispatch(Newcombe { block: &block, z, intervals });
        }
        Ok(())
    }
}
