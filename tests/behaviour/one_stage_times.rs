//! One stage of times: with covariates and with clusters it is the regression of one trial where there is one.

use armwise::effect::Estimand;
use armwise::prelude::*;
use armwise::survival::CoxVariance;

const EXIT: Measure<TimeToEvent> = Measure::time_to_event("exit_month", "exit_reason")
    .of("work")
    .competing(&["other"])
    .censored(&["none"])
    .censored_at("censor_month")
    .unit("months");

fn cities(clusters: bool) -> Comparisons<TimeToEvent> {
    let table = Table::from_csv_path("examples/data/participants.csv").unwrap();
    // Officers who each see some participants of one arm.
    let arms = table.column("arm").unwrap().categories().unwrap();
    let officers: Vec<String> =
        arms.enumerate().map(|(i, arm)| format!("{} {}", arm.unwrap_or(""), i % 12)).collect();
    let table = table.with_categories("officer", officers.iter().map(String::as_str)).unwrap();
    let builder = Trials::builder(table, "municipality").arm_labels("arm").control("control");
    let builder = if clusters { builder.clusters("officer") } else { builder };
    builder.build().unwrap().on(&EXIT).unwrap()
}

#[test]
fn of_one_trial_it_is_its_regression() {
    for clusters in [false, true] {
        let exits = cities(clusters);
        let utrecht = exits.iter().next().unwrap().clone();
        let alone = utrecht.estimate(&CoxRegression::new().adjust_for(["age", "female"])).unwrap();
        let one = Comparisons::new([utrecht]).unwrap();
        let pooled = OneStageCox::new().adjust_for(["age", "female"]).pool(&one).unwrap();
        assert_eq!(pooled.about.estimand, Estimand::Conditional);
        for coefficient in pooled.coefficients() {
            let own = alone.treatment(&coefficient.label).unwrap();
            assert!((own.value() - coefficient.value()).abs() < 1e-8, "{pooled}");
            assert!((own.se() - coefficient.se()).abs() < 1e-8, "{pooled}");
            assert_eq!(own.df(), coefficient.inference.df(), "{pooled}");
        }
        let text = pooled.to_string();
        assert!(text.contains("adjusted for age and female") || text.contains("age"), "{text}");
        assert!(!text.contains("clusters were declared"), "{text}");
    }
}

#[test]
fn clusters_of_all_trials_count_and_covariates_may_be_missing() {
    let pooled = OneStageCox::new().treatment("guidance").pool(&cities(true)).unwrap();
    let guidance = pooled.treatment("guidance").unwrap();
    let df = guidance.inference.df().unwrap();
    // Twelve officers of each of two arms in five cities.
    assert_eq!(df, 119.0);
    let plain =
        OneStageCox::new().treatment("guidance").variance(CoxVariance::Model).pool(&cities(true)).unwrap();
    assert!((plain.treatment("guidance").unwrap().value() - guidance.value()).abs() < 1e-12);
    assert!(plain.to_string().contains("clusters were declared"), "{plain}");
    let error =
        OneStageCox::new().variance(CoxVariance::Clustered).pool(&cities(false)).unwrap_err().to_string();
    assert!(error.contains("no trial declared any"), "{error}");
    let back: OneStageCox =
        serde_json::from_str(r#"{"treatment":null,"ties":"efron","baseline":"by_trial","level":0.95}"#)
            .unwrap();
    assert_eq!(back, OneStageCox::new());
    let error = OneStageCox::new().adjust_for(["education"]).pool(&cities(false)).unwrap_err();
    assert_eq!(error.kind().name(), "column_type", "{error}");
    let unknown = OneStageCox::new().adjust_for(["agee"]).pool(&cities(false)).unwrap_err();
    assert_eq!(unknown.kind().name(), "unknown_column", "{unknown}");
}
