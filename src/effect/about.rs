use super::method::{Estimand, Method};
use super::scale::{AnyScale, Scale, ScaleForm};
use crate::compute::interval::Interval;
use crate::compute::reference_distribution::check_level;
use crate::design::{Comparison, Label, MeasureInfo, Notice, OutcomeKind};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The identity of a result: what an effect is of, how it was made, and the notices that belong to it.
///
/// Every result carries one, and results pool only where it agrees: see [`About::belongs_with`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct About {
    /// The scale of the effect.
    pub scale: AnyScale,
    /// The measure.
    pub measure: MeasureInfo,
    /// The trial, or the trials that were pooled.
    pub trials: Vec<Label>,
    /// The arm with which every treatment is compared.
    pub reference: Label,
    /// Marginal, conditional, or of compliers.
    pub estimand: Estimand,
    /// The estimator with its conventions and covariates.
    pub method: Method,
    /// The confidence level of intervals.
    pub level: f64,
    /// Everything that has to be said beside the numbers.
    pub notices: Vec<Notice>,
}

impl About {
    /// The identity of what an estimator makes of a comparison; the scale is that of the estimates.
    pub(crate) fn of<K: OutcomeKind>(
        comparison: &Comparison<K>,
        estimand: Estimand,
        method: Method,
        level: f64,
    ) -> Result<Self> {
        check_level(level).map_err(|error| comparison.locate(error))?;
        Ok(Self {
            scale: AnyScale::Other("none: values of arms".to_owned()),
            measure: comparison.measure.clone(),
            trials: vec![comparison.trial.clone()],
            reference: comparison.reference().label.clone(),
            estimand,
            method,
            level,
            notices: comparison.notices.clone(),
        })
    }

    /// Adds measure, and the trial if there is one, to an error.
    pub(crate) fn locate(&self, error: Error) -> Error {
        let error = error.in_measure(&self.measure.name);
        match self.trials.as_slice() {
            [trial] => error.in_trial(trial),
            _ => error,
        }
    }

    /// A level between 0 and 1, and each trial once.
    pub(crate) fn check(&self) -> Result<()> {
        check_level(self.level).map_err(|error| self.locate(error))?;
        if self.trials.is_empty() {
            return Err(ErrorKind::NoStudies.into());
        }
        let mut seen = HashSet::new();
        self.trials.iter().find(|trial| !seen.insert(*trial)).map_or(Ok(()), |trial| Err(twice(trial)))
    }

    /// A check, and that the result is of one trial.
    pub(crate) fn check_one_trial(&self) -> Result<()> {
        self.check()?;
        if self.trials.len() == 1 {
            return Ok(());
        }
        let why =
            format!("an estimate is of one trial, but {} are named; pool the trials", self.trials.len());
        Err(self.locate(Error::invalid(why)))
    }

    /// Whether effects can be pooled: of the same scale, measure, unit, horizon, direction of benefit,
    /// reference and estimand.
    ///
    /// # Errors
    /// The first part in which they differ, with both values.
    pub fn belongs_with(&self, other: &Self) -> Result<()> {
        self.agrees(other, true)
    }

    /// As [`About::belongs_with`], but with any reference: in a network trials differ in it.
    pub(crate) fn same_network(&self, other: &Self) -> Result<()> {
        self.agrees(other, false)
    }

    /// The exponential of a value where the scale is a log ratio.
    pub fn ratio(&self, value: f64) -> Option<f64> {
        (self.scale.form() == ScaleForm::LogRatio).then(|| value.exp())
    }

    /// The exponential of an interval where the scale is a log ratio.
    pub fn ratio_interval(&self, interval: Interval) -> Option<Interval> {
        (self.scale.form() == ScaleForm::LogRatio).then(|| interval.map(f64::exp))
    }

    fn agrees(&self, other: &Self, with_reference: bool) -> Result<()> {
        let (mine, theirs) = (self.parts(), other.parts());
        let mut pairs = mine.iter().zip(&theirs).filter(|(part, _)| with_reference || part.0 != "reference");
        match pairs.find(|(one, two)| one != two) {
            None => Ok(()),
            Some(((what, one), (_, two))) => Err(other.locate(apart(what, one, two))),
        }
    }

    fn parts(&self) -> [(&'static str, String); 7] {
        let optional = |text: &Option<String>| text.clone().unwrap_or_else(|| "not declared".to_owned());
        [
            ("scale", self.scale.to_string()),
            ("measure", self.measure.name.clone()),
            ("unit", optional(&self.measure.unit)),
            ("horizon", optional(&self.measure.horizon)),
            ("direction of benefit", self.measure.direction.to_string()),
            ("reference", self.reference.to_string()),
            ("estimand", self.estimand.to_string()),
        ]
    }
}

/// The notice about an interval of a difference in proportions that leaves what such a difference can be.
pub(crate) fn impossible_limits(scale: &AnyScale, treatment: &Label, interval: Interval) -> Option<Notice> {
    let beyond = interval.lower() < -1.0 || interval.upper() > 1.0;
    (beyond && *scale == AnyScale::RiskDifference)
        .then(|| Notice::ImpossibleLimits { treatment: treatment.clone() })
}

/// Two values of a part that must be one.
pub(super) fn apart(what: &str, one: &str, two: &str) -> Error {
    ErrorKind::Incompatible(format!(
        "these estimates do not belong together: the {what} of those before is \"{one}\", here it is \"{two}\"; pool them apart"
    ))
    .into()
}

pub(super) fn twice(trial: &Label) -> Error {
    let why = "this trial occurs twice; pool each trial once".to_owned();
    Error::from(ErrorKind::Incompatible(why)).in_trial(trial)
}
