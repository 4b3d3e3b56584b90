//! Gauss-Hermite quadrature.

use crate::compute::linalg::SymmetricEigen;
use crate::error::{Error, Result};
use ndarray::Array2;

/// A point of the rule for `integral exp(-z^2) g(z) dz`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Node {
    /// Its place.
    pub z: f64,
    /// `ln(w exp(z^2))`: adaptive quadrature multiplies the weight by it, which would overflow by itself.
    pub ln_weight: f64,
}

/// More points than any integral of this kind needs.
pub(super) const MOST_POINTS: usize = 100;

/// The rule of `points` points, ascending.
///
/// The points are the eigenvalues of the Jacobi matrix (Golub & Welsch 1969, Mathematics of Computation 23),
/// polished by Newton's method on the orthonormal Hermite functions `psi`; the weight of a point is
/// `exp(-z^2) / (n psi_(n-1)(z)^2)`.
///
/// # Errors
/// `invalid_input` for no points, or more than are of use.
pub fn gauss_hermite(points: usize) -> Result<Vec<Node>> {
    if points == 0 || points > MOST_POINTS {
        return Err(Error::invalid(format!(
            "{points} quadrature points were asked for; give 1 (Laplace) to {MOST_POINTS}, 7 to 25 are usual"
        )));
    }
    let jacobi = Array2::from_shape_fn((points, points), |(i, j)| {
        if i.abs_diff(j) == 1 { (0.5 * i.max(j) as f64).sqrt() } else { 0.0 }
    });
    let mut roots = SymmetricEigen::new(jacobi.view()).values.to_vec();
    roots.sort_by(f64::total_cmp);
    let order = points as f64;
    Ok(roots
        .into_iter()
        .map(|start| {
            let mut z = start;
            for _ in 0..3 {
                let (last, before) = hermite_functions(points, z);
                // psi_n' = sqrt(2 n) psi_(n-1) - z psi_n.
                z -= last / ((2.0 * order).sqrt() * before - z * last);
            }
            let (_, before) = hermite_functions(points, z);
            Node { z, ln_weight: -(order * before * before).ln() }
        })
        .collect())
}

/// `psi_n(z)` and `psi_(n-1)(z)`, orthonormal on the real line.
fn hermite_functions(n: usize, z: f64) -> (f64, f64) {
    let (mut before, mut last) = (0.0, std::f64::consts::PI.powf(-0.25) * (-0.5 * z * z).exp());
    for k in 0..n {
        let k = k as f64;
        let next = (2.0 / (k + 1.0)).sqrt() * z * last - (k / (k + 1.0)).sqrt() * before;
        (before, last) = (last, next);
    }
    (last, before)
}
