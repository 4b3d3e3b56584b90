//! Sums of products of the columns of a panel: a few rows of all columns, small enough for the first-level
//! cache.

use super::ahead::Ahead;
use pulp::Simd;

/// The rows of a panel.
pub(super) const ROWS: usize = 128;

/// Memory that starts at a cache line: loads of whole vectors then never straddle two.
pub(super) struct Aligned {
    memory: Vec<f64>,
    start: usize,
    length: usize,
}

impl Aligned {
    pub(super) fn zeros(length: usize) -> Self {
        const LINE: usize = 64;
        let memory = vec![0.0; length + LINE / size_of::<f64>()];
        let start = memory.as_ptr().align_offset(LINE).min(LINE / size_of::<f64>());
        Self { memory, start, length }
    }

    pub(super) fn get_mut(&mut self) -> &mut [f64] {
        &mut self.memory[self.start..self.start + self.length]
    }
}

/// How many tiles of `size` columns the upper triangle of `columns` takes, the diagonal ones included.
pub(super) fn tiles(columns: usize, size: usize) -> usize {
    let blocks = columns.div_ceil(size);
    blocks * (blocks + 1) / 2
}

/// A panel: `stride` vectors for each vector of rows, its columns first, and the place of a weight among them.
#[derive(Clone, Copy)]
pub(super) struct Panel<'p, V> {
    pub(super) vectors: &'p [V],
    pub(super) stride: usize,
    pub(super) weight: usize,
}

/// The `$tile` of at most `T` columns, as wide as `$width`.
macro_rules! of_width {
    ($width:expr, $tile:ident::<$($kind:tt),+>$arguments:tt) => {
        match $width {
            1 => $tile::<$($kind,)+ 1>$arguments,
            2 => $tile::<$($kind,)+ 2>$arguments,
            3 => $tile::<$($kind,)+ 3>$arguments,
            _ => $tile::<$($kind,)+ T>$arguments,
        }
    };
}
pub(super) use of_width;

/// Adds the products of the columns, times the weight where they are `WEIGHTED`, to `sums`, which hold `T * T`
/// vectors for each tile of the upper triangle, row by row.
#[inline(always)]
pub(super) fn add_products<S: Simd, const WEIGHTED: bool, const T: usize>(
    simd: S,
    panel: Panel<S::f64s>,
    columns: usize,
    sums: &mut [S::f64s],
    ahead: &mut Ahead,
) {
    let mut place = sums.chunks_exact_mut(T * T);
    for i in (0..columns).step_by(T) {
        let Some(sums) = place.next() else { return };
        of_width!((columns - i).min(T), triangle::<S, WEIGHTED>(simd, panel, i, sums, ahead));
        for j in (i + T..columns).step_by(T) {
            let Some(sums) = place.next() else { return };
            of_width!((columns - j).min(T), rectangle::<S, WEIGHTED, T>(simd, panel, [i, j], sums, ahead));
        }
    }
}

/// The products of `N` columns with themselves.
#[inline(always)]
fn triangle<S: Simd, const WEIGHTED: bool, const N: usize>(
    simd: S,
    panel: Panel<S::f64s>,
    i: usize,
    sums: &mut [S::f64s],
    ahead: &mut Ahead,
) {
    let mut tile = [[simd.splat_f64s(0.0); N]; N];
    let mut lines = ahead.next_columns();
    for row in panel.vectors.chunks_exact(panel.stride) {
        let Some(x) = row[i..].first_chunk::<N>() else { return };
        lines.fetch();
        for a in 0..N {
            let left = if WEIGHTED { simd.mul_f64s(row[panel.weight], x[a]) } else { x[a] };
            for b in a..N {
                tile[a][b] = simd.mul_add_e_f64s(left, x[b], tile[a][b]);
            }
        }
    }
    for a in 0..N {
        for b in a..N {
            sums[a * N + b] = simd.add_f64s(sums[a * N + b], tile[a][b]);
        }
    }
}

/// The products of `M` columns with `N` others.
#[inline(always)]
pub(super) fn rectangle<S: Simd, const WEIGHTED: bool, const M: usize, const N: usize>(
    simd: S,
    panel: Panel<S::f64s>,
    [i, j]: [usize; 2],
    sums: &mut [S::f64s],
    ahead: &mut Ahead,
) {
    let mut tile = [[simd.splat_f64s(0.0); N]; M];
    let mut lines = ahead.next_columns();
    for row in panel.vectors.chunks_exact(panel.stride) {
        let (Some(left), Some(right)) = (row[i..].first_chunk::<M>(), row[j..].first_chunk::<N>()) else {
            return;
        };
        lines.fetch();
        for a in 0..M {
            let left = if WEIGHTED { simd.mul_f64s(row[panel.weight], left[a]) } else { left[a] };
            for b in 0..N {
                tile[a][b] = simd.mul_add_e_f64s(left, right[b], tile[a][b]);
            }
        }
    }
    for a in 0..M {
        for b in 0..N {
            sums[a * N + b] = simd.add_f64s(sums[a * N + b], tile[a][b]);
        }
    }
}

/// The sums over the lanes, as an upper triangle packed row by row.
#[inline(always)]
pub(super) fn packed<S: Simd, const T: usize>(simd: S, columns: usize, sums: &[S::f64s]) -> Vec<f64> {
    let mut packed = vec![0.0; columns * (columns + 1) / 2];
    let mut place = sums.chunks_exact(T * T);
    for i in (0..columns).step_by(T) {
        let height = (columns - i).min(T);
        for j in (i..columns).step_by(T) {
            let Some(tile) = place.next() else { return packed };
            let width = (columns - j).min(T);
            for a in 0..height {
                let first = if i == j { a } else { 0 };
                for b in first..width {
                    packed[position(columns, i + a, j + b)] = simd.reduce_sum_f64s(tile[a * width + b]);
                }
            }
        }
    }
    packed
}

/// Where the element `(i, j)`, `i <= j`, of a packed upper triangle is.
pub(super) fn position(columns: usize, i: usize, j: usize) -> usize {
    i * columns - i * (i + 1) / 2 + j
}
