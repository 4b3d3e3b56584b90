use super::bounds::PartlyObserved;
use super::lee::{LeeBounds, TrimmedArm};
use crate::compute::interval::Interval;
use crate::error::{Error, ErrorKind, Result, counted};
use serde::{Deserialize, Serialize};

/// Bounds of the effect on people who would be seen whichever arm they were in, tightened by a covariate:
/// Lee's bounds within each cell of it, averaged.
///
/// # Formula
///
/// `sum_c w_c lower_c` to `sum_c w_c upper_c` with the bounds of each cell `c` ([`LeeBounds`]) and the share
/// `w_c` of the cell among those seen of the arm that is not trimmed: of people who are always seen, these
/// are the shares. Where no cell is trimmed it is the control arm. The bounds are never wider than without
/// cells in large samples.
///
/// # Assumptions
/// Those of [`LeeBounds`] in every cell, in the same direction.
///
/// # Interval
/// None: a published closed form of the standard error is not known.
///
/// # Errors
/// Of [`LeeBoundsByCell::new`]: `not_estimable` where cells trim different arms, which contradicts the
/// assumption; `insufficient_observations` where a cell keeps nobody; `invalid_input` without cells.
///
/// # Examples
/// ```
/// use armwise::missing::{LeeBoundsByCell, PartlyObserved};
///
/// let arm = |seen: &[f64], randomised| PartlyObserved::new(seen.to_vec(), randomised);
/// let young = [arm(&[1.0, 2.0, 3.0, 4.0], 4)?, arm(&[1.0, 2.0, 3.0], 4)?];
/// let old = [arm(&[11.0, 12.0, 13.0, 14.0], 4)?, arm(&[11.0, 12.0, 13.0], 4)?];
/// let bounds = LeeBoundsByCell::new(&[young, old])?;
/// assert!(bounds.effect.lower() == 0.0 && bounds.effect.upper() == 1.0);
/// assert!(bounds.effect.width() < bounds.without_cells.effect.width());
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Lee (2009), Review of Economic Studies 76:1071, section 4.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeeBoundsByCell {
    /// The arm that is trimmed, in every cell where one is.
    pub trimmed: TrimmedArm,
    /// The bounds of each cell.
    pub cells: Vec<LeeBounds>,
    /// The weight of each cell.
    pub weights: Vec<f64>,
    /// The bounds.
    pub effect: Interval,
    /// The bounds without cells.
    pub without_cells: LeeBounds,
}

impl LeeBoundsByCell {
    /// Bounds from treatment and control of each cell.
    ///
    /// # Errors
    /// See [`LeeBoundsByCell`].
    pub fn new(cells: &[[PartlyObserved; 2]]) -> Result<Self> {
        if cells.is_empty() {
            return Err(Error::invalid("there are no cells; give at least one, or read LeeBounds"));
        }
        let each: Vec<LeeBounds> = cells
            .iter()
            .map(|[treatment, control]| LeeBounds::new(treatment, control))
            .collect::<Result<_>>()?;
        let trims = |arm: TrimmedArm| each.iter().filter(|cell| cell.trimmed == arm).count();
        let (of_treatment, of_control) = (trims(TrimmedArm::Treatment), trims(TrimmedArm::Control));
        let trimmed = match (of_treatment, of_control) {
            (0, 0) => TrimmedArm::Neither,
            (_, 0) => TrimmedArm::Treatment,
            (0, _) => TrimmedArm::Control,
            _ => {
                let why = format!(
                    "{} with more seen of the treatment and {} with more seen of the control arm, so that treatment makes some more and \
                     others less likely to be seen; read worst-case bounds, or take other cells",
                    counted(of_treatment, "cell"),
                    of_control
                );
                return Err(ErrorKind::NotEstimable(why).into());
            }
        };
        let whole = usize::from(trimmed != TrimmedArm::Control);
        let seen: Vec<f64> = cells.iter().map(|cell| cell[whole].seen().len() as f64).collect();
        let total: f64 = seen.iter().sum();
        let weights: Vec<f64> = seen.iter().map(|n| n / total).collect();
        let average = |of: fn(&Interval) -> f64| {
            each.iter().zip(&weights).map(|(cell, weight)| weight * of(&cell.effect)).sum::<f64>()
        };
        let (lower, upper) = (average(Interval::lower), average(Interval::upper));
        let all = |arm: usize| {
            let seen = cells.iter().flat_map(|cell| cell[arm].seen()).copied().collect();
            PartlyObserved::new(seen, cells.iter().map(|cell| cell[arm].randomised()).sum())
        };
        let without_cells = LeeBounds::new(&all(0)?, &all(1)?)?;
        Ok(Self { trimmed, cells: each, weights, effect: Interval::between(lower, upper), without_cells })
    }
}
