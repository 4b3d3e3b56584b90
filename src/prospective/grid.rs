use super::PlannedTrial;
use crate::compute::power::{GroupSizes, Rounding};
use crate::compute::progress::Task;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// The power over a grid of people and effects: a table, or curves
/// ([`PowerCurvePlot`](crate::report::PowerCurvePlot)).
///
/// ```
/// use armwise::prospective::{ExpectedOutcome, PlannedTrial};
///
/// let trial = PlannedTrial::new(ExpectedOutcome::proportions(0.23, 0.20))?;
/// let grid = trial.grid(&[500, 1000, 2000, 4000], &[1.0, 2.0])?;
/// assert!((grid.effects[1] - 0.06).abs() < 1e-12);
/// assert!(grid.power[3][0] > grid.power[0][0]);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct PowerGrid {
    /// The trial.
    pub trial: PlannedTrial,
    /// The people of the control arm, one row each, ascending.
    pub control: Vec<u64>,
    /// All people, one row each.
    pub total: Vec<u64>,
    /// The multiples of the expected effect, one column each.
    pub multiples: Vec<f64>,
    /// The effects, one column each.
    pub effects: Vec<f64>,
    /// The power of one comparison: rows by columns.
    pub power: Vec<Vec<f64>>,
}

checked!(PowerGrid);

impl PowerGrid {
    fn check(&self) -> Result<()> {
        let again = self.trial.grid(&self.control, &self.multiples)?;
        let near = |a: &[f64], b: &[f64]| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-9 * b.abs().max(1e-3))
        };
        let same = self.total == again.total
            && near(&self.effects, &again.effects)
            && self.power.len() == again.power.len()
            && self.power.iter().zip(&again.power).all(|(a, b)| near(a, b));
        if same {
            Ok(())
        } else {
            Err(Error::invalid("the grid does not follow from its trial; compute it anew"))
        }
    }
}

impl PlannedTrial {
    /// The power for these people of the control arm (the other arms by the ratio) and these multiples of the
    /// expected effect.
    ///
    /// # Errors
    /// `invalid_input` for an empty grid, people that do not rise, and an effect that cannot be.
    pub fn grid(&self, control: &[u64], multiples: &[f64]) -> Result<PowerGrid> {
        if control.is_empty() || multiples.is_empty() || control.len() > 10_000 || multiples.len() > 100 {
            return Err(Error::invalid(
                "a grid needs people and effects; give up to 10,000 sizes and 100 effects",
            ));
        }
        if control.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(Error::invalid(
                "the people of a grid do not rise; give each size once, the smallest first",
            ));
        }
        let mut grid = PowerGrid {
            trial: self.clone(),
            control: control.to_vec(),
            total: Vec::new(),
            multiples: multiples.to_vec(),
            effects: Vec::new(),
            power: Vec::new(),
        };
        let offered = self.power_basis()?;
        let mut outcomes = Vec::new();
        for &multiple in multiples {
            let outcome = offered.at(multiple).ok_or_else(|| {
                Error::invalid(format!("{multiple} times the effect is no outcome; give smaller multiples"))
            })?;
            grid.effects.push(outcome.effect());
            outcomes.push(outcome);
        }
        let task = Task::start("sizes", control.len() as u64);
        for &people in control {
            let whole =
                GroupSizes::in_ratio(people as f64, self.per_control())?.whole(Rounding::EachGroupUp)?;
            grid.total.push(whole.control + u64::from(self.treatments) * whole.treated);
            let row: Result<Vec<f64>> =
                outcomes.iter().map(|outcome| self.power_of(outcome, whole.sizes()?)).collect();
            grid.power.push(row?);
            task.advance(1)?;
        }
        Ok(grid)
    }
}
