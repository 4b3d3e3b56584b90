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
pub use compute::curve::{ConfidenceCurve, Inference, JointTest};
pub use effect::{
    About, AnyScale, ArmMeans, CategoryEffects, CategoryEffectsRecord, CategoryEstimates, CategoryProbabilities, ContrastScale, Effects,
    Equivalence, EquivalenceConclusion, Estimand, Checked, Contrast, Estimate, EstimateRecord, Estimates, EstimatesRecord, On, SubgroupEffectsRecord, IntervalMethod, LogHazardRatio,
    LogOddsRatio, LogRateRatio, LogRatioOfMeans, LogRiskRatio, LogWinOdds, MeanDifference,
    Method, NetBenefit, NonInferiority, NonInferiorityConclusion, RateDifference, RiskDifference, Scale,
    ScaleForm, StandardizedMeanDifference, SubgroupDifference, SubgroupEffects, TreatmentEffects,
    VarianceMethod,
};
pub use error::{BadCell, Error, ErrorKind, Place, Result, Sign};
pub use estimator::{
    AdjustedFit, AnyCategoryEstimator, AnyCategoryRegression, AnyEstimator, AnyRegression, AssociationTest,
    AverageCovariateEffect, CategoryEstimator, CategoryMarginal, CategoryScores, CoefficientVariance,
    ComplierAverageEffect, DifferenceInCategories, DifferenceInMeans, DifferenceInProportions,
    DifferenceInRates, DoublyRobust, Estimator, FirthLogisticRegression, InCategory, IndependenceTest,
    InverseProbabilityWeighting, LinearRegression, LogisticRegression, Marginal, MultinomialRegression,
    NegativeBinomialRegression, OddsRatio, OrderedTest, PoissonRegression, Prepared,
    ProportionalOddsRegression, RateVariance, RatioOfProportions, RatioOfRates, TakeUpInterval,
    TwoPartEffects, TwoPartRegression, WinProbability, WinScale, ZeroCells,
};
pub use pool::{
    Approach, ApproachRow, Asymmetry, Average, BayesianPooled, BayesianRandomEffects, CommonEffect,
    ComponentModel, CountMethod, CumulativeOrder, EffectOf, EmptyCells, HenmiCopasPooled,
    Influence, InteractionStatistic, JointModel, JointlyPooled, LeftOut, MantelHaenszel, MetaRegression,
    ModeratorValue, NetworkArm, NetworkComparison, NetworkMetaAnalysis, NetworkPooled, NetworkTrial,
    NodeSplit, OneStageComparison, OneStageEffects, OneStageInteraction, OneStageLinear, OneStageLogistic,
    OneStagePooled, OneStageRow, OneStageSummary, ParticipantWeighted, Peto, Pooled, PoolModel, PooledCoefficient, PooledRecord, JointlyPooledRecord, OneStageRecord,
    PooledCounts, PooledRegression, PooledSideBySide, PooledSubgroup, PooledSubgroups, PooledTrial,
    PriorOrigin, PriorSensitivity, Priors, RandomEffects, Ranked, Refit, Refits,
    RegressedTrial, Repetition, Sensitivity, ShrunkenTrial, SideBySide, Subgroups, TableScale, TrialCounts,
    TrialInfluence, TrimmedAndFilled,
    AsymmetryRecord, BayesianRecord, HenmiCopasRecord, InfluenceRecord, PriorSensitivityRecord, RefitsRecord,
    SideBySideRecord, TrimmedAndFilledRecord,
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
