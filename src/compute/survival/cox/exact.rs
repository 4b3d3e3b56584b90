//! The exact likelihood of tied times, as if they were discrete: the deaths at a time are one of all sets of
//! as many people at risk.

use super::risk_sets::{Evaluation, RiskSets, RowOf, mirrored};
use ndarray::{Array1, Array2};

/// Log-likelihood and derivatives, by recursion over the people at risk: with `B(r, j)` the sum over the sets
/// of `r` of the first `j` people of the products of their weights, `B(r, j) = B(r, j-1) + w_j B(r-1, j-1)`;
/// first and second derivatives by the same recursion (Gail, Lubin & Rubinstein 1981, Biometrika 68:703).
pub(super) fn evaluate(sets: &RiskSets, coefficients: &Array1<f64>) -> Evaluation {
    let p = sets.p();
    let (data, grid) = (sets.data, sets.grid);
    let order = grid.order();
    let mut row_of = RowOf::new(sets);
    let mut total =
        Evaluation { log_likelihood: 0.0, score: Array1::zeros(p), information: Array2::zeros((p, p)) };
    let width = 1 + p + p * (p + 1) / 2;
    for slots in &grid.strata {
        // Covariates and linear predictors of those who leave at or after the slot.
        let mut people: Vec<(usize, f64, Vec<f64>)> = Vec::new();
        for slot in (slots.start + 1..slots.end).rev() {
            for row in order.rows(slot).filter(|row| data.weight(*row) > 0.0) {
                let x = row_of.centred(row).to_vec();
                let eta = x.iter().zip(coefficients).map(|(x, b)| x * b).sum();
                people.push((row, eta, x));
            }
            let deaths = sets.deaths[slot].0;
            if deaths == 0 {
                continue;
            }
            let at_risk =
                || people.iter().filter(|(row, ..)| grid.entry_slot(*row, data.stratum(*row)) < slot);
            for (_, eta, x) in
                people.iter().filter(|(row, ..)| data.is_event(*row) && grid.exit[*row] as usize == slot)
            {
                total.log_likelihood += eta;
                total.score.iter_mut().zip(x).for_each(|(sum, x)| *sum += x);
            }
            // Weights of about `deaths / n` keep sums over sets near 1.
            let largest = at_risk().fold(f64::NEG_INFINITY, |largest, (_, eta, _)| largest.max(*eta));
            let sum: f64 = at_risk().map(|(_, eta, _)| (eta - largest).exp()).sum();
            let unit = largest + (sum / deaths as f64).ln();
            let mut sums = vec![0.0; (deaths + 1) * width];
            sums[0] = 1.0;
            for (seen, (_, eta, x)) in at_risk().enumerate() {
                let w = (eta - unit).exp();
                for r in (1..=deaths.min(seen + 1)).rev() {
                    let (before, after) = sums.split_at_mut(r * width);
                    let (from, into) = (&before[(r - 1) * width..], &mut after[..width]);
                    into[0] += w * from[0];
                    let mut place = 1 + p;
                    for i in 0..p {
                        for j in 0..=i {
                            let second =
                                from[place] + x[i] * from[1 + j] + x[j] * from[1 + i] + x[i] * x[j] * from[0];
                            into[place] += w * second;
                            place += 1;
                        }
                    }
                    for i in 0..p {
                        into[1 + i] += w * (from[1 + i] + x[i] * from[0]);
                    }
                }
            }
            let of_all = &sums[deaths * width..];
            let b = of_all[0];
            total.log_likelihood -= b.ln() + deaths as f64 * unit;
            let mut place = 1 + p;
            for i in 0..p {
                total.score[i] -= of_all[1 + i] / b;
                for j in 0..=i {
                    total.information[[i, j]] += of_all[place] / b - of_all[1 + i] / b * (of_all[1 + j] / b);
                    place += 1;
                }
            }
        }
    }
    total.information = mirrored(total.information);
    total
}
