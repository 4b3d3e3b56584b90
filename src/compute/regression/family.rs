//! Distributions of the response and links: mean, derivative, variance, deviance, log-likelihood.

use crate::error::{Error, Result};

/// The distribution of the response given the covariates; it fixes the variance `V(mu)` up to a dispersion
/// `phi`.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Family {
    /// Normal: `V = 1`, `phi` estimated. With the identity link, ordinary least squares.
    Gaussian,
    /// Binary or grouped binomial: `V = mu (1 - mu)`, `phi = 1`.
    Binomial,
    /// Counts: `V = mu`, `phi = 1`.
    Poisson,
    /// As binomial with `phi` estimated; the response may be any share in \[0, 1\].
    QuasiBinomial,
    /// As Poisson with `phi` estimated; the response may be any number that is not negative.
    QuasiPoisson,
    /// Positive amounts: `V = mu^2`, `phi` estimated.
    Gamma,
    /// Counts with a known overdispersion: `V = mu + mu^2 / theta`, `phi = 1`. [`super::NegativeBinomial`]
    /// estimates `theta`.
    NegativeBinomial {
        /// The shape, positive.
        theta: f64,
    },
}

/// The link `g` with `g(mu) = x'beta + offset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Link {
    /// `mu = eta`
    Identity,
    /// `mu = 1 / (1 + exp(-eta))`
    Logit,
    /// `mu = Phi(eta)`
    Probit,
    /// `mu = 1 - exp(-exp(eta))`
    ComplementaryLogLog,
    /// `mu = exp(eta)`
    Log,
}

impl Family {
    /// The link that is used unless another is asked for: the canonical one, but the log for
    /// [`Family::Gamma`].
    pub fn default_link(self) -> Link {
        match self {
            Self::Gaussian => Link::Identity,
            Self::Binomial | Self::QuasiBinomial => Link::Logit,
            Self::Poisson | Self::QuasiPoisson | Self::Gamma | Self::NegativeBinomial { .. } => Link::Log,
        }
    }

    /// Whether the dispersion is estimated (Pearson's chi-square over its degrees of freedom) rather than 1.
    /// Tests then refer to Student's t.
    pub fn estimates_dispersion(self) -> bool {
        !matches!(self, Self::Binomial | Self::Poisson | Self::NegativeBinomial { .. })
    }

    /// Whether the family has a log-likelihood (the quasi families have none).
    pub fn has_likelihood(self) -> bool {
        !matches!(self, Self::QuasiBinomial | Self::QuasiPoisson)
    }

    pub(crate) fn variance(self) -> Variance {
        match self {
            Self::Gaussian => Variance::Constant,
            Self::Binomial | Self::QuasiBinomial => Variance::Binomial,
            Self::Poisson | Self::QuasiPoisson => Variance::Poisson,
            Self::Gamma => Variance::Gamma,
            Self::NegativeBinomial { theta } => Variance::NegativeBinomial { theta },
        }
    }

    /// What is wrong with a response value.
    pub(crate) fn refuse(self, y: f64) -> Option<&'static str> {
        let whole = y == y.floor();
        match self {
            Self::Gaussian => None,
            Self::Binomial if y == 0.0 || y == 1.0 => None,
            Self::Binomial => Some("0 or 1 (shares need trials, or the quasi-binomial family)"),
            Self::QuasiBinomial if (0.0..=1.0).contains(&y) => None,
            Self::QuasiBinomial => Some("a share in [0, 1]"),
            Self::Poisson | Self::NegativeBinomial { .. } if y >= 0.0 && whole => None,
            Self::Poisson | Self::NegativeBinomial { .. } => {
                Some("a count (amounts need the quasi-Poisson family)")
            }
            Self::QuasiPoisson if y >= 0.0 => None,
            Self::QuasiPoisson => Some("a number that is not negative"),
            Self::Gamma if y > 0.0 => None,
            Self::Gamma => Some("a positive number"),
        }
    }
}

/// The variance function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Variance {
    Constant,
    Binomial,
    Poisson,
    Gamma,
    /// `mu + mu^2 / theta`
    NegativeBinomial {
        theta: f64,
    },
}

/// Variance function and link: all that one row needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Curve {
    pub(crate) variance: Variance,
    pub(crate) link: Link,
}

/// What one row contributes, per unit of prior weight and dispersion.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowTerms {
    pub(crate) mu: f64,
    /// `dmu/deta`
    pub(crate) slope: f64,
    /// The Fisher weight `(dmu/deta)^2 / V`.
    pub(crate) weight: f64,
    /// The derivative of the log-likelihood with respect to `eta`: `(y - mu) (dmu/deta) / V`.
    pub(crate) score: f64,
    pub(crate) variance: f64,
    /// Twice the log-likelihood ratio against the saturated model.
    pub(crate) deviance: f64,
    /// How far `eta` may move before the correction of this row's multiplier in the proof of overlap (see
    /// [`super::separation`]) changes its sign: `|y - mu| / (dmu/deta)`.
    pub(crate) slack: f64,
}

/// A probability and its complement, and `dmu/deta` over each of them: without cancellation at either end.
#[derive(Debug, Clone, Copy)]
struct Probability {
    mu: f64,
    rest: f64,
    slope_over_mu: f64,
    slope_over_rest: f64,
}

const FRAC_1_SQRT_2PI: f64 = 0.398_942_280_401_432_7;

impl Curve {
    pub(crate) fn new(family: Family, link: Link) -> Result<Self> {
        let allowed = match family {
            Family::Binomial | Family::QuasiBinomial => true,
            _ => matches!(link, Link::Identity | Link::Log),
        };
        if !allowed {
            return Err(Error::invalid(format!(
                "the {link:?} link gives means in (0, 1), which do not fit the {family:?} family; \
                 use the identity or the log link"
            )));
        }
        if let Family::NegativeBinomial { theta } = family
            && !(theta > 0.0 && theta.is_finite())
        {
            return Err(Error::invalid(format!("theta is {theta}; give a positive number")));
        }
        Ok(Self { variance: family.variance(), link })
    }

    /// Newton's method with expected information is then Newton's method itself.
    pub(crate) fn is_canonical(self) -> bool {
        matches!(
            (self.variance, self.link),
            (Variance::Constant, Link::Identity)
                | (Variance::Binomial, Link::Logit)
                | (Variance::Poisson, Link::Log)
        )
    }

    /// Whether coefficients can run to infinity.
    pub(crate) fn can_separate(self) -> bool {
        self.link != Link::Identity && !matches!(self.variance, Variance::Constant | Variance::Gamma)
    }

    /// Whether `eta` gives a mean that the distribution can have.
    pub(crate) fn valid(self, eta: f64) -> bool {
        let upper = match (self.variance, self.link) {
            (Variance::Binomial, Link::Identity) => 1.0,
            (Variance::Binomial, Link::Log) => 0.0,
            _ => f64::INFINITY,
        };
        let lower = match (self.variance, self.link) {
            (Variance::Constant, _)
            | (_, Link::Log | Link::Logit | Link::Probit | Link::ComplementaryLogLog) => f64::NEG_INFINITY,
            (_, Link::Identity) => 0.0,
        };
        eta > lower && eta < upper && (self.link != Link::Log || eta < 700.0)
    }

    /// `g(mu)`.
    pub(crate) fn eta(self, mu: f64) -> f64 {
        match self.link {
            Link::Identity => mu,
            Link::Logit => (mu / (1.0 - mu)).ln(),
            Link::Probit => crate::compute::distribution::Normal.quantile(mu),
            Link::ComplementaryLogLog => (-(-mu).ln_1p()).ln(),
            Link::Log => mu.ln(),
        }
    }

    fn probability(self, eta: f64) -> Probability {
        match self.link {
            Link::Logit => {
                let small = (-eta.abs()).exp();
                let (near, far) = (1.0 / (1.0 + small), small / (1.0 + small));
                let (mu, rest) = if eta >= 0.0 { (near, far) } else { (far, near) };
                Probability { mu, rest, slope_over_mu: rest, slope_over_rest: mu }
            }
            Link::Probit => {
                // Beyond 37 standard deviations the tail is no normal number.
                let eta = eta.clamp(-37.0, 37.0);
                let mu = 0.5 * libm::erfc(-eta * std::f64::consts::FRAC_1_SQRT_2);
                let rest = 0.5 * libm::erfc(eta * std::f64::consts::FRAC_1_SQRT_2);
                let density = FRAC_1_SQRT_2PI * (-0.5 * eta * eta).exp();
                Probability { mu, rest, slope_over_mu: density / mu, slope_over_rest: density / rest }
            }
            Link::ComplementaryLogLog => {
                let hazard = eta.clamp(-700.0, 6.5).exp();
                let (mu, rest) = (-(-hazard).exp_m1(), (-hazard).exp());
                Probability { mu, rest, slope_over_mu: hazard * rest / mu, slope_over_rest: hazard }
            }
            Link::Log => {
                let (mu, rest) = (eta.exp(), -eta.exp_m1());
                Probability { mu, rest, slope_over_mu: 1.0, slope_over_rest: mu / rest }
            }
            Link::Identity => Probability {
                mu: eta,
                rest: 1.0 - eta,
                slope_over_mu: 1.0 / eta,
                slope_over_rest: 1.0 / (1.0 - eta),
            },
        }
    }

    pub(crate) fn mean(self, eta: f64) -> f64 {
        match (self.link, self.variance) {
            (Link::Identity, _) => eta,
            (Link::Log, _) => eta.exp(),
            _ => self.probability(eta).mu,
        }
    }

    /// First and second derivative of the mean with respect to the linear predictor.
    pub(crate) fn derivatives(self, eta: f64) -> [f64; 2] {
        match self.link {
            Link::Identity => [1.0, 0.0],
            Link::Log => [eta.exp(), eta.exp()],
            Link::Logit => {
                let p = self.probability(eta);
                let slope = p.slope_over_mu * p.mu;
                [slope, slope * (p.rest - p.mu)]
            }
            Link::Probit => {
                let density = FRAC_1_SQRT_2PI * (-0.5 * eta * eta).exp();
                [density, -eta * density]
            }
            Link::ComplementaryLogLog => {
                let hazard = eta.clamp(-700.0, 6.5).exp();
                let slope = hazard * (-hazard).exp();
                [slope, slope * (1.0 - hazard)]
            }
        }
    }

    pub(crate) fn row(self, eta: f64, y: f64) -> RowTerms {
        match self.variance {
            Variance::Binomial => self.binomial_row(self.probability(eta), y),
            _ => self.other_row(eta, y),
        }
    }

    fn binomial_row(self, p: Probability, y: f64) -> RowTerms {
        // |y - mu| is mu for y = 0, and 1 - mu for y = 1.
        let slack = if y == 0.0 {
            1.0 / p.slope_over_mu
        } else if y == 1.0 && self.link != Link::Log {
            1.0 / p.slope_over_rest
        } else {
            f64::INFINITY
        };
        RowTerms {
            mu: p.mu,
            slope: p.slope_over_mu * p.mu,
            weight: p.slope_over_mu * p.slope_over_rest,
            score: y * p.slope_over_mu - (1.0 - y) * p.slope_over_rest,
            variance: p.mu * p.rest,
            deviance: 2.0 * (part(y, p.mu, p.rest) + part(1.0 - y, p.rest, p.mu)),
            slack,
        }
    }

    fn other_row(self, eta: f64, y: f64) -> RowTerms {
        let mu = self.mean(eta);
        let slope = if self.link == Link::Identity { 1.0 } else { mu };
        let variance = self.variance.of(mu);
        let slope_over_variance = match (self.variance, self.link) {
            (Variance::Poisson, Link::Log) => 1.0,
            (Variance::NegativeBinomial { theta }, Link::Log) => 1.0 / (1.0 + mu / theta),
            (Variance::Gamma, Link::Log) => 1.0 / mu,
            _ => slope / variance,
        };
        let counts = matches!(self.variance, Variance::Poisson | Variance::NegativeBinomial { .. });
        let deviance = match self.variance {
            Variance::Constant | Variance::Binomial => (y - mu).powi(2),
            Variance::Poisson => 2.0 * if y == 0.0 { mu } else { mu * deviation((y - mu) / mu) },
            Variance::Gamma => {
                let ratio = (y - mu) / mu;
                2.0 * (ratio - ratio.ln_1p())
            }
            Variance::NegativeBinomial { theta } => {
                let all = (y + theta) * ((y - mu) / (mu + theta)).ln_1p();
                2.0 * (if y == 0.0 { 0.0 } else { y * ((y - mu) / mu).ln_1p() } - all)
            }
        };
        RowTerms {
            mu,
            slope,
            weight: slope * slope_over_variance,
            score: (y - mu) * slope_over_variance,
            variance,
            deviance,
            slack: if counts && y == 0.0 { 1.0 } else { f64::INFINITY },
        }
    }

    /// Twice the log-likelihood ratio against the saturated model, per unit of weight.
    pub(crate) fn deviance(self, eta: f64, y: f64) -> f64 {
        self.row(eta, y).deviance
    }
}

/// `(1 + d) ln(1 + d) - d`.
fn deviation(d: f64) -> f64 {
    if d.abs() < 1e-4 {
        let d2 = d * d;
        return d2 * (0.5 - d / 6.0 + d2 / 12.0);
    }
    (1.0 + d) * d.ln_1p() - d
}

/// `y ln(y / mu)`, where `rest = 1 - mu`.
fn part(y: f64, mu: f64, rest: f64) -> f64 {
    if y == 0.0 {
        0.0
    } else if y == 1.0 {
        -if mu > 0.5 { (-rest).ln_1p() } else { mu.ln() }
    } else {
        y * (y / mu).ln()
    }
}

impl Variance {
    pub(crate) fn of(self, mu: f64) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Binomial => mu * (1.0 - mu),
            Self::Poisson => mu,
            Self::Gamma => mu * mu,
            Self::NegativeBinomial { theta } => mu * (1.0 + mu / theta),
        }
    }
}
