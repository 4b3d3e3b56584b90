//! Randomisation tests: the assignments that could have happened are replayed, and the statistic of the
//! observed one is set against theirs.
//!
//! [`Assignments`] are the set of assignments, [`Replay`] asks a [`Statistic`] of each, [`NullDistribution`]
//! answers with p-values of one hypothesis, of all together, or adjusted in steps down.
//!
//! | question | answer |
//! |---|---|
//! | complete, blocked, clustered assignments; groups that are held | [`Assignments`] |
//! | a statistic of every assignment | [`Replay::run`], [`Replay::over`]; of one's own: [`replay_each`] |
//! | p-values of a treatment | [`NullDistribution::p_values`] |
//! | all treatments together | [`NullDistribution::joint`], [`Statistic::AnovaF`] |
//! | many hypotheses from one replay | [`NullDistribution::step_down`] |
//! | an interval of a constant effect | [`Replay::interval`] |
//! | Fisher's exact test, events attributable to treatment | [`attributable_effect`] |

// Groups, units, draws and counts are whole numbers far below 2^32; hot loops must be compiled for the machine's
// vectors; lanes of several arrays go side by side.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::inline_always,
    clippy::needless_range_loop
)]

mod assignments;
mod attributable;
mod counts;
mod exact;
mod interval;
mod least_squares;
mod null;
mod prepare;
mod problem;
mod quartic;
mod ranks;
mod replay;
mod replays;
mod statistic;
mod stream;
mod sums;

pub use assignments::Assignments;
pub use attributable::{AttributableEffect, attributable_effect};
pub use interval::RandomizationInterval;
pub(crate) use least_squares::LeastSquares as Swept;
#[doc(alias("permutation distribution", "reference distribution"))]
pub use null::{NullDistribution, RandomizationPValues};
#[doc(alias("permutation test", "randomization inference", "ri2", "fisher exact", "sharp null"))]
pub use replay::Replay;
pub(crate) use replays::seed_of;
pub use replays::{Exactness, ReplayOptions, Replays, replay_each, replay_together};
pub use statistic::{BlockWeights, JointStatistic, Statistic};
