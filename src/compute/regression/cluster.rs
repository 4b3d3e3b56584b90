//! Cluster-robust covariance, Satterthwaite degrees of freedom and the Hotelling-type Wald test.

use super::fit::Fit;
use super::observations::{Rows, Unit};
use super::sandwich::WeightedBlock;
use crate::compute::fitted::{Fitted, check_tested};
use crate::compute::hypothesis::FTest;
use crate::compute::linalg::{Cholesky, SymmetricEigen, columns_mut, finite, symmetrised};
use crate::compute::progress::Task;
use crate::error::{Error, ErrorKind, Result, agreeing, counted};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

/// How the covariance of the coefficients is estimated when the rows of a cluster may depend on each other.
///
/// All are `A^-1 (sum_g c s_g s_g') A^-1` with the sum `s_g` of (adjusted) scores over cluster `g`; `G`
/// clusters, `n` observations, `p` coefficients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClusterVariance {
    /// `c = 1` (Liang & Zeger 1986).
    Cr0,
    /// `c = G / (G - 1)`: Stata's for maximum likelihood.
    Cr1,
    /// `c = G (n - 1) / ((G - 1)(n - p))`: Stata's for linear regression.
    Cr1s,
    /// Bell & McCaffrey (2002): residuals of a cluster are adjusted so that the estimate is unbiased where
    /// the model's variance function holds and rows are independent. The choice for few clusters, with
    /// [`Clustered::satterthwaite`].
    Cr2,
    /// CR2 of Pearson residuals `Phi_g^(-1/2) (y_g - mu_g)`:
    /// `A_g = Phi_g^(1/2) (I - Phi_g^(-1/2) D_g M D_g' Phi_g^(-1/2))^(-1/2) Phi_g^(-1/2)`, which is unbiased
    /// under the same model, equals CR2 where the variance function is constant within a cluster, and takes
    /// no eigenproblem of the size of a cluster. The choice for maximum likelihood, with Student's t.
    Cr2Pearson,
    /// Each cluster's scores at the estimate without it, to first order: `A (A - B_g)^-1 s_g` with the
    /// cluster's part `B_g` of the information. For linear models the delete-one-cluster jackknife around the
    /// estimate, without a factor.
    Cr3,
}

/// A fit whose rows fall into clusters; see [`Fit::clustered`].
///
/// # Formula
/// CR2 in the notation of Pustejovsky & Tipton: `D = X dmu/deta`, `Phi = diag(V(mu)/a)`,
/// `M = (D'Phi^-1 D)^-1`, `G_g = Phi_g - D_g M D_g'`,
/// `A_g = Phi_g^(1/2) (Phi_g^(1/2) G_g Phi_g^(1/2))^(-1/2) Phi_g^(1/2)` with the symmetric Moore-Penrose
/// root; the adjusted score is `D_g' Phi_g^-1 A_g (y_g - mu_g)`.
///
/// # Examples
/// ```
/// use armwise::ndarray::array;
/// use armwise::regression::{ClusterVariance, Family, Fitted, Glm, ModelMatrix};
///
/// let arm = array![0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0];
/// let school = [1, 1, 2, 2, 3, 4, 4, 5, 6];
/// let score = array![5.0, 6.0, 3.0, 4.0, 7.0, 8.0, 6.0, 9.0, 5.0];
/// let matrix = ModelMatrix::new(9).intercept()?.numeric("arm", arm.view())?;
/// let fit = Glm::new(Family::Gaussian).fit(&matrix, &score)?;
/// let schools = fit.clustered(&school)?;
/// let table = fit.table_from(
///     schools.covariance(ClusterVariance::Cr2)?.view(),
///     &schools.satterthwaite()?,
///     0.95,
/// )?;
/// assert!((table[1].estimate - 2.0).abs() < 1e-12);
/// assert!(table[1].p_value > 0.05);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Liang & Zeger (1986), Biometrika 73; Bell & McCaffrey (2002), Survey Methodology 28; Pustejovsky & Tipton
/// (2018), Journal of Business & Economic Statistics 36.
#[derive(Debug)]
pub struct Clustered<'f, 'a> {
    fit: &'f Fit<'a>,
    /// The rows of each cluster.
    members: Vec<Vec<usize>>,
    /// Score sums, one cluster per row.
    scores: Array2<f64>,
}

/// CR2 quantities of each cluster.
struct Adjusted {
    /// Adjusted score sums, one cluster per row.
    scores: Array2<f64>,
    /// `D_g' A_g Phi_g A_g D_g` with `W_g` on either side: the part of the variance of an adjusted score
    /// within the cluster.
    within: Vec<Array2<f64>>,
    /// `D_g' W_g A_g D_g`
    through: Vec<Array2<f64>>,
}

/// The largest cluster for which CR2 of a model with unequal variances is computed (an eigenproblem of that
/// size).
const LARGEST_CLUSTER: usize = 3000;

impl<'a> Fit<'a> {
    /// The fit with its rows in clusters: equal codes are one cluster. The codes need not be consecutive.
    ///
    /// # Errors
    /// `invalid_input` unless there is one code for each row; `insufficient_observations` with fewer than two
    /// clusters.
    pub fn clustered(&self, codes: &[u32]) -> Result<Clustered<'_, 'a>> {
        let n = self.matrix.nrows();
        if codes.len() != n {
            return Err(Error::invalid(format!(
                "{} for {rows}; give one for each row",
                counted(codes.len(), "cluster code"),
                rows = counted(n, "row")
            )));
        }
        let mut numbers = std::collections::HashMap::new();
        let mut members: Vec<Vec<usize>> = Vec::new();
        self.for_each_unit(|Unit { row, .. }| {
            let cluster = *numbers.entry(codes[row]).or_insert_with(|| {
                members.push(Vec::new());
                members.len() - 1
            });
            members[cluster].push(row);
        });
        if members.len() < 2 {
            return Err(ErrorKind::InsufficientObservations(format!(
                "people are of {}, and at least two are needed; declare the clusters as they were randomised",
                counted(members.len(), "cluster")
            ))
            .into());
        }
        let mut of_row = vec![usize::MAX; n];
        for (cluster, rows) in members.iter().enumerate() {
            for &row in rows {
                of_row[row] = cluster;
            }
        }
        let mut scores = Array2::zeros((members.len(), self.rank()));
        self.for_each_weighted_block(|block| {
            let WeightedBlock { start, x, scores: parts, frequency, .. } = block;
            for (k, x) in x.columns().into_iter().enumerate() {
                if let Some(mut sum) =
                    (of_row[start + k] < members.len()).then(|| scores.row_mut(of_row[start + k]))
                {
                    sum.scaled_add(parts[k] * frequency[k], &x);
                }
            }
        });
        Ok(Clustered { fit: self, members, scores })
    }
}

impl Clustered<'_, '_> {
    /// The number of clusters.
    pub fn n_clusters(&self) -> usize {
        self.members.len()
    }

    /// The covariance matrix of the coefficients.
    ///
    /// # Errors
    /// `insufficient_observations` for CR1S without degrees of freedom; for CR2 `not_estimable` where a
    /// cluster is too large (beyond 3000 rows, unless the model is linear without weights) and
    /// `invalid_input` with frequency weights; `not_estimable` for CR3 where a cluster alone determines a
    /// coefficient.
    pub fn covariance(&self, variance: ClusterVariance) -> Result<Array2<f64>> {
        finite(self.covariance_by(variance)?)
    }

    fn covariance_by(&self, variance: ClusterVariance) -> Result<Array2<f64>> {
        let g = self.members.len() as f64;
        let (n, df) = (self.fit.n(), self.fit.df_residual());
        match variance {
            ClusterVariance::Cr0 => Ok(self.sandwich(&self.scores)),
            ClusterVariance::Cr1 => Ok(self.sandwich(&self.scores) * (g / (g - 1.0))),
            ClusterVariance::Cr1s if df <= 0.0 => Err(ErrorKind::InsufficientObservations(
                "CR1S needs more observations than coefficients; leave covariates out".to_owned(),
            )
            .into()),
            ClusterVariance::Cr1s => Ok(self.sandwich(&self.scores) * (g / (g - 1.0) * ((n - 1.0) / df))),
            ClusterVariance::Cr2 => Ok(self.sandwich(&self.adjusted(false, false)?.scores)),
            ClusterVariance::Cr2Pearson => Ok(self.sandwich(&self.adjusted(true, false)?.scores)),
            ClusterVariance::Cr3 => Ok(self.sandwich(&self.left_out()?)),
        }
    }

    /// Satterthwaite's degrees of freedom of Student's t for each coefficient under CR2, for
    /// [`Fitted::table_from`]: they match the first two moments of its variance estimate where the model's
    /// variance function holds.
    ///
    /// # Errors
    /// As [`Clustered::covariance`] with CR2; `insufficient_observations` where a cluster alone determines a
    /// coefficient.
    pub fn satterthwaite(&self) -> Result<Vec<Option<f64>>> {
        Ok(self.satterthwaite_of(Array2::eye(self.fit.rank()).view())?.into_iter().map(Some).collect())
    }

    /// As [`Clustered::satterthwaite`], for linear combinations of the coefficients: one in each row, with a
    /// weight for each coefficient.
    ///
    /// # Errors
    /// As [`Clustered::covariance`] with CR2; `invalid_input` unless there is one weight for each
    /// coefficient.
    pub fn satterthwaite_of(&self, combinations: ArrayView2<f64>) -> Result<Vec<f64>> {
        self.satterthwaite_with(false, combinations)
    }

    /// Those of CR2, or of CR2 of Pearson residuals.
    pub(crate) fn satterthwaite_with(
        &self,
        pearson: bool,
        combinations: ArrayView2<f64>,
    ) -> Result<Vec<f64>> {
        let p = self.fit.rank();
        if combinations.ncols() != p {
            return Err(Error::invalid(format!(
                "a combination of {coefficients} needs one weight for each",
                coefficients = counted(p, "coefficient")
            )));
        }
        let adjusted = self.adjusted(pearson, true)?;
        let task = Task::start("degrees of freedom", combinations.nrows() as u64);
        let of = |row: ArrayView1<f64>| {
            task.advance(1)?;
            let contrast = row.to_owned().insert_axis(Axis(0));
            let (spread, expected) = self.spread(&adjusted, &contrast);
            if (expected - 1.0).abs() <= 1e-6 {
                return Ok(2.0 / spread);
            }
            // The sums are rounding.
            Err(ErrorKind::InsufficientObservations(
                "there are too few clusters for Satterthwaite's degrees of freedom: a cluster alone determines a coefficient; use \
                 ClusterVariance::Cr1"
                    .to_owned(),
            )
            .into())
        };
        combinations.rows().into_iter().map(of).collect()
    }

    /// The test that all the given coefficients (positions) are zero, from CR2 with the approximate Hotelling
    /// T-squared reference "HTZ" of Pustejovsky & Tipton (2018, section 4): `F = (eta - q + 1) / (eta q) Q`
    /// on `q` and `eta - q + 1` degrees of freedom.
    ///
    /// # Errors
    /// As [`Clustered::covariance`] with CR2; `rank_deficient` where the tested coefficients have a singular
    /// covariance; `insufficient_observations` where there are too few clusters for a test of so many
    /// coefficients.
    pub fn hotelling_test(&self, tested: &[usize]) -> Result<FTest> {
        let (p, q) = (self.fit.rank(), tested.len() as f64);
        check_tested(tested, p)?;
        let adjusted = self.adjusted(false, true)?;
        let covariance = self.sandwich(&adjusted.scores);
        let mut contrast = Array2::zeros((tested.len(), p));
        tested.iter().enumerate().for_each(|(row, &j)| contrast[[row, j]] = 1.0);
        let wald = self.fit.wald_test_from(covariance.view(), tested)?.statistic;
        let eta = q * (q + 1.0) / self.spread(&adjusted, &contrast).0;
        let df2 = eta - q + 1.0;
        if df2.is_nan() || df2 <= 0.0 {
            return Err(ErrorKind::InsufficientObservations(format!(
                "{} too few to test {coefficients} together; test fewer",
                agreeing(self.members.len(), "cluster", ["is", "are"]),
                coefficients = counted(q, "coefficient")
            ))
            .into());
        }
        FTest::new(wald * df2 / (eta * q), q, df2)
    }

    fn sandwich(&self, scores: &Array2<f64>) -> Array2<f64> {
        let rotated = scores.dot(&self.fit.bread());
        symmetrised(rotated.t().dot(&rotated))
    }

    /// The sum over all elements of the variance of `Omega^(-1/2) C V C' Omega^(-1/2)`, `V` the CR2 estimate
    /// and `Omega` the model's value of `C V C'`, and the expectation of its trace. For one contrast the
    /// first is 2 over Satterthwaite's degrees of freedom, and the second is 1, as CR2 is unbiased where it
    /// is defined.
    fn spread(&self, adjusted: &Adjusted, contrast: &Array2<f64>) -> (f64, f64) {
        let bread = self.fit.bread();
        let omega = contrast.dot(&bread).dot(&contrast.t());
        let half = SymmetricEigen::new(omega.view()).inverse_root();
        // The direction of each standardised contrast in the space of the scores.
        let directions = bread.dot(&contrast.t()).dot(&half);
        let q = directions.ncols();
        let square = |p: &Array2<f64>| {
            // sum over s, t of p_ss p_tt + p_st p_ts
            let trace = p.diag().sum();
            trace * trace + (p * &p.t()).sum()
        };
        // Standardised scores s_g of two clusters have the covariance [g = h] W_g - s_g'M s_h. Their squares
        // are summed over all pairs through T_st = sum_g s_gs s_gt', then the terms g = h are put right.
        let mut pairs = vec![Array2::<f64>::zeros(bread.dim()); q * q];
        let (mut sum, mut expected) = (0.0, 0.0);
        for (through, within) in adjusted.through.iter().zip(&adjusted.within) {
            let scores = through.t().dot(&directions);
            for (k, pair) in pairs.iter_mut().enumerate() {
                let (s, t) = (scores.column(k / q), scores.column(k % q));
                *pair += &(&s.insert_axis(Axis(1)) * &t.insert_axis(Axis(0)));
            }
            let own = scores.t().dot(&bread).dot(&scores);
            let all = directions.t().dot(within).dot(&directions) - &own;
            sum += square(&all) - square(&own);
            expected += all.diag().sum();
        }
        let carried: Vec<Array2<f64>> = pairs.iter().map(|pair| bread.dot(pair)).collect();
        for s in 0..q {
            for t in 0..q {
                let (st, ts) = (&carried[s * q + t], &carried[t * q + s]);
                sum += (st * &ts.t()).sum() + (ts * &ts.t()).sum();
            }
        }
        (sum, expected)
    }

    /// Score sums of each cluster at the estimate without it, to first order: `A (A - B_g)^-1 s_g`, `B_g` the
    /// cluster's part of the information `A`.
    fn left_out(&self) -> Result<Array2<f64>> {
        let fit = self.fit;
        let mut scores = Array2::zeros(self.scores.dim());
        for (g, rows) in self.members.iter().enumerate() {
            let units = self.cluster(rows);
            let weights = units.frequency * &units.slope * &units.slope / &units.phi;
            let part = units.x.t().dot(&(&units.x * &weights.insert_axis(Axis(1))));
            let rest = Cholesky::new((&fit.information() - &part).view())
                .filter(|factor| factor.smallest_pivot > 1e-12)
                .ok_or_else(|| {
                    Error::from(ErrorKind::NotEstimable(
                        "a cluster alone determines a coefficient, so that CR3 is not defined; use CR2"
                            .to_owned(),
                    ))
                    .in_row(rows[0])
                })?;
            scores.row_mut(g).assign(&fit.information().dot(&rest.solve(self.scores.row(g))));
        }
        Ok(scores)
    }

    /// The rows of a cluster in memory.
    fn cluster(&self, rows: &[usize]) -> Units {
        let fit = self.fit;
        let m = rows.len();
        let mut x = Array2::zeros((fit.rank(), m));
        let mut units = Units {
            x: Array2::zeros((0, 0)),
            slope: Array1::zeros(m),
            phi: Array1::ones(m),
            error: Array1::zeros(m),
            frequency: Array1::ones(m),
        };
        let mut block = Rows::new();
        let mut done = 0;
        for run in rows.chunk_by(|a, b| a + 1 == *b) {
            let range = run[0]..run[0] + run.len();
            fit.matrix.fill(range.clone(), columns_mut(x.view_mut(), done..done + run.len()));
            fit.observations.read(range.clone(), &mut block);
            for (k, (y, weight, frequency)) in block.iter().enumerate() {
                let terms = fit.curve.row(fit.eta()[range.start + k], y);
                units.slope[done + k] = terms.slope;
                units.phi[done + k] = terms.variance / weight;
                units.error[done + k] = y - terms.mu;
                units.frequency[done + k] = frequency;
            }
            done += run.len();
        }
        units.x = x.reversed_axes();
        units
    }

    fn adjusted(&self, pearson: bool, moments: bool) -> Result<Adjusted> {
        let fit = self.fit;
        if fit.has_frequencies() {
            return Err(Error::invalid(
                "CR2 with frequency weights is not defined here; expand the rows, or use CR1S",
            ));
        }
        let p = fit.rank();
        let whitener = fit.factor.whitener();
        let mut scores = Array2::zeros((self.members.len(), p));
        let (mut within, mut through) = (Vec::new(), Vec::new());
        let task = Task::start("clusters", self.members.len() as u64);
        for (g, rows) in self.members.iter().enumerate() {
            task.advance(1)?;
            let units = self.cluster(rows);
            let (phi, errors) = (units.phi, units.error);
            let d = units.x * units.slope.insert_axis(Axis(1));
            // D_g' W_g A_g, p x m
            let rows_of_a = if pearson {
                let root = phi.mapv(f64::sqrt).insert_axis(Axis(1));
                let scaled = &d / &root;
                let adjust = Adjustment::new(&Array1::ones(phi.len()), &scaled, &whitener)?;
                (adjust.apply(&scaled) / &root).reversed_axes()
            } else {
                let adjust = Adjustment::new(&phi, &d, &whitener)?;
                adjust.apply(&(&d / &phi.view().insert_axis(Axis(1)))).reversed_axes()
            };
            scores.row_mut(g).assign(&rows_of_a.dot(&errors));
            if moments {
                let with_phi = &rows_of_a * &phi.view().insert_axis(Axis(0));
                within.push(with_phi.dot(&rows_of_a.t()));
                through.push(rows_of_a.dot(&d));
            }
        }
        Ok(Adjusted { scores, within, through })
    }
}

/// The rows of a cluster in memory.
struct Units {
    /// One row of the matrix in each row.
    x: Array2<f64>,
    slope: Array1<f64>,
    phi: Array1<f64>,
    error: Array1<f64>,
    frequency: Array1<f64>,
}

/// `A_g`, as a full matrix or, with equal variances, as the identity plus a correction of low rank.
enum Adjustment {
    Full(Array2<f64>),
    /// `I + U diag(c) U'`
    LowRank {
        u: Array2<f64>,
        c: Array1<f64>,
    },
}

impl Adjustment {
    fn new(phi: &Array1<f64>, d: &Array2<f64>, whitener: &Array2<f64>) -> Result<Self> {
        // F F' = D M D'
        let f = d.dot(&whitener.t());
        let first = phi[0];
        if phi.iter().all(|v| *v == first) {
            // G = phi (I - F F'/phi): only the p directions of F are changed.
            let m = phi.len();
            if m > d.ncols() {
                let eigen = SymmetricEigen::new((f.t().dot(&f) / first).view());
                let largest = eigen.values.iter().fold(0.0_f64, |a, b| a.max(*b));
                let used: Vec<usize> = (0..eigen.values.len())
                    .filter(|&k| eigen.values[k] > 1e-14 * largest.max(1e-300))
                    .collect();
                let values = eigen.values.select(Axis(0), &used);
                let u = f.dot(&eigen.vectors.select(Axis(1), &used)) / &values.mapv(|v| (v * first).sqrt());
                let c = values.mapv(|v| if 1.0 - v > 1e-10 { 1.0 / (1.0 - v).sqrt() - 1.0 } else { -1.0 });
                return Ok(Self::LowRank { u, c });
            }
        }
        if phi.len() > LARGEST_CLUSTER {
            return Err(ErrorKind::NotEstimable(format!(
                "CR2 of a cluster with {} needs an eigenproblem of that size; use CR1S",
                counted(phi.len(), "row")
            ))
            .into());
        }
        let root = phi.mapv(f64::sqrt);
        let mut inner = -f.dot(&f.t());
        inner.diag_mut().scaled_add(1.0, phi);
        let scaled = scale_both(inner, root.view());
        Ok(Self::Full(scale_both(SymmetricEigen::new(scaled.view()).inverse_root(), root.view())))
    }

    /// `A_g v`.
    fn apply(&self, v: &Array2<f64>) -> Array2<f64> {
        match self {
            Self::Full(a) => a.dot(v),
            Self::LowRank { u, c } => {
                let inner = u.t().dot(v) * c.view().insert_axis(Axis(1));
                v + &u.dot(&inner)
            }
        }
    }
}

fn scale_both(a: Array2<f64>, by: ArrayView1<f64>) -> Array2<f64> {
    a * by.insert_axis(Axis(0)) * by.insert_axis(Axis(1))
}
