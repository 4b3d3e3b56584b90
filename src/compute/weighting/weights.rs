//! Weights of rows, and weighted means.

use crate::compute::categorical::MultinomialFit;
use crate::compute::regression::{Category, ClusterDf, ClusterShares, Family, Fit, Weights};
use crate::error::{Error, ErrorKind, Result, counted, number};
use ndarray::{Array1, Array2, ArrayView1, Axis};
use serde::{Deserialize, Serialize};

/// What a weighted sum is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Normalization {
    /// The sum of the weights (Hajek 1971): the mean stays between the smallest and the largest outcome.
    #[default]
    Hajek,
    /// The number of rows (Horvitz & Thompson 1952).
    HorvitzThompson,
}

/// Whether the variance of weighted means counts that the probabilities (and the regressions of the outcome)
/// were estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NuisanceVariance {
    /// The estimating equations of probabilities, regressions and means are stacked.
    #[default]
    Stacked,
    /// They are taken as known: the mean square of the influence function. Conservative for weighting alone,
    /// where estimating the probabilities reduces the variance; consistent for augmented means where both
    /// models are right.
    Known,
}

/// Weights of rows: the inverse of the probability of what was observed.
///
/// # Formula
/// `w_i = 1 / P(A_i | x_i)` for the level `A_i` that the row has, or `w_i = 1 / P(observed | A_i, x_i)` for a
/// row with an outcome and 0 for one without. In both cases the derivative of `ln w_i` with respect to the
/// parameters of the model is minus the score `S_i` of the row, so that with weighted sums `sum w_i z_i` the
/// estimation of the parameters adds `-(sum w_i z_i S_i)' A^-1 S_i` to the influence of row `i`, where `A` is
/// the information.
///
/// Where the model of the probabilities has probability weights `s_i`, rows stand for others that were not
/// observed: its scores and information are weighted, `w_i` is multiplied by `s_i`, and means over all rows
/// are weighted by `s_i`. No result depends on the unit of `s_i`. Rows that were observed several times are
/// given as several rows.
///
/// # Examples
/// ```
/// use armwise::categorical::MultinomialRegression;
/// use armwise::ndarray::array;
/// use armwise::regression::{Category, ModelMatrix};
/// use armwise::weighting::{InverseProbability, Normalization, NuisanceVariance};
///
/// let arm = [0, 0, 0, 0, 1, 1, 1, 1];
/// let age = array![30.0, 41.0, 52.0, 33.0, 44.0, 55.0, 36.0, 47.0];
/// let works = array![0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0];
/// let matrix = ModelMatrix::new(8).intercept()?.numeric("age", age.view())?;
/// let propensity = MultinomialRegression::new()
///     .fit(&matrix, Category::new(&arm, ["control", "guidance"]))?;
/// let means =
///     InverseProbability::of_level(&propensity)?.means(works.view(), Normalization::Hajek)?;
/// assert!(means.values()[1] > means.values()[0]);
/// let (stacked, known) = (
///     means.covariance(NuisanceVariance::Stacked),
///     means.covariance(NuisanceVariance::Known),
/// );
/// assert!(stacked[[1, 1]] > 0.0 && known[[0, 1]] == 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Horvitz DG, Thompson DJ (1952), Journal of the American Statistical Association 47:663. Lunceford JK,
/// Davidian M (2004), Statistics in Medicine 23:2937 (stacked variance). Williamson EJ, Forbes A, White IR
/// (2014), Statistics in Medicine 33:721 (randomised trials). Ridgeway G et al. (2015), Journal of Causal
/// Inference 3:237 (with sampling weights).
#[derive(Debug, Clone)]
pub struct InverseProbability<'a> {
    pub(super) codes: &'a [u32],
    pub(super) levels: usize,
    /// 0 for rows without an outcome.
    pub(super) weights: Array1<f64>,
    /// How many a row stands for, in any unit; 1 without sampling weights.
    pub(super) sampling: Array1<f64>,
    source: Source,
    model: Option<Model>,
}

/// What the weights invert.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Source {
    Level,
    Response,
}

/// The scores of the rows (n x q), without sampling weights, and the inverse information of the model of the
/// probabilities.
#[derive(Debug, Clone)]
struct Model {
    scores: Array2<f64>,
    bread: Array2<f64>,
}

/// One mean for each level, with the influence of every row on it.
#[derive(Debug, Clone)]
pub struct WeightedMeans {
    codes: Vec<u32>,
    weights: Array1<f64>,
    values: Array1<f64>,
    /// n x k, divided by n: as if the models were known.
    known: Array2<f64>,
    /// n x k: what the estimation of the models adds.
    estimated: Array2<f64>,
}

impl<'a> InverseProbability<'a> {
    /// The inverse of the probability of the level that each row has, from a multinomial (with two levels:
    /// logistic) regression of the level on covariates.
    ///
    /// # Errors
    /// `invalid_input` where the regression has weights other than those of probability; `not_estimable`
    /// where a row had no chance of the level that it has.
    pub fn of_level(propensity: &MultinomialFit<'a>) -> Result<Self> {
        let (codes, weights) = propensity.weighted_codes();
        let sampling = sampling(weights, codes.len())?;
        let fitted = propensity.fitted();
        let (levels, reference, p) =
            (propensity.categories().len(), propensity.reference(), propensity.names().len());
        let others: Vec<usize> = (0..levels).filter(|level| *level != reference).collect();
        let mut scores = Array2::zeros((codes.len(), others.len() * p));
        propensity.matrix().for_each_block(|range, x| {
            for (i, row) in range.enumerate() {
                for (slot, &level) in others.iter().enumerate() {
                    let residual = f64::from(u8::from(codes[row] as usize == level)) - fitted[[row, level]];
                    for c in 0..p {
                        scores[[row, slot * p + c]] = residual * x[[c, i]];
                    }
                }
            }
        });
        let weights: Array1<f64> =
            codes.iter().enumerate().map(|(row, &code)| 1.0 / fitted[[row, code as usize]]).collect();
        let model = Model { scores, bread: propensity.bread().to_owned() };
        Self::checked(codes, levels, (weights, sampling), Source::Level, Some(model))
    }

    /// The inverse of the share of rows with the level that each row has: the probabilities of a randomised
    /// trial without strata.
    ///
    /// # Errors
    /// `invalid_input` where a code has no level; `not_estimable` where no row has a level.
    pub fn of_shares(category: Category<'a>) -> Result<Self> {
        let ones = Array1::ones(category.rows());
        Self::of_weighted_shares(category, ones.view())
    }

    /// The same of rows that stand for others: the inverse of the share of each level in the weights of all
    /// rows.
    ///
    /// # Errors
    /// As [`InverseProbability::of_shares`]; `invalid_input` unless there is a finite weight above zero for
    /// each row.
    pub fn of_weighted_shares(category: Category<'a>, weights: ArrayView1<f64>) -> Result<Self> {
        let category = category.into_parts();
        let levels = category.levels.len();
        if weights.len() != category.codes.len() || !weights.iter().all(|w| *w > 0.0 && w.is_finite()) {
            return Err(Error::invalid("give a finite weight above zero for each row").in_column("weights"));
        }
        let mut counts = vec![0.0; levels];
        for (row, &code) in category.codes.iter().enumerate() {
            let Some(count) = counts.get_mut(code as usize) else {
                return Err(Error::invalid(format!(
                    "holds the code {code} beyond {levels}; codes count from 0",
                    levels = counted(levels, "level")
                ))
                .in_column("category")
                .in_row(row));
            };
            *count += weights[row];
        }
        let n = weights.sum();
        let inverse = category.codes.iter().map(|&code| n / counts[code as usize]).collect();
        Self::checked(category.codes, levels, (inverse, weights.to_owned()), Source::Level, None)
    }

    /// The inverse of the probability that a row has an outcome, from a binomial regression of having one (1
    /// or 0) on the category of levels and on covariates. Rows without an outcome get no weight.
    ///
    /// # Errors
    /// `invalid_input` where the regression is not binomial, has weights other than those of probability, or
    /// has no category of that name.
    pub fn of_response(response: &Fit<'a>, category: &str) -> Result<Self> {
        let Some((_, levels, codes)) = response.matrix().category_codes(category) else {
            return Err(Error::invalid("the model has no category of this name").in_column(category));
        };
        if response.family() != Family::Binomial {
            return Err(Error::invalid(
                "the probability of having an outcome comes from a binomial regression of having one; fit one",
            ));
        }
        let sampling = sampling(response.observations.weights, codes.len())?;
        let fitted = response.fitted();
        let mut weights = Array1::zeros(codes.len());
        response.for_each_unit(|unit| {
            if unit.y > 0.0 {
                weights[unit.row] = 1.0 / fitted[unit.row];
            }
        });
        let mut scores = Array2::zeros((codes.len(), response.rank()));
        let working = response.working_scores();
        response.matrix().for_each_block(|range, x| {
            for (i, row) in range.enumerate() {
                if sampling[row] > 0.0 {
                    scores.row_mut(row).assign(&(&x.column(i) * (working[row] / sampling[row])));
                }
            }
        });
        let model = Model { scores, bread: response.bread().to_owned() };
        Self::checked(codes, levels, (weights, sampling), Source::Response, Some(model))
    }

    fn checked(
        codes: &'a [u32],
        levels: usize,
        (weights, sampling): (Array1<f64>, Array1<f64>),
        source: Source,
        model: Option<Model>,
    ) -> Result<Self> {
        /// A probability below this is one of rounding.
        const LARGEST: f64 = 1e12;
        if let Some(row) = weights.iter().position(|w| !(*w >= 0.0 && *w <= LARGEST)) {
            let why = "this row had no chance of what it has (probability 0), so that no weight can stand for those like it; \
                       leave out the covariate that decides it";
            return Err(Error::from(ErrorKind::NotEstimable(why.to_owned())).in_row(row));
        }
        let this = Self { codes, levels, weights: weights * &sampling, sampling, source, model };
        if let Some(level) = this.sums().iter().position(|sum| *sum == 0.0) {
            let why = format!("no row with an outcome has level {level}; leave the level out");
            return Err(ErrorKind::NotEstimable(why).into());
        }
        Ok(this)
    }

    /// The weights of the rows, sampling weights included; 0 for a row without an outcome.
    pub fn weights(&self) -> ArrayView1<'_, f64> {
        self.weights.view()
    }

    /// Kish's effective number of rows with each level, `(sum w)^2 / sum w^2`.
    pub fn effective_sizes(&self) -> Vec<f64> {
        let mut squares = vec![0.0; self.levels];
        for (&code, w) in self.codes.iter().zip(&self.weights) {
            squares[code as usize] += w * w;
        }
        self.sums().iter().zip(squares).map(|(sum, square)| sum * sum / square).collect()
    }

    fn sums(&self) -> Array1<f64> {
        let mut sums = Array1::zeros(self.levels);
        for (&code, w) in self.codes.iter().zip(&self.weights) {
            sums[code as usize] += w;
        }
        sums
    }

    /// The weighted mean outcome of each level.
    ///
    /// # Formula
    /// `mu_a = sum w_i y_i / sum w_i` over the rows with level `a`, or with `n`, the sum of sampling weights
    /// over all rows, instead of the sum of weights. Outcomes of rows without weight are not read.
    ///
    /// # Errors
    /// `invalid_input` where there is not one finite outcome for each row with a weight, or Horvitz-Thompson
    /// is asked of weights for response, whose sum says nothing of the level.
    pub fn means(&self, y: ArrayView1<f64>, normalization: Normalization) -> Result<WeightedMeans> {
        self.check_outcomes(y)?;
        let n = self.sampling.sum();
        let divisors = match normalization {
            Normalization::Hajek => self.sums(),
            Normalization::HorvitzThompson if self.source == Source::Level => {
                Array1::from_elem(self.levels, n)
            }
            Normalization::HorvitzThompson => {
                return Err(Error::invalid(
                    "weights for response estimate a mean within each level; use Normalization::Hajek",
                ));
            }
        };
        let mut values = Array1::<f64>::zeros(self.levels);
        for (row, &code) in self.codes.iter().enumerate() {
            if self.weights[row] > 0.0 {
                values[code as usize] += self.weights[row] * y[row];
            }
        }
        values /= &divisors;
        if normalization == Normalization::Hajek {
            // What rounding left: outcomes that are all the same have exactly that mean, and no influence.
            let mut rest = Array1::<f64>::zeros(self.levels);
            for (row, &code) in self.codes.iter().enumerate() {
                if self.weights[row] > 0.0 {
                    rest[code as usize] += self.weights[row] * (y[row] - values[code as usize]);
                }
            }
            values += &(rest / &divisors);
        }
        let mut known = Array2::zeros((self.codes.len(), self.levels));
        let mut weighted = Array1::zeros(self.codes.len());
        for (row, &code) in self.codes.iter().enumerate() {
            let (w, a) = (self.weights[row], code as usize);
            if normalization == Normalization::HorvitzThompson {
                known.row_mut(row).assign(&(&values * (-self.sampling[row] / n)));
            }
            if w > 0.0 {
                let centre = if normalization == Normalization::Hajek { values[a] } else { 0.0 };
                weighted[row] = w * (y[row] - centre) / divisors[a];
                known[[row, a]] += weighted[row];
            }
        }
        let estimated = self.reach(weighted.view());
        Ok(WeightedMeans::new(self, values, known, estimated))
    }

    pub(super) fn check_outcomes(&self, y: ArrayView1<f64>) -> Result<()> {
        if y.len() != self.codes.len() {
            return Err(Error::invalid(format!(
                "holds {} for {}; give one for each",
                counted(y.len(), "value"),
                counted(self.codes.len(), "row")
            ))
            .in_column("response"));
        }
        let bad = y.iter().zip(&self.weights).position(|(y, w)| *w > 0.0 && (y.is_nan() || y.abs() > 1e140));
        bad.map_or(Ok(()), |row| {
            let what = format!(
                "holds {} where a finite number of at most 1e140 is needed; change the unit",
                number(y[row])
            );
            Err(Error::invalid(what).in_column("response").in_row(row))
        })
    }

    /// The influence of the estimated probabilities on the sums over each level of `weighted`, which is
    /// proportional to the weight.
    pub(super) fn reach(&self, weighted: ArrayView1<f64>) -> Array2<f64> {
        let n = self.codes.len();
        let Some(Model { scores, bread }) = &self.model else { return Array2::zeros((n, self.levels)) };
        let mut lean = Array2::<f64>::zeros((self.levels, scores.ncols()));
        for (row, &code) in self.codes.iter().enumerate() {
            if weighted[row] != 0.0 {
                lean.index_axis_mut(Axis(0), code as usize).scaled_add(-weighted[row], &scores.row(row));
            }
        }
        // A weight follows the score of its row, and the parameters the scores of all that it stands for.
        let sampling = self.sampling.view().insert_axis(Axis(1));
        scores.dot(&lean.dot(bread).t()) * sampling
    }
}

impl InverseProbability<'_> {
    /// What the estimated probabilities add to the influence of every row on sums of these scores, each proportional
    /// to the weight of its row: n x p.
    pub(super) fn adds(&self, of: &Array2<f64>) -> Array2<f64> {
        let Some(Model { scores, bread }) = &self.model else { return Array2::zeros(of.dim()) };
        let lean = of.t().dot(scores);
        let sampling = self.sampling.view().insert_axis(Axis(1));
        -(scores.dot(&lean.dot(bread).t()) * sampling)
    }
}

/// How many each row of a model of probabilities stands for.
fn sampling(weights: Weights, rows: usize) -> Result<Array1<f64>> {
    match weights {
        Weights::None => Ok(Array1::ones(rows)),
        Weights::Probability(weights) => Ok(weights.to_owned()),
        _ => Err(Error::invalid(
            "the model of the probabilities has weights of precision or frequency; those of precision are about a variance, which an arm or \
             having an outcome does not have, so fit it without weights or with those of probability, and give a row for each observation",
        )),
    }
}

impl WeightedMeans {
    /// Of rows with these weights.
    pub(super) fn new(
        of: &InverseProbability,
        values: Array1<f64>,
        known: Array2<f64>,
        estimated: Array2<f64>,
    ) -> Self {
        Self { codes: of.codes.to_vec(), weights: of.weights.clone(), values, known, estimated }
    }

    /// The weights of the rows, sampling weights included; 0 for a row without an outcome.
    pub fn weights(&self) -> ArrayView1<'_, f64> {
        self.weights.view()
    }

    /// The mean of each level.
    pub fn values(&self) -> &[f64] {
        self.values.as_slice().unwrap_or_default()
    }

    /// The covariance of the means: k x k, the sum of the products of the influences of the rows (divisor
    /// `n^2`, no small-sample factor).
    pub fn covariance(&self, variance: NuisanceVariance) -> Array2<f64> {
        match variance {
            NuisanceVariance::Known => self.known.t().dot(&self.known),
            NuisanceVariance::Stacked => {
                let influence = &self.known + &self.estimated;
                influence.t().dot(&influence)
            }
        }
    }

    /// The covariance of the means with the influences summed over clusters (a code for each row, equal codes
    /// being one cluster), that of a row times `1 / sqrt(1 - q)` with the share `q` of its cluster in the
    /// weights of its level.
    ///
    /// # Errors
    /// `invalid_input` unless there is one code for each row; `insufficient_observations` with fewer than two
    /// clusters in a level.
    pub fn clustered_covariance(&self, variance: NuisanceVariance, clusters: &[u32]) -> Result<Array2<f64>> {
        let shares = self.shares(clusters)?;
        Ok(match variance {
            NuisanceVariance::Known => shares.covariance(self.known.view()),
            NuisanceVariance::Stacked => shares.covariance((&self.known + &self.estimated).view()),
        })
    }

    /// For the degrees of freedom of contrasts of the means under [`WeightedMeans::clustered_covariance`].
    pub(crate) fn cluster_df(&self, clusters: &[u32]) -> Result<ClusterDf> {
        Ok(self.shares(clusters)?.df())
    }

    fn shares(&self, clusters: &[u32]) -> Result<ClusterShares<'_>> {
        ClusterShares::new(clusters, &self.codes, self.values.len(), |row| self.weights[row])
    }
}
