//! The passes by vectors against those by plain loops.

use super::cumulative::CumulativeLink;
use super::likelihood::{Model, Products};
use super::rows::{CategoryRows, Intercepts};
use super::{CategoryVariance, CumulativeRegression, MultinomialRegression};
use crate::compute::fitted::Fitted;
use crate::compute::regression::{Category, ModelMatrix, Weights};
use ndarray::{Array1, ArrayView1};

struct Data {
    age: Vec<f64>,
    arm: Vec<u32>,
    y: Vec<u32>,
    categories: u32,
}

impl Data {
    fn new(n: usize, categories: u32) -> Self {
        let wave = |i: usize, speed: f64| (i as f64 * speed).sin();
        let category = |i: usize| {
            let score = 0.3 * wave(i, 0.7) + wave(i, 1.3) + f64::from(i.is_multiple_of(3)) * 0.2;
            (0..categories - 1).filter(|k| score > -0.9 + 1.8 * f64::from(*k) / f64::from(categories)).count()
        };
        let mut y: Vec<u32> = (0..n).map(|i| u32::try_from(category(i)).expect("a code")).collect();
        // No category is empty.
        y.iter_mut().zip(0..categories).for_each(|(y, k)| *y = k);
        Self {
            age: (0..n).map(|i| 3.0 + 2.0 * wave(i, 0.7)).collect(),
            arm: (0..n).map(|i| u32::from(i % 3 == 0) + u32::from(i % 7 < 2)).collect(),
            y,
            categories,
        }
    }

    fn matrix(&self, intercepts: Intercepts) -> ModelMatrix<'_> {
        let matrix = ModelMatrix::new(self.y.len());
        let matrix =
            if intercepts == Intercepts::InMatrix { matrix.intercept().expect("a column") } else { matrix };
        matrix
            .numeric("age", ArrayView1::from(&self.age))
            .and_then(|m| m.category("arm", Category::new(&self.arm, ["a", "b", "c"])))
            .and_then(|m| m.product("arm", "age"))
            .expect("a matrix")
    }

    fn outcome(&self) -> Category<'_> {
        Category::new(&self.y, (0..self.categories).map(|k| k.to_string())).reference(1)
    }

    fn rows(&self, intercepts: Intercepts) -> CategoryRows<'_> {
        CategoryRows::new(self.matrix(intercepts), self.outcome(), Weights::None, intercepts).expect("rows")
    }
}

fn agree(model: Model, intercepts: Intercepts, data: &Data, at: impl Fn(usize) -> f64) {
    let rows = data.rows(intercepts);
    if rows.vectorised().is_none() {
        return;
    }
    let plain = CategoryRows { moments: None, ..rows.clone() };
    let at: Array1<f64> = (0..model.parameters(&rows)).map(at).collect();
    let step = &at * 0.01;
    for products in [Products::Information, Products::Scores] {
        let a = model.pass(&rows, &at, Some(&step), products);
        let b = model.pass(&plain, &at, Some(&step), products);
        let size = 100.0 * rows.n;
        let close = |a: f64, b: f64, what: &str| {
            assert!((a - b).abs() <= 1e-12 * size, "{model:?} {products:?} n={} {what}: {a} {b}", rows.n);
        };
        assert!(a.valid && b.valid);
        close(a.log_likelihood, b.log_likelihood, "log-likelihood");
        assert!(a.change >= b.change * (1.0 - 1e-12), "a bound is no less: {} {}", a.change, b.change);
        assert!(a.slack <= b.slack * (1.0 + 1e-9), "the slack is no more: {} {}", a.slack, b.slack);
        for (a, b) in a.score.iter().zip(&b.score) {
            close(*a, *b, "score");
        }
        for (a, b) in a.products.iter().zip(&b.products) {
            close(*a, *b, "products");
        }
    }
}

#[test]
fn vectors_agree_with_plain_loops() {
    for categories in [2, 3, 4, 6, 11] {
        for n in [40, 127, 129, 1023, 1030, 8193] {
            let data = Data::new(n, categories);
            agree(Model::Multinomial, Intercepts::InMatrix, &data, |j| 0.2 * (j as f64).cos());
            let q = categories as usize - 1;
            let at = |j: usize| if j < q { -1.0 + 0.4 * j as f64 } else { 0.15 * (j as f64).cos() };
            agree(Model::Cumulative(CumulativeLink::Logit), Intercepts::Thresholds, &data, at);
        }
    }
}

/// Far out, where probabilities vanish: the same numbers, or (beyond 300) the same plain loops.
#[test]
fn extreme_predictors_agree_too() {
    let data = Data::new(200, 4);
    for scale in [5.0, 40.0, 90.0, 400.0] {
        agree(Model::Multinomial, Intercepts::InMatrix, &data, |j| scale * (j as f64).cos());
        let at = |j: usize| if j < 3 { scale * j as f64 } else { scale * 0.5 * (j as f64).cos() };
        let rows = data.rows(Intercepts::Thresholds);
        if rows.vectorised().is_none() {
            return;
        }
        let model = Model::Cumulative(CumulativeLink::Logit);
        let at: Array1<f64> = (0..model.parameters(&rows)).map(at).collect();
        let plain = CategoryRows { moments: None, ..rows.clone() };
        let a = model.pass(&rows, &at, None, Products::Information);
        let b = model.pass(&plain, &at, None, Products::Information);
        assert!((a.log_likelihood - b.log_likelihood).abs() <= 1e-12 * b.log_likelihood.abs());
        for (a, b) in a.products.iter().zip(&b.products) {
            assert!((a - b).abs() <= 1e-11 * b.abs().max(1e-3), "{scale}: {a} {b}");
        }
    }
}

#[cfg(feature = "rayon")]
#[test]
fn threads_do_not_change_a_bit() {
    let data = Data::new(40_007, 4);
    let fits: Vec<_> = [1, 2, 5]
        .into_iter()
        .map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| {
                let multinomial = MultinomialRegression::new()
                    .fit(&data.matrix(Intercepts::InMatrix), data.outcome())
                    .expect("a fit");
                let ordered = CumulativeRegression::new()
                    .fit(&data.matrix(Intercepts::Thresholds), data.outcome())
                    .expect("a fit");
                let parameters = multinomial.estimates().to_vec();
                let covariances = [
                    multinomial.covariance(CategoryVariance::Hc0).expect("a covariance"),
                    ordered.covariance(CategoryVariance::Model).expect("a covariance"),
                ];
                (parameters, ordered.coefficients().to_vec(), covariances)
            })
        })
        .collect();
    assert_eq!(fits[0], fits[1]);
    assert_eq!(fits[0], fits[2]);
}
