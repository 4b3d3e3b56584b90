use crate::support::data::{ARMS, Person, SCORE, WORKS, people, trial};
use crate::support::estimators::{MARGINAL_VARIANCES, all, logistic};
use crate::support::near_or_equal;
use armwise::mean::MeansVariance;
use armwise::prelude::*;
use proptest::prelude::*;

/// Near to the digits that the exact intervals' root search keeps.
fn same(name: &str, one: &Estimate<AnyScale>, two: &Estimate<AnyScale>) {
    let pairs = [
        (one.value(), two.value()),
        (one.se(), two.se()),
        (one.interval().lower(), two.interval().lower()),
        (one.interval().upper(), two.interval().upper()),
        (one.p_value(), two.p_value()),
        (one.df().unwrap_or(-1.0), two.df().unwrap_or(-1.0)),
    ];
    for (a, b) in pairs {
        assert!(near_or_equal(a, b, 1e-7), "{name}: {one:?}\nis not\n{two:?}");
    }
}

fn covariance<S: Scale>(estimates: &Estimates<S>) -> Vec<f64> {
    estimates.covariance().iter().copied().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn swapping_the_arms_flips_the_sign_and_mirrors_the_interval(people in people(), level in 0.5..0.999_f64) {
        let (forward, backward) = (trial(&people, "control"), trial(&people, "guidance"));
        for listed in all() {
            let (Some(one), Some(two)) = (listed.of(&forward, level), listed.of(&backward, level)) else { continue };
            let (one, two) = (one.treatment("guidance").unwrap(), two.treatment("control").unwrap());
            prop_assert!(near_or_equal(one.value(), -two.value(), 1e-7), "{}: {one:?} {two:?}", listed.name);
            prop_assert!(near_or_equal(one.se(), two.se(), 1e-7), "{}: {one:?} {two:?}", listed.name);
            prop_assert!(near_or_equal(one.interval().lower(), -two.interval().upper(), 1e-7), "{}: {one:?} {two:?}", listed.name);
            prop_assert!(near_or_equal(one.interval().upper(), -two.interval().lower(), 1e-7), "{}: {one:?} {two:?}", listed.name);
            prop_assert!(near_or_equal(one.p_above(0.0).unwrap(), two.p_below(0.0).unwrap(), 1e-7), "{}: {one:?} {two:?}", listed.name);
        }
    }

    #[test]
    fn the_order_of_rows_does_not_matter(people in people().prop_flat_map(|people| (Just(people.clone()), Just(people).prop_shuffle()))) {
        let (sorted, shuffled) = (trial(&people.0, "control"), trial(&people.1, "control"));
        for listed in all() {
            let (one, two) = (listed.of(&sorted, 0.95), listed.of(&shuffled, 0.95));
            prop_assert_eq!(one.is_some(), two.is_some(), "{}", listed.name);
            let (Some(one), Some(two)) = (one, two) else { continue };
            for label in &ARMS[1..] {
                same(&listed.name, &one.treatment(label).unwrap(), &two.treatment(label).unwrap());
            }
        }
    }

    #[test]
    fn the_interval_contains_the_value_and_widens_with_the_level(people in people()) {
        let trial = trial(&people, "control");
        for listed in all() {
            let mut narrower: Option<Estimates<AnyScale>> = None;
            for level in [0.5, 0.8, 0.95, 0.999] {
                let Some(estimates) = listed.of(&trial, level) else { continue };
                for estimate in estimates.iter() {
                    let interval = estimate.interval();
                    let holds = interval.contains(estimate.value());
                    prop_assert!(holds || listed.may_miss_its_value, "{} at {level}: {estimate:?}", listed.name);
                    let Some(narrower) = &narrower else { continue };
                    let before = narrower.treatment(estimate.treatment()).unwrap().interval();
                    let wider = interval.lower() < before.lower() && interval.upper() > before.upper();
                    let at_the_end = interval.lower() == before.lower() || interval.upper() == before.upper();
                    prop_assert!(wider || at_the_end, "{} at {level}: {before:?} {interval:?}", listed.name);
                }
                narrower = Some(estimates);
            }
        }
    }

    /// An effect of zero lies outside the interval where its test rejects, for all intervals that stand
    /// beside the test they invert.
    #[test]
    fn intervals_invert_their_tests(people in people(), level in 0.3..0.999_f64) {
        let trial = trial(&people, "control");
        let mut inverted = 0;
        for listed in all() {
            let Some(estimates) = listed.of(&trial, level) else { continue };
            for estimate in estimates.iter() {
                let (p_value, alpha) = (estimate.p_value(), 1.0 - level);
                if (p_value - alpha).abs() > 1e-6 {
                    let outside = !estimate.interval().contains(0.0);
                    prop_assert_eq!(outside, p_value < alpha, "{} at {}: {:?}", listed.name, level, estimate);
                }
                inverted += 1;
            }
        }
        prop_assert!(inverted > 100, "only {inverted}");
    }

    #[test]
    fn doubling_every_row_halves_the_variance(people in people()) {
        let twice: Vec<Person> = people.iter().flat_map(|&person| [person, person]).collect();
        let (once, twice) = (trial(&people, "control"), trial(&twice, "control"));
        for listed in all().iter().filter(|listed| listed.halves) {
            let (one, two) = (listed.of(&once, 0.95), listed.of(&twice, 0.95));
            prop_assert_eq!(one.is_some(), two.is_some(), "{}", listed.name);
            let (Some(one), Some(two)) = (one, two) else { continue };
            for (a, b) in one.values().zip(two.values()) {
                prop_assert!(near_or_equal(a, b, 1e-8), "{}: {a} {b}", listed.name);
            }
            for (a, b) in one.covariance().iter().zip(two.covariance()) {
                prop_assert!((a - 2.0 * b).abs() <= 1e-8 * a.abs(), "{}: {a} {b}", listed.name);
            }
        }
    }

    #[test]
    fn the_joint_covariance_is_symmetric_and_positive_semi_definite(people in people(), w in [-1.0..1.0_f64, -1.0..1.0_f64]) {
        let trial = trial(&people, "control");
        for listed in all() {
            let Some(estimates) = listed.of(&trial, 0.95) else { continue };
            let v = estimates.covariance();
            prop_assert_eq!(v[[0, 1]], v[[1, 0]], "{}", listed.name);
            for (estimate, variance) in estimates.iter().zip(v.diag()) {
                prop_assert!(near_or_equal(estimate.variance(), *variance, 1e-12), "{}", listed.name);
            }
            let form = w[0] * w[0] * v[[0, 0]] + 2.0 * w[0] * w[1] * v[[0, 1]] + w[1] * w[1] * v[[1, 1]];
            prop_assert!(form >= -1e-15 || listed.may_be_indefinite, "{}: {form}", listed.name);
        }
    }

    #[test]
    fn arm_against_arm_is_the_trial_with_that_reference(people in people()) {
        let (joint, narrow) = (trial(&people, "control"), trial(&people, "exemption"));
        for listed in all().iter().filter(|listed| !listed.weights_by_treatment) {
            let (Some(joint), Some(narrow)) = (listed.of(&joint, 0.95), listed.of(&narrow, 0.95)) else { continue };
            // A difference of indefinite variance has none.
            let Ok(between) = joint.between("guidance", "exemption") else { continue };
            let direct = narrow.treatment("guidance").unwrap();
            prop_assert!(near_or_equal(between.value(), direct.value(), 1e-7), "{}", listed.name);
            prop_assert!(near_or_equal(between.se(), direct.se(), 1e-6), "{}: {between:?} {direct:?}", listed.name);
        }
    }

    #[test]
    fn a_mean_difference_ignores_shifts_and_follows_units(people in people(), shift in -1e3..1e3_f64, unit in 0.01..100.0_f64) {
        let change = |score: f64| shift + unit * score;
        let changed: Vec<Person> = people.iter().map(|person| Person { score: change(person.score), ..*person }).collect();
        let (before, after) = (trial(&people, "control"), trial(&changed, "control"));
        for listed in all().iter().filter(|listed| listed.in_units) {
            let (Some(one), Some(two)) = (listed.of(&before, 0.95), listed.of(&after, 0.95)) else { continue };
            for (one, two) in one.iter().zip(two.iter()) {
                let tolerance = 1e-9 * (1.0 + shift.abs() / unit);
                prop_assert!(near_or_equal(one.value(), two.value() / unit, tolerance), "{}", listed.name);
                prop_assert!(near_or_equal(one.se(), two.se() / unit, tolerance), "{}", listed.name);
                prop_assert!(near_or_equal(one.interval().lower(), two.interval().lower() / unit, tolerance), "{}", listed.name);
                prop_assert!(near_or_equal(one.interval().upper(), two.interval().upper() / unit, tolerance), "{}", listed.name);
            }
        }
    }

    #[test]
    fn without_covariates_logistic_regression_is_the_unadjusted_effect(people in people()) {
        let comparison = trial(&people, "control").on(&WORKS).unwrap();
        let model = logistic(false);
        let odds = comparison.estimate(&model).unwrap();
        prop_assert_eq!(odds.estimand(), Estimand::Marginal);
        let difference = comparison.estimate(&DifferenceInProportions::new()).unwrap();
        let ratio = comparison.estimate(&RatioOfProportions::new()).unwrap();
        let unadjusted = comparison.estimate(&OddsRatio::new()).unwrap();
        let equal = |one: Vec<f64>, two: Vec<f64>| one.iter().zip(&two).all(|(a, b)| near_or_equal(*a, *b, 1e-9));
        prop_assert!(equal(odds.values().collect(), unadjusted.values().collect()));
        prop_assert!(equal(covariance(&odds), covariance(&unadjusted)));
        for variance in MARGINAL_VARIANCES {
            let Ok(marginal) = comparison.estimate(&model.marginal(RiskDifference).variance(variance)) else { continue };
            prop_assert!(equal(marginal.values().collect(), difference.values().collect()));
            let plain = matches!(variance, MarginalVariance::Delta(VarianceType::Model | VarianceType::Hc0));
            prop_assert!(!plain || equal(covariance(&marginal), covariance(&difference)));
            if let Ok(marginal) = comparison.estimate(&model.marginal(LogRiskRatio).variance(variance)) {
                prop_assert!(equal(marginal.values().collect(), ratio.values().collect()));
                prop_assert!(!plain || equal(covariance(&marginal), covariance(&ratio)));
            }
            if let Ok(marginal) = comparison.estimate(&model.marginal(LogOddsRatio).variance(variance)) {
                prop_assert!(equal(marginal.values().collect(), unadjusted.values().collect()));
                prop_assert!(!plain || equal(covariance(&marginal), covariance(&unadjusted)));
            }
        }
    }

    #[test]
    fn linear_regression_without_covariates_is_the_difference_in_means(people in people()) {
        let comparison = trial(&people, "control").on(&SCORE).unwrap();
        let regression = LinearRegression::new();
        // HC2 is Welch's variance, the model's is the pooled one.
        for (variance, means) in [(VarianceType::Hc2, MeansVariance::Welch), (VarianceType::Model, MeansVariance::Pooled)] {
            let one = comparison.estimate(&regression.clone().variance(variance)).unwrap();
            let two = comparison.estimate(&DifferenceInMeans::new().variance(means)).unwrap();
            for (one, two) in one.iter().zip(two.iter()) {
                prop_assert!(near_or_equal(one.value(), two.value(), 1e-9) && near_or_equal(one.se(), two.se(), 1e-9), "{variance:?}");
            }
        }
    }

    #[test]
    fn a_comparison_of_two_arms_is_that_part_of_the_whole(people in people()) {
        let trial = trial(&people, "control");
        let two = trial.compare("guidance").on(&WORKS).unwrap();
        let all = trial.on(&WORKS).unwrap();
        let estimator = DifferenceInProportions::new();
        let (one, all) = (two.estimate(&estimator).unwrap(), all.estimate(&estimator).unwrap());
        prop_assert_eq!(one.treatment("guidance").unwrap().interval(), all.treatment("guidance").unwrap().interval());
        let joined = trial.compare("guidance").versus("exemption").on(&WORKS).unwrap().estimate(&estimator).unwrap();
        prop_assert!(near_or_equal(joined.treatment("guidance").unwrap().value(), all.between("guidance", "exemption").unwrap().value(), 1e-12));
    }
}
