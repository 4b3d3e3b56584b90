use super::adjustment::running_maximum;
use super::{Adjustment, ErrorRate, check_alpha, check_p_values};
use crate::error::{Error, Result, counted, number};
use serde::{Deserialize, Serialize};

/// A graph of hypotheses: the shares of alpha that they start with, and where the share of a rejected one
/// goes.
///
/// # Formula
///
/// Hypothesis `i` of `m` starts with the weight `w_i` (a share of alpha; together at most 1), and passes the
/// share `g_ij` of its weight to `j` when it is rejected (each row at most 1 in all, nothing to itself). Of
/// those that are left, the hypothesis with the smallest `p_i / w_i` is next; its adjusted p-value is that
/// ratio, or the one before it where that is larger. It is then taken out: for all others `l`, `k`
///
/// ```text
/// w_l  becomes  w_l + w_i g_il
/// g_lk becomes  (g_lk + g_li g_ik) / (1 - g_li g_il)   (0 where that divides by 0)
/// ```
///
/// A hypothesis that no weight reaches has the adjusted p-value 1. Ties are taken in their order, which
/// changes no adjusted p-value. The procedure is the closed test of weighted Bonferroni tests, and keeps the
/// familywise error rate whatever the dependence.
///
/// | procedure | graph |
/// |---|---|
/// | Holm, also with weights | [`Graph::holm`], [`Graph::weighted_holm`] |
/// | fixed sequence | [`Graph::fixed_sequence`] |
/// | fallback (Wiens) | [`Graph::fallback`] |
/// | parallel gatekeeping: a gate, then Holm with what was passed | [`Graph::parallel_gatekeeping`] |
/// | any other | [`Graph::new`] |
///
/// # Examples
///
/// Two doses, each with a primary and a secondary outcome (Bretz et al. 2009, figure 3):
/// ```
/// use armwise::multiplicity::Graph;
///
/// let graph = Graph::new(
///     vec![0.5, 0.5, 0.0, 0.0],
///     vec![
///         vec![0.0, 0.5, 0.5, 0.0],
///         vec![0.5, 0.0, 0.0, 0.5],
///         vec![0.0, 1.0, 0.0, 0.0],
///         vec![1.0, 0.0, 0.0, 0.0],
///     ],
/// )?;
/// let test = graph.test(&[0.01, 0.02, 0.005, 0.5], 0.025)?;
/// let near = |(a, b): (&f64, f64)| (a - b).abs() < 1e-12;
/// assert!(test.adjusted.iter().zip([0.02, 0.02, 0.02, 0.5]).all(near));
/// assert_eq!(test.rejected, [true, true, true, false]);
/// assert!(test.remaining.weights().iter().zip([0.0, 0.0, 0.0, 1.0]).all(near));
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Bretz, Maurer, Brannath & Posch (2009), Statistics in Medicine 28:586. Wiens (2003), Pharmaceutical
/// Statistics 2:211. Dmitrienko, Offen & Westfall (2003), Statistics in Medicine 22:2387.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Graph {
    weights: Vec<f64>,
    transitions: Vec<Vec<f64>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    weights: Vec<f64>,
    transitions: Vec<Vec<f64>>,
}

impl TryFrom<Parts> for Graph {
    type Error = Error;

    fn try_from(parts: Parts) -> Result<Self> {
        Self::new(parts.weights, parts.transitions)
    }
}

from! { Graph => Parts: |graph| Self { weights: graph.weights, transitions: graph.transitions }; }

/// What a graph says about p-values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GraphTest {
    /// The adjusted p-values, in the order of the hypotheses.
    pub adjusted: Vec<f64>,
    /// Whether each hypothesis is rejected.
    pub rejected: Vec<bool>,
    /// The hypotheses in the order in which they were taken, also beyond alpha; those that no weight reaches
    /// are absent. Counted from 0.
    pub order: Vec<usize>,
    /// The graph when nothing more can be rejected; rejected hypotheses have no weight and no transition.
    pub remaining: Graph,
}

/// What sums of shares may exceed one by, from rounding.
const ROUNDING: f64 = 1e-9;

impl Graph {
    /// The graph with these weights, and with transitions from rows to columns.
    ///
    /// # Errors
    /// `invalid_input` for no hypotheses, shares that are negative or no numbers, weights or a row of
    /// transitions that sum to more than one, a hypothesis that passes weight to itself, and a matrix that is
    /// not square.
    pub fn new(weights: Vec<f64>, transitions: Vec<Vec<f64>>) -> Result<Self> {
        let m = weights.len();
        if m == 0 {
            return Err(Error::invalid("a graph has no hypotheses; give at least one weight"));
        }
        check_shares("the weights of a graph", &weights)?;
        if transitions.len() != m || transitions.iter().any(|row| row.len() != m) {
            return Err(Error::invalid(format!(
                "a graph of {} needs as many rows and columns of transitions; write 0 where nothing is passed",
                counted(m, "hypothesis")
            )));
        }
        for (i, row) in transitions.iter().enumerate() {
            check_shares(&format!("the transitions from hypothesis {}", i + 1), row)?;
            if row[i] != 0.0 {
                return Err(Error::invalid(format!(
                    "hypothesis {} passes weight to itself; give 0 on the diagonal, and its share to the others",
                    i + 1
                )));
            }
        }
        Ok(Self { weights, transitions })
    }

    /// Holm's procedure: equal weights, passed on in equal parts.
    ///
    /// # Errors
    /// `invalid_input` for no hypotheses.
    pub fn holm(hypotheses: usize) -> Result<Self> {
        Self::weighted_holm(&vec![1.0; hypotheses])
    }

    /// Holm's procedure with these weights, which are made to sum to one: a rejected hypothesis passes its
    /// weight to the others in proportion to theirs.
    ///
    /// # Errors
    /// `invalid_input` for no weights, and for weights that are not positive and finite.
    pub fn weighted_holm(weights: &[f64]) -> Result<Self> {
        let sum: f64 = weights.iter().sum();
        if !weights.iter().all(|weight| *weight > 0.0) || !sum.is_finite() {
            return Err(Error::invalid("Holm's procedure needs positive, finite weights; give one for each"));
        }
        let passed = |i: usize| {
            let others: f64 = weights.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, w)| w).sum();
            weights.iter().enumerate().map(|(j, w)| if j == i { 0.0 } else { w / others }).collect()
        };
        Self::new(
            weights.iter().map(|weight| weight / sum).collect(),
            (0..weights.len()).map(passed).collect(),
        )
    }

    /// The fixed sequence: all of alpha is for the first, and is passed to the next.
    ///
    /// # Errors
    /// `invalid_input` for no hypotheses.
    pub fn fixed_sequence(hypotheses: usize) -> Result<Self> {
        Self::fallback(&(0..hypotheses).map(|i| f64::from(u8::from(i == 0))).collect::<Vec<_>>())
    }

    /// The fallback procedure: each hypothesis has a share of alpha of its own, and gets all that the one
    /// before it had where that was rejected.
    ///
    /// # Errors
    /// As [`Graph::new`].
    pub fn fallback(weights: &[f64]) -> Result<Self> {
        let m = weights.len();
        let next = |i: usize| (0..m).map(|j| f64::from(u8::from(j == i + 1))).collect();
        Self::new(weights.to_vec(), (0..m).map(next).collect())
    }

    /// Parallel gatekeeping: a gate of hypotheses with these weights, each of which passes its weight in
    /// equal parts to the `after` hypotheses behind the gate, where Holm's procedure goes on. The hypotheses
    /// of the gate come first.
    ///
    /// # Errors
    /// As [`Graph::new`].
    pub fn parallel_gatekeeping(gate: &[f64], after: usize) -> Result<Self> {
        let first = gate.len();
        let row = |i: usize| {
            let share = |j: usize| match (i < first, j < first) {
                (_, true) => 0.0,
                (true, false) => 1.0 / after as f64,
                (false, false) if i == j => 0.0,
                (false, false) => 1.0 / (after - 1) as f64,
            };
            (0..first + after).map(share).collect()
        };
        let weights = gate.iter().copied().chain(std::iter::repeat_n(0.0, after)).collect();
        Self::new(weights, (0..first + after).map(row).collect())
    }

    /// The number of hypotheses.
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// Never true: there is at least one hypothesis.
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// The weights.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The transitions, from rows to columns.
    pub fn transitions(&self) -> &[Vec<f64>] {
        &self.transitions
    }

    /// The adjusted p-values, what is rejected at `alpha`, and the graph that is left.
    ///
    /// # Errors
    /// `invalid_input` for p-values that are missing, outside 0 to 1, or not one for each hypothesis, and for
    /// an `alpha` that is not between 0 and 1.
    pub fn test(&self, p_values: &[f64], alpha: f64) -> Result<GraphTest> {
        check_alpha(alpha)?;
        let (adjusted, order) = self.run(p_values)?;
        let rejected: Vec<bool> = adjusted.iter().map(|p| *p <= alpha).collect();
        let mut remaining = self.clone();
        for &taken in order.iter().filter(|&&taken| rejected[taken]) {
            remaining.take_out(taken);
        }
        Ok(GraphTest { adjusted, rejected, order, remaining })
    }

    /// The adjusted p-values, in the order of the hypotheses.
    ///
    /// # Errors
    /// As [`Graph::test`].
    pub fn adjust(&self, p_values: &[f64]) -> Result<Vec<f64>> {
        Ok(self.run(p_values)?.0)
    }

    fn run(&self, p_values: &[f64]) -> Result<(Vec<f64>, Vec<usize>)> {
        check_p_values(p_values)?;
        let m = self.len();
        if p_values.len() != m {
            return Err(Error::invalid(format!(
                "{} for a graph of {}; give one for each",
                counted(p_values.len(), "p-value"),
                counted(m, "hypothesis")
            )));
        }
        let mut graph = self.clone();
        let (mut adjusted, mut order) = (vec![1.0; m], Vec::with_capacity(m));
        let mut left: Vec<usize> = (0..m).collect();
        let mut largest = 0.0_f64;
        loop {
            let ratio = |i: usize| p_values[i] / graph.weights[i];
            let next = left
                .iter()
                .copied()
                .filter(|&i| graph.weights[i] > 0.0)
                .min_by(|&i, &j| ratio(i).total_cmp(&ratio(j)));
            let Some(next) = next else { break };
            // A weight of a little more than one is rounding.
            largest = largest.max(ratio(next).clamp(p_values[next], 1.0));
            adjusted[next] = largest;
            order.push(next);
            left.retain(|&i| i != next);
            graph.take_out(next);
        }
        Ok((adjusted, order))
    }

    /// The weights of the weighted Bonferroni test of an intersection: what its hypotheses have after all
    /// others were taken out. Zero outside it.
    ///
    /// # Errors
    /// `invalid_input` for a hypothesis that is not in the graph.
    pub fn weights_within(&self, hypotheses: &[usize]) -> Result<Vec<f64>> {
        if let Some(unknown) = hypotheses.iter().find(|&&i| i >= self.len()) {
            return Err(Error::invalid(format!(
                "there is no hypothesis at place {unknown}; places run from 0 to {}",
                self.len() - 1
            )));
        }
        let mut graph = self.clone();
        for other in (0..self.len()).filter(|i| !hypotheses.contains(i)) {
            graph.take_out(other);
        }
        Ok(graph.weights)
    }

    /// Passes the weight of a hypothesis on, and mends the transitions around it.
    fn take_out(&mut self, taken: usize) {
        let m = self.len();
        let before = self.transitions.clone();
        let from = &before[taken];
        for l in (0..m).filter(|&l| l != taken) {
            self.weights[l] += self.weights[taken] * from[l];
            let there_and_back = before[l][taken] * from[l];
            for k in (0..m).filter(|&k| k != taken && k != l) {
                let through = before[l][k] + before[l][taken] * from[k];
                let stays = 1.0 - there_and_back;
                // What is left of one by rounding is no weight.
                self.transitions[l][k] = if stays > 1e-12 { through / stays } else { 0.0 };
            }
            self.transitions[l][taken] = 0.0;
        }
        self.weights[taken] = 0.0;
        self.transitions[taken].fill(0.0);
    }
}

/// Refuses shares that are negative, no numbers, or more than one together.
fn check_shares(what: &str, shares: &[f64]) -> Result<()> {
    if let Some(share) = shares.iter().find(|share| !(0.0..=1.0 + ROUNDING).contains(*share)) {
        return Err(Error::invalid(format!("{what} hold {}; give numbers from 0 to 1", number(*share))));
    }
    let sum: f64 = shares.iter().sum();
    if sum > 1.0 + ROUNDING {
        return Err(Error::invalid(format!(
            "{what} sum to {}; make them sum to at most 1, or more than alpha is spent",
            number(sum)
        )));
    }
    Ok(())
}

/// Serial gatekeeping: a family is tested only if everything in all families before it was rejected.
///
/// # Formula
///
/// Each family is adjusted by itself; the adjusted p-value of a hypothesis is that, or the largest adjusted
/// p-value of all families before where it is larger. The adjusted p-values come back in the same families.
///
/// # Errors
/// `invalid_input` for no families, for p-values that are missing or outside 0 to 1, for a family without
/// p-values, and for an adjustment of the false discovery rate.
///
/// # Examples
/// ```
/// use armwise::multiplicity::{Adjustment, serial_gatekeeping};
///
/// let families = [vec![0.01, 0.02], vec![0.012, 0.04, 0.001]];
/// let adjusted = serial_gatekeeping(&families, Adjustment::Holm)?;
/// assert_eq!(adjusted, [vec![0.02, 0.02], vec![0.024, 0.04, 0.02]]);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Westfall & Krishen (2001), Journal of Statistical Planning and Inference 99:25.
pub fn serial_gatekeeping(families: &[Vec<f64>], within: Adjustment) -> Result<Vec<Vec<f64>>> {
    if families.is_empty() {
        return Err(Error::invalid("there are no families; give at least one"));
    }
    if within.error_rate() == ErrorRate::FalseDiscovery {
        return Err(Error::invalid(format!(
            "{within} keeps the false discovery rate, and gates need the familywise error rate; take Holm within families"
        )));
    }
    let mut largest = 0.0_f64;
    families
        .iter()
        .map(|family| {
            let own = within.adjust(family)?;
            let adjusted: Vec<f64> = own.into_iter().map(|p| p.max(largest)).collect();
            largest = running_maximum(adjusted.iter().copied()).last().copied().unwrap_or(largest);
            Ok(adjusted)
        })
        .collect()
}
