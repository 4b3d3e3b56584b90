//! Newton's method for concave likelihoods of categories, and the question whether a maximum exists.

use super::cumulative::CumulativeLink;
use super::rows::{CategoryRows, RowBlock};
use super::{cumulative_likelihood, multinomial_likelihood};
use crate::compute::distribution::Normal;
use crate::compute::linalg::{Cholesky, symmetrised};
use crate::compute::regression::{ColumnMoments, Convergence, DesignRows, Side, separating_directions};
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2};
use std::ops::Range;

const MOST_ITERATIONS: usize = 200;
const MOST_HALVINGS: usize = 40;
/// After so many steps without convergence a maximum at infinity is looked for.
const SUSPICIOUS: usize = 8;
/// With smaller squared pivots a Newton step is rounding in some direction, and proves nothing.
const WELL_CONDITIONED: f64 = 1e-8;

/// Sums over the rows at given parameters.
#[derive(Debug, Clone)]
pub(super) struct Pass {
    pub(super) log_likelihood: f64,
    pub(super) score: Array1<f64>,
    /// The observed information, or the products of the scores.
    pub(super) products: Array2<f64>,
    /// The largest linear predictor.
    pub(super) largest: f64,
    /// The largest change of a linear predictor by the step before.
    pub(super) change: f64,
    /// A step that changes linear predictors by less leaves the multipliers in the proof of overlap positive: with rows `z` and
    /// multipliers `g > 0` such that the score is `sum g z`, the next Newton step `d` gives `sum (g - g h(d)) z = 0` exactly, and
    /// `|h(d)| < 1` for every row shows that no direction separates (Stiemke's theorem; see regression/separation.rs).
    pub(super) slack: f64,
    /// Whether the parameters are within range and every sum is finite.
    pub(super) valid: bool,
}

/// What a pass sums besides the score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Products {
    /// The observed information.
    Information,
    /// Products of the scores of the rows: the meat of the sandwich.
    Scores,
}

/// How the predictors of a row become probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Model {
    Multinomial,
    Cumulative(CumulativeLink),
}

/// The parameters at which the likelihood is largest.
#[derive(Debug, Clone)]
pub(super) struct Maximum {
    pub(super) parameters: Array1<f64>,
    pub(super) pass: Pass,
    pub(super) factor: Cholesky,
    pub(super) convergence: Convergence,
}

impl Pass {
    pub(super) fn new(parameters: usize) -> Self {
        Self {
            log_likelihood: 0.0,
            score: Array1::zeros(parameters),
            products: Array2::zeros((parameters, parameters)),
            largest: 0.0,
            change: 0.0,
            slack: f64::INFINITY,
            valid: true,
        }
    }

    pub(super) fn finish(mut self) -> Self {
        self.products = symmetrised(self.products);
        self.valid &=
            self.log_likelihood.is_finite() && self.products.iter().chain(&self.score).all(|x| x.is_finite());
        self
    }
}

impl Model {
    pub(super) fn parameters(self, rows: &CategoryRows) -> usize {
        let (q, p) = (rows.categories() - 1, rows.matrix.ncols());
        match self {
            Self::Multinomial => q * p,
            Self::Cumulative(_) => q + p,
        }
    }

    pub(super) fn pass(
        self,
        rows: &CategoryRows,
        at: &Array1<f64>,
        step: Option<&Array1<f64>>,
        products: Products,
    ) -> Pass {
        match self {
            Self::Multinomial => multinomial_likelihood::pass(rows, at, step, products),
            Self::Cumulative(link) => cumulative_likelihood::pass(rows, link, at, step, products),
        }
    }

    /// The scores of the rows of a block, one row in each column; the weight of one unit included.
    pub(super) fn scores(self, rows: &CategoryRows, at: &Array1<f64>, block: &RowBlock) -> Array2<f64> {
        match self {
            Self::Multinomial => multinomial_likelihood::scores(rows, at, block),
            Self::Cumulative(link) => cumulative_likelihood::scores(rows, link, at, block),
        }
    }

    /// The names of the parameters, in their order.
    pub(super) fn names(self, rows: &CategoryRows) -> Vec<String> {
        let columns = rows.matrix.names();
        match self {
            Self::Multinomial => {
                let levels = rows.levels.iter().enumerate().filter(|(k, _)| *k != rows.reference);
                levels
                    .flat_map(|(_, level)| columns.iter().map(move |name| format!("{level}: {name}")))
                    .collect()
            }
            Self::Cumulative(_) => threshold_names(&rows.levels).chain(columns.iter().cloned()).collect(),
        }
    }

    /// The thresholds of constant probabilities, or zeros.
    fn start(self, rows: &CategoryRows) -> Array1<f64> {
        let mut start = Array1::zeros(self.parameters(rows));
        let Self::Cumulative(link) = self else {
            // A constant column carries the probabilities of all rows together.
            if let Some((column, value)) = rows.moments.as_ref().and_then(ColumnMoments::first_constant) {
                let (p, reference) = (rows.matrix.ncols(), rows.totals[rows.reference]);
                let others = rows.totals.iter().enumerate().filter(|(k, _)| *k != rows.reference);
                for (slot, (_, total)) in others.enumerate() {
                    start[slot * p + column] = (total / reference).ln() / value;
                }
            }
            return start;
        };
        let mut above: f64 = rows.totals.iter().sum();
        let mut below = 0.0;
        for (threshold, total) in start.iter_mut().zip(&rows.totals[..rows.categories() - 1]) {
            below += total;
            above -= total;
            *threshold = match link {
                CumulativeLink::Logit => (below / above).ln(),
                CumulativeLink::Probit if below < above => Normal.quantile(below / (below + above)),
                CumulativeLink::Probit => Normal.upper_quantile(above / (below + above)),
            };
        }
        start
    }

    /// A bound of how far a step moves any linear predictor, where the columns are known.
    fn reach(self, rows: &CategoryRows, step: &Array1<f64>) -> Option<f64> {
        let (moments, q) = (rows.vectorised()?, rows.categories() - 1);
        Some(match self {
            Self::Multinomial => multinomial_likelihood::reach(moments, step, q),
            Self::Cumulative(_) => cumulative_likelihood::reach(moments, step, q),
        })
    }

    /// The maximum, with the proof that it exists.
    ///
    /// # Errors
    /// `separation`, `not_converged`.
    pub(super) fn maximum(self, rows: &CategoryRows) -> Result<Maximum> {
        let mut at = self.start(rows);
        let mut current = self.pass(rows, &at, None, Products::Information);
        let (mut iterations, mut halvings) = (1, 0);
        let (mut asked, mut proven) = (false, false);
        let mut change = f64::INFINITY;
        loop {
            let factor = Cholesky::new(current.products.view()).filter(|_| current.valid);
            let Some(factor) = factor else { return Err(self.why_not(rows, asked)) };
            let step = factor.solve(current.score.view());
            // Newton's error squares with each step: after one that moved nothing by more than 1e-7, the next is below rounding. A bound of
            // this step saves the one before it.
            let (bound, scale) = (self.reach(rows, &step), 1.0 + current.largest);
            proven |= bound.is_some_and(|bound| bound < 0.5 * current.slack)
                && factor.smallest_pivot > WELL_CONDITIONED;
            if let Some(bound) = bound.filter(|bound| proven && *bound <= 1e-12 * scale && *bound < 1e-6) {
                at += &step;
                let convergence = Convergence { iterations, last_step: bound, halvings };
                return Ok(Maximum { parameters: at, pass: current, factor, convergence });
            }
            // One row far out may have predictors beside which the steps of all others look small: what counts is the likelihood.
            let settled = current.score.dot(&step) < 1e-14 * rows.totals.iter().sum::<f64>();
            if settled && bound.unwrap_or(change) < 1e-7 * scale {
                at += &step;
                let last = self.pass(rows, &at, Some(&step), Products::Information);
                if !proven && !asked {
                    self.check_overlap(rows)?;
                }
                let factor = Cholesky::new(last.products.view()).filter(|_| last.valid);
                let Some(factor) = factor else { return Err(not_converged()) };
                let convergence =
                    Convergence { iterations: iterations + 1, last_step: last.change, halvings };
                return Ok(Maximum { parameters: at, pass: last, factor, convergence });
            }
            if iterations >= SUSPICIOUS && !asked && change > 0.25 {
                asked = true;
                self.check_overlap(rows)?;
            }
            if iterations >= MOST_ITERATIONS {
                return Err(self.why_not(rows, asked));
            }
            let allowed = current.log_likelihood - 1e-10 * current.log_likelihood.abs();
            let mut length = 1.0;
            let mut halved = 0;
            let next = loop {
                let scaled = &step * length;
                let trial = &at + &scaled;
                let pass = self.pass(rows, &trial, Some(&scaled), Products::Information);
                iterations += 1;
                if pass.valid && pass.log_likelihood >= allowed {
                    at = trial;
                    break pass;
                }
                if halved == MOST_HALVINGS {
                    return Err(self.why_not(rows, asked));
                }
                length *= 0.5;
                halved += 1;
            };
            halvings += halved;
            change = next.change;
            proven |= halved == 0 && factor.smallest_pivot > WELL_CONDITIONED && change < 0.5 * current.slack;
            current = next;
        }
    }

    /// Why an iteration failed.
    fn why_not(self, rows: &CategoryRows, asked: bool) -> Error {
        let found = if asked { Ok(()) } else { self.check_overlap(rows) };
        found.err().unwrap_or_else(not_converged)
    }

    /// The error `separation` where the likelihood has no maximum.
    fn check_overlap(self, rows: &CategoryRows) -> Result<()> {
        let requirements = Requirements { rows, model: self };
        let found = separating_directions(&requirements, requirements.sides())?;
        found.map_or(Ok(()), |found| Err(found.into_error(&self.names(rows)).into()))
    }
}

/// "a|b" for each pair of neighbouring categories.
pub(super) fn threshold_names(levels: &[String]) -> impl Iterator<Item = String> {
    levels.windows(2).map(|pair| format!("{}|{}", pair[0], pair[1]))
}

fn not_converged() -> Error {
    ErrorKind::NotConverged(
        "the regression did not converge; leave out covariates that nearly determine the category, or merge rare categories".to_owned(),
    )
    .into()
}

/// What each row asks of a direction along which the likelihood never falls, `z'b >= 0`: that the predictor of its category rises no
/// less than each other one (multinomial), or that its upper end does not fall and its lower end does not rise (cumulative; the
/// cumulative distribution functions are log-concave). Albert & Anderson (1984), section 4.
struct Requirements<'r, 'a> {
    rows: &'r CategoryRows<'a>,
    model: Model,
}

impl Requirements<'_, '_> {
    /// Requirements of each row.
    fn slots(&self) -> usize {
        match self.model {
            Model::Multinomial => self.rows.categories() - 1,
            Model::Cumulative(_) => 2,
        }
    }

    /// In the order in which blocks come: all rows of a block for the first slot, then for the second, ...
    fn sides(&self) -> Vec<Side> {
        let mut sides = Vec::with_capacity(self.rows.codes.len() * self.slots());
        let q = self.rows.categories() - 1;
        self.rows.for_each_block(|block| {
            for slot in 0..self.slots() {
                for (i, code) in block.codes.iter().enumerate() {
                    let end = match self.model {
                        Model::Multinomial => false,
                        Model::Cumulative(_) => *code as usize == if slot == 0 { q } else { 0 },
                    };
                    let counts = block.weight[i] * block.frequency[i] > 0.0 && !end;
                    sides.push(if counts { Side::AtLeast(1.0) } else { Side::Free });
                }
            }
        });
        sides
    }

    /// Adds `sign x` to the rows of a predictor in column `i` of `out`.
    fn add(out: &mut Array2<f64>, at: usize, x: ArrayView1<f64>, i: usize, sign: f64) {
        for (j, value) in x.iter().enumerate() {
            out[[at + j, i]] += sign * value;
        }
    }
}

impl DesignRows for Requirements<'_, '_> {
    fn ncols(&self) -> usize {
        self.model.parameters(self.rows)
    }

    fn for_each_block(&self, mut with: impl FnMut(Range<usize>, ArrayView2<f64>)) {
        let (p, q) = (self.rows.matrix.ncols(), self.rows.categories() - 1);
        let predictor =
            |k: usize| (k != self.rows.reference).then(|| (k - usize::from(k > self.rows.reference)) * p);
        self.rows.for_each_block(|block| {
            let n = block.codes.len();
            for slot in 0..self.slots() {
                let mut out = Array2::zeros((self.ncols(), n));
                for (i, code) in block.codes.iter().enumerate() {
                    let y = *code as usize;
                    match self.model {
                        Model::Multinomial => {
                            let other = slot + usize::from(slot >= y);
                            for (category, sign) in [(y, 1.0), (other, -1.0)] {
                                if let Some(at) = predictor(category) {
                                    Self::add(&mut out, at, block.x.column(i), i, sign);
                                }
                            }
                        }
                        Model::Cumulative(_) => {
                            let (threshold, sign) =
                                if slot == 0 { (Some(y), 1.0) } else { (y.checked_sub(1), -1.0) };
                            if let Some(threshold) = threshold.filter(|threshold| *threshold < q) {
                                out[[threshold, i]] = sign;
                                Self::add(&mut out, q, block.x.column(i), i, -sign);
                            }
                        }
                    }
                }
                let first = block.start * self.slots() + slot * n;
                with(first..first + n, out.view());
            }
        });
    }
}
