//! Values that users give by the name of the trial.

use crate::design::Label;
use crate::effect::{Estimate, Scale, TreatmentEffects};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// What is known of one trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct OfTrial<T> {
    pub(super) trial: Label,
    pub(super) value: T,
}

/// Values by the names of trials.
pub(super) fn by_trial<N: AsRef<str>, T>(values: impl IntoIterator<Item = (N, T)>) -> Vec<OfTrial<T>> {
    values.into_iter().map(|(trial, value)| OfTrial { trial: Label::new(trial), value }).collect()
}

/// One value for each estimate, in the order of the estimates. `what` names the values in an error.
///
/// # Errors
/// A trial of the pool without a value, or with two; a name that no trial has, with the treatment or without
/// it.
pub(super) fn in_order<S: Scale, T: Clone>(
    effects: &TreatmentEffects<S>,
    values: &[OfTrial<T>],
    what: &str,
) -> Result<Vec<T>> {
    let trials = || {
        effects.iter().map(|one| one.trial()).chain(effects.without()).chain(effects.without_information())
    };
    let known: HashSet<&Label> = trials().collect();
    let mut given = HashMap::new();
    for OfTrial { trial, value } in values {
        if !known.contains(trial) {
            let known = trials().map(ToString::to_string).collect();
            return Err(ErrorKind::UnknownTrial { name: trial.to_string(), known }.into());
        }
        if given.insert(trial, value).is_some() {
            let why = format!("this trial has two values of {what}; give it one");
            return Err(Error::invalid(why).in_trial(trial));
        }
    }
    let own = |estimate: &Estimate<S>| {
        given.get(estimate.trial()).map(|value| T::clone(value)).ok_or_else(|| {
            let why = format!("this trial has no value of {what}; give it one, or leave the trial out");
            Error::invalid(why).in_trial(estimate.trial())
        })
    };
    effects.iter().map(own).collect()
}
