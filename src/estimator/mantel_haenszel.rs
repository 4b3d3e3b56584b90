//! Mantel-Haenszel effects of all treatments within the declared strata, with their joint covariance.

use super::blocked_means::declared_strata;
use super::two_arm::{words_of, words_of_p};
use crate::compute::counts::ArmTotal;
use crate::compute::curve::{ConfidenceCurve, Inference};
use crate::compute::proportion::{
    CountInterval, MantelHaenszelVariance, OddsRatioInterval, RatioInterval, StratifiedArms,
    StratifiedProportions,
};
use crate::compute::reference_distribution::check_level;
use crate::design::{Binary, Comparison, Notice};
use crate::effect::{
    About, AnyScale, Contrast, Estimand, Estimates, IntervalMethod, LogOddsRatio, LogRiskRatio, Method,
    RiskDifference, Scale, VarianceMethod,
};
use crate::error::{Error, ErrorKind, Result, percent};
use ndarray::Array2;
use std::sync::Arc;

/// The interval that was asked for, Wald's where none was, and its level.
#[derive(Debug, Clone, Copy)]
pub struct Curve {
    pub asked: Option<CountInterval>,
    pub level: f64,
}

impl Curve {
    fn inference(self, strata: &StratifiedProportions, Effect { value, se }: &Effect) -> Result<Inference> {
        let curve = self.asked.map_or(ConfidenceCurve::Wald, |method| ConfidenceCurve::Strata {
            method,
            strata: Arc::new(strata.informative()),
        });
        Inference::new(*value, *se, None, self.level, curve)
    }
}

/// The value and the standard error of one treatment.
struct Effect {
    value: f64,
    se: f64,
}

/// The cells of every arm in every stratum that has anybody.
fn cells(comparison: &Comparison<Binary>) -> Result<(StratifiedArms, usize)> {
    let people = comparison.people()?;
    let strata = declared_strata(people)?;
    if comparison.clusters().is_some() {
        return Err(Error::invalid(
            "Mantel-Haenszel variances take people as independent, but clusters were declared; use a linear or logistic regression with \
             the strata among its covariates, or DifferenceInMeans::blocks",
        ));
    }
    let mut cells = vec![vec![ArmTotal::default(); comparison.arms().len()]; strata.labels.len()];
    for ((&stratum, &arm), &outcome) in strata.codes.iter().zip(&people.arm).zip(&people.outcome) {
        let cell = &mut cells[stratum as usize][arm as usize];
        cell.n += 1;
        cell.events += u64::from(outcome == 1.0);
    }
    cells.retain(|arms| arms.iter().any(|cell| cell.n > 0));
    let count = cells.len();
    Ok((StratifiedArms::new(cells), count))
}

/// The effects of all treatments: `one` of each, `shared` of two.
fn effects<S: Scale>(
    comparison: &Comparison<Binary>,
    scale: S,
    (name, estimand): (&str, Estimand),
    variance: VarianceMethod,
    curve: Curve,
    one: impl Fn(&StratifiedProportions) -> Result<Effect>,
    shared: impl Fn(&StratifiedArms, (usize, f64), (usize, f64)) -> f64,
) -> Result<Estimates<S>> {
    let level = curve.level;
    check_level(level)?;
    let (arms, of) = cells(comparison)?;
    let interval = curve.asked.map_or(IntervalMethod::Normal, IntervalMethod::Strata);
    let method = Method::new(name).variance(variance).interval(interval);
    let mut about = About::of(comparison, estimand, method, level)?;
    let (mut contrasts, mut empty) = (Vec::new(), 0);
    for (i, arm) in comparison.treatments().iter().enumerate() {
        let in_arm = |error: Error| error.in_arm(&arm.label);
        let strata = arms.against_control(i + 1).map_err(in_arm)?;
        empty = empty.max(strata.empty_strata());
        let effect = match one(&strata) {
            Err(error) if matches!(error.kind(), ErrorKind::NotEstimable(_)) => {
                return Err(in_arm(infinite(&scale.to_any(), &strata, curve)));
            }
            effect => effect.map_err(in_arm)?,
        };
        if effect.se == 0.0 && curve.asked.is_none() {
            return Err(in_arm(certain(&scale.to_any())));
        }
        let inference = curve.inference(&strata, &effect).map_err(in_arm)?;
        if effect.se == 0.0 {
            about.notices.push(Notice::ZeroStandardError { treatment: arm.label.clone() });
        }
        contrasts.push(Contrast::new(arm.clone(), inference));
    }
    if empty > 0 {
        about.notices.push(Notice::StrataLeftOut { strata: empty, of });
    }
    let k = contrasts.len();
    let covariance = Array2::from_shape_fn((k, k), |(i, j)| {
        let of = |i: usize| (i + 1, contrasts[i].value());
        if i == j { contrasts[i].variance() } else { shared(&arms, of(i), of(j)) }
    });
    Estimates::new(scale, about, comparison.reference().clone(), contrasts, covariance)
}

pub(super) fn differences(
    comparison: &Comparison<Binary>,
    variance: MantelHaenszelVariance,
    curve: Curve,
) -> Result<Estimates<RiskDifference>> {
    let words = match variance {
        MantelHaenszelVariance::GreenlandRobins => VarianceMethod::GreenlandRobins,
        MantelHaenszelVariance::Sato => VarianceMethod::Sato,
    };
    let one = |strata: &StratifiedProportions| {
        let difference = strata.difference(variance);
        Ok(Effect { value: difference.estimate, se: difference.se })
    };
    let shared = |arms: &StratifiedArms, a, c| arms.covariance_of_differences(a, c, variance);
    let name = ("Mantel-Haenszel difference in proportions", Estimand::Marginal);
    effects(comparison, RiskDifference, name, words, curve, one, shared)
}

pub(super) fn ratios(comparison: &Comparison<Binary>, curve: Curve) -> Result<Estimates<LogRiskRatio>> {
    let one = |strata: &StratifiedProportions| {
        let ratio = strata.ratio()?;
        finite(ratio.log_estimate, ratio.se_log)
    };
    let shared = |arms: &StratifiedArms, (a, log_a): (usize, f64), (c, log_c): (usize, f64)| {
        arms.covariance_of_log_ratios((a, log_a.exp()), (c, log_c.exp()))
    };
    let name = ("Mantel-Haenszel ratio of proportions", Estimand::Marginal);
    effects(comparison, LogRiskRatio, name, VarianceMethod::GreenlandRobins, curve, one, shared)
}

pub(super) fn odds_ratios(comparison: &Comparison<Binary>, curve: Curve) -> Result<Estimates<LogOddsRatio>> {
    let one = |strata: &StratifiedProportions| {
        let ratio = strata.odds_ratio()?;
        finite(ratio.log_estimate, ratio.se_log)
    };
    let shared = |arms: &StratifiedArms, (a, log_a): (usize, f64), (c, log_c): (usize, f64)| {
        arms.covariance_of_log_odds_ratios((a, log_a.exp()), (c, log_c.exp()))
    };
    let name = ("Mantel-Haenszel odds ratio", Estimand::Conditional);
    effects(comparison, LogOddsRatio, name, VarianceMethod::RobinsBreslowGreenland, curve, one, shared)
}

fn finite(value: Option<f64>, se: Option<f64>) -> Result<Effect> {
    match (value, se) {
        (Some(value), Some(se)) => Ok(Effect { value, se }),
        _ => Err(ErrorKind::NotEstimable("the ratio has no logarithm".to_owned()).into()),
    }
}

/// Says what is known of a Mantel-Haenszel ratio that is 0, infinite or 0/0.
fn infinite(scale: &AnyScale, strata: &StratifiedProportions, curve: Curve) -> Error {
    let odds = *scale == AnyScale::LogOddsRatio;
    let (usual, function, name) = if odds {
        let usual = CountInterval::OddsRatio(OddsRatioInterval::MiettinenNurminen);
        (usual, "odds_ratio_interval", "odds ratio")
    } else {
        let usual = CountInterval::Ratio(RatioInterval::MiettinenNurminen);
        (usual, "ratio_interval", "ratio of proportions")
    };
    let ratio = if odds {
        strata.odds_ratio().map(|one| one.estimate)
    } else {
        strata.ratio().map(|one| one.estimate)
    };
    let instead = "use the Mantel-Haenszel difference, DifferenceInProportions::mantel_haenszel, with \
                   interval(DifferenceInterval::MiettinenNurminen)";
    let Ok(ratio) = ratio else {
        let why = format!(
            "within every stratum that has both arms {}, so that the Mantel-Haenszel {name} is 0/0 and the data say nothing about it; \
             for what they say of the difference {instead}",
            if odds { "all people or none have the event" } else { "nobody has the event" }
        );
        return ErrorKind::NotEstimable(why).into();
    };
    let method = curve.asked.unwrap_or(usual);
    let known = strata
        .limits(method, curve.level)
        .and_then(|limits| Ok((limits, strata.one_sided(method, 0.0)?)))
        .map_or_else(
            |_| String::new(),
            |(limits, p)| {
                format!(
                    "; its {} interval ({}) runs from {} to {}, p {}, by proportion::StratifiedProportions::{function}",
                    percent(curve.level),
                    IntervalMethod::Strata(method),
                    words_of(limits.lower().exp()),
                    words_of(limits.upper().exp()),
                    words_of_p((2.0 * p.above.min(p.below)).min(1.0))
                )
            },
        );
    let why = format!(
        "the Mantel-Haenszel {name} is {}, which has no logarithm{known}; for an effect with a standard error {instead}",
        words_of(ratio)
    );
    ErrorKind::NotEstimable(why).into()
}

/// The refusal of a Wald interval without width.
fn certain(scale: &AnyScale) -> Error {
    let interval = match scale {
        AnyScale::RiskDifference => "DifferenceInterval",
        AnyScale::LogOddsRatio => "OddsRatioInterval",
        _ => "RatioInterval",
    };
    let why = format!(
        "the Mantel-Haenszel standard error is zero: within strata the outcomes do not vary, and so do not show how much they might; add \
         interval({interval}::MiettinenNurminen), whose width is its own, or leave the arm out"
    );
    ErrorKind::ZeroVariance(why).into()
}
