//! The pass of [`super::cumulative_likelihood`] in vectors, for proportional odds and rows without weights.
//!
//! `P = F(u) (1 - F(l)) (1 - exp(l - u))`, and `u - l` is the same for all rows of a category: with two
//! exponentials and two divisions for a row, `g_u = (1 - F(u)) / (1 - F(l)) / (1 - exp(l - u))` and
//! `g_l = F(l) / F(u) / (1 - exp(l - u))` come without cancellation.

// Calls that were not expanded would pass vectors through memory, and lose the instruction set.
#![allow(clippy::inline_always)]

use super::likelihood::{Pass, Products};
use super::rows::CategoryRows;
use crate::compute::linalg::{columns_mut, part};
use crate::compute::regression::{LogisticLanes, Shape, StackedRule, StackedTally, stacked};
use ndarray::{Array1, Array2, Axis, Slice};
use pulp::Simd;

/// Stands for an infinite end of a category: what is lost is below 1e-300.
const FAR: f64 = 700.0;
/// Up to this end on the scale of the link nothing underflows.
const SAFE: f64 = 300.0;

struct ProportionalOdds<'r> {
    coefficients: &'r [f64],
    thresholds: &'r [f64],
    /// `1 / (1 - exp(l - u))` of each category.
    inverse_gaps: Vec<f64>,
    products: Products,
}

/// Score and products of a pass, thresholds and columns apart.
pub(super) struct Blocks {
    pub(super) at_thresholds: Array1<f64>,
    pub(super) at_columns: Array1<f64>,
    pub(super) thresholds: Array2<f64>,
    /// One row for each threshold.
    pub(super) across: Array2<f64>,
    pub(super) square: Array2<f64>,
}

/// Puts the parts together: thresholds first, then coefficients.
pub(super) fn assemble(pass: &mut Pass, blocks: Blocks) {
    let Blocks { at_thresholds, at_columns, thresholds, across, square } = blocks;
    let (q, p) = (at_thresholds.len(), at_columns.len());
    pass.score = at_thresholds.iter().chain(&at_columns).copied().collect();
    let (all, tail) = (0..q, q..q + p);
    for (down, right, block) in [
        (all.clone(), all.clone(), thresholds.view()),
        (all.clone(), tail.clone(), across.view()),
        (tail.clone(), all, across.t()),
        (tail.clone(), tail, square.view()),
    ] {
        let mut target = columns_mut(pass.products.view_mut(), right);
        target.slice_axis_inplace(Axis(0), Slice::from(down));
        target.assign(&block);
    }
}

/// `None` where a linear predictor is beyond what vectors treat exactly; `at` holds increasing thresholds,
/// then coefficients.
pub(super) fn pass(rows: &CategoryRows, at: &Array1<f64>, products: Products) -> Option<Pass> {
    let (q, p) = (rows.categories() - 1, rows.matrix.ncols());
    let (thresholds, coefficients) = at.as_slice()?.split_at(q);
    let gap = |y: usize| if y == 0 || y == q { 1.0 } else { -(thresholds[y - 1] - thresholds[y]).exp_m1() };
    let gaps: Vec<f64> = (0..=q).map(gap).collect();
    let rule = ProportionalOdds {
        coefficients,
        thresholds,
        inverse_gaps: gaps.iter().map(|gap| 1.0 / gap).collect(),
        products,
    };
    let sums = stacked(&rows.matrix, rows.codes, &rule);
    if sums.largest.is_nan() || sums.largest >= SAFE {
        return None;
    }
    let mut pass = Pass::new(q + p);
    let logarithms: f64 = gaps.iter().zip(&rows.totals).map(|(gap, total)| total * gap.ln()).sum();
    pass.log_likelihood = logarithms - sums.loss;
    pass.largest = sums.largest;
    pass.slack = 1.0 / (1.0 + sums.steepest);
    let scalars = Array1::from(sums.scalars);
    let (score, diagonal) = (part(scalars.view(), 0..q), part(scalars.view(), q..2 * q));
    let beside = part(scalars.view(), 2 * q..3 * q);
    let mut thresholds = Array2::zeros((q, q));
    for j in 0..q {
        thresholds[[j, j]] = diagonal[j];
        if j > 0 {
            thresholds[[j, j - 1]] = -beside[j];
            thresholds[[j - 1, j]] = -beside[j];
        }
    }
    let across = -sums.loads.slice_axis(Axis(0), Slice::from(..q)).to_owned();
    let at_columns = -sums.loads.row(q).to_owned();
    let square = sums.products.first()?.clone();
    assemble(&mut pass, Blocks { at_thresholds: score.to_owned(), at_columns, thresholds, across, square });
    Some(pass.finish())
}

impl StackedRule for ProportionalOdds<'_> {
    /// Loads: what a common shift sees together with each threshold, and the score of the shift. Scalars for
    /// each threshold: score, information, and what it shares with the one below.
    fn shape(&self) -> Shape {
        let q = self.thresholds.len();
        Shape { predictors: 1, weights: 1, loads: q + 1, scalars: 3 * q }
    }

    fn coefficients(&self) -> &[f64] {
        self.coefficients
    }

    #[inline(always)]
    fn rows<S: Simd>(
        &self,
        simd: S,
        eta: &[S::f64s],
        code: S::f64s,
        out: &mut [S::f64s],
        tally: &mut StackedTally<S>,
    ) {
        let (zero, one) = (simd.splat_f64s(0.0), simd.splat_f64s(1.0));
        let eta = eta[0];
        let q = self.thresholds.len();
        let (mut upper, mut lower) = (simd.splat_f64s(FAR), simd.splat_f64s(-FAR));
        let mut inverse_gap = one;
        let mut here = simd.equal_f64s(code, zero);
        let mut size = tally.largest;
        for j in 0..q {
            let end = simd.sub_f64s(simd.splat_f64s(self.thresholds[j]), eta);
            size = simd.max_f64s(size, simd.abs_f64s(end));
            upper = simd.select_f64s(here, end, upper);
            inverse_gap = simd.select_f64s(here, simd.splat_f64s(self.inverse_gaps[j]), inverse_gap);
            here = simd.equal_f64s(code, simd.splat_f64s((j + 1) as f64));
            lower = simd.select_f64s(here, end, lower);
        }
        tally.largest = size;
        let (up, low) = (LogisticLanes::new(simd, upper), LogisticLanes::new(simd, lower));
        let g_u = simd.mul_f64s(simd.mul_f64s(up.rest, low.inverse_rest), inverse_gap);
        let g_l = simd.mul_f64s(simd.mul_f64s(low.mu, up.inverse_mu), inverse_gap);
        let (r_u, r_l) = (simd.mul_f64s(up.root, up.root), simd.mul_f64s(low.root, low.root));
        let shift = simd.sub_f64s(up.rest, low.mu);
        // -ln F(u) - ln(1 - F(l)); a row outside the data has both ends at infinity.
        let loss = simd.add_f64s(simd.max_f64s(simd.neg_f64s(upper), zero), simd.max_f64s(lower, zero));
        tally.loss = simd.add_f64s(tally.loss, simd.add_f64s(loss, simd.add_f64s(up.lost, low.lost)));
        tally.product = simd.mul_f64s(tally.product, simd.mul_f64s(up.q, low.q));
        tally.steepest = simd.max_f64s(tally.steepest, simd.add_f64s(g_u, g_l));
        let c = simd.mul_f64s(g_u, g_l);
        let [uu, ll, su, sl, ss] = match self.products {
            Products::Information => {
                [simd.add_f64s(r_u, c), simd.add_f64s(r_l, c), r_u, r_l, simd.add_f64s(r_u, r_l)]
            }
            Products::Scores => [
                simd.mul_f64s(g_u, g_u),
                simd.mul_f64s(g_l, g_l),
                simd.mul_f64s(g_u, shift),
                simd.neg_f64s(simd.mul_f64s(g_l, shift)),
                simd.mul_f64s(shift, shift),
            ],
        };
        out[0] = ss;
        let (scores, rest) = tally.scalars.split_at_mut(q);
        let (diagonal, beside) = rest.split_at_mut(q);
        let mut here = simd.equal_f64s(code, zero);
        for j in 0..q {
            let above = simd.equal_f64s(code, simd.splat_f64s((j + 1) as f64));
            // A row has threshold j as its upper end, as its lower end, or as none.
            let pick = [
                simd.select_f64s(here, g_u, simd.select_f64s(above, simd.neg_f64s(g_l), zero)),
                simd.select_f64s(here, uu, simd.select_f64s(above, ll, zero)),
                simd.select_f64s(here, c, zero),
                simd.select_f64s(here, su, simd.select_f64s(above, sl, zero)),
            ];
            scores[j] = simd.add_f64s(scores[j], pick[0]);
            diagonal[j] = simd.add_f64s(diagonal[j], pick[1]);
            beside[j] = simd.add_f64s(beside[j], pick[2]);
            out[1 + j] = pick[3];
            here = above;
        }
        out[1 + q] = shift;
    }
}
