//! The columns of a model as slices: numbers that lie in memory one after the other are borrowed, the rest is
//! written into a buffer.

use super::super::matrix::{Indicator, ModelMatrix, Override};
use super::super::observations::{Observations, Response, Weights};
use crate::compute::linalg::part;
use ndarray::{ArrayView1, ArrayViewMut1};
use std::ops::Range;
use std::sync::OnceLock;

/// Rows that are prepared at a time: a buffer of some columns stays in the second-level cache.
pub(crate) const SEGMENT: usize = 1024;

/// The data of a model whose outcome is no share of trials.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'s, 'a> {
    pub(super) matrix: &'s ModelMatrix<'a>,
    pub(super) observations: &'s Observations<'a>,
}

/// Some rows.
pub(super) struct Columns<'b> {
    pub(super) x: Vec<&'b [f64]>,
    pub(super) y: &'b [f64],
    pub(super) offset: Option<&'b [f64]>,
    /// `ln y`, where it is wanted; 0 for an outcome of 0.
    pub(super) ln_y: Option<&'b [f64]>,
    /// `None` where each row counts once.
    pub(super) weight: Option<&'b [f64]>,
    /// Whether the weights are prior ones and no frequencies.
    pub(super) prior: bool,
}

/// The buffers of a segment.
pub(super) struct Segment {
    x: Vec<f64>,
    y: Vec<f64>,
    offset: Vec<f64>,
    ln_y: Vec<f64>,
    weight: Vec<f64>,
    /// Whether logarithms of the outcome are wanted.
    logarithms: bool,
}

impl Segment {
    pub(super) fn new(source: &Source, logarithms: bool) -> Self {
        Self {
            x: design_buffer(source.matrix),
            y: Vec::new(),
            offset: Vec::new(),
            ln_y: Vec::new(),
            weight: Vec::new(),
            logarithms,
        }
    }
}

impl Columns<'_> {
    /// A copy of fewer than `size` rows, filled up to `size` with rows that have no weight.
    pub(super) fn padded<'b>(
        &self,
        rows: Range<usize>,
        size: usize,
        buffer: &'b mut Vec<f64>,
    ) -> Columns<'b> {
        buffer.clear();
        let others = [Some(self.y), self.offset, self.ln_y, self.weight];
        for (column, known) in self.x.iter().copied().map(Some).chain(others).enumerate() {
            let end = (column + 1) * size;
            buffer.extend(known.map_or(&[][..], |known| &known[rows.clone()]));
            // Copies of a row leave the range of a column as it is.
            buffer.resize(end, known.and(buffer.last().copied()).unwrap_or(0.0));
        }
        let weights = self.x.len() + others.len() - 1;
        if self.weight.is_none() {
            buffer[weights * size..].fill(1.0);
        }
        buffer[weights * size + rows.len()..].fill(0.0);
        let mut parts = buffer.chunks_exact(size);
        let x = parts.by_ref().take(self.x.len()).collect();
        let mut next = || parts.next().unwrap_or_default();
        let (y, offset, ln_y, weight) = (next(), next(), next(), next());
        Columns {
            x,
            y,
            offset: self.offset.map(|_| offset),
            ln_y: self.ln_y.map(|_| ln_y),
            weight: Some(weight),
            prior: self.prior,
        }
    }
}

/// Room for a segment of the columns that are not numbers in a row.
pub(crate) fn design_buffer(matrix: &ModelMatrix) -> Vec<f64> {
    let written = (0..matrix.ncols()).filter(|&j| matrix.contiguous(j).is_none()).count();
    vec![0.0; written * SEGMENT]
}

/// The columns of the matrix at some rows; `buffer` has room for those that are not numbers in a row.
pub(crate) fn design<'b>(
    matrix: &'b ModelMatrix,
    rows: Range<usize>,
    forced: Option<Override>,
    buffer: &'b mut [f64],
) -> Vec<&'b [f64]> {
    let mut free = buffer.chunks_exact_mut(SEGMENT);
    (0..matrix.ncols())
        .map(|j| {
            if let Some(values) = matrix.contiguous(j) {
                return &values[rows.clone()];
            }
            let Some(out) = free.next().and_then(|out| out.get_mut(..rows.len())) else {
                return &[][..];
            };
            matrix.fill_column(j, rows.clone(), forced, ArrayViewMut1::from(&mut *out));
            &*out
        })
        .collect()
}

impl Source<'_, '_> {
    pub(super) fn columns(&self) -> usize {
        self.matrix.ncols()
    }

    /// At most [`SEGMENT`] rows, with one category forced to a level.
    pub(super) fn segment<'b>(
        &'b self,
        rows: Range<usize>,
        forced: Option<Override>,
        buffer: &'b mut Segment,
    ) -> Columns<'b> {
        let Segment { x, y, offset, ln_y, weight, logarithms } = buffer;
        let observations = self.observations;
        let prior = observations.weights.numbers().is_some();
        let weight = match &observations.weights {
            Weights::None => None,
            Weights::Precision(weights) | Weights::Probability(weights) => {
                Some(contiguous_or_copy(weights, rows.clone(), weight))
            }
            Weights::Frequency(counts) => {
                weight.clear();
                weight.extend(counts[rows.clone()].iter().map(|count| *count as f64));
                Some(&weight[..])
            }
        };
        let y: &[f64] = match &observations.response {
            Response::Numbers(values) => contiguous_or_copy(values, rows.clone(), y),
            Response::Binary(values) => {
                y.clear();
                match values {
                    Indicator::Bytes(values) => y.extend(values[rows.clone()].iter().map(|v| f64::from(*v))),
                    Indicator::Flags(values) => {
                        y.extend(values[rows.clone()].iter().map(|v| f64::from(u8::from(*v))));
                    }
                }
                y
            }
            Response::Grouped(grouped) => contiguous_or_copy(&grouped.successes, rows.clone(), y),
        };
        let offset =
            observations.offset.as_ref().map(|values| contiguous_or_copy(values, rows.clone(), offset));
        let ln_y = logarithms.then(|| {
            ln_y.clear();
            ln_y.extend(y.iter().map(|y| logarithm(*y)));
            &ln_y[..]
        });
        Columns { x: design(self.matrix, rows, forced, x), y, offset, ln_y, weight, prior }
    }
}

/// `ln y`, small counts from a table; 0 for 0.
fn logarithm(y: f64) -> f64 {
    static SMALL: OnceLock<[f64; 64]> = OnceLock::new();
    // The place of a number that is large or not a count is only a guess.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let place = y as usize;
    if place as f64 == y
        && let Some(known) = SMALL
            .get_or_init(|| std::array::from_fn(|k| if k == 0 { 0.0 } else { (k as f64).ln() }))
            .get(place)
    {
        return *known;
    }
    y.ln()
}

fn contiguous_or_copy<'b>(
    values: &'b ArrayView1<f64>,
    rows: Range<usize>,
    buffer: &'b mut Vec<f64>,
) -> &'b [f64] {
    if let Some(values) = values.as_slice() {
        return &values[rows];
    }
    buffer.clear();
    buffer.extend(part(*values, rows));
    buffer
}
