//! Sums over many studies in vectors.

// Calls that were not expanded would pass vectors through memory, and lose the instruction set.
#![allow(clippy::inline_always)]

use pulp::{Simd, WithSimd};

/// The lanes of the widest vectors.
const MOST_LANES: usize = 8;

/// From so many studies on, vectors pay.
pub(super) const WORTHWHILE: usize = 12;

/// Sums over all studies but one, with w = 1/(v + tau²).
pub(super) struct OtherStudies<'d> {
    pub(super) yi: &'d [f64],
    pub(super) vi: &'d [f64],
    pub(super) tau2: f64,
    /// The study that is left out; differences d are taken from its estimate.
    pub(super) but: usize,
}

/// With d the difference from the estimate that is left out, and e = d - shift where shift = sum w d / (sum w + `largest`).
#[derive(Clone, Copy)]
pub(super) struct OtherSums {
    /// sum w, w², w³.
    pub(super) powers: [f64; 3],
    /// sum w d.
    pub(super) wd: f64,
    /// sum w e², w² e, w² e², w³ e².
    pub(super) around: [f64; 4],
}

impl WithSimd for OtherStudies<'_> {
    type Output = OtherSums;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> OtherSums {
        /// Vectors of weights that are kept for the second loop.
        const KEPT: usize = 8;
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
        let (s1, wd) = (simd.reduce_sum_f64s(t1), simd.reduce_sum_f64s(td));
        let shift = simd.splat_f64s(wd / (s1 + 1.0 / (vi[but] + tau2)));
        let [mut q, mut r1, mut r2, mut r3] = [zero; 4];
        for c in 0..vectors {
            let (y, v) = if c < whole { (y[c], v[c]) } else { (y_last, v_last) };
            let mut w = if c < KEPT { kept[c] } else { simd.div_f64s(one, simd.add_f64s(v, spread)) };
            if c == but / lanes {
                w = simd.mul_f64s(w, alone);
            }
            let e = simd.sub_f64s(simd.sub_f64s(y, origin), shift);
            let we = simd.mul_f64s(w, e);
            let squared = simd.mul_f64s(we, we);
            q = simd.mul_add_e_f64s(we, e, q);
            r1 = simd.mul_add_e_f64s(w, we, r1);
            r2 = simd.add_f64s(r2, squared);
            r3 = simd.mul_add_e_f64s(w, squared, r3);
        }
        OtherSums {
            powers: [s1, simd.reduce_sum_f64s(t2), simd.reduce_sum_f64s(t3)],
            wd,
            around: [
                simd.reduce_sum_f64s(q),
                simd.reduce_sum_f64s(r1),
                simd.reduce_sum_f64s(r2),
                simd.reduce_sum_f64s(r3),
            ],
        }
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
        OtherSums { powers: [t1, t2, t3], wd, around: [q, r1, r2, r3] }
    }
}

#[cfg(test)]
mod tests {
    use super::OtherStudies;
    use crate::compute::threads::instruction_set;

    #[test]
    fn vectors_and_plain_loops_agree() {
        let yi: Vec<f64> = (0..100_i32).map(|i| (f64::from(i) * 0.7).sin()).collect();
        let vi: Vec<f64> = (0..100_i32).map(|i| 0.01 + (f64::from(i) * 0.3).cos().powi(2)).collect();
        for k in [1, 2, 7, 8, 9, 18, 63, 64, 65, 100] {
            for (but, tau2) in [(0, 0.0), (k / 2, 0.3), (k - 1, 1e-9)] {
                let data = || OtherStudies { yi: &yi[..k], vi: &vi[..k], tau2, but };
                let (plain, fast) = (data().plain(), instruction_set().dispatch(data()));
                for (a, b) in plain.powers.iter().zip(fast.powers).chain(plain.around.iter().zip(fast.around))
                {
                    assert!((a - b).abs() <= 1e-12 * a.abs().max(1e-3), "{k} {but} {tau2}: {a} {b}");
                }
            }
        }
    }
}
