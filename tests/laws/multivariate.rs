//! Laws of joint pooling: outcomes by name, networks.

use crate::support::near;
use armwise::meta_analysis::{
    BetweenStructure, CoefficientTest, CommonEffect, Fitted, MultivariateData, MultivariateModel,
    MultivariatePool, NetworkData, RandomEffects, Tau2, Test,
};
use armwise::ndarray::{Array2, array};
use proptest::prelude::*;

const STRUCTURES: [BetweenStructure; 6] = [
    BetweenStructure::FixedCorrelation,
    BetweenStructure::CompoundSymmetry,
    BetweenStructure::HeteroscedasticCompoundSymmetry,
    BetweenStructure::Diagonal,
    BetweenStructure::Unstructured,
    BetweenStructure::Nested,
];

/// Two effects of each trial, and the scale of their covariance.
fn trials() -> impl Strategy<Value = Vec<([f64; 2], f64)>> {
    prop::collection::vec(([-1.0..1.0_f64, -1.0..1.0_f64], 0.5..2.0_f64), 5..9)
}

fn data(trials: &[([f64; 2], f64)]) -> MultivariateData {
    let mut data = MultivariateData::new(["a", "b"]);
    for (yi, scale) in trials {
        let covariance = array![[0.02, 0.008], [0.008, 0.03]] * *scale;
        data.push(yi, covariance.view(), Array2::eye(2).view()).unwrap();
    }
    data
}

fn pool(data: &MultivariateData, structure: BetweenStructure) -> MultivariatePool {
    MultivariateModel::random_effects().structure(structure).pool(data).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn naming_the_outcomes_of_an_identity_design_changes_nothing(trials in trials()) {
        let plain = data(&trials);
        let named = plain.clone().outcomes(&["a", "b"].repeat(trials.len())).unwrap();
        for structure in STRUCTURES {
            prop_assert_eq!(pool(&plain, structure), pool(&named, structure), "{:?}", structure);
        }
    }

    #[test]
    fn units_of_the_effects_only_rescale(trials in trials(), exponent in -3.0..3.0_f64) {
        let c = 10_f64.powf(exponent);
        let scaled: Vec<([f64; 2], f64)> = trials.iter().map(|(yi, scale)| (yi.map(|y| c * y), c * c * scale)).collect();
        for structure in STRUCTURES {
            let (one, two) = (pool(&data(&trials), structure), pool(&data(&scaled), structure));
            // Relative to the unit; flat likelihoods of several parameters are found to fewer digits.
            prop_assert!((c * c * one.tau2 - two.tau2).abs() <= 1e-5 * c * c * (1.0 + one.tau2), "{structure:?}");
            for (a, b) in one.coefficients.iter().zip(&two.coefficients) {
                prop_assert!((c * a.estimate - b.estimate).abs() <= 1e-5 * c, "{structure:?}: {a:?} {b:?}");
                prop_assert!((c * a.se - b.se).abs() <= 1e-5 * c, "{structure:?}: {a:?} {b:?}");
                prop_assert!((a.p_value - b.p_value).abs() <= 1e-4, "{structure:?}: {a:?} {b:?}");
            }
        }
    }

    #[test]
    fn trials_may_be_permuted_with_the_names_of_their_outcomes(trials in trials(), turn in 1_usize..8) {
        // Every third trial has but one of the outcomes; one slope for both, so that the design does not tell
        // them apart.
        let outcomes = |i: usize| match i % 3 { 0 => vec![0], 1 => vec![1, 0], _ => vec![0, 1] };
        let build = |order: &[usize]| {
            let mut data = MultivariateData::new(["a", "b", "year"]);
            let mut names = Vec::new();
            for &i in order {
                let (yi, scale) = &trials[i];
                let own = outcomes(i);
                let covariance = Array2::from_shape_fn((own.len(), own.len()), |(r, c)| {
                    scale * [[0.02, 0.008], [0.008, 0.03]][own[r]][own[c]]
                });
                let year = (i * i % 5) as f64;
                let design =
                    Array2::from_shape_fn((own.len(), 3), |(r, c)| if c == 2 { year } else { f64::from(u8::from(own[r] == c)) });
                let effects: Vec<f64> = own.iter().map(|outcome| yi[*outcome]).collect();
                data.push(&effects, covariance.view(), design.view()).unwrap();
                names.extend(own.iter().map(|outcome| ["score", "months"][*outcome]));
            }
            data.outcomes(&names).unwrap()
        };
        let order: Vec<usize> = (0..trials.len()).collect();
        let mut turned = order.clone();
        turned.rotate_left(turn % trials.len());
        for structure in [BetweenStructure::CompoundSymmetry, BetweenStructure::Unstructured] {
            let (one, two) = (pool(&build(&order), structure), pool(&build(&turned), structure));
            // The likelihood is flat near its maximum: there its height is the sharper comparison.
            prop_assert!(near(one.restricted_log_likelihood, two.restricted_log_likelihood, 1e-7), "{structure:?}");
            for (a, b) in one.coefficients.iter().zip(&two.coefficients) {
                prop_assert!((a.estimate - b.estimate).abs() < 1e-3 * a.se && near(a.se, b.se, 1e-3), "{structure:?} {a:?} {b:?}");
            }
        }
    }

    #[test]
    fn a_network_of_two_treatments_is_univariate_pooling(trials in trials(), reversed in any::<u8>()) {
        let (yi, vi): (Vec<f64>, Vec<f64>) = trials.iter().map(|(y, scale)| (y[0], 0.05 * scale)).unzip();
        let mut network = NetworkData::new(["control", "guidance"]);
        for (i, (y, v)) in yi.iter().zip(&vi).enumerate() {
            let (baseline, other, sign) =
                if reversed >> (i % 8) & 1 == 1 { ("guidance", "control", -1.0) } else { ("control", "guidance", 1.0) };
            network.push(baseline, &[other], &[sign * y], array![[*v]].view()).unwrap();
        }
        for tau2 in [Tau2::Reml, Tau2::DerSimonianLaird, Tau2::PauleMandel] {
            for (of_network, of_pool) in [(CoefficientTest::Normal, Test::Normal), (CoefficientTest::TrialsMinus1, Test::T)] {
                let pooled = network.pool("control", &MultivariateModel::random_effects().tau2(tau2).test(of_network)).unwrap();
                let one = RandomEffects::new().tau2(tau2).test(of_pool).pool(&yi, &vi).unwrap();
                let guidance = pooled.model.coefficient("guidance").unwrap();
                prop_assert!(near(pooled.model.tau2, one.tau2, 1e-8), "{tau2:?}");
                prop_assert!(near(guidance.estimate, one.estimate, 1e-8) && near(guidance.se, one.se, 1e-8), "{tau2:?}");
                prop_assert!(near(guidance.p_value, one.p_value, 1e-7), "{tau2:?}");
                prop_assert!(near(pooled.differences[[1, 0]], one.estimate, 1e-8) && near(pooled.se[[0, 1]], one.se, 1e-8));
                prop_assert!(near(pooled.q_within_designs.statistic, one.q.statistic, 1e-8) && pooled.q_inconsistency.df == 0.0);
            }
        }
        let common = network.pool("control", &MultivariateModel::common_effect().test(CoefficientTest::Normal)).unwrap();
        let one = CommonEffect::new().pool(&yi, &vi).unwrap();
        prop_assert!(near(common.model.coefficients[0].estimate, one.estimate, 1e-10) && near(common.model.coefficients[0].se, one.se, 1e-10));
    }
}

#[test]
fn outcomes_are_named_once_for_every_effect_and_last() {
    let data = data(&[([0.1, 0.2], 1.0), ([0.3, 0.1], 1.2), ([0.0, 0.4], 0.9)]);
    for wrong in [0, 5, 7] {
        let refused = data.clone().outcomes(&vec!["a"; wrong]).unwrap_err();
        assert_eq!(refused.kind().name(), "invalid_input");
        assert!(
            refused.to_string().contains(&format!("{wrong} outcomes are named for 6 effects")),
            "{refused}"
        );
    }
    let named = data.outcomes(&["a", "b"].repeat(3)).unwrap();
    let refused = named.trial(&[0.1], array![[0.02]].view(), array![[1.0, 0.0]].view()).unwrap_err();
    assert_eq!(refused.kind().name(), "invalid_input");
    assert!(refused.to_string().contains("trial 4 was added after"), "{refused}");
}

#[test]
fn a_trial_has_an_outcome_once() {
    let data = data(&[([0.1, 0.2], 1.0), ([0.3, 0.1], 1.2), ([0.0, 0.4], 0.9)]);
    let twice = data.outcomes(&["a", "a", "a", "b", "a", "b"]).unwrap();
    let refused = MultivariateModel::random_effects().structure(BetweenStructure::Unstructured).pool(&twice);
    assert!(refused.unwrap_err().to_string().contains("trial 1 has two effects of the same outcome"));
    assert!(MultivariateModel::random_effects().pool(&twice).is_ok());
}

/// The search for a parameter that the likelihood does not depend on used to end where it had begun.
#[test]
fn a_variance_that_no_trial_tells_of_is_refused_by_name() {
    use BetweenStructure::{
        CompoundSymmetry, Diagonal, FixedCorrelation, HeteroscedasticCompoundSymmetry, Unstructured,
    };
    let (first, second, both) = (array![[1.0, 0.0]], array![[0.0, 1.0]], Array2::eye(2));
    let one = array![[0.01]];
    let two = array![[0.02, 0.01], [0.01, 0.02]];
    // b is in one trial only.
    let mut once = MultivariateData::new(["a", "b"]);
    for y in [0.1, 0.3, 0.2] {
        once.push(&[y], one.view(), first.view()).unwrap();
    }
    once.push(&[0.6, 0.5], two.view(), both.view()).unwrap();
    // a and b are never in one trial.
    let mut apart = MultivariateData::new(["a", "b"]);
    for (y, design) in [(0.1, &first), (0.6, &first), (0.2, &second), (0.9, &second)] {
        apart.push(&[y], one.view(), design.view()).unwrap();
    }
    let refused = |data: &MultivariateData, structure| {
        let error = MultivariateModel::random_effects().structure(structure).pool(data).unwrap_err();
        assert_eq!(error.kind().name(), "not_estimable", "{error}");
        error.to_string()
    };
    for structure in [HeteroscedasticCompoundSymmetry, Diagonal, Unstructured] {
        let error = refused(&once, structure);
        assert!(error.starts_with("the variance of \"b\" between trials cannot be told"), "{error}");
    }
    assert!(refused(&apart, Unstructured).starts_with("the correlation of \"a\" and \"b\""));
    for structure in [CompoundSymmetry, HeteroscedasticCompoundSymmetry] {
        assert!(refused(&apart, structure).starts_with("the correlation between trials of two effects"));
    }
    pool(&apart, Diagonal);
    // Where b is in one trial, its coefficient leaves nothing of it to tell how a and b go together.
    assert!(refused(&once, CompoundSymmetry).starts_with("the correlation between trials of two effects"));
    pool(&once, FixedCorrelation);
    // The full likelihood does tell of the one trial: it estimates no variance.
    let full = MultivariateModel::random_effects().tau2(Tau2::Ml).structure(Diagonal).pool(&once).unwrap();
    assert!(full.between_covariance.unwrap()[[1, 1]] < 1e-9);
}

#[test]
fn names_and_shapes_that_do_not_belong_together_are_refused() {
    let mut twice = MultivariateData::new(["a", "a"]);
    for yi in [[0.1, 0.2], [0.3, 0.1]] {
        twice.push(&yi, (Array2::eye(2) * 0.01).view(), Array2::eye(2).view()).unwrap();
    }
    let error = MultivariateModel::common_effect().pool(&twice).unwrap_err();
    assert!(error.to_string().contains("two coefficients are named \"a\""), "{error}");

    let pooled = pool(&data(&[([0.1, 0.2], 1.0), ([0.3, 0.1], 1.5)]), BetweenStructure::FixedCorrelation);
    let mut json = serde_json::to_value(&pooled).unwrap();
    json["covariance"] = serde_json::json!([[0.1]]);
    let read = serde_json::from_value::<MultivariatePool>(json).unwrap_err().to_string();
    assert!(read.contains("symmetric covariance for all its coefficients"), "{read}");
    let mut changed = pooled;
    changed.covariance = array![[0.1]];
    assert_eq!(changed.all_zero().unwrap_err().kind().name(), "invalid_input");
    assert_eq!(changed.combination("sum", &[1.0, 1.0], (), 0.95).unwrap_err().kind().name(), "invalid_input");
}

/// The limits of the interval of tau2 are where the generalised Q is a quantile of chi-squared: found again by a
/// common-effect model of the covariances with that variance in them.
#[test]
fn the_interval_of_tau2_is_where_q_is_a_quantile() {
    use armwise::distribution::ChiSquared;
    use armwise::ndarray::array;
    let mut data = MultivariateData::new(["a", "b"]);
    let trials = [
        ([0.1, 0.9], 0.04),
        ([0.6, 0.2], 0.05),
        ([-0.4, 0.5], 0.03),
        ([0.9, 1.4], 0.06),
        ([0.2, -0.3], 0.05),
    ];
    for (y, v) in trials {
        let covariance = array![[v, 0.4 * v], [0.4 * v, 1.3 * v]];
        data.push(&y, covariance.view(), array![[1.0, 0.0], [0.0, 1.0]].view()).unwrap();
    }
    for level in [0.8, 0.95] {
        let pool = MultivariateModel::random_effects().level(level).pool(&data).unwrap();
        let interval = pool.tau2_interval.unwrap();
        assert!(interval.lower() > 0.0 && interval.contains(pool.tau2), "{interval:?} {}", pool.tau2);
        let chi2 = ChiSquared::new(8.0).unwrap();
        for (tau2, p) in [(interval.lower(), 0.5 + 0.5 * level), (interval.upper(), 0.5 - 0.5 * level)] {
            let at = data.clone().with_between(tau2, 0.5).unwrap();
            let q = MultivariateModel::common_effect().pool(&at).unwrap().q.statistic;
            assert!((q - chi2.quantile(p)).abs() < 1e-8 * q, "{q} {}", chi2.quantile(p));
        }
    }
    assert!(MultivariateModel::common_effect().pool(&data).unwrap().tau2_interval.is_none());
    let structured =
        MultivariateModel::random_effects().structure(BetweenStructure::Diagonal).pool(&data).unwrap();
    assert!(structured.tau2_interval.is_none());
}

/// One treatment in every trial: the interval of the univariate pool.
#[test]
fn the_interval_of_one_treatment_is_that_of_its_pool() {
    use armwise::meta_analysis::RandomEffects;
    let (yi, vi) = ([0.1, 0.9, -0.4, 0.6, 1.5], [0.05, 0.04, 0.06, 0.03, 0.08]);
    let mut data = MultivariateData::new(["a"]);
    for (y, v) in yi.iter().zip(vi) {
        data.push(&[*y], armwise::ndarray::array![[v]].view(), armwise::ndarray::array![[1.0]].view())
            .unwrap();
    }
    let joint = MultivariateModel::random_effects().pool(&data).unwrap().tau2_interval.unwrap();
    let own = RandomEffects::new().pool(&yi, &vi).unwrap().tau2_interval.unwrap();
    assert!(
        (joint.lower() - own.lower()).abs() < 1e-9 && (joint.upper() - own.upper()).abs() < 1e-9,
        "{joint:?} {own:?}"
    );
}
