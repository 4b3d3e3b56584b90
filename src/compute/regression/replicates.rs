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
/// The first Newton step starts from the fit of all rows, so that what a row adds to it is known before:
/// `p (p + 3) / 2` numbers, of which a resample takes a weighted sum. The second forms the information once
/// more; the others take scores alone.
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
    p: usize,
    /// The columns one after the other, filled up with zeros; then those with each level of the category.
    columns: Vec<f64>,
    y: Vec<f64>,
    levels: usize,
    coefficients: Vec<f64>,
    /// What each row adds to score and information at these coefficients, filled up to whole vectors.
    first: Vec<f64>,
    stride: usize,
    /// The largest size of a value of each column.
    sizes: Vec<f64>,
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
        let mut columns = vec![0.0; (levels + 1) * p * padded];
        let mut block = Array2::zeros((p, n));
        let forced = (0..levels as u32).map(|level| Some(Override { term, level }));
        for (part, forced) in columns.chunks_exact_mut(p * padded).zip(std::iter::once(None).chain(forced)) {
            self.matrix.fill_with(0..n, forced, block.view_mut());
            for (column, values) in part.chunks_exact_mut(padded).zip(block.rows()) {
                column.iter_mut().zip(values).for_each(|(to, from)| *to = *from);
            }
        }
        let mut rows = Rows::new();
        observations.read(0..n, &mut rows);
        let mut y = rows.y;
        y.resize(padded, 0.0);
        let coefficients = self.coefficients().to_vec();
        let stride = (p + p * (p + 1) / 2).div_ceil(8) * 8;
        let mut first = vec![0.0; n * stride];
        for (row, out) in first.chunks_exact_mut(stride).enumerate() {
            let x = |j: usize| columns[j * padded + row];
            let eta: f64 = (0..p).map(|j| coefficients[j] * x(j)).sum();
            let mu = 1.0 / (1.0 + (-eta).exp());
            let mut next = out.iter_mut();
            let mut push = |value: f64| next.next().into_iter().for_each(|place| *place = value);
            (0..p).for_each(|j| push((y[row] - mu) * x(j)));
            for j in 0..p {
                (0..=j).for_each(|k| push(mu * (1.0 - mu) * x(j) * x(k)));
            }
        }
        let size = |column: &[f64]| column.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        let sizes = columns.chunks_exact(padded).take(p).map(size).collect();
        Ok(StandardizedReplicates {
            rows: n,
            padded,
            p,
            columns,
            y,
            levels,
            coefficients,
            first,
            stride,
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
        let all: Vec<usize> = (0..self.levels).collect();
        self.means_of(&all, counts)
    }

    /// The means of some levels alone, counted from 0.
    pub fn means_of(&self, levels: &[usize], counts: &[u32]) -> Option<Vec<f64>> {
        if counts.len() != self.rows || levels.iter().any(|level| *level >= self.levels) {
            return None;
        }
        let mut weights: Vec<f64> = counts.iter().map(|count| f64::from(*count)).collect();
        let total: f64 = weights.iter().sum();
        weights.resize(self.padded, 0.0);
        let coefficients = self.maximum(&weights)?;
        let mean = |&level: &usize| {
            let sum = self.pass(Wanted::Mean, level + 1, &coefficients, &weights);
            sum.first().map(|sum| sum / total).filter(|mean| mean.is_finite())
        };
        levels.iter().map(mean).collect()
    }

    fn maximum(&self, weights: &[f64]) -> Option<Vec<f64>> {
        let p = self.p;
        let mut coefficients = self.coefficients.clone();
        let first = instruction_set().dispatch(WeightedSum {
            rows: &self.first,
            stride: self.stride,
            weights: &weights[..self.rows],
        });
        let mut factor = Factor::new(p, &first[p..])?;
        let mut step = factor.solve(&first[..p]);
        let mut before = self.advance(&mut coefficients, &step);
        let mut again = true;
        for _ in 0..MOST_PASSES {
            if before <= SMALL {
                return Some(coefficients);
            }
            let wanted = if again { Wanted::Information } else { Wanted::Score };
            let sums = self.pass(wanted, 0, &coefficients, weights);
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

    fn pass(&self, wanted: Wanted, part: usize, coefficients: &[f64], weights: &[f64]) -> Vec<f64> {
        let size = self.p * self.padded;
        let columns = &self.columns[part * size..(part + 1) * size];
        instruction_set().dispatch(Pass {
            wanted,
            columns,
            rows: self.padded,
            y: &self.y,
            coefficients,
            weights,
        })
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

/// The sum of rows of numbers with weights.
struct WeightedSum<'w> {
    rows: &'w [f64],
    stride: usize,
    weights: &'w [f64],
}

impl WithSimd for WeightedSum<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f64> {
        let vectors = self.stride / S::F64_LANES;
        let mut sums = vec![0.0; self.stride];
        let (out, _) = S::as_mut_simd_f64s(&mut sums);
        let (rows, _) = S::as_simd_f64s(self.rows);
        for start in (0..vectors).step_by(GROUP) {
            let width = GROUP.min(vectors - start);
            let mut total = [simd.splat_f64s(0.0); GROUP];
            for (row, weight) in rows.chunks_exact(vectors).zip(self.weights) {
                let weight = simd.splat_f64s(*weight);
                if width == GROUP {
                    for (total, x) in total.iter_mut().zip(&row[start..start + GROUP]) {
                        *total = simd.mul_add_e_f64s(weight, *x, *total);
                    }
                } else {
                    for (total, x) in total.iter_mut().zip(&row[start..]) {
                        *total = simd.mul_add_e_f64s(weight, *x, *total);
                    }
                }
            }
            out[start..start + width].copy_from_slice(&total[..width]);
        }
        sums
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// The score.
    Score,
    /// The score and the lower triangle of the information.
    Information,
    /// The sum of the means.
    Mean,
}

/// A pass over all rows.
struct Pass<'w> {
    wanted: Wanted,
    /// One after the other.
    columns: &'w [f64],
    rows: usize,
    y: &'w [f64],
    coefficients: &'w [f64],
    weights: &'w [f64],
}

impl WithSimd for Pass<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f64> {
        let p = self.coefficients.len();
        let zero = simd.splat_f64s(0.0);
        let columns: Vec<&[S::f64s]> =
            self.columns.chunks_exact(self.rows).map(|column| S::as_simd_f64s(column).0).collect();
        let ((y, _), (weights, _)) = (S::as_simd_f64s(self.y), S::as_simd_f64s(self.weights));
        let mut sums = vec![zero; p + p * (p + 1) / 2];
        let (score, information) = sums.split_at_mut(p);
        let mut mean = zero;
        for start in (0..weights.len()).step_by(GROUP) {
            let rows = start..start + GROUP;
            let mut eta = [zero; GROUP];
            for (column, b) in columns.iter().zip(self.coefficients) {
                let b = simd.splat_f64s(*b);
                for (eta, x) in eta.iter_mut().zip(&column[rows.clone()]) {
                    *eta = simd.mul_add_e_f64s(b, *x, *eta);
                }
            }
            let (mut residual, mut slope) = ([zero; GROUP], [zero; GROUP]);
            for u in 0..GROUP {
                let weight = weights[start + u];
                let point = Logistic::new(simd, eta[u]);
                if self.wanted == Wanted::Mean {
                    mean = simd.mul_add_e_f64s(weight, point.mu, mean);
                } else {
                    residual[u] = simd.mul_f64s(weight, point.residual(simd, y[start + u]));
                    slope[u] = simd.mul_f64s(weight, simd.mul_f64s(point.mu, point.rest));
                }
            }
            if self.wanted == Wanted::Mean {
                continue;
            }
            for (sum, column) in score.iter_mut().zip(&columns) {
                let mut total = *sum;
                for (r, x) in residual.iter().zip(&column[rows.clone()]) {
                    total = simd.mul_add_e_f64s(*r, *x, total);
                }
                *sum = total;
            }
            if self.wanted == Wanted::Information {
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
        match self.wanted {
            Wanted::Mean => vec![simd.reduce_sum_f64s(mean)],
            _ => sums.iter().map(|sum| simd.reduce_sum_f64s(*sum)).collect(),
        }
    }
}
