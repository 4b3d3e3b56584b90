//! Laws of effects on categories.

use crate::support::categories::{VARIANCES, multinomial, proportional_odds};
use crate::support::data::{ARMS, CONTRACT, CONTRACT_TYPE, Person, SCORE, WORKS, people, trial};
use crate::support::near_or_equal;
use crate::support::survives;
use armwise::prelude::*;
use proptest::prelude::*;

/// The binary outcome as one of two categories.
const TWO: &[&str] = &["no", "yes"];
const WORKS_ORDERED: Measure<Ordinal> = Measure::ordinal("works", TWO);
const WORKS_NOMINAL: Measure<Nominal> = Measure::nominal("works", TWO);

const TOGETHER: [Simultaneous; 4] =
    [Simultaneous::Individual, Simultaneous::Bonferroni, Simultaneous::Goodman, Simultaneous::MaxT];

/// The same numbers, method and intervals apart.
fn same_effects<S: Scale, T: Scale>(name: &str, one: &Estimates<S>, two: &Estimates<T>, tolerance: f64) {
    for (a, b) in one.values().zip(two.values()) {
        assert!(near_or_equal(a, b, tolerance), "{name}: {a} {b}");
    }
    for (a, b) in one.covariance().iter().zip(two.covariance()) {
        assert!((a - b).abs() <= tolerance * a.abs().max(b.abs()), "{name}: {a} {b}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn differences_over_all_categories_sum_to_zero(people in people()) {
        let comparison = trial(&people, "control").on(&CONTRACT).unwrap();
        let mut all = vec![comparison.estimate_categories(&DifferenceInCategories::new()).unwrap()];
        for variance in VARIANCES {
            let multinomial = multinomial(true).marginal(RiskDifference).variance(variance);
            all.push(comparison.estimate_categories(&multinomial).unwrap());
            let ordered = proportional_odds(true).marginal(RiskDifference).variance(variance);
            all.push(comparison.estimate_categories(&ordered).unwrap());
        }
        for effects in &all {
            let t = effects.treatments().count();
            for i in 0..t {
                let sum: f64 = effects.iter().map(|one| one.estimates.values().nth(i).unwrap()).sum();
                prop_assert!(sum.abs() < 1e-12, "{:?}", effects.method());
                // So is every row of the joint covariance.
                for row in effects.covariance.rows() {
                    let sum: f64 = row.iter().skip(i).step_by(t).sum();
                    prop_assert!(sum.abs() < 1e-12, "{:?}: {sum}", effects.method());
                }
            }
        }
    }

    #[test]
    fn the_joint_covariance_of_categories_is_positive_semi_definite(people in people(), w in [-1.0..1.0_f64, -1.0..1.0, -1.0..1.0, -1.0..1.0, -1.0..1.0, -1.0..1.0]) {
        let comparison = trial(&people, "control").on(&CONTRACT).unwrap();
        for variance in VARIANCES {
            let model = multinomial(true).marginal(RiskDifference).variance(variance);
            let effects = comparison.estimate_categories(&model).unwrap();
            let form: f64 = effects.covariance.indexed_iter().map(|((i, j), v)| w[i] * w[j] * v).sum();
            prop_assert!(form >= -1e-15, "{variance:?}: {form}");
        }
    }

    #[test]
    fn two_categories_are_one_event(people in people(), level in 0.5..0.999_f64) {
        let trial = trial(&people, "control");
        let (works, ordered) = (trial.on(&WORKS).unwrap(), trial.on(&WORKS_ORDERED).unwrap());
        let nominal = trial.on(&WORKS_NOMINAL).unwrap();

        let proportions = works.estimate(&DifferenceInProportions::new().level(level)).unwrap();
        let categories = nominal.estimate(&DifferenceInCategories::new().level(level).in_category("yes")).unwrap();
        same_effects("shares", &proportions, &categories, 1e-12);
        for (one, two) in proportions.iter().zip(categories.iter()) {
            prop_assert_eq!(one.interval(), two.interval());
            prop_assert_eq!(one.p_value(), two.p_value());
            prop_assert_eq!(one.treatment_counts(), two.treatment_counts());
        }

        for adjusted in [false, true] {
            let logistic = crate::support::estimators::logistic(adjusted);
            let odds = works.estimate(&logistic).unwrap();
            let multinomial = nominal.estimate(&multinomial(adjusted).in_category("yes")).unwrap();
            same_effects("multinomial", &odds, &multinomial, 1e-8);
            let proportional = ordered.estimate(&proportional_odds(adjusted)).unwrap();
            same_effects("proportional odds", &odds, &proportional, 1e-8);
            prop_assert_eq!(odds.estimand(), proportional.estimand());
            for variance in VARIANCES {
                let one = works.estimate(&logistic.marginal(LogRiskRatio).variance(variance)).unwrap();
                let model = crate::support::categories::multinomial(adjusted).marginal(LogRiskRatio).variance(variance);
                same_effects("marginal", &one, &nominal.estimate(&model.in_category("yes")).unwrap(), 1e-7);
                let model = proportional_odds(adjusted).marginal(LogRiskRatio).variance(variance);
                same_effects("marginal", &one, &ordered.estimate(&model.in_category("yes")).unwrap(), 1e-7);
            }
        }

        // Of two people one wins where only one of them works.
        let benefit = ordered.estimate(&WinProbability::new(NetBenefit)).unwrap();
        for (one, two) in proportions.values().zip(benefit.values()) {
            prop_assert!(near_or_equal(one, two, 1e-12));
        }
    }

    #[test]
    fn without_covariates_the_model_gives_the_shares(people in people()) {
        let comparison = trial(&people, "control").on(&CONTRACT_TYPE).unwrap();
        let crude = comparison.estimate_categories(&DifferenceInCategories::new()).unwrap();
        for variance in VARIANCES {
            let model = multinomial(false).marginal(RiskDifference).variance(variance);
            let modelled = comparison.estimate_categories(&model).unwrap();
            for (one, two) in crude.iter().zip(modelled.iter()) {
                same_effects("shares", &one.estimates, &two.estimates, 1e-8);
            }
            for (a, b) in crude.covariance.iter().zip(&modelled.covariance) {
                prop_assert!((a - b).abs() < 1e-10, "{a} {b}");
            }
        }
    }

    #[test]
    fn the_base_does_not_matter_for_probabilities(people in people()) {
        let comparison = trial(&people, "control").on(&CONTRACT_TYPE).unwrap();
        let of = |base: &str| {
            let model = multinomial(true).base(base);
            let effects = comparison.estimate_categories(&model.marginal(RiskDifference)).unwrap();
            (effects, comparison.estimate_categories(&model).unwrap())
        };
        let (one, odds) = of("none");
        let (two, reverse) = of("permanent");
        for (one, two) in one.iter().zip(two.iter()) {
            same_effects("base", &one.estimates, &two.estimates, 1e-7);
        }
        let (there, back) = (odds.category("permanent").unwrap(), reverse.category("none").unwrap());
        for (there, back) in there.iter().zip(back.iter()) {
            prop_assert!(near_or_equal(there.value(), -back.value(), 1e-8) && near_or_equal(there.se(), back.se(), 1e-8));
        }
    }

    #[test]
    fn win_probabilities_count_pairs(people in people()) {
        let trial = trial(&people, "control");
        let benefit = trial.on(&SCORE).unwrap().estimate(&WinProbability::new(NetBenefit)).unwrap();
        let odds = trial.on(&SCORE).unwrap().estimate(&WinProbability::new(LogWinOdds)).unwrap();
        for (arm, label) in ARMS.iter().enumerate().skip(1) {
            let (mut wins, mut losses, mut pairs) = (0.0, 0.0, 0.0);
            for treated in people.iter().filter(|person| person.arm == arm) {
                for control in people.iter().filter(|person| person.arm == 0) {
                    pairs += 1.0;
                    wins += f64::from(u8::from(treated.score > control.score));
                    losses += f64::from(u8::from(treated.score < control.score));
                }
            }
            let estimate = benefit.treatment(label).unwrap();
            prop_assert!(near_or_equal(estimate.value(), (wins - losses) / pairs, 1e-12));
            let win = 0.5 * (1.0 + (wins - losses) / pairs);
            prop_assert!(near_or_equal(estimate.win_probability(), win, 1e-12));
            prop_assert!(near_or_equal(odds.treatment(label).unwrap().win_probability(), win, 1e-12));
            let interval = estimate.interval();
            prop_assert!(interval.lower() > -1.0 && interval.upper() < 1.0);
        }
        let error = benefit.between("guidance", "exemption").unwrap_err();
        prop_assert_eq!(error.kind().name(), "not_estimable");
    }

    #[test]
    fn intervals_that_hold_together_are_wider(people in people()) {
        let comparison = trial(&people, "control").on(&CONTRACT_TYPE).unwrap();
        let widths = TOGETHER.map(|by| {
            let effects = comparison.estimate_categories(&DifferenceInCategories::new().simultaneous(by)).unwrap();
            prop_assert_eq!(effects.level(), 0.95);
            let widths: Vec<f64> =
                effects.iter().flat_map(|one| one.estimates.iter().map(|estimate| estimate.interval().width()).collect::<Vec<_>>()).collect();
            Ok(widths)
        });
        let [individual, bonferroni, goodman, max_t] = widths;
        let (individual, bonferroni, goodman, max_t) = (individual?, bonferroni?, goodman?, max_t?);
        for i in 0..individual.len() {
            prop_assert!(individual[i] < max_t[i] && max_t[i] <= bonferroni[i] && max_t[i] < goodman[i]);
        }
    }

    #[test]
    fn effects_on_categories_survive_json(people in people()) {
        let comparison = trial(&people, "control").on(&CONTRACT).unwrap();
        survives(&comparison.estimate_categories(&DifferenceInCategories::new().simultaneous(Simultaneous::MaxT)).unwrap());
        survives(&comparison.estimate_categories(&multinomial(true)).unwrap());
        let ordered = proportional_odds(true).marginal(LogRiskRatio);
        survives(&comparison.estimate_categories(&ordered).unwrap().to_any());
        survives(&comparison.test_independence(IndependenceTest::Pearson).unwrap());
        let works = trial(&people, "control").on(&WORKS).unwrap();
        let prepared = crate::support::estimators::logistic(true).prepare(&works).unwrap();
        survives(&prepared.fit().unwrap().average_effect("age", VarianceType::Hc0).unwrap());
    }

    #[test]
    fn ordered_tests_of_two_arms_agree(people in people()) {
        let two: Vec<Person> = people.into_iter().filter(|person| person.arm < 2).collect();
        let comparison = trial(&two, "control").on(&CONTRACT).unwrap();
        // Midranks of the arms differ from stratum to stratum, so that only equal distances give the strata
        // the same weights.
        let scores = CategoryScores::EquallySpaced;
        let means = comparison.test_order(OrderedTest::MeanScores(scores)).unwrap();
        let trend = comparison.test_order(OrderedTest::LinearByLinear(scores)).unwrap();
        prop_assert!(near_or_equal(means.statistic.unwrap(), trend.statistic.unwrap(), 1e-9));
        prop_assert_eq!(means.strata, 2);
    }
}
