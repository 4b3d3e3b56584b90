//! Formulas that take a microsecond or less, a thousand inputs to a case.

use crate::numerics::power;
use crate::support::Numbers;
use armwise::Interval;
use armwise::distribution::Normal;
use armwise::effect_size::EffectSize;
use armwise::mean::{MeansVariance, Sample, TwoMeans};
use armwise::proportion::{
    DifferenceInterval, OddsRatioInterval, Proportion, RatioInterval, SingleInterval, TwoProportions,
};

const CASES: u64 = 1000;

pub(crate) fn attack(numbers: &mut Numbers) -> u64 {
    let one = [proportions, means, normals, counts][numbers.below(4)];
    (0..CASES).for_each(|_| one(numbers));
    CASES
}

/// An interval around its value. Ratios end at infinity.
fn around(what: &dyn std::fmt::Debug, low: f64, value: f64, high: f64) {
    let unit = 1e-12 * (low.abs().max(high.abs()).min(1e300) + value.abs());
    assert!(low <= value + unit && value <= high + unit, "{what:?}: {low:e} {value:e} {high:e}");
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn arm(numbers: &mut Numbers) -> Proportion {
    let most = [1.2, 3.0, 15.0][numbers.below(3)];
    let n = power(numbers, 0.0, most) as u64;
    let events = match numbers.below(6) {
        0 => 0,
        1 => n,
        _ => (n as f64 * numbers.next()) as u64,
    };
    Proportion::new(events, n).expect("events are at most people")
}

fn proportions(numbers: &mut Numbers) {
    let one = arm(numbers);
    for method in [
        SingleInterval::Wald,
        SingleInterval::Wilson,
        SingleInterval::WilsonContinuity,
        SingleInterval::Logit,
    ] {
        if let Ok(interval) = one.interval(method, 0.95) {
            around(&(one, method), interval.lower(), one.estimate(), interval.upper());
        }
    }
}

fn counts(numbers: &mut Numbers) {
    let two = TwoProportions::new(arm(numbers), arm(numbers));
    let level = [0.8, 0.95, 0.999][numbers.below(3)];
    let difference = two.difference();
    for method in [DifferenceInterval::Wald, DifferenceInterval::WaldContinuity, DifferenceInterval::Newcombe]
    {
        if let Ok(interval) = two.difference_interval(method, level) {
            around(&(two, method), interval.lower(), difference.estimate, interval.upper());
        }
    }
    if let Ok(interval) = two.ratio_interval(RatioInterval::Log, level) {
        assert!(interval.lower() <= interval.upper(), "{two:?}: {interval:?}");
    }
    if let Ok(interval) = two.odds_ratio_interval(OddsRatioInterval::Woolf, level) {
        assert!(interval.lower() <= interval.upper(), "{two:?}: {interval:?}");
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn means(numbers: &mut Numbers) {
    let sample = |numbers: &mut Numbers| Sample {
        n: 2 + power(numbers, 0.0, 12.0) as u64,
        mean: power(numbers, -150.0, 150.0) * (numbers.next() - 0.5),
        sd: if numbers.chance(0.1) { 0.0 } else { power(numbers, -150.0, 150.0) },
    };
    let (a, b) = (sample(numbers), sample(numbers));
    // Two samples that do not vary are refused.
    let Ok(two) = TwoMeans::new(a, b) else { return };
    for variance in [MeansVariance::Welch, MeansVariance::Pooled] {
        let difference = two.difference(variance);
        let df = difference.df.unwrap_or(1.0);
        assert!(
            difference.estimate.is_finite() && difference.se >= 0.0 && df > 0.0,
            "{two:?}: {difference:?}"
        );
        assert!(difference.se.is_finite() && df.is_finite(), "{two:?}: {difference:?}");
    }
}

fn normals(numbers: &mut Numbers) {
    let normal = Normal;
    let p = [numbers.next(), power(numbers, -307.0, -0.4)][numbers.below(2)];
    let (low, high) = (normal.quantile(p), normal.upper_quantile(p));
    let unit = 3e-16 * low.abs().max(1.0).powi(2);
    assert!((normal.cdf(low) / p - 1.0).abs() < 1e-11 + unit, "{p:e} {low}");
    assert!((normal.sf(high) / p - 1.0).abs() < 1e-11 + unit, "{p:e} {high}");
    let (value, se) = (power(numbers, -9.0, 9.0) - 1.0, power(numbers, -9.0, 9.0));
    let effect = EffectSize::from_se(value, se).expect("a value and its standard error");
    let interval: Interval = effect.interval(0.95).expect("a level");
    around(&effect, interval.lower(), value, interval.upper());
    let back = EffectSize::from_interval(value, interval, 0.95, None);
    if let Ok(back) = back {
        let lost = 1e-9 + 1e-15 * value.abs() / se;
        assert!((back.se() / se - 1.0).abs() <= lost, "{effect:?}: {back:?}");
    }
}
