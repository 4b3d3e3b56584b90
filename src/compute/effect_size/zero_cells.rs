use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Which tables (or strata of person-time, or single groups) something is added to.
///
/// A table has a zero where one of its four cells is 0: nobody or everybody has the event in a group. Person-time has a
/// zero where a group has no event.
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

/// What happens to tables without events, or with events only, in both groups. They say nothing about a ratio.
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

/// The rule for zero cells: what is added to every cell of which tables.
///
/// What is added enters the value and the variance. It is added to each of the four cells, so that participants grow
/// by twice the amount in each group; for person-time to the events only. For differences nothing need be added: the
/// value moves towards 0 (0/40 against 2/41 from -0.049 to -0.047), and a table without events gets a variance that
/// is far too small.
///
/// ```
/// use armwise::effect_size::{AddTo, DoubleZeros, ZeroCells};
///
/// let rule = ZeroCells::HALF_WHERE_ZERO.double_zeros(DoubleZeros::Drop);
/// assert_eq!(rule.amount, 0.5);
/// assert_eq!(ZeroCells::add(0.25, AddTo::All)?.double_zeros, DoubleZeros::Keep);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ZeroCells {
    /// What is added to each cell.
    pub amount: f64,
    /// The tables it is added to.
    pub to: AddTo,
    /// What happens to tables that are empty, or full, in both groups.
    pub double_zeros: DoubleZeros,
}

impl ZeroCells {
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
        if amount >= 0.0 && amount.is_finite() {
            return Ok(Self { amount, to, double_zeros: DoubleZeros::Keep });
        }
        Err(Error::invalid(format!("what is added to the cells must be 0 or more, not {amount}")))
    }

    /// What happens to tables that are empty, or full, in both groups.
    #[must_use]
    pub fn double_zeros(mut self, double_zeros: DoubleZeros) -> Self {
        self.double_zeros = double_zeros;
        self
    }

    /// What is added where a table has, or has not, a zero. `any` tells whether any table has one.
    pub(super) fn amount_for(&self, has_zero: bool, any: bool) -> f64 {
        let added = match self.to {
            AddTo::None => false,
            AddTo::WhereZero => has_zero,
            AddTo::All => true,
            AddTo::AllIfAnyZero => any,
        };
        if added { self.amount } else { 0.0 }
    }

    pub(super) fn drops(&self, says_nothing: bool) -> bool {
        says_nothing && self.double_zeros == DoubleZeros::Drop
    }
}

/// Why a dropped table has no effect.
pub(super) const DROPPED: &str = "the study has no events, or events only, in both groups and was to be dropped; \
                                  keep it with DoubleZeros::Keep, or pool it by Mantel-Haenszel";
