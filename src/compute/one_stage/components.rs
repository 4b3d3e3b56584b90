//! The profile likelihood of variance components, with exact derivatives.

use super::blocks::{LeastSquares, SiteBlocks, corner};
use super::jet::Jet;
use crate::compute::linalg::UpperFactor;
use crate::error::{ErrorKind, Result};
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

/// Which likelihood a linear mixed model maximises.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Likelihood {
    /// Restricted: of the contrasts that do not depend on the coefficients (the default).
    #[default]
    Reml,
    /// That of the data.
    Ml,
}

/// The relative factor `T` of the random effects: their covariance is the residual variance times `T T'`. In
/// units of one over the root of the mean number of participants of a site, and of the root mean square of
/// the slope's column.
pub(super) type Factor<const N: usize> = [[Jet<N>; 2]; 2];

/// What a site says of the random effects: its rows in the span of `[1, z]`.
#[derive(Debug, Clone)]
pub(super) struct Slice {
    /// Triangular; one row and column without a slope.
    pub(super) z: [[f64; 2]; 2],
    /// Design and residual in the basis of the problem, `R` rows of `p + 1`.
    pub(super) rows: Vec<Vec<f64>>,
}

/// A linear mixed model in a basis in which the design is orthonormal and least squares gives zero: nothing
/// cancels.
#[derive(Debug, Clone)]
pub(super) struct Problem<const R: usize> {
    pub(super) sites: Vec<Slice>,
    /// Cross-products of `[X, r]` within sites, beside the slices.
    within: Vec<Vec<f64>>,
    /// `X'X = upper' upper`.
    pub(super) upper: Array2<f64>,
    /// Least squares without random effects.
    pub(super) ordinary: Array1<f64>,
    /// The residual standard deviation without random effects: the unit of `r`.
    pub(super) unit: f64,
    /// The unit of each scale.
    pub(super) scales: [f64; R],
    pub(super) p: usize,
    n: f64,
    likelihood: Likelihood,
    /// What the intercepts that were eliminated add to the log-likelihood.
    constant: f64,
}

/// What becomes of the intercepts of the sites.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SiteLevel {
    /// They are random.
    Random,
    /// They are fixed: the contrasts within sites tell the rest (the first row of a site's factor tells its
    /// intercept).
    Fixed,
}

/// The sums at some variance components.
#[derive(Debug, Clone)]
pub(super) struct Sums<const N: usize> {
    pub(super) ln_determinant: Jet<N>,
    /// The lower triangular root of `[X, r]'V^-1[X, r]`.
    pub(super) root: Vec<Vec<Jet<N>>>,
}

impl<const R: usize> Problem<R> {
    pub(super) fn new(blocks: &SiteBlocks, likelihood: Likelihood, level: SiteLevel) -> Result<Self> {
        let (p, q) = (blocks.width(), blocks.terms);
        let first = usize::from(level == SiteLevel::Fixed);
        let eliminated = first * blocks.inhabited();
        let n = (blocks.n - eliminated) as f64;
        let design = q..q + p + 1;
        let (mut all, mut within) = (UpperFactor::new(p + 1), UpperFactor::new(p + 1));
        let mut squares = [0.0; R];
        for factor in blocks.factors.iter().flatten() {
            all.push(corner(factor, first..factor.nrows(), design.clone()).t());
            within.push(corner(factor, q..factor.nrows(), design.clone()).t());
            for (j, square) in squares.iter_mut().enumerate() {
                *square += factor.column(first + j).iter().skip(first).map(|x| x * x).sum::<f64>();
            }
        }
        let all = all.finish();
        let LeastSquares { coefficients, residual_sum } = LeastSquares::new(&all, &blocks.columns)?;
        let unit = (residual_sum / n).sqrt();
        if blocks.is_perfect(residual_sum) {
            return Err(ErrorKind::ZeroVariance(
                "the response is fitted perfectly without random effects, so that no variance can be estimated; check its column"
                    .to_owned(),
            )
            .into());
        }
        let upper = corner(&all, 0..p, 0..p).to_owned();
        let rotated = |row: ndarray::ArrayView1<f64>| -> Vec<f64> {
            // x'R^-1 by forward substitution.
            let mut out = vec![0.0; p + 1];
            for j in 0..p {
                let done: f64 = (0..j).map(|i| out[i] * upper[[i, j]]).sum();
                out[j] = (row[j] - done) / upper[[j, j]];
            }
            let fitted: f64 = (0..p).map(|j| row[j] * coefficients[j]).sum();
            out[p] = (row[p] - fitted) / unit;
            out
        };
        let mut cross = vec![vec![0.0; p + 1]; p + 1];
        for row in within.finish().rows() {
            let row = rotated(row);
            for i in 0..=p {
                for j in 0..=i {
                    cross[i][j] += row[i] * row[j];
                }
            }
        }
        // A site of mean size has squares of mean one in these units.
        let scales = squares.map(|square| (blocks.inhabited() as f64 / square).sqrt());
        let sites = blocks.factors.iter().flatten().map(|factor| {
            let mut z = [[0.0; 2]; 2];
            for i in 0..R {
                for j in i..R {
                    z[i][j] = factor[[first + i, first + j]] * scales[j];
                }
            }
            let rows = (first..first + R).map(|i| rotated(corner(factor, i..i + 1, design.clone()).row(0)));
            Slice { z, rows: rows.collect() }
        });
        // The restricted likelihood has - log|D'D| / 2 of the columns of the sites.
        let sizes = blocks.sizes.iter().filter(|size| first == 1 && **size > 0);
        Ok(Self {
            sites: sites.collect(),
            within: cross,
            upper,
            ordinary: coefficients,
            unit,
            scales,
            p,
            n,
            likelihood,
            constant: -0.5 * sizes.map(|size| (*size as f64).ln()).sum::<f64>(),
        })
    }

    /// The degrees of freedom of the residual variance.
    pub(super) fn df(&self) -> f64 {
        match self.likelihood {
            Likelihood::Ml => self.n,
            Likelihood::Reml => self.n - self.p as f64,
        }
    }

    /// `Z T` and the inverse of `V = I + Z T T'Z'` of a site, with `ln |V|`.
    pub(super) fn site<const N: usize>(site: &Slice, factor: &Factor<N>) -> SiteAt<N> {
        let zero = Jet::constant(0.0);
        let mut loading = [[zero; 2]; 2];
        let mut v = [[zero; 2]; 2];
        for i in 0..R {
            for j in 0..R {
                for k in i..R {
                    loading[i][j] += factor[k][j].scale(site.z[i][k]);
                }
            }
        }
        for i in 0..R {
            for j in 0..R {
                for k in 0..R {
                    v[i][j] += loading[i][k] * loading[j][k];
                }
            }
            v[i][i] += Jet::constant(1.0);
        }
        let (determinant, inverse) = if R == 1 {
            (v[0][0], [[v[0][0].reciprocal(), zero], [zero, zero]])
        } else {
            let determinant = v[0][0] * v[1][1] - v[0][1] * v[0][1];
            let r = determinant.reciprocal();
            let off = -(v[0][1] * r);
            (determinant, [[v[1][1] * r, off], [off, v[0][0] * r]])
        };
        SiteAt { loading, inverse, ln_determinant: determinant.ln() }
    }

    pub(super) fn sums<const N: usize>(&self, factor: &Factor<N>) -> Sums<N> {
        let p = self.p;
        let mut cross: Vec<Vec<Jet<N>>> =
            self.within.iter().map(|row| row.iter().map(|&x| Jet::constant(x)).collect()).collect();
        let mut ln_determinant = Jet::constant(0.0);
        for site in &self.sites {
            let at = Self::site(site, factor);
            ln_determinant += at.ln_determinant;
            for (a, left) in site.rows.iter().enumerate() {
                for (b, right) in site.rows.iter().enumerate() {
                    let weight = &at.inverse[a][b];
                    for i in 0..=p {
                        for j in 0..=i {
                            cross[i][j] += weight.scale(left[i] * right[j]);
                        }
                    }
                }
            }
        }
        for j in 0..=p {
            for k in 0..j {
                for i in j..=p {
                    let product = cross[i][k] * cross[j][k];
                    cross[i][j] = cross[i][j] - product;
                }
            }
            let pivot = cross[j][j].sqrt();
            let inverse = pivot.reciprocal();
            cross[j][j] = pivot;
            for row in cross.iter_mut().skip(j + 1) {
                row[j] = row[j] * inverse;
            }
        }
        Sums { ln_determinant, root: cross }
    }

    /// The likelihood at its maximum over coefficients and residual variance.
    pub(super) fn log_likelihood<const N: usize>(&self, factor: &Factor<N>) -> Jet<N> {
        let (p, df) = (self.p, self.df());
        let sums = self.sums(factor);
        let mut deviance = sums.ln_determinant;
        if self.likelihood == Likelihood::Reml {
            for j in 0..p {
                deviance += sums.root[j][j].ln().scale(2.0);
                deviance += Jet::constant(2.0 * self.upper[[j, j]].abs().ln());
            }
        }
        let constant = 1.0 + (std::f64::consts::TAU / df).ln() + 2.0 * self.unit.ln();
        deviance += sums.root[p][p].ln().scale(2.0 * df) + Jet::constant(df * constant);
        deviance.scale(-0.5) + Jet::constant(self.constant)
    }
}

/// A site at some variance components.
#[derive(Debug, Clone, Copy)]
pub(super) struct SiteAt<const N: usize> {
    /// `Z T`.
    pub(super) loading: [[Jet<N>; 2]; 2],
    /// `V^-1`.
    pub(super) inverse: [[Jet<N>; 2]; 2],
    ln_determinant: Jet<N>,
}
