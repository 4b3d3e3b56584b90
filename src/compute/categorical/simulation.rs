//! The Fisher-Freeman-Halton test by simulation, for tables beyond enumeration.

use super::exact::{TIE, ln_factorials};
use super::table::ContingencyTable;
use crate::error::{Error, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Replicates that share one stream of random numbers: results depend on the seed, never on the number of
/// threads.
const BLOCK: u64 = 1024;

/// The largest total for which factorials are tabulated.
const LARGEST_TOTAL: u64 = 1 << 26;

/// The Fisher-Freeman-Halton test from random tables with the observed margins.
///
/// # Formula
/// `p = (1 + #{tables no more likely than the observed}) / (1 + replicates)`, a valid p-value at any number
/// of replicates (Phipson & Smyth 2010). Tables are drawn cell by cell from their hypergeometric
/// distributions.
///
/// # Errors
/// Of [`MonteCarlo::p_value`]: `invalid_input` without replicates, or beyond 67 million participants.
///
/// # Examples
/// ```
/// use armwise::categorical::{ContingencyTable, FreemanHalton, MonteCarlo};
/// use armwise::ndarray::array;
///
/// let table = ContingencyTable::new(array![[12, 5, 3], [7, 9, 11]].view())?;
/// let simulated = MonteCarlo::new(2026).replicates(20_000).p_value(&table)?;
/// assert!(
///     (simulated.p_value - FreemanHalton::new().p_value(&table)?).abs() < 4.0 * simulated.se
/// );
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Freeman & Halton (1951), Biometrika 38:141. Patefield (1981), Applied Statistics 30:91. Phipson & Smyth
/// (2010), Statistical Applications in Genetics and Molecular Biology 9:39.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MonteCarlo {
    seed: u64,
    replicates: u64,
}

/// A simulated p-value.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct SimulatedPValue {
    /// The p-value.
    pub p_value: f64,
    /// Its standard error from the limited number of replicates, `sqrt(p (1 - p) / replicates)`.
    pub se: f64,
    /// The number of random tables.
    pub replicates: u64,
    /// The seed.
    pub seed: u64,
}

impl MonteCarlo {
    /// A simulation with this seed and 100 000 replicates.
    pub fn new(seed: u64) -> Self {
        Self { seed, replicates: 100_000 }
    }

    setters! {
        /// The number of random tables, at least 1. Default: 100 000.
        replicates: u64;
    }

    /// The two-sided p-value.
    ///
    /// # Errors
    /// See [`MonteCarlo`].
    pub fn p_value(&self, table: &ContingencyTable) -> Result<SimulatedPValue> {
        if self.replicates == 0 {
            return Err(Error::invalid("a simulation needs at least one replicate"));
        }
        if table.total > LARGEST_TOTAL {
            return Err(Error::invalid(
                "the table counts more than 67 million participants; use the likelihood ratio test, which is exact enough there",
            ));
        }
        let ln_factorial = ln_factorials(table.total);
        let mut random =
            RandomTables { table, ln_factorial: &ln_factorial, rest: vec![0; table.columns.len()] };
        let observed: f64 = table.counts.iter().map(|count| random.ln(*count)).sum();
        let mut extreme = 0_u64;
        for block in 0..self.replicates.div_ceil(BLOCK) {
            let mut numbers = ChaCha8Rng::seed_from_u64(self.seed);
            numbers.set_stream(block);
            for _ in 0..BLOCK.min(self.replicates - block * BLOCK) {
                // A larger sum of ln x! is a less likely table.
                extreme += u64::from(random.draw(&mut numbers) >= observed - TIE);
            }
        }
        let replicates = self.replicates as f64;
        let p_value = (1.0 + extreme as f64) / (1.0 + replicates);
        let se = (p_value * (1.0 - p_value) / replicates).sqrt();
        Ok(SimulatedPValue { p_value, se, replicates: self.replicates, seed: self.seed })
    }
}

struct RandomTables<'t> {
    table: &'t ContingencyTable,
    ln_factorial: &'t [f64],
    /// What is left of each column.
    rest: Vec<u64>,
}

impl RandomTables<'_> {
    fn ln(&self, k: u64) -> f64 {
        usize::try_from(k).ok().and_then(|k| self.ln_factorial.get(k)).copied().unwrap_or(f64::INFINITY)
    }

    /// `sum ln x!` of a random table.
    fn draw(&mut self, numbers: &mut ChaCha8Rng) -> f64 {
        self.rest.copy_from_slice(&self.table.columns);
        let mut left = self.table.total;
        let mut sum = 0.0;
        let (rows, columns) = (self.table.rows.len(), self.table.columns.len());
        for &row in &self.table.rows[..rows - 1] {
            let (mut to_fill, mut behind) = (row, left);
            for j in 0..columns {
                let x = if j + 1 == columns {
                    to_fill
                } else {
                    self.hypergeometric(
                        &Urn { marked: self.rest[j], others: behind - self.rest[j], drawn: to_fill },
                        numbers,
                    )
                };
                behind -= self.rest[j];
                self.rest[j] -= x;
                to_fill -= x;
                sum += self.ln(x);
            }
            left -= row;
        }
        sum + self.rest.iter().map(|x| self.ln(*x)).sum::<f64>()
    }

    /// The number of marked balls among those drawn: inversion outward from the mode, about as many steps as
    /// the standard deviation.
    fn hypergeometric(&self, urn: &Urn, numbers: &mut ChaCha8Rng) -> u64 {
        let Urn { marked, others, drawn } = *urn;
        let (low, high) = (drawn.saturating_sub(others), drawn.min(marked));
        if low == high {
            return low;
        }
        let ratio = (marked as f64 + 1.0) * (drawn as f64 + 1.0) / ((marked + others) as f64 + 2.0);
        // At most the number drawn.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let mode = (ratio.floor() as u64).clamp(low, high);
        let choose = |n: u64, k: u64| self.ln(n) - self.ln(k) - self.ln(n - k);
        let at_mode =
            (choose(marked, mode) + choose(others, drawn - mode) - choose(marked + others, drawn)).exp();
        let (mut up, mut down) = ((mode, at_mode), (mode, at_mode));
        let mut uniform = numbers.random::<f64>() - at_mode;
        while uniform >= 0.0 && (up.0 < high || down.0 > low) {
            if up.0 < high {
                let x = up.0 as f64;
                let odds = (marked as f64 - x) * (drawn as f64 - x)
                    / ((x + 1.0) * (others as f64 - drawn as f64 + x + 1.0));
                up = (up.0 + 1, up.1 * odds);
                uniform -= up.1;
                if uniform < 0.0 {
                    return up.0;
                }
            }
            if down.0 > low {
                let x = down.0 as f64;
                let odds = x * (others as f64 - drawn as f64 + x)
                    / ((marked as f64 - x + 1.0) * (drawn as f64 - x + 1.0));
                down = (down.0 - 1, down.1 * odds);
                uniform -= down.1;
                if uniform < 0.0 {
                    return down.0;
                }
            }
        }
        // The probabilities sum to 1 up to rounding.
        mode
    }
}

/// Balls in an urn.
struct Urn {
    marked: u64,
    others: u64,
    drawn: u64,
}
