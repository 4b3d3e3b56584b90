use armwise::effect::Interval;
use armwise::internal::intervals;

#[test]
fn survives_json_and_refuses_what_the_constructor_refuses() {
    for (lower, upper) in [(0.1, 0.1 + 0.2), (f64::NEG_INFINITY, -2.5), (1.0, f64::INFINITY)] {
        let interval = Interval::new(lower, upper).unwrap();
        let text = serde_json::to_string(&interval).unwrap();
        assert_eq!(serde_json::from_str::<Interval>(&text).unwrap(), interval, "{text}");
    }
    assert!(serde_json::from_str::<Interval>(r#"{"lower": 2, "upper": 1}"#).is_err());
    assert!(serde_json::from_str::<Interval>(r#"{"lower": "low", "upper": 1}"#).is_err());
    assert!(Interval::new(f64::NAN, 1.0).is_err());
    let whole = Interval::new(f64::NEG_INFINITY, f64::INFINITY).unwrap();
    assert_eq!(intervals(0.0, f64::NAN, f64::NAN), [whole, whole]);
    assert_eq!(intervals(f64::NAN, 1.0, 1.0), [whole, whole]);
    assert_eq!(intervals(f64::INFINITY, f64::INFINITY, f64::INFINITY)[0], whole);
}
