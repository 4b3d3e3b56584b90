//! Laws of two means and of rank tests.

use crate::support::near;
use armwise::mean::{MeansVariance, Sample, TwoMeans};
use armwise::rank::{Continuity, RankSum, SignedRank};
use proptest::prelude::*;

fn values() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-100.0..100.0, 3..30)
}

/// Few different values, so that ties are common.
fn tied() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec((0_u8..6).prop_map(f64::from), 1..6)
}

/// The share of all allocations whose rank sum is at least as far from its mean, by enumeration.
fn enumerated(treatment: &[f64], control: &[f64]) -> f64 {
    let all: Vec<f64> = treatment.iter().chain(control).copied().collect();
    let distance = |chosen: u32| {
        let (mut u, n1) = (0.0, treatment.len() as f64);
        for i in (0..all.len()).filter(|i| chosen >> i & 1 == 1) {
            for j in (0..all.len()).filter(|j| chosen >> j & 1 == 0) {
                u += if all[i] > all[j] {
                    1.0
                } else if all[i] == all[j] {
                    0.5
                } else {
                    0.0
                };
            }
        }
        (u - 0.5 * n1 * control.len() as f64).abs()
    };
    let observed = distance((1 << treatment.len()) - 1);
    let allocations =
        (0..1_u32 << all.len()).filter(|chosen| chosen.count_ones() as usize == treatment.len());
    let (mut as_far, mut total) = (0.0, 0.0);
    for chosen in allocations {
        total += 1.0;
        as_far += if distance(chosen) >= observed { 1.0 } else { 0.0 };
    }
    as_far / total
}

proptest! {
    #[test]
    fn swapping_the_groups_turns_the_sign(a in values(), b in values(), level in 0.5..0.999) {
        let (a, b) = (Sample::of(&a)?, Sample::of(&b)?);
        let (one, two) = (TwoMeans::new(a, b)?, TwoMeans::new(b, a)?);
        for variance in [MeansVariance::Welch, MeansVariance::Pooled, MeansVariance::Normal] {
            let (one, two) = (one.difference(variance), two.difference(variance));
            prop_assert!(near(one.estimate, -two.estimate, 1e-9) && near(one.test(0.0).p_values.greater, two.test(0.0).p_values.less, 1e-9));
            prop_assert!(near(one.interval(level)?.lower(), -two.interval(level)?.upper(), 1e-9));
            // The interval excludes zero exactly where the test rejects.
            let p = one.p_value();
            prop_assume!((p - (1.0 - level)).abs() > 1e-9);
            prop_assert_eq!(p < 1.0 - level, !one.interval(level)?.contains(0.0));
        }
        prop_assert!(near(one.standardized().hedges_g, -two.standardized().hedges_g, 1e-9));
        prop_assert!(near(one.variance_ratio_test().p_value, two.variance_ratio_test().p_value, 1e-9));
    }

    #[test]
    fn units_do_not_matter(a in values(), b in values(), exponent in -150_i32..140) {
        let unit = 10_f64.powi(exponent);
        let scaled = |values: &[f64]| values.iter().map(|value| value * unit).collect::<Vec<_>>();
        let one = TwoMeans::new(Sample::of(&a)?, Sample::of(&b)?)?.difference(MeansVariance::Welch);
        let two = TwoMeans::new(Sample::of(&scaled(&a))?, Sample::of(&scaled(&b))?)?.difference(MeansVariance::Welch);
        prop_assert!(near(one.statistic(), two.statistic(), 1e-9) && near(one.df.unwrap(), two.df.unwrap(), 1e-9));
    }

    #[test]
    fn exact_rank_tests_enumerate(a in tied(), b in tied()) {
        let test = RankSum::new(&a, &b)?;
        let exact = test.exact_test()?;
        prop_assert!(near(exact.two_sided, enumerated(&a, &b), 1e-9), "{} {}", exact.two_sided, enumerated(&a, &b));
        let swapped = RankSum::new(&b, &a)?;
        prop_assert!(near(exact.greater, swapped.exact_test()?.less, 1e-9));
        prop_assert!(near(test.hodges_lehmann(), -swapped.hodges_lehmann(), 1e-9));
        prop_assert!(near(test.u() + swapped.u(), (a.len() * b.len()) as f64, 1e-9));
    }

    #[test]
    fn monotone_transformations_keep_rank_tests(a in values(), b in values()) {
        let bent = |values: &[f64]| values.iter().map(|value| (value / 30.0).exp()).collect::<Vec<_>>();
        let (c, d) = (bent(&a), bent(&b));
        let (one, two) = (RankSum::new(&a, &b)?, RankSum::new(&c, &d)?);
        prop_assert_eq!(one.normal_test(Continuity::Corrected)?, two.normal_test(Continuity::Corrected)?);
    }

    #[test]
    fn signs_turn_signed_ranks(a in values()) {
        let turned: Vec<f64> = a.iter().map(|value| -value).collect();
        let (one, two) = (SignedRank::new(&a)?, SignedRank::new(&turned)?);
        prop_assert!(near(one.exact_test()?.greater, two.exact_test()?.less, 1e-9));
        prop_assert!(near(one.hodges_lehmann(), -two.hodges_lehmann(), 1e-9));
        let n = one.n() as f64;
        prop_assert!(near(one.v() + two.v(), n * (n + 1.0) / 2.0, 1e-9));
    }
}

#[test]
fn impossible_samples_are_refused_by_kind() {
    let kind = |values: &[f64]| Sample::of(values).unwrap_err().kind().name();
    assert_eq!(kind(&[]), "insufficient_observations");
    assert_eq!(kind(&[1.0]), "insufficient_observations");
    assert_eq!(kind(&[1.0, f64::NAN]), "invalid_input");
    assert_eq!(kind(&[f64::NAN]), "invalid_input");
    assert_eq!(kind(&[1.0, f64::INFINITY, 2.0]), "invalid_input");
    assert_eq!(kind(&[1e308, -1e308, 0.0]), "invalid_input");
    let constant = Sample::of(&[0.1, 0.1, 0.1]).unwrap();
    assert_eq!(constant.sd, 0.0);
    assert_eq!(TwoMeans::new(constant, constant).unwrap_err().kind().name(), "zero_variance");
    assert_eq!(
        RankSum::new(&[1.0, 1.0], &[1.0])
            .unwrap()
            .normal_test(Continuity::Corrected)
            .unwrap_err()
            .kind()
            .name(),
        "zero_variance"
    );
    assert_eq!(SignedRank::new(&[0.0, 0.0]).unwrap_err().kind().name(), "zero_variance");
    assert_eq!(SignedRank::new(&[f64::NAN, 0.0]).unwrap_err().kind().name(), "invalid_input");
}
