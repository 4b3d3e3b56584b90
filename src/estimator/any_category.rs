//! Estimators of categories as data.

use super::adjustment::Adjustment;
use super::any::misfit;
use super::{
    CategoryEstimator, CategoryMarginal, DifferenceInCategories, InCategory, MultinomialRegression,
    ProportionalOddsRegression,
};
use crate::design::{Comparison, Nominal, Ordinal, OutcomeKind};
use crate::effect::{AnyScale, CategoryEffects, ContrastScale};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// An estimator of effects on every category known only at run time: what [`AnyEstimator::InCategory`](crate::estimator::AnyEstimator) narrows to one category.
///
/// ```
/// use armwise::estimator::AnyCategoryEstimator;
/// use armwise::prelude::*;
///
/// let text = r#"{"estimator": "marginal", "scale": "risk_difference",
///                "model": {"estimator": "multinomial_regression", "adjust_for": ["age"]}}"#;
/// let any: AnyCategoryEstimator = serde_json::from_str(text).unwrap();
/// assert_eq!(any, MultinomialRegression::new().adjust_for(["age"]).marginal(RiskDifference).into());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "estimator", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AnyCategoryEstimator {
    /// Differences in shares.
    DifferenceInCategories(DifferenceInCategories),
    /// Conditional odds ratios against a base category.
    MultinomialRegression(MultinomialRegression),
    /// Marginal effects of a regression on a scale.
    Marginal(CategoryMarginal<AnyCategoryRegression, AnyScale>),
}

/// A regression of categories known only at run time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "estimator", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AnyCategoryRegression {
    /// Of categories without order, or with one.
    MultinomialRegression(MultinomialRegression),
    /// Of ordered categories.
    ProportionalOddsRegression(ProportionalOddsRegression),
}

impl From<DifferenceInCategories> for AnyCategoryEstimator {
    fn from(estimator: DifferenceInCategories) -> Self {
        Self::DifferenceInCategories(estimator)
    }
}

impl From<MultinomialRegression> for AnyCategoryEstimator {
    fn from(model: MultinomialRegression) -> Self {
        Self::MultinomialRegression(model)
    }
}

impl From<MultinomialRegression> for AnyCategoryRegression {
    fn from(model: MultinomialRegression) -> Self {
        Self::MultinomialRegression(model)
    }
}

impl From<ProportionalOddsRegression> for AnyCategoryRegression {
    fn from(model: ProportionalOddsRegression) -> Self {
        Self::ProportionalOddsRegression(model)
    }
}

impl<M: Into<AnyCategoryRegression>, S: ContrastScale> From<CategoryMarginal<M, S>> for AnyCategoryEstimator {
    fn from(marginal: CategoryMarginal<M, S>) -> Self {
        let CategoryMarginal { model, scale, variance, simultaneous } = marginal;
        Self::Marginal(CategoryMarginal {
            model: model.into(),
            scale: scale.to_any(),
            variance,
            simultaneous,
        })
    }
}

/// Which regressions give the probabilities of which kind of categories.
macro_rules! of_categories {
    ($($kind:ident: $($model:ident),+;)+) => {
        $(impl CategoryEstimator<$kind> for AnyCategoryEstimator {
            type Scale = AnyScale;

            fn estimate_categories(&self, comparison: &Comparison<$kind>) -> Result<CategoryEffects<AnyScale>> {
                Ok(match self {
                    Self::DifferenceInCategories(estimator) => estimator.estimate_categories(comparison)?.to_any(),
                    Self::MultinomialRegression(model) => model.estimate_categories(comparison)?.to_any(),
                    Self::Marginal(CategoryMarginal { model, scale, variance, simultaneous }) => {
                        let probabilities = match model {
                            $(AnyCategoryRegression::$model(model) => model.probabilities(comparison, *variance)?,)+
                            #[allow(unreachable_patterns)]
                            _ => return Err(misfit(model.name(), <$kind as OutcomeKind>::NAME)),
                        };
                        probabilities.simultaneous(*simultaneous).contrast_any(scale)?
                    }
                })
            }
        })+
    };
}
of_categories! {
    Nominal: MultinomialRegression;
    Ordinal: MultinomialRegression, ProportionalOddsRegression;
}

impl AnyCategoryRegression {
    fn name(&self) -> &'static str {
        match self {
            Self::MultinomialRegression(_) => "multinomial_regression",
            Self::ProportionalOddsRegression(_) => "proportional_odds_regression",
        }
    }
}

impl AnyCategoryEstimator {
    /// Its words, without covariates.
    pub(super) fn words(&self) -> String {
        match self {
            Self::DifferenceInCategories(_) => "difference in categories".to_owned(),
            Self::MultinomialRegression(_) => "multinomial regression".to_owned(),
            Self::Marginal(marginal) => {
                format!("marginal {} by {}", marginal.scale, marginal.model.name().replace('_', " "))
            }
        }
    }

    /// The scale of a contrast of probabilities.
    pub(super) fn contrast_scale(&self) -> Option<&AnyScale> {
        if let Self::Marginal(marginal) = self { Some(&marginal.scale) } else { None }
    }

    pub(super) fn is_model(&self) -> bool {
        !matches!(self, Self::DifferenceInCategories(_))
    }

    /// Whether it estimates effects on the categories of this kind of outcome.
    pub(super) fn fits(&self, kind: &str) -> bool {
        let ordered = match self {
            Self::Marginal(marginal) => {
                matches!(marginal.model, AnyCategoryRegression::ProportionalOddsRegression(_))
            }
            _ => false,
        };
        kind == Ordinal::NAME || kind == Nominal::NAME && !ordered
    }

    pub(super) fn adjustment(&self) -> Option<&Adjustment> {
        match self {
            Self::DifferenceInCategories(_) => None,
            Self::MultinomialRegression(model) => Some(&model.adjustment),
            Self::Marginal(marginal) => Some(match &marginal.model {
                AnyCategoryRegression::MultinomialRegression(model) => &model.adjustment,
                AnyCategoryRegression::ProportionalOddsRegression(model) => &model.adjustment,
            }),
        }
    }

    pub(super) fn level(&self) -> f64 {
        match self {
            Self::DifferenceInCategories(estimator) => estimator.level,
            Self::MultinomialRegression(model) => model.level,
            Self::Marginal(marginal) => match &marginal.model {
                AnyCategoryRegression::MultinomialRegression(model) => model.level,
                AnyCategoryRegression::ProportionalOddsRegression(model) => model.level,
            },
        }
    }

    pub(super) fn set_level(&mut self, level: f64) {
        match self {
            Self::DifferenceInCategories(estimator) => estimator.level = level,
            Self::MultinomialRegression(model) => model.level = level,
            Self::Marginal(marginal) => match &mut marginal.model {
                AnyCategoryRegression::MultinomialRegression(model) => model.level = level,
                AnyCategoryRegression::ProportionalOddsRegression(model) => model.level = level,
            },
        }
    }
}

impl<E: Into<AnyCategoryEstimator>> InCategory<E> {
    /// The same estimator known only at run time.
    pub(super) fn into_any(self) -> InCategory<AnyCategoryEstimator> {
        InCategory { estimator: self.estimator.into(), category: self.category }
    }
}
