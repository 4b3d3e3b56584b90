//! Every estimator of tau² in one text, for a mean and for models with covariates: what differs between these
//! is how sums over the studies are computed.

use super::options::Tau2;
use super::tau2::{Likelihood, Tau2Estimate};
use crate::error::Result;

/// Sums over the studies at one tau², with w = 1/(v + tau²).
pub(super) struct Moments {
    /// sum w e².
    pub(super) q: f64,
    /// sum w, and the trace of the residual projection P.
    pub(super) s1: f64,
    pub(super) trace_p: f64,
    /// The information about tau² in the restricted and in the full likelihood, twice: tr(PP) and sum w².
    pub(super) restricted: f64,
    pub(super) full: f64,
}

/// What the estimators ask of the studies. `a` are weights by which a quadratic form `Q_a` of the residuals
/// is made.
pub(super) trait Studies {
    /// The number of studies, and the residual degrees of freedom: one or more.
    fn count(&self) -> (f64, f64);
    /// The variance of a study.
    fn variance(&self, i: usize) -> f64;
    fn at(&self, tau2: f64) -> Result<Moments>;
    /// The tau² at which the likelihood is largest.
    fn most_likely(&self, likelihood: Likelihood) -> Result<f64>;
    /// The tau² at which Q is `target`.
    fn q_root(&self, target: f64) -> Result<f64>;
    /// sum (y - ybar)², and whether the model leaves residuals.
    fn scatter(&self) -> Result<(f64, bool)>;
    /// (`Q_a` - E `Q_a` at tau² = 0) / trace, and its standard error.
    fn moment(&self, a: impl Fn(usize) -> f64 + Copy) -> Result<Tau2Estimate>;
    /// The moment estimate where every study weighs the same.
    fn unweighted(&self) -> Result<Tau2Estimate> {
        self.moment(|_| 1.0)
    }
    /// The standard deviation of `Q_a` at a tau² where the effects are normal.
    fn sd(&self, a: impl Fn(usize) -> f64 + Copy, tau2: f64) -> Result<f64>;
}

/// The estimate by one method; `median` is that of chi-squared with the residual degrees of freedom.
pub(super) fn estimate(
    method: Tau2,
    studies: &impl Studies,
    median: f64,
    moment_weights: Option<&[f64]>,
) -> Result<Tau2Estimate> {
    let (k, free) = studies.count();
    let precision = |i: usize| 1.0 / studies.variance(i);
    let zero = || studies.at(0.0);
    let root = |target: f64| -> Result<(f64, Option<f64>)> {
        let tau2 = studies.q_root(target)?;
        Ok((tau2, Some((2.0 / free).sqrt() * k / studies.at(tau2)?.s1)))
    };
    let linear = |above: f64, factor: f64, divisor: f64| -> Result<(f64, Option<f64>)> {
        let tau2 = (above / divisor).max(0.0);
        Ok((tau2, Some(factor * studies.sd(precision, tau2)? / divisor)))
    };
    let (tau2, se) = match method {
        Tau2::Reml | Tau2::Ml => {
            let likelihood = if method == Tau2::Reml { Likelihood::Restricted } else { Likelihood::Full };
            let tau2 = studies.most_likely(likelihood)?;
            let at = studies.at(tau2)?;
            let twice = if method == Tau2::Reml { at.restricted } else { at.full };
            (tau2, Some((2.0 / twice).sqrt()))
        }
        Tau2::PauleMandel | Tau2::EmpiricalBayes => root(free)?,
        Tau2::PauleMandelMedian => root(median)?,
        Tau2::DerSimonianLaird => {
            let zero = zero()?;
            linear(zero.q - free, 1.0, zero.trace_p)?
        }
        Tau2::HunterSchmidt => {
            let zero = zero()?;
            linear(zero.q - k, 1.0, zero.s1)?
        }
        Tau2::HunterSchmidtCorrected => {
            let (zero, correction) = (zero()?, k / free);
            linear(zero.q * correction - k, correction, zero.s1)?
        }
        Tau2::Hedges => return studies.unweighted(),
        Tau2::SidikJonkman => {
            let (scatter, varies) = studies.scatter()?;
            if scatter == 0.0 || !varies {
                return Ok(Tau2Estimate { tau2: 0.0, se: None });
            }
            let start = scatter / k;
            let tau2 = start * studies.at(start)?.q / free;
            let shrunk = |i: usize| start / (studies.variance(i) + start);
            (tau2, Some(studies.sd(shrunk, tau2)? / free))
        }
        Tau2::DerSimonianLairdTwoStep => {
            let zero = zero()?;
            let first = ((zero.q - free) / zero.trace_p).max(0.0);
            return studies.moment(|i| 1.0 / (studies.variance(i) + first));
        }
        Tau2::GeneralizedQ => {
            return match moment_weights {
                Some(weights) => {
                    // Their size does not matter, but their squares may leave the range of numbers: by the power of
                    // two of the largest, which changes no digit.
                    let largest = weights.iter().copied().fold(0.0, f64::max);
                    let scale =
                        f64::from_bits(largest.to_bits() & 0x7ff0_0000_0000_0000).max(f64::MIN_POSITIVE);
                    studies.moment(|i| weights[i] / scale)
                }
                None => studies.moment(precision),
            };
        }
        Tau2::HartungMakambi => {
            let zero = zero()?;
            (zero.q * zero.q / ((2.0 * free + zero.q) * zero.trace_p), None)
        }
    };
    Ok(Tau2Estimate { tau2, se })
}
