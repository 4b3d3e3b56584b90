//! Cluster-robust standard errors of joint models.

// McCaffrey is a name, not code.
#![allow(clippy::doc_markdown)]
// Array views are passed by value, as ndarray does.
#![allow(clippy::needless_pass_by_value)]

use super::dense::Square;
use super::multivariate::MultivariateData;
use super::regression::Orthogonal;
use crate::compute::coefficient::{Coefficient, Wald};
use crate::compute::hypothesis::FTest;
use crate::compute::reference_distribution::check_level;
use crate::error::{Error, ErrorKind, Result, agreeing, counted};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

/// The correction of a cluster-robust variance for few clusters: G clusters, N effects, p coefficients.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClusterCorrection {
    /// None; t with G - p degrees of freedom.
    Cr0,
    /// G/(G - 1); t with G - p degrees of freedom.
    Cr1,
    /// G/(G - p); t with G - p degrees of freedom.
    Cr1P,
    /// G(N - 1)/((G - 1)(N - p)); t with G - p degrees of freedom.
    Cr1S,
    /// Bias-reduced linearisation (Bell & McCaffrey 2002; Pustejovsky & Tipton 2018, J. Bus. Econ. Stat. 36),
    /// with Satterthwaite degrees of freedom of each coefficient. The default.
    #[default]
    Cr2,
    /// The approximate jackknife; t with G - p degrees of freedom.
    Cr3,
}

/// Coefficients with cluster-robust standard errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RobustPool {
    /// The number of clusters.
    pub clusters: usize,
    /// The coefficients, each with its degrees of freedom.
    pub coefficients: Vec<Coefficient>,
    /// Their covariance matrix.
    #[serde(with = "crate::compute::matrix_rows")]
    pub covariance: Array2<f64>,
    /// The correction.
    pub correction: ClusterCorrection,
}

/// Generalised least squares with cluster-robust standard errors: valid where the covariance within the
/// clusters is only roughly known.
///
/// The trials of `data` are the clusters, and their covariance matrices the working model, heterogeneity
/// included ([`MultivariateData::with_between`]).
///
/// # Formula
/// V = M (sum X'W A e e' A' W X) M with W the inverse of the working covariance F, M = (X'WX)^-1, e = y - X
/// beta, and for CR2 A = L'(L (F - X M X') L')^(-1/2) L, F = L'L.
///
/// # Errors
/// [`ErrorKind::NoStudies`]; [`ErrorKind::InsufficientStudies`] without more clusters than coefficients;
/// [`ErrorKind::Collinear`]; [`ErrorKind::NotEstimable`] for CR3 where one cluster alone determines a
/// coefficient.
///
/// # Examples
/// ```
/// use armwise::meta_analysis::{ClusterCorrection, MultivariateData, cluster_robust};
/// use armwise::ndarray::array;
///
/// let mut data = MultivariateData::new(["effect"]);
/// for y in [0.1, 0.4, 0.2] {
///     data.push(&[y], array![[0.05]].view(), array![[1.0]].view())?;
/// }
/// let robust = cluster_robust(&data, ClusterCorrection::Cr2, 0.95)?;
/// // With equal weights this is the t test of a mean.
/// assert!((robust.coefficients[0].se - (0.07_f64 / 3.0 / 3.0).sqrt()).abs() < 1e-12);
/// assert!((robust.coefficients[0].df.unwrap() - 2.0).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
pub fn cluster_robust(
    data: &MultivariateData,
    correction: ClusterCorrection,
    level: f64,
) -> Result<RobustPool> {
    check_level(level)?;
    let (clusters, p) = (data.blocks.len(), data.names.len());
    let basis = orthogonal(data)?;
    let fit = Working::new(data, &basis.q)?;
    let Sandwich { weights, spread } = Sandwich::new(data, &fit, correction)?;
    let count = clusters as f64;
    let covariance = basis.covariance(&spread);
    let estimates = basis.coefficients(&fit.coefficients);
    let mut coefficients = Vec::with_capacity(p);
    for (i, (name, estimate)) in data.names.iter().zip(estimates).enumerate() {
        let df = match correction {
            ClusterCorrection::Cr2 => {
                let unit: Vec<f64> = (0..p).map(|j| f64::from(u8::from(i == j))).collect();
                fit.satterthwaite(data, &weights, &basis.transposed_coefficients(&unit))
            }
            _ => count - p as f64,
        };
        let se = covariance[(i, i)].sqrt();
        if se.is_nan() || se <= 0.0 {
            let why = format!(
                "all residuals that bear on \"{name}\" are zero; use the model's own standard errors"
            );
            return Err(ErrorKind::ZeroVariance(why).into());
        }
        coefficients.push(Wald::new(Some(df), level)?.coefficient(name, estimate, se));
    }
    Ok(RobustPool {
        clusters,
        coefficients,
        covariance: Array2::from_shape_fn((p, p), |cell| covariance[cell]),
        correction,
    })
}

/// Whether several linear combinations of the coefficients (the rows of a matrix) are all zero, with the CR2
/// variance and an approximate Hotelling's T-squared: the test "HTZ", whose level holds with few clusters.
///
/// # Formula
/// `F = (eta - q + 1)/(eta q) (C b)'(C V C')^-1 (C b)` on `q` and `eta - q + 1` degrees of freedom: `C` the q
/// combinations, `V` the CR2 variance, and eta = q(q + 1)/sum of the variances of all elements of
/// `W^(-1/2) C V C' W^(-1/2)`, `W` the expectation of `C V C'`, both under the working model. For one
/// combination this is the square of the t test with Satterthwaite's degrees of freedom.
///
/// # Errors
/// As [`cluster_robust`]; [`ErrorKind::InvalidInput`] for a wrong shape; [`ErrorKind::NotEstimable`] where
/// rows depend on each other; [`ErrorKind::InsufficientStudies`] where there are too few clusters to test so
/// many combinations.
///
/// # Examples
/// ```
/// use armwise::meta_analysis::{MultivariateData, cluster_robust_test};
/// use armwise::ndarray::array;
///
/// let mut data = MultivariateData::new(["effect"]);
/// for y in [0.1, 0.4, 0.2] {
///     data.push(&[y], array![[0.05]].view(), array![[1.0]].view())?;
/// }
/// let test = cluster_robust_test(&data, array![[1.0]].view())?;
/// // With equal weights this is the square of the t test of a mean.
/// assert!((test.statistic - 0.7 * 0.7 / 0.07).abs() < 1e-9 && (test.df2 - 2.0).abs() < 1e-9);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Pustejovsky & Tipton 2018, J. Bus. Econ. Stat. 36, section 4; Tipton & Pustejovsky 2015, J. Educ. Behav.
/// Stat. 40.
pub fn cluster_robust_test(data: &MultivariateData, combinations: ArrayView2<'_, f64>) -> Result<FTest> {
    let (q, p) = (combinations.nrows(), data.names.len());
    if q == 0 || combinations.ncols() != p || !combinations.iter().all(|weight| weight.is_finite()) {
        return Err(Error::invalid(format!(
            "a joint test needs rows of {p} finite weights, one for each coefficient, not {rows} of {}",
            combinations.ncols(),
            rows = counted(q, "row")
        )));
    }
    let basis = orthogonal(data)?;
    let fit = Working::new(data, &basis.q)?;
    let Sandwich { weights, spread } = Sandwich::new(data, &fit, ClusterCorrection::Cr2)?;
    let rows: Vec<Vec<f64>> =
        combinations.rows().into_iter().map(|row| basis.transposed_coefficients(&row.to_vec())).collect();
    let form = |matrix: &Square| {
        Square::from_fn(q, |s, t| {
            (0..p).map(|i| (0..p).map(|j| rows[s][i] * matrix[(i, j)] * rows[t][j]).sum::<f64>()).sum()
        })
    };
    let dependent = || {
        let why = "some of these combinations follow from the others; leave them out";
        Error::from(ErrorKind::NotEstimable(why.into()))
    };
    let mut values: Vec<f64> =
        rows.iter().map(|row| row.iter().zip(&fit.coefficients).map(|(c, b)| c * b).sum()).collect();
    form(&spread).cholesky().ok_or_else(dependent)?.forward(&mut values);
    let square: f64 = values.iter().map(|value| value * value).sum();
    let count = q as f64;
    let eta = count * (count + 1.0) / fit.spread_of_variance(data, &weights, &rows).ok_or_else(dependent)?;
    let denominator = eta - count + 1.0;
    if denominator.is_nan() || denominator <= 0.0 {
        return Err(ErrorKind::InsufficientStudies(format!(
            "{} too few to test {combinations} together; test fewer",
            agreeing(data.blocks.len(), "cluster", ["is", "are"]),
            combinations = counted(q, "combination")
        ))
        .into());
    }
    FTest::new(denominator / (eta * count) * square, count, denominator)
}

/// The design with orthonormal columns, where there are enough clusters.
fn orthogonal(data: &MultivariateData) -> Result<Orthogonal> {
    let (clusters, p) = (data.blocks.len(), data.names.len());
    if clusters == 0 {
        return Err(ErrorKind::NoStudies.into());
    }
    if clusters <= p {
        return Err(ErrorKind::InsufficientStudies(format!(
            "{} too few for robust standard errors of {}; use the model's own",
            agreeing(clusters, "cluster", ["is", "are"]),
            counted(p, "coefficient")
        ))
        .into());
    }
    Orthogonal::new(&data.x, &data.names)
}

/// The robust covariance in orthonormal coordinates.
struct Sandwich {
    /// Rows of M X'W A of each cluster.
    weights: Vec<Vec<Vec<f64>>>,
    spread: Square,
}

impl Sandwich {
    fn new(data: &MultivariateData, fit: &Working<'_>, correction: ClusterCorrection) -> Result<Self> {
        let p = fit.p;
        let (count, n) = (data.blocks.len() as f64, data.y.len() as f64);
        let factor = match correction {
            ClusterCorrection::Cr1 => count / (count - 1.0),
            ClusterCorrection::Cr1P => count / (count - p as f64),
            ClusterCorrection::Cr1S => count * (n - 1.0) / ((count - 1.0) * (n - p as f64)),
            _ => 1.0,
        };
        let mut weights = Vec::with_capacity(data.blocks.len());
        let mut spread = Square::zeros(p);
        let mut start = 0;
        for block in &data.blocks {
            let weight = fit.weights(block, start, correction)?;
            let e = &fit.residuals[start..start + block.n];
            let score: Vec<f64> =
                weight.iter().map(|row| row.iter().zip(e).map(|(w, e)| w * e).sum()).collect();
            for a in 0..p {
                for b in 0..p {
                    spread[(a, b)] += factor * score[a] * score[b];
                }
            }
            weights.push(weight);
            start += block.n;
        }
        Ok(Self { weights, spread })
    }
}

/// Generalised least squares with the covariance matrices as they are.
struct Working<'a> {
    x: &'a [f64],
    p: usize,
    coefficients: Vec<f64>,
    m: Square,
    residuals: Vec<f64>,
}

impl<'a> Working<'a> {
    fn new(data: &MultivariateData, x: &'a [f64]) -> Result<Self> {
        let p = data.names.len();
        let mut information = Square::zeros(p);
        let mut coefficients = vec![0.0; p];
        let mut start = 0;
        for (index, block) in data.blocks.iter().enumerate() {
            let factor = block.cholesky().ok_or_else(|| {
                Error::from(ErrorKind::InvalidVariance(format!(
                    "the covariance matrix of cluster {} is singular; leave out an effect that the others determine",
                    index + 1
                )))
            })?;
            let columns: Vec<Vec<f64>> = (0..p)
                .map(|c| {
                    let mut column: Vec<f64> = (0..block.n).map(|i| x[(start + i) * p + c]).collect();
                    factor.solve(&mut column);
                    column
                })
                .collect();
            for (a, column) in columns.iter().enumerate() {
                for (i, w) in column.iter().enumerate() {
                    coefficients[a] += w * data.y[start + i];
                    for b in 0..p {
                        information[(a, b)] += w * x[(start + i) * p + b];
                    }
                }
            }
            start += block.n;
        }
        let factor = Square::from_fn(p, |a, b| 0.5 * (information[(a, b)] + information[(b, a)])).cholesky();
        let factor = factor.ok_or_else(|| {
            Error::from(ErrorKind::NotEstimable(
                "the weights of the clusters differ by too many orders of magnitude; leave a coefficient out"
                    .into(),
            ))
        })?;
        factor.solve(&mut coefficients);
        let residuals = data.y.iter().zip(x.chunks_exact(p));
        let residuals = residuals
            .map(|(y, row)| y - row.iter().zip(&coefficients).map(|(x, b)| x * b).sum::<f64>())
            .collect();
        Ok(Self { x, p, coefficients, m: factor.inverse(), residuals })
    }

    fn row(&self, i: usize) -> &[f64] {
        &self.x[i * self.p..(i + 1) * self.p]
    }

    /// The p rows of M X'W A of the cluster that starts at a row.
    fn weights(&self, block: &Square, start: usize, correction: ClusterCorrection) -> Result<Vec<Vec<f64>>> {
        let (n, p) = (block.n, self.p);
        let singular = || Error::from(ErrorKind::InvalidVariance("a covariance matrix is singular".into()));
        let factor = block.cholesky().ok_or_else(singular)?;
        let mx: Vec<Vec<f64>> = (0..n)
            .map(|i| (0..p).map(|a| (0..p).map(|b| self.m[(a, b)] * self.row(start + i)[b]).sum()).collect())
            .collect();
        // X M X' of the cluster.
        let hat = Square::from_fn(n, |i, j| self.row(start + i).iter().zip(&mx[j]).map(|(x, m)| x * m).sum());
        let mut rows: Vec<Vec<f64>> = (0..p)
            .map(|a| {
                let mut row: Vec<f64> = mx.iter().map(|mx| mx[a]).collect();
                factor.solve(&mut row);
                row
            })
            .collect();
        match correction {
            ClusterCorrection::Cr2 => {
                // F = C C' with C lower, so L = C'; A = C (C'(F - X M X')C)^(-1/2) C', symmetric.
                let lower = &factor.0;
                let rest = Square::from_fn(n, |i, j| block[(i, j)] - hat[(i, j)]);
                let transposed = Square::from_fn(n, |i, j| lower[(j, i)]);
                let inner = transposed.times(&rest).times(lower);
                let (values, vectors) =
                    Square::from_fn(n, |i, j| 0.5 * (inner[(i, j)] + inner[(j, i)])).eigen();
                let largest = values.iter().fold(0.0_f64, |most, value| most.max(*value));
                let root = |value: f64| if value > 1e-10 * largest { value.sqrt().recip() } else { 0.0 };
                let half = lower.times(&vectors);
                let adjust = Square::from_fn(n, |i, j| {
                    (0..n).map(|c| half[(i, c)] * root(values[c]) * half[(j, c)]).sum()
                });
                for row in &mut rows {
                    *row = (0..n).map(|j| (0..n).map(|i| row[i] * adjust[(i, j)]).sum()).collect();
                }
            }
            ClusterCorrection::Cr3 => {
                // (I - X M X'W)^-1 = F (F - X M X')^-1.
                let rest = Square::from_fn(n, |i, j| block[(i, j)] - hat[(i, j)]);
                let values = rest.clone().eigen().0;
                let largest = values.iter().fold(0.0_f64, |most, value| most.max(*value));
                let inverse = rest.cholesky().filter(|_| values.iter().all(|value| *value > 1e-10 * largest));
                let inverse = inverse.ok_or_else(|| {
                    Error::from(ErrorKind::NotEstimable(
                        "one cluster alone determines a coefficient, so leaving it out is not possible; take CR2".into(),
                    ))
                })?;
                for row in &mut rows {
                    let mut product: Vec<f64> =
                        (0..n).map(|j| (0..n).map(|i| row[i] * block[(i, j)]).sum()).collect();
                    inverse.solve(&mut product);
                    *row = product;
                }
            }
            _ => {}
        }
        Ok(rows)
    }

    /// The sum over all elements of the variance of the quadratic forms that estimate the covariance of
    /// combinations of coefficients (in orthonormal coordinates), standardised by their expectation, all
    /// under the working model; `None` where the expectation is singular.
    fn spread_of_variance(
        &self,
        data: &MultivariateData,
        weights: &[Vec<Vec<f64>>],
        combinations: &[Vec<f64>],
    ) -> Option<f64> {
        let q = combinations.len();
        // For each cluster: the covariance of its scores in its own errors, and the projections of its scores
        // on the design.
        let mut own: Vec<Square> = Vec::with_capacity(weights.len());
        let mut projections: Vec<Vec<Vec<f64>>> = Vec::with_capacity(weights.len());
        let mut start = 0;
        for (block, rows) in data.blocks.iter().zip(weights) {
            let n = block.n;
            let w: Vec<Vec<f64>> = combinations
                .iter()
                .map(|d| (0..n).map(|i| rows.iter().zip(d).map(|(row, d)| d * row[i]).sum()).collect())
                .collect();
            own.push(Square::from_fn(q, |s, t| {
                (0..n).map(|i| w[s][i] * (0..n).map(|j| block[(i, j)] * w[t][j]).sum::<f64>()).sum()
            }));
            let project = |w: &Vec<f64>| {
                (0..self.p).map(|a| (0..n).map(|i| self.row(start + i)[a] * w[i]).sum()).collect()
            };
            projections.push(w.iter().map(project).collect());
            start += n;
        }
        let covariance = |g: usize, h: usize| {
            Square::from_fn(q, |s, t| {
                let (left, right) = (&projections[g][s], &projections[h][t]);
                let shared: f64 = (0..self.p)
                    .map(|a| left[a] * (0..self.p).map(|b| self.m[(a, b)] * right[b]).sum::<f64>())
                    .sum();
                if g == h { own[g][(s, t)] - shared } else { -shared }
            })
        };
        let clusters = weights.len();
        let mut expected = Square::zeros(q);
        for g in 0..clusters {
            let cell = covariance(g, g);
            expected = Square::from_fn(q, |s, t| expected[(s, t)] + 0.5 * (cell[(s, t)] + cell[(t, s)]));
        }
        expected.cholesky()?;
        let (values, vectors) = expected.eigen();
        let half = Square::from_fn(q, |s, t| {
            (0..q).map(|c| vectors[(s, c)] * vectors[(t, c)] / values[c].sqrt()).sum()
        });
        let mut sum = 0.0;
        for g in 0..clusters {
            for h in 0..clusters {
                let standard = half.times(&covariance(g, h)).times(&half);
                let trace: f64 = (0..q).map(|s| standard[(s, s)]).sum();
                sum += trace * trace + standard.trace_of_product(&standard);
            }
        }
        Some(sum)
    }

    /// (sum of the eigenvalues)²/(sum of their squares) of the quadratic form that estimates the variance of
    /// c'beta, under the working model.
    fn satterthwaite(&self, data: &MultivariateData, weights: &[Vec<Vec<f64>>], c: &[f64]) -> f64 {
        let mut own = Vec::with_capacity(weights.len());
        let mut projections = Vec::with_capacity(weights.len());
        let mut start = 0;
        for (block, rows) in data.blocks.iter().zip(weights) {
            let n = block.n;
            let w: Vec<f64> = (0..n).map(|i| rows.iter().zip(c).map(|(row, c)| c * row[i]).sum()).collect();
            own.push((0..n).map(|i| w[i] * (0..n).map(|j| block[(i, j)] * w[j]).sum::<f64>()).sum::<f64>());
            let xw: Vec<f64> =
                (0..self.p).map(|a| (0..n).map(|i| self.row(start + i)[a] * w[i]).sum()).collect();
            projections.push(xw);
            start += n;
        }
        let (mut trace, mut squares) = (0.0, 0.0);
        for (g, left) in projections.iter().enumerate() {
            let ml: Vec<f64> =
                (0..self.p).map(|a| (0..self.p).map(|b| self.m[(a, b)] * left[b]).sum()).collect();
            for (h, right) in projections.iter().enumerate() {
                let shared: f64 = ml.iter().zip(right).map(|(a, b)| a * b).sum();
                let cell = if g == h { own[g] - shared } else { -shared };
                squares += cell * cell;
                if g == h {
                    trace += cell;
                }
            }
        }
        trace * trace / squares
    }
}
