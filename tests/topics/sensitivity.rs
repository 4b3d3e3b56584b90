//! Sensitivity of pools: leaving studies out, influence, asymmetry, trim and fill, Henmi-Copas.

use super::case::{Answer, Case, json, list};
use super::metaregression::{limit, limits, test};
use super::pooled::tau2;
use armwise::meta_analysis::{
    CommonEffect, EggerTest, FunnelSide, Heterogeneity, KendallDistribution, MissingStudies, PoolSummary,
    RandomEffects, StudySize, baujat, henmi_copas, rank_correlation,
};
use serde_json::{Value, json as object};

enum Model {
    Common(CommonEffect),
    Random(RandomEffects),
}

macro_rules! with {
    ($model:expr, $name:ident => $call:expr) => {
        match $model {
            Model::Common($name) => $call,
            Model::Random($name) => $call,
        }
    };
}

pub(super) fn answer(case: &Case) -> Answer {
    let expects = |key: &str| case.expected.contains_key(key);
    let (yi, vi) = (case.numbers("yi"), case.numbers("vi"));
    if case.has_option("predictor") {
        return egger(case, &yi, &vi);
    }
    if case.option("model").as_str() == Some("classical_egger") {
        return classical_egger(case, &yi, &vi);
    }
    if case.has_option("estimator") {
        return trim_and_fill(case, &yi, &vi);
    }
    if case.has_option("ties_present") {
        return ranks(case, &yi, &vi);
    }
    if case.option("method").as_str() == Some("henmi_copas") {
        let pooled = henmi_copas(&yi, &vi, case.level())?;
        return Ok(object!({
            "estimate": json(pooled.estimate),
            "se": json(pooled.se),
            "ci": limits(pooled.interval),
            "tau2": json(pooled.tau2),
        }));
    }
    if !case.has_option("model") {
        let points = baujat(&yi, &vi)?;
        return Ok(object!({
            "x": list(points.iter().map(|point| point.heterogeneity)),
            "y": list(points.iter().map(|point| point.influence)),
        }));
    }
    if expects("cook_distance") {
        return influence(case, &yi, &vi);
    }
    let pools = if case.has_input("order") {
        let order: Vec<usize> = case.numbers("order").into_iter().map(|position| position as usize).collect();
        // Sample sizes explain the order, which is given.
        case.input("n");
        case.option("order");
        with!(model(case), model => model.cumulative(&yi, &vi, &order)?)
    } else {
        with!(model(case), model => model.leave_one_out(&yi, &vi)?)
    };
    Ok(columns(&pools))
}

fn model(case: &Case) -> Model {
    match case.word("model") {
        "common_effect" => {
            assert!(case.option("tau2_estimator_short").is_null());
            Model::Common(CommonEffect::new().test(test(case)).level(case.level()))
        }
        "random_effects" => {
            Model::Random(RandomEffects::new().tau2(tau2(case)).test(test(case)).level(case.level()))
        }
        other => panic!("{}: unknown model {other}", case.name),
    }
}

fn columns(pools: &[PoolSummary]) -> Value {
    let column = |value: fn(&PoolSummary) -> f64| list(pools.iter().map(value));
    let side = |side: &str| pools.iter().map(|pool| limit(pool.interval, side)).collect::<Vec<_>>();
    object!({
        "estimate": column(|pool| pool.estimate),
        "se": column(|pool| pool.se),
        "statistic": column(|pool| pool.statistic),
        "p_value": column(|pool| pool.p_value),
        "ci_lower": side("lower"),
        "ci_upper": side("upper"),
        "q": column(|pool| pool.q.statistic),
        "tau2": column(|pool| pool.tau2),
        "i2": column(|pool| 100.0 * pool.i2),
        "h2": column(|pool| pool.h2),
    })
}

fn influence(case: &Case, yi: &[f64], vi: &[f64]) -> Answer {
    let studies = with!(model(case), model => model.influence(yi, vi)?);
    let flags: Vec<bool> = studies.iter().map(|study| study.influential).collect();
    Ok(object!({
        "rstudent": list(studies.iter().map(|study| study.deleted_residual)),
        "dffits": list(studies.iter().map(|study| study.dffits)),
        "dfbetas": list(studies.iter().map(|study| study.dfbetas)),
        "influential": flags,
        "cook_distance": list(studies.iter().map(|study| study.cook_distance)),
        "cov_ratio": list(studies.iter().map(|study| study.covariance_ratio)),
        "tau2_deleted": list(studies.iter().map(|study| study.tau2_deleted)),
        "q_deleted": list(studies.iter().map(|study| study.q_deleted)),
        "hat": list(studies.iter().map(|study| study.weight)),
        "weight_percent": list(studies.iter().map(|study| 100.0 * study.weight)),
        "standardised_residual": list(studies.iter().map(|study| study.standardized_residual)),
    }))
}

fn egger(case: &Case, yi: &[f64], vi: &[f64]) -> Answer {
    let options = match case.word("model") {
        "weighted_regression_multiplicative_dispersion" => {
            let weights = case.option("weights").as_str();
            assert!(matches!(weights, None | Some("1/vi")), "{}: unknown weights {weights:?}", case.name);
            EggerTest::new()
        }
        "random_effects" => EggerTest::mixed_effects(tau2(case)).reference(test(case)),
        "common_effect" => {
            assert!(case.option("tau2_estimator_short").is_null());
            EggerTest::fixed_effects().reference(test(case))
        }
        other => panic!("{}: unknown model {other}", case.name),
    };
    let size = match case.word("predictor") {
        "standard_error" => StudySize::StandardError,
        "sampling_variance" => StudySize::SamplingVariance,
        "inverse_sample_size" => StudySize::InverseSampleSize,
        "sample_size" => StudySize::SampleSize,
        "inverse_sqrt_sample_size" => StudySize::InverseRootSampleSize,
        other => panic!("{}: unknown predictor {other}", case.name),
    };
    let mut options = options.size(size).level(case.level());
    if case.has_input("n") {
        options = options.sample_sizes(case.numbers("n"));
    }
    let fit = options.test(yi, vi)?;
    assert_eq!(fit.heterogeneity == Heterogeneity::Multiplicative, fit.slope.df.is_some());
    // The oracle has no limit for weighted regressions on anything but the sampling variance or its root.
    let of_variance = matches!(size, StudySize::StandardError | StudySize::SamplingVariance);
    let limit = fit.limit().filter(|_| of_variance || fit.heterogeneity != Heterogeneity::Multiplicative);
    Ok(object!({
        "statistic": json(fit.slope.statistic),
        "df": fit.slope.df.map_or(Value::Null, json),
        "p_value": json(fit.slope.p_value),
        "slope": json(fit.slope.estimate),
        "slope_se": json(fit.slope.se),
        "intercept": json(fit.intercept.estimate),
        "intercept_se": json(fit.intercept.se),
        "limit_estimate": limit.map_or(Value::Null, |limit| json(limit.estimate)),
        "limit_se": limit.map_or(Value::Null, |limit| json(limit.se)),
        "limit_ci": limit.map_or(Value::Null, |limit| limits(limit.interval)),
        "tau2": json(fit.tau2),
    }))
}

/// y/se on 1/se: intercept and slope change places.
fn classical_egger(case: &Case, yi: &[f64], vi: &[f64]) -> Answer {
    let fit = EggerTest::new().level(case.level()).test(yi, vi)?;
    Ok(object!({
        "bias_intercept": json(fit.slope.estimate),
        "bias_se": json(fit.slope.se),
        "statistic": json(fit.slope.statistic),
        "df": fit.slope.df.map_or(Value::Null, json),
        "p_value": json(fit.slope.p_value),
        "slope": json(fit.intercept.estimate),
        "slope_se": json(fit.intercept.se),
    }))
}

fn ranks(case: &Case, yi: &[f64], vi: &[f64]) -> Answer {
    let ranks = rank_correlation(yi, vi)?;
    let (words, ties) = match ranks.distribution {
        KendallDistribution::Exact => ("exact distribution of Kendall's statistic", false),
        _ => ("normal approximation without continuity correction, tie-corrected tau-b", true),
    };
    assert_eq!(case.word("p_value"), words);
    assert_eq!(case.option("ties_present").as_bool(), Some(ties));
    Ok(object!({
        "kendall_tau": json(ranks.kendall_tau),
        "p_value": json(ranks.p_value),
        "standardised_deviates": list(ranks.standardized_deviates),
    }))
}

fn trim_and_fill(case: &Case, yi: &[f64], vi: &[f64]) -> Answer {
    let estimator = match case.word("estimator") {
        "L0" => MissingStudies::L0,
        "R0" => MissingStudies::R0,
        "Q0" => MissingStudies::Q0,
        other => panic!("{}: unknown estimator {other}", case.name),
    };
    let rule = case.option("trimming_model").as_str();
    assert!(
        matches!(rule, None | Some("same model as the pooling")),
        "{}: unknown model {rule:?}",
        case.name
    );
    let side = match case.option("side").as_str() {
        None => FunnelSide::BySlope,
        Some("left") => FunnelSide::Left,
        Some("right") => FunnelSide::Right,
        Some(other) => panic!("{}: unknown side {other}", case.name),
    };
    let filled = with!(model(case), model => model.trim_and_fill(yi, vi, estimator, side)?);
    let pool = &filled.pool;
    Ok(object!({
        "side": if filled.side == FunnelSide::Right { "right" } else { "left" },
        "k0": filled.k0,
        "k_filled": pool.k,
        "filled_yi": list(filled.filled_yi),
        "filled_vi": list(filled.filled_vi),
        "estimate": json(pool.estimate),
        "se": json(pool.se),
        "p_value": json(pool.p_value),
        "ci": limits(pool.interval),
        "tau2": json(pool.tau2),
        "q": json(pool.q.statistic),
        "i2": json(100.0 * pool.i2),
        "p_value_k0_zero": filled.p_value_none_missing.map_or(Value::Null, json),
    }))
}
