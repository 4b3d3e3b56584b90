//! Topic "covariate_adjusted_time": tests and marginal effects on times with covariates.

use super::case::{Answer, Case, json, list};
use super::exits::{Exits, covariates};
use super::survival::{chi_squared, matrix, ties};
use armwise::ndarray::{Array1, Array2};
use armwise::regression::{Fitted, ModelMatrix};
use armwise::survival::{
    AdjustedLogRank, CensoringTies, Cox, CoxVariance, RestrictedMeanLink, RestrictedMeanRegression,
    SurvivalData,
};
use serde_json::{Value, json as object};

pub fn answer(case: &Case) -> Answer {
    match case.word("analysis") {
        "covariate_adjusted_log_rank" => log_rank(case),
        "restricted_mean_regression" => restricted_means(case),
        "cox_lin_wei" => lin_wei(case),
        word => panic!("the analysis {word} is not known"),
    }
}

fn log_rank(case: &Case) -> Answer {
    let level = case.level();
    let exits = Exits::new(case);
    let (names, columns) = exits.covariates(&covariates(case));
    let strata = exits.codes_of(case, "strata");
    let mut tests = Vec::new();
    for arm in 1..exits.arms.len() as u32 {
        let rows: Vec<usize> = (0..exits.n()).filter(|row| [0, arm].contains(&exits.arm[*row])).collect();
        let time: Vec<f64> = rows.iter().map(|row| exits.time[*row]).collect();
        let cause: Vec<u32> = rows.iter().map(|row| exits.cause[*row]).collect();
        let treated: Vec<u32> = rows.iter().map(|row| u32::from(exits.arm[*row] == arm)).collect();
        let own: Option<Vec<u32>> =
            strata.as_ref().map(|strata| rows.iter().map(|row| strata[*row]).collect());
        let mut data = SurvivalData::new(&time, &cause)?;
        match case.word("event") {
            "any_exit" => {}
            "work" => data = data.censoring_other_causes(1)?,
            word => panic!("the event {word} is not known"),
        }
        if let Some(own) = &own {
            data = data.strata(own)?;
        }
        let x = Array2::from_shape_fn((rows.len(), names.len()), |(i, j)| columns[j][rows[i]]);
        let model = ModelMatrix::from_columns(names.clone(), x.view())?;
        tests.push(AdjustedLogRank::new(&data, &treated, &model)?);
    }
    let pick = |of: &dyn Fn(&AdjustedLogRank) -> f64| list(tests.iter().map(of));
    let slopes = |of: &dyn Fn(&AdjustedLogRank) -> &Array1<f64>| {
        Value::Array(tests.iter().map(|test| list(of(test).iter().copied())).collect())
    };
    let quantile = armwise::distribution::Normal.upper_quantile(0.5 * (1.0 - level));
    let adjusted = |test: &AdjustedLogRank, sign: f64| {
        (test.adjusted_log_hazard_ratio + sign * quantile * test.adjusted_se).exp()
    };
    let p = |z: f64| 2.0 * armwise::distribution::Normal.sf(z.abs());
    Ok(object!({
        "n": tests.iter().map(|test| test.n).collect::<Vec<_>>(),
        "events": tests.iter().map(|test| test.events).collect::<Vec<_>>(),
        "score": pick(&|test| test.score),
        "variance": pick(&|test| test.variance),
        "statistic": pick(&|test| test.test.statistic),
        "p_value": pick(&|test| test.test.p_values.two_sided),
        "log_hazard_ratio": pick(&|test| test.log_hazard_ratio),
        "se": pick(&|test| test.se),
        "covariate_columns": names,
        "adjusted_score": pick(&|test| test.adjusted_score),
        "adjusted_variance": pick(&|test| test.adjusted_variance),
        "adjusted_statistic": pick(&|test| test.adjusted_test.statistic),
        "adjusted_p_value": pick(&|test| test.adjusted_test.p_values.two_sided),
        "slopes_control": slopes(&|test| &test.slopes_control),
        "slopes_arm": slopes(&|test| &test.slopes_treatment),
        "adjusted_log_hazard_ratio": pick(&|test| test.adjusted_log_hazard_ratio),
        "adjusted_se": pick(&|test| test.adjusted_se),
        "adjusted_se_unadjusted_plugin": pick(&|test| test.adjusted_se_unadjusted_plugin),
        "adjusted_hazard_ratio": pick(&|test| test.adjusted_log_hazard_ratio.exp()),
        "adjusted_hazard_ratio_ci_lower": pick(&|test| adjusted(test, -1.0)),
        "adjusted_hazard_ratio_ci_upper": pick(&|test| adjusted(test, 1.0)),
        "adjusted_z_p_value": pick(&|test| p(test.adjusted_log_hazard_ratio / test.adjusted_se)),
    }))
}

fn restricted_means(case: &Case) -> Answer {
    let link = match case.word("link") {
        "identity" => RestrictedMeanLink::Identity,
        "log" => RestrictedMeanLink::Log,
        word => panic!("the link {word} is not known"),
    };
    let tau = case.option("tau").as_f64().expect("a horizon");
    let level = case.level();
    let exits = Exits::new(case);
    let (names, x) = exits.design(&covariates(case));
    let data = exits.data(case)?;
    let mut model = ModelMatrix::new(exits.n()).intercept()?;
    for (name, column) in names.iter().zip(x.columns()) {
        model = model.numeric(name.clone(), column)?;
    }
    let method = RestrictedMeanRegression::until(tau).link(link);
    let fit = |ties| method.censoring_ties(ties).fit(&data, &exits.arm, &model);
    let one = |ties| {
        let fit = fit(ties)?;
        let table = fit.table((), level)?;
        let covariance = fit.covariance(())?;
        let arms = exits.arms.len() - 1;
        Ok::<_, armwise::Error>(object!({
            "weight_sum": json(fit.weight_sum),
            "coef_names": fit.parameter_names(),
            "estimate": list(table.iter().map(|row| row.estimate)),
            "se": list(table.iter().map(|row| row.se)),
            "vcov_arms": matrix(&Array2::from_shape_fn((arms, arms), |(i, j)| covariance[[i + 1, j + 1]])),
            "ci_lower": list(table.iter().map(|row| row.interval.lower())),
            "ci_upper": list(table.iter().map(|row| row.interval.upper())),
            "p_value": list(table.iter().map(|row| row.p_value)),
        }))
    };
    Ok(object!({
        "n": exits.n(),
        "complete": fit(CensoringTies::EventsFirst)?.complete,
        "survrm2": one(CensoringTies::Together)?,
        "left_limit": one(CensoringTies::EventsFirst)?,
    }))
}

fn lin_wei(case: &Case) -> Answer {
    let exits = Exits::new(case);
    let (names, x) = exits.design(&[]);
    let strata = exits.codes_of(case, "strata");
    let mut data = exits.data(case)?;
    if let Some(strata) = &strata {
        data = data.strata(strata)?;
    }
    let model = ModelMatrix::from_columns(names.clone(), x.view())?;
    let fit = Cox::new().ties(ties(case)).fit(&data, &model)?;
    let robust = fit.covariance(CoxVariance::Robust)?;
    let all: Vec<usize> = (0..names.len()).collect();
    Ok(object!({
        "n": exits.n(),
        "events": fit.events(),
        "estimate": list(fit.estimates()),
        "se": list(fit.covariance(CoxVariance::Model)?.diag().mapv(f64::sqrt)),
        "robust_se": list(robust.diag().mapv(f64::sqrt)),
        "robust_vcov": matrix(&robust),
        "robust_wald": chi_squared(fit.wald_test(&all, CoxVariance::Robust)?),
        "robust_score": chi_squared(fit.robust_score_test(CoxVariance::Robust)?),
    }))
}
