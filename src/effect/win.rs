//! The win probability behind a net benefit.

use super::Estimate;
use super::scale::{LogWinOdds, NetBenefit};
use crate::compute::interval::Interval;

impl Estimate<NetBenefit> {
    /// The probability that a person of the treatment has the higher outcome than one of the reference, ties
    /// as a half.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let table = Table::from_csv_str("arm,score\nc,1\nc,2\nc,4\nt,3\nt,5\nt,2\n")?;
    /// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
    /// let effect = trial
    ///     .on(&Measure::continuous("score"))?
    ///     .estimate(&WinProbability::new(NetBenefit))?
    ///     .treatment("t")?;
    /// // Of nine pairs six are won and one is tied.
    /// assert!((effect.win_probability() - 6.5 / 9.0).abs() < 1e-12);
    /// assert!(effect.win_probability_interval().contains(0.5));
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn win_probability(&self) -> f64 {
        0.5 * (1.0 + self.value())
    }

    /// The interval of the win probability.
    pub fn win_probability_interval(&self) -> Interval {
        self.interval().map(|benefit| 0.5 * (1.0 + benefit))
    }
}

impl Estimate<LogWinOdds> {
    /// The probability that a person of the treatment has the higher outcome than one of the reference, ties
    /// as a half.
    pub fn win_probability(&self) -> f64 {
        logistic(self.value())
    }

    /// The interval of the win probability.
    pub fn win_probability_interval(&self) -> Interval {
        self.interval().map(logistic)
    }
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}
