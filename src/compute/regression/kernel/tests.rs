//! The passes by vectors against sequential sums, row by row.

use super::super::family::{Curve, Family, Link};
use super::super::matrix::{Category, Indicator, Override};
use super::*;
use ndarray::ArrayView1;

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

fn rows(matrix: &ModelMatrix, forced: Option<Override>) -> Array2<f64> {
    let mut block = Array2::zeros((matrix.ncols(), matrix.nrows()));
    matrix.fill_with(0..matrix.nrows(), forced, block.view_mut());
    block.reversed_axes()
}

fn close(a: f64, b: f64, scale: f64) {
    assert!((a - b).abs() <= 1e-12 * scale, "{a} and {b} on the scale {scale}");
}

#[test]
fn vectors_agree_with_sequential_sums() {
    let curve = Curve::new(Family::Binomial, Link::Logit).expect("a curve");
    for (n, offset) in
        [(1, true), (31, false), (33, true), (127, false), (129, true), (1030, true), (20_011, false)]
    {
        let data = Data::new(n);
        let (matrix, observations) = (data.matrix(), data.observations(offset));
        let Some(kernel) = Kernel::new(&matrix, &observations) else { return };
        let beta = [0.3, -0.4, 0.2, -0.9, 0.5, 0.1, 0.05];
        let x = rows(&matrix, None);
        let p = matrix.ncols();
        let (mut information, mut scores) = (Array2::<f64>::zeros((p, p)), Array2::<f64>::zeros((p, p)));
        let (mut score, mut deviance, mut pearson, mut largest) =
            (Array1::<f64>::zeros(p), 0.0, 0.0, 0.0_f64);
        for (i, row) in x.rows().into_iter().enumerate() {
            let eta = row.dot(&ArrayView1::from(&beta)) + if offset { data.offset[i] } else { 0.0 };
            let terms = curve.row(eta, data.y[i]);
            largest = largest.max(eta.abs());
            deviance += terms.deviance;
            pearson += (data.y[i] - terms.mu).powi(2) / terms.variance;
            score.scaled_add(terms.score, &row);
            for a in 0..p {
                information.row_mut(a).scaled_add(terms.weight * row[a], &row);
                scores.row_mut(a).scaled_add(terms.score * terms.score * row[a], &row);
            }
        }
        let sums = kernel.logistic(&beta);
        let size = 100.0 * n as f64;
        close(sums.deviance, deviance, deviance);
        close(sums.pearson_chi2, pearson, pearson);
        close(sums.largest_eta, largest, 10.0);
        let products = kernel.score_products(&beta);
        let moments = kernel.moments();
        let cross = x.t().dot(&x);
        for a in 0..p {
            close(sums.score[a], score[a], size);
            close(moments.with_outcome[a], x.column(a).dot(&ArrayView1::from(&data.y)), size);
            for b in 0..p {
                close(sums.information[[a, b]], information[[a, b]], size);
                close(products[[a, b]], scores[[a, b]], size);
                close(moments.cross[[a, b]], cross[[a, b]], size);
            }
            let low = x.column(a).iter().fold(f64::INFINITY, |m, x| m.min(*x));
            let high = x.column(a).iter().fold(f64::NEG_INFINITY, |m, x| m.max(*x));
            assert_eq!(moments.ranges[a], [low, high]);
        }
        if !offset && n > 31 {
            let start = Array1::from(vec![0.4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
            let (known, pass) = (
                moments.logistic(start.view()).expect("constant"),
                kernel.logistic(start.as_slice().expect("values")),
            );
            close(known.deviance, pass.deviance, size);
            close(known.pearson_chi2, pass.pearson_chi2, size);
            close(known.score[1], pass.score[1], size);
            close(known.information[[1, 2]], pass.information[[1, 2]], size);
        }
        let marginal = kernel.marginal(matrix.category_codes("arm").expect("a category").0, 3, &beta);
        for level in 0..3_u8 {
            let term = matrix.category_codes("arm").expect("a category").0;
            let forced = rows(&matrix, Some(Override { term, level: u32::from(level) }));
            let (mut mean, mut gradient) = (0.0, Array1::<f64>::zeros(p));
            for (i, row) in forced.rows().into_iter().enumerate() {
                let eta = row.dot(&ArrayView1::from(&beta)) + if offset { data.offset[i] } else { 0.0 };
                let terms = curve.row(eta, 0.0);
                mean += terms.mu;
                gradient.scaled_add(terms.slope, &row);
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
        let sums = kernel.logistic(&[beta]);
        assert!(sums.deviance.is_finite() && sums.information[[0, 0]] >= 0.0 && sums.score[0].is_finite());
    }
    let expected: f64 = data.age.iter().zip(&data.y).map(|(x, y)| (1.0 - y) * 2.0 * 1e6 * x).sum();
    close(kernel.logistic(&[1e6]).deviance, expected, expected);
}

#[test]
fn the_exponential_is_right_to_the_last_digits() {
    struct Exp<'x>(&'x [f64]);
    impl WithSimd for Exp<'_> {
        type Output = Vec<f64>;

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Vec<f64> {
            self.0.iter().map(|x| simd.reduce_max_f64s(lane::exp(simd, simd.splat_f64s(*x)))).collect()
        }
    }
    let x: Vec<f64> = (0..=7080).map(|i| -f64::from(i) * 0.1).collect();
    for (x, value) in x.iter().zip(instruction_set().dispatch(Exp(&x))) {
        assert!((value / x.exp() - 1.0).abs() < 4.5e-16, "exp({x})");
    }
}
