//! Numbers at risk and of events, by group and cause, at each distinct time.

use super::data::SurvivalData;
use super::grid::{Grid, Order};

/// Weighted counts by group, and of events by cause within group.
#[derive(Debug)]
pub(super) struct Counts<'g> {
    grid: &'g Grid,
    groups: usize,
    causes: usize,
    tables: Tables<'g>,
}

/// Tables of the slots where they are small, else the rows in the order of their slots.
#[derive(Debug)]
enum Tables<'g> {
    /// Events (slot, group, cause), leaving and entering (slot, group).
    Small { events: Vec<f64>, leaving: Vec<f64>, entering: Vec<f64> },
    Rows {
        data: &'g SurvivalData<'g>,
        group: Option<&'g [u32]>,
        exit: Order,
        entry: Option<Order>,
        totals: Vec<f64>,
    },
}

/// The most numbers in a table.
const SMALL: usize = 1 << 19;

impl<'g> Counts<'g> {
    /// By group where groups are given; all causes together where there is one.
    pub(super) fn new(
        data: &'g SurvivalData<'g>,
        grid: &'g Grid,
        group: Option<(&'g [u32], usize)>,
        causes: usize,
    ) -> Self {
        let groups = group.map_or(1, |(_, groups)| groups);
        let group = group.map(|(codes, _)| codes);
        let of = |row: usize| group.map_or(0, |group| group[row] as usize);
        if grid.len() * groups * (causes + 2) > SMALL {
            let mut totals = vec![0.0; grid.strata.len() * groups];
            for row in 0..data.n() {
                totals[data.stratum(row) * groups + of(row)] += data.weight(row);
            }
            let entry = grid.entry.as_ref().map(|entry| Order::new(entry, grid.len()));
            return Self {
                grid,
                groups,
                causes,
                tables: Tables::Rows { data, group, exit: grid.order(), entry, totals },
            };
        }
        let mut events = vec![0.0; grid.len() * groups * causes];
        let mut leaving = vec![0.0; grid.len() * groups];
        let mut entering = vec![0.0; grid.len() * groups];
        for (row, exit) in grid.exit.iter().enumerate() {
            let weight = data.weight(row);
            let place = *exit as usize * groups + of(row);
            leaving[place] += weight;
            let cause = data.counted_cause(row);
            if cause != 0 {
                events[place * causes + cause_place(cause, causes)] += weight;
            }
            entering[grid.entry_slot(row, data.stratum(row)) * groups + of(row)] += weight;
        }
        Self { grid, groups, causes, tables: Tables::Small { events, leaving, entering } }
    }

    /// Calls `with` for each slot of a stratum in order of time: the slot, the numbers at risk by group, and
    /// the events by cause within group.
    pub(super) fn for_each(&self, stratum: usize, mut with: impl FnMut(usize, &[f64], &[f64])) {
        let slots = self.grid.strata[stratum].clone();
        let (groups, causes) = (self.groups, self.causes);
        let mut at_risk = vec![0.0; groups];
        match &self.tables {
            Tables::Small { events, leaving, entering } => {
                for slot in slots.start + 1..slots.end {
                    let before = (slot - 1) * groups;
                    for (g, n) in at_risk.iter_mut().enumerate() {
                        *n += entering[before + g] - leaving[before + g];
                    }
                    with(slot, &at_risk, &events[slot * groups * causes..(slot + 1) * groups * causes]);
                }
            }
            Tables::Rows { data, group, exit, entry, totals } => {
                let of = |row: usize| group.map_or(0, |group| group[row] as usize);
                let mut events = vec![0.0; groups * causes];
                if entry.is_none() {
                    at_risk.copy_from_slice(&totals[stratum * groups..(stratum + 1) * groups]);
                }
                for slot in slots.start + 1..slots.end {
                    if let Some(entry) = entry {
                        entry.rows(slot - 1).for_each(|row| at_risk[of(row)] += data.weight(row));
                    }
                    exit.rows(slot - 1).for_each(|row| at_risk[of(row)] -= data.weight(row));
                    events.fill(0.0);
                    for row in exit.rows(slot) {
                        let cause = data.counted_cause(row);
                        if cause != 0 {
                            events[of(row) * causes + cause_place(cause, causes)] += data.weight(row);
                        }
                    }
                    with(slot, &at_risk, &events);
                }
            }
        }
    }
}

/// The place of a cause from 1; all are one where only one is counted.
fn cause_place(cause: u32, causes: usize) -> usize {
    if causes == 1 { 0 } else { cause as usize - 1 }
}
