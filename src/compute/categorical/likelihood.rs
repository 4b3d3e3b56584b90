//! Newton's method for concave likelihoods of categories, and the question whether a maximum exists.

use super::rows::{CategoryRows, RowBlock};
use crate::compute::linalg::{Cholesky, symmetrised};
use crate::compute::progress::Task;
use crate::compute::regression::{ColumnMoments, Convergence, DesignRows, Side, separating_directions};
use crate::error::{Error, ErrorKind, Result, SeparatedModel};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2};
use std::fmt::Debug;
use std::ops::Range;

const MOST_ITERATIONS: usize = 200;
const MOST_HALVINGS: usize = 40;
/// The number of steps without convergence after which a maximum at infinity is looked for.
const SUSPICIOUS: usize = 8;
/// With smaller squared pivots a Newton step is rounding in some direction, and proves nothing.
const WELL_CONDITIONED: f64 = 1e-8;

/// Sums over the rows at given parameters.
#[derive(Debug, Clone)]
pub struct Pass {
    /// The log-likelihood.
    pub log_likelihood: f64,
    /// Its derivatives.
    pub score: Array1<f64>,
    /// The observed information, or the products of the scores.
    pub products: Array2<f64>,
    /// The largest linear predictor.
    pub(super) largest: f64,
    /// The largest change of a linear predictor by the step before.
    pub change: f64,
    /// A step that changes linear predictors by less leaves the multipliers in the proof of overlap positive:
    /// with rows `z` and multipliers `g > 0` such that the score is `sum g z`, the next Newton step `d` gives
    /// `sum (g - g h(d)) z = 0` exactly, and `|h(d)| < 1` for every row shows that no direction separates
    /// (Stiemke's theorem; see regression/separation.rs).
    pub slack: f64,
    /// Whether the parameters are within range and every sum is finite.
    pub valid: bool,
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
pub(super) trait CategoryModel: Debug + Send + Sync {
    /// The number of parameters.
    fn parameters(&self, rows: &CategoryRows) -> usize;

    /// The names of the parameters, in their order.
    fn names(&self, rows: &CategoryRows) -> Vec<String>;

    /// The model, as an error about separation names it.
    fn separated(&self) -> SeparatedModel;

    /// Parameters to begin with: those of the same probabilities in all rows where these are known, or zeros.
    fn start(&self, rows: &CategoryRows) -> Array1<f64>;

    /// Sums over the rows at given parameters, after a step.
    fn pass(
        &self,
        rows: &CategoryRows,
        at: &Array1<f64>,
        step: Option<&Array1<f64>>,
        products: Products,
    ) -> Pass;

    /// The scores of the rows of a block, one row in each column; the weight of one unit included.
    fn scores(&self, rows: &CategoryRows, at: &Array1<f64>, block: &RowBlock) -> Array2<f64>;

    /// A bound of how far a step moves any difference of predictors, or any end of a category, in any row.
    fn reach(&self, rows: &CategoryRows, moments: &ColumnMoments, step: &Array1<f64>) -> f64;

    /// The number of requirements of a row of a direction along which the likelihood never falls, `z'b >= 0`
    /// for each (Albert & Anderson 1984, section 4).
    fn requirements(&self, rows: &CategoryRows) -> usize;

    /// The `z` of one requirement of a row of category `y` with the columns `x`, added to `out`; gives
    /// whether there is such a requirement.
    fn require(
        &self,
        rows: &CategoryRows,
        slot: usize,
        y: usize,
        x: ArrayView1<f64>,
        out: ArrayViewMut1<f64>,
    ) -> bool;

    /// Adds weighted probabilities of some rows to `sums` and their derivatives with respect to the
    /// parameters to `gradients`, which has a row for each category.
    fn add_probabilities(
        &self,
        rows: &CategoryRows,
        at: &Array1<f64>,
        x: ArrayView2<f64>,
        weight: &[f64],
        sums: ArrayViewMut1<f64>,
        gradients: ArrayViewMut2<f64>,
    );

    /// Calls `with` for each row with its probabilities.
    fn for_each_row(
        &self,
        rows: &CategoryRows,
        at: &Array1<f64>,
        x: ArrayView2<f64>,
        with: &mut dyn FnMut(usize, &[f64]),
    );
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

impl dyn CategoryModel {
    /// The maximum, with the proof that it exists.
    ///
    /// # Errors
    /// `separation`, `not_converged`.
    pub(super) fn maximum(&self, rows: &CategoryRows) -> Result<Maximum> {
        let mut at = self.start(rows);
        let mut current = self.pass(rows, &at, None, Products::Information);
        let (mut iterations, mut halvings) = (1, 0);
        let (mut asked, mut proven) = (false, false);
        let mut change = f64::INFINITY;
        let task = Task::start("passes", None);
        loop {
            task.advance(1)?;
            let factor = Cholesky::new(current.products.view()).filter(|_| current.valid);
            let Some(factor) = factor else { return Err(self.why_not(rows, asked)) };
            let step = factor.solve(current.score.view());
            // Newton's error squares with each step: after one that moved nothing by more than 1e-7, the next
            // is below rounding. A bound of this step saves the one before it.
            let bound = rows.vectorised().map(|moments| self.reach(rows, moments, &step));
            let scale = 1.0 + current.largest;
            proven |= bound.is_some_and(|bound| bound < 0.5 * current.slack)
                && factor.smallest_pivot > WELL_CONDITIONED;
            if let Some(bound) = bound.filter(|bound| proven && *bound <= 1e-12 * scale && *bound < 1e-6) {
                at += &step;
                let convergence = Convergence { iterations, last_step: bound, halvings };
                return Ok(Maximum { parameters: at, pass: current, factor, convergence });
            }
            // One row far out may have predictors beside which the steps of all others look small: what
            // counts is the likelihood.
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
    fn why_not(&self, rows: &CategoryRows, asked: bool) -> Error {
        let found = if asked { Ok(()) } else { self.check_overlap(rows) };
        found.err().unwrap_or_else(not_converged)
    }

    /// The error `separation` where the likelihood has no maximum.
    fn check_overlap(&self, rows: &CategoryRows) -> Result<()> {
        let requirements = Requirements { rows, model: self };
        let found = separating_directions(&requirements, requirements.sides())?;
        found.map_or(Ok(()), |found| Err(found.into_error(&self.names(rows), self.separated())))
    }
}

fn not_converged() -> Error {
    ErrorKind::NotConverged(
        "the regression did not converge; leave out covariates that nearly determine the category, or merge rare categories".to_owned(),
    )
    .into()
}

/// The requirements of all rows of a direction along which the likelihood never falls.
struct Requirements<'r, 'a> {
    rows: &'r CategoryRows<'a>,
    model: &'r dyn CategoryModel,
}

impl Requirements<'_, '_> {
    /// The requirements of a block: all rows for the first slot, then for the second, ...
    fn for_each_slot(&self, mut with: impl FnMut(&RowBlock, usize, Array2<f64>, Vec<bool>)) {
        self.rows.for_each_block(|block| {
            for slot in 0..self.model.requirements(self.rows) {
                let mut out = Array2::zeros((self.ncols(), block.codes.len()));
                let columns = out.columns_mut().into_iter().zip(block.x.columns()).zip(block.codes);
                let required = columns
                    .map(|((out, x), code)| self.model.require(self.rows, slot, *code as usize, x, out))
                    .collect();
                with(&block, slot, out, required);
            }
        });
    }

    fn sides(&self) -> Vec<Side> {
        let mut sides = Vec::with_capacity(self.rows.codes.len() * self.model.requirements(self.rows));
        self.for_each_slot(|block, _, _, required| {
            let counts = block.weight.iter().zip(block.frequency).map(|(weight, count)| weight * count > 0.0);
            let counts = counts.zip(required).map(|(counts, required)| counts && required);
            sides.extend(counts.map(|counts| if counts { Side::AtLeast(1.0) } else { Side::Free }));
        });
        sides
    }
}

impl DesignRows for Requirements<'_, '_> {
    fn ncols(&self) -> usize {
        self.model.parameters(self.rows)
    }

    fn for_each_block(&self, mut with: impl FnMut(Range<usize>, ArrayView2<f64>)) {
        self.for_each_slot(|block, slot, out, _| {
            let n = block.codes.len();
            let first = block.start * self.model.requirements(self.rows) + slot * n;
            with(first..first + n, out.view());
        });
    }
}
