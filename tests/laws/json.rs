use crate::support::data::{WORKS, comparison, comparisons, counts, people, trial};
use crate::support::estimators;
use crate::support::inference;
use crate::support::pools::{self, Visit, all, all_joint, analyses};
use crate::support::survives;
use armwise::prelude::*;
use proptest::prelude::*;
use serde_json::{Value, json};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn every_estimate_survives_json(people in people()) {
        let trial = trial(&people, "control");
        for listed in estimators::all() {
            let Some(estimates) = listed.of(&trial, 0.95) else { continue };
            survives(&estimates);
            survives(&estimates.treatment("guidance").unwrap());
            if let Ok(between) = estimates.between("guidance", "exemption") {
                survives(&between);
            }
        }
    }

    #[test]
    fn means_of_arms_survive_json(people in people()) {
        let comparison = trial(&people, "control").on(&WORKS).unwrap();
        let model = estimators::logistic(true);
        let prepared = model.prepare(&comparison).unwrap();
        let fit = prepared.fit().unwrap();
        for variance in estimators::MARGINAL_VARIANCES {
            let means = fit.arm_means(variance).unwrap();
            survives(&means);
            survives(&means.level(0.8).df(7.5));
        }
    }

    #[test]
    fn every_replay_survives_json(people in people(), seed in any::<u64>()) {
        inference::replays(&trial(&people, "control"), seed, &mut Survivor);
    }

    #[test]
    fn every_pool_survives_json(trials in counts()) {
        let effects = comparisons(&trials).estimate(&RatioOfProportions::new()).unwrap();
        survives(&effects);
        let treatment = effects.treatment("guidance").unwrap();
        survives(&treatment);
        for pooled in all().iter().filter_map(|pool| pool.pool(&treatment).ok()) {
            survives(&pooled);
            survives(&pooled.to_any());
        }
        for pool in all_joint() {
            survives(&pool.pool(&effects).unwrap());
        }
    }

    #[test]
    fn every_analysis_survives_json(trials in counts()) {
        let comparisons = comparisons(&trials);
        analyses(&comparisons.estimate(&DifferenceInProportions::new()).unwrap(), "guidance", &mut Survivor);
        pools::counts(&comparisons, "guidance", &mut Survivor);
    }
}

/// Sees that what has an answer survives JSON, in its own form and in a report.
struct Survivor;

impl Visit for Survivor {
    fn see<T>(&mut self, _: &str, result: armwise::Result<T>)
    where
        T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug + std::fmt::Display,
    {
        if let Ok(result) = result {
            survives(&result);
        }
    }
}

/// Three trials with an effect each, as JSON.
fn samples() -> (Effects<LogRiskRatio>, Value) {
    let trials =
        [[(10, 100), (15, 90), (12, 80)], [(20, 100), (15, 95), (30, 110)], [(7, 60), (9, 70), (5, 50)]];
    let effects = comparisons(&trials).estimate(&RatioOfProportions::new()).unwrap();
    let value = serde_json::to_value(effects.trial("city 0").unwrap()).unwrap();
    (effects, value)
}

/// Each change of a valid document must be refused, with a sentence.
pub(super) fn refuses<T: serde::de::DeserializeOwned>(valid: &Value, changes: &[(&str, Value)]) {
    serde_json::from_value::<T>(valid.clone()).unwrap_or_else(|error| panic!("{error}: {valid}"));
    for (pointer, wrong) in changes {
        let mut document = valid.clone();
        *document.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} in {valid}")) = wrong.clone();
        let refused = serde_json::from_value::<T>(document);
        assert!(refused.is_err(), "{pointer} = {wrong} was read");
    }
}

#[test]
fn estimates_refuse_what_their_constructor_refuses() {
    let (_, estimates) = samples();
    let correlation = &estimates["covariance"][0][1];
    let changes = [
        ("/about/scale", json!("risk_difference")),
        ("/about/scale", json!("no scale at all")),
        ("/about/level", json!(2.0)),
        ("/about/level", json!(0.0)),
        ("/about/level", json!(null)),
        ("/about/estimand", json!("somewhere")),
        ("/about/measure/direction", json!("sideways")),
        ("/about/method/interval", json!("horoscope")),
        ("/contrasts", json!([])),
        ("/contrasts/0/inference/value", json!(null)),
        ("/contrasts/0/inference/value", json!("NaN")),
        ("/contrasts/0/inference/se", json!(-0.1)),
        ("/contrasts/0/inference/se", json!(0.77)),
        ("/contrasts/0/inference/p_value", json!(0.5)),
        ("/contrasts/0/inference/df", json!(0.0)),
        ("/contrasts/0/inference/df", json!(-3.0)),
        ("/contrasts/0/inference/interval/lower", json!(1e9)),
        ("/contrasts/0/inference/interval/upper", json!(null)),
        ("/contrasts/0/treatment/label", json!("control")),
        ("/contrasts/0/treatment/label", json!("exemption")),
        ("/contrasts/0/treatment/counts/events", json!(91)),
        ("/contrasts/0/treatment/counts/analysed", json!(91)),
        ("/reference/counts/observed", json!(101)),
        ("/reference/counts/randomised", json!(u64::MAX)),
        ("/covariance", json!([[0.1]])),
        ("/covariance/0/0", json!(-1.0)),
        ("/covariance/0/0", json!(0.5)),
        ("/covariance/0/1", json!(correlation.as_f64().unwrap() * 1.5)),
        ("/covariance/1/0", json!(null)),
    ];
    refuses::<Estimates<LogRiskRatio>>(&estimates, &changes);
    let any: Vec<_> = changes.iter().filter(|(pointer, _)| *pointer != "/about/scale").cloned().collect();
    refuses::<Estimates<AnyScale>>(&estimates, &any);
}

/// Bounds and grids of missing outcomes: what was changed after it was computed is refused.
#[test]
fn an_estimate_refuses_what_its_constructor_refuses() {
    let (effects, _) = samples();
    let estimate = effects.trial("city 0").unwrap().treatment("guidance").unwrap();
    let changes = [
        ("/about/scale", json!("mean_difference")),
        ("/about/level", json!(1.0)),
        ("/inference/value", json!(null)),
        ("/inference/value", json!(0.9)),
        ("/inference/p_value", json!(0.001)),
        ("/inference/level", json!(0.9)),
        ("/inference/curve/counts/counts/treatment/events", json!(9)),
        ("/about/trials", json!(["city 0", "city 1"])),
        ("/reference/label", json!("usual care")),
        ("/inference/se", json!(-1e-9)),
        ("/inference/df", json!(0.0)),
        ("/inference/interval/lower", json!("Inf")),
        ("/treatment/label", json!("control")),
        ("/treatment/counts/events", json!(1000)),
    ];
    refuses::<Estimate<LogRiskRatio>>(&serde_json::to_value(estimate).unwrap(), &changes);
}

#[test]
fn means_of_arms_refuse_what_their_constructor_refuses() {
    let counts = comparison(0, &[(10, 100), (15, 90), (12, 80)]);
    let covariance = armwise::ndarray::Array2::from_diag_elem(3, 0.01);
    let means =
        ArmMeans::new(&counts, vec![0.1, 0.2, 0.15], covariance, Method::new("by hand")).unwrap().df(20.0);
    let changes = [
        ("/about/level", json!(0.0)),
        ("/about/level", json!(null)),
        ("/about/estimand", json!("conditional")),
        ("/df", json!(0.0)),
        ("/df", json!(-2.0)),
        ("/arms", json!([])),
        ("/arms/1/label", json!("control")),
        ("/arms/1/label", json!("exemption")),
        ("/arms/1/counts/events", json!(91)),
        ("/arms/0/label", json!("guidance")),
        ("/arms/0/counts/observed", json!(101)),
        ("/values", json!([0.1, 0.2])),
        ("/values/0", json!(null)),
        ("/values/0", json!("NaN")),
        ("/covariance", json!([[0.01]])),
        ("/covariance/0", json!([0.01])),
        ("/covariance/0/1", json!(0.005)),
        ("/covariance/2/2", json!(null)),
    ];
    refuses::<ArmMeans>(&serde_json::to_value(&means).unwrap(), &changes);
}

#[test]
fn the_effects_of_a_treatment_refuse_what_their_constructor_refuses() {
    let (effects, _) = samples();
    let mut guidance = serde_json::to_value(effects.treatment("guidance").unwrap()).unwrap();
    guidance["without"] = json!(["city 8", "city 9"]);
    let changes = [
        ("/estimates", json!([])),
        ("/estimates/0/about/scale", json!("risk_difference")),
        ("/estimates/0/inference/se", json!(-1.0)),
        ("/estimates/1/about/trials/0", json!("city 0")),
        ("/estimates/1/treatment/label", json!("exemption")),
        ("/estimates/1/about/measure/name", json!("another")),
        ("/estimates/1/about/reference", json!("usual care")),
        ("/estimates/1/about/estimand", json!("conditional")),
        ("/without/0", json!("city 0")),
        ("/without/0", json!("city 9")),
    ];
    refuses::<TreatmentEffects<LogRiskRatio>>(&guidance, &changes);
}

#[test]
fn effects_refuse_trials_that_do_not_belong_together() {
    let (effects, _) = samples();
    let changes = [
        ("/trials/1/about/trials/0", json!("city 0")),
        ("/trials/1/about/measure/name", json!("another")),
        ("/trials/1/about/measure/horizon", json!("16 months")),
        ("/trials/1/about/measure/unit", json!("hours")),
        ("/trials/1/about/reference", json!("usual care")),
        ("/trials/1/about/estimand", json!("conditional")),
    ];
    refuses::<Effects<LogRiskRatio>>(&serde_json::to_value(&effects).unwrap(), &changes);
    assert!(
        serde_json::from_str::<Effects<LogRiskRatio>>(r#"{"trials": [], "double_zeros": "drop"}"#).is_err()
    );
}

#[test]
fn pools_refuse_what_pooling_cannot_give() {
    let (effects, _) = samples();
    let pooled = RandomEffects::new().pool(&effects.treatment("guidance").unwrap()).unwrap();
    let changes = [
        ("/treatment", json!("exemption")),
        ("/trials", json!([])),
        ("/trials/0/weight", json!(-0.2)),
        ("/trials/0/weight", json!(0.9999)),
        ("/trials/0/estimate/inference/se", json!(-1.0)),
        ("/trials/0/estimate/about/scale", json!("risk_difference")),
        ("/trials/0/estimate/about/trials/0", json!("city 1")),
        ("/trials/0/estimate/about/measure/name", json!("another")),
        ("/about/trials/0", json!("city 9")),
        ("/about/level", json!(0.9)),
        ("/inference/value", json!(0.3)),
        ("/summary/interval/upper", json!(3.0)),
        ("/summary/p_value", json!(0.9)),
        ("/summary/k", json!(17)),
        ("/summary/se", json!(-1.0)),
        ("/summary/se", json!(0.0)),
        ("/summary/estimate", json!(null)),
        ("/summary/p_value", json!(1.5)),
        ("/summary/df", json!(-1.0)),
        ("/summary/level", json!(2.0)),
        ("/summary/tau2", json!(-0.1)),
        ("/summary/i2", json!(1.2)),
        ("/summary/interval/lower", json!(1e9)),
        ("/summary/test", json!("horoscope")),
        ("/summary/tau2_estimator", json!("horoscope")),
    ];
    refuses::<Pooled<LogRiskRatio>>(&serde_json::to_value(&pooled).unwrap(), &changes);
}

#[test]
fn joint_pools_refuse_what_pooling_cannot_give() {
    let (effects, _) = samples();
    let pooled = JointModel::random().pool(&effects).unwrap();
    let changes = [
        ("/about/scale", json!("risk_difference")),
        ("/about/trials", json!([])),
        ("/model/coefficients", json!([])),
        ("/model/coefficients/0/se", json!(-1.0)),
        ("/model/coefficients/0/estimate", json!(null)),
        ("/model/coefficients/0/name", json!("exemption")),
        ("/model/coefficients/0/p_value", json!(-0.1)),
        ("/model/coefficients/0/df", json!(0.0)),
        ("/model/coefficients/0/interval/upper", json!(-1e9)),
        ("/model/level", json!(95.0)),
        ("/model/tau2", json!(-0.1)),
        ("/model/covariance/0/1", json!(0.9)),
        ("/model/covariance/0/0", json!(-0.9)),
        ("/model/covariance/0", json!([0.1])),
        ("/model/covariance", json!([])),
        ("/model/trials", json!(9)),
        ("/coefficients", json!([])),
        ("/coefficients/0/trials", json!([])),
        ("/coefficients/0/trials/0", json!("city 9")),
    ];
    refuses::<JointlyPooled<LogRiskRatio>>(&serde_json::to_value(&pooled).unwrap(), &changes);
}

#[test]
fn more_results_refuse_what_pooling_cannot_give() {
    use armwise::meta_analysis::{FunnelSide, MissingStudies};
    let (effects, _) = samples();
    let guidance = effects.treatment("guidance").unwrap();
    let pooled = RandomEffects::new().pool(&guidance).unwrap();
    let changes = [
        ("/summary/wald/se", json!(-1.0)),
        ("/summary/wald/p_value", json!(2.0)),
        ("/summary/hartung_knapp/se", json!(0.0)),
        ("/summary/prediction/lower", json!(1e9)),
    ];
    refuses::<Pooled<LogRiskRatio>>(&serde_json::to_value(&pooled).unwrap(), &changes[..3]);
    let filled = RandomEffects::new().sensitivity(&guidance).unwrap();
    let filled = filled.trim_and_fill(MissingStudies::L0, FunnelSide::Left).unwrap();
    let changes = [
        ("/filled/k0", json!(5)),
        ("/filled/filled_vi", json!([-1.0])),
        ("/filled/pool/k", json!(1)),
        ("/filled/pool/se", json!(-1.0)),
    ];
    refuses::<armwise::pool::TrimmedAndFilled<LogRiskRatio>>(
        &serde_json::to_value(&filled).unwrap(),
        &changes,
    );
    let groups = [("city 0", "a"), ("city 1", "a"), ("city 2", "b")];
    let groups = Subgroups::by("half", groups).pool(&guidance).unwrap();
    let changes = [
        ("/groups/0/inference/se", json!(0.0)),
        ("/groups/1/inference/p_value", json!(-0.1)),
        ("/groups/0/inference/interval/lower", json!(9.0)),
        ("/groups/0/trials", json!(["city 0"])),
        ("/groups/0/q/p_value", json!(0.123)),
        ("/between/p_value", json!(0.123)),
        ("/q_total/statistic", json!(99.0)),
    ];
    refuses::<armwise::pool::PooledSubgroups<LogRiskRatio>>(
        &serde_json::to_value(&groups).unwrap(),
        &changes,
    );
    let network = NetworkMetaAnalysis::random().pool(&effects).unwrap();
    let changes = [
        ("/pool/differences", json!([[0.0]])),
        ("/pool/p_scores", json!([])),
        ("/arms", json!([])),
        ("/arms/1", json!("control")),
        ("/trials/0/arms/0/arm", json!("nobody")),
        ("/comparisons/0/inference/value", json!(0.123)),
        ("/comparisons/0/direct", json!([])),
        ("/ranking/0/p_score", json!(0.123)),
        ("/pool/p_scores/0", json!(0.123)),
        ("/pool/se/0/1", json!(0.123)),
        ("/pool/q_within_designs/statistic", json!(0.123)),
    ];
    refuses::<armwise::pool::NetworkPooled<LogRiskRatio>>(&serde_json::to_value(&network).unwrap(), &changes);
    let regression = MetaRegression::new().number("x", [("city 0", 0.0), ("city 1", 1.0), ("city 2", 3.0)]);
    let changes = [
        ("/treatment", json!("exemption")),
        ("/moderators", json!([])),
        ("/trials/0/expected", json!(0.123)),
        ("/trials/0/moderators", json!([])),
        ("/coefficients/1/inference/value", json!(0.123)),
        ("/coefficients/1/name", json!("y")),
        ("/fit/coefficients/1/p_value", json!(0.123)),
        ("/fit/covariance/0/1", json!(0.123)),
        ("/fit/variance_factor", json!(0.0)),
        ("/fit/hartung_knapp_factor", json!(null)),
        ("/fit/tau2", json!(-1.0)),
        ("/about/level", json!(0.9)),
    ];
    let fit = regression.fit(&guidance).unwrap();
    refuses::<armwise::pool::PooledRegression<LogRiskRatio>>(&serde_json::to_value(&fit).unwrap(), &changes);
    let cities = comparisons(&[[(10, 100), (15, 90), (12, 80)], [(20, 100), (15, 95), (30, 110)]]);
    let counted = MantelHaenszel::new(LogRiskRatio).pool(&cities, "guidance").unwrap();
    let changes = [
        ("/treatment", json!("control")),
        ("/trials/0/treatment/events", json!(16)),
        ("/trials/1/reference/analysed", json!(99)),
        ("/count_method", json!("peto")),
        ("/inference/value", json!(0.123)),
        ("/summary/se", json!(0.123)),
        ("/summary/q/statistic", json!(0.123)),
        ("/about/scale", json!("risk_difference")),
    ];
    refuses::<armwise::pool::PooledCounts<LogRiskRatio>>(&serde_json::to_value(counted).unwrap(), &changes);
    // A misspelt option is none.
    assert!(serde_json::from_str::<BayesianRandomEffects>(r#"{"tau_priors": "improper_uniform"}"#).is_err());
    assert!(serde_json::from_str::<SideBySide>(r#"{"levels": 0.9}"#).is_err());
}

/// Changes every number of a result by itself, and keeps the places where the change was read as it stood.
#[derive(Default)]
struct Changed {
    numbers: usize,
    read: std::collections::BTreeMap<String, String>,
}

/// The places of the numbers in a document.
fn numbers(value: &Value, at: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    match value {
        Value::Number(_) => found.push(at.clone()),
        Value::Array(list) => list.iter().enumerate().for_each(|(i, value)| {
            at.push(i.to_string());
            numbers(value, at, found);
            at.pop();
        }),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            at.push(name.clone());
            numbers(value, at, found);
            at.pop();
        }),
        _ => {}
    }
}

impl Visit for Changed {
    fn see<T>(&mut self, name: &str, result: armwise::Result<T>)
    where
        T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug + std::fmt::Display,
    {
        let Ok(result) = result else { return };
        let document = serde_json::to_value(&result).unwrap();
        let mut places = Vec::new();
        numbers(&document, &mut Vec::new(), &mut places);
        for place in places {
            let pointer = format!("/{}", place.join("/"));
            let mut changed = document.clone();
            let number = changed.pointer_mut(&pointer).unwrap();
            *number = match number.as_u64() {
                Some(whole) => json!(whole + 1),
                None => json!(1.01 * number.as_f64().unwrap() + 1e-3),
            };
            self.numbers += 1;
            if serde_json::from_value::<T>(changed).is_ok_and(|read| read != result) {
                // Places in lists are alike.
                let field =
                    |part: &String| if part.parse::<usize>().is_ok() { "*".to_owned() } else { part.clone() };
                let pattern = place.iter().map(field).collect::<Vec<_>>().join("/");
                self.read.entry(pattern).or_insert_with(|| name.to_owned());
            }
        }
    }
}

/// Reading is constructing: a number that was changed after it was computed is refused, in every result of
/// several trials. What may change is what was given, and stands in no other place.
#[test]
fn every_number_of_a_pool_is_checked() {
    /// How many were randomised enters no number.
    const GIVEN: [&str; 1] = ["/randomised"];
    let trials: [[(u64, u64); 3]; 4] = [
        [(10, 100), (15, 90), (12, 80)],
        [(20, 100), (15, 95), (30, 110)],
        [(7, 60), (9, 70), (5, 50)],
        [(12, 90), (22, 95), (14, 88)],
    ];
    let comparisons = comparisons(&trials);
    let mut seen = Changed::default();
    let effects = comparisons.estimate(&DifferenceInProportions::new()).unwrap();
    let guidance = effects.treatment("guidance").unwrap();
    seen.see("effects", Ok(effects.clone()));
    seen.see("random effects", RandomEffects::new().pool(&guidance));
    seen.see("common effect", CommonEffect::new().pool(&guidance));
    seen.see("participants", ParticipantWeighted::new().pool(&guidance));
    for pool in all_joint() {
        seen.see(&format!("{pool:?}"), pool.pool(&effects));
    }
    analyses(&effects, "guidance", &mut seen);
    pools::counts(&comparisons, "guidance", &mut seen);
    assert!(seen.numbers > 1000, "{}", seen.numbers);
    seen.read.retain(|place, _| !GIVEN.iter().any(|given| place.ends_with(given)));
    assert!(seen.read.is_empty(), "of {} numbers:\n{:#?}", seen.numbers, seen.read);
}

/// The numeric layer reads what its numbers say of each other.
#[test]
fn numbers_without_trials_follow_from_each_other() {
    use armwise::categorical::ContingencyTable;
    use armwise::meta_analysis::{
        ChiSquaredTest, Coefficient, MultivariateData, MultivariateModel, MultivariatePool, WaldTest,
    };
    use armwise::ndarray::array;
    let mut data = MultivariateData::new(["a", "b"]);
    for (i, y) in [[0.1, 0.9], [0.6, 0.2], [-0.4, 0.5], [0.9, 1.4]].iter().enumerate() {
        let v = 0.03 + 0.01 * i as f64;
        let covariance = array![[v, 0.4 * v], [0.4 * v, 1.3 * v]];
        data.push(y, covariance.view(), array![[1.0, 0.0], [0.0, 1.0]].view()).unwrap();
    }
    let pool = MultivariateModel::random_effects().pool(&data).unwrap();
    survives(&pool);
    let valid = serde_json::to_value(&pool).unwrap();
    let changes = [
        ("/q/p_value", json!(0.9)),
        ("/q/statistic", json!(0.1)),
        ("/q/df", json!(7.0)),
        ("/se_tau2", json!(-0.1)),
        ("/typical_variance", json!(-1.0)),
        ("/typical_variance", json!(null)),
        ("/tau2", json!(-0.1)),
        ("/tau2_interval/lower", json!(-0.1)),
        ("/tau2_interval/lower", json!(1e6)),
        ("/tau2_interval/upper", json!(0.0)),
        ("/residual_q", json!(1e6)),
        ("/effects", json!(9)),
        ("/trials", json!(0)),
        ("/level", json!(95.0)),
        ("/log_likelihood", json!(null)),
        ("/coefficients/0/estimate", json!(9.0)),
        ("/coefficients/0/se", json!(0.001)),
        ("/coefficients/0/statistic", json!(9.0)),
        ("/coefficients/0/p_value", json!(0.0)),
        ("/coefficients/1/interval/upper", json!(-9.0)),
        ("/covariance/0/1", json!(9.0)),
        ("/covariance/0/0", json!(9.0)),
    ];
    refuses::<MultivariatePool>(&valid, &changes);
    refuses::<Coefficient>(
        &valid["coefficients"][0],
        &[("/p_value", json!(1.5)), ("/df", json!(0.0)), ("/se", json!(-1.0))],
    );
    let trials =
        [[(10, 100), (15, 90), (12, 80)], [(20, 100), (15, 95), (30, 110)], [(7, 60), (9, 70), (5, 50)]];
    let one = OneStageLogistic::common().pool(&comparisons(&trials)).unwrap();
    survives(&one);
    let changes = [
        ("/summary/interaction/p_value", json!(0.5)),
        ("/summary/interaction/statistic", json!(0.1)),
        ("/summary/interaction/df", json!(9.0)),
        ("/summary/level", json!(0.9)),
        ("/summary/participants", json!(0)),
        ("/summary/boundary", json!(true)),
        ("/summary/log_likelihood", json!("NaN")),
        ("/coefficients/0/trials/0", json!("city 9")),
        ("/coefficients/0/inference/se", json!(0.1)),
        ("/covariance/0/1", json!(0.9)),
    ];
    refuses::<OneStagePooled<LogOddsRatio>>(&serde_json::to_value(&one).unwrap(), &changes);
    let pooled = armwise::meta_analysis::RandomEffects::new()
        .pool(&[0.1, 0.9, -0.4, 0.6], &[0.05, 0.04, 0.06, 0.03])
        .unwrap();
    survives(&pooled);
    let changes = [
        ("/k", json!(5)),
        ("/se", json!(0.01)),
        ("/estimate", json!(9.0)),
        ("/interval/lower", json!(-9.0)),
        ("/p_value", json!(1.5)),
        ("/tau2", json!(-0.1)),
        ("/i2", json!(1.5)),
        ("/q/p_value", json!(0.5)),
        ("/q/statistic", json!(0.1)),
        ("/typical_variance", json!(-0.1)),
        ("/wald/se", json!(-0.1)),
        ("/tau2_interval/lower", json!(-0.1)),
    ];
    refuses::<armwise::meta_analysis::PooledEffect>(&serde_json::to_value(&pooled).unwrap(), &changes);
    let test = ContingencyTable::new(array![[12, 5, 3], [7, 9, 11]].view()).unwrap().pearson_test().unwrap();
    survives(&test);
    let changes = [
        ("/statistic", json!(1.0)),
        ("/statistic", json!(-1.0)),
        ("/df", json!(3.0)),
        ("/p_value", json!(0.05)),
    ];
    refuses::<ChiSquaredTest>(&serde_json::to_value(test).unwrap(), &changes);
    let test = pool.all_zero().unwrap();
    survives(&test);
    let changes = [
        ("/statistic", json!(0.1)),
        ("/df", json!(3.0)),
        ("/denominator_df", json!(90.0)),
        ("/p_value", json!(0.5)),
    ];
    refuses::<WaldTest>(&serde_json::to_value(test).unwrap(), &changes);
}
