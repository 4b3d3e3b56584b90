//! Amounts with many zeros: whether there is an amount, and how large it is (two-part model).

use super::family::Family;
use super::fit::Fit;
use super::glm::Glm;
use super::matrix::{BLOCK, ModelMatrix, Override};
use super::observations::Weights;
use super::sandwich::VarianceType;
use crate::compute::linalg::columns_mut;
use crate::error::{Error, ErrorKind, Result, SeparatedModel, number};
use ndarray::{Array1, Array2, ArrayView1, Axis, Slice};

/// The model of the amount where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Amount {
    /// Gamma regression with a log link: the mean amount is `exp(x'c)`.
    #[default]
    Gamma,
    /// Linear regression of the logarithm with normal errors: the mean amount is `exp(x'c + s^2 / 2)`, `s^2`
    /// the residual variance.
    LogNormal,
    /// Linear regression of the logarithm; the mean amount is `exp(x'c) f` with Duan's factor `f`, the mean
    /// of `exp(residual)`.
    LogSmearing,
}

/// Amounts of zero or more, checked once, as the two parts read them.
#[derive(Debug, Clone)]
pub struct Amounts {
    positive: Vec<bool>,
    /// 1 where the amount is above zero.
    counts: Vec<u64>,
    sampling: Option<Sampling>,
    /// The amounts, 1 where there is none.
    amounts: Array1<f64>,
    logs: Array1<f64>,
}

/// How many a row stands for, among all and among those who have an amount.
#[derive(Debug, Clone)]
struct Sampling {
    all: Array1<f64>,
    positive: Array1<f64>,
}

/// A two-part model of amounts that are zero for many: a logistic regression of having an amount, and a
/// regression of the amount among those who have one.
///
/// # Formula
/// `E(y | x) = P(y > 0 | x) E(y | y > 0, x)` with `logit P(y > 0 | x) = x'b` and the mean amount of
/// [`Amount`]. Both parts have the same covariates. Their likelihood factors, so that their estimates are
/// independent. Rows may stand for others ([`Amounts::probability_weights`]).
///
/// # Errors
/// Of [`TwoPart::fit`]: those of [`Glm`] for either part (`separation` in the first,
/// `insufficient_observations` and `rank_deficient` among those who have an amount).
///
/// # Examples
/// ```
/// use armwise::ndarray::array;
/// use armwise::regression::{Amount, Amounts, Category, ModelMatrix, TwoPart, VarianceType};
///
/// let wage = array![0.0, 900.0, 0.0, 1100.0, 0.0, 1400.0, 1500.0, 0.0, 1600.0, 1500.0];
/// let arm = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1];
/// let matrix = ModelMatrix::new(10)
///     .intercept()?
///     .category("arm", Category::new(&arm, ["control", "guidance"]))?;
/// let amounts = Amounts::new(wage.view())?;
/// let fit = TwoPart::new().amount(Amount::Gamma).fit(&matrix, &amounts)?;
/// let standardized = fit.standardize("arm")?;
/// // Without covariates the means of the arms come back, zeros included.
/// assert!(
///     (standardized.means()[0] - 400.0).abs() < 1e-6
///         && (standardized.means()[1] - 1200.0).abs() < 1e-6
/// );
/// assert_eq!(standardized.covariance(VarianceType::Hc0)?.dim(), (2, 2));
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Duan N, Manning WG, Morris CN, Newhouse JP (1983), Journal of Business & Economic Statistics 1:115. Duan N
/// (1983), Journal of the American Statistical Association 78:605 (smearing). Mullahy J (1998), Journal of
/// Health Economics 17:247.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TwoPart {
    amount: Amount,
}

/// A fitted two-part model.
#[derive(Debug, Clone)]
pub struct TwoPartFit<'a> {
    participation: Fit<'a>,
    amount: Fit<'a>,
    model: Amount,
    /// The mean of `exp(residual)`, 1 for the gamma model.
    smearing: f64,
}

/// Mean amounts, zeros included, if every row had one level of a category, for each of its levels.
#[derive(Debug, Clone)]
pub struct StandardizedAmounts<'f, 'a> {
    fit: &'f TwoPartFit<'a>,
    means: Array1<f64>,
    /// Derivatives with respect to the coefficients of either part: k x p.
    by_participation: Array2<f64>,
    by_amount: Array2<f64>,
}

impl Amounts {
    /// Amounts of zero or more.
    ///
    /// # Errors
    /// `invalid_input` with the row of a value that is negative or not finite.
    pub fn new(values: ArrayView1<f64>) -> Result<Self> {
        if let Some(row) = values.iter().position(|y| !(*y >= 0.0 && y.is_finite())) {
            let what = format!(
                "holds {} where an amount of zero or more is needed; correct it, or use a model of the mean",
                number(values[row])
            );
            return Err(Error::invalid(what).in_column("response").in_row(row));
        }
        let amounts = values.mapv(|y| if y > 0.0 { y } else { 1.0 });
        Ok(Self {
            positive: values.iter().map(|y| *y > 0.0).collect(),
            counts: values.iter().map(|y| u64::from(*y > 0.0)).collect(),
            logs: amounts.mapv(f64::ln),
            amounts,
            sampling: None,
        })
    }

    /// Rows that stand for others that were not observed, in any unit: both parts, the smearing factor and
    /// the standardisation are weighted. Default: every row counts once.
    ///
    /// # Errors
    /// `invalid_input` unless there is a finite weight above zero for each row.
    pub fn probability_weights(mut self, weights: ArrayView1<f64>) -> Result<Self> {
        if weights.len() != self.counts.len() || !weights.iter().all(|w| *w > 0.0 && w.is_finite()) {
            return Err(Error::invalid("give a finite weight above zero for each row").in_column("weights"));
        }
        let own = |(weight, positive): (&f64, &bool)| if *positive { *weight } else { 0.0 };
        let positive = weights.iter().zip(&self.positive).map(own).collect();
        self.sampling = Some(Sampling { all: weights.to_owned(), positive });
        Ok(self)
    }
}

impl TwoPart {
    /// With gamma regression of the amount.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// The model of the amount. Default: gamma.
        amount: Amount;
    }

    /// Fits both parts.
    ///
    /// # Errors
    /// See [`TwoPart`].
    pub fn fit<'d, 'm: 'd>(&self, matrix: &ModelMatrix<'m>, amounts: &'d Amounts) -> Result<TwoPartFit<'d>> {
        let constant = match amounts.positive.first() {
            Some(first) if amounts.positive.iter().all(|positive| positive == first) => Some(*first),
            _ => None,
        };
        if let Some(everybody) = constant {
            let why = if everybody {
                "everybody has an amount, so that a two-part model has no first part; use LinearRegression or DifferenceInMeans on the amounts"
            } else {
                "nobody has an amount, so that there is nothing to compare; check the column, or report the number of people without"
            };
            return Err(ErrorKind::ConstantOutcome(why.to_owned()).into());
        }
        if amounts.sampling.is_some() && self.amount == Amount::LogNormal {
            let why = "the mean of a lognormal amount takes the variance of normal errors, and its standard error, from a likelihood, which \
                       probability weights do not have; use Amount::LogSmearing or Amount::Gamma";
            return Err(Error::invalid(why));
        }
        let (all, counts) = match &amounts.sampling {
            None => (Weights::None, Weights::Frequency(&amounts.counts)),
            Some(Sampling { all, positive }) => {
                (Weights::Probability(all.view()), Weights::Probability(positive.view()))
            }
        };
        let participation = Glm::new(Family::Binomial)
            .weights(all)
            .fit(matrix, amounts.positive.as_slice())
            .map_err(|error| error.separating(SeparatedModel::Amounts))?;
        let (family, response) = match self.amount {
            Amount::Gamma => (Family::Gamma, &amounts.amounts),
            Amount::LogNormal | Amount::LogSmearing => (Family::Gaussian, &amounts.logs),
        };
        let amount = Glm::new(family).weights(counts).fit(matrix, response)?;
        amount.dispersion()?;
        let mut smearing = 0.0;
        amount.for_each_unit(|unit| smearing += unit.weight * unit.frequency * (unit.y - unit.eta).exp());
        let smearing = if self.amount == Amount::Gamma { 1.0 } else { smearing / amount.totals.weight };
        Ok(TwoPartFit { participation, amount, model: self.amount, smearing })
    }
}

impl<'a> TwoPartFit<'a> {
    /// The logistic regression of having an amount.
    pub fn participation(&self) -> &Fit<'a> {
        &self.participation
    }

    /// The regression of the amount (gamma), or of its logarithm, among those who have one.
    pub fn amount(&self) -> &Fit<'a> {
        &self.amount
    }

    /// How many have an amount.
    pub fn n_positive(&self) -> f64 {
        self.amount.n()
    }

    /// Duan's smearing factor, the mean of `exp(residual)`; `None` for the gamma model.
    pub fn smearing_factor(&self) -> Option<f64> {
        (self.model != Amount::Gamma).then_some(self.smearing)
    }

    /// What turns `exp(x'c)` into a mean amount.
    fn retransformation(&self) -> Result<f64> {
        Ok(match self.model {
            Amount::Gamma => 1.0,
            Amount::LogNormal => (0.5 * self.amount.dispersion()?).exp(),
            Amount::LogSmearing => self.smearing,
        })
    }

    /// Standardises over all rows, each level of this category in turn: the means of `P(y > 0) E(y | y > 0)`.
    ///
    /// # Errors
    /// `invalid_input` where the model has no category of that name; `not_estimable` where a mean overflows.
    pub fn standardize(&self, category: &str) -> Result<StandardizedAmounts<'_, 'a>> {
        let matrix = self.participation.matrix();
        let Some((term, levels, _)) = matrix.category_codes(category) else {
            return Err(Error::invalid(
                "the model has no category of this name to standardise over; name one of its terms",
            )
            .in_column(category));
        };
        let (n, p) = (matrix.nrows(), matrix.ncols());
        let factor = self.retransformation()?;
        let mut weights = Array1::<f64>::zeros(n);
        self.participation.for_each_unit(|unit| weights[unit.row] = unit.weight * unit.frequency);
        let mut x = Array2::zeros((p, BLOCK));
        let mut standardized = StandardizedAmounts {
            fit: self,
            means: Array1::zeros(levels),
            by_participation: Array2::zeros((levels, p)),
            by_amount: Array2::zeros((levels, p)),
        };
        for start in (0..n).step_by(BLOCK) {
            let range = start..(start + BLOCK).min(n);
            for a in 0..levels {
                let mut x = columns_mut(x.view_mut(), 0..range.len());
                let forced = Override { term, level: u32::try_from(a).unwrap_or(u32::MAX) };
                matrix.fill_with(range.clone(), Some(forced), x.view_mut());
                let any = self.participation.coefficients().dot(&x);
                let amount = self.amount.coefficients().dot(&x).mapv(|eta| factor * eta.exp());
                let share = any.mapv(|eta| self.participation.curve.mean(eta));
                let slope = any.mapv(|eta| self.participation.curve.derivatives(eta)[0]);
                let weights = weights.slice_axis(Axis(0), Slice::from(range.clone()));
                let amount = &amount * &weights;
                let mean = &share * &amount;
                standardized.means[a] += mean.sum();
                let mut gradient = standardized.by_participation.index_axis_mut(Axis(0), a);
                gradient += &x.dot(&(&slope * &amount));
                let mut gradient = standardized.by_amount.index_axis_mut(Axis(0), a);
                gradient += &x.dot(&mean);
            }
        }
        let total = weights.sum();
        standardized.means /= total;
        standardized.by_participation /= total;
        standardized.by_amount /= total;
        if standardized.means.iter().any(|mean| !mean.is_finite()) {
            return Err(ErrorKind::NotEstimable(
                "a mean amount is beyond the range of floating point numbers; leave out covariates with extreme values".to_owned(),
            )
            .into());
        }
        Ok(standardized)
    }
}

impl StandardizedAmounts<'_, '_> {
    /// The standardised mean amounts, one for each level.
    pub fn means(&self) -> &[f64] {
        self.means.as_slice().unwrap_or_default()
    }

    /// The covariance of the standardised means: k x k, covariates held fixed.
    ///
    /// `J_b V_b J_b' + J_c V_c J_c'` over both parts. [`Amount::LogNormal`] adds `m m' / 4 Var(s^2)` with
    /// `Var(s^2) = 2 s^4 / (n - p)`, the variance of normal errors. [`Amount::LogSmearing`] takes the
    /// factor's influence `exp(r_i) / n` and that of the coefficients together, and so has HC0 only.
    ///
    /// # Errors
    /// Those of [`Fit::covariance`]; `not_estimable` for smearing with a variance other than HC0.
    pub fn covariance(&self, variance: VarianceType) -> Result<Array2<f64>> {
        let fit = self.fit;
        let spread = |gradient: &Array2<f64>, part: &Fit| -> Result<Array2<f64>> {
            Ok(gradient.dot(&part.covariance(variance)?).dot(&gradient.t()))
        };
        let means = self.means.view().insert_axis(Axis(1));
        let mut covariance = spread(&self.by_participation, &fit.participation)?;
        match fit.model {
            Amount::Gamma => covariance += &spread(&self.by_amount, &fit.amount)?,
            Amount::LogNormal => {
                covariance += &spread(&self.by_amount, &fit.amount)?;
                let s2 = fit.amount.dispersion()?;
                covariance += &(means.dot(&means.t()) * (0.5 * s2 * s2 / fit.amount.df_residual()));
            }
            Amount::LogSmearing if variance == VarianceType::Hc0 => covariance += &self.smeared(),
            Amount::LogSmearing => {
                return Err(ErrorKind::NotEstimable(
                    "the smearing factor takes no assumption on the errors, so its variance is HC0; ask for HC0, or for Amount::LogNormal"
                        .to_owned(),
                )
                .into());
            }
        }
        Ok(covariance)
    }

    /// The covariance of the second part with a smearing factor: the sum of squared influences of the rows.
    fn smeared(&self) -> Array2<f64> {
        let amount = &self.fit.amount;
        let (levels, n, factor) = (self.means.len(), amount.totals.weight, self.fit.smearing);
        let mut lean = Array1::<f64>::zeros(amount.rank());
        let mut errors = Array1::<f64>::zeros(amount.matrix().nrows());
        let mut weights = errors.clone();
        amount.for_each_unit(|unit| {
            errors[unit.row] = unit.y - unit.eta;
            weights[unit.row] = unit.weight;
        });
        amount.matrix().for_each_block(|range, x| {
            for (i, row) in range.enumerate() {
                if amount.counts_row(row) {
                    lean.scaled_add(weights[row] * errors[row].exp() / n, &x.column(i));
                }
            }
        });
        // The factor falls with the coefficients as the mean amounts rise.
        let gradients = &self.by_amount
            - &(self.means.view().insert_axis(Axis(1)).dot(&lean.insert_axis(Axis(0))) / factor);
        let reach = gradients.dot(&amount.bread());
        let mut covariance = Array2::<f64>::zeros((levels, levels));
        amount.matrix().for_each_block(|range, x| {
            for (i, row) in range.enumerate() {
                if amount.counts_row(row) {
                    let mut influence = reach.dot(&x.column(i)) * errors[row];
                    influence.scaled_add((errors[row].exp() - factor) / (n * factor), &self.means);
                    influence *= weights[row];
                    let column = influence.view().insert_axis(Axis(1));
                    covariance += &column.dot(&column.t());
                }
            }
        });
        covariance
    }
}
