//! Normal regressions with drawn parameters, and donors.

use super::draws::{chi_squared, normal, normal_between, place};
use crate::compute::interval::Interval;
use crate::compute::linalg::{Cholesky, submatrix};
use crate::error::{ErrorKind, Result, counted};
use ndarray::{Array1, Array2, ArrayView1, Axis};
use rand_chacha::ChaCha8Rng;

/// The number of donors nearest in their predicted mean, of which one is taken.
const DONORS: usize = 5;

/// The columns that do not follow from those before them, by the cross-products.
pub(super) fn independent(xx: &Array2<f64>) -> Vec<usize> {
    /// The least share of a squared column that is its own.
    const OWN: f64 = 1e-9;
    let mut kept: Vec<usize> = Vec::new();
    let mut lower: Vec<Vec<f64>> = Vec::new();
    for j in 0..xx.nrows() {
        let size = xx[[j, j]];
        if size <= 0.0 {
            continue;
        }
        let mut row = Vec::with_capacity(kept.len() + 1);
        for (place, &other) in kept.iter().enumerate() {
            let done: f64 = row.iter().zip(&lower[place]).map(|(a, b): (&f64, &f64)| a * b).sum();
            row.push((xx[[j, other]] - done) / lower[place][place]);
        }
        let rest = size - row.iter().map(|a| a * a).sum::<f64>();
        if rest > OWN * size {
            row.push(rest.sqrt());
            lower.push(row);
            kept.push(j);
        }
    }
    kept
}

/// The error of a regression with too few people.
pub(super) fn too_few(people: usize, coefficients: usize) -> crate::Error {
    let why = format!(
        "{} observed for {} of the imputation model; leave out auxiliary variables, or impute with fewer levels",
        counted(people, "person"),
        counted(coefficients, "coefficient")
    );
    ErrorKind::InsufficientObservations(why).into()
}

/// A normal regression: the estimates, a draw from their posterior distribution and of the residual spread.
pub(super) struct Drawn {
    pub estimate: Array1<f64>,
    pub drawn: Array1<f64>,
    pub sigma: f64,
    /// Whether nothing is left to chance.
    pub determined: bool,
}

/// The regression of `y` on independent columns with a flat prior: `s^2 = RSS / chi^2`, `b = b_hat + s L' z`.
pub(super) fn regression(x: &Array2<f64>, y: ArrayView1<f64>, numbers: &mut ChaCha8Rng) -> Result<Drawn> {
    let (n, p) = x.dim();
    if n <= p {
        return Err(too_few(n, p));
    }
    let factor = Cholesky::new(x.t().dot(x).view()).ok_or_else(|| too_few(n, p))?;
    let estimate = factor.solve(x.t().dot(&y).view());
    let rest = &y - &x.dot(&estimate);
    let mean = y.sum() / n as f64;
    let (squares, total) = (rest.dot(&rest), y.iter().map(|y| (y - mean).powi(2)).sum::<f64>());
    let determined = squares <= 1e-18 * (total + mean * mean);
    let sigma = if determined { 0.0 } else { (squares / chi_squared(numbers, (n - p) as f64)?).sqrt() };
    let z: Array1<f64> = (0..p).map(|_| normal(numbers)).collect();
    let drawn = &estimate + &(factor.whitener().t().dot(&z) * sigma);
    Ok(Drawn { estimate, drawn, sigma, determined })
}

/// Normal values for the missing rows, within a range where one is given.
pub(super) fn normal_values(
    fit: &Drawn,
    x: &Array2<f64>,
    range: Option<Interval>,
    numbers: &mut ChaCha8Rng,
) -> Vec<f64> {
    x.dot(&fit.drawn)
        .iter()
        .map(|mean| match range {
            Some(range) if fit.sigma > 0.0 => {
                let limits = [range.lower(), range.upper()].map(|limit| (limit - mean) / fit.sigma);
                let value = mean + fit.sigma * normal_between(numbers, limits[0], limits[1]);
                value.clamp(range.lower(), range.upper())
            }
            Some(range) => mean.clamp(range.lower(), range.upper()),
            None => mean + fit.sigma * normal(numbers),
        })
        .collect()
}

/// For each missing row a value of one of the observed people whose predicted mean is nearest to its own,
/// that of the observed by the estimates and that of the missing by the draw.
pub(super) fn matched(
    fit: &Drawn,
    (x, y): (&Array2<f64>, ArrayView1<f64>),
    missing: &Array2<f64>,
    numbers: &mut ChaCha8Rng,
) -> Vec<f64> {
    let predicted = x.dot(&fit.estimate);
    let mut order: Vec<usize> = (0..y.len()).collect();
    // Ties are broken at random: a sort keeps the order of equals.
    for last in (1..order.len()).rev() {
        order.swap(last, place(numbers, last + 1));
    }
    order.sort_by(|a, b| predicted[*a].total_cmp(&predicted[*b]));
    let sorted: Vec<f64> = order.iter().map(|&i| predicted[i]).collect();
    let donors = DONORS.min(order.len());
    missing
        .dot(&fit.drawn)
        .iter()
        .map(|target| {
            let mut above = sorted.partition_point(|value| value < target);
            let mut below = above;
            while above - below < donors {
                let take_below = below > 0
                    && (above == sorted.len() || target - sorted[below - 1] <= sorted[above] - target);
                if take_below { below -= 1 } else { above += 1 }
            }
            y[order[below + place(numbers, donors)]]
        })
        .collect()
}

/// These rows and columns.
pub(super) fn block(matrix: &Array2<f64>, rows: &[usize], columns: &[usize]) -> Array2<f64> {
    matrix.select(Axis(0), rows).select(Axis(1), columns)
}

/// A draw from a normal distribution around an estimate, by its information times `1 / scale`.
pub(super) fn around(
    estimate: &Array1<f64>,
    information: &Array2<f64>,
    scale: f64,
    numbers: &mut ChaCha8Rng,
) -> Option<Array1<f64>> {
    let kept: Vec<usize> = (0..estimate.len()).collect();
    let factor = Cholesky::new(submatrix(information.view(), &kept).view())?;
    let z: Array1<f64> = (0..estimate.len()).map(|_| normal(numbers)).collect();
    Some(estimate + &(factor.whitener().t().dot(&z) * scale.sqrt()))
}
