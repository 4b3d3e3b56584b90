//! Firth's penalised logistic regression.

use super::checked::{Aliasing, Checked};
use super::family::{Curve, Family, Link};
use super::irls::{Convergence, Pass, Problem, Vectorised};
use super::kernel::ColumnMoments;
use super::likelihood::log_likelihood;
use super::matrix::{BLOCK, ModelMatrix};
use super::observations::{Observations, Response, Rows, Unit, Weights};
use super::profile::{ProfileInterval, limits};
use crate::compute::fitted::{Fitted, check_tested};
use crate::compute::hypothesis::ChiSquaredTest;
use crate::compute::linalg::{Cholesky, symmetrised};
use crate::compute::progress::Task;
use crate::compute::reference_distribution::ReferenceDistribution;
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

/// Logistic regression with Firth's penalty: estimates are finite whether or not covariates separate the
/// outcomes, and their bias is of smaller order.
///
/// # Formula
/// Maximises `l(beta) + 0.5 ln |A(beta)|`, `A = X'WX` the expected information of the full design (Jeffreys'
/// prior); the modified score is `sum {a_i (y_i - mu_i) + h_i (1/2 - mu_i)} x_i` with the leverages `h_i`.
/// Tests and profiles of one coefficient keep the penalty of the full design.
///
/// # Examples
/// None of 10 in one arm and 5 of 10 in the other: maximum likelihood has no estimate.
/// ```
/// use armwise::ndarray::array;
/// use armwise::regression::{Firth, Grouped, ModelMatrix};
///
/// let arm = array![0.0, 1.0];
/// let (events, n) = (array![5.0, 0.0], array![10.0, 10.0]);
/// let matrix = ModelMatrix::new(2).intercept()?.numeric("arm", arm.view())?;
/// let fit =
///     Firth::new().fit(&matrix, Grouped { successes: events.view(), trials: n.view() })?;
/// // For a two-by-two table the penalty adds one half to every cell.
/// assert!((fit.coefficients()[1] - (0.5_f64 * 5.5 / (10.5 * 5.5)).ln()).abs() < 1e-10);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Firth (1993), Biometrika 80; Heinze & Schemper (2002), Statistics in Medicine 21.
#[derive(Debug, Clone, Default)]
pub struct Firth<'a> {
    weights: Weights<'a>,
    offset: Option<ArrayView1<'a, f64>>,
}

/// A fitted [`Firth`] regression.
#[derive(Debug, Clone)]
pub struct FirthFit<'a> {
    matrix: ModelMatrix<'a>,
    observations: Observations<'a>,
    totals: super::observations::Totals,
    stable: bool,
    moments: Option<ColumnMoments>,
    coefficients: Array1<f64>,
    covariance: Array2<f64>,
    augmented: Array2<f64>,
    log_likelihood: f64,
    half_ln_determinant: f64,
    deviance: f64,
    convergence: Convergence,
}

const CURVE: Curve = Curve { variance: super::family::Variance::Binomial, link: Link::Logit };
const MOST_ITERATIONS: usize = 500;

impl<'a> Firth<'a> {
    /// Without weights and offset.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Weights of the rows. Default: none.
        weights: Weights<'a>;
        /// A known part of the linear predictor. Default: none.
        offset: ArrayView1<'a, f64> as Some;
    }

    /// Fits the model.
    ///
    /// # Errors
    /// `invalid_input`, `insufficient_observations`, `rank_deficient` as for [`super::Glm`]; `invalid_input`
    /// also for probability weights, beside which the size of the penalty depends on their unit;
    /// `not_converged`.
    pub fn fit<'d, 'm: 'd>(
        &self,
        matrix: &ModelMatrix<'m>,
        response: impl Into<Response<'d>>,
    ) -> Result<FirthFit<'d>>
    where
        'a: 'd,
    {
        self.weights.check_likelihood("the penalised likelihood")?;
        let matrix = &matrix.reborrow();
        let observations = Observations::new(response.into(), self.weights, self.offset);
        // The penalty makes estimates finite for a constant outcome too.
        let checked = Checked::of_data(matrix, &observations, Family::Binomial, CURVE, Aliasing::Refuse)?;
        let free: Vec<usize> = (0..matrix.ncols()).collect();
        let problem = checked.problem(&observations);
        let mut state = best(&problem, Array1::zeros(matrix.ncols()), &free)?;
        if state.eta.is_empty() {
            state.eta = Array1::zeros(matrix.nrows());
            problem.pass(&state.coefficients, &mut state.eta);
        }
        let likelihood =
            |unit: Unit| log_likelihood(unit, CURVE, &observations.response, 1.0) * unit.frequency;
        let mut sum = 0.0;
        let mut augmented = Array2::zeros((matrix.ncols(), matrix.ncols()));
        let mut scratch = Array2::zeros((matrix.ncols(), BLOCK));
        problem.for_each_leveraged(&state, |block| {
            let weights: Vec<f64> =
                block.weights.iter().zip(&block.leverage).map(|(w, h)| w * (1.0 + h)).collect();
            super::information::add_cross_product(block.x, &weights, &mut scratch, &mut augmented);
            for (k, (y, weight, frequency)) in block.rows.iter().enumerate() {
                if weight * frequency > 0.0 {
                    sum += likelihood(Unit { row: block.start + k, eta: block.eta[k], y, weight, frequency });
                }
            }
        });
        let augmented = Cholesky::new(symmetrised(augmented).view()).ok_or_else(beyond)?.inverse();
        let stable = checked.stable;
        let totals = checked.totals;
        Ok(FirthFit {
            matrix: checked.matrix,
            totals,
            stable,
            moments: checked.moments,
            covariance: state.factor.inverse(),
            augmented,
            log_likelihood: sum,
            half_ln_determinant: 0.5 * state.factor.ln_determinant(),
            deviance: state.pass.deviance,
            convergence: state.convergence,
            coefficients: state.coefficients,
            observations,
        })
    }
}

/// The highest maximum that is found from this start and from beside what is found there: in a table as
/// symmetric as its start the scoring steps end on a saddle.
fn best(problem: &Problem, start: Array1<f64>, free: &[usize]) -> Result<State> {
    let mut found = maximum(problem, start, free)?;
    let Some(inverse) = found.pass.factor(free).map(|factor| factor.inverse()) else { return Ok(found) };
    for side in [-1.0, 1.0] {
        let mut beside = found.coefficients.clone();
        for (place, &j) in free.iter().enumerate() {
            // Of different sizes, so that no symmetry is kept.
            let size = 0.7 + 0.6 * (0.618 * place as f64).fract();
            beside[j] += side * size * inverse[[place, place]].max(0.0).sqrt();
        }
        if let Ok(other) = maximum(problem, beside, free)
            && other.objective() < found.objective() - 1e-9 * (1.0 + found.objective().abs())
        {
            found = other;
        }
    }
    Ok(found)
}

fn beyond() -> Error {
    ErrorKind::NotConverged("the penalised regression did not converge; use fewer covariates".to_owned())
        .into()
}

/// Where the iteration stands.
struct State {
    coefficients: Array1<f64>,
    /// The linear predictor; empty where passes are made in vectors.
    eta: Array1<f64>,
    pass: Pass,
    factor: Cholesky,
    convergence: Convergence,
}

impl State {
    /// Minus twice the penalised log-likelihood, up to a constant.
    fn objective(&self) -> f64 {
        self.pass.deviance - self.factor.ln_determinant()
    }
}

struct Leveraged<'b> {
    start: usize,
    x: ArrayView2<'b, f64>,
    rows: &'b Rows,
    eta: ArrayView1<'b, f64>,
    weights: Vec<f64>,
    leverage: Vec<f64>,
}

impl Problem<'_, '_> {
    /// What the penalty adds to the score: `sum h_i (1/2 - mu_i) x_i`.
    fn pull(&self, state: &State) -> Array1<f64> {
        if let (Some(Vectorised { kernel, .. }), Some(beta)) =
            (self.vectorised(), state.coefficients.as_slice())
        {
            return kernel.pulls(beta, state.factor.whitener().view());
        }
        let mut sum = Array1::zeros(state.coefficients.len());
        self.for_each_leveraged(state, |block| {
            let pull: Array1<f64> =
                block.leverage.iter().zip(block.eta).map(|(h, eta)| h * (0.5 - CURVE.mean(*eta))).collect();
            sum += &block.x.dot(&pull);
        });
        sum
    }

    fn for_each_leveraged(&self, state: &State, mut with: impl FnMut(Leveraged)) {
        let whitener = state.factor.whitener();
        let mut rows = Rows::new();
        self.matrix.for_each_block(|range, x| {
            self.observations.read(range.clone(), &mut rows);
            let eta = crate::compute::linalg::part(state.eta.view(), range.clone());
            let weights: Vec<f64> =
                rows.iter().zip(eta).map(|((y, w, f), eta)| w * f * self.curve.row(*eta, y).weight).collect();
            let white = whitener.dot(&x);
            let leverage = white.columns().into_iter().zip(&weights).map(|(z, w)| w * z.dot(&z)).collect();
            with(Leveraged { start: range.start, x, rows: &rows, eta, weights, leverage });
        });
    }

    /// `eta` is that of the state before, and `change` bounds how far it moved where it is not known.
    fn state(
        &self,
        coefficients: Array1<f64>,
        mut eta: Array1<f64>,
        change: f64,
        convergence: Convergence,
    ) -> Option<State> {
        let pass = self.evaluate(self.vectorised(), &coefficients, &mut eta, change);
        let all: Vec<usize> = (0..coefficients.len()).collect();
        let factor = pass.factor(&all)?;
        Some(State { coefficients, eta, pass, factor, convergence })
    }
}

/// A step that was taken, and the score at its start.
struct Step {
    taken: Array1<f64>,
    score: Array1<f64>,
}

/// Steps behind which the score has turned round to more than this share are shortened from then on.
const TURNED: f64 = 0.3;

/// The length of shortened steps. The information of the penalised likelihood lies between `A` and `2 A`
/// where leverages are constant, so that a scoring step leaves between 1 - 1 and 1 - 2 of the distance (a row
/// alone in a level: to and fro for ever), and this one a third.
const SHORTENED: f64 = 2.0 / 3.0;

/// The last changes of coefficients and score.
const REMEMBERED: usize = 8;

/// So many scoring steps are taken first, which are enough for most data and lead to where the likelihood is
/// near its maximum.
const SCORING: usize = 20;

/// What the last steps taught about the curvature: of the penalised likelihood it is not `A`, so that scoring
/// steps alone come nearer by a constant share each, which may be nine tenths (a hundred and more passes). The
/// inverse of the curvature starts from that of `A` and follows the changes of the score (L-BFGS: Nocedal 1980,
/// Mathematics of Computation 35:773).
#[derive(Default)]
struct Curvature {
    /// The change of the coefficients, the fall of the score, and the inverse of their product.
    changes: Vec<(Array1<f64>, Array1<f64>, f64)>,
}

impl Curvature {
    /// Follows a step from a score to another.
    fn follow(&mut self, step: &Array1<f64>, fall: Array1<f64>) {
        let product = step.dot(&fall);
        // Where the likelihood is not concave along the step there is nothing to learn.
        if product > 1e-8 * (step.dot(step) * fall.dot(&fall)).sqrt() {
            if self.changes.len() == REMEMBERED {
                self.changes.remove(0);
            }
            self.changes.push((step.clone(), fall, 1.0 / product));
        }
    }

    /// The step uphill.
    fn step(&self, score: &Array1<f64>, factor: &Cholesky) -> Array1<f64> {
        let mut rest = score.clone();
        let mut along = Vec::with_capacity(self.changes.len());
        for (step, fall, inverse) in self.changes.iter().rev() {
            let share = inverse * step.dot(&rest);
            rest.scaled_add(-share, fall);
            along.push(share);
        }
        let mut uphill = factor.solve(rest.view());
        for ((step, fall, inverse), share) in self.changes.iter().zip(along.into_iter().rev()) {
            let more = share - inverse * fall.dot(&uphill);
            uphill.scaled_add(more, step);
        }
        uphill
    }
}

/// Steps with the modified score over the free columns; the other coefficients stay.
fn maximum(problem: &Problem, start: Array1<f64>, free: &[usize]) -> Result<State> {
    let begin = Convergence { iterations: 1, last_step: f64::INFINITY, halvings: 0 };
    let vectorised = problem.vectorised();
    let eta = Array1::zeros(if vectorised.is_some() { 0 } else { problem.matrix.nrows() });
    let mut state = problem.state(start, eta, f64::INFINITY, begin).ok_or_else(beyond)?;
    let mut whole = 1.0;
    let mut last: Option<Step> = None;
    let mut curvature = Curvature::default();
    let task = Task::start("passes", None);
    loop {
        let score = (&state.pass.score + &problem.pull(&state)).select(Axis(0), free);
        let factor = state.pass.factor(free).ok_or_else(beyond)?;
        if let Some(last) = last {
            if score.dot(&last.taken) < -TURNED * last.score.dot(&last.taken) {
                whole = SHORTENED;
            }
            // Of smaller steps rounding makes most of the change.
            let near = state.convergence.last_step <= 1e-9 * state.pass.largest_eta.max(1.0);
            if !near && state.convergence.iterations > SCORING - REMEMBERED {
                curvature.follow(&last.taken, &last.score - &score);
            }
        }
        let learnt = state.convergence.iterations > SCORING && !curvature.changes.is_empty();
        let step = if learnt { curvature.step(&score, &factor) } else { factor.solve(score.view()) };
        let allowed = state.objective() + 1e-12 * (1.0 + state.objective().abs());
        let bound =
            vectorised.map_or(f64::INFINITY, |vectorised| vectorised.moments.reach(free, step.view()));
        let mut length = if learnt { 1.0 } else { whole };
        let next = loop {
            let mut trial = state.coefficients.clone();
            free.iter().zip(&step).for_each(|(&j, d)| trial[j] += length * d);
            let mut convergence = state.convergence;
            convergence.iterations += 1;
            task.advance(1)?;
            match problem.state(trial, state.eta.clone(), bound * length, convergence) {
                Some(next) if next.objective() <= allowed => break Some(next),
                // What was learnt elsewhere may mislead here.
                _ if length < 1e-3 && learnt => break None,
                _ if length < 1e-9 => return Err(beyond()),
                _ => {
                    length *= 0.5;
                    state.convergence.halvings += 1;
                }
            }
        };
        let Some(next) = next else {
            curvature.changes.clear();
            last = None;
            continue;
        };
        let change = next.pass.change;
        let before = state.convergence.last_step;
        state = next;
        state.convergence.last_step = change;
        let largest = state.pass.largest_eta.max(1.0);
        last = Some(Step { taken: length * step, score });
        let stalled = change < 1e-9 * largest && change >= 0.9 * before;
        if change <= 1e-14 * largest || stalled {
            return Ok(state);
        }
        if state.convergence.iterations > MOST_ITERATIONS {
            return if change < 1e-9 * largest { Ok(state) } else { Err(beyond()) };
        }
    }
}

/// The information that the covariance of a Firth regression inverts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FirthVariance {
    /// The expected information at the estimate (brglm2, older logistf).
    #[default]
    Expected,
    /// The information with weights `W (1 + h)` (newer logistf).
    Augmented,
}

impl<'a> FirthFit<'a> {
    /// The names of the coefficients.
    pub fn names(&self) -> &[String] {
        self.matrix.names()
    }

    /// The estimates.
    pub fn coefficients(&self) -> ArrayView1<'_, f64> {
        self.coefficients.view()
    }

    /// `l + 0.5 ln |A|`
    pub fn penalized_log_likelihood(&self) -> f64 {
        self.log_likelihood + self.half_ln_determinant
    }

    /// How the iteration ended.
    pub fn convergence(&self) -> Convergence {
        self.convergence
    }

    fn problem(&self) -> Problem<'_, 'a> {
        Problem {
            matrix: &self.matrix,
            observations: &self.observations,
            curve: CURVE,
            totals: self.totals,
            stable: self.stable,
            moments: self.moments.as_ref(),
        }
    }

    /// Twice the fall of the penalised log-likelihood when coefficients are held at values; looking beside
    /// what is found, too, if asked.
    fn excess(&self, start: Array1<f64>, free: &[usize], beside: bool) -> Result<f64> {
        let problem = self.problem();
        let held = if beside { best(&problem, start, free)? } else { maximum(&problem, start, free)? };
        Ok((held.objective() - (self.deviance - 2.0 * self.half_ln_determinant)).max(0.0))
    }

    /// The penalised likelihood ratio test that the coefficients at the given positions are zero.
    ///
    /// # Errors
    /// `invalid_input` for positions that are not there; `not_converged`.
    pub fn penalized_likelihood_ratio_test(&self, tested: &[usize]) -> Result<ChiSquaredTest> {
        check_tested(tested, self.coefficients.len())?;
        let free: Vec<usize> = (0..self.coefficients.len()).filter(|j| !tested.contains(j)).collect();
        let excess = self.excess(Array1::zeros(self.coefficients.len()), &free, true)?;
        ChiSquaredTest::new(excess, tested.len() as f64)
    }

    /// The profile interval of the penalised likelihood.
    ///
    /// # Errors
    /// `invalid_input` where there is no such position, or the level is not in (0, 1); `not_converged`.
    pub fn profile_interval(&self, position: usize, level: f64) -> Result<ProfileInterval> {
        check_tested(&[position], self.coefficients.len())?;
        let quantile = ReferenceDistribution::Normal.critical(level)?;
        let (estimate, variance) = (self.coefficients[position], self.covariance[[position, position]]);
        let free: Vec<usize> = (0..self.coefficients.len()).filter(|&j| j != position).collect();
        let direction = &self.covariance.column(position) / variance;
        let bar = quantile * quantile;
        let excess = |value: f64, beside: bool| {
            let mut start = self.coefficients.clone();
            start.scaled_add(value - estimate, &direction);
            start[position] = value;
            self.excess(start, &free, beside).unwrap_or(f64::INFINITY)
        };
        // The fall of the likelihood is a difference of sums, which rounding moves however small it is.
        let near = 1e-6 * bar + 1e-9;
        let is_limit = |limit: f64| !limit.is_finite() || (excess(limit, true) - bar).abs() <= near;
        let search = |beside: bool| limits(estimate, variance.sqrt(), bar, |value| excess(value, beside));
        let (mut lower, mut upper) = search(false);
        if !(is_limit(lower) && is_limit(upper)) {
            (lower, upper) = search(true);
            if !(is_limit(lower) && is_limit(upper)) {
                return Err(beyond());
            }
        }
        Ok(ProfileInterval { name: self.names()[position].clone(), estimate, lower, upper })
    }
}

/// Where an arm has no events prefer [`FirthFit::penalized_likelihood_ratio_test`] and
/// [`FirthFit::profile_interval`] to Wald tests.
impl Fitted for FirthFit<'_> {
    type Variance = FirthVariance;

    fn parameter_names(&self) -> Vec<String> {
        self.names().to_vec()
    }

    fn estimates(&self) -> Array1<f64> {
        self.coefficients.clone()
    }

    fn covariance(&self, variance: FirthVariance) -> Result<Array2<f64>> {
        Ok(match variance {
            FirthVariance::Expected => self.covariance.clone(),
            FirthVariance::Augmented => self.augmented.clone(),
        })
    }

    /// The log-likelihood without the penalty.
    fn log_likelihood(&self) -> Option<f64> {
        Some(self.log_likelihood)
    }

    fn n(&self) -> f64 {
        self.totals.n
    }
}
