//! Pooling of independent estimates: common effect and random effects.

// DerSimonian is a name, not code.
#![allow(clippy::doc_markdown)]

use super::options::{Alternative, PoolingWeights, PredictionDf, Tau2, Test};
use super::prediction::PredictionRule;
use super::prepared::{PreparedPool, check_data, too_few};
use super::summary::PooledEffect;
use super::tau2::{self, Likelihood, extent, log_likelihood};
use crate::compute::distribution::ChiSquared;
use crate::compute::interval::Interval;
use crate::compute::reference_distribution::check_level;
use crate::compute::roots::root;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// One effect common to all studies, by inverse variance.
///
/// Use it where the studies are believed to estimate the same quantity, or where the question is about these
/// studies only.
///
/// # Formula
/// mu = sum wᵢ yᵢ / sum wᵢ with wᵢ = 1/vᵢ, se² = 1/sum wᵢ; yᵢ the estimates, vᵢ their sampling variances.
///
/// # Defaults
/// [`Test::Normal`], level 0.95, null value 0, two-sided, inverse-variance weights.
///
/// # Errors
/// As [`RandomEffects`]; a Hartung-Knapp test is refused, as it belongs to random effects.
///
/// # Examples
/// ```
/// use armwise::meta_analysis::CommonEffect;
///
/// let pooled = CommonEffect::new().pool(&[0.10, 0.30], &[0.01, 0.01])?;
/// assert!((pooled.estimate - 0.20).abs() < 1e-12);
/// assert!((pooled.se - 0.005_f64.sqrt()).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Cochran 1954, Biometrics 10.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommonEffect {
    pub(super) settings: Settings,
}

/// Effects that vary between studies around a mean, which is estimated together with their variance tau².
///
/// # Formula
/// mu = sum wᵢ yᵢ / sum wᵢ with wᵢ = 1/(vᵢ + tau²), se² = 1/sum wᵢ; yᵢ the estimates, vᵢ their sampling
/// variances, tau² by [`Tau2`]. With weights uᵢ of one's own se² = sum u_i² (vᵢ + tau²)/(sum uᵢ)².
/// Hartung-Knapp multiplies se² by Q(tau²)/(k - 1), with Q(tau²) around the inverse-variance mean in either
/// case.
///
/// # Defaults
/// [`Tau2::Reml`], [`Test::WiderOfBoth`], level 0.95, null value 0, two-sided, inverse-variance weights,
/// prediction interval by [`PredictionRule::ByNumberOfStudies`].
///
/// # Errors
/// - [`ErrorKind::NoStudies`](crate::ErrorKind::NoStudies);
/// - [`ErrorKind::InsufficientStudies`](crate::ErrorKind::InsufficientStudies) where one study is given and
///   the test needs two;
/// - [`ErrorKind::InvalidVariance`](crate::ErrorKind::InvalidVariance) unless every vᵢ lies between 1e-40 and
///   1e40;
/// - [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) for lengths that differ, estimates that are
///   not finite (or beyond 1e30), and options outside their range;
/// - [`ErrorKind::ZeroVariance`](crate::ErrorKind::ZeroVariance) for Hartung-Knapp with estimates that are
///   all equal.
///
/// # Examples
/// ```
/// use armwise::meta_analysis::{RandomEffects, Tau2, Test};
///
/// let (yi, vi) = ([0.12, 0.47, 0.30], [0.011, 0.024, 0.015]);
/// let pooled =
///     RandomEffects::new().tau2(Tau2::PauleMandel).test(Test::HartungKnapp).pool(&yi, &vi)?;
/// assert!(pooled.tau2 > 0.0 && pooled.df == Some(2.0));
/// assert!(pooled.interval.contains(pooled.estimate));
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// DerSimonian & Laird 1986, Control. Clin. Trials 7; Hartung & Knapp 2001, Stat. Med. 20; Viechtbauer 2005,
/// J. Educ. Behav. Stat. 30; Viechtbauer 2007, Stat. Med. 26.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RandomEffects {
    pub(super) settings: Settings,
    pub(super) tau2: Tau2,
    pub(super) moment_weights: Option<Vec<f64>>,
    pub(super) prediction_rule: PredictionRule,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Settings {
    pub(super) test: Test,
    pub(super) level: f64,
    pub(super) null_value: f64,
    pub(super) alternative: Alternative,
    pub(super) weights: PoolingWeights,
    pub(super) given_weights: Option<Vec<f64>>,
}

impl Settings {
    fn with(test: Test) -> Self {
        Self {
            test,
            level: 0.95,
            null_value: 0.0,
            alternative: Alternative::TwoSided,
            weights: PoolingWeights::InverseVariance,
            given_weights: None,
        }
    }
}

macro_rules! setters {
    () => {
        /// The standard error and reference distribution of the effect.
        #[must_use]
        pub fn test(mut self, test: Test) -> Self {
            self.settings.test = test;
            self
        }

        /// The confidence level, between 0 and 1; default 0.95.
        #[must_use]
        pub fn level(mut self, level: f64) -> Self {
            self.settings.level = level;
            self
        }

        /// The value of the effect under the null hypothesis; default 0.
        #[must_use]
        pub fn null_value(mut self, null_value: f64) -> Self {
            self.settings.null_value = null_value;
            self
        }

        /// The alternative hypothesis of the p-value; default two-sided. Intervals stay two-sided.
        #[must_use]
        pub fn alternative(mut self, alternative: Alternative) -> Self {
            self.settings.alternative = alternative;
            self
        }

        /// The weights of the studies; [`PoolingWeights::Given`] needs `given_weights`.
        #[must_use]
        pub fn pooling_weights(mut self, weights: PoolingWeights) -> Self {
            self.settings.weights = weights;
            self
        }

        /// Weights of one's own, one for each study, none negative, some positive; sets
        /// [`PoolingWeights::Given`].
        #[must_use]
        pub fn given_weights(mut self, weights: impl Into<Vec<f64>>) -> Self {
            self.settings.weights = PoolingWeights::Given;
            self.settings.given_weights = Some(weights.into());
            self
        }
    };
}

impl Default for CommonEffect {
    fn default() -> Self {
        Self::new()
    }
}

impl CommonEffect {
    /// Inverse variance, normal test, level 0.95.
    pub fn new() -> Self {
        Self { settings: Settings::with(Test::Normal) }
    }

    setters!();

    /// Pools estimates with these sampling variances.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn pool(&self, yi: &[f64], vi: &[f64]) -> Result<PooledEffect> {
        self.for_studies(yi.len())?.pool(yi, vi)
    }

    /// Everything that depends on the number of studies only, for many pools of `k` studies.
    ///
    /// # Errors
    /// Those of the options, and of too few studies.
    pub fn for_studies(&self, k: usize) -> Result<PreparedPool<'_>> {
        PreparedPool::new(&self.settings, None, k)
    }
}

impl Default for RandomEffects {
    fn default() -> Self {
        Self::new()
    }
}

impl RandomEffects {
    /// REML, wider of Wald and Hartung-Knapp, level 0.95.
    pub fn new() -> Self {
        Self {
            settings: Settings::with(Test::WiderOfBoth),
            tau2: Tau2::Reml,
            moment_weights: None,
            prediction_rule: PredictionRule::default(),
        }
    }

    setters!();

    /// The estimator of tau²; default REML. [`Tau2::GeneralizedQ`] needs `moment_weights`.
    #[must_use]
    pub fn tau2(mut self, tau2: Tau2) -> Self {
        self.tau2 = tau2;
        self
    }

    /// Positive weights that define tau² by the method of moments, one for each study; sets
    /// [`Tau2::GeneralizedQ`].
    #[must_use]
    pub fn moment_weights(mut self, weights: impl Into<Vec<f64>>) -> Self {
        self.tau2 = Tau2::GeneralizedQ;
        self.moment_weights = Some(weights.into());
        self
    }

    /// The rule of the prediction interval; default: the confidence distribution of tau² from
    /// [`PREDICTION_FROM`](super::PREDICTION_FROM) studies on, t with k - 1 degrees of freedom below.
    #[must_use]
    pub fn prediction_rule(mut self, rule: PredictionRule) -> Self {
        self.prediction_rule = rule;
        self
    }

    /// A prediction interval that takes tau² as known, with these degrees of freedom.
    #[must_use]
    pub fn prediction_df(self, rule: PredictionDf) -> Self {
        self.prediction_rule(rule.into())
    }

    /// Pools estimates with these sampling variances.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn pool(&self, yi: &[f64], vi: &[f64]) -> Result<PooledEffect> {
        self.for_studies(yi.len())?.pool(yi, vi)
    }

    /// Everything that depends on the number of studies only (quantiles), for many pools of `k` studies.
    ///
    /// ```
    /// use armwise::meta_analysis::RandomEffects;
    ///
    /// let options = RandomEffects::new();
    /// let prepared = options.for_studies(3)?;
    /// let resamples = [[0.1, 0.2, 0.4], [0.1, 0.1, 0.3]];
    /// for yi in &resamples {
    ///     assert_eq!(prepared.summary(yi, &[0.01, 0.02, 0.03])?.k, 3);
    /// }
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of the options, and of too few studies.
    pub fn for_studies(&self, k: usize) -> Result<PreparedPool<'_>> {
        PreparedPool::new(&self.settings, Some(self), k)
    }

    /// The profile-likelihood interval of tau²: the values around the estimate whose (restricted) likelihood
    /// is not significantly lower, by chi-squared with one degree of freedom (Hardy & Thompson 1996, Stat.
    /// Med. 15).
    ///
    /// # Errors
    /// As [`RandomEffects::pool`]; [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) unless tau² is
    /// estimated by REML or ML; [`ErrorKind::InsufficientStudies`](crate::ErrorKind::InsufficientStudies) for
    /// one study.
    pub fn profile_likelihood(&self, yi: &[f64], vi: &[f64]) -> Result<ProfileLikelihood> {
        let likelihood = match self.tau2 {
            Tau2::Reml => Likelihood::Restricted,
            Tau2::Ml => Likelihood::Full,
            other => {
                return Err(Error::invalid(format!(
                    "a profile-likelihood interval belongs to REML or ML, not to {other:?}; \
                     take one of these, or the Q-profile interval"
                )));
            }
        };
        check_level(self.settings.level)?;
        check_data(yi, vi, yi.len())?;
        if yi.len() < 2 {
            return Err(too_few("a profile-likelihood interval of tau²"));
        }
        let extent = extent(yi, vi);
        let at = |tau2: f64| log_likelihood(yi, vi, &extent, tau2, likelihood);
        let tau2 = tau2::maximum_likelihood(yi, vi, &extent, likelihood);
        let log_likelihood = at(tau2);
        let floor = log_likelihood - 0.5 * ChiSquared::new(1.0)?.quantile(self.settings.level);
        let lower = if at(0.0) >= floor { 0.0 } else { root(|t| at(t) - floor, 0.0, tau2) };
        let mut beyond = 2.0 * tau2 + extent.spread.v_max;
        while at(beyond) > floor && beyond < f64::MAX / 4.0 {
            beyond *= 2.0;
        }
        let upper = root(|t| at(t) - floor, tau2, beyond);
        Ok(ProfileLikelihood { tau2, log_likelihood, interval: Interval::between(lower, upper) })
    }
}

/// The profile-likelihood interval of tau².
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ProfileLikelihood {
    /// The estimate.
    pub tau2: f64,
    /// The (restricted) log-likelihood there, with all constants.
    pub log_likelihood: f64,
    /// The interval.
    pub interval: Interval,
}
