//! The laws of the continuous distributions over all of their declared domain, and what is refused outside.

use armwise::distribution::{
    Beta, Binomial, ChiSquared, FisherF, Hypergeometric, NoncentralChiSquared, NoncentralF, Poisson,
    StudentT, StudentizedRange,
};
use rand::{RngExt, SeedableRng};

type Random = rand_chacha::ChaCha8Rng;

/// A distribution as its four functions.
struct Law<'d> {
    name: String,
    cdf: &'d dyn Fn(f64) -> f64,
    sf: &'d dyn Fn(f64) -> f64,
    quantile: &'d dyn Fn(f64) -> f64,
    upper_quantile: &'d dyn Fn(f64) -> f64,
}

macro_rules! law {
    ($name:expr, $d:expr) => {
        Law {
            name: $name,
            cdf: &|x| $d.cdf(x),
            sf: &|x| $d.sf(x),
            quantile: &|p| $d.quantile(p),
            upper_quantile: &|p| $d.upper_quantile(p),
        }
    };
}

fn power(random: &mut Random, low: f64, high: f64) -> f64 {
    10_f64.powf(random.random_range(low..high))
}

/// A probability: of any size, near one, or one half.
fn probability(random: &mut Random) -> f64 {
    match random.random_range(0..4) {
        0 => random.random_range(0.0..1.0),
        1 => power(random, -300.0, 0.0),
        2 => 1.0 - power(random, -15.0, -0.3),
        _ => 0.5,
    }
}

fn holds(law: &Law, random: &mut Random) {
    let name = &law.name;
    let p = probability(random);
    for (x, tail) in [((law.quantile)(p), law.cdf), ((law.upper_quantile)(p), law.sf)] {
        assert!(!x.is_nan(), "{name}: the quantile of {p:e} is not a number");
        let ordinary = x.abs() > 1e-290 && x.abs() < 1e290 && (x - 1.0).abs() > 1e-9;
        if ordinary {
            // What a change of x by two units in its last place does to the tail.
            let unit = (tail(x * (1.0 - 4e-16)) - tail(x * (1.0 + 4e-16))).abs();
            let back = tail(x);
            assert!((back - p).abs() <= 1e-9 * p + unit, "{name}: {p:e} gives {x:e}, and that {back:e}");
        }
    }
    let (a, b) = ((law.quantile)(p), (law.quantile)(probability(random)));
    let (low, high) = (a.min(b), a.max(b));
    for x in [low, high, power(random, -5.0, 5.0)] {
        let (cdf, sf) = ((law.cdf)(x), (law.sf)(x));
        assert!((0.0..=1.0).contains(&cdf) && (0.0..=1.0).contains(&sf), "{name} at {x:e}: {cdf}, {sf}");
        assert!((cdf + sf - 1.0).abs() < 1e-12, "{name} at {x:e}: {cdf} + {sf}");
    }
    let nearly = 1.0 + 1e-10;
    assert!((law.cdf)(low) <= (law.cdf)(high) * nearly, "{name}: the cdf falls from {low:e} to {high:e}");
    assert!((law.sf)(high) <= (law.sf)(low) * nearly, "{name}: the sf rises from {low:e} to {high:e}");
}

#[test]
fn tails_and_quantiles_agree_over_the_whole_domain() {
    let random = &mut Random::seed_from_u64(12);
    for _ in 0..1500 {
        let (v, w) = (power(random, -4.0, 16.0), power(random, -4.0, 16.0));
        let t = StudentT::new(v).unwrap();
        holds(&law!(format!("t({v:e})"), t), random);
        let chi2 = ChiSquared::new(v).unwrap();
        holds(&law!(format!("chi2({v:e})"), chi2), random);
        let f = FisherF::new(v, w).unwrap();
        holds(&law!(format!("F({v:e}, {w:e})"), f), random);
        let beta = Beta::new(v, w).unwrap();
        holds(&law!(format!("beta({v:e}, {w:e})"), beta), random);
    }
}

#[test]
fn what_lies_outside_the_domain_is_refused() {
    for wrong in [f64::NAN, 0.0, -1.0, 5e-324, 1e-310, 1e17, 1e140, f64::MAX] {
        assert!(StudentT::new(wrong).is_err() && ChiSquared::new(wrong).is_err(), "{wrong}");
        assert!(FisherF::new(wrong, 5.0).is_err() && FisherF::new(5.0, wrong).is_err(), "{wrong}");
        assert!(Beta::new(wrong, 1.0).is_err() && Beta::new(1.0, wrong).is_err(), "{wrong}");
        assert!(NoncentralChiSquared::new(wrong, 1.0).is_err() && NoncentralF::new(2.0, wrong, 1.0).is_err());
    }
    assert!(FisherF::new(f64::INFINITY, 5.0).is_err() && FisherF::new(5.0, f64::INFINITY).is_ok());
    assert!(StudentT::new(f64::INFINITY).is_ok() && ChiSquared::new(f64::INFINITY).is_err());
    assert!(NoncentralChiSquared::new(3.0, 1e5).is_err() && StudentizedRange::new(101, 5.0).is_err());
    assert!(Poisson::new(1e16).is_err() && Binomial::new((1 << 52) + 1, 0.5).is_err());
    let error = Hypergeometric::new(1 << 40, 1, 1).unwrap_err().to_string();
    assert!(error.contains("at most 100000000000"), "{error}");
}

/// A quantile in the lower tail of the range once began where nothing of the integral can be held.
#[test]
fn a_tiny_quantile_of_the_range_gives_its_probability_back() {
    let range = StudentizedRange::new(65, 28.0).unwrap();
    let q = range.quantile(1e-223);
    assert!((range.ln_cdf(q) / 1e-223_f64.ln() - 1.0).abs() < 1e-9, "{q}");
}

/// Each was wrong or slow: widths below the distance of neighbouring numbers, and degrees of freedom that spread
/// the mean square beyond the range of exp.
#[test]
fn the_far_tails_of_the_range_give_their_probabilities_back() {
    for (n_means, df, p) in [
        (3, f64::INFINITY, 1.46e-260),
        (2, 7.0, 1e-200),
        (57, 3.26, 1e-290),
        (7, 0.321_68, 5.9424e-158),
        (99, 0.103_54, 4.4926e-198),
    ] {
        let range = StudentizedRange::new(n_means, df).unwrap();
        for (x, ln_p) in [
            (range.quantile(p), range.ln_cdf(range.quantile(p))),
            (range.upper_quantile(p), range.ln_sf(range.upper_quantile(p))),
        ] {
            // The smallest tail of 7 means lies beyond the range of numbers.
            assert!(
                x == f64::INFINITY || (ln_p / p.ln() - 1.0).abs() < 1e-11,
                "{n_means} {df} {p:e}: {x:e} {ln_p}"
            );
        }
    }
}
