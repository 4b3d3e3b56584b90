use armwise::distribution::Poisson;

#[test]
fn sums_to_the_tails() {
    for mean in [1e-3, 0.7, 12.0, 300.0] {
        let poisson = Poisson::new(mean).unwrap();
        for x in 0..400_u64 {
            let lower: f64 = (0..=x).map(|k| poisson.pmf(k)).sum();
            let upper: f64 = (x + 1..x + 700).rev().map(|k| poisson.pmf(k)).sum();
            assert!((poisson.cdf(x) - lower).abs() <= 1e-12 * lower, "{mean} {x}");
            assert!((poisson.sf(x) - upper).abs() <= 1e-12 * upper + 1e-300, "{mean} {x}");
        }
    }
    let zero = Poisson::new(0.0).unwrap();
    assert_eq!((zero.pmf(0), zero.pmf(1), zero.cdf(0), zero.sf(0)), (1.0, 0.0, 1.0, 0.0));
    assert!(Poisson::new(-1.0).is_err() && Poisson::new(f64::NAN).is_err());
}
