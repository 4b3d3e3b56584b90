//! Many estimators on one comparison without computing anything twice.

use super::AnyEstimator;
use crate::design::{Comparison, OutcomeKind};
use crate::effect::{AnyScale, Estimates};
use crate::error::Result;

/// The answers of several estimators for one comparison.
pub(crate) struct Estimated {
    /// In the order of the estimators.
    pub results: Vec<Result<Estimates<AnyScale>>>,
    /// The number of models that were fitted.
    pub fits: usize,
}

/// Estimates by all of them; those that share a model share its fit, and those that share standardised or
/// weighted means, or take categories from one estimator of all, share these.
pub(crate) fn estimate_all<K: OutcomeKind>(
    comparison: &Comparison<K>,
    estimators: &[AnyEstimator],
) -> Estimated {
    let shared: Vec<AnyEstimator> = estimators.iter().map(AnyEstimator::shared).collect();
    let mut results: Vec<Option<Result<Estimates<AnyScale>>>> = estimators.iter().map(|_| None).collect();
    let mut fits = 0;
    for (first, step) in shared.iter().enumerate() {
        if results[first].is_some() {
            continue;
        }
        fits += usize::from(step.adjustment().is_some());
        let members: Vec<usize> =
            (first..shared.len()).filter(|&i| i == first || shared[i] == *step).collect();
        let asked: Vec<&AnyEstimator> = members.iter().map(|&i| &estimators[i]).collect();
        for (i, answer) in members.into_iter().zip(step.together(comparison, &asked)) {
            results[i] = Some(answer.map_err(|error| comparison.locate(error)));
        }
    }
    Estimated { results: results.into_iter().flatten().collect(), fits }
}
