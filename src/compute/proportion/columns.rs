//! Intervals of many tables at once.

use super::{Critical, DifferenceInterval, OddsRatioInterval, Proportion, RatioInterval, TwoProportions};
use crate::compute::interval::Interval;
use crate::error::{Error, Result};

/// Many tables as columns of counts, one row for each table, all columns equally long.
///
/// The intervals are written into a slice of the caller and are those of the single calls on [`TwoProportions`]; nothing
/// is allocated.
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
    /// `invalid_input` where lengths differ, for a level outside (0, 1), or for impossible counts (with the row).
    pub fn difference_intervals(
        &self,
        method: DifferenceInterval,
        level: f64,
        intervals: &mut [Interval],
    ) -> Result<()> {
        let critical = Critical::new(level)?;
        self.fill(intervals, |two| Ok(two.difference_between(method, critical)))
    }

    /// The intervals of the ratios, as [`TwoProportions::ratio_interval`].
    ///
    /// # Errors
    /// As [`difference_intervals`](Self::difference_intervals); `not_estimable` (with the row) where the method has no answer.
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
        interval: impl Fn(TwoProportions) -> Result<Interval>,
    ) -> Result<()> {
        let lengths = [
            self.treatment_events.len(),
            self.treatment_n.len(),
            self.control_events.len(),
            self.control_n.len(),
        ];
        if lengths.iter().any(|length| *length != intervals.len()) {
            return Err(Error::invalid(format!(
                "the columns of counts have {lengths:?} rows and there is room for {} intervals; make them equal",
                intervals.len()
            )));
        }
        let counts = self
            .treatment_events
            .iter()
            .zip(self.treatment_n)
            .zip(self.control_events.iter().zip(self.control_n));
        for (row, (((x1, n1), (x0, n0)), out)) in counts.zip(intervals).enumerate() {
            *out = Proportion::new(*x1, *n1)
                .and_then(|treatment| Ok(TwoProportions::new(treatment, Proportion::new(*x0, *n0)?)))
                .and_then(&interval)
                .map_err(|error| error.in_row(row))?;
        }
        Ok(())
    }
}
