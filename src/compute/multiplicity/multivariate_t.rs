use super::Alternative;
use super::directions::factor;
use super::lattice::{Length, Maxima, maxima};
use super::product::Product;
use crate::compute::distribution::{chi_mixture, mixture_step};
use crate::compute::linalg::SymmetricEigen;
use crate::compute::reference_distribution::{ReferenceDistribution, upper_tail};
use crate::compute::roots::root;
use crate::error::{Error, Result, number};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

/// The most statistics for which a general correlation is integrated.
const MOST: usize = 100;

/// The multivariate t distribution (normal without degrees of freedom), and the largest of its statistics.
///
/// # Formula
///
/// `T_i = Z_i / s`, `Z` normal with variances 1 and the correlation `R` (k x k), `s = sqrt(V / df)` with `V`
/// chi-squared with `df` degrees of freedom, shared by all. The tail of the maximum is `P(max |T_i| > c)`
/// (two-sided) or `P(max T_i > c)`.
///
/// Where `R_ij = l_i l_j` for all pairs, as for several groups against one, the statistics are independent
/// given one normal variable. The tail is then an integral over it, and over `s`, by the trapezoidal rule,
/// which converges exponentially here (relative errors near 1e-12). Any two statistics have this structure,
/// and three nearly always. Elsewhere `Z = L u r` with `L L' = R`, a uniform direction `u` and an independent
/// length `r`, and the tail is the mean of `P(r / s > c / max(L u))` over a lattice of 65,536 directions. Its
/// error is reported.
///
/// # Examples
///
/// The critical value of three groups against a control, with 60 degrees of freedom (Dunnett 1964):
/// ```
/// use armwise::multiplicity::{Alternative, MultivariateT};
/// use armwise::ndarray::array;
///
/// let correlation = array![[1.0, 0.5, 0.5], [0.5, 1.0, 0.5], [0.5, 0.5, 1.0]];
/// let t = MultivariateT::new(correlation.view(), Some(60.0))?;
/// assert!((t.critical_value(0.95, Alternative::TwoSided)? - 2.4099421).abs() < 1e-6);
/// let tail = t.tail_of_maximum(2.5, Alternative::TwoSided)?;
/// assert!((tail.probability - 0.0402386).abs() < 1e-6);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Dunnett (1955), JASA 50:1096; Dunnett (1964), Biometrics 20:482. Deak (1980), Numerische Mathematik 35:369
/// (directions). Genz & Bretz (2009), Computation of Multivariate Normal and t Probabilities.
#[derive(Debug, Clone)]
pub struct MultivariateT {
    correlation: Vec<Vec<f64>>,
    df: Option<f64>,
    single: ReferenceDistribution,
    route: Route,
}

#[derive(Debug, Clone)]
enum Route {
    Single,
    Product(Product),
    Lattice { factor: Array2<f64>, two_sided: OnceLock<Maxima>, one_sided: OnceLock<Maxima> },
}

/// How a joint probability was computed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Integration {
    /// By quadrature in one or two dimensions, with a relative error near 1e-12.
    Quadrature,
    /// Over a lattice of directions.
    Lattice {
        /// Three standard errors, of the probability that is known least.
        error: f64,
    },
}

/// The probability that the largest statistic exceeds a value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TailOfMaximum {
    /// The probability.
    pub probability: f64,
    /// How it was computed.
    pub integration: Integration,
}

impl MultivariateT {
    /// With this correlation (k x k), and normal where there are no degrees of freedom.
    ///
    /// # Errors
    /// `invalid_input` for a matrix that is not square, symmetric and of correlations with ones on its
    /// diagonal, for one that no statistics can have, for degrees of freedom below 0.1, and for more than 100
    /// statistics without product structure.
    pub fn new(correlation: ArrayView2<f64>, df: Option<f64>) -> Result<Self> {
        let k = correlation.nrows();
        if k == 0 || !correlation.is_square() {
            return Err(Error::invalid(
                "a correlation matrix has as many rows as columns, at least one; give one for each statistic",
            ));
        }
        for ((i, j), r) in correlation.indexed_iter() {
            let symmetric = (r - correlation[[j, i]]).abs() <= 1e-9;
            let fits = if i == j { (r - 1.0).abs() <= 1e-9 } else { r.abs() <= 1.0 + 1e-9 };
            if !(symmetric && fits) {
                return Err(Error::invalid(format!(
                    "the correlation of statistics {} and {} is {}; give a symmetric matrix of correlations, with 1 on its diagonal",
                    i + 1,
                    j + 1,
                    number(*r)
                )));
            }
        }
        Self::of(correlation.outer_iter().map(|row| row.to_vec()).collect(), df)
    }

    fn of(correlation: Vec<Vec<f64>>, df: Option<f64>) -> Result<Self> {
        if let Some(df) = df.filter(|df| df.is_nan() || *df < 0.1) {
            return Err(Error::invalid(format!(
                "the degrees of freedom are {}; give a number from 0.1, or none for normal statistics",
                number(df)
            )));
        }
        let df = df.filter(|df| *df <= 1e16);
        let single = ReferenceDistribution::of(df)?;
        let k = correlation.len();
        let route = if k == 1 {
            Route::Single
        } else if let Some(product) = Product::of(&correlation) {
            Route::Product(product)
        } else {
            if k > MOST {
                return Err(Error::invalid(format!(
                    "{k} statistics with a general correlation; give at most {MOST}, or adjust their p-values (Holm, Hommel)"
                )));
            }
            let matrix = Array2::from_shape_fn((k, k), |(i, j)| correlation[i.max(j)][i.min(j)]);
            let least = SymmetricEigen::new(matrix.view()).values.iter().copied().fold(1.0, f64::min);
            if least < -1e-8 * k as f64 {
                return Err(Error::invalid(format!(
                    "no statistics have these correlations (an eigenvalue is {}); give a positive semi-definite matrix",
                    number(least)
                )));
            }
            let (two_sided, one_sided) = (OnceLock::new(), OnceLock::new());
            Route::Lattice { factor: factor(matrix.view()), two_sided, one_sided }
        };
        Ok(Self { correlation, df, single, route })
    }

    /// The number of statistics.
    pub fn len(&self) -> usize {
        self.correlation.len()
    }

    /// Never true: there is at least one statistic.
    pub fn is_empty(&self) -> bool {
        self.correlation.is_empty()
    }

    /// The degrees of freedom; `None` for the normal distribution.
    pub fn df(&self) -> Option<f64> {
        self.df
    }

    /// The joint distribution of some of the statistics, counted from 0.
    ///
    /// # Errors
    /// `invalid_input` for none, and for a place that does not exist.
    pub fn subset(&self, places: &[usize]) -> Result<Self> {
        if places.is_empty() || places.iter().any(|&i| i >= self.len()) {
            return Err(Error::invalid(format!(
                "a subset needs places from 0 to {}; give at least one",
                self.len() - 1
            )));
        }
        let row = |&i: &usize| places.iter().map(|&j| self.correlation[i][j]).collect();
        Self::of(places.iter().map(row).collect(), self.df)
    }

    /// The p-value of one statistic by itself.
    pub(super) fn single(&self, t: f64, alternative: Alternative) -> f64 {
        match alternative {
            Alternative::TwoSided => self.single.two_sided(t),
            Alternative::Greater => self.single.sf(t),
            Alternative::Less => self.single.sf(-t),
        }
    }

    /// The probability that a statistic is farther out than `c`: `P(max |T_i| > c)`, `P(max T_i > c)` for
    /// `Greater`, and `P(min T_i < c)` for `Less`. With a statistic in the place of `c` it is the single-step
    /// adjusted p-value.
    ///
    /// # Errors
    /// `invalid_input` where `c` is not a number.
    pub fn tail_of_maximum(&self, c: f64, alternative: Alternative) -> Result<TailOfMaximum> {
        if c.is_nan() {
            return Err(Error::invalid("the statistic is not a number; give one"));
        }
        let (probability, integration) = match &self.route {
            Route::Single if alternative == Alternative::TwoSided && c < 0.0 => {
                (1.0, Integration::Quadrature)
            }
            Route::Single => (self.single(c, alternative), Integration::Quadrature),
            _ => {
                let two_sided = alternative == Alternative::TwoSided;
                let (p, integration) =
                    self.above(if alternative == Alternative::Less { -c } else { c }, two_sided)?;
                // Boole's bounds, which hold exactly.
                let one = if two_sided && c < 0.0 { 1.0 } else { self.single(c, alternative) };
                (p.clamp(one, (one * self.len() as f64).min(1.0)), integration)
            }
        };
        Ok(TailOfMaximum { probability, integration })
    }

    fn above(&self, c: f64, two_sided: bool) -> Result<(f64, Integration)> {
        match &self.route {
            Route::Single => Ok((self.single.sf(c), Integration::Quadrature)),
            Route::Product(product) => Ok((self.mixed(product, c, two_sided), Integration::Quadrature)),
            Route::Lattice { factor, two_sided: two, one_sided: one } => {
                let all: Vec<usize> = (0..self.len()).collect();
                let kept = if two_sided { two } else { one };
                let most = if let Some(most) = kept.get() {
                    most
                } else {
                    let most = maxima(factor, &all, false, two_sided)?.remove(0);
                    kept.get_or_init(|| most)
                };
                let length = Length::new(most.rank(), self.df.unwrap_or(f64::INFINITY))?;
                let (p, error) = most.above(c, &length);
                Ok((p, Integration::Lattice { error }))
            }
        }
    }

    fn mixed(&self, product: &Product, c: f64, two_sided: bool) -> f64 {
        if c.is_infinite() {
            return if c > 0.0 { 0.0 } else { 1.0 };
        }
        match self.df {
            None => product.above(c, two_sided),
            // The scale does not matter, or is known.
            Some(df) if c == 0.0 || df > 1e12 => product.above(c, two_sided),
            Some(df) => {
                let step = mixture_step(df, self.len() as f64);
                chi_mixture(df, step, 0.0, |s| product.above(c * s, two_sided).ln()).exp().min(1.0)
            }
        }
    }

    /// For each statistic in `order`, the one farthest out first, the probability that one of those from
    /// there on is as far out.
    pub(super) fn steps(
        &self,
        order: &[usize],
        t: &[f64],
        alternative: Alternative,
    ) -> Result<Vec<(f64, Integration)>> {
        let two_sided = alternative == Alternative::TwoSided;
        let sized = |i: usize| if alternative == Alternative::Less { -t[i] } else { t[i] };
        if let Route::Lattice { factor, .. } = &self.route {
            // The places of all steps from one pass over the directions.
            let length = Length::new(factor.ncols(), self.df.unwrap_or(f64::INFINITY))?;
            let steps = maxima(factor, order, true, two_sided)?;
            let above = |(most, &i): (&Maxima, &usize)| {
                let (p, error) = most.above(if two_sided { sized(i).abs() } else { sized(i) }, &length);
                (p, Integration::Lattice { error })
            };
            return Ok(steps.iter().zip(order).map(above).collect());
        }
        (0..order.len())
            .map(|rank| {
                let c = if two_sided { t[order[rank]].abs() } else { t[order[rank]] };
                let tail = self.subset(&order[rank..])?.tail_of_maximum(c, alternative)?;
                Ok((tail.probability, tail.integration))
            })
            .collect()
    }

    /// The critical value: the statistic that the largest exceeds with probability `1 - level`. For `Less` it
    /// is negative.
    ///
    /// # Errors
    /// `invalid_input` for a level that is not between 0 and 1.
    pub fn critical_value(&self, level: f64, alternative: Alternative) -> Result<f64> {
        let two_sided = alternative == Alternative::TwoSided;
        let alpha = 2.0 * upper_tail(level)?;
        let alone = |alpha: f64| self.single.upper_quantile(if two_sided { 0.5 * alpha } else { alpha });
        let (single, bonferroni) = (alone(alpha), alone(alpha / self.len() as f64));
        let critical = if self.len() == 1 {
            single
        } else {
            // Differences of logarithms are nearly a line.
            let excess = |c: f64| {
                let tail = self.above(c, two_sided).map_or(f64::NAN, |(p, _)| p);
                tail.max(f64::MIN_POSITIVE).ln() - alpha.ln()
            };
            root(excess, single, bonferroni)
        };
        Ok(if alternative == Alternative::Less { -critical } else { critical })
    }
}
