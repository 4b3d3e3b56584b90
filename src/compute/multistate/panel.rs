use crate::error::{Error, Result, counted};
use ndarray::Array1;

/// The states of units in the periods 1, 2, ...; every unit is in the same state in period 0.
///
/// A unit that is not seen from some period on ends there, and one that is never seen has no states. There are
/// no gaps.
///
/// ```
/// use armwise::multistate::StatePanel;
///
/// let people: [&[u8]; 3] = [&[0, 1, 1], &[0, 0], &[]];
/// let panel = StatePanel::new(2, 0, people)?;
/// assert_eq!(panel.periods(), 3);
/// assert_eq!(panel.observed(2)?.to_vec(), [1.0, 1.0]);
/// // A third state is not there.
/// assert!(StatePanel::new(2, 0, [&[2_u8][..]]).is_err());
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct StatePanel<'a> {
    pub(super) states: usize,
    pub(super) start: usize,
    pub(super) units: Vec<&'a [u8]>,
    pub(super) weights: Option<&'a [f64]>,
}

/// The first time that a unit stays long enough in some states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Spell {
    /// The period in which it begins; `None` where no such spell was seen.
    pub first: Option<usize>,
    /// The last period in which such a spell would have been seen had it begun there: the last period less the
    /// required length, plus 1; at least 0.
    pub last_possible: usize,
    /// Whether the unit was in the state of period 0 later on.
    pub returned: bool,
}

impl Spell {
    /// The period of the spell, or else the last one in which it could have begun.
    pub fn time(self) -> usize {
        self.first.unwrap_or(self.last_possible)
    }
}

impl<'a> StatePanel<'a> {
    /// A panel of units with this number of states, counted from 0, all in the state `start` in period 0.
    ///
    /// # Errors
    /// `invalid_input` without units, with fewer than two states, for a start that is no state, and for a unit
    /// in a state that is not there.
    pub fn new(states: usize, start: usize, units: impl IntoIterator<Item = &'a [u8]>) -> Result<Self> {
        let units: Vec<&[u8]> = units.into_iter().collect();
        if states < 2 || start >= states {
            return Err(Error::invalid(format!(
                "the panel has {}, and starts in state {start}; give at least two, counted from 0",
                counted(states, "state")
            )));
        }
        if units.is_empty() {
            return Err(Error::invalid("the panel has no units; give at least one"));
        }
        for (unit, own) in units.iter().enumerate() {
            if let Some(period) = own.iter().position(|state| usize::from(*state) >= states) {
                return Err(Error::invalid(format!(
                    "unit {} is in state {} in period {}, but states are 0 to {}; mend the state",
                    unit + 1,
                    own[period],
                    period + 1,
                    states - 1
                )));
            }
        }
        Ok(Self { states, start, units, weights: None })
    }

    /// The weight of each unit; default: 1.
    ///
    /// # Errors
    /// `invalid_input` unless there is a finite weight above 0 for each unit.
    pub fn weights(mut self, weights: &'a [f64]) -> Result<Self> {
        if weights.len() != self.units.len() || !weights.iter().all(|w| *w > 0.0 && w.is_finite()) {
            return Err(Error::invalid(format!(
                "the panel has {}; give a finite weight above 0 for each",
                counted(self.units.len(), "unit")
            )));
        }
        self.weights = Some(weights);
        Ok(self)
    }

    /// The number of units.
    pub fn n(&self) -> usize {
        self.units.len()
    }

    /// The last period in which any unit was seen; 0 where none ever was.
    pub fn periods(&self) -> usize {
        self.units.iter().map(|unit| unit.len()).max().unwrap_or(0)
    }

    pub(super) fn weight(&self, unit: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[unit])
    }

    /// The number of units seen in each state in a period from 1; the sum of their weights.
    ///
    /// # Errors
    /// `invalid_input` for period 0.
    pub fn observed(&self, period: usize) -> Result<Array1<f64>> {
        if period == 0 {
            return Err(Error::invalid("period 0 is not observed; give a period from 1"));
        }
        let mut counts = Array1::zeros(self.states);
        for (unit, own) in self.units.iter().enumerate() {
            if let Some(state) = own.get(period - 1) {
                counts[usize::from(*state)] += self.weight(unit);
            }
        }
        Ok(counts)
    }

    /// For each unit the first spell of at least `periods` in any of `within`: it may change among them, and all
    /// of it is seen. A spell that still runs in the last period with fewer does not count.
    ///
    /// ```
    /// use armwise::multistate::StatePanel;
    ///
    /// let people: [&[u8]; 3] = [&[0, 1, 0, 1, 1, 0], &[0, 0, 0, 0, 0, 1], &[1]];
    /// let spells = StatePanel::new(2, 0, people)?.sustained(&[1], 2)?;
    /// assert_eq!(spells[0].first, Some(4));
    /// assert!(spells[0].returned);
    /// assert_eq!((spells[1].first, spells[1].last_possible), (None, 5));
    /// assert_eq!(spells[2].time(), 0);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// `invalid_input` for a length of 0, no states, and a state that is not there.
    pub fn sustained(&self, within: &[usize], periods: usize) -> Result<Vec<Spell>> {
        let inside = self.mask(within)?;
        if periods == 0 {
            return Err(Error::invalid("a spell of 0 periods is none; give a length from 1"));
        }
        let of = |unit: &&[u8]| {
            let mut run = 0;
            let mut first = None;
            for (place, state) in unit.iter().enumerate() {
                run = if inside[usize::from(*state)] { run + 1 } else { 0 };
                if run == periods {
                    first = Some(place + 2 - periods);
                    break;
                }
            }
            let later = first.map_or(&[][..], |first| &unit[first..]);
            Spell {
                first,
                last_possible: (unit.len() + 1).saturating_sub(periods),
                returned: later.iter().any(|state| usize::from(*state) == self.start),
            }
        };
        Ok(self.units.iter().map(of).collect())
    }

    /// True for the states that are named.
    pub(super) fn mask(&self, states: &[usize]) -> Result<Vec<bool>> {
        mask(self.states, states)
    }
}

/// True for the states that are named.
pub(super) fn mask(states: usize, named: &[usize]) -> Result<Vec<bool>> {
    let mut mask = vec![false; states];
    for &state in named {
        let Some(place) = mask.get_mut(state) else {
            return Err(Error::invalid(format!(
                "there is no state {state}; states are 0 to {}, so name one of them",
                states - 1
            )));
        };
        *place = true;
    }
    if named.is_empty() {
        return Err(Error::invalid("no state is named; name at least one"));
    }
    Ok(mask)
}
