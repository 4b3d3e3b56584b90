//! One-stage models of data that they can hardly answer, or that do not belong together.

use super::check::{all_of, ensure, says, sound};
use crate::support::data::{City, WORKS, cities, city};
use armwise::prelude::*;

fn models() -> Vec<OneStageLogistic> {
    vec![
        OneStageLogistic::common(),
        OneStageLogistic::common().treatment("guidance").level(0.8),
        OneStageLogistic::random().treatment("guidance"),
        OneStageLogistic::random().treatment("guidance").points(1),
    ]
}

#[test]
fn every_one_stage_model_answers_or_says_why_not() {
    let usual: City = &[("control", 10, 100), ("guidance", 15, 90)];
    let other: City = &[("control", 20, 100), ("guidance", 18, 90)];
    let none: City = &[("control", 0, 100), ("guidance", 0, 90)];
    let everybody: City = &[("control", 100, 100), ("guidance", 90, 90)];
    let separated: City = &[("control", 5, 100), ("guidance", 0, 90)];
    let reversed: City = &[("control", 0, 100), ("guidance", 4, 90)];
    let huge: City = &[("control", 1 << 50, 1 << 52), ("guidance", 1 << 49, 1 << 52)];
    let tiny: City = &[("control", 1, 2), ("guidance", 1, 2)];
    let three: City = &[("control", 4, 50), ("guidance", 5, 50), ("earnings", 6, 50)];
    let cases: &[(&str, &[City], bool)] = &[
        ("one trial", &[usual], false),
        ("two trials", &[usual, other], true),
        ("two equal trials", &[usual, usual], true),
        ("a trial without events", &[usual, none, other], true),
        ("a trial in which everybody works", &[usual, other, everybody], true),
        ("no events", &[none, none], false),
        ("all or none", &[none, everybody], false),
        ("separation", &[separated, separated], false),
        ("separation either way", &[separated, reversed], true),
        ("one separated trial", &[usual, separated, other], true),
        ("a huge and a tiny trial", &[huge, tiny], true),
        ("three arms", &[three, usual, three], true),
    ];
    all_of(|| {
        for (name, data, answers) in cases {
            let data = cities(data);
            let mut answered = true;
            for model in models() {
                let name = format!("{name}: {model:?}");
                match model.pool(&data) {
                    Ok(pooled) => {
                        sound(&name, &pooled);
                        let json = serde_json::to_string(&pooled).unwrap();
                        let back: OneStagePooled<LogOddsRatio> = serde_json::from_str(&json).unwrap();
                        ensure(back == pooled, || format!("{name}: does not come back"));
                    }
                    Err(error) => {
                        answered = false;
                        says(&name, &error, &["works"]);
                    }
                }
            }
            ensure(answered == *answers, || format!("{name}: answered {answered}, expected {answers}"));
        }
    });
}

#[test]
fn one_stage_models_of_what_does_not_belong_together() {
    let arms: City = &[("control", 10, 100), ("guidance", 15, 90), ("earnings", 9, 80)];
    let usual = city("A", &WORKS, arms);
    let common = OneStageLogistic::common();
    let pool = |other: Comparison<Binary>| {
        common.pool(&Comparisons::new([usual.clone(), other]).unwrap()).unwrap_err()
    };
    says("twice", &pool(city("A", &WORKS, arms)), &["A", "works", "twice"]);
    says("measure", &pool(city("B", &Measure::binary("outflow"), arms)), &["B", "outflow", "works"]);
    let reference = pool(city("B", &WORKS, &[("usual care", 1, 9), ("guidance", 2, 9)]));
    says("reference", &reference, &["B", "usual care", "control"]);

    let both = Comparisons::new([usual, city("B", &WORKS, arms)]).unwrap();
    says(
        "several",
        &OneStageLogistic::random().pool(&both).unwrap_err(),
        &["works", "guidance", "earnings", "treatment(..)"],
    );
    let unknown = OneStageLogistic::common().treatment("guidence").pool(&both).unwrap_err();
    says("treatment", &unknown, &["did you mean \"guidance\""]);
    for level in [0.0, 1.0, f64::NAN] {
        says("level NaN", &common.clone().level(level).pool(&both).unwrap_err(), &["works", "level"]);
    }
    for points in [0, 1000] {
        let model = OneStageLogistic::random().treatment("guidance").points(points);
        says("points", &model.pool(&both).unwrap_err(), &["works", "quadrature points"]);
    }
    let pooled = common.pool(&both).unwrap();
    says("treatment", &pooled.treatment("guidence").unwrap_err(), &["did you mean \"guidance\""]);

    let effects = both.estimate(&OddsRatio::new()).unwrap().treatment("earnings").unwrap();
    let two = CommonEffect::new().pool(&effects).unwrap();
    let table = OneStageComparison::new("guidance");
    says("other treatment", &table.two_stage("two", &two).unwrap_err(), &["guidance", "earnings"]);
    assert!(OneStageComparison::<LogOddsRatio>::new("guidance").to_string().contains("no analysis"));
}

#[test]
fn linear_one_stage_models_say_what_is_wrong() {
    let pool = |csv: &str, model: &OneStageLinear| {
        let table = Table::from_csv_str(csv).unwrap();
        let trials = Trials::builder(table, "city").arm_labels("arm").control("c").build().unwrap();
        model.pool(&trials.on(&Measure::continuous("score")).unwrap())
    };
    let good = "city,arm,age,fixed,score\nA,c,40,1,3.0\nA,t,51,1,4.1\nA,c,35,1,3.4\nB,c,61,2,7.0\nB,t,58,2,8.9\nB,t,49,2,8.4\n";
    let (common, random) = (OneStageLinear::common(), OneStageLinear::random());
    for model in [&common, &random] {
        sound("good", &pool(good, model).unwrap());
        let unknown = pool(good, &model.clone().adjust_for(["agee"])).unwrap_err();
        says("unknown covariate", &unknown, &["score", "did you mean \"age\""]);
        let aliased = pool(good, &model.clone().adjust_for(["fixed"])).unwrap_err();
        says("covariate of the trials", &aliased, &["score", "fixed"]);
        let constant = "city,arm,score\nA,c,3\nA,t,3\nA,c,3\nB,c,3\nB,t,3\nB,t,3\n";
        says("constant outcome", &pool(constant, model).unwrap_err(), &["score"]);
        let few = "city,arm,score\nA,c,3\nA,t,4\n";
        says("few people", &pool(few, model).unwrap_err(), &["score"]);
        says("level NaN", &pool(good, &model.clone().level(f64::NAN)).unwrap_err(), &["score", "level"]);
    }
    let one = "city,arm,score\nA,c,3\nA,t,4\nA,t,4.5\nA,c,2\n";
    sound("one trial", &pool(one, &common).unwrap());
    says("one trial", &pool(one, &random).unwrap_err(), &["score", "1 site"]);
}
