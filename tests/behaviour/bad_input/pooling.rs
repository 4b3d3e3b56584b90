//! Estimates that can hardly be pooled, or do not belong together.

use super::check::{all_of, ensure, says, sound};
use crate::support::data::{City, WORKS, cities, city};
use crate::support::pools::{self, Visit, all, all_joint, analyses};
use armwise::Interval;
use armwise::bayes::TauPrior;
use armwise::meta_analysis::{CoefficientTest, PoolingWeights, PredictionDf, SubgroupTau2, Tau2, Test};
use armwise::pool::{CumulativeOrder, EffectOf, Priors};
use armwise::prelude::*;
use armwise::report::{ForestAxis, ForestGroup, ForestPlot, ForestRow};

fn estimates(trial: &str, arms: City) -> Estimates<RiskDifference> {
    city(trial, &WORKS, arms).estimate(&DifferenceInProportions::new()).unwrap()
}

fn effects(cities: &[City]) -> Effects<RiskDifference> {
    self::cities(cities).estimate(&DifferenceInProportions::new()).unwrap()
}

#[test]
fn every_pool_answers_or_says_why_not() {
    let usual: City = &[("control", 10, 100), ("guidance", 15, 90)];
    let other: City = &[("control", 20, 100), ("guidance", 18, 90)];
    let (none, everybody): (City, City) =
        (&[("control", 0, 100), ("guidance", 0, 90)], &[("control", 100, 100), ("guidance", 90, 90)]);
    let huge: City = &[("control", 1 << 50, 1 << 52), ("guidance", 1 << 49, 1 << 52)];
    let tiny: City = &[("control", 1, 2), ("guidance", 1, 2)];
    let cases: &[(&str, &[City])] = &[
        ("one trial", &[usual]),
        ("two trials", &[usual, other]),
        ("two equal trials", &[usual, usual]),
        ("a zero standard error", &[usual, none, other]),
        ("a zero standard error, everybody", &[usual, other, everybody]),
        ("one trial with a zero standard error", &[none]),
        ("a huge and a tiny trial", &[huge, tiny]),
    ];
    all_of(|| cases.iter().for_each(|(name, cities)| every_pool(name, cities)));
}

fn every_pool(name: &str, cities: &[City]) {
    let effects = effects(cities);
    {
        for pool in all() {
            let name = format!("{name}: {pool:?}");
            match pool.pool(&effects.treatment("guidance").unwrap()) {
                Ok(pooled) => {
                    sound(&name, &pooled);
                    let back: Pooled<RiskDifference> =
                        serde_json::from_str(&serde_json::to_string(&pooled).unwrap()).unwrap();
                    assert_eq!(pooled, back, "{name}");
                    assert!(
                        cities.len() > 2 || !pooled.notices().is_empty(),
                        "{name}: nobody says that trials are few"
                    );
                }
                Err(error) if name.contains("zero") => {
                    says(&name, &error, &["city", "works", "standard error is zero"]);
                }
                Err(error) => says(&name, &error, &["works", "guidance"]),
            }
        }
        for pool in all_joint() {
            let name = format!("{name}: {pool:?}");
            match pool.pool(&effects) {
                Ok(pooled) => {
                    sound(&name, &pooled);
                    let back: JointlyPooled<RiskDifference> =
                        serde_json::from_str(&serde_json::to_string(&pooled).unwrap()).unwrap();
                    assert_eq!(pooled, back, "{name}");
                }
                Err(error) if name.contains("zero") => {
                    says(&name, &error, &["city", "works", "standard error is zero"]);
                }
                Err(error) => says(&name, &error, &["works"]),
            }
        }
        analyses(&effects, "guidance", &mut Judge(name));
        let comparisons = cities.iter().enumerate().map(|(i, arms)| {
            Comparison::from_counts(format!("city {i}"), &WORKS, arms.iter().copied()).unwrap()
        });
        pools::counts(&Comparisons::new(comparisons).unwrap(), "guidance", &mut Judge(name));
    }
}

/// Few people, arms that differ from trial to trial, empty cells.
#[test]
fn any_few_people_have_an_answer_or_a_reason() {
    let mut state = 20_261_122_u64;
    let mut below = |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let mut cases = Vec::new();
    for _ in 0..60 {
        let size = [3, 12, 300][usize::try_from(below(3)).unwrap()];
        let trials: Vec<Vec<(&str, u64, u64)>> = (0..=below(5))
            .map(|trial| {
                let arms = ["control", "guidance", "exemption", "earnings"].into_iter().enumerate();
                let present = 1 + below(3);
                let chosen = arms.filter(|(i, _)| {
                    *i == 0 || (trial == 0 && *i == 1) || present == *i as u64 || below(3) == 0
                });
                let chosen: Vec<&str> = chosen.map(|(_, arm)| arm).collect();
                chosen
                    .into_iter()
                    .map(|arm| {
                        let n = 1 + below(size);
                        (arm, below(n + 1), n)
                    })
                    .collect()
            })
            .collect();
        cases.push(trials);
    }
    all_of(|| {
        for trials in &cases {
            let cities: Vec<City> = trials.iter().map(Vec::as_slice).collect();
            any_pool(&format!("{cities:?}"), &cities);
        }
    });
}

fn any_pool(name: &str, cities: &[City]) {
    let comparisons = cities
        .iter()
        .enumerate()
        .map(|(i, arms)| Comparison::from_counts(format!("city {i}"), &WORKS, arms.iter().copied()).unwrap());
    let comparisons = Comparisons::new(comparisons).unwrap();
    pools::counts(&comparisons, "guidance", &mut Judge(name));
    for model in [OneStageLogistic::common(), OneStageLogistic::random().treatment("guidance")] {
        Judge(name).see(&format!("{model:?}"), model.pool(&comparisons));
    }
    let effects = effects(cities);
    let alone = effects.treatment("guidance").unwrap();
    for pool in all() {
        Judge(name).see(&format!("{pool:?}"), pool.pool(&alone));
    }
    for pool in all_joint() {
        Judge(name).see(&format!("{pool:?}"), pool.pool(&effects));
    }
    analyses(&effects, "guidance", &mut Judge(name));
}

/// Every analysis answers with sound numbers, or says why not.
struct Judge<'a>(&'a str);

impl Visit for Judge<'_> {
    fn see<T>(&mut self, name: &str, result: armwise::Result<T>)
    where
        T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug + std::fmt::Display,
    {
        let name = format!("{}: {name}", self.0);
        match result {
            Ok(result) => {
                sound(&name, &result);
                let text = serde_json::to_string(&result).unwrap();
                let back = serde_json::from_str::<T>(&text);
                ensure(back.as_ref().is_ok_and(|back| *back == result), || {
                    format!("{name}: {:?}", back.err())
                });
            }
            Err(error) => says(&name, &error, &["works"]),
        }
    }
}

#[test]
fn analyses_name_what_is_wrong() {
    all_of(wrong_analyses);
}

fn wrong_analyses() {
    let usual: City = &[("control", 10, 100), ("guidance", 15, 90)];
    let cities = effects(&[
        usual,
        &[("control", 20, 100), ("guidance", 18, 90)],
        &[("control", 9, 80), ("guidance", 12, 85)],
    ]);
    let guidance = cities.treatment("guidance").unwrap();
    let words = ["works", "guidance"];
    let all = ["city 0", "city 1", "city 2"];
    for level in [0.0, 95.0, f64::NAN] {
        says("level NaN", &SideBySide::new().level(level).pool(&guidance).unwrap_err(), &words);
        says("level NaN", &BayesianRandomEffects::new().level(level).pool(&guidance).unwrap_err(), &words);
        says("level NaN", &ParticipantWeighted::new().level(level).pool(&guidance).unwrap_err(), &words);
        let regression = MetaRegression::new().level(level).number("x", all.map(|city| (city, 1.0)));
        says("level NaN", &regression.fit(&guidance).unwrap_err(), &words);
        says("level NaN", &NetworkMetaAnalysis::random().level(level).pool(&cities).unwrap_err(), &["works"]);
        let models = [
            RandomEffects::new().level(level).sensitivity(&guidance),
            CommonEffect::new().level(level).sensitivity(&guidance),
        ];
        for model in models {
            says("level NaN", &model.unwrap_err(), &words);
        }
    }
    let bad = BayesianRandomEffects::new().tau_prior(TauPrior::HalfNormal { scale: f64::NAN });
    says("prior NaN", &bad.pool(&guidance).unwrap_err(), &["works", "guidance", "prior"]);
    let improper = BayesianRandomEffects::new().tau_prior(TauPrior::ImproperUniform);
    let two = TreatmentEffects::new(guidance.iter().take(2).cloned()).unwrap();
    says("improper", &improper.pool(&two).unwrap_err(), &["works", "guidance", "proper prior"]);
    let posterior = BayesianRandomEffects::new().pool(&guidance).unwrap();
    says(
        "margin",
        &posterior.probability_of_no_harm(EffectOf::Mean, -0.1).unwrap_err(),
        &["works", "margin"],
    );
    says("trial", &posterior.trial("city 9").unwrap_err(), &["city 9"]);
    let none = Priors::Of(Vec::new());
    says("no prior", &BayesianRandomEffects::new().prior_sensitivity(&guidance, &none).unwrap_err(), &words);

    let weights = ParticipantWeighted::new().weights([("city 0", 1.0), ("city 1", 1.0)]);
    says("weight", &weights.pool(&guidance).unwrap_err(), &["city 2", "works", "weights"]);
    for weight in [-1.0, f64::NAN, f64::INFINITY] {
        let weights = ParticipantWeighted::new().weights(all.map(|city| (city, weight)));
        says("weight NaN", &weights.pool(&guidance).unwrap_err(), &words);
    }
    let typo =
        ParticipantWeighted::new().weights(["city 0", "city 1", "city 2", "cty 2"].map(|city| (city, 1.0)));
    says("typo", &typo.pool(&guidance).unwrap_err(), &["did you mean"]);
    let twice = MetaRegression::new().number("x", ["city 0", "city 0"].map(|city| (city, 1.0)));
    says("twice", &twice.fit(&guidance).unwrap_err(), &["city 0", "two values"]);
    let constant = MetaRegression::new().number("x", all.map(|city| (city, 1.0)));
    says("constant", &constant.fit(&guidance).unwrap_err(), &["works", "x"]);
    let fit = MetaRegression::new()
        .number("x", [("city 0", 1.0), ("city 1", 2.0), ("city 2", 4.0)])
        .fit(&guidance)
        .unwrap();
    says("missing", &fit.predict([]).unwrap_err(), &["x"]);
    says("unknown", &fit.predict([("y", 1.0.into())]).unwrap_err(), &["y", "x"]);
    says("label", &fit.predict([("x", "much".into())]).unwrap_err(), &["x", "number"]);
    let one = Subgroups::by("size", all.map(|city| (city, "large")));
    says("one subgroup", &one.pool(&guidance).unwrap_err(), &words);
    let contrary = Subgroups::by("size", [("city 0", "large"), ("city 1", "small"), ("city 2", "large")])
        .tau2(SubgroupTau2::Common)
        .common_effect(CommonEffect::new());
    says("no tau2 to share", &contrary.pool(&guidance).unwrap_err(), &["works", "guidance", "tau2"]);
    let missing = Subgroups::by("size", [("city 0", "large")]);
    says("no subgroup", &missing.pool(&guidance).unwrap_err(), &["city 1", "size"]);

    let sensitivity = RandomEffects::new().sensitivity(&guidance).unwrap();
    let order = CumulativeOrder::Named(vec![Label::new("city 0")]);
    says("order", &sensitivity.cumulative(&order).unwrap_err(), &["city 1", "order"]);
    let order = CumulativeOrder::Named(["city 0", "city 1", "city 7"].map(Label::new).to_vec());
    says("order", &sensitivity.cumulative(&order).unwrap_err(), &["city 7"]);
    let order = CumulativeOrder::Named(["city 0", "city 1", "city 2", "city 2"].map(Label::new).to_vec());
    says("order", &sensitivity.cumulative(&order).unwrap_err(), &["order"]);

    says("arm", &NetworkMetaAnalysis::random().reference("nobody").pool(&cities).unwrap_err(), &["nobody"]);
    let network = NetworkMetaAnalysis::random().pool(&cities).unwrap();
    says("itself", &network.comparison("control", "control").unwrap_err(), &["itself"]);
    says("arm", &network.comparison("control", "guidence").unwrap_err(), &["did you mean"]);
    let apart = [estimates("A", usual), estimates("B", &[("usual care", 3, 50), ("exemption", 8, 60)])];
    says("apart", &NetworkMetaAnalysis::common().pool(&apart).unwrap_err(), &["works", "usual care"]);
    let fewer = effects(&[usual, usual]);
    let components = ComponentModel::random().pool(&fewer).unwrap();
    says("other trials", &network.additivity(&components).unwrap_err(), &["works", "same effects"]);

    let counts = |arms: City| Comparison::from_counts("A", &WORKS, arms.iter().copied()).unwrap();
    let twice = Comparisons::new([counts(usual), counts(usual)]).unwrap();
    says("twice", &Peto::new().pool(&twice, "guidance").unwrap_err(), &["A", "works", "twice"]);
    says("typo", &Peto::new().pool(&twice, "guidence").unwrap_err(), &["did you mean"]);
    let silent = Comparisons::new([counts(&[("control", 0, 100), ("guidance", 0, 90)])]).unwrap();
    says("no events", &Peto::new().pool(&silent, "guidance").unwrap_err(), &words);
    says("no events", &MantelHaenszel::new(LogOddsRatio).pool(&silent, "guidance").unwrap_err(), &words);
}

#[test]
fn numbers_out_of_range_are_told_by_trial() {
    let counts = |trial: &str| {
        Comparison::from_counts(trial, &WORKS, [("control", 10, 100), ("guidance", 15, 90)]).unwrap()
    };
    let effect = |trial: &str, variance: f64| {
        let covariance = armwise::ndarray::Array2::from_diag_elem(2, variance);
        let means = ArmMeans::new(&counts(trial), vec![0.1, 0.2], covariance, Method::new("mine")).unwrap();
        means.contrast(MeanDifference)?.treatment("guidance")
    };
    // A standard error of 4e-23 beside means of 0.1 is rounding, and told before there is an effect.
    says("rounding", &effect("B", 1e-45).unwrap_err(), &["B", "works", "guidance", "is zero"]);
    let effects = TreatmentEffects::new([effect("A", 0.01).unwrap(), effect("B", 1e45).unwrap()]).unwrap();
    let error = RandomEffects::new().pool(&effects).unwrap_err();
    says("out of range", &error, &["B", "works", "guidance", "another unit"]);
}

#[test]
fn one_trial_is_pooled_by_wald_with_a_notice() {
    let alone = effects(&[&[("control", 10, 100), ("guidance", 15, 90)]]).treatment("guidance").unwrap();
    let pooled = RandomEffects::new().pool(&alone).unwrap();
    assert_eq!(pooled.value(), pooled.trials[0].estimate.value());
    assert!(pooled.notices().contains(&Notice::FewTrials { trials: 1 }));
    let error = RandomEffects::new().test(Test::HartungKnapp).pool(&alone).unwrap_err();
    says("Hartung-Knapp of one trial", &error, &["works", "guidance"]);
    let error = pooled.prediction_by(PredictionDf::KMinus2).unwrap_err();
    says("prediction from one trial", &error, &["3 studies"]);
}

#[test]
fn options_that_do_not_fit() {
    let cities = effects(&[
        &[("control", 10, 100), ("guidance", 15, 90)],
        &[("control", 8, 100), ("guidance", 9, 90)],
    ]);
    let guidance = cities.treatment("guidance").unwrap();
    for level in [0.0, 1.0, 95.0, -1.0, f64::NAN] {
        let name = format!("level NaN or {level}");
        let words = ["level", "0.95"];
        says(&name, &RandomEffects::new().level(level).pool(&guidance).unwrap_err(), &words);
        says(&name, &CommonEffect::new().level(level).pool(&guidance).unwrap_err(), &words);
        says(&name, &JointModel::random().level(level).pool(&cities).unwrap_err(), &words);
        says(&name, &ComponentModel::common().level(level).pool(&cities).unwrap_err(), &words);
    }
    says(
        "weights",
        &RandomEffects::new().weights(PoolingWeights::Given).pool(&guidance).unwrap_err(),
        &["weights"],
    );
    says(
        "weights",
        &RandomEffects::new().tau2(Tau2::GeneralizedQ).pool(&guidance).unwrap_err(),
        &["weights"],
    );
    says("joint tau2", &JointModel::random().tau2(Tau2::SidikJonkman).pool(&cities).unwrap_err(), &["tau"]);
    let residual = JointModel::random().test(CoefficientTest::Residual);
    assert!(residual.pool(&cities).is_ok());
    let pooled = RandomEffects::new().pool(&guidance).unwrap();
    for (alpha, power) in [(0.0, 0.8), (0.05, 1.0), (f64::NAN, 0.8)] {
        says(
            "power or NaN",
            &pooled.minimal_detectable_effect(alpha, power).unwrap_err(),
            &["alpha", "power"],
        );
    }
    says("treatment", &cities.treatment("guidence").unwrap_err(), &["did you mean \"guidance\""]);
    says("trial", &cities.trial("city 7").unwrap_err(), &["city 7", "city 0"]);
    let joint = JointModel::random().pool(&cities).unwrap();
    says("coefficient", &joint.coefficient("guidence").unwrap_err(), &["did you mean \"guidance\""]);
    let error = ComponentModel::random().arm("guidence", ["a"]).pool(&cities).unwrap_err();
    says("component", &error, &["did you mean \"guidance\""]);
    let one = cities.trial("city 0").unwrap();
    says("itself", &one.between("guidance", "guidance").unwrap_err(), &["city 0", "works", "itself"]);
    says("no weights", &one.combination::<&str>("nothing", &[]).unwrap_err(), &["city 0", "works"]);
    says("NaN weight", &one.combination("all", &[("guidance", f64::NAN)]).unwrap_err(), &["city 0", "works"]);
    says(
        "the name of the control",
        &one.combination("control", &[("guidance", 1.0)]).unwrap_err(),
        &["city 0", "works", "control"],
    );
}

#[test]
fn components_that_cannot_be_told_apart_are_named() {
    let of = |trial: &str, arm: &str, parts: &[&str]| {
        Comparison::from_counts(trial, &WORKS, [("control", 10, 100), (arm, 15, 90)])
            .unwrap()
            .components(arm, parts)
            .unwrap()
            .estimate(&DifferenceInProportions::new())
            .unwrap()
    };
    let effects = Effects::new([
        of("A", "both", &["exemption", "earnings"]),
        of("B", "all", &["exemption", "earnings", "guidance"]),
        of("C", "guidance", &["guidance"]),
    ])
    .unwrap();
    for model in [ComponentModel::common(), ComponentModel::random()] {
        let error = model.pool(&effects).unwrap_err();
        says("components", &error, &["works", "exemption", "earnings"]);
        assert!(!error.to_string().contains("guidance"), "{error}");
    }
    let error = Comparison::from_counts("A", &WORKS, [("control", 1, 9), ("both", 2, 9)])
        .unwrap()
        .components("bot", ["a"])
        .unwrap_err();
    says("components", &error, &["A", "works", "did you mean \"both\""]);
}

#[test]
fn what_does_not_belong_together_is_not_pooled() {
    let counts = [("control", 10, 100), ("guidance", 15, 90)];
    let usual = estimates("A", &counts);
    let named = |trial: &str, measure: &Measure<Binary>, arms: [(&str, u64, u64); 2]| {
        Comparison::from_counts(trial, measure, arms)
            .unwrap()
            .estimate(&DifferenceInProportions::new())
            .unwrap()
    };
    let others: [(&str, Estimates<AnyScale>, &[&str]); 7] = [
        (
            "measure",
            named("B", &Measure::binary("outflow"), counts).to_any(),
            &["B", "measure", "works", "outflow"],
        ),
        ("horizon", named("B", &WORKS.horizon("16 months"), counts).to_any(), &["B", "horizon", "16 months"]),
        ("unit", named("B", &WORKS.unit("people"), counts).to_any(), &["B", "unit", "people"]),
        ("direction", named("B", &WORKS.lower_is_better(), counts).to_any(), &["B", "direction"]),
        (
            "reference",
            named("B", &WORKS, [("usual care", 1, 9), ("guidance", 2, 9)]).to_any(),
            &["B", "reference", "usual care"],
        ),
        (
            "scale",
            Comparison::from_counts("B", &WORKS, counts)
                .unwrap()
                .estimate(&OddsRatio::new())
                .unwrap()
                .to_any(),
            &["B", "scale", "risk difference", "odds ratio"],
        ),
        ("trial", named("A", &WORKS, [("control", 1, 9), ("guidance", 2, 9)]).to_any(), &["A", "twice"]),
    ];
    for (name, other, words) in others {
        let error = Effects::new([usual.to_any(), other.clone()]).unwrap_err();
        says(name, &error, words);
        let pair = [usual.to_any().treatment("guidance").unwrap(), other.treatment("guidance").unwrap()];
        says(name, &TreatmentEffects::new(pair).unwrap_err(), words);
    }
    let treatments = [
        usual.treatment("guidance").unwrap(),
        estimates("B", &[("control", 1, 9), ("exemption", 2, 9)]).treatment("exemption").unwrap(),
    ];
    says("treatment", &TreatmentEffects::new(treatments).unwrap_err(), &["B", "guidance", "exemption"]);
    says("nothing", &Effects::<RiskDifference>::new([]).unwrap_err(), &[]);
    says("nothing", &TreatmentEffects::<RiskDifference>::new([]).unwrap_err(), &[]);

    let csv = "arm,works,age\ncontrol,1,20\ncontrol,0,30\ncontrol,0,25\ncontrol,1,40\nguidance,1,21\nguidance,0,33\nguidance,1,38\nguidance,0,29\n";
    let trial = |name: &str| {
        Trial::builder(name, Table::from_csv_str(csv).unwrap())
            .arm_labels("arm")
            .control("control")
            .build()
            .unwrap()
    };
    let conditional =
        trial("A").on(&WORKS).unwrap().estimate(&LogisticRegression::new().adjust_for(["age"])).unwrap();
    let marginal = trial("B").on(&WORKS).unwrap().estimate(&OddsRatio::new()).unwrap();
    says(
        "estimand",
        &Effects::new([conditional.clone(), marginal]).unwrap_err(),
        &["B", "estimand", "conditional", "marginal"],
    );
    let error = conditional.to_any().on_scale::<RiskDifference>().unwrap_err();
    says("scale", &error, &["odds ratio", "RiskDifference"]);
}

#[test]
fn an_estimator_of_ones_own_that_errs() {
    let comparison =
        Comparison::from_counts("Utrecht", &WORKS, [("control", 10, 100), ("guidance", 15, 90)]).unwrap();
    let means = |values: Vec<f64>, covariance: Vec<f64>, k: usize| {
        let covariance = armwise::ndarray::Array2::from_shape_vec((k, k), covariance).unwrap();
        ArmMeans::new(&comparison, values, covariance, Method::new("mine"))
    };
    let good = || means(vec![0.1, 0.2], vec![0.01, 0.0, 0.0, 0.01], 2);
    let words = ["Utrecht", "works"];
    says("one value", &means(vec![0.1], vec![0.01], 1).unwrap_err(), &words);
    says("not a number", &means(vec![0.1, f64::NAN], vec![0.01, 0.0, 0.0, 0.01], 2).unwrap_err(), &words);
    says("infinite", &means(vec![0.1, 0.2], vec![0.01, 0.0, 0.0, f64::INFINITY], 2).unwrap_err(), &words);
    let negative =
        means(vec![0.1, 0.2], vec![0.01, 0.0, 0.0, -0.5], 2).and_then(|m| m.contrast(RiskDifference));
    says("negative variance", &negative.unwrap_err(), &words);
    let no_proportion =
        means(vec![0.1, 1.2], vec![0.01, 0.0, 0.0, 0.5], 2).and_then(|m| m.contrast(RiskDifference));
    says("no proportion", &no_proportion.unwrap_err(), &["Utrecht", "works", "guidance", "1.2"]);
    let zero = means(vec![0.0, 0.2], vec![0.01, 0.0, 0.0, 0.5], 2).and_then(|m| m.contrast(LogOddsRatio));
    says("logarithm of zero", &zero.unwrap_err(), &["Utrecht", "works", "guidance"]);
    let skewed =
        means(vec![0.1, 0.2], vec![0.01, 0.005, 0.0, 0.01], 2).and_then(|m| m.contrast(RiskDifference));
    says("asymmetric", &skewed.unwrap_err(), &words);
    for df in [0.0, -1.0, f64::NAN] {
        let error = good().unwrap().df(df).contrast(RiskDifference).unwrap_err();
        says("degrees of freedom NaN", &error, &["Utrecht", "works", "degrees of freedom"]);
    }
    for level in [0.0, 2.0, f64::NAN] {
        let means = good().unwrap().level(level);
        says("level NaN", &means.contrast(RiskDifference).unwrap_err(), &["Utrecht", "works", "level"]);
        says("level NaN", &means.interval("guidance").unwrap_err(), &["Utrecht", "works", "level"]);
    }
    says("unknown arm", &good().unwrap().se("guidence").unwrap_err(), &["did you mean \"guidance\""]);
}

#[test]
fn a_label_of_200_characters_in_the_forest_plot() {
    let label = "Groningen-Ten Boer-Haren ".repeat(8);
    let rows = [f64::NAN, f64::INFINITY, 1e308, 0.02]
        .map(|value| ForestRow::study(&label, value, Interval::new(-0.1, 0.1).unwrap()));
    let group = rows.into_iter().fold(ForestGroup::new(&label), ForestGroup::row);
    let svg =
        ForestPlot::new(ForestAxis::percentage_points("difference")).title(&label).group(group).to_svg();
    assert!(svg.ends_with("</svg>\n") || svg.ends_with("</svg>"));
    assert!(!svg.contains("NaN") && !svg.contains("inf\""), "{svg}");
    let empty = ForestPlot::new(ForestAxis::ratio("risk ratio")).to_svg();
    assert!(!empty.contains("NaN"));
}
