//! Inference that replays the design or resamples the data: randomisation tests, step-down tests.
//!
//! Everything here takes an estimator of [`estimator`](crate::estimator) and asks it again, about another
//! assignment that could have been drawn or about resampled people.
//!
//! | type | what it is |
//! |---|---|
//! | [`RandomizationTest`], [`RandomizationResult`] | the declared allocation replayed: p-values of treatments, one of all together, intervals |
//! | [`OtherArms`], [`TestedStatistic`] | its conventions |
//! | [`PooledStatistic`] | pools that a randomisation test takes: [`PooledRandomizationTest`](crate::pool::PooledRandomizationTest) |
//! | [`StepDownTest`], [`StepDownResult`] | Romano-Wolf and Westfall-Young over outcomes and arms, from one replay |

mod randomization;
mod randomization_result;
mod replayed;
mod step_down;

pub(crate) use randomization::studentized;
#[doc(alias("permutation test", "randomization inference", "ri2", "fisher", "sharp null"))]
pub use randomization::{OfDesign, OfEstimator, OtherArms, RandomizationTest, TestStatistic};
pub use randomization_result::{
    JointResult, PooledStatistic, RandomizationDistribution, RandomizationResult, RandomizedTreatment,
    TestedStatistic,
};
pub use replayed::Replayed;
#[doc(alias("romano-wolf", "westfall-young", "rwolf", "wildrwolf", "max-t"))]
pub use step_down::{StepDownHypothesis, StepDownResult, StepDownTest};
