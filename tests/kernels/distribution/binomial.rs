use armwise::distribution::Binomial;

#[test]
fn edges() {
    let certain = Binomial::new(7, 1.0).unwrap();
    assert_eq!((certain.pmf(7), certain.pmf(6), certain.cdf(6), certain.sf(6)), (1.0, 0.0, 0.0, 1.0));
    let never = Binomial::new(7, 0.0).unwrap();
    assert_eq!((never.pmf(0), never.pmf(1), never.cdf(0), never.sf(0)), (1.0, 0.0, 1.0, 0.0));
    let empty = Binomial::new(0, 0.3).unwrap();
    assert_eq!((empty.pmf(0), empty.cdf(0), empty.sf(0)), (1.0, 1.0, 0.0));
    assert!(Binomial::new(3, 1.1).is_err() && Binomial::new(3, f64::NAN).is_err());
}

#[test]
fn sums_to_the_tails() {
    for (n, p) in [(1, 0.4), (9, 0.01), (60, 0.5), (400, 0.97)] {
        let binomial = Binomial::new(n, p).unwrap();
        for x in 0..n {
            let lower: f64 = (0..=x).map(|k| binomial.pmf(k)).sum();
            let upper: f64 = (x + 1..=n).rev().map(|k| binomial.pmf(k)).sum();
            assert!((binomial.cdf(x) - lower).abs() <= 1e-12 * lower + 1e-300, "{n} {p} {x}");
            assert!((binomial.sf(x) - upper).abs() <= 1e-12 * upper + 1e-300, "{n} {p} {x}");
        }
    }
}
