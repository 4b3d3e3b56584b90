//! Two proportions: curves, intervals, conditional distributions, strata.

use approx::assert_relative_eq;
use armwise::effect::{ConfidenceCurve, Inference};
use armwise::internal::{Hypergeometric, StratifiedArms};
use armwise::one_stage::ArmTotal;
use armwise::proportion::{
    CountInterval, DifferenceInterval, DifferenceTest, MantelHaenszelVariance, MidPTwoSided,
    OddsRatioInterval, Proportion, TwoProportions,
};

fn counts(x1: u64, n1: u64, x0: u64, n0: u64) -> TwoProportions {
    TwoProportions::new(Proportion::new(x1, n1).unwrap(), Proportion::new(x0, n0).unwrap())
}

fn curve(method: CountInterval, counts: TwoProportions, (value, se): (f64, f64)) -> Inference {
    Inference::new(value, se, None, 0.95, ConfidenceCurve::Counts { method, counts }).unwrap()
}

#[test]
fn score_curves_equal_the_score_tests_of_margins() {
    for two in [counts(6, 40, 1, 40), counts(56, 70, 48, 80), counts(0, 20, 3, 30), counts(9, 10, 3, 10)] {
        for (interval, test) in [
            (DifferenceInterval::MiettinenNurminen, DifferenceTest::MiettinenNurminen),
            (DifferenceInterval::Mee, DifferenceTest::FarringtonManning),
        ] {
            for margin in [-0.4, -0.1, 0.0, 0.02, 0.3] {
                let difference = two.difference();
                let curve =
                    curve(CountInterval::Difference(interval), two, (difference.estimate, difference.se));
                let (above, below) = (curve.p_above(margin).unwrap(), curve.p_below(margin).unwrap());
                let test = two.difference_test(margin, test).unwrap().p_values;
                assert!((above - test.greater).abs() <= 1e-9 * test.greater + 1e-15, "{two:?} {margin}");
                assert!((below - test.less).abs() <= 1e-9 * test.less + 1e-15, "{two:?} {margin}");
            }
        }
    }
}

#[test]
fn exact_curves_are_fishers_test_at_no_effect() {
    let two = counts(7, 60, 2, 58);
    let odds = two.odds_ratio().unwrap();
    let method = CountInterval::OddsRatio(OddsRatioInterval::ExactConditional);
    let curve = curve(method, two, (odds.log_estimate.unwrap(), odds.se_log.unwrap()));
    let (above, below) = (curve.p_above(0.0).unwrap(), curve.p_below(0.0).unwrap());
    let fisher = two.fisher_test();
    assert!((above - fisher.greater).abs() < 1e-14 && (below - fisher.less).abs() < 1e-14);
}

/// Newcombe (1998b), table II: contrasts (a) to (h) by methods 1, 2, 5 (Mee), 6 (Miettinen-Nurminen), 10 and
/// 11.
#[test]
fn reproduces_newcombes_table() {
    use DifferenceInterval::{Mee, MiettinenNurminen, Newcombe, NewcombeContinuity, Wald, WaldContinuity};
    let table = [
        ((56, 70, 48, 80), Wald, 0.0575, 0.3425),
        ((56, 70, 48, 80), WaldContinuity, 0.0441, 0.3559),
        ((56, 70, 48, 80), Mee, 0.0533, 0.3377),
        ((56, 70, 48, 80), MiettinenNurminen, 0.0528, 0.3382),
        ((56, 70, 48, 80), Newcombe, 0.0524, 0.3339),
        ((56, 70, 48, 80), NewcombeContinuity, 0.0428, 0.3422),
        ((9, 10, 3, 10), Mee, 0.1821, 0.8370),
        ((9, 10, 3, 10), MiettinenNurminen, 0.1700, 0.8406),
        ((9, 10, 3, 10), Newcombe, 0.1705, 0.8090),
        ((9, 10, 3, 10), NewcombeContinuity, 0.1013, 0.8387),
        ((6, 7, 2, 7), MiettinenNurminen, 0.0342, 0.8534),
        ((6, 7, 2, 7), Newcombe, 0.0582, 0.8062),
        ((6, 7, 2, 7), NewcombeContinuity, -0.0290, 0.8423),
        ((5, 56, 0, 29), Wald, 0.0146, 0.1640),
        ((5, 56, 0, 29), MiettinenNurminen, -0.0326, 0.1933),
        ((5, 56, 0, 29), Newcombe, -0.0381, 0.1926),
        ((5, 56, 0, 29), NewcombeContinuity, -0.0667, 0.2037),
        ((0, 10, 0, 20), Mee, -0.1611, 0.2775),
        ((0, 10, 0, 20), MiettinenNurminen, -0.1658, 0.2844),
        ((0, 10, 0, 10), Newcombe, -0.2775, 0.2775),
        ((10, 10, 0, 10), Mee, 0.6777, 1.0),
        ((10, 10, 0, 10), MiettinenNurminen, 0.6636, 1.0),
        ((10, 10, 0, 10), Newcombe, 0.6075, 1.0),
    ];
    for ((x1, n1, x0, n0), method, lower, upper) in table {
        let two = TwoProportions::new(Proportion::new(x1, n1).unwrap(), Proportion::new(x0, n0).unwrap());
        let got = two.difference_interval(method, 0.95).unwrap();
        assert!((got.lower() - lower).abs() < 6e-5, "{x1}/{n1} {x0}/{n0} {method:?}: {got:?}");
        assert!((got.upper() - upper).abs() < 6e-5, "{x1}/{n1} {x0}/{n0} {method:?}: {got:?}");
    }
}

/// The tails by products of factorials, for every table of groups of 5 and 9 and several odds ratios.
#[test]
fn tails_equal_the_sums_of_the_definition() {
    let choose = |n: u32, k: u32| (0..k).fold(1.0, |c, i| c * f64::from(n - i) / f64::from(i + 1));
    for odds_ratio in [1e-6_f64, 0.3, 1.0, 2.5, 1e5] {
        for x1 in 0..=5_u32 {
            for x0 in 0..=9_u32 {
                let m = x1 + x0;
                let weight = |k: u32| choose(5, k) * choose(9, m - k) * odds_ratio.powi(k.cast_signed());
                let support = m.saturating_sub(9)..=m.min(5);
                let total: f64 = support.clone().map(weight).sum();
                let below = support.clone().filter(|k| *k < x1).map(weight).sum::<f64>() / total;
                let above = support.filter(|k| *k > x1).map(weight).sum::<f64>() / total;
                let arm = |events: u32, n| ArmTotal { events: events.into(), n };
                let got = Hypergeometric::of_arms(arm(x1, 5), arm(x0, 9)).tails(odds_ratio);
                assert!((got.below - below).abs() <= 1e-14 * below, "{x1} {x0} {odds_ratio}: {got:?}");
                assert!((got.above - above).abs() <= 1e-14 * above, "{x1} {x0} {odds_ratio}: {got:?}");
                assert!((got.at - weight(x1) / total).abs() <= 1e-14 * got.at);
            }
        }
    }
}

/// Sums over the walk, beside those that take integrals of the weights.
#[test]
fn wide_tables_have_the_sums_of_their_weights() {
    let arm = |events: u64, n| ArmTotal { events, n };
    let wide = 80_000_000_u64;
    for (x1, n1, x0, n0, odds_ratio) in [
        (40_003_000, wide, 40_000_000, wide, 1.0_f64),
        (40_030_000, wide, 40_000_000, wide, 1.0),
        (25_000_000, wide, 29_500_000, 3 * wide, 3.2435),
        (40_000_000, 100_000_000, 45_000_000, 100_000_000, 0.815),
    ] {
        let m = x1 + x0;
        let (n1f, n0f, mf) = (n1 as f64, n0 as f64, m as f64);
        let ratio = |k: f64| odds_ratio * ((n1f - k) / (k + 1.0)) * ((mf - k) / (n0f - mf + k + 1.0));
        // From the observed value both ways until nothing is left, relative to its own weight.
        let x = x1 as f64;
        let side = |up: bool| {
            let (mut k, mut weight, mut sum) = (x, 1.0, 0.0);
            while weight > 1e-18 * (1.0 + sum) {
                if up {
                    weight *= ratio(k);
                    k += 1.0;
                } else {
                    k -= 1.0;
                    weight /= ratio(k);
                }
                sum += weight;
            }
            sum
        };
        let (below, above) = (side(false), side(true));
        let total = below + 1.0 + above;
        let got = Hypergeometric::of_arms(arm(x1, n1), arm(x0, n0)).tails(odds_ratio);
        for (got, wanted) in [(got.below, below), (got.at, 1.0), (got.above, above)] {
            assert!(
                (got - wanted / total).abs() <= 1e-10 * wanted / total,
                "{x1} {n0}: {got} {wanted} {total}"
            );
        }
    }
    // Equal arms: both sides are as likely, and the two-sided p-value is twice the one-sided one.
    let fisher = counts(40_020_000, wide, 40_000_000, wide).fisher_test();
    assert_relative_eq!(fisher.two_sided, 2.0 * fisher.greater, max_relative = 1e-6);
    for n in [1_u64 << 26, 1 << 40, 1 << 51] {
        // Two and a half standard deviations above the mean.
        let x = n / 2 + 5 * n.isqrt() / 4;
        let coin = armwise::distribution::Binomial::new(n, 0.5).unwrap();
        let test = Proportion::new(x, n).unwrap().binomial_test(0.5).unwrap();
        assert_relative_eq!(test.greater, coin.sf(x - 1), max_relative = 1e-7);
        assert_relative_eq!(test.less, coin.cdf(x), max_relative = 1e-7);
        assert_relative_eq!(test.two_sided, 2.0 * test.greater, max_relative = 1e-6);
        let middle = Proportion::new(n / 2, n).unwrap().binomial_test(0.5).unwrap();
        assert_eq!(middle.two_sided, 1.0);
    }
    // Exact tests and intervals of two arms with 2^50 people each take no longer than those of eighty.
    let n = 1_u64 << 50;
    let two = counts(n / 3 + 40_000_000, n, n / 3, n);
    let exact = two.odds_ratio_interval(OddsRatioInterval::ExactConditional, 0.95).unwrap();
    let wald = two.odds_ratio_interval(OddsRatioInterval::Woolf, 0.95).unwrap();
    assert!(
        (exact.lower() - wald.lower()).abs() < 1e-3 * (wald.upper() - wald.lower()),
        "{exact:?} {wald:?}"
    );
    assert!(
        (exact.upper() - wald.upper()).abs() < 1e-3 * (wald.upper() - wald.lower()),
        "{exact:?} {wald:?}"
    );
    let z = two.difference_test(0.0, DifferenceTest::FarringtonManning).unwrap();
    assert_relative_eq!(two.fisher_test().greater, z.p_values.greater, max_relative = 1e-4);
}

/// METHODS.md, T13: 7 of 60 against 2 of 60.
#[test]
fn two_sided_conventions_differ() {
    let two = counts(7, 60, 2, 60);
    let mid_p = |convention| two.mid_p_test(convention).two_sided;
    assert!((two.fisher_test().two_sided - 0.1629).abs() < 5e-5);
    assert!((mid_p(MidPTwoSided::FisherMinusHalf) - 0.1303).abs() < 5e-5);
    assert!((mid_p(MidPTwoSided::HalfOfTies) - 0.0976).abs() < 5e-5);
}

/// Over all tables of two strata with known probabilities, the exact covariance of the sums `U_a` and `U_c`
/// is the exact mean of its estimate.
#[test]
fn covariances_are_unbiased_however_small_the_strata() {
    // One or two people in each arm; differences of 0.2 and -0.1 in both strata.
    let strata: [([u64; 3], f64); 2] = [([1, 1, 1], 0.5), ([2, 1, 2], 0.3)];
    let effects = [0.0, 0.2, -0.1];
    let mut tables: Vec<(f64, Vec<Vec<ArmTotal>>)> = vec![(1.0, Vec::new())];
    for (sizes, control) in strata {
        let mut rows: Vec<(f64, Vec<ArmTotal>)> = vec![(1.0, Vec::new())];
        for (n, effect) in sizes.into_iter().zip(effects) {
            let p: f64 = control + effect;
            rows = rows
                .iter()
                .flat_map(|(weight, row)| {
                    (0..=n).map(move |events| {
                        let ways = if n == 2 && events == 1 { 2.0 } else { 1.0 };
                        let (x, y) = (events as f64, (n - events) as f64);
                        let mut row = row.clone();
                        row.push(ArmTotal { events, n });
                        (weight * ways * p.powf(x) * (1.0 - p).powf(y), row)
                    })
                })
                .collect();
        }
        tables = tables
            .iter()
            .flat_map(|(weight, table)| {
                rows.iter().map(move |(share, row)| {
                    let mut table = table.clone();
                    table.push(row.clone());
                    (weight * share, table)
                })
            })
            .collect();
    }
    let size = |arm: ArmTotal| arm.n as f64;
    let mean = |arm: ArmTotal| arm.events as f64 / size(arm);
    let weight =
        |arms: &[ArmTotal], a: usize| size(arms[a]) * size(arms[0]) / (size(arms[a]) + size(arms[0]));
    let difference = |table: &[Vec<ArmTotal>], a: usize| {
        let of = |arms: &Vec<ArmTotal>| weight(arms, a) * (mean(arms[a]) - mean(arms[0]));
        table.iter().map(of).sum::<f64>() / table.iter().map(|arms| weight(arms, a)).sum::<f64>()
    };
    let (mut product, mut estimated) = (0.0, 0.0);
    for (probability, table) in &tables {
        product += probability * (difference(table, 1) - 0.2) * (difference(table, 2) + 0.1);
        let arms = StratifiedArms::new(table.clone());
        // At the true differences, which the estimate is linear in.
        estimated +=
            probability * arms.covariance_of_differences((1, 0.2), (2, -0.1), MantelHaenszelVariance::Sato);
    }
    assert_relative_eq!(product, estimated, max_relative = 1e-12);
}

/// The constrained estimate of the control by the cubic of Miettinen & Nurminen (1985, appendix), in
/// trigonometric form.
fn cubic((x1, n1): (f64, f64), (x0, n0): (f64, f64), delta: f64) -> f64 {
    let (n, events) = (n1 + n0, x1 + x0);
    let l2 = ((n1 + 2.0 * n0) * delta - n - events) / n;
    let l1 = ((n0 * delta - n - 2.0 * x0) * delta + events) / n;
    let l0 = x0 * delta * (1.0 - delta) / n;
    let q = (l2 / 3.0).powi(3) - l2 * l1 / 6.0 + 0.5 * l0;
    let r = ((l2 / 3.0).powi(2) - l1 / 3.0).max(0.0).sqrt().copysign(q);
    let angle = (std::f64::consts::PI + (q / r.powi(3)).clamp(-1.0, 1.0).acos()) / 3.0;
    2.0 * r * angle.cos() - l2 / 3.0
}

#[test]
fn constrained_estimates_equal_the_closed_form_of_the_cubic() {
    for (x1, y1, x0, y0) in
        [(56, 14, 48, 32), (9, 1, 3, 7), (5, 51, 0, 29), (0, 10, 0, 20), (212, 718, 155, 770)]
    {
        let two = counts(x1, x1 + y1, x0, x0 + y0);
        let arm = |arm: Proportion| (arm.events() as f64, arm.n() as f64);
        for step in -19..20 {
            let delta = 0.05 * f64::from(step) + 1e-3;
            let got = two.constrained_proportions(delta).unwrap();
            let want = cubic(arm(two.treatment), arm(two.control), delta);
            assert!((got.control - want).abs() < 1e-7, "{two:?} {delta} {got:?} {want}");
            assert!((got.treatment - got.control - delta).abs() < 1e-14);
        }
    }
}
