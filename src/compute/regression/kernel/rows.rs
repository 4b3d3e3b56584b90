//! What each row contributes: the factor of its columns, and one more column.

use super::lane::Logistic;
use pulp::Simd;

/// Sums of the rows that are no products of columns.
pub(super) struct Tally<S: Simd> {
    /// The part of the negative log-likelihood that is no logarithm.
    pub(super) loss: S::f64s,
    /// The product of what the logarithms are taken of: one logarithm serves many rows.
    pub(super) product: S::f64s,
    /// The largest `|eta|`.
    pub(super) largest: S::f64s,
}

impl<S: Simd> Tally<S> {
    #[inline(always)]
    pub(super) fn new(simd: S) -> Self {
        Self { loss: simd.splat_f64s(0.0), product: simd.splat_f64s(1.0), largest: simd.splat_f64s(0.0) }
    }
}

/// The columns of the panel are those of the matrix times `factor`, and after them `extra`.
pub(super) struct Scaled<S: Simd> {
    pub(super) factor: S::f64s,
    pub(super) extra: S::f64s,
}

/// How rows enter the products.
pub(super) trait RowRule: Copy + Sync {
    /// Whether the linear predictor is needed.
    const PREDICTOR: bool;
    /// Whether the smallest and largest value of each column are wanted.
    const EXTREMES: bool;

    /// What some rows contribute; `y` is 0 or 1.
    fn scaled<S: Simd>(simd: S, eta: S::f64s, y: S::f64s, tally: &mut Tally<S>) -> Scaled<S>;
}

/// `X'X`, `X'y`, and the range of each column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moments;

/// Information, score, deviance and Pearson's chi-square of a logistic model.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogisticInformation;

/// The sum of the products of the scores of a logistic model.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogisticScores;

impl RowRule for Moments {
    const PREDICTOR: bool = false;
    const EXTREMES: bool = true;

    #[inline(always)]
    fn scaled<S: Simd>(simd: S, _eta: S::f64s, y: S::f64s, _tally: &mut Tally<S>) -> Scaled<S> {
        Scaled { factor: simd.splat_f64s(1.0), extra: y }
    }
}

impl RowRule for LogisticInformation {
    const PREDICTOR: bool = true;
    const EXTREMES: bool = false;

    /// With `factor = sqrt(w)` and `extra = (y - mu) / sqrt(w)` the products are the information, the score and Pearson's chi-square.
    #[inline(always)]
    fn scaled<S: Simd>(simd: S, eta: S::f64s, y: S::f64s, tally: &mut Tally<S>) -> Scaled<S> {
        let curve = Logistic::new(simd, eta);
        // -log-likelihood = max(eta, 0) - y eta + ln(1 + exp(-|eta|))
        let loss = simd.sub_f64s(simd.max_f64s(eta, simd.splat_f64s(0.0)), simd.mul_f64s(y, eta));
        tally.loss = simd.add_f64s(tally.loss, simd.add_f64s(loss, curve.lost));
        tally.product = simd.mul_f64s(tally.product, curve.q);
        tally.largest = simd.max_f64s(tally.largest, simd.abs_f64s(eta));
        Scaled { factor: curve.root, extra: simd.mul_f64s(curve.residual(simd, y), curve.inverse_root) }
    }
}

impl RowRule for LogisticScores {
    const PREDICTOR: bool = true;
    const EXTREMES: bool = false;

    #[inline(always)]
    fn scaled<S: Simd>(simd: S, eta: S::f64s, y: S::f64s, _tally: &mut Tally<S>) -> Scaled<S> {
        let curve = Logistic::new(simd, eta);
        Scaled { factor: curve.residual(simd, y), extra: simd.splat_f64s(0.0) }
    }
}
