//! Several sums of products in one pass: `sum w x x'` for some weights, `sum l x` for some loads, and sums
//! that no column enters. What the weights and loads of a row are the model says ([`StackedRule`]).
//!
//! The columns are copied into a panel of 128 rows once; each tile of products multiplies one side by the
//! weight while it lies in registers.

use super::ahead::Ahead;
use super::panel::{Aligned, Panel, ROWS, add_products, of_width, position, rectangle, tiles};
use super::source::{SEGMENT, design, design_buffer};
use super::{CHUNK, THREADED};
use crate::compute::regression::matrix::ModelMatrix;
use crate::compute::threads::{in_parts, instruction_set};
use ndarray::Array2;
use pulp::{Simd, WithSimd};
use std::ops::Range;

/// Vectors that are worked on together.
const GROUP: usize = 4;

/// How many sums a model forms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Linear predictors of a row.
    pub(crate) predictors: usize,
    pub(crate) weights: usize,
    pub(crate) loads: usize,
    pub(crate) scalars: usize,
}

/// What the rows of a model with a categorical outcome contribute.
pub(crate) trait StackedRule: Sync {
    fn shape(&self) -> Shape;

    /// The coefficients of all columns for each linear predictor, one after the other.
    fn coefficients(&self) -> &[f64];

    /// The contribution of some rows: `code` is their category, negative where there is no row; `out` takes
    /// the weights and after them the loads.
    fn rows<S: Simd>(
        &self,
        simd: S,
        eta: &[S::f64s],
        code: S::f64s,
        out: &mut [S::f64s],
        tally: &mut StackedTally<S>,
    );
}

/// Sums of the rows that no column enters.
#[derive(Debug)]
pub(crate) struct StackedTally<S: Simd> {
    /// The part of the negative log-likelihood without logarithms.
    pub(crate) loss: S::f64s,
    /// The product of what the logarithms are taken of, for at most [`ROWS`] rows.
    pub(crate) product: S::f64s,
    /// The largest linear predictor.
    pub(crate) largest: S::f64s,
    /// The largest of a measure of the model.
    pub(crate) steepest: S::f64s,
    pub(crate) scalars: Vec<S::f64s>,
}

/// The sums of a pass.
#[derive(Debug, Clone)]
pub(crate) struct StackedSums {
    /// `sum w x x'` for each weight.
    pub(crate) products: Vec<Array2<f64>>,
    /// `sum l x`, one row for each load.
    pub(crate) loads: Array2<f64>,
    pub(crate) scalars: Vec<f64>,
    /// The negative log-likelihood.
    pub(crate) loss: f64,
    pub(crate) largest: f64,
    pub(crate) steepest: f64,
}

/// All sums in one row, to be added chunk by chunk.
#[derive(Debug, Default)]
struct Raw {
    sums: Vec<f64>,
    largest: f64,
    steepest: f64,
}

/// One pass over all rows, of which each has a code for its category. The machine must have vector
/// instructions (as where [`super::ColumnMoments`] are known). Threads do not change a bit.
pub(crate) fn stacked(matrix: &ModelMatrix, codes: &[u32], rule: &impl StackedRule) -> StackedSums {
    let n = matrix.nrows();
    let p = matrix.ncols();
    let shape = rule.shape();
    let chunks = in_parts(n, CHUNK, n >= THREADED, |rows| {
        instruction_set().dispatch(StackedPass { matrix, codes, rows, rule })
    });
    let total = chunks
        .into_iter()
        .reduce(|mut total, chunk| {
            total.sums.iter_mut().zip(&chunk.sums).for_each(|(sum, part)| *sum += part);
            total.largest = total.largest.max(chunk.largest);
            total.steepest = total.steepest.max(chunk.steepest);
            total
        })
        .unwrap_or_default();
    let mut rest = total.sums.as_slice();
    let mut take = |count: usize| {
        let (first, others) = rest.split_at(count.min(rest.len()));
        rest = others;
        first
    };
    let products = (0..shape.weights)
        .map(|_| {
            let packed = take(p * (p + 1) / 2);
            Array2::from_shape_fn((p, p), |(i, j)| packed[position(p, i.min(j), i.max(j))])
        })
        .collect();
    let loads = take(shape.loads * p);
    let loads = Array2::from_shape_fn((shape.loads, p), |(l, j)| loads[l * p + j]);
    let scalars = take(shape.scalars).to_vec();
    let loss = take(1).first().copied().unwrap_or(0.0);
    StackedSums { products, loads, scalars, loss, largest: total.largest, steepest: total.steepest }
}

struct StackedPass<'c, 'a, R> {
    matrix: &'c ModelMatrix<'a>,
    codes: &'c [u32],
    rows: Range<usize>,
    rule: &'c R,
}

impl<R: StackedRule> WithSimd for StackedPass<'_, '_, R> {
    type Output = Raw;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Raw {
        if S::REGISTER_COUNT >= 32 { self.run::<S, 4>(simd) } else { self.run::<S, 3>(simd) }
    }
}

impl<R: StackedRule> StackedPass<'_, '_, R> {
    #[inline(always)]
    fn run<S: Simd, const T: usize>(self, simd: S) -> Raw {
        let zero = simd.splat_f64s(0.0);
        let p = self.matrix.ncols();
        let shape = self.rule.shape();
        let stride = p + shape.weights + shape.loads;
        let of_weight = tiles(p, T) * T * T;
        let of_loads = shape.loads.div_ceil(T) * p.div_ceil(T) * T * T;
        let mut memory = Aligned::zeros(ROWS * stride);
        let mut sums_memory = Aligned::zeros((shape.weights * of_weight + of_loads) * S::F64_LANES);
        let (panel, _) = S::as_mut_simd_f64s(memory.get_mut());
        let (sums, _) = S::as_mut_simd_f64s(sums_memory.get_mut());
        let mut tally = StackedTally {
            loss: zero,
            product: simd.splat_f64s(1.0),
            largest: zero,
            steepest: zero,
            scalars: vec![zero; shape.scalars],
        };
        let mut eta = vec![zero; GROUP * shape.predictors];
        let mut loss = 0.0;
        let mut buffer = design_buffer(self.matrix);
        let mut codes = vec![0.0; SEGMENT];
        let mut padded = Vec::new();
        let size = GROUP * S::F64_LANES;
        for start in self.rows.clone().step_by(SEGMENT) {
            let range = start..(start + SEGMENT).min(self.rows.end);
            let n = range.len();
            for (out, code) in codes.iter_mut().zip(&self.codes[range.clone()]) {
                *out = f64::from(*code);
            }
            let x = design(self.matrix, range, None, &mut buffer);
            for row in (0..n).step_by(ROWS) {
                let rows = row..(row + ROWS).min(n);
                let whole = rows.len() / size * size;
                let mut vectors = whole / S::F64_LANES;
                for v in (0..vectors).step_by(GROUP) {
                    let at = row + v * S::F64_LANES;
                    self.group(simd, &x, &codes, at, &mut panel[v * stride..], &mut eta, &mut tally);
                }
                let rest = row + whole..rows.end;
                if !rest.is_empty() {
                    // Columns of zeros, and no category.
                    padded.clear();
                    for column in &x {
                        padded.extend_from_slice(&column[rest.clone()]);
                        padded.resize(padded.len().next_multiple_of(size), 0.0);
                    }
                    padded.extend_from_slice(&codes[rest]);
                    padded.resize((p + 1) * size, -1.0);
                    let (columns, code) = padded.split_at(p * size);
                    let columns: Vec<&[f64]> = columns.chunks_exact(size).collect();
                    self.group(simd, &columns, code, 0, &mut panel[vectors * stride..], &mut eta, &mut tally);
                    vectors += GROUP;
                }
                let mut ahead = Ahead::new(&x, row + ROWS);
                let panel = &panel[..vectors * stride];
                let (of_weights, of_loads) = sums.split_at_mut(shape.weights * of_weight);
                for (k, sums) in of_weights.chunks_exact_mut(of_weight.max(1)).enumerate() {
                    let panel = Panel { vectors: panel, stride, weight: p + k };
                    add_products::<S, true, T>(simd, panel, p, sums, &mut ahead);
                }
                let panel = Panel { vectors: panel, stride, weight: p };
                loaded::<S, T>(simd, panel, p, p + shape.weights, of_loads);
                loss += simd.reduce_product_f64s(tally.product).ln();
                tally.product = simd.splat_f64s(1.0);
            }
        }
        let mut all =
            Vec::with_capacity(shape.weights * p * (p + 1) / 2 + shape.loads * p + shape.scalars + 1);
        let (of_weights, of_loads) = sums.split_at(shape.weights * of_weight);
        for sums in of_weights.chunks_exact(of_weight.max(1)) {
            all.extend(super::panel::packed::<S, T>(simd, p, sums));
        }
        let across = p.div_ceil(T);
        for l in 0..shape.loads {
            for j in 0..p {
                let tile = (l / T * across + j / T) * T * T;
                let width = (p - j / T * T).min(T);
                all.push(simd.reduce_sum_f64s(of_loads[tile + l % T * width + j % T]));
            }
        }
        for sum in &tally.scalars {
            all.push(simd.reduce_sum_f64s(*sum));
        }
        all.push(loss + simd.reduce_sum_f64s(tally.loss));
        Raw {
            sums: all,
            largest: simd.reduce_max_f64s(tally.largest),
            steepest: simd.reduce_max_f64s(tally.steepest),
        }
    }

    /// Writes a group of rows, from row `at` on, into the panel.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    fn group<S: Simd>(
        &self,
        simd: S,
        x: &[&[f64]],
        codes: &[f64],
        at: usize,
        panel: &mut [S::f64s],
        eta: &mut [S::f64s],
        tally: &mut StackedTally<S>,
    ) {
        let p = x.len();
        let Shape { predictors, weights, loads, .. } = self.rule.shape();
        let stride = p + weights + loads;
        let rows = at..at + GROUP * S::F64_LANES;
        for (k, b) in self.rule.coefficients().chunks_exact(p).take(predictors).enumerate() {
            let mut sum = [simd.splat_f64s(0.0); GROUP];
            for (b, x) in b.iter().zip(x) {
                let (b, x) = (simd.splat_f64s(*b), super::chunk::vectors::<S>(&x[rows.clone()]));
                for u in 0..GROUP {
                    sum[u] = simd.mul_add_e_f64s(b, x[u], sum[u]);
                }
            }
            for u in 0..GROUP {
                eta[u * predictors + k] = sum[u];
            }
        }
        for (j, x) in x.iter().enumerate() {
            let x = super::chunk::vectors::<S>(&x[rows.clone()]);
            for u in 0..GROUP {
                panel[u * stride + j] = x[u];
            }
        }
        let code = super::chunk::vectors::<S>(&codes[rows]);
        for u in 0..GROUP {
            let eta = &eta[u * predictors..(u + 1) * predictors];
            self.rule.rows(simd, eta, code[u], &mut panel[u * stride + p..(u + 1) * stride], tally);
        }
    }
}

/// Adds `sum l x` for the loads that begin at place `first` of each row of the panel.
#[inline(always)]
fn loaded<S: Simd, const T: usize>(
    simd: S,
    panel: Panel<S::f64s>,
    columns: usize,
    first: usize,
    sums: &mut [S::f64s],
) {
    let mut place = sums.chunks_exact_mut(T * T);
    for l in (first..panel.stride).step_by(T) {
        for j in (0..columns).step_by(T) {
            let Some(sums) = place.next() else { return };
            let width = (columns - j).min(T);
            of_width!((panel.stride - l).min(T), strip::<S, T>(simd, panel, width, [l, j], sums));
        }
    }
}

/// Products of `M` loads with columns as they are.
#[inline(always)]
fn strip<S: Simd, const T: usize, const M: usize>(
    simd: S,
    panel: Panel<S::f64s>,
    width: usize,
    at: [usize; 2],
    sums: &mut [S::f64s],
) {
    let nothing = &mut Ahead::new(&[], 0);
    of_width!(width, rectangle::<S, false, M>(simd, panel, at, sums, nothing));
}
