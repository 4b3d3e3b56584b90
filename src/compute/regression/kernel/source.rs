//! The columns of a model as slices: numbers that lie in memory one after the other are borrowed, the rest is written into a buffer.

use super::super::matrix::{Indicator, ModelMatrix, Override};
use super::super::observations::{Observations, Response};
use crate::compute::linalg::part;
use ndarray::{ArrayView1, ArrayViewMut1};
use std::ops::Range;

/// Rows that are prepared at a time: a buffer of some columns stays in the second-level cache.
pub(super) const SEGMENT: usize = 1024;

/// The data of a model without weights, its outcome 0 or 1 in each row.
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
}

/// The buffers of a segment.
pub(super) struct Segment {
    x: Vec<f64>,
    y: Vec<f64>,
    offset: Vec<f64>,
}

impl Segment {
    pub(super) fn new(source: &Source) -> Self {
        Self { x: design_buffer(source.matrix), y: Vec::new(), offset: Vec::new() }
    }
}

/// Room for a segment of the columns that are not numbers in a row.
pub(super) fn design_buffer(matrix: &ModelMatrix) -> Vec<f64> {
    let written = (0..matrix.ncols()).filter(|&j| matrix.contiguous(j).is_none()).count();
    vec![0.0; written * SEGMENT]
}

/// The columns of the matrix at some rows; `buffer` has room for those that are not numbers in a row.
pub(super) fn design<'b>(
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
        let Segment { x, y, offset } = buffer;
        let observations = self.observations;
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
        Columns { x: design(self.matrix, rows, forced, x), y, offset }
    }
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
