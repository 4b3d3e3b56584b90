// Places and counts are small and positive; short loops read as calls.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::needless_for_each)]

use crate::compute::interval::Interval;
use crate::compute::reference_distribution::check_level;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// The two-sided p-value of every hypothetical effect, as a function that jumps where a replicate becomes as
/// extreme as the sample.
///
/// # Examples
/// ```
/// use armwise::resampling::PValueSteps;
///
/// // 0.2 from 1 to 2, 1 from 2 to 3, 0.2 from 3 to 4, and 0 beyond.
/// let steps = PValueSteps::new(vec![1.0, 2.0, 3.0, 4.0], vec![0.0, 0.2, 1.0, 0.2, 0.0])?;
/// assert_eq!(steps.p_value(1.5), 0.2);
/// let interval = steps.interval(0.9)?;
/// assert_eq!((interval.lower(), interval.upper()), (1.0, 4.0));
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct PValueSteps {
    /// Where it jumps, in ascending order.
    places: Vec<f64>,
    /// The p-value before the first place, between two, and after the last.
    p_values: Vec<f64>,
}

checked!(PValueSteps);

impl PValueSteps {
    /// The places of the jumps in ascending order, and one p-value more than places.
    ///
    /// # Errors
    /// `invalid_input` for places that are not finite or not in order, and p-values that are none or not one
    /// more.
    pub fn new(places: Vec<f64>, p_values: Vec<f64>) -> Result<Self> {
        let made = Self { places, p_values };
        made.check()?;
        Ok(made)
    }

    pub(crate) fn check(&self) -> Result<()> {
        let sound = self.places.iter().all(|place| place.is_finite())
            && self.places.is_sorted()
            && self.p_values.len() == self.places.len() + 1
            && self.p_values.iter().all(|p| (0.0..=1.0).contains(p));
        if sound {
            return Ok(());
        }
        Err(Error::invalid(
            "steps of a p-value need finite places in ascending order and one p-value more than places, each from 0 to 1; take them as they \
             were made",
        ))
    }

    /// From where the p-value counts each replicate: ranges from a place to a place, with the probability of
    /// the replicate; `always` is that of replicates that count everywhere.
    pub(super) fn of_ranges(mut ends: Vec<(f64, f64)>, always: f64) -> Self {
        ends.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut places, mut p_values) = (Vec::new(), Vec::new());
        let mut p = always;
        for (place, change) in ends {
            if places.last() != Some(&place) {
                p_values.push(p);
                places.push(place);
            }
            p += change;
        }
        p_values.push(p);
        // Sums of many probabilities are off by rounding.
        p_values.iter_mut().for_each(|p| *p = p.clamp(0.0, 1.0));
        Self { places, p_values }
    }

    /// The p-value of an effect; at a jump the larger one.
    pub fn p_value(&self, effect: f64) -> f64 {
        let before = self.places.partition_point(|place| *place < effect);
        let upto = self.places.partition_point(|place| *place <= effect);
        self.p_values[before..=upto].iter().copied().fold(0.0, f64::max)
    }

    /// The first and the last place of the effects with a p-value above `1 - level`.
    fn outermost(&self, level: f64) -> Option<(usize, usize)> {
        let accepted = |p: &f64| *p > 1.0 - level + 1e-12;
        Some((self.p_values.iter().position(accepted)?, self.p_values.iter().rposition(accepted)?))
    }

    /// The smallest interval that holds every effect with a p-value above `1 - level`. A limit is infinite
    /// where the replicates are too few to reject any effect.
    ///
    /// # Errors
    /// A level that is not between 0 and 1, or no effect with such a p-value.
    pub fn interval(&self, level: f64) -> Result<Interval> {
        check_level(level)?;
        let Some((first, last)) = self.outermost(level) else {
            return Err(Error::not_estimable(format!(
                "no effect has a p-value above {}; ask for a higher level",
                1.0 - level
            )));
        };
        let lower = if first == 0 { f64::NEG_INFINITY } else { self.places[first - 1] };
        Interval::new(lower, self.places.get(last).copied().unwrap_or(f64::INFINITY))
    }

    /// Whether every effect of the interval has a p-value above `1 - level`.
    ///
    /// # Errors
    /// As [`PValueSteps::interval`].
    pub fn is_an_interval(&self, level: f64) -> Result<bool> {
        check_level(level)?;
        let inside = self.outermost(level).map(|(first, last)| &self.p_values[first..=last]);
        Ok(inside.is_some_and(|inside| inside.iter().all(|p| *p > 1.0 - level + 1e-12)))
    }

    /// The same with the p-value of an effect raised to the largest one farther from `centre`, so that the
    /// effects that are not rejected form an interval at every level.
    pub(crate) fn without_gaps(&self, centre: f64) -> Self {
        let mut p_values = self.p_values.clone();
        let middle = self.places.partition_point(|place| *place < centre);
        for i in 1..=middle {
            p_values[i] = p_values[i].max(p_values[i - 1]);
        }
        for i in (middle..p_values.len() - 1).rev() {
            p_values[i] = p_values[i].max(p_values[i + 1]);
        }
        Self { places: self.places.clone(), p_values }
    }
}
