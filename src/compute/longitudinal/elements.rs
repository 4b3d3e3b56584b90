//! The log-likelihood and its exact derivatives with respect to the elements of the covariance matrix; those
//! of a structure follow by the chain rule.
//!
//! With `V` the covariance of the rows of a unit, `W = V^-1`, `A = sum X'WX`, `Phi = A^-1`, `r` the residuals
//! of generalised least squares, `U_R = W (sum rr') W`, `U_C = W (sum X Phi X') W` of a pattern of `N` units,
//! and `V_i` the derivative by element `i`:
//!
//! `-2 l_i = tr V_i (N W - U_R - U_C)`, `-2 l_ij = -N tr(W V_i W V_j) + 2 tr(V_i W V_j (U_R + U_C)) - tr(Phi
//! B_i Phi B_j) - 2 h_i' Phi h_j`, `B_i = sum X'W V_i W X`, `h_i = sum X'W V_i W r`; without the terms in
//! `U_C` and `B` for maximum likelihood.

use super::mixed_model::LikelihoodCriterion;
use super::patterns::{Pattern, Patterns};
use crate::compute::linalg::{Cholesky, submatrix, symmetrised};
use ndarray::{Array1, Array2};

/// Value and estimates at a covariance.
#[derive(Debug, Clone)]
pub(super) struct Value {
    /// The log-likelihood of the scaled outcomes.
    pub log_likelihood: f64,
    /// `W` of each pattern.
    pub inverses: Vec<Array2<f64>>,
    /// The coefficients, beside the rough ones.
    pub shift: Array1<f64>,
    /// `(X'WX)^-1`.
    pub phi: Array2<f64>,
    /// The smallest share of the variance of a wave that the waves before it do not explain.
    pub smallest_pivot: f64,
}

/// Value and derivatives by element.
#[derive(Debug, Clone)]
pub(super) struct Derivatives {
    pub gradient: Array1<f64>,
    /// Minus the second derivatives of the log-likelihood.
    pub observed: Array2<f64>,
    /// Their expectation.
    pub expected: Array2<f64>,
    /// `B_i`.
    pub slopes: Vec<Array2<f64>>,
}

impl Value {
    /// `None` where the covariance is not positive definite.
    pub(super) fn at(
        patterns: &Patterns,
        sigma: &Array2<f64>,
        criterion: LikelihoodCriterion,
    ) -> Option<Self> {
        let p = patterns.rough.len();
        let smallest_pivot = Cholesky::new(sigma.view())?.smallest_pivot;
        let (mut inverses, mut ln_determinant) = (Vec::new(), 0.0);
        for pattern in &patterns.patterns {
            let factor = Cholesky::new(submatrix(sigma.view(), &pattern.waves).view())?;
            ln_determinant += pattern.n * factor.ln_determinant();
            inverses.push(factor.inverse());
        }
        let factor = Cholesky::new(patterns.assemble(&inverses, p).view())?;
        let shift = factor.solve(patterns.right(&inverses, p).view());
        let mut squares = 0.0;
        for (pattern, inverse) in patterns.patterns.iter().zip(&inverses) {
            squares += (residuals(patterns, pattern, &shift).0 * inverse).sum();
        }
        let ln_2pi = (2.0 * std::f64::consts::PI).ln();
        let rows = patterns.n as f64;
        let constant = match criterion {
            LikelihoodCriterion::Restricted => (rows - p as f64) * ln_2pi + factor.ln_determinant(),
            LikelihoodCriterion::Full => rows * ln_2pi,
        };
        let log_likelihood = -0.5 * (constant + ln_determinant + squares);
        log_likelihood.is_finite().then(|| Self {
            log_likelihood,
            inverses,
            shift,
            phi: factor.inverse(),
            smallest_pivot,
        })
    }

    /// The derivatives by these elements of the lower triangle.
    pub(super) fn derivatives(
        &self,
        patterns: &Patterns,
        elements: &[(usize, usize)],
        criterion: LikelihoodCriterion,
    ) -> Derivatives {
        let (p, count) = (patterns.rough.len(), elements.len());
        let restricted = criterion == LikelihoodCriterion::Restricted;
        let mut gradient = Array1::zeros(count);
        let (mut observed, mut expected) = (Array2::zeros((count, count)), Array2::zeros((count, count)));
        let mut slopes = vec![Array2::zeros((p, p)); count];
        let mut scores = Array2::<f64>::zeros((p, count));
        for (pattern, w) in patterns.patterns.iter().zip(&self.inverses) {
            let (rr, zr) = residuals(patterns, pattern, &self.shift);
            let (of_residuals, weighted) = (symmetrised(w.dot(&rr).dot(w)), zr.dot(w));
            let of_means = if restricted {
                symmetrised(w.dot(&self.of_means(patterns, pattern)).dot(w))
            } else {
                Array2::zeros(w.dim())
            };
            let curvature = &of_residuals + &of_means;
            // The elements of this pattern: their place among all, and that of their waves.
            let position = |wave: usize| pattern.waves.iter().position(|own| *own == wave);
            let here: Vec<(usize, usize, usize)> = elements
                .iter()
                .enumerate()
                .filter_map(|(i, &(a, b))| Some((i, position(a)?, position(b)?)))
                .collect();
            for (done, &(i, a, b)) in here.iter().enumerate() {
                let twice = if a == b { 1.0 } else { 2.0 };
                gradient[i] -= 0.5 * twice * (pattern.n * w[[a, b]] - curvature[[a, b]]);
                let m = pattern.waves.len();
                let slope = Array2::from_shape_fn((m, m), |(t, s)| {
                    let one = w[[t, a]] * w[[b, s]];
                    if a == b { one } else { one + w[[t, b]] * w[[a, s]] }
                });
                patterns.add(pattern, slope.view(), &mut slopes[i]);
                for (t, &wave) in pattern.waves.iter().enumerate() {
                    for (j, column) in patterns.columns[wave].iter().enumerate() {
                        if let Some(column) = *column {
                            let one = w[[t, a]] * weighted[[j, b]];
                            scores[[column, i]] +=
                                if a == b { one } else { one + w[[t, b]] * weighted[[j, a]] };
                        }
                    }
                }
                for &(k, c, d) in &here[..=done] {
                    let own = pattern.n * trace(w, w, (a, b), (c, d));
                    observed[[i, k]] += 0.5 * (2.0 * trace(w, &curvature, (a, b), (c, d)) - own);
                    expected[[i, k]] += 0.5 * (own - 2.0 * trace(w, &of_means, (a, b), (c, d)));
                }
            }
        }
        let weighted: Vec<Array2<f64>> =
            if restricted { slopes.iter().map(|slope| self.phi.dot(slope)).collect() } else { Vec::new() };
        let projected = self.phi.dot(&scores);
        for i in 0..count {
            for k in 0..=i {
                let both = if restricted { trace_of(&weighted[i], &weighted[k]) } else { 0.0 };
                observed[[i, k]] -= 0.5 * both + scores.column(i).dot(&projected.column(k));
                expected[[i, k]] += 0.5 * both;
                (observed[[k, i]], expected[[k, i]]) = (observed[[i, k]], expected[[i, k]]);
            }
        }
        Derivatives { gradient, observed, expected, slopes }
    }

    /// `sum_i X_i Phi X_i'` of a pattern.
    fn of_means(&self, patterns: &Patterns, pattern: &Pattern) -> Array2<f64> {
        let m = pattern.waves.len();
        let mut sum = Array2::zeros((m, m));
        for (a, &t) in pattern.waves.iter().enumerate() {
            for (b, &s) in pattern.waves.iter().enumerate().take(a + 1) {
                let mut own = 0.0;
                for (j, row) in patterns.columns[t].iter().enumerate() {
                    let Some(row) = *row else { continue };
                    for (k, column) in patterns.columns[s].iter().enumerate() {
                        if let Some(column) = *column {
                            own += self.phi[[row, column]] * pattern.zz[[j, k]];
                        }
                    }
                }
                (sum[[a, b]], sum[[b, a]]) = (own, own);
            }
        }
        sum
    }
}

/// The sums over the units of a pattern of `r r'` and of `z r'`.
fn residuals(patterns: &Patterns, pattern: &Pattern, shift: &Array1<f64>) -> (Array2<f64>, Array2<f64>) {
    let by_wave = patterns.by_wave(pattern, shift);
    let zr = &pattern.ze - &pattern.zz.dot(&by_wave.t());
    // E'E - B Z'E - E'Z B' + B Z'Z B' = E'E - E'Z B' - B Z'R.
    let rr = &pattern.ee - &pattern.ze.t().dot(&by_wave.t()) - by_wave.dot(&zr);
    (symmetrised(rr), zr)
}

/// `tr(V_i W V_j U)` of two elements, symmetric matrices `W` and `U`.
fn trace(w: &Array2<f64>, u: &Array2<f64>, (a, b): (usize, usize), (c, d): (usize, usize)) -> f64 {
    // tr(E_ab W E_cd U) = W_bc U_da.
    let one = |a: usize, b: usize, c: usize, d: usize| w[[b, c]] * u[[d, a]];
    let mut sum = one(a, b, c, d);
    if a != b {
        sum += one(b, a, c, d);
    }
    if c != d {
        sum += one(a, b, d, c);
        if a != b {
            sum += one(b, a, d, c);
        }
    }
    sum
}

/// `tr(A B)`.
pub(super) fn trace_of(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
    let row = |i: usize| a.row(i).dot(&b.column(i));
    (0..a.nrows()).map(row).sum()
}
