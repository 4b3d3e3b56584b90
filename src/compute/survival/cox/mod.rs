//! Cox regression of hazards on covariates.

mod concordance;
mod exact;
mod firth;
mod monotone;
mod newton;
mod predicted;
mod proportional;
mod residuals;
mod risk_sets;
mod standardized;

pub use concordance::Concordance;
pub use firth::{FirthCox, FirthCoxFit};
pub use predicted::{BaselineHazard, PredictedCurve, PredictedPoint};
pub use proportional::{ProportionalHazardsTest, TimeTransform};
pub use standardized::CoxRisks;

use super::data::SurvivalData;
use crate::compute::fitted::{Fitted, check_tested, quadratic_form};
use crate::compute::hypothesis::ChiSquaredTest;
use crate::compute::linalg::{Cholesky, submatrix};
use crate::compute::reference_distribution::ReferenceDistribution;
use crate::compute::regression::profile::limits;
use crate::compute::regression::{Convergence, ModelMatrix, ProfileInterval};
use crate::compute::words::words;
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array1, Array2, ArrayView1, Axis};
use newton::{Maximum, State, beyond, check_estimable, maximise, maximise_from};
use risk_sets::{Evaluation, RiskSets};
use serde::{Deserialize, Serialize};

/// What the partial likelihood makes of events at the same time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Ties {
    /// The average over the orders in which they might have happened (Efron 1977, Journal of the American
    /// Statistical Association 72:557); the default of R and lifelines.
    #[default]
    Efron,
    /// All at risk with each other (Breslow 1974, Biometrics 30:89); the default of Stata and SAS. Estimates
    /// are nearer to zero the more ties there are.
    Breslow,
    /// Discrete times: the deaths are one of all sets of as many people at risk (Cox 1972; R's "exact", SAS'
    /// DISCRETE). The log-rank test is its score test.
    Exact,
}

words! { Ties { Efron => "Efron", Breslow => "Breslow", Exact => "exact", } }

/// Cox regression: hazards of people at risk at the same time, in the same stratum, are proportional.
///
/// # Formula
/// `h(t | x) = h_0(t) exp(x'b)`, with a baseline hazard of any form in each stratum. The partial likelihood
/// `prod w_i / sum_(j at risk) w_j` over events, `w_i = exp(x_i'b)`, is maximised by Newton's method to the
/// last digits; weights count in `w` and in the power of each factor. There is no intercept.
///
/// # References
/// Cox DR (1972), Journal of the Royal Statistical Society B 34:187. Lin DY, Wei LJ (1989), Journal of the
/// American Statistical Association 84:1074.
///
/// ```
/// use armwise::ndarray::array;
/// use armwise::regression::{Fitted, ModelMatrix};
/// use armwise::survival::{Cox, CoxVariance, SurvivalData};
///
/// let months = [2.0, 3.0, 3.0, 5.0, 6.0, 7.0, 9.0, 11.0, 12.0, 12.0];
/// let work = [1, 1, 0, 1, 1, 0, 1, 1, 0, 0];
/// let guidance = array![1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0];
/// let data = SurvivalData::new(&months, &work)?;
/// let matrix = ModelMatrix::new(10).numeric("guidance", guidance.view())?;
/// let fit = Cox::new().fit(&data, &matrix)?;
/// let row = &fit.table(CoxVariance::Robust, 0.95)?[0];
/// assert!(row.estimate > 0.0 && row.interval.contains(0.0));
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cox {
    ties: Ties,
}

impl Cox {
    /// With Efron's treatment of ties.
    pub fn new() -> Self {
        Self::default()
    }

    /// Events at the same time. Default: [`Ties::Efron`].
    #[must_use]
    pub fn ties(mut self, ties: Ties) -> Self {
        self.ties = ties;
        self
    }

    /// Fits the model.
    ///
    /// # Errors
    /// `no_events`; `collinear` for covariates that do not vary among those at risk, or follow from others;
    /// `separation` where the likelihood has no maximum, naming the coefficients that run to infinity (an arm
    /// without events, for one); `invalid_input` for another number of rows, values that are not finite, and
    /// weights with exact ties; `not_converged`.
    pub fn fit<'d, 'm: 'd>(
        &self,
        data: &'d SurvivalData<'d>,
        matrix: &ModelMatrix<'m>,
    ) -> Result<CoxFit<'d>> {
        let matrix = &matrix.reborrow();
        let sets = risk_sets(data, matrix, self.ties)?;
        let p = sets.p();
        let zero = Array1::zeros(p);
        let null = State::new(&sets, &zero).evaluate(&sets);
        check_estimable(&sets, &null)?;
        let all: Vec<usize> = (0..p).collect();
        let found = maximise_from(&sets, zero, null.clone(), &all)?;
        let factor = Cholesky::new(found.evaluation.information.view());
        let covariance = match factor {
            Some(factor) => factor.inverse(),
            None if p == 0 => Array2::zeros((0, 0)),
            None => return Err(beyond()),
        };
        Ok(CoxFit { sets, null, found, covariance })
    }
}

impl Cox {
    /// Rao's score test that the coefficients of some columns are zero. The model is fitted without them, so
    /// that it has an answer also where they would run to infinity.
    ///
    /// # Errors
    /// As [`Cox::fit`] without these columns; `collinear` with them; `invalid_input` for positions that are
    /// not there.
    pub fn score_test<'d, 'm: 'd>(
        &self,
        data: &'d SurvivalData<'d>,
        matrix: &ModelMatrix<'m>,
        tested: &[usize],
    ) -> Result<ChiSquaredTest> {
        check_tested(tested, matrix.ncols())?;
        let free: Vec<usize> = (0..matrix.ncols()).filter(|j| !tested.contains(j)).collect();
        let held = self.fit(data, &matrix.select(&free)?)?;
        let mut coefficients = Array1::zeros(matrix.ncols());
        free.iter().zip(held.coefficients()).for_each(|(place, b)| coefficients[*place] = *b);
        let sets = risk_sets(data, &matrix.reborrow(), self.ties)?;
        let null = State::new(&sets, &Array1::zeros(sets.p())).evaluate(&sets);
        check_estimable(&sets, &null)?;
        let at = State::new(&sets, &coefficients).evaluate(&sets);
        let statistic = quadratic_form(at.score, at.information.view()).ok_or_else(beyond)?;
        ChiSquaredTest::new(statistic, tested.len() as f64)
    }
}

/// The rows with their risk sets, checked.
fn risk_sets<'d>(data: &'d SurvivalData<'d>, matrix: &ModelMatrix<'d>, ties: Ties) -> Result<RiskSets<'d>> {
    if matrix.nrows() != data.n() {
        return Err(Error::invalid(format!(
            "the rows of the matrix are {}, the times {}; give one row for each time",
            matrix.nrows(),
            data.n()
        )));
    }
    if ties == Ties::Exact && data.weights.is_some() {
        return Err(Error::invalid(
            "the exact likelihood of ties has no version with weights; take Efron's or Breslow's",
        ));
    }
    data.check_events()?;
    let p = matrix.ncols();
    let mut ranges = vec![[f64::INFINITY, f64::NEG_INFINITY]; p];
    let mut sums = Array1::<f64>::zeros(p);
    matrix.validate(|_, block| {
        for ((range, sum), column) in ranges.iter_mut().zip(&mut sums).zip(block.rows()) {
            for x in column {
                *range = [range[0].min(*x), range[1].max(*x)];
                *sum += x;
            }
        }
    })?;
    let centre = sums / data.n() as f64;
    Ok(RiskSets::new(data, matrix.reborrow(), ties, centre, ranges))
}

/// The covariance of the coefficients of a Cox regression.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CoxVariance {
    /// The inverse of the observed information.
    #[default]
    Model,
    /// The sandwich of Lin & Wei (1989), each row by itself: `V (sum r r') V` with the score residuals `r`.
    Robust,
    /// The same with residuals summed over clusters first.
    Clustered,
    /// That times `G / (G - 1)` for `G` clusters.
    ClusteredSmallSample,
}

words! { CoxVariance {
    Model => "model-based",
    Robust => "robust",
    Clustered => "clustered",
    ClusteredSmallSample => "clustered, times G / (G - 1)",
} }

/// A fitted Cox regression.
#[derive(Debug)]
pub struct CoxFit<'d> {
    sets: RiskSets<'d>,
    /// At coefficients of zero.
    null: Evaluation,
    found: Maximum,
    covariance: Array2<f64>,
}

impl CoxFit<'_> {
    /// The names of the coefficients.
    pub fn names(&self) -> &[String] {
        self.sets.matrix.names()
    }

    /// The log hazard ratios.
    pub fn coefficients(&self) -> ArrayView1<'_, f64> {
        self.found.coefficients.view()
    }

    /// The treatment of ties.
    pub fn ties(&self) -> Ties {
        self.sets.ties
    }

    /// The number of events.
    pub fn events(&self) -> usize {
        self.sets.deaths.iter().map(|(count, _)| count).sum()
    }

    /// The logarithm of the partial likelihood with all coefficients zero.
    pub fn null_log_likelihood(&self) -> f64 {
        self.null.log_likelihood
    }

    /// How the iteration ended.
    pub fn convergence(&self) -> Convergence {
        self.found.convergence
    }

    /// The likelihood ratio test that the coefficients at the given positions are zero.
    ///
    /// # Errors
    /// `invalid_input` for positions that are not there; `not_converged`.
    pub fn likelihood_ratio_test(&self, tested: &[usize]) -> Result<ChiSquaredTest> {
        check_tested(tested, self.sets.p())?;
        let held = if tested.len() == self.sets.p() {
            self.null.log_likelihood
        } else {
            self.held_at_zero(tested)?.evaluation.log_likelihood
        };
        ChiSquaredTest::new(2.0 * (self.found.evaluation.log_likelihood - held).max(0.0), tested.len() as f64)
    }

    /// Rao's score test that the coefficients at the given positions are zero; of all, without ties, the
    /// log-rank test.
    ///
    /// # Errors
    /// As [`CoxFit::likelihood_ratio_test`].
    pub fn score_test(&self, tested: &[usize]) -> Result<ChiSquaredTest> {
        check_tested(tested, self.sets.p())?;
        let at = if tested.len() == self.sets.p() {
            self.null.clone()
        } else {
            self.held_at_zero(tested)?.evaluation
        };
        let statistic = quadratic_form(at.score, at.information.view()).ok_or_else(beyond)?;
        ChiSquaredTest::new(statistic, tested.len() as f64)
    }

    fn held_at_zero(&self, tested: &[usize]) -> Result<Maximum> {
        let free: Vec<usize> = (0..self.sets.p()).filter(|j| !tested.contains(j)).collect();
        maximise(&self.sets, Array1::zeros(self.sets.p()), &free)
    }

    /// The score test that all coefficients are zero with the sum of outer products of the score residuals in
    /// the place of the information (Lin & Wei 1989).
    ///
    /// # Errors
    /// As [`Fitted::covariance`] of a robust variance; `rank_deficient` where the residuals have no full
    /// rank.
    pub fn robust_score_test(&self, variance: CoxVariance) -> Result<ChiSquaredTest> {
        let zero = Array1::zeros(self.sets.p());
        let meat = residuals::products(&self.sets, &zero, variance)?;
        let statistic = quadratic_form(self.null.score.clone(), meat.view())
            .ok_or_else(|| Error::from(ErrorKind::RankDeficient { columns: self.names().to_vec() }))?;
        ChiSquaredTest::new(statistic, self.sets.p() as f64)
    }

    /// The profile interval of a coefficient: the values at which holding it fixed lowers twice the
    /// log-likelihood by less than the quantile of chi-squared.
    ///
    /// # Errors
    /// `invalid_input` where there is no such position, or the level is not between 0 and 1.
    pub fn profile_interval(&self, position: usize, level: f64) -> Result<ProfileInterval> {
        check_tested(&[position], self.sets.p())?;
        let quantile = ReferenceDistribution::Normal.critical(level)?;
        let estimate = self.found.coefficients[position];
        let variance = self.covariance[[position, position]];
        let direction = &self.covariance.column(position) / variance;
        let free: Vec<usize> = (0..self.sets.p()).filter(|&j| j != position).collect();
        let excess = |value: f64| {
            let mut start = self.found.coefficients.clone();
            start.scaled_add(value - estimate, &direction);
            start[position] = value;
            maximise(&self.sets, start, &free).map_or(f64::INFINITY, |held| {
                2.0 * (self.found.evaluation.log_likelihood - held.evaluation.log_likelihood)
            })
        };
        let (lower, upper) = limits(estimate, variance.sqrt(), quantile * quantile, excess);
        Ok(ProfileInterval { name: self.names()[position].clone(), estimate, lower, upper })
    }

    /// The score residuals, a row for each row of the data, weights included: their sum is zero.
    ///
    /// # Errors
    /// `not_estimable` for exact ties.
    pub fn score_residuals(&self) -> Result<Array2<f64>> {
        residuals::all(&self.sets, &self.found.coefficients)
    }

    /// Harrell's concordance of the linear predictor with the times.
    pub fn concordance(&self) -> Concordance {
        Concordance::new(self.sets.data, &self.linear_predictor())
    }

    /// The linear predictor of each row, covariates centred at their means.
    fn linear_predictor(&self) -> Vec<f64> {
        let mut eta = vec![0.0; self.sets.data.n()];
        self.sets.for_each_centred_block(|rows, block| {
            let own = &mut eta[rows];
            for (column, b) in block.rows().into_iter().zip(&self.found.coefficients) {
                own.iter_mut().zip(column).for_each(|(eta, x)| *eta += b * x);
            }
        });
        eta
    }

    /// The part of the covariance matrix at some positions.
    ///
    /// # Errors
    /// As [`Fitted::covariance`]; `invalid_input` for positions that are not there.
    pub fn covariance_of(&self, positions: &[usize], variance: CoxVariance) -> Result<Array2<f64>> {
        check_tested(positions, self.sets.p())?;
        Ok(submatrix(self.covariance(variance)?.view(), positions))
    }

    /// The coefficients at some positions.
    pub fn coefficients_at(&self, positions: &[usize]) -> Array1<f64> {
        self.found.coefficients.select(Axis(0), positions)
    }
}

/// Normal distribution; the log-likelihood is the partial one.
impl Fitted for CoxFit<'_> {
    type Variance = CoxVariance;

    fn parameter_names(&self) -> Vec<String> {
        self.names().to_vec()
    }

    fn estimates(&self) -> Array1<f64> {
        self.found.coefficients.clone()
    }

    /// `not_estimable` for a robust variance with exact ties; `invalid_input` for a clustered one without
    /// clusters; `insufficient_observations` for one with a single cluster.
    fn covariance(&self, variance: CoxVariance) -> Result<Array2<f64>> {
        if variance == CoxVariance::Model {
            return Ok(self.covariance.clone());
        }
        let meat = residuals::products(&self.sets, &self.found.coefficients, variance)?;
        Ok(crate::compute::linalg::symmetrised(self.covariance.dot(&meat).dot(&self.covariance)))
    }

    fn log_likelihood(&self) -> Option<f64> {
        Some(self.found.evaluation.log_likelihood)
    }

    /// The number of events, which the information grows with.
    fn n(&self) -> f64 {
        self.events() as f64
    }
}
