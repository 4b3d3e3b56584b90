//! How often the person with the higher predicted hazard has the event first.

use crate::compute::survival::data::SurvivalData;
use crate::compute::survival::grid::Order;
use serde::{Deserialize, Serialize};

/// Harrell's index of concordance between predictions and times: of the pairs at risk at the time of an event
/// of one of them, the share in which that one has the higher predicted hazard, ties of the prediction as a
/// half.
///
/// Somebody who leaves without an event at the time of another's event counts as later; two events at the same
/// time are no pair. Pairs are within strata.
///
/// # References
/// Harrell FE, Lee KL, Mark DB (1996), Statistics in Medicine 15:361.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Concordance {
    /// The index: 1 for perfect prediction, 0.5 for none; `None` without a pair.
    pub index: Option<f64>,
    /// The pairs in agreement, each with the product of its weights.
    pub concordant: f64,
    /// The pairs in disagreement.
    pub discordant: f64,
    /// The pairs with the same prediction.
    pub tied: f64,
}

impl Concordance {
    /// Linear in the number of rows times its logarithm: a tree of counts over the ranks of the predictions.
    pub(super) fn new(data: &SurvivalData, prediction: &[f64]) -> Self {
        let mut levels = prediction.to_vec();
        levels.sort_unstable_by(f64::total_cmp);
        levels.dedup();
        let rank = |row: usize| levels.partition_point(|level| *level < prediction[row]);
        let grid = data.grid();
        let exits = grid.order();
        let entries = grid.entry.as_ref().map(|entry| Order::new(entry, grid.len()));
        let (mut concordant, mut discordant, mut tied) = (0.0, 0.0, 0.0);
        for slots in &grid.strata {
            let mut tree = Counts::new(levels.len());
            for slot in (slots.start..slots.end).rev() {
                // Those who enter at this time or later are not at risk at it.
                if let Some(entries) = &entries {
                    entries.rows(slot).for_each(|row| tree.add(rank(row), -data.weight(row)));
                }
                let is_death = |row: &usize| data.is_event(*row);
                exits
                    .rows(slot)
                    .filter(|row| !is_death(row))
                    .for_each(|row| tree.add(rank(row), data.weight(row)));
                for row in exits.rows(slot).filter(is_death) {
                    let (below, same) = (tree.below(rank(row)), tree.at(rank(row)));
                    let weight = data.weight(row);
                    concordant += weight * below;
                    tied += weight * same;
                    discordant += weight * (tree.total - below - same);
                }
                exits.rows(slot).filter(is_death).for_each(|row| tree.add(rank(row), data.weight(row)));
            }
        }
        let pairs = concordant + discordant + tied;
        let index = (pairs > 0.0).then(|| (concordant + 0.5 * tied) / pairs);
        Self { index, concordant, discordant, tied }
    }
}

/// Counts by rank whose sums up to a rank take logarithmic time (Fenwick 1994, Software: Practice and Experience
/// 24:327).
struct Counts {
    sums: Vec<f64>,
    own: Vec<f64>,
    total: f64,
}

impl Counts {
    fn new(ranks: usize) -> Self {
        Self { sums: vec![0.0; ranks + 1], own: vec![0.0; ranks], total: 0.0 }
    }

    fn add(&mut self, rank: usize, count: f64) {
        self.total += count;
        self.own[rank] += count;
        let mut place = rank + 1;
        while place < self.sums.len() {
            self.sums[place] += count;
            place += place & place.wrapping_neg();
        }
    }

    fn below(&self, rank: usize) -> f64 {
        let (mut place, mut sum) = (rank, 0.0);
        while place > 0 {
            sum += self.sums[place];
            place -= place & place.wrapping_neg();
        }
        sum
    }

    fn at(&self, rank: usize) -> f64 {
        self.own[rank]
    }
}
