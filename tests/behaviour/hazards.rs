//! Hazard ratios of trials: against reference numbers, what is said beside them, and what is refused.

use armwise::design::OutcomeKind as _;
use armwise::effect::{Estimand, IntervalMethod, VarianceMethod};
use armwise::estimator::{AnyEstimator, WeightColumn};
use armwise::prelude::*;
use armwise::survival::{CoxVariance, FineGrayVariance, Ties};
use serde_json::Value;
use std::fmt::Write as _;

const EXIT: Measure<TimeToEvent> = Measure::time_to_event("exit_month", "exit_reason")
    .of("work")
    .competing(&["other"])
    .censored(&["none"])
    .censored_at("censor_month")
    .unit("months")
    .named("exit to work")
    .higher_is_better();
const EVENT: Measure<TimeToEvent> = Measure::time_to_event("t", "e").named("event");

fn cities() -> Trials {
    let table = Table::from_csv_str(include_str!("../../examples/data/participants.csv")).unwrap();
    let builder = Trials::builder(table, "municipality").arm_labels("arm").control("control");
    builder.strata(["stratum"]).build().unwrap()
}

/// A trial in Utrecht with the control "c", from rows of arm, time and event.
fn trial(rows: &str) -> Trial {
    let table = Table::from_csv_str(&format!("arm,t,e,x,s,g,w\n{rows}")).unwrap();
    Trial::builder("Utrecht", table).arm_labels("arm").control("c").build().unwrap()
}

/// Two arms in which people leave by and by.
fn usual() -> String {
    let mut rows = String::new();
    for i in 0..30 {
        let (arm, time) = (if i % 2 == 0 { "c" } else { "t" }, 1 + i * 7 % 12);
        writeln!(
            rows,
            "{arm},{time},{},{},{},g{},{}",
            u8::from(i % 3 != 0),
            i % 5,
            i / 2 % 2,
            i % 10,
            1 + i % 3
        )
        .unwrap();
    }
    rows
}

fn refused<E: Estimator<TimeToEvent>>(trial: &Trial, estimator: &E, words: &[&str]) {
    let error = trial.on(&EVENT).unwrap().estimate(estimator).map(|_| ()).unwrap_err().to_string();
    for word in words.iter().chain(&["Utrecht", "event", ";"]) {
        assert!(error.contains(word), "\"{word}\" is missing in: {error}");
    }
}

#[test]
fn log_hazard_ratios_of_the_six_cities() {
    let reference: Value = serde_json::from_str(include_str!("../reference/pipeline_time.json")).unwrap();
    let effects = cities().on(&EXIT).unwrap().estimate(&CoxRegression::new().stratified()).unwrap();
    let mut checked = 0;
    for case in reference["cases"].as_array().unwrap() {
        let (city, arm) = (&case["options"]["municipality"], &case["options"]["arm"]);
        let estimates = effects.iter().find(|one| one.trial().as_str() == city.as_str().unwrap()).unwrap();
        let effect = estimates.treatment(arm.as_str().unwrap()).unwrap();
        let expected = |key: &str| case["expected"][key].as_f64().unwrap();
        assert!((effect.value() - expected("log_hazard_ratio")).abs() < 1e-8, "{effect:?}");
        assert!((effect.se() - expected("se")).abs() < 1e-8, "{effect:?}");
        checked += 1;
    }
    assert_eq!(checked, reference["cases"].as_array().unwrap().len());
    let pooled = RandomEffects::new().pool(&effects.treatment("guidance").unwrap()).unwrap();
    assert!(pooled.to_string().contains("hazard ratio"), "{pooled}");
}

#[test]
fn the_result_says_how_it_was_made() {
    let utrecht = cities().trial("Utrecht").unwrap().on(&EXIT).unwrap();
    let plain = utrecht.estimate(&CoxRegression::new()).unwrap();
    assert_eq!(plain.method().estimator, "cause-specific Cox regression (Efron ties)");
    assert_eq!(plain.method().variance, VarianceMethod::Hazard(CoxVariance::Model));
    assert_eq!(plain.about.estimand, Estimand::Marginal);
    assert!(plain.notices().iter().any(|notice| matches!(notice, Notice::StrataIgnored { .. })));
    let stratified = utrecht.estimate(&CoxRegression::new().stratified().ties(Ties::Breslow)).unwrap();
    assert_eq!(stratified.method().estimator, "stratified cause-specific Cox regression (Breslow ties)");
    assert_eq!(stratified.about.estimand, Estimand::Conditional);
    assert!(!stratified.notices().iter().any(|notice| matches!(notice, Notice::StrataIgnored { .. })));
    let adjusted = utrecht.estimate(&CoxRegression::new().adjust_for(["age", "education"])).unwrap();
    assert_eq!(adjusted.about.estimand, Estimand::Conditional);
    assert_eq!(adjusted.method().adjusted_for, ["age", "education"]);
    let few = Notice::FewEvents { events: 28, coefficients: 6 };
    assert!(adjusted.notices().contains(&few), "{:?}", adjusted.notices());
    let gray = utrecht.estimate(&FineGrayRegression::new()).unwrap();
    assert!(gray.to_string().contains("subdistribution hazard ratio"), "{gray}");
    assert_eq!(gray.method().variance, VarianceMethod::Subdistribution(FineGrayVariance::FineGray));
}

#[test]
fn clusters_count_by_default() {
    let rows = usual();
    let table = Table::from_csv_str(&format!("arm,t,e,x,s,g,w\n{rows}")).unwrap();
    let builder = Trial::builder("Utrecht", table).arm_labels("arm").control("c").clusters("g");
    let clustered = builder.build().unwrap().on(&EVENT).unwrap();
    let effect = clustered.estimate(&CoxRegression::new()).unwrap().treatment("t").unwrap();
    assert_eq!(effect.method().variance, VarianceMethod::Hazard(CoxVariance::ClusteredSmallSample));
    assert_eq!(effect.method().interval, IntervalMethod::StudentT);
    // Ten clusters, each within one arm.
    assert_eq!(effect.df(), Some(9.0));
    let plain = CoxRegression::new().variance(CoxVariance::Clustered);
    let plain = clustered.estimate(&plain).unwrap().treatment("t").unwrap();
    assert!((effect.variance() / plain.variance() - 10.0 / 9.0).abs() < 1e-9);
    let gray = clustered.estimate(&FineGrayRegression::new()).unwrap().treatment("t").unwrap();
    assert_eq!((gray.df(), gray.method().interval.clone()), (Some(9.0), IntervalMethod::StudentT));
    // What does not count them says so.
    for ignoring in [
        AnyEstimator::from(CoxRegression::new().variance(CoxVariance::Model)),
        CoxRegression::new().ties(Ties::Exact).into(),
        CoxRegression::new().firth().into(),
        FineGrayRegression::new().variance(FineGrayVariance::FineGray).into(),
    ] {
        let estimates = clustered.estimate(&ignoring).unwrap();
        let told = estimates.notices().contains(&Notice::ClustersIgnored { clusters: 10 });
        assert!(told, "{ignoring}: {:?}", estimates.notices());
    }
}

#[test]
fn hazards_that_cross_are_told() {
    let mut rows = String::new();
    for i in 0..40 {
        // The treated leave early, the controls late.
        writeln!(
            rows,
            "c,{},1,0,0,a,1\nt,{},1,0,0,a,1",
            20 + i,
            if i % 4 == 0 { 100 + i } else { 1 + i / 2 }
        )
        .unwrap();
    }
    let crossing = trial(&rows).on(&EVENT).unwrap().estimate(&CoxRegression::new()).unwrap();
    let effect = crossing.treatment("t").unwrap();
    let told = effect.notices().iter().find(|notice| matches!(notice, Notice::NonProportionalHazards { .. }));
    let words = told.expect("a notice").to_string();
    assert!(words.contains("RestrictedMeanTime") && words.contains("p < 0.001"), "{words}");
    assert!(effect.to_string().contains("not proportional"), "{effect}");
    let usual = trial(&usual()).on(&EVENT).unwrap();
    let quiet = usual.estimate(&CoxRegression::new()).unwrap();
    assert!(quiet.notices().is_empty(), "{:?}", quiet.notices());
    for untested in [
        CoxRegression::new().ties(Ties::Exact),
        CoxRegression::new().firth(),
        CoxRegression::new().weights("w"),
    ] {
        let estimates = usual.estimate(&untested).unwrap();
        let told =
            estimates.notices().iter().any(|one| matches!(one, Notice::ProportionalHazardsUntested { .. }));
        assert!(told, "{untested:?}");
    }
}

#[test]
fn an_arm_without_events_is_named_and_firth_answers() {
    let rows = "c,3,1,1,0,a,1\nc,5,1,2,0,a,1\nc,6,0,3,1,b,1\nc,8,1,4,1,b,1\nt,4,0,1,0,c,1\nt,7,0,2,1,c,1\nt,9,0,3,1,d,1\n";
    let trial = trial(rows);
    refused(
        &trial,
        &CoxRegression::new(),
        &["separation", "arm[t] (to -infinity)", "firth()", "RestrictedMeanTime"],
    );
    refused(&trial, &FineGrayRegression::new(), &["separation", "arm[t]", "RiskAtHorizon"]);
    let effect =
        trial.on(&EVENT).unwrap().estimate(&CoxRegression::new().firth()).unwrap().treatment("t").unwrap();
    assert!(effect.value() < 0.0 && effect.value() > -5.0 && effect.interval().contains(effect.value()));
    assert_eq!(effect.method().interval, IntervalMethod::ProfilePenalized);
    assert!(effect.method().estimator.contains("Firth"));
}

#[test]
fn what_has_no_answer_is_refused() {
    let usual = trial(&usual());
    let cox = CoxRegression::new;
    refused(&usual, &cox().stratified(), &["strata(..)"]);
    refused(&usual, &cox().variance(CoxVariance::Clustered), &["clusters(..)"]);
    refused(&usual, &cox().firth().variance(CoxVariance::Robust), &["variance(..)"]);
    refused(&usual, &cox().firth().weights("w"), &["weights"]);
    refused(&usual, &cox().firth().ties(Ties::Exact), &["exact"]);
    refused(&usual, &cox().ties(Ties::Exact).weights("w"), &["exact"]);
    refused(&usual, &cox().ties(Ties::Exact).variance(CoxVariance::Robust), &["exact"]);
    refused(&usual, &cox().weights("w").variance(CoxVariance::Model), &["CoxVariance::Robust"]);
    refused(&usual, &cox().weights(WeightColumn::Precision("w".to_owned())), &["precision"]);
    refused(&usual, &cox().weights("x"), &["\"x\"", "above zero"]);
    refused(&usual, &cox().adjust_for(["age"]), &["age"]);
    refused(&usual, &cox().adjust_for(["x", "x"]), &["named twice"]);
    refused(&usual, &cox().reference_level("g", "g1"), &["adjust_for(..)"]);
    for level in [0.0, 1.0, f64::NAN] {
        refused(&usual, &cox().level(level), &["level"]);
        refused(&usual, &cox().firth().level(level), &["level"]);
        refused(&usual, &FineGrayRegression::new().level(level), &["level"]);
    }
    let nobody = trial("c,3,0,1,0,a,1\nc,4,0,2,0,a,1\nt,5,0,1,0,b,1\nt,6,0,3,0,b,1\n");
    for estimator in [AnyEstimator::from(cox()), cox().firth().into(), FineGrayRegression::new().into()] {
        refused(&nobody, &estimator, &["nobody had"]);
    }
    let alone = trial("c,3,1,1,0,a,1\nc,4,0,2,0,a,1\nc,6,1,2,0,a,1\nt,5,1,1,0,b,1\n");
    refused(&alone, &cox().variance(CoxVariance::Robust), &["one person"]);
    refused(&alone, &FineGrayRegression::new(), &["one person"]);
    let entering = Measure::time_to_event("t", "e").entered_at("x").named("event");
    let late =
        trial("c,3,1,0,0,a,1\nc,6,1,1,0,a,1\nc,7,0,0,0,a,1\nt,4,1,2,0,b,1\nt,8,1,0,0,b,1\nt,9,0,1,0,b,1\n");
    let comparison = late.on(&entering).unwrap();
    assert!(comparison.estimate(&cox()).is_ok());
    let error = comparison.estimate(&FineGrayRegression::new()).unwrap_err().to_string();
    assert!(error.contains("entry times") && error.contains("Utrecht"), "{error}");
}

#[test]
fn hazards_are_in_plans() {
    let estimators = [
        AnyEstimator::from(CoxRegression::new()),
        CoxRegression::new()
            .stratified()
            .ties(Ties::Breslow)
            .adjust_for(["x"])
            .weights("w")
            .level(0.9)
            .into(),
        CoxRegression::new().firth().into(),
        CoxRegression::new().variance(CoxVariance::ClusteredSmallSample).into(),
        FineGrayRegression::new().adjust_for(["x"]).variance(FineGrayVariance::Model).into(),
        DiscreteTimeHazard::complementary_log_log(AnyScale::RiskDifference, 6.0)
            .adjust_for(["x"])
            .period(3.0)
            .into(),
    ];
    for estimator in estimators {
        let text = serde_json::to_string(&estimator).unwrap();
        assert_eq!(serde_json::from_str::<AnyEstimator>(&text).unwrap(), estimator, "{text}");
        assert!(estimator.fits(TimeToEvent::NAME) && !estimator.fits(Binary::NAME));
    }
    let text = serde_json::to_string(&AnyEstimator::from(CoxRegression::new())).unwrap();
    assert_eq!(text, r#"{"estimator":"cox_regression"}"#);
    for (text, words) in [
        (r#"{"estimator": "cox_regression", "ties": "exakt"}"#, "ties: unknown variant `exakt`"),
        (r#"{"estimator": "cox_regression", "variance": "hc2"}"#, "variance: unknown variant `hc2`"),
        (r#"{"estimator": "cox_regression", "offset": "x"}"#, "unknown field `offset`"),
        (r#"{"estimator": "cox_regression", "stratify": true}"#, "unknown field `stratify`"),
        (r#"{"estimator": "fine_gray_regression", "weights": "w"}"#, "unknown field `weights`"),
    ] {
        let error = serde_json::from_str::<AnyEstimator>(text).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let comparison = trial(&usual()).on(&EVENT).unwrap();
    let model = CoxRegression::new().adjust_for(["x"]);
    let any = comparison.estimate(&AnyEstimator::from(model.clone())).unwrap();
    assert_eq!(any, comparison.estimate(&model).unwrap().to_any());
}

/// Coming under observation late is a row that begins late: splitting a follow-up changes nothing.
#[test]
fn entry_counts() {
    let rows = "c,3,1,0,0,a,1\nc,5,1,0,0,a,1\nc,9,0,0,1,b,1\nc,12,1,0,1,b,1\nt,4,1,0,0,c,1\nt,7,0,0,1,c,1\nt,9,1,0,1,d,1\nt,15,0,0,1,d,1\n";
    let split = rows
        .replace("c,12,1,0,1,b,1\n", "c,6,0,0,1,b,1\nc,12,1,6,1,b,1\n")
        .replace("t,15,0,0,1,d,1\n", "t,8,0,0,1,d,1\nt,15,0,8,1,d,1\n");
    let entering = Measure::time_to_event("t", "e").entered_at("x").named("event");
    let whole = trial(rows).on(&EVENT).unwrap().estimate(&CoxRegression::new()).unwrap();
    let split = trial(&split).on(&entering).unwrap().estimate(&CoxRegression::new()).unwrap();
    let (whole, split) = (whole.treatment("t").unwrap(), split.treatment("t").unwrap());
    assert!((whole.value() - split.value()).abs() < 1e-9 && (whole.se() - split.se()).abs() < 1e-9);
}

/// The six cities, those who left otherwise taken as seen until then.
fn censored_cities() -> Trials {
    let mut csv = String::new();
    for line in include_str!("../../examples/data/participants.csv").lines() {
        let mut cells: Vec<&str> = line.split(',').collect();
        if cells[14] == "other" {
            (cells[13], cells[14], cells[15]) = ("", "none", cells[13]);
        }
        csv += &(cells.join(",") + "\n");
    }
    let builder = Trials::builder(Table::from_csv_str(&csv).unwrap(), "municipality");
    builder.arm_labels("arm").control("control").build().unwrap()
}

const WORK: Measure<TimeToEvent> = Measure::time_to_event("exit_month", "exit_reason")
    .of("work")
    .censored(&["none"])
    .censored_at("censor_month")
    .unit("months")
    .higher_is_better();

#[test]
fn risks_in_discrete_time() {
    let tilburg = censored_cities().trial("Tilburg").unwrap().on(&WORK).unwrap();
    let crude = tilburg.estimate(&RiskAtHorizon::new(RiskDifference, 12.0)).unwrap();
    for model in [
        DiscreteTimeHazard::logit(RiskDifference, 12.0),
        DiscreteTimeHazard::complementary_log_log(RiskDifference, 12.0),
    ] {
        let effects = tilburg.estimate(&model).unwrap();
        assert_eq!(effects.measure().horizon.as_deref(), Some("12 months"));
        for (one, other) in effects.iter().zip(crude.iter()) {
            // The model takes effects as the same in all months, so that both are near but not equal.
            assert!((one.value() - other.value()).abs() < 0.02, "{one:?} {other:?}");
            assert!((one.se() / other.se() - 1.0).abs() < 0.3, "{one:?} {other:?}");
        }
        let adjusted = tilburg.estimate(&model.clone().adjust_for(["age", "education"])).unwrap();
        assert_eq!(adjusted.about.estimand, Estimand::Marginal);
        let means = model.arm_means(&tilburg).unwrap();
        assert_eq!(means.contrast(RiskDifference).unwrap(), effects);
        // It pools with its like at the same horizon.
        let others =
            censored_cities().on(&WORK).unwrap().followed_until(12.0).unwrap().estimate(&model).unwrap();
        assert!(RandomEffects::new().pool(&others.treatment("guidance").unwrap()).is_ok());
    }
    // One period as long as the horizon, nobody censored in it: the proportion.
    let mut all = String::new();
    for i in 0..20 {
        let (arm, early) = (if i % 2 == 0 { "c" } else { "t" }, i % 5 < 2);
        let (time, event) = (if early { 1 } else { 4 }, u8::from(early || i == 9));
        writeln!(all, "{arm},{time},{event},0,0,g,1").unwrap();
    }
    let all = trial(&all).on(&EVENT).unwrap();
    let saturated = all
        .estimate(&DiscreteTimeHazard::logit(RiskDifference, 4.0).period(4.0))
        .unwrap()
        .treatment("t")
        .unwrap();
    let plain = all.estimate(&RiskAtHorizon::new(RiskDifference, 4.0)).unwrap().treatment("t").unwrap();
    assert!((saturated.value() - plain.value()).abs() < 1e-9, "{saturated:?} {plain:?}");
    assert!((saturated.se() - plain.se()).abs() < 1e-9, "{saturated:?} {plain:?}");
}

#[test]
fn risks_in_discrete_time_that_have_no_answer() {
    let usual = trial(&usual());
    let logit = |horizon| DiscreteTimeHazard::logit(RiskDifference, horizon);
    refused(&usual, &logit(0.0), &["horizon"]);
    refused(&usual, &logit(2.5), &["whole number of periods"]);
    refused(&usual, &logit(6.0).period(-1.0), &["length of a period"]);
    let followed =
        trial("c,3,1,0,0,a,1\nc,4,0,1,0,a,1\nc,6,0,1,0,b,1\nt,2,1,0,0,c,1\nt,5,0,1,0,c,1\nt,6,0,1,0,d,1\n");
    refused(&followed, &logit(7.0), &["follow-up", "time 6"]);
    refused(
        &trial("c,1,1,0,0,a,1\nc,2,1,1,0,a,1\nt,1,0,0,0,c,1\nt,2,1,1,0,c,1\n"),
        &logit(2.0),
        &["period[2]", "RiskAtHorizon"],
    );
    refused(&usual, &logit(6.0).level(1.5), &["level"]);
    refused(&usual, &logit(6.0).adjust_for(["nothing"]), &["nothing"]);
    let tilburg = cities().trial("Tilburg").unwrap().on(&EXIT).unwrap();
    let error = tilburg.estimate(&logit(12.0)).unwrap_err().to_string();
    assert!(error.contains("RiskAtHorizon") && error.contains("Tilburg"), "{error}");
    let utrecht = censored_cities().trial("Utrecht").unwrap().on(&WORK).unwrap();
    let error = utrecht.estimate(&logit(24.0)).unwrap_err().to_string();
    assert!(error.contains("month 16") && error.contains("followed_until"), "{error}");
    let rows = "c,3,1,1,0,a,1\nc,5,1,2,0,a,1\nc,6,0,3,1,b,1\nt,4,0,1,0,c,1\nt,7,0,2,1,c,1\nt,9,0,3,1,d,1\n";
    refused(&trial(rows), &logit(5.0), &["separation", "arm[t]", "RiskAtHorizon"]);
}

#[test]
fn one_stage_for_six_cities() {
    let reference: Value = serde_json::from_str(include_str!("../reference/time_to_exit.json")).unwrap();
    let case = reference["cases"]
        .as_array()
        .unwrap()
        .iter()
        .find(|case| case["name"] == "cox_one_stage_any_arm")
        .unwrap();
    let expected = |key: &str| case["expected"][key][0].as_f64().unwrap();
    // Every active arm is one.
    let csv = include_str!("../../examples/data/participants.csv");
    let mut any = String::new();
    for line in csv.lines() {
        let mut cells: Vec<&str> = line.split(',').collect();
        if cells[2] != "arm" && cells[2] != "control" {
            cells[2] = "any";
        }
        any += &(cells.join(",") + "\n");
    }
    let table = Table::from_csv_str(&any).unwrap();
    let builder = Trials::builder(table, "municipality").arm_labels("arm").control("control");
    let exits = builder.strata(["stratum"]).build().unwrap().on(&EXIT).unwrap();
    let pooled = OneStageCox::new().stratified().pool(&exits).unwrap();
    let any = pooled.treatment("any").unwrap();
    assert!((any.value() - expected("estimate")).abs() < 1e-8, "{any:?}");
    assert!((any.se() - expected("se")).abs() < 1e-8, "{any:?}");
    assert_eq!(pooled.about.estimand, Estimand::Conditional);
    let interaction = pooled.interaction().unwrap();
    assert_eq!(interaction.df, 5.0);
    assert!(pooled.to_string().contains("within strata and trials"), "{pooled}");

    // All arms in one model; the same model by trial in the typed estimator of one trial.
    let exits = cities().on(&EXIT).unwrap();
    let all = OneStageCox::new().ties(Ties::Breslow).pool(&exits).unwrap();
    assert!(all.coefficients().len() > 5 && all.interaction().unwrap().df >= 4.0);
    let back: OneStagePooled<LogHazardRatio> =
        serde_json::from_str(&serde_json::to_string(&all).unwrap()).unwrap();
    assert_eq!(back, all);
    let one = Comparisons::new([exits.iter().next().unwrap().clone()]).unwrap();
    let alone = OneStageCox::new().pool(&one).unwrap();
    let estimates = one.iter().next().unwrap().estimate(&CoxRegression::new()).unwrap();
    assert!(alone.interaction().is_none());
    for estimate in estimates.iter() {
        let same = alone.treatment(estimate.treatment()).unwrap();
        assert!((same.value() - estimate.value()).abs() < 1e-9 && (same.se() - estimate.se()).abs() < 1e-9);
    }
}

#[test]
fn one_stage_says_what_it_lacks() {
    let city = |name: &str, rows: &str| {
        let table = Table::from_csv_str(&format!("arm,t,e\n{rows}")).unwrap();
        let trial = Trial::builder(name, table).arm_labels("arm").control("c").build().unwrap();
        trial.on(&EVENT).unwrap()
    };
    let usual = "c,1,1\nc,4,1\nc,6,0\nt,2,1\nt,3,1\nt,7,0\n";
    let silent = "c,1,0\nc,4,0\nt,2,0\nt,9,0\n";
    // Nobody of the treated has the event here, and nobody of the controls there.
    let (none, only) = ("c,1,1\nc,4,1\nc,6,0\nt,2,0\nt,3,0\nt,7,0\n", "c,1,0\nc,4,0\nt,2,1\nt,1,1\nt,7,0\n");
    let cities =
        |list: &[(&str, &str)]| Comparisons::new(list.iter().map(|(name, rows)| city(name, rows))).unwrap();
    let pooled =
        OneStageCox::new().pool(&cities(&[("A", usual), ("B", none), ("C", only), ("D", silent)])).unwrap();
    let told = |notice: &Notice| pooled.notices().contains(notice);
    assert!(told(&Notice::UninformativeTrials { trials: vec![Label::new("D")] }), "{:?}", pooled.notices());
    // The score test needs no ratio of B or C.
    assert_eq!(pooled.interaction().unwrap().df, 2.0);
    assert!(pooled.interaction().unwrap().p_value < 0.5);
    let error = OneStageCox::new().pool(&cities(&[("A", none), ("B", none)])).unwrap_err().to_string();
    assert!(error.contains("separation") && error.contains("arm[t]") && error.contains("event"), "{error}");
    let error = OneStageCox::new().pool(&cities(&[("A", silent), ("B", silent)])).unwrap_err().to_string();
    assert!(error.contains("nobody had the event"), "{error}");
    let error = OneStageCox::new().treatment("x").pool(&cities(&[("A", usual)])).unwrap_err().to_string();
    assert!(error.contains("\"x\""), "{error}");
    let error = OneStageCox::new().level(1.0).pool(&cities(&[("A", usual)])).unwrap_err().to_string();
    assert!(error.contains("level"), "{error}");
}

/// Without covariates the risk by Cox regression is a curve of each arm that the model takes as proportional.
#[test]
fn risks_by_cox_regression() {
    let tilburg = censored_cities().trial("Tilburg").unwrap().on(&WORK).unwrap();
    let model = CoxRiskAtHorizon::new(RiskDifference, 12.0);
    let effects = tilburg.estimate(&model).unwrap();
    assert_eq!(effects.measure().horizon.as_deref(), Some("12 months"));
    // Without covariates the hazard ratio is that of the logarithms of the probabilities to stay.
    let ratios = tilburg.estimate(&CoxRegression::new()).unwrap();
    let means = model.arm_means(&tilburg).unwrap();
    let hazard = |arm: usize| (-(-means.values()[arm]).ln_1p()).ln();
    for (i, ratio) in ratios.iter().enumerate() {
        assert!((hazard(i + 1) - hazard(0) - ratio.value()).abs() < 1e-9, "{ratio:?}");
    }
    let adjusted = tilburg.estimate(&model.clone().adjust_for(["age", "education"])).unwrap();
    assert_eq!(adjusted.about.estimand, Estimand::Marginal);
    let guidance = |effects: &Estimates<RiskDifference>| effects.treatment("guidance").unwrap().value();
    assert!((guidance(&adjusted) - guidance(&effects)).abs() < 0.02);
    let cities = censored_cities().on(&WORK).unwrap().followed_until(12.0).unwrap().estimate(&model).unwrap();
    assert!(RandomEffects::new().pool(&cities.treatment("guidance").unwrap()).is_ok());

    let usual = trial(&usual());
    let cox = |horizon| CoxRiskAtHorizon::new(RiskDifference, horizon);
    refused(&usual, &cox(-1.0), &["horizon"]);
    refused(&usual, &cox(6.0).ties(Ties::Exact), &["exact"]);
    refused(&usual, &cox(6.0).stratified(), &["strata(..)"]);
    refused(&usual, &cox(6.0).level(0.0), &["level"]);
    let followed =
        trial("c,3,1,0,0,a,1\nc,4,0,1,0,a,1\nc,6,0,1,0,b,1\nt,2,1,0,0,c,1\nt,5,0,1,0,c,1\nt,6,0,1,0,d,1\n");
    refused(&followed, &cox(7.0), &["follow-up", "time 6"]);
    let two_causes = crate::hazards::cities().trial("Tilburg").unwrap().on(&EXIT).unwrap();
    let error = two_causes.estimate(&cox(12.0)).unwrap_err().to_string();
    assert!(error.contains("RiskAtHorizon") && error.contains("Tilburg"), "{error}");
    let any = CoxRiskAtHorizon::new(AnyScale::RiskDifference, 6.0).adjust_for(["x"]).ties(Ties::Breslow);
    let any = AnyEstimator::from(any);
    let text = serde_json::to_string(&any).unwrap();
    assert_eq!(serde_json::from_str::<AnyEstimator>(&text).unwrap(), any, "{text}");
}
