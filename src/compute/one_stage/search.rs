//! The maximum of a likelihood with random effects: several starts, and the boundary.

use super::jet::Jet;
use super::marginal::log_marginal;
use super::newton::{Peak, cholesky, maximise, solve};
use super::quadrature::Node;
use super::term::Term;
use crate::compute::progress::Task;
use crate::error::{ErrorKind, Result};

/// A maximum over `D` parameters, the last `R` of them standard deviations.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<const D: usize> {
    pub(super) point: [f64; D],
    pub(super) log_likelihood: f64,
    /// The inverse of the observed information; rows and columns of a standard deviation at zero are zero.
    pub(super) covariance: [[f64; D]; D],
    /// True where a standard deviation is zero.
    pub(super) boundary: bool,
}

/// Standard deviations on the logit scale below this are zero to the likelihood.
const ZERO: f64 = 1e-5;
/// Neither effects nor standard deviations of logits are searched beyond this.
pub(super) const LIMIT: f64 = 60.0;
/// The logarithm of the probability of a sure event is zero; rounding of binomial constants adds less.
const SURE: f64 = 0.1;

/// The highest maximum from several starts. The last `R` coordinates are scales, in which `f` is even: near
/// zero they are set to zero. `None` where `f` rises without end, beyond `limit`.
pub(super) fn climb<const D: usize, const R: usize>(
    starts: &[[f64; D]],
    limit: f64,
    mut f: impl FnMut(&[f64; D]) -> Jet<D>,
) -> Option<Peak<D>> {
    let mut best: Option<Peak<D>> = None;
    for start in starts {
        let Some(mut peak) = maximise(*start, limit, &mut f) else { continue };
        let mut snapped = false;
        for sd in &mut peak.point[D - R..] {
            if sd.abs() < ZERO && *sd != 0.0 {
                *sd = 0.0;
                snapped = true;
            }
        }
        if snapped {
            peak.jet = f(&peak.point);
        }
        if best.as_ref().is_none_or(|best| peak.jet.value > best.jet.value + 1e-10) {
            best = Some(peak);
        }
    }
    best.filter(|peak| peak.converged)
}

/// As [`climb`] on the logit scale, with the covariance of the estimates. `f` is the logarithm of a
/// probability: where rounding makes it more than that of a sure event, it is not known there.
pub(super) fn highest<const D: usize, const R: usize>(
    starts: &[[f64; D]],
    mut f: impl FnMut(&[f64; D]) -> Jet<D>,
) -> Result<Found<D>> {
    let task = Task::start("likelihoods", None);
    let known = |at: &[f64; D]| {
        // A likelihood that is not known ends the search.
        if task.stopped() {
            return Jet::constant(f64::NAN);
        }
        let jet = f(at);
        let _ = task.advance(1);
        if jet.value > SURE { Jet::constant(f64::NAN) } else { jet }
    };
    let best = climb::<D, R>(starts, LIMIT, known);
    task.check()?;
    let best = best.ok_or_else(|| {
        ErrorKind::NotEstimable(
            "the likelihood rises without end as the effect or its standard deviation between sites grows: at almost every site all \
             or none have the event in one of the arms; use a model with a common effect, or leave such sites out"
                .to_owned(),
        )
    })?;
    let mut information = best.jet.hessian.map(|row| row.map(|h| -h));
    let zeros: Vec<usize> = (D - R..D).filter(|&j| best.point[j] == 0.0).collect();
    for &j in &zeros {
        for i in 0..D {
            (information[i][j], information[j][i]) = (0.0, 0.0);
        }
        information[j][j] = 1.0;
    }
    let factor = cholesky(&information).ok_or_else(|| {
        ErrorKind::NotConverged(
            "the information at the maximum is singular; use fewer random effects, or a model with a common effect".to_owned(),
        )
    })?;
    let mut covariance = [[0.0; D]; D];
    for (j, row) in covariance.iter_mut().enumerate() {
        let mut unit = [0.0; D];
        unit[j] = f64::from(u8::from(!zeros.contains(&j)));
        *row = solve(&factor, &unit);
    }
    let boundary = !zeros.is_empty();
    Ok(Found { point: best.point, log_likelihood: best.jet.value, covariance, boundary })
}

/// The likelihood of sites that share all parameters: `F` fixed effects, then `R` standard deviations.
pub(super) fn shared<const F: usize, const R: usize, const D: usize>(
    sites: &[Vec<Term>],
    rule: &[Node],
    at: &[f64; D],
) -> Jet<D> {
    let (fixed, sd) = parameters::<R, D>(at, F);
    let mut sum = Jet::constant(0.0);
    let task = Task::start("sites", sites.len() as u64);
    for site in sites {
        sum += log_marginal(site, &fixed, &sd, rule);
        if task.advance(1).is_err() {
            return Jet::constant(f64::NAN);
        }
    }
    sum
}

fn parameters<const R: usize, const D: usize>(at: &[f64; D], fixed: usize) -> ([Jet<D>; 2], [Jet<D>; R]) {
    let mut effects = [Jet::constant(0.0); 2];
    for (j, effect) in effects.iter_mut().enumerate().take(fixed) {
        *effect = Jet::parameter(j, at[j]);
    }
    (effects, std::array::from_fn(|r| Jet::parameter(fixed + r, at[fixed + r])))
}

/// The likelihood of sites with an intercept each, at its maximum over the intercepts, in the effect and its
/// standard deviation.
///
/// The derivatives of a profile likelihood are those of the whole, with the intercept eliminated from the
/// Hessian (Schur complement). Not a number where the intercept of a site is not found, which the Hessian
/// would turn into any number; `intercepts` keep their last values then.
pub(super) fn profiled(sites: &[Vec<Term>], intercepts: &mut [f64], rule: &[Node], at: &[f64; 2]) -> Jet<2> {
    let mut sum = Jet::constant(0.0);
    let task = Task::start("sites", sites.len() as u64);
    for (site, intercept) in sites.iter().zip(intercepts) {
        if task.advance(1).is_err() {
            return Jet::constant(f64::NAN);
        }
        let alone = |a: &[f64; 1]| {
            let fixed = [Jet::<1>::parameter(0, a[0]), Jet::constant(at[0])];
            log_marginal(site, &fixed, &[Jet::constant(at[1])], rule)
        };
        match maximise([*intercept], f64::INFINITY, alone) {
            Some(peak) if peak.converged => *intercept = peak.point[0],
            _ => return Jet::constant(f64::NAN),
        }
        let fixed = [Jet::<3>::parameter(0, *intercept), Jet::parameter(1, at[0])];
        let whole = log_marginal(site, &fixed, &[Jet::parameter(2, at[1])], rule);
        let (own, h) = (whole.hessian[0][0], whole.hessian);
        let mut part = Jet::constant(whole.value - 0.5 * whole.gradient[0].powi(2) / own);
        for i in 0..2 {
            part.gradient[i] = whole.gradient[i + 1] - h[0][i + 1] * whole.gradient[0] / own;
            for j in 0..2 {
                part.hessian[i][j] = h[i + 1][j + 1] - h[0][i + 1] * h[0][j + 1] / own;
            }
        }
        sum += part;
    }
    sum
}
