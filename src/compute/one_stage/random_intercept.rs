//! The proportion of one group at several sites: a logistic model with a random intercept.

use super::counts::sum;
use super::fitted::effect;
use super::mixed::{constant_outcome, logit, too_few};
use super::quadrature::gauss_hermite;
use super::search::{highest, shared};
use super::term::{Family, Term};
use crate::compute::coefficient::Coefficient;
use crate::compute::counts::ArmTotal;
use crate::compute::distribution::special::ln_choose;
use crate::compute::hypothesis::ChiSquaredTest;
use crate::compute::reference_distribution::check_level;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// A logistic model of the events of one group at several sites, with an intercept that varies at random.
///
/// # Formula
/// `x_i ~ Binomial(n_i, p_i)`, `logit p_i = a + sd u_i` with `u_i` standard normal. The likelihood of a site
/// is an integral over `u`, by adaptive Gauss-Hermite quadrature; the standard error of `a` comes from the
/// observed information, the standard deviation included. Whether sites differ is asked by the likelihood
/// ratio of a proportion for each site against one for all, on sites - 1 degrees of freedom.
///
/// # Errors
/// `insufficient_studies` with fewer than two sites that have people; `constant_outcome` where all or none
/// have the event; `invalid_input` for more events than people.
///
/// # Examples
/// ```
/// use armwise::one_stage::{ArmTotal, RandomInterceptLogistic};
///
/// let sites = [(3, 40), (0, 25), (11, 60), (5, 80)].map(|(events, n)| ArmTotal { events, n });
/// let fit = RandomInterceptLogistic::new().fit(&sites)?;
/// let proportion = 1.0 / (1.0 + (-fit.intercept.estimate).exp());
/// assert!(proportion > 0.04 && proportion < 0.12 && fit.random_sd > 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Stijnen T, Hamza TH, Ozdemir P (2010), Statistics in Medicine 29:3046, section 3.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RandomInterceptLogistic {
    points: usize,
    level: f64,
}

/// The result of [`RandomInterceptLogistic::fit`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RandomInterceptLogisticFit {
    /// The mean logit over sites.
    pub intercept: Coefficient,
    /// The standard deviation of the logits between sites.
    pub random_sd: f64,
    /// The log-likelihood with all binomial constants.
    pub log_likelihood: f64,
    /// That all sites have one proportion: twice the logarithm of the likelihood ratio.
    pub heterogeneity: ChiSquaredTest,
    /// The number of quadrature points.
    pub points: usize,
    /// True where the standard deviation is zero.
    pub boundary: bool,
}

impl Default for RandomInterceptLogistic {
    fn default() -> Self {
        Self { points: 15, level: 0.95 }
    }
}

impl RandomInterceptLogistic {
    /// 15 quadrature points, level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of quadrature points, 1 (Laplace) to 100; default 15.
    #[must_use]
    pub fn points(mut self, points: usize) -> Self {
        self.points = points;
        self
    }

    /// The confidence level, between 0 and 1; default 0.95.
    #[must_use]
    pub fn level(mut self, level: f64) -> Self {
        self.level = level;
        self
    }

    /// Fits the model to the events of each site.
    ///
    /// # Errors
    /// See [`RandomInterceptLogistic`].
    pub fn fit(&self, sites: &[ArmTotal]) -> Result<RandomInterceptLogisticFit> {
        check_level(self.level)?;
        let rule = gauss_hermite(self.points)?;
        if let Some(ArmTotal { events, n }) = sites.iter().find(|site| site.events > site.n) {
            return Err(Error::invalid(format!(
                "{events} of {n} people have the event; events are at most the people of a site"
            )));
        }
        let sites: Vec<ArmTotal> = sites.iter().filter(|site| site.n > 0).copied().collect();
        if sites.len() < 2 {
            return Err(too_few(sites.len(), ""));
        }
        let all = sum(sites.iter().copied());
        if all.events == 0 || all.events == all.n {
            return Err(constant_outcome(all));
        }
        let term = |site: &ArmTotal| Term {
            successes: site.events as f64,
            offset: 0.0,
            fixed: [1.0, 0.0],
            random: [1.0, 0.0],
            constant: ln_choose(site.n, site.events),
            family: Family::Binomial { n: site.n as f64 },
        };
        let terms: Vec<Vec<Term>> = sites.iter().map(|site| vec![term(site)]).collect();
        let starts = [0.0, 0.1, 0.4, 1.2, 3.0].map(|sd| [logit(all), sd]);
        let found = highest::<2, 1>(&starts, |at| shared::<1, 1, 2>(&terms, &rule, at))?;
        Ok(RandomInterceptLogisticFit {
            intercept: effect("intercept", found.point[0], found.covariance[0][0], self.level)?,
            random_sd: found.point[1].abs(),
            log_likelihood: found.log_likelihood,
            heterogeneity: ChiSquaredTest::new(likelihood_ratio(&sites, all), sites.len() as f64 - 1.0)?,
            points: self.points,
            boundary: found.boundary,
        })
    }
}

/// `2 sum(x ln(p_i / p) + y ln(q_i / q))` with `p_i` the share of a site and `p` that of all.
fn likelihood_ratio(sites: &[ArmTotal], all: ArmTotal) -> f64 {
    let total = all.n as f64;
    let part = |count: u64, of_all: u64, n: u64| {
        let count = count as f64;
        if count == 0.0 { 0.0 } else { count * (count * total / (n as f64 * of_all as f64)).ln() }
    };
    let of_site = |site: &ArmTotal| {
        part(site.events, all.events, site.n) + part(site.n - site.events, all.n - all.events, site.n)
    };
    (2.0 * sites.iter().map(of_site).sum::<f64>()).max(0.0)
}
