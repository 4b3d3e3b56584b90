//! Means and mean gradients with one category forced to each of its levels.

use super::super::matrix::Override;
use super::chunk::{GROUP, predictors, vectors};
use super::rows::{Canonical, Lanes, LinearLanes, LogisticLanes, PoissonLanes};
use super::source::{Columns, SEGMENT, Segment, Source};
use pulp::{Simd, WithSimd};
use std::ops::Range;

/// A pass over some rows. The result has for each level the weighted sum of the means and, after it, those of
/// the gradients.
pub(super) struct MarginalPass<'c, 's, 'a> {
    pub(super) source: &'c Source<'s, 'a>,
    pub(super) rows: Range<usize>,
    pub(super) coefficients: &'c [f64],
    pub(super) model: Canonical,
    /// The position of the category among the terms.
    pub(super) term: usize,
    pub(super) levels: u32,
    /// Takes the mean of each row too, [`SEGMENT`] places for each level: for at most so many rows.
    pub(super) means: Option<&'c mut [f64]>,
}

impl WithSimd for MarginalPass<'_, '_, '_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) -> Vec<f64> {
        let q = self.source.columns() + 1;
        let size = GROUP * S::F64_LANES;
        let mut sums = vec![simd.splat_f64s(0.0); q * self.levels as usize];
        let mut segment = Segment::new(self.source, false);
        let mut padded = Vec::new();
        for start in self.rows.clone().step_by(SEGMENT) {
            let rows = start..(start + SEGMENT).min(self.rows.end);
            for ((level, sums), place) in
                (0..self.levels).zip(sums.chunks_exact_mut(q)).zip((0..).step_by(SEGMENT))
            {
                let forced = Some(Override { term: self.term, level });
                let columns = self.source.segment(rows.clone(), forced, &mut segment);
                let whole = rows.len() / size * size;
                let rest = (whole < rows.len()).then(|| columns.padded(whole..rows.len(), size, &mut padded));
                for first in (0..rows.len()).step_by(size) {
                    let (columns, at) = match &rest {
                        Some(rest) if first >= whole => (rest, 0),
                        _ => (&columns, first),
                    };
                    let mu = match self.model {
                        Canonical::Linear => self.group::<S, LinearLanes>(simd, columns, at, sums),
                        Canonical::Logistic => self.group::<S, LogisticLanes>(simd, columns, at, sums),
                        Canonical::Poisson => self.group::<S, PoissonLanes>(simd, columns, at, sums),
                    };
                    if let Some(means) = &mut self.means
                        && let Some(out) = means.get_mut(place + first..place + first + size)
                    {
                        S::as_mut_simd_f64s(out).0.copy_from_slice(&mu);
                    }
                }
            }
        }
        sums.iter().map(|sum| simd.reduce_sum_f64s(*sum)).collect()
    }
}

impl MarginalPass<'_, '_, '_> {
    #[inline(always)]
    fn group<S: Simd, L: Lanes>(
        &self,
        simd: S,
        columns: &Columns,
        at: usize,
        sums: &mut [S::f64s],
    ) -> [S::f64s; GROUP] {
        let rows = at..at + GROUP * S::F64_LANES;
        let weight = columns.weight.map(|weight| vectors::<S>(&weight[rows.clone()]));
        let eta = predictors(simd, columns, self.coefficients, weight, rows.clone());
        let (mut slope, mut mu) = (eta, eta);
        let [mean, gradient @ ..] = sums else { return mu };
        for u in 0..GROUP {
            let point = L::point(simd, eta[u], eta[u]);
            mu[u] = point.mu;
            match weight.map(|weight| weight[u]) {
                None => {
                    *mean = simd.add_f64s(*mean, point.mu);
                    slope[u] = point.slope;
                }
                Some(weight) => {
                    *mean = simd.mul_add_e_f64s(weight, point.mu, *mean);
                    slope[u] = simd.mul_f64s(weight, point.slope);
                }
            }
        }
        for (sum, x) in gradient.iter_mut().zip(&columns.x) {
            let x = vectors::<S>(&x[rows.clone()]);
            let mut total = *sum;
            for u in 0..GROUP {
                total = simd.mul_add_e_f64s(slope[u], x[u], total);
            }
            *sum = total;
        }
        mu
    }
}
