use crate::design::{Comparison, Comparisons, OutcomeKind};
use crate::effect::{CategoryEffects, Scale};
use crate::error::Result;

/// From the arms of a trial with an outcome of several categories to the effect of every treatment on every
/// category.
///
/// What [`Estimator`](crate::Estimator) is to one effect per treatment, this is to one per treatment and
/// category. The effects on one category alone, as any other estimator gives them: `in_category(..)` of the
/// estimator, or [`InCategory::new`](crate::estimator::InCategory::new).
///
/// ```
/// use armwise::prelude::*;
///
/// let csv = "city,arm,contract\nA,c,none\nA,c,none\nA,c,permanent\nA,t,none\n\
///      A,t,permanent\nA,t,permanent\nB,c,none\nB,c,none\n\
///            B,c,permanent\nB,t,none\nB,t,temporary\nB,t,permanent\n";
/// let trials = Trials::builder(Table::from_csv_str(csv)?, "city")
///     .arm_labels("arm")
///     .control("c")
///     .build()?;
/// let permanent = DifferenceInCategories::new().in_category("permanent");
/// let effects =
///     trials.on(&Contract::ordinal("contract"))?.estimate(&permanent)?.treatment("t")?;
/// let pooled = CommonEffect::new().pool(&effects)?;
/// assert_eq!(pooled.measure().name, "contract: permanent");
/// # Ok::<(), armwise::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not estimate effects on the categories of an outcome of kind `{K}`",
    label = "this estimator does not fit the outcome",
    note = "the table in the crate's documentation says which estimators fit which kind of outcome"
)]
pub trait CategoryEstimator<K: OutcomeKind> {
    /// The scale of the effects.
    type Scale: Scale;

    /// The effect of every treatment on every category.
    ///
    /// # Errors
    /// What the estimator cannot answer, with trial, measure, arm and what to do next.
    fn estimate_categories(&self, comparison: &Comparison<K>) -> Result<CategoryEffects<Self::Scale>>;
}

impl<K: OutcomeKind> Comparison<K> {
    /// The effect of every treatment against the reference on every category of the outcome.
    ///
    /// # Errors
    /// Those of the estimator.
    pub fn estimate_categories<E: CategoryEstimator<K>>(
        &self,
        estimator: &E,
    ) -> Result<CategoryEffects<E::Scale>> {
        estimator.estimate_categories(self).map_err(|error| self.locate(error))
    }
}

impl<K: OutcomeKind> Comparisons<K> {
    /// The effect of every treatment on every category in every trial, one after the other.
    ///
    /// # Errors
    /// Those of the estimator, in any trial.
    pub fn estimate_categories<E: CategoryEstimator<K>>(
        &self,
        estimator: &E,
    ) -> Result<Vec<CategoryEffects<E::Scale>>> {
        self.iter().map(|comparison| comparison.estimate_categories(estimator)).collect()
    }
}
