//! Estimators as data: one table of them.

use super::adjustment::Adjustment;
use super::clusters::Weighting;
use super::prelude::*;
use super::regression::{ModelOf, Regression, StandardizedModel};
use super::{
    CategoryEstimator, CoefficientVariance, Estimator, InCategory, Marginal, WinScale, win_probability,
};
use crate::compute::categorical::Simultaneous;
use crate::compute::regression::MarginalVariance;
use crate::design::{
    Binary, Categorical, Comparison, Continuous, Count, Nominal, Ordinal, OutcomeKind, TimeToEvent,
};
use crate::effect::{AnyScale, ArmMeans, CategoryEffects, ContrastScale, Estimates};
use crate::error::{Error, Result};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use std::any::Any;
use std::fmt;

/// Effects on a scale known only at run time.
type Effects = Estimates<AnyScale>;

/// [`AnyEstimator`] from the table of estimators.
macro_rules! registry {
    (
        closed_form {
            $($c:ident $(<$c_scale:ident: $c_bound:ident>)? = $c_word:literal, $c_step:ident: $($c_kind:ident),*;)+
        }
        model {
            $($m:ident $(<$m_scale:ident: $m_bound:ident>)? = $m_word:literal, $m_step:ident: $($m_kind:ident),*;)+
        }
    ) => {
        /// An estimator known only at run time, with its options: for plans and files.
        ///
        /// Every typed estimator converts into it, and gives the same numbers to the last bit. As data it is
        /// its word under `estimator` beside its options, which bear the names of the setters;
        /// `reference_levels` and `interact_arm_with` are those of
        /// [`reference_level`](crate::estimator::Regression::reference_level) and
        /// [`interact_arm_with`](crate::estimator::Regression::interact_arm_with). An option that is left out
        /// has its default, and an unknown one is refused. Estimators of all categories are for
        /// `in_category`, and for [`estimate_categories`](Comparison::estimate_categories).
        ///
        /// ```
        /// use armwise::estimator::AnyEstimator;
        /// use armwise::prelude::*;
        ///
        /// let model = LogisticRegression::new().adjust_for(["age"]);
        /// let typed = AnyEstimator::from(model.marginal(RiskDifference));
        /// let text = r#"{"estimator": "marginal", "scale": "risk_difference",
        ///                "model": {"estimator": "logistic_regression", "adjust_for": ["age"]}}"#;
        /// assert_eq!(serde_json::from_str::<AnyEstimator>(text).unwrap(), typed);
        ///
        /// let csv = "arm,age,works\nc,20,0\nc,40,1\nc,30,0\nc,45,0\nt,25,1\nt,35,0\nt,50,1\nt,22,1\n";
        /// let trial = Trial::builder("Utrecht", Table::from_csv_str(csv)?)
        ///     .arm_labels("arm")
        ///     .control("c")
        ///     .build()?;
        /// let comparison = trial.on(&Measure::binary("works"))?;
        /// let effects = comparison.estimate(&typed)?;
        /// assert_eq!(effects, comparison.estimate(&model.marginal(RiskDifference))?.to_any());
        /// # Ok::<(), armwise::Error>(())
        /// ```
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "estimator")]
        #[non_exhaustive]
        pub enum AnyEstimator {
            $(#[doc = concat!("[`", stringify!($c), "`].")] #[serde(rename = $c_word)] $c($c $(<$c_scale>)?),)+
            $(#[doc = concat!("[`", stringify!($m), "`].")] #[serde(rename = $m_word)] $m($m $(<$m_scale>)?),)+
            /// Marginal effects of a regression on a scale.
            #[serde(rename = "marginal", deserialize_with = "checked_marginal")]
            Marginal(Marginal<Box<AnyEstimator>, AnyScale>),
            /// Of one category of several, by an estimator of all.
            #[serde(rename = "in_category", deserialize_with = "checked_in_category")]
            InCategory(InCategory<Box<AnyEstimator>>),
        }

        $(registry!(@from $c $(<$c_bound>)?);)+
        $(registry!(@from $m $(<$m_bound>)?);)+

        impl AnyEstimator {
            /// A stable word, such as `"difference_in_proportions"`.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$c(_) => $c_word,)+
                    $(Self::$m(_) => $m_word,)+
                    Self::Marginal(_) => "marginal",
                    Self::InCategory(_) => "in_category",
                }
            }

            fn level_mut(&mut self) -> &mut f64 {
                match self {
                    $(Self::$c(one) => &mut one.level,)+
                    $(Self::$m(one) => &mut one.level,)+
                    Self::Marginal(marginal) => marginal.model.level_mut(),
                    Self::InCategory(one) => one.estimator.level_mut(),
                }
            }

            /// The confidence level that it has.
            pub(crate) fn own_level(&self) -> f64 {
                match self {
                    $(Self::$c(one) => one.level,)+
                    $(Self::$m(one) => one.level,)+
                    Self::Marginal(marginal) => marginal.model.own_level(),
                    Self::InCategory(one) => one.estimator.own_level(),
                }
            }

            /// The covariates of a model; `None` where no model is fitted.
            pub(super) fn adjustment(&self) -> Option<&Adjustment> {
                match self {
                    $(Self::$c(_))|+ => None,
                    $(Self::$m(one) => Some(&one.adjustment),)+
                    Self::Marginal(marginal) => marginal.model.adjustment(),
                    Self::InCategory(one) => one.estimator.adjustment(),
                }
            }

            /// Whether it estimates effects on an outcome of this kind, named as in [`OutcomeKind::NAME`].
            pub fn fits(&self, kind: &str) -> bool {
                let kinds: &[&str] = match self {
                    $(Self::$c(_) => &[$($c_kind::NAME),*],)+
                    $(Self::$m(_) => &[$($m_kind::NAME),*],)+
                    Self::Marginal(marginal) => return marginal.model.is_regression() && marginal.model.fits(kind),
                    Self::InCategory(one) => return one.estimator.fits_categories(kind),
                };
                kinds.contains(&kind)
            }

            /// The answers of estimators whose first step is this one.
            fn answers(&self, comparison: &AnyComparison, asked: &[&Self]) -> Result<Vec<Result<Effects>>> {
                if self.is_of_categories() {
                    return self.by_one_set(comparison, asked);
                }
                match self {
                    $(Self::$c(_one) => {
                        $(if let Some(comparison) = comparison.on::<$c_kind>() {
                            return $c_step(_one, comparison, asked);
                        })*
                    })+
                    $(Self::$m(_one) => {
                        $(if let Some(comparison) = comparison.on::<$m_kind>() {
                            return $m_step(_one, comparison, asked);
                        })*
                    })+
                    Self::Marginal(_) | Self::InCategory(_) => {}
                }
                Err(misfit(self.name(), comparison.kind))
            }
        }
    };
    (@from $name:ident) => {
        impl From<$name> for AnyEstimator {
            fn from(estimator: $name) -> Self {
                Self::$name(estimator)
            }
        }
    };
    (@from $name:ident <$bound:ident>) => {
        impl<S: $bound> From<$name<S>> for AnyEstimator {
            fn from(estimator: $name<S>) -> Self {
                let scale = estimator.scale.to_any();
                Self::$name(estimator.on(scale))
            }
        }
    };
}

estimators!(registry);

impl<M: Into<AnyEstimator>, S: ContrastScale> From<Marginal<M, S>> for AnyEstimator {
    fn from(Marginal { model, scale, variance, simultaneous }: Marginal<M, S>) -> Self {
        let (model, scale) = (Box::new(model.into()), scale.to_any());
        Self::Marginal(Marginal { model, scale, variance, simultaneous })
    }
}

impl<E: Into<AnyEstimator> + CategoryEstimator<Ordinal>> From<InCategory<E>> for AnyEstimator {
    fn from(InCategory { estimator, category }: InCategory<E>) -> Self {
        Self::InCategory(InCategory { estimator: Box::new(estimator.into()), category })
    }
}

/// Refuses what has no marginal effects, and simultaneous intervals where there are no categories.
fn check_marginal(marginal: &Marginal<Box<AnyEstimator>, AnyScale>) -> Result<()> {
    let model = &marginal.model;
    if model.is_regression() && marginal.simultaneous != Simultaneous::Individual {
        return Err(Error::invalid(
            "simultaneous intervals are those of several categories; leave simultaneous out",
        ));
    }
    if model.is_regression() || model.predicts_categories() {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{} has no marginal effects; the model is one of {}, multinomial_regression, proportional_odds_regression",
        model.name(),
        AnyEstimator::REGRESSIONS.join(", ")
    )))
}

/// Refuses what does not estimate effects on all categories.
fn check_in_category(one: &InCategory<Box<AnyEstimator>>) -> Result<()> {
    if one.estimator.is_of_categories() {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{} does not estimate effects on all categories; give difference_in_categories, multinomial_regression, or marginal \
         with the model multinomial_regression or proportional_odds_regression",
        one.estimator
    )))
}

fn checked_marginal<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Marginal<Box<AnyEstimator>, AnyScale>, D::Error> {
    let marginal = Marginal::deserialize(deserializer)?;
    check_marginal(&marginal).map_err(D::Error::custom)?;
    Ok(marginal)
}

fn checked_in_category<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<InCategory<Box<AnyEstimator>>, D::Error> {
    let one = InCategory::deserialize(deserializer)?;
    check_in_category(&one).map_err(D::Error::custom)?;
    Ok(one)
}

/// The error of an estimator that does not fit the outcome.
fn misfit(estimator: &str, kind: &str) -> Error {
    let all = "the table in the crate's documentation says which estimators fit which kind of outcome";
    Error::invalid(format!(
        "{estimator} does not estimate effects on an outcome of the kind \"{kind}\"; {all}"
    ))
}

/// A comparison whose kind of outcome is known only at run time.
struct AnyComparison<'c> {
    comparison: &'c dyn Any,
    kind: &'static str,
}

impl<'c> AnyComparison<'c> {
    fn of<K: OutcomeKind>(comparison: &'c Comparison<K>) -> Self {
        Self { comparison, kind: K::NAME }
    }

    fn on<K: OutcomeKind>(&self) -> Option<&'c Comparison<K>> {
        self.comparison.downcast_ref()
    }
}

impl AnyEstimator {
    /// The words of the regressions whose fit serves conditional and marginal effects.
    const REGRESSIONS: [&str; 4] =
        ["logistic_regression", "linear_regression", "poisson_regression", "negative_binomial_regression"];

    fn is_regression(&self) -> bool {
        Self::REGRESSIONS.contains(&self.name())
    }

    /// The chosen variance of such a regression.
    fn coefficient_variance(&self) -> Option<CoefficientVariance> {
        match self {
            Self::LogisticRegression(model) => model.variance,
            Self::LinearRegression(model) => model.variance,
            Self::PoissonRegression(model) => model.variance,
            Self::NegativeBinomialRegression(model) => model.variance,
            _ => None,
        }
    }

    /// The first step of the estimator, which others may share: a fit whatever its variance, weighted means
    /// whatever the scale, the effects on all categories.
    pub(super) fn shared(&self) -> Self {
        let mut shared = match self {
            Self::Marginal(marginal) if marginal.model.is_regression() => (*marginal.model).clone(),
            Self::InCategory(one) if one.estimator.is_of_categories() => (*one.estimator).clone(),
            other => other.clone(),
        };
        match &mut shared {
            Self::LogisticRegression(model) => model.variance = None,
            Self::LinearRegression(model) => model.variance = None,
            Self::PoissonRegression(model) => model.variance = None,
            Self::NegativeBinomialRegression(model) => model.variance = None,
            Self::InverseProbabilityWeighting(weighting) => weighting.scale = AnyScale::RiskDifference,
            Self::RiskAtHorizon(risk) => risk.scale = AnyScale::RiskDifference,
            Self::DiscreteTimeHazard(risk) => risk.scale = AnyScale::RiskDifference,
            Self::CoxRiskAtHorizon(risk) => risk.scale = AnyScale::RiskDifference,
            Self::RestrictedMeanTime(mean) => mean.scale = AnyScale::RiskDifference,
            Self::DoublyRobust(weighting) => weighting.scale = AnyScale::RiskDifference,
            _ => {}
        }
        shared
    }

    /// The confidence level, between 0 and 1; default 0.95.
    #[must_use]
    pub fn level(mut self, level: f64) -> Self {
        *self.level_mut() = level;
        self
    }

    /// The columns that it takes besides arms and outcome.
    pub fn columns(&self) -> Vec<&str> {
        self.adjustment().map_or_else(Vec::new, |adjustment| adjustment.columns().collect())
    }

    /// Refuses a kind of outcome, or a scale, for which it has no answer whatever the data.
    pub(crate) fn check(&self, kind: &str) -> Result<()> {
        match self {
            Self::Marginal(marginal) => check_marginal(marginal)?,
            Self::InCategory(one) => check_in_category(one)?,
            _ => {}
        }
        if !self.fits(kind) {
            return Err(misfit(self.name(), kind));
        }
        match (self, self.scale()) {
            (_, None) => Ok(()),
            (Self::WinProbability(_), Some(scale)) => {
                win_probability::known(scale.value(0.5), scale).map(|_| ())
            }
            (Self::InCategory(_), Some(scale)) => scale.check_contrast_of_proportions(),
            (_, Some(scale)) => scale.check_contrast(),
        }
    }

    /// The scale that was chosen, where there is a choice.
    fn scale(&self) -> Option<&AnyScale> {
        match self {
            Self::Marginal(marginal) => Some(&marginal.scale),
            Self::InverseProbabilityWeighting(weighting) => Some(&weighting.scale),
            Self::DoublyRobust(weighting) => Some(&weighting.scale),
            Self::RiskAtHorizon(risk) => Some(&risk.scale),
            Self::DiscreteTimeHazard(risk) => Some(&risk.scale),
            Self::CoxRiskAtHorizon(risk) => Some(&risk.scale),
            Self::RestrictedMeanTime(mean) => Some(&mean.scale),
            Self::WinProbability(estimator) => Some(&estimator.scale),
            Self::InCategory(one) => one.estimator.scale(),
            _ => None,
        }
    }

    /// The one category that it is narrowed to.
    pub(crate) fn category(&self) -> Option<&str> {
        if let Self::InCategory(one) = self { Some(&one.category) } else { None }
    }

    /// Whether it is a regression that predicts the probabilities of categories.
    fn predicts_categories(&self) -> bool {
        matches!(self, Self::MultinomialRegression(_) | Self::ProportionalOddsRegression(_))
    }

    /// Whether it estimates effects on all categories.
    fn is_of_categories(&self) -> bool {
        match self {
            Self::DifferenceInCategories(_) | Self::MultinomialRegression(_) => true,
            Self::Marginal(marginal) => marginal.model.predicts_categories(),
            _ => false,
        }
    }

    /// Whether it estimates effects on all categories of this kind of outcome.
    fn fits_categories(&self, kind: &str) -> bool {
        let ordered = matches!(self, Self::Marginal(marginal) if matches!(*marginal.model, Self::ProportionalOddsRegression(_)));
        self.is_of_categories() && (kind == Ordinal::NAME || kind == Nominal::NAME && !ordered)
    }

    /// Its words without covariates.
    fn words(&self) -> String {
        match self {
            Self::Marginal(marginal) => format!("marginal {} by {}", marginal.scale, marginal.model.words()),
            Self::InverseProbabilityWeighting(weighting) => {
                format!("{} by inverse-probability weighting", weighting.scale)
            }
            Self::DoublyRobust(weighting) => format!("doubly robust {}", weighting.scale),
            Self::RiskAtHorizon(risk) => format!("{} {}", risk.scale, risk.words()),
            Self::DiscreteTimeHazard(risk) => format!("{} {}", risk.scale, risk.words()),
            Self::CoxRiskAtHorizon(risk) => format!("{} {}", risk.scale, risk.words()),
            Self::RestrictedMeanTime(mean) => format!("{} {}", mean.scale, mean.words()),
            Self::WinProbability(estimator) => estimator.scale.to_string(),
            Self::InCategory(one) => format!("{}, {}", one.estimator.words(), one.category),
            other => other.name().replace('_', " "),
        }
    }
}

/// Such as `marginal risk difference by logistic regression, adjusted for age and female`.
impl fmt::Display for AnyEstimator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words())?;
        self.adjustment().map_or(Ok(()), |adjustment| f.write_str(&adjustment.words()))
    }
}

/// The answer of an estimator that shares nothing but its equals.
fn alone<K: OutcomeKind, E: Estimator<K>>(
    estimator: &E,
    comparison: &Comparison<K>,
    asked: &[&AnyEstimator],
) -> Result<Vec<Result<Effects>>> {
    let effects = estimator.estimate(comparison)?.to_any();
    Ok(asked.iter().map(|_| Ok(effects.clone())).collect())
}

/// The answers by one fit: conditional effects, and marginal ones whose means are standardised once for every
/// variance.
fn by_one_fit<K: OutcomeKind, M: StandardizedModel + ModelOf<K>>(
    regression: &Regression<M>,
    comparison: &Comparison<K>,
    asked: &[&AnyEstimator],
) -> Result<Vec<Result<Effects>>> {
    let prepared = regression.columns(comparison)?;
    let fit = M::fit(&prepared)?;
    let mut standardized: Vec<(MarginalVariance, Result<ArmMeans>)> = Vec::new();
    let answer = |one: &&AnyEstimator| {
        let AnyEstimator::Marginal(marginal) = one else {
            return Ok(regression.conditional(&fit, one.coefficient_variance())?.to_any());
        };
        let variance = marginal.variance_of(&fit);
        let known = standardized.iter().position(|(other, _)| *other == variance);
        let place = known.unwrap_or_else(|| {
            standardized.push((variance, fit.arm_means(variance)));
            standardized.len() - 1
        });
        let means = standardized[place].1.as_ref().map_err(Clone::clone)?;
        means.contrast(marginal.scale.clone())
    };
    Ok(asked.iter().map(answer).collect())
}

/// The answers by the same weighted means on one scale or another.
fn by_one_weighting<K: OutcomeKind>(
    weighting: &impl Weighting<K>,
    comparison: &Comparison<K>,
    asked: &[&AnyEstimator],
) -> Result<Vec<Result<Effects>>> {
    let means = weighting.arm_means(comparison)?;
    let scales = asked.iter().filter_map(|one| one.scale());
    Ok(scales.map(|scale| weighting.contrast(&means, scale.clone())).collect())
}

impl AnyEstimator {
    /// The answers on one category or another by the effects on all.
    fn by_one_set(&self, comparison: &AnyComparison, asked: &[&Self]) -> Result<Vec<Result<Effects>>> {
        let all = self.on_categories(comparison)?;
        let narrowed = |one: &&Self| match one.category() {
            Some(category) => all.category(category),
            None => Err(misfit(one.name(), comparison.kind)),
        };
        Ok(asked.iter().map(narrowed).collect())
    }

    /// The effects on all categories.
    fn on_categories(&self, comparison: &AnyComparison) -> Result<CategoryEffects<AnyScale>> {
        if let Some(comparison) = comparison.on::<Ordinal>() {
            if let Self::Marginal(marginal) = self
                && let Self::ProportionalOddsRegression(model) = &*marginal.model
            {
                return marginal.with(model.clone()).estimate_categories(comparison);
            }
            return self.on_unordered(comparison);
        }
        match comparison.on::<Nominal>() {
            Some(comparison) => self.on_unordered(comparison),
            None => Err(misfit(&self.words(), comparison.kind)),
        }
    }

    /// The effects on all categories by an estimator that needs no order.
    fn on_unordered<K: Categorical>(&self, comparison: &Comparison<K>) -> Result<CategoryEffects<AnyScale>> {
        match self {
            Self::DifferenceInCategories(estimator) => {
                Ok(estimator.estimate_categories(comparison)?.to_any())
            }
            Self::MultinomialRegression(model) => Ok(model.estimate_categories(comparison)?.to_any()),
            Self::Marginal(marginal) => match &*marginal.model {
                Self::MultinomialRegression(model) => {
                    marginal.with(model.clone()).estimate_categories(comparison)
                }
                other => Err(misfit(&other.words(), K::NAME)),
            },
            other => Err(misfit(&other.words(), K::NAME)),
        }
    }

    /// The answers of several estimators that share their first step, which is taken once.
    pub(super) fn together<K: OutcomeKind>(
        &self,
        comparison: &Comparison<K>,
        asked: &[&Self],
    ) -> Vec<Result<Effects>> {
        match self.answers(&AnyComparison::of(comparison), asked) {
            Ok(answers) => answers,
            Err(error) => asked.iter().map(|_| Err(error.clone())).collect(),
        }
    }
}

impl<K: OutcomeKind> Estimator<K> for AnyEstimator {
    type Scale = AnyScale;

    fn estimate(&self, comparison: &Comparison<K>) -> Result<Effects> {
        let answer = self.shared().answers(&AnyComparison::of(comparison), &[self])?.pop();
        answer.unwrap_or_else(|| Err(misfit(self.name(), K::NAME)))
    }
}

impl<K: OutcomeKind> CategoryEstimator<K> for AnyEstimator {
    type Scale = AnyScale;

    fn estimate_categories(&self, comparison: &Comparison<K>) -> Result<CategoryEffects<AnyScale>> {
        self.on_categories(&AnyComparison::of(comparison))
    }
}
