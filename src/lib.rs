#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub use ndarray;

mod compute;
mod data;
mod design;
mod effect;
mod error;
mod estimator;
mod pool;
pub mod report;

pub mod prelude;

pub use compute::interval::Interval;
pub use compute::mean::MeansVariance;
pub use compute::{
    bayes, categorical, distribution, effect_size, mean, meta_analysis, proportion, rank, regression,
    weighting,
};
#[cfg(feature = "csv")]
pub use data::CsvReader;
pub use data::{Cell, Column, ColumnKind, Subgroup, Table};
pub use design::{
    Arm, ArmCounts, Binary, ComparedArm, Comparison, Comparisons, Continuous, Contract, Count, Direction,
    Label, Measure, MeasureInfo, MissingItems, Nominal, Notice, Ordinal, OutcomeKind, OutcomeValues, Outflow,
    Questionnaire, Scoring, TimeToEvent, Trial, TrialBuilder, Trials, TrialsBuilder, Versus,
};
pub use effect::{
    AnyScale, ArmMeans, ContrastScale, Effects, Estimand, Estimate, Estimates, IntervalMethod,
    LogHazardRatio, LogOddsRatio, LogRateRatio, LogRatioOfMeans, LogRiskRatio, MeanDifference, Method,
    RateDifference, RiskDifference, Scale, ScaleForm, StandardizedMeanDifference, TestMethod,
    TreatmentEffects, VarianceMethod,
};
pub use error::{BadCell, Error, ErrorKind, Place, Result, Sign};
pub use estimator::{
    AdjustedFit, ComplierAverageEffect, DifferenceInMeans, DifferenceInProportions, DifferenceInRates,
    DoublyRobust, Estimator, FirthLogisticRegression, InverseProbabilityWeighting, LinearRegression,
    LogisticRegression, Marginal, NegativeBinomialRegression, OddsRatio, PoissonRegression, Prepared,
    RateVariance, RatioOfProportions, RatioOfRates, TakeUpInterval, TwoPartEffects, TwoPartRegression,
    ZeroCells,
};
pub use pool::{
    CommonEffect, ComponentModel, JointModel, JointlyPooled, Pooled, PooledCoefficient, PooledTrial,
    RandomEffects,
};

/// The documents beside the code.
#[cfg(doc)]
pub mod _documentation {
    #[doc = include_str!("../DESIGN.md")]
    pub mod design {}

    #[doc = include_str!("../CHANGELOG.md")]
    pub mod changelog {}
}
