use super::grid::{Grid, Weighted};
use super::mixture::{Component, Moments, NormalMixture};
use super::model::Model;
use super::prior::{MuPrior, NormalNormal, SCALES, TauPrior};
use crate::compute::meta_analysis::check_data;
use crate::error::{Error, ErrorKind, Result, counted};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The posterior of [`NormalNormal`]. It is written as its priors and estimates, and found again from them
/// when it is read.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Given", into = "Given")]
pub struct Posterior {
    pub(super) model: Model,
    pub(super) grid: Grid,
}

/// All that a posterior follows from.
#[derive(Debug, Serialize, Deserialize)]
struct Given {
    priors: NormalNormal,
    yi: Vec<f64>,
    vi: Vec<f64>,
}

impl From<Posterior> for Given {
    fn from(posterior: Posterior) -> Self {
        let Model { priors, yi, vi, .. } = posterior.model;
        Self { priors, yi, vi }
    }
}

impl TryFrom<Given> for Posterior {
    type Error = Error;

    fn try_from(given: Given) -> Result<Self> {
        given.priors.posterior(&given.yi, &given.vi)
    }
}

impl fmt::Debug for Posterior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Given::from(self.clone()).fmt(f)
    }
}

/// The effect that a posterior distribution is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EffectOf {
    /// The mean of trials like these.
    Mean,
    /// One new trial like these.
    NewTrial,
    /// One of these trials, counted from 0: its own estimate drawn towards the mean.
    Trial(usize),
}

/// The normal distribution of mu for one value of tau.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Conditional {
    /// Its mean; with the flat prior the inverse-variance mean with weights `1 / (v_i + tau^2)`.
    pub mean: f64,
    /// Its standard deviation.
    pub sd: f64,
}

impl NormalNormal {
    /// The posterior for the estimates `yi` with sampling variances `vi`.
    ///
    /// # Errors
    /// - `no_studies`;
    /// - `improper_posterior` where prior and data leave tau undetermined;
    /// - `invalid_variance` unless every variance lies between 1e-40 and 1e40;
    /// - `invalid_input` for lengths that differ, estimates that are not finite, and priors outside their
    ///   range.
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
        let grid = Grid::new(&model)?;
        let known: f64 = grid.nodes.iter().map(|node| node.weight).sum();
        if !grid.ln_evidence.is_finite() || (known - 1.0).abs() > 1e-6 {
            return Err(ErrorKind::NotEstimable(
                "the priors all but exclude the data: the posterior is a sliver that cannot be resolved; check that the priors are \
                 in the units of the effects (0.05, not 5, for five points of a proportion)"
                    .to_owned(),
            )
            .into());
        }
        Ok(Posterior { model, grid })
    }
}

impl Posterior {
    /// The priors.
    pub fn priors(&self) -> NormalNormal {
        self.model.priors
    }

    /// The number of studies.
    pub fn k(&self) -> usize {
        self.model.yi.len()
    }

    /// The estimates.
    pub fn yi(&self) -> &[f64] {
        &self.model.yi
    }

    /// Their sampling variances.
    pub fn vi(&self) -> &[f64] {
        &self.model.vi
    }

    /// The distribution of one effect: [`Posterior::mu`], [`Posterior::predictive`] or
    /// [`Posterior::study_effect`].
    ///
    /// # Errors
    /// `invalid_input` where there is no such study.
    pub fn effect(&self, of: EffectOf) -> Result<NormalMixture> {
        match of {
            EffectOf::Mean => Ok(self.mu()),
            EffectOf::NewTrial => Ok(self.predictive()),
            EffectOf::Trial(study) => self.study_effect(study),
        }
    }

    pub(super) fn tau_moments(&self) -> Moments {
        let decay = self.model.decay();
        Moments { mean: decay > 2.0, variance: decay > 3.0 }
    }

    /// The mean effect mu.
    pub fn mu(&self) -> NormalMixture {
        // A normal prior bounds the moments whatever tau is.
        let exists = match self.model.priors.mu_prior {
            MuPrior::Flat => self.tau_moments(),
            MuPrior::Normal { .. } => Moments { mean: true, variance: true },
        };
        self.mixture(exists, |Weighted { node, weight }| Component {
            weight,
            mean: node.mean,
            sd: node.variance.sqrt(),
        })
    }

    /// The effect in a new study, `N(mu, tau^2)`.
    pub fn predictive(&self) -> NormalMixture {
        self.mixture(self.tau_moments(), |Weighted { node, weight }| Component {
            weight,
            mean: node.mean,
            sd: (node.variance + node.tau * node.tau).sqrt(),
        })
    }

    /// The effect in one of the studies (counted from 0), drawn from its own estimate towards the mean
    /// effect.
    ///
    /// Given tau and with `B = tau^2 / (v + tau^2)` its mean is `B y + (1 - B) E(mu)` and its variance
    /// `B v + (1 - B)^2 Var(mu)`.
    ///
    /// # Errors
    /// `invalid_input` where there is no such study.
    pub fn study_effect(&self, study: usize) -> Result<NormalMixture> {
        let (Some(&y), Some(&v)) = (self.model.yi.get(study), self.model.vi.get(study)) else {
            return Err(Error::invalid(format!(
                "there is no study {study} among {}; they count from 0",
                counted(self.k(), "study")
            )));
        };
        Ok(self.mixture(Moments { mean: true, variance: true }, |Weighted { node, weight }| {
            let tau2 = node.tau * node.tau;
            let (own, others) = (tau2 / (v + tau2), v / (v + tau2));
            Component {
                weight,
                mean: own * y + others * node.mean,
                sd: (own * v + others * others * node.variance).sqrt(),
            }
        }))
    }

    fn mixture(&self, exists: Moments, component: impl Fn(Weighted) -> Component) -> NormalMixture {
        NormalMixture::new(self.grid.nodes.iter().map(|node| component(*node)).collect(), exists)
    }

    /// The distribution of mu for a given tau, 0 or more.
    ///
    /// # Errors
    /// `invalid_input` unless tau lies between 0 and 1e100.
    ///
    /// ```
    /// use armwise::bayes::{NormalNormal, TauPrior};
    /// use armwise::meta_analysis::CommonEffect;
    ///
    /// let (yi, vi) = ([0.12, 0.47], [0.011, 0.024]);
    /// let posterior =
    ///     NormalNormal::new(TauPrior::HalfNormal { scale: 0.25 }).posterior(&yi, &vi)?;
    /// let common = CommonEffect::new().pool(&yi, &vi)?;
    /// assert!((posterior.given_tau(0.0)?.mean - common.estimate).abs() < 1e-14);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn given_tau(&self, tau: f64) -> Result<Conditional> {
        if !(0.0..=1e100).contains(&tau) {
            return Err(Error::invalid(format!(
                "tau is a standard deviation, 0 or more, but {tau} was given"
            )));
        }
        let node = self.model.at(tau);
        Ok(Conditional { mean: node.mean, sd: node.variance.sqrt() })
    }

    /// The natural logarithm of the marginal likelihood of the estimates; `None` with an improper prior of
    /// tau. With a flat prior of mu it is that of density 1, and only comparable with others of its kind.
    pub fn log_evidence(&self) -> Option<f64> {
        (self.model.priors.tau_prior != TauPrior::ImproperUniform).then_some(self.grid.ln_evidence)
    }

    /// The natural logarithm of the Bayes factor of these priors against those of `other`: how much the data
    /// favour them.
    ///
    /// # Errors
    /// `incompatible` where the estimates differ, and where one prior of mu is flat and the other is not;
    /// `improper_posterior` where a prior of tau is improper, as its evidence is then arbitrary.
    ///
    /// ```
    /// use armwise::bayes::{NormalNormal, TauPrior};
    ///
    /// let (yi, vi) = ([0.031, 0.045, 0.038], [0.0011, 0.0021, 0.0030]);
    /// let narrow = NormalNormal::new(TauPrior::HalfNormal { scale: 0.02 }).posterior(&yi, &vi)?;
    /// let wide = NormalNormal::new(TauPrior::HalfNormal { scale: 1.0 }).posterior(&yi, &vi)?;
    /// assert!(narrow.log_bayes_factor(&wide)? > 1.0);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn log_bayes_factor(&self, other: &Self) -> Result<f64> {
        let flat = |posterior: &Self| posterior.model.priors.mu_prior == MuPrior::Flat;
        if (&self.model.yi, &self.model.vi) != (&other.model.yi, &other.model.vi) || flat(self) != flat(other)
        {
            let why = "a Bayes factor compares priors for the same estimates, both with a flat or both with a normal prior of mu";
            return Err(ErrorKind::Incompatible(why.into()).into());
        }
        match (self.log_evidence(), other.log_evidence()) {
            (Some(own), Some(others)) => Ok(own - others),
            _ => Err(ErrorKind::ImproperPosterior(
                "with an improper prior of tau the evidence is arbitrary; compare proper priors, as Uniform with an upper end"
                    .into(),
            )
            .into()),
        }
    }
}
