use armwise::internal::root;

#[test]
fn finds_roots_to_the_last_digits() {
    assert!((root(|x| x * x - 2.0, 0.0, 2.0) - 2.0_f64.sqrt()).abs() < 1e-15);
    assert!((root(|x| (x - 1e-9).powi(3), -1.0, 1.0) - 1e-9).abs() < 1e-5);
    assert_eq!(root(|x| x + 3.0, 0.0, 1.0), 0.0);
}
