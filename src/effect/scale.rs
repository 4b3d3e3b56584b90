use crate::error::{Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt::{self, Debug, Display};

/// A scale on which an effect is measured, as a unit-struct value: [`RiskDifference`], [`LogOddsRatio`], ...
///
/// Estimates of different scales are different types, so mixing them does not compile. [`AnyScale`] is the
/// run-time twin, for JSON and for lists; there, mixing is an error.
///
/// ```compile_fail,E0308
/// use armwise::prelude::*;
/// fn mix(difference: Estimate<RiskDifference>, ratio: Estimate<LogOddsRatio>) {
///     let _ = TreatmentEffects::new([difference, ratio]);
/// }
/// ```
///
/// One scale does compile:
///
/// ```
/// use armwise::prelude::*;
/// fn belong(one: Estimate<LogOddsRatio>, other: Estimate<LogOddsRatio>) {
///     let _ = TreatmentEffects::new([one, other]);
/// }
/// ```
pub trait Scale:
    Clone + Debug + PartialEq + Send + Sync + Serialize + DeserializeOwned + private::Sealed + 'static
{
    /// The run-time twin.
    fn to_any(&self) -> AnyScale;

    /// The scale, if the run-time twin is this one.
    fn from_any(any: &AnyScale) -> Option<Self>;

    /// The scale of a result of this type, whose run-time twin was checked.
    #[doc(hidden)]
    fn of_type(any: &AnyScale) -> Self;

    /// How numbers on the scale are to be read.
    fn form(&self) -> ScaleForm {
        self.to_any().form_of()
    }
}

/// How numbers on a scale are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ScaleForm {
    /// A difference of proportions: times 100 it is percentage points.
    PercentagePoints,
    /// A difference in units of the outcome, or in standard deviations.
    Difference,
    /// The logarithm of a ratio: its exponential is the ratio.
    LogRatio,
}

/// A scale that contrasts two arm means (proportions, means, rates).
///
/// # Formula
/// The contrast `g(t, r)` of the treatment's mean `t` with the reference's `r`, and its gradient `(dg/dt, dg/dr)` for the delta method.
pub trait ContrastScale: Scale + Copy + Default {
    /// The contrast of the treatment's mean with the reference's; `None` where it is undefined, such as the logarithm of zero.
    fn contrast(self, treatment: f64, reference: f64) -> Option<f64>;

    /// The derivatives of the contrast with respect to the treatment's and the reference's mean.
    fn gradient(self, treatment: f64, reference: f64) -> [f64; 2];

    /// Whether means are proportions, between 0 and 1.
    fn needs_proportions(self) -> bool {
        false
    }
}

mod private {
    pub trait Sealed {}
}

macro_rules! scales {
    ($($(#[$meta:meta])* $name:ident = $word:literal, $long:literal, $form:ident;)+) => {
        $($(#[$meta])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
        pub struct $name;

        impl private::Sealed for $name {}
        impl Scale for $name {
            fn to_any(&self) -> AnyScale {
                AnyScale::$name
            }
            fn from_any(any: &AnyScale) -> Option<Self> {
                (*any == AnyScale::$name).then_some(Self)
            }
            fn of_type(_: &AnyScale) -> Self {
                Self
            }
        }
        impl From<$name> for AnyScale {
            fn from(_: $name) -> Self {
                Self::$name
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str($word)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = String::deserialize(deserializer)?;
                if word == $word { Ok(Self) } else {
                    Err(serde::de::Error::custom(format!("the scale is {word}, but {} is needed", $word)))
                }
            }
        }
        impl Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($long)
            }
        })+

        /// A scale known only at run time: the twin of the unit structs.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum AnyScale {
            $($(#[$meta])* $name,)+
            /// An effect size that is no contrast of arm means, by its name; it pools only with itself.
            Other(String),
        }

        impl AnyScale {
            /// A stable word for the scale, such as `"risk_difference"`.
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$name => $word,)+
                    Self::Other(name) => name,
                }
            }

            fn from_name(name: &str) -> Self {
                match name {
                    $($word => Self::$name,)+
                    other => Self::Other(other.to_owned()),
                }
            }

            fn form_of(&self) -> ScaleForm {
                match self {
                    $(Self::$name => ScaleForm::$form,)+
                    Self::Other(_) => ScaleForm::Difference,
                }
            }
        }

        impl Display for AnyScale {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$name => f.write_str($long),)+
                    Self::Other(name) => f.write_str(name),
                }
            }
        }
    };
}

scales! {
    /// Difference of two proportions, treatment minus reference.
    RiskDifference = "risk_difference", "risk difference", PercentagePoints;
    /// Logarithm of the ratio of two proportions.
    LogRiskRatio = "log_risk_ratio", "risk ratio", LogRatio;
    /// Logarithm of the ratio of two odds.
    LogOddsRatio = "log_odds_ratio", "odds ratio", LogRatio;
    /// Difference of two means, treatment minus reference, in units of the outcome.
    MeanDifference = "mean_difference", "difference in means", Difference;
    /// Difference of two means in standard deviations.
    StandardizedMeanDifference = "standardized_mean_difference", "standardised mean difference", Difference;
    /// Logarithm of the ratio of two means.
    LogRatioOfMeans = "log_ratio_of_means", "ratio of means", LogRatio;
    /// Difference of two rates per unit of exposure.
    RateDifference = "rate_difference", "rate difference", Difference;
    /// Logarithm of the ratio of two rates.
    LogRateRatio = "log_rate_ratio", "rate ratio", LogRatio;
    /// Logarithm of the ratio of two hazards.
    LogHazardRatio = "log_hazard_ratio", "hazard ratio", LogRatio;
    /// `P(Y_t > Y_r) - P(Y_t < Y_r)` of a person of the treatment and one of the reference, drawn at random: the net benefit (also Cliff's
    /// delta, Somers' d), from -1 to 1. The win probability, ties as a half, is `(1 + value) / 2`.
    NetBenefit = "net_benefit", "net benefit", Difference;
    /// Logarithm of the win odds `w / (1 - w)`, `w = P(Y_t > Y_r) + P(Y_t = Y_r) / 2`.
    LogWinOdds = "log_win_odds", "win odds", LogRatio;
}

impl AnyScale {
    /// Whether the effects of two treatments against the same reference give the effect of one against the other: not where an effect is
    /// that of pairs of people.
    pub(crate) fn is_transitive(&self) -> bool {
        !matches!(self, Self::NetBenefit | Self::LogWinOdds)
    }
}

impl private::Sealed for AnyScale {}

impl Scale for AnyScale {
    fn to_any(&self) -> AnyScale {
        self.clone()
    }

    fn from_any(any: &AnyScale) -> Option<Self> {
        Some(any.clone())
    }

    fn of_type(any: &AnyScale) -> Self {
        any.clone()
    }
}

impl Serialize for AnyScale {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for AnyScale {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from_name(&String::deserialize(deserializer)?))
    }
}

/// A difference: `t - r`, gradient `(1, -1)`.
macro_rules! difference {
    ($($name:ident, $proportions:literal);+) => {
        $(impl ContrastScale for $name {
            fn contrast(self, treatment: f64, reference: f64) -> Option<f64> {
                Some(treatment - reference)
            }
            fn gradient(self, _: f64, _: f64) -> [f64; 2] {
                [1.0, -1.0]
            }
            fn needs_proportions(self) -> bool {
                $proportions
            }
        })+
    };
}
difference!(RiskDifference, true; MeanDifference, false; RateDifference, false);

/// A log ratio: `ln t - ln r`, gradient `(1 / t, -1 / r)`, where both are above zero.
macro_rules! log_ratio {
    ($($name:ident, $proportions:literal);+) => {
        $(impl ContrastScale for $name {
            fn contrast(self, treatment: f64, reference: f64) -> Option<f64> {
                (treatment > 0.0 && reference > 0.0).then(|| treatment.ln() - reference.ln())
            }
            fn gradient(self, treatment: f64, reference: f64) -> [f64; 2] {
                [1.0 / treatment, -1.0 / reference]
            }
            fn needs_proportions(self) -> bool {
                $proportions
            }
        })+
    };
}
log_ratio!(LogRiskRatio, true; LogRatioOfMeans, false; LogRateRatio, false);

/// `ln(t / (1 - t)) - ln(r / (1 - r))`, where both are strictly between 0 and 1.
impl ContrastScale for LogOddsRatio {
    fn contrast(self, treatment: f64, reference: f64) -> Option<f64> {
        let logit = |p: f64| (p > 0.0 && p < 1.0).then(|| p.ln() - (-p).ln_1p());
        Some(logit(treatment)? - logit(reference)?)
    }

    fn gradient(self, treatment: f64, reference: f64) -> [f64; 2] {
        [1.0 / (treatment * (1.0 - treatment)), -1.0 / (reference * (1.0 - reference))]
    }

    fn needs_proportions(self) -> bool {
        true
    }
}

/// The scale, or an error that names both.
pub(crate) fn narrow<S: Scale>(any: &AnyScale) -> Result<S> {
    S::from_any(any).ok_or_else(|| {
        let needed = std::any::type_name::<S>().rsplit("::").next().unwrap_or_default();
        Error::from(ErrorKind::Incompatible(format!(
            "the estimates are on the scale \"{any}\", but {needed} was asked for; ask for their own scale, or for AnyScale"
        )))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finite_differences<S: ContrastScale>(scale: S) {
        for (t, r) in [(0.2, 0.3), (0.04, 0.9), (0.5, 0.5)] {
            let h = 1e-6;
            let slope = |a: Option<f64>, b: Option<f64>| (a.unwrap() - b.unwrap()) / (2.0 * h);
            let gradient = scale.gradient(t, r);
            let by_treatment = slope(scale.contrast(t + h, r), scale.contrast(t - h, r));
            let by_reference = slope(scale.contrast(t, r + h), scale.contrast(t, r - h));
            approx::assert_relative_eq!(gradient[0], by_treatment, max_relative = 1e-6);
            approx::assert_relative_eq!(gradient[1], by_reference, max_relative = 1e-6);
        }
    }

    #[test]
    fn gradients_are_finite_differences() {
        finite_differences(RiskDifference);
        finite_differences(LogRiskRatio);
        finite_differences(LogOddsRatio);
        finite_differences(MeanDifference);
        finite_differences(LogRatioOfMeans);
        finite_differences(RateDifference);
        finite_differences(LogRateRatio);
    }

    #[test]
    fn words_come_back() {
        for scale in [AnyScale::RiskDifference, AnyScale::LogHazardRatio, AnyScale::Other("phi".into())] {
            assert_eq!(AnyScale::from_name(scale.name()), scale);
        }
    }
}
