//! Regressions of counts with drawn parameters.

use super::categories::spread_rows;
use super::draws::{chi_squared, poisson};
use super::linear::{around, too_few};
use crate::compute::linalg::Cholesky;
use crate::error::{ErrorKind, Result};
use ndarray::{Array1, Array2, ArrayView1, Axis};
use rand_chacha::ChaCha8Rng;

/// The largest logarithm of a mean.
const LARGEST: f64 = 20.0;

/// Counts of the missing rows from a log-linear regression: Poisson, or negative binomial where counts spread
/// more. Weak observations with the mean count keep coefficients finite where a column has only zeros.
pub(super) fn counts(
    x: &Array2<f64>,
    y: ArrayView1<f64>,
    missing: &Array2<f64>,
    numbers: &mut ChaCha8Rng,
) -> Result<Vec<f64>> {
    let (n, p) = x.dim();
    if n <= p {
        return Err(too_few(n, p));
    }
    let mean = y.sum() / n as f64;
    if mean == 0.0 {
        return Ok(vec![0.0; missing.nrows()]);
    }
    let added = spread_rows(x);
    let weak = p as f64 / added.len() as f64;
    let rows: Vec<(ArrayView1<f64>, f64, f64)> = x
        .rows()
        .into_iter()
        .zip(y)
        .map(|(row, y)| (row, *y, 1.0))
        .chain(added.iter().map(|row| (row.view(), mean, weak)))
        .collect();
    let sums = |beta: &Array1<f64>| {
        let mut value = 0.0;
        let mut gradient = Array1::<f64>::zeros(p);
        let mut information = Array2::<f64>::zeros((p, p));
        for (row, y, w) in &rows {
            let eta = row.dot(beta).min(LARGEST + 10.0);
            let mu = eta.exp();
            value += w * (y * eta - mu);
            gradient.scaled_add(w * (y - mu), row);
            for a in 0..p {
                for b in 0..p {
                    information[[a, b]] += w * mu * row[a] * row[b];
                }
            }
        }
        (value, gradient, information)
    };
    let stuck = || {
        let why = "the imputation model of a count was not found; leave out auxiliary variables".to_owned();
        ErrorKind::NotConverged(why)
    };
    let mut beta = Array1::zeros(p);
    beta[0] = mean.ln();
    let (mut value, mut gradient, mut information) = sums(&beta);
    for _ in 0..100 {
        let step = Cholesky::new(information.view()).ok_or_else(stuck)?.solve(gradient.view());
        if gradient.dot(&step) < 1e-10 {
            break;
        }
        let mut share = 1.0;
        while share > 1e-8 {
            let tried = &beta + &(&step * share);
            let next = sums(&tried);
            if next.0 >= value - 1e-12 * value.abs() {
                beta = tried;
                (value, gradient, information) = next;
                break;
            }
            share *= 0.5;
        }
        if share <= 1e-8 {
            break;
        }
    }
    let fitted: Vec<f64> = x.rows().into_iter().map(|row| row.dot(&beta).min(LARGEST).exp()).collect();
    let pairs = || y.iter().zip(&fitted);
    let pearson: f64 = pairs().map(|(y, mu)| (y - mu).powi(2) / mu.max(1e-12)).sum::<f64>() / (n - p) as f64;
    let square: f64 = fitted.iter().map(|mu| mu * mu).sum();
    let extra = (pairs().map(|(y, mu)| (y - mu).powi(2) - mu).sum::<f64>() / square).max(0.0);
    let drawn = around(&beta, &information, pearson.max(1.0), numbers).unwrap_or(beta);
    missing
        .axis_iter(Axis(0))
        .map(|row| {
            let mu = row.dot(&drawn).min(LARGEST).exp();
            // A gamma mean of variance extra mu^2.
            let mu = if extra > 1e-6 { mu * extra * 0.5 * chi_squared(numbers, 2.0 / extra)? } else { mu };
            Ok(poisson(numbers, mu))
        })
        .collect()
}
