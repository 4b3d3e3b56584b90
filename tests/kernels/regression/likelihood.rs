use armwise::internal::{digamma_rise, ln_rising, trigamma_rise};

#[test]
fn rises_agree_with_the_sums() {
    for (theta, y) in [(0.3, 5000.0), (2.5, 7.0), (1e6, 3000.0)] {
        let terms =
            || std::iter::successors(Some(0.0), |k| Some(k + 1.0)).take_while(|k| *k < y).map(|k| theta + k);
        assert!((ln_rising(theta, y) / terms().map(f64::ln).sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((digamma_rise(theta, y) / terms().map(f64::recip).sum::<f64>() - 1.0).abs() < 1e-11);
        assert!((trigamma_rise(theta, y) / terms().map(|x| -x.powi(-2)).sum::<f64>() - 1.0).abs() < 1e-8);
    }
}
