use crate::compute::hypothesis::{ChiSquaredTest, FTest};
use crate::compute::linalg::Cholesky;
use crate::compute::regression::{Family, Glm, ModelMatrix};
use crate::error::{Error, ErrorKind, Result, counted};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, concatenate};
use serde::{Deserialize, Serialize};

/// All covariates of two arms together.
///
/// # Formula
///
/// With `d` the difference of the mean vectors of `p` covariates, `S` the pooled covariance within arms, `S_all` that
/// of everybody (both with divisors n - 2 and n - 1):
///
/// ```text
/// Mahalanobis   sqrt(d' S^-1 d)
/// Hotelling     T2 = n1 n0 / n d' S^-1 d,   F = (n - p - 1) / ((n - 2) p) T2 on p, n - p - 1
/// Hansen-Bowers d2 = n1 n0 / n d' S_all^-1 d    chi-squared on p
/// ```
///
/// F is also that of the regression of the arm on the covariates. The likelihood-ratio test is that of the logistic
/// one.
///
/// # Errors
/// Of [`JointBalance::new`]: `rank_deficient` for covariates of which one is a combination of others,
/// `insufficient_observations` for fewer people than covariates + 2, and what [`Glm::fit`] refuses.
///
/// # Examples
/// One covariate: Hotelling's is the square of Student's t.
/// ```
/// use armwise::balance::JointBalance;
/// use armwise::ndarray::array;
///
/// let treatment = array![[34.0], [41.0], [28.0], [51.0]];
/// let control = array![[39.0], [44.0], [30.0], [36.0]];
/// let joint = JointBalance::new(treatment.view(), control.view())?;
/// assert!((joint.hotelling_t2 - joint.hotelling.statistic).abs() < 1e-12);
/// assert!(joint.hotelling.p_value > 0.5);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Hotelling (1931), Annals of Mathematical Statistics 2:360. Hansen & Bowers (2008), Statistical Science 23:219.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JointBalance {
    /// The distance of the means, in standard deviations.
    pub mahalanobis: f64,
    /// Hotelling's T squared.
    pub hotelling_t2: f64,
    /// Its F.
    pub hotelling: FTest,
    /// Hansen and Bowers's d squared: asymptotic under randomisation itself.
    pub hansen_bowers: ChiSquaredTest,
    /// The likelihood-ratio test of a logistic regression of the arm on the covariates; `None` where they separate
    /// the arms.
    pub likelihood_ratio: Option<ChiSquaredTest>,
}

/// All covariates of several arms together.
///
/// # Formula
///
/// With `E` and `H` the sums of squares and products within and between `g` arms of `n` people, `q = g - 1`,
/// `v = n - g`:
///
/// ```text
/// Wilks   L = |E| / |E + H|,   F = (1 - L^(1/t)) / L^(1/t) df2 / df1,
///         df1 = p q,   df2 = w t - (p q - 2) / 2,   w = v + q - (p + q + 1) / 2,
///         t = sqrt((p^2 q^2 - 4) / (p^2 + q^2 - 5)), 1 where p^2 + q^2 is 5 or less
/// Pillai  V = tr(H (E + H)^-1),   F = V / (s - V) (2 b + s + 1) / (2 a + s + 1),
///         df1 = s (2 a + s + 1),   df2 = s (2 b + s + 1),
///         s = min(p, q),   a = (|p - q| - 1) / 2,   b = (v - p - 1) / 2
/// ```
///
/// # Errors
/// Of [`Manova::new`]: fewer than two arms, an arm without people, arms with other numbers of covariates,
/// `rank_deficient`, `insufficient_observations`.
///
/// # Examples
/// Two arms: both are Hotelling's.
/// ```
/// use armwise::balance::{JointBalance, Manova};
/// use armwise::ndarray::array;
///
/// let a = array![[1.0, 2.0], [2.0, 1.0], [4.0, 3.0]];
/// let b = array![[2.0, 2.0], [5.0, 1.0], [3.0, 7.0]];
/// let manova = Manova::new(&[a.view(), b.view()])?;
/// let joint = JointBalance::new(a.view(), b.view())?;
/// assert!((manova.wilks.p_value - joint.hotelling.p_value).abs() < 1e-12);
/// assert!((manova.pillai.p_value - joint.hotelling.p_value).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Rao (1951), Bulletin of the International Statistical Institute 33:177 (F of Wilks's lambda). Pillai (1955),
/// Annals of Mathematical Statistics 26:117.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Manova {
    /// Wilks's lambda, from 0 to 1.
    pub wilks_lambda: f64,
    /// Its F.
    pub wilks: FTest,
    /// Pillai's trace.
    pub pillai_trace: f64,
    /// Its F.
    pub pillai: FTest,
}

/// Means of the columns, and sums of squares and products about them.
fn products(of: ArrayView2<f64>) -> (Array1<f64>, Array2<f64>) {
    let means = of.mean_axis(Axis(0)).unwrap_or_else(|| Array1::zeros(of.ncols()));
    let centred = &of - &means;
    let products = centred.t().dot(&centred);
    (means, products)
}

fn rank_deficient() -> Error {
    let why = "a covariate is constant, or a combination of the others; leave it out";
    ErrorKind::DegenerateTable(why.to_owned()).into()
}

/// Finite values, as many columns in each group, and more people than columns and groups.
fn check(groups: &[ArrayView2<f64>]) -> Result<()> {
    let columns = groups.first().map_or(0, ArrayView2::ncols);
    let people: usize = groups.iter().map(ArrayView2::nrows).sum();
    if groups.len() < 2 || columns == 0 {
        return Err(Error::invalid("give at least two arms, and at least one covariate"));
    }
    if groups.iter().any(|group| group.ncols() != columns || group.nrows() == 0) {
        return Err(Error::invalid(
            "every arm needs people, and the same covariates; give one column for each",
        ));
    }
    if groups.iter().flatten().any(|x| !x.is_finite()) {
        return Err(Error::invalid("a covariate has a value that is not finite; leave such people out"));
    }
    if people < columns + groups.len() {
        let (people, covariates) = (counted(people, "person"), counted(columns, "covariate"));
        let why =
            format!("{people} for {covariates} in {}; take fewer covariates", counted(groups.len(), "arm"));
        return Err(ErrorKind::InsufficientObservations(why).into());
    }
    Ok(())
}

impl JointBalance {
    /// Rows are people, columns covariates.
    ///
    /// # Errors
    /// See [`JointBalance`].
    pub fn new(treatment: ArrayView2<f64>, control: ArrayView2<f64>) -> Result<Self> {
        check(&[treatment, control])?;
        let (n1, n0, p) = (treatment.nrows() as f64, control.nrows() as f64, treatment.ncols() as f64);
        let n = n1 + n0;
        if n - p - 1.0 <= 0.0 {
            let why =
                format!("{} for {}; take fewer covariates", counted(n, "person"), counted(p, "covariate"));
            return Err(ErrorKind::InsufficientObservations(why).into());
        }
        let ((means1, within1), (means0, within0)) = (products(treatment), products(control));
        let everybody = concatenate![Axis(0), treatment, control];
        let (_, all) = products(everybody.view());
        let difference = means1 - means0;
        let form = |products: Array2<f64>| -> Result<f64> {
            let factor = Cholesky::new(products.view()).ok_or_else(rank_deficient)?;
            Ok(difference.dot(&factor.solve(difference.view())))
        };
        let within = form(within1 + within0)? * (n - 2.0);
        let share = n1 * n0 / n;
        let t2 = share * within;
        let hansen = share * form(all)? * (n - 1.0);
        Ok(Self {
            mahalanobis: within.sqrt(),
            hotelling_t2: t2,
            hotelling: FTest::new(t2 * (n - p - 1.0) / ((n - 2.0) * p), p, n - p - 1.0)?,
            hansen_bowers: ChiSquaredTest::new(hansen, p)?,
            likelihood_ratio: likelihood_ratio(treatment.nrows(), everybody.view())?,
        })
    }
}

/// The likelihood-ratio test of a logistic regression of the arm.
fn likelihood_ratio(treated: usize, covariates: ArrayView2<f64>) -> Result<Option<ChiSquaredTest>> {
    let arm: Array1<f64> = (0..covariates.nrows()).map(|i| f64::from(u8::from(i < treated))).collect();
    let columns: Vec<Array1<f64>> = covariates.columns().into_iter().map(|column| standard(column)).collect();
    let mut matrix = ModelMatrix::new(covariates.nrows()).intercept()?;
    for (k, column) in columns.iter().enumerate() {
        matrix = matrix.numeric(format!("covariate {}", k + 1), column.view())?;
    }
    match Glm::new(Family::Binomial).fit(&matrix, arm.view()) {
        Ok(fit) => {
            let statistic = (fit.null_deviance()? - fit.deviance()).max(0.0);
            ChiSquaredTest::new(statistic, covariates.ncols() as f64).map(Some)
        }
        Err(error) if matches!(error.kind(), ErrorKind::Separation { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Less its mean.
fn standard(column: ArrayView1<f64>) -> Array1<f64> {
    let mean = column.mean().unwrap_or(0.0);
    column.mapv(|x| x - mean)
}

impl Manova {
    /// One array for each arm: rows are people, columns covariates.
    ///
    /// # Errors
    /// See [`Manova`].
    pub fn new(groups: &[ArrayView2<f64>]) -> Result<Self> {
        check(groups)?;
        let everybody = concatenate(Axis(0), groups)
            .map_err(|error| Error::invalid(format!("{error}; give arms alike")))?;
        let (_, total) = products(everybody.view());
        let within =
            groups.iter().fold(Array2::zeros(total.raw_dim()), |sum, group| sum + products(*group).1);
        let p = total.ncols() as f64;
        let (q, v) = (groups.len() as f64 - 1.0, (everybody.nrows() - groups.len()) as f64);
        let factor_within = Cholesky::new(within.view()).ok_or_else(rank_deficient)?;
        let factor_total = Cholesky::new(total.view()).ok_or_else(rank_deficient)?;
        let wilks_lambda = (factor_within.ln_determinant() - factor_total.ln_determinant()).exp();
        let between = &total - &within;
        let pillai_trace: f64 =
            between.columns().into_iter().enumerate().map(|(j, column)| factor_total.solve(column)[j]).sum();
        let squares = p * p + q * q - 5.0;
        let t = if squares > 0.0 { ((p * p * q * q - 4.0) / squares).sqrt() } else { 1.0 };
        let w = v + q - 0.5 * (p + q + 1.0);
        let (df1, df2) = (p * q, w * t - 0.5 * (p * q - 2.0));
        let root = wilks_lambda.powf(1.0 / t);
        let s = p.min(q);
        let (a, b) = (0.5 * ((p - q).abs() - 1.0), 0.5 * (v - p - 1.0));
        let (pillai1, pillai2) = (s * (2.0 * a + s + 1.0), s * (2.0 * b + s + 1.0));
        if df2 <= 0.0 || pillai2 <= 0.0 {
            let why = "there are too few people for these covariates; take fewer covariates";
            return Err(ErrorKind::InsufficientObservations(why.to_owned()).into());
        }
        Ok(Self {
            wilks_lambda,
            wilks: FTest::new((1.0 - root) / root * df2 / df1, df1, df2)?,
            pillai_trace,
            pillai: FTest::new(pillai_trace / (s - pillai_trace) * pillai2 / pillai1, pillai1, pillai2)?,
        })
    }
}
