//! Counts of events in one group and in two, person-time, and the correction for empty cells.

use crate::error::{Error, Result, counted};
use serde::{Deserialize, Serialize};

/// Events among the participants of a group. They may be fractions: effective numbers of clusters, or cells
/// that were added to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Participants with the event.
    pub events: f64,
    /// Participants.
    pub n: f64,
}

/// Events in the person-time of a group.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PersonTime {
    /// Events.
    pub events: f64,
    /// Person-time, in any unit.
    pub time: f64,
}

/// Events and participants of a group, as whole numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArmTotal {
    /// Participants with the event.
    pub events: u64,
    /// Participants.
    pub n: u64,
}

/// The counts of two groups: of one study, or of one stratum.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TwoByTwo {
    /// The treatment group.
    pub treatment: Counts,
    /// The control group.
    pub control: Counts,
}

/// The events and person-time of two groups: of one study, or of one stratum.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RatePair {
    /// The treatment group.
    pub treatment: PersonTime,
    /// The control group.
    pub control: PersonTime,
}

/// The tables (strata of person-time, single groups) to which something is added.
///
/// A table has a zero where one of its four cells is 0: nobody or everybody has the event in a group.
/// Person-time has a zero where a group has no event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AddTo {
    /// No table.
    #[default]
    None,
    /// Tables with a zero.
    WhereZero,
    /// All tables.
    All,
    /// All tables if any of them has a zero, otherwise none.
    AllIfAnyZero,
}

/// The treatment of tables without events, or with events only, in both groups. They show nothing of a ratio.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DoubleZeros {
    /// They are treated as any other table.
    #[default]
    Keep,
    /// They have no effect, whatever is added to the others; nor do they count as tables with a zero for
    /// [`AddTo::AllIfAnyZero`].
    Drop,
}

/// The correction for empty cells: the number that is added to every cell, and the tables to which it is
/// added.
///
/// What is added enters the value and the variance. It is added to each of the four cells, so that
/// participants grow by twice the amount in each group; for person-time to the events only. For differences
/// nothing need be added: the value moves towards 0 (0/40 against 2/41 from -0.049 to -0.047), and a table
/// without events gets a variance that is far too small.
///
/// ```
/// use armwise::effect_size::{AddTo, CellCorrection, DoubleZeros};
///
/// let rule = CellCorrection::HALF_WHERE_ZERO.double_zeros(DoubleZeros::Drop);
/// assert_eq!(rule.amount, 0.5);
/// assert_eq!(CellCorrection::add(0.25, AddTo::All)?.double_zeros, DoubleZeros::Keep);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CellCorrection {
    /// The amount that is added to each cell.
    pub amount: f64,
    /// The tables to which it is added.
    pub to: AddTo,
    /// The treatment of tables that are empty, or full, in both groups.
    pub double_zeros: DoubleZeros,
}

impl CellCorrection {
    /// Nothing is added.
    pub const NONE: Self = Self { amount: 0.0, to: AddTo::None, double_zeros: DoubleZeros::Keep };

    /// One half is added where a cell is 0 (Haldane 1940, Anscombe 1956).
    pub const HALF_WHERE_ZERO: Self =
        Self { amount: 0.5, to: AddTo::WhereZero, double_zeros: DoubleZeros::Keep };

    /// `amount` (0 or more) is added to every cell of the tables.
    ///
    /// # Errors
    /// `invalid_input` unless the amount is finite and 0 or more.
    pub fn add(amount: f64, to: AddTo) -> Result<Self> {
        let correction = Self { amount, to, double_zeros: DoubleZeros::Keep };
        correction.check().map(|()| correction)
    }

    setters! {
        /// The treatment of tables that are empty, or full, in both groups.
        double_zeros: DoubleZeros;
    }

    /// Refuses an amount that a file could have brought.
    pub(crate) fn check(self) -> Result<()> {
        if self.amount >= 0.0 && self.amount.is_finite() {
            return Ok(());
        }
        Err(Error::invalid(format!("what is added to the cells must be 0 or more, not {}", self.amount)))
    }

    /// The amount for a single group.
    pub(crate) fn amount_for(self, has_zero: bool) -> f64 {
        if self.adds(has_zero, has_zero) { self.amount } else { 0.0 }
    }

    fn adds(self, has_zero: bool, any: bool) -> bool {
        match self.to {
            AddTo::None => false,
            AddTo::WhereZero => has_zero,
            AddTo::All => true,
            AddTo::AllIfAnyZero => any,
        }
    }

    fn drops(self, table: &impl Corrected) -> bool {
        self.double_zeros == DoubleZeros::Drop && table.says_nothing()
    }

    /// The tables with what is added to them; `None` for those that are dropped.
    pub(crate) fn apply<T: Corrected>(
        self,
        tables: impl Iterator<Item = T> + Clone,
    ) -> impl Iterator<Item = Option<T>> + Clone {
        let any = self.to == AddTo::AllIfAnyZero
            && tables.clone().any(|table| table.has_zero() && !self.drops(&table));
        tables.map(move |table| {
            (!self.drops(&table)).then(|| {
                let added = if self.adds(table.has_zero(), any) { self.amount } else { 0.0 };
                table.plus(added)
            })
        })
    }
}

/// The questions of a correction to a table.
pub(crate) trait Corrected: Copy {
    fn has_zero(&self) -> bool;

    /// Without events, or with events only, in both groups.
    fn says_nothing(&self) -> bool;

    fn plus(self, add: f64) -> Self;
}

/// Events `x` and others `y` of the treatment group (1) and the control group (0).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cells {
    pub(crate) x1: f64,
    pub(crate) y1: f64,
    pub(crate) x0: f64,
    pub(crate) y0: f64,
}

impl From<&TwoByTwo> for Cells {
    fn from(table: &TwoByTwo) -> Self {
        let TwoByTwo { treatment, control } = *table;
        Self {
            x1: treatment.events,
            y1: treatment.n - treatment.events,
            x0: control.events,
            y0: control.n - control.events,
        }
    }
}

impl Cells {
    pub(crate) fn n1(&self) -> f64 {
        self.x1 + self.y1
    }

    pub(crate) fn n0(&self) -> f64 {
        self.x0 + self.y0
    }

    pub(crate) fn total(&self) -> f64 {
        self.n1() + self.n0()
    }

    pub(crate) fn swapped(self) -> Self {
        Self { x1: self.x0, y1: self.y0, x0: self.x1, y0: self.y1 }
    }

    /// The difference `x1/n1 - x0/n0`.
    pub(crate) fn difference(&self) -> f64 {
        self.x1 / self.n1() - self.x0 / self.n0()
    }

    /// `x1` minus its expectation given the margins.
    pub(crate) fn excess(&self) -> f64 {
        (self.x1 * self.y0 - self.y1 * self.x0) / self.total()
    }

    /// The product of the four margins.
    pub(crate) fn margins(&self) -> f64 {
        self.n1() * self.n0() * (self.x1 + self.x0) * (self.y1 + self.y0)
    }

    /// The variance of `x1` given the margins (hypergeometric).
    pub(crate) fn hypergeometric_variance(&self) -> f64 {
        let total = self.total();
        if total > 1.0 { self.margins() / (total * total * (total - 1.0)) } else { 0.0 }
    }
}

impl Corrected for Cells {
    fn has_zero(&self) -> bool {
        self.x1 == 0.0 || self.y1 == 0.0 || self.x0 == 0.0 || self.y0 == 0.0
    }

    fn says_nothing(&self) -> bool {
        self.x1 + self.x0 == 0.0 || self.y1 + self.y0 == 0.0
    }

    fn plus(self, add: f64) -> Self {
        Self { x1: self.x1 + add, y1: self.y1 + add, x0: self.x0 + add, y0: self.y0 + add }
    }
}

impl Corrected for RatePair {
    fn has_zero(&self) -> bool {
        self.treatment.events == 0.0 || self.control.events == 0.0
    }

    fn says_nothing(&self) -> bool {
        self.treatment.events == 0.0 && self.control.events == 0.0
    }

    fn plus(mut self, add: f64) -> Self {
        self.treatment.events += add;
        self.control.events += add;
        self
    }
}

impl Counts {
    /// Refuses events outside 0 to n, and groups of nobody.
    pub(crate) fn check(&self) -> Result<()> {
        if self.n > 0.0 && self.n.is_finite() && (0.0..=self.n).contains(&self.events) {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "{} among {}; events must lie from 0 to n, and n above 0",
            counted(self.events, "event"),
            counted(self.n, "participant")
        )))
    }
}

impl PersonTime {
    /// Refuses negative events, and time that is not positive.
    pub(crate) fn check(&self) -> Result<()> {
        if self.time > 0.0 && self.time.is_finite() && self.events >= 0.0 && self.events.is_finite() {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "{} in {} person-time; events must be 0 or more, and time above 0",
            counted(self.events, "event"),
            self.time
        )))
    }
}

/// Refuses impossible counts, with the position of their table.
pub(crate) fn check_tables(tables: &[TwoByTwo]) -> Result<()> {
    let check = |table: &TwoByTwo| table.treatment.check().and_then(|()| table.control.check());
    tables.iter().enumerate().try_for_each(|(row, table)| check(table).map_err(|error| error.in_row(row)))
}

/// Refuses impossible rates, with the position of their stratum.
pub(crate) fn check_rates(pairs: &[RatePair]) -> Result<()> {
    let check = |pair: &RatePair| pair.treatment.check().and_then(|()| pair.control.check());
    pairs.iter().enumerate().try_for_each(|(row, pair)| check(pair).map_err(|error| error.in_row(row)))
}

impl ArmTotal {
    pub(crate) fn x(self) -> f64 {
        self.events as f64
    }

    pub(crate) fn y(self) -> f64 {
        (self.n - self.events) as f64
    }

    pub(crate) fn total(self) -> f64 {
        self.n as f64
    }
}
