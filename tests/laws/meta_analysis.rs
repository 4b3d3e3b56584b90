//! Laws that pooling obeys whatever the data.

use crate::support::methods::{studies, tau2_methods, unzip};
use crate::support::near;
use armwise::Interval;
use armwise::meta_analysis::{
    BetweenStructure, ClusterCorrection, CoefficientTest, CommonEffect, MultivariateData, MultivariateModel,
    MultivariatePool, PooledEffect, PredictionDf, RandomEffects, Tau2, Test, cluster_robust,
    cluster_robust_test,
};
use armwise::ndarray::{Array2, array};
use proptest::prelude::*;

fn same(a: Interval, b: Interval, tolerance: f64) -> bool {
    near(a.lower(), b.lower(), tolerance) && near(a.upper(), b.upper(), tolerance)
}

/// The restricted log-likelihood up to a constant, from its definition.
fn restricted(yi: &[f64], vi: &[f64], tau2: f64) -> f64 {
    let w: Vec<f64> = vi.iter().map(|v| 1.0 / (v + tau2)).collect();
    let total: f64 = w.iter().sum();
    let mean = w.iter().zip(yi).map(|(w, y)| w * y).sum::<f64>() / total;
    let squares: f64 = w.iter().zip(yi).map(|(w, y)| w * (y - mean) * (y - mean)).sum();
    0.5 * (w.iter().map(|w| w.ln()).sum::<f64>() - total.ln() - squares)
}

proptest! {
    #[test]
    fn the_order_of_the_studies_does_not_matter(studies in studies(2..12, -6.0), turn in 0_usize..12) {
        let mut turned = studies.clone();
        turned.rotate_left(turn % studies.len());
        turned.reverse();
        let ((yi, vi), (yj, vj)) = (unzip(&studies), unzip(&turned));
        for tau2 in tau2_methods() {
            let options = RandomEffects::new().tau2(tau2);
            let (a, b) = (options.pool(&yi, &vi).unwrap(), options.pool(&yj, &vj).unwrap());
            prop_assert!(near(a.estimate, b.estimate, 1e-9) && near(a.tau2, b.tau2, 1e-9), "{tau2:?}");
            prop_assert!(same(a.interval, b.interval, 1e-9), "{tau2:?}");
        }
    }

    #[test]
    fn reml_is_the_highest_point_of_its_likelihood(studies in studies(2..12, -6.0)) {
        let (yi, vi) = unzip(&studies);
        let pooled = RandomEffects::new().test(Test::Normal).pool(&yi, &vi).unwrap();
        let best = restricted(&yi, &vi, pooled.tau2);
        for step in 0..400 {
            let tau2 = if step == 0 { 0.0 } else { 1e-6 * (0.05 * f64::from(step)).exp() };
            prop_assert!(restricted(&yi, &vi, tau2) <= best + 1e-10 * (1.0 + best.abs()), "higher at {tau2}");
        }
    }

    /// A second algorithm: expectation and maximisation climb the restricted likelihood in small steps that
    /// never lead down.
    #[test]
    fn reml_by_expectation_and_maximisation_is_the_same(studies in studies(2..12, -6.0)) {
        let (yi, vi) = unzip(&studies);
        let pooled = RandomEffects::new().tau2(Tau2::Reml).pool(&yi, &vi).unwrap();
        let mut tau2 = 1.3 * pooled.tau2 + 0.05;
        let start = restricted(&yi, &vi, tau2);
        for _ in 0..20_000 {
            let w: Vec<f64> = vi.iter().map(|v| 1.0 / (v + tau2)).collect();
            let total: f64 = w.iter().sum();
            let mean = w.iter().zip(&yi).map(|(w, y)| w * y).sum::<f64>() / total;
            let moments = w.iter().zip(&yi).map(|(w, y)| (w * (y - mean)).powi(2) - w + w * w / total);
            tau2 += tau2 * tau2 * moments.sum::<f64>() / yi.len() as f64;
        }
        let (ours, theirs) = (restricted(&yi, &vi, pooled.tau2), restricted(&yi, &vi, tau2));
        prop_assert!(theirs >= start - 1e-12 && theirs <= ours + 1e-10 * (1.0 + ours.abs()));
        // Near zero the steps vanish before they arrive.
        if pooled.tau2 > 0.05 {
            prop_assert!(near(tau2, pooled.tau2, 1e-6) || theirs < ours - 1e-6, "{tau2} {}", pooled.tau2);
        }
    }

    #[test]
    fn the_scale_of_the_effects_does_not_matter(studies in studies(2..12, -6.0), exponent in -6.0..6.0_f64) {
        let (yi, vi) = unzip(&studies);
        let c = 10_f64.powf(exponent);
        let (yj, vj): (Vec<_>, Vec<_>) = studies.iter().map(|(y, v)| (c * y, c * c * v)).unzip();
        for tau2 in tau2_methods() {
            let options = RandomEffects::new().tau2(tau2);
            let (a, b) = (options.pool(&yi, &vi).unwrap(), options.pool(&yj, &vj).unwrap());
            prop_assert!(near(a.tau2, b.tau2 / (c * c), 1e-8), "{tau2:?}: {} {}", a.tau2, b.tau2 / (c * c));
            prop_assert!(near(a.estimate, b.estimate / c, 1e-8), "{tau2:?}");
        }
    }

    #[test]
    fn paule_mandel_and_the_q_profile_solve_their_equations(studies in studies(2..12, -6.0)) {
        let (yi, vi) = unzip(&studies);
        let pooled = RandomEffects::new().tau2(Tau2::PauleMandel).pool(&yi, &vi).unwrap();
        let q = |tau2: f64| {
            let shifted: Vec<f64> = vi.iter().map(|v| v + tau2).collect();
            CommonEffect::new().pool(&yi, &shifted).unwrap().q.statistic
        };
        let df = yi.len() as f64 - 1.0;
        let solved = if pooled.tau2 > 0.0 { near(q(pooled.tau2), df, 1e-9) } else { q(0.0) <= df };
        prop_assert!(solved);
        let chi2 = armwise::distribution::ChiSquared::new(df).unwrap();
        let limits = pooled.tau2_interval.unwrap();
        if limits.lower() > 0.0 {
            prop_assert!(near(q(limits.lower()), chi2.upper_quantile(0.025), 1e-8));
        }
        if limits.upper() > 0.0 {
            prop_assert!(near(q(limits.upper()), chi2.quantile(0.025), 1e-8));
        }
    }

    #[test]
    fn both_definitions_of_i2_agree_for_dersimonian_laird(studies in studies(2..12, -6.0)) {
        let (yi, vi) = unzip(&studies);
        let random = RandomEffects::new().tau2(Tau2::DerSimonianLaird).pool(&yi, &vi).unwrap();
        prop_assert!(near(random.i2, CommonEffect::new().pool(&yi, &vi).unwrap().i2, 1e-10));
    }

    #[test]
    fn two_identical_halves_make_the_whole(studies in studies(2..12, -6.0)) {
        let (yi, vi) = unzip(&studies);
        let (mut yj, mut vj) = (yi.clone(), vi.clone());
        vj[0] *= 2.0;
        yj.push(yi[0]);
        vj.push(vj[0]);
        let (a, b) = (CommonEffect::new().pool(&yi, &vi).unwrap(), CommonEffect::new().pool(&yj, &vj).unwrap());
        prop_assert!(near(a.estimate, b.estimate, 1e-12) && near(a.se, b.se, 1e-12));
        prop_assert!(near(a.q.statistic, b.q.statistic, 1e-9));
    }

    #[test]
    fn the_default_interval_is_never_narrower_than_wald(studies in studies(2..12, -6.0)) {
        let (yi, vi) = unzip(&studies);
        let pooled = RandomEffects::new().pool(&yi, &vi).unwrap();
        prop_assert!(pooled.interval.width() >= pooled.wald.interval.width() * (1.0 - 1e-12));
        prop_assert_eq!(pooled.df.is_none(), pooled.hartung_knapp_narrower);
        prop_assert!(pooled.interval.contains(pooled.estimate));
        // The prediction interval has the standard error of the model, whichever test is the wider.
        prop_assert!(pooled.prediction.unwrap().width() >= pooled.wald.interval.width() * (1.0 - 1e-12));
        let weights: f64 = pooled.weights.iter().sum();
        prop_assert!(near(weights, 1.0, 1e-12));
    }

    #[test]
    fn one_arm_in_every_trial_is_univariate_pooling(studies in studies(2..12, -6.0), correlation in 0.0..0.9_f64) {
        let (yi, vi) = unzip(&studies);
        let mut data = MultivariateData::new(["effect"]);
        for (y, v) in &studies {
            data.push(&[*y], array![[*v]].view(), array![[1.0]].view()).unwrap();
        }
        for tau2 in [Tau2::Reml, Tau2::Ml, Tau2::DerSimonianLaird, Tau2::PauleMandel] {
            let one = RandomEffects::new().tau2(tau2).test(Test::T).pool(&yi, &vi).unwrap();
            let joint = MultivariateModel::random_effects().tau2(tau2).correlation(correlation).pool(&data).unwrap();
            let effect = joint.coefficient("effect").unwrap();
            prop_assert!(near(one.tau2, joint.tau2, 1e-8), "{tau2:?}: {} {}", one.tau2, joint.tau2);
            prop_assert!(near(one.estimate, effect.estimate, 1e-8) && near(one.se, effect.se, 1e-8));
            prop_assert!(near(one.p_value, effect.p_value, 1e-7) && same(one.interval, effect.interval, 1e-7));
            prop_assert!(near(one.log_likelihood, joint.log_likelihood, 1e-8));
            prop_assert!(near(one.restricted_log_likelihood, joint.restricted_log_likelihood, 1e-8));
            prop_assert!(near(one.se_tau2.unwrap(), joint.se_tau2.unwrap(), 1e-6), "{tau2:?}");
            prop_assert!(near(one.q.statistic, joint.q.statistic, 1e-8));
        }
    }

    #[test]
    fn results_survive_serde(studies in studies(2..12, -6.0)) {
        let (yi, vi) = unzip(&studies);
        let pooled = RandomEffects::new().pool(&yi, &vi).unwrap();
        let text = serde_json::to_string(&pooled).unwrap();
        prop_assert_eq!(serde_json::from_str::<PooledEffect>(&text).unwrap(), pooled);
    }
}

#[test]
fn equal_estimates_have_no_heterogeneity() {
    let (yi, vi) = ([0.1; 5], [0.01, 0.02, 0.5, 0.001, 0.3]);
    for tau2 in tau2_methods() {
        let pooled = RandomEffects::new().tau2(tau2).pool(&yi, &vi).unwrap();
        assert_eq!(pooled.tau2, 0.0, "{tau2:?}");
        assert_eq!(pooled.tau2_interval, Some(Interval::default()), "{tau2:?}");
        assert!(pooled.boundary && pooled.hartung_knapp.is_none() && near(pooled.estimate, 0.1, 1e-15));
        let refused = RandomEffects::new().tau2(tau2).test(Test::HartungKnapp).pool(&yi, &vi).unwrap_err();
        assert_eq!(refused.kind().name(), "zero_variance");
    }
}

#[test]
fn one_huge_trial_dominates_the_common_effect() {
    let pooled = CommonEffect::new().pool(&[0.3, -1.0, 2.0], &[1e-12, 1.0, 0.5]).unwrap();
    assert!(near(pooled.estimate, 0.3, 1e-10) && near(pooled.se, 1e-6, 1e-12));
    // The typical variance keeps its digits though sum w - sum w²/sum w cancels.
    let typical = 2.0 / ((2.0 * 1e12 * 3.0 + 2.0 * 2.0) / (1e12 + 3.0));
    assert!((pooled.typical_variance.unwrap() / typical - 1.0).abs() < 1e-12);
}

#[test]
fn reml_finds_the_higher_of_two_maxima() {
    // The score is negative at 0, so a descent from there would stop at the boundary.
    let (yi, vi) = ([0.0, 0.001, -0.001, 5.0, -5.0], [1e-6, 1e-6, 1e-6, 30.0, 30.0]);
    let pooled = RandomEffects::new().pool(&yi, &vi).unwrap();
    let best = restricted(&yi, &vi, pooled.tau2);
    for step in -4000..400 {
        let tau2 = (0.01 * f64::from(step)).exp();
        assert!(restricted(&yi, &vi, tau2) <= best + 1e-10, "higher at {tau2} than at {}", pooled.tau2);
    }
}

#[test]
fn extreme_numbers_end_in_a_finite_result() {
    let estimates =
        [[0.0, 1e-20, -1e-20], [0.1, 0.1 + 1e-15, 0.1], [1e30, -1e30, 3.0], [0.0, 1.0, 2.0], [1e-29; 3]];
    let variances = [[1.0, 2.0, 3.0], [1e-40, 1.0, 1e40], [1e-12, 1e-3, 1e6], [1e-40; 3], [1e40; 3]];
    for yi in &estimates {
        for vi in &variances {
            for tau2 in tau2_methods() {
                match RandomEffects::new().tau2(tau2).pool(yi, vi) {
                    Ok(pooled) => {
                        let interval = pooled.tau2_interval.unwrap();
                        let numbers = [
                            pooled.estimate,
                            pooled.se,
                            pooled.statistic,
                            pooled.p_value,
                            pooled.tau2,
                            pooled.i2,
                            pooled.h2,
                            interval.lower(),
                            interval.upper(),
                            pooled.q.statistic,
                            pooled.restricted_log_likelihood,
                            pooled.log_likelihood,
                            pooled.interval.lower(),
                            pooled.interval.upper(),
                        ];
                        assert!(numbers.iter().all(|x| x.is_finite()), "{tau2:?} {yi:?} {vi:?}: {pooled:?}");
                        assert!(pooled.weights.iter().all(|w| w.is_finite()));
                        assert!(
                            pooled.se_tau2.is_none_or(f64::is_finite),
                            "{tau2:?} {yi:?} {vi:?}: {pooled:?}"
                        );
                    }
                    Err(error) => assert!(!error.to_string().is_empty()),
                }
            }
        }
    }
}

#[test]
fn structures_nest() {
    // Seven trials of two arms with a shared control.
    let y = [[0.1, 0.3], [0.4, 0.2], [-0.1, 0.35], [0.25, 0.6], [0.0, 0.1], [0.5, 0.45], [0.2, -0.1]];
    let mut data = MultivariateData::new(["a", "b"]);
    for (trial, yi) in y.iter().enumerate() {
        let scale = 1.0 + 0.2 * trial as f64;
        let covariance = array![[0.02 * scale, 0.008 * scale], [0.008 * scale, 0.03 * scale]];
        data.push(yi, covariance.view(), Array2::eye(2).view()).unwrap();
    }
    let height = |structure| {
        let model = MultivariateModel::random_effects().structure(structure);
        model.pool(&data).unwrap().restricted_log_likelihood
    };
    let fixed = height(BetweenStructure::FixedCorrelation);
    let symmetric = height(BetweenStructure::CompoundSymmetry);
    let heteroscedastic = height(BetweenStructure::HeteroscedasticCompoundSymmetry);
    let unstructured = height(BetweenStructure::Unstructured);
    let diagonal = height(BetweenStructure::Diagonal);
    assert!(
        fixed <= symmetric + 1e-9
            && symmetric <= heteroscedastic + 1e-9
            && diagonal <= heteroscedastic + 1e-9
    );
    // With two arms both have three parameters.
    assert!(near(heteroscedastic, unstructured, 1e-9));
    assert!(height(BetweenStructure::Nested) <= symmetric + 1e-9);
}

#[test]
fn robust_errors_of_one_effect_per_cluster_are_those_of_a_regression() {
    // Equal variances: CR0 to CR3 of a mean are its HC0 to HC3.
    let y = [0.1, 0.4, -0.2, 0.3, 0.35];
    let mut data = MultivariateData::new(["mean"]);
    for yi in y {
        data.push(&[yi], array![[0.05]].view(), array![[1.0]].view()).unwrap();
    }
    let n = y.len() as f64;
    let mean = y.iter().sum::<f64>() / n;
    let squares: f64 = y.iter().map(|y| (y - mean) * (y - mean)).sum();
    let leverage = 1.0 - 1.0 / n;
    for (correction, factor) in [
        (ClusterCorrection::Cr0, 1.0),
        (ClusterCorrection::Cr1, n / (n - 1.0)),
        (ClusterCorrection::Cr2, 1.0 / leverage),
        (ClusterCorrection::Cr3, 1.0 / (leverage * leverage)),
    ] {
        let pooled = cluster_robust(&data, correction, 0.95).unwrap();
        assert!(near(pooled.coefficients[0].se, (factor * squares).sqrt() / n, 1e-12), "{correction:?}");
        assert!(near(pooled.coefficients[0].df.unwrap(), n - 1.0, 1e-10), "{correction:?}");
    }
}

#[test]
fn hotellings_test_of_clusters_is_that_of_a_regression() {
    use armwise::regression::{Family, Glm, ModelMatrix};
    let school = [1_u32, 1, 2, 2, 3, 4, 4, 5, 6, 7, 7, 7, 8, 8];
    let a = array![0.0, 1.0, 0.0, 0.5, 0.0, 1.0, 0.2, 1.0, 1.0, 0.3, 0.1, 0.7, 0.0, 0.9];
    let b = array![1.0, 1.0, 0.0, 2.0, 3.0, 1.0, 1.0, 2.0, 0.0, 2.0, 0.0, 1.0, 4.0, 1.0];
    let y = array![5.0, 6.0, 3.0, 4.0, 7.0, 8.0, 6.0, 9.0, 5.0, 4.0, 4.5, 6.5, 7.5, 6.0];
    let n = y.len();
    let matrix = ModelMatrix::new(n)
        .intercept()
        .unwrap()
        .numeric("a", a.view())
        .unwrap()
        .numeric("b", b.view())
        .unwrap();
    let fit = Glm::new(Family::Gaussian).fit(&matrix, &y).unwrap();
    let mut data = MultivariateData::new(["intercept", "a", "b"]);
    for of in 1..=8 {
        let rows: Vec<usize> = (0..n).filter(|row| school[*row] == of).collect();
        let own: Vec<f64> = rows.iter().map(|row| y[*row]).collect();
        let design = Array2::from_shape_fn((rows.len(), 3), |(i, j)| [1.0, a[rows[i]], b[rows[i]]][j]);
        data.push(&own, Array2::eye(rows.len()).view(), design.view()).unwrap();
    }
    for (tested, combinations) in [
        (vec![1, 2], array![[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        (vec![0, 1, 2], Array2::eye(3)),
        (vec![2], array![[0.0, 0.0, 1.0]]),
    ] {
        let other = fit.clustered(&school).unwrap().hotelling_test(&tested).unwrap();
        let own = cluster_robust_test(&data, combinations.view()).unwrap();
        assert!(near(own.p_value, other.p_value, 1e-9), "{tested:?}: {own:?} {other:?}");
        assert!(near(own.statistic, other.statistic, 1e-9), "{tested:?}: {own:?} {other:?}");
    }
    // One combination is CR2's t with Satterthwaite's degrees of freedom.
    let robust = cluster_robust(&data, ClusterCorrection::Cr2, 0.95).unwrap();
    let one = cluster_robust_test(&data, array![[0.0, 0.0, 1.0]].view()).unwrap();
    assert!(near(one.statistic, robust.coefficients[2].statistic.powi(2), 1e-9));
    assert!(near(one.df2, robust.coefficients[2].df.unwrap(), 1e-9));
    // Twice the same hypothesis is none of its own; combinations may be rotated.
    let twice = array![[0.0, 1.0, 0.0], [0.0, 2.0, 0.0]];
    assert!(cluster_robust_test(&data, twice.view()).is_err());
    assert!(cluster_robust_test(&data, array![[1.0, 2.0]].view()).is_err());
    let rotated = cluster_robust_test(&data, array![[0.0, 1.0, 1.0], [0.0, 3.0, -2.0]].view()).unwrap();
    let plain = cluster_robust_test(&data, array![[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]].view()).unwrap();
    assert!(near(rotated.statistic, plain.statistic, 1e-9) && near(rotated.p_value, plain.p_value, 1e-9));
}

#[test]
fn a_summary_keeps_the_rule_of_its_prediction_interval() {
    let (yi, vi) = ([0.1, 0.3, 0.2, 0.6], [0.01, 0.02, 0.01, 0.03]);
    for rule in [PredictionDf::Normal, PredictionDf::KMinus1, PredictionDf::KMinus2, PredictionDf::AsTest] {
        let pooled = RandomEffects::new().prediction_df(rule).pool(&yi, &vi).unwrap();
        assert_eq!(pooled.prediction_rule, Some(rule.into()));
        assert_eq!(pooled.prediction, pooled.prediction_interval(rule).ok());
    }
    assert_eq!(CommonEffect::new().pool(&yi, &vi).unwrap().prediction_rule, None);
}

#[test]
fn a_trial_of_two_arms_joins_by_its_rotation() {
    // Two effects of one trial with V = v (1 + rho), against the same model written as one m x m system.
    let covariance = array![[0.02, 0.008], [0.008, 0.03]];
    let design = Array2::eye(2);
    let y = [[0.1, 0.3], [0.4, 0.2], [-0.1, 0.35], [0.25, 0.6]];
    let mut data = MultivariateData::new(["a", "b"]);
    for yi in &y {
        data.push(yi, covariance.view(), design.view()).unwrap();
    }
    let pooled = MultivariateModel::random_effects().pool(&data).unwrap();
    // With the same V in every trial the estimate is the mean, and its covariance is (V + tau² S)/k.
    for (arm, coefficient) in pooled.coefficients.iter().enumerate() {
        let mean = y.iter().map(|yi| yi[arm]).sum::<f64>() / 4.0;
        assert!(near(coefficient.estimate, mean, 1e-12));
    }
    let s = array![[1.0, 0.5], [0.5, 1.0]];
    let expected = (&covariance + &(s * pooled.tau2)) / 4.0;
    assert!(pooled.covariance.iter().zip(&expected).all(|(got, want)| near(*got, *want, 1e-12)));
    let text = serde_json::to_string(&pooled).unwrap();
    assert_eq!(serde_json::from_str::<MultivariatePool>(&text).unwrap(), pooled);
}

#[test]
fn components_that_always_occur_together_are_named() {
    let data = MultivariateData::new(["a", "b", "c"])
        .trial(&[0.1, 0.2], Array2::eye(2).view(), array![[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]].view())
        .unwrap()
        .trial(&[0.3, 0.1], Array2::eye(2).view(), array![[1.0, 1.0, 1.0], [0.0, 0.0, 1.0]].view())
        .unwrap();
    let refused = MultivariateModel::common_effect().pool(&data).unwrap_err();
    assert_eq!(refused.kind().name(), "collinear");
    assert!(refused.to_string().contains("components a, b cannot"), "{refused}");
}

#[test]
fn what_has_no_answer_is_an_error() {
    let name = |result: Result<PooledEffect, armwise::Error>| result.unwrap_err().kind().name();
    assert_eq!(name(RandomEffects::new().pool(&[], &[])), "no_studies");
    assert_eq!(name(RandomEffects::new().pool(&[0.1], &[0.1])), "insufficient_studies");
    assert_eq!(name(RandomEffects::new().pool(&[0.1, 0.2], &[0.1, 0.0])), "invalid_variance");
    assert_eq!(name(RandomEffects::new().pool(&[0.1, 0.2], &[0.1, f64::NAN])), "invalid_variance");
    assert_eq!(name(RandomEffects::new().pool(&[0.1, f64::INFINITY], &[0.1, 0.1])), "invalid_input");
    assert_eq!(name(RandomEffects::new().pool(&[0.1, 0.2], &[0.1])), "invalid_input");
    assert_eq!(name(RandomEffects::new().level(1.0).pool(&[0.1, 0.2], &[0.1, 0.1])), "invalid_input");
    assert_eq!(
        name(CommonEffect::new().test(Test::HartungKnapp).pool(&[0.1, 0.2], &[0.1, 0.1])),
        "invalid_input"
    );
    assert_eq!(
        name(RandomEffects::new().given_weights([1.0]).pool(&[0.1, 0.2], &[0.1, 0.1])),
        "invalid_input"
    );
    let two = RandomEffects::new().pool(&[0.1, 0.2], &[0.1, 0.1]).unwrap();
    assert_eq!(
        two.prediction_interval(PredictionDf::KMinus2).unwrap_err().kind().name(),
        "insufficient_studies"
    );
    let one = RandomEffects::new().test(Test::Normal).pool(&[0.1], &[0.1]).unwrap();
    assert!(one.prediction.is_none() && one.tau2 == 0.0 && one.q.p_value == 1.0);
    let data =
        MultivariateData::new(["a"]).trial(&[0.1], array![[0.1]].view(), array![[1.0]].view()).unwrap();
    let model = MultivariateModel::common_effect();
    assert_eq!(model.pool(&data).unwrap_err().kind().name(), "insufficient_studies");
    assert!(model.test(CoefficientTest::Normal).pool(&data).is_ok());
}
