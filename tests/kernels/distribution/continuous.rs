//! Laws of the continuous distributions over a wide grid of parameters and probabilities.

use armwise::distribution::{Beta, ChiSquared, FisherF, Hypergeometric, Normal, StudentT};
use proptest::prelude::*;

/// The methods that all continuous distributions have, as functions.
struct Methods<'a> {
    name: String,
    cdf: &'a dyn Fn(f64) -> f64,
    sf: &'a dyn Fn(f64) -> f64,
    ln_cdf: &'a dyn Fn(f64) -> f64,
    ln_sf: &'a dyn Fn(f64) -> f64,
    quantile: &'a dyn Fn(f64) -> f64,
    upper_quantile: &'a dyn Fn(f64) -> f64,
    ln_pdf: &'a dyn Fn(f64) -> f64,
}

macro_rules! check {
    ($distribution:expr) => {{
        let it = $distribution;
        check(&Methods {
            name: format!("{it:?}"),
            cdf: &|x| it.cdf(x),
            sf: &|x| it.sf(x),
            ln_cdf: &|x| it.ln_cdf(x),
            ln_sf: &|x| it.ln_sf(x),
            quantile: &|p| it.quantile(p),
            upper_quantile: &|p| it.upper_quantile(p),
            ln_pdf: &|x| it.ln_pdf(x),
        });
    }};
}

const PROBABILITIES: [f64; 14] =
    [5e-324, 1e-300, 1e-100, 1e-20, 1e-9, 1e-4, 0.025, 0.2, 0.4, 0.5, 0.6, 0.9, 0.975, 1.0 - 1e-12];

fn check(it: &Methods) {
    let name = &it.name;
    for (tail, ln_tail, quantile) in [(it.cdf, it.ln_cdf, it.quantile), (it.sf, it.ln_sf, it.upper_quantile)]
    {
        for p in PROBABILITIES {
            let x = quantile(p);
            assert!(!x.is_nan(), "{name}: quantile of {p}");
            if x.is_finite() && x.abs() > 1e-290 {
                // The relative error of x that would explain the miss, and rounding of x itself.
                let complement = 1.0 - p;
                let hazard = (it.ln_pdf)(x).exp() * x.abs() / p.min(complement);
                let miss = (tail(x) - p).abs() / p.min(complement);
                let allowed = 1e-11 + 1e-14 * hazard + 1e-16 / complement;
                // Beta quantiles near 1, and what the least double can hold.
                let coarse = p < 1e-300 || (x - 1.0).abs() < 1e-13;
                assert!(coarse || miss <= allowed, "{name}: p {p} x {x} gives {} (miss {miss})", tail(x));
                let ln = ln_tail(x);
                assert!(coarse || (ln - p.ln()).abs() <= allowed * p.ln().abs().max(1.0), "{name}: p {p}");
            }
        }
        let quantiles: Vec<f64> = PROBABILITIES.iter().map(|p| quantile(*p)).collect();
        assert!(quantiles.is_sorted() || quantiles.iter().rev().is_sorted(), "{name}: {quantiles:?}");
    }
    for p in [1e-30, 0.01, 0.3, 0.7] {
        let x = (it.quantile)(p);
        if x == 0.0 && p < 0.5 {
            continue;
        }
        let (cdf, sf) = ((it.cdf)(x), (it.sf)(x));
        assert!((cdf + sf - 1.0).abs() < 4e-16, "{name}: {cdf} + {sf}");
        assert!(((it.ln_cdf)(x) - cdf.ln()).abs() <= 1e-12 * cdf.ln().abs().max(1e-3), "{name} {x}");
        assert!(((it.ln_sf)(x) - sf.ln()).abs() <= 1e-12 * sf.ln().abs() + 2e-16, "{name} {x}");
    }
    for p in [-0.1, 1.5, f64::NAN, f64::INFINITY] {
        assert!((it.quantile)(p).is_nan() && (it.upper_quantile)(p).is_nan(), "{name}: {p}");
    }
    assert_eq!((it.quantile)(0.0), (it.upper_quantile)(1.0));
    assert_eq!((it.quantile)(1.0), (it.upper_quantile)(0.0));
    assert_eq!(((it.cdf)(f64::NEG_INFINITY), (it.cdf)(f64::INFINITY)), (0.0, 1.0), "{name}");
    assert_eq!(((it.sf)(f64::NEG_INFINITY), (it.sf)(f64::INFINITY)), (1.0, 0.0), "{name}");
    assert!((it.cdf)(f64::NAN).is_nan() && (it.ln_sf)(f64::NAN).is_nan() && (it.ln_pdf)(f64::NAN).is_nan());
}

const SIZES: [f64; 15] = [0.1, 0.3, 1.0, 1.3, 2.0, 3.0, 7.7, 24.9, 49.0, 51.0, 300.0, 1e4, 1e6, 1e8, 1e10];

#[test]
fn laws_of_the_normal() {
    check!(Normal);
}

#[test]
fn laws_of_student_t_and_chi_squared() {
    for df in SIZES {
        check!(StudentT::new(df).unwrap());
        check!(ChiSquared::new(df).unwrap());
    }
    check!(StudentT::new(f64::INFINITY).unwrap());
}

#[test]
fn laws_of_fisher_f_and_beta() {
    for a in SIZES {
        check!(FisherF::new(a, f64::INFINITY).unwrap());
        for b in SIZES {
            check!(FisherF::new(a, b).unwrap());
            check!(Beta::new(a, b).unwrap());
        }
    }
}

#[test]
fn both_sides_of_the_change_of_method_agree() {
    // The expansion serves from 50 degrees of freedom on; tails are smooth in the parameter.
    for p in [1e-12, 1e-3, 0.3, 0.5] {
        let ends = [49.8, 49.9, 49.999_999_999, 50.0, 50.1, 50.2].map(|df| {
            let x = ChiSquared::new(50.0).unwrap().quantile(p);
            ChiSquared::new(df).unwrap().ln_cdf(x)
        });
        assert!((ends[2] - ends[3]).abs() < 1e-9, "{ends:?}");
        let jump = (ends[3] - ends[1]) - (ends[4] - ends[3]);
        assert!(jump.abs() < 2e-3, "{ends:?}");
    }
}

#[test]
fn far_tails_of_student_t_keep_their_logarithm() {
    // P(T > x) ~ c x^(-df).
    let t = StudentT::new(3.0).unwrap();
    assert!((t.ln_sf(1e250) - t.ln_sf(1e60) + 3.0 * 190.0 * 10_f64.ln()).abs() < 1e-10);
    let cauchy = StudentT::new(1.0).unwrap();
    assert!((cauchy.sf(1e200) * std::f64::consts::PI / 1e-200 - 1.0).abs() < 1e-12);
    assert!((cauchy.ln_pdf(1e200) + 400.0 * 10_f64.ln() + std::f64::consts::PI.ln()).abs() < 1e-10);
    let heavy = StudentT::new(0.05).unwrap();
    let x = heavy.upper_quantile(1e-12);
    assert!((heavy.sf(x) / 1e-12 - 1.0).abs() < 1e-11, "{x}");
}

#[test]
fn published_critical_values() {
    // Abramowitz & Stegun, tables 26.7 to 26.10.
    assert!((StudentT::new(5.0).unwrap().upper_quantile(0.025) - 2.571).abs() < 5e-4);
    assert!((ChiSquared::new(10.0).unwrap().upper_quantile(0.05) - 18.3070).abs() < 5e-5);
    assert!((FisherF::new(5.0, 10.0).unwrap().upper_quantile(0.05) - 3.33).abs() < 5e-3);
}

#[test]
fn parameters_are_checked() {
    for bad in [0.0, -1.0, f64::NAN, f64::NEG_INFINITY] {
        assert_eq!(StudentT::new(bad).unwrap_err().kind().name(), "invalid_input");
        assert!(
            ChiSquared::new(bad).is_err()
                && FisherF::new(bad, 1.0).is_err()
                && FisherF::new(1.0, bad).is_err()
        );
        assert!(Beta::new(bad, 1.0).is_err() && Beta::new(1.0, bad).is_err());
    }
    assert!(ChiSquared::new(f64::INFINITY).is_err() && FisherF::new(f64::INFINITY, 2.0).is_err());
}

proptest! {
    #[test]
    fn hypergeometric_tails_are_sums(n1 in 0_u64..40, n0 in 0_u64..40, share in 0.0..=1.0_f64, at in 0_u64..40) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let t = ((n1 + n0) as f64 * share) as u64;
        let table = Hypergeometric::new(n1, n0, t).unwrap();
        let lower: f64 = (0..=at).map(|x| table.pmf(x)).sum();
        let upper: f64 = (at + 1..=80).map(|x| table.pmf(x)).sum();
        prop_assert!((lower + upper - 1.0).abs() < 1e-13);
        prop_assert!((table.cdf(at) - lower).abs() <= 1e-12 * lower);
        prop_assert!((table.sf(at) - upper).abs() <= 1e-12 * upper);
    }

    #[test]
    fn tails_are_monotone(ln_a in -2.0..12.0_f64, ln_b in -2.0..12.0_f64, z in -8.0..8.0_f64, step in 1e-9..0.1_f64) {
        let f = FisherF::new(ln_a.exp(), ln_b.exp()).unwrap();
        let x = (z / 3.0).exp();
        prop_assert!(f.ln_sf(x * (1.0 + step)) <= f.ln_sf(x) + 1e-13 * f.ln_sf(x).abs());
        prop_assert!(f.ln_cdf(x * (1.0 + step)) >= f.ln_cdf(x) - 1e-13 * f.ln_cdf(x).abs());
        prop_assert!((f.cdf(x) + f.sf(x) - 1.0).abs() < 4e-16);
    }
}
