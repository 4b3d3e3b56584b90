//! The partial likelihood with its derivatives, by two passes over the rows in whatever order they stand.
//!
//! With `w_i = exp(x_i'b)` (times the weight of the row) and `S0, S1` the sums of `w` and `w x` over the risk
//! set of a time, the cumulative hazard `A` follows from `S0` alone, and with `v_i = w_i A(t_i)` the score is
//! `sum (delta_i - v_i) x_i` and the information `sum v_i x_i x_i' - sum d xbar xbar'`. So no sum of `x x'` is
//! needed by risk set, and no row needs to be moved: sums of `w` and `w x` are formed by time in tables, where
//! these are small, and else over the rows in the order of their times.
//!
//! Covariates are centred. Sums are formed over parts of the rows that do not depend on threads.

// Calls that were not expanded would lose the instruction set.
#![allow(clippy::inline_always)]

use super::super::data::SurvivalData;
use super::super::grid::{Grid, Order};
use super::Ties;
use crate::compute::regression::{ModelMatrix, SEGMENT, design, design_buffer, exp_lanes};
use crate::compute::threads::{in_parts, instruction_set};
use ndarray::{Array1, Array2, ArrayView2};
use pulp::{Simd, WithSimd};
use std::ops::Range;

/// Rows whose products are summed together: the columns of some stay in the first-level cache.
const ROWS: usize = 128;
/// The most numbers in a table of sums by time.
const SMALL: usize = 1 << 20;
/// Below so many rows waking other threads costs more than it saves.
const THREADED: usize = 20_000;
/// Linear predictors beyond this count as this: their exponential is still finite.
const LARGEST: f64 = 700.0;

/// The rows with their risk sets, and everything that no coefficient enters.
#[derive(Debug)]
pub(super) struct RiskSets<'d> {
    pub(super) data: &'d SurvivalData<'d>,
    pub(super) matrix: ModelMatrix<'d>,
    pub(super) grid: &'d Grid,
    pub(super) ties: Ties,
    /// The mean of each column.
    pub(super) centre: Array1<f64>,
    /// The smallest and the largest value of each column.
    pub(super) ranges: Vec<[f64; 2]>,
    /// The rows with an event at each slot, and the sum of their weights.
    pub(super) deaths: Vec<(usize, f64)>,
    /// The rows of a part.
    size: usize,
}

/// What the rows weigh at some coefficients.
#[derive(Debug)]
pub(super) struct Weighted {
    /// `w` of each row, part by part.
    parts: Vec<Vec<f64>>,
    /// The sums over each risk set, `S1` and `S0`; those over the deaths in it, `D1` and `D0`. Where the tables
    /// would be large there are `S0` and `D0` only.
    sums: Vec<f64>,
    dead: Vec<f64>,
    width: usize,
    /// The sum of the centred linear predictors of the events.
    of_events: f64,
}

/// Sums over the steps `l = 0, .., d - 1` of the ties at a time, with `f = l / d` by Efron and 0 by Breslow,
/// the denominator `q = S0 - f D0`, the mean weight `m` of the deaths and the hazard `h = m / q`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Steps {
    /// `sum h`, `sum f h`
    pub(super) hazard: [f64; 2],
    /// `sum m / q^2`, `sum f m / q^2`, `sum f^2 m / q^2`
    pub(super) squares: [f64; 3],
    /// `sum m ln q`
    pub(super) logarithms: f64,
}

/// The hazards at each slot, cumulated within strata.
#[derive(Debug)]
pub(super) struct Hazards {
    pub(super) steps: Vec<Steps>,
    /// The cumulative hazard up to and including each slot.
    pub(super) cumulative: Vec<f64>,
    pub(super) log_likelihood: f64,
}

/// Log-likelihood with its derivatives.
#[derive(Debug, Clone)]
pub(super) struct Evaluation {
    pub(super) log_likelihood: f64,
    pub(super) score: Array1<f64>,
    pub(super) information: Array2<f64>,
}

impl<'d> RiskSets<'d> {
    /// `centre` and `ranges` are those of the columns.
    pub(super) fn new(
        data: &'d SurvivalData<'d>,
        matrix: ModelMatrix<'d>,
        ties: Ties,
        centre: Array1<f64>,
        ranges: Vec<[f64; 2]>,
    ) -> Self {
        let grid = data.grid();
        let mut deaths = vec![(0, 0.0); grid.len()];
        for (row, exit) in grid.exit.iter().enumerate() {
            let weight = data.weight(row);
            if data.is_event(row) && weight > 0.0 {
                let (count, sum) = &mut deaths[*exit as usize];
                *count += 1;
                *sum += weight;
            }
        }
        // Tables of all parts together stay small.
        let table = grid.len() * (matrix.ncols() + 1) * 2;
        let parts = (SMALL / 4 / table.max(1)).clamp(1, 16);
        let size = data.n().div_ceil(parts).next_multiple_of(SEGMENT);
        Self { data, matrix, grid, ties, centre, ranges, deaths, size }
    }

    pub(super) fn p(&self) -> usize {
        self.matrix.ncols()
    }

    /// Whether sums of covariates are kept by time.
    fn tabulates(&self) -> bool {
        self.grid.len() * (self.p() + 1) * 2 <= SMALL
    }

    /// A bound of how far a step of the coefficients moves two rows apart.
    pub(super) fn reach(&self, step: &Array1<f64>) -> f64 {
        step.iter().zip(&self.ranges).map(|(d, [low, high])| d.abs() * (high - low)).sum()
    }

    /// First pass: the weights of the rows, and their sums over the risk sets.
    pub(super) fn weighted(&self, coefficients: &Array1<f64>) -> Weighted {
        let shift = coefficients.dot(&self.centre);
        let width = if self.tabulates() { self.p() + 1 } else { 1 };
        let coefficients: Vec<f64> = coefficients.to_vec();
        let n = self.data.n();
        let parts = in_parts(n, self.size, n >= THREADED, |rows| {
            instruction_set().dispatch(FirstPass {
                sets: self,
                rows,
                coefficients: &coefficients,
                shift,
                width,
            })
        });
        let mut all = Weighted {
            parts: Vec::with_capacity(parts.len()),
            sums: Vec::new(),
            dead: Vec::new(),
            width,
            of_events: 0.0,
        };
        for part in parts {
            all.parts.push(part.weights);
            all.of_events += part.of_events;
            if all.sums.is_empty() {
                (all.sums, all.dead) = (part.sums, part.dead);
            } else {
                all.sums.iter_mut().zip(&part.sums).for_each(|(sum, part)| *sum += part);
                all.dead.iter_mut().zip(&part.dead).for_each(|(sum, part)| *sum += part);
            }
        }
        // From the rows that leave (and enter, as negative ones) at a slot to those at risk at it.
        for slots in &self.grid.strata {
            for slot in (slots.start + 1..slots.end).rev() {
                let (before, after) = all.sums.split_at_mut(slot * width);
                let into = &mut before[(slot - 1) * width..];
                into.iter_mut().zip(&after[..width]).for_each(|(into, from)| *into += from);
            }
        }
        all
    }

    /// The hazards, which need the sums of weights only.
    pub(super) fn hazards(&self, weighted: &Weighted) -> Hazards {
        let width = weighted.width;
        let mut steps = vec![Steps::default(); self.grid.len()];
        let mut cumulative = vec![0.0; self.grid.len()];
        let mut log_likelihood = weighted.of_events;
        for slots in &self.grid.strata {
            for slot in slots.start + 1..slots.end {
                let (s0, d0) = (weighted.sums[(slot + 1) * width - 1], weighted.dead[(slot + 1) * width - 1]);
                let of_slot = Steps::new(self.ties, self.deaths[slot], s0, d0);
                log_likelihood -= of_slot.logarithms;
                cumulative[slot] = cumulative[slot - 1] + of_slot.hazard[0];
                steps[slot] = of_slot;
            }
        }
        Hazards { steps, cumulative, log_likelihood }
    }

    /// Calls `with` for each slot with events, the last of a stratum first: the slot, `S1` and `D1`.
    pub(super) fn for_each_risk_set(&self, weighted: &Weighted, mut with: impl FnMut(usize, &[f64], &[f64])) {
        let (p, width) = (self.p(), weighted.width);
        if width > 1 || p == 0 {
            for slots in &self.grid.strata {
                for slot in (slots.start + 1..slots.end).rev().filter(|slot| self.deaths[*slot].0 > 0) {
                    let range = slot * width..slot * width + p;
                    with(slot, &weighted.sums[range.clone()], &weighted.dead[range]);
                }
            }
            return;
        }
        let order = self.grid.order();
        let entries = self.grid.entry.as_ref().map(|entry| Order::new(entry, self.grid.len()));
        let mut row_of = RowOf::new(self);
        let (mut s1, mut d1) = (vec![0.0; p], vec![0.0; p]);
        for slots in &self.grid.strata {
            s1.fill(0.0);
            for slot in (slots.start + 1..slots.end).rev() {
                d1.fill(0.0);
                if let Some(entries) = &entries {
                    for row in entries.rows(slot) {
                        let w = weighted.of(row, self.size);
                        row_of.centred(row).iter().zip(&mut s1).for_each(|(x, sum)| *sum -= w * x);
                    }
                }
                for row in order.rows(slot) {
                    let w = weighted.of(row, self.size);
                    let dies = self.data.is_event(row);
                    for ((x, sum), dead) in row_of.centred(row).iter().zip(&mut s1).zip(&mut d1) {
                        *sum += w * x;
                        *dead += if dies { w * x } else { 0.0 };
                    }
                }
                if self.deaths[slot].0 > 0 {
                    with(slot, &s1, &d1);
                }
            }
        }
    }

    /// `sum g d xbar xbar'` over the times with events, each with its multiplier `g`.
    pub(super) fn products_of_means(
        &self,
        weighted: &Weighted,
        hazards: &Hazards,
        multiplier: impl Fn(usize) -> f64,
    ) -> Array2<f64> {
        let p = self.p();
        let mut sum = Array2::<f64>::zeros((p, p));
        self.for_each_risk_set(weighted, |slot, s1, d1| {
            let [a, b, c] = hazards.steps[slot].squares.map(|square| square * multiplier(slot));
            for i in 0..p {
                let (of_sum, of_dead) = (a * s1[i] - b * d1[i], c * d1[i] - b * s1[i]);
                for j in 0..=i {
                    sum[[i, j]] += of_sum * s1[j] + of_dead * d1[j];
                }
            }
        });
        mirrored(sum)
    }

    /// Second pass: `sum v x x'` and `sum (delta - v) x` with the load `v` of each row.
    ///
    /// `cumulative` holds a sum up to each slot, and `of_dying` what a row that dies at a slot does not bear.
    pub(super) fn products(
        &self,
        weighted: &Weighted,
        cumulative: &[f64],
        of_dying: impl Fn(usize) -> f64 + Sync,
    ) -> (Array2<f64>, Array1<f64>) {
        let p = self.p();
        let n = self.data.n();
        let load = |row: usize, w: f64| {
            let exit = self.grid.exit[row] as usize;
            let entry = self.grid.entry_slot(row, self.data.stratum(row));
            let dying = if self.data.is_event(row) { of_dying(exit) } else { 0.0 };
            w * (cumulative[exit] - cumulative[entry] - dying)
        };
        let parts = in_parts(n, self.size, n >= THREADED, |rows| {
            let weights = &weighted.parts[rows.start / self.size];
            instruction_set().dispatch(SecondPass { sets: self, rows, weights, load: &load })
        });
        let mut products = Array2::<f64>::zeros((p, p));
        let mut score = Array1::<f64>::zeros(p);
        for part in parts {
            let mut next = part.iter();
            for i in 0..p {
                for j in 0..=i {
                    products[[i, j]] += next.next().unwrap_or(&0.0);
                }
            }
            score.iter_mut().zip(next).for_each(|(sum, part)| *sum += part);
        }
        (mirrored(products), score)
    }

    /// Log-likelihood with its derivatives.
    pub(super) fn evaluate(&self, weighted: &Weighted, hazards: &Hazards) -> Evaluation {
        let (products, score) =
            self.products(weighted, &hazards.cumulative, |slot| hazards.steps[slot].hazard[1]);
        let information = products - self.products_of_means(weighted, hazards, |_| 1.0);
        Evaluation { log_likelihood: hazards.log_likelihood, score, information }
    }

    /// The rows in blocks, centred, each column in a row.
    pub(super) fn for_each_centred_block(&self, mut with: impl FnMut(Range<usize>, ArrayView2<f64>)) {
        self.matrix.for_each_block(|rows, block| {
            let mut block = block.to_owned();
            for (mut column, centre) in block.rows_mut().into_iter().zip(&self.centre) {
                column -= *centre;
            }
            with(rows, block.view());
        });
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }
}

impl Weighted {
    /// `w` of a row.
    #[inline]
    pub(super) fn of(&self, row: usize, size: usize) -> f64 {
        self.parts[row / size][row % size]
    }
}

impl Steps {
    fn new(ties: Ties, (deaths, weight): (usize, f64), s0: f64, d0: f64) -> Self {
        if deaths == 0 {
            return Self::default();
        }
        let d = deaths as f64;
        let mean = weight / d;
        if ties != Ties::Efron || deaths == 1 {
            let hazard = weight / s0;
            return Self {
                hazard: [hazard, 0.0],
                squares: [hazard / s0, 0.0, 0.0],
                logarithms: weight * s0.ln(),
            };
        }
        let mut all = Self::default();
        for l in 0..deaths {
            let f = l as f64 / d;
            let q = s0 - f * d0;
            let hazard = mean / q;
            all.hazard[0] += hazard;
            all.hazard[1] += f * hazard;
            let square = hazard / q;
            all.squares[0] += square;
            all.squares[1] += f * square;
            all.squares[2] += f * f * square;
            all.logarithms += mean * q.ln();
        }
        all
    }
}

/// The symmetric matrix of a lower triangle.
pub(super) fn mirrored(mut lower: Array2<f64>) -> Array2<f64> {
    for i in 0..lower.nrows() {
        for j in 0..i {
            lower[[j, i]] = lower[[i, j]];
        }
    }
    lower
}

/// Single rows of the matrix.
pub(super) struct RowOf<'s, 'd> {
    sets: &'s RiskSets<'d>,
    columns: Vec<Option<&'s [f64]>>,
    row: Vec<f64>,
}

impl<'s, 'd> RowOf<'s, 'd> {
    pub(super) fn new(sets: &'s RiskSets<'d>) -> Self {
        let columns = (0..sets.p()).map(|j| sets.matrix.contiguous(j)).collect();
        Self { sets, columns, row: vec![0.0; sets.p()] }
    }

    /// The centred covariates of a row.
    pub(super) fn centred(&mut self, row: usize) -> &[f64] {
        for (j, (out, column)) in self.row.iter_mut().zip(&self.columns).enumerate() {
            let value = if let Some(column) = column {
                column[row]
            } else {
                let mut one = [0.0];
                let out = ndarray::ArrayViewMut1::from(&mut one[..]);
                self.sets.matrix.fill_column(j, row..row + 1, None, out);
                one[0]
            };
            *out = value - self.sets.centre[j];
        }
        &self.row
    }
}

/// What a part of the rows gives in the first pass.
struct FirstPart {
    weights: Vec<f64>,
    sums: Vec<f64>,
    dead: Vec<f64>,
    of_events: f64,
}

struct FirstPass<'s, 'd> {
    sets: &'s RiskSets<'d>,
    rows: Range<usize>,
    coefficients: &'s [f64],
    shift: f64,
    width: usize,
}

impl WithSimd for FirstPass<'_, '_> {
    type Output = FirstPart;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> FirstPart {
        let Self { sets, rows, coefficients, shift, width } = self;
        let (data, grid) = (sets.data, sets.grid);
        let p = coefficients.len();
        let whole = width > 1 || p == 0;
        let mut part = FirstPart {
            weights: vec![0.0; rows.len()],
            sums: vec![0.0; grid.len() * width],
            dead: vec![0.0; grid.len() * width],
            of_events: 0.0,
        };
        let mut buffer = design_buffer(&sets.matrix);
        let mut eta = vec![0.0; ROWS];
        let mut across = vec![0.0; ROWS * width];
        for start in rows.clone().step_by(SEGMENT) {
            let range = start..(start + SEGMENT).min(rows.end);
            let x = design(&sets.matrix, range.clone(), None, &mut buffer);
            for at in (0..range.len()).step_by(ROWS) {
                let n = ROWS.min(range.len() - at);
                eta.fill(-shift);
                for (j, column) in x.iter().enumerate() {
                    let (b, centre) = (coefficients[j], sets.centre[j]);
                    let column = &column[at..at + n];
                    for (eta, x) in eta.iter_mut().zip(column) {
                        *eta += b * x;
                    }
                    if whole {
                        for (out, x) in across.chunks_exact_mut(width).zip(column) {
                            out[j] = x - centre;
                        }
                    }
                }
                if whole {
                    across.chunks_exact_mut(width).for_each(|out| out[p] = 1.0);
                }
                for (k, row) in (range.start + at..range.start + at + n).enumerate() {
                    if data.is_event(row) {
                        part.of_events += data.weight(row) * eta[k];
                    }
                }
                let (vectors, rest) = S::as_mut_simd_f64s(&mut eta);
                for eta in vectors {
                    let low = simd.max_f64s(*eta, simd.splat_f64s(-LARGEST));
                    *eta = exp_lanes(simd, simd.min_f64s(low, simd.splat_f64s(LARGEST)));
                }
                for eta in rest {
                    *eta = eta.clamp(-LARGEST, LARGEST).exp();
                }
                for (k, row) in (range.start + at..range.start + at + n).enumerate() {
                    let w = eta[k] * data.weight(row);
                    part.weights[row - rows.start] = w;
                    let exit = grid.exit[row] as usize * width;
                    let event = data.is_event(row);
                    if whole {
                        let x = &across[k * width..(k + 1) * width];
                        part.sums[exit..exit + width].iter_mut().zip(x).for_each(|(sum, x)| *sum += w * x);
                        if event {
                            part.dead[exit..exit + width]
                                .iter_mut()
                                .zip(x)
                                .for_each(|(sum, x)| *sum += w * x);
                        }
                        if let Some(entry) = &grid.entry {
                            let entry = entry[row] as usize * width;
                            part.sums[entry..entry + width]
                                .iter_mut()
                                .zip(x)
                                .for_each(|(sum, x)| *sum -= w * x);
                        }
                    } else {
                        part.sums[exit] += w;
                        if event {
                            part.dead[exit] += w;
                        }
                        if let Some(entry) = &grid.entry {
                            part.sums[entry[row] as usize] -= w;
                        }
                    }
                }
            }
        }
        part
    }
}

struct SecondPass<'s, 'd, L> {
    sets: &'s RiskSets<'d>,
    rows: Range<usize>,
    weights: &'s [f64],
    load: &'s L,
}

impl<L: Fn(usize, f64) -> f64> WithSimd for SecondPass<'_, '_, L> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f64> {
        let Self { sets, rows, weights, load } = self;
        let data = sets.data;
        let p = sets.p();
        let mut sums = vec![0.0; p * (p + 1) / 2 + p];
        let mut buffer = design_buffer(&sets.matrix);
        let mut centred = vec![0.0; ROWS * p];
        let mut scaled = vec![0.0; ROWS];
        let mut loads = vec![0.0; ROWS];
        let mut rests = vec![0.0; ROWS];
        for start in rows.clone().step_by(SEGMENT) {
            let range = start..(start + SEGMENT).min(rows.end);
            let x = design(&sets.matrix, range.clone(), None, &mut buffer);
            for at in (0..range.len()).step_by(ROWS) {
                let n = ROWS.min(range.len() - at);
                loads.fill(0.0);
                rests.fill(0.0);
                for (k, row) in (range.start + at..range.start + at + n).enumerate() {
                    let v = load(row, weights[row - rows.start]);
                    loads[k] = v;
                    rests[k] = if data.is_event(row) { data.weight(row) - v } else { -v };
                }
                for ((out, x), centre) in centred.chunks_exact_mut(ROWS).zip(&x).zip(&sets.centre) {
                    out[n..].fill(0.0);
                    out.iter_mut().zip(&x[at..at + n]).for_each(|(out, x)| *out = x - centre);
                }
                let mut place = 0;
                for i in 0..p {
                    let left = &centred[i * ROWS..(i + 1) * ROWS];
                    scaled.iter_mut().zip(left).zip(&loads).for_each(|((out, x), v)| *out = x * v);
                    for j in 0..=i {
                        sums[place] += dot(simd, &scaled, &centred[j * ROWS..(j + 1) * ROWS]);
                        place += 1;
                    }
                }
                for i in 0..p {
                    sums[place + i] += dot(simd, &rests, &centred[i * ROWS..(i + 1) * ROWS]);
                }
            }
        }
        sums
    }
}

/// The inner product of two slices of [`ROWS`] numbers.
#[inline(always)]
fn dot<S: Simd>(simd: S, left: &[f64], right: &[f64]) -> f64 {
    let (left, _) = S::as_simd_f64s(left);
    let (right, _) = S::as_simd_f64s(right);
    let mut sums = [simd.splat_f64s(0.0); 4];
    for (left, right) in left.chunks_exact(4).zip(right.chunks_exact(4)) {
        for (sum, (left, right)) in sums.iter_mut().zip(left.iter().zip(right)) {
            *sum = simd.mul_add_e_f64s(*left, *right, *sum);
        }
    }
    let both = simd.add_f64s(simd.add_f64s(sums[0], sums[1]), simd.add_f64s(sums[2], sums[3]));
    simd.reduce_sum_f64s(both)
}
