//! Linear mixed models with random terms for sites.

use super::blocks::SiteBlocks;
use super::components::{Factor, Likelihood, Problem, SiteLevel};
use super::jet::Jet;
use super::mixed::too_few;
use super::newton::Peak;
use super::search::climb;
use crate::compute::coefficient::{Coefficient, wald_table};
use crate::compute::linalg::Cholesky;
use crate::compute::reference_distribution::check_level;
use crate::compute::regression::{Category, ModelMatrix};
use crate::compute::roots::root;
use crate::error::{Error, ErrorKind, Result, counted};
use ndarray::{Array1, Array2, ArrayView1};
use serde::{Deserialize, Serialize};

/// How intercept and slope vary between sites in a [`LinearMixed`] model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RandomTerms {
    /// The intercept.
    Intercept,
    /// Intercept and slope, uncorrelated.
    IndependentSlope,
    /// Intercept and slope with a covariance.
    CorrelatedSlope,
    /// The slope; every site has a fixed intercept of its own.
    SlopeWithSiteIntercepts,
}

/// A linear mixed model: fixed effects of the columns of a matrix, random effects of sites.
///
/// # Formula
/// `y = X b + u_i + v_i z + e`, with `u_i` and `v_i` normal over sites, `z` one of the columns of `X`, and
/// `e` normal with the residual variance. With `V` the covariance of `y`, `b = (X'V^-1 X)^-1 X'V^-1 y`, and
/// the variances maximise (REML) `-1/2 [(n - p) log 2 pi + log|V| + log|X'V^-1 X| + r'V^-1 r]`, or (ML)
/// `-1/2 [n log 2 pi + log|V| + r'V^-1 r]`. A site enters through the triangular factor of its columns, so
/// that an evaluation costs as much for a million participants as for a hundred.
///
/// # Boundary
/// A variance of zero, or a correlation of -1 or 1, is a result: [`LinearMixedFit::boundary`].
///
/// # Intervals
/// Normal, from the covariance of `b` with the variances taken as known.
///
/// # Errors
/// `rank_deficient`, `insufficient_observations`; `insufficient_studies` with fewer than two sites;
/// `zero_variance` where the response is fitted perfectly; `not_estimable` where the likelihood has no
/// maximum, as with one participant at every site.
///
/// # Examples
/// ```
/// use armwise::ndarray::array;
/// use armwise::one_stage::LinearMixed;
/// use armwise::regression::{Category, ModelMatrix};
///
/// let t = array![0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0];
/// let y = array![3.0, 4.1, 3.4, 4.6, 7.0, 8.9, 7.4, 8.1, 5.0, 5.2];
/// let matrix = ModelMatrix::new(10).intercept()?.numeric("t", t.view())?;
/// let sites =
///     Category::new(&[0, 0, 0, 0, 1, 1, 1, 1, 2, 2], ["Utrecht", "Tilburg", "Nijmegen"]);
/// let fit = LinearMixed::intercept().fit(&matrix, sites, y.view())?;
/// assert!(fit.variance_intercept.unwrap() > fit.residual_variance);
/// assert!(fit.intercepts.iter().sum::<f64>().abs() < 1e-9);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Laird & Ware (1982), Biometrics 38:963; Bates, Maechler, Bolker & Walker (2015), Journal of Statistical
/// Software 67(1); Harville (1977), Journal of the American Statistical Association 72:320.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinearMixed {
    terms: RandomTerms,
    slope: Option<String>,
    likelihood: Likelihood,
    level: f64,
}

/// The result of [`LinearMixed::fit`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LinearMixedFit {
    /// The fixed effects, with normal tests and intervals.
    pub coefficients: Vec<Coefficient>,
    /// Their covariance matrix.
    pub covariance: Array2<f64>,
    /// The variance of intercepts between sites; `None` where these are fixed.
    pub variance_intercept: Option<f64>,
    /// The variance of slopes; `None` without a random slope.
    pub variance_slope: Option<f64>,
    /// The covariance of intercept and slope; `None` unless they are correlated.
    pub covariance_intercept_slope: Option<f64>,
    /// The residual variance.
    pub residual_variance: f64,
    /// The (restricted) log-likelihood with all constants, as in lme4.
    pub log_likelihood: f64,
    /// The sites, in the order of the predictions.
    pub sites: Vec<String>,
    /// The best linear unbiased prediction of each site's intercept, as a deviation from the mean; empty
    /// where these are fixed.
    pub intercepts: Vec<f64>,
    /// The same of each site's slope; empty without a random slope.
    pub slopes: Vec<f64>,
    /// What varies between sites.
    pub terms: RandomTerms,
    /// The likelihood that was maximised.
    pub likelihood: Likelihood,
    /// True where a variance between sites is zero, or their correlation -1 or 1.
    pub boundary: bool,
}

impl LinearMixed {
    fn new(terms: RandomTerms, slope: Option<&str>) -> Self {
        Self { terms, slope: slope.map(str::to_owned), likelihood: Likelihood::Reml, level: 0.95 }
    }

    /// A random intercept; REML; level 0.95.
    pub fn intercept() -> Self {
        Self::new(RandomTerms::Intercept, None)
    }

    /// A random intercept and a random slope of this column, uncorrelated; REML; level 0.95.
    pub fn independent_slope(column: &str) -> Self {
        Self::new(RandomTerms::IndependentSlope, Some(column))
    }

    /// A random intercept and a random slope of this column, correlated; REML; level 0.95.
    pub fn correlated_slope(column: &str) -> Self {
        Self::new(RandomTerms::CorrelatedSlope, Some(column))
    }

    /// A random slope of this column beside a fixed intercept of every site, so that the levels of sites need
    /// no distribution; REML; level 0.95. The matrix then has no intercept.
    pub fn slope_with_site_intercepts(column: &str) -> Self {
        Self::new(RandomTerms::SlopeWithSiteIntercepts, Some(column))
    }

    setters! {
        /// The likelihood to maximise; default REML, the only one for fixed intercepts of sites.
        likelihood: Likelihood;
        /// The confidence level, between 0 and 1; default 0.95.
        level: f64;
    }

    /// Fits the model.
    ///
    /// # Errors
    /// See [`LinearMixed`].
    pub fn fit(&self, matrix: &ModelMatrix, sites: Category, y: ArrayView1<f64>) -> Result<LinearMixedFit> {
        check_level(self.level)?;
        let z = self.slope.as_ref().map(|name| matrix.column(name)).transpose()?;
        let z: Vec<usize> = z.into_iter().collect();
        let blocks = SiteBlocks::new(matrix, sites, &z, y)?;
        let (n, sites) = (blocks.n, blocks.inhabited());
        let fixed = self.terms == RandomTerms::SlopeWithSiteIntercepts;
        let p = blocks.width() + if fixed { sites } else { 0 };
        if fixed && self.likelihood == Likelihood::Ml {
            return Err(Error::invalid(
                "with a fixed intercept for every site maximum likelihood underestimates the variances the more, the more sites there are; \
                 use REML",
            ));
        }
        if n <= p {
            return Err(ErrorKind::InsufficientObservations(format!(
                "{observations} cannot determine {coefficients} and variances; leave covariates out",
                observations = counted(n, "observation"),
                coefficients = counted(p, "coefficient")
            ))
            .into());
        }
        if sites < 2 {
            return Err(too_few(sites, ""));
        }
        let sloped = |factor: &&Array2<f64>| {
            factor[[1, 1]].abs() > 1e-7 * factor.column(1).iter().map(|x| x.abs()).sum::<f64>()
        };
        let telling = blocks.factors.iter().flatten().filter(sloped).count();
        if self.slope.is_some() && telling < 2 {
            return Err(too_few(telling, "in which the column of the slope varies "));
        }
        if sites == n {
            return Err(ErrorKind::NotEstimable(
                "every site has one participant, so that sites cannot be told apart from participants; check the column of sites".to_owned(),
            )
            .into());
        }
        match self.terms {
            RandomTerms::Intercept => {
                let problem = Problem::<1>::new(&blocks, self.likelihood, SiteLevel::Random)?;
                let best = bracketed(&problem)?;
                self.result(&blocks, &problem, &best.point)
            }
            RandomTerms::SlopeWithSiteIntercepts => {
                let problem = Problem::<1>::new(&blocks, self.likelihood, SiteLevel::Fixed)?;
                let best = bracketed(&problem)?;
                self.result(&blocks, &problem, &best.point)
            }
            RandomTerms::IndependentSlope => {
                let problem = Problem::<2>::new(&blocks, self.likelihood, SiteLevel::Random)?;
                let best = independent(&problem)?;
                self.result(&blocks, &problem, &best.point)
            }
            RandomTerms::CorrelatedSlope => {
                let problem = Problem::<2>::new(&blocks, self.likelihood, SiteLevel::Random)?;
                let best = correlated(&problem)?;
                self.result(&blocks, &problem, &best.point)
            }
        }
    }

    fn result<const R: usize, const D: usize>(
        &self,
        blocks: &SiteBlocks,
        problem: &Problem<R>,
        at: &[f64; D],
    ) -> Result<LinearMixedFit> {
        let p = problem.p;
        let plain = factor::<D, 0>(at);
        let sums = problem.sums(&plain);
        let root = |i: usize, j: usize| sums.root[i][j].value;
        let residual_variance = (root(p, p) * problem.unit).powi(2) / problem.df();
        // In the basis of the problem: L'd = l, with l the last row of the root.
        let mut rotated = Array1::<f64>::zeros(p);
        for i in (0..p).rev() {
            let done: f64 = (i + 1..p).map(|k| root(k, i) * rotated[k]).sum();
            rotated[i] = (root(p, i) - done) / root(i, i);
        }
        // Back to the columns as given: b = ordinary + unit R^-1 d, covariance R^-1 (L L')^-1 R'^-1.
        let mut estimates = Array1::<f64>::zeros(p);
        for i in (0..p).rev() {
            let done: f64 = (i + 1..p).map(|k| problem.upper[[i, k]] * estimates[k]).sum();
            estimates[i] = (problem.unit * rotated[i] - done) / problem.upper[[i, i]];
        }
        estimates += &problem.ordinary;
        let whitened = Array2::from_shape_fn((p, p), |(i, j)| {
            (i..p).map(|k| root(k, i) * problem.upper[[k, j]]).sum::<f64>()
        });
        let mut upper = crate::compute::linalg::UpperFactor::new(p);
        upper.push(whitened.t());
        let covariance = Cholesky::from_upper(upper.finish().view())
            .ok_or_else(|| ErrorKind::RankDeficient { columns: blocks.columns.clone() })?
            .inverse()
            * residual_variance;
        let dfs = vec![None; p];
        let coefficients =
            wald_table(&blocks.columns, estimates.view(), covariance.view(), &dfs, self.level)?;
        let (mut intercepts, mut slopes, mut names) = (Vec::new(), Vec::new(), Vec::new());
        let inhabited = blocks.names.iter().zip(&blocks.sizes).filter(|(_, size)| **size > 0);
        for (site, (name, _)) in problem.sites.iter().zip(inhabited) {
            names.push(name.clone());
            let there = Problem::<R>::site(site, &plain);
            let residual: Vec<f64> = site
                .rows
                .iter()
                .map(|row| row[p] - (0..p).map(|j| row[j] * rotated[j]).sum::<f64>())
                .collect();
            // T (Z T)' V^-1 r.
            let weighed: Vec<f64> = (0..R)
                .map(|i| (0..R).map(|j| there.inverse[i][j].value * residual[j]).sum::<f64>())
                .collect();
            let scores: Vec<f64> =
                (0..R).map(|k| (0..R).map(|i| there.loading[i][k].value * weighed[i]).sum::<f64>()).collect();
            let mut effects = (0..R).map(|i| {
                let sum: f64 = (0..R).map(|k| plain[i][k].value * scores[k]).sum();
                sum * problem.scales[i] * problem.unit
            });
            if self.terms != RandomTerms::SlopeWithSiteIntercepts {
                intercepts.extend(effects.next());
            }
            slopes.extend(effects.next());
        }
        let covariance_of = |i: usize, j: usize| {
            let sum: f64 = (0..R).map(|k| plain[i][k].value * plain[j][k].value).sum();
            residual_variance * sum * problem.scales[i] * problem.scales[j]
        };
        Ok(LinearMixedFit {
            coefficients,
            covariance,
            variance_intercept: (self.terms != RandomTerms::SlopeWithSiteIntercepts)
                .then(|| covariance_of(0, 0)),
            variance_slope: (self.terms != RandomTerms::Intercept).then(|| covariance_of(R - 1, R - 1)),
            covariance_intercept_slope: (D == 3).then(|| covariance_of(0, 1)),
            residual_variance,
            log_likelihood: problem.log_likelihood(&plain).value,
            sites: names,
            intercepts,
            slopes,
            terms: self.terms,
            likelihood: self.likelihood,
            boundary: at[usize::from(D == 3)..].contains(&0.0),
        })
    }
}

/// The relative factor at `D` parameters: the scale of the intercept; with a slope the scales of both; then,
/// before these, what they share.
fn factor<const D: usize, const N: usize>(at: &[f64; D]) -> Factor<N> {
    let parameter = |j: usize| if N == 0 { Jet::constant(at[j]) } else { Jet::parameter(j, at[j]) };
    let zero = Jet::constant(0.0);
    match D {
        1 => [[parameter(0), zero], [zero, zero]],
        2 => [[parameter(0), zero], [zero, parameter(1)]],
        _ => [[parameter(1), zero], [parameter(0), parameter(2)]],
    }
}

/// Scales are not searched beyond this: the residual variance is then zero to the data.
const LIMIT: f64 = 1e8;

fn unbounded() -> Error {
    ErrorKind::NotEstimable(
        "the likelihood has no maximum: within sites the columns fit the response perfectly; use fewer columns or random effects"
            .to_owned(),
    )
    .into()
}

/// One scale: a grid, the root of the derivative between the neighbours of its best point, and Newton's
/// method for the last digits.
fn bracketed(problem: &Problem<1>) -> Result<Peak<1>> {
    let value = |x: f64| problem.log_likelihood(&factor::<1, 0>(&[x])).value;
    let slope = |x: f64| problem.log_likelihood(&factor::<1, 1>(&[x])).gradient[0];
    let at = |step: i32| (0.5 * f64::from(step)).exp();
    let grid = best_of((-16..=36).map(|step| [at(step)]).collect(), |x| value(x[0]));
    let best = grid[0][0];
    let (low, high) = (best * at(-1), best * at(1));
    let inside = root(slope, low, high);
    let found = climb::<1, 1>(&[[0.0], [inside]], LIMIT, |at| problem.log_likelihood(&factor::<1, 1>(at)));
    found.ok_or_else(unbounded)
}

/// The scales of the grid from which the search of two is started.
const GRID: [f64; 8] = [0.1, 0.4, 1.0, 2.0, 4.0, 10.0, 30.0, 150.0];

/// The points of a grid, the highest first.
fn best_of<const D: usize>(points: Vec<[f64; D]>, value: impl Fn(&[f64; D]) -> f64) -> Vec<[f64; D]> {
    let height = |point: &[f64; D]| Some(value(point)).filter(|v| !v.is_nan()).unwrap_or(f64::NEG_INFINITY);
    let mut valued: Vec<(f64, [f64; D])> = points.into_iter().map(|point| (height(&point), point)).collect();
    valued.sort_by(|a, b| b.0.total_cmp(&a.0));
    valued.into_iter().map(|(_, point)| point).collect()
}

fn independent(problem: &Problem<2>) -> Result<Peak<2>> {
    let value = |at: &[f64; 2]| problem.log_likelihood(&factor::<2, 0>(at)).value;
    let grid: Vec<[f64; 2]> = GRID.iter().flat_map(|&a| GRID.map(|b| [a, b])).collect();
    let mut starts = best_of(grid, value);
    starts.truncate(3);
    let edges = GRID.iter().flat_map(|&scale| [[scale, 0.0], [0.0, scale]]).collect();
    let edges = best_of(edges, value);
    starts.extend(edges.iter().find(|point| point[0] == 0.0));
    starts.extend(edges.iter().find(|point| point[1] == 0.0));
    starts.push([0.0, 0.0]);
    let found = climb::<2, 2>(&starts, LIMIT, |at| problem.log_likelihood(&factor::<2, 2>(at)));
    found.ok_or_else(unbounded)
}

fn correlated(problem: &Problem<2>) -> Result<Peak<3>> {
    let value = |at: &[f64; 3]| problem.log_likelihood(&factor::<3, 0>(at)).value;
    let with = |correlation: f64, [a, b]: [f64; 2]| {
        [correlation * b, a, (1.0 - correlation * correlation).sqrt() * b]
    };
    let mut grid = Vec::new();
    for a in GRID {
        for b in GRID {
            grid.extend([-0.9, -0.5, 0.0, 0.5, 0.9].map(|correlation| with(correlation, [a, b])));
        }
    }
    let mut starts = best_of(grid, value);
    starts.truncate(4);
    let separate = independent(problem)?;
    let [a, b] = separate.point;
    starts.push([0.0, a, b]);
    // Perfect correlation, and one scale alone.
    starts.extend([-1.0, 1.0].map(|correlation| with(correlation, [starts[0][1], starts[0][2].max(1.0)])));
    let found = climb::<3, 2>(&starts, LIMIT, |at| problem.log_likelihood(&factor::<3, 3>(at)));
    found.ok_or_else(unbounded)
}
