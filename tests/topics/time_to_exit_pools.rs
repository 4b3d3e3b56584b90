//! Topic "time_to_exit": effects of six municipalities through the estimators and pools.

use super::case::{Answer, Case, json, list};
use super::pipeline::{pair, table};
use super::survival::{matrix, ties, words};
use armwise::meta_analysis::{CoefficientTest, Tau2, Test};
use armwise::ndarray::Array2;
use armwise::prelude::*;
use serde_json::{Value, json as object};

const EXIT: Measure<TimeToEvent> = Measure::time_to_event("exit_month", "exit_reason")
    .of("work")
    .competing(&["other"])
    .censored(&["none"])
    .censored_at("censor_month")
    .unit("months");

/// The trials of a case; every arm with the components that it declares, or with one that all arms have.
fn trials(case: &Case) -> armwise::Result<Trials> {
    let mut builder = Trials::builder(table(case)?, "municipality")
        .arm_labels("arm")
        .control(case.word("control"))
        .participant("participant");
    if let Some(stratum) = case.option("strata").as_str() {
        builder = builder.strata([stratum]);
    }
    if let Some(composition) = case.option("composition").as_object() {
        for (arm, parts) in composition {
            builder = builder.components(arm, words(parts));
        }
    }
    if case.word("analysis") == "any_arm_model" {
        for arm in words(&case.expected["arms"]) {
            builder = builder.components(&arm, ["any"]);
        }
    }
    builder.build()
}

fn effects(case: &Case) -> armwise::Result<Effects<AnyScale>> {
    let exits = trials(case)?.on(&EXIT)?;
    match case.word("measure") {
        "RD" => {
            let at = case.option("horizon").as_f64().expect("a horizon");
            Ok(exits.estimate(&RiskAtHorizon::new(RiskDifference, at))?.to_any())
        }
        "logHR" => {
            let cox = CoxRegression::new().ties(ties(case));
            let cox = if case.option("strata").is_string() { cox.stratified() } else { cox };
            Ok(exits.estimate(&cox)?.to_any())
        }
        word => panic!("the measure {word} is not known"),
    }
}

pub(super) fn univariate(case: &Case) -> Answer {
    let effects = effects(case)?.treatment(case.word("arm"))?;
    let pool = |test| RandomEffects::new().tau2(Tau2::Reml).test(test).level(case.level()).pool(&effects);
    let (pooled, normal) = (pool(Test::HartungKnapp)?, pool(Test::Normal)?);
    let names: Vec<&str> = pooled.trials.iter().map(|trial| trial.estimate.trial().as_str()).collect();
    Ok(object!({
        "k": names.len(),
        "municipalities": names,
        "effects": list(effects.iter().map(|one| one.value())),
        "variances": list(effects.iter().map(|one| one.variance())),
        "estimate": json(pooled.value()),
        "se": json(pooled.se()),
        "ci": pair(pooled.interval()),
        "se_z": json(normal.se()),
        "tau2": json(pooled.tau2()),
        "q": json(pooled.summary.q.statistic),
        "q_df": pooled.summary.q.df,
    }))
}

pub(super) fn by_components(case: &Case) -> Answer {
    assert_eq!(case.word("method"), "REML");
    assert_eq!(case.word("random"), "tau2 (I + J)/2 within a municipality");
    let effects = effects(case)?;
    let pooled = ComponentModel::random().test(CoefficientTest::Normal).pool(&effects)?;
    // The rows of a case, and its order of coefficients.
    let rows: Vec<(String, String)> =
        words(&case.expected["municipalities"]).into_iter().zip(words(&case.expected["arms"])).collect();
    let place = |city: &str, arm: &str| {
        let estimates = effects.trial(city).expect("a municipality");
        estimates.treatments().position(|label| *label == arm).expect("an arm")
    };
    let value = |(city, arm): &(String, String)| {
        effects.trial(city).expect("a municipality").treatment(arm).expect("an arm").value()
    };
    let covariance = Array2::from_shape_fn((rows.len(), rows.len()), |(i, j)| {
        let ((city, one), (other, two)) = (&rows[i], &rows[j]);
        if city != other {
            return 0.0;
        }
        effects.trial(city).expect("a municipality").covariance()[[place(city, one), place(city, two)]]
    });
    let wanted = match case.word("analysis") {
        "any_arm_model" => vec!["any".to_owned()],
        _ => words(case.option("components")),
    };
    let order: Vec<usize> = wanted
        .iter()
        .map(|name| {
            pooled.coefficients().iter().position(|one| one.label == name.as_str()).expect("a component")
        })
        .collect();
    let of = |pick: fn(&armwise::pool::PooledCoefficient) -> f64| -> Value {
        let values: Vec<f64> = order.iter().map(|&i| pick(&pooled.coefficients()[i])).collect();
        list(values)
    };
    let m = order.len();
    let vcov = Array2::from_shape_fn((m, m), |(i, j)| pooled.covariance()[[order[i], order[j]]]);
    let total: usize = effects.iter().map(|estimates| estimates.len()).sum();
    assert_eq!(total, rows.len());
    let mut answer = object!({
        "k": pooled.model.effects,
        "municipalities": rows.iter().map(|row| row.0.as_str()).collect::<Vec<_>>(),
        "arms": rows.iter().map(|row| row.1.as_str()).collect::<Vec<_>>(),
        "effects": list(rows.iter().map(value)),
        "effects_covariance": matrix(&covariance),
        "estimate": of(|one| one.value()),
        "se": of(|one| one.se()),
        "vcov": matrix(&vcov),
        "p_value": of(|one| one.p_value()),
        "tau2": json(pooled.tau2()),
        "q": json(pooled.model.q.statistic),
        "q_df": pooled.model.q.df,
        "restricted_log_likelihood": json(pooled.model.restricted_log_likelihood),
    });
    // One coefficient is a number by itself among the expected values, or a list of one.
    for key in ["estimate", "se", "vcov", "p_value"] {
        while let (Some(Value::Number(_)), Value::Array(one)) = (case.expected.get(key), answer[key].clone())
        {
            answer[key] = one[0].clone();
        }
    }
    Ok(answer)
}
