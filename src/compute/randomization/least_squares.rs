//! Least squares on groups that change and covariates that do not: the covariates are swept out once.

use super::problem::Parts;
use crate::error::{Error, ErrorKind, Result};

/// A column whose part outside the span of those before it is below this share of its length is aliased.
const ALIASED: f64 = 1e-9;

/// An orthonormal basis `Q` of intercept and covariates, and what it leaves of every outcome.
#[derive(Debug, Clone)]
pub(crate) struct LeastSquares {
    pub(crate) basis: Vec<Vec<f64>>,
    pub(crate) residuals: Vec<Vec<f64>>,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// What a basis leaves of a column, swept twice for orthogonality to the last digits.
fn swept(column: &[f64], basis: &[Vec<f64>]) -> Vec<f64> {
    let mut left = column.to_vec();
    for _ in 0..2 {
        for direction in basis {
            let share = dot(&left, direction);
            left.iter_mut().zip(direction).for_each(|(left, direction)| *left -= share * direction);
        }
    }
    left
}

impl LeastSquares {
    pub(crate) fn new(outcomes: &[Vec<f64>], covariates: &[Vec<f64>]) -> Result<Self> {
        if outcomes.iter().flatten().any(|value| value.is_nan()) {
            return Err(Error::invalid(
                "an outcome is missing, which least squares has to leave out; leave the row out of all columns",
            ));
        }
        let n = outcomes.first().map_or(0, Vec::len);
        let mut basis = vec![vec![1.0 / (n as f64).sqrt(); n]];
        for (place, column) in covariates.iter().enumerate() {
            let mean = column.iter().sum::<f64>() / n as f64;
            let length = column.iter().map(|value| (value - mean).powi(2)).sum::<f64>().sqrt();
            let left = swept(column, &basis);
            let norm = dot(&left, &left).sqrt();
            if !(norm > ALIASED * length && norm > ALIASED * mean.abs() * (n as f64).sqrt()) {
                let columns = vec![format!("covariate {}", place + 1)];
                return Err(ErrorKind::RankDeficient { columns }.into());
            }
            basis.push(left.iter().map(|value| value / norm).collect());
        }
        let residuals = outcomes.iter().map(|outcome| swept(outcome, &basis)).collect();
        Ok(Self { basis, residuals })
    }

    /// The coefficients of the groups `others`, with HC2 variances where the group of every row is given.
    /// `products` are the sums of the basis over a group, `sums` those of the residual outcome.
    pub(super) fn coefficients<'a>(
        &self,
        outcome: usize,
        others: &[u32],
        n: impl Fn(u32) -> f64,
        products: impl Fn(u32) -> &'a [f64],
        sums: &[f64],
        robust: Option<&[u32]>,
    ) -> Vec<Parts> {
        let k = others.len();
        // The products of the indicators outside the span of the basis.
        let mut a = vec![0.0; k * k];
        for (i, &one) in others.iter().enumerate() {
            for (j, &other) in others.iter().enumerate() {
                let own = if i == j { n(one) } else { 0.0 };
                a[i * k + j] = own - dot(products(one), products(other));
            }
        }
        let Some(inverse) = inverse(&a, k, |i| n(others[i])) else { return vec![Parts::UNANSWERED; k] };
        let times = |v: &[f64]| (0..k).map(|i| dot(&inverse[i * k..(i + 1) * k], v)).collect::<Vec<f64>>();
        let coefficients = times(sums);
        let residual = &self.residuals[outcome];
        let length = dot(residual, residual);
        let rounding = 1e-12 * (length / residual.len() as f64).sqrt();
        let part = |value: f64, variance| Parts { value, variance, rounding };
        let Some(group) = robust else {
            return coefficients.into_iter().map(|value| part(value, None)).collect();
        };
        let mut variances = vec![0.0; k];
        let mut outside = vec![0.0; k];
        for (row, &own) in group.iter().enumerate() {
            for (outside, &other) in outside.iter_mut().zip(others) {
                let inside: f64 = self.basis.iter().zip(products(other)).map(|(q, sum)| q[row] * sum).sum();
                *outside = f64::from(u8::from(own == other)) - inside;
            }
            let influence = times(&outside);
            let leverage: f64 =
                self.basis.iter().map(|q| q[row] * q[row]).sum::<f64>() + dot(&influence, &outside);
            let error = residual[row] - dot(&outside, &coefficients);
            if 1.0 - leverage < 1e-9 {
                return vec![Parts::UNANSWERED; k];
            }
            let weight = error * error / (1.0 - leverage);
            variances.iter_mut().zip(&influence).for_each(|(sum, one)| *sum += one * one * weight);
        }
        let rounded = |(i, variance): (usize, f64)| {
            let least = 1e-13 * length * inverse[i * k + i] / residual.len() as f64;
            part(coefficients[i], Some(if variance <= least { 0.0 } else { variance }))
        };
        variances.into_iter().enumerate().map(rounded).collect()
    }
}

/// The inverse of a small symmetric matrix by elimination; none where a pivot is rounding of `size`.
fn inverse(a: &[f64], k: usize, size: impl Fn(usize) -> f64) -> Option<Vec<f64>> {
    let (mut a, mut out) = (a.to_vec(), vec![0.0; k * k]);
    (0..k).for_each(|i| out[i * k + i] = 1.0);
    for pivot in 0..k {
        let value = a[pivot * k + pivot];
        if value.is_nan() || value <= 1e-10 * size(pivot) {
            return None;
        }
        for j in 0..k {
            a[pivot * k + j] /= value;
            out[pivot * k + j] /= value;
        }
        for i in (0..k).filter(|&i| i != pivot) {
            let factor = a[i * k + pivot];
            for j in 0..k {
                a[i * k + j] -= factor * a[pivot * k + j];
                out[i * k + j] -= factor * out[pivot * k + j];
            }
        }
    }
    Some(out)
}
