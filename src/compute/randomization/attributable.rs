use crate::compute::proportion::{Proportion, TwoProportions};
use crate::error::{Error, Result, number};
use serde::{Deserialize, Serialize};

/// The events among the treated that the treatment brought about: tests of every number, and the smallest that
/// is not rejected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AttributableEffect {
    /// The one-sided p-value of each number of attributable events, from none on.
    pub p_values: Vec<f64>,
    /// The smallest number that is not rejected.
    pub lower_limit: u64,
    /// The level.
    pub level: f64,
}

/// The number of events among the treated that would not have happened without the treatment, of a treatment
/// that prevents none.
///
/// # Formula
/// If `a` events are attributable, taking them away leaves the outcomes that everybody would have had as a
/// control, and Fisher's exact test against more events among the treated has p-value `p(a)`. The limit is the
/// smallest `a` with `p(a) > 1 - level`.
///
/// # Errors
/// A level outside 0 to 1.
///
/// # Examples
/// ```
/// use armwise::proportion::Proportion;
/// use armwise::randomization::attributable_effect;
///
/// let work = attributable_effect(Proportion::new(15, 30)?, Proportion::new(5, 30)?, 0.95)?;
/// assert_eq!(work.lower_limit, 4);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Rosenbaum (2001), Biometrika 88:219.
pub fn attributable_effect(
    treated: Proportion,
    control: Proportion,
    level: f64,
) -> Result<AttributableEffect> {
    if !(level > 0.0 && level < 1.0) {
        return Err(Error::invalid(format!("the level is {}; give one between 0 and 1", number(level))));
    }
    let p_value = |a: u64| {
        let left = Proportion::new(treated.events() - a, treated.n())?;
        Ok(TwoProportions::new(left, control).fisher_test().greater)
    };
    let p_values: Vec<f64> = (0..=treated.events()).map(p_value).collect::<Result<_>>()?;
    // With all events taken away nothing speaks against the treatment.
    let limit = p_values.iter().position(|p_value| *p_value > 1.0 - level);
    Ok(AttributableEffect { lower_limit: limit.unwrap_or(p_values.len() - 1) as u64, p_values, level })
}
