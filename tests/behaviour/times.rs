//! Measures of times, and the estimators on them: what a row may hold, what is said, what pools.

use crate::support::{assert_near, labelled, survives};
use armwise::design::AnyMeasure;
use armwise::effect::LogRatioOfMeans;
use armwise::estimator::{AnyEstimator, DiscreteTimeHazard, LogRankTest, WeightColumn};
use armwise::prelude::*;
use armwise::protocol::{AnalysisPlan, PlannedOutcome};
use armwise::survival::LogRankWeight;

const EXIT: Measure<TimeToEvent> = Measure::time_to_event("exit_month", "exit_reason")
    .of("work")
    .competing(&["other"])
    .censored(&["none"])
    .censored_at("censor_month")
    .unit("months")
    .named("exit to work")
    .higher_is_better();

fn cities() -> Trials {
    let table = Table::from_csv_path("examples/data/participants.csv").unwrap();
    Trials::builder(table, "municipality")
        .arm_labels("arm")
        .control("control")
        .strata(["stratum"])
        .components("exemption_earnings", ["exemption", "earnings"])
        .components("guidance_earnings", ["guidance", "earnings"])
        .components("earnings_guidance", ["guidance", "earnings"])
        .components("earnings_free_choice", ["earnings", "free_choice"])
        .components("exemption_remote", ["exemption", "remote"])
        .components("exemption_on_demand", ["exemption", "free_choice"])
        .build()
        .unwrap()
}

fn trial(csv: &str) -> Trial {
    labelled(Table::from_csv_str(csv).unwrap(), "c").build().unwrap()
}

/// The sentence of an error about these rows.
fn refused(csv: &str, measure: &Measure<TimeToEvent>, words: &[&str]) {
    let error = trial(csv).on(measure).unwrap_err();
    let text = error.to_string();
    println!("{text}");
    assert_eq!(error.kind().name(), "bad_times", "{text}");
    for words in words {
        assert!(text.contains(words), "without \"{words}\": {text}");
    }
}

#[test]
fn a_row_says_when_and_why() {
    let csv = "arm,exit_month,exit_reason,censor_month\nc,3,work,16\nc,,none,16\nc,,,7\nc,,,\nt,5,other,16\nt,16,work,16\n\
               t,2,work,\nt,,none,12\n";
    let comparison = trial(csv).on(&EXIT).unwrap();
    let times = comparison.times().unwrap();
    // The fourth has no time at all: an outcome that is missing. The third withdrew, and was there until then.
    assert_eq!(times.time, [3.0, 16.0, 7.0, 5.0, 16.0, 2.0, 12.0]);
    assert_eq!(times.cause, [1, 0, 0, 2, 1, 1, 0]);
    assert_eq!(times.causes, ["work", "other"]);
    assert_eq!(times.entry, None);
    assert_eq!(comparison.arms()[0].counts.randomised, 4);
    assert_eq!(comparison.arms()[0].counts.analysed, 3);
    assert_eq!(comparison.follow_up().unwrap(), [Some(16.0), None]);
    // Without an end of follow-up the column of times has both.
    let both = Measure::time_to_event("month", "reason").of("work").censored(&["none"]).entered_at("entry");
    let comparison =
        trial("arm,month,reason,entry\nc,3,work,0\nc,9,none,2.5\nt,4,work,1\n").on(&both).unwrap();
    let times = comparison.times().unwrap();
    assert_eq!((times.time, times.entry), (&[3.0, 9.0, 4.0][..], Some(&[0.0, 2.5, 1.0][..])));
    assert_eq!(comparison.follow_up().unwrap(), [Some(9.0), None]);
    let unknown = both.missing(&["unknown"]).not_applicable(&["n.a."]);
    let csv = "arm,month,reason,entry\nc,3,work,0\nc,9,unknown,2.5\nt,4,work,1\nt,5,n.a.,0\n";
    let comparison = trial(csv).on(&unknown).unwrap();
    assert_eq!(comparison.outcomes(), [3.0, 4.0]);
    assert_eq!(comparison.notices().len(), 2);
}

#[test]
fn all_bad_rows_are_one_error() {
    let head = "arm,exit_month,exit_reason,censor_month\n";
    let csv = format!(
        "{head}c,3,work,16\nc,-1,work,16\nc,,work,16\nt,4,none,16\nt,17,other,16\nt,,none,\nt,,moved,16\nt,,moved,16\nt,,wrok,16\n"
    );
    refused(
        &csv,
        &EXIT,
        &[
            "Utrecht, exit to work: 8 times are impossible:",
            "row 2 (line 3): -1: column \"exit_month\" holds a time below 0",
            "row 3 (line 4): there was an event, but \"exit_month\" is empty",
            "row 4 (line 5): 4: there is a time of an event, but \"exit_reason\" says of none",
            "row 5 (line 6): 17 after 16: the event comes after the end of follow-up in \"censor_month\"",
            "row 6 (line 7): no event was seen, but \"censor_month\" does not say until when",
            "2 rows 7, 8 (lines 8, 9): the cause \"moved\" is not declared",
            "a withdrawal from the study is no exit",
            "the cause \"wrok\" is not declared (did you mean \"work\"?)",
        ],
    );
    let entered = EXIT.entered_at("entry");
    let head = "arm,exit_month,exit_reason,censor_month,entry\n";
    refused(
        &format!("{head}c,3,work,16,3\nc,,none,16,\nt,4,work,16,-2\nt,5,work,16,0\n"),
        &entered,
        &[
            "3 times are impossible",
            "row 1 (line 2): 3 after 3: the entry in \"entry\" is not before the exit",
            "row 2 (line 3): the entry in \"entry\" is empty; give 0",
            "row 3 (line 4): -2: column \"entry\" holds a time below 0",
        ],
    );
    // Yes and no.
    let left = Measure::time_to_event("month", "left");
    refused(
        "arm,month,left\nc,3,1\nc,,1\nt,4,\nt,,\n",
        &left,
        &["2 times", "row 2 (line 3)", "row 3 (line 4)"],
    );
    // The list of rows has an end.
    let many = (0..40).map(|i| format!("c,-{i}.5,work,16\n")).collect::<Vec<_>>().concat();
    refused(
        &format!("arm,exit_month,exit_reason,censor_month\n{many}t,1,work,16\n"),
        &EXIT,
        &["40 rows 1, 2, 3, 4, 5, ... (lines 2, 3, 4, 5, 6, ...): -0.5, -1.5, -2.5, -3.5, -4.5"],
    );
}

#[test]
fn declarations_that_cannot_be_are_refused() {
    let csv = "arm,month,reason\nc,3,work\nt,4,none\n";
    let says = |measure: &Measure<TimeToEvent>, words: &str| {
        let text = trial(csv).on(measure).unwrap_err().to_string();
        assert!(text.contains(words), "{text}");
    };
    let month = Measure::time_to_event("month", "reason");
    says(&month.clone().competing(&["none"]), "no cause of interest is named; add of(..)");
    says(&month.clone().of("work").censored(&["none", "work"]), "\"work\" is declared twice");
    says(&month.clone().of("work").censored(&["none", " "]), "an empty label is declared");
    says(&month.clone().of("work").censored(&["None"]), "\"None\" and \"none\" differ only by");
    says(&month.clone().of("job").competing(&["work"]).censored(&["none"]), "no row has the level \"job\"");
    let absent = month.clone().of("job").competing(&["work"]).censored(&["none"]).may_be_absent();
    assert_eq!(trial(csv).on(&absent).unwrap().times().unwrap().cause, [2, 0]);
    let entered = month.of("work").censored(&["none"]).entered_at("enter");
    says(&entered, "no column \"enter\"");
}

#[test]
fn measures_of_times_survive_json() {
    for measure in [
        EXIT,
        EXIT.entered_at("entry").may_be_absent().missing(&["unknown"]).not_applicable(&["n.a."]),
        Measure::time_to_event("month", "left"),
    ] {
        survives(&AnyMeasure::from(measure));
    }
    let text = r#"{"kind": "time_to_event", "time": "exit_month", "event": "exit_reason", "of": "work", "competing": ["other"],
        "censored": ["none"], "censored_at": "censor_month", "unit": "months", "name": "exit to work", "direction": "higher_is_better"}"#;
    assert_eq!(serde_json::from_str::<AnyMeasure>(text).unwrap(), AnyMeasure::from(EXIT));
    assert_eq!(
        AnyMeasure::from(EXIT.entered_at("entry")).columns(),
        ["exit_month", "exit_reason", "censor_month", "entry"]
    );
}

#[test]
fn a_horizon_is_part_of_the_measure() {
    let exits = cities().trial("Tilburg").unwrap().on(&EXIT).unwrap();
    let at = |horizon| exits.estimate(&RiskAtHorizon::new(RiskDifference, horizon)).unwrap();
    let (twelve, twenty_four) = (at(12.0), at(24.0));
    assert_eq!(twelve.measure().horizon.as_deref(), Some("12 months"));
    let one = RiskAtHorizon::new(RiskDifference, 1.0).arm_means(&exits).unwrap();
    assert_eq!(one.measure().horizon.as_deref(), Some("1 month"));
    assert_eq!(
        (twelve.measure().unit.as_deref(), twelve.measure().direction),
        (None, Direction::HigherIsBetter)
    );
    let two = |other: &Estimates<RiskDifference>| {
        let json = serde_json::to_string(other).unwrap().replace("Tilburg", "Elsewhere");
        Effects::new([twelve.clone(), serde_json::from_str(&json).unwrap()])
    };
    assert!(two(&twelve).is_ok());
    let error = two(&twenty_four).unwrap_err().to_string();
    assert!(
        error.contains("the horizon of those before is \"12 months\", here it is \"24 months\""),
        "{error}"
    );
    for (horizon, words) in [
        (24.5, "the horizon, 24.5 months, lies beyond the follow-up of this arm, which ends at month 24"),
        (0.0, "the horizon is 0; give a finite time above 0"),
        (f64::INFINITY, "give a finite time above 0"),
    ] {
        let error = exits.estimate(&RiskAtHorizon::new(RiskDifference, horizon)).unwrap_err().to_string();
        assert!(error.contains(words) && error.starts_with("Tilburg, exit to work"), "{error}");
        let error =
            exits.estimate(&RestrictedMeanTime::new(MeanDifference, horizon)).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let own = cities().trial("Tilburg").unwrap().on(&EXIT.horizon("two years")).unwrap();
    let error = own.estimate(&RiskAtHorizon::new(RiskDifference, 12.0)).unwrap_err().to_string();
    assert!(error.contains("the measure has the horizon \"two years\""), "{error}");
}

#[test]
fn a_mean_time_has_units_and_a_direction() {
    let trials = cities();
    let exits = trials.trial("Tilburg").unwrap().on(&EXIT).unwrap();
    let mean = RestrictedMeanTime::new(MeanDifference, 24.0);
    let of =
        |estimator: RestrictedMeanTime<MeanDifference>| exits.estimate(&estimator).unwrap().measure().clone();
    let on = of(mean.clone());
    assert_eq!(on.name, "exit to work, time without an event");
    assert_eq!((on.unit.as_deref(), on.horizon.as_deref()), (Some("months"), Some("until 24 months")));
    // Others may leave for reasons that are no better.
    assert_eq!(on.direction, Direction::Undeclared);
    let work = of(mean.clone().lost_to("work"));
    assert_eq!(
        (work.name.as_str(), work.direction),
        ("exit to work, time lost to work", Direction::HigherIsBetter)
    );
    assert_eq!(of(mean.clone().lost_to("other")).direction, Direction::Undeclared);
    let alone = Measure::time_to_event("month", "left").higher_is_better();
    let alone = trial("arm,month,left\nc,3,1\nc,9,0\nt,4,1\nt,9,0\n").on(&alone).unwrap();
    let alone = alone.estimate(&RestrictedMeanTime::new(LogRatioOfMeans, 9.0)).unwrap();
    assert_eq!(alone.measure().direction, Direction::LowerIsBetter);
    let error = exits.estimate(&mean.lost_to("wrok")).unwrap_err();
    assert_eq!(error.kind().name(), "unknown_category");
    assert!(error.to_string().contains("did you mean \"work\""), "{error}");
}

/// By hand: risks 1/4 + 3/4 * 1/2 for four people, one lost at month 2.
#[test]
fn a_small_trial_by_hand() {
    let left = Measure::time_to_event("month", "left");
    let csv = "arm,month,left\nc,1,1\nc,2,0\nc,3,1\nc,5,0\nt,4,1\nt,5,0\n";
    let comparison = trial(csv).on(&left).unwrap();
    let means = RiskAtHorizon::new(RiskDifference, 5.0).arm_means(&comparison).unwrap();
    assert_near(means.values()[0], 0.25 + 0.75 * 0.5, 1e-12);
    assert_near(means.values()[1], 0.5, 1e-12);
    // Greenwood: S^2 (1/(4 3) + 1/(2 1)) with S = 3/8; 1/4 / 2 for the treatment.
    assert_near(means.covariance()[[0, 0]], 0.375_f64.powi(2) * (1.0 / 12.0 + 0.5), 1e-12);
    assert_near(means.covariance()[[1, 1]], 0.125, 1e-12);
    assert_eq!(means.covariance()[[0, 1]], 0.0);
    let on = RestrictedMeanTime::new(MeanDifference, 5.0).arm_means(&comparison).unwrap();
    assert_near(on.values()[0], 1.0 + 0.75 * 2.0 + 0.375 * 2.0, 1e-12);
    assert_near(on.values()[1], 4.5, 1e-12);
}

#[test]
fn designs_count_or_a_notice_says_why_not() {
    let trials = cities();
    let exits = trials.trial("Groningen").unwrap().on(&EXIT).unwrap();
    let risk = RiskAtHorizon::new(RiskDifference, 12.0);
    let crude = exits.estimate(&risk).unwrap();
    assert!(crude.notices().iter().any(|notice| matches!(notice, Notice::StrataIgnored { .. })));
    assert_eq!(crude.method().variance.to_string(), "infinitesimal jackknife");
    assert_eq!(crude.method().estimator, "cumulative incidence (Aalen-Johansen)");
    // With covariates the default counts the stratified randomisation.
    let adjusted = exits.estimate(&risk.clone().adjust_for(["age", "education"])).unwrap();
    assert_eq!(adjusted.method().variance.to_string(), "Ye 2023, stratified");
    assert_eq!(adjusted.method().estimator, "cumulative incidence by pseudo-values");
    assert_eq!(adjusted.method().adjusted_for, ["age", "education"]);
    assert!(!adjusted.notices().iter().any(|notice| matches!(notice, Notice::StrataIgnored { .. })));
    for (crude, adjusted) in crude.iter().zip(adjusted.iter()) {
        assert!((crude.value() - adjusted.value()).abs() < crude.se(), "{crude} {adjusted}");
        assert!(adjusted.se() < 1.1 * crude.se());
    }
    let interacted = exits.estimate(&risk.clone().adjust_for(["age"]).interacted()).unwrap();
    assert!((interacted.treatment("guidance").unwrap().value() - 0.0134).abs() < 0.02);
    let weighted = exits.estimate(&risk.clone().weights("age")).unwrap();
    assert_ne!(weighted.treatment("guidance").unwrap().value(), crude.treatment("guidance").unwrap().value());
    let precision = WeightColumn::Precision("age".to_owned());
    let error = exits.estimate(&risk.clone().weights(precision)).unwrap_err().to_string();
    assert!(error.contains("a time to an event has none"), "{error}");
    let error = exits.estimate(&risk.clone().adjust_for(["aeg"])).unwrap_err();
    assert_eq!(error.kind().name(), "unknown_column");
    // Clusters of age, for want of others.
    let table = trials.trial("Groningen").unwrap().table().clone();
    let clustered = labelled(table, "control").clusters("age").build().unwrap().on(&EXIT).unwrap();
    let of_clusters = clustered.estimate(&risk).unwrap();
    assert_eq!(of_clusters.method().variance.to_string(), "CR2");
    assert!(of_clusters.treatment("guidance").unwrap().df().unwrap() > 10.0);
    let of_clusters = clustered.estimate(&risk.adjust_for(["education"])).unwrap();
    assert_eq!(of_clusters.method().variance.to_string(), "superpopulation, clustered");
    let test = clustered.test_times(&LogRankTest::new()).unwrap();
    assert!(test.notices.iter().any(|notice| matches!(notice, Notice::ClustersIgnored { .. })));
}

#[test]
fn margins_numbers_needed_and_subgroups_are_those_of_proportions() {
    let exits = cities().trial("Tilburg").unwrap().on(&EXIT).unwrap();
    let risk = RiskAtHorizon::new(RiskDifference, 12.0);
    let effects = exits.estimate(&risk).unwrap();
    let guidance = effects.treatment("guidance").unwrap();
    let needed = guidance.number_needed_to_treat().unwrap();
    assert_near(needed.estimate, 1.0 / guidance.value(), 1e-12);
    assert!(guidance.non_inferiority(0.05).is_ok() && guidance.equivalence(0.1).is_ok());
    let between = effects.between("guidance", "guidance_earnings").unwrap();
    let narrow = cities();
    let narrow = narrow.trial("Tilburg").unwrap().compare("guidance").versus("guidance_earnings");
    let narrow = narrow.on(&EXIT).unwrap().estimate(&risk).unwrap().treatment("guidance").unwrap();
    assert_near(between.value(), narrow.value(), 1e-12);
    assert_near(between.se(), narrow.se(), 1e-12);
    let by_sex = exits.by_subgroup("female").unwrap().estimate(&risk).unwrap();
    assert!(by_sex.interaction().unwrap().p_value > 0.001);
    let adjusted = risk.adjust_for(["age", "female"]);
    let by_sex = exits.by_subgroup("female").unwrap().estimate(&adjusted).unwrap();
    let within = by_sex.within("yes").unwrap();
    let constant = |notice: &&Notice| matches!(notice, Notice::ConstantCovariate { .. });
    assert_eq!(within.notices().iter().filter(constant).count(), 1);
}

#[test]
fn shorter_follow_up_is_named_and_never_silent() {
    let trials = cities();
    let exits = trials.on(&EXIT).unwrap();
    let two_years = RiskAtHorizon::new(RiskDifference, 24.0);
    let error = exits.estimate(&two_years).unwrap_err();
    assert_eq!(error.kind().name(), "beyond_follow_up");
    assert!(!error.kind().depends_on_outcome());
    assert!(
        error.to_string().starts_with("Utrecht, exit to work, arm \"control\": the horizon, 24 months, lies"),
        "{error}"
    );
    let followed = exits.followed_until(24.0).unwrap();
    let effects = followed.estimate(&two_years).unwrap();
    let words = "left out because follow-up ends before 24 months: Utrecht (month 16)";
    let said = |text: &str| assert_eq!(text.matches(words).count(), 1, "{text}");
    said(&RandomEffects::new().pool(&effects.treatment("guidance").unwrap()).unwrap().to_string());
    said(&ComponentModel::random().pool(&effects).unwrap().to_string());
    said(&JointModel::random().pool(&effects).unwrap().to_string());
    // Nobody is left out at 12 months.
    assert!(
        !exits
            .followed_until(12.0)
            .unwrap()
            .estimate(&RiskAtHorizon::new(RiskDifference, 12.0))
            .unwrap()
            .iter()
            .any(|estimates| estimates
                .notices()
                .iter()
                .any(|notice| matches!(notice, Notice::ShorterFollowUp { .. })))
    );
    let error = exits.followed_until(60.0).unwrap_err().to_string();
    assert!(error.contains("Utrecht (month 16)") && error.contains("Nijmegen (month 25)"), "{error}");
    // A plan runs the others, and names the city.
    let plan = AnalysisPlan::new("Exits")
        .outcome(PlannedOutcome::new(&EXIT).analysis(two_years))
        .pool(RandomEffects::new());
    let results = plan.run_all(&trials).unwrap();
    let pool = results
        .pools()
        .iter()
        .find(|pool| pool.treatment.as_ref().is_some_and(|arm| *arm == "guidance"))
        .unwrap();
    assert_eq!(pool.failed, ["Utrecht"]);
    assert!(pool.result.is_ok());
    assert!(results.to_string().contains("ends at month 16"), "{results}");
}

#[test]
fn plans_and_json_hold_estimators_of_times() {
    let exits = cities().trial("Tilburg").unwrap().on(&EXIT).unwrap();
    let risk = RiskAtHorizon::new(LogRiskRatio, 12.0).adjust_for(["age"]).weights("age").interacted();
    let mean = RestrictedMeanTime::new(MeanDifference, 18.0).lost_to("work").adjust_for(["age"]);
    survives(&risk);
    survives(&mean);
    for (any, typed) in [
        (AnyEstimator::from(risk.clone()), exits.estimate(&risk).unwrap().to_any()),
        (AnyEstimator::from(mean.clone()), exits.estimate(&mean).unwrap().to_any()),
    ] {
        survives(&any);
        assert_eq!(exits.estimate(&any).unwrap(), typed);
        assert!(any.fits("time to event") && !any.fits("binary"));
    }
    assert_eq!(
        AnyEstimator::from(risk).to_string(),
        "risk ratio at the horizon 12, adjusted for age, weighted by age"
    );
    assert_eq!(
        AnyEstimator::from(mean).to_string(),
        "difference in means of time lost to work until the horizon 18, adjusted for age"
    );
    let text = r#"{"estimator": "risk_at_horizon", "scale": "risk_difference", "horizon": 12, "adjust_for": ["age"]}"#;
    let any: AnyEstimator = serde_json::from_str(text).unwrap();
    assert_eq!(any, AnyEstimator::from(RiskAtHorizon::new(RiskDifference, 12.0).adjust_for(["age"])));
    for (text, words) in [
        (r#"{"estimator": "risk_at_horizon", "scale": "risk_difference"}"#, "missing field `horizon`"),
        (
            r#"{"estimator": "risk_at_horizon", "scale": "risk_difference", "horizon": 12, "offset": "x"}"#,
            "offset",
        ),
        (
            r#"{"estimator": "restricted_mean_time", "scale": "mean_difference", "horizon": 12, "lost": "x"}"#,
            "lost",
        ),
    ] {
        let error = serde_json::from_str::<AnyEstimator>(text).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let any: AnyEstimator = serde_json::from_str(
        r#"{"estimator": "risk_at_horizon", "scale": "log_hazard_ratio", "horizon": 12}"#,
    )
    .unwrap();
    assert!(exits.estimate(&any).is_err());
}

#[test]
fn tests_of_times_say_what_they_are() {
    let trials = cities();
    let exits = trials.trial("Tilburg").unwrap().on(&EXIT).unwrap();
    let test = exits.test_times(&LogRankTest::new()).unwrap();
    assert_eq!((test.name.as_str(), test.strata, test.df), ("log-rank", 1, 3.0));
    assert!(test.notices.iter().any(|notice| matches!(notice, Notice::StrataIgnored { .. })));
    let within = exits.test_times(&LogRankTest::new().stratified()).unwrap();
    assert!(within.strata > 1 && within.name == "log-rank, within strata");
    assert!(!within.notices.iter().any(|notice| matches!(notice, Notice::StrataIgnored { .. })));
    survives(&within);
    let text = within.to_string();
    assert!(text.starts_with("Tilburg, exit to work, whether arms differ: log-rank, within strata 0.78 (df 3), p = 0.85, n 780 in 2 strata"), "{text}");
    let any = exits.test_times(&LogRankTest::new().of_any_cause().weight(LogRankWeight::PetoPeto)).unwrap();
    assert_eq!(any.name, "Peto-Peto of any cause");
    let error = exits.test_times(&LogRankTest::new().of_incidence().weight(LogRankWeight::GehanBreslow));
    assert!(error.unwrap_err().to_string().contains("Gray's test has no weights"));
    let table = trials.trial("Tilburg").unwrap().table().clone();
    let bare = labelled(table, "control").build().unwrap().on(&EXIT).unwrap();
    let error = bare.test_times(&LogRankTest::new().stratified()).unwrap_err().to_string();
    assert!(error.contains("no strata were declared"), "{error}");
    let nobody =
        trial("arm,month,left\nc,3,0\nt,4,0\n").on(&Measure::time_to_event("month", "left")).unwrap();
    assert_eq!(nobody.test_times(&LogRankTest::new()).unwrap_err().kind().name(), "no_events");
}

#[test]
fn arms_without_events_and_arms_of_one_have_a_sentence() {
    let left = Measure::time_to_event("month", "left");
    let risk = RiskAtHorizon::new(RiskDifference, 5.0);
    let csv = "arm,month,left\nc,1,1\nc,2,1\nc,6,0\nt,6,0\nt,7,0\n";
    let effects = trial(csv).on(&left).unwrap().estimate(&risk).unwrap();
    assert!(
        effects.notices().iter().any(|notice| matches!(notice, Notice::CertainArm { everybody: false, .. }))
    );
    let ratio = trial(csv).on(&left).unwrap().estimate(&RiskAtHorizon::new(LogRiskRatio, 5.0)).unwrap_err();
    assert_eq!(ratio.kind().name(), "not_estimable", "{ratio}");
    let none = "arm,month,left\nc,6,0\nc,6,0\nt,6,0\nt,7,0\n";
    let error = trial(none).on(&left).unwrap().estimate(&risk).unwrap_err();
    assert_eq!(error.kind().name(), "zero_variance", "{error}");
    let one = "arm,month,left\nc,1,1\nc,6,0\nt,6,0\n";
    let error = trial(one).on(&left).unwrap().estimate(&risk).unwrap_err();
    assert_eq!(error.kind().name(), "insufficient_observations", "{error}");
    let missing = "arm,month,left,age\nc,1,1,30\nc,6,0,40\nc,7,1,\nt,6,0,31\nt,3,1,43\nt,6,0,33\n";
    let effects = trial(missing).on(&left).unwrap().estimate(&risk.adjust_for(["age"])).unwrap();
    let left_out = |notice: &Notice| matches!(notice, Notice::MissingCovariate { participants: 1, .. });
    assert!(effects.notices().iter().any(left_out));
}

#[test]
fn what_an_arm_cannot_say_of_itself_is_told() {
    let left = Measure::time_to_event("month", "left");
    let notes = |effects: &[Notice]| effects.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    // Nobody of the reference has the event: its mean is taken as certain.
    let csv = "arm,month,left\nc,5,0\nc,5,0\nc,5,0\nt,1,1\nt,2,1\nt,5,0\n";
    let exits = trial(csv).on(&left).unwrap();
    let mean = exits.estimate(&RestrictedMeanTime::new(MeanDifference, 5.0)).unwrap();
    let note = notes(mean.notices());
    assert!(
        note.contains("nobody in arm \"c\" had the event, so that the interval takes this arm as certain"),
        "{note}"
    );
    let discrete = DiscreteTimeHazard::logit(RiskDifference, 5.0);
    let error = exits.estimate(&discrete).unwrap_err();
    assert_eq!(error.kind().name(), "separation", "{error}");
    assert!(error.to_string().contains("arm[t]") && !error.to_string().contains("period"), "{error}");
    // Late entry leaves nobody at risk before the others come.
    let csv = "arm,month,left,from\nc,1,1,0\nc,5,1,2\nc,9,0,2\nt,3,1,0\nt,6,0,0\nt,9,0,0\n";
    let late = trial(csv).on(&left.clone().entered_at("from")).unwrap();
    let error = late.estimate(&RiskAtHorizon::new(RiskDifference, 6.0)).unwrap_err();
    assert!(error.to_string().contains("under observation at time 1"), "{error}");
    assert_eq!(late.follow_up().unwrap(), [Some(0.0), Some(9.0)]);
    // Rounding of weights leaves nobody behind.
    let csv =
        "arm,month,left,w\nc,1,1,0.1\nc,2,1,0.2\nc,3,1,0.3\nc,3,1,0.1\nt,1,1,0.7\nt,2,1,0.3\nt,3,1,100\n";
    let weighted = trial(csv).on(&left).unwrap();
    let mean = RestrictedMeanTime::new(MeanDifference, 5.0).weights("w");
    let effects = weighted.estimate(&mean).unwrap();
    assert!(notes(effects.notices()).contains("the weights of \"t\""), "{}", notes(effects.notices()));
    let ratio = weighted.estimate(&CoxRegression::new().weights("w")).unwrap();
    assert!(notes(ratio.notices()).contains("the weights of \"t\""), "{}", notes(ratio.notices()));
}

#[test]
fn one_stage_of_times_tells_that_it_ignores_strata() {
    let exits = cities().on(&EXIT).unwrap();
    let told = |pool: OneStageCox| pool.treatment("guidance").pool(&exits).unwrap().to_string();
    assert!(told(OneStageCox::new()).contains("strata were declared"));
    assert!(!told(OneStageCox::new().stratified()).contains("strata were declared"));
}

#[test]
fn any_cause_is_one_event() {
    let any = EXIT.any_cause().named("exit");
    let tilburg = cities();
    let tilburg = tilburg.trial("Tilburg").unwrap();
    let (one, both) = (tilburg.on(&EXIT).unwrap(), tilburg.on(&any).unwrap());
    assert_eq!(both.measure().direction, Direction::Undeclared);
    let events =
        |exits: &Comparison<TimeToEvent>| exits.times().unwrap().cause.iter().filter(|c| **c > 0).count();
    assert_eq!(events(&one), events(&both));
    assert_eq!(both.times().unwrap().causes, ["work or other"]);
    // The time without an event is the same, and the risk is the sum of both.
    let mean = RestrictedMeanTime::new(MeanDifference, 12.0);
    let (a, b) = (mean.arm_means(&one).unwrap(), mean.arm_means(&both).unwrap());
    a.values().iter().zip(b.values()).for_each(|(a, b)| assert!((a - b).abs() < 1e-12));
    // As data.
    let measure = AnyMeasure::from(any);
    let text = serde_json::to_string(&measure).unwrap();
    assert!(text.contains("\"causes\":\"together\""), "{text}");
    let read: AnyMeasure = serde_json::from_str(&text).unwrap();
    assert_eq!(read, measure);
}

#[test]
fn an_interval_of_mean_times_beyond_the_horizon_says_so() {
    let left = Measure::time_to_event("month", "left").unit("months");
    let csv = "arm,month,left\nc,0.1,1\nc,5,0\nt,5,0\nt,5,0\n";
    let few = trial(csv).on(&left).unwrap();
    let mean = few.estimate(&RestrictedMeanTime::new(MeanDifference, 4.0)).unwrap();
    let told =
        |notice: &&Notice| matches!(notice, Notice::BeyondHorizon { horizon, .. } if horizon == "4 months");
    assert_eq!(mean.notices().iter().filter(told).count(), 1, "{mean}");
    let at_12 = RestrictedMeanTime::new(MeanDifference, 12.0);
    let many = cities().on(&EXIT).unwrap().estimate(&at_12).unwrap();
    assert!(
        !many
            .iter()
            .any(|city| city.notices().iter().any(|notice| matches!(notice, Notice::BeyondHorizon { .. })))
    );
}

#[test]
fn a_horizon_beyond_a_stratum_names_it() {
    let left = Measure::time_to_event("month", "left").unit("months");
    let mut csv = "arm,month,left,town\n".to_owned();
    for (i, arm) in ["c", "t"].iter().cycle().take(40).enumerate() {
        let north = i % 4 < 2;
        let end = if north { 6 } else { 12 };
        let (month, event) = if i % 3 == 0 { (1 + i % end, 1) } else { (end, 0) };
        csv += &format!("{arm},{month},{event},{}\n", if north { "north" } else { "south" });
    }
    let table = Table::from_csv_str(&csv).unwrap();
    let trial =
        Trial::builder("here", table).arm_labels("arm").control("c").strata(["town"]).build().unwrap();
    let error = trial.on(&left).unwrap().estimate(&CoxRiskAtHorizon::new(RiskDifference, 9.0).stratified());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("stratum \"north\", which ends at month 6"), "{error}");
    assert!(error.contains("the horizon, 9 months"), "{error}");
}
