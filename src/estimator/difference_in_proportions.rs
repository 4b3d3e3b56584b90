use super::any::is_usual;
use super::two_arm::{clustered_proportions, refuse_crude, refuse_independent, with_intervals};
use super::{Estimator, mantel_haenszel};
use crate::compute::proportion::{CountInterval, DifferenceInterval, MantelHaenszelVariance};
use crate::design::{Binary, Comparison};
use crate::effect::{Estimates, Method, RiskDifference};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// The difference of two proportions, treatment minus reference: the primary effect on a binary outcome.
///
/// Use it unadjusted, on any binary outcome, also where nobody or everybody had the event.
///
/// # Formula
/// `x_a` events among `n_a` people: `d = x_1 / n_1 - x_0 / n_0`, a proportion (times 100: percentage points). Standard error:
/// the root of `p_1 (1 - p_1) / n_1 + p_0 (1 - p_0) / n_0`. Two treatments share the reference: their covariance is `p_0 (1 - p_0) / n_0`.
///
/// # Assumptions
/// People were randomised one by one, with the same probabilities everywhere, and their outcomes are independent.
///
/// # Interval
/// Miettinen-Nurminen by default: the score interval with the factor `N / (N - 1)`; it needs no correction for zeros. Every method of
/// [`DifferenceInterval`] by [`DifferenceInProportions::interval`]. The p-value is that of the score test of equal proportions (with the same
/// factor for Miettinen-Nurminen), and that of the Wald test for Wald and Agresti-Caffo intervals. Where clusters were declared: Student's t
/// with the cluster-robust variance CR2 and Satterthwaite's degrees of freedom, which is that of [`LinearRegression`](crate::LinearRegression).
///
/// # Errors
/// An arm without outcomes; a level that is no level; an interval for independent people where clusters were declared.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
/// use armwise::proportion::DifferenceInterval;
///
/// let outflow = Measure::binary("outflow");
/// let counts = Comparison::from_counts("Newcombe", &outflow, [("control", 48, 80), ("treatment", 56, 70)])?;
/// let effect = counts.estimate(&DifferenceInProportions::new().interval(DifferenceInterval::Newcombe))?;
/// let interval = effect.treatment("treatment")?.interval();
/// // Newcombe (1998), table II, method 10, row (a): 0.0524 to 0.3339
/// assert!((interval.lower() - 0.0524).abs() < 5e-5 && (interval.upper() - 0.3339).abs() < 5e-5);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Miettinen O, Nurminen M (1985), Statistics in Medicine 4:213, doi:10.1002/sim.4780040211. Newcombe RG (1998), Statistics in
/// Medicine 17:873, doi:10.1002/(SICI)1097-0258(19980430)17:8<`873::AID-SIM779>3.0.CO;2-I`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DifferenceInProportions {
    #[serde(skip_serializing_if = "Option::is_none")]
    stratified: Option<MantelHaenszelVariance>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<DifferenceInterval>,
    #[serde(skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

impl Default for DifferenceInProportions {
    fn default() -> Self {
        Self { stratified: None, interval: None, level: 0.95 }
    }
}

impl DifferenceInProportions {
    /// Miettinen-Nurminen interval, level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    /// The interval; default: Miettinen-Nurminen, and Student's t with CR2 where clusters were declared.
    #[must_use]
    pub fn interval(mut self, interval: DifferenceInterval) -> Self {
        self.interval = Some(interval);
        self
    }

    /// The Mantel-Haenszel difference within the declared strata instead of the crude one, with the variance of Sato (1989) or of Greenland and Robins (1985), with a normal interval and a
    /// Wald test. The effect is taken to be the same in all strata. Two treatments share the control: their covariance is made like the
    /// variance, of products of counts of different arms, and need not be positive semi-definite. Default: strata are not used.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let table = Table::from_csv_str("arm,sex,works\nc,f,0\nc,f,1\nt,f,1\nt,f,1\nt,f,0\nc,m,0\nc,m,1\nc,m,0\nt,m,1\nt,m,0\n")?;
    /// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").strata(["sex"]).build()?;
    /// let stratified = DifferenceInProportions::new().mantel_haenszel(MantelHaenszelVariance::Sato);
    /// let effect = trial.on(&Measure::binary("works"))?.estimate(&stratified)?.treatment("t")?;
    /// assert!(effect.value() > 0.0 && effect.se() > 0.0);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    #[must_use]
    pub fn mantel_haenszel(mut self, variance: MantelHaenszelVariance) -> Self {
        self.stratified = Some(variance);
        self
    }

    /// The confidence level, between 0 and 1; default 0.95.
    #[must_use]
    pub fn level(mut self, level: f64) -> Self {
        self.level = level;
        self
    }
}

impl Estimator<Binary> for DifferenceInProportions {
    type Scale = RiskDifference;

    fn estimate(&self, comparison: &Comparison<Binary>) -> Result<Estimates<RiskDifference>> {
        if let Some(variance) = self.stratified {
            refuse_crude(self.interval)?;
            return mantel_haenszel::differences(comparison, variance, self.level);
        }
        if comparison.clusters().is_some() {
            refuse_independent(self.interval)?;
            return clustered_proportions(
                comparison,
                RiskDifference,
                "difference in proportions",
                self.level,
            );
        }
        let interval = self.interval.unwrap_or(DifferenceInterval::MiettinenNurminen);
        let method = Method::new("difference in proportions");
        with_intervals(comparison, RiskDifference, method, self.level, CountInterval::Difference(interval))
    }
}
