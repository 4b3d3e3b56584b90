//! The Fisher-Freeman-Halton test: exact by a network of margins, or by simulation.

use super::table::ContingencyTable;
use crate::compute::distribution::special::ln_gamma;
use crate::error::{Error, ErrorKind, Result};
use std::collections::BTreeMap;

/// Tables whose probability exceeds that of the observed one by less than this factor (minus 1) count as
/// ties.
pub(super) const TIE: f64 = 1e-7;
/// Logarithms of path probabilities are merged where they differ by less: a rounding matter, far below
/// [`TIE`].
const MERGED: f64 = 1e-10;

/// The exact test of independence given both margins (Freeman & Halton's extension of Fisher's test), by
/// enumeration.
///
/// # Formula
/// Given the margins a table has the probability `prod R_i! prod C_j! / (N! prod O_ij!)`. The p-value sums
/// the tables that are no more likely than the observed one (ties with relative tolerance 1e-7).
///
/// # Algorithm
/// Tables are built line by line; those with equal rest margins (in any order) and equal probability so far
/// are one node of a network, which is left as soon as the least or most likely completion decides (Mehta &
/// Patel 1983). The work grows fast with the size of the table: it is limited by
/// [`FreemanHalton::most_steps`]; beyond, use [`MonteCarlo`](super::MonteCarlo).
///
/// # Examples
/// ```
/// use armwise::categorical::{ContingencyTable, FreemanHalton};
/// use armwise::ndarray::array;
///
/// let table = ContingencyTable::new(array![[12, 5, 3], [7, 9, 11]].view())?;
/// assert!((FreemanHalton::new().p_value(&table)? - 0.061748).abs() < 1e-6);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Freeman & Halton (1951), Biometrika 38:141. Mehta & Patel (1983), Journal of the American Statistical
/// Association 78:427.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FreemanHalton {
    most_steps: u64,
}

impl Default for FreemanHalton {
    fn default() -> Self {
        Self::new()
    }
}

impl FreemanHalton {
    /// The test with a limit of ten million steps (a few seconds, some hundred megabytes).
    pub fn new() -> Self {
        Self { most_steps: 10_000_000 }
    }

    setters! {
        /// The most steps through the network before the test gives up. Default: ten million.
        most_steps: u64;
    }

    /// The two-sided p-value.
    ///
    /// # Errors
    /// `not_estimable` where the limit of steps is reached.
    pub fn p_value(&self, table: &ContingencyTable) -> Result<f64> {
        Network::new(table, self.most_steps).ok_or_else(too_large)?.p_value()
    }
}

fn too_large() -> Error {
    ErrorKind::NotEstimable(
        "the table has too many arrangements for exact enumeration; use MonteCarlo with a seed, or raise most_steps".to_owned(),
    )
    .into()
}

/// The rest of each column once some lines are filled, in descending order: equal multisets have equal
/// futures.
type Rest = Vec<u32>;

struct Network {
    /// The sums of the lines still to fill, one stage each.
    lines: Vec<u32>,
    start: Rest,
    /// `ln k!`
    ln_factorial: Vec<f64>,
    /// The observed `-sum ln O_ij!`, with the tolerance for ties.
    observed: f64,
    /// `ln(prod R! prod C! / N!)`
    ln_margins: f64,
    steps_left: u64,
    /// By stage and rest: least and largest `-sum ln x!` of the completions.
    ranges: Vec<BTreeMap<Rest, Completion>>,
}

/// The extremes of the logarithms of the completions of a node.
#[derive(Debug, Clone, Copy)]
struct Completion {
    least: f64,
    most: f64,
}

/// Tables so far that share a rest and a probability.
#[derive(Debug, Clone, Copy)]
struct Paths {
    ln: f64,
    count: f64,
}

/// The largest total for which factorials are tabulated.
const LARGEST_TOTAL: u64 = 1 << 22;

impl Network {
    fn new(table: &ContingencyTable, most_steps: u64) -> Option<Self> {
        let total = u32::try_from(table.total.min(LARGEST_TOTAL + 1)).ok()?;
        if u64::from(total) > LARGEST_TOTAL {
            return None;
        }
        let ln_factorial = ln_factorials(u64::from(total));
        let ln = |k: u64| ln_factorial[usize::try_from(k).unwrap_or_default()];
        // The longer side is walked line by line, so that rests have few parts.
        let (long, short) = if table.rows.len() >= table.columns.len() {
            (&table.rows, &table.columns)
        } else {
            (&table.columns, &table.rows)
        };
        let as_u32 =
            |sums: &[u64]| -> Option<Vec<u32>> { sums.iter().map(|sum| u32::try_from(*sum).ok()).collect() };
        let mut lines = as_u32(long)?;
        // Large lines first leave small rests.
        lines.sort_unstable_by(|a, b| b.cmp(a));
        let mut start = as_u32(short)?;
        start.sort_unstable_by(|a, b| b.cmp(a));
        let margins: f64 = table.rows.iter().chain(&table.columns).map(|sum| ln(*sum)).sum();
        Some(Self {
            ranges: vec![BTreeMap::new(); lines.len()],
            observed: TIE - table.counts.iter().map(|count| ln(*count)).sum::<f64>(),
            ln_margins: margins - ln(u64::from(total)),
            lines,
            start,
            ln_factorial,
            steps_left: most_steps,
        })
    }

    fn ln(&self, k: u32) -> f64 {
        self.ln_factorial[k as usize]
    }

    fn step(&mut self) -> Result<()> {
        self.steps_left = self.steps_left.checked_sub(1).ok_or_else(too_large)?;
        Ok(())
    }

    fn p_value(mut self) -> Result<f64> {
        let start = self.start.clone();
        self.range(0, &start)?;
        let mut stage_nodes =
            BTreeMap::from([(start, BTreeMap::from([(0_i64, Paths { ln: 0.0, count: 1.0 })]))]);
        let mut p_value = 0.0;
        for stage in 0..self.lines.len() {
            let mut next: BTreeMap<Rest, BTreeMap<i64, Paths>> = BTreeMap::new();
            for (rest, paths) in stage_nodes {
                if stage + 1 == self.lines.len() {
                    let last = self.ranges[stage][&rest].most;
                    for path in paths.values().filter(|path| path.ln + last <= self.observed) {
                        p_value += path.count * (path.ln + last + self.ln_margins).exp();
                    }
                    continue;
                }
                for (child, edge) in self.fillings(stage, &rest)? {
                    let completion = self.ranges[stage + 1][&child];
                    let total = self.ln_total(stage + 1, &child);
                    let mut kept: Vec<(i64, Paths)> = Vec::new();
                    for path in paths.values() {
                        self.step()?;
                        let ln = path.ln + edge;
                        if ln + completion.most <= self.observed {
                            p_value += path.count * (ln + total + self.ln_margins).exp();
                        } else if ln + completion.least <= self.observed {
                            // The key merges equal products whose logarithms differ by rounding.
                            let key = key(ln);
                            kept.push((key, Paths { ln, count: path.count }));
                        }
                    }
                    if kept.is_empty() {
                        continue;
                    }
                    let node = next.entry(child).or_default();
                    for (key, Paths { ln, count }) in kept {
                        node.entry(key).or_insert(Paths { ln, count: 0.0 }).count += count;
                    }
                }
            }
            stage_nodes = next;
        }
        Ok(p_value.clamp(0.0, 1.0))
    }

    /// `ln` of the sum of `prod 1/x!` over all completions: `M! / (prod lines! prod rest!)`.
    fn ln_total(&self, stage: usize, rest: &[u32]) -> f64 {
        let left: u32 = rest.iter().sum();
        let margins: f64 = self.lines[stage..].iter().chain(rest).map(|sum| self.ln(*sum)).sum();
        self.ln(left) - margins
    }

    /// The extremes over the completions from a node on; found once.
    fn range(&mut self, stage: usize, rest: &Rest) -> Result<Completion> {
        if let Some(known) = self.ranges[stage].get(rest) {
            return Ok(*known);
        }
        let completion = if stage + 1 == self.lines.len() {
            let only = -rest.iter().map(|part| self.ln(*part)).sum::<f64>();
            Completion { least: only, most: only }
        } else {
            let mut completion = Completion { least: f64::INFINITY, most: f64::NEG_INFINITY };
            for (child, edge) in self.fillings(stage, rest)? {
                self.step()?;
                let inner = self.range(stage + 1, &child)?;
                completion.least = completion.least.min(edge + inner.least);
                completion.most = completion.most.max(edge + inner.most);
            }
            completion
        };
        self.ranges[stage].insert(rest.clone(), completion);
        Ok(completion)
    }

    /// All ways to fill a line: what each leaves, and its `-sum ln x!`.
    fn fillings(&mut self, stage: usize, rest: &Rest) -> Result<Vec<(Rest, f64)>> {
        let mut found = Vec::new();
        let mut line = vec![0; rest.len()];
        self.fill(rest, 0, self.lines[stage], 0.0, &mut line, &mut found)?;
        Ok(found)
    }

    fn fill(
        &mut self,
        rest: &[u32],
        column: usize,
        left: u32,
        ln: f64,
        line: &mut [u32],
        found: &mut Vec<(Rest, f64)>,
    ) -> Result<()> {
        if column + 1 == rest.len() {
            line[column] = left;
            let mut child: Rest = rest.iter().zip(line.iter()).map(|(rest, x)| rest - x).collect();
            child.sort_unstable_by(|a, b| b.cmp(a));
            self.step()?;
            found.push((child, ln - self.ln(left)));
            return Ok(());
        }
        let behind: u32 = rest[column + 1..].iter().sum();
        for x in left.saturating_sub(behind)..=left.min(rest[column]) {
            line[column] = x;
            self.fill(rest, column + 1, left - x, ln - self.ln(x), line, found)?;
        }
        Ok(())
    }
}

// Logarithms of products of up to 2^22 factorials stay far within i64 after scaling.
#[allow(clippy::cast_possible_truncation)]
fn key(ln: f64) -> i64 {
    (ln / MERGED).round() as i64
}

/// `ln 0!` to `ln n!`.
pub(super) fn ln_factorials(n: u64) -> Vec<f64> {
    (0..=n).map(|k| ln_gamma(k as f64 + 1.0)).collect()
}
