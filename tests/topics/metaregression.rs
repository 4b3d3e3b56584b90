//! Meta-regression and subgroups.

use super::case::{Answer, Case, json, list, matrix};
use super::pooled::tau2;
use armwise::meta_analysis::{
    CommonEffect, Fitted, Intercept, MetaRegression, Moderators, PredictionDf, RandomEffects, SubgroupTau2,
    Test, WaldTest,
};
use armwise::ndarray::{Array2, Axis};
use serde_json::{Value, json as object};

pub(super) fn answer(case: &Case) -> Answer {
    if case.has_input("group") { subgroups(case) } else { regression(case) }
}

pub(super) fn test(case: &Case) -> Test {
    match case.word("test") {
        "z" => Test::Normal,
        "t_k_minus_p" | "t_k_minus_1" => Test::T,
        "knapp_hartung" => Test::HartungKnapp,
        "knapp_hartung_truncated" => Test::HartungKnappTruncated,
        other => panic!("{}: unknown test {other}", case.name),
    }
}

fn rows(case: &Case, key: &str) -> Array2<f64> {
    let rows = matrix(case.input(key)).expect("a matrix");
    let columns = rows.first().map_or(0, Vec::len);
    Array2::from_shape_vec((rows.len(), columns), rows.into_iter().flatten().collect()).expect("equal rows")
}

fn optional(value: Option<f64>) -> Value {
    value.map_or(Value::Null, json)
}

/// The limits, whichever type holds them.
pub(super) fn limit(interval: impl serde::Serialize, side: &str) -> Value {
    serde_json::to_value(interval).expect("an interval")[side].clone()
}

pub(super) fn limits(interval: impl serde::Serialize + Copy) -> Value {
    object!([limit(interval, "lower"), limit(interval, "upper")])
}

fn wald(test: WaldTest) -> Value {
    match test.denominator_df {
        None => object!({ "statistic": json(test.statistic), "df": test.df, "p_value": json(test.p_value) }),
        Some(df) => object!({
            "statistic": json(test.statistic), "df": test.df, "df_num": test.df, "df_denom": json(df), "p_value": json(test.p_value),
        }),
    }
}

/// The matrix holds the intercept where its first column is constant.
fn moderators(case: &Case, x: &Array2<f64>, with_intercept: bool) -> Moderators {
    let names = case.input("x_names").as_array();
    let names = (0..x.ncols()).map(|j| match names {
        Some(names) => names[j].as_str().expect("a name").to_owned(),
        None => format!("x{j}"),
    });
    let first = usize::from(with_intercept);
    Moderators::new()
        .columns(names.skip(first), x.slice_axis(Axis(1), (first..).into()))
        .intercept(if with_intercept { Intercept::Included } else { Intercept::None })
}

fn regression(case: &Case) -> Answer {
    let (yi, vi, x) = (case.numbers("yi"), case.numbers("vi"), rows(case, "X"));
    assert_eq!(case.option("x_includes_intercept").as_bool(), Some(true));
    let model = match case.word("model") {
        "fixed_effects_with_moderators" => {
            assert!(case.option("tau2_estimator_short").is_null());
            MetaRegression::fixed_effects()
        }
        "mixed_effects" => MetaRegression::new().tau2(tau2(case)),
        other => panic!("{}: unknown model {other}", case.name),
    };
    let rule = case.option("prediction_interval").as_str();
    assert!(
        matches!(rule, None | Some("same critical value as the confidence interval")),
        "{}: {rule:?}",
        case.name
    );
    let model = model.test(test(case)).level(case.level()).prediction_df(PredictionDf::AsTest);
    let with_intercept = x.column(0).iter().all(|cell| *cell == 1.0);
    let fit = model.fit(&yi, &vi, &moderators(case, &x, with_intercept))?;
    let restricted = case.option("tau2_estimator_short").as_str() == Some("REML");
    let column = |value: &dyn Fn(usize) -> Value| (0..fit.coefficients.len()).map(value).collect::<Vec<_>>();
    let tested = case.option("moderator_test_columns").as_array();
    let p = fit.coefficients.len();
    let tested: Vec<usize> = match tested {
        Some(columns) => columns.iter().map(|column| column.as_u64().expect("a column") as usize).collect(),
        None => (usize::from(with_intercept)..p).collect(),
    };
    let all: Vec<usize> = (usize::from(with_intercept)..p).collect();
    let chosen = Array2::from_shape_fn((tested.len(), p), |(i, j)| f64::from(u8::from(tested[i] == j)));
    let mut moderator_test = fit.joint_test(chosen.view(), ())?;
    if tested == all {
        moderator_test = fit.moderator_test.expect("moderators");
    }
    let mut answer = object!({
        "coef_names": column(&|j| fit.coefficients[j].name.clone().into()),
        "estimate": column(&|j| json(fit.coefficients[j].estimate)),
        "se": column(&|j| json(fit.coefficients[j].se)),
        "statistic": column(&|j| json(fit.coefficients[j].statistic)),
        "df": optional(fit.df),
        "p_value": column(&|j| json(fit.coefficients[j].p_value)),
        "ci_lower": column(&|j| limit(fit.coefficients[j].interval, "lower")),
        "ci_upper": column(&|j| limit(fit.coefficients[j].interval, "upper")),
        "vcov": fit.covariance.rows().into_iter().map(|row| list(row.iter().copied())).collect::<Vec<_>>(),
        "tau2": json(fit.tau2),
        "se_tau2": optional(fit.se_tau2),
        "tau2_ci": fit.tau2_interval.map_or(Value::Null, limits),
        "q_residual": json(fit.q_residual.statistic),
        "q_residual_df": fit.q_residual.df,
        "q_residual_p_value": optional((fit.q_residual.df > 0.0).then_some(fit.q_residual.p_value)),
        "i2_residual": json(100.0 * fit.i2_residual),
        "h2_residual": json(fit.h2_residual),
        "typical_variance": optional(fit.typical_variance),
        "moderator_test": wald(moderator_test),
        "tau2_without_moderators": optional(fit.tau2_without_moderators),
        "r2_percent": optional(fit.r2.map(|r2| 100.0 * r2)),
        "log_lik": json(if restricted { fit.restricted_log_likelihood } else { fit.log_likelihood }),
    });
    if case.has_input("new_x") {
        let new = fit.predict(&moderators(case, &rows(case, "new_x"), with_intercept))?;
        let column = |value: &dyn Fn(usize) -> Value| (0..new.len()).map(value).collect::<Vec<_>>();
        let future =
            |i: usize, side: &str| new[i].prediction.map_or(Value::Null, |interval| limit(interval, side));
        answer["predicted"] = object!({
            "estimate": column(&|i| json(new[i].estimate)),
            "se": column(&|i| json(new[i].se)),
            "ci_lower": column(&|i| limit(new[i].interval, "lower")),
            "ci_upper": column(&|i| limit(new[i].interval, "upper")),
            "pi_lower": column(&|i| future(i, "lower")),
            "pi_upper": column(&|i| future(i, "upper")),
        });
    }
    if case.has_input("L") {
        let combinations = rows(case, "L");
        answer["linear_hypothesis"] = wald(fit.joint_test(combinations.view(), ())?);
        let each =
            combinations.rows().into_iter().map(|row| fit.combination("", &row.to_vec(), (), fit.level));
        let each = each.collect::<Result<Vec<_>, _>>()?;
        answer["linear_hypothesis"]["value"] = list(each.iter().map(|row| row.estimate));
        answer["linear_hypothesis"]["se"] = list(each.iter().map(|row| row.se));
    }
    Ok(answer)
}

fn subgroups(case: &Case) -> Answer {
    let (yi, vi) = (case.numbers("yi"), case.numbers("vi"));
    let labels: Vec<&str> = case
        .input("group")
        .as_array()
        .expect("labels")
        .iter()
        .map(|label| label.as_str().expect("a label"))
        .collect();
    let heterogeneity = match case.option("separate_tau2").as_bool() {
        Some(false) => SubgroupTau2::Common,
        _ => SubgroupTau2::Separate,
    };
    let analysis = match case.word("model") {
        "common_effect" => {
            assert!(case.option("tau2_estimator_short").is_null());
            CommonEffect::new().test(test(case)).level(case.level()).subgroups(&yi, &vi, &labels)?
        }
        "random_effects" => RandomEffects::new()
            .tau2(tau2(case))
            .test(test(case))
            .level(case.level())
            .subgroups(&yi, &vi, &labels, heterogeneity)?,
        other => panic!("{}: unknown model {other}", case.name),
    };
    let groups = &analysis.groups;
    let column = |value: &dyn Fn(usize) -> Value| (0..groups.len()).map(value).collect::<Vec<_>>();
    Ok(object!({
        "groups": column(&|i| groups[i].label.clone().into()),
        "k": column(&|i| groups[i].k.into()),
        "estimate": column(&|i| json(groups[i].estimate)),
        "se": column(&|i| json(groups[i].se)),
        "p_value": column(&|i| json(groups[i].p_value)),
        "ci_lower": column(&|i| limit(groups[i].interval, "lower")),
        "ci_upper": column(&|i| limit(groups[i].interval, "upper")),
        "tau2": column(&|i| json(groups[i].tau2)),
        "q": column(&|i| json(groups[i].q.statistic)),
        "i2": column(&|i| json(100.0 * groups[i].i2)),
        "q_between": json(analysis.between.statistic),
        "q_between_df": analysis.between.df,
        "q_between_p_value": json(analysis.between.p_value),
        "q_total": json(analysis.q_total.statistic),
        "q_within": json(analysis.q_within.statistic),
        "q_within_df": analysis.q_within.df,
        "common_across_groups": json(analysis.across_groups),
        "common_across_groups_se": json(analysis.across_groups_se),
    }))
}
