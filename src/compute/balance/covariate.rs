use crate::compute::mean::{Difference, MeansVariance, Sample, TwoMeans};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// The kind of a covariate, which decides its variance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CovariateKind {
    /// A number: variances with the divisor n - 1.
    Numeric,
    /// 0 or 1: the variance of a share, p (1 - p).
    Binary,
}

/// The standard deviation by which a difference is divided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Standardizer {
    /// The root of the mean of the variances of both arms; p (1 - p) of a binary covariate. The default.
    #[default]
    MeanVariance,
    /// The same with the divisor n - 1 for every covariate.
    MeanSampleVariance,
    /// The root of the pooled variance, weighted by n - 1.
    PooledVariance,
}

/// One covariate in two arms.
///
/// # Formula
///
/// With means `m1`, `m0`, sample variances `v1`, `v0` and sizes `n1`, `n0`
///
/// ```text
/// standardised difference  (m1 - m0) / sqrt((v1 + v0) / 2),   v = m (1 - m) of a binary one
/// variance ratio           v1 / v0
/// Kolmogorov-Smirnov       max |F1(x) - F0(x)|
/// ```
///
/// No sample size is in it: in a small trial chance alone makes standardised differences of `2 sqrt(1/n1 + 1/n0)`.
///
/// # Examples
/// ```
/// use armwise::balance::{CovariateBalance, CovariateKind};
///
/// let (treated, control) = ([1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]);
/// let female = CovariateBalance::new(&treated, &control, CovariateKind::Binary)?;
/// let sd = (0.5_f64 * (0.25 + 0.1875)).sqrt();
/// assert!((female.standardized_difference()? - 0.25 / sd).abs() < 1e-15);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Austin (2009), Statistics in Medicine 28:3083. Rubin (2001), Health Services and Outcomes Research Methodology
/// 2:169 (variance ratios).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct CovariateBalance {
    /// The treated.
    pub treatment: Sample,
    /// The control arm.
    pub control: Sample,
    /// The kind.
    pub kind: CovariateKind,
    /// The largest distance between both distribution functions, from 0 to 1.
    pub kolmogorov_smirnov: f64,
}

checked!(CovariateBalance);

impl CovariateBalance {
    /// The covariate in both arms.
    ///
    /// # Errors
    /// `invalid_input` for a value that is not finite or, of a binary covariate, neither 0 nor 1;
    /// `insufficient_observations` for fewer than two people in an arm.
    pub fn new(treatment: &[f64], control: &[f64], kind: CovariateKind) -> Result<Self> {
        let binary = |x: &f64| *x == 0.0 || *x == 1.0;
        if kind == CovariateKind::Binary
            && let Some(other) = treatment.iter().chain(control).find(|x| !binary(x))
        {
            return Err(Error::invalid(format!(
                "a binary covariate holds {other}; give 0 and 1, or say that it is numeric"
            )));
        }
        let (treated, untreated) = (Sample::of(treatment)?, Sample::of(control)?);
        let kolmogorov_smirnov = largest_distance(treatment, control);
        Ok(Self { treatment: treated, control: untreated, kind, kolmogorov_smirnov })
    }

    /// The difference in means.
    pub fn difference(&self) -> f64 {
        self.treatment.mean - self.control.mean
    }

    /// The difference by the default of [`Standardizer`].
    ///
    /// # Errors
    /// As [`CovariateBalance::standardized_by`].
    pub fn standardized_difference(&self) -> Result<f64> {
        self.standardized_by(Standardizer::default())
    }

    /// The difference divided by this standard deviation; 0 where both arms have the same constant.
    ///
    /// # Errors
    /// `zero_variance`: both arms are constant and differ.
    pub fn standardized_by(&self, by: Standardizer) -> Result<f64> {
        let Self { treatment, control, .. } = self;
        let share = |sample: &Sample| sample.mean * (1.0 - sample.mean);
        let square = |sample: &Sample| sample.sd * sample.sd;
        let variance = match (by, self.kind) {
            (Standardizer::MeanVariance, CovariateKind::Binary) => 0.5 * (share(treatment) + share(control)),
            (Standardizer::PooledVariance, _) => {
                let (one, other) = (treatment.n as f64 - 1.0, control.n as f64 - 1.0);
                (one * square(treatment) + other * square(control)) / (one + other)
            }
            _ => 0.5 * (square(treatment) + square(control)),
        };
        let difference = self.difference();
        if difference == 0.0 {
            return Ok(0.0);
        }
        if variance > 0.0 {
            return Ok(difference / variance.sqrt());
        }
        let why =
            "the covariate is constant within both arms and differs between them; show its means instead";
        Err(ErrorKind::ZeroVariance(why.to_owned()).into())
    }

    /// The ratio of the sample variances; `None` where the control arm is constant.
    pub fn variance_ratio(&self) -> Option<f64> {
        let ratio = (self.treatment.sd / self.control.sd).powi(2);
        (self.control.sd > 0.0 && ratio.is_finite()).then_some(ratio)
    }

    /// The difference in means with Welch's test, where it is asked for: a p-value of one covariate of a randomised
    /// trial tests what is known to be true.
    ///
    /// # Errors
    /// Samples without variance.
    pub fn welch(&self) -> Result<Difference> {
        let difference = TwoMeans::new(self.treatment, self.control)?.difference(MeansVariance::Welch);
        if difference.se > 0.0 {
            return Ok(difference);
        }
        let why = "the covariate is constant within both arms, so that nothing can be tested; show its means instead";
        Err(ErrorKind::ZeroVariance(why.to_owned()).into())
    }

    fn check(&self) -> Result<()> {
        self.treatment.check()?;
        self.control.check()?;
        if (0.0..=1.0).contains(&self.kolmogorov_smirnov) {
            return Ok(());
        }
        Err(Error::invalid("the distance of two distributions is from 0 to 1; take it as it was made"))
    }
}

/// `max |F1(x) - F0(x)|` over all values.
fn largest_distance(treatment: &[f64], control: &[f64]) -> f64 {
    let sorted = |values: &[f64]| {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        values
    };
    let (one, other) = (sorted(treatment), sorted(control));
    let (mut i, mut j, mut most) = (0, 0, 0.0_f64);
    while i < one.len() && j < other.len() {
        let at = one[i].min(other[j]);
        i += one[i..].iter().take_while(|x| **x <= at).count();
        j += other[j..].iter().take_while(|x| **x <= at).count();
        most = most.max((i as f64 / one.len() as f64 - j as f64 / other.len() as f64).abs());
    }
    most
}
