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
mod protocol;
pub mod report;

pub mod prelude;

pub use compute::interval::Interval;
pub use compute::mean::{Blocks, MeansVariance};
pub use compute::{
    bayes, categorical, distribution, effect_size, mean, meta_analysis, one_stage, proportion, rank,
    regression, weighting,
};
#[cfg(feature = "csv")]
pub use data::CsvReader;
pub use data::{Cell, Column, ColumnKind, Subgroup, Table};
pub use design::{
    AnyMeasure, Arm, ArmCounts, Binary, Categorical, ComparedArm, Comparison, Comparisons, Continuous,
    Contract, Count, Direction, Label, Measure, MeasureInfo, MissingItems, Nominal, Notice, Ordinal,
    OutcomeKind, OutcomeValues, Outflow, Questionnaire, Scoring, SubgroupComparisons, TimeToEvent, Trial,
    TrialBuilder, Trials, TrialsBuilder, Versus,
};
pub use effect::{
    AnyScale, ArmMeans, CategoryEffects, CategoryEstimates, CategoryProbabilities, ContrastScale, Effects,
    Equivalence, EquivalenceConclusion, Estimand, Estimate, Estimates, IntervalMethod, LogHazardRatio,
    LogOddsRatio, LogRateRatio, LogRatioOfMeans, LogRiskRatio, LogWinOdds, MarginTest, MeanDifference,
    Method, NetBenefit, NonInferiority, NonInferiorityConclusion, RateDifference, RiskDifference, Scale,
    ScaleForm, StandardizedMeanDifference, SubgroupDifference, SubgroupEffects, TestMethod, TreatmentEffects,
    VarianceMethod,
};
pub use error::{BadCell, Error, ErrorKind, Place, Result, Sign};
pub use estimator::{
    AdjustedFit, AnyEstimator, AssociationTest, AverageCovariateEffect, CategoryEstimator, CategoryScores,
    CoefficientVariance, ComplierAverageEffect, DifferenceInCategories, DifferenceInMeans,
    DifferenceInProportions, DifferenceInRates, DoublyRobust, Estimator, FirthLogisticRegression, InCategory,
    IndependenceTest, InverseProbabilityWeighting, LinearModel, LinearRegression, LogisticModel,
    LogisticRegression, Marginal, MultinomialRegression, NegativeBinomialModel, NegativeBinomialRegression,
    OddsRatio, OrderedTest, PoissonModel, PoissonRegression, Prepared, ProportionalOddsRegression,
    Proportions, RateVariance, Rates, RatioOfProportions, RatioOfRates, Regression, TakeUpInterval,
    TwoPartEffects, TwoPartRegression, WinProbability, WinScale, ZeroCells,
};
pub use pool::{
    Approach, ApproachRow, Asymmetry, Average, BayesianPooled, BayesianRandomEffects, CommonEffect,
    ComponentModel, CountMethod, CumulativeOrder, EffectOf, EmptyCells, FunnelPoint, HenmiCopasPooled,
    Influence, InteractionStatistic, JointModel, JointlyPooled, LeftOut, MantelHaenszel, MetaRegression,
    ModeratorValue, NetworkArm, NetworkComparison, NetworkMetaAnalysis, NetworkPooled, NetworkTrial,
    NodeSplit, OneStageComparison, OneStageEffects, OneStageInteraction, OneStageLinear, OneStageLogistic,
    OneStagePooled, OneStageRow, OneStageSummary, ParticipantWeighted, Peto, Pooled, PooledCoefficient,
    PooledCounts, PooledRegression, PooledSideBySide, PooledSubgroup, PooledSubgroups, PooledTrial,
    PriorOrigin, PriorRow, PriorSensitivity, Priors, RandomEffects, RankTest, Ranked, Refit, Refits,
    RegressedTrial, Repetition, Sensitivity, ShrunkenTrial, SideBySide, Subgroups, TableScale, TrialCounts,
    TrialInfluence, TrimmedAndFilled,
};
pub use protocol::{
    AcrossTrials, AnalysisPlan, AnalysisRole, AnyPool, Failure, OutcomeRole, PlanAnswer, PlanPool,
    PlanResults, PlannedAnalysis, PlannedOutcome, PoolResult,
};

/// The documents beside the code.
#[cfg(doc)]
pub mod _documentation {
    #[doc = include_str!("../DESIGN.md")]
    pub mod design {}

    #[doc = include_str!("../CHANGELOG.md")]
    pub mod changelog {}
}
