use super::grid::Weighted;
use super::mixture::Summary;
use super::posterior::Posterior;
use super::shortest::{Continuous, shortest};
use crate::compute::gauss_legendre::{POINTS, rule};
use crate::compute::interval::Interval;
use crate::compute::reference_distribution::upper_tail;
use crate::compute::roots::root;
use crate::error::Result;

/// The posterior distribution of the heterogeneity tau, the standard deviation of effects between studies.
///
/// ```
/// use armwise::bayes::{NormalNormal, TauPrior};
///
/// let model = NormalNormal::new(TauPrior::HalfNormal { scale: 0.5 });
/// let posterior = model.posterior(&[0.12, 0.47, 0.30], &[0.011, 0.024, 0.015])?;
/// let tau = posterior.tau();
/// assert!((tau.cdf(tau.median()) - 0.5).abs() < 1e-12);
/// assert_eq!(tau.shortest_interval(0.95)?.lower(), 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct TauPosterior<'a> {
    posterior: &'a Posterior,
    pieces: Vec<Piece>,
}

/// A stretch of `asinh(tau / scale)` with the density there as a Legendre series, whose integral is known.
#[derive(Debug, Clone)]
struct Piece {
    middle: f64,
    half: f64,
    coefficients: [f64; POINTS],
    mass: f64,
}

impl Posterior {
    /// The heterogeneity tau.
    pub fn tau(&self) -> TauPosterior<'_> {
        TauPosterior::new(self)
    }
}

/// Densities below this are zero.
const SMALLEST: f64 = 1e-280;

impl Piece {
    /// The series, and whether its last terms are negligible.
    fn new(posterior: &Posterior, start: f64, end: f64, tolerance: f64) -> (Self, bool) {
        let (middle, half) = (0.5 * (start + end), 0.5 * (end - start));
        let mut coefficients = [0.0; POINTS];
        let mut largest = 0.0_f64;
        for (x, w) in rule() {
            let value = posterior.grid.density(&posterior.model, middle + half * x);
            // Arithmetic with subnormal numbers takes a hundred times as long, and none of them counts.
            let value = if value < SMALLEST { 0.0 } else { value };
            largest = largest.max(value);
            let mut polynomials = Legendre::at(x);
            for (n, coefficient) in coefficients.iter_mut().enumerate() {
                *coefficient += (n as f64 + 0.5) * w * value * polynomials.step();
            }
        }
        let last = coefficients[POINTS - 1].abs() + coefficients[POINTS - 2].abs();
        let resolved = last <= tolerance * largest || end - start < 1e-9 * end.max(1.0);
        (Self { middle, half, coefficients, mass: 2.0 * half * coefficients[0] }, resolved)
    }

    fn position(&self, u: f64) -> f64 {
        ((u - self.middle) / self.half).clamp(-1.0, 1.0)
    }

    fn density(&self, u: f64) -> f64 {
        let mut polynomials = Legendre::at(self.position(u));
        self.coefficients.iter().map(|c| c * polynomials.step()).sum::<f64>().max(0.0)
    }

    /// The integral from the start to u: that of the n-th polynomial from -1 to x is
    /// `(P(n + 1) - P(n - 1)) / (2 n + 1)`.
    fn below(&self, u: f64) -> f64 {
        let x = self.position(u);
        let mut polynomials = Legendre::at(x);
        let (mut before, mut current) = (polynomials.step(), polynomials.step());
        let mut sum = self.coefficients[0] * (x + 1.0);
        for (n, coefficient) in self.coefficients.iter().enumerate().skip(1) {
            let next = polynomials.step();
            sum += coefficient * (next - before) / (2.0 * n as f64 + 1.0);
            (before, current) = (current, next);
        }
        self.half * sum
    }
}

/// The Legendre polynomials at x, one after the other.
struct Legendre {
    x: f64,
    degree: f64,
    before: f64,
    current: f64,
}

impl Legendre {
    fn at(x: f64) -> Self {
        Self { x, degree: 0.0, before: 0.0, current: 1.0 }
    }

    fn step(&mut self) -> f64 {
        let (n, value) = (self.degree, self.current);
        self.current = ((2.0 * n + 1.0) * self.x * value - n * self.before) / (n + 1.0);
        self.before = value;
        self.degree += 1.0;
        value
    }
}

/// A bound on the pieces that smooth densities do not reach: some twenty are usual.
const MOST_PIECES: usize = 300;

impl<'a> TauPosterior<'a> {
    pub(super) fn new(posterior: &'a Posterior) -> Self {
        let tolerance = (16.0 * posterior.grid.tolerance).max(1e-12);
        let mut open: Vec<(f64, f64)> =
            posterior.grid.panels.iter().rev().map(|panel| (panel.start, panel.end)).collect();
        let mut pieces = Vec::with_capacity(2 * open.len());
        while let Some((start, end)) = open.pop() {
            let (piece, resolved) = Piece::new(posterior, start, end, tolerance);
            if resolved || pieces.len() + open.len() > MOST_PIECES {
                pieces.push(piece);
            } else {
                open.push((piece.middle, end));
                open.push((start, piece.middle));
            }
        }
        Self { posterior, pieces }
    }

    fn nodes(&self) -> &[Weighted] {
        &self.posterior.grid.nodes
    }

    /// The mean; `None` where it does not exist, as with few studies and a prior with heavy tails.
    pub fn mean(&self) -> Option<f64> {
        let mean = self.nodes().iter().map(|w| w.weight * w.node.tau).sum();
        self.posterior.tau_moments().mean.then_some(mean)
    }

    /// The standard deviation; `None` where it does not exist.
    pub fn sd(&self) -> Option<f64> {
        let mean: f64 = self.nodes().iter().map(|w| w.weight * w.node.tau).sum();
        let variance: f64 = self.nodes().iter().map(|w| w.weight * (w.node.tau - mean).powi(2)).sum();
        self.posterior.tau_moments().variance.then_some(variance.sqrt())
    }

    /// The median.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The density.
    pub fn pdf(&self, x: f64) -> f64 {
        let Posterior { model, grid, .. } = self.posterior;
        if (0.0..=model.upper()).contains(&x) && x < f64::INFINITY {
            (model.at(x).ln_density - grid.ln_evidence).exp()
        } else {
            0.0
        }
    }

    /// The probability of `x` or less.
    pub fn cdf(&self, x: f64) -> f64 {
        self.tail(x, Side::Lower)
    }

    /// The probability of more than `x`.
    pub fn sf(&self, x: f64) -> f64 {
        self.tail(x, Side::Upper)
    }

    fn tail(&self, x: f64, side: Side) -> f64 {
        if x.is_nan() {
            return f64::NAN;
        }
        let u = (x.max(0.0) / self.posterior.grid.scale).asinh();
        let share = |piece: &Piece| match side {
            Side::Lower => piece.below(u),
            Side::Upper => piece.mass - piece.below(u),
        };
        self.pieces.iter().map(share).sum::<f64>().clamp(0.0, 1.0)
    }

    /// The `x` with P(tau <= x) = p; NaN unless 0 <= p <= 1.
    pub fn quantile(&self, p: f64) -> f64 {
        self.solve(p, Side::Lower)
    }

    /// The `x` with P(tau > x) = p; NaN unless 0 <= p <= 1.
    pub fn upper_quantile(&self, p: f64) -> f64 {
        self.solve(p, Side::Upper)
    }

    fn solve(&self, p: f64, side: Side) -> f64 {
        let Posterior { model, grid, .. } = self.posterior;
        if !(0.0..=1.0).contains(&p) {
            return f64::NAN;
        }
        if p == 0.0 || p == 1.0 {
            return if (p == 0.0) == (side == Side::Lower) { 0.0 } else { model.upper() };
        }
        let mut open = p;
        let mut enough = |piece: &&Piece| {
            open -= piece.mass;
            open <= 0.0
        };
        let found = match side {
            Side::Lower => self.pieces.iter().find(&mut enough),
            Side::Upper => self.pieces.iter().rev().find(&mut enough),
        };
        let Some(piece) = found else {
            // Rounding left the pieces short of p.
            return if side == Side::Lower { model.upper() } else { 0.0 };
        };
        let below = match side {
            Side::Lower => open + piece.mass,
            Side::Upper => -open,
        };
        let (start, end) = (piece.middle - piece.half, piece.middle + piece.half);
        grid.scale * root(|u| piece.below(u) - below, start, end).sinh()
    }

    /// The interval with equal tails; `level` between 0 and 1, as 0.95.
    ///
    /// # Errors
    /// `invalid_input` for a level outside (0, 1).
    pub fn interval(&self, level: f64) -> Result<Interval> {
        let tail = upper_tail(level)?;
        Ok(Interval::between(self.quantile(tail), self.upper_quantile(tail)))
    }

    /// The shortest interval of the level; it begins at 0 where the density does not rise there.
    ///
    /// # Errors
    /// `invalid_input` for a level outside (0, 1).
    pub fn shortest_interval(&self, level: f64) -> Result<Interval> {
        shortest(self, level)
    }

    /// Moments, median and both intervals.
    ///
    /// # Errors
    /// `invalid_input` for a level outside (0, 1).
    pub fn summary(&self, level: f64) -> Result<Summary> {
        Ok(Summary {
            mean: self.mean(),
            sd: self.sd(),
            median: self.median(),
            interval: self.interval(level)?,
            shortest_interval: self.shortest_interval(level)?,
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Lower,
    Upper,
}

impl Continuous for TauPosterior<'_> {
    fn density(&self, x: f64) -> f64 {
        let grid = &self.posterior.grid;
        let u = (x / grid.scale).asinh();
        let within = |piece: &&Piece| (u - piece.middle).abs() <= piece.half;
        let slope = grid.scale * u.cosh();
        self.pieces.iter().find(within).map_or_else(|| self.pdf(x), |piece| piece.density(u) / slope)
    }

    fn lower_quantile(&self, p: f64) -> f64 {
        self.quantile(p)
    }

    fn upper_tail_quantile(&self, p: f64) -> f64 {
        self.upper_quantile(p)
    }
}
