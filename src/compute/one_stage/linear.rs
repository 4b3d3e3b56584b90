//! Linear regression with an intercept for every site.

use super::blocks::{LeastSquares, SiteBlocks, corner};
use super::fitted::SiteIntercept;
use crate::compute::coefficient::{Coefficient, wald_table};
use crate::compute::linalg::{Cholesky, UpperFactor, aliased_columns};
use crate::compute::reference_distribution::check_level;
use crate::compute::regression::{Category, FTest, ModelMatrix};
use crate::error::{ErrorKind, Result, counted};
use ndarray::{Array2, ArrayView1, Axis};
use serde::{Deserialize, Serialize};

/// Linear regression with a fixed intercept for every site, effects common to all sites, and the test of
/// treatment by site.
///
/// # Formula
/// `y = a_i + x'b + e` by least squares, the intercepts eliminated site by site, so that the cost is linear
/// in participants and in sites. The F test compares it with the model in which every site has effects of its
/// own of the treatment columns, while the other columns keep common ones.
///
/// # Errors
/// `rank_deficient` for columns that do not vary within sites; `insufficient_observations` without residual
/// degrees of freedom; `zero_variance` where the response is fitted perfectly; `invalid_input`,
/// `unknown_column`.
///
/// # Examples
/// ```
/// use armwise::ndarray::array;
/// use armwise::one_stage::SiteLinear;
/// use armwise::regression::{Category, ModelMatrix};
///
/// let (t, y) =
///     (array![0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0], array![3.0, 4.1, 3.4, 4.6, 7.0, 8.9, 8.4]);
/// let matrix = ModelMatrix::new(7).numeric("t", t.view())?;
/// let sites = Category::new(&[0, 0, 0, 0, 1, 1, 1], ["Utrecht", "Tilburg"]);
/// let fit = SiteLinear::new().fit(&matrix, sites, "t", y.view())?;
/// assert_eq!(fit.df_residual, 4.0);
/// assert_eq!(fit.interaction_test.unwrap().df1, 1.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Frisch & Waugh (1933), Econometrica 1:387; Riley, Tierney & Stewart (2021), Individual Participant Data
/// Meta-Analysis, chapter 6.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SiteLinear {
    level: f64,
}

/// The result of [`SiteLinear::fit`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SiteLinearFit {
    /// The coefficients of the columns, with t tests and intervals.
    pub coefficients: Vec<Coefficient>,
    /// Their covariance matrix.
    pub covariance: Array2<f64>,
    /// The intercept of every site that has participants.
    pub site_intercepts: Vec<SiteIntercept>,
    /// The residual variance.
    pub residual_variance: f64,
    /// Participants minus sites minus columns.
    pub df_residual: f64,
    /// The test that the effects of the treatment are the same at all sites; `None` where no two sites show
    /// effects, or nothing is left to estimate the residual variance.
    pub interaction_test: Option<FTest>,
}

impl Default for SiteLinear {
    fn default() -> Self {
        Self { level: 0.95 }
    }
}

impl SiteLinear {
    /// Level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// The confidence level, between 0 and 1; default 0.95.
        level: f64;
    }

    /// Fits the columns of a matrix without intercept; `treatment` is the term that the test of treatment by
    /// site is about.
    ///
    /// # Errors
    /// See [`SiteLinear`].
    pub fn fit(
        &self,
        matrix: &ModelMatrix,
        sites: Category,
        treatment: &str,
        y: ArrayView1<f64>,
    ) -> Result<SiteLinearFit> {
        check_level(self.level)?;
        let tested: Vec<usize> = matrix.columns_of(treatment)?.collect();
        let blocks = SiteBlocks::new(matrix, sites, &tested, y)?;
        let (p, q) = (blocks.width(), blocks.terms);
        let design = q..q + p + 1;
        let mut within = UpperFactor::new(p + 1);
        for factor in blocks.factors.iter().flatten() {
            within.push(corner(factor, 1..factor.nrows(), design.clone()).t());
        }
        let within = within.finish();
        let df = blocks.n as f64 - blocks.inhabited() as f64 - p as f64;
        if df <= 0.0 {
            return Err(ErrorKind::InsufficientObservations(format!(
                "{} at {} cannot determine {coefficients} and a residual variance; leave covariates out",
                counted(blocks.n, "observation"),
                counted(blocks.inhabited(), "site"),
                coefficients = counted(p, "coefficient")
            ))
            .into());
        }
        let fit = LeastSquares::new(&within, &blocks.columns)?;
        if blocks.is_perfect(fit.residual_sum) {
            return Err(ErrorKind::ZeroVariance(
                "the response is fitted perfectly, so that there is no standard error; check its column"
                    .to_owned(),
            )
            .into());
        }
        let residual_variance = fit.residual_sum / df;
        let upper = corner(&within, 0..p, 0..p).to_owned();
        let bread = Cholesky::from_upper(upper.view())
            .ok_or_else(|| ErrorKind::RankDeficient { columns: blocks.columns.clone() })?
            .inverse();
        let covariance = bread * residual_variance;
        let dfs = vec![Some(df); p];
        let coefficients =
            wald_table(&blocks.columns, fit.coefficients.view(), covariance.view(), &dfs, self.level)?;
        let site_intercepts = blocks.names.iter().zip(&blocks.factors).map(|(name, factor)| {
            let estimate = factor.as_ref().map(|factor| {
                let fitted: f64 = (0..p).map(|j| factor[[0, q + j]] * fit.coefficients[j]).sum();
                (factor[[0, q + p]] - fitted) / factor[[0, 0]]
            });
            SiteIntercept { name: name.clone(), estimate }
        });
        let site_intercepts = site_intercepts.filter(|site| site.estimate.is_some()).collect();
        let interaction_test = interaction(&blocks, &tested, fit.residual_sum, df)?;
        Ok(SiteLinearFit {
            coefficients,
            covariance,
            site_intercepts,
            residual_variance,
            df_residual: df,
            interaction_test,
        })
    }
}

/// The F test against effects of the treatment columns that every site has for itself.
fn interaction(blocks: &SiteBlocks, tested: &[usize], residual_sum: f64, df: f64) -> Result<Option<FTest>> {
    let (p, q) = (blocks.width(), blocks.terms);
    // The columns with common effects, and the response.
    let common: Vec<usize> = (0..=p).filter(|j| !tested.contains(j)).map(|j| q + j).collect();
    let mut rest = UpperFactor::new(common.len());
    let mut spent = 0;
    for factor in blocks.factors.iter().flatten() {
        let own = corner(factor, 0..q, 0..q);
        let aliased = aliased_columns(own);
        let kept: Vec<usize> = (0..q).filter(|j| !aliased.contains(j)).collect();
        spent += kept.len();
        if aliased.is_empty() {
            rest.push(factor.select(Axis(1), &common).slice_axis(Axis(0), (q..).into()).t());
            continue;
        }
        // Fewer columns of its own: the rows that they leave belong to the rest.
        let chosen: Vec<usize> = kept.iter().chain(&common).copied().collect();
        let mut again = UpperFactor::new(chosen.len());
        again.push(factor.select(Axis(1), &chosen).t());
        let again = again.finish();
        rest.push(corner(&again, kept.len()..again.nrows(), kept.len()..chosen.len()).t());
    }
    let rest = rest.finish();
    let c = common.len() - 1;
    let aliased = aliased_columns(corner(&rest, 0..c, 0..c));
    let free: Vec<usize> = (0..=c).filter(|j| !aliased.contains(j)).collect();
    let mut again = UpperFactor::new(free.len());
    again.push(rest.select(Axis(1), &free).t());
    let last = free.len() - 1;
    let full_sum = again.finish()[[last, last]].powi(2);
    let full_df = blocks.n as f64 - spent as f64 - last as f64;
    let more = df - full_df;
    if more <= 0.0 || full_df <= 0.0 || full_sum <= 0.0 {
        return Ok(None);
    }
    let f = ((residual_sum - full_sum).max(0.0) / more) / (full_sum / full_df);
    FTest::new(f, more, full_df).map(Some)
}
