//! Whether the maximum likelihood estimate exists.
//!
//! For a binomial response let `z_i = x_i` where `y_i = 1` and `z_i = -x_i` where `y_i = 0`. The estimate
//! does not exist exactly where a direction `b` *separates*: `z_i'b >= 0` for every row and `> 0` for at
//! least one (Albert & Anderson 1984). Rows with both successes and failures count as both, so for them
//! `x_i'b = 0`. With a log link (Poisson, negative binomial, log-binomial) rows with `y_i = 0` need
//! `-x_i'b >= 0`, rows with `y_i > 0` need `x_i'b = 0`.
//!
//! **Cheap proof of overlap.** By Stiemke's theorem no direction separates if there are multipliers
//! `lambda_i > 0` with `sum lambda_i z_i = 0` (rows with an equality take any multiplier). At any
//! coefficients let `s_i` be the derivative of row i's log-likelihood with respect to its linear predictor,
//! `w_i` its Fisher weight, `U = sum s_i x_i` and `A = sum w_i x_i x_i'`, and let `A d = U` be the next step.
//! Then `lambda_i = |s_i| - w_i z_i'd` satisfies `sum lambda_i z_i = U - A d = 0` exactly, and `lambda_i > 0`
//! as soon as `|x_i'd| < |s_i| / w_i = |y_i - mu_i| / (dmu/deta)`. For the logit and the Poisson log link the
//! right-hand side is at least 1, so one full step that moves no linear predictor by 1 proves that the
//! maximum exists. The iteration checks half of it, and that `A` is far enough from singular for `A d = U` to
//! hold.
//!
//! **Exact decision.** Otherwise the non-negative least squares problem `min |sum (1 + m_i) z_i|, m_i >= 0`
//! is solved (Lawson & Hanson 1974): its residual is zero where the rows overlap, and else is itself a
//! separating direction. The rows it separates are left out, and the question is put again, until the rest
//! overlap (Clarkson & Jennrich 1991); the coefficients with a part in these directions are those that run to
//! infinity.

use super::family::{Link, Variance};
use super::information::add_cross_product;
use super::irls::Problem;
use super::matrix::{BLOCK, ModelMatrix};
use super::observations::Rows;
use crate::compute::linalg::{Cholesky, LeastSquares, UpperFactor, norm, null_space};
use crate::error::{Error, ErrorKind, Result, SeparatedBy, SeparatedModel, Sign};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use std::ops::Range;

/// A cosine below which a row counts as orthogonal to a direction.
const ORTHOGONAL: f64 = 1e-9;
/// A mean residual below which the rows overlap.
const ZERO: f64 = 1e-12;
/// The same for each unit of the multipliers whose rows cancel each other: what rounding the rows leaves of a
/// sum that is zero.
const ROUNDING: f64 = 1e-14;
/// A mean residual above this is larger than rounding, whatever the multipliers.
const DOUBTFUL: f64 = 1e-7;
/// The share of a direction below which a coefficient has no part in it.
const NO_PART: f64 = 1e-7;
/// Rows that join the inner problem after each pass over the data.
const JOINING: usize = 32;

/// The directions that separate the outcomes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Separation {
    /// Whether no row is left that overlaps.
    pub(crate) complete: bool,
    /// The columns whose coefficients run to infinity.
    pub(crate) infinite: Vec<(usize, Sign)>,
}

impl Separation {
    pub(crate) fn into_error(self, names: &[String], model: SeparatedModel) -> Error {
        let coefficients = self.infinite.into_iter().map(|(j, sign)| (names[j].clone(), sign)).collect();
        let (complete, by) = (self.complete, SeparatedBy::Columns);
        ErrorKind::Separation { complete, coefficients, model, by }.into()
    }
}

/// What a row asks of a direction `b`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Side {
    /// Nothing: it has no weight, or was separated already.
    Free,
    /// `x'b = 0`
    Equal,
    /// `sign x'b >= 0`
    AtLeast(f64),
}

/// Rows that may ask something of a direction, in blocks of at most [`BLOCK`] that each hold one column in a
/// row.
pub(crate) trait DesignRows {
    fn ncols(&self) -> usize;
    fn for_each_block(&self, with: impl FnMut(Range<usize>, ArrayView2<f64>));
}

impl DesignRows for ModelMatrix<'_> {
    fn ncols(&self) -> usize {
        self.ncols()
    }

    fn for_each_block(&self, with: impl FnMut(Range<usize>, ArrayView2<f64>)) {
        self.for_each_block(with);
    }
}

/// Decides exactly whether the estimate exists: `None` where it does.
///
/// # Errors
/// `not_converged` where the decision is beyond floating point.
pub(crate) fn separation(problem: &Problem) -> Result<Option<Separation>> {
    separating_directions(problem.matrix, sides(problem))
}

/// As [`separation`], from the rows and what each of them asks.
pub(crate) fn separating_directions(
    design: &impl DesignRows,
    mut sides: Vec<Side>,
) -> Result<Option<Separation>> {
    if !sides.iter().any(|side| matches!(side, Side::AtLeast(_))) {
        return Ok(None);
    }
    let Some(basis) = basis(design, &sides) else { return Ok(None) };
    let Basis { directions: basis, lengths, reach } = basis;
    let mut signs: Vec<Option<Sign>> = vec![None; design.ncols()];
    let mut found = false;
    while basis.ncols() > 0 {
        let rows = SidedRows { design, sides: &sides, basis: &basis, reach: &reach };
        let Some(direction) = rows.separating_direction()? else { break };
        found = true;
        let coefficients = basis.dot(&direction);
        let shares = &coefficients * &lengths;
        let largest = shares.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        for (sign, share) in signs.iter_mut().zip(&shares) {
            if share.abs() > NO_PART * largest {
                sign.get_or_insert(if *share > 0.0 { Sign::Positive } else { Sign::Negative });
            }
        }
        let mut separated = Vec::new();
        rows.for_each(|row, z| {
            if z.dot(&direction) > ORTHOGONAL {
                separated.push(row);
            }
        });
        if separated.is_empty() {
            break;
        }
        for row in separated {
            sides[row] = Side::Free;
        }
        if !sides.iter().any(|side| matches!(side, Side::AtLeast(_))) {
            break;
        }
    }
    let infinite = signs.into_iter().enumerate().filter_map(|(j, sign)| Some((j, sign?))).collect();
    let complete = sides.iter().all(|side| *side == Side::Free);
    Ok(found.then_some(Separation { complete, infinite }))
}

fn sides(problem: &Problem) -> Vec<Side> {
    let n = problem.matrix.nrows();
    let upper = problem.curve.variance == Variance::Binomial && problem.curve.link != Link::Log;
    let mut sides = Vec::with_capacity(n);
    let mut rows = Rows::new();
    for start in (0..n).step_by(BLOCK) {
        problem.observations.read(start..(start + BLOCK).min(n), &mut rows);
        sides.extend(rows.iter().map(|(y, weight, frequency)| {
            if weight * frequency == 0.0 {
                Side::Free
            } else if y == 0.0 {
                Side::AtLeast(-1.0)
            } else if upper && y == 1.0 {
                Side::AtLeast(1.0)
            } else {
                Side::Equal
            }
        }));
    }
    sides
}

struct Basis {
    /// The directions (columns) that meet the equalities; all rows have like lengths along them.
    directions: Array2<f64>,
    /// The length of each design column (rows scaled to length 1), to compare parts of a direction.
    lengths: Array1<f64>,
    /// How far a unit of each design column reaches before the equalities are taken out: the measure of
    /// rounding.
    reach: Array1<f64>,
}

fn basis(design: &impl DesignRows, sides: &[Side]) -> Option<Basis> {
    /// Squared pivots above this leave the digits of a cross-product alone.
    const CLEAR: f64 = 1e-6;
    let p = design.ncols();
    let measure = measure(design, sides);
    let mut cross = Array2::zeros((p, p));
    let mut scratch = Array2::zeros((p, BLOCK));
    design.for_each_block(|range, block| {
        let mut shares = inverse_lengths(block, &measure);
        for (share, side) in shares.iter_mut().zip(&sides[range]) {
            *share = if *side == Side::Free { 0.0 } else { *share * *share };
        }
        add_cross_product(block, &shares, &mut scratch, &mut cross);
    });
    let lengths = cross.diag().mapv(f64::sqrt);
    let factor = Cholesky::new(cross.view()).filter(|factor| factor.smallest_pivot > CLEAR);
    // Coordinates in which the rows have no preferred direction: nearly collinear columns do no harm.
    let whitener = match factor {
        Some(factor) => factor,
        None => {
            Cholesky::from_upper(upper_factor(design, sides, &measure, |side| side != Side::Free).view())?
        }
    }
    .whitener()
    .reversed_axes();
    let reach = whitener.rows().into_iter().map(norm).collect();
    if !sides.contains(&Side::Equal) {
        return Some(Basis { directions: whitener, lengths, reach });
    }
    let equal = upper_factor(design, sides, &measure, |side| side == Side::Equal).dot(&whitener);
    Some(Basis { directions: whitener.dot(&null_space(equal.view())), lengths, reach })
}

/// For each column, the inverse of the geometric mean of its values other than zero, rounded to a power of 2.
/// One value far out hardly moves it.
fn measure(design: &impl DesignRows, sides: &[Side]) -> Vec<f64> {
    /// Where the exponent is among the bits of a number, and what is added to it.
    const SHIFT: u32 = 52;
    const BIAS: i64 = 1023;
    let mut sums = vec![(0_i64, 0_i64); design.ncols()];
    design.for_each_block(|range, block| {
        for ((sum, count), column) in sums.iter_mut().zip(block.rows()) {
            for (x, side) in column.iter().zip(&sides[range.clone()]) {
                if *x != 0.0 && *side != Side::Free {
                    *sum += (x.abs().to_bits() >> SHIFT).cast_signed() - BIAS;
                    *count += 1;
                }
            }
        }
    });
    let power = |(sum, count): (i64, i64)| {
        let exponent = i32::try_from(sum / count.max(1)).unwrap_or(0);
        2.0_f64.powi(-exponent)
    };
    sums.into_iter().map(power).collect()
}

/// The inverse lengths of the rows of a block in that measure: only the direction of a row matters, and a row
/// far out shall not hide the directions of the others.
fn inverse_lengths(block: ArrayView2<f64>, measure: &[f64]) -> Vec<f64> {
    let mut squares = vec![0.0; block.ncols()];
    for (column, unit) in block.rows().into_iter().zip(measure) {
        squares.iter_mut().zip(column).for_each(|(square, x)| *square += (x * unit).powi(2));
    }
    squares.into_iter().map(|square| if square > 0.0 { 1.0 / square.sqrt() } else { 0.0 }).collect()
}

/// The triangular factor of some rows, each of length 1.
fn upper_factor(
    design: &impl DesignRows,
    sides: &[Side],
    measure: &[f64],
    keep: impl Fn(Side) -> bool,
) -> Array2<f64> {
    let mut factor = UpperFactor::new(design.ncols());
    design.for_each_block(|range, block| {
        let kept: Vec<usize> = (0..range.len()).filter(|k| keep(sides[range.start + k])).collect();
        if kept.is_empty() {
            return;
        }
        let shares = inverse_lengths(block, measure);
        let mut rows = block.select(Axis(1), &kept);
        for (mut row, k) in rows.columns_mut().into_iter().zip(kept) {
            row *= shares[k];
        }
        factor.push(rows.view());
    });
    factor.finish()
}

struct SidedRows<'r, D> {
    design: &'r D,
    sides: &'r [Side],
    basis: &'r Array2<f64>,
    reach: &'r Array1<f64>,
}

impl<D: DesignRows> SidedRows<'_, D> {
    /// Calls `with` for each row that asks `z'b >= 0`: its number, and `z` in the coordinates of the basis,
    /// of length 1. Rows that no direction of the basis moves are left out.
    fn for_each(&self, mut with: impl FnMut(usize, ArrayView1<f64>)) {
        self.design.for_each_block(|range, block| {
            let mut projected = block.t().dot(self.basis);
            let bounds = block.mapv(f64::abs).t().dot(self.reach);
            for (k, mut z) in projected.rows_mut().into_iter().enumerate() {
                let Side::AtLeast(sign) = self.sides[range.start + k] else { continue };
                let length = z.dot(&z).sqrt();
                if length > ORTHOGONAL * bounds[k] {
                    z *= sign / length;
                    with(range.start + k, z.view());
                }
            }
        });
    }

    /// A direction of length 1 with `z'c >= 0` for every row and `> 0` for some; `None` where there is none.
    fn separating_direction(&self) -> Result<Option<Array1<f64>>> {
        let k = self.basis.ncols();
        let mut mean = Array1::<f64>::zeros(k);
        let mut count = 0.0;
        self.for_each(|_, z| {
            count += 1.0;
            mean += &z;
        });
        if count == 0.0 {
            return Ok(None);
        }
        mean /= count;
        let mut inner = NonNegative::new(mean);
        for _ in 0..200 + 20 * k {
            let residual = inner.solve();
            let length = norm(residual.view());
            if length < inner.negligible() {
                return Ok(None);
            }
            let direction = residual / length;
            let mut worst: Vec<(f64, Array1<f64>)> = Vec::new();
            let mut bar = -ORTHOGONAL;
            self.for_each(|_, z| {
                let cosine = z.dot(&direction);
                if cosine < bar {
                    worst.push((cosine, z.to_owned()));
                    if worst.len() >= 8 * JOINING {
                        worst.sort_by(|a, b| a.0.total_cmp(&b.0));
                        worst.truncate(JOINING);
                        bar = worst[JOINING - 1].0;
                    }
                }
            });
            if worst.is_empty() {
                return Ok(Some(direction));
            }
            worst.sort_by(|a, b| a.0.total_cmp(&b.0));
            worst.truncate(JOINING);
            inner.join(worst.into_iter().map(|(_, z)| z));
        }
        Err(ErrorKind::NotConverged(
            "it could not be decided whether covariates separate the outcomes; leave out covariates that nearly do".to_owned(),
        )
        .into())
    }
}

/// `min |t + sum m_i z_i|, m_i >= 0` over few rows (Lawson & Hanson 1974, chapter 23).
struct NonNegative {
    target: Array1<f64>,
    rows: Vec<Array1<f64>>,
    multipliers: Vec<f64>,
    passive: Vec<usize>,
}

impl NonNegative {
    fn new(target: Array1<f64>) -> Self {
        Self { target, rows: Vec::new(), multipliers: Vec::new(), passive: Vec::new() }
    }

    /// Rows without a multiplier make room for the new ones.
    fn join(&mut self, rows: impl Iterator<Item = Array1<f64>>) {
        let keep = std::mem::take(&mut self.passive);
        let (old_rows, old) = (std::mem::take(&mut self.rows), std::mem::take(&mut self.multipliers));
        for i in keep {
            self.passive.push(self.rows.len());
            self.rows.push(old_rows[i].clone());
            self.multipliers.push(old[i]);
        }
        for row in rows {
            self.rows.push(row);
            self.multipliers.push(0.0);
        }
    }

    fn residual(&self) -> Array1<f64> {
        let mut residual = self.target.clone();
        for &i in &self.passive {
            residual.scaled_add(self.multipliers[i], &self.rows[i]);
        }
        residual
    }

    /// The length below which a residual is zero.
    fn negligible(&self) -> f64 {
        let total: f64 = self.passive.iter().map(|&i| self.multipliers[i]).sum();
        (ROUNDING * total).clamp(ZERO, DOUBTFUL)
    }

    /// The residual at the solution.
    fn solve(&mut self) -> Array1<f64> {
        let mut refused = vec![false; self.rows.len()];
        for _ in 0..50 + 10 * self.rows.len() {
            let residual = self.residual();
            let length = norm(residual.view());
            if length < self.negligible() {
                return residual;
            }
            let candidate = (0..self.rows.len())
                .filter(|i| !self.passive.contains(i) && !refused[*i])
                .map(|i| (self.rows[i].dot(&residual) / length, i))
                .filter(|(cosine, _)| *cosine < -0.1 * ORTHOGONAL)
                .min_by(|a, b| a.0.total_cmp(&b.0));
            let Some((_, entering)) = candidate else { return residual };
            self.passive.push(entering);
            if !self.settle() {
                self.passive.retain(|&i| i != entering);
                self.multipliers[entering] = 0.0;
                refused[entering] = true;
                self.settle();
            }
        }
        self.residual()
    }

    /// Least squares over the passive rows, leaving those whose multiplier would turn negative. False where
    /// the rows are linearly dependent.
    fn settle(&mut self) -> bool {
        loop {
            if self.passive.is_empty() {
                return true;
            }
            let m = self.passive.len();
            let passive: Vec<_> = self.passive.iter().map(|&i| self.rows[i].view()).collect();
            let Some(factor) = LeastSquares::new(&passive) else { return false };
            let mut wanted = Array1::<f64>::zeros(m);
            // The residual is orthogonal to the passive rows up to rounding only after refinement.
            for _ in 0..3 {
                let mut residual = -&self.target;
                for (a, &i) in self.passive.iter().enumerate() {
                    residual.scaled_add(-wanted[a], &self.rows[i]);
                }
                let Some(correction) = factor.solve(residual.view()) else { return false };
                wanted += &correction;
            }
            let blocking = (0..m).filter(|&a| wanted[a] <= 0.0).map(|a| {
                let now = self.multipliers[self.passive[a]];
                (now / (now - wanted[a]).max(f64::MIN_POSITIVE), a)
            });
            let Some((share, leaving)) = blocking.min_by(|a, b| a.0.total_cmp(&b.0)) else {
                for (a, &i) in self.passive.iter().enumerate() {
                    self.multipliers[i] = wanted[a];
                }
                return true;
            };
            for (a, &i) in self.passive.iter().enumerate() {
                self.multipliers[i] += share.clamp(0.0, 1.0) * (wanted[a] - self.multipliers[i]);
            }
            let gone = self.passive.remove(leaving);
            self.multipliers[gone] = 0.0;
        }
    }
}
