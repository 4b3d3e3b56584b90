use super::bounds::{ImbensManski, PartlyObserved, WorstCase, imbens_manski};
use crate::compute::interval::Interval;
use crate::error::{Error, Result, number};
use serde::{Deserialize, Serialize};

/// What is assumed of the mean of those who are missing, in every arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Selection {
    /// It is not above the mean of those seen in the same arm: the upper bound of an arm is the mean of those
    /// seen.
    MissingNotHigher,
    /// It is not below the mean of those seen in the same arm: the lower bound of an arm is the mean of those
    /// seen.
    MissingNotLower,
}

/// The effects that are possible where the missing of an arm do not have a higher (or not a lower) mean than
/// those who were seen in it: narrower than [`WorstCase`].
///
/// # Formula
///
/// Of the two bounds of the mean of an arm one is that with every missing outcome at the limit of the range,
/// the other the mean of those seen. The effect lies between the lower bound of the treatment less the upper
/// one of the control, and the reverse. The standard error of a bound is Welch's: of the filled outcomes
/// where the limit of the range is used, of the outcomes seen where their mean is used.
///
/// # Assumptions
/// The one that [`Selection`] names, in both arms.
///
/// # Interval
/// [`ImbensManski`].
///
/// # Errors
/// Of [`MonotoneBounds::new`]: `invalid_input` for an outcome outside the range.
///
/// # Examples
/// ```
/// use armwise::effect::Interval;
/// use armwise::missing::{MonotoneBounds, PartlyObserved, Selection};
///
/// let treatment = PartlyObserved::events(25, 91, 133)?;
/// let control = PartlyObserved::events(14, 72, 134)?;
/// let range = Interval::new(0.0, 1.0)?;
/// let bounds =
///     MonotoneBounds::new(&treatment, &control, range, Selection::MissingNotHigher)?;
/// assert!((bounds.effect.lower() + 0.0065).abs() < 1e-4);
/// assert!((bounds.effect.upper() - 0.1702).abs() < 1e-4);
/// assert_eq!(bounds.of_no_harm().lower(), 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Manski & Pepper (2000), Econometrica 68:997. Horowitz & Manski (2000), JASA 95:77.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MonotoneBounds {
    /// The assumption.
    pub selection: Selection,
    /// The bounds of the mean of the treatment.
    pub treatment: Interval,
    /// The bounds of the mean of the control arm.
    pub control: Interval,
    /// The bounds of the effect.
    pub effect: Interval,
    /// The difference in the means of those who were seen.
    pub complete_cases: f64,
    /// Standard errors of both bounds; `None` where they need the spread of one person.
    pub se: Option<[f64; 2]>,
}

impl MonotoneBounds {
    /// Bounds for outcomes within `range`: 0 to 1 for an event.
    ///
    /// # Errors
    /// See [`MonotoneBounds`].
    pub fn new(
        treatment: &PartlyObserved,
        control: &PartlyObserved,
        range: Interval,
        selection: Selection,
    ) -> Result<Self> {
        WorstCase::check_range(treatment, control, range)?;
        // Lower and upper side of an arm: a mean with its squared standard error.
        let sides = |arm: &PartlyObserved| match selection {
            Selection::MissingNotHigher => [arm.filled(range.lower()), arm.seen_alone()],
            Selection::MissingNotLower => [arm.seen_alone(), arm.filled(range.upper())],
        };
        let ([t_low, t_high], [c_low, c_high]) = (sides(treatment), sides(control));
        let se = [t_low.1 + c_high.1, t_high.1 + c_low.1].map(f64::sqrt);
        Ok(Self {
            selection,
            treatment: Interval::between(t_low.0, t_high.0),
            control: Interval::between(c_low.0, c_high.0),
            effect: Interval::between(t_low.0 - c_high.0, t_high.0 - c_low.0),
            complete_cases: treatment.mean() - control.mean(),
            se: se.iter().all(|se| se.is_finite()).then_some(se),
        })
    }

    /// The bounds of the effect where treatment harms nobody (monotone treatment response): none is below
    /// zero.
    pub fn of_no_harm(&self) -> Interval {
        Interval::between(self.effect.lower().max(0.0), self.effect.upper().max(0.0))
    }

    /// The interval for the effect.
    ///
    /// # Errors
    /// A level that is not between 0 and 1; `insufficient_observations` without standard errors.
    pub fn interval(&self, level: f64) -> Result<ImbensManski> {
        imbens_manski(self.effect, self.se, level)
    }
}

/// The effects that are possible where the missing of an arm differ from those who were seen by at most `k`
/// standard deviations, each arm in the direction that moves the effect most.
///
/// # Formula
///
/// With mean `m_a` and standard deviation `s_a` (divisor n - 1) of those seen in arm `a`: the upper bound is
/// the difference in means where the missing of the treatment have `m_1 + k s_1` and those of the control arm
/// `m_0 - k s_0`, the lower bound the reverse. The standard error of a bound is Welch's of the outcomes
/// filled so, which is HC2 of a regression on the arms.
///
/// # Assumptions
/// The missing differ by no more than `k` standard deviations.
///
/// # Interval
/// [`ImbensManski`].
///
/// # Errors
/// Of [`DeviationBounds::new`]: `invalid_input` for a `k` below zero; `insufficient_observations` with one
/// outcome in an arm.
///
/// # Examples
/// ```
/// use armwise::missing::{DeviationBounds, PartlyObserved};
///
/// let treatment = PartlyObserved::new(vec![6.0, 7.0, 9.0], 4)?;
/// let control = PartlyObserved::new(vec![5.0, 6.0, 7.0], 5)?;
/// let narrow = DeviationBounds::new(&treatment, &control, 0.1)?;
/// let wide = DeviationBounds::new(&treatment, &control, 0.5)?;
/// assert!(narrow.effect.contains(narrow.complete_cases));
/// assert!((wide.effect.width() / narrow.effect.width() - 5.0).abs() < 1e-9);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Kling & Liebman (2004), Princeton Industrial Relations Section working paper 483.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeviationBounds {
    /// The number of standard deviations.
    pub k: f64,
    /// The bounds of the effect.
    pub effect: Interval,
    /// Standard errors of both bounds.
    pub se: [f64; 2],
    /// The difference in the means of those who were seen.
    pub complete_cases: f64,
}

impl DeviationBounds {
    /// Bounds for missing outcomes that are up to `k` standard deviations away.
    ///
    /// # Errors
    /// See [`DeviationBounds`].
    pub fn new(treatment: &PartlyObserved, control: &PartlyObserved, k: f64) -> Result<Self> {
        if !(0.0..=1e6).contains(&k) {
            return Err(Error::invalid(format!(
                "the missing differ by {} standard deviations; give a number from 0 to 1e6",
                number(k)
            )));
        }
        let sides = |arm: &PartlyObserved| -> Result<[(f64, f64); 2]> {
            let (mean, away) = (arm.mean(), k * arm.sd()?);
            Ok([arm.filled(mean - away), arm.filled(mean + away)])
        };
        let ([t_low, t_high], [c_low, c_high]) = (sides(treatment)?, sides(control)?);
        Ok(Self {
            k,
            effect: Interval::between(t_low.0 - c_high.0, t_high.0 - c_low.0),
            se: [(t_low.1 + c_high.1).sqrt(), (t_high.1 + c_low.1).sqrt()],
            complete_cases: treatment.mean() - control.mean(),
        })
    }

    /// The interval for the effect.
    ///
    /// # Errors
    /// A level that is not between 0 and 1.
    pub fn interval(&self, level: f64) -> Result<ImbensManski> {
        imbens_manski(self.effect, Some(self.se), level)
    }
}
