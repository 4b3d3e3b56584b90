use crate::support::data::{ARMS, Counts, comparison, counts, effects, guidance};
use crate::support::methods::tau2_methods;
use crate::support::near_or_equal;
use crate::support::pools::{Joint, Pool, Visit, all, all_joint, analyses};
use armwise::meta_analysis::{CoefficientTest, Tau2, Test};
use armwise::prelude::*;
use proptest::prelude::*;

fn same<S: Scale>(name: &dyn std::fmt::Debug, one: &Pooled<S>, two: &Pooled<S>, tolerance: f64) {
    let limit = |pool: &Pooled<S>, upper: bool| {
        pool.prediction().map_or(0.0, |interval| if upper { interval.upper() } else { interval.lower() })
    };
    let pairs = [
        (one.value(), two.value()),
        (one.se(), two.se()),
        (one.tau2(), two.tau2()),
        (one.interval().lower(), two.interval().lower()),
        (one.interval().upper(), two.interval().upper()),
        (limit(one, false), limit(two, false)),
        (limit(one, true), limit(two, true)),
    ];
    for (a, b) in pairs {
        assert!(near_or_equal(a, b, tolerance), "{name:?}: {a} {b}\n{one}\n{two}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_the_trials_does_not_matter(trials in counts(), turn in 0_usize..7) {
        let named: Vec<_> = trials.iter().enumerate().map(|(i, counts)| comparison(i, counts)).collect();
        let mut turned = named.clone();
        turned.rotate_left(turn % trials.len());
        turned.reverse();
        let estimator = DifferenceInProportions::new();
        let one = Comparisons::new(named).unwrap().estimate(&estimator).unwrap();
        let two = Comparisons::new(turned).unwrap().estimate(&estimator).unwrap();
        for pool in all() {
            let pooled = (pool.pool(&one.treatment("guidance").unwrap()), pool.pool(&two.treatment("guidance").unwrap()));
            let (Ok(a), Ok(b)) = &pooled else { prop_assert!(pooled.0.is_err() && pooled.1.is_err()); continue };
            same(&pool, a, b, 1e-8);
            for trial in &a.trials {
                let other = b.trials.iter().find(|other| other.estimate.trial() == trial.estimate.trial()).unwrap();
                prop_assert!(near_or_equal(trial.weight, other.weight, 1e-7), "{pool:?}");
            }
        }
        for pool in all_joint() {
            let (a, b) = (pool.pool(&one).unwrap(), pool.pool(&two).unwrap());
            for label in &ARMS[1..] {
                let (a, b) = (a.coefficient(label).unwrap(), b.coefficient(label).unwrap());
                prop_assert!(near_or_equal(a.value(), b.value(), 1e-7) && near_or_equal(a.se(), b.se(), 1e-7), "{pool:?} {a:?} {b:?}");
            }
        }
    }

    #[test]
    fn equal_estimates_have_no_variance_between_them(arms in counts(), k in 2_usize..7) {
        let trials = vec![arms[0]; k];
        for tau2 in tau2_methods() {
            let pooled = RandomEffects::new().tau2(tau2).pool(&guidance(&trials)).unwrap();
            prop_assert!(pooled.tau2() < 1e-12, "{tau2:?}: {}", pooled.tau2());
            prop_assert!(near_or_equal(pooled.value(), pooled.trials[0].estimate.value(), 1e-12), "{tau2:?}");
        }
        for pool in all_joint() {
            prop_assert!(pool.pool(&effects(&trials)).unwrap().tau2() < 1e-12, "{pool:?}");
        }
    }

    #[test]
    fn one_huge_trial_dominates_the_common_effect(trials in counts()) {
        let huge = [(3_000_000, 10_000_000), (3_500_000, 10_000_000), (2_500_000, 10_000_000)];
        let all: Vec<Counts> = trials.iter().copied().chain([huge]).collect();
        let pooled = CommonEffect::new().pool(&guidance(&all)).unwrap();
        prop_assert!(near_or_equal(pooled.value(), 0.05, 1e-3), "{}", pooled.value());
        prop_assert!(pooled.trials.last().unwrap().weight > 0.99);
        let joint = JointModel::common().pool(&effects(&all)).unwrap();
        prop_assert!(near_or_equal(joint.coefficient("exemption").unwrap().value(), -0.05, 1e-3));
    }

    #[test]
    fn two_identical_halves_make_the_whole(trials in counts()) {
        let twice: Vec<Counts> = trials.iter().chain(&trials).copied().collect();
        let (one, two) = (CommonEffect::new().pool(&guidance(&trials)).unwrap(), CommonEffect::new().pool(&guidance(&twice)).unwrap());
        prop_assert!(near_or_equal(one.value(), two.value(), 1e-10));
        prop_assert!(near_or_equal(one.se().powi(2), 2.0 * two.se().powi(2), 1e-10));
    }

    #[test]
    fn pooling_single_components_jointly_is_univariate_pooling(trials in counts()) {
        let estimator = DifferenceInProportions::new();
        let narrow = Comparisons::new(trials.iter().enumerate().map(|(i, arms)| {
            let arms = ARMS[..2].iter().zip(arms).map(|(label, &(events, n))| (label, events, n));
            Comparison::from_counts(format!("city {i}"), &crate::support::data::WORKS, arms).unwrap()
        })).unwrap().estimate(&estimator).unwrap();
        let alone = narrow.treatment("guidance").unwrap();
        for (of_joint, of_one) in [(CoefficientTest::Normal, Test::Normal), (CoefficientTest::TrialsMinus1, Test::T)] {
            for tau2 in [Tau2::Reml, Tau2::Ml, Tau2::DerSimonianLaird, Tau2::PauleMandel] {
                let one = RandomEffects::new().tau2(tau2).test(of_one).pool(&alone).unwrap();
                for pool in [
                    Joint::Treatments(JointModel::random().tau2(tau2).test(of_joint)),
                    Joint::Components(ComponentModel::random().tau2(tau2).test(of_joint)),
                ] {
                    let joint = pool.pool(&narrow).unwrap();
                    let coefficient = joint.coefficient("guidance").unwrap();
                    prop_assert!(near_or_equal(joint.tau2(), one.tau2(), 1e-9), "{pool:?}");
                    prop_assert!(near_or_equal(coefficient.value(), one.value(), 1e-9), "{pool:?}");
                    prop_assert!(near_or_equal(coefficient.se(), one.se(), 1e-9), "{pool:?}");
                    prop_assert!(near_or_equal(coefficient.interval().lower(), one.interval().lower(), 1e-8), "{pool:?}");
                    prop_assert!(near_or_equal(coefficient.p_value(), one.p_value(), 1e-8), "{pool:?}");
                }
            }
        }
        let one = CommonEffect::new().pool(&alone).unwrap();
        for pool in [Joint::Treatments(JointModel::common()), Joint::Components(ComponentModel::common())] {
            let joint = pool.pool(&narrow).unwrap();
            let coefficient = joint.coefficient("guidance").unwrap();
            prop_assert!(near_or_equal(coefficient.value(), one.value(), 1e-10) && near_or_equal(coefficient.se(), one.se(), 1e-10), "{pool:?}");
        }
    }

    #[test]
    fn components_that_are_the_arms_are_the_joint_model(trials in counts()) {
        let effects = effects(&trials);
        let components = || ComponentModel::random().arm("guidance", ["guidance"]);
        for tau2 in [Tau2::Reml, Tau2::Ml, Tau2::DerSimonianLaird, Tau2::PauleMandel] {
            let one = JointModel::random().tau2(tau2).pool(&effects).unwrap();
            let two = components().tau2(tau2).pool(&effects).unwrap();
            prop_assert_eq!(&one.model, &two.model, "{:?}", tau2);
        }
        let one = JointModel::common().pool(&effects).unwrap();
        let two = ComponentModel::common().pool(&effects).unwrap();
        prop_assert_eq!(&one.model, &two.model);
    }

    #[test]
    fn the_joint_covariance_of_a_pool_is_positive_semi_definite(trials in counts(), w in [-1.0..1.0_f64, -1.0..1.0_f64]) {
        for pool in all_joint() {
            let joint = pool.pool(&effects(&trials)).unwrap();
            let v = joint.covariance();
            prop_assert_eq!(v[[0, 1]], v[[1, 0]], "{:?}", pool);
            let form = w[0] * w[0] * v[[0, 0]] + 2.0 * w[0] * w[1] * v[[0, 1]] + w[1] * w[1] * v[[1, 1]];
            prop_assert!(form >= 0.0, "{pool:?}: {form}");
        }
    }

    #[test]
    fn intervals_hold_the_value_and_widen_with_the_level(trials in counts()) {
        let effects = guidance(&trials);
        for tau2 in tau2_methods() {
            let mut width = 0.0;
            for level in [0.5, 0.8, 0.95, 0.999] {
                let pool = Pool::Random(RandomEffects::new().tau2(tau2).level(level));
                let pooled = pool.pool(&effects).unwrap();
                let interval = pooled.interval();
                prop_assert!(interval.contains(pooled.value()));
                prop_assert!(interval.upper() - interval.lower() > width, "{pool:?}");
                prop_assert!(pooled.prediction().is_none_or(|wide| wide.contains(pooled.value())));
                width = interval.upper() - interval.lower();
            }
        }
    }

    #[test]
    fn any_scale_then_pool_is_pool_then_any_scale(trials in counts()) {
        let typed = effects(&trials);
        let any = Effects::new(typed.iter().map(Estimates::to_any)).unwrap();
        for pool in all() {
            let pooled = (pool.pool(&typed.treatment("guidance").unwrap()), pool.pool(&any.treatment("guidance").unwrap()));
            let (Ok(one), Ok(two)) = &pooled else { prop_assert!(pooled.0.is_err() && pooled.1.is_err()); continue };
            prop_assert_eq!(&one.to_any(), two);
            prop_assert_eq!(one.to_string(), two.to_string());
        }
        for pool in all_joint() {
            let (one, two) = (pool.pool(&typed).unwrap(), pool.pool(&any).unwrap());
            prop_assert_eq!(&one.model, &two.model);
            prop_assert_eq!(one.to_string(), two.to_string());
        }
        let back: Vec<Estimates<RiskDifference>> = any.iter().map(|trial| trial.on_scale().unwrap()).collect();
        prop_assert_eq!(Effects::new(back).unwrap(), typed);
        prop_assert!(any.iter().all(|trial| trial.on_scale::<LogOddsRatio>().is_err()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn the_order_of_the_trials_does_not_matter_to_any_analysis(trials in counts(), turn in 0_usize..7) {
        let named: Vec<_> = trials.iter().enumerate().map(|(i, counts)| comparison(i, counts)).collect();
        let mut turned = named.clone();
        turned.rotate_left(turn % trials.len());
        turned.reverse();
        let seen = |comparisons: Vec<Comparison<Binary>>| {
            let comparisons = Comparisons::new(comparisons).unwrap();
            let mut numbers = Numbers::default();
            analyses(&comparisons.estimate(&DifferenceInProportions::new()).unwrap(), "guidance", &mut numbers);
            crate::support::pools::counts(&comparisons, "guidance", &mut numbers);
            for model in [OneStageLogistic::common(), OneStageLogistic::random().treatment("guidance")] {
                numbers.see("one stage", model.pool(&comparisons));
            }
            numbers.0
        };
        let (one, two) = (seen(named), seen(turned));
        prop_assert_eq!(one.len(), two.len());
        for ((name, one), (_, two)) in one.iter().zip(&two) {
            prop_assert_eq!(one.len(), two.len(), "{}", name);
            for (a, b) in one.iter().zip(two) {
                prop_assert!(near_or_equal(*a, *b, 1e-5), "{name}: {a} {b}");
            }
        }
    }
}

/// The sizes of all numbers of each analysis, in ascending order: rows and signs change places with the
/// trials.
#[derive(Default)]
struct Numbers(Vec<(String, Vec<f64>)>);

impl Visit for Numbers {
    fn see<T>(&mut self, name: &str, result: armwise::Result<T>)
    where
        T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug + std::fmt::Display,
    {
        // These take the place of a trial for one of its properties, or break ties by it.
        if ["subgroups", "meta-regression", "cumulative", "trim"].iter().any(|word| name.starts_with(word)) {
            return;
        }
        let mut sizes = Vec::new();
        match result {
            Ok(result) => collect(&serde_json::to_value(&result).unwrap(), &mut sizes),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
        sizes.sort_by(f64::total_cmp);
        self.0.push((name.to_owned(), sizes));
    }
}

fn collect(value: &serde_json::Value, sizes: &mut Vec<f64>) {
    match value {
        serde_json::Value::Number(number) => sizes.extend(number.as_f64().map(f64::abs)),
        serde_json::Value::Array(values) => values.iter().for_each(|value| collect(value, sizes)),
        serde_json::Value::Object(fields) => {
            // How a search went is not what it found.
            for (_, value) in fields.iter().filter(|(key, _)| *key != "search") {
                collect(value, sizes);
            }
        }
        _ => {}
    }
}

/// A search once left the range of numbers in one of the orders of these trials, and not in the other.
#[test]
fn trials_with_effects_far_apart_have_a_random_effect_in_any_order() {
    let trials = [
        [(9, 17), (14, 132), (17, 146)],
        [(15, 16), (2, 45), (51, 160)],
        [(13, 22), (157, 175), (41, 132)],
        [(63, 90), (75, 131), (22, 27)],
        [(273, 277), (46, 92), (40, 176)],
        [(27, 144), (29, 69), (119, 279)],
    ];
    let mut named: Vec<_> = trials.iter().enumerate().map(|(i, counts)| comparison(i, counts)).collect();
    for _ in 0..trials.len() {
        named.rotate_left(1);
        for named in [named.clone(), named.iter().rev().cloned().collect()] {
            let comparisons = Comparisons::new(named).unwrap();
            let pooled = OneStageLogistic::random().treatment("guidance").pool(&comparisons).unwrap();
            let effect = &pooled.coefficients()[0];
            assert!(near_or_equal(effect.value(), -1.566_831_864_099, 1e-9), "{pooled}");
        }
    }
}
