//! Sums of columns over the units of each group in each cell, for sixteen assignments at once.

use super::stream::{Drawn, LANES};
use crate::compute::threads::instruction_set;
use pulp::{Simd, WithSimd};
use std::ops::Range;

/// Whole numbers of columns that fit a byte lie side by side in one word: eight columns are summed as one.
const FIELDS: usize = 8;

/// Fewer columns of bytes than this are faster one by one.
const WORTHWHILE: usize = 3;

/// The columns that are summed, in the order of the slots.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    /// The ranges of the slots that are summed by themselves.
    cells: Vec<Range<usize>>,
    groups: usize,
    count: usize,
    parts: Vec<Part>,
    /// `totals[cell * count + column]`.
    totals: Vec<f64>,
    /// What units that are held add: `held[(cell * groups + group) * count + column]`.
    held: Vec<f64>,
}

#[derive(Debug, Clone)]
enum Part {
    Real {
        column: usize,
        values: Vec<f64>,
    },
    /// Up to eight columns of whole numbers; a sum within `runs` does not pass 255.
    Bytes {
        columns: Vec<usize>,
        words: Vec<u64>,
        runs: Vec<Vec<Range<usize>>>,
    },
}

/// Sums of one assignment: `[(cell * groups + group) * columns + column]`.
pub(super) struct CellSums<'a> {
    pub sums: &'a [f64],
    pub groups: usize,
    pub columns: usize,
}

impl CellSums<'_> {
    pub(super) fn of(&self, cell: usize, group: usize) -> &[f64] {
        let start = (cell * self.groups + group) * self.columns;
        &self.sums[start..start + self.columns]
    }

    pub(super) fn cells(&self) -> usize {
        self.sums.len() / (self.groups * self.columns)
    }
}

/// All cells, in the vector instructions of the machine.
struct AllCells<'a> {
    columns: &'a Columns,
    drawn: &'a Drawn,
    sums: &'a mut [f64],
}

impl WithSimd for AllCells<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { columns, drawn, sums } = self;
        for cell in 0..columns.cells.len() {
            let mut first = 1;
            while first < columns.groups {
                match columns.groups - first {
                    1 => columns.part_sums::<1>(cell, first, drawn, sums),
                    2 => columns.part_sums::<2>(cell, first, drawn, sums),
                    _ => columns.part_sums::<3>(cell, first, drawn, sums),
                }
                first += 3;
            }
            columns.rest(cell, sums);
        }
    }
}

impl Columns {
    /// `columns` holds the values of each column by slot; `held` what the units that keep their group add.
    pub(super) fn new(
        cells: Vec<Range<usize>>,
        groups: usize,
        columns: Vec<Vec<f64>>,
        held: Vec<f64>,
    ) -> Self {
        let count = columns.len();
        let mut totals = vec![0.0; cells.len() * count];
        for (cell, range) in cells.iter().enumerate() {
            for (column, values) in columns.iter().enumerate() {
                totals[cell * count + column] = values[range.clone()].iter().sum();
            }
        }
        let small =
            |values: &[f64]| values.iter().all(|value| (0.0..=15.0).contains(value) && value.fract() == 0.0);
        let (mut bytes, mut reals): (Vec<usize>, Vec<usize>) =
            (0..count).partition(|&column| small(&columns[column]));
        if bytes.len() < WORTHWHILE {
            reals.append(&mut bytes);
        }
        let mut parts: Vec<Part> = Vec::new();
        for together in bytes.chunks(FIELDS) {
            let word = |slot: usize| {
                let field = |(place, &column): (usize, &usize)| (columns[column][slot] as u64) << (8 * place);
                together.iter().enumerate().map(field).sum::<u64>()
            };
            let words: Vec<u64> = (0..columns[together[0]].len()).map(word).collect();
            let runs = cells.iter().map(|cell| runs(&words, cell.clone(), together.len())).collect();
            parts.push(Part::Bytes { columns: together.to_vec(), words, runs });
        }
        let mut columns = columns;
        parts.extend(
            reals
                .into_iter()
                .map(|column| Part::Real { column, values: std::mem::take(&mut columns[column]) }),
        );
        Self { cells, groups, count, parts, totals, held }
    }

    pub(super) fn len(&self) -> usize {
        self.cells.len() * self.groups * self.count
    }

    pub(super) fn held(&self) -> &[f64] {
        &self.held
    }

    /// The sums of sixteen assignments: `sums[place * LANES + lane]`.
    pub(super) fn sum(&self, drawn: &Drawn, sums: &mut [f64]) {
        instruction_set().dispatch(AllCells { columns: self, drawn, sums });
    }

    fn place(&self, cell: usize, group: usize, column: usize) -> usize {
        (cell * self.groups + group) * self.count + column
    }

    /// The sums of `GROUPS` groups from `first` on.
    #[inline(always)]
    fn part_sums<const GROUPS: usize>(&self, cell: usize, first: usize, drawn: &Drawn, sums: &mut [f64]) {
        for part in &self.parts {
            match part {
                Part::Real { column, values } => {
                    let range = self.cells[cell].clone();
                    let own = masked::<f64, GROUPS>(&values[range.clone()], drawn.lanes(range), first);
                    for (own, group) in own.iter().zip(first..) {
                        let place = self.place(cell, group, *column) * LANES;
                        sums[place..place + LANES].copy_from_slice(own);
                    }
                }
                Part::Bytes { columns, words, runs } => {
                    for group in first..first + GROUPS {
                        for &column in columns {
                            let place = self.place(cell, group, column) * LANES;
                            sums[place..place + LANES].fill(0.0);
                        }
                    }
                    for run in &runs[cell] {
                        let own = masked::<u64, GROUPS>(&words[run.clone()], drawn.lanes(run.clone()), first);
                        for (own, group) in own.iter().zip(first..) {
                            for (field, &column) in columns.iter().enumerate() {
                                let place = self.place(cell, group, column) * LANES;
                                for (sum, word) in sums[place..place + LANES].iter_mut().zip(own) {
                                    *sum += ((word >> (8 * field)) & 255) as f64;
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// The first group has what the others leave; units that are held are added.
    #[inline(always)]
    fn rest(&self, cell: usize, sums: &mut [f64]) {
        for column in 0..self.count {
            let mut rest = [self.totals[cell * self.count + column]; LANES];
            for group in 1..self.groups {
                let place = self.place(cell, group, column) * LANES;
                for (rest, sum) in rest.iter_mut().zip(&sums[place..place + LANES]) {
                    *rest -= sum;
                }
            }
            let place = self.place(cell, 0, column) * LANES;
            sums[place..place + LANES].copy_from_slice(&rest);
            for group in 0..self.groups {
                let place = self.place(cell, group, column);
                let held = self.held[place];
                sums[place * LANES..(place + 1) * LANES].iter_mut().for_each(|sum| *sum += held);
            }
        }
    }
}

/// The sums of values over the units of `GROUPS` groups from `first` on, in sixteen assignments.
#[inline(always)]
fn masked<T: Copy + Default + std::ops::AddAssign, const GROUPS: usize>(
    values: &[T],
    groups: &[[u8; LANES]],
    first: usize,
) -> [[T; LANES]; GROUPS] {
    let mut sums = [[T::default(); LANES]; GROUPS];
    for (&value, groups) in values.iter().zip(groups) {
        for place in 0..GROUPS {
            for lane in 0..LANES {
                sums[place][lane] += if groups[lane] == (first + place) as u8 { value } else { T::default() };
            }
        }
    }
    sums
}

/// Parts of a cell within which no field passes 255.
fn runs(words: &[u64], cell: Range<usize>, fields: usize) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let (mut start, mut sums) = (cell.start, [0_u64; FIELDS]);
    for slot in cell.clone() {
        let field = |place: usize| (words[slot] >> (8 * place)) & 255;
        if (0..fields).any(|place| sums[place] + field(place) > 255) {
            runs.push(start..slot);
            (start, sums) = (slot, [0; FIELDS]);
        }
        sums.iter_mut().take(fields).enumerate().for_each(|(place, sum)| *sum += field(place));
    }
    runs.push(start..cell.end);
    runs
}
