use super::{around, between};
use armwise::effect::Interval;
use armwise::internal::{self, Font, Ruler, effect_words};
use armwise::report::{Benefit, ForestAxis};

fn study(estimate: f64, half: f64) -> (f64, Interval) {
    (estimate, around(estimate, half))
}

fn labels(ruler: &Ruler) -> Vec<&str> {
    ruler.ticks.iter().map(|tick| tick.label.as_str()).collect()
}

fn place(axis: &ForestAxis, studies: &[(f64, Interval)]) -> Ruler {
    internal::place(axis, studies, 320.0, Font::regular(11.0))
}

#[test]
fn linear_ticks_are_round() {
    let axis = ForestAxis::percentage_points("");
    let ruler = place(&axis, &[study(0.007, 0.044), study(0.03, 0.08)]);
    assert_eq!(labels(&ruler), ["-5", "0", "5", "10"]);
    assert!(
        (ruler.range.lower() + 0.05).abs() < 1e-12
            && ruler.range.upper() > 0.11
            && ruler.range.upper() < 0.12
    );
    assert!((ruler.position(-0.05), ruler.position(1.0)) == (0.0, 320.0));
    let ruler = place(&ForestAxis::difference(""), &[study(0.01, 0.02)]);
    assert_eq!(labels(&ruler), ["-0.01", "0.00", "0.01", "0.02", "0.03"]);
}

#[test]
fn ratio_ticks_are_ratios() {
    let axis = ForestAxis::ratio("");
    assert_eq!(labels(&place(&axis, &[study(0.0, 1.3)])), ["0.25", "0.5", "1", "2", "4"]);
    assert_eq!(labels(&place(&axis, &[study(0.05, 0.15)])), ["0.9", "1", "1.1", "1.2"]);
    assert_eq!(
        labels(&place(&axis, &[study(0.0, 3.0)])),
        ["0.05", "0.1", "0.2", "0.5", "1", "2", "5", "10", "20"]
    );
    assert_eq!(labels(&place(&axis, &[study(0.0, 9.0)])).len(), 9);
}

#[test]
fn effects_are_words() {
    let values = (0.007, between(-0.037, 0.0513));
    assert_eq!(effect_words(&ForestAxis::percentage_points(""), values), "+0.7 (-3.7 to 5.1)");
    assert_eq!(effect_words(&ForestAxis::difference(""), values), "+0.01 (-0.04 to 0.05)");
    assert_eq!(effect_words(&ForestAxis::difference(""), study(0.001, 3e9)), "0.00 (-3.00e9 to 3.00e9)");
    assert_eq!(effect_words(&ForestAxis::ratio(""), study(0.25, 0.48)), "1.28 (0.79 to 2.08)");
    assert_eq!(
        effect_words(&ForestAxis::ratio("").decimals(1), study(0.25, f64::INFINITY)),
        "1.3 (0.0 to unbounded)"
    );
}

#[test]
fn ranges_hold_the_null_and_the_estimates() {
    let axis = ForestAxis::difference("").benefit(Benefit::Higher);
    let ruler = place(&axis, &[study(4.0, 1.0), study(5.0, f64::INFINITY), study(6.0, 40.0)]);
    assert!(ruler.contains(0.0) && ruler.contains(6.0) && ruler.range.lower() < 0.0);
    let given = between(0.5, 0.9);
    let ruler = place(&ForestAxis::ratio("").range(given), &[study(0.0, 1.0)]);
    assert!((ruler.range.lower() - 0.5_f64.ln()).abs() < 1e-12 && ruler.range.upper() == 0.0);
    for range in [(0.0, 0.0), (0.0, 1.0), (-1.0, 2.0)].map(|(a, b)| between(a, b)) {
        let plain = place(&ForestAxis::ratio(""), &[study(0.0, 1.0)]);
        assert_eq!(place(&ForestAxis::ratio("").range(range), &[study(0.0, 1.0)]), plain);
    }
}

#[test]
fn every_magnitude_has_ticks() {
    let mut size = 1e-12;
    while size < 1e15 {
        for axis in [ForestAxis::difference(""), ForestAxis::percentage_points(""), ForestAxis::ratio("")] {
            let ruler = place(&axis, &[study(-0.3 * size, size), study(size, 2.0 * size)]);
            assert!(ruler.ticks.len() <= 14 && !ruler.ticks.is_empty());
            assert!(ruler.range.lower() < ruler.range.upper());
            assert!(ruler.labels_fit(Font::regular(11.0)));
        }
        size *= 3.7;
    }
    let nowhere = (f64::NAN, around(0.0, 1.0));
    for none in [vec![], vec![nowhere], vec![study(0.0, 0.0)]] {
        let ruler = place(&ForestAxis::percentage_points(""), &none);
        assert!(ruler.ticks.len() > 2);
    }
}
