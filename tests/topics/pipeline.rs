//! Topic "pipeline": from participants in a file to a pooled answer, through the typed API only.

use super::case::{Answer, Case, json, list};
use armwise::Interval;
use armwise::meta_analysis::{CoefficientTest, PredictionDf, Tau2, Test};
use armwise::prelude::*;
use armwise::proportion::DifferenceInterval;
use serde_json::{Value, json as object};
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;

const FULL_TIME: Measure<Binary> = Outflow::full_time("hours_per_week");
const PART_TIME: Measure<Binary> = Outflow::part_time("hours_per_week");
const PERMANENT: Measure<Binary> = Contract::permanent("contract");
const WELLBEING: Measure<Continuous> =
    Questionnaire::who5(&["who5_1", "who5_2", "who5_3", "who5_4", "who5_5"]).measure("wellbeing");

thread_local! {
    static TABLES: RefCell<HashMap<PathBuf, Table>> = RefCell::default();
}

/// The table of a case's CSV file, read once for each file.
pub(super) fn table(case: &Case) -> armwise::Result<Table> {
    let path = case.csv();
    if let Some(table) = TABLES.with_borrow(|tables| tables.get(&path).cloned()) {
        return Ok(table);
    }
    let table = Table::from_csv_path(&path)?;
    TABLES.with_borrow_mut(|tables| tables.insert(path, table.clone()));
    Ok(table)
}

/// The measures of the participants that are events.
pub(super) fn event(case: &Case, outcome: &str) -> Measure<Binary> {
    match outcome {
        "full_time" => FULL_TIME,
        "part_time" => PART_TIME,
        "permanent" => PERMANENT,
        other => panic!("{}: outcome {other}", case.name),
    }
}

/// The score of the participants.
pub(super) fn score(case: &Case, outcome: &str) -> Measure<Continuous> {
    match outcome {
        "wellbeing" => WELLBEING,
        other => panic!("{}: outcome {other}", case.name),
    }
}

pub(super) fn pair(interval: Interval) -> Value {
    list([interval.lower(), interval.upper()])
}

fn limits(interval: armwise::Interval) -> Value {
    list([interval.lower(), interval.upper()])
}

pub(super) fn answer(case: &Case) -> Answer {
    match case.word("analysis") {
        "risk_difference" => risk_difference(case),
        "adjusted_logistic" => adjusted_logistic(case),
        "wellbeing_ancova" => wellbeing_ancova(case),
        "pooled_random_effects" => match case.word("measure") {
            "RD" => pooled(case, &DifferenceInProportions::new()),
            "OR" => pooled(case, &OddsRatio::new()),
            other => panic!("{}: measure {other}", case.name),
        },
        "component_model" => match case.word("measure") {
            "RD" => components(case, &DifferenceInProportions::new()),
            "OR" => components(case, &OddsRatio::new()),
            other => panic!("{}: measure {other}", case.name),
        },
        other => panic!("{}: analysis {other}", case.name),
    }
}

fn trials(case: &Case) -> armwise::Result<Trials> {
    let control = case.option("control").as_str().unwrap_or("control");
    let mut builder = Trials::builder(table(case)?, "municipality")
        .arm_labels("arm")
        .control(control)
        .participant("participant");
    if let Some(components) = case.option("components").as_object() {
        for (arm, parts) in components {
            let parts = parts.as_array().expect("a list of components").iter();
            builder = builder.components(arm, parts.map(|part| part.as_str().expect("a component")));
        }
    }
    builder.build()
}

fn risk_difference(case: &Case) -> Answer {
    let interval = match case.word("interval") {
        "newcombe" => DifferenceInterval::Newcombe,
        "newcombe_continuity" => DifferenceInterval::NewcombeContinuity,
        "wald" => DifferenceInterval::Wald,
        "wald_continuity" => DifferenceInterval::WaldContinuity,
        "agresti_caffo" => DifferenceInterval::AgrestiCaffo,
        "miettinen_nurminen" => DifferenceInterval::MiettinenNurminen,
        "mee" | "mee_score" => DifferenceInterval::Mee,
        other => panic!("{}: interval {other}", case.name),
    };
    let effect = trials(case)?
        .trial(case.word("municipality"))?
        .compare(case.word("arm"))
        .on(&event(case, case.word("outcome")))?
        .estimate(&DifferenceInProportions::new().interval(interval).level(case.level()))?
        .treatment(case.word("arm"))?;
    Ok(object!({
        "events_treated": effect.treatment_counts().events,
        "n_treated": effect.treatment_counts().analysed,
        "events_control": effect.reference_counts().events,
        "n_control": effect.reference_counts().analysed,
        "estimate": json(effect.value()),
        "se": json(effect.se()),
        "ci": pair(effect.interval()),
    }))
}

fn adjusted_logistic(case: &Case) -> Answer {
    let trials = trials(case)?;
    let comparison = trials.trial(case.word("municipality"))?.on(&event(case, case.word("outcome")))?;
    let covariates = case.option("covariates").as_array().expect("covariates").iter();
    let model = LogisticRegression::new()
        .adjust_for(covariates.map(|covariate| covariate.as_str().expect("a covariate")))
        .level(case.level());
    let arm = case.word("arm");
    let conditional = comparison.estimate(&model)?.treatment(arm)?;
    let robust = comparison.estimate(&model.clone().variance(VarianceType::Hc0))?.treatment(arm)?;
    let marginal = |variance| {
        let marginal = model.marginal(RiskDifference).variance(MarginalVariance::Delta(variance));
        comparison.estimate(&marginal)?.treatment(arm)
    };
    let (delta, delta_hc0) = (marginal(VarianceType::Model)?, marginal(VarianceType::Hc0)?);
    let prepared = model.prepare(&comparison)?;
    let fit = prepared.fit()?;
    let n: u64 = fit.comparison().arms().iter().map(|arm| arm.counts.analysed).sum();
    Ok(object!({
        "n": n,
        "log_odds_ratio": json(conditional.value()),
        "se": json(conditional.se()),
        "p_value": json(conditional.p_value()),
        "se_hc0": json(robust.se()),
        "log_likelihood": fit.regression().log_likelihood(),
        "marginal_risk_difference": json(delta.value()),
        "marginal_se_delta": json(delta.se()),
        "marginal_se_delta_hc0": json(delta_hc0.se()),
    }))
}

fn wellbeing_ancova(case: &Case) -> Answer {
    let trials = trials(case)?;
    let comparison = trials.trial(case.word("municipality"))?.on(&score(case, case.word("outcome")))?;
    let ancova = LinearRegression::new().adjust_for(["wellbeing_baseline", "stratum"]).level(case.level());
    let arm = case.word("arm");
    let classical = comparison.estimate(&ancova.clone().variance(VarianceType::Model))?.treatment(arm)?;
    let robust = comparison.estimate(&ancova.variance(VarianceType::Hc2))?;
    let analysed: u64 = robust.iter().map(|effect| effect.treatment_counts().analysed).sum();
    let robust = robust.treatment(arm)?;
    let welch = comparison.estimate(&DifferenceInMeans::new().level(case.level()))?.treatment(arm)?;
    Ok(object!({
        "n": analysed + robust.reference_counts().analysed,
        "estimate": json(classical.value()),
        "se": json(classical.se()),
        "se_hc2": json(robust.se()),
        "df": classical.df(),
        "welch_estimate": json(welch.value()),
        "welch_se": json(welch.se()),
        "welch_df": welch.df(),
        "welch_ci": pair(welch.interval()),
        "welch_p": json(welch.p_value()),
    }))
}

fn pooled<E: Estimator<Binary>>(case: &Case, estimator: &E) -> Answer {
    let tau2 = match case.word("tau2") {
        "REML" => Tau2::Reml,
        "ML" => Tau2::Ml,
        "DL" => Tau2::DerSimonianLaird,
        "PM" => Tau2::PauleMandel,
        other => panic!("{}: tau2 {other}", case.name),
    };
    let test = match case.word("test") {
        "knha" => Test::HartungKnapp,
        "adhoc" => Test::HartungKnappTruncated,
        "z" => Test::Normal,
        "t" => Test::T,
        other => panic!("{}: test {other}", case.name),
    };
    let effects = trials(case)?.on(&event(case, case.word("outcome")))?.estimate(estimator)?;
    let pooled = RandomEffects::new()
        .tau2(tau2)
        .test(test)
        .level(case.level())
        .prediction_df(PredictionDf::KMinus1)
        .pool(&effects.treatment(case.word("arm"))?)?;
    let summary = pooled.summary;
    let names: Vec<&str> = pooled.trials.iter().map(|trial| trial.estimate.trial().as_str()).collect();
    Ok(object!({
        "k": names.len(),
        "municipalities": names,
        "estimate": json(pooled.value()),
        "se": json(pooled.se()),
        "ci": pair(pooled.interval()),
        "p_value": json(pooled.p_value()),
        "tau2": json(pooled.tau2()),
        "Q": json(summary.q.statistic),
        "Q_p": summary.q.p_value,
        "I2": json(100.0 * pooled.i2()),
        "H2": json(summary.h2),
        "tau2_ci": summary.tau2_interval.map(limits),
        "pi_k_minus_1": summary.prediction.map(limits),
    }))
}

fn components<E: Estimator<Binary>>(case: &Case, estimator: &E) -> Answer {
    let model = match case.word("model") {
        "common" => ComponentModel::common(),
        "random" => ComponentModel::random(),
        other => panic!("{}: model {other}", case.name),
    };
    let model = model.test(CoefficientTest::Normal).level(case.level());
    assert_eq!(case.option("rho").as_f64(), Some(0.5), "{}: rho", case.name);
    let effects = trials(case)?.on(&event(case, case.word("outcome")))?.estimate(estimator)?;
    let pooled = model.pool(&effects)?;
    let wanted = case.expected["components"].as_array().expect("components");
    let mut coefficients = pooled.coefficients().to_vec();
    // A linear model has no order of columns; the case lists them in its own.
    coefficients.sort_by_key(|one| wanted.iter().position(|name| one.label == name.as_str().unwrap_or("")));
    let of = |value: fn(&armwise::pool::PooledCoefficient) -> f64| list(coefficients.iter().map(value));
    Ok(object!({
        "k": pooled.model.effects,
        "components": coefficients.iter().map(|one| one.label.as_str()).collect::<Vec<_>>(),
        "estimate": of(|one| one.value()),
        "se": of(|one| one.se()),
        "p_value": of(|one| one.p_value()),
        "tau2": json(pooled.tau2()),
        "Q": json(pooled.model.q.statistic),
        "Q_df": pooled.model.q.df,
        "restricted_log_likelihood": json(pooled.model.restricted_log_likelihood),
    }))
}
