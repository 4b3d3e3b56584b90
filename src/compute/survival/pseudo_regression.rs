use super::data::codes;
use super::discrete_time::dense;
use crate::compute::fitted::Fitted;
use crate::compute::linalg::{Cholesky, aliased_columns, symmetrised};
use crate::compute::regression::ModelMatrix;
use crate::compute::words::words;
use crate::error::{Collinearity, Error, ErrorKind, Result};
use ndarray::{Array1, Array2, ArrayView2};
use serde::{Deserialize, Serialize};

/// The function of a mean that a regression of pseudo-values takes to be linear.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PseudoLink {
    /// The mean: coefficients are differences.
    #[default]
    Identity,
    /// Its logarithm: coefficients are log ratios.
    Log,
    /// `ln(-ln(1 - mean))`: of a cumulative incidence, log ratios of subdistribution hazards; of one minus a
    /// survival probability, log hazard ratios.
    ComplementaryLogLog,
}

words! { PseudoLink {
    Identity => "identity",
    Log => "log",
    ComplementaryLogLog => "complementary log-log",
} }

impl PseudoLink {
    fn link(self, mean: f64) -> f64 {
        match self {
            Self::Identity => mean,
            Self::Log => mean.ln(),
            Self::ComplementaryLogLog => (-(-mean).ln_1p()).ln(),
        }
    }

    /// The mean and its derivative.
    fn mean(self, eta: f64) -> (f64, f64) {
        match self {
            Self::Identity => (eta, 1.0),
            Self::Log => (eta.exp(), eta.exp()),
            Self::ComplementaryLogLog => (-(-eta.exp()).exp_m1(), (eta - eta.exp()).exp()),
        }
    }
}

/// A regression of pseudo-values at one or several horizons, with an intercept for each and effects in common.
///
/// # Formula
/// `sum (dmu/db) (pseudo - mu) = 0` over people and horizons: a constant variance, and horizons of a person taken
/// as independent in the estimate. The variance is the sandwich with a person (or a cluster) as one unit. It
/// ignores that pseudo-values depend on each other, which makes it slightly too large (Jacobsen & Martinussen
/// 2016, Scandinavian Journal of Statistics 43:845).
///
/// # References
/// Andersen PK, Klein JP, Rosthoj S (2003), Biometrika 90:15. Klein JP, Andersen PK (2005), Biometrics 61:223.
/// Overgaard M, Parner ET, Pedersen J (2017), Annals of Statistics 45:1988.
///
/// ```
/// use armwise::ndarray::{Array2, array};
/// use armwise::regression::{Fitted, ModelMatrix};
/// use armwise::survival::{
///     PseudoRegression, PseudoValue, SurvivalData, SurvivalQuantity, pseudo_values,
/// };
///
/// let data = SurvivalData::new(
///     &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0],
///     &[1, 1, 0, 2, 1, 0, 1, 2],
/// )?;
/// let wanted = SurvivalQuantity::CumulativeIncidence { cause: 1, at: 5.0 };
/// let values =
///     Array2::from_shape_vec((8, 1), pseudo_values(&data, wanted, PseudoValue::Jackknife)?)
///         .expect("8 x 1");
/// let arm = array![0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0];
/// let matrix = ModelMatrix::new(8).numeric("arm", arm.view())?;
/// let fit = PseudoRegression::new().fit(values.view(), &matrix)?;
/// assert_eq!(fit.parameter_names(), ["intercept", "arm"]);
/// assert!(fit.table((), 0.95)?[1].interval.contains(0.0));
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct PseudoRegression<'a> {
    link: PseudoLink,
    clusters: Option<&'a [u32]>,
    no_intercepts: bool,
}

/// A fitted regression of pseudo-values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PseudoRegressionFit {
    /// The link.
    pub link: PseudoLink,
    /// The number of intercepts, which come before the coefficients of the covariates.
    pub intercepts: usize,
    /// The number of people.
    pub n: usize,
    names: Vec<String>,
    parameters: Array1<f64>,
    covariance: Array2<f64>,
}

impl<'a> PseudoRegression<'a> {
    /// With the identity link, and each person as a cluster.
    pub fn new() -> Self {
        Self::default()
    }

    /// The link. Default: [`PseudoLink::Identity`].
    #[must_use]
    pub fn link(mut self, link: PseudoLink) -> Self {
        self.link = link;
        self
    }

    /// The cluster of each person, counted from 0. Default: each its own.
    #[must_use]
    pub fn clusters(mut self, clusters: &'a [u32]) -> Self {
        self.clusters = Some(clusters);
        self
    }

    /// Without intercepts of the horizons: the matrix has its own, such as one for each municipality.
    #[must_use]
    pub fn without_intercepts(mut self) -> Self {
        self.no_intercepts = true;
        self
    }

    /// Fits the model to pseudo-values of people (rows) at horizons (columns).
    ///
    /// # Errors
    /// `invalid_input` for shapes that differ and values that are not finite; `collinear`; `not_estimable` where a
    /// mean is outside the range of the link; `not_converged`.
    pub fn fit(&self, values: ArrayView2<f64>, matrix: &ModelMatrix) -> Result<PseudoRegressionFit> {
        let (n, horizons) = values.dim();
        if n == 0 || horizons == 0 || matrix.nrows() != n {
            return Err(Error::invalid(format!(
                "the pseudo-values are {n} x {horizons}, the rows of covariates {}; give a row for each person and a column for each horizon",
                matrix.nrows()
            )));
        }
        if let Some(row) =
            values.rows().into_iter().position(|row| row.iter().any(|value| !value.is_finite()))
        {
            return Err(Error::invalid("a pseudo-value is not finite; leave the row out").in_row(row));
        }
        matrix.validate(|_, _| ())?;
        let clusters: Vec<u32> = match self.clusters {
            Some(clusters) => {
                codes("clusters", clusters, n)?;
                clusters.to_vec()
            }
            None => (0..n).map(super::grid::code).collect(),
        };
        let x = dense(matrix);
        let intercepts = if self.no_intercepts { 0 } else { horizons };
        let q = intercepts + x.ncols();
        let mut names: Vec<String> = match intercepts {
            1 => vec!["intercept".to_owned()],
            _ => (1..=intercepts).map(|h| format!("intercept {h}")).collect(),
        };
        names.extend(matrix.names().iter().cloned());
        let one_horizon = Array2::from_shape_fn((n, usize::from(intercepts > 0) + x.ncols()), |(i, j)| {
            if intercepts == 0 {
                x[[i, j]]
            } else if j == 0 {
                1.0
            } else {
                x[[i, j - 1]]
            }
        });
        let aliased = aliased_columns(one_horizon.view());
        if !aliased.is_empty() {
            let first = usize::from(intercepts > 0);
            let components = aliased
                .into_iter()
                .map(|j| if j < first { "intercept".to_owned() } else { matrix.names()[j - first].clone() });
            return Err(ErrorKind::Collinear {
                what: Collinearity::Covariates,
                components: components.collect(),
            }
            .into());
        }
        let mut parameters = Array1::<f64>::zeros(q);
        for h in 0..intercepts {
            let start = self.link.link(values.column(h).mean().unwrap_or(0.0));
            if !start.is_finite() {
                return Err(ErrorKind::NotEstimable(format!(
                    "the mean of the pseudo-values at the horizon {h} is outside the range of the {} link; take the identity",
                    self.link
                ))
                .into());
            }
            parameters[h] = start;
        }
        let problem = Problem { link: self.link, values, x: &x, intercepts };
        let mut now = problem.evaluate(&parameters);
        let beyond = || {
            Error::from(ErrorKind::NotConverged(
                "the regression of pseudo-values did not converge; take the identity link, or fewer covariates".to_owned(),
            ))
        };
        for _ in 0..2000 {
            let factor = Cholesky::new(now.products.view()).ok_or_else(beyond)?;
            let step = factor.solve(now.score.view());
            let gain = step.dot(&now.score);
            if gain <= 1e-24 * (1.0 + now.squares) {
                let covariance = problem.covariance(&parameters, &factor, &clusters);
                return Ok(PseudoRegressionFit {
                    link: self.link,
                    intercepts,
                    n,
                    names,
                    parameters,
                    covariance,
                });
            }
            let mut length = 1.0;
            loop {
                let trial = &parameters + &(&step * length);
                let next = problem.evaluate(&trial);
                if next.squares <= now.squares * (1.0 + 1e-14) {
                    (parameters, now) = (trial, next);
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
}

struct Problem<'p> {
    link: PseudoLink,
    values: ArrayView2<'p, f64>,
    x: &'p Array2<f64>,
    intercepts: usize,
}

/// The sum of squares, `D'(y - mu)` and `D'D`.
struct Evaluation {
    squares: f64,
    score: Array1<f64>,
    products: Array2<f64>,
}

impl Problem<'_> {
    /// Calls `with` for each person and horizon: the derivative of the mean, and the residual.
    fn for_each(&self, parameters: &Array1<f64>, mut with: impl FnMut(usize, &Array1<f64>, f64)) {
        let mut slope = Array1::<f64>::zeros(parameters.len());
        for (i, row) in self.x.rows().into_iter().enumerate() {
            let own: f64 = row.iter().zip(parameters.iter().skip(self.intercepts)).map(|(x, b)| x * b).sum();
            for h in 0..self.values.ncols() {
                let intercept = if self.intercepts > 0 { parameters[h] } else { 0.0 };
                let (mean, derivative) = self.link.mean(own + intercept);
                slope.fill(0.0);
                if self.intercepts > 0 {
                    slope[h] = derivative;
                }
                row.iter().enumerate().for_each(|(j, x)| slope[self.intercepts + j] = derivative * x);
                with(i, &slope, self.values[[i, h]] - mean);
            }
        }
    }

    fn evaluate(&self, parameters: &Array1<f64>) -> Evaluation {
        let q = parameters.len();
        let mut all = Evaluation { squares: 0.0, score: Array1::zeros(q), products: Array2::zeros((q, q)) };
        self.for_each(parameters, |_, slope, residual| {
            all.squares += residual * residual;
            all.score.scaled_add(residual, slope);
            for i in 0..q {
                for j in 0..q {
                    all.products[[i, j]] += slope[i] * slope[j];
                }
            }
        });
        if !all.squares.is_finite() {
            all.squares = f64::INFINITY;
        }
        all
    }

    fn covariance(&self, parameters: &Array1<f64>, factor: &Cholesky, clusters: &[u32]) -> Array2<f64> {
        let count = clusters.iter().max().map_or(0, |code| *code as usize + 1);
        let mut sums = Array2::<f64>::zeros((count, parameters.len()));
        self.for_each(parameters, |i, slope, residual| {
            let mut sum = sums.row_mut(clusters[i] as usize);
            sum.scaled_add(residual, slope);
        });
        let moved = sums.dot(&factor.inverse());
        symmetrised(moved.t().dot(&moved))
    }
}

/// Normal distribution.
impl Fitted for PseudoRegressionFit {
    type Variance = ();

    fn parameter_names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn estimates(&self) -> Array1<f64> {
        self.parameters.clone()
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
