//! Score residuals, and the sums of their products.

use super::risk_sets::{Hazards, RiskSets, Weighted};
use super::{CoxVariance, Ties};
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array1, Array2, ArrayView1, Axis};

/// The means of the risk sets, and what they cumulate to.
struct Means {
    weighted: Weighted,
    hazards: Hazards,
    /// The mean over the steps of a tie of the means of the risk set, by slot.
    at: Array2<f64>,
    /// `sum h xbar` up to each slot.
    cumulative: Array2<f64>,
    /// `sum f h xbar` of each slot, which those who die at it do not bear.
    of_dying: Array2<f64>,
}

impl Means {
    fn new(sets: &RiskSets, coefficients: &Array1<f64>) -> Result<Self> {
        if sets.ties == Ties::Exact {
            return Err(ErrorKind::NotEstimable(
                "the exact likelihood of ties has no robust variance; take Efron's or Breslow's".to_owned(),
            )
            .into());
        }
        let weighted = sets.weighted(coefficients);
        let hazards = sets.hazards(&weighted);
        let shape = (sets.grid.len(), sets.p());
        let (mut at, mut cumulative, mut of_dying) =
            (Array2::zeros(shape), Array2::<f64>::zeros(shape), Array2::zeros(shape));
        sets.for_each_risk_set(&weighted, |slot, s1, d1| {
            let steps = &hazards.steps[slot];
            let weight = sets.deaths[slot].1;
            for j in 0..s1.len() {
                at[[slot, j]] = (steps.hazard[0] * s1[j] - steps.hazard[1] * d1[j]) / weight;
                cumulative[[slot, j]] = steps.squares[0] * s1[j] - steps.squares[1] * d1[j];
                of_dying[[slot, j]] = steps.squares[1] * s1[j] - steps.squares[2] * d1[j];
            }
        });
        for slots in &sets.grid.strata {
            for slot in slots.start + 1..slots.end {
                for j in 0..sets.p() {
                    cumulative[[slot, j]] += cumulative[[slot - 1, j]];
                }
            }
        }
        Ok(Self { weighted, hazards, at, cumulative, of_dying })
    }

    /// Calls `with` for each row with its residual.
    fn for_each(&self, sets: &RiskSets, mut with: impl FnMut(usize, ArrayView1<f64>)) {
        let (data, grid) = (sets.data, sets.grid);
        let mut residual = Array1::<f64>::zeros(sets.p());
        sets.for_each_centred_block(|rows, block| {
            for (row, x) in rows.zip(block.columns()) {
                let (exit, entry) = (grid.exit[row] as usize, grid.entry_slot(row, data.stratum(row)));
                let w = self.weighted.of(row, sets.size());
                let dies = data.is_event(row);
                let borne = self.hazards.cumulative[exit]
                    - self.hazards.cumulative[entry]
                    - if dies { self.hazards.steps[exit].hazard[1] } else { 0.0 };
                for j in 0..sets.p() {
                    let mut mean = self.cumulative[[exit, j]] - self.cumulative[[entry, j]];
                    let mut own = 0.0;
                    if dies {
                        mean -= self.of_dying[[exit, j]];
                        own = data.weight(row) * (x[j] - self.at[[exit, j]]);
                    }
                    residual[j] = own - w * (borne * x[j] - mean);
                }
                with(row, residual.view());
            }
        });
    }
}

/// The score residuals of all rows.
pub(super) fn all(sets: &RiskSets, coefficients: &Array1<f64>) -> Result<Array2<f64>> {
    let means = Means::new(sets, coefficients)?;
    let mut all = Array2::zeros((sets.data.n(), sets.p()));
    means.for_each(sets, |row, residual| all.row_mut(row).assign(&residual));
    Ok(all)
}

/// `sum r r'` over rows or clusters.
pub(super) fn products(
    sets: &RiskSets,
    coefficients: &Array1<f64>,
    variance: CoxVariance,
) -> Result<Array2<f64>> {
    let p = sets.p();
    let clustered = matches!(variance, CoxVariance::Clustered | CoxVariance::ClusteredSmallSample);
    let clusters = match (clustered, sets.data.clusters) {
        (false, _) => None,
        (true, Some(clusters)) => Some(clusters),
        (true, None) => {
            return Err(Error::invalid("a clustered variance needs clusters; declare them in the data"));
        }
    };
    let means = Means::new(sets, coefficients)?;
    let mut products = Array2::<f64>::zeros((p, p));
    let mut add = |residual: ArrayView1<f64>| {
        for i in 0..p {
            for j in 0..=i {
                products[[i, j]] += residual[i] * residual[j];
            }
        }
    };
    let Some(clusters) = clusters else {
        means.for_each(sets, |_, residual| add(residual));
        return Ok(super::risk_sets::mirrored(products));
    };
    let n_clusters = clusters.iter().copied().max().map_or(0, |code| code as usize + 1);
    let mut sums = Array2::<f64>::zeros((n_clusters, p));
    let mut seen = vec![false; n_clusters];
    means.for_each(sets, |row, residual| {
        let cluster = clusters[row] as usize;
        seen[cluster] = true;
        let mut sum = sums.index_axis_mut(Axis(0), cluster);
        sum += &residual;
    });
    sums.rows().into_iter().for_each(&mut add);
    let count = seen.iter().filter(|seen| **seen).count() as f64;
    if count < 2.0 {
        return Err(ErrorKind::InsufficientObservations(
            "a clustered variance needs at least two clusters; take the robust one".to_owned(),
        )
        .into());
    }
    let factor = if variance == CoxVariance::ClusteredSmallSample { count / (count - 1.0) } else { 1.0 };
    Ok(super::risk_sets::mirrored(products) * factor)
}
