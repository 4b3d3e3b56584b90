//! Between-trial covariance with several parameters, by (restricted) maximum likelihood, block by block.

use super::dense::{Cholesky, Square};
use super::tau2::Likelihood;
use crate::compute::progress::Task;
use crate::error::{Error, ErrorKind, Result};

/// The free covariance structures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Structure {
    CompoundSymmetry,
    Heteroscedastic,
    Diagonal,
    Unstructured,
    Nested,
}

/// Correlated effects with their design; `levels` says which effect each row is (its row and column in the
/// between-trial matrix).
#[derive(Debug, Clone)]
pub(crate) struct Stacked<'a> {
    pub(crate) y: &'a [f64],
    /// Row by row, p to a row.
    pub(crate) x: &'a [f64],
    pub(crate) p: usize,
    pub(crate) blocks: &'a [Square],
    pub(crate) levels: Vec<usize>,
    /// The order of the between-trial matrix.
    pub(crate) q: usize,
}

/// A fitted structure.
#[derive(Debug, Clone)]
pub(crate) struct StructuredFit {
    pub(crate) coefficients: Vec<f64>,
    pub(crate) covariance: Square,
    /// The between-trial matrix, in the order of the levels.
    pub(crate) between: Square,
    pub(crate) full: f64,
    pub(crate) restricted: f64,
}

/// Generalised least squares at one between-trial matrix.
struct Gls {
    coefficients: Vec<f64>,
    information: Cholesky,
    full: f64,
    restricted: f64,
    gradient: Vec<f64>,
}

impl Structure {
    fn parameters(self, q: usize) -> usize {
        match self {
            Self::CompoundSymmetry | Self::Nested => {
                if q > 1 {
                    2
                } else {
                    1
                }
            }
            Self::Heteroscedastic => {
                if q > 1 {
                    q + 1
                } else {
                    1
                }
            }
            Self::Diagonal => q,
            Self::Unstructured => q * (q + 1) / 2,
        }
    }

    /// The between-trial matrix and its derivative in each parameter. Parameters are square roots (of
    /// eigenvalues, variances, or a Cholesky factor) or an angle, so that they are free and the boundary is
    /// an ordinary point.
    fn matrices(self, q: usize, theta: &[f64]) -> (Square, Vec<Square>) {
        let identity = |i: usize, j: usize| f64::from(u8::from(i == j));
        let share = 1.0 / q as f64;
        match self {
            Self::CompoundSymmetry if q > 1 => {
                let (a, b) = (theta[0], theta[1]);
                let within = |i, j| identity(i, j) - share;
                (
                    Square::from_fn(q, |i, j| a * a * within(i, j) + b * b * share),
                    vec![
                        Square::from_fn(q, |i, j| 2.0 * a * within(i, j)),
                        Square::from_fn(q, |_, _| 2.0 * b * share),
                    ],
                )
            }
            Self::Nested if q > 1 => {
                let (a, b) = (theta[0], theta[1]);
                (
                    Square::from_fn(q, |i, j| a * a * identity(i, j) + b * b),
                    vec![
                        Square::from_fn(q, |i, j| 2.0 * a * identity(i, j)),
                        Square::from_fn(q, |_, _| 2.0 * b),
                    ],
                )
            }
            Self::Heteroscedastic if q > 1 => {
                // rho = 1 - c/t from eigenvalues c = cos² and sin² of an equicorrelation matrix with diagonal
                // t.
                let (sin, cos) = theta[q].sin_cos();
                let c = cos * cos;
                let t = (c * (q as f64 - 2.0) + 1.0) * share;
                let (rho, slope) = (1.0 - c / t, 2.0 * sin * cos * share / (t * t));
                let r = |i, j| if i == j { 1.0 } else { rho };
                // Standard deviations are squares of parameters: of either sign they would hide correlations
                // of either sign.
                let tau: Vec<f64> = theta[..q].iter().map(|root| root * root).collect();
                let mut derivatives: Vec<Square> = (0..q)
                    .map(|level| {
                        Square::from_fn(q, |i, j| {
                            2.0 * theta[level]
                                * r(i, j)
                                * (identity(i, level) * tau[j] + identity(j, level) * tau[i])
                        })
                    })
                    .collect();
                derivatives
                    .push(Square::from_fn(q, |i, j| if i == j { 0.0 } else { tau[i] * tau[j] * slope }));
                (Square::from_fn(q, |i, j| tau[i] * tau[j] * r(i, j)), derivatives)
            }
            Self::Unstructured => {
                let cells: Vec<(usize, usize)> = (0..q).flat_map(|i| (0..=i).map(move |j| (i, j))).collect();
                let mut l = Square::zeros(q);
                for (cell, value) in cells.iter().zip(theta) {
                    l[*cell] = *value;
                }
                let product = Square::from_fn(q, |i, j| (0..q).map(|c| l[(i, c)] * l[(j, c)]).sum());
                let derivative = |(row, column): &(usize, usize)| {
                    let (row, column) = (*row, *column);
                    Square::from_fn(q, |i, j| {
                        identity(i, row) * l[(j, column)] + identity(j, row) * l[(i, column)]
                    })
                };
                (product, cells.iter().map(derivative).collect())
            }
            _ => (
                Square::from_fn(q, |i, j| identity(i, j) * theta[i] * theta[i]),
                (0..q)
                    .map(|level| {
                        Square::from_fn(q, |i, j| {
                            2.0 * theta[level] * identity(i, level) * identity(j, level)
                        })
                    })
                    .collect(),
            ),
        }
    }

    /// Parameters with standard deviations tau and a correlation near rho.
    fn start(self, q: usize, tau: f64, rho: f64) -> Vec<f64> {
        let size = q as f64;
        match self {
            Self::CompoundSymmetry if q > 1 => {
                vec![tau * (1.0 - rho).sqrt(), tau * (1.0 + (size - 1.0) * rho).max(0.01).sqrt()]
            }
            Self::Nested if q > 1 => vec![tau * (1.0 - rho).sqrt(), tau * rho.max(0.05).sqrt()],
            Self::Heteroscedastic if q > 1 => {
                let mut theta = vec![tau.sqrt(); q];
                theta.push((1.0 + (size - 1.0) * rho).max(0.01).sqrt().atan2((1.0 - rho).sqrt()));
                theta
            }
            Self::Unstructured => {
                // Positive definite above -1/(q - 1).
                let rho = rho.max(-0.9 / (size - 1.0).max(1.0));
                let matrix = Square::from_fn(q, |i, j| tau * tau * if i == j { 1.0 } else { rho });
                let factor = matrix.cholesky().map_or_else(|| Square::zeros(q), |factor| factor.0);
                (0..q).flat_map(|i| (0..=i).map(move |j| (i, j))).map(|cell| factor[cell]).collect()
            }
            _ => vec![tau; q],
        }
    }
}

impl Stacked<'_> {
    /// The maximum over several starts; `tau2` is a rough size of the variance between trials.
    pub(crate) fn fit(
        &self,
        structure: Structure,
        likelihood: Likelihood,
        tau2: f64,
    ) -> Result<StructuredFit> {
        let typical =
            self.blocks.iter().map(|block| (0..block.n).map(|i| block[(i, i)]).sum::<f64>()).sum::<f64>()
                / self.y.len() as f64;
        let unit = typical.sqrt();
        let base = tau2.max(0.05 * typical).sqrt();
        let mut best: Option<(Vec<f64>, f64)> = None;
        // The likelihood may have several maxima, of which those with a singular matrix lie at the ends of
        // the range of the correlation, and far out.
        let least = -0.9 / (self.q as f64 - 1.0).max(1.0);
        let inside = [(1.0, 0.5), (1.0, 0.0), (0.3, 0.3), (2.0, 0.8), (1.5, -0.3)];
        let ends = [(1.0, 0.95), (1.0, least), (3.0, 0.95), (3.0, least)];
        let task = Task::start("steps", None);
        for (size, rho) in inside.into_iter().chain(ends) {
            let start = structure.start(self.q, base * size, rho);
            debug_assert_eq!(start.len(), structure.parameters(self.q));
            let found = self.climb(structure, likelihood, start, unit, &task);
            task.check()?;
            let Some((theta, height)) = found else { continue };
            if best.as_ref().is_none_or(|(_, held)| height > *held) {
                best = Some((theta, height));
            }
        }
        let fit = best.and_then(|(theta, _)| Some((self.at(structure, &theta, likelihood)?, theta)));
        let Some((gls, theta)) = fit else {
            return Err(Error::from(ErrorKind::NotConverged(
                "the covariance between trials could not be estimated; take a structure with fewer parameters".into(),
            )));
        };
        Ok(StructuredFit {
            covariance: gls.information.inverse(),
            coefficients: gls.coefficients,
            between: structure.matrices(self.q, &theta).0,
            full: gls.full,
            restricted: gls.restricted,
        })
    }

    /// Newton's method on the score, its Hessian by central differences, damped until the likelihood rises.
    fn climb(
        &self,
        structure: Structure,
        likelihood: Likelihood,
        mut theta: Vec<f64>,
        unit: f64,
        task: &Task,
    ) -> Option<(Vec<f64>, f64)> {
        let n = theta.len();
        let height = |gls: &Gls| if likelihood == Likelihood::Restricted { gls.restricted } else { gls.full };
        let mut here = self.at(structure, &theta, likelihood)?;
        let mut damping = 1e-3;
        for _ in 0..300 {
            let mut hessian = Square::zeros(n);
            task.advance(1).ok()?;
            for i in 0..n {
                task.check().ok()?;
                let step = 1e-5 * (unit + theta[i].abs());
                let mut shifted = theta.clone();
                shifted[i] = theta[i] + step;
                let above = self.at(structure, &shifted, likelihood)?.gradient;
                shifted[i] = theta[i] - step;
                let below = self.at(structure, &shifted, likelihood)?.gradient;
                for j in 0..n {
                    hessian[(i, j)] = (above[j] - below[j]) / (2.0 * step);
                }
            }
            let curvature = Square::from_fn(n, |i, j| -0.5 * (hessian[(i, j)] + hessian[(j, i)]));
            let scale = (0..n).map(|i| curvature[(i, i)].abs()).fold(1e-12 / (unit * unit), f64::max);
            let mut moved = false;
            // A Newton step first; then with ever more damping.
            for attempt in 0..40 {
                let ridge = if attempt == 0 { 0.0 } else { damping * scale };
                if attempt > 0 {
                    damping *= 4.0;
                }
                let damped = Square::from_fn(n, |i, j| curvature[(i, j)] + if i == j { ridge } else { 0.0 });
                let Some(factor) = damped.cholesky() else { continue };
                let mut step = here.gradient.clone();
                factor.solve(&mut step);
                let gain: f64 = step.iter().zip(&here.gradient).map(|(step, slope)| step * slope).sum();
                let next: Vec<f64> = theta.iter().zip(&step).map(|(theta, step)| theta + step).collect();
                let Some(there) = self.at(structure, &next, likelihood) else { continue };
                // Heights differ by rounding only once the expected gain is that small: the step is then
                // taken on trust.
                let trusted = gain < 1e-9 && height(&there) >= height(&here) - 1e-9;
                if height(&there) > height(&here) || trusted {
                    let done = gain < 1e-20 || step.iter().all(|step| step.abs() <= 1e-13 * unit);
                    (theta, here, moved) = (next, there, true);
                    damping = (damping * 0.05).max(1e-9);
                    if done {
                        return Some((theta, height(&here)));
                    }
                    break;
                }
            }
            if !moved {
                break;
            }
        }
        let reached = height(&here);
        Some((theta, reached))
    }

    fn row(&self, i: usize) -> &[f64] {
        &self.x[i * self.p..(i + 1) * self.p]
    }

    /// `None` where a covariance matrix is not positive definite.
    fn at(&self, structure: Structure, theta: &[f64], likelihood: Likelihood) -> Option<Gls> {
        let p = self.p;
        let (between, derivatives) = structure.matrices(self.q, theta);
        let mut inverses = Vec::with_capacity(self.blocks.len());
        let mut information = Square::zeros(p);
        let mut right = vec![0.0; p];
        let mut log_det = 0.0;
        // Σ^-1 X, row by row as x.
        let mut weighted = vec![0.0; self.x.len()];
        let mut start = 0;
        for block in self.blocks {
            let level = |i: usize| self.levels[start + i];
            let sigma = Square::from_fn(block.n, |i, j| block[(i, j)] + between[(level(i), level(j))]);
            let factor = sigma.cholesky()?;
            log_det += factor.log_determinant();
            let inverse = factor.inverse();
            for i in 0..block.n {
                for j in 0..block.n {
                    let cell = inverse[(i, j)];
                    for (c, x) in self.row(start + j).iter().enumerate() {
                        weighted[(start + i) * p + c] += cell * x;
                    }
                }
                let w = &weighted[(start + i) * p..(start + i + 1) * p];
                for a in 0..p {
                    right[a] += w[a] * self.y[start + i];
                    for b in 0..p {
                        information[(a, b)] += w[a] * self.row(start + i)[b];
                    }
                }
            }
            inverses.push(inverse);
            start += block.n;
        }
        let information =
            Square::from_fn(p, |a, b| 0.5 * (information[(a, b)] + information[(b, a)])).cholesky()?;
        information.solve(&mut right);
        let covariance = information.inverse();
        let e: Vec<f64> = (0..self.y.len())
            .map(|i| self.y[i] - self.row(i).iter().zip(&right).map(|(x, b)| x * b).sum::<f64>())
            .collect();
        let mut gradient = vec![0.0; theta.len()];
        let mut q = 0.0;
        start = 0;
        for inverse in &inverses {
            let n = inverse.n;
            let u: Vec<f64> = (0..n).map(|i| (0..n).map(|j| inverse[(i, j)] * e[start + j]).sum()).collect();
            q += (0..n).map(|i| u[i] * e[start + i]).sum::<f64>();
            // The block of P (or of the inverse, for the full likelihood), less uu'.
            let projected = Square::from_fn(n, |i, j| {
                let fitted = match likelihood {
                    Likelihood::Full => 0.0,
                    Likelihood::Restricted => {
                        let (wi, wj) = (&weighted[(start + i) * p..], &weighted[(start + j) * p..]);
                        (0..p).map(|a| wi[a] * (0..p).map(|b| covariance[(a, b)] * wj[b]).sum::<f64>()).sum()
                    }
                };
                inverse[(i, j)] - fitted - u[i] * u[j]
            });
            for (slope, derivative) in gradient.iter_mut().zip(&derivatives) {
                for i in 0..n {
                    for j in 0..n {
                        *slope -= 0.5
                            * projected[(i, j)]
                            * derivative[(self.levels[start + i], self.levels[start + j])];
                    }
                }
            }
            start += n;
        }
        let ln_2pi = (2.0 * std::f64::consts::PI).ln();
        let m = self.y.len() as f64;
        let full = -0.5 * (m * ln_2pi + log_det + q);
        let restricted = -0.5 * ((m - p as f64) * ln_2pi + log_det + q + information.log_determinant());
        (full.is_finite() && restricted.is_finite()).then_some(Gls {
            coefficients: right,
            information,
            full,
            restricted,
            gradient,
        })
    }
}
