//! Standardised means of a logistic regression that is fitted again to resampled rows.

// Places and counts are small and positive.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
// Calls that were not expanded would pass vectors through memory, and lose the instruction set.
#![allow(clippy::inline_always)]

use super::family::{Family, Link};
use super::fit::Fit;
use super::kernel::lane::Logistic;
use super::matrix::Override;
use super::observations::{Rows, Weights};
use crate::compute::threads::instruction_set;
use crate::error::{Error, Result};
use ndarray::Array2;
use pulp::{Simd, WithSimd};
use std::ops::Range;

/// Vectors that are worked on together.
const GROUP: usize = 4;
/// Rows are filled up to a multiple of this: of every length of vectors.
const PADDING: usize = GROUP * 8;
/// The change of a linear predictor that ends the iteration: its error is then some digits smaller.
const SMALL: f64 = 1e-9;
/// Passes after which the fit is left to others.
const MOST_PASSES: usize = 40;

/// The standardised means of a logistic regression of the rows of a fit, each as often as it was drawn.
///
/// # Formula
/// With counts `c_i` the coefficients solve `sum c_i (y_i - mu_i) x_i = 0`, and the mean of level `a` is
/// `sum c_i mu_i(a) / sum c_i` with the rows at that level: what a new fit to the drawn rows gives, to ten
/// digits.
///
/// The first Newton step starts from the fit of all rows, whose residuals and slopes are known before. The
/// second forms the information once more; the others take scores alone.
///
/// # Errors
/// `invalid_input` for another model than logistic regression without weights and offset, or no such category.
/// A resample whose maximum is not found so (one that separates, or with collinear columns) has no answer
/// here: fit it by itself.
///
/// # Examples
/// ```
/// use armwise::ndarray::array;
/// use armwise::regression::{Category, Family, Glm, ModelMatrix};
///
/// let arm = [0, 0, 0, 0, 1, 1, 1, 1];
/// let age = array![2.0, 4.0, 3.0, 5.0, 2.0, 3.0, 5.0, 4.0];
/// let works = array![0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0];
/// let matrix = ModelMatrix::new(8)
///     .intercept()?
///     .category("arm", Category::new(&arm, ["c", "t"]))?
///     .numeric("age", age.view())?;
/// let fit = Glm::new(Family::Binomial).fit(&matrix, &works)?;
/// let replicates = fit.replicates("arm")?;
/// let all = replicates.means(&[1; 8]).unwrap();
/// let own = fit.standardize("arm")?;
/// assert!(all.iter().zip(own.means()).all(|(a, b)| (a - b).abs() < 1e-9));
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapter 9 (resampling of cases).
#[derive(Debug, Clone)]
pub struct StandardizedReplicates {
    rows: usize,
    padded: usize,
    /// One after the other, filled up with zeros.
    columns: Vec<f64>,
    y: Vec<f64>,
    levels: Vec<AtLevel>,
    /// The columns that no level changes.
    shared: Vec<usize>,
    coefficients: Vec<f64>,
    /// The residual of each row at these coefficients, and the derivative of its mean.
    residuals: Vec<f64>,
    slopes: Vec<f64>,
    /// The largest size of a value of each column.
    sizes: Vec<f64>,
}

/// All rows at one level of the category: the columns that are other ones there.
#[derive(Debug, Clone, Default)]
struct AtLevel {
    /// The columns with one value other than zero.
    constant: Vec<(usize, f64)>,
    /// The others, as the columns of the rows stand.
    varying: Vec<(usize, Vec<f64>)>,
}

impl Fit<'_> {
    /// The standardised means of refits to resampled rows, each level of this category in turn.
    ///
    /// # Errors
    /// As listed for [`StandardizedReplicates`].
    pub fn replicates(&self, category: &str) -> Result<StandardizedReplicates> {
        let observations = &self.observations;
        let plain = matches!(observations.weights, Weights::None) && observations.offset.is_none();
        let logistic = self.family() == Family::Binomial && self.link() == Link::Logit;
        let Some((term, levels, _)) = self.matrix.category_codes(category).filter(|_| plain && logistic)
        else {
            return Err(Error::invalid(format!(
                "replicates of standardised means need a logistic regression without weights and offset that has the category \
                 \"{category}\"; fit each resample by itself"
            )));
        };
        if !self.aliased().is_empty() {
            return Err(Error::invalid("a column was left out as aliased; leave it out of the model"));
        }
        let (n, p) = (self.matrix.nrows(), self.matrix.ncols());
        let padded = n.div_ceil(PADDING) * PADDING;
        let mut block = Array2::zeros((p, n));
        let mut filled = |forced| {
            self.matrix.fill_with(0..n, forced, block.view_mut());
            let mut columns = vec![0.0; p * padded];
            for (column, values) in columns.chunks_exact_mut(padded).zip(block.rows()) {
                column.iter_mut().zip(values).for_each(|(to, from)| *to = *from);
            }
            columns
        };
        let columns = filled(None);
        let all: Vec<Vec<f64>> =
            (0..levels as u32).map(|level| filled(Some(Override { term, level }))).collect();
        let of = |part: &[f64], j: usize| part[j * padded..j * padded + n].to_vec();
        let shared: Vec<usize> =
            (0..p).filter(|&j| all.iter().all(|part| of(part, j) == of(&columns, j))).collect();
        let levels = all.iter().map(|part| {
            let mut level = AtLevel::default();
            for j in (0..p).filter(|j| !shared.contains(j)) {
                let mut values = of(part, j);
                if values.iter().all(|value| *value == values[0]) {
                    level.constant.push((j, values[0]));
                } else {
                    values.resize(padded, 0.0);
                    level.varying.push((j, values));
                }
            }
            level
        });
        let levels = levels.collect();
        let mut rows = Rows::new();
        observations.read(0..n, &mut rows);
        let mut y = rows.y;
        y.resize(padded, 0.0);
        let coefficients = self.coefficients().to_vec();
        let mean = |row: usize| {
            let eta: f64 = (0..p).map(|j| coefficients[j] * columns[j * padded + row]).sum();
            1.0 / (1.0 + (-eta).exp())
        };
        let means: Vec<f64> = (0..padded).map(mean).collect();
        let residuals = y.iter().zip(&means).map(|(y, mu)| y - mu).collect();
        let slopes = means.iter().map(|mu| mu * (1.0 - mu)).collect();
        let size = |column: &[f64]| column.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        let sizes = columns.chunks_exact(padded).map(size).collect();
        Ok(StandardizedReplicates {
            rows: n,
            padded,
            columns,
            y,
            levels,
            shared,
            coefficients,
            residuals,
            slopes,
            sizes,
        })
    }
}

impl StandardizedReplicates {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The mean of every level where each row counts so often; `None` where the maximum was not found.
    pub fn means(&self, counts: &[u32]) -> Option<Vec<f64>> {
        let all: Vec<usize> = (0..self.levels.len()).collect();
        self.means_of(&all, counts)
    }

    /// The means of some levels alone, counted from 0.
    pub fn means_of(&self, levels: &[usize], counts: &[u32]) -> Option<Vec<f64>> {
        let levels: Vec<&AtLevel> =
            levels.iter().map(|&level| self.levels.get(level)).collect::<Option<_>>()?;
        if counts.len() != self.rows {
            return None;
        }
        let mut weights: Vec<f64> = counts.iter().map(|count| f64::from(*count)).collect();
        let total: f64 = weights.iter().sum();
        weights.resize(self.padded, 0.0);
        let coefficients = self.maximum(&weights)?;
        let sums = instruction_set().dispatch(Means {
            columns: &self.columns,
            shared: &self.shared,
            levels: &levels,
            coefficients: &coefficients,
            weights: &weights,
        });
        sums.into_iter().map(|sum| Some(sum / total).filter(|mean| mean.is_finite())).collect()
    }

    fn maximum(&self, weights: &[f64]) -> Option<Vec<f64>> {
        let p = self.coefficients.len();
        let mut coefficients = self.coefficients.clone();
        let first = self.pass(Wanted::First, &coefficients, weights);
        let mut factor = Factor::new(p, &first[p..])?;
        let mut step = factor.solve(&first[..p]);
        let mut before = self.advance(&mut coefficients, &step);
        let mut again = true;
        for _ in 0..MOST_PASSES {
            if before <= SMALL {
                return Some(coefficients);
            }
            let wanted = if again { Wanted::Information } else { Wanted::Score };
            let sums = self.pass(wanted, &coefficients, weights);
            if again {
                factor = Factor::new(p, &sums[p..])?;
            }
            step = factor.solve(&sums[..p]);
            let size = self.advance(&mut coefficients, &step);
            if size.is_nan() || size > 10.0 {
                return None;
            }
            // The next step would be smaller by about as much as this one was.
            if size < 0.1 * before && size * (size / before) <= SMALL {
                return Some(coefficients);
            }
            // A score with an older information gains digits as long as steps get much smaller.
            again = size > 0.05 * before;
            before = size;
        }
        None
    }

    /// Takes a step; the largest change of a linear predictor that it can make.
    fn advance(&self, coefficients: &mut [f64], step: &[f64]) -> f64 {
        coefficients.iter_mut().zip(step).for_each(|(b, d)| *b += d);
        step.iter().zip(&self.sizes).map(|(d, size)| d.abs() * size).sum()
    }

    fn pass(&self, wanted: Wanted, coefficients: &[f64], weights: &[f64]) -> Vec<f64> {
        instruction_set().dispatch(Pass { wanted, of: self, coefficients, weights })
    }
}

/// The Cholesky factor of a small matrix, row by row.
struct Factor {
    p: usize,
    lower: Vec<f64>,
}

impl Factor {
    /// From the lower triangle row by row; `None` where the matrix is hardly positive definite.
    fn new(p: usize, triangle: &[f64]) -> Option<Self> {
        let mut lower = triangle[..p * (p + 1) / 2].to_vec();
        let at = |i: usize, j: usize| i * (i + 1) / 2 + j;
        for i in 0..p {
            for j in 0..=i {
                let done: f64 = (0..j).map(|k| lower[at(i, k)] * lower[at(j, k)]).sum();
                let rest = lower[at(i, j)] - done;
                if i == j {
                    if rest.is_nan() || rest <= 1e-12 * lower[at(i, i)] {
                        return None;
                    }
                    lower[at(i, i)] = rest.sqrt();
                } else {
                    lower[at(i, j)] = rest / lower[at(j, j)];
                }
            }
        }
        Some(Self { p, lower })
    }

    fn solve(&self, right: &[f64]) -> Vec<f64> {
        let at = |i: usize, j: usize| self.lower[i * (i + 1) / 2 + j];
        let mut x = right.to_vec();
        for i in 0..self.p {
            let done: f64 = (0..i).map(|k| at(i, k) * x[k]).sum();
            x[i] = (x[i] - done) / at(i, i);
        }
        for i in (0..self.p).rev() {
            let done: f64 = (i + 1..self.p).map(|k| at(k, i) * x[k]).sum();
            x[i] = (x[i] - done) / at(i, i);
        }
        x
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// The score and the lower triangle of the information at the fit of all rows.
    First,
    /// The score and the lower triangle of the information.
    Information,
    /// The score.
    Score,
}

/// A pass over all rows.
struct Pass<'w> {
    wanted: Wanted,
    of: &'w StandardizedReplicates,
    coefficients: &'w [f64],
    weights: &'w [f64],
}

/// Columns as vectors of the machine.
fn vectors<S: Simd>(columns: &[f64], rows: usize) -> Vec<&[S::f64s]> {
    columns.chunks_exact(rows).map(|column| S::as_simd_f64s(column).0).collect()
}

impl WithSimd for Pass<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f64> {
        let p = self.coefficients.len();
        let zero = simd.splat_f64s(0.0);
        let columns = vectors::<S>(&self.of.columns, self.weights.len());
        let [y, weights, residuals, slopes] =
            [&self.of.y, self.weights, &self.of.residuals, &self.of.slopes].map(|all| S::as_simd_f64s(all).0);
        let mut sums = vec![zero; p + p * (p + 1) / 2];
        let (score, information) = sums.split_at_mut(p);
        for start in (0..weights.len()).step_by(GROUP) {
            let rows = start..start + GROUP;
            let (mut residual, mut slope) = ([zero; GROUP], [zero; GROUP]);
            if self.wanted == Wanted::First {
                for u in 0..GROUP {
                    let row = start + u;
                    residual[u] = simd.mul_f64s(weights[row], residuals[row]);
                    slope[u] = simd.mul_f64s(weights[row], slopes[row]);
                }
            } else {
                let mut eta = [zero; GROUP];
                for (column, b) in columns.iter().zip(self.coefficients) {
                    let b = simd.splat_f64s(*b);
                    for (eta, x) in eta.iter_mut().zip(&column[rows.clone()]) {
                        *eta = simd.mul_add_e_f64s(b, *x, *eta);
                    }
                }
                for u in 0..GROUP {
                    let weight = weights[start + u];
                    let point = Logistic::new(simd, eta[u]);
                    residual[u] = simd.mul_f64s(weight, point.residual(simd, y[start + u]));
                    slope[u] = simd.mul_f64s(weight, simd.mul_f64s(point.mu, point.rest));
                }
            }
            for (sum, column) in score.iter_mut().zip(&columns) {
                let mut total = *sum;
                for (r, x) in residual.iter().zip(&column[rows.clone()]) {
                    total = simd.mul_add_e_f64s(*r, *x, total);
                }
                *sum = total;
            }
            if self.wanted != Wanted::Score {
                let mut place = 0;
                for j in 0..p {
                    let mut scaled = slope;
                    for (scaled, x) in scaled.iter_mut().zip(&columns[j][rows.clone()]) {
                        *scaled = simd.mul_f64s(*scaled, *x);
                    }
                    for column in &columns[..=j] {
                        let mut total = information[place];
                        for (z, x) in scaled.iter().zip(&column[rows.clone()]) {
                            total = simd.mul_add_e_f64s(*z, *x, total);
                        }
                        information[place] = total;
                        place += 1;
                    }
                }
            }
        }
        sums.iter().map(|sum| simd.reduce_sum_f64s(*sum)).collect()
    }
}

/// Adds columns times their coefficients to linear predictors.
#[inline(always)]
fn add_columns<S: Simd>(
    simd: S,
    eta: &mut [S::f64s; GROUP],
    columns: &[(S::f64s, &[S::f64s])],
    rows: &Range<usize>,
) {
    for (b, column) in columns {
        for (eta, x) in eta.iter_mut().zip(&column[rows.clone()]) {
            *eta = simd.mul_add_e_f64s(*b, *x, *eta);
        }
    }
}

/// The sums of the means of all rows at some levels.
struct Means<'w> {
    columns: &'w [f64],
    shared: &'w [usize],
    levels: &'w [&'w AtLevel],
    coefficients: &'w [f64],
    weights: &'w [f64],
}

impl WithSimd for Means<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f64> {
        let zero = simd.splat_f64s(0.0);
        let b = self.coefficients;
        let columns = vectors::<S>(self.columns, self.weights.len());
        let shared: Vec<_> = self.shared.iter().map(|&j| (simd.splat_f64s(b[j]), columns[j])).collect();
        let levels: Vec<_> = self
            .levels
            .iter()
            .map(|level| {
                let constant: f64 = level.constant.iter().map(|(j, value)| b[*j] * value).sum();
                let varying: Vec<_> = level
                    .varying
                    .iter()
                    .map(|(j, values)| (simd.splat_f64s(b[*j]), S::as_simd_f64s(values).0))
                    .collect();
                (simd.splat_f64s(constant), varying)
            })
            .collect();
        let (weights, _) = S::as_simd_f64s(self.weights);
        let mut sums = vec![zero; levels.len()];
        for start in (0..weights.len()).step_by(GROUP) {
            let rows = start..start + GROUP;
            let mut eta = [zero; GROUP];
            add_columns(simd, &mut eta, &shared, &rows);
            for (sum, (constant, varying)) in sums.iter_mut().zip(&levels) {
                let mut own = eta;
                for eta in &mut own {
                    *eta = simd.add_f64s(*eta, *constant);
                }
                add_columns(simd, &mut own, varying, &rows);
                for (weight, eta) in weights[rows.clone()].iter().zip(own) {
                    *sum = simd.mul_add_e_f64s(*weight, Logistic::new(simd, eta).mu, *sum);
                }
            }
        }
        sums.iter().map(|sum| simd.reduce_sum_f64s(*sum)).collect()
    }
}
