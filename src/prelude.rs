//! The names that an analysis imports: `use armwise::prelude::*;`.

#[doc(no_inline)]
pub use crate::arms;
#[doc(no_inline)]
pub use crate::compute::categorical::Simultaneous;
#[doc(no_inline)]
pub use crate::compute::mean::Blocks;
#[doc(no_inline)]
pub use crate::compute::proportion::MantelHaenszelVariance;
#[doc(no_inline)]
pub use crate::compute::regression::{ClusterVariance, MarginalVariance, VarianceType};
#[cfg(feature = "csv")]
#[doc(no_inline)]
pub use crate::data::CsvReader;
#[doc(no_inline)]
pub use crate::data::{Column, Table};
#[doc(no_inline)]
pub use crate::design::{
    Arm, Binary, Comparison, Comparisons, Continuous, Contract, Count, Direction, Label, Measure,
    MonthlyStates, Nominal, Notice, Ordinal, Outflow, Outsiders, Questionnaire, Register, Repeated,
    TimeToEvent, Trial, Trials,
};
#[doc(no_inline)]
pub use crate::effect::{
    AnyScale, ArmMeans, CategoryEffects, CategoryProbabilities, Effects, EffectsOverTime, Equivalence,
    EquivalenceConclusion, Estimand, Estimate, Estimates, LogHazardRatio, LogOddsRatio, LogRateRatio,
    LogRiskRatio, LogWinOdds, MeanDifference, Method, NetBenefit, NonInferiority, NonInferiorityConclusion,
    RateDifference, RiskDifference, Scale, SubgroupEffects, TreatmentEffects, WaveEffects,
};
#[doc(no_inline)]
pub use crate::error::ErrorKind;
#[doc(no_inline)]
pub use crate::estimator::prelude::*;
#[doc(no_inline)]
pub use crate::estimator::{
    CategoryEstimator, CategoryScores, Estimator, IndependenceTest, OrderedTest, WaveEstimator,
};
#[doc(no_inline)]
pub use crate::pool::{
    BayesianRandomEffects, CommonEffect, ComponentModel, JointModel, JointlyPooled, MantelHaenszel,
    MetaRegression, NetworkMetaAnalysis, OneStageComparison, OneStageCox, OneStageLinear, OneStageLogistic,
    OneStagePooled, ParticipantWeighted, Peto, Pooled, RandomEffects, SideBySide, Subgroups,
};
#[doc(no_inline)]
pub use crate::report::{ForestPlot, FunnelPlot, NetworkGraph, OutcomeTable, Report};
