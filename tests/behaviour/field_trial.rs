//! Situations from the field, each with the right value and how it is known: by hand, by numpy or mpmath, or
//! by a second route.

use super::support::{assert_near, labelled};
use armwise::effect::IntervalMethod;
use armwise::estimator::{AnyEstimator, RateVariance, WeightColumn, ZeroCells};
use armwise::prelude::*;
use armwise::regression::ClusterVariance;

const WORKS: Measure<Binary> = Measure::binary("y");
const SCORE: Measure<Continuous> = Measure::continuous("y");
const SPELLS: Measure<Count> = Measure::count("y");

fn trial(text: &str) -> Trial {
    labelled(Table::from_csv_str(text).unwrap(), "c").build().unwrap()
}

fn stratified(text: &str) -> Trial {
    labelled(Table::from_csv_str(text).unwrap(), "c").strata(["s"]).build().unwrap()
}

/// The effect of "t".
fn of<S: Scale>(effects: armwise::Result<Estimates<S>>) -> Estimate<S> {
    effects.unwrap().treatment("t").unwrap()
}

fn kind<T: std::fmt::Debug>(result: armwise::Result<T>) -> String {
    result.unwrap_err().kind().name().to_owned()
}

const WEIGHTED: &str = "arm,y,w\nc,0,1\nc,1,2\nc,0,1\nc,1,3\nc,0,1\nt,1,2\nt,1,1\nt,0,1\nt,1,2\nt,1,1\n";

/// HC0 sandwich by hand (numpy), the same for every unit of the weights.
#[test]
fn weights_default() {
    let thousands = WEIGHTED.lines().map(|line| match line.rsplit_once(',') {
        Some((rest, w)) if w != "w" => format!("{rest},{w}000\n"),
        _ => format!("{line}\n"),
    });
    let thousands: String = thousands.collect();
    for text in [WEIGHTED, &thousands] {
        let effect = of(trial(text).on(&WORKS).unwrap().estimate(&LogisticRegression::new().weights("w")));
        assert_near(effect.value(), 1.280_933_845_462_063_8, 1e-10);
        assert_near(effect.se(), 1.459_832_562_697_212_2, 1e-10);
        // What was asked for by name and depends on the unit is refused.
        let model = LogisticRegression::new().weights("w").variance(VarianceType::Model);
        let error = trial(text).on(&WORKS).unwrap().estimate(&model).unwrap_err();
        assert!(error.to_string().contains("depends on their unit"), "{error}");
    }
}

/// Every estimator that takes weights has the same effect and standard error whatever the unit of probability
/// weights.
#[test]
fn the_unit_of_probability_weights_does_not_matter() {
    let mut texts = ["arm,y,k,o,z,w\n".to_owned(), "arm,y,k,o,z,w\n".to_owned()];
    for i in 0..60_u32 {
        let (y, k, z) = (u32::from(i * 7 % 11 < 5), i * 5 % 7 + i % 2, i * 13 % 17);
        let o = ["none", "temporary", "permanent"][(i * 11 % 13 % 3) as usize];
        for (text, factor) in texts.iter_mut().zip([1, 1000]) {
            *text += &format!(
                "{},{y},{k},{o},{z},{}\n",
                ["c", "t", "u"][(i % 3) as usize],
                (1 + i * 3 % 5) * factor
            );
        }
    }
    let trials = texts.map(|text| trial(&text));
    let contract = Measure::ordinal("o", &["none", "temporary", "permanent"]);
    let nominal = Measure::nominal("o", &["none", "temporary", "permanent"]);
    let counts = Measure::count("k");
    let of_trial = |trial: &Trial| -> Vec<(String, Estimates<AnyScale>)> {
        let logistic = LogisticRegression::new().adjust_for(["z"]).weights("w");
        let linear = LinearRegression::new().adjust_for(["z"]).weights("w");
        let poisson = PoissonRegression::new().adjust_for(["z"]).weights("w");
        let odds = ProportionalOddsRegression::new().adjust_for(["z"]).weights("w");
        let multinomial = MultinomialRegression::new().adjust_for(["z"]).weights("w");
        let (works, counts) = (trial.on(&WORKS).unwrap(), trial.on(&counts).unwrap());
        let (ordered, types) = (trial.on(&contract).unwrap(), trial.on(&nominal).unwrap());
        let negative = NegativeBinomialRegression::new().adjust_for(["z"]).weights("w");
        vec![
            ("logistic".to_owned(), works.estimate(&logistic).unwrap().to_any()),
            ("risk".to_owned(), works.estimate(&logistic.marginal(RiskDifference)).unwrap().to_any()),
            ("linear".to_owned(), works.estimate(&linear).unwrap().to_any()),
            ("mean".to_owned(), works.estimate(&linear.marginal(RiskDifference)).unwrap().to_any()),
            ("poisson".to_owned(), counts.estimate(&poisson).unwrap().to_any()),
            ("rate".to_owned(), counts.estimate(&poisson.marginal(LogRateRatio)).unwrap().to_any()),
            ("negative".to_owned(), counts.estimate(&negative).unwrap().to_any()),
            ("odds".to_owned(), ordered.estimate(&odds).unwrap().to_any()),
            ("share".to_owned(), {
                let marginal = odds.marginal(RiskDifference).in_category("permanent");
                ordered.estimate(&marginal).unwrap().to_any()
            }),
            ("types".to_owned(), { types.estimate(&multinomial.in_category("permanent")).unwrap().to_any() }),
        ]
    };
    let [one, thousand] = trials.map(|trial| of_trial(&trial));
    for ((name, one), (_, other)) in one.iter().zip(&thousand) {
        for (a, b) in one.iter().zip(other.iter()) {
            assert_near(a.value(), b.value(), 1e-8);
            assert!((a.se() / b.se() - 1.0).abs() < 1e-7, "{name}: {} {}", a.se(), b.se());
            assert!((a.p_value() - b.p_value()).abs() < 1e-7, "{name}");
        }
        // Brant's notice, too.
        let told = |effects: &Estimates<AnyScale>| {
            effects.notices().iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(told(one), told(other), "{name}");
    }
}

/// Frequencies give the results of the expanded table, and precision weights those of before.
#[test]
fn weights_of_frequency_and_of_precision() {
    let expanded: String = WEIGHTED.lines().skip(1).fold("arm,y,w\n".to_owned(), |text, line| {
        let n: usize = line.rsplit_once(',').unwrap().1.parse().unwrap();
        text + &format!("{line}\n").repeat(n)
    });
    let frequency = WeightColumn::Frequency("w".to_owned());
    let (short, long) = (trial(WEIGHTED).on(&WORKS).unwrap(), trial(&expanded).on(&WORKS).unwrap());
    let one = of(short.estimate(&LogisticRegression::new().weights(frequency.clone())));
    let two = of(long.estimate(&LogisticRegression::new()));
    assert_eq!((one.value(), one.se()), (two.value(), two.se()));
    assert_eq!(one.reference_counts(), two.reference_counts());
    let model = LinearRegression::new();
    let one = of(short.estimate(&model.clone().weights(frequency.clone()).marginal(RiskDifference)));
    let two = of(long.estimate(&model.marginal(RiskDifference)));
    assert_eq!((one.value(), one.se()), (two.value(), two.se()));
    let firth = FirthLogisticRegression::new().weights(frequency.clone());
    assert!(short.estimate(&firth).is_ok());
    assert_eq!(kind(short.estimate(&FirthLogisticRegression::new().weights("w"))), "invalid_input");
    let precision = WeightColumn::Precision("w".to_owned());
    let effect = of(short.estimate(&LogisticRegression::new().weights(precision)));
    assert_near(effect.se(), 1.303_840_481, 1e-8);
    let halves = trial("arm,y,w\nc,0,1\nc,1,1.5\nt,1,1\nt,0,1\n").on(&WORKS).unwrap();
    let error = halves.estimate(&LogisticRegression::new().weights(frequency)).unwrap_err();
    assert!(error.to_string().contains("a frequency of 1.5") && error.place().row == Some(2), "{error}");
    for json in [
        r#"{"estimator": "logistic_regression", "weights": "w"}"#,
        r#"{"estimator": "logistic_regression", "weights": {"probability": "w"}}"#,
        r#"{"estimator": "logistic_regression", "weights": {"precision": "w"}}"#,
        r#"{"estimator": "logistic_regression", "weights": {"frequency": "w"}}"#,
    ] {
        let read: AnyEstimator = serde_json::from_str(json).unwrap();
        let again: AnyEstimator = serde_json::from_str(&serde_json::to_string(&read).unwrap()).unwrap();
        assert_eq!(read, again);
    }
}

/// The penalised likelihood maximised by BFGS, limits by root finding; on a saddle by grid and refinement at
/// 30 digits (mpmath).
#[test]
fn firth_beside_full_leverage_and_saddles() {
    let firth = FirthLogisticRegression::new().adjust_for(["z"]);
    let single =
        of(trial("arm,y,z\nc,0,u\nc,1,u\nt,1,u\nt,0,u\nt,1,v\n").on(&WORKS).unwrap().estimate(&firth));
    assert_near(single.value(), 0.0, 1e-9);
    assert_near(single.interval().lower(), -3.373_788, 1e-5);
    assert_near(single.interval().upper(), 3.373_788, 1e-5);
    assert_near(single.p_value(), 1.0, 1e-6);

    let arms = [("c", 3, 20), ("t", 0, 1)];
    let mut text = "arm,y\n".to_owned();
    for (arm, events, n) in arms {
        (0..n).for_each(|i| text += &format!("{arm},{}\n", u8::from(i < events)));
    }
    let alone = of(trial(&text).on(&WORKS).unwrap().estimate(&FirthLogisticRegression::new()));
    assert_near(alone.value(), 0.510_825_62, 1e-8);
    assert_near(alone.interval().lower(), -4.554_152, 1e-5);
    assert_near(alone.interval().upper(), 3.669_034, 1e-5);
    assert_near(alone.p_value(), 0.776_234, 1e-6);

    let saddle = of(trial("arm,y,z\nc,0,u\nc,0,v\nt,1,u\nt,1,v\n").on(&WORKS).unwrap().estimate(&firth));
    assert_near(saddle.interval().lower(), -0.621_58, 1e-4);
    assert_near(saddle.interval().upper(), 7.451_043, 1e-4);
}

fn shifted(shift: f64) -> Trial {
    let mut text = "arm,x,y\n".to_owned();
    for (arm, values) in [("c", [3, 4, 2, 5, 4, 6]), ("t", [5, 7, 4, 8, 6, 9])] {
        for (i, y) in values.into_iter().enumerate() {
            text += &format!("{arm},{},{y}\n", shift + i as f64);
        }
    }
    trial(&text)
}

/// Centred covariate, numpy.
#[test]
fn lin_shifted_covariate() {
    for shift in [0.0, 1e4, 1e5, 3e5, 1e6, 1e9] {
        let lin = LinearRegression::new().adjust_for(["x"]).interacted();
        let score = shifted(shift).on(&SCORE).unwrap();
        let hc2 = of(score.estimate(&lin));
        assert_near(hc2.value(), 2.5, 1e-12);
        assert_near(hc2.se(), 0.793_089_183_034_459_2, 1e-12);
        assert_near(
            of(score.estimate(&lin.variance(VarianceType::Hc3))).se(),
            0.943_111_550_268_766_8,
            1e-12,
        );
    }
}

/// A shift of a covariate changes no adjusted effect, and the coefficient of the intercept as it has to.
#[test]
fn shifts_of_covariates_change_no_effect() {
    let plain = shifted(0.0).on(&SCORE).unwrap();
    let far = shifted(1e6).on(&SCORE).unwrap();
    let linear = LinearRegression::new().adjust_for(["x"]);
    let products = linear.clone().interact_arm_with(["x"]);
    let same = |one: &Estimate<MeanDifference>, two: &Estimate<MeanDifference>| {
        assert_near(one.value(), two.value(), 1e-11);
        assert_near(one.se(), two.se(), 1e-11);
    };
    for variance in [VarianceType::Model, VarianceType::Hc0, VarianceType::Hc2, VarianceType::Hc3] {
        for model in [linear.clone(), linear.clone().interacted()] {
            let model = model.variance(variance);
            same(&of(plain.estimate(&model)), &of(far.estimate(&model)));
        }
        let marginal = products.marginal(MeanDifference).variance(MarginalVariance::Delta(variance));
        same(&of(plain.estimate(&marginal)), &of(far.estimate(&marginal)));
    }
    let marginal = products.marginal(MeanDifference);
    same(&of(plain.estimate(&marginal)), &of(far.estimate(&marginal)));
    let robust = DoublyRobust::new(MeanDifference).adjust_for(["x"]);
    same(&of(plain.estimate(&robust)), &of(far.estimate(&robust)));
    let weighting = InverseProbabilityWeighting::new(MeanDifference).adjust_for(["x"]);
    same(&of(plain.estimate(&weighting)), &of(far.estimate(&weighting)));
    // Coefficients are those of the covariate as it is: 2.4 + 0.4571 x and products.
    let prepared = products.prepare(&plain).unwrap();
    let table = prepared.fit().unwrap().coefficients(VarianceType::Model).unwrap();
    let by_hand = |y: [f64; 6]| {
        let mean = y.iter().sum::<f64>() / 6.0;
        let slope = y.iter().enumerate().map(|(i, y)| (i as f64 - 2.5) * y).sum::<f64>() / 17.5;
        (mean - 2.5 * slope, slope)
    };
    let (c, t) = (by_hand([3.0, 4.0, 2.0, 5.0, 4.0, 6.0]), by_hand([5.0, 7.0, 4.0, 8.0, 6.0, 9.0]));
    for (coefficient, expected) in table.iter().zip([c.0, t.0 - c.0, c.1, t.1 - c.1]) {
        assert_near(coefficient.estimate, expected, 1e-11);
    }
}

/// Counts that do not vary say nothing of their variance: refused, or Poisson.
#[test]
fn zero_se_rates() {
    let constant = trial("arm,y\nc,3\nc,3\nt,5\nt,5\n").on(&SPELLS).unwrap();
    assert_eq!(kind(constant.estimate(&RatioOfRates::new())), "zero_variance");
    assert_eq!(kind(constant.estimate(&DifferenceInRates::new())), "zero_variance");
    assert_eq!(kind(constant.estimate(&PoissonRegression::new().marginal(RateDifference))), "zero_variance");
    let poisson = of(constant.estimate(&RatioOfRates::new().variance(RateVariance::Poisson)));
    assert_near(poisson.se(), (1.0_f64 / 6.0 + 1.0 / 10.0).sqrt(), 1e-12);
    assert_near(poisson.p_value(), 0.32, 5e-3);
}

#[test]
fn zero_se_mantel_haenszel() {
    use armwise::proportion::MantelHaenszelVariance;
    let apart = stratified("arm,s,y\nc,a,0\nc,a,0\nc,b,0\nt,a,1\nt,a,1\nt,b,1\nt,b,1\n");
    let nobody = stratified("arm,s,y\nc,a,0\nc,a,0\nc,b,0\nt,a,0\nt,a,0\nt,b,0\nt,b,0\n");
    for variance in [MantelHaenszelVariance::Sato, MantelHaenszelVariance::GreenlandRobins] {
        for trial in [&apart, &nobody] {
            let estimator = DifferenceInProportions::new().mantel_haenszel(variance);
            assert_eq!(kind(trial.on(&WORKS).unwrap().estimate(&estimator)), "zero_variance");
        }
    }
}

/// Every neighbour: no method says that it knows an effect for certain from a few people.
#[test]
fn nobody_knows_an_effect_for_certain() {
    let text = "arm,y,x\nc,0,1\nc,0,2\nc,0,3\nc,0,5\nt,1,2\nt,1,1\nt,1,3\nt,1,4\n";
    let works = trial(text).on(&WORKS).unwrap();
    let wald = armwise::proportion::DifferenceInterval::Wald;
    assert_eq!(kind(works.estimate(&DifferenceInProportions::new().interval(wald))), "zero_variance");
    let ipw = InverseProbabilityWeighting::new(RiskDifference).adjust_for(["x"]);
    assert_eq!(kind(works.estimate(&ipw)), "zero_variance");
    let score = of(works.estimate(&DifferenceInProportions::new()));
    assert!(
        score.interval().lower() < 1.0
            && score.notices().iter().any(|n| matches!(n, Notice::ZeroStandardError { .. }))
    );
    let constant = trial("arm,y,x\nc,2,1\nc,2,2\nc,2,3\nc,2,5\nt,3,2\nt,3,1\nt,3,3\nt,3,4\n");
    let scores = constant.on(&SCORE).unwrap();
    let aipw = DoublyRobust::new(MeanDifference).adjust_for(["x"]);
    assert_eq!(kind(scores.estimate(&aipw)), "zero_variance");
    assert_eq!(kind(scores.estimate(&DifferenceInMeans::new())), "zero_variance");
    assert_eq!(kind(scores.estimate(&LinearRegression::new())), "zero_variance");
    // Arm against arm, and combinations.
    let counts =
        Comparison::from_counts("Utrecht", &WORKS, [("c", 3, 20), ("t", 0, 20), ("u", 0, 30)]).unwrap();
    let effects = counts.estimate(&DifferenceInProportions::new()).unwrap();
    assert_eq!(kind(effects.combination("mix", &[("t", 1.0), ("u", -1.0)])), "zero_variance");
    assert!(effects.between("t", "u").unwrap().interval().width() > 0.1);
}

/// One person in an arm has no residual, and HC0 counts that person as certain.
#[test]
fn an_arm_of_one_person_has_no_robust_variance() {
    let text = "arm,y,o\nc,2,none\nc,4,permanent\nc,1,temporary\nc,5,none\nt,7,temporary\n";
    let counts = trial(text).on(&SPELLS).unwrap();
    let poisson = PoissonRegression::new();
    for result in [counts.estimate(&poisson), counts.estimate(&poisson.clone().variance(VarianceType::Hc1))] {
        let error = result.unwrap_err();
        assert_eq!(
            (error.kind().name(), error.place().arm.as_deref()),
            ("zero_variance", Some("t")),
            "{error}"
        );
    }
    let marginal = poisson.marginal(RateDifference);
    for variance in [MarginalVariance::Superpopulation, MarginalVariance::Delta(VarianceType::Hc0)] {
        assert_eq!(kind(counts.estimate(&marginal.clone().variance(variance))), "zero_variance");
    }
    assert!(counts.estimate(&poisson.variance(VarianceType::Model)).is_ok());
    let contract = Measure::ordinal("o", &["none", "temporary", "permanent"]);
    let odds = ProportionalOddsRegression::new();
    let ordered = trial(text).on(&contract).unwrap();
    assert!(ordered.estimate(&odds).is_ok());
    let hc0 = odds.variance(armwise::categorical::CategoryVariance::Hc0);
    assert_eq!(kind(ordered.estimate(&hc0)), "insufficient_observations");
}

/// Four arms of four clusters: a contrast of two arms has six degrees of freedom where clusters are equal,
/// not fifteen.
#[test]
fn degrees_of_freedom_are_those_of_the_two_arms() {
    let mut text = "arm,g,y,k\n".to_owned();
    for cluster in 0..16_u32 {
        for i in 0..6_u32 {
            let y = u32::from((cluster * 5 + i * 7) % 11 < 4 + cluster % 3);
            text += &format!(
                "{},g{cluster},{y},{}\n",
                ["c", "t", "u", "v"][(cluster % 4) as usize],
                (cluster + i) % 5
            );
        }
    }
    let trial = labelled(Table::from_csv_str(&text).unwrap(), "c").clusters("g").build().unwrap();
    let (works, counts) = (trial.on(&WORKS).unwrap(), trial.on(&Measure::count("k")).unwrap());
    let crude = of(works.estimate(&DifferenceInProportions::new()));
    assert_near(crude.df().unwrap(), 6.0, 1e-9);
    let odds = of(works.estimate(&OddsRatio::new()));
    let logistic = LogisticRegression::new();
    let same = |a: f64, b: f64| assert_near(a, b, 1e-9);
    let conditional = of(works.estimate(&logistic));
    same(conditional.value(), odds.value());
    same(conditional.se(), odds.se());
    let marginal = of(works.estimate(&logistic.marginal(RiskDifference)));
    let weighting = of(works.estimate(&InverseProbabilityWeighting::new(RiskDifference)));
    let robust = of(works.estimate(&DoublyRobust::new(RiskDifference)));
    for one in [&marginal, &weighting, &robust] {
        same(one.value(), crude.value());
        same(one.se(), crude.se());
        same(one.df().unwrap(), 6.0);
    }
    let rates = of(counts.estimate(&RatioOfRates::new()));
    let poisson = of(counts.estimate(&PoissonRegression::new()));
    same(poisson.value(), rates.value());
    same(poisson.se(), rates.se());
    assert!(poisson.df().unwrap() < 7.0 && conditional.df().unwrap() < 7.0);
    let cr1 = of(works.estimate(&logistic.variance(ClusterVariance::Cr1)));
    assert_eq!(cr1.df(), Some(7.0));
    assert!(
        works
            .estimate(&LogisticRegression::new().marginal(LogOddsRatio))
            .unwrap()
            .treatment("u")
            .unwrap()
            .df()
            .unwrap()
            < 7.0
    );
}

/// Satterthwaite's degrees of freedom from the parts of the variance, by hand.
#[test]
fn blocks_of_unequal_spread_have_fewer_degrees_of_freedom() {
    let text = "arm,s,y\nc,a,1\nc,a,3\nt,a,4\nt,a,8\nc,b,5\nc,b,6\nc,b,10\nt,b,9\nt,b,7\n";
    let blocks = DifferenceInMeans::new().blocks(armwise::mean::Blocks::BySize);
    let effect = of(stratified(text).on(&SCORE).unwrap().estimate(&blocks));
    let (a, b) = (4.0_f64 / 9.0, 5.0_f64 / 9.0);
    let parts = [(a * a, 1.0), (a * a * 4.0, 1.0), (b * b * 7.0 / 3.0, 2.0), (b * b, 1.0)];
    let variance: f64 = parts.iter().map(|(c, _)| c).sum();
    assert_near(effect.variance(), variance, 1e-12);
    let df = variance * variance / parts.iter().map(|(c, df)| c * c / df).sum::<f64>();
    assert_near(effect.df().unwrap(), df, 1e-10);
}

/// The only event of an arm is lost to a missing covariate.
#[test]
fn stale_notice() {
    let text = "arm,y,x\nc,1,\nc,0,1\nc,0,2\nc,0,3\nt,1,1\nt,0,2\nt,1,3\nt,0,5\n";
    let works = trial(text).on(&WORKS).unwrap();
    let effect = of(works.estimate(&LinearRegression::new().adjust_for(["x"])));
    let nobody = Notice::NoVariation { arm: "c".into(), everybody: false };
    assert!(effect.notices().contains(&nobody), "{:?}", effect.notices());
    assert!(!of(works.estimate(&LinearRegression::new())).notices().contains(&nobody));
}

/// The score interval of a difference, and exact limits of each rate (rule of three: about 3.7 over the
/// exposure).
#[test]
fn zero_events_rates() {
    use armwise::rate::{Rate, RateDifferenceInterval, RateInterval, RateRatioInterval};
    let text = "arm,y,t\nc,0,1\nc,0,2\nc,0,3\nt,0,2\nt,0,1\nt,0,2\n";
    let none = trial(text).on(&Measure::count("y").exposure("t")).unwrap();
    let error = none.estimate(&DifferenceInRates::new()).unwrap_err();
    assert_eq!(error.kind().name(), "zero_variance");
    assert!(error.to_string().contains("RateDifferenceInterval::Score"), "{error}");
    let score = of(none.estimate(&DifferenceInRates::new().interval(RateDifferenceInterval::Score)));
    assert_eq!((score.value(), score.p_value()), (0.0, 1.0));
    assert_near(score.interval().lower(), -3.841_458_8 / 6.0, 1e-6);
    assert_near(score.interval().upper(), 3.841_458_8 / 5.0, 1e-6);
    for (exposure, limit) in [(5.0, 3.688_879_45 / 5.0), (6.0, 3.688_879_45 / 6.0)] {
        let interval = Rate::new(0, exposure).unwrap().interval(RateInterval::Exact, 0.95).unwrap();
        assert_near(interval.upper(), limit, 1e-8);
    }
    // A ratio without events in one arm: the error says what is known.
    let text = "arm,y,t\nc,4,1\nc,2,2\nc,3,3\nt,0,2\nt,0,1\nt,0,2\n";
    let one = trial(text).on(&Measure::count("y").exposure("t")).unwrap();
    let exact = RatioOfRates::new().interval(RateRatioInterval::ExactConditional);
    let error = one.estimate(&exact).unwrap_err();
    assert!(error.to_string().contains("runs from 0 to 0.6"), "{error}");
    assert!(
        of(one.estimate(&DifferenceInRates::new().interval(RateDifferenceInterval::Score))).p_value() < 0.05
    );
    let robust = exact.clone().variance(RateVariance::Robust);
    assert_eq!(kind(one.estimate(&robust)), "invalid_input");
    let json = serde_json::to_string(&AnyEstimator::from(exact)).unwrap();
    assert!(json.contains("exact_conditional"), "{json}");
}

/// 41 in 28,010 and 15 in 19,017 years: exact and mid-p limits of the ratio by hand, as the tails of a
/// binomial distribution.
#[test]
fn intervals_of_rate_ratios() {
    use armwise::distribution::Binomial;
    use armwise::rate::RateRatioInterval;
    let text = "arm,y,t\nc,15,19017\nt,41,28010\n";
    let rates = trial(text).on(&Measure::count("y").exposure("t")).unwrap();
    let p_of = |log: f64| {
        let odds = log.exp() * 28_010.0 / 19_017.0;
        odds / (1.0 + odds)
    };
    for (method, weight) in [(RateRatioInterval::ExactConditional, 1.0), (RateRatioInterval::MidP, 0.5)] {
        let effect = of(rates.estimate(&RatioOfRates::new().interval(method)));
        assert_near(effect.ratio().unwrap(), 41.0 / 28_010.0 / (15.0 / 19_017.0), 1e-12);
        let lower = Binomial::new(56, p_of(effect.interval().lower())).unwrap();
        assert_near(lower.sf(41) + weight * lower.pmf(41), 0.025, 1e-9);
        let upper = Binomial::new(56, p_of(effect.interval().upper())).unwrap();
        assert_near(upper.cdf(40) + weight * upper.pmf(41), 0.025, 1e-9);
        assert_near(effect.p_above(effect.interval().lower()).unwrap(), 0.025, 1e-9);
    }
}

/// The numeric layer gives the exact interval; Fisher.
#[test]
fn add_half_keeps_the_interval_that_was_asked_for() {
    use armwise::proportion::OddsRatioInterval;
    let arms = [("c", 76, 110), ("t", 0, 12), ("u", 30, 50)];
    let counts = Comparison::from_counts("Utrecht", &WORKS, arms).unwrap();
    let halves = OddsRatio::new().zero_cells(ZeroCells::AddHalf);
    let exact = counts.estimate(&halves.clone().interval(OddsRatioInterval::ExactConditional)).unwrap();
    let t = exact.treatment("t").unwrap();
    assert_near(t.ratio_interval().unwrap().upper(), 0.175_59, 1e-5);
    assert_eq!(t.ratio_interval().unwrap().lower(), 0.0);
    assert!(t.p_value() < 1e-5, "{}", t.p_value());
    assert!(t.notices().contains(&Notice::AddedHalf { name: "t".into() }));
    assert!(t.notices().contains(&Notice::UnboundedInterval { treatment: "t".into() }));
    // By default the interval of the logarithm with halves; and nothing is added to the other arm.
    let usual = counts.estimate(&halves).unwrap();
    let t = usual.treatment("t").unwrap();
    assert_near(t.ratio().unwrap(), (0.5 / 12.5) / (76.5 / 34.5), 1e-12);
    assert_eq!(t.method().interval, IntervalMethod::Normal);
    assert!(t.interval().lower().is_finite());
    let alone = Comparison::from_counts("Utrecht", &WORKS, [("c", 76, 110), ("u", 30, 50)]).unwrap();
    let alone = alone.estimate(&OddsRatio::new()).unwrap().treatment("u").unwrap();
    for u in [usual.treatment("u").unwrap(), exact.treatment("u").unwrap()] {
        assert_near(u.value(), alone.value(), 1e-14);
        assert_near(u.se(), alone.se(), 1e-14);
    }
    assert_near(usual.treatment("u").unwrap().interval().lower(), alone.interval().lower(), 1e-14);
    // Without a rule the error says what the intervals are.
    for (error, words) in [
        (
            counts.estimate(&OddsRatio::new().interval(OddsRatioInterval::ExactConditional)),
            "from 0 to 0.1756, p < 0.001",
        ),
        (counts.estimate(&OddsRatio::new()), "TwoProportions::odds_ratio_interval"),
        (counts.estimate(&OddsRatio::new().interval(OddsRatioInterval::Woolf)), "Miettinen-Nurminen"),
    ] {
        let error = error.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    let reversed = Comparison::from_counts("Utrecht", &WORKS, [("c", 0, 12), ("t", 5, 12)]).unwrap();
    let error = reversed.estimate(&RatioOfProportions::new()).unwrap_err();
    assert!(error.to_string().contains("to infinity"), "{error}");
}

/// Part-time work is a middle category, and many questionnaires score symptoms: somebody has to declare what
/// is better.
#[test]
fn directions_are_declared_where_they_are_used() {
    const PART_TIME: Measure<Binary> = Outflow::part_time("hours");
    let arms = [("c", 20, 100), ("t", 15, 100)];
    let of_counts = |measure: &Measure<Binary>| {
        of(Comparison::from_counts("Utrecht", measure, arms)
            .unwrap()
            .estimate(&DifferenceInProportions::new()))
    };
    for undeclared in [PART_TIME, Outflow::between(1.0, 8.0, "hours")] {
        assert_eq!(undeclared.info().direction, Direction::Undeclared);
        let error = of_counts(&undeclared).non_inferiority(0.1).unwrap_err();
        assert!(error.to_string().contains("higher_is_better"), "{error}");
        assert!(of_counts(&undeclared.higher_is_better()).non_inferiority(0.1).is_ok());
    }
    assert_eq!(Outflow::any("hours").info().direction, Direction::HigherIsBetter);
    let symptoms = Questionnaire::new(&["a", "b"], 0.0, 3.0).measure("symptoms");
    assert_eq!(symptoms.info().direction, Direction::Undeclared);
    let wellbeing = Questionnaire::who5(&["a", "b", "c", "d", "e"]).measure("wellbeing");
    assert_eq!(wellbeing.info().direction, Direction::HigherIsBetter);
    assert_eq!(wellbeing.lower_is_better().info().direction, Direction::LowerIsBetter);
}

/// By hand.
#[test]
fn negative_alpha() {
    let table = Table::from_csv_str("a,b,c\n1,2,5\n2,2,4\n3,4,3\n4,4,2\n5,5,1\n3,3,3\n").unwrap();
    let alpha = Questionnaire::new(&["a", "b", "c"], 1.0, 5.0).cronbach_alpha(&table).unwrap();
    assert_near(alpha.alpha, -4.090_909_090_909_091, 1e-12);
    assert_eq!(alpha.notices, [Notice::NegativeAlpha { items: vec!["c".into()] }]);
    assert!(alpha.to_string().contains("reversed(..)"), "{alpha}");
}

#[test]
fn missing_exposure() {
    let text = "arm,y,t\nc,1,1\nc,0,\nc,2,3\nt,1,2\nt,3,1\nt,0,2\n";
    let rates = trial(text).on(&Measure::count("y").exposure("t")).unwrap();
    let told: Vec<String> = rates.notices().iter().map(ToString::to_string).collect();
    assert_eq!(told, ["1 participant is left out because the exposure \"t\" is missing"]);
    assert_eq!((rates.reference().counts.observed, rates.reference().counts.analysed), (3, 2));
}

#[test]
fn two_part_words() {
    let everybody = trial("arm,y\nc,1\nc,3\nc,2\nc,4\nt,2\nt,4\nt,5\n").on(&SCORE).unwrap();
    let error = everybody.estimate(&TwoPartRegression::new()).unwrap_err();
    assert!(error.to_string().contains("everybody has an amount"), "{error}");
    let nobody = trial("arm,y\nc,0\nc,0\nt,0\nt,0\n").on(&SCORE).unwrap();
    let error = nobody.estimate(&TwoPartRegression::new()).unwrap_err();
    assert!(error.to_string().contains("nobody has an amount"), "{error}");
}

/// 500,000 of a million against 502,000: by hand.
#[test]
fn ratio_digits() {
    let arms = [("c", 500_000, 1_000_000), ("t", 502_000, 1_000_000)];
    let effect =
        of(Comparison::from_counts("Utrecht", &WORKS, arms).unwrap().estimate(&RatioOfProportions::new()));
    assert!(effect.to_string().contains("1.004 (95% CI 1.001 to 1.007"), "{effect}");
}

#[test]
fn one_combination_under_two_names() {
    let text = "arm,y\nc,0\nc,1\nearnings_guidance,1\nearnings_guidance,0\nguidance_earnings,1\nguidance_earnings,1\n";
    let builder =
        || Trial::builder("Utrecht", Table::from_csv_str(text).unwrap()).arm_labels("arm").control("c");
    let undeclared = builder().build().unwrap_err();
    assert!(
        undeclared.to_string().contains("\"earnings_guidance\" and \"guidance_earnings\""),
        "{undeclared}"
    );
    let declared = builder()
        .components("earnings_guidance", ["earnings", "guidance"])
        .components("guidance_earnings", ["guidance", "earnings"])
        .build();
    let error = declared.unwrap_err();
    assert!(error.to_string().contains("both are one arm"), "{error}");
}

#[test]
fn few_events_for_a_coefficient() {
    let mut text = "arm,y,x,z\n".to_owned();
    for i in 0..40_u32 {
        text += &format!(
            "{},{},{},{}\n",
            ["c", "t"][(i % 2) as usize],
            u32::from(i % 5 == 3 || i % 9 == 4),
            i * 7 % 13,
            i % 3
        );
    }
    let works = trial(&text).on(&WORKS).unwrap();
    let few = |effects: &Estimates<LogOddsRatio>| {
        effects.notices().iter().any(|told| matches!(told, Notice::FewEvents { .. }))
    };
    assert!(few(&works.estimate(&LogisticRegression::new().adjust_for(["x", "z"])).unwrap()));
    assert!(!few(&works.estimate(&LogisticRegression::new()).unwrap()));
}
