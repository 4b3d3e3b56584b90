use super::panel::{StatePanel, mask};
use crate::error::{Error, Result};
use ndarray::{Array1, Array2, Array3};

/// The probabilities of the states by period, by the estimate of Aalen and Johansen.
///
/// # Formula
/// With `Y_h(m)` units in state `h` in period `m - 1` that are seen in `m`, of whom `N_hj(m)` are in `j` then,
/// `P(m)[h, j] = N_hj(m) / Y_h(m)` (the identity where `Y_h(m) = 0`), and `p(m) = p(m - 1) P(m)` from
/// `p(0) = 1` in the state of the start. The influence of a unit on `sum_m w_m' p(m)` is
/// `sum_m p(m - 1)[h] / Y_h(m) (v_m[j] - (P(m) v_m)[h])` over its moves from `h` to `j`, with
/// `v_m = w_m + P(m + 1) v_(m + 1)`. The variance is the sum of squared influences (infinitesimal jackknife),
/// which does not presume that the process has no memory.
///
/// # Assumptions
/// Who is no longer seen would have gone on like the others in the same state. With memory the probabilities stay
/// consistent where leaving observation does not depend on the past (Datta & Satten 2001).
///
/// # References
/// Aalen OO, Johansen S (1978), Scandinavian Journal of Statistics 5:141. Andersen PK, Keiding N (2012),
/// Statistics in Medicine 31:1074. Datta S, Satten GA (2001), Statistics & Probability Letters 55:403.
///
/// ```
/// use armwise::multistate::{PanelQuantity, StatePanel};
///
/// let people: [&[u8]; 4] = [&[0, 1, 1], &[0, 0, 1], &[1, 0, 0], &[0]];
/// let panel = StatePanel::new(2, 0, people)?;
/// let occupation = panel.occupation()?;
/// assert_eq!(occupation.probability[[0, 1]], 0.25);
/// let at_2 = PanelQuantity::Occupied { states: vec![1], at: 2 };
/// // Of three in state 0 one was lost and one moved; the one in state 1 moved back.
/// assert!((occupation.value(&at_2)? - 0.375).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Occupation {
    /// The probability of each state (columns) in the periods from 1 (rows).
    pub probability: Array2<f64>,
    /// The units in each state in the period before that are seen in this one, periods x states.
    pub at_risk: Array2<f64>,
    /// The probabilities of the moves from each state to each, periods x states x states.
    pub moves: Array3<f64>,
    start: usize,
}

/// A number that summarises the states of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PanelQuantity {
    /// The probability to be in any of these states in a period from 1.
    Occupied {
        /// The states, counted from 0.
        states: Vec<usize>,
        /// The period.
        at: usize,
    },
    /// The mean number of periods, from 1 to a horizon, that are spent in any of these states.
    Time {
        /// The states, counted from 0.
        states: Vec<usize>,
        /// The last period that counts.
        until: usize,
    },
}

impl PanelQuantity {
    /// The last period of which it is.
    pub fn horizon(&self) -> usize {
        match self {
            Self::Occupied { at, .. } => *at,
            Self::Time { until, .. } => *until,
        }
    }
}

impl StatePanel<'_> {
    /// The probabilities of the states.
    ///
    /// # Errors
    /// `invalid_input` where no unit is ever seen.
    pub fn occupation(&self) -> Result<Occupation> {
        let (periods, k) = (self.periods(), self.states);
        if periods == 0 {
            return Err(Error::invalid("no unit is ever seen; give at least one state of one unit"));
        }
        let mut moves = Array3::<f64>::zeros((periods, k, k));
        for (unit, own) in self.units.iter().enumerate() {
            let mut from = self.start;
            for (m, &to) in own.iter().enumerate() {
                moves[[m, from, usize::from(to)]] += self.weight(unit);
                from = usize::from(to);
            }
        }
        let mut at_risk = Array2::zeros((periods, k));
        let mut probability = Array2::zeros((periods, k));
        let mut now = Array1::zeros(k);
        now[self.start] = 1.0;
        for (m, mut of_period) in moves.outer_iter_mut().enumerate() {
            for h in 0..k {
                let total = of_period.row(h).sum();
                at_risk[[m, h]] = total;
                if total > 0.0 {
                    of_period.row_mut(h).mapv_inplace(|count| count / total);
                } else {
                    of_period[[h, h]] = 1.0;
                }
            }
            now = now.dot(&of_period);
            probability.row_mut(m).assign(&now);
        }
        Ok(Occupation { probability, at_risk, moves, start: self.start })
    }
}

impl Occupation {
    /// The states that count in a quantity, with the first and the last period.
    fn counted(&self, quantity: &PanelQuantity) -> Result<(Vec<bool>, usize, usize)> {
        let (states, first, last) = match quantity {
            PanelQuantity::Occupied { states, at } => (states, *at, *at),
            PanelQuantity::Time { states, until } => (states, 1, *until),
        };
        let periods = self.probability.nrows();
        if last == 0 || last > periods {
            return Err(Error::invalid(format!(
                "the horizon is period {last}, but units are seen in periods 1 to {periods}; give one of them"
            )));
        }
        Ok((mask(self.probability.ncols(), states)?, first, last))
    }

    /// The value of a quantity.
    ///
    /// # Errors
    /// `invalid_input` for a period in which nobody is seen, no states, and a state that is not there.
    pub fn value(&self, quantity: &PanelQuantity) -> Result<f64> {
        let (inside, first, last) = self.counted(quantity)?;
        let of_period = |m: usize| {
            let row = self.probability.row(m - 1);
            row.iter().zip(&inside).filter(|(_, inside)| **inside).map(|(p, _)| p).sum::<f64>()
        };
        Ok((first..=last).map(of_period).sum())
    }

    /// The change of a quantity for a unit of weight of each unit, around its value: these sum to 0 with the
    /// weights, and their weighted squares are the variance.
    ///
    /// # Errors
    /// As [`Occupation::value`]; `invalid_input` for another panel than that of the probabilities.
    pub fn influence(&self, panel: &StatePanel, quantity: &PanelQuantity) -> Result<Vec<f64>> {
        let (inside, first, last) = self.counted(quantity)?;
        let k = self.probability.ncols();
        if panel.states != k || panel.periods() != self.probability.nrows() || panel.start != self.start {
            return Err(Error::invalid("the probabilities are of another panel; take them from this one"));
        }
        // The slope of the quantity in the probabilities of each state, and its mean over the next move.
        let mut slopes = Array2::<f64>::zeros((last, k));
        let mut means = Array2::<f64>::zeros((last, k));
        for m in (0..last).rev() {
            for (state, inside) in inside.iter().enumerate() {
                let own = f64::from(u8::from(*inside && m + 1 >= first));
                slopes[[m, state]] = own + if m + 1 < last { means[[m + 1, state]] } else { 0.0 };
            }
            let moves = self.moves.index_axis(ndarray::Axis(0), m);
            let mean = moves.dot(&slopes.row(m));
            means.row_mut(m).assign(&mean);
        }
        // The weight of a move from a state.
        let share = |m: usize, h: usize| {
            let before = match m {
                0 => f64::from(u8::from(h == self.start)),
                _ => self.probability[[m - 1, h]],
            };
            if self.at_risk[[m, h]] > 0.0 { before / self.at_risk[[m, h]] } else { 0.0 }
        };
        let shares = Array2::from_shape_fn((last, k), |(m, h)| share(m, h));
        let of = |own: &&[u8]| {
            let (mut sum, mut from) = (0.0, self.start);
            for (m, &to) in own.iter().take(last).enumerate() {
                let to = usize::from(to);
                sum += shares[[m, from]] * (slopes[[m, to]] - means[[m, from]]);
                from = to;
            }
            sum
        };
        Ok(panel.units.iter().map(of).collect())
    }

    /// The covariance of several quantities: sums of products of influences.
    ///
    /// # Errors
    /// As [`Occupation::influence`].
    pub fn covariance(&self, panel: &StatePanel, quantities: &[PanelQuantity]) -> Result<Array2<f64>> {
        let mut influence = Array2::zeros((panel.n(), quantities.len()));
        for (quantity, mut column) in quantities.iter().zip(influence.columns_mut()) {
            for (unit, phi) in self.influence(panel, quantity)?.into_iter().enumerate() {
                column[unit] = panel.weight(unit) * phi;
            }
        }
        Ok(influence.t().dot(&influence))
    }
}
