use super::{CategoryEstimator, Estimator};
use crate::design::{Comparison, OutcomeKind};
use crate::effect::Estimates;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// The effects on one category of an outcome with several, from an estimator of all of them.
///
/// Made by `in_category(..)` of an estimator of categories. Its estimates pool and report like those of any
/// other estimator; the category is part of the name of the measure, so that effects on different categories
/// do not pool.
///
/// # Formula
/// That of the estimator, which is fitted to all categories.
///
/// # Assumptions
/// Those of the estimator.
///
/// # Interval
/// That of the estimator; a simultaneous one still covers all categories.
///
/// # Errors
/// Those of the estimator; a category that was not declared, or for which nothing can be estimated.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str(
///     "\
///     arm,contract\nc,none\nc,none\nc,permanent\nt,none\nt,permanent\nt,permanent\n",
/// )?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let permanent = DifferenceInCategories::new().in_category("permanent");
/// let effect =
///     trial.on(&Contract::nominal("contract"))?.estimate(&permanent)?.treatment("t")?;
/// let binary = trial
///     .on(&Contract::permanent("contract"))?
///     .estimate(&DifferenceInProportions::new())?
///     .treatment("t")?;
/// assert_eq!(effect.interval(), binary.interval());
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Those of the estimator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InCategory<E> {
    #[serde(rename = "of")]
    pub(super) estimator: E,
    pub(super) category: String,
}

impl<E> InCategory<E> {
    /// The effects of an estimator on one category.
    pub fn new(estimator: E, category: impl AsRef<str>) -> Self {
        Self { estimator, category: category.as_ref().to_owned() }
    }
}

impl<K: OutcomeKind, E: CategoryEstimator<K>> Estimator<K> for InCategory<E> {
    type Scale = E::Scale;

    fn estimate(&self, comparison: &Comparison<K>) -> Result<Estimates<E::Scale>> {
        self.estimator.estimate_categories(comparison)?.category(&self.category)
    }
}

/// The method that narrows an estimator of categories to one of them.
macro_rules! in_category {
    () => {
        /// The estimator of the effects on one category, which pool and report like any others.
        pub fn in_category(&self, category: impl AsRef<str>) -> $crate::estimator::InCategory<Self>
        where
            Self: Clone,
        {
            $crate::estimator::InCategory::new(self.clone(), category)
        }
    };
}
pub(super) use in_category;
