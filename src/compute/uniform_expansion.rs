//! The uniform expansion of incomplete gamma and beta functions around their centre.

use super::tails::{Side, Tails, scaled_erfc};
use std::f64::consts::PI;

const TERMS: usize = 30;

/// Temme's uniform expansion of a distribution with density proportional to `exp(-n z^2 / 2) z / w(z) dz`,
/// where `w w' = z (1 + alpha w + beta w^2)`, `w(0) = 0`.
///
/// Incomplete gamma: `n = a`, `w = x / a - 1`, `alpha = 1`, `beta = 0`. Incomplete beta: `n = a b / (a + b)`,
/// `w = (x - p) / (p q)` with `p = a / (a + b) = 1 - q`, `alpha = q - p`, `beta = -p q`. `z / w` is expanded
/// in powers of `z`, and the powers are integrated by parts (Temme 1987).
#[derive(Debug, Clone, Copy)]
pub(super) struct Expansion {
    coefficients: [f64; TERMS],
}

impl Expansion {
    pub(super) const GAMMA: Self = Self::new(1.0, 0.0);
    /// From here on the expansion is exact to rounding for `|z| <= 1`; continued fractions serve elsewhere.
    pub(super) const LEAST_N: f64 = 25.0;

    pub(super) const fn new(alpha: f64, beta: f64) -> Self {
        // w = sum c_k z^k and w^2 = sum s_k z^k: the equation gives (m + 1) s_(m+1) / 2 from lower terms.
        let mut c = [0.0; TERMS + 1];
        let mut s = [0.0; TERMS + 2];
        c[1] = 1.0;
        s[2] = 1.0;
        let mut m = 2;
        while m <= TERMS {
            s[m + 1] = 2.0 / (m as f64 + 1.0) * (alpha * c[m - 1] + beta * s[m - 1]);
            let mut rest = s[m + 1];
            let mut i = 2;
            while i < m {
                rest -= c[i] * c[m + 1 - i];
                i += 1;
            }
            c[m] = 0.5 * rest;
            m += 1;
        }
        let mut coefficients = [0.0; TERMS];
        coefficients[0] = 1.0;
        let mut k = 1;
        while k < TERMS {
            let mut sum = 0.0;
            let mut i = 1;
            while i <= k {
                sum -= c[i + 1] * coefficients[k - i];
                i += 1;
            }
            coefficients[k] = sum;
            k += 1;
        }
        Self { coefficients }
    }

    /// Both tails, given `exponent = n z^2 / 2`.
    pub(super) fn tails(&self, n: f64, z: f64, exponent: f64) -> Tails {
        let (mut b, mut b1, mut b2) = (0.0, 0.0, 0.0);
        let mut sum = 0.0;
        for k in (0..TERMS).rev() {
            b = self.coefficients[k] + (k as f64 + 1.0) / n * b2;
            if k > 0 {
                sum = sum * z + b;
            }
            (b1, b2) = (b, b1);
        }
        let correction = sum / ((2.0 * PI * n).sqrt() * b);
        let centre = 0.5 * scaled_erfc(exponent.sqrt());
        if z > 0.0 {
            Tails::new(Side::Upper, (centre + correction).ln() - exponent)
        } else {
            Tails::new(Side::Lower, (centre - correction).ln() - exponent)
        }
    }
}
