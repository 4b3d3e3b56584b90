//! Draws of assignments, sixteen at a time: unit by unit, each group is taken with the probability of its share
//! of what is left, which draws every assignment with the same probability.

use super::assignments::Slots;
use crate::compute::threads::instruction_set;
use pulp::{Simd, WithSimd};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Draws that lie side by side.
pub(super) const LANES: usize = 16;

/// One number for each draw.
type Lanes = [u32; LANES];

/// The groups of the slots in sixteen draws: `groups[slot][lane]`.
pub(super) struct Drawn {
    pub groups: Vec<[u8; LANES]>,
}

/// Small fast counting generators (Doty-Humphrey's SFC32), one for each draw, whose seeds are from a stream of
/// ChaCha8 that the seed and the number of the sixteen draws name.
#[derive(Clone, Copy)]
pub(super) struct Numbers {
    a: Lanes,
    b: Lanes,
    c: Lanes,
    counter: u32,
}

impl Numbers {
    pub(super) fn new(seed: u64, sixteen: u64) -> Self {
        let mut source = ChaCha8Rng::seed_from_u64(seed);
        source.set_stream(sixteen);
        let mut numbers = Self { a: [0; LANES], b: [0; LANES], c: [0; LANES], counter: 1 };
        for part in [&mut numbers.a, &mut numbers.b, &mut numbers.c] {
            for number in part {
                *number = source.next_u32();
            }
        }
        for counter in 1..=8 {
            for lane in 0..LANES {
                numbers.step(lane, counter);
            }
        }
        numbers.counter = 9;
        numbers
    }

    /// A number of each draw.
    #[inline]
    pub(super) fn words(&mut self) -> [u32; LANES] {
        let counter = self.counter;
        self.counter = counter.wrapping_add(1);
        std::array::from_fn(|lane| self.step(lane, counter))
    }

    #[inline]
    fn step(&mut self, lane: usize, counter: u32) -> u32 {
        let [a, b, c] = [&mut self.a[lane], &mut self.b[lane], &mut self.c[lane]];
        let sum = a.wrapping_add(*b).wrapping_add(counter);
        *a = *b ^ (*b >> 9);
        *b = c.wrapping_add(*c << 3);
        *c = c.rotate_left(21).wrapping_add(sum);
        sum
    }
}

/// The same generators of some of the lanes, as vectors of the machine.
#[derive(Clone, Copy)]
struct Vectors<S: Simd> {
    a: S::u32s,
    b: S::u32s,
    c: S::u32s,
    counter: u32,
}

impl<S: Simd> Vectors<S> {
    #[inline(always)]
    fn load(simd: S, numbers: &Numbers, from: usize) -> Self {
        let lanes = from..from + S::U32_LANES;
        let [a, b, c] =
            [&numbers.a, &numbers.b, &numbers.c].map(|part| simd.partial_load_u32s(&part[lanes.clone()]));
        Self { a, b, c, counter: numbers.counter }
    }

    #[inline(always)]
    fn store(self, simd: S, numbers: &mut Numbers, from: usize) {
        let lanes = from..from + S::U32_LANES;
        simd.partial_store_u32s(&mut numbers.a[lanes.clone()], self.a);
        simd.partial_store_u32s(&mut numbers.b[lanes.clone()], self.b);
        simd.partial_store_u32s(&mut numbers.c[lanes], self.c);
    }

    #[inline(always)]
    fn next(&mut self, simd: S) -> S::u32s {
        let sum = simd.add_u32s(simd.add_u32s(self.a, self.b), simd.splat_u32s(self.counter));
        let shifted = |value, by| simd.wrapping_dyn_shr_u32s(value, simd.splat_u32s(by));
        self.a = simd.xor_u32s(self.b, shifted(self.b, 9));
        let eightfold = simd.wrapping_dyn_shl_u32s(self.c, simd.splat_u32s(3));
        self.b = simd.add_u32s(self.c, eightfold);
        self.c = simd.add_u32s(simd.rotate_left_u32s(self.c, 21), sum);
        self.counter = self.counter.wrapping_add(1);
        sum
    }

    /// Uniform numbers below `first` and below `second`, from one word of each lane (Brackett-Rozinsky & Lemire
    /// 2024): exactly uniform, as words in the incomplete part are drawn again.
    #[inline(always)]
    fn below(&mut self, simd: S, first: u32, second: u32) -> [S::u32s; 2] {
        let words = self.next(simd);
        let (rest, one) = simd.widening_mul_u32s(words, simd.splat_u32s(first));
        let (rest, other) = simd.widening_mul_u32s(rest, simd.splat_u32s(second));
        let short = simd.less_than_u32s(rest, simd.splat_u32s(first * second));
        if simd.first_true_m32s(short) < S::U32_LANES {
            let (own, out) = self.replaced(simd, words, first, second);
            *self = own;
            return out;
        }
        [one, other]
    }

    /// By value, so that the numbers of the loop stay in registers.
    #[cold]
    #[inline(never)]
    fn replaced(self, simd: S, words: S::u32s, first: u32, second: u32) -> (Self, [S::u32s; 2]) {
        let mut numbers = Numbers { a: [0; LANES], b: [0; LANES], c: [0; LANES], counter: self.counter };
        self.store(simd, &mut numbers, 0);
        let (mut given, mut one, mut other) = ([0; LANES], [0; LANES], [0; LANES]);
        simd.partial_store_u32s(&mut given[..S::U32_LANES], words);
        let product = first * second;
        let incomplete = product.wrapping_neg() % product;
        for lane in 0..S::U32_LANES {
            let mut word = given[lane];
            loop {
                let wide = u64::from(word) * u64::from(first);
                let rest = u64::from(wide as u32) * u64::from(second);
                if rest as u32 >= incomplete {
                    (one[lane], other[lane]) = ((wide >> 32) as u32, (rest >> 32) as u32);
                    break;
                }
                word = numbers.step(lane, self.counter.wrapping_add(0x9e37_79b9));
            }
        }
        let load = |lanes: &Lanes| simd.partial_load_u32s(&lanes[..S::U32_LANES]);
        (Self { counter: self.counter, ..Self::load(simd, &numbers, 0) }, [load(&one), load(&other)])
    }
}

/// While more units of a block than this are left, one word gives one number: two would be drawn again too often.
const PAIRED: usize = 1024;

/// The first number that is no longer of each group but the last: groups of a block come from numbers below what
/// is left of it.
#[inline(always)]
fn take<S: Simd>(simd: S, below: &mut [S::u32s], number: S::u32s, out: &mut [u8]) {
    let mut group = simd.splat_u32s(below.len() as u32);
    let [zero, one] = [0, 1].map(|count| simd.splat_u32s(count));
    for threshold in below.iter_mut() {
        let under = simd.select_u32s(simd.less_than_u32s(number, *threshold), one, zero);
        *threshold = simd.sub_u32s(*threshold, under);
        group = simd.sub_u32s(group, under);
    }
    let mut plain = [0; LANES];
    simd.partial_store_u32s(&mut plain[..S::U32_LANES], group);
    for (out, group) in out.iter_mut().zip(&plain) {
        *out = *group as u8;
    }
}

/// The groups of the units of a block, in the lanes from one on.
#[inline(always)]
fn draw_block<S: Simd>(
    simd: S,
    below: &mut [S::u32s],
    numbers: &mut Numbers,
    from: usize,
    out: &mut [[u8; LANES]],
) {
    let mut own = Vectors::load(simd, numbers, from);
    let lanes = from..from + S::U32_LANES;
    let units = out.len();
    let (alone, paired) = out.split_at_mut(units.saturating_sub(PAIRED));
    for (place, out) in alone.iter_mut().enumerate() {
        let [number, _] = own.below(simd, (units - place) as u32, 1);
        take(simd, below, number, &mut out[lanes.clone()]);
    }
    let left = paired.len();
    let (pairs, last) = paired.as_chunks_mut::<2>();
    for (pair, [one, other]) in pairs.iter_mut().enumerate() {
        let left = (left - 2 * pair) as u32;
        let [first, second] = own.below(simd, left, left - 1);
        take(simd, below, first, &mut one[lanes.clone()]);
        take(simd, below, second, &mut other[lanes.clone()]);
    }
    // Nothing is left to chance for the last of an odd number.
    for out in last {
        take(simd, below, simd.splat_u32s(0), &mut out[lanes.clone()]);
    }
    own.store(simd, numbers, from);
    if from + S::U32_LANES >= LANES {
        numbers.counter = own.counter;
    }
}

/// All blocks, in the vector instructions of the machine.
struct AllBlocks<'a> {
    slots: &'a Slots,
    numbers: Numbers,
    groups: &'a mut [[u8; LANES]],
}

impl WithSimd for AllBlocks<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for block in &self.slots.blocks {
            let out = &mut self.groups[block.slots.clone()];
            let Some((_, sizes)) = block.sizes.split_last() else { continue };
            let mut sum = 0;
            let sums: Vec<u32> = sizes
                .iter()
                .map(|size| {
                    sum += size;
                    sum
                })
                .collect();
            for from in (0..LANES).step_by(S::U32_LANES) {
                let numbers = &mut self.numbers;
                // Thresholds of a few groups stay in registers.
                match sums[..] {
                    [] => out.fill([0; LANES]),
                    [a] => draw_block(simd, &mut [a].map(|sum| simd.splat_u32s(sum)), numbers, from, out),
                    [a, b] => {
                        draw_block(simd, &mut [a, b].map(|sum| simd.splat_u32s(sum)), numbers, from, out);
                    }
                    [a, b, c] => {
                        draw_block(simd, &mut [a, b, c].map(|sum| simd.splat_u32s(sum)), numbers, from, out);
                    }
                    _ => {
                        let mut below: Vec<S::u32s> = sums.iter().map(|&sum| simd.splat_u32s(sum)).collect();
                        draw_block(simd, &mut below, numbers, from, out);
                    }
                }
            }
        }
    }
}

impl Drawn {
    pub(super) fn new(slots: &Slots) -> Self {
        Self { groups: vec![[0; LANES]; slots.units.len()] }
    }

    /// The groups of a range of slots.
    #[inline(always)]
    pub(super) fn lanes(&self, slots: std::ops::Range<usize>) -> &[[u8; LANES]] {
        &self.groups[slots]
    }

    /// Sixteen random assignments: those of the draws from `16 * sixteen` on.
    pub(super) fn draw(&mut self, slots: &Slots, seed: u64, sixteen: u64) {
        let numbers = Numbers::new(seed, sixteen);
        instruction_set().dispatch(AllBlocks { slots, numbers, groups: &mut self.groups });
    }

    /// Up to sixteen assignments of the list of all, by their numbers.
    pub(super) fn enumerate(&mut self, slots: &Slots, lanes: usize, number: impl Fn(usize) -> u64) {
        for lane in 0..lanes {
            let groups = &mut self.groups;
            slots.unrank(number(lane), |slot, group| groups[slot][lane] = group);
        }
    }
}
