//! Newcombe's interval of many tables in vectors: the operations of the single call in the same order, so
//! that every bit is the same.

// Calls that were not expanded would pass vectors through memory, and lose the instruction set.
#![allow(clippy::inline_always)]

use crate::compute::interval::Interval;
use pulp::{Simd, WithSimd};

/// Tables that are worked on at a time.
pub(super) const BLOCK: usize = 128;

/// The counts of some tables: events and participants, treatment before control.
pub(super) struct CountBlock {
    pub(super) counts: [[f64; BLOCK]; 4],
}

/// Newcombe's interval of each table of a block, with the critical value `z`.
pub(super) struct Newcombe<'b> {
    pub(super) block: &'b CountBlock,
    pub(super) z: f64,
    pub(super) intervals: &'b mut [Interval],
}

/// An estimate with its Wilson limits.
struct Wilson<S: Simd> {
    p: S::f64s,
    lower: S::f64s,
    upper: S::f64s,
}

impl<S: Simd> Wilson<S> {
    #[inline(always)]
    fn new(simd: S, x: S::f64s, n: S::f64s, z: f64) -> Self {
        let (two, z2) = (simd.splat_f64s(2.0), simd.splat_f64s(z * z));
        let y = simd.sub_f64s(n, x);
        let x2 = simd.mul_f64s(two, x);
        let inside = simd.mul_f64s(simd.mul_f64s(simd.splat_f64s(4.0), x), simd.div_f64s(y, n));
        let root = simd.mul_f64s(simd.splat_f64s(z), simd.sqrt_f64s(simd.add_f64s(z2, inside)));
        let sum = simd.add_f64s(simd.add_f64s(x2, z2), root);
        let p = simd.div_f64s(x, n);
        let lower = simd.div_f64s(simd.mul_f64s(x2, p), sum);
        let upper = simd.div_f64s(sum, simd.mul_f64s(two, simd.add_f64s(n, z2)));
        let no_others = simd.equal_f64s(y, simd.splat_f64s(0.0));
        let upper = simd.select_f64s(no_others, simd.splat_f64s(1.0), upper);
        Self { p, lower: simd.min_f64s(lower, upper), upper: simd.max_f64s(lower, upper) }
    }
}

#[inline(always)]
fn length<S: Simd>(simd: S, a: S::f64s, b: S::f64s) -> S::f64s {
    simd.sqrt_f64s(simd.add_f64s(simd.mul_f64s(a, a), simd.mul_f64s(b, b)))
}

impl WithSimd for Newcombe<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { block: CountBlock { counts: [x1, n1, x0, n0] }, z, intervals } = self;
        let (mut lower, mut upper) = ([0.0; BLOCK], [0.0; BLOCK]);
        let (x1, n1) = (S::as_simd_f64s(x1).0, S::as_simd_f64s(n1).0);
        let (x0, n0) = (S::as_simd_f64s(x0).0, S::as_simd_f64s(n0).0);
        let lows = S::as_mut_simd_f64s(&mut lower).0;
        let highs = S::as_mut_simd_f64s(&mut upper).0;
        for c in 0..x1.len() {
            let treatment = Wilson::new(simd, x1[c], n1[c], z);
            let control = Wilson::new(simd, x0[c], n0[c], z);
            let difference = simd.sub_f64s(treatment.p, control.p);
            let below = length(
                simd,
                simd.sub_f64s(treatment.p, treatment.lower),
                simd.sub_f64s(control.upper, control.p),
            );
            let above = length(
                simd,
                simd.sub_f64s(treatment.upper, treatment.p),
                simd.sub_f64s(control.p, control.lower),
            );
            lows[c] = simd.sub_f64s(difference, below);
            highs[c] = simd.add_f64s(difference, above);
        }
        for ((interval, lower), upper) in intervals.iter_mut().zip(lower).zip(upper) {
            *interval = Interval::between(lower, upper);
        }
    }
}
