//! Conditional logistic models: the events of the treatment arm given all events of the site.

use super::counts::{Pair, SiteCounts};
use super::fitted::effect;
use super::jet::Jet;
use super::mixed::{check_contrasts, separated, too_few};
use super::newton::maximise;
use super::quadrature::gauss_hermite;
use super::search::{highest, shared};
use super::term::{Family, Term};
use crate::compute::coefficient::Coefficient;
use crate::compute::distribution::special::ln_choose;
use crate::compute::proportion::Hypergeometric;
use crate::compute::reference_distribution::check_level;
use crate::error::{Error, ErrorKind, Result, Sign};
use serde::{Deserialize, Serialize};

/// The distribution of the treated events given all events of a site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ConditionalDistribution {
    /// Non-central hypergeometric: exact (the default).
    #[default]
    Hypergeometric,
    /// Binomial with logit `ln(n1 / n0) + effect`: the approximation for rare events.
    Binomial,
}

/// A conditional logistic model of one treatment against the reference: intercepts of the sites are
/// conditioned away, so that many small sites do no harm.
///
/// # Formula
/// With `x` treated events of `m` in all at a site, `n1` treated and `n0` others,
/// `P(x) = C(n1, x) C(n0, m - x) exp(x u) / sum over k` of the same, where the log odds ratio `u` is the same
/// at all sites ([`ConditionalLogistic::fit_common`]) or normal with mean `b` and a standard deviation
/// between sites ([`ConditionalLogistic::fit`]). The integral over `u` is by adaptive Gauss-Hermite
/// quadrature with exact derivatives; standard errors come from the observed information, the standard
/// deviation included; the log-likelihood has all its constants.
///
/// # Errors
/// `separation` where the treated events are as few, or as many, as the events of the sites allow;
/// `constant_outcome`, `empty_arm`; `not_estimable` where no site has both arms and both outcomes, or the
/// likelihood has no maximum; `insufficient_studies` where fewer than two sites tell about variation between
/// them.
///
/// # Examples
/// ```
/// use armwise::one_stage::{ConditionalLogistic, SiteArm, SiteCounts};
///
/// let mut counts = SiteCounts::new(["A", "B", "C"], ["control", "guidance"])?;
/// for (site, arm, events, n) in [
///     (0, 0, 10, 100),
///     (0, 1, 15, 100),
///     (1, 0, 8, 90),
///     (1, 1, 7, 95),
///     (2, 0, 20, 180),
///     (2, 1, 44, 170),
/// ] {
///     counts.add(SiteArm { site, arm, events, n })?;
/// }
/// let common = ConditionalLogistic::new().fit_common(&counts)?;
/// let random = ConditionalLogistic::new().fit(&counts)?;
/// assert!(random.log_likelihood >= common.log_likelihood - 1e-9);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Cox (1970), The Analysis of Binary Data; Stijnen, Hamza & Ozdemir (2010), Statistics in Medicine 29:3046;
/// Liao & Rosen (2001), The American Statistician 55:366.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ConditionalLogistic {
    distribution: ConditionalDistribution,
    points: usize,
    level: f64,
}

/// The result of [`ConditionalLogistic::fit`] and [`ConditionalLogistic::fit_common`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConditionalLogisticFit {
    /// The log odds ratio of the treatment against the reference.
    pub effect: Coefficient,
    /// Its exponential.
    pub odds_ratio: f64,
    /// The standard deviation of the log odds ratio between sites; `None` for a common one.
    pub random_sd: Option<f64>,
    /// Its square.
    pub random_variance: Option<f64>,
    /// The log-likelihood with all constants.
    pub log_likelihood: f64,
    /// The distribution.
    pub distribution: ConditionalDistribution,
    /// The number of quadrature points.
    pub points: usize,
    /// The sites that say nothing: without one of the arms, or without both outcomes.
    pub uninformative_sites: Vec<String>,
    /// True where the log odds ratio varies between sites and its standard deviation is zero.
    pub boundary: bool,
}

impl Default for ConditionalLogistic {
    fn default() -> Self {
        Self { distribution: ConditionalDistribution::default(), points: 15, level: 0.95 }
    }
}

impl ConditionalLogistic {
    /// Hypergeometric, 15 quadrature points, level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// The distribution; default: hypergeometric.
        distribution: ConditionalDistribution;
        /// The number of quadrature points, 1 (Laplace) to 100; default 15.
        points: usize;
        /// The confidence level, between 0 and 1; default 0.95.
        level: f64;
    }

    fn terms(&self, pair: &Pair) -> Vec<Term> {
        let Pair { treated, control } = *pair;
        let (offset, constant, family) = match self.distribution {
            ConditionalDistribution::Hypergeometric => (
                0.0,
                ln_choose(treated.n, treated.events) + ln_choose(control.n, control.events),
                Family::Table(Hypergeometric::of_arms(treated, control)),
            ),
            ConditionalDistribution::Binomial => (
                (treated.n as f64 / control.n as f64).ln(),
                ln_choose(pair.events(), treated.events),
                Family::Binomial { n: pair.events() as f64 },
            ),
        };
        let successes = treated.events as f64;
        vec![Term { successes, offset, fixed: [1.0, 0.0], random: [1.0, 0.0], constant, family }]
    }

    /// Whether the events of a site can fall in either arm.
    fn counts(&self, pair: &Pair) -> bool {
        match self.distribution {
            ConditionalDistribution::Hypergeometric => pair.is_informative(),
            ConditionalDistribution::Binomial => {
                pair.treated.n > 0 && pair.control.n > 0 && pair.events() > 0
            }
        }
    }

    fn prepare(&self, counts: &SiteCounts) -> Result<Prepared> {
        check_level(self.level)?;
        let pairs = counts.pairs()?;
        check_contrasts(counts, &pairs)?;
        let (kept, left): (Vec<usize>, Vec<usize>) =
            (0..pairs.len()).partition(|&site| self.counts(&pairs[site]));
        if self.distribution == ConditionalDistribution::Binomial {
            let sign = if kept.iter().all(|&site| pairs[site].treated.events == 0) {
                Some(Sign::Negative)
            } else if kept.iter().all(|&site| pairs[site].control.events == 0) {
                Some(Sign::Positive)
            } else {
                None
            };
            if let Some(sign) = sign {
                return Err(separated(counts, sign));
            }
        }
        let sites = kept.iter().map(|&site| self.terms(&pairs[site])).collect();
        let uninformative = left.iter().map(|&site| counts.sites()[site].clone()).collect();
        Ok(Prepared { sites, uninformative })
    }

    /// One log odds ratio for all sites.
    ///
    /// # Errors
    /// See [`ConditionalLogistic`].
    pub fn fit_common(&self, counts: &SiteCounts) -> Result<ConditionalLogisticFit> {
        let data = self.prepare(counts)?;
        let peak = maximise([0.0], f64::INFINITY, |at: &[f64; 1]| data.common(at[0]))
            .filter(|peak| peak.converged && peak.jet.hessian[0][0] < 0.0)
            .ok_or_else(|| {
                Error::from(ErrorKind::NotConverged(
                    "the conditional likelihood has no maximum within the range of numbers; use the exact interval of the pooled table"
                        .to_owned(),
                ))
            })?;
        let variance = -peak.jet.hessian[0][0].recip();
        let effect = effect(&counts.arms()[1], peak.point[0], variance, self.level)?;
        Ok(ConditionalLogisticFit {
            odds_ratio: effect.estimate.exp(),
            effect,
            random_sd: None,
            random_variance: None,
            log_likelihood: peak.jet.value,
            distribution: self.distribution,
            points: self.points,
            uninformative_sites: data.uninformative,
            boundary: false,
        })
    }

    /// A log odds ratio that varies between sites.
    ///
    /// # Errors
    /// See [`ConditionalLogistic`].
    pub fn fit(&self, counts: &SiteCounts) -> Result<ConditionalLogisticFit> {
        let rule = gauss_hermite(self.points)?;
        let data = self.prepare(counts)?;
        if data.sites.len() < 2 {
            return Err(too_few(data.sites.len(), "with both arms and both outcomes "));
        }
        let common = maximise([0.0], f64::INFINITY, |at: &[f64; 1]| data.common(at[0]));
        let start = common.map_or(0.0, |peak| peak.point[0]);
        let starts = [0.0, 0.1, 0.4, 1.2, 3.0].map(|sd| [start, sd]);
        let found = highest::<2, 1>(&starts, |at| shared::<1, 1, 2>(&data.sites, &rule, at))?;
        let [estimate, sd] = found.point;
        let effect = effect(&counts.arms()[1], estimate, found.covariance[0][0], self.level)?;
        let sd = sd.abs();
        Ok(ConditionalLogisticFit {
            odds_ratio: effect.estimate.exp(),
            effect,
            random_sd: Some(sd),
            random_variance: Some(sd * sd),
            log_likelihood: found.log_likelihood,
            distribution: self.distribution,
            points: self.points,
            uninformative_sites: data.uninformative,
            boundary: found.boundary,
        })
    }
}

/// The sites that say something, and the names of the others.
struct Prepared {
    sites: Vec<Vec<Term>>,
    uninformative: Vec<String>,
}

impl Prepared {
    /// The log-likelihood of one log odds ratio.
    fn common(&self, log_odds_ratio: f64) -> Jet<1> {
        let mut sum = Jet::constant(0.0);
        for term in self.sites.iter().flatten() {
            let eta = Jet::<1>::parameter(0, log_odds_ratio) + Jet::constant(term.offset);
            let log_partition = eta.compose(term.family.at(eta.value).curve(0));
            sum += eta.scale(term.successes) - log_partition + Jet::constant(term.constant);
        }
        sum
    }
}
