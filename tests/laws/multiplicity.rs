//! Laws of adjusted and combined p-values, graphs, closed tests, and of the joint distribution of contrasts.

use crate::support::{near, survives};
use armwise::distribution::Normal;
use armwise::mean::Sample;
use armwise::multiplicity::{
    Adjustment, Alternative, Combination, Contrasts, Graph, GroupMeans, MultivariateT, closed_test,
    romano_wolf, serial_gatekeeping, two_stage_rejections,
};
use armwise::ndarray::Array2;
use proptest::prelude::*;

/// P-values of all sizes, often tied.
fn p_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 0.0..1.0_f64,
        2 => (0_u8..=20).prop_map(|twentieths| f64::from(twentieths) / 20.0),
        1 => (1..300_i32).prop_map(|digits| 10_f64.powi(-digits)),
        1 => Just(0.0),
        1 => Just(1.0),
    ]
}

fn p_values(most: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(p_value(), 1..=most)
}

/// No larger, but for rounding.
fn at_most(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| *a <= b * (1.0 + 1e-12))
}

fn all_near(a: &[f64], b: &[f64], tolerance: f64) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| near(*a, *b, tolerance))
}

/// Graphs whose weights and rows sum to one or less.
fn graph(most: usize) -> impl Strategy<Value = Graph> {
    let shares = |m: usize| (prop::collection::vec(0_u8..4, m), 0_u8..3);
    (1..=most).prop_flat_map(move |m| (shares(m), prop::collection::vec(shares(m), m))).prop_map(
        |(weights, rows)| {
            let normed = |(parts, slack): (Vec<u8>, u8), own: Option<usize>| {
                let part = |i: usize| if Some(i) == own { 0.0 } else { f64::from(parts[i]) };
                let sum = (0..parts.len()).map(part).sum::<f64>() + f64::from(slack);
                (0..parts.len()).map(|i| if sum > 0.0 { part(i) / sum } else { 0.0 }).collect::<Vec<f64>>()
            };
            let transitions = rows.into_iter().enumerate().map(|(i, row)| normed(row, Some(i))).collect();
            Graph::new(normed(weights, None), transitions).unwrap()
        },
    )
}

fn smallest(p: &[f64], places: &[usize]) -> f64 {
    places.iter().map(|&i| p[i]).fold(1.0, f64::min)
}

fn simes(p: &[f64], places: &[usize]) -> f64 {
    let mut own: Vec<f64> = places.iter().map(|&i| p[i]).collect();
    own.sort_by(f64::total_cmp);
    let size = own.len() as f64;
    own.iter().enumerate().map(|(j, p)| size * p / (j + 1) as f64).fold(1.0, f64::min)
}

/// Estimates and a covariance of full rank.
fn joint(most: usize) -> impl Strategy<Value = (Vec<f64>, Array2<f64>, Option<f64>)> {
    (1..=most).prop_flat_map(|k| {
        let factor = prop::collection::vec(-1.0..1.0_f64, k * k);
        let df = prop_oneof![Just(None), (1.0..200.0_f64).prop_map(Some)];
        (prop::collection::vec(-3.0..3.0_f64, k), factor, df).prop_map(move |(estimates, factor, df)| {
            let factor = Array2::from_shape_vec((k, k), factor).unwrap();
            let mut covariance = factor.dot(&factor.t());
            // The halves may differ in the last digit.
            for i in 0..k {
                covariance[[i, i]] += 0.2;
                for j in 0..i {
                    covariance[[i, j]] = covariance[[j, i]];
                }
            }
            (estimates, covariance, df)
        })
    })
}

const SIDES: [Alternative; 3] = [Alternative::TwoSided, Alternative::Greater, Alternative::Less];

proptest! {
    #[test]
    fn adjusted_p_values_keep_their_order_and_are_no_smaller(p in p_values(12)) {
        for adjustment in Adjustment::ALL {
            let adjusted = adjustment.adjust(&p)?;
            prop_assert!(adjusted.iter().all(|p| (0.0..=1.0).contains(p)), "{adjustment}: {adjusted:?}");
            if adjustment != Adjustment::SharpenedQ {
                prop_assert!(p.iter().zip(&adjusted).all(|(p, adjusted)| p <= adjusted), "{adjustment}");
            }
            let backwards: Vec<f64> = p.iter().rev().copied().collect();
            let mut again = adjustment.adjust(&backwards)?;
            again.reverse();
            if adjustment == Adjustment::FixedSequence {
                prop_assert!(adjusted.windows(2).all(|pair| pair[0] <= pair[1]));
                continue;
            }
            prop_assert_eq!(&adjusted, &again, "{}", adjustment);
            for (i, a) in p.iter().enumerate() {
                for (j, b) in p.iter().enumerate() {
                    // Factors of neighbours may round apart.
                    prop_assert!(a > b || adjusted[i] <= adjusted[j] * (1.0 + 1e-12), "{adjustment}: {i} {j}");
                }
            }
        }
    }

    #[test]
    fn sharper_procedures_reject_more(p in p_values(12)) {
        use Adjustment::{
            BenjaminiHochberg, BenjaminiYekutieli, Bonferroni, Hochberg, Holm, HolmSidak, Hommel, Sidak,
        };
        let of = |adjustment: Adjustment| adjustment.adjust(&p).unwrap();
        for (less, more) in [
            (Holm, Bonferroni),
            (Hochberg, Holm),
            (Hommel, Hochberg),
            (HolmSidak, Holm),
            (HolmSidak, Sidak),
            (Sidak, Bonferroni),
            (BenjaminiHochberg, Hochberg),
            (BenjaminiHochberg, BenjaminiYekutieli),
        ] {
            prop_assert!(at_most(&of(less), &of(more)), "{less} and {more}: {:?} {:?}", of(less), of(more));
        }
    }

    #[test]
    fn one_hypothesis_needs_no_adjustment(p in p_value()) {
        for adjustment in Adjustment::ALL {
            if adjustment != Adjustment::SharpenedQ {
                prop_assert!(near(adjustment.adjust(&[p])?[0], p, 1e-14), "{adjustment}");
            }
        }
        prop_assert!(near(Graph::holm(1)?.adjust(&[p])?[0], p, 1e-14));
        prop_assert_eq!(closed_test(1, |_| Ok(p))?.adjusted, [p]);
        prop_assert_eq!(serial_gatekeeping(&[vec![p]], Adjustment::Holm)?, [vec![p]]);
    }

    #[test]
    fn known_procedures_are_graphs_and_closed_tests(p in p_values(7)) {
        let m = p.len();
        let holm = Adjustment::Holm.adjust(&p)?;
        prop_assert!(all_near(&Graph::holm(m)?.adjust(&p)?, &holm, 1e-9));
        prop_assert!(all_near(&Graph::weighted_holm(&vec![2.5; m])?.adjust(&p)?, &holm, 1e-9));
        let bonferroni = closed_test(m, |places| Ok((places.len() as f64 * smallest(&p, places)).min(1.0)))?;
        prop_assert!(all_near(&bonferroni.adjusted, &holm, 1e-12));
        prop_assert!(bonferroni.is_consonant(0.05) && bonferroni.is_consonant(0.3));
        prop_assert_eq!(bonferroni.intersections.len(), (1 << m) - 1);
        let closed = closed_test(m, |places| Ok(simes(&p, places)))?;
        prop_assert!(all_near(&closed.adjusted, &Adjustment::Hommel.adjust(&p)?, 1e-12));
        let sequence = Adjustment::FixedSequence.adjust(&p)?;
        prop_assert!(all_near(&Graph::fixed_sequence(m)?.adjust(&p)?, &sequence, 1e-12));
        // One gate is Holm's procedure after it.
        let gated = Graph::parallel_gatekeeping(&[1.0], m - 1)?.adjust(&p)?;
        if m > 1 {
            let serial = serial_gatekeeping(&[vec![p[0]], p[1..].to_vec()], Adjustment::Holm)?.concat();
            prop_assert!(all_near(&gated, &serial, 1e-9), "{gated:?} {serial:?}");
        }
    }

    /// The shortcut takes m steps, the closed test all intersections.
    #[test]
    fn a_graph_is_the_closed_test_of_its_weights(
        (graph, p) in graph(5).prop_flat_map(|graph| {
            let m = graph.len();
            (Just(graph), prop::collection::vec(p_value(), m))
        })
    ) {
        let closed = closed_test(graph.len(), |places| {
            let weights = graph.weights_within(places)?;
            let ratios = places.iter().filter(|&&i| weights[i] > 0.0).map(|&i| p[i] / weights[i]);
            Ok(ratios.fold(1.0, f64::min))
        })?;
        let test = graph.test(&p, 0.1)?;
        prop_assert!(all_near(&test.adjusted, &closed.adjusted, 1e-9), "{:?} {:?}", test, closed.adjusted);
        prop_assert!(p.iter().zip(&test.adjusted).all(|(p, adjusted)| p <= adjusted));
        prop_assert!(test.remaining.weights().iter().sum::<f64>() <= 1.0 + 1e-9);
        survives(&test);
        survives(&graph);
    }

    #[test]
    fn a_sharpened_q_is_the_smallest_rate_at_which_two_stages_reject(p in p_values(12)) {
        let sharpened = Adjustment::SharpenedQ.adjust(&p)?;
        for (i, q) in sharpened.into_iter().enumerate() {
            let (below, above) = (q * (1.0 - 1e-9), q * (1.0 + 1e-9));
            if below > 0.0 && q < 1.0 {
                prop_assert!(!two_stage_rejections(&p, below)?.rejected[i], "{i} at {below}");
            }
            if above > 0.0 && above < 1.0 {
                prop_assert!(two_stage_rejections(&p, above)?.rejected[i], "{i} at {above}");
            }
        }
    }

    #[test]
    fn combined_p_values_follow_the_smallest(
        p in prop::collection::vec(1e-12..0.999_999_f64, 1..8), place in 0_usize..8,
    ) {
        for combination in Combination::ALL {
            let combined = combination.combine(&p)?;
            prop_assert!((0.0..=1.0).contains(&combined.p_value), "{combined:?}");
            if p.len() == 1 {
                prop_assert!(near(combined.p_value, p[0], 1e-9), "{combined:?}");
            }
            let mut smaller = p.clone();
            smaller[place % p.len()] *= 0.5;
            let less = combination.combine(&smaller)?.p_value;
            prop_assert!(less <= combined.p_value * (1.0 + 1e-9) + 1e-12, "{combination:?}: {less}");
            survives(&combined);
        }
        let weights = vec![3.0; p.len()];
        for combination in [Combination::Stouffer, Combination::Cauchy] {
            let weighted = combination.combine_weighted(&p, &weights)?.p_value;
            prop_assert!(near(weighted, combination.combine(&p)?.p_value, 1e-12));
        }
    }

    #[test]
    fn no_p_value_breaks_a_combination(p in p_values(8)) {
        for combination in Combination::ALL {
            match combination.combine(&p) {
                Ok(combined) => {
                    prop_assert!((0.0..=1.0).contains(&combined.p_value), "{combined:?}");
                    prop_assert!(!combined.statistic.is_nan());
                    survives(&combined);
                }
                Err(error) => {
                    prop_assert_eq!(error.kind().name(), "not_estimable");
                    prop_assert!(p.contains(&0.0) && p.contains(&1.0));
                }
            }
        }
    }

    #[test]
    fn steps_down_reject_more_than_one_step(
        (t, draws) in (1_usize..5, 1_usize..20).prop_flat_map(|(m, b)| (
            prop::collection::vec(-3.0..3.0_f64, m),
            prop::collection::vec(-3.0..3.0_f64, m * b),
        ))
    ) {
        let draws = Array2::from_shape_vec((draws.len() / t.len(), t.len()), draws).unwrap();
        for side in SIDES {
            let test = romano_wolf(&t, draws.view(), side)?;
            prop_assert!(at_most(&test.unadjusted, &test.step_down));
            prop_assert!(at_most(&test.step_down, &test.single_step));
            prop_assert!(test.unadjusted.iter().all(|p| *p * (draws.nrows() + 1) as f64 >= 1.0 - 1e-9));
            survives(&test);
        }
    }

    /// `P(Z_1 > 0 or Z_2 > 0)` has a closed form, whatever the scale.
    #[test]
    fn two_statistics_above_zero(r in -0.99..0.99_f64, df in prop_oneof![Just(None), (0.5..50.0_f64).prop_map(Some)]) {
        let correlation = Array2::from_shape_fn((2, 2), |(i, j)| if i == j { 1.0 } else { r });
        let t = MultivariateT::new(correlation.view(), df)?;
        let tail = t.tail_of_maximum(0.0, Alternative::Greater)?;
        let neither = 0.25 + r.asin() / (2.0 * std::f64::consts::PI);
        prop_assert!(near(tail.probability, 1.0 - neither, 1e-10), "{} {neither}", tail.probability);
    }

    #[test]
    fn independent_statistics_are_sidaks(k in 1_usize..8, c in -4.0..9.0_f64) {
        let t = MultivariateT::new(Array2::eye(k).view(), None)?;
        let m = k as f64;
        let any = |p: f64| -(m * (-p).ln_1p()).exp_m1();
        let greater = t.tail_of_maximum(c, Alternative::Greater)?.probability;
        prop_assert!(near(greater, any(Normal.sf(c)), 1e-12) && greater >= Normal.sf(c));
        let both = t.tail_of_maximum(c.abs(), Alternative::TwoSided)?.probability;
        let right = any((2.0 * Normal.sf(c.abs())).min(1.0));
        prop_assert!((both - right).abs() <= 1e-9 * right, "{both:e} {right:e}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Raw, step-down, single step, Bonferroni: in this order, for any correlation.
    #[test]
    fn joint_p_values_lie_between_raw_and_bonferroni(
        (estimates, covariance, df) in joint(5), level in 0.5..0.99_f64,
    ) {
        let contrasts = Contrasts::new(&estimates, covariance.view(), df)?;
        let k = estimates.len() as f64;
        for side in SIDES {
            let together = contrasts.simultaneous(side, level)?;
            for one in &together.contrasts {
                prop_assert!(one.p_value <= one.step_down && one.step_down <= one.single_step, "{one:?}");
                prop_assert!(one.single_step <= (k * one.p_value).min(1.0), "{one:?}");
                if k == 1.0 {
                    prop_assert_eq!(one.single_step, one.p_value);
                }
                let clear = (one.single_step - (1.0 - level)).abs() > 1e-6;
                prop_assert!(!clear || (one.single_step < 1.0 - level) != one.interval.contains(0.0), "{together:?}");
            }
            for (i, one) in together.contrasts.iter().enumerate() {
                for other in &together.contrasts[..i] {
                    let farther = match side {
                        Alternative::TwoSided => one.statistic.abs() > other.statistic.abs(),
                        Alternative::Greater => one.statistic > other.statistic,
                        _ => one.statistic < other.statistic,
                    };
                    let (near, far) = if farther { (other, one) } else { (one, other) };
                    prop_assert!(far.single_step <= near.single_step * (1.0 + 1e-9));
                    prop_assert!(far.step_down <= near.step_down * (1.0 + 1e-9));
                }
            }
            survives(&together);
        }
    }

    /// Signs turn the side around; units change nothing.
    #[test]
    fn signs_and_units((estimates, covariance, df) in joint(4)) {
        let contrasts = Contrasts::new(&estimates, covariance.view(), df)?;
        let p = |contrasts: &Contrasts, side| -> Vec<f64> {
            let together = contrasts.simultaneous(side, 0.9).unwrap();
            together.contrasts.iter().flat_map(|one| [one.single_step, one.step_down]).collect()
        };
        let turned: Vec<f64> = estimates.iter().map(|b| -b).collect();
        let turned = Contrasts::new(&turned, covariance.view(), df)?;
        prop_assert!(all_near(&p(&turned, Alternative::Less), &p(&contrasts, Alternative::Greater), 1e-12));
        let scaled: Vec<f64> = estimates.iter().map(|b| 8.0 * b).collect();
        let scaled = Contrasts::new(&scaled, (64.0 * &covariance).view(), df)?;
        prop_assert_eq!(p(&scaled, Alternative::TwoSided), p(&contrasts, Alternative::TwoSided));
    }

    /// Step-down is the closed test of the single step, where the structure makes both exact.
    #[test]
    fn step_down_dunnett_is_the_closed_test(
        sizes in prop::collection::vec(2_u64..40, 3..5), means in prop::collection::vec(-2.0..2.0_f64, 5),
    ) {
        let groups: Vec<Sample> =
            sizes.iter().zip(&means).map(|(&n, &mean)| Sample { n, mean, sd: 1.5 }).collect();
        let contrasts = GroupMeans::new(&groups)?.dunnett(0)?;
        for side in SIDES {
            let together = contrasts.simultaneous(side, 0.95)?;
            let closed = closed_test(contrasts.len(), |places| contrasts.intersection(places, side))?;
            let steps: Vec<f64> = together.contrasts.iter().map(|one| one.step_down).collect();
            prop_assert!(all_near(&steps, &closed.adjusted, 1e-9), "{steps:?} {:?}", closed.adjusted);
        }
    }
}
