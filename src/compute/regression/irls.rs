//! Fisher scoring: one pass over blocks of rows gives linear predictor, mean, weight, score and information
//! together.

use super::family::{Curve, Link, Variance};
use super::information::add_cross_product;
use super::kernel::{Canonical, ColumnMoments, Kernel};
use super::matrix::{BLOCK, ModelMatrix};
use super::observations::{Observations, Rows, Totals, Weights};
use crate::compute::linalg::{Cholesky, UpperFactor, columns_mut, part, submatrix, symmetrised};
use crate::compute::progress::Task;
use crate::error::{ErrorKind, Result};
use ndarray::{Array1, Array2, Axis};

/// How an iteration ended.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Convergence {
    /// Passes over the data.
    pub iterations: usize,
    /// How far the last step moved the linear predictor of any row, at most.
    pub last_step: f64,
    /// How often a step was halved because it left the range of the mean or did not lower the deviance.
    pub halvings: usize,
}

/// What is fitted: everything but the values of the coefficients.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Problem<'p, 'a> {
    pub(crate) matrix: &'p ModelMatrix<'a>,
    pub(crate) observations: &'p Observations<'a>,
    pub(crate) curve: Curve,
    pub(crate) totals: Totals,
    /// Take the factor of the information from a QR factorisation: for nearly collinear columns.
    pub(crate) stable: bool,
    /// What the check of the columns found out about them.
    pub(crate) moments: Option<&'p ColumnMoments>,
}

/// Sums over the rows at given coefficients.
#[derive(Debug, Clone)]
pub(crate) struct Pass {
    pub(crate) deviance: f64,
    /// Where the pass gave it on the way.
    pub(crate) pearson_chi2: Option<f64>,
    /// `X' s`, over all columns.
    pub(crate) score: Array1<f64>,
    /// `X' W X`, over all columns.
    pub(crate) information: Array2<f64>,
    /// An upper triangular `R` with `R'R = X'WX`, in stable mode.
    pub(crate) upper: Option<Array2<f64>>,
    /// The largest `|eta|`.
    pub(super) largest_eta: f64,
    /// The largest change of `eta` since the pass before, or a bound of it.
    pub(super) change: f64,
    /// The smallest [`super::family::RowTerms::slack`].
    slack: f64,
    /// Whether every `eta` gives a mean in range and every sum is finite.
    valid: bool,
}

/// The coefficients that solve the score equations of the free columns.
#[derive(Debug, Clone)]
pub(crate) struct Solution {
    pub(crate) coefficients: Array1<f64>,
    pub(crate) pass: Pass,
    pub(crate) convergence: Convergence,
    /// Whether the last step proves that no direction separates the outcomes.
    pub(crate) overlap_proven: bool,
}

/// Why Fisher scoring did not end in a solution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The information became singular, or the steps do not shrink.
    NoProgress,
    /// The starting values give means outside the range.
    NoStart,
}

/// Where an iteration begins.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    pub(super) coefficients: Array1<f64>,
    /// Coefficients to take instead where the deviance is not below theirs.
    pub(super) refuge: Option<(Array1<f64>, f64)>,
}

/// The first pass that has a likelihood.
struct First {
    coefficients: Array1<f64>,
    pass: Pass,
    /// Passes it took.
    iterations: usize,
}

/// A step that was taken.
struct Advance {
    coefficients: Array1<f64>,
    pass: Pass,
    halvings: usize,
    /// The share of the step that was taken.
    length: f64,
}

from! {
    Array1<f64> => Start: |coefficients| Self { coefficients, refuge: None };
}

/// Twice the gain in log-likelihood, for each row, below which a step of a binomial model is rounding.
const SETTLED: f64 = 1e-20;
const MOST_ITERATIONS: usize = 200;
const MOST_HALVINGS: usize = 40;
/// A step solves its equations well enough for the proof of overlap where the squared pivots are above this.
const SOUND: f64 = 1e-8;
/// The number of steps without convergence after which a maximum at infinity is looked for.
const SUSPICIOUS: usize = 8;

impl Pass {
    /// The factor of the information of some columns.
    pub(crate) fn factor(&self, free: &[usize]) -> Option<Cholesky> {
        match &self.upper {
            None => Cholesky::new(submatrix(self.information.view(), free).view()),
            Some(upper) => {
                // Dropping columns of R leaves it upper Hessenberg; one more small factorisation makes it
                // triangular.
                let mut factor = UpperFactor::new(free.len());
                factor.push(upper.select(Axis(1), free).t());
                Cholesky::from_upper(factor.finish().view())
            }
        }
    }
}

/// Passes in vectors, for the problems that they suit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vectorised<'p, 'a> {
    pub(super) model: Canonical,
    pub(super) kernel: Kernel<'p, 'a>,
    pub(super) moments: &'p ColumnMoments,
}

impl<'p, 'a> Problem<'p, 'a> {
    pub(super) fn vectorised(&self) -> Option<Vectorised<'p, 'a>> {
        let model = Canonical::of(self.curve, self.totals.binary)?;
        let moments = self.moments.filter(|_| !self.stable)?;
        Some(Vectorised { model, kernel: Kernel::new(self.matrix, self.observations)?, moments })
    }

    /// A pass by vectors where they suit the problem; `change` bounds how far the linear predictor of any row
    /// moved.
    pub(super) fn evaluate(
        &self,
        vectorised: Option<Vectorised>,
        beta: &Array1<f64>,
        eta: &mut Array1<f64>,
        change: f64,
    ) -> Pass {
        let Some(Vectorised { model, kernel, moments }) = vectorised else { return self.pass(beta, eta) };
        // What follows from the moments starts an iteration; later passes read the rows.
        let known = moments.sums(model, beta.view()).filter(|_| change.is_infinite() && self.is_plain());
        let sums = known.unwrap_or_else(|| kernel.sums(model, beta.as_slice().unwrap_or_default()));
        let valid =
            sums.deviance.is_finite() && sums.information.iter().chain(&sums.score).all(|x| x.is_finite());
        Pass {
            deviance: sums.deviance,
            pearson_chi2: Some(sums.pearson_chi2),
            score: sums.score,
            information: sums.information,
            upper: None,
            largest_eta: sums.largest_eta,
            change,
            // The least that the logit link has, 1 + exp(-|eta|) or more, and the Poisson log link.
            slack: 1.0,
            valid,
        }
    }

    /// Without weights and offset.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.observations.weights, Weights::None) && self.observations.offset.is_none()
    }

    /// One pass at `beta`. `eta` holds the linear predictor of the pass before, and is overwritten.
    pub(crate) fn pass(&self, beta: &Array1<f64>, eta: &mut Array1<f64>) -> Pass {
        let p = self.matrix.ncols();
        let mut pass = Pass {
            deviance: 0.0,
            pearson_chi2: None,
            score: Array1::zeros(p),
            information: Array2::zeros((p, p)),
            upper: None,
            largest_eta: 0.0,
            change: 0.0,
            slack: f64::INFINITY,
            valid: true,
        };
        let mut factor = self.stable.then(|| UpperFactor::new(p));
        let (mut rows, mut scratch) = (Rows::new(), Array2::zeros((p, BLOCK)));
        let (mut weights, mut scores) = (vec![0.0; BLOCK], Array1::<f64>::zeros(BLOCK));
        self.matrix.for_each_block(|range, block| {
            if !pass.valid {
                return;
            }
            self.observations.read(range.clone(), &mut rows);
            let mut predictor = std::mem::take(&mut rows.offset);
            for (b, column) in beta.iter().zip(block.rows()) {
                if *b != 0.0 {
                    predictor.iter_mut().zip(column).for_each(|(eta, x)| *eta += b * x);
                }
            }
            let mut deviance = 0.0;
            for (k, (y, weight, frequency)) in rows.iter().enumerate() {
                let now = predictor[k];
                let total = weight * frequency;
                if total == 0.0 {
                    (weights[k], scores[k]) = (0.0, 0.0);
                    continue;
                }
                pass.valid &= self.curve.valid(now);
                let terms = self.curve.row(now, y);
                weights[k] = total * terms.weight;
                scores[k] = total * terms.score;
                deviance += total * terms.deviance;
                pass.largest_eta = pass.largest_eta.max(now.abs());
                pass.change = pass.change.max((now - eta[range.start + k]).abs());
                pass.slack = pass.slack.min(terms.slack);
            }
            pass.deviance += deviance;
            eta.iter_mut().skip(range.start).zip(&predictor).for_each(|(eta, now)| *eta = *now);
            rows.offset = predictor;
            let n = range.len();
            pass.score += &block.dot(&part(scores.view(), 0..n));
            add_cross_product(block, &weights[..n], &mut scratch, &mut pass.information);
            if let Some(factor) = &mut factor {
                let mut scaled = columns_mut(scratch.view_mut(), 0..n);
                scaled.assign(&block);
                for (mut column, w) in scaled.axis_iter_mut(Axis(1)).zip(&weights) {
                    column *= w.sqrt();
                }
                factor.push(scaled.view());
            }
        });
        pass.information = symmetrised(pass.information);
        pass.upper = factor.map(UpperFactor::finish);
        pass.valid &=
            pass.deviance.is_finite() && pass.information.iter().chain(&pass.score).all(|x| x.is_finite());
        pass
    }

    /// The coefficients of a model in which a constant column, if there is one, carries the mean.
    pub(crate) fn start(&self, constant: &[usize]) -> Array1<f64> {
        let mut beta = Array1::zeros(self.matrix.ncols());
        let Some(&column) = constant.first() else { return beta };
        let mut one = Array2::zeros((self.matrix.ncols(), 1));
        self.matrix.fill(0..1, one.view_mut());
        let Totals { mean, mean_exposure, .. } = self.totals;
        let multiplicative =
            matches!(self.curve.variance, Variance::Poisson | Variance::NegativeBinomial { .. })
                && self.curve.link == Link::Log
                && mean_exposure.is_finite()
                && mean_exposure > 0.0;
        let eta = self.curve.eta(if multiplicative { mean / mean_exposure } else { mean });
        if eta.is_finite() {
            beta[column] = eta / one[[column, 0]];
        }
        beta
    }

    /// Weighted least squares of `g(mu)` with `mu` near the response; the coefficients that are not free
    /// stay.
    fn start_near_response(&self, start: &Array1<f64>, free: &[usize]) -> Option<Array1<f64>> {
        let p = self.matrix.ncols();
        let (mut information, mut cross) = (Array2::zeros((p, p)), Array1::<f64>::zeros(p));
        let (mut rows, mut scratch) = (Rows::new(), Array2::zeros((p, BLOCK)));
        let mean = self.totals.mean;
        let mut beta = start.clone();
        for &j in free {
            beta[j] = 0.0;
        }
        self.matrix.for_each_block(|range, block| {
            self.observations.read(range.clone(), &mut rows);
            let mut weights = vec![0.0; range.len()];
            let mut target = Array1::zeros(range.len());
            let held = block.t().dot(&beta);
            for (k, (y, weight, frequency)) in rows.iter().enumerate() {
                let mu = match self.curve.variance {
                    Variance::Constant => y,
                    _ => 0.5 * (y + mean),
                };
                let eta = self.curve.eta(mu);
                weights[k] = weight * frequency * self.curve.row(eta, y).weight;
                target[k] = weights[k] * (eta - rows.offset[k] - held[k]);
            }
            cross += &block.dot(&target);
            add_cross_product(block, &weights, &mut scratch, &mut information);
        });
        let factor = Cholesky::new(submatrix(information.view(), free).view())?;
        let solved = factor.solve(cross.select(Axis(0), free).view());
        free.iter().zip(solved).for_each(|(&j, b)| beta[j] = b);
        Some(beta)
    }

    /// The pass at the start, at its refuge where the start has no likelihood or a lower one, or else near
    /// the response; `None` where none of them has a likelihood.
    fn first_pass(&self, start: Start, free: &[usize], eta: &mut Array1<f64>) -> Option<First> {
        let Start { coefficients: mut beta, refuge } = start;
        let vectorised = self.vectorised();
        let mut pass = self.evaluate(vectorised, &beta, eta, f64::INFINITY);
        let mut iterations = 1;
        if let Some((other, deviance)) = refuge
            && !(pass.valid && pass.deviance <= deviance)
        {
            beta = other;
            pass = self.evaluate(vectorised, &beta, eta, f64::INFINITY);
            iterations += 1;
        }
        if !pass.valid {
            beta = self.start_near_response(&beta, free)?;
            pass = self.evaluate(vectorised, &beta, eta, f64::INFINITY);
            iterations += 1;
        }
        pass.valid.then_some(First { coefficients: beta, pass, iterations })
    }

    /// A step, halved until the means are in range and the deviance has not risen; `None` where no length
    /// does. `eta` becomes that of the new coefficients.
    fn advance(
        &self,
        from: &Array1<f64>,
        free: &[usize],
        step: &Array1<f64>,
        bound: Option<f64>,
        current: &Pass,
        eta: &mut Array1<f64>,
    ) -> Option<Advance> {
        let (vectorised, least_squares) = (self.vectorised(), self.is_least_squares());
        let allowed = current.deviance * (1.0 + 1e-10) + 1e-13 * self.totals.weight;
        let mut length = 1.0;
        for halvings in 0..=MOST_HALVINGS {
            let mut coefficients = from.clone();
            free.iter().zip(step).for_each(|(&j, d)| coefficients[j] += length * d);
            let mut trial = eta.clone();
            let change = bound.map_or(f64::INFINITY, |bound| bound * length);
            let pass = self.evaluate(vectorised, &coefficients, &mut trial, change);
            if pass.valid && (least_squares || pass.deviance <= allowed) {
                *eta = trial;
                return Some(Advance { coefficients, pass, halvings, length });
            }
            length *= 0.5;
        }
        None
    }

    fn is_least_squares(&self) -> bool {
        self.curve.variance == Variance::Constant && self.curve.is_canonical()
    }

    /// Solves the score equations of the `free` columns; the other coefficients stay as `start` has them.
    ///
    /// `suspect` is asked once when the iteration looks as if a coefficient ran to infinity; its error ends
    /// it.
    pub(crate) fn solve(
        &self,
        start: impl Into<Start>,
        free: &[usize],
        mut suspect: impl FnMut() -> Result<()>,
    ) -> Result<std::result::Result<Solution, Stop>> {
        let vectorised = self.vectorised();
        let mut eta = Array1::zeros(if vectorised.is_some() { 0 } else { self.matrix.nrows() });
        let Some(First { coefficients: mut beta, pass: mut current, mut iterations }) =
            self.first_pass(start.into(), free, &mut eta)
        else {
            return Ok(Err(Stop::NoStart));
        };
        let least_squares = self.is_least_squares();
        let tolerance = if self.curve.is_canonical() { 1e-12 } else { 1e-14 };
        let mut halvings = 0;
        let mut previous: Option<(f64, f64)> = None;
        let mut asked = false;
        let mut last_step = 0.0;
        let mut overlap_proven = false;
        let task = Task::start("passes", None);
        loop {
            task.advance(1)?;
            let Some(factor) = current.factor(free) else {
                if !asked {
                    suspect()?;
                }
                return Ok(Err(Stop::NoProgress));
            };
            let score = current.score.select(Axis(0), free);
            let mut step = factor.solve(score.view());
            let decrement = score.dot(&step).max(0.0);
            let bound = vectorised.map(|vectorised| vectorised.moments.reach(free, step.view()));
            overlap_proven |=
                bound.is_some_and(|bound| bound < 0.5 * current.slack) && factor.smallest_pivot > SOUND;
            // Without a bound the step's effect on eta is known only after the next pass; it shrinks as the
            // root of the decrement does.
            let change = previous.map_or(f64::INFINITY, |(change, _)| change);
            let expected = bound.unwrap_or_else(|| match previous {
                Some((change, before)) if before > 0.0 => change * (decrement / before).sqrt(),
                None if decrement > 0.0 => f64::INFINITY,
                _ => 0.0,
            });
            let scale = 1.0 + current.largest_eta;
            // One row far out may have a predictor beside which the steps of all others look small: what
            // counts is the likelihood. Where it moves on alone, by 1 in each step, its likelihood is 1
            // whatever it does.
            let binomial = self.curve.variance == Variance::Binomial;
            let settled = !binomial || decrement <= SETTLED * self.totals.weight;
            let idle = binomial && settled && previous.is_some_and(|(_, before)| decrement >= 0.5 * before);
            let stalled = (change < 1e-7 * scale && expected >= 0.5 * change) || idle;
            let done = (expected <= tolerance * scale && settled)
                || stalled
                || (least_squares && previous.is_some());
            let before = beta.clone();
            if done || bound.is_some_and(|bound| self.ends_by_sample(bound)) {
                free.iter().zip(&step).for_each(|(&j, d)| beta[j] += d);
                if !done {
                    self.move_by_sample(&mut current, &before, &beta);
                }
                let last_step = if expected.is_finite() { expected } else { last_step };
                let convergence = Convergence { iterations, last_step, halvings };
                return Ok(Ok(Solution { coefficients: beta, pass: current, convergence, overlap_proven }));
            }
            if iterations >= SUSPICIOUS && !asked && change > 0.25 {
                asked = true;
                suspect()?;
            }
            if iterations >= MOST_ITERATIONS {
                if !asked {
                    suspect()?;
                }
                return Ok(Err(Stop::NoProgress));
            }
            if let (Some(bound), None) = (bound, previous)
                && let Some(change) = self.curvature_by_sample(beta.view(), step.view(), bound)
            {
                step += &factor.solve(change.view());
            }
            let slack = current.slack;
            let Some(Advance { coefficients, pass: next, halvings: halved, length }) =
                self.advance(&beta, free, &step, bound, &current, &mut eta)
            else {
                if !asked {
                    suspect()?;
                }
                return Ok(Err(Stop::NoProgress));
            };
            beta = coefficients;
            iterations += halved + 1;
            halvings += halved;
            last_step = next.change;
            overlap_proven |= halved == 0 && next.change < 0.5 * slack && factor.smallest_pivot > SOUND;
            previous = Some((next.change, decrement * length * length));
            current = next;
        }
    }
}

pub(crate) fn not_converged(stop: Stop) -> ErrorKind {
    ErrorKind::NotConverged(match stop {
        Stop::NoProgress => {
            "the regression did not converge: the estimate may lie on the boundary of what the link allows, or a few rows may be all \
             that keeps covariates from separating the outcomes; leave those covariates out, use the canonical link, or Firth's penalty"
                .to_owned()
        }
        Stop::NoStart => {
            "the regression found no starting values whose means are within range; use the canonical link, \
                          or check the offset"
                .to_owned()
        }
    })
}
