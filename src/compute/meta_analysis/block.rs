//! Several small sets of studies side by side, one in each lane of a vector.

// Calls that were not expanded would pass vectors through memory, and lose the instruction set.
#![allow(clippy::inline_always)]

use super::lanes::OtherSums;
use super::solver::{Lanes, Question, Solved, Spread, solve};
use super::tau2::{self, EQUAL_WITHIN, Likelihood, Sums, extent};
use super::vector::{MOST_LANES, Vector};
use pulp::{Simd, WithSimd};

/// The largest sets, in studies, that lie side by side; larger ones fill the vectors by themselves.
pub(super) const MOST_STUDIES: usize = 32;

/// Aligned, so that no vector lies in two cache lines.
#[repr(align(64))]
struct Table([f64; MOST_STUDIES * MOST_LANES]);

impl Table {
    const EMPTY: Self = Self([0.0; MOST_STUDIES * MOST_LANES]);
}

/// Solves sets of `question.k` studies that lie one after the other in `yi` and `vi`, which have been
/// checked.
pub(super) struct SolveSets<'d> {
    pub(super) yi: &'d [f64],
    pub(super) vi: &'d [f64],
    pub(super) question: Question,
    /// One for each set.
    pub(super) out: &'d mut [Solved],
}

impl WithSimd for SolveSets<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { yi, vi, question, out } = self;
        let k = question.k;
        let (mut d, mut v, mut w) = (Table::EMPTY, Table::EMPTY, Table::EMPTY);
        let lanes = S::F64_LANES;
        for (block, out) in out.chunks_mut(lanes).enumerate() {
            let first = block * lanes;
            let mut origin = [0.0; MOST_LANES];
            for (lane, origin) in origin.iter_mut().enumerate().take(lanes) {
                // Lanes beyond the last set repeat it.
                let set = first + lane.min(out.len() - 1);
                let (yi, vi) = (&yi[set * k..(set + 1) * k], &vi[set * k..(set + 1) * k]);
                let mut m = 0;
                for i in 1..k {
                    m = if vi[i] < vi[m] { i } else { m };
                }
                *origin = yi[m];
                for i in 0..k {
                    d.0[i * lanes + lane] = yi[i] - yi[m];
                    v.0[i * lanes + lane] = vi[i];
                }
                // The most precise study comes first, and the first one takes its place.
                d.0[m * lanes + lane] = d.0[lane];
                v.0[m * lanes + lane] = v.0[lane];
                d.0[lane] = 0.0;
                v.0[lane] = vi[m];
            }
            let mut side_by_side = Block {
                yi,
                vi,
                k,
                first,
                last: first + out.len() - 1,
                origin: Vector::from_array(simd, &origin),
                d: &S::as_simd_f64s(&d.0).0[..k],
                v: &S::as_simd_f64s(&v.0).0[..k],
                w: &mut S::as_mut_simd_f64s(&mut w.0).0[..k],
            };
            let solved = solve(simd, &mut side_by_side, question);
            scatter(&solved, out);
        }
    }
}

#[inline(always)]
fn scatter<S: Simd>(solved: &Solved<Vector<S>>, out: &mut [Solved]) {
    macro_rules! fields {
        ($($field:ident),*) => {
            $(let $field = solved.$field.to_array();)*
            for (lane, out) in out.iter_mut().enumerate() {
                *out = Solved { $($field: $field[lane % MOST_LANES]),* };
            }
        };
    }
    fields!(ss, zero_q, zero_trace_p, tau2, mean, s1, q, information, lower, upper);
}

struct Block<'b, S: Simd> {
    yi: &'b [f64],
    vi: &'b [f64],
    k: usize,
    /// The sets in the first and the last lane that has one of its own.
    first: usize,
    last: usize,
    /// The estimates of the most precise studies; differences d are taken from them.
    origin: Vector<S>,
    /// The most precise study comes first.
    d: &'b [S::f64s],
    v: &'b [S::f64s],
    /// The weights of the last sums.
    w: &'b mut [S::f64s],
}

impl<S: Simd> Block<'_, S> {
    fn studies(&self, lane: usize) -> (&[f64], &[f64]) {
        let set = (self.first + lane).min(self.last);
        let range = set * self.k..(set + 1) * self.k;
        (&self.yi[range.clone()], &self.vi[range])
    }
}

impl<S: Simd> Lanes<S> for Block<'_, S> {
    #[inline(always)]
    fn spread(&self, simd: S) -> Spread<Vector<S>> {
        let of = |lanes: S::f64s| Vector { simd, lanes };
        let none = Vector::splat(simd, 0.0);
        let (mut sum, mut v_sum, mut v_max) = (none, none, none);
        for (d, v) in self.d.iter().zip(self.v) {
            sum = sum + of(*d);
            v_sum = v_sum + of(*v);
            v_max = v_max.max(of(*v));
        }
        let k = self.k as f64;
        let mean = sum / k;
        let (mut ss, mut vs, mut widest, mut largest) = (none, none, none, none);
        for (d, v) in self.d.iter().zip(self.v) {
            let e = of(*d) - mean;
            let square = e * e;
            ss = ss + square;
            vs = square.mul_add(of(*v), vs);
            widest = widest.max(e.abs());
            largest = largest.max((of(*d) + self.origin).abs());
        }
        // The same number k times: the mean may still differ from it by rounding.
        ss = ss.where_or(widest.above(largest * EQUAL_WITHIN), none);
        let v_min = of(self.v[0]);
        Spread { ss, v_min, v_max, v_mean: v_sum / k, v_typical: (vs / ss).max(v_min).min(v_max) }
    }

    #[inline(always)]
    fn sums(&mut self, tau2: Vector<S>) -> Sums<Vector<S>> {
        let simd = tau2.simd;
        let of = |lanes: S::f64s| Vector { simd, lanes };
        let (none, one) = (tau2.all(0.0), tau2.all(1.0));
        let largest = one / (of(self.v[0]) + tau2);
        let (mut t1, mut t2, mut t3, mut wd) = (none, none, none, none);
        for ((d, v), kept) in self.d[1..].iter().zip(&self.v[1..]).zip(&mut self.w[1..]) {
            let w = one / (of(*v) + tau2);
            *kept = w.lanes;
            let w2 = w * w;
            t1 = t1 + w;
            t2 = t2 + w2;
            t3 = w2.mul_add(w, t3);
            wd = w.mul_add(of(*d), wd);
        }
        let shift = wd / (t1 + largest);
        let (mut q, mut r1, mut r2, mut r3) = (none, none, none, none);
        for (d, w) in self.d[1..].iter().zip(&self.w[1..]) {
            let (e, w) = (of(*d) - shift, of(*w));
            let we = w * e;
            let squared = we * we;
            q = we.mul_add(e, q);
            r1 = w.mul_add(we, r1);
            r2 = r2 + squared;
            r3 = w.mul_add(squared, r3);
        }
        Sums::of(one, self.origin, largest, &OtherSums { t1, t2, t3, shift, q, r1, r2, r3 })
    }

    fn patient_maximum(&self, lane: usize, likelihood: Likelihood) -> f64 {
        let (yi, vi) = self.studies(lane);
        tau2::maximum_likelihood(yi, vi, &extent(yi, vi), likelihood)
    }

    fn patient_root(&self, lane: usize, target: f64) -> f64 {
        let (yi, vi) = self.studies(lane);
        tau2::q_root(yi, vi, &extent(yi, vi), target)
    }
}
