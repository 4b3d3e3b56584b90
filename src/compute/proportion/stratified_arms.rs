//! Several treatments against one control in strata: the covariances of Mantel-Haenszel estimates that share
//! the control.
//!
//! In a stratum `x` events, `y` non-events, `n` participants; arms `a` and `c`, control 0; `N_a = n_a + n_0`.
//! Given the treatments' arms the estimating function `U_a` of a treatment (mean 0 in every stratum if its
//! effect is the same in all) varies with the control's `x_0` alone, so that `Cov(U_a, U_c)` needs an
//! estimate of `p_0 q_0`. It is made of products of counts of different arms, which are unbiased however
//! small the strata, and averaged over both treatments. With `a = c` these are the control's parts of the
//! variances of Sato (1989), of Greenland & Robins (1985) and of Robins, Breslow & Greenland (1986); with one
//! stratum they are the covariances of the crude effects.

use super::stratified::{MantelHaenszelVariance, StratifiedProportions, Stratum};
use crate::compute::counts::ArmTotal;
use crate::error::Result;

/// The cells of every arm, the control first, in every stratum.
#[derive(Debug, Clone, PartialEq)]
pub struct StratifiedArms {
    strata: Vec<Vec<ArmTotal>>,
}

/// Two treatments and the control in a stratum where all three have participants.
struct Trio {
    a: ArmTotal,
    c: ArmTotal,
    zero: ArmTotal,
}

impl StratifiedArms {
    /// Of the totals of every arm in every stratum.
    pub fn new(strata: Vec<Vec<ArmTotal>>) -> Self {
        Self { strata }
    }

    /// A treatment (from 1) and the control.
    pub(crate) fn against_control(&self, treatment: usize) -> Result<StratifiedProportions> {
        StratifiedProportions::new(self.strata.iter().map(|arms| Stratum {
            treatment_events: arms[treatment].events,
            treatment_n: arms[treatment].n,
            control_events: arms[0].events,
            control_n: arms[0].n,
        }))
    }

    fn sum(&self, a: usize, c: usize, term: impl Fn(Trio) -> f64) -> f64 {
        self.strata
            .iter()
            .map(|arms| Trio { a: arms[a], c: arms[c], zero: arms[0] })
            .filter(|trio| trio.a.n > 0 && trio.c.n > 0 && trio.zero.n > 0)
            .map(term)
            .sum()
    }

    /// `sum over strata of both groups' participants` of a term of a treatment and the control.
    fn pairs(&self, a: usize, term: impl Fn(ArmTotal, ArmTotal) -> f64) -> f64 {
        let both = self.strata.iter().map(|arms| (arms[a], arms[0]));
        both.filter(|(a, zero)| a.n > 0 && zero.n > 0).map(|(a, zero)| term(a, zero)).sum()
    }

    /// The covariance of two Mantel-Haenszel differences: `sum w_a w_c V / n_0 / (sum w_a sum w_c)`,
    /// `w_a = n_a n_0 / N_a`, with `V = x_0 y_0 / n_0^2` (Greenland & Robins), or (Sato) the mean over both
    /// treatments of `(x_0 y_a + x_a y_0) / (2 n_0 n_a) + d_a (x_0 - y_0) / (2 n_0)`, `d_a` the difference.
    pub fn covariance_of_differences(
        &self,
        (a, d_a): (usize, f64),
        (c, d_c): (usize, f64),
        variance: MantelHaenszelVariance,
    ) -> f64 {
        let weight =
            |arm: ArmTotal, zero: ArmTotal| arm.total() * zero.total() / (arm.total() + zero.total());
        let sum = self.sum(a, c, |Trio { a, c, zero }| {
            let n0 = zero.total();
            let by = |arm: ArmTotal, d: f64| {
                (zero.x() * arm.y() + arm.x() * zero.y()) / (2.0 * n0 * arm.total())
                    + d * (zero.x() - zero.y()) / (2.0 * n0)
            };
            let spread = match variance {
                MantelHaenszelVariance::Sato => 0.5 * (by(a, d_a) + by(c, d_c)),
                MantelHaenszelVariance::GreenlandRobins => zero.x() * zero.y() / (n0 * n0),
            };
            weight(a, zero) * weight(c, zero) * spread / n0
        });
        sum / (self.pairs(a, weight) * self.pairs(c, weight))
    }

    /// The covariance of the logarithms of two Mantel-Haenszel ratios `r`:
    /// `sum y_0 (n_c x_a / r_a + n_a x_c / r_c) / (2 N_a N_c) / (S_a S_c)`, `S_a = sum x_0 n_a / N_a`.
    pub(crate) fn covariance_of_log_ratios(&self, (a, r_a): (usize, f64), (c, r_c): (usize, f64)) -> f64 {
        let sum = self.sum(a, c, |Trio { a, c, zero }| {
            let sizes = (a.total() + zero.total()) * (c.total() + zero.total());
            zero.y() * (c.total() * a.x() / r_a + a.total() * c.x() / r_c) / (2.0 * sizes)
        });
        let s = |arm| self.pairs(arm, |arm, zero| zero.x() * arm.total() / (arm.total() + zero.total()));
        sum / (s(a) * s(c))
    }

    /// The covariance of the logarithms of two Mantel-Haenszel odds ratios `r`:
    /// `sum n_0 (r_a y_a x_c + r_c y_c x_a) / (2 N_a N_c) / (R_a R_c)`, `R_a = sum x_a y_0 / N_a`.
    pub(crate) fn covariance_of_log_odds_ratios(
        &self,
        (a, r_a): (usize, f64),
        (c, r_c): (usize, f64),
    ) -> f64 {
        let sum = self.sum(a, c, |Trio { a, c, zero }| {
            let sizes = (a.total() + zero.total()) * (c.total() + zero.total());
            zero.total() * (r_a * a.y() * c.x() + r_c * c.y() * a.x()) / (2.0 * sizes)
        });
        let r = |arm| self.pairs(arm, |arm, zero| arm.x() * zero.y() / (arm.total() + zero.total()));
        sum / (r(a) * r(c))
    }
}
