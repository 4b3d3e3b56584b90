//! Means of arms that come with the influence of each person: crude, or standardised by pseudo-values, with the
//! joint covariance of all arms.

use super::LinearRegression;
use super::adjustment::Adjustment;
use super::clusters::declared_clusters;
use super::regression::RegressionModel;
use super::weight_column::WeightColumn;
use crate::compute::regression::{ClusterShares, ClusterVariance, MarginalVariance};
use crate::design::{Comparison, Continuous, Notice, OutcomeKind, dominant_weights};
use crate::effect::{ArmMeans, Method, VarianceMethod};
use crate::error::{Error, Result};
use ndarray::Array2;

/// The value of one arm with the influence of each of its people.
pub(super) struct OfArm {
    pub value: f64,
    /// The people's rows.
    pub rows: Vec<usize>,
    /// The change of the value for a unit of weight of each.
    pub influence: Vec<f64>,
    pub total: f64,
    /// Where people of the arm do not differ: false if nobody has what is counted, true if everybody has.
    pub constant: Option<bool>,
}

/// The values of all arms, and how they become means.
pub(super) struct InfluenceMeans<'e> {
    pub arms: &'e [OfArm],
    pub weights: Option<&'e [f64]>,
    /// The name of the estimator without covariates, and with.
    pub name: &'static str,
    pub adjusted: &'static str,
    /// Whether values are probabilities.
    pub is_risk: bool,
    pub adjustment: &'e Adjustment,
    /// The variance of standardised means.
    pub variance: Option<MarginalVariance>,
    pub level: f64,
}

impl InfluenceMeans<'_> {
    /// The means of the arms of a comparison of people who have all that the model needs.
    pub(super) fn arm_means<K: OutcomeKind>(&self, complete: &Comparison<K>) -> Result<ArmMeans> {
        let constant = complete.arms().iter().zip(self.arms).filter_map(|(arm, own)| {
            own.constant.map(|everybody| Notice::CertainArm { arm: arm.label.clone(), everybody })
        });
        let constant: Vec<Notice> = constant.collect();
        let means = if self.adjustment.covariates.is_empty() && self.adjustment.references.is_empty() {
            self.crude(complete)?
        } else {
            self.standardized(complete)?
        };
        Ok(means.level(self.level).notices(constant))
    }

    /// The values of the curves; influences are summed by cluster where clusters were declared.
    fn crude<K: OutcomeKind>(&self, comparison: &Comparison<K>) -> Result<ArmMeans> {
        let Self { arms, weights, .. } = *self;
        let k = arms.len();
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let values = arms.iter().map(|arm| arm.value).collect();
        let method = Method::new(self.name);
        let mut notices = comparison.strata_ignored();
        if weights.is_some() {
            let labelled = arms.iter().zip(comparison.arms());
            let told = labelled.filter_map(|(own, arm)| {
                dominant_weights(&arm.label, own.rows.iter().map(|row| weight(*row)))
            });
            notices.extend(told);
        }
        if comparison.clusters().is_none() {
            let mut covariance = Array2::zeros((k, k));
            for (i, arm) in arms.iter().enumerate() {
                let squares =
                    arm.rows.iter().zip(&arm.influence).map(|(row, phi)| (weight(*row) * phi).powi(2));
                covariance[[i, i]] = squares.sum();
            }
            let method = method.variance(VarianceMethod::Other("infinitesimal jackknife".to_owned()));
            return Ok(ArmMeans::new(comparison, values, covariance, method)?.notices(notices));
        }
        let clusters = declared_clusters(comparison)?;
        let mut influence = Array2::zeros((comparison.arm_indices().len(), k));
        for (i, arm) in arms.iter().enumerate() {
            for (&row, phi) in arm.rows.iter().zip(&arm.influence) {
                influence[[row, i]] = weight(row) * phi;
            }
        }
        let shares = ClusterShares::new(&clusters.codes, comparison.arm_indices(), k, weight)?;
        let method = method.variance(VarianceMethod::Clustered(ClusterVariance::Cr2));
        let means = ArmMeans::new(comparison, values, shares.covariance(influence.view()), method)?;
        Ok(means.clusters(shares.df()).notices(notices))
    }

    /// The means of pseudo-values, standardised by a linear regression of them on arms and covariates.
    fn standardized<K: OutcomeKind>(&self, comparison: &Comparison<K>) -> Result<ArmMeans> {
        let arms = self.arms;
        let mut pseudo = vec![0.0; comparison.arm_indices().len()];
        for arm in arms {
            for (&row, phi) in arm.rows.iter().zip(&arm.influence) {
                pseudo[row] = arm.value + arm.total * phi;
            }
        }
        let size = pseudo.iter().fold(0.0_f64, |size, value| size.max(value.abs()));
        let outcomes = comparison.with_outcome(Continuous::new(), pseudo)?;
        let mut model = LinearRegression::new().level(self.level);
        model.adjustment = self.adjustment.clone();
        // People whom a row stands for are rows by now.
        if let Some(WeightColumn::Frequency(_)) = &model.adjustment.weights {
            model.adjustment.weights = None;
        }
        let prepared = model.columns(&outcomes)?;
        let fit = super::linear_regression::LinearModel::fit(&prepared)?;
        let means = fit.arm_means(self.variance.unwrap_or_else(|| fit.default_variance()))?;
        let name = self.adjusted.to_owned();
        let means = means.of_terms(size);
        if self.is_risk {
            for (arm, &risk) in comparison.arms().iter().zip(means.values()) {
                if !(0.0..=1.0 + 1e-12).contains(&risk) {
                    let why = format!(
                        "the standardised risk of this arm is {risk:.4}, as can be where it has hardly any event, or hardly anybody without one; \
                         leave the covariates out"
                    );
                    return Err(Error::not_estimable(why).in_arm(&arm.label));
                }
            }
        }
        Ok(means.described(|about| about.method.estimator = name))
    }
}
