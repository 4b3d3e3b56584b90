use super::panel::StatePanel;
use ndarray::Array2;

/// The moves from one period to the next, all periods together.
///
/// # Formula
/// `P[h, j]` is the share of the moves from `h`, that of the start included, that end in `j`. Two standard errors:
/// binomial, `sqrt(P (1 - P) / n_h)`, and that of a ratio of sums over units,
/// `sqrt(sum_i (sum_m (1{j} - P[h, j]))^2) / n_h` over the moves of unit `i` from `h`, as the moves of a unit
/// depend on each other.
///
/// # References
/// Liang KY, Zeger SL (1986), Biometrika 73:13.
///
/// ```
/// use armwise::multistate::StatePanel;
///
/// let people: [&[u8]; 3] = [&[0, 1, 1], &[0, 0, 0], &[1, 0]];
/// let moves = StatePanel::new(3, 0, people)?.transitions();
/// assert_eq!(moves.counts[[0, 1]], 2.0);
/// assert_eq!(moves.probability(1, 0), Some(0.5));
/// // Nobody was ever in state 2.
/// assert_eq!(moves.probability(2, 0), None);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Transitions {
    /// The moves from each state (rows) to each (columns); the sum of weights.
    pub counts: Array2<f64>,
    /// Sums over units of squared residuals.
    squares: Array2<f64>,
}

impl StatePanel<'_> {
    /// The moves from one period to the next.
    pub fn transitions(&self) -> Transitions {
        let k = self.states;
        let of_unit = |own: &[u8], counts: &mut Array2<f64>, weight: f64| {
            let mut from = self.start;
            for &to in own {
                counts[[from, usize::from(to)]] += weight;
                from = usize::from(to);
            }
        };
        let mut counts = Array2::zeros((k, k));
        for (unit, own) in self.units.iter().enumerate() {
            of_unit(own, &mut counts, self.weight(unit));
        }
        let totals = counts.sum_axis(ndarray::Axis(1));
        let mut squares = Array2::zeros((k, k));
        for (unit, own) in self.units.iter().enumerate() {
            let mut moves = Array2::zeros((k, k));
            of_unit(own, &mut moves, self.weight(unit));
            for (h, row) in moves.rows().into_iter().enumerate() {
                let n = row.sum();
                if n > 0.0 {
                    for (j, moved) in row.iter().enumerate() {
                        squares[[h, j]] += f64::powi(moved - n * counts[[h, j]] / totals[h], 2);
                    }
                }
            }
        }
        Transitions { counts, squares }
    }
}

impl Transitions {
    /// The number of moves from a state.
    fn from(&self, state: usize) -> Option<f64> {
        Some(self.counts.row(state).sum()).filter(|n| *n > 0.0)
    }

    /// The probability of a move; `None` where nobody was ever in the first state.
    pub fn probability(&self, from: usize, to: usize) -> Option<f64> {
        Some(self.counts[[from, to]] / self.from(from)?)
    }

    /// Its standard error as if moves were independent.
    pub fn binomial_se(&self, from: usize, to: usize) -> Option<f64> {
        let p = self.probability(from, to)?;
        Some((p * (1.0 - p) / self.from(from)?).sqrt())
    }

    /// Its standard error where moves of a unit depend on each other.
    pub fn se(&self, from: usize, to: usize) -> Option<f64> {
        Some(self.squares[[from, to]].sqrt() / self.from(from)?)
    }
}
