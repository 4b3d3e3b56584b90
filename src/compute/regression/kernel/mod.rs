//! Passes over the rows in vectors: linear, logistic (outcomes of 0 and 1) and Poisson regression, with
//! weights and offsets, and ([`stacked`]) regressions with a categorical outcome.
//!
//! Panels of 128 rows are scaled by the square root of the weights while they lie in the first-level cache;
//! the products of their columns (upper triangle only) are summed in registers, tile by tile, for 4 x 4 or 3
//! x 3 columns at a time. The design matrix is read once for each pass and never copied. The vector
//! instructions of the machine are found at run time; where there are none (or with other links and families)
//! the passes of [`super::irls`] do the same with plain loops.
//!
//! Sums are formed for chunks of 8192 rows, and added in their order: threads do not change a bit.

// Calls that were not expanded would pass vectors through memory, and lose the instruction set.
#![allow(clippy::inline_always)]

mod ahead;
mod chunk;
pub(crate) mod lane;
mod leverage;
mod marginal;
mod panel;
mod rows;
mod source;
pub(crate) mod stacked;

use super::matrix::{LARGEST, ModelMatrix};
use super::observations::{Observations, Response};
use crate::compute::linalg::submatrix;
use crate::compute::threads::{in_parts, instruction_set};
use chunk::{ChunkPass, ChunkSums};
use marginal::MarginalPass;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use panel::position;
use pulp::{Simd, WithSimd};
use rows::Rule;
use source::Source;
use std::ops::Range;

pub use rows::Canonical;
pub(crate) use rows::Leveraged;
pub(crate) use source::{SEGMENT, design, design_buffer};

/// Rows whose sums are formed by one thread.
const CHUNK: usize = 8192;
/// The number of rows below which other threads cost more than they save.
const THREADED: usize = 20_000;

/// The number of parts of the rows, of which a sample is one.
const SHARE: usize = 16;
pub(crate) const SAMPLE_SHARE: f64 = SHARE as f64;

/// Passes over the rows of a model.
#[derive(Debug, Clone, Copy)]
pub struct Kernel<'s, 'a> {
    source: Source<'s, 'a>,
    /// The number of parts of each chunk, of which one is read.
    share: usize,
}

/// Sums at given coefficients.
#[derive(Debug, Clone)]
pub struct Sums {
    /// `X'WX`
    pub information: Array2<f64>,
    /// `X'(y - mu)`
    pub score: Array1<f64>,
    /// Twice the log-likelihood that is lacking to that of a parameter for each row.
    pub deviance: f64,
    /// The sum of the squared residuals over their variances.
    pub pearson_chi2: f64,
    /// The largest `|eta|`; NaN where it is not known.
    pub largest_eta: f64,
}

/// Sums of scores that were changed for their leverage.
#[derive(Debug, Clone)]
pub(crate) struct LeveragedProducts {
    pub(crate) products: Array2<f64>,
    pub(crate) largest_leverage: f64,
}

/// Sums that no coefficients enter.
#[derive(Debug, Clone)]
pub struct ColumnMoments {
    /// `X'X` of the rows that count.
    pub cross: Array2<f64>,
    /// `X'y`
    pub with_outcome: Array1<f64>,
    /// `y'y`
    squares: f64,
    rows: f64,
    /// The smallest and the largest value of each column.
    pub ranges: Vec<[f64; 2]>,
}

impl ColumnMoments {
    /// Whether every value is finite, and its square no overflow or underflow.
    pub fn is_usable(&self) -> bool {
        let extreme = |[low, high]: &[f64; 2]| {
            let size = low.abs().max(high.abs());
            size > LARGEST || (size > 0.0 && size < 1.0 / LARGEST)
        };
        self.cross.iter().chain(&self.with_outcome).all(|x| x.is_finite()) && !self.ranges.iter().any(extreme)
    }

    /// The columns that hold one value other than zero.
    pub(crate) fn constant(&self) -> Vec<usize> {
        let constant = |j: &usize| self.ranges[*j][0] == self.ranges[*j][1] && self.ranges[*j][0] != 0.0;
        (0..self.ranges.len()).filter(constant).collect()
    }

    /// The first such column, and its value.
    pub(crate) fn first_constant(&self) -> Option<(usize, f64)> {
        self.constant().first().map(|&j| (j, self.ranges[j][0]))
    }

    /// The moments of some columns.
    pub(crate) fn select(&self, columns: &[usize]) -> Self {
        Self {
            cross: submatrix(self.cross.view(), columns),
            with_outcome: self.with_outcome.select(Axis(0), columns),
            squares: self.squares,
            rows: self.rows,
            ranges: columns.iter().map(|&j| self.ranges[j]).collect(),
        }
    }

    /// A bound of `|x'd|` over all rows, for a step `d` of some columns: `|sum m_j d_j| + sum h_j |d_j|` with
    /// the middle `m_j` of the range of each column and half its length `h_j`.
    pub(crate) fn reach(&self, columns: &[usize], step: ArrayView1<f64>) -> f64 {
        self.reach_from(0.0, columns, step)
    }

    /// A bound of `|x'd - shift|`, as [`ColumnMoments::reach`].
    pub(crate) fn reach_from(&self, shift: f64, columns: &[usize], step: ArrayView1<f64>) -> f64 {
        let (mut middle, mut half) = (-shift, 0.0);
        for (&j, d) in columns.iter().zip(step) {
            let [low, high] = self.ranges[j];
            middle += d * (0.5 * low + 0.5 * high);
            half += d.abs() * (0.5 * high - 0.5 * low);
        }
        middle.abs() + half
    }

    /// The sums of a model without weights and offset, where they follow from the moments.
    pub fn sums(&self, model: Canonical, coefficients: ArrayView1<f64>) -> Option<Sums> {
        match model {
            Canonical::Linear => self.linear(coefficients),
            Canonical::Logistic => self.logistic(coefficients),
            Canonical::Poisson => None,
        }
    }

    /// Of a linear model, where the residuals are not so much smaller than the outcome that their sums would
    /// cancel.
    fn linear(&self, coefficients: ArrayView1<f64>) -> Option<Sums> {
        /// The share of `y'y` below which the residuals are too small.
        const CANCELLED: f64 = 1e-4;
        let score = &self.with_outcome - &self.cross.dot(&coefficients);
        let rest = self.squares - coefficients.dot(&self.with_outcome) - coefficients.dot(&score);
        (rest > CANCELLED * self.squares).then(|| Sums {
            information: self.cross.clone(),
            score,
            deviance: rest,
            pearson_chi2: rest,
            largest_eta: f64::NAN,
        })
    }

    /// Of a logistic model, at coefficients that give every row the same linear predictor; `None` at others.
    fn logistic(&self, coefficients: ArrayView1<f64>) -> Option<Sums> {
        let constant = self.constant();
        let first = *constant.first()?;
        if coefficients.iter().enumerate().any(|(j, b)| *b != 0.0 && !constant.contains(&j)) {
            return None;
        }
        let eta: f64 = constant.iter().map(|&j| coefficients[j] * self.ranges[j][0]).sum();
        let small = (-eta.abs()).exp();
        let (near, far) = (1.0 / (1.0 + small), small / (1.0 + small));
        let (mu, rest) = if eta >= 0.0 { (near, far) } else { (far, near) };
        let sums = &self.cross.column(first) / self.ranges[first][0];
        let ones = self.with_outcome[first] / self.ranges[first][0];
        let zeros = self.rows - ones;
        Some(Sums {
            information: &self.cross * (mu * rest),
            score: &self.with_outcome - &(sums * mu),
            deviance: 2.0 * (ones * (-eta).max(0.0) + zeros * eta.max(0.0) + self.rows * small.ln_1p()),
            pearson_chi2: ones * rest / mu + zeros * mu / rest,
            largest_eta: eta.abs(),
        })
    }
}

/// Whether the machine has vector instructions for this.
struct HasVectors;

impl WithSimd for HasVectors {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> bool {
        S::F64_LANES > 1
    }
}

impl<'s, 'a> Kernel<'s, 'a> {
    /// `None` where the outcome is a share of trials, or the machine has no vector instructions. Every length
    /// must be right.
    pub fn new(matrix: &'s ModelMatrix<'a>, observations: &'s Observations<'a>) -> Option<Self> {
        let suits = !matches!(observations.response, Response::Grouped(_))
            && matrix.ncols() > 0
            && instruction_set().dispatch(HasVectors);
        suits.then_some(Self { source: Source { matrix, observations }, share: 1 })
    }

    /// The same passes over a sixteenth of the rows, spread over all of them; `None` where there are fewer
    /// than `least` rows.
    pub(crate) fn sample(self, least: usize) -> Option<Self> {
        (self.rows() >= least).then_some(Self { share: SHARE, ..self })
    }

    fn rows(&self) -> usize {
        self.source.matrix.nrows()
    }

    fn pass(&self, rule: Rule, coefficients: &[f64]) -> ChunkSums {
        let source = &self.source;
        let chunks = in_parts(self.rows(), CHUNK, self.rows() >= THREADED, |rows| {
            let rows = rows.start..rows.start + rows.len().div_ceil(self.share);
            instruction_set().dispatch(ChunkPass { source, rows, coefficients, rule })
        });
        chunks
            .into_iter()
            .reduce(|mut total, chunk| {
                total.products.iter_mut().zip(&chunk.products).for_each(|(sum, part)| *sum += part);
                total.loss += chunk.loss;
                total.largest = total.largest.max(chunk.largest);
                for (range, other) in total.ranges.iter_mut().zip(&chunk.ranges) {
                    *range = [range[0].min(other[0]), range[1].max(other[1])];
                }
                total
            })
            .unwrap_or_default()
    }

    /// The products of the columns, and of each of them with the extra column.
    fn split(&self, sums: &ChunkSums) -> (Array2<f64>, Array1<f64>, f64) {
        let (p, q) = (self.source.columns(), self.source.columns() + 1);
        let at =
            |i: usize, j: usize| sums.products.get(position(q, i.min(j), i.max(j))).copied().unwrap_or(0.0);
        (Array2::from_shape_fn((p, p), |(i, j)| at(i, j)), Array1::from_shape_fn(p, |j| at(j, p)), at(p, p))
    }

    /// Information, score and measures of fit.
    pub fn sums(&self, model: Canonical, coefficients: &[f64]) -> Sums {
        let sums = self.pass(Rule::Information(model), coefficients);
        let (information, score, pearson_chi2) = self.split(&sums);
        // The deviance of a linear model is the sum of the squared residuals. No step counts as small beside
        // its predictors, so that a second step always refines the first.
        let (deviance, largest_eta) = match model {
            Canonical::Linear => (pearson_chi2, f64::NAN),
            Canonical::Logistic | Canonical::Poisson => (2.0 * sums.loss, sums.largest),
        };
        Sums { information, score, deviance, pearson_chi2, largest_eta }
    }

    /// `sum U U'` of the scores `U`.
    pub fn score_products(&self, model: Canonical, coefficients: &[f64]) -> Array2<f64> {
        self.split(&self.pass(Rule::Scores(model), coefficients)).0
    }

    /// The same with each score changed for its leverage, of the weighted hat matrix with the inverse `W'W`
    /// of the information.
    pub(crate) fn leveraged_products(
        &self,
        model: Canonical,
        coefficients: &[f64],
        whitener: ArrayView2<f64>,
        change: Leveraged,
    ) -> LeveragedProducts {
        let whitener = &leverage::in_pairs(whitener);
        let sums = self.pass(Rule::LeveragedScores { model, change, whitener }, coefficients);
        LeveragedProducts { products: self.split(&sums).0, largest_leverage: sums.largest }
    }

    /// `X'h (1/2 - mu)` of a logistic model, with the leverages `h` of the weighted hat matrix: as
    /// [`Kernel::leveraged_products`].
    pub(crate) fn pulls(&self, coefficients: &[f64], whitener: ArrayView2<f64>) -> Array1<f64> {
        let whitener = &leverage::in_pairs(whitener);
        self.split(&self.pass(Rule::Pulls { whitener }, coefficients)).1
    }

    /// For each level of the category at this position: the weighted sum over the rows of the means with that
    /// level and, after it, those of their gradients with respect to the coefficients.
    pub fn marginal(&self, model: Canonical, term: usize, levels: u32, coefficients: &[f64]) -> Array2<f64> {
        let source = &self.source;
        let parts = in_parts(self.rows(), CHUNK, self.rows() >= THREADED, |rows| {
            instruction_set().dispatch(MarginalPass {
                source,
                rows,
                coefficients,
                model,
                term,
                levels,
                means: None,
            })
        });
        let mut total = Array2::zeros((levels as usize, source.columns() + 1));
        for part in parts {
            total.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        total
    }

    /// The mean of each of at most [`SEGMENT`] rows with each level of the category: [`SEGMENT`] places for
    /// each level.
    pub(crate) fn means(
        &self,
        model: Canonical,
        term: usize,
        levels: u32,
        coefficients: &[f64],
        rows: Range<usize>,
        means: &mut [f64],
    ) {
        let (source, means) = (&self.source, Some(means));
        instruction_set().dispatch(MarginalPass { source, rows, coefficients, model, term, levels, means });
    }

    /// Products of the columns and the outcome. Values that are not finite make the products so.
    pub fn moments(&self) -> ColumnMoments {
        let sums = self.pass(Rule::Moments, &[]);
        let (cross, with_outcome, squares) = self.split(&sums);
        ColumnMoments { cross, with_outcome, squares, rows: self.rows() as f64, ranges: sums.ranges }
    }
}
