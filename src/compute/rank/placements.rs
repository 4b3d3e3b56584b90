//! The placements of two groups among each other.

use super::Ranks;
use crate::error::{Error, ErrorKind, Result};

/// The placements of a treatment and a control group among each other, from which the probability of
/// superiority gets its variance, and those of several treatments with one control their covariance.
///
/// # Formula
/// The placement of a treatment's value is the share of the control's values below it, ties as a half,
/// `F_0(y)`; that of a control's value is `F_1(y)`. The mean of the first is
/// `w = P(Y_1 > Y_0) + P(Y_1 = Y_0) / 2`, and `Var(w) = s_1^2 / n_1 + s_0^2 / n_0` with the variances of the
/// two sets of placements (divisor `n - 1`). Degrees of freedom (Satterthwaite):
/// `(v_1 + v_0)^2 / (v_1^2 / (n_1 - 1) + v_0^2 / (n_0 - 1))`, `v = s^2 / n`.
///
/// # Examples
/// The statistic of Brunner and Munzel is `(w - 1/2) / se(w)`.
/// ```
/// use armwise::rank::{Placements, RankSum};
///
/// let (treatment, control) = ([4.0, 6.5, 7.0, 9.0], [1.0, 2.0, 4.0, 5.0, 6.5]);
/// let placements = Placements::new(&treatment, &control)?;
/// assert!((placements.probability() - 17.0 / 20.0).abs() < 1e-12);
/// let test = RankSum::new(&treatment, &control)?.brunner_munzel()?;
/// assert!(
///     ((placements.probability() - 0.5) / placements.variance().sqrt() - test.statistic)
///         .abs()
///         < 1e-12
/// );
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Brunner E, Munzel U (2000), Biometrical Journal 42:17. `DeLong` ER, `DeLong` DM, Clarke-Pearson DL (1988),
/// Biometrics 44:837.
#[derive(Debug, Clone, PartialEq)]
pub struct Placements {
    treatment: Vec<f64>,
    control: Vec<f64>,
    probability: f64,
}

impl Placements {
    /// The treatment group, then the control group.
    ///
    /// # Errors
    /// `insufficient_observations` for fewer than two values in a group; `invalid_input` for values that are
    /// no numbers.
    pub fn new(treatment: &[f64], control: &[f64]) -> Result<Self> {
        if treatment.len() < 2 || control.len() < 2 {
            return Err(Error::from(ErrorKind::InsufficientObservations(
                "placements vary only with two values in each group; give more".to_owned(),
            )));
        }
        let all: Vec<f64> = treatment.iter().chain(control).copied().collect();
        let ranks = Ranks::of(&all)?;
        let (first, second) = ranks.twice.split_at(treatment.len());
        // A rank among all less that within the group counts the values of the other group below, ties as a
        // half.
        let placed = |all: &[usize], within: &[usize], n: usize| -> Vec<f64> {
            all.iter().zip(within).map(|(all, within)| 0.5 * (all - within) as f64 / n as f64).collect()
        };
        let placements = placed(first, &Ranks::of(treatment)?.twice, control.len());
        let probability = placements.iter().sum::<f64>() / placements.len() as f64;
        Ok(Self {
            treatment: placements,
            control: placed(second, &Ranks::of(control)?.twice, treatment.len()),
            probability,
        })
    }

    /// The probability that a value under treatment is larger than one under control, ties as a half.
    pub fn probability(&self) -> f64 {
        self.probability
    }

    /// The share of the control's values that each of the treatment's values exceeds.
    pub fn of_treatment(&self) -> &[f64] {
        &self.treatment
    }

    /// The share of the treatment's values that each of the control's values exceeds.
    pub fn of_control(&self) -> &[f64] {
        &self.control
    }

    /// The variance of [`Placements::probability`].
    pub fn variance(&self) -> f64 {
        let [treatment, control] = self.parts();
        treatment + control
    }

    /// The degrees of freedom of Student's t; at least those of the smaller group, also where nothing varies.
    pub fn df(&self) -> f64 {
        let [treatment, control] = self.parts();
        let (m1, m0) = (self.treatment.len() as f64 - 1.0, self.control.len() as f64 - 1.0);
        if treatment + control <= 0.0 {
            return m1.min(m0);
        }
        // As shares: squares of tiny variances would be lost.
        let share = treatment / (treatment + control);
        1.0 / (share * share / m1 + (1.0 - share) * (1.0 - share) / m0)
    }

    /// The covariance of the probabilities of two treatments compared with the same control values.
    ///
    /// Meaningful only where both were made with the same control group, in the same order.
    pub fn reference_covariance(&self, other: &Self) -> f64 {
        covariance(&self.control, &other.control)
    }

    fn parts(&self) -> [f64; 2] {
        [covariance(&self.treatment, &self.treatment), covariance(&self.control, &self.control)]
    }
}

/// The covariance of two means over the same values.
fn covariance(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    a.iter().zip(b).map(|(x, y)| (x - mean_a) * (y - mean_b)).sum::<f64>() / (n - 1.0) / n
}
