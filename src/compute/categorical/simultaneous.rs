//! Intervals that hold together for many contrasts.

use crate::compute::distribution::{ChiSquared, Normal};
use crate::compute::multiplicity::directions::{along, classes, each_direction, factor};
use crate::compute::reference_distribution::upper_tail;
use crate::compute::roots::root;
use crate::error::{Error, Result};
use ndarray::{Array2, ArrayView2};
use std::sync::OnceLock;

/// How intervals of many contrasts share an error probability.
///
/// # Formula
/// Each interval uses the critical value `c` (1.96 for one contrast at the level 0.95): `c = z(1 - a / 2)`
/// alone, `z(1 - a / (2 m))` for `m` contrasts (Bonferroni), the root of the chi-square quantile `1 - a` with
/// the rank of the covariance as its degrees of freedom (Goodman), or the solution of
/// `P(max |Z_i| <= c) = 1 - a` for normal `Z` with the correlation of the contrasts (max-t). Contrasts that
/// do not vary do not count.
///
/// For the last, `Z = L u r` with a uniform direction `u` and `r` chi-distributed, so that
/// `P = E F(c / max |L u|)`: a smooth mean, taken over a fixed lattice of 65536 directions. The critical
/// value has three to four correct digits (more for few contrasts) and never depends on chance.
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
/// Goodman LA (1964), Annals of Mathematical Statistics 35:716. Hothorn T, Bretz F, Westfall P (2008),
/// Biometrical Journal 50:346 (max-t). Deak I (1980), Numerische Mathematik 35:369 (directions).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Simultaneous {
    /// Each interval by itself has the level.
    #[default]
    Individual,
    /// The error probability divided by the number of contrasts; wider than needed.
    Bonferroni,
    /// Of all linear combinations of the contrasts (Scheffe's method for proportions); the widest where there
    /// are many.
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
    /// The critical value of `|value| / se` at which the intervals of all contrasts hold together, from their
    /// covariance.
    ///
    /// Contrasts whose value cannot vary do not count. Goodman's takes chi-squared with the rank of the
    /// covariance; the max-t value is that of a normal vector with this covariance.
    ///
    /// # Errors
    /// A level that is not between 0 and 1, or a covariance that is not square and finite.
    pub fn critical_value(self, covariance: ArrayView2<f64>, level: f64) -> Result<f64> {
        SimultaneousFamily::new(self, covariance)?.critical_value(level)
    }
}

/// The contrasts whose intervals hold together, and how.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct SimultaneousFamily {
    by: Simultaneous,
    /// The correlations of the contrasts that vary.
    correlation: Vec<Vec<f64>>,
    #[serde(skip)]
    maxima: OnceLock<Maxima>,
}

/// The largest contrast in each direction, in classes with their shares, and the number of dimensions.
#[derive(Debug, Clone)]
struct Maxima {
    classes: Vec<(f64, f64)>,
    rank: usize,
}

impl PartialEq for SimultaneousFamily {
    fn eq(&self, other: &Self) -> bool {
        self.by == other.by && self.correlation == other.correlation
    }
}

impl SimultaneousFamily {
    /// The family of the contrasts with this covariance.
    ///
    /// # Errors
    /// A covariance that is not square and finite.
    pub fn new(by: Simultaneous, covariance: ArrayView2<f64>) -> Result<Self> {
        if !covariance.is_square() || !covariance.iter().all(|value| value.is_finite()) {
            return Err(Error::invalid("the covariance of the contrasts must be square and finite"));
        }
        let largest = covariance.diag().iter().fold(0.0_f64, |largest, v| largest.max(*v));
        let varying: Vec<usize> =
            (0..covariance.nrows()).filter(|&i| covariance[[i, i]] > CONSTANT * largest).collect();
        let entry = |i: usize, j: usize| {
            if i == j { 1.0 } else { covariance[[i, j]] / (covariance[[i, i]] * covariance[[j, j]]).sqrt() }
        };
        let correlation = varying.iter().map(|&i| varying.iter().map(|&j| entry(i, j)).collect()).collect();
        Ok(Self { by, correlation, maxima: OnceLock::new() })
    }

    /// How the intervals share the error probability.
    pub fn by(&self) -> Simultaneous {
        self.by
    }

    /// The number of contrasts that vary.
    pub fn size(&self) -> usize {
        self.correlation.len()
    }

    pub(crate) fn check(&self) -> Result<()> {
        let k = self.size();
        let square =
            self.correlation.iter().all(|row| row.len() == k && row.iter().all(|r| r.abs() <= 1.0 + 1e-9));
        if square && (0..k).all(|i| self.correlation[i][i] == 1.0) {
            return Ok(());
        }
        Err(Error::invalid(
            "a family of effects needs a square matrix of correlations, with ones on its diagonal",
        ))
    }

    fn maxima(&self) -> Result<&Maxima> {
        if let Some(known) = self.maxima.get() {
            return Ok(known);
        }
        let k = self.size();
        let factor = factor(Array2::from_shape_fn((k, k), |(i, j)| self.correlation[i][j]).view());
        let rank = factor.ncols();
        let needed = self.by == Simultaneous::MaxT && rank > 1;
        let classes = if needed { classes(maxima(&factor)?, CLASSES) } else { Vec::new() };
        Ok(self.maxima.get_or_init(|| Maxima { classes, rank }))
    }

    /// The adjusted p-value of an effect: the probability under no effects that any of the family has a
    /// two-sided p-value at most this small.
    pub(crate) fn adjusted(&self, p_value: f64) -> Result<f64> {
        let m = self.size();
        if m < 2 || p_value >= 1.0 {
            return Ok(p_value);
        }
        let z = || Normal.upper_quantile(0.5 * p_value);
        Ok(match self.by {
            Simultaneous::Individual => p_value,
            Simultaneous::Bonferroni => (m as f64 * p_value).min(1.0),
            Simultaneous::Goodman => ChiSquared::new(self.maxima()?.rank as f64)?.sf(z().powi(2)),
            Simultaneous::MaxT => self.above(z())?.max(p_value),
        })
    }

    /// `P(max |Z| > c)`.
    fn above(&self, c: f64) -> Result<f64> {
        let Maxima { classes, rank } = self.maxima()?;
        if *rank < 2 {
            return Ok(2.0 * Normal.sf(c));
        }
        let chi = ChiSquared::new(*rank as f64)?;
        Ok(classes.iter().map(|(share, most)| share * chi.sf((c / most).powi(2))).sum())
    }

    /// The level at which the interval of each effect alone has to be taken for all to hold together at
    /// `level`.
    pub(crate) fn single_level(&self, level: f64) -> Result<f64> {
        let critical = self.critical_value(level)?;
        Ok(if self.by == Simultaneous::Individual { level } else { 1.0 - 2.0 * Normal.sf(critical) })
    }

    fn critical_value(&self, level: f64) -> Result<f64> {
        let tail = upper_tail(level)?;
        let single = Normal.upper_quantile(tail);
        let m = self.size();
        if m < 2 {
            return Ok(single);
        }
        let bonferroni = Normal.upper_quantile(tail / m as f64);
        Ok(match self.by {
            Simultaneous::Individual => single,
            Simultaneous::Bonferroni => bonferroni,
            Simultaneous::Goodman => {
                ChiSquared::new(self.maxima()?.rank as f64)?.upper_quantile(2.0 * tail).sqrt()
            }
            Simultaneous::MaxT if self.maxima()?.rank < 2 => single,
            Simultaneous::MaxT => {
                root(|c| self.above(c).unwrap_or(f64::NAN) - 2.0 * tail, single, bonferroni)
            }
        })
    }
}

/// `max |L u|` for directions `u` that cover the sphere evenly.
fn maxima(factor: &Array2<f64>) -> Result<Vec<f64>> {
    let mut maxima = Vec::new();
    each_direction(factor.ncols(), directions(factor.ncols()), |direction, length| {
        let most = factor.rows().into_iter().map(|row| along(row, direction).abs()).fold(0.0, f64::max);
        maxima.push(most / length);
    })?;
    Ok(maxima)
}
