use armwise::distribution::{ChiSquared, FisherF, NoncentralChiSquared, NoncentralF, NoncentralT, StudentT};
use rand::{RngExt, SeedableRng};

#[test]
fn noncentral_t_against_forty_digits() {
    // mpmath 1.3.0, the same integral with 40 digits: df, noncentrality, t, cdf, sf.
    let points = [
        (0.5, 1.0, -3.0, 0.046_713_028_817_265_585, 0.953_286_971_182_734_4),
        (0.5, 1.0, 30.0, 0.871_748_381_943_761_1, 0.128_251_618_056_238_9),
        (1.0, 5.0, 0.2, 7.985_256_780_637_7e-7, 0.999_999_201_474_321_9),
        (3.0, 6.0, -2.0, 3.473_254_107_214_767e-12, 0.999_999_999_996_526_7),
        (3.0, 30.0, 8.0, 8.807_715_142_753_033e-9, 0.999_999_991_192_284_9),
        (3.0, 30.0, 100.0, 0.965_474_294_153_381_9, 0.034_525_705_846_618_15),
        (1000.0, 20.0, 10.0, 8.536_603_165_468_375e-23, 1.0),
        (1000.0, 20.0, 30.0, 1.0, 3.613_202_336_626_031e-17),
        (5.0, 8.0, -30.0, 2.102_803_331_130_091e-25, 1.0),
        (200.0, 3.0, -5.0, 4.166_080_761_088_389e-15, 0.999_999_999_999_995_8),
        (2.5, 1.0, -1e6, 9.398_065_506_708_733e-17, 1.0),
    ];
    for (df, d, t, cdf, sf) in points {
        let noncentral = NoncentralT::new(df, d).unwrap();
        assert!((noncentral.cdf(t) / cdf - 1.0).abs() < 1e-13, "{df} {d} {t}: {}", noncentral.cdf(t));
        assert!((noncentral.sf(t) / sf - 1.0).abs() < 1e-13, "{df} {d} {t}: {}", noncentral.sf(t));
        let mirrored = NoncentralT::new(df, -d).unwrap();
        assert!((mirrored.sf(-t) / cdf - 1.0).abs() < 1e-13);
    }
}

#[test]
fn without_noncentrality_they_are_the_central_ones() {
    for x in [0.01, 0.8, 3.0, 40.0] {
        let pairs = [
            (NoncentralChiSquared::new(3.5, 0.0).unwrap().ln_sf(x), ChiSquared::new(3.5).unwrap().ln_sf(x)),
            (NoncentralF::new(3.0, 9.0, 0.0).unwrap().ln_sf(x), FisherF::new(3.0, 9.0).unwrap().ln_sf(x)),
            (NoncentralT::new(4.0, 0.0).unwrap().ln_sf(x), StudentT::new(4.0).unwrap().ln_sf(x)),
        ];
        for (noncentral, central) in pairs {
            assert!((noncentral - central).abs() < 1e-12 * central.abs().max(1.0), "{noncentral} {central}");
        }
    }
}

#[test]
fn square_of_noncentral_t_is_noncentral_f() {
    for (df, d, t) in [(12.0, 1.5, 2.0), (12.0, 6.0, 9.0), (80.0, 25.0, 22.0)] {
        let noncentral = NoncentralT::new(df, d).unwrap();
        let both = noncentral.sf(t) + noncentral.cdf(-t);
        let f = NoncentralF::new(1.0, df, d * d).unwrap().sf(t * t);
        assert!((both / f - 1.0).abs() < 1e-12, "{both} {f}");
    }
}

#[test]
fn extreme_arguments_end() {
    let t = NoncentralT::new(1e10, 2.0).unwrap();
    assert_eq!((t.cdf(-1e300), t.sf(1e300)), (0.0, 0.0));
    assert!(NoncentralT::new(0.0, 1.0).is_err() && NoncentralT::new(3.0, f64::NAN).is_err());
    assert!(NoncentralF::new(1.0, 2.0, -1.0).is_err() && NoncentralChiSquared::new(1.0, 1e9).is_err());
}

/// Two routes to the same tail, whichever way the integral of t is taken: over the scale, or over the normal
/// variable where the noncentrality is large beside the root of the degrees of freedom.
#[test]
fn squares_agree_over_the_whole_domain() {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(5);
    let mut compared = 0;
    for _ in 0..4000 {
        let df = 10_f64.powf(random.random_range(-1.0..7.0));
        let d = 10_f64.powf(random.random_range(-2.0..2.0));
        let t =
            (d + random.random_range(-6.0..6.0)) * 10_f64.powf(random.random_range(-2.0..2.0) / df.sqrt());
        let noncentral = NoncentralT::new(df, d).unwrap();
        let f = NoncentralF::new(1.0, df, d * d).unwrap();
        let above = noncentral.sf(t.abs()) + noncentral.cdf(-t.abs());
        if above > 1e-290 {
            let other = f.sf(t * t);
            assert!((above / other - 1.0).abs() < 1e-11, "{df:e} {d:e} {t:e}: {above:e} {other:e}");
            compared += 1;
        }
    }
    assert!(compared > 3000, "{compared}");
}

/// On both sides of a change of method.
#[test]
fn methods_meet() {
    for df in [0.1, 0.7, 3.0, 40.0, 1e3, 5e3] {
        let d = 8.0 * (2.0 * df + 1.0_f64).sqrt();
        let [below, above] = [0.999_999_999, 1.000_000_001].map(|x| NoncentralT::new(df, d * x).unwrap());
        for t in
            [-3.0 * d, -0.1, 0.01 * d, 50.0 / d, 150.0 / d, 0.3 * d, 0.99 * d, 1.01 * d, 2.0 * d, 100.0 * d]
        {
            let (a, b) =
                if t < d { (below.ln_cdf(t), above.ln_cdf(t)) } else { (below.ln_sf(t), above.ln_sf(t)) };
            assert!((a - b).abs() < 1e-7 * (1.0 + a.abs() + d * d), "{df} {t}: {a} {b}");
        }
        let (far, t) = (NoncentralT::new(df, 10.0 * d).unwrap(), 100.0 / (10.0 * d));
        let (a, b) = (far.ln_cdf(t * 0.999_999_999), far.ln_cdf(t * 1.000_000_001));
        assert!((a - b).abs() < 1e-8 * (1.0 + a.abs()), "{df} {t}: {a} {b}");
    }
}

/// Means so far out that the terms of their mixtures are counted in billions.
#[test]
fn far_tails_of_mixtures_end() {
    let chi2 = NoncentralChiSquared::new(3.0, 1e4).unwrap();
    let central = ChiSquared::new(3.0).unwrap();
    for x in [1e5, 1e8, 1e12, 1e18, 1e25, 1e300] {
        let (ln, bound) = (chi2.ln_sf(x), -0.5 * (x.sqrt() - 100.0).powi(2));
        assert!((ln / bound - 1.0).abs() < 0.01 && ln >= central.ln_sf(x), "{x:e}: {ln} {bound}");
        assert_eq!((chi2.cdf(x), chi2.sf(x)), (1.0, 0.0));
    }
    let f = NoncentralF::new(3.0, 7.0, 1e4).unwrap();
    for x in [1e-12, 1e-3, 1e6, 1e30] {
        assert!((f.cdf(x) + f.sf(x) - 1.0).abs() < 1e-12 && f.ln_sf(x) <= 0.0, "{x:e}");
    }
}
