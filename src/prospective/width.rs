use super::PlannedTrial;
use crate::compute::power::GroupSizes;
use crate::compute::reference_distribution::{ReferenceDistribution, upper_tail};
use crate::compute::roots::root;
use crate::error::{Error, Result, number};

impl PlannedTrial {
    /// The half-width of the interval of one comparison that is expected from these people.
    ///
    /// # Errors
    /// `invalid_input` for a level outside 0 to 1, and Fisher's exact test, which has no such interval.
    pub fn half_width(&self, people: GroupSizes, level: f64) -> Result<f64> {
        let tail = upper_tail(level)?;
        let se = self.se(&self.power_basis()?, people)?;
        let df = self.df(people)?;
        Ok(ReferenceDistribution::of(df)?.upper_quantile(tail) * se)
    }

    /// The people for an interval of one comparison that is expected to be no wider than `half_width` on each
    /// side of the effect, on the scale of the effect.
    ///
    /// # Errors
    /// `invalid_input` for a half-width that is not positive, and as [`half_width`](Self::half_width).
    ///
    /// # Examples
    /// ```
    /// use armwise::prospective::{ExpectedOutcome, PlannedTrial};
    ///
    /// let trial = PlannedTrial::new(ExpectedOutcome::proportions(0.20, 0.20))?;
    /// let sizes = trial.sizes_for_width(0.02, 0.95)?;
    /// assert!((sizes.control() - 3073.2).abs() < 0.5);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn sizes_for_width(&self, half_width: f64, level: f64) -> Result<GroupSizes> {
        if !(half_width > 0.0 && half_width.is_finite()) {
            return Err(Error::invalid(format!(
                "the half-width is {}; give a positive number on the scale of the effect, such as 0.02",
                number(half_width)
            )));
        }
        let ratio = self.per_control();
        let at = |control: f64| self.half_width(GroupSizes::in_ratio(control, ratio)?, level);
        let (mut low, mut high) = (1.0, 2.0);
        while at(low).is_err() && low < 1e6 {
            low *= 1.3;
        }
        if at(low)? <= half_width {
            return GroupSizes::in_ratio(low, ratio);
        }
        high *= low;
        while at(high)? > half_width {
            high *= 2.0;
            if high > 1e13 {
                return Err(Error::invalid(
                    "no number of people gives so narrow an interval; give a wider one",
                ));
            }
        }
        let excess = |ln: f64| at(ln.exp()).map_or(f64::NAN, |found| half_width - found);
        GroupSizes::in_ratio(root(excess, low.ln(), high.ln()).exp(), ratio)
    }
}
