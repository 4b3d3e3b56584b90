//! The likelihood of cumulative models: one pass over blocks of rows.
//!
//! For a row in category `y` let `u = theta_y - x'b` and `l = theta_{y-1} - x'b` (`u = inf` in the last
//! category, `l = -inf` in the first). Its probability is `P = F(u) - F(l)`. With `g_u = f(u)/P`,
//! `g_l = f(l)/P` and `c = g_u g_l`, the second derivatives of `-ln P` are `r_u + c` (u, u), `r_l + c` (l, l)
//! and `-c` (u, l); `r_u` and `r_l` are what a common shift of both sees, and have closed forms for the logit
//! in which nothing cancels.

use super::cumulative_vectors::{self, Blocks, assemble};
use super::likelihood::{CategoryModel, Pass, Products};
use super::rows::{CategoryRows, RowBlock};
use crate::compute::distribution::Normal;
use crate::compute::linalg::part;
use crate::compute::regression::{BLOCK, ColumnMoments, add_cross_product};
use crate::error::SeparatedModel;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2, Axis, Slice};

const FRAC_1_SQRT_2PI: f64 = 0.398_942_280_401_432_7;

/// The distribution function `F` of a cumulative model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CumulativeLink {
    /// `F(x) = 1 / (1 + exp(-x))`: proportional odds.
    #[default]
    Logit,
    /// `F(x) = Phi(x)`: ordered probit.
    Probit,
}

/// The ends of a category on the scale of the link.
#[derive(Debug, Clone, Copy)]
struct Ends {
    upper: Option<f64>,
    lower: Option<f64>,
}

#[derive(Debug, Clone, Copy)]
struct Terms {
    ln_p: f64,
    g_u: f64,
    g_l: f64,
    r_u: f64,
    r_l: f64,
    /// `g_u - g_l`
    shift: f64,
    /// See [`Pass::slack`].
    steepness: f64,
}

/// `ln(1 / (1 + exp(-x)))`.
fn ln_logistic(x: f64) -> f64 {
    if x >= 0.0 { -(-x).exp().ln_1p() } else { x - x.exp().ln_1p() }
}

impl CumulativeLink {
    /// `F(x)`.
    fn cdf(self, x: f64) -> f64 {
        match self {
            Self::Logit => ln_logistic(x).exp(),
            Self::Probit => 0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2),
        }
    }

    /// `f(x)`.
    fn density(self, x: f64) -> f64 {
        match self {
            Self::Logit => (ln_logistic(x) + ln_logistic(-x)).exp(),
            Self::Probit => FRAC_1_SQRT_2PI * (-0.5 * x * x).exp(),
        }
    }

    /// `F(u) - F(l)` for `l < u`, each from its smaller tail.
    fn between(self, lower: Option<f64>, upper: Option<f64>) -> f64 {
        match (lower, upper) {
            (None, None) => 1.0,
            (None, Some(u)) => self.cdf(u),
            (Some(l), None) => self.cdf(-l),
            (Some(l), Some(u)) if l > 0.0 => self.cdf(-l) - self.cdf(-u),
            (Some(l), Some(u)) => self.cdf(u) - self.cdf(l),
        }
    }

    fn terms(self, ends: Ends) -> Terms {
        match self {
            Self::Logit => logit_terms(ends),
            Self::Probit => probit_terms(ends),
        }
    }
}

fn logit_terms(Ends { upper, lower }: Ends) -> Terms {
    // P = F(u) (1 - F(l)) (1 - exp(l - u))
    let gap = match (lower, upper) {
        (Some(l), Some(u)) => -(l - u).exp_m1(),
        _ => 1.0,
    };
    let up = upper.map_or((0.0, f64::NEG_INFINITY), |u| (ln_logistic(u), ln_logistic(-u)));
    let low = lower.map_or((f64::NEG_INFINITY, 0.0), |l| (ln_logistic(l), ln_logistic(-l)));
    let (above, below) = (up.1.exp(), low.0.exp());
    let g_u = (up.1 - low.1).exp() / gap;
    let g_l = (low.0 - up.0).exp() / gap;
    Terms {
        ln_p: up.0 + low.1 + gap.ln(),
        g_u,
        g_l,
        r_u: (up.0 + up.1).exp(),
        r_l: (low.0 + low.1).exp(),
        shift: above - below,
        steepness: 1.0 + g_u + g_l,
    }
}

fn probit_terms(Ends { upper, lower }: Ends) -> Terms {
    let link = CumulativeLink::Probit;
    let p = link.between(lower, upper);
    let g = |end: Option<f64>| end.map_or(0.0, |x| link.density(x) / p);
    let (g_u, g_l) = (g(upper), g(lower));
    let (u, l) = (upper.unwrap_or(0.0), lower.unwrap_or(0.0));
    let shift = g_u - g_l;
    Terms {
        ln_p: p.ln(),
        g_u,
        g_l,
        r_u: g_u * (shift + u),
        r_l: -g_l * (shift + l),
        shift,
        steepness: u.abs().max(l.abs()) + g_u + g_l,
    }
}

/// Ordered categories: thresholds first, then coefficients.
#[derive(Debug)]
pub(super) struct Cumulative(pub(super) CumulativeLink);

impl CategoryModel for Cumulative {
    fn parameters(&self, rows: &CategoryRows) -> usize {
        rows.categories() - 1 + rows.matrix.ncols()
    }

    /// "a|b" for each pair of neighbouring categories, then the columns.
    fn names(&self, rows: &CategoryRows) -> Vec<String> {
        let thresholds = rows.levels.windows(2).map(|pair| format!("{}|{}", pair[0], pair[1]));
        thresholds.chain(rows.matrix.names().iter().cloned()).collect()
    }

    fn separated(&self) -> SeparatedModel {
        SeparatedModel::Ordered
    }

    fn start(&self, rows: &CategoryRows) -> Array1<f64> {
        let mut start = Array1::zeros(self.parameters(rows));
        let mut above: f64 = rows.totals.iter().sum();
        let mut below = 0.0;
        for (threshold, total) in start.iter_mut().zip(&rows.totals[..rows.categories() - 1]) {
            below += total;
            above -= total;
            *threshold = match self.0 {
                CumulativeLink::Logit => (below / above).ln(),
                CumulativeLink::Probit if below < above => Normal.quantile(below / (below + above)),
                CumulativeLink::Probit => Normal.upper_quantile(above / (below + above)),
            };
        }
        start
    }

    fn pass(
        &self,
        rows: &CategoryRows,
        at: &Array1<f64>,
        step: Option<&Array1<f64>>,
        products: Products,
    ) -> Pass {
        let Self(link) = *self;
        let (q, p) = (rows.categories() - 1, rows.matrix.ncols());
        let mut pass = Pass::new(q + p);
        let theta: Vec<f64> = at.iter().take(q).copied().collect();
        if !theta.windows(2).all(|pair| pair[0] < pair[1]) {
            pass.valid = false;
            return pass;
        }
        if link == CumulativeLink::Logit
            && let Some(moments) = rows.vectorised()
            && let Some(mut pass) = cumulative_vectors::pass(rows, at, products)
        {
            pass.change = step.map_or(0.0, |step| self.reach(rows, moments, step));
            return pass;
        }
        let beta = part(at.view(), q..q + p);
        let (mut at_thresholds, mut at_columns) = (Array1::<f64>::zeros(q), Array1::<f64>::zeros(p));
        let mut thresholds = Array2::<f64>::zeros((q, q));
        let (mut across, mut square) = (Array2::<f64>::zeros((q, p)), Array2::<f64>::zeros((p, p)));
        let mut scratch = Array2::zeros((p, BLOCK));
        let (mut shifts, mut weights) = (Array1::<f64>::zeros(BLOCK), vec![0.0; BLOCK]);
        let mut mixed = Array2::<f64>::zeros((q, BLOCK));
        rows.for_each_block(|RowBlock { x, codes, weight, frequency, .. }| {
            let n = codes.len();
            let eta = beta.dot(&x);
            let moved = step.map(|step| part(step.view(), q..q + p).dot(&x));
            mixed.fill(0.0);
            let mut sum = 0.0;
            for (i, code) in codes.iter().enumerate() {
                let (w, f) = (weight[i], frequency[i]);
                (shifts[i], weights[i]) = (0.0, 0.0);
                if w * f == 0.0 {
                    continue;
                }
                let y = *code as usize;
                let (upper, lower) = ((y < q).then_some(y), y.checked_sub(1));
                let end = |j: Option<usize>| j.map(|j| theta[j] - eta[i]);
                let ends = Ends { upper: end(upper), lower: end(lower) };
                let terms = link.terms(ends);
                sum += w * f * terms.ln_p;
                for x in [ends.upper, ends.lower].into_iter().flatten() {
                    pass.largest = pass.largest.max(x.abs());
                }
                pass.slack = pass.slack.min(1.0 / terms.steepness);
                if let (Some(step), Some(moved)) = (step, &moved) {
                    for j in [upper, lower].into_iter().flatten() {
                        pass.change = pass.change.max((step[j] - moved[i]).abs());
                    }
                }
                let factor = match products {
                    Products::Information => w * f,
                    Products::Scores => w * w * f,
                };
                let c = terms.g_u * terms.g_l;
                // (u, u), (l, l), shift with u, shift with l, shift with shift
                let [uu, ll, su, sl, ss] = match products {
                    Products::Information => {
                        [terms.r_u + c, terms.r_l + c, terms.r_u, terms.r_l, terms.r_u + terms.r_l]
                    }
                    Products::Scores => [
                        terms.g_u * terms.g_u,
                        terms.g_l * terms.g_l,
                        terms.g_u * terms.shift,
                        -terms.g_l * terms.shift,
                        terms.shift * terms.shift,
                    ],
                };
                if let Some(j) = upper {
                    at_thresholds[j] += w * f * terms.g_u;
                    thresholds[[j, j]] += factor * uu;
                    mixed[[j, i]] += factor * su;
                }
                if let Some(j) = lower {
                    at_thresholds[j] -= w * f * terms.g_l;
                    thresholds[[j, j]] += factor * ll;
                    mixed[[j, i]] += factor * sl;
                }
                if let (Some(u), Some(l)) = (upper, lower) {
                    thresholds[[u, l]] -= factor * c;
                    thresholds[[l, u]] -= factor * c;
                }
                shifts[i] = w * f * terms.shift;
                weights[i] = factor * ss;
            }
            pass.log_likelihood += sum;
            at_columns -= &x.dot(&part(shifts.view(), 0..n));
            let mut filled = mixed.view();
            filled.slice_axis_inplace(Axis(1), Slice::from(..n));
            across -= &filled.dot(&x.t());
            add_cross_product(x, &weights[..n], &mut scratch, &mut square);
        });
        assemble(&mut pass, Blocks { at_thresholds, at_columns, thresholds, across, square });
        pass.finish()
    }

    fn scores(&self, rows: &CategoryRows, at: &Array1<f64>, block: &RowBlock) -> Array2<f64> {
        let (q, p) = (rows.categories() - 1, rows.matrix.ncols());
        let eta = part(at.view(), q..q + p).dot(&block.x);
        let mut out = Array2::zeros((q + p, block.codes.len()));
        for (i, code) in block.codes.iter().enumerate() {
            let w = block.weight[i];
            if w * block.frequency[i] == 0.0 {
                continue;
            }
            let y = *code as usize;
            let (upper, lower) = ((y < q).then_some(y), y.checked_sub(1));
            let end = |j: Option<usize>| j.map(|j| at[j] - eta[i]);
            let terms = self.0.terms(Ends { upper: end(upper), lower: end(lower) });
            if let Some(j) = upper {
                out[[j, i]] += w * terms.g_u;
            }
            if let Some(j) = lower {
                out[[j, i]] -= w * terms.g_l;
            }
            for c in 0..p {
                out[[q + c, i]] = -w * terms.shift * block.x[[c, i]];
            }
        }
        out
    }

    fn reach(&self, rows: &CategoryRows, moments: &ColumnMoments, step: &Array1<f64>) -> f64 {
        let q = rows.categories() - 1;
        let columns: Vec<usize> = (0..step.len() - q).collect();
        let slope = part(step.view(), q..step.len());
        (0..q).map(|j| moments.reach_from(step[j], &columns, slope)).fold(0.0, f64::max)
    }

    fn requirements(&self, _: &CategoryRows) -> usize {
        2
    }

    /// The upper end of the category does not fall, its lower end does not rise: the distribution functions
    /// are log-concave.
    fn require(
        &self,
        rows: &CategoryRows,
        slot: usize,
        y: usize,
        x: ArrayView1<f64>,
        mut out: ArrayViewMut1<f64>,
    ) -> bool {
        let q = rows.categories() - 1;
        let (threshold, sign) = if slot == 0 { (Some(y), 1.0) } else { (y.checked_sub(1), -1.0) };
        let Some(threshold) = threshold.filter(|threshold| *threshold < q) else { return false };
        out[threshold] = sign;
        for (j, value) in x.iter().enumerate() {
            out[q + j] -= sign * value;
        }
        true
    }

    fn add_probabilities(
        &self,
        rows: &CategoryRows,
        at: &Array1<f64>,
        x: ArrayView2<f64>,
        weight: &[f64],
        mut sums: ArrayViewMut1<f64>,
        mut gradients: ArrayViewMut2<f64>,
    ) {
        let (k, p, n) = (rows.categories(), x.nrows(), x.ncols());
        let (q, link) = (k - 1, self.0);
        let (theta, beta) = (part(at.view(), 0..q), part(at.view(), q..q + p));
        let eta = beta.dot(&x);
        let mut densities = Array2::<f64>::zeros((q, n));
        for ((j, i), density) in densities.indexed_iter_mut() {
            *density = weight[i] * link.density(theta[j] - eta[i]);
        }
        let at_thresholds = densities.sum_axis(Axis(1));
        let at_columns = densities.dot(&x.t());
        for m in 0..k {
            let (upper, lower) = ((m < q).then_some(m), m.checked_sub(1));
            let end = |j: Option<usize>, i: usize| j.map(|j| theta[j] - eta[i]);
            sums[m] += (0..n).map(|i| weight[i] * link.between(end(lower, i), end(upper, i))).sum::<f64>();
            let mut gradient = gradients.index_axis_mut(Axis(0), m);
            for (threshold, sign) in [(upper, 1.0), (lower, -1.0)] {
                let Some(j) = threshold else { continue };
                gradient[j] += sign * at_thresholds[j];
                let mut tail = gradient.view_mut();
                tail.slice_axis_inplace(Axis(0), Slice::from(q..q + p));
                tail.scaled_add(-sign, &at_columns.row(j));
            }
        }
    }

    fn for_each_row(
        &self,
        rows: &CategoryRows,
        at: &Array1<f64>,
        x: ArrayView2<f64>,
        with: &mut dyn FnMut(usize, &[f64]),
    ) {
        let q = rows.categories() - 1;
        let mut row = vec![0.0; q + 1];
        for (i, eta) in part(at.view(), q..q + x.nrows()).dot(&x).iter().enumerate() {
            let end = |j: Option<usize>| j.map(|j| at[j] - eta);
            for (m, out) in row.iter_mut().enumerate() {
                *out = self.0.between(end(m.checked_sub(1)), end((m < q).then_some(m)));
            }
            with(i, &row);
        }
    }
}
