use super::wave_means::WaveMeans;
use super::waves::Waves;
use super::working_correlation::{CorrelationMoments, WorkingCorrelation, matrix, moments};
use crate::compute::linalg::{Cholesky, SymmetricEigen, submatrix, symmetrised};
use crate::compute::regression::{Curve, Family, Fitted, Glm, Link, ModelMatrix};
use crate::error::{Error, ErrorKind, Result, counted};
use ndarray::{Array1, Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Generalised estimating equations: the means of outcomes that are correlated within units.
///
/// # Formula
/// `sum_i D_i' V_i^-1 (y_i - mu_i) = 0` with `D_i = d mu_i / d beta`, `V_i = A_i^1/2 R_i A_i^1/2`, `A` the
/// variance function, and `R_i` the rows and columns of the working correlation at the waves of unit `i`. Its
/// parameters and the scale `phi` are moments of the Pearson residuals at the estimates
/// ([`CorrelationMoments`]), both iterated until a step is below 1e-12 of a coefficient.
///
/// # Assumptions
/// Units are independent. Missing outcomes are missing completely at random given the covariates, where the
/// working correlation is not the true one.
///
/// # References
/// Liang KY, Zeger SL (1986), Biometrika 73:13. Mancl LA, DeRouen TA (2001), Biometrics 57:126. Kauermann G,
/// Carroll RJ (2001), Journal of the American Statistical Association 96:1387.
///
/// ```
/// use armwise::longitudinal::{
///     EquationsVariance, EstimatingEquations, WaveMeans, Waves, WorkingCorrelation,
/// };
/// use armwise::regression::Family;
///
/// let works = [0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0];
/// let unit = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5];
/// let wave = [1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2];
/// let waves = Waves::new(&works, &unit, &wave)?;
/// let means = WaveMeans::new(&waves, 2, &[0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1])?;
/// let working = WorkingCorrelation::Exchangeable;
/// let equations = EstimatingEquations::new(Family::Binomial, working);
/// let fit = equations.fit_means(&means)?;
/// // Everybody answers every wave: odds ratios of shares, whatever the correlation.
/// assert!((fit.coefficients[2] - 4_f64.ln()).abs() < 1e-9);
/// let small = fit.covariance(EquationsVariance::ManclDeRouen)?;
/// assert!(small[[2, 2]] > fit.covariance(EquationsVariance::Robust)?[[2, 2]]);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EstimatingEquations {
    family: Family,
    correlation: WorkingCorrelation,
    moments: CorrelationMoments,
}

/// The covariance of the coefficients of estimating equations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EquationsVariance {
    /// `phi M`, `M = (sum D'V^-1 D)^-1`: right where the working correlation is.
    Model,
    /// `M {sum D'V^-1 r r'V^-1 D} M` (Liang & Zeger 1986), without a factor for few units.
    Robust,
    /// Robust with `(I - H)^-1 r` for `r`, `H = D M D'V^-1` (Mancl & DeRouen 2001): for few units, on the
    /// safe side.
    #[default]
    ManclDeRouen,
    /// Robust with `(I - H)^-1/2 r` for `r` (Kauermann & Carroll 2001): for few units, unbiased where the
    /// working correlation is right.
    KauermannCarroll,
}

impl EquationsVariance {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Model, Self::Robust, Self::ManclDeRouen, Self::KauermannCarroll];
}

impl std::fmt::Display for EquationsVariance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Model => "model-based",
            Self::Robust => "robust",
            Self::ManclDeRouen => "Mancl-DeRouen",
            Self::KauermannCarroll => "Kauermann-Carroll",
        })
    }
}

/// Fitted [`EstimatingEquations`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EquationsFit {
    /// The names of the coefficients.
    pub names: Vec<String>,
    /// The coefficients.
    pub coefficients: Array1<f64>,
    /// The scale `phi`.
    pub scale: f64,
    /// The parameters of the working correlation: none, one, or one for each pair of waves, (2, 1), (3, 1),
    /// ..., (3, 2), ....
    pub correlation: Vec<f64>,
    /// The number of outcomes.
    pub n: usize,
    /// The number of units.
    pub units: usize,
    /// The number of iterations.
    pub iterations: usize,
    /// `M`.
    bread: Array2<f64>,
    /// `D` and `r` of each unit, multiplied by a root of `V^-1`.
    whitened: Vec<(Array2<f64>, Array1<f64>)>,
}

const MOST_ITERATIONS: usize = 500;

impl EstimatingEquations {
    /// With the default link of this family, and this working correlation; moments divided by counts.
    pub fn new(family: Family, correlation: WorkingCorrelation) -> Self {
        Self { family, correlation, moments: CorrelationMoments::Counts }
    }

    setters! {
        /// How scale and correlation are made from residuals; default: [`CorrelationMoments::Counts`].
        moments: CorrelationMoments;
    }

    /// The fit of means by group and wave.
    ///
    /// # Errors
    /// As [`EstimatingEquations::fit`].
    pub fn fit_means(&self, means: &WaveMeans) -> Result<EquationsFit> {
        self.fit(means.waves(), means.design().view(), &means.names())
    }

    /// The fit of a design matrix with one row for each outcome, in the order in which they were given.
    ///
    /// # Errors
    /// `rank_deficient` and `separation` as those of a generalised linear model; `invalid_input` for a family
    /// without such equations here (Gaussian, binomial and Poisson have them), all pairs of another
    /// correlation than AR(1), and other shapes; `insufficient_observations` where no unit has two waves that
    /// a correlation needs; `not_estimable` where the working correlation is none; `not_converged`.
    pub fn fit(&self, waves: &Waves, design: ArrayView2<f64>, names: &[String]) -> Result<EquationsFit> {
        if !matches!(self.family, Family::Gaussian | Family::Binomial | Family::Poisson) {
            return Err(Error::invalid(
                "estimating equations are here of the families Gaussian, Binomial and Poisson; take one of them",
            ));
        }
        if self.moments == CorrelationMoments::AllPairs
            && self.correlation != WorkingCorrelation::Autoregressive
        {
            let why = format!(
                "moments of all pairs are those of an AR(1) working correlation, not of {}; take CorrelationMoments::Counts",
                self.correlation
            );
            return Err(Error::invalid(why));
        }
        let p = names.len();
        if design.dim() != (waves.n(), p) || p == 0 {
            let why = format!(
                "the design has {} and {}; give a row for each of {}, and a name for each column",
                counted(design.nrows(), "row"),
                counted(design.ncols(), "column"),
                counted(waves.n(), "outcome")
            );
            return Err(Error::invalid(why));
        }
        let outcomes = Array1::from(waves.outcome.to_vec());
        let mut beta = self.start(&outcomes, design, names)?;
        let curve = Curve::new(self.family, self.family.default_link())?;
        let rows = Rows { waves, design, curve };
        let mut iterations = 0;
        loop {
            let step = self.step(&rows, &beta)?;
            let change = step.bread.dot(&step.score);
            let done = change.iter().zip(&beta).zip(step.bread.diag()).all(|((change, beta), variance)| {
                change.abs() <= 1e-12 * (beta.abs() + (variance * step.scale).sqrt())
            });
            beta += &change;
            iterations += 1;
            if !beta.iter().all(|b| b.is_finite()) || (iterations >= MOST_ITERATIONS && !done) {
                let why = "the estimating equations have no solution that the iteration could reach; take \
                           WorkingCorrelation::Exchangeable or WorkingCorrelation::Independence";
                return Err(ErrorKind::NotConverged(why.to_owned()).into());
            }
            if done {
                break;
            }
        }
        let Step { scale, correlation, bread, whitened, .. } = self.step(&rows, &beta)?;
        let (n, units) = (waves.n(), waves.n_units());
        Ok(EquationsFit {
            names: names.to_vec(),
            coefficients: beta,
            scale,
            correlation,
            n,
            units,
            iterations,
            bread,
            whitened,
        })
    }

    /// The coefficients of independent outcomes, with the refusals of that model.
    fn start(
        &self,
        outcomes: &Array1<f64>,
        design: ArrayView2<f64>,
        names: &[String],
    ) -> Result<Array1<f64>> {
        let columns: Vec<Array1<f64>> =
            design.columns().into_iter().map(|column| column.to_owned()).collect();
        let mut matrix = ModelMatrix::new(outcomes.len());
        for (name, column) in names.iter().zip(&columns) {
            matrix = matrix.numeric(name, column.view())?;
        }
        Ok(Glm::new(self.family).fit(&matrix, outcomes)?.estimates())
    }

    /// Scale, correlation, score and its information at these coefficients.
    fn step(&self, rows: &Rows, beta: &Array1<f64>) -> Result<Step> {
        let terms = rows.at(beta)?;
        let numbers = rows.waves.numbers();
        let by_unit: Vec<(Vec<usize>, Vec<f64>)> = (rows.waves.units().iter())
            .map(|own| {
                let residuals = own.iter().map(|(row, _)| terms.residuals[*row]).collect();
                (own.iter().map(|(_, place)| *place).collect(), residuals)
            })
            .collect();
        let views: Vec<(&[usize], &[f64])> =
            by_unit.iter().map(|(places, own)| (&places[..], &own[..])).collect();
        let (scale, parameters) = moments(&views, self.correlation, self.moments, numbers, beta.len())?;
        let whole = matrix(self.correlation, &parameters, numbers);
        let mut whiteners: BTreeMap<&[usize], Array2<f64>> = BTreeMap::new();
        let p = beta.len();
        let (mut information, mut score) = (Array2::<f64>::zeros((p, p)), Array1::<f64>::zeros(p));
        let mut whitened = Vec::with_capacity(views.len());
        for (&(places, own), rows) in views.iter().zip(rows.waves.units()) {
            if !whiteners.contains_key(places) {
                let factor = Cholesky::new(submatrix(whole.view(), places).view()).ok_or_else(|| {
                    let why = format!(
                        "the moments of the residuals give no {} correlation matrix: one of its eigenvalues is not above 0; take \
                         WorkingCorrelation::Exchangeable or WorkingCorrelation::Independence",
                        self.correlation
                    );
                    Error::from(ErrorKind::NotEstimable(why))
                })?;
                whiteners.insert(places, factor.whitener());
            }
            let root = &whiteners[places];
            let chosen: Vec<usize> = rows.iter().map(|(row, _)| *row).collect();
            let d = root.dot(&terms.derivatives.select(Axis(0), &chosen));
            let r = root.dot(&Array1::from(own.to_vec()));
            information += &d.t().dot(&d);
            score += &d.t().dot(&r);
            whitened.push((d, r));
        }
        let factor = Cholesky::new(information.view()).ok_or_else(|| {
            let why = "the information of the coefficients vanishes: fitted means are on the edge of their range; leave covariates out";
            Error::from(ErrorKind::NotEstimable(why.to_owned()))
        })?;
        Ok(Step { scale, correlation: parameters, bread: factor.inverse(), score, whitened })
    }
}

/// The rows of the equations.
struct Rows<'a> {
    waves: &'a Waves<'a>,
    design: ArrayView2<'a, f64>,
    curve: Curve,
}

/// Pearson residuals, and the derivatives of means over their standard deviations.
struct Terms {
    residuals: Vec<f64>,
    derivatives: Array2<f64>,
}

struct Step {
    scale: f64,
    correlation: Vec<f64>,
    bread: Array2<f64>,
    score: Array1<f64>,
    whitened: Vec<(Array2<f64>, Array1<f64>)>,
}

impl Rows<'_> {
    fn at(&self, beta: &Array1<f64>) -> Result<Terms> {
        let eta = self.design.dot(beta);
        let mut derivatives = self.design.to_owned();
        let mut residuals = Vec::with_capacity(eta.len());
        for (row, &eta) in eta.iter().enumerate() {
            let (mean, slope) = (self.curve.mean(eta), self.curve.derivatives(eta)[0]);
            let sd =
                if self.curve.link == Link::Identity { 1.0 } else { self.curve.variance.of(mean).sqrt() };
            if !(sd > 0.0 && sd.is_finite() && slope.is_finite()) {
                let why = "a fitted mean is on the edge of its range; take WorkingCorrelation::Independence, or leave covariates out";
                return Err(ErrorKind::NotConverged(why.to_owned()).into());
            }
            residuals.push((self.waves.outcome[row] - mean) / sd);
            derivatives.row_mut(row).mapv_inplace(|x| x * slope / sd);
        }
        Ok(Terms { residuals, derivatives })
    }
}

impl EquationsFit {
    /// The covariance of the coefficients.
    ///
    /// # Errors
    /// `insufficient_observations` where a unit alone determines a coefficient, for the variances of few
    /// units.
    pub fn covariance(&self, variance: EquationsVariance) -> Result<Array2<f64>> {
        if variance == EquationsVariance::Model {
            return Ok(&self.bread * self.scale);
        }
        let p = self.coefficients.len();
        let mut meat = Array2::<f64>::zeros((p, p));
        for (d, r) in &self.whitened {
            let residuals = if variance == EquationsVariance::Robust {
                r.clone()
            } else {
                // H is similar to the symmetric D M D' of whitened rows.
                let kept = Array2::eye(r.len()) - d.dot(&self.bread).dot(&d.t());
                let eigen = SymmetricEigen::new(symmetrised(kept).view());
                if eigen.values.iter().any(|value| *value < 1e-9) {
                    let why = format!(
                        "a unit alone determines a coefficient, so that there is no {variance} variance; take \
                         EquationsVariance::Robust, or leave the covariate out"
                    );
                    return Err(ErrorKind::InsufficientObservations(why).into());
                }
                let power = if variance == EquationsVariance::ManclDeRouen { -1.0 } else { -0.5 };
                eigen.map(|value| value.powf(power)).dot(r)
            };
            let score = d.t().dot(&residuals);
            for i in 0..p {
                meat.row_mut(i).scaled_add(score[i], &score);
            }
        }
        Ok(symmetrised(self.bread.dot(&meat).dot(&self.bread)))
    }
}
