//! Tests for asymmetry of the funnel plot: whether small studies show other effects than large ones.

use super::meta_regression::{Heterogeneity, MetaRegression, collinear};
use super::moderator::Moderators;
use super::options::{Tau2, Test};
use super::prepared::check_data;
use super::univariate::CommonEffect;
use crate::compute::coefficient::Coefficient;
use crate::compute::reference_distribution::ReferenceDistribution;
use crate::compute::words::words;
use crate::error::{Collinearity, Error, ErrorKind, Result, counted};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// What stands for the size of a study in a test for asymmetry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StudySize {
    /// sqrt(vᵢ) (Egger et al. 1997). The default.
    #[default]
    StandardError,
    /// vᵢ.
    SamplingVariance,
    /// 1/nᵢ (Macaskill et al. 2001; Peters et al. 2006); needs sample sizes.
    InverseSampleSize,
    /// 1/sqrt(nᵢ); needs sample sizes.
    InverseRootSampleSize,
    /// nᵢ; needs sample sizes.
    SampleSize,
}

/// Egger's test: a regression of the effects on the size of the studies.
///
/// # When to use
/// With ten studies or more (Sterne et al. 2011, BMJ 343): below that it finds next to nothing, and what it
/// finds is chance. For odds and risk ratios, whose standard errors depend on the effect, take the inverse
/// sample size.
///
/// # Formula
/// yᵢ = b0 + b1 sᵢ + error, s the size by [`StudySize`]. Weighted by 1/vᵢ with a multiplicative dispersion
/// (`new()`; the slope on the standard error is the intercept of Egger's regression of y/se on 1/se, b0 its
/// slope), or by 1/vᵢ alone or 1/(vᵢ + tau²) (`mixed_effects()`). The test is that of b1 = 0; b0 is the
/// effect expected of a study without sampling error (on sizes that fall to 0).
///
/// # Errors
/// [`ErrorKind::InsufficientStudies`] for fewer than three studies; [`ErrorKind::Collinear`] where all
/// studies are of one size; [`ErrorKind::InvalidInput`] where sample sizes are needed and not given; else as
/// [`MetaRegression`].
///
/// # Examples
/// ```
/// use armwise::meta_analysis::EggerTest;
///
/// let (yi, vi) = ([0.1, 0.2, 0.3, 0.6], [0.01, 0.02, 0.05, 0.12]);
/// let test = EggerTest::new().test(&yi, &vi)?;
/// assert!(test.slope.estimate > 0.0 && test.few_studies);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Egger et al. 1997, BMJ 315; Sterne & Egger 2005; Moreno et al. 2009, BMC Med. Res. Methodol. 9.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EggerTest {
    model: MetaRegression,
    size: StudySize,
    sample_sizes: Option<Vec<f64>>,
}

/// The result of [`EggerTest`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FunnelRegression {
    /// The number of studies.
    pub k: usize,
    /// The change of the effect with the size that was chosen; its test is the test for asymmetry.
    pub slope: Coefficient,
    /// The effect at size 0 of the predictor.
    pub intercept: Coefficient,
    /// What stood for the size.
    pub size: StudySize,
    /// How studies of one size still differ.
    pub heterogeneity: Heterogeneity,
    /// The variance between studies; 0 without one in the model.
    pub tau2: f64,
    /// Whether there are fewer than ten studies, with which the test means little.
    pub few_studies: bool,
}

impl FunnelRegression {
    /// The effect that ever larger studies approach: the intercept, unless the size rises with the study.
    pub fn limit(&self) -> Option<&Coefficient> {
        (self.size != StudySize::SampleSize).then_some(&self.intercept)
    }
}

impl Default for EggerTest {
    fn default() -> Self {
        Self::new()
    }
}

impl EggerTest {
    /// Weighted regression on the standard error with multiplicative dispersion, t with k - 2 degrees of
    /// freedom: Egger's own.
    pub fn new() -> Self {
        Self { model: MetaRegression::multiplicative(), size: StudySize::StandardError, sample_sizes: None }
    }

    /// Meta-regression on the standard error with this estimator of tau² and the normal test.
    pub fn mixed_effects(tau2: Tau2) -> Self {
        Self { model: MetaRegression::new().tau2(tau2).test(Test::Normal), ..Self::new() }
    }

    /// Meta-regression on the standard error without variance between studies, normal test.
    pub fn fixed_effects() -> Self {
        Self { model: MetaRegression::fixed_effects(), ..Self::new() }
    }

    /// The standard errors and reference distribution; Hartung-Knapp with mixed effects only.
    #[must_use]
    pub fn reference(mut self, test: Test) -> Self {
        self.model = self.model.test(test);
        self
    }

    setters! {
        /// What stands for the size of the studies; default the standard error.
        size: StudySize;
    }

    /// The number of participants of each study.
    #[must_use]
    pub fn sample_sizes(mut self, n: impl Into<Vec<f64>>) -> Self {
        self.sample_sizes = Some(n.into());
        self
    }

    setters! {
        /// The confidence level, between 0 and 1; default 0.95.
        model.level: f64;
    }

    /// Tests estimates with these sampling variances.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn test(&self, yi: &[f64], vi: &[f64]) -> Result<FunnelRegression> {
        check_data(yi, vi, yi.len())?;
        enough_for_asymmetry(yi.len(), "Egger's test")?;
        let by_n = |name, f: fn(f64) -> f64| {
            let n = self.sample_sizes.as_deref().unwrap_or_default();
            if n.len() != yi.len() || !n.iter().all(|n| *n > 0.0 && n.is_finite()) {
                return Err(Error::invalid(format!(
                    "the sizes of studies by their participants were asked for; pass a positive number for each of {} with \
                     `sample_sizes`",
                    counted(yi.len(), "study")
                )));
            }
            Ok((name, n.iter().map(|n| f(*n)).collect::<Vec<_>>()))
        };
        let (name, sizes) = match self.size {
            StudySize::StandardError => ("standard error", vi.iter().map(|v| v.sqrt()).collect()),
            StudySize::SamplingVariance => ("sampling variance", vi.to_vec()),
            StudySize::InverseSampleSize => by_n("1/n", |n| 1.0 / n)?,
            StudySize::InverseRootSampleSize => by_n("1/sqrt(n)", |n| 1.0 / n.sqrt())?,
            StudySize::SampleSize => by_n("n", |n| n)?,
        };
        let fit =
            self.model.fit(yi, vi, &Moderators::new().number(name, &sizes)).map_err(in_words_of_size)?;
        let [intercept, slope] = <[Coefficient; 2]>::try_from(fit.coefficients)
            .map_err(|_| Error::invalid("a regression on the size of studies has two coefficients"))?;
        Ok(FunnelRegression {
            k: yi.len(),
            slope,
            intercept,
            size: self.size,
            heterogeneity: fit.heterogeneity,
            tau2: fit.tau2,
            few_studies: yi.len() < FEW,
        })
    }
}

/// An error of the regression in words of the sizes of studies.
fn in_words_of_size(error: Error) -> Error {
    if let ErrorKind::ZeroVariance(_) = error.kind() {
        let why = "effects and sizes of the studies lie exactly on a line, which leaves no residual variance to judge the slope by; take \
                   EggerTest::mixed_effects or EggerTest::fixed_effects, or say that asymmetry cannot be judged";
        return ErrorKind::ZeroVariance(why.to_owned()).into();
    }
    collinear(error, Collinearity::StudySizes)
}

/// Below this many studies tests for asymmetry have no power to speak of (Sterne et al. 2011, BMJ 343).
pub(super) const FEW: usize = 10;

pub(super) fn enough_for_asymmetry(k: usize, what: &str) -> Result<()> {
    if k >= 3 {
        return Ok(());
    }
    let there = if k == 1 { "is one".to_owned() } else { format!("are {k}") };
    Err(ErrorKind::InsufficientStudies(format!(
        "{what} needs three studies to be defined (and ten to mean much), there {there}; say that asymmetry cannot be judged"
    ))
    .into())
}

/// How a p-value of Kendall's tau is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KendallDistribution {
    /// The distribution of the number of concordant pairs over all permutations; without ties, up to 500
    /// studies.
    Exact,
    /// The standard normal, with the variance that ties leave, without continuity correction.
    Normal,
}

words! { KendallDistribution { Exact => "exact", Normal => "normal", } }

/// The result of [`rank_correlation`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RankCorrelation {
    /// The number of studies.
    pub k: usize,
    /// Kendall's tau-b of the standardised deviates and the sampling variances.
    pub kendall_tau: f64,
    /// Two-sided.
    pub p_value: f64,
    /// How the p-value was found.
    pub distribution: KendallDistribution,
    /// (yᵢ - mu)/sqrt(vᵢ - 1/sum w), mu the common effect.
    pub standardized_deviates: Vec<f64>,
    /// Whether there are fewer than ten studies, with which the test means little.
    pub few_studies: bool,
}

/// Whether effects go together with their variances: the rank correlation test (Begg & Mazumdar 1994,
/// Biometrics 50).
///
/// Kendall's tau of (yᵢ - mu)/sqrt(vᵢ - 1/sum w) and vᵢ, with mu the common effect. It has less power than
/// [`EggerTest`], and as little meaning below ten studies.
///
/// ```
/// use armwise::meta_analysis::rank_correlation;
///
/// // The effects rise with the variances: one of the 4! orders, and its reverse.
/// let test = rank_correlation(&[0.10, 0.30, 0.60, 1.00], &[0.01, 0.02, 0.03, 0.04])?;
/// assert_eq!(test.kendall_tau, 1.0);
/// assert!((test.p_value - 2.0 / 24.0).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::InsufficientStudies`] for fewer than three studies; [`ErrorKind::ZeroVariance`] where all
/// effects or all variances are the same; else as [`CommonEffect::pool`].
pub fn rank_correlation(yi: &[f64], vi: &[f64]) -> Result<RankCorrelation> {
    let pool = CommonEffect::new().pool(yi, vi)?;
    let k = yi.len();
    enough_for_asymmetry(k, "the rank correlation test")?;
    let deviates: Vec<f64> = (0..k)
        .map(|i| {
            // v - 1/sum w = v (1 - weight), which must not cancel.
            let others: f64 = pool.weights[..i].iter().chain(&pool.weights[i + 1..]).sum();
            (yi[i] - pool.estimate) / (vi[i] * others).sqrt()
        })
        .collect();
    let pairs = Pairs::count(&deviates, vi);
    let kendall_tau = pairs.tau_b().ok_or_else(|| {
        let why = "ranks need differences: all effects, or all variances, are the same; nothing can be said of asymmetry";
        ErrorKind::ZeroVariance(why.into())
    })?;
    let exact = pairs.ties_x.is_empty() && pairs.ties_y.is_empty() && k <= 500;
    let (p_value, distribution) = if exact {
        (exact_kendall(k, pairs.score), KendallDistribution::Exact)
    } else {
        let z = pairs.score as f64 / pairs.variance().sqrt();
        (ReferenceDistribution::Normal.two_sided(z), KendallDistribution::Normal)
    };
    let few_studies = k < FEW;
    Ok(RankCorrelation {
        k,
        kendall_tau,
        p_value,
        distribution,
        standardized_deviates: deviates,
        few_studies,
    })
}

/// Pairs of observations by their order in x and y.
struct Pairs {
    n: usize,
    /// Concordant minus discordant pairs.
    score: i64,
    /// The sizes of the groups of equal values, where above one.
    ties_x: Vec<f64>,
    ties_y: Vec<f64>,
}

impl Pairs {
    fn count(x: &[f64], y: &[f64]) -> Self {
        let sign = |a: f64, b: f64| match a.total_cmp(&b) {
            _ if a == b => 0,
            Ordering::Less => -1,
            _ => 1,
        };
        let mut score = 0;
        for i in 0..x.len() {
            for j in 0..i {
                score += sign(x[i], x[j]) * sign(y[i], y[j]);
            }
        }
        Self { n: x.len(), score, ties_x: ties(x), ties_y: ties(y) }
    }

    fn all(&self) -> f64 {
        self.n as f64 * (self.n as f64 - 1.0) / 2.0
    }

    fn tau_b(&self) -> Option<f64> {
        let untied = |ties: &[f64]| self.all() - ties.iter().map(|t| t * (t - 1.0) / 2.0).sum::<f64>();
        let (x, y) = (untied(&self.ties_x), untied(&self.ties_y));
        (x > 0.0 && y > 0.0).then(|| self.score as f64 / (x * y).sqrt())
    }

    /// The variance of the score under independence (Kendall 1970).
    fn variance(&self) -> f64 {
        let n = self.n as f64;
        let sum = |ties: &[f64], f: &dyn Fn(f64) -> f64| ties.iter().map(|t| f(*t)).sum::<f64>();
        let full = |t: f64| t * (t - 1.0) * (2.0 * t + 5.0);
        let pairs = |t: f64| t * (t - 1.0);
        let triples = |t: f64| t * (t - 1.0) * (t - 2.0);
        let first = (full(n) - sum(&self.ties_x, &full) - sum(&self.ties_y, &full)) / 18.0;
        let second = sum(&self.ties_x, &pairs) * sum(&self.ties_y, &pairs) / (2.0 * pairs(n));
        let third = sum(&self.ties_x, &triples) * sum(&self.ties_y, &triples) / (9.0 * triples(n));
        first + second + third
    }
}

fn ties(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let sizes = sorted.chunk_by(|a, b| a == b).map(|group| group.len() as f64);
    sizes.filter(|size| *size > 1.0).collect()
}

/// P(|S| >= |score|) over all orders of n values: the probabilities of the numbers of inversions, built up by
/// inserting one value after the other.
fn exact_kendall(n: usize, score: i64) -> f64 {
    let pairs = n * (n - 1) / 2;
    let mut probability = vec![0.0; pairs + 1];
    probability[0] = 1.0;
    let mut most = 0;
    for m in 2..=n {
        // The m-th value causes 0 to m - 1 inversions, each with probability 1/m.
        let before = probability[..=most].to_vec();
        most += m - 1;
        let mut window = 0.0;
        for (inversions, cell) in probability[..=most].iter_mut().enumerate() {
            window += before.get(inversions).copied().unwrap_or(0.0);
            if inversions >= m {
                window -= before[inversions - m];
            }
            *cell = window / m as f64;
        }
    }
    // S = pairs - 2 inversions, and the distribution is symmetric.
    let discordant = (pairs - usize::try_from(score.unsigned_abs()).unwrap_or(pairs)) / 2;
    let tail: f64 = probability[..=discordant].iter().sum();
    (2.0 * tail).min(1.0)
}
