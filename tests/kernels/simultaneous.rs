use armwise::categorical::Simultaneous;
use armwise::distribution::{Normal, StudentizedRange};
use armwise::ndarray::Array2;

/// The covariance of all differences of means with equal variances.
fn pairwise(k: usize) -> Array2<f64> {
    let pairs: Vec<(usize, usize)> = (0..k).flat_map(|i| (0..i).map(move |j| (i, j))).collect();
    let same = |a: usize, b: usize| f64::from(u8::from(a == b));
    Array2::from_shape_fn((pairs.len(), pairs.len()), |(a, b)| {
        let ((i, j), (m, l)) = (pairs[a], pairs[b]);
        same(i, m) - same(i, l) - same(j, m) + same(j, l)
    })
}

#[test]
fn all_pairs_are_tukeys_range() {
    for (k, tolerance) in [(3, 1e-6), (4, 1e-3), (5, 1e-3), (8, 2e-3)] {
        for level in [0.8, 0.95, 0.99] {
            let tukey = StudentizedRange::new(k as u64, f64::INFINITY).unwrap().quantile(level)
                / std::f64::consts::SQRT_2;
            let critical = Simultaneous::MaxT.critical_value(pairwise(k).view(), level).unwrap();
            assert!((critical - tukey).abs() < tolerance, "{k} {level}: {critical} {tukey}");
        }
    }
}

#[test]
fn independent_contrasts_are_sidaks() {
    for k in [2, 3, 6, 12] {
        let critical = Simultaneous::MaxT.critical_value(Array2::eye(k).view(), 0.95).unwrap();
        let sidak = Normal.upper_quantile(0.5 * (1.0 - 0.95_f64.powf(1.0 / k as f64)));
        assert!((critical - sidak).abs() < 2e-3, "{k}: {critical} {sidak}");
    }
}

#[test]
fn goodmans_degrees_of_freedom_are_the_rank() {
    let critical = Simultaneous::Goodman.critical_value(pairwise(4).view(), 0.95).unwrap();
    assert!((critical.powi(2) - 7.814_727_903_251_18).abs() < 1e-9);
}

#[test]
fn one_contrast_needs_no_adjustment() {
    let copies = Array2::from_elem((3, 3), 2.0);
    assert!(
        (Simultaneous::MaxT.critical_value(copies.view(), 0.95).unwrap() - 1.959_963_984_540_054).abs()
            < 1e-12
    );
    let nothing = Array2::zeros((3, 3));
    assert!((Simultaneous::Bonferroni.critical_value(nothing.view(), 0.95).unwrap() - 1.96).abs() < 1e-3);
}
