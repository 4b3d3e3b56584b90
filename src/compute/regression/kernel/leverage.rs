//! Leverages of rows in vectors.

use super::chunk::{GROUP, vectors};
use ndarray::ArrayView2;
use pulp::Simd;
use std::ops::Range;

/// A lower triangular `W` by pairs of its rows, the elements of a pair next to each other and zeros left out:
/// as [`squared_lengths`] reads it.
pub(super) fn in_pairs(whitener: ArrayView2<f64>) -> Vec<f64> {
    let p = whitener.nrows();
    let mut packed = Vec::with_capacity((p + 2) * (p + 2) / 2);
    for k in (0..p).step_by(2) {
        for j in 0..(k + 2).min(p) {
            packed.push(whitener[[k, j]]);
            packed.push(if k + 1 < p { whitener[[k + 1, j]] } else { 0.0 });
        }
    }
    packed
}

/// `|W x|^2` of a group of rows.
#[inline(always)]
pub(super) fn squared_lengths<S: Simd>(
    simd: S,
    whitener: &[f64],
    columns: &[&[f64]],
    rows: Range<usize>,
) -> [S::f64s; GROUP] {
    let p = columns.len();
    let mut sums = [simd.splat_f64s(0.0); GROUP];
    let mut rest = whitener;
    for k in (0..p).step_by(2) {
        let used = (k + 2).min(p);
        let (pair, others) = rest.split_at(2 * used);
        rest = others;
        let (mut first, mut second) = ([simd.splat_f64s(0.0); GROUP], [simd.splat_f64s(0.0); GROUP]);
        for (w, x) in pair.chunks_exact(2).zip(columns) {
            let (a, b) = (simd.splat_f64s(w[0]), simd.splat_f64s(w[1]));
            let x = vectors::<S>(&x[rows.clone()]);
            for u in 0..GROUP {
                first[u] = simd.mul_add_e_f64s(a, x[u], first[u]);
                second[u] = simd.mul_add_e_f64s(b, x[u], second[u]);
            }
        }
        for u in 0..GROUP {
            sums[u] = simd.mul_add_e_f64s(first[u], first[u], sums[u]);
            sums[u] = simd.mul_add_e_f64s(second[u], second[u], sums[u]);
        }
    }
    sums
}
