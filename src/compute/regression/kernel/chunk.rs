//! One pass over a chunk of rows.

use super::ahead::Ahead;
use super::panel::{Aligned, ROWS, add_products, packed, tiles};
use super::rows::{RowRule, Tally};
use super::source::{Columns, SEGMENT, Segment, Source};
use pulp::{Simd, WithSimd};
use std::marker::PhantomData;
use std::ops::Range;

/// The sums over a chunk of rows.
#[derive(Debug, Clone, Default)]
pub(super) struct ChunkSums {
    /// The products of the columns and, last, of the extra column: an upper triangle packed row by row.
    pub(super) products: Vec<f64>,
    /// The negative log-likelihood.
    pub(super) loss: f64,
    pub(super) largest: f64,
    /// The smallest and the largest value of each column, where they were asked for.
    pub(super) ranges: Vec<[f64; 2]>,
}

/// A pass over some rows, to be dispatched to the instruction set of the machine.
pub(super) struct ChunkPass<'c, 's, 'a, R> {
    pub(super) source: &'c Source<'s, 'a>,
    pub(super) rows: Range<usize>,
    pub(super) coefficients: &'c [f64],
    pub(super) rule: PhantomData<R>,
}

/// Vectors that are worked on together: enough to hide the latency of the exponential.
pub(super) const GROUP: usize = 4;
/// Panels between two logarithms: a factor is at most 2, so that 512 of them stay in range.
const PANELS: usize = 4;

impl<R: RowRule> WithSimd for ChunkPass<'_, '_, '_, R> {
    type Output = ChunkSums;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> ChunkSums {
        // The tile, two rows of columns and the constants stay in registers.
        if S::REGISTER_COUNT >= 32 { self.run::<S, 4>(simd) } else { self.run::<S, 3>(simd) }
    }
}

struct State<S: Simd> {
    tally: Tally<S>,
    lows: Vec<S::f64s>,
    highs: Vec<S::f64s>,
    loss: f64,
}

impl<R: RowRule> ChunkPass<'_, '_, '_, R> {
    #[inline(always)]
    fn run<S: Simd, const T: usize>(self, simd: S) -> ChunkSums {
        let p = self.source.columns();
        let q = p + 1;
        let mut memory = Aligned::zeros(ROWS * q);
        let mut sums_memory = Aligned::zeros(tiles(q, T) * T * T * S::F64_LANES);
        let (panel, _) = S::as_mut_simd_f64s(memory.get_mut());
        let (sums, _) = S::as_mut_simd_f64s(sums_memory.get_mut());
        let extremes = if R::EXTREMES { p } else { 0 };
        let mut state = State {
            tally: Tally::new(simd),
            lows: vec![simd.splat_f64s(f64::INFINITY); extremes],
            highs: vec![simd.splat_f64s(f64::NEG_INFINITY); extremes],
            loss: 0.0,
        };
        let mut segment = Segment::new(self.source);
        let mut padded = Vec::new();
        for start in self.rows.clone().step_by(SEGMENT) {
            let columns =
                self.source.segment(start..(start + SEGMENT).min(self.rows.end), None, &mut segment);
            let n = columns.y.len();
            for (k, row) in (0..n).step_by(ROWS).enumerate() {
                let rows = row..(row + ROWS).min(n);
                let mut vectors = rows.len() / S::F64_LANES / GROUP * GROUP;
                for v in (0..vectors).step_by(GROUP) {
                    let at = row + v * S::F64_LANES;
                    self.group(simd, &columns, at, &mut panel[v * q..], &mut state, R::EXTREMES);
                }
                let rest = row + vectors * S::F64_LANES..rows.end;
                if !rest.is_empty() {
                    let panel = &mut panel[vectors * q..];
                    self.last(simd, &columns, rest, panel, &mut padded, &mut state);
                    vectors += GROUP;
                }
                let mut ahead = Ahead::new(&columns.x, row + ROWS);
                add_products::<S, T>(simd, &panel[..vectors * q], q, sums, &mut ahead);
                if R::PREDICTOR && k % PANELS == PANELS - 1 {
                    flush(simd, &mut state);
                }
            }
            flush(simd, &mut state);
        }
        ChunkSums {
            products: packed::<S, T>(simd, q, sums),
            loss: state.loss + simd.reduce_sum_f64s(state.tally.loss),
            largest: simd.reduce_max_f64s(state.tally.largest),
            ranges: state
                .lows
                .iter()
                .zip(&state.highs)
                .map(|(low, high)| [simd.reduce_min_f64s(*low), simd.reduce_max_f64s(*high)])
                .collect(),
        }
    }

    /// Writes a group of rows, from row `at` on, into the panel.
    #[inline(always)]
    fn group<S: Simd>(
        &self,
        simd: S,
        columns: &Columns,
        at: usize,
        panel: &mut [S::f64s],
        state: &mut State<S>,
        extremes: bool,
    ) {
        let Columns { x, y, offset } = columns;
        let q = x.len() + 1;
        let rows = at..at + GROUP * S::F64_LANES;
        let mut eta = [simd.splat_f64s(0.0); GROUP];
        if R::PREDICTOR {
            if let Some(offset) = offset.map(|offset| vectors::<S>(&offset[rows.clone()])) {
                eta = *offset;
            }
            for (b, x) in self.coefficients.iter().zip(x) {
                let (b, x) = (simd.splat_f64s(*b), vectors::<S>(&x[rows.clone()]));
                for u in 0..GROUP {
                    eta[u] = simd.mul_add_e_f64s(b, x[u], eta[u]);
                }
            }
        }
        let y = vectors::<S>(&y[rows.clone()]);
        let mut factor = [simd.splat_f64s(0.0); GROUP];
        let (first, rest) = panel.split_at_mut(q);
        let (second, rest) = rest.split_at_mut(q);
        let (third, rest) = rest.split_at_mut(q);
        let fourth = &mut rest[..q];
        let mut extra = factor;
        for u in 0..GROUP {
            let scaled = R::scaled(simd, eta[u], y[u], &mut state.tally);
            (factor[u], extra[u]) = (scaled.factor, scaled.extra);
        }
        for (j, ((((x, first), second), third), fourth)) in
            x.iter().zip(&mut *first).zip(&mut *second).zip(&mut *third).zip(&mut *fourth).enumerate()
        {
            let x = vectors::<S>(&x[rows.clone()]);
            *first = simd.mul_f64s(x[0], factor[0]);
            *second = simd.mul_f64s(x[1], factor[1]);
            *third = simd.mul_f64s(x[2], factor[2]);
            *fourth = simd.mul_f64s(x[3], factor[3]);
            if extremes {
                let low = simd.min_f64s(simd.min_f64s(x[0], x[1]), simd.min_f64s(x[2], x[3]));
                let high = simd.max_f64s(simd.max_f64s(x[0], x[1]), simd.max_f64s(x[2], x[3]));
                state.lows[j] = simd.min_f64s(state.lows[j], low);
                state.highs[j] = simd.max_f64s(state.highs[j], high);
            }
        }
        for (row, extra) in [first, second, third, fourth].into_iter().zip(extra) {
            row[q - 1] = extra;
        }
    }

    /// The rows that do not fill a group, as a copy with rows of zeros that add nothing to the products.
    #[inline(always)]
    fn last<S: Simd>(
        &self,
        simd: S,
        columns: &Columns,
        rows: Range<usize>,
        panel: &mut [S::f64s],
        padded: &mut Vec<f64>,
        state: &mut State<S>,
    ) {
        let size = GROUP * S::F64_LANES;
        let missing = size - rows.len();
        padded.clear();
        for (j, x) in columns.x.iter().enumerate() {
            let x = &x[rows.clone()];
            padded.extend_from_slice(x);
            padded.resize(padded.len() + missing, 0.0);
            if R::EXTREMES {
                for &x in x {
                    state.lows[j] = simd.min_f64s(state.lows[j], simd.splat_f64s(x));
                    state.highs[j] = simd.max_f64s(state.highs[j], simd.splat_f64s(x));
                }
            }
        }
        padded.extend_from_slice(&columns.y[rows.clone()]);
        // Halfway: the residual is zero where the linear predictor is.
        padded.resize(padded.len() + missing, if R::PREDICTOR { 0.5 } else { 0.0 });
        padded.extend(columns.offset.map_or(&[][..], |offset| &offset[rows]));
        padded.resize((columns.x.len() + 2) * size, 0.0);
        let parts: Vec<&[f64]> = padded.chunks_exact(size).collect();
        let [x @ .., y, offset] = parts.as_slice() else { return };
        let padded = Columns { x: x.to_vec(), y, offset: columns.offset.map(|_| *offset) };
        self.group(simd, &padded, 0, panel, state, false);
        if R::PREDICTOR {
            state.loss -= missing as f64 * std::f64::consts::LN_2;
        }
    }
}

#[inline(always)]
fn flush<S: Simd>(simd: S, state: &mut State<S>) {
    state.loss += simd.reduce_product_f64s(state.tally.product).ln();
    state.tally.product = simd.splat_f64s(1.0);
}

/// A group of vectors.
#[inline(always)]
pub(super) fn vectors<S: Simd>(x: &[f64]) -> &[S::f64s; GROUP] {
    const { assert!(GROUP == 4) };
    S::as_simd_f64s(x).0.first_chunk().expect("a group")
}
