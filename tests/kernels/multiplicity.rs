//! Multiplicity against published tables and second routes, and what it refuses.

use armwise::distribution::{Normal, StudentizedRange};
use armwise::mean::Sample;
use armwise::multiplicity::{
    Adjustment, Alternative, Combination, Contrasts, Graph, GroupMeans, Integration, MultivariateT,
    closed_test, romano_wolf, serial_gatekeeping, two_stage_rejections,
};
use armwise::ndarray::{Array2, array};
use std::f64::consts::SQRT_2;

/// The correlation of all differences of `k` means with equal variances.
fn pairwise(k: usize) -> Array2<f64> {
    let pairs: Vec<(usize, usize)> = (0..k).flat_map(|i| (0..i).map(move |j| (i, j))).collect();
    let same = |a: usize, b: usize| f64::from(u8::from(a == b));
    Array2::from_shape_fn((pairs.len(), pairs.len()), |(a, b)| {
        let ((i, j), (m, l)) = (pairs[a], pairs[b]);
        0.5 * (same(i, m) - same(i, l) - same(j, m) + same(j, l))
    })
}

/// All pairs have no product structure: the lattice against the integral of Tukey's range.
#[test]
fn the_lattice_gives_tukeys_range() {
    for (k, df) in [(4, None), (4, Some(12.0)), (5, Some(40.0)), (6, None)] {
        let t = MultivariateT::new(pairwise(k).view(), df).unwrap();
        let range = StudentizedRange::new(k as u64, df.unwrap_or(f64::INFINITY)).unwrap();
        for c in [1.0, 2.0, 2.5, 3.5, 6.0] {
            let tail = t.tail_of_maximum(c, Alternative::TwoSided).unwrap();
            let right = range.sf(c * SQRT_2);
            let Integration::Lattice { error } = tail.integration else { panic!("{tail:?}") };
            assert!(error > 0.0 && error < 0.05 * tail.probability, "{k} {c}: {tail:?}");
            let miss = (tail.probability - right).abs();
            assert!(miss <= error.max(2e-3 * right), "{k} {df:?} {c}: {tail:?} {right}");
        }
        let critical = t.critical_value(0.95, Alternative::TwoSided).unwrap();
        assert!((critical - range.upper_quantile(0.05) / SQRT_2).abs() < 2e-3, "{k}: {critical}");
    }
}

/// The probability that four normal variables are all negative: 1/5 at the correlation 1/2, and a general matrix by
/// the closed form of three.
#[test]
fn orthants() {
    let half = Array2::from_shape_fn((4, 4), |(i, j)| if i == j { 1.0 } else { 0.5 });
    let t = MultivariateT::new(half.view(), Some(7.0)).unwrap();
    let any = t.tail_of_maximum(0.0, Alternative::Greater).unwrap();
    assert!((any.probability - 0.8).abs() < 1e-12 && any.integration == Integration::Quadrature);
    // A product of correlations that is negative has no product structure.
    let mixed = array![[1.0, 0.3, -0.2], [0.3, 1.0, 0.4], [-0.2, 0.4, 1.0]];
    let t = MultivariateT::new(mixed.view(), None).unwrap();
    let any = t.tail_of_maximum(0.0, Alternative::Greater).unwrap();
    let angles: f64 = [0.3_f64, -0.2, 0.4].iter().map(|r| r.asin()).sum();
    let none = 0.125 + angles / (4.0 * std::f64::consts::PI);
    assert!(matches!(any.integration, Integration::Lattice { .. }));
    assert!((any.probability - (1.0 - none)).abs() < 1e-3, "{any:?} {none}");
    let every = t.tail_of_maximum(-40.0, Alternative::Greater).unwrap();
    assert!((every.probability - 1.0).abs() < 1e-9, "{every:?}");
}

/// Dunnett (1964), table II: two-sided 5% points for equal groups, by the number of groups and degrees of freedom.
#[test]
fn dunnetts_table() {
    for (k, df, point) in
        [(2, 20.0, 2.38), (3, 20.0, 2.54), (2, 60.0, 2.27), (3, 60.0, 2.41), (4, 60.0, 2.51)]
    {
        let half = Array2::from_shape_fn((k, k), |(i, j)| if i == j { 1.0 } else { 0.5 });
        let t = MultivariateT::new(half.view(), Some(df)).unwrap();
        let critical = t.critical_value(0.95, Alternative::TwoSided).unwrap();
        assert!((critical - point).abs() < 0.0051, "{k} {df}: {critical}");
    }
}

#[test]
fn the_same_contrast_twice_counts_once() {
    let covariance = Array2::from_elem((2, 2), 2.0);
    let contrasts = Contrasts::new(&[3.0, 3.0], covariance.view(), Some(9.0)).unwrap();
    for side in [Alternative::TwoSided, Alternative::Greater] {
        let together = contrasts.simultaneous(side, 0.95).unwrap();
        for one in &together.contrasts {
            assert!((one.single_step - one.p_value).abs() < 1e-12, "{one:?}");
        }
    }
    // A contrast and its opposite: the largest is the absolute value.
    let opposite = array![[1.0, -1.0], [-1.0, 1.0]];
    let t = MultivariateT::new(opposite.view(), None).unwrap();
    let tail = t.tail_of_maximum(1.5, Alternative::Greater).unwrap();
    assert!((tail.probability - 2.0 * Normal.sf(1.5)).abs() < 1e-12, "{tail:?}");
}

/// Far out, Boole's bound is reached, to full relative accuracy.
#[test]
fn small_probabilities_keep_their_digits() {
    let half = array![[1.0, 0.5, 0.5], [0.5, 1.0, 0.5], [0.5, 0.5, 1.0]];
    let t = MultivariateT::new(half.view(), None).unwrap();
    let tail = t.tail_of_maximum(20.0, Alternative::TwoSided).unwrap().probability;
    assert!((tail / (6.0 * Normal.sf(20.0)) - 1.0).abs() < 1e-9, "{tail:e}");
    for c in [50.0, f64::INFINITY] {
        assert_eq!(t.tail_of_maximum(c, Alternative::TwoSided).unwrap().probability, 0.0);
    }
    assert_eq!(t.tail_of_maximum(f64::NEG_INFINITY, Alternative::Greater).unwrap().probability, 1.0);
}

/// Non-inferiority of three arms together: bounds and p-values say the same.
#[test]
fn margins_are_null_values() {
    let covariance = array![[4.0, 2.0, 2.0], [2.0, 4.0, 2.0], [2.0, 2.0, 4.0]];
    let contrasts = Contrasts::new(&[0.5, -1.0, 3.0], covariance.view(), None).unwrap();
    let together = contrasts.against(-5.0).unwrap().simultaneous(Alternative::Greater, 0.95).unwrap();
    for one in &together.contrasts {
        assert_eq!(one.single_step < 0.05, one.interval.lower() > -5.0, "{one:?}");
        assert_eq!(one.interval.upper(), f64::INFINITY);
    }
    assert!(together.contrasts[2].single_step < 0.05 && together.contrasts[1].single_step > 0.05);
}

/// Simes's test in every intersection is not consonant: Hommel (1988), section 4, has the same pattern.
#[test]
fn dissonant_intersections_are_named() {
    let p = [0.03, 0.031, 0.2];
    let closed = closed_test(3, |places| {
        let mut own: Vec<f64> = places.iter().map(|&i| p[i]).collect();
        own.sort_by(f64::total_cmp);
        let size = own.len() as f64;
        Ok(own.iter().enumerate().map(|(j, p)| size * p / (j + 1) as f64).fold(1.0, f64::min))
    })
    .unwrap();
    let named: Vec<&[usize]> = closed.dissonant(0.05).map(|one| &one.hypotheses[..]).collect();
    assert_eq!(named, [&[0, 1][..], &[0, 1, 2]]);
    assert!(!closed.is_consonant(0.05) && closed.adjusted.iter().all(|p| *p > 0.05));
}

#[track_caller]
fn refuses<T: std::fmt::Debug>(result: armwise::Result<T>, words: &str) {
    let error = result.unwrap_err().to_string();
    assert!(error.contains(words), "\"{error}\" lacks \"{words}\"");
    assert!(error.contains("; ") || error.contains(", or "), "\"{error}\" says nothing to do");
}

#[test]
fn p_values_that_are_none_are_refused() {
    for adjustment in Adjustment::ALL {
        refuses(adjustment.adjust(&[]), "there are no p-values");
        refuses(adjustment.adjust(&[0.5, f64::NAN]), "p-value 2 is NaN");
        refuses(adjustment.adjust(&[-0.1, 0.5]), "p-value 1 is -0.1");
        refuses(adjustment.reject(&[0.5], 1.0), "the significance level is 1");
    }
    for combination in Combination::ALL {
        refuses(combination.combine(&[]), "there are no p-values");
        refuses(combination.combine(&[1.2]), "p-value 1 is 1.2");
    }
    refuses(Combination::Stouffer.combine(&[0.0, 1.0]), "cancel out");
    refuses(Combination::Stouffer.combine_weighted(&[0.1], &[1.0, 2.0]), "2 weights for 1 p-value");
    refuses(Combination::Cauchy.combine_weighted(&[0.1], &[0.0]), "a weight is 0");
    refuses(Combination::Fisher.combine_weighted(&[0.1], &[1.0]), "only Stouffer's and Cauchy's");
    refuses(two_stage_rejections(&[0.1], 0.0), "the significance level is 0");
    refuses(serial_gatekeeping(&[], Adjustment::Holm), "there are no families");
    refuses(serial_gatekeeping(&[vec![]], Adjustment::Holm), "there are no p-values");
    refuses(serial_gatekeeping(&[vec![0.1]], Adjustment::BenjaminiHochberg), "false discovery rate");
}

#[test]
fn graphs_that_spend_more_than_alpha_are_refused() {
    let pass = |g: f64| vec![vec![0.0, g], vec![1.0, 0.0]];
    refuses(Graph::new(vec![], vec![]), "a graph has no hypotheses");
    refuses(Graph::new(vec![0.7, 0.6], pass(1.0)), "sum to 1.29");
    refuses(Graph::new(vec![0.5, -0.1], pass(1.0)), "hold -0.1");
    refuses(Graph::new(vec![f64::NAN, 0.1], pass(1.0)), "hold NaN");
    refuses(Graph::new(vec![0.5, 0.5], pass(1.5)), "the transitions from hypothesis 1 hold 1.5");
    refuses(Graph::new(vec![0.5, 0.5], vec![vec![0.0, 1.0]]), "a graph of 2 hypotheses needs as many rows");
    refuses(Graph::new(vec![0.5, 0.5], vec![vec![0.5, 0.5], vec![1.0, 0.0]]), "passes weight to itself");
    let three = vec![vec![0.0, 0.8, 0.8], vec![0.0; 3], vec![0.0; 3]];
    refuses(Graph::new(vec![0.2; 3], three), "the transitions from hypothesis 1 sum to 1.6");
    refuses(Graph::holm(0), "a graph has no hypotheses");
    refuses(Graph::weighted_holm(&[1.0, 0.0]), "positive, finite weights");
    refuses(Graph::fallback(&[0.9, 0.2]), "sum to 1.1");
    let graph = Graph::holm(2).unwrap();
    refuses(graph.adjust(&[0.1]), "1 p-value for a graph of 2 hypotheses");
    refuses(graph.test(&[0.1, 0.2], 0.0), "the significance level is 0");
    refuses(graph.weights_within(&[2]), "no hypothesis at place 2");
    // What JSON brings is checked as well.
    let text = r#"{"weights": [0.9, 0.9], "transitions": [[0.0, 1.0], [1.0, 0.0]]}"#;
    assert!(serde_json::from_str::<Graph>(text).unwrap_err().to_string().contains("sum to 1.8"));
}

#[test]
fn joint_distributions_that_cannot_be_are_refused() {
    let eye = Array2::<f64>::eye(2);
    refuses(Contrasts::new(&[], Array2::zeros((0, 0)).view(), None), "there are no contrasts");
    refuses(Contrasts::new(&[1.0], eye.view(), None), "2 x 2 for 1 estimate;");
    refuses(Contrasts::new(&[1.0, f64::NAN], eye.view(), None), "not finite");
    refuses(Contrasts::new(&[1.0, 2.0], eye.view(), Some(0.0)), "the degrees of freedom are 0");
    let error = Contrasts::new(&[1.0, 2.0], array![[1.0, 0.0], [0.0, 0.0]].view(), None).unwrap_err();
    assert_eq!(error.kind().name(), "zero_variance");
    refuses(
        Contrasts::new(&[1.0, 2.0], array![[1.0, 2.0], [2.0, 1.0]].view(), None),
        "correlation of statistics",
    );
    refuses(
        Contrasts::new(&[1.0], array![[1.0]].view(), None).unwrap().against(f64::NAN),
        "null value is NaN",
    );
    let impossible = array![[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]];
    refuses(MultivariateT::new(impossible.view(), None), "no statistics have these correlations");
    refuses(MultivariateT::new(array![[1.0, 0.5], [0.4, 1.0]].view(), None), "symmetric");
    let t = MultivariateT::new(eye.view(), None).unwrap();
    refuses(t.subset(&[]), "a subset needs places from 0 to 1");
    refuses(t.subset(&[2]), "a subset needs places from 0 to 1");
    refuses(t.tail_of_maximum(f64::NAN, Alternative::Greater), "not a number");
    refuses(t.critical_value(1.0, Alternative::Greater), "the confidence level is 1");
    refuses(closed_test(0, |_| Ok(0.5)), "a closed test of 0 hypotheses");
    refuses(closed_test(16, |_| Ok(0.5)), "a closed test of 16 hypotheses");
    refuses(closed_test(2, |_| Ok(f64::NAN)), "hypotheses 0 is NaN");
    let none = Array2::zeros((0, 1));
    refuses(romano_wolf(&[1.0], none.view(), Alternative::TwoSided), "statistics and draws");
    refuses(
        romano_wolf(&[1.0, 2.0], array![[1.0]].view(), Alternative::TwoSided),
        "1 column of draws for 2 statistics",
    );
    refuses(romano_wolf(&[f64::NAN], array![[1.0]].view(), Alternative::TwoSided), "not finite");
    let one = Sample { n: 1, mean: 1.0, sd: 0.0 };
    refuses(GroupMeans::new(&[one]), "needs two groups");
    let error = GroupMeans::new(&[one, one]).unwrap_err();
    assert_eq!(error.kind().name(), "insufficient_observations");
    let flat = Sample { n: 5, mean: 1.0, sd: 0.0 };
    assert_eq!(GroupMeans::new(&[flat, flat]).unwrap_err().kind().name(), "zero_variance");
    let groups = GroupMeans::new(&[Sample { sd: 1.0, ..flat }, flat]).unwrap();
    refuses(groups.dunnett(2), "there is no group 2");
    refuses(groups.tukey(0.0), "the confidence level is 0");
}
