use super::any::is_usual;
use super::two_arm::{
    Strata, ZeroCells, clustered_proportions, refuse_crude, refuse_independent, with_halves, with_intervals,
};
use super::{Estimator, mantel_haenszel};
use crate::compute::proportion::{CountInterval, OddsRatioInterval};
use crate::design::{Binary, Comparison};
use crate::effect::{Estimates, LogOddsRatio, Method};
use crate::error::Result;
use serde::{Deserialize, Serialize};

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
/// Haldane-Anscombe. Where clusters were declared: Student's t with the delta method from the cluster-robust variance CR2 and
/// Satterthwaite's degrees of freedom.
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OddsRatio {
    #[serde(rename = "strata")]
    stratified: Strata,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<OddsRatioInterval>,
    zero_cells: ZeroCells,
    #[serde(skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

impl Default for OddsRatio {
    fn default() -> Self {
        Self { stratified: Strata::Ignored, interval: None, zero_cells: ZeroCells::default(), level: 0.95 }
    }
}

impl OddsRatio {
    /// Miettinen-Nurminen interval, level 0.95, empty cells refused.
    pub fn new() -> Self {
        Self::default()
    }

    /// The interval; default: Miettinen-Nurminen, and Student's t with CR2 where clusters were declared.
    #[must_use]
    pub fn interval(mut self, interval: OddsRatioInterval) -> Self {
        self.interval = Some(interval);
        self
    }

    /// What happens to an arm in which nobody or everybody had the event; default: an error.
    #[must_use]
    pub fn zero_cells(mut self, zero_cells: ZeroCells) -> Self {
        self.zero_cells = zero_cells;
        self
    }

    /// The Mantel-Haenszel odds ratio within the declared strata instead of the crude one, with the variance of Robins, Breslow and Greenland (1986), with a normal interval and a
    /// Wald test. The effect is taken to be the same in all strata. Two treatments share the control: their covariance is made like the
    /// variance, of products of counts of different arms, and need not be positive semi-definite. Default: strata are not used.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let table = Table::from_csv_str("arm,sex,works\nc,f,0\nc,f,1\nt,f,1\nt,f,1\nt,f,0\nc,m,0\nc,m,1\nc,m,0\nt,m,1\nt,m,0\n")?;
    /// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").strata(["sex"]).build()?;
    /// let stratified = OddsRatio::new().mantel_haenszel();
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

impl Estimator<Binary> for OddsRatio {
    type Scale = LogOddsRatio;

    fn estimate(&self, comparison: &Comparison<Binary>) -> Result<Estimates<LogOddsRatio>> {
        if self.stratified == Strata::MantelHaenszel {
            refuse_crude(self.interval)?;
            return mantel_haenszel::odds_ratios(comparison, self.level);
        }
        if comparison.clusters().is_some() {
            refuse_independent(self.interval)?;
            return clustered_proportions(comparison, LogOddsRatio, "odds ratio", self.level);
        }
        let interval = self.interval.unwrap_or(OddsRatioInterval::MiettinenNurminen);
        let method = Method::new("odds ratio");
        let empty = comparison
            .arms()
            .iter()
            .any(|arm| arm.counts.events.is_some_and(|events| events == 0 || events == arm.counts.analysed));
        if empty && self.zero_cells == ZeroCells::AddHalf {
            return with_halves(comparison, LogOddsRatio, method, self.level);
        }
        with_intervals(comparison, LogOddsRatio, method, self.level, CountInterval::OddsRatio(interval))
    }
}
