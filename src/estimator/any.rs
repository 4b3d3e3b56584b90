//! Estimators as data, and many of them on one comparison without computing anything twice.

use super::adjustment::Adjustment;
use super::any_category::AnyCategoryEstimator;
use super::any_regression::{AnyRegression, Regressed, Standardizing};
use super::win_probability::no_win_scale;
use super::{
    CategoryEstimator, ComplierAverageEffect, DifferenceInMeans, DifferenceInProportions, DifferenceInRates,
    DoublyRobust, Estimator, FirthLogisticRegression, InCategory, InverseProbabilityWeighting,
    LinearRegression, LogisticRegression, Marginal, NegativeBinomialRegression, OddsRatio, PoissonRegression,
    ProportionalOddsRegression, RatioOfProportions, RatioOfRates, TwoPartRegression, WinProbability,
    WinScale,
};
use crate::compute::regression::Family;
use crate::design::{Binary, Comparison, Continuous, Count, Nominal, Ordinal, OutcomeKind, TimeToEvent};
use crate::effect::{AnyScale, ArmMeans, CategoryEffects, ContrastScale, Estimates, no_contrast};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The level of an estimator that says none.
pub(super) fn usual_level() -> f64 {
    0.95
}

// The signature that serde asks for.
#[allow(clippy::trivially_copy_pass_by_ref)]
pub(super) fn is_usual(level: &f64) -> bool {
    *level == usual_level()
}

/// The estimators, each with its word. An estimator that is a struct with a `level` and, if it is a regression, an `adjustment`, is one line here
/// and its name in the rows of `fits!` below.
macro_rules! estimators {
    (
        closed_form { $($(#[$closed_doc:meta])* $closed:ident = $closed_word:literal;)+ }
        regression { $($(#[$model_doc:meta])* $model:ident = $model_word:literal;)+ }
        weighted { $($(#[$weighted_doc:meta])* $weighted:ident = $weighted_word:literal;)+ }
    ) => {
        /// An estimator known only at run time, with its options: for plans and files.
        ///
        /// Every typed estimator converts into it, and gives the same numbers to the last bit. As data it is its word under `estimator` beside its
        /// options, which bear the names of the setters; `reference_levels` and `interact_arm_with` are those of
        /// [`reference_level`](LogisticRegression::reference_level) and [`interact_arm_with`](LogisticRegression::interact_arm_with).
        /// An option that is left out has its default, and an unknown one is refused.
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
        /// let table = Table::from_csv_str("arm,age,works\nc,20,0\nc,40,1\nc,30,0\nc,45,0\nt,25,1\nt,35,0\nt,50,1\nt,22,1\n")?;
        /// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
        /// let comparison = trial.on(&Measure::binary("works"))?;
        /// let effects = comparison.estimate(&typed)?;
        /// assert_eq!(effects, comparison.estimate(&model.marginal(RiskDifference))?.to_any());
        /// # Ok::<(), armwise::Error>(())
        /// ```
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "estimator", rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum AnyEstimator {
            $($(#[$closed_doc])* $closed($closed),)+
            $($(#[$model_doc])* $model($model),)+
            $($(#[$weighted_doc])* $weighted($weighted<AnyScale>),)+
            /// Marginal effects of a regression on a scale.
            Marginal(Marginal<AnyRegression, AnyScale>),
            /// Of an order, or of a number on a scale.
            WinProbability(WinProbability<AnyScale>),
            /// Of one category of several, by an estimator of all.
            InCategory(InCategory<AnyCategoryEstimator>),
        }

        $(impl From<$closed> for AnyEstimator {
            fn from(estimator: $closed) -> Self {
                Self::$closed(estimator)
            }
        })+
        $(impl From<$model> for AnyEstimator {
            fn from(estimator: $model) -> Self {
                Self::$model(estimator)
            }
        })+
        $(impl<S: ContrastScale> From<$weighted<S>> for AnyEstimator {
            fn from(estimator: $weighted<S>) -> Self {
                Self::$weighted(estimator.on(estimator.scale.to_any()))
            }
        })+

        impl AnyEstimator {
            /// A stable word, such as `"difference_in_proportions"`.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$closed(_) => $closed_word,)+
                    $(Self::$model(_) => $model_word,)+
                    $(Self::$weighted(_) => $weighted_word,)+
                    Self::Marginal(_) => "marginal",
                    Self::WinProbability(_) => "win_probability",
                    Self::InCategory(_) => "in_category",
                }
            }

            /// The confidence level, between 0 and 1; default 0.95.
            #[must_use]
            pub fn level(mut self, level: f64) -> Self {
                match &mut self {
                    $(Self::$closed(estimator) => estimator.level = level,)+
                    $(Self::$model(estimator) => estimator.level = level,)+
                    $(Self::$weighted(estimator) => estimator.level = level,)+
                    Self::Marginal(marginal) => marginal.model = marginal.model.clone().at_level(level),
                    Self::WinProbability(estimator) => estimator.level = level,
                    Self::InCategory(one) => one.estimator.set_level(level),
                }
                self
            }

            /// The confidence level that it has.
            pub(crate) fn own_level(&self) -> f64 {
                match self {
                    $(Self::$closed(estimator) => estimator.level,)+
                    $(Self::$model(estimator) => estimator.level,)+
                    $(Self::$weighted(estimator) => estimator.level,)+
                    Self::Marginal(marginal) => marginal.model.own_level(),
                    Self::WinProbability(estimator) => estimator.level,
                    Self::InCategory(one) => one.estimator.level(),
                }
            }

            /// What it adjusts for.
            fn adjustment(&self) -> Option<&Adjustment> {
                match self {
                    $(Self::$closed(_))|+ | Self::WinProbability(_) => None,
                    $(Self::$model(estimator) => Some(&estimator.adjustment),)+
                    $(Self::$weighted(estimator) => Some(&estimator.adjustment),)+
                    Self::Marginal(marginal) => Some(marginal.model.adjustment()),
                    Self::InCategory(one) => one.estimator.adjustment(),
                }
            }

            /// The columns that it takes besides arms and outcome.
            pub fn columns(&self) -> Vec<&str> {
                self.adjustment().map_or_else(Vec::new, |adjustment| adjustment.columns().collect())
            }

            /// Whether it fits a model to the participants.
            fn is_model(&self) -> bool {
                match self {
                    $(Self::$closed(_))|+ | Self::WinProbability(_) => false,
                    Self::InCategory(one) => one.estimator.is_model(),
                    _ => true,
                }
            }
        }
    };
}

estimators! {
    closed_form {
        /// Of an event.
        DifferenceInProportions = "difference_in_proportions";
        /// Of an event.
        RatioOfProportions = "ratio_of_proportions";
        /// Of an event.
        OddsRatio = "odds_ratio";
        /// Of a number on a scale.
        DifferenceInMeans = "difference_in_means";
        /// Of a number of events.
        DifferenceInRates = "difference_in_rates";
        /// Of a number of events.
        RatioOfRates = "ratio_of_rates";
        /// Of an event, or of a number on a scale.
        ComplierAverageEffect = "complier_average_effect";
    }
    regression {
        /// Of an event: conditional odds ratios.
        LogisticRegression = "logistic_regression";
        /// Of a number on a scale, or of an event.
        LinearRegression = "linear_regression";
        /// Of a number of events: conditional rate ratios.
        PoissonRegression = "poisson_regression";
        /// Of an event that some arm lacks.
        FirthLogisticRegression = "firth_logistic_regression";
        /// Of a number of events that varies more than Poisson counts.
        NegativeBinomialRegression = "negative_binomial_regression";
        /// Of amounts, zeros included.
        TwoPartRegression = "two_part_regression";
        /// Of an order: one conditional odds ratio for all thresholds.
        ProportionalOddsRegression = "proportional_odds_regression";
    }
    weighted {
        /// Of an event, or of a number on a scale.
        InverseProbabilityWeighting = "inverse_probability_weighting";
        /// Of an event, or of a number on a scale.
        DoublyRobust = "doubly_robust";
    }
}

/// Which estimators fit which kind of outcome.
macro_rules! fits {
    ($($kind:ident: $($name:ident),*;)+) => {
        $(impl Estimator<$kind> for AnyEstimator {
            type Scale = AnyScale;

            fn estimate(&self, comparison: &Comparison<$kind>) -> Result<Estimates<AnyScale>> {
                match self {
                    $(Self::$name(estimator) => Ok(Estimator::<$kind>::estimate(estimator, comparison)?.to_any()),)*
                    Self::Marginal(marginal) => Estimator::<$kind>::estimate(marginal, comparison),
                    #[allow(unreachable_patterns)]
                    other => Err(misfit(other.name(), <$kind as OutcomeKind>::NAME)),
                }
            }
        })+

        impl AnyEstimator {
            /// Whether it estimates effects on an outcome of this kind, named as in [`OutcomeKind::NAME`].
            pub fn fits(&self, kind: &str) -> bool {
                match self {
                    Self::Marginal(marginal) => return marginal.model.fits(kind),
                    Self::InCategory(one) => return one.estimator.fits(kind),
                    _ => {}
                }
                $($(if let (Self::$name(_), true) = (self, kind == <$kind as OutcomeKind>::NAME) {
                    return true;
                })*)+
                false
            }
        }
    };
}

fits! {
    Binary: DifferenceInProportions, RatioOfProportions, OddsRatio, LogisticRegression, LinearRegression, FirthLogisticRegression,
        ComplierAverageEffect, InverseProbabilityWeighting, DoublyRobust;
    Count: DifferenceInRates, RatioOfRates, PoissonRegression, NegativeBinomialRegression;
    Continuous: DifferenceInMeans, LinearRegression, TwoPartRegression, ComplierAverageEffect, InverseProbabilityWeighting,
        DoublyRobust, WinProbability;
    Ordinal: ProportionalOddsRegression, WinProbability, InCategory;
    Nominal: InCategory;
    TimeToEvent:;
}

/// An estimator that does not fit the outcome.
pub(super) fn misfit(estimator: &str, kind: &str) -> Error {
    let all = "the table in the crate's documentation says which estimators fit which kind of outcome";
    Error::invalid(format!(
        "{estimator} does not estimate effects on an outcome of the kind \"{kind}\"; {all}"
    ))
}

impl<M: Into<AnyRegression>, S: ContrastScale> From<Marginal<M, S>> for AnyEstimator {
    fn from(marginal: Marginal<M, S>) -> Self {
        Self::Marginal(marginal.into_any())
    }
}

impl<S: WinScale> From<WinProbability<S>> for AnyEstimator {
    fn from(WinProbability { scale, level }: WinProbability<S>) -> Self {
        Self::WinProbability(WinProbability { scale: scale.to_any(), level })
    }
}

impl<E: Into<AnyCategoryEstimator>> From<InCategory<E>> for AnyEstimator {
    fn from(one: InCategory<E>) -> Self {
        Self::InCategory(one.into_any())
    }
}

/// Weighted means on a scale known only at run time.
macro_rules! weighted_on_any_scale {
    ($($name:ident: $kind:ident $(, $family:expr)?;)+) => {
        $(impl Estimator<$kind> for $name<AnyScale> {
            type Scale = AnyScale;

            fn estimate(&self, comparison: &Comparison<$kind>) -> Result<Estimates<AnyScale>> {
                self.arm_means(comparison $(, $family)?)?.contrast_any(&self.scale)
            }
        })+
    };
}
weighted_on_any_scale! {
    InverseProbabilityWeighting: Binary;
    InverseProbabilityWeighting: Continuous;
    DoublyRobust: Binary, Family::Binomial;
    DoublyRobust: Continuous, Family::Gaussian;
}

impl AnyEstimator {
    /// Why it cannot answer for a kind of outcome, if that can be known without data.
    pub(crate) fn check(&self, kind: &str) -> Result<()> {
        if !self.fits(kind) {
            return Err(misfit(self.name(), kind));
        }
        let scale = match self {
            Self::Marginal(marginal) => &marginal.scale,
            Self::InverseProbabilityWeighting(weighting) => &weighting.scale,
            Self::DoublyRobust(weighting) => &weighting.scale,
            Self::InCategory(one) => match one.estimator.contrast_scale() {
                Some(scale) => scale,
                None => return Ok(()),
            },
            Self::WinProbability(WinProbability { scale, .. }) => {
                let wins = [AnyScale::NetBenefit, AnyScale::LogWinOdds];
                return if wins.contains(scale) { Ok(()) } else { Err(no_win_scale(scale)) };
            }
            _ => return Ok(()),
        };
        match scale {
            AnyScale::StandardizedMeanDifference
            | AnyScale::LogHazardRatio
            | AnyScale::NetBenefit
            | AnyScale::LogWinOdds
            | AnyScale::Other(_) => Err(no_contrast(scale)),
            _ => Ok(()),
        }
    }

    /// The one category that it is narrowed to.
    pub(crate) fn category(&self) -> Option<&str> {
        if let Self::InCategory(one) = self { Some(&one.category) } else { None }
    }

    /// The estimator of all categories, of which it takes one.
    fn of_categories(&self) -> Option<&AnyCategoryEstimator> {
        if let Self::InCategory(one) = self { Some(&one.estimator) } else { None }
    }

    /// The regression whose fit it uses, as far as the fit goes.
    fn shared_fit(&self) -> Option<AnyRegression> {
        match self {
            Self::LogisticRegression(model) => Some(AnyRegression::from(model.clone()).to_fit()),
            Self::LinearRegression(model) => Some(AnyRegression::from(model.clone()).to_fit()),
            Self::PoissonRegression(model) => Some(AnyRegression::from(model.clone()).to_fit()),
            Self::Marginal(marginal) => Some(marginal.model.to_fit()),
            _ => None,
        }
    }

    /// The estimator itself, where it is a regression.
    fn as_regression(&self) -> Option<AnyRegression> {
        match self {
            Self::LogisticRegression(model) => Some(model.clone().into()),
            Self::LinearRegression(model) => Some(model.clone().into()),
            Self::PoissonRegression(model) => Some(model.clone().into()),
            _ => None,
        }
    }

    /// The weighted means that it contrasts, as far as they do not depend on the scale.
    fn shared_means(&self) -> Option<Self> {
        let any = AnyScale::RiskDifference;
        match self {
            Self::InverseProbabilityWeighting(weighting) => {
                Some(Self::InverseProbabilityWeighting(weighting.on(any)))
            }
            Self::DoublyRobust(weighting) => Some(Self::DoublyRobust(weighting.on(any))),
            _ => None,
        }
    }
}

/// Such as `marginal risk difference by logistic regression, adjusted for age and female`.
impl fmt::Display for AnyEstimator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = |name: &str| name.replace('_', " ");
        match self {
            Self::Marginal(marginal) => {
                write!(f, "marginal {} by {}", marginal.scale, words(marginal.model.name()))?;
            }
            Self::InverseProbabilityWeighting(weighting) => {
                write!(f, "{} by inverse-probability weighting", weighting.scale)?;
            }
            Self::DoublyRobust(weighting) => write!(f, "doubly robust {}", weighting.scale)?,
            Self::WinProbability(estimator) => write!(f, "{}", estimator.scale)?,
            Self::InCategory(one) => write!(f, "{}, {}", one.estimator.words(), one.category)?,
            other => f.write_str(&words(other.name()))?,
        }
        self.adjustment().map_or(Ok(()), |adjustment| f.write_str(&adjustment.words()))
    }
}

/// A kind of outcome for which plans estimate.
pub(crate) trait Plannable: Regressed {
    #[doc(hidden)]
    fn estimate(estimator: &AnyEstimator, comparison: &Comparison<Self>) -> Result<Estimates<AnyScale>>;
    #[doc(hidden)]
    fn weighted(estimator: &AnyEstimator, comparison: &Comparison<Self>) -> Result<ArmMeans>;
    #[doc(hidden)]
    fn categories(
        estimator: &AnyCategoryEstimator,
        comparison: &Comparison<Self>,
    ) -> Result<CategoryEffects<AnyScale>>;
}

macro_rules! plannable {
    ($($kind:ident: $($family:expr)? $(=> $categories:ident)?;)+) => {
        $(impl Plannable for $kind {
            fn estimate(estimator: &AnyEstimator, comparison: &Comparison<Self>) -> Result<Estimates<AnyScale>> {
                comparison.estimate(estimator)
            }

            fn weighted(estimator: &AnyEstimator, comparison: &Comparison<Self>) -> Result<ArmMeans> {
                match estimator {
                    $(AnyEstimator::InverseProbabilityWeighting(weighting) => weighting.arm_means(comparison),
                    AnyEstimator::DoublyRobust(weighting) => weighting.arm_means(comparison, $family),)?
                    other => Err(comparison.locate(misfit(other.name(), Self::NAME))),
                }
            }

            #[allow(unreachable_code)]
            fn categories(
                estimator: &AnyCategoryEstimator,
                comparison: &Comparison<Self>,
            ) -> Result<CategoryEffects<AnyScale>> {
                $(return estimator.$categories(comparison);)?
                Err(comparison.locate(misfit(&estimator.words(), Self::NAME)))
            }
        })+
    };
}
plannable! {
    Binary: Family::Binomial;
    Continuous: Family::Gaussian;
    Count:;
    Ordinal: => estimate_categories;
    Nominal: => estimate_categories;
    TimeToEvent:;
}

/// The answers of several estimators for one comparison.
pub(crate) struct Estimated {
    /// In the order of the estimators.
    pub results: Vec<Result<Estimates<AnyScale>>>,
    /// How many models were fitted.
    pub fits: usize,
}

/// Estimates by all of them; those that share a model share its fit, and those that share standardised or weighted means, or take
/// categories from one estimator of all, share these.
pub(crate) fn estimate_all<K: Plannable>(
    comparison: &Comparison<K>,
    estimators: &[AnyEstimator],
) -> Estimated {
    let mut results: Vec<Option<Result<Estimates<AnyScale>>>> = estimators.iter().map(|_| None).collect();
    let mut fits = 0;
    for (first, estimator) in estimators.iter().enumerate() {
        if results[first].is_some() {
            continue;
        }
        fits += usize::from(estimator.is_model());
        let locate = |error: Error| comparison.locate(error);
        if let Some(model) = estimator.shared_fit() {
            let members: Vec<usize> = (first..estimators.len())
                .filter(|&i| estimators[i].shared_fit().as_ref() == Some(&model))
                .collect();
            let answers = by_one_fit(&model, comparison, members.iter().map(|&i| &estimators[i]));
            for (i, answer) in members.into_iter().zip(answers) {
                results[i] = Some(answer.map_err(locate));
            }
        } else if let Some(shared) = estimator.shared_means() {
            let means = K::weighted(&shared, comparison);
            for (i, other) in estimators.iter().enumerate().skip(first) {
                if other.shared_means().as_ref() == Some(&shared) {
                    results[i] = Some(contrast(other, &means).map_err(locate));
                }
            }
        } else if let Some(shared) = estimator.of_categories() {
            let effects = K::categories(shared, comparison);
            for (i, other) in estimators.iter().enumerate().skip(first) {
                if let (true, Some(category)) = (other.of_categories() == Some(shared), other.category()) {
                    let one = effects.as_ref().map_err(Clone::clone);
                    results[i] = Some(one.and_then(|all| all.category(category)).map_err(locate));
                }
            }
        } else {
            results[first] = Some(K::estimate(estimator, comparison));
        }
    }
    let results = results.into_iter().flatten().collect();
    Estimated { results, fits }
}

/// The answers of estimators that use the fit of one model.
fn by_one_fit<'e, K: Plannable>(
    model: &AnyRegression,
    comparison: &Comparison<K>,
    members: impl Iterator<Item = &'e AnyEstimator>,
) -> Vec<Result<Estimates<AnyScale>>> {
    let prepared = match K::prepared(model, comparison) {
        Ok(prepared) => prepared,
        Err(error) => return members.map(|_| Err(error.clone())).collect(),
    };
    let fit = match prepared.fit() {
        Ok(fit) => fit,
        Err(error) => return members.map(|_| Err(error.clone())).collect(),
    };
    let mut standardizing = Standardizing::new(&fit);
    let answer = |member: &AnyEstimator| match (member, member.as_regression()) {
        (AnyEstimator::Marginal(marginal), _) => standardizing.contrast(marginal),
        (_, Some(regression)) => K::conditional(&regression, &fit),
        (other, None) => K::estimate(other, comparison),
    };
    members.map(answer).collect()
}

fn contrast(estimator: &AnyEstimator, means: &Result<ArmMeans>) -> Result<Estimates<AnyScale>> {
    let means = means.as_ref().map_err(Clone::clone)?;
    match estimator {
        AnyEstimator::InverseProbabilityWeighting(weighting) => means.contrast_any(&weighting.scale),
        AnyEstimator::DoublyRobust(weighting) => means.contrast_any(&weighting.scale),
        other => Err(Error::invalid(format!("{} contrasts no weighted means", other.name()))),
    }
}
