//! What each row contributes: the factor of its columns, and one more column.

use super::super::family::{Curve, Link, Variance};
use super::lane::{Logistic, deviation, exp, ln_1p};
use pulp::Simd;
use std::marker::PhantomData;

/// The models that passes in vectors suit. Their links are canonical: score `y - mu`, Fisher weight
/// `V(mu) = dmu/deta`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canonical {
    /// Identity link, constant variance.
    Linear,
    /// For outcomes of 0 and 1.
    Logistic,
    /// Log link.
    Poisson,
}

impl Canonical {
    /// `binary` is whether each outcome is 0 or 1.
    pub(crate) fn of(curve: Curve, binary: bool) -> Option<Self> {
        match (curve.variance, curve.link) {
            (Variance::Constant, Link::Identity) => Some(Self::Linear),
            (Variance::Binomial, Link::Logit) if binary => Some(Self::Logistic),
            (Variance::Poisson, Link::Log) => Some(Self::Poisson),
            _ => None,
        }
    }
}

/// What is made of a residual with leverage `h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leveraged {
    /// Divided by the root of `1 - h`.
    Hc2,
    /// Divided by `1 - h`.
    Hc3,
}

/// What the products of a pass are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule<'r> {
    /// `X'X`, `X'y` of the rows that count, and the range of each column.
    Moments,
    /// Information, score, deviance and Pearson's chi-square.
    Information(Canonical),
    /// The sum of the products of the scores.
    Scores(Canonical),
    /// The same with each score changed for its leverage; `whitener` is as [`super::leverage::in_pairs`]
    /// gives it.
    LeveragedScores { model: Canonical, change: Leveraged, whitener: &'r [f64] },
    /// With the extra column of a logistic model `X'h (1/2 - mu)`, `h` the leverages.
    Pulls { whitener: &'r [f64] },
}

impl Rule<'_> {
    /// Whether the logarithm of the outcome is needed.
    pub(super) fn needs_logarithm(self) -> bool {
        matches!(self, Self::Information(Canonical::Poisson))
    }
}

/// Sums of the rows that are no products of columns.
pub(super) struct Tally<S: Simd> {
    /// The part of the negative log-likelihood without logarithms.
    pub(super) loss: S::f64s,
    /// The product of what the logarithms are taken of: one logarithm serves many rows.
    pub(super) product: S::f64s,
    /// The largest `|eta|`, or the largest leverage.
    pub(super) largest: S::f64s,
}

impl<S: Simd> Tally<S> {
    #[inline(always)]
    pub(super) fn new(simd: S) -> Self {
        Self { loss: simd.splat_f64s(0.0), product: simd.splat_f64s(1.0), largest: simd.splat_f64s(0.0) }
    }
}

/// Some rows: one in each lane.
#[derive(Clone, Copy)]
pub(super) struct Rows<S: Simd> {
    pub(super) eta: S::f64s,
    pub(super) y: S::f64s,
    /// `ln y`, where it is needed; any number for an outcome of 0.
    pub(super) ln_y: S::f64s,
    /// `None` where each row counts once.
    pub(super) weight: Option<S::f64s>,
    /// The same, where it is a prior weight and no frequency.
    pub(super) prior: Option<S::f64s>,
    /// `x'A^-1 x`, where it is needed.
    pub(super) leverage: S::f64s,
}

/// The columns of the panel are those of the matrix times `factor`, and after them `extra`. Weights are not
/// in them yet.
#[derive(Clone, Copy)]
pub(super) struct Scaled<S: Simd> {
    pub(super) factor: S::f64s,
    pub(super) extra: S::f64s,
}

/// Mean, residual and variance at some linear predictors.
pub(super) struct Point<S: Simd> {
    pub(super) mu: S::f64s,
    pub(super) residual: S::f64s,
    /// `dmu/deta`
    pub(super) slope: S::f64s,
}

/// A model in vectors.
pub(super) trait Lanes: Copy {
    /// Whether the information needs the logarithm of the outcome.
    const LOGARITHM: bool = false;

    fn point<S: Simd>(simd: S, eta: S::f64s, y: S::f64s) -> Point<S>;

    /// With `factor = sqrt(V)` and `extra = (y - mu) / sqrt(V)` the products are the information, the score
    /// and Pearson's chi-square.
    fn information<S: Simd>(simd: S, rows: &Rows<S>, tally: &mut Tally<S>) -> Scaled<S>;
}

#[derive(Debug, Clone, Copy)]
pub(super) struct LinearLanes;

#[derive(Debug, Clone, Copy)]
pub(super) struct LogisticLanes;

#[derive(Debug, Clone, Copy)]
pub(super) struct PoissonLanes;

impl Lanes for LinearLanes {
    #[inline(always)]
    fn point<S: Simd>(simd: S, eta: S::f64s, y: S::f64s) -> Point<S> {
        Point { mu: eta, residual: simd.sub_f64s(y, eta), slope: simd.splat_f64s(1.0) }
    }

    /// The deviance is Pearson's chi-square.
    #[inline(always)]
    fn information<S: Simd>(simd: S, rows: &Rows<S>, _tally: &mut Tally<S>) -> Scaled<S> {
        Scaled { factor: simd.splat_f64s(1.0), extra: simd.sub_f64s(rows.y, rows.eta) }
    }
}

impl Lanes for LogisticLanes {
    #[inline(always)]
    fn point<S: Simd>(simd: S, eta: S::f64s, y: S::f64s) -> Point<S> {
        let curve = Logistic::new(simd, eta);
        Point {
            mu: curve.mu,
            residual: curve.residual(simd, y),
            slope: simd.mul_f64s(curve.root, curve.root),
        }
    }

    #[inline(always)]
    fn information<S: Simd>(simd: S, rows: &Rows<S>, tally: &mut Tally<S>) -> Scaled<S> {
        let Rows { eta, y, .. } = *rows;
        let curve = Logistic::new(simd, eta);
        // -log-likelihood = max(eta, 0) - y eta + ln(1 + exp(-|eta|))
        let loss = simd.sub_f64s(simd.max_f64s(eta, simd.splat_f64s(0.0)), simd.mul_f64s(y, eta));
        match rows.weight {
            None => {
                tally.loss = simd.add_f64s(tally.loss, simd.add_f64s(loss, curve.lost));
                tally.product = simd.mul_f64s(tally.product, curve.q);
            }
            Some(weight) => {
                let loss = simd.add_f64s(loss, ln_1p(simd, curve.small));
                tally.loss = simd.mul_add_e_f64s(weight, loss, tally.loss);
            }
        }
        tally.largest = simd.max_f64s(tally.largest, simd.abs_f64s(eta));
        Scaled { factor: curve.root, extra: simd.mul_f64s(curve.residual(simd, y), curve.inverse_root) }
    }
}

impl PoissonLanes {
    /// `exp(eta)`: infinite where [`Curve::valid`] refuses the predictor, and at least `exp(-700)`.
    #[inline(always)]
    fn mean<S: Simd>(simd: S, eta: S::f64s) -> S::f64s {
        let limit = simd.splat_f64s(700.0);
        let size = simd.max_f64s(simd.min_f64s(eta, limit), simd.splat_f64s(-700.0));
        let valid = simd.less_than_f64s(eta, limit);
        simd.select_f64s(valid, exp(simd, size), simd.splat_f64s(f64::INFINITY))
    }
}

impl Lanes for PoissonLanes {
    const LOGARITHM: bool = true;

    #[inline(always)]
    fn point<S: Simd>(simd: S, eta: S::f64s, y: S::f64s) -> Point<S> {
        let mu = Self::mean(simd, eta);
        Point { mu, residual: simd.sub_f64s(y, mu), slope: mu }
    }

    #[inline(always)]
    fn information<S: Simd>(simd: S, rows: &Rows<S>, tally: &mut Tally<S>) -> Scaled<S> {
        let mu = Self::mean(simd, rows.eta);
        let root = simd.sqrt_f64s(mu);
        let residual = simd.sub_f64s(rows.y, mu);
        let inverse = simd.div_f64s(simd.splat_f64s(1.0), mu);
        let deviation = deviation(simd, simd.mul_f64s(residual, inverse), simd.sub_f64s(rows.ln_y, rows.eta));
        let size = match rows.weight {
            Some(weight) => simd.mul_f64s(weight, mu),
            None => mu,
        };
        tally.loss = simd.mul_add_e_f64s(size, deviation, tally.loss);
        tally.largest = simd.max_f64s(tally.largest, simd.abs_f64s(rows.eta));
        Scaled { factor: root, extra: simd.mul_f64s(residual, simd.mul_f64s(root, inverse)) }
    }
}

/// How rows enter the products.
pub(super) trait RowRule: Copy {
    /// Whether the linear predictor is needed.
    const PREDICTOR: bool = true;
    /// Whether the smallest and largest value of each column are wanted.
    const EXTREMES: bool = false;
    /// Whether the logarithm of the outcome is needed.
    const LOGARITHM: bool = false;

    /// What makes leverages, where they are needed: as [`super::leverage::in_pairs`] gives it.
    #[inline(always)]
    fn whitener(&self) -> Option<&[f64]> {
        None
    }

    /// What some rows contribute.
    fn scaled<S: Simd>(self, simd: S, rows: &Rows<S>, tally: &mut Tally<S>) -> Scaled<S>;

    /// What a weight multiplies factor and extra column by.
    fn scale<S: Simd>(simd: S, weight: S::f64s, prior: Option<S::f64s>) -> S::f64s;
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Moments;

#[derive(Debug, Clone, Copy)]
pub(super) struct Information<L>(pub(super) L);

#[derive(Debug, Clone, Copy)]
pub(super) struct Scores<L>(pub(super) L);

#[derive(Debug, Clone, Copy)]
pub(super) struct LeveragedScores<'r, L> {
    pub(super) model: PhantomData<L>,
    pub(super) change: Leveraged,
    pub(super) whitener: &'r [f64],
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Pulls<'r> {
    pub(super) whitener: &'r [f64],
}

impl RowRule for Moments {
    const PREDICTOR: bool = false;
    const EXTREMES: bool = true;

    #[inline(always)]
    fn scaled<S: Simd>(self, simd: S, rows: &Rows<S>, _tally: &mut Tally<S>) -> Scaled<S> {
        Scaled { factor: simd.splat_f64s(1.0), extra: rows.y }
    }

    /// Rows count or do not.
    #[inline(always)]
    fn scale<S: Simd>(simd: S, weight: S::f64s, _prior: Option<S::f64s>) -> S::f64s {
        let zero = simd.splat_f64s(0.0);
        simd.select_f64s(simd.greater_than_f64s(weight, zero), simd.splat_f64s(1.0), zero)
    }
}

impl<L: Lanes> RowRule for Information<L> {
    const LOGARITHM: bool = L::LOGARITHM;

    #[inline(always)]
    fn scaled<S: Simd>(self, simd: S, rows: &Rows<S>, tally: &mut Tally<S>) -> Scaled<S> {
        L::information(simd, rows, tally)
    }

    #[inline(always)]
    fn scale<S: Simd>(simd: S, weight: S::f64s, _prior: Option<S::f64s>) -> S::f64s {
        simd.sqrt_f64s(weight)
    }
}

/// A prior weight multiplies the score; a frequency says how many such scores there are.
#[inline(always)]
fn score_scale<S: Simd>(simd: S, weight: S::f64s, prior: Option<S::f64s>) -> S::f64s {
    match prior {
        Some(prior) => prior,
        None => simd.sqrt_f64s(weight),
    }
}

impl<L: Lanes> RowRule for Scores<L> {
    #[inline(always)]
    fn scaled<S: Simd>(self, simd: S, rows: &Rows<S>, _tally: &mut Tally<S>) -> Scaled<S> {
        Scaled { factor: L::point(simd, rows.eta, rows.y).residual, extra: simd.splat_f64s(0.0) }
    }

    #[inline(always)]
    fn scale<S: Simd>(simd: S, weight: S::f64s, prior: Option<S::f64s>) -> S::f64s {
        score_scale(simd, weight, prior)
    }
}

impl<L: Lanes> RowRule for LeveragedScores<'_, L> {
    #[inline(always)]
    fn whitener(&self) -> Option<&[f64]> {
        Some(self.whitener)
    }

    #[inline(always)]
    fn scaled<S: Simd>(self, simd: S, rows: &Rows<S>, tally: &mut Tally<S>) -> Scaled<S> {
        let point = L::point(simd, rows.eta, rows.y);
        let mut leverage = simd.mul_f64s(rows.leverage, point.slope);
        if let Some(prior) = rows.prior {
            leverage = simd.mul_f64s(leverage, prior);
        }
        let leverage = counted(simd, leverage, rows.weight);
        tally.largest = simd.max_f64s(tally.largest, leverage);
        let rest = simd.sub_f64s(simd.splat_f64s(1.0), leverage);
        let divisor = match self.change {
            Leveraged::Hc2 => simd.sqrt_f64s(rest),
            Leveraged::Hc3 => rest,
        };
        Scaled { factor: simd.div_f64s(point.residual, divisor), extra: simd.splat_f64s(0.0) }
    }

    #[inline(always)]
    fn scale<S: Simd>(simd: S, weight: S::f64s, prior: Option<S::f64s>) -> S::f64s {
        score_scale(simd, weight, prior)
    }
}

impl RowRule for Pulls<'_> {
    #[inline(always)]
    fn whitener(&self) -> Option<&[f64]> {
        Some(self.whitener)
    }

    #[inline(always)]
    fn scaled<S: Simd>(self, simd: S, rows: &Rows<S>, _tally: &mut Tally<S>) -> Scaled<S> {
        let point = LogisticLanes::point(simd, rows.eta, rows.y);
        let leverage = counted(simd, simd.mul_f64s(rows.leverage, point.slope), rows.weight);
        let pull = simd.mul_f64s(leverage, simd.sub_f64s(simd.splat_f64s(0.5), point.mu));
        Scaled { factor: simd.splat_f64s(1.0), extra: pull }
    }

    #[inline(always)]
    fn scale<S: Simd>(simd: S, weight: S::f64s, _prior: Option<S::f64s>) -> S::f64s {
        simd.sqrt_f64s(weight)
    }
}

/// Zero where a row has no weight.
#[inline(always)]
fn counted<S: Simd>(simd: S, value: S::f64s, weight: Option<S::f64s>) -> S::f64s {
    let zero = simd.splat_f64s(0.0);
    weight.map_or(value, |weight| simd.select_f64s(simd.greater_than_f64s(weight, zero), value, zero))
}
