//! Sums over studies, small matrices, arrangements.

use armwise::internal::{Square, arrangements, next_arrangement, sums_of_others};

#[test]
fn vectors_and_plain_loops_agree() {
    let yi: Vec<f64> = (0..100_i32).map(|i| (f64::from(i) * 0.7).sin()).collect();
    let vi: Vec<f64> = (0..100_i32).map(|i| 0.01 + (f64::from(i) * 0.3).cos().powi(2)).collect();
    for k in [1, 2, 7, 8, 9, 18, 63, 64, 65, 100] {
        for (but, tau2) in [(0, 0.0), (k / 2, 0.3), (k - 1, 1e-9)] {
            for off in [0.0, 0.1] {
                let (plain, fast, many) = sums_of_others(&yi[..k], &vi[..k], tau2, but, off);
                for (a, b) in plain.into_iter().zip(fast) {
                    assert!((a - b).abs() <= 1e-12 * a.abs().max(1e-3), "{k} {but} {tau2}: {a} {b}");
                }
                let Some(many) = many else { continue };
                for (a, b) in plain.into_iter().zip(many) {
                    assert!((a - b).abs() <= 1e-11 * a.abs().max(1e-3), "{k} {but} {tau2}: {a} {b}");
                }
            }
        }
    }
}

#[test]
fn eigenvectors_rebuild_the_matrix() {
    let matrix = Square::from_fn(4, |i, j| 1.0 / (1.0 + i as f64 + j as f64));
    let (values, vectors) = matrix.clone().eigen();
    for i in 0..4 {
        for j in 0..4 {
            let rebuilt: f64 = (0..4).map(|c| values[c] * vectors[(i, c)] * vectors[(j, c)]).sum();
            assert!((rebuilt - matrix[(i, j)]).abs() < 1e-15);
        }
    }
}

#[test]
fn the_inverse_inverts() {
    let matrix = Square::from_fn(3, |i, j| if i == j { 2.0 } else { 0.5 });
    let product = matrix.cholesky().unwrap().inverse().times(&matrix);
    assert!((0..3).all(|i| (0..3).all(|j| (product[(i, j)] - f64::from(u8::from(i == j))).abs() < 1e-15)));
    assert!(Square::from_fn(2, |_, _| 1.0).cholesky().is_none());
}

#[test]
fn every_arrangement_once() {
    let mut classes = vec![0, 0, 1, 2, 2];
    let mut seen = std::collections::BTreeSet::from([classes.clone()]);
    while next_arrangement(&mut classes) {
        assert!(seen.insert(classes.clone()));
    }
    assert_eq!(seen.len(), 30);
    assert_eq!(arrangements(&classes), 30.0);
}
