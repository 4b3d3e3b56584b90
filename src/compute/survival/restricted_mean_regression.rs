use super::data::{Feature, SurvivalData, codes};
use super::discrete_time::dense;
use super::fine_gray::CensoringTies;
use crate::compute::fitted::Fitted;
use crate::compute::linalg::{Cholesky, aliased_columns, symmetrised};
use crate::compute::regression::ModelMatrix;
use crate::compute::words::words;
use crate::error::{Collinearity, Error, ErrorKind, Result};
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

/// The function of a restricted mean that is taken to be linear.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RestrictedMeanLink {
    /// The mean: coefficients are differences of time.
    #[default]
    Identity,
    /// Its logarithm: coefficients are log ratios.
    Log,
}

words! { RestrictedMeanLink { Identity => "identity", Log => "log", } }

/// A regression of the time until the event or a horizon, by weights for those whose time was seen.
///
/// # Formula
/// `y = min(T, tau)` is complete where its event was seen or follow-up reaches the horizon; complete rows get the
/// weight `1 / G(y)`, `G` the Kaplan-Meier curve of the censoring of `y` in their arm. `sum w x (y - mu) = 0`, with
/// the variance of the influence functions, the estimated `G` included.
///
/// # References
/// Tian L, Zhao L, Wei LJ (2014), Biostatistics 15:222.
///
/// ```
/// use armwise::ndarray::array;
/// use armwise::regression::{Fitted, ModelMatrix};
/// use armwise::survival::{RestrictedMeanRegression, SurvivalData};
///
/// // Nobody is censored before month 4: the coefficient is a difference of means.
/// let data = SurvivalData::new(
///     &[1.0, 2.0, 5.0, 6.0, 3.0, 5.0, 5.0, 7.0],
///     &[1, 1, 1, 0, 1, 0, 1, 1],
/// )?;
/// let arm = array![0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0];
/// let matrix = ModelMatrix::new(8).intercept()?.numeric("arm", arm.view())?;
/// let fit =
///     RestrictedMeanRegression::until(4.0).fit(&data, &[0, 0, 0, 0, 1, 1, 1, 1], &matrix)?;
/// assert!((fit.estimates()[1] - (3.0 + 4.0 * 3.0 - 11.0) / 4.0).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RestrictedMeanRegression {
    until: f64,
    link: RestrictedMeanLink,
    ties: CensoringTies,
}

/// A fitted regression of restricted means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RestrictedMeanRegressionFit {
    /// The horizon.
    pub until: f64,
    /// The link.
    pub link: RestrictedMeanLink,
    /// The number of people.
    pub n: usize,
    /// The number whose time until the event or the horizon was seen.
    pub complete: usize,
    /// The sum of the weights, near the number of people.
    pub weight_sum: f64,
    names: Vec<String>,
    coefficients: Array1<f64>,
    covariance: Array2<f64>,
}

/// The rows at the horizon.
struct Rows {
    x: Array2<f64>,
    y: Vec<f64>,
    complete: Vec<bool>,
    weight: Vec<f64>,
    link: RestrictedMeanLink,
}

impl RestrictedMeanRegression {
    /// With the identity link, events before censoring at equal times.
    pub fn until(horizon: f64) -> Self {
        Self { until: horizon, link: RestrictedMeanLink::default(), ties: CensoringTies::default() }
    }

    /// The link. Default: [`RestrictedMeanLink::Identity`].
    #[must_use]
    pub fn link(mut self, link: RestrictedMeanLink) -> Self {
        self.link = link;
        self
    }

    /// Who is at risk of being censored at the time of an event: [`CensoringTies::Together`] weights an event by
    /// the curve after the censoring at its time, as R's `survRM2`. Default: [`CensoringTies::EventsFirst`].
    #[must_use]
    pub fn censoring_ties(mut self, ties: CensoringTies) -> Self {
        self.ties = ties;
        self
    }

    /// Fits the model; `arm` has the group of each row in which the distribution of censoring is estimated, counted
    /// from 0. An intercept must be in the matrix.
    ///
    /// # Errors
    /// `invalid_input` for another number of rows, a horizon that is not above 0, and entry times, weights or
    /// strata; `not_estimable` for a horizon beyond the follow-up of an arm while some are still there;
    /// `collinear`; `not_converged`.
    pub fn fit(
        &self,
        data: &SurvivalData,
        arm: &[u32],
        matrix: &ModelMatrix,
    ) -> Result<RestrictedMeanRegressionFit> {
        data.refuse(
            "a regression of restricted means",
            &[Feature::Entry, Feature::Weights, Feature::Strata],
        )?;
        let n = data.n();
        let arms = codes("arms", arm, n)?;
        if matrix.nrows() != n {
            return Err(Error::invalid(format!(
                "the rows of the matrix are {}, the times {n}; give one row for each time",
                matrix.nrows()
            )));
        }
        if !(self.until > 0.0 && self.until.is_finite()) {
            return Err(Error::invalid(format!("the horizon is {}; give a finite time above 0", self.until)));
        }
        matrix.validate(|_, _| ())?;
        let x = dense(matrix);
        let aliased = aliased_columns(x.view());
        if !aliased.is_empty() {
            let components = aliased.into_iter().map(|j| matrix.names()[j].clone()).collect();
            return Err(ErrorKind::Collinear { what: Collinearity::Covariates, components }.into());
        }
        let y: Vec<f64> = data.time.iter().map(|time| time.min(self.until)).collect();
        let complete: Vec<bool> =
            (0..n).map(|row| data.time[row] >= self.until || data.is_event(row)).collect();
        let members: Vec<Vec<usize>> =
            (0..arms).map(|code| (0..n).filter(|row| arm[*row] as usize == code).collect()).collect();
        let mut weight = vec![0.0; n];
        let mut censorings = Vec::new();
        for members in members.iter().filter(|members| !members.is_empty()) {
            let last = members.iter().map(|row| y[*row]).fold(0.0, f64::max);
            if last < self.until && members.iter().any(|row| !complete[*row] && y[*row] == last) {
                return Err(ErrorKind::NotEstimable(format!(
                    "the horizon {} lies beyond the follow-up of an arm, which ends at {last} while some are still there; give one of at most {last}",
                    self.until
                ))
                .into());
            }
            let times = Censoring::of(members, &y, &complete, self.ties);
            for &row in members.iter().filter(|row| complete[**row]) {
                let counts = |time: &Censoring| match self.ties {
                    CensoringTies::Together => time.time <= y[row],
                    _ => time.time < y[row],
                };
                let left = times.iter().take_while(|time| counts(time)).last().map_or(1.0, |time| time.after);
                weight[row] = 1.0 / left;
            }
            censorings.push((members, times));
        }
        let rows = Rows { x, y, complete, weight, link: self.link };
        let coefficients = rows.solve()?;
        let mut influence = rows.scores(&coefficients);
        let scores = influence.clone();
        for (members, times) in censorings {
            for time in times {
                let mut q = Array1::<f64>::zeros(scores.ncols());
                for &row in members {
                    if rows.y[row] > time.time
                        || (self.ties == CensoringTies::Together && rows.y[row] == time.time)
                    {
                        q += &scores.row(row);
                    }
                }
                for &row in members {
                    let own = f64::from(u8::from(!rows.complete[row] && rows.y[row] == time.time));
                    let at_risk =
                        f64::from(u8::from(time.at_risk_of(rows.y[row], rows.complete[row], self.ties)));
                    let change = (own - at_risk * time.censored / time.at_risk) / time.at_risk;
                    let mut sum = influence.row_mut(row);
                    sum.scaled_add(change, &q);
                }
            }
        }
        let bread = rows.bread(&coefficients)?;
        let moved = influence.dot(&bread);
        Ok(RestrictedMeanRegressionFit {
            until: self.until,
            link: self.link,
            n,
            complete: rows.complete.iter().filter(|complete| **complete).count(),
            weight_sum: rows.weight.iter().sum(),
            names: matrix.names().to_vec(),
            coefficients,
            covariance: symmetrised(moved.t().dot(&moved)),
        })
    }
}

/// A time at which rows of an arm are censored.
struct Censoring {
    time: f64,
    censored: f64,
    at_risk: f64,
    /// The probability not to be censored up to it.
    after: f64,
}

impl Censoring {
    fn of(members: &[usize], y: &[f64], complete: &[bool], ties: CensoringTies) -> Vec<Self> {
        let mut times: Vec<f64> = members.iter().filter(|row| !complete[**row]).map(|row| y[*row]).collect();
        times.sort_unstable_by(f64::total_cmp);
        times.dedup();
        let mut after = 1.0;
        times
            .into_iter()
            .map(|time| {
                let mut found = Self { time, censored: 0.0, at_risk: 0.0, after: 1.0 };
                for &row in members {
                    found.censored += f64::from(u8::from(!complete[row] && y[row] == time));
                    found.at_risk += f64::from(u8::from(found.at_risk_of(y[row], complete[row], ties)));
                }
                after *= 1.0 - found.censored / found.at_risk;
                Self { after, ..found }
            })
            .collect()
    }

    fn at_risk_of(&self, y: f64, complete: bool, ties: CensoringTies) -> bool {
        y > self.time || (y == self.time && (!complete || ties == CensoringTies::Together))
    }
}

impl Rows {
    fn mean(&self, eta: f64) -> f64 {
        match self.link {
            RestrictedMeanLink::Identity => eta,
            RestrictedMeanLink::Log => eta.exp(),
        }
    }

    /// `w x (y - mu)` of each row.
    fn scores(&self, coefficients: &Array1<f64>) -> Array2<f64> {
        let mut all = Array2::zeros(self.x.dim());
        for (row, x) in self.x.rows().into_iter().enumerate() {
            let residual = self.weight[row] * (self.y[row] - self.mean(x.dot(coefficients)));
            all.row_mut(row).scaled_add(residual, &x);
        }
        all
    }

    /// `sum v x x'`, with the derivative of the mean in `v`.
    fn products(&self, coefficients: &Array1<f64>, of: impl Fn(usize) -> f64) -> Array2<f64> {
        let p = self.x.ncols();
        let mut all = Array2::<f64>::zeros((p, p));
        for (row, x) in self.x.rows().into_iter().enumerate() {
            let slope = match self.link {
                RestrictedMeanLink::Identity => 1.0,
                RestrictedMeanLink::Log => x.dot(coefficients).exp(),
            };
            let v = of(row) * slope;
            for i in 0..p {
                for j in 0..p {
                    all[[i, j]] += v * x[i] * x[j];
                }
            }
        }
        all
    }

    /// The inverse of `sum x x'` over everybody, times the mean for the log link.
    fn bread(&self, coefficients: &Array1<f64>) -> Result<Array2<f64>> {
        let products = self.products(coefficients, |_| 1.0);
        Ok(Cholesky::new(products.view()).ok_or_else(beyond)?.inverse())
    }

    fn solve(&self) -> Result<Array1<f64>> {
        let p = self.x.ncols();
        let mut coefficients = Array1::<f64>::zeros(p);
        if self.link == RestrictedMeanLink::Log {
            // From a mean that fits on the whole, along the direction nearest to a constant.
            let mean = self.y.iter().zip(&self.weight).map(|(y, w)| y * w).sum::<f64>()
                / self.weight.iter().sum::<f64>();
            let ones = self.x.t().dot(&Array1::from_elem(self.y.len(), mean.ln()));
            let cross = self.x.t().dot(&self.x);
            coefficients = Cholesky::new(cross.view()).ok_or_else(beyond)?.solve(ones.view());
        }
        for _ in 0..200 {
            let score = self.scores(&coefficients).sum_axis(ndarray::Axis(0));
            let products = self.products(&coefficients, |row| self.weight[row]);
            let mut step = Cholesky::new(products.view()).ok_or_else(beyond)?.solve(score.view());
            let largest = self.x.rows().into_iter().map(|x| x.dot(&step).abs()).fold(0.0, f64::max);
            if self.link == RestrictedMeanLink::Log && largest > 1.0 {
                step /= largest;
            }
            coefficients += &step;
            if self.link == RestrictedMeanLink::Identity || largest < 1e-13 {
                return Ok(coefficients);
            }
        }
        Err(beyond())
    }
}

fn beyond() -> Error {
    ErrorKind::NotConverged(
        "the regression of restricted means did not converge; take the identity link, or fewer covariates"
            .to_owned(),
    )
    .into()
}

/// Normal distribution.
impl Fitted for RestrictedMeanRegressionFit {
    type Variance = ();

    fn parameter_names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn estimates(&self) -> Array1<f64> {
        self.coefficients.clone()
    }

    fn covariance(&self, (): ()) -> Result<Array2<f64>> {
        Ok(self.covariance.clone())
    }

    /// There is no likelihood.
    fn log_likelihood(&self) -> Option<f64> {
        None
    }

    fn n(&self) -> f64 {
        self.n as f64
    }
}
