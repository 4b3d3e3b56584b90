//! Intervals of an effect that strata share, and groups that do not overlap. The numbers come from R by
//! another route: constrained estimates by maximising the likelihood, limits by `uniroot`.

use armwise::effect::{ConfidenceCurve, Inference};
use armwise::proportion::{
    Continuity, CountInterval, DifferenceInterval, MantelHaenszelVariance, OddsRatioInterval, Proportion,
    RatioInterval, StratifiedProportions, Stratum, StratumWeights, TwoProportions,
};
use armwise::rank::{RankSum, Separated};
use armwise::{Interval, Result};
use std::sync::Arc;

const MANTEL_HAENSZEL: StratumWeights = StratumWeights::MantelHaenszel;

/// Three trials of cisapride (Hartung & Knapp 2001), the last without events among the controls.
fn strata(count: usize) -> StratifiedProportions {
    let counts = [[12, 16, 1, 16], [19, 29, 22, 30], [5, 56, 0, 29]];
    StratifiedProportions::new(counts[..count].iter().map(|&[x1, n1, x0, n0]| Stratum {
        treatment_events: x1,
        treatment_n: n1,
        control_events: x0,
        control_n: n0,
    }))
    .unwrap()
}

fn is(found: Result<Interval>, [lower, upper]: [f64; 2]) {
    let found = found.unwrap();
    let near = (found.lower() - lower).abs() < 1e-7 && (found.upper() - upper).abs() < 1e-7;
    assert!(near, "{found:?} is not {lower} to {upper}");
}

fn curve(method: CountInterval, strata: &StratifiedProportions) -> Inference {
    let (value, se) = match method {
        CountInterval::Difference(_) => {
            let difference = strata.difference(MantelHaenszelVariance::Sato);
            (difference.estimate, difference.se)
        }
        CountInterval::Ratio(_) => {
            let ratio = strata.ratio().unwrap();
            (ratio.log_estimate.unwrap(), ratio.se_log.unwrap())
        }
        _ => {
            let odds = strata.odds_ratio().unwrap();
            (odds.log_estimate.unwrap(), odds.se_log.unwrap())
        }
    };
    let curve = ConfidenceCurve::Strata { method, strata: Arc::new(strata.clone()) };
    Inference::new(value, se, None, 0.95, curve).unwrap()
}

#[test]
fn limits_equal_those_of_the_likelihood_maximised() {
    let three = strata(3);
    let difference = |method| three.difference_interval(method, MANTEL_HAENSZEL, 0.95);
    is(difference(DifferenceInterval::MiettinenNurminen), [0.031_011_002_951_9, 0.260_809_198_201]);
    is(difference(DifferenceInterval::Mee), [0.032_375_554_700_7, 0.259_629_017_786]);
    is(difference(DifferenceInterval::Newcombe), [-0.000_119_730_764_291, 0.281_267_783_627]);
    let ratio = three.ratio_interval(RatioInterval::MiettinenNurminen, MANTEL_HAENSZEL, 0.95);
    is(ratio, [1.082_703_834_24, 2.260_790_517_37]);
    let odds = |method| three.odds_ratio_interval(method, 0.95);
    is(odds(OddsRatioInterval::MiettinenNurminen), [1.216_347_577_49, 6.729_947_284_41]);
    is(odds(OddsRatioInterval::Cornfield), [1.226_992_755_04, 6.668_474_498_6]);
    // By the information of the strata, of the two that have it.
    let two = strata(2);
    let weights = StratumWeights::InverseVariance;
    let difference = two.difference_interval(DifferenceInterval::MiettinenNurminen, weights, 0.95);
    is(difference, [-0.029_438_701_489_1, 0.370_572_020_217]);
    let ratio = two.ratio_interval(RatioInterval::Koopman, weights, 0.95);
    is(ratio, [0.838_101_953_844, 1.804_130_590_15]);
}

#[test]
fn one_stratum_is_the_two_proportions() {
    for [x1, n1, x0, n0] in [[56, 70, 48, 80], [9, 10, 3, 10], [0, 20, 3, 30], [6, 6, 2, 5], [0, 10, 0, 20]] {
        let two = TwoProportions::new(Proportion::new(x1, n1).unwrap(), Proportion::new(x0, n0).unwrap());
        let one = StratifiedProportions::new([two]).unwrap();
        for level in [0.5, 0.95, 0.999] {
            for method in
                [DifferenceInterval::MiettinenNurminen, DifferenceInterval::Mee, DifferenceInterval::Newcombe]
            {
                let crude = two.difference_interval(method, level).unwrap();
                is(one.difference_interval(method, MANTEL_HAENSZEL, level), [crude.lower(), crude.upper()]);
            }
            for method in [RatioInterval::MiettinenNurminen, RatioInterval::Koopman] {
                let crude = two.ratio_interval(method, level).unwrap();
                let found = one.ratio_interval(method, MANTEL_HAENSZEL, level).unwrap();
                let near = |a: f64, b: f64| a == b || (a - b).abs() <= 1e-9 * b.abs();
                assert!(
                    near(found.lower(), crude.lower()) && near(found.upper(), crude.upper()),
                    "{method:?} {found:?} {crude:?}"
                );
            }
            for method in [OddsRatioInterval::MiettinenNurminen, OddsRatioInterval::Cornfield] {
                let crude = two.odds_ratio_interval(method, level).unwrap();
                let found = one.odds_ratio_interval(method, level).unwrap();
                let near = |a: f64, b: f64| a == b || (a - b).abs() <= 1e-9 * b.abs();
                assert!(
                    near(found.lower(), crude.lower()) && near(found.upper(), crude.upper()),
                    "{method:?} {found:?} {crude:?}"
                );
            }
        }
    }
}

#[test]
fn the_test_of_no_effect_is_cochran_mantel_and_haenszels() {
    let three = strata(3);
    let test = three.mantel_haenszel_test(Continuity::None).unwrap();
    for method in [
        CountInterval::Difference(DifferenceInterval::MiettinenNurminen),
        CountInterval::Ratio(RatioInterval::MiettinenNurminen),
        CountInterval::OddsRatio(OddsRatioInterval::MiettinenNurminen),
    ] {
        let curve = curve(method, &three);
        assert!((curve.p_value() - test.p_value).abs() < 1e-12, "{method:?}");
    }
    assert!((test.p_value - 0.015_401_112_805_3).abs() < 1e-9);
    let curve = curve(CountInterval::Difference(DifferenceInterval::MiettinenNurminen), &three);
    assert!((curve.p_above(0.1).unwrap() - 0.217_388_087_325).abs() < 1e-7);
}

#[test]
fn strata_without_events_say_nothing_of_a_ratio_and_count_in_a_difference() {
    let empty = Stratum { treatment_events: 0, treatment_n: 40, control_events: 0, control_n: 50 };
    let three: Vec<Stratum> = strata(3).into();
    let four = StratifiedProportions::new(three.into_iter().chain([empty])).unwrap();
    let ratio = |strata: &StratifiedProportions| {
        strata.ratio_interval(RatioInterval::MiettinenNurminen, MANTEL_HAENSZEL, 0.95).unwrap()
    };
    let (with, without) = (ratio(&four), ratio(&strata(3)));
    assert!((with.lower() - without.lower()).abs() < 1e-9 && (with.upper() - without.upper()).abs() < 1e-9);
    let difference = |strata: &StratifiedProportions| {
        strata.difference_interval(DifferenceInterval::MiettinenNurminen, MANTEL_HAENSZEL, 0.95).unwrap()
    };
    assert!(difference(&four).width() < 0.8 * difference(&strata(3)).width());
    // Nobody has the event anywhere: there is an interval all the same, as of two proportions.
    let none = StratifiedProportions::new([empty, empty]).unwrap();
    for method in [DifferenceInterval::MiettinenNurminen, DifferenceInterval::Newcombe] {
        let interval = none.difference_interval(method, MANTEL_HAENSZEL, 0.95).unwrap();
        assert!(interval.contains(0.0) && interval.width() > 0.05, "{method:?} {interval:?}");
    }
}

#[test]
fn what_has_no_form_for_strata_is_refused() {
    let three = strata(3);
    let error = three.difference_interval(DifferenceInterval::Wald, MANTEL_HAENSZEL, 0.95).unwrap_err();
    assert!(error.to_string().contains("Newcombe"), "{error}");
    let error = three.odds_ratio_interval(OddsRatioInterval::MidP, 0.95).unwrap_err();
    assert!(error.to_string().contains("Cornfield"), "{error}");
    let error = three.ratio_interval(RatioInterval::Log, MANTEL_HAENSZEL, 0.95).unwrap_err();
    assert!(error.to_string().contains("Koopman"), "{error}");
    assert!(three.difference_interval(DifferenceInterval::Mee, MANTEL_HAENSZEL, 1.0).is_err());
    let certain = Stratum { treatment_events: 0, treatment_n: 4, control_events: 0, control_n: 5 };
    let strata = StratifiedProportions::new([certain, certain]).unwrap();
    for method in [DifferenceInterval::MiettinenNurminen, DifferenceInterval::Newcombe] {
        let error = strata.difference_interval(method, StratumWeights::InverseVariance, 0.95).unwrap_err();
        assert_eq!(error.kind().name(), "zero_variance", "{error}");
    }
    // As data, strata are checked again.
    let json = serde_json::to_value(&three).unwrap();
    assert_eq!(serde_json::from_value::<StratifiedProportions>(json.clone()).unwrap(), three);
    let mut wrong = json;
    wrong[0]["treatment_events"] = 99.into();
    assert!(serde_json::from_value::<StratifiedProportions>(wrong).is_err());
}

fn separated(treatment: u64, reference: u64) -> Inference {
    let curve = ConfidenceCurve::Separated(Separated { treatment, reference, treatment_above: true });
    Inference::new(1.0, 0.0, None, 0.95, curve).unwrap()
}

#[test]
fn groups_that_do_not_overlap_have_wilcoxons_exact_test() {
    for (treatment, control) in [(3_u32, 3_u32), (4, 6), (2, 9), (12, 7)] {
        let control_values: Vec<f64> = (0..control).map(f64::from).collect();
        let values: Vec<f64> = (0..treatment).map(|x| 100.0 + f64::from(x)).collect();
        let exact = RankSum::new(&values, &control_values).unwrap().exact_test().unwrap();
        let curve = separated(u64::from(treatment), u64::from(control));
        assert!((curve.p_value() - exact.two_sided).abs() < 1e-12, "{treatment} {control}");
        assert!((curve.p_above(0.0).unwrap() - exact.greater).abs() < 1e-13);
    }
    // R: wilcox.test, and the larger of both products by uniroot.
    assert!((separated(3, 3).p_value() - 0.1).abs() < 1e-12);
    for ((treatment, control), lower) in
        [((3, 3), -0.174_474_985_659), ((4, 6), 0.269_274_585_925), ((50, 40), 0.954_490_532_443)]
    {
        let interval = separated(treatment, control).interval();
        assert!((interval.lower() - lower).abs() < 1e-9 && interval.upper() == 1.0, "{interval:?}");
    }
    // Hundreds of thousands are no sum.
    assert!(separated(400_000, 300_000).interval().lower() > 0.9999);
}

#[test]
fn the_curve_without_overlap_nests_and_mirrors() {
    let curve = separated(5, 9);
    let mut before: Option<Interval> = None;
    for level in [0.2, 0.5, 0.9, 0.95, 0.999] {
        let interval = curve.interval_at(level).unwrap();
        let tail = 0.5 * (1.0 - level);
        assert!((curve.p_above(interval.lower()).unwrap() - tail).abs() < 1e-9 * tail, "{level}");
        assert!(before.is_none_or(|before| before.lower() > interval.lower()), "{level}");
        before = Some(interval);
    }
    let mirrored = Separated { treatment: 9, reference: 5, treatment_above: false };
    let mirrored = Inference::new(-1.0, 0.0, None, 0.95, ConfidenceCurve::Separated(mirrored)).unwrap();
    assert!((mirrored.interval().upper() + curve.interval().lower()).abs() < 1e-12);
    assert!((mirrored.p_below(-0.3).unwrap() - curve.p_above(0.3).unwrap()).abs() < 1e-13);
    // A curve that is not that of the value is refused, as data too.
    let other = Separated { treatment: 5, reference: 9, treatment_above: false };
    assert!(Inference::new(1.0, 0.0, None, 0.95, ConfidenceCurve::Separated(other)).is_err());
    let mut json = serde_json::to_value(&curve).unwrap();
    assert_eq!(serde_json::from_value::<Inference>(json.clone()).unwrap(), curve);
    json["curve"]["separated"]["treatment"] = 0.into();
    assert!(serde_json::from_value::<Inference>(json).is_err());
}

/// Nobody in one arm and everybody in the other: the sums of limits and of the effect differ by rounding.
#[test]
fn an_interval_that_ends_at_its_effect_holds_it() {
    let stratum = |treatment_n, control_n| Stratum {
        treatment_events: 0,
        treatment_n,
        control_events: control_n,
        control_n,
    };
    let strata = StratifiedProportions::new([stratum(1, 3), stratum(3, 5), stratum(6, 2)]).unwrap();
    let interval = strata
        .difference_interval(DifferenceInterval::Newcombe, StratumWeights::MantelHaenszel, 0.9)
        .unwrap();
    assert!(interval.contains(strata.difference(MantelHaenszelVariance::Sato).estimate), "{interval:?}");
}
