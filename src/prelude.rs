//! What an analysis imports: `use armwise::prelude::*;`.

pub use crate::arms;
pub use crate::compute::regression::{MarginalVariance, VarianceType};
#[cfg(feature = "csv")]
pub use crate::data::CsvReader;
pub use crate::data::{Column, Table};
pub use crate::design::{
    Arm, Binary, Comparison, Comparisons, Continuous, Contract, Count, Direction, Label, Measure, Nominal,
    Notice, Ordinal, Outflow, Questionnaire, TimeToEvent, Trial, Trials,
};
pub use crate::effect::{
    AnyScale, ArmMeans, Effects, Estimand, Estimate, Estimates, LogOddsRatio, LogRateRatio, LogRiskRatio,
    MeanDifference, Method, RateDifference, RiskDifference, Scale, TreatmentEffects,
};
pub use crate::error::ErrorKind;
pub use crate::estimator::{
    ComplierAverageEffect, DifferenceInMeans, DifferenceInProportions, DifferenceInRates, DoublyRobust,
    Estimator, FirthLogisticRegression, InverseProbabilityWeighting, LinearRegression, LogisticRegression,
    NegativeBinomialRegression, OddsRatio, PoissonRegression, RatioOfProportions, RatioOfRates,
    TwoPartRegression,
};
pub use crate::pool::{CommonEffect, ComponentModel, JointModel, JointlyPooled, Pooled, RandomEffects};
pub use crate::report::{ForestPlot, OutcomeTable, Report};
