//! Outcomes in several waves, from the table of a trial to effects, notices and figures.

use armwise::longitudinal::{CovarianceStructure, DfMethod, LikelihoodCriterion};
use armwise::prelude::*;
use armwise::report::EffectsOverTimePlot;

const WELLBEING: Measure<Repeated<Continuous>> = Measure::repeated(
    "wellbeing",
    &[("start", "w0"), ("8 months", "w1"), ("16 months", "w2"), ("24 months", "w3")],
)
.baseline("start")
.unit("points")
.higher_is_better();

const PEOPLE: &str = "\
arm,group,w0,w1,w2,w3
c,a,50,55,53,54
c,b,61,60,,
c,a,42,50,49,47
c,b,55,51,58,60
c,a,47,52,44,
c,b,52,,50,53
c,a,49,50,51,49
t,a,48,60,58,61
t,b,55,58,63,66
t,a,52,59,,
t,b,60,66,69,75
t,a,44,53,50,55
t,b,51,,60,
t,a,,57,56,60
t,b,58,,,
";

fn trial() -> Trial {
    let table = Table::from_csv_str(PEOPLE).unwrap();
    Trial::builder("Utrecht", table).arm_labels("arm").control("c").build().unwrap()
}

#[test]
fn people_are_analysed_with_the_waves_that_they_answered() {
    let comparison = trial().on(&WELLBEING).unwrap();
    assert_eq!(comparison.waves(), ["start", "8 months", "16 months", "24 months"].map(Label::new));
    let waves = comparison.estimate_waves(&RepeatedMeasures::unstructured()).unwrap();
    // One has no later wave, one no baseline.
    let told = |notice: &Notice| waves.notices().contains(notice);
    assert!(told(&Notice::BaselineOnly { participants: 1 }));
    assert!(told(&Notice::MissingCovariate { covariate: "w0".to_owned(), participants: 1 }));
    assert_eq!(waves.observed, [[6, 6, 5], [5, 5, 4]].map(Vec::from));
    let last = waves.at("24 months").unwrap().treatment("t").unwrap();
    assert_eq!(last.treatment_counts().analysed, 6);
    assert_eq!(last.method().adjusted_for, ["w0"]);
    assert_eq!(last.method().variance.to_string(), "unstructured covariance, REML, Kenward-Roger");
    assert!(last.to_string().contains("24 months"), "{last}");
    // With one mean at the baseline everybody stays in.
    let constrained = RepeatedMeasures::unstructured().constrained_baseline().df(DfMethod::Satterthwaite);
    let all = comparison.estimate_waves(&constrained).unwrap();
    assert_eq!(all.at("8 months").unwrap().treatment("t").unwrap().treatment_counts().analysed, 8);
    assert!(all.at("start").is_err() && all.waves.len() == 3);
    let error = trial()
        .on(&Measure::repeated("wellbeing", &[("8 months", "w1"), ("16 months", "w2")]))
        .unwrap()
        .estimate(&constrained)
        .unwrap_err();
    assert!(error.to_string().contains("no baseline is declared"), "{error}");
}

#[test]
fn a_ladder_is_declared_and_told() {
    // Nobody answers both the first and the last wave.
    let text = "arm,w1,w2,w3\nc,1,2,\nc,4,3,\nc,5,7,\nc,,3,4\nc,,6,5\nc,,2,3\nt,3,4,\nt,6,4,\nt,2,5,\nt,,7,8\nt,,5,4\nt,,6,9\n";
    let table = Table::from_csv_str(text).unwrap();
    let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build().unwrap();
    let measure = Measure::repeated("score", &[("first", "w1"), ("second", "w2"), ("third", "w3")]);
    let comparison = trial.on(&measure).unwrap();
    let error = comparison.estimate(&RepeatedMeasures::unstructured()).unwrap_err();
    assert!(error.to_string().contains("no unit has outcomes in wave 0 and wave 2"), "{error}");
    let model = RepeatedMeasures::unstructured()
        .or_else([CovarianceStructure::Toeplitz, CovarianceStructure::HeterogeneousAutoregressive]);
    let effects = comparison.estimate(&model).unwrap();
    let taken = effects.notices().iter().find_map(|notice| match notice {
        Notice::SimplerCovariance { taken, .. } => Some(taken.as_str()),
        _ => None,
    });
    assert_eq!(taken, Some("heterogeneous AR(1)"));
    // Kenward-Roger is not defined for it.
    assert!(effects.method().variance.to_string().ends_with("Satterthwaite"));
    let asked = RepeatedMeasures::new(CovarianceStructure::Autoregressive).df(DfMethod::KenwardRoger);
    let error = comparison.estimate(&asked).unwrap_err();
    assert!(error.to_string().contains("linear in their parameters"), "{error}");
    let asked = RepeatedMeasures::new(CovarianceStructure::Autoregressive)
        .criterion(LikelihoodCriterion::Full)
        .df(DfMethod::Satterthwaite);
    let error = comparison.estimate(&asked).unwrap_err();
    assert!(error.to_string().contains("DfMethod::Normal"), "{error}");
}

#[test]
fn waves_pool_one_by_one_and_draw_together() {
    let table = Table::from_csv_str(PEOPLE).unwrap();
    let city = |name: &str| {
        Trial::builder(name, table.clone())
            .arm_labels("arm")
            .control("c")
            .build()
            .unwrap()
            .on(&WELLBEING)
            .unwrap()
    };
    let cities = Comparisons::new([city("Utrecht"), city("Deventer"), city("Tilburg")]).unwrap();
    let effects = cities.estimate(&RepeatedMeasures::unstructured().at("16 months")).unwrap();
    let pooled = RandomEffects::new().pool(&effects.treatment("t").unwrap()).unwrap();
    assert_eq!(pooled.measure().horizon.as_deref(), Some("16 months"));
    let waves = city("Utrecht").estimate_waves(&RepeatedMeasures::unstructured()).unwrap();
    let figure = EffectsOverTimePlot::of_waves(&waves).unwrap().times([8.0, 16.0, 24.0]).unwrap();
    let svg = figure.time_label("Months since the start").to_svg();
    for words in
        ["Utrecht", "all waves: p", "Difference in means (points)", "16 months: ", "of each wave by itself"]
    {
        assert!(svg.contains(words), "{words}: {svg}");
    }
    assert!(EffectsOverTimePlot::of_waves(&waves).unwrap().times([8.0, 8.0, 24.0]).is_err());
    // Each arm in each wave, and the test of all of them.
    let text = waves.to_string();
    for words in ["24 months", "change from 8 months to 24 months", "t, all waves: F = "] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // Reading checks what was written.
    let text = serde_json::to_string(&waves).unwrap();
    let read: WaveEffects<MeanDifference> = serde_json::from_str(&text).unwrap();
    assert_eq!(read, waves);
    assert!(serde_json::from_str::<WaveEffects<RiskDifference>>(&text).is_err());
    let broken = text.replacen("\"wave\":\"8 months\"", "\"wave\":\"9 months\"", 1);
    assert!(serde_json::from_str::<WaveEffects<MeanDifference>>(&broken).is_err());
}

#[test]
fn strata_are_covariates_or_a_notice() {
    let table = Table::from_csv_str(PEOPLE).unwrap();
    let trial =
        Trial::builder("Utrecht", table).arm_labels("arm").control("c").strata(["group"]).build().unwrap();
    let comparison = trial.on(&WELLBEING).unwrap();
    let model = RepeatedMeasures::new(CovarianceStructure::CompoundSymmetry);
    let ignored = |effects: &Estimates<MeanDifference>| {
        effects.notices().iter().any(|notice| matches!(notice, Notice::StrataIgnored { .. }))
    };
    let plain =
        Measure::repeated("wellbeing", &[("8 months", "w1"), ("16 months", "w2"), ("24 months", "w3")]);
    assert!(ignored(&trial.on(&plain).unwrap().estimate(&model).unwrap()));
    let adjusted = comparison.estimate(&model.adjust_for(["group"])).unwrap();
    assert!(!ignored(&adjusted));
    assert_eq!(adjusted.method().adjusted_for, ["w0", "group"]);
}

#[test]
fn waves_that_cannot_be_are_refused() {
    let on = |measure: &Measure<Repeated<Continuous>>| trial().on(measure).unwrap_err().to_string();
    let twice = Measure::repeated("wellbeing", &[("8 months", "w1"), ("16 months", "w1")]);
    assert!(on(&twice).contains("two waves have the column \"w1\""));
    let one = Measure::repeated("wellbeing", &[("8 months", "w1")]);
    assert!(on(&one).contains("two waves or more"));
    let nowhere =
        Measure::repeated("wellbeing", &[("8 months", "w1"), ("16 months", "w2")]).baseline("start");
    assert!(on(&nowhere).contains("there is no wave \"start\""));
    let shared = WELLBEING.waves([("start", "w0"), ("8 months".to_owned().as_str(), "w1")]);
    assert_eq!(trial().on(&shared).unwrap().waves().len(), 2);
    let numbers = Measure::repeated_binary("works", &[("8 months", "w1"), ("16 months", "w2")]);
    assert!(trial().on(&numbers).unwrap_err().to_string().contains("expected 0 or 1"));
}
