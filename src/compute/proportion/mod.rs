//! Counts of events in one or two groups: proportions, their difference, ratio and odds ratio, with every
//! interval and test in use, also stratified and paired.
//!
//! [`TwoProportions`] is the main type: events and participants of a treatment and a control group. Effects
//! are always treatment against control. [`Proportion`] alone has the one-sample methods,
//! [`PairedProportions`] those of two measurements of the same participants, [`StratifiedProportions`] those
//! of several tables; [`CountColumns`] does many tables at once without allocation.
//!
//! | question | method |
//! |---|---|
//! | difference, ratio, odds ratio | [`TwoProportions::difference`], [`ratio`](TwoProportions::ratio), [`odds_ratio`](TwoProportions::odds_ratio) |
//! | their intervals | [`TwoProportions::difference_interval`], [`ratio_interval`](TwoProportions::ratio_interval), [`odds_ratio_interval`](TwoProportions::odds_ratio_interval) |
//! | an effect that strata share | [`StratifiedProportions::difference_interval`], [`ratio_interval`](StratifiedProportions::ratio_interval), [`odds_ratio_interval`](StratifiedProportions::odds_ratio_interval) |
//! | are they equal? | [`TwoProportions::z_test`], [`chi_square_test`](TwoProportions::chi_square_test), [`fisher_test`](TwoProportions::fisher_test), [`mid_p_test`](TwoProportions::mid_p_test), [`boschloo_test`](TwoProportions::boschloo_test), [`barnard_test`](TwoProportions::barnard_test) |
//! | not worse, or equivalent? | [`TwoProportions::noninferiority_test`], [`equivalence_test`](TwoProportions::equivalence_test) |
//! | how many to treat for one event more? | [`NumberNeededToTreat`] |
//! | one proportion | [`Proportion::interval`], [`binomial_test`](Proportion::binomial_test), [`score_test`](Proportion::score_test) |
//!
//! ```
//! use armwise::proportion::{DifferenceInterval, Proportion, TwoProportions};
//!
//! // Newcombe (1998, Statistics in Medicine 17:873-890), table II, contrast (a)
//! let two = TwoProportions::new(Proportion::new(56, 70)?, Proportion::new(48, 80)?);
//! let interval = two.difference_interval(DifferenceInterval::Newcombe, 0.95)?;
//! assert!((two.difference().estimate - 0.2).abs() < 1e-12);
//! assert!(
//!     (interval.lower() - 0.0524).abs() < 5e-5 && (interval.upper() - 0.3339).abs() < 5e-5
//! );
//! # Ok::<(), armwise::Error>(())
//! ```

mod columns;
mod curve;
mod difference;
pub(crate) mod discrete;
mod hypothesis;
mod lanes;
mod margin;
mod number_needed;
mod odds_ratio;
mod paired;
mod ratio;
mod score;
mod single;
mod stratified;
pub(crate) mod stratified_arms;
mod stratified_intervals;
mod unconditional;
mod wide;

#[doc(no_inline)]
pub use super::hypothesis::ChiSquaredTest;
pub use super::hypothesis::{EquivalenceTest, PValues, SignedTest};
pub use columns::CountColumns;
pub use curve::CountInterval;
pub(crate) use curve::OneSided;
pub use difference::{DifferenceInProportions, DifferenceInterval};
pub(crate) use discrete::Hypergeometric;
#[doc(alias("chi-squared test", "fisher exact test", "z test"))]
pub use hypothesis::{ChiSquareStatistic, DifferenceVariance, MidPTwoSided};
pub use margin::{BetterOutcome, ConstrainedProportions, DifferenceTest, NonInferiorityTest};
pub use number_needed::NumberNeededInterval;
#[doc(alias("nnt"))]
pub use number_needed::NumberNeededToTreat;
pub use odds_ratio::{OddsRatio, OddsRatioInterval};
pub use paired::{PairedExact, PairedProportions};
pub use ratio::{RatioInterval, RatioOfProportions};
#[doc(alias("clopper-pearson", "wilson", "agresti-coull", "jeffreys"))]
pub use single::SingleInterval;
#[doc(alias("cochran-mantel-haenszel", "cmh", "breslow-day", "tarone", "sato"))]
pub use stratified::{Continuity, HomogeneityTest, MantelHaenszelVariance, StratifiedProportions, Stratum};
pub(crate) use stratified_arms::StratifiedArms;
#[doc(alias("stratified miettinen-nurminen", "stratified newcombe", "yan and su", "gart and nam"))]
pub use stratified_intervals::StratumWeights;
pub use unconditional::BoschlooTwoSided;

use super::distribution::Normal;
use super::reference_distribution::upper_tail;
use crate::error::{Error, Result, counted};
use score::Cells;

/// Events among `n` participants of one group; `n` is at least 1 and there are no more events than
/// participants.
///
/// ```
/// use armwise::proportion::Proportion;
///
/// assert_eq!(Proportion::new(15, 60)?.estimate(), 0.25);
/// assert!(Proportion::new(11, 10).is_err());
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Counts")]
pub struct Proportion {
    events: u64,
    n: u64,
}

#[derive(serde::Deserialize)]
struct Counts {
    events: u64,
    n: u64,
}

impl TryFrom<Counts> for Proportion {
    type Error = Error;

    fn try_from(counts: Counts) -> Result<Self> {
        Self::new(counts.events, counts.n)
    }
}

impl Proportion {
    /// `events` among `n` participants.
    ///
    /// # Errors
    /// `invalid_input` where `n` is 0, `events > n`, or `n` exceeds 2^52.
    pub fn new(events: u64, n: u64) -> Result<Self> {
        if n == 0 {
            Err(Error::invalid("a proportion needs at least one participant; leave the empty group out"))
        } else if events > n {
            Err(Error::invalid(format!(
                "{events} among {participants}; count every participant once",
                events = counted(events, "event"),
                participants = counted(n, "participant")
            )))
        } else if n > 1 << 52 {
            Err(Error::invalid(format!(
                "{participants} are more than can be counted exactly (2^52)",
                participants = counted(n, "participant")
            )))
        } else {
            Ok(Self { events, n })
        }
    }

    /// The number of events.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The number of participants.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The number of participants without the event.
    pub fn nonevents(&self) -> u64 {
        self.n - self.events
    }

    /// The observed proportion, events / n.
    pub fn estimate(&self) -> f64 {
        self.events as f64 / self.n as f64
    }

    /// The standard error `sqrt(p (1 - p) / n)`, 0 where there are no events or only events.
    pub fn se(&self) -> f64 {
        self.variance().sqrt()
    }

    /// `p (1 - p) / n`.
    pub(super) fn variance(&self) -> f64 {
        let n = self.n as f64;
        self.estimate() * (self.nonevents() as f64 / n) / n
    }
}

/// Events and participants of a treatment and a control group.
///
/// Every effect is treatment against control: the difference is treatment minus control, ratios have the
/// treatment in the numerator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TwoProportions {
    /// The treatment group.
    pub treatment: Proportion,
    /// The control group.
    pub control: Proportion,
}

impl TwoProportions {
    /// The treatment group, then the control group.
    pub fn new(treatment: Proportion, control: Proportion) -> Self {
        Self { treatment, control }
    }

    fn cells(&self) -> Cells {
        Cells {
            x1: self.treatment.events as f64,
            y1: self.treatment.nonevents() as f64,
            x0: self.control.events as f64,
            y0: self.control.nonevents() as f64,
        }
    }
}

/// The two-sided normal critical value of a confidence level.
#[derive(Clone, Copy)]
struct Critical {
    z: f64,
    /// The error on either side, `(1 - level) / 2`.
    tail: f64,
}

impl Critical {
    fn new(level: f64) -> Result<Self> {
        let tail = upper_tail(level)?;
        Ok(Self { z: Normal.upper_quantile(tail), tail })
    }

    fn squared(self) -> f64 {
        self.z * self.z
    }
}
