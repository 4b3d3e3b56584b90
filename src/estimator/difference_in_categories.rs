use super::in_category::in_category;
use super::options::{field, is_usual, level_setter};
use super::{CategoryEstimator, DifferenceInProportions, Estimator};
use crate::compute::categorical::{Simultaneous, SimultaneousFamily};
use crate::compute::proportion::DifferenceInterval;
use crate::compute::reference_distribution::check_level;
use crate::design::{Categorical, Categories, Comparison};
use crate::effect::{
    About, CategoryEffects, CategoryEstimates, CategoryProbabilities, Method, RiskDifference,
};
use crate::error::{Error, Result};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The difference in the share of every category, treatment minus reference: the primary effect on an outcome
/// of several categories.
///
/// Use it unadjusted, on nominal and ordinal outcomes, also where a category is rare or empty. With
/// covariates: [`MultinomialRegression::marginal`](crate::estimator::MultinomialRegression::marginal).
///
/// # Formula
/// `x_ak` of `n_a` people of arm `a` are in category `k`: `d_ak = p_ak - p_0k` with `p_ak = x_ak / n_a`, a
/// proportion. The shares of an arm are multinomial, `Cov(p_ak, p_am) = (p_ak [k = m] - p_ak p_am) / n_a`,
/// and all treatments share the reference: `Cov(d_ak, d_bm) = [a = b] Cov(p_ak, p_am) + Cov(p_0k, p_0m)`. The
/// differences of a treatment sum to zero.
///
/// # Assumptions
/// People were randomised one by one, with the same probabilities everywhere, and their outcomes are
/// independent.
///
/// # Interval
/// That of [`DifferenceInProportions`](crate::estimator::DifferenceInProportions) for being in the category:
/// Miettinen-Nurminen by default. Each has the level by itself; with [`DifferenceInCategories::simultaneous`]
/// all treatments and categories together have it, every interval being made at the level that belongs to the
/// shared critical value. P-values are those of single effects.
///
/// # Errors
/// Fewer than two categories; a level that is not between 0 and 1.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str(
///     "\
///     arm,contract\nc,none\nc,none\nc,temporary\nc,permanent\nt,none\nt,temporary\n\
///     t,permanent\nt,permanent\n",
/// )?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let estimator = DifferenceInCategories::new().simultaneous(Simultaneous::MaxT);
/// let effects = trial.on(&Contract::nominal("contract"))?.estimate_categories(&estimator)?;
/// let none = effects.category("none")?.treatment("t")?;
/// assert_eq!(none.value(), -0.25);
/// // p(none) p(permanent) / n in both arms
/// assert!((effects.covariance[[0, 2]] + (0.5 * 0.25 + 0.25 * 0.5) / 4.0).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Agresti A (2013), Categorical Data Analysis, 3rd edition, chapter 1. Goodman LA (1964), Annals of
/// Mathematical Statistics 35:716. Hothorn T, Bretz F, Westfall P (2008), Biometrical Journal 50:346.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DifferenceInCategories {
    #[serde(deserialize_with = "field::interval")]
    interval: DifferenceInterval,
    #[serde(deserialize_with = "field::simultaneous")]
    simultaneous: Simultaneous,
    #[serde(skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

impl Default for DifferenceInCategories {
    fn default() -> Self {
        Self {
            interval: DifferenceInterval::MiettinenNurminen,
            simultaneous: Simultaneous::Individual,
            level: 0.95,
        }
    }
}

impl DifferenceInCategories {
    /// Miettinen-Nurminen intervals, each with the level 0.95 by itself.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// The interval; default: Miettinen-Nurminen.
        interval: DifferenceInterval;
        /// Whether the intervals of all treatments and categories hold together; default: each by itself.
        simultaneous: Simultaneous;
    }

    level_setter!();

    in_category!();

    /// The share of every category in every arm, with the multinomial covariance.
    ///
    /// # Errors
    /// See [`DifferenceInCategories`].
    pub fn probabilities<K: Categorical>(&self, comparison: &Comparison<K>) -> Result<CategoryProbabilities> {
        let categories = comparison.by_category()?;
        let shares = shares(&categories);
        let covariance = multinomial(&shares, &categories);
        let method = Method::new("shares of categories");
        let probabilities = CategoryProbabilities::new(comparison, &categories, shares, covariance, method)?;
        let probabilities =
            probabilities.notices(comparison.clusters_ignored()).notices(comparison.strata_ignored());
        Ok(probabilities.level(self.level).simultaneous(self.simultaneous))
    }
}

impl<K: Categorical> CategoryEstimator<K> for DifferenceInCategories {
    type Scale = RiskDifference;

    fn estimate_categories(&self, comparison: &Comparison<K>) -> Result<CategoryEffects<RiskDifference>> {
        check_level(self.level)?;
        let probabilities = self.probabilities(comparison)?.simultaneous(Simultaneous::Individual);
        // The covariance, and notices of empty categories.
        let (linear, covariance) = probabilities.linear(&RiskDifference)?;
        let family = Arc::new(SimultaneousFamily::new(self.simultaneous, covariance.view())?);
        let categories = comparison.by_category()?;
        let estimator = DifferenceInProportions::new().interval(self.interval).level(self.level);
        let mut estimates = Vec::with_capacity(categories.labels.len());
        let mut identity = None;
        for (m, (plain, label)) in linear.into_iter().zip(categories.labels.iter()).enumerate() {
            let event = comparison.in_category(&categories, m);
            let notices = plain.about.notices.clone();
            let one = estimator.estimate(&event)?.described(|about| {
                about.notices = notices;
                "difference in categories".clone_into(&mut about.method.estimator);
            });
            let one = CategoryEstimates::new(label.clone(), &one).together(&family)?;
            identity = Some(About { measure: comparison.measure().clone(), ..one.estimates.about().clone() });
            estimates.push(one);
        }
        let Some(identity) = identity else {
            return Err(Error::invalid("the outcome has no categories; declare them"));
        };
        CategoryEffects::new(identity, categories.labels, categories.counts, estimates, covariance)
    }
}

fn shares(categories: &Categories) -> Array2<f64> {
    let mut shares = categories.counts.mapv(|count| count as f64);
    for mut row in shares.rows_mut() {
        let n = row.sum();
        row /= n;
    }
    shares
}

/// The covariance of the shares, arm by arm.
fn multinomial(shares: &Array2<f64>, categories: &Categories) -> Array2<f64> {
    let (arms, k) = shares.dim();
    let counts: ArrayView2<u64> = categories.counts.view();
    Array2::from_shape_fn((arms * k, arms * k), |(i, j)| {
        let (arm, m, l) = (i / k, i % k, j % k);
        if arm != j / k {
            return 0.0;
        }
        let (p, q) = (shares[[arm, m]], shares[[arm, l]]);
        let n = counts.row(arm).sum() as f64;
        if m == l { p * (1.0 - p) / n } else { -p * q / n }
    })
}
