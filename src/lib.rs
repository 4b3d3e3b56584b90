#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub use ndarray;

mod compute;
pub mod data;
pub mod design;
pub mod effect;
pub mod error;
pub mod estimator;
pub mod pool;
pub mod prelude;
pub mod protocol;
pub mod report;

// The links of README.md are looked up here.
#[cfg(doc)]
#[allow(unused_imports)]
use {data::*, design::*, effect::*, estimator::*, pool::*, report::*};

#[doc(no_inline)]
pub use compute::mean::{Blocks, MeansVariance};
pub use compute::{
    bayes, categorical, distribution, effect_size, mean, meta_analysis, one_stage, proportion, rank,
    regression, weighting,
};
#[cfg(feature = "csv")]
#[doc(no_inline)]
pub use data::CsvReader;
#[doc(no_inline)]
pub use data::{Cell, Column, ColumnKind, Subgroup, Table};
#[doc(no_inline)]
pub use design::{
    AnyMeasure, Arm, ArmCounts, Binary, Categorical, ComparedArm, Comparison, Comparisons, Continuous,
    Contract, Count, Direction, Label, Measure, MeasureInfo, MissingItems, Nominal, Notice, Ordinal,
    OutcomeKind, OutcomeValues, Outflow, Questionnaire, Scoring, SubgroupComparisons, TimeToEvent, Trial,
    TrialBuilder, Trials, TrialsBuilder, Versus,
};
#[doc(no_inline)]
pub use effect::Interval;
#[doc(no_inline)]
pub use effect::{
    AnyScale, ArmMeans, CategoryEffects, CategoryEstimates, CategoryProbabilities, ContrastScale, Effects,
    Equivalence, EquivalenceConclusion, Estimand, Estimate, Estimates, IntervalMethod, LogHazardRatio,
    LogOddsRatio, LogRateRatio, LogRatioOfMeans, LogRiskRatio, LogWinOdds, MarginTest, MeanDifference,
    Method, NetBenefit, NonInferiority, NonInferiorityConclusion, RateDifference, RiskDifference, Scale,
    ScaleForm, StandardizedMeanDifference, SubgroupDifference, SubgroupEffects, TestMethod, TreatmentEffects,
    VarianceMethod,
};
#[doc(no_inline)]
pub use error::{BadCell, Error, ErrorKind, Place, Result, Sign};
#[doc(no_inline)]
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
#[doc(no_inline)]
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
#[doc(no_inline)]
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
