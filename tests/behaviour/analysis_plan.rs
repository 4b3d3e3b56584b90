//! Analysis plans: the numbers of the typed calls to the last bit, nothing lost, nothing computed twice,
//! errors all at once.

use crate::support::labelled;
use armwise::Error;
use armwise::design::AnyMeasure;
use armwise::effect::{ContrastScale, LogRatioOfMeans};
use armwise::estimator::{AnyEstimator, RateVariance, TakeUpInterval, ZeroCells};
use armwise::mean::MeansVariance;
use armwise::meta_analysis::Tau2;
use armwise::prelude::*;
use armwise::proportion::{DifferenceInterval, OddsRatioInterval, RatioInterval};
use armwise::protocol::{
    AcrossTrials, AnalysisPlan, AnalysisRole, AnyPool, OutcomeRole, PlanResults, PlannedAnalysis,
    PlannedOutcome, PoolResult,
};
use armwise::report::Report;
use armwise::weighting::NuisanceVariance;

const FULL_TIME: Measure<Binary> = Outflow::full_time("hours_per_week").horizon("16 months");
const PERMANENT: Measure<Binary> = Contract::permanent("contract");
const WELLBEING: Measure<Continuous> =
    Questionnaire::who5(&["who5_1", "who5_2", "who5_3", "who5_4", "who5_5"])
        .prorated_from(4)
        .measure("wellbeing")
        .unit("points");
const WAGE: Measure<Continuous> = Measure::continuous("monthly_wage").unit("euro");
const APPLICATIONS: Measure<Count> =
    Measure::count("applications").exposure("follow_up_months").higher_is_better();

/// The six municipalities; without estimators of an outcome their plans run in no time.
fn trials() -> Trials {
    let table = Table::from_csv_str(include_str!("../../examples/data/participants.csv")).unwrap();
    Trials::builder(table, "municipality")
        .arm_labels("arm")
        .control("control")
        .strata(["stratum"])
        .take_up("received")
        .build()
        .unwrap()
}

fn one_trial() -> Trial {
    trials().trial("Wageningen").unwrap().clone()
}

fn of_binary() -> Vec<AnyEstimator> {
    let covariates = ["age", "female", "education"];
    let logistic = LogisticRegression::new().adjust_for(covariates).reference_level("education", "middle");
    let interacted = LogisticRegression::new().interact_arm_with(["age"]);
    let linear = LinearRegression::new().adjust_for(covariates).weights("follow_up_months");
    vec![
        DifferenceInProportions::new().into(),
        DifferenceInProportions::new().interval(DifferenceInterval::Newcombe).into(),
        RatioOfProportions::new().interval(RatioInterval::Koopman).zero_cells(ZeroCells::AddHalf).into(),
        OddsRatio::new().interval(OddsRatioInterval::MidP).into(),
        logistic.clone().into(),
        logistic.clone().variance(VarianceType::Hc1).into(),
        logistic.marginal(RiskDifference).into(),
        logistic.marginal(LogRiskRatio).into(),
        logistic.marginal(LogOddsRatio).variance(MarginalVariance::Delta(VarianceType::Hc3)).into(),
        interacted.marginal(RiskDifference).variance(MarginalVariance::Superpopulation).into(),
        linear.clone().into(),
        linear.marginal(RiskDifference).variance(MarginalVariance::Superpopulation).into(),
        FirthLogisticRegression::new().adjust_for(["age"]).into(),
        ComplierAverageEffect::new().interval(TakeUpInterval::Wald).into(),
        InverseProbabilityWeighting::new(RiskDifference).adjust_for(covariates).into(),
        InverseProbabilityWeighting::new(LogRiskRatio).adjust_for(covariates).into(),
        DoublyRobust::new(LogOddsRatio).adjust_for(["age"]).variance(NuisanceVariance::Known).into(),
    ]
}

fn of_continuous() -> Vec<AnyEstimator> {
    let ancova = LinearRegression::new().adjust_for(["wellbeing_baseline", "stratum"]);
    vec![
        DifferenceInMeans::new().variance(MeansVariance::Pooled).into(),
        ancova.clone().into(),
        ancova.marginal(MeanDifference).into(),
        ancova.marginal(LogRatioOfMeans).into(),
        ComplierAverageEffect::new().into(),
        DoublyRobust::new(MeanDifference).adjust_for(["wellbeing_baseline"]).into(),
    ]
}

fn of_counts() -> Vec<AnyEstimator> {
    let poisson = PoissonRegression::new().adjust_for(["age"]);
    vec![
        DifferenceInRates::new().variance(RateVariance::Poisson).into(),
        RatioOfRates::new().into(),
        poisson.clone().into(),
        poisson.marginal(RateDifference).into(),
        poisson.marginal(LogRateRatio).into(),
        NegativeBinomialRegression::new().adjust_for(["age"]).into(),
    ]
}

/// An outcome with these estimators, each under a label of its own.
fn outcome(measure: impl Into<AnyMeasure>, estimators: Vec<AnyEstimator>) -> PlannedOutcome {
    let labelled = |(i, estimator): (usize, AnyEstimator)| {
        PlannedAnalysis::new(estimator).labelled(&format!("analysis {i}"))
    };
    estimators
        .into_iter()
        .enumerate()
        .map(labelled)
        .fold(PlannedOutcome::new(measure), PlannedOutcome::analysis)
}

fn everything() -> AnalysisPlan {
    AnalysisPlan::new("Everything")
        .outcome(outcome(&FULL_TIME, of_binary()).role(OutcomeRole::Primary))
        .outcome(outcome(&WELLBEING, of_continuous()))
        .outcome(outcome(&WAGE, vec![TwoPartRegression::new().adjust_for(["age"]).into()]))
        .outcome(outcome(&APPLICATIONS, of_counts()).role(OutcomeRole::Exploratory))
        .pool(RandomEffects::new().tau2(Tau2::PauleMandel))
        .pool(CommonEffect::new())
        .pool(AnyPool::joint_model())
        .pool(AnyPool::component_model())
}

/// The results of the plan for one outcome and analysis in one trial.
fn found<'r>(
    results: &'r PlanResults,
    outcome: &str,
    analysis: usize,
) -> Result<&'r Estimates<AnyScale>, String> {
    let label = format!("analysis {analysis}");
    let answer =
        results.answers().iter().find(|one| one.outcome == outcome && one.analysis == label).unwrap();
    answer.result.as_ref().map_err(ToString::to_string)
}

fn alone(estimates: armwise::Result<Estimates<impl Scale>>) -> Result<Estimates<AnyScale>, String> {
    estimates.map(|estimates| estimates.to_any()).map_err(|error| error.to_string())
}

fn marginal<S: ContrastScale>(scale: S) -> armwise::estimator::Marginal<LogisticRegression, S> {
    LogisticRegression::new()
        .adjust_for(["age", "female", "education"])
        .reference_level("education", "middle")
        .marginal(scale)
}

#[test]
fn the_numbers_are_those_of_the_typed_calls_to_the_last_bit() {
    let trial = one_trial();
    let results = everything().run(&trial).unwrap();
    let binary = trial.on(&FULL_TIME).unwrap();
    let name = "full-time outflow";
    let check = |analysis: usize, typed: Result<Estimates<AnyScale>, String>| {
        assert_eq!(found(&results, name, analysis).cloned(), typed, "analysis {analysis}");
    };
    let covariates = ["age", "female", "education"];
    let logistic = LogisticRegression::new().adjust_for(covariates).reference_level("education", "middle");
    check(0, alone(binary.estimate(&DifferenceInProportions::new())));
    check(3, alone(binary.estimate(&OddsRatio::new().interval(OddsRatioInterval::MidP))));
    check(4, alone(binary.estimate(&logistic)));
    check(5, alone(binary.estimate(&logistic.clone().variance(VarianceType::Hc1))));
    check(6, alone(binary.estimate(&marginal(RiskDifference))));
    check(7, alone(binary.estimate(&marginal(LogRiskRatio))));
    let delta = MarginalVariance::Delta(VarianceType::Hc3);
    check(8, alone(binary.estimate(&marginal(LogOddsRatio).variance(delta))));
    check(12, alone(binary.estimate(&FirthLogisticRegression::new().adjust_for(["age"]))));
    check(15, alone(binary.estimate(&InverseProbabilityWeighting::new(LogRiskRatio).adjust_for(covariates))));
    let known = NuisanceVariance::Known;
    check(16, alone(binary.estimate(&DoublyRobust::new(LogOddsRatio).adjust_for(["age"]).variance(known))));
}

#[test]
fn every_estimator_gives_the_same_alone_and_in_a_plan() {
    let trial = one_trial();
    let results = everything().run(&trial).unwrap();
    let (binary, scores, counts) =
        (trial.on(&FULL_TIME).unwrap(), trial.on(&WELLBEING).unwrap(), trial.on(&APPLICATIONS).unwrap());
    let mut answers = 0;
    for (i, estimator) in of_binary().iter().enumerate() {
        let typed = alone(binary.estimate(estimator));
        answers += usize::from(typed.is_ok());
        assert_eq!(found(&results, "full-time outflow", i).cloned(), typed, "{estimator}");
    }
    for (i, estimator) in of_continuous().iter().enumerate() {
        assert_eq!(
            found(&results, "wellbeing", i).cloned(),
            alone(scores.estimate(estimator)),
            "{estimator}"
        );
    }
    for (i, estimator) in of_counts().iter().enumerate() {
        assert_eq!(
            found(&results, "applications", i).cloned(),
            alone(counts.estimate(estimator)),
            "{estimator}"
        );
    }
    assert!(answers >= 14, "only {answers} estimators had an answer");
}

#[test]
fn what_is_shared_is_computed_once() {
    let logistic = LogisticRegression::new().adjust_for(["age"]);
    let shared = PlannedOutcome::new(&FULL_TIME)
        .analysis(logistic.clone())
        .analysis(logistic.marginal(RiskDifference))
        .analysis(logistic.marginal(LogRiskRatio))
        .analysis(PlannedAnalysis::new(logistic.clone().variance(VarianceType::Hc1)).labelled("HC1"))
        .analysis(DifferenceInProportions::new());
    let fits =
        |outcome: PlannedOutcome| AnalysisPlan::new("").outcome(outcome).run(&one_trial()).unwrap().fits();
    assert_eq!(fits(shared.clone()), 1);
    // Other covariates and other models are other fits.
    let other = LogisticRegression::new().adjust_for(["age", "female"]);
    assert_eq!(fits(shared.clone().analysis(other)), 2);
    assert_eq!(fits(shared.clone().analysis(LinearRegression::new().adjust_for(["age"]))), 2);
    // Weights that serve two scales are estimated once.
    let weighting = PlannedOutcome::new(&FULL_TIME)
        .analysis(InverseProbabilityWeighting::new(RiskDifference).adjust_for(["age"]))
        .analysis(InverseProbabilityWeighting::new(LogRiskRatio).adjust_for(["age"]));
    assert_eq!(fits(weighting), 1);
    let all = AnalysisPlan::new("").outcome(shared).run_all(&trials()).unwrap();
    assert_eq!((all.fits(), all.comparisons(), all.answers().len()), (6, 6, 30));
}

#[test]
fn a_plan_comes_back_from_json() {
    let plan = everything().level(0.9).treatments(["guidance", "exemption"]);
    let text = plan.to_json().unwrap();
    assert_eq!(AnalysisPlan::from_json(&text).unwrap(), plan);
    assert_eq!(AnalysisPlan::from_json(&text).unwrap().to_json().unwrap(), text);
    let results = plan.run_all(&trials()).unwrap();
    let back: PlanResults = serde_json::from_str(&serde_json::to_string(&results).unwrap()).unwrap();
    assert_eq!(back, results);
}

#[test]
fn measures_come_back_from_json() {
    let measures: [AnyMeasure; 12] = [
        FULL_TIME.into(),
        Outflow::part_time("hours_per_week").into(),
        Outflow::above(32.0, "hours_per_week").named("large job").into(),
        PERMANENT.into(),
        Contract::ordinal("contract").into(),
        Contract::nominal("contract").into(),
        Measure::binary("works").lower_is_better().into(),
        WELLBEING.into(),
        Questionnaire::new(&["a", "b"], 1.0, 7.0)
            .reversed(&["b"])
            .mean()
            .measure("stress")
            .lower_is_better()
            .into(),
        WAGE.into(),
        APPLICATIONS.into(),
        Measure::time_to_event("month", "left").into(),
    ];
    for measure in measures {
        let text = serde_json::to_string(&measure).unwrap();
        assert_eq!(serde_json::from_str::<AnyMeasure>(&text).unwrap(), measure, "{text}");
    }
}

#[test]
fn domain_words_are_the_typed_measures() {
    let same = |text: &str, typed: AnyMeasure| {
        assert_eq!(serde_json::from_str::<AnyMeasure>(text).unwrap(), typed, "{text}");
    };
    same(
        r#"{"kind": "full_time_outflow", "column": "h", "horizon": "1 year"}"#,
        Outflow::full_time("h").horizon("1 year").into(),
    );
    same(r#"{"kind": "part_time_outflow", "column": "h"}"#, Outflow::part_time("h").into());
    same(r#"{"kind": "outflow", "column": "h"}"#, Outflow::any("h").into());
    same(r#"{"kind": "hours_above", "column": "h", "hours": 32}"#, Outflow::above(32.0, "h").into());
    same(
        r#"{"kind": "hours_between", "column": "h", "low": 1, "high": 8}"#,
        Outflow::between(1.0, 8.0, "h").into(),
    );
    same(r#"{"kind": "permanent_contract", "column": "c"}"#, Contract::permanent("c").into());
    same(r#"{"kind": "contract_ordinal", "column": "c"}"#, Contract::ordinal("c").into());
    same(r#"{"kind": "contract_nominal", "column": "c"}"#, Contract::nominal("c").into());
    same(r#"{"kind": "category_is", "column": "c", "level": "none"}"#, Measure::level("c", "none").into());
    same(r#"{"kind": "count", "column": "n", "exposure": "t"}"#, Measure::count("n").exposure("t").into());
    same(
        r#"{"kind": "continuous", "column": "w", "unit": "euro"}"#,
        Measure::continuous("w").unit("euro").into(),
    );
    same(
        r#"{"kind": "who5", "items": ["a", "b", "c", "d", "e"], "prorated_from": 4}"#,
        Questionnaire::who5(&["a", "b", "c", "d", "e"]).prorated_from(4).measure("wellbeing").into(),
    );
    same(
        r#"{"kind": "ordinal", "column": "s", "levels": ["low", "high"], "direction": "lower_is_better"}"#,
        Measure::ordinal("s", &["low", "high"]).lower_is_better().into(),
    );
}

#[test]
fn a_failure_loses_nothing_else() {
    let table = Table::from_csv_str(
        "arm,x,works\nc,1,0\nc,2,0\nc,3,1\nc,4,1\nc,5,1\nt,1,0\nt,2,0\nt,3,1\nt,4,1\nt,5,1\nt,6,1\n",
    )
    .unwrap();
    let trial = labelled(table, "c").build().unwrap();
    let model = LogisticRegression::new().adjust_for(["x"]);
    let works = Measure::binary("works");
    let plan = AnalysisPlan::new("Separated").outcome(
        PlannedOutcome::new(&works)
            .analysis(model.clone())
            .analysis(model.marginal(RiskDifference))
            .analysis(DifferenceInProportions::new()),
    );
    let results = plan.run(&trial).unwrap();
    let outcomes: Vec<Result<(), &str>> = results
        .answers()
        .iter()
        .map(|answer| answer.result.as_ref().map(|_| ()).map_err(|failure| failure.kind.as_str()))
        .collect();
    assert_eq!(outcomes, [Err("separation"), Err("separation"), Ok(())]);
    assert_eq!((results.failures().count(), results.fits()), (2, 1));
    let typed = trial.on(&works).unwrap().estimate(&model).unwrap_err();
    assert_eq!(results.failures().next().unwrap().to_string(), typed.to_string());
    assert!(results.to_string().contains("no answer: separation"));
    assert!(results.to_string().contains("Utrecht, works: complete separation"));
}

#[test]
fn a_trial_that_cannot_be_read_fails_by_itself() {
    let table = Table::from_csv_str(
        "city,arm,works\nA,c,0\nA,c,1\nA,t,1\nA,t,0\nB,c,\nB,c,\nB,t,1\nB,t,0\nC,c,0\nC,c,1\nC,t,1\nC,t,1\n",
    )
    .unwrap();
    let trials = Trials::builder(table, "city").arm_labels("arm").control("c").build().unwrap();
    let plan = AnalysisPlan::new("Work")
        .outcome(PlannedOutcome::new(Measure::binary("works")).analysis(DifferenceInProportions::new()))
        .pool(CommonEffect::new());
    let results = plan.run_all(&trials).unwrap();
    let failed: Vec<bool> = results.answers().iter().map(|answer| answer.result.is_err()).collect();
    assert_eq!(failed, [false, true, false]);
    assert_eq!(results.answers()[1].result.as_ref().unwrap_err().kind, "empty_arm");
    assert_eq!(results.pools()[0].failed, ["B"]);
    assert!(results.to_string().contains("without B, where the analysis has no answer"));
}

#[test]
fn pools_are_those_of_the_typed_calls() {
    let trials = trials();
    let plan = AnalysisPlan::new("Pools")
        .level(0.9)
        .outcome(PlannedOutcome::new(&FULL_TIME).analysis(DifferenceInProportions::new()))
        .pool(RandomEffects::new())
        .pool(AnyPool::joint_model())
        .pool(AnyPool::JointModel {
            effects: AcrossTrials::Common,
            tau2: Tau2::Reml,
            test: armwise::meta_analysis::CoefficientTest::Normal,
            level: Some(0.99),
        });
    let results = plan.run_all(&trials).unwrap();
    let effects =
        trials.on(&FULL_TIME).unwrap().estimate(&DifferenceInProportions::new().level(0.9)).unwrap();
    assert_eq!(results.effects("full-time outflow", "difference in proportions").unwrap(), effects.to_any());
    // Three arms occur in several municipalities.
    assert_eq!(results.pools().len(), 5);
    for pool in &results.pools()[..3] {
        let treatment = effects.treatment(pool.treatment.as_ref().unwrap()).unwrap();
        let typed = RandomEffects::new().level(0.9).pool(&treatment).unwrap();
        assert_eq!(pool.result, Ok(PoolResult::OfTreatment(Box::new(typed.to_any()))));
    }
    let joint = JointModel::random().level(0.9).pool(&effects).unwrap();
    assert_eq!(results.pools()[3].result, Ok(PoolResult::Jointly(Box::new(joint.to_any()))));
    let common = JointModel::common().test(armwise::meta_analysis::CoefficientTest::Normal).level(0.99);
    let common = common.pool(&effects).unwrap();
    assert_eq!(results.pools()[4].result, Ok(PoolResult::Jointly(Box::new(common.to_any()))));
    assert_eq!(results.unpooled().len(), 7);
    // One trial alone is not pooled.
    assert!(plan.run(&one_trial()).unwrap().pools().is_empty());
}

#[test]
fn the_order_of_outcomes_changes_no_number() {
    let trials = trials();
    let (first, second) = (
        PlannedOutcome::new(&FULL_TIME).analysis(LogisticRegression::new().adjust_for(["age"])),
        PlannedOutcome::new(&WELLBEING).analysis(DifferenceInMeans::new()),
    );
    let pool = RandomEffects::new();
    let one = AnalysisPlan::new("").outcome(first.clone()).outcome(second.clone()).pool(pool.clone());
    let other = AnalysisPlan::new("").outcome(second).outcome(first).pool(pool);
    let (one, other) = (one.run_all(&trials).unwrap(), other.run_all(&trials).unwrap());
    assert!(one.answers().iter().all(|answer| other.answers().contains(answer)));
    assert!(one.pools().iter().all(|pool| other.pools().contains(pool)));
    assert_eq!(one.answers().len(), other.answers().len());
}

#[test]
fn chosen_arms_are_compared_as_if_there_were_no_others() {
    let trials = trials();
    let plan = AnalysisPlan::new("Guidance")
        .treatments(["guidance"])
        .outcome(PlannedOutcome::new(&FULL_TIME).analysis(LogisticRegression::new().adjust_for(["age"])))
        .pool(RandomEffects::new());
    let results = plan.run_all(&trials).unwrap();
    let typed = trials.trial("Utrecht").unwrap().compare("guidance").on(&FULL_TIME).unwrap();
    let typed = typed.estimate(&LogisticRegression::new().adjust_for(["age"])).unwrap();
    assert_eq!(results.answers()[0].result, Ok(typed.to_any()));
    // Nijmegen has no arm of guidance alone.
    let nijmegen = results.answers().iter().find(|answer| answer.trial == "Nijmegen").unwrap();
    assert_eq!(nijmegen.result.as_ref().unwrap_err().kind, "empty_arm");
    assert_eq!(results.pools().len(), 1);
}

#[test]
fn levels_are_those_of_the_analysis_or_of_the_plan() {
    let plan = AnalysisPlan::new("Levels").level(0.9).outcome(
        PlannedOutcome::new(&FULL_TIME)
            .analysis(DifferenceInProportions::new())
            .analysis(PlannedAnalysis::new(OddsRatio::new()).level(0.95))
            .analysis(RatioOfProportions::new().level(0.8)),
    );
    let results = plan.run(&one_trial()).unwrap();
    let levels: Vec<f64> =
        results.answers().iter().map(|answer| answer.result.as_ref().unwrap().level()).collect();
    assert_eq!(levels, [0.9, 0.95, 0.8]);
    assert_eq!(AnalysisPlan::from_json(&plan.to_json().unwrap()).unwrap(), plan);
}

#[test]
fn all_errors_of_a_plan_are_told_at_once() {
    let both = PlannedAnalysis::new(DifferenceInMeans::new()).role(AnalysisRole::Primary);
    let plan = AnalysisPlan::new("Wrong")
        .level(95.0)
        .treatments(["guidence"])
        .outcome(
            PlannedOutcome::new(Outflow::full_time("hours"))
                .analysis(LogisticRegression::new().adjust_for(["agee"]))
                .analysis(both.clone()),
        )
        .outcome(PlannedOutcome::new(&WELLBEING).analysis(both.clone()).analysis(both))
        .outcome(PlannedOutcome::new(Measure::level("contract", "permament")).analysis(OddsRatio::new()))
        .outcome(PlannedOutcome::new(&WAGE))
        .pool(RandomEffects::new().level(0.0));
    let error: Error = plan.run_all(&trials()).unwrap_err();
    let ErrorKind::InvalidPlan { errors } = error.kind() else { panic!("{error}") };
    let all = error.to_string();
    for piece in [
        "the confidence level is 95",
        "\"guidence\" is not one of the arms (did you mean \"guidance\"?)",
        "full-time outflow: there is no column \"hours\"",
        "full-time outflow: there is no column \"agee\" (did you mean \"age\"?)",
        "full-time outflow: difference_in_means does not estimate effects on an outcome of the kind \"binary\"",
        "wellbeing: two analyses are called \"difference in means\"",
        "wellbeing: the outcome has several primary analyses",
        "(did you mean \"permanent\"?)",
        "monthly_wage: the outcome has no analysis",
        "the confidence level is 0;",
    ] {
        assert!(all.contains(piece), "{piece}\n{all}");
    }
    assert_eq!(errors.len(), 10, "{all}");
    assert!(AnalysisPlan::new("Nothing").run(&one_trial()).is_err());
}

#[test]
fn scales_that_contrast_no_means_are_refused_before_anything_runs() {
    let text = r#"{"estimator": "doubly_robust", "scale": "log_hazard_ratio", "adjust_for": ["age"]}"#;
    let estimator: AnyEstimator = serde_json::from_str(text).unwrap();
    let plan = AnalysisPlan::new("").outcome(PlannedOutcome::new(&FULL_TIME).analysis(estimator));
    assert!(plan.run(&one_trial()).unwrap_err().to_string().contains("is no contrast of arm means"));
}

#[test]
fn unknown_words_are_refused() {
    let plan = |analysis: &str| {
        format!(
            r#"{{"title": "t", "outcomes": [{{"measure": {{"kind": "binary", "column": "works"}}, "analyses": [{analysis}]}}]}}"#
        )
    };
    let refused = |text: &str, piece: &str| {
        let error = AnalysisPlan::from_json(text).unwrap_err();
        assert_eq!(error.kind().name(), "format");
        assert!(error.to_string().contains(piece), "{piece}\n{error}");
    };
    assert!(AnalysisPlan::from_json(&plan(r#"{"estimator": "odds_ratio"}"#)).is_ok());
    refused(
        &plan(r#"{"estimator": "odd_ratio"}"#),
        "unknown variant `odd_ratio`, expected one of `difference_in_proportions`",
    );
    refused(
        &plan(r#"{"estimator": "odds_ratio", "intervall": "woolf"}"#),
        "unknown field `intervall`, expected",
    );
    refused(&plan(r#"{"estimator": "odds_ratio", "interval": "wolf"}"#), "unknown variant `wolf`");
    refused(&plan(r#"{"estimator": "odds_ratio", "role": "main"}"#), "unknown variant `main`");
    refused(&plan(r#"{"estimator": "logistic_regression", "adjust": ["age"]}"#), "unknown field `adjust`");
    let marginal = r#"{"estimator": "marginal", "scale": "risk_difference", "model": {"estimator": "logistic_regression", "adjust": []}}"#;
    refused(&plan(marginal), "unknown field `adjust`");
    refused(
        &plan(r#"{"estimator": "marginal", "model": {"estimator": "logistic_regression"}}"#),
        "missing field `scale`",
    );
    refused(r#"{"title": "t", "outcome": []}"#, "unknown field `outcome`, expected one of `title`");
    refused(
        r#"{"title": "t", "outcomes": [], "pools": [{"pool": "random_effect"}]}"#,
        "unknown variant `random_effect`",
    );
    refused(
        r#"{"title": "t", "outcomes": [], "pools": [{"pool": "random_effects", "tau": "reml"}]}"#,
        "unknown field `tau`",
    );
    refused(
        r#"{"title": "t", "outcomes": [], "pools": [{"pool": "joint_model", "tau": "reml"}]}"#,
        "unknown field `tau`",
    );
    refused(&plan("").replace("column", "colum"), "unknown field `colum`, expected `column`");
    refused(r#"{"title": "t", "#, "mend the JSON there");
}

#[test]
fn the_committed_plan_runs_and_reports() {
    let plan = AnalysisPlan::from_json(include_str!("../../examples/data/analysis_plan.json")).unwrap();
    assert_eq!(AnalysisPlan::from_json(&plan.to_json().unwrap()).unwrap(), plan);
    let results = plan.run_all(&trials()).unwrap();
    assert_eq!(results.failures().count(), 0);
    let mut report = Report::new("Plan");
    report.push(&results);
    assert!(report.to_markdown().contains("| Outcome | Analysis | Roles | Trial | Treatment |"));
    assert!(report.to_text().contains("pooled: random effects"));
    // One row per estimate, the pool with Wald or Hartung-Knapp beside it and its prediction, and the header.
    assert!(report.to_csv().lines().count() > results.grid().len());
    let back: Report = serde_json::from_str(&report.to_json().unwrap()).unwrap();
    assert_eq!(back, report);
    assert!(results.effects("full-time outflow", "rough").unwrap_err().to_string().contains("\"crude\" of"));
}
