//! Edge cases that a second reading of the estimators found: each once gave a wrong number, or none without
//! saying so.

use crate::support::labelled;
use armwise::design::AnyMeasure;
use armwise::estimator::{AnyEstimator, CategoryScores, IndependenceTest, OrderedTest};
use armwise::mean::PairedMeans;
use armwise::prelude::*;
use armwise::protocol::{AnalysisPlan, PlannedAnalysis, PlannedOutcome};
use armwise::report::Report;

fn table(text: &str) -> Table {
    CsvReader::new().category("arm").text(text).unwrap()
}

fn trial(text: &str) -> Trial {
    labelled(table(text), "c").build().unwrap()
}

fn clustered(text: &str) -> Trial {
    labelled(table(text), "c").clusters("school").build().unwrap()
}

const WORKS: Measure<Binary> = Measure::binary("works").higher_is_better();
const SCORE: Measure<Continuous> = Measure::continuous("score");
const TWICE: Measure<Continuous> = Questionnaire::new(&["a", "b", "a"], 0.0, 5.0).measure("score");

/// The mean of the control came from the coefficients, 1 - 1 + rounding, and its logarithm was -36.
/// Tables of a few people and many coefficients on which scoring steps come nearer by a constant share each: up to 500
/// of them, and then none of the two had an answer.
#[test]
fn penalised_regressions_of_small_tables_converge() {
    let tables = [
        (
            "t,b,32,0\nt,a,27,0\nu,a,53,0\nc,b,54,0\nt,a,55,0\nu,b,26,0\nu,a,47,0\nc,b,40,0\nc,a,34,0\nt,b,29,0\nu,a,23,0\n\
             u,b,24,0\nu,b,43,0\n",
            [[-0.188_985_9, -5.320_05, 5.222_30], [-0.425_382_6, -5.413_99, 4.778_49]],
        ),
        (
            "u,b,50,0\nt,b,23,0\nt,b,58,0\nc,b,30,0\nt,a,30,0\nu,a,43,0\nu,b,36,0\nt,a,26,0\nt,b,29,0\nc,a,28,0\nu,a,49,0\n\
             c,b,35,0\nu,a,20,0\nu,a,54,1\nu,a,41,0\nt,b,56,0\n",
            [[-0.862_737_9, -18.351_63, 4.545_34], [-0.668_337_2, -17.063_66, 4.854_05]],
        ),
    ];
    for (rows, expected) in tables {
        let table = Table::from_csv_str(&format!("arm,x,z,event\n{rows}")).unwrap();
        let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build().unwrap();
        let event = trial.on(&Measure::binary("event")).unwrap();
        let model = FirthLogisticRegression::new().adjust_for(["x", "z"]);
        let mut found: Vec<[f64; 3]> = event
            .estimate(&model)
            .unwrap()
            .iter()
            .map(|one| [one.value(), one.interval().lower(), one.interval().upper()])
            .collect();
        // In the order of their values.
        let mut expected: Vec<[f64; 3]> = expected.to_vec();
        found.sort_by(|a, b| a[0].total_cmp(&b[0]));
        expected.sort_by(|a, b| a[0].total_cmp(&b[0]));
        for (found, expected) in found.iter().zip(&expected) {
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 2e-5, "{found} is not {expected}");
            }
        }
    }
}

#[test]
fn a_clustered_ratio_of_an_arm_without_events_has_no_logarithm() {
    for (events, none) in [("t", "c"), ("c", "t")] {
        let mut text = "arm,school,works\n".to_owned();
        for school in 0..3 {
            for _ in 0..3 {
                text += &format!("{events},{events}{school},1\n{none},{none}{school},0\n");
            }
        }
        text += "u,u1,0\nu,u1,1\nu,u2,1\nu,u3,0\n";
        let comparison = clustered(&text).on(&WORKS).unwrap();
        let error = comparison.estimate(&RatioOfProportions::new()).unwrap_err();
        assert_eq!(error.kind().name(), "not_estimable", "{error}");
        let counts = clustered(&text).on(&Measure::count("works")).unwrap();
        assert_eq!(counts.estimate(&RatioOfRates::new()).unwrap_err().kind().name(), "not_estimable");
    }
}

/// Residuals of 1e-17 passed for a standard error, and anything was significant.
#[test]
fn arms_that_do_not_vary_have_no_standard_error_by_rounding() {
    let alike = trial("arm,works,score\nc,1,0.1\nc,1,0.1\nc,1,0.1\nt,0,0.3\nt,0,0.3\nt,0,0.3\nt,0,0.3\n");
    let error = alike.on(&WORKS).unwrap().estimate(&LinearRegression::new()).unwrap_err();
    assert_eq!(error.kind().name(), "zero_variance", "{error}");
    assert_eq!(
        alike.on(&SCORE).unwrap().estimate(&LinearRegression::new()).unwrap_err().kind().name(),
        "zero_variance"
    );
    let marginal = LinearRegression::new().marginal(MeanDifference);
    assert_eq!(alike.on(&SCORE).unwrap().estimate(&marginal).unwrap_err().kind().name(), "zero_variance");

    // Next to an arm that varies: an error for the pair that does not.
    let text = "arm,works,score\nc,0,0.7\nc,0,0.7\nc,0,0.7\nt,1,0.3\nt,1,0.3\nu,1,1\nu,0,5\nu,1,3\nu,0,2\n";
    let comparison = trial(text).on(&WORKS).unwrap();
    for variance in [VarianceType::Hc0, VarianceType::Hc1, VarianceType::Hc2, VarianceType::Hc3] {
        let error = comparison.estimate(&LinearRegression::new().variance(variance)).unwrap_err();
        assert_eq!(
            (error.kind().name(), error.place().arm.as_deref()),
            ("zero_variance", Some("t")),
            "{error}"
        );
    }
    for variance in [VarianceType::Hc0, VarianceType::Hc1] {
        let marginal =
            LinearRegression::new().marginal(RiskDifference).variance(MarginalVariance::Delta(variance));
        let error = comparison.estimate(&marginal).unwrap_err();
        assert_eq!(
            (error.kind().name(), error.place().arm.as_deref()),
            ("zero_variance", Some("t")),
            "{error}"
        );
    }
}

/// A Poisson arm of one person has no residual, so HC0 knows no variance of it; with two such arms all was
/// significant.
#[test]
fn two_arms_of_one_person_have_no_robust_variance() {
    let comparison =
        trial("arm,spells\nc,2\nt,7\nu,3\nu,9\nu,1\nu,4\n").on(&Measure::count("spells")).unwrap();
    let error = comparison.estimate(&PoissonRegression::new()).unwrap_err();
    assert_eq!((error.kind().name(), error.place().arm.as_deref()), ("zero_variance", Some("t")), "{error}");
    assert!(comparison.estimate(&PoissonRegression::new().variance(VarianceType::Model)).is_ok());
    // The covariance of the means passed for asymmetric.
    let marginal = PoissonRegression::new()
        .marginal(RateDifference)
        .variance(MarginalVariance::Delta(VarianceType::Hc0));
    assert_eq!(comparison.estimate(&marginal).unwrap_err().kind().name(), "zero_variance");
}

/// Weighted means of equal outcomes differed from them by rounding.
#[test]
fn weighting_leaves_equal_outcomes_without_influence() {
    let mut text = "arm,age,score\n".to_owned();
    for i in 0..12 {
        text += &format!("c,{},0.1\nt,{},0.1\n", 20 + i * 7 % 11, 25 + i * 5 % 13);
    }
    let weighting = InverseProbabilityWeighting::new(MeanDifference).adjust_for(["age"]);
    let error = trial(&text).on(&SCORE).unwrap().estimate(&weighting).unwrap_err();
    assert_eq!(error.kind().name(), "zero_variance", "{error}");
}

#[test]
fn matched_sets_that_all_differ_alike_have_no_standard_error() {
    let text = "arm,pair,score\nc,1,0.1\nt,1,0.4\nc,2,0.2\nt,2,0.5\nc,3,0.3\nt,3,0.6\nc,4,0.7\nt,4,1.0\n";
    let trial = labelled(table(text), "c").strata(["pair"]).build().unwrap();
    let matched = DifferenceInMeans::new().blocks(Blocks::MatchedSets);
    let error = trial.on(&SCORE).unwrap().estimate(&matched).unwrap_err();
    assert_eq!(error.kind().name(), "zero_variance", "{error}");
    let paired = PairedMeans::of(&[0.4, 0.5, 0.6, 1.0], &[0.1, 0.2, 0.3, 0.7]).unwrap();
    assert_eq!(paired.difference().unwrap_err().kind().name(), "zero_variance");

    let apart = "arm,pair,score\nc,1,1\nt,2,2\nc,3,4\nt,4,3\n";
    let trial = labelled(table(apart), "c").strata(["pair"]).build().unwrap();
    let error = trial.on(&SCORE).unwrap().estimate(&matched).unwrap_err();
    assert!(error.to_string().contains("none of the 4 matched sets"), "{error}");
}

/// Shares of 1/3 and 2/6 by updated means differ by 5e-17, and the effect was their quotient.
#[test]
fn equal_take_up_is_equal_whatever_the_sizes() {
    for (n, m) in [(3, 6), (3, 9), (7, 21), (10, 30), (49, 7)] {
        let mut text = "arm,received,works\n".to_owned();
        for (arm, size) in [("c", n), ("t", m)] {
            for i in 0..size {
                text += &format!("{arm},{},{}\n", u8::from(i * n.min(m) < size), i % 2);
            }
        }
        let trial = labelled(table(&text), "c").take_up("received").build().unwrap();
        let error = trial.on(&WORKS).unwrap().estimate(&ComplierAverageEffect::new()).unwrap_err();
        assert_eq!(error.kind().name(), "not_estimable", "{n} {m}: {error}");
    }
    // Outcomes that are take-up times 2.3 have residuals of nothing.
    let text =
        "arm,received,score\nc,0,0\nc,0,0\nc,0,0\nt,1,2.3\nt,0.7,1.61\nt,0.1,0.23\nt,0.3,0.69\nt,0.9,2.07\n";
    let trial = labelled(table(text), "c").take_up("received").build().unwrap();
    let effect =
        trial.on(&SCORE).unwrap().estimate(&ComplierAverageEffect::new()).unwrap().treatment("t").unwrap();
    assert!((effect.value() - 2.3).abs() < 1e-12 && effect.se() < 1e-7);
    let broken = "arm,received,works\nc,0,0\nc,0,1\nt,5,1\nt,1,0\n";
    let trial = labelled(table(broken), "c").take_up("received").build().unwrap();
    let error = trial.take_up().unwrap_err();
    assert_eq!((error.place().column.as_deref(), error.place().row), (Some("received"), Some(3)), "{error}");
}

#[test]
fn combinations_whose_variance_cancels_are_refused() {
    let arms = [("c", 3, 20), ("t", 0, 20), ("u", 0, 30), ("v", 0, 10)];
    let counts = Comparison::from_counts("Utrecht", &WORKS, arms).unwrap();
    let effects = counts.estimate(&DifferenceInProportions::new()).unwrap();
    for weights in [[0.3, 0.6, -0.9], [0.1, 0.2, -0.3], [-0.7, 0.4, 0.3], [1.1, -0.8, -0.3]] {
        let weights: Vec<(&str, f64)> = ["t", "u", "v"].into_iter().zip(weights).collect();
        let error = effects.combination("mix", &weights).unwrap_err();
        assert_eq!(
            (error.kind().name(), error.place().arm.as_deref()),
            ("zero_variance", Some("mix")),
            "{weights:?}: {error}"
        );
    }
}

#[test]
fn tests_of_association_say_that_clusters_are_ignored_and_count_the_strata_that_compare() {
    let text = "arm,school,stratum,contract\nc,1,a,none\nc,1,a,none\nc,2,a,permanent\nt,3,a,none\nt,3,a,permanent\nt,4,a,permanent\n\
                c,2,b,none\nc,1,b,temporary\nt,4,c,none\nt,3,d,\nc,1,d,\n";
    let builder = labelled(table(text), "c");
    let trial = builder.strata(["stratum"]).clusters("school").build().unwrap();
    let comparison = trial.on(&Contract::ordinal("contract")).unwrap();
    let ignored = Notice::ClustersIgnored { clusters: 4 };
    let test = comparison.test_order(OrderedTest::MeanScores(CategoryScores::Midranks)).unwrap();
    assert!(test.notices.contains(&ignored) && test.strata == 1, "{test:?}");
    assert!(comparison.test_independence(IndependenceTest::Pearson).unwrap().notices.contains(&ignored));
}

#[test]
fn declarations_that_would_be_ignored_are_refused() {
    arms! { enum Typed { Control = "c", Guidance = "t" } }
    let data = || table("arm,works\nc,0\nc,1\nt,1\nt,0\n");
    let builder = || Trial::builder("Utrecht", data());
    let error = builder().control("t").arms::<Typed>("arm").build().unwrap_err();
    assert!(error.to_string().contains("control(..) names \"t\""), "{error}");
    assert!(builder().control("c").arms::<Typed>("arm").build().is_ok());
    let error = builder().arm_labels("arm").control("c").components("c", ["usual"]).build().unwrap_err();
    assert!(error.to_string().contains("the control has no components"), "{error}");
    let items = trial("arm,a,b\nc,1,2\nt,3,4\n");
    let error = items.on(&TWICE).unwrap_err();
    assert_eq!(error.place().column.as_deref(), Some("a"), "{error}");
}

/// Options of other regressions were read from JSON and ignored; with products the odds ratio was that at a
/// covariate of zero.
#[test]
fn estimators_read_only_options_that_they_have() {
    let refused = [
        (r#"{"estimator": "firth_logistic_regression", "interact_arm_with": ["age"]}"#, "interact_arm_with"),
        (r#"{"estimator": "logistic_regression", "adjust_for": ["age"], "terms": "interacted"}"#, "terms"),
        (r#"{"estimator": "poisson_regression", "terms": "interacted"}"#, "terms"),
        (r#"{"estimator": "negative_binomial_regression", "terms": "interacted"}"#, "terms"),
        (r#"{"estimator": "two_part_regression", "offset": "w"}"#, "offset"),
        (r#"{"estimator": "doubly_robust", "scale": "risk_difference", "offset": "w"}"#, "offset"),
        (
            r#"{"estimator": "inverse_probability_weighting", "scale": "risk_difference", "offset": "w"}"#,
            "offset",
        ),
        (r#"{"estimator": "proportional_odds_regression", "offset": "w"}"#, "offset"),
    ];
    for (text, option) in refused {
        let error = serde_json::from_str::<AnyEstimator>(text).unwrap_err().to_string();
        assert!(error.contains(&format!("unknown field `{option}`")), "{text}: {error}");
    }
    let taken = r#"{"estimator": "linear_regression", "terms": "interacted", "adjust_for": ["age"], "weights": "w", "offset": "o"}"#;
    let estimator: AnyEstimator = serde_json::from_str(taken).unwrap();
    assert_eq!(
        estimator.to_string(),
        "linear regression, adjusted for age, weighted by w, with the offset o"
    );
}

#[test]
fn a_level_within_an_analysis_counts() {
    let of = |level: &str, model: &str| {
        let text = format!(
            r#"{{"estimator": "marginal", "scale": "risk_difference"{level},
                "model": {{"estimator": "logistic_regression"{model}}}}}"#
        );
        serde_json::from_str::<PlannedAnalysis>(&text)
    };
    let typed = LogisticRegression::new().level(0.9).marginal(RiskDifference);
    assert_eq!(of("", r#", "level": 0.9"#).unwrap(), PlannedAnalysis::from(typed));
    assert_eq!(of(r#", "level": 0.9"#, r#", "level": 0.9"#).unwrap(), of(r#", "level": 0.9"#, "").unwrap());
    let error = of(r#", "level": 0.99"#, r#", "level": 0.9"#).unwrap_err().to_string();
    assert!(error.contains("0.99, but its model has 0.9"), "{error}");
}

const CONTRACTS: &str = "arm,age,contract\nc,20,none\nc,40,none\nc,30,temporary\nc,45,permanent\nc,33,temporary\nc,52,none\nt,25,none\n\
                         t,35,temporary\nt,50,permanent\nt,22,permanent\nt,31,none\nt,41,permanent\n";

fn of_categories() -> Vec<AnyEstimator> {
    let multinomial = MultinomialRegression::new().adjust_for(["age"]);
    let odds = ProportionalOddsRegression::new().adjust_for(["age"]);
    vec![
        DifferenceInCategories::new().simultaneous(Simultaneous::MaxT).in_category("permanent").into(),
        DifferenceInCategories::new().simultaneous(Simultaneous::MaxT).in_category("none").into(),
        multinomial.clone().base("temporary").in_category("permanent").into(),
        multinomial.marginal(LogRiskRatio).in_category("permanent").into(),
        odds.marginal(RiskDifference)
            .variance(MarginalVariance::Delta(VarianceType::Hc0))
            .in_category("none")
            .into(),
        odds.into(),
        WinProbability::new(NetBenefit).into(),
        WinProbability::new(LogWinOdds).into(),
    ]
}

#[test]
fn plans_hold_estimators_of_categories() {
    let trial = trial(CONTRACTS);
    let comparison = trial.on(&Contract::ordinal("contract")).unwrap();
    let mut outcome = PlannedOutcome::new(Contract::ordinal("contract"));
    for estimator in of_categories() {
        outcome = outcome.analysis(estimator);
    }
    let plan = AnalysisPlan::new("Contracts").level(0.9).outcome(outcome);
    let plan = AnalysisPlan::from_json(&plan.to_json().unwrap()).unwrap();
    let results = plan.run(&trial).unwrap();
    // Two categories of one estimator are one set of effects; the others are models of their own.
    assert_eq!((results.answers().len(), results.failures().count(), results.fits()), (8, 0, 4));
    for (answer, estimator) in results.answers().iter().zip(of_categories()) {
        let alone = comparison.estimate(&estimator.level(0.9)).unwrap();
        assert_eq!(answer.result.as_ref().unwrap(), &alone, "{}", answer.analysis);
    }
    let typed = MultinomialRegression::new().adjust_for(["age"]).level(0.9).marginal(LogRiskRatio);
    let typed = comparison.estimate(&typed.in_category("permanent")).unwrap().to_any();
    assert_eq!(results.answers()[3].result.as_ref().unwrap(), &typed);
    assert_eq!(
        results.answers()[3].analysis,
        "marginal risk ratio by multinomial regression, permanent, adjusted for age"
    );
}

#[test]
fn plans_refuse_estimators_of_categories_that_do_not_fit() {
    let trial = trial(CONTRACTS);
    let plan = |measure: AnyMeasure, estimator: AnyEstimator| {
        let plan = AnalysisPlan::new("Contracts").outcome(PlannedOutcome::new(measure).analysis(estimator));
        plan.check(std::slice::from_ref(&trial)).unwrap_err().to_string()
    };
    let nominal = || AnyMeasure::from(Contract::nominal("contract"));
    let odds = ProportionalOddsRegression::new();
    assert!(
        plan(nominal(), odds.clone().into()).contains("does not estimate effects on an outcome of the kind")
    );
    assert!(
        plan(nominal(), odds.marginal(RiskDifference).in_category("none").into())
            .contains("does not estimate")
    );
    let unknown = plan(nominal(), DifferenceInCategories::new().in_category("permanant").into());
    assert!(unknown.contains("did you mean \"permanent\"?"), "{unknown}");
    let scale = r#"{"estimator": "win_probability", "scale": "risk_difference"}"#;
    let scale = plan(Contract::ordinal("contract").into(), serde_json::from_str(scale).unwrap());
    assert!(scale.contains("net_benefit or log_win_odds"), "{scale}");
    let win =
        r#"{"estimator": "marginal", "scale": "net_benefit", "model": {"estimator": "logistic_regression"}}"#;
    let win = plan(Contract::permanent("contract").into(), serde_json::from_str(win).unwrap());
    assert!(win.contains("is no contrast of arm means"), "{win}");
}

#[test]
fn effects_on_categories_are_part_of_reports() {
    let comparison = trial(CONTRACTS).on(&Contract::nominal("contract")).unwrap();
    let effects = comparison.estimate_categories(&DifferenceInCategories::new()).unwrap();
    let mut report = Report::new("Contracts");
    report.push(&effects);
    let text = report.to_text();
    assert!(
        text.contains("Utrecht, contract (difference in categories; 95% CI: Miettinen-Nurminen)"),
        "{text}"
    );
    assert!(report.to_markdown().contains("| permanent |"), "{}", report.to_markdown());
    let csv = report.to_csv();
    assert_eq!(csv.lines().count(), 1 + 3, "{csv}");
    assert!(csv.contains("contract: permanent"), "{csv}");
    let back: Report = serde_json::from_str(&report.to_json().unwrap()).unwrap();
    assert_eq!(back, report);
}

/// The default was refused, with the advice to take another.
#[test]
fn marginal_effects_of_weighted_models_have_a_default_variance() {
    let text =
        "arm,age,works,w\nc,20,0,1\nc,40,1,2\nc,30,0,1\nc,45,0,3\nt,25,1,1\nt,35,0,2\nt,50,1,1\nt,22,1,2\n";
    let comparison = trial(text).on(&WORKS).unwrap();
    let marginal = LogisticRegression::new().weights("w").marginal(RiskDifference);
    let asked = marginal.clone().variance(MarginalVariance::Superpopulation);
    assert_eq!(comparison.estimate(&marginal).unwrap(), comparison.estimate(&asked).unwrap());
    let refused = marginal.variance(MarginalVariance::Ye2023);
    assert_eq!(comparison.estimate(&refused).unwrap_err().kind().name(), "not_estimable");
}

/// The model calls its treatments "arm"; a covariate of that name is another column.
#[test]
fn a_covariate_may_not_be_taken_for_the_arms() {
    let text = "group,arm,score\nc,1,3\nc,2,5\nc,3,4\nc,4,7\nt,1,6\nt,2,6\nt,3,9\nt,4,8\n";
    let trial = Trial::builder("Utrecht", CsvReader::new().text(text).unwrap())
        .arm_labels("group")
        .control("c")
        .build()
        .unwrap();
    let comparison = trial.on(&SCORE).unwrap();
    let model = LinearRegression::new().adjust_for(["arm"]);
    for effects in [comparison.estimate(&model), comparison.estimate(&model.marginal(MeanDifference))] {
        match effects {
            Ok(effects) => {
                assert!((effects.treatment("t").unwrap().value() - 2.5).abs() < 1e-9, "{effects:?}");
            }
            Err(error) => assert!(error.to_string().contains("arm"), "{error}"),
        }
    }
}

/// The covariance of these would take 80 GB, and an attempt to hold it ends the process.
#[test]
fn more_arms_or_categories_than_a_joint_covariance_holds_are_refused_at_once() {
    let works = Measure::binary("works");
    let arms: Vec<String> = (0..100_000).map(|i| format!("person {i}")).collect();
    let counts = arms.iter().map(|arm| (arm.as_str(), 1, 2));
    let comparison = Comparison::from_counts("Utrecht", &works, counts).unwrap();
    let error = comparison.estimate(&DifferenceInProportions::new()).unwrap_err().to_string();
    assert!(
        error.starts_with("Utrecht, works: 100,000 arms are too many for one joint covariance"),
        "{error}"
    );
    assert!(error.contains("at most 10,000 at a time") && error.contains("identifier"), "{error}");

    let levels: Vec<&'static str> = (0..5000).map(|i| &*format!("level {i}").leak()).collect();
    let table = Table::new().with_categories("arm", ["c", "t", "c", "t"]).unwrap();
    let table = table.with_categories("contract", ["level 1", "level 2", "level 2", "level 1"]).unwrap();
    let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build().unwrap();
    let comparison = trial.on(&Measure::nominal("contract", levels.leak())).unwrap();
    let error = comparison.estimate_categories(&DifferenceInCategories::new()).unwrap_err().to_string();
    assert!(error.contains("10,000 categories within arms are too many"), "{error}");

    // A treatment of its own in every trial.
    let trials = (0..1200).map(|i| {
        let arms = [("c", 10, 20), (&*format!("arm {i}"), 12, 20)];
        Comparison::from_counts(format!("city {i}"), &works, arms).unwrap()
    });
    let effects = Comparisons::new(trials).unwrap().estimate(&DifferenceInProportions::new()).unwrap();
    let error = JointModel::common().pool(&effects).unwrap_err().to_string();
    assert!(error.contains("1,200 coefficients are too many"), "{error}");
    let error = NetworkMetaAnalysis::common().pool(&effects).unwrap_err().to_string();
    assert!(error.contains("1,201 arms of a network are too many"), "{error}");
}
