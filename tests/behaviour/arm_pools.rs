//! Single arms pooled over trials: the numbers of R's metafor 4 and lme4, one curve, words, and bad input.

use crate::support::{assert_near, survives};
use armwise::meta_analysis::{CoefficientTest, RandomEffects as Kernel, Test};
use armwise::pool::{ArmPool, ArmTransformation, EmptyCells, PooledArms};
use armwise::prelude::*;
use armwise::report::Report;
use serde_json::{Value, json};

const WORKS: Measure<Binary> = Measure::binary("works").higher_is_better();
const SCORE: Measure<Continuous> = Measure::continuous("score").unit("points");
const SPELLS: Measure<Count> = Measure::count("spells").exposure("years");

/// xi and ni of the checks in R.
const COUNTS: [(u64, u64); 5] = [(10, 100), (8, 90), (20, 180), (3, 42), (31, 170)];

fn cities(counts: &[(u64, u64)]) -> Comparisons<Binary> {
    let city = |(i, (x, n)): (usize, &(u64, u64))| {
        let arms = [("control", *x, *n), ("guidance", x + 4, *n)];
        Comparison::from_counts(format!("city {i}"), &WORKS, arms).unwrap()
    };
    Comparisons::new(counts.iter().enumerate().map(city)).unwrap()
}

fn control(pool: &ArmPool, counts: &[(u64, u64)]) -> PooledArms {
    pool.clone().arms(["control"]).pool(&cities(counts)).unwrap()
}

/// `rma(measure = .., xi, ni, method = "REML")`, with `test = "knha"`, and `confint`; both searches to their ends
/// (`control = list(threshold = 1e-14)`, by default 1e-5).
#[test]
fn transformed_proportions_are_those_of_metafor() {
    // Estimate, se, tau2, Q, I2; by Hartung-Knapp the limits; the upper limit of tau2.
    let cases = [
        (
            ArmTransformation::Plain,
            [0.113_266_454_7, 0.018_218_868_3, 0.000_757_124_6, 7.407_500_378_7, 46.166_035_922_0],
            [0.061_815_689_7, 0.164_717_219_7, 0.013_976_540_9],
        ),
        (
            ArmTransformation::Log,
            [-2.134_461_473_4, 0.173_101_304_3, 0.070_245_345_6, 8.074_081_859_8, 50.348_451_544_0],
            [-2.568_502_464_1, -1.700_420_482_7, 0.894_368_817_2],
        ),
        (
            ArmTransformation::Logit,
            [-2.013_728_560_0, 0.195_304_869_8, 0.089_661_082_7, 7.967_610_401_2, 49.941_283_569_4],
            [-2.509_833_725_8, -1.517_623_394_3, 1.172_494_288_7],
        ),
        (
            ArmTransformation::Arcsine,
            [0.346_994_850_7, 0.030_376_274_7, 0.002_214_470_1, 7.841_142_670_8, 49.494_902_337_4],
            [0.266_259_055_9, 0.427_730_645_5, 0.031_790_224_0],
        ),
        (
            ArmTransformation::FreemanTukey,
            [0.353_822_588_9, 0.029_098_321_9, 0.001_870_870_2, 7.127_663_770_8, 45.410_873_772_3],
            [0.277_671_391_1, 0.429_973_786_7, 0.027_208_704_1],
        ),
    ];
    for (to, [estimate, se, tau2, q, i2], [lower, upper, tau2_upper]) in cases {
        let pool = |test| ArmPool::transformed(to).random_effects(RandomEffects::new().test(test));
        let normal = control(&pool(Test::Normal), &COUNTS);
        let one = normal.arm("control").unwrap();
        assert_near(one.inference.value(), estimate, 1e-8);
        assert_near(one.inference.se(), se, 1e-8);
        assert_near(one.tau2, tau2, 1e-8);
        assert_near(one.heterogeneity.statistic, q, 1e-8);
        assert_near(100.0 * one.i2.unwrap(), i2, 1e-7);
        assert_near(one.tau2_interval.unwrap().upper(), tau2_upper, 1e-7);
        let wider = control(&pool(Test::HartungKnapp), &COUNTS);
        let interval = wider.arm("control").unwrap().inference.interval();
        assert_near(interval.lower(), lower, 1e-8);
        assert_near(interval.upper(), upper, 1e-8);
        survives(&wider);
    }
}

/// `transf.ipft.hm`: Miller's inverse at the harmonic mean of the sizes.
#[test]
fn double_arcsines_are_carried_back_at_the_harmonic_mean() {
    let pool = ArmPool::transformed(ArmTransformation::FreemanTukey)
        .random_effects(RandomEffects::new().test(Test::HartungKnapp));
    let pooled = control(&pool, &COUNTS);
    let one = pooled.arm("control").unwrap();
    assert_near(one.harmonic_n.unwrap(), 88.717_693_837, 1e-9);
    assert_near(one.value(), 0.115_826_468_7, 1e-8);
    assert_near(one.interval().lower(), 0.070_447_242_8, 1e-8);
    assert_near(one.interval().upper(), 0.170_119_822_3, 1e-8);
    let told = pooled.to_string();
    assert!(told.contains("harmonic mean of 42 to 180"), "{told}");
}

/// `lme4::glmer(cbind(x, n - x) ~ 1 + (1 | s), nAGQ = 15)`; the likelihood ratio is `rma.glmm`'s.
#[test]
fn the_logistic_model_is_that_of_lme4() {
    let pooled = control(&ArmPool::logistic().test(CoefficientTest::Normal), &COUNTS);
    let one = pooled.arm("control").unwrap();
    assert_near(one.inference.value(), -2.020_793_89, 1e-6);
    assert_near(one.inference.se(), 0.182_677_21, 2e-5);
    assert_near(one.tau2, 0.056_741_61, 2e-6);
    assert_near(one.heterogeneity.statistic, 7.948_596_851, 1e-8);
    assert_eq!(one.heterogeneity.df, 4.0);
    assert!(one.i2.is_none() && one.tau2_interval.is_none() && !one.boundary);
    // Two cities without an event need no rule: rma.glmm(measure = "PLO", nAGQ = 7).
    let pool = ArmPool::logistic().points(7).test(CoefficientTest::Normal);
    let pooled = control(&pool, &[(0, 100), (8, 90), (20, 180), (0, 42), (31, 170)]);
    let one = pooled.arm("control").unwrap();
    assert_near(one.inference.value(), -3.277_289, 2e-3);
    assert_near(one.tau2, 2.994_483, 5e-3);
    assert_near(one.heterogeneity.statistic, 40.847_188_91, 1e-8);
    // With t the interval is that of trials - 1 degrees of freedom, and the prediction adds tau2.
    let t = control(&ArmPool::logistic(), &COUNTS);
    let one = t.arm("control").unwrap();
    assert_eq!(one.inference.df(), Some(4.0));
    let half = 2.776_445_105_2 * (one.tau2 + one.inference.se().powi(2)).sqrt();
    let prediction = one.transformed_prediction.unwrap();
    assert_near(prediction.upper() - one.inference.value(), half, 1e-8);
    let back = one.prediction().unwrap();
    assert_near((back.upper() / (1.0 - back.upper())).ln(), prediction.upper(), 1e-10);
}

/// Half the people above and half below, so that mean and standard deviation are these.
fn scores(mean: f64, sd: f64, n: usize) -> Vec<f64> {
    let pairs = n / 2;
    let away = sd * ((n - 1) as f64 / (2 * pairs) as f64).sqrt();
    let mut scores: Vec<f64> = (0..pairs).flat_map(|_| [mean - away, mean + away]).collect();
    scores.extend((n % 2 == 1).then_some(mean));
    scores
}

fn table_of(arm: &str, n: usize) -> Vec<String> {
    vec![arm.to_owned(); n]
}

/// `rma(measure = "MN")` and `"MNLN"`.
#[test]
fn means_are_pooled_as_they_are_or_as_logarithms() {
    let groups = [(6.8, 1.6, 21), (7.4, 2.1, 34), (5.9, 1.9, 18), (8.1, 2.4, 27)];
    let cities = groups.iter().enumerate().map(|(i, &(mean, sd, n))| {
        let mut score = scores(mean, sd, n);
        score.extend([1.0, 2.0, 4.0]);
        let arm = [table_of("control", n), table_of("guidance", 3)].concat();
        let table = Table::new().with_categories("arm", arm).unwrap().with_reals("score", score).unwrap();
        let trial = Trial::builder(format!("city {i}"), table).arm_labels("arm").control("control");
        trial.build().unwrap().on(&SCORE).unwrap()
    });
    let cities = Comparisons::new(cities).unwrap();
    for (to, [estimate, se, tau2, q]) in [
        (ArmTransformation::Plain, [7.047_757_203_8, 0.446_665_033_5, 0.633_753_689_9, 13.218_232_891_4]),
        (ArmTransformation::Log, [1.952_744_603_3, 0.063_208_143_7, 0.012_580_316_5, 12.649_389_440_3]),
    ] {
        let pool = ArmPool::transformed(to).random_effects(RandomEffects::new().test(Test::Normal));
        let pooled = pool.pool(&cities).unwrap();
        let one = pooled.arm("control").unwrap();
        assert_near(one.inference.value(), estimate, 1e-8);
        assert_near(one.inference.se(), se, 1e-8);
        assert_near(one.tau2, tau2, 1e-8);
        assert_near(one.heterogeneity.statistic, q, 1e-8);
        assert_eq!(pooled.what(), "mean");
        survives(&pooled);
        assert!(pooled.to_string().contains("Mean, points (95% CI)"), "{pooled}");
    }
    let refused = ArmPool::logistic().pool(&cities).unwrap_err().to_string();
    assert!(
        refused.starts_with("score, arm \"control\": the logistic model is one of proportions"),
        "{refused}"
    );
    let refused = ArmPool::transformed(ArmTransformation::Arcsine).pool(&cities).unwrap_err().to_string();
    assert!(refused.contains("city 0") && refused.contains("arcsines are of proportions"), "{refused}");
}

/// `rma(measure = "IR")` and `"IRLN"`.
#[test]
fn rates_are_pooled_as_they_are_or_as_logarithms() {
    let groups = [(12.0, 40.5), (30.0, 71.0), (7.0, 33.0), (22.0, 60.25)];
    let cities = groups.iter().enumerate().map(|(i, &(events, years))| {
        let table = Table::new()
            .with_categories("arm", ["control", "control", "control", "guidance", "guidance"])
            .unwrap()
            .with_counts("spells", [events - 4.0, 1.0, 3.0, 0.0, 0.0])
            .unwrap()
            .with_reals("years", [0.5 * years, 0.25 * years, 0.25 * years, 1.0, 2.0])
            .unwrap();
        let trial = Trial::builder(format!("city {i}"), table).arm_labels("arm").control("control");
        trial.build().unwrap().on(&SPELLS).unwrap()
    });
    let cities = Comparisons::new(cities).unwrap();
    let pool = |to| ArmPool::transformed(to).random_effects(RandomEffects::new().test(Test::Normal));
    for (to, [estimate, se, tau2, q]) in [
        (ArmTransformation::Plain, [0.326_574_545_4, 0.046_281_505_1, 0.002_160_878_6, 3.955_556_006_5]),
        (ArmTransformation::Log, [-1.034_641_172_7, 0.118_678_165_8, 0.0, 3.175_662_387_6]),
    ] {
        let poisson = pool(to).rate_variance(armwise::estimator::RateVariance::Poisson);
        let pooled = poisson.arms(["control"]).pool(&cities).unwrap();
        let one = pooled.arm("control").unwrap();
        assert_near(one.inference.value(), estimate, 1e-8);
        assert_near(one.inference.se(), se, 1e-8);
        assert_near(one.tau2, tau2, 1e-8);
        assert_near(one.heterogeneity.statistic, q, 1e-8);
        survives(&pooled);
    }
    // The robust variance is that of the estimator of rates.
    let robust = pool(ArmTransformation::Plain).arms(["control"]).pool(&cities).unwrap();
    let one = &robust.arm("control").unwrap().trials[0].numbers;
    let armwise::pool::ArmNumbers::Rate { variance, exposure, .. } = *one else { panic!("{one:?}") };
    let people = [(8.0, 20.25), (1.0, 10.125), (3.0, 10.125)];
    let own: f64 =
        people.iter().map(|(y, t)| ((y - 12.0 / 40.5 * t) / exposure).powi(2) / (1.0 - t / exposure)).sum();
    assert_near(variance, own, 1e-12);
    // Nobody of the guidance arm had a spell.
    let refused = pool(ArmTransformation::Log).pool(&cities).unwrap_err().to_string();
    assert!(refused.contains("arm \"guidance\"") && refused.contains("empty_cells(..)"), "{refused}");
    let halved = pool(ArmTransformation::Log).empty_cells(EmptyCells::AddHalf).pool(&cities).unwrap();
    assert_near(halved.arm("guidance").unwrap().value(), 0.5 / 3.0, 1e-12);
    assert!(halved.to_string().contains("half"), "{halved}");
}

#[test]
fn an_arm_has_one_curve() {
    for to in [
        ArmTransformation::Plain,
        ArmTransformation::Log,
        ArmTransformation::Logit,
        ArmTransformation::Arcsine,
        ArmTransformation::FreemanTukey,
    ] {
        let pooled = control(&ArmPool::transformed(to), &COUNTS);
        let one = pooled.arm("control").unwrap();
        assert_eq!(one.interval_at(pooled.level).unwrap(), one.interval());
        let mut inner = 0.0;
        for level in [0.3, 0.8, 0.95] {
            let interval = one.interval_at(level).unwrap();
            assert!(interval.width() > inner && interval.contains(one.value()));
            assert_near(one.p_above(interval.lower()).unwrap(), 0.5 * (1.0 - level), 1e-7);
            assert_near(one.p_below(interval.upper()).unwrap(), 0.5 * (1.0 - level), 1e-7);
            inner = interval.width();
        }
        assert!(one.interval_at(1.5).is_err() && one.p_above(f64::NAN).is_err());
        // Every trial alone has its own interval too.
        let trial = &one.trials[4].numbers;
        assert!(trial.interval(0.95).unwrap().contains(trial.value()));
        // By hand.
        let (yi, vi): (Vec<f64>, Vec<f64>) = COUNTS
            .iter()
            .map(|&(x, n)| {
                let (x, n) = (x as f64, n as f64);
                let p: f64 = x / n;
                match to {
                    ArmTransformation::Plain => (p, p * (1.0 - p) / n),
                    ArmTransformation::Log => (p.ln(), 1.0 / x - 1.0 / n),
                    ArmTransformation::Logit => ((p / (1.0 - p)).ln(), 1.0 / x + 1.0 / (n - x)),
                    ArmTransformation::Arcsine => (p.sqrt().asin(), 0.25 / n),
                    _ => {
                        let parts = [x, x + 1.0].map(|x| (x / (n + 1.0)).sqrt().asin());
                        (0.5 * (parts[0] + parts[1]), 1.0 / (4.0 * n + 2.0))
                    }
                }
            })
            .unzip();
        let own = Kernel::new().test(Test::WiderOfBoth).pool(&yi, &vi).unwrap();
        assert_near(one.inference.value(), own.summary.estimate, 1e-10);
        assert_near(one.tau2, own.summary.tau2, 1e-10);
    }
}

#[test]
fn all_arms_are_pooled_and_those_of_one_city_are_named() {
    let city = |name, arms: &[(&str, u64, u64)]| {
        Comparison::from_counts(name, &WORKS, arms.iter().copied()).unwrap()
    };
    let cities = Comparisons::new([
        city("Utrecht", &[("control", 10, 100), ("guidance", 15, 100), ("exemption", 3, 90)]),
        city("Tilburg", &[("control", 8, 90), ("guidance", 7, 95)]),
        city("Deventer", &[("control", 12, 80), ("guidance", 22, 85)]),
    ])
    .unwrap();
    let pooled = ArmPool::logistic().pool(&cities).unwrap();
    assert_eq!(pooled.arms.iter().map(|one| one.arm.as_str()).collect::<Vec<_>>(), ["control", "guidance"]);
    assert_eq!(pooled.unpooled, ["exemption"]);
    let text = pooled.to_string();
    for words in [
        "works, proportions of 2 arms by themselves, pooled over trials (logistic model, random intercept)",
        "in one trial only, so not pooled: exemption",
        "likelihood ratio = ",
        "95% prediction interval",
        "10/100",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    // Values are no differences, and say nothing of a reference.
    assert!(!text.contains('+') && !text.contains(" vs "), "{text}");
    let mut report = Report::new("Arms");
    report.push(&pooled);
    assert!(report.to_markdown().contains("| control | Utrecht | 10/100 |"), "{}", report.to_markdown());
    let csv = report.to_csv();
    let lines: Vec<&str> = csv.lines().filter(|line| line.starts_with("arm,")).collect();
    assert!(lines.len() == 6 && lines[0].contains(",proportion,") && lines[0].contains(",100,10,"), "{csv}");
    assert_eq!(csv.lines().filter(|line| line.starts_with("pooled_arm,")).count(), 2);
    let figure = ForestPlot::of(&pooled).to_svg();
    assert!(figure.contains("10/100") && figure.contains("Guidance") && !figure.contains("Favours"));
    let back: Report = serde_json::from_str(&report.to_json().unwrap()).unwrap();
    assert_eq!(back, report);

    let named = |error: armwise::Error, words: &[&str]| {
        let text = error.to_string();
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    };
    let ask = |pool: ArmPool| pool.pool(&cities).unwrap_err();
    named(ask(ArmPool::logistic().arms(["exemption"])), &["works", "arm \"exemption\"", "only Utrecht"]);
    named(ask(ArmPool::logistic().arms(["guidence"])), &["works", "guidence", "did you mean \"guidance\""]);
    named(ask(ArmPool::logistic().arms(["control", "control"])), &["named twice"]);
    named(ask(ArmPool::logistic().level(1.5)), &["1.5"]);
    named(ask(ArmPool::logistic().points(0)), &["quadrature points"]);
}

#[test]
fn empty_cells_are_refused_by_name_until_a_rule_is_named() {
    let counts = [(0, 100), (8, 90), (20, 180)];
    let logit = ArmPool::transformed(ArmTransformation::Logit).arms(["control"]);
    let error = logit.pool(&cities(&counts)).unwrap_err().to_string();
    assert!(error.starts_with("city 0, works, arm \"control\": "), "{error}");
    assert!(error.contains("ArmPool::logistic") && error.contains("empty_cells(..)"), "{error}");
    assert!(!error.contains("CellCorrection"), "{error}");
    let plain = ArmPool::transformed(ArmTransformation::Plain).arms(["control"]);
    let error = plain.pool(&cities(&counts)).unwrap_err().to_string();
    assert!(error.contains("city 0") && error.contains("ArmPool::logistic"), "{error}");
    // rma(measure = "PLO") adds the half by default.
    let pool = ArmPool::transformed(ArmTransformation::Logit).empty_cells(EmptyCells::AddHalf);
    let pool = pool.random_effects(RandomEffects::new().test(Test::Normal));
    let pooled = control(&pool, &[(0, 100), (8, 90), (20, 180), (0, 42), (31, 170)]);
    let one = pooled.arm("control").unwrap();
    assert_near(one.inference.value(), -2.415_126_503_3, 1e-8);
    assert_near(one.inference.se(), 0.462_250_321_7, 1e-8);
    assert_near(one.tau2, 0.686_088_187_0, 1e-8);
    let told = pooled.to_string();
    assert!(told.contains("city 0 and city 3") || told.contains("city 0, city 3"), "{told}");
    let nobody = [(0, 100), (0, 90), (0, 42)];
    let error = ArmPool::logistic().arms(["control"]).pool(&cities(&nobody)).unwrap_err().to_string();
    assert!(error.starts_with("works, arm \"control\": nobody among 232 participants"), "{error}");
}

#[test]
fn arms_whose_numbers_were_changed_are_not_read() {
    let pools = [
        ArmPool::logistic(),
        ArmPool::transformed(ArmTransformation::Logit),
        ArmPool::transformed(ArmTransformation::FreemanTukey),
    ];
    for pool in pools {
        let pooled = control(&pool, &COUNTS);
        let document = serde_json::to_value(&pooled).unwrap();
        let changes: [(&str, Value); 8] = [
            ("/arms/0/inference/value", json!(-1.9)),
            ("/arms/0/tau2", json!(0.2)),
            ("/arms/0/trials/1/numbers/proportion/events", json!(9)),
            ("/arms/0/trials/1/counts/events", json!(9)),
            ("/arms/0/trials/2/trial", json!("city 0")),
            ("/arms/0/heterogeneity/statistic", json!(3.0)),
            ("/arms/0/transformation", json!("log")),
            ("/level", json!(0.9)),
        ];
        for (place, value) in changes {
            let mut changed = document.clone();
            *changed.pointer_mut(place).unwrap_or_else(|| panic!("{place}")) = value;
            assert!(serde_json::from_value::<PooledArms>(changed).is_err(), "{place}");
        }
        survives(&pooled);
    }
    assert!(serde_json::from_str::<ArmPool>(r#"{"model": {"random": {}}, "points": 3}"#).is_err());
}

#[test]
fn trials_that_do_not_belong_together_are_named() {
    let other = Measure::binary("sanction");
    let one = Comparison::from_counts("Utrecht", &WORKS, [("control", 10, 100), ("t", 15, 100)]).unwrap();
    let two = Comparison::from_counts("Tilburg", &other, [("control", 10, 100), ("t", 15, 100)]).unwrap();
    let error = ArmPool::logistic().pool(&Comparisons::new([one, two]).unwrap()).unwrap_err().to_string();
    assert!(
        error.contains("Tilburg") && error.contains("sanction") && error.contains("pool them apart"),
        "{error}"
    );
    // Clusters are not counted, which the result says.
    let text = "city,arm,office,works\n".to_owned()
        + &(0..48)
            .map(|i| {
                let city = if i < 24 { "A" } else { "B" };
                let arm = if i % 2 == 0 { "c" } else { "t" };
                format!("{city},{arm},{city}{},{}\n", i % 6, u8::from(i % 5 == 0 || i % 7 == 0))
            })
            .collect::<Vec<String>>()
            .concat();
    let trials = Trials::builder(Table::from_csv_str(&text).unwrap(), "city")
        .arm_labels("arm")
        .control("c")
        .clusters("office")
        .build()
        .unwrap();
    let pooled = ArmPool::logistic().pool(&trials.on(&WORKS).unwrap()).unwrap();
    assert!(pooled.notices.iter().any(|notice| matches!(notice, Notice::ClustersIgnored { .. })));
}
