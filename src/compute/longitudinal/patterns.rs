//! Units with the same waves, by their cross-products: an iteration costs patterns, not units.

use super::wave_means::WaveMeans;
use crate::compute::linalg::{Cholesky, aliased_columns};
use crate::error::{ErrorKind, Result};
use ndarray::{Array1, Array2, ArrayView2};
use std::collections::BTreeMap;

/// The units that were measured in the same waves.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    /// The places of their waves.
    pub waves: Vec<usize>,
    /// Their number.
    pub n: f64,
    /// `Z'Z` of the values of units.
    pub zz: Array2<f64>,
    /// `Z'E` with the rough residuals, values x waves.
    pub ze: Array2<f64>,
    /// `E'E`.
    pub ee: Array2<f64>,
}

/// The outcomes and design as sums over the units of each pattern.
///
/// Outcomes enter as residuals of a rough fit, divided by a power of 2 near their spread: no digits are lost
/// in the sums, and parameters are of order 1.
#[derive(Debug, Clone)]
pub(super) struct Patterns {
    pub patterns: Vec<Pattern>,
    /// The coefficient of each value of a unit in each wave.
    pub columns: Vec<Vec<Option<usize>>>,
    /// The rough coefficients, of the outcomes divided by `scale`.
    pub rough: Array1<f64>,
    pub scale: f64,
    pub n: usize,
    pub units: usize,
}

impl Patterns {
    pub(super) fn new(means: &WaveMeans) -> Result<Self> {
        let waves = means.waves();
        let (values, columns) = (means.values(), means.columns());
        let (p, q) = (means.n_coefficients(), values.ncols());
        let raw = |row: usize| waves.outcome[row];
        let mut this = Self {
            patterns: Vec::new(),
            columns,
            rough: Array1::zeros(p),
            scale: 1.0,
            n: waves.n(),
            units: waves.n_units(),
        };
        // First around the mean of everyone, so that a common level costs no digits.
        let level = waves.outcome.iter().sum::<f64>() / waves.n() as f64;
        this.sum(means, &values, |_, row| raw(row) - level);
        let identity: Vec<Array2<f64>> =
            this.patterns.iter().map(|pattern| Array2::eye(pattern.waves.len())).collect();
        let whole = this.assemble(&identity, p);
        let factor = Cholesky::new(whole.view()).filter(|factor| factor.smallest_pivot > 1e-11);
        let Some(factor) = factor else {
            // R's rule on the rows themselves, where sums are too near to dependence to tell.
            let aliased = aliased_columns(means.design().view());
            let names = means.names();
            let columns: Vec<String> = aliased.iter().map(|&j| names[j].clone()).collect();
            let columns = if columns.is_empty() { names } else { columns };
            return Err(ErrorKind::RankDeficient { columns }.into());
        };
        let mut rough = factor.solve(this.right(&identity, p).view());
        for place in 0..this.columns.len() {
            rough[place] += level;
        }
        let fitted = |unit: usize, place: usize, columns: &[Vec<Option<usize>>]| -> f64 {
            let one = |j: usize| columns[place][j].map_or(0.0, |column| rough[column] * values[[unit, j]]);
            (0..q).map(one).sum()
        };
        let mut residuals = vec![0.0; waves.n()];
        let mut sum = 0.0;
        for (unit, rows) in waves.units().iter().enumerate() {
            for &(row, place) in rows {
                residuals[row] = raw(row) - fitted(unit, place, &this.columns);
                sum += residuals[row] * residuals[row];
            }
        }
        let spread = (sum / waves.n() as f64).sqrt();
        let largest = waves.outcome.iter().fold(0.0_f64, |largest, y| largest.max((y - level).abs()));
        if spread <= 1e-12 * largest || spread <= 1e-14 * level.abs() || !spread.is_finite() {
            let why = "the outcomes follow from waves, groups and covariates without residual, so that nothing shows their variance; \
                       check the column of outcomes";
            return Err(ErrorKind::ZeroVariance(why.to_owned()).into());
        }
        let scale = spread.log2().round().exp2();
        this.sum(means, &values, |_, row| residuals[row] / scale);
        (this.rough, this.scale) = (rough / scale, scale);
        Ok(this)
    }

    /// The sums over units, of the outcome of each row as given.
    fn sum(&mut self, means: &WaveMeans, values: &Array2<f64>, outcome: impl Fn(usize, usize) -> f64) {
        let q = values.ncols();
        let mut patterns: BTreeMap<Vec<usize>, Pattern> = BTreeMap::new();
        let mut key = Vec::new();
        for (unit, rows) in means.waves().units().iter().enumerate() {
            key.clear();
            key.extend(rows.iter().map(|(_, place)| *place));
            let m = key.len();
            if !patterns.contains_key(&key) {
                let (zz, ze, ee) = (Array2::zeros((q, q)), Array2::zeros((q, m)), Array2::zeros((m, m)));
                patterns.insert(key.clone(), Pattern { waves: key.clone(), n: 0.0, zz, ze, ee });
            }
            let Some(own) = patterns.get_mut(&key) else { continue };
            own.n += 1.0;
            let z = values.row(unit);
            for j in 0..q {
                if z[j] == 0.0 {
                    continue;
                }
                for k in 0..q {
                    own.zz[[j, k]] += z[j] * z[k];
                }
                for (a, &(row, _)) in rows.iter().enumerate() {
                    own.ze[[j, a]] += z[j] * outcome(unit, row);
                }
            }
            for (a, &(first, _)) in rows.iter().enumerate() {
                for (b, &(second, _)) in rows.iter().enumerate() {
                    own.ee[[a, b]] += outcome(unit, first) * outcome(unit, second);
                }
            }
        }
        self.patterns = patterns.into_values().collect();
    }

    /// `sum_i X_i' M X_i`, with a matrix `M` for each pattern.
    pub(super) fn assemble(&self, weights: &[Array2<f64>], p: usize) -> Array2<f64> {
        let mut sum = Array2::zeros((p, p));
        for (pattern, weight) in self.patterns.iter().zip(weights) {
            self.add(pattern, weight.view(), &mut sum);
        }
        sum
    }

    /// Adds the part of a pattern to [`Patterns::assemble`].
    pub(super) fn add(&self, pattern: &Pattern, weight: ArrayView2<f64>, sum: &mut Array2<f64>) {
        for (a, &t) in pattern.waves.iter().enumerate() {
            for (b, &s) in pattern.waves.iter().enumerate() {
                let w = weight[[a, b]];
                if w == 0.0 {
                    continue;
                }
                for (j, row) in self.columns[t].iter().enumerate() {
                    let Some(row) = *row else { continue };
                    for (k, column) in self.columns[s].iter().enumerate() {
                        if let Some(column) = *column {
                            sum[[row, column]] += w * pattern.zz[[j, k]];
                        }
                    }
                }
            }
        }
    }

    /// `sum_i X_i' M e_i`.
    pub(super) fn right(&self, weights: &[Array2<f64>], p: usize) -> Array1<f64> {
        let mut sum = Array1::zeros(p);
        for (pattern, weight) in self.patterns.iter().zip(weights) {
            let weighted = pattern.ze.dot(&weight.t());
            for (a, &t) in pattern.waves.iter().enumerate() {
                for (j, row) in self.columns[t].iter().enumerate() {
                    if let Some(row) = *row {
                        sum[row] += weighted[[j, a]];
                    }
                }
            }
        }
        sum
    }

    /// The coefficients of a pattern as a matrix, waves x values.
    pub(super) fn by_wave(&self, pattern: &Pattern, coefficients: &Array1<f64>) -> Array2<f64> {
        let q = pattern.zz.nrows();
        Array2::from_shape_fn((pattern.waves.len(), q), |(a, j)| {
            self.columns[pattern.waves[a]][j].map_or(0.0, |column| coefficients[column])
        })
    }

    /// Moments of the rough residuals: their mean products, and the number of units with both waves.
    pub(super) fn moments(&self) -> (Array2<f64>, Array2<f64>) {
        let waves = self.columns.len();
        let mut sums = Array2::<f64>::zeros((waves, waves));
        let mut pairs = sums.clone();
        for pattern in &self.patterns {
            for (a, &t) in pattern.waves.iter().enumerate() {
                for (b, &s) in pattern.waves.iter().enumerate() {
                    sums[[t, s]] += pattern.ee[[a, b]];
                    pairs[[t, s]] += pattern.n;
                }
            }
        }
        let mean =
            Array2::from_shape_fn(
                (waves, waves),
                |at| if pairs[at] > 0.0 { sums[at] / pairs[at] } else { 0.0 },
            );
        (mean, pairs)
    }
}
