//! Mantel-Haenszel effects of all treatments within the declared strata, with their joint covariance.

use super::blocked_means::declared_strata;
use crate::compute::counts::ArmTotal;
use crate::compute::proportion::{MantelHaenszelVariance, StratifiedArms, StratifiedProportions};
use crate::compute::reference_distribution::check_level;
use crate::design::{Binary, Comparison, Notice};
use crate::effect::{
    About, Contrast, Estimand, Estimates, LogOddsRatio, LogRiskRatio, Method, RiskDifference, Scale,
    VarianceMethod,
};
use crate::error::{Error, ErrorKind, Result};
use ndarray::Array2;

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
    level: f64,
    one: impl Fn(&StratifiedProportions) -> Result<Effect>,
    shared: impl Fn(&StratifiedArms, (usize, f64), (usize, f64)) -> f64,
) -> Result<Estimates<S>> {
    check_level(level)?;
    let (arms, of) = cells(comparison)?;
    let method = Method::new(name).variance(variance);
    let mut about = About::of(comparison, estimand, method, level)?;
    let (mut contrasts, mut empty) = (Vec::new(), 0);
    for (i, arm) in comparison.treatments().iter().enumerate() {
        let in_arm = |error: Error| error.in_arm(&arm.label);
        let strata = arms.against_control(i + 1).map_err(in_arm)?;
        empty = empty.max(strata.empty_strata());
        let Effect { value, se } = one(&strata).map_err(in_arm)?;
        contrasts.push(Contrast::wald(arm.clone(), value, se * se, None, level).map_err(in_arm)?);
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
    level: f64,
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
    effects(comparison, RiskDifference, name, words, level, one, shared)
}

pub(super) fn ratios(comparison: &Comparison<Binary>, level: f64) -> Result<Estimates<LogRiskRatio>> {
    let one = |strata: &StratifiedProportions| {
        let ratio = strata.ratio()?;
        finite(ratio.log_estimate, ratio.se_log)
    };
    let shared = |arms: &StratifiedArms, (a, log_a): (usize, f64), (c, log_c): (usize, f64)| {
        arms.covariance_of_log_ratios((a, log_a.exp()), (c, log_c.exp()))
    };
    let name = ("Mantel-Haenszel ratio of proportions", Estimand::Marginal);
    effects(comparison, LogRiskRatio, name, VarianceMethod::GreenlandRobins, level, one, shared)
}

pub(super) fn odds_ratios(comparison: &Comparison<Binary>, level: f64) -> Result<Estimates<LogOddsRatio>> {
    let one = |strata: &StratifiedProportions| {
        let ratio = strata.odds_ratio()?;
        finite(ratio.log_estimate, ratio.se_log)
    };
    let shared = |arms: &StratifiedArms, (a, log_a): (usize, f64), (c, log_c): (usize, f64)| {
        arms.covariance_of_log_odds_ratios((a, log_a.exp()), (c, log_c.exp()))
    };
    let name = ("Mantel-Haenszel odds ratio", Estimand::Conditional);
    effects(comparison, LogOddsRatio, name, VarianceMethod::RobinsBreslowGreenland, level, one, shared)
}

fn finite(value: Option<f64>, se: Option<f64>) -> Result<Effect> {
    match (value, se) {
        (Some(value), Some(se)) => Ok(Effect { value, se }),
        _ => Err(ErrorKind::NotEstimable(
            "the Mantel-Haenszel ratio of this arm is 0 or infinite, and has no logarithm; use the Mantel-Haenszel difference".to_owned(),
        )
        .into()),
    }
}
