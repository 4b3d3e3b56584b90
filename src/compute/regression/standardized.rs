//! Standardisation (g-computation): the mean response if every row had one level of a category.

use super::cluster_shares::{ClusterDf, ClusterShares};
use super::fit::Fit;
use super::kernel::SEGMENT;
use super::matrix::{BLOCK, Override};
use super::negative_binomial::ThetaInfluence;
use super::observations::{Rows, Weights};
use super::sandwich::VarianceType;
use crate::compute::linalg::{columns_mut, finite};
use crate::error::{Error, ErrorKind, Result, counted};
use ndarray::{Array1, Array2, ArrayView2, Axis, Slice};
use serde::{Deserialize, Serialize};

/// How the covariance of standardised means is estimated.
///
/// Notation: `m_a(X_i)` the fitted mean of row `i` if set to level `a`; `A` the level that a row has; `pi_a`
/// the share of rows with level `a`; `n` rows. Variances and covariances within a level have the divisor
/// `n_a - 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MarginalVariance {
    /// Delta method: `J V J'` with `V` the covariance of the coefficients and `J` the mean gradients;
    /// covariates are held fixed.
    Delta(VarianceType),
    /// Empirical influence function `m_a(X_i) - mu_a + J_a n A^-1 U_i` (`U_i` the score, `A` the
    /// information), so that the sampling of covariates counts (Ge et al. 2011, Drug Information Journal
    /// 45:481, extended). Always positive semi-definite. Of negative binomial regression `A` is the observed
    /// information of coefficients and `theta` together, and `U_i` has the score of `theta`.
    Superpopulation,
    /// The same influence, summed over the clusters that were randomised, that of a row times
    /// `1 / sqrt(1 - q)` with the share `q` of its cluster in its level: CR2 of the means of levels where
    /// there are no covariates. Needs [`Standardized::clusters`].
    SuperpopulationClustered,
    /// `n V_aa = Var(Y - m_a | A=a) / pi_a + 2 Cov(Y, m_a | A=a) - Var(m_a)`,
    /// `n V_ab = Cov(Y, m_b | A=a) + Cov(Y, m_a | A=b) - Cov(m_a, m_b)` (Ye, Bannick, Yi & Shao 2023,
    /// Statistical Theory and Related Fields 7:159). Need not be positive semi-definite. It presumes that
    /// randomisation made the levels alike in the covariates, and is too small where they are not.
    Ye2023,
    /// `Ye2023` with `Var(Y - m_a | A=a)` decomposed as `Var(Y | a) - 2 Cov(Y, m_a | a) + Var(m_a)`, the last
    /// over all rows.
    Ye2023Decomposed,
    /// `Ye2023` less `sum_z P(z) R(z) (diag(pi) - pi pi') R(z) / n`, for randomisation in permuted blocks
    /// within strata `z`; `R(z)` is the diagonal matrix of the mean residuals of level `a` in stratum `z`
    /// over `pi_a`. Needs [`Standardized::strata`], of which every level has about the same share.
    Ye2023Stratified,
}

/// The mean response if every row had one level of a category, for each of its levels, standardised over all
/// rows.
///
/// # Formula
/// `mu_a = sum(w_i m_a(X_i)) / sum(w_i)` with the prior weights `w_i` (1 without weights); gradients `J_a`
/// with respect to the coefficients.
///
/// # Examples
/// ```
/// use armwise::ndarray::array;
/// use armwise::regression::{
///     Category, Family, Glm, MarginalVariance, ModelMatrix, VarianceType,
/// };
///
/// let arm = [0, 0, 0, 0, 1, 1, 1, 1];
/// let age = array![30.0, 41.0, 52.0, 33.0, 44.0, 55.0, 36.0, 47.0];
/// let works = array![0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0];
/// let matrix = ModelMatrix::new(8)
///     .intercept()?
///     .category("arm", Category::new(&arm, ["control", "guidance"]))?
///     .numeric("age", age.view())?;
/// let fit = Glm::new(Family::Binomial).fit(&matrix, works.view())?;
/// let standardized = fit.standardize("arm")?;
/// assert!(standardized.means()[1] > standardized.means()[0]);
/// let covariance = standardized.covariance(MarginalVariance::Delta(VarianceType::Hc0))?;
/// assert_eq!(covariance.dim(), (2, 2));
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Ge M et al. (2011), Drug Information Journal 45:481. Bartlett JW (2018), Pharmaceutical Statistics 17:648.
/// Ye T et al. (2023), Statistical Theory and Related Fields 7:159, doi:10.1080/24754269.2023.2205802.
#[derive(Debug, Clone)]
pub struct Standardized<'f, 'a> {
    fit: &'f Fit<'a>,
    term: usize,
    levels: usize,
    codes: &'a [u32],
    means: Array1<f64>,
    /// k x p.
    gradients: Array2<f64>,
    strata: Option<Strata<'f>>,
    clusters: Option<&'f [u32]>,
    theta: Option<&'f ThetaInfluence>,
    units: Option<&'f [f64]>,
}

#[derive(Debug, Clone, Copy)]
struct Strata<'f> {
    codes: &'f [u32],
    count: usize,
}

/// Rows, means and centred cross-products by level: what the formulas of Ye et al. need.
struct Moments {
    n: f64,
    /// Rows with each level.
    rows: Array1<f64>,
    /// `Cov(m_a, m_b)` over all rows.
    overall: Array2<f64>,
    /// `[a, b]`: `Cov(Y, m_b | A = a)`.
    with_outcome: Array2<f64>,
    /// `Var(Y | A = a)`.
    outcome: Array1<f64>,
    /// `Var(Y - m_a | A = a)`.
    residual: Array1<f64>,
}

/// Means and centred products over the rows with one level, updated row by row (Welford 1962, Technometrics
/// 4:419).
struct LevelSums {
    n: f64,
    outcome: Centred,
    residual: Centred,
    /// Of the predictions with each level.
    predictions: Vec<f64>,
    with_outcome: Vec<f64>,
}

/// A mean, and the sum of the squares around it.
#[derive(Default)]
struct Centred {
    mean: f64,
    squares: f64,
}

impl Centred {
    /// Adds a value that has this share of all so far.
    fn add(&mut self, value: f64, share: f64) {
        let before = value - self.mean;
        self.mean += before * share;
        self.squares += before * (value - self.mean);
    }
}

impl LevelSums {
    fn new(levels: usize) -> Self {
        let zeros = vec![0.0; levels];
        Self {
            n: 0.0,
            outcome: Centred::default(),
            residual: Centred::default(),
            predictions: zeros.clone(),
            with_outcome: zeros,
        }
    }

    fn add(&mut self, outcome: f64, level: usize, predictions: &[f64]) {
        self.n += 1.0;
        let share = 1.0 / self.n;
        self.outcome.add(outcome, share);
        self.residual.add(outcome - predictions[level], share);
        let deviation = outcome - self.outcome.mean;
        for ((mean, product), prediction) in
            self.predictions.iter_mut().zip(&mut self.with_outcome).zip(predictions)
        {
            let before = prediction - *mean;
            *mean += before * share;
            *product += deviation * before;
        }
    }
}

impl<'a> Fit<'a> {
    /// Standardises over all rows, each level of this category in turn.
    ///
    /// # Errors
    /// `invalid_input` where the model has no category of that name; `rank_deficient` where one of its levels
    /// was left out as aliased.
    pub fn standardize(&self, category: &str) -> Result<Standardized<'_, 'a>> {
        let Some((term, levels, codes)) = self.matrix.category_codes(category) else {
            return Err(Error::invalid(
                "the model has no category of this name to standardise over; name one of its terms",
            )
            .in_column(category));
        };
        if self.aliased().iter().any(|name| name.starts_with(&format!("{category}["))) {
            return Err(ErrorKind::RankDeficient { columns: self.aliased().to_vec() }.into());
        }
        let mut standardized = Standardized {
            fit: self,
            term,
            levels,
            codes,
            means: Array1::zeros(levels),
            gradients: Array2::zeros((levels, self.rank())),
            strata: None,
            clusters: None,
            theta: None,
            units: None,
        };
        standardized.average();
        Ok(standardized)
    }
}

impl<'f> Standardized<'f, '_> {
    /// The strata within which levels were randomised: a code for each row, from 0.
    ///
    /// # Errors
    /// `invalid_input` where there is not one code for each row.
    pub fn strata(mut self, codes: &'f [u32]) -> Result<Self> {
        if codes.len() != self.codes.len() {
            return Err(Error::invalid(format!(
                "{} of strata for {}; give one for each row",
                counted(codes.len(), "code"),
                counted(self.codes.len(), "row")
            )));
        }
        let count = codes.iter().max().map_or(0, |largest| *largest as usize + 1);
        self.strata = Some(Strata { codes, count });
        Ok(self)
    }

    /// The clusters that were randomised: a code for each row, equal codes being one cluster.
    ///
    /// # Errors
    /// `invalid_input` where there is not one code for each row.
    pub fn clusters(mut self, codes: &'f [u32]) -> Result<Self> {
        if codes.len() != self.codes.len() {
            return Err(Error::invalid(format!(
                "{} for {}; give one for each row",
                counted(codes.len(), "cluster code"),
                counted(self.codes.len(), "row")
            )));
        }
        self.clusters = Some(codes);
        Ok(self)
    }

    /// Counts that the estimation of `theta` of a negative binomial regression moves its coefficients.
    pub(crate) fn with_theta(mut self, theta: Option<&'f ThetaInfluence>) -> Self {
        self.theta = theta;
        self
    }

    /// Means are per unit of what each row has of it, such as its exposure, relative to the mean of all rows.
    pub(crate) fn per_unit(mut self, units: &'f [f64]) -> Self {
        self.units = Some(units);
        self
    }

    fn units(&self, row: usize) -> f64 {
        self.units.map_or(1.0, |units| units[row])
    }

    /// The standardised means, one for each level.
    pub fn means(&self) -> &[f64] {
        self.means.as_slice().unwrap_or_default()
    }

    /// The mean gradients of the standardised means with respect to the coefficients: k levels x p.
    pub fn gradients(&self) -> ArrayView2<'_, f64> {
        self.gradients.view()
    }

    /// The covariance of the standardised means: k x k.
    ///
    /// # Errors
    /// Those of [`Fit::covariance`]; `not_estimable` where the formula does not hold: `Ye2023` and its
    /// variants need a link that makes mean residuals zero (identity with Gaussian, logit, log with Poisson),
    /// no weights and no offset, and two rows in each level; `Ye2023Stratified` also needs strata in each of
    /// which every level occurs, `SuperpopulationClustered` two clusters in each level.
    pub fn covariance(&self, variance: MarginalVariance) -> Result<Array2<f64>> {
        finite(self.covariance_by(variance)?)
    }

    fn covariance_by(&self, variance: MarginalVariance) -> Result<Array2<f64>> {
        match variance {
            MarginalVariance::Delta(variance) => {
                let covariance = self.fit.covariance(variance)?;
                Ok(self.gradients.dot(&covariance).dot(&self.gradients.t()))
            }
            MarginalVariance::Superpopulation => {
                let (influence, counts) = self.influence();
                Ok(influence.t().dot(&(&influence * &counts.insert_axis(Axis(1)))))
            }
            MarginalVariance::SuperpopulationClustered => {
                let (influence, counts) = self.influence();
                Ok(self.cluster_shares()?.covariance((&influence * &counts.insert_axis(Axis(1))).view()))
            }
            MarginalVariance::Ye2023 => Ok(self.ye(&self.moments()?, false)),
            MarginalVariance::Ye2023Decomposed => Ok(self.ye(&self.moments()?, true)),
            MarginalVariance::Ye2023Stratified => {
                let moments = self.moments()?;
                Ok(self.ye(&moments, false) - self.stratification(&moments)?)
            }
        }
    }

    /// The shares of clusters in levels.
    fn cluster_shares(&self) -> Result<ClusterShares<'_>> {
        let Some(clusters) = self.clusters else {
            return Err(ErrorKind::NotEstimable(
                "this variance needs the clusters of the randomisation; declare them, or use MarginalVariance::Superpopulation"
                    .to_owned(),
            )
            .into());
        };
        let mut weights = vec![0.0; self.codes.len()];
        self.fit
            .for_each_unit(|unit| weights[unit.row] = unit.weight * unit.frequency * self.units(unit.row));
        ClusterShares::new(clusters, self.codes, self.levels, |row| weights[row])
    }

    /// For the degrees of freedom of contrasts of the means under
    /// [`MarginalVariance::SuperpopulationClustered`].
    pub(crate) fn cluster_df(&self) -> Result<ClusterDf> {
        Ok(self.cluster_shares()?.df())
    }

    /// Calls `with(row, frequency times weight, y, predictions)` for each row that counts; predictions hold
    /// `m_a` of every level.
    fn for_each_prediction(&self, mut with: impl FnMut(usize, f64, f64, &[f64])) {
        let k = self.levels;
        // Those of a level lie next to each other.
        let mut means = vec![0.0; k * SEGMENT];
        let mut predictions = vec![0.0; k];
        let mut rows = Rows::new();
        let vectors = self.fit.kernel().zip(u32::try_from(k).ok());
        let mut block = Array2::zeros((if vectors.is_some() { 0 } else { self.fit.rank() }, SEGMENT));
        let coefficients = self.fit.coefficients();
        for start in (0..self.codes.len()).step_by(SEGMENT) {
            let range = start..(start + SEGMENT).min(self.codes.len());
            self.fit.observations.read(range.clone(), &mut rows);
            if let Some(((model, kernel), levels)) = vectors {
                let coefficients = coefficients.as_slice().unwrap_or_default();
                kernel.means(model, self.term, levels, coefficients, range, &mut means);
            } else {
                for (level, means) in means.chunks_exact_mut(SEGMENT).enumerate() {
                    let mut filled = columns_mut(block.view_mut(), 0..range.len());
                    self.fill(range.clone(), level, filled.view_mut());
                    let eta = coefficients.dot(&filled);
                    for ((mean, eta), offset) in means.iter_mut().zip(eta).zip(&rows.offset) {
                        *mean = self.fit.curve.mean(eta + offset);
                    }
                }
            }
            for (i, (y, weight, frequency)) in rows.iter().enumerate() {
                if weight * frequency > 0.0 {
                    for (prediction, mean) in predictions.iter_mut().zip(means[i..].iter().step_by(SEGMENT)) {
                        *prediction = *mean;
                    }
                    with(start + i, weight * frequency, y, &predictions);
                }
            }
        }
    }

    fn fill(&self, rows: std::ops::Range<usize>, level: usize, block: ndarray::ArrayViewMut2<f64>) {
        let level = u32::try_from(level).unwrap_or(u32::MAX);
        self.fit.matrix.fill_with(rows, Some(Override { term: self.term, level }), block);
    }

    /// Means and gradients.
    fn average(&mut self) {
        if let (Some((model, kernel)), Ok(levels)) = (self.fit.kernel(), u32::try_from(self.levels)) {
            let coefficients = self.fit.coefficients();
            let coefficients = coefficients.as_slice().unwrap_or_default();
            let means = kernel.marginal(model, self.term, levels, coefficients) / self.fit.totals.weight;
            self.means.assign(&means.column(0));
            self.gradients.assign(&means.slice_axis(Axis(1), Slice::from(1..)));
            return;
        }
        let (p, k) = (self.fit.rank(), self.levels);
        let mut block = Array2::zeros((p, BLOCK));
        let mut rows = Rows::new();
        let mut total = 0.0;
        for start in (0..self.codes.len()).step_by(BLOCK) {
            let range = start..(start + BLOCK).min(self.codes.len());
            self.fit.observations.read(range.clone(), &mut rows);
            let weights: Vec<f64> = rows.iter().map(|(_, weight, frequency)| weight * frequency).collect();
            total += weights.iter().sum::<f64>();
            for level in 0..k {
                let mut filled = columns_mut(block.view_mut(), 0..range.len());
                self.fill(range.clone(), level, filled.view_mut());
                let mut slopes = self.fit.coefficients().dot(&filled);
                let mut sum = 0.0;
                for ((eta, weight), offset) in slopes.iter_mut().zip(&weights).zip(&rows.offset) {
                    let terms = self.fit.curve.row(*eta + offset, 0.0);
                    sum += weight * terms.mu;
                    *eta = weight * terms.slope;
                }
                self.means[level] += sum;
                let mut gradient = self.gradients.index_axis_mut(Axis(0), level);
                gradient += &filled.dot(&slopes);
            }
        }
        self.means /= total;
        self.gradients /= total;
    }

    /// The influence of each row on the means (rows x k), and how often the row counts.
    fn influence(&self) -> (Array2<f64>, Array1<f64>) {
        let k = self.levels;
        let scores = self.fit.working_scores();
        // J_a A^-1, so that the influence of the coefficients is a product with each row.
        let bread = self.theta.map_or(self.fit.bread(), |theta| theta.bread.view());
        let influence = self.gradients.dot(&bread);
        let total = self.fit.totals.weight;
        let frequencies = self.fit.has_frequencies();
        let mut deviations = Array2::zeros((self.codes.len(), k));
        let mut counts = Array1::<f64>::zeros(self.codes.len());
        self.for_each_prediction(|row, weight, _, predictions| {
            counts[row] = if frequencies { weight } else { 1.0 };
            for (a, prediction) in predictions.iter().enumerate() {
                let deviation = prediction - self.means[a] * self.units(row);
                deviations[[row, a]] = weight / counts[row] * deviation / total;
            }
        });
        self.fit.matrix.for_each_block(|range, x| {
            let reach = influence.dot(&x);
            for (i, row) in range.enumerate() {
                for a in 0..k {
                    deviations[[row, a]] += reach[[a, i]] * scores[row];
                }
            }
        });
        if let Some(theta) = self.theta {
            let along = self.gradients.dot(&theta.along).insert_axis(Axis(0));
            deviations += &theta.scores.view().insert_axis(Axis(1)).dot(&along);
        }
        (deviations, counts)
    }

    fn moments(&self) -> Result<Moments> {
        let fit = self.fit;
        if !fit.curve.is_canonical()
            || fit.observations.offset.is_some()
            || !matches!(fit.observations.weights, Weights::None)
        {
            return Err(ErrorKind::NotEstimable(
                "this variance holds for canonical links without weights and offset only, where mean residuals are zero; \
                 use MarginalVariance::Superpopulation"
                    .to_owned(),
            )
            .into());
        }
        let k = self.levels;
        let mut sums: Vec<LevelSums> = (0..k).map(|_| LevelSums::new(k)).collect();
        let mut overall = vec![0.0; k * k];
        let mut deviations = vec![0.0; k];
        self.for_each_prediction(|row, _, y, predictions| {
            for ((deviation, prediction), mean) in deviations.iter_mut().zip(predictions).zip(&self.means) {
                *deviation = prediction - mean;
            }
            for (sums, one) in overall.chunks_exact_mut(k).zip(&deviations) {
                sums.iter_mut().zip(&deviations).for_each(|(sum, other)| *sum += one * other);
            }
            let level = self.codes[row] as usize;
            sums[level].add(y, level, predictions);
        });
        if let Some(level) = sums.iter().position(|sums| sums.n < 2.0) {
            return Err(ErrorKind::InsufficientObservations(format!(
                "level {level} of the category has {}; this variance needs two in each level",
                counted(sums[level].n, "row")
            ))
            .into());
        }
        let rows: Array1<f64> = sums.iter().map(|sums| sums.n).collect();
        let n = rows.sum();
        Ok(Moments {
            n,
            rows,
            overall: Array2::from_shape_fn((k, k), |(a, b)| overall[a * k + b] / (n - 1.0)),
            with_outcome: Array2::from_shape_fn((k, k), |(a, b)| sums[a].with_outcome[b] / (sums[a].n - 1.0)),
            outcome: sums.iter().map(|sums| sums.outcome.squares / (sums.n - 1.0)).collect(),
            residual: sums.iter().map(|sums| sums.residual.squares / (sums.n - 1.0)).collect(),
        })
    }

    fn ye(&self, moments: &Moments, decomposed: bool) -> Array2<f64> {
        let Moments { n, rows, overall, with_outcome, outcome, residual } = moments;
        Array2::from_shape_fn((self.levels, self.levels), |(a, b)| {
            let value = if a == b {
                let residual = if decomposed {
                    outcome[a] - 2.0 * with_outcome[[a, a]] + overall[[a, a]]
                } else {
                    residual[a]
                };
                residual * n / rows[a] + 2.0 * with_outcome[[a, a]] - overall[[a, a]]
            } else {
                with_outcome[[a, b]] + with_outcome[[b, a]] - overall[[a, b]]
            };
            value / n
        })
    }

    /// `sum_z P(z) R(z) (diag(pi) - pi pi') R(z) / n`.
    fn stratification(&self, moments: &Moments) -> Result<Array2<f64>> {
        let Some(Strata { codes, count }) = self.strata else {
            return Err(ErrorKind::NotEstimable(
                "this variance needs the strata of the randomisation; declare them, or use MarginalVariance::Ye2023".to_owned(),
            )
            .into());
        };
        let k = self.levels;
        let mut residuals = Array2::<f64>::zeros((count, k));
        let mut cells = Array2::<f64>::zeros((count, k));
        self.for_each_prediction(|row, _, y, predictions| {
            let cell = [codes[row] as usize, self.codes[row] as usize];
            residuals[cell] += y - predictions[cell[1]];
            cells[cell] += 1.0;
        });
        let shares = &moments.rows / moments.n;
        let mut correction = Array2::zeros((k, k));
        for (stratum, (residuals, cells)) in residuals.rows().into_iter().zip(cells.rows()).enumerate() {
            if cells.sum() == 0.0 {
                continue;
            }
            if let Some(level) = cells.iter().position(|n| *n == 0.0) {
                return Err(ErrorKind::NotEstimable(format!(
                    "level {level} never occurs in stratum {stratum}, so its residuals there are unknown; \
                     merge small strata, or use MarginalVariance::Ye2023"
                ))
                .into());
            }
            let scaled = &residuals / &cells / &shares;
            let share = cells.sum() / moments.n;
            for a in 0..k {
                for b in 0..k {
                    let spread = if a == b { shares[a] } else { 0.0 } - shares[a] * shares[b];
                    correction[[a, b]] += share * scaled[a] * spread * scaled[b] / moments.n;
                }
            }
        }
        Ok(correction)
    }
}
