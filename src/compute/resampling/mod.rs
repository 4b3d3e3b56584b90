//! Bootstrap, jackknife and wild cluster bootstrap of any statistic.
//!
//! [`Resamples`] draws or enumerates resamples and hands over how often each unit occurs;
//! [`BootstrapDistribution`] holds the values of a statistic, and its [`BootstrapCurve`] gives limits and
//! p-values. [`WildBootstrap`] is for few clusters.
//!
//! | question | answer |
//! |---|---|
//! | replicates of a statistic, by person, by cluster, within strata | [`Resamples::drawn`] |
//! | the same of events: one binomial number for each group | [`EventResamples`] |
//! | all resamples with their probabilities | [`Resamples::enumerated`] |
//! | percentile, basic, normal, BCa and studentised intervals, and their p-values | [`BootstrapCurve`] |
//! | jackknife: bias, standard error, acceleration | [`LeftOut`] |
//! | a coefficient with few clusters | [`WildBootstrap`], [`WildTest`] |
//!
//! ```
//! use armwise::resampling::{
//!     BootstrapDistribution, BootstrapInterval, QuantileRule, Resamples,
//! };
//!
//! let (before, after) = ([3.0, 5.0, 8.0, 4.0, 7.0, 6.0], [4.0, 5.0, 11.0, 4.0, 9.0, 9.0]);
//! let ratio = |counts: &[u32]| {
//!     let sum = |values: &[f64]| -> f64 {
//!         values.iter().zip(counts).map(|(x, count)| x * f64::from(*count)).sum()
//!     };
//!     Some(sum(&after) / sum(&before))
//! };
//! let replicates = Resamples::of(6)?.drawn(1_999, 7, ratio)?;
//! let curve = BootstrapDistribution::drawn(42.0 / 33.0, &replicates)?.curve(
//!     BootstrapInterval::Percentile,
//!     QuantileRule::NormalScale,
//!     0.0,
//! )?;
//! assert!(curve.interval(0.95)?.contains(42.0 / 33.0));
//! assert!(curve.p_above(1.0) < 0.025);
//! # Ok::<(), armwise::Error>(())
//! ```

mod distribution;
mod events;
mod interval;
mod jackknife;
mod resamples;
mod steps;
mod wild;
mod wild_draws;

pub use distribution::{BootstrapDistribution, QuantileRule};
pub use events::EventResamples;
#[doc(alias("boot.ci", "bca", "percentile", "bootstrap-t", "studentized"))]
pub use interval::{BootstrapCurve, BootstrapInterval};
#[doc(alias("jackknife", "delete-one", "leave-one-out", "pseudo-values", "cv3"))]
pub use jackknife::{Acceleration, LeftOut};
#[doc(alias("boot", "bootstrap", "resample"))]
pub use resamples::{ENUMERATED, Resamples};
pub(crate) use resamples::{check_replicates, each, stream};
pub use steps::PValueSteps;
#[doc(alias("boottest", "wildboottest", "fwildclusterboot", "wcr", "wcu", "rademacher", "webb"))]
pub use wild::{ResidualsOf, WildBootstrap, WildTest, WildWeights};
