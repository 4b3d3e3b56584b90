use super::mantel_haenszel::{self, Curve};
use super::options::Named;
use super::proportions::{ProportionScale, Proportions, RatioOptions, Strata};
use super::two_arm::ZeroCells;
use crate::compute::proportion::{CountInterval, OddsRatioInterval};
use crate::design::{ArmCounts, Binary, Comparison};
use crate::effect::{Estimates, LogOddsRatio};
use crate::error::Result;

/// The ratio of two odds, on the scale of its logarithm, without covariates.
///
/// Use it where trials are pooled as odds ratios. With covariates:
/// [`LogisticRegression`](crate::estimator::LogisticRegression).
///
/// # Formula
/// `x_a` events among `n_a` people, `y_a = n_a - x_a`: `ln(x_1 / y_1) - ln(x_0 / y_0)`. Variance
/// `1 / x_1 + 1 / y_1 + 1 / x_0 + 1 / y_0`; two treatments share the reference: their covariance is
/// `1 / x_0 + 1 / y_0`.
///
/// # Assumptions
/// People were randomised one by one, with the same probabilities everywhere, and their outcomes are
/// independent.
///
/// # Interval
/// Miettinen-Nurminen (score) by default; the others of [`OddsRatioInterval`] by [`OddsRatio::interval`]. All
/// are given on the scale of the logarithm; `ratio_interval()` exponentiates. The p-value is that of the
/// score test, and that of the Wald test for Woolf and Haldane-Anscombe. Where clusters were declared:
/// Student's t with the delta method from the cluster-robust variance CR2 and Satterthwaite's degrees of
/// freedom.
///
/// # Errors
/// An arm in which nobody or everybody had the event, unless [`ZeroCells::AddHalf`] was chosen.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let outflow = Measure::binary("outflow");
/// let counts = Comparison::from_counts(
///     "Utrecht",
///     &outflow,
///     [("control", 10, 100), ("guidance", 15, 100)],
/// )?;
/// let effect = counts.estimate(&OddsRatio::new())?.treatment("guidance")?;
/// assert!((effect.ratio().unwrap() - (15.0 / 85.0) / (10.0 / 90.0)).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Woolf B (1955), Annals of Human Genetics 19:251. Cornfield J (1956), Proceedings of the Third Berkeley
/// Symposium 4:135. Miettinen O, Nurminen M (1985), Statistics in Medicine 4:213, doi:10.1002/sim.4780040211.
pub type OddsRatio = Proportions<LogOddsRatio>;

impl Named for LogOddsRatio {
    const OPTIONS: &'static [&'static str] = &["strata", "interval", "zero_cells", "level"];
}

impl ProportionScale for LogOddsRatio {
    type Interval = OddsRatioInterval;
    type Options = RatioOptions;

    const NAME: &'static str = "odds ratio";
    const INTERVAL: OddsRatioInterval = OddsRatioInterval::MiettinenNurminen;

    fn of_counts(interval: OddsRatioInterval) -> CountInterval {
        CountInterval::OddsRatio(interval)
    }

    fn takes_halves(options: &RatioOptions, counts: &ArmCounts) -> bool {
        options.zero_cells == ZeroCells::AddHalf
            && counts.events.is_some_and(|events| events == 0 || events == counts.analysed)
    }

    fn stratified(
        options: &RatioOptions,
        comparison: &Comparison<Binary>,
        curve: Curve,
    ) -> Option<Result<Estimates<Self>>> {
        (options.strata == Strata::MantelHaenszel).then(|| mantel_haenszel::odds_ratios(comparison, curve))
    }
}
