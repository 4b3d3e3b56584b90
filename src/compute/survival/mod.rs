//! Times to an event: curves, tests and regressions, with censoring, left truncation and competing causes.
mod aalen_johansen;
mod accelerated;
mod adjusted_log_rank;
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
pub use cox::{
    BaselineHazard, Concordance, Cox, CoxFit, CoxVariance, FirthCox, FirthCoxFit, PredictedCurve, PredictedPoint,
    ProportionalHazardsTest, Ties, TimeTransform,
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
pub use restricted_mean_regression::{RestrictedMeanLink, RestrictedMeanRegression, RestrictedMeanRegressionFit};
