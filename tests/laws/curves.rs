//! One confidence curve for each effect: interval, p-value, probability, margin and detectable effect say the
//! same.

use crate::support::data::{effects, guidance, people, trial};
use crate::support::estimators::all;
use crate::support::pools;
use armwise::distribution::{Normal, StudentT};
use armwise::effect::{ConfidenceCurve, Inference};
use armwise::meta_analysis::Test;
use armwise::prelude::*;
use armwise::proportion::{OddsRatioInterval, RatioInterval};
use proptest::prelude::*;

/// Exceptions by name: methods known at one level, sets that may have holes or infinite limits.
fn whole(inference: &Inference) -> bool {
    !matches!(inference.curve(), ConfidenceCurve::AtOneLevel { .. } | ConfidenceCurve::AndersonRubin { .. })
}

/// Every law of a curve at one level. Each comparison is away from equality, where rounding decides.
pub(super) fn laws(name: &str, inference: &Inference, level: f64) {
    let words = || format!("{name} at {level}: {inference:?}");
    let p = inference.p_value();
    assert!((0.0..=1.0).contains(&p), "{}", words());
    let at_zero = [inference.p_above(0.0).unwrap(), inference.p_below(0.0).unwrap()];
    assert!((p - (2.0 * at_zero[0].min(at_zero[1])).min(1.0)).abs() < 1e-12, "{}", words());
    if inference.se() == 0.0 {
        return;
    }
    let Ok(interval) = inference.interval_at(level) else {
        assert!(!whole(inference), "{}", words());
        return;
    };
    // Excludes zero exactly where p < 1 - level.
    if (p - (1.0 - level)).abs() > 1e-6 && whole(inference) {
        assert_eq!(!interval.contains(0.0), p < 1.0 - level, "{}", words());
    }
    if !whole(inference) {
        return;
    }
    // The one-sided p-value of a limit is half of what the level leaves, unless the scale ends there.
    let tail = 0.5 * (1.0 - level);
    let at_edge = |limit: f64| limit.is_infinite() || limit.abs() == 1.0;
    let (lower, upper) = (interval.lower(), interval.upper());
    if !at_edge(lower) {
        let above = inference.p_above(lower).unwrap();
        assert!((above - tail).abs() <= 1e-6 * tail.max(1e-3), "{above} at the lower limit; {}", words());
        let probability = inference.probability_above(lower).unwrap();
        assert!((probability - 0.5 * (1.0 + level)).abs() <= 1e-6, "{}", words());
    }
    if !at_edge(upper) {
        let below = inference.p_below(upper).unwrap();
        assert!((below - tail).abs() <= 1e-6 * tail.max(1e-3), "{below} at the upper limit; {}", words());
    }
    // Intervals nest, and p-values rise with the bound.
    let wider = inference.interval_at(0.5 * (1.0 + level)).unwrap();
    assert!(wider.lower() <= lower + 1e-12 && wider.upper() >= upper - 1e-12, "{}", words());
    let bounds = [lower - 0.1, lower, inference.value(), upper, upper + 0.1];
    let rising: Vec<f64> = bounds
        .iter()
        .filter(|bound| bound.is_finite())
        .map(|&bound| inference.p_above(bound).unwrap())
        .collect();
    assert!(rising.windows(2).all(|pair| pair[0] <= pair[1] + 1e-9), "{rising:?} {}", words());
    // A design detects with a power of one half about what its interval excludes, and more with more power.
    let detectable = |power| inference.minimal_detectable_effect(1.0 - level, power).unwrap();
    assert!(detectable(0.5) < detectable(0.8) && detectable(0.8) < detectable(0.95), "{}", words());
    // JSON keeps every digit.
    let text = serde_json::to_string(inference).unwrap();
    assert_eq!(&serde_json::from_str::<Inference>(&text).unwrap(), inference, "{}", words());
}

/// A conclusion about margins agrees with its p-value.
fn conclusions(name: &str, estimate: &Estimate, margin: f64) {
    let alpha = 1.0 - estimate.level();
    let Ok(test) = estimate.non_inferiority(margin) else {
        assert!(!whole(&estimate.inference) || estimate.measure().direction == Direction::Undeclared);
        return;
    };
    if (test.p_value - 0.5 * alpha).abs() > 1e-6 && whole(&estimate.inference) {
        let shown = matches!(
            test.conclusion,
            NonInferiorityConclusion::NonInferior | NonInferiorityConclusion::Superior
        );
        assert_eq!(shown, test.p_value < 0.5 * alpha, "{name}: {test:?}");
    }
    if estimate.level() > 0.5 {
        let Ok(test) = estimate.equivalence(margin) else { return };
        if (test.p_value - alpha).abs() > 1e-6 && whole(&estimate.inference) {
            let shown = test.conclusion == EquivalenceConclusion::Equivalent;
            assert_eq!(shown, test.p_value < alpha, "{name}: {test:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn every_estimator_obeys_the_laws(people in people(), level in 0.3..0.995_f64, margin in 0.01..0.5_f64) {
        let trial = trial(&people, "control");
        let mut obeyed = 0;
        for listed in all() {
            let Some(estimates) = listed.of(&trial, level) else { continue };
            for estimate in estimates.iter() {
                for at in [level, 0.5, 0.9, 0.95, 0.99] {
                    laws(&listed.name, &estimate.inference, at);
                }
                conclusions(&listed.name, &estimate, margin);
                obeyed += 1;
            }
            // Arm against arm obeys them too, by the same curve where that is one of counts.
            let labels: Vec<_> = estimates.treatments().cloned().collect();
            if let Ok(between) = estimates.between(&labels[0], &labels[1]) {
                laws(&format!("{}, between", listed.name), &between.inference, level);
                let counts = |estimate: &Estimate| match estimate.inference.curve() {
                    // Outside its family an arm stands alone.
                    ConfidenceCurve::Simultaneous { alone, .. } => matches!(**alone, ConfidenceCurve::Counts { .. }),
                    curve => matches!(curve, ConfidenceCurve::Counts { .. }),
                };
                prop_assert_eq!(counts(&between), estimates.iter().all(|one| counts(&one)), "{}", listed.name);
            }
        }
        prop_assert!(obeyed > 100, "only {obeyed}");
    }

    #[test]
    fn every_pool_obeys_the_laws(
        trials in crate::support::data::counts(),
        level in 0.3..0.995_f64,
    ) {
        for pool in pools::all() {
            if let Ok(pooled) = pool.pool(&guidance(&trials)) {
                for at in [level, pooled.level()] {
                    laws(&format!("{pool:?}"), &pooled.inference, at);
                }
            }
        }
        for joint in pools::all_joint() {
            if let Ok(pooled) = joint.pool(&effects(&trials)) {
                for coefficient in pooled.coefficients() {
                    laws(&format!("{joint:?}"), &coefficient.inference, level);
                }
            }
        }
    }

    #[test]
    fn the_p_value_of_the_wider_of_both_does_not_depend_on_the_level(
        trials in crate::support::data::counts(),
    ) {
        let at = |level: f64| RandomEffects::new().level(level).pool(&guidance(&trials));
        if let (Ok(one), Ok(two)) = (at(0.95), at(0.9)) {
            prop_assert_eq!(one.p_value(), two.p_value());
            prop_assert_eq!(one.interval_at(0.9).unwrap(), two.interval());
            let p = [Test::Normal, Test::HartungKnapp].map(|test| {
                RandomEffects::new().test(test).pool(&guidance(&trials)).map_or(0.0, |pooled| pooled.p_value())
            });
            prop_assert!((one.p_value() - p[0].max(p[1])).abs() < 1e-12);
            prop_assert_eq!(one.summary.p_value, one.p_value());
        }
    }
}

fn two_arms(treated: (u64, u64), control: (u64, u64)) -> Comparison<Binary> {
    let outflow = Measure::binary("outflow").higher_is_better();
    Comparison::from_counts(
        "Utrecht",
        &outflow,
        [("control", control.0, control.1), ("guidance", treated.0, treated.1)],
    )
    .unwrap()
}

fn near(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() < tolerance, "{found} is not {expected}");
}

#[test]
fn a_pool_on_two_degrees_of_freedom_reads_everything_off_students_t() {
    // Three trials, 6.7 points with a 95% interval from -13.2 to 26.7 by t with 2 degrees of freedom.
    let t = StudentT::new(2.0).unwrap();
    let se = 0.199_5 / t.upper_quantile(0.025);
    let pooled = Inference::wald(0.067, se, Some(2.0), 0.95).unwrap();
    near(pooled.interval().lower(), -0.132, 1e-3);
    // Not 97.0%, which the normal distribution gave.
    near(pooled.probability_above(-0.02).unwrap(), t.cdf((0.067 + 0.02) / se), 1e-12);
    near(pooled.probability_above(-0.02).unwrap(), 0.90, 5e-3);
    // Not 13.0 points, less than the half width of 20.0.
    assert!(pooled.minimal_detectable_effect(0.05, 0.8).unwrap() > 0.199);
}

#[test]
fn non_inferiority_of_a_ratio_is_the_test_of_its_interval() {
    let counts = two_arms((6, 40), (1, 40));
    let ratio = counts.estimate(&RatioOfProportions::new()).unwrap().treatment("guidance").unwrap();
    let test = ratio.non_inferiority(1.25_f64.ln()).unwrap();
    // The interval of Miettinen and Nurminen decides, and so does its p-value: not Wald's 0.028.
    let shown =
        matches!(test.conclusion, NonInferiorityConclusion::NonInferior | NonInferiorityConclusion::Superior);
    assert_eq!(shown, test.p_value < 0.025, "{test}");
    near(ratio.p_above(ratio.interval().lower()).unwrap(), 0.025, 1e-9);
    assert!(test.to_string().ends_with("(Miettinen-Nurminen)"), "{test}");
    // Equivalence takes the interval of the same method.
    let equivalence = ratio.equivalence(2.0_f64.ln()).unwrap();
    near(equivalence.interval.lower(), ratio.interval_at(0.9).unwrap().lower(), 1e-12);
}

#[test]
fn net_benefit_and_its_test_stand_on_one_logit() {
    let text = "arm,score\nc,1\nc,2\nc,5\nt,3\nt,4\nt,6\n";
    let trial = Trial::builder("A", Table::from_csv_str(text).unwrap())
        .arm_labels("arm")
        .control("c")
        .build()
        .unwrap();
    let score = trial.on(&Measure::continuous("score")).unwrap();
    let benefit = score.estimate(&WinProbability::new(NetBenefit)).unwrap().treatment("t").unwrap();
    let odds = score.estimate(&WinProbability::new(LogWinOdds)).unwrap().treatment("t").unwrap();
    assert_eq!(benefit.p_value() < 0.05, !benefit.interval().contains(0.0), "{benefit}");
    near(benefit.p_value(), odds.p_value(), 1e-12);
}

#[test]
fn simultaneous_intervals_come_with_simultaneous_p_values() {
    let text = "arm,contract\n".to_owned()
        + &["c,none\n".repeat(60), "c,temporary\n".repeat(25), "c,permanent\n".repeat(15)].concat()
        + &["t,none\n".repeat(45), "t,temporary\n".repeat(26), "t,permanent\n".repeat(29)].concat();
    let trial = Trial::builder("A", Table::from_csv_str(&text).unwrap())
        .arm_labels("arm")
        .control("c")
        .build()
        .unwrap();
    let contract = trial.on(&Contract::nominal("contract")).unwrap();
    for by in [Simultaneous::Bonferroni, Simultaneous::Goodman, Simultaneous::MaxT] {
        let alone = contract.estimate_categories(&DifferenceInCategories::new()).unwrap();
        let together = contract.estimate_categories(&DifferenceInCategories::new().simultaneous(by)).unwrap();
        for (one, all) in alone.iter().zip(together.iter()) {
            let (one, all) = (one.estimates.treatment("t").unwrap(), all.estimates.treatment("t").unwrap());
            assert_eq!(all.p_value() < 0.05, !all.interval().contains(0.0), "{by:?}: {all}");
            assert!(all.p_value() > one.p_value() && all.interval().width() > one.interval().width());
            near(all.p_above(all.interval().lower()).unwrap(), 0.025, 1e-6);
            if by == Simultaneous::Bonferroni {
                near(all.p_value(), (3.0 * one.p_value()).min(1.0), 1e-12);
            }
        }
    }
}

#[test]
fn the_interaction_of_one_treatment_in_two_levels_is_the_test_of_the_difference() {
    let mut text = "arm,female,score\n".to_owned();
    for (row, score) in [3, 5, 4, 8, 6, 2, 9, 7, 5, 4, 1, 6, 8, 8, 3, 2].iter().enumerate() {
        text += &format!("{},{},{score}\n", ["c", "t"][row % 2], ["no", "yes"][row / 8]);
    }
    let trial = Trial::builder("A", Table::from_csv_str(&text).unwrap())
        .arm_labels("arm")
        .control("c")
        .build()
        .unwrap();
    let score = trial.on(&Measure::continuous("score")).unwrap();
    let effects = score.by_subgroup("female").unwrap().estimate(&DifferenceInMeans::new()).unwrap();
    let difference = effects.difference("t", "yes", "no").unwrap();
    let interaction = effects.interaction().unwrap();
    near(interaction.p_value, difference.p_value(), 1e-12);
    near(interaction.statistic, difference.statistic().powi(2), 1e-9);
    assert_eq!(interaction.denominator_df, difference.df());
}

#[test]
fn arm_against_arm_takes_the_interval_of_the_table() {
    // 1/40 v 7/45: Miettinen-Nurminen -26.8 to -0.7, not Wald's -24.7 to -1.4.
    let outflow = Measure::binary("outflow");
    let arms = [("control", 4, 50), ("guidance", 1, 40), ("exemption", 7, 45)];
    let comparison = Comparison::from_counts("A", &outflow, arms).unwrap();
    let effects = comparison.estimate(&DifferenceInProportions::new()).unwrap();
    let between = effects.between("guidance", "exemption").unwrap();
    near(between.interval().lower(), -0.268, 5e-4);
    near(between.interval().upper(), -0.007, 5e-4);
    let direct = Comparison::from_counts("A", &outflow, [arms[2], arms[1]]).unwrap();
    let direct = direct.estimate(&DifferenceInProportions::new()).unwrap().treatment("guidance").unwrap();
    assert_eq!((between.interval(), between.p_value()), (direct.interval(), direct.p_value()));
    assert_eq!(between.method().interval, direct.method().interval);
    // A mixture of arms has no counts of its own: Wald, and it says so.
    let mixture = effects.combination("either", &[("guidance", 0.5), ("exemption", 0.5)]).unwrap();
    assert_eq!(mixture.method().interval, armwise::effect::IntervalMethod::Normal);
}

#[test]
fn exact_intervals_stand_beside_exact_p_values() {
    let counts = two_arms((8, 30), (2, 35));
    for (interval, weight) in [(OddsRatioInterval::ExactConditional, 1.0), (OddsRatioInterval::MidP, 0.5)] {
        let estimator = OddsRatio::new().interval(interval);
        let odds = counts.estimate(&estimator).unwrap().treatment("guidance").unwrap();
        // P(X >= 8) of 10 events, 30 of 65 people treated, by hand.
        let choose = |n: u32, k: u32| (0..k).fold(1.0, |c, i| c * f64::from(n - i) / f64::from(i + 1));
        let at = |x: u32| choose(30, x) * choose(35, 10 - x) / choose(65, 10);
        let tail = weight * at(8) + at(9) + at(10);
        near(odds.p_value(), 2.0 * tail, 1e-12);
        near(odds.p_above(odds.interval().lower()).unwrap(), 0.025, 1e-9);
    }
}

#[test]
fn newcombe_and_koopman_have_their_own_p_values() {
    // Newcombe's limits reach zero at the z whose two-sided p-value is that of the difference.
    let counts = two_arms((12, 40), (5, 45));
    let newcombe = DifferenceInProportions::new().interval(armwise::proportion::DifferenceInterval::Newcombe);
    let difference = counts.estimate(&newcombe).unwrap().treatment("guidance").unwrap();
    let level = 1.0 - difference.p_value();
    near(difference.interval_at(level).unwrap().lower(), 0.0, 1e-9);
    let koopman = RatioOfProportions::new().interval(RatioInterval::Koopman);
    let ratio = counts.estimate(&koopman).unwrap().treatment("guidance").unwrap();
    // The score test of a ratio of one is the pooled z test.
    let (p1, p0, pooled) = (12.0 / 40.0, 5.0 / 45.0, 17.0 / 85.0_f64);
    let z = (p1 - p0) / (pooled * (1.0 - pooled) * (1.0 / 40.0 + 1.0 / 45.0)).sqrt();
    near(ratio.p_value(), 2.0 * Normal.sf(z), 1e-9);
}

#[test]
fn a_profile_known_at_one_level_says_so() {
    let counts = two_arms((6, 40), (1, 40));
    let Ok(estimates) = counts.estimate(&FirthLogisticRegression::new()) else { return };
    let firth = estimates.treatment("guidance").unwrap();
    let error = firth.interval_at(0.9).unwrap_err().to_string();
    assert!(error.contains("0.95") && error.contains("another level"), "{error}");
    assert!(firth.non_inferiority(0.5).is_err());
    assert_eq!(firth.interval_at(0.95).unwrap(), firth.interval());
}
