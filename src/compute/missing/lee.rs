use super::bounds::{ImbensManski, PartlyObserved, mean};
use crate::compute::interval::Interval;
use crate::error::{ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// The arm of which a share is trimmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TrimmedArm {
    /// The treatment: more of it were seen.
    Treatment,
    /// The control arm.
    Control,
    /// Neither: as many were seen of both.
    Neither,
}

/// Bounds of the effect on people who would be seen whichever arm they were in.
///
/// # Formula
///
/// Of the arm with the larger response `q_h` the share `p = (q_h - q_l) / q_h` of those seen is trimmed, from above for
/// the smallest mean and from below for the largest; the observation on the border counts in part. The variance of a
/// bound, with `m` and `V` the mean and the variance (divisor n) of those kept, `q` the border, `n_h` those seen of the
/// trimmed arm, `N_h` and `N_l` those randomised:
///
/// ```text
/// V / (n_h (1 - p)) + (q - m)^2 p / (n_h (1 - p))
///   + (q - m)^2 ((1 - q_h) / (N_h q_h) + (1 - q_l) / (N_l q_l))
///   + V_other / n_other
/// ```
///
/// # Assumptions
/// Randomisation, and that treatment makes everybody more likely to be seen, or everybody less likely (monotonicity).
///
/// # Interval
/// [`ImbensManski`].
///
/// # Errors
/// Of [`LeeBounds::new`]: `insufficient_observations` where fewer than one person would be kept.
///
/// # Examples
/// ```
/// use armwise::missing::{LeeBounds, PartlyObserved, TrimmedArm};
///
/// let treatment = PartlyObserved::new(vec![1.0, 2.0, 3.0, 4.0], 4)?;
/// let control = PartlyObserved::new(vec![1.0, 2.0, 3.0], 4)?;
/// let bounds = LeeBounds::new(&treatment, &control)?;
/// assert_eq!((bounds.trimmed, bounds.share), (TrimmedArm::Treatment, 0.25));
/// assert!(bounds.effect.lower() == 0.0 && bounds.effect.upper() == 1.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Lee (2009), Review of Economic Studies 76:1071.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeeBounds {
    /// The share of the treated who were seen.
    pub response_treatment: f64,
    /// That of the control arm.
    pub response_control: f64,
    /// The arm that is trimmed.
    pub trimmed: TrimmedArm,
    /// The share that is trimmed.
    pub share: f64,
    /// The bounds.
    pub effect: Interval,
    /// The bounds where whole people are trimmed, the largest number within the share.
    pub effect_of_whole_people: Interval,
    /// Standard errors of both bounds.
    pub se: [f64; 2],
    /// The difference in the means of those who were seen.
    pub complete_cases: f64,
}

/// One side of a trimmed arm.
struct Kept {
    mean: f64,
    of_whole_people: f64,
    variance: f64,
    border: f64,
}

/// Keeps the share 1 - p of values that are sorted so that the trimmed ones come first.
fn keep(values: impl Iterator<Item = f64> + Clone, n: usize, share: f64) -> Kept {
    let trimmed = share * n as f64;
    // A share that is a whole number of people but for rounding.
    let trimmed = if (trimmed - trimmed.round()).abs() < 1e-9 * n as f64 { trimmed.round() } else { trimmed };
    // A share below 1 times a length is a place.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = (trimmed.floor() as usize).min(n - 1);
    let part = 1.0 - (trimmed - whole as f64);
    let weights = || std::iter::once(part).chain(std::iter::repeat(1.0));
    let kept = values.clone().skip(whole);
    let total = part + (n - whole - 1) as f64;
    let sum =
        |of: &dyn Fn(f64) -> f64| kept.clone().zip(weights()).map(|(x, w)| w * of(x)).sum::<f64>() / total;
    let first = sum(&|x| x);
    let mean_of_kept = first + sum(&|x| x - first);
    let variance = sum(&|x| (x - mean_of_kept).powi(2));
    let whole_people: Vec<f64> = kept.clone().collect();
    Kept {
        mean: mean_of_kept,
        of_whole_people: mean(&whole_people),
        variance,
        border: whole_people.first().copied().unwrap_or(mean_of_kept),
    }
}

impl LeeBounds {
    /// Bounds from both arms.
    ///
    /// # Errors
    /// See [`LeeBounds`].
    pub fn new(treatment: &PartlyObserved, control: &PartlyObserved) -> Result<Self> {
        let (q1, q0) = (treatment.response(), control.response());
        // As integers: both shares of response may be equal without being so to the last bit.
        let crossed = |arm: &PartlyObserved, other: &PartlyObserved| {
            arm.seen().len() as u128 * u128::from(other.randomised())
        };
        let (of_treatment, of_control) = (crossed(treatment, control), crossed(control, treatment));
        let trimmed = match of_treatment.cmp(&of_control) {
            std::cmp::Ordering::Greater => TrimmedArm::Treatment,
            std::cmp::Ordering::Less => TrimmedArm::Control,
            std::cmp::Ordering::Equal => TrimmedArm::Neither,
        };
        // The arm to trim, and the other.
        let (arm, other) =
            if trimmed == TrimmedArm::Control { (control, treatment) } else { (treatment, control) };
        let (high, low) = (arm.response(), other.response());
        let share = if trimmed == TrimmedArm::Neither { 0.0 } else { (high - low) / high };
        let n = arm.seen().len();
        let left = n as f64 * (1.0 - share);
        if left < 1.0 {
            let why = format!(
                "of {n} people seen in one arm the share {share:.3} is trimmed, so that nobody is left; read worst-case bounds instead"
            );
            return Err(ErrorKind::InsufficientObservations(why).into());
        }
        let mut sorted = arm.seen().to_vec();
        sorted.sort_by(f64::total_cmp);
        let smallest = keep(sorted.iter().rev().copied(), n, share);
        let largest = keep(sorted.iter().copied(), n, share);
        let mean_other = other.mean();
        let variance_other = other.seen().iter().map(|x| (x - mean_other).powi(2)).sum::<f64>()
            / (other.seen().len() as f64).powi(2);
        let odds = |arm: &PartlyObserved| (1.0 - arm.response()) / (arm.randomised() as f64 * arm.response());
        let se = |kept: &Kept| {
            let square = (kept.border - kept.mean).powi(2);
            let own = (kept.variance + square * share) / left;
            (own + square * (odds(arm) + odds(other)) + variance_other).sqrt()
        };
        let (mut effect, mut whole) = (
            [smallest.mean - mean_other, largest.mean - mean_other],
            [smallest.of_whole_people - mean_other, largest.of_whole_people - mean_other],
        );
        let mut errors = [se(&smallest), se(&largest)];
        if trimmed == TrimmedArm::Control {
            effect = [-effect[1], -effect[0]];
            whole = [-whole[1], -whole[0]];
            errors.reverse();
        }
        // Nothing trimmed: the same sum in two orders.
        let between = |[lower, upper]: [f64; 2]| Interval::new(lower.min(upper), upper);
        Ok(Self {
            response_treatment: q1,
            response_control: q0,
            trimmed,
            share,
            effect: between(effect)?,
            effect_of_whole_people: between(whole)?,
            se: errors,
            complete_cases: treatment.mean() - control.mean(),
        })
    }

    /// The interval for the effect.
    ///
    /// # Errors
    /// A level that is not between 0 and 1.
    pub fn interval(&self, level: f64) -> Result<ImbensManski> {
        ImbensManski::new([self.effect.lower(), self.effect.upper()], self.se, level)
    }
}
