//! Laws that effect sizes obey whatever the data.

use crate::support::near;
use armwise::Interval;
use armwise::effect_size::{
    AddTo, ChangeEffect, ChangeStandardizer, CorrelationEffect, CountEffect, DoubleZeros, EffectSize,
    MeanAndSd, MeanEffect, PairedSummary, ProportionEffect, RateEffect, RoundedComparison, RoundedPercentage,
    SingleRateEffect, ZeroCells, change_effect, correlation_effect, count_effect, count_effects,
    freeman_tukey_inverse, mean_effect, proportion_effect, rate_effect, rate_effects, single_rate_effect,
};
use armwise::mean::{Sample, StandardizedVariance, TwoMeans};
use armwise::meta_analysis::{ArmCounts, ArmRate, CountContrast, RatePair, TwoByTwo, count_contrasts};
use armwise::proportion::DifferenceInterval;
use proptest::prelude::*;

const COUNT_EFFECTS: [CountEffect; 12] = [
    CountEffect::RiskDifference,
    CountEffect::RiskDifferenceUnbiasedVariance,
    CountEffect::LogRiskRatio,
    CountEffect::LogOddsRatio,
    CountEffect::PetoLogOddsRatio,
    CountEffect::ArcsineDifference,
    CountEffect::Phi,
    CountEffect::YuleQ,
    CountEffect::YuleY,
    CountEffect::StandardizedFromOddsNormal,
    CountEffect::StandardizedFromOddsLogistic,
    CountEffect::ProbitDifference,
];
const MEAN_EFFECTS: [MeanEffect; 11] = [
    MeanEffect::MeanDifference,
    MeanEffect::MeanDifferencePooled,
    MeanEffect::StandardizedMeanDifference(StandardizedVariance::LargeSample),
    MeanEffect::StandardizedMeanDifference(StandardizedVariance::Borenstein),
    MeanEffect::StandardizedMeanDifference(StandardizedVariance::Unbiased),
    MeanEffect::StandardizedMeanDifference(StandardizedVariance::CohenLargeSample),
    MeanEffect::StandardizedMeanDifferenceUnequal,
    MeanEffect::LogRatioOfMeans,
    MeanEffect::LogVariabilityRatio,
    MeanEffect::LogCoefficientOfVariationRatio,
    MeanEffect::GlassDelta,
];
const RATE_EFFECTS: [RateEffect; 3] =
    [RateEffect::LogRateRatio, RateEffect::RateDifference, RateEffect::SquareRootDifference];

fn arm(events: u32, others: u32) -> ArmCounts {
    ArmCounts { events: f64::from(events), n: f64::from(events + others) }
}

fn table() -> impl Strategy<Value = TwoByTwo> {
    (0_u32..40, 0_u32..40, 0_u32..40, 0_u32..40)
        .prop_map(|(a, b, c, d)| TwoByTwo { treatment: arm(a, b + 1), control: arm(c, d + 1) })
}

fn sample() -> impl Strategy<Value = Sample> {
    (3_u64..200, 0.5..50.0_f64, 0.1..10.0_f64).prop_map(|(n, mean, sd)| Sample { n, mean, sd })
}

fn same(a: &armwise::Result<EffectSize>, b: &armwise::Result<EffectSize>, sign: f64) -> bool {
    match (a, b) {
        (Ok(a), Ok(b)) => near(a.value, sign * b.value, 1e-11) && near(a.variance, b.variance, 1e-11),
        (Err(a), Err(b)) => a.kind() == b.kind(),
        _ => false,
    }
}

proptest! {
    #[test]
    fn swapping_groups_flips_the_sign_of_count_effects(table in table(), add in 0.0..1.0_f64) {
        let swapped = TwoByTwo { treatment: table.control, control: table.treatment };
        for effect in COUNT_EFFECTS {
            for rule in [ZeroCells::NONE, ZeroCells::HALF_WHERE_ZERO, ZeroCells::add(add, AddTo::All).unwrap()] {
                let (a, b) = (count_effect(&table, effect, rule), count_effect(&swapped, effect, rule));
                prop_assert!(same(&a, &b, -1.0), "{effect:?} {a:?} {b:?}");
            }
        }
    }

    #[test]
    fn counting_the_other_outcome_flips_the_sign_but_for_risk_ratios(table in table()) {
        let other = |arm: ArmCounts| ArmCounts { events: arm.n - arm.events, n: arm.n };
        let mirrored = TwoByTwo { treatment: other(table.treatment), control: other(table.control) };
        for effect in COUNT_EFFECTS.into_iter().filter(|effect| *effect != CountEffect::LogRiskRatio) {
            let rule = ZeroCells::HALF_WHERE_ZERO;
            prop_assert!(same(&count_effect(&table, effect, rule), &count_effect(&mirrored, effect, rule), -1.0), "{effect:?}");
        }
    }

    #[test]
    fn counts_of_one_arm_agree_with_contrasts_of_many(table in table()) {
        let rule = ZeroCells::HALF_WHERE_ZERO;
        for (effect, contrast) in [
            (CountEffect::LogRiskRatio, CountContrast::LogRiskRatio),
            (CountEffect::LogOddsRatio, CountContrast::LogOddsRatio),
        ] {
            let one = count_effect(&table, effect, rule).unwrap();
            let many = count_contrasts(&[table.control, table.treatment], 0, contrast, 0.5).unwrap();
            prop_assert!(near(one.value, many.estimates[0], 1e-11) && near(one.variance, many.covariance[[0, 0]], 1e-11));
        }
    }

    #[test]
    fn a_zero_anywhere_adds_everywhere_or_nowhere(tables in prop::collection::vec(table(), 1..6)) {
        let zero = |t: &TwoByTwo| [t.treatment, t.control].iter().any(|arm| arm.events == 0.0 || arm.events == arm.n);
        let if_any = count_effects(&tables, CountEffect::LogOddsRatio, ZeroCells::add(0.5, AddTo::AllIfAnyZero).unwrap());
        let rule = if tables.iter().any(zero) { ZeroCells::add(0.5, AddTo::All).unwrap() } else { ZeroCells::NONE };
        let plain = count_effects(&tables, CountEffect::LogOddsRatio, rule);
        for (a, b) in if_any.unwrap().iter().zip(plain.unwrap()) {
            prop_assert!(same(a, &b, 1.0));
        }
    }

    #[test]
    fn swapping_groups_flips_the_sign_of_mean_effects(treatment in sample(), control in sample()) {
        let two = TwoMeans::new(treatment, control).unwrap();
        let swapped = TwoMeans::new(control, treatment).unwrap();
        for effect in MEAN_EFFECTS.into_iter().filter(|effect| *effect != MeanEffect::GlassDelta) {
            prop_assert!(same(&mean_effect(&two, effect), &mean_effect(&swapped, effect), -1.0), "{effect:?}");
        }
    }

    #[test]
    fn units_do_not_matter_but_for_differences(treatment in sample(), control in sample(), factor in 0.01..100.0_f64) {
        let scaled = |s: Sample| Sample { n: s.n, mean: factor * s.mean, sd: factor * s.sd };
        let two = TwoMeans::new(treatment, control).unwrap();
        let other = TwoMeans::new(scaled(treatment), scaled(control)).unwrap();
        for effect in MEAN_EFFECTS {
            let (a, b) = (mean_effect(&two, effect), mean_effect(&other, effect));
            let unit = matches!(effect, MeanEffect::MeanDifference | MeanEffect::MeanDifferencePooled);
            let a = a.map(|a| if unit {
                EffectSize { value: factor * a.value, variance: factor * factor * a.variance }
            } else {
                a
            });
            prop_assert!(same(&a, &b, 1.0), "{effect:?}");
        }
    }

    #[test]
    fn rates_swap_and_scale(x1 in 0_u32..30, x0 in 0_u32..30, t1 in 1.0..500.0_f64, t0 in 1.0..500.0_f64) {
        let group = |events: u32, time: f64| ArmRate { events: f64::from(events), time };
        let pair = RatePair { treatment: group(x1, t1), control: group(x0, t0) };
        let swapped = RatePair { treatment: pair.control, control: pair.treatment };
        for effect in RATE_EFFECTS {
            let rule = ZeroCells::HALF_WHERE_ZERO;
            prop_assert!(same(&rate_effect(&pair, effect, rule), &rate_effect(&swapped, effect, rule), -1.0));
        }
        let months = RatePair { treatment: group(x1, 12.0 * t1), control: group(x0, 12.0 * t0) };
        let rule = ZeroCells::HALF_WHERE_ZERO;
        let ratio = |pair| rate_effect(pair, RateEffect::LogRateRatio, rule);
        prop_assert!(same(&ratio(&pair), &ratio(&months), 1.0));
        let root = |time| single_rate_effect(group(x1, time), SingleRateEffect::SquareRootRate, rule).unwrap();
        prop_assert!(near(root(t1).value, root(12.0 * t1).value * 12.0_f64.sqrt(), 1e-11));
    }

    #[test]
    fn the_double_arcsine_inverts(x in 0_u32..60, others in 0_u32..60) {
        let group = arm(x, others + 1);
        let effect = proportion_effect(group, ProportionEffect::FreemanTukey, ZeroCells::NONE).unwrap();
        let back = freeman_tukey_inverse(effect.value, group.n).unwrap();
        prop_assert!((back - group.events / group.n).abs() < 1e-9, "{back}");
    }

    #[test]
    fn swapping_measurements_flips_the_change(a in sample(), b in sample(), r in -0.99..0.99_f64) {
        let (later, earlier) = (MeanAndSd { mean: a.mean, sd: a.sd }, MeanAndSd { mean: b.mean, sd: b.sd });
        let there = PairedSummary { later, earlier, correlation: r, n: a.n };
        let back = PairedSummary { later: earlier, earlier: later, correlation: r, n: a.n };
        for (one, other) in [
            (ChangeEffect::MeanChange, ChangeEffect::MeanChange),
            (ChangeEffect::StandardizedByChange, ChangeEffect::StandardizedByChange),
            (
                ChangeEffect::StandardizedByRaw(ChangeStandardizer::Earlier),
                ChangeEffect::StandardizedByRaw(ChangeStandardizer::Later),
            ),
        ] {
            prop_assert!(same(&change_effect(&there, one), &change_effect(&back, other), -1.0), "{one:?}");
        }
    }

    #[test]
    fn published_intervals_and_p_values_lead_back(value in 0.01..3.0_f64, se in 0.05..2.0_f64, df in 3.0..200.0_f64, level in 0.5..0.999_f64) {
        let effect = EffectSize { value, variance: se * se };
        let interval = effect.interval(level).unwrap();
        let back = EffectSize::from_interval(value, interval, level, None).unwrap();
        prop_assert!(near(back.variance, effect.variance, 1e-11));
        let ratio = Interval::new(interval.lower().exp(), interval.upper().exp()).unwrap();
        let back = EffectSize::from_ratio_interval(value.exp(), ratio, level, None).unwrap();
        prop_assert!(near(back.value, value, 1e-11) && near(back.variance, effect.variance, 1e-11));
        let p_value = 2.0 * armwise::distribution::StudentT::new(df).unwrap().sf(value / se);
        if p_value > 1e-12 {
            let back = EffectSize::from_p_value(value, p_value, Some(df)).unwrap();
            prop_assert!((back.se() / se - 1.0).abs() < 1e-8);
        }
    }

    #[test]
    fn rounding_then_allowing_contains_the_count(n in 1_u64..3000, share in 0.0..1.0_f64, decimals in 0_u32..4) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let x = ((n as f64) * share) as u64;
        let scale = 10_f64.powi(decimals.cast_signed());
        let exact = 100.0 * x as f64 / n as f64;
        let percent = (exact * scale).round() / scale;
        let counts = RoundedPercentage { percent, decimals, n }.counts().unwrap();
        prop_assert!(counts.contains(&x));
        // And nothing else: the neighbours outside round to another percentage.
        let rounds = |x: u64| (100.0 * x as f64 / n as f64 - percent).abs() <= 0.5 / scale + 1e-9;
        prop_assert!(counts.clone().all(rounds));
        prop_assert!(*counts.start() == 0 || !rounds(counts.start() - 1));
        prop_assert!(*counts.end() == n || !rounds(counts.end() + 1));
    }

    #[test]
    fn the_ends_of_long_ranges_hold_the_extremes(p1 in 0_u32..3, p0 in 0_u32..3) {
        // 20 000 participants allow 100 to 201 counts each: compared with all of them.
        let group = |percent: u32| RoundedPercentage { percent: f64::from(percent), decimals: 0, n: 20_000 };
        let comparison = RoundedComparison { treatment: group(p1), control: group(p0) };
        let range = comparison.effect_range(CountEffect::RiskDifference, ZeroCells::NONE, 0.95).unwrap();
        let (mut lower, mut upper) = (f64::INFINITY, f64::NEG_INFINITY);
        for x1 in comparison.treatment.counts().unwrap() {
            for x0 in comparison.control.counts().unwrap() {
                let counts = |x: u64| ArmCounts { events: x as f64, n: 20_000.0 };
                let table = TwoByTwo { treatment: counts(x1), control: counts(x0) };
                let effect = count_effect(&table, CountEffect::RiskDifference, ZeroCells::NONE).unwrap();
                let interval = effect.interval(0.95).unwrap();
                (lower, upper) = (lower.min(interval.lower()), upper.max(interval.upper()));
            }
        }
        prop_assert_eq!(range.outer(), Interval::new(lower, upper).unwrap());
    }
}

#[test]
fn correlations_are_odd() {
    for effect in [CorrelationEffect::Correlation, CorrelationEffect::FisherZ] {
        let (a, b) = (correlation_effect(0.4, 30, effect), correlation_effect(-0.4, 30, effect));
        assert!(same(&a, &b, -1.0));
    }
    assert!(correlation_effect(1.0, 30, CorrelationEffect::FisherZ).is_err());
    assert!(correlation_effect(0.4, 3, CorrelationEffect::FisherZ).is_err());
    assert!(correlation_effect(f64::NAN, 30, CorrelationEffect::Correlation).is_err());
}

#[test]
fn double_zeros_are_dropped_and_do_not_count_as_zeros() {
    let tables = [
        TwoByTwo { treatment: arm(0, 20), control: arm(0, 22) },
        TwoByTwo { treatment: arm(3, 20), control: arm(5, 22) },
    ];
    let rule = ZeroCells::add(0.5, AddTo::AllIfAnyZero).unwrap();
    let kept = count_effects(&tables, CountEffect::LogOddsRatio, rule).unwrap();
    let dropped =
        count_effects(&tables, CountEffect::LogOddsRatio, rule.double_zeros(DoubleZeros::Drop)).unwrap();
    let plain = count_effect(&tables[1], CountEffect::LogOddsRatio, ZeroCells::NONE);
    assert!(kept[0].is_ok() && !same(&kept[1], &plain, 1.0));
    assert_eq!(dropped[0].as_ref().unwrap_err().kind().name(), "not_estimable");
    assert!(same(&dropped[1], &plain, 1.0));
    let rate = |events| ArmRate { events, time: 10.0 };
    let pairs = [RatePair { treatment: rate(0.0), control: rate(0.0) }];
    let dropped =
        rate_effects(&pairs, RateEffect::LogRateRatio, rule.double_zeros(DoubleZeros::Drop)).unwrap();
    assert!(dropped[0].is_err());
}

#[test]
fn utrecht_excludes_no_effect_whatever_the_rounding() {
    let group = |percent| RoundedPercentage { percent, decimals: 0, n: 178 };
    let utrecht = RoundedComparison { treatment: group(24.0), control: group(15.0) };
    let difference = utrecht.difference_range(DifferenceInterval::Newcombe, 0.95).unwrap();
    assert_eq!(difference.tables, 4);
    assert!(difference.lower_limit.lower() > 0.0 && difference.upper_limit.upper() < 0.18);
    let ratio = utrecht.effect_range(CountEffect::LogRiskRatio, ZeroCells::NONE, 0.95).unwrap();
    assert!((ratio.value.lower() - (42.0_f64 / 27.0).ln()).abs() < 1e-12);
    assert!((ratio.value.upper() - (43.0_f64 / 26.0).ln()).abs() < 1e-12);
    assert!(group(24.5).counts().is_err() && group(-1.0).counts().is_err());
}

#[test]
fn published_numbers_that_disagree_are_refused() {
    let interval = Interval::new(0.5, 2.0).unwrap();
    assert!(EffectSize::from_interval(0.6, interval, 0.95, None).is_err());
    assert!(EffectSize::from_ratio_interval(1.0, interval, 0.95, None).is_ok());
    assert!(EffectSize::from_ratio_interval(-1.0, interval, 0.95, None).is_err());
    assert!(EffectSize::from_p_value(0.0, 0.5, None).is_err());
    assert!(EffectSize::from_p_value(1.0, 0.0, None).is_err());
    assert!(EffectSize::from_se(1.0, f64::NAN).is_err());
    assert!(ZeroCells::add(-0.5, AddTo::All).is_err());
}
