//! Topic "survival": competing causes, restricted means, and models of times.

use super::case::{Answer, Case, json, list, numbers};
use super::survival::{Columns, matrix, ties, words};
use armwise::Interval;
use armwise::ndarray::{Array2, ArrayView1};
use armwise::regression::{Coefficient, Fitted, Link, ModelMatrix};
use armwise::survival::{
    AalenJohansen, AcceleratedFailureTime, DiscreteTime, FineGray, FineGrayVariance, SurvivalData,
    SurvivalEstimates, SurvivalQuantity, Ties, TimeDistribution,
};
use serde_json::{Value, json as object};

fn interval(interval: Interval) -> Value {
    list([interval.lower(), interval.upper()])
}

pub(super) fn restricted_means(case: &Case, columns: &Columns) -> Answer {
    let tau = case.option("tau").as_f64().expect("a horizon");
    let wanted = numbers(case.option("groups")).expect("groups");
    assert_eq!(case.word("contrast"), "second group minus first");
    let causes = columns.causes(case);
    let (levels, strata) = Columns::codes(columns.input(case, "group"));
    assert_eq!(levels, wanted);
    let data = SurvivalData::new(columns.input(case, "time"), &causes)?.strata(&strata)?;
    let quantities = [
        SurvivalQuantity::RestrictedMean { until: tau },
        SurvivalQuantity::TimeLost { cause: 1, until: tau },
    ];
    let groups: Vec<SurvivalEstimates> = AalenJohansen::by_stratum(&data)?
        .iter()
        .map(|curves| curves.estimate(&quantities))
        .collect::<armwise::Result<_>>()?;
    let (first, second) = (&groups[0], &groups[1]);
    let difference = second.difference(first, 0, case.level())?;
    let ratio = |contrast: Coefficient| {
        object!({
            "estimate": json(contrast.estimate.exp()),
            "p_value": json(contrast.p_value),
            "log_se": json(contrast.se),
            "ci": list([contrast.interval.lower().exp(), contrast.interval.upper().exp()]),
        })
    };
    Ok(object!({
        "rmst": list(groups.iter().map(|group| group.values[0])),
        "rmst_se": list(groups.iter().map(|group| group.se()[0])),
        "difference": {
            "estimate": json(difference.estimate),
            "statistic": json(difference.statistic),
            "p_value": json(difference.p_value),
            "se": json(difference.se),
            "ci": interval(difference.interval),
        },
        "ratio": ratio(second.log_ratio(first, 0, case.level())?),
        "time_lost_ratio": ratio(second.log_ratio(first, 1, case.level())?),
    }))
}

pub(super) fn cumulative_incidence(case: &Case, columns: &Columns) -> Answer {
    case.option("causes");
    case.option("std_err");
    let causes = columns.causes(case);
    let data = SurvivalData::new(columns.input(case, "time"), &causes)?;
    let curves = AalenJohansen::new(&data)?;
    let times = numbers(&case.expected["times"]).expect("times");
    let of = |quantity: &dyn Fn(f64) -> SurvivalQuantity| {
        let quantities: Vec<SurvivalQuantity> = times.iter().map(|at| quantity(*at)).collect();
        let greenwood = curves.estimate(&quantities)?;
        // The other way to the same standard errors.
        let jackknife = curves.infinitesimal_jackknife(&data, &quantities)?;
        for (one, other) in greenwood.se().iter().zip(jackknife.se()) {
            assert!((one - other).abs() < 1e-10, "{one} is not {other}");
        }
        Ok::<_, armwise::Error>(greenwood)
    };
    let survival = of(&|at| SurvivalQuantity::Survival { at })?;
    let first = of(&|at| SurvivalQuantity::CumulativeIncidence { cause: 1, at })?;
    let second = of(&|at| SurvivalQuantity::CumulativeIncidence { cause: 2, at })?;
    Ok(object!({
        "times": list(times.iter().copied()),
        "event_free": list(survival.values),
        "cause1": list(first.values.iter().copied()),
        "cause2": list(second.values.iter().copied()),
        "cause1_std_err": list(first.se()),
        "cause2_std_err": list(second.se()),
    }))
}

pub(super) fn fine_gray(case: &Case, columns: &Columns) -> Answer {
    case.option("censoring_weights");
    assert_eq!(ties(case), Ties::Breslow);
    let names = words(case.option("covariates"));
    let causes = columns.causes(case);
    let x = columns.matrix(&names);
    let model = ModelMatrix::from_columns(names.clone(), x.view())?;
    let data = SurvivalData::new(columns.input(case, "time"), &causes)?;
    let cause = case.option("cause").as_u64().expect("a cause") as u32;
    let fit = FineGray::new(cause).fit(&data, &model)?;
    let se = |variance| Ok::<_, armwise::Error>(list(fit.covariance(variance)?.diag().mapv(f64::sqrt)));
    Ok(object!({
        "coef_names": names,
        "estimate": list(fit.estimates()),
        "naive_se": se(FineGrayVariance::Model)?,
        "robust_se": se(FineGrayVariance::Robust)?,
        "log_lik": json(fit.log_likelihood().expect("a likelihood")),
    }))
}

pub(super) fn accelerated_failure_time(case: &Case, columns: &Columns) -> Answer {
    let distribution = match case.word("distribution") {
        "exponential" => TimeDistribution::Exponential,
        "weibull" => TimeDistribution::Weibull,
        "lognormal" => TimeDistribution::LogNormal,
        "loglogistic" => TimeDistribution::LogLogistic,
        word => panic!("the distribution {word} is not known"),
    };
    let names = words(case.option("covariates"));
    let causes = columns.causes(case);
    let x = columns.matrix(&names);
    let alone = ModelMatrix::new(x.nrows()).intercept()?;
    let mut model = alone.clone();
    for (name, column) in names.iter().zip(x.columns()) {
        model = model.numeric(name.clone(), column)?;
    }
    let data = SurvivalData::new(columns.input(case, "time"), &causes)?;
    let method = AcceleratedFailureTime::new(distribution);
    let (fit, alone) = (method.fit(&data, &model)?, method.fit(&data, &alone)?);
    let covariance = fit.covariance(())?;
    let coefficients: ArrayView1<f64> = fit.coefficients().view();
    let ratios = fit.log_hazard_ratios();
    Ok(object!({
        "coef_names": model.names(),
        "estimate": list(coefficients.iter().copied()),
        "se": list(covariance.diag().iter().take(coefficients.len()).map(|variance| variance.sqrt())),
        "vcov": matrix(&covariance),
        "log_scale": if distribution == TimeDistribution::Exponential { Value::Null } else { json(fit.scale.ln()) },
        "scale": json(fit.scale),
        "log_lik": json(fit.log_likelihood().expect("a likelihood")),
        "log_lik_intercept_only": json(alone.log_likelihood().expect("a likelihood")),
        "log_hazard_ratio": ratios.map_or(Value::Null, |ratios| list(ratios.iter().skip(1).copied())),
    }))
}

pub(super) fn discrete_time(case: &Case, columns: &Columns) -> Answer {
    let link = match case.word("link") {
        "logit" => Link::Logit,
        "cloglog" => Link::ComplementaryLogLog,
        word => panic!("the link {word} is not known"),
    };
    case.option("period_rule");
    if case.has_input("group") {
        case.input("group");
    }
    let names = words(case.option("covariates"));
    let causes = columns.causes(case);
    let x: Array2<f64> = columns.matrix(&names);
    let model = ModelMatrix::from_columns(names.clone(), x.view())?;
    let data = SurvivalData::new(columns.input(case, "time"), &causes)?;
    let length = case.option("period_length").as_f64().expect("a length");
    let fit = DiscreteTime::new(length).link(link).fit(&data, &model)?;
    Ok(object!({
        "coef_names": names,
        "estimate": list(fit.coefficients()),
        "se": list(fit.se_of(fit.covariance.view())),
        "periods": list(fit.periods.iter().map(|period| f64::from(*period))),
        "period_effect": list(fit.baseline()),
        "log_lik": json(fit.log_likelihood),
        "person_periods": fit.person_periods,
    }))
}
