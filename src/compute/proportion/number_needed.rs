//! The number needed to treat.

use super::TwoProportions;
use crate::compute::interval::{Interval, extended};
use crate::error::{ErrorKind, Result};

/// The number needed to treat for one event more: the reciprocal of the difference in proportions. Negative
/// numbers mean one event fewer; without a difference the number is infinite.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct NumberNeededToTreat {
    /// `1 / (p1 - p0)`.
    #[serde(with = "extended")]
    pub estimate: f64,
    /// Its confidence set.
    pub interval: NumberNeededInterval,
}

/// The confidence set of a number needed to treat (Altman 1998, BMJ 317:1309-1312).
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberNeededInterval {
    /// The reciprocals of an interval of the difference on one side of 0; a limit 0 becomes an infinite
    /// number.
    Connected(Interval),
    /// The difference's interval contains 0, so that the set is two pieces that meet at infinity.
    Disjoint {
        /// The upper end of the piece that begins at minus infinity: the reciprocal of the difference's lower
        /// limit.
        negative_from: f64,
        /// The lower end of the piece that runs to plus infinity: the reciprocal of the difference's upper
        /// limit.
        positive_from: f64,
    },
}

impl TwoProportions {
    /// The number needed to treat, its confidence set from an interval of the difference
    /// ([`difference_interval`](Self::difference_interval)).
    ///
    /// # Errors
    /// `not_estimable` where that interval is the single point 0.
    ///
    /// # Examples
    /// ```
    /// use armwise::proportion::{
    ///     DifferenceInterval, NumberNeededInterval, Proportion, TwoProportions,
    /// };
    ///
    /// let two = TwoProportions::new(Proportion::new(12, 50)?, Proportion::new(10, 50)?);
    /// let interval = two.difference_interval(DifferenceInterval::Newcombe, 0.95)?;
    /// let needed = two.number_needed_to_treat(interval)?;
    /// assert!((needed.estimate - 25.0).abs() < 1e-9);
    /// assert!(matches!(needed.interval, NumberNeededInterval::Disjoint { .. }));
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn number_needed_to_treat(&self, difference: Interval) -> Result<NumberNeededToTreat> {
        NumberNeededToTreat::of(self.difference().estimate, difference)
    }
}

impl NumberNeededToTreat {
    /// That of a difference in proportions with its interval.
    ///
    /// # Errors
    /// `not_estimable` where the interval is the single point 0.
    pub fn of(difference: f64, interval: Interval) -> Result<Self> {
        let (lower, upper) = (interval.lower(), interval.upper());
        let interval = if lower == 0.0 && upper == 0.0 {
            return Err(ErrorKind::NotEstimable(
                "the interval of the difference is the point 0, so that no number needed to treat is in it; \
                 use a Newcombe or score interval"
                    .into(),
            )
            .into());
        } else if lower < 0.0 && upper > 0.0 {
            NumberNeededInterval::Disjoint { negative_from: 1.0 / lower, positive_from: 1.0 / upper }
        } else {
            // A limit 0 is approached from the side on which the interval lies.
            let reciprocal =
                |limit: f64| if limit == 0.0 { f64::INFINITY.copysign(lower + upper) } else { 1.0 / limit };
            NumberNeededInterval::Connected(Interval::between(reciprocal(upper), reciprocal(lower)))
        };
        let estimate = if difference == 0.0 { f64::INFINITY } else { 1.0 / difference };
        Ok(Self { estimate, interval })
    }
}
