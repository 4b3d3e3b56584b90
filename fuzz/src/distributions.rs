//! Distributions over all of their declared domains: both tails, quantiles, and in a release build the time of
//! each call.

use crate::numerics::power;
use crate::support::Numbers;
use armwise::distribution::{
    Beta, Binomial, ChiSquared, FisherF, Hypergeometric, NoncentralChiSquared, NoncentralF, NoncentralT,
    Poisson, StudentT, StudentizedRange,
};
use std::fmt::Debug;
use std::time::{Duration, Instant};

/// No call takes longer in a release build,
const MOST: Duration = Duration::from_millis(10);

/// but a quantile of the studentised range.
const MOST_OF_RANGE: Duration = Duration::from_millis(100);

pub(crate) fn attack(numbers: &mut Numbers) -> u64 {
    match numbers.below(8) {
        0..4 => continuous(numbers),
        4 | 5 => discrete(numbers),
        6 => noncentral(numbers),
        _ => range(numbers),
    }
}

/// A call and its time. What else the machine does may slow one call, but not three.
fn timed<T>(what: &dyn Debug, most: Duration, call: impl Fn() -> T) -> T {
    let mut fastest = Duration::MAX;
    loop {
        let start = Instant::now();
        let answer = call();
        fastest = fastest.min(start.elapsed());
        if cfg!(debug_assertions) || fastest <= most {
            return answer;
        }
        let again = (0..4).map(|_| {
            let start = Instant::now();
            call();
            start.elapsed()
        });
        fastest = again.fold(fastest, Duration::min);
        assert!(fastest <= most, "{what:?} took {fastest:?}");
    }
}

macro_rules! tails {
    ($numbers:expr, $most:expr, $($d:expr),*) => {{
        let mut count = 0;
        $({
            let d = $d.expect("inside the domain");
            let p = [$numbers.next(), power($numbers, -300.0, 0.0), 1.0 - power($numbers, -15.0, -0.3)][$numbers.below(3)];
            let x = timed(&(d, p), $most, || d.quantile(p));
            let y = timed(&(d, p), $most, || d.upper_quantile(p));
            assert!(!x.is_nan() && !y.is_nan(), "{d:?} {p:e}");
            for (x, upper) in [(x, false), (y, true)] {
                let tail = |x: f64| if upper { d.sf(x) } else { d.cdf(x) };
                let (cdf, sf) = timed(&(d, x), 2 * MOST, || (d.cdf(x), d.sf(x)));
                assert!((0.0..=1.0).contains(&cdf) && (0.0..=1.0).contains(&sf), "{d:?} {x:e}");
                assert!((cdf + sf - 1.0).abs() < 1e-12, "{d:?} {x:e}: {cdf} + {sf}");
                if x.abs() > 1e-290 && x.abs() < 1e290 && (x - 1.0).abs() > 1e-9 {
                    let unit = (tail(x * (1.0 + 4e-16)) - tail(x * (1.0 - 4e-16))).abs();
                    let back = tail(x);
                    assert!((back - p).abs() <= 1e-9 * p + unit, "{d:?} {p:e} {x:e} {back:e}");
                }
            }
            count += 1;
        })*
        count
    }};
}

fn continuous(numbers: &mut Numbers) -> u64 {
    let (v, w) = (power(numbers, -4.0, 16.0), power(numbers, -4.0, 16.0));
    tails!(numbers, MOST, StudentT::new(v), ChiSquared::new(v), FisherF::new(v, w), Beta::new(v, w))
}

fn range(numbers: &mut Numbers) -> u64 {
    let df = if numbers.chance(0.1) { f64::INFINITY } else { power(numbers, -1.0, 16.0) };
    tails!(numbers, MOST_OF_RANGE, StudentizedRange::new(2 + numbers.below(99) as u64, df))
}

/// Tails that sum to one and change with x in one direction.
fn falls<D: Copy + Debug>(d: D, x: [f64; 2], tails: impl Fn(D, f64) -> [f64; 4]) {
    // Four calls.
    let [low, high] = x.map(|x| timed(&(d, x), 4 * MOST, || tails(d, x)));
    for [cdf, sf, ln_cdf, ln_sf] in [low, high] {
        assert!((0.0..=1.0).contains(&cdf) && (0.0..=1.0).contains(&sf), "{d:?} {x:?}: {cdf} {sf}");
        assert!((cdf + sf - 1.0).abs() < 1e-12, "{d:?} {x:?}: {cdf} + {sf}");
        assert!(ln_cdf <= 0.0 && ln_sf <= 0.0, "{d:?} {x:?}: {ln_cdf} {ln_sf}");
    }
    let nearly = 1.0 + 1e-10;
    assert!(low[0] <= high[0] * nearly && high[1] <= low[1] * nearly, "{d:?} {x:?}: {low:?} {high:?}");
}

macro_rules! tails_of {
    () => {
        |d, x| [d.cdf(x), d.sf(x), d.ln_cdf(x), d.ln_sf(x)]
    };
}

fn noncentral(numbers: &mut Numbers) -> u64 {
    let df = power(numbers, -1.0, 16.0);
    let sign = if numbers.chance(0.5) { 1.0 } else { -1.0 };
    let d = sign * power(numbers, -3.0, 4.0);
    let near = [d, d * power(numbers, -0.5, 0.5), -d, power(numbers, -300.0, 300.0)][numbers.below(4)];
    let t = near + [0.0, 3.0, 30.0][numbers.below(3)] * (numbers.next() - 0.5);
    let u = t + power(numbers, -6.0, 3.0);
    falls(NoncentralT::new(df, d).expect("inside the domain"), [t, u], tails_of!());
    let (v, w) = (power(numbers, -4.0, 16.0), power(numbers, -4.0, 16.0));
    let l = power(numbers, -6.0, 4.0);
    let x =
        if numbers.chance(0.7) { (v + l) * power(numbers, -1.0, 1.0) } else { power(numbers, -300.0, 300.0) };
    let y = x * (1.0 + power(numbers, -6.0, 1.0));
    falls(NoncentralChiSquared::new(v, l).expect("inside the domain"), [x, y], tails_of!());
    let f = NoncentralF::new(v, w, l).expect("inside the domain");
    let scale = if numbers.chance(0.5) { 1.0 } else { v };
    falls(f, [x / scale, y / scale], tails_of!());
    3
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn discrete(numbers: &mut Numbers) -> u64 {
    let n = power(numbers, 0.0, 15.0) as u64;
    let (p, lambda) = (numbers.next(), power(numbers, -6.0, 15.0));
    let near = |numbers: &mut Numbers, mean: f64, variance: f64| {
        (mean + 3.0 * (numbers.next() - 0.5) * variance.sqrt()).max(0.0) as u64
    };
    let one = |what: &dyn Debug, (cdf, sf): (f64, f64)| {
        assert!((cdf + sf - 1.0).abs() < 1e-9, "{what:?}: {cdf} + {sf}");
    };
    let binomial = Binomial::new(n, p).expect("inside the domain");
    let k = near(numbers, n as f64 * p, n as f64 * p * (1.0 - p)).min(n);
    one(&(binomial, k), timed(&(binomial, k), 2 * MOST, || (binomial.cdf(k), binomial.sf(k))));
    let poisson = Poisson::new(lambda).expect("inside the domain");
    let k = near(numbers, lambda, lambda);
    one(&(poisson, k), timed(&(poisson, k), 2 * MOST, || (poisson.cdf(k), poisson.sf(k))));
    let total = power(numbers, 0.0, 11.0) as u64;
    let (treated, events) = ((total as f64 * p) as u64, (total as f64 * numbers.next()) as u64);
    let hypergeometric = Hypergeometric::new(treated, total - treated, events).expect("inside the domain");
    let mean = treated as f64 * (events as f64 / total as f64);
    let k = near(numbers, mean, mean * (1.0 - events as f64 / total as f64));
    let tails = || (hypergeometric.cdf(k), hypergeometric.sf(k));
    one(&(hypergeometric, k), timed(&(hypergeometric, k), 2 * MOST, tails));
    3
}
