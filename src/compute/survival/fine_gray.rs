use super::counts::Counts;
use super::cox::{Cox, Ties};
use super::data::{Feature, SurvivalData};
use super::grid::Grid;
use crate::compute::fitted::Fitted;
use crate::compute::linalg::{Cholesky, symmetrised};
use crate::compute::regression::{ModelMatrix, add_cross_product};
use crate::compute::words::words;
use crate::error::{Collinearity, Error, ErrorKind, Result};
use ndarray::{Array1, Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Who is at risk of being censored at a time at which others have an event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CensoringTies {
    /// Events come first: those who are there after it, and the censored themselves (R's `finegray`).
    #[default]
    EventsFirst,
    /// Everybody who was there before it (R's `cmprsk`).
    Together,
}

/// The covariance of the coefficients of a regression of Fine and Gray.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FineGrayVariance {
    /// The inverse of the information, as if weights were known and rows not used again.
    Model,
    /// The sandwich with the weights taken as known; over clusters where the data have them.
    #[default]
    Robust,
    /// The sandwich with the part of the estimated distribution of censoring (Fine & Gray 1999).
    FineGray,
}

words! { FineGrayVariance {
    Model => "model-based",
    Robust => "robust, weights taken as known",
    FineGray => "Fine-Gray",
} }

/// The regression of Fine and Gray: subdistribution hazards of one cause, which determine its cumulative
/// incidence, are proportional.
///
/// # Formula
/// The partial likelihood of Breslow in which those with a competing event at `T` stay at risk at `u > T` with
/// the weight `G(u-) / G(T-)`, where `G` is the Kaplan-Meier curve of the time to censoring in the whole sample.
/// A subdistribution hazard ratio is on its own scale: it is no cause-specific hazard ratio.
///
/// # References
/// Fine JP, Gray RJ (1999), Journal of the American Statistical Association 94:496. Geskus RB (2011), Biometrics
/// 67:39.
///
/// ```
/// use armwise::ndarray::array;
/// use armwise::regression::{Fitted, ModelMatrix};
/// use armwise::survival::{FineGray, FineGrayVariance, SurvivalData};
///
/// let months = [1.0, 2.0, 2.0, 3.0, 4.0, 4.0, 5.0, 6.0, 7.0, 7.0, 8.0, 9.0];
/// let reason = [1, 2, 0, 1, 2, 1, 0, 1, 2, 2, 0, 1];
/// let arm = array![1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0];
/// let data = SurvivalData::new(&months, &reason)?;
/// let matrix = ModelMatrix::new(12).numeric("arm", arm.view())?;
/// let fit = FineGray::new(1).fit(&data, &matrix)?;
/// assert!(fit.table(FineGrayVariance::Robust, 0.95)?[0].interval.contains(0.0));
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FineGray {
    cause: u32,
    ties: CensoringTies,
}

impl FineGray {
    /// For the cumulative incidence of a cause, counted from 1.
    pub fn new(cause: u32) -> Self {
        Self { cause, ties: CensoringTies::default() }
    }

    /// Who is at risk of being censored at the time of an event. Default: [`CensoringTies::EventsFirst`].
    #[must_use]
    pub fn censoring_ties(mut self, ties: CensoringTies) -> Self {
        self.ties = ties;
        self
    }

    /// Fits the model.
    ///
    /// # Errors
    /// `no_events` of the cause; `collinear`; `separation` where a coefficient runs to infinity; `invalid_input`
    /// for another number of rows, values that are not finite, and entry times, weights, strata, or causes taken
    /// as censored; `not_converged`.
    pub fn fit<'d, 'm: 'd>(
        &self,
        data: &'d SurvivalData<'d>,
        matrix: &ModelMatrix<'m>,
    ) -> Result<FineGrayFit<'d>> {
        let matrix = &matrix.reborrow();
        data.refuse(
            "the regression of Fine and Gray",
            &[Feature::Entry, Feature::Weights, Feature::Strata, Feature::CensoredCauses],
        )?;
        let n = data.n();
        if matrix.nrows() != n {
            return Err(Error::invalid(format!(
                "the rows of the matrix are {}, the times {n}; give one row for each time",
                matrix.nrows()
            )));
        }
        if self.cause == 0 || !data.cause.contains(&self.cause) {
            return Err(ErrorKind::NoEvents(format!(
                "nobody had an event of the cause {}; check the causes",
                self.cause
            ))
            .into());
        }
        let p = matrix.ncols();
        let mut centre = Array1::<f64>::zeros(p);
        let mut ranges = vec![[f64::INFINITY, f64::NEG_INFINITY]; p];
        matrix.validate(|_, block| {
            centre += &block.sum_axis(Axis(1));
            for (range, column) in ranges.iter_mut().zip(block.rows()) {
                *range = column.iter().fold(*range, |[low, high], x| [low.min(*x), high.max(*x)]);
            }
        })?;
        centre /= n as f64;
        let grid = data.grid_of_all_times();
        let problem = Problem::new(data, matrix.reborrow(), grid, centre, ranges, *self);
        problem.fit()
    }
}

/// The rows with everything that no coefficient enters.
#[derive(Debug)]
struct Problem<'d> {
    data: &'d SurvivalData<'d>,
    matrix: ModelMatrix<'d>,
    grid: Grid,
    centre: Array1<f64>,
    ranges: Vec<[f64; 2]>,
    model: FineGray,
    /// The probability not to be censored before each slot.
    uncensored: Vec<f64>,
    /// The rows at risk of being censored at each slot, and those censored.
    censoring: Vec<(f64, f64)>,
    /// The events of the cause at each slot.
    events: Vec<f64>,
}

/// Sums at some coefficients.
struct Sums {
    w: Vec<f64>,
    log_likelihood: f64,
    /// The mean of the risk set of each slot.
    means: Array2<f64>,
    /// The hazard of each slot, summed; and times the probability not to be censored.
    hazard: Vec<f64>,
    weighted: Vec<f64>,
}

impl<'d> Problem<'d> {
    fn new(
        data: &'d SurvivalData<'d>,
        matrix: ModelMatrix<'d>,
        grid: Grid,
        centre: Array1<f64>,
        ranges: Vec<[f64; 2]>,
        model: FineGray,
    ) -> Self {
        let causes = data.n_causes();
        let mut leaving = vec![0.0; grid.len()];
        grid.exit.iter().for_each(|exit| leaving[*exit as usize] += 1.0);
        let (mut uncensored, mut censoring, mut events) =
            (vec![1.0; grid.len()], vec![(0.0, 0.0); grid.len()], vec![0.0; grid.len()]);
        let mut left = 1.0;
        Counts::new(data, &grid, None, causes).for_each(0, |slot, at_risk, of_causes| {
            let all: f64 = of_causes.iter().sum();
            let censored = leaving[slot] - all;
            let risk = match model.ties {
                CensoringTies::EventsFirst => at_risk[0] - all,
                CensoringTies::Together => at_risk[0],
            };
            uncensored[slot] = left;
            censoring[slot] = (risk, censored);
            events[slot] = if causes == 1 { all } else { of_causes[model.cause as usize - 1] };
            if censored > 0.0 {
                left *= 1.0 - censored / risk;
            }
        });
        Self { data, matrix, grid, centre, ranges, model, uncensored, censoring, events }
    }

    fn has_event(&self, row: usize) -> bool {
        self.data.cause[row] == self.model.cause
    }

    fn competes(&self, row: usize) -> bool {
        self.data.cause[row] != 0 && !self.has_event(row)
    }

    fn slot(&self, row: usize) -> usize {
        self.grid.exit[row] as usize
    }

    fn for_each_block(&self, mut with: impl FnMut(Range<usize>, ArrayView2<f64>)) {
        self.matrix.for_each_block(|rows, block| {
            let mut block = block.to_owned();
            block.rows_mut().into_iter().zip(&self.centre).for_each(|(mut column, centre)| column -= *centre);
            with(rows, block.view());
        });
    }

    fn sums(&self, coefficients: &Array1<f64>) -> Sums {
        let (p, slots) = (self.matrix.ncols(), self.grid.len());
        let mut w = vec![0.0; self.data.n()];
        // Those who leave at a slot, and those with a competing event at it over the probability not to be
        // censored before it: the last column counts, the others are covariates.
        let mut leaving = Array2::<f64>::zeros((slots, p + 1));
        let mut competing = Array2::<f64>::zeros((slots, p + 1));
        let mut log_likelihood = 0.0;
        self.for_each_block(|rows, block| {
            for (row, x) in rows.zip(block.columns()) {
                let eta = x.dot(coefficients);
                if self.has_event(row) {
                    log_likelihood += eta;
                }
                let own = eta.clamp(-700.0, 700.0).exp();
                w[row] = own;
                let slot = self.slot(row);
                let over = if self.competes(row) { own / self.uncensored[slot] } else { 0.0 };
                for j in 0..=p {
                    let x = if j < p { x[j] } else { 1.0 };
                    leaving[[slot, j]] += own * x;
                    competing[[slot, j]] += over * x;
                }
            }
        });
        let mut means = Array2::zeros((slots, p));
        let (mut hazard, mut weighted) = (vec![0.0; slots], vec![0.0; slots]);
        for slot in (1..slots).rev() {
            let below = leaving.row(slot).to_owned();
            let mut above = leaving.row_mut(slot - 1);
            above += &below;
        }
        let mut gone = Array1::<f64>::zeros(p + 1);
        for slot in 1..slots {
            // Those with a competing event before this time, with what their weight has become.
            let sums = &leaving.row(slot) + &(&gone * self.uncensored[slot]);
            let d = self.events[slot];
            let mut own = 0.0;
            if d > 0.0 {
                own = d / sums[p];
                log_likelihood -= d * sums[p].ln();
                for j in 0..p {
                    means[[slot, j]] = sums[j] / sums[p];
                }
            }
            hazard[slot] = hazard[slot - 1] + own;
            weighted[slot] = weighted[slot - 1] + own * self.uncensored[slot];
            gone += &competing.row(slot);
        }
        Sums { w, log_likelihood, means, hazard, weighted }
    }

    /// The hazard that a row bears until the end, times its weight.
    fn load(&self, sums: &Sums, row: usize) -> f64 {
        let slot = self.slot(row);
        let mut borne = sums.hazard[slot];
        if self.competes(row) {
            let last = sums.weighted[self.grid.len() - 1];
            borne += (last - sums.weighted[slot]) / self.uncensored[slot];
        }
        sums.w[row] * borne
    }

    fn derivatives(&self, sums: &Sums) -> (Array1<f64>, Array2<f64>) {
        let p = self.matrix.ncols();
        let mut score = Array1::<f64>::zeros(p);
        let mut information = Array2::<f64>::zeros((p, p));
        let mut scratch = Array2::zeros((p, 0));
        self.for_each_block(|rows, block| {
            if scratch.ncols() < block.ncols() {
                scratch = Array2::zeros((p, block.ncols()));
            }
            let loads: Vec<f64> = rows.clone().map(|row| self.load(sums, row)).collect();
            add_cross_product(block, &loads, &mut scratch, &mut information);
            for ((row, x), load) in rows.zip(block.columns()).zip(&loads) {
                score.scaled_add(f64::from(u8::from(self.has_event(row))) - load, &x);
            }
        });
        for slot in (0..self.grid.len()).filter(|slot| self.events[*slot] > 0.0) {
            let mean = sums.means.row(slot);
            for i in 0..p {
                for j in 0..p {
                    information[[i, j]] -= self.events[slot] * mean[i] * mean[j];
                }
            }
        }
        (score, symmetrised(information))
    }

    fn fit(self) -> Result<FineGrayFit<'d>> {
        let p = self.matrix.ncols();
        let mut coefficients = Array1::<f64>::zeros(p);
        let mut sums = self.sums(&coefficients);
        let events: f64 = self.events.iter().sum();
        let mut proven = false;
        for iteration in 0..60 {
            let (score, information) = self.derivatives(&sums);
            if iteration == 0 {
                self.check_estimable(&information, events)?;
            }
            let factor = Cholesky::new(information.view()).ok_or_else(|| self.beyond())?;
            let step = factor.solve(score.view());
            let reach: f64 =
                step.iter().zip(&self.ranges).map(|(d, [low, high])| d.abs() * (high - low)).sum();
            proven |= reach < 0.5 && factor.smallest_pivot > 1e-11;
            if !proven && (iteration == 12 || reach < 1e-9) {
                self.check_monotone()?;
                proven = true;
            }
            if reach < 1e-9 {
                let log_likelihood = sums.log_likelihood + 0.5 * score.dot(&step);
                coefficients += &step;
                let covariance = factor.inverse();
                return Ok(FineGrayFit { problem: self, coefficients, covariance, log_likelihood });
            }
            let allowed = sums.log_likelihood - 1e-12 * (1.0 + sums.log_likelihood.abs());
            let mut length = 1.0;
            loop {
                let trial = &coefficients + &(&step * length);
                let next = self.sums(&trial);
                if next.log_likelihood >= allowed {
                    (coefficients, sums) = (trial, next);
                    break;
                }
                length *= 0.5;
                if length < 1e-10 {
                    return Err(self.beyond());
                }
            }
        }
        Err(self.beyond())
    }

    fn check_estimable(&self, information: &Array2<f64>, events: f64) -> Result<()> {
        let constant = |j: &usize| {
            let [low, high] = self.ranges[*j];
            high <= low || information[[*j, *j]] <= 1e-13 * events * (high - low).powi(2)
        };
        let mut aliased: Vec<usize> = (0..self.matrix.ncols()).filter(constant).collect();
        if aliased.is_empty()
            && Cholesky::new(information.view()).is_none_or(|factor| factor.smallest_pivot < 1e-11)
        {
            aliased = crate::compute::linalg::aliased_columns(information.view());
        }
        if aliased.is_empty() {
            return Ok(());
        }
        let components = aliased.into_iter().map(|j| self.matrix.names()[j].clone()).collect();
        Err(ErrorKind::Collinear { what: Collinearity::Covariates, components }.into())
    }

    /// Refuses data whose likelihood has no maximum: those with a competing event are at risk at every later time,
    /// so that it has one exactly where that of a Cox regression has, in which they stay for ever.
    fn check_monotone(&self) -> Result<()> {
        let end = self.grid.times[self.grid.len() - 1] + 1.0;
        let time: Vec<f64> = (0..self.data.n())
            .map(|row| if self.competes(row) { end } else { self.data.time[row] })
            .collect();
        let event: Vec<u32> = (0..self.data.n()).map(|row| u32::from(self.has_event(row))).collect();
        let ever = SurvivalData::new(&time, &event)?;
        match Cox::new().ties(Ties::Breslow).fit(&ever, &self.matrix.reborrow()) {
            Err(error) if matches!(error.kind(), ErrorKind::Separation { .. }) => Err(error),
            _ => Ok(()),
        }
    }

    fn beyond(&self) -> Error {
        let why = "the regression of Fine and Gray did not converge; use fewer covariates";
        self.check_monotone().err().unwrap_or_else(|| ErrorKind::NotConverged(why.to_owned()).into())
    }
}

/// A fitted regression of Fine and Gray.
#[derive(Debug)]
pub struct FineGrayFit<'d> {
    problem: Problem<'d>,
    coefficients: Array1<f64>,
    covariance: Array2<f64>,
    log_likelihood: f64,
}

impl FineGrayFit<'_> {
    /// The names of the coefficients.
    pub fn names(&self) -> &[String] {
        self.problem.matrix.names()
    }

    /// The number of events of the cause.
    pub fn events(&self) -> f64 {
        self.problem.events.iter().sum()
    }

    /// The residuals whose products make the sandwich, a row for each row of the data.
    fn residuals(&self, with_censoring: bool) -> Array2<f64> {
        let problem = &self.problem;
        let (p, slots) = (self.coefficients.len(), problem.grid.len());
        let sums = problem.sums(&self.coefficients);
        // `sum xbar dA` up to each slot, and times the probability not to be censored.
        let (mut means, mut weighted) = (Array2::<f64>::zeros((slots, p)), Array2::<f64>::zeros((slots, p)));
        for slot in 1..slots {
            let own = sums.hazard[slot] - sums.hazard[slot - 1];
            let over = sums.weighted[slot] - sums.weighted[slot - 1];
            for j in 0..p {
                means[[slot, j]] = means[[slot - 1, j]] + own * sums.means[[slot, j]];
                weighted[[slot, j]] = weighted[[slot - 1, j]] + over * sums.means[[slot, j]];
            }
        }
        let last = slots - 1;
        let mut all = Array2::<f64>::zeros((problem.data.n(), p));
        // Those with a competing event at a slot, over the probability not to be censored before it.
        let mut gone = Array2::<f64>::zeros((slots, p + 1));
        problem.for_each_block(|rows, block| {
            for (row, x) in rows.zip(block.columns()) {
                let slot = problem.slot(row);
                let (w, competes) = (sums.w[row], problem.competes(row));
                let over = if competes { 1.0 / problem.uncensored[slot] } else { 0.0 };
                let load = problem.load(&sums, row);
                for j in 0..p {
                    let mean = means[[slot, j]] + over * (weighted[[last, j]] - weighted[[slot, j]]);
                    let event = if problem.has_event(row) { x[j] - sums.means[[slot, j]] } else { 0.0 };
                    all[[row, j]] = event - load * x[j] + w * mean;
                    gone[[slot, j]] += w * over * x[j];
                }
                gone[[slot, p]] += w * over;
            }
        });
        if with_censoring {
            self.add_censoring(&sums, &weighted, gone, &mut all);
        }
        all
    }

    /// Adds `sum over s of dM_i(s) q(s) / Y(s)`, the part of the estimated distribution of censoring.
    fn add_censoring(&self, sums: &Sums, weighted: &Array2<f64>, gone: Array2<f64>, all: &mut Array2<f64>) {
        let problem = &self.problem;
        let (p, slots) = (self.coefficients.len(), problem.grid.len());
        let last = slots - 1;
        // `q / Y` of each slot, and the sum of `q dN / Y^2` up to it.
        let (mut jump, mut drift) = (Array2::<f64>::zeros((slots, p)), Array2::<f64>::zeros((slots, p)));
        let mut past = Array1::<f64>::zeros(p + 1);
        let together = problem.model.ties == CensoringTies::Together;
        for slot in 1..slots {
            if !together {
                past += &gone.row(slot);
            }
            let (at_risk, censored) = problem.censoring[slot];
            // Together: competing events before, events of the cause from here on; else up to here, and after.
            let from = if together { slot - 1 } else { slot };
            for j in 0..p {
                drift[[slot, j]] = drift[[slot - 1, j]];
                if censored > 0.0 {
                    let q = (sums.weighted[last] - sums.weighted[from]) * past[j]
                        - past[p] * (weighted[[last, j]] - weighted[[from, j]]);
                    jump[[slot, j]] = q / at_risk;
                    drift[[slot, j]] += q * censored / (at_risk * at_risk);
                }
            }
            if together {
                past += &gone.row(slot);
            }
        }
        for row in 0..problem.data.n() {
            let slot = problem.slot(row);
            let is_censored = problem.data.cause[row] == 0;
            // With an event it is not at risk of being censored at its own time, where events come first.
            let until = if is_censored || together { slot } else { slot - 1 };
            for j in 0..p {
                all[[row, j]] += if is_censored { jump[[slot, j]] } else { 0.0 } - drift[[until, j]];
            }
        }
    }
}

/// Normal distribution; the log-likelihood is the partial one.
impl Fitted for FineGrayFit<'_> {
    type Variance = FineGrayVariance;

    fn parameter_names(&self) -> Vec<String> {
        self.names().to_vec()
    }

    fn estimates(&self) -> Array1<f64> {
        self.coefficients.clone()
    }

    fn covariance(&self, variance: FineGrayVariance) -> Result<Array2<f64>> {
        if variance == FineGrayVariance::Model {
            return Ok(self.covariance.clone());
        }
        let mut residuals = self.residuals(variance == FineGrayVariance::FineGray);
        if let Some(clusters) = self.problem.data.clusters {
            let count = clusters.iter().max().map_or(0, |code| *code as usize + 1);
            let mut sums = Array2::zeros((count, residuals.ncols()));
            for (row, cluster) in residuals.rows().into_iter().zip(clusters) {
                let mut sum = sums.row_mut(*cluster as usize);
                sum += &row;
            }
            residuals = sums;
        }
        let moved = residuals.dot(&self.covariance);
        Ok(symmetrised(moved.t().dot(&moved)))
    }

    fn log_likelihood(&self) -> Option<f64> {
        Some(self.log_likelihood)
    }

    /// The number of events of the cause.
    fn n(&self) -> f64 {
        self.events()
    }
}
