use super::between;
use armwise::internal::{Words, plain};
use armwise::prelude::*;

#[test]
fn decimals_follow_the_standard_error() {
    let info = Measure::continuous("wage").unit("euro").info();
    let words = |se| Words::new(&AnyScale::MeanDifference, &info, se);
    assert_eq!(words(612.0).value(1794.342), "+1794 euro");
    assert_eq!(words(1.3).value(-2.345), "-2.3 euro");
    assert_eq!(words(0.013).value(0.0), "0.000 euro");
    assert_eq!(words(0.0).value(1e308), "+1e308 euro");
    assert_eq!(words(1e-9).value(1.0 / 3.0), "+0.333333 euro");
    assert_eq!(words(0.001).value(12_345.678_9), "+12345.7 euro");
    let points = Words::new(&AnyScale::RiskDifference, &info, 0.02);
    assert_eq!(points.value(0.0213), "+2.1 points");
    let fine = Words::new(&AnyScale::RiskDifference, &info, 0.0004);
    assert_eq!(fine.value(0.002_134), "+0.21 points");
    let smd = Words::new(&AnyScale::StandardizedMeanDifference, &info, 0.1);
    assert_eq!(smd.value(0.2134), "standardised mean difference +0.21");
}

#[test]
fn infinite_limits_are_words() {
    let info = Measure::binary("works").info();
    let words = Words::new(&AnyScale::LogOddsRatio, &info, 0.3);
    let open = between(f64::NEG_INFINITY, f64::INFINITY);
    assert_eq!(words.limits(open), "0.00 to unbounded");
    assert_eq!(words.value(0.2526), "odds ratio 1.29");
    assert_eq!(words.value(800.0), "odds ratio unbounded");
    assert_eq!(words.value(30.0), "odds ratio 10700000000000");
    let fine = Words::new(&AnyScale::LogRiskRatio, &info, 0.0014);
    assert_eq!(fine.value(0.003_992), "risk ratio 1.004");
}

#[test]
fn never_more_than_six_digits() {
    assert_eq!(plain(0.123_456_789, 6), "0.123457");
    assert_eq!(plain(12.345_678_9, 6), "12.3457");
    assert_eq!(plain(123_456.7, 3), "123457");
    assert_eq!(plain(1_234_567.8, 0), "1234570");
}
