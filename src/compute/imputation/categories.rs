//! Regressions of categories with drawn parameters. A few weak observations are added, so that a category
//! that is predicted perfectly has finite coefficients (White, Daniel & Royston 2010).

use super::draws::place_by;
use super::linear::around;
use crate::compute::linalg::Cholesky;
use crate::error::{ErrorKind, Result};
use ndarray::{Array1, Array2, ArrayView1};
use rand_chacha::ChaCha8Rng;

/// Rows with codes and weights.
pub(super) struct Rows {
    pub x: Array2<f64>,
    pub code: Vec<usize>,
    pub weight: Vec<f64>,
}

/// Rows at the mean of all columns, each column in turn one standard deviation away on either side; the first
/// column is the intercept.
pub(super) fn spread_rows(x: &Array2<f64>) -> Vec<Array1<f64>> {
    let (n, p) = x.dim();
    let means: Array1<f64> = x.columns().into_iter().map(|column| column.sum() / n as f64).collect();
    let mut rows = Vec::new();
    for j in 1..p {
        let spread = (x.column(j).iter().map(|v| (v - means[j]).powi(2)).sum::<f64>() / n as f64).sqrt();
        for sign in [-1.0, 1.0] {
            let mut row = means.clone();
            row[j] += sign * spread;
            rows.push(row);
        }
    }
    if rows.is_empty() { vec![means] } else { rows }
}

impl Rows {
    /// Observed rows with the added ones: for every category the rows of [`spread_rows`], together as many as
    /// there are columns.
    pub(super) fn augmented(x: &Array2<f64>, code: &[usize], levels: usize) -> Self {
        let added = spread_rows(x);
        let (n, p) = x.dim();
        let weight = p as f64 / (added.len() * levels) as f64;
        let total = n + added.len() * levels;
        let mut all = Array2::zeros((total, p));
        for (row, own) in x.rows().into_iter().enumerate() {
            all.row_mut(row).assign(&own);
        }
        let (mut codes, mut weights) = (code.to_vec(), vec![1.0; n]);
        for level in 0..levels {
            for own in &added {
                all.row_mut(codes.len()).assign(own);
                codes.push(level);
                weights.push(weight);
            }
        }
        Self { x: all, code: codes, weight: weights }
    }
}

/// The value, the gradient and the information of a likelihood.
struct Curve {
    value: f64,
    gradient: Array1<f64>,
    information: Array2<f64>,
}

/// The maximum by Newton's method, with its information.
fn maximum(
    start: Array1<f64>,
    curve: impl Fn(&Array1<f64>) -> Option<Curve>,
) -> Result<(Array1<f64>, Array2<f64>)> {
    let stuck = || {
        let why =
            "the imputation model of a category was not found; leave out auxiliary variables".to_owned();
        ErrorKind::NotConverged(why)
    };
    let mut at = start;
    let mut own = curve(&at).ok_or_else(stuck)?;
    for _ in 0..100 {
        let factor = Cholesky::new(own.information.view()).ok_or_else(stuck)?;
        let step = factor.solve(own.gradient.view());
        if own.gradient.dot(&step) < 1e-10 {
            break;
        }
        let mut share = 1.0;
        loop {
            let tried = &at + &(&step * share);
            if let Some(next) = curve(&tried).filter(|next| next.value >= own.value - 1e-12 * own.value.abs())
            {
                (at, own) = (tried, next);
                break;
            }
            share *= 0.5;
            if share < 1e-8 {
                return Ok((at, own.information));
            }
        }
    }
    Ok((at, own.information))
}

/// Probabilities of all levels at these parameters of a multinomial logistic model with the first level as
/// its base.
fn probabilities(theta: &Array1<f64>, x: ArrayView1<f64>, levels: usize) -> Vec<f64> {
    let p = x.len();
    let mut eta: Vec<f64> = vec![0.0; levels];
    for level in 1..levels {
        eta[level] = (0..p).map(|c| theta[(level - 1) * p + c] * x[c]).sum();
    }
    let largest = eta.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let all: Vec<f64> = eta.iter().map(|e| (e - largest).exp()).collect();
    let total: f64 = all.iter().sum();
    all.iter().map(|e| e / total).collect()
}

/// Levels of the missing rows from a multinomial logistic regression (of two levels: logistic) with drawn
/// parameters.
pub(super) fn multinomial(
    rows: &Rows,
    levels: usize,
    missing: &Array2<f64>,
    numbers: &mut ChaCha8Rng,
) -> Result<Vec<usize>> {
    let p = rows.x.ncols();
    let size = (levels - 1) * p;
    let curve = |theta: &Array1<f64>| {
        let mut value = 0.0;
        let mut gradient = Array1::<f64>::zeros(size);
        let mut information = Array2::<f64>::zeros((size, size));
        for (row, (&code, &w)) in rows.code.iter().zip(&rows.weight).enumerate() {
            let x = rows.x.row(row);
            let share = probabilities(theta, x, levels);
            value += w * share[code].max(1e-300).ln();
            for level in 1..levels {
                let residual = w * (f64::from(u8::from(code == level)) - share[level]);
                for c in 0..p {
                    gradient[(level - 1) * p + c] += residual * x[c];
                }
                for other in 1..=level {
                    let own = f64::from(u8::from(level == other));
                    let v = w * share[level] * (own - share[other]);
                    for c in 0..p {
                        for d in 0..p {
                            information[[(level - 1) * p + c, (other - 1) * p + d]] += v * x[c] * x[d];
                        }
                    }
                }
            }
        }
        for a in 0..size {
            for b in a + 1..size {
                if a / p != b / p {
                    information[[a, b]] = information[[b, a]];
                }
            }
        }
        value.is_finite().then_some(Curve { value, gradient, information })
    };
    let (estimate, information) = maximum(Array1::zeros(size), curve)?;
    let drawn = around(&estimate, &information, 1.0, numbers).unwrap_or(estimate);
    Ok(missing.rows().into_iter().map(|x| place_by(numbers, &probabilities(&drawn, x, levels))).collect())
}

fn logistic(x: f64) -> f64 {
    if x >= 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}

/// Levels of the missing rows from a proportional odds regression with drawn parameters: thresholds, then
/// slopes of the columns but the intercept.
pub(super) fn ordinal(
    rows: &Rows,
    levels: usize,
    missing: &Array2<f64>,
    numbers: &mut ChaCha8Rng,
) -> Result<Vec<usize>> {
    let (p, cuts) = (rows.x.ncols() - 1, levels - 1);
    let size = cuts + p;
    let eta =
        |theta: &Array1<f64>, x: ArrayView1<f64>| (0..p).map(|c| theta[cuts + c] * x[c + 1]).sum::<f64>();
    let curve = |theta: &Array1<f64>| {
        let mut value = 0.0;
        let mut gradient = Array1::<f64>::zeros(size);
        let mut information = Array2::<f64>::zeros((size, size));
        for (row, (&code, &w)) in rows.code.iter().zip(&rows.weight).enumerate() {
            let x = rows.x.row(row);
            let at = eta(theta, x);
            // Upper and lower end: probability, density, its slope; none at the outer levels.
            let end = |cut: Option<usize>, outer: f64| match cut {
                Some(cut) => {
                    let f = logistic(theta[cut] - at);
                    (f, f * (1.0 - f), f * (1.0 - f) * (1.0 - 2.0 * f))
                }
                None => (outer, 0.0, 0.0),
            };
            let (upper, lower) = ((code < cuts).then_some(code), code.checked_sub(1));
            let ((fu, du, su), (fl, dl, sl)) = (end(upper, 1.0), end(lower, 0.0));
            let share = fu - fl;
            if share.is_nan() || share <= 1e-300 {
                return None;
            }
            value += w * share.ln();
            let (gu, gl) = (du / share, -dl / share);
            let (uu, ll, ul) = (su / share - gu * gu, -sl / share - gl * gl, -gu * gl);
            // The derivatives of both ends: 1 at its threshold, minus the column at a slope.
            let along = |end: Option<usize>, j: usize| {
                if j >= cuts {
                    if end.is_some() { -x[j - cuts + 1] } else { 0.0 }
                } else {
                    f64::from(u8::from(end == Some(j)))
                }
            };
            for a in 0..size {
                let (ua, la) = (along(upper, a), along(lower, a));
                if ua == 0.0 && la == 0.0 {
                    continue;
                }
                gradient[a] += w * (gu * ua + gl * la);
                for b in 0..size {
                    let (ub, lb) = (along(upper, b), along(lower, b));
                    information[[a, b]] -= w * (uu * ua * ub + ll * la * lb + ul * (ua * lb + la * ub));
                }
            }
        }
        Some(Curve { value, gradient, information })
    };
    // Thresholds of the shares without columns.
    let total: f64 = rows.weight.iter().sum();
    let mut start = Array1::zeros(size);
    for cut in 0..cuts {
        let below: f64 =
            rows.code.iter().zip(&rows.weight).filter(|(code, _)| **code <= cut).map(|(_, w)| w).sum();
        start[cut] = (below / (total - below)).ln();
    }
    let (estimate, information) = maximum(start, curve)?;
    let mut drawn = estimate.clone();
    for _ in 0..50 {
        let Some(tried) = around(&estimate, &information, 1.0, numbers) else { break };
        if (1..cuts).all(|cut| tried[cut] > tried[cut - 1]) {
            drawn = tried;
            break;
        }
    }
    let level = |x: ArrayView1<f64>, numbers: &mut ChaCha8Rng| {
        let at = eta(&drawn, x);
        let below: Vec<f64> = (0..cuts).map(|cut| logistic(drawn[cut] - at)).collect();
        let share: Vec<f64> = (0..levels)
            .map(|level| {
                let upper = below.get(level).copied().unwrap_or(1.0);
                (upper - level.checked_sub(1).map_or(0.0, |cut| below[cut])).max(0.0)
            })
            .collect();
        place_by(numbers, &share)
    };
    Ok(missing.rows().into_iter().map(|x| level(x, numbers)).collect())
}
