//! Regression: passes in vectors against sums row by row.

mod cluster_shares;
mod firth;
mod kernel;
mod likelihood;
mod matrix;
mod sandwich;
mod shortcut;

use armwise::ndarray::{Array1, Array2, ArrayView1};
use armwise::regression::Family;

/// What a row adds with a canonical link, per unit of its weight.
struct Terms {
    mean: f64,
    residual: f64,
    /// The variance function, which is also the derivative of the mean.
    variance: f64,
    deviance: f64,
}

impl Terms {
    fn new(family: Family, eta: f64, y: f64) -> Self {
        match family {
            Family::Gaussian => {
                Self { mean: eta, residual: y - eta, variance: 1.0, deviance: (y - eta).powi(2) }
            }
            Family::Binomial => {
                let e = (-eta.abs()).exp();
                let (small, large) = (e / (1.0 + e), 1.0 / (1.0 + e));
                let (p, q) = if eta > 0.0 { (large, small) } else { (small, large) };
                let (residual, lost) = if y == 1.0 { (q, (-eta).max(0.0)) } else { (-p, eta.max(0.0)) };
                Self { mean: p, residual, variance: p * q, deviance: 2.0 * (lost + e.ln_1p()) }
            }
            Family::Poisson => {
                let mean = eta.exp();
                let gain = if y > 0.0 { y * (y.ln() - eta) } else { 0.0 };
                Self { mean, residual: y - mean, variance: mean, deviance: 2.0 * (gain - (y - mean)) }
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Rows with what was observed in them.
struct Observed<'d> {
    x: Array2<f64>,
    y: &'d [f64],
    /// The weight of one unit of each row.
    weight: Vec<f64>,
    /// How many such units there are.
    frequency: Vec<f64>,
    offset: Vec<f64>,
}

/// Sums over the rows.
struct RowSums {
    information: Array2<f64>,
    score: Array1<f64>,
    score_products: Array2<f64>,
    deviance: f64,
    pearson_chi2: f64,
    largest_eta: f64,
}

impl<'d> Observed<'d> {
    /// Every row counts once.
    fn plain(x: Array2<f64>, y: &'d [f64]) -> Self {
        let n = y.len();
        Self { x, y, weight: vec![1.0; n], frequency: vec![1.0; n], offset: vec![0.0; n] }
    }

    fn eta(&self, i: usize, beta: ArrayView1<f64>) -> f64 {
        self.x.row(i).dot(&beta) + self.offset[i]
    }

    fn sums(&self, family: Family, beta: ArrayView1<f64>) -> RowSums {
        let p = beta.len();
        let mut sums = RowSums {
            information: Array2::zeros((p, p)),
            score: Array1::zeros(p),
            score_products: Array2::zeros((p, p)),
            deviance: 0.0,
            pearson_chi2: 0.0,
            largest_eta: 0.0,
        };
        for (i, row) in self.x.rows().into_iter().enumerate() {
            let (weight, frequency) = (self.weight[i], self.frequency[i]);
            let (eta, both) = (self.eta(i, beta), weight * frequency);
            let terms = Terms::new(family, eta, self.y[i]);
            sums.largest_eta = sums.largest_eta.max(eta.abs());
            sums.deviance += both * terms.deviance;
            sums.pearson_chi2 += both * terms.residual.powi(2) / terms.variance;
            sums.score.scaled_add(both * terms.residual, &row);
            let score = weight * terms.residual;
            for a in 0..p {
                sums.information.row_mut(a).scaled_add(both * terms.variance * row[a], &row);
                sums.score_products.row_mut(a).scaled_add(frequency * score * score * row[a], &row);
            }
        }
        sums
    }
}
