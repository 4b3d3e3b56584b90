//! Influences summed over clusters: a variance with a correction for leverage, and degrees of freedom of each
//! contrast.

use crate::compute::linalg::symmetrised;
use crate::error::{Error, ErrorKind, Result, counted};
use ndarray::{Array1, Array2, ArrayView2};
use serde::{Deserialize, Serialize};

/// The share of every cluster in every level, such as an arm.
#[derive(Debug)]
pub struct ClusterShares<'c> {
    levels: &'c [u32],
    /// The cluster of each row.
    places: Vec<usize>,
    /// Clusters x levels.
    shares: Array2<f64>,
    /// The variance of the mean of each level, in variances of a row.
    units: Array1<f64>,
}

/// What Satterthwaite's degrees of freedom of a contrast of means need: with rows that are independent and
/// equally variable, the mean of a level has a variance estimate with this expectation, and two of them with
/// these products.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusterDf {
    traces: Vec<f64>,
    #[serde(with = "crate::compute::matrix_rows")]
    products: Array2<f64>,
}

impl<'c> ClusterShares<'c> {
    /// A code of the cluster, a level and a weight for each row; rows without weight do not count.
    ///
    /// # Errors
    /// Lists of different lengths; too few clusters in a level.
    pub fn new(
        clusters: &[u32],
        levels: &'c [u32],
        count: usize,
        weight: impl Fn(usize) -> f64,
    ) -> Result<Self> {
        let n = levels.len();
        if clusters.len() != n {
            return Err(Error::invalid(format!(
                "{} for {rows}; give one for each row",
                counted(clusters.len(), "cluster code"),
                rows = counted(n, "row")
            )));
        }
        let mut numbers = std::collections::HashMap::new();
        let places: Vec<usize> = clusters
            .iter()
            .map(|code| {
                let next = numbers.len();
                *numbers.entry(*code).or_insert(next)
            })
            .collect();
        let mut shares = Array2::<f64>::zeros((numbers.len(), count));
        let mut squares = Array1::<f64>::zeros(count);
        for (row, (&place, &level)) in places.iter().zip(levels).enumerate() {
            let weight = weight(row);
            shares[[place, level as usize]] += weight;
            squares[level as usize] += weight * weight;
        }
        for (mut column, square) in shares.columns_mut().into_iter().zip(&mut squares) {
            let total = column.sum();
            column /= total;
            *square /= total * total;
            if column.iter().any(|share| *share > 1.0 - 1e-10) {
                return Err(ErrorKind::InsufficientObservations(
                    "a level lies in one cluster, and at least two are needed; declare the clusters as they were randomised".to_owned(),
                )
                .into());
            }
        }
        Ok(Self { levels, places, shares, units: squares })
    }

    /// `1 / sqrt(1 - q)` with the share `q` of a cluster in a level: by which its residuals are too small for
    /// a mean that they helped to estimate.
    fn factor(&self, place: usize, level: usize) -> f64 {
        (1.0 - self.shares[[place, level]]).sqrt().recip()
    }

    /// `sum_g s_g s_g'` with the sums `s_g` over clusters of the influences (one row each), each times the
    /// factor of its cluster and level: CR2 where the influences are those of means of levels.
    pub(crate) fn covariance(&self, influence: ArrayView2<f64>) -> Array2<f64> {
        let mut sums = Array2::<f64>::zeros((self.shares.nrows(), influence.ncols()));
        for ((row, &place), &level) in influence.rows().into_iter().zip(&self.places).zip(self.levels) {
            sums.row_mut(place).scaled_add(self.factor(place, level as usize), &row);
        }
        symmetrised(sums.t().dot(&sums))
    }

    /// For the degrees of freedom of contrasts of the means of levels.
    ///
    /// In the notation of Bell and McCaffrey the mean of level `a` has `P_gg = c_a q_ga` and
    /// `P_gh = -c_a q_ga q_ha f_ga f_ha`.
    pub fn df(&self) -> ClusterDf {
        let k = self.units.len();
        let mut off = self.shares.clone();
        for ((place, level), value) in off.indexed_iter_mut() {
            *value *= self.factor(place, level);
        }
        let products = Array2::from_shape_fn((k, k), |(a, b)| {
            let columns = || off.column(a).into_iter().zip(off.column(b));
            let all: f64 = columns().map(|(u, v)| u * v).sum();
            let own: f64 = columns().map(|(u, v)| (u * v).powi(2)).sum();
            let diagonal = self.shares.column(a).dot(&self.shares.column(b));
            self.units[a] * self.units[b] * (diagonal + all * all - own)
        });
        ClusterDf { traces: self.units.to_vec(), products }
    }
}

impl ClusterDf {
    /// The degrees of freedom of a contrast with these derivatives with respect to the means of levels.
    pub fn of(&self, gradient: &[(usize, f64)]) -> f64 {
        let expected: f64 = gradient.iter().map(|(a, g)| g * g * self.traces[*a]).sum();
        let pairs = gradient.iter().flat_map(|a| gradient.iter().map(move |b| (a, b)));
        let spread: f64 = pairs.map(|((a, g), (b, h))| (g * h).powi(2) * self.products[[*a, *b]]).sum();
        expected * expected / spread
    }

    /// Whether there are positive numbers for so many levels.
    pub(crate) fn fits(&self, levels: usize) -> bool {
        self.traces.len() == levels
            && self.products.dim() == (levels, levels)
            && self.traces.iter().all(|x| *x > 0.0 && x.is_finite())
            && self.products.diag().iter().all(|x| *x > 0.0)
            && self.products.iter().all(|x| *x >= 0.0 && x.is_finite())
    }
}
