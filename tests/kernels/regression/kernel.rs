//! The passes by vectors against sequential sums, row by row.

use super::{Observed, Terms};
use armwise::internal::{Canonical, Kernel, Observations, category, exp, plain_fit, rows};
use armwise::ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use armwise::regression::{Category, Family, Fit, Glm, Indicator, ModelMatrix, Response, Weights};
use pulp::{Arch, Simd, WithSimd};

struct Data {
    age: Vec<f64>,
    arm: Vec<u32>,
    flag: Vec<bool>,
    y: Vec<f64>,
    offset: Vec<f64>,
}

impl Data {
    fn new(n: usize) -> Self {
        let wave = |i: usize, speed: f64| (i as f64 * speed).sin();
        Self {
            age: (0..n).map(|i| 3.0 + 2.0 * wave(i, 0.7)).collect(),
            arm: (0..n).map(|i| u32::from(i % 3 == 0) + u32::from(i % 7 < 2)).collect(),
            flag: (0..n).map(|i| i % 5 < 2).collect(),
            y: (0..n).map(|i| f64::from(u8::from(wave(i, 1.3) > 0.2))).collect(),
            offset: (0..n).map(|i| 0.3 * wave(i, 2.1)).collect(),
        }
    }

    fn matrix(&self) -> ModelMatrix<'_> {
        ModelMatrix::new(self.y.len())
            .intercept()
            .and_then(|m| m.numeric("age", ArrayView1::from(&self.age)))
            .and_then(|m| m.category("arm", Category::new(&self.arm, ["a", "b", "c"])))
            .and_then(|m| m.indicator("flag", Indicator::from(&self.flag[..])))
            .and_then(|m| m.product("arm", "age"))
            .expect("a matrix")
    }

    fn observations(&self, offset: bool) -> Observations<'_> {
        let offset = offset.then(|| ArrayView1::from(&self.offset));
        Observations::new(Response::from(&self.y[..]), Weights::None, offset)
    }
}

fn close(a: f64, b: f64, scale: f64) {
    assert!((a - b).abs() <= 1e-12 * scale, "{a} and {b} on the scale {scale}");
}

#[test]
fn vectors_agree_with_sequential_sums() {
    for (n, offset) in
        [(1, true), (31, false), (33, true), (127, false), (129, true), (1030, true), (20_011, false)]
    {
        let data = Data::new(n);
        let (matrix, observations) = (data.matrix(), data.observations(offset));
        let Some(kernel) = Kernel::new(&matrix, &observations) else { return };
        let beta = [0.3, -0.4, 0.2, -0.9, 0.5, 0.1, 0.05];
        let x = rows(&matrix, None);
        let p = matrix.ncols();
        let mut observed = Observed::plain(x, &data.y);
        if offset {
            observed.offset.clone_from(&data.offset);
        }
        let known = observed.sums(Family::Binomial, ArrayView1::from(&beta));
        let sums = kernel.sums(Canonical::Logistic, &beta);
        let size = 100.0 * n as f64;
        close(sums.deviance, known.deviance, known.deviance);
        close(sums.pearson_chi2, known.pearson_chi2, known.pearson_chi2);
        close(sums.largest_eta, known.largest_eta, 10.0);
        let products = kernel.score_products(Canonical::Logistic, &beta);
        let moments = kernel.moments();
        let x = &observed.x;
        let cross = x.t().dot(x);
        for a in 0..p {
            close(sums.score[a], known.score[a], size);
            close(moments.with_outcome[a], x.column(a).dot(&ArrayView1::from(&data.y)), size);
            for b in 0..p {
                close(sums.information[[a, b]], known.information[[a, b]], size);
                close(products[[a, b]], known.score_products[[a, b]], size);
                close(moments.cross[[a, b]], cross[[a, b]], size);
            }
            let low = x.column(a).iter().fold(f64::INFINITY, |m, x| m.min(*x));
            let high = x.column(a).iter().fold(f64::NEG_INFINITY, |m, x| m.max(*x));
            assert_eq!(moments.ranges[a], [low, high]);
        }
        if !offset && n > 31 {
            let start = Array1::from(vec![0.4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
            let (known, pass) = (
                moments.sums(Canonical::Logistic, start.view()).expect("constant"),
                kernel.sums(Canonical::Logistic, start.as_slice().expect("values")),
            );
            close(known.deviance, pass.deviance, size);
            close(known.pearson_chi2, pass.pearson_chi2, size);
            close(known.score[1], pass.score[1], size);
            close(known.information[[1, 2]], pass.information[[1, 2]], size);
        }
        let (term, levels) = category(&matrix, "arm").expect("a category");
        let marginal = kernel.marginal(Canonical::Logistic, term, 3, &beta);
        assert_eq!(levels, 3);
        for level in 0..3_u8 {
            let forced = Observed {
                x: rows(&matrix, Some((term, level.into()))),
                offset: observed.offset.clone(),
                ..Observed::plain(Array2::zeros((0, 0)), &data.y)
            };
            let (mut mean, mut gradient) = (0.0, Array1::<f64>::zeros(p));
            for (i, row) in forced.x.rows().into_iter().enumerate() {
                let terms = Terms::new(Family::Binomial, forced.eta(i, ArrayView1::from(&beta)), 0.0);
                mean += terms.mean;
                gradient.scaled_add(terms.variance, &row);
            }
            close(marginal[[level.into(), 0]], mean, size);
            for a in 0..p {
                close(marginal[[level.into(), a + 1]], gradient[a], size);
            }
        }
    }
}

#[test]
fn extreme_predictors_stay_finite() {
    let data = Data::new(64);
    let matrix = ModelMatrix::new(64).numeric("age", ArrayView1::from(&data.age)).expect("a matrix");
    let observations = data.observations(false);
    let Some(kernel) = Kernel::new(&matrix, &observations) else { return };
    for beta in [1e-300, 100.0, -500.0, 1e6] {
        let sums = kernel.sums(Canonical::Logistic, &[beta]);
        assert!(sums.deviance.is_finite() && sums.information[[0, 0]] >= 0.0 && sums.score[0].is_finite());
    }
    let expected: f64 = data.age.iter().zip(&data.y).map(|(x, y)| (1.0 - y) * 2.0 * 1e6 * x).sum();
    close(kernel.sums(Canonical::Logistic, &[1e6]).deviance, expected, expected);
}

#[test]
fn the_exponential_is_right_to_the_last_digits() {
    struct Exp<'x>(&'x [f64]);
    impl WithSimd for Exp<'_> {
        type Output = Vec<f64>;

        // A call that is not expanded loses the instruction set.
        #[allow(clippy::inline_always)]
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Vec<f64> {
            self.0.iter().map(|x| simd.reduce_max_f64s(exp(simd, simd.splat_f64s(*x)))).collect()
        }
    }
    let x: Vec<f64> = (0..=7080).map(|i| -f64::from(i) * 0.1).collect();
    for (x, value) in x.iter().zip(Arch::new().dispatch(Exp(&x))) {
        assert!((value / x.exp() - 1.0).abs() < 4.5e-16, "exp({x})");
    }
}

fn logistic(matrix: &ModelMatrix, y: &[f64]) -> armwise::Result<Fit<'static>> {
    let y: &'static [f64] = Vec::leak(y.to_vec());
    let columns = rows(matrix, None);
    let columns: &'static Array2<f64> = Box::leak(Box::new(columns));
    let matrix = ModelMatrix::from_columns(matrix.names().to_vec(), columns.view())?;
    Glm::new(Family::Binomial).fit(&matrix, y)
}

/// Rows sorted by outcome and covariate mislead the sample that gives the start: the estimate stays the same.
#[test]
fn sorted_rows_have_the_same_estimate() {
    let data = Data::new(140_000);
    let fit = logistic(&data.matrix(), &data.y).expect("a fit");
    let mut order: Vec<usize> = (0..data.y.len()).collect();
    order.sort_by(|&a, &b| data.y[a].total_cmp(&data.y[b]).then(data.age[a].total_cmp(&data.age[b])));
    let sorted = Data {
        age: order.iter().map(|&i| data.age[i]).collect(),
        arm: order.iter().map(|&i| data.arm[i]).collect(),
        flag: order.iter().map(|&i| data.flag[i]).collect(),
        y: order.iter().map(|&i| data.y[i]).collect(),
        offset: data.offset.clone(),
    };
    let other = logistic(&sorted.matrix(), &sorted.y).expect("a fit");
    for (a, b) in fit.coefficients().iter().zip(other.coefficients()) {
        close(*a, *b, 1.0);
    }
    close(fit.deviance(), other.deviance(), fit.deviance());
    for (a, b) in fit.information().iter().zip(other.information()) {
        close(*a, *b, fit.n() * 100.0);
    }
}

/// Vectors and plain loops, over the lengths at which panels, segments and chunks end.
#[test]
fn lengths_around_the_ends_of_blocks_agree_with_plain_loops() {
    for n in [127, 128, 129, 1023, 1025, 8191, 8193, 16_384 + 33] {
        let data = Data::new(n);
        let matrix = data.matrix();
        let vectors = Glm::new(Family::Binomial).fit(&matrix, &data.y[..]).expect("a fit");
        let plain = plain_fit(Family::Binomial, &matrix, data.observations(false), false).expect("a fit");
        for (a, b) in vectors.coefficients().iter().zip(plain.coefficients()) {
            assert!((a - b).abs() < 1e-10 * (1.0 + a.abs()), "{n}: {a} {b}");
        }
        for (a, b) in vectors.bread().iter().zip(plain.bread()) {
            assert!((a - b).abs() < 1e-9 * vectors.bread().diag().sum(), "{n}: {a} {b}");
        }
    }
}

/// Columns of every kind, in memory one after the other and not; amounts, counts and outcomes of 0 and 1.
struct Mixed {
    data: Data,
    counts: Vec<f64>,
    amounts: Vec<f64>,
    prior: Vec<f64>,
    frequency: Vec<u64>,
}

impl Mixed {
    fn new(n: usize) -> Self {
        let data = Data::new(n);
        let wave = |i: usize, speed: f64| (i as f64 * speed).sin();
        Self {
            counts: (0..n)
                .map(|i| (3.0 + 3.0 * wave(i, 0.9)).floor() * f64::from(u8::from(i % 4 > 0)))
                .collect(),
            amounts: (0..n).map(|i| 50.0 + 3.0 * wave(i, 1.7) + data.age[i]).collect(),
            // Every seventh row has no weight.
            prior: (0..n).map(|i| if i % 7 == 5 { 0.0 } else { 1.1 + wave(i, 0.37) }).collect(),
            frequency: (0_u64..).map(|i| i * i % 5).take(n).collect(),
            data,
        }
    }

    /// The same with strides of 2.
    fn strided(values: &[f64]) -> Vec<f64> {
        values.iter().flat_map(|x| [*x, f64::NAN]).collect()
    }

    fn outcome(&self, family: Family) -> &[f64] {
        match family {
            Family::Gaussian => &self.amounts,
            Family::Binomial => &self.data.y,
            _ => &self.counts,
        }
    }

    fn weights(&self, kind: usize) -> Weights<'_> {
        match kind {
            0 => Weights::None,
            1 => Weights::Precision(ArrayView1::from(&self.prior)),
            _ => Weights::Frequency(&self.frequency),
        }
    }

    fn observed(&self, x: Array2<f64>, family: Family, kind: usize, offset: bool) -> Observed<'_> {
        let mut observed = Observed::plain(x, self.outcome(family));
        match kind {
            0 => {}
            1 => observed.weight.clone_from(&self.prior),
            _ => observed.frequency = self.frequency.iter().map(|count| *count as f64).collect(),
        }
        if offset {
            observed.offset.clone_from(&self.data.offset);
        }
        observed
    }
}

const FAMILIES: [(Family, Canonical); 3] = [
    (Family::Gaussian, Canonical::Linear),
    (Family::Binomial, Canonical::Logistic),
    (Family::Poisson, Canonical::Poisson),
];

/// Each sum of a pass in vectors is that of the plain loops, whatever the family, the weights, the offset and
/// the number of rows.
#[test]
fn every_pass_agrees_with_plain_loops() {
    for n in [9, 31, 33, 129, 1029, 9001] {
        let mixed = Mixed::new(n);
        let age = Mixed::strided(&mixed.data.age);
        let age = ArrayView2::from_shape((n, 2), &age).expect("pairs").index_axis_move(Axis(1), 0);
        let matrix = ModelMatrix::new(n)
            .intercept()
            .and_then(|m| m.numeric("age", age))
            .and_then(|m| m.category("arm", Category::new(&mixed.data.arm, ["a", "b", "c"])))
            .and_then(|m| m.indicator("flag", Indicator::from(&mixed.data.flag[..])))
            .and_then(|m| m.product("arm", "age"))
            .expect("a matrix");
        for ((family, model), kind, with_offset) in FAMILIES.into_iter().flat_map(|family| {
            (0..3).flat_map(move |kind| [false, true].map(|offset| (family, kind, offset)))
        }) {
            let offset = with_offset.then(|| ArrayView1::from(&mixed.data.offset));
            let observations =
                Observations::new(Response::from(mixed.outcome(family)), mixed.weights(kind), offset);
            let Some(kernel) = Kernel::new(&matrix, &observations) else { return };
            let observed = mixed.observed(rows(&matrix, None), family, kind, with_offset);
            let beta = [0.3, -0.4, 0.2, -0.9, 0.5, 0.1, 0.05];
            let plain = observed.sums(family, ArrayView1::from(&beta));
            let sums = kernel.sums(model, &beta);
            let size = 1e3 * n as f64;
            close(sums.deviance, plain.deviance, plain.deviance);
            for a in 0..beta.len() {
                close(sums.score[a], plain.score[a], size);
                for b in 0..beta.len() {
                    close(sums.information[[a, b]], plain.information[[a, b]], size);
                }
            }
            let moments = kernel.moments();
            let mut cross = Array2::<f64>::zeros((beta.len(), beta.len()));
            for (i, row) in observed.x.rows().into_iter().enumerate() {
                let counts = f64::from(u8::from(observed.weight[i] * observed.frequency[i] > 0.0));
                for a in 0..beta.len() {
                    cross.row_mut(a).scaled_add(counts * row[a], &row);
                }
            }
            for (a, b) in moments.cross.iter().zip(&cross) {
                close(*a, *b, size);
            }
            // Few rows may separate.
            if n < 1000 {
                continue;
            }
            let vectors = Glm::new(family).weights(mixed.weights(kind));
            let vectors = match offset {
                Some(offset) => vectors.offset(offset),
                None => vectors,
            };
            let vectors = vectors.fit(&matrix, mixed.outcome(family)).expect("a fit");
            let plain = plain_fit(family, &matrix, observations.clone(), false).expect("a fit");
            for (a, b) in vectors.coefficients().iter().zip(plain.coefficients()) {
                close(*a, *b, 1.0 + a.abs());
            }
            close(vectors.deviance(), plain.deviance(), plain.deviance());
            close(vectors.pearson_chi2(), plain.pearson_chi2(), plain.pearson_chi2());
            let means = vectors.standardize("arm").expect("means");
            let (term, _) = category(&matrix, "arm").expect("a category");
            let share = |i: usize| observed.weight[i] * observed.frequency[i];
            let total: f64 = (0..n).map(share).sum();
            for level in 0..3_u32 {
                let forced = mixed.observed(rows(&matrix, Some((term, level))), family, kind, with_offset);
                let (mut mean, mut gradient) = (0.0, Array1::<f64>::zeros(beta.len()));
                for (i, row) in forced.x.rows().into_iter().enumerate() {
                    let terms = Terms::new(family, forced.eta(i, vectors.coefficients()), 0.0);
                    mean += share(i) / total * terms.mean;
                    gradient.scaled_add(share(i) / total * terms.variance, &row);
                }
                close(means.means()[level as usize], mean, 1.0 + mean.abs());
                for (a, b) in means.gradients().row(level as usize).iter().zip(&gradient) {
                    close(*a, *b, 1.0 + gradient[0].abs());
                }
            }
        }
    }
}

/// Ordinary least squares against the factors of QR: large common values, columns on scales that differ by
/// 10^12, nearly collinear ones.
#[test]
fn linear_coefficients_agree_with_qr() {
    let n = 500;
    let wave = |i: usize, speed: f64| (i as f64 * speed).sin();
    for (shift, scale, apart) in
        [(0.0, 1.0, 1.0), (1e6, 1.0, 1.0), (1e3, 1e-6, 1.0), (0.0, 1e6, 0.05), (1e8, 1.0, 0.3)]
    {
        let first: Vec<f64> = (0..n).map(|i| scale * (wave(i, 0.7) + 2.0)).collect();
        let second: Vec<f64> = (0..n).map(|i| (wave(i, 0.7) + apart * wave(i, 1.9)) / scale).collect();
        let y: Vec<f64> = (0..n).map(|i| shift + wave(i, 0.7) + 0.5 * wave(i, 1.9) + wave(i, 3.3)).collect();
        let matrix = ModelMatrix::new(n)
            .intercept()
            .and_then(|m| m.numeric("first", ArrayView1::from(&first)))
            .and_then(|m| m.numeric("second", ArrayView1::from(&second)))
            .expect("a matrix");
        let fit = Glm::new(Family::Gaussian).fit(&matrix, &y[..]).expect("a fit");
        let observations = Observations::new(Response::from(&y[..]), Weights::None, None);
        let stable = plain_fit(Family::Gaussian, &matrix, observations, true).expect("a fit");
        for j in 0..3 {
            let se = fit.bread()[[j, j]].sqrt();
            let difference = (fit.coefficients()[j] - stable.coefficients()[j]).abs();
            // The outcome itself is only known to a unit in its last place.
            let unit = 1e-14 * (1.0 + shift) * se;
            assert!(
                difference <= 1e-13 * stable.coefficients()[j].abs() + unit,
                "{shift} {scale} {apart}: {j}"
            );
        }
        close(fit.deviance(), stable.deviance(), fit.deviance() * (1.0 + 1e-3 * shift));
    }
}

/// Means of counts that are refused by the plain loops are refused in vectors.
#[test]
fn counts_at_the_ends_of_the_range() {
    let x = [1.0; 40];
    let y: Vec<f64> = (0..40).map(|i| f64::from(i % 3)).collect();
    let matrix = ModelMatrix::new(40).numeric("x", ArrayView1::from(&x)).expect("a matrix");
    let observations = Observations::new(Response::from(&y[..]), Weights::None, None);
    let Some(kernel) = Kernel::new(&matrix, &observations) else { return };
    for beta in [700.0, 1e5, f64::INFINITY, f64::NAN] {
        assert!(!kernel.sums(Canonical::Poisson, &[beta]).deviance.is_finite(), "{beta}");
    }
    for beta in [-600.0, -30.0, 0.0, 0.4, 30.0] {
        let expected: f64 = y.iter().map(|y| Terms::new(Family::Poisson, beta, *y).deviance).sum();
        close(kernel.sums(Canonical::Poisson, &[beta]).deviance, expected, expected);
    }
}

/// Predictors that overflow make a pass invalid, and never a number that looks right.
#[test]
fn an_overflow_of_the_predictor_is_seen() {
    let x = vec![1e139; 100];
    let y: Vec<f64> = (0..100).map(|i| f64::from(i % 2)).collect();
    let matrix = ModelMatrix::new(100).numeric("x", ArrayView1::from(&x)).expect("a matrix");
    let observations = Observations::new(Response::from(&y[..]), Weights::None, None);
    let Some(kernel) = Kernel::new(&matrix, &observations) else { return };
    for beta in [1e200, -1e200, f64::NAN] {
        assert!(!kernel.sums(Canonical::Logistic, &[beta]).deviance.is_finite());
    }
}

/// Values that are not finite anywhere among the rows, last ones that fill no group included, keep the
/// moments from being used.
#[test]
fn values_that_are_not_finite_are_seen_in_every_row() {
    for n in [5, 33, 200] {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e200] {
            for row in 0..n {
                let mut x: Vec<f64> = (0_u32..).map(|i| f64::from(i % 7)).take(n).collect();
                x[row] = bad;
                let y: Vec<f64> = (0_u32..).map(|i| f64::from(i % 2)).take(n).collect();
                let matrix = ModelMatrix::new(n)
                    .intercept()
                    .and_then(|m| m.numeric("x", ArrayView1::from(&x)))
                    .expect("a matrix");
                let observations = Observations::new(Response::from(&y[..]), Weights::None, None);
                let Some(kernel) = Kernel::new(&matrix, &observations) else { return };
                assert!(!kernel.moments().is_usable(), "{bad} in row {row} of {n}");
                let error = Glm::new(Family::Binomial).fit(&matrix, &y[..]).expect_err("bad input");
                assert_eq!(error.kind().name(), "invalid_input");
            }
        }
    }
}

#[cfg(feature = "rayon")]
#[test]
fn threads_do_not_change_a_bit() {
    let data = Data::new(131_077);
    let fits: Vec<_> = [1, 2, 5]
        .into_iter()
        .map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| {
                let matrix = data.matrix();
                let fit = Glm::new(Family::Binomial).fit(&matrix, &data.y[..]).expect("a fit");
                let covariance = fit.covariance(armwise::regression::VarianceType::Hc1).expect("HC1");
                let marginal = fit.standardize("arm").expect("means").means().to_vec();
                (fit.coefficients().to_vec(), covariance, marginal)
            })
        })
        .collect();
    assert_eq!(fits[0], fits[1]);
    assert_eq!(fits[0], fits[2]);
}
