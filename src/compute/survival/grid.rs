//! The distinct times at which something happens, and the place of each row among them.

use super::data::SurvivalData;
use std::ops::Range;

/// Distinct times of each stratum in slots, in increasing order. The first slot of a stratum stands for the
/// time before them all.
///
/// A row is at risk at the slots after its entry slot, up to and including its exit slot.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    /// The time of each slot; minus infinity for the first of a stratum.
    pub(super) times: Vec<f64>,
    /// The slots of each stratum.
    pub(super) strata: Vec<Range<usize>>,
    /// The last slot of each row whose time is at most that of the row.
    pub(super) exit: Vec<u32>,
    /// The last slot of each row whose time is at most its entry; `None` where all enter before the first.
    pub(super) entry: Option<Vec<u32>>,
}

/// Whole times up to this one are looked up instead of sorted.
const LARGEST_WHOLE: f64 = 65_535.0;

impl Grid {
    /// The times of the events that count, or of all rows.
    pub(super) fn new(data: &SurvivalData, all: bool) -> Self {
        Self::of_whole_times(data, all).unwrap_or_else(|| Self::of_sorted_times(data, all))
    }

    /// The number of slots.
    pub(super) fn len(&self) -> usize {
        self.times.len()
    }

    /// The slot in which a row enters.
    #[inline]
    pub(super) fn entry_slot(&self, row: usize, stratum: usize) -> usize {
        self.entry.as_ref().map_or(self.strata[stratum].start, |entry| entry[row] as usize)
    }

    /// Where all times are small whole numbers, such as months: a table instead of a sort.
    fn of_whole_times(data: &SurvivalData, all: bool) -> Option<Self> {
        let whole = |time: &f64| *time >= 0.0 && *time <= LARGEST_WHOLE && time.trunc() == *time;
        if !data.time.iter().all(whole) || !data.entry.is_none_or(|entry| entry.iter().all(whole)) {
            return None;
        }
        let largest = data.time.iter().fold(0.0_f64, |largest, time| largest.max(*time));
        let width = place(largest) + 1;
        if width * data.n_strata() > (4 * data.n()).max(1 << 16) {
            return None;
        }
        let mut slot_of = vec![0_u32; width * data.n_strata()];
        for (row, time) in data.time.iter().enumerate() {
            if all || data.is_event(row) {
                slot_of[data.stratum(row) * width + place(*time)] = 1;
            }
        }
        let mut times = Vec::new();
        let mut strata = Vec::with_capacity(data.n_strata());
        for slots in slot_of.chunks_exact_mut(width) {
            let start = times.len();
            times.push(f64::NEG_INFINITY);
            for (time, slot) in slots.iter_mut().enumerate() {
                if *slot == 1 {
                    times.push(time as f64);
                }
                *slot = code(times.len() - 1);
            }
            strata.push(start..times.len());
        }
        let slot = |(row, time): (usize, &f64)| slot_of[data.stratum(row) * width + place(*time)];
        let exit = data.time.iter().enumerate().map(slot).collect();
        let entry = data.entry.map(|entry| entry.iter().enumerate().map(slot).collect());
        Some(Self { times, strata, exit, entry })
    }

    fn of_sorted_times(data: &SurvivalData, all: bool) -> Self {
        let mut by_stratum: Vec<Vec<f64>> = vec![Vec::new(); data.n_strata()];
        for (row, time) in data.time.iter().enumerate() {
            if all || data.is_event(row) {
                by_stratum[data.stratum(row)].push(*time);
            }
        }
        let mut times = Vec::new();
        let mut strata = Vec::with_capacity(data.n_strata());
        for mut own in by_stratum {
            own.sort_unstable_by(f64::total_cmp);
            own.dedup();
            let start = times.len();
            times.push(f64::NEG_INFINITY);
            times.append(&mut own);
            strata.push(start..times.len());
        }
        let slot = |(row, time): (usize, &f64)| {
            let slots = strata[data.stratum(row)].clone();
            code(slots.start + times[slots].partition_point(|known| known <= time) - 1)
        };
        let exit = data.time.iter().enumerate().map(slot).collect();
        let entry = data.entry.map(|entry| entry.iter().enumerate().map(slot).collect());
        Self { times, strata, exit, entry }
    }

    /// The rows sorted by their exit slots.
    pub(super) fn order(&self) -> Order {
        Order::new(&self.exit, self.len())
    }
}

/// Rows sorted by slot: a counting sort, linear in their number.
#[derive(Debug, Clone)]
pub(super) struct Order {
    start: Vec<u32>,
    rows: Vec<u32>,
}

impl Order {
    pub(super) fn new(slots: &[u32], n_slots: usize) -> Self {
        let mut start = vec![0_u32; n_slots + 1];
        for slot in slots {
            start[*slot as usize + 1] += 1;
        }
        for slot in 0..n_slots {
            start[slot + 1] += start[slot];
        }
        let mut next = start.clone();
        let mut rows = vec![0_u32; slots.len()];
        for (row, slot) in slots.iter().enumerate() {
            let next = &mut next[*slot as usize];
            rows[*next as usize] = code(row);
            *next += 1;
        }
        Self { start, rows }
    }

    /// The rows of a slot, in increasing order.
    pub(super) fn rows(&self, slot: usize) -> impl DoubleEndedIterator<Item = usize> + '_ {
        let range = self.start[slot] as usize..self.start[slot + 1] as usize;
        self.rows[range].iter().map(|row| *row as usize)
    }
}

/// The place of a small whole time in a table.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to LARGEST_WHOLE
fn place(time: f64) -> usize {
    time as usize
}

/// A number of rows or slots, of which there are fewer than 2^32.
pub(super) fn code(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
