//! Effects on categories, checked by hand, and what is told of empty categories, odds that are not
//! proportional, and wrong names.

use crate::support::{assert_near, labelled};
use armwise::prelude::*;

/// People of every category in every arm: none, temporary, permanent.
const COUNTS: [(&str, [usize; 3]); 3] =
    [("control", [60, 25, 15]), ("guidance", [45, 30, 25]), ("exemption", [30, 20, 30])];

const TWICE: Measure<Nominal> = Measure::nominal("contract", &["none", "temporary", "none", "permanent"]);

fn table(counts: &[(&str, [usize; 3])]) -> Table {
    let mut csv = "arm,contract,age,district\n".to_owned();
    let mut row = 0;
    for (arm, counts) in counts {
        for (contract, n) in Contract::LEVELS.iter().zip(counts) {
            for _ in 0..*n {
                row += 1;
                let line = format!(
                    "{arm},{contract},{},{}\n",
                    20 + row * 37 % 45,
                    ["north", "south"][row * 7 % 5 % 2]
                );
                csv.push_str(&line);
            }
        }
    }
    Table::from_csv_str(&csv).unwrap()
}

fn trial(counts: &[(&str, [usize; 3])]) -> Trial {
    labelled(table(counts), "control").build().unwrap()
}

#[test]
fn differences_and_their_covariance_by_hand() {
    let comparison = trial(&COUNTS).on(&Contract::nominal("contract")).unwrap();
    let effects = comparison.estimate_categories(&DifferenceInCategories::new()).unwrap();
    // Treatments in the order of their labels: exemption, guidance.
    let permanent = effects.category("permanent").unwrap();
    assert_near(permanent.treatment("exemption").unwrap().value(), 30.0 / 80.0 - 15.0 / 100.0, 1e-10);
    assert_near(permanent.treatment("guidance").unwrap().value(), 25.0 / 100.0 - 15.0 / 100.0, 1e-10);
    assert_eq!(permanent.treatment("guidance").unwrap().treatment_counts().events, Some(25));
    let v = effects.covariance.view();
    let p = |x: f64, n: f64| x / n;
    // none with permanent: the same treatment, and two treatments, which share the control.
    let shared = -p(60.0, 100.0) * p(15.0, 100.0) / 100.0;
    assert_near(v[[0, 4]], -p(30.0, 80.0) * p(30.0, 80.0) / 80.0 + shared, 1e-10);
    assert_near(v[[0, 5]], shared, 1e-10);
    // permanent with permanent.
    let control = p(15.0, 100.0) * p(85.0, 100.0) / 100.0;
    assert_near(v[[4, 5]], control, 1e-10);
    assert_near(v[[5, 5]], p(25.0, 100.0) * p(75.0, 100.0) / 100.0 + control, 1e-10);
}

#[test]
fn multinomial_odds_by_hand() {
    let comparison = trial(&COUNTS).on(&Contract::nominal("contract")).unwrap();
    let effects = comparison.estimate_categories(&MultinomialRegression::new()).unwrap();
    let guidance = effects.category("permanent").unwrap().treatment("guidance").unwrap();
    assert_near(guidance.value(), ((25.0 / 45.0) / (15.0 / 60.0_f64)).ln(), 1e-10);
    assert_near(guidance.variance(), 1.0 / 25.0 + 1.0 / 45.0 + 1.0 / 15.0 + 1.0 / 60.0, 1e-10);
    assert_eq!(guidance.measure().name, "contract: permanent rather than none");
    // Odds of temporary and permanent share the base category.
    let v = effects.covariance.view();
    assert_near(v[[1, 3]], 1.0 / 45.0 + 1.0 / 60.0, 1e-10);
    let other = MultinomialRegression::new().base("permanent");
    let reverse = comparison.estimate_categories(&other).unwrap();
    assert_near(
        reverse.category("none").unwrap().treatment("guidance").unwrap().value(),
        -guidance.value(),
        1e-10,
    );
}

#[test]
fn win_probabilities_by_hand() {
    let comparison = trial(&COUNTS).on(&Contract::ordinal("contract")).unwrap();
    let benefit = comparison.estimate(&WinProbability::new(NetBenefit)).unwrap();
    let guidance = benefit.treatment("guidance").unwrap();
    let wins = 30.0 * 60.0 + 25.0 * 85.0;
    let losses = 45.0 * 40.0 + 30.0 * 15.0;
    assert_near(guidance.value(), (wins - losses) / 1e4, 1e-10);
    // Placements of the guided: 0.3, 0.725 and 0.925 of the control; those of the control: 0.225, 0.6 and
    // 0.875 of the guided.
    let spread = |placements: [f64; 3], counts: [f64; 3]| {
        let n: f64 = counts.iter().sum();
        let mean: f64 = placements.iter().zip(counts).map(|(p, n)| p * n).sum::<f64>() / n;
        placements.iter().zip(counts).map(|(p, n)| n * (p - mean).powi(2)).sum::<f64>() / (n - 1.0) / n
    };
    let treated = spread([0.3, 0.725, 0.925], [45.0, 30.0, 25.0]);
    let control = spread([0.225, 0.6, 0.875], [60.0, 25.0, 15.0]);
    assert_near(guidance.variance(), 4.0 * (treated + control), 1e-10);
    assert_near(
        guidance.df().unwrap(),
        (treated + control).powi(2) / (treated.powi(2) / 99.0 + control.powi(2) / 99.0),
        1e-10,
    );
    // Of the control among the exempted: 0.1875, 0.5, 0.8125.
    let (g, e, n) = ([0.225, 0.6, 0.875], [0.1875, 0.5, 0.8125], [60.0, 25.0, 15.0]);
    let mean = |p: [f64; 3]| p.iter().zip(n).map(|(p, n)| p * n / 100.0).sum::<f64>();
    let shared = (0..3).map(|k| n[k] * (g[k] - mean(g)) * (e[k] - mean(e))).sum::<f64>() / 99.0 / 100.0;
    assert_near(benefit.covariance()[[0, 1]], 4.0 * shared, 1e-10);
}

#[test]
fn tests_of_the_whole_table() {
    let comparison = trial(&COUNTS).on(&Contract::ordinal("contract")).unwrap();
    let pearson = comparison.test_independence(IndependenceTest::Pearson).unwrap();
    // Sum of (O - E)^2 / E with E from the margins 135, 75, 70 and 100, 100, 80 of 280.
    let statistic: f64 = COUNTS
        .iter()
        .flat_map(|(_, row)| {
            let n: usize = row.iter().sum();
            row.iter().zip([135.0, 75.0, 70.0]).map(move |(&o, column)| {
                let expected = n as f64 * column / 280.0;
                (o as f64 - expected).powi(2) / expected
            })
        })
        .sum();
    assert_near(pearson.statistic.unwrap(), statistic, 1e-10);
    assert_eq!(pearson.df, Some(4.0));
    let ratio = comparison.test_independence(IndependenceTest::LikelihoodRatio).unwrap();
    assert!((ratio.statistic.unwrap() / statistic - 1.0).abs() < 0.05);
    let seeded = IndependenceTest::FisherFreemanHaltonSimulated { seed: 7, replicates: 20_000 };
    let simulated = comparison.test_independence(seeded).unwrap();
    assert_eq!(simulated, comparison.test_independence(seeded).unwrap());
    assert!((simulated.p_value - pearson.p_value).abs() < 0.002);
    let error = comparison.test_independence(IndependenceTest::CochranMantelHaenszel).unwrap_err();
    assert!(error.to_string().contains("strata(..)"), "{error}");

    let stratified = labelled(table(&COUNTS), "control");
    let comparison =
        stratified.strata(["district"]).build().unwrap().on(&Contract::ordinal("contract")).unwrap();
    let general = comparison.test_independence(IndependenceTest::CochranMantelHaenszel).unwrap();
    assert_eq!((general.df, general.strata), (Some(4.0), 2));
    let means = comparison.test_order(OrderedTest::MeanScores(CategoryScores::Midranks)).unwrap();
    let trend = comparison.test_order(OrderedTest::LinearByLinear(CategoryScores::EquallySpaced)).unwrap();
    assert_eq!((means.df, trend.df), (Some(2.0), Some(1.0)));
    assert!(means.name.contains("within strata") && means.to_string().contains("in 2 strata"));
}

#[test]
fn the_sign_of_proportional_odds_is_that_of_the_outcome() {
    let comparison = trial(&COUNTS).on(&Contract::ordinal("contract")).unwrap();
    let model = ProportionalOddsRegression::new().adjust_for(["age"]);
    let odds = comparison.estimate(&model).unwrap();
    assert!(odds.values().all(|value| value > 0.0));
    assert_eq!(odds.estimand(), Estimand::Conditional);
    let effects = comparison.estimate_categories(&model.marginal(RiskDifference)).unwrap();
    assert!(effects.category("none").unwrap().values().all(|value| value < 0.0));
    assert!(effects.category("permanent").unwrap().values().all(|value| value > 0.0));
}

#[test]
fn odds_that_are_not_proportional_are_told() {
    // Guidance moves people out of the middle in both directions.
    let counts = [("control", [40, 80, 40]), ("guidance", [75, 10, 75])];
    let comparison = trial(&counts).on(&Contract::ordinal("contract")).unwrap();
    let odds = comparison.estimate(&ProportionalOddsRegression::new()).unwrap();
    let told = odds.notices().iter().any(|notice| matches!(notice, Notice::NonProportionalOdds { .. }));
    assert!(told && odds.to_string().contains("not proportional"), "{odds}");
}

#[test]
fn an_empty_category_is_told() {
    let counts = [("control", [60, 0, 15]), ("guidance", [45, 0, 25])];
    let trial = trial(&counts);
    let comparison = trial.on(&Contract::ordinal("contract")).unwrap();
    let empty =
        |notice: &Notice| matches!(notice, Notice::EmptyCategory { category } if *category == "temporary");
    let crude = comparison.estimate_categories(&DifferenceInCategories::new()).unwrap();
    assert!(crude.notices().iter().any(empty));
    assert_eq!(crude.category("temporary").unwrap().treatment("guidance").unwrap().value(), 0.0);
    let ratios =
        DifferenceInCategories::new().probabilities(&comparison).unwrap().contrast(LogRiskRatio).unwrap();
    assert!(ratios.category("temporary").unwrap_err().to_string().contains("nobody is in it"));
    let model = MultinomialRegression::new().adjust_for(["age"]);
    let odds = comparison.estimate_categories(&model).unwrap();
    assert!(odds.notices().iter().any(empty) && odds.iter().len() == 1);
    let marginal = comparison.estimate_categories(&model.marginal(RiskDifference)).unwrap();
    // Nobody shows no spread: no interval of one point.
    assert!(marginal.category("temporary").unwrap_err().to_string().contains("nobody is in it"));
    let proportional = comparison.estimate(&ProportionalOddsRegression::new()).unwrap();
    assert!(proportional.notices().iter().any(empty));
    let test = comparison.test_independence(IndependenceTest::Pearson).unwrap();
    assert!(test.df == Some(1.0) && test.notices.iter().any(empty));
}

#[test]
fn what_has_no_answer_says_so() {
    let says = |error: armwise::Error, words: &[&str]| {
        let sentence = error.to_string();
        for word in words {
            assert!(sentence.contains(word), "\"{word}\" is missing in: {sentence}");
        }
    };
    let comparison = trial(&COUNTS).on(&Contract::ordinal("contract")).unwrap();
    let effects = comparison.estimate_categories(&DifferenceInCategories::new()).unwrap();
    says(effects.category("permanant").unwrap_err(), &["Utrecht", "contract", "did you mean \"permanent\""]);
    let base = MultinomialRegression::new().base("fixed");
    says(comparison.estimate_categories(&base).unwrap_err(), &["Utrecht", "contract", "fixed"]);
    let model = MultinomialRegression::new().marginal(RiskDifference).variance(MarginalVariance::Ye2023);
    says(comparison.estimate_categories(&model).unwrap_err(), &["Utrecht", "Ye 2023", "Superpopulation"]);
    for level in [0.0, 1.0, f64::NAN] {
        let estimator = DifferenceInCategories::new().level(level);
        says(comparison.estimate_categories(&estimator).unwrap_err(), &["Utrecht", "level"]);
        let error = comparison.estimate(&WinProbability::new(NetBenefit).level(level)).unwrap_err();
        says(error, &["Utrecht", "level"]);
        let error = comparison.estimate(&ProportionalOddsRegression::new().level(level)).unwrap_err();
        says(error, &["Utrecht", "level"]);
    }

    let nobody = [("control", [60, 10, 15]), ("guidance", [45, 25, 0])];
    let comparison = trial(&nobody).on(&Contract::nominal("contract")).unwrap();
    let error = comparison.estimate_categories(&MultinomialRegression::new()).unwrap_err();
    says(error, &["Utrecht", "contract", "permanent"]);
    let crude = comparison.estimate_categories(&DifferenceInCategories::new()).unwrap();
    assert!(crude.to_string().contains("nobody in arm \"guidance\""), "{crude}");

    let same = [("control", [60, 0, 0]), ("guidance", [45, 0, 0])];
    let comparison = trial(&same).on(&Contract::ordinal("contract")).unwrap();
    says(comparison.estimate(&ProportionalOddsRegression::new()).unwrap_err(), &["everybody", "none"]);
    says(
        comparison.estimate(&WinProbability::new(NetBenefit)).unwrap_err(),
        &["Utrecht", "guidance", "level with"],
    );
    says(comparison.test_independence(IndependenceTest::Pearson).unwrap_err(), &["Utrecht", "contract"]);

    let comparison = trial(&COUNTS).on(&TWICE).unwrap();
    let error = comparison.estimate_categories(&DifferenceInCategories::new()).unwrap_err();
    says(error, &["Utrecht", "declared twice"]);
}

#[test]
fn an_average_effect_is_the_mean_derivative() {
    let comparison = trial(&COUNTS).on(&Contract::permanent("contract")).unwrap();
    let prepared = LogisticRegression::new().adjust_for(["age"]).prepare(&comparison).unwrap();
    let fit = prepared.fit().unwrap();
    let age = fit.average_effect("age", VarianceType::Model).unwrap();
    let (names, b) = (fit.regression().names(), fit.regression().coefficients());
    let place = names.iter().position(|name| name == "age").unwrap();
    let fitted = fit.regression().fitted();
    let mean = fitted.iter().map(|p| p * (1.0 - p) * b[place]).sum::<f64>() / fitted.len() as f64;
    assert_near(age.value, mean, 1e-10);
    assert!(age.p_value() > 0.0 && age.to_string().contains("average effect of age"));
    assert!(fit.average_effect("arm", VarianceType::Model).is_err());
}
