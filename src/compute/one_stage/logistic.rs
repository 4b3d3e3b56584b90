//! Logistic regression with an intercept for every site.

use super::counts::{SiteCounts, sum};
use super::fitted::{SiteIntercept, effect};
use super::mixed::constant_outcome;
use crate::compute::coefficient::Coefficient;
use crate::compute::fitted::Fitted;
use crate::compute::hypothesis::ChiSquaredTest;
use crate::compute::reference_distribution::check_level;
use crate::compute::regression::{Category, Convergence, Family, Glm, Grouped, ModelMatrix, VarianceType};
use crate::error::{Error, ErrorKind, Result, SeparatedModel};
use ndarray::{Array1, Array2, Axis, Slice};
use serde::{Deserialize, Serialize};

/// Logistic regression with a fixed intercept for every site and treatment effects common to all sites.
///
/// # Formula
/// `logit p_ij = a_i + b_j`, with `b = 0` for the reference, by maximum likelihood. The tests of treatment by
/// site compare it with one probability for every arm of every site: the likelihood ratio is then the
/// residual deviance, the score statistic Pearson's. A site where all or none have the event has its
/// intercept at infinity and says nothing about effects: it is left out, and named.
///
/// # Errors
/// `separation`, with the coefficients that run to infinity (decided exactly); `constant_outcome`;
/// `rank_deficient` where a treatment is not compared with the others at any site; `empty_arm`.
///
/// # Examples
/// ```
/// use armwise::one_stage::{SiteArm, SiteCounts, SiteLogistic};
///
/// let mut counts = SiteCounts::new(["A", "B"], ["control", "guidance"])?;
/// for (site, arm, events, n) in
///     [(0, 0, 10, 100), (0, 1, 15, 100), (1, 0, 8, 90), (1, 1, 7, 95)]
/// {
///     counts.add(SiteArm { site, arm, events, n })?;
/// }
/// let fit = SiteLogistic::new().fit(&counts)?;
/// assert_eq!(fit.effects[0].name, "guidance");
/// assert!(fit.interaction_test.unwrap().likelihood_ratio.df == 1.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Riley, Tierney & Stewart (2021), Individual Participant Data Meta-Analysis, chapter 6; Simmonds & Higgins
/// (2016), Statistical Methods in Medical Research 25:2858.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SiteLogistic {
    level: f64,
}

/// The result of [`SiteLogistic::fit`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SiteLogisticFit {
    /// The log odds ratio of every treatment against the reference, in the order of the arms.
    pub effects: Vec<Coefficient>,
    /// Their covariance matrix.
    pub covariance: Array2<f64>,
    /// The intercept of every site: the logit in the reference arm.
    pub site_intercepts: Vec<SiteIntercept>,
    /// The log-likelihood with all binomial constants.
    pub log_likelihood: f64,
    /// Twice the log-likelihood ratio against one probability for every arm of every site.
    pub residual_deviance: f64,
    /// The degrees of freedom of the residual deviance.
    pub df_residual: f64,
    /// The tests that no treatment has an effect.
    pub treatment_test: TreatmentTest,
    /// The tests that effects are the same at all sites; `None` where no treatment is at two sites.
    pub interaction_test: Option<InteractionTest>,
    /// How the iteration ended.
    pub convergence: Convergence,
}

/// The tests that no treatment has an effect.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TreatmentTest {
    /// Against the model with intercepts of the sites only.
    pub likelihood_ratio: ChiSquaredTest,
    /// Wald's.
    pub wald: ChiSquaredTest,
}

/// The tests that effects are the same at all sites.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InteractionTest {
    /// Against effects of their own for every site.
    pub likelihood_ratio: ChiSquaredTest,
    /// Rao's score test, with expected information.
    pub score: ChiSquaredTest,
}

impl Default for SiteLogistic {
    fn default() -> Self {
        Self { level: 0.95 }
    }
}

/// The columns of the model of some sites.
struct Columns {
    site: Vec<u32>,
    arm: Vec<u32>,
    events: Array1<f64>,
    n: Array1<f64>,
}

impl SiteLogistic {
    /// Level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// The confidence level, between 0 and 1; default 0.95.
        level: f64;
    }

    /// Fits the model.
    ///
    /// # Errors
    /// See [`SiteLogistic`].
    pub fn fit(&self, counts: &SiteCounts) -> Result<SiteLogisticFit> {
        check_level(self.level)?;
        let inhabited = |arm: usize| (0..counts.sites().len()).any(|site| counts.arm(site, arm).is_some());
        if let Some(empty) = (0..counts.arms().len()).find(|arm| !inhabited(*arm)) {
            let why = "nobody is in this arm at any site; check the labels of the arms";
            return Err(Error::from(ErrorKind::EmptyArm(why.to_owned())).in_arm(&counts.arms()[empty]));
        }
        let kept: Vec<usize> = (0..counts.sites().len()).filter(|&site| counts.varies(site)).collect();
        let all = sum((0..counts.sites().len()).map(|site| counts.total(site)));
        if all.events == 0 || all.events == all.n {
            return Err(constant_outcome(all));
        }
        // Where every site is all or nothing, the model of all of them says what is wrong.
        let kept = if kept.is_empty() { (0..counts.sites().len()).collect() } else { kept };
        self.fit_sites(counts, &kept)
    }

    fn fit_sites(self, counts: &SiteCounts, kept: &[usize]) -> Result<SiteLogisticFit> {
        let columns = Columns::new(counts, kept);
        // Sites and arms that hang together have at least as many cells as coefficients.
        if columns.n.len() < kept.len() + counts.arms().len() - 1 {
            return Err(ErrorKind::NotEstimable(
                "a treatment is compared with the others only at sites without both outcomes, so that its effect cannot be told apart \
                 from the sites; check the labels of sites and arms, or leave the treatment out"
                    .to_owned(),
            )
            .into());
        }
        let names: Vec<&String> = kept.iter().map(|&site| &counts.sites()[site]).collect();
        // The first level of each category has no column: with the site's own dummy columns, no intercept is
        // needed.
        let sites = columns.dummies(kept.len());
        let mut matrix = ModelMatrix::new(columns.n.len());
        for (j, name) in names.iter().enumerate() {
            matrix = matrix.numeric(format!("site[{name}]"), sites.index_axis(Axis(1), j))?;
        }
        matrix = matrix.category("arm", Category::new(&columns.arm, counts.arms().to_vec()))?;
        let tested: Vec<usize> = matrix.columns_of("arm")?.collect();
        let response = Grouped { successes: columns.events.view(), trials: columns.n.view() };
        let fit = Glm::new(Family::Binomial)
            .fit(&matrix, response)
            .map_err(|error| error.separating(SeparatedModel::Sites))?;
        let covariance = fit.covariance(VarianceType::Model)?;
        let mut block = covariance.view();
        block.slice_axis_inplace(Axis(0), Slice::from(tested[0]..));
        block.slice_axis_inplace(Axis(1), Slice::from(tested[0]..));
        let effects = tested
            .iter()
            .map(|&j| {
                let name = &counts.arms()[j - tested[0] + 1];
                effect(name, fit.coefficients()[j], covariance[[j, j]], self.level)
            })
            .collect::<Result<_>>()?;
        let df = fit.df_residual();
        let interaction_test = (df > 0.0)
            .then(|| -> Result<InteractionTest> {
                Ok(InteractionTest {
                    likelihood_ratio: ChiSquaredTest::new(fit.deviance(), df)?,
                    score: ChiSquaredTest::new(fit.pearson_chi2(), df)?,
                })
            })
            .transpose()?;
        let treatment_test = TreatmentTest {
            likelihood_ratio: fit.without(&tested)?.likelihood_ratio_test()?,
            wald: fit.wald_test(&tested, VarianceType::Model)?,
        };
        let intercept = |site: usize| {
            kept.iter().position(|&other| other == site).map(|column| fit.coefficients()[column])
        };
        let site_intercepts = (counts.sites().iter().enumerate())
            .map(|(site, name)| SiteIntercept { name: name.clone(), estimate: intercept(site) })
            .collect();
        Ok(SiteLogisticFit {
            effects,
            covariance: block.to_owned(),
            site_intercepts,
            log_likelihood: fit.log_likelihood().unwrap_or(0.0),
            residual_deviance: fit.deviance(),
            df_residual: df,
            treatment_test,
            interaction_test,
            convergence: fit.convergence(),
        })
    }
}

impl Columns {
    fn new(counts: &SiteCounts, kept: &[usize]) -> Self {
        let (mut site, mut arm, mut events, mut n) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (place, &original) in (0_u32..).zip(kept) {
            for (code, cell) in counts.cells(original) {
                site.push(place);
                arm.push(u32::try_from(code).unwrap_or(u32::MAX));
                events.push(cell.events as f64);
                n.push(cell.n as f64);
            }
        }
        Self { site, arm, events: events.into(), n: n.into() }
    }

    /// One column of zeros and ones for each site.
    fn dummies(&self, sites: usize) -> Array2<f64> {
        let mut dummies = Array2::zeros((self.site.len(), sites));
        for (row, &site) in self.site.iter().enumerate() {
            dummies[[row, site as usize]] = 1.0;
        }
        dummies
    }
}
