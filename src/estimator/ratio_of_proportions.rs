use super::mantel_haenszel::{self, Curve};
use super::options::Named;
use super::proportions::{ProportionScale, Proportions, RatioOptions, Strata};
use super::two_arm::ZeroCells;
use crate::compute::proportion::{CountInterval, RatioInterval};
use crate::design::{ArmCounts, Binary, Comparison};
use crate::effect::{Estimates, LogRiskRatio};
use crate::error::Result;

/// The ratio of two proportions, on the scale of its logarithm: the relative effect beside the difference.
///
/// Use it unadjusted, on a binary outcome that both arms have.
///
/// # Formula
/// `x_a` events among `n_a` people: `ln(x_1 / n_1) - ln(x_0 / n_0)`. Variance
/// `1 / x_1 - 1 / n_1 + 1 / x_0 - 1 / n_0`; two treatments share the reference: their covariance is
/// `1 / x_0 - 1 / n_0`.
///
/// # Assumptions
/// People were randomised one by one, with the same probabilities everywhere, and their outcomes are
/// independent.
///
/// # Interval
/// Miettinen-Nurminen by default; the others of [`RatioInterval`] by [`RatioOfProportions::interval`]. All
/// are given on the scale of the logarithm; `ratio_interval()` exponentiates. Where clusters were declared:
/// Student's t with the delta method from the cluster-robust variance CR2 and Satterthwaite's degrees of
/// freedom.
///
/// # Errors
/// An arm without events, unless [`ZeroCells::AddHalf`] was chosen.
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
/// let effect = counts.estimate(&RatioOfProportions::new())?.treatment("guidance")?;
/// assert!((effect.ratio().unwrap() - 1.5).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Katz D et al. (1978), Biometrics 34:469, doi:10.2307/2530610. Koopman PAR (1984), Biometrics 40:513,
/// doi:10.2307/2531405. Miettinen O, Nurminen M (1985), Statistics in Medicine 4:213.
pub type RatioOfProportions = Proportions<LogRiskRatio>;

impl Named for LogRiskRatio {
    const OPTIONS: &'static [&'static str] = &["strata", "interval", "zero_cells", "level"];
}

impl ProportionScale for LogRiskRatio {
    type Interval = RatioInterval;
    type Options = RatioOptions;

    const NAME: &'static str = "ratio of proportions";
    const INTERVAL: RatioInterval = RatioInterval::MiettinenNurminen;

    fn of_counts(interval: RatioInterval) -> CountInterval {
        CountInterval::Ratio(interval)
    }

    fn takes_halves(options: &RatioOptions, counts: &ArmCounts) -> bool {
        options.zero_cells == ZeroCells::AddHalf && counts.events == Some(0)
    }

    fn stratified(
        options: &RatioOptions,
        comparison: &Comparison<Binary>,
        curve: Curve,
    ) -> Option<Result<Estimates<Self>>> {
        (options.strata == Strata::MantelHaenszel).then(|| mantel_haenszel::ratios(comparison, curve))
    }
}
