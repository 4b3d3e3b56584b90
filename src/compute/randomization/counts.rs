//! Draws of counts instead of rows: where the units of a block hold two values only, an assignment is as many of
//! one value in each group, and these are drawn from hypergeometric distributions, one group after the other.

use super::assignments::Slots;
use super::stream::{LANES, Numbers};
use std::ops::Range;
use std::sync::OnceLock;

/// Tables hold at most so many probabilities together; beyond it rows are drawn.
const MOST_ENTRIES: f64 = 4e6;

/// Probabilities below this share of the largest are never drawn from 53 bits.
const NEGLIGIBLE: f64 = 1e-20;

/// The units of two values, block by block.
#[derive(Debug, Clone)]
pub(super) struct Counts {
    blocks: Vec<Block>,
    columns: usize,
}

#[derive(Debug, Clone)]
struct Block {
    cell: usize,
    sizes: Vec<u32>,
    /// The units of the second value.
    marked: u32,
    /// By column: the first value, and by how much the second is larger.
    values: Vec<[f64; 2]>,
    /// Of every group but the first.
    steps: Vec<Step>,
}

/// A group that takes its size of what is left, by the number of marked units among them.
#[derive(Debug, Clone)]
struct Step {
    size: u32,
    left: u32,
    tables: Vec<OnceLock<Table>>,
}

/// The distribution of the marked units of a group: an inverse, by a guide and a search from there.
#[derive(Debug, Clone)]
struct Table {
    least: u32,
    cumulative: Vec<f64>,
    guide: Vec<u32>,
}

impl Table {
    /// Of `size` units from `left`, of whom `marked` are marked.
    fn new(left: u32, marked: u32, size: u32) -> Self {
        let (n, m, s) = (f64::from(left), f64::from(marked), f64::from(size));
        let least = (marked + size).saturating_sub(left);
        let most = marked.min(size);
        let mode = (((s + 1.0) * (m + 1.0) / (n + 2.0)) as u32).clamp(least, most);
        // P(k + 1) / P(k).
        let ratio = |k: u32| {
            let k = f64::from(k);
            (m - k) / (k + 1.0) * ((s - k) / (n - m - s + k + 1.0))
        };
        let mut below = Vec::new();
        let mut weight = 1.0;
        for k in (least..mode).rev() {
            weight /= ratio(k);
            if weight < NEGLIGIBLE {
                break;
            }
            below.push(weight);
        }
        let least = mode - below.len() as u32;
        let mut cumulative: Vec<f64> = below.into_iter().rev().chain([1.0]).collect();
        weight = 1.0;
        for k in mode..most {
            weight *= ratio(k);
            if weight < NEGLIGIBLE {
                break;
            }
            cumulative.push(weight);
        }
        let total: f64 = cumulative.iter().sum();
        let mut sum = 0.0;
        for entry in &mut cumulative {
            sum += *entry;
            *entry = sum / total;
        }
        if let Some(last) = cumulative.last_mut() {
            *last = 1.0;
        }
        let places = cumulative.len().next_power_of_two();
        let guide = (0..places)
            .map(|place| cumulative.partition_point(|&entry| entry <= place as f64 / places as f64) as u32);
        Self { least, guide: guide.collect(), cumulative }
    }

    /// The count at a probability below 1.
    fn at(&self, uniform: f64) -> u32 {
        let mut place = self.guide[(uniform * self.guide.len() as f64) as usize] as usize;
        while self.cumulative[place] <= uniform {
            place += 1;
        }
        self.least + place as u32
    }
}

impl Step {
    fn entries(&self, marked: u32) -> f64 {
        let (n, m, s) = (f64::from(self.left), f64::from(marked), f64::from(self.size));
        let spread = (s * (m / n) * (1.0 - m / n) * ((n - s) / n)).sqrt();
        // Marked units that are left vary as much as those that are taken.
        let reach = 20.0 * spread + 2.0;
        reach.min(m + 1.0) * reach.min(s + 1.0)
    }
}

impl Counts {
    /// The counts of columns by slot, where there are two values in every block and tables hold them.
    pub(super) fn new(slots: &Slots, cells: &[Range<usize>], columns: &[Vec<f64>]) -> Option<Self> {
        let mut blocks = Vec::with_capacity(slots.blocks.len());
        let mut entries = 0.0;
        for block in &slots.blocks {
            let of = |slot: usize| columns.iter().map(move |column| column[slot]);
            let first = block.slots.start;
            let other = block.slots.clone().find(|&slot| of(slot).ne(of(first)));
            let second = other.unwrap_or(first);
            let mut marked = 0;
            for slot in block.slots.clone() {
                let is_second = other.is_some() && of(slot).eq(of(second));
                if !is_second && of(slot).ne(of(first)) {
                    return None;
                }
                marked += u32::from(is_second);
            }
            let mut left = block.slots.len() as u32;
            let steps: Vec<Step> = block.sizes[1..]
                .iter()
                .map(|&size| {
                    let tables = (0..=marked).map(|_| OnceLock::new()).collect();
                    let step = Step { size, left, tables };
                    left -= size;
                    step
                })
                .collect();
            entries += steps.iter().map(|step| step.entries(marked) + f64::from(marked)).sum::<f64>();
            let cell = cells.iter().position(|cell| cell.contains(&first))?;
            let values = of(first).zip(of(second)).map(|(one, two)| [one, two - one]).collect();
            blocks.push(Block { cell, sizes: block.sizes.clone(), marked, values, steps });
            if entries > MOST_ENTRIES {
                return None;
            }
        }
        Some(Self { blocks, columns: columns.len() })
    }

    /// The sums of sixteen random assignments: those of the draws from `16 * sixteen` on, added to what units
    /// that are held have: `sums[((cell * groups + group) * columns + column) * LANES + lane]`.
    pub(super) fn draw(&self, seed: u64, sixteen: u64, groups: usize, held: &[f64], sums: &mut [f64]) {
        for (sums, held) in sums.chunks_exact_mut(LANES).zip(held) {
            sums.fill(*held);
        }
        let mut numbers = Numbers::new(seed, sixteen);
        for block in &self.blocks {
            let mut left = [block.marked; LANES];
            let mut add = |group: usize, counts: &[u32; LANES]| {
                let size = f64::from(block.sizes[group]);
                let start = (block.cell * groups + group) * self.columns;
                for (column, [first, more]) in block.values.iter().enumerate() {
                    let place = (start + column) * LANES;
                    for (sum, count) in sums[place..place + LANES].iter_mut().zip(counts) {
                        *sum += first * size + more * f64::from(*count);
                    }
                }
            };
            for (step, group) in block.steps.iter().zip(1..) {
                let mut counts = [0; LANES];
                let [high, low] = [numbers.words(), numbers.words()];
                for lane in 0..LANES {
                    let bits = (u64::from(high[lane]) << 32 | u64::from(low[lane])) >> 11;
                    let uniform = bits as f64 / (1_u64 << 53) as f64;
                    let marked = left[lane];
                    let table =
                        step.tables[marked as usize].get_or_init(|| Table::new(step.left, marked, step.size));
                    counts[lane] = table.at(uniform);
                    left[lane] -= counts[lane];
                }
                add(group, &counts);
            }
            add(0, &left);
        }
    }
}
