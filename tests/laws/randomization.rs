//! Laws of randomisation tests: their level by enumeration, other routes to the same p-values, intervals and
//! step-down families.

use armwise::multiplicity::Alternative;
use armwise::proportion::{Proportion, TwoProportions};
use armwise::randomization::{
    Assignments, Exactness, JointStatistic, NullDistribution, Replay, ReplayOptions, Statistic, replay_each,
};
use armwise::rank::RankSum;
use proptest::prelude::*;

/// All assignments of a design, as groups by row.
fn all(assignments: &Assignments) -> Vec<Vec<u32>> {
    let seen = std::sync::Mutex::new(Vec::new());
    let options = ReplayOptions::default().exactness(Exactness::AssignmentsOnly);
    replay_each(assignments, options, vec![0.0], |groups| {
        seen.lock().unwrap().push(groups.to_vec());
        Ok(Some(vec![0.0]))
    })
    .unwrap();
    seen.into_inner().unwrap()
}

/// Blocks and clusters of a small design, with its groups.
#[derive(Debug, Clone)]
struct Small {
    group: Vec<u32>,
    block: Option<Vec<u32>>,
    cluster: Option<Vec<u32>>,
    statistics: Vec<Statistic>,
}

impl Small {
    fn assignments(&self, group: &[u32]) -> Assignments {
        let mut assignments = Assignments::new(group).unwrap();
        if let Some(block) = &self.block {
            assignments = assignments.within(block).unwrap();
        }
        if let Some(cluster) = &self.cluster {
            assignments = assignments.by_cluster(cluster).unwrap();
        }
        assignments
    }
}

fn designs() -> Vec<Small> {
    use Statistic::*;
    let plain =
        vec![DifferenceInMeans, StudentizedDifference, RankSum, LeastSquares, StudentizedLeastSquares];
    vec![
        Small { group: vec![0, 1, 0, 1, 0, 1, 1], block: None, cluster: None, statistics: plain.clone() },
        // Three arms of two.
        Small {
            group: vec![0, 1, 2, 0, 1, 2],
            block: None,
            cluster: None,
            statistics: vec![DifferenceInMeans, StudentizedDifference, RankSum, LeastSquares, AnovaF],
        },
        Small {
            group: vec![0, 1, 0, 1, 0, 1, 1, 0],
            block: Some(vec![0, 0, 0, 0, 1, 1, 1, 1]),
            cluster: None,
            statistics: vec![
                DifferenceInMeans,
                BlockedDifferenceInMeans,
                BlockedStudentizedDifference,
                VanElteren,
                StudentizedDifference,
            ],
        },
        Small {
            group: vec![0, 1, 1, 0, 0, 1, 1, 0, 0, 1],
            block: Some(vec![0, 0, 1, 1, 2, 2, 3, 3, 4, 4]),
            cluster: None,
            statistics: vec![PairedMeanDifference, PairedT, SignedRank, BlockedDifferenceInMeans],
        },
        // Four clusters in each arm, of one to three people.
        Small {
            group: vec![0, 0, 1, 1, 1, 0, 1, 0, 0, 1, 0, 1, 1],
            block: None,
            cluster: Some(vec![0, 0, 1, 1, 1, 2, 3, 4, 4, 5, 6, 7, 7]),
            statistics: vec![
                DifferenceInMeans,
                StudentizedDifference,
                DifferenceInClusterMeans,
                StudentizedClusterMeans,
                LeastSquares,
            ],
        },
    ]
}

/// Whole numbers, often tied, and decimals.
fn outcomes(n: usize) -> impl Strategy<Value = Vec<f64>> {
    prop_oneof![
        prop::collection::vec((0_u8..5).prop_map(f64::from), n),
        prop::collection::vec((0_u8..2).prop_map(f64::from), n),
        prop::collection::vec(-10.0..10.0_f64, n),
        prop::collection::vec((0_i32..60).prop_map(|tenths| f64::from(tenths) / 10.0 + 1e6), n),
    ]
}

/// A share of assignments at or below each p-value that is no larger than the p-value.
fn keeps_level(mut p: Vec<f64>) {
    p.sort_by(f64::total_cmp);
    let n = p.len() as f64;
    for (place, alpha) in p.iter().enumerate() {
        if p.get(place + 1).is_none_or(|next| next > alpha) {
            assert!((place + 1) as f64 / n <= alpha + 1e-9, "{} rejected at {alpha}", (place + 1) as f64 / n);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the outcomes, the test of every assignment rejects at most alpha of them, two-sided and
    /// one-sided, jointly and adjusted.
    #[test]
    fn type_one_error(which in 0_usize..5, y in outcomes(13), other in outcomes(13), x in prop::collection::vec(-2.0..2.0_f64, 13)) {
        let design = &designs()[which];
        let n = design.group.len();
        let everything = all(&design.assignments(&design.group));
        let arms = *design.group.iter().max().unwrap();
        for &statistic in &design.statistics {
            let (mut p, mut joint) = (vec![Vec::new(); 5], Vec::new());
            for group in &everything {
                let assignments = design.assignments(group);
                let treatments: Vec<u32> = (1..=arms).collect();
                let mut replay = Replay::new(&assignments, statistic).outcome(&y[..n]).treatments(&treatments);
                if matches!(statistic, Statistic::LeastSquares | Statistic::StudentizedLeastSquares) {
                    replay = replay.covariate(&x[..n]);
                } else {
                    replay = replay.outcome(&other[..n]);
                }
                // A studentised coefficient may not exist for an assignment that covariates tell.
                let Ok(null) = replay.run() else { continue };
                let own = null.p_values(0);
                p[0].push(own.two_sided);
                p[1].push(own.greater);
                p[2].push(own.less);
                joint.push(null.joint(JointStatistic::LargestAbsolute).1);
                let adjusted = null.step_down(Alternative::TwoSided).unwrap();
                let smallest = |p: &[f64]| p.iter().copied().fold(1.0, f64::min);
                p[3].push(smallest(&adjusted.max_t_step_down));
                p[4].push(smallest(&adjusted.min_p_step_down));
                for ((raw, single), step) in
                    adjusted.unadjusted.iter().zip(&adjusted.max_t_single_step).zip(&adjusted.max_t_step_down)
                {
                    prop_assert!(*raw <= step + 1e-12 && *step <= single + 1e-12, "{raw} {step} {single}");
                }
            }
            if joint.len() == everything.len() {
                p.into_iter().chain([joint]).for_each(keeps_level);
            }
        }
    }

    /// One-sided p-values of an event are Fisher's, two-sided ones where arms are equal.
    #[test]
    fn events_are_fishers(n in 1_u64..40, m in 1_u64..40, x in 0_u64..40, z in 0_u64..40) {
        let (treated, control) = (Proportion::new(x.min(n), n).unwrap(), Proportion::new(z.min(m), m).unwrap());
        let (mut group, mut y) = (Vec::new(), Vec::new());
        for (code, arm) in [(1, treated), (0, control)] {
            for person in 0..arm.n() {
                group.push(code);
                y.push(f64::from(u8::from(person < arm.events())));
            }
        }
        let assignments = Assignments::new(&group).unwrap();
        let null = Replay::new(&assignments, Statistic::DifferenceInMeans).outcome(&y).run().unwrap();
        prop_assert!(null.replays().exact());
        let (own, fisher) = (null.p_values(0), TwoProportions::new(treated, control).fisher_test());
        prop_assert!((own.greater - fisher.greater).abs() <= 1e-11, "{own:?} {fisher:?}");
        prop_assert!((own.less - fisher.less).abs() <= 1e-11, "{own:?} {fisher:?}");
        if n == m {
            prop_assert!((own.two_sided - fisher.two_sided).abs() <= 1e-11, "{own:?} {fisher:?}");
        }
    }

    /// Tables of counts and distributions of sums give the p-values of the list of all assignments.
    #[test]
    fn exact_routes_agree(which in 0_usize..4, y in outcomes(13), events in any::<bool>()) {
        let design = &designs()[which];
        let n = design.group.len();
        let y: Vec<f64> = y[..n].iter().map(|y| if events { f64::from(u8::from(*y > 1.0)) } else { *y }).collect();
        let assignments = design.assignments(&design.group);
        let arms = *design.group.iter().max().unwrap();
        let treatments: Vec<u32> = (1..=arms).collect();
        for &statistic in &design.statistics {
            let replay = Replay::new(&assignments, statistic).outcome(&y).treatments(&treatments);
            let Ok(listed) = replay.run() else { continue };
            let other = replay.clone().enumerate_up_to(1).draws(1).run().unwrap();
            if other.replays().exact() {
                for arm in 0..listed.observed().len() {
                    let [a, b] = [listed.p_values(arm), other.p_values(arm)];
                    for (a, b) in [(a.two_sided, b.two_sided), (a.greater, b.greater), (a.less, b.less)] {
                        prop_assert!((a - b).abs() <= 1e-9, "{statistic:?}: {a} and {b}");
                    }
                }
            }
        }
    }

    /// The interval holds the effects that the test does not reject, and no others.
    #[test]
    fn intervals_invert_the_test(which in 0_usize..5, y in prop::collection::vec(-10.0..10.0_f64, 13), at in 0.0..1.0_f64) {
        let design = &designs()[which];
        let n = design.group.len();
        let assignments = design.assignments(&design.group).among(&[0, 1]);
        let z: Vec<f64> = design.group.iter().map(|group| f64::from(u8::from(*group == 1))).collect();
        for &statistic in &design.statistics {
            let replay = Replay::new(&assignments, statistic).outcome(&y[..n]);
            let level = 0.8;
            let Ok(interval) = replay.interval(level) else { continue };
            let p = |effect: f64| {
                let shifted: Vec<f64> = y[..n].iter().zip(&z).map(|(y, z)| y - effect * z).collect();
                Replay::new(&assignments, statistic).outcome(&shifted).run().unwrap().p_values(0)
            };
            let [low, high] = [interval.interval.lower(), interval.interval.upper()];
            let inside = low.max(-1e3) + at * (high.min(1e3) - low.max(-1e3));
            // Effects within rounding of a jump belong to either side.
            if interval.is_whole && inside > low + 1e-6 && inside < high - 1e-6 {
                prop_assert!(p(inside).two_sided > 1.0 - level - 1e-9, "{statistic:?} {interval:?} {inside}");
            }
            if high.is_finite() {
                prop_assert!(p(high + 1e-4 + at).two_sided <= 1.0 - level + 1e-9, "{statistic:?} {interval:?}");
                prop_assert!(p(low - 1e-4 - at).two_sided <= 1.0 - level + 1e-9, "{statistic:?} {interval:?}");
            }
            if interval.lower_bound.is_finite() {
                prop_assert!(p(interval.lower_bound - 1e-4 - at).greater <= 1.0 - level + 1e-9, "{statistic:?} {interval:?}");
                // A studentised test need not be monotone in the effect.
                let inside = p(interval.lower_bound + 1e-4 + at).greater;
                prop_assert!(!statistic.is_linear() || inside > 1.0 - level - 1e-9, "{statistic:?} {interval:?}");
            }
        }
    }

    /// Ranks without ties have Wilcoxon's exact distribution.
    #[test]
    fn rank_sums_are_wilcoxons(x in prop::collection::vec(-5.0..5.0_f64, 2..7), y in prop::collection::vec(-5.0..5.0_f64, 2..7)) {
        let group: Vec<u32> = x.iter().map(|_| 1).chain(y.iter().map(|_| 0)).collect();
        let values: Vec<f64> = x.iter().chain(&y).copied().collect();
        let assignments = Assignments::new(&group).unwrap();
        let own = Replay::new(&assignments, Statistic::RankSum).outcome(&values).run().unwrap().p_values(0);
        let ranks = RankSum::new(&x, &y).unwrap();
        if !ranks.has_ties() {
            let exact = ranks.exact_test().unwrap();
            prop_assert!((own.greater - exact.greater).abs() <= 1e-11 && (own.less - exact.less).abs() <= 1e-11);
        }
    }

    /// Another unit, another origin and another sign change nothing but the side.
    #[test]
    fn scale_and_sign(y in prop::collection::vec((0_u8..9).prop_map(f64::from), 8), factor in 0.1..50.0_f64, shift in -1e3..1e3_f64) {
        let assignments = Assignments::new(&[0, 1, 0, 1, 0, 1, 0, 1]).unwrap();
        let p = |y: &[f64]| Replay::new(&assignments, Statistic::StudentizedDifference).outcome(y).run().unwrap().p_values(0);
        let moved: Vec<f64> = y.iter().map(|y| factor * y + shift).collect();
        let turned: Vec<f64> = y.iter().map(|y| -y).collect();
        let (own, moved, turned) = (p(&y), p(&moved), p(&turned));
        prop_assert!((own.two_sided - moved.two_sided).abs() < 1e-12, "{own:?} {moved:?}");
        prop_assert!((own.greater - turned.less).abs() < 1e-12 && (own.less - turned.greater).abs() < 1e-12);
    }

    /// Drawn p-values are the exact ones within their Monte Carlo error; six of it, as seeds are many.
    #[test]
    fn draws_approach_the_exact_p_value(which in 0_usize..5, y in outcomes(13), seed in any::<u64>()) {
        let design = &designs()[which];
        let n = design.group.len();
        let assignments = design.assignments(&design.group);
        let arms = *design.group.iter().max().unwrap();
        let treatments: Vec<u32> = (1..=arms).collect();
        let replay = Replay::new(&assignments, design.statistics[0]).outcome(&y[..n]).treatments(&treatments);
        let (draws, exact) = (3_000, replay.run().unwrap());
        let drawn = replay.clone().exactness(Exactness::Never).draws(draws).seed(seed).run().unwrap();
        for arm in 0..exact.observed().len() {
            let [a, b] = [exact.p_values(arm), drawn.p_values(arm)];
            for (a, b) in [(a.two_sided, b.two_sided), (a.greater, b.greater), (a.less, b.less)] {
                let error = (a * (1.0 - a) / draws as f64).sqrt();
                prop_assert!((a - b).abs() <= 6.0 * error + 1.0 / draws as f64, "{a} and {b}");
            }
        }
    }
}

/// Every assignment is drawn with the same probability, in blocks of any size.
#[test]
fn draws_are_uniform() {
    let group = [0, 1, 2, 0, 1, 0, 1, 1, 0];
    let assignments = Assignments::new(&group).unwrap().within(&[0, 0, 0, 0, 0, 1, 1, 1, 1]).unwrap();
    let n = usize::try_from(assignments.count().unwrap()).unwrap();
    assert_eq!(n, 180);
    let draws = 90_000;
    let counts = std::sync::Mutex::new(std::collections::BTreeMap::new());
    let options = ReplayOptions::default().exactness(Exactness::Never).draws(draws).seed(11);
    replay_each(&assignments, options, vec![0.0], |groups| {
        *counts.lock().unwrap().entry(groups.to_vec()).or_insert(0_u32) += 1;
        Ok(Some(vec![0.0]))
    })
    .unwrap();
    let counts = counts.into_inner().unwrap();
    assert_eq!(counts.len(), n);
    let expected = draws as f64 / n as f64;
    let chi2: f64 = counts.values().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum();
    // 179 degrees of freedom: mean 179, standard deviation 19.
    assert!((100.0..265.0).contains(&chi2), "{chi2}");
}

/// Outcomes of two values are drawn as counts: every pair of differences as often as among all assignments.
#[test]
fn counts_are_drawn_as_often_as_rows() {
    let group = [0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2, 1];
    let block = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1];
    let assignments = Assignments::new(&group).unwrap().within(&block).unwrap();
    for [low, high] in [[0.0, 1.0], [-1.25, 40.5]] {
        let y: Vec<f64> =
            [0_usize, 1, 1, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0].map(|event| [low, high][event]).to_vec();
        for statistic in [Statistic::DifferenceInMeans, Statistic::BlockedDifferenceInMeans] {
            let replay = Replay::new(&assignments, statistic).outcome(&y).treatments(&[1, 2]);
            let shares = |null: &NullDistribution| {
                let mut shares = std::collections::BTreeMap::new();
                let first: Vec<f64> = null.statistics(0).collect();
                for (one, other) in first.iter().zip(null.statistics(1)) {
                    let key = [one, &other].map(|value| format!("{:.6}", value / (high - low) + 0.0));
                    *shares.entry(key).or_insert(0.0) += 1.0 / first.len() as f64;
                }
                shares
            };
            let all = shares(&replay.clone().exactness(Exactness::AssignmentsOnly).run().unwrap());
            let draws = 40_000_u32;
            let drawn = replay.clone().exactness(Exactness::Never).draws(draws.into()).seed(5).run().unwrap();
            let drawn = shares(&drawn);
            let chi2: f64 = all
                .iter()
                .map(|(key, share)| {
                    (drawn.get(key).unwrap_or(&0.0) - share).powi(2) / share * f64::from(draws)
                })
                .sum();
            let df: f64 = all.len() as f64 - 1.0;
            assert!(drawn.keys().all(|key| all.contains_key(key)), "{statistic:?}: {drawn:?}");
            assert!((chi2 - df).abs() < 5.0 * (2.0 * df).sqrt(), "{statistic:?}: {chi2} on {df}");
        }
    }
}

/// The same of a block above a thousand units, whose numbers come one from a word: the sum of a group has its
/// mean and its variance.
#[test]
fn large_blocks() {
    let n = 2_500_u32;
    let group: Vec<u32> = (0..n).map(|i| i % 5 % 3).collect();
    let y: Vec<f64> = (0..n).map(f64::from).collect();
    let assignments = Assignments::new(&group).unwrap();
    let sums = |groups: &[u32]| {
        let treated = groups.iter().zip(&y).filter(|(group, _)| **group == 2);
        Ok(Some(vec![treated.map(|(_, y)| y).sum::<f64>()]))
    };
    let options = ReplayOptions::default().draws(4_000).seed(3);
    let null = replay_each(&assignments, options, vec![0.0], sums).unwrap();
    let values: Vec<f64> = null.statistics(0).collect();
    let (k, n) = (assignments.units_of_groups()[2] as f64, f64::from(n));
    let mean = values.iter().sum::<f64>() / 4_000.0;
    let variance = values.iter().map(|sum| (sum - mean).powi(2)).sum::<f64>() / 3_999.0;
    let expected = k * (n - k) / n * (n * (n + 1.0) / 12.0);
    assert!((mean - k * (n - 1.0) / 2.0).abs() < 5.0 * (expected / 4_000.0).sqrt(), "{mean}");
    assert!((variance / expected - 1.0).abs() < 0.12, "{variance} for {expected}");
}
