//! Augmented inverse-probability weighting: weights and a regression of the outcome.

use super::weights::{InverseProbability, WeightedMeans};
use crate::compute::linalg::columns_mut;
use crate::compute::regression::{BLOCK, Family, Fit, Glm, ModelMatrix, Override, Weights};
use crate::error::{Error, Result, counted};
use ndarray::{Array1, Array2, ArrayView1};

/// The regression of the outcome that augments weights.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum OutcomeModel<'r, 'm> {
    /// One regression for each level, of the rows that have it.
    ByLevel {
        /// The family, with its default link.
        family: Family,
        /// The covariates, without the category of levels.
        covariates: &'r ModelMatrix<'m>,
    },
    /// One regression of all rows, which has the category of levels among its terms.
    Pooled {
        /// The regression.
        fit: &'r Fit<'m>,
        /// The name of the category.
        category: &'r str,
    },
}

/// The fitted means of every row at a level, and the influence of the regression's estimation on the mean of
/// that level.
struct Predictions {
    means: Array1<f64>,
    estimated: Array1<f64>,
}

impl InverseProbability<'_> {
    /// The mean outcome if every row had each level: the mean prediction of a regression, corrected by the
    /// weighted residuals. Consistent where either the weights or the regression is right.
    ///
    /// # Formula
    /// `mu_a = mean(w_i [A_i = a] (y_i - m_a(x_i)) + m_a(x_i))`; with sampling weights the mean, and the
    /// regression, are weighted by them. Stacked influence of row `i`: `w_i [A_i = a] (y_i - m_a) + m_a -
    /// mu_a + H_g A_g^-1 S_i + H_b A_b^-1 U_i` with the scores `S_i` of the probabilities and `U_i` of the
    /// regression, and the derivatives `H` of the sum with respect to the parameters of either.
    ///
    /// # Errors
    /// `invalid_input` where shapes differ or an outcome is not finite; those of [`Glm`] for the regression
    /// of each level.
    ///
    /// ```
    /// use armwise::ndarray::array;
    /// use armwise::regression::{Category, Family, ModelMatrix};
    /// use armwise::weighting::{InverseProbability, NuisanceVariance, OutcomeModel};
    ///
    /// let arm = [0, 0, 0, 0, 1, 1, 1, 1];
    /// let before = array![3.0, 4.0, 5.0, 2.0, 4.0, 5.0, 3.0, 1.0];
    /// let after = array![3.0, 5.0, 5.0, 3.0, 6.0, 7.0, 5.0, 3.0];
    /// let covariates = ModelMatrix::new(8).intercept()?.numeric("before", before.view())?;
    /// let model = OutcomeModel::ByLevel { family: Family::Gaussian, covariates: &covariates };
    /// let shares = InverseProbability::of_shares(Category::new(&arm, ["control", "guidance"]))?;
    /// let means = shares.augmented_means(after.view(), model)?;
    /// let covariance = means.covariance(NuisanceVariance::Stacked);
    /// assert!(means.values()[1] > means.values()[0] && covariance[[0, 0]] > 0.0);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # References
    /// Robins JM, Rotnitzky A, Zhao LP (1994), Journal of the American Statistical Association 89:846.
    /// Tsiatis AA, Davidian M, Zhang M, Lu X (2008), Statistics in Medicine 27:4658.
    pub fn augmented_means(&self, y: ArrayView1<f64>, model: OutcomeModel) -> Result<WeightedMeans> {
        self.check_outcomes(y)?;
        let rows = self.codes.len();
        let n = self.sampling.sum();
        let mut values = Array1::zeros(self.levels);
        let mut known = Array2::zeros((rows, self.levels));
        let mut estimated = Array2::zeros((rows, self.levels));
        let mut residuals = Array1::zeros(rows);
        for a in 0..self.levels {
            let predictions = match model {
                OutcomeModel::ByLevel { family, covariates } => self.by_level(a, family, covariates, y)?,
                OutcomeModel::Pooled { fit, category } => self.pooled(a, fit, category)?,
            };
            let mut column = known.column_mut(a);
            for row in 0..rows {
                let mut sum = self.sampling[row] * predictions.means[row];
                if self.codes[row] as usize == a && self.weights[row] > 0.0 {
                    residuals[row] = self.weights[row] * (y[row] - predictions.means[row]) / n;
                    sum += n * residuals[row];
                }
                column[row] = sum / n;
            }
            values[a] = column.sum();
            column.scaled_add(-values[a] / n, &self.sampling);
            estimated.column_mut(a).assign(&predictions.estimated);
        }
        estimated += &self.reach(residuals.view());
        Ok(WeightedMeans::new(self, values, known, estimated))
    }

    fn by_level(
        &self,
        a: usize,
        family: Family,
        covariates: &ModelMatrix,
        y: ArrayView1<f64>,
    ) -> Result<Predictions> {
        if self.sampling.iter().all(|weight| *weight == 1.0) {
            let counts: Vec<u64> = (0..self.codes.len()).map(|row| u64::from(self.has(row, a))).collect();
            let fit = Glm::new(family).weights(Weights::Frequency(&counts)).fit(covariates, y)?;
            return self.predictions(a, &fit, None);
        }
        let own = |row: usize| if self.has(row, a) { self.sampling[row] } else { 0.0 };
        let weights: Array1<f64> = (0..self.codes.len()).map(own).collect();
        let fit = Glm::new(family).weights(Weights::Probability(weights.view())).fit(covariates, y)?;
        self.predictions(a, &fit, None)
    }

    fn pooled(&self, a: usize, fit: &Fit, category: &str) -> Result<Predictions> {
        let Some((term, _, codes)) = fit.matrix().category_codes(category) else {
            return Err(Error::invalid("the model has no category of this name").in_column(category));
        };
        let sampled = match fit.observations.weights {
            Weights::None => self.sampling.iter().all(|weight| *weight == 1.0),
            Weights::Probability(weights) => weights == self.sampling,
            _ => false,
        };
        if !sampled {
            return Err(Error::invalid(
                "the regression of the outcome has other weights than the model of the probabilities; fit both with the same probability \
                 weights, or without",
            ));
        }
        if codes != self.codes {
            return Err(Error::invalid(
                "the weights and the regression have different levels; give both the same rows",
            ));
        }
        let level = u32::try_from(a).unwrap_or(u32::MAX);
        self.predictions(a, fit, Some(Override { term, level }))
    }

    fn has(&self, row: usize, level: usize) -> bool {
        self.codes[row] as usize == level && self.weights[row] > 0.0
    }

    fn predictions(&self, a: usize, fit: &Fit, forced: Option<Override>) -> Result<Predictions> {
        let (n, p, total) = (self.codes.len(), fit.rank(), self.sampling.sum());
        if fit.matrix().nrows() != n {
            return Err(Error::invalid(format!(
                "the regression has {} where there are {weights}",
                counted(fit.matrix().nrows(), "row"),
                weights = counted(n, "weight")
            )));
        }
        let offset = fit.observations.offset;
        let mut x = Array2::zeros((p, BLOCK));
        let mut means = Array1::zeros(n);
        let mut lean = Array1::<f64>::zeros(p);
        for start in (0..n).step_by(BLOCK) {
            let range = start..(start + BLOCK).min(n);
            let mut x = columns_mut(x.view_mut(), 0..range.len());
            fit.matrix().fill_with(range.clone(), forced, x.view_mut());
            let mut slopes = fit.coefficients().dot(&x);
            for (row, eta) in range.zip(slopes.iter_mut()) {
                let at = *eta + offset.map_or(0.0, |offset| offset[row]);
                means[row] = fit.curve.mean(at);
                let rest = self.sampling[row] - if self.has(row, a) { self.weights[row] } else { 0.0 };
                *eta = rest * fit.curve.derivatives(at)[0];
            }
            lean += &x.dot(&slopes);
        }
        let reach = fit.bread().dot(&lean) / total;
        let scores = fit.working_scores();
        let mut estimated = Array1::zeros(n);
        fit.matrix().for_each_block(|range, x| {
            let along = reach.dot(&x);
            for (row, along) in range.zip(along) {
                estimated[row] = along * scores[row];
            }
        });
        Ok(Predictions { means, estimated })
    }
}
