use crate::survival_data::{Made, freireich, near};
use armwise::ndarray::{Array1, Array2};
use armwise::regression::{Fitted, ModelMatrix};
use armwise::survival::{
    Cox, CoxVariance, FirthCox, LogRank, LogRankWeight, SurvivalData, Ties, TimeTransform,
};

const TIES: [Ties; 3] = [Ties::Efron, Ties::Breslow, Ties::Exact];

fn model(x: &Array2<f64>) -> ModelMatrix<'_> {
    ModelMatrix::from_columns(["group", "x"], x.view()).expect("a matrix")
}

/// The log partial likelihood by its definition, one event after the other.
fn by_definition(made: &Made, entry: Option<&[f64]>, b: &Array1<f64>, ties: Ties) -> f64 {
    let w: Vec<f64> = made.x.rows().into_iter().map(|x| x.dot(b).exp()).collect();
    let n = made.time.len();
    let mut times: Vec<f64> = (0..n).filter(|i| made.cause[*i] != 0).map(|i| made.time[i]).collect();
    times.sort_unstable_by(f64::total_cmp);
    times.dedup();
    let mut sum = 0.0;
    for t in times {
        let dead: Vec<usize> = (0..n).filter(|i| made.cause[*i] != 0 && made.time[*i] == t).collect();
        let at_risk = (0..n).filter(|i| made.time[*i] >= t && entry.is_none_or(|entry| entry[*i] < t));
        let s0: f64 = at_risk.map(|i| w[i]).sum();
        let d0: f64 = dead.iter().map(|i| w[*i]).sum();
        for (l, i) in dead.iter().enumerate() {
            let f = if ties == Ties::Efron { l as f64 / dead.len() as f64 } else { 0.0 };
            sum += w[*i].ln() - (s0 - f * d0).ln();
        }
    }
    sum
}

/// The derivative of a function of the coefficients at one position.
fn slope(f: impl Fn(&Array1<f64>) -> f64, at: &Array1<f64>, j: usize) -> f64 {
    let h = 1e-5;
    let (mut up, mut down) = (at.clone(), at.clone());
    up[j] += h;
    down[j] -= h;
    (f(&up) - f(&down)) / (2.0 * h)
}

#[test]
fn freireich_as_printed() {
    // Kleinbaum & Klein (2012), Survival Analysis, chapter 3, model 1 (Breslow's ties): coefficient 1.509, standard
    // error 0.410, hazard ratio 4.523, log-likelihood -86.380.
    let (time, cause, group) = freireich();
    let data = SurvivalData::new(&time, &cause).expect("data");
    let placebo: Array1<f64> = group.iter().map(|group| f64::from(*group)).collect();
    let matrix = ModelMatrix::new(42).numeric("placebo", placebo.view()).expect("a matrix");
    let fit = Cox::new().ties(Ties::Breslow).fit(&data, &matrix).expect("a fit");
    let row = &fit.table(CoxVariance::Model, 0.95).expect("a table")[0];
    assert!((row.estimate - 1.509).abs() < 5e-4 && (row.se - 0.410).abs() < 5e-4);
    assert!((row.estimate.exp() - 4.523).abs() < 5e-4);
    assert!((fit.log_likelihood().expect("a likelihood") + 86.380).abs() < 5e-4);
    // The log-rank test is the score test of the exact likelihood, with ties too.
    let exact = Cox::new().ties(Ties::Exact).fit(&data, &matrix).expect("a fit");
    let test = LogRank::new(&data, &group, LogRankWeight::LogRank).expect("a test");
    assert!(near(exact.score_test(&[0]).expect("a test").statistic, test.test.statistic, 1e-12));
}

#[test]
fn the_maximum_is_that_of_the_definition() {
    for seed in 0..6 {
        for months in [true, false] {
            let made = Made::new(60, seed, months);
            let entry: Vec<f64> = made.time.iter().map(|time| (time - 5.0).max(-1.0)).collect();
            for entry in [None, Some(&entry[..])] {
                let mut data = SurvivalData::new(&made.time, &made.cause).expect("data");
                if let Some(entry) = entry {
                    data = data.entry(entry).expect("entries");
                }
                for ties in [Ties::Efron, Ties::Breslow] {
                    let fit = Cox::new().ties(ties).fit(&data, &model(&made.x)).expect("a fit");
                    let b = fit.estimates();
                    let likelihood = |b: &Array1<f64>| by_definition(&made, entry, b, ties);
                    assert!(near(fit.log_likelihood().expect("a likelihood"), likelihood(&b), 1e-11));
                    let information = fit.covariance(CoxVariance::Model).expect("a covariance");
                    for j in 0..2 {
                        assert!(slope(likelihood, &b, j).abs() < 1e-5);
                        let mut column = Array1::zeros(2);
                        for i in 0..2 {
                            column[i] = -slope(|b| slope(likelihood, b, i), &b, j);
                        }
                        let unit = information.dot(&column);
                        assert!((unit[j] - 1.0).abs() < 1e-3 && unit[1 - j].abs() < 1e-2, "{unit}");
                    }
                    let residuals = fit.score_residuals().expect("residuals");
                    assert!(residuals.sum_axis(armwise::ndarray::Axis(0)).iter().all(|sum| sum.abs() < 1e-9));
                }
            }
        }
    }
}

#[test]
fn without_ties_all_likelihoods_are_one() {
    let made = Made::new(50, 7, false);
    let data = SurvivalData::new(&made.time, &made.cause).expect("data");
    let fits = TIES.map(|ties| Cox::new().ties(ties).fit(&data, &model(&made.x)).expect("a fit"));
    for fit in &fits[1..] {
        for (a, b) in fit.estimates().iter().zip(&fits[0].estimates()) {
            assert!(near(*a, *b, 1e-10));
        }
        let of = |fit: &armwise::survival::CoxFit| fit.log_likelihood().expect("a likelihood");
        assert!(near(of(fit), of(&fits[0]), 1e-12));
    }
    let group = ModelMatrix::new(50).numeric("group", made.x.column(0)).expect("a matrix");
    let test = LogRank::new(&data, &made.group, LogRankWeight::LogRank).expect("a test").test.statistic;
    for ties in TIES {
        let fit = Cox::new().ties(ties).fit(&data, &group).expect("a fit");
        assert!(near(fit.score_test(&[0]).expect("a test").statistic, test, 1e-10));
    }
}

#[test]
fn order_unit_strata_and_entry_do_not_matter() {
    let made = Made::new(70, 9, true);
    let strata: Vec<u32> = (0..70).map(|i| i % 3).collect();
    for ties in TIES {
        let data = SurvivalData::new(&made.time, &made.cause).expect("data").strata(&strata).expect("strata");
        let b = Cox::new().ties(ties).fit(&data, &model(&made.x)).expect("a fit").estimates();
        let other = made.reversed();
        let turned: Vec<u32> = strata.iter().rev().copied().collect();
        let weeks: Vec<f64> = other.time.iter().map(|time| time * 4.345).collect();
        let turned = SurvivalData::new(&weeks, &other.cause).expect("data").strata(&turned).expect("strata");
        let again = Cox::new().ties(ties).fit(&turned, &model(&other.x)).expect("a fit").estimates();
        assert!(b.iter().zip(&again).all(|(a, b)| near(*a, *b, 1e-10)), "{ties}");
        // Each row cut in two at month 4; covariates shifted far from zero.
        let rows: Vec<(usize, f64, f64, u32)> = (0..70)
            .flat_map(|i| {
                let (time, cause) = (made.time[i], made.cause[i]);
                if time > 4.0 {
                    vec![(i, -1.0, 4.0, 0), (i, 4.0, time, cause)]
                } else {
                    vec![(i, -1.0, time, cause)]
                }
            })
            .collect();
        let time: Vec<f64> = rows.iter().map(|row| row.2).collect();
        let entry: Vec<f64> = rows.iter().map(|row| row.1).collect();
        let cause: Vec<u32> = rows.iter().map(|row| row.3).collect();
        let own: Vec<u32> = rows.iter().map(|row| strata[row.0]).collect();
        let x = Array2::from_shape_fn((rows.len(), 2), |(i, j)| made.x[[rows[i].0, j]] + 2000.0);
        let split = SurvivalData::new(&time, &cause).expect("data");
        let split = split.strata(&own).expect("strata").entry(&entry).expect("entries");
        let again = Cox::new().ties(ties).fit(&split, &model(&x)).expect("a fit").estimates();
        assert!(b.iter().zip(&again).all(|(a, b)| near(*a, *b, 1e-8)), "{ties} {b} {again}");
    }
}

#[test]
fn weights_count_copies_by_breslow() {
    let made = Made::new(40, 12, true);
    let weights: Vec<f64> = (0..40).map(|i| f64::from(1 + i % 2)).collect();
    let rows: Vec<usize> = (0..40).flat_map(|i| std::iter::repeat_n(i, 1 + i % 2)).collect();
    let time: Vec<f64> = rows.iter().map(|row| made.time[*row]).collect();
    let cause: Vec<u32> = rows.iter().map(|row| made.cause[*row]).collect();
    let x = Array2::from_shape_fn((rows.len(), 2), |(i, j)| made.x[[rows[i], j]]);
    let once = SurvivalData::new(&made.time, &made.cause).expect("data").weights(&weights).expect("weights");
    let many = SurvivalData::new(&time, &cause).expect("data");
    let cox = Cox::new().ties(Ties::Breslow);
    let a = cox.fit(&once, &model(&made.x)).expect("a fit");
    let b = cox.fit(&many, &model(&x)).expect("a fit");
    assert!(a.estimates().iter().zip(&b.estimates()).all(|(a, b)| near(*a, *b, 1e-10)));
    let covariances = [&a, &b].map(|fit| fit.covariance(CoxVariance::Model).expect("a covariance"));
    assert!(covariances[0].iter().zip(&covariances[1]).all(|(a, b)| near(*a, *b, 1e-10)));
}

#[test]
fn many_distinct_times_take_the_other_way() {
    // More sums by time than a table holds: the score at the estimate, summed from the last time to the first.
    let made = Made::new(400_000, 1, false);
    let data = SurvivalData::new(&made.time, &made.cause).expect("data");
    assert!(data.events() > 180_000);
    let fit = Cox::new().fit(&data, &model(&made.x)).expect("a fit");
    assert!((fit.coefficients()[0] - 0.5).abs() < 0.02 && (fit.coefficients()[1] - 0.4).abs() < 0.02);
    let b = fit.estimates();
    let mut order: Vec<usize> = (0..400_000).collect();
    order.sort_by(|a, b| made.time[*b].total_cmp(&made.time[*a]));
    let (mut s0, mut s1, mut score) = (0.0, Array1::<f64>::zeros(2), Array1::<f64>::zeros(2));
    let mut squares = Array2::<f64>::zeros((2, 2));
    let mut information = Array2::<f64>::zeros((2, 2));
    for row in order {
        let x = made.x.row(row);
        let w = x.dot(&b).exp();
        s0 += w;
        s1.scaled_add(w, &x);
        for i in 0..2 {
            for j in 0..2 {
                squares[[i, j]] += w * x[i] * x[j];
            }
        }
        if made.cause[row] != 0 {
            score += &(&x - &(&s1 / s0));
            for i in 0..2 {
                for j in 0..2 {
                    information[[i, j]] += squares[[i, j]] / s0 - s1[i] * s1[j] / (s0 * s0);
                }
            }
        }
    }
    assert!(score.iter().all(|sum| sum.abs() < 1e-5), "{score}");
    let unit = fit.covariance(CoxVariance::Model).expect("a covariance").dot(&information);
    assert!(
        (unit[[0, 0]] - 1.0).abs() < 1e-8 && (unit[[1, 1]] - 1.0).abs() < 1e-8 && unit[[0, 1]].abs() < 1e-7
    );
}

#[test]
fn infinite_coefficients_are_named() {
    let word = |error: armwise::Error| error.kind().name();
    let made = Made::new(40, 30, true);
    // Nobody of group 1 has the event; the other covariate has an ordinary effect.
    let cause: Vec<u32> = (0..40).map(|i| if made.group[i] == 1 { 0 } else { made.cause[i] }).collect();
    let entry: Vec<f64> = made.time.iter().map(|time| (time - 6.0).max(-1.0)).collect();
    for ties in TIES {
        for late in [false, true] {
            let mut data = SurvivalData::new(&made.time, &cause).expect("data");
            if late {
                data = data.entry(&entry).expect("entries");
            }
            let error = Cox::new().ties(ties).fit(&data, &model(&made.x)).unwrap_err();
            assert_eq!(word(error.clone()), "separation", "{ties} {late}: {error}");
            assert!(error.to_string().contains("group (to -infinity)"), "{error}");
            assert!(!error.to_string().contains("x (to"), "{error}");
        }
    }
    // The highest covariate always goes first, in each of several strata.
    let time: Vec<f64> = (1..=12).map(f64::from).collect();
    let strata: Vec<u32> = (0..12).map(|i| i % 2).collect();
    let x = Array1::from_iter((0..12).map(|i| -f64::from(i)));
    let matrix = ModelMatrix::new(12).numeric("x", x.view()).expect("a matrix");
    let cause = [1; 12];
    let data = SurvivalData::new(&time, &cause).expect("data").strata(&strata).expect("strata");
    assert_eq!(word(Cox::new().fit(&data, &matrix).unwrap_err()), "separation");
    // Nobody at all, and a covariate that does not vary, or follows from the other.
    let none = SurvivalData::new(&time, &[0; 12]).expect("data");
    assert_eq!(word(Cox::new().fit(&none, &matrix).unwrap_err()), "no_events");
    let twice = matrix.clone().numeric("twice", x.view()).expect("a matrix");
    let error = Cox::new().fit(&data, &twice).unwrap_err();
    assert!(word(error.clone()) == "collinear" && error.to_string().contains("twice"), "{error}");
    let own = Array1::from_iter(strata.iter().map(|code| f64::from(*code)));
    let constant = ModelMatrix::new(12).numeric("city", own.view()).expect("a matrix");
    assert_eq!(word(Cox::new().fit(&data, &constant).unwrap_err()), "collinear");
    let short = ModelMatrix::new(3)
        .numeric("x", x.slice_axis(armwise::ndarray::Axis(0), (0..3).into()))
        .expect("a matrix");
    assert_eq!(word(Cox::new().fit(&data, &short).unwrap_err()), "invalid_input");
}

#[test]
fn firth_maximises_its_penalised_likelihood() {
    for seed in [30, 31] {
        for ties in [Ties::Efron, Ties::Breslow] {
            let mut made = Made::new(40, seed, true);
            if seed == 30 {
                (0..40)
                    .filter(|i| made.group[*i] == 1)
                    .collect::<Vec<_>>()
                    .into_iter()
                    .for_each(|i| made.cause[i] = 0);
            }
            let data = SurvivalData::new(&made.time, &made.cause).expect("data");
            let matrix = model(&made.x);
            let fit = FirthCox::new().ties(ties).fit(&data, &matrix).expect("a fit");
            let likelihood = |b: &Array1<f64>| by_definition(&made, None, b, ties);
            let penalised = |b: &Array1<f64>| {
                let second = |i: usize, j: usize| -slope(|b| slope(likelihood, b, i), b, j);
                let determinant = second(0, 0) * second(1, 1) - second(0, 1) * second(1, 0);
                likelihood(b) + 0.5 * determinant.ln()
            };
            let b = fit.estimates();
            assert!((penalised(&b) - fit.penalized_log_likelihood()).abs() < 1e-4);
            for j in 0..2 {
                for step in [-0.2, 0.2] {
                    let mut beside = b.clone();
                    beside[j] += step;
                    assert!(penalised(&beside) < penalised(&b) - 1e-4, "{seed} {ties} {j} {step}");
                }
            }
            let interval = fit.profile_interval(0, 0.95).expect("an interval");
            assert!(interval.lower < b[0] && b[0] < interval.upper);
            let test = fit.penalized_likelihood_ratio_test(&[0]).expect("a test");
            assert_eq!(test.p_value < 0.05, !(interval.lower < 0.0 && interval.upper > 0.0));
        }
    }
}

#[test]
fn profiles_tests_and_predictions_agree() {
    let made = Made::new(90, 17, true);
    let clusters: Vec<u32> = (0..90).map(|i| i % 15).collect();
    let data =
        SurvivalData::new(&made.time, &made.cause).expect("data").clusters(&clusters).expect("clusters");
    let matrix = model(&made.x);
    let fit = Cox::new().fit(&data, &matrix).expect("a fit");
    let interval = fit.profile_interval(0, 0.9).expect("an interval");
    let quantile = armwise::distribution::Normal.upper_quantile(0.05).powi(2);
    for limit in [interval.lower, interval.upper] {
        // With the coefficient at its limit, the other at its maximum by search.
        let own = fit.log_likelihood().expect("a likelihood");
        let best = (-400..=400)
            .map(|k| {
                by_definition(
                    &made,
                    None,
                    &Array1::from(vec![limit, fit.coefficients()[1] + f64::from(k) * 1e-3]),
                    Ties::Efron,
                )
            })
            .fold(f64::NEG_INFINITY, f64::max);
        assert!((2.0 * (own - best) - quantile).abs() < 1e-3);
    }
    // The small-sample factor of 15 clusters.
    let of = |variance| fit.covariance(variance).expect("a covariance")[[0, 0]];
    assert!(near(of(CoxVariance::ClusteredSmallSample), of(CoxVariance::Clustered) * 15.0 / 14.0, 1e-12));
    // Expected events are the observed ones.
    let baseline = fit.baseline_hazard(0).expect("a hazard");
    let curve = fit.predict(0, &[1.0, 0.5]).expect("a curve");
    let risk = (fit.coefficients()[0] + 0.5 * fit.coefficients()[1]).exp();
    for (point, hazard) in curve.points.iter().zip(&baseline.cumulative_hazard) {
        assert!(near(point.cumulative_hazard, risk * hazard, 1e-11));
        assert!(
            point.cumulative_hazard_se > 0.0 && near(point.survival, (-point.cumulative_hazard).exp(), 1e-15)
        );
    }
    let breslow = Cox::new().ties(Ties::Breslow).fit(&data, &matrix).expect("a fit");
    let hazard = breslow.baseline_hazard(0).expect("a hazard");
    let expected: f64 =
        (0..90).map(|i| hazard.at(made.time[i]) * made.x.row(i).dot(&breslow.estimates()).exp()).sum();
    assert!(near(expected, data.events() as f64, 1e-9));
    // A test of all columns together is the joint test of all positions.
    let test = fit.proportional_hazards_test(TimeTransform::KaplanMeier).expect("a test");
    assert!(near(test.joint(&[0, 1]).expect("a test").statistic, test.global.statistic, 1e-12));
    assert!(near(test.joint(&[1]).expect("a test").statistic, test.each[1].statistic, 1e-10));
    let index = fit.concordance().index.expect("an index");
    assert!(index > 0.5 && index < 1.0);
    assert_eq!(
        Cox::new()
            .ties(Ties::Exact)
            .fit(&data, &matrix)
            .expect("a fit")
            .covariance(CoxVariance::Robust)
            .unwrap_err()
            .kind()
            .name(),
        "not_estimable"
    );
}

#[test]
fn score_tests_need_no_maximum() {
    let made = Made::new(80, 21, true);
    let data = SurvivalData::new(&made.time, &made.cause).expect("data");
    let matrix = model(&made.x);
    for ties in TIES {
        let fit = Cox::new().ties(ties).fit(&data, &matrix).expect("a fit");
        for tested in [vec![0], vec![1], vec![0, 1]] {
            let without = Cox::new().ties(ties).score_test(&data, &matrix, &tested).expect("a test");
            let with = fit.score_test(&tested).expect("a test");
            assert!(near(without.statistic, with.statistic, 1e-8), "{ties} {tested:?}");
        }
    }
    // Nobody of a group has the event: its ratio is infinite, and its score is not.
    let mut none = Made::new(80, 22, true);
    let of_group: Vec<usize> = (0..80).filter(|i| none.group[*i] == 1).collect();
    for i in of_group {
        none.cause[i] = 0;
    }
    let data = SurvivalData::new(&none.time, &none.cause).expect("data");
    let matrix = model(&none.x);
    assert!(Cox::new().fit(&data, &matrix).is_err());
    let test = Cox::new().score_test(&data, &matrix, &[0]).expect("a test");
    assert!(test.statistic > 3.0 && test.p_value < 0.1, "{test:?}");
    assert!(Cox::new().score_test(&data, &matrix, &[2]).is_err());
}

#[test]
fn standardised_risks_are_means_of_predictions() {
    let made = Made::new(90, 23, true);
    let strata: Vec<u32> = (0..90).map(|i| i % 2).collect();
    for stratified in [false, true] {
        let mut data = SurvivalData::new(&made.time, &made.cause).expect("data");
        if stratified {
            data = data.strata(&strata).expect("strata");
        }
        let last = |stratum: u32| {
            let own = (0..90).filter(|i| !stratified || strata[*i] == stratum);
            own.map(|i| made.time[i]).fold(0.0, f64::max)
        };
        let at = 0.5 * last(0).min(last(1));
        for ties in [Ties::Efron, Ties::Breslow] {
            let matrix = model(&made.x);
            let fit = Cox::new().ties(ties).fit(&data, &matrix).expect("a fit");
            let settings = [0.0, 1.0].map(|group| {
                let mut x = made.x.clone();
                x.column_mut(0).fill(group);
                x
            });
            let views = [settings[0].view(), settings[1].view()];
            let found = fit.standardized_risks(&views, at).expect("risks");
            for (setting, risk) in settings.iter().zip(&found.risks) {
                let of = |i: usize| {
                    let stratum = if stratified { strata[i] as usize } else { 0 };
                    let curve = fit.predict(stratum, &setting.row(i).to_vec()).expect("a curve");
                    let point = curve.points.iter().rev().find(|point| point.time <= at);
                    point.map_or(0.0, |point| 1.0 - point.survival)
                };
                let mean = (0..90).map(of).sum::<f64>() / 90.0;
                assert!(near(mean, *risk, 1e-12), "{mean} {risk}");
            }
            // Everybody alike: the variance is that of one predicted curve.
            let alike = Array2::from_shape_fn((90, 2), |(_, j)| [1.0, 0.3][j]);
            if !stratified {
                let alone = fit.standardized_risks(&[alike.view()], at).expect("risks");
                let curve = fit.predict(0, &[1.0, 0.3]).expect("a curve");
                let point = curve.points.iter().rev().find(|point| point.time <= at).expect("an event");
                assert!(near(alone.covariance[[0, 0]].sqrt(), point.se, 1e-10));
                assert!(near(alone.covariance[[0, 0]], alone.superpopulation_covariance[[0, 0]], 1e-12));
            }
            let v = &found.covariance;
            assert!(v[[0, 0]] + v[[1, 1]] - 2.0 * v[[0, 1]] > 0.0);
            assert!([-1.0, f64::NAN].iter().all(|at| fit.standardized_risks(&views[..1], *at).is_err()));
            let (few, _) = made.x.view().split_at(armwise::ndarray::Axis(0), 5);
            assert!(fit.standardized_risks(&[few], at).is_err());
        }
    }
}
