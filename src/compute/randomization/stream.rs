//! Draws of assignments, sixteen at a time: unit by unit, each group is taken with the probability of its share
//! of what is left, which draws every assignment with the same probability.

use super::assignments::{Block, Slots};
use crate::compute::threads::instruction_set;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Draws that lie side by side.
pub(super) const LANES: usize = 16;

/// One number for each draw.
type Lanes = [u32; LANES];

/// The groups of the slots in sixteen draws: `groups[slot * LANES + lane]`.
pub(super) struct Drawn {
    pub groups: Vec<u8>,
}

/// Small fast counting generators (Doty-Humphrey's SFC32), one for each draw, whose seeds are from a stream of
/// ChaCha8 that the seed and the number of the sixteen draws name.
struct Numbers {
    a: Lanes,
    b: Lanes,
    c: Lanes,
    counter: u32,
}

impl Numbers {
    fn new(seed: u64, sixteen: u64) -> Self {
        let mut source = ChaCha8Rng::seed_from_u64(seed);
        source.set_stream(sixteen);
        let mut numbers = Self { a: [0; LANES], b: [0; LANES], c: [0; LANES], counter: 1 };
        for part in [&mut numbers.a, &mut numbers.b, &mut numbers.c] {
            part.iter_mut().for_each(|number| *number = source.next_u32());
        }
        for _ in 0..8 {
            numbers.next();
        }
        numbers
    }

    #[inline(always)]
    fn step(a: &mut u32, b: &mut u32, c: &mut u32, counter: u32) -> u32 {
        let sum = a.wrapping_add(*b).wrapping_add(counter);
        *a = *b ^ (*b >> 9);
        *b = c.wrapping_add(*c << 3);
        *c = c.rotate_left(21).wrapping_add(sum);
        sum
    }

    #[inline(always)]
    fn next(&mut self) -> Lanes {
        let mut drawn = [0; LANES];
        for lane in 0..LANES {
            drawn[lane] =
                Self::step(&mut self.a[lane], &mut self.b[lane], &mut self.c[lane], self.counter);
        }
        self.counter = self.counter.wrapping_add(1);
        drawn
    }

    /// Uniform numbers below `first` and below `second`, from one word of each lane (Brackett-Rozinsky & Lemire
    /// 2024): exactly uniform, as words in the incomplete part are drawn again.
    #[inline(always)]
    fn below(&mut self, first: u32, second: u32) -> [Lanes; 2] {
        let words = self.next();
        let product = first * second;
        let mut out = [[0; LANES]; 2];
        let mut again = false;
        for lane in 0..LANES {
            let wide = u64::from(words[lane]) * u64::from(first);
            let rest = u64::from(wide as u32) * u64::from(second);
            out[0][lane] = (wide >> 32) as u32;
            out[1][lane] = (rest >> 32) as u32;
            again |= (rest as u32) < product;
        }
        if again {
            self.replace(&words, first, second, &mut out);
        }
        out
    }

    #[cold]
    fn replace(&mut self, words: &Lanes, first: u32, second: u32, out: &mut [Lanes; 2]) {
        let product = first * second;
        let incomplete = product.wrapping_neg() % product;
        for lane in 0..LANES {
            let mut word = words[lane];
            loop {
                let wide = u64::from(word) * u64::from(first);
                let rest = u64::from(wide as u32) * u64::from(second);
                if rest as u32 >= incomplete {
                    out[0][lane] = (wide >> 32) as u32;
                    out[1][lane] = (rest >> 32) as u32;
                    break;
                }
                let own = self.counter.wrapping_add(0x9e37_79b9);
                word = Self::step(&mut self.a[lane], &mut self.b[lane], &mut self.c[lane], own);
            }
        }
    }
}

/// From this many units of a block on, one word gives one number: two would be drawn again too often.
const PAIRED: usize = 1024;

/// Groups of a block from numbers below what is left: `THRESHOLDS` is the number of groups less one.
#[inline(always)]
fn draw_block<const THRESHOLDS: usize>(block: &Block, numbers: &mut Numbers, out: &mut [u8]) {
    let mut below = [[0_u32; LANES]; THRESHOLDS];
    let mut sum = 0;
    for (threshold, size) in below.iter_mut().zip(&block.sizes) {
        sum += size;
        *threshold = [sum; LANES];
    }
    let mut take = |number: &Lanes, out: &mut [u8]| {
        let mut group = [THRESHOLDS as u32; LANES];
        for threshold in &mut below {
            for lane in 0..LANES {
                let under = u32::from(number[lane] < threshold[lane]);
                threshold[lane] -= under;
                group[lane] -= under;
            }
        }
        for lane in 0..LANES {
            out[lane] = group[lane] as u8;
        }
    };
    each_number(block.slots.len(), numbers, out, &mut take);
}

/// The same for any number of groups.
fn draw_many(block: &Block, numbers: &mut Numbers, out: &mut [u8]) {
    let mut sum = 0;
    let of_size = |size: &u32| {
        sum += size;
        [sum; LANES]
    };
    let mut below: Vec<Lanes> = block.sizes[..block.sizes.len() - 1].iter().map(of_size).collect();
    let mut take = |number: &Lanes, out: &mut [u8]| {
        for lane in 0..LANES {
            let mut group = below.len();
            for threshold in &mut below {
                let under = number[lane] < threshold[lane];
                threshold[lane] -= u32::from(under);
                group -= usize::from(under);
            }
            out[lane] = group as u8;
        }
    };
    each_number(block.slots.len(), numbers, out, &mut take);
}

/// Calls `take` with a uniform number below each number of units that are left.
#[inline(always)]
fn each_number(
    units: usize,
    numbers: &mut Numbers,
    out: &mut [u8],
    take: &mut impl FnMut(&Lanes, &mut [u8]),
) {
    let step = if units > PAIRED { 1 } else { 2 };
    for (pair, out) in out.chunks_mut(step * LANES).enumerate() {
        let left = (units - step * pair) as u32;
        let second = if out.len() > LANES { left - 1 } else { 1 };
        let drawn = numbers.below(left, second);
        for (number, out) in drawn.iter().zip(out.chunks_mut(LANES)) {
            take(number, out);
        }
    }
}

impl Drawn {
    pub(super) fn new(slots: &Slots) -> Self {
        Self { groups: vec![0; slots.units.len() * LANES] }
    }

    /// Sixteen random assignments: those of the draws from `16 * sixteen` on.
    pub(super) fn draw(&mut self, slots: &Slots, seed: u64, sixteen: u64) {
        let mut numbers = Numbers::new(seed, sixteen);
        let groups = &mut self.groups;
        instruction_set().dispatch(
            #[inline(always)]
            || {
                for block in &slots.blocks {
                    let out = &mut groups[block.slots.start * LANES..block.slots.end * LANES];
                    match block.sizes.len() {
                        0 | 1 => out.fill(0),
                        2 => draw_block::<1>(block, &mut numbers, out),
                        3 => draw_block::<2>(block, &mut numbers, out),
                        4 => draw_block::<3>(block, &mut numbers, out),
                        5 => draw_block::<4>(block, &mut numbers, out),
                        _ => draw_many(block, &mut numbers, out),
                    }
                }
            },
        );
    }

    /// Up to sixteen assignments of the list of all, by their numbers.
    pub(super) fn enumerate(&mut self, slots: &Slots, lanes: usize, number: impl Fn(usize) -> u64) {
        for lane in 0..lanes {
            let groups = &mut self.groups;
            slots.unrank(number(lane), |slot, group| groups[slot * LANES + lane] = group);
        }
    }
}
