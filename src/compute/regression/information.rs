//! The kernel that takes most of the time: `X'WX` of a block of rows.

use crate::compute::linalg::columns_mut;
use ndarray::{Array2, ArrayView2, linalg::general_mat_mul};

/// Adds `X' diag(weights) X` to `information`. `block` holds one column of `X` in each of its rows; `scratch`
/// has as many rows, and at least as many columns.
pub(crate) fn add_cross_product(
    block: ArrayView2<f64>,
    weights: &[f64],
    scratch: &mut Array2<f64>,
    information: &mut Array2<f64>,
) {
    let mut weighted = columns_mut(scratch.view_mut(), 0..block.ncols());
    for (mut out, column) in weighted.rows_mut().into_iter().zip(block.rows()) {
        for ((out, x), w) in out.iter_mut().zip(column).zip(weights) {
            *out = x * w;
        }
    }
    general_mat_mul(1.0, &weighted, &block.t(), 1.0, information);
}
