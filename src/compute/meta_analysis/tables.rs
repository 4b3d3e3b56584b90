//! Two by two tables and person-time of several strata, with the corrections for empty cells.

use super::contrast::ArmCounts;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// The counts of one stratum (trial).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TwoByTwo {
    /// The treatment arm.
    pub treatment: ArmCounts,
    /// The control arm.
    pub control: ArmCounts,
}

/// Events and person-time of an arm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ArmRate {
    /// Events.
    pub events: f64,
    /// Person-time, in any unit.
    pub time: f64,
}

/// Events and person-time of one stratum (trial).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RatePair {
    /// The treatment arm.
    pub treatment: ArmRate,
    /// The control arm.
    pub control: ArmRate,
}

/// Which tables something is added to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CorrectedTables {
    /// None.
    #[default]
    None,
    /// Those with an empty cell.
    OnlyZero,
    /// All.
    All,
}

/// What is added to every cell of which tables.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CellCorrection {
    /// What is added to each cell (for rates: to the events).
    pub amount: f64,
    /// The tables it is added to.
    pub tables: CorrectedTables,
}

impl CellCorrection {
    /// Nothing is added.
    pub const NONE: Self = Self { amount: 0.0, tables: CorrectedTables::None };

    /// One half is added to tables with an empty cell.
    pub const HALF_WHERE_ZERO: Self = Self { amount: 0.5, tables: CorrectedTables::OnlyZero };

    fn of(self, has_zero: bool) -> f64 {
        match self.tables {
            CorrectedTables::All => self.amount,
            CorrectedTables::OnlyZero if has_zero => self.amount,
            _ => 0.0,
        }
    }

    pub(crate) fn check(self) -> Result<()> {
        if self.amount >= 0.0 && self.amount.is_finite() {
            return Ok(());
        }
        Err(Error::invalid(format!("what is added to the cells must be 0 or more, not {}", self.amount)))
    }
}

/// Cells a, b (treatment: events, others), c, d (control).
#[derive(Clone, Copy)]
pub(crate) struct Cells {
    pub(crate) a: f64,
    pub(crate) b: f64,
    pub(crate) c: f64,
    pub(crate) d: f64,
}

impl TwoByTwo {
    pub(crate) fn cells(&self) -> Cells {
        let (treatment, control) = (self.treatment, self.control);
        Cells {
            a: treatment.events,
            b: treatment.n - treatment.events,
            c: control.events,
            d: control.n - control.events,
        }
    }
}

impl Cells {
    pub(crate) fn corrected(self, correction: CellCorrection) -> Self {
        let has_zero = self.a == 0.0 || self.b == 0.0 || self.c == 0.0 || self.d == 0.0;
        self.plus(correction.of(has_zero))
    }

    /// With `add` in every cell.
    pub(crate) fn plus(self, add: f64) -> Self {
        Self { a: self.a + add, b: self.b + add, c: self.c + add, d: self.d + add }
    }

    /// Without events, or with events only, in both arms.
    pub(crate) fn says_nothing(self) -> bool {
        self.a + self.c == 0.0 || self.b + self.d == 0.0
    }

    pub(crate) fn n1(self) -> f64 {
        self.a + self.b
    }

    pub(crate) fn n0(self) -> f64 {
        self.c + self.d
    }

    pub(crate) fn total(self) -> f64 {
        self.n1() + self.n0()
    }

    /// a minus its expectation given the margins.
    pub(crate) fn excess(self) -> f64 {
        (self.a * self.d - self.b * self.c) / self.total()
    }

    /// n1 n0 m1 m0.
    pub(crate) fn margins(self) -> f64 {
        self.n1() * self.n0() * (self.a + self.c) * (self.b + self.d)
    }

    /// The variance of a given the margins (hypergeometric).
    pub(crate) fn hypergeometric_variance(self) -> f64 {
        let total = self.total();
        if total > 1.0 { self.margins() / (total * total * (total - 1.0)) } else { 0.0 }
    }
}

impl RatePair {
    pub(crate) fn corrected(mut self, correction: CellCorrection) -> Self {
        let add = correction.of(self.treatment.events == 0.0 || self.control.events == 0.0);
        self.treatment.events += add;
        self.control.events += add;
        self
    }
}

pub(crate) fn check_tables(tables: &[TwoByTwo]) -> Result<()> {
    for (index, table) in tables.iter().enumerate() {
        for arm in [table.treatment, table.control] {
            if !(arm.n > 0.0 && arm.n.is_finite() && (0.0..=arm.n).contains(&arm.events)) {
                return Err(Error::invalid(format!(
                    "table {} has {} events among {} participants; events must lie from 0 to n, and n above 0",
                    index + 1,
                    arm.events,
                    arm.n
                )));
            }
        }
    }
    Ok(())
}

pub(crate) fn check_rates(pairs: &[RatePair]) -> Result<()> {
    for (index, pair) in pairs.iter().enumerate() {
        for arm in [pair.treatment, pair.control] {
            if !(arm.time > 0.0 && arm.time.is_finite() && arm.events >= 0.0 && arm.events.is_finite()) {
                return Err(Error::invalid(format!(
                    "stratum {} has {} events in {} person-time; events must be 0 or more, and time above 0",
                    index + 1,
                    arm.events,
                    arm.time
                )));
            }
        }
    }
    Ok(())
}
