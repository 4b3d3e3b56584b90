//! Covariance matrices of the coefficients: model-based and heteroskedasticity-consistent.

use super::fit::Fit;
use super::information::add_cross_product;
use super::kernel::Leveraged;
use super::matrix::BLOCK;
use super::observations::Rows;
use crate::compute::linalg::{finite, symmetrised};
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array1, Array2};

/// How the covariance of the coefficients is estimated.
///
/// With `A = X'WX` (expected information at dispersion 1), the score
/// `U_i = a_i (y_i - mu_i) (dmu/deta) / V(mu_i) x_i` and the leverage `h_i` of the weighted hat matrix, the
/// robust types are `A^-1 (sum c_i U_i U_i') A^-1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum VarianceType {
    /// `phi A^-1`: right where the variance function is. Refused with probability weights, whose unit it
    /// depends on.
    Model,
    /// `c_i = 1` (White 1980; Huber 1967).
    Hc0,
    /// `c_i = n / (n - p)` (MacKinnon & White 1985).
    Hc1,
    /// `c_i = 1 / (1 - h_i)` (Horn, Horn & Duncan 1975): unbiased for linear models with equal variances.
    Hc2,
    /// `c_i = 1 / (1 - h_i)^2` (MacKinnon & White 1985), near the jackknife.
    Hc3,
}

/// A leverage this near to 1 leaves a residual of rounding only.
const FULL_LEVERAGE: f64 = 1e-10;

impl Fit<'_> {
    /// The covariance matrix of the coefficients.
    ///
    /// # Errors
    /// `invalid_input` for the model-based one with probability weights; `insufficient_observations` where no
    /// degrees of freedom are left (model-based with estimated dispersion, HC1); `not_estimable` for HC2 and
    /// HC3 where a row has leverage 1, with the row: it alone determines a coefficient.
    pub fn covariance(&self, variance: VarianceType) -> Result<Array2<f64>> {
        let covariance = match variance {
            VarianceType::Model => {
                self.observations.weights.check_likelihood("the model-based variance")?;
                self.model_covariance()
            }
            VarianceType::Hc0 => self.unscaled_sandwich(1.0),
            VarianceType::Hc1 => {
                if self.df_residual() <= 0.0 {
                    return Err(ErrorKind::InsufficientObservations(
                        "HC1 needs more observations than coefficients; leave covariates out".to_owned(),
                    )
                    .into());
                }
                let factor = self.n() / self.df_residual();
                self.unscaled_sandwich(factor)
            }
            VarianceType::Hc2 => self
                .leveraged_sandwich(Leveraged::Hc2)
                .map_or_else(|| self.sandwich(|row, h| Ok(1.0 / rest(row, h)?)), Ok),
            VarianceType::Hc3 => self
                .leveraged_sandwich(Leveraged::Hc3)
                .map_or_else(|| self.sandwich(|row, h| Ok(rest(row, h)?.powi(-2))), Ok),
        };
        finite(covariance?)
    }

    /// `phi A^-1`, whatever the weights.
    pub(crate) fn model_covariance(&self) -> Result<Array2<f64>> {
        Ok(&self.bread() * self.dispersion()?)
    }

    /// `c A^-1 (sum U_i U_i') A^-1`.
    fn unscaled_sandwich(&self, factor: f64) -> Result<Array2<f64>> {
        match self.kernel() {
            Some((model, kernel)) => {
                let coefficients = self.coefficients();
                let meat = kernel.score_products(model, coefficients.as_slice().unwrap_or_default());
                Ok(self.around(&(meat * factor)))
            }
            None => self.sandwich(|_, _| Ok(factor)),
        }
    }

    /// HC2 or HC3 in vectors; `None` where they do not suit the model, and where a leverage is 1 (the loop
    /// over rows then says which).
    fn leveraged_sandwich(&self, change: Leveraged) -> Option<Array2<f64>> {
        let (model, kernel) = self.kernel()?;
        let (coefficients, whitener) = (self.coefficients(), self.factor.whitener());
        let sums = kernel.leveraged_products(model, coefficients.as_slice()?, whitener.view(), change);
        let defined =
            1.0 - sums.largest_leverage > FULL_LEVERAGE && sums.products.iter().all(|x| x.is_finite());
        defined.then(|| self.around(&sums.products))
    }

    /// `A^-1 M A^-1`.
    fn around(&self, meat: &Array2<f64>) -> Array2<f64> {
        symmetrised(self.bread().dot(meat).dot(&self.bread()))
    }

    /// `A^-1 (sum c_i U_i U_i') A^-1`, `c_i` from the row and its leverage.
    fn sandwich(&self, factor: impl Fn(usize, f64) -> Result<f64>) -> Result<Array2<f64>> {
        let p = self.rank();
        let mut meat = Array2::zeros((p, p));
        let mut scratch = Array2::zeros((p, BLOCK));
        let mut failed = None;
        self.for_each_weighted_block(|block| {
            let mut weights = vec![0.0; block.scores.len()];
            for (k, weight) in weights.iter_mut().enumerate() {
                if block.scores[k] == 0.0 && block.leverage[k] < 0.5 {
                    continue;
                }
                match factor(block.start + k, block.leverage[k]) {
                    Ok(c) => *weight = c * block.frequency[k] * block.scores[k] * block.scores[k],
                    Err(error) => failed = failed.take().or(Some(error)),
                }
            }
            add_cross_product(block.x, &weights, &mut scratch, &mut meat);
        });
        if let Some(error) = failed {
            return Err(error);
        }
        Ok(self.around(&meat))
    }

    /// The leverages `h_i`, diagonal of the weighted hat matrix, of one unit of each row. Zero for rows
    /// without weight.
    pub fn leverages(&self) -> Array1<f64> {
        let mut leverages = Array1::zeros(self.matrix.nrows());
        self.for_each_weighted_block(|block| {
            leverages.iter_mut().skip(block.start).zip(&block.leverage).for_each(|(out, h)| *out = *h);
        });
        leverages
    }

    /// Blocks of rows with their scores (with respect to the linear predictor) and leverages.
    pub(crate) fn for_each_weighted_block(&self, mut with: impl FnMut(WeightedBlock)) {
        let whitener = self.factor.whitener();
        let eta = self.eta();
        let mut rows = Rows::new();
        self.matrix.for_each_block(|range, x| {
            self.observations.read(range.clone(), &mut rows);
            let n = range.len();
            let (mut scores, mut weights) = (Array1::<f64>::zeros(n), Array1::<f64>::zeros(n));
            for (k, (y, weight, frequency)) in rows.iter().enumerate() {
                if weight * frequency > 0.0 {
                    let terms = self.curve.row(eta[range.start + k], y);
                    scores[k] = weight * terms.score;
                    weights[k] = weight * terms.weight;
                }
            }
            let white = whitener.dot(&x);
            let mut leverage = Array1::<f64>::zeros(n);
            for row in white.rows() {
                leverage.iter_mut().zip(row).for_each(|(h, z)| *h += z * z);
            }
            leverage *= &weights;
            with(WeightedBlock { start: range.start, x, scores, leverage, frequency: &rows.frequency });
        });
    }
}

/// `1 - h`.
fn rest(row: usize, leverage: f64) -> Result<f64> {
    let rest = 1.0 - leverage;
    if rest > FULL_LEVERAGE {
        return Ok(rest);
    }
    Err(Error::from(ErrorKind::NotEstimable(
        "this row alone determines a coefficient (leverage 1), so that HC2 and HC3 are not defined; \
         merge the level that only it has, or use HC1"
            .to_owned(),
    ))
    .in_row(row))
}

/// A block of rows at the estimate.
pub(crate) struct WeightedBlock<'b> {
    pub(crate) start: usize,
    /// One design column in each row.
    pub(crate) x: ndarray::ArrayView2<'b, f64>,
    /// See [`Fit::working_scores`].
    pub(crate) scores: Array1<f64>,
    pub(crate) leverage: Array1<f64>,
    pub(crate) frequency: &'b [f64],
}
