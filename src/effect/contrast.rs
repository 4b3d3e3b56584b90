//! What one estimate and all estimates of a trial share: context, contrasts, and their checks.

use super::method::{Estimand, Method};
use crate::compute::distribution::{Normal, StudentT};
use crate::compute::interval::{Interval, extended};
use crate::design::{ComparedArm, Comparison, Label, MeasureInfo, Notice, OutcomeKind};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Where an estimate comes from and how it was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Context {
    pub trial: Label,
    pub measure: MeasureInfo,
    pub reference: ComparedArm,
    pub estimand: Estimand,
    pub method: Method,
    pub level: f64,
    pub notices: Vec<Notice>,
}

/// One treatment against the reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Contrast {
    pub treatment: ComparedArm,
    pub value: f64,
    pub se: f64,
    #[serde(with = "extended")]
    pub statistic: f64,
    pub df: Option<f64>,
    pub interval: Interval,
}

impl Context {
    pub(crate) fn of<K: OutcomeKind>(
        comparison: &Comparison<K>,
        estimand: Estimand,
        method: Method,
        level: f64,
    ) -> Result<Self> {
        check_level(level).map_err(|error| comparison.locate(error))?;
        Ok(Self {
            trial: comparison.trial.clone(),
            measure: comparison.measure.clone(),
            reference: comparison.reference().clone(),
            estimand,
            method,
            level,
            notices: comparison.notices.clone(),
        })
    }

    pub(crate) fn locate(&self, error: Error) -> Error {
        error.in_measure(&self.measure.name).in_trial(&self.trial)
    }

    pub(crate) fn check(&self) -> Result<()> {
        check_level(self.level).map_err(|error| self.locate(error))?;
        let counts = self.reference.counts.check();
        counts.map_err(|error| self.locate(error.in_arm(&self.reference.label)))
    }

    /// Checks a contrast, and that it is one with another arm.
    pub(crate) fn check_contrast(&self, contrast: &Contrast) -> Result<()> {
        let label = &contrast.treatment.label;
        if *label == self.reference.label {
            let why = "the treatment has the label of the reference; give it another";
            return Err(self.locate(Error::invalid(why).in_arm(label)));
        }
        contrast.check().map_err(|error| self.locate(error))
    }
}

impl Contrast {
    /// Wald: `value -/+ q se`, with `q` from Student's t where degrees of freedom are given, else from the normal distribution.
    pub(crate) fn wald(
        treatment: ComparedArm,
        value: f64,
        variance: f64,
        df: Option<f64>,
        level: f64,
    ) -> Result<Self> {
        let se = variance.sqrt();
        let quantile = match df {
            Some(df) => StudentT::new(df)?.upper_quantile(0.5 * (1.0 - level)),
            None => Normal.upper_quantile(0.5 * (1.0 - level)),
        };
        let interval = Interval::new(value - quantile * se, value + quantile * se)?;
        let contrast = Self { treatment, value, se, statistic: ratio(value, se), df, interval };
        contrast.check()?;
        Ok(contrast)
    }

    pub(crate) fn p_greater(&self) -> f64 {
        self.sf(self.statistic)
    }

    pub(crate) fn p_less(&self) -> f64 {
        self.sf(-self.statistic)
    }

    pub(crate) fn p_value(&self) -> f64 {
        (2.0 * self.sf(self.statistic.abs())).min(1.0)
    }

    fn sf(&self, x: f64) -> f64 {
        match self.df.map(StudentT::new) {
            Some(Ok(t)) => t.sf(x),
            _ => Normal.sf(x),
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        self.treatment.counts.check().map_err(|error| error.in_arm(&self.treatment.label))?;
        let df = self.df.is_none_or(|df| df > 0.0);
        if self.value.is_finite() && self.se >= 0.0 && self.se.is_finite() && !self.statistic.is_nan() && df {
            Ok(())
        } else {
            Err(Error::invalid(format!(
                "an estimate needs a finite value, a standard error of zero or more and positive degrees of freedom; \
                 got value {}, standard error {}, statistic {}, degrees of freedom {:?}",
                self.value, self.se, self.statistic, self.df
            ))
            .in_arm(&self.treatment.label))
        }
    }
}

/// Value over standard error; 0 where both are zero.
fn ratio(value: f64, se: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value / se }
}

pub(crate) fn check_level(level: f64) -> Result<()> {
    if level > 0.0 && level < 1.0 {
        Ok(())
    } else {
        Err(Error::invalid(format!(
            "a level of {level} is no confidence level; give one between 0 and 1, such as 0.95"
        )))
    }
}
