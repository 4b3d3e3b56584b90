//! Sums over many studies in vectors.

// Calls that were not expanded would pass vectors through memory, and lose the instruction set.
#![allow(clippy::inline_always)]

use super::vector::MOST_LANES;
use crate::compute::threads::instruction_set;
use pulp::{Simd, WithSimd};

/// The number of studies from which vectors are faster.
pub(super) const WORTHWHILE: usize = 12;

/// Sums over all studies but one, with w = 1/(v + tau²).
pub(super) struct OtherStudies<'d> {
    pub(super) yi: &'d [f64],
    pub(super) vi: &'d [f64],
    pub(super) tau2: f64,
    /// The study that is left out; differences d are taken from its estimate.
    pub(super) but: usize,
}

/// With d the difference from the estimate that is left out, and e = d - shift where shift = sum w d / (sum w
/// + the weight left out).
#[derive(Clone, Copy)]
pub(super) struct OtherSums<V = f64> {
    /// sum w, w², w³.
    pub(super) t1: V,
    pub(super) t2: V,
    pub(super) t3: V,
    pub(super) shift: V,
    /// sum w e², w² e, w² e², w³ e².
    pub(super) q: V,
    pub(super) r1: V,
    pub(super) r2: V,
    pub(super) r3: V,
}

impl WithSimd for OtherStudies<'_> {
    type Output = OtherSums;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> OtherSums {
        /// Vectors of weights that are kept for the second loop.
        const KEPT: usize = 32;
        let Self { yi, vi, tau2, but } = self;
        let lanes = S::F64_LANES;
        let (origin, spread) = (simd.splat_f64s(yi[but]), simd.splat_f64s(tau2));
        let (zero, one) = (simd.splat_f64s(0.0), simd.splat_f64s(1.0));
        let (y, y_rest) = S::as_simd_f64s(yi);
        let (v, v_rest) = S::as_simd_f64s(vi);
        // The lanes beyond the last study have infinite variances, so that they have no weight.
        let mut last = [f64::INFINITY; MOST_LANES];
        last[..v_rest.len()].copy_from_slice(v_rest);
        let (mut y_padded, mut alone) = ([0.0; MOST_LANES], [1.0; MOST_LANES]);
        y_padded[..y_rest.len()].copy_from_slice(y_rest);
        alone[but % lanes] = 0.0;
        let (y_last, v_last) = (S::as_simd_f64s(&y_padded).0[0], S::as_simd_f64s(&last).0[0]);
        let alone = S::as_simd_f64s(&alone).0[0];
        let whole = y.len();
        let vectors = whole + usize::from(!y_rest.is_empty());
        let mut kept = [zero; KEPT];
        let [mut t1, mut t2, mut t3, mut td] = [zero; 4];
        for c in 0..vectors {
            let (y, v) = if c < whole { (y[c], v[c]) } else { (y_last, v_last) };
            let mut w = simd.div_f64s(one, simd.add_f64s(v, spread));
            if c == but / lanes {
                w = simd.mul_f64s(w, alone);
            }
            if c < KEPT {
                kept[c] = w;
            }
            let w2 = simd.mul_f64s(w, w);
            t1 = simd.add_f64s(t1, w);
            t2 = simd.add_f64s(t2, w2);
            t3 = simd.mul_add_e_f64s(w2, w, t3);
            td = simd.mul_add_e_f64s(w, simd.sub_f64s(y, origin), td);
        }
        let total = simd.reduce_sum_f64s(t1);
        let shift = simd.reduce_sum_f64s(td) / (total + 1.0 / (vi[but] + tau2));
        let center = simd.splat_f64s(shift);
        let [mut q, mut r1, mut r2, mut r3] = [zero; 4];
        for c in 0..vectors {
            let (y, v) = if c < whole { (y[c], v[c]) } else { (y_last, v_last) };
            let mut w = if c < KEPT { kept[c] } else { simd.div_f64s(one, simd.add_f64s(v, spread)) };
            if c == but / lanes {
                w = simd.mul_f64s(w, alone);
            }
            let e = simd.sub_f64s(simd.sub_f64s(y, origin), center);
            let we = simd.mul_f64s(w, e);
            let squared = simd.mul_f64s(we, we);
            q = simd.mul_add_e_f64s(we, e, q);
            r1 = simd.mul_add_e_f64s(w, we, r1);
            r2 = simd.add_f64s(r2, squared);
            r3 = simd.mul_add_e_f64s(w, squared, r3);
        }
        OtherSums {
            t1: total,
            t2: simd.reduce_sum_f64s(t2),
            t3: simd.reduce_sum_f64s(t3),
            shift,
            q: simd.reduce_sum_f64s(q),
            r1: simd.reduce_sum_f64s(r1),
            r2: simd.reduce_sum_f64s(r2),
            r3: simd.reduce_sum_f64s(r3),
        }
    }
}

/// As [`OtherStudies`] in a single pass, for very many studies: sums around `center`, from which those around
/// the mean follow.
pub(super) struct ManyStudies<'d> {
    pub(super) yi: &'d [f64],
    pub(super) vi: &'d [f64],
    pub(super) tau2: f64,
    /// The study that is left out.
    pub(super) but: usize,
    /// A guess of the mean, with the study that is left out.
    pub(super) center: f64,
}

/// With d the difference from the center: sum w, w², w³, w d, w² d, w³ d, w d², w² d², w³ d².
#[derive(Clone, Copy)]
struct Moments<V>([V; 9]);

impl WithSimd for ManyStudies<'_> {
    type Output = [f64; 9];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> [f64; 9] {
        let Self { yi, vi, tau2, but, center } = self;
        let mut sums = Moments([simd.splat_f64s(0.0); 9]);
        // The halves before and after the study that is left out, each with its rest.
        for (yi, vi) in [(&yi[..but], &vi[..but]), (&yi[but + 1..], &vi[but + 1..])] {
            let (y, y_rest) = S::as_simd_f64s(yi);
            let (v, v_rest) = S::as_simd_f64s(vi);
            for (y, v) in y.iter().zip(v) {
                sums.add(simd, *y, *v, tau2, center);
            }
            // The lanes beyond the last study have infinite variances, so that they have no weight.
            let (mut y_last, mut v_last) = ([center; MOST_LANES], [f64::INFINITY; MOST_LANES]);
            y_last[..y_rest.len()].copy_from_slice(y_rest);
            v_last[..v_rest.len()].copy_from_slice(v_rest);
            sums.add(simd, S::as_simd_f64s(&y_last).0[0], S::as_simd_f64s(&v_last).0[0], tau2, center);
        }
        let mut numbers = [0.0; 9];
        for (number, sum) in numbers.iter_mut().zip(sums.0) {
            *number = simd.reduce_sum_f64s(sum);
        }
        numbers
    }
}

impl<V: Copy> Moments<V> {
    #[inline(always)]
    fn add<S: Simd<f64s = V>>(&mut self, simd: S, y: V, v: V, tau2: f64, center: f64) {
        let Self([w1, w2, w3, d1, d2, d3, e1, e2, e3]) = self;
        let w = simd.div_f64s(simd.splat_f64s(1.0), simd.add_f64s(v, simd.splat_f64s(tau2)));
        let d = simd.sub_f64s(y, simd.splat_f64s(center));
        let (square, wd) = (simd.mul_f64s(w, w), simd.mul_f64s(w, d));
        let squared = simd.mul_f64s(wd, wd);
        *w1 = simd.add_f64s(*w1, w);
        *w2 = simd.add_f64s(*w2, square);
        *w3 = simd.mul_add_e_f64s(square, w, *w3);
        *d1 = simd.add_f64s(*d1, wd);
        *d2 = simd.mul_add_e_f64s(w, wd, *d2);
        *d3 = simd.mul_add_e_f64s(square, wd, *d3);
        *e1 = simd.mul_add_e_f64s(wd, d, *e1);
        *e2 = simd.add_f64s(*e2, squared);
        *e3 = simd.mul_add_e_f64s(w, squared, *e3);
    }
}

impl ManyStudies<'_> {
    /// Differences are taken from the estimate of the study that is left out, as [`OtherSums`] says. `None`
    /// where the center lies so far from the mean that digits would be lost.
    pub(super) fn sums(self) -> Option<OtherSums> {
        let Self { yi, vi, tau2, but, center } = self;
        let [t1, t2, t3, d1, d2, d3, e1, e2, e3] = instruction_set().dispatch(self);
        let largest = 1.0 / (vi[but] + tau2);
        let origin = yi[but] - center;
        // The mean, from the center.
        let mean = (d1 + largest * origin) / (t1 + largest);
        let q = e1 - (2.0 * d1 - mean * t1) * mean;
        let r2 = e2 - (2.0 * d2 - mean * t2) * mean;
        let r3 = e3 - (2.0 * d3 - mean * t3) * mean;
        let square = mean * mean;
        let near = square * t1 <= q && square * t2 <= r2 && square * t3 <= r3;
        near.then_some(OtherSums { t1, t2, t3, shift: mean - origin, q, r1: d2 - mean * t2, r2, r3 })
    }
}

impl OtherStudies<'_> {
    /// The same with plain loops: for few studies.
    #[inline]
    pub(super) fn plain(&self) -> OtherSums {
        let &Self { yi, vi, tau2, but } = self;
        let origin = yi[but];
        let others = || {
            let before = yi[..but].iter().zip(&vi[..but]);
            before
                .chain(yi[but + 1..].iter().zip(&vi[but + 1..]))
                .map(|(y, v)| (y - origin, 1.0 / (v + tau2)))
        };
        let (mut t1, mut t2, mut t3, mut wd) = (0.0, 0.0, 0.0, 0.0);
        others().for_each(|(d, w)| {
            t1 += w;
            t2 += w * w;
            t3 += w * w * w;
            wd += w * d;
        });
        let shift = wd / (t1 + 1.0 / (vi[but] + tau2));
        let (mut q, mut r1, mut r2, mut r3) = (0.0, 0.0, 0.0, 0.0);
        others().for_each(|(d, w)| {
            let e = d - shift;
            let we = w * e;
            q += we * e;
            r1 += w * we;
            r2 += we * we;
            r3 += w * we * we;
        });
        OtherSums { t1, t2, t3, shift, q, r1, r2, r3 }
    }
}

/// The sums over all studies but one by plain loops, in vectors, and in a single pass around their mean plus
/// `off`.
pub fn sums_of_others(
    yi: &[f64],
    vi: &[f64],
    tau2: f64,
    but: usize,
    off: f64,
) -> ([f64; 8], [f64; 8], Option<[f64; 8]>) {
    let numbers = |s: OtherSums| [s.t1, s.t2, s.t3, s.shift, s.q, s.r1, s.r2, s.r3];
    let others = || OtherStudies { yi, vi, tau2, but };
    let plain = others().plain();
    let many = ManyStudies { yi, vi, tau2, but, center: yi[but] + plain.shift + off };
    (numbers(plain), numbers(instruction_set().dispatch(others())), many.sums().map(numbers))
}
