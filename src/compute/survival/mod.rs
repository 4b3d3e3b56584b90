//! Times to an event: curves, tests and regressions, with censoring, late entry and competing causes.
//!
//! [`SurvivalData`] holds a time and a cause for each row (0: no event was seen), and if they are declared entry
//! times, weights, strata and clusters. Everything else starts from it; times are sorted once.
//!
//! | question | method |
//! |---|---|
//! | who is still without the event, and when? | [`KaplanMeier`]: survival, Nelson-Aalen hazard, quantiles, [`CurveInterval`] |
//! | how many have had each cause by then? | [`AalenJohansen`], [`SurvivalQuantity::CumulativeIncidence`] |
//! | how much time is spent without it, or lost to a cause? | [`SurvivalQuantity::RestrictedMean`], [`SurvivalQuantity::TimeLost`] |
//! | do groups differ? | [`LogRank`] with its weights, [`GrayTest`] for cumulative incidences |
//! | by what factor do hazards differ? | [`Cox`]; [`FirthCox`] where a group has no events; [`ProportionalHazardsTest`] |
//! | by what factor do subdistribution hazards differ? | [`FineGray`] |
//! | the same with periods such as months | [`DiscreteTime`], [`PersonPeriods`] |
//! | by what factor is time stretched? | [`AcceleratedFailureTime`] |
//! | a regression of a risk or a mean at a horizon | [`pseudo_values`], [`PseudoRegression`], [`RestrictedMeanRegression`] |
//! | a randomised comparison adjusted for covariates | [`AdjustedLogRank`]: test and marginal hazard ratio |
//!
//! A competing cause is no censoring: [`SurvivalData::censoring_other_causes`] asks for that by name. A horizon
//! beyond the follow-up while some are still without an event is an error. Not here: intervals censored on both
//! sides, recurrent events, frailties, covariates that change over time (give such a person several rows, each with
//! its entry, for [`Cox`]).
//!
//! ```
//! use armwise::survival::{
//!     AalenJohansen, LogRank, LogRankWeight, SurvivalData, SurvivalQuantity,
//! };
//!
//! // Months until people left benefit for work (1) or otherwise (2), in two arms.
//! let months = [2.0, 3.0, 3.0, 5.0, 8.0, 12.0, 12.0, 1.0, 4.0, 6.0, 6.0, 9.0, 11.0, 12.0];
//! let reason = [1, 0, 2, 1, 1, 0, 0, 2, 1, 1, 0, 1, 1, 0];
//! let arm = [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1];
//! let data = SurvivalData::new(&months, &reason)?;
//! let test =
//!     LogRank::new(&data.clone().censoring_other_causes(1)?, &arm, LogRankWeight::LogRank)?;
//! assert_eq!(test.observed, [3.0, 4.0]);
//!
//! let by_arm = AalenJohansen::by_stratum(&data.strata(&arm)?)?;
//! let wanted = [SurvivalQuantity::CumulativeIncidence { cause: 1, at: 9.0 }];
//! let (control, treated) = (by_arm[0].estimate(&wanted)?, by_arm[1].estimate(&wanted)?);
//! let difference = treated.difference(&control, 0, 0.95)?;
//! assert!(difference.interval.contains(0.0));
//! # Ok::<(), armwise::Error>(())
//! ```

mod aalen_johansen;
mod accelerated;
mod adjusted_log_rank;
mod at_risk;
mod counts;
mod cox;
mod curve_interval;
mod data;
mod discrete_time;
mod fine_gray;
mod gray;
mod grid;
mod kaplan_meier;
mod log_rank;
mod pseudo_regression;
mod pseudo_values;
mod restricted_mean_regression;

pub use aalen_johansen::{AalenJohansen, SurvivalEstimates, SurvivalQuantity};
pub use accelerated::{AcceleratedFailureTime, AcceleratedFailureTimeFit, TimeDistribution};
pub use adjusted_log_rank::AdjustedLogRank;
pub(crate) use at_risk::RiskCount;
pub use cox::{
    BaselineHazard, Concordance, Cox, CoxFit, CoxRisks, CoxVariance, FirthCox, FirthCoxFit, PredictedCurve,
    PredictedPoint, ProportionalHazardsTest, Ties, TimeTransform,
};
pub use curve_interval::CurveInterval;
pub use data::SurvivalData;
pub use discrete_time::{BaselineShape, DiscreteTime, DiscreteTimeFit, PersonPeriods, StandardizedRisks};
pub use fine_gray::{CensoringTies, FineGray, FineGrayFit, FineGrayVariance};
pub use gray::GrayTest;
pub use kaplan_meier::{HazardInterval, KaplanMeier, RestrictedMean, SurvivalPoint, TimeQuantile};
pub use log_rank::{LogRank, LogRankWeight};
pub use pseudo_regression::{PseudoLink, PseudoRegression, PseudoRegressionFit};
pub use pseudo_values::{PseudoValue, pseudo_values};
pub use restricted_mean_regression::{
    RestrictedMeanLink, RestrictedMeanRegression, RestrictedMeanRegressionFit,
};
