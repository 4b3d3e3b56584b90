//! Contrasts of the arms of one study against its control, with the covariance that the shared control
//! brings.

use super::{EffectSize, not_estimable};
use crate::compute::mean::{PooledDeviation, Sample};
use crate::error::{Error, ErrorKind, Result, counted};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// Every arm of a study but the control, against the control.
///
/// ```
/// use armwise::effect_size::{
///     CellCorrection, Contrasts, Counts, EffectSize, ProportionEffect, proportion_effect,
/// };
///
/// let risk = |(events, n)| {
///     proportion_effect(
///         Counts { events, n },
///         ProportionEffect::Proportion,
///         CellCorrection::NONE,
///     )
/// };
/// let arms: Vec<EffectSize> = [(21.0, 188.0), (33.0, 190.0), (29.0, 187.0)]
///     .map(risk)
///     .into_iter()
///     .collect::<Result<_, _>>()?;
/// let contrasts = Contrasts::of(&arms, 0)?;
/// let control = 21.0 / 188.0;
/// assert!((contrasts.covariance[[0, 1]] - control * (1.0 - control) / 188.0).abs() < 1e-15);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Contrasts {
    /// Treatment minus control, in the order of the arms.
    pub estimates: Vec<f64>,
    /// Their covariance matrix.
    #[serde(with = "crate::compute::matrix_rows")]
    pub covariance: Array2<f64>,
}

checked!(Contrasts);

impl Contrasts {
    /// The differences of effects of single arms, such as proportions, logits, log rates or means: variance
    /// that of the arm plus that of the control, which is also the covariance of two contrasts.
    ///
    /// # Errors
    /// `invalid_input` for fewer than two arms and for a control that is not among them; `not_estimable` for
    /// numbers that are not finite.
    pub fn of(arms: &[EffectSize], control: usize) -> Result<Self> {
        if arms.len() < 2 || control >= arms.len() {
            return Err(Error::invalid(format!(
                "{} with arm {} as control; contrasts need two arms, one of them the control",
                counted(arms.len(), "arm"),
                control + 1
            )));
        }
        if !arms.iter().all(|arm| arm.value.is_finite() && arm.variance >= 0.0 && arm.variance.is_finite()) {
            return Err(not_estimable(
                "an arm has no finite effect; leave it out, or add 1/2 to the cells of the study",
            ));
        }
        let (reference, m) = (arms[control], arms.len() - 1);
        let treatment = |i: usize| arms[i + usize::from(i >= control)];
        Ok(Self {
            estimates: (0..m).map(|i| treatment(i).value - reference.value).collect(),
            covariance: Array2::from_shape_fn((m, m), |(i, j)| {
                reference.variance + if i == j { treatment(i).variance } else { 0.0 }
            }),
        })
    }

    /// The standardised mean differences `d = (m - m_0) / s` with `s` pooled over all arms, without the
    /// correction for small samples: variance `1/n + 1/n_0 + d^2 / (2 N)` and covariance
    /// `1/n_0 + d_i d_j / (2 N)`, `N` the size of the study (Gleser & Olkin 2009).
    ///
    /// # Errors
    /// As [`Contrasts::of`]; `insufficient_observations` for an arm of fewer than two; `zero_variance` where
    /// no arm varies.
    pub fn standardized(arms: &[Sample], control: usize) -> Result<Self> {
        arms.iter().try_for_each(Sample::check)?;
        let sd = PooledDeviation::of(arms).sd;
        if sd == 0.0 {
            let why = "the values of each arm are all equal, so that nothing can be standardised; take mean differences";
            return Err(ErrorKind::ZeroVariance(why.into()).into());
        }
        let scaled = |arm: &Sample| EffectSize { value: arm.mean / sd, variance: 1.0 / arm.n as f64 };
        let mut contrasts = Self::of(&arms.iter().map(scaled).collect::<Vec<_>>(), control)?;
        let total: f64 = arms.iter().map(|arm| arm.n as f64).sum();
        let d = &contrasts.estimates;
        contrasts
            .covariance
            .indexed_iter_mut()
            .for_each(|((i, j), cell)| *cell += d[i] * d[j] / (2.0 * total));
        Ok(contrasts)
    }

    fn check(&self) -> Result<()> {
        let Self { estimates, covariance } = self;
        let m = estimates.len();
        let finite = estimates.iter().chain(covariance).all(|x| x.is_finite());
        let symmetric = covariance.dim() == (m, m)
            && covariance.indexed_iter().all(|((i, j), x)| *x == covariance[[j, i]] && (i != j || *x >= 0.0));
        if m > 0 && finite && symmetric {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "{} with a covariance matrix of {} x {}; give a symmetric matrix of finite numbers for all of them",
            counted(m, "contrast"),
            covariance.nrows(),
            covariance.ncols()
        )))
    }

    /// The correlation matrix of the contrasts.
    ///
    /// # Errors
    /// `zero_variance` where a contrast has none.
    pub fn correlation(&self) -> Result<Array2<f64>> {
        let diagonal = self.covariance.diag().to_owned();
        if diagonal.iter().any(|variance| *variance <= 0.0 || variance.is_nan()) {
            let why = "a contrast has variance 0 and so no correlation; add to the counts of studies with empty cells";
            return Err(ErrorKind::ZeroVariance(why.into()).into());
        }
        let scaled = |(i, j): (usize, usize)| self.covariance[[i, j]] / (diagonal[i] * diagonal[j]).sqrt();
        Ok(Array2::from_shape_fn(self.covariance.dim(), scaled))
    }
}
