//! Intervals of an effect of two proportions that several strata share: score, Newcombe, and their confidence
//! curves.

use super::curve::{OneSided, deviate};
use super::score::{Cells, constrained_by_difference};
use super::single::wilson;
use super::stratified::{MantelHaenszelVariance, StratifiedProportions, fitted};
use super::{CountInterval, Critical, DifferenceInterval, OddsRatioInterval, RatioInterval};
use crate::compute::interval::Interval;
use crate::compute::roots::root;
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// What a stratum weighs in an interval of an effect that strata share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StratumWeights {
    /// `n1 n0 / N`: the effect at which the score is zero is that of Mantel and Haenszel, also with many
    /// small strata.
    #[default]
    MantelHaenszel,
    /// The information of the stratum under the effect tested, `1 / V` for a difference (Miettinen & Nurminen
    /// 1985) and `p0~ / V` for a ratio (the efficient score, Gart 1985, Biometrika 72:673; Gart & Nam 1988,
    /// Biometrics 44:323): for few large strata. For Newcombe's interval the reciprocal of the unpooled
    /// variance of the difference.
    InverseVariance,
}

/// The measure of an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Difference,
    /// On the scale of the logarithm.
    Ratio,
    /// On the scale of the logarithm.
    OddsRatio,
}

/// The score test of an effect.
struct Score<'s> {
    strata: &'s StratifiedProportions,
    measure: Measure,
    weights: StratumWeights,
    /// Whether variances have the factor `N / (N - 1)`.
    corrected: bool,
}

/// A logarithm of a ratio beyond which it counts as infinite.
const FARTHEST: f64 = 600.0;
/// A deviate that no level reaches.
const NEVER: f64 = 100.0;

impl Score<'_> {
    /// The score over its standard error, both under the effect: positive where the evidence lies above it.
    /// It falls with the effect.
    fn deviate(&self, effect: f64) -> f64 {
        if self.measure == Measure::Difference && effect.abs() >= 1.0 {
            let differs = |c: &Cells| c.difference() != effect.signum();
            let beyond = effect.abs() > 1.0 || self.strata.tables().iter().any(differs);
            return if beyond { f64::INFINITY.copysign(-effect) } else { 0.0 };
        }
        let (mut score, mut variance) = (0.0, 0.0);
        for c in self.strata.tables() {
            let n = c.total();
            let factor = if self.corrected { n / (n - 1.0) } else { 1.0 };
            let [one, two] = match self.measure {
                Measure::Difference => self.of_difference(*c, effect, factor),
                Measure::Ratio => self.of_ratio(*c, effect.clamp(-FARTHEST, FARTHEST), factor),
                Measure::OddsRatio => of_odds_ratio(c, effect.clamp(-FARTHEST, FARTHEST), factor),
            };
            score += one;
            variance += two;
        }
        if score == 0.0 { 0.0 } else { score / variance.sqrt() }
    }

    /// The weighted distance of a stratum and its variance.
    fn weighted(&self, c: &Cells, distance: f64, variance: f64, slope: f64) -> [f64; 2] {
        match self.weights {
            StratumWeights::MantelHaenszel => {
                let weight = c.n1() * c.n0() / c.total();
                [weight * distance, weight * weight * variance]
            }
            // A stratum without variance has no distance either.
            StratumWeights::InverseVariance if variance == 0.0 => [0.0, 0.0],
            StratumWeights::InverseVariance => [slope * distance / variance, slope * slope / variance],
        }
    }

    fn of_difference(&self, c: Cells, effect: f64, factor: f64) -> [f64; 2] {
        let variance = factor * constrained_by_difference(c, effect).variance;
        self.weighted(&c, c.difference() - effect, variance, 1.0)
    }

    /// The estimates under `p1 = ratio p0` are roots of a quadratic, whose discriminant is a sum of squares
    /// (Miettinen & Nurminen 1985); a ratio above 1 is that of the arms swapped.
    fn of_ratio(&self, c: Cells, effect: f64, factor: f64) -> [f64; 2] {
        if effect > 0.0 {
            let [score, variance] = self.of_ratio(c.swapped(), -effect, factor);
            return [-score, variance];
        }
        let ratio = effect.exp();
        let (n1, n0) = (c.n1(), c.n0());
        let b = ratio * (n1 + c.x0) + n0 + c.x1;
        let discriminant = (ratio * (n1 + c.x0) - (n0 + c.x1)).hypot(2.0 * (ratio * c.y1 * c.y0).sqrt());
        let p0 = (2.0 * (c.x1 + c.x0) / (b + discriminant)).min(1.0);
        let p1 = ratio * p0;
        let variance = factor * (p1 * (1.0 - p1) / n1 + ratio * ratio * p0 * (1.0 - p0) / n0);
        self.weighted(&c, c.x1 / n1 - ratio * (c.x0 / n0), variance, p0)
    }

    /// The effects that are not rejected at a deviate.
    fn interval(&self, z: f64) -> Interval {
        let end = if self.measure == Measure::Difference { 1.0 } else { FARTHEST };
        let limit = |z: f64| root(|effect| self.deviate(effect).clamp(-NEVER, NEVER) - z, -end, end);
        // Where the counts lie at an end of the scale no level excludes it.
        let outermost = if self.measure == Measure::Difference { 1.0 } else { f64::INFINITY };
        let [lowest, highest] = self.ends();
        let lower = if lowest { -outermost } else { limit(z) };
        Interval::between(lower, if highest { outermost } else { limit(-z) })
    }

    /// Whether the counts of all strata lie at the lower, or at the upper, end of the scale.
    fn ends(&self) -> [bool; 2] {
        let all = |at_end: fn(&Cells) -> bool| self.strata.tables().iter().all(at_end);
        match self.measure {
            Measure::Difference => [all(|c| c.x1 == 0.0 && c.y0 == 0.0), all(|c| c.x0 == 0.0 && c.y1 == 0.0)],
            Measure::Ratio => [all(|c| c.x1 == 0.0), all(|c| c.x0 == 0.0)],
            Measure::OddsRatio => [all(|c| c.x1 * c.y0 == 0.0), all(|c| c.x0 * c.y1 == 0.0)],
        }
    }
}

/// `x1` less what it is under the odds ratio and the margins, with its variance: the efficient score of the
/// logarithm, whatever the weights.
fn of_odds_ratio(c: &Cells, effect: f64, factor: f64) -> [f64; 2] {
    if c.x1 + c.x0 == 0.0 || c.y1 + c.y0 == 0.0 {
        return [0.0, 0.0];
    }
    let under = fitted(c, effect.exp());
    let information = 1.0 / (1.0 / under.x1 + 1.0 / under.y1 + 1.0 / under.x0 + 1.0 / under.y0);
    // Far out rounding may leave a cell with less than nothing.
    [c.x1 - under.x1, factor * information.max(0.0)]
}

impl StratifiedProportions {
    /// An interval of the difference in proportions that strata share: Miettinen-Nurminen, Mee or Newcombe.
    ///
    /// # Formula
    /// Score: the differences `d` with `(sum w (p1 - p0 - d))^2 <= z^2 sum w^2 V`, with each stratum's
    /// variance `V` under `d`: that of Mee, times `N / (N - 1)` for Miettinen-Nurminen. With Mantel-Haenszel
    /// weights the test of no difference is that of Cochran, Mantel and Haenszel.
    ///
    /// Newcombe: with `k_a = sum w^2 / n_a / (sum w)^2` and each arm's weighted means `l_a, u_a` of the
    /// strata's Wilson limits at the deviate `z sqrt(sum w^2 v) / sum(w sqrt(v))`, `v = p_a q_a / n_a`, the
    /// interval reaches from `d` down by `z sqrt(k_1 l_1 (1 - l_1) + k_0 u_0 (1 - u_0))` and up by
    /// `z sqrt(k_1 u_1 (1 - u_1) + k_0 l_0 (1 - l_0))`. Where nobody or everybody in an arm had the event in
    /// each stratum, its `v` are those of a common proportion.
    ///
    /// # Errors
    /// `invalid_input` for a level outside (0, 1) or another method; `zero_variance` with weights by inverse
    /// variance where a stratum has no or only events.
    ///
    /// # Examples
    /// With one stratum the interval is that of the two proportions.
    /// ```
    /// use armwise::proportion::{
    ///     DifferenceInterval, Proportion, StratifiedProportions, StratumWeights, TwoProportions,
    /// };
    ///
    /// let two = TwoProportions::new(Proportion::new(56, 70)?, Proportion::new(48, 80)?);
    /// let strata = StratifiedProportions::new([two])?;
    /// for method in [DifferenceInterval::MiettinenNurminen, DifferenceInterval::Newcombe] {
    ///     let stratified =
    ///         strata.difference_interval(method, StratumWeights::MantelHaenszel, 0.95)?;
    ///     assert!(
    ///         (stratified.lower() - two.difference_interval(method, 0.95)?.lower()).abs() < 1e-12
    ///     );
    /// }
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # References
    /// Miettinen O, Nurminen M (1985), Statistics in Medicine 4:213, doi:10.1002/sim.4780040211. Yan X, Su XG
    /// (2010), Statistics in Biopharmaceutical Research 2:329, doi:10.1198/sbr.2009.0049.
    pub fn difference_interval(
        &self,
        method: DifferenceInterval,
        weights: StratumWeights,
        level: f64,
    ) -> Result<Interval> {
        self.interval_at(CountInterval::Difference(method), weights, Critical::new(level)?)
    }

    /// An interval of the ratio of proportions that strata share: the ratios `r` with `(sum w (p1 - r p0))^2
    /// <= z^2 sum w^2 V`, with each stratum's variance `V = p1~ q1~ / n1 + r^2 p0~ q0~ / n0` at the maximum
    /// likelihood estimates under `r`, for Miettinen-Nurminen times `N / (N - 1)`, for Koopman not.
    ///
    /// # Errors
    /// `invalid_input` for a level outside (0, 1) or another method.
    ///
    /// ```
    /// use armwise::proportion::{RatioInterval, StratifiedProportions, Stratum, StratumWeights};
    ///
    /// let strata = StratifiedProportions::new([
    ///     Stratum { treatment_events: 12, treatment_n: 40, control_events: 6, control_n: 38 },
    ///     Stratum { treatment_events: 9, treatment_n: 30, control_events: 0, control_n: 31 },
    /// ])?;
    /// let interval = strata.ratio_interval(
    ///     RatioInterval::MiettinenNurminen,
    ///     StratumWeights::MantelHaenszel,
    ///     0.95,
    /// )?;
    /// assert!(interval.lower() > 1.0 && interval.contains(strata.ratio()?.estimate));
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn ratio_interval(
        &self,
        method: RatioInterval,
        weights: StratumWeights,
        level: f64,
    ) -> Result<Interval> {
        let interval = self.interval_at(CountInterval::Ratio(method), weights, Critical::new(level)?)?;
        Ok(interval.map(libm::exp))
    }

    /// An interval of the odds ratio that strata share: the odds ratios with `(sum (x1 - e))^2 <= z^2 sum v`,
    /// where `e` is what `x1` is at the margins of the stratum under the odds ratio, and `1 / v` the sum of
    /// the reciprocal cells there, for Miettinen-Nurminen times `N / (N - 1)`, for Cornfield not (Gart 1970,
    /// Biometrika 57:471). The score is zero near the Mantel-Haenszel odds ratio, not at it.
    ///
    /// # Errors
    /// `invalid_input` for a level outside (0, 1) or another method.
    pub fn odds_ratio_interval(&self, method: OddsRatioInterval, level: f64) -> Result<Interval> {
        let weights = StratumWeights::MantelHaenszel;
        let interval = self.interval_at(CountInterval::OddsRatio(method), weights, Critical::new(level)?)?;
        Ok(interval.map(libm::exp))
    }

    /// The score test of a method; `None` where it is no score.
    fn score(&self, method: CountInterval, weights: StratumWeights) -> Option<Score<'_>> {
        let (measure, corrected) = match method {
            CountInterval::Difference(DifferenceInterval::MiettinenNurminen) => (Measure::Difference, true),
            CountInterval::Difference(DifferenceInterval::Mee) => (Measure::Difference, false),
            CountInterval::Ratio(RatioInterval::MiettinenNurminen) => (Measure::Ratio, true),
            CountInterval::Ratio(RatioInterval::Koopman) => (Measure::Ratio, false),
            CountInterval::OddsRatio(OddsRatioInterval::MiettinenNurminen) => (Measure::OddsRatio, true),
            CountInterval::OddsRatio(OddsRatioInterval::Cornfield) => (Measure::OddsRatio, false),
            _ => return None,
        };
        Some(Score { strata: self, measure, weights, corrected })
    }

    /// The limits at a deviate on the scale of the curve.
    fn interval_at(
        &self,
        method: CountInterval,
        weights: StratumWeights,
        critical: Critical,
    ) -> Result<Interval> {
        if let Some(score) = self.score(method, weights) {
            if weights == StratumWeights::InverseVariance && score.measure == Measure::Difference {
                self.unpooled_variances()?;
            }
            return Ok(score.interval(critical.z));
        }
        match method {
            CountInterval::Difference(DifferenceInterval::Newcombe) => self.newcombe(weights, critical.z),
            _ => Err(undefined(method)),
        }
    }

    fn newcombe(&self, rule: StratumWeights, z: f64) -> Result<Interval> {
        let weights: Vec<f64> = match rule {
            StratumWeights::MantelHaenszel => {
                self.tables().iter().map(|c| c.n1() * c.n0() / c.total()).collect()
            }
            StratumWeights::InverseVariance => {
                self.unpooled_variances()?.iter().map(|variance| 1.0 / variance).collect()
            }
        };
        let total: f64 = weights.iter().sum();
        let weights: Vec<f64> = weights.iter().map(|weight| weight / total).collect();
        let arm = |cells: &dyn Fn(&Cells) -> (f64, f64)| {
            let strata: Vec<(f64, f64, f64)> =
                weights.iter().zip(self.tables()).map(|(w, c)| (*w, cells(c).0, cells(c).1)).collect();
            let sum = |term: &dyn Fn(f64, f64, f64) -> f64| -> f64 {
                strata.iter().map(|&(w, x, y)| term(w, x, y)).sum()
            };
            let certain = strata.iter().all(|(_, x, y)| x * y == 0.0);
            let spread = |x: f64, y: f64| if certain { 1.0 } else { x * y / (x + y).powi(2) } / (x + y);
            let single =
                sum(&|w, x, y| w * w * spread(x, y)).sqrt() / sum(&|w, x, y| w * spread(x, y).sqrt());
            let limits = |x: f64, y: f64| wilson(x, y, z * single);
            let [lower, upper] =
                [sum(&|w, x, y| w * limits(x, y).lower()), sum(&|w, x, y| w * limits(x, y).upper())];
            let size = sum(&|w, x, y| w * w / (x + y));
            (sum(&|w, x, y| w * x / (x + y)), [size * lower * (1.0 - lower), size * upper * (1.0 - upper)])
        };
        let (p1, [below1, above1]) = arm(&|c| (c.x1, c.y1));
        let (p0, [below0, above0]) = arm(&|c| (c.x0, c.y0));
        // Where a limit is 0 or 1 rounding may leave less than nothing.
        let length = |one: f64, zero: f64| z * (one + zero).max(0.0).sqrt();
        // The same sum in another order differs by rounding, which may leave the effect outside.
        let centre = match rule {
            StratumWeights::MantelHaenszel => self.difference(MantelHaenszelVariance::Sato).estimate,
            StratumWeights::InverseVariance => p1 - p0,
        };
        Ok(Interval::between(centre - length(below1, above0), centre + length(above1, below0)))
    }

    /// The limits of the Mantel-Haenszel effect at a level, on the scale of the curve.
    pub(crate) fn limits(&self, method: CountInterval, level: f64) -> Result<Interval> {
        self.interval_at(method, StratumWeights::MantelHaenszel, Critical::new(level)?)
    }

    /// The one-sided p-values of an effect of `bound`.
    pub(crate) fn one_sided(&self, method: CountInterval, bound: f64) -> Result<OneSided> {
        if let Some(score) = self.score(method, StratumWeights::MantelHaenszel) {
            return Ok(OneSided::of_deviate(score.deviate(bound)));
        }
        let limits = |critical| self.interval_at(method, StratumWeights::MantelHaenszel, critical);
        Ok(OneSided::of_deviate(deviate(limits, bound)?))
    }

    /// The Mantel-Haenszel effects with their standard errors on the scale of the method, by every variance.
    pub(crate) fn effects(&self, method: CountInterval) -> Vec<(f64, f64)> {
        let logs = |log: Option<f64>, se: Option<f64>| log.zip(se).into_iter().collect();
        match method {
            CountInterval::Difference(_) => {
                [MantelHaenszelVariance::Sato, MantelHaenszelVariance::GreenlandRobins]
                    .map(|variance| self.difference(variance))
                    .map(|one| (one.estimate, one.se))
                    .to_vec()
            }
            CountInterval::Ratio(_) => {
                self.ratio().map_or_else(|_| Vec::new(), |one| logs(one.log_estimate, one.se_log))
            }
            CountInterval::OddsRatio(_) => {
                self.odds_ratio().map_or_else(|_| Vec::new(), |one| logs(one.log_estimate, one.se_log))
            }
        }
    }
}

/// The refusal of a method that is not defined for strata.
fn undefined(method: CountInterval) -> Error {
    let (asked, known) = match method {
        CountInterval::Difference(method) => (format!("{method:?}"), "MiettinenNurminen, Mee and Newcombe"),
        CountInterval::Ratio(method) => (format!("{method:?}"), "MiettinenNurminen and Koopman"),
        CountInterval::OddsRatio(method) => (format!("{method:?}"), "MiettinenNurminen and Cornfield"),
    };
    ErrorKind::InvalidInput(format!(
        "the interval {asked} is one of crude proportions, and has no form for strata; those of the Mantel-Haenszel effect are {known}, and \
         Wald's where interval(..) is left out"
    ))
    .into()
}
