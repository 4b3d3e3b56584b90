use super::Estimator;
use super::two_arm::{ZeroCells, with_halves, with_intervals};
use crate::compute::interval::Interval;
use crate::compute::proportion::RatioInterval;
use crate::design::{Binary, Comparison};
use crate::effect::{Estimates, IntervalMethod, LogRiskRatio, Method, TestMethod};
use crate::error::Result;

/// The ratio of two proportions, on the scale of its logarithm: the relative effect beside the difference.
///
/// Use it unadjusted, on a binary outcome that both arms have.
///
/// # Formula
/// `x_a` events among `n_a` people: `ln(x_1 / n_1) - ln(x_0 / n_0)`. Variance `1 / x_1 - 1 / n_1 + 1 / x_0 - 1 / n_0`; two
/// treatments share the reference: their covariance is `1 / x_0 - 1 / n_0`.
///
/// # Assumptions
/// People were randomised one by one, with the same probabilities everywhere, and their outcomes are independent.
///
/// # Interval
/// Miettinen-Nurminen by default; the others of [`RatioInterval`] by [`RatioOfProportions::interval`]. All are given on the
/// scale of the logarithm; `ratio_interval()` exponentiates.
///
/// # Errors
/// An arm without events, unless [`ZeroCells::AddHalf`] was chosen.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let outflow = Measure::binary("outflow");
/// let counts = Comparison::from_counts("Utrecht", &outflow, [("control", 10, 100), ("guidance", 15, 100)])?;
/// let effect = counts.estimate(&RatioOfProportions::new())?.treatment("guidance")?;
/// assert!((effect.ratio().unwrap() - 1.5).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Katz D et al. (1978), Biometrics 34:469, doi:10.2307/2530610. Koopman PAR (1984), Biometrics 40:513, doi:10.2307/2531405.
/// Miettinen O, Nurminen M (1985), Statistics in Medicine 4:213.
#[derive(Debug, Clone, PartialEq)]
pub struct RatioOfProportions {
    interval: RatioInterval,
    zero_cells: ZeroCells,
    level: f64,
}

impl Default for RatioOfProportions {
    fn default() -> Self {
        Self { interval: RatioInterval::MiettinenNurminen, zero_cells: ZeroCells::default(), level: 0.95 }
    }
}

impl RatioOfProportions {
    /// Miettinen-Nurminen interval, level 0.95, arms without events refused.
    pub fn new() -> Self {
        Self::default()
    }

    /// The interval; default: Miettinen-Nurminen.
    #[must_use]
    pub fn interval(mut self, interval: RatioInterval) -> Self {
        self.interval = interval;
        self
    }

    /// What happens to an arm without events; default: an error.
    #[must_use]
    pub fn zero_cells(mut self, zero_cells: ZeroCells) -> Self {
        self.zero_cells = zero_cells;
        self
    }

    /// The confidence level, between 0 and 1; default 0.95.
    #[must_use]
    pub fn level(mut self, level: f64) -> Self {
        self.level = level;
        self
    }
}

impl Estimator<Binary> for RatioOfProportions {
    type Scale = LogRiskRatio;

    fn estimate(&self, comparison: &Comparison<Binary>) -> Result<Estimates<LogRiskRatio>> {
        let test = match self.interval {
            RatioInterval::MiettinenNurminen => TestMethod::ScoreMiettinenNurminen,
            RatioInterval::Koopman => TestMethod::Score,
            RatioInterval::Log | RatioInterval::Walter => TestMethod::Wald,
        };
        let method = Method::new("ratio of proportions");
        let empty = comparison.arms().iter().any(|arm| arm.counts.events == Some(0));
        if empty && self.zero_cells == ZeroCells::AddHalf {
            return with_halves(comparison, LogRiskRatio, method, self.level);
        }
        let method = method.interval(IntervalMethod::Ratio(self.interval)).test(test);
        with_intervals(comparison, LogRiskRatio, method, self.level, |two| {
            let interval = two.ratio_interval(self.interval, self.level)?;
            Interval::new(interval.lower().ln(), interval.upper().ln())
        })
    }
}
