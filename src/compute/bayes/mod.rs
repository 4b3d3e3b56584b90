//! Bayesian random effects by quadrature: no sampling, no convergence to judge, the same digits every time.
//!
//! [`NormalNormal`] holds the priors; [`NormalNormal::posterior`] gives a [`Posterior`] with the
//! distributions of the mean effect mu, of the heterogeneity tau, of the effect in a new study, and of the
//! effect in each study. Given tau all effects are normal, so only tau is integrated numerically.
//!
//! | question | method |
//! |---|---|
//! | mean effect, its interval | [`Posterior::mu`], then [`NormalMixture::median`], [`NormalMixture::interval`] |
//! | heterogeneity | [`Posterior::tau`] |
//! | effect in a new study | [`Posterior::predictive`] |
//! | effect in one of the studies, shrunken | [`Posterior::study_effect`] |
//! | probability of benefit, or of no harm beyond a margin | [`NormalMixture::sf`] at 0, or at minus the margin |
//! | which prior do the data favour? | [`Posterior::log_evidence`], [`Posterior::log_bayes_factor`] |
//! | does the prior matter? | [`prior_sensitivity`] |
//! | two proportions | [`BetaBinomial`] |
//!
//! ```
//! use armwise::bayes::{NormalNormal, TauPrior};
//!
//! // Eight schools (Rubin 1981, Journal of Educational Statistics 6:377)
//! let effects = [28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0];
//! let variances = [15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0].map(|se: f64| se * se);
//! let posterior = NormalNormal::new(TauPrior::HalfNormal { scale: 25.0 })
//!     .posterior(&effects, &variances)?;
//! let mu = posterior.mu();
//! assert!((mu.median() - 7.9).abs() < 0.1);
//! assert!(mu.sf(0.0) > 0.9 && posterior.predictive().sf(0.0) < mu.sf(0.0));
//! // The first school is drawn towards the others.
//! assert!(posterior.study_effect(0)?.median() < 12.0);
//! # Ok::<(), armwise::Error>(())
//! ```

mod beta_binomial;
mod grid;
mod mixture;
mod model;
mod posterior;
mod prior;
mod shortest;
mod summary;
mod tau;

#[doc(alias("beta-binomial", "posterior of two proportions"))]
pub use beta_binomial::{BetaBinomial, BetaPrior};
pub use mixture::{NormalMixture, Summary};
pub use posterior::{Conditional, EffectOf, Posterior};
pub use prior::{MuPrior, NormalNormal, TauPrior};
pub use summary::{PosteriorSummary, prior_sensitivity};
pub use tau::TauPosterior;
