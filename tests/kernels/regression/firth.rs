use super::Observed;
use armwise::internal::{Cholesky, rows};
use armwise::ndarray::{Array1, ArrayView1};
use armwise::regression::{Family, Firth, Grouped, ModelMatrix, Weights};

/// How far the modified score `sum f (w (y - mu) + h (1/2 - mu)) x`, summed row by row, would still move the
/// coefficients.
fn last_step(observed: &Observed, beta: ArrayView1<f64>) -> Array1<f64> {
    let sums = observed.sums(Family::Binomial, beta);
    let inverse = Cholesky::new(sums.information.view()).expect("information").inverse();
    let mut score = sums.score;
    for (i, row) in observed.x.rows().into_iter().enumerate() {
        let terms = super::Terms::new(Family::Binomial, observed.eta(i, beta), 0.0);
        let leverage = observed.weight[i] * terms.variance * row.dot(&inverse.dot(&row));
        score.scaled_add(observed.frequency[i] * leverage * (0.5 - terms.mean), &row);
    }
    inverse.dot(&score)
}

/// The estimate in vectors, by the loop that shares of trials take, and by the modified score row by row.
#[test]
fn vectors_agree_with_the_loop() {
    let n = 700;
    let wave = |i: usize, speed: f64| (i as f64 * speed).sin();
    let x: Vec<f64> = (0..n).map(|i| 3.0 + wave(i, 0.7)).collect();
    let z: Vec<f64> = (0..n).map(|i| f64::from(u8::from(i % 3 == 0))).collect();
    let y: Vec<f64> = (0..n).map(|i| f64::from(u8::from(wave(i, 1.3) > 0.6))).collect();
    let offset: Vec<f64> = (0..n).map(|i| 0.3 * wave(i, 2.1)).collect();
    let prior: Vec<f64> = (0..n).map(|i| (i % 4) as f64 * 0.7).collect();
    let counts: Vec<u64> = (0..n as u64).map(|i| i % 5).collect();
    let matrix = ModelMatrix::new(n)
        .intercept()
        .and_then(|m| m.numeric("x", (&x[..]).into()))
        .and_then(|m| m.numeric("z", (&z[..]).into()))
        .expect("a matrix");
    let trials = Array1::ones(n);
    let grouped = Grouped { successes: (&y[..]).into(), trials: trials.view() };
    let ones = || vec![1.0; n];
    for (weights, weight, frequency) in [
        (Weights::None, ones(), ones()),
        (Weights::Precision((&prior[..]).into()), prior.clone(), ones()),
        (Weights::Frequency(&counts[..]), ones(), counts.iter().map(|count| *count as f64).collect()),
    ] {
        let model = Firth::new().weights(weights).offset((&offset[..]).into());
        let vectors = model.fit(&matrix, &y[..]).expect("a fit");
        let plain = model.fit(&matrix, grouped).expect("a fit");
        let observed = Observed { x: rows(&matrix, None), y: &y, weight, frequency, offset: offset.clone() };
        let left = last_step(&observed, vectors.coefficients());
        for ((a, b), left) in vectors.coefficients().iter().zip(plain.coefficients()).zip(&left) {
            assert!((a - b).abs() < 1e-11 * (1.0 + b.abs()), "{a} {b}");
            assert!(left.abs() < 1e-11 * (1.0 + b.abs()), "{a}: {left}");
        }
    }
}
