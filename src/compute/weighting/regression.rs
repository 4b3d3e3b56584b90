//! Least squares of rows that stand for others by inverse-probability weights.

use super::weights::{InverseProbability, NuisanceVariance};
use crate::compute::linalg::{Cholesky, symmetrised};
use crate::compute::regression::{Family, Glm, ModelMatrix, Weights};
use crate::error::Result;
use ndarray::{Array1, Array2, ArrayView1, Axis};

/// Coefficients of weighted least squares, with the influence of every row on them.
#[derive(Debug, Clone)]
pub struct WeightedRegression {
    names: Vec<String>,
    coefficients: Array1<f64>,
    /// n x p: as if the weights were known.
    known: Array2<f64>,
    /// n x p: what the estimation of the weights adds.
    estimated: Array2<f64>,
}

impl InverseProbability<'_> {
    /// Least squares of the outcome on the columns of a matrix, weighted.
    ///
    /// # Formula
    /// `b` solves `sum w_i x_i (y_i - x_i'b) = 0`. With `H = sum w_i x_i x_i'` the influence of row `i` is
    /// `H^-1 (w_i x_i e_i - sum_j (w_j x_j e_j S_j') A^-1 S_i)`, with the scores `S` and the information `A` of
    /// the model of the probabilities. Outcomes of rows without weight are not read.
    ///
    /// # Errors
    /// `invalid_input` where there is not one finite outcome for each row with a weight; those of [`Glm`].
    ///
    /// ```
    /// use armwise::ndarray::array;
    /// use armwise::regression::{Category, Family, Glm, ModelMatrix};
    /// use armwise::weighting::{InverseProbability, NuisanceVariance};
    ///
    /// let arm = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1];
    /// let age = array![20.0, 30.0, 40.0, 50.0, 60.0, 25.0, 35.0, 45.0, 55.0, 65.0];
    /// let seen = array![1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    /// let score = array![2.0, 0.0, 3.0, 5.0, 0.0, 3.0, 5.0, 0.0, 6.0, 8.0];
    /// let arms = || Category::new(&arm, ["control", "guidance"]);
    /// let matrix =
    ///     ModelMatrix::new(10).intercept()?.category("arm", arms())?.numeric("age", age.view())?;
    /// let response = Glm::new(Family::Binomial).fit(&matrix, &seen)?;
    /// let weights = InverseProbability::of_response(&response, "arm")?;
    /// let fit = weights.regression(&matrix, score.view())?;
    /// assert_eq!(fit.names()[1], "arm[guidance]");
    /// assert!(fit.covariance(NuisanceVariance::Stacked)[[1, 1]] > 0.0);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # References
    /// Seaman SR, White IR (2013), Statistical Methods in Medical Research 22:278. Robins JM, Rotnitzky A, Zhao LP
    /// (1995), Journal of the American Statistical Association 90:106.
    pub fn regression(&self, matrix: &ModelMatrix, y: ArrayView1<f64>) -> Result<WeightedRegression> {
        self.check_outcomes(y)?;
        // Rows without a weight hold no outcome.
        let y: Array1<f64> =
            y.iter().zip(&self.weights).map(|(y, w)| if *w > 0.0 { *y } else { 0.0 }).collect();
        let fit =
            Glm::new(Family::Gaussian).weights(Weights::Probability(self.weights.view())).fit(matrix, &y)?;
        let (n, p) = (y.len(), fit.rank());
        let eta = fit.linear_predictor();
        let mut scores = Array2::<f64>::zeros((n, p));
        let mut moments = Array2::<f64>::zeros((p, p));
        fit.matrix().for_each_block(|range, x| {
            for (i, row) in range.enumerate() {
                let w = self.weights[row];
                if w > 0.0 {
                    scores.row_mut(row).assign(&(&x.column(i) * (w * (y[row] - eta[row]))));
                    let column = x.column(i).insert_axis(Axis(1));
                    moments += &(column.dot(&column.t()) * w);
                }
            }
        });
        let inverse = match Cholesky::new(moments.view()) {
            Some(factor) => factor.inverse(),
            // The fit found the columns independent; its inverse is that of the same moments.
            None => symmetrised(fit.bread().to_owned()),
        };
        let estimated = self.adds(&scores).dot(&inverse);
        Ok(WeightedRegression {
            names: fit.names().to_vec(),
            coefficients: fit.coefficients().to_owned(),
            known: scores.dot(&inverse),
            estimated,
        })
    }
}

impl WeightedRegression {
    /// The names of the coefficients, without aliased columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The coefficients.
    pub fn coefficients(&self) -> ArrayView1<'_, f64> {
        self.coefficients.view()
    }

    /// The covariance of the coefficients: p x p, the sum of the products of the influences of the rows (no
    /// small-sample factor).
    pub fn covariance(&self, variance: NuisanceVariance) -> Array2<f64> {
        match variance {
            NuisanceVariance::Known => self.known.t().dot(&self.known),
            NuisanceVariance::Stacked => {
                let influence = &self.known + &self.estimated;
                influence.t().dot(&influence)
            }
        }
    }
}
