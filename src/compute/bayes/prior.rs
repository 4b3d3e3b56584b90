use crate::compute::distribution::special::ln_beta;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// The prior distribution of the mean effect mu.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MuPrior {
    /// Density 1 everywhere. The default.
    #[default]
    Flat,
    /// Normal.
    Normal {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        sd: f64,
    },
}

/// The prior distribution of the heterogeneity tau, the standard deviation of effects between studies, on 0
/// and above.
///
/// Its scale is that of the effects: tau of 0.5 is large for a log odds ratio, of 0.05 for a risk difference.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TauPrior {
    /// The absolute value of a normal variable with mean 0: density `sqrt(2/pi) exp(-tau^2 / 2s^2) / s`.
    /// Recommended for few studies (Röver et al. 2021, Research Synthesis Methods 12:448).
    HalfNormal {
        /// `s`; the median is 0.674 s.
        scale: f64,
    },
    /// Density `2 / (pi s (1 + tau^2/s^2))` (Gelman 2006, Bayesian Analysis 1:515).
    HalfCauchy {
        /// `s`, the median.
        scale: f64,
    },
    /// The absolute value of `s` times a Student variable.
    HalfStudent {
        /// `s`.
        scale: f64,
        /// Its degrees of freedom.
        df: f64,
    },
    /// Density `r exp(-r tau)`.
    Exponential {
        /// `r`, one over the mean.
        rate: f64,
    },
    /// Density `1/u` from 0 to `u`.
    Uniform {
        /// `u`.
        upper: f64,
    },
    /// Density 1 on all of 0 and above. The posterior exists for three or more studies (two with a normal
    /// prior of mu) and has heavy tails for few.
    ImproperUniform,
}

/// Scales beyond these leave the range in which squares can be formed.
pub(super) const SCALES: std::ops::RangeInclusive<f64> = 1e-20..=1e20;

impl TauPrior {
    pub(super) fn check(self) -> Result<()> {
        let (valid, what) = match self {
            Self::HalfNormal { scale } | Self::HalfCauchy { scale } => (SCALES.contains(&scale), "scale"),
            Self::HalfStudent { scale, df } => {
                (SCALES.contains(&scale) && (0.01..=1e10).contains(&df), "scale or the degrees of freedom")
            }
            Self::Exponential { rate } => (SCALES.contains(&rate), "rate"),
            Self::Uniform { upper } => (SCALES.contains(&upper), "upper end"),
            Self::ImproperUniform => (true, ""),
        };
        if valid {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "the {what} of the prior {self:?} must be positive and finite (1e-20 to 1e20); give it in units of the effects"
        )))
    }

    /// The logarithm of the constant factor of the density.
    pub(super) fn ln_constant(self) -> f64 {
        match self {
            Self::HalfNormal { scale } => 0.5 * (2.0 / PI).ln() - scale.ln(),
            Self::HalfCauchy { scale } => (2.0 / PI).ln() - scale.ln(),
            Self::HalfStudent { scale, df } => {
                std::f64::consts::LN_2 - ln_beta(0.5 * df, 0.5) - 0.5 * df.ln() - scale.ln()
            }
            Self::Exponential { rate } => rate.ln(),
            Self::Uniform { upper } => -upper.ln(),
            Self::ImproperUniform => 0.0,
        }
    }

    /// The logarithm of the density but for its constant factor.
    pub(super) fn ln_kernel(self, tau: f64) -> f64 {
        match self {
            Self::HalfNormal { scale } => -0.5 * (tau / scale).powi(2),
            Self::HalfCauchy { scale } => -(tau / scale).powi(2).ln_1p(),
            Self::HalfStudent { scale, df } => -0.5 * (df + 1.0) * ((tau / scale).powi(2) / df).ln_1p(),
            Self::Exponential { rate } => -rate * tau,
            Self::Uniform { upper } if tau > upper => f64::NEG_INFINITY,
            Self::Uniform { .. } | Self::ImproperUniform => 0.0,
        }
    }

    /// Where the density bends, if anywhere.
    pub(super) fn scale(self) -> Option<f64> {
        match self {
            Self::HalfNormal { scale } | Self::HalfCauchy { scale } | Self::HalfStudent { scale, .. } => {
                Some(scale)
            }
            Self::Exponential { rate } => Some(1.0 / rate),
            Self::Uniform { upper } => Some(upper),
            Self::ImproperUniform => None,
        }
    }

    /// `d` of a density that falls as `tau^-d`; infinite where it falls faster.
    pub(super) fn decay(self) -> f64 {
        match self {
            Self::HalfCauchy { .. } => 2.0,
            Self::HalfStudent { df, .. } => df + 1.0,
            Self::ImproperUniform => 0.0,
            _ => f64::INFINITY,
        }
    }
}

/// The model of normal random effects with its priors.
///
/// Use it for few studies, where estimates of tau are unreliable and a prior says what heterogeneity is
/// plausible.
///
/// # Formula
/// `y_i ~ N(theta_i, v_i)`, `theta_i ~ N(mu, tau^2)`; `y_i` the estimates, `v_i` their sampling variances.
/// Given tau, with `w_i = 1 / (v_i + tau^2)` and a flat prior, mu is normal with mean `sum w_i y_i / sum w_i`
/// and variance `1 / sum w_i`; a normal prior enters as one study more. The density of tau is its prior times
/// the likelihood with mu integrated out, and every other distribution is a mixture of normals over tau.
///
/// # Assumptions
/// Normal estimates with known variances, exchangeable effects.
///
/// # Method
/// Panels of 16-point Gauss-Legendre quadrature over `asinh(tau / c)`, halved until the integral agrees to
/// 1e-13; `c` is the smallest scale in data and prior.
///
/// # Examples
/// ```
/// use armwise::bayes::{MuPrior, NormalNormal, TauPrior};
///
/// let (yi, vi) = ([0.12, 0.47, 0.30], [0.011, 0.024, 0.015]);
/// let model = NormalNormal::new(TauPrior::HalfNormal { scale: 0.25 })
///     .mu_prior(MuPrior::Normal { mean: 0.0, sd: 1.0 });
/// let posterior = model.posterior(&yi, &vi)?;
/// assert!(posterior.mu().interval(0.95)?.contains(0.27));
/// assert!(posterior.tau().median() < 0.25);
/// // Two studies and an improper prior leave tau undetermined.
/// let error =
///     NormalNormal::new(TauPrior::ImproperUniform).posterior(&yi[..2], &vi[..2]).unwrap_err();
/// assert_eq!(error.kind().name(), "improper_posterior");
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Röver 2020, Journal of Statistical Software 93(6); Röver et al. 2021, Research Synthesis Methods 12:448.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NormalNormal {
    pub(super) mu_prior: MuPrior,
    pub(super) tau_prior: TauPrior,
}

impl NormalNormal {
    /// The prior of tau, with the flat prior of mu.
    pub fn new(tau_prior: TauPrior) -> Self {
        Self { mu_prior: MuPrior::Flat, tau_prior }
    }

    setters! {
        /// The prior of mu; default [`MuPrior::Flat`].
        mu_prior: MuPrior;
    }

    /// The prior of tau.
    pub fn prior_of_tau(&self) -> TauPrior {
        self.tau_prior
    }

    /// The prior of mu.
    pub fn prior_of_mu(&self) -> MuPrior {
        self.mu_prior
    }
}
