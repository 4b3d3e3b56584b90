//! Topic "`marginal_strata"`: standardised effects with the variance that knows of stratified randomisation.

use super::case::{Answer, Case, list};
use super::pipeline::{event, score, table};
use armwise::design::OutcomeKind;
use armwise::effect::ContrastScale;
use armwise::estimator::AdjustedFit;
use armwise::prelude::*;
use serde_json::{Value, json as object};

pub(super) fn answer(case: &Case) -> Answer {
    assert_eq!(case.word("method"), "g_computation", "{}", case.name);
    assert_eq!(case.word("randomisation"), "stratified_permuted_block", "{}", case.name);
    let input = |key: &str| case.input(key).as_str().unwrap_or_else(|| panic!("{}: input {key}", case.name));
    let words = |key: &str| -> Vec<&str> {
        let list = case.input(key).as_array().unwrap_or_else(|| panic!("{}: input {key}", case.name));
        list.iter().map(|word| word.as_str().expect("a word")).collect()
    };
    let mut table = table(case)?.keep_category("municipality", input("municipality"))?;
    let strata = input("strata");
    let covariates = words("covariates");
    // "long = 1 for 2_years_or_more" defines a covariate that is no column.
    if let Some((name, level)) =
        case.option("stratum_covariate").as_str().and_then(|t| t.split_once(" = 1 for "))
    {
        let labels = table.column(strata)?.categories()?;
        let flags: Vec<Option<bool>> = labels.map(|label| label.map(|label| label == level)).collect();
        table = table.with_flags(name, flags)?;
    }
    let arms = words("arms");
    let trial = Trial::builder(input("municipality"), table)
        .arm_labels(input("arm"))
        .control(case.word("reference_arm"))
        .strata([strata])
        .build()?;
    let outcome = input("outcome");
    match (case.word("family"), case.word("link"), case.word("scale")) {
        ("binomial", "logit", "risk_difference") => {
            let model = LogisticRegression::new().adjust_for(&covariates).level(case.level());
            let comparison = trial.on(&event(case, outcome))?;
            keys(&arms, &model.prepare(&comparison)?.fit()?, RiskDifference)
        }
        ("gaussian", "identity", "mean_difference") => {
            let model = LinearRegression::new().adjust_for(&covariates).level(case.level());
            let comparison = trial.on(&score(case, outcome))?;
            keys(&arms, &model.prepare(&comparison)?.fit()?, MeanDifference)
        }
        other => panic!("{}: {other:?}", case.name),
    }
}

fn rows(matrix: armwise::ndarray::ArrayView2<'_, f64>) -> Value {
    Value::Array(matrix.rows().into_iter().map(|row| list(row.iter().copied())).collect())
}

/// The effects in the order of the case's arms, the reference first.
fn keys<K: OutcomeKind, S: ContrastScale>(arms: &[&str], fit: &AdjustedFit<'_, K>, scale: S) -> Answer {
    let n: u64 = fit.comparison().arms().iter().map(|arm| arm.counts.analysed).sum();
    let simple = fit.arm_means(MarginalVariance::Ye2023)?;
    let stratified = fit.arm_means(fit.default_variance())?;
    let labels: Vec<&str> = simple.labels().map(armwise::design::Label::as_str).collect();
    assert_eq!(labels, arms, "the order of the arms");
    let effects = stratified.contrast(scale.clone())?;
    Ok(object!({
        "n": n,
        "arm_means": list(stratified.values().iter().copied()),
        "arm_means_vcov_simple": rows(simple.covariance()),
        "arm_means_vcov_stratified": rows(stratified.covariance()),
        "estimate": list(effects.values()),
        "se_simple": list(simple.contrast(scale)?.iter().map(|effect| effect.se())),
        "se_stratified": list(effects.iter().map(|effect| effect.se())),
        "covariance_stratified": rows(effects.covariance()),
        "ci_lower_stratified": list(effects.iter().map(|effect| effect.interval().lower())),
        "ci_upper_stratified": list(effects.iter().map(|effect| effect.interval().upper())),
    }))
}
