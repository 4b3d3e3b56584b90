use super::check_ratio;
use crate::error::{Error, Result, number};
use serde::{Deserialize, Serialize};

/// The sizes of two groups, as real numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct GroupSizes {
    treated: f64,
    control: f64,
}

checked!(GroupSizes);

impl GroupSizes {
    /// A treated group and a control group.
    ///
    /// # Errors
    /// `invalid_input` unless both are positive numbers.
    pub fn new(treated: f64, control: f64) -> Result<Self> {
        let sizes = Self { treated, control };
        sizes.check().map(|()| sizes)
    }

    /// Two groups of one size.
    ///
    /// # Errors
    /// `invalid_input` unless it is a positive number.
    pub fn equal(each: f64) -> Result<Self> {
        Self::new(each, each)
    }

    /// A control group, and a treated group of `ratio` times its size.
    ///
    /// # Errors
    /// `invalid_input` unless both are positive numbers.
    pub fn in_ratio(control: f64, ratio: f64) -> Result<Self> {
        check_ratio(ratio)?;
        Self::new(ratio * control, control)
    }

    fn check(&self) -> Result<()> {
        for (group, size) in [("treated", self.treated), ("control", self.control)] {
            if !(size > 0.0 && size.is_finite()) {
                return Err(Error::invalid(format!(
                    "the size of the {group} group is {}; give a positive number of people",
                    number(size)
                )));
            }
        }
        Ok(())
    }

    /// The treated group.
    pub fn treated(&self) -> f64 {
        self.treated
    }

    /// The control group.
    pub fn control(&self) -> f64 {
        self.control
    }

    /// Both groups.
    pub fn total(&self) -> f64 {
        self.treated + self.control
    }

    /// The treated group over the control group.
    pub fn ratio(&self) -> f64 {
        self.treated / self.control
    }

    /// Both groups times a factor: that of clusters, attrition or take-up.
    ///
    /// # Errors
    /// `invalid_input` unless the factor is a positive number.
    pub fn scaled(&self, factor: f64) -> Result<Self> {
        Self::new(self.treated * factor, self.control * factor)
    }

    /// Whole people.
    ///
    /// # Errors
    /// `invalid_input` for a group of more than 1e15 people.
    pub fn whole(&self, rounding: Rounding) -> Result<WholeSizes> {
        let up = |size: f64| -> Result<u64> {
            if size > 1e15 {
                return Err(Error::invalid(format!(
                    "a group of {} people; give a larger effect or a lower power",
                    number(size)
                )));
            }
            Ok(whole_above(size))
        };
        let control = up(self.control)?;
        let treated = match rounding {
            Rounding::EachGroupUp => up(self.treated)?,
            Rounding::ControlUpThenRatio => up(self.ratio() * control as f64)?,
        };
        Ok(WholeSizes { treated, control, rounding })
    }
}

/// The way from sizes to whole people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rounding {
    /// Each group up to the next whole person. The default.
    #[default]
    EachGroupUp,
    /// The control group up, and the treated group up from the ratio times that: the ratio is never undercut.
    ControlUpThenRatio,
}

/// The sizes of two groups, in whole people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct WholeSizes {
    /// The treated group.
    pub treated: u64,
    /// The control group.
    pub control: u64,
    /// The way in which people were made whole.
    pub rounding: Rounding,
}

checked!(WholeSizes);

impl WholeSizes {
    fn check(&self) -> Result<()> {
        self.sizes().map(drop)
    }

    /// As real numbers, for the power that whole people have.
    ///
    /// # Errors
    /// `invalid_input` for an empty group.
    pub fn sizes(&self) -> Result<GroupSizes> {
        GroupSizes::new(self.treated as f64, self.control as f64)
    }

    /// Both groups.
    pub fn total(&self) -> u64 {
        self.treated + self.control
    }
}

/// The next whole number, at least 1; what is above one by rounding errors alone is that one.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 1 to 2^53
pub(crate) fn whole_above(size: f64) -> u64 {
    (size - 1e-9 * size.max(1.0)).ceil().clamp(1.0, 9e15) as u64
}
