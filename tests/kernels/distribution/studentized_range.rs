use armwise::distribution::{StudentT, StudentizedRange};
use std::f64::consts::SQRT_2;

#[test]
fn quantiles_invert_both_tails() {
    for (k, df) in [(2, 3.0), (3, 7.5), (6, f64::INFINITY), (20, 40.0)] {
        let range = StudentizedRange::new(k, df).unwrap();
        for p in [1e-12, 1e-3, 0.05, 0.5, 0.9] {
            let (upper, lower) = (range.sf(range.upper_quantile(p)), range.cdf(range.quantile(p)));
            assert!((upper / p - 1.0).abs() < 1e-10, "{k} {df} {p} {upper}");
            assert!((lower - p).abs() < 1e-12, "{k} {df} {p} {lower}");
        }
    }
}

#[test]
fn two_means_are_student_t() {
    let (range, t) = (StudentizedRange::new(2, 9.0).unwrap(), StudentT::new(9.0).unwrap());
    for q in [0.1, 1.0, 4.0, 30.0, 1e4] {
        assert!((range.sf(q) / (2.0 * t.sf(q / SQRT_2)) - 1.0).abs() < 1e-12, "{q}");
    }
}

#[test]
fn edges() {
    let range = StudentizedRange::new(4, 6.0).unwrap();
    assert_eq!((range.cdf(-1.0), range.sf(f64::INFINITY), range.quantile(1.0)), (0.0, 0.0, f64::INFINITY));
    assert_eq!((range.quantile(0.0), range.upper_quantile(1.0)), (0.0, 0.0));
    assert!(range.quantile(1.1).is_nan() && StudentizedRange::new(1, 3.0).is_err());
}
