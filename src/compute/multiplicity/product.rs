//! Correlations of product structure, for which the distribution of a maximum is an integral in one
//! dimension.

use std::f64::consts::{PI, SQRT_2};

/// What a correlation may differ from the product by.
const NEAR: f64 = 1e-10;
/// Above this square the integrand is too steep, and directions do better.
const STEEP: f64 = 1.0 - 1e-4;
const SQRT_TAU: f64 = 2.506_628_274_631_000_7;

/// Loadings `l` with correlation `l_i l_j` of different statistics: `Z_i = l_i Z + sqrt(1 - l_i^2) E_i`.
#[derive(Debug, Clone)]
pub(super) struct Product {
    /// The loadings, each with the root of what it leaves.
    loadings: Vec<(f64, f64)>,
    largest: f64,
    step: f64,
}

impl Product {
    /// With the loadings of a correlation matrix, if it has such a structure.
    pub(super) fn of(correlation: &[Vec<f64>]) -> Option<Self> {
        let loadings = loadings(correlation)?;
        let fits = |i: usize, j: usize| (correlation[i][j] - loadings[i] * loadings[j]).abs() <= NEAR;
        let k = correlation.len();
        let within = loadings.iter().all(|l| l * l <= STEEP);
        (within && (0..k).all(|i| (0..i).all(|j| fits(i, j)))).then(|| Self::new(&loadings))
    }

    fn new(loadings: &[f64]) -> Self {
        let rest = |l: f64| (1.0 - l * l).sqrt();
        // The trapezoidal rule errs by exp(-2 pi^2 v / step^2), where 1 / v bounds how fast the integrand
        // grows off the real line: 1e-17 at this step.
        let growth: f64 = loadings.iter().map(|l| (l / rest(*l)).powi(2)).sum();
        Self {
            loadings: loadings.iter().map(|&l| (l, rest(l))).collect(),
            largest: loadings.iter().fold(0.0, |largest, l| largest.max(l.abs())),
            step: (2.0 * PI * PI / (39.0 * (1.0 + growth))).sqrt(),
        }
    }

    /// `P(max |Z_i| > c)`, or `P(max Z_i > c)` if one-sided.
    ///
    /// Each value of the shared Z leaves independent statistics; the chance that one of them exceeds c is
    /// summed as such, so small probabilities keep their digits.
    pub(super) fn above(&self, c: f64, two_sided: bool) -> f64 {
        if two_sided && c <= 0.0 {
            return 1.0;
        }
        let beyond = |x: f64| 0.5 * libm::erfc(x / SQRT_2);
        let at = |z: f64| {
            let none: f64 = self
                .loadings
                .iter()
                .map(|&(l, rest)| {
                    let upper = beyond((c - l * z) / rest);
                    let both = if two_sided { upper + beyond((c + l * z) / rest) } else { upper };
                    (-both.min(1.0)).ln_1p()
                })
                .sum();
            -none.exp_m1() * (-0.5 * z * z).exp()
        };
        // Outwards, past the place where the statistics come close to c.
        let half = |direction: f64| {
            let mut sum = 0.0;
            for i in 1.. {
                let z = self.step * f64::from(i);
                let value = at(direction * z);
                sum += value;
                if z > 38.6 || z > 1.0 && z > self.largest * c.abs() && value <= 1e-18 * sum {
                    break;
                }
            }
            sum
        };
        let outside = if two_sided { 2.0 * half(1.0) } else { half(1.0) + half(-1.0) };
        ((at(0.0) + outside) * self.step / SQRT_TAU).min(1.0)
    }
}

/// The loadings that fit the largest correlations.
fn loadings(correlation: &[Vec<f64>]) -> Option<Vec<f64>> {
    let k = correlation.len();
    let mut loadings = vec![0.0; k];
    let pairs = (0..k).flat_map(|i| (0..i).map(move |j| (i, j)));
    let size = |i: usize, j: usize| correlation[i][j].abs();
    let Some((i, j)) = pairs.max_by(|&(a, b), &(c, d)| size(a, b).total_cmp(&size(c, d))) else {
        return Some(loadings);
    };
    let strongest = correlation[i][j];
    if strongest == 0.0 {
        return Some(loadings);
    }
    let third = (0..k)
        .filter(|&l| l != i && l != j)
        .max_by(|&a, &b| (size(a, i) * size(a, j)).total_cmp(&(size(b, i) * size(b, j))));
    let through = third.map_or(0.0, |l| correlation[i][l] * correlation[j][l]);
    if through == 0.0 {
        // This pair alone.
        loadings[i] = strongest.abs().sqrt();
        loadings[j] = strongest / loadings[i];
        return Some(loadings);
    }
    let l = third?;
    let square = strongest * correlation[i][l] / correlation[j][l];
    if square.is_nan() || square <= 0.0 {
        return None;
    }
    loadings[i] = square.sqrt();
    for other in (0..k).filter(|&other| other != i) {
        loadings[other] = correlation[i][other] / loadings[i];
    }
    Some(loadings)
}
