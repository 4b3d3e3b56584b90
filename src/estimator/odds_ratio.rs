use super::Estimator;
use super::two_arm::{ZeroCells, with_halves, with_intervals};
use crate::compute::interval::Interval;
use crate::compute::proportion::OddsRatioInterval;
use crate::design::{Binary, Comparison};
use crate::effect::{Estimates, IntervalMethod, LogOddsRatio, Method, TestMethod};
use crate::error::Result;

/// The ratio of two odds, on the scale of its logarithm, without covariates.
///
/// Use it where trials are pooled as odds ratios. With covariates: [`LogisticRegression`](crate::LogisticRegression).
///
/// # Formula
/// `x_a` events among `n_a` people, `y_a = n_a - x_a`: `ln(x_1 / y_1) - ln(x_0 / y_0)`. Variance `1 / x_1 + 1 / y_1 + 1 / x_0 + 1 / y_0`;
/// two treatments share the reference: their covariance is `1 / x_0 + 1 / y_0`.
///
/// # Assumptions
/// People were randomised one by one, with the same probabilities everywhere, and their outcomes are independent.
///
/// # Interval
/// Miettinen-Nurminen (score) by default; the others of [`OddsRatioInterval`] by [`OddsRatio::interval`]. All are given on the scale of the
/// logarithm; `ratio_interval()` exponentiates. The p-value is that of the score test, and that of the Wald test for Woolf and
/// Haldane-Anscombe.
///
/// # Errors
/// An arm in which nobody or everybody had the event, unless [`ZeroCells::AddHalf`] was chosen.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let outflow = Measure::binary("outflow");
/// let counts = Comparison::from_counts("Utrecht", &outflow, [("control", 10, 100), ("guidance", 15, 100)])?;
/// let effect = counts.estimate(&OddsRatio::new())?.treatment("guidance")?;
/// assert!((effect.ratio().unwrap() - (15.0 / 85.0) / (10.0 / 90.0)).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Woolf B (1955), Annals of Human Genetics 19:251. Cornfield J (1956), Proceedings of the Third Berkeley Symposium 4:135.
/// Miettinen O, Nurminen M (1985), Statistics in Medicine 4:213, doi:10.1002/sim.4780040211.
#[derive(Debug, Clone, PartialEq)]
pub struct OddsRatio {
    interval: OddsRatioInterval,
    zero_cells: ZeroCells,
    level: f64,
}

impl Default for OddsRatio {
    fn default() -> Self {
        Self { interval: OddsRatioInterval::MiettinenNurminen, zero_cells: ZeroCells::default(), level: 0.95 }
    }
}

impl OddsRatio {
    /// Miettinen-Nurminen interval, level 0.95, empty cells refused.
    pub fn new() -> Self {
        Self::default()
    }

    /// The interval; default: Miettinen-Nurminen.
    #[must_use]
    pub fn interval(mut self, interval: OddsRatioInterval) -> Self {
        self.interval = interval;
        self
    }

    /// What happens to an arm in which nobody or everybody had the event; default: an error.
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

impl Estimator<Binary> for OddsRatio {
    type Scale = LogOddsRatio;

    fn estimate(&self, comparison: &Comparison<Binary>) -> Result<Estimates<LogOddsRatio>> {
        let test = match self.interval {
            OddsRatioInterval::MiettinenNurminen => TestMethod::ScoreMiettinenNurminen,
            OddsRatioInterval::Woolf | OddsRatioInterval::HaldaneAnscombe => TestMethod::Wald,
            OddsRatioInterval::Cornfield | OddsRatioInterval::ExactConditional | OddsRatioInterval::MidP => {
                TestMethod::Score
            }
        };
        let method = Method::new("odds ratio");
        let empty = comparison
            .arms()
            .iter()
            .any(|arm| arm.counts.events.is_some_and(|events| events == 0 || events == arm.counts.analysed));
        if empty && self.zero_cells == ZeroCells::AddHalf {
            return with_halves(comparison, LogOddsRatio, method, self.level);
        }
        let method = method.interval(IntervalMethod::OddsRatio(self.interval)).test(test);
        with_intervals(comparison, LogOddsRatio, method, self.level, |two| {
            let interval = two.odds_ratio_interval(self.interval, self.level)?;
            Interval::new(interval.lower().ln(), interval.upper().ln())
        })
    }
}
