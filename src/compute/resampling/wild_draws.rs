//! The numerator and the squared standard error of a wild cluster bootstrap as polynomials in the hypothetical
//! effect.

use crate::compute::linalg::Cholesky;
use crate::compute::roots::root;
use crate::error::{Error, ErrorKind, Result, counted};
use ndarray::{Array1, Array2, ArrayView2};

/// Everything about a regression that draws of weights for its clusters need.
pub(super) struct Regressed {
    pub(super) estimate: f64,
    pub(super) se: f64,
    pub(super) clusters: usize,
    /// `G / (G - 1) (n - 1) / (n - k)`.
    factor: f64,
    /// By cluster: the part of the coefficient's error, of the residuals of the full model, and of what a
    /// hypothesis one standard error higher takes away from them.
    parts: [Array1<f64>; 2],
    /// Likewise the coefficient's scores that a weight of a cluster gives all clusters through the refit.
    refits: [Array2<f64>; 2],
}

/// One draw: with the hypothesis `x` standard errors above the estimate the coefficient's error is `n0 - x n1`
/// and its squared standard error `v00 - 2 x v01 + x^2 v11`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draw {
    n: [f64; 2],
    v: [f64; 3],
    pub(super) probability: f64,
}

impl Regressed {
    pub(super) fn new(x: ArrayView2<f64>, y: &[f64], clusters: &[u32], coefficient: usize) -> Result<Self> {
        let (n, k) = x.dim();
        if y.len() != n || clusters.len() != n || coefficient >= k {
            return Err(Error::invalid(format!(
                "{} and {} for {} and coefficient {coefficient} of {k}; give one of each for every row, and a column of the design",
                counted(y.len(), "outcome"),
                counted(clusters.len(), "cluster code"),
                counted(n, "row")
            )));
        }
        if !y.iter().chain(x.iter()).all(|value| value.is_finite()) {
            return Err(Error::invalid("an outcome or a covariate is not finite; leave its row out"));
        }
        let mut codes = clusters.to_vec();
        codes.sort_unstable();
        codes.dedup();
        let g = codes.len();
        if g < 2 || n <= k {
            let why = format!(
                "{} in {} cannot show how clusters vary; a wild cluster bootstrap needs two clusters at least, and more rows than coefficients",
                counted(n, "row"),
                counted(g, "cluster")
            );
            return Err(ErrorKind::InsufficientObservations(why).into());
        }
        let of: Vec<usize> =
            clusters.iter().map(|code| codes.partition_point(|other| other < code)).collect();
        let inverse = Cholesky::new(x.t().dot(&x).view()).filter(|factor| factor.smallest_pivot > 1e-14);
        let Some(inverse) = inverse.map(|factor| factor.inverse()) else {
            return Err(Error::not_estimable(
                "the columns of the design are collinear, so that the coefficient is not known; leave columns out",
            ));
        };
        let solve = |y: &Array1<f64>| inverse.dot(&x.t().dot(y));
        let y = Array1::from(y.to_vec());
        let mut fitted = solve(&y);
        // One step of refinement.
        fitted += &solve(&(&y - &x.dot(&fitted)));
        let residual = &y - &x.dot(&fitted);
        let own = x.dot(&inverse.column(coefficient));
        let of_rest = &own / inverse[[coefficient, coefficient]];
        let by_cluster = |values: &Array1<f64>| {
            let mut sums: Array1<f64> = Array1::zeros(g);
            for ((value, weight), &cluster) in values.iter().zip(&own).zip(&of) {
                sums[cluster] += value * weight;
            }
            sums
        };
        let factor = g as f64 / (g as f64 - 1.0) * (n as f64 - 1.0) / (n - k) as f64;
        let errors: Array1<f64> = by_cluster(&residual);
        let se = (factor * errors.dot(&errors)).sqrt();
        if se.is_nan() || se <= 1e-13 * fitted[coefficient].abs() {
            return Err(ErrorKind::ZeroVariance(
                "the standard error of the coefficient is zero, so that nothing can be drawn around it; check the outcome".to_owned(),
            )
            .into());
        }
        let shift = se * &of_rest;
        // Sums over the rows of a cluster of the design times something.
        let sums = |values: &Array1<f64>| {
            let mut sums = Array2::zeros((g, k));
            for ((row, value), &cluster) in x.rows().into_iter().zip(values).zip(&of) {
                sums.row_mut(cluster).scaled_add(*value, &row);
            }
            sums
        };
        let projected = sums(&own).dot(&inverse);
        Ok(Self {
            estimate: fitted[coefficient],
            se,
            clusters: g,
            factor,
            refits: [&residual, &shift].map(|values| projected.dot(&sums(values).t())),
            parts: [errors, by_cluster(&shift)],
        })
    }

    /// The draw with these weights of the clusters.
    pub(super) fn draw(&self, weights: &[f64], probability: f64) -> Draw {
        let mut draw = Draw { n: [0.0; 2], v: [0.0; 3], probability };
        for g in 0..self.clusters {
            let score = |which: usize| {
                let refit = self.refits[which].row(g);
                let refit: f64 = refit.iter().zip(weights).map(|(refit, weight)| refit * weight).sum();
                let own = weights[g] * self.parts[which][g];
                (own, own - refit)
            };
            let ((n0, s0), (n1, s1)) = (score(0), score(1));
            draw.n[0] += n0;
            draw.n[1] += n1;
            draw.v[0] += self.factor * s0 * s0;
            draw.v[1] += self.factor * s0 * s1;
            draw.v[2] += self.factor * s1 * s1;
        }
        draw
    }
}

impl Draw {
    /// The statistic where the hypothesis that is imposed lies `x` standard errors above the estimate.
    pub(super) fn statistic(&self, x: f64) -> f64 {
        let error = self.n[0] - x * self.n[1];
        let variance = self.v[0] - 2.0 * x * self.v[1] + x * x * self.v[2];
        if error == 0.0 { 0.0 } else { error / variance.max(0.0).sqrt() }
    }

    /// The statistic where no hypothesis is imposed.
    pub(super) fn unrestricted(&self) -> f64 {
        self.statistic(0.0)
    }

    /// The hypotheses `x` for which the statistic is at least as large as that of the sample, `|x|`: ranges
    /// between roots of a quartic. `None` where both are the same throughout.
    pub(super) fn ranges(&self) -> Option<Vec<(f64, f64)>> {
        let ([n0, n1], [v0, v1, v2]) = (self.n, self.v);
        let mut quartic = [n0 * n0, -2.0 * n0 * n1, n1 * n1 - v0, 2.0 * v1, -v2];
        let size = n0 * n0 + n1 * n1 + v0 + v2;
        if quartic.iter().all(|part| part.abs() <= 1e-9 * size) {
            return None;
        }
        quartic.iter_mut().filter(|part| part.abs() <= 1e-13 * size).for_each(|part| *part = 0.0);
        let roots = real_roots(&quartic);
        let bounds = std::iter::once(f64::NEG_INFINITY)
            .chain(roots.iter().copied())
            .chain(std::iter::once(f64::INFINITY));
        let bounds: Vec<f64> = bounds.collect();
        let middle = |low: f64, high: f64| match (low.is_finite(), high.is_finite()) {
            (true, true) => 0.5 * (low + high),
            (true, false) => low + 1.0 + low.abs(),
            (false, true) => high - 1.0 - high.abs(),
            (false, false) => 0.0,
        };
        let pairs = bounds.windows(2).filter(|pair| at(&quartic, middle(pair[0], pair[1])) >= 0.0);
        Some(pairs.map(|pair| (pair[0], pair[1])).collect())
    }
}

/// The value of a polynomial with these coefficients, the constant first.
fn at(polynomial: &[f64], x: f64) -> f64 {
    polynomial.iter().rev().fold(0.0, |value, part| value * x + part)
}

/// The real roots at which a polynomial changes its sign, in ascending order: between those of its derivative.
fn real_roots(polynomial: &[f64]) -> Vec<f64> {
    let degree = polynomial.iter().rposition(|part| *part != 0.0).unwrap_or(0);
    let polynomial = &polynomial[..=degree];
    if degree == 0 {
        return Vec::new();
    }
    let lead = polynomial[degree].abs();
    let bound = 1.0 + polynomial[..degree].iter().map(|part| part.abs() / lead).fold(0.0, f64::max);
    let derivative: Vec<f64> =
        polynomial.iter().enumerate().skip(1).map(|(power, part)| power as f64 * part).collect();
    let mut ends = vec![-bound];
    ends.extend(real_roots(&derivative).into_iter().filter(|x| x.abs() < bound));
    ends.push(bound);
    let changes =
        ends.windows(2).filter(|pair| at(polynomial, pair[0]).signum() != at(polynomial, pair[1]).signum());
    let mut roots: Vec<f64> = changes.map(|pair| root(|x| at(polynomial, x), pair[0], pair[1])).collect();
    roots.dedup();
    roots
}
