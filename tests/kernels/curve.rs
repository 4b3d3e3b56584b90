//! Confidence curves.

use armwise::effect::{ConfidenceCurve, Inference};
use armwise::internal::not_rejected;

#[test]
fn the_set_that_is_not_rejected() {
    // (c - 1)(c - 3) <= 0
    let interval = not_rejected(1.0, 2.0, 3.0).unwrap();
    assert_eq!((interval.lower(), interval.upper()), (1.0, 3.0));
    let interval = not_rejected(1.0, 0.0, -4.0).unwrap();
    assert_eq!((interval.lower(), interval.upper()), (-2.0, 2.0));
    let interval = not_rejected(0.0, 1.0, 2.0).unwrap();
    assert_eq!((interval.lower(), interval.upper()), (1.0, f64::INFINITY));
    assert!(not_rejected(-1.0, 0.0, 1.0).unwrap().lower().is_infinite());
}

#[test]
fn the_larger_of_two_curves_is_the_larger_at_every_level() {
    // Hartung-Knapp's standard error is the smaller, its t has the wider tails: which one is wider depends on
    // the level.
    let both = ConfidenceCurve::LargerOf { se: 0.7, df: 2.0 };
    let both = Inference::new(1.0, 1.0, None, 0.95, both).unwrap();
    let (wald, other) =
        (Inference::wald(1.0, 1.0, None, 0.95).unwrap(), Inference::wald(1.0, 0.7, Some(2.0), 0.95).unwrap());
    for level in [0.2, 0.5, 0.8, 0.95, 0.999] {
        let width = both.interval_at(level).unwrap().width();
        let wider = wald.interval_at(level).unwrap().width().max(other.interval_at(level).unwrap().width());
        assert!((width - wider).abs() < 1e-12);
    }
    assert_eq!(both.p_value(), wald.p_value().max(other.p_value()));
}

#[test]
fn what_student_t_detects_is_more_than_its_half_width() {
    // With 2 degrees of freedom the half width alone is 4.30 standard errors.
    let pooled = Inference::wald(6.7, 4.63, Some(2.0), 0.95).unwrap();
    let detectable = pooled.minimal_detectable_effect(0.05, 0.8).unwrap();
    assert!(detectable > pooled.interval().width() / 2.0, "{detectable}");
    // A design with many degrees of freedom has Bloom's multiple of 2.80.
    let large = Inference::wald(6.7, 1.0, Some(1e7), 0.95).unwrap();
    assert!((large.minimal_detectable_effect(0.05, 0.8).unwrap() - 2.801_585).abs() < 1e-4);
}
