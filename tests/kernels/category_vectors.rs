//! The passes by vectors against those by plain loops.

use armwise::categorical::CumulativeLink;
use armwise::internal::passes;
use armwise::ndarray::ArrayView1;
use armwise::regression::{Category, ModelMatrix};

/// Multinomial models have no link, and their intercepts are columns of the matrix.
type Model = Option<CumulativeLink>;

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

    fn matrix(&self, model: Model) -> ModelMatrix<'_> {
        let matrix = ModelMatrix::new(self.y.len());
        let matrix = if model.is_none() { matrix.intercept().expect("a column") } else { matrix };
        matrix
            .numeric("age", ArrayView1::from(&self.age))
            .and_then(|m| m.category("arm", Category::new(&self.arm, ["a", "b", "c"])))
            .and_then(|m| m.product("arm", "age"))
            .expect("a matrix")
    }

    fn outcome(&self) -> Category<'_> {
        Category::new(&self.y, (0..self.categories).map(|k| k.to_string())).reference(1)
    }
}

fn agree(model: Model, data: &Data, at: impl Fn(usize) -> f64) {
    for scores in [false, true] {
        let n = data.y.len();
        let Some([a, b]) =
            passes(model, (data.matrix(model), data.outcome()), &at, Some(0.01), scores).expect("rows")
        else {
            return;
        };
        let size = 100.0 * n as f64;
        let close = |a: f64, b: f64, what: &str| {
            assert!((a - b).abs() <= 1e-12 * size, "{model:?} {scores} n={n} {what}: {a} {b}");
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
            agree(None, &data, |j| 0.2 * (j as f64).cos());
            let q = categories as usize - 1;
            let at = |j: usize| if j < q { -1.0 + 0.4 * j as f64 } else { 0.15 * (j as f64).cos() };
            agree(Some(CumulativeLink::Logit), &data, at);
        }
    }
}

/// Far out, where probabilities vanish: the same numbers, or (beyond 300) the same plain loops.
#[test]
fn extreme_predictors_agree_too() {
    let data = Data::new(200, 4);
    for scale in [5.0, 40.0, 90.0, 400.0] {
        agree(None, &data, |j| scale * (j as f64).cos());
        let at = |j: usize| if j < 3 { scale * j as f64 } else { scale * 0.5 * (j as f64).cos() };
        let model = Some(CumulativeLink::Logit);
        let Some([a, b]) =
            passes(model, (data.matrix(model), data.outcome()), at, None, false).expect("rows")
        else {
            return;
        };
        assert!((a.log_likelihood - b.log_likelihood).abs() <= 1e-12 * b.log_likelihood.abs());
        for (a, b) in a.products.iter().zip(&b.products) {
            assert!((a - b).abs() <= 1e-11 * b.abs().max(1e-3), "{scale}: {a} {b}");
        }
    }
}

#[cfg(feature = "rayon")]
#[test]
fn threads_do_not_change_a_bit() {
    use armwise::categorical::{CategoryVariance, CumulativeRegression, MultinomialRegression};
    use armwise::regression::Fitted;

    let data = Data::new(40_007, 4);
    let fits: Vec<_> = [1, 2, 5]
        .into_iter()
        .map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| {
                let multinomial =
                    MultinomialRegression::new().fit(&data.matrix(None), data.outcome()).expect("a fit");
                let ordered = CumulativeRegression::new()
                    .fit(&data.matrix(Some(CumulativeLink::Logit)), data.outcome())
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
