use super::any::is_usual;
use super::two_arm::{
    Strata, ZeroCells, clustered_proportions, refuse_crude, refuse_independent, with_halves, with_intervals,
};
use super::{Estimator, mantel_haenszel};
use crate::compute::proportion::{CountInterval, RatioInterval};
use crate::design::{Binary, Comparison};
use crate::effect::{Estimates, LogRiskRatio, Method};
use crate::error::Result;
use serde::{Deserialize, Serialize};

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
/// scale of the logarithm; `ratio_interval()` exponentiates. Where clusters were declared: Student's t with the delta method from the
/// cluster-robust variance CR2 and Satterthwaite's degrees of freedom.
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RatioOfProportions {
    #[serde(rename = "strata")]
    stratified: Strata,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<RatioInterval>,
    zero_cells: ZeroCells,
    #[serde(skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

impl Default for RatioOfProportions {
    fn default() -> Self {
        Self { stratified: Strata::Ignored, interval: None, zero_cells: ZeroCells::default(), level: 0.95 }
    }
}

impl RatioOfProportions {
    /// Miettinen-Nurminen interval, level 0.95, arms without events refused.
    pub fn new() -> Self {
        Self::default()
    }

    /// The interval; default: Miettinen-Nurminen, and Student's t with CR2 where clusters were declared.
    #[must_use]
    pub fn interval(mut self, interval: RatioInterval) -> Self {
        self.interval = Some(interval);
        self
    }

    /// What happens to an arm without events; default: an error.
    #[must_use]
    pub fn zero_cells(mut self, zero_cells: ZeroCells) -> Self {
        self.zero_cells = zero_cells;
        self
    }

    /// The Mantel-Haenszel ratio within the declared strata instead of the crude one, with the variance of Greenland and Robins (1985), with a normal interval and a
    /// Wald test. The effect is taken to be the same in all strata. Two treatments share the control: their covariance is made like the
    /// variance, of products of counts of different arms, and need not be positive semi-definite. Default: strata are not used.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let table = Table::from_csv_str("arm,sex,works\nc,f,0\nc,f,1\nt,f,1\nt,f,1\nt,f,0\nc,m,0\nc,m,1\nc,m,0\nt,m,1\nt,m,0\n")?;
    /// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").strata(["sex"]).build()?;
    /// let stratified = RatioOfProportions::new().mantel_haenszel();
    /// let effect = trial.on(&Measure::binary("works"))?.estimate(&stratified)?.treatment("t")?;
    /// assert!(effect.value() > 0.0 && effect.se() > 0.0);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    #[must_use]
    pub fn mantel_haenszel(mut self) -> Self {
        self.stratified = Strata::MantelHaenszel;
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
        if self.stratified == Strata::MantelHaenszel {
            refuse_crude(self.interval)?;
            return mantel_haenszel::ratios(comparison, self.level);
        }
        if comparison.clusters().is_some() {
            refuse_independent(self.interval)?;
            return clustered_proportions(comparison, LogRiskRatio, "ratio of proportions", self.level);
        }
        let interval = self.interval.unwrap_or(RatioInterval::MiettinenNurminen);
        let method = Method::new("ratio of proportions");
        let empty = comparison.arms().iter().any(|arm| arm.counts.events == Some(0));
        if empty && self.zero_cells == ZeroCells::AddHalf {
            return with_halves(comparison, LogRiskRatio, method, self.level);
        }
        with_intervals(comparison, LogRiskRatio, method, self.level, CountInterval::Ratio(interval))
    }
}
