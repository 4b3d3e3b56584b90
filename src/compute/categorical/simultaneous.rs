//! Intervals that hold together for many contrasts.

use crate::compute::distribution::{ChiSquared, Normal};
use crate::compute::linalg::{SymmetricEigen, submatrix};
use crate::compute::reference_distribution::upper_tail;
use crate::compute::roots::root;
use crate::error::{Error, Result};
use ndarray::{Array2, ArrayView2};

/// How intervals of many contrasts share an error probability.
///
/// # Formula
/// Each interval uses the critical value `c` (1.96 for one contrast at the level 0.95): `c = z(1 - a / 2)` alone, `z(1 - a / (2 m))` for `m`
/// contrasts (Bonferroni), the root of the chi-square quantile `1 - a` with the rank of the covariance as its degrees of freedom (Goodman), or
/// the solution of `P(max |Z_i| <= c) = 1 - a` for normal `Z` with the correlation of the contrasts (max-t). Contrasts that do not vary
/// do not count.
///
/// For the last, `Z = L u r` with a uniform direction `u` and `r` chi-distributed, so that `P = E F(c / max |L u|)`: a smooth mean, taken over a fixed
/// lattice of 65536 directions. The critical value has three to four correct digits (more for few contrasts) and never depends on chance.
///
/// # Examples
/// Three comparisons of three arms: Tukey's studentised range over the root of 2.
/// ```
/// use armwise::categorical::Simultaneous;
/// use armwise::distribution::StudentizedRange;
/// use armwise::ndarray::array;
///
/// let covariance = array![[2.0, 1.0, 1.0], [1.0, 2.0, -1.0], [1.0, -1.0, 2.0]];
/// let critical = Simultaneous::MaxT.critical_value(covariance.view(), 0.95)?;
/// let tukey = StudentizedRange::new(3, f64::INFINITY)?.quantile(0.95) / 2.0_f64.sqrt();
/// assert!((critical - tukey).abs() < 1e-5);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Goodman LA (1964), Annals of Mathematical Statistics 35:716. Hothorn T, Bretz F, Westfall P (2008), Biometrical Journal 50:346 (max-t). Deak I
/// (1980), Numerische Mathematik 35:369 (directions).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Simultaneous {
    /// Each interval by itself has the level.
    #[default]
    Individual,
    /// The error probability divided by the number of contrasts; wider than needed.
    Bonferroni,
    /// Of all linear combinations of the contrasts (Scheffe's method for proportions); the widest where there are many.
    Goodman,
    /// From the joint normal distribution of the contrasts: exact in large samples.
    MaxT,
}

/// Variances below this share of the largest do not vary.
const CONSTANT: f64 = 1e-20;
/// Directions in which the maximum is taken: enough for three decimals of the critical value.
fn directions(rank: usize) -> u32 {
    if rank <= 6 { 1 << 16 } else { 1 << 18 }
}
/// Classes into which the maxima are sorted.
const CLASSES: usize = 1 << 10;

impl Simultaneous {
    /// The critical value of contrasts with this covariance.
    ///
    /// # Errors
    /// `invalid_input` for a level outside (0, 1) or a covariance that is not square and finite.
    pub fn critical_value(self, covariance: ArrayView2<f64>, level: f64) -> Result<f64> {
        let tail = upper_tail(level)?;
        if !covariance.is_square() || !covariance.iter().all(|value| value.is_finite()) {
            return Err(Error::invalid("the covariance of the contrasts must be square and finite"));
        }
        let single = Normal.upper_quantile(tail);
        let largest = covariance.diag().iter().fold(0.0_f64, |largest, v| largest.max(*v));
        let varying: Vec<usize> =
            (0..covariance.nrows()).filter(|&i| covariance[[i, i]] > CONSTANT * largest).collect();
        if varying.len() < 2 {
            return Ok(single);
        }
        let bonferroni = Normal.upper_quantile(tail / varying.len() as f64);
        match self {
            Self::Individual => Ok(single),
            Self::Bonferroni => Ok(bonferroni),
            Self::Goodman => {
                let rank = factor(submatrix(covariance, &varying)).ncols();
                Ok(ChiSquared::new(rank as f64)?.upper_quantile(2.0 * tail).sqrt())
            }
            Self::MaxT => {
                let factor = factor(submatrix(covariance, &varying));
                if factor.ncols() < 2 {
                    return Ok(single);
                }
                let chi = ChiSquared::new(factor.ncols() as f64)?;
                let maxima = classes(maxima(&factor));
                let above = |c: f64| -> f64 {
                    maxima.iter().map(|(share, most)| share * chi.sf((c / most).powi(2))).sum()
                };
                Ok(root(|c| above(c) - 2.0 * tail, single, bonferroni))
            }
        }
    }
}

/// `L` with `L L'` the correlation, and as many columns as its rank.
fn factor(covariance: Array2<f64>) -> Array2<f64> {
    let sd: Vec<f64> = covariance.diag().iter().map(|variance| variance.sqrt()).collect();
    let k = sd.len();
    let correlation = Array2::from_shape_fn((k, k), |(i, j)| covariance[[i, j]] / (sd[i] * sd[j]));
    let eigen = SymmetricEigen::new(correlation.view());
    let kept: Vec<usize> = (0..k).filter(|&j| eigen.values[j] > 1e-9 * k as f64).collect();
    Array2::from_shape_fn((k, kept.len()), |(i, j)| {
        eigen.vectors[[i, kept[j]]] * eigen.values[kept[j]].max(0.0).sqrt()
    })
}

/// `max |L u|` for directions `u` that cover the sphere evenly.
fn maxima(factor: &Array2<f64>) -> Vec<f64> {
    let rank = factor.ncols();
    let most = |direction: &[f64]| {
        let length = direction.iter().map(|x| x * x).sum::<f64>().sqrt();
        let along =
            |row: ndarray::ArrayView1<f64>| row.iter().zip(direction).map(|(l, u)| l * u).sum::<f64>();
        factor.rows().into_iter().map(|row| along(row).abs()).fold(0.0, f64::max) / length
    };
    let mut direction = vec![0.0; rank];
    if rank == 2 {
        // Half a turn: opposite directions have the same maximum.
        let angle = |i: u32| std::f64::consts::PI * (f64::from(i) + 0.5) / f64::from(directions(rank));
        return (0..directions(rank))
            .map(|i| {
                let (sine, cosine) = (libm::sin(angle(i)), libm::cos(angle(i)));
                direction.copy_from_slice(&[cosine, sine]);
                most(&direction)
            })
            .collect();
    }
    // The lattice of the generalised golden ratio: powers of 1 / g with g^(rank + 1) = g + 1.
    let golden = root(|g| g.powi(i32::try_from(rank + 1).unwrap_or(i32::MAX)) - g - 1.0, 1.0, 2.0);
    let mut steps = vec![0.0; rank];
    let mut power = 1.0;
    for step in &mut steps {
        power /= golden;
        *step = power;
    }
    (1..=directions(rank))
        .map(|i| {
            for (x, step) in direction.iter_mut().zip(&steps) {
                let place: f64 = (0.5 + f64::from(i) * step).fract();
                *x = Normal.quantile(place.clamp(1e-12, 1.0 - 1e-12));
            }
            most(&direction)
        })
        .collect()
}

/// Classes of near equal maxima: the share of each, and its mean.
fn classes(mut maxima: Vec<f64>) -> Vec<(f64, f64)> {
    maxima.sort_unstable_by(f64::total_cmp);
    let size = maxima.len().div_ceil(CLASSES).max(1);
    let n = maxima.len() as f64;
    maxima
        .chunks(size)
        .map(|class| (class.len() as f64 / n, class.iter().sum::<f64>() / class.len() as f64))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::distribution::StudentizedRange;

    /// The covariance of all differences of means with equal variances.
    fn pairwise(k: usize) -> Array2<f64> {
        let pairs: Vec<(usize, usize)> = (0..k).flat_map(|i| (0..i).map(move |j| (i, j))).collect();
        let same = |a: usize, b: usize| f64::from(u8::from(a == b));
        Array2::from_shape_fn((pairs.len(), pairs.len()), |(a, b)| {
            let ((i, j), (m, l)) = (pairs[a], pairs[b]);
            same(i, m) - same(i, l) - same(j, m) + same(j, l)
        })
    }

    #[test]
    fn all_pairs_are_tukeys_range() {
        for (k, tolerance) in [(3, 1e-6), (4, 1e-3), (5, 1e-3), (8, 2e-3)] {
            for level in [0.8, 0.95, 0.99] {
                let tukey = StudentizedRange::new(k as u64, f64::INFINITY).unwrap().quantile(level)
                    / std::f64::consts::SQRT_2;
                let critical = Simultaneous::MaxT.critical_value(pairwise(k).view(), level).unwrap();
                assert!((critical - tukey).abs() < tolerance, "{k} {level}: {critical} {tukey}");
            }
        }
    }

    #[test]
    fn independent_contrasts_are_sidaks() {
        for k in [2, 3, 6, 12] {
            let critical = Simultaneous::MaxT.critical_value(Array2::eye(k).view(), 0.95).unwrap();
            let sidak = Normal.upper_quantile(0.5 * (1.0 - 0.95_f64.powf(1.0 / k as f64)));
            assert!((critical - sidak).abs() < 2e-3, "{k}: {critical} {sidak}");
        }
    }

    #[test]
    fn goodmans_degrees_of_freedom_are_the_rank() {
        let critical = Simultaneous::Goodman.critical_value(pairwise(4).view(), 0.95).unwrap();
        assert!((critical.powi(2) - 7.814_727_903_251_18).abs() < 1e-9);
    }

    #[test]
    fn one_contrast_needs_no_adjustment() {
        let copies = Array2::from_elem((3, 3), 2.0);
        assert!(
            (Simultaneous::MaxT.critical_value(copies.view(), 0.95).unwrap() - 1.959_963_984_540_054).abs()
                < 1e-12
        );
        let nothing = Array2::zeros((3, 3));
        assert!((Simultaneous::Bonferroni.critical_value(nothing.view(), 0.95).unwrap() - 1.96).abs() < 1e-3);
    }
}
