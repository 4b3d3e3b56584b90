//! One pass over a chunk of rows.

use super::ahead::Ahead;
use super::leverage::squared_lengths;
use super::panel::{Aligned, Panel, ROWS, add_products, packed, tiles};
use super::rows::{
    Canonical, Information, LeveragedScores, LinearLanes, LogisticLanes, Moments, PoissonLanes, Pulls,
    RowRule, Rows, Rule, Scaled, Scores, Tally,
};
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
    /// The largest `|eta|`, or the largest leverage.
    pub(super) largest: f64,
    /// The smallest and the largest value of each column, where they were asked for.
    pub(super) ranges: Vec<[f64; 2]>,
}

/// A pass over some rows, to be dispatched to the instruction set of the machine.
pub(super) struct ChunkPass<'c, 's, 'a> {
    pub(super) source: &'c Source<'s, 'a>,
    pub(super) rows: Range<usize>,
    pub(super) coefficients: &'c [f64],
    pub(super) rule: Rule<'c>,
}

/// Vectors that are worked on together: enough to hide the latency of the exponential.
pub(super) const GROUP: usize = 4;
/// Panels between two logarithms: a factor is at most 2, so that 512 of them stay in range.
const PANELS: usize = 4;

impl WithSimd for ChunkPass<'_, '_, '_> {
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

/// Rows of one panel.
struct Window<'w> {
    columns: &'w Columns<'w>,
    /// The rows after the last whole group, padded.
    rest: Option<&'w Columns<'w>>,
    /// Where that begins.
    whole: usize,
    /// The first row of the panel.
    row: usize,
    groups: usize,
}

impl ChunkPass<'_, '_, '_> {
    #[inline(always)]
    fn run<S: Simd, const T: usize>(self, simd: S) -> ChunkSums {
        let p = self.source.columns();
        let q = p + 1;
        let size = GROUP * S::F64_LANES;
        let mut memory = Aligned::zeros(ROWS * q);
        let mut sums_memory = Aligned::zeros(tiles(q, T) * T * T * S::F64_LANES);
        let (panel, _) = S::as_mut_simd_f64s(memory.get_mut());
        let (sums, _) = S::as_mut_simd_f64s(sums_memory.get_mut());
        let extremes = if matches!(self.rule, Rule::Moments) { p } else { 0 };
        let mut state = State {
            tally: Tally::new(simd),
            lows: vec![simd.splat_f64s(f64::INFINITY); extremes],
            highs: vec![simd.splat_f64s(f64::NEG_INFINITY); extremes],
            loss: 0.0,
        };
        let mut segment = Segment::new(self.source, self.rule.needs_logarithm());
        let mut padded = Vec::new();
        for start in self.rows.clone().step_by(SEGMENT) {
            let columns =
                self.source.segment(start..(start + SEGMENT).min(self.rows.end), None, &mut segment);
            let n = columns.y.len();
            let whole = n / size * size;
            let rest = (whole < n).then(|| columns.padded(whole..n, size, &mut padded));
            for (k, row) in (0..n).step_by(ROWS).enumerate() {
                let groups = ((row + ROWS).min(n) - row).div_ceil(size);
                let window = Window { columns: &columns, rest: rest.as_ref(), whole, row, groups };
                self.panel(simd, &window, panel, &mut state);
                let mut ahead = Ahead::new(&columns.x, row + ROWS);
                let panel = Panel { vectors: &panel[..groups * GROUP * q], stride: q, weight: 0 };
                add_products::<S, false, T>(simd, panel, q, sums, &mut ahead);
                if k % PANELS == PANELS - 1 {
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

    /// Writes rows into the panel. The rule is chosen here, once for many rows: an instance of the loop for
    /// each.
    #[inline(always)]
    fn panel<S: Simd>(&self, simd: S, window: &Window, panel: &mut [S::f64s], state: &mut State<S>) {
        match self.rule {
            Rule::Moments => self.rows(simd, window, Moments, panel, state),
            Rule::Pulls { whitener } => self.rows(simd, window, Pulls { whitener }, panel, state),
            Rule::Information(model) => match model {
                Canonical::Linear => self.rows(simd, window, Information(LinearLanes), panel, state),
                Canonical::Logistic => self.rows(simd, window, Information(LogisticLanes), panel, state),
                Canonical::Poisson => self.rows(simd, window, Information(PoissonLanes), panel, state),
            },
            Rule::Scores(model) => match model {
                Canonical::Linear => self.rows(simd, window, Scores(LinearLanes), panel, state),
                Canonical::Logistic => self.rows(simd, window, Scores(LogisticLanes), panel, state),
                Canonical::Poisson => self.rows(simd, window, Scores(PoissonLanes), panel, state),
            },
            Rule::LeveragedScores { model, change, whitener } => match model {
                Canonical::Linear => {
                    let rule = LeveragedScores { model: PhantomData::<LinearLanes>, change, whitener };
                    self.rows(simd, window, rule, panel, state);
                }
                Canonical::Logistic => {
                    let rule = LeveragedScores { model: PhantomData::<LogisticLanes>, change, whitener };
                    self.rows(simd, window, rule, panel, state);
                }
                Canonical::Poisson => {
                    let rule = LeveragedScores { model: PhantomData::<PoissonLanes>, change, whitener };
                    self.rows(simd, window, rule, panel, state);
                }
            },
        }
    }

    #[inline(always)]
    fn rows<S: Simd, R: RowRule>(
        &self,
        simd: S,
        window: &Window,
        rule: R,
        panel: &mut [S::f64s],
        state: &mut State<S>,
    ) {
        let size = GROUP * S::F64_LANES;
        let width = GROUP * (window.columns.x.len() + 1);
        for (g, panel) in panel.chunks_exact_mut(width).take(window.groups).enumerate() {
            let at = window.row + g * size;
            let (columns, at) = match window.rest {
                Some(rest) if at >= window.whole => (rest, 0),
                _ => (window.columns, at),
            };
            // Two instances, so that rows without weights pass no branch.
            match columns.weight {
                None => self.group(simd, columns, at, None, rule, panel, state),
                Some(weight) => {
                    let weight = vectors::<S>(&weight[at..at + size]);
                    self.group(simd, columns, at, Some(weight), rule, panel, state);
                }
            }
        }
    }

    /// Writes a group of rows, from row `at` on, into the panel.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    fn group<S: Simd, R: RowRule>(
        &self,
        simd: S,
        columns: &Columns,
        at: usize,
        weight: Option<&[S::f64s; GROUP]>,
        rule: R,
        panel: &mut [S::f64s],
        state: &mut State<S>,
    ) {
        let range = at..at + GROUP * S::F64_LANES;
        let zero = simd.splat_f64s(0.0);
        let y = vectors::<S>(&columns.y[range.clone()]);
        let eta = if R::PREDICTOR {
            predictors(simd, columns, self.coefficients, weight, range.clone())
        } else {
            [zero; GROUP]
        };
        let ln_y = columns.ln_y.filter(|_| R::LOGARITHM).map(|ln_y| vectors::<S>(&ln_y[range.clone()]));
        let squares =
            rule.whitener().map(|whitener| squared_lengths(simd, whitener, &columns.x, range.clone()));
        let mut scaled = [Scaled { factor: zero, extra: zero }; GROUP];
        for u in 0..GROUP {
            let weight = weight.map(|weight| weight[u]);
            let rows = Rows {
                eta: eta[u],
                y: y[u],
                ln_y: ln_y.map_or(zero, |ln_y| ln_y[u]),
                weight,
                prior: weight.filter(|_| columns.prior),
                leverage: squares.map_or(zero, |squares| squares[u]),
            };
            scaled[u] = rule.scaled(simd, &rows, &mut state.tally);
            if let Some(weight) = weight {
                let scale = R::scale(simd, weight, rows.prior);
                scaled[u].factor = simd.mul_f64s(scaled[u].factor, scale);
                scaled[u].extra = simd.mul_f64s(scaled[u].extra, scale);
            }
        }
        fill::<S, R>(simd, columns, range, &scaled, panel, state);
    }
}

/// Writes the columns of a group of rows into the panel.
#[inline(always)]
fn fill<S: Simd, R: RowRule>(
    simd: S,
    columns: &Columns,
    range: Range<usize>,
    scaled: &[Scaled<S>; GROUP],
    panel: &mut [S::f64s],
    state: &mut State<S>,
) {
    let q = columns.x.len() + 1;
    let (first, rest) = panel.split_at_mut(q);
    let (second, rest) = rest.split_at_mut(q);
    let (third, rest) = rest.split_at_mut(q);
    let fourth = &mut rest[..q];
    for ((((x, first), second), third), fourth) in
        columns.x.iter().zip(&mut *first).zip(&mut *second).zip(&mut *third).zip(&mut *fourth)
    {
        let x = vectors::<S>(&x[range.clone()]);
        *first = simd.mul_f64s(x[0], scaled[0].factor);
        *second = simd.mul_f64s(x[1], scaled[1].factor);
        *third = simd.mul_f64s(x[2], scaled[2].factor);
        *fourth = simd.mul_f64s(x[3], scaled[3].factor);
    }
    if R::EXTREMES {
        for ((x, least), most) in columns.x.iter().zip(&mut state.lows).zip(&mut state.highs) {
            let x = vectors::<S>(&x[range.clone()]);
            let low = simd.min_f64s(simd.min_f64s(x[0], x[1]), simd.min_f64s(x[2], x[3]));
            let high = simd.max_f64s(simd.max_f64s(x[0], x[1]), simd.max_f64s(x[2], x[3]));
            *least = simd.min_f64s(*least, low);
            *most = simd.max_f64s(*most, high);
        }
    }
    for (row, scaled) in [first, second, third, fourth].into_iter().zip(scaled) {
        row[q - 1] = scaled.extra;
    }
}

/// The linear predictors of a group of rows; 0 for those without weight.
#[inline(always)]
pub(super) fn predictors<S: Simd>(
    simd: S,
    columns: &Columns,
    coefficients: &[f64],
    weight: Option<&[S::f64s; GROUP]>,
    rows: Range<usize>,
) -> [S::f64s; GROUP] {
    let zero = simd.splat_f64s(0.0);
    let mut eta = [zero; GROUP];
    if let Some(offset) = columns.offset {
        eta = *vectors::<S>(&offset[rows.clone()]);
    }
    for (b, x) in coefficients.iter().zip(&columns.x) {
        let (b, x) = (simd.splat_f64s(*b), vectors::<S>(&x[rows.clone()]));
        for u in 0..GROUP {
            eta[u] = simd.mul_add_e_f64s(b, x[u], eta[u]);
        }
    }
    if let Some(weight) = weight {
        for u in 0..GROUP {
            eta[u] = simd.select_f64s(simd.greater_than_f64s(weight[u], zero), eta[u], zero);
        }
    }
    eta
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
