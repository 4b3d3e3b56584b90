use super::between;
use armwise::internal::listed;
use armwise::report::format::{decimal, interval, p_value, percent, points, ratio, signed, significant};

#[test]
fn zero_has_no_sign() {
    assert_eq!(points(0.0), "0.0 points");
    assert_eq!(points(-0.0004), "0.0 points");
    assert_eq!(points(0.0005), "+0.1 points");
    assert_eq!(decimal(-0.0, 2), "0.00");
    assert_eq!(decimal(-0.4, 0), "0");
    assert_eq!(signed(-1.26, 1), "-1.3");
    assert_eq!(percent(0.0), "0.0%");
    assert_eq!(percent(1.0), "100.0%");
}

#[test]
fn numbers_without_an_answer_are_words() {
    assert_eq!(decimal(f64::NAN, 2), "NA");
    assert_eq!(signed(f64::INFINITY, 1), "+inf");
    assert_eq!(interval(between(f64::NEG_INFINITY, 1.0), 1), "-inf to 1.0");
    assert_eq!(ratio(f64::INFINITY), "inf");
    assert_eq!(ratio(0.0), "0.00");
    assert_eq!(p_value(f64::NAN), "p = NA");
    assert_eq!(significant(f64::NAN, 6), "NA");
}

#[test]
fn ratios_keep_about_three_digits() {
    for (value, text) in [
        (0.0996, "0.10"),
        (0.012, "0.012"),
        (1e-7, "<0.001"),
        (9.996, "10.0"),
        (49.44, "49.4"),
        (99.96, "100"),
        (250.4, "250"),
    ] {
        assert_eq!(ratio(value), text);
    }
}

#[test]
fn p_values_never_round_to_their_bounds() {
    for (p, text) in [
        (0.0, "p < 0.001"),
        (0.000_999_9, "p < 0.001"),
        (0.001, "p = 0.001"),
        (0.049_6, "p = 0.0496"),
        (0.05, "p = 0.050"),
        (0.099_4, "p = 0.099"),
        (0.099_6, "p = 0.10"),
        (0.986, "p = 0.99"),
        (0.995, "p > 0.99"),
        (1.0, "p > 0.99"),
    ] {
        assert_eq!(p_value(p), text);
    }
}

#[test]
fn significant_digits() {
    for (value, text) in [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-12.5, "-12.5"),
        (1.0 / 3.0, "0.333333"),
        (2.0 / 3.0, "0.666667"),
        (0.999_999_7, "1"),
        (-999_999.7, "-1000000"),
        (123_456_789.0, "123457000"),
        (123_456.7, "123457"),
        (0.000_012_345_678, "0.0000123457"),
        (1.5e-9, "1.5e-9"),
        (-1e-300, "-1e-300"),
        (2.5e20, "2.5e20"),
    ] {
        assert_eq!(significant(value, 6), text);
    }
    assert_eq!(significant(4.6, 1), "5");
    assert_eq!(significant(4.6, 0), "5");
}

#[test]
fn six_digits_read_back() {
    let mut value = 1.234_567_89e-9;
    for _ in 0..60 {
        let back: f64 = significant(value, 6).parse().unwrap();
        assert!((back / value - 1.0).abs() < 5e-6);
        value *= -7.3;
    }
}

#[test]
fn names_are_listed() {
    assert_eq!(listed(&["a"]), "a");
    assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
    assert_eq!(listed(&[]), "");
}
