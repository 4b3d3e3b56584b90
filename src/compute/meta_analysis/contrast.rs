//! Contrasts of the arms of one trial against its control, with the covariance that the shared control
//! brings.

use crate::error::{Error, ErrorKind, Result};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// Events and participants of an arm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ArmCounts {
    /// Participants with the event.
    pub events: f64,
    /// Participants.
    pub n: f64,
}

/// Mean, standard deviation and size of an arm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ArmMoments {
    /// The mean.
    pub mean: f64,
    /// The standard deviation, with divisor n - 1.
    pub sd: f64,
    /// Participants.
    pub n: f64,
}

/// Contrasts of proportions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CountContrast {
    /// p - p0 (0: control); variance p(1 - p)/n of each arm.
    RiskDifference,
    /// log(p/p0); variance 1/x - 1/n of each arm.
    LogRiskRatio,
    /// The log odds ratio; variance 1/x + 1/(n - x) of each arm.
    LogOddsRatio,
}

/// Contrasts of means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MeanContrast {
    /// m - m0; variance sd²/n of each arm.
    MeanDifference,
    /// m - m0; variance s²/n of each arm, s pooled over all arms.
    MeanDifferencePooledSd,
    /// d = (m - m0)/s, s pooled over all arms, without small-sample correction; variance 1/n + 1/n0 +
    /// d²/(2N), covariance 1/n0 + dᵢ dⱼ/(2N), N the size of the trial (Gleser & Olkin 2009).
    StandardizedMeanDifference,
}

/// Every arm but the control, against the control.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contrasts {
    /// Treatment minus control, in the order of the arms.
    pub estimates: Vec<f64>,
    /// Their covariance matrix.
    #[serde(with = "crate::compute::matrix_rows")]
    pub covariance: Array2<f64>,
}

impl Contrasts {
    /// The correlation matrix of the contrasts.
    ///
    /// # Errors
    /// [`ErrorKind::ZeroVariance`] where a contrast has none.
    pub fn correlation(&self) -> Result<Array2<f64>> {
        let diagonal = self.covariance.diag().to_owned();
        if diagonal.iter().any(|variance| *variance <= 0.0 || variance.is_nan()) {
            let why = "a contrast has variance 0 and so no correlation; add to the counts of trials with empty cells";
            return Err(ErrorKind::ZeroVariance(why.into()).into());
        }
        let scaled = |(i, j): (usize, usize)| self.covariance[[i, j]] / (diagonal[i] * diagonal[j]).sqrt();
        Ok(Array2::from_shape_fn(self.covariance.dim(), scaled))
    }

    fn from_arms(values: &[f64], variances: &[f64], control: usize) -> Self {
        let treatments: Vec<usize> = (0..values.len()).filter(|arm| *arm != control).collect();
        let m = treatments.len();
        Self {
            estimates: treatments.iter().map(|arm| values[*arm] - values[control]).collect(),
            covariance: Array2::from_shape_fn((m, m), |(i, j)| {
                variances[control] + if i == j { variances[treatments[i]] } else { 0.0 }
            }),
        }
    }
}

/// The contrasts of the arms of a trial against one of them, from counts.
///
/// `add` is added to the events and the non-events of **every** arm where any arm has no event or only events
/// (0: never), so that the shared control is changed once for all contrasts; 1/2 is customary for ratios.
///
/// ```
/// use armwise::meta_analysis::{ArmCounts, CountContrast, count_contrasts};
///
/// let arms = [(21.0, 188.0), (33.0, 190.0), (29.0, 187.0)].map(|(events, n)| ArmCounts { events, n });
/// let contrasts = count_contrasts(&arms, 0, CountContrast::RiskDifference, 0.0)?;
/// let control = 21.0 / 188.0;
/// assert!((contrasts.covariance[[0, 1]] - control * (1.0 - control) / 188.0).abs() < 1e-15);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::InvalidInput`] for fewer than two arms, no such control, counts outside 0 to n, or a negative
/// `add`; [`ErrorKind::NotEstimable`] for a logarithm of zero.
pub fn count_contrasts(
    arms: &[ArmCounts],
    control: usize,
    contrast: CountContrast,
    add: f64,
) -> Result<Contrasts> {
    check_arms(arms.len(), control)?;
    if !(add >= 0.0 && add.is_finite()) {
        return Err(Error::invalid(format!("what is added to empty cells must be 0 or more, not {add}")));
    }
    for (index, arm) in arms.iter().enumerate() {
        if !(arm.n > 0.0 && arm.n.is_finite() && (0.0..=arm.n).contains(&arm.events)) {
            return Err(Error::invalid(format!(
                "arm {} has {} events among {} participants; events must lie from 0 to n, and n above 0",
                index + 1,
                arm.events,
                arm.n
            )));
        }
    }
    let empty = arms.iter().any(|arm| arm.events == 0.0 || arm.events == arm.n);
    let add = if empty { add } else { 0.0 };
    let (mut values, mut variances) = (Vec::with_capacity(arms.len()), Vec::with_capacity(arms.len()));
    for arm in arms {
        let (x, n) = (arm.events + add, arm.n + 2.0 * add);
        let (value, variance) = match contrast {
            CountContrast::RiskDifference => (x / n, x / n * (1.0 - x / n) / n),
            CountContrast::LogRiskRatio => ((x / n).ln(), 1.0 / x - 1.0 / n),
            CountContrast::LogOddsRatio => ((x / (n - x)).ln(), 1.0 / x + 1.0 / (n - x)),
        };
        if !value.is_finite() || !variance.is_finite() {
            return Err(ErrorKind::NotEstimable(
                "an arm without events (or with events only) has no finite logarithm; add 1/2 to the trial's counts, \
                 or take risk differences"
                    .into(),
            )
            .into());
        }
        values.push(value);
        variances.push(variance);
    }
    Ok(Contrasts::from_arms(&values, &variances, control))
}

/// The contrasts of the arms of a trial against one of them, from means.
///
/// ```
/// use armwise::meta_analysis::{ArmMoments, MeanContrast, mean_contrasts};
///
/// let arms = [(10.0, 3.0), (11.5, 3.0)].map(|(mean, sd)| ArmMoments { mean, sd, n: 60.0 });
/// let contrasts = mean_contrasts(&arms, 0, MeanContrast::StandardizedMeanDifference)?;
/// assert!((contrasts.estimates[0] - 0.5).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::InvalidInput`] for fewer than two arms, no such control, numbers that are not finite,
/// negative standard deviations, or arms of one participant; [`ErrorKind::ZeroVariance`] where a standard
/// deviation to divide by is 0.
pub fn mean_contrasts(arms: &[ArmMoments], control: usize, contrast: MeanContrast) -> Result<Contrasts> {
    check_arms(arms.len(), control)?;
    for (index, arm) in arms.iter().enumerate() {
        if !(arm.mean.is_finite() && arm.sd >= 0.0 && arm.sd.is_finite() && arm.n > 1.0 && arm.n.is_finite())
        {
            return Err(Error::invalid(format!(
                "arm {} has mean {}, standard deviation {} and {} participants; \
                 the first two must be finite, and there must be two participants",
                index + 1,
                arm.mean,
                arm.sd,
                arm.n
            )));
        }
    }
    let total: f64 = arms.iter().map(|arm| arm.n).sum();
    let squares: f64 = arms.iter().map(|arm| (arm.n - 1.0) * arm.sd * arm.sd).sum();
    let pooled = squares / (total - arms.len() as f64);
    let means: Vec<f64> = arms.iter().map(|arm| arm.mean).collect();
    let variances = |variance: &dyn Fn(&ArmMoments) -> f64| {
        arms.iter().map(|arm| variance(arm) / arm.n).collect::<Vec<_>>()
    };
    match contrast {
        MeanContrast::MeanDifference => {
            Ok(Contrasts::from_arms(&means, &variances(&|arm| arm.sd * arm.sd), control))
        }
        MeanContrast::MeanDifferencePooledSd => {
            Ok(Contrasts::from_arms(&means, &variances(&|_| pooled), control))
        }
        MeanContrast::StandardizedMeanDifference => {
            if pooled == 0.0 {
                let why = "nobody differs from the mean of the own arm, so nothing can be standardised; take mean differences";
                return Err(ErrorKind::ZeroVariance(why.into()).into());
            }
            let scaled: Vec<f64> = means.iter().map(|mean| mean / pooled.sqrt()).collect();
            let mut contrasts = Contrasts::from_arms(&scaled, &variances(&|_| 1.0), control);
            let d = contrasts.estimates.clone();
            contrasts
                .covariance
                .indexed_iter_mut()
                .for_each(|((i, j), cell)| *cell += d[i] * d[j] / (2.0 * total));
            Ok(contrasts)
        }
    }
}

fn check_arms(arms: usize, control: usize) -> Result<()> {
    if arms >= 2 && control < arms {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{arms} arms with arm {} as control; contrasts need two arms, one of them the control",
        control + 1
    )))
}
