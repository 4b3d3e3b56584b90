use super::mantel_haenszel::{self, Curve};
use super::options::{Named, field};
use super::proportions::{ProportionScale, Proportions};
use crate::compute::proportion::{CountInterval, DifferenceInterval, MantelHaenszelVariance};
use crate::design::{ArmCounts, Binary, Comparison};
use crate::effect::{Estimates, RiskDifference};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// The difference of two proportions, treatment minus reference: the primary effect on a binary outcome.
///
/// Use it unadjusted, on any binary outcome, also where nobody or everybody had the event.
///
/// # Formula
/// `x_a` events among `n_a` people: `d = x_1 / n_1 - x_0 / n_0`, a proportion (times 100: percentage points).
/// Standard error: the root of `p_1 (1 - p_1) / n_1 + p_0 (1 - p_0) / n_0`. Two treatments share the
/// reference: their covariance is `p_0 (1 - p_0) / n_0`.
///
/// # Assumptions
/// People were randomised one by one, with the same probabilities everywhere, and their outcomes are
/// independent.
///
/// # Interval
/// Miettinen-Nurminen by default: the score interval with the factor `N / (N - 1)`; it needs no correction
/// for zeros. Every method of [`DifferenceInterval`] by [`DifferenceInProportions::interval`]. The p-value is
/// that of the score test of equal proportions (with the same factor for Miettinen-Nurminen), and that of the
/// Wald test for Wald and Agresti-Caffo intervals. Where clusters were declared: Student's t with the
/// cluster-robust variance CR2 and Satterthwaite's degrees of freedom, which is that of
/// [`LinearRegression`](crate::estimator::LinearRegression).
///
/// # Errors
/// An arm without outcomes; a level that is not between 0 and 1; an interval for independent people where
/// clusters were declared.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
/// use armwise::proportion::DifferenceInterval;
///
/// let outflow = Measure::binary("outflow");
/// let counts = Comparison::from_counts(
///     "Newcombe",
///     &outflow,
///     [("control", 48, 80), ("treatment", 56, 70)],
/// )?;
/// let effect = counts
///     .estimate(&DifferenceInProportions::new().interval(DifferenceInterval::Newcombe))?;
/// let interval = effect.treatment("treatment")?.interval();
/// // Newcombe (1998), table II, method 10, row (a): 0.0524 to 0.3339
/// assert!(
///     (interval.lower() - 0.0524).abs() < 5e-5 && (interval.upper() - 0.3339).abs() < 5e-5
/// );
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Miettinen O, Nurminen M (1985), Statistics in Medicine 4:213, doi:10.1002/sim.4780040211. Newcombe RG
/// (1998), Statistics in Medicine 17:873,
/// doi:10.1002/(SICI)1097-0258(19980430)17:8<`873::AID-SIM779>3.0.CO;2-I`. Yan X, Su XG (2010), Statistics in
/// Biopharmaceutical Research 2:329, doi:10.1198/sbr.2009.0049.
pub type DifferenceInProportions = Proportions<RiskDifference>;

/// The options of [`DifferenceInProportions`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DifferenceOptions {
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "field::stratified")]
    stratified: Option<MantelHaenszelVariance>,
}

impl DifferenceInProportions {
    /// The Mantel-Haenszel difference within the declared strata instead of the crude one, with the variance
    /// of Sato (1989) or of Greenland and Robins (1985), with a normal interval and a Wald test; with
    /// `interval(..)` Miettinen-Nurminen's or Mee's score interval for strata, whose test of no difference is
    /// that of Cochran, Mantel and Haenszel, or Newcombe's for strata (Yan & Su 2010). The effect is taken to
    /// be the same in all strata. Two treatments share the control: their covariance is made like the
    /// variance, of products of counts of different arms, and need not be positive semi-definite. Default:
    /// strata are not used.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let table = Table::from_csv_str(
    ///     "\
    ///     arm,sex,works\nc,f,0\nc,f,1\nt,f,1\nt,f,1\nt,f,0\nc,m,0\nc,m,1\nc,m,0\n\
    ///     t,m,1\nt,m,0\n",
    /// )?;
    /// let trial = Trial::builder("Utrecht", table)
    ///     .arm_labels("arm")
    ///     .control("c")
    ///     .strata(["sex"])
    ///     .build()?;
    /// let stratified =
    ///     DifferenceInProportions::new().mantel_haenszel(MantelHaenszelVariance::Sato);
    /// let effect = trial.on(&Measure::binary("works"))?.estimate(&stratified)?.treatment("t")?;
    /// assert!(effect.value() > 0.0 && effect.se() > 0.0);
    /// let score = stratified.interval(armwise::proportion::DifferenceInterval::MiettinenNurminen);
    /// let effect = trial.on(&Measure::binary("works"))?.estimate(&score)?.treatment("t")?;
    /// assert_eq!(effect.method().interval.to_string(), "stratified Miettinen-Nurminen");
    /// # Ok::<(), armwise::Error>(())
    /// ```
    #[must_use]
    pub fn mantel_haenszel(mut self, variance: MantelHaenszelVariance) -> Self {
        self.options.stratified = Some(variance);
        self
    }
}

impl Named for RiskDifference {
    const OPTIONS: &'static [&'static str] = &["stratified", "interval", "level"];
}

impl ProportionScale for RiskDifference {
    type Interval = DifferenceInterval;
    type Options = DifferenceOptions;

    const NAME: &'static str = "difference in proportions";
    const INTERVAL: DifferenceInterval = DifferenceInterval::MiettinenNurminen;

    fn of_counts(interval: DifferenceInterval) -> CountInterval {
        CountInterval::Difference(interval)
    }

    fn takes_halves(_: &DifferenceOptions, _: &ArmCounts) -> bool {
        false
    }

    fn stratified(
        options: &DifferenceOptions,
        comparison: &Comparison<Binary>,
        curve: Curve,
    ) -> Option<Result<Estimates<Self>>> {
        Some(mantel_haenszel::differences(comparison, options.stratified?, curve))
    }
}
