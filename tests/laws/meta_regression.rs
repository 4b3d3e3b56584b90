//! Laws of meta-regression and of sensitivity analyses.

use crate::support::methods::tau2_methods;
use armwise::meta_analysis::{
    CommonEffect, EggerTest, FunnelSide, Intercept, MetaRegression, MetaRegressionFit, MissingStudies,
    Moderators, Permutations, PredictionDf, RandomEffects, StudySize, SubgroupTau2, Tau2, Test, baujat,
    henmi_copas, rank_correlation,
};
use armwise::ndarray::Array2;
use proptest::prelude::*;

/// Relative to the larger of the two, or to `scale`.
fn near(a: f64, b: f64, scale: f64) -> bool {
    (a - b).abs() <= 1e-7 * (a.abs().max(b.abs()) + scale)
}

fn with_moderator(range: std::ops::Range<usize>) -> impl Strategy<Value = (Vec<f64>, Vec<f64>, Vec<f64>)> {
    range.prop_flat_map(|k| {
        let y = prop::collection::vec(-1.0..1.0, k);
        let v = prop::collection::vec(0.001_f64..0.2, k);
        let x = prop::collection::vec(-3.0..3.0, k);
        (y, v, x)
    })
}

/// The name of a field that is not finite: JSON has null there, as it has for these options.
fn not_finite(value: &serde_json::Value, name: &str) -> Option<String> {
    const OPTIONS: [&str; 20] = [
        "hartung_knapp_factor",
        "df",
        "denominator_df",
        "se_tau2",
        "typical_variance",
        "r2",
        "tau2_without_moderators",
        "tau2_interval",
        "prediction_quantile",
        "moderator_test",
        "p_value",
        "column",
        "common_tau2",
        "common_tau2_interval",
        "hartung_knapp",
        "tau2_estimator",
        "i2_interval",
        "h2_interval",
        "prediction",
        "p_value_none_missing",
    ];
    match value {
        serde_json::Value::Null if !OPTIONS.contains(&name) => Some(name.to_owned()),
        serde_json::Value::Array(items) => items.iter().find_map(|item| not_finite(item, name)),
        serde_json::Value::Object(items) => items.iter().find_map(|(key, item)| not_finite(item, key)),
        _ => None,
    }
}

fn slope(fit: &MetaRegressionFit) -> [f64; 5] {
    let b = &fit.coefficients[1];
    [b.estimate, b.se, fit.tau2, fit.moderator_test.unwrap().statistic, fit.q_residual.statistic]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_intercept_alone_is_the_pool((y, v, _) in with_moderator(2..9)) {
        for tau2 in tau2_methods() {
            for test in [Test::Normal, Test::T, Test::HartungKnapp, Test::HartungKnappTruncated, Test::WiderOfBoth] {
                let pool = RandomEffects::new().tau2(tau2).test(test).prediction_df(PredictionDf::KMinus1);
                let pool = pool.pool(&y, &v).unwrap();
                let fit = MetaRegression::new().tau2(tau2).test(test).fit(&y, &v, &Moderators::new()).unwrap();
                let mean = &fit.coefficients[0];
                prop_assert!(near(mean.estimate, pool.estimate, 1e-3), "{tau2:?} {test:?}");
                prop_assert!(near(mean.se, pool.se, 0.0), "{tau2:?} {test:?} {} {}", mean.se, pool.se);
                prop_assert_eq!(mean.df, pool.df);
                prop_assert!(near(fit.tau2, pool.tau2, 1e-3), "{tau2:?} {} {}", fit.tau2, pool.tau2);
                match (fit.se_tau2, pool.se_tau2) {
                    (Some(a), Some(b)) => prop_assert!(near(a, b, 0.0), "{tau2:?} {a} {b}"),
                    (a, b) => prop_assert_eq!(a, b),
                }
                prop_assert!(near(fit.i2_residual, pool.i2, 1e-3) && near(fit.h2_residual, pool.h2, 0.0));
                prop_assert!(near(fit.q_residual.statistic, pool.q.statistic, 1e-3));
                prop_assert!(near(fit.log_likelihood, pool.log_likelihood, 1.0));
                prop_assert!(near(fit.restricted_log_likelihood, pool.restricted_log_likelihood, 1.0));
                let (a, b) = (fit.tau2_interval.unwrap(), pool.tau2_interval.unwrap());
                prop_assert!(near(a.lower(), b.lower(), 1e-3) && near(a.upper(), b.upper(), 1e-3));
                let predicted = fit.predict(&Moderators::new()).unwrap()[0];
                let (a, b) = (predicted.prediction.unwrap(), pool.prediction.unwrap());
                prop_assert!(near(a.lower(), b.lower(), 1.0) && near(a.upper(), b.upper(), 1.0));
                prop_assert_eq!(fit.r2.unwrap_or(0.0), 0.0);
                prop_assert!(fit.moderator_test.is_none());
            }
        }
    }

    #[test]
    fn units_and_origin_of_a_moderator_do_not_matter((y, v, x) in with_moderator(4..10), shift in -50.0..50.0, scale in 0.01..100.0) {
        for tau2 in tau2_methods() {
            let model = MetaRegression::new().tau2(tau2);
            let fit = |x: &[f64]| model.fit(&y, &v, &Moderators::new().number("x", x)).unwrap();
            let moved: Vec<f64> = x.iter().map(|x| scale * (x + shift)).collect();
            let (before, after) = (slope(&fit(&x)), slope(&fit(&moved)));
            prop_assert!(near(before[0], scale * after[0], 1e-2));
            prop_assert!(near(before[1], scale * after[1], 0.0));
            for i in 2..5 {
                prop_assert!(near(before[i], after[i], 1e-2), "{tau2:?} {before:?} {after:?}");
            }
        }
    }

    #[test]
    fn the_order_of_studies_does_not_matter((y, v, x) in with_moderator(4..9)) {
        let reversed = |values: &[f64]| values.iter().rev().copied().collect::<Vec<_>>();
        let (ry, rv, rx) = (reversed(&y), reversed(&v), reversed(&x));
        for tau2 in tau2_methods() {
            let model = MetaRegression::new().tau2(tau2).test(Test::T);
            let a = slope(&model.fit(&y, &v, &Moderators::new().number("x", &x)).unwrap());
            let b = slope(&model.fit(&ry, &rv, &Moderators::new().number("x", &rx)).unwrap());
            prop_assert!((0..5).all(|i| near(a[i], b[i], 1e-3)), "{tau2:?} {a:?} {b:?}");
        }
        let random = RandomEffects::new().test(Test::Normal);
        let (a, b) = (random.influence(&y, &v).unwrap(), random.influence(&ry, &rv).unwrap());
        for (a, b) in a.iter().zip(b.iter().rev()) {
            prop_assert!(near(a.cook_distance, b.cook_distance, 1e-3) && near(a.weight, b.weight, 0.0));
            prop_assert!(near(a.deleted_residual, b.deleted_residual, 1e-3));
        }
        let (a, b) = (henmi_copas(&y, &v, 0.95).unwrap(), henmi_copas(&ry, &rv, 0.95).unwrap());
        prop_assert!(near(a.interval.lower(), b.interval.lower(), 1e-2));
        let (a, b) = (rank_correlation(&y, &v).unwrap(), rank_correlation(&ry, &rv).unwrap());
        prop_assert_eq!(a.kendall_tau, b.kendall_tau);
        prop_assert_eq!(a.p_value, b.p_value);
        let (a, b) = (EggerTest::new().test(&y, &v).unwrap(), EggerTest::new().test(&ry, &rv).unwrap());
        prop_assert!(near(a.slope.statistic, b.slope.statistic, 1e-3));
        for estimator in [MissingStudies::L0, MissingStudies::R0, MissingStudies::Q0] {
            let fill = |y: &[f64], v: &[f64]| random.trim_and_fill(y, v, estimator, FunnelSide::BySlope);
            let (a, b) = (fill(&y, &v), fill(&ry, &rv));
            if let (MissingStudies::Q0, Err(one), Err(two)) = (estimator, &a, &b) {
                prop_assert!(one.to_string().contains("Q0 is undefined"), "{one}");
                prop_assert_eq!(one.to_string(), two.to_string());
                continue;
            }
            let (a, b) = (a.unwrap(), b.unwrap());
            prop_assert_eq!((a.side, a.k0), (b.side, b.k0));
            prop_assert!(near(a.pool.estimate, b.pool.estimate, 1e-3));
        }
    }

    #[test]
    fn leaving_one_out_is_pooling_the_others((y, v, _) in with_moderator(2..9)) {
        let without = |values: &[f64], i: usize| {
            values.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, value)| *value).collect::<Vec<_>>()
        };
        let random = RandomEffects::new().tau2(Tau2::PauleMandel).test(Test::Normal);
        let common = CommonEffect::new();
        let weights: Vec<f64> = (1..=y.len()).map(|i| i as f64).collect();
        let weighted = common.clone().given_weights(weights.clone());
        for i in 0..y.len() {
            let (y1, v1) = (without(&y, i), without(&v, i));
            prop_assert_eq!(&random.leave_one_out(&y, &v).unwrap()[i].estimate, &random.pool(&y1, &v1).unwrap().estimate);
            let (a, b) = (common.leave_one_out(&y, &v).unwrap()[i], common.pool(&y1, &v1).unwrap());
            prop_assert!(near(a.estimate, b.estimate, 1e-3) && near(a.se, b.se, 0.0));
            let b = common.clone().given_weights(without(&weights, i)).pool(&y1, &v1).unwrap();
            prop_assert!(near(weighted.leave_one_out(&y, &v).unwrap()[i].estimate, b.estimate, 1e-3));
        }
        let order: Vec<usize> = (0..y.len()).rev().collect();
        for model in [random, RandomEffects::new()] {
            let steps = model.cumulative(&y, &v, &order).unwrap();
            let all = model.pool(&y, &v).unwrap();
            let last = steps[steps.len() - 1];
            prop_assert!(near(last.estimate, all.estimate, 1e-3) && near(last.se, all.se, 0.0));
            prop_assert_eq!(steps[0].estimate, y[y.len() - 1]);
            prop_assert!(near(steps[0].se, v[y.len() - 1].sqrt(), 0.0));
        }
        let points = baujat(&y, &v).unwrap();
        let q = common.pool(&y, &v).unwrap().q.statistic;
        prop_assert!(near(points.iter().map(|point| point.heterogeneity).sum(), q, 1e-3));
    }

    #[test]
    fn q_splits_into_between_and_within((y, v, _) in with_moderator(4..12)) {
        let labels: Vec<&str> = (0..y.len()).map(|i| ["a", "b", "c"][i % 3]).collect();
        let common = CommonEffect::new().subgroups(&y, &v, &labels).unwrap();
        let parts = common.between.statistic + common.q_within.statistic;
        prop_assert!(near(parts, common.q_total.statistic, 1e-3));
        prop_assert_eq!(common.between.df + common.q_within.df, common.q_total.df);
        prop_assert!(near(common.across_groups, CommonEffect::new().pool(&y, &v).unwrap().estimate, 1e-3));
        // The same test as that of the regression on the groups.
        let groups = Moderators::new().category("group", &labels);
        let fit = MetaRegression::fixed_effects().fit(&y, &v, &groups).unwrap();
        prop_assert!(near(fit.moderator_test.unwrap().statistic, common.between.statistic, 1e-3));
        prop_assert!(near(fit.terms[0].test.statistic, common.between.statistic, 1e-3));
        let random = RandomEffects::new().test(Test::Normal);
        let shared = random.subgroups(&y, &v, &labels, SubgroupTau2::Common).unwrap();
        let fit = MetaRegression::new().test(Test::Normal).fit(&y, &v, &groups).unwrap();
        prop_assert!(near(shared.common_tau2.unwrap(), fit.tau2, 1e-3));
        let difference = shared.groups[1].estimate - shared.groups[0].estimate;
        prop_assert!(near(fit.coefficient("group=b").unwrap().estimate, difference, 1e-2));
        // With weights of the common tau², Q between of the means is the regression's test.
        let q: f64 = shared.groups.iter().map(|g| ((g.estimate - shared.across_groups) / g.se).powi(2)).sum();
        prop_assert!(near(q, shared.between.statistic, 1e-3));
        let separate = random.subgroups(&y, &v, &labels, SubgroupTau2::Separate).unwrap();
        let of_a: Vec<usize> = (0..y.len()).filter(|i| i % 3 == 0).collect();
        let pick = |values: &[f64]| of_a.iter().map(|i| values[*i]).collect::<Vec<_>>();
        prop_assert!(near(separate.groups[0].estimate, random.pool(&pick(&y), &pick(&v)).unwrap().estimate, 1e-3));
    }

    #[test]
    fn regressions_read_alike_in_every_coding((y, v, x) in with_moderator(5..10)) {
        let labels: Vec<&str> = (0..y.len()).map(|i| ["a", "b"][i % 2]).collect();
        let model = MetaRegression::new().tau2(Tau2::Ml).test(Test::HartungKnapp);
        let with = Moderators::new().category("g", &labels).number("x", &x);
        let (a, b) = (
            model.fit(&y, &v, &with).unwrap(),
            model.fit(&y, &v, &with.clone().intercept(Intercept::None)).unwrap(),
        );
        prop_assert!(near(a.tau2, b.tau2, 1e-3) && near(a.log_likelihood, b.log_likelihood, 1.0));
        let means = |fit: &MetaRegressionFit, moderators: Moderators| fit.predict(&moderators).unwrap()[0];
        let new = Moderators::new().category("g", &["b"]).number("x", &[0.5]);
        let (pa, pb) = (means(&a, new.clone()), means(&b, new));
        prop_assert!(near(pa.estimate, pb.estimate, 1e-2) && near(pa.se, pb.se, 0.0));
        // A matrix says the same as names.
        let dummies = Array2::from_shape_fn((y.len(), 2), |(i, j)| if j == 0 { (i % 2) as f64 } else { x[i] });
        let c = model.fit(&y, &v, &Moderators::new().columns(["g=b", "x"], dummies.view())).unwrap();
        prop_assert!((0..3).all(|j| a.coefficients[j] == c.coefficients[j]));
        // One coefficient: F is the square of t.
        let single = a.test_of(&["x"]).unwrap();
        prop_assert!(near(single.statistic, a.coefficients[2].statistic.powi(2), 1e-6));
        prop_assert!(near(single.p_value, a.coefficients[2].p_value, 1e-9));
        prop_assert_eq!(a.terms[1].test, single);
    }

    #[test]
    fn egger_is_the_regression_of_standardised_effects((y, v, n) in with_moderator(3..9)) {
        let k = y.len() as f64;
        let (u, w): (Vec<f64>, Vec<f64>) = y.iter().zip(&v).map(|(y, v)| (y / v.sqrt(), 1.0 / v.sqrt())).unzip();
        let (mu, mw) = (u.iter().sum::<f64>() / k, w.iter().sum::<f64>() / k);
        let sxy: f64 = u.iter().zip(&w).map(|(u, w)| (u - mu) * (w - mw)).sum();
        let sxx: f64 = w.iter().map(|w| (w - mw) * (w - mw)).sum();
        let test = EggerTest::new().test(&y, &v).unwrap();
        prop_assert!((test.limit().unwrap().estimate - sxy / sxx).abs() < 1e-6);
        prop_assert!((test.slope.estimate - (mu - sxy / sxx * mw)).abs() < 1e-5);
        let sizes: Vec<f64> = n.iter().map(|n| 10.0 + n).collect();
        let by_n = EggerTest::mixed_effects(Tau2::Reml).size(StudySize::SampleSize).sample_sizes(sizes);
        prop_assert!(by_n.test(&y, &v).unwrap().limit().is_none());
    }

    #[test]
    fn mirrored_effects_are_trimmed_on_the_other_side((y, v, _) in with_moderator(3..14)) {
        let mirrored: Vec<f64> = y.iter().map(|y| -y).collect();
        let model = CommonEffect::new();
        for estimator in [MissingStudies::L0, MissingStudies::R0, MissingStudies::Q0] {
            let a = model.trim_and_fill(&y, &v, estimator, FunnelSide::Left);
            let b = model.trim_and_fill(&mirrored, &v, estimator, FunnelSide::Right);
            if let (MissingStudies::Q0, Err(one), Err(two)) = (estimator, &a, &b) {
                // Q0 is undefined for both or for neither.
                prop_assert!(one.to_string().contains("Q0 is undefined"), "{one}");
                prop_assert_eq!(one.to_string(), two.to_string());
                continue;
            }
            let (a, b) = (a.unwrap(), b.unwrap());
            prop_assert_eq!(a.k0, b.k0);
            prop_assert!(near(a.pool.estimate, -b.pool.estimate, 1e-3));
            prop_assert!(a.pool.k == y.len() + a.k0 && a.filled_yi.len() == a.k0);
        }
        let (a, b) = (henmi_copas(&y, &v, 0.9).unwrap(), henmi_copas(&mirrored, &v, 0.9).unwrap());
        prop_assert!(near(a.interval.lower(), -b.interval.upper(), 1e-2));
        prop_assert!(henmi_copas(&y, &v, 0.99).unwrap().interval.lower() < a.interval.lower());
        prop_assert!(a.interval.contains(a.estimate));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the sizes of the numbers: an answer of numbers, or an error.
    #[test]
    fn nothing_but_numbers_comes_out(
        data in prop::collection::vec((-1.0..1.0_f64, -12.0..12.0_f64, -2_i32..3), 1..9),
        scale in -8_i32..9,
        spread in 0.0..1.0_f64,
    ) {
        let y: Vec<f64> = data.iter().map(|(y, _, _)| (y * 4.0).round() * 10_f64.powi(scale)).collect();
        let v: Vec<f64> = data.iter().map(|(_, v, _)| 10_f64.powf(v * spread)).collect();
        let x: Vec<f64> = data.iter().map(|(_, _, x)| f64::from(*x)).collect();
        let labels: Vec<&str> = data.iter().map(|(_, _, x)| if *x > 0 { "a" } else { "b" }).collect();
        macro_rules! check {
            ($result:expr) => {
                if let Ok(result) = $result {
                    let value = serde_json::to_value(&result).unwrap();
                    prop_assert_eq!(not_finite(&value, ""), None, "{} {}", stringify!($result), value);
                }
            };
        }
        let moderators = Moderators::new().number("x", &x);
        for model in tau2_methods().map(|tau2| MetaRegression::new().tau2(tau2)) {
            check!(model.fit(&y, &v, &moderators));
            check!(model.fit(&y, &v, &moderators).and_then(|fit| fit.predict(&moderators)));
        }
        check!(MetaRegression::multiplicative().fit(&y, &v, &moderators));
        check!(MetaRegression::fixed_effects().fit(&y, &v, &moderators));
        check!(RandomEffects::new().influence(&y, &v));
        check!(CommonEffect::new().influence(&y, &v));
        check!(baujat(&y, &v));
        check!(RandomEffects::new().leave_one_out(&y, &v));
        check!(henmi_copas(&y, &v, 0.95));
        check!(rank_correlation(&y, &v));
        check!(EggerTest::new().test(&y, &v));
        check!(RandomEffects::new().trim_and_fill(&y, &v, MissingStudies::Q0, FunnelSide::BySlope));
        check!(RandomEffects::new().subgroups(&y, &v, &labels, SubgroupTau2::Separate));
        check!(RandomEffects::new().subgroups(&y, &v, &labels, SubgroupTau2::Common));
    }
}

/// Where tau² is estimated as 0 the Henmi-Copas interval is no wider than that of the common effect, as the
/// estimate could only have been larger.
#[test]
fn henmi_copas_of_equal_effects() {
    let (y, v) = ([0.2; 6], [0.01, 0.02, 0.01, 0.05, 0.03, 0.02]);
    let robust = henmi_copas(&y, &v, 0.95).unwrap();
    let common = CommonEffect::new().pool(&y, &v).unwrap();
    assert_eq!(robust.tau2, 0.0);
    assert!((robust.se - common.se).abs() < 1e-12);
    assert!(robust.interval.lower() >= common.interval.lower());
    // Two studies leave Q one degree of freedom; the interval is still finite.
    assert!(henmi_copas(&[0.1, 0.9], &[0.01, 0.0001], 0.95).unwrap().interval.upper().is_finite());
}

#[test]
fn permutation_p_values_do_not_depend_on_the_order_of_studies_and_follow_the_seed() {
    let y = [0.3, -0.1, 0.5, 0.2, 0.9, 0.4, 0.1];
    let v = [0.02, 0.03, 0.01, 0.05, 0.04, 0.02, 0.03];
    let x = [1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0];
    let reversed = |values: &[f64]| values.iter().rev().copied().collect::<Vec<_>>();
    let test = |y: &[f64], v: &[f64], x: &[f64], permutations| {
        let model = MetaRegression::new().tau2(Tau2::DerSimonianLaird);
        model.permutation_test(y, v, &Moderators::new().number("x", x), permutations).unwrap()
    };
    let all = Permutations { most: 100, seed: 1 };
    let exact = test(&y, &v, &x, all);
    // 7 choose 3 assignments of two kinds of studies.
    assert!(exact.exact && exact.permutations == 35);
    assert_eq!(exact.moderators_p_value, exact.coefficients[0].p_value);
    let other = test(&reversed(&y), &reversed(&v), &reversed(&x), all);
    assert_eq!(exact.moderators_p_value, other.moderators_p_value);
    let drawn = Permutations { most: 30, seed: 5 };
    assert_eq!(test(&y, &v, &x, drawn), test(&y, &v, &x, drawn));
    let many = test(&y, &v, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], Permutations { most: 2000, seed: 5 });
    let whole = test(&y, &v, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], Permutations { most: 5040, seed: 5 });
    assert!(!many.exact && whole.exact);
    assert!((many.moderators_p_value - whole.moderators_p_value).abs() < 0.05);
}

#[test]
fn what_cannot_be_told_is_refused_by_name() {
    let (y, v) = ([0.1, 0.2, 0.4], [0.01, 0.02, 0.01]);
    let model = MetaRegression::new();
    let kind = |moderators: Moderators| model.fit(&y, &v, &moderators).unwrap_err().kind().name();
    let x = [1.0, 2.0, 4.0];
    assert_eq!(kind(Moderators::new().number("x", &x).number("twice", &[2.0, 4.0, 8.0])), "collinear");
    assert_eq!(kind(Moderators::new().number("constant", &[3.0; 3])), "collinear");
    assert_eq!(kind(Moderators::new().category("g", &["a", "b", "c"])), "insufficient_studies");
    assert_eq!(kind(Moderators::new().number("x", &x[..2])), "invalid_input");
    assert_eq!(kind(Moderators::new().number("x", &[1.0, f64::NAN, 2.0])), "invalid_input");
    assert_eq!(kind(Moderators::new().intercept(Intercept::None)), "invalid_input");
    let error = |moderators: Moderators| model.fit(&y, &v, &moderators).unwrap_err().to_string();
    let constant = error(Moderators::new().category("g", &["a", "a", "a"]));
    assert!(constant.contains("\"g\" has the same label in all studies"), "{constant}");
    let twice = error(Moderators::new().number("x", &x).number("x", &[4.0, 1.0, 2.0]));
    assert!(twice.contains("two columns of the moderators are named \"x\""), "{twice}");
    let matrix = Array2::from_shape_fn((3, 1), |(i, _)| x[i]);
    for names in [vec![], vec!["x", "y"]] {
        let misnamed = error(Moderators::new().columns(names, matrix.view()));
        assert!(misnamed.contains("a matrix of 1 column has"), "{misnamed}");
    }
    let fit = model.fit(&y, &v, &Moderators::new().category("g", &["a", "a", "b"])).unwrap();
    assert_eq!(
        fit.predict(&Moderators::new().category("g", &["c"])).unwrap_err().kind().name(),
        "unknown_category"
    );
    assert_eq!(fit.coefficient("h").unwrap_err().kind().name(), "unknown_column");
    // Nothing is left to judge by where every study is fitted exactly.
    let (exact, x) = ([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 2.0, 3.0]);
    let line = Moderators::new().number("x", &x);
    let knapp = MetaRegression::new().test(Test::HartungKnapp).fit(&exact, &[0.1; 4], &line);
    assert_eq!(knapp.unwrap_err().kind().name(), "zero_variance");
    assert!(MetaRegression::new().fit(&exact, &[0.1; 4], &line).unwrap().df.is_none());
    for two in [EggerTest::new(), EggerTest::fixed_effects(), EggerTest::mixed_effects(Tau2::Reml)] {
        assert_eq!(two.test(&y[..2], &v[..2]).unwrap_err().kind().name(), "insufficient_studies");
    }
    assert_eq!(rank_correlation(&y[..2], &v[..2]).unwrap_err().kind().name(), "insufficient_studies");
    assert_eq!(EggerTest::new().test(&y, &[0.1; 3]).unwrap_err().kind().name(), "collinear");
    let filled = RandomEffects::new().trim_and_fill(&y[..2], &v[..2], MissingStudies::L0, FunnelSide::Left);
    assert_eq!(filled.unwrap_err().kind().name(), "insufficient_studies");
    assert_eq!(
        RandomEffects::new().leave_one_out(&[0.1], &[0.1]).unwrap_err().kind().name(),
        "insufficient_studies"
    );
    assert_eq!(
        RandomEffects::new().cumulative(&y, &v, &[0, 1, 1]).unwrap_err().kind().name(),
        "invalid_input"
    );
    assert_eq!(
        CommonEffect::new().subgroups(&y, &v, &["a"; 3]).unwrap_err().kind().name(),
        "insufficient_studies"
    );
}

#[test]
fn results_survive_serde() {
    let (y, v) = ([0.1, 0.2, 0.4, 0.3], [0.01, 0.02, 0.01, 0.03]);
    let fit =
        MetaRegression::new().fit(&y, &v, &Moderators::new().category("g", &["a", "a", "b", "b"])).unwrap();
    let text = serde_json::to_string(&fit).unwrap();
    assert_eq!(serde_json::from_str::<MetaRegressionFit>(&text).unwrap(), fit);
}

#[test]
fn a_fit_that_was_changed_by_hand_is_refused() {
    let (y, v) = ([0.1, 0.2, 0.4, 0.3], [0.01, 0.02, 0.01, 0.03]);
    let moderators = || Moderators::new().category("g", &["a", "a", "b", "b"]);
    let fit = MetaRegression::new().fit(&y, &v, &moderators()).unwrap();
    let valid = serde_json::to_value(&fit).unwrap();
    let changed = |pointer: &str, value: serde_json::Value| {
        let mut json = valid.clone();
        *json.pointer_mut(pointer).unwrap() = value;
        serde_json::from_value::<MetaRegressionFit>(json)
    };
    for (pointer, value) in [
        ("/covariance", serde_json::json!([[0.1]])),
        ("/coefficients", serde_json::json!([])),
        ("/coding/terms", serde_json::json!([])),
        ("/level", serde_json::json!(95.0)),
    ] {
        let fit = changed(pointer, value).unwrap();
        assert_eq!(fit.predict(&moderators()).unwrap_err().kind().name(), "invalid_input", "{pointer}");
    }
    assert!(changed("/coding/terms/0/levels/1/column", serde_json::json!(7)).is_err());
}

/// `influence(rma(yi, vi, test = "knha"))`, metafor 3.8-1.
#[test]
fn influence_with_hartung_knapp_is_that_of_metafor() {
    let (y, v) = ([0.1, 0.2, 0.1, 1.6, 0.5], [0.01, 0.02, 0.01, 0.02, 0.05]);
    let rows = RandomEffects::new().test(Test::HartungKnapp).influence(&y, &v).unwrap();
    let expected = [
        [-0.652_220_530_7, -0.332_384_21, 0.129_391_10, 1.467_076_15, -0.333_056_43],
        [-0.466_947_024_2, -0.236_383_78, 0.069_388_29, 1.552_642_08, -0.236_446_91],
    ];
    for (row, expected) in rows.iter().zip(expected) {
        let own = [row.deleted_residual, row.dffits, row.cook_distance, row.covariance_ratio, row.dfbetas];
        for (own, expected) in own.into_iter().zip(expected) {
            // metafor's REML stops at steps of 1e-5.
            assert!((own - expected).abs() < 5e-6, "{own} {expected}");
        }
    }
}

#[test]
fn moment_weights_that_are_not_in_use_forbid_nothing() {
    let (y, v) = ([0.1, 0.2, 0.3, 0.6], [0.01, 0.02, 0.05, 0.12]);
    let plain = RandomEffects::new();
    let changed_mind = RandomEffects::new().moment_weights([1.0; 4]).tau2(Tau2::Reml);
    let filled = |model: &RandomEffects| {
        model.trim_and_fill(&y, &v, MissingStudies::L0, FunnelSide::Left).unwrap().pool
    };
    assert_eq!(filled(&plain), filled(&changed_mind));
}
