//! Variances for people in clusters, shared by estimators with and without a regression.

use super::adjustment::Prepared;
use crate::compute::linalg::symmetrised;
use crate::compute::regression::{
    ClusterVariance, Clustered, Family, Fit, Glm, ModelMatrix, VarianceType, Weights,
};
use crate::compute::weighting::{NuisanceVariance, WeightedMeans};
use crate::design::{Comparison, Groups, OutcomeKind, People};
use crate::effect::{
    About, ArmMeans, Contrast, ContrastScale, Estimand, Estimates, IntervalMethod, Method, VarianceMethod,
};
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array2, ArrayView1, ArrayView2};
use serde::de::IntoDeserializer;
use serde::{Deserialize, Deserializer, Serialize};

/// The variance of the coefficients of a regression: people independent of each other, or alike within the
/// declared clusters.
///
/// Where clusters were declared a regression counts them by default. [`VarianceType`] and [`ClusterVariance`]
/// turn into it, so that either can be given to `variance(..)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum CoefficientVariance {
    /// People are independent of each other. Where clusters were declared a notice says so.
    Independent(VarianceType),
    /// People of a cluster may be alike. CR2 comes with Student's t on Satterthwaite's degrees of freedom of
    /// each effect (Bell & McCaffrey 2002; Pustejovsky & Tipton 2018), the others with Student's t on the
    /// clusters of the two arms of an effect less 1, and of a coefficient on all clusters less 1 (Cameron &
    /// Miller 2015, Journal of Human Resources 50:317).
    Clustered(ClusterVariance),
}

from! {
    VarianceType => CoefficientVariance: |variance| Self::Independent(variance);
    ClusterVariance => CoefficientVariance: |variance| Self::Clustered(variance);
}

/// From one word; an error lists the words of both kinds.
impl<'de> Deserialize<'de> for CoefficientVariance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        type Wrong = serde::de::value::Error;
        const WORDS: &[&str] =
            &["model", "hc0", "hc1", "hc2", "hc3", "cr0", "cr1", "cr1s", "cr2", "cr2_pearson", "cr3"];
        let word = String::deserialize(deserializer)?;
        let read = || -> Result<Self, Wrong> {
            let independent = VarianceType::deserialize(word.as_str().into_deserializer());
            independent.map(Self::Independent).or_else(|_: Wrong| {
                ClusterVariance::deserialize(word.as_str().into_deserializer()).map(Self::Clustered)
            })
        };
        read().map_err(|_| serde::de::Error::unknown_variant(&word, WORDS))
    }
}

impl CoefficientVariance {
    /// That which was chosen, or the default of the design.
    pub(super) fn or_default<K: OutcomeKind>(
        chosen: Option<Self>,
        comparison: &Comparison<K>,
        independent: VarianceType,
        clustered: ClusterVariance,
    ) -> Self {
        chosen.unwrap_or_else(|| match comparison.clusters() {
            Some(_) => Self::Clustered(clustered),
            None => Self::Independent(independent),
        })
    }

    pub(super) fn method(self) -> VarianceMethod {
        match self {
            Self::Independent(variance) => VarianceMethod::Regression(variance),
            Self::Clustered(variance) => VarianceMethod::Clustered(variance),
        }
    }
}

/// The declared clusters; an error where there are none, or where an arm has too few.
pub(super) fn declared_clusters<K: OutcomeKind>(comparison: &Comparison<K>) -> Result<&Groups> {
    let people = comparison.people()?;
    let Some(clusters) = &people.clusters else {
        return Err(Error::invalid(
            "this variance needs clusters, but the trial declared none; name their column with clusters(..)",
        ));
    };
    let mut first = vec![None; comparison.arms().len()];
    let mut several = vec![false; first.len()];
    for (&arm, &cluster) in people.arm.iter().zip(&clusters.codes) {
        let first = first[arm as usize].get_or_insert(cluster);
        several[arm as usize] |= *first != cluster;
    }
    if let Some(arm) = several.iter().position(|several| !several) {
        let why = "everybody in this arm is in one cluster, and a cluster-robust variance needs two in each arm; leave the arm out \
                   with compare(..).versus(..)";
        let error = Error::from(ErrorKind::InsufficientObservations(why.to_owned()));
        return Err(error.in_arm(&comparison.arms()[arm].label));
    }
    Ok(clusters)
}

/// The degrees of freedom of combinations of the coefficients, one in each row.
pub(super) fn degrees_of_freedom(
    clustered: &Clustered,
    variance: ClusterVariance,
    combinations: ArrayView2<f64>,
) -> Result<Vec<f64>> {
    let pearson = match variance {
        ClusterVariance::Cr2 => false,
        ClusterVariance::Cr2Pearson => true,
        _ => return Ok(vec![clustered.n_clusters() as f64 - 1.0; combinations.nrows()]),
    };
    // `(tr P)^2 / tr P^2` of a positive semi-definite P lies between 1 and its rank; elsewhere it is 0 / 0
    // but for rounding.
    let possible = 1.0 - 1e-6..=clustered.n_clusters() as f64 + 1e-6;
    let df = |df: f64| match df {
        df if possible.contains(&df) => Ok(df),
        _ => Err(ErrorKind::InsufficientObservations(
            "there are too few clusters for Satterthwaite's degrees of freedom; use ClusterVariance::Cr1"
                .to_owned(),
        )
        .into()),
    };
    clustered.satterthwaite_with(pearson, combinations)?.into_iter().map(df).collect()
}

/// The degrees of freedom of the effects of the treatments: of variances without Satterthwaite's the clusters
/// of both arms less 1.
pub(super) fn degrees_of_freedom_of_effects<K: OutcomeKind>(
    comparison: &Comparison<K>,
    clustered: &Clustered,
    variance: ClusterVariance,
    combinations: ArrayView2<f64>,
) -> Result<Vec<f64>> {
    if matches!(variance, ClusterVariance::Cr2 | ClusterVariance::Cr2Pearson) {
        return degrees_of_freedom(clustered, variance, combinations);
    }
    let (people, clusters) = (comparison.people()?, declared_clusters(comparison)?);
    let mut arms = vec![std::collections::HashSet::new(); comparison.arms().len()];
    for (&arm, &cluster) in people.arm.iter().zip(&clusters.codes) {
        arms[arm as usize].insert(cluster);
    }
    Ok(arms[1..].iter().map(|arm| arm.union(&arms[0]).count() as f64 - 1.0).collect())
}

/// Refuses an arm of one person, which a sum of squared residuals would count as certain.
pub(super) fn refuse_alone<K: OutcomeKind>(comparison: &Comparison<K>) -> Result<()> {
    let Some(arm) = comparison.arms().iter().find(|arm| arm.counts.analysed < 2) else { return Ok(()) };
    let why = "only one person is analysed in this arm, who shows no spread, and a robust variance would count that outcome as certain; leave \
               the arm out with compare(..).versus(..), or use a model-based variance where there is one";
    Err(Error::from(ErrorKind::InsufficientObservations(why.to_owned())).in_arm(&arm.label))
}

/// One value of each person: the outcome, or events over exposure with the exposure as weight.
pub(super) struct Responses<'a> {
    pub values: &'a [f64],
    pub weights: Option<&'a [f64]>,
}

impl Responses<'_> {
    /// The mean of every arm.
    fn means(&self, people: &People, arms: usize) -> Vec<f64> {
        let mut sums = vec![(0.0, 0.0); arms];
        for (row, (&arm, value)) in people.arm.iter().zip(self.values).enumerate() {
            let weight = self.weights.map_or(1.0, |weights| weights[row]);
            let (sum, total) = &mut sums[arm as usize];
            *sum += weight * value;
            *total += weight;
        }
        sums.iter().map(|(sum, total)| sum / total).collect()
    }
}

/// The regression of the responses on the arms.
pub(super) fn fit_arms<'a>(
    values: &'a [f64],
    weights: Option<&'a [f64]>,
    matrix: &ModelMatrix<'a>,
) -> Result<Fit<'a>> {
    let mut glm = Glm::new(Family::Gaussian);
    if let Some(weights) = weights {
        glm = glm.weights(Weights::Precision(ArrayView1::from(weights)));
    }
    glm.fit(matrix, ArrayView1::from(values))
}

/// Means of the arms and their contrasts where people of a cluster may be alike: CR2 of the regression on the
/// arms, Student's t with Satterthwaite's degrees of freedom of each linearised contrast.
pub(super) fn clustered_contrasts<K: OutcomeKind, S: ContrastScale>(
    comparison: &Comparison<K>,
    responses: &Responses,
    scale: S,
    method: Method,
    level: f64,
) -> Result<Estimates<S>> {
    let clusters = declared_clusters(comparison)?;
    let people = comparison.people()?;
    let k = comparison.arms().len();
    let labels = comparison.arms().iter().map(|arm| arm.label.to_string());
    let matrix = ModelMatrix::new(people.rows.len())
        .intercept()?
        .category("arm", crate::compute::regression::Category::new(&people.arm, labels))?;
    let fit =
        fit_arms(responses.values, responses.weights, &matrix).map_err(|e| e.without_column("response"))?;
    let clustered = fit.clustered(&clusters.codes)?;
    let coefficients = clustered.covariance(ClusterVariance::Cr2)?;
    // From coefficients to means: the intercept, and for a treatment its own coefficient.
    let to_means = Array2::from_shape_fn((k, k), |(arm, j)| f64::from(u8::from(j == 0 || j == arm)));
    // Not from the coefficients: an arm without events has a mean of exactly zero, and no logarithm.
    let means = responses.means(people, k);
    let covariance = symmetrised(to_means.dot(&coefficients).dot(&to_means.t()));
    let method =
        method.variance(VarianceMethod::Clustered(ClusterVariance::Cr2)).interval(IntervalMethod::StudentT);
    let linear =
        ArmMeans::new(comparison, means.clone(), covariance, method.clone())?.level(level).linear(&scale)?;
    let mut gradients = Array2::zeros((k - 1, k));
    for (i, mut row) in gradients.rows_mut().into_iter().enumerate() {
        // Defined, as the contrasts above are.
        let [treatment, reference] = scale.gradient(means[i + 1], means[0]).unwrap_or_default();
        row.scaled_add(treatment, &to_means.row(i + 1));
        row.scaled_add(reference, &to_means.row(0));
    }
    let df = degrees_of_freedom(&clustered, ClusterVariance::Cr2, gradients.view())?;
    let mut contrasts = Vec::with_capacity(k - 1);
    for (i, (arm, df)) in comparison.treatments().iter().zip(df).enumerate() {
        let variance = linear.covariance[[i, i]];
        if variance.sqrt() <= 1e-12 * fit.pearson_chi2().sqrt() / fit.n().sqrt() {
            return Err(no_variation().in_arm(&arm.label));
        }
        contrasts.push(Contrast::wald(arm.clone(), linear.values[i], variance, Some(df), level)?);
    }
    let mut about = About::of(comparison, Estimand::Marginal, method, level)?;
    about.notices.extend(comparison.strata_ignored());
    Estimates::new(scale, about, comparison.reference().clone(), contrasts, linear.covariance)
}

/// An estimator that weights the people of every arm.
pub(super) trait Weighting<K: OutcomeKind> {
    /// The weighted mean of every arm.
    fn arm_means(&self, comparison: &Comparison<K>) -> Result<ArmMeans>;

    /// The contrasts of the means on a scale.
    fn contrast<S: ContrastScale>(&self, means: &ArmMeans, scale: S) -> Result<Estimates<S>> {
        means.contrast(scale)
    }
}

/// Weighted means of the arms; with declared clusters influences are summed by cluster.
pub(super) fn weighted_means<K: OutcomeKind>(
    prepared: &Prepared<K>,
    means: &WeightedMeans,
    variance: NuisanceVariance,
) -> Result<ArmMeans> {
    let comparison = prepared.comparison();
    refuse_alone(comparison)?;
    let told = prepared.strata_ignored().into_iter().chain(prepared.dominant_weights(means.weights())?);
    let values = means.values().to_vec();
    if comparison.clusters().is_none() {
        let method = prepared.method(VarianceMethod::Weighted(variance));
        let means = ArmMeans::new(comparison, values, means.covariance(variance), method)?;
        return Ok(means.notices(told));
    }
    let clusters = declared_clusters(comparison)?;
    let covariance = means.clustered_covariance(variance, &clusters.codes)?;
    let method = prepared.method(VarianceMethod::WeightedClustered(variance));
    let df = means.cluster_df(&clusters.codes)?;
    Ok(ArmMeans::new(comparison, values, covariance, method)?.clusters(df).notices(told))
}

fn no_variation() -> Error {
    let why = "the outcome does not vary between the clusters of this arm nor of the reference, so that the effect has no \
               standard error; check the column, or leave the arm out";
    ErrorKind::ZeroVariance(why.to_owned()).into()
}
