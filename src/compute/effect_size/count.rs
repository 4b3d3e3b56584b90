use super::{DROPPED, EffectSize, not_estimable};
use crate::compute::counts::{CellCorrection, Cells, TwoByTwo, check_tables};
use crate::compute::distribution::Normal;
use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// Effects of two groups of participants with and without the event.
///
/// Symbols: `x1` events of `n1` participants in the treatment group, `x0` of `n0` in the control group,
/// `p = x/n`, `N = n1 + n0`, `m1 = x1 + x0`, `m0 = N - m1`; after the rule for zero cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CountEffect {
    /// `p1 - p0`, variance the sum of `p (1 - p) / n`.
    RiskDifference,
    /// `p1 - p0`, with the unbiased variance, the sum of `p (1 - p) / (n - 1)`.
    RiskDifferenceUnbiasedVariance,
    /// `ln(p1 / p0)`, variance the sum of `1/x - 1/n`.
    LogRiskRatio,
    /// The log odds ratio, variance the sum of `1/x + 1/(n - x)` (Woolf 1955, Annals of Human Genetics
    /// 19:251).
    LogOddsRatio,
    /// `(x1 - E) / V` with `E = n1 m1 / N` and `V = n1 n0 m1 m0 / (N^2 (N - 1))`; variance `1 / V` (Yusuf et
    /// al. 1985, Progress in Cardiovascular Diseases 27:335). Close to the log odds ratio where that is
    /// small.
    PetoLogOddsRatio,
    /// `asin sqrt p1 - asin sqrt p0`, variance the sum of `1 / 4n` (Rücker et al. 2009, Statistics in
    /// Medicine 28:721).
    ArcsineDifference,
    /// The correlation of group and event, phi; variance for fixed sizes of the groups (Yule 1912, Journal of
    /// the Royal Statistical Society 75:579).
    Phi,
    /// Yule's Q, `(OR - 1) / (OR + 1)` of the odds ratio OR; variance `(1 - Q^2)^2 / 4` times that of ln OR.
    YuleQ,
    /// Yule's Y, the same of sqrt OR; variance `(1 - Y^2)^2 / 16` times that of ln OR.
    YuleY,
    /// The log odds ratio divided by 1.65: the difference in standard deviations of a normal outcome that was
    /// dichotomised (Cox & Snell 1989).
    StandardizedFromOddsNormal,
    /// The log odds ratio times `sqrt 3 / pi`: the same for a logistic outcome (Chinn 2000, Statistics in
    /// Medicine 19:3127).
    StandardizedFromOddsLogistic,
    /// `z1 - z0` of the normal quantiles `z` of `p`, variance the sum of `2 pi p (1 - p) exp(z^2) / n`
    /// (Sánchez-Meca et al. 2003, Psychological Methods 8:448).
    ProbitDifference,
}

/// The effect of one study. [`AddTo::AllIfAnyZero`](super::AddTo::AllIfAnyZero) is then the same as
/// [`AddTo::WhereZero`](super::AddTo::WhereZero).
///
/// # Errors
/// - `invalid_input` for counts outside 0 to n;
/// - `not_estimable` where the value or its variance is not finite (the logarithm of 0), and where the study
///   was to be dropped.
///
/// # Examples
/// ```
/// use armwise::effect_size::{CellCorrection, CountEffect, Counts, TwoByTwo, count_effect};
///
/// let table = TwoByTwo {
///     treatment: Counts { events: 0.0, n: 40.0 },
///     control: Counts { events: 2.0, n: 41.0 },
/// };
/// let difference = count_effect(&table, CountEffect::RiskDifference, CellCorrection::NONE)?;
/// assert!((difference.value + 0.0488).abs() < 5e-5);
/// assert!(count_effect(&table, CountEffect::LogOddsRatio, CellCorrection::NONE).is_err());
/// let ratio =
///     count_effect(&table, CountEffect::LogOddsRatio, CellCorrection::HALF_WHERE_ZERO)?;
/// assert!((ratio.value - (0.5_f64 * 39.5 / (40.5 * 2.5)).ln()).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
pub fn count_effect(table: &TwoByTwo, effect: CountEffect, correction: CellCorrection) -> Result<EffectSize> {
    count_effects(std::slice::from_ref(table), effect, correction)?.swap_remove(0)
}

/// The effects of several studies, in their order; those without one are errors of their own.
///
/// # Errors
/// `invalid_input` for counts outside 0 to n. Inner errors: as [`count_effect`].
///
/// # Examples
/// ```
/// use armwise::effect_size::{
///     AddTo, CellCorrection, CountEffect, Counts, TwoByTwo, count_effects,
/// };
///
/// let arm = |events, n| Counts { events, n };
/// let tables = [
///     TwoByTwo { treatment: arm(0.0, 20.0), control: arm(3.0, 20.0) },
///     TwoByTwo { treatment: arm(5.0, 20.0), control: arm(5.0, 20.0) },
/// ];
/// let rule = CellCorrection::add(0.5, AddTo::AllIfAnyZero)?;
/// let effects = count_effects(&tables, CountEffect::LogRiskRatio, rule)?;
/// assert!(effects[0].as_ref().unwrap().value < 0.0);
/// assert_eq!(effects[1].as_ref().unwrap().value, 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
pub fn count_effects(
    tables: &[TwoByTwo],
    effect: CountEffect,
    correction: CellCorrection,
) -> Result<Vec<Result<EffectSize>>> {
    check_tables(tables)?;
    let cells = correction.apply(tables.iter().map(Cells::from));
    Ok(cells.map(|cells| of_cells(cells.ok_or_else(|| not_estimable(DROPPED))?, effect)).collect())
}

fn of_cells(cells: Cells, effect: CountEffect) -> Result<EffectSize> {
    let (value, variance) = formula(cells, effect);
    EffectSize::finite(
        value,
        variance,
        "a group without events (or with events only) has no finite effect of this kind; add 1/2 where a cell is 0 \
         (CellCorrection::HALF_WHERE_ZERO), or take risk differences",
    )
}

/// Value and variance; not finite where they are undefined.
fn formula(cells: Cells, effect: CountEffect) -> (f64, f64) {
    let Cells { x1, y1, x0, y0 } = cells;
    let (n1, n0) = (cells.n1(), cells.n0());
    let (p1, p0) = (x1 / n1, x0 / n0);
    let log_odds_ratio = || ((x1 * y0 / (y1 * x0)).ln(), 1.0 / x1 + 1.0 / y1 + 1.0 / x0 + 1.0 / y0);
    let yule = |ratio: f64, divisor: f64, variance: f64| {
        let value = (ratio - 1.0) / (ratio + 1.0);
        (value, (1.0 - value * value).powi(2) / divisor * variance)
    };
    let scaled = |factor: f64| {
        let (value, variance) = log_odds_ratio();
        (value * factor, variance * factor * factor)
    };
    match effect {
        CountEffect::RiskDifference => (p1 - p0, p1 * (y1 / n1) / n1 + p0 * (y0 / n0) / n0),
        CountEffect::RiskDifferenceUnbiasedVariance => {
            (p1 - p0, p1 * (y1 / n1) / (n1 - 1.0) + p0 * (y0 / n0) / (n0 - 1.0))
        }
        CountEffect::LogRiskRatio => ((p1 / p0).ln(), 1.0 / x1 - 1.0 / n1 + 1.0 / x0 - 1.0 / n0),
        CountEffect::LogOddsRatio => log_odds_ratio(),
        CountEffect::PetoLogOddsRatio => {
            let information = cells.hypergeometric_variance();
            (cells.excess() / information, 1.0 / information)
        }
        CountEffect::ArcsineDifference => (p1.sqrt().asin() - p0.sqrt().asin(), 0.25 / n1 + 0.25 / n0),
        CountEffect::Phi => phi(cells),
        CountEffect::YuleQ => {
            let (log_ratio, variance) = log_odds_ratio();
            yule(log_ratio.exp(), 4.0, variance)
        }
        CountEffect::YuleY => {
            let (log_ratio, variance) = log_odds_ratio();
            yule((0.5 * log_ratio).exp(), 16.0, variance)
        }
        CountEffect::StandardizedFromOddsNormal => scaled(1.0 / 1.65),
        CountEffect::StandardizedFromOddsLogistic => scaled(3.0_f64.sqrt() / PI),
        CountEffect::ProbitDifference => {
            let probit = |x: f64, y: f64, n: f64| {
                // By the smaller tail, which keeps its digits.
                let z = if x < y { Normal.quantile(x / n) } else { Normal.upper_quantile(y / n) };
                (z, 2.0 * PI * (x / n) * (y / n) * (z * z).exp() / n)
            };
            let ((z1, v1), (z0, v0)) = (probit(x1, y1, n1), probit(x0, y0, n0));
            (z1 - z0, v1 + v0)
        }
    }
}

/// With `f` the value, `r` the shares of the groups and `c` those of events and others in `N`: `1/N` times
/// `1 - f^2 + f (1 + f^2/2) (r1 - r0)(c1 - c0) / sqrt(r1 r0 c1 c0) - 3/4 f^2 ((r1 - r0)^2/(r1 r0) + (c1 - c0)^2/(c1 c0))`.
fn phi(cells: Cells) -> (f64, f64) {
    let total = cells.total();
    let (r1, r0) = (cells.n1() / total, cells.n0() / total);
    let (c1, c0) = ((cells.x1 + cells.x0) / total, (cells.y1 + cells.y0) / total);
    let root = (r1 * r0 * c1 * c0).sqrt();
    let f = cells.excess() / (total * root);
    let (r, c) = (r1 - r0, c1 - c0);
    let variance = 1.0 - f * f + f * (1.0 + 0.5 * f * f) * r * c / root
        - 0.75 * f * f * (r * r / (r1 * r0) + c * c / (c1 * c0));
    (f, variance / total)
}
