//! Regressions as data, and the fit that several estimators share.

use super::adjustment::{Adjustment, Prepared};
use super::{AdjustedFit, Estimator, LinearRegression, LogisticRegression, Marginal, PoissonRegression};
use crate::compute::regression::{MarginalVariance, VarianceType};
use crate::design::{Binary, Comparison, Continuous, Count, Nominal, Ordinal, OutcomeKind, TimeToEvent};
use crate::effect::{AnyScale, ArmMeans, ContrastScale, Estimates};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// A regression known only at run time, of those that have marginal effects: what [`AnyEstimator::Marginal`](crate::estimator::AnyEstimator) standardises.
///
/// ```
/// use armwise::estimator::AnyRegression;
/// use armwise::prelude::*;
///
/// let text = r#"{"estimator": "logistic_regression", "adjust_for": ["age"], "variance": "hc1"}"#;
/// let model: AnyRegression = serde_json::from_str(text).unwrap();
/// assert_eq!(model, LogisticRegression::new().adjust_for(["age"]).variance(VarianceType::Hc1).into());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "estimator", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AnyRegression {
    /// Of an event.
    LogisticRegression(LogisticRegression),
    /// Of a number on a scale, or of an event.
    LinearRegression(LinearRegression),
    /// Of a number of events.
    PoissonRegression(PoissonRegression),
}

/// A regression whose fit serves its conditional effects and its marginal ones.
pub(super) trait SharedFit<K: OutcomeKind>: Estimator<K> {
    /// The columns of the model.
    fn prepared<'c>(&self, comparison: &'c Comparison<K>) -> Result<Prepared<'c, K>>;

    /// The effects that the estimator itself gives.
    fn conditional(&self, fit: &AdjustedFit<K>) -> Result<Estimates<Self::Scale>>;
}

/// A kind of outcome whose regressions may be shared.
pub(crate) trait Regressed: OutcomeKind {
    #[doc(hidden)]
    fn prepared<'c>(model: &AnyRegression, comparison: &'c Comparison<Self>) -> Result<Prepared<'c, Self>>;
    #[doc(hidden)]
    fn conditional(model: &AnyRegression, fit: &AdjustedFit<Self>) -> Result<Estimates<AnyScale>>;
}

/// Which regressions fit which kind of outcome.
macro_rules! regressions {
    ($($kind:ident: $($name:ident),*;)+) => {
        $(impl Regressed for $kind {
            #[allow(unreachable_patterns, clippy::match_single_binding, unused_variables)]
            fn prepared<'c>(model: &AnyRegression, comparison: &'c Comparison<Self>) -> Result<Prepared<'c, Self>> {
                match model {
                    $(AnyRegression::$name(model) => SharedFit::<$kind>::prepared(model, comparison),)*
                    _ => Err(super::any::misfit(model.name(), Self::NAME)),
                }
            }

            #[allow(unreachable_patterns, clippy::match_single_binding, unused_variables)]
            fn conditional(model: &AnyRegression, fit: &AdjustedFit<Self>) -> Result<Estimates<AnyScale>> {
                match model {
                    $(AnyRegression::$name(model) => Ok(SharedFit::<$kind>::conditional(model, fit)?.to_any()),)*
                    _ => Err(super::any::misfit(model.name(), Self::NAME)),
                }
            }
        }

        impl Estimator<$kind> for Marginal<AnyRegression, AnyScale> {
            type Scale = AnyScale;

            fn estimate(&self, comparison: &Comparison<$kind>) -> Result<Estimates<AnyScale>> {
                let prepared = <$kind as Regressed>::prepared(&self.model, comparison)?;
                let fit = prepared.fit()?;
                fit.arm_means(self.variance_of(&fit))?.contrast_any(&self.scale)
            }
        })+

        impl AnyRegression {
            /// Whether it fits a kind of outcome.
            pub(super) fn fits(&self, kind: &str) -> bool {
                $($(if let (Self::$name(_), true) = (self, kind == <$kind as OutcomeKind>::NAME) {
                    return true;
                })*)+
                false
            }
        }
    };
}

regressions! {
    Binary: LogisticRegression, LinearRegression;
    Count: PoissonRegression;
    Continuous: LinearRegression;
    Ordinal:;
    Nominal:;
    TimeToEvent:;
}

macro_rules! each_regression {
    ($any:expr, $model:ident => $body:expr) => {
        match $any {
            AnyRegression::LogisticRegression($model) => $body,
            AnyRegression::LinearRegression($model) => $body,
            AnyRegression::PoissonRegression($model) => $body,
        }
    };
}

macro_rules! from_typed {
    ($($name:ident),+) => {
        $(impl From<$name> for AnyRegression {
            fn from(model: $name) -> Self {
                Self::$name(model)
            }
        })+
    };
}
from_typed!(LogisticRegression, LinearRegression, PoissonRegression);

impl AnyRegression {
    /// Its stable word.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::LogisticRegression(_) => "logistic_regression",
            Self::LinearRegression(_) => "linear_regression",
            Self::PoissonRegression(_) => "poisson_regression",
        }
    }

    pub(super) fn adjustment(&self) -> &Adjustment {
        each_regression!(self, model => &model.adjustment)
    }

    pub(super) fn own_level(&self) -> f64 {
        each_regression!(self, model => model.level)
    }

    pub(super) fn at_level(self, level: f64) -> Self {
        each_regression!(self, model => model.level(level).into())
    }

    /// What the fit depends on: all but the variance, which is taken from the fit.
    pub(super) fn to_fit(&self) -> Self {
        each_regression!(self, model => model.clone().variance(VarianceType::Model).into())
    }
}

impl<M: Into<AnyRegression>, S: ContrastScale> Marginal<M, S> {
    /// The same estimator with model and scale known only at run time.
    pub(super) fn into_any(self) -> Marginal<AnyRegression, AnyScale> {
        Marginal { model: self.model.into(), scale: self.scale.to_any(), variance: self.variance }
    }
}

impl<S> Marginal<AnyRegression, S> {
    fn variance_of<K: OutcomeKind>(&self, fit: &AdjustedFit<K>) -> MarginalVariance {
        self.variance.unwrap_or_else(|| fit.default_variance())
    }
}

/// A fitted regression, and the means of arms that were standardised from it.
pub(super) struct Standardizing<'f, 'p, K: OutcomeKind> {
    fit: &'f AdjustedFit<'p, K>,
    means: Vec<(MarginalVariance, Result<ArmMeans>)>,
}

impl<'f, 'p, K: OutcomeKind> Standardizing<'f, 'p, K> {
    pub(super) fn new(fit: &'f AdjustedFit<'p, K>) -> Self {
        Self { fit, means: Vec::new() }
    }

    /// Standardises once for every variance, whatever the number of scales.
    pub(super) fn contrast(
        &mut self,
        marginal: &Marginal<AnyRegression, AnyScale>,
    ) -> Result<Estimates<AnyScale>> {
        let variance = marginal.variance_of(self.fit);
        let known = self.means.iter().position(|(other, _)| *other == variance);
        let place = known.unwrap_or_else(|| {
            self.means.push((variance, self.fit.arm_means(variance)));
            self.means.len() - 1
        });
        match &self.means[place].1 {
            Ok(means) => means.contrast_any(&marginal.scale),
            Err(error) => Err(error.clone()),
        }
    }
}
