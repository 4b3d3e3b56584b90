use armwise::distribution::Poisson;
use armwise::internal::{RateContrastInterval, constrained_rates, rate_limits, rate_one_sided};
use armwise::rate::{Rate, RateDifferenceInterval, RateInterval, RateRatioInterval, TwoRates};

fn rate(events: u64, exposure: f64) -> Rate {
    Rate::new(events, exposure).expect("a rate")
}

#[test]
fn limits_of_one_rate_have_their_tails() {
    for events in [0, 1, 7, 60] {
        for (method, weight) in [(RateInterval::Exact, 1.0), (RateInterval::MidP, 0.5)] {
            let interval = rate(events, 2.5).interval(method, 0.9).expect("an interval");
            let (lower, upper) = (2.5 * interval.lower(), 2.5 * interval.upper());
            let law = Poisson::new(upper).expect("a law");
            let below = if events == 0 { 0.0 } else { law.cdf(events - 1) };
            assert!((below + weight * law.pmf(events) - 0.05).abs() < 1e-12, "{events} {method:?}");
            if events > 0 {
                let law = Poisson::new(lower).expect("a law");
                assert!((law.sf(events) + weight * law.pmf(events) - 0.05).abs() < 1e-12, "{events}");
            }
        }
        let score = rate(events, 1.0).interval(RateInterval::Score, 0.95).expect("an interval");
        for limit in [score.lower(), score.upper()] {
            let z = if limit > 0.0 { (events as f64 - limit).powi(2) / limit } else { 3.8415 };
            assert!((z - 3.8415).abs() < 1e-4, "{events} {z}");
        }
    }
}

#[test]
fn constrained_rates_are_a_maximum_and_curves_return_their_limits() {
    for (a, b) in [((3, 2.0), (9, 5.0)), ((0, 5.0), (0, 6.0)), ((4, 1.0), (0, 3.0)), ((0, 1.0), (5, 2.0))] {
        let two = TwoRates::new(rate(a.0, a.1), rate(b.0, b.1));
        let log = |x: u64, mean: f64| if x == 0 { -mean } else { x as f64 * mean.ln() - mean };
        let likelihood = |r1: f64, r0: f64| log(a.0, r1 * a.1) + log(b.0, r0 * b.1);
        for d in [-2.0, -0.4, 0.0, 0.3, 1.7] {
            let (r1, r0) = constrained_rates(&two, d);
            let best = likelihood(r1, r0);
            assert!((r1 - r0 - d).abs() < 1e-12);
            for off in [-1e-4, 1e-4] {
                if r1 + off >= 0.0 && r0 + off >= 0.0 {
                    assert!(likelihood(r1 + off, r0 + off) <= best + 1e-12, "{two:?} {d}");
                }
            }
        }
        let mut methods = vec![RateContrastInterval::Difference(RateDifferenceInterval::Score)];
        methods.extend(
            [RateRatioInterval::ExactConditional, RateRatioInterval::MidP, RateRatioInterval::Score]
                .map(RateContrastInterval::Ratio),
        );
        for method in methods {
            let limits = rate_limits(&two, method, 0.95).expect("limits");
            if limits.lower().is_finite() {
                let p = rate_one_sided(&two, method, limits.lower()).expect("p-values")[0];
                assert!((p - 0.025).abs() < 1e-9, "{two:?} {method:?} {p}");
            }
            if limits.upper().is_finite() {
                let p = rate_one_sided(&two, method, limits.upper()).expect("p-values")[1];
                assert!((p - 0.025).abs() < 1e-9, "{two:?} {method:?} {p}");
            }
        }
    }
}
