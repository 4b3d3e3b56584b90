//! Closed forms, integrals and iterations over their declared domains, with the laws that hold there.

use crate::support::Numbers;
use crate::support::methods::{every, tau2_methods};
use armwise::mean::{MeansVariance, Sample, TwoMeans};
use armwise::meta_analysis::{CommonEffect, RandomEffects, Test};
use armwise::multiplicity::{Adjustment, Alternative, Combination, Graph, MultivariateT};
use armwise::ndarray::Array2;
use armwise::proportion::{
    DifferenceInterval, MidPTwoSided, OddsRatioInterval, Proportion, RatioInterval, TwoProportions,
};

pub(crate) fn power(numbers: &mut Numbers, low: f64, high: f64) -> f64 {
    10_f64.powf(low + (high - low) * numbers.next())
}

pub(crate) fn attack(numbers: &mut Numbers) -> u64 {
    match numbers.below(3) {
        0 => tables(numbers),
        1 => hypotheses(numbers),
        _ => pools(numbers),
    }
}

/// Two by two tables of any size by every interval: ordered, finite where documented, p and interval agree.
fn tables(numbers: &mut Numbers) -> u64 {
    let arm = |numbers: &mut Numbers| {
        let most = [1.5, 3.0, 9.0, 15.0][numbers.below(4)];
        let n = power(numbers, 0.0, most) as u64;
        let events = match numbers.below(5) {
            0 => 0,
            1 => n,
            _ => (n as f64 * numbers.next()) as u64,
        };
        Proportion::new(events, n).expect("events are at most people")
    };
    let two = TwoProportions::new(arm(numbers), arm(numbers));
    let level = [0.8, 0.95, 0.999][numbers.below(3)];
    let mut count = 0;
    for method in every::<DifferenceInterval>() {
        if let Ok(interval) = two.difference_interval(method, level) {
            let (low, high) = (interval.lower(), interval.upper());
            assert!(low <= high && low.is_finite() && high.is_finite(), "{two:?} {method:?}: {interval:?}");
        }
        count += 1;
    }
    for method in every::<RatioInterval>() {
        if let Ok(interval) = two.ratio_interval(method, level) {
            assert!(interval.lower() <= interval.upper(), "{two:?} {method:?}: {interval:?}");
        }
        count += 1;
    }
    for method in every::<OddsRatioInterval>() {
        if let Ok(interval) = two.odds_ratio_interval(method, level) {
            assert!(interval.lower() <= interval.upper(), "{two:?} {method:?}: {interval:?}");
        }
        count += 1;
    }
    let mut tests = vec![two.fisher_test()];
    tests.extend(every::<MidPTwoSided>().into_iter().map(|convention| two.mid_p_test(convention)));
    tests.extend(two.control.binomial_test(numbers.next()));
    for test in &tests {
        let p = [test.less, test.greater, test.two_sided];
        assert!(p.iter().all(|p| (0.0..=1.0).contains(p)), "{two:?}: {p:?}");
    }
    count + tests.len() as u64
}

/// P-values of any size, graphs with any shares, and maxima of statistics with any degrees of freedom: probabilities.
fn hypotheses(numbers: &mut Numbers) -> u64 {
    let m = 1 + numbers.below(40);
    let p: Vec<f64> = (0..m)
        .map(|_| match numbers.below(6) {
            0 => 0.0,
            1 => 1.0,
            2 => power(numbers, -320.0, 0.0),
            _ => numbers.next(),
        })
        .collect();
    let probability = |p: f64, what: &dyn std::fmt::Debug| assert!((0.0..=1.0).contains(&p), "{what:?}: {p}");
    for adjustment in Adjustment::ALL {
        let adjusted = adjustment.adjust(&p).expect("p-values");
        adjusted.into_iter().for_each(|one| probability(one, &(adjustment, &p)));
    }
    for combination in Combination::ALL {
        if let Ok(combined) = combination.combine(&p) {
            probability(combined.p_value, &(combination, &p));
        }
    }
    let shares = |numbers: &mut Numbers, own: usize| {
        let parts: Vec<f64> =
            (0..m).map(|i| if i == own { 0.0 } else { power(numbers, -9.0, 0.0) }).collect();
        let sum = parts.iter().sum::<f64>().max(1e-300) * (1.0 + f64::from(u8::from(numbers.chance(0.3))));
        parts.into_iter().map(|part| part / sum).collect::<Vec<f64>>()
    };
    let weights = shares(numbers, m);
    let graph = Graph::new(weights, (0..m).map(|i| shares(numbers, i)).collect()).expect("shares");
    let adjusted = graph.adjust(&p).expect("p-values");
    p.iter().zip(adjusted).for_each(|(raw, one)| {
        probability(one, &(&graph, &p));
        assert!(*raw <= one, "{graph:?} {p:?}: {raw} {one}");
    });
    let k = 1 + numbers.below(6);
    let loadings: Vec<f64> = (0..k).map(|_| 1.8 * (numbers.next() - 0.5)).collect();
    let entry = |(i, j): (usize, usize)| if i == j { 1.0 } else { loadings[i] * loadings[j] };
    let df = numbers.chance(0.7).then(|| power(numbers, -1.0, 16.0));
    let t = MultivariateT::new(Array2::from_shape_fn((k, k), entry).view(), df).expect("a correlation");
    let c = power(numbers, -3.0, 3.0);
    for side in [Alternative::TwoSided, Alternative::Greater, Alternative::Less] {
        for c in [c, -c] {
            let tail = t.tail_of_maximum(c, side).expect("a number");
            probability(tail.probability, &(&t, c));
        }
    }
    // The critical value gives the level back.
    let level = [0.8, 0.95, 0.999][numbers.below(3)];
    let critical = t.critical_value(level, Alternative::TwoSided).expect("a level");
    let tail = t.tail_of_maximum(critical, Alternative::TwoSided).expect("a number").probability;
    assert!((tail - (1.0 - level)).abs() < 1e-9, "{t:?} {level}: {critical} {tail}");
    22
}

fn pools(numbers: &mut Numbers) -> u64 {
    let k = 1 + numbers.below(9);
    let size = power(numbers, -6.0, 6.0);
    let y: Vec<f64> = (0..k).map(|_| size * (numbers.next() - 0.5)).collect();
    let spread = [0.0, 1.0, 8.0][numbers.below(3)];
    let v: Vec<f64> = (0..k).map(|_| size * size * power(numbers, -spread - 2.0, spread)).collect();
    let mut count = 0;
    let mut sound = |value: f64, se: f64, low: f64, high: f64, what: &dyn std::fmt::Debug| {
        assert!(
            value.is_finite() && se.is_finite() && low <= value && value <= high,
            "{what:?} {y:?} {v:?}: {value} {se} {low} {high}"
        );
        count += 1;
    };
    if let Ok(pool) = CommonEffect::new().pool(&y, &v) {
        sound(pool.estimate, pool.se, pool.interval.lower(), pool.interval.upper(), &"common");
    }
    for tau2 in tau2_methods() {
        for test in every::<Test>() {
            if let Ok(pool) = RandomEffects::new().tau2(tau2).test(test).pool(&y, &v) {
                sound(pool.estimate, pool.se, pool.interval.lower(), pool.interval.upper(), &(tau2, test));
            }
        }
    }
    let values: Vec<f64> = (0..2 + numbers.below(6)).map(|_| size * numbers.next()).collect();
    let others: Vec<f64> = (0..2 + numbers.below(6)).map(|_| size * numbers.next()).collect();
    if let (Ok(a), Ok(b)) = (Sample::of(&values), Sample::of(&others))
        && let Ok(two) = TwoMeans::new(a, b)
    {
        for variance in every::<MeansVariance>() {
            let difference = two.difference(variance);
            if let Ok(interval) = difference.interval(0.95) {
                sound(difference.estimate, difference.se, interval.lower(), interval.upper(), &variance);
            }
        }
    }
    count
}
