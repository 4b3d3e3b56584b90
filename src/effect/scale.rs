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

/// A scale that contrasts two arm means (proportions, means, rates); among those known only at run time,
/// [`AnyScale`], not all do.
///
/// # Formula
/// The contrast `g(t, r)` of the treatment's mean `t` with the reference's `r`, and its gradient
/// `(dg/dt, dg/dr)` for the delta method.
pub trait ContrastScale: Scale {
    /// The contrast of the treatment's mean with the reference's; `None` where it is undefined, such as the
    /// logarithm of zero.
    fn contrast(&self, treatment: f64, reference: f64) -> Option<f64> {
        (self.to_any().of_means()?.value)(treatment, reference)
    }

    /// The derivatives of the contrast with respect to the treatment's and the reference's mean; `None` where
    /// the contrast is undefined.
    fn gradient(&self, treatment: f64, reference: f64) -> Option<[f64; 2]> {
        let of_means = self.to_any().of_means()?;
        (of_means.value)(treatment, reference).map(|_| (of_means.gradient)(treatment, reference))
    }

    /// Whether means are proportions, between 0 and 1.
    fn needs_proportions(&self) -> bool {
        self.to_any().of_means().is_some_and(|contrast| contrast.proportions)
    }
}

/// A contrast of two means beside its gradient.
struct OfMeans {
    proportions: bool,
    value: fn(f64, f64) -> Option<f64>,
    gradient: fn(f64, f64) -> [f64; 2],
}

/// `t - r`.
fn difference(proportions: bool) -> OfMeans {
    OfMeans { proportions, value: |t, r| Some(t - r), gradient: |_, _| [1.0, -1.0] }
}

/// `ln t - ln r`, where both are above zero.
fn log_ratio(proportions: bool) -> OfMeans {
    OfMeans {
        proportions,
        value: |t, r| (t > 0.0 && r > 0.0).then(|| t.ln() - r.ln()),
        gradient: |t, r| [1.0 / t, -1.0 / r],
    }
}

/// `ln(t / (1 - t)) - ln(r / (1 - r))`, where both are strictly between 0 and 1.
fn log_odds_ratio(proportions: bool) -> OfMeans {
    fn logit(p: f64) -> Option<f64> {
        (p > 0.0 && p < 1.0).then(|| p.ln() - (-p).ln_1p())
    }
    OfMeans {
        proportions,
        value: |t, r| Some(logit(t)? - logit(r)?),
        gradient: |t, r| [1.0 / (t * (1.0 - t)), -1.0 / (r * (1.0 - r))],
    }
}

mod private {
    pub trait Sealed {}
}

/// The scales: each with its word, its name, its form and, where it contrasts means of arms, the contrast.
macro_rules! scales {
    (@contrasts $name:ident $contrast:ident) => {
        impl ContrastScale for $name {}
    };
    ($($(#[$meta:meta])* $name:ident = $word:literal, $long:literal, $form:ident $(, $contrast:ident($proportions:literal))?;)+) => {
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
        $(scales!(@contrasts $name $contrast);)?
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

            /// The contrast of means of arms that the scale is, if it is one.
            fn of_means(&self) -> Option<OfMeans> {
                match self {
                    $($(Self::$name => Some($contrast($proportions)),)?)+
                    _ => None,
                }
            }

            /// All scales that have a type.
            pub(crate) fn all() -> Vec<Self> {
                vec![$(Self::$name),+]
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
    RiskDifference = "risk_difference", "risk difference", PercentagePoints, difference(true);
    /// Logarithm of the ratio of two proportions.
    LogRiskRatio = "log_risk_ratio", "risk ratio", LogRatio, log_ratio(true);
    /// Logarithm of the ratio of two odds.
    LogOddsRatio = "log_odds_ratio", "odds ratio", LogRatio, log_odds_ratio(true);
    /// Difference of two means, treatment minus reference, in units of the outcome.
    MeanDifference = "mean_difference", "difference in means", Difference, difference(false);
    /// Difference of two means in standard deviations.
    StandardizedMeanDifference = "standardized_mean_difference", "standardised mean difference", Difference;
    /// Logarithm of the ratio of two means.
    LogRatioOfMeans = "log_ratio_of_means", "ratio of means", LogRatio, log_ratio(false);
    /// Difference of two rates per unit of exposure.
    RateDifference = "rate_difference", "rate difference", Difference, difference(false);
    /// Logarithm of the ratio of two rates.
    LogRateRatio = "log_rate_ratio", "rate ratio", LogRatio, log_ratio(false);
    /// Logarithm of the ratio of two hazards.
    LogHazardRatio = "log_hazard_ratio", "hazard ratio", LogRatio;
    /// Logarithm of the ratio of two subdistribution hazards (Fine & Gray 1999), which is no ratio of rates.
    LogSubdistributionHazardRatio = "log_subdistribution_hazard_ratio", "subdistribution hazard ratio", LogRatio;
    /// `P(Y_t > Y_r) - P(Y_t < Y_r)` of a person of the treatment and one of the reference, drawn at random:
    /// the net benefit (also Cliff's delta, Somers' d), from -1 to 1. The win probability, ties as a half, is
    /// `(1 + value) / 2`.
    NetBenefit = "net_benefit", "net benefit", Difference;
    /// Logarithm of the win odds `w / (1 - w)`, `w = P(Y_t > Y_r) + P(Y_t = Y_r) / 2`.
    LogWinOdds = "log_win_odds", "win odds", LogRatio;
}

impl AnyScale {
    /// Whether the effects of two treatments against the same reference give the effect of one against the
    /// other: not where an effect is that of pairs of people.
    pub(crate) fn is_transitive(&self) -> bool {
        !matches!(self, Self::NetBenefit | Self::LogWinOdds)
    }

    /// Refuses a scale that does not contrast means of arms.
    pub(crate) fn check_contrast(&self) -> Result<()> {
        self.check(|_| true, "arm means")
    }

    /// Refuses a scale that does not contrast proportions.
    pub(crate) fn check_contrast_of_proportions(&self) -> Result<()> {
        self.check(|contrast| contrast.proportions, "probabilities")
    }

    fn check(&self, fits: impl Fn(&OfMeans) -> bool, means: &str) -> Result<()> {
        let contrasts = |scale: &Self| scale.of_means().is_some_and(|contrast| fits(&contrast));
        if contrasts(self) {
            return Ok(());
        }
        let (name, all) = (self.name(), Self::all());
        let known: Vec<&str> = all.iter().filter(|scale| contrasts(scale)).map(Self::name).collect();
        let known = known.join(", ");
        Err(Error::invalid(format!("the scale \"{name}\" is no contrast of {means}; give one of {known}")))
    }
}

impl ContrastScale for AnyScale {}

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

/// The scale, or an error that names both.
pub(crate) fn narrow<S: Scale>(any: &AnyScale) -> Result<S> {
    S::from_any(any).ok_or_else(|| {
        let needed = std::any::type_name::<S>().rsplit("::").next().unwrap_or_default();
        Error::from(ErrorKind::Incompatible(format!(
            "the estimates are on the scale \"{any}\", but {needed} was asked for; ask for their own scale, or for AnyScale"
        )))
    })
}
