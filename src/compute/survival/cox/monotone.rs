//! Whether the partial likelihood has a maximum.
//!
//! It has none exactly where a direction `b` exists along which it never falls: `(x_i - x_j)'b >= 0` for
//! every event `i` and everybody `j` at risk at its time, with `> 0` for some (Jacobsen 1989, Scandinavian
//! Journal of Statistics 16:335; Bryson & Johnson 1981, Technometrics 23:381). By Breslow and Efron the tied
//! deaths are at risk with each other and must be equal; in the exact likelihood they need not be.
//!
//! **Cheap proof that it has one.** With `p_ij = w_j / S0` and the Newton step `I d = U`: as
//! `U = sum p_ij (x_i - x_j)` and `I d = sum p_ij (x_j - x_i) (x_j - xbar_i)'d`, the multipliers
//! `p_ij (1 + (x_j - xbar_i)'d)` sum the differences `x_i - x_j` to zero. They are positive as soon as the
//! step moves no two rows apart by 1, and by Stiemke's theorem no such direction then exists.
//!
//! **Exact decision.** Without left truncation risk sets are nested, so that it is enough to compare one death
//! of each time with those who leave before the next time, and with a death of that time. The question is
//! then the one of separation in logistic regression, for rows of differences.

use super::Ties;
use super::risk_sets::{RiskSets, RowOf};
use crate::compute::regression::{BLOCK, DesignRows, Side, separating_directions};
use crate::error::{ErrorKind, Result, SeparatedModel};
use ndarray::{Array2, ArrayView2, Axis, Slice};
use std::ops::Range;

/// The most pairs that are compared where entries differ.
const MOST_PAIRS: usize = 2_000_000;

/// Differences of covariates, one column of the matrix for each pair.
struct Differences {
    x: Array2<f64>,
}

impl DesignRows for Differences {
    fn ncols(&self) -> usize {
        self.x.nrows()
    }

    fn for_each_block(&self, mut with: impl FnMut(Range<usize>, ArrayView2<f64>)) {
        for start in (0..self.x.ncols()).step_by(BLOCK) {
            let range = start..(start + BLOCK).min(self.x.ncols());
            with(range.clone(), self.x.slice_axis(Axis(1), Slice::from(range)));
        }
    }
}

/// Refuses data whose partial likelihood has no maximum, naming the coefficients that run to infinity.
pub(super) fn check_monotone(sets: &RiskSets) -> Result<()> {
    let pairs = pairs(sets)?;
    let mut row_of = RowOf::new(sets);
    let mut x = Array2::zeros((sets.p(), pairs.len()));
    let mut sides = Vec::with_capacity(pairs.len());
    for (k, (death, other, equal)) in pairs.into_iter().enumerate() {
        let mut column = x.column_mut(k);
        column.iter_mut().zip(row_of.centred(death)).for_each(|(out, x)| *out = *x);
        column.iter_mut().zip(row_of.centred(other)).for_each(|(out, x)| *out -= x);
        sides.push(match (column.iter().all(|x| *x == 0.0), equal) {
            (true, _) => Side::Free,
            (false, true) => Side::Equal,
            (false, false) => Side::AtLeast(1.0),
        });
    }
    match separating_directions(&Differences { x }, sides)? {
        None => Ok(()),
        Some(separation) => Err(separation.into_error(sets.matrix.names(), SeparatedModel::Times)),
    }
}

/// Pairs of rows: a death, one that it must not fall below, and whether they must be equal.
fn pairs(sets: &RiskSets) -> Result<Vec<(usize, usize, bool)>> {
    let (data, grid) = (sets.data, sets.grid);
    let order = grid.order();
    let nested = grid.entry.is_none();
    let exact = sets.ties == Ties::Exact;
    let mut pairs = Vec::new();
    for slots in &grid.strata {
        let counts = |row: &usize| data.weight(*row) > 0.0;
        let deaths_of = |slot: usize| order.rows(slot).filter(|row| data.is_event(*row)).filter(counts);
        let mut next: Option<usize> = None;
        let mut later: Vec<usize> = Vec::new();
        for slot in (slots.start + 1..slots.end).rev() {
            let deaths: Vec<usize> = deaths_of(slot).collect();
            let Some(&first) = deaths.first() else { continue };
            if !exact {
                pairs.extend(deaths[1..].iter().map(|tied| (first, *tied, true)));
            }
            let others = order.rows(slot).filter(|row| !data.is_event(*row)).filter(counts);
            if nested {
                // In the exact likelihood each death is compared, and every one of them with the next time.
                let compared = if exact { &deaths[..] } else { &deaths[..1] };
                let others: Vec<usize> = others.collect();
                for death in compared {
                    pairs.extend(others.iter().map(|other| (*death, *other, false)));
                    if exact {
                        pairs.extend(later.iter().map(|other| (*death, *other, false)));
                    } else {
                        pairs.extend(next.map(|next| (*death, next, false)));
                    }
                }
                next = Some(first);
                if exact {
                    // Those whom a death of this time may not exceed later on are the highest of all later ones.
                    later.extend(deaths);
                    later.extend(others);
                }
            } else {
                later.extend(order.rows(slot).filter(counts));
                let at_risk = later.iter().filter(|row| grid.entry_slot(**row, data.stratum(**row)) < slot);
                let at_risk: Vec<usize> = at_risk.copied().collect();
                let compared = if exact { &deaths[..] } else { &deaths[..1] };
                for death in compared {
                    let apart = at_risk.iter().filter(|row| !deaths.contains(row));
                    pairs.extend(apart.map(|other| (*death, *other, false)));
                }
            }
            if pairs.len() > MOST_PAIRS && (exact || !nested) {
                return Err(ErrorKind::NotConverged(
                    "a coefficient may be infinite, and there are too many rows to decide it exactly; penalise the likelihood (FirthCox)"
                        .to_owned(),
                )
                .into());
            }
        }
    }
    Ok(pairs)
}
