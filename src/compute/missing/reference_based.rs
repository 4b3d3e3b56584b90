use super::waves::Waves;
use super::waves_model::{WavesLikelihood, WavesModel};
use crate::compute::linalg::{Cholesky, submatrix};
use crate::compute::progress::Task;
use crate::compute::threads::in_parts;
use crate::error::{ErrorKind, Result};
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

/// What the outcomes of people of the other arms are, after the last wave that they answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReferenceStrategy {
    /// As those of their arm who stayed, given what they answered.
    MissingAtRandom,
    /// From then on they have the mean of the reference: the effect is lost at once.
    JumpToReference,
    /// They had the mean of the reference all along: the effect never was, and what they were above it wears
    /// off.
    CopyReference,
    /// From then on they change as the reference does: the effect that they had stays.
    CopyIncrements,
}

/// Imputation of the last wave by its conditional mean, where those who left an arm follow the reference.
///
/// # Formula
///
/// `y_j = intercept_j + arm_j + slopes_j'x + e_j` at wave `j`, `e` normal with one unstructured covariance
/// `S` for all arms. With `O` the waves that a person answered, the missing ones have
///
/// ```text
/// m_M + S_MO S_OO^-1 (y_O - m_O)
/// ```
///
/// with the means `m` of the [`ReferenceStrategy`]. The estimate is least squares of the completed last wave
/// on arms and covariates. Its variance is that of the whole procedure without each person in turn, `(n - 1)
/// / n sum (b_i - b)^2`; that of least squares would take what was imputed for seen.
///
/// # Assumptions
/// Normal outcomes, one covariance, and the strategy. A wave that is missing before the last answer is
/// missing at random.
///
/// # Errors
/// `not_estimable` where arms and covariates depend on each other or nobody answered two waves together;
/// `zero_variance` where a wave follows from others; `not_converged`.
///
/// # Examples
/// ```
/// use armwise::missing::{ReferenceBased, ReferenceStrategy, Waves};
/// use armwise::ndarray::Array2;
/// use armwise::regression::Category;
///
/// let codes: Vec<u32> = (0..24).map(|i| i % 2).collect();
/// let outcome = |(i, j): (usize, usize)| match (i % 6, j) {
///     (5, 1) => f64::NAN,
///     _ => ((7 * i + 5 * j) % 11) as f64 + 2.0 * f64::from(codes[i]),
/// };
/// let outcomes = Array2::from_shape_fn((24, 2), outcome);
/// let arm = Category::new(&codes, ["control", "guidance"]);
/// let waves = Waves::new(outcomes.view(), arm, Array2::zeros((24, 0)).view())?;
/// let stays = ReferenceBased::new(ReferenceStrategy::MissingAtRandom).fit(&waves)?;
/// let lost = ReferenceBased::new(ReferenceStrategy::JumpToReference).fit(&waves)?;
/// assert!(lost.effects[0] < stays.effects[0] && lost.covariance_of_effects()?[[0, 0]] > 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Carpenter, Roger & Kenward (2013), Journal of Biopharmaceutical Statistics 23:1352. Wolbers et al. (2022),
/// Pharmaceutical Statistics 21:1246.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReferenceBased {
    /// What happens after the last answer.
    pub strategy: ReferenceStrategy,
    /// How means and covariance are fitted.
    pub likelihood: WavesLikelihood,
}

/// The last wave, completed, with the effects on it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReferenceBasedFit<'w> {
    /// The coefficients: waves by intercept, arms but the first, covariates.
    pub coefficients: Array2<f64>,
    /// The covariance of the waves.
    pub covariance: Array2<f64>,
    /// The last wave of everybody, as answered or imputed.
    pub completed: Array1<f64>,
    /// The people whose last wave was imputed, in their order.
    pub imputed: Vec<usize>,
    /// The mean of the completed last wave in each arm, the reference first.
    pub arm_means: Vec<f64>,
    /// The effects of the arms but the first.
    pub effects: Vec<f64>,
    how: ReferenceBased,
    waves: &'w Waves,
    model: WavesModel,
}

impl ReferenceBased {
    /// Imputation under a strategy, by restricted maximum likelihood.
    pub fn new(strategy: ReferenceStrategy) -> Self {
        Self { strategy, likelihood: WavesLikelihood::default() }
    }

    setters! {
        /// How means and covariance are fitted. Default: [`WavesLikelihood::Restricted`].
        likelihood: WavesLikelihood;
    }

    /// Completes the last wave, and estimates the effects on it.
    ///
    /// # Errors
    /// See [`ReferenceBased`].
    pub fn fit(self, waves: &Waves) -> Result<ReferenceBasedFit<'_>> {
        let model = WavesModel::fit(&waves.patterns(), self.likelihood, None)?;
        let completed = self.complete(waves, &model)?;
        let [mean, spread] = waves.scale;
        let effects = waves.effects(&completed, None)?.iter().map(|effect| effect * spread).collect();
        let last = waves.waves() - 1;
        let arm_means = (0..waves.arms.len())
            .map(|arm| {
                let of = || (0..waves.people()).filter(|&i| waves.codes[i] as usize == arm);
                let n = of().count() as f64;
                mean + spread * of().map(|i| completed[i] / n).sum::<f64>()
            })
            .collect();
        Ok(ReferenceBasedFit {
            coefficients: waves.in_units(&model.beta),
            covariance: &model.covariance * (spread * spread),
            imputed: (0..waves.people()).filter(|&i| waves.outcomes[[i, last]].is_nan()).collect(),
            completed: completed.mapv(|y| mean + spread * y),
            arm_means,
            effects,
            how: self,
            waves,
            model,
        })
    }

    /// The last wave of everybody, in the units of the model.
    fn complete(self, waves: &Waves, model: &WavesModel) -> Result<Array1<f64>> {
        let (n, last, a) = (waves.people(), waves.waves() - 1, waves.arms.len());
        let own = waves.design.dot(&model.beta.t());
        let mut without_arms = waves.design.clone();
        for column in 1..a {
            without_arms.column_mut(column).fill(0.0);
        }
        let reference = without_arms.dot(&model.beta.t());
        let mut slopes: Vec<(Vec<usize>, Array1<f64>)> = Vec::new();
        let mut completed = waves.outcomes.column(last).to_owned();
        for i in 0..n {
            if !completed[i].is_nan() {
                continue;
            }
            let seen = waves.pattern(i);
            let stopped = seen.last().copied();
            let mean = |j: usize| match (self.strategy, stopped) {
                (ReferenceStrategy::MissingAtRandom, _) => own[[i, j]],
                (ReferenceStrategy::CopyReference, _) | (_, None) => reference[[i, j]],
                (_, Some(stop)) if j <= stop => own[[i, j]],
                (ReferenceStrategy::JumpToReference, _) => reference[[i, j]],
                (ReferenceStrategy::CopyIncrements, Some(stop)) => {
                    own[[i, stop]] + reference[[i, j]] - reference[[i, stop]]
                }
            };
            completed[i] = mean(last);
            if seen.is_empty() {
                continue;
            }
            let known = slopes.iter().position(|(pattern, _)| *pattern == seen);
            let at = known.unwrap_or(slopes.len());
            if known.is_none() {
                let factor = Cholesky::new(submatrix(model.covariance.view(), &seen).view());
                let Some(factor) = factor else {
                    let why = "the covariance of the waves cannot be inverted; leave out a wave";
                    return Err(ErrorKind::ZeroVariance(why.to_owned()).into());
                };
                let with: Array1<f64> = seen.iter().map(|&j| model.covariance[[last, j]]).collect();
                slopes.push((seen.clone(), factor.solve(with.view())));
            }
            for (slope, &j) in slopes[at].1.iter().zip(&seen) {
                completed[i] += slope * (waves.outcomes[[i, j]] - mean(j));
            }
        }
        Ok(completed)
    }
}

impl ReferenceBasedFit<'_> {
    /// The covariance of the effects, by the jackknife over people: everything is done again without each of
    /// them.
    ///
    /// # Errors
    /// `not_estimable` where the means are not known without somebody; `stopped`.
    pub fn covariance_of_effects(&self) -> Result<Array2<f64>> {
        let (waves, n) = (self.waves, self.waves.people());
        let patterns = waves.patterns();
        let task = Task::start("people left out", n as u64);
        let one = |row: usize| -> Result<Vec<f64>> {
            let observed = waves.pattern(row);
            let mut rest = patterns.clone();
            if let Some(at) = rest.iter().position(|pattern| pattern.observed == observed) {
                rest[at].add(waves, row, -1.0);
                if rest[at].n < 0.5 {
                    rest.remove(at);
                }
            }
            let model = WavesModel::fit(&rest, self.how.likelihood, Some(&self.model))?;
            let completed = self.how.complete(waves, &model)?;
            let effects = waves.effects(&completed, Some(row))?;
            task.advance(1)?;
            Ok(effects)
        };
        let parts = in_parts(n, 8, n > 32, |rows| rows.map(&one).collect::<Result<Vec<Vec<f64>>>>());
        let mut each = Vec::with_capacity(n);
        for part in parts {
            each.extend(part?);
        }
        let (k, total) = (self.effects.len(), n as f64);
        let means: Vec<f64> = (0..k).map(|c| each.iter().map(|one| one[c] / total).sum()).collect();
        let scale = self.waves.scale[1] * self.waves.scale[1] * (total - 1.0) / total;
        Ok(Array2::from_shape_fn((k, k), |(c, d)| {
            scale * each.iter().map(|one| (one[c] - means[c]) * (one[d] - means[d])).sum::<f64>()
        }))
    }
}
