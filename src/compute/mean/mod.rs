//! Two means: their difference with tests and intervals, standardised differences, and ratios of means and of
//! standard deviations.
//!
//! [`TwoMeans`] is the main type: a treatment and a control [`Sample`], from values or from published
//! numbers. Effects are always treatment against control.
//!
//! | question | method |
//! |---|---|
//! | difference, test, interval | [`TwoMeans::difference`], then [`Difference::p_value`], [`Difference::interval`] |
//! | not worse, or equivalent? | [`Difference::noninferiority_test`], [`Difference::equivalence_test`] |
//! | in standard deviations | [`TwoMeans::standardized`], [`TwoMeans::glass_delta`] |
//! | as a ratio | [`TwoMeans::log_ratio`], [`TwoMeans::log_variability_ratio`], [`TwoMeans::variance_ratio_test`] |
//! | change within the same participants | [`PairedMeans`] |
//!
//! ```
//! use armwise::mean::{MeansVariance, Sample, TwoMeans};
//!
//! // Student (1908): hours of sleep gained with two drugs
//! let two = TwoMeans::new(
//!     Sample::of(&[1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])?,
//!     Sample::of(&[0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])?,
//! )?;
//! let welch = two.difference(MeansVariance::Welch);
//! assert!((welch.estimate - 1.58).abs() < 1e-12 && (welch.p_value() - 0.0794).abs() < 5e-5);
//! # Ok::<(), armwise::Error>(())
//! ```

mod blocks;
mod difference;
mod effect_size;
mod paired;

pub use super::hypothesis::OneSidedTest;
#[doc(no_inline)]
pub use super::hypothesis::{EquivalenceTest, SignedTest};
pub use blocks::Blocks;
pub(crate) use blocks::{BlockEffects, JointDifferences, MatchedSet};
pub(crate) use difference::welch_df;
pub use difference::{BlockDifference, Difference, MeansVariance};
pub use effect_size::{
    GlassDelta, LogRatio, StandardizedDifference, StandardizedVariance, VarianceRatioTest, hedges_correction,
    hedges_correction_approximate,
};
pub use paired::PairedMeans;

use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// How many values there are, their mean, and their standard deviation (divisor `n - 1`).
///
/// ```
/// use armwise::mean::Sample;
///
/// let values = Sample::of(&[1.0, 2.0, 6.0])?;
/// assert_eq!((values.n, values.mean), (3, 3.0));
/// let published = Sample { n: 212, mean: 6.8, sd: 1.6 };
/// assert!((published.se() - 0.109_889).abs() < 1e-6);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The number of values.
    pub n: u64,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation.
    pub sd: f64,
}

impl Sample {
    /// The summary of values, in two passes: digits are kept where the mean is large.
    ///
    /// # Errors
    /// `invalid_input` for NaN, infinite values, and values too large to be squared;
    /// `insufficient_observations` for fewer than two.
    pub fn of(values: &[f64]) -> Result<Self> {
        Self::of_values(values.iter().copied())
    }

    /// As [`Sample::of`], of values that can be gone through twice.
    pub(crate) fn of_values(values: impl Iterator<Item = f64> + Clone) -> Result<Self> {
        let mut moments = Moments::default();
        for value in values.clone() {
            moments.first_pass(value);
        }
        for value in values {
            moments.second_pass(value);
        }
        moments.sample()
    }

    /// One sample for each group, of values with the code of their group, from 0.
    pub(crate) fn by_group(values: &[f64], groups: &[u32], count: usize) -> Vec<Result<Self>> {
        let mut moments = vec![Moments::default(); count];
        for (&value, &group) in values.iter().zip(groups) {
            moments[group as usize].first_pass(value);
        }
        for (&value, &group) in values.iter().zip(groups) {
            moments[group as usize].second_pass(value);
        }
        moments.iter().map(Moments::sample).collect()
    }

    /// The standard error of the mean, `sd / sqrt(n)`.
    pub fn se(&self) -> f64 {
        self.sd / (self.n as f64).sqrt()
    }

    /// `n - 1`.
    pub(crate) fn df(&self) -> f64 {
        self.n as f64 - 1.0
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.n < 2 {
            return Err(too_few(self.n));
        }
        if !(self.mean.is_finite() && self.sd.is_finite() && self.sd >= 0.0) {
            return Err(Error::invalid(format!(
                "a mean of {} with a standard deviation of {}; both are finite, and the latter is 0 or more",
                self.mean, self.sd
            )));
        }
        Ok(())
    }
}

/// Moments in two passes.
#[derive(Clone, Copy, Default)]
struct Moments {
    n: u64,
    mean: f64,
    squares: f64,
    deviations: f64,
}

impl Moments {
    fn first_pass(&mut self, value: f64) {
        self.n += 1;
        self.mean += (value - self.mean) / self.n as f64;
    }

    fn second_pass(&mut self, value: f64) {
        let deviation = value - self.mean;
        self.squares += deviation * deviation;
        self.deviations += deviation;
    }

    fn sample(&self) -> Result<Sample> {
        let Self { n, mean, squares, deviations } = *self;
        if n < 2 {
            return if mean.is_nan() { Err(no_number()) } else { Err(too_few(n)) };
        }
        // What rounding left in the running mean.
        let rest = deviations / n as f64;
        let variance = (squares - deviations * rest).max(0.0) / (n as f64 - 1.0);
        if mean.is_finite() && squares.is_finite() {
            Ok(Sample { n, mean: mean + rest, sd: variance.sqrt() })
        } else {
            Err(no_number())
        }
    }
}

fn no_number() -> Error {
    Error::invalid(
        "a value is missing, infinite, or too large to be squared; leave missing values out, or take a larger unit",
    )
}

fn too_few(n: u64) -> Error {
    let why = format!(
        "a standard deviation needs two values in each group, there {}; leave the group out",
        if n == 1 { "is 1".to_owned() } else { format!("are {n}") }
    );
    ErrorKind::InsufficientObservations(why).into()
}

pub(super) fn zero_variance(what: &str) -> Error {
    ErrorKind::ZeroVariance(what.to_owned()).into()
}

/// One standard deviation for several samples: `sqrt(sum((n_a - 1) s_a^2) / sum(n_a - 1))`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PooledDeviation {
    pub sd: f64,
    pub df: f64,
}

impl PooledDeviation {
    pub(crate) fn of(samples: &[Sample]) -> Self {
        let df: f64 = samples.iter().map(Sample::df).sum();
        // The largest deviation as unit, so that squares neither overflow nor vanish.
        let unit = samples.iter().map(|sample| sample.sd).fold(0.0, f64::max);
        if unit == 0.0 {
            return Self { sd: 0.0, df };
        }
        let sum: f64 = samples.iter().map(|sample| sample.df() / df * (sample.sd / unit).powi(2)).sum();
        Self { sd: unit * sum.sqrt(), df }
    }
}

/// Means of a treatment and a control group; at least one of the groups varies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Samples")]
pub struct TwoMeans {
    treatment: Sample,
    control: Sample,
}

#[derive(Deserialize)]
struct Samples {
    treatment: Sample,
    control: Sample,
}

impl TryFrom<Samples> for TwoMeans {
    type Error = Error;

    fn try_from(samples: Samples) -> Result<Self> {
        Self::new(samples.treatment, samples.control)
    }
}

impl TwoMeans {
    /// The treatment group, then the control group.
    ///
    /// # Errors
    /// `insufficient_observations` where a group has fewer than two values; `zero_variance` where neither
    /// group varies; `invalid_input` where a mean or a standard deviation is not finite, or a standard
    /// deviation is negative.
    pub fn new(treatment: Sample, control: Sample) -> Result<Self> {
        treatment.check()?;
        control.check()?;
        // Not minus zero, whose logarithm is not a number.
        let [treatment, control] = [treatment, control].map(|one| Sample { sd: one.sd + 0.0, ..one });
        if treatment.sd == 0.0 && control.sd == 0.0 {
            return Err(zero_variance(
                "neither group varies, so the difference of their means has no standard error; check the outcome, \
                 or describe the groups without a test",
            ));
        }
        Ok(Self { treatment, control })
    }

    /// The treatment group.
    pub fn treatment(&self) -> Sample {
        self.treatment
    }

    /// The control group.
    pub fn control(&self) -> Sample {
        self.control
    }
}
