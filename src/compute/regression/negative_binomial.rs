//! Negative binomial regression (NB2) with its overdispersion estimated.

use super::checked::{Aliasing, Checked};
use super::family::{Curve, Family, Link, Variance};
use super::fit::Fit;
use super::glm::Glm;
use super::irls::{Solution, not_converged};
use super::likelihood::{digamma_rise, trigamma_rise};
use super::matrix::ModelMatrix;
use super::observations::{Observations, Response, Unit, Weights};
use super::sandwich::VarianceType;
use crate::compute::fitted::{Fitted, check_tested};
use crate::compute::hypothesis::ChiSquaredTest;
use crate::compute::linalg::Cholesky;
use crate::error::{ErrorKind, Result};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Slice};

/// Negative binomial regression of counts with the log link.
///
/// # Formula
/// `ln mu_i = x_i'beta + offset_i`, `Var(y_i) = mu_i + mu_i^2 / theta`. Coefficients and `theta` maximise the
/// likelihood together: a safeguarded Newton iteration on `ln theta`, with the coefficients at their maximum
/// for each `theta`.
///
/// Where the counts vary no more than Poisson counts (`sum (y - mu)^2 - y <= 0` at the Poisson fit) the
/// maximum lies at `theta = infinity`; the fit is then the Poisson fit and
/// [`NegativeBinomialFit::overdispersion`] is `None`.
///
/// # Examples
/// ```
/// use armwise::ndarray::array;
/// use armwise::regression::{ModelMatrix, NegativeBinomial};
///
/// let matrix = ModelMatrix::new(8).intercept()?;
/// let spread = array![0.0, 1.0, 9.0, 2.0, 0.0, 14.0, 3.0, 1.0];
/// let fit = NegativeBinomial::new().fit(&matrix, &spread)?;
/// assert!((fit.at_theta().coefficients()[0] - (30.0_f64 / 8.0).ln()).abs() < 1e-10);
/// assert!(fit.overdispersion().is_some_and(|found| found.theta < 1.0));
/// let even = array![3.0, 4.0, 3.0, 4.0, 5.0, 4.0, 3.0, 4.0];
/// assert!(NegativeBinomial::new().fit(&matrix, &even)?.overdispersion().is_none());
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Lawless (1987), Canadian Journal of Statistics 15; Cameron & Trivedi (2013), Regression Analysis of Count
/// Data.
#[derive(Debug, Clone, Default)]
pub struct NegativeBinomial<'a> {
    weights: Weights<'a>,
    offset: Option<ArrayView1<'a, f64>>,
}

/// The estimated overdispersion.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Overdispersion {
    /// `theta` in `Var(y) = mu + mu^2 / theta`.
    pub theta: f64,
    /// Its standard error from `-d2l/dtheta2` with the coefficients held.
    pub se: f64,
    /// Its standard error from the joint observed information.
    pub se_joint: f64,
}

/// A fitted [`NegativeBinomial`] regression.
#[derive(Debug, Clone)]
pub struct NegativeBinomialFit<'a> {
    model: NegativeBinomial<'a>,
    fit: Fit<'a>,
    overdispersion: Option<Overdispersion>,
    joint: Option<Array2<f64>>,
    poisson_log_likelihood: f64,
}

/// How the coefficients follow the rows where `theta` is estimated beside them: the inverse of the joint
/// observed information, and the scores of `theta`.
#[derive(Debug, Clone)]
pub(crate) struct ThetaInfluence {
    /// Its part of the coefficients.
    pub(super) bread: Array2<f64>,
    /// Its part of the coefficients and `theta`.
    pub(super) along: Array1<f64>,
    /// One for each row, prior weights included.
    pub(super) scores: Array1<f64>,
}

/// Sums over the rows at given coefficients and `theta`.
struct Derivatives {
    theta: f64,
    theta_theta: f64,
    beta_theta: Array1<f64>,
    /// Minus the second derivative.
    beta_beta: Array2<f64>,
}

impl<'a> NegativeBinomial<'a> {
    /// Without weights and offset.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Weights of the rows. Default: none.
        weights: Weights<'a>;
        /// A known part of the linear predictor, such as the logarithm of the exposure. Default: none.
        offset: ArrayView1<'a, f64> as Some;
    }

    /// Fits the model.
    ///
    /// # Errors
    /// As [`Glm::fit`] of the Poisson family.
    pub fn fit<'d, 'm: 'd>(
        &self,
        matrix: &ModelMatrix<'m>,
        response: impl Into<Response<'d>>,
    ) -> Result<NegativeBinomialFit<'d>>
    where
        'a: 'd,
    {
        let (response, matrix) = (response.into(), &matrix.reborrow());
        let mut poisson = Glm::new(Family::Poisson).weights(self.weights);
        if let Some(offset) = self.offset {
            poisson = poisson.offset(offset);
        }
        let poisson = poisson.fit(matrix, response)?;
        let (mut spread, mut squares) = (0.0, 0.0);
        poisson.for_each_unit(|Unit { eta, y, weight, frequency, .. }| {
            let mu = eta.exp();
            spread += weight * frequency * ((y - mu).powi(2) - y);
            squares += weight * frequency * mu * mu;
        });
        let poisson_log_likelihood = poisson.log_likelihood().unwrap_or(f64::NEG_INFINITY);
        let model = NegativeBinomial {
            weights: self.weights.reborrow(),
            offset: self.offset.map(ArrayView1::reborrow),
        };
        let fallback = |fit: Fit<'d>| NegativeBinomialFit {
            model: model.clone(),
            fit,
            overdispersion: None,
            joint: None,
            poisson_log_likelihood,
        };
        if spread <= 0.0 {
            return Ok(fallback(poisson));
        }
        let observations = Observations::new(response, self.weights, self.offset);
        let Some((theta, solution, checked)) =
            estimate(matrix, &observations, poisson.coefficients().to_owned(), squares / spread)?
        else {
            return Ok(fallback(poisson));
        };
        let stable = checked.stable;
        let fit = Fit::new(checked, observations, Family::NegativeBinomial { theta }, solution, stable)?;
        let sums = derivatives(&fit, theta);
        let p = fit.rank();
        // In units of ln theta and with the sign of an information, so that it is positive definite on one
        // scale.
        let mut information = Array2::zeros((p + 1, p + 1));
        for i in 0..p {
            for j in 0..p {
                information[[i, j]] = sums.beta_beta[[i, j]];
            }
            information[[i, p]] = -theta * sums.beta_theta[i];
            information[[p, i]] = -theta * sums.beta_theta[i];
        }
        information[[p, p]] = -theta * theta * sums.theta_theta;
        let mut joint = Cholesky::new(information.view())
            .ok_or_else(|| {
                ErrorKind::NotConverged(
                    "the joint information of coefficients and theta is singular; use quasi-Poisson"
                        .to_owned(),
                )
            })?
            .inverse();
        joint.row_mut(p).mapv_inplace(|v| v * theta);
        joint.column_mut(p).mapv_inplace(|v| v * theta);
        let overdispersion =
            Overdispersion { theta, se: (-sums.theta_theta).sqrt().recip(), se_joint: joint[[p, p]].sqrt() };
        Ok(NegativeBinomialFit {
            model,
            fit,
            overdispersion: Some(overdispersion),
            joint: Some(joint),
            poisson_log_likelihood,
        })
    }
}

/// The maximum over `theta` and the coefficients; `None` where it runs to infinity.
fn estimate<'a>(
    matrix: &ModelMatrix<'a>,
    observations: &Observations<'a>,
    mut start: Array1<f64>,
    guess: f64,
) -> Result<Option<(f64, Solution, Checked<'a>)>> {
    /// Beyond `exp` of this the distribution is Poisson to rounding.
    const BEYOND: f64 = 25.0;
    let free: Vec<usize> = (0..matrix.ncols()).collect();
    let curve = |theta: f64| Curve { variance: Variance::NegativeBinomial { theta }, link: Link::Log };
    let mut checked = Checked::of_data(
        matrix,
        observations,
        Family::Poisson,
        Curve::new(Family::Poisson, Link::Log)?,
        Aliasing::Refuse,
    )?;
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
    let mut log_theta = guess.ln().clamp(-10.0, 20.0);
    for _ in 0..200 {
        let theta = log_theta.exp();
        checked.curve = curve(theta);
        let problem = checked.problem(observations);
        let solution = match problem.solve(start.clone(), &free, || Ok(()))? {
            Ok(solution) => solution,
            // The Poisson estimate exists, so that this one does too; start afresh.
            Err(_) => {
                problem.solve(problem.start(&checked.constant), &free, || Ok(()))?.map_err(not_converged)?
            }
        };
        start.assign(&solution.coefficients);
        let sums = derivatives_at(matrix, observations, &solution.coefficients, theta);
        // Slope and curvature in ln theta of the profile likelihood.
        let slope = theta * sums.theta;
        if slope > 0.0 {
            low = log_theta;
        } else {
            high = log_theta;
        }
        let held = theta * theta * sums.theta_theta + slope;
        let curvature = match Cholesky::new(sums.beta_beta.view()) {
            Some(factor) => held + theta * theta * sums.beta_theta.dot(&factor.solve(sums.beta_theta.view())),
            None => held,
        };
        let newton = log_theta - slope / curvature;
        let next = if curvature < 0.0 && newton > low && newton < high && (newton - log_theta).abs() < 3.0 {
            newton
        } else if low.is_finite() && high.is_finite() {
            0.5 * (low + high)
        } else {
            log_theta + if slope > 0.0 { 2.0 } else { -2.0 }
        };
        let step = (next - log_theta).abs();
        if step <= 1e-12 * (1.0 + log_theta.abs()) || high - low < 1e-13 * (1.0 + log_theta.abs()) {
            return Ok(Some((theta, solution, checked)));
        }
        if next > BEYOND {
            return Ok(None);
        }
        log_theta = next;
    }
    Err(ErrorKind::NotConverged(
        "the overdispersion of the negative binomial regression did not converge; use quasi-Poisson"
            .to_owned(),
    )
    .into())
}

/// The derivative of the log-likelihood of a count with respect to `theta`.
fn score_of_theta(theta: f64, y: f64, mu: f64) -> f64 {
    digamma_rise(theta, y) - (mu / theta).ln_1p() + (mu - y) / (mu + theta)
}

fn derivatives(fit: &Fit, theta: f64) -> Derivatives {
    derivatives_at(&fit.matrix, &fit.observations, &fit.coefficients().to_owned(), theta)
}

fn derivatives_at(
    matrix: &ModelMatrix,
    observations: &Observations,
    beta: &Array1<f64>,
    theta: f64,
) -> Derivatives {
    let p = matrix.ncols();
    let mut sums = Derivatives {
        theta: 0.0,
        theta_theta: 0.0,
        beta_theta: Array1::zeros(p),
        beta_beta: Array2::zeros((p, p)),
    };
    let mut rows = super::observations::Rows::new();
    let mut scratch = Array2::zeros((p, super::matrix::BLOCK));
    matrix.for_each_block(|range, block| {
        observations.read(range.clone(), &mut rows);
        let eta = block.t().dot(beta);
        let (mut weights, mut mixed) = (vec![0.0; range.len()], Array1::<f64>::zeros(range.len()));
        for (k, (y, weight, frequency)) in rows.iter().enumerate() {
            let total = weight * frequency;
            if total == 0.0 {
                continue;
            }
            let mu = (eta[k] + rows.offset[k]).exp();
            let all = mu + theta;
            sums.theta += total * score_of_theta(theta, y, mu);
            sums.theta_theta +=
                total * (trigamma_rise(theta, y) + mu / (theta * all) - (mu - y) / (all * all));
            mixed[k] = total * mu * (y - mu) / (all * all);
            weights[k] = total * mu * theta * (theta + y) / (all * all);
        }
        sums.beta_theta += &block.dot(&mixed);
        super::information::add_cross_product(block, &weights, &mut scratch, &mut sums.beta_beta);
    });
    sums
}

impl<'a> NegativeBinomialFit<'a> {
    /// The regression at the estimated `theta` (the Poisson fit where there is no overdispersion):
    /// coefficients, and covariances that treat `theta` as known.
    pub fn at_theta(&self) -> &Fit<'a> {
        &self.fit
    }

    /// `theta`; `None` where the counts vary no more than Poisson counts.
    pub fn overdispersion(&self) -> Option<Overdispersion> {
        self.overdispersion
    }

    /// The inverse of the joint observed information of the coefficients and, last, `theta`; `None` without
    /// overdispersion.
    pub fn joint_covariance(&self) -> Option<ArrayView2<'_, f64>> {
        self.joint.as_ref().map(|joint| joint.view())
    }

    /// What the rows say of the coefficients and `theta` together, for [`Standardized::with_theta`]; without
    /// overdispersion what they say of the Poisson coefficients.
    ///
    /// [`Standardized::with_theta`]: crate::regression::Standardized
    pub(crate) fn theta_influence(&self) -> ThetaInfluence {
        let (p, n) = (self.fit.rank(), self.fit.matrix().nrows());
        let (Some(found), Some(joint)) = (self.overdispersion, &self.joint) else {
            let bread = self.fit.bread().to_owned();
            return ThetaInfluence { bread, along: Array1::zeros(p), scores: Array1::zeros(n) };
        };
        let theta = found.theta;
        let mut scores = Array1::zeros(n);
        self.fit.for_each_unit(|Unit { row, eta, y, weight, .. }| {
            let mu = eta.exp();
            scores[row] = weight * score_of_theta(theta, y, mu);
        });
        let bread = joint.slice_each_axis(|axis| Slice::from(0..axis.len - 1)).to_owned();
        let along = joint.column(p).iter().take(p).copied().collect();
        ThetaInfluence { bread, along, scores }
    }

    /// The log-likelihood.
    fn maximum(&self) -> f64 {
        self.fit.log_likelihood().unwrap_or(self.poisson_log_likelihood)
    }

    /// The likelihood ratio test of no overdispersion. Its p-value is half the upper tail of chi-square with
    /// one degree of freedom, because Poisson lies on the boundary of the model (Self & Liang 1987); it is 1
    /// at the boundary.
    ///
    /// # Errors
    /// `invalid_input` for probability weights, which have no likelihood.
    pub fn poisson_test(&self) -> Result<ChiSquaredTest> {
        self.model.weights.check_likelihood("the likelihood ratio test")?;
        let statistic = (2.0 * (self.maximum() - self.poisson_log_likelihood)).max(0.0);
        let mut test = ChiSquaredTest::new(statistic, 1.0)?;
        test.p_value = if self.overdispersion.is_some() { 0.5 * test.p_value } else { 1.0 };
        Ok(test)
    }

    /// The fit without the columns at the given positions, its `theta` estimated anew.
    ///
    /// # Errors
    /// `invalid_input` for positions that are not there; as [`NegativeBinomial::fit`].
    pub fn without(&self, tested: &[usize]) -> Result<Self> {
        check_tested(tested, self.fit.rank())?;
        let kept: Vec<usize> = (0..self.fit.rank()).filter(|j| !tested.contains(j)).collect();
        self.model.fit(&self.fit.matrix.select(&kept)?, self.fit.observations.response)
    }

    /// The likelihood ratio test that the coefficients at the given positions are zero, `theta` being
    /// estimated in both models.
    ///
    /// # Errors
    /// As [`NegativeBinomialFit::without`]; `invalid_input` for probability weights, which have no
    /// likelihood.
    pub fn likelihood_ratio_test(&self, tested: &[usize]) -> Result<ChiSquaredTest> {
        self.model.weights.check_likelihood("the likelihood ratio test")?;
        let reduced = self.without(tested)?;
        let statistic = 2.0 * (self.maximum() - reduced.maximum());
        ChiSquaredTest::new(statistic.max(0.0), tested.len() as f64)
    }
}

/// Coefficients with covariances that treat `theta` as known; the information criteria count it where it was
/// estimated.
impl Fitted for NegativeBinomialFit<'_> {
    type Variance = VarianceType;

    fn parameter_names(&self) -> Vec<String> {
        self.fit.parameter_names()
    }

    fn estimates(&self) -> Array1<f64> {
        self.fit.estimates()
    }

    fn covariance(&self, variance: VarianceType) -> Result<Array2<f64>> {
        self.fit.covariance(variance)
    }

    /// `None` for probability weights, which have none.
    fn log_likelihood(&self) -> Option<f64> {
        (!matches!(self.model.weights, Weights::Probability(_))).then(|| self.maximum())
    }

    fn n_parameters(&self) -> usize {
        self.fit.rank() + usize::from(self.overdispersion.is_some())
    }

    fn n(&self) -> f64 {
        self.fit.n()
    }
}
