//! Pooling within subgroups of studies, and the comparison of the subgroups.

use super::meta_regression::MetaRegression;
use super::moderator::{Intercept, Moderators};
use super::options::{Alternative, PoolingWeights, Tau2};
use super::prepared::check_data;
use super::refit::Refit;
use super::summary::PoolSummary;
use super::univariate::{CommonEffect, RandomEffects};
use crate::compute::curve::{ConfidenceCurve, Inference};
use crate::compute::hypothesis::{ChiSquaredTest, WaldTest};
use crate::compute::interval::Interval;
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whether each subgroup of studies has its own variance between studies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SubgroupTau2 {
    /// Each its own: for subgroups of many studies each.
    Separate,
    /// The same in all: steadier where subgroups hold few studies (Borenstein et al. 2009, chapter 19). The
    /// default.
    #[default]
    Common,
}

/// A subgroup of studies, pooled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subgroup {
    /// The label of its studies.
    pub label: String,
    /// The number of its studies.
    pub k: usize,
    /// The pooled effect.
    pub estimate: f64,
    /// Its standard error.
    pub se: f64,
    /// Degrees of freedom of t; `None` for the standard normal.
    pub df: Option<f64>,
    /// The p-value.
    pub p_value: f64,
    /// The confidence interval.
    pub interval: Interval,
    /// The effect with its confidence curve, two-sided against 0: of the wider of both the larger p-value.
    pub inference: Inference,
    /// The variance between its studies (between the studies of any subgroup, where it is common).
    pub tau2: f64,
    /// Cochran's Q within the subgroup.
    pub q: ChiSquaredTest,
    /// tau²/(tau² + typical variance of the subgroup), from 0 to 1; for a common effect max(0, (Q - df)/Q).
    pub i2: f64,
}

/// Subgroups side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubgroupAnalysis {
    /// The subgroups, in the order of the alphabet.
    pub groups: Vec<Subgroup>,
    /// That the subgroups have the same effect: Q between with weights 1/se², chi-squared beside the normal
    /// distribution and Welch's F beside Student's t; under a common tau² the test of the regression on the
    /// subgroups. Of the wider of both the one with the larger p-value.
    pub between: WaldTest,
    /// Cochran's Q of all studies.
    pub q_total: ChiSquaredTest,
    /// The sum of the Q of the subgroups. For a common effect Q total = Q within + Q between.
    pub q_within: ChiSquaredTest,
    /// The effects of the subgroups, weighted by 1/se².
    pub across_groups: f64,
    /// The standard error of that mean.
    pub across_groups_se: f64,
    /// tau² of all subgroups, where they have it in common.
    pub common_tau2: Option<f64>,
    /// Its Q-profile interval.
    pub common_tau2_interval: Option<Interval>,
}

impl CommonEffect {
    /// Pools each subgroup of studies, given by a label of each study, and compares the subgroups.
    ///
    /// ```
    /// use armwise::meta_analysis::CommonEffect;
    ///
    /// let groups = CommonEffect::new().subgroups(
    ///     &[0.1, 0.2, 0.5],
    ///     &[0.01, 0.02, 0.01],
    ///     &["a", "a", "b"],
    /// )?;
    /// let parts = groups.q_within.statistic + groups.between.statistic;
    /// assert!((groups.q_total.statistic - parts).abs() < 1e-12);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`CommonEffect::pool`]; [`ErrorKind::InsufficientStudies`] for fewer than two subgroups.
    pub fn subgroups<S: AsRef<str>>(&self, yi: &[f64], vi: &[f64], labels: &[S]) -> Result<SubgroupAnalysis> {
        let groups = Groups::new(yi, vi, labels)?;
        let pools = groups.pool(|members, yi, vi| Ok(self.among(members).pool(yi, vi)?.summary))?;
        groups.separate(&pools)
    }
}

impl RandomEffects {
    /// Pools each subgroup of studies, given by a label of each study, and compares the subgroups. A subgroup
    /// of one study has the study's own standard error and the normal test.
    ///
    /// ```
    /// use armwise::meta_analysis::{RandomEffects, SubgroupTau2};
    ///
    /// let (yi, vi) = ([0.1, 0.2, 0.5, 0.3], [0.01, 0.02, 0.01, 0.02]);
    /// let labels = ["urban", "urban", "rural", "rural"];
    /// let groups = RandomEffects::new().subgroups(&yi, &vi, &labels, SubgroupTau2::Common)?;
    /// assert_eq!((groups.groups[0].label.as_str(), groups.between.df), ("rural", 1.0));
    /// assert_eq!(groups.groups[0].tau2, groups.groups[1].tau2);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`RandomEffects::pool`]; [`ErrorKind::InsufficientStudies`] for fewer than two subgroups;
    /// [`ErrorKind::InvalidInput`] for a common tau² with weights, a null value or an alternative of one's
    /// own.
    pub fn subgroups<S: AsRef<str>>(
        &self,
        yi: &[f64],
        vi: &[f64],
        labels: &[S],
        tau2: SubgroupTau2,
    ) -> Result<SubgroupAnalysis> {
        let groups = Groups::new(yi, vi, labels)?;
        match tau2 {
            SubgroupTau2::Separate => {
                let pools = groups.pool(|members, yi, vi| Ok(self.among(members).pool(yi, vi)?.summary))?;
                groups.separate(&pools)
            }
            SubgroupTau2::Common => self.common_tau2(&groups),
        }
    }

    fn common_tau2(&self, groups: &Groups<'_>) -> Result<SubgroupAnalysis> {
        let settings = &self.settings;
        let plain = settings.weights == PoolingWeights::InverseVariance
            && settings.null_value == 0.0
            && settings.alternative == Alternative::TwoSided
            && self.tau2 != Tau2::GeneralizedQ;
        if !plain {
            return Err(Error::invalid(
                "a common tau² of subgroups comes from a regression, which takes no given weights, null value \
                 or alternative; take a separate tau² in each",
            ));
        }
        let model = MetaRegression::new().tau2(self.tau2).test(settings.test).level(settings.level);
        let labels: Vec<&str> = groups.labels();
        let design = |intercept| Moderators::new().category("subgroup", &labels).intercept(intercept);
        let means = model.fit(groups.yi, groups.vi, &design(Intercept::None))?;
        let contrasts = model.fit(groups.yi, groups.vi, &design(Intercept::Included))?;
        let within = CommonEffect::new();
        let pools = groups.pool(|_, yi, vi| Ok(within.pool(yi, vi)?.summary))?;
        let count = means.coefficients.len();
        let rows = groups.members.iter().zip(&pools).zip(&means.coefficients).enumerate();
        let rows = rows.map(|(j, ((group, pool), mean))| {
            let own: Vec<f64> = (0..count).map(|i| f64::from(u8::from(i == j))).collect();
            let i2 = pool.typical_variance.map_or(0.0, |typical| means.tau2 / (means.tau2 + typical));
            Ok(Subgroup {
                label: group.label.clone(),
                k: pool.k,
                estimate: mean.estimate,
                se: mean.se,
                df: mean.df,
                p_value: mean.p_value,
                interval: mean.interval,
                inference: means.inference(&own)?,
                tau2: means.tau2,
                q: pool.q,
                i2,
            })
        });
        let between = contrasts.moderator_test.ok_or_else(one_group)?;
        let mut analysis = groups.assemble(rows.collect::<Result<_>>()?, Some(between))?;
        analysis.common_tau2 = Some(means.tau2);
        analysis.common_tau2_interval = means.tau2_interval;
        Ok(analysis)
    }
}

fn one_group() -> Error {
    ErrorKind::InsufficientStudies(
        "a comparison of subgroups needs at least two of them; pool the studies as they are".into(),
    )
    .into()
}

/// The studies of a subgroup.
struct Members {
    label: String,
    studies: Vec<usize>,
}

struct Groups<'a> {
    yi: &'a [f64],
    vi: &'a [f64],
    members: Vec<Members>,
}

impl<'a> Groups<'a> {
    fn new<S: AsRef<str>>(yi: &'a [f64], vi: &'a [f64], labels: &[S]) -> Result<Self> {
        check_data(yi, vi, labels.len())?;
        let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (study, label) in labels.iter().enumerate() {
            members.entry(label.as_ref()).or_default().push(study);
        }
        if members.len() < 2 {
            return Err(one_group());
        }
        let members = members
            .into_iter()
            .map(|(label, studies)| Members { label: label.to_owned(), studies })
            .collect();
        Ok(Self { yi, vi, members })
    }

    /// The label of each study.
    fn labels(&self) -> Vec<&str> {
        let mut labels = vec![""; self.yi.len()];
        for group in &self.members {
            group.studies.iter().for_each(|study| labels[*study] = &group.label);
        }
        labels
    }

    fn pool(
        &self,
        pool: impl Fn(&[usize], &[f64], &[f64]) -> Result<PoolSummary>,
    ) -> Result<Vec<PoolSummary>> {
        let pick = |values: &[f64], studies: &[usize]| studies.iter().map(|i| values[*i]).collect::<Vec<_>>();
        self.members
            .iter()
            .map(|group| pool(&group.studies, &pick(self.yi, &group.studies), &pick(self.vi, &group.studies)))
            .collect()
    }

    fn separate(&self, pools: &[PoolSummary]) -> Result<SubgroupAnalysis> {
        let rows = self.members.iter().zip(pools).map(|(group, pool)| {
            Ok(Subgroup {
                label: group.label.clone(),
                k: pool.k,
                estimate: pool.estimate,
                se: pool.se,
                df: pool.df,
                p_value: pool.p_value,
                interval: pool.interval,
                inference: pool.inference()?,
                tau2: pool.tau2,
                q: pool.q,
                i2: pool.i2,
            })
        });
        self.assemble(rows.collect::<Result<_>>()?, None)
    }

    fn assemble(&self, groups: Vec<Subgroup>, between: Option<WaldTest>) -> Result<SubgroupAnalysis> {
        let Across { mean, se, .. } = Across::of(groups.iter().map(own));
        let between = if let Some(between) = between {
            between
        } else {
            let wald = equality(&groups, own)?;
            let other = equality(&groups, hartung_knapp)?;
            if other.p_value > wald.p_value { other } else { wald }
        };
        let q_within: f64 = groups.iter().map(|group| group.q.statistic).sum();
        Ok(SubgroupAnalysis {
            q_total: CommonEffect::new().pool(self.yi, self.vi)?.q,
            q_within: ChiSquaredTest::new(q_within, (self.yi.len() - groups.len()) as f64)?,
            across_groups: mean,
            across_groups_se: se,
            common_tau2: None,
            common_tau2_interval: None,
            between,
            groups,
        })
    }
}

/// What is known of the effect of one subgroup: value, standard error and degrees of freedom of t.
struct Known {
    value: f64,
    se: f64,
    df: Option<f64>,
}

/// By the curve of the subgroup: of the larger of two its normal one.
fn own(group: &Subgroup) -> Known {
    let one = &group.inference;
    Known { value: one.value(), se: one.se(), df: one.df() }
}

/// The same, of the larger of two curves the other one.
fn hartung_knapp(group: &Subgroup) -> Known {
    match *group.inference.curve() {
        ConfidenceCurve::LargerOf { se, df } => Known { se, df: Some(df), ..own(group) },
        _ => own(group),
    }
}

/// The mean of effects by weights 1/se², and their weighted sum of squares around it.
struct Across {
    mean: f64,
    se: f64,
    q: f64,
}

impl Across {
    fn of(effects: impl Iterator<Item = Known> + Clone) -> Self {
        let weight = |one: &Known| 1.0 / (one.se * one.se);
        let total: f64 = effects.clone().map(|one| weight(&one)).sum();
        let mean = effects.clone().map(|one| weight(&one) * one.value).sum::<f64>() / total;
        let q = effects.map(|one| weight(&one) * (one.value - mean).powi(2)).sum();
        Self { mean, se: (1.0 / total).sqrt(), q }
    }
}

/// That independent effects are equal: chi-squared where all are normal, else Welch's F (Welch 1951,
/// Biometrika 38:330), which is the t test with Satterthwaite's degrees of freedom where there are two.
fn equality(groups: &[Subgroup], view: fn(&Subgroup) -> Known) -> Result<WaldTest> {
    let across = Across::of(groups.iter().map(view));
    let count = groups.len() as f64;
    let known = groups.iter().map(view);
    // The share of each in the uncertainty of the others, over its degrees of freedom.
    let lack =
        known.filter_map(|one| Some((1.0 - (across.se / one.se).powi(2)).powi(2) / one.df?)).sum::<f64>();
    if lack == 0.0 {
        return WaldTest::new(across.q, count - 1.0, None);
    }
    let squares = count * count - 1.0;
    let shrink = 1.0 + 2.0 * (count - 2.0) / squares * lack;
    WaldTest::new(across.q / shrink, count - 1.0, Some(squares / (3.0 * lack)))
}
