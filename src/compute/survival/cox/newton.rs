//! Newton steps to the maximum of the partial likelihood, halved where they overshoot.

use super::exact;
use super::monotone::check_monotone;
use super::risk_sets::{Evaluation, Hazards, RiskSets, Weighted};
use super::{Convergence, Ties};
use crate::compute::linalg::{Cholesky, submatrix};
use crate::compute::progress::Task;
use crate::error::{Collinearity, Error, ErrorKind, Result};
use ndarray::{Array1, Axis};

const MOST_ITERATIONS: usize = 60;
/// Steps that move no two rows further apart than this end the iteration: the next one would move them by its
/// square.
const CONVERGED: f64 = 1e-9;
/// A step that moves no two rows apart by 1 proves that the maximum exists (`monotone.rs`); half of it leaves
/// room for rounding.
const PROOF: f64 = 0.5;
/// Iterations after which a maximum without that proof is asked for exactly.
const PATIENCE: usize = 12;
/// The share of a column's information that is left after the columns before it, below which it is aliased.
const ALIASED: f64 = 1e-11;

/// The likelihood at some coefficients, before its derivatives are known.
#[derive(Debug)]
pub(super) enum State {
    Sums(Weighted, Hazards),
    Exact(Evaluation),
}

impl State {
    pub(super) fn new(sets: &RiskSets, coefficients: &Array1<f64>) -> Self {
        if sets.ties == Ties::Exact {
            return Self::Exact(exact::evaluate(sets, coefficients));
        }
        let weighted = sets.weighted(coefficients);
        let hazards = sets.hazards(&weighted);
        Self::Sums(weighted, hazards)
    }

    fn log_likelihood(&self) -> f64 {
        match self {
            Self::Sums(_, hazards) => hazards.log_likelihood,
            Self::Exact(evaluation) => evaluation.log_likelihood,
        }
    }

    pub(super) fn evaluate(&self, sets: &RiskSets) -> Evaluation {
        match self {
            Self::Sums(weighted, hazards) => sets.evaluate(weighted, hazards),
            Self::Exact(evaluation) => evaluation.clone(),
        }
    }
}

/// A maximum over some coefficients.
#[derive(Debug, Clone)]
pub(super) struct Maximum {
    pub(super) coefficients: Array1<f64>,
    pub(super) evaluation: Evaluation,
    pub(super) convergence: Convergence,
}

/// The maximum over the coefficients at the positions `free`; the others stay as in `start`.
pub(super) fn maximise(sets: &RiskSets, start: Array1<f64>, free: &[usize]) -> Result<Maximum> {
    let evaluation = State::new(sets, &start).evaluate(sets);
    maximise_from(sets, start, evaluation, free)
}

/// As [`maximise`], where the likelihood at the start is known.
pub(super) fn maximise_from(
    sets: &RiskSets,
    start: Array1<f64>,
    known: Evaluation,
    free: &[usize],
) -> Result<Maximum> {
    let mut coefficients = start;
    let mut evaluation = known;
    let mut convergence = Convergence { iterations: 0, last_step: f64::INFINITY, halvings: 0 };
    let mut proven = false;
    let task = Task::start("passes", None);
    loop {
        task.advance(1)?;
        convergence.iterations += 1;
        if free.is_empty() {
            convergence.last_step = 0.0;
            return Ok(Maximum { coefficients, evaluation, convergence });
        }
        let information = submatrix(evaluation.information.view(), free);
        let Some(factor) = Cholesky::new(information.view()) else {
            check_monotone(sets)?;
            return Err(beyond());
        };
        let score = evaluation.score.select(Axis(0), free);
        let solved = factor.solve(score.view());
        let mut step = Array1::zeros(coefficients.len());
        free.iter().zip(&solved).for_each(|(&j, d)| step[j] = *d);
        let reach = sets.reach(&step);
        if reach < PROOF && factor.smallest_pivot > ALIASED {
            proven = true;
        }
        let stalled = reach < 1e-6 && reach >= 0.5 * convergence.last_step;
        convergence.last_step = reach;
        if !proven && (convergence.iterations >= PATIENCE || reach < CONVERGED) {
            check_monotone(sets)?;
            // Decided: it exists, however slowly it is approached.
            proven = true;
        }
        if reach < CONVERGED || stalled {
            coefficients += &step;
            evaluation.log_likelihood += 0.5 * score.dot(&solved);
            return Ok(Maximum { coefficients, evaluation, convergence });
        }
        if convergence.iterations >= MOST_ITERATIONS {
            return Err(beyond());
        }
        let bar = evaluation.log_likelihood;
        let allowed = bar - 1e-12 * (1.0 + bar.abs());
        let mut length = 1.0;
        loop {
            let trial = &coefficients + &(&step * length);
            let next = State::new(sets, &trial);
            if next.log_likelihood() >= allowed {
                (coefficients, evaluation) = (trial, next.evaluate(sets));
                break;
            }
            length *= 0.5;
            convergence.halvings += 1;
            if length < 1e-10 {
                check_monotone(sets)?;
                return Err(beyond());
            }
        }
    }
}

/// Refuses covariates whose effects cannot be told at all, from the information at zero.
pub(super) fn check_estimable(sets: &RiskSets, null: &Evaluation) -> Result<()> {
    let p = sets.p();
    let events: f64 = sets.deaths.iter().map(|(_, weight)| weight).sum();
    let information = &null.information;
    let mut basis: Vec<Array1<f64>> = Vec::new();
    let mut aliased = Vec::new();
    // Cholesky's factor row by row, leaving out the columns that add nothing.
    for j in 0..p {
        let [low, high] = sets.ranges[j];
        let own = information[[j, j]];
        let mut rest = information.column(j).to_owned();
        for direction in &basis {
            rest.scaled_add(-direction[j], direction);
        }
        let constant = high - low <= 0.0 || own <= 1e-13 * events * (high - low).powi(2);
        if constant || rest[j] <= ALIASED * own {
            aliased.push(sets.matrix.names()[j].clone());
        } else {
            let root = rest[j].sqrt();
            basis.push(rest / root);
        }
    }
    if aliased.is_empty() {
        return Ok(());
    }
    Err(ErrorKind::Collinear { what: Collinearity::Covariates, components: aliased }.into())
}

pub(super) fn beyond() -> Error {
    ErrorKind::NotConverged(
        "the Cox regression did not converge; use fewer covariates, or penalise the likelihood (FirthCox)"
            .to_owned(),
    )
    .into()
}
