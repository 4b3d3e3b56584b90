//! The pass of [`super::multinomial_likelihood`] in vectors, for rows without weights.

// Calls that were not expanded would pass vectors through memory, and lose the instruction set.
#![allow(clippy::inline_always)]

use super::likelihood::{Pass, Products};
use super::rows::CategoryRows;
use crate::compute::linalg::columns_mut;
use crate::compute::regression::{Shape, StackedRule, StackedTally, exp_lanes, stacked};
use ndarray::{Array1, Array2, Axis, Slice};
use pulp::Simd;

/// The smallest argument of the exponential: its value and all products of it are normal numbers.
const SMALLEST: f64 = -700.0;

struct Multinomial<'r> {
    /// Coefficients of all categories but the reference.
    coefficients: &'r [f64],
    categories: usize,
    reference: usize,
    products: Products,
}

pub(super) fn pass(rows: &CategoryRows, at: &Array1<f64>, products: Products) -> Pass {
    let rule = Multinomial {
        coefficients: at.as_slice().unwrap_or_default(),
        categories: rows.categories(),
        reference: rows.reference,
        products,
    };
    let sums = stacked(&rows.matrix, rows.codes, &rule);
    let mut pass = Pass::new(at.len());
    pass.log_likelihood = -sums.loss;
    pass.largest = sums.largest;
    pass.score = sums.loads.iter().copied().collect();
    assemble(&mut pass, &sums.products, rows.matrix.ncols(), rows.categories() - 1);
    pass.slack = 1.0;
    pass.finish()
}

/// Puts the blocks of the upper triangle, category by category, into the products of a pass.
pub(super) fn assemble(pass: &mut Pass, blocks: &[Array2<f64>], p: usize, q: usize) {
    let pairs = (0..q).flat_map(|j| (j..q).map(move |m| (j, m)));
    for ((j, m), block) in pairs.zip(blocks) {
        for (left, right, block) in [(j, m, block.view()), (m, j, block.t())] {
            let mut strip = columns_mut(pass.products.view_mut(), right * p..(right + 1) * p);
            strip.slice_axis_inplace(Axis(0), Slice::from(left * p..(left + 1) * p));
            strip.assign(&block);
        }
    }
}

/// The category of a linear predictor.
pub(super) fn category(slot: usize, reference: usize) -> usize {
    slot + usize::from(slot >= reference)
}

impl StackedRule for Multinomial<'_> {
    fn shape(&self) -> Shape {
        let q = self.categories - 1;
        Shape { predictors: q, weights: q * (q + 1) / 2, loads: q, scalars: 0 }
    }

    fn coefficients(&self) -> &[f64] {
        self.coefficients
    }

    #[inline(always)]
    fn rows<S: Simd>(
        &self,
        simd: S,
        eta: &[S::f64s],
        code: S::f64s,
        out: &mut [S::f64s],
        tally: &mut StackedTally<S>,
    ) {
        let (zero, one) = (simd.splat_f64s(0.0), simd.splat_f64s(1.0));
        let smallest = simd.splat_f64s(SMALLEST);
        let mut top = zero;
        let mut size = tally.largest;
        for eta in eta {
            top = simd.max_f64s(top, *eta);
            size = simd.max_f64s(size, simd.abs_f64s(*eta));
        }
        tally.largest = size;
        let (weights, loads) = out.split_at_mut(out.len() - eta.len());
        let mut sum = exp_lanes(simd, simd.max_f64s(simd.neg_f64s(top), smallest));
        let mut observed = zero;
        for (slot, (load, eta)) in loads.iter_mut().zip(eta).enumerate() {
            *load = exp_lanes(simd, simd.max_f64s(simd.sub_f64s(*eta, top), smallest));
            sum = simd.add_f64s(sum, *load);
            let here = simd.equal_f64s(code, simd.splat_f64s(category(slot, self.reference) as f64));
            observed = simd.select_f64s(here, *eta, observed);
        }
        let there = simd.greater_than_or_equal_f64s(code, zero);
        tally.loss = simd.add_f64s(tally.loss, simd.sub_f64s(top, observed));
        tally.product = simd.mul_f64s(tally.product, simd.select_f64s(there, sum, one));
        let inverse = simd.div_f64s(one, sum);
        for load in loads.iter_mut() {
            *load = simd.mul_f64s(*load, inverse);
        }
        if self.products == Products::Information {
            let mut place = weights.iter_mut();
            for (j, left) in loads.iter().enumerate() {
                for (m, right) in loads.iter().enumerate().skip(j) {
                    let Some(weight) = place.next() else { break };
                    let other = if m == j { simd.sub_f64s(one, *left) } else { simd.neg_f64s(*right) };
                    *weight = simd.mul_f64s(*left, other);
                }
            }
        }
        for (slot, load) in loads.iter_mut().enumerate() {
            let here = simd.equal_f64s(code, simd.splat_f64s(category(slot, self.reference) as f64));
            *load = simd.sub_f64s(simd.select_f64s(here, one, zero), *load);
        }
        if self.products == Products::Scores {
            let mut place = weights.iter_mut();
            for (j, left) in loads.iter().enumerate() {
                for right in loads.iter().skip(j) {
                    let Some(weight) = place.next() else { break };
                    *weight = simd.mul_f64s(*left, *right);
                }
            }
        }
    }
}
