use armwise::internal::rows;
use armwise::ndarray::{Array1, Array2, ArrayView1};
use armwise::regression::{Category, Family, Fit, Glm, Grouped, ModelMatrix, VarianceType, Weights};

/// `A^-1 (sum f c U U') A^-1` row by row, `c` from the leverage.
fn loops(fit: &Fit, x: &Array2<f64>, frequency: Option<&[u64]>, c: impl Fn(f64) -> f64) -> Array2<f64> {
    let (scores, leverages) = (fit.working_scores(), fit.leverages());
    let mut meat = Array2::<f64>::zeros((x.ncols(), x.ncols()));
    for (i, row) in x.rows().into_iter().enumerate() {
        let times = frequency.map_or(1.0, |counts| counts[i] as f64);
        let weight = times * c(leverages[i]) * scores[i] * scores[i];
        for a in 0..x.ncols() {
            meat.row_mut(a).scaled_add(weight * row[a], &row);
        }
    }
    fit.bread().dot(&meat).dot(&fit.bread())
}

/// In vectors and row by row, for every family and kind of weights; and by the loop over blocks that shares
/// of trials take.
#[test]
fn vectors_agree_with_the_loop() {
    for n in [60, 131, 1100] {
        let wave = |i: usize, speed: f64| (i as f64 * speed).sin();
        let x: Vec<f64> = (0..n).map(|i| wave(i, 0.7)).collect();
        let arm: Vec<u32> = (0_u32..).map(|i| i % 4).take(n).collect();
        let prior: Vec<f64> = (0..n).map(|i| if i % 7 == 5 { 0.0 } else { 1.1 + wave(i, 0.37) }).collect();
        let frequency: Vec<u64> = (0_u64..).map(|i| i * i % 5).take(n).collect();
        let matrix = ModelMatrix::new(n)
            .intercept()
            .and_then(|m| m.category("arm", Category::new(&arm, ["a", "b", "c", "d"])))
            .and_then(|m| m.numeric("x", ArrayView1::from(&x)))
            .expect("a matrix");
        let (dense, trials) = (rows(&matrix, None), Array1::ones(n));
        for family in [Family::Gaussian, Family::Binomial, Family::Poisson] {
            let y: Vec<f64> = match family {
                Family::Gaussian => (0..n).map(|i| 5.0 + wave(i, 1.3) * (1.0 + x[i])).collect(),
                Family::Binomial => (0..n).map(|i| f64::from(u8::from(wave(i, 1.3) > 0.2))).collect(),
                _ => (0..n).map(|i| (2.0 + 2.0 * wave(i, 1.3)).floor()).collect(),
            };
            let prior = Weights::Precision(ArrayView1::from(&prior));
            for weights in [Weights::None, prior, Weights::Frequency(&frequency)] {
                let fit = Glm::new(family).weights(weights).fit(&matrix, &y[..]).expect("a fit");
                let counts = if let Weights::Frequency(counts) = weights { Some(counts) } else { None };
                let shares = Grouped { successes: (&y[..]).into(), trials: trials.view() };
                let grouped = (family == Family::Binomial)
                    .then(|| Glm::new(family).weights(weights).fit(&matrix, shares));
                let grouped = grouped.transpose().expect("a fit");
                let rest = |h: f64| 1.0 - h;
                let plain = [
                    (VarianceType::Hc0, loops(&fit, &dense, counts, |_| 1.0)),
                    (VarianceType::Hc2, loops(&fit, &dense, counts, |h| 1.0 / rest(h))),
                    (VarianceType::Hc3, loops(&fit, &dense, counts, |h| rest(h).powi(-2))),
                ];
                for (variance, plain) in plain {
                    let scale = plain.diag().sum();
                    for fit in grouped.iter().chain([&fit]) {
                        for (a, b) in fit.covariance(variance).expect("a covariance").iter().zip(&plain) {
                            assert!((a - b).abs() < 1e-12 * scale, "{family:?} {variance:?} {n}: {a} {b}");
                        }
                    }
                }
            }
        }
    }
}
