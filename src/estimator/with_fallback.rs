use super::Estimator;
use crate::design::{Comparison, Notice, OutcomeKind};
use crate::effect::{About, Estimates, On, Scale};
use crate::error::{Error, Result};
use std::sync::Arc;

/// An estimator with another one, named beforehand, for trials in which it has no answer.
///
/// Use it for effects that are to be pooled: a regression that separates in the city without events would
/// drop that city, and the pool would select its trials by their outcomes. The result of such a trial names
/// the estimator that answered in a notice, and the pool does so too.
///
/// # Formula
/// The first estimator, unless its error lies in the outcomes
/// ([`ErrorKind::depends_on_outcome`](crate::ErrorKind::depends_on_outcome)): then the other, on the same
/// people. Both have one scale, and have to be marginal or conditional alike to be pooled.
///
/// # Assumptions
/// Those of the estimator that answers.
///
/// # Interval
/// That of the estimator that answers.
///
/// # Errors
/// Those of the first estimator that do not lie in the outcomes (a column that does not exist), and those of
/// the other.
///
/// # Examples
/// ```
/// use armwise::estimator::WithFallback;
/// use armwise::prelude::*;
///
/// let text = "arm,age,works\nc,20,0\nc,31,0\nc,45,0\nc,52,0\nt,23,1\nt,34,0\nt,47,1\n\
///     t,51,0\n";
/// let trial = Trial::builder("Utrecht", Table::from_csv_str(text)?)
///     .arm_labels("arm")
///     .control("c")
///     .build()?;
/// let works = trial.on(&Measure::binary("works"))?;
/// let logistic = LogisticRegression::new().adjust_for(["age"]).marginal(RiskDifference);
/// assert!(works.estimate(&logistic).is_err()); // nobody in the control had the event
/// let linear = LinearRegression::new().adjust_for(["age"]);
/// let effects = works.estimate(&WithFallback::new(logistic, linear))?;
/// assert!(effects.notices().iter().any(|notice| matches!(notice, Notice::Fallback { .. })));
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// ICH E9(R1) (2019), addendum on estimands and sensitivity analysis in clinical trials: what is done where
/// an analysis fails is stated beforehand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WithFallback<E, F> {
    first: E,
    fallback: F,
}

impl<E, F> WithFallback<E, F> {
    /// The first estimator, and the one that answers where its error lies in the outcomes.
    pub fn new(first: E, fallback: F) -> Self {
        Self { first, fallback }
    }
}

impl<K: OutcomeKind, E: Estimator<K>, F: Estimator<K, Scale = E::Scale>> Estimator<K> for WithFallback<E, F> {
    type Scale = E::Scale;

    fn estimate(&self, comparison: &Comparison<K>) -> Result<Estimates<E::Scale>> {
        match self.first.estimate(comparison) {
            Err(error) if error.kind().depends_on_outcome() => {
                Ok(instead(&self.fallback.estimate(comparison)?, &error))
            }
            answer => answer,
        }
    }
}

/// The estimates of a fallback, which say so.
pub(crate) fn instead<S: Scale>(estimates: &Estimates<S>, error: &Error) -> Estimates<S> {
    let mut record = (**estimates).clone();
    let notice = Notice::Fallback {
        estimator: estimates.method().estimator.clone(),
        why: error.kind().name().replace('_', " "),
    };
    let mut about: About = (*record.about).clone();
    about.notices.push(notice);
    record.about = Arc::new(about);
    On::of(record)
}
