//! Factorisations of small matrices. The only file that names nalgebra.

// Array views are passed by value, as slices are.
#![allow(clippy::needless_pass_by_value)]

use crate::error::{Error, ErrorKind, Result, grouped};
use nalgebra::DMatrix;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewMut2, Axis, Slice};
use std::ops::Range;

/// A column is aliased where its part that is orthogonal to the columns before it is shorter than this share
/// of it (R's rule).
pub(crate) const ALIASED: f64 = 1e-7;

/// `A = S L L' S` of a symmetric positive definite matrix, `S` diagonal: the columns are equilibrated first,
/// so that covariates on wildly different scales lose no digits.
#[derive(Debug, Clone)]
pub struct Cholesky {
    /// `L`, lower triangular.
    lower: Array2<f64>,
    /// The diagonal of `S`.
    scale: Array1<f64>,
    /// The smallest squared pivot: for `A = X'X` the smallest share of a column's squared length that is
    /// orthogonal to the columns before it.
    pub(crate) smallest_pivot: f64,
}

impl Cholesky {
    /// `None` where the matrix is not (numerically) positive definite, or not finite.
    pub fn new(a: ArrayView2<f64>) -> Option<Self> {
        let p = a.nrows();
        let scale = a.diag().mapv(f64::sqrt);
        if !scale.iter().all(|s| s.is_finite() && *s > 0.0) {
            return None;
        }
        let mut lower = Array2::zeros((p, p));
        let mut smallest_pivot = 1.0_f64;
        for j in 0..p {
            for i in j..p {
                let done = part(lower.row(i), 0..j).dot(&part(lower.row(j), 0..j));
                let rest = a[[i, j]] / scale[i] / scale[j] - done;
                if i > j {
                    lower[[i, j]] = rest / lower[[j, j]];
                    continue;
                }
                if rest.is_nan() || rest <= 0.0 {
                    return None;
                }
                smallest_pivot = smallest_pivot.min(rest);
                lower[[j, j]] = rest.sqrt();
            }
        }
        Some(Self { lower, scale, smallest_pivot })
    }

    /// The factor of `A = R'R`, from an upper triangular `R` such as [`upper_factor`] gives.
    pub fn from_upper(r: ArrayView2<f64>) -> Option<Self> {
        let p = r.ncols();
        let scale: Array1<f64> = (0..p).map(|j| norm(r.column(j))).collect();
        let mut lower = Array2::zeros((p, p));
        let mut smallest_pivot = 1.0_f64;
        for j in 0..p {
            let sign = r[[j, j]].signum();
            if !(r[[j, j]].abs() > 0.0 && scale[j].is_finite()) {
                return None;
            }
            for i in j..p {
                lower[[i, j]] = sign * r[[j, i]] / scale[i];
            }
            smallest_pivot = smallest_pivot.min(lower[[j, j]] * lower[[j, j]]);
        }
        Some(Self { lower, scale, smallest_pivot })
    }

    /// `A^-1 b`.
    pub fn solve(&self, b: ArrayView1<f64>) -> Array1<f64> {
        let p = b.len();
        let mut x = &b / &self.scale;
        for i in 0..p {
            let done = part(self.lower.row(i), 0..i).dot(&part(x.view(), 0..i));
            x[i] = (x[i] - done) / self.lower[[i, i]];
        }
        for i in (0..p).rev() {
            let done = part(self.lower.column(i), i + 1..p).dot(&part(x.view(), i + 1..p));
            x[i] = (x[i] - done) / self.lower[[i, i]];
        }
        x / &self.scale
    }

    /// `T = L^-1 S^-1`, so that `A^-1 = T'T` and `x'A^-1 x = |T x|^2`.
    pub(crate) fn whitener(&self) -> Array2<f64> {
        let p = self.scale.len();
        let mut t = Array2::<f64>::zeros((p, p));
        for j in 0..p {
            t[[j, j]] = 1.0 / self.lower[[j, j]];
            for i in j + 1..p {
                let done = part(self.lower.row(i), j..i).dot(&part(t.column(j), j..i));
                t[[i, j]] = -done / self.lower[[i, i]];
            }
        }
        t / &self.scale
    }

    /// `A^-1`, exactly symmetric.
    pub fn inverse(&self) -> Array2<f64> {
        let t = self.whitener();
        symmetrised(t.t().dot(&t))
    }

    /// `ln |A|`.
    /// `S L x`: of independent standard normal numbers a draw with the covariance `A`.
    pub(crate) fn times(&self, x: &[f64]) -> Array1<f64> {
        let row = |i: usize| (0..=i).map(|k| self.lower[[i, k]] * x[k]).sum::<f64>() * self.scale[i];
        (0..self.scale.len()).map(row).collect()
    }

    pub(crate) fn ln_determinant(&self) -> f64 {
        2.0 * (self.lower.diag().iter().zip(&self.scale).map(|(l, s)| l.ln() + s.ln()).sum::<f64>())
    }
}

/// Some elements of a vector. (ndarray's slicing macro is not compatible with `forbid(unsafe_code)`.)
pub(crate) fn part(mut v: ArrayView1<f64>, range: Range<usize>) -> ArrayView1<f64> {
    v.slice_axis_inplace(Axis(0), Slice::from(range));
    v
}

/// Some columns of a matrix, to be written.
pub(crate) fn columns_mut(mut a: ArrayViewMut2<f64>, range: Range<usize>) -> ArrayViewMut2<f64> {
    a.slice_axis_inplace(Axis(1), Slice::from(range));
    a
}

/// The Euclidean length, without overflow.
pub(crate) fn norm(v: ArrayView1<f64>) -> f64 {
    let largest = v.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    largest * v.iter().map(|x| (x / largest).powi(2)).sum::<f64>().sqrt()
}

/// `(A + A') / 2`.
pub(crate) fn symmetrised(mut a: Array2<f64>) -> Array2<f64> {
    for i in 0..a.nrows() {
        for j in 0..i {
            let mean = 0.5 * (a[[i, j]] + a[[j, i]]);
            a[[i, j]] = mean;
            a[[j, i]] = mean;
        }
    }
    a
}

/// `A = V diag(values) V'` of a symmetric matrix.
#[derive(Debug, Clone)]
pub(crate) struct SymmetricEigen {
    pub(crate) values: Array1<f64>,
    /// One eigenvector per column.
    pub(crate) vectors: Array2<f64>,
}

impl SymmetricEigen {
    pub(crate) fn new(a: ArrayView2<f64>) -> Self {
        let n = a.nrows();
        let eigen = DMatrix::from_fn(n, n, |i, j| a[[i, j]]).symmetric_eigen();
        Self {
            values: eigen.eigenvalues.iter().copied().collect(),
            vectors: Array2::from_shape_fn((n, n), |(i, j)| eigen.eigenvectors[(i, j)]),
        }
    }

    /// `V diag(f(values)) V'`.
    pub(crate) fn map(&self, f: impl Fn(f64) -> f64) -> Array2<f64> {
        let scaled = &self.vectors * &self.values.mapv(f);
        symmetrised(scaled.dot(&self.vectors.t()))
    }

    /// The symmetric inverse square root; directions with an eigenvalue of (numerically) zero are left out
    /// (Moore-Penrose).
    pub(crate) fn inverse_root(&self) -> Array2<f64> {
        let largest = self.values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        self.map(|v| if v > largest * 1e-10 { 1.0 / v.sqrt() } else { 0.0 })
    }
}

/// The upper triangular `R` of a QR factorisation, merged from row blocks: a stable summary of a matrix of
/// any length.
#[derive(Debug, Clone)]
pub struct UpperFactor {
    r: Array2<f64>,
}

impl UpperFactor {
    /// The factor of no rows.
    pub fn new(columns: usize) -> Self {
        Self { r: Array2::zeros((0, columns)) }
    }

    /// Adds rows. `block` holds one column of the matrix in each of its rows.
    pub fn push(&mut self, block: ArrayView2<f64>) {
        let (p, top) = (block.nrows(), self.r.nrows());
        let stacked = DMatrix::from_fn(top + block.ncols(), p, |i, j| {
            if i < top { self.r[[i, j]] } else { block[[j, i - top]] }
        });
        let r = stacked.qr().unpack_r();
        self.r = Array2::from_shape_fn((r.nrows(), p), |(i, j)| r[(i, j)]);
    }

    /// The factor, with one row for each column (rows of zeros where there were fewer rows than columns).
    pub fn finish(self) -> Array2<f64> {
        let p = self.r.ncols();
        let mut full = Array2::zeros((p, p));
        let rows = self.r.nrows().min(p);
        full.slice_axis_mut(Axis(0), Slice::from(..rows))
            .assign(&self.r.slice_axis(Axis(0), Slice::from(..rows)));
        full
    }
}

/// Least squares on a few columns of length 1, by QR: nearly parallel columns cost half the digits that a
/// cross-product would.
#[derive(Debug, Clone)]
pub(crate) struct LeastSquares {
    q: DMatrix<f64>,
    r: DMatrix<f64>,
}

impl LeastSquares {
    /// `None` where the columns are linearly dependent up to rounding.
    pub(crate) fn new(columns: &[ArrayView1<f64>]) -> Option<Self> {
        const DEPENDENT: f64 = 1e-13;
        let rows = columns.first()?.len();
        if columns.len() > rows {
            return None;
        }
        let (q, r) = DMatrix::from_fn(rows, columns.len(), |i, j| columns[j][i]).qr().unpack();
        r.diagonal().iter().all(|pivot| pivot.abs() > DEPENDENT).then_some(Self { q, r })
    }

    /// The coefficients of the columns whose sum is nearest to `target`.
    pub(crate) fn solve(&self, target: ArrayView1<f64>) -> Option<Array1<f64>> {
        let target = DMatrix::from_fn(target.len(), 1, |i, _| target[i]);
        let solved = self.r.solve_upper_triangular(&self.q.tr_mul(&target))?;
        Some(solved.column(0).iter().copied().collect())
    }
}

/// The columns that are linear combinations of the columns before them, by R's rule (`ALIASED`).
pub fn aliased_columns(matrix: ArrayView2<f64>) -> Vec<usize> {
    let mut basis: Vec<Array1<f64>> = Vec::new();
    let mut aliased = Vec::new();
    for j in 0..matrix.ncols() {
        let column = matrix.column(j);
        let length = norm(column);
        if length == 0.0 {
            aliased.push(j);
            continue;
        }
        let mut rest = &column / length;
        // Twice is enough (Kahan; Giraud et al. 2005): the second sweep removes what rounding left in.
        for _ in 0..2 {
            for q in &basis {
                let share = q.dot(&rest);
                rest.scaled_add(-share, q);
            }
        }
        let left = norm(rest.view());
        if left < ALIASED {
            aliased.push(j);
        } else {
            basis.push(rest / left);
        }
    }
    aliased
}

/// An orthonormal basis (in columns) of the vectors `b` with `M b = 0`; the columns of `M` should have like
/// lengths.
pub fn null_space(m: ArrayView2<f64>) -> Array2<f64> {
    let p = m.ncols();
    let rows = m.nrows().max(p);
    // nalgebra's thin SVD gives min(rows, p) right vectors: padded with zero rows it gives all p.
    let padded = DMatrix::from_fn(rows, p, |i, j| if i < m.nrows() { m[[i, j]] } else { 0.0 });
    let svd = padded.svd(false, true);
    let largest = svd.singular_values.iter().fold(0.0_f64, |a, b| a.max(*b));
    let Some(v_t) = svd.v_t else { return Array2::zeros((p, 0)) };
    let empty: Vec<usize> = (0..p).filter(|&k| svd.singular_values[k] <= largest * 1e-9).collect();
    Array2::from_shape_fn((p, empty.len()), |(i, k)| v_t[(empty[k], i)])
}

/// The principal submatrix of the given rows and columns.
pub(crate) fn submatrix(a: ArrayView2<f64>, keep: &[usize]) -> Array2<f64> {
    a.select(Axis(0), keep).select(Axis(1), keep)
}

/// Refuses, before it is allocated, a covariance of more numbers than fit: of `count` times `count`.
///
/// # Errors
/// `invalid_input` with more than `most`.
pub(crate) fn held_jointly(count: usize, most: usize, what: &str) -> Result<()> {
    if count <= most {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{} {what} are too many for one joint covariance, which holds the square of their number; take at most {} at a time, \
         and check that the column is not an identifier",
        grouped(count),
        grouped(most)
    )))
}

/// A covariance without infinite numbers, and without what is not a number.
///
/// # Errors
/// `not_estimable` where there is one.
pub(crate) fn finite(covariance: Array2<f64>) -> Result<Array2<f64>> {
    if covariance.iter().all(|value| value.is_finite()) {
        return Ok(covariance);
    }
    Err(Error::from(ErrorKind::NotEstimable(
        "a variance is not finite: a fitted mean is on the edge of its range (an arm without events and the identity \
         link), or values leave the range of floating-point numbers; take another link or another unit, or leave the \
         arm out"
            .to_owned(),
    )))
}
