use crate::compute::curve::Inference;
use crate::compute::hypothesis::WaldTest;
use crate::compute::linalg::Cholesky;
use crate::compute::reference_distribution::check_level;
use crate::error::{Error, ErrorKind, Result, counted, number};
use ndarray::{Array1, Array2, Axis};
use serde::{Deserialize, Serialize};

/// Estimates of one quantity from several imputed data sets, with their variances.
///
/// # Formula
///
/// Rubin's rules for `m` imputations with estimates `q_i` and variances `u_i`:
///
/// ```text
/// Q = mean q_i,   W = mean u_i,   B = sum (q_i - Q)^2 / (m - 1),   T = W + (1 + 1/m) B
/// r = (1 + 1/m) B / W,   lambda = (1 + 1/m) B / T,   df_old = (m - 1) / lambda^2
/// df_obs = (d + 1) / (d + 3) d (1 - lambda)          d those of the complete data
/// df = df_old df_obs / (df_old + df_obs)             df_old where d is not given
/// fraction of missing information  (r + 2 / (df + 3)) / (1 + r)
/// ```
///
/// # Assumptions
/// Proper imputations: parameters are drawn, too.
///
/// # Errors
/// Of [`Imputations::new`]: fewer than two imputations, lists of unequal length, variances that are not above zero.
///
/// # Examples
/// ```
/// use armwise::missing::Imputations;
///
/// let estimates = [0.21, 0.25, 0.18, 0.23, 0.20];
/// let variances = [0.0049, 0.0052, 0.0050, 0.0047, 0.0051];
/// let combined = Imputations::new(&estimates, &variances)?.combine(0.95)?;
/// assert!((combined.inference.value() - 0.214).abs() < 1e-12);
/// assert!(combined.fraction_of_missing_information.unwrap() > combined.lambda);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Rubin (1987), Multiple Imputation for Nonresponse in Surveys. Barnard & Rubin (1999), Biometrika 86:948.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Imputations {
    estimates: Vec<f64>,
    variances: Vec<f64>,
    complete_df: Option<f64>,
}

checked!(Imputations);

/// What imputations say together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CombinedImputations {
    /// The effect with its confidence curve: Student's t on the degrees of freedom of the imputations, normal where
    /// these are infinite.
    pub inference: Inference,
    /// The mean of the variances.
    pub within_variance: f64,
    /// The variance of the estimates.
    pub between_variance: f64,
    /// Their sum, the latter with the factor 1 + 1/m.
    pub total_variance: f64,
    /// The relative increase of the variance by what is missing.
    pub relative_increase: f64,
    /// The share of the variance that is between imputations.
    pub lambda: f64,
    /// Rubin's degrees of freedom, of complete data without end; `None` where they are infinite: all imputations agree.
    pub rubin_df: Option<f64>,
    /// The fraction of missing information; `None` where all imputations agree and the degrees of freedom are infinite.
    pub fraction_of_missing_information: Option<f64>,
}

impl Imputations {
    /// Estimates with their variances.
    ///
    /// # Errors
    /// See [`Imputations`].
    pub fn new(estimates: &[f64], variances: &[f64]) -> Result<Self> {
        let all = Self { estimates: estimates.to_vec(), variances: variances.to_vec(), complete_df: None };
        all.check()?;
        Ok(all)
    }

    /// The degrees of freedom that the analysis has of complete data, for those of Barnard and Rubin; default: without
    /// end.
    ///
    /// # Errors
    /// Degrees of freedom that are not above zero.
    pub fn complete_df(mut self, df: f64) -> Result<Self> {
        self.complete_df = Some(df).filter(|df| df.is_finite());
        if df > 0.0 {
            return Ok(self);
        }
        Err(Error::invalid(format!("the degrees of freedom are {}; give a number above zero", number(df))))
    }

    /// The answer of all imputations.
    ///
    /// # Errors
    /// A level that is not between 0 and 1.
    pub fn combine(&self, level: f64) -> Result<CombinedImputations> {
        check_level(level)?;
        let m = self.estimates.len() as f64;
        let mean = |values: &[f64]| values.iter().map(|x| x / m).sum::<f64>();
        let first = mean(&self.estimates);
        let estimate = first + self.estimates.iter().map(|x| (x - first) / m).sum::<f64>();
        let within = mean(&self.variances);
        let between = self.estimates.iter().map(|x| (x - estimate).powi(2)).sum::<f64>() / (m - 1.0);
        let extra = (1.0 + 1.0 / m) * between;
        let total = within + extra;
        let (increase, lambda) = (extra / within, extra / total);
        let rubin = (m - 1.0) / (lambda * lambda);
        let df = match self.complete_df {
            None => rubin,
            Some(complete) => {
                let observed = (complete + 1.0) / (complete + 3.0) * complete * (1.0 - lambda);
                // Of complete agreement those of the data alone.
                if rubin.is_finite() { rubin * observed / (rubin + observed) } else { observed }
            }
        };
        let inference = Inference::wald(estimate, total.sqrt(), Some(df).filter(|df| *df < 1e16), level)?;
        let fraction = (increase + 2.0 / (df + 3.0)) / (1.0 + increase);
        Ok(CombinedImputations {
            inference,
            within_variance: within,
            between_variance: between,
            total_variance: total,
            relative_increase: increase,
            lambda,
            rubin_df: Some(rubin).filter(|df| df.is_finite()),
            fraction_of_missing_information: df.is_finite().then_some(fraction),
        })
    }

    fn check(&self) -> Result<()> {
        let Self { estimates, variances, .. } = self;
        enough(estimates.len(), variances.len())?;
        let large = |x: &f64| x.abs() <= 1e150;
        if let Some(bad) = variances.iter().find(|v| !(**v >= 1e-300 && large(v))) {
            return Err(Error::invalid(format!(
                "a variance is {}; give numbers above zero, from 1e-300 to 1e150",
                number(*bad)
            )));
        }
        if let Some(bad) = estimates.iter().find(|x| !large(x)) {
            return Err(Error::invalid(format!(
                "an estimate is {}; give finite numbers up to 1e150",
                number(*bad)
            )));
        }
        Ok(())
    }
}

/// Two imputations or more, each with both.
fn enough(estimates: usize, variances: usize) -> Result<()> {
    if estimates != variances {
        return Err(Error::invalid(format!(
            "{} with {}; give both for every imputation",
            counted(estimates, "estimate"),
            counted(variances, "variance")
        )));
    }
    if estimates < 2 {
        let why =
            "one imputation says nothing of what is missing; make at least two, better 20 or more".to_owned();
        return Err(ErrorKind::InsufficientObservations(why).into());
    }
    Ok(())
}

/// Several quantities from several imputed data sets, and the joint test that all are zero (D1).
///
/// # Formula
///
/// With mean `Q` of the `k` estimates, `W` the mean of their covariances and `B` the covariance of the estimates:
///
/// ```text
/// r = (1 + 1/m) tr(B W^-1) / k,   D1 = Q' W^-1 Q / (k (1 + r)),   t = k (m - 1)
/// df2 = 4 + (t - 4) (1 + (1 - 2/t) / r)^2    where t > 4,   else t (1 + 1/k) (1 + 1/r)^2 / 2
/// ```
///
/// D1 is F on k and df2.
///
/// # Errors
/// Of [`JointImputations::new`]: fewer than two imputations, other numbers of quantities, a mean covariance that cannot be
/// inverted.
///
/// # Examples
/// ```
/// use armwise::missing::JointImputations;
/// use armwise::ndarray::array;
///
/// let covariance = array![[0.02, 0.0], [0.0, 0.03]];
/// let estimates = [array![0.3, 0.2], array![0.1, 0.3], array![0.2, 0.4]];
/// let joint = JointImputations::new(&estimates, &vec![covariance; 3])?;
/// assert!((joint.estimates[0] - 0.2).abs() < 1e-15 && joint.test.p_value < 0.5);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Li, Raghunathan & Rubin (1991), JASA 86:1065.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JointImputations {
    /// The means of the estimates, k.
    pub estimates: Array1<f64>,
    /// The mean covariance, k x k.
    pub within: Array2<f64>,
    /// The covariance of the estimates, k x k.
    pub between: Array2<f64>,
    /// Their sum, the latter with the factor 1 + 1/m, k x k.
    pub total: Array2<f64>,
    /// The mean relative increase of the variance.
    pub relative_increase: f64,
    /// D1; chi-squared where all imputations agree, so that the degrees of freedom of the denominator have no end.
    pub test: WaldTest,
}

impl JointImputations {
    /// The estimates of every imputation with their covariance.
    ///
    /// # Errors
    /// See [`JointImputations`].
    pub fn new(estimates: &[Array1<f64>], covariances: &[Array2<f64>]) -> Result<Self> {
        enough(estimates.len(), covariances.len())?;
        let k = estimates[0].len();
        let alike =
            estimates.iter().all(|one| one.len() == k) && covariances.iter().all(|one| one.dim() == (k, k));
        let finite = estimates.iter().flatten().chain(covariances.iter().flatten()).all(|x| x.abs() <= 1e150);
        if k == 0 || !alike || !finite {
            return Err(Error::invalid(format!(
                "imputations with other numbers of estimates than {k}, or with numbers that are not finite; give the same quantities of \
                 every imputation"
            )));
        }
        let m = estimates.len() as f64;
        let mean = estimates.iter().fold(Array1::zeros(k), |sum: Array1<f64>, one| sum + one) / m;
        let within = covariances.iter().fold(Array2::zeros((k, k)), |sum: Array2<f64>, one| sum + one) / m;
        let mut between = Array2::zeros((k, k));
        for one in estimates {
            let apart = (one - &mean).insert_axis(Axis(1));
            between += &apart.dot(&apart.t());
        }
        between /= m - 1.0;
        let total = &within + &between * (1.0 + 1.0 / m);
        let Some(factor) = Cholesky::new(within.view()) else {
            let why =
                "the mean covariance of the imputations is that of no estimates; check its order and signs";
            return Err(ErrorKind::NegativeVariance(why.to_owned()).into());
        };
        let trace: f64 =
            between.columns().into_iter().enumerate().map(|(j, column)| factor.solve(column)[j]).sum();
        let size = k as f64;
        let r = (1.0 + 1.0 / m) * trace / size;
        let statistic = mean.dot(&factor.solve(mean.view())) / (size * (1.0 + r));
        let t = size * (m - 1.0);
        let df2 = if t > 4.0 {
            4.0 + (t - 4.0) * (1.0 + (1.0 - 2.0 / t) / r).powi(2)
        } else {
            0.5 * t * (1.0 + 1.0 / size) * (1.0 + 1.0 / r).powi(2)
        };
        let test = WaldTest::new(statistic * size, size, Some(df2).filter(|df2| *df2 < 1e16))?;
        Ok(Self { estimates: mean, within, between, total, relative_increase: r, test })
    }
}
