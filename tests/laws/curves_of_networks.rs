//! One confidence curve for each effect of networks, subgroups, meta-regressions and counts; joint tests
//! beside it.

use super::analyses::ragged;
use super::curves::laws;
use crate::support::data::{ARMS, Counts, WORKS, comparisons, counts, effects, guidance};
use crate::support::{near_or_equal, survives};
use armwise::distribution::{ChiSquared, FisherF, StudentT};
use armwise::effect::WaldTest;
use armwise::effect::{ConfidenceCurve, Inference};
use armwise::meta_analysis::{CoefficientTest, SubgroupTau2, Test};
use armwise::pool::EmptyCells;
use armwise::prelude::*;
use proptest::prelude::*;
use serde_json::{Value, json};

const TESTS: [Test; 5] =
    [Test::Normal, Test::T, Test::HartungKnapp, Test::HartungKnappTruncated, Test::WiderOfBoth];

/// The laws of a curve at its level and at others, the limits to seven digits.
fn obeys(name: &str, inference: &Inference) {
    for level in [inference.level(), 0.5, 0.99] {
        laws(name, inference, level);
        let interval = inference.interval_at(level).unwrap();
        let tail = 0.5 * (1.0 - level);
        assert!((inference.p_above(interval.lower()).unwrap() - tail).abs() < 1e-7, "{name}: {inference:?}");
        assert!((inference.p_below(interval.upper()).unwrap() - tail).abs() < 1e-7, "{name}: {inference:?}");
    }
}

/// The p-value of a joint test follows from its statistic, and it has the distribution that belongs to the
/// intervals.
fn belongs(test: &WaldTest) {
    let p = match test.denominator_df {
        Some(df) => FisherF::new(test.df, df).unwrap().sf(test.statistic),
        None => ChiSquared::new(test.df).unwrap().sf(test.statistic),
    };
    assert!(near_or_equal(test.p_value, p, 1e-12), "{test:?}");
}

fn networks(level: f64) -> [NetworkMetaAnalysis; 4] {
    [
        NetworkMetaAnalysis::random(),
        NetworkMetaAnalysis::random().test(CoefficientTest::Normal),
        NetworkMetaAnalysis::random().test(CoefficientTest::Residual).reference("guidance"),
        NetworkMetaAnalysis::common(),
    ]
    .map(|model| model.level(level))
}

fn halves(alone: &TreatmentEffects<RiskDifference>) -> impl Iterator<Item = (&Label, &'static str)> {
    alone.iter().enumerate().map(|(i, estimate)| (estimate.trial(), if i % 2 == 0 { "even" } else { "odd" }))
}

fn numbers(alone: &TreatmentEffects<RiskDifference>) -> impl Iterator<Item = (&Label, f64)> {
    alone.iter().enumerate().map(|(i, estimate)| (estimate.trial(), (i * i) as f64))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn networks_obey_the_laws(trials in counts(), level in 0.3..0.995_f64) {
        for effects in [effects(&trials), ragged(&trials)] {
            for model in networks(level) {
                let Ok(network) = model.pool(&effects) else { continue };
                for found in &network.comparisons {
                    obeys("comparison", found);
                    let turned = network.comparison(&found.other, &found.arm).unwrap();
                    obeys("turned", &turned);
                    prop_assert!((turned.p_above(0.0).unwrap() - found.p_below(0.0).unwrap()).abs() < 1e-12);
                    prop_assert_eq!(turned.p_value(), found.p_value());
                }
                for split in &network.splits {
                    for one in [&split.direct, &split.indirect, &split.difference] {
                        obeys("node split", one);
                        // One reference distribution for the network and its splits.
                        prop_assert_eq!(one.df(), network.comparisons[0].df());
                    }
                    let z = split.difference.value() / split.difference.se();
                    let p = split.difference.df().map(|df| 2.0 * StudentT::new(df).unwrap().sf(z.abs()));
                    prop_assert!(p.is_none_or(|p| (split.difference.p_value() - p).abs() < 1e-12));
                }
                // P-scores are the mean one-sided certainty of the comparisons.
                for ranked in &network.ranking {
                    let others = network.arms.iter().filter(|other| **other != ranked.arm);
                    let certain = others.map(|other| {
                        1.0 - network.comparison(&ranked.arm, other).unwrap().p_above(0.0).unwrap()
                    });
                    let mean = certain.sum::<f64>() / (network.arms.len() as f64 - 1.0);
                    prop_assert!((mean - ranked.p_score).abs() < 1e-12, "{ranked:?} {mean}");
                }
                survives(&network);
            }
        }
    }

    #[test]
    fn the_p_scores_of_two_arms_are_the_one_sided_p_value(trials in counts(), level in 0.3..0.995_f64) {
        let narrow = Comparisons::new(trials.iter().enumerate().map(|(i, arms)| {
            let arms = ARMS[..2].iter().zip(arms).map(|(label, &(events, n))| (label, events, n));
            Comparison::from_counts(format!("city {i}"), &WORKS, arms).unwrap()
        })).unwrap().estimate(&DifferenceInProportions::new()).unwrap();
        for model in networks(level) {
            let network = model.pool(&narrow).unwrap();
            let score = |arm: &str| network.ranking.iter().find(|one| one.arm == arm).unwrap().p_score;
            prop_assert!((score("guidance") + score("control") - 1.0).abs() < 1e-12);
            let found = network.comparison("guidance", "control").unwrap();
            prop_assert!((score("guidance") - (1.0 - found.p_above(0.0).unwrap())).abs() < 1e-12);
            prop_assert!((score("guidance") - found.probability_above(0.0).unwrap()).abs() < 1e-12);
        }
    }

    #[test]
    fn subgroups_obey_the_laws(trials in counts(), level in 0.3..0.995_f64) {
        let alone = guidance(&trials);
        let by = || Subgroups::by("half", halves(&alone));
        let random = |test| RandomEffects::new().test(test).level(level);
        let common = by().common_effect(CommonEffect::new().level(level));
        let separate = TESTS.map(|test| by().random_effects(random(test)));
        let shared = TESTS.map(|test| by().random_effects(random(test)).tau2(SubgroupTau2::Common));
        for (i, model) in std::iter::once(common).chain(separate).chain(shared).enumerate() {
            let Ok(groups) = model.pool(&alone) else { continue };
            for group in &groups.groups {
                obeys("subgroup", group);
                prop_assert_eq!(group.level(), level);
            }
            belongs(&groups.between);
            let normal = groups.groups.iter().all(|one| one.df().is_none() && *one.curve() == ConfidenceCurve::Wald);
            if normal {
                prop_assert!(groups.between.denominator_df.is_none());
            }
            let [a, b] = &groups.groups[..] else { panic!("two halves") };
            let difference = a.value() - b.value();
            let variance = a.variance() + b.variance();
            if [a, b].iter().all(|one| *one.curve() == ConfidenceCurve::Wald) {
                // Of two subgroups it is the test of their difference: Welch's, or normal.
                let statistic = difference * difference / variance;
                prop_assert!(near_or_equal(groups.between.statistic, statistic, 1e-9), "{i}: {groups}");
                if let (Some(p), Some(q), false) = (a.df(), b.df(), groups.common_tau2.is_some()) {
                    let welch = variance.powi(2) / (a.variance().powi(2) / p + b.variance().powi(2) / q);
                    let two_sided = 2.0 * StudentT::new(welch).unwrap().sf(statistic.sqrt());
                    prop_assert!(near_or_equal(groups.between.p_value, two_sided, 1e-9), "{i}: {groups}");
                }
            } else {
                // The larger p-value of both: not below that of Wald.
                let wald = ChiSquared::new(1.0).unwrap().sf(difference * difference / variance);
                prop_assert!(groups.between.p_value >= wald - 1e-12, "{i}: {groups}");
            }
            survives(&groups);
        }
    }

    #[test]
    fn regressions_obey_the_laws(trials in counts(), level in 0.3..0.995_f64, at in -1.0..9.0_f64) {
        let alone = guidance(&trials);
        let models = TESTS.map(|test| MetaRegression::new().test(test));
        for model in models.into_iter().chain([MetaRegression::fixed_effects()]) {
            let model = model.level(level);
            let Ok(fit) = model.clone().number("x", numbers(&alone)).fit(&alone) else { continue };
            for coefficient in &fit.coefficients {
                obeys("coefficient", coefficient);
                prop_assert_eq!(coefficient.level(), level);
            }
            // One moderator: its joint test is that of its coefficient.
            let test = fit.fit.moderator_test.unwrap();
            prop_assert!(near_or_equal(test.p_value, fit.coefficient("x").unwrap().p_value(), 1e-9), "{fit}");
            let predicted = fit.predict([("x", at.into())]).unwrap();
            obeys("prediction", &predicted);
            prop_assert!(predicted.prediction.is_none_or(|wide| wide.contains(predicted.value())));
            // At zero it is the intercept.
            let origin = fit.predict([("x", 0.0.into())]).unwrap();
            let intercept = fit.coefficient("intercept").unwrap();
            prop_assert_eq!(origin.interval(), intercept.interval());
            prop_assert_eq!(origin.p_value(), intercept.p_value());
            survives(&fit);
            // The mean of all trials is their pool.
            let mean = model.clone().fit(&alone).unwrap();
            obeys("mean", mean.coefficient("intercept").unwrap());
            survives(&mean);
        }
        if let (Ok(mean), Ok(pooled)) =
            (MetaRegression::new().level(level).fit(&alone), RandomEffects::new().level(level).pool(&alone))
        {
            let intercept = mean.coefficient("intercept").unwrap();
            prop_assert!(near_or_equal(intercept.p_value(), pooled.p_value(), 1e-8), "{mean} {pooled}");
            prop_assert!(near_or_equal(intercept.interval().upper(), pooled.interval().upper(), 1e-8));
        }
    }

    #[test]
    fn p_values_of_the_wider_of_both_do_not_depend_on_the_level(trials in counts()) {
        let alone = guidance(&trials);
        let at = |level: f64| {
            let groups = Subgroups::by("half", halves(&alone)).random_effects(RandomEffects::new().level(level));
            let fit = MetaRegression::new().level(level).number("x", numbers(&alone)).category("half", halves(&alone));
            (groups.pool(&alone), groups.tau2(SubgroupTau2::Common).pool(&alone), fit.fit(&alone))
        };
        let (one, two) = (at(0.95), at(0.6));
        for (one, two) in [(one.0, two.0), (one.1, two.1)] {
            let (Ok(one), Ok(two)) = (one, two) else { continue };
            prop_assert_eq!(one.between, two.between);
            for (one, two) in one.groups.iter().zip(&two.groups) {
                prop_assert_eq!((one.p_value(), one.interval_at(0.6).unwrap()), (two.p_value(), two.interval()));
            }
        }
        if let (Ok(one), Ok(two)) = (one.2, two.2) {
            for (one, two) in one.coefficients.iter().zip(&two.coefficients) {
                prop_assert!(near_or_equal(one.p_value(), two.p_value(), 1e-12));
                prop_assert!(near_or_equal(one.interval_at(0.6).unwrap().lower(), two.interval().lower(), 1e-12));
            }
            let tests = one.fit.terms.iter().zip(&two.fit.terms).map(|(one, two)| (one.test, two.test));
            for (one, two) in tests.chain(one.fit.moderator_test.zip(two.fit.moderator_test)) {
                prop_assert_eq!(one.denominator_df, two.denominator_df);
                prop_assert!(near_or_equal(one.p_value, two.p_value, 1e-10), "{one:?} {two:?}");
            }
        }
    }

    #[test]
    fn counts_obey_the_laws(trials in counts(), level in 0.3..0.995_f64) {
        let cities = comparisons(&trials);
        let mut pools = vec![Peto::new().level(level).pool(&cities, "guidance").map(|pool| pool.to_any())];
        for rule in [EmptyCells::AsTheyAre, EmptyCells::AddHalf, EmptyCells::AddHalfToAll] {
            let difference = MantelHaenszel::new(RiskDifference).empty_cells(rule).level(level);
            let risks = MantelHaenszel::new(LogRiskRatio).empty_cells(rule).level(level);
            let odds = MantelHaenszel::new(LogOddsRatio).empty_cells(rule).level(level);
            pools.push(difference.pool(&cities, "guidance").map(|pool| pool.to_any()));
            pools.push(risks.pool(&cities, "guidance").map(|pool| pool.to_any()));
            pools.push(odds.pool(&cities, "guidance").map(|pool| pool.to_any()));
        }
        for pooled in pools.into_iter().map(Result::unwrap) {
            obeys("counts", &pooled);
            prop_assert_eq!(pooled.p_value(), pooled.summary.p_value);
            prop_assert_eq!(pooled.interval(), pooled.summary.interval);
            survives(&pooled);
        }
    }
}

/// Every number of a document, by its pointer.
fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Number(_) => found.push(at.to_owned()),
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(i, value)| leaves(value, &format!("{at}/{i}"), found));
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| leaves(value, &format!("{at}/{key}"), found));
        }
        _ => {}
    }
}

/// Numbers that stand alone, by their whole path with # for a place in a list: nothing else in the document
/// tells what they must be.
const ALONE: [&str; 21] = [
    // Between zero and Q; its place there is that of the trials, which the model does not hold.
    "/pool/model/residual_q",
    "/about/notices/#/too_few_trials/trials",
    "/about/notices/#/too_few_trials/needed",
    // Of those randomised and observed only the analysed enter an effect.
    "/trials/#/arms/#/participants",
    "/trials/#/treatment/randomised",
    "/trials/#/treatment/observed",
    "/trials/#/reference/randomised",
    "/trials/#/reference/observed",
    "/trials/#/estimate/treatment/counts/randomised",
    "/trials/#/estimate/treatment/counts/observed",
    "/trials/#/estimate/reference/counts/randomised",
    "/trials/#/estimate/reference/counts/observed",
    "/pooled/trials/#/estimate/treatment/counts/randomised",
    "/pooled/trials/#/estimate/treatment/counts/observed",
    "/pooled/trials/#/estimate/reference/counts/randomised",
    "/pooled/trials/#/estimate/reference/counts/observed",
    // A network does not hold the estimates of its trials, by which these could be found again.
    "/pool/model/tau2",
    "/pool/model/se_tau2",
    "/pool/model/typical_variance",
    "/pool/model/log_likelihood",
    "/pool/model/restricted_log_likelihood",
];

/// The path with # for every place in a list.
fn places(pointer: &str) -> String {
    let place = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    pointer.split('/').map(|part| if place(part) { "#" } else { part }).collect::<Vec<_>>().join("/")
}

#[track_caller]
fn changed_numbers_are_refused<T: serde::Serialize + serde::de::DeserializeOwned>(result: &T) {
    let valid = serde_json::to_value(result).unwrap();
    let mut pointers = Vec::new();
    leaves(&valid, "", &mut pointers);
    let mut read = Vec::new();
    for pointer in &pointers {
        let number = valid.pointer(pointer).unwrap().as_f64().unwrap();
        for wrong in
            [json!(number + 0.37), json!(-number - 1.0), json!(number.abs().trunc() + 1.0), json!(1e300)]
        {
            let mut document = valid.clone();
            *document.pointer_mut(pointer).unwrap() = wrong.clone();
            let accepted = serde_json::from_value::<T>(document).is_ok();
            if accepted && !ALONE.contains(&places(pointer).as_str()) {
                read.push(format!("{pointer} = {wrong}"));
            }
        }
    }
    assert!(pointers.len() > 20 && read.is_empty(), "{} of {}: {read:#?}", read.len(), pointers.len());
}

/// Of what stands alone, what no data can give is refused all the same.
#[test]
fn a_residual_q_beyond_q_is_refused() {
    let works = Measure::binary("works");
    let city = |name: &str, t: u64| {
        Comparison::from_counts(name, &works, [("control", 10, 100), ("guidance", t, 90)]).unwrap()
    };
    let cities = Comparisons::new([city("A", 15), city("B", 25), city("C", 9)]).unwrap();
    let effects = cities.estimate(&DifferenceInProportions::new()).unwrap();
    let pooled = serde_json::to_value(JointModel::random().pool(&effects).unwrap()).unwrap();
    assert!(pooled["model"]["residual_q"].is_f64());
    for wrong in [-1.0, 1e6] {
        let mut changed = pooled.clone();
        changed["model"]["residual_q"] = serde_json::json!(wrong);
        let error = serde_json::from_value::<JointlyPooled<RiskDifference>>(changed).unwrap_err().to_string();
        assert!(error.contains("residual Q"), "{error}");
    }
}

#[test]
fn numbers_that_contradict_each_other_are_refused() {
    let trials: [Counts; 5] = [
        [(10, 100), (15, 90), (12, 80)],
        [(20, 100), (15, 95), (30, 110)],
        [(7, 60), (9, 70), (5, 50)],
        [(12, 90), (22, 85), (19, 88)],
        [(9, 70), (16, 77), (12, 60)],
    ];
    let alone = guidance(&trials);
    for model in networks(0.9) {
        changed_numbers_are_refused(&model.pool(&ragged(&trials)).unwrap());
    }
    for tau2 in [SubgroupTau2::Separate, SubgroupTau2::Common] {
        for test in [Test::HartungKnapp, Test::WiderOfBoth] {
            let groups =
                Subgroups::by("half", halves(&alone)).random_effects(RandomEffects::new().test(test));
            changed_numbers_are_refused(&groups.tau2(tau2).pool(&alone).unwrap());
        }
    }
    for test in TESTS {
        let model = MetaRegression::new().test(test).number("x", numbers(&alone));
        changed_numbers_are_refused(&model.fit(&alone).unwrap());
    }
    let cities = comparisons(&trials);
    changed_numbers_are_refused(&MantelHaenszel::new(LogOddsRatio).pool(&cities, "guidance").unwrap());
    changed_numbers_are_refused(&Peto::new().pool(&cities, "guidance").unwrap());
}
