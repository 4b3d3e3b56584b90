use super::grid::{self, Grid, Node};
use super::posterior::Posterior;
use crate::compute::distribution::special::ln_beta;
use crate::compute::meta_analysis::check_data;
use crate::error::{Error, ErrorKind, Result};
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

/// The prior distribution of the heterogeneity tau, the standard deviation of effects between studies, on 0 and above.
///
/// Its scale is that of the effects: tau of 0.5 is large for a log odds ratio, of 0.05 for a risk difference.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TauPrior {
    /// The absolute value of a normal variable with mean 0: density `sqrt(2/pi) exp(-tau^2 / 2s^2) / s`. Recommended for few
    /// studies (Röver et al. 2021, Research Synthesis Methods 12:448).
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
    /// Density 1 on all of 0 and above. The posterior exists for three or more studies (two with a normal prior of mu) and has
    /// heavy tails for few.
    ImproperUniform,
}

/// Scales beyond these leave the range in which squares can be formed.
const SCALES: std::ops::RangeInclusive<f64> = 1e-20..=1e20;

impl TauPrior {
    fn check(self) -> Result<()> {
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
    fn ln_constant(self) -> f64 {
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
    fn ln_kernel(self, tau: f64) -> f64 {
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
    fn scale(self) -> Option<f64> {
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
    fn decay(self) -> f64 {
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
/// Use it for few studies, where estimates of tau are unreliable and a prior says what heterogeneity is plausible.
///
/// # Formula
/// `y_i ~ N(theta_i, v_i)`, `theta_i ~ N(mu, tau^2)`; `y_i` the estimates, `v_i` their sampling variances. Given tau,
/// with `w_i = 1 / (v_i + tau^2)` and a flat prior, mu is normal with mean `sum w_i y_i / sum w_i` and variance `1 / sum w_i`;
/// a normal prior enters as one study more. The density of tau is its prior times the likelihood with mu integrated out, and
/// every other distribution is a mixture of normals over tau.
///
/// # Assumptions
/// Normal estimates with known variances, exchangeable effects.
///
/// # Method
/// Panels of 16-point Gauss-Legendre quadrature over `asinh(tau / c)`, halved until the integral agrees to 1e-13; `c` is the
/// smallest scale in data and prior.
///
/// # Examples
/// ```
/// use armwise::bayes::{MuPrior, NormalNormal, TauPrior};
///
/// let (yi, vi) = ([0.12, 0.47, 0.30], [0.011, 0.024, 0.015]);
/// let model = NormalNormal::new(TauPrior::HalfNormal { scale: 0.25 }).mu_prior(MuPrior::Normal { mean: 0.0, sd: 1.0 });
/// let posterior = model.posterior(&yi, &vi)?;
/// assert!(posterior.mu().interval(0.95)?.contains(0.27));
/// assert!(posterior.tau().median() < 0.25);
/// // Two studies and an improper prior leave tau undetermined.
/// let error = NormalNormal::new(TauPrior::ImproperUniform).posterior(&yi[..2], &vi[..2]).unwrap_err();
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

    /// The prior of mu; default [`MuPrior::Flat`].
    #[must_use]
    pub fn mu_prior(mut self, mu_prior: MuPrior) -> Self {
        self.mu_prior = mu_prior;
        self
    }

    /// The prior of tau.
    pub fn prior_of_tau(&self) -> TauPrior {
        self.tau_prior
    }

    /// The prior of mu.
    pub fn prior_of_mu(&self) -> MuPrior {
        self.mu_prior
    }

    /// The posterior for the estimates `yi` with sampling variances `vi`.
    ///
    /// # Errors
    /// - `no_studies`;
    /// - `improper_posterior` where prior and data leave tau undetermined;
    /// - `invalid_variance` unless every variance lies between 1e-40 and 1e40;
    /// - `invalid_input` for lengths that differ, estimates that are not finite, and priors outside their range.
    pub fn posterior(&self, yi: &[f64], vi: &[f64]) -> Result<Posterior> {
        check_data(yi, vi, yi.len())?;
        self.tau_prior.check()?;
        if let MuPrior::Normal { mean, sd } = self.mu_prior
            && !(mean.abs() <= 1e30 && SCALES.contains(&sd))
        {
            return Err(Error::invalid(format!(
                "the normal prior of mu has mean {mean} and standard deviation {sd}; the first must be finite, the second \
                 positive (1e-20 to 1e20)"
            )));
        }
        let model = Model::new(*self, yi, vi);
        if model.decay() <= 1.0 {
            return Err(ErrorKind::ImproperPosterior(format!(
                "{} {} with the prior {:?} leave tau undetermined: the posterior cannot be normalised; take a proper prior, as \
                 HalfNormal",
                yi.len(),
                if yi.len() == 1 { "study" } else { "studies" },
                self.tau_prior
            ))
            .into());
        }
        let grid = Grid::new(&model);
        Ok(Posterior::new(model, grid))
    }
}

/// Priors and data.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Model {
    pub(super) priors: NormalNormal,
    pub(super) yi: Vec<f64>,
    pub(super) vi: Vec<f64>,
    /// Subtracted from the estimates, so that squares keep their digits.
    centre: f64,
    ln_constant: f64,
}

impl Model {
    fn new(priors: NormalNormal, yi: &[f64], vi: &[f64]) -> Self {
        let weight: f64 = vi.iter().map(|v| 1.0 / v).sum();
        let centre = yi.iter().zip(vi).map(|(y, v)| y / v).sum::<f64>() / weight;
        let normal = 0.5 * (2.0 * PI).ln();
        let ln_constant = priors.tau_prior.ln_constant() - normal * yi.len() as f64
            + match priors.mu_prior {
                MuPrior::Flat => normal,
                MuPrior::Normal { sd, .. } => -sd.ln(),
            };
        Self { priors, yi: yi.to_vec(), vi: vi.to_vec(), centre, ln_constant }
    }

    /// `d` of a posterior density of tau that falls as `tau^-d`.
    pub(super) fn decay(&self) -> f64 {
        let used = if self.priors.mu_prior == MuPrior::Flat { 1.0 } else { 0.0 };
        self.priors.tau_prior.decay() + self.yi.len() as f64 - used
    }

    /// The end of the prior's support.
    pub(super) fn upper(&self) -> f64 {
        match self.priors.tau_prior {
            TauPrior::Uniform { upper } => upper,
            _ => f64::INFINITY,
        }
    }

    /// The smallest and the largest scale on which the density of tau bends.
    pub(super) fn scales(&self) -> grid::Scales {
        let (mut smallest, mut largest) = (f64::INFINITY, 0.0_f64);
        let mut take = |scale: f64| {
            smallest = smallest.min(scale);
            largest = largest.max(scale);
        };
        self.vi.iter().for_each(|v| take(v.sqrt()));
        self.priors.tau_prior.scale().into_iter().for_each(&mut take);
        for y in &self.yi {
            largest = largest.max((y - self.centre).abs());
        }
        if let MuPrior::Normal { mean, sd } = self.priors.mu_prior {
            largest = largest.max(sd).max((mean - self.centre).abs());
        }
        grid::Scales { smallest, largest }
    }

    /// By how much rounding may change the log density at this tau, as errors of long sums add up like random ones.
    pub(super) fn rounding(&self, tau: f64) -> f64 {
        let mean = self.at(tau).mean;
        let terms = self.yi.iter().zip(&self.vi).map(|(y, v)| {
            let variance = v + tau * tau;
            variance.ln().abs() + (y - mean).powi(2) / variance
        });
        2.0 * f64::EPSILON * (self.yi.len() as f64).sqrt() * (self.ln_constant.abs() + terms.sum::<f64>())
    }

    /// The log density of tau (with the evidence as its integral), and the conditional distribution of mu.
    pub(super) fn at(&self, tau: f64) -> Node {
        let tau2 = tau * tau;
        let mut product = 1.0_f64;
        let (mut ln_determinant, mut total, mut sum) = (0.0, 0.0, 0.0);
        for (y, v) in self.yi.iter().zip(&self.vi) {
            let variance = v + tau2;
            let w = 1.0 / variance;
            total += w;
            sum += w * (y - self.centre);
            product *= variance;
            if !(1e-100..1e100).contains(&product) {
                ln_determinant += product.ln();
                product = 1.0;
            }
        }
        ln_determinant += product.ln();
        let mut squares = 0.0;
        let mean = match self.priors.mu_prior {
            MuPrior::Flat => sum / total,
            MuPrior::Normal { mean, sd } => {
                let precision = 1.0 / (sd * sd);
                let prior_mean = mean - self.centre;
                total += precision;
                let mean = (sum + precision * prior_mean) / total;
                squares += precision * (prior_mean - mean).powi(2);
                mean
            }
        };
        for (y, v) in self.yi.iter().zip(&self.vi) {
            squares += (y - self.centre - mean).powi(2) / (v + tau2);
        }
        Node {
            tau,
            ln_density: self.ln_constant + self.priors.tau_prior.ln_kernel(tau)
                - 0.5 * (ln_determinant + squares + total.ln()),
            mean: self.centre + mean,
            variance: 1.0 / total,
        }
    }
}
