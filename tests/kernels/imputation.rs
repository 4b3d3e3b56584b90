//! Draws of missing values against what their models say, and what is refused.

use armwise::Interval;
use armwise::imputation::{ChainedEquations, ChainedImputations, Incomplete, VariableModel};

/// Numbers in (0, 1) without pattern.
fn uniform(i: usize, stream: usize) -> f64 {
    let wave = ((i as f64) * 12.9898 + (stream as f64) * 78.233).sin() * 43758.5453;
    (wave - wave.floor()).clamp(1e-9, 1.0 - 1e-9)
}

fn normal(i: usize, stream: usize) -> f64 {
    armwise::distribution::Normal.quantile(uniform(i, stream))
}

/// A covariate, and an outcome that is missing for every fourth person.
fn pair(n: usize, model: VariableModel, outcome: impl Fn(f64, usize) -> f64) -> Vec<Incomplete> {
    let x: Vec<f64> = (0..n).map(|i| normal(i, 1)).collect();
    let y = (0..n).map(|i| if i % 4 == 3 { f64::NAN } else { outcome(x[i], i) }).collect();
    vec![Incomplete::new("x", x, VariableModel::Linear), Incomplete::new("y", y, model)]
}

fn run(variables: Vec<Incomplete>, m: u32) -> ChainedImputations {
    ChainedEquations::new(variables).unwrap().imputations(m).seed(7).run().unwrap()
}

/// The mean over imputations and people, and the mean within imputations of the variance.
fn moments(drawn: &ChainedImputations, variable: usize) -> [f64; 2] {
    let all: Vec<f64> = drawn.values.iter().flat_map(|one| one[variable].clone()).collect();
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    [mean, all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / all.len() as f64]
}

#[test]
fn normal_draws_have_the_mean_and_the_spread_of_the_regression() {
    let outcome = |x: f64, i: usize| 3.0 + 2.0 * x + 1.5 * normal(i, 2);
    let drawn = run(pair(400, VariableModel::Linear, outcome), 200);
    let missing: Vec<usize> = (0..400).filter(|i| i % 4 == 3).collect();
    let expected = missing.iter().map(|&i| 3.0 + 2.0 * normal(i, 1)).sum::<f64>() / 100.0;
    let [mean, variance] = moments(&drawn, 1);
    assert!((mean - expected).abs() < 0.25, "{mean} {expected}");
    assert!((variance - (4.0 + 2.25)).abs() < 1.0, "{variance}");
    // Parameters are drawn: means of imputations differ by more than people alone would make them.
    let means: Vec<f64> = drawn.values.iter().map(|one| one[1].iter().sum::<f64>() / 100.0).collect();
    let between = means.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 199.0;
    let (alone, parameters) = (2.25 / 100.0, 2.25 / 300.0);
    assert!(between > alone && (between / (alone + parameters) - 1.0).abs() < 0.4, "{between}");
}

#[test]
fn matching_gives_observed_values_and_ranges_are_kept() {
    let outcome = |x: f64, i: usize| (50.0 + 20.0 * x + 15.0 * normal(i, 2)).clamp(0.0, 100.0).round();
    let variables = pair(200, VariableModel::PredictiveMeanMatching, outcome);
    let drawn = run(variables, 10);
    let seen: Vec<f64> = (0..200).filter(|i| i % 4 != 3).map(|i| outcome(normal(i, 1), i)).collect();
    assert!(drawn.values.iter().flat_map(|one| &one[1]).all(|value| seen.contains(value)));
    let range = Interval::new(0.0, 100.0).unwrap();
    let mut bounded = pair(200, VariableModel::Linear, outcome);
    let last = bounded.pop().unwrap().range(range);
    bounded.push(last);
    let drawn = run(bounded, 10);
    assert!(drawn.values.iter().flat_map(|one| &one[1]).all(|value| range.contains(*value)));
    let [mean, _] = moments(&drawn, 1);
    assert!((40.0..60.0).contains(&mean), "{mean}");
}

#[test]
fn categories_follow_their_probabilities() {
    let logistic = |x: f64| 1.0 / (1.0 + (-x).exp());
    let share = |of: &dyn Fn(f64) -> f64| {
        (0..600).filter(|i| i % 4 == 3).map(|i| of(normal(i, 1))).sum::<f64>() / 150.0
    };
    let two = |x: f64, i: usize| f64::from(u8::from(uniform(i, 3) < logistic(0.5 + x)));
    let [mean, _] = moments(&run(pair(600, VariableModel::Categories { levels: 2 }, two), 100), 1);
    assert!((mean - share(&|x| logistic(0.5 + x))).abs() < 0.05, "{mean}");

    // Three ordered levels, by both models.
    let three = |x: f64, i: usize| {
        let u = uniform(i, 4);
        f64::from(u8::from(u > logistic(-0.5 - x))) + f64::from(u8::from(u > logistic(1.0 - x)))
    };
    let expected = share(&|x| 2.0 - logistic(-0.5 - x) - logistic(1.0 - x));
    for model in [VariableModel::Ordered { levels: 3 }, VariableModel::Categories { levels: 3 }] {
        let [mean, _] = moments(&run(pair(600, model, three), 100), 1);
        assert!((mean - expected).abs() < 0.1, "{model:?} {mean} {expected}");
    }
}

#[test]
fn counts_and_amounts_keep_their_shape() {
    let count = |x: f64, i: usize| {
        // A Poisson count by inversion.
        let (mean, u) = ((1.0 + 0.4 * x).exp(), uniform(i, 5));
        let (mut k, mut p) = (0.0, (-mean).exp());
        let mut sum = p;
        while sum < u {
            k += 1.0;
            p *= mean / k;
            sum += p;
        }
        k
    };
    let drawn = run(pair(600, VariableModel::Count, count), 100);
    let expected =
        (0..600).filter(|i| i % 4 == 3).map(|i| (1.0 + 0.4 * normal(i, 1)).exp()).sum::<f64>() / 150.0;
    let [mean, variance] = moments(&drawn, 1);
    assert!((mean - expected).abs() < 0.35 && variance > mean, "{mean} {expected} {variance}");
    assert!(drawn.values.iter().flat_map(|one| &one[1]).all(|x| *x >= 0.0 && *x == x.floor()));

    let amount = |x: f64, i: usize| {
        if uniform(i, 6) < 0.4 { 0.0 } else { (7.0 + 0.3 * x + 0.4 * normal(i, 7)).exp().round() }
    };
    let drawn = run(pair(600, VariableModel::TwoPart, amount), 60);
    let all: Vec<f64> = drawn.values.iter().flat_map(|one| one[1].clone()).collect();
    let none = all.iter().filter(|x| **x == 0.0).count() as f64 / all.len() as f64;
    assert!((none - 0.4).abs() < 0.08, "{none}");
    assert!(all.iter().all(|x| *x == 0.0 || *x > 100.0));
}

#[test]
fn chains_of_several_variables_are_finite_and_have_their_own_numbers() {
    let n = 150;
    let hole = |values: Vec<f64>, of: usize| -> Vec<f64> {
        values.into_iter().enumerate().map(|(i, x)| if i % 7 == of { f64::NAN } else { x }).collect()
    };
    let score: Vec<f64> = (0..n).map(|i| normal(i, 1)).collect();
    let other: Vec<f64> = (0..n).map(|i| score[i] + normal(i, 2)).collect();
    let level: Vec<f64> = (0..n).map(|i| f64::from(u8::from(other[i] > 0.0))).collect();
    let variables = || {
        vec![
            Incomplete::new("score", hole(score.clone(), 1), VariableModel::Linear),
            Incomplete::new("other", hole(other.clone(), 2), VariableModel::PredictiveMeanMatching),
            Incomplete::new("level", hole(level.clone(), 3), VariableModel::Categories { levels: 2 }),
        ]
    };
    let chains = ChainedEquations::new(variables()).unwrap().imputations(4);
    let drawn = chains.run().unwrap();
    assert!(drawn.values.iter().flatten().flatten().all(|x| x.is_finite()));
    // The level is nearly decided by the other score: perfect prediction has an answer.
    let hits = drawn.values.iter().map(|one| {
        let rows = (0..n).filter(|i| i % 7 == 3);
        rows.zip(&one[2]).filter(|(i, x)| level[*i] == **x).count()
    });
    assert!(hits.sum::<usize>() > 4 * 21 * 7 / 10);
    assert!(drawn.values[0] != drawn.values[1]);
    assert!(drawn.values != chains.clone().seed(2).run().unwrap().values);
    assert!(drawn.values != chains.clone().group(1).run().unwrap().values);
    assert_eq!(drawn.means[0].len(), 4);
    assert_eq!(drawn.means[0][0].len(), 10);
}

#[test]
fn what_follows_from_others_is_said() {
    let n = 80;
    let x: Vec<f64> = (0..n).map(|i| normal(i, 1)).collect();
    let double: Vec<f64> = x.iter().map(|x| 2.0 * x + 1.0).collect();
    let y: Vec<f64> = (0..n).map(|i| if i % 5 == 0 { f64::NAN } else { x[i] + normal(i, 2) }).collect();
    let copy: Vec<f64> = (0..n).map(|i| if i % 9 == 0 { f64::NAN } else { 3.0 * x[i] }).collect();
    let drawn = run(
        vec![
            Incomplete::new("x", x.clone(), VariableModel::Linear),
            Incomplete::new("double", double, VariableModel::Linear),
            Incomplete::new("y", y, VariableModel::Linear),
            Incomplete::new("copy", copy, VariableModel::Linear),
        ],
        3,
    );
    assert!(drawn.left_out.contains(&[2, 1]));
    assert_eq!(drawn.determined, [3]);
    for (place, row) in (0..n).filter(|i| i % 9 == 0).enumerate() {
        assert!((drawn.values[0][3][place] - 3.0 * x[row]).abs() < 1e-8);
    }
}

#[test]
fn what_cannot_be_imputed_is_refused() {
    let refused = |variables: Vec<Incomplete>| {
        ChainedEquations::new(variables).and_then(|chains| chains.imputations(3).run()).unwrap_err()
    };
    let y = |values: &[f64], model| Incomplete::new("y", values.to_vec(), model);
    let nan = f64::NAN;
    let kind = |variables| refused(variables).kind().name();
    assert_eq!(kind(vec![y(&[nan, nan], VariableModel::Linear)]), "insufficient_observations");
    assert_eq!(kind(vec![y(&[1.0, nan], VariableModel::Linear)]), "insufficient_observations");
    assert_eq!(kind(vec![y(&[3.0, nan], VariableModel::Categories { levels: 3 })]), "invalid_input");
    assert_eq!(kind(vec![y(&[1.5, nan], VariableModel::Count)]), "invalid_input");
    assert_eq!(kind(vec![y(&[-1.0, nan], VariableModel::TwoPart)]), "invalid_input");
    assert_eq!(kind(vec![y(&[f64::INFINITY, nan], VariableModel::Linear)]), "invalid_input");
    assert_eq!(kind(Vec::new()), "invalid_input");
    let twice = vec![y(&[1.0, 2.0], VariableModel::Linear), y(&[1.0, 2.0], VariableModel::Linear)];
    assert_eq!(kind(twice), "invalid_input");
    let range = Interval::new(0.0, 1.0).unwrap();
    assert_eq!(kind(vec![y(&[2.0, nan], VariableModel::Linear).range(range)]), "invalid_input");
    let four = [1.0, 2.0, 4.0, nan];
    let chains = ChainedEquations::new(vec![y(&four, VariableModel::Linear)]).unwrap();
    assert_eq!(chains.clone().imputations(1).run().unwrap_err().kind().name(), "insufficient_observations");
    assert_eq!(chains.clone().iterations(0).run().unwrap_err().kind().name(), "invalid_input");
    assert!(chains.imputations(2).run().is_ok());
    let error = refused(vec![y(&[1.0, nan], VariableModel::Linear)]).to_string();
    assert!(error.contains('y') && error.contains("leave out"), "{error}");
}

/// D2 and D3 against sums by hand, and both are the test itself where imputations agree.
#[test]
fn joint_tests_without_covariances() {
    use armwise::missing::{combined_likelihood_ratios, combined_statistics};
    let d = [4.0, 9.0, 6.25];
    let test = combined_statistics(&d, 3.0).unwrap();
    // Roots 2, 3, 2.5: variance 0.25, r = 4/3 x 0.25.
    let r = 1.0 / 3.0;
    let f = (19.25 / 9.0 - 2.0 * r) / (1.0 + r);
    assert!((test.statistic - f).abs() < 1e-12);
    let df2 = 3_f64.powf(-1.0) * 2.0 * 16.0;
    assert!((test.denominator_df.unwrap() - df2).abs() < 1e-9);
    let agree = combined_statistics(&[6.0; 4], 2.0).unwrap();
    assert!(agree.denominator_df.is_none() && (agree.p_value - (-3.0_f64).exp()).abs() < 1e-12);
    let agree = combined_likelihood_ratios(&[6.0; 4], &[6.0; 4], 2.0).unwrap();
    assert!(agree.denominator_df.is_none() && (agree.p_value - (-3.0_f64).exp()).abs() < 1e-12);
    assert_eq!(combined_statistics(&[4.0], 2.0).unwrap_err().kind().name(), "insufficient_observations");
    assert_eq!(combined_statistics(&[4.0, -1.0], 2.0).unwrap_err().kind().name(), "invalid_input");
    assert!(combined_likelihood_ratios(&[4.0, 3.0], &[4.0], 2.0).is_err());
    assert!(combined_statistics(&[4.0, 5.0], 0.0).is_err());
}
