use super::data::{Feature, SurvivalData};
use super::discrete_time::dense;
use crate::compute::distribution::Normal;
use crate::compute::fitted::Fitted;
use crate::compute::linalg::{Cholesky, aliased_columns};
use crate::compute::regression::{BLOCK, DesignRows, ModelMatrix, Side, separating_directions};
use crate::compute::words::words;
use crate::error::{Collinearity, Error, ErrorKind, Result, SeparatedModel};
use ndarray::{Array1, Array2, ArrayView2, Axis, Slice};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// The distribution of a time of an accelerated failure time model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TimeDistribution {
    /// A constant hazard: the error of the log time has the smallest extreme value distribution with scale 1.
    Exponential,
    /// A hazard that is a power of time: that distribution with any scale.
    Weibull,
    /// A normal log time.
    LogNormal,
    /// A logistic log time.
    LogLogistic,
}

words! { TimeDistribution {
    Exponential => "exponential",
    Weibull => "Weibull",
    LogNormal => "log-normal",
    LogLogistic => "log-logistic",
} }

/// Log density (for an event) or log survival (without one) of the standardised error, with two derivatives.
fn part(distribution: TimeDistribution, z: f64, event: bool) -> [f64; 3] {
    match distribution {
        TimeDistribution::Exponential | TimeDistribution::Weibull => {
            let e = z.exp();
            if event { [z - e, 1.0 - e, -e] } else { [-e, -e, -e] }
        }
        TimeDistribution::LogNormal => {
            if event {
                return [Normal.ln_pdf(z), -z, -1.0];
            }
            let log = Normal.ln_sf(z);
            let hazard = (Normal.ln_pdf(z) - log).exp();
            [log, -hazard, -hazard * (hazard - z)]
        }
        TimeDistribution::LogLogistic => {
            // With p = 1 / (1 + exp(-z)): ln S = ln(1 - p), ln f = ln p + ln(1 - p).
            let log_left = -(z.max(0.0) + (-z.abs()).exp().ln_1p());
            let p = (z + log_left).exp();
            let curve = p * log_left.exp();
            if event { [z + 2.0 * log_left, 1.0 - 2.0 * p, -2.0 * curve] } else { [log_left, -p, -curve] }
        }
    }
}

/// An accelerated failure time model: covariates multiply the time.
///
/// # Formula
/// `ln T = x'b + sigma e`, with an error `e` of the distribution. The likelihood is concave in `b / sigma` and
/// `1 / sigma`, in which Newton's steps are taken; covariances come from the observed information of `b` and
/// `ln sigma`. The log-likelihood is that of the times, not of their logarithms. An intercept must be in the
/// matrix.
///
/// # References
/// Kalbfleisch JD, Prentice RL (2002), The Statistical Analysis of Failure Time Data, chapter 3. Burridge J (1981),
/// Journal of the Royal Statistical Society B 43:41.
///
/// ```
/// use armwise::ndarray::array;
/// use armwise::regression::{Fitted, ModelMatrix};
/// use armwise::survival::{AcceleratedFailureTime, SurvivalData, TimeDistribution};
///
/// let data = SurvivalData::new(&[1.0, 2.0, 3.0, 4.0, 6.0, 8.0], &[1, 1, 0, 1, 1, 0])?;
/// let arm = array![0.0, 1.0, 0.0, 1.0, 0.0, 1.0];
/// let matrix = ModelMatrix::new(6).intercept()?.numeric("arm", arm.view())?;
/// let fit = AcceleratedFailureTime::new(TimeDistribution::Exponential).fit(&data, &matrix)?;
/// // Without covariates but the arm, its mean time is the total time over its events.
/// assert!((fit.coefficients()[0].exp() - 10.0 / 2.0).abs() < 1e-9);
/// assert!(fit.table((), 0.95)?[1].interval.contains(0.0));
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AcceleratedFailureTime {
    distribution: TimeDistribution,
}

/// A fitted accelerated failure time model. Its parameters are the coefficients, and then the logarithm of the
/// scale where that is not fixed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AcceleratedFailureTimeFit {
    /// The distribution.
    pub distribution: TimeDistribution,
    /// The scale `sigma`; 1 for the exponential distribution.
    pub scale: f64,
    /// The number of people.
    pub n: f64,
    /// The number of events.
    pub events: usize,
    names: Vec<String>,
    coefficients: Array1<f64>,
    covariance: Array2<f64>,
    log_likelihood: f64,
}

/// The rows, with the log times and weights.
struct Rows<'d> {
    data: &'d SurvivalData<'d>,
    x: Array2<f64>,
    log_time: Vec<f64>,
    distribution: TimeDistribution,
}

impl DesignRows for Rows<'_> {
    fn ncols(&self) -> usize {
        self.x.ncols()
    }

    fn for_each_block(&self, mut with: impl FnMut(Range<usize>, ArrayView2<f64>)) {
        for start in (0..self.x.nrows()).step_by(BLOCK) {
            let range = start..(start + BLOCK).min(self.x.nrows());
            with(range.clone(), self.x.slice_axis(Axis(0), Slice::from(range)).t());
        }
    }
}

/// Log-likelihood, gradient and negative second derivatives in `b / sigma` and `1 / sigma`.
struct Evaluation {
    log_likelihood: f64,
    score: Array1<f64>,
    information: Array2<f64>,
}

impl AcceleratedFailureTime {
    /// With a distribution.
    pub fn new(distribution: TimeDistribution) -> Self {
        Self { distribution }
    }

    /// Fits the model.
    ///
    /// # Errors
    /// `no_events`; `collinear`; `separation` where a coefficient runs to infinity (an arm without events);
    /// `invalid_input` for a time of 0, another number of rows, and entry times or strata; `not_converged`.
    pub fn fit(&self, data: &SurvivalData, matrix: &ModelMatrix) -> Result<AcceleratedFailureTimeFit> {
        data.refuse("an accelerated failure time model", &[Feature::Entry, Feature::Strata])?;
        if matrix.nrows() != data.n() {
            return Err(Error::invalid(format!(
                "the rows of the matrix are {}, the times {}; give one row for each time",
                matrix.nrows(),
                data.n()
            )));
        }
        matrix.validate(|_, _| ())?;
        data.check_events()?;
        if let Some(row) = data.time.iter().position(|time| *time == 0.0) {
            return Err(
                Error::invalid("the time is 0, which has no logarithm; leave the row out").in_row(row)
            );
        }
        let rows = Rows {
            data,
            x: dense(matrix),
            log_time: data.time.iter().map(|time| time.ln()).collect(),
            distribution: self.distribution,
        };
        let aliased = aliased_columns(rows.x.view());
        if !aliased.is_empty() {
            let components = aliased.into_iter().map(|j| matrix.names()[j].clone()).collect();
            return Err(ErrorKind::Collinear { what: Collinearity::Covariates, components }.into());
        }
        let sides = (0..data.n()).map(|row| match (data.weight(row) > 0.0, data.is_event(row)) {
            (false, _) => Side::Free,
            (true, true) => Side::Equal,
            (true, false) => Side::AtLeast(1.0),
        });
        if let Some(separation) = separating_directions(&rows, sides.collect())? {
            return Err(separation.into_error(matrix.names(), SeparatedModel::Times));
        }
        rows.fit(matrix.names())
    }
}

impl Rows<'_> {
    fn has_scale(&self) -> bool {
        self.distribution != TimeDistribution::Exponential
    }

    /// At `b / sigma`, and after it `1 / sigma`.
    fn evaluate(&self, at: &Array1<f64>) -> Evaluation {
        let p = self.x.ncols();
        let rate = at[p];
        let m = p + usize::from(self.has_scale());
        let mut all =
            Evaluation { log_likelihood: 0.0, score: Array1::zeros(m), information: Array2::zeros((m, m)) };
        let mut row_of = Array1::<f64>::zeros(m);
        for (row, x) in self.x.rows().into_iter().enumerate() {
            let weight = self.data.weight(row);
            if weight == 0.0 {
                continue;
            }
            let (y, event) = (self.log_time[row], self.data.is_event(row));
            let z = rate * y - x.iter().zip(at).map(|(x, b)| x * b).sum::<f64>();
            let [value, slope, bend] = part(self.distribution, z, event);
            // The derivative of z: minus the covariates, and the log time.
            for j in 0..p {
                row_of[j] = -x[j];
            }
            if m > p {
                row_of[p] = y;
            }
            all.log_likelihood += weight * value;
            all.score.scaled_add(weight * slope, &row_of);
            for i in 0..m {
                for j in 0..m {
                    all.information[[i, j]] -= weight * bend * row_of[i] * row_of[j];
                }
            }
            if event {
                all.log_likelihood += weight * (rate.ln() - y);
                if m > p {
                    all.score[p] += weight / rate;
                    all.information[[p, p]] += weight / (rate * rate);
                }
            }
        }
        if rate <= 0.0 {
            all.log_likelihood = f64::NEG_INFINITY;
        }
        all
    }

    fn fit(&self, names: &[String]) -> Result<AcceleratedFailureTimeFit> {
        let beyond = || {
            Error::from(ErrorKind::NotConverged(
                "the accelerated failure time model did not converge; use fewer covariates".to_owned(),
            ))
        };
        let p = self.x.ncols();
        let mut at = Array1::<f64>::zeros(p + 1);
        at[p] = 1.0;
        let mut now = self.evaluate(&at);
        for _ in 0..200 {
            let step = Cholesky::new(now.information.view()).ok_or_else(beyond)?.solve(now.score.view());
            let gain = step.dot(&now.score);
            if gain <= 1e-20 * (1.0 + now.log_likelihood.abs()) {
                return self.finished(names, &at, now.log_likelihood).ok_or_else(beyond);
            }
            let mut length = 1.0;
            loop {
                let mut trial = at.clone();
                trial.iter_mut().zip(&step).for_each(|(at, step)| *at += length * step);
                let next = self.evaluate(&trial);
                // Rounding may lower the last steps by a hair.
                if next.log_likelihood >= now.log_likelihood - 1e-13 * (1.0 + now.log_likelihood.abs()) {
                    (at, now) = (trial, next);
                    break;
                }
                length *= 0.5;
                if length < 1e-12 {
                    return Err(beyond());
                }
            }
        }
        Err(beyond())
    }

    /// Coefficients and the observed information of `b` and `ln sigma`.
    fn finished(
        &self,
        names: &[String],
        at: &Array1<f64>,
        log_likelihood: f64,
    ) -> Option<AcceleratedFailureTimeFit> {
        let p = self.x.ncols();
        let scale = 1.0 / at[p];
        let coefficients: Array1<f64> = at.iter().take(p).map(|b| b * scale).collect();
        let m = p + usize::from(self.has_scale());
        let mut information = Array2::<f64>::zeros((m, m));
        for (row, x) in self.x.rows().into_iter().enumerate() {
            let z = (self.log_time[row] - x.dot(&coefficients)) / scale;
            let [_, slope, bend] = part(self.distribution, z, self.data.is_event(row));
            let weight = self.data.weight(row);
            for i in 0..p {
                for j in 0..p {
                    information[[i, j]] -= weight * bend * x[i] * x[j] / (scale * scale);
                }
                if m > p {
                    let both = -weight * (bend * z + slope) * x[i] / scale;
                    information[[i, p]] += both;
                    information[[p, i]] += both;
                }
            }
            if m > p {
                information[[p, p]] -= weight * (bend * z * z + slope * z);
            }
        }
        let covariance = Cholesky::new(information.view())?.inverse();
        let n = (0..self.data.n()).map(|row| self.data.weight(row)).sum();
        Some(AcceleratedFailureTimeFit {
            distribution: self.distribution,
            scale,
            n,
            events: self.data.events(),
            names: names.to_vec(),
            coefficients,
            covariance,
            log_likelihood,
        })
    }
}

impl AcceleratedFailureTimeFit {
    /// The coefficients: a covariate multiplies the time by their exponential.
    pub fn coefficients(&self) -> &Array1<f64> {
        &self.coefficients
    }

    /// The log hazard ratios `-b / sigma` of the coefficients; `None` for a distribution whose hazards are not
    /// proportional.
    pub fn log_hazard_ratios(&self) -> Option<Array1<f64>> {
        let proportional =
            matches!(self.distribution, TimeDistribution::Exponential | TimeDistribution::Weibull);
        proportional.then(|| self.coefficients.mapv(|b| -b / self.scale))
    }
}

/// The last parameter is the logarithm of the scale, where that is not fixed.
impl Fitted for AcceleratedFailureTimeFit {
    type Variance = ();

    fn parameter_names(&self) -> Vec<String> {
        let scale = (self.covariance.nrows() > self.names.len()).then(|| "log scale".to_owned());
        self.names.iter().cloned().chain(scale).collect()
    }

    fn estimates(&self) -> Array1<f64> {
        let scale = (self.covariance.nrows() > self.names.len()).then(|| self.scale.ln());
        self.coefficients.iter().copied().chain(scale).collect()
    }

    fn covariance(&self, (): ()) -> Result<Array2<f64>> {
        Ok(self.covariance.clone())
    }

    fn log_likelihood(&self) -> Option<f64> {
        Some(self.log_likelihood)
    }

    fn n(&self) -> f64 {
        self.n
    }
}
