//! Standardised category probabilities.

use super::fit::{CategoryFit, CategoryVariance};
use crate::compute::linalg::{columns_mut, symmetrised};
use crate::compute::regression::{BLOCK, Override};
use crate::error::{Error, Result, counted};
use ndarray::{Array2, ArrayView1, ArrayView2, Axis, Slice};

/// The mean probability of each category if every row had one level of a categorical covariate, for each of
/// its levels.
///
/// # Formula
/// `pi_ak = sum(w_i P(y = k | x_i, level a)) / sum(w_i)` over all rows, with the weights of the fit;
/// covariances by the delta method, `J V J'` with the gradients `J` and the covariance `V` of the parameters.
/// Covariates are held fixed.
///
/// # Examples
/// Without other covariates these are the observed shares.
/// ```
/// use armwise::categorical::{CategoryVariance, MultinomialRegression};
/// use armwise::regression::{Category, ModelMatrix};
///
/// let contract = [0, 0, 0, 1, 1, 2, 0, 0, 1, 2, 2, 2];
/// let arm = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1];
/// let matrix = ModelMatrix::new(12)
///     .intercept()?
///     .category("arm", Category::new(&arm, ["control", "guidance"]))?;
/// let fit = MultinomialRegression::new()
///     .fit(&matrix, Category::new(&contract, ["none", "temporary", "permanent"]))?;
/// let standardized = fit.standardize("arm")?;
/// assert!((standardized.probabilities()[[1, 2]] - 3.0 / 6.0).abs() < 1e-12);
/// let differences = standardized.differences(0, CategoryVariance::Model)?;
/// assert!((differences.values[[0, 2]] - (3.0 / 6.0 - 1.0 / 6.0)).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct StandardizedCategories<'f, 'a> {
    fit: &'f CategoryFit<'a>,
    covariate: Standardized,
    probabilities: Array2<f64>,
    /// One row for each level and category, categories varying fastest.
    gradients: Array2<f64>,
}

/// The covariate that takes every level.
#[derive(Debug, Clone, Copy)]
struct Standardized {
    term: usize,
    levels: usize,
}

impl Standardized {
    fn forced(self, level: usize) -> Override {
        Override { term: self.term, level: u32::try_from(level).unwrap_or(u32::MAX) }
    }
}

/// Differences in probability of every level against one of them, for each category.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct ProbabilityDifferences {
    /// One row for each level but the reference, one column for each category; level minus reference.
    pub values: Array2<f64>,
    /// Standard errors in the same shape.
    pub se: Array2<f64>,
    /// The joint covariance of all of them, row by row.
    pub covariance: Array2<f64>,
}

impl<'f, 'a> StandardizedCategories<'f, 'a> {
    pub(super) fn new(fit: &'f CategoryFit<'a>, covariate: &str) -> Result<Self> {
        let rows = &fit.rows;
        let Some((term, levels, _)) = rows.matrix.category_codes(covariate) else {
            return Err(Error::invalid(
                "the model has no categorical covariate of this name to standardise over; name one of its terms",
            )
            .in_column(covariate));
        };
        let k = rows.categories();
        let mut this = Self {
            fit,
            covariate: Standardized { term, levels },
            probabilities: Array2::zeros((levels, k)),
            gradients: Array2::zeros((levels * k, fit.parameters.len())),
        };
        let mut x = Array2::zeros((rows.matrix.ncols(), BLOCK));
        let (mut weight, mut frequency) = (Vec::new(), Vec::new());
        for start in (0..rows.codes.len()).step_by(BLOCK) {
            let range = start..(start + BLOCK).min(rows.codes.len());
            rows.read_weights(range.clone(), &mut weight, &mut frequency);
            weight.iter_mut().zip(&frequency).for_each(|(w, f)| *w *= f);
            for level in 0..levels {
                let forced = Some(this.covariate.forced(level));
                let mut filled = columns_mut(x.view_mut(), 0..range.len());
                rows.matrix.fill_with(range.clone(), forced, filled.view_mut());
                let sums = this.probabilities.index_axis_mut(Axis(0), level);
                let mut gradients = this.gradients.view_mut();
                gradients.slice_axis_inplace(Axis(0), Slice::from(level * k..(level + 1) * k));
                fit.model.add_probabilities(rows, &fit.parameters, filled.view(), &weight, sums, gradients);
            }
        }
        let total: f64 = rows.totals.iter().sum();
        this.probabilities /= total;
        this.gradients /= total;
        Ok(this)
    }

    /// The mean probabilities: one row for each level, one column for each category.
    pub fn probabilities(&self) -> ArrayView2<'_, f64> {
        self.probabilities.view()
    }

    /// The covariance of all probabilities, categories varying fastest. Its rank is smaller than its size,
    /// since the probabilities of a level sum to 1.
    ///
    /// # Errors
    /// `invalid_input` for the model-based one with probability weights.
    pub fn covariance(&self, variance: CategoryVariance) -> Result<Array2<f64>> {
        Ok(self.gradients.dot(&self.fit.covariance_by(variance)?).dot(&self.gradients.t()))
    }

    /// The covariance of all probabilities that also counts the sampling of the covariates, by influence
    /// functions, categories varying fastest: `sum phi_i phi_i'` with
    /// `phi_i = w_i (p_i - pi) / sum(w) + J A^-1 U_i`, where `p_i` holds the probabilities of row `i` at
    /// every level, `U_i` is its score and `A` the information. Right also where the model is not.
    pub fn superpopulation_covariance(&self) -> Array2<f64> {
        let (fit, rows) = (self.fit, &self.fit.rows);
        let k = rows.categories();
        let size = self.covariate.levels * k;
        let reach = self.gradients.dot(&fit.bread);
        let total: f64 = rows.totals.iter().sum();
        let mut covariance = Array2::<f64>::zeros((size, size));
        let mut x = Array2::zeros((rows.matrix.ncols(), BLOCK));
        rows.for_each_block(|block| {
            let mut influence = reach.dot(&fit.model.scores(rows, &fit.parameters, &block));
            let n = block.codes.len();
            for level in 0..self.covariate.levels {
                let forced = Some(self.covariate.forced(level));
                let mut filled = columns_mut(x.view_mut(), 0..n);
                rows.matrix.fill_with(block.start..block.start + n, forced, filled.view_mut());
                fit.for_each_row(filled.view(), |i, probabilities| {
                    for (m, p) in probabilities.iter().enumerate() {
                        let deviation = p - self.probabilities[[level, m]];
                        influence[[level * k + m, i]] += block.weight[i] * deviation / total;
                    }
                });
            }
            let mut weighted = influence.clone();
            for (mut column, frequency) in weighted.columns_mut().into_iter().zip(block.frequency) {
                column *= *frequency;
            }
            covariance += &weighted.dot(&influence.t());
        });
        symmetrised(covariance)
    }

    /// The standard errors of the probabilities, in their shape.
    ///
    /// # Errors
    /// As [`StandardizedCategories::covariance`].
    pub fn se(&self, variance: CategoryVariance) -> Result<Array2<f64>> {
        Ok(roots(self.covariance(variance)?.diag(), self.probabilities.dim()))
    }

    /// Every level against one of them.
    ///
    /// # Errors
    /// `invalid_input` where there is no such level; as [`StandardizedCategories::covariance`].
    pub fn differences(
        &self,
        reference: usize,
        variance: CategoryVariance,
    ) -> Result<ProbabilityDifferences> {
        let (levels, k) = self.probabilities.dim();
        if reference >= levels {
            return Err(Error::invalid(format!(
                "the reference level {reference} does not exist among {levels}; levels count from 0",
                levels = counted(levels, "level")
            )));
        }
        let others: Vec<usize> = (0..levels).filter(|level| *level != reference).collect();
        let values = Array2::from_shape_fn((others.len(), k), |(i, m)| {
            self.probabilities[[others[i], m]] - self.probabilities[[reference, m]]
        });
        let gradients = Array2::from_shape_fn((others.len() * k, self.gradients.ncols()), |(row, j)| {
            self.gradients[[others[row / k] * k + row % k, j]] - self.gradients[[reference * k + row % k, j]]
        });
        let covariance = gradients.dot(&self.fit.covariance_by(variance)?).dot(&gradients.t());
        Ok(ProbabilityDifferences { se: roots(covariance.diag(), values.dim()), values, covariance })
    }
}

fn roots(variances: ArrayView1<f64>, shape: (usize, usize)) -> Array2<f64> {
    // Rounding may leave a zero variance slightly negative.
    Array2::from_shape_fn(shape, |(i, j)| variances[i * shape.1 + j].max(0.0).sqrt())
}
