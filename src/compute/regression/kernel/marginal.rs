//! Means and mean gradients of a logistic model with one category forced to each of its levels.

use super::super::matrix::Override;
use super::chunk::{GROUP, vectors};
use super::lane::Logistic;
use super::source::{Columns, SEGMENT, Segment, Source};
use pulp::{Simd, WithSimd};
use std::ops::Range;

/// A pass over some rows. The result has for each level the sum of the means and, after it, those of the gradients.
pub(super) struct MarginalPass<'c, 's, 'a> {
    pub(super) source: &'c Source<'s, 'a>,
    pub(super) rows: Range<usize>,
    pub(super) coefficients: &'c [f64],
    /// The position of the category among the terms.
    pub(super) term: usize,
    pub(super) levels: u32,
}

impl WithSimd for MarginalPass<'_, '_, '_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f64> {
        let q = self.source.columns() + 1;
        let size = GROUP * S::F64_LANES;
        let mut sums = vec![simd.splat_f64s(0.0); q * self.levels as usize];
        let mut surplus = 0.0;
        let mut segment = Segment::new(self.source);
        let mut padded = Vec::new();
        for start in self.rows.clone().step_by(SEGMENT) {
            let rows = start..(start + SEGMENT).min(self.rows.end);
            for (level, sums) in (0..self.levels).zip(sums.chunks_exact_mut(q)) {
                let forced = Some(Override { term: self.term, level });
                let columns = self.source.segment(rows.clone(), forced, &mut segment);
                let whole = rows.len() / size * size;
                for at in (0..whole).step_by(size) {
                    self.group(simd, &columns, at, sums);
                }
                if whole < rows.len() {
                    // Rows of zeros: they add nothing to the gradients, and one half to the mean.
                    let rest = whole..rows.len();
                    padded.clear();
                    let offset = columns.offset.unwrap_or_default();
                    for x in columns.x.iter().chain(&[columns.y, offset]) {
                        padded.extend_from_slice(x.get(rest.clone()).unwrap_or_default());
                        padded.resize(padded.len().next_multiple_of(size), 0.0);
                    }
                    padded.resize((q + 1) * size, 0.0);
                    let parts: Vec<&[f64]> = padded.chunks_exact(size).collect();
                    let [x @ .., y, offset] = parts.as_slice() else { continue };
                    let padded = Columns { x: x.to_vec(), y, offset: columns.offset.map(|_| *offset) };
                    self.group(simd, &padded, 0, sums);
                    if level == 0 {
                        surplus += 0.5 * (size - rest.len()) as f64;
                    }
                }
            }
        }
        let mut sums: Vec<f64> = sums.iter().map(|sum| simd.reduce_sum_f64s(*sum)).collect();
        for mean in sums.iter_mut().step_by(q) {
            *mean -= surplus;
        }
        sums
    }
}

impl MarginalPass<'_, '_, '_> {
    #[inline(always)]
    fn group<S: Simd>(&self, simd: S, columns: &Columns, at: usize, sums: &mut [S::f64s]) {
        let rows = at..at + GROUP * S::F64_LANES;
        let mut eta = [simd.splat_f64s(0.0); GROUP];
        if let Some(offset) = columns.offset.map(|offset| vectors::<S>(&offset[rows.clone()])) {
            eta = *offset;
        }
        for (b, x) in self.coefficients.iter().zip(&columns.x) {
            let (b, x) = (simd.splat_f64s(*b), vectors::<S>(&x[rows.clone()]));
            for u in 0..GROUP {
                eta[u] = simd.mul_add_e_f64s(b, x[u], eta[u]);
            }
        }
        let mut slope = eta;
        let [mean, gradient @ ..] = sums else { return };
        for u in 0..GROUP {
            let curve = Logistic::new(simd, eta[u]);
            *mean = simd.add_f64s(*mean, curve.mu);
            slope[u] = simd.mul_f64s(curve.root, curve.root);
        }
        for (sum, x) in gradient.iter_mut().zip(&columns.x) {
            let x = vectors::<S>(&x[rows.clone()]);
            let mut total = *sum;
            for u in 0..GROUP {
                total = simd.mul_add_e_f64s(slope[u], x[u], total);
            }
            *sum = total;
        }
    }
}
