//! What an analysis imports: `use armwise::prelude::*;`.

pub use crate::arms;
pub use crate::compute::categorical::Simultaneous;
pub use crate::compute::mean::Blocks;
pub use crate::compute::proportion::MantelHaenszelVariance;
pub use crate::compute::regression::{ClusterVariance, MarginalVariance, VarianceType};
#[cfg(feature = "csv")]
pub use crate::data::CsvReader;
pub use crate::data::{Column, Table};
pub use crate::design::{
    Arm, Binary, Comparison, Comparisons, Continuous, Contract, Count, Direction, Label, Measure, Nominal,
    Notice, Ordinal, Outflow, Questionnaire, TimeToEvent, Trial, Trials,
};
pub use crate::effect::{
    AnyScale, ArmMeans, CategoryEffects, CategoryProbabilities, Effects, Equivalence, EquivalenceConclusion,
    Estimand, Estimate, Estimates, LogOddsRatio, LogRateRatio, LogRiskRatio, LogWinOdds, MeanDifference,
    Method, NetBenefit, NonInferiority, NonInferiorityConclusion, RateDifference, RiskDifference, Scale,
    SubgroupEffects, TreatmentEffects,
};
pub use crate::error::ErrorKind;
pub use crate::estimator::{
    CategoryEstimator, CategoryScores, ComplierAverageEffect, DifferenceInCategories, DifferenceInMeans,
    DifferenceInProportions, DifferenceInRates, DoublyRobust, Estimator, FirthLogisticRegression,
    IndependenceTest, InverseProbabilityWeighting, LinearRegression, LogisticRegression,
    MultinomialRegression, NegativeBinomialRegression, OddsRatio, OrderedTest, PoissonRegression,
    ProportionalOddsRegression, RatioOfProportions, RatioOfRates, TwoPartRegression, WinProbability,
};
pub use crate::pool::{
    BayesianRandomEffects, CommonEffect, ComponentModel, JointModel, JointlyPooled, MantelHaenszel,
    MetaRegression, NetworkMetaAnalysis, OneStageComparison, OneStageLinear, OneStageLogistic,
    OneStagePooled, ParticipantWeighted, Peto, Pooled, RandomEffects, SideBySide, Subgroups,
};
pub use crate::report::{ForestPlot, FunnelPlot, NetworkGraph, OutcomeTable, Report};
