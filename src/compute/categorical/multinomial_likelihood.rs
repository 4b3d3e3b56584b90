//! The multinomial logit likelihood: one pass over blocks of rows.

use super::likelihood::{CategoryModel, Pass, Products};
use super::multinomial_vectors::{self, assemble, category};
use super::rows::{CategoryRows, RowBlock};
use crate::compute::regression::{BLOCK, ColumnMoments, add_cross_product};
use crate::error::SeparatedModel;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2, Axis, Slice};

/// The probabilities of all categories from the linear predictors of all but the reference, whose predictor
/// is 0; gives the logarithm of the one observed.
fn probabilities(eta: &ArrayView1<f64>, reference: usize, out: &mut [f64], observed: usize) -> f64 {
    let largest = eta.iter().fold(0.0_f64, |m, x| m.max(*x));
    let predictor = |k: usize| match k.cmp(&reference) {
        std::cmp::Ordering::Less => eta[k],
        std::cmp::Ordering::Equal => 0.0,
        std::cmp::Ordering::Greater => eta[k - 1],
    };
    let mut sum = 0.0;
    for (k, out) in out.iter_mut().enumerate() {
        *out = (predictor(k) - largest).exp();
        sum += *out;
    }
    for p in out.iter_mut() {
        *p /= sum;
    }
    predictor(observed) - largest - sum.ln()
}

/// Coefficients (stacked by category) as one row for each category.
fn stacked(parameters: &Array1<f64>, q: usize) -> Array2<f64> {
    let p = parameters.len() / q;
    Array2::from_shape_fn((q, p), |(j, c)| parameters[j * p + c])
}

/// Observed minus expected indicators of all categories but the reference.
fn differences(probability: &[f64], reference: usize, observed: usize, out: &mut ArrayViewMut1<f64>) {
    for (slot, out) in out.iter_mut().enumerate() {
        let k = category(slot, reference);
        *out = f64::from(u8::from(k == observed)) - probability[k];
    }
}

/// The largest difference of two linear predictors, that of the reference being 0.
fn spread(eta: &ArrayView1<f64>) -> f64 {
    let (low, high) = eta.iter().fold((0.0_f64, 0.0_f64), |(low, high), x| (low.min(*x), high.max(*x)));
    high - low
}

/// Each category against a reference category.
#[derive(Debug)]
pub(super) struct Multinomial;

impl CategoryModel for Multinomial {
    fn parameters(&self, rows: &CategoryRows) -> usize {
        (rows.categories() - 1) * rows.matrix.ncols()
    }

    fn names(&self, rows: &CategoryRows) -> Vec<String> {
        let columns = rows.matrix.names();
        let levels = rows.levels.iter().enumerate().filter(|(k, _)| *k != rows.reference);
        levels.flat_map(|(_, level)| columns.iter().map(move |name| format!("{level}: {name}"))).collect()
    }

    fn separated(&self) -> SeparatedModel {
        SeparatedModel::Categories
    }

    /// A constant column carries the probabilities of all rows together.
    fn start(&self, rows: &CategoryRows) -> Array1<f64> {
        let mut start = Array1::zeros(self.parameters(rows));
        if let Some((column, value)) = rows.moments.as_ref().and_then(ColumnMoments::first_constant) {
            let (p, reference) = (rows.matrix.ncols(), rows.totals[rows.reference]);
            let others = rows.totals.iter().enumerate().filter(|(k, _)| *k != rows.reference);
            for (slot, (_, total)) in others.enumerate() {
                start[slot * p + column] = (total / reference).ln() / value;
            }
        }
        start
    }

    fn pass(
        &self,
        rows: &CategoryRows,
        at: &Array1<f64>,
        step: Option<&Array1<f64>>,
        products: Products,
    ) -> Pass {
        let (k, p) = (rows.categories(), rows.matrix.ncols());
        let q = k - 1;
        if let Some(moments) = rows.vectorised() {
            let mut pass = multinomial_vectors::pass(rows, at, products);
            pass.change = step.map_or(0.0, |step| self.reach(rows, moments, step));
            return pass;
        }
        let mut pass = Pass::new(q * p);
        let (b, d) = (stacked(at, q), step.map(|step| stacked(step, q)));
        let mut score = Array2::<f64>::zeros((q, p));
        let mut blocks = vec![Array2::<f64>::zeros((p, p)); q * (q + 1) / 2];
        let mut scratch = Array2::zeros((p, BLOCK));
        let (mut residuals, mut pairs) =
            (Array2::<f64>::zeros((q, BLOCK)), vec![vec![0.0; BLOCK]; blocks.len()]);
        let mut probability = vec![0.0; k];
        rows.for_each_block(|RowBlock { x, codes, weight, frequency, .. }| {
            let eta = b.dot(&x);
            if let Some(d) = &d {
                pass.change =
                    d.dot(&x).columns().into_iter().map(|eta| spread(&eta)).fold(pass.change, f64::max);
            }
            let mut sum = 0.0;
            for (i, code) in codes.iter().enumerate() {
                let (w, f) = (weight[i], frequency[i]);
                let mut residual = residuals.column_mut(i);
                if w * f == 0.0 {
                    residual.fill(0.0);
                    for pair in &mut pairs {
                        pair[i] = 0.0;
                    }
                    continue;
                }
                let observed = *code as usize;
                pass.largest = eta.column(i).iter().fold(pass.largest, |m, x| m.max(x.abs()));
                sum += w * f * probabilities(&eta.column(i), rows.reference, &mut probability, observed);
                differences(&probability, rows.reference, observed, &mut residual);
                let mut place = 0;
                for j in 0..q {
                    let left = probability[category(j, rows.reference)];
                    for m in j..q {
                        let right = probability[category(m, rows.reference)];
                        pairs[place][i] = match products {
                            Products::Information if m == j => f * w * left * (1.0 - left),
                            Products::Information => -f * w * left * right,
                            Products::Scores => f * w * w * residual[j] * residual[m],
                        };
                        place += 1;
                    }
                }
                residual *= w * f;
            }
            pass.log_likelihood += sum;
            let n = codes.len();
            let mut filled = residuals.view();
            filled.slice_axis_inplace(Axis(1), Slice::from(..n));
            score += &filled.dot(&x.t());
            for (pair, block) in pairs.iter().zip(&mut blocks) {
                add_cross_product(x, &pair[..n], &mut scratch, block);
            }
        });
        pass.score = score.iter().copied().collect();
        assemble(&mut pass, &blocks, p, q);
        // A step that moves no difference of predictors by 1 leaves all multipliers positive.
        pass.slack = 1.0;
        pass.finish()
    }

    fn scores(&self, rows: &CategoryRows, at: &Array1<f64>, block: &RowBlock) -> Array2<f64> {
        let (k, p, n) = (rows.categories(), rows.matrix.ncols(), block.codes.len());
        let q = k - 1;
        let eta = stacked(at, q).dot(&block.x);
        let mut out = Array2::zeros((q * p, n));
        let mut residual = Array1::<f64>::zeros(q);
        let mut probability = vec![0.0; k];
        for (i, code) in block.codes.iter().enumerate() {
            let observed = *code as usize;
            if block.weight[i] * block.frequency[i] == 0.0 {
                continue;
            }
            probabilities(&eta.column(i), rows.reference, &mut probability, observed);
            differences(&probability, rows.reference, observed, &mut residual.view_mut());
            for (place, out) in out.column_mut(i).iter_mut().enumerate() {
                *out = block.weight[i] * residual[place / p] * block.x[[place % p, i]];
            }
        }
        out
    }

    fn reach(&self, rows: &CategoryRows, moments: &ColumnMoments, step: &Array1<f64>) -> f64 {
        let q = rows.categories() - 1;
        let columns: Vec<usize> = (0..step.len() / q).collect();
        let step = stacked(step, q);
        let mut largest = 0.0_f64;
        for (j, left) in step.rows().into_iter().enumerate() {
            largest = largest.max(moments.reach(&columns, left));
            for right in step.rows().into_iter().take(j) {
                largest = largest.max(moments.reach(&columns, (&left - &right).view()));
            }
        }
        largest
    }

    fn requirements(&self, rows: &CategoryRows) -> usize {
        rows.categories() - 1
    }

    /// The predictor of the category rises no less than each other one.
    fn require(
        &self,
        rows: &CategoryRows,
        slot: usize,
        y: usize,
        x: ArrayView1<f64>,
        mut out: ArrayViewMut1<f64>,
    ) -> bool {
        let p = x.len();
        for (category, sign) in [(y, 1.0), (category(slot, y), -1.0)] {
            if category != rows.reference {
                let first = (category - usize::from(category > rows.reference)) * p;
                for (j, value) in x.iter().enumerate() {
                    out[first + j] += sign * value;
                }
            }
        }
        true
    }

    fn add_probabilities(
        &self,
        rows: &CategoryRows,
        at: &Array1<f64>,
        x: ArrayView2<f64>,
        weight: &[f64],
        mut sums: ArrayViewMut1<f64>,
        mut gradients: ArrayViewMut2<f64>,
    ) {
        let (k, p, n) = (rows.categories(), x.nrows(), x.ncols());
        let mut all = Array2::<f64>::zeros((k, n));
        self.for_each_row(rows, at, x, &mut |i, row| {
            all.column_mut(i).iter_mut().zip(row).for_each(|(out, p)| *out = *p);
        });
        sums += &all.dot(&ArrayView1::from(weight));
        for slot in 0..k - 1 {
            let other = category(slot, rows.reference);
            for m in 0..k {
                let own = f64::from(u8::from(m == other));
                let slopes: Array1<f64> =
                    (0..n).map(|i| weight[i] * all[[m, i]] * (own - all[[other, i]])).collect();
                let mut strip = gradients.index_axis_mut(Axis(0), m);
                strip.slice_axis_inplace(Axis(0), Slice::from(slot * p..(slot + 1) * p));
                strip += &x.dot(&slopes);
            }
        }
    }

    fn for_each_row(
        &self,
        rows: &CategoryRows,
        at: &Array1<f64>,
        x: ArrayView2<f64>,
        with: &mut dyn FnMut(usize, &[f64]),
    ) {
        let eta = stacked(at, rows.categories() - 1).dot(&x);
        let mut row = vec![0.0; rows.categories()];
        for (i, eta) in eta.columns().into_iter().enumerate() {
            probabilities(&eta, rows.reference, &mut row, rows.reference);
            with(i, &row);
        }
    }
}
