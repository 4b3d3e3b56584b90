//! Mixed logistic models of counts by site and arm.

use super::counts::{Pair, SiteCounts, sum};
use super::fitted::{SiteIntercept, effect};
use super::jet::Jet;
use super::newton::maximise;
use super::quadrature::{Node, gauss_hermite};
use super::search::{Found, LIMIT, highest, profiled, shared};
use super::term::{Family, Term};
use crate::compute::coefficient::Coefficient;
use crate::compute::counts::ArmTotal;
use crate::compute::distribution::special::ln_choose;
use crate::compute::reference_distribution::check_level;
use crate::error::{Error, ErrorKind, Result, SeparatedBy, SeparatedModel, Sign, counted};
use serde::{Deserialize, Serialize};

/// What varies at random between sites in a [`MixedLogistic`] model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RandomPart {
    /// The intercept; the effect is common. `logit p = a + b t + sd u`.
    Intercept,
    /// The effect; every site has an intercept of its own. `logit p = a_i + (b + sd u) t` (the default).
    #[default]
    Effect,
    /// Intercept and effect, independently. `logit p = a + sd_0 u_0 + (b + sd u) t`.
    InterceptAndEffect,
}

/// The values of the treatment column `t`.
///
/// With a random effect it matters: with 0 and 1 the control arms do not vary, with halves both arms vary
/// alike (Jackson et al. 2018).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TreatmentCoding {
    /// 1 for the treatment, 0 for the reference.
    ZeroOne,
    /// 1/2 for the treatment, -1/2 for the reference (the default).
    #[default]
    Halves,
}

/// A mixed logistic model of one treatment against the reference at several sites.
///
/// # Formula
/// `y_ij ~ Binomial(n_ij, p_ij)` with the logits that [`RandomPart`] lists, `u` standard normal. The
/// likelihood of a site is an integral over `u`, by adaptive Gauss-Hermite quadrature of any number of
/// points; one point is Laplace's approximation. Its first and second derivatives are exact. Standard errors
/// come from the observed information of the whole log-likelihood, standard deviations included; the
/// log-likelihood has all its binomial constants.
///
/// # Boundary
/// A standard deviation of zero is a result: [`MixedLogisticFit::boundary`].
///
/// # Errors
/// `separation` where all or none have the event in an arm; `insufficient_studies` with fewer than two sites;
/// `constant_outcome`, `empty_arm`; `not_estimable` where the likelihood has no maximum.
///
/// # Examples
/// ```
/// use armwise::one_stage::{MixedLogistic, RandomPart, SiteArm, SiteCounts};
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
/// let fit = MixedLogistic::new().random(RandomPart::Intercept).points(7).fit(&counts)?;
/// assert!(fit.effect.estimate > 0.0 && fit.effect.se > 0.0);
/// assert!(fit.boundary || fit.random_sd > 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Turner et al. (2000), Statistics in Medicine 19:3417; Stijnen, Hamza & Ozdemir (2010), Statistics in
/// Medicine 29:3046; Simmonds & Higgins (2016), Statistical Methods in Medical Research 25:2858; Jackson,
/// Law, Stijnen, Viechtbauer & White (2018), Statistics in Medicine 37:1059.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MixedLogistic {
    random: RandomPart,
    coding: TreatmentCoding,
    points: usize,
    level: f64,
}

/// The result of [`MixedLogistic::fit`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MixedLogisticFit {
    /// The log odds ratio of the treatment against the reference: the mean over sites where it varies.
    pub effect: Coefficient,
    /// The standard deviation between sites of the effect; of the intercept for [`RandomPart::Intercept`].
    pub random_sd: f64,
    /// Its square.
    pub random_variance: f64,
    /// The mean intercept; `None` where every site has its own.
    pub intercept: Option<f64>,
    /// The standard deviation of the intercept, for [`RandomPart::InterceptAndEffect`].
    pub intercept_sd: Option<f64>,
    /// The intercept of every site where these are fixed; else empty.
    pub site_intercepts: Vec<SiteIntercept>,
    /// The log-likelihood with all binomial constants.
    pub log_likelihood: f64,
    /// The number of quadrature points in each dimension.
    pub points: usize,
    /// What varies at random.
    pub random: RandomPart,
    /// The coding of the treatment.
    pub coding: TreatmentCoding,
    /// True where a standard deviation is zero.
    pub boundary: bool,
}

impl Default for MixedLogistic {
    fn default() -> Self {
        Self { random: RandomPart::default(), coding: TreatmentCoding::default(), points: 15, level: 0.95 }
    }
}

impl MixedLogistic {
    /// A random effect with fixed intercepts, treatment coded in halves, 15 points, level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// What varies between sites; default: the effect.
        random: RandomPart;
        /// The coding of the treatment; default: halves.
        coding: TreatmentCoding;
        /// The number of quadrature points in each dimension, 1 (Laplace) to 100; default 15.
        points: usize;
        /// The confidence level, between 0 and 1; default 0.95.
        level: f64;
    }

    /// Fits the model to counts of two arms.
    ///
    /// # Errors
    /// See [`MixedLogistic`].
    pub fn fit(&self, counts: &SiteCounts) -> Result<MixedLogisticFit> {
        check_level(self.level)?;
        let rule = gauss_hermite(self.points)?;
        let pairs = counts.pairs()?;
        let inhabited = pairs.iter().filter(|pair| pair.n() > 0).count();
        if inhabited < 2 {
            return Err(too_few(inhabited, ""));
        }
        check_arms(counts, &pairs)?;
        match self.random {
            RandomPart::Intercept => self.with_random_intercept(counts, &pairs, &rule),
            RandomPart::InterceptAndEffect => self.with_both(counts, &pairs, &rule),
            RandomPart::Effect => self.with_site_intercepts(counts, &pairs, &rule),
        }
    }

    /// The two binomial counts of a site; `effect` is the position of the random effect, if there is one.
    fn terms(&self, pair: &Pair, random: impl Fn(f64) -> [f64; 2]) -> Vec<Term> {
        let (low, high) = match self.coding {
            TreatmentCoding::ZeroOne => (0.0, 1.0),
            TreatmentCoding::Halves => (-0.5, 0.5),
        };
        [(pair.treated, high), (pair.control, low)]
            .into_iter()
            .filter(|(arm, _)| arm.n > 0)
            .map(|(arm, t)| Term {
                successes: arm.events as f64,
                offset: 0.0,
                fixed: [1.0, t],
                random: random(t),
                constant: ln_choose(arm.n, arm.events),
                family: Family::Binomial { n: arm.n as f64 },
            })
            .collect()
    }

    /// Intercept and effect without variation between sites.
    fn start(sites: &[Vec<Term>], pairs: &[Pair]) -> [f64; 2] {
        let total = sum(pairs.iter().flat_map(|pair| [pair.treated, pair.control]));
        let fixed = |at: &[f64; 2]| {
            let effects = [Jet::<2>::parameter(0, at[0]), Jet::parameter(1, at[1])];
            let mut sum = Jet::constant(0.0);
            for term in sites.iter().flatten() {
                let eta = effects[0].scale(term.fixed[0]) + effects[1].scale(term.fixed[1]);
                sum += eta.scale(term.successes) - eta.compose(term.family.at(eta.value).curve(0));
            }
            sum
        };
        let start = [logit(total), 0.0];
        maximise(start, f64::INFINITY, fixed).map_or(start, |peak| peak.point)
    }

    fn with_random_intercept(
        &self,
        counts: &SiteCounts,
        pairs: &[Pair],
        rule: &[Node],
    ) -> Result<MixedLogisticFit> {
        let sites: Vec<Vec<Term>> = pairs.iter().map(|pair| self.terms(pair, |_| [1.0, 0.0])).collect();
        let [a, b] = Self::start(&sites, pairs);
        let starts = [0.0, 0.1, 0.4, 1.2, 3.0].map(|sd| [a, b, sd]);
        let found = highest::<3, 1>(&starts, |at| shared::<2, 1, 3>(&sites, rule, at))?;
        let fit = self.result(counts, &found, 1, Vec::new())?;
        Ok(MixedLogisticFit { intercept: Some(found.point[0]), ..fit })
    }

    fn with_both(&self, counts: &SiteCounts, pairs: &[Pair], rule: &[Node]) -> Result<MixedLogisticFit> {
        let sites: Vec<Vec<Term>> = pairs.iter().map(|pair| self.terms(pair, |t| [1.0, t])).collect();
        let [a, b] = Self::start(&sites, pairs);
        let sds =
            [[0.0, 0.0], [0.5, 0.0], [0.0, 0.5], [0.2, 0.2], [0.2, 1.0], [1.0, 0.2], [1.0, 1.0], [2.0, 2.0]];
        let starts = sds.map(|[intercept, effect]| [a, b, intercept, effect]);
        let found = highest::<4, 2>(&starts, |at| shared::<2, 2, 4>(&sites, rule, at))?;
        let fit = self.result(counts, &found, 1, Vec::new())?;
        Ok(MixedLogisticFit {
            intercept: Some(found.point[0]),
            intercept_sd: Some(found.point[2].abs()),
            ..fit
        })
    }

    fn with_site_intercepts(
        &self,
        counts: &SiteCounts,
        pairs: &[Pair],
        rule: &[Node],
    ) -> Result<MixedLogisticFit> {
        check_contrasts(counts, pairs)?;
        let informative = pairs.iter().filter(|pair| pair.is_informative()).count();
        if informative < 2 {
            return Err(too_few(informative, "with both arms and both outcomes "));
        }
        // A site whose outcomes are all the same has its intercept at infinity, where it says nothing.
        let kept: Vec<usize> = (0..pairs.len()).filter(|&site| counts.varies(site)).collect();
        let sites: Vec<Vec<Term>> = kept.iter().map(|&site| self.terms(&pairs[site], |t| [t, 0.0])).collect();
        let mut intercepts: Vec<f64> = kept.iter().map(|&site| logit(counts.total(site))).collect();
        let common = |at: &[f64; 1]| profiled(&sites, &mut intercepts, rule, &[at[0], 0.0]).of_first();
        let effect = maximise([0.0], LIMIT, common).map_or(0.0, |peak| peak.point[0]);
        let starts = [0.0, 0.1, 0.4, 1.2, 3.0].map(|sd| [effect, sd]);
        let found = highest::<2, 1>(&starts, |at| profiled(&sites, &mut intercepts, rule, at))?;
        profiled(&sites, &mut intercepts, rule, &found.point);
        let names = counts.sites().iter().enumerate().map(|(site, name)| SiteIntercept {
            name: name.clone(),
            estimate: kept.iter().position(|&other| other == site).map(|place| intercepts[place]),
        });
        self.result(counts, &found, 0, names.collect())
    }

    fn result<const D: usize>(
        &self,
        counts: &SiteCounts,
        found: &Found<D>,
        place: usize,
        site_intercepts: Vec<SiteIntercept>,
    ) -> Result<MixedLogisticFit> {
        let sd = found.point[D - 1].abs();
        Ok(MixedLogisticFit {
            effect: effect(
                &counts.arms()[1],
                found.point[place],
                found.covariance[place][place],
                self.level,
            )?,
            random_sd: sd,
            random_variance: sd * sd,
            intercept: None,
            intercept_sd: None,
            site_intercepts,
            log_likelihood: found.log_likelihood,
            points: self.points,
            random: self.random,
            coding: self.coding,
            boundary: found.boundary,
        })
    }
}

pub(super) fn too_few(sites: usize, which: &str) -> Error {
    ErrorKind::InsufficientStudies(format!(
        "{sites} site {which}does not show variation between sites; give at least two, or use a model without random effects"
    ))
    .into()
}

/// The logit of a proportion, moved inwards where it is 0 or 1.
pub(super) fn logit(total: ArmTotal) -> f64 {
    let (events, n) = (total.events as f64, total.n as f64);
    ((events + 0.5) / (n - events + 0.5)).ln()
}

/// Refuses where all or none have the event in an arm, or in both.
fn check_arms(counts: &SiteCounts, pairs: &[Pair]) -> Result<()> {
    let treated = sum(pairs.iter().map(|pair| pair.treated));
    let control = sum(pairs.iter().map(|pair| pair.control));
    let all = sum([treated, control].into_iter());
    if all.events == 0 || all.events == all.n {
        return Err(constant_outcome(all));
    }
    let sign = if treated.events == 0 || control.events == control.n {
        Sign::Negative
    } else if treated.events == treated.n || control.events == 0 {
        Sign::Positive
    } else {
        return Ok(());
    };
    Err(separated(counts, sign))
}

pub(super) fn constant_outcome(all: ArmTotal) -> Error {
    ErrorKind::ConstantOutcome(format!(
        "{} among {} had the event, so that no effect can be estimated; report the proportions with exact intervals",
        if all.events == 0 { "nobody" } else { "everybody" },
        counted(all.n, "participant")
    ))
    .into()
}

pub(super) fn separated(counts: &SiteCounts, sign: Sign) -> Error {
    let coefficients = vec![(counts.arms()[1].clone(), sign)];
    let (model, by) = (SeparatedModel::Sites, SeparatedBy::Arms);
    ErrorKind::Separation { complete: false, coefficients, model, by }.into()
}

/// Refuses where the treated events are as few, or as many, as each site's events allow.
pub(super) fn check_contrasts(counts: &SiteCounts, pairs: &[Pair]) -> Result<()> {
    let informative: Vec<&Pair> = pairs.iter().filter(|pair| pair.is_informative()).collect();
    if informative.is_empty() {
        let all = sum(pairs.iter().flat_map(|pair| [pair.treated, pair.control]));
        if all.events == 0 || all.events == all.n {
            return Err(constant_outcome(all));
        }
        return Err(ErrorKind::NotEstimable(
            "no site has both arms with different outcomes, so that the effect cannot be told apart from the sites; \
             check the labels of sites and arms"
                .to_owned(),
        )
        .into());
    }
    let lowest = |pair: &&Pair| pair.treated.events == 0 || pair.control.events == pair.control.n;
    let highest = |pair: &&Pair| pair.treated.events == pair.treated.n || pair.control.events == 0;
    if informative.iter().all(lowest) {
        return Err(separated(counts, Sign::Negative));
    }
    if informative.iter().all(highest) {
        return Err(separated(counts, Sign::Positive));
    }
    Ok(())
}
