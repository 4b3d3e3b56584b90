//! Small dense symmetric matrices (arms of a trial, coefficients of a model), row by row in one vector.

/// A square matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Square {
    pub(crate) n: usize,
    pub(crate) cells: Vec<f64>,
}

impl std::ops::Index<(usize, usize)> for Square {
    type Output = f64;

    fn index(&self, (row, column): (usize, usize)) -> &f64 {
        &self.cells[row * self.n + column]
    }
}

impl std::ops::IndexMut<(usize, usize)> for Square {
    fn index_mut(&mut self, (row, column): (usize, usize)) -> &mut f64 {
        &mut self.cells[row * self.n + column]
    }
}

impl Square {
    pub(crate) fn zeros(n: usize) -> Self {
        Self { n, cells: vec![0.0; n * n] }
    }

    /// The matrix of the values of a function of row and column.
    pub fn from_fn(n: usize, f: impl Fn(usize, usize) -> f64) -> Self {
        let mut matrix = Self::zeros(n);
        for i in 0..n {
            for j in 0..n {
                matrix[(i, j)] = f(i, j);
            }
        }
        matrix
    }

    /// The lower triangle L with LL' = self, or `None` where self is not positive definite to working
    /// precision.
    pub fn cholesky(&self) -> Option<Cholesky> {
        let n = self.n;
        let mut l = Self::zeros(n);
        for i in 0..n {
            for j in 0..=i {
                let sum = self[(i, j)] - (0..j).map(|c| l[(i, c)] * l[(j, c)]).sum::<f64>();
                if i == j {
                    if sum.is_nan() || sum <= self[(i, i)] * 1e-14 {
                        return None;
                    }
                    l[(i, i)] = sum.sqrt();
                } else {
                    l[(i, j)] = sum / l[(j, j)];
                }
            }
        }
        Some(Cholesky(l))
    }

    /// The product of the two matrices.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        Self::from_fn(self.n, |i, j| (0..self.n).map(|c| self[(i, c)] * other[(c, j)]).sum())
    }

    pub(crate) fn trace_of_product(&self, other: &Self) -> f64 {
        (0..self.n).map(|i| (0..self.n).map(|j| self[(i, j)] * other[(j, i)]).sum::<f64>()).sum()
    }

    /// Eigenvalues, and eigenvectors in the columns, of a symmetric matrix (Jacobi's rotations).
    pub fn eigen(mut self) -> (Vec<f64>, Self) {
        let n = self.n;
        let mut vectors = Self::from_fn(n, |i, j| if i == j { 1.0 } else { 0.0 });
        for _ in 0..60 {
            let mut rotated = false;
            for p in 0..n {
                for q in p + 1..n {
                    let off = self[(p, q)];
                    if off.abs() <= 1e-17 * (self[(p, p)] * self[(q, q)]).abs().sqrt() || off == 0.0 {
                        continue;
                    }
                    rotated = true;
                    let theta = (self[(q, q)] - self[(p, p)]) / (2.0 * off);
                    let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
                    let c = 1.0 / t.hypot(1.0);
                    let s = t * c;
                    for i in 0..n {
                        let (a, b) = (self[(i, p)], self[(i, q)]);
                        (self[(i, p)], self[(i, q)]) = (c * a - s * b, s * a + c * b);
                    }
                    for i in 0..n {
                        let (a, b) = (self[(p, i)], self[(q, i)]);
                        (self[(p, i)], self[(q, i)]) = (c * a - s * b, s * a + c * b);
                        let (a, b) = (vectors[(i, p)], vectors[(i, q)]);
                        (vectors[(i, p)], vectors[(i, q)]) = (c * a - s * b, s * a + c * b);
                    }
                }
            }
            if !rotated {
                break;
            }
        }
        ((0..n).map(|i| self[(i, i)]).collect(), vectors)
    }
}

/// The lower Cholesky factor.
#[derive(Debug, Clone, PartialEq)]
pub struct Cholesky(pub(crate) Square);

impl Cholesky {
    /// L x = b, in place.
    pub(crate) fn forward(&self, b: &mut [f64]) {
        for i in 0..self.0.n {
            let sum: f64 = (0..i).map(|j| self.0[(i, j)] * b[j]).sum();
            b[i] = (b[i] - sum) / self.0[(i, i)];
        }
    }

    /// L' x = b, in place.
    pub(crate) fn backward(&self, b: &mut [f64]) {
        for i in (0..self.0.n).rev() {
            let sum: f64 = (i + 1..self.0.n).map(|j| self.0[(j, i)] * b[j]).sum();
            b[i] = (b[i] - sum) / self.0[(i, i)];
        }
    }

    pub(crate) fn solve(&self, b: &mut [f64]) {
        self.forward(b);
        self.backward(b);
    }

    pub(crate) fn log_determinant(&self) -> f64 {
        (0..self.0.n).map(|i| 2.0 * self.0[(i, i)].ln()).sum()
    }

    /// The inverse of the matrix, exactly symmetric.
    pub fn inverse(&self) -> Square {
        let n = self.0.n;
        let mut inverse = Square::zeros(n);
        let mut column = vec![0.0; n];
        for j in 0..n {
            column.fill(0.0);
            column[j] = 1.0;
            self.solve(&mut column);
            for i in 0..n {
                inverse[(i, j)] = column[i];
            }
        }
        Square::from_fn(n, |i, j| 0.5 * (inverse[(i, j)] + inverse[(j, i)]))
    }
}
