//! Two groups that do not overlap: the exact rank sum test, and the net benefits that it does not reject.

use crate::compute::distribution::special::ln_beta;
use crate::compute::interval::Interval;
use crate::compute::proportion::OneSided;
use crate::compute::reference_distribution::upper_tail;
use crate::compute::roots::root;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// All values of one group lie above all of another: a win probability `w` of 1 or 0, whose variance by
/// placements is zero.
///
/// # Formula
/// The most extreme order of `n_1` and `n_0` values. If nothing distinguishes the groups its probability is
/// `n_1! n_0! / (n_1 + n_0)!`, the one-sided p-value of the exact rank sum test. If their distribution
/// functions are powers of each other (Lehmann 1953), with the odds `o = w / (1 - w)` it is `p(n_1, n_0 /
/// o)`, `p(m, x) = m! x! / (m + x)!` by the gamma function (Savage 1956), and if those of surviving are
/// (proportional hazards) `p(n_0, n_1 / o)`. The p-value of a win probability is the larger of both, so that
/// it holds whichever group is taken first, and whether more or less is better.
///
/// # References
/// Lehmann EL (1953), Annals of Mathematical Statistics 24:23. Savage IR (1956), Annals of Mathematical
/// Statistics 27:590.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Separated {
    /// The number of values of the treatment.
    pub treatment: u64,
    /// The number of values of the reference.
    pub reference: u64,
    /// Whether the treatment has the higher values.
    pub treatment_above: bool,
}

/// The logarithm of the odds beyond which a win probability is 0 or 1.
const FARTHEST: f64 = 700.0;

impl Separated {
    /// There are values in both groups.
    pub(crate) fn is_valid(&self) -> bool {
        let counts = 1..=1 << 52;
        counts.contains(&self.treatment) && counts.contains(&self.reference)
    }

    /// The net benefit.
    pub(crate) fn value(&self) -> f64 {
        if self.treatment_above { 1.0 } else { -1.0 }
    }

    /// The logarithm of the probability of this order at that of the odds of being above, for the group that
    /// is.
    fn log_probability(&self, log_odds: f64) -> f64 {
        let [n1, n0] = [self.treatment as f64, self.reference as f64];
        // m! x! / (m + x)! = m B(m, x + 1)
        let order = |m: f64, x: f64| (m.ln() + ln_beta(m, x + 1.0)).min(0.0);
        let less = (-log_odds).exp();
        order(n1, n0 * less).max(order(n0, n1 * less))
    }

    /// The net benefits that are not rejected.
    pub(crate) fn limits(&self, level: f64) -> Result<Interval> {
        let tail = upper_tail(level)?;
        let log_odds = root(|log_odds| self.log_probability(log_odds) - tail.ln(), -30.0, FARTHEST);
        let limit = libm::tanh(0.5 * log_odds);
        if self.treatment_above { Interval::new(limit, 1.0) } else { Interval::new(-1.0, -limit) }
    }

    /// The one-sided p-values of a net benefit.
    pub(crate) fn one_sided(&self, bound: f64) -> OneSided {
        let towards = bound * self.value();
        let extreme = if towards >= 1.0 {
            1.0
        } else if towards <= -1.0 {
            0.0
        } else {
            self.log_probability(libm::log1p(towards) - libm::log1p(-towards)).exp()
        };
        // No order is more extreme, and every one is at most as extreme.
        if self.treatment_above {
            OneSided { above: extreme, below: 1.0 }
        } else {
            OneSided { above: 1.0, below: extreme }
        }
    }
}
