//! Firth's penalised partial likelihood.

use super::newton::{State, beyond, check_estimable};
use super::risk_sets::{Evaluation, RiskSets, RowOf, Weighted};
use super::{Convergence, Ties, risk_sets};
use crate::compute::fitted::{Fitted, check_tested};
use crate::compute::hypothesis::ChiSquaredTest;
use crate::compute::linalg::{Cholesky, submatrix};
use crate::compute::progress::Task;
use crate::compute::reference_distribution::ReferenceDistribution;
use crate::compute::regression::profile::limits;
use crate::compute::regression::{ModelMatrix, ProfileInterval};
use crate::compute::survival::data::{Feature, SurvivalData};
use crate::compute::survival::grid::Order;
use crate::error::{Error, Result};
use ndarray::{Array1, Array2, ArrayView1, Axis};

const MOST_ITERATIONS: usize = 500;

/// Cox regression with Firth's penalty: finite estimates where the likelihood is monotone, such as for an arm
/// without events, and less bias with few events.
///
/// # Formula
/// Maximises `l(b) + 0.5 ln |I(b)|`, with the log-likelihood `l` and information `I` of [`Cox`](super::Cox).
/// Prefer [`FirthCoxFit::penalized_likelihood_ratio_test`] and [`FirthCoxFit::profile_interval`] to Wald tests.
///
/// # References
/// Firth D (1993), Biometrika 80:27. Heinze G, Schemper M (2001), Biometrics 57:114.
///
/// ```
/// use armwise::ndarray::array;
/// use armwise::regression::ModelMatrix;
/// use armwise::survival::{Cox, FirthCox, SurvivalData};
///
/// // All events are in one arm.
/// let data = SurvivalData::new(
///     &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0],
///     &[1, 1, 1, 1, 0, 0, 0, 0],
/// )?;
/// let arm = array![1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0];
/// let matrix = ModelMatrix::new(8).numeric("arm", arm.view())?;
/// assert_eq!(Cox::new().fit(&data, &matrix).unwrap_err().kind().name(), "separation");
/// let fit = FirthCox::new().fit(&data, &matrix)?;
/// assert!(
///     fit.coefficients()[0] > 0.0
///         && fit.penalized_likelihood_ratio_test(&[0])?.p_value < 0.05
/// );
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FirthCox {
    ties: Ties,
}

impl FirthCox {
    /// With Efron's treatment of ties.
    pub fn new() -> Self {
        Self::default()
    }

    /// Events at the same time: Efron's or Breslow's. Default: [`Ties::Efron`].
    #[must_use]
    pub fn ties(mut self, ties: Ties) -> Self {
        self.ties = ties;
        self
    }

    /// Fits the model.
    ///
    /// # Errors
    /// As [`Cox::fit`](super::Cox::fit) without `separation`; `invalid_input` also for exact ties, and for
    /// weights, beside which the size of the penalty depends on their unit.
    pub fn fit<'d, 'm: 'd>(
        &self,
        data: &'d SurvivalData<'d>,
        matrix: &ModelMatrix<'m>,
    ) -> Result<FirthCoxFit<'d>> {
        let matrix = &matrix.reborrow();
        if self.ties == Ties::Exact {
            return Err(Error::invalid(
                "the penalised likelihood has no version with exact ties; take Efron's or Breslow's",
            ));
        }
        data.refuse("the penalised likelihood", &[Feature::Weights])?;
        let sets = risk_sets(data, matrix, self.ties)?;
        let zero = Array1::zeros(sets.p());
        check_estimable(&sets, &State::new(&sets, &zero).evaluate(&sets))?;
        let all: Vec<usize> = (0..sets.p()).collect();
        let found = maximise(&sets, zero, &all)?;
        let covariance = found.factor.inverse();
        Ok(FirthCoxFit { sets, found, covariance })
    }
}

/// A fitted Cox regression with Firth's penalty.
#[derive(Debug)]
pub struct FirthCoxFit<'d> {
    sets: RiskSets<'d>,
    found: Point,
    covariance: Array2<f64>,
}

/// Where the iteration stands.
#[derive(Debug)]
struct Point {
    coefficients: Array1<f64>,
    weighted: Weighted,
    evaluation: Evaluation,
    factor: Cholesky,
    convergence: Convergence,
}

impl Point {
    fn new(sets: &RiskSets, coefficients: Array1<f64>, convergence: Convergence) -> Option<Self> {
        let State::Sums(weighted, hazards) = State::new(sets, &coefficients) else { return None };
        let evaluation = sets.evaluate(&weighted, &hazards);
        let factor = Cholesky::new(evaluation.information.view())?;
        Some(Self { coefficients, weighted, evaluation, factor, convergence })
    }

    fn objective(&self) -> f64 {
        self.evaluation.log_likelihood + 0.5 * self.factor.ln_determinant()
    }
}

impl FirthCoxFit<'_> {
    /// The names of the coefficients.
    pub fn names(&self) -> &[String] {
        self.sets.matrix.names()
    }

    /// The log hazard ratios.
    pub fn coefficients(&self) -> ArrayView1<'_, f64> {
        self.found.coefficients.view()
    }

    /// `l + 0.5 ln |I|`
    pub fn penalized_log_likelihood(&self) -> f64 {
        self.found.objective()
    }

    /// How the iteration ended.
    pub fn convergence(&self) -> Convergence {
        self.found.convergence
    }

    /// The penalised likelihood ratio test that the coefficients at the given positions are zero; the penalty
    /// is that of all coefficients throughout.
    ///
    /// # Errors
    /// `invalid_input` for positions that are not there; `not_converged`.
    pub fn penalized_likelihood_ratio_test(&self, tested: &[usize]) -> Result<ChiSquaredTest> {
        check_tested(tested, self.sets.p())?;
        let free: Vec<usize> = (0..self.sets.p()).filter(|j| !tested.contains(j)).collect();
        let held = maximise(&self.sets, Array1::zeros(self.sets.p()), &free)?;
        let statistic = 2.0 * (self.found.objective() - held.objective()).max(0.0);
        ChiSquaredTest::new(statistic, tested.len() as f64)
    }

    /// The profile interval of the penalised likelihood.
    ///
    /// # Errors
    /// `invalid_input` where there is no such position, or the level is not between 0 and 1.
    pub fn profile_interval(&self, position: usize, level: f64) -> Result<ProfileInterval> {
        check_tested(&[position], self.sets.p())?;
        let quantile = ReferenceDistribution::Normal.critical(level)?;
        let (estimate, variance) = (self.found.coefficients[position], self.covariance[[position, position]]);
        let free: Vec<usize> = (0..self.sets.p()).filter(|&j| j != position).collect();
        let excess = |value: f64| {
            let mut start = self.found.coefficients.clone();
            start[position] = value;
            maximise(&self.sets, start, &free)
                .map_or(f64::INFINITY, |held| 2.0 * (self.found.objective() - held.objective()))
        };
        let (lower, upper) = limits(estimate, variance.sqrt(), quantile * quantile, excess);
        Ok(ProfileInterval { name: self.names()[position].clone(), estimate, lower, upper })
    }
}

/// The covariance is the inverse of the information, without the penalty.
impl Fitted for FirthCoxFit<'_> {
    type Variance = ();

    fn parameter_names(&self) -> Vec<String> {
        self.names().to_vec()
    }

    fn estimates(&self) -> Array1<f64> {
        self.found.coefficients.clone()
    }

    fn covariance(&self, (): ()) -> Result<Array2<f64>> {
        Ok(self.covariance.clone())
    }

    /// The log-likelihood without the penalty.
    fn log_likelihood(&self) -> Option<f64> {
        Some(self.found.evaluation.log_likelihood)
    }

    /// The number of events.
    fn n(&self) -> f64 {
        self.sets.deaths.iter().map(|(count, _)| *count as f64).sum()
    }
}

/// Scoring steps with the modified score over the free coefficients; the others stay.
fn maximise(sets: &RiskSets, start: Array1<f64>, free: &[usize]) -> Result<Point> {
    let begin = Convergence { iterations: 1, last_step: f64::INFINITY, halvings: 0 };
    let mut point = Point::new(sets, start, begin).ok_or_else(beyond)?;
    if free.is_empty() {
        return Ok(point);
    }
    let task = Task::start("passes", None);
    loop {
        let score = (&point.evaluation.score + &pull(sets, &point)).select(Axis(0), free);
        let information = submatrix(point.evaluation.information.view(), free);
        let solved = Cholesky::new(information.view()).ok_or_else(beyond)?.solve(score.view());
        let mut step = Array1::zeros(sets.p());
        free.iter().zip(&solved).for_each(|(&j, d)| step[j] = *d);
        let reach = sets.reach(&step);
        let before = point.convergence.last_step;
        // Steps of some length may go to and fro for ever where the penalty is strong.
        let mut length = (5.0 / reach).min(1.0);
        let allowed = point.objective() - 1e-12 * (1.0 + point.objective().abs());
        let next = loop {
            let mut convergence = point.convergence;
            convergence.iterations += 1;
            let trial = &point.coefficients + &(&step * length);
            task.advance(1)?;
            match Point::new(sets, trial, convergence).filter(|next| next.objective() >= allowed) {
                Some(next) => break next,
                None if length < 1e-10 => return Err(beyond()),
                None => {
                    length *= 0.5;
                    point.convergence.halvings += 1;
                }
            }
        };
        point = next;
        point.convergence.last_step = reach;
        if reach < 1e-12 || (reach < 1e-8 && reach >= 0.9 * before) {
            return Ok(point);
        }
        if point.convergence.iterations > MOST_ITERATIONS {
            return Err(beyond());
        }
    }
}

/// Sums over a risk set, or the deaths in it: of `w`, `w x`, `w x x'`, `w q`, `w q x` with `q = x'I^-1 x`.
struct Sums {
    p: usize,
    all: Vec<f64>,
}

impl Sums {
    fn new(p: usize) -> Self {
        Self { p, all: vec![0.0; 2 + 2 * p + p * p] }
    }

    fn add(&mut self, w: f64, x: &[f64], q: f64) {
        let p = self.p;
        self.all[0] += w;
        self.all[1] += w * q;
        for i in 0..p {
            self.all[2 + i] += w * x[i];
            self.all[2 + p + i] += w * q * x[i];
            for j in 0..p {
                self.all[2 + 2 * p + i * p + j] += w * x[i] * x[j];
            }
        }
    }
}

/// What the penalty adds to the score: `0.5 tr(I^-1 dI/db)`, from the third central moments of the covariates
/// over each risk set.
fn pull(sets: &RiskSets, point: &Point) -> Array1<f64> {
    let p = sets.p();
    let order = sets.grid.order();
    let entries = sets.grid.entry.as_ref().map(|entry| Order::new(entry, sets.grid.len()));
    let mut row_of = RowOf::new(sets);
    let inverse = point.factor.inverse();
    let mut total = Array1::<f64>::zeros(p);
    for slots in &sets.grid.strata {
        let mut risk = Sums::new(p);
        for slot in (slots.start + 1..slots.end).rev() {
            let mut dead = Sums::new(p);
            let mut add = |row: usize, sign: f64, risk: &mut Sums, dead: Option<&mut Sums>| {
                let x = row_of.centred(row);
                let view = ArrayView1::from(x);
                let q = view.dot(&inverse.dot(&view));
                let w = sign * point.weighted.of(row, sets.size());
                risk.add(w, x, q);
                if let Some(dead) = dead {
                    dead.add(w, x, q);
                }
            };
            if let Some(entries) = &entries {
                entries.rows(slot).for_each(|row| add(row, -1.0, &mut risk, None));
            }
            for row in order.rows(slot) {
                let into = sets.data.is_event(row).then_some(&mut dead);
                add(row, 1.0, &mut risk, into);
            }
            let (deaths, weight) = sets.deaths[slot];
            for l in 0..deaths {
                let f = if sets.ties == Ties::Efron { l as f64 / deaths as f64 } else { 0.0 };
                let left: Vec<f64> =
                    risk.all.iter().zip(&dead.all).map(|(all, dead)| all - f * dead).collect();
                let s0 = left[0];
                let mean: Array1<f64> = left[2..2 + p].iter().map(|x| x / s0).collect();
                let km = inverse.dot(&mean);
                let mean_km = mean.dot(&km);
                let c = left[1] / s0;
                for i in 0..p {
                    let second: f64 = (0..p).map(|j| left[2 + 2 * p + i * p + j] / s0 * km[j]).sum();
                    let third = left[2 + p + i] / s0 - c * mean[i] - 2.0 * (second - mean[i] * mean_km);
                    total[i] += 0.5 * weight / deaths as f64 * third;
                }
            }
        }
    }
    total
}
